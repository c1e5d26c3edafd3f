# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ClientHello, read back by a parser of its own and by OpenSSL."""

from __future__ import annotations

import dataclasses
import ssl

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake import _suites
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._flight import FlightParser
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._hello import client_hello
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._words import Answer, TlsVersion

from . import servers

RANDOM = bytes(range(32))
SHARE = bytes(range(100, 132))
PYTHON = {
    TlsVersion.TLS_1_0: ssl.TLSVersion.TLSv1,
    TlsVersion.TLS_1_1: ssl.TLSVersion.TLSv1_1,
    TlsVersion.TLS_1_2: ssl.TLSVersion.TLSv1_2,
    TlsVersion.TLS_1_3: ssl.TLSVersion.TLSv1_3,
}


@dataclasses.dataclass
class Hello:
    record_version: int
    version: int
    random: bytes
    session: bytes
    suites: list[int]
    compressions: bytes
    extensions: dict[int, bytes] | None
    order: list[int]
    message_length: int


def read(data: bytes) -> Hello:
    """A reader that stands on its own feet, and checks that every length fits."""
    assert data[0] == 22
    assert len(data) == 5 + int.from_bytes(data[3:5], "big")
    assert data[5] == 1
    body = data[9:]
    assert len(body) == int.from_bytes(data[6:9], "big")
    version, random, body = int.from_bytes(body[:2], "big"), body[2:34], body[34:]
    session, body = body[1 : 1 + body[0]], body[1 + body[0] :]
    count = int.from_bytes(body[:2], "big")
    suites, body = [int.from_bytes(body[at : at + 2], "big") for at in range(2, 2 + count, 2)], body[2 + count :]
    compressions, body = body[1 : 1 + body[0]], body[1 + body[0] :]
    extensions: dict[int, bytes] = {}
    order = []
    if body:
        assert int.from_bytes(body[:2], "big") == len(body) - 2
        at = 2
        while at < len(body):
            kind, length = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
            extensions[kind] = body[at + 4 : at + 4 + length]
            assert len(extensions[kind]) == length
            order.append(kind)
            at += 4 + length
        assert len(order) == len(set(order))
    return Hello(
        int.from_bytes(data[1:3], "big"),
        version,
        random,
        session,
        suites,
        compressions,
        extensions if body else None,
        order,
        len(data) - 5,
    )


def hello(version: TlsVersion, name: str | None = "mail.example.com") -> Hello:
    return read(client_hello(version, name, RANDOM, SHARE))


@pytest.mark.parametrize(
    ("version", "record_version", "inner"),
    [
        (TlsVersion.SSL_3_0, 0x0300, 0x0300),
        (TlsVersion.TLS_1_0, 0x0301, 0x0301),
        (TlsVersion.TLS_1_1, 0x0301, 0x0302),
        (TlsVersion.TLS_1_2, 0x0301, 0x0303),
        (TlsVersion.TLS_1_3, 0x0301, 0x0303),
    ],
)
def test_versions_in_record_and_hello(version: TlsVersion, record_version: int, inner: int) -> None:
    found = hello(version)
    assert (found.record_version, found.version) == (record_version, inner)
    assert found.random == RANDOM
    assert found.session == b""
    assert found.compressions == b"\x00"


@pytest.mark.parametrize("version", TlsVersion)
def test_every_hello_ends_its_suites_with_the_renegotiation_scsv(version: TlsVersion) -> None:
    suites = hello(version).suites
    assert suites[-1] == 0x00FF
    assert len(suites) == len(set(suites))


def test_ssl_3_has_no_extensions() -> None:
    assert hello(TlsVersion.SSL_3_0).extensions is None


@pytest.mark.parametrize("version", [version for version in TlsVersion if version is not TlsVersion.SSL_3_0])
def test_sni_carries_the_name(version: TlsVersion) -> None:
    found = hello(version).extensions
    assert found is not None
    assert found[0] == b"\x00\x13\x00\x00\x10mail.example.com"
    without = hello(version, None).extensions
    assert without is not None
    assert 0 not in without


def test_signature_algorithms_of_tls_1_2_include_sha_1() -> None:
    for version in (TlsVersion.TLS_1_2, TlsVersion.TLS_1_3):
        found = hello(version).extensions
        assert found is not None
        algorithms = {found[13][at : at + 2].hex() for at in range(2, len(found[13]), 2)}
        assert {"0401", "0403", "0804", "0201", "0203"} <= algorithms
    for version in (TlsVersion.TLS_1_0, TlsVersion.TLS_1_1):
        assert 13 not in hello(version).order


def test_tls_1_3_offers_only_itself_and_a_share_of_x25519() -> None:
    found = hello(TlsVersion.TLS_1_3)
    assert found.extensions is not None
    assert found.extensions[43] == b"\x02\x03\x04"
    assert found.extensions[51] == b"\x00\x24\x00\x1d\x00\x20" + SHARE
    assert {suite >> 8 for suite in found.suites[:-1]} == {0x13}


