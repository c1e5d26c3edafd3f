# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""WMI over WS-Management: get an instance, enumerate by WQL, invoke a static method; and what CIM values look like.

Elements are matched by local name: WinRM 2.0 and 3.0 and ``SELECT a, b`` differ in namespaces only
(docs/reference/wsman.md 1.5).
"""

from __future__ import annotations

import datetime
import re
import typing as t
import xml.etree.ElementTree as ET

from .._errors import ConnectionLost, IncompleteAnswer, UnexpectedAnswer
from .._text import NAME, visible
from . import xml
from .session import Session
from .soap import NS_ENUMERATION, NS_TRANSFER, NS_WSMAN, NS_XSI, Request, escaped
from .xml import Element

ROOT = "http://schemas.microsoft.com/wbem/wsman/1/wmi"
CIMV2 = f"{ROOT}/root/cimv2"
DEFAULT = f"{ROOT}/root/default"
_WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"

# What a method is given: None becomes xsi:nil, a list becomes repeated elements.
CimInput = int | str | bool | None | t.Sequence[str | int]
# A property as text; None is null; a list where the element is repeated.
CimText = str | None | list[str | None]

# A class with thousands of instances is a mistake in the query, not a host's answer.
_MAX_PULLS = 500


class Instance(dict[str, CimText]):
    """The properties of a WMI object. Windows leaves out null arrays, so a missing key means null."""

    def string(self, name: str) -> str | None:
        value = self.get(name)
        if isinstance(value, list):
            value = value[0] if value else None
        # captions carry trailing blanks on some versions (docs/reference/wsman.md 1.5)
        return value.strip() if value is not None else None

    def strings(self, name: str) -> list[str]:
        value = self.get(name)
        items = value if isinstance(value, list) else [value]
        return [item for item in items if item is not None]

    def integer(self, name: str) -> int | None:
        value = self.string(name)
        return None if value is None else _integer(name, value)

    def integers(self, name: str) -> list[int]:
        return [_integer(name, value) for value in self.strings(name)]

    def boolean(self, name: str) -> bool | None:
        value = self.string(name)
        if value is None:
            return None
        if value.lower() not in ("true", "false", "1", "0"):
            raise UnexpectedAnswer(f"WMI property {name} should be a boolean but is {_shown(value)}")
        return value.lower() in ("true", "1")

    def datetime(self, name: str) -> datetime.datetime | None:
        value = self.string(name)
        return None if value is None else parse_datetime(value)


def get(
    session: Session, class_name: str, *, namespace: str = CIMV2, selectors: t.Mapping[str, str] | None = None
) -> Instance:
    """The only instance of a class, or the one that ``selectors`` name."""
    request = Request(f"{NS_TRANSFER}/Get", f"{namespace}/{class_name}", selectors=selectors or {})
    body = session.call(request, doing=f"reading {class_name}", repeatable=True)
    for item in body:
        return _instance(item)
    raise UnexpectedAnswer(f"reading {class_name}: the answer holds no instance")


def query(session: Session, wql: str, *, namespace: str = CIMV2) -> list[Instance]:
    """All instances that a WQL query finds; ``SELECT *`` costs the host no more than a list of properties."""
    doing = f"querying WMI ({wql})"
    wanted = Element(f"{{{NS_ENUMERATION}}}Enumerate")
    ET.SubElement(wanted, f"{{{NS_WSMAN}}}OptimizeEnumeration")
    ET.SubElement(wanted, f"{{{NS_WSMAN}}}MaxElements").text = "100"
    ET.SubElement(wanted, f"{{{NS_WSMAN}}}Filter", {"Dialect": _WQL}).text = wql
    request = Request(f"{NS_ENUMERATION}/Enumerate", f"{namespace}/*", ET.tostring(wanted, encoding="utf-8"))
    body = session.call(request, doing=doing, repeatable=True)
    try:
        return _pull_all(session, request.resource_uri, body, doing)
    except ConnectionLost:
        # a pull moves the host's cursor, so it is not sent again; the query as a whole is a read
        body = session.call(request, doing=doing, repeatable=True)
        return _pull_all(session, request.resource_uri, body, doing)


def _pull_all(session: Session, resource_uri: str, body: Element, doing: str) -> list[Instance]:
    """The instances of an Enumerate answer, and those that have to be asked for."""
    found: list[Instance] = []
    context: Element | None = None
    for _dummy in range(_MAX_PULLS):
        context = _collect(body, found, context, doing)
        if context is None:
            return found
        pull = Element(f"{{{NS_ENUMERATION}}}Pull")
        handed_on = ET.SubElement(pull, f"{{{NS_ENUMERATION}}}EnumerationContext", context.attrib)
        handed_on.text = context.text
        handed_on.extend(context)
        ET.SubElement(pull, f"{{{NS_ENUMERATION}}}MaxElements").text = "100"
        request = Request(f"{NS_ENUMERATION}/Pull", resource_uri, ET.tostring(pull, encoding="utf-8"))
        body = session.call(request, doing=doing, repeatable=False)
    raise UnexpectedAnswer(f"{doing}: the host never says that the result is complete")


def literal(text: str) -> str:
    """A text as WQL writes it, in quotes."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def invoke(
    session: Session,
    class_name: str,
    method: str,
    arguments: t.Mapping[str, CimInput],
    *,
    namespace: str = CIMV2,
    selectors: t.Mapping[str, str] | None = None,
    doing: str,
    repeatable: bool,
) -> Instance:
    """Calls a static method, one of a singleton, or one of the instance that ``selectors`` name, and returns its output
    parameters."""
    request = invocation(class_name, method, arguments, namespace=namespace, selectors=selectors)
    answer = session.call(request, doing=doing, repeatable=repeatable)
    for item in answer:
        if xml.local_name(item) == f"{method}_OUTPUT":
            return _with_unsigned_code(_instance(item))
    raise UnexpectedAnswer(f"{doing}: the answer holds no {method}_OUTPUT")


