# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accepting TLS as Schannel does: a ClientHello with no version in common is answered with a reset, without an alert.

The hello is peeked at, so that the decision is made before OpenSSL sees a byte, and SSL 3.0, which OpenSSL no longer
speaks, can be answered with a canned flight.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Iterable
from pathlib import Path

from . import network, schannel
from .log import HostLog

_HELLO_SECONDS = 10.0
_SUPPORTED_VERSIONS = 43
_SUITE_RSA_AES128_SHA = 0x002F


def accept(sock: socket.socket, certificate: Path, protocols: Iterable[str], log: HostLog) -> ssl.SSLSocket | None:
    """A TLS socket, or None where the client was refused (the connection is then reset or used up)."""
    offered = client_versions(_peek_hello(sock))
    common = [name for name in protocols if schannel.WIRE.get(name) in offered]
    if not common:
        log.count(tls_refused=1)
        network.reset(sock)
        return None
    log.count(tls_connections=1)
    if common[-1] == "SSL 3.0":
        sock.recv(65536)
        sock.sendall(ssl3_flight(certificate))
        sock.settimeout(2)
        sock.recv(65536)  # the client's next flight: nothing here can answer it
        network.reset(sock)
        return None
    context = schannel.server_context(certificate, schannel.modern(protocols))
    try:
        return context.wrap_socket(sock, server_side=True)
    except (ssl.SSLError, OSError):
        return None


def _peek_hello(sock: socket.socket) -> bytes:
    """The first TLS record without taking it from the socket; what there is if it does not come in time."""
    deadline = time.monotonic() + _HELLO_SECONDS
    sock.settimeout(_HELLO_SECONDS)
    data = b""
    while time.monotonic() < deadline:
        try:
            data = sock.recv(18432, socket.MSG_PEEK)
        except TimeoutError:
            break
        if not data or data[0] != 22 or (len(data) >= 5 and len(data) >= 5 + struct.unpack(">H", data[3:5])[0]):
            break
        time.sleep(0.002)
    return data


def client_versions(record: bytes) -> frozenset[int]:
    """The versions that a ClientHello offers; empty for anything that is not one."""
    try:
        return _client_versions(record)
    except (struct.error, IndexError):
        return frozenset()


def _client_versions(record: bytes) -> frozenset[int]:
    if len(record) < 11 or record[0] != 22 or record[5] != 1:
        return frozenset()
    (length,) = struct.unpack(">H", record[3:5])
    hello = record[9 : 5 + length]
    (legacy,) = struct.unpack(">H", hello[:2])
    position = 34
    position += 1 + hello[position]  # session id
    position += 2 + struct.unpack(">H", hello[position : position + 2])[0]  # cipher suites
    position += 1 + hello[position]  # compression
    versions = frozenset(version for version in schannel.WIRE.values() if version <= min(legacy, 0x0303))
    if len(hello) <= position:
        return versions
    end = position + 2 + struct.unpack(">H", hello[position : position + 2])[0]
    position += 2
    while position + 4 <= end:
        kind, size = struct.unpack(">HH", hello[position : position + 4])
        if kind == _SUPPORTED_VERSIONS:
            data = hello[position + 5 : position + 4 + size]
            return frozenset(struct.unpack(f">{len(data) // 2}H", data[: len(data) // 2 * 2]))
        position += 4 + size
    return versions


def ssl3_flight(certificate: Path) -> bytes:
    """ServerHello, Certificate and ServerHelloDone of SSL 3.0 with RSA key exchange: none of them is signed."""
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text(encoding="ascii").partition("-----BEGIN PRIVATE KEY")[0])
    hello = struct.pack(">H", 0x0300) + bytes(range(32)) + b"\x00" + struct.pack(">HB", _SUITE_RSA_AES128_SHA, 0)
    chain = _int24(len(der)) + der
    messages = ((2, hello), (11, _int24(len(chain)) + chain), (14, b""))
    payload = b"".join(bytes([kind]) + _int24(len(body)) + body for kind, body in messages)
    return b"\x16\x03\x00" + struct.pack(">H", len(payload)) + payload


def _int24(number: int) -> bytes:
    return number.to_bytes(3, "big")
