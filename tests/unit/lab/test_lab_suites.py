# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cipher suites: the table against OpenSSL's, and what lists, ciphers, hashes and key exchanges leave of it."""

from __future__ import annotations

import re
import ssl
from typing import Any

import pytest

from tests.lab.presets import registry_layer, suites_preset, windows_preset
from tests.lab.registry import Registry
from tests.lab.schannel import LOCAL_LIST, POLICY_LIST, SCHANNEL, Rules, Settings, effective_settings, everything
from tests.lab.suites import Offer, all_suites, default_suites, known_suites

OLD, NEW = ("2008r2", "2012", "2012r2"), ("2016", "2019", "2022", "2025")
GCM, GCM_128 = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
CBC, ECDSA = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
STATIC = "TLS_RSA_WITH_AES_256_GCM_SHA384"


def policy(text: str) -> dict[str, Any]:
    return {rf"HKLM\{POLICY_LIST}": {"Functions": {"type": "REG_SZ", "data": text}}}


def local(*texts: str) -> dict[str, Any]:
    return {rf"HKLM\{LOCAL_LIST}": {"Functions": {"type": "REG_MULTI_SZ", "data": list(texts)}}}


def switch(group: str, name: str, value: Any = 0) -> dict[str, Any]:
    return {rf"HKLM\{SCHANNEL}\{group}\{name}": {"Enabled": value}}


def settings(windows: str, *layers: dict[str, Any], rules: Rules | None = None) -> Settings:
    preset = windows_preset(windows)
    registry = Registry()
    for layer in (registry_layer("stock", preset), *layers):
        registry.apply(layer)
    return effective_settings(registry, preset, rules or Rules())


def offer(windows: str, *layers: dict[str, Any], key: str = "rsa", rules: Rules | None = None) -> Offer:
    return settings(windows, *layers, rules=rules).offer(key, {"SSL 2.0"})


def names(found: Offer) -> list[str]:
    return [suite.name for suite in found.suites]


