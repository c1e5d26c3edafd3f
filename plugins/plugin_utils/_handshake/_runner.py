# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Runs the connections to one host: a few at a time, then one at a time where that was too many, and an end to it."""

from __future__ import annotations

import collections.abc as c
import dataclasses
import heapq
import threading
import time

from ._case import Case, Job
from ._full import FullHandshaker
from ._probe import complete, say_hello
from ._wire import Target
from ._words import FullHandshake, Probe, TlsVersion

# Receive connectors limit the connections of one source (MaxInboundConnectionPerSource: 20), and so do firewalls.
MAX_SOCKETS = 5
# Seconds, times the number of the round, before an endpoint's next round: what was lost for a moment should be back.
# And before each of the connections that are made alone: the server should have noticed that the last one is gone.
PAUSE, LONGEST_PAUSE = 0.05, 0.3


def time_limit(endpoints: int, timeout: float) -> float:
    """Seconds after which all probes of a host have ended."""
    return 5 * timeout * (endpoints + 1)


@dataclasses.dataclass(order=True)
class _Due:
    moment: float
    number: int
    target: Target = dataclasses.field(compare=False)
    job: Job = dataclasses.field(compare=False)


def run_probes(
    targets: c.Sequence[Target],
    versions: c.Collection[TlsVersion],
    required: c.Collection[TlsVersion],
    timeout: float,
) -> list[dict[TlsVersion, Probe]]:
    """The probes of each target, by version. ``timeout`` is for one connection, in seconds.

    A version in ``required`` is also tried with a full handshake. Each endpoint is tried with one version first: where
    that gets no answer to a ClientHello, the other versions are left out. The whole keeps :func:`time_limit`.
    """
    return _Run(targets, versions, required, timeout).wait()


class _Run:
    def __init__(
        self,
        targets: c.Sequence[Target],
        versions: c.Collection[TlsVersion],
        required: c.Collection[TlsVersion],
        timeout: float,
    ) -> None:
        self._targets = targets
        self._timeout = timeout
        self._cases = {id(target): Case(versions, required) for target in targets}
        self._handshakers: dict[TlsVersion, FullHandshaker] = {}
        self._change = threading.Condition()
        self._due: list[_Due] = []
        self._open = dict.fromkeys(self._cases, 0)
        self._rounds = dict.fromkeys(self._cases, 0)
        self._number = 0
        self._running = 0
        self._alone = False
        self._over = False
        self._deadline = time.monotonic() + time_limit(len(targets), timeout)
        self._crash: BaseException | None = None

    def wait(self) -> list[dict[TlsVersion, Probe]]:
        self._begin()
        # daemons: whatever one of them may hang in must not hold up the end of a run
        workers = [threading.Thread(target=self._work, daemon=True) for dummy in range(MAX_SOCKETS)]
        for worker in workers:
            worker.start()
        with self._change:
            try:
                self._change.wait_for(self._idle, timeout=self._left())
                self._alone = True
                self._begin()
                self._change.notify_all()
                self._change.wait_for(self._idle, timeout=self._left())
            finally:
                # also where this was interrupted: nothing new is begun
                self._due.clear()
                self._over = True
                self._deadline = float("-inf")
                self._change.notify_all()
            if self._crash is not None:
                raise self._crash
            cases = [self._cases[id(target)] for target in self._targets]
            return [{version: case.result(version) for version in case.versions} for case in cases]

    def _begin(self) -> None:
        for target in self._targets:
            self._next_round(target)

    def _left(self) -> float:
        # the sockets keep the deadline; only a thread that hangs elsewhere needs the half second
        return max(self._deadline - time.monotonic() + 0.5, 0)

    def _idle(self) -> bool:
        return self._crash is not None or not (self._due or self._running)

    def _next_round(self, target: Target) -> None:
        jobs = self._cases[id(target)].next_round(alone=self._alone)
        now = time.monotonic()
        if now >= self._deadline:
            return
        pause = min(self._rounds[id(target)] * PAUSE, LONGEST_PAUSE)
        for job in jobs:
            self._number += 1
            heapq.heappush(self._due, _Due(now + pause, self._number, target, job))
        self._rounds[id(target)] += 1
        self._open[id(target)] = len(jobs)

    def _take(self) -> _Due | None:
        """The next connection to make, when it is time; None at the end."""
        while not self._over:
            pause = None
            if self._due and self._running < (1 if self._alone else MAX_SOCKETS):
                pause = self._due[0].moment - time.monotonic()
                if pause <= 0:
                    self._running += 1
                    return heapq.heappop(self._due)
            self._change.wait(pause)
        return None

    def _work(self) -> None:
        while True:
            with self._change:
                due = self._take()
            if due is None:
                return
            try:
                outcome = self._do(due.target, due.job)
            except BaseException as exc:
                # a thread has nobody else to tell
                with self._change:
                    self._crash = exc
                    self._change.notify_all()
                return
            with self._change:
                self._running -= 1
                if time.monotonic() < self._deadline:
                    self._done(due, outcome)
                self._change.notify_all()

    def _done(self, due: _Due, outcome: Probe | FullHandshake) -> None:
        self._cases[id(due.target)].take(due.job, outcome)
        self._open[id(due.target)] -= 1
        if not self._open[id(due.target)]:
            self._next_round(due.target)

    def _do(self, target: Target, job: Job) -> Probe | FullHandshake:
        if job.hello is None:
            return say_hello(target, job.version, self._next_deadline())
        return complete(target, job.hello, self._handshaker(job.version), self._next_deadline)

    def _next_deadline(self) -> float:
        """Called before each connection."""
        if self._alone:
            time.sleep(PAUSE)
        return min(time.monotonic() + self._timeout, self._deadline)

    def _handshaker(self, version: TlsVersion) -> FullHandshaker:
        with self._change:
            if version not in self._handshakers:
                self._handshakers[version] = FullHandshaker(version)
            return self._handshakers[version]
