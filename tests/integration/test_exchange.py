# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers with Exchange: what is said of them, what that costs, and what one that is too old is spared."""

from __future__ import annotations

import re
import typing as t

import pytest

from tests.lab.client import LabClient

from .harness import Ansible, Run

CBS = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"
OULU = {
    r"HKLM\SYSTEM\CurrentControlSet\Services\Netlogon\Parameters": {
        "DynamicSiteName": {"type": "REG_SZ", "data": "Oulu"}
    }
}
MEMBER = {
    "build": "15.01.2507.066",
    "cumulative": "15.1.2507.6",
    "cluster": {"name": "DAG1", "nodes": {"MEMBER": "up", "OTHER": "paused"}},
}
# Members of a DAG that refuse one of the reads.
REFUSING = {
    "no-get": "CIM_DataFile.Get",
    "no-file": "CIM_DataFile.*",
    "no-services": "Win32_Service.Enumerate",
    "no-nodes": "MSCluster_Node.Enumerate",
    "no-updates": "Win32_QuickFixEngineering.Enumerate",
    "no-ccm": "CCM_ClientUtilities.DetermineIfRebootPending",
}
RESTART = {"shutdown_delay": 0.05, "down_for": 0.2}
LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": {
        "member": {
            "windows": "2016",
            "exchange": MEMBER,
            "services": ["exchange", {"name": "MSExchangeHM", "state": "Stopped"}],
            "restart": RESTART,
            "registry": ["stock", {CBS: {}}],
            "hotfixes": [{"id": "KB5062557", "installed_on": "10/15/2025"}],
            "ccm_restart_due": False,
        },
        "old": {
            "windows": "2016",
            "exchange": {"build": "15.01.1261.035"},
            "registry": ["stock", "tls12_off", OULU],
            "restart": RESTART,
        },
        "forced": {
            "windows": "2016",
            "exchange": {"build": "15.01.1261.035"},
            "registry": ["stock", "tls12_off"],
            "restart": RESTART,
        },
        "older": {
            "windows": "2012r2",
            "exchange": {"build": "15.00.1365.001", "roles": ["Edge"]},
            "ccm_restart_due": True,
        },
        "tools": {
            "windows": "2019",
            "exchange": {"build": "15.01.1261.035", "roles": ["ManagementTools"]},
            "registry": ["stock", "tls12_off"],
        },
        "coming": {
            "windows": "2022",
            "exchange": {"build": "15.02.3100.005", "path": "D:\\It's & so on"},
            "registry": ["stock", OULU],
        },
        "plain": {"windows": "2019", "registry": ["stock", "tls12_off"]},
        **{
            name: {"windows": "2016", "exchange": MEMBER, "services": ["exchange"], "ccm_restart_due": True}
            for name in REFUSING
        },
    },
}
NO_HANDSHAKES = {"tls12_handshakes": "never", "tls12_maintenance": "never"}
KINDS = [name for name in LAB["hosts"] if name not in (*REFUSING, "forced")]


def exchange(run: Run, host: str) -> dict[str, t.Any]:
    found: dict[str, t.Any] = run.result("exchange_info", host)["exchange"]
    return found


@pytest.mark.parametrize("connection", ["winrm", "psrp"])
def test_every_kind_of_server(lab: LabClient, ansible: Ansible, connection: str) -> None:
    for host in lab.hosts():
        host.reset_log()
    run = ansible.task(
        "exchange_info", "-f", "6", hosts=":".join(KINDS), connection=connection, options={"logins": 1}
    ).ok()
    assert {name: exchange(run, name).get("name") for name in KINDS} == {
        "member": "Exchange 2016 CU23 Feb26SU",
        "old": "Exchange 2016 CU7",
        "older": "Exchange 2013 CU19",
        "tools": "Exchange 2016 CU7",
        "coming": "Exchange SE (15.2.3100.5)",
        "plain": None,
    }
    member = exchange(run, "member")
    assert member["roles"] == ["Mailbox", "ManagementTools"]
    assert member["dag"] == {"name": "DAG1", "nodes": {"MEMBER": "up", "OTHER": "paused"}}
    assert member["services_stopped"] == ["MSExchangeHM"]
    assert member["services"]["MSExchangeFrontEndTransport"] == {"start_mode": "Auto", "state": "Running"}
    assert member["updates"]["last_installed"] == "2025-10-15"
    assert [name for name, waits in member["updates"]["restart_waits"].items() if waits] == [
        "component_based_servicing"
    ]
    assert exchange(run, "older")["updates"]["restart_waits"]["configuration_manager"] is True
    assert all(exchange(run, name)["unread"] == {} for name in KINDS if name != "plain")
    # beside the facts about the host, which are two
    requests = {name: lab.host(name).counters()["soap_requests"] - 2 for name in KINDS}
    assert requests == {"member": 12, "old": 11, "older": 12, "tools": 11, "coming": 11, "plain": 2}
    assert {lab.host(name).counters()["logins"] for name in KINDS} == {1}
    ids = {name: {item["id"] for item in run.result("exchange_info", name)["findings"]} for name in KINDS}
    assert ids["member"] == {"exchange.support_ended", "exchange.services", "windows.restart_waits"}
    assert ids["old"] == {"exchange.tls12_build", "exchange.support_ended"}
    assert ids["older"] == {
        "exchange.support_ended", "exchange.not_current", "windows.prerequisites", "windows.restart_waits",
    }  # fmt: skip
    assert (ids["tools"], ids["coming"], ids["plain"]) == (set(), {"exchange.newer"}, set())


