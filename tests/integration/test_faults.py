# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a host can answer but what was asked for: what a person is told, and what is left on the host."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest

from tests.lab import faults
from tests.lab.client import LabClient
from tests.lab.namespaces import WMI_ERROR

from .fleet import (
    ACCOUNTS,
    FORKS,
    Dump,
    assert_no_traceback,
    only,
    overriding,
    protocols,
    untruths,
)
from .harness import NOTE_KEY, PROTOCOLS_KEY, TLS12_CLIENT, TLS12_SERVER, Ansible, Outcome, Run

SCHANNEL = PROTOCOLS_KEY.rpartition("\\")[0]

# What the task says about a fault: its number, and what to do.
FAULTS = {
    "invalid_selectors": ("2150858843", "run the play again"),
    "timeout": ("2150858793", "operation timeout"),
    "bad_header": ("2150858767", "between controller and host"),
    "invalid_class": ("2150858778", "does not exist on this Windows"),
    "not_found": ("2150858752", "does not exist on this Windows"),
    "not_singleton": ("2150859002", "more than one instance"),
    "shell_quota": ("2150859173", "MaxShellsPerUser"),
    "too_many_operations": ("2150859174", "forks"),
    "access_denied": ("5", "Administrators"),
    "access_denied_shell": ("2147942405", "Administrators"),
    "wmi_access_denied": ("2150859012", "Administrators"),
    "provider_cannot": ("2150859010", "winmgmt /verifyrepository"),
}
HTTP = {
    "http_400_empty": ("HTTP 400",),
    "http_404_empty": ("HTTP 404", "port and path"),
    "http_500_empty": ("HTTP 500", "unencrypted"),
    "http_429_empty": ("HTTP 429",),
    "http_503_html": ("HTTP 503", "Service Unavailable"),
}
ANSWERS = {
    "truncated": ("cannot be read", "not well-formed", "wire_log"),
    "oversized": ("larger than",),
    "entity_expansion": ("document type declaration",),
}
# No answers at all: the host is asked once more, over a new login.
NO_ANSWERS = {
    "garbage": ("1024 bytes", "came instead of an answer of WinRM"),
    "empty": ("an empty answer", "came instead of an answer of WinRM"),
}
# Requests of a run: the first, one in the middle of reading, one that writes.
FIRST = {"request": 1}
LATER = {"request": 8}
WRITE = {"operation": "StdRegProv.SetDWORDValue", "nth": 2}


@dataclasses.dataclass(frozen=True)
class Case:
    """One host: what is wrong with it, how the task ends, what it says, and what is left on the host."""

    outcome: str
    says: tuple[str, ...] = ()
    quirks: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    host: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    undo: bool = True
    # what the first, second ... change has become; empty where the task did not come as far as that
    statuses: tuple[str, ...] = ()
    writes: bool = True

    @property
    def left(self) -> bool:
        """Whether anything of the change is left on the host though the task failed."""
        return self.outcome != "ok" and "written" in self.statuses


def every(**trigger: t.Any) -> dict[str, t.Any]:
    return {**trigger, "every": True}


def reading() -> t.Iterator[tuple[str, Case]]:
    """What goes wrong while the host is read: nothing is written."""
    for place, trigger in (("first", FIRST), ("later", LATER)):
        for kind, words in FAULTS.items():
            quirk = {"fault": {"kind": kind, **every(**trigger)}}
            yield f"{kind}-{place}", Case("failed", words, quirk, writes=False)
        for kind, says in HTTP.items():
            yield (
                f"{kind}-{place}",
                Case("unreachable", says, {"fault": {"kind": kind, **every(**trigger)}}, writes=False),
            )
        for body, says in ANSWERS.items():
            yield f"{body}-{place}", Case("failed", says, {"answer": {"body": body, **trigger}}, writes=False)
        for body, says in NO_ANSWERS.items():
            quirk = {"answer": {"body": body, **every(**trigger)}}
            yield f"{body}-{place}", Case("unreachable", says, quirk, writes=False)
    for encoding in WMI_ERROR:
        for kind in ("access_denied", "provider_cannot", "timeout", "invalid_class", "shell_quota"):
            quirk = {"fault": {"kind": kind, "encoding": encoding, **LATER}}
            yield f"{kind}-{encoding}", Case("failed", FAULTS[kind], quirk, writes=False)


def protected(key: str, read: bool = True) -> dict[str, t.Any]:
    return {"protected_keys": [{"key": rf"HKLM\{key}", "read": read}]}


UNWRITTEN = ("not_written",) * 4
PUT_BACK = ("put_back", "not_written", "not_written", "not_written")
LOST = {"key": rf"HKLM\{TLS12_CLIENT}", "value": "DisabledByDefault"}
DENIED = ("may not write", "nothing was changed", "Administrators")

