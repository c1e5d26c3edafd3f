# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS messages written out by hand, for servers that no library here can play."""

from __future__ import annotations

RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def sized(count: int, content: bytes) -> bytes:
    return len(content).to_bytes(count, "big") + content


def record(kind: int, content: bytes, version: int = 0x0301) -> bytes:
    return bytes([kind]) + version.to_bytes(2, "big") + sized(2, content)


def message(kind: int, body: bytes = b"") -> bytes:
    return bytes([kind]) + sized(3, body)


def server_hello(
    version: int,
    *,
    suite: int = 0x002F,
    extensions: bytes | None = None,
    random: bytes = bytes(range(32)),
    session: bytes = b"",
) -> bytes:
    body = version.to_bytes(2, "big") + random + sized(1, session) + suite.to_bytes(2, "big") + b"\x00"
    return message(2, body + (sized(2, extensions) if extensions is not None else b""))


def extension(kind: int, content: bytes = b"") -> bytes:
    return kind.to_bytes(2, "big") + sized(2, content)


def certificate(*chain: bytes) -> bytes:
    return message(11, sized(3, b"".join(sized(3, der) for der in chain)))


CERTIFICATE_REQUEST = message(13, sized(1, b"\x01") + sized(2, b""))
DONE = message(14)


def alert(level: int, description: int, version: int = 0x0301) -> bytes:
    return record(21, bytes([level, description]), version)


def old_flight(version: int, *chain: bytes) -> bytes:
    """ServerHello, Certificate, ServerHelloDone in one record: RSA key exchange, so nothing is signed."""
    return record(22, server_hello(version) + certificate(*chain) + DONE, version)
