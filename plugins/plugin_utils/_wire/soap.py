# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""SOAP envelopes of WS-Management: requests built, answers opened, faults understood.

Pure: bytes in, bytes out. The facts are in [MS-WSMV] and in captures of Windows Server 2003 to 2016.
"""

from __future__ import annotations

import dataclasses
import html
import itertools
import re
import typing as t
import uuid
import xml.etree.ElementTree as ET
from xml.sax import saxutils

from .._errors import (
    AccessDenied,
    AnswerTooLarge,
    ConnectionLost,
    OperationTimedOut,
    UnexpectedAnswer,
    WsmanFault,
)
from .._text import MESSAGE, NAME, visible
from . import xml
from .xml import Element

NS_SOAP = "http://www.w3.org/2003/05/soap-envelope"
NS_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
NS_WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
NS_WSMAN_MS = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
NS_ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
NS_TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
NS_XSI = "http://www.w3.org/2001/XMLSchema-instance"

ANONYMOUS = f"{NS_ADDRESSING}/role/anonymous"

for _prefix, _namespace in {
    "s": NS_SOAP,
    "a": NS_ADDRESSING,
    "w": NS_WSMAN,
    "p": NS_WSMAN_MS,
    "n": NS_ENUMERATION,
    "x": NS_TRANSFER,
    "xsi": NS_XSI,
}.items():
    ET.register_namespace(_prefix, _namespace)


@dataclasses.dataclass(frozen=True)
class Request:
    """One WS-Management operation, not yet bound to a host."""

    action: str
    resource_uri: str
    body: bytes = b""  # XML in UTF-8 that declares its namespaces itself
    selectors: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def key(self) -> t.Hashable:
        """The same for requests that ask the same."""
        return self.action, self.resource_uri, self.body, tuple(self.selectors.items())


_HEAD = (
    "<?xml version='1.0' encoding='utf-8'?>\n"
    f'<s:Envelope xmlns:s="{NS_SOAP}" xmlns:a="{NS_ADDRESSING}" xmlns:w="{NS_WSMAN}" xmlns:p="{NS_WSMAN_MS}">'
    "<s:Header>"
    "<a:To>{to}</a:To>"
    '<w:ResourceURI s:mustUnderstand="true">{resource_uri}</w:ResourceURI>'
    f'<a:ReplyTo><a:Address s:mustUnderstand="true">{ANONYMOUS}</a:Address></a:ReplyTo>'
    '<a:Action s:mustUnderstand="true">{action}</a:Action>'
    '<w:MaxEnvelopeSize s:mustUnderstand="true">{max_envelope_size}</w:MaxEnvelopeSize>'
    "<a:MessageID>uuid:{message_id}</a:MessageID>"
    # faults are read by people who search the web for them: ask for the English text
    '<w:Locale s:mustUnderstand="false" xml:lang="en-US"/><p:DataLocale s:mustUnderstand="false" xml:lang="en-US"/>'
    "<w:OperationTimeout>PT{timeout_seconds}S</w:OperationTimeout>"
    "{selectors}"
    "</s:Header>"
    "<s:Body>"
)
_TAIL = b"</s:Body></s:Envelope>"


def envelope(
    request: Request, *, to: str, message_id: uuid.UUID, max_envelope_size: int, timeout_seconds: int
) -> bytes:
    """The bytes to send. ``max_envelope_size`` (bytes) and ``timeout_seconds`` bind the host's answer."""
    selectors = "".join(
        f'<w:Selector Name="{escaped(name)}">{escaped(value)}</w:Selector>' for name, value in request.selectors.items()
    )
    head = _HEAD.format(
        to=escaped(to),
        resource_uri=escaped(request.resource_uri),
        action=escaped(request.action),
        max_envelope_size=max_envelope_size,
        message_id=str(message_id).upper(),
        timeout_seconds=timeout_seconds,
        selectors=selectors and f"<w:SelectorSet>{selectors}</w:SelectorSet>",
    )
    # ElementTree writes a carriage return in a text as it is
    return head.encode("utf-8", "xmlcharrefreplace") + request.body.replace(b"\r", b"&#13;") + _TAIL


def escaped(text: str) -> str:
    """A text as XML writes it, also in an attribute. What reads XML takes a bare carriage return for a line feed."""
    return saxutils.escape(text, {'"': "&quot;", "\r": "&#13;"})


