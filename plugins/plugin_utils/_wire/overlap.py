# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Reads that overlap: over a few more logins of the same host, where a round trip is long.

Answers are fetched before they are asked for. What could not be fetched is asked for as if nobody had tried, so that
nothing that goes wrong here is seen by anybody.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import threading
import time
import typing as t

from .._errors import ExchangeTlsError, WsmanFault
from .soap import Request
from .xml import Element

# A round trip is long from so many seconds on: forty reads one after the other then take more than one second. In a
# local network an answer takes some thousandths.
LONG = 0.03
# So many answers tell: the first one has a login before it, and a provider that starts.
_TELLING = 3
# Logins to one host, with the first: far below what WinRM bears by default on Windows Server 2012 R2 (300 connections,
# and 1500 operations of a user).
MOST = 10
# A read that another login has not answered in so many round trips is made over the session's own as well.
_PATIENT = 2.0


@dataclasses.dataclass(frozen=True)
class Read:
    """A request that changes nothing, and what it does, for messages."""

    request: Request
    doing: str


class Another(t.Protocol):
    """A further login: what of a channel is used here."""

    def post(self, message: bytes, doing: str) -> bytes:
        """As that of a channel; the first message logs in."""

    def reconnect(self) -> None:
        """Ends it."""


@dataclasses.dataclass
class Pace:
    """How long answers take."""

    count: int = 0
    quickest: float = float("inf")

    def took(self, seconds: float) -> None:
        self.count, self.quickest = self.count + 1, min(self.quickest, seconds)

    @contextlib.contextmanager
    def exchange(self) -> t.Iterator[None]:
        """The time for a message and its answer, without that in which others had the processors of this machine."""
        if self.quickest < LONG:
            # that one answer was quick is all there is to know
            yield
            return
        begun, waited = time.monotonic(), _waited()
        yield
        self.took(time.monotonic() - begun - (_waited() - waited))

    @property
    def is_slow(self) -> bool:
        return self.count >= _TELLING and self.quickest >= LONG


def _waited() -> float:
    """The seconds that this thread was ready to run and did not, as Linux tells them; elsewhere 0."""
    try:
        with open("/proc/thread-self/schedstat", "rb") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


@dataclasses.dataclass
class _Round:
    """Reads that are made side by side. What it knows is used under the lock of the whole."""

    waiting: collections.deque[Read]
    taken: dict[t.Hashable, Read] = dataclasses.field(default_factory=dict)
    answers: dict[t.Hashable, Element] = dataclasses.field(default_factory=dict)
    ended: bool = False

    def next(self) -> Read | None:
        if self.ended or not self.waiting:
            return None
        read = self.waiting.popleft()
        self.taken[read.request.key] = read
        return read

    def open(self) -> list[Read]:
        """Those that somebody else is at."""
        return [read for key, read in self.taken.items() if key not in self.answers]


class Overlap:
    """``own`` makes a read over the login of the session, with all that belongs to it. ``another`` makes a login of the
    same kind, None where that cannot be done, and ``by`` makes a read over it, once. ``most``: logins, with the own."""

    def __init__(
        self,
        own: t.Callable[[Read], Element],
        another: t.Callable[[], Another | None],
        by: t.Callable[[Another, Read], Element],
        *,
        most: int = MOST,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._own, self._another, self._by, self._most, self._clock = own, another, by, most, clock
        self._news = threading.Condition()  # an answer, or the end of a login
        self._idle: list[Another] = []
        self._logins = 1
        self._answers: dict[t.Hashable, Element | ExchangeTlsError] = {}
        self._gave_up = False  # the host takes no more logins, or breaks them
        self._closed = False

    def fetch(self, reads: t.Iterable[Read]) -> None:
        """Makes the reads side by side and keeps what came. It takes no longer than one after the other would."""
        wanted = {read.request.key: read for read in reads if read.request.key not in self._answers}
        if min(len(wanted), self._most) < 2:
            return
        this = _Round(collections.deque(wanted.values()))
        try:
            for login in self._available(min(len(wanted), self._most) - 1):
                self._start(this, login)
            self._take_part(this)
        finally:
            with self._news:
                this.ended = True
                self._answers.update(this.answers)

    def _take_part(self, this: _Round) -> None:
        """Makes reads of the round over the session's own login, in the end also those that others do not come to an
        end with: their login may take longer than all reads together."""
        longest, waited = 0.0, False
        while True:
            with self._news:
                read = this.next()
                if read is None:
                    if not waited:
                        self._news.wait_for(lambda: not this.open(), _PATIENT * longest)
                        waited = True
                    read = next(iter(this.open()), None)
            if read is None:
                return
            begun = self._clock()
            try:
                answer = self._own(read)
            except ExchangeTlsError as exc:
                with self._news:
                    self._gave_up = True
                    # a host that is gone is not asked again; one that refuses may have had too many requests at once
                    if not isinstance(exc, WsmanFault):
                        self._answers[read.request.key] = exc
                return
            longest = max(longest, self._clock() - begun)
            with self._news:
                this.answers[read.request.key] = answer

    def _start(self, this: _Round, login: Another) -> None:
        try:
            threading.Thread(target=self._help, args=(this, login), daemon=True).start()
        except RuntimeError:  # this machine has no more threads
            self._end(login)

    def _help(self, this: _Round, login: Another) -> None:
        try:
            while (read := self._next(this)) is not None:
                answer = self._by(login, read)
                with self._news:
                    this.answers[read.request.key] = answer
                    self._news.notify_all()
        except Exception:  # whatever it is: the read is made again by whoever needs it
            self._end(login)
            return
        with self._news:
            if not self._closed:
                self._idle.append(login)
                return
        self._end(login)

    def _next(self, this: _Round) -> Read | None:
        with self._news:
            return this.next()

    def _available(self, wanted: int) -> list[Another]:
        """Logins that nobody uses; more are made where there may be more."""
        with self._news:
            found = [self._idle.pop() for _dummy in range(min(wanted, len(self._idle)))]
        while len(found) < wanted and self._logins < self._most and not self._gave_up:
            try:
                login = self._another()
            except Exception:  # whatever it is: one login is enough
                login = None
            if login is None:
                self._gave_up = True
                break
            with self._news:
                self._logins += 1
            found.append(login)
        return found

    def _end(self, login: Another) -> None:
        with self._news:
            self._gave_up = self._gave_up or not self._closed
            self._logins -= 1
            self._news.notify_all()
        with contextlib.suppress(Exception):  # it is of no use any more
            login.reconnect()

    def take(self, request: Request) -> Element | None:
        """The answer, if it was fetched; it counts once. Raises what was raised in its place."""
        answer = self._answers.pop(request.key, None)
        if isinstance(answer, ExchangeTlsError):
            raise answer
        return answer

    def forget(self) -> None:
        """Something may change on the host: what was fetched tells how it was."""
        self._answers.clear()

    def close(self) -> None:
        """Ends all logins but the session's own; one that is in use is ended by whoever uses it."""
        self.forget()
        with self._news:
            self._closed = True
            idle, self._idle = self._idle, []
        for login in idle:
            self._end(login)
