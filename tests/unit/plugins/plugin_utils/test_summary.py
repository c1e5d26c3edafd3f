# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines at the end of a run."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel import SIDES
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._summary import summary

HOST = {"computer_name": "EX01", "os": "Microsoft Windows Server 2019 Standard", "build": 17763, "ubr": 5576}


def settings(state: str, effective: str, compliant: bool, pending: bool = False) -> dict[str, Any]:
    return {
        "host": HOST,
        "findings": [
            *[{"protocol": "TLS 1.2", "expected": {"present": True}, "status": "compliant"}] * 4,
            # something odd about a protocol that nobody asks about
            {"protocol": "TLS 1.0", "expected": None, "status": "not_applicable"},
        ],
        "protocols": {"TLS 1.2": {side: {"state": state, "effective": effective} for side in SIDES}},
        "restart_pending": pending,
        "compliant": compliant,
    }


STOCK = settings("not_configured", "enabled", False)
RIGHT = settings("enabled", "enabled", True)
NO_CHANGE = {**RIGHT, "changed": False, "changes": [], "restart_required": False, "backup": None}


def changed(*status: str, **more: Any) -> dict[str, Any]:
    changes = [{"status": item} for item in status]
    return {**STOCK, "changed": True, "changes": changes, "restart_required": True, "backup": "/b.json", **more}


DONE = {"changed": True, "rebooted": True, "elapsed": 214.3}
VERIFIED = {"verified": True, "problems": [], "notes": []}


def lines(**steps: Any) -> dict[str, str]:
    found = [line.partition(":") for line in summary(**steps)]
    assert [name for name, _colon, _text in found] == [
        name
        for name in ("host", "before", "changed", "restart", "after", "verified", "next")
        if name in {item for item, _colon, _text in found}
    ]
    return {name: text.strip() for name, _colon, text in found}


def test_whole_run() -> None:
    steps = {
        "audit": STOCK,
        "change": changed("written", "written"),
        "reboot": DONE,
        "after": RIGHT,
        "verdict": VERIFIED,
    }
    assert lines(**steps) == {
        "host": "EX01, Windows Server 2019 (build 17763.5576)",
        "before": "TLS 1.2 Client not configured (enabled by default), Server not configured (enabled by default)",
        "changed": "2 registry values written, backup in /b.json",
        "restart": "done in 214 seconds",
        "after": "TLS 1.2 Client enabled, Server enabled",
        "verified": "yes, by handshake",
        "next": "nothing to do",
    }


def test_second_run() -> None:
    found = lines(audit=RIGHT, change=NO_CHANGE, after=RIGHT, verdict=VERIFIED, reboot={"skipped": True})
    assert found["changed"] == "nothing, everything was right already"
    assert "restart" not in found
    assert found["next"] == "nothing to do"


def test_check_mode() -> None:
    found = lines(
        audit=STOCK, change=changed("planned"), reboot={"changed": True}, after=STOCK, verdict=VERIFIED, check_mode=True
    )
    assert found["changed"] == "1 registry value would be written"
    assert found["restart"] == "would be made"
    assert "after" not in found
    assert found["verified"] == "not yet: handshakes in check mode show today's state"
    assert found["next"] == "run without --check to make the changes"


def test_check_mode_with_nothing_to_do() -> None:
    assert lines(audit=RIGHT, change=NO_CHANGE, check_mode=True)["next"] == "nothing to do"


@pytest.mark.parametrize("check_mode", [False, True])
def test_audit_alone(check_mode: bool) -> None:
    assert lines(audit=STOCK, check_mode=check_mode)["next"] == "run enforce-tls12.yml, with --check first"
    assert lines(audit=RIGHT, check_mode=check_mode)["next"] == "nothing to do"


def test_audit_of_a_host_that_waits_for_its_restart() -> None:
    found = lines(audit=settings("enabled", "enabled", True, pending=True))
    assert found["before"].endswith("(restart pending)")
    assert found["next"] == "restart the host, then run the audit playbook"


def test_no_restart_wanted() -> None:
    found = lines(audit=STOCK, change=changed("written"), after=settings("enabled", "enabled", True, pending=True))
    assert found["restart"] == "needed"
    assert found["next"] == "restart the host, then run the audit playbook"


def test_failed_change() -> None:
    change = changed("written", "put_back", "unknown", "not_written", failed=True, msg="It broke.")
    found = lines(audit=STOCK, change=change)
    assert found["changed"] == "FAILED, 2 of 4 values left changed: It broke."
    assert found["next"].startswith("mend what the message says")


def test_failed_restart() -> None:
    found = lines(audit=STOCK, change=changed("written"), reboot={"failed": True, "msg": "It did not come back."})
    assert found["restart"] == "FAILED: It did not come back."
    assert found["next"].startswith("mend what the message says")


@pytest.mark.parametrize("step", ["audit", "after"])
def test_host_that_could_not_be_read(step: str) -> None:
    """The summary is made always: it must not hide what went wrong."""
    found = lines(**{step: {"failed": True, "msg": "Access denied."}})
    assert found["before" if step == "audit" else "after"] == "FAILED: Access denied."
    assert found["next"].startswith("mend what the message says")


def test_not_as_it_should_be() -> None:
    verdict = {"verified": False, "problems": ["TLS 1.2 was refused."], "notes": ["A note."]}
    found = lines(audit=STOCK, change=changed("written"), reboot=DONE, after=RIGHT, verdict=verdict)
    assert found["verified"] == "NO: TLS 1.2 was refused. | A note."
    assert "rollback-tls12.yml" in found["next"]


def test_not_proven() -> None:
    verdict = {"verified": False, "problems": [], "notes": []}
    found = lines(audit=STOCK, change=changed("written"), reboot=DONE, after=RIGHT, verdict=verdict)
    assert found["verified"] == "registry yes, handshake not proven: no handshake was tried"
    assert "from outside" in found["next"]


def test_unknown_windows() -> None:
    host = {**HOST, "build": 1, "ubr": None}
    assert lines(audit={**RIGHT, "host": host})["host"] == "EX01, Microsoft Windows Server 2019 Standard (build 1.0)"


def test_nothing() -> None:
    assert lines() == {"next": "nothing to do"}


def test_what_was_found_is_counted_and_a_translated_page_is_told() -> None:
    findings = [
        {"id": "a", "protocol": None, "expected": {}, "status": "not_configured"},
        {"id": "b", "protocol": None, "expected": {}, "status": "waived"},
        {"id": "c", "protocol": None, "expected": {}, "status": "compliant"},
        {"id": "d", "protocol": None, "expected": {}, "status": "not_applicable"},
        {
            "id": "translated_page",
            "protocol": None,
            "expected": None,
            "status": "not_applicable",
            "message": "Someone.",
        },
    ]
    host = {"computer_name": "EX01", "os": "Windows", "build": 17763, "ubr": 1}
    audit = {"host": host, "findings": findings, "protocols": {}, "restart_pending": False, "compliant": False}
    lines = summary(audit=audit)
    assert "findings: 1 of 3 settings are not as wanted, 1 waived" in lines
    assert "notice:   Someone." in lines
