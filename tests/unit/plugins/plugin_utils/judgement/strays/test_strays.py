# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and values that Windows ignores: found in every place, and explained from every translated page."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.strays.find import (
    Kind,
    Meant,
    Reason,
    misplaced,
    removal,
    strays,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.strays.names import WINDOWS_PROTOCOLS
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.strays.tree import SIDES_AT_MOST
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS_KEY,
    SIDES,
    VALUE_NAMES,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value, dword
from hypothesis import given
from hypothesis import strategies as st

from .stray_machine import ON, Machine, by_path, only, path_of, windows_own

PAGES = json.loads((Path(__file__).parents[5] / "data" / "translated_pages.json").read_text(encoding="utf-8"))["pages"]


# --- the translated pages --------------------------------------------------------------------------------------------


def expected_keys(page: Mapping[str, Any]) -> dict[str, Meant]:
    """The damaged keys of a page, by place in the page alone: bare protocol, client, server."""
    found = {}
    for entry, side in zip(page["keys"], (None, *SIDES), strict=True):
        path: list[str] = entry["path"]
        if path[0] != "TLS 1.2":
            found[path[0]] = Meant("TLS 1.2")
        if side and path[1] != side:
            found["\\".join(path)] = Meant("TLS 1.2", (side,))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page["page"])
def test_every_damaged_key_of_every_page_is_understood(page: Mapping[str, Any]) -> None:
    machine = Machine()
    machine.import_page(page)
    found = by_path(machine.judged())
    assert {path: stray.meant for path, stray in found.items()} == expected_keys(page)
    assert {stray.kind for stray in found.values()} <= {Kind.UNKNOWN_PROTOCOL, Kind.UNKNOWN_SIDE}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page["page"])
def test_every_value_in_a_damaged_key_is_understood(page: Mapping[str, Any]) -> None:
    machine = Machine()
    machine.import_page(page)
    expected = {}
    for entry, side in zip(page["keys"][1:], SIDES, strict=True):
        if entry["path"] != ["TLS 1.2", side]:
            for (name, digits), meant in zip(entry["values"], ("DisabledByDefault", "Enabled"), strict=True):
                if len(digits) <= 8:
                    expected["\\".join(entry["path"]), name] = Meant("TLS 1.2", (side,), meant)
    held = {
        (item.setting.key[len(PROTOCOLS_KEY) + 1 :], item.setting.name): item.meant
        for stray in machine.judged()
        for item in stray.holds
    }
    assert held == expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page["page"])
def test_a_page_that_was_followed_is_named_and_its_traces_go(page: Mapping[str, Any]) -> None:
    machine = Machine()
    machine.import_page(page)
    snapshot, _requests = machine.read()
    found = strays(snapshot)
    followed = misplaced(found, snapshot)
    expected = {
        (f"{PROTOCOLS_KEY}\\TLS 1.2\\{side}", meant)
        for entry, side in zip(page["keys"][1:], SIDES, strict=True)
        for (_name, digits), meant in zip(entry["values"], ("DisabledByDefault", "Enabled"), strict=True)
        if len(digits) <= 8 and entry["path"] != ["TLS 1.2", side]
    }
    assert {(item.targets[0], name) for item in followed for name in item.values} == expected
    assert all(item.sentence.startswith("Someone followed a translated page: ") for item in followed)

    intact = {key: dict(values) for key, values in machine.values.items() if windows_own(key)}
    plan = removal(found, snapshot)
    assert not plan.refused
    machine.delete(plan.values, plan.keys)
    assert machine.values == intact
    assert machine.judged() == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page["page"])
def test_a_page_that_was_followed_after_the_right_values_were_set_is_only_litter(page: Mapping[str, Any]) -> None:
    machine = Machine({"TLS 1.2\\Client": ON, "TLS 1.2\\Server": ON})
    machine.import_page(page)
    snapshot, _requests = machine.read()
    found = strays(snapshot)
    assert {path_of(stray) for stray in found} == set(expected_keys(page))
    assert misplaced(found, snapshot) == ()


def test_the_english_page_leaves_no_strays() -> None:
    page = {"keys": [{"path": ["TLS 1.2"], "values": []}]}
    for side in SIDES:
        values = [["DisabledByDefault", "00000000"], ["Enabled", "00000001"]]
        page["keys"].append({"path": ["TLS 1.2", side], "values": values})
    machine = Machine()
    machine.import_page(page)
    assert machine.judged() == ()


