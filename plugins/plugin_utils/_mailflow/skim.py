# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The quick way through a block of an SMTP protocol log: most sessions are told by three of their lines. Pure.

One expression finds the marks: the lines in which a session begins or ends, or a negotiation, a login or a hop is told
of. A session that begins, agrees on TLS and ends within the block, and has no other mark, is counted here. The marks of
all others are handed back.
"""

from __future__ import annotations

import re
import typing as t

from . import session as seen
from .session import Session
from .words import SEND, agreed

Key = tuple[bytes, bytes]
# Told how many sessions there are like the one.
Sink = t.Callable[[Session, int], object]
# Different sessions that are kept until they are handed over.
MOST_ALIKE = 50_000

# More than first letters in the expression takes longer than looking afterwards.
_MARK = re.compile(rb',[-+*<>],(?:(?<=[-+],)|(?<=\*,)[^,\n"]*,?"?[TSFIO][Leanu][Scibt]|(?<=[<>],)[Xx][Pp])')
_AGREED = b',"TLS protocol '
DATED: t.Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d")
_BEGINS, _ENDS = b"+-"


class Skimmer:
    """Sessions that are alike are handed to ``sink`` as one, by :meth:`settle`, or when there are too many."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._alike: dict[tuple[t.Any, ...], list[t.Any]] = {}

    def skim(self, block: bytes, begin: int, end: int, direction: str | None, known: t.Container[Key]) -> list[int]:
        """Counts what can be counted, and returns where the other marks are, in their order: at the comma before the
        event. ``known``: sessions that are open from before. Every line begins after a line break, also the first."""
        left: list[int] = []
        begun: dict[Key, int] = {}
        told: dict[Key, int] = {}
        for match in _MARK.finditer(block, begin, end):
            at = match.start()
            try:
                # what is behind the name of the connector has no quotes
                first, name, dummy, local, peer = block[block.rfind(b"\n", 0, at) + 1 : at].rsplit(b",", 4)
            except ValueError:
                left.append(at)
                continue
            key = (name, peer)
            event = block[at + 1]
            if event == _ENDS:
                if key in begun and key in told:
                    marks = begun.pop(key), told.pop(key)
                    if self._count(block, *marks, direction, first, local, key):
                        continue
                    left += marks
                left.append(at)
            elif key in (of_kind := begun if event == _BEGINS else told) or key in known:
                # not whole, or more than a negotiation
                left += (at, *(marks.pop(key) for marks in (begun, told) if key in marks))
            else:
                of_kind[key] = at
        left += begun.values()
        left += told.values()
        left.sort()
        return left

    def settle(self) -> None:
        """Hands over all that was counted."""
        for session, number in self._alike.values():
            self._sink(session, number)
        self._alike.clear()

    def _count(
        self, block: bytes, began: int, told: int, direction: str | None, first: bytes, local: bytes, key: Key
    ) -> bool:
        """Whether the marks are those of a session that agreed on TLS, which is then counted."""
        if told < began or not block.startswith(_AGREED, told + 3):
            return False
        text = block[told + 3 : block.find(b"\n", told)]
        line = block.rfind(b"\n", 0, began) + 1
        connector = first.partition(b",")[2]
        # the port of whoever connects is another one each time
        ends = local, key[1]
        if direction is not None:
            ends = (local.rpartition(b":")[0], key[1]) if direction == SEND else (local, key[1].rpartition(b":")[0])
        alike = (direction, block[line : line + 10], connector, ends, text)
        known = self._alike.get(alike)
        if known is not None:
            known[1] += 1
            return True
        tls = agreed(text)
        if tls is None or b"," in connector or b'"' in connector or not DATED.match(block, line):
            return False
        session = Session(direction, alike[1], connector, key[0], local, key[1])
        session.flags, session.tls = seen.BEGAN | seen.ENDED, tls
        self._alike[alike] = [session, 1]
        if len(self._alike) > MOST_ALIKE:
            self.settle()
        return True
