# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""An HTTP/1.1 answer as it comes from a socket (RFC 9112).

http.client reads headers with the parser of the email package, which takes longer than everything else of an answer
together; and it asks for as much memory as a Content-Length says.
"""

from __future__ import annotations

import http.client
import re
import typing as t

# The limits of http.client.
LONGEST_LINE = 65536
MOST_FIELDS = 100
_PIECE = 1 << 20

# One blank before the reason: with several the pattern would try each way to share a line of them out.
_STATUS = re.compile(rb"HTTP/1\.(\d)[ \t]+([1-9]\d\d)(?:[ \t]([^\r\n]*))?\r?\n?")
_CONTINUE, _NO_CONTENT, _NOT_MODIFIED = 100, 204, 304


class Answer(t.NamedTuple):
    """``version``: 10 or 11. ``fields``: the headers in their order. ``known``: the first of each name, which is in
    small letters. ``closes``: whether nothing comes after it over the same connection."""

    version: int
    status: int
    reason: str
    fields: list[tuple[str, str]]
    known: dict[str, str]
    content: bytes
    closes: bool


def receive(file: t.BinaryIO) -> Answer:
    """Reads one answer, to its end. Raises what http.client raises for one that is none, or breaks off."""
    version, status, reason = _status(file)
    while status == _CONTINUE:
        _fields(file)
        version, status, reason = _status(file)
    fields = _fields(file)
    known = {name.lower(): value for name, value in reversed(fields)}
    connection = known.get("connection", "").lower()
    closes = "close" in connection if version > 10 else "keep-alive" not in connection
    if status < 200 or status in (_NO_CONTENT, _NOT_MODIFIED):
        content = b""
    elif known.get("transfer-encoding", "").lower() == "chunked":
        content = b"".join(_chunks(file))
    elif (length := known.get("content-length", "")).isdecimal() and length.isascii():
        # more digits than any answer has, and int() refuses very many
        content = b"".join(_exactly(file, int(length.lstrip("0")[:20] or "0")))
    else:
        content, closes = b"".join(iter(lambda: file.read(_PIECE), b"")), True
    return Answer(version, status, reason, fields, known, content, closes)


def _line(file: t.BinaryIO, what: str) -> bytes:
    line = file.readline(LONGEST_LINE + 1)
    if len(line) > LONGEST_LINE:
        raise http.client.LineTooLong(what)
    return line


def _status(file: t.BinaryIO) -> tuple[int, int, str]:
    line = _line(file, "status line")
    if not line:
        raise http.client.RemoteDisconnected("Remote end closed connection without response")
    match = _STATUS.fullmatch(line)
    if match is None:
        raise http.client.BadStatusLine(line.decode("latin-1"))
    # 1.2 and later are to be read as 1.1
    return 10 if match[1] == b"0" else 11, int(match[2]), (match[3] or b"").decode("latin-1").strip()


def _fields(file: t.BinaryIO) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    while line := _line(file, "header line").decode("latin-1").rstrip("\r\n"):
        if line[0] in " \t" and found:
            # the rest of the one before, as it was written once
            name, value = found[-1]
            found[-1] = name, f"{value} {line.strip()}"
            continue
        name, colon, value = line.partition(":")
        if colon:
            found.append((name.strip(), value.strip()))
        if len(found) > MOST_FIELDS:
            raise http.client.HTTPException(f"got more than {MOST_FIELDS} headers")
    return found


def _chunks(file: t.BinaryIO) -> t.Iterator[bytes]:
    while True:
        size = _line(file, "chunk size").partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", size):
            raise http.client.IncompleteRead(b"")
        left = int(size, 16)
        if not left:
            _fields(file)
            return
        yield from _exactly(file, left)
        _line(file, "end of a chunk")


def _exactly(file: t.BinaryIO, size: int) -> t.Iterator[bytes]:
    while size:
        piece = file.read(min(size, _PIECE))
        if not piece:
            raise http.client.IncompleteRead(b"", size)
        size -= len(piece)
        yield piece