# The sides and value names of the other locales (docs/reference/schannel.md 8.1).
CLIENTS = ["Asiakas", "Klient", "klient", "klients", "klientas", "klien", "klijent", "клиент", "клієнт", "Cliente"]
CLIENTS += ["İstemci", "Πρόγραμμα-πελάτης", "Máy khách", " Client"]
SERVERS = ["serveris", "máy chủ", " Server"]
VALUES = {
    "Enabled": ["активиран", "увімкнено", "bật", "įjungtas", "diaktifkan", "omogućeno"],
    "DisabledByDefault": ["Onemogućavanje", "Disablebydefault", "Disabledebydefault"],
}


@pytest.mark.parametrize(
    ("word", "side"), [(word, "Client") for word in CLIENTS] + [(word, "Server") for word in SERVERS]
)
@pytest.mark.parametrize("protocol", ["TLS 1.2", "TLS 1,2", "TLS 1.2 ", "TLS 1,2 "])
def test_side_words_of_the_pages(protocol: str, word: str, side: str) -> None:
    found = by_path(Machine({f"{protocol}\\{word}": ON}).judged())
    assert found[f"{protocol}\\{word}"].meant == Meant("TLS 1.2", (side,))
    # known as a word, not because nothing else is left over
    assert found[f"{protocol}\\{word}"].reason in (Reason.TRANSLATION, Reason.SPELLING)


@pytest.mark.parametrize(("meant", "word"), [(meant, word) for meant, words in VALUES.items() for word in words])
def test_value_words_of_the_pages(meant: str, word: str) -> None:
    stray = only({"TLS 1.2\\Client": {word: Value(Type.REG_SZ, "")}})
    assert (stray.kind, stray.name, stray.meant) == (Kind.UNKNOWN_VALUE, word, Meant("TLS 1.2", ("Client",), meant))
    assert stray.reason in (Reason.TRANSLATION, Reason.MISSPELLING)


def test_what_is_said_of_the_finnish_page() -> None:
    (page,) = (page for page in PAGES if page["page"] == "fi-FI 2021-03-12")
    machine = Machine()
    machine.import_page(page)
    snapshot, _requests = machine.read()
    found = strays(snapshot)
    (followed,) = misplaced(found, snapshot)
    assert followed.sentence == (
        "Someone followed a translated page: the values meant for TLS 1.2\\Client are in TLS 1.2\\Asiakas, where "
        "Windows does not look."
    )
    assert followed.as_result() == {
        "key": f"HKLM\\{PROTOCOLS_KEY}\\TLS 1.2\\Asiakas",
        "meant_for": [f"HKLM\\{PROTOCOLS_KEY}\\TLS 1.2\\Client"],
        "values": ["Enabled", "DisabledByDefault"],
        "message": followed.sentence,
    }
    protocol, side = found
    assert protocol.message == (
        "TLS 1,2 is no protocol that Windows knows, and is ignored. Probably meant: TLS 1.2 (it differs only in "
        "blanks, punctuation or invisible characters)."
    )
    assert side.message == (
        "TLS 1.2\\Asiakas is neither Client nor Server, and is ignored. Probably meant: TLS 1.2\\Client (it is "
        "another word for it, mostly in another language)."
    )


def test_what_is_said_of_the_lithuanian_page() -> None:
    (page,) = (page for page in PAGES if page["page"] == "lt-LT 2021-03-12")
    machine = Machine()
    machine.import_page(page)
    snapshot, _requests = machine.read()
    client, server = misplaced(strays(snapshot), snapshot)
    assert client.sentence == (
        "Someone followed a translated page: the values meant for TLS 1.2\\Client are in "
        '"TLS 1.2 "\\" klientas" as [DisabledByDefault] and [(default)], where Windows does not look.'
    )
    assert server.sentence == (
        "Someone followed a translated page: the values meant for TLS 1.2\\Server are in "
        '"TLS 1.2 "\\" serveris" as [DisabledByDefault] and [įjungtas], where Windows does not look.'
    )


def test_a_single_value_under_a_wrong_name() -> None:
    machine = Machine({"TLS 1.2\\Client": {"увімкнено": dword(1), "DisabledByDefault": dword(0)}})
    snapshot, _requests = machine.read()
    (followed,) = misplaced(strays(snapshot), snapshot)
    assert followed.sentence == (
        "Someone followed a translated page: the value Enabled meant for TLS 1.2\\Client is named [увімкнено], which "
        "Windows does not look for."
    )


