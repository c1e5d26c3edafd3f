# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request budget, and that of workers: requests after the login and forks are counted, never timed."""

from __future__ import annotations

import typing as t

import pytest

from tests.bench.run import ALL, BUDGET
from tests.lab.client import LabClient

from .harness import Ansible

FULL = {
    "windows": "2016",
    "registry": ["stock", "fully_configured", "dotnet_strong"],
    "endpoints": [{"kind": "smtp", "port": 2525}],
}
LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": {
        "stock": {"windows": "2016", "registry": ["stock"]},
        **dict.fromkeys(("full", "full2"), FULL),
    },
}

# All six protocols on top of the default baseline, which asks about .NET as well.
OPTIONS = {"baseline": "exchange_tls12", "protocols": ALL}

# Tasks for which Ansible forks a worker, by host, one that is skipped included.
FORKS = {"audit": 2, "enforce": 4}
SUMMARY = {"ANSIBLE_CALLBACKS_ENABLED": "record,mailops.exchange_tls.summary"}


@pytest.mark.parametrize("connection", ["winrm", "psrp"])
def test_budget(lab: LabClient, ansible: Ansible, connection: str) -> None:
    cost: dict[str, dict[str, int]] = {}
    for module in ("tls_settings_info", "tls_settings"):
        for name in BUDGET:
            lab.host(name).reset_log()
        arguments = ["--check"] if module == "tls_settings" else []
        ansible.task(module, *arguments, connection=connection, options=OPTIONS).ok()
        cost[module] = {name: lab.host(name).counters()["soap_requests"] for name in BUDGET}
        assert {name: lab.host(name).counters()["logins"] for name in BUDGET} == dict.fromkeys(BUDGET, 1)
    # where there is something to write, the rights on each key concerned are asked for as well
    assert cost["tls_settings"]["full"] == cost["tls_settings_info"]["full"]
    assert cost["tls_settings"]["stock"] - cost["tls_settings_info"]["stock"] < 10
    assert all(cost["tls_settings_info"][name] <= most for name, most in BUDGET.items()), cost


def test_enforcing_what_is_right_costs_an_audit(lab: LabClient, ansible: Ansible) -> None:
    requests = {}
    for module in ("tls_settings_info", "tls_settings"):
        lab.host("full").reset_log()
        run = ansible.task(module, hosts="full", options=OPTIONS).ok()
        assert run.result(module)["changed"] is False
        requests[module] = [(item["operation"], item["arguments"]) for item in lab.host("full").requests()]
    assert requests["tls_settings"] == requests["tls_settings_info"]
    reads = [item for item in requests["tls_settings"] if item[0].startswith("StdRegProv")]
    assert len(reads) == len({str(item) for item in reads}), "something was read twice"


@pytest.mark.parametrize("env", [{}, SUMMARY], ids=["by a task", "by the callback"])
@pytest.mark.parametrize("how", ["playbook", "role"])
@pytest.mark.parametrize("job", FORKS)
def test_workers_are_few(ansible: Ansible, job: str, how: str, env: dict[str, str]) -> None:
    """Where there is nothing to change, with the summary; of the role alone, Ansible checks the arguments in a task."""
    role = {"name": "mailops.exchange_tls.tls12", **({"tasks_from": job} if job == "audit" else {})}
    play = {"hosts": "full*", "gather_facts": False, "tasks": [{"ansible.builtin.import_role": role}]}
    what: t.Any = f"{job}-tls12.yml" if how == "playbook" else [play]
    run = ansible.playbook(what, "-l", "full*", env=env, tls12_endpoints=["smtp://:2525"], tls12_serial=2).ok()
    assert not any(item.result.get("changed") for item in run.outcomes), run.output
    begun = {host: [item.action for item in run.begun if item.host == host] for host in ("full", "full2")}
    checks = sum(action.endswith("validate_argument_spec") for action in begun["full2"])
    assert checks == (how == "role"), begun
    # a summary by a task is one for all servers, made on the first of them
    assert len(begun["full"]) - len(begun["full2"]) == (not env), begun
    assert 0 < len(begun["full2"]) <= FORKS[job], begun
    if env or how == "playbook" or job == "enforce":
        assert len(begun["full"]) <= FORKS[job], begun
