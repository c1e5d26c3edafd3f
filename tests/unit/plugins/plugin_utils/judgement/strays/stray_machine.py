# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine with keys and values below Protocols, and a reader of them that counts its requests."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.strays.find import (
    Stray,
    keys_to_read,
    strays,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.strays.names import WINDOWS_PROTOCOLS
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.names import fold
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS_KEY,
    SIDES,
    VALUE_NAMES,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting, Snapshot
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword

ON = {"Enabled": dword(1), "DisabledByDefault": dword(0)}


class Machine:
    """What is below Protocols, and what a reader would bring home of it. Paths are below Protocols."""

    def __init__(self, content: Mapping[str, Mapping[str, Value]] | None = None) -> None:
        self.keys: dict[str, str] = {fold(PROTOCOLS_KEY): PROTOCOLS_KEY}
        self.values: dict[str, dict[str, Value]] = {fold(PROTOCOLS_KEY): {}}
        for path, values in (content or {}).items():
            self.make(path, values)

    def make(self, path: str, values: Mapping[str, Value]) -> None:
        key = PROTOCOLS_KEY
        for name in path.split("\\") if path else ():
            key = f"{key}\\{name}"
            key = self.keys.setdefault(fold(key), key)
            self.values.setdefault(fold(key), {})
        for name, value in values.items():
            spelled = next((old for old in self.values[fold(key)] if fold(old) == fold(name)), name)
            self.values[fold(key)][spelled] = value

    def import_page(self, page: Mapping[str, Any]) -> None:
        """As ``reg import`` does: a number of more than eight digits vanishes, the key and the rest do not."""
        for entry in page["keys"]:
            values = {name: dword(int(digits, 16)) for name, digits in entry["values"] if 1 <= len(digits) <= 8}
            self.make("\\".join(entry["path"]), values)

    def subkeys(self, key: str) -> tuple[str, ...]:
        depth = key.count("\\") + 1
        below = [name for name in self.keys.values() if fold(name).startswith(f"{fold(key)}\\")]
        return tuple(name.rpartition("\\")[2] for name in below if name.count("\\") == depth)

    def listing(self, key: str) -> dict[str, Type]:
        values = {name: value.type or Type.OTHER for name, value in self.values.get(fold(key), {}).items()}
        return {} if set(values) == {""} else values  # Windows hides a default value that is alone

    def value(self, setting: Setting) -> Value:
        values = self.values.get(fold(setting.key), {})
        return next((value for name, value in values.items() if fold(name) == fold(setting.name)), ABSENT)

    def audit(self) -> Snapshot:
        """What an audit has read anyway: all protocols, their subkeys, and the two values of each side."""
        read = Reading({}, {}, {})
        read.list_subkeys(self, PROTOCOLS_KEY)
        for protocol in WINDOWS_PROTOCOLS:
            read.list_subkeys(self, f"{PROTOCOLS_KEY}\\{protocol}")
            for side in SIDES:
                for name in VALUE_NAMES:
                    setting = Setting(f"{PROTOCOLS_KEY}\\{protocol}\\{side}", name)
                    read.values[setting] = self.value(setting)
        return read.snapshot()

    def read(self) -> tuple[Snapshot, int]:
        """All that is wanted, round by round; and the number of requests."""
        snapshot, requests = self.audit(), 0
        for _round in range(5):
            wanted = keys_to_read(snapshot)
            if not wanted:
                return snapshot, requests
            requests += len(wanted.subkeys) + len(wanted.listed) + len(wanted.values)
            read = Reading(dict(snapshot.values), dict(snapshot.subkeys), dict(snapshot.listed))
            for key in wanted.subkeys:
                assert fold(key) not in snapshot.subkeys, f"{key} is listed twice"
                read.list_subkeys(self, key)
            for key in wanted.listed:
                assert fold(key) not in snapshot.listed, f"{key} is listed twice"
                read.listed[fold(key)] = self.listing(key)
            for setting, kind in wanted.values:
                assert setting not in snapshot.values, f"{setting} is read twice"
                value = self.value(setting)
                assert setting.name == "" or not value.present or value.type is kind
                read.values[setting] = value
            snapshot = read.snapshot()
        raise AssertionError("there is no end to the reading")

    def judged(self) -> tuple[Stray, ...]:
        return strays(self.read()[0])

    def delete(self, values: Iterable[Setting], keys: Iterable[str]) -> None:
        for setting in values:
            held = self.values[fold(setting.key)]
            del held[next(name for name in held if fold(name) == fold(setting.name))]
        for key in keys:
            assert not self.subkeys(key), f"{key} still holds keys"
            assert not self.values[fold(key)], f"{key} still holds values that nobody backed up"
            del self.keys[fold(key)], self.values[fold(key)]


@dataclasses.dataclass
class Reading:
    values: dict[Setting, Value]
    subkeys: dict[str, tuple[str, ...]]
    listed: dict[str, Mapping[str, Type]]

    def list_subkeys(self, machine: Machine, key: str) -> None:
        self.subkeys[fold(key)] = machine.subkeys(key)

    def snapshot(self) -> Snapshot:
        keys = {fold(PROTOCOLS_KEY): True}
        for key, names in self.subkeys.items():
            keys.update({f"{key}\\{fold(name)}": True for name in names})
        return Snapshot(dict(self.values), keys, dict(self.subkeys), dict(self.listed))


def path_of(stray: Stray) -> str:
    return stray.key[len(PROTOCOLS_KEY) + 1 :]


def by_path(found: Iterable[Stray]) -> dict[str, Stray]:
    """Strays by path; values as ``path [name]``."""
    return {path_of(stray) + ("" if stray.name is None else f" [{stray.name}]"): stray for stray in found}


def only(content: Mapping[str, Mapping[str, Value]]) -> Stray:
    (found,) = strays(Machine(content).read()[0])
    return found


def windows_own(key: str) -> bool:
    parts = key[len(PROTOCOLS_KEY) + 1 :].split("\\") if len(key) > len(PROTOCOLS_KEY) else []
    known = [[fold(name) for name in WINDOWS_PROTOCOLS], [fold(side) for side in SIDES]]
    return len(parts) <= 2 and all(fold(part) in names for part, names in zip(parts, known, strict=False))


def windows_reads(setting: Setting) -> bool:
    deep = setting.key.count("\\") == PROTOCOLS_KEY.count("\\") + 2
    return deep and windows_own(setting.key) and fold(setting.name) in [fold(name) for name in VALUE_NAMES]
