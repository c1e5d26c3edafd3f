# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Envelopes that are sent, and answers that are opened."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    ConnectionLost,
    UnexpectedAnswer,
    WsmanFault,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire import soap
from hypothesis import example, given
from hypothesis import strategies as st

S = "{http://www.w3.org/2003/05/soap-envelope}"
A = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
W = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
P = "{http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd}"
XML = "{http://www.w3.org/XML/1998/namespace}"
ID = uuid.UUID("6f1b2c3d-0000-4000-8000-00000000ABCD")
TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xD7FF))


def built(request: soap.Request) -> ET.Element:
    message = soap.envelope(
        request, to="https://ex01:5986/wsman", message_id=ID, max_envelope_size=153600, timeout_seconds=20
    )
    assert message.startswith(b"<?xml")
    return ET.fromstring(message)


def test_headers() -> None:
    root = built(soap.Request("urn:act", "urn:resource"))
    assert [item.tag for item in root] == [f"{S}Header", f"{S}Body"]
    header = root[0]
    tags = [item.tag for item in header]
    assert len(tags) == len(set(tags)), "every header exactly once"
    must = f"{S}mustUnderstand"
    assert {item.tag: (item.text, dict(item.attrib)) for item in header if not len(item)} == {
        f"{A}To": ("https://ex01:5986/wsman", {}),
        f"{W}ResourceURI": ("urn:resource", {must: "true"}),
        f"{A}Action": ("urn:act", {must: "true"}),
        f"{W}MaxEnvelopeSize": ("153600", {must: "true"}),
        f"{A}MessageID": ("uuid:6F1B2C3D-0000-4000-8000-00000000ABCD", {}),
        f"{W}Locale": (None, {must: "false", f"{XML}lang": "en-US"}),
        f"{P}DataLocale": (None, {must: "false", f"{XML}lang": "en-US"}),
        f"{W}OperationTimeout": ("PT20S", {}),
    }
    address = header.find(f"{A}ReplyTo/{A}Address")
    assert address is not None
    assert address.text == "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
    assert address.attrib == {must: "true"}
    assert len(root[1]) == 0
    assert header.find(f"{W}SelectorSet") is None


def test_body() -> None:
    body = ET.Element("{urn:class}GetDWORDValue_INPUT")
    root = built(soap.Request("urn:act", "urn:resource", ET.tostring(body)))
    assert [item.tag for item in root[1]] == ["{urn:class}GetDWORDValue_INPUT"]


@given(st.dictionaries(st.text("abcXYZ", min_size=1), TEXT, min_size=1))
def test_selectors(selectors: dict[str, str]) -> None:
    root = built(soap.Request("urn:act", "urn:resource", selectors=selectors))
    found = root.findall(f"{S}Header/{W}SelectorSet/{W}Selector")
    assert {item.get("Name"): item.text or "" for item in found} == selectors


@given(TEXT, TEXT)
def test_text_is_escaped(action: str, resource: str) -> None:
    header = built(soap.Request(action, resource))[0]
    assert (header.findtext(f"{A}Action"), header.findtext(f"{W}ResourceURI")) == (action, resource)


@given(st.text(st.sampled_from("a \r\n\t<&")))
@example("one\r\ntwo\rthree\n\tfour ")
def test_line_ends_and_blanks_arrive_as_they_are(text: str) -> None:
    """Whoever reads XML takes a bare carriage return for a line feed."""
    body = ET.Element("{urn:x}Data")
    body.text = text
    root = built(soap.Request("urn:act", "urn:resource", ET.tostring(body), {"Name": text}))
    assert (root[1][0].text or "") == text
    assert (root.findtext(f".//{W}Selector") or "") == text


