# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Brings a server back into service, to exactly what was there before, and proves that it serves.

The order is not simply the other one reversed: what clients need first, then the node and the databases, whose policy
comes only when their copies are healthy, and mail last. What others have marked stays, and so do copies that were
suspended before.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import Unreachable
from .._text import in_powershell
from .._windows.cluster import PAUSED, UP
from . import before as befores
from . import view
from .before import Before
from .component_states import HUB_TRANSPORT, SERVER_WIDE_OFFLINE, UM_CALL_ROUTER, Component, Components
from .copies import Copy
from .readiness import Remark
from .shell import CmdletDenied, CmdletError, CmdletNotFound
from .work import MaintenanceFailed, NotAsBefore, Work, listed

# Exchange's services on a server that has just been restarted take so long to answer, at most.
_STARTING = "Exchange to answer"


Now = tuple[Components, tuple[str, bool] | None]


def come_back(work: Work, now: Now | None = None, *, whole: bool = False) -> None:
    """Gives back what was marked, to what is remembered in ``work.before``; without that there is nothing to give.
    ``now``: what :func:`answer` has returned a moment ago. ``whole``: also where no component is marked."""
    before = work.before
    if before is None:
        return
    work.still_ours()
    components, policy = now or answer(work, before)
    sick: list[str] = []
    if whole or before.owed or work.is_left(before, components):
        # all of it, though a part may be as it was: a run that was cut off has given that back, or somebody else
        _give_back(work, components, SERVER_WIDE_OFFLINE, before)
        _give_back(work, components, UM_CALL_ROUTER, before)
        _resume(work, before)
        is_well = policy is None or _open(work, before, *policy)
        # the mark goes last, so that whoever finds it knows that the rest is still to be looked at
        before = dataclasses.replace(before, owed=True)
        work.remember(before)
        _give_back(work, components, HUB_TRANSPORT, before)
        work.restart_transport("so that it takes mail again")
        sick = _prove(work, before, wait=is_well)
        _say_what_is_elsewhere(work, before)
    work.still_ours()
    work.means.memory.forget()
    if sick:
        raise NotAsBefore(
            f"{work.name} is back in service, but databases are not as they were: {listed(sick)}. Mend that before "
            f"another member is taken out: Get-MailboxDatabaseCopyStatus -Server {work.name} shows why, and "
            "Mount-Database mounts what is not mounted.",
            steps=list(work.steps),
            back=True,
        )


def now_and_then(work: Work, before: Before, answered: Now) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """For the diff: what of the server is as it is, and as it will be again. Changes nothing."""
    components, activation = answered
    policy, move_now = activation or (None, None)
    node = work.means.host.node
    now = befores.shown(befores.words(components), policy, move_now, node.state() if node else None)
    then = dict(now)
    for name in befores.words(components):
        if before.differs(components[name]):
            then[name] = before.word(name)
    if activation is not None:
        then.update(activation_policy=before.policy, move_now=before.move_now)
    if now.get("cluster_node") == PAUSED and before.node != PAUSED:
        then["cluster_node"] = "up"
    return now, then


def components_now(work: Work) -> Components:
    """Those of the server, once Exchange has time for the question."""
    found: list[Components] = []

    def left() -> list[str]:
        found[:] = [work.components(work.name)]
        return []

    work.until_empty(_STARTING, left)
    return found[0]


def answer(work: Work, before: Before) -> Now:
    """Components and activation policy of a server that may just have been restarted, and takes a while to tell."""
    found: list[t.Any] = []

    def left() -> list[str]:
        try:
            found[:] = [
                work.components(before.fqdn),
                None if before.policy is None else _activation(work, before),
            ]
        except (CmdletNotFound, CmdletDenied):
            raise
        except (CmdletError, Unreachable) as exc:
            return [exc.message.rstrip(".")]
        return []

    work.until_empty(_STARTING, left)
    return found[0], found[1]


def _activation(work: Work, before: Before) -> tuple[str, bool]:
    """As the domain controller knows it that was told; another one may be late."""
    return view.activation(work.means.shell, before.fqdn, before.directory)


def _give_back(work: Work, components: Components, name: str, before: Before) -> None:
    """Takes the own word back, where there is one."""
    if name in components and before.differs(components[name]):
        work.word(components[name], before.word(components[name].name), before.fqdn)


def _resume(work: Work, before: Before) -> None:
    node = work.means.host.node
    if node is None or before.node == PAUSED or work.joined() != PAUSED:
        return
    work.steps.append("its cluster node is resumed")
    work.means.say("its cluster node is resumed")
    node.resume()
    shown = f"Resume-ClusterNode {work.name}"
    work.until_empty("its cluster node to be resumed", lambda: [PAUSED] if node.state() == PAUSED else [], shown)


def _open(work: Work, before: Before, policy: str, move_now: bool) -> bool:
    """Lets databases be activated there again: none is moved, and those that move by themselves find healthy copies.
    Returns whether they are healthy: open, it takes over what is; closed, it would take over nothing for good."""
    if move_now != before.move_now:
        work.change(
            f"DatabaseCopyActivationDisabledAndMoveNow is {before.move_now} again",
            "Set-MailboxServer",
            Identity=before.fqdn,
            DatabaseCopyActivationDisabledAndMoveNow=bool(before.move_now),
            **view.pinned(before.directory),
        )
    is_well = _copies_healthy(work, before)
    if policy != before.policy:
        work.change(
            f"the activation policy is {before.policy} again",
            "Set-MailboxServer",
            Identity=before.fqdn,
            DatabaseCopyAutoActivationPolicy=before.policy,
            **view.pinned(before.directory),
        )
    return is_well


