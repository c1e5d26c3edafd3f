# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options to rules, with every mistake named and guessed at."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import options as policy_options
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import subjects
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import PROTOCOLS
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword
from hypothesis import given
from hypothesis import strategies as st

from ..policies import options, policy

F = 0xFFFFFFFF


def wanted(protocols: dict[Any, Any] | None = None, **more: Any) -> dict[str, Value]:
    """Rule id -> value."""
    return {rule.id: rule.desired.value for rule in policy(protocols, **more).rules}


def problems(protocols: dict[Any, Any] | None = None, **more: Any) -> str:
    with pytest.raises(OptionError) as caught:
        policy(protocols, **more)
    return caught.value.message


# --- protocols -------------------------------------------------------------------------------------------------------


def test_one_protocol() -> None:
    found = policy({"TLS 1.2": "enabled"})
    assert [(rule.id, rule.desired.value) for rule in found.rules] == [
        ("tls_1_2.client.enabled", dword(1)),
        ("tls_1_2.client.disabledbydefault", dword(0)),
        ("tls_1_2.server.enabled", dword(1)),
        ("tls_1_2.server.disabledbydefault", dword(0)),
    ]
    assert found.protocols == {"TLS 1.2"}
    first = found.rules[0]
    assert first.setting.key.endswith(r"SCHANNEL\Protocols\TLS 1.2\Client")
    assert (first.severity, first.state, first.title) == ("high", "enabled", "TLS 1.2 (Client): enabled")
    assert "Exchange Online" in first.why
    assert first.source == "Microsoft, Exchange Server TLS configuration best practices"


def test_the_default() -> None:
    """Without options it is the seed's TLS 1.2, and .NET 4 so that programs use it."""
    found = policy_options.from_options(options())
    assert found == policy(baseline="exchange_tls12")
    assert {rule.id.partition(".")[0] for rule in found.rules} == {"tls_1_2", "dotnet_v4"}
    assert found.cipher_suites == ()
    assert found.needs_exchange is False


def test_states() -> None:
    assert list(wanted({"TLS 1.0": "disabled"}).values()) == [dword(0), dword(1)] * 2
    assert list(wanted({"TLS 1.0": "default"}).values()) == [ABSENT] * 4
    assert list(wanted({"TLS 1.3": "enabled"}).values()) == [dword(1), dword(0)] * 2


def test_sides() -> None:
    protocols = {"TLS 1.2": {"Client": "enabled"}, "TLS 1.0": {"Server": "disabled", "Client": "unmanaged"}}
    assert wanted(protocols) == {
        "tls_1_2.client.enabled": dword(1),
        "tls_1_2.client.disabledbydefault": dword(0),
        "tls_1_0.server.enabled": dword(0),
        "tls_1_0.server.disabledbydefault": dword(1),
    }


def test_sides_apart() -> None:
    found = policy({"TLS 1.0": {"Server": "enabled", "Client": "disabled"}})
    assert {(rule.side, rule.state) for rule in found.rules} == {("Server", "enabled"), ("Client", "disabled")}
    assert {rule.protocol for rule in found.rules} == {"TLS 1.0"}


def test_unmanaged_beside_something() -> None:
    assert policy({"TLS 1.2": "enabled", "TLS 1.1": "unmanaged"}).protocols == {"TLS 1.2"}


def test_every_protocol_can_be_asked_for() -> None:
    for name in PROTOCOLS:
        assert policy({name: "enabled"}).protocols == {name}


