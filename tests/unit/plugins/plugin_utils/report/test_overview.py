# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings at a glance, and as they are today where check mode has predicted a change."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import Policy
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.overview import overview
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.today import today
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS_KEY,
    SIDES,
    VALUE_NAMES,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value, dword
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.laws import examples

from ..change.runs import Run
from ..fakes import FakeWindows
from ..policies import audited, policy, waiver
from ..worlds import BUILDS, POLICIES, VALUES

ON = {"Enabled": dword(1), "DisabledByDefault": dword(0)}
OFF = {"Enabled": dword(0), "DisabledByDefault": dword(1)}
DOTNET4 = r"SOFTWARE\Microsoft\.NETFramework\v4.0.30319"


def glance(
    content: Mapping[str, Mapping[str, Value]], wanted: Policy | None = None, build: int = 17763, **more: Any
) -> dict[str, Any]:
    windows = FakeWindows(content, build=build)
    return overview(audited(windows, wanted or policy(baseline="exchange_tls12"), **more).as_result())


def of_protocol(name: str, values: Mapping[str, Value], *which: str) -> dict[str, Mapping[str, Value]]:
    return {protocol_key(name, side): values for side in which or SIDES}


side_values = st.dictionaries(st.sampled_from(VALUE_NAMES), st.sampled_from([item for item in VALUES if item.present]))


@st.composite
def machines(draw: st.DrawFn) -> FakeWindows:
    content = {
        key: draw(side_values)
        for name in draw(st.sets(st.sampled_from(["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"])))
        for key in of_protocol(name, {})
    }
    return FakeWindows(content, build=draw(st.sampled_from(BUILDS)))


# --- at a glance -----------------------------------------------------------------------------------------------------


def test_a_host_as_windows_made_it() -> None:
    found = glance({})
    assert (found["windows"], found["default"], found["wanted"]) == ("2019", ["Client", "Server"], ["Client", "Server"])
    assert found["protocols"]["TLS 1.2"] == {"Client": "enabled", "Server": "enabled"}
    assert found["dotnet"] is False
    assert found["wrong"] == found["odd"] == []
    assert found["missing"] == [
        "TLS 1.2 Client and Server: Enabled absent, want 1; DisabledByDefault absent, want 0",
        ".NET 4 64 bit and 32 bit: SystemDefaultTlsVersions, SchUseStrongCrypto absent, want 1",
    ]
    assert found["counts"] == {"wrong": 0, "missing": 8, "unknown": 0}


def test_a_host_that_is_wrong() -> None:
    found = glance({**of_protocol("TLS 1.2", OFF, "Server"), **of_protocol("TLS 1.2", ON, "Client")})
    assert found["protocols"]["TLS 1.2"] == {"Client": "enabled", "Server": "disabled"}
    assert found["default"] == []
    assert found["wrong"] == ["TLS 1.2 Server: Enabled 0, want 1; DisabledByDefault 1, want 0"]
    assert found["counts"] == {"wrong": 2, "missing": 4, "unknown": 0}


def test_a_host_as_it_is_wanted() -> None:
    strong = {"SystemDefaultTlsVersions": dword(1), "SchUseStrongCrypto": dword(1)}
    wow = DOTNET4.replace("SOFTWARE", r"SOFTWARE\Wow6432Node")
    found = glance({**of_protocol("TLS 1.2", ON), DOTNET4: strong, wow: strong})
    assert found["dotnet"] is True
    assert found["wrong"] == found["missing"] == []
    assert glance({}, policy({"TLS 1.2": "enabled"}))["dotnet"] is None, "the policy does not ask for it"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Value(Type.REG_SZ, "1"), "Enabled REG_SZ '1', want 1"),
        (Value(Type.REG_MULTI_SZ, ("1", "0")), "Enabled REG_MULTI_SZ ['1', '0'], want 1"),
        (Value(Type.OTHER), "Enabled of a type that WMI cannot read, want 1"),
        (Value(Type.REG_SZ, "\u202e\x9b31m"), "want 1"),
        (Value(Type.REG_SZ, "x" * 100_000), "more characters), want 1"),
    ],
)
def test_values_of_other_types(value: Value, words: str) -> None:
    (line,) = glance(of_protocol("TLS 1.2", {**ON, "Enabled": value}, "Client"))["wrong"]
    assert line.endswith(words)
    assert line.isprintable()
    assert len(line) < 250


