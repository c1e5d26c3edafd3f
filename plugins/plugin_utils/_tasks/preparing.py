# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Whether a server is to be taken out of service around a restart, found out before anything is written."""

from __future__ import annotations

import dataclasses

from .._errors import ExchangeTlsError
from .._exchange import installed, leaving
from .._exchange.readiness import BOUND
from .._exchange.wishes import ALWAYS, NEVER, Wishes
from .._exchange.work import NotReady
from .._windows.registry import Registry
from .._wire.session import Session
from .entries import asked, nothing_to_take_out, of_cluster, refuse_own_entry
from .recorded import has_record
from .served import Records, ServedHost, work_on
from .task import Options, Result, Task

_CHOICES = (
    "Mend that. Who takes it out with tasks of their own ('restart.before', 'restart.after') sets "
    "'restart.maintenance.when' to never."
)


class Unprepared(ExchangeTlsError):
    """A server that must be taken out of service before a restart cannot be, so that it is not restarted."""

    kind = "unprepared"


@dataclasses.dataclass(frozen=True)
class Preparation:
    """``due``: whether the server is to be taken out around its restart. ``required``: whether it is not restarted
    otherwise. ``begun``: whether a run that was cut off has left it out. ``leave_mail``: whether mail may stay.
    ``notice``: why it is restarted as it is, for people."""

    due: bool = False
    required: bool = False
    begun: bool = False
    leave_mail: bool = False
    notice: str | None = None

    def as_result(self) -> Result:
        return dataclasses.asdict(self)


NOTHING = Preparation()


def left_out(task: Task, session: Session, wanted: Options | None, *, has_exchange: bool | None = None) -> Preparation:
    """What a run that was cut off has left, whatever is wanted now (one request). ``has_exchange``: None where that is
    still to be found out (two more)."""
    registry = Registry(session)
    if wanted is None or has_exchange is False:
        return NOTHING
    if not (has_exchange or _has_exchange(registry)) or not has_record(registry):
        return NOTHING
    if wanted["when"] != NEVER:
        return Preparation(begun=True)
    return Preparation(
        notice=f"Left as it is: {task.host_name} may still be out of service, as it has the record of a maintenance. "
        "Bring it back with exchange_maintenance and the state 'stopped', or let a run do it that sets "
        "'restart.maintenance.when' to auto."
    )


def prepare(
    task: Task, session: Session, wanted: Options | None, folder: str, own: str, left: Preparation
) -> Preparation:
    """Looks whether the server may go, as its restart is due. ``wanted``: the options ``maintenance`` of a restart.
    ``left``: what :func:`left_out` has found. Raises :class:`Unprepared` for a member of a DAG, or any server where it
    is wanted always."""
    if wanted is None or wanted["when"] == NEVER:
        return left
    registry = Registry(session)
    unasked: ExchangeTlsError | None = None
    try:
        nothing = nothing_to_take_out(own, installed.roles(registry))
    except installed.NotExchange as exc:
        nothing, unasked = None, exc
    if nothing is not None:
        # an Edge server is restarted as it is, and where that is not what was asked for, people are told
        is_told = nothing.id == "server.edge" and wanted["when"] == ALWAYS
        return dataclasses.replace(left, notice=nothing.message if is_told else left.notice)
    host = ServedHost(session, own, task.address)
    required = host.node is not None or wanted["when"] == ALWAYS
    leave_mail = bool(wanted["leave_mail"]) or not required
    try:
        if unasked is not None:
            raise unasked
        _look(task, host, Records(registry, folder, task.host_name), wanted, leave_mail=leave_mail)
    except ExchangeTlsError as exc:
        reason = _reason(exc)
        if not required and not _is_of_quorum(exc):
            notice = f"{own} is restarted without being taken out of service: {reason}"
            return dataclasses.replace(left, notice=notice)
        which = ", a member of a DAG," if host.node is not None else ""
        raise Unprepared(
            f"Refused, nothing was changed: {own}{which} cannot be taken out of service now: {reason} {_CHOICES}",
            **{**exc.details, "cause": exc.kind},
        ) from None
    return dataclasses.replace(left, due=True, required=required, leave_mail=leave_mail)


def _is_of_quorum(exc: ExchangeTlsError) -> bool:
    """Whether a restart would take a vote from a DAG that lacks one already, whether the server is drained or not."""
    found = exc.details.get("obstacles") if isinstance(exc, NotReady) else None
    return any(item["id"] == BOUND for item in found or ())


def _reason(exc: ExchangeTlsError) -> str:
    """What is in the way, as sentences, and once."""
    found = exc.details.get("obstacles") if isinstance(exc, NotReady) else None
    text = " ".join(item["message"] for item in found) if found else exc.message
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _has_exchange(registry: Registry) -> bool:
    try:
        return installed.roles(registry) is not None
    except installed.NotExchange:
        return False


def _look(task: Task, host: ServedHost, records: Records, wanted: Options, *, leave_mail: bool) -> None:
    """Raises what is in the way."""
    wishes = Wishes(
        minimum_healthy_copies=wanted["minimum_healthy_copies"],
        blocked_members=tuple(wanted["blocked_members"]),
        redirect_to=wanted["redirect_to"] or None,
        leave_mail=leave_mail,
    )
    nodes = host.nodes()
    with asked(task, host.computer, nodes or {}) as (entry, shell):
        work = work_on(host, task, shell, records, wishes, take_over=wanted["take_over"])
        refuse_own_entry(task, entry, leaving.plan(work, tuple(of_cluster(nodes, host.computer))))
