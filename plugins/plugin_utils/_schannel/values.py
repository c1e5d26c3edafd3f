# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""A registry value and what people see of it. Pure."""

from __future__ import annotations

import dataclasses
import enum
import re
import typing as t

from .._text import NAME, visible

Data = int | str | tuple[str, ...] | tuple[int, ...] | None


class Type(enum.Enum):
    """Registry types that StdRegProv can read and write, by their Windows names."""

    REG_SZ = "REG_SZ"
    REG_EXPAND_SZ = "REG_EXPAND_SZ"
    REG_BINARY = "REG_BINARY"
    REG_DWORD = "REG_DWORD"
    REG_MULTI_SZ = "REG_MULTI_SZ"
    REG_QWORD = "REG_QWORD"
    OTHER = "OTHER"  # REG_NONE, REG_LINK, resource lists: StdRegProv has no method for them


@dataclasses.dataclass(frozen=True)
class Value:
    """A registry value, or its absence. ``data``: int for numbers, str, or a tuple for REG_MULTI_SZ and REG_BINARY.

    ``problem``: why it could not be read; it may be anything then, and its type is OTHER.
    """

    type: Type | None = None
    data: Data = None
    problem: str | None = dataclasses.field(default=None, compare=False)

    @property
    def present(self) -> bool:
        return self.type is not None

    def as_result(self) -> dict[str, t.Any]:
        """The shape of results and backups: ``{present, type, data}``, all null where it could not be read."""
        if self.problem is not None:
            return {"present": None, "type": None, "data": None}
        data = list(self.data) if isinstance(self.data, tuple) else self.data
        return {"present": self.present, "type": self.type.value if self.type else None, "data": data}

    @classmethod
    def from_result(cls, value: t.Mapping[str, t.Any]) -> Value:
        """The inverse of :meth:`as_result`; raises ValueError with a reason."""
        if "present" in value and value["present"] is None:
            return unreadable("it could not be read")
        if not value.get("present"):
            return ABSENT
        kind = Type(value.get("type"))
        data = value.get("data")
        if kind in (Type.REG_DWORD, Type.REG_QWORD):
            top = 2**32 if kind is Type.REG_DWORD else 2**64
            if isinstance(data, bool) or not isinstance(data, int) or not 0 <= data < top:
                raise ValueError(f"{data!r} is not a {kind.value}")
        elif kind in (Type.REG_MULTI_SZ, Type.REG_BINARY):
            fits = _is_text if kind is Type.REG_MULTI_SZ else _is_byte
            if not isinstance(data, (list, tuple)) or not all(fits(item) for item in data):
                raise ValueError(f"{data!r} is not a {kind.value}")
            data = tuple(data)
        elif kind is not Type.OTHER and not isinstance(data, str):
            raise ValueError(f"{data!r} is not a {kind.value}")
        return cls(kind, data)

    def __str__(self) -> str:
        if not self.present:
            return "absent"
        if self.problem is not None:
            return f"not known: {self.problem.rstrip('. ')}"
        if self.type is Type.OTHER:
            return "of a type that WMI cannot read"
        kind = self.type.value if self.type else ""
        if self.type in (Type.REG_DWORD, Type.REG_QWORD) and isinstance(self.data, int) and self.data > 9:
            return f"{kind} {self.data} (0x{self.data:x})"
        if self.type is Type.REG_BINARY and isinstance(self.data, tuple):
            return visible(f"{kind} {bytes(t.cast('tuple[int, ...]', self.data)).hex(' ')}")
        return visible(f"{kind} {self.data!r}") if isinstance(self.data, (str, tuple)) else f"{kind} {self.data}"


def _is_text(item: t.Any) -> bool:
    return isinstance(item, str)


def _is_byte(item: t.Any) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and 0 <= item <= 255


ABSENT = Value()


def dword(data: int) -> Value:
    return Value(Type.REG_DWORD, data)


def unreadable(problem: str) -> Value:
    """A value that may be anything: reading it failed."""
    return Value(Type.OTHER, problem=problem)


# What XML 1.0 has no way to write, not even as a number.
_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def unsendable(text: str) -> str | None:
    """The first character that no message can carry, as people name it: ``U+0001``."""
    found = _UNSENDABLE.search(text)
    return f"U+{ord(found[0]):04X}" if found else None


def unrestorable(name: str, value: Value) -> str | None:
    """Why a value could not be put back exactly as it is; None where it can."""
    if value.problem is not None:
        return f"could not be read ({value.problem.rstrip('. ')})"
    if value.type is Type.OTHER:
        return "is of a type that WMI can neither read nor write"
    if value.type is Type.REG_EXPAND_SZ:
        return "is a REG_EXPAND_SZ, which WMI only reads expanded"
    return uncarried(name, value)


def uncarried(name: str, value: Value) -> str | None:
    """Why no message can carry a value; None where one can."""
    texts = value.data if isinstance(value.data, tuple) else (value.data,)
    for text in (name, *texts):
        if isinstance(text, str) and (character := unsendable(text)):
            return f"holds {character}, which no message can carry"
    return None


def full_path(key: str) -> str:
    """A key for programs: as it is."""
    return f"HKLM\\{key}"


def show(key: str, name: str | None = None) -> str:
    """A key, or a value in it, for people."""
    return visible(full_path(key)) + ("" if name is None else f" [{visible(name, NAME)}]")