def _sick(work: Work, before: Before) -> list[str]:
    """Copies that were fine and are not: those that were suspended before stay so, and one that was not there may be in
    the making."""
    known = {name.casefold() for name in before.not_healthy}
    there = None if before.copies is None else {name.casefold() for name in before.copies}
    return [
        f"{item.database} is {item.status}"
        for item in work.copies(before.server)
        if not item.is_fine
        and item.database.casefold() not in known
        and (there is None or item.database.casefold() in there)
    ]


def _copies_healthy(work: Work, before: Before) -> bool:
    """Whether they are, after a wait."""
    try:
        work.until_empty("its copies to be healthy", lambda: _sick(work, before))
    except MaintenanceFailed:
        return False
    return True


def _behind(before: Before, copies: t.Iterable[Copy]) -> list[str]:
    """Copies that could not take over now, and could before: those that lag on purpose never can."""
    known = {name.casefold() for name in before.unable}
    there = {name.casefold() for name in before.copies or ()} - known
    return [
        f"{item.database} {wrong}"
        for item in copies
        # an index that is off is so wherever the database is
        if not item.active and item.database.casefold() in there and (wrong := item.wrong(item)) is not None
    ]


def _catch_up(work: Work, before: Before) -> None:
    """Waits for what was written while it was away, and for indexes: until then the next member has no copy here that
    could take over, and would be refused. What does not come is only said."""
    if not _behind(before, work.last_copies):
        return
    try:
        work.until_empty("its copies to catch up", lambda: _behind(before, work.copies(before.server)))
    except MaintenanceFailed as exc:
        work.remarks.append(Remark("database.behind", f"{exc.message} Until then they cannot take over.", warns=True))


def _say_what_is_elsewhere(work: Work, before: Before) -> None:
    """Databases that were active there, and are not: the way back moves none. Others may, as a member that is taken out
    later in the same run, so that only what was so at this moment is said."""
    active = {item.database.casefold() for item in work.last_copies if item.active}
    gone = [name for name in before.mounted if name.casefold() not in active]
    if gone:
        told = f"When it came back, databases that were active there before were elsewhere: {listed(gone)}."
        move = f"Move-ActiveMailboxDatabase -Identity {in_powershell(gone[0])} -ActivateOnServer {work.name}"
        cure = f"This moves none back; where one still is: {move}"
        work.remarks.append(Remark("database.elsewhere", f"{told} {cure}"))


# --- proof -----------------------------------------------------------------------------------------------------------


def _prove(work: Work, before: Before, *, wait: bool) -> list[str]:
    """States say nothing of services, and services nothing of states: all that was there before is there again.
    Returns databases that are not. ``wait``: for copies as well, where they have been well since; else it has been
    done."""
    seen: list[Components] = []

    def left() -> list[str]:
        seen[:] = [work.components(before.fqdn)]
        return _not_served(work, before, seen[0])

    work.until_empty("it to serve", left)
    # before what may fail for it
    work.remarks += _held_by_others(seen[0], before)
    if before.banner:
        work.until_empty("port 25 to answer", lambda: [] if work.means.host.answers_on_port_25() else ["no banner"])
    for name, state in before.not_healthy.items():
        work.remarks.append(Remark("database.copy", f"The copy of {name} was {state} before, and is left so."))
    away = _not_mounted(work, before)
    if before.policy is None or (wait and _copies_healthy(work, before)):
        _catch_up(work, before)
        return away
    return [*away, *_sick(work, before)]


def _not_mounted(work: Work, before: Before) -> list[str]:
    """Databases with their only copy there that were mounted and are not, after a wait: not each mounts by itself
    (MountAtStartup), and a server that serves the others is not kept out for it."""

    def left() -> list[str]:
        mounted = {item.database.casefold() for item in work.copies(before.server) if item.is_mounted}
        return [f"{name} is not mounted" for name in before.alone if name.casefold() not in mounted]

    if not before.alone:
        return []
    try:
        work.until_empty("its databases to be mounted", left)
    except MaintenanceFailed:
        return left()
    return []


def _held_by_others(components: Components, before: Before) -> t.Iterator[Remark]:
    """Components that others have switched off meanwhile, and those without which it does not serve at all: theirs to
    switch on again. Nobody waits for them: some of the probes behind them never turn well."""
    known = None if before.inactive is None else {name.casefold() for name in before.inactive}
    for name in befores.inactive(components):
        told = f"{name} is {components[name].state}"
        is_new = known is not None and name.casefold() not in known
        since = "" if known is None else ", and was not before" if is_new else ", as before"
        by = f"(by {_by(components[name])})"
        if name in (SERVER_WIDE_OFFLINE, HUB_TRANSPORT):
            yield Remark("server.held", f"{told}{since} {by}: until they end that, it does not serve.", warns=True)
        elif is_new:
            yield Remark("server.component", f"{told}{since} {by}.", warns=True)


def _by(component: Component) -> str:
    return ", ".join(component.held_by) or "nobody that says so"


def _not_served(work: Work, before: Before, components: Components) -> list[str]:
    wrong = [f"{name} is {components[name].state}" for name in before.left_in(components)]
    if before.policy is not None:
        policy, move_now = _activation(work, before)
        if (policy, move_now) != (before.policy, before.move_now):
            wrong.append(f"its activation policy is {policy}, MoveNow {move_now}")
    running = {name.casefold() for name in work.means.host.running()}
    node = work.means.host.node
    if node is not None and before.node != PAUSED and node.state() != UP:
        wrong.append("its cluster node is not up")
    if before.queues:
        try:
            work.means.shell.read("Get-Queue", Server=before.fqdn)
        except (CmdletNotFound, CmdletDenied):
            raise
        except CmdletError:
            wrong.append("transport does not list its queues yet")
    wrong += [f"{name} does not run" for name in before.services if name.casefold() not in running]
    return wrong
