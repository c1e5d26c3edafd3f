# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Reads all logs of a folder in one pass: in parts, side by side where there is enough, joined in the order of time.

A session may begin in one part and end in another. Each part tells what it has of such sessions, and they are joined
here. Memory is bounded by the sessions that are open at a time and the peers that are named.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import gc
import multiprocessing
import os
import time
import typing as t

from . import files, smtp_log
from .files import Source
from .iis_log import IisScanner
from .session import Session
from .skim import Key
from .smtp_log import Scanner
from .tally import Counts, Tally

# Bytes of one part.
PART = 1 << 25
_NONE: t.Final = (
    f"{files.CANNOT}: none of its lines is one of a log, as where another program has saved it; copy the original"
)
# Below this it is over before processes have begun.
_WORTH_PROCESSES = 1 << 26
_MOST_PROCESSES = 8


class Piece(t.NamedTuple):
    """A part of a file; ``stop`` is None for a packed one, which is read as a whole. ``state``: see :class:`Source`."""

    source: Source
    start: int
    stop: int | None
    state: str | bytes | None
    since: str

    @property
    def size(self) -> int:
        return self.source.size if self.stop is None else self.stop - self.start


@dataclasses.dataclass
class Part:
    """What one part tells. ``state``: that of its last line. ``problem``: why it was not read to its end. ``is_none``:
    whether it has lines, and none of them is one of such a log."""

    counts: Counts
    state: str | bytes | None
    open: list[tuple[Key, Session]]
    begun_before: list[tuple[Key, Session]]
    lines: int = 0
    damaged: int = 0
    without_tls_fields: int = 0
    unfollowed: int = 0
    unnamed: int = 0
    problem: str | None = None
    is_none: bool = False


@dataclasses.dataclass
class Found:
    """All that the logs tell. ``stopped``: where it was stopped before the end, as file, byte and limit; else None.
    ``unread``: how many files could not be read, or not to their end; ``others`` has the reasons.
    ``servers``: the folders within the given ones."""

    tally: Tally
    files: int = 0
    size: int = 0
    lines: int = 0
    damaged: int = 0
    without_tls_fields: int = 0
    unfollowed: int = 0
    unread: int = 0
    servers: set[str] = dataclasses.field(default_factory=set)
    others: list[dict[str, str]] = dataclasses.field(default_factory=list)
    stopped: dict[str, t.Any] | None = None


class Limits(t.NamedTuple):
    """Where to stop: bytes of the files, and seconds; 0 for no limit."""

    size: int = 0
    seconds: float = 0


NO_LIMITS: t.Final = Limits()
# Told the bytes that are read, and all of them.
Progress = t.Callable[[int, int], object]


def read(
    paths: t.Iterable[str],
    since: str = "",
    limits: Limits = NO_LIMITS,
    progress: Progress = lambda done, total: None,
    processes: int | None = None,
) -> Found:
    """Reads what is in the files and folders. ``since``: days before are left out (``YYYY-MM-DD``). ``processes``: None
    for as many as there are processors. Raises OptionError for a path that there is not."""
    sources, others = files.find(paths)
    pieces = [piece for source in sources for piece in _pieces(source, since)]
    total = sum(piece.size for piece in pieces)
    unread = sum(item["reason"].startswith(files.CANNOT) for item in others)
    joined = _Joined(since, Found(Tally("", since), files=len(sources), unread=unread, others=others))
    joined.found.servers = {source.server for source in sources} - {""}
    ends = time.monotonic() + limits.seconds if limits.seconds else None
    count = processes or min(_processors(), _MOST_PROCESSES)
    side_by_side = count > 1 and len(pieces) > 1 and (processes is not None or total > _WORTH_PROCESSES)
    parts = _side_by_side(pieces, count) if side_by_side else map(read_piece, pieces)
    iterator = iter(parts)
    try:
        for piece in pieces:
            reason = "bytes" if limits.size and joined.found.size >= limits.size else None
            reason = "seconds" if ends is not None and time.monotonic() >= ends else reason
            if reason:
                joined.found.stopped = {"file": piece.source.path, "byte": piece.start, "limit": reason}
                break
            joined.add(piece, next(iterator))
            progress(joined.found.size, total)
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            close()
    return joined.finish()


def read_piece(piece: Piece) -> Part:
    """Reads one part. Never raises for what is in a file, or for a file that cannot be read to its end."""
    was_enabled = gc.isenabled()
    # a million small objects without a circle among them
    gc.disable()
    try:
        return _read_iis(piece) if piece.source.kind == files.IIS else _read_smtp(piece)
    finally:
        if was_enabled:
            gc.enable()


