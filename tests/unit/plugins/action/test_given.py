# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options as people, inventories and surveys hand them over."""

from __future__ import annotations

import datetime
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailops.exchange_tls.plugins.action import tls_settings
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _given
from hypothesis import given
from hypothesis import strategies as st

SPEC = tls_settings.ARGUMENT_SPEC
LISTS = [name for name, spec in SPEC.items() if spec["type"] == "list"]
WAIVER = {"match": "id == 'x'", "reason": "known, since 2019", "expires": "2027-03-31"}


def taken(**values: Any) -> dict[str, Any]:
    """The options as the module gets them; nothing may be wrong with them."""
    found, problems = _given.options(values, SPEC)
    validated = ArgumentSpecValidator(SPEC).validate(found)
    assert (problems, validated.error_messages) == ([], [])
    return {name: validated.validated_parameters[name] for name in values}


def refused(**values: Any) -> str:
    """What is wrong, in one text; it must be short, whatever was given."""
    found, problems = _given.options(values, SPEC)
    validated = ArgumentSpecValidator(SPEC).validate(found)
    text = "; ".join([*problems, *_given.explained([str(error) for error in validated.errors], found)])
    assert 0 < len(text) < 700
    return text


# --- blanks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", [None, "", " ", "\t", "\r\n"])
@pytest.mark.parametrize("name", sorted(SPEC))
def test_a_blank_is_the_default(name: str, blank: Any) -> None:
    """Empty answers of a survey are a blank text, or null on newer versions of ansible-core."""
    assert _given.options({name: blank}, SPEC) == ({}, [])


@pytest.mark.parametrize("null", ["~", "null", " ~ "])
@pytest.mark.parametrize("name", ["protocols", "dotnet", "prove", *LISTS])
def test_the_null_of_yaml_is_the_default(name: str, null: str) -> None:
    assert _given.options({name: null}, SPEC) == ({}, [])


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_blanks_within_options(blank: Any) -> None:
    default = {"endpoints": ["smtp", "https"], "server_name": None, "timeout": 10, "handshakes": "when_reachable"}
    assert taken(prove=dict.fromkeys(SPEC["prove"]["options"], blank))["prove"] == {**default, "patience": 120}
    assert taken(waivers=[{**WAIVER, "expires": blank}])["waivers"] == [{**WAIVER, "expires": None}]
    assert "'waivers.reason' is missing" in refused(waivers=[{**WAIVER, "reason": blank}])


@pytest.mark.parametrize("nest", [["a"], [], {"a": 1}, {}, [["a"]], ("a",)])
@pytest.mark.parametrize("name", ["backup_dir", "wire_log", "baseline", "fail_on"])
def test_a_list_or_a_mapping_is_no_text(name: str, nest: Any) -> None:
    """ansible-core makes one of it, and a folder with brackets in its name comes of that."""
    assert refused(**{name: nest}) == f"'{name}' is {nest!r}, but it takes text"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"prove": {"server_name": ["a"]}}, "'prove.server_name' is ['a'], but it takes text"),
        ({"restart": {"before": {"a": 1}}}, "'restart.before' is {'a': 1}, but it takes text"),
        ({"cipher_suites": ["TLS_A", {"a": 1}]}, "'cipher_suites' takes text, but number 2 of its list is {'a': 1}"),
        ({"accepted_peers": [["192.0.2.7"]]}, "'accepted_peers' takes text, but number 1 of its list is ['192.0.2.7']"),
        ({"accepted_peers": "[{a: 1}]"}, "'accepted_peers' takes text, but number 1 of its list is {'a': '1'}"),
        # what is right is told where there are choices
        ({"winhttp": ["tls12"]}, "'winhttp' is ['tls12'], and must be one of tls12, tls12_only, default, unmanaged"),
    ],
)
def test_text_within_options_and_lists(values: dict[str, Any], told: str) -> None:
    assert refused(**values) == told


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("protocols", "{TLS 1.0: disabled}"),
        ("dotnet", "{v4: ...}"),
        ("prove", "{endpoints: ...}"),
        ("restart", "{when: ...}"),
    ],
)
def test_an_example_is_one_of_the_option(name: str, example: str) -> None:
    told = refused(**{name: "yes"})
    assert told == f"'{name}' is text that is no mapping. Write JSON or YAML, such as {example}"


def test_other_scalars_are_texts() -> None:
    """As YAML and surveys make them of what was typed."""
    assert taken(backup_dir=2026, wire_log=True, accepted_peers=[1, 2.5, True])["backup_dir"] == "2026"


