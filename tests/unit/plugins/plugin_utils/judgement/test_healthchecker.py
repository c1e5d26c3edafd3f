# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HealthChecker's verdicts: its truth table, its own tests, its hole, PowerShell's types, and where it differs."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.healthchecker import (
    PROTOCOLS,
    Cause,
    DotNet,
    differs,
    dotnet_differs,
    dotnet_verdict,
    verdict,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import Effective, Side
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword
from hypothesis import given
from hypothesis import strategies as st

from ..fakes import FakeWindows
from ..policies import audited, policy

ALL_ONES = dword(0xFFFFFFFF)
SPELLED = {"-": ABSENT, "0": dword(0), "1": dword(1), "F": ALL_ONES}
FOUR = tuple(SPELLED.values())
# one build for each row of Windows' defaults, and one that nobody knows
BUILDS = (6003, 7601, 9600, 14393, 17763, 20348, 26100, 99999)


def side(enabled: str, by_default: str) -> Side:
    return Side(SPELLED[enabled], SPELLED[by_default])


def text(data: str) -> Value:
    return Value(Type.REG_SZ, data)


# --- the verdict -----------------------------------------------------------------------------------------------------

# Client and Server alike: Enabled, DisabledByDefault, TLS 1.0 to 1.2, TLS 1.3
TRUTH_TABLE = [
    ("-", "-", "Enabled", "Disabled"),
    ("-", "0", "Enabled", "Half Disabled"),
    ("-", "1", "Half Disabled", "Disabled"),
    ("-", "F", "Half Disabled", "Disabled"),
    ("0", "-", "Disabled", "Disabled"),
    ("0", "0", "Half Disabled", "Half Disabled"),
    ("0", "1", "Disabled", "Disabled"),
    ("0", "F", "Disabled", "Disabled"),
    ("1", "-", "Enabled", "Enabled"),
    ("F", "-", "Enabled", "Enabled"),
    ("1", "0", "Enabled", "Enabled"),
    ("F", "0", "Enabled", "Enabled"),
    ("1", "1", "Half Disabled", "Half Disabled"),
    ("1", "F", "Half Disabled", "Half Disabled"),
    ("F", "1", "Half Disabled", "Half Disabled"),
    ("F", "F", "Half Disabled", "Half Disabled"),
]


@pytest.mark.parametrize(("enabled", "by_default", "older", "newest"), TRUTH_TABLE)
def test_both_sides_alike(enabled: str, by_default: str, older: str, newest: str) -> None:
    both = side(enabled, by_default)
    assert [verdict(protocol, both, both) for protocol in PROTOCOLS] == [older, older, older, newest]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("client", "server", "expected"),
    [
        (("1", "0"), ("1", "0"), "Enabled"),
        (("0", "1"), ("0", "1"), "Disabled"),
        (("1", "1"), ("1", "1"), "Half Disabled"),
        (("0", "0"), ("0", "0"), "Half Disabled"),
        (("0", "0"), ("1", "1"), "Misconfigured"),
        (("1", "1"), ("0", "0"), "Misconfigured"),
        (("1", "0"), ("1", "1"), "Misconfigured"),
    ],
)
def test_cases_of_healthcheckers_own_tests(
    protocol: str, client: tuple[str, str], server: tuple[str, str], expected: str
) -> None:
    assert verdict(protocol, side(*client), side(*server)) == expected


def test_the_hole_and_its_mirror() -> None:
    for protocol in PROTOCOLS:
        assert verdict(protocol, side("0", "0"), side("0", "-")) == "Enabled"
        assert verdict(protocol, side("0", "-"), side("0", "0")) == "Half Disabled"
    assert verdict("TLS 1.3", side("-", "0"), side("-", "-")) == "Enabled"


