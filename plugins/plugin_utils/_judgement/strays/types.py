# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What a stray is, what was probably meant by it, and how people are told. Pure."""

from __future__ import annotations

import dataclasses
import enum
import typing as t

from ..._schannel.names import fold
from ..._schannel.protocols import PROTOCOLS_KEY, protocol_key
from ..._schannel.snapshot import Setting
from ..._schannel.values import Type, Value, full_path
from ..._text import NAME, visible
from .names import Reason, look_alikes


class Kind(enum.Enum):
    """What is wrong with a stray. Stable: people keep these in reports."""

    UNKNOWN_PROTOCOL = "unknown_protocol"
    UNKNOWN_SIDE = "unknown_side"
    UNKNOWN_KEY = "unknown_key"  # any other key below a side
    VALUE_AS_KEY = "value_as_key"
    UNKNOWN_VALUE = "unknown_value"
    DEFAULT_VALUE = "default_value"
    VALUE_ON_PROTOCOL = "value_on_protocol"  # or on Protocols itself


@dataclasses.dataclass(frozen=True)
class Meant:
    """The place that was probably meant, as far as it is known. Two ``sides``: one of them, or both."""

    protocol: str | None = None
    sides: tuple[str, ...] = ()
    value: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys below HKLM; empty where the protocol is not known."""
        if self.protocol is None:
            return ()
        return tuple(protocol_key(self.protocol, side) for side in self.sides) or (protocol_key(self.protocol),)

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The settings, where protocol, side and value are known."""
        return tuple(Setting(key, self.value) for key in self.keys) if self.value and self.sides else ()

    def __str__(self) -> str:
        places = " or ".join(below(key) for key in self.keys) or " or ".join(self.sides)
        return " ".join(part for part in (places, f"[{self.value}]" if self.value else "") if part)

    def as_result(self) -> dict[str, t.Any]:
        return {"protocol": self.protocol, "sides": list(self.sides), "value": self.value, "text": str(self)}


@dataclasses.dataclass(frozen=True)
class Held:
    """A registry value that Windows ignores. ``value`` is None where nobody read it."""

    setting: Setting
    type: Type
    value: Value | None
    meant: Meant | None
    reason: Reason

    def as_result(self) -> dict[str, t.Any]:
        return {
            "key": full_path(self.setting.key),
            "value": self.setting.name,
            "type": self.type.value,
            "data": self.value.as_result()["data"] if self.value else None,
            "meant": self.meant.as_result() if self.meant else None,
        }


@dataclasses.dataclass(frozen=True)
class Stray:
    """A key (``name`` is None) or a value ``name`` of ``key`` that Windows ignores. Keys are below HKLM.

    ``holds``: the ignored values. Those of keys below count with the nearest stray key above them, so each is held
    by exactly one stray.
    """

    kind: Kind
    key: str
    name: str | None
    meant: Meant | None
    reason: Reason
    holds: tuple[Held, ...] = ()

    @property
    def message(self) -> str:
        """What it is, and what was probably meant, in one sentence for people."""
        where = below(self.key) + ("" if self.name is None else f" [{visible_name(self.name)}]")
        what = _WHAT[self.kind].format(where=where)
        if self.meant is None:
            return f"{what} What was meant is not clear."
        how = _HOW[self.reason]
        if self.reason is Reason.LOOK_ALIKE:
            own = self.key.rpartition("\\")[2] if self.name is None else self.name
            how = ": ".join(filter(None, (how, ", ".join(look_alikes(own)))))
        return f"{what} Probably meant: {self.meant} ({how})."

    def as_result(self) -> dict[str, t.Any]:
        return {
            "kind": self.kind.value,
            "key": full_path(self.key),
            "value": self.name,
            "meant": self.meant.as_result() if self.meant else None,
            "reason": self.reason.value,
            "holds": [held.as_result() for held in self.holds],
            "message": self.message,
        }


_WHAT = {
    Kind.UNKNOWN_PROTOCOL: "{where} is no protocol that Windows knows, and is ignored.",
    Kind.UNKNOWN_SIDE: "{where} is neither Client nor Server, and is ignored.",
    Kind.UNKNOWN_KEY: "{where} is a key in a place where Windows looks for none, and is ignored.",
    Kind.VALUE_AS_KEY: "{where} is a key, but Windows looks for a value of that name in the key of a side.",
    Kind.UNKNOWN_VALUE: "{where} is a value that Windows does not look for, and is ignored.",
    Kind.DEFAULT_VALUE: "{where}, the default value of a key, is set, and is ignored.",
    Kind.VALUE_ON_PROTOCOL: "{where} is a value in a place where Windows looks for none, and is ignored.",
}
_HOW = {
    Reason.PLACE: "the name is right, the place is not",
    Reason.SPELLING: "it differs only in blanks, punctuation or invisible characters",
    Reason.LOOK_ALIKE: "it is written with characters that only look alike",
    Reason.TRANSLATION: "it is another word for it, mostly in another language",
    Reason.MISSPELLING: "it is misspelt",
    Reason.PART: "the name contains it",
    Reason.ELIMINATION: "nothing else is missing there",
}


def below(key: str) -> str:
    """A key as people name it: from the protocol on. Names with blanks at their ends or invisible letters show them."""
    path = key[len(PROTOCOLS_KEY) + 1 :] if fold(key).startswith(f"{fold(PROTOCOLS_KEY)}\\") else "Protocols"
    return "\\".join(visible_name(name) for name in path.split("\\"))


def visible_name(name: str) -> str:
    """A name with all that counts in it: blanks at its ends, and blanks that only look like one."""
    shown = "".join(
        f"<U+{ord(character):04X}>" if character != " " and not character.isprintable() else character
        for character in name[:NAME]
    )
    text = visible(shown + name[NAME:], len(shown)) or "(default)"
    return f'"{text}"' if name != name.strip() else text