def test_values_with_blanks_in_their_names() -> None:
    rule = r"""
id: own
title: T
rules:
  - {id: a, title: "Our own: part one", severity: low, why: W, source: S, version: "1", date: 2026-01-01,
     registry: {key: 'SOFTWARE\Contoso', value: "My A", type: REG_DWORD, data: 1}}
  - {id: b, title: "Our own: part two", severity: low, why: W, source: S, version: "1", date: 2026-01-01,
     registry: {key: 'SOFTWARE\Contoso', value: "My B", type: REG_DWORD, data: 1}}
"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.yml"
        path.write_text(rule)
        assert glance({}, policy(baseline=str(path)))["missing"] == ["Our own: My A, My B absent, want 1"]


def test_strays_are_shown_with_what_was_probably_meant() -> None:
    found = glance({protocol_key("TLS1.2", "Client"): OFF})
    assert found["odd"] != []
    assert all(len(line) < 300 for line in found["odd"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({rf"{PROTOCOLS_KEY}\TLS 1,2": {}}, "TLS 1,2 is no protocol that Windows knows"),
        ({protocol_key("TLS 1.2", "Server") + r"\Sub": {}}, r"TLS 1.2\Server\Sub is a key"),
        ({protocol_key("TLS 1.2", "Client"): {**ON, "увімкнено": dword(1)}}, "is a value that Windows does not look"),
        ({DOTNET4: {"SystemTlsVersions": dword(1)}}, "Probably meant: [SystemDefaultTlsVersions]"),
        ({r"SOFTWARE\Microsoft.NETFramework\v4.0.30319": {"SchUseStrongCrypto": dword(1)}}, ".NET does not look there"),
    ],
)
def test_what_stands_beside_its_place_is_shown_where_nothing_else_says_so(
    content: dict[str, dict[str, Value]], said: str
) -> None:
    (line,) = glance({**of_protocol("TLS 1.2", ON), **content})["odd"]
    assert said in line


def test_what_has_been_said_of_a_place_is_not_said_of_its_parts() -> None:
    found = glance({protocol_key("TLS1.2", "Client"): {**OFF, "Enabeld": dword(1)}})
    assert len(found["odd"]) == 1, found["odd"]
    assert "probably meant for" in found["odd"][0]


def test_of_many_strays_a_few_are_named_and_the_others_counted() -> None:
    found = glance({**of_protocol("TLS 1.2", ON), **{rf"{PROTOCOLS_KEY}\junk {number}": {} for number in range(30)}})
    assert len(found["odd"]) == 6
    assert found["odd"][-1] == "25 more keys and values that Windows ignores"


def test_what_is_waived_is_neither_wrong_nor_missing() -> None:
    found = glance({}, waivers=[waiver("would_write")])
    assert (found["wrong"], found["missing"], found["counts"]) == ([], [], {"wrong": 0, "missing": 0, "unknown": 0})
    assert found["waived"][0].startswith("TLS 1.2 Client and Server: Enabled absent, want 1; Disabled")
    assert all(line.endswith("(it is known)") for line in found["waived"])
    # by default it is on, whatever nobody has configured
    assert (found["dotnet"], found["wanted"], found["odd"]) == (False, [], [])


def test_tls_12_that_is_off_by_a_waiver() -> None:
    content = {**of_protocol("TLS 1.2", OFF, "Client"), **of_protocol("TLS 1.2", ON, "Server")}
    found = glance(content, waivers=[waiver("protocol == 'TLS 1.2'")])
    assert found["odd"] == ["TLS 1.2 Client is not on, and a waiver accepts that"]
    assert found["wanted"] == ["Server"]


@examples(60)
@given(st.data())
def test_a_glance_is_short_and_counts_right(data: st.DataObject) -> None:
    wanted = POLICIES[data.draw(st.sampled_from(sorted(POLICIES)))]
    found = audited(data.draw(machines()), wanted).as_result()
    shown = overview(found)
    assert shown == found["overview"] == json.loads(json.dumps(shown))
    lines = [*shown["wrong"], *shown["missing"], *shown["odd"]]
    assert len(lines) == len(set(lines))
    by_status = [item["status"] for item in found["findings"] if item["would_write"] or item["expected"]]
    assert shown["counts"]["wrong"] == by_status.count("noncompliant")
    assert shown["counts"]["missing"] == by_status.count("not_configured")
    assert bool(shown["wrong"]) is bool(shown["counts"]["wrong"])
    assert bool(shown["missing"]) is bool(shown["counts"]["missing"])
    for side in SIDES:
        assert shown["protocols"]["TLS 1.2"][side] == found["protocols"]["TLS 1.2"][side]["effective"]


# --- today -----------------------------------------------------------------------------------------------------------


def round_tripped(result: Any) -> Any:
    return json.loads(json.dumps(result))


def at_a_glance(result: Mapping[str, Any]) -> dict[str, Any]:
    """Without the lines on oddities: a change may settle them, and they write nothing."""
    return {name: value for name, value in overview(result).items() if name != "odd"}


@examples(60)
@given(st.data())
def test_today_is_what_an_audit_reads(data: st.DataObject) -> None:
    """Check mode predicts; what it says of today is what the same host says when it is asked."""
    wanted = POLICIES[data.draw(st.sampled_from(sorted(POLICIES)))]
    windows = data.draw(machines())
    before = audited(windows, wanted).as_result()
    with tempfile.TemporaryDirectory() as folder:
        predicted = Run(windows, Path(folder), wanted=wanted)(check_mode=True)
    found = today(round_tripped(predicted))
    assert found["protocols"] == round_tripped(before)["protocols"]
    assert at_a_glance(found) == at_a_glance(before)