def by_decision(protocol: str, client: Side, server: Side) -> str:
    """The rules once more, as a decision instead of a sequence in which the later rule wins."""
    on = [item.enabled.data != 0 if item.enabled.present else protocol != "TLS 1.3" for item in (client, server)]
    marked = [item.disabled_by_default.present and item.disabled_by_default.data != 0 for item in (client, server)]
    if on[0] != on[1] or marked[0] != marked[1]:
        return "Misconfigured"
    if on[1]:
        return "Half Disabled" if marked[1] else "Enabled"
    if marked[1]:
        return "Disabled"
    if server.disabled_by_default.present:
        return "Half Disabled"
    return "Enabled" if client.disabled_by_default.present else "Disabled"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_combination(protocol: str) -> None:
    for values in itertools.product(FOUR, repeat=4):
        client, server = Side(*values[:2]), Side(*values[2:])
        assert verdict(protocol, client, server) == by_decision(protocol, client, server), values


@pytest.mark.parametrize("protocol", ["SSL 2.0", "SSL 3.0", "PCT 1.0", "DTLS 1.2", "Multi-Protocol Unified Hello"])
def test_other_protocols_have_no_verdict(protocol: str) -> None:
    assert verdict(protocol, Side(), Side()) is None
    assert differs(protocol, Side(), Side(), 20348) is None


SIDE = st.builds(Side, st.sampled_from(FOUR), st.sampled_from(FOUR))
PROTOCOL = st.sampled_from(PROTOCOLS)


@given(PROTOCOL, SIDE, SIDE, st.lists(st.integers(1, 2**32 - 1), min_size=4, max_size=4))
def test_one_number_other_than_0_is_like_the_other(
    protocol: str, client: Side, server: Side, others: list[int]
) -> None:
    number = iter(others)

    def replaced(value: Value) -> Value:
        return dword(next(number)) if value.data not in (None, 0) else value

    changed = [Side(replaced(item.enabled), replaced(item.disabled_by_default)) for item in (client, server)]
    assert verdict(protocol, *changed) == verdict(protocol, client, server)


@given(PROTOCOL, SIDE, SIDE)
def test_a_missing_disabled_by_default_is_no_mismatch_with_0(protocol: str, client: Side, server: Side) -> None:
    missing = [
        Side(item.enabled, ABSENT if item.disabled_by_default == dword(0) else item.disabled_by_default)
        for item in (client, server)
    ]
    mismatched = verdict(protocol, client, server) == "Misconfigured"
    assert (verdict(protocol, *missing) == "Misconfigured") is mismatched


@given(PROTOCOL, SIDE, SIDE)
def test_a_mismatch_does_not_depend_on_which_side_is_which(protocol: str, client: Side, server: Side) -> None:
    one, other = (verdict(protocol, *sides) for sides in ((client, server), (server, client)))
    assert (one == "Misconfigured") is (other == "Misconfigured")


# --- types -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "like"),
    [
        (text("0"), "0"),
        (text("1"), "1"),
        (text("00000000"), "1"),
        (text(""), "1"),
        (Value(Type.REG_EXPAND_SZ, "0"), "0"),
        (Value(Type.REG_QWORD, 0), "0"),
        (Value(Type.REG_QWORD, 2**40), "1"),
        (Value(Type.REG_BINARY, ()), "-"),
        (Value(Type.REG_BINARY, (0,)), "0"),
        (Value(Type.REG_BINARY, (0, 0, 0, 0)), "0"),
        (Value(Type.REG_BINARY, (1, 0, 0, 0)), "1"),
        (Value(Type.REG_BINARY, (1, 1)), "1"),
        (Value(Type.REG_MULTI_SZ, ()), "-"),
        (Value(Type.REG_MULTI_SZ, ("0",)), "0"),
        (Value(Type.REG_MULTI_SZ, ("",)), "1"),
        (Value(Type.REG_MULTI_SZ, ("0", "")), "0"),  # PowerShell: an array of one element is as true as that element
        (Value(Type.REG_MULTI_SZ, ("0", "1")), "1"),
    ],
    ids=str,
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_other_types_as_powershell_compares_them(protocol: str, value: Value, like: str) -> None:
    number = SPELLED[like]
    for other in itertools.product(FOUR, repeat=3):
        assert verdict(protocol, Side(value, other[0]), Side(*other[1:])) == verdict(
            protocol, Side(number, other[0]), Side(*other[1:])
        )
        assert verdict(protocol, Side(*other[1:]), Side(other[0], value)) == verdict(
            protocol, Side(*other[1:]), Side(other[0], number)
        )


