# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the setup of Exchange, and joining a DAG, leave on a host: keys, the file ExSetup.exe, the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .exchange.described import Certificate, Inbound, Outbound, Queue, ReceiveConnector, SendConnector, Shell

#: The keys that a setup makes below v15 for a role, in the versions since 2016.
_KEYS = {
    "Mailbox": (
        "AdminTools", "CafeRole", "ClientAccessRole", "FrontendTransportRole", "HubTransportRole", "MailboxRole",
        "UnifiedMessagingRole",
    ),
    "Edge": ("AdminTools", "EdgeTransportRole"),
    "ManagementTools": ("AdminTools",),
}  # fmt: skip
ROLES = tuple(_KEYS)
_FIRST_OF_SE = 2562
# One that is quarantined is down; StatusInformation says why.
NODE_STATES = {"up": 0, "down": 1, "quarantined": 1, "paused": 2, "joining": 3, "unknown": -1}
#: Of a copy of a mailbox database. Recorded are Healthy, Mounted and Dismounted; the others' numbers are assumed.
COPY_STATES = {
    "Unknown": 0, "Failed": 3, "Seeding": 4, "Suspended": 5, "Healthy": 6, "ServiceDown": 7, "Initializing": 8,
    "Resynchronizing": 9, "Mounted": 11, "Dismounted": 12, "Mounting": 13, "Dismounting": 14,
    "DisconnectedAndHealthy": 15, "FailedAndSuspended": 16, "DisconnectedAndResynchronizing": 17, "SeedingSource": 19,
}  # fmt: skip

#: Of the index of a copy; not one number was recorded.
CONTENT_INDEX_STATES = {
    "Unknown": 0, "Healthy": 1, "Crawling": 2, "Failed": 3, "Seeding": 4, "FailedAndSuspended": 5, "Suspended": 6,
    "Disabled": 7, "AutoSuspended": 8, "HealthyAndUpgrading": 9, "DiskUnavailable": 10, "NotApplicable": 11,
}  # fmt: skip


@dataclass(frozen=True)
class Cluster:
    """name: of the DAG, which is that of its cluster. nodes: states by computer name."""

    name: str
    nodes: dict[str, str] = field(default_factory=dict)
    #: The states are those of the lab's hosts, not those given here.
    follows: bool = False


@dataclass(frozen=True)
class Exchange:
    """build: the version of ExSetup.exe as Windows shows it. A security update changes it, and nothing in the registry,
    where cumulative is the build that the setup has left."""

    build: str
    cumulative: str = ""
    roles: tuple[str, ...] = ("Mailbox",)
    path: str = "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\"
    cluster: Cluster | None = None
    #: Where its cmdlets can be asked; None: not here.
    shell: Shell | None = None
    #: Who has rights in Exchange; None: all administrators.
    accounts: tuple[str, ...] | None = None
    #: By account: the cmdlets (wildcards allowed) that its roles do not have, so that it does not see them.
    hidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Mail that waits when the lab starts.
    queues: tuple[Queue, ...] = ()
    #: Mail to and from Exchange Online, which goes as far as TLS lets it.
    mail_out: tuple[Outbound, ...] = ()
    mail_in: tuple[Inbound, ...] = ()
    send_connectors: tuple[SendConnector, ...] = ()
    #: None: those that a setup makes.
    receive_connectors: tuple[ReceiveConnector, ...] | None = None
    #: None: the one that a setup makes, self-signed for the name of the host.
    certificates: tuple[Certificate, ...] | None = None

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        """What the directory says of its version: a security update changes nothing there either."""
        major, minor, build, revision = (int(part) for part in (self.cumulative or self.build).split("."))
        return major, minor, build, revision

    @property
    def version(self) -> str:
        """2013, 2016, 2019 or SE."""
        _major, minor, build, _revision = self.numbers
        return {0: "2013", 1: "2016"}.get(minor, "SE" if build >= _FIRST_OF_SE else "2019")

    @property
    def is_server(self) -> bool:
        """Whether the directory lists it: the management tools alone are no server."""
        return bool({"Mailbox", "Edge"} & set(self.roles))

    @property
    def file(self) -> str:
        """ExSetup.exe."""
        return rf"{self.path.rstrip(chr(92))}\bin\ExSetup.exe"

    def registry(self) -> dict[str, dict[str, Any]]:
        """{key: {value: data}}."""
        family = f"v{self.build.partition('.')[0]}"
        root = rf"HKLM\SOFTWARE\Microsoft\ExchangeServer\{family}"
        names = ("MsiProductMajor", "MsiProductMinor", "MsiBuildMajor", "MsiBuildMinor")
        numbers = [int(part) for part in (self.cumulative or self.build).split(".")]
        setup: dict[str, Any] = dict(zip(names, numbers, strict=True))
        setup["MsiInstallPath"] = {"type": "REG_SZ", "data": self.path}
        keys: dict[str, dict[str, Any]] = {rf"{root}\Setup": setup}
        for role in self.roles:
            keys.update({rf"{root}\{name}": {} for name in _KEYS[role]})
        return keys

    def hive(self) -> dict[str, dict[str, Any]]:
        """The keys of the cluster, which are there while its service runs."""
        if self.cluster is None:
            return {}
        nodes = {
            rf"HKLM\Cluster\Nodes\{number}": {"NodeName": {"type": "REG_SZ", "data": node}}
            for number, node in enumerate(self.cluster.nodes, 1)
        }
        return {r"HKLM\Cluster": {"ClusterName": {"type": "REG_SZ", "data": self.cluster.name}}, **nodes}
