# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchange and updates on the last screen: what is in the way comes first, the rest once, at its end."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.findings import Seen
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.installed import Exchange
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.commands import Command
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.screen import screen
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.standing import Steps
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.audit import Scope
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.updates import Updates

from ..policies import policy, waiver
from ..worlds import audit_of
from .stories import HOSTS, told

COMMAND = Command(book="audit-tls12.yml", inventories=("hosts.yml",))
LEFT = "Left as it is: ex01 may still be out of service, as it has the record of a maintenance."
CU7, CU23 = (15, 1, 1261, 35), (15, 1, 2507, 66)
INSTALL = "install Exchange 2016 CU23 Feb26SU (15.1.2507.66), then"


def audit(
    how: str, version: tuple[int, ...] = CU7, *waivers: dict[str, Any], updated: str = "2025-10-14", within: int = 90
) -> Any:
    """The result of an audit of a server with Exchange, on the last day of its support."""
    found = audit_of(policy(baseline="exchange_tls12"), HOSTS[how], 14393, version, waivers)
    updates = Updates(frozenset(), datetime.date.fromisoformat(updated), {"windows_update": version == CU23})
    seen = Seen(Exchange(version, ("Mailbox",)), updates, 14393, datetime.date(2025, 10, 14))
    scope = Scope("ignore", updates_within=within)
    return dataclasses.replace(found, seen=seen, scope=scope).as_result()


def lines(*steps: Steps) -> list[str]:
    return screen({f"ex0{number}": item for number, item in enumerate(steps, 1)}, command=COMMAND)


@pytest.mark.parametrize("how", ["fine", "new", "off"])
def test_too_old(how: str) -> None:
    shown = lines(told(audit=audit(how)))
    assert any(line.startswith("odd:      This is Exchange 2016 CU7, which cannot do TLS 1.2") for line in shown)
    assert f"next:     {INSTALL}" in shown
    assert not any("the newest is" in line for line in shown), "it is said once"


def test_nothing_to_write_and_yet_too_old() -> None:
    shown = lines(told(audit=audit("fine")), told(audit=audit("fine", CU23)))
    assert "Exchange too old" in shown[1]
    assert "as wanted" in shown[2], "what waits for a restart of Windows counts against nobody"
    assert shown[-1] == "1 too old, 1 as wanted; not reached: none; not touched: none"


def test_what_is_refused() -> None:
    refused = {**audit("off"), "failed": True, "msg": "Refused", "error": {"kind": "exchange_too_old"}}
    shown = lines(told(change={"changes": [], **refused}))
    assert "next:     install the update of Exchange, then" in shown


def test_an_audit_that_was_to_fail() -> None:
    failed = {**audit("new"), "failed": True, "msg": "Not as wanted", "error": {"kind": "findings"}}
    assert f"next:     {INSTALL}" in lines(told(audit=failed))


def test_what_is_accepted_is_in_nobodys_way() -> None:
    accepted = waiver("id == 'exchange.tls12_build'", "it goes next week")
    shown = lines(told(audit=audit("fine", CU7, accepted)))
    assert "as wanted" in shown[1]
    assert not any("install" in line and "then" in line for line in shown)


def test_what_is_only_said_is_said_once() -> None:
    same = [told(audit=audit("fine", CU23)) for _dummy in range(3)]
    shown = lines(*same)
    start = shown.index("Exchange and updates:")
    assert " ".join(line.strip() for line in shown[start + 1 : shown.index("", start)]) == (
        "Windows waits for a restart of its own: Windows Update. The next restart makes it, and may take longer. "
        "(all 3 servers)"
    )
    assert "(ex01)" in " ".join(lines(same[0], told(audit=audit("fine", (15, 2, 2562, 37)))))
    changed = told(change={**audit("fine", CU23), "changes": []})
    assert "Exchange and updates:" not in lines(changed), "an audit is for that"


@pytest.mark.parametrize(("updated", "odd"), [("2025-07-16", 0), ("2025-07-15", 1)])
def test_the_limit_of_the_user_counts(updated: str, odd: int) -> None:
    found = audit("fine", CU23, updated=updated)
    assert found["compliant"] is not bool(odd)
    assert len(found["overview"]["odd"]) == odd


def left_out(how: str) -> Any:
    """An audit of a server that a run which was cut off has left out of service."""
    found = audit_of(policy(baseline="exchange_tls12"), HOSTS[how], 14393, CU23, ())
    updates = Updates(frozenset(), datetime.date(2025, 10, 14), {})
    seen = Seen(Exchange(CU23, ("Mailbox",)), updates, 14393, datetime.date(2025, 10, 14), left_out=True)
    return dataclasses.replace(found, seen=seen, scope=Scope("ignore")).as_result()


def test_a_server_that_was_left_out_of_service_comes_first() -> None:
    shown = lines(told(audit=audit("fine", CU23)), told(audit=left_out("fine")))
    assert "OUT OF SERVICE" in shown[1]
    assert shown[1].startswith("ex02")
    assert "service:  out of service: a run that was cut off has left it so, and no mail goes through it" in shown
    assert any("enforce-tls12.yml -l ex02" in line and "--check" not in line for line in shown)
    assert shown[-1] == "1 out of service, 1 as wanted; not reached: none; not touched: none"
    assert not any("left this server out" in line for line in shown), "it is said once"


def test_a_change_brings_it_back() -> None:
    shown = lines(told(audit=left_out("fine"), change={**left_out("fine"), "changed": False, "changes": []}))
    assert "OUT OF SERVICE" not in shown[1]


def looked(*, begun: bool, warnings: tuple[str, ...] = ()) -> Any:
    """A change of such a server that finds nothing to write. ``begun``: whether it may bring it back."""
    return {
        **left_out("fine"), "changed": False, "changes": [], "maintenance": {"begun": begun}, "warnings": [*warnings],
    }  # fmt: skip


def test_a_check_does_not_bring_it_back() -> None:
    """It is out of service as long as nobody has done what the check foretells."""
    shown = lines(told(change=audit("fine", CU23), check_mode=True), told(change=looked(begun=True), check_mode=True))
    assert shown[1].startswith("ex02")
    assert "OUT OF SERVICE" in shown[1]
    assert "service:  would be brought back; a run that was cut off has left it out of service" in shown
    assert not any("no mail goes through it" in line for line in shown), "it is said once"
    assert "          ansible-playbook -i hosts.yml audit-tls12.yml -l ex02" in shown
    assert shown[-1].startswith("1 out of service, 1 ")


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_run_that_leaves_maintenance_alone_does_not_bring_it_back(check_mode: bool) -> None:
    shown = lines(told(change=looked(begun=False, warnings=(LEFT,)), check_mode=check_mode))
    assert "OUT OF SERVICE" in shown[1]
    assert "service:  out of service: a run that was cut off has left it so, and no mail goes through it" in shown
    assert not any("Left as it is" in line for line in shown), "it is said once"
    assert "          ansible-playbook -i hosts.yml enforce-tls12.yml -e tls12_maintenance=auto" in shown


@pytest.mark.parametrize("check_mode", [True, False])
def test_what_may_be_out_of_service_is_said(check_mode: bool) -> None:
    """Of a server without a cluster the audit does not know it."""
    change = {**audit("fine", CU23), "changed": False, "changes": [], "maintenance": {"begun": False}}
    shown = lines(told(change={**change, "warnings": [LEFT, "Something else."]}, check_mode=check_mode))
    assert f"ex01  warning:  {LEFT}" in shown
    assert not any("Something else" in line for line in shown)
