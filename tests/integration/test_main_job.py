# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job: audit, enforce, restart, verify, roll back."""

from __future__ import annotations

import typing as t

from tests.lab.client import LabClient

from .harness import Ansible

HOST: dict[str, t.Any] = {
    "endpoints": [{"kind": "smtp", "port": 2525}, {"kind": "https", "port": 8443}],
    "restart": {"shutdown_delay": 0.1, "down_for": 0.5},
}
LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": {
        "stock16": {"windows": "2016", "registry": ["stock"], **HOST},
        "stock19": {"windows": "2019", "registry": ["stock"], **HOST},
        "off": {"windows": "2016", "registry": ["stock", "tls12_off"], **HOST},
        "damaged": {"windows": "2012r2", "registry": ["stock", "damaged_fi"], **HOST},
    },
}
ENDPOINTS = ["smtp://:2525", "https://:8443"]


def test_audit(lab: LabClient, ansible: Ansible) -> None:
    run = ansible.playbook("audit-tls12.yml").ok()
    print(run.output)


def test_enforce(lab: LabClient, ansible: Ansible) -> None:
    run = ansible.playbook("enforce-tls12.yml", "--diff", tls12_endpoints=ENDPOINTS)
    print(run.output)
    run.ok()


def test_rollback(lab: LabClient, ansible: Ansible) -> None:
    run = ansible.playbook("rollback-tls12.yml", "--diff", "-l", "off,damaged", tls12_endpoints=ENDPOINTS)
    print(run.output)
    run.ok()
