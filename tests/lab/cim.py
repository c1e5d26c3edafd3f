# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CIM values on the wire: arguments read strictly, results written as Windows writes them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from xml.sax.saxutils import escape

from . import faults
from . import namespaces as ns
from .faults import because
from .registry import HIVES

_RANGES = {
    "uint8": (0, 0xFF),
    "uint16": (0, 0xFFFF),
    "uint32": (0, 0xFFFFFFFF),
    "uint64": (0, 0xFFFFFFFFFFFFFFFF),
    "sint32": (-0x80000000, 0x7FFFFFFF),
}
_NIL = f"{{{ns.XSI}}}nil"


@dataclass(frozen=True)
class Parameter:
    """One input parameter. kind: a CIM type, or "hive" for a uint32 that must be one of the hives."""

    name: str
    kind: str
    array: bool = False
    nullable: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Method:
    """The inputs of one method."""

    name: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True)
class Clock:
    """How a host writes datetimes: minutes from UTC, and digits of the fraction."""

    offset_minutes: int = 0
    zulu: bool = True
    fraction_digits: int = 6

    def render(self, epoch: float) -> str:
        """The point in time as the host writes it: Z where its zone is UTC, else +hh:mm."""
        seconds, rest = divmod(round(epoch * 1_000_000) + self.offset_minutes * 60_000_000, 1_000_000)
        moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
        text = moment.strftime("%Y-%m-%dT%H:%M:%S")
        if self.fraction_digits:
            text += "." + f"{rest:06d}"[: self.fraction_digits]
        if self.zulu:
            return text + "Z"
        sign = "-" if self.offset_minutes < 0 else "+"
        return f"{text}{sign}{abs(self.offset_minutes) // 60:02d}:{abs(self.offset_minutes) % 60:02d}"


@dataclass(frozen=True)
class Moment:
    """A datetime property: seconds since the epoch by the host's own clock."""

    epoch: float


def read_input(element: ET.Element, class_uri: str, method: Method) -> dict[str, Any]:
    """The checked arguments of an X_INPUT element. Every departure from the method's signature is a fault."""
    expected = f"{{{class_uri}}}{method.name}_INPUT"
    if element.tag != expected:
        raise because(faults.INVALID_NAMESPACE, f"body element {element.tag}, expected {expected}")
    known = {f"{{{class_uri}}}{parameter.name}": parameter for parameter in method.parameters}
    found: dict[str, list[ET.Element]] = {}
    for child in element:
        if child.tag not in known:
            raise because(faults.INVALID_PARAMETER_NAME, f"{method.name} has no parameter {child.tag}")
        found.setdefault(known[child.tag].name, []).append(child)
    if (element.text or "").strip():
        raise because(faults.SCHEMA_ERROR, f"text in {method.name}_INPUT")
    return {parameter.name: _argument(parameter, found.get(parameter.name, [])) for parameter in method.parameters}


def _argument(parameter: Parameter, elements: list[ET.Element]) -> Any:
    for element in elements:
        if len(element):
            raise because(faults.PARAMETER_TYPE, f"{parameter.name} holds elements, expected text")
    if parameter.array:
        if len(elements) == 1 and _is_nil(elements[0]):
            return []
        return [_scalar(parameter, element.text or "") for element in elements]
    if not elements:
        if parameter.optional:
            return None
        raise because(faults.MISSING_VALUES, f"{parameter.name} is missing")
    if len(elements) > 1:
        raise because(faults.INVALID_PARAMETER_NAME, f"{parameter.name} given {len(elements)} times")
    if _is_nil(elements[0]):
        if not parameter.nullable:
            raise because(faults.PARAMETER_TYPE, f"{parameter.name} may not be nil")
        return None
    return _scalar(parameter, elements[0].text or "")


def _is_nil(element: ET.Element) -> bool:
    return element.get(_NIL, "false") in ("true", "1")


def _scalar(parameter: Parameter, text: str) -> Any:
    if parameter.kind == "string":
        return text
    kind = "uint32" if parameter.kind == "hive" else parameter.kind
    low, high = _RANGES[kind]
    if not re.fullmatch("-?[0-9]+" if low < 0 else "[0-9]+", text) or not low <= int(text) <= high:
        raise because(faults.PARAMETER_TYPE, f"{parameter.name}: {text!r} is not a {kind}")
    if parameter.kind == "hive" and int(text) not in HIVES:
        raise because(faults.PARAMETER_TYPE, f"{parameter.name}: {text} is not a registry hive")
    return int(text)


def write_text(value: Any, clock: Clock) -> str:
    """A scalar as the text of an element; datetimes are not text and have their own element."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value), {"\r": "&#13;"})  # a bare one would be read as a line feed


def write_value(name: str, value: Any, clock: Clock, prefix: str = "p:", cim: str = "cim:") -> str:
    """One property: nil for null, an element per item of a list (none for an empty or null array)."""
    tag = f"{prefix}{name}"
    if value is None:
        return f'<{tag} xsi:nil="true"/>'
    if isinstance(value, list):
        return "".join(f"<{tag}>{write_text(item, clock)}</{tag}>" for item in value)
    if isinstance(value, Moment):
        return f"<{tag}><{cim}Datetime>{clock.render(value.epoch)}</{cim}Datetime></{tag}>"
    return f"<{tag}>{write_text(value, clock)}</{tag}>"


def write_output(class_uri: str, method: str, outputs: Mapping[str, Any], clock: Clock) -> str:
    """The X_OUTPUT element of a method's reply."""
    inner = "".join(write_value(name, value, clock) for name, value in outputs.items())
    return (
        f'<p:{method}_OUTPUT xmlns:xsi="{ns.XSI}" xmlns:p="{class_uri}" xmlns:cim="{ns.CIM_COMMON}">'
        f"{inner}</p:{method}_OUTPUT>"
    )


def write_instance(class_uri: str, name: str, properties: Mapping[str, Any], clock: Clock) -> str:
    """A whole instance, as Get and SELECT * return it."""
    inner = "".join(write_value(key, value, clock) for key, value in properties.items())
    return (
        f'<p:{name} xmlns:xsi="{ns.XSI}" xmlns:p="{class_uri}" xmlns:cim="{ns.CIM_COMMON}" xsi:type="p:{name}_Type">'
        f"{inner}</p:{name}>"
    )


def write_fragment(properties: Mapping[str, Any], clock: Clock) -> str:
    """Chosen properties, as SELECT a,b returns them: w:XmlFragment with children in no namespace."""
    inner = "".join(write_value(key, value, clock, prefix="", cim="") for key, value in properties.items())
    return f'<w:XmlFragment xmlns:xsi="{ns.XSI}">{inner}</w:XmlFragment>'
