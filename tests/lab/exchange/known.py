# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cmdlets that the lab knows. Importing this fills the table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from . import components, objects
from .cmdlets import (
    CMDLETS,
    FLAG,
    INTEGER,
    SWITCH,
    TEXTS,
    Call,
    Parameter,
    Problem,
    Terminating,
    Warning_,
    away,
    cmdlet,
    is_like,
)
from .servers import Server

_STATE_TYPE = f"{objects.MANAGEMENT}.ServerComponentStatePresentationObject"
_CONFIGURABLE = "Microsoft.Exchange.Data.ConfigurableObject"
_PRESENTED = (
    f"{objects.MANAGEMENT}.ADPresentationObject",
    f"{objects.DIRECTORY}.ADObject",
    f"{objects.DIRECTORY}.ADRawEntry",
    _CONFIGURABLE,
)
# The services that each role needs, as Test-ServiceHealth lists them. The front end transport is in none of them.
_ROLE_SERVICES = {
    "Mailbox Server Role": (
        "IISAdmin MSExchangeADTopology MSExchangeDelivery MSExchangeIS MSExchangeMailboxAssistants MSExchangeRepl "
        "MSExchangeRPC MSExchangeServiceHost MSExchangeSubmission MSExchangeThrottling MSExchangeTransportLogSearch "
        "W3Svc WinRM"
    ),
    "Client Access Server Role": (
        "IISAdmin MSExchangeADTopology MSExchangeMailboxReplication MSExchangeRPC MSExchangeServiceHost W3Svc WinRM"
    ),
    "Unified Messaging Server Role": "MSExchangeADTopology MSExchangeServiceHost MSExchangeUM",
    "Hub Transport Server Role": (
        "MSExchangeADTopology MSExchangeEdgeSync MSExchangeServiceHost MSExchangeTransport MSExchangeTransportLogSearch"
    ),
}
_SERVER = Parameter("Identity")
_THE_SERVER = Parameter("Identity", mandatory=True)


def _chosen(call: Call) -> list[Server | Problem]:
    """The server named by Identity, or all."""
    return [call.server()] if call.get("Identity") is not None else list(call.organisation.servers)


@cmdlet("Get-Command", Parameter("Name", TEXTS, mandatory=True), changes=False)
def get_command(call: Call) -> Iterator[Any]:
    """Those that the account sees; a name without a wildcard must be one. No such object was ever recorded."""
    names = call.arguments["Name"]
    shown = [item.name for item in CMDLETS.values() if not is_like(item.name, call.hidden)]
    for name in shown:
        if is_like(name, names):
            types = ["System.Management.Automation.FunctionInfo", "System.Management.Automation.CommandInfo"]
            yield objects.plain(types, name, {"Name": name, "CommandType": "Function"})
    for name in names:
        if "*" not in name and not is_like(name, shown):
            yield Problem(
                f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable "
                "program.",
                "CommandNotFoundException",
                "ObjectNotFound",
                "System.Management.Automation.CommandNotFoundException",
                name,
            )


# --- servers ---------------------------------------------------------------------------------------------------------


@cmdlet("Get-ExchangeServer", _SERVER, Parameter("Status", SWITCH), changes=False)
def get_exchange_server(call: Call) -> Iterator[Any]:
    """All servers, or one."""
    for server in _chosen(call):
        yield server if isinstance(server, Problem) else _exchange_server(server)


def _exchange_server(server: Server) -> Any:
    mailbox = "Mailbox" in server.exchange.roles
    identity = server.identity()
    return objects.thing(
        [f"{objects.MANAGEMENT}.ExchangeServer", *_PRESENTED],
        server.name,
        {
            "Name": server.name,
            "Domain": server.domain,
            "Edition": objects.EDITION["Standard"],
            "Fqdn": server.fqdn,
            "InternetWebProxy": None,
            "IsHubTransportServer": mailbox,
            "IsClientAccessServer": mailbox,
            "IsEdgeServer": not mailbox,
            "IsMailboxServer": mailbox,
            "IsE15OrLater": True,
            "IsFrontendTransportServer": mailbox,
            "NetworkAddress": _network_address(server),
            "AdminDisplayVersion": objects.version(server.exchange.numbers),
            "Site": objects.identity(
                server.site, "CN=Default-First-Site-Name,CN=Sites,CN=Configuration", server.guid, server.domain
            ),
            "ServerRole": objects.SERVER_ROLE["Mailbox" if mailbox else "Edge"],
            "StaticDomainControllers": objects.many([]),
            "Identity": identity,
            "IsValid": True,
            "DistinguishedName": server.distinguished_name,
            "Guid": server.guid,
            "Id": identity,
            "ObjectState": objects.OBJECT_STATE["Unchanged"],
        },
    )


