# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Reads what an audit needs, nothing twice, in as few requests as the host's configuration allows."""

from __future__ import annotations

import typing as t

from ._registry import ABSENT, Registry, Type, Value
from ._schannel import PROTOCOLS, PROTOCOLS_KEY, SIDES, VALUE_NAMES, protocol_key
from ._snapshot import Setting, Snapshot, key_exists, parents


class Reader:
    """Collects a :class:`Snapshot`. What is known already (a missing parent, a listing) costs no request."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._values: dict[Setting, Value] = {}
        self._keys: dict[str, bool] = {}
        self._subkeys: dict[str, tuple[str, ...]] = {}
        self._listed: dict[str, dict[str, Type]] = {}

    def snapshot(self) -> Snapshot:
        return Snapshot(dict(self._values), dict(self._keys), dict(self._subkeys), dict(self._listed))

    def protocols(self, managed: t.Collection[str]) -> None:
        """Every protocol version on both sides. A side of a ``managed`` protocol that lacks one of its two values is
        listed in full as well, so that values under wrong names come to light."""
        self.subkeys(PROTOCOLS_KEY)
        for protocol in PROTOCOLS:
            self.subkeys(protocol_key(protocol))
            for side in SIDES:
                key = protocol_key(protocol, side)
                values = [self.value(Setting(key, name)) for name in VALUE_NAMES]
                if protocol in managed and any(value.type is not Type.REG_DWORD for value in values):
                    self.list_values(key)

    def subkeys(self, key: str) -> tuple[str, ...]:
        """The keys below; empty where the key is missing."""
        folded = key.lower()
        if folded not in self._subkeys:
            found = None if self._is_missing(key) else self._registry.subkeys(key)
            self._found(key, found is not None)
            self._subkeys[folded] = found or ()
            for name in found or ():
                self._keys[f"{folded}\\{name.lower()}"] = True
        return self._subkeys[folded]

    def list_values(self, key: str) -> t.Mapping[str, Type]:
        """Names and types of the values; empty where the key is missing."""
        folded = key.lower()
        if folded not in self._listed:
            found = None if self._is_missing(key) else self._registry.value_types(key)
            self._found(key, found is not None)
            self._listed[folded] = found or {}
        return self._listed[folded]

    def locate(self, key: str) -> None:
        """Finds out whether the key exists and, where it is missing, which of those above it are missing as well: a
        request for each that nobody has looked at, up to the first that exists."""
        for path in parents(key):
            if key_exists(path, self._keys, self._subkeys) is None:
                self.subkeys(path)
            if not self._is_missing(path):
                return

    def value(self, setting: Setting, kind: Type = Type.REG_DWORD) -> Value:
        if setting not in self._values:
            self._values[setting] = self._read(setting, kind)
        return self._values[setting]

    def _read(self, setting: Setting, kind: Type) -> Value:
        if self._is_missing(setting.key):
            return ABSENT
        listed = self._listed.get(setting.key.lower())
        if listed is not None:
            actual = next((found for name, found in listed.items() if name.lower() == setting.name.lower()), None)
            if actual is None and setting.name:
                return ABSENT
            # a default value, whose name is empty, is not listed where it is the only one (wsman.md 1.4)
            kind = actual or kind
        value = self._registry.get(setting.key, setting.name, kind, self.list_values)
        if value is None:
            self._found(setting.key, False)
            return ABSENT
        # a missing text list does not tell whether the key is there
        if value.present or kind is not Type.REG_MULTI_SZ:
            self._found(setting.key, True)
        return value

    def _found(self, key: str, exists: bool) -> None:
        if exists:
            self._keys.update(dict.fromkeys(parents(key.lower()), True))
        else:
            self._keys[key.lower()] = False

    def _is_missing(self, key: str) -> bool:
        return key_exists(key, self._keys, self._subkeys) is False