def test_values_in_the_wrong_place_are_not_blamed_on_a_translation() -> None:
    machine = Machine({"TLS 1.2": {"Enabled": dword(1)}})
    snapshot, _requests = machine.read()
    (followed,) = misplaced(strays(snapshot), snapshot)
    assert not followed.translated
    assert followed.sentence == (
        "TLS 1.2 [Enabled] was probably meant for TLS 1.2\\Client or TLS 1.2\\Server. Windows does not look there."
    )


def test_one_name_that_was_changed_is_enough_to_speak_of_a_translation() -> None:
    machine = Machine({"TLS 1.2": {"Enabled": dword(1), "Onemogućavanje": dword(0)}})
    snapshot, _requests = machine.read()
    (followed,) = misplaced(strays(snapshot), snapshot)
    assert followed.translated
    assert followed.values == ("Enabled", "DisabledByDefault")


@pytest.mark.parametrize(
    "content",
    [
        {"TLS1.2": ON},  # a page in English
        {"TLS 1,2\\Client": ON},
        {"TLS 1.2 \\ Server": ON},
        {"SL 2.0\\Server": ON},
        {"\u0422LS 1.2\\Client": ON},
        {"TLS 1.2\\Client.old": ON},
        {"TLS 1.2\\Customer": ON},
        {"TLS 1.2\\Cliennt": ON},
        {"TLS 1.2\\Client": {"Activated": dword(1)}},
        {"TLS 1.2\\Client": {"Disablebydefault": dword(1)}},
        {"TLS 1.2\\Server": ON, "TLS 1.2\\Qwx": ON},
    ],
)
def test_nobody_is_said_to_have_followed_a_translated_page(content: Mapping[str, Mapping[str, Value]]) -> None:
    snapshot, _requests = Machine(content).read()
    found = misplaced(strays(snapshot), snapshot)
    assert found
    for item in found:
        assert not item.translated
        assert re.search(r" (was|were) probably meant for ", item.sentence)


@pytest.mark.parametrize(
    "name", ["Backup2019", "Backup", "Client2", "old", "Test 1", "bak", "Резервная копия", "Sicherung", "Original"]
)
def test_what_was_put_aside_is_not_explained_as_anything(name: str) -> None:
    snapshot, _requests = Machine({"TLS 1.2\\Server": ON, f"TLS 1.2\\{name}": ON}).read()
    (stray,) = strays(snapshot)
    if name != "Client2":  # a slip of the pen
        assert (stray.meant, stray.reason) == (None, Reason.UNRECOGNIZED)
        assert misplaced([stray], snapshot) == ()


# --- places ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind", "meant"),
    [
        ("TLS 1.2\\Enabled", Kind.VALUE_AS_KEY, Meant("TLS 1.2", SIDES, "Enabled")),
        ("TLS 1.2\\Client\\Enabled", Kind.VALUE_AS_KEY, Meant("TLS 1.2", ("Client",), "Enabled")),
        ("TLS 1.2\\Client\\увімкнено", Kind.VALUE_AS_KEY, Meant("TLS 1.2", ("Client",), "Enabled")),
        ("DisabledByDefault", Kind.VALUE_AS_KEY, Meant(None, (), "DisabledByDefault")),
        ("Client", Kind.UNKNOWN_PROTOCOL, Meant(None, ("Client",))),
        ("TLS 1.2 Client", Kind.UNKNOWN_PROTOCOL, Meant("TLS 1.2", ("Client",))),
        ("TLS 1.2/Asiakas", Kind.UNKNOWN_PROTOCOL, Meant("TLS 1.2", ("Client",))),
        ("TLS 1.2\\Client\\Server", Kind.UNKNOWN_KEY, Meant("TLS 1.2", ("Server",))),
        ("TLS 1.2\\Client\\Foo", Kind.UNKNOWN_KEY, None),
        ("SSL 3.0\\TLS 1.2", Kind.UNKNOWN_SIDE, Meant("TLS 1.2")),
    ],
)
def test_right_names_in_wrong_places(path: str, kind: Kind, meant: Meant | None) -> None:
    stray = by_path(Machine({path: {}}).judged())[path]
    assert (stray.kind, stray.meant) == (kind, meant)


