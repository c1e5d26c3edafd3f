# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry: typed values, names compared without regard to case, keys that some accounts may not touch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

#: REG_* types and their numbers.
TYPES = {
    "REG_NONE": 0,
    "REG_SZ": 1,
    "REG_EXPAND_SZ": 2,
    "REG_BINARY": 3,
    "REG_DWORD": 4,
    "REG_MULTI_SZ": 7,
    "REG_QWORD": 11,
}
HIVES = {
    2147483648: "HKCR",
    2147483649: "HKCU",
    2147483650: "HKLM",
    2147483651: "HKU",
    2147483653: "HKCC",
}

ERROR_FILE_NOT_FOUND = 2
ERROR_ACCESS_DENIED = 5
ERROR_BAD_PATHNAME = 161

KEY_READ_RIGHTS = 0x1 | 0x8 | 0x10 | 0x20000
KEY_WRITE_RIGHTS = 0x2 | 0x4 | 0x20 | 0x10000 | 0x40000 | 0x80000


class RegistryError(Exception):
    """A Win32 error code of a registry operation."""

    def __init__(self, code: int) -> None:
        super().__init__(f"Win32 error {code}")
        self.code = code


class ValueFormatError(ValueError):
    """A type or data that a registry value cannot have."""


def fold(name: str) -> str:
    """The name as Windows compares it: upper case, one UTF-16 unit by one, and only where that is reversible."""
    return "".join(_upper(c) for c in name)


def _upper(c: str) -> str:
    up = c.upper()
    return up if len(up) == 1 and up.lower() == c and c <= "\uffff" and up <= "\uffff" else c


@dataclass(frozen=True)
class Value:
    """One value. data: int (DWORD, QWORD), str (SZ, EXPAND_SZ), list of str (MULTI_SZ), bytes (BINARY, NONE)."""

    type: str
    data: Any

    def as_json(self) -> dict[str, Any]:
        """The value with bytes as a list of numbers."""
        return {"type": self.type, "data": list(self.data) if isinstance(self.data, bytes) else self.data}


def make_value(kind: str, data: Any) -> Value:
    """Checks and normalises; text is accepted for numbers, a list of numbers for bytes."""
    if kind not in TYPES:
        raise ValueFormatError(f"unknown registry type {kind!r} (known: {', '.join(TYPES)})")
    try:
        if kind in ("REG_DWORD", "REG_QWORD"):
            number = int(data, 0) if isinstance(data, str) else int(data)
            if not 0 <= number < (1 << 32 if kind == "REG_DWORD" else 1 << 64):
                raise ValueFormatError(f"{data!r} does not fit a {kind}")
            return Value(kind, number)
        if kind in ("REG_BINARY", "REG_NONE"):
            return Value(kind, bytes.fromhex(data) if isinstance(data, str) else bytes(data or ()))
        if kind == "REG_MULTI_SZ":
            if isinstance(data, str):
                raise ValueFormatError(f"REG_MULTI_SZ needs a list, not {data!r}")
            return Value(kind, [str(item) for item in data or ()])
        return Value(kind, str(data))
    except (TypeError, ValueError) as exc:
        raise ValueFormatError(f"{data!r} is no data for {kind}: {exc}") from None


def parse_value(raw: Any) -> Value:
    """A value of a description: an int is a REG_DWORD, otherwise a mapping with type and data."""
    if isinstance(raw, bool):
        raise ValueFormatError(f"{raw!r}: write 0 or 1")
    if isinstance(raw, int):
        return make_value("REG_DWORD", raw)
    if isinstance(raw, Mapping) and set(raw) == {"type", "data"}:
        return make_value(str(raw["type"]), raw["data"])
    raise ValueFormatError(f"{raw!r}: write a number, or a mapping with type and data")


@dataclass
class Key:
    """One key; the dictionaries are indexed by folded name."""

    name: str
    subkeys: dict[str, Key] = field(default_factory=dict)
    values: dict[str, tuple[str, Value]] = field(default_factory=dict)


@dataclass(frozen=True)
class Protection:
    """A key, with all below it, that the account may not write (and, if read is false, not read either)."""

    path: str
    read: bool = True


def split_full(path: str) -> tuple[str, str]:
    """Hive and path of HKLM\\... (HKEY_LOCAL_MACHINE\\... too); a path without a hive is below HKLM."""
    head, dummy, rest = path.partition("\\")
    long_names = {"HKEY_LOCAL_MACHINE": "HKLM", "HKEY_CURRENT_USER": "HKCU", "HKEY_USERS": "HKU"}
    hive = long_names.get(head.upper(), head.upper())
    return (hive, rest) if hive in HIVES.values() else ("HKLM", path)


