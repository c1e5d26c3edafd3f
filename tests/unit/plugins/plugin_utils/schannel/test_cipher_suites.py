# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of cipher suites, against lists that Microsoft's pages give for Windows versions."""

from __future__ import annotations

import re

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import subjects
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel import cipher_suites
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.cipher_suites import SUITES, knows, nearest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import PROTOCOLS

BUILDS = {7601: "2008 R2", 9200: "2012", 9600: "2012 R2", 14393: "2016", 17763: "2019", 20348: "2022", 26100: "2025"}
OLD, NEW = (7601, 9200, 9600), (14393, 17763, 20348, 26100)


@pytest.mark.parametrize(
    ("name", "builds"),
    [
        ("TLS_AES_256_GCM_SHA384", (20348, 26100)),
        ("TLS_CHACHA20_POLY1305_SHA256", (20348, 26100)),
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", NEW),
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", NEW),
        # these came to old Windows for ECDSA only
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384_P256", NEW),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384_P384", (*OLD, *NEW)),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384_P256", NEW),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256_P256", (*OLD, *NEW)),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", NEW),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384_P256", (*OLD, *NEW)),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA_P521", (*OLD, *NEW)),
        ("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", (*OLD, *NEW)),
        ("TLS_DHE_RSA_WITH_AES_256_CBC_SHA", (7601, 9600, *NEW)),
        ("TLS_RSA_WITH_AES_256_GCM_SHA384", (*OLD, *NEW)),
        ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", (*OLD, *NEW)),
        ("TLS_PSK_WITH_AES_256_GCM_SHA384", NEW),
        ("SSL_CK_RC4_128_WITH_MD5", OLD),
        ("TLS_RSA_WITH_AES_256_GCM_SHA384_P256", ()),
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM", ()),
    ],
)
def test_who_knows_a_suite(name: str, builds: tuple[int, ...]) -> None:
    assert tuple(build for build in BUILDS if knows(build, name)) == builds
    assert tuple(build for build in BUILDS if knows(build, name.lower())) == builds


def test_numbers_of_the_pages() -> None:
    """Counted on the pages: those that are on by default, those that are not, and those with pre-shared keys."""
    plain = [name for name in SUITES if not re.search(r"_P(256|384|521)$", name)]
    counts = {build: sum(knows(build, name) for name in plain) for build in NEW}
    assert counts == {14393: 32 + 7 + 6, 17763: 23 + 16 + 6, 20348: 25 + 17 + 6, 26100: 25 + 17 + 6}
    assert sum(knows(9600, name) for name in SUITES) == 40 + 19
    assert sum(knows(9200, name) for name in SUITES) == 38 + 19


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_parts(suite: cipher_suites.Suite) -> None:
    """Written from how names are built, and not from the table."""
    exchange, _dummy, rest = suite.name.partition("_WITH_")
    aes = {"AES_256": "AES 256/256", "AES_128": "AES 128/128"}
    for words, key in aes.items():
        assert (key == suite.cipher) is (words in suite.name)
    assert suite.protocols <= set(PROTOCOLS)
    assert suite.cipher in (*subjects.CIPHERS, "ChaCha20")
    assert suite.hash in subjects.HASHES
    assert suite.key_exchange in (*subjects.KEY_EXCHANGES, "")
    assert suite.windows
    plain = suite.name.partition("_P2")[0].partition("_P3")[0].partition("_P5")[0]
    assert plain.endswith(f"_{suite.hash}")
    if rest and suite.name.startswith("TLS"):
        parts = exchange.split("_")[1:]
        wanted = {"ECDHE": "ECDH", "DHE": "Diffie-Hellman", "RSA": "PKCS", "PSK": ""}
        assert suite.key_exchange == wanted[parts[0]]
        assert suite.authentication == next(word for word in reversed(parts) if word in ("RSA", "ECDSA", "DSS", "PSK"))
    newest = suite.hash in ("SHA256", "SHA384")
    assert (suite.protocols == {"TLS 1.2"}) is (newest and bool(rest))
    assert (suite.protocols == {"TLS 1.3"}) is (not rest)


@pytest.mark.parametrize("build", [6003, 18363, 25398, 99999])
def test_windows_that_no_page_is_about(build: int) -> None:
    assert not cipher_suites.tabled(build)
    assert all(knows(build, name) for name in SUITES)
    assert not knows(build, "TLS_ECDHE_RSA_WITH_AES_256_GCM")


@pytest.mark.parametrize("name", ["", "x", "TLS_", "TLS_ECDHE", "AES", "\u0130" * 50, "_" * 1000])
def test_nothing_near(name: str) -> None:
    assert nearest(name) is None
