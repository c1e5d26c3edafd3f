# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Whether a server may be taken out of service now: what is in the way, worst first, and what is good to know. Pure.

The rules behind it: no quorum is risked, no database loses its last copy that works, no mail is left where it would
wait, and what others have marked is theirs.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import OptionError
from . import queues
from .component_states import APART, HUB_TRANSPORT, INACTIVE, SERVER_WIDE_OFFLINE, Components
from .copies import Copy
from .endpoint import is_same_server
from .groups import Group
from .view import INTRASITE_ONLY, Member, View

BLOCKED = "Blocked"
MAINTENANCE = "Maintenance"
# A server of another DAG, or of none, has its vote in the same quorum.
BOUND = "dag.bound"
# Copies elsewhere that a database shall have left. Microsoft's own script wants two; a DAG of two members has one.
TWO = 2


@dataclasses.dataclass(frozen=True)
class Remark:
    """``id`` stays the same in later releases. ``warns``: whether it takes something from what was promised.
    ``stays``: whether it does not pass by itself."""

    id: str
    message: str
    warns: bool = False
    stays: bool = False

    def as_result(self) -> dict[str, t.Any]:
        return {"id": self.id, "message": self.message, "warns": self.warns}


def in_maintenance(components: Components) -> bool:
    """Whether the server as a whole is out of service, or its mail is draining, on somebody's word."""
    return any(name in components and components[name].is_held for name in (SERVER_WIDE_OFFLINE, HUB_TRANSPORT))


def marks(member: Member) -> list[str]:
    """Why another member takes neither mail nor databases now."""
    return [*component_marks(member.components, member.why), *activation_marks(member.policy, member.move_now)]


def activation_marks(policy: str, move_now: bool) -> list[str]:
    """What the activation policy of a server says of that."""
    blocked = ["has the activation policy Blocked"] if policy.casefold() == BLOCKED.casefold() else []
    moves = ["moves its databases away (DatabaseCopyActivationDisabledAndMoveNow)"] if move_now else []
    return [*blocked, *moves]


def component_marks(components: Components | None, why: str | None) -> list[str]:
    """Which of the components say that a server is out of service, or on its way. ``why``: why there are none."""
    if components is None:
        return [f"does not answer ({why})"]
    return [
        f"has {name} {component.state} (by {', '.join(component.held_by) or 'nobody that says so'})"
        for name in (SERVER_WIDE_OFFLINE, HUB_TRANSPORT)
        if (component := components.get(name)) is not None and component.is_marked
    ]


def needed_copies(view: View, minimum: int | None) -> int:
    """How many copies that work each database must have elsewhere. Raises :class:`OptionError` for more than there can
    be."""
    others = len(view.members)
    if minimum is None:
        return TWO
    if view.group is not None and minimum > others:
        raise OptionError(
            f"'minimum_healthy_copies' is {minimum}, but {view.group.name} has {others + 1} "
            f"member{'s' if others else ''}: there cannot be more than {others} elsewhere."
        )
    return minimum


def obstacles(view: View, minimum: int | None, blocked: t.Sequence[str] = ()) -> tuple[Remark, ...]:
    """What is in the way. ``minimum``: copies elsewhere that every mounted database with a second copy must have; None
    for two. ``blocked``: servers that are Blocked on purpose, of this DAG and of others."""
    needed = needed_copies(view, minimum)
    return (
        *_of_group(view),
        *_of_members(view, blocked),
        *_of_bound(view),
        *_of_databases(view, needed, minimum is None, blocked),
        *_of_mail(view),
    )


def _of_group(view: View) -> t.Iterator[Remark]:
    group = view.group
    if group is None:
        return
    if group.witness is None:
        told = f"{group.name} does not tell whether its witness share is in use: {_status(group)} says why."
        yield Remark("dag.witness", told)
    elif group.witness_is_broken:
        yield Remark(
            "dag.witness",
            f"The witness share of {group.name} is {group.witness}: one more member away may cost the quorum. "
            f"{_set_up_again(group)}",
        )
    elif group.lacks_witness:
        yield Remark(
            "dag.witness",
            f"{group.name} has two members and uses no witness share: one of them alone may have no quorum. "
            f"{_set_up_again(group)}",
        )
    if group.operational is None:
        told = f"{group.name} does not tell which of its members are operational: {_status(group)} says why."
        yield Remark("dag.operational", told)
        return
    gone = [member.name for member in view.members if not member.is_known]
    for name in group.others(view.server.name):
        if not group.is_operational(name) and name not in gone:
            told = f"{name}, another member of {group.name}, is not operational. Bring it back; if it is gone for good,"
            yield Remark("dag.member", f"{told} {_take_out(group, name)}")


