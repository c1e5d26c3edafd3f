# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts, on a host whose time passes only while somebody waits."""

from __future__ import annotations

import datetime
import itertools
from typing import Any, cast

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    AccessDenied,
    ConnectionLost,
    LoginRefused,
    OperationTimedOut,
    SecurityContextLost,
    UnexpectedAnswer,
    Unreachable,
    WsmanFault,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.facts import OperatingSystem
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.restart import (
    HowToRestart,
    Outcome,
    Restarter,
    RestartFailed,
    RestartRefused,
)

from ..fakes import BOOT, JUST_STARTED, Call, FakeWindows, Trouble

NEW_BOOT = BOOT + datetime.timedelta(days=2)
ON_THE_WAY = [
    Unreachable("connection refused"),
    ConnectionLost("it broke"),
    LoginRefused("HTTP 401"),
    SecurityContextLost("HTTP 400"),
    UnexpectedAnswer("a web page"),
    WsmanFault("a fault"),
    AccessDenied("not yet"),
    OperationTimedOut("slow"),
]


class Machine:
    """A host that restarts when it is told to: it is away from ``down`` to ``up`` seconds after the request."""

    def __init__(self, down: float = 4, up: float | None = 60, services_after: float = 0) -> None:
        self.windows = FakeWindows()
        self.windows.trouble = self.trouble
        self.down, self.up, self.services_after = down, up, services_after
        self.now = 1000.0
        self.asked_at: float | None = None
        self.said: list[str] = []
        self.on_the_way: Exception = Unreachable("connection refused")
        self.answer_to_shutdown: Trouble | None = None
        self.same_boot = False

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def trouble(self, call: Call) -> Trouble | None:
        if call.method.startswith("Win32Shutdown"):
            told = self.answer_to_shutdown
            if told is None or told.executed or told.code in (1115, 1190):
                self.asked_at = self.now
            return told
        self.now += 0.1
        if self.asked_at is None or self.now < self.asked_at + self.down:
            return None
        if self.up is None or self.now < self.asked_at + self.up:
            return Trouble(self.on_the_way)
        if not self.same_boot:
            self.windows.last_boot, self.windows.uptime = NEW_BOOT, JUST_STARTED
        started = self.now >= self.asked_at + self.up + self.services_after
        for item in self.windows.services:
            item["State"] = "Running" if started else "Start Pending"
        return None

    def restart(self, **wishes: Any) -> Outcome:
        self.restarter = Restarter(cast(Any, self.windows), self.said.append, self.sleep, lambda: self.now)
        return self.restarter.run(HowToRestart(**{"timeout": 600, **wishes}))

    @property
    def requests(self) -> list[Call]:
        return [call for call in self.windows.calls if call.method.startswith("Win32Shutdown")]


def test_restart() -> None:
    machine = Machine()
    outcome = machine.restart()
    assert (outcome.boot_before, outcome.boot_after) == (BOOT, NEW_BOOT)
    assert 60 <= outcome.elapsed < 66
    assert outcome.services == ()
    (call,) = machine.requests
    assert call.method == "Win32Shutdown"
    assert call.arguments == {"Flags": ["6"], "Reserved": ["0"]}
    assert not call.repeatable
    assert "restart requested, last boot was 2026-11-20T03:04:05Z" in machine.said[0]
    assert machine.said[1:] == ["is going down (4 of at most 600 seconds)", "is back, booted 2026-11-22T03:04:05Z"]
    assert machine.windows.channel.reconnected > 10, "each look has a login of its own"
    packets, left = zip(*machine.windows.channel.limits[1:-1], strict=True)
    assert 0 < max(packets) <= 10
    assert max(left) < 603
    assert machine.windows.channel.limits[0] == (None, 600)
    assert machine.windows.channel.limits[-1] == (None, None), "the limits end with the restart"


def test_without_force() -> None:
    machine = Machine()
    machine.restart(force=False)
    assert machine.requests[0].arguments["Flags"] == ["2"]


