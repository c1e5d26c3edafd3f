# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances, queries and methods of WMI, in every form in which Windows has been seen to write them."""

from __future__ import annotations

import datetime
import time
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    ConnectionLost,
    IncompleteAnswer,
    UnexpectedAnswer,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire import wmi, xml
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire.soap import Request
from hypothesis import given
from hypothesis import strategies as st

CIMV2 = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2"
STDREGPROV = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/default/StdRegProv"
SPACES = (
    'xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
    f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:p="{CIMV2}/Win32_X" '
    'xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common"'
)


def body(content: str) -> ET.Element:
    return xml.parse(f"<Body {SPACES}>{content}</Body>".encode())


class Session:
    """Answers with the given bodies, in turn; the last one for ever."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[Request, bool]] = []

    def call(self, request: Request, *, doing: str, repeatable: bool) -> ET.Element:
        self.requests.append((request, repeatable))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return body(answer)


def got(content: str) -> wmi.Instance:
    return wmi.get(Session(content), "Win32_X")  # type: ignore[arg-type]


# --- get and values --------------------------------------------------------------------------------------------------


def test_get() -> None:
    session = Session("<p:Win32_X><p:A>1</p:A></p:Win32_X>")
    assert wmi.get(session, "Win32_X", selectors={"Name": "C:"}) == {"A": "1"}  # type: ignore[arg-type]
    ((request, repeatable),) = session.requests
    assert request.action == "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
    assert request.resource_uri == f"{CIMV2}/Win32_X"
    assert request.selectors == {"Name": "C:"}
    assert request.body == b""
    assert repeatable


def test_get_nothing() -> None:
    with pytest.raises(UnexpectedAnswer, match="reading Win32_X: the answer holds no instance"):
        got("")


def test_instance_of_a_real_capture() -> None:
    instance = got(
        '<p:Win32_X xsi:type="p:Win32_X_Type"><p:Caption>Microsoft Windows Server 2012 Datacenter </p:Caption>'
        '<p:CSDVersion xsi:nil="true"/><p:Debug>false</p:Debug><p:Primary>TRUE</p:Primary>'
        "<p:FreePhysicalMemory>18446744073709551615</p:FreePhysicalMemory><p:MUILanguages>en-US</p:MUILanguages>"
        "<p:MUILanguages>fi-FI</p:MUILanguages><p:Empty/><p:LastBootUpTime><cim:Datetime>2013-04-15T16:28:43.488171Z"
        "</cim:Datetime></p:LastBootUpTime></p:Win32_X>"
    )
    assert instance.string("Caption") == "Microsoft Windows Server 2012 Datacenter"
    assert instance["Caption"] == "Microsoft Windows Server 2012 Datacenter "
    assert instance.string("CSDVersion") is None
    assert instance.boolean("Debug") is False
    assert instance.boolean("Primary") is True
    assert instance.integer("FreePhysicalMemory") == 2**64 - 1
    assert instance.strings("MUILanguages") == ["en-US", "fi-FI"]
    assert instance["Empty"] == ""
    assert instance.datetime("LastBootUpTime") == datetime.datetime(
        2013, 4, 15, 16, 28, 43, 488171, tzinfo=datetime.timezone.utc
    )


def test_null_and_absent_are_the_same() -> None:
    for instance in (got("<p:Win32_X/>"), got('<p:Win32_X><p:A xsi:nil="true"/></p:Win32_X>')):
        assert instance.string("A") is None
        assert instance.strings("A") == []
        assert instance.integer("A") is None
        assert instance.integers("A") == []
        assert instance.boolean("A") is None
        assert instance.datetime("A") is None


def test_fragment_without_namespaces() -> None:
    content = "<w:XmlFragment><Name>a</Name><When><Datetime>2014-01-02T03:04:05+08:00</Datetime></When></w:XmlFragment>"
    instance = got(content)
    assert instance.string("Name") == "a"
    moment = instance.datetime("When")
    assert moment == datetime.datetime(2014, 1, 1, 19, 4, 5, tzinfo=datetime.timezone.utc)


def test_array_of_one_to_three() -> None:
    for count in (1, 2, 3):
        instance = got(f"<X>{'<A>7</A>' * count}</X>")
        assert instance.integers("A") == [7] * count
        assert instance.integer("A") == 7


def test_array_with_null_and_empty() -> None:
    instance = got('<X><A>a</A><A xsi:nil="true"/><A/><A> b </A></X>')
    assert instance["A"] == ["a", None, "", " b "]
    assert instance.strings("A") == ["a", "", " b "]


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "1", " true "])
def test_true(word: str) -> None:
    assert wmi.Instance(A=word).boolean("A") is True


@pytest.mark.parametrize("word", ["false", "False", "FALSE", "0"])
def test_false(word: str) -> None:
    assert wmi.Instance(A=word).boolean("A") is False


@pytest.mark.parametrize(("method", "words"), [("boolean", "a boolean"), ("integer", "a number")])
@pytest.mark.parametrize("rubbish", ["", "yes", "1.5", "0x10"])
def test_rubbish_values(method: str, words: str, rubbish: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=f"WMI property A should be {words} but is {rubbish!r}"):
        getattr(wmi.Instance(A=rubbish), method)("A")


# --- datetimes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "microseconds", "offset"),
    [
        ("2013-04-15T16:28:43Z", 0, 0),
        ("2013-04-15T16:28:43.5Z", 500000, 0),
        ("2013-04-15T16:28:43.05Z", 50000, 0),
        ("2013-04-15T16:28:43.488171Z", 488171, 0),
        ("2013-04-15T16:28:43.4881719Z", 488171, 0),
        ("2013-04-15T16:28:43.488171234Z", 488171, 0),
        ("2013-04-15T16:28:43.1+08:00", 100000, 480),
        ("2013-04-15T16:28:43-03:30", 0, -210),
        ("2013-04-15T16:28:43+0200", 0, 120),
        ("2013-04-15T16:28:43", 0, 0),
        (" 2013-04-15T16:28:43Z\n", 0, 0),
    ],
)
def test_datetimes(text: str, microseconds: int, offset: int) -> None:
    zone = datetime.timezone(datetime.timedelta(minutes=offset))
    assert wmi.parse_datetime(text) == datetime.datetime(2013, 4, 15, 16, 28, 43, microseconds, tzinfo=zone)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rubbish",
        "2013-04-15",
        "2013-04-15T16:28Z",
        "2013-13-15T16:28:43Z",
        "2013-02-29T16:28:43Z",
        "2013-04-15T16:28:60Z",
        "2013-04-15T25:28:43Z",
        "2013-04-15T16:28:43.Z",
        "2013-04-15T16:28:43+24:00",
        "20130415162843.488171+000",
        "2013-04-15T16:28:43ZZ",
        "٢٠١٣-04-15T16:28:43Z",
        "0001-01-01T00:00:00+08:00",
        "9999-12-31T23:59:59-08:00",
    ],
)
def test_rubbish_datetimes(text: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="is not a CIM datetime"):
        wmi.parse_datetime(text)


@given(st.text("0123456789-T:.Z+", max_size=40))
def test_any_text_is_a_datetime_or_refused(text: str) -> None:
    try:
        moment = wmi.parse_datetime(text)
    except UnexpectedAnswer:
        return
    assert moment.utcoffset() == datetime.timedelta(0)


@given(
    st.datetimes().filter(lambda moment: 1700 < moment.year < 2500),
    st.integers(-14 * 60, 14 * 60),
    st.booleans(),
)
def test_every_datetime(moment: datetime.datetime, minutes: int, utc: bool) -> None:
    zone = datetime.timezone.utc if utc else datetime.timezone(datetime.timedelta(minutes=minutes))
    aware = moment.replace(tzinfo=zone)
    assert wmi.parse_datetime(aware.isoformat().replace("+00:00", "Z")) == aware


# --- queries ---------------------------------------------------------------------------------------------------------

ITEM = "<p:Win32_X><p:Name>{}</p:Name></p:Win32_X>"
END = "<{0}:EndOfSequence/>"


def enumerated(names: str, context: str | None, end: bool) -> str:
    items = f"<w:Items>{''.join(ITEM.format(name) for name in names)}</w:Items>" if names else ""
    told = "" if context is None else f"<n:EnumerationContext>{context}</n:EnumerationContext>"
    return f"<n:EnumerateResponse>{told}{items}{'<w:EndOfSequence/>' if end else ''}</n:EnumerateResponse>"


def pulled(names: str, context: str | None, end: bool) -> str:
    items = f"<n:Items>{''.join(ITEM.format(name) for name in names)}</n:Items>" if names else ""
    told = "" if context is None else f"<n:EnumerationContext>{context}</n:EnumerationContext>"
    return f"<n:PullResponse>{told}{items}{'<n:EndOfSequence/>' if end else ''}</n:PullResponse>"


def queried(*answers: str | Exception) -> tuple[str, list[tuple[Request, bool]]]:
    session = Session(*answers)
    found = wmi.query(session, "SELECT * FROM Win32_X")  # type: ignore[arg-type]
    return "".join(item.string("Name") or "?" for item in found), session.requests


def test_query_in_one_answer() -> None:
    names, requests = queried(enumerated("abc", "", True))
    assert names == "abc"
    ((request, repeatable),) = requests
    assert request.action == "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate"
    assert request.resource_uri == f"{CIMV2}/*"
    assert repeatable
    sent = ET.fromstring(request.body)
    assert sent.tag == "{http://schemas.xmlsoap.org/ws/2004/09/enumeration}Enumerate"
    wsman = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
    assert [item.tag for item in sent] == [
        f"{wsman}OptimizeEnumeration",
        f"{wsman}MaxElements",
        f"{wsman}Filter",
    ]
    assert sent[2].attrib == {"Dialect": "http://schemas.microsoft.com/wbem/wsman/1/WQL"}
    assert sent[2].text == "SELECT * FROM Win32_X"


@pytest.mark.parametrize(
    ("answers", "names"),
    [
        ([enumerated("", "", True)], ""),
        ([enumerated("", None, True)], ""),
        ([enumerated("a", "c1", True)], "a"),
        ([enumerated("", "c1", False), pulled("a", None, True)], "a"),
        ([enumerated("ab", "c1", False), pulled("c", "c2", False), pulled("d", None, True)], "abcd"),
        ([enumerated("ab", "c1", False), pulled("", "c2", False), pulled("d", "", True)], "abd"),
        ([enumerated("ab", "c1", False), pulled("", None, True)], "ab"),
        # the context stays as it was where a pull does not name it again
        ([enumerated("a", "c1", False), pulled("b", None, False), pulled("c", None, True)], "abc"),
    ],
)
def test_pulling(answers: list[str], names: str) -> None:
    found, requests = queried(*answers)
    assert found == names
    assert len(requests) == len(answers)


def test_context_is_handed_on() -> None:
    _names, requests = queried(
        enumerated("a", " c1 ", False), pulled("b", "c2", False), pulled("c", None, False), pulled("d", None, True)
    )
    pulls = [request for request, _repeatable in requests[1:]]
    assert [ET.fromstring(pull.body).findtext("{*}EnumerationContext") for pull in pulls] == [
        " c1 ",
        "c2",
        "c2",
    ], "as it came"
    assert {pull.action for pull in pulls} == {"http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull"}
    assert not any(repeatable for _request, repeatable in requests[1:]), "a pull moves the host's cursor"


@pytest.mark.parametrize(
    "answers",
    [
        [enumerated("a", "c1", False), pulled("", None, False)],
        [enumerated("a", "c1", False), pulled("", "", False)],
        [enumerated("a", "c1", False), "<n:PullResponse><n:Items/></n:PullResponse>"],
        [enumerated("a", None, False)],
        [enumerated("a", " ", False)],
        ["<n:EnumerateResponse/>"],
    ],
)
def test_list_that_ends_early_is_incomplete(answers: list[str]) -> None:
    with pytest.raises(IncompleteAnswer) as caught:
        queried(*answers)
    assert "querying WMI (SELECT * FROM Win32_X): the host ended its list after" in caught.value.message
    assert isinstance(caught.value, UnexpectedAnswer)
    assert caught.value.as_result()["kind"] == "incomplete_answer"


def test_context_of_xml_is_handed_on_as_it_came() -> None:
    context = '<p:Place id="7">of <p:Deep>all</p:Deep> things</p:Place>'
    _names, requests = queried(enumerated("a", context, False), pulled("b", None, False), pulled("c", None, True))
    expected = ET.tostring(body(context)[0])
    for request, _repeatable in requests[1:]:
        told = ET.fromstring(request.body).find("{*}EnumerationContext")
        assert told is not None
        assert ET.tostring(told[0]) == expected


def test_fragments_in_a_query() -> None:
    session = Session(
        "<n:EnumerateResponse><w:Items><w:XmlFragment><Name>a</Name></w:XmlFragment><w:XmlFragment><Name>b</Name>"
        "</w:XmlFragment></w:Items><w:EndOfSequence/></n:EnumerateResponse>"
    )
    found = wmi.query(session, "SELECT Name FROM Win32_X")  # type: ignore[arg-type]
    assert found == [{"Name": "a"}, {"Name": "b"}]


def test_endless_pulls() -> None:
    with pytest.raises(UnexpectedAnswer, match="never says that the result is complete"):
        queried(enumerated("a", "c", False), pulled("b", "c", False))


def test_query_answered_with_something_else() -> None:
    with pytest.raises(UnexpectedAnswer, match="answered a WMI query with something else"):
        queried("<p:Win32_X/>")


def test_query_that_breaks_in_a_pull_begins_again() -> None:
    """A pull is not repeatable, the query as a whole is: it is a read."""
    start = enumerated("a", "c1", False)
    names, requests = queried(start, ConnectionLost("it broke"), start, pulled("b", None, True))
    assert names == "ab"
    assert len(requests) == 4
    with pytest.raises(ConnectionLost):
        queried(start, ConnectionLost("it broke"), start, ConnectionLost("it broke"))


# --- methods ---------------------------------------------------------------------------------------------------------


def invoked(arguments: dict[str, Any], answer: str = "<p:Do_OUTPUT/>") -> tuple[wmi.Instance, Request, bool]:
    session = Session(answer)
    output = wmi.invoke(
        session,  # type: ignore[arg-type]
        "StdRegProv",
        "Do",
        arguments,
        namespace=wmi.DEFAULT,
        doing="doing it",
        repeatable=False,
    )
    ((request, repeatable),) = session.requests
    return output, request, repeatable


def test_invoke() -> None:
    output, request, repeatable = invoked(
        {"sName": "a <&> b", "uValue": 4294967295, "bFlag": True, "bOff": False, "sNull": None, "sEmpty": ""},
        "<p:Do_OUTPUT><p:uValue>1</p:uValue><p:ReturnValue>0</p:ReturnValue></p:Do_OUTPUT>",
    )
    assert output == {"uValue": "1", "ReturnValue": "0"}
    assert (request.action, request.resource_uri) == (f"{STDREGPROV}/Do", STDREGPROV)
    assert request.selectors == {}
    assert not repeatable
    sent = ET.fromstring(request.body)
    assert sent.tag == f"{{{STDREGPROV}}}Do_INPUT"
    assert [(item.tag.removeprefix(f"{{{STDREGPROV}}}"), item.text) for item in sent] == [
        ("sName", "a <&> b"),
        ("uValue", "4294967295"),
        ("bFlag", "true"),
        ("bOff", "false"),
        ("sNull", None),
        ("sEmpty", None),
    ], "XML does not tell an empty text from none"
    nil = "{http://www.w3.org/2001/XMLSchema-instance}nil"
    assert [item.get(nil) for item in sent] == [None, None, None, None, "true", None]


@pytest.mark.parametrize(
    ("items", "texts"), [([1, 255], ["1", "255"]), (("a",), ["a"]), ([], []), (["", "b"], ["", "b"])]
)
def test_arrays_are_repeated_elements(items: Any, texts: list[str]) -> None:
    _output, request, _repeatable = invoked({"uValue": items, "last": 1})
    sent = ET.fromstring(request.body)
    assert [item.text or "" for item in sent if item.tag.endswith("}uValue")] == texts
    assert sent[-1].tag.endswith("}last")


def test_output_of_another_method() -> None:
    with pytest.raises(UnexpectedAnswer, match="doing it: the answer holds no Do_OUTPUT"):
        invoked({}, "<p:Other_OUTPUT/>")


def test_output_in_any_namespace() -> None:
    output, _request, _repeatable = invoked({}, "<Do_OUTPUT><ReturnValue>5</ReturnValue></Do_OUTPUT>")
    assert output.integer("ReturnValue") == 5


@pytest.mark.parametrize(("told", "code"), [("-2147217403", 0x80041005), ("-1", 0xFFFFFFFF), ("5", 5), ("0", 0)])
def test_return_value_is_unsigned(told: str, code: int) -> None:
    output, _request, _repeatable = invoked({}, f"<p:Do_OUTPUT><p:ReturnValue>{told}</p:ReturnValue></p:Do_OUTPUT>")
    assert output.integer("ReturnValue") == code


def test_long_arrays_take_no_time() -> None:
    content = f"<X>{'<A>7</A>' * 100_000}</X>"
    started = time.process_time()
    instance = got(content)
    assert time.process_time() - started < 3
    assert len(instance.strings("A")) == 100_000
