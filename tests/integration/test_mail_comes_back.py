# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole story of a server whose mail to Office 365 has stopped: symptom, cause, cure, and mail that goes again."""

from __future__ import annotations

import csv
import datetime
import time
import typing as t

from tests.lab.client import LabClient
from tests.lab.inventory import exchange_variables

from .harness import Ansible

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


def test_symptom_cause_cure_and_mail_that_goes(lab: LabClient, ansible: Ansible) -> None:
    how: dict[str, t.Any] = {"inventory": exchange_variables(lab, lab.host("well"), "basic")}
    given = {"tls12_endpoints": ["smtp://:2525"], "tls12_handshake_patience": 1}

    run = ansible.playbook("why-mail-stopped.yml", "-l", "off", **how, **given, tls12_symptom=DROPPED).ok()
    (found,) = [item.result["msg"] for item in run.outcomes if item.task == "Why mail has stopped"]
    print("\n".join(found))
    started = time.monotonic()
    run = ansible.playbook("enforce-tls12.yml", "-l", "off", **how, **given)
    print(run.output, time.monotonic() - started)
    run = ansible.task("mail_flow_info", hosts="off", **how).ok()
    print(run.result("mail_flow_info")["queues"], run.result("mail_flow_info")["findings"])
    assert 0
