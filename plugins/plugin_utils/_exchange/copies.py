# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Copies of databases: which are active, and which could take over. What Get-MailboxDatabaseCopyStatus says. Pure.

Flags look fine on a copy that is broken: a copy counts by its status, by what it still has to fetch and to replay, and
by its index (a copy that was FailedAndSuspended with 124,661 logs to fetch had all flags right).
"""

from __future__ import annotations

import dataclasses
import typing as t

from .records import Record

HEALTHY = "Healthy"
# Logs that a copy may be behind. StartDagServerMaintenance asks for a queue near zero; a lagged copy has thousands.
MOST_TO_COPY = 10
MOST_TO_REPLAY = 50
# 2019 has no index of its own, and says so.
_INDEX_IS_FINE = frozenset({"healthy", "healthyandupgrading", "notapplicable"})


@dataclasses.dataclass(frozen=True)
class Copy:
    """One copy of a database on one server. ``to_copy``, ``to_replay``: logs, None where Exchange does not tell."""

    database: str
    server: str
    status: str
    active: bool
    to_copy: int | None
    to_replay: int | None
    index: str | None
    suspended: bool = False
    comment: str | None = None

    @property
    def is_mounted(self) -> bool:
        """Mounted, or about to be. A recovery database is active and dismounted: nobody can move it, nor misses it."""
        return self.active and self.status.casefold().startswith("mount")

    @property
    def is_left_alone(self) -> bool:
        """Active, and not mounted: not one that is about to be dismounted, as in a move."""
        return self.active and not self.is_mounted and self.status.casefold() != "dismounting"

    @property
    def is_fine(self) -> bool:
        """Active, or one that follows it; what it lacks yet does not count."""
        return self.active or self.status.casefold() == HEALTHY.casefold()

    def wrong(self, active: Copy | None = None) -> str | None:
        """Why it could not take over; None where it could. ``active``: the one that it would take over from, whose
        database may have no index at all."""
        if self.status.casefold() != HEALTHY.casefold():
            return f"is {self.status}"
        if self.suspended:
            return "may not be activated"
        for what, behind, most in (
            ("copy", self.to_copy, MOST_TO_COPY),
            ("replay", self.to_replay, MOST_TO_REPLAY),
        ):
            if behind is None or behind > most:
                return f"has {'an unknown number of' if behind is None else behind} logs to {what}"
        is_off = active is not None and _is_off(active.index) and _is_off(self.index)
        if not is_off and (self.index is None or self.index.casefold() not in _INDEX_IS_FINE):
            return f"has an index that is {self.index or 'unknown'}"
        return None

    def as_result(self) -> dict[str, t.Any]:
        return {
            "database": self.database,
            "server": self.server,
            "status": self.status,
            "active": self.active,
            "copy_queue": self.to_copy,
            "replay_queue": self.to_replay,
            "index": self.index,
            "activation_suspended": self.suspended,
            "suspend_comment": self.comment,
        }


def _is_off(index: str | None) -> bool:
    """As where IndexEnabled is false for the database."""
    return index is not None and index.casefold() == "disabled"


def of_record(record: Record) -> Copy:
    """One object of Get-MailboxDatabaseCopyStatus."""
    return Copy(
        database=record.text("DatabaseName"),
        server=record.text("MailboxServer"),
        status=record.text("Status"),
        active=record.flag("ActiveCopy"),
        to_copy=record.integer_or_none("CopyQueueLength"),
        to_replay=record.integer_or_none("ReplayQueueLength"),
        index=record.text_or_none("ContentIndexState"),
        suspended=bool(record.flag_or_none("ActivationSuspended")),
        comment=record.text_or_none("SuspendComment") if "SuspendComment" in record else None,
    )