def test_a_key_in_place_of_a_value_holds_it_as_its_default_value() -> None:
    machine = Machine({"TLS 1.2\\Client\\Enabled": {"": dword(1)}})
    snapshot, _requests = machine.read()
    (stray,) = strays(snapshot)
    assert [(held.value, held.meant) for held in stray.holds] == [(dword(1), Meant("TLS 1.2", ("Client",), "Enabled"))]
    (followed,) = misplaced((stray,), snapshot)
    assert followed.sentence == (
        "TLS 1.2\\Client\\Enabled [(default)] was probably meant for TLS 1.2\\Client [Enabled]. Windows does not look "
        "there."
    )


def test_values_where_windows_looks_for_none() -> None:
    content = {"": {"Enabled": dword(0), "": dword(1)}, "TLS 1.0": {"DisabledByDefault": dword(1), "x": dword(1)}}
    machine = Machine(content)
    found = by_path(strays(machine.read()[0]))
    assert {path: (stray.kind, stray.meant) for path, stray in found.items()} == {
        " [Enabled]": (Kind.VALUE_ON_PROTOCOL, Meant(None, (), "Enabled")),
        " []": (Kind.DEFAULT_VALUE, None),
        "TLS 1.0 [DisabledByDefault]": (Kind.VALUE_ON_PROTOCOL, Meant("TLS 1.0", SIDES, "DisabledByDefault")),
        "TLS 1.0 [x]": (Kind.VALUE_ON_PROTOCOL, None),
    }


def test_a_default_value_that_no_listing_shows() -> None:
    stray = only({"TLS 1.2\\Client": {"": Value(Type.REG_SZ, "1")}})
    assert (stray.kind, stray.name, stray.meant) == (Kind.DEFAULT_VALUE, "", None)
    assert stray.message == (
        "TLS 1.2\\Client [(default)], the default value of a key, is set, and is ignored. What was meant is not clear."
    )


def test_the_result_holds_all_that_a_reader_needs() -> None:
    stray = only({"TLS 1.2\\Server": ON, "TLS 1.2\\Client": ON, "TLS 1.2\\Klient": {"Enabled": dword(1)}})
    assert stray.as_result() == {
        "kind": "unknown_side",
        "key": f"HKLM\\{PROTOCOLS_KEY}\\TLS 1.2\\Klient",
        "value": None,
        "meant": {"protocol": "TLS 1.2", "sides": ["Client"], "value": None, "text": "TLS 1.2\\Client"},
        "reason": "translation",
        "holds": [
            {
                "key": f"HKLM\\{PROTOCOLS_KEY}\\TLS 1.2\\Klient",
                "value": "Enabled",
                "type": "REG_DWORD",
                "data": 1,
                "meant": {
                    "protocol": "TLS 1.2",
                    "sides": ["Client"],
                    "value": "Enabled",
                    "text": "TLS 1.2\\Client [Enabled]",
                },
            }
        ],
        "message": "TLS 1.2\\Klient is neither Client nor Server, and is ignored. Probably meant: TLS 1.2\\Client (it "
        "is another word for it, mostly in another language).",
    }


# --- elimination -----------------------------------------------------------------------------------------------------

# words that no list knows
WORD = st.text(st.sampled_from("qwxzßñжщђψωאבגדहक語ก"), min_size=3, max_size=12)


@given(WORD, st.sampled_from(SIDES), st.sampled_from(["TLS 1.2", "TLS 1.0", "SSL 3.0"]))
def test_an_unknown_word_is_the_side_that_is_missing(word: str, there: str, protocol: str) -> None:
    (missing,) = set(SIDES) - {there}
    stray = only({f"{protocol}\\{there}": ON, f"{protocol}\\{word}": ON})
    assert (stray.kind, stray.meant, stray.reason) == (
        Kind.UNKNOWN_SIDE,
        Meant(protocol, (missing,)),
        Reason.ELIMINATION,
    )


@given(WORD)
def test_an_unknown_word_beside_both_sides_means_nothing(word: str) -> None:
    machine = Machine({"TLS 1.2\\Client": ON, "TLS 1.2\\Server": {}, f"TLS 1.2\\{word}": ON})
    snapshot, _requests = machine.read()
    (stray,) = strays(snapshot)
    assert (stray.meant, stray.reason) == (None, Reason.UNRECOGNIZED)
    assert misplaced((stray,), snapshot) == ()


