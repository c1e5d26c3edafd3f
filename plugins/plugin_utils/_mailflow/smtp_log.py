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
from .dialogue import DATED, LINE, rest_of, tell
from .session import Session
from .skim import Key, Sink, Skimmer
from .telling import Lines
from .words import RECEIVE, SEND

# Sessions that are followed at a time. Where there are more, the oldest is told as far as it is known.
MOST_OPEN = 50_000
_FIELDS = b"date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data"
_BOM = b"\xef\xbb\xbf"
# Of lines that no SMTP protocol log has.
FOREIGN: t.Final = ""

_DAY = re.compile(rb"\d\d\d\d-\d\d-\d\dT")
_ODD_LINE = re.compile(rb"\n(?!" + _DAY.pattern + rb")")


class Scanner:
    """Takes blocks of whole lines, in their order; hands every session that is over to ``sink``.

    ``direction``: of lines before the first header; None where none says it. ``is_first``: whether nothing was logged
    before; else sessions that the log does not begin with are kept in ``begun_before``, for whoever has what was
    before. ``open``: sessions that are not over. ``lines``, ``damaged``, ``bare``: counts of all, of those that are
    none, and of headers and empty ones; ``unfollowed``: sessions that were too many at a time. ``has_others``: whether
    a header within says other columns, of which no line is read. No bytes are refused.
    """

    def __init__(self, sink: Sink, direction: str | None = None, *, is_first: bool = True) -> None:
        self._sink = sink
        self.direction = direction
        self._is_first = is_first
        self._skimmer = Skimmer(sink)
        self._block_lines = Lines(b"")
        self.open: dict[Key, Session] = {}
        self.begun_before: list[tuple[Key, Session]] = []
        self.lines = self.damaged = self.bare = self.unfollowed = 0
        self.has_others = False

    def feed(self, block: bytes, *, every_line: bool = False) -> None:
        """A block of whole lines. ``every_line``: whether each is looked at, as for the first ones of a file, which may
        belong to sessions that began in an earlier one."""
        # also where files were put together; it begins with a byte that few logs have
        if _BOM[0] in block:
            block = block.replace(_BOM, b"")
        if not block.endswith(b"\n"):
            block += b"\n"
        bad: set[int] = set()
        self._block_lines = Lines(block)
        borders = self._block_lines.borders
        if self.direction == FOREIGN:
            borders.append(0)
        scan = self._lines if every_line else self._marks
        for session in self.open.values():
            session.seek = len(block) if every_line else 0
        begin = 0
        lines = block.count(b"\n")
        for at in _odd_lines(block, lines):
            line = rest_of(block, at)
            if not line:
                self.bare += 1
            elif line.startswith(b"#"):
                self.bare += 1
                direction = direction_of(line)
                if direction is not None:
                    if self.direction != FOREIGN:
                        scan(block, begin, at, bad)
                        self.has_others |= direction == FOREIGN and line[:7].lower() == b"#fields"
                    if FOREIGN in (direction, self.direction) and direction != self.direction:
                        borders.append(at)
                    begin, self.direction = at, direction
            elif not DATED.match(line):
                bad.add(at)
        if self.direction != FOREIGN:
            scan(block, begin, len(block), bad)
        for session in self.open.values():
            self._block_lines.tell(session, len(block))
        self.lines += lines
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
        left = self._skimmer.skim(block, begin, end, self.direction, self.open, bad, self._block_lines)
        for at in left:
            line = block.rfind(b"\n", 0, at) + 1
            if line in bad:
                continue
            head = block[line:at]
            fields: t.Sequence[bytes] = head.split(b",")
            if len(fields) != 6 or b'"' in head or not fields[3].isdigit() or not DATED.match(head):
                columns = LINE.match(block, line)
                if columns is None or not DATED.match(head):
                    bad.add(line)
                    continue
                if columns.start(7) != at + 1:
                    # what looks like an event is part of a text
                    continue
                fields = columns.groups()
            time, connector, name, dummy, local, peer = fields[:6]
            key, event = (name, peer), block[at + 1 : at + 2]
            session = self.open.get(key)
            if session is None or event == b"+":
                session = self._begin(key, time, connector, local, line, 0 if event != b"+" else at)
                if event != b"+":
                    # it began in an earlier piece, and may have said something in this block before its first mark
                    self._block_lines.tell(session, line)
                    if session.flags & (seen.BEGAN | seen.ENDED):
                        # no, one of the same name did, which is over
                        del self.open[key]
                        session = self._begin(key, time, connector, local, line, at)
            if event == b"-":
                self._block_lines.tell(session, line)
            tell(session, event, rest_of(block, at + 3))
            if event == b"-":
                self._over(self.open.pop(key))

    def _lines(self, block: bytes, begin: int, end: int, bad: set[int]) -> None:
        """Every line."""
        start = begin
        while start < end:
            match = LINE.match(block, start)
            if match is not None and DATED.match(block, start):
                key, event = (match[3], match[6]), match[7]
                session = self.open.get(key)
                if session is None or event == b"+":
                    session = self._begin(key, match[1], match[2], match[5], start, len(block))
                tell(session, event, match[8])
                if event == b"-":
                    self._over(self.open.pop(key))
            elif block[start] not in b"#\r\n":
                bad.add(start)
            start = block.index(b"\n", start) + 1

    def _begin(self, key: Key, time: bytes, connector: bytes, local: bytes, line: int, seek: int) -> Session:
        """The session of a line that may be its first."""
        before = self.open.get(key)
        if before is not None:
            if not before.flags & seen.BEGAN:
                # an attempt, before there is a connection
                before.local = local or before.local
                return before
            # one of the same name, whose end is not in the log
            self._give_up(key, line)
        if connector.startswith(b'"'):
            connector = connector[1:-1].replace(b'""', b'"')
        session = self.open[key] = Session(self.direction, time[:10], connector, key[0], local, key[1])
        session.seek = seek
        if len(self.open) > MOST_OPEN:
            self.unfollowed += 1
            self._give_up(next(iter(self.open)), line)
        return session

    def _give_up(self, key: Key, line: int) -> None:
        session = self.open.pop(key)
        self._block_lines.tell(session, line)
        self._over(session)

    def _over(self, session: Session) -> None:
        has_begin = session.flags & (seen.BEGAN | seen.ATTEMPTED)
        if self._is_first or has_begin or len(self.begun_before) >= MOST_OPEN:
            self._sink(session, 1)
        else:
            self.begun_before.append(((session.id, session.peer), session))


def _odd_lines(block: bytes, lines: int) -> t.Iterator[int]:
    """Where the lines are that do not begin with a time."""
    day = _DAY.match(block)
    if day is not None and block.count(b"\n" + day[0]) == lines - 1:
        # all begin with the same day, as they nearly always do
        return
    if day is None:
        yield 0
    yield from (match.end() for match in _ODD_LINE.finditer(block, 0, len(block) - 1))


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
