# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The places and values behind each state, held against a table that was written from docs/reference."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import subjects as known_subjects
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import EVERYWHERE
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.subjects import Subject
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import PROTOCOLS, SIDES
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import parents
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword

SCHANNEL = r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL"
F = 0xFFFFFFFF
# KB 245030: the names below Ciphers, Hashes and KeyExchangeAlgorithms
CIPHERS = [
    "NULL",
    "DES 56/56",
    "RC2 40/128",
    "RC2 56/128",
    "RC2 128/128",
    "RC4 40/128",
    "RC4 56/128",
    "RC4 64/128",
    "RC4 128/128",
    "Triple DES 168",
    "AES 128/128",
    "AES 256/256",
]
HASHES = ["MD5", "SHA", "SHA256", "SHA384", "SHA512"]
KEY_EXCHANGES = ["Diffie-Hellman", "ECDH", "PKCS"]

Written = list[tuple[str, str, int]]


def written(subject: Subject, state: str) -> Written:
    """Key, value and number of each value behind a state, as it is written on a bare host."""
    found = []
    for item in subject.states[state]:
        value = item.desired.to_write(ABSENT)
        assert value.type is Type.REG_DWORD
        assert isinstance(value.data, int)
        found.append((item.setting.key, item.setting.name, value.data))
    return sorted(found)


def dotnet(version: str) -> Written:
    names = ["SchUseStrongCrypto", "SystemDefaultTlsVersions"]
    keys = [rf"SOFTWARE\Microsoft\.NETFramework\{version}", rf"SOFTWARE\Wow6432Node\Microsoft\.NETFramework\{version}"]
    return [(key, name, 1) for key in keys for name in names]


def winhttp(bits: int) -> Written:
    key = r"Microsoft\Windows\CurrentVersion\Internet Settings\WinHttp"
    return [(rf"SOFTWARE\{node}{key}", "DefaultSecureProtocols", bits) for node in ("", "Wow6432Node" + "\\")]


# From docs/reference/schannel.md 4.1, 4.3, 4.4 (best practices), 5 (WinHTTP), 6.1, 6.2 (ciphers, suites)
TABLE: list[tuple[Subject, str, Written]] = [
    *(
        (
            known_subjects.protocol_side(protocol, side),
            state,
            [
                (rf"{SCHANNEL}\Protocols\{protocol}\{side}", "DisabledByDefault", 1 - on),
                (rf"{SCHANNEL}\Protocols\{protocol}\{side}", "Enabled", on),
            ],
        )
        for protocol in PROTOCOLS
        for side in SIDES
        for state, on in (("enabled", 1), ("disabled", 0))
    ),
    (known_subjects.dotnet("v4"), "strong", dotnet("v4.0.30319")),
    (known_subjects.dotnet("v2"), "strong", dotnet("v2.0.50727")),
    (known_subjects.WINHTTP, "tls12", winhttp(0x800)),
    (known_subjects.WINHTTP, "tls12_only", winhttp(0x800)),
    (
        known_subjects.RENEGOTIATION,
        "strict",
        [(SCHANNEL, "AllowInsecureRenegoClients", 0), (SCHANNEL, "AllowInsecureRenegoServers", 0)],
    ),
    *(
        (make(name), state, [(rf"{SCHANNEL}\{area}\{name}", "Enabled", number)])
        for area, names, make in (
            ("Ciphers", CIPHERS, known_subjects.cipher),
            ("Hashes", HASHES, known_subjects.hash_algorithm),
            ("KeyExchangeAlgorithms", KEY_EXCHANGES, known_subjects.key_exchange),
        )
        for name in names
        for state, number in (("enabled", F), ("disabled", 0))
    ),
    (
        known_subjects.dh_min_key_length(2048),
        "set",
        [
            (rf"{SCHANNEL}\KeyExchangeAlgorithms\Diffie-Hellman", "ClientMinKeyBitLength", 2048),
            (rf"{SCHANNEL}\KeyExchangeAlgorithms\Diffie-Hellman", "ServerMinKeyBitLength", 2048),
        ],
    ),
]


@pytest.mark.parametrize(("subject", "state", "expected"), TABLE, ids=lambda item: getattr(item, "id", None))
def test_places_and_values(subject: Subject, state: str, expected: Written) -> None:
    assert written(subject, state) == sorted(expected)


@pytest.mark.parametrize("subject", {subject.id: subject for subject, _state, _written in TABLE}.values())
def test_the_table_has_every_state(subject: Subject) -> None:
    known = {state for other, state, _written in TABLE if other.id == subject.id}
    assert set(subject.states) == {*known, "default"}
    # the states of a subject are about the same places, and the default is that nothing is there
    places = {frozenset(item.setting for item in items) for items in subject.states.values()}
    assert len(places) == 1
    assert all(item.desired.value == ABSENT for item in subject.states["default"])
    names = [item.name for item in subject.states["default"]]
    assert len(names) == len(set(names))
    assert subject.source.startswith("Microsoft, ")


def test_ids() -> None:
    subjects = {id(subject): subject for subject, _state, _written in TABLE}.values()
    ids = {subject.id for subject in subjects}
    assert {"tls_1_2.client", "multi_protocol_unified_hello.server", "pct_1_0.client", "dtls_1_2.server"} <= ids
    assert {"dotnet_v4", "winhttp", "renegotiation", "dh_min_key_length"} <= ids
    assert {"ciphers.rc4_128_128", "ciphers.triple_des_168", "hashes.md5"} <= ids
    assert "keyexchangealgorithms.diffie_hellman" in ids
    items = {(f"{subject.id}.{item.name}", item.setting) for subject in subjects for item in subject.states["default"]}
    assert len({name for name, _place in items}) == len({place for _name, place in items}) == len(items)


