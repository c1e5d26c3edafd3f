# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail between one server and Exchange Online: when it is tried, what waits, what the protocol logs get of it.

All of it follows from the settings that are in effect. Nothing runs by itself: what happened since the last look is
made up for, as it was at that look. Whoever changes anything looks before and after.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..description import Endpoint
from ..endpoints import offer_of, unserved
from . import components, sessions
from .databases import Clock
from .described import Inbound, Outbound, ReceiveConnector, SendConnector
from .protocol_log import RECEIVE, SEND, Ends, ProtocolLog
from .queues import Queue
from .servers import Server
from .sessions import MAIL, Attempt, Dialogue

# Simulated seconds between tries of a next hop that cannot be reached (QueueGlitchRetryInterval,
# TransientFailureRetryInterval, OutboundConnectionFailureRetryInterval): docs/reference/mail.md 1.5.
_RETRIES = (60.0,) * 4 + (300.0,) * 6 + (600.0,)
# Messages in one session (SmtpMaxMessagesPerConnection), and in a simulated second.
_IN_A_SESSION, _RATE = 20, 1.0
_CLOUD = "AM0LAB01.{}.protection.outlook.com"


@dataclass
class Outgoing:
    """Mail that goes to Exchange Online. due: when the next session may begin. named: the Message-IDs of what was
    handed in and waits."""

    given: Outbound
    connector: SendConnector
    queue: Queue
    due: float = 0.0
    named: deque[str] = field(default_factory=deque)
    #: Of a message that has not come yet.
    _part: float = 0.0

    def begin(self, at: float) -> None:
        """Transport starts: it knows nothing of earlier tries."""
        self.due, self.queue.retries, self.queue.last_error, self.queue.deferred = at, 0, "", 0

    def run(self, since: float, until: float, works: bool, comes: bool) -> Iterator[tuple[float, int]]:
        """When sessions begin in this time, and with how many messages. works: mail goes. comes: new mail too."""
        rate = self.given.arriving / 60 if comes else 0.0
        while True:
            at = max(self.due, since)
            if not self.queue.messages:
                at = max(at, since + (1 - self._part) / rate) if rate else math.inf
            if at > until:
                break
            self._arrive((at - since) * rate)
            since = at
            count = min(_IN_A_SESSION, self.queue.count) if works else 0
            if works:
                self.queue.messages = max(0.0, self.queue.messages - count)
                self.queue.retries = 0
                self.due = at + count / _RATE
            else:
                self.due = at + _RETRIES[min(self.queue.retries, len(_RETRIES) - 1)]
                self.queue.retries += 1
            yield at, count
        self._arrive((until - since) * rate)
        self.queue.deferred = self.queue.messages if self.queue.retries else 0

    def hand_in(self, name: str) -> None:
        """One more message."""
        self.queue.messages += 1
        self.named.append(name)

    def _arrive(self, messages: float) -> None:
        # a message that has come but for a rounding error has come
        whole = math.floor(self._part + messages + 1e-9)
        self._part = max(0.0, self._part + messages - whole)
        self.queue.messages += whole


@dataclass
class Incoming:
    """Mail that comes from Exchange Online, a session for each message, whether it works or not."""

    given: Inbound
    connector: ReceiveConnector
    due: float = 0.0

    def run(self, since: float, until: float) -> Iterator[float]:
        """When sessions begin in this time."""
        self.due = max(self.due, since)
        while self.given.arriving and self.due <= until:
            yield self.due
            self.due += 60 / self.given.arriving


@dataclass(frozen=True)
class _State:
    """What was found at a look. serves_from: from when on transport serves. outgoing, incoming: the sessions that a
    try takes, by the place of the flow; incoming ones only where the connector takes mail."""

    serves_from: float
    sends: bool
    comes: bool
    outgoing: tuple[tuple[Attempt, ...], ...]
    incoming: Mapping[int, tuple[Attempt, ...]]


