# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DAGs: where databases are mounted, what their copies say, which member leads, and what happens when members leave.

Nothing here runs by itself: whoever looks, and every host that comes or goes, calls Dags.advance first. Whoever reads
or changes anything holds the lock of the organisation.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..hosts import UP
from . import components, described
from .described import Dag as DagDescription
from .servers import Server

# Simulated seconds.
_BETWEEN_MOVES = 5.0
_INITIALIZING, _RESYNCHRONIZING = 10.0, 30.0
# Logs that a copy may lack and still be activated by itself.
_COPY_QUEUE, _REPLAY_QUEUE = 10, 50


@dataclass
class Clock:
    """Simulated seconds since the lab began."""

    factor: float = 60.0
    began: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        return self.at(time.monotonic())

    def at(self, monotonic: float) -> float:
        return (monotonic - self.began) * self.factor

    def epoch(self, simulated: float) -> float:
        """The real time of a simulated one."""
        return time.time() - (self.now() - simulated) / self.factor


@dataclass
class Copy:
    """One server's copy of a database. What is here outlives restarts."""

    database: Database
    server: Server
    suspended: bool = False
    activation_suspended: bool = False
    comment: str = ""
    by: str = "None"
    #: When it began to catch up, in simulated seconds.
    since: float | None = None

    @property
    def name(self) -> str:
        return f"{self.database.name}\\{self.server.name}"

    @property
    def is_active(self) -> bool:
        return self.database.active is self.server

    @property
    def quirk(self) -> dict[str, Any]:
        given = self.server.host.quirks.get("copies") or {}
        return next((value for name, value in given.items() if name.casefold() == self.database.name.casefold()), {})

    @property
    def copy_queue(self) -> int:
        return int(self.quirk.get("copy_queue", 0))

    @property
    def replay_queue(self) -> int:
        return int(self.quirk.get("replay_queue", 0))

    def status(self, now: float) -> str:
        """As the other servers see it."""
        if not self.database.dag.serves(self.server):
            return "ServiceDown"
        if self.is_active:
            return "Mounted" if self.database.mounted else "Dismounted"
        if "status" in self.quirk:
            return str(self.quirk["status"])
        if self.suspended:
            return "Suspended"
        connected = self.database.mounted and self.database.dag.serves(self.database.active)
        waited = None if self.since is None else now - self.since
        if waited is not None and waited < _RESYNCHRONIZING:
            if not connected:
                return "DisconnectedAndResynchronizing"
            return "Initializing" if waited < _INITIALIZING else "Resynchronizing"
        return "Healthy" if connected else "DisconnectedAndHealthy"

    def can_be_activated(self, now: float, *, named: bool = False) -> bool:
        """Whether Exchange would. named: by an administrator who names it, whom no policy stops."""
        server = self.server
        if self.is_active or self.activation_suspended or _is_offline(server):
            return False
        if not named and (server.activation_policy == "Blocked" or server.move_now):
            return False
        if self.status(now) not in ("Healthy", "DisconnectedAndHealthy"):
            return False
        return self.copy_queue < _COPY_QUEUE and self.replay_queue < _REPLAY_QUEUE


@dataclass
class Database:
    """One mailbox database of a DAG."""

    name: str
    dag: Dag
    recovery: bool
    active: Server
    copies: list[Copy] = field(default_factory=list)
    mounted: bool = True
    guid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def copy_on(self, server: Server) -> Copy | None:
        return next((copy for copy in self.copies if copy.server is server), None)

    def candidate(self, now: float) -> Copy | None:
        """The copy that Exchange would activate, by preference."""
        return next((copy for copy in self.copies if copy.can_be_activated(now)), None)

    @property
    def stays(self) -> bool:
        given = self.active.host.quirks.get("databases_stay") or ()
        return self.name.casefold() in (name.casefold() for name in given)


