# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers from a socket, held against http.client."""

from __future__ import annotations

import gzip
import http.client
import io
import time
import zlib
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport.answer import (
    MOST_CONTENT,
    MOST_FIELDS,
    MOST_INTERIM,
    Answer,
    TooMuch,
    decoded,
    receive,
)
from hypothesis import given
from hypothesis import strategies as st

STATUS = [
    "HTTP/1.1 200 OK", "HTTP/1.1 200 ", "HTTP/1.1 500", "HTTP/1.0 401 Unauthorized", "HTTP/1.1  204  No  Content ",
    "HTTP/1.1 304 Not Modified", "HTTP/1.1 100 Continue", "HTTP/1.1 101 x", "HTTP/1.5 200 OK", "HTTP/2.0 200 OK",
    "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 abc OK", "HTTP/1.1", "ICY 200 OK", "", "HTTP/1.1 099 OK",
]  # fmt: skip
FIELDS = [
    "Content-Length: 4", "content-length:4", "Content-Length: 0", "Content-Length: 5", "Content-Length: -1",
    "Content-Length: 000000000000000000000004", "Content-Length: x", "Content-Length: 4, 4",
    "Content-Length: 99999999999999999999", "Transfer-Encoding: chunked", "Transfer-Encoding: Chunked",
    "Transfer-Encoding: gzip", "Connection: close", "Connection: Keep-Alive", "Connection: keep-alive, close",
    "Server: Microsoft-HTTPAPI/2.0", "X-Empty:", "X: a: b", "X: \xfc", "Content-Type: text/plain", "Set-Cookie: a=b",
    "Set-Cookie: c=d",
]  # fmt: skip
BODIES = [
    "",
    "abcd",
    "abcdef",
    "4\r\nabcd\r\n0\r\n\r\n",
    "4;x=y\r\nabcd\r\n2\r\nef\r\n0\r\nX: y\r\n\r\n",
    "4\r\nab",
    "g\r\n",
    "0\r\n\r\n",
]
ENDS = st.sampled_from(["\r\n", "\n"])
PACKED_HEAD = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"