def answer(body: str, relates_to: str | None = f"uuid:{ID}") -> bytes:
    relates = f"<a:RelatesTo>{relates_to}</a:RelatesTo>" if relates_to is not None else ""
    return (
        f'<s:Envelope xmlns:s="{S[1:-1]}" xmlns:a="{A[1:-1]}"><s:Header>{relates}</s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


@pytest.mark.parametrize(
    "relates_to", [f"uuid:{ID}", f"uuid:{str(ID).upper()}", f" uuid:{ID}\n", str(ID), f"urn:uuid:{ID}", None]
)
def test_our_answer(relates_to: str | None) -> None:
    body = soap.open_answer(answer("<x/>", relates_to), message_id=ID, doing="reading")
    assert [item.tag for item in body] == ["x"]


OTHER = f"uuid:{uuid.UUID(int=1)}"


@pytest.mark.parametrize("order", [(f"uuid:{ID}", OTHER), (OTHER, f"uuid:{ID}"), (OTHER, "", f"uuid:{ID}")])
def test_answer_that_relates_to_several_messages(order: tuple[str, ...]) -> None:
    header = "</a:RelatesTo><a:RelatesTo RelationshipType='urn:x'>".join(order)
    body = soap.open_answer(answer("<x/>", header), message_id=ID, doing="reading")
    assert [item.tag for item in body] == ["x"]


@pytest.mark.parametrize("page", ["<!doctype html>\n<p>", "<!DOCTYPE HTML PUBLIC '-//W3C'>", "<HTML\n lang='en'>"])
def test_web_pages(page: str) -> None:
    assert soap.is_web_page(page.encode())


def test_answer_about_web_pages_is_none() -> None:
    assert not soap.is_web_page(answer("<p:Win32_X xmlns:p='x'><p:Title>&lt;html></p:Title></p:Win32_X>"))


def test_title_is_visible_and_short() -> None:
    described = soap.describe(f"<html><title>Log&nbsp;in \u202e\u009b {'x' * 500}</title>".encode())
    assert "<U+202E><U+009B>" in described
    assert len(described) < 200


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (answer("<x/>")[:-20], "cannot be read"),
        (b"\xef\xbb\xbf <s:Envelope", "cannot be read"),
        (b"<!DOCTYPE s [<!ENTITY e 'x'>]><s>&e;</s>", "document type declaration, which SOAP forbids"),
        (b"\xff\xfe\x00rubbish", "cannot be read"),
        (answer("<x>" + "y" * 3_000_000 + "</x>"), "larger than"),
    ],
)
def test_not_our_answer(document: bytes, reason: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=reason) as caught:
        soap.open_answer(document, message_id=ID, doing="reading the thing")
    assert caught.value.message.startswith("reading the thing: ")
    assert len(caught.value.message) < 400


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (answer("<x/>", f"{OTHER}</a:RelatesTo><a:RelatesTo>{OTHER[:-1]}2"), "belongs to another request"),
        (answer("<x/>", "y" * 5000), "belongs to another request"),
        (answer("<x/>", f"uuid:{uuid.UUID(int=1)}"), "belongs to another request"),
        (answer("<x/>", "rubbish"), "belongs to another request"),
        (b"", "an empty answer came instead"),
        (b"  \r\n ", "an empty answer came instead"),
        (b'{"a": 1}', "8 bytes that begin with '{\"a\": 1}' came instead"),
        (b"\x15\x03\x01", "3 bytes that begin with .* came instead"),
        (b"<html><head><title>Sign in</title></head><body><p>hello</body></html>", "a web page titled 'Sign in'"),
        (b"<HTML><body>x</body></HTML>", "a web page"),
        (b"<!DOCTYPE html><html></html>", "a web page came instead"),
        (b"<ok/>", "5 bytes that begin with '<ok/>' came instead"),
        (f'<s:Envelope xmlns:s="{S[1:-1]}"/>'.encode(), "came instead"),
    ],
)
def test_answer_of_somebody_else(document: bytes, reason: str) -> None:
    """The next one over the same connection would be no better."""
    with pytest.raises(ConnectionLost, match=reason) as caught:
        soap.open_answer(document, message_id=ID, doing="reading the thing")
    assert caught.value.message.startswith("reading the thing: ")
    assert len(caught.value.message) < 400


def test_fault_with_http_200() -> None:
    fault = "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code></s:Fault>"
    with pytest.raises(WsmanFault, match="reading failed: the host gave no reason"):
        soap.open_answer(answer(fault), message_id=ID, doing="reading")


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_words(document: bytes) -> None:
    with pytest.raises((UnexpectedAnswer, ConnectionLost), match=r"^doing: "):
        soap.open_answer(document, message_id=ID, doing="doing")


@given(TEXT)
def test_describe_never_fails(page: str) -> None:
    assert soap.describe(f"<html>İİİ<title>{page}</title>".encode())


def test_title_after_letters_that_grow() -> None:
    page = "<html><body>" + "İ" * 50 + "<title>Maintenance</title>"
    assert soap.describe(page.encode()) == "a web page titled 'Maintenance'"
