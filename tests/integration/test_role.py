# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role and the playbooks: restarts, hooks, handshakes, failures, and booleans that arrive as words."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
import yaml

from tests.lab.client import LabClient

from .fleet import overriding
from .harness import PROTOCOLS_KEY, Ansible, Run

HOST: dict[str, t.Any] = {
    "windows": "2016",
    "registry": ["stock", "tls12_off"],
    "endpoints": [{"kind": "smtp", "port": 2525}, {"kind": "https", "port": 8443}],
    "restart": {"shutdown_delay": 0.1, "down_for": 0.3},
}
HOSTS = (
    "never", "hooks", "drained", "stale", "reverted", "silent", "first", "second", "third", "words", "alone", "audit",
    "verify", "done", "due",
)  # fmt: skip
LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": dict.fromkeys(HOSTS, HOST),
}
ENDPOINTS = ["smtp://:2525", "https://:8443"]


def enforce(ansible: Ansible, limit: str, *arguments: str, **variables: t.Any) -> Run:
    return ansible.playbook("enforce-tls12.yml", "-l", limit, *arguments, **{"tls12_endpoints": ENDPOINTS, **variables})


def test_never_restarting_is_reported_and_no_failure(lab: LabClient, ansible: Ansible) -> None:
    run = enforce(ansible, "never", tls12_reboot="never").ok()
    assert lab.host("never").restarts() == []
    assert not run.of("wmi_reboot")
    assert run.result("tls_settings_info")["verdict"]["word"] == "pending"
    assert "  pending  restart pending  " in run.output
    assert "next:     restart it:" in run.output
    assert "-e tls12_reboot=if_pending" in run.output
    # a later run makes up for it
    run = enforce(ansible, "never").ok()
    assert run.result("tls_settings")["changed"] is False
    assert len(lab.host("never").restarts()) == 1
    assert "1 verified; not reached: none" in run.output


def test_always_restarts_without_a_change(lab: LabClient, ansible: Ansible) -> None:
    before = len(lab.host("never").restarts())
    run = enforce(ansible, "never", tls12_reboot="always").ok()
    assert run.result("tls_settings")["changed"] is False
    assert len(lab.host("never").restarts()) == before + 1


def test_hooks_run_around_the_restart_only(lab: LabClient, ansible: Ansible, tmp_path: pathlib.Path) -> None:
    hooks = {}
    for when in ("before", "after"):
        path = tmp_path / f"{when} it.yml"
        task = {"name": f"Hook {when}", "ansible.builtin.debug": {"msg": f"hook {when} {{{{ inventory_hostname }}}}"}}
        path.write_text(yaml.safe_dump([task]), encoding="utf-8")
        hooks[f"tls12_{when}_reboot_tasks"] = str(path)
    run = enforce(ansible, "hooks", **hooks).ok()
    names = [item.task for item in run.outcomes]
    assert names.index("Hook before") < names.index("Restart the host and wait for it") < names.index("Hook after")
    assert "Hook before" not in [item.task for item in enforce(ansible, "hooks", **hooks).ok().outcomes]


def test_a_host_that_was_not_asked_to_restart_goes_back_into_service(
    lab: LabClient, ansible: Ansible, tmp_path: pathlib.Path
) -> None:
    """The hook has taken it out; then the services, which are listed once more, cannot be read."""
    hook = tmp_path / "after.yml"
    hook.write_text(
        yaml.safe_dump([{"name": "Hook after", "ansible.builtin.debug": {"msg": "back"}}]), encoding="utf-8"
    )
    fault = {"kind": "wmi_access_denied", "operation": "Win32_Service.Enumerate", "nth": 3, "every": True}
    lab.host("drained").set_quirk("fault", fault)
    run = enforce(ansible, "drained", tls12_after_reboot_tasks=str(hook))
    assert run.rc == 2
    assert run.of("wmi_reboot")[-1].outcome == "failed"
    assert lab.host("drained").restarts() == []
    assert "Hook after" in [item.task for item in run.outcomes]
    lab.host("drained").clear_quirks()


def test_a_handshake_that_contradicts_the_registry_fails(lab: LabClient, ansible: Ansible) -> None:
    """The host comes back with its old settings, although the registry is right."""
    lab.host("stale").set_quirk("stale_settings")
    run = enforce(ansible, "stale")
    assert run.rc == 2
    assert "TLS 1.2 is enabled in the registry but was refused by smtp" in run.output
    assert "proof:    NO: " in run.output
    assert "rollback-tls12.yml" in run.output
    # it fails again as long as it is so, although nothing is left to change; then there is nothing to go back to
    for check in ((), ("--check",)):
        run = enforce(ansible, "stale", *check)
        assert run.rc == 2, run.output
        assert "proof:    NO: " in run.output
        assert "rollback" not in run.output
        assert "tls12_reboot=always" in run.output
    # what another restart would show, check mode does not know
    enforce(ansible, "stale", "--check", tls12_reboot="always").ok()
    lab.host("stale").clear_quirks()
    enforce(ansible, "stale", tls12_reboot="always").ok()


