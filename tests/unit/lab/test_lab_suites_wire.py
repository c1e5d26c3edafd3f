# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cipher suites on the wire: whole handshakes with OpenSSL, refusals, canned flights, and the moment of effect."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import tls
from tests.lab.certificates import CertificateStore
from tests.lab.client import HostClient, LabClient
from tests.lab.launch import running_lab
from tests.lab.presets import windows_preset
from tests.lab.registry import Registry
from tests.lab.schannel import POLICY_LIST, effective_settings
from tests.lab.suites import all_suites
from tests.unit.lab.handshakes import VERSIONS, client_hello, first_record, is_reset, negotiated
from tests.unit.lab.test_lab_suites import CBC, ECDSA, GCM, GCM_128, STATIC, local, policy, switch

RC4, TRIPLE_DES = "TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"
ENDPOINTS = [{"kind": "https", "port": 8443}, {"kind": "smtp", "port": 2525}]
ECDSA_ENDPOINTS = [{"kind": "https", "port": 8443, "key": "ecdsa"}, {"kind": "smtp", "port": 2525}]
SWITCHED_OFF = {
    "no-sha1": [("Hashes", "SHA")],
    "no-ephemeral": [("KeyExchangeAlgorithms", "ECDH"), ("KeyExchangeAlgorithms", "Diffie-Hellman")],
    "no-pkcs": [("KeyExchangeAlgorithms", "PKCS")],
    "no-ecdh": [("KeyExchangeAlgorithms", "ECDH")],
    "no-aes": [("Ciphers", "AES 256/256"), ("Ciphers", "AES 128/128")],
    "no-hashes": [("Hashes", name) for name in ("MD5", "SHA", "SHA256", "SHA384")],
}
HOSTS: dict[str, dict[str, Any]] = {
    "mistyped": {"registry": ["stock", policy("TLS_ECDHE_RSA_WITH_AES_256_GCM")], "winrm": {"https": 5986}},
    "ordered": {"registry": ["stock", local(f"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,{GCM_128},{STATIC}")]},
    "curved": {"windows": "2012r2", "registry": ["stock", policy(f"{CBC}_P256")]},
    "uncurved": {"windows": "2012r2", "registry": ["stock", policy(CBC)]},
    "only13": {"windows": "2022", "registry": ["stock", policy("TLS_AES_128_GCM_SHA256")]},
    "no13": {"windows": "2022", "registry": ["stock", policy(GCM)]},
    "old-ciphers": {"registry": ["stock", policy(f"{RC4},{TRIPLE_DES}")]},
    "export": {"registry": ["stock", policy("TLS_RSA_EXPORT_WITH_RC4_40_MD5")]},
    "mixed": {"windows": "2022", "registry": ["stock", policy(f"{RC4},TLS_AES_256_GCM_SHA384")]},
    "ecdsa": {"endpoints": ECDSA_ENDPOINTS},
    "ecdsa-list": {"endpoints": ECDSA_ENDPOINTS, "registry": ["stock", policy(ECDSA)]},
    "changing": {"restart": {"shutdown_delay": 0, "down_for": 0.1}, "winrm": {"https": 5986}},
    "free": {"registry": ["stock", policy("")], "winrm": {"https": 5986, "https_follows_schannel": False}},
    **{name: {"registry": ["stock", *(switch(*item) for item in switches)]} for name, switches in SWITCHED_OFF.items()},
}