def _network_address(server: Server) -> Any:
    types = ["Microsoft.Exchange.Data.NetworkAddress", "Microsoft.Exchange.Data.ProtocolAddress"]
    return objects.many(
        [
            objects.plain(types, f"{kind}:{address}", {"ProtocolType": kind, "AddressString": address})
            for kind, address in (("netbios", server.name), ("ncacn_ip_tcp", server.fqdn))
        ],
        "Microsoft.Exchange.Data.NetworkAddress",
    )


@cmdlet("Get-MailboxServer", _SERVER, Parameter("Status", SWITCH), changes=False)
def get_mailbox_server(call: Call) -> Iterator[Any]:
    """All mailbox servers, or one."""
    for server in _chosen(call):
        if isinstance(server, Problem):
            yield server
        elif "Mailbox" in server.exchange.roles:
            identity = server.identity()
            yield objects.thing(
                [f"{objects.MANAGEMENT}.MailboxServer", *_PRESENTED],
                server.name,
                {
                    "Name": server.name,
                    "DatabaseAvailabilityGroup": _group(call, server),
                    "DatabaseCopyAutoActivationPolicy": objects.ACTIVATION_POLICY[server.activation_policy],
                    "DatabaseCopyActivationDisabledAndMoveNow": server.move_now,
                    "AutoDatabaseMountDial": objects.MOUNT_DIAL["GoodAvailability"],
                    "MaximumActiveDatabases": None,
                    "OriginatingServer": f"DC01.{server.domain}",
                    "ServerRole": objects.SERVER_ROLE["Mailbox"],
                    "AdminDisplayVersion": objects.version(server.exchange.numbers),
                    "Identity": identity,
                    "Id": identity,
                    "IsValid": True,
                    "ObjectState": objects.OBJECT_STATE["Unchanged"],
                },
            )


def _group(call: Call, server: Server) -> Any:
    """The DAG that a server is a member of."""
    dag = call.organisation.dags.of(server)
    return None if dag is None else objects.group_identity(dag.name, dag.guid, server)


@cmdlet(
    "Set-MailboxServer",
    _THE_SERVER,
    Parameter("DatabaseCopyAutoActivationPolicy", choices=("Unrestricted", "IntrasiteOnly", "Blocked")),
    Parameter("DatabaseCopyActivationDisabledAndMoveNow", FLAG),
    changes=True,
)
def set_mailbox_server(call: Call) -> Iterator[Any]:
    """Settings of the directory, which need no server to be there."""
    server = call.server()
    if isinstance(server, Problem):
        yield server
        return
    policy = call.get("DatabaseCopyAutoActivationPolicy", server.activation_policy)
    move_now = call.get("DatabaseCopyActivationDisabledAndMoveNow", server.move_now)
    if (policy, move_now) == (server.activation_policy, server.move_now):
        yield Warning_(f"The command completed successfully but no settings of '{server.name}' have been modified.")
    server.activation_policy, server.move_now = policy, move_now


# --- component states ------------------------------------------------------------------------------------------------


@cmdlet(
    "Get-ServerComponentState",
    Parameter("Identity", mandatory=True, piped=True),
    Parameter("Component"),
    changes=False,
)
def get_server_component_state(call: Call) -> Iterator[Any]:
    """All components of one server, or one."""
    server = call.server()
    if isinstance(server, Problem) or not server.is_up:
        yield server if isinstance(server, Problem) else away(server)
        return
    component = call.get("Component")
    for item in [_component(server, component)] if component is not None else server.states:
        yield _component_state(server, item)


def _component(server: Server, name: str) -> components.Component:
    try:
        return server.states.find(name)
    except KeyError:
        raise Terminating(
            Problem(
                f"Component '{name}' isn't a valid component of server '{server.name}'.",
                "[FailureCategory=Cmdlet-ArgumentException] 5C0E7A42",
                "InvalidArgument",
                "System.ArgumentException",
                name,
            )
        ) from None


