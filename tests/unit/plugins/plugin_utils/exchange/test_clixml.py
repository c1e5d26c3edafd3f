# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of PowerShell: what is read of them, and what is refused."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import clixml
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.records import (
    ABSENT,
    Enum,
    Record,
    RecordError,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.recordings import entries

from . import samples


def connector() -> Record:
    found = clixml.read(samples.REFERENCE_INTO_A_LIST)
    assert isinstance(found, Record)
    return found


def test_a_reference_into_a_list_is_the_object_in_it() -> None:
    found = connector()
    (host,) = found.items("SmartHosts")
    assert found.get("SourceIPAddress") is host.get("Address")
    assert found.text("SourceIPAddress") == "0.0.0.0"
    assert found.names("SmartHosts") == ["relay.example"]
    assert found.record("Fallback").kind == "SmartHost"  # whose type was first named inside the list


def test_properties_have_no_case_and_absent_is_not_null() -> None:
    found = connector()
    assert str(found) == "To the cloud"
    assert found.kind == "SmtpSendConnectorConfig"
    assert "smarthosts" in found
    assert found.get("tlsdomain") is None
    assert found.get("NoSuch") is ABSENT
    assert found.text("comment") == ""
    assert found.text_or_none("TlsDomain") is None
    assert found.names("AddressSpaces") == []
    assert "SerializationData" in list(found)


def test_an_enumeration_is_its_text_and_keeps_its_number() -> None:
    level = connector().get("Level")
    assert level == "None"
    assert isinstance(level, Enum)
    assert level.number == 0


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda found: found.text("Nothing"), "has no property Nothing. It has: TlsDomain, SmartHosts"),
        (lambda found: found.text("TlsDomain"), "its TlsDomain is not set, but it takes a text"),
        (lambda found: found.names("TlsDomain"), "its TlsDomain is not set, but it takes a list of names"),
        (lambda found: found.text_or_none("Nothing"), "has no property Nothing"),
        (lambda found: found.integer("Comment"), "its Comment is '', which is not a number"),
        (lambda found: found.integer("Level"), "which is not a number"),
        (lambda found: found.flag("Comment"), "which is not true or false"),
        (lambda found: found.names("Comment"), "which is not a list of names"),
        (lambda found: found.record("Comment"), "which is not an object"),
        (lambda found: found.moment_or_none("Comment"), "which is not a time"),
    ],
)
def test_what_is_not_as_known_is_said(ask: Any, words: str) -> None:
    with pytest.raises(RecordError) as caught:
        ask(connector())
    assert words in caught.value.message
    assert "'To the cloud'" in caught.value.message


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ("<S>a_x000D__x000A_b</S>", "a\r\nb"),
        ("<S>_xD83D__xDE00_ _x005F_x0041_</S>", "\U0001f600 _x0041_"),
        ("<S />", ""),
        ("<Nil />", None),
        ("<B>true</B>", True),
        ("<C>65</C>", "A"),
        ("<I64>-5</I64>", -5),
        ("<Db>0.5</Db>", 0.5),
        ("<BA>AAE=</BA>", b"\x00\x01"),
        ("<TS>PT5S</TS>", "PT5S"),
        ("<Version>15.1.2375.7</Version>", "15.1.2375.7"),
        (
            "<DT>2026-03-01T10:00:00.1234567Z</DT>",
            datetime.datetime(2026, 3, 1, 10, 0, 0, 123456, datetime.timezone.utc),
        ),
        ("<DT>2026-03-01T10:00:00</DT>", datetime.datetime(2026, 3, 1, 10)),  # noqa: DTZ001 - no zone was told
        ('<Obj RefId="0"><S>x</S><MS><S N="Note">y</S></MS></Obj>', "x"),
        ('<Obj RefId="0"><TN RefId="0"><T>System.Collections.Stack</T></TN><STK><I32>1</I32></STK></Obj>', [1]),
        ('<Obj RefId="0"><QUE><S>a</S></QUE></Obj>', ["a"]),
        ('<Obj RefId="0"><IE><S>a</S></IE></Obj>', ["a"]),
        ('<Obj RefId="0"><DCT><En><S N="Key">a</S><I32 N="Value">1</I32></En></DCT></Obj>', {"a": 1}),
        ('<Objs xmlns="http://schemas.microsoft.com/powershell/2004/04"><S>a</S><I32>1</I32></Objs>', ["a", 1]),
    ],
)
def test_values(document: str, value: object) -> None:
    found = clixml.read(document)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ('<!DOCTYPE a [<!ENTITY x "y">]><S>&x;</S>', "document type declaration"),
        ("<S>", "not well-formed"),
        ('<Ref RefId="7"/>', "refers to number '7'"),
        ('<Obj RefId="0"><TNRef RefId="3"/></Obj>', "refers to number '3'"),
        ("<I32>one</I32>", "'one' as a value of the type I32"),
        ("<DT>yesterday</DT>", "'yesterday'"),
        ("<B>perhaps</B>", "'perhaps'"),
        ("<Widget/>", "'Widget', which PowerShell does not know"),
    ],
)
def test_what_no_powershell_sends(document: str, words: str) -> None:
    with pytest.raises(clixml.ClixmlError, match=words.replace("(", r"\(")):
        clixml.read(document)


@given(st.text())
def test_any_text_that_xml_can_carry_comes_back(text: str) -> None:
    units = text.encode("utf-16-le", "surrogatepass")
    codes = [int.from_bytes(units[at : at + 2], "little") for at in range(0, len(units), 2)]
    assert clixml.decoded("".join(f"_x{code:04X}_" for code in codes)) == units.decode("utf-16-le", "replace")


# --- recorded --------------------------------------------------------------------------------------------------------


def same(found: Any, expected: Any) -> bool:
    """Whether a value is what was recorded: enumerations as {enum, value}, objects by what they are called."""
    if isinstance(expected, dict) and set(expected) == {"enum", "value"}:
        return isinstance(found, Enum) and (str(found), found.number) == (expected["enum"], expected["value"])
    if isinstance(expected, dict):
        return isinstance(found, Record) and all(same(found.get(name), value) for name, value in expected.items())
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(found, Record):
        return bool(str(found) == expected)
    if isinstance(found, datetime.datetime):
        return found == clixml.moment(expected)
    return type(found) is type(expected) and bool(found == expected)


@pytest.mark.parametrize("item", entries("objects.json"))
def test_every_recorded_object_is_read_as_it_was(item: dict[str, Any]) -> None:
    found = clixml.read(item["input"])
    expected = item["expected"]["objects"]
    assert len(found) == item["expected"]["count"] == len(expected)
    for record, want in zip(found, expected, strict=True):
        if "props" not in want:
            assert set(want["properties_on_the_wire"]) <= set(record)
            continue
        assert (str(record), record.types[0]) == (want["to_string"], want["type"])
        values = {**want["props"], **want["members"]}
        assert [name for name, value in values.items() if not same(record.get(name), value)] == []
