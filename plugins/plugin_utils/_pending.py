# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Whether a restart is pending: a note on the target about what was written since Windows started.

Windows keeps no such flag for SCHANNEL. The note is one REG_SZ value, ``HKLM\\SOFTWARE\\mailops.exchange_tls``
[RestartPending], in JSON: the boot time it was written under and, for every setting written since, the value that
was there when Windows started. A restart is pending while Windows has not been started again and any of these
settings differs from that value. Putting the old values back therefore ends it without a restart.

What it cannot know: changes that others made (Group Policy, IIS Crypto, a person), and whether a clock that was set
moved the boot time without a restart. The handshake after the restart is the proof.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import typing as t

from ._names import fold
from ._plan import Plan
from ._registry import Registry, Type, Value, dword
from ._snapshot import Setting
from ._windows import booted_again

KEY = r"SOFTWARE\mailops.exchange_tls"
NAME = "RestartPending"


class NoteUnreadable(ValueError):
    """The value is there but not as this collection writes it."""


@dataclasses.dataclass(frozen=True)
class Note:
    """What is known of the changes since ``boot``.

    ``at_boot``: the settings changed since then, with their values at that time. ``unfinished``: the settings a run was
    about to write, with their values before it, ``unfinished_keys`` the keys it was about to make, and
    ``unfinished_removals`` those it was about to remove; all are empty
    once the run has written all of them, so that a run that was cut off shows.
    """

    boot: datetime.datetime
    at_boot: t.Mapping[Setting, Value]
    unfinished: t.Mapping[Setting, Value] = dataclasses.field(default_factory=dict)
    unfinished_keys: tuple[str, ...] = ()
    unfinished_removals: tuple[str, ...] = ()

    def waiting(self, last_boot: datetime.datetime, current: t.Callable[[Setting], Value]) -> frozenset[Setting]:
        """The settings that are not as they were when Windows was started; none where it was started since."""
        if booted_again(self.boot, last_boot):
            return frozenset()
        return frozenset(setting for setting, value in self.at_boot.items() if current(setting) != value)

    def pending(self, last_boot: datetime.datetime, current: t.Callable[[Setting], Value]) -> bool:
        return bool(self.waiting(last_boot, current))

    def finished(self) -> Note:
        return dataclasses.replace(self, unfinished={}, unfinished_keys=(), unfinished_removals=())

    def restarted(self, boot: datetime.datetime) -> Note:
        """After a restart, nothing differs from what was there when Windows started."""
        return dataclasses.replace(self, boot=boot, at_boot={})

    def encode(self) -> str:
        return json.dumps(
            {
                "boot": self.boot.isoformat(),
                "at_boot": _encode_values(self.at_boot),
                "unfinished": _encode_values(self.unfinished),
                "unfinished_keys": list(self.unfinished_keys),
                "unfinished_removals": list(self.unfinished_removals),
            }
        )

    @classmethod
    def decode(cls, text: str) -> Note:
        try:
            data = json.loads(text)
            boot = datetime.datetime.fromisoformat(data["boot"])
            if boot.tzinfo is None:
                raise ValueError("the boot time has no zone")
            return cls(
                boot,
                _decode_values(data["at_boot"]),
                _decode_values(data["unfinished"]),
                tuple(str(key) for key in data["unfinished_keys"]),
                tuple(str(key) for key in data["unfinished_removals"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise NoteUnreadable(f"{type(exc).__name__}: {exc}") from None


# Stands in a note for a restart after which services did not run; no host has this value.
_SERVICES = Setting(KEY, "ServicesDidNotRun")


def without_services(boot: datetime.datetime) -> Note:
    """The note of a restart that did not bring the services back: it counts as still to be made."""
    return Note(boot, {_SERVICES: dword(1)})


def begun(previous: Note | None, last_boot: datetime.datetime, plan: Plan) -> Note:
    """The note for a plan that is about to be carried out, on top of an earlier one. What was there at boot, and
    what was
    there before a run that was cut off, is never overwritten."""
    same_boot = previous if previous is not None and not booted_again(previous.boot, last_boot) else None
    before = {write.setting: write.before for write in plan.writes}
    cut_off = previous.unfinished if previous else {}
    keys = dict.fromkeys([*(previous.unfinished_keys if previous else ()), *plan.new_keys])
    removals = dict.fromkeys([*(previous.unfinished_removals if previous else ()), *plan.old_keys])
    return Note(
        same_boot.boot if same_boot else last_boot,
        {**before, **(same_boot.at_boot if same_boot else {})},
        {**before, **cut_off},
        tuple(keys),
        tuple(removals),
    )


def _encode_values(values: t.Mapping[Setting, Value]) -> list[dict[str, t.Any]]:
    return [{"key": setting.key, "value": setting.name, **value.as_result()} for setting, value in values.items()]


def _decode_values(items: list[dict[str, t.Any]]) -> dict[Setting, Value]:
    return {Setting(item["key"], item["value"]): Value.from_result(item) for item in items}


def read(registry: Registry) -> Note | None:
    """The note on the host, None where there is none (one request). Raises :class:`NoteUnreadable`."""
    value = registry.get(KEY, NAME, Type.REG_SZ)
    if value is None or not value.present:
        return None
    if not isinstance(value.data, str):
        raise NoteUnreadable(f"it is a {value.type.value if value.type else 'nothing'}")
    return Note.decode(value.data)


def write(registry: Registry, note: Note, *, new: bool = False) -> None:
    """Writes the note and reads it back. ``new``: its key has to be made first.

    That a write to a missing key fails is no way to find that out: some versions return nothing (wsman.md 1.3).
    """
    if new:
        registry.create_key(KEY)
    registry.set(KEY, NAME, Value(Type.REG_SZ, note.encode()))


def clear(registry: Registry) -> None:
    """Removes the note, and its key unless somebody else keeps something in it: nothing of ours is left behind."""
    others = [name for name in registry.value_types(KEY) or () if fold(name) != fold(NAME)]
    if others or registry.subkeys(KEY):
        registry.delete_value(KEY, NAME)
    else:
        registry.delete_key(KEY)
