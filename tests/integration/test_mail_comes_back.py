# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole story of a server whose mail to Office 365 has stopped: symptom, cause, cure, and mail that goes again."""

from __future__ import annotations

import datetime
import re
import typing as t

from tests.lab.client import LabClient
from tests.lab.inventory import exchange_variables

from .harness import Ansible, Run

CLOUD = "contoso-com.mail.protection.outlook.com"
DROPPED = "421 4.4.2 Connection dropped due to SocketError"
SERVER: dict[str, t.Any] = {"windows": "2016", "services": ["exchange"], "endpoints": [{"kind": "smtp", "port": 2525}]}
CONNECTOR = {"name": "Outbound to Office 365", "smart_hosts": [CLOUD], "require_tls": True, "logging": "Verbose"}
LAB: dict[str, t.Any] = {
    "accounts": [
        {"user": "labadmin", "password": "Lab-Pass-1"},
        {"user": "exadmin", "password": "Lab-Pass-3", "domain": "lab.test"},
    ],
    "exchange_clock": 1200,
    "hosts": {
        "well": {
            **SERVER,
            "registry": ["stock", "tls12_enabled", "dotnet_strong"],
            "exchange": {"build": "15.01.2507.066", "shell": {"http": None, "https": 8443, "auth": ["basic"]}},
        },
        "off": {
            **SERVER,
            "registry": ["stock", "tls12_off"],
            "restart": {"shutdown_delay": 0.1, "down_for": 0.3},
            "exchange": {
                "build": "15.01.2507.066",
                "send_connectors": [CONNECTOR],
                "mail_out": [{"to": CLOUD, "waiting": 40}],
                "mail_in": [{}],
            },
        },
    },
}


def moments(lab: LabClient, words: str) -> list[datetime.datetime]:
    """When the protocol logs say that, by the clock of the host."""
    lines = [line for path in lab.smtp_logs().rglob("*.LOG") for line in path.read_text(encoding="utf-8").splitlines()]
    return [datetime.datetime.fromisoformat(line.partition(",")[0][:-1]) for line in lines if words in line]


def peers(run: Run, kind: str) -> dict[tuple[str, str], list[str]]:
    """{(direction, peer): names} of one kind, such as versions, in what smtp_log_info has read."""
    rows = run.result("smtp_log_info")["rows"]
    return {(row["direction"], row["peer"]): list(row[kind]) for row in rows if row["server"] == "off"}


def test_symptom_cause_cure_and_mail_that_goes(lab: LabClient, ansible: Ansible) -> None:
    how: dict[str, t.Any] = {
        "inventory": exchange_variables(lab, lab.host("well"), "basic"),
        "env": {"ANSIBLE_CALLBACKS_ENABLED": "record,mailops.exchange_tls.summary"},
    }
    given = {
        "tls12_endpoints": ["smtp://:2525"],
        "tls12_handshake_patience": 1,
        "tls12_maintenance": "never",
        "tls12_smtp_logs": str(lab.smtp_logs()),
    }

    run = ansible.playbook("why-mail-stopped.yml", "-l", "off", **how, **given, tls12_symptom=DROPPED).ok()
    (found,) = [item.result["msg"] for item in run.outcomes if item.task == "Why mail has stopped"]
    assert "answer:  Most likely this is the cause: TLS 1.2 is off on off." in found
    assert re.search(rf"off: TLS 1.2 OFF/OFF .* \d+ messages wait for {CLOUD}: .*{DROPPED}", "\n".join(found))
    assert moments(lab, "TLS negotiation failed with error SocketError")
    assert moments(lab, "SP_PROT") == []

    run = ansible.playbook("enforce-tls12.yml", "-l", "off", **how, **given).ok()
    outgoing = run.result("mail_flow_proof")["outgoing"]
    assert outgoing["word"] == "proven"
    assert "send_log" in outgoing["by"]
    assert "outgoing: proven on off: the send log shows " in " ".join(run.output.split())

    # nothing to do: the logs show it all the same
    run = ansible.playbook("enforce-tls12.yml", "-l", "off", **how, **given).ok()
    assert [item.task for item in run.outcomes if item.outcome == "changed"] == []
    assert run.result("mail_flow_proof")["outgoing"]["by"] == ["send_log"]
    assert not run.of("wmi_reboot")
    # and where they are not looked at, no task is there to be skipped
    for arguments, more in ((["--check"], {}), ([], {"tls12_mail_flow": "never"})):
        run = ansible.playbook("enforce-tls12.yml", "-l", "off", *arguments, **how, **given, **more).ok()
        assert [item.outcome for item in run.outcomes if item.task == "Restart, and prove"] == ["skipped"]

    read = {"path": str(lab.smtp_logs())}
    tasks: list[dict[str, t.Any]] = [
        {"name": "Is the queue empty?", "mailops.exchange_tls.mail_flow_info": {}},
        {"name": "Who speaks what?", "mailops.exchange_tls.smtp_log_info": read},
    ]
    run = ansible.playbook([{"name": "Look", "hosts": "off", "gather_facts": False, "tasks": tasks}], **how).ok()
    mail = run.result("mail_flow_info")
    assert (mail["queues"], mail["findings"]) == ([], [])
    assert peers(run, "versions") == {("send", "192.0.2.25"): ["TLS 1.2"], ("receive", "192.0.2.26"): ["TLS 1.2"]}
    assert peers(run, "errors") == {("send", "192.0.2.25"): ["SocketError"], ("receive", "192.0.2.26"): ["SocketError"]}
    # what was agreed on was agreed on after the restart, and what failed had failed before
    booted = datetime.datetime.fromtimestamp(lab.host("off").boot_time(), datetime.timezone.utc).replace(tzinfo=None)
    assert min(moments(lab, "SP_PROT_TLS1_2_CLIENT")) > booted > max(moments(lab, "SocketError"))