def test_what_is_no_blank() -> None:
    assert taken(dh_min_key_length=0, undo_on_failure=False, protocols={}, cipher_suites=[]) == {
        "dh_min_key_length": 0,
        "undo_on_failure": False,
        "protocols": {},
        "cipher_suites": [],
    }
    assert taken(prove={"endpoints": "[]"})["prove"]["endpoints"] == []


def test_blanks_around_a_word() -> None:
    assert taken(winhttp=" tls12 ", backup_dir=" backups\n", undo_on_failure=" no ") == {
        "winhttp": "tls12",
        "backup_dir": "backups",
        "undo_on_failure": False,
    }


# --- mappings and lists as text --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"TLS 1.0": "disabled", "TLS 1.1": {"Client": "default"}}',
        "{TLS 1.0: disabled, TLS 1.1: {Client: default}}",
        "TLS 1.0: disabled\nTLS 1.1:\n  Client: default\n",
        "TLS 1.0: disabled\r\nTLS 1.1:\r\n  Client: default\r\n",
        "---\nTLS 1.0: disabled # since 2024\nTLS 1.1: {Client: default}",
    ],
)
def test_mappings(text: str) -> None:
    assert taken(protocols=text)["protocols"] == {"TLS 1.0": "disabled", "TLS 1.1": {"Client": "default"}}


def test_words_of_a_text_stay_what_they_are() -> None:
    """Nothing is guessed: 010 is no 8, off is no boolean, and a date is a date in any version of ansible-core."""
    assert taken(ciphers="{1: off, 010: 2027-03-31, 0x10: 1.10}")["ciphers"] == {
        "1": "off",
        "010": "2027-03-31",
        "0x10": "1.10",
    }
    assert taken(prove="{timeout: 5, patience: 0}")["prove"]["timeout"] == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("disabled", "'protocols' is text that is no mapping. Write JSON or YAML"),
        ("[TLS 1.0]", "is text that is no mapping"),
        ("{TLS 1.0: disabled", "neither JSON nor YAML in line 1"),
        ("a: b\nc: d: e", "neither JSON nor YAML in line 2"),
        ("a: b\n---\nc: d", "neither JSON nor YAML in line 2"),
        ("? [a]\n: b", "found unhashable key"),
        ("? {a: b}\n: c", "found unhashable key"),
        ("a: \x9b31m", "the character U+009B is not allowed"),
        ("a: \x00", "the character U+0000 is not allowed"),
        ("TLS 1.0=disabled", "'protocols' is 'TLS 1.0=disabled', but it takes a mapping"),
        ("!!python/object/apply:os.system ['x']", "could not determine a constructor"),
    ],
)
def test_mappings_that_are_none(text: str, words: str) -> None:
    assert words in refused(protocols=text)


@pytest.mark.parametrize("name", ["dotnet", "protocols", "prove", "restart"])
@pytest.mark.parametrize("value", [True, False, 7, 1.5, [], ["a"], [{}], datetime.date(2026, 1, 31)])
def test_values_that_are_no_mapping(name: str, value: Any) -> None:
    """Such as what YAML makes of a no; ansible-core would stumble over it, without a word about which one it is."""
    assert refused(**{name: value}) == f"'{name}' is {value!r}, but it takes a mapping"


def test_names_and_values_with_an_equals_sign() -> None:
    assert taken(dotnet="v4=strong")["dotnet"] == {"v4": "strong", "v2": None}
    text = "TLS 1.0=disabled, TLS 1.1: x"
    assert taken(protocols=text)["protocols"] == {"TLS 1.0=disabled, TLS 1.1": "x"}, "the policy knows no such name"


@pytest.mark.parametrize(
    "text", ["a, b", "a,b,", "a\nb", "a\r\nb\r\n", "a,\n b", '["a", "b"]', "[a, b]", "- a\n- b", "---\n- a\n- b\n"]
)
def test_lists(text: str) -> None:
    assert taken(cipher_suites=text)["cipher_suites"] == ["a", "b"]
    assert taken(prove={"endpoints": text})["prove"]["endpoints"] == ["a", "b"]


@pytest.mark.parametrize("text", ["-a", "exchange", "!ex01", "*", "ex[01:05]"])
def test_a_word_is_a_list_of_one(text: str) -> None:
    assert taken(cipher_suites=text)["cipher_suites"] == [text]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[a", "neither JSON nor YAML in line 1"),
        ("--- a", "is text that is no list"),
        ("---\na: b", "is text that is no list"),
        (", ,", "is text that names nothing"),
    ],
)
def test_lists_that_are_none(text: str, words: str) -> None:
    assert words in refused(cipher_suites=text)


