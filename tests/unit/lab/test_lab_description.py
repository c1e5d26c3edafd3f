# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Descriptions and presets: what they mean, and how mistakes are reported."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.lab.description import (
    CERTIFICATES,
    ENDPOINT_KINDS,
    DescriptionError,
    Endpoint,
    Restart,
    Service,
    Winrm,
    load,
)
from tests.lab.exchange.described import Dag, Inbound, Outbound, Queue, Shell
from tests.lab.installed import Exchange
from tests.lab.presets import layer_names, registry_layer, windows_preset
from tests.lab.quirks import NAMES
from tests.lab.registry import Registry, RegistryError, ValueFormatError, fold, make_value, parse_value

EXAMPLE = Path(__file__).parents[2] / "lab" / "example.yml"
ACCOUNTS = [{"user": "labadmin", "password": "Lab-Pass-1"}]


def with_host(**host: Any) -> dict[str, Any]:
    return {"accounts": ACCOUNTS, "hosts": {"ex01": host}}


def test_defaults() -> None:
    lab = load({"accounts": ACCOUNTS, "hosts": {"ex01": None, "ex02.corp": {"windows": 2019}}})
    first, second = lab.hosts
    assert (first.address, second.address) == ("127.77.0.11", "127.77.0.12")
    assert (first.windows.build, second.windows.build) == (14393, 17763)
    assert (first.computer_name, second.computer_name) == ("EX01", "EX02")
    assert first.fqdn == "ex01.lab.test"
    assert (first.winrm.http, first.winrm.https, first.winrm.auth) == (5985, None, ("ntlm",))
    assert not first.winrm.allow_unencrypted
    assert lab.accounts[0].administrator


def test_many_hosts_have_addresses_of_their_own() -> None:
    lab = load({"accounts": ACCOUNTS, "hosts": {f"ex{n}": None for n in range(450)}}, subnet=80)
    addresses = [host.address for host in lab.hosts]
    assert len(set(addresses)) == 450
    assert addresses[200] == "127.80.1.11"


def test_all_settings(tmp_path: Path) -> None:
    path = tmp_path / "lab.yml"
    path.write_text(
        r"""
accounts:
  - {user: labadmin, password: Lab-Pass-1, administrator: true}
hosts:
  ex01:
    address: 127.77.9.11
    windows: "2016"
    timezone: "+00:00"
    clock_offset: -2.5
    registry:
      - stock
      - 'HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server':
          Enabled: {type: REG_SZ, data: "1"}
          DisabledByDefault: 0
    protected_keys: ['SYSTEM\CurrentControlSet', {key: 'SOFTWARE\Secret', read: false}]
    winrm: {http: 5985, https: 5986, auth: [ntlm, basic], allow_unencrypted: false, certificate: good, path: /wsman}
    endpoints: [{kind: smtp, port: 2525}, {kind: https, port: 8443}]
    services: [exchange, {name: Backup, start_mode: Manual, state: Stopped, starts_after: 0.5}]
    restart: {shutdown_delay: 0.2, down_for: 1.0}
    quirks: {void_return: true}
""",
        encoding="utf-8",
    )
    (host,) = load(path).hosts
    assert host.clock.render(0) == "1970-01-01T00:00:00.000000+00:00"
    assert [endpoint.port for endpoint in host.endpoints] == [2525, 8443]
    assert {service.name for service in host.services} >= {"MSExchangeIS", "Backup", "WinRM"}
    assert [protection.read for protection in host.protected_keys] == [True, False]


def test_example_file() -> None:
    hosts = load(EXAMPLE).hosts
    assert [host.windows.name for host in hosts] == ["2016", "2019", "2012r2"]
    for host in hosts:
        for layer in host.registry:
            assert registry_layer(str(layer), host.windows)