def _read_smtp(piece: Piece) -> Part:
    tally = Tally(piece.source.server, piece.since)
    scanner = Scanner(tally.add, t.cast("str | None", piece.state), is_first=False)
    problem = None
    try:
        every_line = True
        for block in files.blocks(piece.source, piece.start, piece.stop):
            scanner.feed(block, every_line=every_line)
            every_line = False
    except files.UNREADABLE as exc:
        problem = files.why(exc)
    scanner.settle()
    if problem is None and scanner.has_others:
        problem = files.SAVED_ANEW
    return Part(
        tally.counts,
        scanner.direction,
        list(scanner.open.items()),
        scanner.begun_before,
        scanner.lines,
        scanner.damaged,
        0,
        scanner.unfollowed,
        tally.unnamed,
        problem,
        _is_none(scanner),
    )


def _read_iis(piece: Piece) -> Part:
    tally = Tally(piece.source.server, piece.since)
    scanner = IisScanner(tally, piece.source.server, t.cast(bytes, piece.state), piece.since)
    problem = None
    try:
        for block in files.blocks(piece.source, piece.start, piece.stop):
            scanner.feed(block)
    except files.UNREADABLE as exc:
        problem = files.why(exc)
    return Part(
        tally.counts,
        scanner.fields,
        [],
        [],
        scanner.lines,
        scanner.damaged,
        scanner.without,
        0,
        tally.unnamed,
        problem,
        _is_none(scanner),
    )


def _is_none(scanner: Scanner | IisScanner) -> bool:
    # one alone may be the line that was being written when the file was copied
    return scanner.damaged > 1 and scanner.lines == scanner.damaged + scanner.bare


class _Joined:
    """Puts parts together. ``_pending``: sessions that are not over, by server and key."""

    def __init__(self, since: str, found: Found) -> None:
        self.found = found
        self._since = since
        self._pending: dict[tuple[str, Key], Session] = {}
        self._state: str | bytes | None = None
        self._told = ""

    def add(self, piece: Piece, part: Part) -> None:
        if piece.start and piece.state != self._state:
            # a header within the file says something else than its first one
            part = read_piece(piece._replace(state=self._state))
        self._state = part.state
        found, server = self.found, piece.source.server
        found.size += piece.size
        found.lines += part.lines
        found.damaged += part.damaged
        found.without_tls_fields += part.without_tls_fields
        found.unfollowed += part.unfollowed
        found.tally.unnamed += part.unnamed
        found.tally.merge(part.counts)
        if part.problem:
            self._tell(piece.source.path, f"was not read to its end: {part.problem}")
        elif part.is_none and not piece.start:
            self._tell(piece.source.path, _NONE)
        for key, later in part.begun_before:
            earlier = self._pending.pop((server, key), None)
            self._over(server, earlier.then(later) if earlier is not None else later)
        for key, session in part.open:
            before = self._pending.pop((server, key), None)
            if before is not None:
                if session.is_begun:
                    self._over(server, before)
                else:
                    session = before.then(session)
            self._pending[server, key] = session
            if len(self._pending) > smtp_log.MOST_OPEN:
                oldest = next(iter(self._pending))
                self.found.unfollowed += 1
                self._over(oldest[0], self._pending.pop(oldest))

    def _tell(self, file: str, reason: str) -> None:
        # many parts of a file may have the same trouble
        if file != self._told:
            self._told = file
            self.found.unread += 1
            self.found.others.append({"file": file, "reason": reason})

    def finish(self) -> Found:
        for (server, dummy), session in self._pending.items():
            self._over(server, session)
        self._pending.clear()
        return self.found

    def _over(self, server: str, session: Session) -> None:
        one = Tally(server, self._since)
        one.add(session)
        self.found.tally.merge(one.counts)


def _pieces(source: Source, since: str) -> t.Iterator[Piece]:
    if source.is_packed:
        yield Piece(source, 0, None, source.state, since)
        return
    for start in range(0, source.size, PART):
        yield Piece(source, start, min(start + PART, source.size), source.state, since)


def _side_by_side(pieces: t.Sequence[Piece], count: int) -> t.Iterator[Part]:
    """The parts in their order, read by processes; by this one where there can be no others."""
    done = 0
    try:
        # a worker of Ansible is a fork itself; others would import the playbook's program anew
        context = multiprocessing.get_context("fork")
        pool = concurrent.futures.ProcessPoolExecutor(count, mp_context=context)
    except (ImportError, OSError, ValueError):
        yield from map(read_piece, pieces)
        return
    try:
        waiting: list[concurrent.futures.Future[Part]] = []
        ahead = iter(pieces)
        while done < len(pieces):
            while len(waiting) < 2 * count and (piece := next(ahead, None)) is not None:
                waiting.append(pool.submit(read_piece, piece))
            part = waiting.pop(0).result()
            done += 1
            yield part
    except (AssertionError, OSError, RuntimeError):
        # no process may be made here, or one was ended from outside
        yield from map(read_piece, pieces[done:])
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
