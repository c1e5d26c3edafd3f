# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second phase: old TLS goes off only after TLS 1.2 is proven, and comes back where that breaks something."""

from __future__ import annotations

import pathlib
import typing as t

from tests.lab.client import LabClient

from .harness import PROTOCOLS_KEY, TLS12_SERVER, Ansible, Run

HOST: dict[str, t.Any] = {
    "windows": "2016",
    "endpoints": [{"kind": "smtp", "port": 2525}, {"kind": "https", "port": 8443}],
    "restart": {"shutdown_delay": 0.1, "down_for": 0.3},
}
READY = ["stock", "tls12_enabled", "dotnet_strong"]
LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": {
        "both": {**HOST, "registry": ["stock"]},
        "net": {**HOST, "registry": ["stock", "tls12_enabled"]},
        "pending": {**HOST, "registry": ["stock", "dotnet_strong", "tls12_off"]},
        "refuses": {**HOST, "registry": READY},
        "breaks": {**HOST, "registry": READY, "quirks": {"tls12_needs_old": True}},
        "first": {**HOST, "registry": READY, "quirks": {"shutdown_returns": 5}},
        "rescued": {**HOST, "registry": READY, "quirks": {"tls12_needs_old": True}},
        "suites": {
            **HOST,
            "endpoints": [{"kind": "smtp", "port": 2525, "key": "ecdsa"}],
            "registry": ["stock", "hardened", "dotnet_strong"],
        },
        "odd1": {**HOST, "registry": READY},
        "odd2": {**HOST, "registry": READY},
        "odd3": {**HOST, "registry": ["stock", "hardened"]},
    },
}
ENDPOINTS = ["smtp://:2525", "https://:8443"]


def play(ansible: Ansible, book: str, limit: str, *arguments: str, **variables: t.Any) -> Run:
    return ansible.playbook(
        book, "-l", limit, *arguments, **{"tls12_endpoints": ENDPOINTS, "tls12_handshake_patience": 2, **variables}
    )


def refused(run: Run) -> str:
    """The refusal of a run that must have been refused and changed nothing."""
    assert run.rc == 2, run.output
    result = run.result("tls_settings")
    assert result["error"]["kind"] == "phase_refused"
    assert result.get("changed") is not True
    return str(result["msg"])


def test_two_phases(lab: LabClient, ansible: Ansible) -> None:
    host = lab.host("both")
    before = host.dump()
    message = refused(play(ansible, "harden-tls.yml", "both"))
    assert "TLS 1.0 Client, TLS 1.0 Server" in message
    assert ".NET 4 would go on with old TLS (4 of 4 values" in message
    assert host.dump() == before
    assert host.restarts() == []

    play(ansible, "enforce-tls12.yml", "both", tls12_handshakes="required").ok()
    assert host.effective_protocols("smtp") == ["TLS 1.0", "TLS 1.1", "TLS 1.2"]
    first = host.dump()

    predicted = play(ansible, "harden-tls.yml", "both", "--check", "--diff").ok()
    assert predicted.result("tls_settings")["changed"] is True
    assert host.dump() == first

    run = play(ansible, "harden-tls.yml", "both", tls12_handshakes="required").ok()
    assert host.effective_protocols("smtp") == ["TLS 1.2"]
    assert run.result("tls_settings_info")["handshakes"]["versions"]["TLS 1.0"] == "rejected"
    assert len(host.restarts()) == 2

    again = play(ansible, "harden-tls.yml", "both").ok()
    assert again.result("tls_settings")["changed"] is False
    assert len(host.restarts()) == 2

    play(ansible, "rollback-tls12.yml", "both").ok()
    assert host.dump() == first
    assert host.effective_protocols("smtp") == ["TLS 1.0", "TLS 1.1", "TLS 1.2"]


def test_wishes_for_this_phase_have_their_own_variable(ansible: Ansible) -> None:
    wrong = play(ansible, "harden-tls.yml", "both", "--check", tls12_harden_baseline="exchange_worst_practice")
    assert "'tls12_harden_baseline'" in wrong.result("tls_settings")["msg"], wrong.output
    assert "'tls12_baseline'" not in wrong.output
    passed_over = {"tls12_baseline": "exchange_tls12", "tls12_fail_on": "severity == 'high'"}
    said = " ".join(play(ansible, "harden-tls.yml", "net", "--check", **passed_over).output.split())
    assert "tls12_baseline is passed over by the second phase" in said
    assert "tls12_fail_on is passed over by what changes settings" in said


def test_one_backup_for_several_servers_restores_none(lab: LabClient, ansible: Ansible, tmp_path: pathlib.Path) -> None:
    before = [lab.host(name).dump() for name in ("odd1", "odd2")]
    run = play(ansible, "rollback-tls12.yml", "odd1,odd2", tls12_backup=str(tmp_path / "odd1.json"))
    assert run.rc == 2
    assert "is one file" in run.output
    assert [lab.host(name).dump() for name in ("odd1", "odd2")] == before


