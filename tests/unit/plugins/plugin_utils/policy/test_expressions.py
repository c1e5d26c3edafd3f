# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions over findings: mistakes are found before there is a finding, and nothing breaks on one."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError, OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import expressions
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.expressions import Expression
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.findings import Finding, Status
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import Effective
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword
from hypothesis import given
from hypothesis import strategies as st

TLS = Finding(
    id="tls_1_0.server.enabled",
    title="TLS 1.0 (Server): disabled",
    severity="medium",
    status=Status.NONCOMPLIANT,
    message="TLS 1.0 Server Enabled is REG_DWORD 1.",
    why="Why.",
    source="Microsoft",
    setting=Setting("K", "Enabled"),
    protocol="TLS 1.0",
    side="Server",
    expected=dword(0),
    actual=dword(1),
    effective=Effective.ENABLED,
    write=dword(0),
)
# about a key: most of what a finding can say is null
KEY = Finding("stray", "A stray", "low", Status.NOT_APPLICABLE, "M", "W", "S", Setting("K", ""))
TEXT = Finding(
    "suites", "T", "low", Status.COMPLIANT, "M", "W", "S", Setting("K", "F"), actual=Value(Type.REG_SZ, "TLS_A")
)
LIST = Finding(
    "list", "T", "low", Status.COMPLIANT, "M", "W", "S", Setting("K", "F"), actual=Value(Type.REG_MULTI_SZ, ("TLS_A",))
)
GONE = Finding("gone", "T", "low", Status.NOT_CONFIGURED, "M", "W", "S", Setting("K", "F"), actual=ABSENT)
ALL = (TLS, KEY, TEXT, LIST, GONE)