def test_a_type_that_cannot_be_read_leaves_the_verdict_open_only_where_it_matters() -> None:
    unread = Value(Type.OTHER)
    assert verdict("TLS 1.2", Side(dword(1), unread), side("1", "0")) is None
    assert differs("TLS 1.2", Side(dword(1), unread), side("1", "0"), 14393) is None
    # the sides differ in Enabled already
    assert verdict("TLS 1.2", Side(dword(1), unread), side("0", "0")) == "Misconfigured"


# --- differences -----------------------------------------------------------------------------------------------------

STOCK = Side()
OFF, OFF_HALF, ON = side("0", "1"), side("0", "0"), side("1", "0")


@pytest.mark.parametrize(
    ("protocol", "client", "server", "build", "said", "reasons"),
    [
        ("TLS 1.2", STOCK, STOCK, 7601, "Enabled", {Cause.OFF_BY_DEFAULT: ("Client", "Server")}),
        ("TLS 1.1", STOCK, STOCK, 6003, "Enabled", {Cause.OFF_BY_DEFAULT: ("Client", "Server")}),
        ("TLS 1.2", ON, STOCK, 7601, "Enabled", {Cause.OFF_BY_DEFAULT: ("Server",)}),
        ("TLS 1.2", OFF, STOCK, 7601, "Misconfigured", {Cause.OFF_BY_DEFAULT: ("Server",)}),
        ("TLS 1.3", STOCK, STOCK, 20348, "Disabled", {Cause.ON_BY_DEFAULT: ("Client", "Server")}),
        ("TLS 1.3", ON, STOCK, 20348, "Misconfigured", {Cause.ON_BY_DEFAULT: ("Server",)}),
        (
            "TLS 1.3",
            side("-", "0"),
            side("-", "0"),
            20348,
            "Half Disabled",
            {Cause.ON_BY_DEFAULT: ("Client", "Server")},
        ),
        ("TLS 1.3", side("-", "1"), side("-", "1"), 20348, "Disabled", {Cause.ONLY_ON_REQUEST: ("Client", "Server")}),
        ("TLS 1.0", STOCK, STOCK, 26100, "Enabled", {Cause.UNKNOWN_DEFAULT: ("Client", "Server")}),
        ("TLS 1.2", STOCK, STOCK, 99999, "Enabled", {Cause.UNKNOWN_DEFAULT: ("Client", "Server")}),
        ("TLS 1.3", ON, ON, 17763, "Enabled", {Cause.NOT_IN_WINDOWS: ("Client", "Server")}),
        ("TLS 1.3", side("-", "1"), STOCK, 17763, "Misconfigured", {Cause.NOT_IN_WINDOWS: ("Client", "Server")}),
        ("TLS 1.2", side("1", "-"), side("1", "-"), 7601, "Enabled", {Cause.NEEDS_BOTH_VALUES: ("Client", "Server")}),
        ("TLS 1.0", OFF_HALF, OFF_HALF, 14393, "Half Disabled", {Cause.ENABLED_ZERO: ("Client", "Server")}),
        ("TLS 1.0", OFF, side("0", "-"), 14393, "Misconfigured", {Cause.ENABLED_ZERO: ("Client", "Server")}),
        ("TLS 1.0", side("0", "-"), OFF_HALF, 14393, "Half Disabled", {Cause.ENABLED_ZERO: ("Server",)}),
        ("TLS 1.0", OFF_HALF, side("0", "-"), 14393, "Enabled", {Cause.SERVER_ONLY: ("Client",)}),
        (
            "TLS 1.3",
            side("-", "0"),
            STOCK,
            14393,
            "Enabled",
            {Cause.SERVER_ONLY: ("Client",), Cause.NOT_IN_WINDOWS: ("Client",)},
        ),
        ("TLS 1.2", Side(text("1"), dword(0)), ON, 14393, "Enabled", {Cause.WRONG_TYPE: ("Client",)}),
    ],
)
def test_why_both_differ(
    protocol: str, client: Side, server: Side, build: int, said: str, reasons: dict[Cause, tuple[str, ...]]
) -> None:
    found = differs(protocol, client, server, build)
    assert found is not None
    assert found.verdict == said
    assert {item.reason: item.where for item in found.explanations} == reasons
    assert found.client is client.effective(protocol, "Client", build)
    assert found.server is server.effective(protocol, "Server", build)


