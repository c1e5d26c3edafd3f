# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Finds the lines of a block that tell something of a session. Pure.

Looking for the id of a session is quick, but goes through the whole block for each. Where many are looked for, as they
are long, or many go on side by side, all telling lines are looked for at once.
"""

from __future__ import annotations

import bisect
import re
import typing as t

from .dialogue import QUOTED, event_of, is_event, tell
from .session import Session

# Most replies and commands that tell nothing are left out by what they begin with.
_SAID = rb'"?(?:[AaBbEeQqSsHhMmXx345]|22[01]|250[ -](?!\d\.\d))'
# Most of what Exchange itself notes is of permissions and certificates. In the data, or in the context behind it.
_NOTED = rb'(?:[^,\n"]*,|' + QUOTED + rb',)?"?(?i:tls|sec|inb|out|att|fai|pro|dro)'
# Behind the id of a session: number, local, remote, event (one of two groups), and the rest.
TELLING: t.Final = re.compile(
    rb"\d+,[^,\n]*,([^,\n]*),(?:([-+]|\*(?=," + _NOTED + rb")),|([<>]),(?=" + _SAID + rb"))([^\r\n]*)"
)
_EVENT = re.compile(rb",[-+*<>],(?:" + _SAID + rb"|(?<=[-+],)|(?<=\*,)" + _NOTED + rb")")
# So many times the bytes of a block are looked through for single sessions; all at once takes about as long.
_MOST_TIMES = 6


class Lines:
    """Those of a block of whole lines, for the sessions that are looked for in it. ``borders``: where lines begin that
    are not of such a log, where they end, and so on."""

    def __init__(self, block: bytes) -> None:
        self.borders: list[int] = []
        self._block = block
        self._left = _MOST_TIMES * len(block)
        self._by_session: dict[tuple[bytes, bytes], list[int]] | None = None

    def tell(self, session: Session, end: int) -> None:
        """Notes what the lines tell of a session, from where it was left. What is said after TLS was agreed on tells
        nothing."""
        if session.tls is not None:
            return
        if self._by_session is None:
            self._left -= end - session.seek
            if self._left < 0:
                self._by_session = _by_session(self._block)
        for match in self._of(session, end) if self._by_session is None else self._known(session, end):
            line = self._block.rfind(b"\n", 0, match.start()) + 1
            if bisect.bisect_right(self.borders, line) % 2:
                continue
            if match[1] == session.peer and is_event(self._block, line, match.end(1) + 1):
                tell(session, match[2] or match[3], match[4])
        session.seek = end

    def _of(self, session: Session, end: int) -> t.Iterator[re.Match[bytes]]:
        block, needle, at = self._block, b"," + session.id + b",", session.seek
        while (found := block.find(needle, at, end)) >= 0:
            match = TELLING.match(block, found + len(needle))
            if match is None:
                at = block.find(b"\n", found)
            else:
                at = match.end()
                yield match

    def _known(self, session: Session, end: int) -> t.Iterator[re.Match[bytes]]:
        places = (self._by_session or {}).get((session.id, session.peer), [])
        for index in range(bisect.bisect_left(places, session.seek), bisect.bisect_left(places, end)):
            if match := TELLING.match(self._block, places[index]):
                yield match


def _by_session(block: bytes) -> dict[tuple[bytes, bytes], list[int]]:
    """Where the number of each telling line is, by the id and the peer of its session."""
    found: dict[tuple[bytes, bytes], list[int]] = {}
    looked_at = 0
    for match in _EVENT.finditer(block):
        at = match.start()
        if at < looked_at:
            # a line has one event
            continue
        line = block.rfind(b"\n", 0, at) + 1
        looked_at = block.find(b"\n", at)
        if not is_event(block, line, at + 1):
            at = event_of(block, line) - 1
            if at < 0 or not _EVENT.match(block, at):
                continue
        dummy, name, number, local, peer = block[line:at].rsplit(b",", 4)
        found.setdefault((name, peer), []).append(at - len(number) - len(local) - len(peer) - 2)
    return found
