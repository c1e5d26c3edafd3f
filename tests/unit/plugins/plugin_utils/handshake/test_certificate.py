# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificate facts."""

from __future__ import annotations

import datetime
import hashlib

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake import _certificate
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._certificate import (
    CertificateFacts,
    read_certificate,
)
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from . import servers

UTC = datetime.timezone.utc


@pytest.mark.parametrize(("kind", "key"), [("rsa", ("RSA", 2048)), ("ec", ("EC secp256r1", 256))])
def test_facts(kind: str, key: tuple[str, int]) -> None:
    der = servers.identity(kind).der
    facts = read_certificate(der)
    assert facts.subject == "CN=mail.example.com"
    assert facts.issuer == "CN=Example CA"
    assert facts.sans == ("mail.example.com", "*.example.net", "192.0.2.1")
    assert (facts.key_type, facts.key_bits) == key
    assert facts.serial == "ABCDEF"
    assert facts.self_signed is False
    assert facts.note is None
    # as Windows shows it: SHA-1 in upper case
    assert facts.thumbprint == hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    assert facts.sha256 == hashlib.sha256(der).hexdigest()
    assert facts.not_before is not None
    assert facts.not_after is not None
    assert facts.not_before.tzinfo is UTC


def test_self_signed_without_names() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([])
    moment = datetime.datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(moment)
        .not_valid_after(moment + datetime.timedelta(days=365))
        .sign(key, None)
    )
    facts = read_certificate(certificate.public_bytes(serialization.Encoding.DER))
    assert facts.self_signed is True
    assert facts.sans == ()
    assert (facts.key_type, facts.key_bits) == ("Ed25519", None)
    assert facts.matches("ex01") is False


@pytest.mark.parametrize(
    ("now", "days"),
    [
        (datetime.datetime(2026, 1, 1, tzinfo=UTC), 9),
        (datetime.datetime(2026, 1, 10, 11, tzinfo=UTC), 0),
        (datetime.datetime(2026, 1, 10, 13, tzinfo=UTC), -1),
    ],
)
def test_days_left(now: datetime.datetime, days: int) -> None:
    facts = CertificateFacts("", "", not_after=datetime.datetime(2026, 1, 10, 12, tzinfo=UTC))
    assert facts.days_left(now) == days
    assert CertificateFacts("", "").days_left(now) is None


@pytest.mark.parametrize(
    ("name", "matches"),
    [
        ("mail.example.com", True),
        ("MAIL.example.COM", True),
        ("autodiscover.example.net", True),
        ("a.b.example.net", False),
        ("example.net", False),
        ("example.com", False),
        ("net", False),
    ],
)
def test_match_with_the_name(name: str, matches: bool) -> None:
    assert read_certificate(servers.identity().der).matches(name) is matches


def test_older_cryptography_gives_naive_moments() -> None:
    class Old:
        not_valid_after = datetime.datetime(2026, 1, 1)  # noqa: DTZ001

    expected = datetime.datetime(2026, 1, 1, tzinfo=UTC)
    assert _certificate._moment(Old(), "not_valid_after") == expected  # type: ignore[arg-type]


def test_a_policy_may_forbid_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_args: object, **_options: object) -> None:
        raise ValueError("[digital envelope routines] unsupported")

    monkeypatch.setattr(hashlib, "new", forbidden)
    facts = read_certificate(servers.identity().der)
    assert (facts.sha256, facts.thumbprint) == (None, None)
    assert facts.serial == "ABCDEF"


def test_without_cryptography_there_are_hashes_and_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_certificate, "CRYPTOGRAPHY_ERROR", ImportError("No module named 'cryptography'"))
    der = servers.identity().der
    facts = read_certificate(der)
    assert facts.sha256 == hashlib.sha256(der).hexdigest()
    assert facts.subject is None
    assert facts.note is not None
    assert "cryptography" in facts.note
    assert facts.matches("mail.example.com") is None


@given(st.binary(max_size=80), st.integers(0, 700), st.integers(0, 40))
def test_a_broken_certificate_still_has_hashes(patch: bytes, at: int, cut: int) -> None:
    der = servers.identity("ec").der
    broken = der[:at] + patch + der[at + cut :]
    facts = read_certificate(broken)
    assert facts.sha256 == hashlib.sha256(broken).hexdigest()
    assert (facts.note is None) == (facts.serial is not None)
