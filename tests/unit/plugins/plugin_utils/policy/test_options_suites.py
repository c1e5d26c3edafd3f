# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cipher suites in policies: names that Windows has, and where they go."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import options
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value

from ..policies import policy


def problems(protocols: dict[Any, Any] | None = None, **more: Any) -> str:
    with pytest.raises(OptionError) as caught:
        policy(protocols, **more)
    return caught.value.message


SUITES = ["TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]


def test_cipher_suites_without_a_policy() -> None:
    found = policy(cipher_suites=SUITES)
    assert found.cipher_suites == tuple(SUITES)
    assert found.rules == (), "where they are depends on the host"
    (rule,) = options.with_suites(found, False).rules
    assert rule.id == "cipher_suites.order"
    assert rule.desired.value == Value(Type.REG_MULTI_SZ, tuple(SUITES))
    assert rule.setting.key == r"SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local\SSL\00010002"


def test_cipher_suites_with_a_policy() -> None:
    (rule,) = options.with_suites(policy(cipher_suites=SUITES), True).rules
    assert rule.desired.value == Value(Type.REG_SZ, ",".join(SUITES))
    assert rule.setting.key == r"SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002"


@pytest.mark.parametrize("policy_exists", [True, False])
def test_no_cipher_suites(policy_exists: bool) -> None:
    found = policy({"TLS 1.2": "enabled"})
    assert options.with_suites(found, policy_exists) is found


@pytest.mark.parametrize("policy_exists", [True, False])
def test_cipher_suites_override_the_baseline(tmp_path: Any, policy_exists: bool) -> None:
    path = tmp_path / "own.yml"
    path.write_text(
        r"""
id: own
title: Own
rules:
  - {id: a, title: A, severity: low, why: W, source: S, version: "1", date: 2026-01-01,
     registry: {key: 'SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002', value: Functions,
                type: REG_SZ, data: TLS_OTHER_WITH_X}}
  - {id: b, title: B, severity: low, why: W, source: S, version: "1", date: 2026-01-01,
     registry: {key: 'SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local\SSL\00010002',
                value: Functions, type: REG_MULTI_SZ, data: [TLS_OTHER_WITH_X]}}
"""
    )
    found = options.with_suites(policy(baseline=str(path), cipher_suites=SUITES), policy_exists)
    assert {rule.id for rule in found.rules} == {"b" if policy_exists else "a", "cipher_suites.order"}
    assert len(found.rules) == 2


@pytest.mark.parametrize(
    "name", ["", " ", "TLS_A,TLS_B", "TLS_A B", "ECDHE-RSA-AES128-SHA", "TLS_Ä", "TLS_RSA_WITH_\n", "RSA_WITH_AES"]
)
def test_cipher_suites_that_are_no_names(name: str) -> None:
    """Windows would find no suite by such a name, and fail handshakes where it finds none at all."""
    message = problems(cipher_suites=[*SUITES, name])
    assert f"'cipher_suites': {name!r} is not the name of a cipher suite in Windows" in message


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("tls_ecdhe_rsa_with_aes_128_gcm", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA348", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("TLS_ECDHE_RSA_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384_P265", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384_P256"),
        ("TLS_RSA_WITH_AES_256_GCM", "TLS_RSA_WITH_AES_256_GCM_SHA384"),
        ("TLS_AES_256_GCM", "TLS_AES_256_GCM_SHA384"),
    ],
)
def test_cipher_suites_that_were_probably_meant(name: str, meant: str) -> None:
    """Also where it is the only name, and the only complaint."""
    assert problems(cipher_suites=[name]) == (
        f"Bad policy: 'cipher_suites': {name!r} is not the name of a cipher suite in Windows (did you mean {meant}?)."
    )


def test_cipher_suites_of_any_windows() -> None:
    """Which of them the Windows of a host knows is held against the host."""
    names = [
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384_P256",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
        "SSL_CK_RC4_128_WITH_MD5",
    ]
    assert policy(cipher_suites=names).cipher_suites == tuple(names)


def test_cipher_suites_named_twice() -> None:
    assert "'cipher_suites' names TLS_AES_256_GCM_SHA384 twice" in problems(
        cipher_suites=[*SUITES, "tls_aes_256_gcm_sha384"]
    )


def test_cipher_suites_without_any_for_tls_12() -> None:
    """A list of TLS 1.3 suites alone turns TLS 1.2 off, which nothing may."""
    message = problems(cipher_suites=["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"])
    assert "'cipher_suites' has none for TLS 1.2" in message
