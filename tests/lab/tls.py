# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accepting TLS as Schannel does: a ClientHello with no version or suite in common is answered with a reset, no alert.

The hello is peeked at, so that the decision is made before OpenSSL sees a byte, and what OpenSSL no longer speaks
(SSL 3.0, RC4, 3DES, DES) can be answered with a canned flight.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from . import network
from .log import HostLog
from .suites import Offer

#: Protocol numbers on the wire.
WIRE = {"SSL 3.0": 0x0300, "TLS 1.0": 0x0301, "TLS 1.1": 0x0302, "TLS 1.2": 0x0303, "TLS 1.3": 0x0304}

_HELLO_SECONDS = 10.0
_SUPPORTED_VERSIONS = 43
_DH_PARAMETERS = Path(__file__).parent / "data" / "ffdhe2048.pem"

_OPENSSL_OFF = {
    "TLS 1.0": ssl.OP_NO_TLSv1,
    "TLS 1.1": ssl.OP_NO_TLSv1_1,
    "TLS 1.2": ssl.OP_NO_TLSv1_2,
    "TLS 1.3": ssl.OP_NO_TLSv1_3,
}


@dataclass(frozen=True)
class Hello:
    """What a ClientHello offers; nothing for anything that is not one."""

    versions: frozenset[int] = frozenset()
    suites: frozenset[int] = frozenset()

    @property
    def protocols(self) -> frozenset[str]:
        """The names of the versions that the lab knows."""
        return frozenset(name for name, number in WIRE.items() if number in self.versions)


def accept(
    sock: socket.socket, certificate: Path, offer: Offer, log: HostLog, clients: Path | None = None
) -> ssl.SSLSocket | None:
    """A TLS socket, or None where the client was refused (the connection is then reset or used up).

    clients: the authority whose certificates clients are asked for; they need not have one.
    """
    hello = parse_hello(_peek_hello(sock))
    protocol, suite = offer.select(hello.protocols, hello.suites) or (None, None)
    if protocol is None or suite is None:
        log.count(tls_refused=1)
        network.reset(sock)
        return None
    log.count(tls_connections=1)
    if suite.openssl is None:
        _answer_once(sock, canned_flight(certificate, WIRE[protocol], suite.number))
        network.reset(sock)
        return None
    try:
        return server_context(certificate, offer, clients).wrap_socket(sock, server_side=True)
    except (ssl.SSLError, OSError):
        return None


def _answer_once(sock: socket.socket, flight: bytes) -> None:
    sock.recv(65536)
    sock.sendall(flight)
    sock.settimeout(2)
    sock.recv(65536)  # the client's next flight: nothing here can answer it


@lru_cache(maxsize=512)
def server_context(path: Path, offer: Offer, clients: Path | None = None) -> ssl.SSLContext:
    """A server context for what OpenSSL can serve of an offer, holes included, with the server's order.

    Python cannot choose among the suites of TLS 1.3 (before 3.15): all of them are there as soon as one is.
    """
    servable = [suite for suite in offer.suites if suite.openssl is not None]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are the point here
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_3
        for protocol, option in _OPENSSL_OFF.items():
            if not any(protocol in offer.protocols and protocol in suite.protocols for suite in servable):
                context.options |= option
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    older = [str(suite.openssl) for suite in servable if "TLS 1.3" not in suite.protocols]
    context.set_ciphers(":".join([*(older or ["DEFAULT"]), "@SECLEVEL=0"]))
    context.load_cert_chain(path)
    context.load_dh_params(str(_DH_PARAMETERS))
    if clients is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(clients)
    return context


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


def parse_hello(record: bytes) -> Hello:
    """What a ClientHello offers; nothing for anything that is not one."""
    try:
        return _parse_hello(record)
    except (struct.error, IndexError):
        return Hello()


def _parse_hello(record: bytes) -> Hello:
    if len(record) < 11 or record[0] != 22 or record[5] != 1:
        return Hello()
    (length,) = struct.unpack(">H", record[3:5])
    hello = record[9 : 5 + length]
    (legacy,) = struct.unpack(">H", hello[:2])
    position = 34
    position += 1 + hello[position]  # session id
    (size,) = struct.unpack(">H", hello[position : position + 2])
    suites = _numbers(hello[position + 2 : position + 2 + size])
    position += 2 + size
    position += 1 + hello[position]  # compression
    versions = frozenset(version for version in WIRE.values() if version <= min(legacy, 0x0303))
    supported = _supported_versions(hello[position:])
    return Hello(versions if supported is None else supported, suites)


def _supported_versions(extensions: bytes) -> frozenset[int] | None:
    if not extensions:
        return None
    end = 2 + struct.unpack(">H", extensions[:2])[0]
    position = 2
    while position + 4 <= end:
        kind, size = struct.unpack(">HH", extensions[position : position + 4])
        if kind == _SUPPORTED_VERSIONS:
            return _numbers(extensions[position + 5 : position + 4 + size])
        position += 4 + size
    return None


def _numbers(data: bytes) -> frozenset[int]:
    return frozenset(struct.unpack(f">{len(data) // 2}H", data[: len(data) // 2 * 2]))


def canned_flight(certificate: Path, version: int, suite: int) -> bytes:
    """ServerHello, Certificate and ServerHelloDone with RSA key exchange, up to TLS 1.2: none of them is signed."""
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text(encoding="ascii").partition("-----BEGIN PRIVATE KEY")[0])
    hello = struct.pack(">H", version) + bytes(range(32)) + b"\x00" + struct.pack(">HB", suite, 0)
    chain = _int24(len(der)) + der
    messages = ((2, hello), (11, _int24(len(chain)) + chain), (14, b""))
    payload = b"".join(bytes([kind]) + _int24(len(body)) + body for kind, body in messages)
    return struct.pack(">BHH", 22, version, len(payload)) + payload


def _int24(number: int) -> bytes:
    return number.to_bytes(3, "big")
