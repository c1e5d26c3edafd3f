# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get, Enumerate, Pull and WQL over the wire, and the values of the four Win32 classes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import wql
from tests.lab.client import HostClient, LabClient
from tests.unit.lab.wire import WMI, XSI, N, Reply, W, Wire, envelope, values_of

CIM = "http://schemas.dmtf.org/wbem/wscim/1/common"


@pytest.fixture
def old(lab: LabClient) -> Iterator[Wire]:
    client = Wire(lab.host("old"))
    yield client
    client.close()


@pytest.fixture
def late(lab: LabClient) -> Iterator[Wire]:
    client = Wire(lab.host("late"))
    yield client
    client.close()


def items(reply: Reply) -> list[Any]:
    assert reply.status == 200, reply.body
    found = [element for name in (f"{{{W}}}Items", f"{{{N}}}Items") for element in reply.content.iter(name)]
    return [item for element in found for item in element]


def test_operating_system(wire: Wire, plain: HostClient) -> None:
    reply = wire.get("Win32_OperatingSystem")
    element = reply.content
    uri = f"{WMI}/root/cimv2/Win32_OperatingSystem"
    assert element.tag == f"{{{uri}}}Win32_OperatingSystem"
    assert element.get(f"{{{XSI}}}type") == "p:Win32_OperatingSystem_Type"
    values = reply.outputs
    assert values["Caption"] == "Microsoft Windows Server 2019 Standard"
    assert (values["BuildNumber"], values["ProductType"], values["CSName"]) == ("17763", "3", "PLAIN")
    assert values["CSDVersion"] is None
    assert values["TotalVisibleMemorySize"] == "33554432"
    assert (values["Primary"], values["Debug"]) == ("true", "false")
    boot = element.find(f"{{{uri}}}LastBootUpTime/{{{CIM}}}Datetime")
    assert boot is not None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", boot.text or "")


def test_how_datetimes_are_written(old: Wire, late: Wire, lab: LabClient) -> None:
    values = old.get("Win32_OperatingSystem").outputs
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\+05:30", values["LastBootUpTime"])
    assert values["Caption"].endswith("Standard ")
    assert values["CSDVersion"] == "Service Pack 1"
    assert values["CurrentTimeZone"] == "330"
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-03:00", late.get("Win32_OperatingSystem").outputs["LocalDateTime"]
    )
    assert abs(lab.host("old").boot_time() - lab.host("late").boot_time() - 90) < 5  # the clock of "old" is 90 s ahead


def test_computer_system_is_no_singleton(wire: Wire) -> None:
    assert wire.get("Win32_ComputerSystem").fault[0] == 2150859002
    selected = '<w:SelectorSet><w:Selector Name="name">plain</w:Selector></w:SelectorSet>'
    values = wire.get("Win32_ComputerSystem", extra=selected).outputs
    assert (values["Name"], values["Domain"], values["DomainRole"]) == ("PLAIN", "lab.test", "3")
    assert (values["PartOfDomain"], values["Workgroup"]) == ("true", None)
    assert "OEMStringArray" not in values  # a null array is not there at all
    assert values["Roles"] == ["LM_Workstation", "LM_Server", "NT", "Server_NT"]


def test_not_in_a_domain(late: Wire) -> None:
    selected = '<w:SelectorSet><w:Selector Name="Name">LATE</w:Selector></w:SelectorSet>'
    values = late.get("Win32_ComputerSystem", extra=selected).outputs
    assert (values["Domain"], values["DomainRole"], values["PartOfDomain"]) == ("WORKGROUP", "2", "false")


@pytest.mark.parametrize(
    ("selectors", "number"),
    [
        ({"Name": "Nothing"}, 2150858752),
        ({"Title": "W32Time"}, 2150858843),
        ({}, 2150859002),
    ],
)
def test_selecting_a_service(wire: Wire, selectors: dict[str, str], number: int) -> None:
    inner = "".join(f'<w:Selector Name="{name}">{value}</w:Selector>' for name, value in selectors.items())
    reply = wire.get("Win32_Service", extra=f"<w:SelectorSet>{inner}</w:SelectorSet>")
    assert reply.fault[0] == number


def test_get_has_no_body(wire: Wire) -> None:
    uri = f"{WMI}/root/cimv2/Win32_OperatingSystem"
    reply = wire.post(envelope(uri, "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get", "<x/>"))
    assert reply.fault[0] == 2150858791


