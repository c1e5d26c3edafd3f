# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads that overlap: the answers are those that would have come one after the other, and no fault is added."""

from __future__ import annotations

import threading
import time
from typing import Any, cast

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    AccessDenied,
    ConnectionLost,
    ExchangeTlsError,
    WsmanFault,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire import overlap
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire.overlap import MOST, Overlap, Pace, Read
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire.session import Session
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire.soap import Request

ROUND_TRIP = 0.012


def read(number: int) -> Read:
    return Read(Request("urn:read", "urn:x", f"<n>{number}</n>".encode()), f"reading {number}")


class Host:
    """Channels that say what they were asked, after the time of a round trip, and how many were used at once."""

    def __init__(self, seconds: float = ROUND_TRIP) -> None:
        self.seconds = seconds
        self.asked: list[bytes] = []
        self.logins = self.open = self.busy = self.most = 0
        self.fails: dict[int, Exception] = {}  # by the number of a login
        self.lock = threading.Lock()

    def another(self) -> Login:
        self.logins += 1
        self.open += 1
        return Login(self, self.logins)


class Login:
    endpoint = "http://ex01:5985/wsman"
    operation_timeout = 20

    def __init__(self, host: Host, number: int) -> None:
        self.host, self.number = host, number

    def post(self, message: bytes, _doing: str) -> bytes:
        with self.host.lock:
            self.host.busy += 1
            self.host.most = max(self.host.most, self.host.busy)
            content = message.partition(b"<s:Body>")[2].partition(b"</s:Body>")[0]
            self.host.asked.append(content)
        try:
            time.sleep(self.host.seconds)
            if self.number in self.host.fails:
                raise self.host.fails[self.number]
            return (
                b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>%s</s:Body></s:Envelope>'
                % content
            )
        finally:
            with self.host.lock:
                self.host.busy -= 1

    def reconnect(self) -> None:
        if self.number:
            self.host.open -= 1

    def another(self) -> Login:
        return self.host.another()

    def limit(self, seconds: float | None = None, left: float | None = None) -> None:
        raise AssertionError("nobody limits one of several logins")


