# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""exchange_maintenance on a DAG of the lab, through ansible-playbook and both connection plugins."""

from __future__ import annotations

import typing as t

import pytest

from tests.lab.client import HostClient, LabClient
from tests.lab.inventory import exchange_variables

from .harness import NOTE_KEY, Ansible, Run

SHELL = {"http": None, "https": 8443, "auth": ["basic"]}
MEMBER = {
    "windows": "2019",
    "services": ["exchange"],
    "endpoints": [{"kind": "smtp", "port": 2525}],
    "exchange": {
        "build": "15.02.1544.011",
        "shell": SHELL,
        "queues": [{"domain": "contoso.com", "messages": 30}],
        "hidden": {"viewer": ["Set-*", "Redirect-*"]},
    },
}
LAB: dict[str, t.Any] = {
    "exchange_clock": 600,
    "accounts": [
        {"user": "labadmin", "password": "Lab-Pass-1"},
        {"user": "exadmin", "password": "Lab-Pass-3", "domain": "lab.test"},
        {"user": "viewer", "password": "Lab-Pass-4", "domain": "lab.test"},
    ],
    "hosts": {
        **dict.fromkeys(("ex01", "ex02", "ex03"), MEMBER),
        "edge": {"windows": "2019", "exchange": {"build": "15.02.1544.011", "roles": ["Edge"]}},
        "alone": {**MEMBER, "windows": "2016", "exchange": {"build": "15.01.2507.066", "shell": SHELL}},
    },
    "dags": {
        "DAG1": {
            "members": ["ex01", "ex02", "ex03"],
            "databases": {
                "DB01": {"active": "ex01"},
                "DB02": {"active": "ex01"},
                "DB03": {"active": "ex02"},
                "SINGLE": {"copies": ["ex01"]},
                "RDB": {"copies": ["ex01"], "recovery": True},
            },
        },
    },
}


@pytest.fixture(autouse=True)
def well(lab: LabClient) -> t.Iterator[None]:
    """Every test leaves the servers as it has found them."""
    yield
    for host in lab.hosts():
        host.clear_quirks()
    for database in ("DB01", "DB02"):
        lab.activate(database, "ex01")


def maintain(lab: LabClient, ansible: Ansible, state: str, *arguments: str, hosts: str = "ex01", **how: t.Any) -> Run:
    variables = exchange_variables(lab, lab.host(how.pop("entry", "ex03")), "basic")
    options = {
        "smtp_port": 2525,
        "minimum_healthy_copies": 1,
        "state": state,
        "backup_dir": str(ansible.backups),
        **how.pop("options", {}),
    }
    more = how.pop("more", {})
    return ansible.task(
        "exchange_maintenance", *arguments, hosts=hosts, options=options, inventory={**variables, **more}, **how
    )


def shown(host: HostClient) -> dict[str, t.Any]:
    """What a maintenance may change. Who has asked for Active has asked for nothing."""
    states = {
        name: {"state": item["state"], "asked": {who: word for who, word in item["local"].items() if word != "Active"}}
        for name, item in host.exchange.component_states().items()
    }
    return {"states": states, **host.exchange.mailbox_server()}


def active_on(lab: LabClient, name: str) -> set[str]:
    return {database for database, item in lab.databases().items() if item["active"] == name.upper()}


@pytest.mark.parametrize("connection", ["winrm", "psrp"])
def test_out_and_back(lab: LabClient, ansible: Ansible, connection: str) -> None:
    host = lab.host("ex01")
    host.exchange.set_mailbox_server("IntrasiteOnly")
    host.exchange.ask_for("EwsProxy", "HealthApi", "Inactive")
    was, before = shown(host), active_on(lab, "ex01")
    lab.host("ex03").reset_log()

    check = maintain(lab, ansible, "started", "--check", "--diff", connection=connection).ok()
    assert check.result("exchange_maintenance")["changed"] is True
    assert shown(host) == was
    assert active_on(lab, "ex01") == before

    out = maintain(lab, ansible, "started", "--diff", connection=connection).ok()
    result = out.result("exchange_maintenance")
    assert result["changed"] is True
    assert result["diff"] == check.result("exchange_maintenance")["diff"]
    assert result["before"]["policy"] == "IntrasiteOnly"
    assert active_on(lab, "ex01") == {"SINGLE", "RDB"}
    assert lab.dags()["DAG1"]["nodes"]["EX01"] == "paused"
    assert lab.dags()["DAG1"]["primary_active_manager"] != "EX01"
    assert shown(host)["states"]["ServerWideOffline"]["state"] == "Inactive"
    assert "Lab-Pass-3" not in out.output

    again = maintain(lab, ansible, "started", connection=connection).ok()
    assert again.result("exchange_maintenance")["changed"] is False

    host.restart()
    back = maintain(lab, ansible, "stopped", connection=connection).ok()
    assert back.result("exchange_maintenance")["changed"] is True
    assert shown(host) == was
    assert lab.dags()["DAG1"]["nodes"]["EX01"] == "up"
    assert host.registry(NOTE_KEY) is None
    assert not list(ansible.backups.glob("*.maintenance.json"))
    assert (
        maintain(lab, ansible, "stopped", connection=connection).ok().result("exchange_maintenance")["changed"] is False
    )
    assert lab.host("ex03").exchange.shells() == 0
    for counts in (out, back):
        assert counts.result("exchange_maintenance")["round_trips"] <= 3 * 25, "25 cmdlets, of three messages each"


