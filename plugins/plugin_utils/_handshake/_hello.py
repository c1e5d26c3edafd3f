# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The ClientHello: one record that offers exactly one protocol version.

Written by hand because a TLS library answers for itself as well as for the server: OpenSSL has no SSL 3.0, and where a
system policy forbids TLS 1.0 or SHA-1 it fails after the server has accepted. Nothing here computes anything, so no
policy can change it. RFC 6101 (SSL 3.0), 5246, 8446; extensions by RFC 6066, 7627, 7685, 8422.
"""

from __future__ import annotations

import struct

from . import _suites
from ._words import TlsVersion

RANDOM_BYTES = 32

_HANDSHAKE_RECORD = 22
_CLIENT_HELLO = 1

_SERVER_NAME = 0
_SUPPORTED_GROUPS = 10
_EC_POINT_FORMATS = 11
_SIGNATURE_ALGORITHMS = 13
_PADDING = 21
_EXTENDED_MASTER_SECRET = 23
_SUPPORTED_VERSIONS = 43
_PSK_KEY_EXCHANGE_MODES = 45
_KEY_SHARE = 51

_X25519 = 0x001D
# X25519, P-256, P-384, P-521, X448; then what hardly anybody uses, for the servers that have nothing else
_CURVES = (_X25519, 0x0017, 0x0018, 0x0019, 0x001E)
_CURVES_12 = (*_CURVES, 0x001A, 0x001B, 0x001C, 0x0016, 0x0015, 0x0013)  # Brainpool, secp256k1, P-224, P-192
# ffdhe2048 to 8192, Brainpool, ML-KEM with P-256, X25519 and P-384. Up to TLS 1.2 ffdhe would forbid a server its own
# DHE group (RFC 7919, 4), so it is offered here alone.
_GROUPS_13 = (
    *_CURVES, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104, 0x001F, 0x0020, 0x0021, 0x11EB, 0x11EC, 0x11ED,
)  # fmt: skip

# RSA (PKCS 1, then PSS) and ECDSA with SHA-2, EdDSA, Brainpool; SHA-1 last: old servers have nothing else in TLS 1.2
_SIGNATURES = (
    0x0401, 0x0501, 0x0601, 0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B, 0x0807, 0x0808,
    0x081A, 0x081B, 0x081C, 0x0402, 0x0301, 0x0303, 0x0201, 0x0203, 0x0202,
)  # fmt: skip


def client_hello(version: TlsVersion, server_name: str | None, random: bytes, key_share: bytes) -> bytes:
    """The whole record.

    ``server_name`` is an ASCII host name for SNI, or None; never an IP address (RFC 6066, 3). ``random`` and
    ``key_share`` are 32 random bytes each; any 32 bytes are a point of X25519 (RFC 7748, 5). The session id is
    empty and there is no ticket, so the server cannot resume a session of another version.
    """
    if len(random) != RANDOM_BYTES or len(key_share) != RANDOM_BYTES:
        raise ValueError(f"random and key_share are {RANDOM_BYTES} bytes each")
    # TLS 1.3 calls itself 1.2 here and tells the truth in supported_versions (RFC 8446, 4.1.2)
    legacy = min(version.wire, TlsVersion.TLS_1_2.wire)
    body = struct.pack("!H", legacy) + random + b"\x00" + _vector(2, _words(_suites.offered(version))) + b"\x01\x00"
    if version is not TlsVersion.SSL_3_0:
        body += _extensions(version, server_name, key_share, len(body))
    message = struct.pack("!B", _CLIENT_HELLO) + _vector(3, body)
    # old servers drop a record whose own version they do not know (RFC 5246, appendix E.1)
    record_version = min(version.wire, TlsVersion.TLS_1_0.wire)
    return struct.pack("!BH", _HANDSHAKE_RECORD, record_version) + _vector(2, message)


def _extensions(version: TlsVersion, server_name: str | None, key_share: bytes, before: int) -> bytes:
    result = b""
    if server_name is not None:
        host = b"\x00" + _vector(2, server_name.encode("ascii"))
        result += _extension(_SERVER_NAME, _vector(2, host))
    groups = _GROUPS_13 if version is TlsVersion.TLS_1_3 else _CURVES_12
    result += _extension(_SUPPORTED_GROUPS, _vector(2, _words(groups)))
    if version in (TlsVersion.TLS_1_2, TlsVersion.TLS_1_3):
        result += _extension(_SIGNATURE_ALGORITHMS, _vector(2, _words(_SIGNATURES)))
    if version is TlsVersion.TLS_1_3:
        result += _extension(_SUPPORTED_VERSIONS, _vector(1, _words([version.wire])))
        result += _extension(_PSK_KEY_EXCHANGE_MODES, _vector(1, b"\x01"))
        result += _extension(_KEY_SHARE, _vector(2, struct.pack("!H", _X25519) + _vector(2, key_share)))
    else:
        # an empty extension at the end makes some old servers hang, so it is not the last
        result += _extension(_EXTENDED_MASTER_SECRET, b"") + _extension(_EC_POINT_FORMATS, _vector(1, b"\x00"))
    # Some load balancers hang on a hello of 256 to 511 bytes: fill it up (RFC 7685). Six bytes are headers.
    length = before + len(result) + 6
    if 256 <= length < 512:
        result += _extension(_PADDING, bytes(max(512 - length - 4, 1)))
    return _vector(2, result)


def _extension(kind: int, content: bytes) -> bytes:
    return struct.pack("!H", kind) + _vector(2, content)


def _vector(length_bytes: int, content: bytes) -> bytes:
    return len(content).to_bytes(length_bytes, "big") + content


def _words(numbers: tuple[int, ...] | list[int]) -> bytes:
    return struct.pack(f"!{len(numbers)}H", *numbers)
