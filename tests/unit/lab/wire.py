# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the lab written out by hand, so that each may be wrong in one chosen way."""

from __future__ import annotations

import base64
import http.client
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from tests.lab.client import HostClient

S = "http://www.w3.org/2003/05/soap-envelope"
A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
W = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
P = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
N = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
X = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
F = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi"
STDREGPROV = f"{WMI}/root/default/StdRegProv"
OPERATING_SYSTEM = f"{WMI}/root/cimv2/Win32_OperatingSystem"
HKLM = "2147483650"
PROTOCOLS = r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols"
#: What is to be closed after each test.
OPENED: list[Callable[[], object]] = []
SOAP_TYPE = "application/soap+xml;charset=UTF-8"


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def root(self) -> ET.Element:
        return ET.fromstring(self.body)

    @property
    def content(self) -> ET.Element:
        """The child of s:Body."""
        body = self.root.find(f"{{{S}}}Body")
        assert body is not None
        assert len(body) == 1, self.body
        return body[0]

    @property
    def fault(self) -> tuple[int, str, str | None]:
        """WSManFault code, fault code and subcode."""
        assert self.status == 500, (self.status, self.body)
        content = self.content
        number = next(iter(content.iter(f"{{{F}}}WSManFault"))).get("Code")
        values = [element.text or "" for element in content.iter(f"{{{S}}}Value")]
        return int(number or 0), values[0], values[1] if len(values) > 1 else None

    @property
    def outputs(self) -> dict[str, Any]:
        """The children of X_OUTPUT or of an instance: text, None for nil, a list where repeated."""
        assert self.status == 200, (self.status, self.body)
        return values_of(self.content)


def values_of(element: ET.Element) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        value: Any = None if child.get(f"{{{XSI}}}nil") == "true" else child.text or ""
        if len(child):
            value = child[0].text
        if name in result:
            result[name] = [*(result[name] if isinstance(result[name], list) else [result[name]]), value]
        else:
            result[name] = value
    return result


def headers(uri: str, action: str, **changes: str | None) -> list[str]:
    """The headers that a right request has; None leaves one out, text replaces the whole element."""
    right = {
        "Action": f'<a:Action s:mustUnderstand="true">{action}</a:Action>',
        "To": "<a:To>http://ex01.lab.test:5985/wsman</a:To>",
        "ResourceURI": f'<w:ResourceURI s:mustUnderstand="true">{uri}</w:ResourceURI>',
        "MessageID": f"<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>",
        "ReplyTo": f"<a:ReplyTo><a:Address>{A}/role/anonymous</a:Address></a:ReplyTo>",
        "MaxEnvelopeSize": '<w:MaxEnvelopeSize s:mustUnderstand="true">153600</w:MaxEnvelopeSize>',
        "OperationTimeout": "<w:OperationTimeout>PT20S</w:OperationTimeout>",
    }
    extra = changes.pop("extra", None)
    chosen = {**right, **changes}
    return [element for element in (*chosen.values(), extra) if element is not None]


def envelope(uri: str, action: str, body: str, soap: str = S, **changes: str | None) -> str:
    return (
        f'<s:Envelope xmlns:s="{soap}" xmlns:a="{A}" xmlns:w="{W}" xmlns:p="{P}" xmlns:n="{N}" xmlns:xsi="{XSI}">'
        f"<s:Header>{''.join(headers(uri, action, **changes))}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def input_element(uri: str, method: str, arguments: Sequence[tuple[str, str | None]]) -> str:
    inner = "".join(
        f'<r:{name} xsi:nil="true"/>' if value is None else f"<r:{name}>{escape(value)}</r:{name}>"
        for name, value in arguments
    )
    return f'<r:{method}_INPUT xmlns:r="{uri}">{inner}</r:{method}_INPUT>'


class Wire:
    """A client that speaks Basic over plain http and sends exactly what it is given."""

    def __init__(self, host: HostClient, user: str = "labadmin", password: str = "Lab-Pass-1") -> None:
        self.connection = http.client.HTTPConnection(host.address, host.port("winrm_http"), timeout=15)
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.authorization: str | None = f"Basic {token}"
        OPENED.append(self.close)

    def close(self) -> None:
        self.connection.close()

    def post(self, data: str | bytes, content_type: str | None = SOAP_TYPE, path: str = "/wsman") -> Reply:
        sent = {} if content_type is None else {"Content-Type": content_type}
        if self.authorization:
            sent["Authorization"] = self.authorization
        self.connection.request("POST", path, data.encode() if isinstance(data, str) else data, sent)
        response = self.connection.getresponse()
        return Reply(response.status, response.read(), dict(response.getheaders()))

    def invoke(self, method: str, *arguments: tuple[str, str | None], uri: str = STDREGPROV, **changes: Any) -> Reply:
        return self.post(envelope(uri, f"{uri}/{method}", input_element(uri, method, arguments), **changes))

    def registry(self, method: str, key: str, *arguments: tuple[str, str | None]) -> dict[str, Any]:
        """A StdRegProv method below HKLM; the outputs."""
        return self.invoke(method, ("hDefKey", HKLM), ("sSubKeyName", key), *arguments).outputs

    def get(self, class_name: str, **changes: Any) -> Reply:
        return self.post(envelope(f"{WMI}/root/cimv2/{class_name}", f"{X}/Get", "", **changes))

    def enumerate(
        self, query: str | None, uri: str = f"{WMI}/root/cimv2/*", options: str | None = None, **changes: Any
    ) -> Reply:
        if options is None:
            options = "<w:OptimizeEnumeration/><w:MaxElements>32000</w:MaxElements>"
        dialect = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
        filter_element = "" if query is None else f'<w:Filter Dialect="{dialect}">{escape(query)}</w:Filter>'
        body = f"<n:Enumerate>{options}{filter_element}</n:Enumerate>"
        return self.post(envelope(uri, f"{N}/Enumerate", body, **changes))

    def pull(self, context: str, most: int = 32000, uri: str = f"{WMI}/root/cimv2/*") -> Reply:
        inner = f"<n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>{most}</n:MaxElements>"
        return self.post(envelope(uri, f"{N}/Pull", f"<n:Pull>{inner}</n:Pull>"))