# --- what does not work ----------------------------------------------------------------------------------------------


FAULTS = [
    ({"cmdlet": {"effect": "error", "operation": "Set-MailboxServer", "count": 1}}, "isn't available"),
    ({"cmdlet": {"effect": "dies", "operation": "Set-MailboxServer", "count": 1}}, "broke"),
]


@pytest.mark.parametrize(("quirks", "words"), FAULTS)
def test_a_cmdlet_that_fails(lab: LabClient, ansible: Ansible, quirks: dict[str, t.Any], words: str) -> None:
    """Whatever a cmdlet does on the entry point, the server serves afterwards, or the message says that it does not."""
    was = shown(lab.host("ex01"))
    for name, value in quirks.items():
        lab.host("ex03").set_quirk(name, value)
    run = maintain(lab, ansible, "started", options={"minimum_healthy_copies": 1, "no_progress_timeout": 20})
    result = run.result("exchange_maintenance")
    assert run.rc
    assert words in result["msg"]
    assert result["error"]["kind"] == "maintenance_failed"
    assert result["error"]["back"] is True
    assert "EX01 is back in service, as it was." in result["msg"]
    assert shown(lab.host("ex01")) == was
    assert "Traceback" not in run.output


def test_a_session_that_is_lost_on_the_way(lab: LabClient, ansible: Ansible) -> None:
    """What is read is read again in a new one."""
    was = shown(lab.host("ex01"))
    lab.host("ex03").set_quirk("cmdlet", {"effect": "lost", "operation": "Set-MailboxServer", "count": 1})
    maintain(lab, ansible, "started").ok()
    maintain(lab, ansible, "stopped").ok()
    assert shown(lab.host("ex01")) == was


@pytest.mark.parametrize(
    ("host", "quirk", "value", "words"),
    [
        ("ex01", "databases_stay", ["DB01"], "Waiting for databases to leave came to no end"),
        ("ex01", "queues_stay", ["contoso.com"], "Get-Queue -Server EX01 shows why"),
        ("ex01", "fault", {"kind": "access_denied", "operation": "Win32_Service.StopService"}, "MSExchangeTransport"),
        (
            "ex01",
            "fault",
            {"kind": "access_denied", "operation": "Win32_Service.StartService"},
            "could not be brought back",
        ),
        ("ex01", "fault", {"kind": "access_denied", "operation": "MSCluster_Node.Pause"}, "'pause_node' to if_allowed"),
    ],
)
def test_what_does_not_come_to_its_end(
    lab: LabClient, ansible: Ansible, host: str, quirk: str, value: t.Any, words: str
) -> None:
    was = shown(lab.host("ex01"))
    lab.host("ex01").exchange.add_queue("contoso.com", 50)
    lab.host(host).set_quirk(quirk, value)
    run = maintain(lab, ansible, "started", options={"minimum_healthy_copies": 1, "no_progress_timeout": 2})
    result = run.result("exchange_maintenance")
    assert words in result["msg"], result
    assert shown(lab.host("ex01")) == was or "could not be brought back" in result["msg"]
    lab.host(host).clear_quirks()
    maintain(lab, ansible, "stopped").ok()
    assert shown(lab.host("ex01")) == was


