# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""A DAG: what Get-DatabaseAvailabilityGroup says with -Status, without which the half of it is blank. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .endpoint import is_same_server
from .records import ABSENT, Record

_BROKEN_WITNESS = "InvalidConfiguration"
_NO_WITNESS = "None"
# Which server has the share, by WitnessShareInUse.
_WITNESS_SERVERS = {"primary": "WitnessServer", "alternate": "AlternateWitnessServer"}


@dataclasses.dataclass(frozen=True)
class Group:
    """``operational``, ``manager``, ``witness``: None where Exchange does not tell, which is never healthy.
    ``witness_server``: whose share is in use, None for no share or an unknown one."""

    name: str
    members: tuple[str, ...]
    operational: tuple[str, ...] | None
    manager: str | None  # the Primary Active Manager
    witness: str | None  # WitnessShareInUse
    witness_server: str | None = None

    def others(self, server: str) -> tuple[str, ...]:
        return tuple(name for name in self.members if not is_same_server(name, server))

    @property
    def witness_is_broken(self) -> bool:
        return self.witness is not None and self.witness.casefold() == _BROKEN_WITNESS.casefold()

    @property
    def lacks_witness(self) -> bool:
        """Whether one member alone would have no majority: of two without a third vote. Of more, those that are left
        have one."""
        return len(self.members) == 2 and (self.witness or "").casefold() == _NO_WITNESS.casefold()

    def is_operational(self, server: str) -> bool:
        return any(is_same_server(name, server) for name in self.operational or ())

    def as_result(self) -> dict[str, t.Any]:
        return {
            "name": self.name,
            "members": list(self.members),
            "operational": None if self.operational is None else list(self.operational),
            "primary_active_manager": self.manager,
            "witness_share_in_use": self.witness,
        }


def of_record(record: Record) -> Group:
    """One object of Get-DatabaseAvailabilityGroup -Status."""
    witness = _text(record, "WitnessShareInUse")
    server = _WITNESS_SERVERS.get((witness or "").casefold())
    return Group(
        name=record.text("Name"),
        members=tuple(record.names("Servers")),
        operational=_blank_is_unknown(record, "OperationalServers"),
        manager=_text(record, "PrimaryActiveManager"),
        witness=witness,
        witness_server=_witness(record, server) if server else None,
    )


def may_be_witness(record: Record, server: str) -> bool:
    """Whether a server is named as the witness of a DAG, in use or not."""
    names = (_witness(record, name) for name in _WITNESS_SERVERS.values())
    return any(name is not None and is_same_server(name, server) for name in names)


def _witness(record: Record, name: str) -> str | None:
    """No recorded DAG has it: what is no text is nothing that a maintenance should end for."""
    found = record.get(name)
    return str(found).strip() or None if isinstance(found, (str, Record)) else None


def _text(record: Record, name: str) -> str | None:
    found = record.get(name)
    return None if found is ABSENT or found is None else record.text(name).strip() or None


def _blank_is_unknown(record: Record, name: str) -> tuple[str, ...] | None:
    found = record.get(name)
    return None if found is ABSENT or found is None else tuple(record.names(name)) or None
