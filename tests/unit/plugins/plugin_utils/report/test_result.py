# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a run: its form, whatever has happened, and how several are merged and compared."""

from __future__ import annotations

import copy
import csv
import io
import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement import mail_words
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.findings import Status
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import SEVERITIES
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report import junit, schema, standing, table
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.artifact import artifact
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.comparing import compare
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.merging import merge
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.plain import VAULTED, plain
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.standing import Steps
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import Effective
from hypothesis import given
from hypothesis import strategies as st

from .results import HOSTILE, KINDS, fleet, of
from .stories import any_steps, changes, settings, told

texts = st.text(st.characters(), max_size=30) | st.sampled_from([HOSTILE, "\ud800", "\ufffe", "\x00", "=1+1"])


def enumerations(found: Any, path: str = "") -> dict[str, list[str]]:
    """The lists of words that a schema allows, by where they are."""
    if isinstance(found, list):
        found = dict(enumerate(found))
    if not isinstance(found, dict):
        return {}
    own = {path.rpartition("$defs/")[2]: found["enum"]} if isinstance(found.get("enum"), list) else {}
    return own | {
        key: words for name, item in found.items() for key, words in enumerations(item, f"{path}/{name}").items()
    }


def test_the_words_of_the_schema_are_those_of_the_code() -> None:
    """A word that the schema does not know makes a report that nothing reads again."""
    states = [item.value for item in Effective]
    found = {path: sorted(words) for path, words in enumerations(schema.schema()).items()}
    known: dict[str, list[str]] = {
        "run/properties/ended_by": ["end", "interrupt"],
        "server/properties/state": list(standing.STATES),
        "finding/properties/severity": [*SEVERITIES, "info"],
        "finding/properties/status": [item.value for item in Status],
        "change/properties/status": ["planned", "written", "not_written", "put_back", "unknown"],
        "protocols/additionalProperties/additionalProperties/properties/effective": states,
        "outgoing/properties/word": [mail_words.PROVEN, mail_words.FAILING, mail_words.OPEN],
        "outgoing/properties/by/items": list(mail_words.SPOKEN),
    }
    assert found == {path: sorted(words) for path, words in known.items()}


@given(st.dictionaries(texts, any_steps(), max_size=3), st.lists(texts, max_size=2))
def test_every_story_has_the_form_and_every_file(hosts: dict[str, Steps], untouched: list[str]) -> None:
    result = of(hosts, untouched=untouched)
    assert schema.problems(json.loads(json.dumps(result))) == []
    ET.fromstring(junit.as_xml(result))
    rows = list(csv.reader(io.StringIO(table.as_csv(result).removeprefix("\ufeff"))))
    assert {len(row) for row in rows} == {len(table.COLUMNS)}
    assert not [cell for row in rows for cell in row if cell.lstrip().startswith(("=", "+", "-", "@"))]
    ranks = [standing.rank_of(item["state"]) for item in result["servers"]]
    assert ranks == sorted(ranks)
    assert sum(result["totals"]["states"].values()) == len(hosts)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_known_of_a_server(kind: str) -> None:
    (server,) = of({"ex01": KINDS[kind]()})["servers"]
    expected = {
        "broken": ("broken", False), "to write": ("to write", False), "wrong": ("wrong", False),
        "fine": ("as wanted", True), "verified": ("verified", True), "refused": ("failed", True),
        "unchanged": ("verified", True), "failed": ("failed", None), "unreachable": ("unreachable", None),
        "waived": ("with oddities", True), "hardened": ("as wanted", True), "one side": ("broken", False),
    }  # fmt: skip
    assert (server["state"], server["compliant"]) == expected[kind]


