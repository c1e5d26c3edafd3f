# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cmdlets for connectors, certificates and the transport service."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from psrpcore.types import PSByteArray, PSGuid

from ..certificates import self_made
from . import objects
from .cmdlets import Call, Parameter, Problem, away, cmdlet
from .described import Certificate, ReceiveConnector, SendConnector
from .servers import Server

_CONFIGURATION = f"{objects.DIRECTORY}.SystemConfiguration"
_STORED = (
    f"{_CONFIGURATION}.ADConfigurationObject",
    f"{objects.DIRECTORY}.ADObject",
    f"{objects.DIRECTORY}.ADRawEntry",
    "Microsoft.Exchange.Data.ConfigurableObject",
)
_DATA = "Microsoft.Exchange.Data, Version=15.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35"


@cmdlet("Get-SendConnector", Parameter("Identity"), changes=False)
def get_send_connector(call: Call) -> Iterator[Any]:
    """All connectors of the organisation, or one: they are in the directory."""
    wanted = call.get("Identity")
    found = [(server, item) for server in call.organisation.servers for item in server.exchange.send_connectors]
    shown = {item.name: (server, item) for server, item in reversed(found)}
    if wanted is not None:
        shown = {name: made for name, made in shown.items() if name.casefold() == wanted.casefold()}
        if not shown:
            yield call.no_such(wanted)
    for name, (dummy, connector) in shown.items():
        servers = [server for server, item in found if item.name == name]
        yield _send_connector(connector, servers)


def _send_connector(connector: SendConnector, servers: list[Server]) -> Any:
    smart_hosts = [_smart_host(host) for host in connector.smart_hosts]
    return objects.thing(
        [
            f"{_CONFIGURATION}.SmtpSendConnectorConfig",
            f"{_CONFIGURATION}.MailGateway",
            f"{_CONFIGURATION}.SendConnector",
            *_STORED,
        ],
        connector.name,
        {
            "DNSRoutingEnabled": not smart_hosts,
            "TlsDomain": None,
            "TlsAuthLevel": None,
            "SmartHosts": objects.many(smart_hosts, f"Microsoft.Exchange.Data.SmartHost, {_DATA}"),
            "Port": 25,
            "ForceHELO": False,
            "FrontendProxyEnabled": connector.front_end,
            "IgnoreSTARTTLS": connector.ignore_starttls,
            "CloudServicesMailEnabled": connector.cloud,
            "Fqdn": None,
            "TlsCertificateName": _identifier(connector.certificate),
            "RequireTLS": connector.require_tls,
            "Enabled": connector.enabled,
            "ProtocolLoggingLevel": objects.PROTOCOL_LOGGING[connector.logging],
            "SmartHostsString": ",".join(connector.smart_hosts),
            "AddressSpaces": objects.many(
                [_address_space(space) for space in connector.address_spaces],
                f"Microsoft.Exchange.Data.AddressSpace, {_DATA}",
            ),
            "SourceTransportServers": objects.many([server.identity() for server in servers]),
            "Name": connector.name,
            "Identity": connector.name,
            "Guid": PSGuid(objects.connector_guid(connector.name)),
            "IsValid": True,
            "ObjectState": objects.OBJECT_STATE["Unchanged"],
        },
    )


def _smart_host(host: str) -> Any:
    return objects.plain(["Microsoft.Exchange.Data.SmartHost"], host, {"IsIPAddress": False, "Domain": host})


def _address_space(space: str) -> Any:
    kind, dummy, rest = space.partition(":")
    domain, dummy, cost = rest.partition(";")
    return objects.plain(
        ["Microsoft.Exchange.Data.AddressSpace"],
        space,
        {"Address": domain, "Type": kind, "Cost": int(cost or 1), "Domain": domain},
    )


def _identifier(name: str) -> Any:
    """A TlsCertificateName; null where none is named."""
    if not name:
        return None
    issuer, dummy, subject = name.removeprefix("<I>").partition("<S>")
    properties = {"CertificateSubject": subject, "CertificateIssuer": issuer}
    return objects.thing(["Microsoft.Exchange.Data.SmtpX509Identifier"], name, properties)