@pytest.mark.parametrize("error", ON_THE_WAY)
def test_anything_may_happen_on_the_way(error: Exception) -> None:
    machine = Machine()
    machine.on_the_way = error
    assert machine.restart().boot_after == NEW_BOOT


def test_host_that_is_back_before_anybody_looks() -> None:
    machine = Machine(down=0, up=0.05)
    assert machine.restart().boot_after == NEW_BOOT
    assert not any(line.startswith("is going down") for line in machine.said)


# --- hosts that do not come back -------------------------------------------------------------------------------------


def test_not_coming_back() -> None:
    machine = Machine(up=None)
    start = machine.now
    with pytest.raises(RestartFailed) as caught:
        machine.restart(timeout=300)
    assert machine.restarter.boot_after is None
    assert "has not come back within 300 seconds. Last seen: connection refused" in caught.value.message
    assert 300 <= machine.now - start < 310
    assert caught.value.as_result()["kind"] == "restart_failed"


def test_answering_with_the_old_boot_time() -> None:
    machine = Machine(down=0, up=0)
    machine.same_boot = True
    with pytest.raises(RestartFailed, match="it answers and still runs since 2026-11-20T03:04:05Z"):
        machine.restart(timeout=60)


def test_boot_time_that_jitters_is_no_restart() -> None:
    machine = Machine(down=0, up=0)
    machine.same_boot = True
    machine.windows.last_boot = BOOT
    real = machine.trouble

    def jitter(call: Call) -> Trouble | None:
        machine.windows.last_boot = BOOT + datetime.timedelta(seconds=call.number % 2)
        return real(call)

    machine.windows.trouble = jitter
    with pytest.raises(RestartFailed):
        machine.restart(timeout=60)


def test_a_clock_that_is_set_meanwhile_is_no_restart() -> None:
    """The boot time moves with it, and Windows has been up all the time."""
    machine = Machine(down=0, up=0)
    machine.same_boot = True
    machine.windows.last_boot = BOOT + datetime.timedelta(seconds=9)
    machine.windows.uptime = datetime.timedelta(days=3)
    before = OperatingSystem("EX01", "Windows", 17763, "server", BOOT, 0.0, datetime.timedelta(days=3))
    restarter = Restarter(cast(Any, machine.windows), machine.said.append, machine.sleep, lambda: machine.now)
    with pytest.raises(RestartFailed, match="still runs since"):
        restarter.run(HowToRestart(timeout=60), before)


@pytest.mark.parametrize("timeout", [1, 5, 30])
def test_deadline_is_kept(timeout: float) -> None:
    machine = Machine(up=None)
    start = machine.now
    with pytest.raises(RestartFailed):
        machine.restart(timeout=timeout)
    assert machine.now - start < timeout + 3
    limits = machine.windows.channel.limits
    assert min(packet for packet, _left in limits if packet is not None) >= 1
    assert max(left for _packet, left in limits if left is not None) <= timeout + 3
    assert limits[-1] == (None, None), "the limits end with the restart, however it ends"


# --- the request -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "words"), [(1115, "already in progress"), (1190, "already scheduled")])
def test_restart_that_others_have_asked_for(code: int, words: str) -> None:
    machine = Machine()
    machine.answer_to_shutdown = Trouble(code=code)
    assert machine.restart().boot_after == NEW_BOOT
    assert words in machine.said[0]
    assert len(machine.requests) == 1


@pytest.mark.parametrize(("code", "words"), [(5, "Administrators"), (1314, "privilege"), (87, "Win32 error codes")])
def test_refused(code: int, words: str) -> None:
    machine = Machine()
    machine.answer_to_shutdown = Trouble(code=code)
    with pytest.raises(RestartRefused, match=f"Win32Shutdown returned {code}: .*{words}") as caught:
        machine.restart()
    assert caught.value.as_result() == {"kind": "restart_refused", "return_code": code}
    assert machine.now < 1002


@pytest.mark.parametrize("error", [ConnectionLost("it broke"), OperationTimedOut("slow")])
@pytest.mark.parametrize("comment", [None, "patching"])
def test_answer_that_is_cut_off_by_the_restart(error: Exception, comment: str | None) -> None:
    machine = Machine()
    machine.answer_to_shutdown = Trouble(error, executed=True)
    assert machine.restart(comment=comment).boot_after == NEW_BOOT
    assert len(machine.requests) == 1, "never asked for twice"
    assert "was not answered" in machine.said[0]


