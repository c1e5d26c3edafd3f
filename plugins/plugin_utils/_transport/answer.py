# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""An HTTP/1.1 answer as it comes from a socket (RFC 9112).

http.client reads headers with the parser of the email package, which is a tenth of what an audit costs the controller;
and it asks for as much memory as a Content-Length says.
"""

from __future__ import annotations

import http.client
import re
import typing as t
import zlib

# The limits of http.client.
LONGEST_LINE = 65536
MOST_FIELDS = 100
# Of answers that announce another one; and of content, many times what a document may have.
MOST_INTERIM = 100
MOST_CONTENT = 16 << 20
_PIECE = 1 << 20

# One blank before the reason: with several the pattern would try each way to share a line of them out.
_STATUS = re.compile(rb"HTTP/1\.(\d)[ \t]+([1-9]\d\d)(?:[ \t]([^\r\n]*))?\r?\n?")
_SWITCHED, _NO_CONTENT, _NOT_MODIFIED = 101, 204, 304


# By encoding, how zlib is told of what surrounds it; some leave that of deflate out.
_FRAMES: t.Final = {
    **dict.fromkeys(("gzip", "x-gzip"), (zlib.MAX_WBITS | 16,)),
    "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),
}


class TooMuch(Exception):
    """The content is larger than :data:`MOST_CONTENT`: no connection that broke, and no better the next time."""

    def __init__(self) -> None:
        super().__init__(f"the answer is larger than {MOST_CONTENT} bytes")


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
    """Reads one answer, to its end. Raises what http.client raises for one that is none, or breaks off, and
    :class:`TooMuch`."""
    for _dummy in range(MOST_INTERIM):
        version, status, reason = _status(file)
        fields = _fields(file)
        # after a 101, which nobody asked for, it is another protocol
        if status >= 200 or status == _SWITCHED:
            break
    else:
        raise http.client.HTTPException(f"got {MOST_INTERIM} interim answers and no other")
    known = {name.lower(): value for name, value in reversed(fields)}
    connection = known.get("connection", "").lower()
    closes = "close" in connection if version > 10 else "keep-alive" not in connection
    if status == _SWITCHED:
        content, closes = b"", True
    elif status in (_NO_CONTENT, _NOT_MODIFIED):
        content = b""
    elif known.get("transfer-encoding", "").lower() == "chunked":
        content = _whole(_chunks(file))
    elif (length := known.get("content-length", "")).isdecimal() and length.isascii():
        # more digits than any answer has, and int() refuses very many
        content = _whole(_exactly(file, int(length.lstrip("0")[:20] or "0")))
    else:
        content, closes = _whole(iter(lambda: file.read(_PIECE), b"")), True
    return Answer(version, status, reason, fields, known, content, closes)


def decoded(answer: Answer) -> bytes:
    """Its content without what ``Content-Encoding`` says, as far as requests asks for that. Raises HTTPException for a
    damaged one, and :class:`TooMuch`."""
    kind = answer.known.get("content-encoding", "").lower()
    if kind not in _FRAMES or not answer.content:
        return answer.content
    for frame in _FRAMES[kind]:
        unpacker = zlib.decompressobj(frame)
        try:
            content = unpacker.decompress(answer.content, MOST_CONTENT + 1)
        except zlib.error:
            continue
        if len(content) > MOST_CONTENT:
            raise TooMuch
        if unpacker.eof:
            return content
    raise http.client.HTTPException(f"its {kind} is damaged")


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
    lines = 0
    while line := _line(file, "header line").decode("latin-1").rstrip("\r\n"):
        # all of them, as http.client does: each may be the rest of the one before
        lines += 1
        if lines > MOST_FIELDS:
            raise http.client.HTTPException(f"got more than {MOST_FIELDS} headers")
        if line[0] in " \t" and found:
            # the rest of the one before, as it was written once
            name, value = found[-1]
            found[-1] = name, f"{value} {line.strip()}"
            continue
        name, colon, value = line.partition(":")
        if colon:
            found.append((name.strip(), value.strip()))
    return found


def _whole(pieces: t.Iterable[bytes]) -> bytes:
    found, size = [], 0
    for piece in pieces:
        found.append(piece)
        size += len(piece)
        if size > MOST_CONTENT:
            raise TooMuch
    return b"".join(found)


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
