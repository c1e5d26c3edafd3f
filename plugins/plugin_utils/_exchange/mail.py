# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""One look at the mail flow of an Exchange server through its cmdlets: queues, connectors, certificates, log folders.

What one cmdlet refuses does not hide what the others tell.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import UnexpectedAnswer
from . import connectors, queues
from .connectors import ReceiveConnector, SendConnector, Transport
from .queues import Queue
from .records import Record
from .shell import CmdletError, CmdletNotFound, Shell, Value

_T = t.TypeVar("_T")


@dataclasses.dataclass(frozen=True)
class RawCertificate:
    """``der``: the certificate itself. ``services``: what it is enabled for, such as SMTP; None where Exchange does not
    tell, as over its endpoint, where that is in a blob that only .NET can read."""

    der: bytes
    services: tuple[str, ...] | None = None


@dataclasses.dataclass(frozen=True)
class MailView:
    """Lists are None where they could not be read; ``unread`` has the reason, by cmdlet."""

    queues: tuple[Queue, ...] | None
    send: tuple[SendConnector, ...] | None
    receive: tuple[ReceiveConnector, ...] | None
    certificates: tuple[RawCertificate, ...] | None
    transport: Transport
    unread: t.Mapping[str, str]

    def connector_of(self, queue: Queue) -> SendConnector | None:
        """The Send connector that a queue goes by; by the receiver where the queue names none."""
        connected = self.send or ()
        if queue.connector is not None:
            return next(
                (item for item in connected if (item.guid or "").casefold() == queue.connector.casefold()), None
            )
        hop = queue.next_hop.strip("[]").casefold()
        return next((item for item in connected if hop in {host.casefold() for host in item.smart_hosts}), None)

    def is_logged(self, queue: Queue) -> bool | None:
        """Whether what a queue sends is in a protocol log; None where that is not known."""
        connector = self.connector_of(queue)
        if connector is None:
            return self.transport.logs_inside if queue.stays_inside else None
        # the front end logs by a connector of its own, of which nothing was asked
        return None if connector.front_end else connector.logs


def look(shell: Shell, server: str) -> MailView:
    """Asks about the server of that name. Changes nothing. Raises what ends the session."""
    unread: dict[str, str] = {}

    def ask(read: t.Callable[[Record], _T], cmdlet: str, **parameters: Value) -> tuple[_T, ...] | None:
        try:
            return tuple(map(read, shell.read(cmdlet, **parameters)))
        except (CmdletError, UnexpectedAnswer) as exc:
            unread[cmdlet] = exc.message
            return None

    def folders() -> Transport:
        try:
            found = shell.read("Get-TransportService", Identity=server)
        except CmdletNotFound:
            told = ask(connectors.transport, f"Get-{connectors.OLD_TRANSPORT}", Identity=server) or ()
            return dataclasses.replace(next(iter(told), Transport()), cmdlet=connectors.OLD_TRANSPORT)
        except (CmdletError, UnexpectedAnswer) as exc:
            unread["Get-TransportService"] = exc.message
            return Transport()
        return connectors.transport(found[0]) if found else Transport()

    return MailView(
        queues=ask(queues.of_record, "Get-Queue", Server=server),
        send=ask(connectors.send_connector, "Get-SendConnector"),
        receive=ask(connectors.receive_connector, "Get-ReceiveConnector", Server=server),
        certificates=ask(_certificate, "Get-ExchangeCertificate", Server=server),
        transport=folders(),
        unread=unread,
    )


def _certificate(record: Record) -> RawCertificate:
    der = record.get("RawData")
    if not isinstance(der, bytes) or not der:
        raise UnexpectedAnswer("Get-ExchangeCertificate returned a certificate without its RawData.")
    services = record.text_or_none("Services") if "Services" in record else None
    names = None if services is None else tuple(item.strip() for item in services.split(",") if item.strip())
    return RawCertificate(der, names)