def test_what_is_before_and_what_after() -> None:
    """Values that were written are taken back for what was before, those that are predicted as well."""
    off, fine = settings("off"), settings("fine")
    made = [
        {"key": item["key"], "value": item["value"], "before": item["actual"], "after": item["expected"]}
        for item in off["findings"]
        if item["would_write"]
    ]
    for check_mode, status in ((True, "planned"), (False, "written")):
        change = {**fine, "changes": [{**item, "status": status} for item in made], "was_compliant": False}
        (server,) = of({"ex01": told(check_mode, change=change)}, check_mode=check_mode)["servers"]
        effects = [server[when]["TLS 1.2"]["Client"]["effective"] for when in ("before", "after")]
        assert effects == ["disabled", "enabled"]
        assert [bool(server[name]) for name in ("plan", "changes", "changed")] == [check_mode, *[not check_mode] * 2]
    (server,) = of({"ex01": told(audit=off)})["servers"]
    assert server["after"] is None


def test_what_was_put_back_is_no_change() -> None:
    change = {"failed": True, "msg": "no", "error": {"kind": "access_denied"}, "changes": changes("put_back")}
    (server,) = of({"ex01": told(change=change)})["servers"]
    assert (server["changed"], server["error"], server["error_kind"]) == (False, "no", "access_denied")


class Vaulted(str):
    """As Ansible keeps a variable of a vault: it is opened as soon as somebody asks for the text."""

    _ciphertext = "$ANSIBLE_VAULT;1.1;AES256"


def test_values_of_any_kind() -> None:
    deep: Any = []
    for _level in range(100):
        deep = [deep]
    assert plain({"a": (1, {2.5}, None, True), 3: b"x"}) == {"a": [1, [2.5], None, True], "3": "b'x'"}
    assert plain([Vaulted("secret")]) == [VAULTED]
    assert plain("x" * 5000) == "x" * 4000 + "... (1000 more characters)"
    assert "too deep" in json.dumps(plain(deep))


def test_junit_has_what_failed_and_why() -> None:
    suites = ET.fromstring(junit.as_xml(of(fleet(12), untouched=["ex99"])))
    assert int(suites.get("tests") or 0) == len(list(suites.iter("testcase")))
    by_name = {str(suite.get("name")).partition(".")[0]: suite for suite in suites}
    broken = by_name["ex000"]
    assert broken.get("failures") == "4"
    assert "Enabled" in str(next(broken.iter("failure")).get("message"))
    assert [by_name["ex008"].get(name) for name in ("errors", "failures")] == ["1", "0"]
    assert by_name["ex99"].get("skipped") == "1"
    assert int(by_name["ex009"].get("skipped") or 0) > 0, "waived"


# --- reading results again -------------------------------------------------------------------------------------------


def _broken(path: str, value: Any) -> dict[str, Any]:
    result = copy.deepcopy(of(fleet(1)))
    place: Any = result
    *above, name = path.split(".")
    for part in above:
        place = place[int(part) if part.isdigit() else part]
    if value is KeyError:
        del place[name]
    else:
        place[name] = value
    return result


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("schema", "else", "no result of a run"),
        ("schema_version", 2, "'schema_version' is 2"),
        ("run", KeyError, "'run' is missing"),
        ("servers", {}, "'servers' is {}, and must be of the type array"),
        ("servers.0.state", "fine", "'servers[0].state' is 'fine', and must be one of broken"),
        ("servers.0.compliant", 1, "'servers[0].compliant' is 1"),
        ("totals.servers", True, "'totals.servers' is True"),
        ("servers.0.before", {"TLS 1.2": {"Client": {}}}, "'servers[0].before.TLS 1.2.Client.effective' is missing"),
        ("not_reached", [5], "'not_reached[0]' is 5"),
    ],
)
def test_what_is_no_result_is_told(path: str, value: Any, said: str) -> None:
    assert said in "; ".join(schema.problems(_broken(path, value)))


def test_anything_else_is_no_result() -> None:
    for found in (None, 5, [], "text", {}):
        assert schema.problems(found)
    assert schema.problems({**of(fleet(2)), "new": 1}) == [], "later versions may say more"


