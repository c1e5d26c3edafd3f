# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML from the network: what is refused, and what is read of the rest."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire import xml
from hypothesis import given
from hypothesis import strategies as st

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
BOMB = b"""<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><b>&b;</b>"""


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (BOMB, "document type declaration"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type declaration"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "document type declaration"),
        (b"<a>&undefined;</a>", "not well-formed"),
        (b"", "not well-formed"),
        (b"<a><b></a>", "not well-formed"),
        (b"<a/><b/>", "not well-formed"),
        (b"<a>\x00</a>", "not well-formed"),
        (b"<a>\xff</a>", "not well-formed"),
        (b"<x:a/>", "not well-formed"),
        (b"<a>" * 65 + b"</a>" * 65, "deeper than 64"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "encoding"),
        (b'<?xml version="1.0" encoding="shift_jis"?><a/>', "encoding"),
    ],
)
def test_refused(document: bytes, reason: str) -> None:
    with pytest.raises(xml.XmlRefused, match=reason):
        xml.parse(document)


def test_size() -> None:
    document = b"<a>" + b"x" * 100 + b"</a>"
    assert xml.parse(document, max_bytes=len(document)).text == "x" * 100
    with pytest.raises(xml.XmlRefused, match="larger than 106 bytes"):
        xml.parse(document, max_bytes=len(document) - 1)
    with pytest.raises(xml.XmlRefused, match="larger than"):
        xml.parse(b"<a>" + b" " * xml.MAX_BYTES + b"</a>")


def test_depth_that_is_allowed() -> None:
    assert xml.parse(b"<a>" * 64 + b"x" + b"</a>" * 64).tag == "a"


@given(st.binary(max_size=200))
def test_nothing_but_a_refusal(document: bytes) -> None:
    with contextlib.suppress(xml.XmlRefused):
        assert xml.parse(document).tag


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_encodings(encoding: str) -> None:
    document = f'<?xml version="1.0" encoding="{encoding}"?><a>für</a>'.encode(encoding)
    assert xml.parse(document).text == "für"


def test_namespaces() -> None:
    root = xml.parse(b'<p:a xmlns:p="urn:one" xmlns="urn:two" plain="1" p:own="2"><b/><c xmlns=""/></p:a>')
    assert root.tag == "{urn:one}a"
    assert root.attrib == {"plain": "1", "{urn:one}own": "2"}
    assert [item.tag for item in root] == ["{urn:two}b", "c"]
    assert [xml.local_name(item) for item in root] == ["b", "c"]


def test_finding_by_local_name() -> None:
    root = xml.parse(b'<a xmlns:p="urn:x"><p:b>1</p:b><c><b>2</b></c></a>')
    first = xml.child(root, "b")
    assert first is not None
    assert first.text == "1"
    assert xml.child(root, "d") is None
    assert xml.child(None, "b") is None
    assert [item.text for item in xml.descendants(root, "b")] == ["1", "2"]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("<a>  one\n  two </a>", "one two"),
        ("<a>one <b>two</b> three</a>", "one two three"),
        ("<a/>", None),
        ("<a>  \n </a>", None),
        ("<a><![CDATA[<raw>]]></a>", "<raw>"),
        ("<a>x<!-- not this --><?nor this?></a>", "x"),
        (f'<a {XSI} xsi:nil="true">x</a>', None),
        (f'<a {XSI} xsi:nil="1"/>', None),
        (f'<a {XSI} xsi:nil="false">x</a>', "x"),
        ('<a nil="true">x</a>', "x"),
    ],
)
def test_text(document: str, expected: str | None) -> None:
    assert xml.text(xml.parse(document.encode())) == expected


def test_text_of_nothing() -> None:
    assert xml.text(None) is None


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"])).filter(
        lambda text: "\ufffe" not in text and "\uffff" not in text
    )
)
def test_text_survives(content: str) -> None:
    escaped = content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert (xml.parse(f"<a>{escaped}</a>".encode()).text or "") == content


TEXT = "<a>Größe 漢字</a>"


@pytest.mark.parametrize(
    ("document", "charset"),
    [
        (TEXT.encode(), None),
        (TEXT.encode(), "utf-8"),
        (TEXT.encode(), "no-such-charset"),
        (TEXT.encode("utf-8-sig"), "utf-16"),
        (TEXT.encode("utf-16"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "utf-16"),
        (TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16le"),
        (TEXT.encode("utf-16-be"), "UTF-16BE"),
        (TEXT.encode("gb18030"), "GB18030"),
        (f"<?xml version='1.0' encoding='utf-8'?>{TEXT}".encode(), "iso-8859-1"),
        (f"<?xml version='1.0' encoding='utf-16'?>{TEXT}".encode("utf-16-le"), "utf-16"),
        (f"<?xml version='1.0' encoding='utf-8'?>{TEXT}".encode("utf-16-be"), "utf-16"),
    ],
)
def test_encoding_that_only_a_header_names(document: bytes, charset: str | None) -> None:
    assert xml.parse(xml.as_utf8(document, charset)).text == "Größe 漢字"


def test_utf16_is_read_as_text_by_everybody() -> None:
    """Not only by the parser: the wire log and the look for web pages want to read it as well."""
    assert xml.as_utf8(TEXT.encode("utf-16"), None) == TEXT.encode()


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "ISO-8859-15"])
def test_encodings_of_one_byte(charset: str) -> None:
    assert xml.parse(xml.as_utf8("<a>Größe</a>".encode(charset), charset)).text == "Größe"


@pytest.mark.parametrize("charset", [None, "utf-8", "utf-16", "shift_jis", "hex", "", "utf-16le\x00"])
def test_bytes_that_do_not_fit_are_left_alone(charset: str | None) -> None:
    document = b"<a>\xff\xfe\x00\xff"
    assert isinstance(xml.as_utf8(document, charset), bytes)
