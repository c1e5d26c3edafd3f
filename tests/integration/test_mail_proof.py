# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""enforce-tls12.yml on a server whose mail waits: what is seen before and after the restart."""

from __future__ import annotations

import typing as t

from tests.lab.client import LabClient
from tests.lab.inventory import exchange_variables

from .harness import Ansible, Run

CLOUD = "lab-test.mail.protection.outlook.com"
DROPPED = "421 4.4.2 Connection dropped due to SocketError"
SHELL = {"http": None, "https": 8443, "auth": ["basic"]}
SERVER: dict[str, t.Any] = {
    "windows": "2019",
    "services": ["exchange"],
    "registry": ["stock", "tls12_off"],
    "endpoints": [{"kind": "smtp", "port": 2525}],
    "restart": {"shutdown_delay": 0.1, "down_for": 0.3},
}
LAB: dict[str, t.Any] = {
    "accounts": [
        {"user": "labadmin", "password": "Lab-Pass-1"},
        {"user": "exadmin", "password": "Lab-Pass-3", "domain": "lab.test"},
    ],
    "hosts": {
        "ex01": {
            **SERVER,
            "exchange": {
                "build": "15.02.1544.011",
                "send_connectors": [
                    {"name": "To the cloud", "smart_hosts": [CLOUD], "cloud": True, "require_tls": True}
                ],
                "queues": [
                    {
                        "domain": CLOUD,
                        "messages": 40,
                        "delivery_type": "SmartHostConnectorDelivery",
                        "last_error": f"[{{LED={DROPPED}}};{{MSG=}};{{FQDN={CLOUD}}};{{IP=192.0.2.1}};{{LRT=}}]",
                    }
                ],
            },
        },
        "entry": {"windows": "2019", "services": ["exchange"], "exchange": {"build": "15.02.1544.011", "shell": SHELL}},
        "plain": SERVER,
    },
}


def enforce(lab: LabClient, ansible: Ansible, limit: str, **variables: t.Any) -> Run:
    given = {
        "tls12_endpoints": ["smtp://:2525"],
        "tls12_smtp_port": 2525,
        "tls12_maintenance": "never",
        "tls12_mail_patience": 12,
        **variables,
    }
    inventory = exchange_variables(lab, lab.host("entry"), "basic")
    return ansible.playbook(
        "enforce-tls12.yml",
        "-l",
        limit,
        inventory=inventory,
        env={"ANSIBLE_CALLBACKS_ENABLED": "record,mailops.exchange_tls.summary"},
        **given,
    )


def test_it(lab: LabClient, ansible: Ansible) -> None:
    run = enforce(lab, ansible, "ex01,plain")
    print(run.output)
    assert 0
