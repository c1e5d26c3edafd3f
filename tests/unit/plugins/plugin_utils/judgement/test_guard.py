# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between the two phases: what keeps old TLS on, what lets it go off, and what nothing overrules."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement import guards
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import Policy
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import protocol_key
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword

from ..policies import policy, waiver
from .guarding import (
    ACCEPTED,
    DOTNET,
    HARDEN,
    NOT_TRIED,
    READY,
    REFUSED,
    STIG,
    TLS12_CLIENT,
    guard,
    off,
    on,
    refusal,
    side,
)

# --- the second phase, when all is well ------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [9200, 9600, 14393, 17763, 20348, 26100])
@pytest.mark.parametrize("handshakes", [None, {}, {"endpoints": []}, {"skipped": True}, ACCEPTED, NOT_TRIED])
def test_all_is_well(build: int, handshakes: dict[str, Any] | None) -> None:
    assert guard(READY, build=build, handshakes=handshakes) is None
    assert guard(READY, STIG, build, handshakes=handshakes) is None
    assert guard(READY, HARDEN, build, handshakes=handshakes, force=True) is None, "there is nothing to force"


def test_tls_12_that_is_on_by_default_is_on() -> None:
    assert guard(DOTNET) is None


def test_stig_looks_at_the_server_side_only() -> None:
    """And so does the refusal; but the foundation is about both sides."""
    told = refusal(on("TLS 1.2"), STIG, 9200)
    assert "SSL 3.0 Server, TLS 1.0 Server, TLS 1.1 Server would be turned off" in told
    assert "Client" not in told
    assert "TLS 1.2 Client is disabled" in refusal({**READY, **off("TLS 1.2", "Client")}, STIG)


# --- each thing that may be missing, alone ---------------------------------------------------------------------------

STRONG = Setting(r"SOFTWARE\Wow6432Node\Microsoft\.NETFramework\v4.0.30319", "SchUseStrongCrypto")
MISSING: dict[str, tuple[dict[Setting, Value], dict[str, Any], str]] = {
    "TLS 1.2 off for the client": (off("TLS 1.2", "Client"), {}, "TLS 1.2 Client is disabled"),
    "TLS 1.2 off for the server": (off("TLS 1.2", "Server"), {}, "TLS 1.2 Server is disabled"),
    "TLS 1.2 not offered": (
        side("TLS 1.2", "Client", dword(1), dword(1)),
        {},
        "TLS 1.2 Client is disabled by default",
    ),
    "TLS 1.2 by another type": (
        side("TLS 1.2", "Server", Value(Type.REG_SZ, "1"), dword(0)),
        {},
        "TLS 1.2 Server is unknown",
    ),
    "a restart of TLS 1.2": (
        {},
        {"waiting": frozenset({TLS12_CLIENT})},
        "a restart is pending, so that the settings are not in effect",
    ),
    "a restart of .NET": ({}, {"waiting": frozenset({STRONG})}, "a restart is pending"),
    "a note that cannot be read": ({}, {"waiting": None}, "a restart is pending"),
    ".NET without strong cryptography": (
        {STRONG: dword(0)},
        {},
        ".NET 4 would go on with old TLS (1 of 4 values are not 1: SchUseStrongCrypto)",
    ),
    ".NET with another number": ({STRONG: dword(0xFFFFFFFF)}, {}, "(1 of 4 values are not 1: SchUseStrongCrypto)"),
    ".NET by another type": ({STRONG: Value(Type.REG_SZ, "1")}, {}, "(1 of 4 values are not 1: SchUseStrongCrypto)"),
    "no .NET at all": (
        dict.fromkeys(DOTNET, ABSENT),
        {},
        "(4 of 4 values are not 1: SystemDefaultTlsVersions, SchUseStrongCrypto)",
    ),
    "a handshake": ({}, {"handshakes": REFUSED}, "smtp://ex01:25 does not accept TLS 1.2"),
}