def test_dotnet_must_be_ready(ansible: Ansible) -> None:
    assert ".NET 4 would go on with old TLS" in refused(play(ansible, "harden-tls.yml", "net"))


def test_a_pending_restart_refuses(lab: LabClient, ansible: Ansible) -> None:
    play(ansible, "enforce-tls12.yml", "pending", tls12_reboot="never").ok()
    message = refused(play(ansible, "harden-tls.yml", "pending"))
    assert "a restart is pending" in message
    # what clients see is what was there at the last start
    assert "does not accept TLS 1.2" in message


def test_a_handshake_refuses(lab: LabClient, ansible: Ansible) -> None:
    """The registry says that all is well; the server says no."""
    host = lab.host("refuses")
    host.set_value(TLS12_SERVER, "Enabled", 0)
    host.restart()
    host.set_value(TLS12_SERVER, "Enabled", 1)
    message = refused(play(ansible, "harden-tls.yml", "refuses"))
    assert f"smtp://{host.address}:2525 does not accept TLS 1.2" in message
    host.restart()


def test_force_is_loud(ansible: Ansible) -> None:
    run = play(ansible, "harden-tls.yml", "net", tls12_force="true", tls12_reboot="never")
    assert run.result("tls_settings")["changed"] is True, run.output
    assert "FORCED: TLS 1.0 Client" in run.output
    play(ansible, "rollback-tls12.yml", "net", tls12_reboot="never")


def test_what_breaks_comes_back_once(lab: LabClient, ansible: Ansible) -> None:
    host = lab.host("breaks")
    before = host.dump()
    run = play(ansible, "harden-tls.yml", "breaks")
    assert run.rc == 2, run.output
    assert host.dump() == before
    assert len(host.restarts()) == 2
    assert host.effective_protocols("smtp") == ["TLS 1.0", "TLS 1.1", "TLS 1.2"]
    assert "After the change endpoints no longer accepted TLS 1.2." in run.output
    assert "the host was restarted again. All accept it again." in run.output
    assert "FAILED, undone" in run.output
    assert "nothing is left of it; what was written is restored" in run.output


def test_what_breaks_comes_back_whatever_happens_to_the_others(lab: LabClient, ansible: Ansible) -> None:
    """The first server of the batch refuses to restart meanwhile; the second has no mail until it has restarted."""
    host = lab.host("rescued")
    run = play(ansible, "harden-tls.yml", "first,rescued", tls12_serial=2)
    assert run.rc == 2, run.output
    assert "Windows refused to restart" in run.output
    assert len(host.restarts()) == 2, run.output
    assert host.effective_protocols("smtp") == ["TLS 1.0", "TLS 1.1", "TLS 1.2"]


def test_cipher_suites_that_do_not_fit_come_back(lab: LabClient, ansible: Ansible) -> None:
    """Old TLS is off already; what breaks TLS 1.2 is that the certificate is of another kind than the suites."""
    host = lab.host("suites")
    assert host.effective_protocols("smtp") == ["TLS 1.2"]
    before = host.dump()
    wishes = {"tls12_cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"], "tls12_endpoints": ["smtp://:2525"]}
    for book in ("harden-tls.yml", "enforce-tls12.yml"):
        assert ":2525 showed an ECDSA certificate, and " in refused(play(ansible, book, "suites", **wishes))
    assert host.restarts() == []
    run = play(ansible, "harden-tls.yml", "suites", tls12_force=True, **wishes)
    assert run.rc == 2, run.output
    assert run.of("tls_rollback"), run.output
    assert host.dump() == before
    assert host.effective_protocols("smtp") == ["TLS 1.2"]


def test_odd_ones_out_are_named(ansible: Ansible) -> None:
    run = ansible.playbook("audit-tls12.yml", "-l", "odd1,odd2,odd3").ok()
    assert "TLS 1.0 Server is enabled on 2 of 3 hosts, but disabled on odd3." in run.output
    alike = ansible.playbook("audit-tls12.yml", "-l", "odd1,odd2").ok()
    assert "of 2 hosts, but" not in alike.output


def test_sides_that_policies_set_apart(lab: LabClient, ansible: Ansible) -> None:
    options = {"baseline": "none", "protocols": {"TLS 1.0": {"Server": "disabled", "Client": "enabled"}}}
    run = ansible.task("tls_settings", hosts="odd2", options=options).ok()
    assert run.result("tls_settings")["compliant"] is True
    server = lab.host("odd2").registry(rf"{PROTOCOLS_KEY}\TLS 1.0\Server")
    assert server is not None
    assert server["Enabled"] == {"type": "REG_DWORD", "data": 0}
    ansible.task("tls_rollback", hosts="odd2").ok()
