# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS clients for tests of the lab: OpenSSL's own, and hellos written by hand."""

from __future__ import annotations

import socket
import ssl
import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.lab.client import HostClient

VERSIONS = {
    "TLS 1.0": ssl.TLSVersion.TLSv1,
    "TLS 1.1": ssl.TLSVersion.TLSv1_1,
    "TLS 1.2": ssl.TLSVersion.TLSv1_2,
    "TLS 1.3": ssl.TLSVersion.TLSv1_3,
}


def client_context(version: str, ciphers: str = "DEFAULT") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = VERSIONS[version]
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    return context


@contextmanager
def connected(host: HostClient, kind: str) -> Iterator[socket.socket]:
    """A connection on which the ClientHello comes next."""
    with socket.create_connection((host.address, host.port(kind)), timeout=5) as raw:
        if kind in ("smtp", "smtp587"):
            raw.recv(4096)
            raw.sendall(b"EHLO probe\r\n")
            assert b"STARTTLS" in raw.recv(4096), "no STARTTLS"
            raw.sendall(b"STARTTLS\r\n")
            assert raw.recv(4096).startswith(b"220")
        yield raw


def negotiated(host: HostClient, kind: str, version: str, ciphers: str = "DEFAULT") -> str | None:
    """The suite of a whole handshake in OpenSSL's spelling; None where the server ended it."""
    with connected(host, kind) as raw:
        try:
            with client_context(version, ciphers).wrap_socket(raw) as secured:
                cipher = secured.cipher()
                return cipher[0] if cipher is not None else None
        except (ssl.SSLError, ConnectionError):
            return None


def is_reset(host: HostClient, kind: str, version: str, ciphers: str = "DEFAULT") -> bool:
    """True where the hello is answered with a reset, and with nothing before it."""
    with connected(host, kind) as raw:
        try:
            with client_context(version, ciphers).wrap_socket(raw):
                return False
        except ConnectionResetError:
            return True
        except (ssl.SSLError, ConnectionError):
            return False


def client_hello(
    legacy: int, supported: Sequence[int] | None = None, suites: Sequence[int] = (0x002F, 0x0035, 0x000A)
) -> bytes:
    extensions = b""
    if supported is not None:
        versions = b"".join(struct.pack(">H", version) for version in supported)
        extensions += struct.pack(">HHB", 43, len(versions) + 1, len(versions)) + versions
    offered = b"".join(struct.pack(">H", suite) for suite in suites)
    body = struct.pack(">H", legacy) + bytes(32) + b"\x00" + struct.pack(">H", len(offered)) + offered + b"\x01\x00"
    if legacy > 0x0300:
        body += struct.pack(">H", len(extensions)) + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16" + struct.pack(">HH", min(legacy, 0x0301), len(message)) + message


def first_record(host: HostClient, kind: str, hello: bytes) -> bytes:
    """The first record that answers a hello. Raises ConnectionResetError where that is a reset."""
    with connected(host, kind) as raw:
        raw.sendall(hello)
        data = b""
        while len(data) < 5 or len(data) < 5 + struct.unpack(">H", data[3:5])[0]:
            chunk = raw.recv(4096)
            assert chunk, "closed without a record"
            data += chunk
        return data
