# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks that go by DAG: the order is shown first, and no two members of a DAG are ever away together."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from tests.lab.client import LabClient

from .harness import Ansible

DAGS = {"DAG1": ["ex01", "ex02"], "DAG2": ["ex03", "ex04"]}


def member(name: str) -> dict[str, t.Any]:
    dag = next((dag for dag, members in DAGS.items() if name in members), None)
    nodes = {node.upper(): "up" for node in DAGS.get(dag or "", ())}
    cluster = {"cluster": {"name": dag, "nodes": nodes}} if dag else {}
    return {
        "windows": "2019",
        "exchange": {"build": "15.02.1748.043", **cluster},
        "registry": ["stock", "tls12_off"],
        "restart": {"shutdown_delay": 0.05, "down_for": 0.4},
    }


LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": {name: member(name) for name in ("ex01", "ex02", "ex03", "ex04")},
}
QUIET = {"tls12_handshakes": "never", "tls12_reboot_services": [], "tls12_maintenance": "never"}


@pytest.fixture(autouse=True)
def well(lab: LabClient) -> t.Iterator[None]:
    yield
    for host in lab.hosts():
        host.clear_quirks()


def away(lab: LabClient) -> dict[str, tuple[float, float]]:
    """When each server was away, by the lab's own log."""
    found = {}
    for host in lab.hosts():
        (restart,) = host.restarts()
        found[host.name] = (restart["requested_at"], restart["up_at"])
    return found


def test_waves(lab: LabClient, ansible: Ansible) -> None:
    at_once = 2
    checked = ansible.playbook("enforce-tls12-by-dag.yml", "--check", tls12_dags_at_once=str(at_once), **QUIET).ok()
    lines = " ".join(checked.output.split())
    order = "1. ex01 (DAG1), ex03 (DAG2)", "2. ex02 (DAG1), ex04 (DAG2)"
    assert all(line in lines for line in order)
    assert not any(host.restarts() for host in lab.hosts())
    run = ansible.playbook("enforce-tls12-by-dag.yml", tls12_dags_at_once=str(at_once), **QUIET).ok()
    assert {run.result("tls_settings", host.name)["changed"] for host in lab.hosts()} == {True}
    times = away(lab)
    for members in DAGS.values():
        for one, two in itertools.combinations(members, 2):
            assert times[one][1] < times[two][0] or times[two][1] < times[one][0], f"{one} and {two} were away together"
    # two DAGs were worked on side by side
    assert times["ex01"][0] < times["ex03"][1]
    assert times["ex03"][0] < times["ex01"][1]
    again = ansible.playbook("harden-tls-by-dag.yml", "--check", "-l", "ex01,ex02", **QUIET)
    assert "1. ex01 (DAG1)" in again.output
    assert "2. ex02 (DAG1)" in again.output


def test_a_wave_that_fails_is_the_last_one(lab: LabClient, ansible: Ansible) -> None:
    lab.host("ex01").set_quirk("shutdown_returns", 5)
    env = {"ANSIBLE_CALLBACKS_ENABLED": "record,mailops.exchange_tls.summary"}
    how = {"tls12_reboot": "always", "tls12_dags_at_once": 2, **QUIET}
    run = ansible.playbook("enforce-tls12-by-dag.yml", env=env, **how)
    assert run.rc
    assert {item.host for item in run.of("tls_settings")} == {"ex01", "ex03"}
    assert "not touched: ex02, ex04" in " ".join(run.output.split())


def test_nothing_begins_where_a_server_could_not_be_asked(lab: LabClient, ansible: Ansible) -> None:
    lab.host("ex04").set_quirk("down")
    run = ansible.playbook("enforce-tls12-by-dag.yml", **QUIET)
    assert run.rc
    assert run.of("tls_settings") == []
    assert "Nothing was begun: ex04 could not be asked" in run.output
    env = {"ANSIBLE_CALLBACKS_ENABLED": "record,mailops.exchange_tls.summary"}
    checked = ansible.playbook("enforce-tls12-by-dag.yml", "--check", env=env, **QUIET)
    assert {item.host for item in checked.of("tls_settings")} == {"ex01", "ex02", "ex03"}
    assert "not reached: ex04" in checked.output


@pytest.mark.parametrize(("quirk", "word"), [("down", "UNREACHABLE"), ("fault", "FAILED")])
def test_the_last_screen_says_why_a_server_could_not_be_asked(
    lab: LabClient, ansible: Ansible, quirk: str, word: str
) -> None:
    lab.host("ex04").set_quirk(quirk, {"kind": "access_denied", "every": True} if quirk == "fault" else True)
    env = {"ANSIBLE_CALLBACKS_ENABLED": "record,mailops.exchange_tls.summary"}
    run = ansible.playbook("enforce-tls12-by-dag.yml", env=env, **QUIET)
    assert run.of("tls_settings") == []
    screen = run.output.partition("PLAY RECAP")[2]
    assert "error:    Nothing was begun: ex04 could not be asked" in screen
    assert word in screen
    assert "not touched: ex01, ex02, ex03" in screen
    assert "error:    reading Win32_OperatingSystem" in screen
    assert " -l " not in screen.partition("next:")[2]
    alone = ansible.playbook("enforce-tls12-by-dag.yml", "-l", "ex04", env=env, **QUIET)
    assert "error:    reading Win32_OperatingSystem" in alone.output


def test_nothing_begins_where_a_member_is_away(lab: LabClient, ansible: Ansible) -> None:
    lab.host("ex01").set_quirk("nodes", {"EX02": "paused"})
    env = {"ANSIBLE_CALLBACKS_ENABLED": "record,mailops.exchange_tls.summary"}
    run = ansible.playbook("enforce-tls12-by-dag.yml", "-l", "ex01,ex03", env=env, tls12_dags_at_once=2, **QUIET)
    assert run.rc
    assert "error:    Nothing was begun: EX02, a member of DAG1, is paused." in run.output
    assert "changed:  nothing, on no server" in run.output
    assert run.of("tls_settings") == []
    shown = ansible.playbook("learn-dags.yml", "--check", "-l", "ex01", **QUIET).ok()
    assert "1. ex01 (DAG1; EX02, a member of DAG1, is paused)" in shown.output


def test_a_variable_that_nobody_reads(ansible: Ansible) -> None:
    run = ansible.playbook("learn-dags.yml", tls12_dag_at_once=2, **QUIET)
    assert run.rc
    assert "did you mean 'tls12_dags_at_once'?" in run.output


def test_bad_input_begins_nothing(ansible: Ansible) -> None:
    run = ansible.playbook("enforce-tls12-by-dag.yml", tls12_dags_at_once="many", **QUIET)
    assert run.rc
    assert "'tls12_dags_at_once' is 'many'; it is how many DAGs at a time" in " ".join(run.output.split())
    assert run.of("tls_settings") == []