@pytest.mark.parametrize(
    ("protocol", "client", "server", "build"),
    [
        ("TLS 1.2", STOCK, STOCK, 14393),
        ("TLS 1.2", ON, ON, 7601),
        ("TLS 1.2", side("F", "0"), ON, 14393),
        ("TLS 1.0", OFF, OFF, 20348),
        ("TLS 1.3", STOCK, STOCK, 17763),
        ("TLS 1.1", side("1", "1"), side("1", "1"), 9600),
        ("TLS 1.0", OFF, ON, 14393),
        # HealthChecker's hole gives the right answer for once
        ("TLS 1.3", side("-", "0"), STOCK, 20348),
    ],
)
def test_no_difference(protocol: str, client: Side, server: Side, build: int) -> None:
    assert differs(protocol, client, server, build) is None


CLAIMS = {
    "Enabled": [{Effective.ENABLED}],
    "Half Disabled": [{Effective.DISABLED_BY_DEFAULT}],
    "Disabled": [{Effective.DISABLED}, {Effective.UNSUPPORTED}, {Effective.DISABLED, Effective.UNSUPPORTED}],
}


@pytest.mark.parametrize("build", BUILDS)
def test_every_difference_has_a_reason_and_nothing_else_is_one(build: int) -> None:
    values = (ABSENT, dword(0), dword(1), text("1"), Value(Type.OTHER))
    for protocol, *four in itertools.product(PROTOCOLS, *[values] * 4):
        client, server = Side(*four[:2]), Side(*four[2:])
        said, found = verdict(protocol, client, server), differs(protocol, client, server, build)
        effective = [client.effective(protocol, "Client", build), server.effective(protocol, "Server", build)]
        if said is None:
            assert found is None
            continue
        if said == "Misconfigured":
            fits = effective[0] is not effective[1] and Effective.UNKNOWN not in effective
        else:
            fits = set(effective) in CLAIMS[said]
        assert (found is None) is fits, (protocol, four)
        if found:
            assert found.explanations, (protocol, four)
            wrong = any(value.type not in (None, Type.REG_DWORD) for value in four)
            assert wrong or Cause.WRONG_TYPE not in found.reasons
            assert (Effective.UNKNOWN in effective) is bool(
                {Cause.WRONG_TYPE, Cause.UNKNOWN_DEFAULT} & set(found.reasons)
            )


def test_the_result_names_both_verdicts_and_the_windows_version() -> None:
    found = differs("TLS 1.2", STOCK, STOCK, 7601)
    assert found is not None
    assert found.as_result() == {
        "verdict": "Enabled",
        "effective": {"Client": "disabled", "Server": "disabled"},
        "reasons": [
            {
                "reason": "off_by_default",
                "where": ["Client", "Server"],
                "sentence": "HealthChecker takes a missing Enabled as on in every Windows, but Windows Server 2008 R2 "
                "has TLS 1.2 off until the registry turns it on (Client and Server).",
            }
        ],
        "message": "HealthChecker calls TLS 1.2 'Enabled'; effective are Client disabled, Server disabled. "
        "HealthChecker takes a missing Enabled as on in every Windows, but Windows Server 2008 R2 has TLS 1.2 off "
        "until the registry turns it on (Client and Server).",
    }


# --- .NET ------------------------------------------------------------------------------------------------------------

NET_ON, NET_OFF = DotNet(dword(1), dword(1)), DotNet(dword(0), dword(0))


