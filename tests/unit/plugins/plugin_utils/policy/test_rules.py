# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted of one value: what counts as right, what is written, and where it applies."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import (
    EVERYWHERE,
    Applies,
    Desired,
    Match,
    Policy,
    Rule,
    suites_of,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword
from hypothesis import given
from hypothesis import strategies as st

from ..windows.test_registry import VALUES

F = 0xFFFFFFFF
ANY = st.one_of(VALUES, st.just(ABSENT), st.just(Value(Type.OTHER)))
NUMBERS = st.one_of(st.sampled_from([0, 1, 0x80, 0x800, F]), st.integers(0, F))
NUMERIC = [Match.EXACT, Match.NONZERO, Match.AT_LEAST, Match.HAS_BITS]
WISHES = st.one_of(
    st.builds(Desired, NUMBERS.map(dword), st.sampled_from(NUMERIC)),
    st.builds(Desired, NUMBERS.map(lambda number: Value(Type.REG_QWORD, number)), st.sampled_from(NUMERIC)),
    st.builds(Desired, ANY.filter(lambda value: value.type is not Type.OTHER)),
    st.just(Desired(Value(Type.REG_SZ, "TLS_A,TLS_B"), Match.SUITES)),
    st.just(Desired(Value(Type.REG_MULTI_SZ, ("TLS_A", "TLS_B")), Match.SUITES)),
)


@given(WISHES)
def test_the_value_itself_is_right(desired: Desired) -> None:
    assert desired.accepts(desired.value)


@given(WISHES, ANY)
def test_what_is_written_is_right(desired: Desired, actual: Value) -> None:
    written = desired.to_write(actual)
    assert desired.accepts(written)
    assert written.type is desired.value.type


@given(WISHES, ANY)
def test_what_is_absent_is_right_only_where_nothing_should_be(desired: Desired, actual: Value) -> None:
    assert desired.accepts(ABSENT) is (desired.value == ABSENT)
    if desired.value == ABSENT:
        assert desired.accepts(actual) is not actual.present


@given(WISHES, ANY)
def test_another_type_is_never_right(desired: Desired, actual: Value) -> None:
    if desired.match is not Match.SUITES and actual.type is not desired.value.type:
        assert not desired.accepts(actual)


@given(st.sampled_from([Type.REG_DWORD, Type.REG_QWORD]), NUMBERS, NUMBERS, st.sampled_from(NUMERIC))
def test_numbers(kind: Type, want: int, have: int, match: Match) -> None:
    right = {
        Match.EXACT: have == want,
        Match.NONZERO: have != 0 or have == want,
        Match.AT_LEAST: have >= want,
        Match.HAS_BITS: all(have >> bit & 1 for bit in range(32) if want >> bit & 1),
    }
    assert Desired(Value(kind, want), match).accepts(Value(kind, have)) is right[match]


@given(NUMBERS, NUMBERS)
def test_bits_that_are_set_stay_set(want: int, have: int) -> None:
    desired = Desired(dword(want), Match.HAS_BITS)
    assert desired.to_write(dword(have)) == dword(want | have)
    assert desired.to_write(ABSENT) == dword(want)
    assert desired.to_write(Value(Type.REG_SZ, "0xA00")) == dword(want)
    assert desired.to_write(Value(Type.REG_QWORD, have)) == dword(want)


@given(WISHES, ANY)
def test_only_bits_depend_on_what_is_there(desired: Desired, actual: Value) -> None:
    if desired.match is not Match.HAS_BITS:
        assert desired.to_write(actual) == desired.value


def test_booleans_of_protocols() -> None:
    on, strict = Desired(dword(1), Match.NONZERO), Desired(dword(1))
    assert [number for number in (0, 1, 2, F) if on.accepts(dword(number))] == [1, 2, F]
    assert [number for number in (0, 1, 2, F) if strict.accepts(dword(number))] == [1]
    for wrong in (Value(Type.REG_SZ, "1"), Value(Type.REG_QWORD, 1), Value(Type.REG_BINARY, (1,)), Value(Type.OTHER)):
        assert not on.accepts(wrong)
        assert not strict.accepts(wrong)


