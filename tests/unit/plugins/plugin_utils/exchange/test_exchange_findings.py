# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of Exchange and of updates, and what is in the way of a change."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import findings
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.findings import ExchangeTooOld, Seen
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.installed import Exchange
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.findings import Finding, Status
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.services import Service
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.updates import Updates

TODAY = datetime.date(2026, 11, 26)
NOTHING = dict.fromkeys(("component_based_servicing", "windows_update", "file_renames", "update_exe"), False)


def seen(
    version: tuple[int, ...] | None = (15, 2, 2562, 37),
    *,
    roles: tuple[str, ...] = ("Mailbox",),
    windows: int = 20348,
    today: datetime.date = datetime.date(2026, 4, 2),
    updates: Updates | None = None,
    **exchange: Any,
) -> Seen:
    """An Exchange SE with all updates of the table, unless something else is said."""
    found = updates or Updates(frozenset(), datetime.date(2026, 3, 20), NOTHING)
    return Seen(Exchange(version, roles, **exchange), found, windows, today)


def said(item: Seen, *, tls12: bool = True, old: bool = False, within: int | None = None) -> dict[str, Finding]:
    found = findings.findings(item, wants_tls12=tls12, ends_old_tls=old, updates_within=within)
    assert len({item.id for item in found}) == len(found)
    return {item.id: item for item in found}


def test_nothing_is_said_of_a_server_that_is_current() -> None:
    assert said(seen(), old=True, within=30) == {}


@pytest.mark.parametrize(
    ("version", "tls12", "old", "wanted"),
    [
        ((15, 1, 1261, 35), True, False, {"exchange.tls12_build"}),
        ((15, 1, 1261, 35), True, True, {"exchange.tls12_build", "exchange.old_tls_build"}),
        ((15, 1, 1261, 35), False, False, set()),
        ((15, 1, 1415, 2), True, True, {"exchange.old_tls_build"}),
        ((15, 1, 1466, 3), True, True, set()),
        ((15, 2, 330, 5), True, True, set()),
        ((14, 1, 438, 0), True, False, {"exchange.tls12_build"}),
    ],
)
def test_what_is_too_old(version: tuple[int, ...], tls12: bool, old: bool, wanted: set[str]) -> None:
    found = said(seen(version), tls12=tls12, old=old)
    counting = {item.id for item in found.values() if item.violates}
    assert counting == wanted
    assert all(found[name].severity == "high" for name in wanted)


def test_the_cure_is_named() -> None:
    message = said(seen((15, 1, 1261, 35)))["exchange.tls12_build"].message
    assert message == (
        "This is Exchange 2016 CU7, which cannot do TLS 1.2 in all its parts, whatever is set. Exchange 2016 CU8 and "
        "later ones can; install the newest, Exchange 2016 CU23 Feb26SU (15.1.2507.66)."
    )
    message = said(seen((13, 0, 0, 0)))["exchange.tls12_build"].message
    assert message.endswith("Move its mailboxes to a version that is supported.")


def test_what_is_not_current_counts_against_nobody() -> None:
    found = said(seen((15, 2, 1748, 39), today=TODAY))
    assert {name: item.status for name, item in found.items()} == dict.fromkeys(
        ("exchange.support_ended", "exchange.not_current"), Status.NOT_APPLICABLE
    )
    assert found["exchange.support_ended"].message == "Support for Exchange 2019 ended on 2025-10-14."
    assert found["exchange.not_current"].message == (
        "This is Exchange 2019 CU15 Oct25SU; the newest for it is Exchange 2019 CU15 Feb26SU (15.2.1748.43), as of "
        "2026-04-02."
    )


@pytest.mark.parametrize(("today", "ended"), [("2025-10-14", False), ("2025-10-15", True)])
def test_the_last_day_of_support_is_one(today: str, ended: bool) -> None:
    item = seen((15, 1, 2507, 66), today=datetime.date.fromisoformat(today))
    assert ("exchange.support_ended" in said(item)) is ended


def test_newer_than_the_table_is_no_reproach() -> None:
    found = said(seen((15, 2, 3100, 5), today=TODAY))
    assert set(found) == {"exchange.newer"}
    assert found["exchange.newer"].severity == "info"


@pytest.mark.parametrize("unread", [{"version": "no right"}, {"installed": "no right"}])
def test_an_unknown_version_is_unknown(unread: dict[str, str]) -> None:
    found = said(seen(None, unread=unread))
    assert found["exchange.version"].status is Status.UNKNOWN
    assert "no right" in found["exchange.version"].message


def test_management_tools_send_no_mail() -> None:
    assert said(seen((15, 1, 1261, 35), roles=("ManagementTools",)), old=True, within=1) == {}


def test_services_that_do_not_run() -> None:
    services = {name: Service(name, "Auto", state) for name, state in (("A", "Stopped"), ("B", "Running"))}
    assert said(seen(services=services))["exchange.services"].message == (
        "1 service of Exchange that should run does not: A."
    )


