# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The organisation: what the directory knows of all Exchange servers, whichever of them is asked."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from ..hosts import Host
from .components import States
from .databases import Clock, Dags, View
from .described import Dag as DagDescription
from .servers import Server
from .transport import Mail


class Organisation:
    """All Exchange servers of a lab. Whoever reads or changes them holds the lock."""

    def __init__(self, hosts: Iterable[Host], dags: Iterable[DagDescription] = (), clock: float = 60.0) -> None:
        self.lock = threading.RLock()
        self.servers: list[Server] = []
        self.redirections: list[tuple[str, str]] = []
        for host in hosts:
            exchange = host.description.exchange
            if exchange is not None and exchange.is_server:
                self.servers.append(Server(host, exchange, States(exchange.version, host.booted_at - 86400)))
        self.clock = Clock(clock)
        described = {dag.name: dag for dag in dags}
        clusters: dict[str, list[str]] = {}  # those of which the hosts' own descriptions say that they are there
        for server in self.servers:
            if server.exchange.cluster is not None and server.exchange.cluster.name not in described:
                clusters.setdefault(server.exchange.cluster.name, []).append(server.host.description.name)
        known = [*described.values(), *(DagDescription(name, tuple(members)) for name, members in clusters.items())]
        self.dags = Dags(known, self._named, self.clock)
        self.mail = Mail(self.servers, self.dags, self.clock)
        for server in self.servers:
            dag, cluster = self.dags.of(server), server.exchange.cluster
            if dag is not None and cluster is not None:
                given = None if cluster.follows else cluster.nodes
                server.host.cluster = View(self.dags, dag, self.lock, given)
            server.host.watchers.append(self.advance)

    def begin(self) -> None:
        """All hosts that are there are up: from now on it is noticed if one is not."""
        with self.lock:
            self.dags.begin()

    def advance(self) -> None:
        """Lets happen what is due."""
        with self.lock:
            self.dags.advance()
            self.mail.advance()

    def _named(self, host: str) -> Server:
        return next(server for server in self.servers if server.host.description.name == host)

    def find(self, identity: str) -> Server | None:
        """The server meant by its name, full name, GUID or distinguished name; names have no case."""
        wanted = identity.strip().casefold()
        for server in self.servers:
            if wanted in (
                name.casefold() for name in (server.name, server.fqdn, server.guid, server.distinguished_name)
            ):
                return server
        return None

    def of(self, host: Host) -> Server:
        """The server that a host is. Raises KeyError."""
        for server in self.servers:
            if server.host is host:
                return server
        raise KeyError(host.description.name)