def test_request_that_is_lost() -> None:
    machine = Machine()
    machine.answer_to_shutdown = Trouble(ConnectionLost("it broke"))
    with pytest.raises(RestartFailed, match="still runs since"):
        machine.restart(timeout=600)
    assert len(machine.requests) == 2, "asked once more, and no more than that"


class Deaf(Machine):
    """A host that the first request never reaches."""

    deaf = True

    def trouble(self, call: Call) -> Trouble | None:
        if call.method.startswith("Win32Shutdown") and self.deaf:
            self.deaf = False
            return Trouble(ConnectionLost("it broke"))
        return super().trouble(call)


def test_request_that_is_lost_once() -> None:
    machine = Deaf()
    assert machine.restart().boot_after == NEW_BOOT
    assert len(machine.requests) == 2
    assert any("requesting the restart once more" in message for message in machine.said)


def test_comment() -> None:
    machine = Machine()
    machine.restart(comment="TLS 1.2")
    (call,) = machine.requests
    assert call.method == "Win32ShutdownTracker"
    assert call.arguments == {
        "Timeout": ["0"],
        "Comment": ["TLS 1.2"],
        "ReasonCode": [str(0x80040001)],
        "Flags": ["6"],
    }


def test_comment_that_this_windows_does_not_take() -> None:
    machine = Machine()

    def trouble(call: Call) -> Trouble | None:
        return Trouble(WsmanFault("no such method")) if call.method == "Win32ShutdownTracker" else machine.trouble(call)

    machine.windows.trouble = trouble
    assert machine.restart(comment="TLS 1.2").boot_after == NEW_BOOT
    assert [call.method for call in machine.windows.calls if "Shutdown" in call.method] == [
        "Win32ShutdownTracker",
        "Win32Shutdown",
    ]
    assert "restarting without" in machine.said[0]


def test_no_right_to_restart() -> None:
    machine = Machine()
    machine.answer_to_shutdown = Trouble(AccessDenied("access denied", wsman_code=5))
    with pytest.raises(RestartRefused, match="Windows refused to restart: access denied") as caught:
        machine.restart(comment="TLS 1.2")
    assert caught.value.as_result() == {"kind": "restart_refused", "wsman_code": 5}
    assert len(machine.requests) == 1


@pytest.mark.parametrize(
    ("error", "asked"),
    [(AccessDenied("access denied"), False), (LoginRefused("HTTP 401"), False), (UnexpectedAnswer("a web page"), True)],
)
def test_who_has_perhaps_heard_it_counts_as_asked(error: Exception, asked: bool) -> None:
    machine = Machine()
    machine.answer_to_shutdown = Trouble(error)
    with pytest.raises(RestartRefused if isinstance(error, AccessDenied) else type(error)):
        machine.restart()
    assert machine.restarter.asked is asked


# --- logins --------------------------------------------------------------------------------------------------------


def test_a_login_that_stays_refused_is_tried_less_and_less() -> None:
    machine = Machine(up=None)
    machine.on_the_way = LoginRefused("HTTP 401")
    with pytest.raises(RestartFailed, match="HTTP 401"):
        machine.restart(timeout=600)
    assert sum(not call.method.startswith("Win32Shutdown") for call in machine.windows.calls) < 25


def test_logins_that_fail_now_and_then_are_tried_less_and_less() -> None:
    """A ticket that cannot be had, and something else in between: not hundreds of logins in half an hour."""
    machine = Machine(up=None)
    errors, real = itertools.cycle([LoginRefused("no ticket"), Unreachable("refused")]), machine.trouble

    def trouble(call: Call) -> Trouble | None:
        found = real(call)
        return Trouble(next(errors)) if found and found.error else found

    machine.windows.trouble = trouble
    with pytest.raises(RestartFailed):
        machine.restart(timeout=1800)
    assert len(machine.windows.calls) < 60
