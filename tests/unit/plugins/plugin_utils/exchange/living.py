# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers of an organisation that live: words of requesters, databases that move, mail that goes, time that passes.

What a sequence says is done; :attr:`World.log` has what was done with which server, and when two members of a DAG were
out at once. ``World.turn`` is called before each step of a sequence: there other sequences go on, or it is cut off.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Callable, Sequence
from typing import Any, cast

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.before import Before, from_text
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.records import Enum, Record
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.shell import CmdletError, Value
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.wishes import Wishes
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.work import Means, Work

from .organisation import DOMAIN, copy

COMPONENTS = ("ServerWideOffline", "HubTransport", "UMCallRouter", "Monitoring", "EwsProxy")
KNOWN = ("Get-ServerComponentState", "Set-ServerComponentState", "Set-MailboxServer", "Redirect-Message")
SERVICES = ("MSExchangeTransport", "MSExchangeFrontEndTransport", "MSExchangeIS")


@dataclasses.dataclass
class Server:
    """One server. What is here outlives restarts, but for ``down`` and ``stopped``."""

    name: str
    policy: str = "Unrestricted"
    move_now: bool = False
    words: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)  # by component, by requester
    node: str = "up"
    down: bool = False
    joining: int = 0  # so many questions for its node are answered before it has joined again
    stopped: set[str] = dataclasses.field(default_factory=set)
    by_hand: set[str] = dataclasses.field(default_factory=set)  # services that do not start by themselves
    record: str | None = None
    file: str | None = None
    mail: int = 0
    drains: bool = True
    stuck: bool = False  # its mail cannot be redirected
    quiet: int = 0  # so many questions for queues are not answered
    leaves: bool = True  # its databases do
    silent: bool = False  # nothing greets on its port 25

    @property
    def fqdn(self) -> str:
        return f"{self.name}.{DOMAIN}"

    def state(self, component: str) -> str:
        if component not in ("Monitoring", "ServerWideOffline") and self.state("ServerWideOffline") == "Inactive":
            return "Inactive"
        said = set(self.words.get(component, {}).values())
        return next((state for state in ("Inactive", "Draining") if state in said), "Active")

    @property
    def is_out(self) -> bool:
        """No client and no database finds it."""
        return self.down or self.state("ServerWideOffline") == "Inactive" or self.state("HubTransport") != "Active"

    def shown(self) -> dict[str, Any]:
        """All that maintenance may change. Who asked for Active has asked for nothing."""
        said = {
            name: {who: state for who, state in words.items() if state != "Active"}
            for name, words in self.words.items()
        }
        return {
            "policy": self.policy,
            "move_now": self.move_now,
            "node": self.node,
            "down": self.down,
            "stopped": set(self.stopped),
            "words": {name: words for name, words in said.items() if words},
        }


@dataclasses.dataclass
class Database:
    name: str
    active: str
    copies: tuple[str, ...]
    sick: dict[str, str] = dataclasses.field(default_factory=dict)  # server: status
    stays: bool = False
    state: str = "Mounted"  # of the active copy
    logs: dict[str, int] = dataclasses.field(default_factory=dict)  # server: those that its copy has to fetch
    follows: bool = True  # its copies do


