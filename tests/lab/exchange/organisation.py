# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The organisation: what the directory knows of all Exchange servers, whichever of them is asked."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..hosts import UP, Host
from ..installed import Exchange
from . import objects
from .components import States

NAME = "LabOrg"
_SITE = "Default-First-Site-Name"


@dataclass
class Server:
    """One Exchange server. What is here outlives restarts: it is in the directory, or in the registry."""

    host: Host
    exchange: Exchange
    states: States
    guid: str = field(default_factory=lambda: str(uuid.uuid4()))
    activation_policy: str = "Unrestricted"
    move_now: bool = False

    @property
    def name(self) -> str:
        return self.host.description.computer_name.upper()

    @property
    def fqdn(self) -> str:
        return f"{self.name}.{self.domain}"

    @property
    def domain(self) -> str:
        return self.host.description.domain.lower()

    @property
    def site(self) -> str:
        return f"{self.domain}/Configuration/Sites/{_SITE}"

    @property
    def is_up(self) -> bool:
        return self.host.status == UP

    @property
    def distinguished_name(self) -> str:
        parts = ",".join(f"DC={part}" for part in self.domain.split("."))
        return (
            f"CN={self.name},CN=Servers,CN=Exchange Administrative Group (FYDIBOHF23SPDLT),CN=Administrative Groups,"
            f"CN={NAME},CN=Microsoft Exchange,CN=Services,CN=Configuration,{parts}"
        )

    def identity(self) -> Any:
        """A new ADObjectId of it."""
        return objects.identity(self.name, self.distinguished_name, self.guid, self.domain)


class Organisation:
    """All Exchange servers of a lab. Whoever reads or changes them holds the lock."""

    def __init__(self, hosts: Iterable[Host]) -> None:
        self.lock = threading.RLock()
        self.servers: list[Server] = []
        self.redirections: list[tuple[str, str]] = []
        for host in hosts:
            exchange = host.description.exchange
            if exchange is not None and exchange.is_server:
                self.servers.append(Server(host, exchange, States(exchange.version, host.booted_at - 86400)))

    def find(self, identity: str) -> Server | None:
        """The server meant by its name, full name, GUID or distinguished name; names have no case."""
        wanted = identity.strip().casefold()
        for server in self.servers:
            if wanted in (
                name.casefold() for name in (server.name, server.fqdn, server.guid, server.distinguished_name)
            ):
                return server
        return None

    def of(self, host: Host) -> Server:
        """The server that a host is. Raises KeyError."""
        for server in self.servers:
            if server.host is host:
                return server
        raise KeyError(host.description.name)