def test_readme_names_every_setting() -> None:
    text = EXAMPLE.with_name("README.md").read_text(encoding="utf-8")
    words = [*layer_names(), *NAMES, *ENDPOINT_KINDS, *CERTIFICATES]
    words += [field.name for kind in (Winrm, Endpoint, Service, Restart) for field in dataclasses.fields(kind)]
    words += [
        field.name for kind in (Exchange, Shell, Queue, Outbound, Inbound, Dag) for field in dataclasses.fields(kind)
    ]
    words.remove("display_name")  # of presets only
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ([], "the description: a mapping is needed"),
        ({"hosts": {"a": None}}, "at least one account"),
        ({"accounts": ACCOUNTS}, "hosts: a mapping"),
        ({"accounts": ACCOUNTS, "hosts": {"a": None}, "host": 1}, "unknown key 'host' .did you mean 'hosts'"),
        ({"accounts": [{"user": "a"}], "hosts": {"a": None}}, r"accounts\[0\]: 'password' is missing"),
        ({"accounts": [{"user": "a", "password": "x:y"}], "hosts": {"a": None}}, "may not hold a colon"),
        (with_host(winodws="2016"), "did you mean 'windows'"),
        (with_host(windows="2003"), "unknown windows version '2003'"),
        (with_host(address="10.0.0.1"), "not in 127.0.0.0/8"),
        (with_host(address="here"), "ex01.address"),
        (with_host(timezone=0), "timezone"),
        (with_host(timezone="CET"), "timezone"),
        (with_host(fraction_digits=7), "0 to 6"),
        (with_host(clock_offset="late"), "clock_offset"),
        (with_host(winrm={"auth": ["digest"]}), "none of basic, ntlm, kerberos"),
        (with_host(winrm={"auth": "ntlm"}), "a list is needed"),
        (with_host(winrm={"certificate": "bad"}), "none of good"),
        (with_host(winrm={"path": "wsman"}), "must start with a slash"),
        (with_host(winrm={"cbt": "Relaxed"}), "none of None, Strict"),
        (with_host(winrm={"mapped": ["labadmin"]}), "certificate is not among the auth"),
        (with_host(winrm={"http": 0}), "a port"),
        (with_host(winrm={"ports": 1}), "unknown key 'ports'"),
        (with_host(winrm={"allow_unencrypted": "yes"}), "true or false"),
        (with_host(endpoints=[{"kind": "smtp"}]), "'port' is missing"),
        (with_host(endpoints=[{"kind": "gopher", "port": 70}]), "none of smtp"),
        (with_host(endpoints=[{"kind": "smtp", "port": 25, "key": "dsa"}]), "none of rsa, ecdsa"),
        (with_host(shutdown_time="no"), "true or false"),
        (with_host(endpoints={"kind": "smtp", "port": 25}), "a list is needed"),
        (with_host(endpoints=[{"kind": "https", "port": 5985}]), "is taken by ex01"),
        (with_host(services=["sharepoint"]), "unknown services preset"),
        (with_host(services=[{"name": "x", "start_mode": "Later"}]), "none of Auto"),
        (with_host(restart={"down_for": -1}), "seconds"),
        (with_host(os_defaults={"TLS 1.0": "maybe"}), "none of on, off, none"),
        (with_host(os_defaults={"TLS 9": "on"}), "unknown protocol"),
        (with_host(protected_keys=[{"read": False}]), "write a path"),
        (with_host(part_of_domain="no"), "true or false"),
    ],
)
def test_mistakes_are_explained(description: Any, words: str) -> None:
    with pytest.raises(DescriptionError, match=words):
        load(description)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match=r"none\.yml"):
        load(tmp_path / "none.yml")
    (tmp_path / "bad.yml").write_text("a: [", encoding="utf-8")
    with pytest.raises(DescriptionError, match=r"bad\.yml"):
        load(tmp_path / "bad.yml")


def test_os_defaults_of_2025_are_a_setting() -> None:
    host = with_host(windows="2025", os_defaults={"TLS 1.0": True, "TLS 1.1": "on"}, ubr=1)
    windows = load(host).hosts[0].windows
    assert (windows.defaults["TLS 1.0"], windows.defaults["TLS 1.1"], windows.ubr) == ("on", "on", 1)