class World:
    """Servers by name, DAGs as lists of names, databases. ``turn``: called with (server, what) before each step."""

    def __init__(self, *groups: tuple[str, ...], alone: tuple[str, ...] = (), version: str = "2016") -> None:
        self.groups = groups
        self.servers = {name: Server(name) for name in (*(item for group in groups for item in group), *alone)}
        self.databases = [Database(f"DB-{name}", name, group) for group in groups for name in group]
        self.version = version
        self.time = 0.0
        self.log: list[tuple[str, str]] = []
        self.two_out: list[set[str]] = []
        self.in_service: list[str] = []  # servers that were restarted although they served
        self.at_work: set[str] = set()
        self.corrupt = ""  # what a question for all servers is answered with
        self.witnesses: dict[str, str] = {}  # the full name of a server by the name of a DAG
        self.share = "Primary"
        self.hidden: tuple[str, ...] = ()  # cmdlets that the account's roles do not have
        self.piped = "in order"  # or "refused", or "reversed", how names that are piped are taken
        self.far = False  # runs are those of other controllers
        self.controller = ""  # the domain controller that is told, and tells at once; others never learn
        self.turn: Callable[[str, str], None] = lambda _server, _what: None
        self.error: Callable[[str, str], Exception | None] = lambda _server, _cmdlet: None
        self.mute: Callable[[str], bool] = lambda _told: False  # what reports no error, and does nothing

    def group_of(self, name: str) -> tuple[str, ...]:
        return next((group for group in self.groups if name in group), ())

    def away(self, group: tuple[str, ...]) -> set[str]:
        return {name for name in group if self.servers[name].down}

    def restart(self, name: str) -> None:
        """Down, seen by all, and up again."""
        server = self.servers[name]
        if not server.is_out:
            self.in_service.append(name)
        server.down = True
        self.turn(name, "is down")
        self._count()
        for database in self.databases:
            if database.active == name:
                self._move(database)
        server.down = False
        server.joining = 2
        server.stopped.clear()

    def _count(self) -> None:
        for group in self.groups:
            away = self.away(group)
            if len(away) > 1:
                self.two_out.append(away)

    def _move(self, database: Database) -> bool:
        for name in database.copies:
            server = self.servers[name]
            blocked = server.policy == "Blocked" or server.move_now or server.state("ServerWideOffline") == "Inactive"
            if name != database.active and not server.down and not blocked and name not in database.sick:
                self.log.append((database.name, f"moves to {name}"))
                database.active = name
                return True
        return False

    def pass_by(self, seconds: float) -> None:
        """Databases and mail move."""
        self.time += seconds
        for database in self.databases:
            if database.follows:
                database.logs = {name: max(0, left - int(20 * seconds)) for name, left in database.logs.items()}
        for server in self.servers.values():
            if server.move_now and server.policy == "Blocked" and server.leaves:
                mine = [item for item in self.databases if item.active == server.name and not item.stays]
                if mine:
                    self._move(mine[0])
            if server.state("HubTransport") != "Active" and server.drains:
                server.mail = max(0, server.mail - 10)

    # --- what a sequence is given ------------------------------------------------------------------------------------

    def work(self, name: str, wishes: Wishes | None = None, *, node: bool = True, by: str = "test") -> Work:
        server = self.servers[name]
        host = Host(self, server, Node(self, server) if node and self.group_of(name) else None)
        means = Means(
            shell=Shell(self, name),
            memory=Memory(self, server),
            host=host,
            now=lambda: str(self.time),
            by={"run": by},
            at_work=lambda before: self._lives(before, by),
            sleep=lambda seconds: self._sleep(name, seconds),
            clock=lambda: self.time,
        )
        return Work(name, means, wishes or Wishes(minimum_healthy_copies=1))

    def _lives(self, before: Before, own: str) -> str | None:
        """Runs of this controller are known; of others only when they were seen last."""
        run = str(before.by["run"])
        if run == own:
            return None
        if run in self.at_work:
            return run
        is_known = not self.far
        recently = self.time - float(before.seen) <= 900
        return run if not is_known and recently else None

    def _sleep(self, name: str, seconds: float) -> None:
        self.turn(name, "sleeps")
        self.pass_by(seconds)

    def did(self, name: str, what: str) -> None:
        """A step: others may go on before it, and it may be cut off."""
        self.turn(name, what)
        self.log.append((name, what))


