# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""exchange_maintenance_info: whether an Exchange server can be taken out of service now."""

from __future__ import annotations

import contextlib
import typing as t

from .._errors import ExchangeTlsError, Unreachable
from .._exchange import installed, readiness, view
from .._exchange.endpoint import is_same_server
from .._exchange.installed import NotExchange
from .._exchange.view import View
from .._windows.facts import read_operating_system
from .._windows.registry import Registry
from .task import Options, Result, Task


class EntryUnreachable(ExchangeTlsError):
    """Exchange's cmdlets could not be asked where they should be: no way there, or no login."""

    kind = "exchange_unreachable"


def info(task: Task, options: Options) -> Result:
    """The result of exchange_maintenance_info."""
    session = task.open_session()
    name = read_operating_system(session).name
    _check_roles(name, installed.roles(Registry(session)))
    entry, shell = task.open_shell(name)
    with contextlib.closing(shell):
        try:
            seen = view.look(shell, name)
        except Unreachable as exc:
            # the host itself has answered: it is not the one that cannot be reached
            raise EntryUnreachable(exc.message, cause=exc.kind) from None
    obstacles = readiness.obstacles(seen, options["minimum_healthy_copies"])
    remarks = [*readiness.remarks(seen), *_of_entry(entry, seen)]
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


def _check_roles(name: str, roles: t.Sequence[str] | None) -> None:
    if roles is None or set(roles) == {installed.TOOLS}:
        found = "has no Exchange" if roles is None else "has the management tools of Exchange only"
        raise NotExchange(f"{name} {found}: there is nothing to take out of service.")
    if view.EDGE in roles:
        raise NotExchange(
            f"{name} is an Edge server: its cmdlets can be asked on itself only, and it belongs to no DAG. Its restart "
            "takes no mailbox away; mail comes in by the other MX records of the domain."
        )


def _of_entry(entry: str, seen: View) -> t.Iterator[readiness.Remark]:
    if is_same_server(entry, seen.server.fqdn):
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
            {"server": item.server.name, "available": not readiness.marks(item), "marks": readiness.marks(item)}
            for item in seen.members
        ],
    }
