# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What was read of a registry, as a value: pure functions judge it and plan on it."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from .names import fold
from .protocols import DISABLED_BY_DEFAULT, ENABLED, Side, protocol_key
from .values import Type, Value


@dataclasses.dataclass(frozen=True)
class Setting:
    """The place of one registry value. Names that Windows takes for one are one here."""

    key: str  # below HKLM
    name: str
    _folded: tuple[str, str] = dataclasses.field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_folded", (fold(self.key), fold(self.name)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Setting) and self._folded == other._folded

    def __hash__(self) -> int:
        return hash(self._folded)


@functools.lru_cache(maxsize=256)
def protocol_setting(protocol: str, side: str, name: str) -> Setting:
    """The place of a value of one side of a protocol version."""
    return Setting(protocol_key(protocol, side), name)


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """Values and keys of one host at one time.

    ``values`` holds every setting that was looked at (ABSENT where there is none). ``keys`` holds what is known of
    keys, by folded name: True present, False missing. ``subkeys`` and ``listed`` hold complete listings, where they
    were made; ``unlisted`` says of which keys one failed, and why.
    """

    values: t.Mapping[Setting, Value]
    keys: t.Mapping[str, bool]
    subkeys: t.Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    listed: t.Mapping[str, t.Mapping[str, Type]] = dataclasses.field(default_factory=dict)
    unlisted: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    def value(self, setting: Setting) -> Value:
        """The value; KeyError for a setting that nobody read, which is a mistake in the reading plan."""
        return self.values[setting]

    def key_exists(self, key: str) -> bool | None:
        """None where nobody looked."""
        return key_exists(key, self.keys, self.subkeys)

    def side(self, protocol: str, side: str) -> Side:
        return Side(
            self.values[protocol_setting(protocol, side, ENABLED)],
            self.values[protocol_setting(protocol, side, DISABLED_BY_DEFAULT)],
        )

    def after(self, changes: t.Mapping[Setting, Value], removed_keys: t.Sequence[str] = ()) -> Snapshot:
        """The snapshot as it would be after these writes, and after these keys were removed."""
        keys = dict(self.keys)
        gone = {fold(key) for key in removed_keys}
        keys.update(dict.fromkeys(gone, False))
        for setting, value in changes.items():
            if value.present:
                keys.update(dict.fromkeys(parents(fold(setting.key)), True))
        return dataclasses.replace(
            self,
            values={**self.values, **changes},
            keys=keys,
            subkeys={
                key: tuple(name for name in names if f"{key}\\{fold(name)}" not in gone)
                for key, names in self.subkeys.items()
                if key not in gone
            },
            listed={
                key: {name: kind for name, kind in types.items() if _stays(changes.get(Setting(key, name)))}
                for key, types in self.listed.items()
                if key not in gone
            },
        )


def _stays(change: Value | None) -> bool:
    return change is None or change.present


@functools.lru_cache(maxsize=1024)
def parents(key: str) -> tuple[str, ...]:
    """The key and all above it, nearest first: ``a\\b\\c``, ``a\\b``, ``a``."""
    parts = key.split("\\")
    return tuple("\\".join(parts[:length]) for length in range(len(parts), 0, -1))


def key_exists(key: str, keys: t.Mapping[str, bool], subkeys: t.Mapping[str, tuple[str, ...]]) -> bool | None:
    """Whether a key exists, as far as it follows from what is known of it, its parents and their complete listings."""
    folded = fold(key)
    for path in parents(folded):
        if path in keys:
            if not keys[path]:
                return False
            return True if path == folded else None
        above, _dummy, name = path.rpartition("\\")
        if above in subkeys and name not in map(fold, subkeys[above]):
            return False
    return None
