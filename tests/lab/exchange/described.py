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
