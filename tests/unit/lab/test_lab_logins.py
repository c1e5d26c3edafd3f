# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins of one connection, without the network: CredSSP, whose messages have parts, and certificates of clients."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spnego
from pypsrp.encryption import WinRMEncryption

from tests.lab.auth import AccountBook, ConnectionSecurity, Handshake, SealError
from tests.lab.certificates import CertificateStore, client_path, user_of
from tests.lab.description import Account

BY_CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
Make = Callable[..., ConnectionSecurity]


@pytest.fixture(name="security")
def _security(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    book = AccountBook([Account("labadmin", "Lab-Pass-1")], ["EX01"])
    book.write_ntlm_file(tmp_path / "users")
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "users"))

    def make(*methods: str, user: str | None = None) -> ConnectionSecurity:
        return ConnectionSecurity(book, methods, "ex01.lab.test", Handshake(user=user), None)

    return make


def credssp(security: ConnectionSecurity, password: str = "Lab-Pass-1") -> Any:
    """The side of the client, once the lab has no more questions."""
    client = spnego.client("labadmin", password, protocol="credssp")
    token = client.step()
    while token:
        outcome = security.authorize(f"CredSSP {base64.b64encode(token).decode()}")
        token = client.step(base64.b64decode(outcome.token.partition(" ")[2])) if outcome.token else None
    return client


@pytest.mark.parametrize("size", [1, 16384, 16385, 40000])
def test_a_message_of_credssp_goes_both_ways(security: Make, size: int) -> None:
    lab = security("credssp")
    client = WinRMEncryption(credssp(lab), WinRMEncryption.CREDSSP)
    assert lab.account is not None
    message = (b"<envelope/>" * size)[:size]
    kind = "multipart/x-multi-encrypted" if size > 16384 else "multipart/encrypted"
    content_type, sealed = client.wrap_message(message)
    content_type += f';protocol="{WinRMEncryption.CREDSSP}";boundary="Encrypted Boundary"'
    assert lab.unseal(content_type, sealed) == message
    told, answer = lab.seal(message)
    assert told.startswith(f"{kind};protocol=")
    assert client.unwrap_message(answer, "Encrypted Boundary") == message


@pytest.mark.parametrize("size", [10, 20000])
def test_a_message_that_says_it_has_more_or_fewer_parts(security: Make, size: int) -> None:
    lab = security("credssp")
    client = WinRMEncryption(credssp(lab), WinRMEncryption.CREDSSP)
    content_type, sealed = client.wrap_message(b"x" * size)
    other = {"multipart/encrypted": "multipart/x-multi-encrypted"}.get(content_type, "multipart/encrypted")
    with pytest.raises(SealError, match="parts"):
        lab.unseal(f'{other};protocol="{WinRMEncryption.CREDSSP}";boundary="Encrypted Boundary"', sealed)


def test_credssp_with_a_wrong_password(security: Make) -> None:
    lab = security("credssp")
    with pytest.raises(spnego.exceptions.SpnegoError):
        credssp(lab, "wrong")
    assert lab.account is None
    assert not lab.encrypts


def test_a_certificate_counts_where_it_is_mapped(security: Make) -> None:
    assert security("certificate", user="labadmin").authorize(BY_CERTIFICATE).account is not None
    for lab in (security("certificate"), security("certificate", user="nobody"), security("ntlm", user="labadmin")):
        outcome = lab.authorize(BY_CERTIFICATE)
        assert outcome.account is None
        assert outcome.rejected


def test_the_user_in_a_certificate(tmp_path: Path) -> None:
    store = CertificateStore(tmp_path)
    store.issue_client("labadmin")
    pem = client_path(tmp_path, "labadmin").read_text(encoding="ascii").partition("-----BEGIN PRIVATE KEY")[0]
    assert user_of(ssl.PEM_cert_to_DER_cert(pem)) == "labadmin"
    assert user_of(store.issue("ex01.lab.test", "127.0.0.1", "good").der) is None
    assert user_of(None) is None
