# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The organisation: what the directory knows of all Exchange servers, whichever of them is asked."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from ..hosts import Host
from .components import States
from .databases import Clock, Dag, Dags, View
from .described import Dag as DagDescription
from .servers import Server
from .transport import Mail

# Seconds from which on a look at everything is not made for everything that is asked.
_LONG = 0.005


class Organisation:
    """All Exchange servers of a lab. Whoever reads or changes them holds the lock."""

    def __init__(
        self, hosts: Iterable[Host], logs: Path, dags: Iterable[DagDescription] = (), clock: float = 60.0
    ) -> None:
        #: The folder for protocol logs, with one of each host in it.
        self.logs = logs
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
        self.mail = Mail(self.servers, self.dags, self.clock, logs)
        for server in self.servers:
            dag, cluster = self.dags.of(server), server.exchange.cluster
            if dag is not None and cluster is not None:
                given = None if cluster.follows else cluster.nodes
                server.host.cluster = View(self.dags, dag, self.lock, given)
            server.host.watchers.append(functools.partial(self._came_or_went, server))
            if server.exchange.mail_out:
                server.host.relay = functools.partial(self._hand_in, server)
        self._by_name = {
            name.casefold(): server
            for server in reversed(self.servers)
            for name in (server.name, server.fqdn, server.guid, server.distinguished_name)
        }
        self._by_host = {id(server.host): server for server in self.servers}
        self._looked, self._took = 0.0, 0.0

    def begin(self) -> None:
        """All hosts that are there are up: from now on it is noticed if one is not."""
        with self.lock:
            self.dags.begin()
            self.mail.advance()

    def advance(self) -> None:
        """Lets happen what is due, DAG by DAG, so that others are not kept waiting. With hundreds of servers that takes
        long all the same: four fifths of the time are left for others, and what nobody asks about happens that much
        later."""
        begun = time.monotonic()
        if self._took > _LONG and begun - self._looked < 4 * self._took:
            return
        for dag in self.dags:
            with self.lock:
                self.dags.advance(dag)
        for server in self.servers:
            with self.lock:
                self.mail.of(server).advance()
        self._looked = time.monotonic()
        self._took = self._looked - begun

    def advance_around(self, *names: str, here: Host) -> None:
        """Lets happen what is due around a host and the servers, DAGs and databases of these names, also where a name
        begins with one (``DB01\\EX01``, ``EX01\\3``): of others nothing can be seen by who asks for these. Where none
        of the names is one, everywhere."""
        with self.lock:
            firsts = {name.partition("\\")[0] for name in names}
            named = [server for server in map(self.find, firsts) if server is not None]
            dags = [dag for dag in (*map(self.dags.of, named), *map(self._dag_of, firsts)) if dag is not None]
            if not named and not dags:
                self.advance()
                return
            around = {id(server): server for server in (self.of(here), *named)}
            for dag in {id(dag): dag for dag in (*dags, self.dags.of(self.of(here))) if dag is not None}.values():
                self.dags.advance(dag)
                around.update((id(member), member) for member in dag.members)
            for server in around.values():
                self.mail.of(server).advance()

    def _dag_of(self, name: str) -> Dag | None:
        """The DAG of that name, or of the database of that name."""
        database = self.dags.find_database(name)
        return self.dags.find_dag(name) if database is None else database.dag

    def _came_or_went(self, server: Server) -> None:
        """Its DAG notices that at once, however many there are."""
        with self.lock:
            if dag := self.dags.of(server):
                self.dags.advance(dag)
            self.mail.of(server).advance()

    def _hand_in(self, server: Server, message: str) -> None:
        with self.lock:
            self.mail.of(server).hand_in(message)

    def _named(self, host: str) -> Server:
        return next(server for server in self.servers if server.host.description.name == host)

    def find(self, identity: str) -> Server | None:
        """The server meant by its name, full name, GUID or distinguished name; names have no case."""
        return self._by_name.get(identity.strip().casefold())

    def of(self, host: Host) -> Server:
        """The server that a host is. Raises KeyError."""
        try:
            return self._by_host[id(host)]
        except KeyError:
            raise KeyError(host.description.name) from None
