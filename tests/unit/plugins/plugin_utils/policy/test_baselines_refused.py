# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Baselines of users: every mistake is told with its line, and no file can do more than be refused."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import baselines

from .test_baselines import HEAD, SCHANNEL, about, registry, text


@pytest.fixture(name="refusal")
def _refusal(tmp_path: Path) -> Any:
    def refusal(content: str | bytes) -> str:
        path = tmp_path / "own.yml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(OptionError) as caught:
            baselines.load(str(path))
        start = f"The baseline '{path}' is refused: "
        assert caught.value.message.startswith(start)
        assert caught.value.message.endswith(".")
        assert "\n" not in caught.value.message
        return caught.value.message.removeprefix(start)

    return refusal


# A rule begins in line 4 with its id; title 5, severity 6, why 7, source 8, version 9, date 10, what it is about 11
MISTAKES: dict[str, tuple[str, int, str]] = {
    "empty": ("", 1, "it is empty"),
    "a comment": ("# nothing\n", 1, "it is empty"),
    "a text": ("baseline", 1, "a mapping is expected here"),
    "a list": ("- a\n- b\n", 1, "a mapping is expected here"),
    "not YAML": ("id: own\ntitle: 'Own\nrules: []\n", 4, "it is not YAML: found unexpected end of stream"),
    "a tab": ("id: own\n\ttitle: Own\n", 2, "it is not YAML: found character '\\t' that cannot start any token"),
    "two documents": ("id: own\n---\nid: own\n", 2, "it is not YAML: but found another document"),
    "an unknown alias": (HEAD + "  - *rule\n", 4, "it is not YAML: found undefined alias 'rule'"),
    "a control character": ("id: own\ntitle: \x07\n", 2, "the character '\\x07' is not allowed in YAML"),
    "no rules": ("id: own\ntitle: Own\n", 1, "missing: rules"),
    "nothing but rules": ("rules: []\n", 1, "missing: id, title"),
    "an empty list": (HEAD.replace("rules:", "rules: []"), 3, "'rules' must be a list with at least one rule"),
    "rules that are null": (HEAD, 3, "'rules' must be a list with at least one rule"),
    "a mapping of rules": (HEAD + "  a: {}\n", 4, "'rules' must be a list with at least one rule"),
    "a rule that is a text": (HEAD + "  - a\n", 4, "a mapping is expected here"),
    "an unknown key at the top": (f"name: x\n{text({})}", 1, "unknown key 'name'; known are id, rules, title"),
    "a key that is a list": ("[a]: 1\n", 1, "a text is expected here"),
    "a title twice": (f"title: x\n{text({})}", 3, "'title' is given twice"),
    "an empty id at the top": (text({}).replace("own", "''", 1), 1, "a text is expected here"),
    "an unknown key": (text({"sate": "x"}), 13, "unknown key 'sate'; known are"),
    "a key twice": (text({}) + "    id: b\n", 13, "'id' is given twice"),
    "a merge key": (text({"<<": "{}"}), 13, "unknown key '<<'"),
    **{
        f"no {key}": (text({key: None}), 4, f"missing: {key}")
        for key in ("title", "severity", "why", "source", "version", "date")
    },
    "two things missing": (text({"why": None, "date": None}), 4, "missing: date, why"),
    "an empty text": (text({"why": ""}), 7, "a text is expected here"),
    "a text that is a list": (text({"why": "[a, b]"}), 7, "a text is expected here"),
    "a text that is a mapping": (text({"source": "{a: b}"}), 8, "a text is expected here"),
    "an unknown severity": (text({"severity": "worst"}), 6, "'worst' is none of high, medium, low"),
    "info is no severity": (text({"severity": "info"}), 6, "'info' is none of high, medium, low"),
    "no date": (text({"date": "January"}), 10, "'January' is no date; write it like 2026-11-22"),
    "a day that is not": (text({"date": "2026-02-30"}), 10, "'2026-02-30' is no date"),
    "another form of date": (text({"date": "20260130"}), 10, "'20260130' is no date"),
    "a week": (text({"date": "2026-W01-1"}), 10, "'2026-W01-1' is no date"),
    "other digits": (text({"date": "\uff12\uff10\uff12\uff16-01-01"}), 10, "is no date"),
    "a capital in an id": (text({"id": "TLS"}), 4, "'id' is made of small letters, digits, dots and underscores"),
    "a blank in an id": (text({"id": "a b"}), 4, "'id' is made of small letters, digits, dots and underscores"),
    "about nothing": (text({"protocol": None}), 4, "a rule is about exactly one of cipher, dotnet, hash"),
    "about two things": (text({"hash": "MD5"}), 4, "this one has ['protocol', 'hash']"),
    "no state": (text({"state": None}), 4, "'state' is missing"),
    "an unknown protocol": (text({"protocol": "TLS 1,2"}), 11, "'TLS 1,2' is none of Multi-Protocol Unified Hello"),
    "another case": (text({"protocol": "tls 1.2"}), 11, "'tls 1.2' is none of"),
    "an unknown state": (text({"state": "on"}), 12, "'on' is none of enabled, disabled, default"),
    "a state of something else": (text({"state": "strong"}), 12, "'strong' is none of enabled, disabled, default"),
    "unmanaged": (text({"state": "unmanaged"}), 12, "'unmanaged' is none of"),
    "TLS 1.2 off": (text({"state": "disabled"}), 12, "TLS 1.2 cannot be disabled: Exchange SMTP has no TLS 1.3"),
    "TLS 1.2 off on a side": (text({"state": "disabled", "side": "Client"}), 12, "TLS 1.2 cannot be disabled"),
    "an unknown side": (text({"side": "Asiakas"}), 13, "'Asiakas' is none of Client, Server"),
    "a side of something else": (
        text(about(hash="MD5", state="disabled", side="Client")),
        13,
        "'side' goes with 'protocol' only",
    ),
    "an unknown .NET": (text(about(dotnet="v3", state="strong")), 12, "'v3' is none of v4, v2"),
    "WinHTTP that is false": (text(about(winhttp="false", state="tls12")), 12, "'winhttp' is true, or is left out"),
    "renegotiation that is a word": (text(about(renegotiation="x", state="strict")), 12, "true or false is expected"),
    "an unknown cipher": (text(about(cipher="RC4", state="disabled")), 12, "'RC4' is none of NULL, DES 56/56"),
    "an unknown hash": (text(about(hash="SHA1", state="disabled")), 12, "'SHA1' is none of MD5, SHA, SHA256"),
    "an unknown exchange": (text(about(key_exchange="DH", state="disabled")), 12, "'DH' is none of Diffie-Hellman"),
    "only_where_on that is a word": (text({"only_where_on": "on"}), 13, "true or false is expected here"),
    "only_where_on of what should be on": (text({"only_where_on": "true"}), 13, "goes with 'protocol' and 'state: dis"),
    "only_where_on of a default": (
        text({"state": "default", "only_where_on": "true"}),
        13,
        "'only_where_on' goes with",
    ),
    "only_where_on of something else": (
        text(about(hash="MD5", state="disabled", only_where_on="true")),
        13,
        "'only_where_on' goes with 'protocol' and 'state: disabled' only",
    ),
    "only_where_on misspelt": (text({"only_when_on": "true"}), 13, "unknown key 'only_when_on'; known are"),
    "exact that is a word": (text({"exact": "yes please"}), 13, "true or false is expected here"),
    "windows that is a number": (text({"windows": "9200"}), 13, "a mapping is expected here"),
    "windows with other keys": (text({"windows": "{build: 1}"}), 13, "unknown key 'build'; known are max_build"),
    "a build that is a word": (text({"windows": "{min_build: new}"}), 13, "a whole number is expected here"),
    "a build below 0": (text({"windows": "{min_build: -1}"}), 13, "a whole number is expected here"),
    "a build of 5000 digits": (text({"windows": f"{{min_build: {'9' * 5000}}}"}), 13, "a whole number is expected"),
    "builds in the wrong order": (
        text({"windows": "{min_build: 9600, max_build: 9200}"}),
        13,
        "'min_build' is above 'max_build'",
    ),
    "exchange without a version": (text({"exchange": "{}"}), 13, "missing: min"),
    "an exchange of three numbers": (text({"exchange": "{min: 15.2.1748}"}), 13, "'min' is a version of four numbers"),
    "two rules for one value": (
        text({}, {"id": "b", "side": "Server"}),
        13,
        r"b.server.enabled asks for HKLM\SYSTEM",
    ),
    "two rules of one id": (
        text({"side": "Server"}, {"side": "Server", "protocol": "TLS 1.1"}),
        14,
        "the id of a rule is its own; a.server.enabled is in line 4 already",
    ),
    "state of a registry value": (text({**registry(), "state": "enabled"}), 11, "'state' does not go with 'registry'"),
    "side of a registry value": (text({**registry(), "side": "Client"}), 12, "'side' does not go with 'registry'"),
    "only_where_on of a registry value": (
        text({**registry(), "only_where_on": "true"}),
        12,
        "'only_where_on' does not go with 'registry'",
    ),
    "exact of a registry value": (text({**registry(), "exact": "true"}), 12, "'exact' does not go with 'registry'"),
}
REGISTRY_MISTAKES: dict[str, tuple[dict[str, str], str]] = {
    "no data": ({"data": ""}, "missing: data"),
    "a hive": ({"key": r"HKLM\SOFTWARE\X"}, "'key' is written below HKEY_LOCAL_MACHINE"),
    "a hive in full": ({"key": r"HKEY_LOCAL_MACHINE\SOFTWARE"}, "'key' is written below HKEY_LOCAL_MACHINE"),
    "a backslash at the start": ({"key": r"\SOFTWARE\X"}, "'key' is written below HKEY_LOCAL_MACHINE"),
    "slashes": ({"key": "SOFTWARE/X"}, "'key' is written below HKEY_LOCAL_MACHINE"),
    "a backslash at the end": ({"key": "SOFTWARE\\X\\"}, "'key' has a backslash too many"),
    "two backslashes": ({"key": r"SOFTWARE\\X"}, "'key' has a backslash too many"),
    "a blank at the end of a key": ({"key": r"'SOFTWARE\X '"}, "has blanks at an end"),
    "two blanks in a name": ({"value": "'A  B'"}, "has blanks at an end, or more than one between words"),
    "an empty name": ({"value": "''"}, "a text is expected here"),
    "a protocol by its place": ({"key": rf"{SCHANNEL}\Protocols\TLS 1.2\Server"}, "asked for with 'protocol'"),
    "a protocol in other letters": ({"key": rf"{SCHANNEL.lower()}\PROTOCOLS"}, "asked for with 'protocol'"),
    "an unknown type": ({"type": "DWORD"}, "'DWORD' is none of REG_SZ, REG_EXPAND_SZ"),
    "a type that cannot be written": ({"type": "OTHER"}, "'OTHER' is none of"),
    "a text for a number": ({"data": "'1'"}, "'1' is not a REG_DWORD"),
    "a boolean": ({"data": "yes"}, "True is not a REG_DWORD"),
    "null": ({"data": "~"}, "None is not a REG_DWORD"),
    "a number below 0": ({"data": "-1"}, "-1 is not a REG_DWORD"),
    "a number too large": ({"data": "4294967296"}, "4294967296 is not a REG_DWORD"),
    "a number of 5000 digits": ({"data": "9" * 5000}, "it cannot be read as a value"),
    "a day that is not": ({"data": "2026-02-30", "type": "REG_SZ"}, "it cannot be read as a value"),
    "a number for a text": ({"data": "1", "type": "REG_SZ"}, "1 is not a REG_SZ"),
    "a list for a text": ({"data": "[a]", "type": "REG_SZ"}, "['a'] is not a REG_SZ"),
    "a text for a list": ({"data": "a", "type": "REG_MULTI_SZ"}, "'a' is not a REG_MULTI_SZ"),
    "numbers in a list of texts": ({"data": "[1]", "type": "REG_MULTI_SZ"}, "[1] is not a REG_MULTI_SZ"),
    "a byte too large": ({"data": "[256]", "type": "REG_BINARY"}, "[256] is not a REG_BINARY"),
    "a mapping": ({"data": "{a: b}"}, "a number, a text, or a list of these is expected here"),
    "lists in a list": ({"data": "[[1]]", "type": "REG_BINARY"}, "a number, a text, or a list of these is expected"),
    "a tag of Python": (
        {"data": "!!python/object/apply:os.system [id]", "type": "REG_SZ"},
        "['id'] is not a REG_SZ",
    ),
    "a tag of Python on a text": (
        {"data": "!!python/name:os.system x", "type": "REG_SZ"},
        "could not determine a constructor for the tag 'tag:yaml.org,2002:python/name:os.system'",
    ),
    "a tag that does not fit": ({"data": "!!int x"}, "it cannot be read as a value"),
    "a tag that nobody knows": ({"data": "!mine x"}, "could not determine a constructor for the tag '!mine'"),
    "an unknown match": ({"match": "suites"}, "'suites' is none of exact, nonzero, at_least, has_bits"),
    "a match for texts": ({"match": "at_least", "data": "x", "type": "REG_SZ"}, "'at_least' goes with numbers only"),
    **{
        f"a {match} that all numbers pass": ({"match": match, "data": "0"}, f"every number is right with '{match}'")
        for match in ("nonzero", "at_least", "has_bits")
    },
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(refusal: Any, mistake: str) -> None:
    content, line, words = MISTAKES[mistake]
    told = refusal(content)
    assert told.startswith(f"line {line}: ")
    assert words in told


@pytest.mark.parametrize("mistake", REGISTRY_MISTAKES)
def test_mistakes_in_registry_values(refusal: Any, mistake: str) -> None:
    given, words = REGISTRY_MISTAKES[mistake]
    told = refusal(text(registry(**given)))
    assert told.startswith("line 11: ")
    assert words in told


def test_the_line_of_a_mistake_far_below(refusal: Any) -> None:
    others = [registry(value=f"v{number}") | {"id": f"r{number}"} for number in range(100)]
    told = refusal(text(*others, {"id": "last", "state": "of"}))
    assert told.startswith(f"line {3 + 100 * 8 + 9}: 'of' is none of")


@pytest.mark.parametrize(
    "content", [b"\xff\xfei\x00d\x00", "title: größer".encode("latin-1"), b"\x00\x01\x02\xff" * 100]
)
def test_files_that_are_not_utf_8(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "own.yml"
    path.write_bytes(content)
    with pytest.raises(OptionError, match=r"Cannot read the baseline .*own\.yml.* it is not UTF-8 text"):
        baselines.load(str(path))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("./missing.yml", "No such file or directory"),
        ("missing.yaml", "No such file or directory"),
        ("/", "Is a directory"),
        ("~nobody-of-this-name/own.yml", "No such file or directory"),
        ("a\0b.yml", "no file can have this name"),
        (f"./{'x' * 300}.yml", "File name too long"),
    ],
)
def test_files_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError) as caught:
        baselines.load(name)
    assert "Cannot read the baseline" in caught.value.message
    assert f"on the controller: {reason}." in caught.value.message


