# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quirks: each strikes where it is told to, and nowhere else."""

from __future__ import annotations

import http.client
import threading
import time
import xml.etree.ElementTree as ET

import pytest

from tests.lab import faults
from tests.lab.client import HostClient, LabClient, LabError
from tests.lab.quirks import NAMES, QuirkError, Quirks
from tests.unit.lab.wire import HKLM, PROTOCOLS, F, N, Reply, S, Wire

KEY = rf"{PROTOCOLS}\SSL 2.0\Client"
CUT = (ConnectionError, http.client.HTTPException)


def read(wire: Wire) -> Reply:
    return wire.invoke("GetDWORDValue", ("hDefKey", HKLM), ("sSubKeyName", KEY), ("sValueName", "DisabledByDefault"))


def write(wire: Wire, data: int) -> Reply:
    return wire.invoke(
        "SetDWORDValue",
        ("hDefKey", HKLM),
        ("sSubKeyName", r"SOFTWARE\Quirks"),
        ("sValueName", "v"),
        ("uValue", str(data)),
    )


EXPECTED = {
    "invalid_selectors": (2150858843, "s:Sender", "w:InvalidSelectors"),
    "timeout": (2150858793, "s:Receiver", "w:TimedOut"),
    "bad_header": (2150858767, "s:Sender", "a:InvalidMessageInformationHeader"),
    "invalid_class": (2150858778, "s:Sender", "n:CannotProcessFilter"),
    "not_found": (2150858752, "s:Sender", "a:DestinationUnreachable"),
    "not_singleton": (2150859002, "s:Sender", "w:InvalidSelectors"),
    "too_many_operations": (2150859174, "s:Receiver", "w:InternalError"),
    "access_denied": (5, "s:Sender", "w:AccessDenied"),
    "access_denied_shell": (2147942405, "s:Receiver", "w:InternalError"),
    "wmi_access_denied": (2150859012, "s:Sender", "w:AccessDenied"),
    "provider_cannot": (2150859010, "s:Receiver", "w:InternalError"),
}


@pytest.mark.parametrize(("kind", "expected"), EXPECTED.items())
def test_each_fault(wire: Wire, plain: HostClient, kind: str, expected: tuple[int, str, str]) -> None:
    plain.set_quirk("fault", {"match": {"operation": "StdRegProv.GetDWORDValue", "nth": 1}, "kind": kind})
    assert read(wire).fault == expected
    assert read(wire).outputs["uValue"] == "1"


def test_every_kind_is_tested() -> None:
    assert set(EXPECTED) | {"shell_quota"} == set(faults.BY_KIND)


@pytest.mark.parametrize("encoding", ["cim", "storage", "standardcimv2"])
@pytest.mark.parametrize("kind", sorted(faults.BY_KIND))
def test_faults_as_wmi_errors(wire: Wire, plain: HostClient, kind: str, encoding: str) -> None:
    plain.set_quirk("fault", {"kind": kind, "encoding": encoding})
    content = read(wire).content
    errors = [element for element in content.iter() if element.tag.endswith("}MSFT_WmiError")]
    assert len(errors) == 1
    namespace = errors[0].tag[1:].partition("}")[0]
    assert encoding in namespace.lower() or encoding == "cim"
    assert errors[0].findtext(f"{{{namespace}}}error_Code") == str(faults.BY_KIND[kind].number)
    assert list(content.iter(f"{{{F}}}WSManFault")) == []


def test_shell_quota_has_no_wsman_fault(wire: Wire, plain: HostClient) -> None:
    plain.set_quirk("fault", {"kind": "shell_quota"})
    reply = read(wire)
    namespace = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
    (error,) = reply.content.iter(f"{{{namespace}}}MSFT_WmiError")
    assert error.findtext(f"{{{namespace}}}CIMStatusCode") == "27"
    assert error.findtext(f"{{{namespace}}}error_Code") == "2150859173"
    assert [value.text for value in reply.content.iter(f"{{{S}}}Value")] == ["s:Sender", "w:QuotaLimit"]


@pytest.mark.parametrize(
    ("kind", "status"), [("http_400_empty", 400), ("http_404_empty", 404), ("http_500_empty", 500)]
)
def test_bare_http(wire: Wire, plain: HostClient, kind: str, status: int) -> None:
    plain.set_quirk("fault", {"request": 1, "kind": kind})
    reply = read(wire)
    assert (reply.status, reply.body) == (status, b"")
    assert read(wire).status == 200


def test_busy_with_a_time(wire: Wire, plain: HostClient) -> None:
    plain.set_quirk("fault", {"request": 1, "kind": "http_429_empty"})
    reply = read(wire)
    assert (reply.status, reply.headers["Retry-After"]) == (429, "1")
    reply = read(wire)
    assert (reply.status, reply.headers.get("Retry-After")) == (200, None)