def test_what_an_audit_pays_for_it(lab: LabClient, ansible: Ansible) -> None:
    requests: dict[str, dict[str, int]] = {}
    for choice in ("report", "ignore"):
        for host in lab.hosts():
            host.reset_log()
        run = ansible.task("tls_settings_info", "-f", "6", hosts=":".join(KINDS), options={"exchange": choice}).ok()
        requests[choice] = {host.name: host.counters()["soap_requests"] for host in lab.hosts()}
    assert run.result("tls_settings_info", "member").get("exchange") is None
    more = {name: requests["report"][name] - requests["ignore"][name] for name in KINDS}
    assert max(more.values()) == 12
    assert more["plain"] == 2


def test_what_cannot_be_read_is_said(lab: LabClient, ansible: Ansible) -> None:
    for name, operation in REFUSING.items():
        quirk = {"kind": "provider_cannot", "operation": operation, "every": True}
        lab.host(name).set_quirk("fault", quirk)
    run = ansible.task("exchange_info", "-f", "6", hosts=":".join(REFUSING), options={"logins": 1}).ok()
    found = {name: exchange(run, name) for name in REFUSING}
    unread = {name: set(item["unread"]) for name, item in found.items() if item["unread"]}
    assert unread == {"no-services": {"services"}, "no-nodes": {"nodes"}, "no-file": {"security_update"}}
    # a file that cannot be got is found by a query, and without it the setup tells the cumulative update
    versions = {name: item["version"] for name, item in found.items()}
    assert versions == {**dict.fromkeys(REFUSING, "15.1.2507.66"), "no-file": "15.1.2507.6"}
    assert found["no-updates"]["updates"]["last_installed"] is None
    assert found["no-ccm"]["updates"]["restart_waits"]["configuration_manager"] is None
    assert found["no-nodes"]["dag"] == {"name": "DAG1", "nodes": {}}


def test_an_exchange_that_is_too_old_is_left_alone(lab: LabClient, ansible: Ansible) -> None:
    old = lab.host("old")
    for arguments in (["--check"], []):
        run = ansible.playbook("enforce-tls12.yml", *arguments, "-l", "old,plain", **NO_HANDSHAKES)
        result = run.result("tls_settings", "old")
        assert result["error"] == {"kind": "exchange_too_old", "findings": ["exchange.tls12_build"]}
        assert "Refused, nothing was changed: This is Exchange 2016 CU7, which cannot do TLS 1.2" in result["msg"]
        assert "accept the finding exchange.tls12_build by an entry in 'tls12_waivers'" in result["msg"]
        assert "next: install the update of Exchange, then" in " ".join(run.output.split())
        assert "'tls12_force'" in result["msg"]
        assert (result["changed"], result["changes"]) == (False, [])
        assert not [name for name in old.operations() if re.search(r"\.(Set|Create|Delete|Win32Shutdown)", name)]


def test_force_goes_to_the_end(lab: LabClient, ansible: Ansible) -> None:
    run = ansible.playbook(
        "enforce-tls12.yml", "-l", "forced", tls12_force="yes", tls12_updates_within=1, **NO_HANDSHAKES
    )
    assert run.ok().result("wmi_reboot")["rebooted"] is True
    verdict = run.result("tls_settings_info")["verdict"]
    assert (verdict["verified"], verdict["word"], verdict["problems"]) == (False, "not_proven", [])
    assert any("cannot do TLS 1.2 in all its parts" in note for note in verdict["notes"])


def test_the_screen_of_an_audit(lab: LabClient, ansible: Ansible) -> None:
    run = ansible.playbook(
        "audit-tls12.yml", "-l", "old,member", tls12_handshakes="never", tls12_updates_within=90
    ).ok()
    lines = " ".join(run.output.split())
    assert "This is Exchange 2016 CU7, which cannot do TLS 1.2 in all its parts" in lines
    assert "The last update of Windows was installed on 2025-10-15" in lines
    assert "next: install Exchange 2016 CU23 Feb26SU (15.1.2507.66), then" in lines
    said = lines[lines.index("Exchange and updates:") :]
    assert "Support for Exchange 2016 ended on 2025-10-14. (all 2 servers)" in said
    assert "Windows waits for a restart of its own: component servicing." in said
    assert "(member)" in said


