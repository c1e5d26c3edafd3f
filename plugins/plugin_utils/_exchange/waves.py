# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Which servers may be restarted side by side: one member of a DAG at a time, on so many DAGs at once. Pure."""

from __future__ import annotations

import typing as t

# All members whose DAG has no name that could be read: they may be of one.
UNKNOWN = ""


def waves(
    dags: t.Mapping[str, str | None],
    at_once: int,
    sites: t.Mapping[str, str | None] | None = None,
    computers: t.Mapping[str, str] | None = None,
) -> list[list[str]]:
    """Servers in waves of at most ``at_once``, no two members of one DAG in the same wave, in as few waves as can be.

    ``dags``: by server, in their order, the name of its DAG (names have no case); None for a server in none, which
    counts as a DAG of its own; :data:`UNKNOWN` for a member of one that is not known. ``sites``: by server, the site
    whose servers in no DAG count as one DAG, so that they go one after the other; None or left out for a server that
    goes by itself. ``computers``: by server, what it calls itself: an inventory may have one under two names, which
    are not worked on together either.
    """
    groups: dict[object, list[str]] = {}
    for server, dag in dags.items():
        site = (sites or {}).get(server)
        computer = (computers or {}).get(server, server)
        alone = ("server", computer.casefold()) if site is None else ("site", site.casefold())
        groups.setdefault(alone if dag is None else ("dag", dag.casefold()), []).append(server)
    left = list(groups.values())
    found = []
    while left:
        # the largest first: they decide how many waves there are; of equals, the order of the servers decides
        left.sort(key=len, reverse=True)
        found.append([members.pop(0) for members in left[:at_once]])
        left = [members for members in left if members]
    order = {server: number for number, server in enumerate(dags)}
    return [sorted(wave, key=order.__getitem__) for wave in found]


def dag_of(exchange: t.Mapping[str, t.Any] | None) -> str | None:
    """What :func:`waves` is given for a server with this result key ``exchange``. Raises KeyError where it is none."""
    if exchange is None or not exchange["installed"] or exchange["dag"] is None:
        return None
    return exchange["dag"]["name"] or UNKNOWN


def cluster_of(exchange: t.Mapping[str, t.Any], site: str | None = None) -> str:
    """The name of its DAG for people; of a server in none the site, where it goes by that."""
    dag = dag_of(exchange)
    alone = "in no DAG" if site is None else f"in no DAG, site {site}"
    return alone if dag is None else dag or "in a DAG whose name cannot be read"


def away(exchange: t.Mapping[str, t.Any], own: str, left_out: t.Collection[str] = ()) -> list[str]:
    """The other members of its DAG that are not up, in words, as the server itself sees them. ``left_out``: computers
    that a run which was cut off has left out of service, and that this one brings back."""
    nodes = (exchange.get("dag") or {}).get("nodes") or {}
    known = {name.casefold() for name in (own, *left_out)}
    others = {name: state for name, state in nodes.items() if name.casefold() not in known}
    return [
        f"{name}, a member of {cluster_of(exchange)}, is {state}" for name, state in others.items() if state != "up"
    ]
