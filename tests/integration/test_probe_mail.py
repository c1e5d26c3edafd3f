# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail of our own that goes through the server: seen in its send log, it proves how mail leaves."""

from __future__ import annotations

import typing as t

from tests.lab.client import LabClient
from tests.lab.inventory import exchange_variables

from .harness import Ansible, Run
from .test_mail_comes_back import CLOUD, CONNECTOR
from .test_mail_comes_back import SERVER as PLAIN_SERVER

SERVER: dict[str, t.Any] = {
    **PLAIN_SERVER,
    "registry": ["stock", "tls12_off"],
    "restart": {"shutdown_delay": 0.1, "down_for": 0.3},
}
EXCHANGE: dict[str, t.Any] = {"build": "15.01.2507.066", "send_connectors": [CONNECTOR]}
SHELL = {"http": None, "https": 8443, "auth": ["basic"]}
LAB: dict[str, t.Any] = {
    "accounts": [
        {"user": "labadmin", "password": "Lab-Pass-1"},
        {"user": "exadmin", "password": "Lab-Pass-3", "domain": "lab.test"},
    ],
    "exchange_clock": 1200,
    "hosts": {
        # no other mail comes or goes
        "relays": {**SERVER, "exchange": {**EXCHANGE, "mail_out": [{"to": CLOUD, "arriving": 0}], "shell": SHELL}},
        "silent": {**SERVER, "exchange": {**EXCHANGE, "mail_out": [{"to": CLOUD, "arriving": 0}]}},
        "refuses": {**SERVER, "exchange": EXCHANGE},
    },
}


def enforce(lab: LabClient, ansible: Ansible, host: str, mailbox: str, patience: int = 1) -> Run:
    # nothing was sent so far
    logs = lab.smtp_logs() / host
    logs.mkdir(parents=True, exist_ok=True)
    return ansible.playbook(
        "enforce-tls12.yml",
        "-l",
        host,
        inventory=exchange_variables(lab, lab.host("relays"), "basic"),
        tls12_endpoints=["smtp://:2525"],
        tls12_maintenance="never",
        tls12_smtp_logs=str(logs.parent),
        tls12_smtp_port=2525,
        tls12_probe_mailbox=mailbox,
        tls12_mail_patience=patience,
    ).ok()


def test_it_is_seen_in_the_send_log(lab: LabClient, ansible: Ansible) -> None:
    run = enforce(lab, ansible, "relays", "ann@contoso.example", patience=60)
    proof = run.result("mail_flow_proof")
    assert proof["probe"]["refused"] is None
    assert (proof["outgoing"]["word"], proof["outgoing"]["by"]) == ("proven", ["probe", "send_log"])
    (line,) = [
        line
        for path in lab.smtp_logs().rglob("SEND*.LOG")
        for line in path.read_text(encoding="utf-8").splitlines()
        if proof["probe"]["message"] in line
    ]
    assert f"250 2.6.0 {proof['probe']['message']} " in line


def test_without_it_nothing_shows(lab: LabClient, ansible: Ansible) -> None:
    outgoing = enforce(lab, ansible, "silent", "").result("mail_flow_proof")
    assert (outgoing["probe"], outgoing["outgoing"]["word"], outgoing["outgoing"]["by"]) == (None, "open", [])


def test_a_server_that_does_not_relay_says_so(lab: LabClient, ansible: Ansible) -> None:
    run = enforce(lab, ansible, "refuses", "ann@contoso.example")
    proof = run.result("mail_flow_proof")
    assert proof["probe"]["refused"] == "530 5.7.57 Client not authenticated to send mail"
    assert proof["outgoing"]["word"] == "open"
    assert "530 5.7.57" in proof["outgoing"]["sentence"] + " ".join(proof["outgoing"]["notes"])