def test_every_answer_closes(wire: Wire, plain: HostClient) -> None:
    plain.set_quirk("closes_connection")
    reply = read(wire)
    assert (reply.status, reply.headers["Connection"]) == (200, "close")
    plain.set_quirk("closes_connection", False)
    assert "Connection" not in read(wire).headers


def test_drip(wire: Wire, plain: HostClient) -> None:
    plain.set_quirk("drip", 0.001)
    started = time.monotonic()
    reply = read(wire)
    assert reply.outputs["uValue"] == "1"
    assert time.monotonic() - started >= 0.001 * len(reply.body)


def test_list_that_ends_early(lab: LabClient) -> None:
    host = lab.host("old")
    wire = Wire(host)
    reply = wire.enumerate("SELECT * FROM Win32_Service")
    context = reply.content.findtext(f"{{{N}}}EnumerationContext", "")
    assert context
    host.set_quirk("list_ends_early")
    assert [element.tag for element in wire.pull(context).content] == [f"{{{N}}}Items"]
    host.clear_quirks()


def test_html_503(wire: Wire, plain: HostClient) -> None:
    plain.set_quirk("fault", {"request": 2, "kind": "http_503_html"})
    assert read(wire).status == 200
    reply = read(wire)
    assert (reply.status, reply.headers["Content-Type"]) == (503, "text/html; charset=us-ascii")
    assert b"Service Unavailable" in reply.body


def test_a_fault_executes_nothing(wire: Wire, plain: HostClient) -> None:
    plain.set_value(r"SOFTWARE\Quirks", "v", 0)
    plain.set_quirk("fault", {"kind": "timeout"})
    assert write(wire, 1).fault[0] == 2150858793
    assert plain.registry(r"SOFTWARE\Quirks") == {"v": {"type": "REG_DWORD", "data": 0}}


@pytest.mark.parametrize(("when", "stored"), [("before", 0), ("after", 7)])
@pytest.mark.parametrize("how", ["fin", "reset"])
def test_cut(wire: Wire, plain: HostClient, when: str, stored: int, how: str) -> None:
    plain.set_value(r"SOFTWARE\Quirks", "v", 0)
    plain.set_quirk("cut", {"request": 2, "when": when, "how": how})
    assert read(wire).status == 200
    with pytest.raises(CUT):
        write(wire, 7)
    assert plain.registry(r"SOFTWARE\Quirks") == {"v": {"type": "REG_DWORD", "data": stored}}
    last = plain.requests()[-1]
    assert (last["operation"], last["http_status"]) == ("StdRegProv.SetDWORDValue", None)
    assert read(Wire(plain)).status == 200


def test_cut_every_request_a_few_times(plain: HostClient) -> None:
    plain.set_quirk("cut", {"every": True, "request": 2, "count": 2})
    outcomes = []
    for _attempt in range(5):
        try:
            outcomes.append(read(Wire(plain)).status)
        except CUT:
            outcomes.append(0)
    assert outcomes == [200, 0, 0, 200, 200]


def test_logins_do_not_count_as_requests(plain: HostClient) -> None:
    plain.set_quirk("cut", {"request": 1})
    wire = Wire(plain, password="wrong")
    assert read(wire).status == 401
    with pytest.raises(CUT):
        read(Wire(plain))


def test_delay(wire: Wire, plain: HostClient) -> None:
    plain.set_quirk("delay", {"request": 1, "seconds": 0.3})
    started = time.monotonic()
    assert read(wire).status == 200
    assert 0.3 <= time.monotonic() - started < 3
    started = time.monotonic()
    read(wire)
    assert time.monotonic() - started < 0.2


@pytest.mark.parametrize(("when", "written"), [("before", []), ("after", ["v"])])
def test_hold(plain: HostClient, when: str, written: list[str]) -> None:
    """Nothing is answered until the quirk is taken back, and all goes on then."""
    if plain.registry(r"SOFTWARE\Quirks") is not None:
        plain.delete_key(r"SOFTWARE\Quirks")
    plain.create_key(r"SOFTWARE\Quirks")
    plain.set_quirk("hold", {"operation": "StdRegProv.SetDWORDValue", "when": when})
    replies: list[Reply] = []
    asking = threading.Thread(target=lambda: replies.append(write(Wire(plain), 1)))
    asking.start()
    while not plain.held():
        time.sleep(0.01)
    assert plain.held() == ["StdRegProv.SetDWORDValue"]
    assert list(plain.registry(r"SOFTWARE\Quirks") or {}) == written
    assert replies == []
    plain.set_quirk("hold", None)
    asking.join()
    assert (replies[0].status, plain.held()) == (200, [])
    assert list(plain.registry(r"SOFTWARE\Quirks") or {}) == ["v"]
    plain.delete_key(r"SOFTWARE\Quirks")


