# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No list of cipher suites and no switch takes TLS 1.2 its last suite."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement import guards
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value, dword

from ..policies import policy
from .guarding import AES, CBC, ECDSA, GCM, LOCAL, POLICY, READY, guard, refusal, switch

# --- cipher suites ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suites", "build", "words"),
    [
        ([GCM], 17763, None),
        ([GCM.lower()], 17763, None),
        (["TLS_AES_256_GCM_SHA384", GCM], 20348, None),
        ([f"{CBC}_P256"], 9600, None),
        (["TLS_RSA_WITH_AES_128_CBC_SHA"], 7601, None),
        ([f"{ECDSA}_P384", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"], 9200, None),
        # the certificate is of the kind RSA, as far as is known
        ([ECDSA], 17763, "for RSA certificates"),
        # what nobody takes any more
        (["TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_RC4_128_SHA"], 17763, "for TLS 1.2"),
        (["TLS_RSA_WITH_NULL_SHA256", "TLS_PSK_WITH_AES_256_GCM_SHA384"], 17763, "for TLS 1.2"),
        # 2012 R2 has this suite under names with curves only, and has that one not at all
        ([CBC], 9600, "that Windows Server 2012 R2 knows"),
        ([GCM], 9600, "that Windows Server 2012 R2 knows"),
        ([f"{ECDSA}_P384"], 9600, "for RSA certificates"),
    ],
)
@pytest.mark.parametrize("by_policy", [False, True])
def test_a_suite_for_tls_12_must_be_left(suites: list[str], build: int, words: str | None, by_policy: bool) -> None:
    there = {POLICY: Value(Type.REG_SZ, "TLS_RSA_WITH_AES_256_CBC_SHA256")} if by_policy else {}
    wanted = policy(cipher_suites=suites)
    if words is None:
        assert guard({**READY, **there}, wanted, build) is None
        return
    told = refusal({**READY, **there}, wanted, build)
    assert told.startswith("Refused, nothing was changed: TLS 1.2 could no longer be used, since no name in the list ")
    assert words in told
    assert "Leave at least one suite for TLS 1.2 with AES" in told
    warning = guard({**READY, **there}, wanted, build, force=True)
    assert warning is not None
    assert warning.startswith("FORCED: TLS 1.2 could no longer be used, since ")


def shown(*key_types: str | None, accepted: bool | None = True) -> dict[str, Any]:
    """Handshakes on endpoints that showed certificates with these keys."""
    return {
        "endpoints": [
            {
                "endpoint": f"smtp://ex01:{number}",
                "versions": {"TLS 1.2": {"accepted": accepted}},
                "certificate": None if kind is None else {"key_type": kind},
            }
            for number, kind in enumerate(key_types, start=1)
        ]
    }


ENDS_EC = {
    "suites": {"cipher_suites": [GCM]},
    "lost": {"cipher_suites": [GCM, "TLS_RSA_WITH_AES_128_CBC_SHA256"]},
    "key exchange": {"key_exchanges": {"ECDH": "disabled"}},
}


@pytest.mark.parametrize("asked", ENDS_EC.values(), ids=ENDS_EC)
def test_a_suite_for_the_certificate_that_was_seen_must_be_left(asked: dict[str, Any]) -> None:
    told = refusal(READY, policy(**asked), handshakes=shown("RSA", "EC secp256r1", "EC secp384r1"))
    assert "smtp://ex01:2, smtp://ex01:3 showed an ECDSA certificate, and " in told
    assert "ECDHE_ECDSA" in told
    warning = guard(READY, policy(**asked), handshakes=shown("EC secp384r1"), force=True)
    assert warning is not None
    assert warning.startswith("FORCED: smtp://ex01:1 showed an ECDSA certificate, and ")


@pytest.mark.parametrize(
    "seen",
    [
        shown(),
        shown("RSA"),
        shown(None, "DSA", "Ed25519", ""),
        # it does not work as it is
        shown("EC secp256r1", accepted=False),
        shown("EC secp256r1", accepted=None),
    ],
)
def test_other_certificates_ask_for_nothing_more(seen: dict[str, Any]) -> None:
    assert guard(READY, policy(cipher_suites=[GCM]), handshakes=seen) is None


def test_suites_for_both_kinds_are_fine() -> None:
    assert guard(READY, policy(cipher_suites=[GCM, ECDSA]), handshakes=shown("EC secp256r1")) is None
    assert guard(READY, policy({"TLS 1.3": "disabled"}), handshakes=shown("EC secp256r1")) is None
    told = refusal(READY, policy(cipher_suites=[ECDSA]), handshakes=shown("EC secp256r1"))
    assert "for RSA certificates" in told, "outgoing mail meets them"


def test_a_forced_list_is_not_refused_again() -> None:
    there = {**READY, LOCAL: Value(Type.REG_MULTI_SZ, (ECDSA,))}
    assert guard(there, policy(cipher_suites=[ECDSA])) is None
    assert "for RSA certificates" in refusal(there, policy({"TLS 1.0": "disabled"})), "but old TLS stays on"


@pytest.mark.parametrize("build", [6003, 18363, 25398, 99999])
def test_windows_without_a_table_is_given_the_benefit_of_the_doubt(build: int) -> None:
    warning = guard(READY, policy(cipher_suites=[GCM, f"{CBC}_P256"]), build)
    name = "Server 2008 SP2" if build == 6003 else f"build {build}"
    assert warning == (
        f"No page of Microsoft's says which cipher suites Windows {name} knows; the names were only held against those "
        "of all versions."
    )
    assert "for RSA certificates" in refusal(READY, policy(cipher_suites=[ECDSA]), build)


def test_names_that_this_windows_does_not_know() -> None:
    warning = guard(READY, policy(cipher_suites=["TLS_AES_256_GCM_SHA384", GCM, "SSL_CK_DES_64_CBC_WITH_MD5"]), 17763)
    assert warning == (
        "Windows Server 2019 does not know these cipher suites and passes over them: TLS_AES_256_GCM_SHA384, "
        "SSL_CK_DES_64_CBC_WITH_MD5."
    )
    there = {**READY, LOCAL: Value(Type.REG_MULTI_SZ, ("TLS_AES_256_GCM_SHA384", GCM))}
    assert guard(there, policy(cipher_suites=["TLS_AES_256_GCM_SHA384", GCM])) is None, "said once, when it is written"


SHA2 = {"SHA256": "disabled", "SHA384": "disabled"}
EXCHANGES = {"Diffie-Hellman": "disabled", "ECDH": "disabled", "PKCS": "disabled"}


@pytest.mark.parametrize(
    ("asked", "there", "words"),
    [
        ({"ciphers": AES}, {}, r"without Ciphers\AES 256/256 and Ciphers\AES 128/128 no cipher suite with AES is left"),
        ({"hashes": {**SHA2, "SHA": "disabled"}}, {}, r"Hashes\SHA384"),
        # TLS 1.2 makes its keys with SHA256 where a suite names nothing newer
        ({"hashes": SHA2}, {}, r"no source tells whether TLS 1.2 has a cipher suite with AES while Hashes\SHA256 is"),
        ({"key_exchanges": EXCHANGES}, {}, r"KeyExchangeAlgorithms\PKCS"),
        # a part of it is there already
        (
            {"ciphers": {"AES 256/256": "disabled"}},
            {switch("Ciphers", "AES 128/128"): dword(0)},
            r"Ciphers\AES 128/128",
        ),
        ({"hashes": {"SHA384": "disabled"}}, {switch("Hashes", "SHA256"): dword(0)}, r"Hashes\SHA256"),
        (
            {"key_exchanges": {"ECDH": "disabled"}},
            {switch("KeyExchangeAlgorithms", "PKCS"): dword(0), LOCAL: Value(Type.REG_MULTI_SZ, (GCM,))},
            "KeyExchangeAlgorithms\\ECDH",
        ),
        ({"ciphers": {"AES 256/256": "disabled"}}, {LOCAL: Value(Type.REG_MULTI_SZ, (GCM,))}, r"Ciphers\AES 256/256"),
        ({"ciphers": {"AES 256/256": "disabled"}}, {POLICY: Value(Type.REG_SZ, GCM)}, r"Ciphers\AES 256/256"),
        # the policy's list counts, and not the local one
        (
            {"ciphers": {"AES 256/256": "disabled"}},
            {POLICY: Value(Type.REG_SZ, GCM), LOCAL: Value(Type.REG_MULTI_SZ, ("TLS_RSA_WITH_AES_128_CBC_SHA256",))},
            r"Ciphers\AES 256/256",
        ),
        ({"cipher_suites": [GCM]}, {switch("Ciphers", "AES 256/256"): dword(0)}, r"Ciphers\AES 256/256"),
        # another type proves nothing
        (
            {"ciphers": {"AES 256/256": "disabled"}},
            {switch("Ciphers", "AES 128/128"): Value(Type.REG_SZ, "1")},
            r"while Ciphers\AES 128/128 is as set",
        ),
    ],
)
def test_switches_must_leave_a_suite(asked: dict[str, Any], there: dict[Setting, Value], words: str) -> None:
    told = refusal({**READY, **there}, policy(**asked))
    assert words in told
    assert "TLS 1.2" in told
    warning = guard({**READY, **there}, policy(**asked), force=True)
    assert warning is not None
    assert warning.startswith("FORCED: TLS 1.2 could no longer be used, ")


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ({"ciphers": {"AES 128/128": "disabled", "RC4 128/128": "disabled", "Triple DES 168": "disabled"}}, {}),
        ({"hashes": {"MD5": "disabled", "SHA": "disabled"}}, {}),
        ({"hashes": {"SHA": "disabled", "SHA256": "disabled"}}, {}),
        ({"key_exchanges": {"Diffie-Hellman": "disabled", "PKCS": "disabled"}}, {}),
        ({"ciphers": {"AES 128/128": "disabled"}}, {switch("Ciphers", "AES 256/256"): dword(0xFFFFFFFF)}),
        ({"ciphers": {"AES 128/128": "disabled"}}, {switch("Ciphers", "AES 256/256"): dword(1)}),
        # nothing is taken away from a host that is cut off already
        (
            {"ciphers": AES},
            dict.fromkeys([switch("Ciphers", "AES 128/128"), switch("Ciphers", "AES 256/256")], dword(0)),
        ),
        (
            {"ciphers": {"AES 128/128": "enabled"}},
            {
                switch("Ciphers", "AES 128/128"): dword(0),
                **dict.fromkeys([switch("Hashes", n) for n in SHA2], dword(0)),
            },
        ),
        ({"protocols": {"TLS 1.3": "disabled"}}, {switch("Ciphers", "AES 256/256"): dword(0)}),
    ],
)
def test_switches_that_leave_a_suite(asked: dict[str, Any], there: dict[Setting, Value]) -> None:
    assert guard({**READY, **there}, policy(**asked)) is None