@cmdlet("Get-ReceiveConnector", Parameter("Identity"), Parameter("Server"), changes=False)
def get_receive_connector(call: Call) -> Iterator[Any]:
    """Those of one server, or of all; they are in the directory."""
    server = call.server("Server") if call.get("Server") is not None else None
    if isinstance(server, Problem):
        yield server
        return
    wanted, found = call.get("Identity"), False
    for item in [server] if server is not None else call.organisation.servers:
        for connector in item.receive_connectors:
            name = f"{item.name}\\{connector.name}"
            if wanted is None or wanted.casefold() == name.casefold():
                found = True
                yield _receive_connector(item, connector, name)
    if wanted is not None and not found:
        yield call.no_such(wanted)


def _receive_connector(server: Server, connector: ReceiveConnector, name: str) -> Any:
    return objects.thing(
        [f"{_CONFIGURATION}.ReceiveConnector", *_STORED],
        name,
        {
            "AuthMechanism": objects.auth_mechanism(connector.auth),
            "Bindings": objects.many(list(connector.bindings), f"Microsoft.Exchange.Data.IPBinding, {_DATA}"),
            "Enabled": connector.enabled,
            "Fqdn": server.fqdn,
            "ProtocolLoggingLevel": objects.PROTOCOL_LOGGING[connector.logging],
            "RequireTLS": connector.require_tls,
            "SuppressXAnonymousTls": False,
            "TlsCertificateName": _identifier(connector.certificate),
            "TransportRole": objects.TRANSPORT_ROLE[connector.role],
            "Server": server.identity(),
            "Name": connector.name,
            "Identity": name,
            "Guid": PSGuid(objects.connector_guid(name)),
            "IsValid": True,
            "ObjectState": objects.OBJECT_STATE["Unchanged"],
        },
    )


@cmdlet("Get-ExchangeCertificate", Parameter("Server"), Parameter("Thumbprint"), changes=False)
def get_exchange_certificate(call: Call) -> Iterator[Any]:
    """Those of one server, as they come over the endpoint: the bytes, and nothing that could be read otherwise."""
    server = call.server("Server") if call.get("Server") is not None else call.here
    if isinstance(server, Problem) or not server.is_up:
        yield server if isinstance(server, Problem) else away(server)
        return
    given = server.exchange.certificates
    for item in (Certificate(server.name),) if given is None else given:
        der = _made(item)
        yield objects.thing(
            [
                "Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate",
                "System.Security.Cryptography.X509Certificates.X509Certificate2",
                "System.Security.Cryptography.X509Certificates.X509Certificate",
            ],
            f"[Subject]\r\n  CN={item.subject}\r\n\r\n[Issuer]\r\n  CN={item.issuer or item.subject}\r\n",
            {"RawData": PSByteArray(der)},
        )


@functools.cache
def _made(certificate: Certificate) -> bytes:
    return self_made(certificate.subject, certificate.issuer, certificate.days)


@cmdlet("Get-TransportService", Parameter("Identity"), changes=False)
def get_transport_service(call: Call) -> Iterator[Any]:
    """One server, or all that have the service: settings of the directory."""
    chosen = [call.server()] if call.get("Identity") is not None else list(call.organisation.servers)
    for server in chosen:
        if isinstance(server, Problem):
            yield server
            continue
        logs = rf"{server.exchange.path.rstrip(chr(92))}\TransportRoles\Logs\Hub\ProtocolLog"
        yield objects.thing(
            [f"{objects.MANAGEMENT}.TransportServer", *_STORED],
            server.name,
            {
                "Name": server.name,
                "SendProtocolLogPath": _path(rf"{logs}\SmtpSend"),
                "ReceiveProtocolLogPath": _path(rf"{logs}\SmtpReceive"),
                "IntraOrgConnectorProtocolLoggingLevel": objects.PROTOCOL_LOGGING["None"],
                "Identity": server.identity(),
                "IsValid": True,
                "ObjectState": objects.OBJECT_STATE["Unchanged"],
            },
        )


def _path(path: str) -> Any:
    return objects.thing(
        ["Microsoft.Exchange.Data.LocalLongFullPath", "Microsoft.Exchange.Data.LongPath"], path, {"PathName": path}
    )
