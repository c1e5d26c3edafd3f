# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""StdRegProv: the WMI class through which the registry is read and written.

Return codes are Windows' own: a missing value is 1 (2 for GetMultiStringValue), a missing key 2, a value of another
type 0x80041005, a key without rights 5.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from . import faults
from .cim import Method, Parameter
from .faults import SoapFault
from .registry import HIVES, TYPES, Registry, RegistryError, make_value

WRONG_TYPE = 0x80041005
VALUE_MISSING = 1
KEY_QUERY_VALUE = 0x1
KEY_SET_VALUE = 0x2
KEY_CREATE_SUB_KEY = 0x4
KEY_ENUMERATE_SUB_KEYS = 0x8
DELETE = 0x10000

_ENVIRONMENT = {
    "systemroot": r"C:\Windows",
    "windir": r"C:\Windows",
    "systemdrive": "C:",
    "programfiles": r"C:\Program Files",
    "programdata": r"C:\ProgramData",
    "exchangeinstallpath": "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\",
}

Outputs = dict[str, Any]


class RegistryQuirks(Protocol):
    """What an experiment may change about the provider."""

    def failed_get_is_absent(self) -> bool:
        """A failed Get leaves the output parameter out rather than returning it as nil."""

    def void_return(self) -> bool:
        """Methods that only change something return no ReturnValue."""

    def protected_key_fault(self) -> bool:
        """A key without rights gives a WMI fault rather than ReturnValue 5."""

    def loses(self, hive: str, key: str, value: str) -> bool:
        """A write to this value reports success and stores nothing."""


@dataclass
class Provider:
    """One registry seen through StdRegProv."""

    registry: Registry
    quirks: RegistryQuirks

    def call(self, method: str, arguments: dict[str, Any]) -> Outputs:
        """Runs one method on checked arguments; the result has ReturnValue unless the quirk void_return is on."""
        hive = HIVES[arguments["hDefKey"]]
        key = arguments["sSubKeyName"] or ""
        operation = _OPERATIONS[method]
        try:
            outputs = operation.run(self, hive, key, arguments)
        except RegistryError as exc:
            if exc.code == 5 and self.quirks.protected_key_fault() and method != "CheckAccess":
                raise SoapFault(faults.WMI_ACCESS_DENIED) from None
            outputs = {"ReturnValue": exc.code}
            if operation.output and not operation.output_is_array and not self.quirks.failed_get_is_absent():
                outputs = {operation.output: None, "ReturnValue": exc.code}
        if operation.changes and self.quirks.void_return():
            outputs.pop("ReturnValue", None)
        return outputs


@dataclass(frozen=True)
class _Operation:
    run: Callable[[Provider, str, str, dict[str, Any]], Outputs]
    parameters: tuple[Parameter, ...]
    output: str | None = None
    output_is_array: bool = False
    changes: bool = False


def _create_key(provider: Provider, hive: str, key: str, arguments: dict[str, Any]) -> Outputs:
    existing = key
    while existing and provider.registry.find(hive, existing) is None:
        existing = existing.rpartition("\\")[0]
    provider.registry.demand(hive, existing, KEY_CREATE_SUB_KEY)
    provider.registry.demand(hive, key, KEY_CREATE_SUB_KEY)
    provider.registry.create(hive, key)
    return {"ReturnValue": 0}


def _delete_key(provider: Provider, hive: str, key: str, arguments: dict[str, Any]) -> Outputs:
    provider.registry.need(hive, key)
    provider.registry.demand(hive, key, DELETE)
    provider.registry.delete(hive, key)
    return {"ReturnValue": 0}


def _enum_key(provider: Provider, hive: str, key: str, arguments: dict[str, Any]) -> Outputs:
    found = provider.registry.need(hive, key)
    provider.registry.demand(hive, key, KEY_ENUMERATE_SUB_KEYS)
    return {"sNames": provider.registry.sorted_subkeys(found), "ReturnValue": 0}


def _enum_values(provider: Provider, hive: str, key: str, arguments: dict[str, Any]) -> Outputs:
    found = provider.registry.need(hive, key)
    provider.registry.demand(hive, key, KEY_QUERY_VALUE)
    values = list(found.values.values())
    if [name for name, _value in values] == [""]:
        values = []  # a default value alone is not listed
    return {
        "sNames": [name for name, _value in values],
        "Types": [TYPES[value.type] for _name, value in values],
        "ReturnValue": 0,
    }