def open_answer(document: bytes, *, message_id: uuid.UUID, doing: str) -> Element:
    """The body of the answer to the request with this id. ``doing`` says what was asked, for messages.

    Raises :class:`WsmanFault` for a fault and :class:`UnexpectedAnswer` for an answer that is damaged. What is no
    answer to the request at all, but a page of a proxy, say, or the answer to another one, is :class:`ConnectionLost`:
    the next over the same connection would be no better, and whether the host has carried the request out is not known.
    """
    if is_no_message(document):
        raise ConnectionLost(f"{doing}: {instead(document)}")
    root = _parse(document, doing)
    if local_name_is(root, "Envelope") and (body := xml.child(root, "Body")) is not None:
        fault = xml.child(body, "Fault")
        if fault is not None:
            raise fault_of(fault, doing)
        others = _other_requests(xml.child(root, "Header"), message_id)
        if others:
            raise ConnectionLost(
                f"{doing}: the answer belongs to another request ({visible(others[0], NAME)}). Look at what is between "
                "the host and the controller."
            )
        return body
    raise ConnectionLost(f"{doing}: {instead(document)}")


def _other_requests(header: Element | None, message_id: uuid.UUID) -> list[str]:
    """What the answer relates to, where our request is not among it: an answer may relate to several messages."""
    told = [xml.text(item) for item in (() if header is None else header) if local_name_is(item, "RelatesTo")]
    named = [text for text in told if text is not None]
    return [] if any(text.rpartition(":")[2].lower() == str(message_id) for text in named) else named


def find_fault(document: bytes, doing: str) -> WsmanFault | None:
    """The fault in the body of an HTTP error, or None when it holds none (a proxy's page, nothing at all)."""
    try:
        root = xml.parse(document)
    except xml.XmlRefused:
        return None
    fault = xml.child(xml.child(root, "Body"), "Fault")
    return None if fault is None else fault_of(fault, doing)


def describe(document: bytes) -> str:
    """A few words on bytes that are not what was asked for: the title of a web page, or how they begin."""
    if not document.strip():
        return "empty"
    head = document[:4000].decode("utf-8", "replace")
    if is_web_page(document):
        title = re.search(r"<title[^<>]*>([^<]*)", head, re.IGNORECASE)
        said = html.unescape(title[1]).strip() if title else ""
        return f"a web page titled '{visible(said, 100)}'" if said else "a web page"
    return f"{len(document)} bytes that begin with {head[:60]!r}"


def instead(document: bytes) -> str:
    """The sentence on something that is no answer of WinRM at all."""
    what = describe(document) if document.strip() else "an empty answer"
    return (
        f"{what} came instead of an answer of WinRM. Check the address of the host, port and path, and what proxy is "
        "in between (http_proxy, no_proxy)."
    )


def unreadable(why: str, doing: str) -> UnexpectedAnswer:
    """The error for an answer that is damaged."""
    return UnexpectedAnswer(
        f"{doing}: the answer cannot be read: {why}. Something on the way may change the messages; the option wire_log "
        "keeps them for a closer look."
    )


# How XML begins, a mark of its encoding included; whether it is any is the parser's business.
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<|\xff\xfe|\xfe\xff|\0*<")
_HTML = re.compile(rb"<(?:!doctype\s+)?html[\s>]", re.IGNORECASE)


def is_web_page(document: bytes) -> bool:
    return _HTML.search(document[:4000]) is not None


def local_name_is(element: Element, name: str) -> bool:
    return xml.local_name(element) == name


def is_no_message(document: bytes) -> bool:
    """Whether somebody else has answered, and not with XML: a portal, a proxy, another server."""
    return is_web_page(document) or not _XML.match(document)


def _parse(document: bytes, doing: str) -> Element:
    try:
        return xml.parse(document)
    except xml.XmlRefused as exc:
        raise unreadable(f"{exc}; it is {describe(document)}", doing) from None


# --- faults -----------------------------------------------------------------------------------------------------

