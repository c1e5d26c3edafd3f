# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""exchange_maintenance_info on DAGs of the lab, through ansible-playbook and both connection plugins."""

from __future__ import annotations

import typing as t

import pytest

from tests.lab.client import LabClient
from tests.lab.inventory import exchange_variables

from .harness import Ansible

SHELL = {"http": None, "https": 8443, "auth": ["basic"]}
MEMBER = {
    "windows": "2019",
    "services": ["exchange"],
    "exchange": {"build": "15.02.1544.011", "shell": SHELL, "queues": [{"domain": "contoso.com", "messages": 3}]},
}
LAB: dict[str, t.Any] = {
    "accounts": [
        {"user": "labadmin", "password": "Lab-Pass-1"},
        {"user": "exadmin", "password": "Lab-Pass-3", "domain": "lab.test"},
    ],
    "hosts": {
        **dict.fromkeys(("ex01", "ex02", "ex03"), MEMBER),
        "edge": {"windows": "2019", "exchange": {"build": "15.02.1544.011", "roles": ["Edge"]}},
        "alone": {"windows": "2016", "services": ["exchange"], "exchange": {"build": "15.01.2507.066"}},
        "plain": {"windows": "2019"},
    },
    "dags": {
        "DAG1": {
            "members": ["ex01", "ex02", "ex03"],
            "databases": {
                "DB01": {"active": "ex01"},
                "DB02": {"active": "ex02"},
                "SINGLE": {"copies": ["ex01"]},
                "RDB": {"copies": ["ex01"], "recovery": True},
            },
        },
    },
}


@pytest.fixture(autouse=True)
def well(lab: LabClient) -> t.Iterator[None]:
    yield
    for host in lab.hosts():
        host.clear_quirks()
    lab.host("ex02").exchange.ask_for("HubTransport", "Maintenance", None)


def look(lab: LabClient, ansible: Ansible, hosts: str = "ex01", entry: str = "ex03", **how: t.Any) -> t.Any:
    variables = exchange_variables(lab, lab.host(entry), "basic")
    options = how.pop("options", {})
    return ansible.task(
        "exchange_maintenance_info", hosts=hosts, options=options, inventory={**variables, **how.pop("more", {})}, **how
    )


def ids(found: t.Any, key: str = "obstacles", host: str | None = None) -> list[str]:
    return [item["id"] for item in found.result("exchange_maintenance_info", host)[key]]


def test_a_member_that_may_go(lab: LabClient, ansible: Ansible) -> None:
    run = look(lab, ansible).ok()
    result = run.result("exchange_maintenance_info")
    assert (result["ready"], result["obstacles"], result["changed"]) == (True, [], False)
    assert {item["id"] for item in result["remarks"]} >= {"database.alone", "database.dismounted", "mail.waiting"}
    assert result["server"]["dag"] == "DAG1"
    assert result["dag"]["members"] == ["EX01", "EX02", "EX03"]
    assert {item["server"]: item["available"] for item in result["members"]} == {"EX02": True, "EX03": True}
    assert result["queues"]
    asked = [item["cmdlet"] for item in lab.host("ex03").exchange.cmdlets()]
    assert not [name for name in asked if not name.startswith("Get-")]
    assert lab.host("ex03").exchange.shells() == 0, "sessions are few: none is left open"
    assert "Lab-Pass-3" not in run.output


def test_what_is_in_the_way(lab: LabClient, ansible: Ansible) -> None:
    lab.host("ex02").set_quirk("copies", {"DB01": {"status": "FailedAndSuspended", "copy_queue": 124661}})
    lab.host("ex02").exchange.ask_for("HubTransport", "Maintenance", "Draining")
    lab.host("ex01").set_quirk("get_queue_fails")
    run = look(lab, ansible, connection="psrp", options={"fail_if_not_ready": True})
    assert ids(run) == ["dag.marked", "database.copies", "mail.unknown"]
    (copies,) = [
        item["message"]
        for item in run.result("exchange_maintenance_info")["obstacles"]
        if item["id"] == "database.copies"
    ]
    assert "EX02 is FailedAndSuspended" in copies
    assert run.rc
    assert run.result("exchange_maintenance_info")["msg"].startswith("EX01 cannot be taken out of service now: ")


def test_a_server_that_exchange_need_not_be_told_of(lab: LabClient, ansible: Ansible) -> None:
    """A hook before a restart asks for all servers of a play."""
    run = look(lab, ansible, hosts="edge:plain", options={"fail_if_not_ready": True}).ok()
    assert ids(run, "remarks", "edge") == ["server.edge"]
    assert ids(run, "remarks", "plain") == ["server.no_exchange"]
    assert run.result("exchange_maintenance_info", "plain")["ready"] is True


def test_what_the_cluster_says(lab: LabClient, ansible: Ansible) -> None:
    lab.host("ex01").set_quirk("nodes", {"EX02": "paused"})
    assert ids(look(lab, ansible)) == ["dag.node"]


def test_a_member_that_is_down(lab: LabClient, ansible: Ansible) -> None:
    lab.host("ex02").set_quirk("down")
    found = ids(look(lab, ansible))
    assert "dag.member" in found
    assert "dag.marked" in found


def test_no_rights_on_one_cmdlet(lab: LabClient, ansible: Ansible) -> None:
    lab.host("ex03").set_quirk("cmdlet", {"effect": "denied", "operation": "Get-MailboxDatabaseCopyStatus"})
    run = look(lab, ansible)
    assert run.rc
    assert "role groups" in run.result("exchange_maintenance_info")["msg"]


@pytest.mark.parametrize(
    ("hosts", "more", "words"),
    [
        ("ex01", {"exchange_password": "wrong"}, "exadmin"),
        ("ex01", {"exchange_port": 9}, "cannot connect"),
    ],
)
def test_bad_input(lab: LabClient, ansible: Ansible, hosts: str, more: dict[str, t.Any], words: str) -> None:
    run = look(lab, ansible, hosts=hosts, more=more)
    assert run.rc
    result = run.result("exchange_maintenance_info")
    assert words in result["msg"]
    assert result["error"]["kind"] in ("bad_option", "exchange_unreachable")
    assert not result.get("unreachable"), "the host itself has answered"
    assert "Traceback" not in run.output


def test_a_server_in_no_dag_and_an_entry_that_the_inventory_names(lab: LabClient, ansible: Ansible) -> None:
    more = {"exchange_server": "ex03"}
    run = look(lab, ansible, hosts="alone:ex03", more=more, options={"minimum_healthy_copies": 1}).ok()
    assert run.result("exchange_maintenance_info", "alone")["dag"] is None
    assert ids(run, "obstacles", "alone") == []
    assert run.result("exchange_maintenance_info", "ex03")["entry"] == lab.host("ex03").address
    more = {"exchange_server": " ", "ansible_user": "LAB.TEST\\exadmin"}
    blank = look(lab, ansible, hosts="ex03", more=more)
    assert blank.result("exchange_maintenance_info").get("error", {}).get("kind") != "bug"
