# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role around a restart of Exchange servers: out of service, restarted, back as they were, or left alone."""

from __future__ import annotations

import typing as t

import pytest

from tests.lab.client import HostClient, LabClient
from tests.lab.inventory import exchange_variables

from .harness import NOTE_KEY, Ansible, Run

SHELL = {"http": None, "https": 8443, "auth": ["basic"]}
SERVER: dict[str, t.Any] = {
    "windows": "2019",
    "services": ["exchange"],
    # with TLS 1.2 off, nobody could ask their cmdlets over https
    "registry": ["stock"],
    "endpoints": [{"kind": "smtp", "port": 2525}],
    "restart": {"shutdown_delay": 0.05, "down_for": 0.3},
    "exchange": {
        "build": "15.02.1544.011",
        "shell": SHELL,
        "queues": [{"domain": "contoso.com", "messages": 30}],
        "hidden": {"viewer": ["Set-*", "Redirect-*"]},
    },
}
PAIRS = {name: (f"{name}a", f"{name}b") for name in ("one", "two", "three", "four", "five", "six")}
MEMBERS = tuple(member for pair in PAIRS.values() for member in pair)
LAB: dict[str, t.Any] = {
    "exchange_clock": 600,
    "accounts": [
        {"user": "labadmin", "password": "Lab-Pass-1"},
        {"user": "exadmin", "password": "Lab-Pass-3", "domain": "lab.test"},
        {"user": "viewer", "password": "Lab-Pass-4", "domain": "lab.test"},
    ],
    "hosts": {
        **dict.fromkeys(MEMBERS, SERVER),
        "sixa": {**SERVER, "services": ["exchange", {"name": "MSExchangeLate", "starts_after": 12}]},
        "alone": SERVER,
        "closed": {**SERVER, "exchange": {"build": "15.02.1544.011"}},
    },
    "dags": {
        f"DAG-{name}": {
            "members": list(pair),
            "databases": {f"{name}-1": {"active": pair[0]}, f"{name}-2": {"active": pair[1]}},
            **({"witness": "ALONE"} if name == "two" else {}),
        }
        for name, pair in PAIRS.items()
    },
}
SUMMARY = {"ANSIBLE_CALLBACKS_ENABLED": "record,mailops.exchange_tls.summary"}


@pytest.fixture(autouse=True)
def well(lab: LabClient) -> t.Iterator[None]:
    yield
    for host in lab.hosts():
        host.clear_quirks()
    lab.forget_exchange_events()


def enforce(lab: LabClient, ansible: Ansible, *arguments: str, book: str = "enforce-tls12.yml", **how: t.Any) -> Run:
    """Each member is asked about on its partner, every other server on itself."""
    variables = exchange_variables(lab, lab.host("onea"), "basic")
    partners = {name: pair[1 - number] for pair in PAIRS.values() for number, name in enumerate(pair)}
    addresses = {host.name: lab.host(partners.get(host.name, host.name)).address for host in lab.hosts()}
    variables["exchange_server"] = f"{{{{ {addresses} [inventory_hostname] }}}}"
    more = how.pop("more", {})
    given = {"tls12_minimum_healthy_copies": 1, "tls12_handshakes": "never", "tls12_smtp_port": 2525, **how}
    return ansible.playbook(book, *arguments, inventory={**variables, **more}, limit=110, **given)


def shown(host: HostClient) -> dict[str, t.Any]:
    """What a maintenance may change. Who has asked for Active has asked for nothing."""
    states = {
        name: {"state": item["state"], "asked": {who: word for who, word in item["local"].items() if word != "Active"}}
        for name, item in host.exchange.component_states().items()
    }
    return {"states": states, **host.exchange.mailbox_server()}


def take_out(lab: LabClient, ansible: Ansible, name: str, entry: str) -> None:
    """As a run that was killed after it."""
    variables = exchange_variables(lab, lab.host(entry), "basic")
    options = {"state": "started", "smtp_port": 2525, "minimum_healthy_copies": 1, "backup_dir": str(ansible.backups)}
    ansible.task("exchange_maintenance", hosts=name, options=options, inventory=variables).ok()