class TestEnumerate:
    def test_whole_instances_in_one_message(self, wire: Wire) -> None:
        reply = wire.enumerate("SELECT * FROM Win32_Service WHERE Name LIKE 'MSExchange%' AND StartMode = 'Auto'")
        names = [values_of(item)["Name"] for item in items(reply)]
        assert "MSExchangeTransport" in names
        assert "MSExchangeImap4" not in names
        assert reply.content.find(f"{{{W}}}EndOfSequence") is not None
        assert not reply.content.findtext(f"{{{N}}}EnumerationContext")
        assert items(reply)[0].tag == f"{{{WMI}/root/cimv2/Win32_Service}}Win32_Service"

    def test_chosen_properties_have_no_namespace(self, wire: Wire) -> None:
        reply = wire.enumerate("select LastBootUpTime, csname from Win32_OperatingSystem")
        (fragment,) = items(reply)
        assert fragment.tag == f"{{{W}}}XmlFragment"
        assert [child.tag for child in fragment] == ["LastBootUpTime", "CSName"]
        assert fragment[0][0].tag == "Datetime"

    def test_by_class_without_a_filter(self, wire: Wire) -> None:
        reply = wire.enumerate(None, uri=f"{WMI}/root/cimv2/Win32_QuickFixEngineering")
        found = {values_of(item)["HotFixID"]: values_of(item)["InstalledOn"] for item in items(reply)}
        assert found == {"KB5062557": "10/15/2025", "KB5011644": "3/4/2024"}

    def test_split_over_messages(self, old: Wire) -> None:
        reply = old.enumerate("SELECT Name FROM Win32_Service")
        names = [item[0].text for item in items(reply)]
        assert len(names) == 3
        messages = 1
        while reply.content.find(f"{{{N}}}EndOfSequence") is None:
            reply = old.pull(reply.content.findtext(f"{{{N}}}EnumerationContext") or "")
            assert reply.content.find(f"{{{W}}}Items") is None
            names += [item[0].text for item in items(reply)]
            messages += 1
        assert len(names) == len(set(names)) == 30
        assert messages == 10
        assert reply.content.find(f"{{{N}}}EnumerationContext") is None

    def test_first_message_without_items(self, late: Wire) -> None:
        reply = late.enumerate("SELECT * FROM Win32_OperatingSystem")
        assert reply.content.find(f"{{{W}}}Items") is None
        reply = late.pull(reply.content.findtext(f"{{{N}}}EnumerationContext") or "")
        assert values_of(items(reply)[0])["BuildNumber"] == "20348"

    def test_not_optimized(self, wire: Wire) -> None:
        reply = wire.enumerate("SELECT * FROM Win32_OperatingSystem", options="")
        assert [child.tag for child in reply.content] == [f"{{{N}}}EnumerationContext"]

    def test_one_item_where_the_request_names_no_number(self, wire: Wire) -> None:
        reply = wire.enumerate("SELECT Name FROM Win32_Service", options="<w:OptimizeEnumeration/>")
        assert len(items(reply)) == 1
        assert reply.content.find(f"{{{W}}}EndOfSequence") is None

    def test_nothing_found(self, wire: Wire) -> None:
        reply = wire.enumerate("SELECT * FROM Win32_Service WHERE Name = 'None'")
        assert items(reply) == []
        assert reply.content.find(f"{{{W}}}EndOfSequence") is not None

    def test_context_ends(self, old: Wire) -> None:
        context = old.enumerate("SELECT Name FROM Win32_Service").content.findtext(f"{{{N}}}EnumerationContext") or ""
        body = f"<n:Release><n:EnumerationContext>{context}</n:EnumerationContext></n:Release>"
        uri = f"{WMI}/root/cimv2/*"
        assert old.post(envelope(uri, f"{N}/Release", body)).status == 200
        assert old.pull(context).fault == (2150858779, "s:Receiver", "n:InvalidEnumerationContext")

    @pytest.mark.parametrize(
        ("query", "number"),
        [
            ("SELECT * FROM Win32_Nothing", 2150858778),
            ("SELECT * FROM StdRegProv WHERE", 2150858778),
            ("SELEKT * FROM Win32_Service", 2150858778),
            ("SELECT Colour FROM Win32_Service", 2150858778),
            ("SELECT * FROM Win32_Service WHERE Colour = 1", 2150858778),
            ("", 2150858778),
        ],
    )
    def test_bad_queries(self, wire: Wire, query: str, number: int) -> None:
        reply = wire.enumerate(query)
        assert reply.fault == (number, "s:Sender", "n:CannotProcessFilter")
        assert b"__ExtendedStatus" in reply.body

    def test_bad_requests(self, wire: Wire) -> None:
        assert wire.enumerate(None).fault[0] == 2150858778
        assert wire.enumerate("SELECT * FROM Win32_Service", uri=f"{WMI}/root/nowhere/*").fault[0] == 2150858752
        assert (
            wire.enumerate("SELECT * FROM Win32_Service", uri=f"{WMI}/root/cimv2/Win32_Service").fault[0] == 2150858778
        )
        xpath = (
            '<n:Enumerate><w:Filter Dialect="http://www.w3.org/TR/1999/REC-xpath-19991116">x</w:Filter></n:Enumerate>'
        )
        assert wire.post(envelope(f"{WMI}/root/cimv2/*", f"{N}/Enumerate", xpath)).fault[0] == 2150858777
        for options, number in (
            ("<w:MaxElements>0</w:MaxElements>", 2150858817),
            ("<w:MaxElements>1</w:MaxElements><w:MaxElements>1</w:MaxElements>", 2150858817),
            ("<w:Faster/>", 2150858818),
        ):
            assert wire.enumerate("SELECT * FROM Win32_Service", options=options).fault[0] == number