@given(st.lists(WORD, min_size=1, max_size=2, unique_by=str.lower))
def test_unknown_words_without_both_sides_are_one_of_them(words: Sequence[str]) -> None:
    machine = Machine({f"TLS 1.2\\{word}": ON for word in words})
    snapshot, _requests = machine.read()
    found = strays(snapshot)
    assert [(stray.meant, stray.reason) for stray in found] == [(Meant("TLS 1.2", SIDES), Reason.ELIMINATION)] * len(
        words
    )
    assert "Probably meant: TLS 1.2\\Client or TLS 1.2\\Server (" in found[0].message
    (followed, *_others) = misplaced(found, snapshot)
    assert not followed.translated
    assert "were probably meant for TLS 1.2\\Client or TLS 1.2\\Server." in followed.sentence


def test_elimination_counts_the_sides_that_other_strays_mean() -> None:
    # the client's key is below the right protocol, the server's below a wrong one
    found = by_path(Machine({"TLS 1.2\\Asiakas": ON, "TLS 1,2\\Qwx": ON}).judged())
    assert found["TLS 1,2\\Qwx"].meant == Meant("TLS 1.2", ("Server",))


def test_nothing_is_eliminated_before_the_sides_of_the_right_protocol_are_listed() -> None:
    machine = Machine({"TLS 1.2\\Client": ON, "TLS 1,2\\Qwx": ON})
    snapshot, _requests = machine.read()
    assert by_path(strays(snapshot))["TLS 1,2\\Qwx"].meant == Meant("TLS 1.2", ("Server",))
    key = f"{PROTOCOLS_KEY}\\TLS 1.2".lower()
    unlisted = dataclasses.replace(
        snapshot, subkeys={path: names for path, names in snapshot.subkeys.items() if path != key}
    )
    assert by_path(strays(unlisted))["TLS 1,2\\Qwx"].meant is None


def test_two_unknown_words_for_one_missing_side_are_not_guessed_at() -> None:
    found = by_path(Machine({"TLS 1.2\\Server": ON, "TLS 1.2\\Qwx": ON, "TLS 1.2\\Zwx": ON}).judged())
    assert [stray.meant for stray in found.values()] == [None, None]


@given(WORD, st.sampled_from(VALUE_NAMES))
def test_an_unknown_value_is_the_one_that_is_missing(word: str, there: str) -> None:
    (missing,) = set(VALUE_NAMES) - {there}
    stray = only({"TLS 1.2\\Client": {there: dword(1), word: dword(0)}})
    assert (stray.meant, stray.reason) == (Meant("TLS 1.2", ("Client",), missing), Reason.ELIMINATION)
    # a text is a remark, not a switch
    assert only({"TLS 1.2\\Client": {there: dword(1), word: Value(Type.REG_SZ, "0")}}).meant is None


# --- case ------------------------------------------------------------------------------------------------------------


def respelled(path: str, upper: Sequence[bool]) -> str:
    letters = zip(path, [*upper, *[False] * len(path)], strict=False)
    return "".join(letter.upper() if up else letter.lower() for letter, up in letters)


REAL = st.builds("{}\\{}".format, st.sampled_from(WINDOWS_PROTOCOLS), st.sampled_from(SIDES))
DAMAGED = st.sampled_from(
    ["TLS 1,2\\Klient", "TLS 1.2\\asiakas", "TLS1.1\\Server", "TLS 1.2 \\ klientas", "TLS 1.2\\Client\\Enabled", "Foo"]
)


@given(st.sets(REAL), st.lists(st.booleans(), max_size=40))
def test_right_names_in_any_case_are_no_strays_and_cost_two_for_each_key(paths: set[str], upper: list[bool]) -> None:
    values = {respelled(name, upper): value for name, value in ON.items()}
    machine = Machine({respelled(path, upper): values for path in sorted(paths)})
    snapshot, requests = machine.read()
    assert strays(snapshot) == ()
    assert len(paths) > SIDES_AT_MOST or requests == 2 + 2 * len({path.split("\\")[0] for path in paths}) + 2 * len(
        paths
    )


@given(st.sets(REAL), st.sets(DAMAGED), st.lists(st.booleans(), max_size=40))
def test_case_changes_no_judgement(real: set[str], damaged: set[str], upper: list[bool]) -> None:
    paths = [*sorted(real), *sorted(damaged)]
    values = {**ON, "увімкнено": dword(1)}
    plain = Machine(dict.fromkeys(paths, values))
    other = Machine(
        {respelled(path, upper): {respelled(name, upper): item for name, item in values.items()} for path in paths}
    )
    found, again = plain.judged(), other.judged()
    assert [(item.kind, item.key.lower(), item.meant, item.reason) for item in found] == [
        (item.kind, item.key.lower(), item.meant, item.reason) for item in again
    ]
