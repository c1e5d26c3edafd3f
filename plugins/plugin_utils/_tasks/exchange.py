# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""exchange_info: what Exchange a host has, and whether it and its Windows are current."""

from __future__ import annotations

import typing as t

from .._exchange import findings, installed
from .._exchange.findings import Seen
from .._exchange.installed import Exchange
from .._policy.findings import OPEN, Finding
from .._windows import updates
from .._windows.cluster import PAUSED
from .._windows.facts import Host, read_host, today_on
from .._windows.registry import Registry
from .._wire.session import Session
from .recorded import has_record
from .task import Options, Result, Task


def exchange_of(session: Session, registry: Registry, host: Host) -> Seen | None:
    """Exchange and the updates of its host; None without Exchange (two requests; up to twelve with it)."""
    exchange = installed.read(session, registry)
    if exchange is None:
        return None
    today = today_on(host)
    current = updates.read(session, registry, today, ccm=exchange.has_ccm)
    return Seen(exchange, current, host.build, today, _left_out(registry, exchange, host.computer_name))


def exchange_result(seen: Seen | None) -> dict[str, t.Any]:
    """The result key ``exchange``."""
    return {"installed": False} if seen is None else seen.as_result()


def _left_out(registry: Registry, exchange: Exchange, own: str) -> bool:
    """Whether a maintenance that was cut off has left the server out; only one whose node is paused is asked."""
    nodes = exchange.dag.nodes if exchange.dag else {}
    if not any(name.casefold() == own.casefold() and state == PAUSED for name, state in nodes.items()):
        return False
    return has_record(registry)


def read(task: Task, options: Options) -> Result:
    """The result of exchange_info."""
    session = task.open_session()
    with session.overlapping(options["logins"]):
        registry = Registry(session)
        host = read_host(session, registry)
        seen = exchange_of(session, registry, host)
    exchange = exchange_result(seen)
    found: tuple[Finding, ...] = ()
    if seen is not None:
        exchange["left_out"] = seen.left_out
        exchange["site"] = options["site"] or (None if seen.exchange.dag else installed.site(registry))
        exchange["services"] = {item.name: item.as_result() for item in seen.exchange.services.values()}
        found = findings.findings(
            seen, wants_tls12=True, ends_old_tls=False, updates_within=options["updates_within"] or None
        )
    result = {
        "changed": False,
        "host": host.as_result(),
        "exchange": exchange,
        "findings": [item.as_result() for item in found],
    }
    wrong = [item for item in found if item.status in OPEN]
    if wrong and options["fail_on_findings"]:
        return {
            **task.shortened(result),
            "failed": True,
            "msg": f"Not as wanted: {' '.join(item.message for item in wrong)}",
            "error": {"kind": "findings", "findings": [item.id for item in wrong]},
        }
    return result
