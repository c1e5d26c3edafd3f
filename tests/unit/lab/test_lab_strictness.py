# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows would reject, the lab rejects: each request here is right but for one thing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.client import HostClient
from tests.unit.lab.wire import (
    HKLM,
    OPERATING_SYSTEM,
    PROTOCOLS,
    STDREGPROV,
    WMI,
    A,
    P,
    Reply,
    W,
    Wire,
    X,
    envelope,
    input_element,
)

KEY = rf"{PROTOCOLS}\SSL 2.0\Client"
ARGUMENTS = (("hDefKey", HKLM), ("sSubKeyName", KEY), ("sValueName", "DisabledByDefault"))
HEADER_REQUIRED = (2150858769, "s:Sender", "a:MessageInformationHeaderRequired")
INVALID_HEADER = (2150858767, "s:Sender", "a:InvalidMessageInformationHeader")
PARAMETER_TYPE = (2150858836, "s:Sender", "w:InvalidParameter")


def read(wire: Wire, **changes: Any) -> Reply:
    return wire.invoke("GetDWORDValue", *ARGUMENTS, **changes)


def test_the_right_request_is_accepted(wire: Wire) -> None:
    reply = read(wire)
    assert reply.outputs == {"uValue": "1", "ReturnValue": "0"}
    assert reply.headers["Content-Type"] == "application/soap+xml;charset=UTF-8"


@pytest.mark.parametrize(
    "name", ["Action", "To", "ResourceURI", "MessageID", "ReplyTo", "MaxEnvelopeSize", "OperationTimeout"]
)
def test_each_header_is_required_once(wire: Wire, name: str) -> None:
    assert read(wire, **{name: None}).fault == HEADER_REQUIRED
    from tests.unit.lab.wire import headers

    index = ["Action", "To", "ResourceURI", "MessageID", "ReplyTo", "MaxEnvelopeSize", "OperationTimeout"].index(name)
    again = headers(STDREGPROV, f"{STDREGPROV}/GetDWORDValue")[index]
    assert read(wire, extra=again).fault == INVALID_HEADER


@pytest.mark.parametrize(
    "changes",
    [
        {"MessageID": "<a:MessageID>42</a:MessageID>"},
        {"MessageID": "<a:MessageID>5e0fca79-d2b6-4b5f-a5ab-8ff1b66b6f6c</a:MessageID>"},
        {"MessageID": "<a:MessageID>uuid:5e0fca79</a:MessageID>"},
        {"ReplyTo": "<a:ReplyTo><a:Address>http://elsewhere/</a:Address></a:ReplyTo>"},
        {"ReplyTo": "<a:ReplyTo/>"},
        {"To": "<a:To>somewhere</a:To>"},
        {"To": "<a:To/>"},
        {"MaxEnvelopeSize": "<w:MaxEnvelopeSize>large</w:MaxEnvelopeSize>"},
        {"MaxEnvelopeSize": "<w:MaxEnvelopeSize>-1</w:MaxEnvelopeSize>"},
    ],
)
def test_headers_with_impossible_content(wire: Wire, changes: dict[str, str]) -> None:
    assert read(wire, **changes).fault == INVALID_HEADER


@pytest.mark.parametrize("duration", ["20", "PT0S", "P", "PT", "PTS", "20S", "PT-5S"])
def test_operation_timeout_is_a_duration(wire: Wire, duration: str) -> None:
    reply = read(wire, OperationTimeout=f"<w:OperationTimeout>{duration}</w:OperationTimeout>")
    assert reply.fault[0] == 2150858881


def test_envelope_sizes(wire: Wire, plain: HostClient) -> None:
    too_small = "<w:MaxEnvelopeSize>8191</w:MaxEnvelopeSize>"
    assert read(wire, MaxEnvelopeSize=too_small).fault[0] == 2150858878
    size = "<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>"
    padding = f"<!-- {'x' * 9000} -->"
    assert read(wire, MaxEnvelopeSize=size, extra=padding).fault == (2150858805, "s:Sender", "w:EncodingLimit")
    plain.set_value(r"SOFTWARE\Large", "Text", "y" * 9000, "REG_SZ")
    large = (("hDefKey", HKLM), ("sSubKeyName", r"SOFTWARE\Large"), ("sValueName", "Text"))
    assert wire.invoke("GetStringValue", *large, MaxEnvelopeSize=size).fault == (
        2150858824,
        "s:Sender",
        "w:EncodingLimit",
    )
    assert wire.invoke("GetStringValue", *large).outputs["sValue"] == "y" * 9000


