# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of runs, made from the stories: one server of each kind, and fleets of any size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.result import Run, result
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.standing import Steps

from .stories import IN, REFUSED, changed, failed, gone, restarted, settings, told, unchanged, verified

# A name as nobody should have it: markup, a bidi mark, an escape sequence, a formula.
HOSTILE = "=cmd|'<script>alert(1)</script>\u202e\x1b[31m\"&--"
KINDS: Mapping[str, Any] = {
    "broken": lambda: told(audit=settings("off")),
    "to write": lambda: told(audit=settings("new")),
    "wrong": lambda: told(audit=settings("wrong")),
    "fine": lambda: told(audit=settings("fine")),
    "verified": lambda: told(change=changed(), reboot=restarted(), verify=verified(accepted=IN)),
    "refused": lambda: told(change=changed(), reboot=restarted(), verify=verified(accepted=REFUSED)),
    "unchanged": lambda: told(change=unchanged(), verify=verified(accepted=IN)),
    "failed": lambda: told(change=failed()),
    "unreachable": lambda: told(change=gone()),
    "waived": lambda: told(audit=settings("off", waived=True)),
    "hardened": lambda: told(audit=settings("old off")),
    "one side": lambda: told(audit=settings("client off")),
}


def run(number: int = 1, **more: Any) -> Run:
    values: dict[str, Any] = {
        "id": f"20261120T03040{number}Z-7",
        "began": f"2026-11-20T03:04:0{number}Z",
        "ended": f"2026-11-20T03:14:0{number}Z",
        "playbook": "playbooks/enforce-tls12.yml",
        "versions": {"ansible-core": "2.19.14", "collection": "1.0.0", "python": "3.13.0"},
        "variables": {"tls12_serial": 1},
    }
    return Run(**{**values, **more})


def of(hosts: Mapping[str, Steps], number: int = 1, **more: Any) -> dict[str, Any]:
    beside = {name: more.pop(name) for name in ("untouched", "beside") if name in more}
    return result(run(number, **more), hosts, **beside)


def fleet(count: int) -> dict[str, Steps]:
    """Servers of all kinds, in turn."""
    kinds = list(KINDS)
    return {f"ex{number:03}.corp.example.com": KINDS[kinds[number % len(kinds)]]() for number in range(count)}
