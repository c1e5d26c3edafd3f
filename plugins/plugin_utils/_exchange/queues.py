# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Mail that waits on a server: what of it has to go before the server may. What Get-Queue says. Pure.

Shadow queues stay as long as the partner holds copies, and poison mail until somebody looks at it: neither drains.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._mailflow.last_errors import LONGEST
from .records import Record

_SHADOW = "ShadowRedundancy"
_POISON = ("poison message", "poison")
# Mail that has no way to go: no other server has one for it either.
_UNREACHABLE = "unreachable"
# What is in such a queue waits for its next try, or for somebody to resume it, wherever it lies.
_RESTS = frozenset({"retry", "suspended"})
SUBMISSION = "Submission"
# What goes by a Send connector has another word before it.
_INSIDE: t.Final = ("smtprelay", "smtpdelivery")
_NO_CONNECTOR = "00000000-0000-0000-0000-000000000000"


@dataclasses.dataclass(frozen=True)
class Queue:
    """``messages``: all of it; ``deferred``: what waits for its next try, None where Exchange does not tell."""

    identity: str
    delivery: str
    next_hop: str
    status: str
    messages: int
    deferred: int | None = None
    last_error: str | None = None
    #: The GUID of the connector that it goes by; None where it goes by none.
    connector: str | None = None

    @property
    def drains(self) -> bool:
        """Whether it gets empty by itself."""
        name = self.identity.rpartition("\\")[2]
        return not (
            self.delivery.casefold() == _SHADOW.casefold()
            or self.next_hop.casefold() in _POISON
            or name.casefold() in _POISON
        )

    @property
    def has_no_way(self) -> bool:
        """What is in it waits until somebody changes the routing: to redirect it takes it nowhere."""
        return self.delivery.casefold() == _UNREACHABLE or self.identity.rpartition("\\")[2].casefold() == _UNREACHABLE

    @property
    def stays_inside(self) -> bool:
        """Whether it goes to another server, or another service, of the organisation: ``SmtpRelayToDag`` and others."""
        return self.delivery.casefold().startswith(_INSIDE)

    @property
    def goes(self) -> int:
        """Messages of it that go at once, unless something is wrong with their way."""
        if not self.drains or self.has_no_way or self.status.casefold() in _RESTS:
            return 0
        return max(0, self.messages - (self.deferred or 0))

    def as_result(self) -> dict[str, t.Any]:
        return {
            "identity": self.identity,
            "delivery_type": self.delivery,
            "next_hop": self.next_hop,
            "status": self.status,
            "messages": self.messages,
            "deferred": self.deferred,
            "last_error": self.last_error,
            "connector": self.connector,
        }


def of_record(record: Record) -> Queue:
    """One object of Get-Queue."""
    return Queue(
        identity=record.text("Identity"),
        delivery=record.text("DeliveryType"),
        next_hop=record.text_or_none("NextHopDomain") or "",
        status=record.text("Status"),
        messages=record.integer("MessageCount"),
        deferred=_deferred(record),
        last_error=_last_error(record),
        connector=_connector(record),
    )


def _last_error(record: Record) -> str | None:
    """No longer than what is looked at of it: whoever the mail goes to has a say in it."""
    found = record.text_or_none("LastError") if "LastError" in record else None
    more = 0 if found is None else len(found) - LONGEST
    return found if found is None or more <= 0 else f"{found[:LONGEST]}... ({more} more characters)"


def _connector(record: Record) -> str | None:
    found = record.text_or_none("NextHopConnector") if "NextHopConnector" in record else None
    return None if found in ("", _NO_CONNECTOR) else found


def _deferred(record: Record) -> int | None:
    """By priority where that is told: the plain count was seen to be 0 beside it (1 of 4 deferred)."""
    by_priority = record.get("DeferredMessageCountsPerPriority")
    counts = [item for item in by_priority if isinstance(item, int)] if isinstance(by_priority, list) else []
    plain = record.get("DeferredMessageCount")
    total = plain if isinstance(plain, int) else None
    return total if not counts else max(sum(counts), total or 0)


def waiting(queues: t.Iterable[Queue]) -> int:
    """The messages that have to go before the server may."""
    return sum(queue.messages for queue in queues if queue.drains and not queue.has_no_way)
