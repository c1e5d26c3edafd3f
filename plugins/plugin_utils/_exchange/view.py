# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""One look at an Exchange server through its cmdlets: what it is, how it serves, and what its absence would touch."""

from __future__ import annotations

import dataclasses
import itertools
import typing as t
from types import MappingProxyType

from .._errors import ExchangeTlsError, LoginRefused, OptionError, UnexpectedAnswer
from .._text import NAME, visible
from . import component_states, copies, groups, queues
from .component_states import HUB_TRANSPORT, SERVER_WIDE_OFFLINE, Components
from .copies import Copy
from .endpoint import is_same_server
from .groups import Group
from .queues import Queue
from .records import Record
from .shell import CmdletDenied, CmdletError, CmdletNotFound, CmdletUnfinished, Shell, Value

_STATES = "Get-ServerComponentState"
# Without one of them it is not told whether a server is out of service.
_TELLS = frozenset({HUB_TRANSPORT.casefold(), SERVER_WIDE_OFFLINE.casefold()})
MAILBOX, EDGE = "Mailbox", "Edge"
# A server with this policy takes over from servers of its own site only.
INTRASITE_ONLY = "IntrasiteOnly"
# As many as the members of a DAG may be. In an organisation with more of them, what is of others is not asked for.
_FEW = 16
# The front end of a Client Access server of 2013 keeps no mail.
WITH_QUEUES = frozenset({MAILBOX, "HubTransport"})


@dataclasses.dataclass(frozen=True)
class Server:
    """What the directory says of a server. ``policy`` and ``move_now`` are None for one without the Mailbox role."""

    name: str
    fqdn: str
    version: str
    edition: str
    roles: tuple[str, ...]
    site: str | None
    dag: str | None
    policy: str | None
    move_now: bool | None
    #: The domain controller that told the last two; None where Exchange does not say.
    directory: str | None = None

    def as_result(self) -> dict[str, t.Any]:
        shown = {**dataclasses.asdict(self), "roles": list(self.roles)}
        del shown["directory"]
        return shown


@dataclasses.dataclass(frozen=True)
class Member:
    """Another member of the DAG. ``components``: None where it does not answer, and ``why`` says so. ``site``: where
    its policy depends on it, else None. ``bond``: what it has to do with the server, where it is of another DAG.
    ``most_active``: how many databases may be active there (MaximumActiveDatabases), None for any number.
    ``is_known``: whether Exchange still has a server of that name."""

    name: str
    policy: str
    move_now: bool
    components: Components | None
    copies: tuple[Copy, ...] = ()
    why: str | None = None
    site: str | None = None
    bond: str = ""
    most_active: int | None = None
    is_known: bool = True

    @property
    def room(self) -> int | None:
        """How many databases more it may take; None for any number."""
        return None if self.most_active is None else self.most_active - sum(item.active for item in self.copies)


@dataclasses.dataclass(frozen=True)
class View:
    """``queues``: None where transport does not answer, and ``no_queues`` says why: no queues are not empty ones.
    ``bound``: others that may not be away at the same time: the witness of its DAG, which has a vote as a member has,
    where that is an Exchange server, and the members of a DAG whose witness it is."""

    server: Server
    components: Components
    copies: tuple[Copy, ...]
    queues: tuple[Queue, ...] | None
    no_queues: str | None = None
    group: Group | None = None
    members: tuple[Member, ...] = ()
    bound: tuple[Member, ...] = ()

    def others(self) -> dict[str, str]:
        """The names of all that may not be away at the same time, and what each is."""
        group = "" if self.group is None else f"another member of {self.group.name}"
        return {item.name: item.bond or group for item in (*self.members, *self.bound)}

    def elsewhere(self, copy: Copy) -> list[Copy]:
        """The copies of the same database on the other members."""
        name = copy.database.casefold()
        return [item for member in self.members for item in member.copies if item.database.casefold() == name]


