# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests in, replies out: the envelope, its headers, and what Windows insists on."""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from . import faults
from . import namespaces as ns
from .faults import Fault, because

_UUID = re.compile(r"uuid:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z")
_DURATION = re.compile(r"P(?:(?P<d>\d+)D)?(?:T(?=\d)(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?\Z")
_XML_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
MIN_ENVELOPE = 8192

_REQUIRED = {
    f"{{{ns.ADDRESSING}}}Action",
    f"{{{ns.ADDRESSING}}}To",
    f"{{{ns.ADDRESSING}}}MessageID",
    f"{{{ns.ADDRESSING}}}ReplyTo",
    f"{{{ns.WSMAN}}}ResourceURI",
    f"{{{ns.WSMAN}}}MaxEnvelopeSize",
    f"{{{ns.WSMAN}}}OperationTimeout",
}
_OPTIONAL = {
    f"{{{ns.WSMAN}}}Locale",
    f"{{{ns.WSMAN}}}SelectorSet",
    f"{{{ns.WSMAN}}}OptionSet",
    f"{{{ns.MS_WSMAN}}}DataLocale",
    f"{{{ns.MS_WSMAN}}}SessionId",
    f"{{{ns.MS_WSMAN}}}OperationID",
    f"{{{ns.MS_WSMAN}}}SequenceId",
    f"{{{ns.MS_WSMAN}}}ActivityId",
}
_MUST_UNDERSTAND = f"{{{ns.SOAP}}}mustUnderstand"


@dataclass(frozen=True)
class Request:
    """One WS-Management request whose headers have been found in order."""

    action: str
    resource_uri: str
    message_id: str
    max_envelope_size: int
    operation_timeout: float
    body: tuple[ET.Element, ...]
    selectors: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)

    def only_body(self) -> ET.Element:
        """The single child of s:Body."""
        if len(self.body) != 1:
            raise because(faults.INVALID_BODY, f"s:Body has {len(self.body)} children, expected one")
        return self.body[0]


@dataclass(frozen=True)
class Identify:
    """A wsmid:Identify request: it has no WS-Addressing headers."""


class EnvelopeError(faults.SoapFault):
    """A fault found while reading the envelope, with the MessageID where it could be read."""

    def __init__(self, fault: Fault, message_id: str | None) -> None:
        super().__init__(fault)
        self.message_id = message_id