def test_it_may_be_accepted(lab: LabClient, ansible: Ansible) -> None:
    waivers = [{"match": "id == 'exchange.tls12_build'", "reason": "it is replaced next week"}]
    options: dict[str, t.Any] = {"waivers": waivers}
    forced = ansible.task("tls_settings", "--check", hosts="old", options={"force": True}).ok().result("tls_settings")
    assert any(line.startswith("FORCED: This is Exchange 2016 CU7") for line in forced["warnings"])
    assert forced["compliant"] is False
    result = ansible.task("tls_settings", hosts="old", options=options).ok().result("tls_settings")
    assert (result["changed"], result["compliant"]) == (True, True)
    (waived,) = [item for item in result["findings"] if item["status"] == "waived"]
    assert waived["waiver"] == "waived: it is replaced next week"
    # where nothing is to be written, nothing is refused
    again = ansible.task("tls_settings", hosts="old").ok().result("tls_settings")
    assert (again["changed"], again["compliant"]) == (False, False)


def test_old_tls_stays_where_exchange_needs_it(lab: LabClient, ansible: Ansible) -> None:
    """Exchange 2013 CU19 can do TLS 1.2 and needs TLS 1.0; the first phase is no matter for it, nor for management
    tools and servers without Exchange."""
    run = ansible.task(
        "tls_settings", "--check", hosts="tools:plain:older", options={"baseline": "exchange_tls12"}
    ).ok()
    assert {run.result("tls_settings", name)["changed"] for name in ("tools", "plain", "older")} == {True}
    wanted = {"TLS 1.2": "enabled", "TLS 1.0": "disabled"}
    run = ansible.task("tls_settings", "--check", hosts="older", options={"protocols": wanted})
    assert run.result("tls_settings")["error"]["findings"] == ["exchange.old_tls_build"]


def test_a_member_is_not_restarted_while_another_is_away(lab: LabClient, ansible: Ansible) -> None:
    member = lab.host("member")
    for arguments in (["--check"], []):
        run = ansible.playbook("enforce-tls12.yml", *arguments, "-l", "member", **NO_HANDSHAKES)
        result = run.result("tls_settings")
        assert result["error"] == {"kind": "member_down", "members": {"OTHER": "paused"}}
        assert "Refused, nothing was changed: of its DAG DAG1, OTHER is paused." in result["msg"]
        assert "'tls12_dag_check'" in result["msg"]
        assert (result["changed"], result["changes"]) == (False, [])
        assert run.rc
    assert member.restarts() == []
    ansible.playbook("enforce-tls12.yml", "--check", "-l", "member", tls12_dag_check="no", **NO_HANDSHAKES).ok()


def test_another_member_that_goes_away_in_between(lab: LabClient, ansible: Ansible) -> None:
    member = lab.host("no-get")
    member.set_quirk("nodes", {"OTHER": "down"})
    run = ansible.task("wmi_reboot", hosts="no-get", options={"services": [], "timeout": 3})
    assert run.result("wmi_reboot")["error"]["kind"] == "member_down"
    assert "waiting for other members of its DAG: OTHER is down" in run.output
    member.clear_quirks()
    member.set_quirk("fault", {"kind": "provider_cannot", "operation": "MSCluster_Node.Enumerate", "every": True})
    checked = ansible.task("wmi_reboot", "--check", hosts="no-get", options={"services": []}).result("wmi_reboot")
    assert "whether the other members of its DAG are up, its cluster does not tell" in checked["msg"]
    member.clear_quirks()


def test_the_order_by_site(ansible: Ansible) -> None:
    """Servers in no DAG go one after the other in each site; which one an Edge server is in, the inventory says."""
    how = {"tls12_dags_at_once": "9", "tls12_one_per_site": "yes"}
    beside = ansible.folder / "host_vars"
    beside.mkdir()
    (beside / "older.yml").write_text("tls12_site: oulu\n", encoding="utf-8")
    run = ansible.playbook("learn-dags.yml", "-l", "old,older,coming,forced", **how).ok()
    lines = " ".join(run.output.split())
    assert "1. old (in no DAG, site Oulu), forced (in no DAG)" in lines
    assert "2. older (in no DAG, site oulu)" in lines
    assert "3. coming (in no DAG, site Oulu)" in lines
    wrong = ansible.playbook("learn-dags.yml", "-l", "old", tls12_one_per_site="perhaps")
    assert wrong.rc
    assert "'tls12_one_per_site' is 'perhaps'; it is true or false" in wrong.output


def test_bad_options(ansible: Ansible) -> None:
    run = ansible.task("exchange_info", hosts="plain", options={"updates_within": -1})
    assert run.result("exchange_info")["msg"].startswith(
        "'updates_within' is -1, but it is a number of days up to 3650"
    )
    ansible.playbook(
        "audit-tls12.yml", "-l", "plain", tls12_updates_within=" ", tls12_exchange="", **NO_HANDSHAKES
    ).ok()
    run = ansible.task("exchange_info", hosts="member", options={"updates_within": 90, "fail_on_findings": True})
    assert run.rc
    assert run.result("exchange_info")["error"] == {"kind": "findings", "findings": ["windows.updates"]}
