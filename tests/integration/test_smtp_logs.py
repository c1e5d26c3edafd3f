# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second phase is refused for the sake of peers that the protocol logs show with old TLS."""

from __future__ import annotations

import pathlib
import typing as t

from tests.lab.client import LabClient
from tests.unit import _metadata

from .harness import Ansible, Run

HOST: dict[str, t.Any] = {
    "windows": "2016",
    "endpoints": [{"kind": "smtp", "port": 2525}],
    "restart": {"shutdown_delay": 0.1, "down_for": 0.3},
    "registry": ["stock", "tls12_enabled", "dotnet_strong"],
}
HOSTS = ("mail1", "mail2")
LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": dict.fromkeys(HOSTS, HOST),
}
HEADER = (
    "#Software: Microsoft Exchange Server\r\n#Version: 15.0.0.0\r\n#Log-type: SMTP Receive Protocol Log\r\n"
    "#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\r\n"
)


def log(peer: str, version: str = "TLS1_0") -> str:
    agreed = f"*,,TLS protocol SP_PROT_{version}_SERVER negotiation succeeded"
    where = f"10.0.0.1:25,{peer}:40001"
    return HEADER + "".join(
        f"2026-01-05T09:00:00.00{place}Z,MAIL\\Scanner relay,08DE000000000001,{place},{where},{event}\r\n"
        for place, event in enumerate(("+,,", "<,STARTTLS,", agreed, "-,,Local"))
    )


def harden(ansible: Ansible, limit: str, *arguments: str, **variables: t.Any) -> Run:
    given = {"tls12_endpoints": ["smtp://:2525"], "tls12_handshake_patience": 2, **variables}
    return ansible.playbook("harden-tls.yml", "-l", limit, *arguments, **given)


def test_peers_keep_old_tls_on_until_they_are_accepted(
    lab: LabClient, ansible: Ansible, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "mail2").mkdir()
    (tmp_path / "mail2" / "RECV.LOG").write_text(log("192.0.2.7"), encoding="utf-8")
    (tmp_path / "RECV.LOG").write_text(log("192.0.2.9", "TLS1_2"), encoding="utf-8")
    before = lab.host("mail2").dump()
    for arguments in (("--check",), ()):
        run = harden(ansible, "mail2", *arguments, tls12_smtp_logs=str(tmp_path))
        assert run.rc == 2, run.output
        message = run.result("tls_settings")["msg"]
        assert (
            "Refused, nothing was changed: the protocol logs show 1 that would be cut off: 192.0.2.7 (connects to us"
            in message
        )
        assert (
            """'tls12_accepted_peers': run the same command again with -e '{"tls12_accepted_peers": ["192.0.2.7"]}'"""
            in message
        )
        assert "'tls12_smtp_logs_since'" in message
    assert lab.host("mail2").dump() == before

    # its folder concerns the one server alone; a blank is no log
    run = harden(
        ansible, "mail1,mail2", "--check", tls12_smtp_logs=str(tmp_path), tls12_accepted_peers="192.0.2.7"
    ).ok()
    assert len([item for item in run.outcomes if item.action.endswith("smtp_log_info") and item.outcome == "ok"]) == 1
    seen = {name: run.result("tls_settings", name)["old_tls_peers"] for name in ("mail1", "mail2")}
    assert [peer["peer"] for peer in seen["mail2"]] == ["192.0.2.7"], "what was accepted is said all the same"
    assert seen["mail1"] == []
    unknown = _metadata.undocumented("tls_settings", run.result("tls_settings", "mail2"))
    assert not [name for name in unknown if name.startswith("old_tls_peers")]
    assert harden(ansible, "mail1", "--check", tls12_smtp_logs=str(tmp_path)).ok().result("tls_settings")["changed"]
    harden(ansible, "mail2", "--check", tls12_smtp_logs=" ").ok()

    harden(ansible, "mail2", tls12_smtp_logs=str(tmp_path), tls12_smtp_logs_since="2026-01-06").ok()
    assert lab.host("mail2").effective_protocols("smtp") == ["TLS 1.2"]


def test_the_logs_are_read_once_for_all_batches(ansible: Ansible, tmp_path: pathlib.Path) -> None:
    (tmp_path / "RECV.LOG").write_text(log("192.0.2.9", "TLS1_2"), encoding="utf-8")
    run = harden(ansible, "mail1,mail2", tls12_smtp_logs=str(tmp_path), tls12_reboot="never").ok()
    read = [item.outcome for item in run.outcomes if item.action.endswith("smtp_log_info")]
    assert read.count("ok") == 1, read
    assert len([item for item in run.outcomes if item.action.endswith("tls_settings")]) == 2


def test_logs_that_there_are_not(ansible: Ansible, tmp_path: pathlib.Path) -> None:
    run = harden(ansible, "mail1", "--check", tls12_smtp_logs=str(tmp_path / "nowhere"))
    assert run.rc == 2
    assert "'tls12_smtp_logs': there is no" in run.output


def test_logs_that_cannot_be_read_end_it_before_anything_is_done(
    lab: LabClient, ansible: Ansible, tmp_path: pathlib.Path
) -> None:
    """Whatever the variables would have: no restart, no reading of the servers, and the one failure."""
    restarts = {name: lab.host(name).restarts() for name in HOSTS}
    before = {name: lab.host(name).dump() for name in HOSTS}
    for reboot in ("always", "if_pending"):
        run = harden(ansible, "mail1,mail2", tls12_smtp_logs=str(tmp_path / "nowhere"), tls12_reboot=reboot)
        assert run.rc
        assert [item.action.rpartition(".")[2] for item in run.outcomes if item.outcome == "failed"] == [
            "smtp_log_info"
        ]
        assert not run.of("wmi_reboot")
        assert not run.of("tls_settings_info")
    assert {name: lab.host(name).restarts() for name in HOSTS} == restarts
    assert {name: lab.host(name).dump() for name in HOSTS} == before