def test_a_policy_that_writes_other_values_at_boot_fails(lab: LabClient, ansible: Ansible) -> None:
    reverted = {rf"{PROTOCOLS_KEY}\TLS 1.2\Server": {"Enabled": 0, "DisabledByDefault": 1}}
    lab.host("reverted").set_quirk("registry_reverted_at_restart", reverted)
    run = enforce(ansible, "reverted")
    assert run.rc == 2
    assert "TLS 1.2 Server Enabled is REG_DWORD 0; it should be REG_DWORD 1" in run.output


@pytest.mark.parametrize(("policy", "rc"), [("when_reachable", 0), ("required", 2), ("never", 0)])
def test_endpoints_that_cannot_be_tried(ansible: Ansible, policy: str, rc: int) -> None:
    run = enforce(
        ansible, "silent", tls12_handshakes=policy, tls12_endpoints=["smtp://:2626"], tls12_handshake_patience=1
    )
    assert run.rc == rc, run.output
    result = next(item.result for item in run.outcomes if "verdict" in item.result)
    assert bool(result.get("handshakes") or run.rc) is (policy != "never")
    assert result["verdict"]["verified"] is False
    assert "verified" not in run.output.replace('"verified": false', "").replace("'verified'", "")
    if policy == "required":
        assert "Not proven: smtp://" in run.output


def test_what_is_not_proven_fails_after_the_others_are_restarted(lab: LabClient, ansible: Ansible) -> None:
    """A server where nothing is to do, and whose endpoint is closed, in a batch with one that is to be restarted."""
    enforce(ansible, "done").ok()
    closed = overriding(
        ansible.folder, {"done": {"tls12_endpoints": ["smtp://:2626"]}, "due": {"tls12_endpoints": ENDPOINTS}}
    )
    how = {"tls12_serial": 2, "tls12_handshakes": "required", "tls12_handshake_patience": 1}
    run = ansible.playbook("enforce-tls12.yml", "-l", "done,due", *closed, **how)
    assert run.rc == 2
    assert len(lab.host("due").restarts()) == 1
    assert run.result("tls_settings_info", "due")["verdict"]["word"] == "verified"
    (failed,) = [item for item in run.outcomes if item.outcome == "failed"]
    assert (failed.host, failed.task) == ("done", "Prove by handshakes that the host is as wanted")


def test_the_run_stops_at_the_first_host_that_fails(lab: LabClient, ansible: Ansible) -> None:
    lab.host("second").set_quirk("down")
    run = enforce(ansible, "first,second,third")
    assert run.rc != 0
    assert {item.host for item in run.outcomes} == {"first", "second"}
    assert lab.host("third").counters()["http_requests"] == 0
    assert len(lab.host("first").restarts()) == 1
    lab.host("second").clear_quirks()
    run = enforce(ansible, "first,second,third", tls12_serial=3).ok()
    assert [len(lab.host(name).restarts()) for name in ("first", "second", "third")] == [1, 1, 1]
    # 0 and an empty answer would mean all servers at once
    for nothing in (0, ""):
        run = enforce(ansible, "first,second,third", tls12_serial=nothing, tls12_handshakes="never").ok()
        assert run.output.count("PLAY [Bring Exchange servers") == 3


WORDS = {
    "tls12_undo_on_failure": "false",
    "tls12_fail_on_findings": "false",
}


def test_a_value_with_a_blank_and_without_quotes(ansible: Ansible) -> None:
    """Ansible takes what is before the blank for the value, and says nothing of the rest."""
    run = ansible.playbook("audit-tls12.yml", "-l", "words", "-e", "tls12_waivers=see the ticket")
    assert run.rc == 2
    assert "'-e' gives 'tls12_waivers', and words behind a blank that belong to no variable" in run.output


def test_words_are_booleans(lab: LabClient, ansible: Ansible) -> None:
    """AWX surveys and -e key=false hand over strings."""
    ansible.playbook("audit-tls12.yml", "-l", "words", **WORDS).ok()
    ansible.playbook("audit-tls12.yml", "-l", "words", "-e", "tls12_fail_on_findings=false").ok()
    assert ansible.playbook("audit-tls12.yml", "-l", "words", tls12_fail_on_findings="true").rc == 2
    # the second of four values cannot be written: with undo the first would be put back
    lab.host("words").set_quirk(
        "fault", {"kind": "provider_cannot", "operation": "*SetDWORDValue", "nth": 2, "every": True}
    )
    run = enforce(ansible, "words", **WORDS)
    assert run.rc == 2
    statuses = [item["status"] for item in run.result("tls_settings")["changes"]]
    assert statuses[0] == "written"
    assert "put_back" not in statuses
    lab.host("words").clear_quirks()
    enforce(ansible, "words", **WORDS).ok()


