# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is accepted, until when, what then becomes of it, and what makes a task fail."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change.plans import plan
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import waiving
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.expressions import Expression
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.findings import Finding, Status, compliant
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import protocol_key
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting, Snapshot
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import dword
from hypothesis import given
from hypothesis import strategies as st

from ..fakes import FakeWindows
from ..policies import audited, options, policy, waiver

DAY = datetime.date(2026, 12, 31)
NEXT = datetime.date(2027, 1, 1)
WRONG = Finding(
    id="tls_1_0.server.enabled",
    title="T",
    severity="medium",
    status=Status.NONCOMPLIANT,
    message="TLS 1.0 is on.",
    why="W",
    source="S",
    setting=Setting("K", "Enabled"),
    protocol="TLS 1.0",
    side="Server",
    expected=dword(0),
    actual=dword(1),
    write=dword(0),
)
SCANNER = waiver("protocol == 'TLS 1.0' && side == 'Server'", "the scanner", "2026-12-31")


def applied(finding: Finding, waivers: list[dict[str, Any]], today: datetime.date = DAY) -> Finding:
    (found,) = waiving.apply([finding], waiving.parse(waivers), today)
    return found


def problems(waivers: list[dict[str, Any]], fail_on: str | None = None) -> str:
    with pytest.raises(OptionError) as caught:
        waiving.from_options(options(waivers=waivers, fail_on=fail_on))
    return caught.value.message


# --- the day ---------------------------------------------------------------------------------------------------------


def test_the_last_day_still_counts() -> None:
    found = applied(WRONG, [SCANNER], DAY)
    assert found.status is Status.WAIVED
    assert not found.violates
    assert found.write is None
    assert found.waiver == "waived until 2026-12-31: the scanner"
    assert found.as_result()["waiver"] == found.waiver
    assert found.as_result()["would_write"] is None


def test_the_day_after_it_counts_again_and_says_so() -> None:
    found = applied(WRONG, [SCANNER], NEXT)
    note = "the waiver expired on 2026-12-31: the scanner"
    # the message is what people read when a run fails on it
    assert found == dataclasses.replace(WRONG, waiver=note, message=f"{WRONG.message} (But {note}.)")
    assert found.violates
    assert found.write == dword(0)


@given(st.dates(), st.dates())
def test_every_day(expires: datetime.date, today: datetime.date) -> None:
    found = applied(WRONG, [waiver("id", expires=expires.isoformat())], today)
    assert (found.status is Status.WAIVED) is (today <= expires)
    assert ("expired on" in str(found.waiver)) is (today > expires)


def test_without_a_day_it_counts_for_ever() -> None:
    found = applied(WRONG, [waiver("side == 'Server'", "for good")], datetime.date.max)
    assert (found.status, found.waiver) == (Status.WAIVED, "waived: for good")


def test_one_that_counts_among_those_that_expired() -> None:
    old = waiver("id", "old", "2020-01-01")
    older = waiver("id", "older", "2019-01-01")
    assert applied(WRONG, [old, SCANNER, older]).waiver == "waived until 2026-12-31: the scanner"
    assert applied(WRONG, [old, older]).waiver == "the waiver expired on 2020-01-01: old"


# --- what it is about ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.COMPLIANT, Status.UNKNOWN, Status.NOT_APPLICABLE])
def test_only_what_is_wrong_can_be_waived(status: Status) -> None:
    fine = dataclasses.replace(WRONG, status=status, write=None)
    assert applied(fine, [waiver("id")]) is fine


def test_what_is_absent_can_be_waived() -> None:
    assert applied(dataclasses.replace(WRONG, status=Status.NOT_CONFIGURED), [SCANNER]).status is Status.WAIVED


def test_others_are_left_alone() -> None:
    other = dataclasses.replace(WRONG, side="Client")
    assert applied(other, [SCANNER]) is other
    assert waiving.apply([WRONG], (), DAY) == (WRONG,)


def test_what_is_waived_is_not_written() -> None:
    snapshot = Snapshot({WRONG.setting: dword(1)}, {})
    assert plan([applied(WRONG, [SCANNER], NEXT)], snapshot).writes
    waived = applied(WRONG, [SCANNER], DAY)
    assert not plan([waived], snapshot)
    assert compliant([waived])


def test_a_null_breaks_nothing() -> None:
    keyed = dataclasses.replace(WRONG, protocol=None, side=None, actual=None, expected=None)
    given_waivers = [waiver("starts_with(protocol, 'TLS')"), waiver("actual.data > `0`"), waiver("length(side) > `1`")]
    assert applied(keyed, given_waivers) is keyed
    assert applied(WRONG, given_waivers).status is Status.WAIVED


# --- on a host -------------------------------------------------------------------------------------------------------