@pytest.fixture(scope="module")
def suites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    description = {
        "accounts": [{"user": "labadmin", "password": "Lab-Pass-1"}],
        "hosts": {name: {"windows": "2019", "endpoints": ENDPOINTS, **host} for name, host in HOSTS.items()},
    }
    state_dir = tmp_path_factory.mktemp("suites")
    with running_lab(description, state_dir, max_lifetime=120) as lab:
        yield lab
    assert (state_dir / "lab.log").read_text(encoding="utf-8") == "", "something in the lab raised an error"


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("ordered", "https", {"TLS 1.2": "DHE-RSA-AES128-GCM-SHA256"}),
        ("ordered", "smtp", {"TLS 1.2": "DHE-RSA-AES128-GCM-SHA256"}),
        ("curved", "https", {"TLS 1.2": "ECDHE-RSA-AES256-SHA384"}),
        ("uncurved", "https", {}),
        ("only13", "https", {"TLS 1.3": None}),
        ("only13", "smtp", {}),
        ("no13", "https", {"TLS 1.2": "ECDHE-RSA-AES256-GCM-SHA384"}),
        ("mistyped", "https", {}),
        ("mistyped", "smtp", {}),
        ("ecdsa-list", "https", {"TLS 1.2": "ECDHE-ECDSA-AES256-GCM-SHA384"}),
        ("ecdsa-list", "smtp", {}),  # its certificate has an RSA key
        ("no-sha1", "https", {"TLS 1.2": "ECDHE-RSA-AES256-GCM-SHA384"}),
        ("no-sha1", "smtp", {"TLS 1.2": "ECDHE-RSA-AES256-GCM-SHA384"}),
        ("no-ephemeral", "smtp", {"TLS 1.0": "AES256-SHA", "TLS 1.1": "AES256-SHA", "TLS 1.2": "AES256-GCM-SHA384"}),
        (
            "no-ecdh",
            "https",
            {"TLS 1.0": "AES256-SHA", "TLS 1.1": "AES256-SHA", "TLS 1.2": "DHE-RSA-AES256-GCM-SHA384"},
        ),
        ("no-hashes", "https", {}),
    ],
)
def test_whole_handshakes(suites: LabClient, name: str, kind: str, expected: dict[str, str | None]) -> None:
    host = suites.host(name)
    assert host.effective_protocols(kind) == list(expected)
    for version in VERSIONS:
        if version not in expected:
            assert is_reset(host, kind, version)
            continue
        found = negotiated(host, kind, version)
        assert found is not None
        if expected[version] is not None:  # which one of TLS 1.3 is OpenSSL's choice
            assert found == expected[version]
            assert next(suite.openssl for suite in _listed(host, kind) if version in suite.protocols) == found


def _listed(host: HostClient, kind: str) -> list[Any]:
    return [all_suites()[name] for name in host.effective_suites(kind)]


@pytest.mark.parametrize("name", ["ordered", "curved", "no-sha1", "no-pkcs", "no-ephemeral", "ecdsa"])
def test_each_suite_by_itself(suites: LabClient, name: str) -> None:
    """OpenSSL offers one suite of TLS 1.2 at a time: what the lab says can be negotiated is what can."""
    host = suites.host(name)
    usable = {suite.openssl for suite in _listed(host, "https")}
    for suite in all_suites().values():
        if suite.openssl and "TLS 1.2" in suite.protocols:
            expected = suite.openssl if suite.openssl in usable else None
            assert negotiated(host, "https", "TLS 1.2", suite.openssl) == expected
    assert usable


def test_starttls_is_offered_and_the_handshake_refused(suites: LabClient) -> None:
    host = suites.host("mistyped")
    host.reset_log()
    assert is_reset(host, "smtp", "TLS 1.2")  # asserts STARTTLS
    assert (host.effective_protocols("smtp"), host.effective_suites("smtp")) == ([], [])
    assert host.counters()["tls_refused"] == 1


def test_no_suite_in_common(suites: LabClient) -> None:
    assert is_reset(suites.host("no-pkcs"), "https", "TLS 1.2", "AES256-GCM-SHA384:AES128-SHA")
    assert is_reset(suites.host("no13"), "https", "TLS 1.2", "ECDHE-RSA-AES128-GCM-SHA256")


@pytest.mark.parametrize("version", ["TLS 1.0", "TLS 1.1", "TLS 1.2"])
def test_a_certificate_with_an_ecdsa_key(suites: LabClient, version: str) -> None:
    host = suites.host("ecdsa")
    cipher = negotiated(host, "https", version)
    assert cipher is not None
    assert cipher.startswith("ECDHE-ECDSA-")
    assert is_reset(host, "https", version, "ECDHE-RSA-AES256-SHA:AES256-SHA")
    other = negotiated(host, "smtp", version)
    assert other is not None
    assert other.startswith("ECDHE-RSA-")
    context = ssl.create_default_context(cafile=str(suites.ca_path))
    context.check_hostname = False
    with socket.create_connection((host.address, host.port("https")), timeout=5) as raw, context.wrap_socket(raw):
        pass  # a chain that a client of today trusts


@pytest.mark.parametrize(
    ("name", "offered", "version", "suite"),
    [
        ("old-ciphers", [0x002F, 0x000A, 0x0005], 0x0303, 0x0005),
        ("old-ciphers", [0x002F, 0x000A], 0x0302, 0x000A),
        ("old-ciphers", [0x000A], 0x0301, 0x000A),
        ("no-aes", [0x002F, 0x000A], 0x0303, 0x000A),
        ("mixed", [0x0005], 0x0303, 0x0005),
    ],
)
def test_what_openssl_cannot_serve_is_answered(
    suites: LabClient, name: str, offered: list[int], version: int, suite: int
) -> None:
    host = suites.host(name)
    record = first_record(host, "https", client_hello(version, suites=offered))
    assert struct.unpack(">BH", record[:3]) == (22, version)
    assert record[5] == 2
    assert struct.unpack(">H", record[9:11]) == (version,)
    assert struct.unpack(">H", record[44:46]) == (suite,)
    assert host.effective_protocols()[-1] == ("TLS 1.3" if name == "mixed" else "TLS 1.2")