def matching(text: str) -> set[str]:
    expression = Expression(text, "fail_on")
    return {finding.id for finding in ALL if expression.matches(finding.as_result())}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("protocol == 'TLS 1.0' && side == 'Server'", {TLS.id}),
        ("severity == 'low'", {KEY.id, TEXT.id, LIST.id, GONE.id}),
        ("status == 'noncompliant' || status == 'not_configured'", {TLS.id, GONE.id}),
        ("effective == 'enabled'", {TLS.id}),
        ("actual.data == `1`", {TLS.id}),
        ("actual.data > `0`", {TLS.id}),
        ("actual && !(actual.present)", {GONE.id}),
        ("actual.data > `0` || side == 'Server'", {TLS.id}),
        ("!(actual.data > `0`)", {KEY.id, TEXT.id, LIST.id, GONE.id}),
        ("would_write", {TLS.id}),
        ("would_write.[type, data] == ['REG_DWORD', `0`]", {TLS.id}),
        ("actual.data[0] == 'TLS_A'", {LIST.id}),
        ("actual.data[?@ == 'TLS_A']", {LIST.id}),
        ("@.protocol", {TLS.id}),
        ("@ | side", {TLS.id}),
        ("{p: protocol, s: side} == {p: 'TLS 1.0', s: 'Server'}", {TLS.id}),
        ("contains(['TLS 1.0', 'TLS 1.1'], protocol)", {TLS.id}),
        ('contains(`["medium", "high"]`, severity)', {TLS.id}),
        ("not_null(protocol, side)", {TLS.id}),
        ("actual.* | [0]", {TLS.id, TEXT.id, LIST.id}),
        ("length(id) > `10`", {TLS.id}),
        ("\"protocol\" == 'TLS 1.0'", {TLS.id}),
        ("`false`", set()),
        ("value", {TLS.id, TEXT.id, LIST.id, GONE.id}),
    ],
)
def test_matches(text: str, ids: set[str]) -> None:
    assert matching(text) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("starts_with(protocol, 'TLS')", {TLS.id}),
        ("starts_with(actual.data, 'TLS')", {TEXT.id}),
        ("contains(actual.data, 'TLS_A')", {TEXT.id, LIST.id}),
        ("length(actual.data) == `1`", {LIST.id}),
        ("abs(actual.data) == `1`", {TLS.id}),
        # what cannot be told is null, and what is around it goes on
        ("!starts_with(protocol, 'TLS')", {KEY.id, TEXT.id, LIST.id, GONE.id}),
        ("starts_with(protocol, 'TLS') || id == 'stray'", {TLS.id, KEY.id}),
        ("ends_with(value, 'Enabled') && protocol == 'TLS 1.0'", {TLS.id}),
        ("floor(to_number('1e999')) || side == 'Server'", {TLS.id}),
        ("floor(to_number('nan')) || side == 'Server'", {TLS.id}),
        # JMESPath for Python checks the first argument of these only, or none
        ("merge(actual, expected) && side == 'Server'", {TLS.id}),
        ("merge(actual, expected).data == `0`", {TLS.id}),
        ("merge(actual, id) || side == 'Server'", {TLS.id}),
        ("merge(actual, `[1]`) || side == 'Server'", {TLS.id}),
        ("contains(id, `1`) || side == 'Server'", {TLS.id}),
        ("contains(id, status) || contains(id, actual.data) || side == 'Server'", {TLS.id}),
        ("to_array(id)[::0] || side == 'Server'", {TLS.id}),
        ("to_array(id)[99999999999999999999] || side == 'Server'", {TLS.id}),
        ("max(actual.data) || side == 'Server'", {TLS.id, LIST.id}),
        ("sum(`[]`) == `0` && avg(`[]`) || side == 'Server'", {TLS.id}),
    ],
)
def test_functions_of_what_they_do_not_fit(text: str, ids: set[str]) -> None:
    """Half of what a finding can say may be null."""
    assert matching(text) == ids


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not valid JMESPath"),
        ("severity ==", "not valid JMESPath"),
        ("severity = 'high'", "not valid JMESPath"),
        ("severity == 'high", "not valid JMESPath"),
        ("protocol == 'TLS 1.0' and side == 'Client'", "not valid JMESPath"),
        ("((", "not valid JMESPath"),
        # single = in place of ==, and everything that JMESPath takes for null without a word
        ("protocl == 'TLS 1.0'", "unknown key 'protocl' (known are id, title, severity, status, protocol, side"),
        ('status == "noncompliant"', "unknown key 'noncompliant'"),
        ("status == noncompliant", "texts are in single quotes"),
        ("side == 'Client' && stats == 'waived'", "unknown key 'stats'"),
        ("@.protocl", "unknown key 'protocl'"),
        ("@ | protocl", "unknown key 'protocl'"),
        ("[protocl]", "unknown key 'protocl'"),
        ("{a: protocl}", "unknown key 'protocl'"),
        ("!protocl", "unknown key 'protocl'"),
        ("starts_with(protocl, 'x')", "unknown key 'protocl'"),
        ("actual.dat == `1`", "unknown key 'dat' (known are present, type, data)"),
        ("expected.[tpe]", "unknown key 'tpe'"),
        ("protocol.name == 'TLS 1.0'", "unknown key 'name' (there is nothing below it)"),
        # which is (!actual).present
        ("!actual.present", "unknown key 'present' (there is nothing below it)"),
        ("(side == 'Client').x", "unknown key 'x'"),
        ("[?severity == 'high']", "brackets are for lists, and there is none"),
        ("[*].severity", "brackets are for lists"),
        ("[0].severity", "brackets are for lists"),
        ("@[0]", "brackets are for lists"),
        ("protocol[0:3] == 'TLS'", "brackets are for lists"),
        ("protocol[]", "brackets are for lists"),
        ("findings[?severity == 'high']", "unknown key 'findings'"),
        # what JMESPath finds only when it comes by, and && keeps it from coming by
        ("severity == 'high' && starts_wth(id, 'tls')", "unknown function 'starts_wth' (known are abs, avg"),
        ("`false` && starts_wth(id, 'tls')", "unknown function 'starts_wth'"),
        ("side == 'Client' || starts_with(id)", "the function 'starts_with' takes 2 arguments and not 1"),
        ("actual.data[?contains(@)]", "the function 'contains' takes 2 arguments and not 1"),
        ("map(&lower(@), actual.data)", "unknown function 'lower'"),
        ("length(id, side)", "the function 'length' takes 1 arguments and not 2"),
        ("not_null()", "the function 'not_null' takes 1 arguments and not 0"),
        # what fits no finding at all
        ("starts_with(actual, 'x')", "invalid type"),
        ("length(`5`)", "invalid type"),
        ("sort_by(@, &id)", "invalid type"),
        ("contains(actual.present, 'x')", "invalid type"),
    ],
)
def test_mistakes(text: str, words: str) -> None:
    with pytest.raises(OptionError) as caught:
        Expression(text, "fail_on")
    message = caught.value.message
    assert message.startswith(f"The expression {text!r} in 'fail_on' is refused: ")
    assert words in message
    assert message.endswith("for example: protocol == 'TLS 1.0' && side == 'Client'.")
    assert "\n" not in message