def invocation(
    class_name: str,
    method: str,
    arguments: t.Mapping[str, CimInput],
    *,
    namespace: str = CIMV2,
    selectors: t.Mapping[str, str] | None = None,
) -> Request:
    """The request that :func:`invoke` makes."""
    uri = f"{namespace}/{class_name}"
    return Request(f"{uri}/{method}", uri, _input(uri, method, arguments), selectors or {})


def _input(uri: str, method: str, arguments: t.Mapping[str, CimInput]) -> bytes:
    """The arguments of a method. Written and not built: an audit has some forty of them."""
    written = [f'<m:{method}_INPUT xmlns:m="{uri}">']
    for name, value in arguments.items():
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if item is None:
                written.append(f'<m:{name} xmlns:i="{NS_XSI}" i:nil="true"/>')
            else:
                written.append(f"<m:{name}>{escaped(_cim_text(t.cast('str | int | bool', item)))}</m:{name}>")
    written.append(f"</m:{method}_INPUT>")
    return "".join(written).encode()


def _with_unsigned_code(output: Instance) -> Instance:
    """ReturnValue is a uint32, and some write it as a signed number."""
    code = output.integer("ReturnValue")
    if code is not None and -(2**31) <= code < 0:
        output["ReturnValue"] = str(code + 2**32)
    return output


_DATETIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?")


def parse_datetime(value: str) -> datetime.datetime:
    """A CIM datetime in its XML form, 0 to 6 (or more) fraction digits, 'Z' or an offset. Returned in UTC."""
    match = _DATETIME.fullmatch(value.strip())
    if match is None:
        raise UnexpectedAnswer(f"{_shown(value)} is not a CIM datetime")
    base, fraction, zone = match.groups()
    # no zone was never seen in captures; WMI's own clock is UTC
    zone = "+00:00" if zone in (None, "Z") else f"{zone[:3]}:{zone[-2:]}"
    try:
        return as_utc(datetime.datetime.fromisoformat(f"{base}.{(fraction or '0')[:6].ljust(6, '0')}{zone}"))
    except (ValueError, OverflowError) as exc:
        raise UnexpectedAnswer(f"{_shown(value)} is not a CIM datetime: {exc}") from None


# Windows counts from 1601 on; near the last year of Python no minute could be added.
_YEARS: t.Final = range(1601, 9000)


def as_utc(moment: datetime.datetime) -> datetime.datetime:
    """An aware time in UTC. Raises ValueError or OverflowError for one that is naive, or that no Windows can have."""
    if moment.tzinfo is None:
        raise ValueError("a time has no zone")
    found = moment.astimezone(datetime.timezone.utc)
    if found.year not in _YEARS:
        raise ValueError(f"no Windows is in the year {found.year}")
    return found


def _collect(body: Element, found: list[Instance], context: Element | None, doing: str) -> Element | None:
    """Adds the items of an Enumerate or Pull answer; returns the context to go on with as it came (it may be XML),
    None at the end."""
    answer = next((item for item in body if xml.local_name(item) in ("EnumerateResponse", "PullResponse")), None)
    if answer is None:
        raise UnexpectedAnswer("the host answered a WMI query with something else")
    listed = xml.child(answer, "Items")
    items = [_instance(item) for item in listed] if listed is not None else []
    found.extend(items)
    if xml.child(answer, "EndOfSequence") is not None:
        return None
    told = xml.child(answer, "EnumerationContext")
    if told is None and items:
        told = context  # not named again: as it was
    if told is None or (len(told) == 0 and not (told.text or "").strip()):
        raise IncompleteAnswer(
            f"{doing}: the host ended its list after {len(found)} items without saying that it is complete, so that "
            "what is missing in it may exist all the same. Try again; if this stays, the option wire_log keeps the "
            "messages for a closer look."
        )
    return told


def _instance(element: Element) -> Instance:
    values: dict[str, list[str | None]] = {}
    for item in element:
        values.setdefault(xml.local_name(item), []).append(_value(item))
    return Instance({name: given if len(given) > 1 else given[0] for name, given in values.items()})


def _value(element: Element) -> str | None:
    if xml.is_nil(element):
        return None
    # <p:LastBootUpTime><cim:Datetime>...</cim:Datetime></p:LastBootUpTime>: one element around the text
    if len(element) == 1 and not (element.text or "").strip():
        return _value(element[0])
    return "".join(element.itertext())


def _cim_text(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _integer(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise UnexpectedAnswer(f"WMI property {name} should be a number but is {_shown(value)}") from None


def _shown(value: str) -> str:
    return f"'{visible(value, NAME)}'"