def test_a_dag_of_two(lab: LabClient, ansible: Ansible) -> None:
    """Both are restarted, one after the other, without a database on them."""
    one, two = map(lab.host, PAIRS["one"])
    one.exchange.set_mailbox_server("IntrasiteOnly")
    was = shown(one), shown(two)
    check = enforce(lab, ansible, "--check", "-l", "onea,oneb").ok()
    assert check.result("tls_settings", "onea")["maintenance"]["due"] is True
    assert (shown(one), shown(two)) == was
    run = enforce(lab, ansible, "-l", "onea,oneb", env=SUMMARY).ok()
    assert [len(host.restarts()) for host in (one, two)] == [1, 1]
    assert (shown(one), shown(two)) == was
    screen = " ".join(run.output.split())
    assert "service: When it came back, databases that were active there before were elsewhere: one-1. " in screen
    kinds = {event["kind"] for event in lab.exchange_events()}
    assert kinds <= {"moved"}, "no database was lost, none failed over, and never were two down"
    assert [item.result["changed"] for item in run.of("exchange_maintenance")] == [True] * 4
    assert one.registry(NOTE_KEY) is None
    again = enforce(lab, ansible, "-l", "onea,oneb").ok()
    assert again.of("exchange_maintenance") == []


def test_a_member_that_cannot_be_prepared_is_not_changed(lab: LabClient, ansible: Ansible) -> None:
    lab.host("twob").set_quirk("copies", {"two-1": {"status": "FailedAndSuspended"}})
    run = enforce(lab, ansible, "-l", "twoa")
    assert run.rc
    result = run.result("tls_settings", "twoa")
    assert result["error"]["kind"] == "unprepared"
    assert "is FailedAndSuspended" in result["msg"]
    assert "'tls12_maintenance'" in result["msg"]
    assert result["changed"] is False
    assert lab.host("twoa").restarts() == []
    lab.host("twob").clear_quirks()
    viewer = {"exchange_user": "viewer", "exchange_password": "Lab-Pass-4"}
    itself = {"exchange_server": lab.host("twoa").fqdn}
    for more in ({"exchange_password": "wrong"}, {"exchange_port": 9}, itself, viewer):
        refused = enforce(lab, ansible, "-l", "twoa", more=more)
        assert refused.result("tls_settings", "twoa")["error"]["kind"] == "unprepared", refused.output
    refused = enforce(lab, ansible, "-l", "twoa", tls12_minimum_healthy_copies="")
    assert "say so with 'tls12_minimum_healthy_copies' 1" in refused.result("tls_settings", "twoa")["msg"]
    assert lab.host("twoa").restarts() == []
    enforce(lab, ansible, "-l", "twoa", tls12_maintenance="never").ok()
    assert len(lab.host("twoa").restarts()) == 1


def test_servers_outside_of_any_dag(lab: LabClient, ansible: Ansible) -> None:
    was = shown(lab.host("alone"))
    run = enforce(lab, ansible, "-l", "alone,closed", more={"exchange_connection_timeout": 2}).ok()
    assert shown(lab.host("alone")) == was
    assert [item.host for item in run.of("exchange_maintenance")] == ["alone", "alone"]
    (notice,) = run.result("tls_settings", "closed")["warnings"]
    assert notice.startswith("CLOSED is restarted without being taken out of service: ")
    assert [len(lab.host(name).restarts()) for name in ("alone", "closed")] == [1, 1]


def test_the_witness_of_a_dag_waits_for_its_members(lab: LabClient, ansible: Ansible) -> None:
    """It is in no DAG, and would be restarted as it is for any other reason."""
    host = lab.host("alone")
    before = len(host.restarts())
    take_out(lab, ansible, "twoa", "twob")
    refused = enforce(lab, ansible, "-l", "alone", tls12_reboot="always")
    result = refused.result("tls_settings", "alone")
    assert result["error"]["kind"] == "unprepared", refused.output
    assert "TWOA, a member of DAG-two, whose witness it is, has ServerWideOffline Inactive" in result["msg"]
    enforce(lab, ansible, "-l", "twoa", tls12_wait_for_members=5).ok()
    enforce(lab, ansible, "-l", "alone", tls12_reboot="always").ok()
    assert len(host.restarts()) == before + 1


def test_a_restart_that_is_refused_leaves_nobody_out(lab: LabClient, ansible: Ansible) -> None:
    host = lab.host("threea")
    was = shown(host)
    host.set_quirk("shutdown_returns", 5)
    run = enforce(lab, ansible, "-l", "threea")
    assert run.rc
    assert run.result("wmi_reboot", "threea")["error"]["kind"] == "restart_refused"
    assert shown(host) == was


