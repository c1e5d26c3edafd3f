# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of versions and names of errors."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import words

from . import logs


@pytest.mark.parametrize(
    ("token", "version", "side"),
    [
        ("SP_PROT_TLS1_2_SERVER", "TLS 1.2", "server"),
        ("SP_PROT_TLS1_0_CLIENT", "TLS 1.0", "client"),
        ("SP_PROT-TLS1_1_CLIENT", "TLS 1.1", "client"),
        ("SP_PROT-TLS1-1-CLIENT", "TLS 1.1", "client"),
        ("SP_PROT_TLS1_CLIENT", "TLS 1.0", "client"),
        ("SP_PROT_TLS1_3_SERVER", "TLS 1.3", "server"),
        ("SP_PROT_SSL3_SERVER", "SSL 3.0", "server"),
        ("SP_PROT_SSL2_CLIENT", "SSL 2.0", "client"),
        ("sp_prot_tls1_2_server", "TLS 1.2", "server"),
        ("1024", "TLS 1.2", "server"),
        ("2048", "TLS 1.2", "client"),
        ("192", "TLS 1.0", None),
        ("8192", "TLS 1.3", "client"),
        ("0", "unknown", None),
        ("3072000000", "unknown", None),
        # run together, as in the names of .NET
        ("SP_PROT_TLS12_SERVER", "TLS 1.2", "server"),
        ("SP_PROT_TLS11_CLIENT", "TLS 1.1", "client"),
        ("SP_PROT_TLS10", "TLS 1.0", None),
        ("SP_PROT_TLS1_20_SERVER", "unknown", None),
        ("SP_PROT_TLS2_0_SERVER", "unknown", "server"),
        ("SP_PROT_NONE", "unknown", None),
    ],
)
def test_tokens(token: str, version: str, side: str | None) -> None:
    assert words.version_of_token(token) == (version, side)


def test_a_line_may_lack_the_cipher() -> None:
    assert words.agreed(b"TLS protocol SP_PROT_TLS1_2_CLIENT negotiation succeeded") == (
        "TLS 1.2",
        "client",
        None,
        None,
        None,
        None,
    )
    assert words.agreed(b"TLS negotiation failed with error SocketError") is None


@pytest.mark.parametrize("joint", ["_", "-"])
def test_a_whole_line(joint: str) -> None:
    found = words.agreed(logs.agreed("TLS1_1", logs.CLIENT, joint).encode())
    assert found == words.Tls("TLS 1.1", "client", "AES_256", 256, "SHA_384", "ECDH_EPHEM")


@pytest.mark.parametrize(
    ("name", "kind", "recorded"),
    [
        ("SocketError", "version", True),
        ("unknowncredentials", "certificate", True),
        ("NoCredentials", "certificate", True),
        ("AlgorithmMismatch", "version", False),
        ("UntrustedRoot", "certificate", False),
        ("Whatever", "unknown", False),
    ],
)
def test_errors(name: str, kind: str, recorded: bool) -> None:
    assert words.error_class(name) == (kind, recorded)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"TLS negotiation failed with error NoCredentials", "NoCredentials"),
        (b"TLS negotiation failed with status 0x80090331", "0x80090331"),
        (b"Security status IllegalMessage", "IllegalMessage"),
        (b"TLS negotiation failed", "unknown"),
        (b"TlsDomainCapabilities='None'", None),
    ],
)
def test_names_of_errors(text: bytes, error: str | None) -> None:
    assert words.failed(text) == error