@pytest.mark.parametrize("name", ["", "none", "exchange", "../exchange_tls12", "_baselines_data/exchange_tls12"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(OptionError):
        baselines.load(name)


# --- bombs -----------------------------------------------------------------------------------------------------------


def test_aliases_do_not_multiply(refusal: Any) -> None:
    """Nine lists of nine make a billion texts, if anybody looks at them all."""
    lines = ["    registry:", "      key: X", "      value: &a0 [lol, lol, lol]"]
    lines += [f"      b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    bombs = [
        text(about(state=None)) + "\n".join(lines) + "\n",
        text(registry(data="&a [" * 50 + "x" + "]" * 50, type="REG_MULTI_SZ")),
        HEAD + "  - &a [x, x]\n" + "".join(f"  - &a{n} [{'*a, ' * 9}]\n" for n in range(9)),
        f"id: &a [x, x, x]\ntitle: &b [{'*a, ' * 9}]\nrules: &c [{'*b, ' * 9}]\n",
    ]
    data = "&a0 [x, x, x, x, x, x, x, x, x]"
    for number in range(1, 9):
        data = f"&a{number} [{data}, {', '.join([f'*a{number - 1}'] * 8)}]"
    bombs.append(text(registry(data=data, type="REG_MULTI_SZ")))
    start = time.monotonic()
    for bomb in bombs:
        told = refusal(bomb)
        assert len(told) < 500
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "content",
    [
        "[" * 20000,
        "- " * 20000,
        "{a: " * 20000,
        HEAD + "  - " + "[" * 5000 + "]" * 5000,
    ],
)
def test_depth(refusal: Any, content: str) -> None:
    assert refusal(content).startswith("line ")


def test_a_rule_that_holds_itself(refusal: Any) -> None:
    assert "a mapping is expected here" in refusal(HEAD + "  - &a [*a]\n")
    assert "a number, a text, or a list of these" in refusal(text(registry(data="&a [*a]", type="REG_MULTI_SZ")))
