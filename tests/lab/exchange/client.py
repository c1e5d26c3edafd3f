# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client side of the control channel for Exchange."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class ExchangeClient:
    """Exchange on one host of a running lab."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def component_states(self) -> dict[str, dict[str, Any]]:
        """{component: {state, local: {requester: state}, remote: {requester: state}}}"""
        result: dict[str, dict[str, Any]] = self._call("exchange_component_states")
        return result

    def ask_for(
        self,
        component: str,
        requester: str,
        state: str | None,
        stores: Sequence[str] = ("local", "remote"),
        at: float | None = None,
    ) -> None:
        """Lets a requester ask for a state, or with None take its word back. at: seconds since the epoch."""
        arguments = {"requester": requester, "state": state, "stores": list(stores), "at": at}
        self._call("exchange_ask_for", component=component, **arguments)

    def mailbox_server(self) -> dict[str, Any]:
        """activation_policy and move_now."""
        result: dict[str, Any] = self._call("exchange_mailbox_server")
        return result

    def set_mailbox_server(self, activation_policy: str = "Unrestricted", move_now: bool = False) -> None:
        """Says both anew, behind everybody's back."""
        self._call("exchange_set_mailbox_server", activation_policy=activation_policy, move_now=move_now)

    def queues(self) -> dict[str, dict[str, Any]]:
        """{queue: {domain, messages, deferred, status, last_error}}, with those that Get-Queue does not show."""
        result: dict[str, dict[str, Any]] = self._call("exchange_queues")
        return result

    def add_queue(self, domain: str, messages: float, **more: Any) -> str:
        """One more queue, as in a description; the domains Submission and Poison Message are those queues. Its name."""
        return str(self._call("exchange_add_queue", domain=domain, messages=messages, **more))

    def redirections(self) -> list[str]:
        """Where Redirect-Message sent the messages of this server."""
        result: list[str] = self._call("exchange_redirections")
        return result

    def cmdlets(self) -> list[dict[str, Any]]:
        """The cmdlets that were asked for on this host since the last reset_log: see log.CmdletRecord."""
        result: list[dict[str, Any]] = self._call("exchange_cmdlets")
        return result

    def shells(self) -> int:
        """How many sessions are open on this host."""
        return int(self._call("exchange_shells"))

    def forget_shells(self) -> None:
        """Ends all sessions on this host; who uses one finds that it is not known."""
        self._call("exchange_forget_shells")