@pytest.mark.parametrize(
    "given_as",
    [
        [WAIVER],
        json.dumps([WAIVER]),
        json.dumps(WAIVER),
        [{**WAIVER, "expires": datetime.date(2027, 3, 31)}],
        [{**WAIVER, "expires": datetime.datetime(2027, 3, 31, tzinfo=datetime.timezone.utc)}],
        "- match: id == 'x'\n  reason: known, since 2019\n  expires: 2027-03-31",
        "- match: id == 'x'\r\n  reason: known, since 2019\r\n  expires: 2027-03-31\r\n",
        "\n  - match: id == 'x'\n    reason: known, since 2019\n    expires: 2027-03-31\n",
        "# of the scanner\n- match: id == 'x'\n  reason: known, since 2019\n  expires: '2027-03-31'",
        "match: id == 'x'\nreason: known, since 2019\nexpires: 2027-03-31",
    ],
)
def test_waivers(given_as: Any) -> None:
    assert taken(waivers=given_as)["waivers"] == [WAIVER]


@pytest.mark.parametrize(
    ("given_as", "words"),
    [
        ("known", "'waivers' is no list of mappings. Write JSON or YAML"),
        ([WAIVER, "known"], "'waivers' takes mappings, but number 2 of its list is 'known'"),
        ([None], "number 1 of its list is None"),
        ("- known", "number 1 of its list is 'known'"),
        (5, "'waivers' is no list of mappings"),
        ([{"match": "x"}], "'waivers.reason' is missing"),
        ([{}], "'waivers.match' and 'waivers.reason' are missing"),
        ("{}", "'waivers.match' and 'waivers.reason' are missing"),
    ],
)
def test_waivers_that_are_none(given_as: Any, words: str) -> None:
    text = refused(waivers=given_as)
    assert words in text
    assert text.count(words) == 1, "once is enough"


# --- numbers and booleans --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [True, False])
@pytest.mark.parametrize(("option", "inner"), [("prove", "timeout"), ("prove", "patience"), ("restart", "timeout")])
def test_a_boolean_is_no_number(option: str, inner: str, wrong: bool) -> None:
    """The answer 'yes' is a boolean on newer versions of ansible-core, which to Python is the number 1."""
    assert f"'{option}.{inner}' is {str(wrong).lower()}, but it is a number" in refused(**{option: {inner: wrong}})
    assert "'dh_min_key_length' is" in refused(dh_min_key_length=wrong)


HUGE = 10**5000


@pytest.mark.parametrize(
    "values",
    [
        {"dh_min_key_length": "9" * 4400},
        {"dh_min_key_length": HUGE},
        {"prove": {"timeout": "9" * 400}},
        {"prove": {"timeout": HUGE}},
        {"prove": {"patience": HUGE}},
        {"ciphers": {"AES 128/128": HUGE}},
        {"ciphers": {HUGE: "enabled"}},
        {"protocols": {"TLS 1.2": {"Client": [HUGE]}}},
        {"winhttp": HUGE},
        {"cipher_suites": [HUGE]},
        {"waivers": [{**WAIVER, "reason": HUGE}]},
    ],
)
def test_numbers_without_end(values: dict[str, Any]) -> None:
    """Python refuses to show them."""
    assert "number" in refused(**values)


@pytest.mark.parametrize("text", ["{a: " + "9" * 5000 + "}", "{a: 0x" + "f" * 5000 + "}", "{a: 2027-13-31}"])
def test_numbers_and_dates_of_a_text_are_text(text: str) -> None:
    assert taken(protocols=text)["protocols"] == {"a": text[4:-1]}


INFINITE = (float("inf"), float("-inf"), float("nan"), "inf", "-Infinity", "NaN", "1e999999", "1e9", 1e300)


@pytest.mark.parametrize("wrong", INFINITE)
def test_whole_numbers(wrong: Any) -> None:
    """What ansible-core raises OverflowError for, or needs minutes to work out."""
    for values in ({"dh_min_key_length": wrong}, {"restart": {"timeout": wrong}}, {"prove": {"patience": wrong}}):
        text = refused(**values)
        assert "but it takes a whole number" in text or "too large" in text
    assert taken(dh_min_key_length=" 2048 ") == taken(dh_min_key_length="2048.0") == {"dh_min_key_length": 2048}
    assert taken(restart={"timeout": 60.0})["restart"]["timeout"] == 60
    assert taken(dh_min_key_length="2_048.")["dh_min_key_length"] == 2048


def test_a_number_is_a_word_where_a_word_is_wanted() -> None:
    assert taken(baseline=12, waivers=[{**WAIVER, "reason": 8}])["waivers"][0]["reason"] == "8"
    assert "'winhttp' is 8, and must be one of tls12, tls12_only" in refused(winhttp=8)
    assert "'dotnet.v4' is True, and must be one of strong, default" in refused(dotnet={"v4": True})