@pytest.fixture(name="host")
def _host(monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(overlap, "LONG", ROUND_TRIP / 2)
    # what a busy machine takes from the thread of a test is no news of the line
    monkeypatch.setattr(overlap, "_waited", lambda: 0.0)
    return Host()


def session_to(host: Host) -> Session:
    return Session(cast(Any, Login(host, 0)), sleep=lambda _seconds: None)


def ask(session: Session, number: int) -> str | None:
    item = read(number)
    return session.call(item.request, doing=item.doing, repeatable=True)[0].text


def warm(session: Session) -> None:
    for number in (100, 101, 102):
        ask(session, number)


def test_reads_overlap_over_a_few_logins(host: Host) -> None:
    session = session_to(host)
    with session.overlapping(MOST):
        warm(session)
        session.ahead(map(read, range(30)))
        assert [ask(session, number) for number in range(30)] == [str(number) for number in range(30)]
        assert (host.most, host.logins) == (MOST, MOST - 1)
        session.ahead(map(read, range(30, 60)))
        assert host.logins == MOST - 1, "the same logins again"
    assert len(set(host.asked)) == 63
    assert len(host.asked) < 63 + MOST, "and hardly anything twice"
    assert host.open == 0, "they end with it"


def test_no_more_logins_than_reads(host: Host) -> None:
    session = session_to(host)
    with session.overlapping(MOST):
        warm(session)
        session.ahead([read(1)])
        assert (host.logins, len(host.asked)) == (0, 3), "one read has nothing to overlap with"
        session.ahead([read(1), read(1)])
        assert host.logins == 0
        session.ahead([read(1), read(2), read(3)])
        assert host.logins == 2


@pytest.mark.parametrize("most", [1, 2, 5])
def test_as_many_logins_as_are_allowed(host: Host, most: int) -> None:
    session = session_to(host)
    with session.overlapping(most):
        warm(session)
        session.ahead(map(read, range(20)))
        assert [ask(session, number) for number in range(20)] == [str(number) for number in range(20)]
    assert (host.logins, host.most) == (most - 1, most)


def test_a_short_line_has_one_login() -> None:
    host = Host(seconds=0)
    session = session_to(host)
    with session.overlapping(MOST):
        warm(session)
        session.ahead(map(read, range(30)))
        assert [ask(session, number) for number in range(30)] == [str(number) for number in range(30)]
    assert host.logins == 0


def test_it_takes_some_answers_to_tell(host: Host) -> None:
    session = session_to(host)
    with session.overlapping(MOST):
        ask(session, 100)
        ask(session, 101)
        session.ahead(map(read, range(30)))
        assert host.logins == 0
    warm(session)
    session.ahead(map(read, range(30)))
    assert host.logins == 0, "nobody has asked for it"


@pytest.mark.parametrize(
    ("times", "slow"),
    [
        ([], False),
        ([9, 9], False),
        ([9, 9, 9], True),
        ([9, 9, 0.001], False),
        ([overlap.LONG] * 3, True),
        # a provider that starts
        ([3, 2, overlap.LONG - 0.001, 5, 5, 5], False),
    ],
)
def test_what_a_long_line_is(times: list[float], slow: bool) -> None:
    pace = Pace()
    for seconds in times:
        pace.took(seconds)
    assert pace.is_slow is slow


def test_the_time_for_others_is_no_part_of_a_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = iter([1.0, 1.0 + ROUND_TRIP, 5.0, 5.0])
    monkeypatch.setattr(overlap, "_waited", lambda: next(waited))
    pace = Pace()
    for _dummy in range(2):
        with pace.exchange():
            time.sleep(ROUND_TRIP)
    assert pace.count == 1, "after one that was quick nothing more is measured"
    assert pace.quickest < ROUND_TRIP


def test_where_nobody_tells_the_time_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert overlap._waited() >= 0

    def refuse(*_how: Any, **_more: Any) -> Any:
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", refuse)
    assert overlap._waited() == 0


@pytest.mark.parametrize("which", [[1], [2, 5], list(range(1, 100))], ids=["one", "two", "all"])
@pytest.mark.parametrize("error", [ConnectionLost("gone"), WsmanFault("too many"), RuntimeError("a library")])
def test_a_login_that_fails_is_nobodys_error(host: Host, which: list[int], error: Exception) -> None:
    host.fails = dict.fromkeys(which, error)
    session = session_to(host)
    with session.overlapping(MOST):
        warm(session)
        session.ahead(map(read, range(30)))
        logins = host.logins
        assert [ask(session, number) for number in range(30)] == [str(number) for number in range(30)]
        session.ahead(map(read, range(40, 70)))
        assert host.logins == logins, "no more are made"
        assert [ask(session, number) for number in range(40, 70)] == [str(number) for number in range(40, 70)]
    assert host.open == 0


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        # a host that is gone is gone, and each try to find that out may take a minute
        (ConnectionLost("gone"), 1),
        # there may have been too many requests at once
        (AccessDenied("no right"), 2),
    ],
)
def test_an_error_of_the_session_is_told_to_whoever_asks(
    host: Host, monkeypatch: pytest.MonkeyPatch, error: ExchangeTlsError, asked: int
) -> None:
    """Once, and as if it had been asked for just now."""
    monkeypatch.setattr(host, "another", lambda: None)
    session = session_to(host)
    with session.overlapping(MOST):
        warm(session)
        host.fails[0] = error
        before = host.asked.count(b"<n>0</n>")
        session.ahead(map(read, range(20)))
        assert len(set(host.asked)) == 4, "the others are left to whoever needs them"
        tries = host.asked.count(b"<n>0</n>") - before
        with pytest.raises(error.__class__):
            ask(session, 0)
        assert host.asked.count(b"<n>0</n>") - before == tries * asked
        del host.fails[0]
        assert ask(session, 0) == "0"


