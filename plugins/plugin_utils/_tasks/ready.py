# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""exchange_maintenance_info: whether an Exchange server can be taken out of service now."""

from __future__ import annotations

import typing as t

from .._exchange import installed, readiness, view
from .._exchange.view import View
from .._windows.facts import read_operating_system
from .._windows.registry import Registry
from .entries import asked, is_own, nothing_to_take_out, of_cluster
from .served import ServedHost
from .task import Options, Result, Task


def info(task: Task, options: Options) -> Result:
    """The result of exchange_maintenance_info."""
    session = task.open_session()
    name = read_operating_system(session).name
    nothing = nothing_to_take_out(name, installed.roles(Registry(session)))
    if nothing is not None:
        return {"changed": False, "ready": True, "obstacles": [], "remarks": [nothing.as_result()]}
    nodes = ServedHost(session, name, task.address).nodes()
    with asked(task, name, nodes or {}) as (entry, shell):
        seen = view.look(shell, name)
    found = readiness.obstacles(seen, options["minimum_healthy_copies"], options["blocked_members"])
    obstacles = [*found, *of_cluster(nodes, name)]
    remarks = [*readiness.remarks(seen), *_of_entry(task, entry, seen)]
    result = {
        "changed": False,
        **_as_result(seen),
        "ready": not obstacles,
        "obstacles": [item.as_result() for item in obstacles],
        "remarks": [item.as_result() for item in remarks],
        "entry": entry,
        "round_trips": shell.round_trips,
    }
    if obstacles and options["fail_if_not_ready"]:
        reasons = " ".join(item.message for item in obstacles)
        return {
            **result,
            "failed": True,
            "msg": f"{seen.server.name} cannot be taken out of service now: {reasons}",
            "error": {"kind": "not_ready", "obstacles": [item.id for item in obstacles]},
        }
    return result


def _of_entry(task: Task, entry: str, seen: View) -> t.Iterator[readiness.Remark]:
    if is_own(task, entry, seen.server.fqdn):
        yield readiness.Remark(
            "shell.own",
            f"The cmdlets are asked on {seen.server.name} itself, whose restart ends the session: name another "
            "Exchange server in the variable exchange_server.",
        )


def _as_result(seen: View) -> Result:
    mail = None if seen.queues is None else [item.as_result() for item in seen.queues if item.messages]
    return {
        "server": seen.server.as_result(),
        "in_maintenance": readiness.in_maintenance(seen.components),
        "components": [
            {"component": item.name, "state": item.state, "requesters": list(item.held_by)}
            for item in seen.components.not_active
        ],
        "copies": [item.as_result() for item in seen.copies],
        "queues": mail,
        "dag": None if seen.group is None else seen.group.as_result(),
        "members": [
            {"server": item.name, "available": not readiness.marks(item), "marks": readiness.marks(item)}
            for item in seen.members
        ],
    }
