# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Files with logs: which there are, what they hold, and their bytes in blocks of whole lines."""

from __future__ import annotations

import gzip
import os
import re
import typing as t
import zlib

from .._errors import OptionError
from .._text import NAME, visible
from . import dialogue, iis_log, smtp_log
from .words import RECEIVE, SEND

SMTP, IIS = "smtp", "iis"
_HEAD = 8192
# Sessions that are not over at the end of a block take longer. In much larger ones no time is gained, as the memory is
# given back to the system, and got again, each time.
_BLOCK = 1 << 20
# The first block is looked at line by line, so it is short.
_FIRST = 1 << 18
# Logs with the same first line that a further one is held against: more than one is seldom, and many would be held
# against each other for hours.
MOST_ALIKE = 16
# Those that differ do so soon.
_PART = 1 << 16
# No line of a log is longer; bytes without a line break are no log.
_LONGEST_LINE = 1 << 22
_BOM = b"\xef\xbb\xbf"
SAVED_ANEW = "its columns are not those of the original, as where another program has saved it; copy the original"
_TIME = re.compile(rb"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)", re.MULTILINE)
CANNOT = "cannot be read"
# What zip, 7z, rar, cab, xz, bzip2 and zstd write first.
_ARCHIVES: t.Final = (b"PK\x03\x04", b"7z\xbc\xaf", b"Rar!", b"MSCF", b"\xfd7zXZ", b"BZh", b"\x28\xb5\x2f\xfd")
# The names of columns of a log, whatever stands between them.
_COLUMNS = re.compile(
    rb"date-time\W{1,4}connector-id\W{1,4}session-id|^#fields:[^\n]*\bcs-method\b", re.IGNORECASE | re.MULTILINE
)
UNREADABLE = (OSError, EOFError, zlib.error)


class Source(t.NamedTuple):
    """A file. ``server``: the sub-folder of the given folder that it is in, or "". ``state``: what its first lines are
    by its header, the direction of SMTP or the fields of IIS. ``first``: the time of its first line, of which
    ``opening`` is as much as was looked at."""

    path: str
    server: str
    kind: str
    size: int
    state: str | bytes | None
    first: bytes
    is_packed: bool
    opening: bytes = b""


def find(paths: t.Iterable[str]) -> tuple[list[Source], list[dict[str, str]]]:
    """All logs in the given files and folders, the oldest first, and the files that are none, each with the reason.
    Raises :class:`OptionError` for a path that there is not."""
    sources: list[Source] = []
    others: list[dict[str, str]] = []
    missing = []
    known = set()
    for path in paths:
        if not os.path.exists(path):
            missing.append(visible(repr(path), NAME))
            continue
        for file in _files(path):
            # one that is named twice would count twice
            real = os.path.realpath(file)
            if real in known:
                continue
            known.add(real)
            try:
                source, reason = _source(file, _below(path, file))
            except UNREADABLE as exc:
                source, reason = None, f"{CANNOT}: {why(exc)}"
            if source is not None:
                sources.append(source)
            else:
                others.append({"file": file, "reason": reason})
    if missing:
        raise OptionError(f"'paths': there is no {', '.join(missing)} on the controller.")
    # of two that are the same, the one that is not packed is read: its end is found without the rest
    sources.sort(key=lambda source: (source.first, source.is_packed, source.path))
    return _without_copies(sources, others), others


def blocks(source: Source, start: int, stop: int | None) -> t.Iterator[bytes]:
    """The lines that begin from ``start`` on and before ``stop`` (bytes of the file), as blocks of whole lines. Bytes
    without a line break are handed on in parts, as no log has them."""
    with _open(source) as file:
        if start:
            # the line that reaches into this part belongs to the one before
            file.seek(start - 1)
            while (skipped := file.readline(_LONGEST_LINE)) and not skipped.endswith(b"\n"):
                pass
        size = _FIRST
        while stop is None or file.tell() < stop:
            block = file.read(size if stop is None else min(size, stop - file.tell()))
            size = _BLOCK
            if not block:
                return
            yield block if block.endswith(b"\n") else block + file.readline(_LONGEST_LINE)


def since(source: Source, moment: bytes, most: int) -> bytes:
    """The lines from that time on (UTC, as a log writes it), of which there are more than so many bytes the last."""
    with _open(source) as file:
        if not source.is_packed:
            start = max(_first_at(file, source.size, moment), source.size - most)
            file.seek(start)
            if start:
                # the end of a line that began before
                file.readline(_LONGEST_LINE)
        for line in iter(lambda: file.readline(_LONGEST_LINE), b""):
            if _is_at(line, moment):
                found = line
                for block in iter(lambda: file.read(_BLOCK), b""):
                    found = (found + block)[-most:]
                # the first line may be cut, and is none then
                return found
    return b""


def last_time(source: Source) -> str:
    """The time of its last line; that of its first line where that is not known without unpacking it."""
    if source.is_packed:
        return source.first.decode("ascii", "replace")
    with open(source.path, "rb") as file:
        file.seek(max(0, source.size - _HEAD))
        found = _TIME.findall(file.read(_HEAD))
    return b"T".join(found[-1]).decode("ascii") if found else source.first.decode("ascii", "replace")