# --- cipher suites ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "suites"),
    [
        (Value(Type.REG_SZ, "TLS_A,TLS_B"), ("TLS_A", "TLS_B")),
        (Value(Type.REG_SZ, " TLS_A , tls_b,,"), ("TLS_A", "TLS_B")),
        (Value(Type.REG_SZ, ""), ()),
        (Value(Type.REG_MULTI_SZ, ("TLS_A", "TLS_B")), ("TLS_A", "TLS_B")),
        # what Microsoft's page of 2025 writes: a list that holds one text
        (Value(Type.REG_MULTI_SZ, ("TLS_A,TLS_B",)), ("TLS_A", "TLS_B")),
        (Value(Type.REG_MULTI_SZ, ()), ()),
        (dword(1), ()),
        (Value(Type.REG_BINARY, (84, 76)), ()),
        (Value(Type.OTHER), ()),
        (ABSENT, ()),
    ],
)
def test_suites_of(value: Value, suites: tuple[str, ...]) -> None:
    assert suites_of(value) == suites


@given(st.lists(st.sampled_from(["TLS_A", "TLS_B", "TLS_C"]), unique=True))
def test_the_order_of_suites_matters_and_their_form_does_not(names: list[str]) -> None:
    forms = [Value(Type.REG_SZ, ",".join(names)), Value(Type.REG_MULTI_SZ, tuple(names))]
    for wanted in (Value(Type.REG_SZ, "TLS_A,TLS_B"), Value(Type.REG_MULTI_SZ, ("TLS_A", "TLS_B"))):
        for form in forms:
            assert Desired(wanted, Match.SUITES).accepts(form) is (names == ["TLS_A", "TLS_B"])


# --- where a rule applies --------------------------------------------------------------------------------------------


def test_everywhere() -> None:
    assert EVERYWHERE.reason_not(7601, None) is None
    assert EVERYWHERE.reason_not(99999, (15, 2, 1, 1)) is None
    assert not EVERYWHERE.needs_exchange


@pytest.mark.parametrize(
    ("build", "applies"), [(7599, False), (7600, True), (7601, True), (9200, True), (9201, False), (9600, False)]
)
def test_windows(build: int, applies: bool) -> None:
    limits = Applies(min_build=7600, max_build=9200)
    assert (limits.reason_not(build, None) is None) is applies
    assert not limits.needs_exchange


@pytest.mark.parametrize(
    ("exchange", "reason"),
    [
        (None, "it is for Exchange 15.2.1748.10 and later, and no Exchange was found"),
        ((15, 1, 2507, 6), "it is for Exchange 15.2.1748.10 and later, and this is 15.1.2507.6"),
        ((15, 2, 1748, 9), "it is for Exchange 15.2.1748.10 and later, and this is 15.2.1748.9"),
        ((15, 2, 1748, 10), None),
        ((15, 2, 2562, 17), None),
        ((16, 0, 0, 0), None),
    ],
)
def test_exchange(exchange: tuple[int, ...] | None, reason: str | None) -> None:
    limits = Applies(exchange=(15, 2, 1748, 10))
    assert limits.needs_exchange
    assert limits.reason_not(20348, exchange) == reason


def test_windows_and_exchange() -> None:
    limits = Applies(min_build=20348, exchange=(15, 2, 1748, 10))
    assert limits.reason_not(17763, (15, 2, 1748, 10)) == "it is for Windows build 20348 and later"
    assert "no Exchange was found" in str(limits.reason_not(20348, None))
    assert limits.reason_not(20348, (15, 2, 1748, 10)) is None


# --- rules and policies ----------------------------------------------------------------------------------------------

RULE = Rule("a", "A", "low", Setting("K", "v"), Desired(dword(1)), "source", "why")


def test_the_type_to_read_first() -> None:
    assert RULE.kind is Type.REG_DWORD
    listed = dataclasses.replace(RULE, desired=Desired(Value(Type.REG_MULTI_SZ, ("x",))))
    assert listed.kind is Type.REG_MULTI_SZ
    assert dataclasses.replace(RULE, desired=Desired(ABSENT)).kind is Type.REG_DWORD


def test_policy() -> None:
    tls = dataclasses.replace(RULE, setting=Setting("K", "w"), protocol="TLS 1.2")
    policy = Policy((RULE, tls))
    assert policy.protocols == {"TLS 1.2"}
    assert not policy.needs_exchange
    assert Policy((dataclasses.replace(RULE, applies=Applies(exchange=(15,))),)).needs_exchange
    assert Policy(()).protocols == frozenset()