@pytest.mark.parametrize("name", ["tls 1.2", "TLS 1.2", "Tls 1.2"])
@pytest.mark.parametrize("state", ["enabled", "Enabled", "ENABLED"])
def test_case_does_not_matter(name: str, state: str) -> None:
    assert wanted({name: state}) == wanted({"TLS 1.2": "enabled"})
    assert wanted({name: {"client": state, "SERVER": state}}) == wanted({"TLS 1.2": "enabled"})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TLS 1,2", "TLS 1.2"),
        ("TLS1.2", "TLS 1.2"),
        ("TLSv1.2", "TLS 1.2"),
        ("TLS 1.2 ", "TLS 1.2"),
        ("tls_1_2", "TLS 1.2"),
        ("TLS 12", "TLS 1.2"),
        ("SSLv3.0", "SSL 3.0"),
        ("ssl3.0", "SSL 3.0"),
        ("TLS  1.0", "TLS 1.0"),
        ("DTLSv1.2", "DTLS 1.2"),
        ("PCT1", "PCT 1.0"),
        ("Multiprotocol Unified Hello", "Multi-Protocol Unified Hello"),
    ],
)
def test_protocols_that_are_nearly_right(name: str, meant: str) -> None:
    message = problems({name: "enabled"})
    assert f"unknown protocol '{name}' (did you mean '{meant}'?)" in message
    assert "SSL 2.0, SSL 3.0, TLS 1.0, TLS 1.1, TLS 1.2, TLS 1.3" in message.partition("allowed: ")[2]


@pytest.mark.parametrize("name", ["QUIC", "", 5, None, 1.2])
def test_protocols_that_are_nothing(name: Any) -> None:
    message = problems({name: "enabled"})
    assert f"unknown protocol '{name}'; allowed:" in message


@pytest.mark.parametrize(
    ("state", "meant"), [("enable", "enabled"), ("disable", "disabled"), ("dissabled", "disabled")]
)
def test_states_that_are_nearly_right(state: str, meant: str) -> None:
    assert f"unknown state of TLS 1.2 '{state}' (did you mean '{meant}'?)" in problems({"TLS 1.2": state})


@pytest.mark.parametrize("state", [True, False])
def test_booleans(state: bool) -> None:
    for protocols in ({"TLS 1.2": state}, {"TLS 1.2": {"Client": state}}):
        assert "TLS 1.2: write 'enabled' or 'disabled' instead of a boolean" in problems(protocols)


@pytest.mark.parametrize("state", [None, 1, "", [], ["enabled"]])
def test_states_that_are_nothing(state: Any) -> None:
    assert "unknown state of TLS 1.2" in problems({"TLS 1.2": state})


def test_sides_that_are_nearly_right() -> None:
    assert "unknown side of TLS 1.2 'Clients' (did you mean 'Client'?)" in problems({"TLS 1.2": {"Clients": "enabled"}})


@pytest.mark.parametrize(
    "protocols", [{}, {"TLS 1.2": "unmanaged"}, {"TLS 1.2": {}}, {"TLS 1.1": {"Client": "unmanaged"}}]
)
def test_empty(protocols: dict[str, Any]) -> None:
    message = problems(protocols)
    assert "The policy is empty" in message
    assert "{TLS 1.2: enabled}" in message


def test_a_baseline_that_is_wholly_taken_away_is_empty() -> None:
    message = problems({"TLS 1.2": "unmanaged"}, baseline="exchange_tls12", dotnet={"v4": "unmanaged", "v2": None})
    assert "The policy is empty" in message


@pytest.mark.parametrize(
    "protocols", [{"TLS 1.2": "disabled"}, {"tls 1.2": "DISABLED"}, {"TLS 1.2": {"Server": "disabled"}}]
)
@pytest.mark.parametrize("baseline", ["none", "exchange_tls12", "exchange_tls13"])
def test_tls_12_stays(protocols: dict[str, Any], baseline: str) -> None:
    message = problems(protocols, baseline=baseline)
    assert "TLS 1.2 cannot be disabled on the Server side: Exchange SMTP has no TLS 1.3" in message


