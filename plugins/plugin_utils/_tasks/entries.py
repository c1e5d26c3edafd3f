# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Where Exchange's cmdlets are asked about a host, and where there is nothing to ask."""

from __future__ import annotations

import contextlib
import typing as t

from .._errors import ExchangeTlsError, OptionError, Unreachable
from .._exchange import installed, view
from .._exchange.endpoint import is_same_server
from .._exchange.readiness import Remark
from .._exchange.shell import Shell
from .._exchange.view import View
from .._windows import cluster
from .task import Task

_OWN = "The server itself, {name}, was asked, as no other one is named in exchange_server. "


class EntryUnreachable(ExchangeTlsError):
    """Exchange's cmdlets could not be asked where they should be: no way there, or no login."""

    kind = "exchange_unreachable"


@contextlib.contextmanager
def asked(task: Task, name: str, nodes: t.Mapping[str, str]) -> t.Iterator[tuple[str, Shell]]:
    """The server on which cmdlets are asked about the computer of that name, and a session with it, which is closed
    afterwards. ``nodes``: the members of its cluster and their states; one that is up is asked where nobody is named.

    Raises :class:`EntryUnreachable`: the host itself has answered, and is not the one that cannot be reached.
    """
    found = sorted(nodes, key=lambda node: nodes[node] != cluster.UP)
    entry, shell = task.open_shell(name, tuple(node for node in found if not is_same_server(node, name)))
    with contextlib.closing(shell):
        try:
            yield entry, shell
        except Unreachable as exc:
            own = _OWN.format(name=entry) if is_own(task, entry, name) else ""
            raise EntryUnreachable(f"{own}{exc.message}", cause=exc.kind) from None


def is_own(task: Task, entry: str, *names: str) -> bool:
    """Whether cmdlets are asked on the host itself. ``names``: those that it has besides the inventory's."""
    return any(is_same_server(entry, name) for name in (*names, task.address, task.host_name))


def refuse_own_entry(task: Task, entry: str, seen: View) -> None:
    """Raises :class:`OptionError` where a member of a DAG would be asked about itself: the session would end with its
    restart, and nobody could bring it back before it answers."""
    # of a name longer than 15 letters Exchange shows the first ones
    if seen.group is None or not is_own(task, entry, seen.server.fqdn, seen.server.name):
        return
    member = next((item.name for item in seen.members), "another member")
    raise OptionError(
        f"Exchange's cmdlets are asked on {seen.server.name} itself, whose restart ends the session: name another "
        f"Exchange server in the variable exchange_server, such as {member}."
    )


def of_cluster(nodes: t.Mapping[str, str] | None, own: str) -> t.Iterator[Remark]:
    """What the cluster of a host says of the other members; None for a host that is in none. The restart looks at the
    same."""
    if nodes is None:
        return
    for node, state in nodes.items():
        if state != cluster.UP and not is_same_server(node, own):
            told = f"{node}, another member of its DAG, is {state} in the cluster."
            yield Remark("dag.node", f"{told} Bring it back first{cluster.how({node: state})}.")
    if not nodes:
        yield Remark(
            "dag.node", f"The cluster does not tell whether the other members are up: Get-ClusterNode on {own} has to."
        )


def nothing_to_take_out(name: str, roles: t.Sequence[str] | None) -> Remark | None:
    """Why a restart of the server takes nothing away that Exchange would have to be told of; None where it does."""
    if roles is None:
        return Remark("server.no_exchange", f"{name} has no Exchange: there is nothing to take out of service.")
    if set(roles) == {installed.TOOLS}:
        return Remark(
            "server.no_exchange", f"{name} has the management tools of Exchange only: there is nothing to take out."
        )
    if view.EDGE in roles:
        return Remark(
            "server.edge",
            f"{name} is an Edge server: it is in no DAG and has no mailboxes, and its cmdlets can be asked on itself "
            "only. While it is away, mail comes in by the other MX records of the domain.",
        )
    return None
