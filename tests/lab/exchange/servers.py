# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Exchange server, as the directory knows it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import Any

from ..hosts import UP, Host
from ..installed import Exchange
from . import objects
from .components import States
from .described import RECEIVE_CONNECTORS, ReceiveConnector

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
    def receive_connectors(self) -> tuple[ReceiveConnector, ...]:
        given = self.exchange.receive_connectors
        if given is not None:
            return given
        return tuple(replace(item, name=f"{item.name} {self.name}") for item in RECEIVE_CONNECTORS)

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