class Shell:
    """Stands where a shell stands, for one sequence."""

    def __init__(self, world: World, user: str) -> None:
        self._world, self._user = world, user
        self.round_trips = 0
        self.asked: list[str] = []

    def close(self) -> None:
        pass

    def read(self, cmdlet: str, **parameters: Value) -> list[Record]:
        self._counted(cmdlet)
        self._world.turn(self._user, cmdlet)
        self._fail(cmdlet)
        return self._named(cmdlet)(**parameters)

    def read_each(self, cmdlet: str, names: Sequence[str], **parameters: Value) -> list[Record]:
        """One after the other, with all errors at the end."""
        self._counted(cmdlet)
        found: list[Record] = []
        errors: list[Exception] = []
        if self._world.piped == "refused":
            raise CmdletError("The input object cannot be bound")
        for name in reversed(names) if self._world.piped == "reversed" else names:
            self._world.turn(self._user, cmdlet)
            try:
                self._fail(cmdlet)
                found += self._named(cmdlet)(Identity=name, **parameters)
            except CmdletError as exc:
                errors.append(exc)
        if errors:
            raise errors[0]
        return found

    def change(self, cmdlet: str, **parameters: Value) -> list[Record]:
        self._counted(cmdlet)
        told = f"{cmdlet} {' '.join(str(parameters[name]) for name in sorted(parameters) if name != 'Identity')}"
        self._world.did(self._user, told)
        self._fail(cmdlet)
        if not self._world.mute(told):
            self._named(cmdlet)(**parameters)
        self._world.turn(self._user, f"after {told}")
        return []

    def _get_command(self, Name: Value) -> list[Record]:  # noqa: N803
        """What the account may run of what wildcards ask for."""
        known = [name for name in KNOWN if name.casefold() not in map(str.casefold, self._world.hidden)]
        found = [name for name in known for wanted in cast("list[str]", Name) if fnmatch.fnmatchcase(name, wanted)]
        return [Record(name, (), {"Name": name}) for name in found]

    def _named(self, cmdlet: str) -> Callable[..., list[Record]]:
        found: Callable[..., list[Record]] = getattr(self, "_" + cmdlet.replace("-", "_").lower())
        return found

    def _counted(self, cmdlet: str) -> None:
        self.asked.append(cmdlet)
        self.round_trips += 3

    def _fail(self, cmdlet: str) -> None:
        error = self._world.error(self._user, cmdlet)
        if error is not None:
            raise error

    def _server(self, identity: Value, *, asked_itself: bool = False) -> Server:
        name = str(identity).partition(".")[0].upper()
        if name not in self._world.servers:
            raise CmdletError(f"object '{identity}' couldn't be found")
        server = self._world.servers[name]
        if asked_itself and server.down:
            raise CmdletError(f"The remote registry of server {server.fqdn} couldn't be opened")
        return server

    def _every(self, ask: Callable[..., list[Record]]) -> list[Record]:
        if self._world.corrupt:
            raise CmdletError(self._world.corrupt)
        return [record for name in self._world.servers for record in ask(name)]

    def _get_exchangeserver(self, Identity: Value = None) -> list[Record]:  # noqa: N803
        if Identity is None:
            return self._every(self._get_exchangeserver)
        server = self._server(Identity)
        properties = {
            "Name": server.name,
            "Fqdn": server.fqdn,
            "Edition": Enum("Enterprise", 1),
            "AdminDisplayVersion": Record("Version 15.1 (Build 2507.6)"),
            "ServerRole": Enum("Mailbox", 2),
            "Site": Record(f"{DOMAIN}/Configuration/Sites/Here"),
        }
        return [Record(server.name, (), properties)]

    def _get_mailboxserver(self, Identity: Value = None, DomainController: Value = "") -> list[Record]:  # noqa: N803
        if Identity is None:
            return self._every(self._get_mailboxserver)
        server = self._server(Identity)
        if self._world.controller != DomainController:
            server = dataclasses.replace(server, policy=Server.policy, move_now=False)
        group = self._world.group_of(server.name)
        properties = {
            "Name": server.name,
            "DatabaseAvailabilityGroup": Record(f"DAG-{group[0]}") if group else None,
            "DatabaseCopyAutoActivationPolicy": Enum(server.policy, 0),
            "DatabaseCopyActivationDisabledAndMoveNow": server.move_now,
            "OriginatingServer": self._world.controller or None,
        }
        return [Record(server.name, (), properties)]

    def _set_mailboxserver(self, Identity: Value, **settings: Value) -> None:  # noqa: N803
        server = self._server(Identity)
        assert settings.get("DomainController", "") == self._world.controller
        server.policy = str(settings.get("DatabaseCopyAutoActivationPolicy", server.policy))
        server.move_now = bool(settings.get("DatabaseCopyActivationDisabledAndMoveNow", server.move_now))

    def _get_databaseavailabilitygroup(self, Identity: Value = None, Status: Value = False) -> list[Record]:  # noqa: N803
        return [self._group(group, Status) for group in self._world.groups if Identity in (None, f"DAG-{group[0]}")]

    def _group(self, group: tuple[str, ...], status: Value) -> Record:
        name = f"DAG-{group[0]}"
        there = [name for name in group if not self._world.servers[name].down]
        leader = next((name for name in there if self._world.servers[name].node == "up"), None)
        properties = {
            "Name": name,
            "Servers": [Record(name) for name in group],
            "OperationalServers": [Record(name) for name in there] if status else None,
            "PrimaryActiveManager": Record(leader) if status and leader else None,
            "WitnessServer": self._world.witnesses.get(name),
            "WitnessShareInUse": Enum(self._world.share, 1) if status else None,
        }
        return Record(name, (), properties)

    def _get_servercomponentstate(self, Identity: Value) -> list[Record]:  # noqa: N803
        server = self._server(Identity, asked_itself=True)
        found = []
        for name in COMPONENTS:
            if name == "UMCallRouter" and self._world.version == "2019":
                continue
            entries = [
                f"Requestor:{who}; State:{state}; Timestamp:2026-11-20T00:00:00Z"
                for who, state in server.words.get(name, {}).items()
            ]
            properties = {
                "ServerFqdn": server.fqdn,
                "Component": name,
                "State": Enum(server.state(name), 0),
                "LocalStates": entries,
                "RemoteStates": entries,
            }
            found.append(Record(None, (), properties))
        return found

    def _set_servercomponentstate(self, **given: Value) -> None:
        server = self._server(given["Identity"], asked_itself=True)
        assert given["Component"] != "UMCallRouter" or self._world.version == "2016"
        server.words.setdefault(str(given["Component"]), {})[str(given["Requester"])] = str(given["State"])

    def _get_mailboxdatabasecopystatus(self, Server: Value = None, Identity: Value = None) -> list[Record]:  # noqa: N803
        if Identity is not None:
            assert (Server, Identity) == (None, "*")
            return self._every(lambda name: self._copies(self._world.servers[name]))
        return self._copies(self._server(Server, asked_itself=True))

    def _copies(self, server: Server) -> list[Record]:
        return [
            copy(
                item.name,
                server.name,
                # others tell that of one that does not answer
                "ServiceDown" if server.down
                else item.state if item.active == server.name else item.sick.get(server.name, "Healthy"),
                ActiveCopy=item.active == server.name,
                CopyQueueLength=item.logs.get(server.name, 0),
            )
            for item in self._world.databases
            if server.name in item.copies
        ]  # fmt: skip

    def _get_queue(self, Server: Value) -> list[Record]:  # noqa: N803
        server = self._server(Server, asked_itself=True)
        if server.quiet:
            server.quiet -= 1
            raise CmdletError("The queue viewer operation has failed")
        properties = {
            "Identity": f"{server.name}\\3",
            "DeliveryType": Enum("SmtpDeliveryToMailbox", 0),
            "NextHopDomain": "db01",
            "Status": Enum("Ready", 0),
            "MessageCount": server.mail,
        }
        return [Record(f"{server.name}\\3", (), properties)]

    def _redirect_message(self, Server: Value, Target: Value, Confirm: Value) -> None:  # noqa: N803
        assert Confirm is False
        assert "." in str(Target), "a full name is wanted"
        target = self._server(Target)
        assert not target.is_out, "mail would go round"
        if self._server(Server).stuck:
            return
        target.mail += self._server(Server).mail
        self._server(Server).mail = 0