class TestAnswers:
    def answer(self, wire: Wire, plain: HostClient, kind: str) -> Reply:
        plain.set_quirk("answer", {"request": 1, "body": kind})
        reply = read(wire)
        assert reply.status == 200
        assert read(wire).outputs["uValue"] == "1"
        return reply

    def test_html(self, wire: Wire, plain: HostClient) -> None:
        reply = self.answer(wire, plain, "html")
        assert reply.headers["Content-Type"] == "text/html"
        assert reply.body.startswith(b"<html>")

    def test_truncated(self, wire: Wire, plain: HostClient) -> None:
        with pytest.raises(ET.ParseError):
            dummy = self.answer(wire, plain, "truncated").root

    def test_oversized(self, wire: Wire, plain: HostClient) -> None:
        reply = self.answer(wire, plain, "oversized")
        assert len(reply.body) > 32 * 1024 * 1024

    def test_entity_expansion(self, wire: Wire, plain: HostClient) -> None:
        body = self.answer(wire, plain, "entity_expansion").body
        assert body.startswith(b'<!DOCTYPE s [<!ENTITY e0 "lol">')
        assert body.count(b"&e10;") == 10

    def test_garbage(self, wire: Wire, plain: HostClient) -> None:
        with pytest.raises(ET.ParseError):
            dummy = self.answer(wire, plain, "garbage").root

    def test_empty(self, wire: Wire, plain: HostClient) -> None:
        assert self.answer(wire, plain, "empty").body == b""


def test_several_of_one_kind_at_once(wire: Wire, plain: HostClient) -> None:
    plain.set_quirk("fault", [{"request": 1, "kind": "timeout"}, {"request": 2, "kind": "access_denied"}])
    assert [read(wire).fault[0] for _attempt in range(2)] == [2150858793, 5]
    assert read(wire).status == 200


def test_wildcards_and_nth() -> None:
    quirks = Quirks({"delay": {"operation": "StdRegProv.Set*", "nth": 2, "seconds": 1}})
    operations = [
        "StdRegProv.SetDWORDValue",
        "StdRegProv.EnumKey",
        "StdRegProv.SetQWORDValue",
        "StdRegProv.SetDWORDValue",
    ]
    assert [quirks.strike(operation).delay for operation in operations] == [0, 0, 1, 0]


def test_counters_start_again_when_set_again(wire: Wire, plain: HostClient) -> None:
    for _round in range(2):
        plain.set_quirk("fault", {"request": 1, "kind": "timeout"})
        assert read(wire).fault[0] == 2150858793
        assert read(wire).status == 200


def test_taking_back(wire: Wire, plain: HostClient) -> None:
    plain.set_quirk("fault", {"kind": "timeout"})
    plain.set_quirk("void_return")
    assert plain.quirks() == {"fault": {"kind": "timeout"}, "void_return": True}
    plain.set_quirk("fault", None)
    assert plain.quirks() == {"void_return": True}
    assert read(wire).status == 200
    plain.clear_quirks()
    assert plain.quirks() == {}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("falt", {"kind": "timeout"}, "did you mean 'fault'"),
        ("zzz", True, "known: "),
        ("fault", {"kind": "earthquake"}, "none of"),
        ("fault", {}, "kind missing"),
        ("fault", {"kind": "timeout", "tims": 1}, "unknown key"),
        ("fault", True, "a mapping is needed"),
        ("fault", {"kind": "timeout", "nth": 0}, "a number from 1"),
        ("fault", {"kind": "timeout", "request": True}, "a number from 1"),
        ("answer", {"body": "nothing"}, "none of"),
        ("delay", {"seconds": "long"}, "a number is needed"),
        ("delay", {"request": 1}, "seconds missing"),
        ("down", 1, "true or false"),
        ("ntlm_idle", "long", "a number is needed"),
        ("failed_get", "maybe", "none of"),
        ("silent_write_loss", {"key": "x"}, "key and value"),
        ("registry_reverted_at_restart", ["stock"], "a mapping"),
        ("registry_reverted_at_restart", {"x": {"v": "text"}}, "a mapping"),
    ],
)
def test_wrong_quirks_are_refused(plain: HostClient, name: str, value: object, words: str) -> None:
    with pytest.raises(QuirkError, match=words):
        Quirks({name: value})
    with pytest.raises(LabError, match=words):
        plain.set_quirk(name, value)


def test_every_quirk_has_a_test() -> None:
    """A quirk nobody tests is a promise nobody keeps: its name must occur in these files."""
    from pathlib import Path

    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_lab_*.py"))
    assert [name for name in sorted(NAMES) if f'set_quirk("{name}"' not in text] == []