def test_services(wire: Wire, plain: HostClient) -> None:
    if plain.restarts():
        time.sleep(max(0.0, plain.restarts()[-1]["up_at"] + 0.6 - time.time()))  # they take their time to start
    reply = wire.enumerate("SELECT * FROM Win32_Service WHERE Name = 'W32Time' OR Name = 'RemoteRegistry'")
    found = {values["Name"]: values for values in map(values_of, items(reply))}
    assert (found["W32Time"]["State"], found["W32Time"]["StartMode"], found["W32Time"]["Started"]) == (
        "Running",
        "Auto",
        "true",
    )
    assert (found["RemoteRegistry"]["State"], found["RemoteRegistry"]["StartMode"]) == ("Stopped", "Disabled")


def test_identify(wire: Wire) -> None:
    body = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
        "<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>"
    )
    values = wire.post(body).outputs
    assert values["ProductVendor"] == "Microsoft Corporation"
    assert values["ProductVersion"] == "OS: 10.0.17763 SP: 0.0 Stack: 3.0"


ROW = {"NAME": "MSExchangeIS", "STATE": "Running", "PID": 12, "STARTED": True, "DESCRIPTION": None}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Name = 'msexchangeis'", True),
        ("name <> 'msexchangeis'", False),
        ("Name LIKE 'MSExch%'", True),
        ("Name LIKE 'MSExch_'", False),
        ("Name LIKE '[LM]SExchange__'", True),
        ("Pid >= 12 AND Pid < 13", True),
        ("Pid = '12'", True),
        ("Pid = 'twelve'", False),
        ("Started = TRUE", True),
        ("Started = 'false'", False),
        ("Description IS NULL", True),
        ("Description IS NOT NULL", False),
        ("Description = 'x'", False),
        ("NOT (State = 'Stopped' OR Pid = 0)", True),
        ("State = 'Stopped' OR Pid = 12 AND Started = TRUE", True),
        ('Name = "MSExchangeIS"', True),
        (r"Name = 'O\'Neill'", False),
    ],
)
def test_wql_conditions(condition: str, expected: bool) -> None:
    assert wql.parse(f"SELECT * FROM Win32_Service WHERE {condition}").where(ROW) is expected


@pytest.mark.parametrize(
    "query",
    [
        "SELECT FROM x",
        "SELECT * x",
        "SELECT * FROM",
        "SELECT * FROM x WHERE",
        "SELECT * FROM x WHERE a",
        "SELECT * FROM x WHERE a =",
        "SELECT * FROM x WHERE (a = 1",
        "SELECT * FROM x WHERE a = 1 b",
        "SELECT * FROM x WHERE a = 'open",
        "SELECT a, FROM x",
        "SELECT * FROM x; DROP",
    ],
)
def test_wql_errors(query: str) -> None:
    with pytest.raises(wql.WqlError):
        wql.parse(query)