@pytest.mark.parametrize("case", MISSING)
def test_one_thing_missing(case: str) -> None:
    values, more, words = MISSING[case]
    told = refusal({**READY, **values}, **more)
    start = "Refused, nothing was changed: TLS 1.0 Client, TLS 1.0 Server, TLS 1.1 Client, TLS 1.1 Server would be "
    assert told.startswith(f"{start}turned off although ")
    assert words in told
    assert "; and " not in told, "nothing else is missing"
    assert "Run enforce-tls12.yml first" in told


@pytest.mark.parametrize("case", MISSING)
def test_force_is_loud(case: str) -> None:
    values, more, words = MISSING[case]
    warning = guard({**READY, **values}, force=True, **more)
    assert warning is not None
    assert warning.startswith("FORCED: TLS 1.0 Client, ")
    assert words in warning
    assert warning.endswith("Mail may stop at the next restart.")


def test_all_that_is_missing_is_told() -> None:
    told = refusal({**off("TLS 1.2", "Client")}, waiting=frozenset({TLS12_CLIENT}), handshakes=REFUSED)
    for words in (
        "TLS 1.2 Client is disabled",
        "restart is pending",
        "4 of 4 values",
        "smtp://ex01:25 does not accept",
    ):
        assert words in told


def test_what_helps_stands_behind_what_it_helps_against() -> None:
    told = refusal(
        {**READY, STRONG: ABSENT, **off("TLS 1.2", "Client")}, peers=("192.0.2.7 would be cut off", "Ask it.")
    )
    order = [
        "although TLS 1.2 Client is disabled; and .NET 4 would go on with old TLS",
        ". Run enforce-tls12.yml first",
        "then try again. And 192.0.2.7 would be cut off. Ask it. To do it all the same",
    ]
    places = [told.find(words) for words in order]
    assert places == sorted(places)
    assert -1 not in places
    assert told.count("Run enforce-tls12.yml first") == 1


def test_2008_r2_needs_tls_12_first() -> None:
    """It is off there by default, and the same change would turn it on: not in effect before the restart."""
    told = refusal(DOTNET, build=7601)
    assert "TLS 1.2 Client is disabled; and TLS 1.2 Server is disabled" in told


# --- what goes off ---------------------------------------------------------------------------------------------------

NOTHING: dict[Setting, Value] = {}


@pytest.mark.parametrize(
    ("wanted", "values", "build", "going"),
    [
        (policy({"TLS 1.0": {"Server": "disabled"}}), NOTHING, 17763, "TLS 1.0 Server"),
        (policy({"SSL 3.0": "disabled"}), NOTHING, 9600, "SSL 3.0 Client, SSL 3.0 Server"),
        (policy({"SSL 2.0": "disabled"}), NOTHING, 7601, "SSL 2.0 Server"),
        # whether it is on is not known
        (
            policy({"Multi-Protocol Unified Hello": {"Client": "disabled"}}),
            NOTHING,
            17763,
            "Multi-Protocol Unified Hello Client",
        ),
        (policy({"TLS 1.1": {"Client": "disabled"}}), NOTHING, 26100, "TLS 1.1 Client"),
        (policy({"TLS 1.1": {"Client": "disabled"}}), NOTHING, 99999, "TLS 1.1 Client"),
        # taken out of the offer it still is there for programs that ask for it, as Exchange 2013 does
        (
            policy({"TLS 1.0": {"Client": "disabled"}}),
            side("TLS 1.0", "Client", dword(1), dword(1)),
            17763,
            "TLS 1.0 Client",
        ),
        # a default that turns it off, and one that perhaps does
        (policy({"TLS 1.1": {"Server": "default"}}), on("TLS 1.1"), 7601, "TLS 1.1 Server"),
        (policy({"TLS 1.0": {"Server": "default"}}), on("TLS 1.0"), 26100, "TLS 1.0 Server"),
        (policy({"SSL 3.0": {"Server": "default"}}), on("SSL 3.0"), 17763, "SSL 3.0 Server"),
    ],
)
def test_what_goes_off(wanted: Policy, values: dict[Setting, Value], build: int, going: str) -> None:
    told = refusal(values, wanted, build)
    assert told.startswith(f"Refused, nothing was changed: {going} would be turned off although ")