def test_mail_that_waits_for_its_next_try_is_left(lab: LabClient, ansible: Ansible) -> None:
    """Mail to Office 365 that cannot go is why all this is done: nobody waits for it."""
    lab.host("ex01").exchange.add_queue("contoso.com", 50)
    lab.host("ex01").set_quirk("stuck_queues", ["contoso.com"])
    # some of it may be there from the start
    queues = lab.host("ex01").exchange.queues().values()
    waiting = sum(item["messages"] for item in queues if item["domain"] == "contoso.com")
    run = maintain(lab, ansible, "started").ok()
    (remark,) = [item for item in run.result("exchange_maintenance")["remarks"] if item["id"] == "mail.rests"]
    assert remark["message"].startswith(f"{waiting} messages wait there for their next try")
    maintain(lab, ansible, "stopped").ok()


def test_a_mark_in_the_own_registry_of_another_member_counts(lab: LabClient, ansible: Ansible) -> None:
    """Whatever the directory says."""
    was = shown(lab.host("ex01"))
    lab.host("ex02").exchange.ask_for("HubTransport", "Functional", "Draining", at=1.0)
    lab.host("ex02").exchange.ask_for("HubTransport", "Functional", "Active", stores=("remote",))
    run = maintain(lab, ansible, "started", options={"wait_for_members": 2})
    result = run.result("exchange_maintenance")
    lab.host("ex02").exchange.ask_for("HubTransport", "Functional", None)
    assert run.rc
    assert "EX02" in result["msg"]
    assert shown(lab.host("ex01")) == was


BAD_INPUT: list[tuple[str, dict[str, t.Any], dict[str, t.Any], str]] = [
    ("ex01", {"minimum_healthy_copies": 3}, {}, "there cannot be more than 2 elsewhere"),
    ("ex01", {"minimum_healthy_copies": -1, "smtp_port": 0}, {}, "it is a number of copies"),
    ("ex01", {"redirect_to": "nobody"}, {}, "Exchange knows no server or DAG 'nobody'"),
    ("ex01", {"pause_node": "maybe"}, {}, "pause_node"),
    ("ex01", {}, {"exchange_password": "wrong"}, "exadmin"),
    (
        "ex01",
        {},
        {"exchange_user": "viewer", "exchange_password": "Lab-Pass-4"},
        "Exchange has no Set-ServerComponentState and no Set-MailboxServer",
    ),
    ("ex03", {}, {}, "name another Exchange server in the variable exchange_server, such as EX01"),
    ("ex01", {"state": "sideways"}, {}, "started, stopped"),
]


@pytest.mark.parametrize(("host", "options", "more", "words"), BAD_INPUT)
def test_bad_input(
    lab: LabClient,
    ansible: Ansible,
    host: str,
    options: dict[str, t.Any],
    more: dict[str, t.Any],
    words: str,
) -> None:
    was = shown(lab.host(host))
    run = maintain(lab, ansible, "started", hosts=host, options=options, more=more)
    assert run.rc
    assert words in run.result("exchange_maintenance")["msg"]
    assert shown(lab.host(host)) == was
    assert lab.host(host).registry(NOTE_KEY) is None
    assert "Traceback" not in run.output


def test_a_record_that_nobody_can_read(lab: LabClient, ansible: Ansible) -> None:
    host = lab.host("ex01")
    host.set_value(NOTE_KEY, "Maintenance", "{", "REG_SZ")
    run = maintain(lab, ansible, "stopped")
    host.delete_key(NOTE_KEY)
    assert run.result("exchange_maintenance")["error"]["kind"] == "record_unreadable"


def test_a_server_that_is_not_taken_out(lab: LabClient, ansible: Ansible) -> None:
    run = maintain(lab, ansible, "started", hosts="edge").ok()
    result = run.result("exchange_maintenance")
    assert (result["changed"], [item["id"] for item in result["remarks"]]) == (False, ["server.edge"])


def test_one_that_somebody_has_taken_out_by_hand(lab: LabClient, ansible: Ansible) -> None:
    host = lab.host("ex01")
    host.exchange.set_mailbox_server()
    was = shown(host)
    host.exchange.ask_for("HubTransport", "Maintenance", "Draining")
    host.exchange.set_mailbox_server("Blocked", move_now=True)
    left = maintain(lab, ansible, "stopped").ok()
    assert left.result("exchange_maintenance")["changed"] is False
    assert "was not taken out of service by this collection" in left.result("exchange_maintenance")["msg"]
    refused = maintain(lab, ansible, "started")
    assert "whoever began that is to end it" in refused.result("exchange_maintenance")["msg"]
    maintain(lab, ansible, "stopped", options={"activation_policy": "Unrestricted"}).ok()
    assert shown(host) == was
