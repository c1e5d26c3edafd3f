# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""SMTP protocol logs of Exchange 2007 to SE, front end, hub and edge: from bytes to sessions. Pure, and one pass.

A line is ``date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context``, with
quotes where a field has commas; which version wrote it shows in no column. Most sessions are told by three of their
lines: the first, the last, and what came of the negotiation. One expression finds these in a block. Only the other
lines of sessions without TLS are looked at besides. Memory is bounded by the number of sessions that are open at a
time.
"""

from __future__ import annotations

import re
import typing as t

from . import session as seen
from .dialogue import LINE, tell
from .session import Session
from .words import RECEIVE, SEND, agreed

# Sessions that are followed at a time. Where there are more, the oldest is told as far as it is known.
MOST_OPEN = 50_000
_FIELDS = b"date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data"
_BOM = b"\xef\xbb\xbf"
# Of lines that no SMTP protocol log has.
FOREIGN: t.Final = ""

# Connected, disconnected, what is told of a negotiation or a login, and who is behind a hop. More than first letters in
# the expression takes longer than looking afterwards.
_EVENT = re.compile(rb',(?:[-+],|\*,[^,\n"]*,?"?[TSFIO][Leanu][Scibt]|[<>],[Xx][Pp])')
_CONNECTED, _DISCONNECTED = b",+,", b",-,"
_ODD_LINE = re.compile(rb"\n(?!\d\d\d\d-\d\d-\d\dT)")
_DATED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d")
# Behind the id of a session: the rest of its line.
_TAIL = re.compile(rb"\d+,[^,\n]*,([^,\n]*),([-+*<>]),([^\r\n]*)")

Key = tuple[bytes, bytes]
Sink = t.Callable[[Session], object]
# How far the lines of one session are looked for.
_NEAR = 1 << 18
# Lines that a mail is refused in, behind the command.
_AFTER_MAIL = 3


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
        self.open: dict[Key, Session] = {}
        self.begun_before: list[tuple[Key, Session]] = []
        self.lines = self.damaged = self.headers = self.unfollowed = 0

    def feed(self, block: bytes, *, every_line: bool = False) -> None:
        """A block of whole lines. ``every_line``: whether each is looked at, as for the first ones of a file, which may
        belong to sessions that began in an earlier one."""
        # every line begins after a line break, also the first
        block = b"\n" + (block if block.endswith(b"\n") else block + b"\n")
        bad: set[int] = set()
        scan = self._lines if every_line else self._events
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
            elif line and not _DATED.match(line):
                bad.add(at)
        if self.direction != FOREIGN:
            scan(block, begin, len(block), bad)
        self._look_at_open(block)
        self.lines += block.count(b"\n") - 1
        self.damaged += len(bad)

    def finish(self) -> None:
        """Hands over what is left open. Nothing comes after this."""
        for session in self.open.values():
            self._sink(session)
        self.open.clear()

    def _events(self, block: bytes, begin: int, end: int, bad: set[int]) -> None:
        """The lines that the expression finds."""
        sessions, sink, is_first = self.open, self._sink, self._is_first
        for match in _EVENT.finditer(block, begin, end):
            what, at = match[0], match.start()
            line = block.rfind(b"\n", 0, at) + 1
            head = block[line:at].rsplit(b",", 4)
            if len(head) != 5:
                bad.add(line)
                continue
            # what is behind the name of the connector has no quotes
            key = (head[1], head[4])
            session = sessions.get(key)
            if session is None or what == _CONNECTED:
                time, dummy, connector = head[0].partition(b",")
                if b"," in connector or b'"' in connector or not head[2].isdigit() or not _DATED.match(time):
                    columns = LINE.match(block, line)
                    if columns is None or not _DATED.match(time):
                        bad.add(line)
                        continue
                    if columns.start(7) != at + 1:
                        # what looks like an event is part of a text
                        continue
                    connector = columns[2]
                session = self._begin(key, time, connector, head[3], block, line)
                if what == _CONNECTED:
                    session.flags |= seen.BEGAN
                    session.seek = match.end()
                    continue
            rest = block[at + 3 : block.find(b"\n", at)].rstrip(b"\r")
            if what == _DISCONNECTED:
                del sessions[key]
                if session.tls is None and session.seek >= 0:
                    _look(session, block, line)
                session.flags |= seen.ENDED
                session.end = rest.partition(b",")[2] or rest
                if is_first or session.flags & seen.BEGAN:
                    sink(session)
                else:
                    self._over(key, session)
            elif (tls := agreed(rest)) is not None:
                session.tls = tls
            else:
                tell(session, what[1:2], rest)

    def _lines(self, block: bytes, begin: int, end: int, bad: set[int]) -> None:
        """Every line."""
        start = max(begin, 1)
        while start < end:
            match = LINE.match(block, start)
            if match is not None and _DATED.match(block, start):
                key, event = (match[3], match[6]), match[7]
                session = self.open.get(key)
                if session is None or event == b"+":
                    session = self._begin(key, match[1], match[2], match[5], block, start)
                tell(session, event, match[8])
                if event == b"-":
                    self._over(key, self.open.pop(key))
            elif block[start] not in b"#\r\n" and not block.startswith(_BOM, start):
                bad.add(start)
            start = block.index(b"\n", start) + 1

    def _begin(self, key: Key, time: bytes, connector: bytes, local: bytes, block: bytes, line: int) -> Session:
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
        if len(self.open) > MOST_OPEN:
            self.unfollowed += 1
            self._give_up(next(iter(self.open)), block, line)
        return session

    def _give_up(self, key: Key, block: bytes, line: int) -> None:
        session = self.open.pop(key)
        if session.tls is None and session.seek >= 0:
            _look(session, block, line)
        self._over(key, session)

    def _over(self, key: Key, session: Session) -> None:
        has_begin = session.flags & (seen.BEGAN | seen.ATTEMPTED)
        if self._is_first or has_begin or len(self.begun_before) >= MOST_OPEN:
            self._sink(session)
        else:
            self.begun_before.append((key, session))

    def _look_at_open(self, block: bytes) -> None:
        """What the block tells of sessions that it has not the end of. In the next one they are looked for once
        more."""
        for session in self.open.values():
            if session.seek > 0:
                if session.tls is None:
                    _look(session, block, len(block))
                session.seek = min(session.seek, 0)
            else:
                session.seek = -1


def _look(session: Session, block: bytes, end: int) -> None:
    """Reads the lines of one session, from where it was left until nothing more can be told by them."""
    needle, at = b"," + session.id + b",", max(session.seek, 0)
    left = _AFTER_MAIL
    end = min(end, at + _NEAR)
    while left and (found := block.find(needle, at, end)) >= 0:
        at = block.find(b"\n", found)
        match = _TAIL.match(block, found + len(needle))
        if match is not None and match[1] == session.peer:
            tell(session, match[2], match[3])
            if session.flags & seen.MAIL:
                left -= 1
    if not left:
        session.seek = -1


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
    scanner = Scanner(found.append, direction)
    scanner.feed(lines, every_line=True)
    scanner.finish()
    return found, scanner.damaged