def test_a_request_over_the_limit_of_the_service(wire: Wire) -> None:
    size = "<w:MaxEnvelopeSize>4000000</w:MaxEnvelopeSize>"
    assert read(wire, MaxEnvelopeSize=size, extra=f"<!-- {'x' * 513000} -->").fault[0] == 2150858805


@pytest.mark.parametrize(
    ("wrong", "number"),
    [
        ({"soap": "http://schemas.xmlsoap.org/soap/envelope/"}, 2150858765),
        ({"Action": '<a:Action xmlns:a="http://www.w3.org/2005/08/addressing">x</a:Action>'}, 2150858769),
        ({"ResourceURI": f'<p:ResourceURI xmlns:p="{P}">{STDREGPROV}</p:ResourceURI>'}, 2150858769),
    ],
)
def test_wrong_namespaces(wire: Wire, wrong: dict[str, str], number: int) -> None:
    assert read(wire, **wrong).fault[0] == number


def test_unknown_headers(wire: Wire) -> None:
    unknown = '<z:Colour xmlns:z="urn:z" s:mustUnderstand="{}">red</z:Colour>'
    assert read(wire, extra=unknown.format("true")).fault == (2150858768, "s:MustUnderstand", None)
    assert read(wire, extra=unknown.format("1")).fault[0] == 2150858768
    assert read(wire, extra=unknown.format("false")).outputs["uValue"] == "1"
    locale = f'<w:Locale xmlns:w="{W}" xml:lang="de-DE" s:mustUnderstand="true"/>'
    assert read(wire, extra=locale).fault[0] == 2150858887


def test_faults_relate_to_the_request(wire: Wire) -> None:
    message_id = "uuid:11111111-2222-3333-4444-555555555555"
    reply = read(wire, MessageID=f"<a:MessageID>{message_id}</a:MessageID>", To=None)
    assert reply.root.findtext(f".//{{{A}}}RelatesTo") == message_id
    assert reply.root.findtext(f".//{{{A}}}Action") == f"{A}/fault"


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        ("http://schemas.example/StdRegProv", 2150858754),
        (f"{WMI}/StdRegProv", 2150858754),
        (f"{WMI}/root/nowhere/StdRegProv", 2150858752),
        (f"{WMI}/root/default/StdRegProvider", 2150858752),
        (f"{WMI}/root/default/Win32_OperatingSystem", 2150858752),
    ],
)
def test_unknown_resources(wire: Wire, uri: str, number: int) -> None:
    assert wire.invoke("GetDWORDValue", *ARGUMENTS, uri=uri).fault[0] == number


def test_both_namespaces_of_the_provider(wire: Wire) -> None:
    assert wire.invoke("GetDWORDValue", *ARGUMENTS, uri=f"{WMI}/root/cimv2/StdRegProv").outputs["uValue"] == "1"


@pytest.mark.parametrize(
    "action", [f"{STDREGPROV}/GetWordValue", "GetDWORDValue", f"{X}/Put", f"{OPERATING_SYSTEM}/GetDWORDValue"]
)
def test_unknown_actions(wire: Wire, action: str) -> None:
    body = input_element(STDREGPROV, "GetDWORDValue", ARGUMENTS)
    fault = wire.post(envelope(STDREGPROV, action, body)).fault
    assert fault == (2150858771, "s:Sender", "a:ActionNotSupported")


@pytest.mark.parametrize(
    "body",
    [
        input_element(STDREGPROV, "GetDWORDValue", ARGUMENTS).replace(' xmlns:r="', ' xmlns:q="').replace("r:", ""),
        input_element(f"{WMI}/root/cimv2/StdRegProv", "GetDWORDValue", ARGUMENTS),
        input_element(STDREGPROV, "GetStringValue", ARGUMENTS),
        f'<GetDWORDValue_INPUT xmlns:r="{STDREGPROV}"><r:hDefKey>{HKLM}</r:hDefKey></GetDWORDValue_INPUT>',
    ],
    ids=["no namespace", "other namespace", "other method", "root without namespace"],
)
def test_input_in_the_wrong_namespace(wire: Wire, body: str) -> None:
    reply = wire.post(envelope(STDREGPROV, f"{STDREGPROV}/GetDWORDValue", body))
    assert reply.fault == (2150858840, "s:Sender", "x:InvalidRepresentation")


