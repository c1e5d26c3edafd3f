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
from .._exchange.view import View
from .._windows import cluster
from .._windows.facts import read_operating_system
from .._windows.registry import Registry
from .._wire.session import Session
from .task import Options, Result, Task

_OWN = "The server itself, {name}, was asked, as no other one is named in exchange_server. "


class EntryUnreachable(ExchangeTlsError):
    """Exchange's cmdlets could not be asked where they should be: no way there, or no login."""

    kind = "exchange_unreachable"


def info(task: Task, options: Options) -> Result:
    """The result of exchange_maintenance_info."""
    session = task.open_session()
    registry = Registry(session)
    name = read_operating_system(session).name
    nothing = _nothing_to_take_out(name, installed.roles(registry))
    if nothing is not None:
        return {"changed": False, "ready": True, "obstacles": [], "remarks": [nothing.as_result()]}
    entry, shell = task.open_shell(name)
    with contextlib.closing(shell):
        try:
            seen = view.look(shell, name)
        except Unreachable as exc:
            # the host itself has answered: it is not the one that cannot be reached
            own = "" if not is_same_server(entry, name) else _OWN.format(name=entry)
            raise EntryUnreachable(f"{own}{exc.message}", cause=exc.kind) from None
    obstacles = [*readiness.obstacles(seen, options["minimum_healthy_copies"]), *_of_cluster(session, registry, seen)]
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


def _nothing_to_take_out(name: str, roles: t.Sequence[str] | None) -> readiness.Remark | None:
    """Why a restart of the server takes nothing away that Exchange would have to be told of; None where it does."""
    if roles is None:
        return readiness.Remark(
            "server.no_exchange", f"{name} has no Exchange: there is nothing to take out of service."
        )
    if set(roles) == {installed.TOOLS}:
        return readiness.Remark(
            "server.no_exchange", f"{name} has the management tools of Exchange only: there is nothing to take out."
        )
    if view.EDGE in roles:
        return readiness.Remark(
            "server.edge",
            f"{name} is an Edge server: it is in no DAG and has no mailboxes, and its cmdlets can be asked on itself "
            "only. While it is away, mail comes in by the other MX records of the domain.",
        )
    return None


def _of_cluster(session: Session, registry: Registry, seen: View) -> t.Iterator[readiness.Remark]:
    """What the cluster of the host says of the other members: the restart looks at the same."""
    if seen.group is None:
        return
    found = cluster.read(session, registry)
    for node, state in found.not_up(seen.server.name).items():
        yield readiness.Remark("dag.node", f"{node}, another member of {seen.group.name}, is {state} in its cluster.")
    if not found.nodes:
        reason = found.unread.get("nodes", "it lists no members")
        yield readiness.Remark("dag.node", f"The cluster does not tell whether the other members are up: {reason}")


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
            {"server": item.name, "available": not readiness.marks(item), "marks": readiness.marks(item)}
            for item in seen.members
        ],
    }