@pytest.mark.parametrize(
    "asked",
    [
        {"cipher_suites": [GCM]},
        {"ciphers": {"AES 256/256": "disabled"}},
        {"hashes": {"SHA": "disabled"}},
        {"key_exchanges": {"ECDH": "default"}},
    ],
)
def test_all_that_decides_over_suites_is_read_where_it_may_matter(asked: dict[str, Any]) -> None:
    wanted = policy(**asked)
    read = {rule.setting for rule in (*wanted.rules, *guards.also_needed(wanted))}
    assert read >= {
        POLICY,
        LOCAL,
        *(switch("Ciphers", name) for name in AES),
        *(switch("Hashes", name) for name in ("SHA", "SHA256", "SHA384")),
        *(switch("KeyExchangeAlgorithms", name) for name in EXCHANGES),
    }
    kinds = {rule.setting: rule.kind for rule in guards.also_needed(wanted)}
    assert {kinds[POLICY], kinds[LOCAL]} == {Type.REG_SZ, Type.REG_MULTI_SZ}
    assert set(kinds.values()) - {Type.REG_SZ, Type.REG_MULTI_SZ} <= {Type.REG_DWORD}


@pytest.mark.parametrize(
    "asked",
    [
        {"baseline": "exchange_tls12"},
        {"baseline": "exchange_best_practice"},
        {"ciphers": {"RC4 128/128": "disabled", "NULL": "disabled"}, "hashes": {"MD5": "disabled"}},
        {"dh_min_key_length": 2048},
    ],
)
def test_nothing_more_is_read_otherwise(asked: dict[str, Any]) -> None:
    assert guards.also_needed(policy(**asked)) == ()