def test_the_scanner_on_the_second_floor() -> None:
    """One side of a protocol stays on, and the host comes right with that: that the sides differ is part of it."""
    wanted = policy(baseline="exchange_best_practice")
    windows = FakeWindows({protocol_key("TLS 1.0", "Server"): {"Enabled": dword(1), "DisabledByDefault": dword(0)}})
    found = audited(windows, wanted, [waiver("protocol == 'TLS 1.0' && side == 'Server'")])
    written = {write.setting: write.after for write in found.plan().writes}
    assert not [setting for setting in written if setting.key == protocol_key("TLS 1.0", "Server")]
    assert written[Setting(protocol_key("TLS 1.0", "Client"), "Enabled")] == dword(0)
    after = found.after(found.snapshot.after(written))
    assert after.compliant
    (odd,) = (item for item in after.findings if item.id == "tls_1_0.mismatch")
    assert odd.status is Status.NOT_APPLICABLE
    assert {item.status for item in after.findings if item.setting.key == protocol_key("TLS 1.0", "Server")} == {
        Status.WAIVED
    }


def test_an_oddity_can_be_waived() -> None:
    content = {protocol_key("TLS 1.2", "Client"): {"Enabled": dword(1), "DisabledByDefault": dword(0)}}
    wanted = policy({"TLS 1.2": "enabled"})
    odd = "tls_1_2.one_side"
    (plain,) = (item for item in audited(FakeWindows(content), wanted).findings if item.id == odd)
    assert plain.violates
    found = audited(FakeWindows(content), wanted, [waiver(f"id == '{odd}'", "it is known")])
    (waived,) = (item for item in found.findings if item.id == odd)
    assert (waived.status, waived.waiver) == (Status.WAIVED, "waived: it is known")


def test_today_is_the_day_that_counts() -> None:
    today = datetime.datetime.now(datetime.timezone.utc).date()
    wanted = policy({"TLS 1.2": "enabled"})
    for days, compliant_then in ((-2, False), (2, True)):
        expires = (today + datetime.timedelta(days=days)).isoformat()
        assert audited(FakeWindows(), wanted, [waiver("id", expires=expires)]).compliant is compliant_then


# --- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expires", ["", " ", "soon", "31.12.2026", "2026-13-01", "2026-02-29", "20261231", "2026-W01-1", "2026-12-31T00:00"]
)
def test_days_that_are_none(expires: str) -> None:
    """An empty one may be a variable that is not set; it would be a waiver for ever."""
    told = problems([waiver("id", expires=expires)])
    assert f"waiver 1: 'expires' is {expires!r}; write a date like 2026-12-31" in told


def test_all_problems_at_once() -> None:
    told = problems(
        [
            waiver("protocl == 'TLS 1.0'", " ", "never"),
            waiver("id"),
            waiver("severity == 'low"),
            waiver("low(id)", ""),
        ],
        "sevrity == 'high'",
    )
    assert told.startswith("Bad waivers: ")
    for part in (
        "waiver 1: it has no reason",
        "waiver 1: 'expires' is 'never'",
        "waiver 1: The expression \"protocl == 'TLS 1.0'\" in 'waivers' is refused: unknown key 'protocl'",
        "waiver 3: The expression",
        "waiver 4: it has no reason",
        "unknown function 'low'",
        "The expression \"sevrity == 'high'\" in 'fail_on' is refused: unknown key 'sevrity'",
    ):
        assert part in told
    assert "waiver 2" not in told


def test_none() -> None:
    assert waiving.from_options(options()) == ((), None)
    assert waiving.from_options(options(fail_on="")) == ((), None)


# --- what makes a task fail ------------------------------------------------------------------------------------------


def test_fail_on() -> None:
    waivers, condition = waiving.from_options(options(fail_on="severity == 'medium'", waivers=[SCANNER]))
    assert len(waivers) == 1
    second = dataclasses.replace(WRONG, id="b", message="It is wrong.")
    low = dataclasses.replace(WRONG, id="c", severity="low")
    assert waiving.failure([WRONG, second, low], condition) == {
        "failed": True,
        "msg": "2 findings match fail_on (severity == 'medium'): TLS 1.0 is on. | It is wrong.",
        "error": {"kind": "fail_on", "findings": ["tls_1_0.server.enabled", "b"]},
        "findings": [WRONG.as_result(), second.as_result()],
    }
    assert str(waiving.failure([WRONG, low], condition)["msg"]).startswith("1 finding matches fail_on")
    assert waiving.failure([low], condition) == {}
    assert waiving.failure([], condition) == {}
    assert waiving.failure([WRONG], None) == {}


def test_fail_on_sees_waivers() -> None:
    """What is waived no longer makes a task fail on its status, and can be asked for by it."""
    found = waiving.apply([WRONG], waiving.parse([SCANNER]), DAY)
    assert waiving.failure(found, Expression("status == 'noncompliant'", "fail_on")) == {}
    assert waiving.failure(found, Expression("status == 'waived'", "fail_on"))["failed"] is True
    expired = waiving.apply([WRONG], waiving.parse([SCANNER]), NEXT)
    assert waiving.failure(expired, Expression("waiver && status == 'noncompliant'", "fail_on"))["failed"] is True