def look(shell: Shell, name: str) -> View:
    """Asks Exchange about the server of that name. Changes nothing. Raises :class:`OptionError` where Exchange knows no
    such server."""
    exchange = _one(shell, "Get-ExchangeServer", name)
    roles = tuple(item.strip() for item in exchange.text("ServerRole").split(",") if item.strip())
    # of all at once: other members are asked about as well, and questions cost more than answers
    every = _listing(shell, "Get-MailboxServer") if MAILBOX in roles else []
    mailbox = _told(shell, "Get-MailboxServer", exchange.text("Name"), every) if MAILBOX in roles else None
    server = _server(exchange, mailbox, roles)
    group = None
    if server.dag is not None:
        group = groups.of_record(_one(shell, "Get-DatabaseAvailabilityGroup", server.dag, Status=True))
    bonds = _bonds(shell, server, group, every)
    told = components_at_once(shell, (server.fqdn, *(group.others(server.name) if group else ()), *bonds))
    states = told.get(server.fqdn) or components(shell, server.fqdn, server.name)
    waiting, no_queues = _queues(shell, server) if WITH_QUEUES & set(roles) else ((), None)
    bound = tuple(_bound(shell, name, bond, told) for name, bond in bonds.items())
    if group is None:
        own = _copies(shell, server.name) if mailbox is not None else ()
        return View(server, states, own, waiting, no_queues, bound=bound)
    own, members = _copies_and_members(shell, server, group, every, told)
    return View(server, states, own, waiting, no_queues, group, members, bound)


def _one(shell: Shell, cmdlet: str, identity: str, **more: Value) -> Record:
    try:
        found = shell.read(cmdlet, Identity=identity, **more)
    except CmdletError as exc:
        if not isinstance(exc, (CmdletDenied, CmdletNotFound)) and "couldn't be found" in exc.message:
            raise OptionError(
                f"Exchange knows no server or DAG {visible(identity, NAME)!r}: {exc.message} Give its name as "
                "Get-ExchangeServer shows it."
            ) from None
        raise
    if len(found) != 1:
        raise UnexpectedAnswer(f"{cmdlet} for {visible(identity, NAME)} returned {len(found)} objects, not one.")
    return found[0]


def _server(exchange: Record, mailbox: Record | None, roles: tuple[str, ...]) -> Server:
    return Server(
        name=exchange.text("Name"),
        fqdn=exchange.text("Fqdn"),
        version=exchange.text("AdminDisplayVersion"),
        edition=exchange.text("Edition"),
        roles=roles,
        site=_site(exchange),
        dag=mailbox.text_or_none("DatabaseAvailabilityGroup") if mailbox is not None else None,
        policy=mailbox.text("DatabaseCopyAutoActivationPolicy") if mailbox is not None else None,
        move_now=mailbox.flag("DatabaseCopyActivationDisabledAndMoveNow") if mailbox is not None else None,
        directory=_told_by(mailbox) if mailbox is not None else None,
    )


def _told_by(record: Record) -> str | None:
    return record.text_or_none("OriginatingServer") if "OriginatingServer" in record else None


def _queues(shell: Shell, server: Server) -> tuple[tuple[Queue, ...] | None, str | None]:
    try:
        return tuple(map(queues.of_record, shell.read("Get-Queue", Server=server.fqdn))), None
    except CmdletError as exc:
        return None, exc.message


def _copies(shell: Shell, server: str) -> tuple[Copy, ...]:
    return tuple(map(copies.of_record, shell.read("Get-MailboxDatabaseCopyStatus", Server=server)))


def _all_copies(shell: Shell) -> dict[str, tuple[Copy, ...]]:
    """The copies of all servers by the server, which has not to answer for that; nothing where Exchange does not tell:
    then each server is asked about by itself."""
    found: dict[str, tuple[Copy, ...]] = {}
    for record in _listing(shell, "Get-MailboxDatabaseCopyStatus", Identity="*"):
        copy = copies.of_record(record)
        name = copy.server.casefold()
        found[name] = (*found.get(name, ()), copy)
    return found


