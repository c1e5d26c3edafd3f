# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The quick way through a block of an SMTP protocol log: most sessions are told by three of their lines. Pure.

One expression finds the marks: the lines in which a session begins or ends, or a negotiation, a login or a hop is told
of. A session that begins and ends within the block, and has no other mark than that it agreed on TLS, is counted here;
if it did not, its lines are looked at. The marks of all others are handed back.
"""

from __future__ import annotations

import itertools
import re
import typing as t

from . import session as seen
from .dialogue import DATED, QUOTED, event_of, rest_of, tell
from .session import Session
from .telling import Lines
from .words import SEND, agreed

Key = tuple[bytes, bytes]
# Told how many sessions there are like the one.
Sink = t.Callable[[Session, int], object]
# Different sessions that are kept until they are handed over.
MOST_ALIKE = 50_000

# More than first letters in the expression takes longer than looking afterwards; but permissions are told of in every
# session ("Set Session Permissions").
_TOLD = rb'"?[TSFIOtsfio][LEANUleanu][SCIBTscibt](?<![Ss]et)'
_MARK = re.compile(
    rb",[-+*<>],(?:(?<=[-+],)"
    # in the data, or in the context behind data without commas, or with them
    rb"|(?<=\*,)(?:" + _TOLD + rb'|[^,\n"]*,' + _TOLD + rb"|" + QUOTED + rb"," + _TOLD + rb")"
    rb'|(?<=[<>],)"?[Xx](?:[Pp][Rr]|[Ss][Ee]))'
)
_MARKS = re.compile(b"(" + _MARK.pattern + b")")
_BEGIN, _END = b",+,", b",-,"
# That TLS was agreed on, as a mark and what is behind it.
_AGREED, _PROTOCOL = b',*,,"TLS', b" protocol "


class _Marks(t.NamedTuple):
    """A block, split at its marks: at the odd numbers are these, and between them the rest of a line, whole lines, and
    what the next line has before its mark. ``places``: where each part begins in the block."""

    block: bytes
    direction: str | None
    lines: Lines
    parts: list[bytes]
    places: list[int]


class Skimmer:
    """Sessions that are alike are handed to ``sink`` as one, by :meth:`settle`, or when there are too many."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._alike: dict[tuple[t.Any, ...], list[t.Any]] = {}

    def skim(
        self,
        block: bytes,
        begin: int,
        end: int,
        direction: str | None,
        known: t.Container[Key],
        bad: t.Collection[int],
        lines: Lines,
    ) -> list[int]:
        """Counts what can be counted, and returns where the other marks are, in their order: at the comma before the
        event. ``known``: sessions that are open from before; ``bad``: where lines begin that are none; ``lines``: those
        of the block."""
        parts = _MARKS.split(block if end - begin == len(block) else block[begin:end])
        places = list(itertools.accumulate(map(len, parts), initial=begin))
        at = _Marks(block, direction, lines, parts, places)
        left: list[int] = []
        begun: dict[Key, tuple[int, list[bytes]]] = {}
        told: dict[Key, int] = {}
        mixed: set[Key] = set()
        for number in range(1, len(parts), 2):
            between, mark = parts[number - 1], parts[number]
            cut = between.rfind(b"\n") + 1
            if not cut and number > 1:
                # a line has one event: what looks like others is part of its text
                continue
            head = between[cut:]
            fields = head.split(b",")
            if len(fields) != 6 or b'"' in head or (bad and places[number] - len(head) in bad):
                # damaged, or with commas in the name of the connector, or no event but part of a text
                real = event_of(block, places[number] - len(head)) - 1
                if real < 0 or _MARK.match(block, real):
                    left.append(places[number] if real < 0 else real)
                continue
            key = (fields[2], fields[5])
            if mark == _END:
                mixed.discard(key)
                first, negotiation = begun.pop(key, None), told.pop(key, None)
                if first is None or not self._count(at, first, negotiation, number):
                    left.append(places[number])
                    if first is not None:
                        left.append(places[first[0]])
                    if negotiation is not None:
                        left.append(places[negotiation])
            elif key in (begun if mark == _BEGIN else told) or key in known or key in mixed:
                # not whole, or more than a negotiation: so is the rest of it
                left.append(places[number])
                mixed.add(key)
                if key in begun:
                    left.append(places[begun.pop(key)[0]])
                if key in told:
                    left.append(places[told.pop(key)])
            elif mark == _BEGIN:
                begun[key] = number, fields
            else:
                told[key] = number
        left += (places[first[0]] for first in begun.values())
        left += (places[number] for number in told.values())
        left.sort()
        return left

    def settle(self) -> None:
        """Hands over all that was counted."""
        for session, number in self._alike.values():
            self._sink(session, number)
        self._alike.clear()

    def _count(self, at: _Marks, first: tuple[int, list[bytes]], told: int | None, end: int) -> bool:
        """Whether the marks, as far as there are any between its first and its last line, tell all of a session, which
        is then counted."""
        began, (time, connector, name, number, local, peer) = first
        if told is not None and told < began:
            return False
        if told is None or at.parts[told] != _AGREED or not at.parts[told + 1].startswith(_PROTOCOL):
            return self._look(at, first, end)
        text = at.parts[told + 1]
        text = text[: text.find(b"\n")]
        alike = (*_place(at.direction, time, connector, local, peer), text)
        known = self._alike.get(alike)
        if known is not None:
            known[1] += 1
            return True
        tls = agreed(_AGREED + text)
        if tls is None or not number.isdigit() or not DATED.match(time):
            return False
        session = Session(at.direction, time[:10], connector, name, local, peer)
        session.flags, session.tls = seen.BEGAN | seen.ENDED, tls
        self._keep(alike, session)
        return True

    def _keep(self, alike: tuple[t.Any, ...], session: Session) -> None:
        self._alike[alike] = [session, 1]
        if len(self._alike) > MOST_ALIKE:
            self.settle()

    def _look(self, at: _Marks, first: tuple[int, list[bytes]], end: int) -> bool:
        """The same of a session that did not agree on TLS, of which every line is looked at."""
        began, (time, connector, name, number, local, peer) = first
        if not number.isdigit() or not DATED.match(time):
            return False
        session = Session(at.direction, time[:10], connector, name, local, peer)
        session.flags, session.seek = seen.BEGAN, at.places[began]
        at.lines.tell(session, at.block.rfind(b"\n", 0, at.places[end]))
        tell(session, b"-", rest_of(at.block, at.places[end] + 3))
        place = _place(at.direction, time, connector, local, peer)
        alike = (*place, session.flags, session.tls, session.error, session.login, session.client)
        known = self._alike.get(alike)
        if known is not None:
            known[1] += 1
        else:
            self._keep(alike, session)
        return True


def _place(
    direction: str | None, time: bytes, connector: bytes, local: bytes, peer: bytes
) -> tuple[str | None, bytes, bytes, bytes, bytes]:
    """Where a session is counted. The port of whoever connects is another one each time."""
    if direction == SEND:
        return direction, time[:10], connector, local.rpartition(b":")[0], peer
    if direction is not None:
        return direction, time[:10], connector, local, peer.rpartition(b":")[0]
    return direction, time[:10], connector, local, peer
