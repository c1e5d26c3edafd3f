# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Counts of sessions by server, direction, connector, peer and day. Pure; bounded by the number of peers that are
named."""

from __future__ import annotations

import functools
import typing as t

from . import session as seen
from .session import Session
from .words import OLD

# Counts that are kept by the name of the peer, of what people must look into and of the rest. Of more peers the counts
# are kept, without their names.
MOST_NAMED = 50_000
# Stands for all peers that were too many.
UNNAMED = b""

TLS, FAILED, PLAIN_MAIL, PLAIN_LOGIN, REQUIRED, NOT_OFFERED, CHAIN, QUIET, INCOMPLETE, UNCONNECTED = (
    "tls", "failed", "plain_mail", "plain_login", "starttls_required", "starttls_not_offered", "starttls_withdrawn",
    "no_message", "incomplete", "unconnected",
)  # fmt: skip
# What nobody has to look into.
ORDINARY = frozenset({QUIET, INCOMPLETE, UNCONNECTED})


class Place(t.NamedTuple):
    """Where something was seen. ``inside``: whether it was a hop between services of Exchange. Bytes are those of the
    log; ``peer`` is :data:`UNNAMED` for those that were too many."""

    server: str
    direction: str
    connector: bytes
    peer: bytes
    day: bytes
    inside: bool


class What(t.NamedTuple):
    """What was seen: a kind, and its name (the version, the error, whether STARTTLS was offered) and detail
    (cipher)."""

    kind: str
    name: str = ""
    detail: str = ""


# Of places and kinds that are equal there is one object, which is sent to another process once.
Counts = dict[tuple[Place, What], int]
_what = functools.lru_cache(maxsize=1024)(What)


class Tally:
    """``since``: days before are left out, ``YYYY-MM-DD``. ``unnamed``: how many were counted without their peer."""

    def __init__(self, server: str, since: str = "") -> None:
        self.counts: Counts = {}
        self.unnamed = 0
        self._places: dict[Place, Place] = {}
        self._named = {True: 0, False: 0}
        self._server = server
        self._since = since.encode()

    def add(self, session: Session, number: int = 1) -> None:
        """Counts a session, and so many like it."""
        if session.day < self._since:
            return
        inside = session.is_inside
        # a hop is made by servers, whoever they act for
        peer = seen.address(session.peer) if inside else session.host
        place = Place(self._server, session.way, session.connector, peer, session.day, inside)
        for what in facts(session):
            self.count(place, what, number)

    def count(self, place: Place, what: What, number: int) -> None:
        key = (place, what)
        known = self.counts.get(key)
        if known is None:
            is_ordinary = what.kind in ORDINARY or (what.kind == TLS and what.name not in OLD)
            if place.peer == UNNAMED:
                known = 0
            elif self._named[is_ordinary] >= MOST_NAMED:
                self.unnamed += number
                place = place._replace(peer=UNNAMED, connector=b"")
                known = self.counts.get((place, what), 0)
            else:
                self._named[is_ordinary] += 1
                known = 0
            key = (self._places.setdefault(place, place), what)
        self.counts[key] = known + number

    def merge(self, counts: Counts) -> None:
        for (place, what), number in counts.items():
            self.count(place, what, number)


def facts(session: Session) -> list[What]:
    """What a session counts as; it may be several things."""
    flags, found = session.flags, []
    if session.tls is not None:
        found.append(_what(TLS, session.tls.version, session.tls.cipher or ""))
    if (failure := session.failure) is not None:
        found.append(_what(FAILED, failure))
    if session.tls is not None:
        return found
    offered = session.is_offered
    if session.is_plain:
        found.append(_what(PLAIN_MAIL, _OFFERED[offered]))
    if flags & seen.PLAIN_LOGIN and flags & seen.BEGAN:
        found.append(_what(PLAIN_LOGIN))
    if flags & seen.REQUIRED:
        found.append(_what(REQUIRED))
    if offered is False:
        # a certificate that cannot be used takes STARTTLS from the greeting, and leaves the one for other servers
        found.append(_what(CHAIN if flags & seen.ANONYMOUS else NOT_OFFERED))
    if found:
        return found
    return [_what({"unconnected": UNCONNECTED, "no_message": QUIET}.get(session.outcome, INCOMPLETE))]


# Of mail in plain text, where STARTTLS was there all the same.
OFFER: t.Final = "offered"
_OFFERED: t.Final = {True: OFFER, False: "not_offered", None: "unknown"}
