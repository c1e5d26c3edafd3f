# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that waits in the queues of each server: what drains, what stays, and when queues can be looked at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from . import components, described
from .databases import Clock, Dags
from .mail_flow import MailFlow, Outgoing
from .queues import Queue
from .servers import Server

_SERVICE = "MSExchangeTransport"
# Simulated seconds: until the service reads its state again by itself, and until it shows queues after its start.
_READS_AGAIN, _STARTS = 300.0, 120.0
# Messages that leave a queue in a simulated second while it drains.
_RATE = 1.0


class Transport:
    """The queues of one server."""

    def __init__(self, server: Server, partners: Iterable[Server], clock: Clock, logs: Path) -> None:
        self.server = server
        self._clock = clock
        self._asked: float | None = None
        self._looked = 0.0
        self._number = 3
        self.queues = [Queue("Submission", "Submission", "Undefined")]
        for given in server.exchange.queues:
            self.add(given)
        self._flow = MailFlow(server, clock, [self._outgoing(given) for given in server.exchange.mail_out], logs)
        for number, partner in enumerate(partners, 1):
            self.queues.append(Queue(f"Shadow\\{number}", partner.fqdn.lower(), "ShadowRedundancy", 2.0))

    def add(self, given: described.Queue) -> Queue:
        """A queue as described; Submission and Poison Message go by their own names."""
        special = {"submission": "Submission", "poison message": "Poison"}.get(given.domain.casefold())
        self._number += special is None
        name = special or str(self._number)
        self.queues = [queue for queue in self.queues if queue.name != name]
        kind = "Undefined" if special else given.delivery_type
        made = Queue(name, given.domain, kind, given.messages, given.deferred, given.last_error, given.stuck)
        self.queues.append(made)
        return made

    def _outgoing(self, given: described.Outbound) -> Outgoing:
        hop = given.to.casefold()
        connector = next(
            item
            for item in self.server.exchange.send_connectors
            if item.enabled and hop in {host.casefold() for host in item.smart_hosts}
        )
        queue = self.add(described.Queue(given.to, int(given.waiting), delivery_type="SmartHostConnectorDelivery"))
        queue.flows = True
        return Outgoing(given, connector, queue)

    @property
    def flows(self) -> bool:
        """Whether mail comes and goes by itself."""
        return bool(self._flow.outgoing or self._flow.incoming)

    def hand_in(self, name: str) -> None:
        """A message with that Message-ID, which goes to Exchange Online."""
        self.advance()
        self._flow.outgoing[0].hand_in(name)

    def find(self, name: str) -> Queue | None:
        wanted = name.casefold()
        return next(
            (queue for queue in self.queues if wanted in (queue.name.casefold(), queue.domain.casefold())), None
        )

    def keeps(self, queue: Queue) -> bool:
        """Whether nothing leaves it."""
        return self._is_stuck(queue) or self._is_named(queue, "queues_stay")

    def _is_stuck(self, queue: Queue) -> bool:
        return queue.stuck or self._is_named(queue, "stuck_queues")

    def _is_named(self, queue: Queue, quirk: str) -> bool:
        given = self.server.host.quirks.get(quirk) or ()
        return bool({queue.name.casefold(), queue.domain.casefold()} & {name.casefold() for name in given})

    def status(self, queue: Queue) -> str:
        """As Get-Queue has it."""
        if queue.count and not queue.stays and (self._is_stuck(queue) or queue.count == int(queue.deferred)):
            return "Retry"
        return "Active" if queue.flows and queue.count else "Ready"

    def trouble(self) -> str | None:
        """Why queues cannot be looked at, if so."""
        host = self.server.host
        if host.quirks.get("get_queue_fails"):
            return "the server does not answer"
        if host.has_service(_SERVICE) and host.service_state(_SERVICE) != "Running":
            return "the Microsoft Exchange Transport service isn't running"
        started = self._started()
        if started is not None and self._clock.now() - started < _STARTS:
            return "the Microsoft Exchange Transport service isn't ready yet"
        return None

    def _started(self) -> float | None:
        host = self.server.host
        started = host.service_started(_SERVICE) if host.has_service(_SERVICE) else host.back_at
        return None if started is None else self._clock.at(started)

    def _serves_from(self) -> float | None:
        """From when on it sends and takes mail, which may be later than now; None: it does not run."""
        host = self.server.host
        if not self.server.is_up or (host.has_service(_SERVICE) and not host.service_will_run(_SERVICE)):
            return None
        started = self._started()
        return 0.0 if started is None else started + _STARTS

    def drains_since(self) -> float | None:
        """Since when no new mail comes; None where it does."""
        if self._asked is None:
            return None
        started, now = self._started(), self._clock.now()
        if started is not None and self._asked < started <= now:
            return started
        return self._asked + _READS_AGAIN if now >= self._asked + _READS_AGAIN else None

    def advance(self) -> None:
        """Lets messages go that went since the last look."""
        stuck = {queue.name for queue in self.queues if self.keeps(queue)}
        self._flow.advance(self._serves_from(), stuck)
        now = self._clock.now()
        state = self.server.states.effective(self.server.states.find("HubTransport"))
        if state == components.ACTIVE:
            self._asked = None
        elif self._asked is None:
            self._asked = now
        since = self.drains_since()
        host = self.server.host
        runs = self.server.is_up and (not host.has_service(_SERVICE) or host.service_state(_SERVICE) == "Running")
        if since is not None and runs:
            gone = max(0.0, now - max(since, self._looked)) * _RATE
            for queue in self.queues:
                if not queue.stays and not queue.flows and queue.name not in stuck:
                    queue.messages = max(queue.deferred, queue.messages - gone)
        self._looked = now


class Mail:
    """The queues of all servers."""

    def __init__(self, servers: Iterable[Server], dags: Dags, clock: Clock, logs: Path) -> None:
        self.transports: dict[str, Transport] = {}
        for server in servers:
            dag = dags.of(server)
            partners = [member for member in dag.members if member is not server] if dag is not None else []
            folder = logs / server.host.description.name
            self.transports[server.name] = Transport(server, partners, clock, folder)

    def of(self, server: Server) -> Transport:
        return self.transports[server.name]

    def advance(self) -> None:
        for transport in self.transports.values():
            transport.advance()

    def redirect(self, source: Server, target: Server) -> None:
        """Moves what is neither deferred nor a shadow; a server that drains itself takes nothing."""
        there = self.of(target)
        if not target.is_up or target.states.effective(target.states.find("HubTransport")) != components.ACTIVE:
            return
        for queue in self.of(source).queues:
            moved = queue.messages - queue.deferred
            if queue.stays or self.of(source).keeps(queue) or moved <= 0:
                continue
            queue.messages = queue.deferred
            given = described.Queue(queue.domain, delivery_type=queue.delivery_type)
            (there.find(queue.domain) or there.add(given)).messages += moved