def groups(version: TlsVersion) -> set[int]:
    found = hello(version).extensions
    assert found is not None
    return {int.from_bytes(found[10][at : at + 2], "big") for at in range(2, len(found[10]), 2)}


def test_tls_1_3_offers_every_group_of_its_standard() -> None:
    """RFC 8446, 4.2.7: the curves, and ffdhe2048 to ffdhe8192."""
    assert {0x17, 0x18, 0x19, 0x1D, 0x1E, 0x100, 0x101, 0x102, 0x103, 0x104} <= groups(TlsVersion.TLS_1_3)


@pytest.mark.parametrize("version", [TlsVersion.TLS_1_0, TlsVersion.TLS_1_1, TlsVersion.TLS_1_2])
def test_older_hellos_leave_the_dhe_group_to_the_server(version: TlsVersion) -> None:
    assert {0x17, 0x18, 0x19, 0x1D} <= groups(version)
    assert not any(group >> 8 == 1 for group in groups(version))


def test_older_hellos_offer_no_tls_1_3() -> None:
    for version in (TlsVersion.TLS_1_0, TlsVersion.TLS_1_1, TlsVersion.TLS_1_2):
        found = hello(version)
        assert not {43, 45, 51} & set(found.order)
        assert not any(suite >> 8 == 0x13 for suite in found.suites)


def test_suites_are_wide_but_never_without_authentication_or_encryption() -> None:
    for version in TlsVersion:
        for code in _suites.offered(version)[:-1]:
            name = _suites.name(code)
            assert name.startswith("TLS_"), hex(code)
            assert not any(bad in name for bad in ("NULL", "anon", "EXPORT", "_DES_", "PSK"))
    old = {_suites.name(code) for code in _suites.offered(TlsVersion.TLS_1_0)}
    assert {"TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"} <= old
    assert not any("SHA256" in name or "SHA384" in name for name in old)


def test_suite_codes_are_those_of_openssl() -> None:
    """OpenSSL knows IANA's names as well."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    known = {
        cipher["id"] & 0xFFFF: str(cipher["name"]).replace("-", "_")
        for cipher in context.get_ciphers()  # type: ignore[typeddict-item]
    }
    checked = 0
    for code in {*_suites.offered(TlsVersion.TLS_1_2), *_suites.offered(TlsVersion.TLS_1_3)} & set(known):
        # AES128-GCM-SHA256 and TLS_RSA_WITH_AES_128_GCM_SHA256: the same parts, other glue
        ours = _suites.name(code).removeprefix("TLS_").replace("WITH_", "").replace("_CBC", "").replace("AES_", "AES")
        theirs = known[code].removeprefix("TLS_").replace("AES_", "AES").replace("CAMELLIA", "CAMELLIA_")
        if ours.startswith("RSA_"):
            ours = ours[4:]
        ours = ours.replace("ChaCha", "CHACHA").replace("POLY1305_SHA256", "POLY1305")
        theirs = theirs.replace("POLY1305_SHA256", "POLY1305").replace("DSS", "DSS")
        assert ours == theirs, hex(code)
        checked += 1
    assert checked > 30


@pytest.mark.parametrize("version", [version for version in TlsVersion if version is not TlsVersion.SSL_3_0])
def test_no_hello_has_a_length_that_makes_load_balancers_hang(version: TlsVersion) -> None:
    for length in range(254):
        found = hello(version, "a" * length or None)
        assert not 256 <= found.message_length < 512
        # nor an empty extension at the end
        assert found.extensions is not None
        assert found.extensions[found.order[-1]]


def test_random_bytes_must_be_32() -> None:
    with pytest.raises(ValueError, match="32"):
        client_hello(TlsVersion.TLS_1_2, None, b"", SHARE)
    with pytest.raises(ValueError, match="32"):
        client_hello(TlsVersion.TLS_1_3, None, RANDOM, b"")


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize("asked", PYTHON)
def test_openssl_accepts_the_hello_of_each_version_it_has(asked: TlsVersion, kind: str) -> None:
    flight = servers.flight_of(
        servers.server_context(PYTHON[asked], kind=kind), client_hello(asked, servers.NAME, RANDOM, SHARE)
    )
    found = FlightParser(asked).feed(flight)
    assert found is not None
    assert found.answer is Answer.ACCEPTED
    assert found.chosen is asked


def test_openssl_reads_the_name() -> None:
    names = []
    context = servers.server_context(ssl.TLSVersion.TLSv1_2)
    context.sni_callback = lambda _server, name, _context: names.append(name)
    servers.flight_of(context, client_hello(TlsVersion.TLS_1_2, servers.NAME, RANDOM, SHARE))
    servers.flight_of(context, client_hello(TlsVersion.TLS_1_2, None, RANDOM, SHARE))
    assert names == [servers.NAME, None]
