# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Takes a server out of service the way Exchange wants it.

Look, remember, mark, look at the other members again, let mail and databases leave, pause the node, prove, offline.
Every step may be made twice, so that a run that was cut off is finished by running it again, or taken back. Whatever
fails, the server goes back into service.

Two members of a DAG are never out together, whoever runs what from where: a member is marked first, and only then are
the others looked at. Who sees another's mark takes the own one back and waits; only where both have just been marked,
the one whose name comes first keeps its own for a while, so that one of them goes. So nobody goes on who has seen a
mark after having set its own. The mark is a component state, which a server keeps itself: the directory may be late.
"""

from __future__ import annotations

import contextlib
import functools
import typing as t

from .._errors import ExchangeTlsError, HostBusy
from .._windows.cluster import PAUSED
from . import before as befores
from . import groups, leaving_mail, readiness, returning, view
from .before import REQUESTER, Before
from .component_states import ACTIVE, DRAINING, HUB_TRANSPORT, INACTIVE, SERVER_WIDE_OFFLINE, UM_CALL_ROUTER, Components
from .endpoint import is_same_server
from .readiness import BLOCKED, Remark
from .shell import CmdletDenied, CmdletError, CmdletNotFound
from .view import View
from .wishes import IF_ALLOWED, NEVER
from .work import (
    POLL,
    AnotherMember,
    AtWork,
    MaintenanceFailed,
    NotAsBefore,
    NotReady,
    Work,
    listed,
)

_WORDS = {HUB_TRANSPORT: DRAINING, UM_CALL_ROUTER: DRAINING, SERVER_WIDE_OFFLINE: INACTIVE}
TRANSPORT = "MSExchangeTransport"
# What is in the way because another member is away, which may pass; and seconds between two looks at everything.
_OF_OTHERS = frozenset({"dag.marked", "dag.member", "dag.node", readiness.BOUND})
_BETWEEN_LOOKS = 15.0
# Seconds for which the one that comes first keeps its mark beside another's, that takes its own back.
_KEEPS = 60.0


def plan(work: Work, more: t.Sequence[Remark] = ()) -> View:
    """Whether the server may be taken out; changes nothing. ``more``: what is in the way besides. Raises
    :class:`NotReady`, or :class:`OptionError`; not for a server that is out already by this collection, for which
    :func:`leave` does."""
    seen = view.look(work.means.shell, work.name)
    work.remarks = list(readiness.remarks(seen))
    before = work.remembered(seen.components)
    if before is None:
        found = [
            *_marked(seen, _node_state(work)),
            *_of_readiness(work, seen),
            *more,
            *leaving_mail.in_the_way(work, seen),
            *_of_transport(work, seen),
            *_of_account(work, seen),
        ]
    else:
        found = [*_still_in_the_way(work, seen), *more]
    work.obstacles = tuple(found)
    if found and before is None:
        raise _not_ready(work, found, "nothing was changed: ")
    return seen


def ready(work: Work, more: t.Callable[[], t.Sequence[Remark]]) -> View:
    """As :func:`plan`, and waits for other members that are away. ``more``: asked at each look."""
    begun, said = work.means.clock(), False
    while True:
        try:
            return plan(work, more())
        except NotReady as exc:
            is_waiting = any(item.id in _OF_OTHERS and not item.stays for item in work.obstacles)
            if not is_waiting or work.means.clock() - begun >= work.wishes.others:
                raise
            if not said:
                work.means.say(f"waits for another member: {exc.message}")
                said = True
        work.means.sleep(min(_BETWEEN_LOOKS, work.wishes.others))


def _of_readiness(work: Work, seen: View) -> tuple[Remark, ...]:
    return readiness.obstacles(seen, work.wishes.minimum_healthy_copies, work.wishes.blocked_members)


def _of_transport(work: Work, seen: View) -> t.Iterator[Remark]:
    """It is restarted with the server, and before: it must start again."""
    if seen.queues and TRANSPORT.casefold() not in map(str.casefold, work.means.host.running()):
        yield Remark(
            "mail.transport",
            f"{TRANSPORT} of {seen.server.name} does not start by itself, so that it would not run after a restart: "
            f"sc config {TRANSPORT} start= auto.",
            stays=True,
        )


def _of_account(work: Work, seen: View) -> t.Iterator[Remark]:
    """It may look without the right to change anything, and all of this would be found well."""
    wanted = ["Set-ServerComponentState"]
    if seen.group is not None:
        wanted.append("Set-MailboxServer")
    if leaving_mail.is_sent_on(work, seen):
        wanted.append("Redirect-Message")
    if hidden := view.hidden_cmdlets(work.means.shell, wanted):
        told = f"The account may look at {seen.server.name}, and not take it out: Exchange has no"
        cure = "It needs membership in 'Organization Management' or 'Server Management', or a role that has that."
        yield Remark("account.cmdlets", f"{told} {' and no '.join(hidden)} for it. {cure}", stays=True)


def _still_in_the_way(work: Work, seen: View) -> list[Remark]:
    """For a server that is on its way: its transport may be starting, and is waited for later."""
    found = _of_readiness(work, seen)
    return [item for item in found if item.id != "mail.unknown"]


def _not_ready(work: Work, found: t.Sequence[Remark], what: str = "") -> NotReady:
    reasons = " ".join(item.message for item in found)
    return NotReady(
        f"{work.name} is not taken out of service{': ' if not what else ', '}{what}{reasons}",
        obstacles=[item.as_result() for item in found],
    )


def _marked(seen: View, node: str | None) -> t.Iterator[Remark]:
    """What somebody has begun without us is theirs to end. ``node``: the state of the cluster node."""
    absent = [name for name in (HUB_TRANSPORT, SERVER_WIDE_OFFLINE) if name not in seen.components]
    if absent:
        yield Remark(
            "server.components",
            f"Get-ServerComponentState {seen.server.name} does not list {' and '.join(absent)}, by which a server is "
            "taken out of service: do that by hand.",
        )
    what = [*befores.marked(seen.components)]
    if seen.server.move_now:
        what.append("DatabaseCopyActivationDisabledAndMoveNow is true")
    if node == PAUSED and readiness.activation_marks(seen.server.policy or "", move_now=False):
        # as StartDagServerMaintenance.ps1 leaves it; either of both alone may be how somebody wants it
        what.append("its activation policy is Blocked and its cluster node is paused")
    if what:
        yield Remark(
            "server.marked",
            f"{seen.server.name} is in maintenance already, at least in part, and not by this collection "
            f"({', '.join(what)}): whoever began that is to end it, with StopDagServerMaintenance.ps1 or as it was "
            "begun.",
        )


def now_and_then(work: Work, seen: View) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """For the diff: what of the server is as it is, and as it will be out of service."""
    node = _node_state(work)
    said, server = befores.words(seen.components), seen.server
    now = befores.shown(said, server.policy, server.move_now, node)
    then = dict(now)
    then.update({name: word for name, word in _WORDS.items() if name in said and said[name] != INACTIVE})
    if seen.group is not None:
        then.update(activation_policy=BLOCKED, move_now=True)
        if node is not None and work.wishes.pause_node != NEVER:
            then["cluster_node"] = PAUSED
    return now, then


def leave(work: Work, seen: View) -> None:
    """Takes it out of service, from what :func:`plan` has seen; or sees to it that it still may be out. On any failure
    it goes back, and the error says so."""
    # of a record that is in one place only there is one in each place afterwards
    before = work.before or _as_it_is(work, seen)
    work.remember(before)
    try:
        if work.obstacles:
            raise _not_ready(work, work.obstacles)
        _enter(work, seen, before)
    except AtWork:
        # what becomes of it is the other run's
        raise
    except ExchangeTlsError as exc:
        _go_back(work, before, exc)


def _as_it_is(work: Work, seen: View) -> Before:
    host = work.means.host
    return befores.of(
        seen,
        at=work.means.now(),
        by=work.means.by,
        node=work.joined(),
        services=host.running(),
        banner=host.answers_on_port_25(),
    )


def _go_back(work: Work, before: Before, reason: ExchangeTlsError) -> t.NoReturn:
    raised = type(reason) if isinstance(reason, (AnotherMember, NotReady)) else MaintenanceFailed
    details = {**(reason.details if isinstance(reason, NotReady) else {}), "cause": reason.kind}
    done = list(work.steps)
    told = f"{work.name} is back in service, as it was."
    try:
        returning.come_back(work)
    except AtWork:
        raise
    except NotAsBefore as exc:
        told = exc.message
    except ExchangeTlsError as exc:
        raise MaintenanceFailed(
            f"{reason.message} {work.name} could not be brought back into service either: {exc.message} When that is "
            "mended, run this again: it finishes it, or with the state 'stopped' takes it back.",
            **details,
            steps=done,
            back=False,
        ) from None
    raise raised(f"{reason.message} {told}{_left_elsewhere(work, before)}", **details, steps=done, back=True) from None


def _left_elsewhere(work: Work, before: Before) -> str:
    """Databases that have left are not moved back, as the way back moves none; but that is said."""
    if not before.mounted:
        return ""
    try:
        here = {item.database.casefold() for item in work.copies(before.server) if item.active}
    except ExchangeTlsError as exc:
        return f" Which of its databases are active on other members now is not known: {exc.message}"
    gone = [name for name in before.mounted if name.casefold() not in here]
    return f" Active on other members now, and left there: {listed(gone)}." if gone else ""


def _enter(work: Work, seen: View, before: Before) -> None:
    fqdn = seen.server.fqdn
    if _alone(work, seen, before):
        # what was seen before the wait is history
        seen = _look_again(work)
    components = seen.components
    offline = components[SERVER_WIDE_OFFLINE].asked(REQUESTER)
    if offline is None or offline.state != INACTIVE:
        work.restart_transport("so that it drains")
    if (router := components.get(UM_CALL_ROUTER)) is not None:
        work.word(router, DRAINING, fqdn)
    if seen.group is not None:
        _databases_leave(work, seen, before)
    leaving_mail.leave(work, seen)
    work.still_ours()
    work.word(components[SERVER_WIDE_OFFLINE], INACTIVE, fqdn)
    _prove(work, seen)


def _look_again(work: Work) -> View:
    """After another member was waited for: it may have come back to less than it was."""
    seen = view.look(work.means.shell, work.name)
    found = _still_in_the_way(work, seen)
    if found:
        raise _not_ready(work, found)
    for member in seen.members:
        silent = functools.partial(_silent, work, member.name)
        work.until_empty(f"transport of {member.name} to answer", silent, f"Get-Queue -Server {member.name}")
    return seen


def _silent(work: Work, name: str) -> list[str]:
    try:
        work.means.shell.read("Get-Queue", Server=name)
    except (CmdletNotFound, CmdletDenied):
        raise
    except CmdletError as exc:
        return [exc.message.rstrip(".")]
    return []


# --- alone -----------------------------------------------------------------------------------------------------------


def _alone(work: Work, seen: View, before: Before) -> bool:
    """Sets the mark, and sees to it that no other member has one. Whether another one was waited for."""
    means, fqdn = work.means, seen.server.fqdn
    components = seen.components
    others = seen.others()
    begun = marked_at = means.clock()
    has_waited = False
    # also where the mark seems to be there: that may have been seen before somebody has taken it back
    found = _mark_and_look(work, components, fqdn, others)
    while found:
        has_waited = True
        told = " ".join(f"{name}, {others[name]}, {' and '.join(why)}." for name, why in found.items())
        comes_first = all(seen.server.name.casefold() < name.casefold() for name in found)
        if comes_first and means.clock() - marked_at < _KEEPS:
            work.pause(POLL)
            with contextlib.suppress(HostBusy):  # it tells later
                found = _others_marked(work, others)
            continue
        work.word(work.components(fqdn)[HUB_TRANSPORT], before.word(HUB_TRANSPORT), fqdn)
        _wait_for_others(work, others, told, begun)
        marked_at = means.clock()
        found = _mark_and_look(work, components, fqdn, others)
    return has_waited


def _mark_and_look(work: Work, components: Components, fqdn: str, others: t.Collection[str]) -> dict[str, list[str]]:
    """Sets the mark, sees that the server has it, and then which others have one. The mark keeps members apart, so
    what counts is that it is there, not that no error came."""
    work.mark(components[HUB_TRANSPORT], DRAINING, fqdn)
    told = view.components_at_once(work.means.shell, (fqdn, *others))
    if next(iter(told), None) != fqdn:
        # who looked at others before its own mark was there has not seen who looks at it
        told = {}
    own = (told.get(fqdn) or work.components(fqdn))[HUB_TRANSPORT]
    # in its own registry, which all others are told of: the directory may tell this session only
    if not any(entry.is_by(REQUESTER) and entry.state != ACTIVE for entry in own.local):
        raise MaintenanceFailed(
            f"{HUB_TRANSPORT} of {work.name} was told to drain; no error came, and it has no effect. To see why, try "
            f"'Set-ServerComponentState {work.name} -Component {HUB_TRANSPORT} -State {DRAINING} "
            f"-Requester {REQUESTER}' in Exchange's own shell, and undo it with the state Active."
        )
    return _marks(work, others, told)


def _wait_for_others(work: Work, others: t.Collection[str], told: str, begun: float) -> None:
    work.means.say(f"waits: {told}")
    while _are_marked(work, others):
        if work.means.clock() - begun >= work.wishes.others:
            raise AnotherMember(
                f"{told} Run this again when that is over; 'wait_for_members' allows for a longer wait."
            )
        work.pause(POLL)


def _are_marked(work: Work, others: t.Collection[str]) -> bool:
    """Whether any of them is; a server that is busy tells later."""
    try:
        return bool(_others_marked(work, others))
    except HostBusy:
        return True


def _others_marked(work: Work, names: t.Collection[str]) -> dict[str, list[str]]:
    """Which others are marked, and how. Asked after the own mark is set."""
    return _marks(work, names, view.components_at_once(work.means.shell, tuple(names)))


def _marks(work: Work, names: t.Collection[str], told: t.Mapping[str, Components]) -> dict[str, list[str]]:
    found = {name: readiness.component_marks(*view.components_of(work.means.shell, name, told)) for name in names}
    return {name: marks for name, marks in found.items() if marks}


# --- databases -------------------------------------------------------------------------------------------------------


def _databases_leave(work: Work, seen: View, before: Before) -> None:
    if not befores.sends_away(seen.server.policy, seen.server.move_now):
        work.change(
            "its databases leave (Blocked, MoveNow)",
            "Set-MailboxServer",
            Identity=seen.server.fqdn,
            DatabaseCopyAutoActivationPolicy=BLOCKED,
            DatabaseCopyActivationDisabledAndMoveNow=True,
            **view.pinned(seen.server.directory),
        )
    is_paused = _pause(work)
    elsewhere = {item.database.casefold() for member in seen.members for item in member.copies}

    # one that is dismounted on its way has not left; one that was so before is left alone
    elsewhere -= {name.casefold() for name in before.dismounted}

    def left() -> list[str]:
        return [
            item.database
            for item in work.copies(seen.server.name)
            if item.active and item.database.casefold() in elsewhere
        ]

    work.until_empty("databases to leave", left, f"Get-MailboxDatabaseCopyStatus -Server {seen.server.name}")
    if is_paused:
        _manager_leaves(work, seen)


def _pause(work: Work) -> bool:
    """Whether the node is paused afterwards."""
    node = work.means.host.node
    if node is None or work.wishes.pause_node == NEVER:
        return False
    if work.joined() == PAUSED:
        return True
    try:
        node.pause()
    except ExchangeTlsError as exc:
        if work.wishes.pause_node != IF_ALLOWED:
            raise MaintenanceFailed(
                f"The cluster node of {work.name} could not be paused: {exc.message} It can be left as it is: set "
                "'pause_node' to if_allowed."
            ) from None
        work.remarks.append(Remark("node.not_paused", f"The cluster node was not paused: {exc.message}", warns=True))
        return False
    work.steps.append("its cluster node is paused")
    work.means.say("its cluster node is paused")
    paused = f"Get-ClusterNode {work.name}"
    work.until_empty(
        "its cluster node to pause", lambda: [] if node.state() == PAUSED else ["it is not paused"], paused
    )
    return True


def _manager_leaves(work: Work, seen: View) -> None:
    """The Primary Active Manager goes with the groups of a node that is paused."""
    group = seen.group
    if (
        group is None
        or group.manager is None
        or not seen.members
        or not is_same_server(group.manager, seen.server.name)
    ):
        return

    def left() -> list[str]:
        found = work.means.shell.read("Get-DatabaseAvailabilityGroup", Identity=group.name, Status=True)
        manager = groups.of_record(found[0]).manager if found else None
        return [] if manager is not None and not is_same_server(manager, seen.server.name) else [manager or "unknown"]

    try:
        work.until_empty("another Primary Active Manager", left)
    except MaintenanceFailed as exc:
        work.remarks.append(Remark("dag.manager", f"{exc.message} It moves when the server restarts.", warns=True))


def _node_state(work: Work) -> str | None:
    return None if work.means.host.node is None else work.means.host.node.state()


# --- proof -----------------------------------------------------------------------------------------------------------


def _prove(work: Work, seen: View) -> None:
    """Reads back what Exchange was told: that no error came is no proof."""
    components = work.components(seen.server.fqdn)
    # not by their states: one component that is out takes others with it
    held = {name: components[name].asked(REQUESTER) for name in befores.COMPONENTS if name in components}
    wrong = [
        f"{REQUESTER} has not asked for {_WORDS[name]} of {name}"
        for name, entry in held.items()
        if entry is None or entry.state == ACTIVE
    ]
    if seen.group is not None:
        policy, move_now = view.activation(work.means.shell, seen.server.fqdn, seen.server.directory)
        if policy.casefold() != BLOCKED.casefold():
            wrong.append(f"the activation policy is {policy}, MoveNow {move_now}")
    if wrong:
        raise MaintenanceFailed(
            f"{work.name} was told to go out of service, but {listed(wrong)}: somebody else may have taken that back. "
            f"Get-ServerComponentState {work.name} and Get-MailboxServer {work.name} show it; run this again when "
            "nobody else is at it."
        )