READING = dict(reading())
WRITING = {
    # the account may not do what the plan needs: seen before the first write
    "denied-client": Case(
        "failed", (*DENIED, "Client"), host=protected(TLS12_CLIENT), statuses=UNWRITTEN, writes=False
    ),
    "denied-server": Case(
        "failed", (*DENIED, "Server"), host=protected(TLS12_SERVER), statuses=UNWRITTEN, writes=False
    ),
    "denied-all": Case("failed", DENIED, host=protected(SCHANNEL), statuses=UNWRITTEN, writes=False),
    "denied-note": Case("failed", (*DENIED, "SOFTWARE"), host=protected("SOFTWARE"), statuses=UNWRITTEN, writes=False),
    "denied-fault": Case(
        "failed",
        DENIED,
        {"protected_key_fault": True},
        protected(TLS12_SERVER),
        statuses=UNWRITTEN,
        writes=False,
    ),
    "unreadable": Case(
        "failed", ("may not read", "TLS 1.2", "Administrators"), host=protected(TLS12_SERVER, read=False), writes=False
    ),
    "unreadable-fault": Case(
        "failed",
        ("2150859012", "TLS 1.2", "Administrators"),
        {"protected_key_fault": True},
        protected(TLS12_SERVER, read=False),
        writes=False,
    ),
    # refused all the same when it is written
    **{
        f"write-{kind}": Case("failed", (*words, "put back"), {"fault": {"kind": kind, **WRITE}}, statuses=PUT_BACK)
        for kind, words in FAULTS.items()
        if kind != "timeout"
    },
    **{
        f"write-{body}": Case(
            "failed",
            (*says, "put back"),
            {"answer": {"body": body, **WRITE}},
            statuses=("put_back", "put_back", "not_written", "not_written"),
        )
        for body, says in ANSWERS.items()
    },
    **{
        f"write-{body}": Case("ok", quirks={"answer": {"body": body, **WRITE}}, statuses=("written",) * 4)
        for body in NO_ANSWERS
    },
    # whether a write that timed out was carried out is looked up, and it is tried again
    "write-timeout": Case("ok", quirks={"fault": {"kind": "timeout", **WRITE}}, statuses=("written",) * 4),
    "write-timeouts": Case(
        "failed", ("2150858793",), {"fault": {"kind": "timeout", **WRITE, "count": 2, "every": True}}, statuses=PUT_BACK
    ),
    "write-left": Case(
        "failed",
        ("2150859010", "undo_on_failure", "Still changed", "Client [Enabled]"),
        {"fault": {"kind": "provider_cannot", **WRITE}},
        undo=False,
        statuses=("written", "not_written", "not_written", "not_written"),
    ),
    "write-garbled-left": Case(
        "failed",
        ("cannot be read", "undo_on_failure", "Still changed", "Client [DisabledByDefault]"),
        {"answer": {"body": "truncated", **WRITE}},
        undo=False,
        statuses=("written", "written", "not_written", "not_written"),
    ),
    "write-refused-for-good": Case(
        "failed",
        ("2150859010", "Putting the old values back failed as well", "Client [Enabled]", "roll back with the backup"),
        {"fault": {"kind": "provider_cannot", **every(**WRITE)}},
        statuses=("written", "not_written", "not_written", "not_written"),
    ),
    "lost": Case("failed", ("reading it back", "put back"), {"silent_write_loss": LOST}, statuses=PUT_BACK),
    "lost-left": Case(
        "failed",
        ("reading it back", "undo_on_failure"),
        {"silent_write_loss": LOST},
        undo=False,
        statuses=("written", "not_written", "not_written", "not_written"),
    ),
    # what Windows versions differ in
    "nil": Case("ok", quirks={"failed_get": "nil"}, host={"registry": ["stock"]}, statuses=("written",) * 4),
    "absent": Case("ok", quirks={"failed_get": "absent"}, host={"registry": ["stock"]}, statuses=("written",) * 4),
    "void": Case("ok", quirks={"void_return": True}, host={"registry": ["stock"]}, statuses=("written",) * 4),
    "wrong-type": Case("ok", host={"registry": ["stock", "wrong_type"]}, statuses=("written",) * 3),
    "pages": Case("ok", host={"winrm": {"first_page_empty": True, "page_size": 1}}, statuses=("written",) * 4),
}
CASES = {**READING, **WRITING}

LAB: dict[str, t.Any] = {
    "accounts": ACCOUNTS,
    "hosts": {
        name.replace("_", "-"): {"windows": "2016", "registry": ["stock", "tls12_off"], **case.host}
        for name, case in CASES.items()
    },
}