def _component_state(server: Server, component: components.Component) -> Any:
    return objects.thing(
        [_STATE_TYPE, _CONFIGURABLE],
        None,
        {
            "ServerFqdn": server.fqdn,
            "Component": component.name,
            "State": objects.SERVICE_STATE[server.states.effective(component)],
            "ServerWideOfflineIsOffline": server.states.is_offline,
            "RemoteStates": _entries(server, component.remote, component.name),
            "LocalStates": _entries(server, component.local, component.name),
            "Identity": server.identity(),
            "IsValid": True,
            "ObjectState": objects.OBJECT_STATE["New"],
        },
    )


def _entries(server: Server, store: components.Store, component: str) -> Any:
    kind = f"{_STATE_TYPE}+RequesterDetails"
    found = []
    for entry in store.entries.values():
        american = time.strftime("%m/%d/%Y %I:%M:%S %p", time.gmtime(entry.at)).lstrip("0").replace("/0", "/")
        text = f"Requestor:{entry.requester}; State:{entry.state}; Timestamp:{american}"
        details = {
            "Requester": entry.requester,
            "State": entry.state,
            "Timestamp": objects.moment(entry.at),
            "Component": component,
        }
        as_text = server.host.quirks.get("requesters_as_text")
        found.append(text if as_text else objects.plain([kind], text, details))
    return objects.listed(found, kind, objects.DIRECTORY)


@cmdlet(
    "Set-ServerComponentState",
    _THE_SERVER,
    Parameter("Component", mandatory=True),
    Parameter("Requester", mandatory=True, choices=components.REQUESTERS),
    Parameter("State", mandatory=True, choices=("Inactive", "Active", "Draining")),
    Parameter("LocalOnly", SWITCH),
    Parameter("RemoteOnly", SWITCH),
    Parameter("TimeoutInSeconds", INTEGER),
    changes=True,
)
def set_server_component_state(call: Call) -> Iterator[Any]:
    """The word of one requester, in the registry of the server and in the directory."""
    server = call.server()
    if isinstance(server, Problem):
        yield server
        return
    component = _component(server, call.arguments["Component"])
    if not components.may_be(component.name, call.arguments["State"]):
        text = f"State 'Draining' isn't valid for component '{component.name}'."
        raise Terminating(Problem(text, "[FailureCategory=Cmdlet-ArgumentException] 5C0E7A43", "InvalidArgument"))
    local, remote = not call.get("RemoteOnly"), not call.get("LocalOnly")
    if not local and not remote:
        text = "LocalOnly and RemoteOnly can't be used together."
        raise Terminating(Problem(text, "[FailureCategory=Cmdlet-ArgumentException] 5C0E7A44", "InvalidArgument"))
    if local and not server.is_up:
        yield away(server)
        return
    entry = components.Entry(call.arguments["Requester"], call.arguments["State"], server.host.now())
    for store in [component.remote] * remote + [component.local] * local:
        store.say(entry)


# --- services --------------------------------------------------------------------------------------------------------


@cmdlet("Test-ServiceHealth", Parameter("Server"), changes=False)
def test_service_health(call: Call) -> Iterator[Any]:
    """One object for each role; only services that the host has count."""
    server = call.server("Server") if call.get("Server") is not None else call.here
    if isinstance(server, Problem) or not server.is_up:
        yield server if isinstance(server, Problem) else away(server)
        return
    known = {service.name.casefold(): service.name for service in server.host.description.services}
    for role, names in _ROLE_SERVICES.items():
        if role.startswith("Unified") and server.exchange.version not in ("2013", "2016"):
            continue
        present = [name for name in names.split() if name.casefold() in known]
        running = [name for name in present if server.host.service_state(known[name.casefold()]) == "Running"]
        stopped = [name for name in present if name not in running]
        yield objects.thing(
            ["Microsoft.Exchange.Monitoring.ExchangeServicesStatus", _CONFIGURABLE],
            None,
            {
                "Role": role,
                "RequiredServicesRunning": not stopped,
                "ServicesNotRunning": objects.many(stopped),
                "ServicesRunning": objects.many(running),
                "Identity": None,
                "IsValid": True,
                "ObjectState": objects.OBJECT_STATE["New"],
            },
        )