@pytest.mark.parametrize("seconds", [1.0, 1000])
def test_logins_that_take_long_hold_nobody_up(host: Host, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Those that are ready in the end are used from then on; no more than allowed are ever made."""
    slow = threading.Event()

    class Slow(Login):
        def post(self, message: bytes, doing: str) -> bytes:
            slow.wait(seconds)
            return super().post(message, doing)

    def another() -> Login:
        host.logins += 1
        return Slow(host, host.logins)

    monkeypatch.setattr(host, "another", another)
    session = session_to(host)
    with session.overlapping(MOST):
        warm(session)
        for start in range(0, 40, 10):
            begun = time.monotonic()
            session.ahead(map(read, range(start, start + 10)))
            assert [ask(session, number) for number in range(start, start + 10)] == list(
                map(str, range(start, start + 10))
            )
            assert time.monotonic() - begun < 10 * ROUND_TRIP + 2 * ROUND_TRIP + 1, "as one after the other"
        assert host.logins == MOST - 1
        slow.set()
        time.sleep(4 * ROUND_TRIP)
        begun = time.monotonic()
        session.ahead(map(read, range(100, 180)))
        assert host.most == MOST
        assert host.logins == MOST - 1


def test_a_machine_without_more_threads(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    session = session_to(host)
    with session.overlapping(MOST):
        warm(session)
        session.ahead(map(read, range(10)))
        assert [ask(session, number) for number in range(10)] == list(map(str, range(10)))
    assert host.open == 0


def test_another_login_that_cannot_be_made(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Login:
        raise ValueError("a library")

    monkeypatch.setattr(host, "another", refuse)
    session = session_to(host)
    with session.overlapping(MOST):
        warm(session)
        session.ahead(map(read, range(10)))
        assert [ask(session, number) for number in range(10)] == list(map(str, range(10)))


def test_a_write_makes_all_of_it_old(host: Host) -> None:
    session = session_to(host)
    with session.overlapping(MOST):
        warm(session)
        session.ahead(map(read, range(5)))
        session.call(Request("urn:write", "urn:x", b"<w/>"), doing="writing", repeatable=False)
        before = len(host.asked)
        ask(session, 1)
        assert len(host.asked) == before + 1, "read anew"
        session.ahead(map(read, range(5)))
    before = len(host.asked)
    ask(session, 2)
    assert len(host.asked) == before + 1, "and so it is afterwards"


def test_a_run_that_is_ended_ends_the_others(host: Host) -> None:
    """The task keyword timeout comes as an exception of its own in the middle of everything."""

    class Ended(BaseException):
        pass

    def own(_read: Read) -> Any:
        raise Ended

    done: list[str] = []

    def over(_login: Any, item: Read) -> Any:
        time.sleep(ROUND_TRIP)
        done.append(item.doing)

    side_by_side = Overlap(own, host.another, over)
    with pytest.raises(Ended):
        side_by_side.fetch(map(read, range(100)))
    time.sleep(4 * ROUND_TRIP)
    assert len(done) < 2 * MOST, "they stop after what they are at"
    side_by_side.close()
    assert host.open == 0


def test_a_host_that_takes_no_other_login() -> None:
    def own(item: Read) -> Any:
        return item.doing

    side_by_side = Overlap(own, lambda: None, cast(Any, None))
    side_by_side.fetch(map(read, range(3)))
    assert [side_by_side.take(read(number).request) for number in range(4)] == [
        "reading 0",
        "reading 1",
        "reading 2",
        None,
    ]


def test_errors_of_the_session_end_the_round(host: Host) -> None:
    """A host that is gone is not asked for each of many reads."""
    asked: list[str] = []

    def own(item: Read) -> Any:
        asked.append(item.doing)
        raise ExchangeTlsError("gone")

    side_by_side = Overlap(own, lambda: None, cast(Any, None))
    side_by_side.fetch(map(read, range(3)))
    assert asked == ["reading 0"]