def test_names() -> None:
    assert list(known_subjects.CIPHERS) == CIPHERS
    assert list(known_subjects.HASHES) == HASHES
    assert list(known_subjects.KEY_EXCHANGES) == KEY_EXCHANGES


@pytest.mark.parametrize("name", CIPHERS)
def test_a_slash_belongs_to_the_name_of_one_key(name: str) -> None:
    (item,) = known_subjects.cipher(name).states["disabled"]
    assert parents(item.setting.key)[0].rpartition("\\")[2] == name
    assert parents(item.setting.key)[1] == rf"{SCHANNEL}\Ciphers"


# --- what counts as right --------------------------------------------------------------------------------------------


def right(subject: Subject, state: str, numbers: list[int]) -> set[int]:
    """The numbers that count as right for every value of the state."""
    return {number for number in numbers if all(item.desired.accepts(dword(number)) for item in subject.states[state])}


def test_dotnet_is_exactly_one() -> None:
    """HealthChecker takes 0xffffffff as not set, other than for SCHANNEL (1.2)."""
    for version in ("v4", "v2"):
        assert right(known_subjects.dotnet(version), "strong", [0, 1, 2, F]) == {1}


def test_winhttp_bits() -> None:
    """0x800 is TLS 1.2. 0xA00 and 0xAA0, which are common, have it as well (2.7)."""
    numbers = [0, 0x80, 0xA0, 0x200, 0x280, 0x800, 0xA00, 0xA80, 0xAA0, 0x2000, 0x2800, F]
    assert right(known_subjects.WINHTTP, "tls12", numbers) == {0x800, 0xA00, 0xA80, 0xAA0, 0x2800, F}
    assert right(known_subjects.WINHTTP, "tls12_only", numbers) == {0x800}
    for item in known_subjects.WINHTTP.states["tls12"]:
        assert item.desired.to_write(dword(0xA0)) == dword(0x8A0), "what is on stays on"
    for item in known_subjects.WINHTTP.states["tls12_only"]:
        assert item.desired.to_write(dword(0xA0)) == dword(0x800)


@pytest.mark.parametrize(
    ("build", "applies"),
    [
        (6003, False),
        (7600, True),
        (7601, True),
        (9200, True),
        (9600, False),
        (14393, False),
        (20348, False),
        (26100, False),
    ],
)
def test_windows_versions_that_use_winhttp(build: int, applies: bool) -> None:
    """2008 R2 and 2012; from 2012 R2 on nothing is needed (2.7)."""
    assert (known_subjects.WINHTTP.applies.reason_not(build, None) is None) is applies


def test_all_else_applies_everywhere() -> None:
    for subject, _state, _written in TABLE:
        if subject is not known_subjects.WINHTTP:
            assert subject.applies is EVERYWHERE


def test_any_number_but_0_is_on_for_ciphers() -> None:
    """Microsoft documents 0xffffffff there, and changing it to 1 has broken things (4.2)."""
    for subject in (
        known_subjects.cipher("AES 128/128"),
        known_subjects.hash_algorithm("SHA"),
        known_subjects.key_exchange("PKCS"),
    ):
        assert right(subject, "enabled", [0, 1, F]) == {1, F}
        assert right(subject, "disabled", [0, 1, F]) == {0}


def test_renegotiation_is_exactly_zero() -> None:
    assert right(known_subjects.RENEGOTIATION, "strict", [0, 1, F]) == {0}


def test_longer_dh_keys_are_right_as_well() -> None:
    assert right(known_subjects.dh_min_key_length(2048), "set", [0, 1024, 2047, 2048, 3072, 4096]) == {2048, 3072, 4096}
    assert known_subjects.dh_min_key_length(3072).id == "dh_min_key_length"
    assert "3072" in known_subjects.dh_min_key_length(3072).title


# --- cipher suites ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy_exists", "key", "value"),
    [
        (
            True,
            r"SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002",
            Value(Type.REG_SZ, "TLS_A,TLS_B"),
        ),
        (
            False,
            r"SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local\SSL\00010002",
            Value(Type.REG_MULTI_SZ, ("TLS_A", "TLS_B")),
        ),
    ],
)
def test_cipher_suites(policy_exists: bool, key: str, value: Value) -> None:
    subject = known_subjects.cipher_suites(["TLS_A", "TLS_B"], policy_exists)
    ((state, (item,)),) = subject.states.items()
    assert (state, item.setting.key, item.setting.name) == ("set", key, "Functions")
    assert item.desired.to_write(ABSENT) == value
    for form in (
        Value(Type.REG_SZ, "tls_a, TLS_B"),
        Value(Type.REG_MULTI_SZ, ("TLS_A,TLS_B",)),
        Value(Type.REG_MULTI_SZ, ("TLS_A", "TLS_B")),
    ):
        assert item.desired.accepts(form)
    for other in (ABSENT, Value(Type.REG_SZ, "TLS_B,TLS_A"), Value(Type.REG_MULTI_SZ, ("TLS_A",)), dword(1)):
        assert not item.desired.accepts(other)
