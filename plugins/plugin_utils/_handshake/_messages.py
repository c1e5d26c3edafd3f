# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The handshake messages of a server that are looked into: ServerHello and Certificate."""

from __future__ import annotations

import dataclasses

# Servers send a handful; a chain of forty was the longest ever met.
MAX_CERTIFICATES = 100

_EXTENDED_MASTER_SECRET = 23
_SUPPORTED_VERSIONS = 43

# SHA-256 of "HelloRetryRequest" (RFC 8446, 4.1.3), written out: a FIPS controller may have no hash to compute it with
_HELLO_RETRY_REQUEST = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


class Malformed(Exception):
    """These bytes are no TLS. The text says what is wrong with them."""


@dataclasses.dataclass(frozen=True)
class ServerHello:
    chosen: int
    cipher_suite: int
    compression: int
    extended_master_secret: bool
    retry: bool


class _Reader:
    """Takes fields off the front of a message; a field that is not all there is :class:`Malformed`."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._at = 0
        self._what = what

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise Malformed(f"a broken {self._what}")
        result, self._at = self._data[self._at : end], end
        return result

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def vector(self, length_bytes: int) -> bytes:
        return self.take(self.number(length_bytes))

    def __bool__(self) -> bool:
        return self._at < len(self._data)


def read_server_hello(body: bytes) -> ServerHello:
    reader = _Reader(body, "ServerHello")
    chosen = reader.number(2)
    random = reader.take(32)
    if len(reader.vector(1)) > 32:
        raise Malformed("a broken ServerHello")
    cipher_suite = reader.number(2)
    compression = reader.number(1)
    extensions: dict[int, bytes] = {}
    if reader:
        block = _Reader(reader.vector(2), "ServerHello")
        while block:
            kind = block.number(2)
            extensions[kind] = block.vector(2)
    if chosen >> 8 != 3:
        raise Malformed(f"a ServerHello for version {chosen:#06x}")
    if _SUPPORTED_VERSIONS in extensions:
        chosen = _Reader(extensions[_SUPPORTED_VERSIONS], "ServerHello").number(2)
    return ServerHello(
        chosen,
        cipher_suite,
        compression,
        extended_master_secret=_EXTENDED_MASTER_SECRET in extensions,
        retry=random == _HELLO_RETRY_REQUEST,
    )


def read_certificates(body: bytes) -> tuple[bytes, ...]:
    """The chain in a Certificate message up to TLS 1.2."""
    chain = _Reader(_Reader(body, "Certificate").vector(3), "Certificate")
    result: list[bytes] = []
    while chain:
        der = chain.vector(3)
        # RFC 5246, 7.4.2: a certificate has at least one byte
        if not der:
            raise Malformed("an empty certificate")
        if len(result) == MAX_CERTIFICATES:
            raise Malformed(f"more than {MAX_CERTIFICATES} certificates")
        result.append(der)
    return tuple(result)
