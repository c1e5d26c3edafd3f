# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The registry of a host (HKEY_LOCAL_MACHINE) through WMI's StdRegProv, in typed Python.

Return codes (docs/reference/wsman.md 1.4): a missing value is 1, a missing key is 2, and
GetMultiStringValue says 2 for both; a value of another type is 0x80041005; no right is 5.
"""

from __future__ import annotations

import dataclasses
import itertools
import typing as t

from .._errors import ConnectionLost, OperationTimedOut, RegistryAccessDenied, RegistryError, UnexpectedAnswer
from .._schannel.names import same
from .._schannel.values import ABSENT, Data, Type, Value, show, unsendable
from .._wire import wmi
from .._wire.overlap import Read
from .._wire.session import Session
from .._wire.soap import Request

_PROVIDER = "StdRegProv"
HKLM = 2147483650  # 0x80000002, unsigned decimal on the wire

SUCCESS = 0
VALUE_MISSING = 1
MISSING = 2
ACCESS_DENIED = 5
NO_MORE_ITEMS = 259  # what some answer to an enumeration that finds nothing
WRONG_TYPE = 2147749893  # 0x80041005, WBEM_E_TYPE_MISMATCH

KEY_SET_VALUE = 0x2
KEY_CREATE_SUB_KEY = 0x4
DELETE = 0x10000

_NUMBERS = {
    1: Type.REG_SZ,
    2: Type.REG_EXPAND_SZ,
    3: Type.REG_BINARY,
    4: Type.REG_DWORD,
    7: Type.REG_MULTI_SZ,
    11: Type.REG_QWORD,
}


@dataclasses.dataclass(frozen=True)
class _Access:
    """The method names and the parameter of one type."""

    suffix: str
    parameter: str


_ACCESS = {
    Type.REG_SZ: _Access("StringValue", "sValue"),
    Type.REG_EXPAND_SZ: _Access("ExpandedStringValue", "sValue"),
    Type.REG_BINARY: _Access("BinaryValue", "uValue"),
    Type.REG_DWORD: _Access("DWORDValue", "uValue"),
    Type.REG_MULTI_SZ: _Access("MultiStringValue", "sValue"),
    Type.REG_QWORD: _Access("QWORDValue", "uValue"),
}


# stands for "there is a value, and it is of another type"
_WRONG_TYPE: t.Final = Value(Type.OTHER)


class Registry:
    """HKEY_LOCAL_MACHINE of the host at the other end of a session. Every method is one request unless it says so."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # --- reading ---------------------------------------------------------------------------------------------------

    def subkeys(self, key: str) -> tuple[str, ...] | None:
        """The names of the keys directly below; None where the key is missing."""
        code, output = self._call("EnumKey", key, doing=f"listing {show(key)}")
        return tuple(output.strings("sNames")) if self._exists(code, "list", key) else None

    def value_types(self, key: str) -> dict[str, Type] | None:
        """Names and types of the values; None where the key is missing.

        Windows leaves a default value out where it is the only one (docs/reference/wsman.md 1.4).
        """
        code, output = self._call("EnumValues", key, doing=f"listing the values of {show(key)}")
        if not self._exists(code, "list", key):
            return None
        # the default value has an empty name, which is an empty element and not a null
        names = output.get("sNames")
        listed = names if isinstance(names, list) else ([] if "sNames" not in output else [names])
        types = output.integers("Types")
        if listed == [None] and not types:
            return {}  # an empty array that is not left out but null
        if len(listed) != len(types):
            raise UnexpectedAnswer(
                f"listing the values of {show(key)}: {len(listed)} names came with {len(types)} types"
            )
        return {name or "": _NUMBERS.get(number, Type.OTHER) for name, number in zip(listed, types, strict=False)}

    def get(
        self,
        key: str,
        name: str,
        kind: Type = Type.REG_DWORD,
        types_of: t.Callable[[str], t.Mapping[str, Type] | None] | None = None,
    ) -> Value | None:
        """The value, ABSENT where it is missing, None where the key is missing.

        A value of another type is found out and read as what it is: one more request (up to five where it is not
        listed), and one for the types of the key's values unless ``types_of`` knows them.
        """
        if kind is Type.OTHER:
            kind = Type.REG_DWORD  # there is no method for it, and it may be another type by now
        found = self._get(key, name, kind)
        return self._find_type(key, name, kind, types_of or self.value_types) if found is _WRONG_TYPE else found

    def _find_type(
        self, key: str, name: str, tried: Type, types_of: t.Callable[[str], t.Mapping[str, Type] | None]
    ) -> Value | None:
        """Reads a value that is not of the type tried. Where no listing has its type (a default value that is alone is
        listed nowhere), each that can be read is tried; the first also tells whether the value is still there."""
        types = types_of(key) or {}
        listed = same(name, types)
        if listed is not None and types[listed] is Type.OTHER:
            return Value(Type.OTHER)
        if listed is not None and types[listed] is tried:
            raise RegistryError(
                f"reading {show(key, name)}: the host lists it as {tried.value} but refuses to read it so"
            )
        for kind in _ACCESS if listed is None else (types[listed],):
            found = _WRONG_TYPE if kind is tried else self._get(key, name, kind)
            if found is not _WRONG_TYPE:
                return found
        return Value(Type.OTHER)

    def _get(self, key: str, name: str, kind: Type) -> Value | None:
        """The value if it is of this type, and _WRONG_TYPE where it is of another."""
        access = _ACCESS[kind]
        code, output = self._call(f"Get{access.suffix}", key, name, doing=f"reading {show(key, name)}")
        if code == SUCCESS:
            return Value(kind, self._data(output, access, kind, key, name))
        if code == VALUE_MISSING:
            return ABSENT
        if code == MISSING:
            # GetMultiStringValue does not tell a missing value from a missing key; nobody here needs the difference
            return ABSENT if kind is Type.REG_MULTI_SZ else None
        if code == WRONG_TYPE:
            return _WRONG_TYPE
        raise self._error(code, "read", key, name)

    def may_write(self, key: str, *, remove: bool = False) -> bool | None:
        """Whether the account may set values in the key and make keys below it, and with ``remove`` delete the key;
        None where the key is missing."""
        required = KEY_SET_VALUE | KEY_CREATE_SUB_KEY | (DELETE if remove else 0)
        code, output = self._call("CheckAccess", key, uRequired=required, doing=f"checking the rights on {show(key)}")
        if code == MISSING:
            return None
        if code == ACCESS_DENIED:
            return False
        if code != SUCCESS:
            raise self._error(code, "check", key)
        return output.boolean("bGranted") is not False

    def ahead(
        self,
        *,
        subkeys: t.Iterable[str] = (),
        listed: t.Iterable[str] = (),
        values: t.Iterable[tuple[str, str, Type]] = (),
    ) -> None:
        """Says which reads will follow: keys whose keys or values are listed, and values as key, name and type. Where a
        round trip is long, they are made now, side by side."""
        wanted: t.Iterator[tuple[str, str, str | None]] = itertools.chain(
            (("EnumKey", key, None) for key in subkeys),
            (("EnumValues", key, None) for key in listed),
            ((f"Get{_ACCESS[kind].suffix}", key, name) for key, name, kind in values if kind in _ACCESS),
        )
        self._session.ahead(
            Read(_request(method, key, name), f"reading {show(key, name)} ahead")
            for method, key, name in wanted
            if not unsendable(key) and not unsendable(name or "")
        )

    # --- writing ---------------------------------------------------------------------------------------------------

    def create_key(self, key: str) -> None:
        """Makes the key and its missing parents; no error where it exists."""
        self._write("CreateKey", key, doing=f"creating {show(key)}", settled=lambda: self.subkeys(key) is not None)

    def set(self, key: str, name: str, value: Value) -> None:
        """Writes a value and reads it back (two requests). The key must exist."""
        if value.type is None or value.type is Type.OTHER:
            raise RegistryError(f"{show(key, name)}: a value of type {value.type} cannot be written")
        access = _ACCESS[value.type]
        data: t.Any = list(value.data) if isinstance(value.data, tuple) else value.data

        def holds() -> bool:
            return self.get(key, name, value.type or Type.REG_DWORD) == value

        self._write(
            f"Set{access.suffix}",
            key,
            name,
            doing=f"writing {show(key, name)}",
            settled=holds,
            **{access.parameter: data},
        )
        if not holds():
            raise RegistryError(
                f"{show(key, name)} was written as {value}, but reading it back shows something else. Another program "
                "or a policy keeps changing it; find out which one before you try again."
            )

    def delete_value(self, key: str, name: str) -> None:
        """Removes a value; no error where it is missing already."""
        self._write(
            "DeleteValue",
            key,
            name,
            doing=f"deleting {show(key, name)}",
            settled=lambda: not (self.get(key, name) or ABSENT).present,
            fine=(SUCCESS, MISSING, VALUE_MISSING),
        )

    def delete_key(self, key: str) -> None:
        """Removes a key that has no keys below it, with its values; no error where it is missing already."""
        self._write(
            "DeleteKey",
            key,
            doing=f"deleting {show(key)}",
            settled=lambda: self.subkeys(key) is None,
            fine=(SUCCESS, MISSING),
        )

    # --- the wire --------------------------------------------------------------------------------------------------

    def _call(
        self, method: str, key: str, name: str | None = None, *, doing: str, repeatable: bool = True, **more: t.Any
    ) -> tuple[int, wmi.Instance]:
        arguments = _arguments(key, name, more)
        for text in _texts(arguments.values()):
            if character := unsendable(text):
                raise RegistryError(f"{doing}: {character} cannot be sent, as XML has no way to write it")
        output = wmi.invoke(
            self._session,
            _PROVIDER,
            method,
            arguments,
            namespace=wmi.DEFAULT,
            doing=doing,
            repeatable=repeatable,
        )
        code = output.integer("ReturnValue")
        # some versions answer methods that return nothing else with an empty OUTPUT (docs/reference/wsman.md 1.3)
        return (SUCCESS if code is None else code), output

    def _write(
        self,
        method: str,
        key: str,
        name: str | None = None,
        *,
        doing: str,
        settled: t.Callable[[], bool],
        fine: tuple[int, ...] = (SUCCESS,),
        **more: t.Any,
    ) -> None:
        """A write is never blindly repeated: if the answer is lost, the host is asked whether it was carried out."""
        for attempt in (1, 2):
            try:
                code, _dummy = self._call(method, key, name, doing=doing, repeatable=False, **more)
                break
            except (ConnectionLost, OperationTimedOut):
                if settled():
                    return
                if attempt == 2:
                    raise
        if code not in fine:
            raise self._error(code, "write" if method.startswith("Set") else "change", key, name)

    def _exists(self, code: int, verb: str, key: str) -> bool:
        if code in (SUCCESS, MISSING, NO_MORE_ITEMS):
            return code != MISSING
        raise self._error(code, verb, key)

    def _data(self, output: wmi.Instance, access: _Access, kind: Type, key: str, name: str) -> Data:
        raw = output.get(access.parameter)
        if kind is Type.REG_MULTI_SZ:
            # an empty list is a null array, which Windows leaves out
            return tuple(item or "" for item in (raw if isinstance(raw, list) else [raw])) if raw is not None else ()
        if kind is Type.REG_BINARY:
            numbers = output.integers(access.parameter)
            if not all(0 <= number <= 255 for number in numbers):
                raise UnexpectedAnswer(f"reading {show(key, name)}: the host sends bytes that are none")
            return tuple(numbers)
        if kind in (Type.REG_SZ, Type.REG_EXPAND_SZ):
            return raw if isinstance(raw, str) else ""
        number = output.integer(access.parameter)
        if number is None:
            raise UnexpectedAnswer(f"reading {show(key, name)}: the host reports success but sends no data")
        above = 1 << (32 if kind is Type.REG_DWORD else 64)
        if not -above // 2 <= number < above:
            raise UnexpectedAnswer(f"reading {show(key, name)}: the host sends a number that no {kind.value} can hold")
        # a signed rendering would be the same bits
        return number % above

    def _error(self, code: int, verb: str, key: str, name: str | None = None) -> RegistryError:
        where = show(key, name)
        if code == ACCESS_DENIED:
            return RegistryAccessDenied(
                f"The account may not {verb} {where} (access denied). Use a member of the host's Administrators "
                "group, or look at the permissions of the key.",
                key=key,
                value=name,
                return_code=code,
            )
        meaning = {MISSING: "it does not exist", WRONG_TYPE: "it has another type"}.get(
            code, "see the Win32 or WMI error codes"
        )
        return RegistryError(
            f"Cannot {verb} {where}: StdRegProv returned {code} (0x{code:08x}): {meaning}.",
            key=key,
            value=name,
            return_code=code,
        )


def _arguments(key: str, name: str | None, more: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    named = {} if name is None else {"sValueName": name}
    return {"hDefKey": HKLM, "sSubKeyName": key, **named, **more}


def _request(method: str, key: str, name: str | None) -> Request:
    """A read."""
    return wmi.invocation(_PROVIDER, method, _arguments(key, name, {}), namespace=wmi.DEFAULT)


def _texts(arguments: t.Iterable[t.Any]) -> t.Iterator[str]:
    for argument in arguments:
        if isinstance(argument, str):
            yield argument
        elif isinstance(argument, list):
            yield from (item for item in argument if isinstance(item, str))