def _delete_value(provider: Provider, hive: str, key: str, arguments: dict[str, Any]) -> Outputs:
    provider.registry.need(hive, key)
    provider.registry.demand(hive, key, KEY_SET_VALUE)
    provider.registry.delete_value(hive, key, arguments["sValueName"] or "")
    return {"ReturnValue": 0}


def _check_access(provider: Provider, hive: str, key: str, arguments: dict[str, Any]) -> Outputs:
    provider.registry.need(hive, key)
    granted = provider.registry.allowed(hive, key, arguments["uRequired"])
    return {"bGranted": granted, "ReturnValue": 0 if granted else 5}


def _expand(text: str) -> str:
    return re.sub(r"%([^%]+)%", lambda match: _ENVIRONMENT.get(match.group(1).lower(), match.group(0)), text)


def _getter(kind: str, output: str) -> Callable[[Provider, str, str, dict[str, Any]], Outputs]:
    def run(provider: Provider, hive: str, key: str, arguments: dict[str, Any]) -> Outputs:
        provider.registry.need(hive, key)
        provider.registry.demand(hive, key, KEY_QUERY_VALUE)
        value = provider.registry.get(hive, key, arguments["sValueName"] or "")
        if value is None:
            raise RegistryError(2 if kind == "REG_MULTI_SZ" else VALUE_MISSING)
        if value.type != kind:
            raise RegistryError(WRONG_TYPE)
        data = _expand(value.data) if kind == "REG_EXPAND_SZ" else value.data
        return {output: list(data) if isinstance(data, bytes) else data, "ReturnValue": 0}

    return run


def _setter(kind: str, argument: str) -> Callable[[Provider, str, str, dict[str, Any]], Outputs]:
    def run(provider: Provider, hive: str, key: str, arguments: dict[str, Any]) -> Outputs:
        name = arguments["sValueName"] or ""
        provider.registry.need(hive, key)
        provider.registry.demand(hive, key, KEY_SET_VALUE)
        data = arguments[argument]
        value = make_value(kind, "" if data is None else data)  # a null string is stored as an empty one
        if not provider.quirks.loses(hive, key, name):
            provider.registry.set(hive, key, name, value)
        return {"ReturnValue": 0}

    return run


_KEY = (Parameter("hDefKey", "hive"), Parameter("sSubKeyName", "string"))
_VALUE = (*_KEY, Parameter("sValueName", "string", nullable=True))


def _typed(kind: str, word: str, name: str, cim: str, array: bool = False) -> dict[str, _Operation]:
    written = Parameter(name, cim, array=array, nullable=cim == "string")
    return {
        f"Get{word}Value": _Operation(_getter(kind, name), _VALUE, name, array),
        f"Set{word}Value": _Operation(_setter(kind, name), (*_VALUE, written), changes=True),
    }


_OPERATIONS: dict[str, _Operation] = {
    "CreateKey": _Operation(_create_key, _KEY, changes=True),
    "DeleteKey": _Operation(_delete_key, _KEY, changes=True),
    "EnumKey": _Operation(_enum_key, _KEY, "sNames", True),
    "EnumValues": _Operation(_enum_values, _KEY, "sNames", True),
    "DeleteValue": _Operation(_delete_value, _VALUE, changes=True),
    "CheckAccess": _Operation(_check_access, (*_KEY, Parameter("uRequired", "uint32")), "bGranted"),
    **_typed("REG_DWORD", "DWORD", "uValue", "uint32"),
    **_typed("REG_QWORD", "QWORD", "uValue", "uint64"),
    **_typed("REG_SZ", "String", "sValue", "string"),
    **_typed("REG_EXPAND_SZ", "ExpandedString", "sValue", "string"),
    **_typed("REG_MULTI_SZ", "MultiString", "sValue", "string", array=True),
    **_typed("REG_BINARY", "Binary", "uValue", "uint8", array=True),
}

METHODS = {name: Method(name, operation.parameters) for name, operation in _OPERATIONS.items()}