class TestTable:
    def test_it_agrees_with_openssl(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        known: dict[str, Any] = {item["name"]: item for item in context.get_ciphers()}
        served = [suite for suite in all_suites().values() if suite.openssl]
        assert len(served) == 25
        for suite in served:
            other = known[suite.openssl]
            assert suite.number == other["id"] & 0xFFFF
            exchange, authentication = other["kea"].removeprefix("kx-"), other["auth"].removeprefix("auth-")
            assert (exchange, authentication) in (
                (suite.key_exchange.lower(), suite.authentication.lower()),
                ("any", "any"),
            )
            assert (exchange == "any") is (suite.protocols == {"TLS 1.3"})
            assert (other["protocol"] == "TLSv1.2") is (suite.protocols == {"TLS 1.2"})

    @pytest.mark.parametrize("name", all_suites())
    def test_a_name_says_what_it_is_made_of(self, name: str) -> None:
        suite = all_suites()[name]
        assert suite.hash == name.rpartition("_")[2]
        words = {
            "AES_256": "AES 256/256",
            "AES_128": "AES 128/128",
            "3DES": "Triple DES 168",
            "RC4_128_": "RC4 128/128",
        }
        words |= {"EXPORT_WITH_RC4_40": "RC4 40/128", "RC4_56": "RC4 56/128", "CHACHA20": None, "NULL": "NULL"}
        words |= {
            "WITH_DES_": "DES 56/56",
            "DES_192": "Triple DES 168",
            "DES_64": "DES 56/56",
            "EXPORT40": "RC4 40/128",
        }
        assert suite.cipher in [cipher for word, cipher in words.items() if word in name]
        if name.startswith("TLS_") and "_WITH_" in name:
            head = name.removeprefix("TLS_").partition("_WITH_")[0].removesuffix("1024")
            exchange = {"RSA": ("RSA", "RSA"), "RSA_EXPORT": ("RSA_EXPORT", "RSA"), "PSK": ("PSK", "PSK")}.get(head)
            parts = tuple(head.removesuffix("_EXPORT").split("_"))
            assert (suite.key_exchange, suite.authentication) == (exchange or parts)

    @pytest.mark.parametrize("windows", [*OLD, *NEW])
    def test_lists(self, windows: str) -> None:
        lists = suites_preset()["windows"][windows]
        listed = [*lists["default"], *lists["known"]]
        assert len(set(listed)) == len(listed)
        curved = [name for name in listed if re.search(r"_P\d+$", name)]
        elliptic = [name for name in listed if "ECDHE" in name]
        assert curved == (elliptic if windows in OLD else [])
        assert any("TLS 1.3" in suite.protocols for suite in default_suites(windows)) is (windows in ("2022", "2025"))
        assert set(default_suites(windows)) <= set(known_suites(windows).values())

    def test_numbers_are_unique(self) -> None:
        assert len({suite.number for suite in all_suites().values()}) == len(all_suites())

    @pytest.mark.parametrize("windows", [*OLD, *NEW])
    def test_stock_lists_the_defaults(self, windows: str) -> None:
        bare, stock = effective_settings(Registry(), windows_preset(windows)), settings(windows)
        assert (stock.protocols, stock.suites) == (bare.protocols, bare.suites)
        assert stock.client == tuple(protocol for protocol in bare.client if protocol != "SSL 2.0")
        assert bare.suites == default_suites(windows)


@pytest.mark.parametrize(
    ("windows", "protocols", "rsa", "ecdsa", "count"),
    [
        (
            "2008r2",
            ["SSL 3.0", "TLS 1.0"],
            "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
            "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
            9,
        ),
        ("2012", ["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2"], CBC, ECDSA, 15),
        ("2012r2", ["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2"], CBC, ECDSA, 17),
        ("2016", ["TLS 1.0", "TLS 1.1", "TLS 1.2"], GCM, ECDSA, 19),
        ("2019", ["TLS 1.0", "TLS 1.1", "TLS 1.2"], GCM, ECDSA, 15),
        ("2022", ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"], "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", 17),
        ("2025", ["TLS 1.2", "TLS 1.3"], "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", 17),
    ],
)
def test_stock(windows: str, protocols: list[str], rsa: str, ecdsa: str, count: int) -> None:
    found = offer(windows)
    assert (list(found.protocols), found.suites[0].name, len(found.suites)) == (protocols, rsa, count)
    other = offer(windows, key="ecdsa")
    assert other.suites[0].name == ecdsa
    assert list(other.protocols) == [protocol for protocol in protocols if protocol != "SSL 3.0"]
    assert {suite.authentication for suite in other.suites} <= {"ECDSA", "any"}


class TestLists:
    @pytest.mark.parametrize(
        ("windows", "text", "left"),
        [
            ("2019", "TLS_ECDHE_RSA_WITH_AES_256_GCM", []),  # the hash lost
            ("2019", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA385", []),
            ("2019", "ECDHE-RSA-AES256-GCM-SHA384", []),
            ("2019", GCM.lower(), []),
            ("2019", "", []),
            ("2019", f"{GCM};{GCM_128}", []),
            ("2019", f" {GCM}", []),
            ("2019", f"{GCM}, {GCM_128}", [GCM]),
            ("2019", f"{GCM},{GCM_128},", [GCM, GCM_128]),
            ("2019", f"{GCM_128},TLS_TYPO,{GCM}", [GCM_128, GCM]),
            ("2019", f"{GCM},{GCM}", [GCM]),
            ("2019", ECDSA, []),  # does not fit the certificate
            ("2019", "TLS_DHE_DSS_WITH_AES_256_CBC_SHA", []),
            ("2019", "TLS_RSA_WITH_NULL_SHA256,TLS_PSK_WITH_AES_256_GCM_SHA384", []),
            ("2019", "TLS_AES_256_GCM_SHA384", []),  # not known before 2022
            ("2022", f"TLS_AES_256_GCM_SHA384,{GCM}", ["TLS_AES_256_GCM_SHA384", GCM]),
            ("2022", "TLS_CHACHA20_POLY1305_SHA256", ["TLS_CHACHA20_POLY1305_SHA256"]),  # known, not by default
            ("2019", "TLS_RSA_WITH_RC4_128_SHA", ["TLS_RSA_WITH_RC4_128_SHA"]),
            ("2019", "TLS_RSA_EXPORT_WITH_RC4_40_MD5", []),  # the lab has no export suites
            ("2012r2", GCM, []),  # older versions do not know it in any spelling
            ("2012r2", f"{GCM}_P256", []),
            ("2012r2", CBC, []),
            ("2012r2", f"{CBC}_P256,{CBC}_P384,{CBC}_P521", [CBC]),
            ("2012r2", STATIC, [STATIC]),
            ("2016", f"{GCM}_P256", []),
            ("2012", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", []),
            ("2012r2", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", ["TLS_DHE_RSA_WITH_AES_256_CBC_SHA"]),
        ],
    )
    def test_names(self, windows: str, text: str, left: list[str]) -> None:
        assert names(offer(windows, policy(text))) == left
        assert names(offer(windows, local(text))) == left
        assert names(offer(windows, local(*text.split(",")))) == left

    def test_a_suite_that_fits_the_wrong_curve(self) -> None:
        """Microsoft's list of 2012 R2 has AES 256 with GCM for P-384 only."""
        assert names(offer("2012r2", policy(f"{ECDSA}_P384"), key="ecdsa")) == [ECDSA]
        assert names(offer("2012r2", policy(f"{ECDSA}_P256"), key="ecdsa")) == []

    def test_the_policy_wins(self) -> None:
        assert names(offer("2019", local(GCM), policy(GCM_128))) == [GCM_128]
        assert names(offer("2019", local(GCM), policy(""))) == []
        assert names(offer("2019", local())) == []

    @pytest.mark.parametrize("path", [POLICY_LIST, LOCAL_LIST])
    @pytest.mark.parametrize(("kind", "data"), [("REG_DWORD", 1), ("REG_BINARY", "4142"), ("REG_EXPAND_SZ", GCM_128)])
    def test_other_types_are_absent(self, path: str, kind: str, data: Any) -> None:
        odd = {rf"HKLM\{path}": {"Functions": {"type": kind, "data": data}}}
        for rules in (Rules(), Rules(any_list_type=True)):
            assert offer("2019", odd, rules=rules) == offer("2019")

    def test_unproven_list_types(self) -> None:
        multi = {rf"HKLM\{POLICY_LIST}": local(GCM)[rf"HKLM\{LOCAL_LIST}"]}
        single = {rf"HKLM\{LOCAL_LIST}": policy(GCM)[rf"HKLM\{POLICY_LIST}"]}
        for layer in (multi, single):
            assert offer("2019", layer) == offer("2019")
            assert names(offer("2019", layer, rules=Rules(any_list_type=True))) == [GCM]

    def test_unproven_curves(self) -> None:
        rules = Rules(any_curve=True)
        assert names(offer("2016", policy(f"{GCM}_P256,{STATIC}_P256"), rules=rules)) == [GCM]
        assert names(offer("2012r2", policy(CBC), rules=rules)) == [CBC]
        assert names(offer("2012r2", policy(GCM), rules=rules)) == []
        assert names(offer("2022", policy("TLS_AES_256_GCM_SHA384_P256"), rules=rules)) == []

    def test_unproven_empty_lists(self) -> None:
        rules = Rules(unknown_list_is_default=True)
        for text in ("", "TLS_TYPO"):
            assert offer("2019", policy(text), rules=rules) == offer("2019")
        assert names(offer("2019", policy(f"TLS_TYPO,{GCM}"), rules=rules)) == [GCM]

    def test_a_version_needs_a_suite(self) -> None:
        assert offer("2022", policy(GCM)).protocols == ("TLS 1.2",)
        assert offer("2022", policy("TLS_AES_128_GCM_SHA256")).protocols == ("TLS 1.3",)
        assert offer("2019", policy("TLS_RSA_WITH_AES_128_CBC_SHA")).protocols == ("TLS 1.0", "TLS 1.1", "TLS 1.2")
        off = {rf"HKLM\{SCHANNEL}\Protocols\TLS 1.2\Server": {"Enabled": 0}}
        assert offer("2019", policy(GCM), off) == Offer((), ())
        assert settings("2019", policy("TLS_TYPO")).protocols == ("TLS 1.0", "TLS 1.1", "TLS 1.2")


class TestAlgorithms:
    @pytest.mark.parametrize(
        ("windows", "switches", "gone", "protocols"),
        [
            ("2019", [("Hashes", "SHA")], r"_SHA$", ["TLS 1.2"]),
            ("2019", [("Hashes", "SHA256")], r"_SHA256$", ["TLS 1.0", "TLS 1.1", "TLS 1.2"]),
            ("2019", [("Hashes", "SHA384")], r"_SHA384$", ["TLS 1.0", "TLS 1.1", "TLS 1.2"]),
            (
                "2022",
                [("Hashes", "SHA384"), ("Hashes", "SHA256")],
                r"_SHA(256|384)$",
                ["TLS 1.0", "TLS 1.1", "TLS 1.2"],
            ),
            ("2016", [("Hashes", "MD5")], r"_MD5$", ["TLS 1.0", "TLS 1.1", "TLS 1.2"]),
            ("2019", [("Hashes", name) for name in ("MD5", "SHA", "SHA256", "SHA384")], r"", []),
            ("2022", [("Ciphers", "AES 256/256")], r"_AES_256_", ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]),
            (
                "2022",
                [("Ciphers", "AES 256/256"), ("Ciphers", "AES 128/128")],
                r"_AES_",
                ["TLS 1.0", "TLS 1.1", "TLS 1.2"],
            ),
            ("2019", [("Ciphers", "Triple DES 168")], r"_3DES_", ["TLS 1.0", "TLS 1.1", "TLS 1.2"]),
            ("2016", [("Ciphers", "RC4 128/128")], r"_RC4_128_", ["TLS 1.0", "TLS 1.1", "TLS 1.2"]),
            ("2022", [("KeyExchangeAlgorithms", "ECDH")], r"ECDHE|^TLS_AES", ["TLS 1.0", "TLS 1.1", "TLS 1.2"]),
            ("2019", [("KeyExchangeAlgorithms", "Diffie-Hellman")], r"_DHE_", ["TLS 1.0", "TLS 1.1", "TLS 1.2"]),
            ("2019", [("KeyExchangeAlgorithms", "PKCS")], r"^TLS_RSA_", ["TLS 1.0", "TLS 1.1", "TLS 1.2"]),
            ("2019", [("KeyExchangeAlgorithms", name) for name in ("ECDH", "Diffie-Hellman", "PKCS")], r"", []),
            ("2008r2", [("Ciphers", name) for name in ("Triple DES 168", "RC4 128/128")], r"3DES|RC4", ["TLS 1.0"]),
        ],
    )
    def test_switched_off(self, windows: str, switches: list[tuple[str, str]], gone: str, protocols: list[str]) -> None:
        found = offer(windows, *(switch(*item) for item in switches))
        before = names(offer(windows))
        expected = [name for name in before if not re.search(gone, name)]
        assert expected != before
        assert (names(found), list(found.protocols)) == (expected, protocols)

    @pytest.mark.parametrize(
        "value", [1, 0xFFFFFFFF, 2, {"type": "REG_SZ", "data": "0"}, {"type": "REG_QWORD", "data": 0}]
    )
    def test_anything_else_is_on(self, value: Any) -> None:
        assert offer("2019", switch("Ciphers", "AES 256/256", value)) == offer("2019")

    def test_a_wrong_type_may_count(self) -> None:
        layer = switch("Hashes", "SHA", {"type": "REG_SZ", "data": "0"})
        assert offer("2019", layer, rules=Rules(wrong_type_is_number=True)).protocols == ("TLS 1.2",)

    @pytest.mark.parametrize(
        ("group", "name"),
        [
            ("Ciphers", "AES 256"),
            ("Ciphers", r"AES 256\256"),
            ("Ciphers", "AES 256\N{DIVISION SLASH}256"),
            ("Ciphers", "Triple DES 168/168"),
            ("Hashes", "SHA1"),
            ("Hashes", "SHA-256"),
            ("KeyExchangeAlgorithms", "ECDHE"),
            ("KeyExchangeAlgorithms", "RSA"),
            ("CipherSuites", GCM),
        ],
    )
    def test_names_that_windows_does_not_know(self, group: str, name: str) -> None:
        assert offer("2019", switch(group, name)) == offer("2019")

    def test_case_does_not_matter(self) -> None:
        assert offer("2019", switch("hashes", "sha")) == offer("2019", switch("Hashes", "SHA"))

    def test_a_suite_without_a_key_for_its_cipher(self) -> None:
        layers = (switch("Ciphers", "AES 256/256"), switch("Ciphers", "AES 128/128"))
        assert names(offer("2022", policy("TLS_CHACHA20_POLY1305_SHA256"), *layers)) == ["TLS_CHACHA20_POLY1305_SHA256"]


class TestSelection:
    NUMBERS = frozenset(suite.number for suite in all_suites().values())

    def chosen(self, found: Offer, protocols: set[str], suites: frozenset[int] = NUMBERS) -> tuple[str, str] | None:
        selected = found.select(protocols, suites)
        return selected and (selected[0], selected[1].name)

    def test_the_newest_version_and_the_order_of_the_server(self) -> None:
        found = offer("2022")
        assert self.chosen(found, {"TLS 1.2", "TLS 1.3"}) == ("TLS 1.3", "TLS_AES_256_GCM_SHA384")
        assert self.chosen(found, {"TLS 1.0", "TLS 1.2"}) == ("TLS 1.2", GCM)
        assert self.chosen(found, {"TLS 1.0"}) == ("TLS 1.0", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA")
        assert self.chosen(found, {"TLS 1.2"}, frozenset({0x0005, 0xC02F, 0x009C})) == ("TLS 1.2", GCM_128)
        assert self.chosen(offer("2022", policy(f"{STATIC},{GCM}")), {"TLS 1.2"}) == ("TLS 1.2", STATIC)

    def test_nothing_in_common(self) -> None:
        found = offer("2019")
        assert self.chosen(found, set()) is None
        assert self.chosen(found, {"TLS 1.3"}) is None
        assert self.chosen(found, {"TLS 1.2"}, frozenset()) is None
        assert self.chosen(found, {"TLS 1.0"}, frozenset({0xC030})) is None  # a suite of TLS 1.2
        assert self.chosen(found, {"TLS 1.2"}, frozenset({0xC02C})) is None  # does not fit the certificate
        assert self.chosen(Offer((), ()), {"TLS 1.2"}) is None

    def test_the_version_is_chosen_before_the_suite(self) -> None:
        assert self.chosen(offer("2019"), {"TLS 1.0", "TLS 1.2"}, frozenset({0xC02C})) is None

    def test_a_listener_that_does_not_follow_schannel(self) -> None:
        found = everything().offer("rsa", {"SSL 2.0"})
        assert found.protocols == ("SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
        assert self.chosen(found, {"TLS 1.2"}, frozenset({0xC030})) == ("TLS 1.2", GCM)