def _status(group: Group) -> str:
    return f"Get-DatabaseAvailabilityGroup {group.name} -Status"


def _set_up_again(group: Group) -> str:
    return f"Set-DatabaseAvailabilityGroup {group.name} sets it up again, and says what is wrong with it."


def _take_out(group: Group, name: str) -> str:
    """One that was lost stays in the list of its DAG until somebody does that."""
    told = "take it out of the DAG: Remove-DatabaseAvailabilityGroupServer"
    return f"{told} {group.name} -MailboxServer {name} -ConfigurationOnly."


def _of_members(view: View, blocked: t.Sequence[str]) -> t.Iterator[Remark]:
    for member in view.members:
        found = marks(member)
        if not found:
            continue
        is_only_blocked = found == activation_marks(BLOCKED, move_now=False)
        if is_only_blocked and _is_named(member.name, blocked):
            continue
        # who takes a member out marks it otherwise as well
        cure = (
            f" Where it is to be so, name it in 'blocked_members'; else open it: Set-MailboxServer {member.name} "
            "-DatabaseCopyAutoActivationPolicy Unrestricted."
            if is_only_blocked
            else _cure(member, view.group)
        )
        told = f"{member.name}, another member of the DAG, {' and '.join(found)}.{cure}"
        yield Remark("dag.marked", told, stays=is_only_blocked or not member.is_known)


def _cure(member: Member, group: Group | None = None) -> str:
    """How what :func:`marks` says of a member comes to its end."""
    if not member.is_known and group is not None:
        return f" If it is gone for good, {_take_out(group, member.name)}"
    if member.components is None:
        return f" Get-ServerComponentState {member.name} has to answer."
    held = [
        f"Set-ServerComponentState {member.name} -Component {item.name} -State Active -Requester {who}"
        for name in (SERVER_WIDE_OFFLINE, HUB_TRANSPORT)
        if (item := member.components.get(name)) is not None and item.is_marked
        for who in item.held_by
    ]
    if member.move_now:
        held.append(f"Set-MailboxServer {member.name} -DatabaseCopyActivationDisabledAndMoveNow $false")
    by_hand = f", or by hand, as with {held[0]}" if held else ""
    return f" Whoever began that is to end it: a run that was cut off there by running it for {member.name}{by_hand}."


def _of_bound(view: View) -> t.Iterator[Remark]:
    for member in view.bound:
        if found := marks(member):
            told = f"{member.name}, {member.bond}, {' and '.join(found)}: two votes away may cost the quorum."
            yield Remark(BOUND, f"{told}{_cure(member)}")


def _of_databases(view: View, needed: int, by_default: bool, blocked: t.Sequence[str]) -> t.Iterator[Remark]:
    able = {member.name: not marks(member) and not _is_elsewhere(view, member) for member in view.members}
    to_place: dict[str, list[str]] = {}
    for copy in view.copies:
        elsewhere = view.elsewhere(copy)
        if not copy.is_mounted or not elsewhere:
            continue
        working = [item for item in elsewhere if item.wrong(copy) is None and _is_able(item.server, able)]
        if len(working) >= needed:
            to_place[copy.database] = [item.server for item in working]
            continue
        reasons = [f"{item.server} {item.wrong(copy) or 'takes none now'}" for item in elsewhere if item not in working]
        told = f": {'; '.join(reasons)}" if reasons else ""
        may_work = [item for item in elsewhere if not _is_named(item.server, blocked)]
        cure = (
            " For a DAG with one copy elsewhere say so with 'minimum_healthy_copies' 1."
            if by_default and len(may_work) == len(working) == 1
            else _of_copies(copy, [item for item in elsewhere if item not in working], len(working))
        )
        yield Remark(
            "database.copies",
            f"{copy.database} is mounted here and has {_counted(len(working), 'copy', 'copies')} elsewhere that could "
            f"take over, of {needed} wanted{told}.{cure}",
        )

    yield from _of_room(view, to_place if needed else {})