def _first_at(file: t.BinaryIO, size: int, moment: bytes) -> int:
    """A place in the file behind which the first line of that time begins: found by halves, as logs are in order."""
    low, high = 0, size
    while high - low > _HEAD:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline(_LONGEST_LINE)
        line = file.readline(_LONGEST_LINE)
        while line.startswith(b"#"):
            # the service was started again
            line = file.readline(_LONGEST_LINE)
        if _is_at(line, moment):
            high = middle
        else:
            low = middle
    return max(0, low - 1)


def _is_at(line: bytes, moment: bytes) -> bool:
    return line[:4].isdigit() and line[: len(moment)] >= moment


def _open(source: Source) -> t.BinaryIO:
    return t.cast("t.BinaryIO", gzip.open(source.path, "rb") if source.is_packed else open(source.path, "rb"))


def _files(path: str) -> t.Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        yield from (os.path.join(folder, name) for name in sorted(names) if not name.startswith("."))


def _without_copies(sources: t.Iterable[Source], others: list[dict[str, str]]) -> list[Source]:
    """Of logs of one server that are the same as far as they go, such as one and its packed copy, or what it was a day
    before, the longest."""
    found: list[Source] = []
    alike: dict[tuple[str, str, bytes], list[int]] = {}
    for source in sources:
        places = alike.setdefault((source.server, source.kind, source.opening), [])
        for place in places[-MOST_ALIKE:] if source.opening else ():
            longer = _longer(found[place], source)
            if longer is not None:
                shorter = source if longer is found[place] else found[place]
                found[place] = longer
                others.append({"file": shorter.path, "reason": f"is a copy of {visible(longer.path, NAME * 2)}"})
                break
        else:
            places.append(len(found))
            found.append(source)
    return found


def _longer(one: Source, other: Source) -> Source | None:
    """Which of two holds all that the other does, however their lines end; None where they differ."""
    try:
        with _open(one) as first, _open(other) as second:
            left, right = b"", b""
            while True:
                left, right = left or _text(first), right or _text(second)
                if not left or not right:
                    return one if not right else other
                size = min(len(left), len(right))
                if left[:size] != right[:size]:
                    return None
                left, right = left[size:], right[size:]
    except UNREADABLE:
        return None


def _text(file: t.BinaryIO) -> bytes:
    """The next part without what some programs write before the end of a line; nothing at the end of the file."""
    while part := file.read(_PART):
        if text := part.replace(b"\r", b""):
            return text
    return b""


def _below(path: str, file: str) -> str:
    """The sub-folder of ``path`` that a file is in."""
    first, slash, dummy = os.path.relpath(file, path).partition(os.sep)
    return first if slash else ""


def _source(file: str, server: str) -> tuple[Source | None, str]:
    with open(file, "rb") as opened:
        is_packed = opened.read(2) == b"\x1f\x8b"
    with gzip.open(file, "rb") if is_packed else open(file, "rb") as opened:
        head = opened.read(_HEAD)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None, f"{CANNOT}: it is saved as UTF-16, but Exchange writes UTF-8; copy the original"
    if head.startswith(_ARCHIVES):
        return None, f"{CANNOT}: it is an archive; unpack it, or pack its files with gzip"
    if not head.strip():
        return None, "is empty"
    is_cut = len(head) == _HEAD
    head = head.removeprefix(_BOM)
    time = _TIME.search(head)
    first = time[1] + b"T" + time[2] if time else b""
    opening = head[time.start() :].partition(b"\n")[0].rstrip(b"\r") if time else b""
    if is_cut:
        # its last line may say something else than the whole of it; a time is at the beginning of its line
        head = head[: head.rfind(b"\n") + 1] or head
    size = os.path.getsize(file)
    fields = re.search(rb"^#fields:.*", head, re.IGNORECASE | re.MULTILINE)
    if head.startswith(iis_log.HEADER) or (fields and b" cs-method" in fields[0].lower()):
        found = fields[0].strip() if fields else b""
        return Source(file, server, IIS, size, found, first, is_packed, opening), ""
    said = [smtp_log.direction_of(line.strip()) for line in head.split(b"\n") if line.startswith(b"#")]
    if smtp_log.FOREIGN in said or not (said or _looks_like_smtp(head)):
        if _COLUMNS.search(head):
            return None, f"{CANNOT}: {SAVED_ANEW}"
        return None, "is no SMTP protocol log and no log of IIS" if said else "is no log"
    state = next((word for word in said if word), None) or _by_name(file)
    return Source(file, server, SMTP, size, state, first, is_packed, opening), ""


def _looks_like_smtp(head: bytes) -> bool:
    return any(dialogue.LINE.match(line) for line in head.split(b"\n"))


def _by_name(file: str) -> str | None:
    """The direction that the name of a file, or of its folder, tells: RECV2026010100-1.LOG, SmtpSend."""
    name = os.path.basename(file).upper()
    folder = os.path.basename(os.path.dirname(file)).lower()
    if name.startswith("RECV") or folder == "smtpreceive":
        return RECEIVE
    return SEND if name.startswith("SEND") or folder == "smtpsend" else None


def why(exc: BaseException) -> str:
    return visible(getattr(exc, "strerror", None) or str(exc) or type(exc).__name__, NAME)