class Socket:
    """As http.client wants one."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self.data)


def of_the_library(data: bytes) -> tuple[Any, ...]:
    found = http.client.HTTPResponse(Socket(data))  # type: ignore[arg-type]
    found.begin()
    try:
        content = found.read()
    except OverflowError:
        # a Content-Length that no memory has
        raise http.client.HTTPException from None
    return found.version, found.status, found.reason, list(found.headers.items()), content, found.will_close


def ours(data: bytes) -> tuple[Any, ...]:
    found = receive(io.BytesIO(data))
    return found.version, found.status, found.reason, found.fields, found.content, found.closes


def outcome(read: Any, data: bytes) -> Any:
    try:
        return read(data)
    except (http.client.HTTPException, OSError) as exc:
        return "lost" if isinstance(exc, http.client.RemoteDisconnected) else "refused"


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    end = draw(ENDS)
    lines = [draw(st.sampled_from(STATUS)), *draw(st.lists(st.sampled_from(FIELDS), max_size=4)), "", ""]
    whole = end.join(lines) + draw(st.sampled_from(BODIES))
    before = draw(st.sampled_from(["", f"HTTP/1.1 100 Continue{end}X: y{end}{end}"]))
    text = before + whole
    return text[: draw(st.none() | st.integers(0, len(text)))].encode("latin-1")


@given(answers())
def test_it_reads_what_the_library_reads(data: bytes) -> None:
    found, theirs = outcome(ours, data), outcome(of_the_library, data)
    if isinstance(found, tuple) and (found[1] < 200 or found[1] in (204, 304)):
        # has no content, whatever its headers say (RFC 9112, 6.3); the library looks for chunks
        assert found[4] == b""
        return
    assert found == theirs


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest))
def test_any_bytes(data: bytes) -> None:
    outcome(ours, data)


def test_the_rest_of_a_header_is_on_its_next_lines() -> None:
    found = receive(io.BytesIO(b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\nContent-Length: 0\r\n\r\n"))
    assert found.fields == [("X", "a b c"), ("Content-Length", "0")]
    assert found.known["x"] == "a b c"


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 " + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (MOST_FIELDS + 1) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: y\r\n" + b" z\r\n" * MOST_FIELDS + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x\r\n" * (MOST_FIELDS + 1) + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * MOST_INTERIM + b"HTTP/1.1 204 \r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 70_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999999\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 10_000 + b"\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
    ],
    ids=[
        "status", "header", "headers", "rest of a header", "no headers", "interim", "size", "negative",
        "huge", "digits", "huge chunk",
    ],
)  # fmt: skip
def test_what_is_too_much(data: bytes) -> None:
    """Also of memory: what a number promises is not asked for before it comes."""
    with pytest.raises(http.client.HTTPException):
        receive(io.BytesIO(data))


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MOST_CONTENT + 1),
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MOST_CONTENT + 1) + b"x" * (MOST_CONTENT + 1),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"100000\r\n" + b"x" * (1 << 20) + b"\r\n") * ((MOST_CONTENT >> 20) + 1)
        + b"0\r\n\r\n",
        PACKED_HEAD + gzip.compress(bytes(MOST_CONTENT + 1), mtime=0),
    ],
    ids=["to the end", "length", "chunks", "packed"],
)
def test_content_that_is_too_much(data: bytes) -> None:
    """A bomb is not unpacked any further than an answer may go."""
    with pytest.raises(TooMuch, match=f"is larger than {MOST_CONTENT} bytes"):
        decoded(receive(io.BytesIO(data)))


@pytest.mark.parametrize("interim", [b"100 Continue", b"102 ", b"103 Early Hints\r\nLink: x"])
def test_interim_answers_are_passed_over(interim: bytes) -> None:
    """Whatever they say (RFC 9110, 15.2); else what comes after them would answer the next message."""
    data = b"HTTP/1.1 %s\r\n\r\n" % interim * 3 + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"
    found = receive(io.BytesIO(data))
    assert (found.status, found.content, found.closes) == (200, b"ab", False)


def test_nothing_comes_after_a_change_of_the_protocol() -> None:
    found = receive(io.BytesIO(b"HTTP/1.1 101 Switching Protocols\r\n\r\nab"))
    assert (found.status, found.content, found.closes) == (101, b"", True)


def test_a_status_line_of_blanks_takes_no_time() -> None:
    """While a pattern looks for its end, nothing else of the process goes on, and no time is over."""
    began = time.process_time()
    with pytest.raises(http.client.BadStatusLine):
        receive(io.BytesIO(b"HTTP/1.1 200" + b" " * 8000 + b"\rx\n"))
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"<o/>", mtime=0)),
        ("X-GZIP", gzip.compress(b"<o/>", mtime=0)),
        ("deflate", zlib.compress(b"<o/>")),
        ("deflate", zlib.compress(b"<o/>")[2:-4]),
        ("identity", b"<o/>"),
        ("gzip", b""),
    ],
    ids=["gzip", "x-gzip", "deflate", "bare deflate", "identity", "empty"],
)
def test_an_encoding(encoding: str, packed: bytes) -> None:
    assert decoded(encoded(encoding, packed)) == (b"<o/>" if packed else b"")


@pytest.mark.parametrize("packed", [gzip.compress(b"<o/>", mtime=0)[:-5], b"<o/>"], ids=["broken off", "not packed"])
def test_an_encoding_that_does_not_do(packed: bytes) -> None:
    with pytest.raises(http.client.HTTPException, match="its gzip is damaged"):
        decoded(encoded("gzip", packed))


def encoded(encoding: str, packed: bytes) -> Answer:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(packed)}\r\n\r\n"
    return receive(io.BytesIO(head.encode() + packed))