@pytest.mark.parametrize(
    ("native", "wow", "correct", "enabled"),
    [
        (NET_ON, NET_ON, True, True),
        (NET_OFF, NET_OFF, True, False),
        (NET_ON, NET_OFF, False, False),
        (NET_OFF, NET_ON, False, False),
        (DotNet(ABSENT, ABSENT), NET_OFF, True, False),
        (DotNet(ALL_ONES, dword(1)), DotNet(ALL_ONES, dword(1)), True, False),
        (DotNet(text("1"), ABSENT), DotNet(Value(Type.REG_QWORD, 1), ABSENT), True, True),
        (DotNet(Value(Type.OTHER), ABSENT), NET_ON, None, None),
        (DotNet(Value(Type.OTHER), ABSENT), NET_OFF, None, False),
    ],
)
def test_system_default_tls_versions(native: DotNet, wow: DotNet, correct: bool | None, enabled: bool | None) -> None:
    found = dotnet_verdict(native, wow)
    assert (found.sdtv_configured_correctly, found.sdtv_enabled) == (correct, enabled)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ABSENT, False),
        (dword(0), False),
        (dword(1), True),
        (ALL_ONES, False),
        (dword(2), False),
        (text("1"), True),
        (text("01"), False),
        (Value(Type.REG_QWORD, 1), True),
        (Value(Type.REG_BINARY, (1, 0, 0, 0)), True),
        (Value(Type.REG_BINARY, (2, 0)), False),
        (Value(Type.REG_MULTI_SZ, ("0", "1")), True),
        (Value(Type.OTHER), None),
    ],
    ids=str,
)
def test_strong_crypto_is_exactly_1(value: Value, expected: bool | None) -> None:
    found = dotnet_verdict(DotNet(dword(1), value), NET_OFF)
    assert found.as_result() == {
        "SystemDefaultTlsVersions": True,
        "WowSystemDefaultTlsVersions": False,
        "SchUseStrongCrypto": expected,
        "WowSchUseStrongCrypto": False,
        "SDtvConfiguredCorrectly": False,
        "SDtvEnabled": False,
    }


def test_numbers_that_only_newer_programs_take_as_on() -> None:
    (found,) = dotnet_differs("v4.0.30319", DotNet(ALL_ONES, dword(1)), DotNet(dword(1), dword(2)))
    assert found.reason is Cause.DOTNET_NOT_ONE
    assert found.where == ("SystemDefaultTlsVersions (64-bit)", "SchUseStrongCrypto (32-bit)")
    # .NET 2 wants exactly 1, as HealthChecker does
    assert dotnet_differs("v2.0.50727", DotNet(ALL_ONES, dword(1)), NET_ON) == ()


@pytest.mark.parametrize("version", ["v2.0.50727", "v4.0.30319"])
def test_text_that_dotnet_ignores(version: str) -> None:
    (found,) = dotnet_differs(version, NET_ON, DotNet(text("1"), text("0")))
    assert (found.reason, found.where) == (Cause.DOTNET_WRONG_TYPE, ("SystemDefaultTlsVersions (32-bit)",))
    assert found.as_result()["reason"] == "dotnet_wrong_type"


@pytest.mark.parametrize("version", ["v2.0.50727", "v4.0.30319"])
def test_dotnet_agrees_on_0_1_and_missing(version: str) -> None:
    for four in itertools.product((ABSENT, dword(0), dword(1)), repeat=4):
        assert dotnet_differs(version, DotNet(*four[:2]), DotNet(*four[2:])) == ()


def test_the_view_of_an_audit_holds_dotnet_where_it_was_read() -> None:
    windows = FakeWindows({r"SOFTWARE\Microsoft\.NETFramework\v4.0.30319": {"SystemDefaultTlsVersions": dword(1)}})
    asked = audited(windows, policy(baseline="exchange_tls12")).as_result()["healthchecker"]
    assert asked[".NET v4"]["verdict"]["SystemDefaultTlsVersions"] is True
    assert asked[".NET v4"]["verdict"]["WowSystemDefaultTlsVersions"] is False
    assert asked[".NET v4"]["verdict"]["SDtvEnabled"] is False
    assert ".NET v2" not in asked
    assert ".NET v4" not in audited(windows, policy({"TLS 1.2": "enabled"})).as_result()["healthchecker"]