def test_all_problems_at_once() -> None:
    message = problems(
        {
            "TLS 1,2": "enabled",
            "TLS 1.0": "off",
            "TLS 1.1": True,
            "TLS 1.2": {"Client": "disabled", "Srv": "on"},
            "TLS 1.3": {"Server": "enable"},
        },
        baseline="exchange_tls14",
        ciphers={"RC4": "disabled", "NULL": "of"},
        hashes={"SHA-256": "enabled"},
        key_exchanges={"Diffie Hellman": "enabled", "ECDH": True},
        dh_min_key_length=1000,
        cipher_suites=["ECDHE-RSA-AES256-GCM-SHA384"],
    )
    for part in (
        "'TLS 1,2'",
        "state of TLS 1.0 'off'",
        "TLS 1.1: write",
        "disabled on the Client side",
        "side of TLS 1.2 'Srv'",
        "state of TLS 1.2 'on'",
        "state of TLS 1.3 'enable'",
        "no baseline named 'exchange_tls14'",
        "unknown cipher 'RC4'",
        "state of NULL 'of'",
        "unknown hash 'SHA-256' (did you mean 'SHA256'?)",
        "unknown key exchange 'Diffie Hellman' (did you mean 'Diffie-Hellman'?)",
        "ECDH: write",
        "'dh_min_key_length' is 1000",
        "'ECDHE-RSA-AES256-GCM-SHA384'",
    ):
        assert part in message
    assert message.startswith("Bad policy: ")
    assert message.endswith(".")
    assert ".;" not in message


def test_named_twice() -> None:
    """Two rules for one setting could not both be followed."""
    assert "TLS 1.2 is named twice" in problems({"TLS 1.2": "enabled", "tls 1.2": "default"})
    assert "the Client side of TLS 1.0 is named twice" in problems(
        {"TLS 1.0": {"Client": "disabled", "client": "enabled"}}
    )
    for option, name in (("ciphers", "RC4 128/128"), ("hashes", "SHA256"), ("key_exchanges", "Diffie-Hellman")):
        assert f"{name} is named twice" in problems(**{option: {name: "enabled", name.lower(): "disabled"}})


