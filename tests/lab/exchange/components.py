# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Component states: who asked for what, in the registry of a server and in the directory, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

ACTIVE, INACTIVE, DRAINING = "Active", "Inactive", "Draining"
REQUESTERS = ("Deployment", "Functional", "HealthApi", "Maintenance", "Sidelined")
SERVER_WIDE_OFFLINE = "ServerWideOffline"
# What Exchange's setup leaves behind on a healthy server.
_SETUP = (SERVER_WIDE_OFFLINE, "Monitoring", "RecoveryActionsEnabled")
_APART = ("Monitoring", "RecoveryActionsEnabled")
_INACTIVE_BY_DEFAULT = ("ForwardSyncDaemon", "ProvisioningRps")
_DRAINS = ("HubTransport", "FrontendTransport", "EdgeTransport", "UMCallRouter")

_NAMES = (
    "ServerWideOffline", "HubTransport", "FrontendTransport", "Monitoring", "RecoveryActionsEnabled",
    "AutoDiscoverProxy", "ActiveSyncProxy", "EcpProxy", "EwsProxy", "ImapProxy", "OabProxy", "OwaProxy",
    "PopProxy", "PushNotificationsProxy", "RpsProxy", "RwsProxy", "RpcProxy", "UMCallRouter", "XropProxy",
    "HttpProxyAvailabilityGroup", "ForwardSyncDaemon", "ProvisioningRps", "MapiProxy", "EdgeTransport",
    "HighAvailability", "SharedCache", "MailboxDeliveryProxy", "RoutingUpdates", "RestProxy", "DefaultProxy",
    "Lsass", "RoutingService", "E4EProxy", "CafeLAMv2", "LogExportProvider",
)  # fmt: skip


def names(version: str) -> list[str]:
    """The components of a version, in the cmdlet's order. Unified messaging ended with 2019."""
    return [name for name in _NAMES if name != "UMCallRouter" or version in ("2013", "2016")]


@dataclass(frozen=True)
class Entry:
    """One requester's word. at: seconds since the epoch."""

    requester: str
    state: str
    at: float


@dataclass
class Store:
    """The words of all requesters in one place."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def say(self, entry: Entry) -> None:
        """Replaces the requester's word."""
        self.entries[entry.requester] = entry


@dataclass
class Component:
    """One component of one server."""

    name: str
    local: Store = field(default_factory=Store)
    remote: Store = field(default_factory=Store)

    def asked(self) -> str | None:
        """What the requesters together ask for: the newest word of each, and Inactive before Draining before Active."""
        newest = []
        for requester in {*self.local.entries, *self.remote.entries}:
            words = [store.entries[requester] for store in (self.remote, self.local) if requester in store.entries]
            newest.append(max(words, key=lambda entry: entry.at).state)
        return next((state for state in (INACTIVE, DRAINING, ACTIVE) if state in newest), None)


class States:
    """All components of a server."""

    def __init__(self, version: str, set_up_at: float) -> None:
        self.components = {name.casefold(): Component(name) for name in names(version)}
        for name in _SETUP:
            for store in (self.find(name).remote, self.find(name).local):
                store.say(Entry("Functional", ACTIVE, set_up_at))

    def __iter__(self) -> Iterator[Component]:
        return iter(self.components.values())

    def find(self, name: str) -> Component:
        """The component of that name. Raises KeyError."""
        return self.components[name.casefold()]

    @property
    def is_offline(self) -> bool:
        """Whether ServerWideOffline takes the others with it."""
        return self.find(SERVER_WIDE_OFFLINE).asked() == INACTIVE

    def effective(self, component: Component) -> str:
        """The state in effect."""
        if self.is_offline and component.name not in _APART:
            return INACTIVE
        return component.asked() or (INACTIVE if component.name in _INACTIVE_BY_DEFAULT else ACTIVE)


def may_be(component: str, state: str) -> bool:
    """Only what holds mail can drain."""
    return state != DRAINING or component in _DRAINS