def test_both_kinds_beside_each_other(suites: LabClient) -> None:
    assert negotiated(suites.host("mixed"), "https", "TLS 1.3") is not None
    assert is_reset(suites.host("mixed"), "https", "TLS 1.2")


@pytest.mark.parametrize(
    ("name", "offered"), [("old-ciphers", [0x002F, 0xC030]), ("old-ciphers", []), ("export", [0x0003, 0x0005])]
)
def test_what_nobody_can_serve_is_reset(suites: LabClient, name: str, offered: list[int]) -> None:
    host = suites.host(name)
    host.reset_log()
    with pytest.raises(ConnectionResetError):
        first_record(host, "https", client_hello(0x0303, suites=offered))
    assert host.counters()["tls_refused"] == 1


def test_suites_of_a_hello() -> None:
    hello = client_hello(0x0303, [0x0304], suites=[0x1301, 0xC02F])
    assert tls.parse_hello(hello) == tls.Hello(frozenset({0x0304}), frozenset({0x1301, 0xC02F}))
    assert tls.parse_hello(hello[:50]) == tls.Hello()
    assert tls.parse_hello(client_hello(0x0303, [])).versions == frozenset()


class TestMoment:
    """A change comes into effect with the next restart, and the quirks choose what is unproven."""

    @pytest.fixture
    def changing(self, suites: LabClient) -> Iterator[HostClient]:
        host = suites.host("changing")
        host.create_key(POLICY_LIST)
        yield host
        host.clear_quirks()
        host.delete_key(POLICY_LIST)
        host.restart()

    @staticmethod
    def order(host: HostClient, text: str, kind: str = "REG_SZ") -> None:
        host.set_value(POLICY_LIST, "Functions", [text] if kind == "REG_MULTI_SZ" else text, kind)

    def test_restart(self, changing: HostClient) -> None:
        before = changing.effective_suites()
        self.order(changing, "TLS_ECDHE_RSA_WITH_AES_256_GCM")
        assert changing.effective_suites() == before
        assert negotiated(changing, "smtp", "TLS 1.2") == "ECDHE-RSA-AES256-GCM-SHA384"
        changing.set_quirk("stale_settings")
        changing.restart()
        assert changing.effective_suites() == before
        changing.clear_quirks()
        changing.restart()
        assert changing.effective_suites() == []
        for version in VERSIONS:
            assert is_reset(changing, "smtp", version)
        self.order(changing, f"{GCM},{GCM_128}")
        changing.restart()
        assert changing.effective_suites("smtp") == [GCM, GCM_128]
        assert changing.effective_protocols("smtp") == ["TLS 1.2"]

    def test_winrm_over_https_follows(self, changing: HostClient, suites: LabClient) -> None:
        assert negotiated(changing, "winrm_https", "TLS 1.2") is not None
        self.order(changing, "TLS_TYPO")
        changing.restart()
        assert is_reset(changing, "winrm_https", "TLS 1.2")
        assert negotiated(suites.host("free"), "winrm_https", "TLS 1.2") is not None
        assert is_reset(suites.host("free"), "https", "TLS 1.2")

    def test_unknown_suites(self, changing: HostClient) -> None:
        before = changing.effective_suites()
        self.order(changing, "TLS_TYPO")
        changing.set_quirk("unknown_suites", "default")
        changing.restart()
        assert changing.effective_suites() == before

    def test_suite_curves(self, changing: HostClient) -> None:
        self.order(changing, f"{GCM}_P256")
        changing.restart()
        assert changing.effective_suites() == []
        changing.set_quirk("suite_curves", "any")
        changing.restart()
        assert changing.effective_suites() == [GCM]
        assert negotiated(changing, "https", "TLS 1.2") == "ECDHE-RSA-AES256-GCM-SHA384"

    def test_suite_list_type(self, changing: HostClient) -> None:
        before = changing.effective_suites()
        self.order(changing, GCM, "REG_MULTI_SZ")
        changing.restart()
        assert changing.effective_suites() == before
        changing.set_quirk("suite_list_type", "any")
        changing.restart()
        assert changing.effective_suites() == [GCM]


def test_contexts_are_made_once(tmp_path: Path) -> None:
    store = CertificateStore(tmp_path)
    path = store.issue("a.lab.test", "127.0.0.1", "good").path
    offers = [effective_settings(Registry(), windows_preset("2019")).offer("rsa", {"SSL 2.0"}) for _n in range(2)]
    assert tls.server_context(path, offers[0]) is tls.server_context(path, offers[1])