class Node:
    """The cluster node of a server."""

    def __init__(self, world: World, server: Server) -> None:
        self._world, self._server = world, server

    def state(self) -> str | None:
        self._world.turn(self._server.name, "looks at its node")
        if self._server.joining:
            self._server.joining -= 1
            return "joining" if self._server.joining else None
        return "down" if self._server.down else self._server.node

    def pause(self) -> None:
        self._world.did(self._server.name, "pauses its node")
        error = self._world.error(self._server.name, "pause")
        if error is not None:
            raise error
        if not self._world.mute("pause"):
            self._server.node = "paused"
        self._world.turn(self._server.name, "after pausing its node")

    def resume(self) -> None:
        self._world.did(self._server.name, "resumes its node")
        if not self._world.mute("resume"):
            self._server.node = "up"
        self._world.turn(self._server.name, "after resuming its node")


class Host:
    """The server, as Windows shows it."""

    def __init__(self, world: World, server: Server, node: Node | None) -> None:
        self._world, self._server, self.node = world, server, node

    def running(self) -> tuple[str, ...]:
        self._world.turn(self._server.name, "looks at its services")
        return tuple(name for name in SERVICES if name not in self._server.stopped | self._server.by_hand)

    def restart_transport(self) -> None:
        self._world.did(self._server.name, "restarts transport")
        error = self._world.error(self._server.name, "transport")
        if error is not None:
            raise error
        self._server.quiet = 2
        self._world.turn(self._server.name, "after restarting transport")

    def answers_on_port_25(self) -> bool:
        return not self._server.silent and "MSExchangeFrontEndTransport" not in self._server.stopped


class Memory:
    """The record on the server."""

    def __init__(self, world: World, server: Server) -> None:
        self._world, self._server = world, server

    def recall(self) -> Before | None:
        self._world.turn(self._server.name, "recalls")
        return None if self._server.record is None else from_text(self._server.record)

    def recall_elsewhere(self) -> Before | None:
        return None if self._server.file is None else from_text(self._server.file)

    def remember(self, before: Before) -> None:
        self._world.did(self._server.name, "remembers")
        self._server.record = before.to_text()
        self._world.turn(self._server.name, "after remembering")

    def forget(self) -> None:
        self._world.did(self._server.name, "forgets")
        self._server.record = self._server.file = None
        self._world.turn(self._server.name, "after forgetting")


class Cut(BaseException):
    """The controller was killed."""


def refused(what: str = "it does not work") -> Exception:
    return ExchangeTlsError(what)
