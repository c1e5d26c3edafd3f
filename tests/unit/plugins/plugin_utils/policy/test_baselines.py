# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Baselines: those of the collection against tables from docs/reference, and all that those of users can hold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import baselines
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import Applies, Desired, Match, Rule
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword

F = 0xFFFFFFFF
EXCHANGE_CU15 = (15, 2, 1748, 10)
SCHANNEL = r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL"

# --- the baselines of the collection ---------------------------------------------------------------------------------

BOTH = ("Client", "Server")
SERVER = ("Server",)


def sides(protocol: str, on: bool, which: tuple[str, ...]) -> dict[Setting, int]:
    return {
        Setting(rf"{SCHANNEL}\Protocols\{protocol}\{side}", name): number
        for side in which
        for name, number in (("Enabled", int(on)), ("DisabledByDefault", int(not on)))
    }


def dotnet(version: str) -> dict[Setting, int]:
    return {
        Setting(rf"SOFTWARE\{node}Microsoft\.NETFramework\{version}", name): 1
        for node in ("", "Wow6432Node" + "\\")
        for name in ("SystemDefaultTlsVersions", "SchUseStrongCrypto")
    }


RENEGOTIATION = {Setting(SCHANNEL, f"AllowInsecureRenego{who}"): 0 for who in ("Clients", "Servers")}

# Places and numbers, from docs/reference/schannel.md 4.1, 4.3, 4.4 (best practices), 10 (STIG)
EXPECTED: dict[str, dict[Setting, int]] = {
    "exchange_tls12": {**sides("TLS 1.2", True, BOTH), **dotnet("v4.0.30319")},
    "exchange_best_practice": {
        **sides("TLS 1.2", True, BOTH),
        **sides("SSL 3.0", False, BOTH),
        **sides("SSL 2.0", False, BOTH),
        **sides("PCT 1.0", False, BOTH),
        **sides("Multi-Protocol Unified Hello", False, BOTH),
        **sides("TLS 1.1", False, BOTH),
        **sides("TLS 1.0", False, BOTH),
        **dotnet("v4.0.30319"),
        **dotnet("v2.0.50727"),
        **RENEGOTIATION,
    },
    "exchange_tls13": {
        **sides("TLS 1.2", True, BOTH),
        **sides("TLS 1.3", True, BOTH),
        **dotnet("v4.0.30319"),
        **dotnet("v2.0.50727"),
    },
    "stig_iis10": {
        **sides("TLS 1.2", True, SERVER),
        **sides("TLS 1.1", False, SERVER),
        **sides("TLS 1.0", False, SERVER),
        **sides("SSL 3.0", False, SERVER),
    },
}
each_baseline = pytest.mark.parametrize("name", EXPECTED)


def test_all_are_known() -> None:
    assert list(baselines.names()) == sorted(EXPECTED)


@each_baseline
def test_rules(name: str) -> None:
    found = baselines.load(name)
    assert found.id == name
    assert found.title
    assert {rule.setting: rule.desired.value for rule in found.rules} == {
        setting: dword(number) for setting, number in EXPECTED[name].items()
    }
    ids = [rule.id for rule in found.rules]
    assert len(ids) == len(set(ids)) == len(EXPECTED[name])


@each_baseline
def test_every_rule_says_who_says_so(name: str) -> None:
    for rule in baselines.load(name).rules:
        who = re.fullmatch(r"(Microsoft|DISA), (.+) \((.+), (\d{4}-\d\d-\d\d)\)", rule.source)
        assert who is not None, rule.source
        assert rule.title
        assert rule.why.endswith(".")
        assert rule.severity in ("high", "medium", "low")
    for item in yaml.safe_load((baselines.FOLDER / f"{name}.yml").read_text())["rules"]:
        assert {"id", "title", "severity", "why", "source", "version", "date"} <= set(item)


@each_baseline
def test_tls_12_stays_on(name: str) -> None:
    rules = [rule for rule in baselines.load(name).rules if rule.protocol == "TLS 1.2"]
    assert rules
    assert {(rule.state, rule.severity) for rule in rules} == {("enabled", "high")}


@each_baseline
def test_where_rules_apply(name: str) -> None:
    limited = {rule.protocol: rule.applies for rule in baselines.load(name).rules if rule.applies != Applies()}
    # TLS 1.3 with CU15 of Exchange 2019 and Windows Server 2022 (2.2)
    tls13 = {"TLS 1.3": Applies(min_build=20348, exchange=EXCHANGE_CU15)}
    # the newest release of the STIG lets a missing SSL 3.0 pass (4.1); from Windows Server 2016 on it is off by default
    ssl3 = {"SSL 3.0": Applies(max_build=9600)}
    assert limited == {"exchange_tls13": tls13, "stig_iis10": ssl3}.get(name, {})


