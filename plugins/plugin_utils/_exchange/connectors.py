# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Send and receive connectors, as far as TLS is concerned, and where their protocol logs are. Pure.

What Get-SendConnector, Get-ReceiveConnector and Get-TransportService say, see docs/reference/exchange.md 6. A property
that is not there is None: older versions of Exchange do not have all of them.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import UnexpectedAnswer
from .endpoint import is_same_server
from .records import Record

# The names of its MX records: worldwide, of the clouds of governments and of China, and with DNSSEC; and those of its
# endpoints for clients, over which some let their mail go.
_CLOUD = (
    ".mail.protection.outlook.com", ".mail.protection.office365.us", ".mail.protection.partner.outlook.cn",
    ".mx.microsoft", ".mail.onmicrosoft.com", ".mail.onmicrosoft.us", ".smtp.office365.com",
    ".smtp-legacy.office365.com",
)  # fmt: skip
VERBOSE = "verbose"
# The cmdlets for the transport service, since 2013 and before.
TRANSPORT, OLD_TRANSPORT = "TransportService", "TransportServer"
# Microsoft, Protocol logging: where the logs are, unless the transport service says otherwise.
SEND_LOGS = r"%ExchangeInstallPath%TransportRoles\Logs\Hub\ProtocolLog\SmtpSend"
FRONT_END_SEND_LOGS = r"%ExchangeInstallPath%TransportRoles\Logs\FrontEnd\ProtocolLog\SmtpSend"


@dataclasses.dataclass(frozen=True)
class SendConnector:
    """``certificate``: issuer and subject as ``<I>issuer<S>subject``; None where none is named."""

    identity: str
    guid: str | None
    enabled: bool | None
    address_spaces: tuple[str, ...]
    smart_hosts: tuple[str, ...]
    require_tls: bool | None
    ignore_starttls: bool | None
    certificate: str | None
    tls_domain: str | None
    tls_auth_level: str | None
    cloud_services_mail: bool | None
    logging: str | None
    front_end: bool | None
    servers: tuple[str, ...]

    @property
    def to_exchange_online(self) -> bool:
        """By its smart hosts, by its address spaces, or because it is marked so."""
        names = (*self.smart_hosts, *self._domains)
        return bool(self.cloud_services_mail) or any(map(_is_cloud, names))

    @property
    def hands_to_exchange_online(self) -> bool:
        """Whether what it sends is taken by Exchange Online itself, and by no gateway before it."""
        names = self.smart_hosts or self._domains
        return bool(names) and all(map(_is_cloud, names))

    @property
    def _domains(self) -> tuple[str, ...]:
        """Of its address spaces, ``smtp:example.com;1``, of which the type and the cost may be missing."""
        return tuple(space.rpartition(":")[2].partition(";")[0] for space in self.address_spaces)

    @property
    def logs(self) -> bool | None:
        """Whether it writes a protocol log; None where Exchange does not tell."""
        return None if self.logging is None else self.logging.casefold() == VERBOSE

    def sends_from(self, name: str) -> bool:
        """Whether the server of that name sends for it."""
        return any(is_same_server(server, name) for server in self.servers)

    def as_result(self) -> dict[str, t.Any]:
        made = dataclasses.asdict(self)
        lists = ("address_spaces", "smart_hosts", "servers")
        return {
            **made,
            **{key: list(made[key]) for key in lists},
            "to_exchange_online": self.to_exchange_online,
            "hands_to_exchange_online": self.hands_to_exchange_online,
        }


@dataclasses.dataclass(frozen=True)
class ReceiveConnector:
    """``bindings``: addresses and ports; ``auth``: its AuthMechanism, ``Tls`` among them where STARTTLS is offered."""

    identity: str
    enabled: bool | None
    role: str | None
    bindings: tuple[str, ...]
    auth: tuple[str, ...]
    require_tls: bool | None
    certificate: str | None
    fqdn: str | None
    logging: str | None

    @property
    def ports(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(binding.rpartition(":")[2] for binding in self.bindings))

    @property
    def offers_tls(self) -> bool:
        return any(item.casefold() == "tls" for item in self.auth)

    @property
    def faces_others(self) -> bool:
        """Whether mail of other servers comes in here: the other ports are those of clients and of Exchange itself."""
        return "25" in self.ports

    @property
    def logs(self) -> bool | None:
        return None if self.logging is None else self.logging.casefold() == VERBOSE

    def as_result(self) -> dict[str, t.Any]:
        made = dataclasses.asdict(self)
        return {**made, "bindings": list(self.bindings), "auth": list(self.auth)}