@pytest.mark.parametrize(
    ("wanted", "values", "build"),
    [
        # nothing old goes off
        (policy(baseline="exchange_tls12"), NOTHING, 7601),
        (policy(baseline="exchange_tls12"), off("TLS 1.0"), 17763),
        (policy({"TLS 1.0": "enabled"}), off("TLS 1.0"), 17763),
        (policy({"TLS 1.0": "default"}), off("TLS 1.0"), 17763),
        (policy({"TLS 1.3": "disabled"}), NOTHING, 20348),
        (policy({"DTLS 1.2": "disabled"}), NOTHING, 17763),
        # it is off already, or this Windows does not have it
        (HARDEN, {**off("TLS 1.0"), **off("TLS 1.1")}, 17763),
        (policy({"SSL 2.0": "disabled"}), NOTHING, 17763),
        (policy({"SSL 3.0": "disabled"}), NOTHING, 17763),
        (
            policy({"TLS 1.0": "disabled"}),
            side("TLS 1.0", "Client", dword(0), ABSENT) | off("TLS 1.0", "Server"),
            17763,
        ),
    ],
)
def test_what_needs_no_first_phase(wanted: Policy, values: dict[Setting, Value], build: int) -> None:
    assert guard(values, wanted, build, waiting=None, handshakes=REFUSED) is None


def test_what_is_waived_does_not_go_off() -> None:
    waived = [waiver("protocol == 'TLS 1.0'"), waiver("protocol == 'TLS 1.1'")]
    assert guard(NOTHING, waivers=waived, waiting=None) is None
    told = refusal(NOTHING, waivers=waived[:1])
    assert "TLS 1.0" not in told.partition("although")[0]


def test_old_tls_that_waits_to_go_off_is_no_obstacle() -> None:
    """A second phase that was cut off is finished by running it again."""
    waiting = frozenset({Setting(protocol_key("TLS 1.0", "Server"), "Enabled")})
    assert guard({**READY, **off("TLS 1.0", "Server")}, waiting=waiting) is None


# --- what nothing overrules ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("values", "build", "words"),
    [
        # 2008 R2 has it off by default
        (on("TLS 1.2"), 7601, "turn TLS 1.2 Client off on this Windows"),
        (on("TLS 1.2", "Server"), 7600, "turn TLS 1.2 Server off on this Windows"),
        (on("TLS 1.2"), 6003, "turn TLS 1.2 Client off on this Windows"),
        (side("TLS 1.2", "Client", dword(1), dword(1)), 7601, "turn TLS 1.2 Client off"),
        (on("TLS 1.2"), 99999, "leave TLS 1.2 Client to a default that no source tells on this Windows"),
    ],
)
def test_tls_12_stays_on(values: dict[Setting, Value], build: int, words: str, force: bool) -> None:
    told = refusal({**DOTNET, **values}, policy({"TLS 1.2": "default"}), build, force=force)
    assert words in told
    assert "nothing was changed. Exchange SMTP has no TLS 1.3" in told


@pytest.mark.parametrize("build", [9200, 14393, 20348, 26100])
def test_tls_12_may_be_left_to_a_default_that_is_on(build: int) -> None:
    assert guard(on("TLS 1.2"), policy({"TLS 1.2": "default"}), build) is None
    assert guard(off("TLS 1.2"), policy({"TLS 1.2": "default"}), build) is None


# --- what must be read for it ----------------------------------------------------------------------------------------


def test_dotnet_is_read_where_old_tls_may_go_off() -> None:
    rules = guards.also_needed(STIG)
    assert {rule.setting for rule in rules} == set(DOTNET)
    assert all(rule.desired.value == dword(1) and rule.kind is Type.REG_DWORD for rule in rules)
    assert guards.also_needed(HARDEN) == (), "it is read for the policy"
    partly = policy({"TLS 1.0": "default"}, dotnet={"v4": "unmanaged", "v2": "strong"})
    assert {rule.setting for rule in guards.also_needed(partly)} == set(DOTNET)


@pytest.mark.parametrize(
    "wanted", [policy({"TLS 1.2": "enabled"}), policy({"TLS 1.0": "enabled"}), policy({"TLS 1.3": "disabled"})]
)
def test_dotnet_is_not_read_otherwise(wanted: Policy) -> None:
    assert guards.also_needed(wanted) == ()