class _Builder(ET.TreeBuilder):
    """Refuses a document type declaration before anything in it can be expanded."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise because(faults.INVALID_XML, f"document type declaration {name!r} in the request")


def parse_xml(data: bytes) -> ET.Element:
    """The root element; a document type declaration or ill-formed XML is a fault."""
    try:
        return ET.fromstring(data, parser=ET.XMLParser(target=_Builder()))
    except ET.ParseError as exc:
        raise because(faults.INVALID_XML, str(exc)) from None


def parse_request(data: bytes) -> Request | Identify:
    """Reads one envelope. Raises EnvelopeError with the fault Windows would give."""
    root = parse_xml(data)
    message_id = _early_message_id(root)
    try:
        return _read(root)
    except faults.SoapFault as exc:
        raise EnvelopeError(exc.fault, message_id) from None


def _early_message_id(root: ET.Element) -> str | None:
    found = root.findall(f"{{{ns.SOAP}}}Header/{{{ns.ADDRESSING}}}MessageID")
    return found[0].text if len(found) == 1 else None


def _read(root: ET.Element) -> Request | Identify:
    if root.tag != f"{{{ns.SOAP}}}Envelope":
        raise because(faults.VERSION_MISMATCH, f"root element {root.tag}")
    parts = {child.tag for child in root}
    if parts - {f"{{{ns.SOAP}}}Header", f"{{{ns.SOAP}}}Body"} or len(parts) != len(root):
        raise because(faults.SCHEMA_ERROR, "the envelope must hold one s:Header and one s:Body and nothing else")
    header = root.find(f"{{{ns.SOAP}}}Header")
    body = root.find(f"{{{ns.SOAP}}}Body")
    if body is None:
        raise because(faults.INVALID_BODY, "no s:Body")
    if len(body) == 1 and body[0].tag == f"{{{ns.IDENTITY}}}Identify":
        return Identify()
    if header is None:
        raise because(faults.HEADER_REQUIRED, "no s:Header")
    headers = _collect(header)
    if (body.text or "").strip():
        raise because(faults.INVALID_BODY, "text in s:Body")
    return Request(
        action=_text(headers, ns.ADDRESSING, "Action"),
        resource_uri=_text(headers, ns.WSMAN, "ResourceURI"),
        message_id=_message_id(headers),
        max_envelope_size=_envelope_size(headers),
        operation_timeout=_timeout(headers),
        body=tuple(body),
        selectors=_named(headers, "SelectorSet", "Selector", faults.DUPLICATE_SELECTORS),
        options=_named(headers, "OptionSet", "Option", faults.INVALID_HEADER),
    )


def _collect(header: ET.Element) -> dict[str, ET.Element]:
    headers: dict[str, ET.Element] = {}
    for element in header:
        if element.tag not in _REQUIRED | _OPTIONAL:
            if element.get(_MUST_UNDERSTAND, "false").strip() in ("true", "1"):
                raise because(faults.MUST_UNDERSTAND, f"unknown header {element.tag}")
            continue
        if element.tag in headers:
            raise because(faults.INVALID_HEADER, f"header {element.tag} twice")
        headers[element.tag] = element
    missing = sorted(_REQUIRED - set(headers))
    if missing:
        raise because(faults.HEADER_REQUIRED, f"missing: {', '.join(missing)}")
    locale = headers.get(f"{{{ns.WSMAN}}}Locale")
    if locale is not None and locale.get(_MUST_UNDERSTAND, "false").strip() in ("true", "1"):
        raise faults.SoapFault(faults.UNSUPPORTED_LOCALE)
    to = _text(headers, ns.ADDRESSING, "To")
    if not re.match(r"https?://[^/]+/", to):
        raise because(faults.INVALID_HEADER, f"To {to!r} is not the address of a service")
    reply = headers[f"{{{ns.ADDRESSING}}}ReplyTo"].findall(f"{{{ns.ADDRESSING}}}Address")
    if len(reply) != 1 or reply[0].text != ns.ANONYMOUS:
        raise because(faults.INVALID_HEADER, "ReplyTo must hold one anonymous Address")
    return headers


def _text(headers: dict[str, ET.Element], namespace: str, name: str) -> str:
    element = headers[f"{{{namespace}}}{name}"]
    if len(element) or not element.text:
        raise because(faults.INVALID_HEADER, f"header {name} must hold text")
    return element.text


def _message_id(headers: dict[str, ET.Element]) -> str:
    text = _text(headers, ns.ADDRESSING, "MessageID")
    if not _UUID.match(text):
        raise because(faults.INVALID_HEADER, f"MessageID {text!r} is not uuid:<uuid>")
    return text


def _envelope_size(headers: dict[str, ET.Element]) -> int:
    text = _text(headers, ns.WSMAN, "MaxEnvelopeSize")
    if not re.fullmatch("[0-9]+", text):
        raise because(faults.INVALID_HEADER, f"MaxEnvelopeSize {text!r} is not a number")
    if int(text) < MIN_ENVELOPE:
        raise because(faults.ENVELOPE_TOO_SMALL, f"{text} is less than {MIN_ENVELOPE}")
    return int(text)


def _timeout(headers: dict[str, ET.Element]) -> float:
    text = _text(headers, ns.WSMAN, "OperationTimeout")
    match = _DURATION.match(text)
    seconds = 0.0
    if match:
        scale = {"d": 86400, "h": 3600, "m": 60, "s": 1}
        seconds = sum(float(match.group(unit) or 0) * factor for unit, factor in scale.items())
    if seconds <= 0:
        raise because(faults.INVALID_TIMEOUT, f"OperationTimeout {text!r}")
    return seconds


def _named(headers: dict[str, ET.Element], group: str, item: str, duplicate: Fault) -> dict[str, str]:
    element = headers.get(f"{{{ns.WSMAN}}}{group}")
    result: dict[str, str] = {}
    for child in element if element is not None else ():
        name = child.get("Name")
        if child.tag != f"{{{ns.WSMAN}}}{item}" or name is None or len(child):
            raise because(faults.SCHEMA_ERROR, f"{group} may hold w:{item} elements with a Name and text only")
        if name.upper() in (known.upper() for known in result):
            raise because(duplicate, f"{item} {name!r} twice")
        result[name] = child.text or ""
    return result


def envelope(action: str, body: str, relates_to: str | None) -> bytes:
    """A reply with the headers of Windows' replies. Raises a fault where the body cannot be written as XML."""
    if _XML_FORBIDDEN.search(body):
        raise faults.SoapFault(faults.INVALID_CHARACTERS)
    related = f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>" if relates_to else ""
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{ns.SOAP}" xmlns:a="{ns.ADDRESSING}" xmlns:x="{ns.TRANSFER}" '
        f'xmlns:n="{ns.ENUMERATION}" xmlns:w="{ns.WSMAN}" xmlns:rsp="{ns.SHELL}" xmlns:p="{ns.MS_WSMAN}">'
        f"<s:Header><a:Action>{action}</a:Action><a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<a:To>{ns.ANONYMOUS}</a:To>{related}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def fault_envelope(fault: Fault, relates_to: str | None, machine: str) -> bytes:
    """The reply that carries a fault."""
    return envelope(fault.action, fault.body(machine), relates_to)


def local_arguments(element: ET.Element) -> dict[str, Any]:
    """The children of an INPUT element by local name, for the request log: text, or a list where repeated."""
    result: dict[str, Any] = {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        text = child.text or ""
        if name in result:
            earlier = result[name]
            result[name] = [*earlier, text] if isinstance(earlier, list) else [earlier, text]
        else:
            result[name] = text
    return result