def test_slices_are_merged() -> None:
    hosts = fleet(12)
    names = list(hosts)
    slices = [
        of({name: hosts[name] for name in names[number::3]}, number + 1, untouched=[names[number - 1], "ex99"])
        for number in range(3)
    ]
    merged, whole = merge(slices), of(hosts, untouched=["ex99"])
    assert schema.problems(merged) == []
    assert {**merged, "run": {}} == {**whole, "run": {}}
    assert merged["run"]["merged_from"] == [item["run"]["id"] for item in slices]
    assert (merged["run"]["began"], merged["run"]["ended"]) == ("2026-11-20T03:04:01Z", "2026-11-20T03:14:03Z")


@given(st.permutations(range(3)))
def test_the_order_of_files_does_not_matter(order: list[int]) -> None:
    hosts = list(fleet(12).items())
    results = [of(dict(hosts[number : number + 6]), number + 1) for number in range(3)]
    assert merge([results[number] for number in order]) == merge(results)


def test_the_last_run_counts() -> None:
    before, after = of({"ex01": KINDS["broken"]()}, 1), of({"ex01": KINDS["verified"]()}, 2)
    assert merge([after, before])["servers"] == after["servers"]
    assert merge([before]) == before


def test_what_has_changed() -> None:
    before = of(
        {"ex01": KINDS["broken"](), "ex02": KINDS["fine"](), "ex03": KINDS["fine"](), "ex05": KINDS["fine"]()}, 1
    )
    after = of(
        {
            "ex01": KINDS["fine"](),
            "ex02": KINDS["fine"](),
            "ex03": KINDS["unreachable"](),
            "ex04": KINDS["to write"](),
        },
        2,
    )
    found = compare(before, after)
    assert (found["appeared"], found["disappeared"], found["same"]) == (["ex04"], ["ex05"], 1)
    one, three = found["servers"]
    assert one["state"] == {"from": "broken", "to": "as wanted"}
    assert (len(one["gone"]), one["new"]) == (4, [])
    assert {"protocol": "TLS 1.2", "side": "Client", "from": "disabled", "to": "enabled"} in one["protocols"]
    assert (three["gone"], three["new"], three["protocols"]) == ([], [], []), "it could not be read"
    assert "ex01: was broken, is as wanted" in found["lines"]
    assert found["lines"][-1] == "1 server unchanged"


def test_what_a_waiver_accepts_is_not_gone() -> None:
    before, after = of({"ex01": KINDS["broken"]()}, 1), of({"ex01": KINDS["waived"]()}, 2)
    found = compare(before, after)
    (server,) = found["servers"]
    assert (server["gone"], server["new"], len(server["waived"])) == ([], [], 4)
    assert any(line.startswith("ex01: accepted by a waiver: TLS 1.2 Client Enabled") for line in found["lines"])
    (back,) = compare(after, before)["servers"]
    assert (len(back["new"]), back["waived"]) == (4, []), "it counts again"


def test_what_nobody_could_look_at_is_not_gone() -> None:
    before, after = of({"ex01": KINDS["broken"]()}, 1), of({"ex01": KINDS["fine"]()}, 2)
    unread = after["servers"][0]["findings"][0]
    unread["status"] = "unknown"
    (server,) = compare(before, after)["servers"]
    assert len(server["gone"]) == 3
    assert unread["id"] not in {item["id"] for item in server["gone"]}


@given(any_steps())
def test_nothing_has_changed_from_a_result_to_itself(steps: Steps) -> None:
    result = of({"ex01": steps})
    assert compare(result, result)["servers"] == []


@given(st.dictionaries(st.sampled_from(["ex01", "ex02", "ex03"]), any_steps()))
def test_the_artifact_is_small_and_says_the_same(hosts: dict[str, Steps]) -> None:
    result, told_to = of(hosts), artifact(hosts, [], None)
    assert told_to["counts"] == result["totals"]["states"]
    assert sorted(name for names in told_to["servers"].values() for name in names) == sorted(hosts)
    if told_to["compliant"]:
        assert not any(item["error"] or item["state"] in ("broken", "failed") for item in result["servers"])
