# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which results belong to a run, and how a server stands after it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.standing import Steps

from ..fakes import BOOT
from .stories import (
    BACKUP,
    IN,
    REFUSED,
    changed,
    changes,
    failed,
    gone,
    handshakes,
    restarted,
    settings,
    told,
    unchanged,
    verified,
)


def made(steps: Steps) -> list[str]:
    return [name for name, _result in steps.made]


# --- which results belong to a run -----------------------------------------------------------------------------------


def test_what_an_earlier_run_of_the_role_has_left() -> None:
    """Enforce, then harden in the same play: a harden that wrote nothing has made no restart of its own."""
    earlier = BOOT - datetime.timedelta(hours=1)
    undone = {**changed(), "restored_from": BACKUP}
    before = {"reboot": restarted(boot=earlier), "undone": undone, "verify": verified(accepted=IN)}
    steps = Steps.of({**before, "change": unchanged()})
    assert made(steps) == ["change", "verify"]
    assert steps.rebooted is None
    # what was written is not in effect, so that no proof can be of it
    written = changed(backup="/backups/ex01.0002.20261120T040405Z.change.json")
    assert made(Steps.of({**before, "change": written})) == ["change"]
    assert made(Steps.of({**before, "change": failed()})) == ["change"]


def test_a_way_back_is_of_a_restart_or_of_what_was_found_out_of_service() -> None:
    back = {"changed": True, "remarks": []}
    assert Steps.of({"change": unchanged(), "back": back}).back is None, "that of an earlier run"
    begun = {**unchanged(), "maintenance": {"begun": True}}
    for results in ({"change": begun}, {"change": changed(), "reboot": restarted()}):
        assert Steps.of({**results, "back": back}).back == back


def test_a_second_restart_does_not_hide_that_the_change_was_undone() -> None:
    steps = told(
        change=changed(), undone=changed(), reboot=restarted(), verify=verified(accepted=IN, judge_policy=False)
    )
    assert made(steps) == ["change", "reboot", "undone", "verify"]
    assert (steps.category, steps.word) == ("failed", "FAILED, undone")
    assert steps.left_changed == ()


@pytest.mark.parametrize("result", [None, {}, "text", [1], {"skipped": True, "changed": False}, 5])
def test_steps_that_were_not_made(result: Any) -> None:
    steps = Steps.of({"change": unchanged(), "reboot": result, "verify": result})
    assert made(steps)[0] == "change"
    assert steps.verify in (None, {})


def test_results_without_a_time() -> None:
    """As somebody may put them together for the filter."""
    results = {"change": changed(), "reboot": restarted(), "verify": verified(accepted=IN)}
    assert made(Steps.of(results)) == ["change", "reboot", "verify"]
    assert Steps.of({"change": changed(), "verify": gone()}).unreachable


# --- how it stands ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "category", "word"),
    [
        (told(audit=settings("fine")), "as wanted", "as wanted"),
        (told(audit=settings("new")), "to write", "8 to write"),
        (told(audit=settings("off")), "broken", "4 wrong"),
        (told(audit=settings("client off")), "broken", "2 wrong"),
        (told(audit=settings("wrong")), "wrong", "1 wrong"),
        (told(audit=settings("off", waived=True)), "with oddities", "with oddities"),
        (told(audit={**settings("fine"), "restart_pending": True}), "waiting for a restart", "waiting for a restart"),
        (told(audit=failed("findings", overview=settings("off")["overview"])), "broken", "FAILED, 4 wrong"),
        (told(audit=failed()), "failed", "FAILED"),
        (told(audit=gone()), "unreachable", "UNREACHABLE"),
        (told(change=unchanged(), verify=verified(accepted=IN)), "verified", "verified"),
        (told(change=changed(), reboot=restarted(), verify=verified(accepted=IN)), "verified", "verified"),
        (told(change=changed(), reboot=restarted(), verify=verified(accepted=REFUSED)), "failed", "FAILED"),
        (told(change=unchanged(), verify=verified(accepted={"smtp": None})), "not proven", "not proven"),
        (told(change=unchanged(), verify=verified()), "not proven", "not proven"),
        (
            told(change=changed(), verify=verified(pending=True, allow_pending=True)),
            "waiting for a restart",
            "restart pending",
        ),
        (
            told(change=changed(), reboot=restarted(), verify=verified("off", judge_policy=False)),
            "restored",
            "restored",
        ),
        (told(change=changed(), reboot=failed("restart_refused")), "failed", "FAILED"),
        (told(change=changed(), reboot=gone()), "unreachable", "UNREACHABLE"),
        (told(change=changed()), "waiting for a restart", "2 written"),
        (told(error="my hook", change=changed()), "failed", "FAILED"),
        (told(check_mode=True, change=unchanged(), verify=verified(accepted=IN)), "as wanted", "as wanted"),
        # a rollback that finds the values of its backup there
        (
            told(
                check_mode=True,
                change=unchanged("new", restored_from="a.json"),
                verify=verified("new", judge_policy=False),
            ),
            "restored",
            "restored",
        ),
        # nothing is said of what nobody has read
        (Steps(), "not read", "not read"),
        (told(change={"rebooted": False, "restart_pending": True}, reboot=restarted()), "not read", "not read"),
        (told(change={"rebooted": False, "restart_pending": True}), "waiting for a restart", "waiting for a restart"),
        (told(change={"censored": "no_log"}), "not read", "not read"),
    ],
)
def test_how_a_server_stands(steps: Steps, category: str, word: str) -> None:
    assert (steps.category, steps.word) == (category, word)


