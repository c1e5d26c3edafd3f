# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Reads what an audit needs, nothing twice, in as few requests as the host's configuration allows."""

from __future__ import annotations

import itertools
import typing as t

from .._errors import AccessDenied, AnswerTooLarge, ExchangeTlsError, RegistryError, UnexpectedAnswer
from .._schannel.names import fold, same
from .._schannel.protocols import PROTOCOLS, PROTOCOLS_KEY, SIDES, VALUE_NAMES, protocol_key
from .._schannel.snapshot import Setting, Snapshot, key_exists, parents, protocol_setting
from .._schannel.values import ABSENT, Type, Value, unreadable
from .registry import Registry

# What may happen to one key or value while all others can be read. A host that cannot be talked to is something else.
FAILED = (RegistryError, AccessDenied, AnswerTooLarge, UnexpectedAnswer)


class Reader:
    """Collects a :class:`Snapshot`. What is known already (a missing parent, a listing) costs no request.

    What cannot be read ends nothing: the value is one that may be anything, the key one whose listing failed.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._values: dict[Setting, Value] = {}
        self._keys: dict[str, bool] = {}
        self._subkeys: dict[str, tuple[str, ...]] = {}
        self._listed: dict[str, dict[str, Type]] = {}
        self._unlisted: dict[str, str] = {}
        # what could not be read, and what was raised: values, and keys (folded) that could not be listed
        self.failures: dict[Setting | str, ExchangeTlsError] = {}

    def snapshot(self) -> Snapshot:
        return Snapshot(
            dict(self._values), dict(self._keys), dict(self._subkeys), dict(self._listed), dict(self._unlisted)
        )

    def protocols(
        self,
        closely: t.Callable[[Snapshot], t.Iterable[str]] = lambda _snapshot: (),
        others: t.Iterable[tuple[Setting, Type]] = (),
        beside: t.Iterable[str] = (),
    ) -> None:
        """Every protocol version on both sides. ``others``: values that will be read after them. ``beside``: keys whose
        values may be listed then.

        ``closely``: which keys will be listed anyway, as far as the names of the sides tell it. They are listed first:
        what is not in a listing need not be asked for.
        """
        self.subkeys(PROTOCOLS_KEY)
        keys = [protocol_key(protocol) for protocol in PROTOCOLS]
        self.ahead(subkeys=keys)
        for key in keys:
            self.subkeys(key)
        settings = [
            protocol_setting(protocol, side, name) for protocol in PROTOCOLS for side in SIDES for name in VALUE_NAMES
        ]
        listed = list(closely(self.snapshot()))
        protocols = ((setting, Type.REG_DWORD) for setting in settings)
        self.ahead(subkeys=listed, listed=[*listed, *beside], values=itertools.chain(protocols, others))
        for key in listed:
            self.list_values(key)
        for setting in settings:
            self.value(setting)

    def ahead(
        self,
        subkeys: t.Iterable[str] = (),
        listed: t.Iterable[str] = (),
        values: t.Iterable[tuple[Setting, Type]] = (),
    ) -> None:
        """Says what will be read, as far as it is known by now, and none of which depends on another."""
        self.registry.ahead(
            subkeys=(key for key in subkeys if fold(key) not in self._subkeys and not self._costs_nothing(key)),
            listed=(key for key in listed if fold(key) not in self._listed and not self._costs_nothing(key)),
            values=(
                (setting.key, setting.name, tried)
                for setting, kind in values
                if setting not in self._values and (tried := self._to_try(setting, kind)) is not None
            ),
        )

    def _costs_nothing(self, key: str) -> bool:
        return fold(key) in self._unlisted or self._is_missing(key)

    def subkeys(self, key: str) -> tuple[str, ...]:
        """The keys below; empty where the key is missing."""
        folded = fold(key)
        if folded not in self._subkeys and folded not in self._unlisted:
            try:
                found = None if self._is_missing(key) else self.registry.subkeys(key)
            except FAILED as exc:
                self._fail(folded, exc)
                return ()
            self._found(key, found is not None)
            self._subkeys[folded] = found or ()
            for name in found or ():
                self._keys[f"{folded}\\{fold(name)}"] = True
        return self._subkeys.get(folded, ())

    def list_values(self, key: str) -> t.Mapping[str, Type]:
        """Names and types of the values; empty where the key is missing."""
        folded = fold(key)
        if folded not in self._listed and folded not in self._unlisted:
            try:
                found = None if self._is_missing(key) else self.registry.value_types(key)
            except FAILED as exc:
                self._fail(folded, exc)
                return {}
            self._found(key, found is not None)
            self._listed[folded] = found or {}
        return self._listed.get(folded, {})

    def contents(self, key: str) -> None:
        """All that is in the key, as far as it tells whether the key may go: its keys, its values, and the default
        value, which no listing shows where it is alone (docs/reference/wsman.md 1.4)."""
        self.subkeys(key)
        self.list_values(key)
        self.value(Setting(key, ""), Type.REG_SZ)

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
            try:
                self._values[setting] = self._read(setting, kind)
            except FAILED as exc:
                self.failures[setting] = exc
                self._values[setting] = unreadable(_reason(exc))
        return self._values[setting]

    def _read(self, setting: Setting, kind: Type) -> Value:
        tried = self._to_try(setting, kind)
        if tried is None:
            return ABSENT
        value = self.registry.get(setting.key, setting.name, tried, self.list_values)
        if value is None:
            self._found(setting.key, False)
            return ABSENT
        # a missing text list does not tell whether the key is there
        if value.present or tried is not Type.REG_MULTI_SZ:
            self._found(setting.key, True)
        return value

    def _to_try(self, setting: Setting, kind: Type) -> Type | None:
        """The type to read the value as; None where it is known to be missing."""
        if self._is_missing(setting.key):
            return None
        types = self._listed.get(fold(setting.key))
        if types is None:
            return kind
        name = same(setting.name, types)
        if name is None:
            # a default value, whose name is empty, is not listed where it is the only one (docs/reference/wsman.md 1.4)
            return None if setting.name else kind
        return types[name]

    def _fail(self, folded: str, failure: ExchangeTlsError) -> None:
        self.failures[folded] = failure
        self._unlisted[folded] = _reason(failure)

    def _found(self, key: str, exists: bool) -> None:
        if exists:
            self._keys.update(dict.fromkeys(parents(fold(key)), True))
        else:
            self._keys[fold(key)] = False

    def _is_missing(self, key: str) -> bool:
        return key_exists(key, self._keys, self._subkeys) is False


def _reason(failure: ExchangeTlsError) -> str:
    """Why it failed, without the place: whoever shows it has said that already."""
    return failure.message.removeprefix(f"{failure.details.get('doing')} failed: ")
