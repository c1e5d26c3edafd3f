# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Runs the probes of one host: a few at a time, none that can tell nothing new, and an end to all of it."""

from __future__ import annotations

import collections
import collections.abc as c
import dataclasses
import threading
import time

from ._full import FullHandshaker
from ._probe import complete, say_hello
from ._wire import Target
from ._words import Answer, Probe, TlsVersion

# Receive connectors limit the connections of one source (MaxInboundConnectionPerSource: 20), and so do firewalls.
MAX_SOCKETS = 5

# The likeliest first: it is the scout that goes ahead of the others.
_ORDER = (TlsVersion.TLS_1_2, TlsVersion.TLS_1_3, TlsVersion.TLS_1_1, TlsVersion.TLS_1_0, TlsVersion.SSL_3_0)

_OUT_OF_TIME = "not finished: the time for all probes of this host is used up"


@dataclasses.dataclass(frozen=True)
class _Job:
    target: Target
    version: TlsVersion
    # a hello that is done and wants a full handshake
    hello: Probe | None = None


def run_probes(
    targets: c.Sequence[Target],
    versions: c.Collection[TlsVersion],
    required: c.Collection[TlsVersion],
    timeout: float,
) -> list[dict[TlsVersion, Probe]]:
    """The probes of each target, by version. ``timeout`` is for one connection, in seconds.

    A version in ``required`` is also tried with a full handshake. Each endpoint is tried with one version first: where
    that gets no answer to a ClientHello, the other versions are left out. The whole takes at most ``timeout`` for each
    target and three more: what is not done by then counts as timed out.
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
        self._scout, *self._others = [version for version in _ORDER if version in versions or version in required]
        self._handshakers = {version: FullHandshaker(version) for version in required}
        self._change = threading.Condition()
        self._jobs = collections.deque(_Job(target, self._scout) for target in targets)
        self._running = 0
        self._probes: dict[tuple[int, TlsVersion], Probe] = {}
        self._deadline = time.monotonic() + timeout * (len(targets) + 3)
        self._crash: BaseException | None = None

    def wait(self) -> list[dict[TlsVersion, Probe]]:
        # daemons: a name server that never answers cannot be interrupted, and must not hold up the end of a run
        workers = [threading.Thread(target=self._work, daemon=True) for dummy in range(MAX_SOCKETS)]
        for worker in workers:
            worker.start()
        with self._change:
            try:
                # the sockets keep the deadline; only a thread that hangs elsewhere needs the half second
                self._change.wait_for(self._finished, timeout=self._deadline - time.monotonic() + 0.5)
            finally:
                # also where this was interrupted: nothing new is begun
                self._jobs.clear()
                self._deadline = float("-inf")
                self._change.notify_all()
            if self._crash is not None:
                raise self._crash
            versions = [self._scout, *self._others]
            return [{version: self._result(target, version) for version in versions} for target in self._targets]

    def _finished(self) -> bool:
        return self._crash is not None or not (self._jobs or self._running)

    def _result(self, target: Target, version: TlsVersion) -> Probe:
        return self._probes.get((id(target), version)) or Probe(version, Answer.TIMEOUT, _OUT_OF_TIME)

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._jobs or self._finished())
                if not self._jobs:
                    return
                job = self._jobs.popleft()
                self._running += 1
            try:
                probe = self._do(job)
            except BaseException as exc:
                # a thread has nobody else to tell
                with self._change:
                    self._crash = exc
                    self._change.notify_all()
                return
            with self._change:
                self._running -= 1
                if self._deadline > time.monotonic():
                    self._done(job, probe)
                self._change.notify_all()

    def _do(self, job: _Job) -> Probe:
        deadline = min(time.monotonic() + self._timeout, self._deadline)
        if job.hello is not None:
            return complete(job.target, job.hello, self._handshakers[job.version], deadline)
        return say_hello(job.target, job.version, deadline)

    def _done(self, job: _Job, probe: Probe) -> None:
        """Keeps what was found and puts what follows from it into the queue."""
        self._probes[id(job.target), job.version] = probe
        if job.hello is not None:
            return
        alive = not probe.whole_endpoint
        if alive and job.version in self._handshakers:
            self._jobs.append(_Job(job.target, job.version, probe))
        if job.version is not self._scout:
            return
        # a server that says nothing to the scout would let the others wait as long
        alive = alive and (probe.answer is not Answer.TIMEOUT or bool(probe.flight and probe.flight.heard))
        for version in self._others:
            if alive:
                self._jobs.append(_Job(job.target, version))
            else:
                self._probes[id(job.target), version] = Probe(
                    version, Answer.SKIPPED, f"not tried after {probe.evidence}", address=probe.address
                )