@each_baseline
def test_what_is_asked_for_only_where_it_is_on(name: str) -> None:
    """A stock Windows is not asked for explicit values of what it has off, or does not have (2.4)."""
    found = {rule.protocol for rule in baselines.load(name).rules if rule.only_where_on}
    older = {"SSL 3.0", "SSL 2.0", "PCT 1.0", "Multi-Protocol Unified Hello"}
    assert found == (older if name == "exchange_best_practice" else set())


@each_baseline
def test_what_counts_as_right(name: str) -> None:
    """DISA asks for 1 and nothing else (4.1); elsewhere any number but 0 is on, as Windows takes it (4.2)."""
    for rule in baselines.load(name).rules:
        if rule.desired.value == dword(1):
            lenient = rule.protocol is not None and name != "stig_iis10"
            assert rule.desired.accepts(dword(F)) is lenient
        assert not rule.desired.accepts(Value(Type.REG_SZ, "1"))
        assert not rule.desired.accepts(ABSENT)


def test_ids_of_baselines_are_those_of_options() -> None:
    """One setting has one name, whoever asks for it: people keep it in waivers."""
    by_place: dict[Setting, set[str]] = {}
    for name in EXPECTED:
        for rule in baselines.load(name).rules:
            by_place.setdefault(rule.setting, set()).add(rule.id)
    assert {len(ids) for ids in by_place.values()} == {1}
    assert by_place[Setting(rf"{SCHANNEL}\Protocols\TLS 1.0\Server", "Enabled")] == {"tls_1_0.server.enabled"}
    assert by_place[Setting(SCHANNEL, "AllowInsecureRenegoClients")] == {"renegotiation.client"}


# --- files of users --------------------------------------------------------------------------------------------------

HEAD = "id: own\ntitle: Own\nrules:\n"
RULE = {
    "id": "a",
    "title": "A",
    "severity": "low",
    "why": "W.",
    "source": "S",
    "version": "1",
    "date": "2026-01-31",
    "protocol": "TLS 1.2",
    "state": "enabled",
}


def text(*rules: dict[str, Any]) -> str:
    """A file whose first rule begins in line 4, with a key in each line; a value of None leaves the key out."""
    lines = []
    for rule in rules:
        items = [f"{key}: {value}" for key, value in {**RULE, **rule}.items() if value is not None]
        lines += [f"  - {items[0]}", *(f"    {item}" for item in items[1:])]
    return HEAD + "\n".join(lines) + "\n"


def about(**what: Any) -> dict[str, Any]:
    """A rule about something else than a protocol."""
    return {"protocol": None, **what}


def registry(**given: str) -> dict[str, Any]:
    place = {"key": r"SOFTWARE\Contoso", "value": "Name", "type": "REG_DWORD", "data": "1", **given}
    inner = ", ".join(f"{key}: {value}" for key, value in place.items() if value)
    return about(state=None, registry=f"{{{inner}}}")


def rules_of(*rules: dict[str, Any]) -> tuple[Rule, ...]:
    return baselines.parse(text(*rules)).rules


def test_a_file_of_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "own.yml"
    path.write_text(text({}), encoding="utf-8-sig", newline="\r\n")
    for name in (str(path), f"{tmp_path}/./own.yml"):
        assert baselines.load(name).id == "own"
    monkeypatch.chdir(tmp_path)
    assert baselines.load("own.yml") == baselines.load("./own.yml")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert baselines.load("~/own.yml").title == "Own"
    (tmp_path / "exchange_tls12").write_text(text({}))
    assert baselines.load("exchange_tls12").id == "exchange_tls12", "a name is not a path"
    assert baselines.load("./exchange_tls12").id == "own"


def test_a_rule() -> None:
    (one, *more) = rules_of({"side": "Client"})
    assert len(more) == 1
    assert one == Rule(
        id="a.client.enabled",
        title="A",
        severity="low",
        setting=Setting(rf"{SCHANNEL}\Protocols\TLS 1.2\Client", "Enabled"),
        desired=Desired(dword(1), Match.NONZERO),
        source="S (1, 2026-01-31)",
        why="W.",
        protocol="TLS 1.2",
        side="Client",
        state="enabled",
    )