@pytest.mark.parametrize(
    ("state", "name", "accepted", "refused"),
    [
        ("enabled", "enabled", [1, 5, F], [0]),
        ("enabled", "disabledbydefault", [0], [1, F]),
        ("disabled", "enabled", [0], [1, F]),
        ("disabled", "disabledbydefault", [1, 2, F], [0]),
        ("default", "enabled", [], [0, 1]),
        ("default", "disabledbydefault", [], [0, 1]),
    ],
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("side", ["Client", "Server"])
def test_what_counts_as_right(
    protocol: str, side: str, state: str, name: str, accepted: list[int], refused: list[int]
) -> None:
    items = subjects.protocol_side(protocol, side).states[state]
    (desired,) = (item.desired for item in items if item.name == name)
    assert all(desired.accepts(dword(number)) for number in accepted)
    assert not any(desired.accepts(dword(number)) for number in refused)
    for other in (Value(Type.REG_SZ, "1"), Value(Type.REG_QWORD, 1), Value(Type.REG_QWORD, 0), Value(Type.OTHER)):
        assert not desired.accepts(other)
    assert desired.accepts(ABSENT) is (state == "default")
    assert desired.accepts(desired.value)


# --- options over a baseline -----------------------------------------------------------------------------------------


def test_an_option_overrides_the_baseline() -> None:
    before = policy(baseline="exchange_best_practice")
    after = policy({"TLS 1.0": {"Server": "enabled"}}, baseline="exchange_best_practice")
    assert {rule.setting for rule in before.rules} == {rule.setting for rule in after.rules}
    changed = {rule.id: rule.desired.value for rule in after.rules if rule not in before.rules}
    assert changed == {"tls_1_0.server.enabled": dword(1), "tls_1_0.server.disabledbydefault": dword(0)}
    assert {rule.state for rule in after.rules if rule.protocol == "TLS 1.0" and rule.side == "Client"} == {"disabled"}


def test_an_option_that_says_the_same_says_it_in_its_own_words() -> None:
    """What the task asks for itself is judged as the task asks, not as a stricter baseline does."""
    (rule,) = (
        rule
        for rule in policy({"TLS 1.2": {"Server": "enabled"}}, baseline="stig_iis10").rules
        if rule.id == "tls_1_2.server.enabled"
    )
    assert rule.desired.accepts(dword(F))


def test_unmanaged_takes_away() -> None:
    found = policy(
        {"TLS 1.0": "unmanaged", "TLS 1.1": {"Client": "unmanaged"}},
        baseline="exchange_best_practice",
        dotnet={"v2": "unmanaged", "v4": None},
        renegotiation="unmanaged",
    )
    older = ("ssl_3_0", "ssl_2_0", "pct_1_0", "multi_protocol_unified_hello")
    assert {rule.id for rule in found.rules} == {
        *(
            f"{protocol}.{side}.{name}"
            for protocol in ("tls_1_2", *older)
            for side in ("client", "server")
            for name in ("enabled", "disabledbydefault")
        ),
        *(f"tls_1_1.server.{name}" for name in ("enabled", "disabledbydefault")),
        *(f"dotnet_v4.{bits}.{n}" for bits in (32, 64) for n in ("systemdefaulttlsversions", "schusestrongcrypto")),
    }


def test_unmanaged_takes_away_what_the_baseline_asks_by_place(tmp_path: Any) -> None:
    """A rule of a user that names the registry value itself is about the same thing."""
    path = tmp_path / "own.yml"
    path.write_text(
        r"""
id: own
title: Own
rules:
  - {id: a, title: A, severity: low, why: W, source: S, version: "1", date: 2026-01-01,
     registry: {key: 'software\microsoft\.netframework\V4.0.30319', value: schusestrongcrypto,
                type: REG_DWORD, data: 1}}
  - {id: b, title: B, severity: low, why: W, source: S, version: "1", date: 2026-01-01, hash: MD5, state: disabled}
"""
    )
    found = policy(baseline=str(path), dotnet={"v4": "unmanaged", "v2": None})
    assert [rule.id for rule in found.rules] == ["b.enabled"]


def test_unmanaged_without_a_baseline_beside_something() -> None:
    found = policy(winhttp="unmanaged", renegotiation="strict", ciphers={"NULL": "unmanaged"})
    assert {rule.id for rule in found.rules} == {"renegotiation.client", "renegotiation.server"}


@pytest.mark.parametrize("baseline", ["", "tls12", "exchange_tls12 ", "None", "Exchange_TLS12"])
def test_baselines_that_are_not_there(baseline: str) -> None:
    message = problems({"TLS 1.2": "enabled"}, baseline=baseline)
    assert f"there is no baseline named {baseline!r}; there are exchange_best_practice, exchange_tls12" in message
    assert "and none" in message


# --- the other areas -------------------------------------------------------------------------------------------------


def test_areas() -> None:
    assert wanted(dotnet={"v4": "strong", "v2": "default"}) == {
        "dotnet_v4.64.systemdefaulttlsversions": dword(1),
        "dotnet_v4.64.schusestrongcrypto": dword(1),
        "dotnet_v4.32.systemdefaulttlsversions": dword(1),
        "dotnet_v4.32.schusestrongcrypto": dword(1),
        "dotnet_v2.64.systemdefaulttlsversions": ABSENT,
        "dotnet_v2.64.schusestrongcrypto": ABSENT,
        "dotnet_v2.32.systemdefaulttlsversions": ABSENT,
        "dotnet_v2.32.schusestrongcrypto": ABSENT,
    }
    assert wanted(winhttp="tls12") == {
        "winhttp.64.defaultsecureprotocols": dword(0x800),
        "winhttp.32.defaultsecureprotocols": dword(0x800),
    }
    assert wanted(renegotiation="strict") == {"renegotiation.client": dword(0), "renegotiation.server": dword(0)}
    assert wanted(ciphers={"rc4 128/128": "disabled", "AES 256/256": "enabled"}) == {
        "ciphers.rc4_128_128.enabled": dword(0),
        "ciphers.aes_256_256.enabled": dword(F),
    }
    assert wanted(hashes={"MD5": "disabled"}) == {"hashes.md5.enabled": dword(0)}
    assert wanted(key_exchanges={"Diffie-Hellman": "default"}) == {
        "keyexchangealgorithms.diffie_hellman.enabled": ABSENT
    }
    assert wanted(dh_min_key_length=2048) == {
        "dh_min_key_length.client": dword(2048),
        "dh_min_key_length.server": dword(2048),
    }


@pytest.mark.parametrize("bits", [-2048, 1, 511, 513, 2047, 20480, 100000, 2**32])
def test_lengths_that_no_key_has(bits: int) -> None:
    assert f"'dh_min_key_length' is {bits}; it is a number of bits such as 2048" in problems(dh_min_key_length=bits)


def test_no_length_is_no_wish() -> None:
    """As the role's default and a survey's number say it."""
    assert wanted({"TLS 1.2": "enabled"}, dh_min_key_length=0) == wanted({"TLS 1.2": "enabled"})


@pytest.mark.parametrize("bits", [512, 1024, 2048, 3072, 4096, 16384])
def test_lengths_that_keys_have(bits: int) -> None:
    assert set(wanted(dh_min_key_length=bits).values()) == {dword(bits)}


# --- for all of them -------------------------------------------------------------------------------------------------

WISHES = st.sampled_from(["enabled", "disabled", "default", "unmanaged"])
SIDED = st.dictionaries(st.sampled_from(["Client", "Server"]), WISHES)
RUBBISH = st.one_of(st.text(max_size=8), st.booleans(), st.none(), st.dictionaries(st.text(max_size=6), st.none()))
BASELINES = st.sampled_from(["none", "exchange_tls12", "exchange_best_practice", "exchange_tls13", "stig_iis10"])


@given(st.dictionaries(st.sampled_from(PROTOCOLS), st.one_of(WISHES, SIDED)))
def test_every_policy_is_sound_or_refused(protocols: dict[str, Any]) -> None:
    off = protocols.get("TLS 1.2")
    if off == "disabled" or (isinstance(off, dict) and "disabled" in off.values()):
        assert "TLS 1.2 cannot be disabled" in problems(protocols)
        return
    if not any(
        wish and set(wish.values() if isinstance(wish, dict) else [wish]) != {"unmanaged"}
        for wish in protocols.values()
    ):
        assert "The policy is empty" in problems(protocols)
        return
    rules = policy(protocols).rules
    assert len({rule.id for rule in rules}) == len({rule.setting for rule in rules}) == len(rules)


@given(
    BASELINES,
    st.dictionaries(st.sampled_from([name for name in PROTOCOLS if name != "TLS 1.2"]), st.one_of(WISHES, SIDED)),
)
def test_what_options_ask_for_comes_first(baseline: str, protocols: dict[str, Any]) -> None:
    """Each side is as the option says, as the baseline says where there is none, and each setting is asked for once."""
    start = () if baseline == "none" else policy(baseline=baseline).rules
    rules = policy({"TLS 1.2": "enabled", **protocols}, baseline=baseline).rules
    assert len({rule.id for rule in rules}) == len({rule.setting for rule in rules}) == len(rules)
    for name, wish in protocols.items():
        for side in ("Client", "Server"):
            asked = wish.get(side) if isinstance(wish, dict) else wish
            states = {rule.state for rule in rules if (rule.protocol, rule.side) == (name, side)}
            if asked is None:
                assert states == {rule.state for rule in start if (rule.protocol, rule.side) == (name, side)}
            else:
                assert states == (set() if asked == "unmanaged" else {asked})


@given(st.dictionaries(st.one_of(st.text(max_size=8), st.integers(), st.none()), RUBBISH))
def test_rubbish_is_refused_in_words(protocols: dict[Any, Any]) -> None:
    assert problems(protocols)


@given(st.sampled_from(["ciphers", "hashes", "key_exchanges"]), st.dictionaries(st.text(max_size=8), RUBBISH))
def test_rubbish_in_other_areas_is_refused_in_words(option: str, rubbish: dict[Any, Any]) -> None:
    assert problems(**{option: rubbish})
