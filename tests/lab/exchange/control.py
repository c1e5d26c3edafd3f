# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control channel can ask of Exchange, behind the back of the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..hosts import Host
from . import components
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


COMMANDS: dict[str, Callable[..., Any]] = {
    "exchange_component_states": _component_states,
    "exchange_ask_for": _ask_for,
    "exchange_mailbox_server": _mailbox_server,
    "exchange_redirections": _redirections,
    "exchange_shells": _shells,
    "exchange_forget_shells": _forget_shells,
    "exchange_cmdlets": lambda dummy_organisation, host: host.log.cmdlets(),
}
