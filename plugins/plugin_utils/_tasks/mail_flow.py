# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""mail_flow_info: the queues, connectors and certificates of an Exchange server, and what is wrong with them."""

from __future__ import annotations

import datetime
import typing as t

from .._errors import ExchangeTlsError, Unreachable
from .._exchange import certificates, installed, mail, mail_findings, view
from .._exchange.certificates import Certificate
from .._exchange.mail import MailView, RawCertificate
from .._exchange.queues import Queue
from .._handshake import read_certificate
from .._windows.facts import read_operating_system
from .._windows.registry import Registry
from .entries import asked, nothing_to_take_out
from .task import Options, Result, Task


def info(task: Task, options: Options, now: datetime.datetime) -> Result:
    """The result of mail_flow_info. ``now``: an aware time, for which certificates are judged."""
    session = task.open_session()
    name = read_operating_system(session).name
    try:
        nothing = nothing_to_take_out(name, installed.roles(Registry(session)))
        return look(task, name, now) if nothing is None else not_asked(nothing.message)
    except Unreachable:
        # the host itself: of Exchange's endpoint another error is made
        raise
    except ExchangeTlsError as exc:
        if options["fail_if_not_asked"]:
            raise
        return not_asked(exc.message)


def look(task: Task, name: str, now: datetime.datetime) -> Result:
    """The same for the computer of that name, which has an Exchange to be asked."""
    with asked(task, name, {}) as (entry, shell):
        ((server, _site),) = view.where(shell, name)
        seen = mail.look(shell, server)
        round_trips = shell.round_trips
    held = None if seen.certificates is None else tuple(map(_certificate, seen.certificates))
    found = mail_findings.findings(seen, held, server, now)
    return {
        "changed": False,
        "asked": True,
        "why_not": None,
        "server": server,
        **_as_result(seen, held),
        "findings": [item.as_result() for item in found],
        "entry": entry,
        "round_trips": round_trips,
    }


def not_asked(why: str) -> Result:
    return {"changed": False, "asked": False, "why_not": why, "findings": []}


def _certificate(raw: RawCertificate) -> Certificate:
    facts = read_certificate(raw.der)
    return Certificate(
        facts.thumbprint,
        facts.subject,
        facts.issuer,
        facts.sans,
        facts.not_before,
        facts.not_after,
        facts.self_signed,
        raw.services,
        facts.note,
    )


def _as_result(seen: MailView, held: t.Sequence[Certificate] | None) -> Result:
    def listed(items: t.Iterable[t.Any] | None) -> list[Result] | None:
        return None if items is None else [item.as_result() for item in items]

    waiting = (
        None if seen.queues is None else [_queue(item) for item in seen.queues if item.messages or item.last_error]
    )
    return {
        "queues": waiting,
        "send_connectors": listed(seen.send),
        "receive_connectors": listed(seen.receive),
        "certificates": None if held is None else [_shown(item, held) for item in held],
        "logs": {
            "send": seen.transport.send_logs,
            "receive": seen.transport.receive_logs,
            "intra_org": seen.transport.intra_org_logging,
        },
        "unread": dict(seen.unread),
    }


def _shown(certificate: Certificate, held: t.Sequence[Certificate]) -> Result:
    return {**certificate.as_result(), "chain": certificates.chain(certificate, held)}


def _queue(queue: Queue) -> Result:
    symptom = mail_findings.symptom_of(queue)
    return {**queue.as_result(), "symptom": None if symptom is None else symptom.as_result()}
