# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Objects that a cmdlet returned, as plain Python. Pure.

Values are str, int, bool, float, bytes, datetime, None, list, dict, :class:`Enum` and :class:`Record`. What .NET has
and Python has not (a duration, a version, a GUID) is its text.
"""

from __future__ import annotations

import datetime
import reprlib
import typing as t

from .._errors import UnexpectedAnswer
from .._text import NAME, visible

#: What :meth:`Record.get` returns where there is no such property, which is not the same as one that is null.
ABSENT: t.Final = type("Absent", (), {"__repr__": lambda self: "ABSENT", "__bool__": lambda self: False})()

_T = t.TypeVar("_T")


class RecordError(UnexpectedAnswer):
    """A property is missing, or null, or of another type than the cmdlet is known for."""


_SHORT = reprlib.Repr()
_SHORT.maxlevel = 2
_SHORT.maxstring = _SHORT.maxother = NAME


def shown(value: t.Any) -> str:
    """Any value, for people. Lists that hold each other by reference are not written out."""
    return visible(_SHORT.repr(value), NAME)


class Enum(str):
    """A value of an enumeration: its text, by which it is compared. ``number``: .NET's value, which versions change."""

    number: int

    def __new__(cls, text: str, number: int) -> Enum:
        made = super().__new__(cls, text)
        made.number = number
        return made

    def __repr__(self) -> str:
        return f"Enum({str(self)!r}, {self.number})"


class Record:
    """One object. ``str(record)`` is what .NET's ToString said; names of properties have no case.

    The typed questions raise :class:`RecordError` where the property is absent, null or something else. Those that end
    in ``_or_none`` return None for null, and raise for the rest.
    """

    __slots__ = ("_properties", "_text", "types")

    def __init__(
        self, text: str | None = None, types: t.Sequence[str] = (), properties: t.Mapping[str, t.Any] | None = None
    ) -> None:
        self._text = text
        #: The names of its .NET types, the most special one first.
        self.types: tuple[str, ...] = tuple(types)
        self._properties: dict[str, tuple[str, t.Any]] = {}
        for name, value in (properties or {}).items():
            self.put(name, value)

    def put(self, name: str, value: t.Any) -> None:
        """Adds a property; only whoever builds a record does so."""
        self._properties[name.casefold()] = (name, value)

    def __str__(self) -> str:
        return self._text if self._text is not None else self.kind

    def __repr__(self) -> str:
        return f"<{self.kind} {visible(str(self), NAME)!r}>"

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.casefold() in self._properties

    def __iter__(self) -> t.Iterator[str]:
        """The names of its properties, as they are written."""
        return (name for name, _dummy in self._properties.values())

    @property
    def kind(self) -> str:
        """The last part of its type's name."""
        return self.types[0].rpartition(".")[2] if self.types else "object"

    def get(self, name: str) -> t.Any:
        """The value of a property as it is; :data:`ABSENT` where there is none of that name."""
        return self._properties.get(name.casefold(), (name, ABSENT))[1]

    # --- typed questions -------------------------------------------------------------------------------------------

    def text(self, name: str) -> str:
        """A text, the text of an enumeration's value, or what an object is called (an identity, a version)."""
        return self._needed(name, "a text", _as_text)

    def text_or_none(self, name: str) -> str | None:
        return self._null_or(name, "a text", _as_text)

    def integer(self, name: str) -> int:
        return self._needed(name, "a number", _as_integer)

    def integer_or_none(self, name: str) -> int | None:
        return self._null_or(name, "a number", _as_integer)

    def flag(self, name: str) -> bool:
        return self._needed(name, "true or false", _as_flag)

    def flag_or_none(self, name: str) -> bool | None:
        return self._null_or(name, "true or false", _as_flag)

    def moment_or_none(self, name: str) -> datetime.datetime | None:
        """A time; aware unless Exchange did not say in which zone."""
        return self._null_or(name, "a time", _as_moment)

    def names(self, name: str) -> list[str]:
        """A list of texts, or of what its objects are called. A list that was never set is null, not empty."""
        return self._needed(name, "a list of names", _as_names)

    def names_or_none(self, name: str) -> list[str] | None:
        return self._null_or(name, "a list of names", _as_names)

    def record(self, name: str) -> Record:
        return self._needed(name, "an object", _as_record)

    def items(self, name: str) -> list[t.Any]:
        """A list with whatever is in it."""
        return self._needed(name, "a list", _as_list)

    def _needed(self, name: str, words: str, read: t.Callable[[t.Any], _T | None]) -> _T:
        value = self._null_or(name, words, read)
        if value is None:
            raise RecordError(f"{self._self}: its {name} is not set, but it takes {words}.", property=name)
        return value

    def _null_or(self, name: str, words: str, read: t.Callable[[t.Any], _T | None]) -> _T | None:
        value = self.get(name)
        if value is ABSENT:
            held = visible(", ".join(self) or "none", NAME * 2)
            raise RecordError(f"{self._self} has no property {name}. It has: {held}.", property=name)
        if value is None:
            return None
        found = read(value)
        if found is None:
            raise RecordError(f"{self._self}: its {name} is {shown(value)}, which is not {words}.", property=name)
        return found

    @property
    def _self(self) -> str:
        called = "" if self._text in (None, *self.types[:1]) else f" '{visible(str(self), NAME)}'"
        return f"Exchange's {self.kind}{called}"


def _as_text(value: t.Any) -> str | None:
    return str(value) if isinstance(value, (str, Record)) else None


def _as_integer(value: t.Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _as_flag(value: t.Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _as_moment(value: t.Any) -> datetime.datetime | None:
    return value if isinstance(value, datetime.datetime) else None


def _as_list(value: t.Any) -> list[t.Any] | None:
    return value if isinstance(value, list) else None


def _as_names(value: t.Any) -> list[str] | None:
    found = [_as_text(item) for item in value] if isinstance(value, list) else [None]
    names = [item for item in found if item is not None]
    return names if len(names) == len(found) else None


def _as_record(value: t.Any) -> Record | None:
    return value if isinstance(value, Record) else None