@dataclass
class Dag:
    """One DAG and its cluster."""

    description: DagDescription
    members: list[Server]
    databases: list[Database] = field(default_factory=list)
    paused: set[str] = field(default_factory=set)
    #: The primary active manager: the node that owns the cluster's own group.
    leader: Server | None = None
    had_quorum: bool = True
    two_down: bool = False
    two_out: bool = False
    next_balance: float = 0.0

    @property
    def name(self) -> str:
        return self.description.name

    @property
    def guid(self) -> str:
        """The same whichever member is looked at, and in every lab."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, self.name.casefold()))

    def node(self, server: Server) -> str:
        """See installed.NODE_STATES."""
        host = server.host
        if host.status != UP:
            return "down"
        state = host.service_state("ClusSvc")
        if state != "Running":
            return "joining" if state == "Start Pending" else "down"
        return "paused" if server.name in self.paused else "up"

    def is_there(self, server: Server) -> bool:
        return self.node(server) in ("up", "paused")

    def has_quorum(self) -> bool:
        """More than half of the votes: those of the members and, where they are even, that of the witness."""
        votes = [self.is_there(server) for server in self.members]
        if len(votes) % 2 == 0 and self.description.witness_share != "InvalidConfiguration":
            votes.append(True)
        return sum(votes) * 2 > len(votes)

    def serves(self, server: Server) -> bool:
        """Whether databases can be mounted there."""
        stopped = server.host.has_service("MSExchangeIS") and server.host.service_state("MSExchangeIS") != "Running"
        return self.is_there(server) and not stopped and self.has_quorum()


class Dags:
    """All DAGs of an organisation, and what happened to them."""

    def __init__(self, descriptions: Iterable[DagDescription], find: Callable[[str], Server], clock: Clock) -> None:
        self.clock = clock
        self.events: list[dict[str, Any]] = []
        self._began = False
        self._next_moves: dict[str, float] = {}
        self._away: set[str] = set()
        self.dags: list[Dag] = []
        for description in descriptions:
            dag = Dag(description, [find(name) for name in description.members])
            dag.leader = dag.members[0]
            dag.next_balance = description.balances
            dag.databases = [self._database(dag, item, find) for item in description.databases]
            self.dags.append(dag)
        self._of = {id(server): dag for dag in reversed(self.dags) for server in dag.members}

    def _database(self, dag: Dag, given: described.Database, find: Callable[[str], Server]) -> Database:
        made = Database(given.name, dag, given.recovery, find(given.active), mounted=not given.recovery)
        made.copies = [Copy(made, find(name)) for name in given.copies]
        return made

    def __iter__(self) -> Iterator[Dag]:
        return iter(self.dags)

    @property
    def databases(self) -> list[Database]:
        return [database for dag in self.dags for database in dag.databases]

    def of(self, server: Server) -> Dag | None:
        return self._of.get(id(server))

    def find_database(self, name: str) -> Database | None:
        wanted = name.strip().casefold()
        return next((item for item in self.databases if wanted in (item.name.casefold(), item.guid)), None)

    def find_dag(self, name: str) -> Dag | None:
        wanted = name.strip().casefold()
        return next((dag for dag in self.dags if wanted in (dag.name.casefold(), dag.guid)), None)

    # -- what happens ----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """From now on hosts that are not there are missed."""
        self._began = True
        self.advance()

    def advance(self, *dags: Dag) -> None:
        """Lets happen what is due in these, or in all."""
        if not self._began:
            return
        now = self.clock.now()
        for dag in dags or self.dags:
            self._count(dag)
            self._notice_returns(dag, now)
            for database in dag.databases:
                self._care_for(database, now)
            if dag.leader is None or not dag.is_there(dag.leader) or not dag.has_quorum():
                self.lead(dag)
            for server in dag.members:
                self._move_away(dag, server, now)
            self._balance(dag, now)

    def _log(self, kind: str, dag: Dag, database: Database | None = None, at: float | None = None, **more: Any) -> None:
        event = {"at": time.time() if at is None else self.clock.epoch(at), "kind": kind, "dag": dag.name}
        server = None if database is None else database.active.name
        self.events.append({**event, "database": database and database.name, "server": server, **more})

    def _count(self, dag: Dag) -> None:
        away = [server.name for server in dag.members if not dag.is_there(server)]
        two_down, quorum = len(away) > 1, dag.has_quorum()
        if two_down and not dag.two_down:
            self._log("two_members_down", dag, servers=away)
        if dag.had_quorum and not quorum:
            self._log("no_quorum", dag, servers=away)
        out = [server.name for server in dag.members if dag.node(server) != "up" or server.states.is_offline]
        two_out = len(out) > 1
        if two_out and not dag.two_out:
            self._log("two_members_out", dag, servers=out)
        dag.two_down, dag.two_out, dag.had_quorum = two_down, two_out, quorum

    def _notice_returns(self, dag: Dag, now: float) -> None:
        """Copies of a server that was away have to catch up."""
        for server in dag.members:
            if not dag.is_there(server):
                self._away.add(server.name)
            elif server.name in self._away:
                self._away.discard(server.name)
                for copy in (copy for item in dag.databases for copy in item.copies if copy.server is server):
                    copy.since = now

    def _care_for(self, database: Database, now: float) -> None:
        if database.recovery:
            return
        dag = database.dag
        if dag.serves(database.active):
            if not database.mounted:
                database.mounted = True
                self._log("mounted", dag, database)
            return
        candidate = database.candidate(now)
        if candidate is not None:
            self._activate(database, candidate, "failover", now)
        elif database.mounted:
            database.mounted = False
            self._log("dismounted", dag, database)

    def _activate(self, database: Database, copy: Copy, kind: str, at: float) -> None:
        before = database.copy_on(database.active)
        database.active, database.mounted = copy.server, True
        copy.since = None
        if before is not None:
            before.since = at
        source = before.server.name if before else None
        self._log(kind, database.dag, database, at, source=source)

    def lead(self, dag: Dag) -> None:
        """Another member becomes the primary active manager; one that is paused does not."""
        others = [item for item in dag.members if dag.node(item) == "up" and item is not dag.leader]
        if not dag.has_quorum():
            dag.leader = None
        elif others:
            dag.leader = others[0]
        elif dag.leader is not None and not dag.is_there(dag.leader):
            dag.leader = None

    def _move_away(self, dag: Dag, server: Server, now: float) -> None:
        """DatabaseCopyActivationDisabledAndMoveNow: one database after the other, where there is a place for it."""
        if not server.move_now:
            self._next_moves.pop(server.name, None)
            return
        due = self._next_moves.setdefault(server.name, now + _BETWEEN_MOVES)
        while due <= now and dag.serves(server):
            waiting = [item for item in dag.databases if item.active is server and item.mounted and not item.stays]
            found = ((database, database.candidate(due)) for database in waiting)
            database, copy = next(((database, copy) for database, copy in found if copy is not None), (None, None))
            if database is not None and copy is not None:
                self._activate(database, copy, "moved", due)
            elif not any(database.candidate(now) for database in waiting):
                # nothing to move, or nowhere to move it to
                due = now
            due += _BETWEEN_MOVES
        self._next_moves[server.name] = max(due, now)

    def _balance(self, dag: Dag, now: float) -> None:
        """PreferenceMoveFrequency: databases go back by themselves."""
        if not dag.description.balances or dag.next_balance > now:
            return
        dag.next_balance = now + dag.description.balances
        for database in dag.databases:
            first = database.copies[0]
            if database.mounted and not first.is_active and first.can_be_activated(now) and not database.stays:
                self._activate(database, first, "moved", now)

    # -- what an administrator does --------------------------------------------------------------------------------

    def move(self, database: Database, target: Server | None) -> str | None:
        """Activates the copy of that server, or the one that is best; what is against it, else None."""
        now = self.clock.now()
        if database.recovery:
            return f"Database '{database.name}' is a recovery database, which can't be moved."
        if target is None:
            copy = database.candidate(now)
            if copy is None:
                return f"No copy of database '{database.name}' could be activated: none was found to be suitable."
        else:
            copy = database.copy_on(target)
            if copy is None:
                return f"There is no copy of database '{database.name}' on server '{target.name}'."
            if copy.is_active:
                return None
            if not copy.can_be_activated(now, named=True):
                state = "suspended from activation" if copy.activation_suspended else f"in the state {copy.status(now)}"
                return f"Database copy '{copy.name}' isn't suitable for activation: it is {state}."
        if database.stays:
            return f"An Active Manager operation failed: database '{database.name}' couldn't be dismounted in time."
        self._activate(database, copy, "moved", now)
        return None

    def place(self, database: Database, target: Server) -> None:
        """Mounts a database elsewhere behind everybody's back."""
        copy = database.copy_on(target)
        if copy is None:
            raise KeyError(target.name)
        database.active, database.mounted = target, not database.recovery
        for one in database.copies:
            one.since = None


class View:
    """A cluster as one of its members knows it: see hosts.ClusterView."""

    def __init__(self, dags: Dags, dag: Dag, lock: Any, given: dict[str, str] | None) -> None:
        self._dags, self._dag, self._lock = dags, dag, lock
        #: What the description says instead of the lab.
        self._given = given

    def nodes(self) -> dict[str, str]:
        with self._lock:
            if self._given is not None:
                return {
                    name: "paused" if state == "up" and name.upper() in self._dag.paused else state
                    for name, state in self._given.items()
                }
            return {server.name: self._dag.node(server) for server in self._dag.members}

    def pause(self, node: str, drain: bool) -> bool:
        with self._lock:
            if self.nodes().get(node) != "up":
                return False
            self._dag.paused.add(node.upper())
            if drain and self._dag.leader is not None and self._dag.leader.name == node.upper():
                self._dags.lead(self._dag)
            return True

    def resume(self, node: str) -> bool:
        with self._lock:
            if self.nodes().get(node) != "paused":
                return False
            self._dag.paused.discard(node.upper())
            return True


def _is_offline(server: Server) -> bool:
    """Whether its component states keep databases away."""
    states = server.states
    return states.effective(states.find("HighAvailability")) == components.INACTIVE
