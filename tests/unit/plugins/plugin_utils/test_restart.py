# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts, on a host whose time passes only while somebody waits."""

from __future__ import annotations

import datetime
import itertools
import time
from typing import Any, cast

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    AccessDenied,
    ConnectionLost,
    IncompleteAnswer,
    LoginRefused,
    OperationTimedOut,
    OptionError,
    SecurityContextLost,
    UnexpectedAnswer,
    Unreachable,
    WsmanFault,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._restart import (
    Outcome,
    Restarter,
    RestartFailed,
    RestartRefused,
    Wishes,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._services import services_to_wait_for

from .fakes import BOOT, Call, FakeWindows, Trouble, service

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
            self.windows.last_boot = NEW_BOOT
        started = self.now >= self.asked_at + self.up + self.services_after
        for item in self.windows.services:
            item["State"] = "Running" if started else "Start Pending"
        return None

    def restart(self, **wishes: Any) -> Outcome:
        self.restarter = Restarter(cast(Any, self.windows), self.said.append, self.sleep, lambda: self.now)
        return self.restarter.run(Wishes(**{"timeout": 600, **wishes}))

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
    assert machine.said[1:] == ["is going down", "is back, booted 2026-11-22T03:04:05Z"]
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
    assert "is going down" not in machine.said


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


# --- services --------------------------------------------------------------------------------------------------------


def test_services() -> None:
    machine = Machine(services_after=50)
    machine.windows.services = [
        service("MSExchangeIS"),
        service("MSExchangeTransport"),
        service("MSExchangePop3", "Stopped"),
        service("MSExchangeImap4", "Running", "Manual"),
        service("W3SVC", "Stopped", "Manual"),
        service("Other"),
    ]
    outcome = machine.restart(services=("msexchange*", "w3svc"))
    assert outcome.services == ("MSExchangeIS", "MSExchangeTransport", "W3SVC")
    assert outcome.elapsed >= 110
    assert machine.said[-1] == "waiting for MSExchangeIS and 2 more services"


@pytest.mark.parametrize("services", [[], [service("MSExchangeIS", "Stopped")]])
def test_default_without_services(services: list[dict[str, str]]) -> None:
    machine = Machine()
    machine.windows.services = services
    assert machine.restart(services=("MSExchange*",)).services == ()
    assert "no automatic service runs that MSExchange* stands for; waiting for none" in machine.said


@pytest.mark.parametrize("wanted", [("MSExchnage*",), ("W3SVC", "Nothing*", "W3*"), ("[W]3*",), ("W?SVC*",)])
def test_pattern_that_fits_nothing(wanted: tuple[str, ...]) -> None:
    machine = Machine()
    machine.windows.services = [service("W3SVC")]
    odd = next(name for name in wanted if not name.startswith("W3"))
    with pytest.raises(OptionError) as caught:
        machine.restart(services=wanted)
    assert f"no service that fits the pattern {odd}; nothing was restarted" in caught.value.message
    assert machine.requests == []


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_blank_name(blank: str) -> None:
    machine = Machine()
    with pytest.raises(OptionError, match="'services' holds a blank name"):
        machine.restart(services=("W3SVC", blank))
    assert machine.windows.calls[1:] == []


SPECIAL = [
    "Backup[1]",
    "100%",
    "a_b",
    "MSSQL$SQLEXPRESS",
    "O'Brien",
    "back\\slash",
    "^caret",
    "Dienst für Ä",
    "a[^b]-c",
]


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize("many", [False, True])
def test_names_that_mean_something_to_wql(name: str, many: bool) -> None:
    windows = FakeWindows()
    windows.services = [service(name), service(f"{name}Agent"), service("Other")]
    more = [f"{name}{'*' * count}" for count in range(2, 30)] if many else []
    found = services_to_wait_for(cast(Any, windows), [f" {name}* ", *more])
    assert found == tuple(sorted([name, f"{name}Agent"]))


def test_names_without_regard_to_case() -> None:
    windows = FakeWindows()
    windows.services = [service("MSExchangeIS"), service("W3SVC", "Stopped", "Manual")]
    assert services_to_wait_for(cast(Any, windows), ["msexchangeis", "w3svc", "MSEXCHANGE*"]) == (
        "MSExchangeIS",
        "W3SVC",
    )
    assert services_to_wait_for(cast(Any, FakeWindows()), []) == ()


def test_thousands_of_services_take_no_time() -> None:
    windows = FakeWindows()
    windows.services = [service(f"Service{number}") for number in range(4000)]
    names = [f"Service{number}" for number in range(4000)]
    started = time.process_time()
    assert len(services_to_wait_for(cast(Any, windows), [*names, "Serv*"])) == 4000
    assert time.process_time() - started < 2
    (call,) = windows.calls
    assert str(call.arguments["Filter"]) == "['SELECT * FROM Win32_Service']", "Windows refuses long conditions"


def test_waiting_asks_as_it_was_told() -> None:
    """Not for each service by its name: the question would grow too long for Windows."""
    machine = Machine()
    machine.windows.services = [service(f"MSExchange{number}") for number in range(500)]
    outcome = machine.restart(services=("MSExchange*", "MSExchange7"))
    assert len(outcome.services) == 500
    questions = {str(call.arguments["Filter"]) for call in machine.windows.calls if call.method == "Enumerate"}
    assert len(questions) == 1
    assert len(questions.pop()) < 150


def test_services_that_were_read_too_slowly() -> None:
    machine = Machine()
    machine.windows.services = [service("W3SVC")]
    real = machine.trouble

    def trouble(call: Call) -> Trouble | None:
        machine.now += 45 if call.method == "Enumerate" else 0
        return real(call)

    machine.windows.trouble = trouble
    with pytest.raises(RestartFailed, match="longer than 40 seconds; nothing was restarted"):
        machine.restart(services=("W3SVC",), timeout=40)
    assert machine.requests == []


def test_incomplete_list_is_no_proof_that_a_service_is_missing() -> None:
    machine = Machine()
    machine.windows.trouble = lambda call: (
        Trouble(IncompleteAnswer("the list ended early")) if call.method == "Enumerate" else None
    )
    with pytest.raises(IncompleteAnswer, match="ended early"):
        machine.restart(services=("W3SVC",))
    assert machine.requests == []


def test_many_services_that_do_not_start() -> None:
    machine = Machine(services_after=10_000)
    machine.windows.services = [service(f"Service{number:04}") for number in range(400)]
    with pytest.raises(RestartFailed) as caught:
        machine.restart(services=("*",), timeout=90)
    assert "Service0000 (Start Pending)" in caught.value.message
    assert "and 380 more" in caught.value.message
    assert len(caught.value.message) < 1500


@pytest.mark.parametrize("wanted", [("Missing",), ("W3SVC", "missing", "Gone")])
def test_service_that_does_not_exist(wanted: tuple[str, ...]) -> None:
    machine = Machine()
    machine.windows.services = [service("W3SVC")]
    with pytest.raises(OptionError, match=r"no service named .*nothing was restarted"):
        machine.restart(services=wanted)
    assert machine.requests == []


def test_service_names_are_not_patterns() -> None:
    machine = Machine()
    machine.windows.services = [service("My_Service"), service("MyXService"), service("My_Other")]
    outcome = machine.restart(services=("My_*",))
    assert outcome.services == ("My_Other", "My_Service"), "an underscore is itself, not any character"


def test_services_that_do_not_start() -> None:
    machine = Machine(services_after=10_000)
    machine.windows.services = [service("MSExchangeIS"), service("W3SVC")]
    with pytest.raises(RestartFailed) as caught:
        machine.restart(services=("*",), timeout=300)
    assert machine.restarter.boot_after == NEW_BOOT, "the restart itself is no failure"
    assert "after 300 seconds these services do not run: MSExchangeIS (Start Pending), W3SVC" in caught.value.message


def test_service_that_is_gone_after_the_restart() -> None:
    machine = Machine()
    machine.windows.services = [service("W3SVC")]
    real = machine.trouble

    def trouble(call: Call) -> Trouble | None:
        if machine.windows.last_boot == NEW_BOOT:
            machine.windows.services.clear()
        return real(call)

    machine.windows.trouble = trouble
    with pytest.raises(RestartFailed, match=r"W3SVC \(missing\)"):
        machine.restart(services=("W3SVC",), timeout=120)


@pytest.mark.parametrize("error", ON_THE_WAY)
def test_host_that_stutters_while_services_start(error: Exception) -> None:
    machine = Machine(services_after=20)
    machine.windows.services = [service("W3SVC")]
    real = machine.trouble

    def trouble(call: Call) -> Trouble | None:
        found = real(call)
        back = machine.windows.last_boot == NEW_BOOT
        return Trouble(error) if back and call.method == "Enumerate" and call.number % 2 else found

    machine.windows.trouble = trouble
    assert machine.restart(services=("W3SVC",)).services == ("W3SVC",)


@pytest.mark.parametrize("name", ["O'Brien", "back\\slash"])
def test_names_are_quoted(name: str) -> None:
    machine = Machine()
    with pytest.raises(OptionError):
        machine.restart(services=(name,))
    (call,) = (call for call in machine.windows.calls if call.method == "Enumerate")
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    assert f"Name='{quoted}'" in str(call.arguments["Filter"][0])


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