def _of_copies(active: Copy, missing: t.Sequence[Copy], working: int) -> str:
    """Of those that could not take over, or where there are no more."""
    if not missing:
        return f" It has no more of them: 'minimum_healthy_copies' may be {working} then."
    broken = next((item.server for item in missing if item.wrong(active)), None)
    return f" Get-MailboxDatabaseCopyStatus -Server {broken} shows more." if broken else ""


def _of_room(view: View, to_place: t.Mapping[str, t.Sequence[str]]) -> t.Iterator[Remark]:
    """Members that are full take none over (MaximumActiveDatabases). ``to_place``: by database, the servers that could
    take it."""
    room = {member.name.casefold(): member.room for member in view.members}
    taken: dict[str, list[str]] = {}

    def place(database: str, tried: set[str]) -> bool:
        """Whether there is a place for it, also where another database has to go elsewhere for that."""
        for server in map(str.casefold, to_place[database]):
            if server in tried:
                continue
            tried.add(server)
            here, most = taken.setdefault(server, []), room.get(server)
            if most is None or len(here) < most:
                here.append(database)
                return True
            for other in here:
                if place(other, tried):
                    here[here.index(other)] = database
                    return True
        return False

    left = [database for database in to_place if not place(database, set())]
    if left:
        full = sorted({name for database in left for name in to_place[database]})
        yield Remark(
            "database.room",
            f"{_counted(len(left), 'database', 'databases')} of those mounted here would find no room elsewhere, such "
            f"as {left[0]}: {', '.join(full)} may have so many active ones only. Move some away, or allow more: "
            f"Set-MailboxServer {full[0]} -MaximumActiveDatabases.",
        )


def _is_named(server: str, names: t.Sequence[str]) -> bool:
    return any(is_same_server(name, server) for name in names)


def _is_elsewhere(view: View, member: Member) -> bool:
    """Whether it takes over within its own site only, which is another one."""
    is_bound = member.policy.casefold() == INTRASITE_ONLY.casefold()
    return is_bound and None not in (member.site, view.server.site) and member.site != view.server.site


def _is_able(server: str, able: t.Mapping[str, bool]) -> bool:
    return any(is_fine and is_same_server(name, server) for name, is_fine in able.items())


def _of_mail(view: View) -> t.Iterator[Remark]:
    if view.queues is None:
        name = view.server.name
        told = f"Whether mail waits on {name} is not known: {view.no_queues}"
        cure = f"Get-Queue -Server {name} has to answer, as it does once MSExchangeTransport has run for some minutes."
        yield Remark("mail.unknown", f"{told.rstrip('. ')}. {cure}")


def remarks(view: View) -> tuple[Remark, ...]:
    """What is no obstacle, and good to know before."""
    return tuple(_remarks(view))


def _remarks(view: View) -> t.Iterator[Remark]:
    name, group = view.server.name, view.group
    if in_maintenance(view.components):
        yield Remark("server.out", f"{name} is out of service already, or on its way.")
    for component in view.components.not_active:
        others = [item for item in component.held_by if item.casefold() != MAINTENANCE.casefold()]
        if others and component.name.casefold() not in APART:
            yield Remark(
                "server.component", f"{component.name} is {component.state} by {', '.join(others)}, and stays so."
            )
    if (view.server.policy or "").casefold() == BLOCKED.casefold():
        yield Remark("server.blocked", f"{name} has the activation policy Blocked: it takes over no database.")
    if group is not None and group.manager is not None and is_same_server(group.manager, name):
        yield Remark("dag.manager", f"{name} is the Primary Active Manager of {group.name}, which moves with it.")
    for copy in view.copies:
        if copy.is_mounted and not view.elsewhere(copy):
            yield Remark("database.alone", f"{copy.database} has its only copy here and goes down with {name}.")
        elif copy.active and not copy.is_mounted:
            yield Remark("database.dismounted", f"{copy.database} is {copy.status} here, and is left alone.")
        elif not copy.active and copy.status.casefold() != "healthy":
            yield Remark("database.copy", f"The copy of {copy.database} here is {copy.status}.")
    mail = queues.waiting(view.queues or ())
    if mail:
        yield Remark(
            "mail.waiting", f"{_counted(mail, 'message', 'messages')} wait on {name} and would be sent on first."
        )
    if INACTIVE in {item.state for item in view.components.values() if item.name.casefold() in APART and item.is_held}:
        yield Remark(
            "server.unmonitored", f"Managed Availability repairs nothing on {name}: its components are Inactive."
        )


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