def test_all_mistakes_of_an_expression() -> None:
    with pytest.raises(OptionError) as caught:
        Expression("protocl == 'x' && sde == 'y' && low(id)", "waivers")
    for word in ("'protocl'", "'sde'", "'low'", "in 'waivers'"):
        assert word in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        *("(" * 5000, "!" * 5000 + "id", "[" * 5000, "id" + ".id" * 5000),
        *(" || ".join(["id == 'x'"] * 400), "to_array(" * 160 + "id" + ")" * 160),
    ],
)
def test_depth(text: str) -> None:
    """Also what could still be read, but perhaps not be matched deep in the stack of a task."""
    with pytest.raises(OptionError):
        Expression(text, "fail_on")


@pytest.mark.parametrize("digits", [4400, 50_000])
@pytest.mark.parametrize("text", ["id[{}]", "to_array(id)[{}]", "to_array(id)[-{}]", "to_array(id)[:{}]", "{}"])
def test_numbers_that_python_does_not_take(text: str, digits: int) -> None:
    with pytest.raises(OptionError) as caught:
        Expression(text.format("9" * digits), "waivers")
    assert len(caught.value.message) < 2000


def test_many_alternatives() -> None:
    expression = Expression(" || ".join(f"id == 'x{number}'" for number in range(140)), "waivers")
    assert not expression.matches(TLS.as_result())


def test_the_keys_are_those_of_a_finding() -> None:
    assert set(expressions.FINDING) == set(TLS.as_result())
    for name, value in TLS.as_result().items():
        below = expressions.FINDING[name]
        assert set(below or ()) == (set(value) if isinstance(value, dict) else set())


def test_text_of_ansible() -> None:
    """Ansible's own kinds of str are no str to JMESPath's functions, unless they are made one."""

    class Marked(str):
        __slots__ = ()

    assert Expression(Marked("severity == 'medium'"), "fail_on").matches(TLS.as_result())


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "JMESPATH_ERROR", ImportError("No module named 'jmespath'"))
    with pytest.raises(ExchangeTlsError, match="'waivers' needs the Python library jmespath on the controller: No mod"):
        Expression("id", "waivers")


WORDS = """
id protocol side actual actual.data 'TLS' `1` `null` @ data [0] [*] [] ( ) == != < && || ! | . , & {a: } length(
starts_with( contains( type( sort( max( join( to_number( values( keys( merge( map( reverse( floor( to_array( sum( avg(
sort_by( min_by( &id &@ [::0] [1:] `[]` `{}` `"a"` expected would_write.data
"""
TOKENS = st.sampled_from(WORDS.split())


@given(st.one_of(st.lists(TOKENS, max_size=8).map(" ".join), st.text(max_size=20)))
def test_an_expression_is_refused_or_works(text: str) -> None:
    try:
        expression = Expression(text, "fail_on")
    except OptionError:
        return
    for finding in ALL:
        found: Any = expression.matches(finding.as_result())
        assert found is True or found is False
