# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An organisation in memory, behind a shell: what its cmdlets return, in the shapes of records."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.records import Enum, Record
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.shell import CmdletError, Value

DOMAIN = "example.com"


def copy(database: str, server: str, status: str = "Healthy", **more: Any) -> Record:
    """An object of Get-MailboxDatabaseCopyStatus. The active one is Mounted."""
    properties = {
        "Identity": f"{database}\\{server}",
        "DatabaseName": database,
        "MailboxServer": server.upper(),
        "Status": Enum(status, 6),
        "ActiveCopy": status.startswith("Mount"),
        "CopyQueueLength": 0,
        "ReplayQueueLength": 0,
        "ContentIndexState": Enum("Healthy", 0),
        "ActivationSuspended": False,
        "SuspendComment": None,
        **more,
    }
    return Record(f"{database}\\{server}", ("Microsoft.Exchange.Management.DatabaseCopyStatusEntry",), properties)


def queue(name: str, messages: int = 0, delivery: str = "SmtpDeliveryToMailbox", **more: Any) -> Record:
    """An object of Get-Queue."""
    properties = {
        "Identity": f"EX01\\{name}",
        "DeliveryType": Enum(delivery, 0),
        "NextHopDomain": "db01",
        "Status": Enum("Ready", 0),
        "MessageCount": messages,
        **more,
    }
    return Record(f"EX01\\{name}", ("Microsoft.Exchange.Data.QueueViewer.ExtensibleQueueInfo",), properties)


def component(name: str, state: str = "Active", **requesters: str) -> Record:
    entries = [f"Requestor:{who}; State:{what}; Timestamp:2026-11-20T00:00:00Z" for who, what in requesters.items()]
    properties = {"Component": name, "State": Enum(state, 0), "LocalStates": entries, "RemoteStates": entries}
    return Record(None, ("Microsoft.Exchange.Data.ServerComponentStatePresentationObject",), properties)


@dataclasses.dataclass
class Machine:
    """One server. ``away``: the error of cmdlets that have to ask the server itself."""

    policy: str = "Unrestricted"
    move_now: bool = False
    components: dict[str, Record] = dataclasses.field(default_factory=dict)
    copies: list[Record] = dataclasses.field(default_factory=list)
    queues: list[Record] = dataclasses.field(default_factory=list)
    away: str | None = None
    no_queues: str | None = None
    role: str = "Mailbox"
    site: str = "Here"
    most_active: int | None = None


class Organisation:
    """Stands where a shell stands. ``dag``: properties of Get-DatabaseAvailabilityGroup that differ; None for none."""

    def __init__(self, *names: str, dag: dict[str, Any] | None = None) -> None:
        self.machines = {name: Machine() for name in names}
        self.dag = dag
        self.asked: list[tuple[str, dict[str, Value]]] = []
        self.errors: dict[str, Exception] = {}  # by cmdlet
        self.closed = False

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    @property
    def round_trips(self) -> int:
        return 3 * len(self.asked) + 2

    def close(self) -> None:
        self.closed = True

    def change(self, cmdlet: str, **parameters: Value) -> list[Record]:
        raise AssertionError(f"{cmdlet} changes something")

    def read(self, cmdlet: str, **parameters: Value) -> list[Record]:
        self.asked.append((cmdlet, parameters))
        if cmdlet in self.errors:
            raise self.errors[cmdlet]
        if cmdlet == "Get-DatabaseAvailabilityGroup":
            return [] if self.dag is None else [self._group(bool(parameters.get("Status")))]
        if not parameters and cmdlet in ("Get-ExchangeServer", "Get-MailboxServer"):
            return [record for name in self.machines for record in self._of(cmdlet, name)]
        return self._of(cmdlet, str(parameters.get("Identity") or parameters.get("Server")))

    def read_each(self, cmdlet: str, names: Sequence[str], **parameters: Value) -> list[Record]:
        self.asked.append((cmdlet, {"piped": list(names), **parameters}))
        if cmdlet in self.errors:
            raise self.errors[cmdlet]
        return [record for name in names for record in self._of(cmdlet, name)]

    def _of(self, cmdlet: str, wanted: str) -> list[Record]:
        name = next((item for item in self.machines if item == wanted.partition(".")[0].upper()), None)
        if name is None:
            raise CmdletError(
                f"{cmdlet} failed: The operation couldn't be performed because object {wanted!r} couldn't be found"
            )
        machine = self.machines[name]
        if cmdlet == "Get-ExchangeServer":
            return [self._exchange_server(name, machine)]
        if cmdlet == "Get-MailboxServer":
            return [self._mailbox_server(name, machine)]
        if machine.away:
            raise CmdletError(machine.away)
        if cmdlet == "Get-ServerComponentState":
            plain = {item: component(item) for item in ("ServerWideOffline", "HubTransport", "Monitoring", "EwsProxy")}
            unused = component("ForwardSyncDaemon", "Inactive")
            found = [*{**plain, **machine.components}.values(), unused]
            return [
                Record(None, item.types, {**{key: item.get(key) for key in item}, "ServerFqdn": f"{name}.{DOMAIN}"})
                for item in found
            ]
        if cmdlet == "Get-MailboxDatabaseCopyStatus":
            return machine.copies
        assert cmdlet == "Get-Queue"
        if machine.no_queues:
            raise CmdletError(machine.no_queues)
        return machine.queues

    def _exchange_server(self, name: str, machine: Machine) -> Record:
        properties = {
            "Name": name,
            "Fqdn": f"{name}.{DOMAIN}",
            "Edition": Enum("Enterprise", 1),
            "AdminDisplayVersion": Record("Version 15.1 (Build 2507.6)"),
            "ServerRole": Enum(machine.role, 2),
            "Site": Record(f"{DOMAIN}/Configuration/Sites/{machine.site}"),
        }
        return Record(name, ("Microsoft.Exchange.Data.Directory.Management.ExchangeServer",), properties)

    def _mailbox_server(self, name: str, machine: Machine) -> Record:
        properties = {
            "Name": name,
            "DatabaseAvailabilityGroup": None if self.dag is None else Record("DAG1"),
            "DatabaseCopyAutoActivationPolicy": Enum(machine.policy, 0),
            "DatabaseCopyActivationDisabledAndMoveNow": machine.move_now,
            "MaximumActiveDatabases": machine.most_active,
        }
        return Record(name, ("Microsoft.Exchange.Data.Directory.Management.MailboxServer",), properties)

    def _group(self, status: bool) -> Record:
        members = [Record(name) for name in self.machines]
        properties = {
            "Name": "DAG1",
            "Servers": members,
            "OperationalServers": members if status else None,
            "PrimaryActiveManager": members[-1] if status else None,
            "WitnessShareInUse": Enum("Primary", 1) if status else None,
            **(self.dag or {}),
        }
        return Record(
            "DAG1", ("Microsoft.Exchange.Data.Directory.SystemConfiguration.DatabaseAvailabilityGroup",), properties
        )
