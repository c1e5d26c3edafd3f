# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""CLIXML, in which PowerShell sends objects (MS-PSRP 2.2.5), as :class:`Record` and plain Python. Pure.

All of a list's items are read, whatever its type: an object in it may be what a later ``Ref`` points at, and a type
in it what a later ``TNRef`` means.
"""

from __future__ import annotations

import base64
import datetime
import re
import typing as t

from .._errors import UnexpectedAnswer
from .._wire import xml
from .records import Enum, Record

# A message of several MiB is what a fleet's worth of objects makes; nothing that Exchange is asked here comes near it.
MAX_BYTES = 32 * 1024 * 1024

_LISTS = frozenset({"LST", "IE", "STK", "QUE"})
_INTEGERS = frozenset({"By", "SB", "U16", "I16", "U32", "I32", "U64", "I64"})
_TEXTS = frozenset({"S", "URI", "XD", "SBK", "G", "Version", "TS"})
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?")


class ClixmlError(UnexpectedAnswer):
    """The text is no CLIXML, or CLIXML that no PowerShell sends."""


def read(document: str | bytes) -> t.Any:
    """The value of one document: one object, or for ``Objs`` the list of its objects."""
    root = parse(document)
    reader = Reader()
    if xml.local_name(root) == "Objs":
        return [reader.value(item) for item in root]
    return reader.value(root)


def parse(document: str | bytes) -> xml.Element:
    """The root element. No document type and so no entity is accepted."""
    raw = document.encode("utf-8", "surrogatepass") if isinstance(document, str) else document
    try:
        return xml.parse(raw, MAX_BYTES)
    except xml.XmlRefused as exc:
        raise ClixmlError(f"Exchange sent an object that cannot be read: {exc}.") from None


class Reader:
    """Reads the elements of one document; what ``Ref`` and ``TNRef`` mean goes with it."""

    def __init__(self) -> None:
        self._objects: dict[str, t.Any] = {}
        self._types: dict[str, tuple[str, ...]] = {}

    def value(self, element: xml.Element) -> t.Any:
        """The value of an element. Raises :class:`ClixmlError`."""
        tag = xml.local_name(element)
        if tag == "Obj":
            return self._object(element)
        if tag == "Ref":
            return self._referred(element, self._objects)
        try:
            return _primitive(tag, element.text or "")
        except (ValueError, OverflowError):
            raise ClixmlError(f"Exchange sent {element.text!r:.80} as a value of the type {tag}.") from None

    def _object(self, element: xml.Element) -> t.Any:
        types = self._types_of(element)
        parts = {xml.local_name(child): child for child in element}
        reference = element.get("RefId")
        held = next((tag for tag in parts if tag in _LISTS or tag == "DCT"), None)
        if held is not None:
            made: t.Any = {} if held == "DCT" else []
            self._keep(reference, made)
            self._fill(made, parts[held])
            return made
        inner = next((tag for tag in parts if tag in _INTEGERS or tag in _PRIMITIVES), None)
        text = decoded(parts["ToString"].text or "") if "ToString" in parts else None
        if inner is not None:
            made = self.value(parts[inner])
            if "System.Enum" in types and isinstance(made, int):
                made = Enum(str(made) if text is None else text, made)
            self._keep(reference, made)
            self._skim(parts)
            return made
        record = Record(text, types)
        self._keep(reference, record)
        # what PowerShell adds to an object hides what the object has itself
        for group in ("Props", "MS"):
            for child in parts.get(group, ()):
                record.put(decoded(child.get("N", "")), self.value(child))
        return record

    def _skim(self, parts: t.Mapping[str, xml.Element]) -> None:
        """Reads the properties of a primitive value, which are of no use but may be pointed at."""
        for group in ("Props", "MS"):
            for child in parts.get(group, ()):
                self.value(child)

    def _fill(self, made: t.Any, container: xml.Element) -> None:
        if isinstance(made, list):
            made.extend(self.value(item) for item in container)
            return
        for entry in container:
            pair = {item.get("N"): self.value(item) for item in entry}
            made[_key(pair.get("Key"))] = pair.get("Value")

    def _types_of(self, element: xml.Element) -> tuple[str, ...]:
        for child in element:
            name = xml.local_name(child)
            if name == "TN":
                types = tuple(item.text or "" for item in child)
                self._types[child.get("RefId", "")] = types
                return types
            if name == "TNRef":
                return t.cast("tuple[str, ...]", self._referred(child, self._types))
        return ()

    def _keep(self, reference: str | None, value: t.Any) -> None:
        if reference is not None:
            self._objects[reference] = value

    @staticmethod
    def _referred(element: xml.Element, known: t.Mapping[str, t.Any]) -> t.Any:
        reference = element.get("RefId", "")
        if reference not in known:
            raise ClixmlError(f"Exchange sent an object that refers to number {reference!r:.40}, which is not in it.")
        return known[reference]


def decoded(text: str) -> str:
    """The text with its ``_x000D_`` resolved; two of them may be one character beyond the first 65536."""
    if "_x" not in text:
        return text
    units = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _primitive(tag: str, text: str) -> t.Any:
    if tag in _INTEGERS:
        return int(text)
    if tag not in _PRIMITIVES:
        raise ClixmlError(f"Exchange sent a value of the type {tag!r:.40}, which PowerShell does not know.")
    return _PRIMITIVES[tag](text)


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def moment(text: str) -> datetime.datetime:
    """A time to the microsecond, which is all that Python has of .NET's 100 nanoseconds. Raises ValueError."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError(text)
    zone = (match[3] or "").replace("Z", "+00:00")
    return datetime.datetime.fromisoformat(f"{match[1]}.{(match[2] or '').ljust(6, '0')[:6]}{zone}")


def _key(value: t.Any) -> t.Any:
    """A list or a mapping may hold another by reference many times over: its text could be longer than any memory."""
    if isinstance(value, (list, dict)):
        return type(value).__name__
    return str(value) if isinstance(value, Record) else value


_PRIMITIVES: dict[str, t.Callable[[str], t.Any]] = {
    **dict.fromkeys(_TEXTS, decoded),
    "B": _flag,
    "C": lambda text: chr(int(text)),
    "DT": moment,
    "Sg": float,
    "Db": float,
    "D": float,
    "BA": base64.b64decode,
    "Nil": lambda dummy_text: None,
    # sealed for the session, and nothing that is read here has one
    "SS": lambda dummy_text: None,
}