def test_check_mode_predicts() -> None:
    predicted = changed("fine", "planned", "planned", "planned", backup=None, restart_pending=False)
    steps = told(check_mode=True, change=predicted, reboot={"rebooted": False, "changed": True})
    assert (steps.category, steps.word, steps.planned) == ("to write", "3 to write", 3)
    assert steps.restart_wanted
    assert not told(check_mode=True, change=predicted, reboot={"changed": False}).restart_wanted


def test_tls_12_is_not_called_broken_before_the_restart_that_turns_it_on() -> None:
    waiting = {**verified("off", pending=True, allow_pending=True), "restart_pending": True}
    assert told(change=changed("off"), verify=waiting).category != "broken"
    assert told(check_mode=True, audit=settings("off")).category == "broken"


# --- restarts, changes, handshakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reboot", "seconds", "wanted"),
    [
        (restarted(61.4), 61.4, False),
        (restarted(0), 0.0, False),
        ({**restarted(), "elapsed": "61"}, 0.0, False),
        ({**restarted(), "elapsed": None}, 0.0, False),
        ({"rebooted": False, "changed": False}, None, True),
        (failed("restart_refused", rebooted=False), None, True),
        (failed("restart_failed", rebooted=True, elapsed=9.0), 9.0, False),
        (None, None, True),
    ],
)
def test_restarts(reboot: Any, seconds: float | None, wanted: bool) -> None:
    steps = told(change=changed(), reboot=reboot)
    assert (steps.rebooted, steps.restart_wanted) == (seconds, wanted)


def test_a_step_that_knows_nothing_of_a_restart_does_not_settle_it() -> None:
    assert told(change=changed(), verify=failed()).restart_wanted
    assert not told(change=changed(), reboot=restarted(), verify=verified()).restart_wanted


@pytest.mark.parametrize(
    ("undone", "left"),
    [(None, 2), (changed(), 0), (failed(), 2), (gone(), 2)],
)
def test_what_is_left_changed(undone: Any, left: int) -> None:
    steps = told(
        change={**changed(), "changes": changes("written", "restored", "not_written", "unknown")}, undone=undone
    )
    assert len(steps.left_changed) == left


@pytest.mark.parametrize(
    ("steps", "accepted"),
    [
        (told(change=unchanged(handshakes=handshakes(**IN))), (True, True)),
        # those were tried before the change
        (told(change=changed(handshakes=handshakes(**IN))), ()),
        (told(change=changed(handshakes=handshakes(**IN)), verify=verified(accepted=REFUSED)), (False, True)),
        (told(change=unchanged(), verify=verified(accepted={"smtp": None})), (None,)),
        (told(change=unchanged(handshakes=None)), ()),
        (told(audit=settings("fine")), ()),
    ],
)
def test_what_endpoints_accept(steps: Steps, accepted: tuple[bool | None, ...]) -> None:
    assert steps.accepted == accepted


def test_messages() -> None:
    assert told(change=failed("bug")).message == "It did not work: bug."
    assert told(error="my hook").message == "my hook"
    assert told(audit={**failed(), "msg": ["two", "lines"]}).message == "two lines"
    assert told(audit={"failed": True}).message == ""