class Registry:
    """All hives of one host. Not thread-safe: the host holds a lock."""

    def __init__(self) -> None:
        self._hives = {name: Key(name) for name in HIVES.values()}
        self._protected: dict[str, list[tuple[list[str], bool]]] = {name: [] for name in HIVES.values()}

    # -- finding ---------------------------------------------------------------------------------------------------

    @staticmethod
    def _segments(path: str) -> list[str]:
        if path == "":
            return []
        segments = path.split("\\")
        if "" in segments:
            raise RegistryError(ERROR_BAD_PATHNAME)
        return segments

    def find(self, hive: str, path: str) -> Key | None:
        """The key, or None where there is none. Raises RegistryError 161 for a path with empty segments."""
        key: Key | None = self._hives[hive]
        for segment in self._segments(path):
            key = key.subkeys.get(fold(segment)) if key is not None else None
        return key

    def need(self, hive: str, path: str) -> Key:
        """The key; raises RegistryError 2 where there is none."""
        key = self.find(hive, path)
        if key is None:
            raise RegistryError(ERROR_FILE_NOT_FOUND)
        return key

    # -- protection ------------------------------------------------------------------------------------------------

    def protect(self, protection: Protection) -> None:
        """Takes rights away from everyone who comes over the network."""
        hive, path = split_full(protection.path)
        self._protected[hive].append(([fold(part) for part in self._segments(path)], protection.read))

    def allowed(self, hive: str, path: str, rights: int) -> bool:
        """True if the account has these KEY_* rights on the key."""
        segments = [fold(part) for part in self._segments(path)]
        for protected, readable in self._protected[hive]:
            if segments[: len(protected)] != protected:
                continue
            if rights & KEY_WRITE_RIGHTS or (not readable and rights & KEY_READ_RIGHTS):
                return False
        return True

    def demand(self, hive: str, path: str, rights: int) -> None:
        """Raises RegistryError 5 where the rights are missing."""
        if not self.allowed(hive, path, rights):
            raise RegistryError(ERROR_ACCESS_DENIED)

    # -- changing --------------------------------------------------------------------------------------------------

    def create(self, hive: str, path: str) -> Key:
        """The key, with all its parents, made where missing."""
        key = self._hives[hive]
        for segment in self._segments(path):
            key = key.subkeys.setdefault(fold(segment), Key(segment))
        return key

    def delete(self, hive: str, path: str, *, tree: bool = False) -> None:
        """Deletes a key; raises RegistryError 5 where it has subkeys and *tree* is false."""
        segments = self._segments(path)
        key = self.need(hive, path)
        if not segments or (key.subkeys and not tree):
            raise RegistryError(ERROR_ACCESS_DENIED)
        parent = self.need(hive, "\\".join(segments[:-1]))
        del parent.subkeys[fold(segments[-1])]

    def set(self, hive: str, path: str, name: str, value: Value) -> None:
        """Sets a value of an existing key, keeping the spelling of a name that is there already."""
        key = self.need(hive, path)
        known = key.values.get(fold(name))
        key.values[fold(name)] = (known[0] if known else name, value)

    def get(self, hive: str, path: str, name: str) -> Value | None:
        """The value, or None; raises RegistryError 2 where the key is missing."""
        found = self.need(hive, path).values.get(fold(name))
        return found[1] if found else None

    def delete_value(self, hive: str, path: str, name: str) -> None:
        """Raises RegistryError 2 where key or value is missing."""
        key = self.need(hive, path)
        if key.values.pop(fold(name), None) is None:
            raise RegistryError(ERROR_FILE_NOT_FOUND)

    def apply(self, layer: Mapping[str, Any]) -> None:
        """Lays a mapping {key: {value name: value}} over what is there; null deletes a key or a value."""
        for full, values in layer.items():
            hive, path = split_full(full)
            if values is None:
                if self.find(hive, path) is not None:
                    self.delete(hive, path, tree=True)
                continue
            key = self.create(hive, path)
            for name, raw in values.items():
                if raw is None:
                    key.values.pop(fold(str(name)), None)
                else:
                    self.set(hive, path, str(name), parse_value(raw))

    # -- looking ---------------------------------------------------------------------------------------------------

    @staticmethod
    def sorted_subkeys(key: Key) -> list[str]:
        """Subkey names in the order in which Windows lists them."""
        return [key.subkeys[folded].name for folded in sorted(key.subkeys)]

    def walk(self, hive: str, path: str) -> Iterator[tuple[str, Key]]:
        """The key and all below it, with full paths; nothing where the key is missing."""
        key = self.find(hive, path)
        if key is None:
            return
        yield f"{hive}\\{path}" if path else hive, key
        for folded in sorted(key.subkeys):
            child = key.subkeys[folded].name
            yield from self.walk(hive, f"{path}\\{child}" if path else child)

    def dump(self, path: str) -> dict[str, dict[str, Any]]:
        """{full key path: {value name: {type, data}}} of a whole tree, for comparisons."""
        return {
            full: {name: value.as_json() for name, value in key.values.values()}
            for full, key in self.walk(*split_full(path))
        }