class MailFlow:
    """All flows of one server. logs: the folder for its protocol logs."""

    def __init__(self, server: Server, clock: Clock, outgoing: list[Outgoing], logs: Path) -> None:
        self._server = server
        self._clock = clock
        self.outgoing = outgoing
        self.incoming = [Incoming(given, _connector(server, given)) for given in server.exchange.mail_in]
        self._logs = logs
        self._files: dict[tuple[str, str], ProtocolLog] = {}
        self._port = 20_000
        self._looked = 0.0
        self._state: _State | None = None
        self._began: float | None = None

    def advance(self, serves_from: float | None, stuck: set[str]) -> None:
        """Makes up for what happened, and looks again. serves_from: None while transport does not run. stuck: names of
        queues that nothing leaves."""
        if not self.outgoing and not self.incoming:
            return
        now = self._clock.now()
        if self._state is not None:
            self._run(self._state, max(self._looked, self._state.serves_from), now, stuck)
        self._looked, self._state = now, None if serves_from is None else self._look(serves_from)
        if serves_from is not None and serves_from != self._began:
            self._began = serves_from
            for flow in self.outgoing:
                flow.begin(max(serves_from, now))
            for file in self._files.values():
                file.begin()

    def _look(self, serves_from: float) -> _State:
        states, effective = self._server.states, self._server.host.effective
        hub = states.effective(states.find("HubTransport"))
        listener = next(
            (item for item in self._server.host.description.endpoints if item.kind == "smtp"), Endpoint("smtp", 25)
        )
        offered = not set(effective.protocols) <= unserved("smtp")
        return _State(
            serves_from,
            sends=hub != components.INACTIVE,
            comes=hub == components.ACTIVE,
            outgoing=tuple(
                sessions.outgoing(effective, flow.connector, flow.given.plain_text) for flow in self.outgoing
            ),
            incoming={
                place: sessions.incoming(offer_of(listener, effective), offered, flow.connector, flow.given.plain_text)
                for place, flow in enumerate(self.incoming)
                if states.effective(states.find(flow.connector.role)) == components.ACTIVE
            },
        )

    def _run(self, state: _State, since: float, until: float, stuck: set[str]) -> None:
        if since > until:
            return
        for flow, attempts in zip(self.outgoing, state.outgoing, strict=True):
            if state.sends and flow.queue.name not in stuck:
                for at, count in flow.run(since, until, attempts[-1].ends == MAIL, state.comes):
                    self._sent(flow, attempts, at, count)
        for place, attempts in state.incoming.items():
            coming = self.incoming[place]
            for at in coming.run(since, until):
                self._came(coming, attempts, at)

    def _sent(self, flow: Outgoing, attempts: tuple[Attempt, ...], at: float, count: int) -> None:
        server, given, connector = self._server, flow.given, flow.connector
        moment = self._moment(at)
        last = attempts[-1]
        flow.queue.last_error = (
            ""
            if last.ends == MAIL
            else sessions.last_error(last, server.exchange.version, given.to, given.address, moment)
        )
        if connector.logging == "None":
            return
        file = self._file("FrontendTransport" if connector.front_end else "HubTransport", SEND)
        local = server.host.description.address
        names = [flow.named.popleft() for _number in range(min(count, len(flow.named)))]
        for attempt in attempts:
            ends = Ends(connector.name, f"{local}:{self._next_port()}", _endpoint(given.address, 25))
            people = (f"staff@{server.domain}", "partner@example.com")
            cloud = _CLOUD.format("mail")
            moment = file.write(
                ends,
                attempt,
                Dialogue(server.fqdn.lower(), cloud, local, *people, messages=count, at=moment, names=names),
            )

    def _came(self, flow: Incoming, attempts: tuple[Attempt, ...], at: float) -> None:
        server, given, connector = self._server, flow.given, flow.connector
        if connector.logging == "None":
            return
        moment = self._moment(at)
        file = self._file(connector.role, RECEIVE)
        port = int(connector.bindings[0].rpartition(":")[2])
        for attempt in attempts:
            ends = Ends(
                f"{server.name}\\{connector.name}",
                f"{server.host.description.address}:{port}",
                _endpoint(given.address, self._next_port()),
            )
            people = ("partner@example.com", f"staff@{server.domain}")
            cloud = _CLOUD.format("outbound")
            moment = file.write(
                ends, attempt, Dialogue(cloud, server.fqdn.lower(), given.address, *people, messages=1, at=moment)
            )

    def _moment(self, at: float) -> float:
        """By the clock of the host, in seconds since the epoch."""
        return self._server.host.now() - (self._clock.now() - at) / self._clock.factor

    def _next_port(self) -> int:
        self._port = 20_000 + (self._port - 19_999) % 40_000
        return self._port

    def _file(self, role: str, direction: str) -> ProtocolLog:
        place = "Edge" if "Edge" in self._server.exchange.roles else {"FrontendTransport": "FrontEnd"}.get(role, "Hub")
        if (place, direction) not in self._files:
            folder = self._logs / place / "ProtocolLog" / f"Smtp{direction}"
            self._files[place, direction] = ProtocolLog(folder, direction)
        return self._files[place, direction]


def _connector(server: Server, given: Inbound) -> ReceiveConnector:
    """The one that is meant; those of a setup have the name of the server behind their own."""
    names = (given.connector, f"{given.connector} {server.name}")
    return next(item for item in server.receive_connectors if item.name in names)


def _endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