# What to do, by number. WSManFault codes: wsmerror.h (docs/reference/wsman.md 1.6); 5 and 2147942405 are Win32/HRESULT,
# 2147749891 is WBEM_E_ACCESS_DENIED.
_ACCESS_DENIED = {5, 2147942405, 2147749891, 2150859012, 2150859013, 2150859014}
_TIMED_OUT = {2150858793}
# The first by what the request allows, the second by what the host does.
_TOO_LARGE = {2150858824, 2150858825}
_CURES: dict[int, str] = {
    **dict.fromkeys(
        _ACCESS_DENIED,
        "the account lacks the right; use a member of the host's Administrators group "
        "(a local account other than the built-in Administrator also needs LocalAccountTokenFilterPolicy)",
    ),
    2150858793: "the host was too slow; raise the connection's operation timeout or try again when it is less busy",
    **dict.fromkeys(_TOO_LARGE, "look at it on the host; a value that nobody needs can be deleted there"),
    2150858778: "WMI refused the query: the class or namespace does not exist on this Windows",
    2150858752: "the instance or class does not exist on this Windows",
    2150858843: "the host no longer knows the shell or session; run the play again",
    2150859002: "the class has more than one instance",
    2150859010: "the WMI provider cannot do this; check the WMI repository with 'winmgmt /verifyrepository'",
    2150859173: "too many WinRM shells are open for this account; wait, or raise MaxShellsPerUser",
    2150859174: "too many WinRM operations at once; lower 'forks' or raise MaxConcurrentOperationsPerUser",
    2150858767: "a header was refused; something between controller and host may change the messages",
}


def fault_of(fault: Element, doing: str) -> WsmanFault:
    """One exception for all the shapes Windows has for errors (docs/reference/wsman.md 1.6)."""
    code = xml.child(fault, "Code")
    subcode = _name(xml.text(xml.child(xml.child(code, "Subcode"), "Value")))
    detail = xml.child(fault, "Detail")
    wsman_code = provider = provider_id = wmi_code = None
    said = [xml.text(xml.child(fault, "Reason"))]
    if detail is not None:
        for item in xml.descendants(detail, "WSManFault"):
            wsman_code = wsman_code or _number(item.get("Code"))
        for item in xml.descendants(detail, "ProviderFault"):
            provider, provider_id = item.get("provider"), item.get("providerId")
        for item in xml.descendants(detail, "MSFT_WmiError"):
            # the same error in newer stacks, in one of three namespaces; error_Code may be signed
            wmi_code = _number(xml.text(xml.child(item, "error_Code")))
        # own texts only: faults are nested, and a provider appends a whole WMI object
        said.extend(item.text for item in detail.iter() if xml.local_name(item) in ("Message", "ProviderFault"))
    number = wsman_code or wmi_code
    too_large = number in _TOO_LARGE
    # Windows' own sentence is long, and does not say that it is about what was asked for
    reason = "it is larger than an answer may be" if too_large else _sentences(said) or "the host gave no reason"
    denied = number in _ACCESS_DENIED or subcode == "AccessDenied"
    timed_out = number in _TIMED_OUT or subcode == "TimedOut"
    cure = _CURES.get(5 if denied else 2150858793 if timed_out else number or 0)
    label = ", ".join(
        part
        for part in (
            f"code {number}" if number is not None else None,
            subcode,
            f"provider {visible(provider or provider_id, NAME)}" if provider or provider_id else None,
        )
        if part
    )
    message = (
        f"{doing} failed: {reason}"
        + (f" [{label}]" if label else "")
        + (f". {cure[0].upper()}{cure[1:]}." if cure else ".")
    )
    kind = AccessDenied if denied else OperationTimedOut if timed_out else AnswerTooLarge if too_large else WsmanFault
    return kind(
        message,
        code=_name(xml.text(xml.child(code, "Value"))),
        subcode=subcode,
        wsman_code=wsman_code,
        wmi_code=wmi_code,
        provider=provider or provider_id,
        doing=doing,
    )


# So many sentences are held against each new one: enough for what Windows says, and no work for what it never says.
_COMPARED = 10


def _sentences(texts: t.Iterable[str | None]) -> str:
    """What Windows says in several places, each sentence once, without the last full stop, visible and short."""
    found: dict[str, None] = {}
    for text in texts:
        sentence = " ".join((text or "").split()).rstrip(" .")
        before = itertools.islice(found, _COMPARED)
        if sentence and not any(sentence in earlier[:MESSAGE] for earlier in before):
            found.setdefault(sentence)
    return visible(". ".join(found))


def _name(value: str | None) -> str | None:
    """A name that goes into messages, without its prefix."""
    return None if value is None else visible(value.rpartition(":")[2], NAME)


def _number(value: str | None) -> int | None:
    """Decimal or 0x text; negative 32-bit numbers are shown unsigned, as Windows' documentation lists them."""
    if value is None:
        return None
    try:
        number = int(value.strip(), 0)
    except ValueError:
        return None
    return number % 2**32 if -(2**31) <= number < 2**32 else None