def activation(shell: Shell, identity: str, directory: str | None = None) -> tuple[str, bool]:
    """The activation policy of a mailbox server, and whether its databases are to leave it (MoveNow). ``directory``:
    the domain controller that is asked: the one that was told, as others learn late."""
    return _activation(_one(shell, "Get-MailboxServer", identity, **pinned(directory)))


def _activation(record: Record) -> tuple[str, bool]:
    return record.text("DatabaseCopyAutoActivationPolicy"), record.flag("DatabaseCopyActivationDisabledAndMoveNow")


def _most_active(record: Record | None) -> int | None:
    found = None if record is None else record.get("MaximumActiveDatabases")
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _listing(shell: Shell, cmdlet: str, **parameters: Value) -> list[Record]:
    """What Exchange says of all servers; nothing where it cannot: an error may be of one that has nothing to do with
    this."""
    try:
        return shell.read(cmdlet, **parameters)
    except CmdletError:
        return []


def _told(shell: Shell, cmdlet: str, name: str, every: t.Sequence[Record]) -> Record:
    """What is said of one server among all; it is asked about by itself where there it is not, or is twice."""
    found = [record for record in every if record.text("Name").casefold() == name.casefold()]
    return found[0] if len(found) == 1 else _one(shell, cmdlet, name)


def pinned(directory: str | None) -> dict[str, str]:
    """The parameter that names a domain controller; none for None."""
    return {} if directory is None else {"DomainController": directory}


def where(shell: Shell, *identities: str) -> list[tuple[str, str | None]]:
    """The full name of each server, and its site."""
    every = _listing(shell, "Get-ExchangeServer") if len(identities) > 1 else []
    found = [_told(shell, "Get-ExchangeServer", name, every) for name in identities]
    return [(record.text("Fqdn"), _site(record)) for record in found]


def hidden_cmdlets(shell: Shell, wanted: t.Sequence[str]) -> list[str]:
    """Which of these cmdlets Exchange does not show to the account, as its roles do not have them; none where it does
    not tell."""
    try:
        # of a name with a wildcard, nothing is no error
        found = shell.read("Get-Command", Name=[f"{name}*" for name in (_STATES, *wanted)])
    except LoginRefused:
        raise  # each try counts
    except ExchangeTlsError:
        return []
    shown = {name.casefold() for record in found if isinstance(name := record.get("Name"), str)}
    # who does not know what was asked a moment ago knows nothing
    return [name for name in wanted if name.casefold() not in shown] if _STATES.casefold() in shown else []


def components(shell: Shell, fqdn: str, name: str) -> Components:
    """The components of a server of that name."""
    return component_states.read(shell.read(_STATES, Identity=fqdn), name)


def components_at_once(shell: Shell, names: t.Sequence[str]) -> dict[str, Components]:
    """The components of those servers that tell them in one question, in the order in which they came; nothing where
    that fails in any way: it is not said then of whom that is, and asked one by one they may tell."""
    if len(names) < 2:
        return {}
    try:
        runs = [
            (name, component_states.read(list(own), name))
            for name, own in itertools.groupby(shell.read_each(_STATES, names), lambda record: _one_of(names, record))
            if name is not None
        ]
    except LoginRefused:
        raise  # each try counts
    except ExchangeTlsError:
        return {}
    found = dict(runs)
    if len(found) < len(runs):
        # told twice, or a part before and a part after others: nobody knows then who was looked at first
        return {}
    return {name: item for name, item in found.items() if {part.casefold() for part in item} >= _TELLS}


def _one_of(names: t.Sequence[str], record: Record) -> str | None:
    server = record.get("ServerFqdn")
    return next((name for name in names if isinstance(server, str) and is_same_server(name, server)), None)


def components_of(
    shell: Shell, name: str, told: t.Mapping[str, Components] = MappingProxyType({})
) -> tuple[Components | None, str | None]:
    """The components of another server, or None and why it does not tell. ``told``: those of servers that have told
    them already. Raises what says something of the account."""
    if name in told:
        return told[name], None
    try:
        return components(shell, name, name), None
    except (CmdletNotFound, CmdletDenied):
        raise
    except (CmdletError, CmdletUnfinished) as exc:
        # it is away, or hangs, which is what this look is about
        return None, exc.message