def test_a_restart_that_leaves_a_service_stopped_leaves_the_server_out(lab: LabClient, ansible: Ansible) -> None:
    """Until a run finds it running, after another restart."""
    host = lab.host("sixa")
    was = shown(host)
    run = enforce(lab, ansible, "-l", "sixa,sixb", tls12_reboot_timeout=6)
    assert run.rc
    assert "MSExchangeLate" in run.result("wmi_reboot", "sixa")["msg"]
    assert shown(host) != was
    assert lab.host("sixb").restarts() == [], "the next member waits until this one serves"
    enforce(lab, ansible, "-l", "sixa", tls12_reboot_timeout=60).ok()
    assert (shown(host), len(host.restarts())) == (was, 2), "once more, as the message says"


def test_what_a_run_has_left_out_comes_back(lab: LabClient, ansible: Ansible) -> None:
    """A run that was killed while the server was out: the next one ends that, though nothing else is to be done."""
    host = lab.host("foura")
    was = shown(host)
    enforce(lab, ansible, "-l", "foura").ok()
    take_out(lab, ansible, "foura", "fourb")
    assert shown(host) != was
    audit = enforce(lab, ansible, "-l", "foura", book="audit-tls12.yml").ok()
    screen = " ".join(audit.output.split())
    assert "service: out of service: a run that was cut off has left it so, and no mail goes through it" in screen
    assert "OUT OF SERVICE" in screen
    left = enforce(lab, ansible, "-l", "foura", tls12_maintenance="never").ok()
    assert "may still be out of service" in " ".join(left.result("tls_settings", "foura")["warnings"])
    assert left.of("exchange_maintenance") == []
    other = enforce(lab, ansible, "-l", "fourb", env=SUMMARY)
    assert other.rc
    assert "FOURA is paused" in other.result("tls_settings")["msg"]
    check = " ".join(enforce(lab, ansible, "-l", "foura", "--check", env=SUMMARY).output.split())
    assert "service: would be brought back" in check
    assert "1 out of service; not reached: none" in check
    run = enforce(lab, ansible, "-l", "foura", env=SUMMARY).ok()
    assert run.result("tls_settings", "foura")["changed"] is False
    assert "service: brought back; a run that was cut off had left it out" in " ".join(run.output.split())
    assert run.result("exchange_maintenance", "foura")["changed"] is True
    assert shown(host) == was
    assert len(host.restarts()) == 1


def test_what_is_refused_brings_back_what_was_left_out(lab: LabClient, ansible: Ansible) -> None:
    host = lab.host("foura")
    was = shown(host)
    take_out(lab, ansible, "foura", "fourb")
    run = enforce(lab, ansible, "-l", "foura", book="harden-tls.yml", tls12_handshakes="never", env=SUMMARY)
    assert run.rc
    assert "service: brought back; a run that was cut off had left it out" in " ".join(run.output.split())
    assert shown(host) == was


@pytest.mark.smoke
def test_hooks_surround_it(lab: LabClient, ansible: Ansible) -> None:
    for name in ("before", "after"):
        (ansible.folder / f"{name}.yml").write_text(
            f"- name: {name}\n  ansible.builtin.debug:\n    msg: hook {name}\n", encoding="utf-8"
        )
    hooks = {f"tls12_{name}_reboot_tasks": str(ansible.folder / f"{name}.yml") for name in ("before", "after")}
    run = enforce(lab, ansible, "-l", "fivea", **hooks).ok()
    actions = [item.action.rpartition(".")[2] for item in run.outcomes if item.outcome != "skipped"]
    order = [name for name in actions if name in ("debug", "exchange_maintenance", "wmi_reboot")]
    assert order[:5] == ["debug", "exchange_maintenance", "wmi_reboot", "exchange_maintenance", "debug"]


def test_plays_by_dag_finish_what_was_left_out(lab: LabClient, ansible: Ansible) -> None:
    """Its node is paused by the run that was killed, which is no reason to begin nothing."""
    members = [lab.host(name) for name in PAIRS["three"]]
    was = [shown(host) for host in members]
    take_out(lab, ansible, "threeb", "threea")
    run = enforce(lab, ansible, "-l", "threea,threeb", book="enforce-tls12-by-dag.yml").ok()
    assert "1. threeb (DAG-three)" in " ".join(run.output.split())
    assert [shown(host) for host in members] == was
    assert [len(host.restarts()) for host in members] == [1, 1]