@pytest.mark.parametrize(
    ("timezone", "digits", "text"),
    [
        ("Z", 6, "2026-03-01T12:00:00.250000Z"),
        ("+05:30", 1, "2026-03-01T17:30:00.2+05:30"),
        ("-03:00", 0, "2026-03-01T09:00:00-03:00"),
        ("+00:00", 2, "2026-03-01T12:00:00.25+00:00"),
    ],
)
def test_clock(timezone: str, digits: int, text: str) -> None:
    clock = load(with_host(timezone=timezone, fraction_digits=digits)).hosts[0].clock
    assert clock.render(1772366400.25) == text


@pytest.mark.parametrize("layer", layer_names())
@pytest.mark.parametrize("windows", ["2008r2", "2012", "2012r2", "2016", "2019", "2022", "2025"])
def test_all_layers_apply_to_all_versions(layer: str, windows: str) -> None:
    registry = Registry()
    preset = windows_preset(windows)
    registry.apply(registry_layer("stock", preset))
    before = registry.dump("HKLM")
    registry.apply(registry_layer(layer, preset))
    assert (registry.dump("HKLM") != before) is (layer != "stock")
    version = registry.dump(r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion")
    values = next(iter(version.values()))
    assert values["CurrentBuildNumber"]["data"] == str(preset.build)
    assert ("UBR" in values) is (preset.build >= 9600)


def test_damage_of_the_finnish_page() -> None:
    registry = Registry()
    registry.apply(registry_layer("damaged_fi", windows_preset("2016")))
    tree = {
        key.rpartition("Protocols\\")[2]: set(values) for key, values in registry.dump("HKLM").items() if "TLS" in key
    }
    assert tree == {
        "TLS 1,2": set(),
        "TLS 1.2": set(),
        r"TLS 1.2\Asiakas": {"DisabledByDefault", "Enabled"},
        r"TLS 1.2\Server": {"Enabled"},
    }


class TestRegistryModel:
    def test_layers_can_delete(self) -> None:
        registry = Registry()
        registry.apply({r"HKLM\A\B": {"x": 1, "y": {"type": "REG_SZ", "data": "t"}}, r"HKLM\A\C": {}})
        registry.apply({r"HKEY_LOCAL_MACHINE\a\b": {"X": None}, r"HKLM\A\C": None, r"HKLM\A\None": None})
        assert registry.dump(r"HKLM\A") == {r"HKLM\A": {}, r"HKLM\A\B": {"y": {"type": "REG_SZ", "data": "t"}}}

    @pytest.mark.parametrize(
        "raw", ["text", True, None, {"type": "REG_DWORD"}, {"type": "REG_LINK", "data": 1}, 2**32, -1]
    )
    def test_bad_values(self, raw: Any) -> None:
        with pytest.raises(ValueFormatError):
            parse_value(raw)

    @pytest.mark.parametrize(
        ("kind", "data", "stored"),
        [
            ("REG_DWORD", "0xff", 255),
            ("REG_QWORD", "12", 12),
            ("REG_BINARY", "00ff", b"\x00\xff"),
            ("REG_BINARY", [0, 255], b"\x00\xff"),
            ("REG_NONE", None, b""),
            ("REG_MULTI_SZ", None, []),
            ("REG_SZ", 5, "5"),
        ],
    )
    def test_forms_of_data(self, kind: str, data: Any, stored: Any) -> None:
        assert make_value(kind, data).data == stored

    @pytest.mark.parametrize(
        ("kind", "data"), [("REG_DWORD", "many"), ("REG_BINARY", [256]), ("REG_BINARY", "x"), ("REG_MULTI_SZ", "a")]
    )
    def test_bad_data(self, kind: str, data: Any) -> None:
        with pytest.raises(ValueFormatError):
            make_value(kind, data)

    def test_folding(self) -> None:
        assert fold("Straße") == "STRAßE"  # one character never becomes two
        assert fold("увімкнено") == fold("увімкнено".upper())
        assert fold("\u0131") != fold("I")  # dotless i
        assert fold("\U00010400") != fold("\U00010428")  # two units each

    def test_hive_roots_cannot_be_deleted(self) -> None:
        with pytest.raises(RegistryError):
            Registry().delete("HKLM", "", tree=True)
