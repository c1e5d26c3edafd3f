# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What is to be said of the mail flow of a server, as findings, worst first. Pure.

The last error of a queue is what it is: mostly no proof of TLS, one way or the other.
"""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from .._mailflow import meanings, symptoms
from .._mailflow.symptoms import Symptom
from .._policy.findings import Status
from .._text import in_powershell, visible
from . import certificates
from .certificates import Certificate
from .connectors import ReceiveConnector, SendConnector
from .mail import MailView
from .queues import Queue

_PROTOCOL_LOGGING = "Microsoft, Protocol logging"
_OPPORTUNISTIC = "Microsoft, Understanding email scenarios if TLS versions cannot be agreed on with Exchange Online"
_SELECTION = "Microsoft, Selection of inbound STARTTLS certificates"
_KB_4051498 = "Microsoft, KB 4051498"
_THE_SERVER = "the server"
_RANK = {Status.NONCOMPLIANT: 0, Status.UNKNOWN: 1, Status.NOT_APPLICABLE: 2}
_SEVERITY = ("high", "medium", "low", "info")
_OF_QUEUES = {
    meanings.YES: (Status.NONCOMPLIANT, "high"),
    meanings.LIKELY: (Status.UNKNOWN, "high"),
    meanings.PERHAPS: (Status.UNKNOWN, "medium"),
    meanings.UNKNOWN: (Status.UNKNOWN, "low"),
    meanings.NO: (Status.NOT_APPLICABLE, "low"),
}


@dataclasses.dataclass(frozen=True)
class MailFinding:
    """One thing. ``about``: the queue, connector or certificate; ``id`` stays the same in later releases."""

    id: str
    title: str
    severity: str
    status: Status
    message: str
    why: str
    source: str
    about: str

    def as_result(self) -> dict[str, t.Any]:
        return {**dataclasses.asdict(self), "status": self.status.value}


def symptom_of(queue: Queue) -> Symptom | None:
    """What the last error of a queue means; None where it has none."""
    found = symptoms.explain(queue.last_error or "")
    return None if found.form == symptoms.NO_FORM else found


def findings(
    view: MailView, held: t.Sequence[Certificate] | None, server: str, now: datetime.datetime
) -> tuple[MailFinding, ...]:
    """``held``: the certificates of the server, None where they could not be read; ``now``: an aware time."""
    found = (
        *_of_queues(view, server),
        *_of_send(view, server),
        *_of_receive(view),
        *_of_certificates(view, held, server, now),
        *_of_others(view, held or (), server, now),
        *_unread(view),
    )
    return tuple(sorted(found, key=lambda item: (_RANK[item.status], _SEVERITY.index(item.severity))))


def _of_queues(view: MailView, server: str) -> t.Iterator[MailFinding]:
    for queue in view.queues or ():
        symptom = symptom_of(queue)
        if symptom is None or not queue.messages or not queue.drains:
            continue
        status, severity = _OF_QUEUES[symptom.meaning.tls]
        error = visible(symptom.last_error.text.removesuffix("."))
        count = f"{queue.messages} message{'' if queue.messages == 1 else 's'}"
        read = ""
        if queue.has_no_way:
            read = " It has no route, and waits until that changes."
        elif symptom.meaning.read is not None:
            is_in_log = meanings.LOG in symptom.meaning.read
            read = f" What tells: {_log(view, queue, server) if is_in_log else symptom.meaning.read}."
        yield MailFinding(
            "mail.queue",
            "Mail that waits after an error",
            severity,
            status,
            f"{count} to {visible(queue.next_hop)}: {error}. {symptom.meaning.meaning}{read}",
            "Mail that waits comes back to its senders after some days.",
            symptom.meaning.source,
            queue.identity,
        )


def _log(view: MailView, queue: Queue, server: str) -> str:
    """Which protocol log has what a queue sends, and whether it is written."""
    connector, is_logged = view.connector_of(queue), view.is_logged(queue)
    whose = f" of connector '{visible(connector.identity)}'" if connector else ""
    where = f"the protocol log{whose} in {visible(view.transport.of_send(connector))}"
    if is_logged is None:
        return f"{where}; whether it is written Exchange does not tell"
    if is_logged:
        return f"{where}, which is written"
    return f"{where}, which is not written; {_turns_on(view, connector, server)} turns it on"


def _turns_on(view: MailView, connector: SendConnector | None, server: str) -> str:
    """The command for a log that nobody writes; of mail between servers where there is no connector."""
    if connector is None:
        return f"Set-{view.transport.cmdlet} {in_powershell(server)} -IntraOrgConnectorProtocolLoggingLevel Verbose"
    return f"Set-SendConnector {in_powershell(connector.identity)} -ProtocolLoggingLevel Verbose"


def _of_send(view: MailView, server: str) -> t.Iterator[MailFinding]:
    for connector in view.send or ():
        if connector.enabled is False or not connector.to_exchange_online or not connector.sends_from(server):
            continue
        name = visible(connector.identity)
        if connector.ignore_starttls:
            yield _finding(
                "connector.send_ignores_tls", "A Send connector that uses TLS", connector, Status.NONCOMPLIANT, "high",
                f"The Send connector '{name}' to Exchange Online ignores STARTTLS: its mail goes in plain text.",
                "Set-SendConnector -IgnoreSTARTTLS $false lets it use TLS.", _OPPORTUNISTIC,
            )  # fmt: skip
        elif connector.require_tls is False:
            yield _finding(
                "connector.send_opportunistic", "A Send connector that demands TLS", connector, Status.NOT_APPLICABLE,
                "medium",
                f"The Send connector '{name}' to Exchange Online does not demand TLS: where TLS fails, mail goes in "
                "plain text, and nobody gets a report.",
                "No report of a failure is no proof of TLS.", _OPPORTUNISTIC,
            )  # fmt: skip
        if connector.logs is False:
            yield _finding(
                "connector.send_not_logged", "A protocol log of the Send connector", connector, Status.NOT_APPLICABLE,
                "medium",
                f"The Send connector '{name}' to Exchange Online writes no protocol log; "
                f"{_turns_on(view, connector, server)} turns it on.",
                "Without it nothing tells whether TLS is what fails: an empty search proves nothing.",
                _PROTOCOL_LOGGING,
            )  # fmt: skip


def _of_receive(view: MailView) -> t.Iterator[MailFinding]:
    for connector in view.receive or ():
        if connector.enabled is False or not connector.faces_others:
            continue
        name = visible(connector.identity)
        if not connector.offers_tls:
            yield _finding(
                "connector.receive_no_tls", "A Receive connector that offers TLS", connector, Status.NOT_APPLICABLE,
                "medium",
                f"The Receive connector '{name}' on port 25 offers no STARTTLS (AuthMechanism has no Tls).",
                "Exchange Online does not deliver there where its connector demands TLS.", _OPPORTUNISTIC,
            )  # fmt: skip
        if connector.logs is False:
            yield _finding(
                "connector.receive_not_logged", "A protocol log of the Receive connector", connector,
                Status.NOT_APPLICABLE, "low",
                f"The Receive connector '{name}' on port 25 writes no protocol log.",
                "Without it nothing tells who still speaks old TLS, or none.", _PROTOCOL_LOGGING,
            )  # fmt: skip


def _of_certificates(
    view: MailView, held: t.Sequence[Certificate] | None, server: str, now: datetime.datetime
) -> t.Iterator[MailFinding]:
    for connector in _connected(view, server):
        if held is None or connector.certificate is None or connector.enabled is False:
            continue
        match = certificates.named(connector.certificate, held)
        if match.certificate is not None:
            yield from _dates(connector, match.certificate, now)
            continue
        alike = (
            f" One with the same subject is there, of another issuer: {visible(match.alike.issuer)}."
            if match.alike
            else ""
        )
        yield _finding(
            "certificate.not_found", "The certificate that a connector names", connector,
            Status.NONCOMPLIANT if match.sure else Status.UNKNOWN, "high",
            f"The connector '{visible(connector.identity)}' names the certificate {visible(connector.certificate)}, "
            f"which {'is not on this server' if match.sure else 'was not found among those of this server'}.{alike}",
            "Without it TLS fails, or STARTTLS is not offered any more, and no TLS error is logged.", _KB_4051498,
        )  # fmt: skip


def _connected(view: MailView, server: str) -> tuple[SendConnector | ReceiveConnector, ...]:
    """The connectors of the server itself."""
    return (*(item for item in view.send or () if item.sends_from(server)), *(view.receive or ()))


def _of_others(
    view: MailView, held: t.Sequence[Certificate], server: str, now: datetime.datetime
) -> t.Iterator[MailFinding]:
    """Certificates that no connector names: where none is named, Exchange chooses, and does not tell which."""
    if view.send is None or view.receive is None:
        return
    names = [item.certificate for item in _connected(view, server) if item.certificate is not None]
    used = [certificates.named(name, held).certificate for name in names]
    valid = [item for item in held if item.not_after is not None and item.not_after >= now]
    good = [item for item in valid if item.may_serve_mail]
    for certificate in held:
        end = certificate.not_after
        if end is None or end >= now or certificate in used or not certificate.may_serve_mail:
            continue
        # a certificate that was renewed may lie there for years
        if any(item.stands_in_for(certificate) for item in good):
            continue
        enabled = "" if certificate.services else "; Exchange does not tell whether it is enabled for SMTP"
        yield MailFinding(
            "certificate.expired", "Certificates that are valid", "low", Status.UNKNOWN,
            f"The certificate {visible(certificate.subject or '')} ({certificate.thumbprint}) has expired on "
            f"{end:%Y-%m-%d}. No connector of this server names it{enabled}.",
            "Where a connector names no certificate, Exchange chooses one of those that are enabled for SMTP.",
            _SELECTION, certificate.thumbprint or _THE_SERVER,
        )  # fmt: skip


def _dates(
    connector: SendConnector | ReceiveConnector, certificate: Certificate, now: datetime.datetime
) -> t.Iterator[MailFinding]:
    begin, end = certificate.not_before, certificate.not_after
    if begin is None or end is None or begin <= now <= end:
        return
    said = f"has expired on {end:%Y-%m-%d}" if end < now else f"is valid from {begin:%Y-%m-%d} on only"
    yield _finding(
        "certificate.dates", "A certificate that is valid", connector, Status.NONCOMPLIANT, "high",
        f"The certificate of the connector '{visible(connector.identity)}', {visible(certificate.subject)} "
        f"({certificate.thumbprint}), {said}.",
        "Exchange Online takes no such certificate for a partner's.", _KB_4051498,
    )  # fmt: skip


def _unread(view: MailView) -> t.Iterator[MailFinding]:
    for cmdlet, reason in view.unread.items():
        yield MailFinding(
            "mail.unread", "What Exchange does not tell", "low", Status.UNKNOWN, f"{cmdlet} did not tell: {reason}",
            "What could not be looked at is no proof.", _THE_SERVER, cmdlet,
        )  # fmt: skip


def _finding(
    name: str,
    title: str,
    connector: SendConnector | ReceiveConnector,
    status: Status,
    severity: str,
    message: str,
    why: str,
    source: str,
) -> MailFinding:
    return MailFinding(name, title, severity, status, message, why, source, connector.identity)
