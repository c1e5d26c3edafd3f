# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the option to rules, with every mistake named and guessed at."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _policy
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._registry import ABSENT, Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel import PROTOCOLS
from hypothesis import given
from hypothesis import strategies as st

F = 0xFFFFFFFF


def wanted(options: dict[Any, Any]) -> dict[str, Value]:
    """Rule id -> value."""
    return {rule.id: rule.desired.value for rule in _policy.from_options(options).rules}


def problems(options: dict[Any, Any]) -> str:
    with pytest.raises(OptionError) as caught:
        _policy.from_options(options)
    return caught.value.message


def test_the_default() -> None:
    policy = _policy.from_options({"TLS 1.2": "enabled"})
    assert [(rule.id, rule.desired.value) for rule in policy.rules] == [
        ("tls_1_2.client.enabled", dword(1)),
        ("tls_1_2.client.disabledbydefault", dword(0)),
        ("tls_1_2.server.enabled", dword(1)),
        ("tls_1_2.server.disabledbydefault", dword(0)),
    ]
    assert policy.protocols == {"TLS 1.2"}
    first = policy.rules[0]
    assert first.setting.key.endswith(r"SCHANNEL\Protocols\TLS 1.2\Client")
    assert (first.severity, first.state, first.title) == ("high", "enabled", "TLS 1.2 enabled (Client): Enabled")
    assert "Exchange Online" in first.why


def test_states() -> None:
    assert list(wanted({"TLS 1.0": "disabled"}).values()) == [dword(0), dword(1)] * 2
    assert list(wanted({"TLS 1.0": "default"}).values()) == [ABSENT] * 4
    assert list(wanted({"TLS 1.3": "enabled"}).values()) == [dword(1), dword(0)] * 2


def test_sides() -> None:
    options = {"TLS 1.2": {"Client": "enabled"}, "TLS 1.0": {"Server": "disabled", "Client": "unmanaged"}}
    assert set(wanted(options)) == {
        "tls_1_2.client.enabled",
        "tls_1_2.client.disabledbydefault",
        "tls_1_0.server.enabled",
        "tls_1_0.server.disabledbydefault",
    }


def test_unmanaged_beside_something() -> None:
    policy = _policy.from_options({"TLS 1.2": "enabled", "TLS 1.1": "unmanaged"})
    assert policy.protocols == {"TLS 1.2"}


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
    ],
)
def test_protocols_that_are_nearly_right(name: str, meant: str) -> None:
    message = problems({name: "enabled"})
    assert f"unknown protocol '{name}' (did you mean '{meant}'?)" in message
    assert "allowed: SSL 2.0, SSL 3.0, TLS 1.0, TLS 1.1, TLS 1.2, TLS 1.3" in message


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
    for options in ({"TLS 1.2": state}, {"TLS 1.2": {"Client": state}}):
        assert "TLS 1.2: write 'enabled' or 'disabled' instead of a boolean" in problems(options)


@pytest.mark.parametrize("state", [None, 1, "", [], ["enabled"]])
def test_states_that_are_nothing(state: Any) -> None:
    assert "unknown state of TLS 1.2" in problems({"TLS 1.2": state})


def test_sides_that_are_nearly_right() -> None:
    assert "unknown side of TLS 1.2 'Clients' (did you mean 'Client'?)" in problems({"TLS 1.2": {"Clients": "enabled"}})


@pytest.mark.parametrize(
    "options", [{}, {"TLS 1.2": "unmanaged"}, {"TLS 1.2": {}}, {"TLS 1.1": {"Client": "unmanaged"}}]
)
def test_empty(options: dict[str, Any]) -> None:
    message = problems(options)
    assert "The policy is empty" in message
    assert "{TLS 1.2: enabled}" in message


@pytest.mark.parametrize(
    "options", [{"TLS 1.2": "disabled"}, {"tls 1.2": "DISABLED"}, {"TLS 1.2": {"Server": "disabled"}}]
)
def test_tls_12_stays(options: dict[str, Any]) -> None:
    message = problems(options)
    assert "TLS 1.2 cannot be disabled on the Server side: Exchange SMTP has no TLS 1.3" in message


def test_all_problems_at_once() -> None:
    message = problems(
        {
            "TLS 1,2": "enabled",
            "TLS 1.0": "off",
            "TLS 1.1": True,
            "TLS 1.2": {"Client": "disabled", "Srv": "on"},
            "TLS 1.3": {"Server": "enable"},
        }
    )
    for part in (
        "'TLS 1,2'",
        "state of TLS 1.0 'off'",
        "TLS 1.1: write",
        "disabled on the Client side",
        "side of TLS 1.2 'Srv'",
        "state of TLS 1.2 'on'",
        "state of TLS 1.3 'enable'",
    ):
        assert part in message
    assert message.startswith("Bad policy in 'protocols': ")


def test_named_twice() -> None:
    """Two rules for one setting could not both be followed."""
    assert "TLS 1.2 is named twice" in problems({"TLS 1.2": "enabled", "tls 1.2": "default"})
    assert "the Client side of TLS 1.0 is named twice" in problems(
        {"TLS 1.0": {"Client": "disabled", "client": "enabled"}}
    )


@pytest.mark.parametrize(
    ("state", "name", "accepted", "refused"),
    [
        ("enabled", "Enabled", [1, 5, F], [0]),
        ("enabled", "DisabledByDefault", [0], [1, F]),
        ("disabled", "Enabled", [0], [1, F]),
        ("disabled", "DisabledByDefault", [1, 2, F], [0]),
        ("default", "Enabled", [], [0, 1]),
    ],
)
def test_what_counts_as_right(state: str, name: str, accepted: list[int], refused: list[int]) -> None:
    desired = _policy.STATES[state][name]
    assert all(desired.accepts(dword(number)) for number in accepted)
    assert not any(desired.accepts(dword(number)) for number in refused)
    for other in (Value(Type.REG_SZ, "1"), Value(Type.REG_QWORD, 1), Value(Type.REG_QWORD, 0), Value(Type.OTHER)):
        assert not desired.accepts(other)
    assert desired.accepts(ABSENT) is (state == "default")
    assert desired.accepts(desired.value)


WISHES = st.sampled_from(["enabled", "disabled", "default", "unmanaged"])
SIDED = st.dictionaries(st.sampled_from(["Client", "Server"]), WISHES)
RUBBISH = st.one_of(st.text(max_size=8), st.booleans(), st.none(), st.dictionaries(st.text(max_size=6), st.none()))


@given(st.dictionaries(st.sampled_from(PROTOCOLS), st.one_of(WISHES, SIDED)))
def test_every_policy_is_sound_or_refused(options: dict[str, Any]) -> None:
    off = options.get("TLS 1.2")
    if off == "disabled" or (isinstance(off, dict) and "disabled" in off.values()):
        assert "TLS 1.2 cannot be disabled" in problems(options)
        return
    if not any(
        wish and set(wish.values() if isinstance(wish, dict) else [wish]) != {"unmanaged"} for wish in options.values()
    ):
        assert "The policy is empty" in problems(options)
        return
    rules = _policy.from_options(options).rules
    assert len({rule.id for rule in rules}) == len({rule.setting for rule in rules}) == len(rules)


@given(st.dictionaries(st.one_of(st.text(max_size=8), st.integers(), st.none()), RUBBISH))
def test_rubbish_is_refused_in_words(options: dict[Any, Any]) -> None:
    assert problems(options)