def test_children_of_input_need_the_namespace_too(wire: Wire) -> None:
    body = f'<r:GetDWORDValue_INPUT xmlns:r="{STDREGPROV}"><hDefKey>{HKLM}</hDefKey></r:GetDWORDValue_INPUT>'
    assert wire.post(envelope(STDREGPROV, f"{STDREGPROV}/GetDWORDValue", body)).fault[0] == 2150858837


@pytest.mark.parametrize("body", ["", "<x/><y/>", "text"])
def test_body_must_hold_one_element(wire: Wire, body: str) -> None:
    assert wire.post(envelope(STDREGPROV, f"{STDREGPROV}/GetDWORDValue", body)).fault[0] == 2150858791


@pytest.mark.parametrize("missing", range(3))
def test_arguments_are_required(wire: Wire, missing: int) -> None:
    arguments = [argument for n, argument in enumerate(ARGUMENTS) if n != missing]
    assert wire.invoke("GetDWORDValue", *arguments).fault == (2150858839, "s:Sender", "x:InvalidRepresentation")


@pytest.mark.parametrize("extra", [("uValue", "1"), ("sSubKeyName", "SOFTWARE"), ("hdefkey", HKLM)])
def test_arguments_beyond_the_signature(wire: Wire, extra: tuple[str, str]) -> None:
    assert wire.invoke("GetDWORDValue", *ARGUMENTS, extra).fault == (2150858837, "s:Sender", "w:InvalidParameter")


@pytest.mark.parametrize(
    "hive", ["HKLM", "0x80000002", "-2147483646", "", "2147483650.0", "2147483652", "5", " 2147483650"]
)
def test_hive_is_an_unsigned_decimal_of_a_hive(wire: Wire, hive: str) -> None:
    assert wire.invoke("GetDWORDValue", ("hDefKey", hive), *ARGUMENTS[1:]).fault == PARAMETER_TYPE


@pytest.mark.parametrize("data", ["4294967296", "-1", "0x1", "one", "", "1.0"])
def test_dword_out_of_range(wire: Wire, plain: HostClient, data: str) -> None:
    plain.create_key(r"SOFTWARE\Strict")
    arguments = (("hDefKey", HKLM), ("sSubKeyName", r"SOFTWARE\Strict"), ("sValueName", "v"), ("uValue", data))
    assert wire.invoke("SetDWORDValue", *arguments).fault == PARAMETER_TYPE
    assert plain.registry(r"SOFTWARE\Strict") == {}


def test_nil_where_it_may_not_be(wire: Wire) -> None:
    assert wire.invoke("GetDWORDValue", ("hDefKey", None), *ARGUMENTS[1:]).fault == PARAMETER_TYPE


def selector(name: str, value: str) -> str:
    return f'<w:SelectorSet><w:Selector Name="{name}">{value}</w:Selector></w:SelectorSet>'


def test_selectors(wire: Wire) -> None:
    assert read(wire, extra=selector("__cimnamespace", "root/default")).outputs["uValue"] == "1"
    assert read(wire, extra=selector("__cimnamespace", "root/cimv2")).fault[0] == 2150858845
    assert read(wire, extra=selector("Name", "x")).fault == (2150858843, "s:Sender", "w:InvalidSelectors")
    twice = '<w:SelectorSet><w:Selector Name="a">1</w:Selector><w:Selector Name="A">2</w:Selector></w:SelectorSet>'
    assert read(wire, extra=twice).fault[0] == 2150858847


def test_document_type_declaration(wire: Wire) -> None:
    right = envelope(STDREGPROV, f"{STDREGPROV}/GetDWORDValue", input_element(STDREGPROV, "GetDWORDValue", ARGUMENTS))
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + right
    assert wire.post(bomb).fault == (2150858819, "s:Sender", "w:SchemaValidationError")
    assert wire.post(right[:-5]).fault[0] == 2150858819


def test_content_type_and_path(wire: Wire) -> None:
    right = envelope(STDREGPROV, f"{STDREGPROV}/GetDWORDValue", input_element(STDREGPROV, "GetDWORDValue", ARGUMENTS))
    for content_type in ("text/xml", "application/soap+xml", "application/soap+xml;charset=latin-1", None):
        assert (wire.post(right, content_type).status, wire.post(right, content_type).body) == (415, b"")
    assert wire.post(right, path="/elsewhere").status == 404
    assert wire.post(right, path="/wsman?PSVersion=5.1").status == 200


def test_get_is_not_a_verb_of_the_service(wire: Wire) -> None:
    wire.connection.request("GET", "/wsman")
    response = wire.connection.getresponse()
    response.read()
    assert response.status == 405