@pytest.mark.parametrize("wrong", [12, 1.5, True, "perhaps"])
def test_wrong_types(wrong: Any) -> None:
    assert "'protocols' " in refused(protocols=wrong)
    assert "'dh_min_key_length' is" in refused(dh_min_key_length=wrong if wrong != 12 else 1.2)
    assert "'undo_on_failure' is 'perhaps', but it takes true or false" in refused(undo_on_failure="perhaps")


# --- what is meant to hurt -------------------------------------------------------------------------------------------

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGED = "a: &a {x: 1, y: 2}\n" + "".join(
    f"{new}: &{new} {{<<: [{','.join([f'*{old}'] * 9)}]}}\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("text", [BOMB, MERGED, "x: &a [*a]", "&a {x: *a}"])
@pytest.mark.parametrize("option", ["protocols", "dotnet", "waivers", "prove"])
def test_a_text_that_would_fill_the_memory(option: str, text: str) -> None:
    tracemalloc.start()
    try:
        assert "an alias is not taken here" in refused(**{option: text})
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text", ["[" * 20_000, "{" * 20_000, "[" * 3000 + "]" * 3000, "[" * 60 + "]" * 60, "{a: " * 3000]
)
@pytest.mark.parametrize("option", ["protocols", "waivers", "cipher_suites"])
def test_a_text_that_is_nested_without_end(option: str, text: str) -> None:
    if option != "cipher_suites" or text.startswith("["):
        assert "nested too deeply" in refused(**{option: text})


@pytest.mark.parametrize("option", ["protocols", "waivers", "cipher_suites", "backup_dir"])
@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_a_value_that_is_nested_without_end(option: str, wrap: Callable[[Any], Any]) -> None:
    value: Any = {}
    for dummy in range(3000):
        value = wrap(value)
    assert refused(**{option: value}) == f"'{option}' is nested too deeply"


def test_what_is_long_or_invisible_is_shown_shortly() -> None:
    assert "<U+202E>" in refused(waivers=["\u202e" + "x" * 100_000]) or "\\u202e" in refused(waivers=["\u202e"])
    assert refused(winhttp="\u202e\x1b[31m").isprintable()
    assert refused(backup_dir={"a\x1b": "b" * 100_000}, undo_on_failure="\x1b" * 5000).isprintable()


# --- laws ------------------------------------------------------------------------------------------------------------

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.text()
    | st.from_regex(r"[\[{\-&*!#\"', :a\n0-9~|>?]{0,12}", fullmatch=True),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(SPEC)), anything))
def test_whatever_is_given_is_taken_or_refused_in_words(values: dict[str, Any]) -> None:
    found, problems = _given.options(values, SPEC)
    assert set(found) <= set(values)
    for problem in problems:
        assert any(problem.startswith(f"'{name}") for name in values)
        assert len(problem) < 500
    for name, value in values.items():
        if _given.is_blank(value):
            assert name not in found


words = st.text(st.characters(categories=("L", "Nd")), min_size=1)


@given(st.dictionaries(words, words | st.dictionaries(words, words)), st.sampled_from(["json", "native"]))
def test_text_means_what_the_mapping_means(mapping: dict[str, Any], how: str) -> None:
    given_as = json.dumps(mapping) if how == "json" else mapping
    assert taken(protocols=given_as)["protocols"] == mapping


@given(st.lists(words, min_size=1), st.sampled_from([",", ", ", "\n", "\r\n", " ,\n"]))
def test_items_by_commas_and_lines(items: list[str], parted: str) -> None:
    if items not in (["null"],):
        assert taken(cipher_suites=parted.join(items))["cipher_suites"] == items
        assert taken(cipher_suites=json.dumps(items))["cipher_suites"] == items


# --- options with another name ---------------------------------------------------------------------------------------

RENAMED = {"paths": {"type": "list", "elements": "path", "aliases": ["path"]}, "days": {"type": "int"}}


@pytest.mark.parametrize("name", ["paths", "path"])
def test_another_name(name: str) -> None:
    """It is read as the option is."""
    assert _given.options({name: "a, b", "days": " "}, RENAMED) == ({"paths": ["a", "b"]}, [])


def test_both_names() -> None:
    found, problems = _given.options({"path": ["a"], "paths": ["b"]}, RENAMED)
    assert problems == ["'paths' is given twice, also by its other name"]
    assert found == {"paths": ["a"]}


def test_a_blank_beside_the_other_name() -> None:
    assert _given.options({"path": "a", "paths": ""}, RENAMED) == ({"paths": ["a"]}, [])
