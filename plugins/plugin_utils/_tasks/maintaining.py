# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""exchange_maintenance: a server out of service, and back."""

from __future__ import annotations

import dataclasses
import typing as t

from .._exchange import before as befores
from .._exchange import installed, leaving, returning, view
from .._exchange.wishes import Wishes
from .._exchange.work import Work
from .._windows.facts import read_operating_system
from .._windows.registry import Registry
from .entries import asked, nothing_to_take_out, of_cluster, refuse_own_entry
from .served import Records, ServedHost, work_on
from .task import Options, Result, Task

STARTED, STOPPED = "started", "stopped"


def maintain(task: Task, options: Options) -> Result:
    """The result of exchange_maintenance."""
    session = task.open_session()
    registry = Registry(session)
    name = read_operating_system(session).name
    nothing = nothing_to_take_out(name, installed.roles(registry))
    if nothing is not None:
        return {"changed": False, "steps": [], "remarks": [nothing.as_result()], "msg": nothing.message}
    host = ServedHost(session, name, task.address, port=options["smtp_port"], seconds=options["timeout"])
    with asked(task, name, host.nodes() or {}) as (entry, shell):
        records = Records(registry, options["backup_dir"], task.host_name)
        work = work_on(host, task, shell, records, _wishes(options), take_over=options["take_over"])
        try:
            is_back = options["state"] == STOPPED
            result = _stopped(task, options, work) if is_back else _started(task, work, entry, host)
        finally:
            task.so_far({"changed": bool(work.steps), "steps": work.steps, **_kept(work)})
        return {**result, "entry": entry, "round_trips": shell.round_trips}


def _started(task: Task, work: Work, entry: str, host: ServedHost) -> Result:
    if task.check_mode:
        seen = leaving.plan(work, tuple(of_cluster(host.nodes(), work.name)))
    else:
        seen = leaving.ready(work, lambda: tuple(of_cluster(host.nodes(), work.name)))
    refuse_own_entry(task, entry, seen)
    now, then = leaving.now_and_then(work, seen)
    if not task.check_mode and (now != then or work.before is not None):
        leaving.leave(work, seen)
    return _result(task, work, now, then, "out of service")


def _stopped(task: Task, options: Options, work: Work) -> Result:
    components = returning.components_now(work)
    before = work.remembered(components)
    by_hand = before is None and options["activation_policy"] is not None
    if by_hand:
        before = work.before = _by_hand(work, options["activation_policy"])
    if work.is_stale and not task.check_mode:
        work.means.memory.forget()
    if before is None:
        is_out = befores.marked(components)
        cure = " It is in maintenance by somebody else: to end that, set 'activation_policy' as well." if is_out else ""
        message = f"{work.name} was not taken out of service by this collection; nothing was changed.{cure}"
        return {"changed": False, "steps": [], **_kept(work), "msg": message}
    if not task.check_mode:
        work.remember(before)
    answered = returning.answer(work, before)
    now, then = returning.now_and_then(work, before, answered)
    if not task.check_mode:
        returning.come_back(work, answered, whole=by_hand)
    is_held = any(item.id == "server.held" for item in work.remarks)
    state = "out of its maintenance, and kept out of service by others" if is_held else "back in service"
    return {**_result(task, work, now, then, state), "changed": True}


def _by_hand(work: Work, policy: str) -> befores.Before:
    """Stands for a record where somebody has taken the server out by hand."""
    seen = view.look(work.means.shell, work.name)
    return dataclasses.replace(
        befores.of(seen, at="", by={}, node="up"),
        words=dict.fromkeys(befores.words(seen.components)),
        policy=None if seen.server.policy is None else policy,
        move_now=None if seen.server.move_now is None else False,
    )


def _result(task: Task, work: Work, now: Result, then: Result, state: str) -> Result:
    steps = work.steps or [f"{name} is {then[name]}" for name in then if now.get(name) != then[name]]
    told = f"{work.name} would be {state}." if task.check_mode and now != then else f"{work.name} is {state}."
    result = {"changed": now != then, "steps": steps, **_kept(work), "msg": told}
    return {**result, "diff": {"before": _lines(now), "after": _lines(then)}}


def _kept(work: Work) -> Result:
    before = None if work.before is None else work.before.as_result()
    warnings = [f"{work.name}: {item.message}" for item in work.remarks if item.warns]
    told = {"remarks": [item.as_result() for item in work.remarks], "before": before}
    return {**told, "warnings": warnings} if warnings else told


def _lines(shown: t.Mapping[str, t.Any]) -> str:
    return "".join(f"{name}: {'-' if value is None else value}\n" for name, value in shown.items())


def _wishes(options: Options) -> Wishes:
    return Wishes(
        minimum_healthy_copies=options["minimum_healthy_copies"],
        blocked_members=tuple(options["blocked_members"]),
        longest=options["timeout"],
        stalled=options["no_progress_timeout"],
        others=options["wait_for_members"],
        redirect_to=options["redirect_to"] or None,
        leave_mail=options["leave_mail"],
        pause_node=options["pause_node"],
    )