@dataclasses.dataclass(frozen=True)
class Result:
    """How the task ended on one host, and the host before and after it."""

    item: Outcome
    before: Dump
    after: Dump
    note: bool
    operations: list[str]
    untruths: list[str]


def act(lab: LabClient, ansible: Ansible, cases: t.Mapping[str, Case], **how: t.Any) -> tuple[Run, dict[str, Result]]:
    hosts = {name: lab.host(name.replace("_", "-")) for name in cases}
    before = {}
    for name, case in cases.items():
        for quirk, value in case.quirks.items():
            hosts[name].set_quirk(quirk, value)
        hosts[name].reset_log()
        before[name] = protocols(hosts[name])
    extra = overriding(ansible.folder, {hosts[name].name: {"undo": case.undo} for name, case in cases.items()})
    run = ansible.task(
        "tls_settings",
        *extra,
        *FORKS,
        hosts=":".join(host.name for host in hosts.values()),
        options={"undo_on_failure": "{{ undo }}"},
        **how,
    )
    results = {}
    for name, host in hosts.items():
        item = only(run.of("tls_settings", host.name))
        results[name] = Result(
            item,
            before[name],
            protocols(host),
            host.registry(NOTE_KEY) is not None,
            host.operations(),
            untruths(host, item.result),
        )
    return run, results


@pytest.fixture(scope="module")
def over_psrp(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, dict[str, Result]]:
    return act(lab, Ansible(lab, tmp_path_factory.mktemp("psrp")), READING, connection="psrp")


@pytest.fixture(scope="module")
def over_winrm(
    lab: LabClient, tmp_path_factory: pytest.TempPathFactory, over_psrp: object
) -> tuple[Run, dict[str, Result]]:
    del over_psrp  # nothing is written in it, so that the hosts are as they were
    return act(lab, Ansible(lab, tmp_path_factory.mktemp("winrm")), CASES)


def test_every_kind_of_fault_is_tried() -> None:
    assert set(FAULTS) | set(HTTP) == faults.KINDS


@pytest.mark.parametrize("connection", ["winrm", "psrp"])
def test_no_output_holds_a_traceback(connection: str, request: pytest.FixtureRequest) -> None:
    run, _results = request.getfixturevalue(f"over_{connection}")
    assert_no_traceback(run)


@pytest.mark.parametrize(
    ("connection", "name"), [*(("winrm", name) for name in CASES), *(("psrp", name) for name in READING)]
)
def test_how_the_task_ends_and_what_it_leaves(connection: str, name: str, request: pytest.FixtureRequest) -> None:
    _run, results = request.getfixturevalue(f"over_{connection}")
    case, result = CASES[name], results[name]
    message = str(result.item.result.get("msg", ""))
    assert result.item.outcome == case.outcome, message
    for word in case.says:
        assert word in message
    changes = result.item.result.get("changes", [])
    assert tuple(change["status"] for change in changes) == case.statuses, message
    assert result.untruths == []
    written = [name for name in result.operations if name.split(".")[1].startswith(("Set", "Create", "Delete"))]
    assert bool(written) == case.writes
    if case.outcome == "ok":
        assert wanted(result.after)
    elif case.left:
        assert result.after != result.before
        assert result.note, "the next run has to know"
        assert result.item.result["changed"] is True
        assert result.item.result["backup"]
    else:
        assert result.after == result.before
        assert not result.note
        assert result.item.result.get("changed", False) is False
    assert not message or message.endswith((".", "?)")), message
    assert ".." not in message
    assert "Error:" not in message


def wanted(dump: Dump) -> bool:
    enabled = {
        "Enabled": {"type": "REG_DWORD", "data": 1},
        "DisabledByDefault": {"type": "REG_DWORD", "data": 0},
    }
    return all(dump.get(rf"HKLM\{key}") == enabled for key in (TLS12_CLIENT, TLS12_SERVER))


@pytest.mark.parametrize("name", ["access_denied-later", "provider_cannot-cim", "shell_quota-later"])
def test_programs_can_read_what_the_fault_was(over_winrm: tuple[Run, dict[str, Result]], name: str) -> None:
    error = over_winrm[1][name].item.result["error"]
    kind = name.partition("-")[0]
    assert int(FAULTS[kind][0]) in (error.get("wsman_code"), error.get("wmi_code"))
    assert error["kind"] == ("access_denied" if kind == "access_denied" else "fault")


def test_values_of_a_wrong_type_come_back_as_they_were(
    lab: LabClient, tmp_path: pathlib.Path, over_winrm: tuple[Run, dict[str, Result]]
) -> None:
    result = over_winrm[1]["wrong-type"]
    ansible = Ansible(lab, tmp_path)
    ansible.task("tls_rollback", hosts="wrong-type", options={"backup": result.item.result["backup"]}).ok()
    assert protocols(lab.host("wrong-type")) == result.before
