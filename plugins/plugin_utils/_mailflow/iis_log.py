# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""IIS logs (W3C) with the crypt-* fields: which TLS clients of the web services use. Pure.

The fields hold hex numbers of Schannel. A handshake that fails leaves no line at all. ``#Fields`` may change within a
file, and the crypt-* fields need not be the last ones. Microsoft, "New IIS functionality to help identify weak TLS
usage", 2017-09-07.
"""

from __future__ import annotations

import functools
import re
import typing as t

from .tally import QUIET, TLS, Place, Tally, What
from .words import RECEIVE, version_of_bits

HEADER = b"#Software: Microsoft Internet Information Services"
_WANTED: t.Final = (b"date", b"c-ip", b"crypt-protocol")
# These need not be logged. ``s-ip`` is the server's own address: who has the same is the server itself, as its health
# probes are.
_MORE: t.Final = (b"s-port", b"crypt-cipher", b"s-ip")
_DAY = re.compile(rb"\d{4}-\d\d-\d\d")
_BOM = b"\xef\xbb\xbf"
# The back end of Exchange, to which the front ends hand on what clients ask: docs/reference/mail.md 3.
_BACK_END = b"444"
# ALG_ID of wincrypt.h. Log Parser has read 660e as the number 660.000000.
_CIPHERS: t.Final = {
    "6601": "DES", "6602": "RC2", "6603": "3DES", "6609": "3DES_112", "660e": "AES_128", "660f": "AES_192",
    "6610": "AES_256", "6611": "AES", "6801": "RC4", "660.000000": "AES_128",
}  # fmt: skip


@functools.lru_cache(maxsize=1024)
def version_of(field: bytes) -> str | None:
    """The version of ``crypt-protocol``, ``unknown`` for what is no known number; None for plain HTTP (``-``)."""
    if field in (b"-", b""):
        return None
    try:
        return version_of_bits(int(field, 16))[0]
    except ValueError:
        return version_of_bits(0)[0]


@functools.lru_cache(maxsize=1024)
def cipher_of(field: bytes) -> str:
    text = field.decode("latin-1").lower()
    return _CIPHERS.get(text, "" if text == "-" else text[:20])


class IisScanner:
    """Takes blocks of whole lines. ``fields``: those of lines before the first header. ``without``: how many lines have
    no crypt-* fields, as they are not logged. ``bare``: headers and empty ones."""

    def __init__(self, tally: Tally, server: str, fields: bytes = b"", since: str = "") -> None:
        self._tally = tally
        self._server = server
        self._since = since.encode()
        self.fields = fields
        self.lines = self.damaged = self.bare = self.without = 0

    def feed(self, block: bytes) -> None:
        columns = _columns(self.fields)
        counts: dict[tuple[bytes, ...], int] = {}
        for line in block.removeprefix(_BOM).split(b"\n"):
            if line[:1] == b"#" or not line.strip():
                if line.lower().startswith(b"#fields:"):
                    self.fields = line.strip()
                    columns = _columns(self.fields)
                self.lines += bool(line)
                self.bare += bool(line)
                continue
            self.lines += 1
            if columns is None:
                self.without += 1
                continue
            indexes, width = columns
            line = line.rstrip(b"\r")
            if line.startswith(b'"') and line.endswith(b'"'):
                # Excel puts so what has a comma in it
                line = line[1:-1].replace(b'""', b'"')
            parts = line.split(b" ")
            if len(parts) != width:
                self.damaged += 1
                continue
            # what need not be logged is a hyphen, as it is where IIS has nothing to log
            key = tuple([b"-" if index is None else parts[index] for index in indexes])
            counts[key] = counts.get(key, 0) + 1
        for (day, peer, protocol, port, cipher, own), number in counts.items():
            if not _DAY.fullmatch(day):
                self.damaged += number
            elif day >= self._since:
                inside = port == _BACK_END or peer in _LOOPBACK or peer == own
                site = b"IIS" if port == b"-" else b"IIS port " + port
                place = Place(self._server, RECEIVE, site, peer, day, inside)
                version = version_of(protocol)
                what = What(QUIET, "http") if version is None else What(TLS, version, cipher_of(cipher))
                self._tally.count(place, what, number)


def _columns(header: bytes) -> tuple[list[int | None], int] | None:
    """Where the wanted fields are, and behind them those that need not be there; and how many fields there are. None
    where one that is wanted is missing."""
    names = header.partition(b":")[2].lower().split()
    if not set(_WANTED) <= set(names):
        return None
    return [names.index(name) if name in names else None for name in (*_WANTED, *_MORE)], len(names)


_LOOPBACK = frozenset({b"127.0.0.1", b"::1"})
