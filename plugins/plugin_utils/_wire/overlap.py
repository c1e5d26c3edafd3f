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

from .._errors import ExchangeTlsError
from .soap import Request
from .xml import Element

# A round trip is long from so many seconds on: forty reads one after the other then take more than one second. In a
# local network an answer takes some thousandths.
LONG = 0.03
# So many answers tell: the first one has a login before it, and a provider that starts.
_TELLING = 3
# Logins to one host, with the first. Windows Server 2008 R2 lets a user have 15 operations at once, later ones 1500.
MOST = 8
# Seconds that a round waits for a login that does not answer, at least, and in the longest answers of the round.
_PATIENCE, _PATIENT = 1.0, 4.0


@dataclasses.dataclass(frozen=True)
class Read:
    """A request that changes nothing, and what it does, for messages."""

    request: Request
    doing: str


class Another(t.Protocol):
    """A further login: what of a channel is used here."""

    def post(self, message: bytes, doing: str) -> bytes: ...

    def reconnect(self) -> None: ...


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
        with open("/proc/thread-self/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


@dataclasses.dataclass
class _Round:
    waiting: collections.deque[Read]
    answers: dict[t.Any, Element | ExchangeTlsError] = dataclasses.field(default_factory=dict)
    over: bool = False

    def next(self) -> Read | None:
        with contextlib.suppress(IndexError):
            return None if self.over else self.waiting.popleft()
        return None


class Overlap:
    """``own`` makes a read over the login of the session, with all that belongs to it. ``another`` makes a login of the
    same kind, None where that cannot be done, and ``over`` makes a read over it, once."""

    def __init__(
        self,
        own: t.Callable[[Read], Element],
        another: t.Callable[[], Another | None],
        over: t.Callable[[Another, Read], Element],
        *,
        most: int = MOST,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._own, self._another, self._over, self._most, self._clock = own, another, over, most, clock
        self._idle: list[Another] = []
        self._answers: dict[t.Any, Element | ExchangeTlsError] = {}
        self._lock = threading.Lock()
        self._gave_up = False  # the host takes no more logins, or breaks them

    def fetch(self, reads: t.Iterable[Read]) -> None:
        """Makes the reads side by side and keeps what came."""
        wanted = {read.request.key: read for read in reads if read.request.key not in self._answers}
        if min(len(wanted), self._most) < 2:
            return
        this = _Round(collections.deque(wanted.values()))
        helpers = [
            threading.Thread(target=self._help, args=(this, login), daemon=True)
            for login in self._logins(min(len(wanted), self._most) - 1)
        ]
        try:
            for helper in helpers:
                helper.start()
            patience = max(_PATIENCE, _PATIENT * self._take_part(this))
            deadline = self._clock() + patience
            for helper in helpers:
                helper.join(max(0.0, deadline - self._clock()))
        finally:
            with self._lock:
                this.over = True
                self._answers.update(this.answers)

    def _take_part(self, this: _Round) -> float:
        """Makes reads of the round over the session's own login; the seconds of the longest."""
        longest = 0.0
        while (read := this.next()) is not None:
            begun = self._clock()
            try:
                this.answers[read.request.key] = self._own(read)
            except ExchangeTlsError as exc:
                # whoever asks for it is told; the others are to find out for themselves
                this.answers[read.request.key] = exc
                this.waiting.clear()
            longest = max(longest, self._clock() - begun)
        return longest

    def _help(self, this: _Round, login: Another) -> None:
        try:
            while (read := this.next()) is not None:
                answer = self._over(login, read)
                with self._lock:
                    if not this.over:
                        this.answers[read.request.key] = answer
        except Exception:  # whatever it is: the read is made again by whoever needs it
            self._gave_up = True
            _end(login)
            return
        with self._lock:
            if not this.over:
                self._idle.append(login)
                return
        _end(login)

    def _logins(self, most: int) -> list[Another]:
        with self._lock:
            found = [self._idle.pop() for _dummy in range(min(most, len(self._idle)))]
        while len(found) < most and not self._gave_up and (login := self._another()) is not None:
            found.append(login)
        return found

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
        self.forget()
        while self._idle:
            _end(self._idle.pop())


def _end(login: Another) -> None:
    with contextlib.suppress(Exception):  # it is of no use any more
        login.reconnect()
