# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a description can say of Exchange, as data."""

from __future__ import annotations

from dataclasses import dataclass

#: Kinds of queues. No number was ever recorded.
DELIVERY_TYPES = {
    "Undefined": 0, "DnsConnectorDelivery": 1, "SmartHostConnectorDelivery": 4, "SmtpDeliveryToMailbox": 13,
    "SmtpRelayToDag": 15, "SmtpRelayToMailboxDeliveryGroup": 16, "ShadowRedundancy": 20, "Unreachable": 9,
}  # fmt: skip
LOGGING = ("None", "Verbose")
TRANSPORT_ROLES = ("HubTransport", "FrontendTransport")
#: Flags, with their values.
AUTH_MECHANISMS = {
    "None": 0, "Tls": 1, "Integrated": 2, "BasicAuth": 4, "BasicAuthRequireTLS": 8, "ExchangeServer": 16,
    "ExternalAuthoritative": 32,
}  # fmt: skip
WITNESS = ("None", "Primary", "Alternate", "InvalidConfiguration")


@dataclass(frozen=True)
class Shell:
    """The endpoint /PowerShell. http, https: ports, or None for no such listener."""

    http: int | None = 8080
    https: int | None = None
    auth: tuple[str, ...] = ("kerberos",)
    certificate: str = "good"
    path: str = "/PowerShell"
    max_envelope_kb: int = 500
    #: Most sessions of one account.
    shells_per_user: int = 18


@dataclass(frozen=True)
class Queue:
    """Messages that wait. deferred: how many of them were tried in vain. stuck: none of them ever leaves."""

    domain: str
    messages: float = 0
    deferred: float = 0
    delivery_type: str = "DnsConnectorDelivery"
    last_error: str = ""
    stuck: bool = False


@dataclass(frozen=True)
class SendConnector:
    """A connector that sends from this host. certificate: ``<I>issuer<S>subject``. logging: None or Verbose."""

    name: str
    smart_hosts: tuple[str, ...] = ()
    address_spaces: tuple[str, ...] = ("SMTP:*;1",)
    enabled: bool = True
    require_tls: bool = False
    ignore_starttls: bool = False
    certificate: str = ""
    cloud: bool = False
    front_end: bool = False
    logging: str = "None"


@dataclass(frozen=True)
class ReceiveConnector:
    """A connector of this host. auth: the words of AuthMechanism. role: FrontendTransport or HubTransport."""

    name: str
    bindings: tuple[str, ...] = ("[::]:25", "0.0.0.0:25")
    role: str = "FrontendTransport"
    auth: tuple[str, ...] = ("Tls", "Integrated", "BasicAuth", "BasicAuthRequireTLS", "ExchangeServer")
    enabled: bool = True
    require_tls: bool = False
    certificate: str = ""
    logging: str = "None"


#: Those of a setup, each with the name of its server behind its own.
RECEIVE_CONNECTORS = tuple(
    ReceiveConnector(name, (f"[::]:{port}", f"0.0.0.0:{port}"), role, logging=logging)
    for name, port, role, logging in (
        ("Default", 2525, "HubTransport", "None"),
        ("Client Proxy", 465, "HubTransport", "None"),
        ("Default Frontend", 25, "FrontendTransport", "Verbose"),
        ("Outbound Proxy Frontend", 717, "FrontendTransport", "Verbose"),
        ("Client Frontend", 587, "FrontendTransport", "None"),
    )
)


@dataclass(frozen=True)
class Outbound:
    """Mail to Exchange Online by the Send connector that has ``to`` as a smart host. waiting: messages at the start.
    arriving: in a simulated minute. plain_text: Exchange Online takes mail without TLS."""

    to: str
    waiting: float = 0
    arriving: float = 0.2
    address: str = "192.0.2.25"
    plain_text: bool = False


@dataclass(frozen=True)
class Inbound:
    """Mail from Exchange Online to a Receive connector (of a setup: without the name of the server). arriving:
    messages in a simulated minute. plain_text: Exchange Online sends without TLS where it has to."""

    connector: str = "Default Frontend"
    arriving: float = 0.2
    address: str = "192.0.2.26"
    plain_text: bool = False


@dataclass(frozen=True)
class Certificate:
    """A certificate of this host. issuer: a common name, empty for one that is self-signed. days: until it expires; 0:
    it just has."""

    subject: str
    issuer: str = ""
    days: float = 365


@dataclass(frozen=True)
class Database:
    """copies: hosts in order of preference. active: the one that has it mounted. recovery: never mounted by itself."""

    name: str
    copies: tuple[str, ...]
    active: str
    recovery: bool = False


@dataclass(frozen=True)
class Dag:
    """members: hosts. witness: a computer, which need not be in the lab. balances: simulated seconds between moves of
    databases to the copy that is preferred; 0 for none."""

    name: str
    members: tuple[str, ...]
    witness: str = "FS01"
    witness_share: str = "Primary"
    balances: float = 0
    databases: tuple[Database, ...] = ()