def test_entry_points_by_themselves(lab: LabClient, ansible: Ansible) -> None:
    def step(name: str, *arguments: str, **variables: t.Any) -> Run:
        role = {"name": "mailops.exchange_tls.tls12", "tasks_from": name}
        play = {
            "name": name,
            "hosts": "alone",
            "gather_facts": False,
            "tasks": [{"name": name, "ansible.builtin.include_role": role}],
        }
        return ansible.playbook([play], *arguments, tls12_endpoints=ENDPOINTS, **variables)

    host = lab.host("alone")
    assert step("verify").rc == 2
    assert step("verify", "--check").rc == 2
    assert step("reboot").ok().result("wmi_reboot")["rebooted"] is False
    assert host.restarts() == []
    assert step("change").ok().result("tls_settings")["changed"] is True
    assert step("verify").rc == 2
    assert step("verify", "--check").rc == 2
    assert step("reboot", tls12_reboot="never").ok()
    assert host.restarts() == []
    for wrong in (False, "no", "alwais"):
        run = step("reboot", tls12_reboot=wrong)
        assert run.rc == 2
        assert f"'tls12_reboot' is '{wrong}', and must be one of if_pending, never, always" in run.output
    assert host.restarts() == []
    assert step("reboot").ok().result("wmi_reboot")["rebooted"] is True
    step("verify").ok()
    step("audit", tls12_fail_on_findings=True).ok()


def test_a_change_that_failed_is_no_reason_to_restart(lab: LabClient, ansible: Ansible) -> None:
    role = {"name": "Role", "ansible.builtin.import_role": {"name": "mailops.exchange_tls.tls12"}}
    play = {"name": "Ignore", "hosts": "alone", "gather_facts": False, "tasks": [{**role, "ignore_errors": True}]}
    before = lab.host("alone").restarts()
    run = ansible.playbook([play], tls12_endpoints=ENDPOINTS, tls12_reboot="always", tls12_protocols="nonsense")
    assert run.of("tls_settings")[-1].outcome == "failed"
    assert lab.host("alone").restarts() == before


def test_who_rescues_a_failure_is_told_the_first(ansible: Ansible) -> None:
    """Nothing is proven, and the server is asked no more, after a change that failed."""
    role = {"name": "Role", "ansible.builtin.import_role": {"name": "mailops.exchange_tls.tls12"}}
    told = {"name": "Told", "ansible.builtin.debug": {"msg": "{{ ansible_failed_task.action }}"}}
    tasks = [{"name": "One", "block": [role], "rescue": [told]}]
    play = {"name": "Rescue", "hosts": "alone", "gather_facts": False, "tasks": tasks}
    run = ansible.playbook([play], tls12_endpoints=ENDPOINTS, tls12_reboot="always", tls12_protocols="nonsense").ok()
    assert [item.outcome for item in run.of("tls_settings")] == ["failed"]
    assert not run.of("tls_settings_info")
    assert '"msg": "mailops.exchange_tls.tls_settings"' in run.output


def test_twice_in_one_play_is_not_confused(lab: LabClient, ansible: Ansible) -> None:
    """What the first run of the role registered says nothing about the second."""
    tasks = [{"name": "Role", "ansible.builtin.include_role": {"name": "mailops.exchange_tls.tls12"}}] * 2
    play = {"name": "Twice", "hosts": "verify", "gather_facts": False, "tasks": tasks}
    run = ansible.playbook([play], tls12_endpoints=ENDPOINTS).ok()
    assert len(lab.host("verify").restarts()) == 1
    assert [item.result["changed"] for item in run.of("tls_settings")] == [True, False]


def test_audit_of_the_whole_group_fails_after_reading_all(lab: LabClient, ansible: Ansible) -> None:
    run = ansible.playbook("audit-tls12.yml", "-l", "audit,verify", tls12_fail_on_findings=True)
    assert run.rc == 2
    assert {item.host for item in run.of("tls_settings_info")} == {"audit", "verify"}
    assert "TLS 1.2 Client Enabled is REG_DWORD 0" in run.output


def test_check_mode_of_a_pending_restart(lab: LabClient, ansible: Ansible) -> None:
    enforce(ansible, "audit", tls12_reboot="never").ok()
    before = len(lab.host("audit").restarts())
    run = enforce(ansible, "audit", "--check").ok()
    assert run.result("wmi_reboot")["changed"] is True
    assert run.result("wmi_reboot")["rebooted"] is False
    assert len(lab.host("audit").restarts()) == before


def test_check_mode_goes_on_after_a_host_that_is_down(lab: LabClient, ansible: Ansible) -> None:
    lab.host("first").set_quirk("down")
    run = enforce(ansible, "first,second,third", "--check")
    lab.host("first").clear_quirks()
    assert run.rc == 4
    assert {item.host for item in run.outcomes if "verdict" in item.result} == {"second", "third"}
    assert "not reached: first" in run.output
