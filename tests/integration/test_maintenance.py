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
    "exchange": {"build": "15.02.1544.011", "shell": SHELL, "queues": [{"domain": "contoso.com", "messages": 30}]},
}
LAB: dict[str, t.Any] = {
    "exchange_clock": 600,
    "accounts": [
        {"user": "labadmin", "password": "Lab-Pass-1"},
        {"user": "exadmin", "password": "Lab-Pass-3", "domain": "lab.test"},
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


def maintain(lab: LabClient, ansible: Ansible, state: str, *arguments: str, hosts: str = "ex01", **how: t.Any) -> Run:
    variables = exchange_variables(lab, lab.host(how.pop("entry", "ex03")), "basic")
    options = {"smtp_port": 2525, "state": state, "backup_dir": str(ansible.backups), **how.pop("options", {})}
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