@pytest.mark.parametrize(
    ("rule", "ids"),
    [
        ({}, ["a.client.enabled", "a.client.disabledbydefault", "a.server.enabled", "a.server.disabledbydefault"]),
        ({"side": "Server"}, ["a.server.enabled", "a.server.disabledbydefault"]),
        (
            about(dotnet="v4", state="strong"),
            [f"a.{bits}.{name}" for bits in (64, 32) for name in ("systemdefaulttlsversions", "schusestrongcrypto")],
        ),
        (about(winhttp="true", state="tls12"), ["a.64.defaultsecureprotocols", "a.32.defaultsecureprotocols"]),
        (about(renegotiation="true", state="strict"), ["a.client", "a.server"]),
        (about(cipher="NULL", state="disabled"), ["a.enabled"]),
        (about(cipher="RC4 128/128", state="disabled"), ["a.enabled"]),
        (about(hash="MD5", state="default"), ["a.enabled"]),
        (about(key_exchange="Diffie-Hellman", state="enabled"), ["a.enabled"]),
        (registry(), ["a"]),
    ],
)
def test_what_a_rule_can_be_about(rule: dict[str, Any], ids: list[str]) -> None:
    assert [item.id for item in rules_of(rule)] == ids


def test_exact() -> None:
    assert {rule.desired.match for rule in rules_of({"exact": "true"})} == {Match.EXACT}
    assert Match.NONZERO in {rule.desired.match for rule in rules_of({"exact": "false"})}


@pytest.mark.parametrize(
    ("given", "desired"),
    [
        ({}, Desired(dword(1))),
        ({"data": "0x800", "match": "has_bits"}, Desired(dword(0x800), Match.HAS_BITS)),
        ({"data": "5", "match": "at_least"}, Desired(dword(5), Match.AT_LEAST)),
        ({"match": "nonzero"}, Desired(dword(1), Match.NONZERO)),
        ({"data": "0", "match": "exact"}, Desired(dword(0))),
        ({"type": "REG_QWORD", "data": "18446744073709551615"}, Desired(Value(Type.REG_QWORD, 2**64 - 1))),
        ({"type": "REG_SZ", "data": "'1'"}, Desired(Value(Type.REG_SZ, "1"))),
        ({"type": "REG_SZ", "data": "''"}, Desired(Value(Type.REG_SZ, ""))),
        ({"type": "REG_EXPAND_SZ", "data": "'%SystemRoot%'"}, Desired(Value(Type.REG_EXPAND_SZ, "%SystemRoot%"))),
        ({"type": "REG_MULTI_SZ", "data": "[a, 'b c']"}, Desired(Value(Type.REG_MULTI_SZ, ("a", "b c")))),
        ({"type": "REG_MULTI_SZ", "data": "[]"}, Desired(Value(Type.REG_MULTI_SZ, ()))),
        ({"type": "REG_BINARY", "data": "[0, 0xff]"}, Desired(Value(Type.REG_BINARY, (0, 255)))),
    ],
)
def test_registry(given: dict[str, str], desired: Desired) -> None:
    (rule,) = rules_of(registry(**given))
    assert (rule.setting, rule.desired) == (Setting(r"SOFTWARE\Contoso", "Name"), desired)
    assert (rule.protocol, rule.side, rule.state) == (None, None, None)


@pytest.mark.parametrize("key", [r"SOFTWARE\A B\C/D", r"SYSTEM\x", "SOFTWARE"])
def test_keys(key: str) -> None:
    (rule,) = rules_of(registry(key=f"'{key}'"))
    assert rule.setting.key == key


def test_where_a_rule_of_a_user_applies() -> None:
    limits = {"windows": "{min_build: 9200, max_build: 20348}", "exchange": "{min: 15.2.1748.10}"}
    assert {rule.applies for rule in rules_of(limits)} == {Applies(9200, 20348, EXCHANGE_CU15)}
    # those of a subject hold as well
    assert {rule.applies for rule in rules_of({**about(winhttp="true", state="tls12"), **limits})} == {
        Applies(9200, 9200, EXCHANGE_CU15)
    }
    assert {rule.applies for rule in rules_of({"windows": "{min_build: 9200}"})} == {Applies(9200)}
    assert {rule.applies for rule in rules_of({"windows": "{max_build: 9200}"})} == {Applies(None, 9200)}


@pytest.mark.parametrize("name", baselines.names())
def test_both_loaders_read_the_same(name: str) -> None:
    text = (baselines.FOLDER / f"{name}.yml").read_text(encoding="utf-8")
    assert baselines.load(name) == baselines.parse(text)
