# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cmdlets for mail that waits."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from psrpcore.types import PSGuid

from . import objects
from .cmdlets import TEXT, Call, Parameter, Problem, Terminating, away, cmdlet
from .queues import Queue
from .servers import Server
from .transport import Transport

_TYPES = ("Microsoft.Exchange.Data.QueueViewer.ExtensibleQueueInfo", "Microsoft.Exchange.Data.ConfigurableObject")


@cmdlet("Get-Queue", Parameter("Server", TEXT), Parameter("Identity", TEXT), changes=False)
def get_queue(call: Call) -> Iterator[Any]:
    """The queues of one server, which is that of the session where none is named; or one queue."""
    if call.get("Identity") is not None and call.get("Server") is not None:
        text = "Parameter set cannot be resolved using the specified named parameters."
        raise Terminating(Problem(text, "AmbiguousParameterSet", "InvalidArgument"))
    wanted = call.get("Identity")
    name, _backslash, queue_name = (wanted or "").partition("\\")
    if wanted is not None and not queue_name:
        name, queue_name = call.here.name, name
    name = name or call.get("Server") or call.here.name
    server = call.organisation.find(name)
    if server is None:
        yield call.no_such(name)
        return
    transport = call.organisation.mail.of(server)
    trouble = "the RPC server is unavailable" if not server.is_up else transport.trouble()
    if trouble is not None:
        yield Problem(
            f'The queue viewer operation on computer "{server.name}" has failed with an error: {trouble}. The '
            "Microsoft Exchange Transport service may not be running, or the server may not be ready.",
            "[FailureCategory=Cmdlet-LocalizedException] 4F8A1D27",
            "InvalidOperation",
            "Microsoft.Exchange.Data.Common.LocalizedException",
            server.name,
        )
        return
    queues = [queue for queue in transport.queues if not queue.name.startswith("Poison") or queue.count]
    if wanted is not None:
        queues = [queue for queue in queues if queue.name.casefold() == queue_name.casefold()]
        if not queues:
            yield call.no_such(wanted)
    for queue in queues:
        yield _queue(server, transport, queue)


def _connector(server: Server, queue: Queue) -> str:
    """The Send connector whose smart host is the next hop; all zeros for none."""
    hop = queue.domain.casefold()
    for connector in server.exchange.send_connectors:
        if hop in {host.casefold() for host in connector.smart_hosts}:
            return objects.connector_guid(connector.name)
    return str(uuid.UUID(int=0))


def _queue(server: Server, transport: Transport, queue: Queue) -> Any:
    name = f"{server.name}\\{queue.name}"
    deferred = int(queue.deferred)
    number = queue.name.rpartition("\\")[2]
    identity = objects.thing(
        ["Microsoft.Exchange.Data.QueueViewer.QueueIdentity", "Microsoft.Exchange.Data.ObjectId"],
        name,
        {
            "Server": server.name.lower(),
            "RowId": objects.long(int(number) if number.isdigit() else 0),
            "NextHopDomain": queue.domain,
        },
    )
    status = transport.status(queue)
    retry = queue.last_error or ("421 4.4.1 Connection timed out" if status == "Retry" else "")
    return objects.thing(
        _TYPES,
        name,
        {
            "DeliveryType": objects.DELIVERY_TYPE[queue.delivery_type],
            "NextHopDomain": queue.domain,
            "TlsDomain": None,
            "NextHopConnector": PSGuid(_connector(server, queue)),
            "Status": objects.QUEUE_STATUS[status],
            "MessageCount": queue.count,
            "LastError": retry or None,
            "RetryCount": queue.retries or (1 if status == "Retry" else 0),
            "DeferredMessageCount": deferred,
            "LockedMessageCount": 0,
            "MessageCountsPerPriority": objects.numbers([0, queue.count, 0, 0]),
            "DeferredMessageCountsPerPriority": objects.numbers([0, deferred, 0, 0]),
            "RiskLevel": "Normal",
            "OutboundIPPool": 0,
            "Velocity": 0,
            "Identity": identity,
            "IsValid": True,
            "ObjectState": objects.OBJECT_STATE["New"],
        },
    )


@cmdlet(
    "Redirect-Message",
    Parameter("Server", mandatory=True),
    Parameter("Target", mandatory=True),
    changes=True,
    asks=True,
)
def redirect_message(call: Call) -> Iterator[Any]:
    """Moves active messages to another server, which must be named in full."""
    server = call.server("Server")
    if isinstance(server, Problem):
        yield server
        return
    target = call.organisation.find(call.arguments["Target"])
    if target is None or target is server or target.fqdn.casefold() != call.arguments["Target"].casefold():
        text = f"The target server '{call.arguments['Target']}' isn't valid: the FQDN of another server is needed."
        raise Terminating(Problem(text, "[FailureCategory=Cmdlet-LocalizedException] 6E22B1F0", "InvalidArgument"))
    if not server.is_up:
        yield away(server)
        return
    call.organisation.mail.redirect(server, target)
    call.organisation.redirections.append((server.name, target.fqdn))