@dataclasses.dataclass(frozen=True)
class Transport:
    """Folders of the protocol logs of the transport service; None where it does not tell. ``cmdlet``: the one that has
    told it, without its verb."""

    send_logs: str | None = None
    receive_logs: str | None = None
    intra_org_logging: str | None = None
    cmdlet: str = TRANSPORT

    def of_send(self, connector: SendConnector | None) -> str:
        """Where the log of a connector is. A front end that sends for the hub logs the dialogue with the receiver."""
        if connector is not None and connector.front_end:
            return FRONT_END_SEND_LOGS
        return self.send_logs or SEND_LOGS

    @property
    def logs_inside(self) -> bool | None:
        """Whether what goes to other servers of the organisation is in the log; None where it does not tell."""
        return None if self.intra_org_logging is None else self.intra_org_logging.casefold() == VERBOSE


def send_connector(record: Record) -> SendConnector:
    """One object of Get-SendConnector. Raises :class:`UnexpectedAnswer`."""
    return SendConnector(
        identity=record.text("Identity"),
        guid=_text(record, "Guid"),
        enabled=_flag(record, "Enabled"),
        address_spaces=_names(record, "AddressSpaces"),
        smart_hosts=_names(record, "SmartHosts"),
        require_tls=_flag(record, "RequireTLS"),
        ignore_starttls=_flag(record, "IgnoreSTARTTLS"),
        certificate=_text(record, "TlsCertificateName"),
        tls_domain=_text(record, "TlsDomain"),
        tls_auth_level=_text(record, "TlsAuthLevel"),
        cloud_services_mail=_flag(record, "CloudServicesMailEnabled"),
        logging=_text(record, "ProtocolLoggingLevel"),
        front_end=_flag(record, "FrontendProxyEnabled"),
        servers=_names(record, "SourceTransportServers"),
    )


def receive_connector(record: Record) -> ReceiveConnector:
    """One object of Get-ReceiveConnector. Raises :class:`UnexpectedAnswer`."""
    auth = _text(record, "AuthMechanism") or ""
    return ReceiveConnector(
        identity=record.text("Identity"),
        enabled=_flag(record, "Enabled"),
        role=_text(record, "TransportRole"),
        bindings=_names(record, "Bindings"),
        auth=tuple(item.strip() for item in auth.split(",") if item.strip()),
        require_tls=_flag(record, "RequireTLS"),
        certificate=_text(record, "TlsCertificateName"),
        fqdn=_text(record, "Fqdn"),
        logging=_text(record, "ProtocolLoggingLevel"),
    )


def transport(record: Record) -> Transport:
    """One object of Get-TransportService. No such object was ever recorded: what is not as documented is None."""
    names = ("SendProtocolLogPath", "ReceiveProtocolLogPath", "IntraOrgConnectorProtocolLoggingLevel")
    found: list[str | None] = []
    for name in names:
        try:
            found.append(_text(record, name))
        except UnexpectedAnswer:
            found.append(None)
    send, receive, inside = found
    return Transport(send, receive, inside)


def _is_cloud(name: str) -> bool:
    return f".{name.strip().rstrip('.').lower()}".endswith(_CLOUD)


def _text(record: Record, name: str) -> str | None:
    """None for a blank as well: Exchange leaves texts empty, or null."""
    return (record.text_or_none(name) or None) if name in record else None


def _flag(record: Record, name: str) -> bool | None:
    return record.flag_or_none(name) if name in record else None


def _names(record: Record, name: str) -> tuple[str, ...]:
    return tuple(record.names_or_none(name) or ()) if name in record else ()