def test_services_that_mail_needs() -> None:
    services = {"msexchangeis": Service("MSExchangeIS", "Disabled", "Stopped")}
    services["w3svc"] = Service("W3SVC", "Auto", "Stopped")
    assert said(seen(services=services))["exchange.services"].message == (
        "2 services of Exchange that should run do not: MSExchangeIS, W3SVC. Mail needs MSExchangeIS."
    )


def test_updates_that_nobody_knows_are_not_said_to_be_missing() -> None:
    item = seen((15, 2, 1748, 10), unread={"security_update": "no right"})
    assert said(item)["exchange.not_current"].message.startswith(
        "This is Exchange 2019 CU15, its updates not known (no right); the newest for it is"
    )


@pytest.mark.parametrize(
    ("windows", "ids", "missing"),
    [
        (9600, {"KB3161949", "KB2973337"}, None),
        (9600, {"KB3161949"}, "KB2973337"),
        (9200, set(), "KB3161949 and KB2973337"),
        (7601, {"KB2973337"}, "KB3161949"),
        (14393, set(), None),
        (9600, None, None),  # nobody knows
    ],
)
def test_prerequisites_of_old_windows(windows: int, ids: set[str] | None, missing: str | None) -> None:
    updates = Updates(None if ids is None else frozenset(ids), TODAY, NOTHING)
    found = said(seen(windows=windows, updates=updates)).get("windows.prerequisites")
    assert (found is not None) is (missing is not None)
    if found:
        assert f"needs {missing} for TLS 1.2" in found.message
        assert not found.violates


@pytest.mark.parametrize(
    ("last", "within", "status"),
    [
        ("2026-03-20", 13, None),
        ("2026-03-20", 12, Status.NONCOMPLIANT),
        ("2026-03-20", None, None),
        (None, 12, Status.UNKNOWN),
        (None, None, None),
    ],
)
def test_the_limit_of_the_user(last: str | None, within: int | None, status: Status | None) -> None:
    day = None if last is None else datetime.date.fromisoformat(last)
    found = said(seen(updates=Updates(frozenset(), day, NOTHING)), within=within).get("windows.updates")
    assert (found.status if found else None) is status
    if status is Status.NONCOMPLIANT and found:
        assert found.message == (
            "The last update of Windows was installed on 2026-03-20, 13 days ago; wanted is one within 12 days."
        )


@pytest.mark.parametrize(
    ("waiting", "severity"),
    [({"file_renames"}, "low"), ({"file_renames", "windows_update"}, "medium"), ({"configuration_manager"}, "medium")],
)
def test_a_restart_that_windows_waits_for(waiting: set[str], severity: str) -> None:
    waits = {**NOTHING, "configuration_manager": None, **dict.fromkeys(waiting, True)}
    found = said(seen(updates=Updates(frozenset(), TODAY, waits)))["windows.restart_waits"]
    assert (found.severity, found.violates) == (severity, False)


# --- in the way of a change ------------------------------------------------------------------------------------------

TOO_OLD = tuple(said(seen((15, 1, 1261, 35)), old=True).values())


def test_a_refusal_says_what_to_do() -> None:
    with pytest.raises(ExchangeTooOld) as caught:
        findings.in_the_way(TOO_OLD, enforces=True, ends_old_tls=False, force=False)
    assert caught.value.message.startswith("Refused, nothing was changed: This is Exchange 2016 CU7, which cannot do")
    assert caught.value.message.endswith(
        "To write the settings all the same, accept the finding exchange.tls12_build by an entry in 'waivers', with "
        "your reason, or set 'force'."
    )
    assert caught.value.as_result() == {"kind": "exchange_too_old", "findings": ["exchange.tls12_build"]}


def test_what_ends_old_tls_needs_more() -> None:
    with pytest.raises(ExchangeTooOld) as caught:
        findings.in_the_way(TOO_OLD, enforces=True, ends_old_tls=True, force=False)
    assert caught.value.details["findings"] == ["exchange.tls12_build", "exchange.old_tls_build"]
    only_old = [item for item in TOO_OLD if item.id == "exchange.old_tls_build"]
    assert findings.in_the_way(only_old, enforces=True, ends_old_tls=False, force=False) is None


def test_a_change_that_brings_nothing_new_is_no_matter_of_the_build() -> None:
    """Such as one that turns old TLS on again, or removes what Windows ignores."""
    assert findings.in_the_way(TOO_OLD, enforces=False, ends_old_tls=False, force=False) is None


def test_force_and_waivers() -> None:
    assert (findings.in_the_way(TOO_OLD, enforces=True, ends_old_tls=True, force=True) or "").startswith(
        "FORCED: This is Exchange 2016"
    )
    waived = [dataclasses.replace(item, status=Status.WAIVED) for item in TOO_OLD]
    assert findings.in_the_way(waived, enforces=True, ends_old_tls=True, force=False) is None
    assert findings.in_the_way((), enforces=True, ends_old_tls=True, force=False) is None