def _copies_and_members(
    shell: Shell, server: Server, group: Group, every: t.Sequence[Record], told: t.Mapping[str, Components]
) -> tuple[tuple[Copy, ...], tuple[Member, ...]]:
    """The copies of a server, and the other members of its DAG."""
    others = {name: _still_there(shell, name, every) for name in group.others(server.name)}
    known = _all_copies(shell) if len(others) > 1 and 0 < len(every) <= _FEW else {}
    own = known.get(server.name.casefold()) or _copies(shell, server.name)
    members = [
        _gone(name) if record is None else _member(shell, name, *_activation(record), known, told)
        for name, record in others.items()
    ]
    tied = [item.name for item in members if item.policy.casefold() == INTRASITE_ONLY.casefold()]
    sites = dict(zip(tied, (site for _fqdn, site in where(shell, *tied)), strict=True))
    return own, tuple(
        dataclasses.replace(item, site=sites.get(item.name), most_active=_most_active(others[item.name]))
        for item in members
    )


def _still_there(shell: Shell, name: str, every: t.Sequence[Record]) -> Record | None:
    """What is said of another member; None where the DAG lists one that Exchange has no more."""
    try:
        return _told(shell, "Get-MailboxServer", name, every)
    except OptionError:
        return None


def _gone(name: str) -> Member:
    return Member(name, "", False, None, why="Exchange knows no server of that name", is_known=False)


def _member(
    shell: Shell,
    name: str,
    policy: str,
    move_now: bool,
    known: t.Mapping[str, tuple[Copy, ...]],
    told: t.Mapping[str, Components],
) -> Member:
    """``known``, ``told``: the copies and the components of servers that were asked about already."""
    found, why = components_of(shell, name, told)
    if found is None:
        return Member(name, policy, move_now, None, (), why)
    try:
        return Member(name, policy, move_now, found, known.get(name.casefold()) or _copies(shell, name))
    except (CmdletNotFound, CmdletDenied):
        raise
    except CmdletError as exc:
        return Member(name, policy, move_now, None, (), exc.message)


def _bound(shell: Shell, name: str, bond: str, told: t.Mapping[str, Components]) -> Member:
    found, why = components_of(shell, name, told)
    return Member(name, "", False, found, (), why, bond=bond)


def _bonds(shell: Shell, server: Server, group: Group | None, every: t.Sequence[Record]) -> dict[str, str]:
    """The names of servers outside its DAG that may not be away at the same time, and why. ``every``: the mailbox
    servers that there are."""
    found: dict[str, str] = {}
    if group is not None and (witness := group.witness_server) is not None:
        names = [record.text("Name") for record in every or _listing(shell, "Get-ExchangeServer", Identity=witness)]
        found = {name: f"the witness of {group.name}" for name in names if is_same_server(name, witness)}
    dags = {_dag_of(record) for record in every} - {None, server.dag and server.dag.casefold()}
    # in most organisations there is no other one that could have it as its witness
    for record in _listing(shell, "Get-DatabaseAvailabilityGroup") if dags or not every else []:
        if not groups.may_be_witness(record, server.fqdn):
            continue
        watched = groups.of_record(_one(shell, "Get-DatabaseAvailabilityGroup", record.text("Name"), Status=True))
        if watched.witness_server is not None and is_same_server(watched.witness_server, server.fqdn):
            found.update(dict.fromkeys(watched.others(server.name), f"a member of {watched.name}, whose witness it is"))
    own = (server.name, *(group.members if group else ()))
    return {name: bond for name, bond in found.items() if not any(is_same_server(name, item) for item in own)}


def _dag_of(mailbox: Record) -> str | None:
    dag = mailbox.text_or_none("DatabaseAvailabilityGroup")
    return dag and dag.casefold()


def _site(exchange: Record) -> str | None:
    site = exchange.text_or_none("Site") if "Site" in exchange else None
    return site.rpartition("/")[2] if site else None
