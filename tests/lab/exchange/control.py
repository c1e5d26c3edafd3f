# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control channel can ask of Exchange, behind the back of the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..hosts import Host
from . import components
from .described import Queue
from .organisation import Organisation


def _component_states(organisation: Organisation, host: Host) -> dict[str, Any]:
    with organisation.lock:
        states = organisation.of(host).states
        return {
            component.name: {
                "state": states.effective(component),
                "local": {entry.requester: entry.state for entry in component.local.entries.values()},
                "remote": {entry.requester: entry.state for entry in component.remote.entries.values()},
            }
            for component in states
        }


def _ask_for(
    organisation: Organisation,
    host: Host,
    component: str,
    requester: str,
    state: str | None,
    stores: tuple[str, ...] = ("local", "remote"),
    at: float | None = None,
) -> None:
    with organisation.lock:
        found = organisation.of(host).states.find(component)
        for store in (getattr(found, name) for name in stores):
            if state is None:
                store.entries.pop(requester, None)
            else:
                store.say(components.Entry(requester, state, host.now() if at is None else at))


def _mailbox_server(organisation: Organisation, host: Host) -> dict[str, Any]:
    with organisation.lock:
        server = organisation.of(host)
        return {"activation_policy": server.activation_policy, "move_now": server.move_now}


def _redirections(organisation: Organisation, host: Host) -> list[str]:
    with organisation.lock:
        name = organisation.of(host).name
        return [target for source, target in organisation.redirections if source == name]


def _shells(dummy_organisation: Organisation, host: Host) -> int:
    with host.lock:
        return len(host.state.pools)


def _forget_shells(dummy_organisation: Organisation, host: Host) -> None:
    with host.lock:
        host.state.pools.clear()


def _queues(organisation: Organisation, host: Host) -> dict[str, Any]:
    with organisation.lock:
        transport = organisation.mail.of(organisation.of(host))
        return {
            queue.name: {
                "domain": queue.domain,
                "messages": queue.count,
                "deferred": int(queue.deferred),
                "status": transport.status(queue),
                "last_error": queue.last_error,
            }
            for queue in transport.queues
        }


def _smtp_logs(organisation: Organisation) -> str:
    return str(organisation.logs)


def _add_queue(organisation: Organisation, host: Host, **given: Any) -> str:
    with organisation.lock:
        return organisation.mail.of(organisation.of(host)).add(Queue(**given)).name


def _set_mailbox_server(organisation: Organisation, host: Host, **given: Any) -> None:
    with organisation.lock:
        server = organisation.of(host)
        server.activation_policy = given.get("activation_policy", server.activation_policy)
        server.move_now = given.get("move_now", server.move_now)
        organisation.advance_around(server.name, here=host)


def _advanced(run: Callable[..., Any]) -> Callable[..., Any]:
    """Looks, and changes, after all that is due has happened."""

    def command(organisation: Organisation, host: Host, **arguments: Any) -> Any:
        name = organisation.of(host).name
        organisation.advance_around(name, here=host)
        result = run(organisation, host, **arguments)
        organisation.advance_around(name, here=host)
        return result

    return command


def _databases(organisation: Organisation) -> dict[str, Any]:
    with organisation.lock:
        now = organisation.clock.now()
        return {
            database.name: {
                "dag": database.dag.name,
                "active": database.active.name,
                "mounted": database.mounted,
                "copies": {copy.server.name: copy.status(now) for copy in database.copies},
            }
            for database in organisation.dags.databases
        }


def _dags(organisation: Organisation) -> dict[str, Any]:
    with organisation.lock:
        return {
            dag.name: {
                "nodes": {server.name: dag.node(server) for server in dag.members},
                "primary_active_manager": dag.leader.name if dag.leader is not None else None,
                "quorum": dag.has_quorum(),
            }
            for dag in organisation.dags
        }


def _events(organisation: Organisation) -> list[dict[str, Any]]:
    with organisation.lock:
        return list(organisation.dags.events)


def _forget_events(organisation: Organisation) -> None:
    with organisation.lock:
        organisation.dags.events.clear()


def _activate(organisation: Organisation, database: str, server: str) -> None:
    with organisation.lock:
        found, target = organisation.dags.find_database(database), organisation.find(server)
        if found is None or target is None:
            raise KeyError(database if found is None else server)
        organisation.dags.place(found, target)


#: Of the whole organisation, whichever host is meant.
OF_ALL: dict[str, Callable[..., Any]] = {
    "exchange_databases": _databases,
    "exchange_dags": _dags,
    "exchange_events": _events,
    "exchange_forget_events": _forget_events,
    "exchange_activate": _activate,
    "exchange_smtp_logs": _smtp_logs,
}

COMMANDS: dict[str, Callable[..., Any]] = {
    "exchange_component_states": _component_states,
    "exchange_ask_for": _advanced(_ask_for),
    "exchange_set_mailbox_server": _set_mailbox_server,
    "exchange_queues": _advanced(_queues),
    "exchange_add_queue": _advanced(_add_queue),
    "exchange_mailbox_server": _mailbox_server,
    "exchange_redirections": _redirections,
    "exchange_shells": _shells,
    "exchange_forget_shells": _forget_shells,
    "exchange_cmdlets": lambda dummy_organisation, host: host.log.cmdlets(),
}
