# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""SMTP protocol logs of Exchange 2007 to SE, front end, hub and edge: from bytes to sessions. Pure, and one pass.

A line is ``date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context``, with
quotes where a field has commas; which version wrote it shows in no column. Most sessions are counted by :mod:`skim`.
Here are the others: those without TLS, of which each line is looked at, those that are not whole within a block, and
those of which more is told. Memory is bounded by the number of sessions that are open at a time.
"""

from __future__ import annotations

import re
import typing as t

from . import session as seen
from .dialogue import LINE, TELLING, tell
from .session import Session
from .skim import DATED, Key, Sink, Skimmer
from .words import RECEIVE, SEND

# Sessions that are followed at a time. Where there are more, the oldest is told as far as it is known.
MOST_OPEN = 50_000
# Sessions without TLS from an earlier block; where there are more, looking at every line is quicker than looking for
# theirs.
_MOST_LOOKED_FOR = 100
_FIELDS = b"date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data"
_BOM = b"\xef\xbb\xbf"
# Of lines that no SMTP protocol log has.
FOREIGN: t.Final = ""

_ODD_LINE = re.compile(rb"\n(?!\d\d\d\d-\d\d-\d\dT)")


class Scanner:
    """Takes blocks of whole lines, in their order; hands every session that is over to ``sink``.

    ``direction``: of lines before the first header; None where none says it. ``is_first``: whether nothing was logged
    before; else sessions that the log does not begin with are kept in ``begun_before``, for whoever has what was
    before. ``open``: sessions that are not over. ``lines``, ``damaged``, ``headers``: counts; ``unfollowed``: sessions
    that were too many at a time. No bytes are refused.
    """

    def __init__(self, sink: Sink, direction: str | None = None, *, is_first: bool = True) -> None:
        self._sink = sink
        self.direction = direction
        self._is_first = is_first
        self._skimmer = Skimmer(sink)
        self.open: dict[Key, Session] = {}
        self.begun_before: list[tuple[Key, Session]] = []
        self.lines = self.damaged = self.headers = self.unfollowed = 0

    def feed(self, block: bytes, *, every_line: bool = False) -> None:
        """A block of whole lines. ``every_line``: whether each is looked at, as for the first ones of a file, which may
        belong to sessions that began in an earlier one; else only where that is quicker."""
        # every line begins after a line break, also the first
        block = b"\n" + (block if block.endswith(b"\n") else block + b"\n")
        bad: set[int] = set()
        every_line = every_line or sum(session.tls is None for session in self.open.values()) > _MOST_LOOKED_FOR
        scan = self._lines if every_line else self._marks
        for session in self.open.values():
            session.seek = len(block) if every_line else 0
        begin = 0
        for match in _ODD_LINE.finditer(block, 0, len(block) - 1):
            at = match.end()
            line = _rest(block, at).removeprefix(_BOM)
            if line.startswith(b"#"):
                self.headers += 1
                direction = direction_of(line)
                if direction is not None:
                    if self.direction != FOREIGN:
                        scan(block, begin, at, bad)
                    begin, self.direction = at, direction
            elif line and not DATED.match(line):
                bad.add(at)
        if self.direction != FOREIGN:
            scan(block, begin, len(block), bad)
        for session in self.open.values():
            _look(session, block, len(block))
        self.lines += block.count(b"\n") - 1
        self.damaged += len(bad)

    def finish(self) -> None:
        """Hands over what is left open. Nothing comes after this."""
        self.settle()
        for session in self.open.values():
            self._sink(session, 1)
        self.open.clear()

    def settle(self) -> None:
        """Hands over all that is over."""
        self._skimmer.settle()

    def _marks(self, block: bytes, begin: int, end: int, bad: set[int]) -> None:
        """The marks of sessions that are not counted by them alone."""
        for at in self._skimmer.skim(block, begin, end, self.direction, self.open):
            line = block.rfind(b"\n", 0, at) + 1
            head = block[line:at].rsplit(b",", 4)
            if len(head) != 5:
                bad.add(line)
                continue
            # what is behind the name of the connector has no quotes
            key, event = (head[1], head[4]), block[at + 1 : at + 2]
            session = self.open.get(key)
            if session is None or event == b"+":
                time, dummy, connector = head[0].partition(b",")
                if b"," in connector or b'"' in connector or not head[2].isdigit() or not DATED.match(time):
                    columns = LINE.match(block, line)
                    if columns is None or not DATED.match(time):
                        bad.add(line)
                        continue
                    if columns.start(7) != at + 1:
                        # what looks like an event is part of a text
                        continue
                    connector = columns[2]
                session = self._begin(key, time, connector, head[3], block, line, at)
            if event == b"-":
                _look(session, block, line)
            tell(session, event, block[at + 3 : block.find(b"\n", at)].rstrip(b"\r"))
            if event == b"-":
                self._over(self.open.pop(key))

    def _lines(self, block: bytes, begin: int, end: int, bad: set[int]) -> None:
        """Every line."""
        start = max(begin, 1)
        while start < end:
            match = LINE.match(block, start)
            if match is not None and DATED.match(block, start):
                key, event = (match[3], match[6]), match[7]
                session = self.open.get(key)
                if session is None or event == b"+":
                    session = self._begin(key, match[1], match[2], match[5], block, start, len(block))
                tell(session, event, match[8])
                if event == b"-":
                    self._over(self.open.pop(key))
            elif block[start] not in b"#\r\n" and not block.startswith(_BOM, start):
                bad.add(start)
            start = block.index(b"\n", start) + 1

    def _begin(
        self, key: Key, time: bytes, connector: bytes, local: bytes, block: bytes, line: int, seek: int
    ) -> Session:
        """The session of a line that may be its first."""
        before = self.open.get(key)
        if before is not None:
            if not before.flags & seen.BEGAN:
                # an attempt, before there is a connection
                before.local = local or before.local
                return before
            # one of the same name, whose end is not in the log
            self._give_up(key, block, line)
        if connector.startswith(b'"'):
            connector = connector[1:-1].replace(b'""', b'"')
        session = self.open[key] = Session(self.direction, time[:10], connector, key[0], local, key[1])
        session.seek = seek
        if len(self.open) > MOST_OPEN:
            self.unfollowed += 1
            self._give_up(next(iter(self.open)), block, line)
        return session

    def _give_up(self, key: Key, block: bytes, line: int) -> None:
        session = self.open.pop(key)
        _look(session, block, line)
        self._over(session)

    def _over(self, session: Session) -> None:
        has_begin = session.flags & (seen.BEGAN | seen.ATTEMPTED)
        if self._is_first or has_begin or len(self.begun_before) >= MOST_OPEN:
            self._sink(session, 1)
        else:
            self.begun_before.append(((session.id, session.peer), session))


def _look(session: Session, block: bytes, end: int) -> None:
    """Reads the lines of a session from where it was left. What is said after TLS was agreed on tells nothing."""
    if session.tls is not None:
        return
    needle, at = b"," + session.id + b",", session.seek
    while (found := block.find(needle, at, end)) >= 0:
        at = block.find(b"\n", found)
        match = TELLING.match(block, found + len(needle))
        if match is not None and match[1] == session.peer:
            tell(session, match[2] or match[3], match[4])
    session.seek = end


def _rest(block: bytes, start: int) -> bytes:
    """From ``start`` to the end of the line."""
    return block[start : block.find(b"\n", start)].rstrip(b"\r")


def direction_of(header: bytes) -> str | None:
    """What a header line says of the lines below it: ``receive``, ``send``, or :data:`FOREIGN`; None for nothing."""
    name, dummy, value = header.lower().partition(b":")
    if name == b"#fields":
        return None if value.replace(b" ", b"").startswith(_FIELDS) else FOREIGN
    if name != b"#log-type":
        return None
    if b"smtp receive" in value:
        return RECEIVE
    return SEND if b"smtp send" in value else FOREIGN


def sessions_of(lines: bytes, direction: str | None = None) -> tuple[list[Session], int]:
    """All sessions of a piece of a log, in the order of their ends, and how many lines are none. Any bytes are
    taken."""
    found: list[Session] = []
    scanner = Scanner(lambda session, number: found.extend([session] * number), direction)
    scanner.feed(lines, every_line=True)
    scanner.finish()
    return found, scanner.damaged
