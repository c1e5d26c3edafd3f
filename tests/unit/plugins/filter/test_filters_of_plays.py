# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters that the playbooks are made of: which hosts, how many at a time, and the last screen of a role."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.mailops.exchange_tls.plugins.filter import tls_hosts, tls_overview, tls_serial

from ..plugin_utils.report.stories import IN, changed, failed, settings, unchanged, verified

GROUPS = {
    "all": ["ex01", "ex02", "mx01", "10"],
    "exchange": ["ex01", "ex02"],
    "exchange_branch": ["ex02"],
    "ungrouped": ["mx01", "10"],
}


# --- hosts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", [None, "", " ", "~", "null"])
def test_a_blank_is_the_group_exchange(blank: Any) -> None:
    assert tls_hosts.tls_hosts(blank, GROUPS) == "exchange"
    assert tls_hosts.tls_hosts(blank, GROUPS, default="exchange_branch") == "exchange_branch"


@pytest.mark.parametrize(
    ("given", "pattern"),
    [
        ("ex01", "ex01"),
        (" exchange ", "exchange"),
        ("all", "all"),
        ("ex*", "ex*"),
        ("exchange:!ex01", "exchange:!ex01"),
        ("exchange:&exchange_branch", "exchange:&exchange_branch"),
        ("~ex0[12]", "~ex0[12]"),
        ("exchange[0]", "exchange[0]"),
        ("ex01,mx01", "ex01:mx01"),
        ("ex01\r\nmx01\r\n", "ex01:mx01"),
        ('["ex01", "mx01"]', "ex01:mx01"),
        (["ex01", "mx01"], "ex01:mx01"),
        (("ex01", " mx01"), "ex01:mx01"),
        (10, "10"),
    ],
)
def test_patterns(given: Any, pattern: str) -> None:
    assert tls_hosts.tls_hosts(given, GROUPS) == pattern


@pytest.mark.parametrize("pattern", ["ex01:nowhere", "exchange,!nowhere", "exchange:&nowhere", ["ex01", "nowhere"]])
def test_no_part_of_a_pattern_is_passed_over(pattern: Any) -> None:
    """Ansible would go on without it, and an exclusion that is misspelt would exclude nothing."""
    with pytest.raises(AnsibleFilterError, match="no server of the inventory matches 'nowhere'"):
        tls_hosts.tls_hosts(pattern, GROUPS)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            "exchnage",
            "'tls12_hosts' is 'exchnage', and no server of the inventory matches that. Did you mean 'exchange'?",
        ),
        ("ex03", "Did you mean 'ex0"),
        ("ex01:!ex01", "no server of the inventory matches that"),
        ("{{ groups.exchange }}", "no server of the inventory matches '{{'"),
        ("zzzzzzzz", "The groups are all, exchange, exchange_branch, ungrouped."),
        (["nowhere"], "no server of the inventory matches that"),
        ("[ex01", "'tls12_hosts' is text that is neither JSON nor YAML"),
        ("~ex0(", "'tls12_hosts' is '~ex0(', which is no pattern of hosts"),
        # to Ansible these are all hosts
        ("[", "'tls12_hosts'"),
        (":", "'tls12_hosts' is ':', which names no server"),
        ([""], "'tls12_hosts' is '', which names no server"),
        (True, "'tls12_hosts' is 'True'"),
        (datetime.date(2027, 3, 31), "'tls12_hosts' is '2027-03-31'"),
        ({"a": 1}, "'tls12_hosts'"),
        ([], "'tls12_hosts' is '', which names no server"),
        pytest.param(10**5000, "too large", id="huge"),
    ],
)
def test_patterns_that_match_nothing_end_the_run(given: Any, words: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        tls_hosts.tls_hosts(given, GROUPS)
    assert words in str(caught.value)


def test_an_inventory_without_the_group_or_without_hosts() -> None:
    with pytest.raises(AnsibleFilterError, match=r"no servers in a group 'exchange'.*-e tls12_hosts=GROUP"):
        tls_hosts.tls_hosts("", {"all": ["a"], "ungrouped": ["a"]})
    with pytest.raises(AnsibleFilterError, match="no servers in a group 'exchange'"):
        tls_hosts.tls_hosts("", {"all": ["a"], "exchange": []})
    for groups in ({}, {"all": [], "ungrouped": []}):
        with pytest.raises(AnsibleFilterError, match="The inventory has no hosts: name one with -i"):
            tls_hosts.tls_hosts("", groups)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "no servers in a group 'exchange'. The group 'exchange' is there, and has no servers. Put the Exchange"),
        ("branch", "no server of the inventory matches that. The group 'branch' is there, and has no servers."),
        ("mail:!branch", "matches 'branch'. The group 'branch' is there, and has no servers."),
        # what has no servers is not what was meant
        ("branche", "The groups are all, branch, exchange, mail."),
        ("Branch", "The groups are all, branch, exchange, mail."),
    ],
)
def test_a_group_without_servers(given: str, words: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        tls_hosts.tls_hosts(given, {"all": ["a"], "mail": ["a"], "exchange": [], "branch": []})
    assert words in str(caught.value)
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize("groups", [None, "text", 5, {"all": 5}])
def test_groups_that_are_none(groups: Any) -> None:
    with pytest.raises(AnsibleFilterError):
        tls_hosts.tls_hosts("ex01", groups)


# --- how many at a time ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("serial", "expected"),
    [
        (None, [1]),
        ("", [1]),
        (" ", [1]),
        ("~", [1]),
        ([], [1]),
        (0, [1]),  # to Ansible all at once
        ("0", [1]),
        (1, [1]),
        (2, [2]),
        ("2", [2]),
        (" 3 ", [3]),
        ("25%", ["25%"]),
        ("100%", ["100%"]),
        ([1, 5], [1, 5]),
        (["1", "50%"], [1, "50%"]),
        ("1,5", [1, 5]),
        ("1, 5, 25%", [1, 5, "25%"]),
        ("1\r\n5", [1, 5]),
        ("[1, 5]", [1, 5]),
        ('["1", "25%"]', [1, "25%"]),
        ("- 1\n- 5", [1, 5]),
        (999_999, [999_999]),
    ],
)
def test_serial(serial: Any, expected: list[Any]) -> None:
    assert tls_serial.tls_serial(serial) == expected
    assert tls_serial.tls_serial(serial, check_mode=True) == ["100%"]
    assert tls_serial.tls_serial(serial, check_mode="false") == expected


@pytest.mark.parametrize(
    "serial",
    [
        "2.5", 2.5, -1, "-1", "two", "101%", "0%", "%", "1 5", True, False, [1, True], [1, None], [1, [2]], {"a": 1},
        "1,x", "[1", "\u0662", "9" * 5000, pytest.param(10**5000, id="huge"), "1e3", datetime.date(2027, 3, 31), ", ,",
        10_000_000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("check_mode", [False, True])
def test_serial_that_is_none(serial: Any, check_mode: bool) -> None:
    """Refused in check mode as well: it predicts the real run."""
    with pytest.raises(AnsibleFilterError, match="'tls12_serial'") as caught:
        tls_serial.tls_serial(serial, check_mode=check_mode)
    assert len(str(caught.value)) < 400


# --- the last screen of a role, without the callback -----------------------------------------------------------------


def batch_of(**hosts: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Variables by host; each has registered one step of an audit, or nothing."""
    return {name: {"x": 1, **({"_tls12_audit": found} if found else {})} for name, found in hosts.items()}


def rows(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines[1 : lines.index("")]]


def test_one_screen_for_a_batch() -> None:
    variables = batch_of(ex01=settings("fine"), ex02=settings("off"))
    batch = ["ex01", "ex02"]
    assert rows(tls_overview.tls_overview(variables, "ex01", batch)) == ["ex02", "ex01"]


def test_servers_that_have_ended() -> None:
    """A failed server is in no batch any more; a server that brought nothing is in no table."""
    variables = batch_of(ex01=settings("fine"), ex02=failed(), ex03=None)
    assert rows(tls_overview.tls_overview(variables, "ex01", ["ex01"], ended=["ex02", "ex03"])) == ["ex02", "ex01"]
    assert rows(tls_overview.tls_overview(variables, "ex02", [], ended=["ex02"])) == ["ex02"]


def test_each_for_itself_where_not_all_are_through() -> None:
    """In the free strategy, where run_once does not count."""
    variables = batch_of(ex01=settings("fine"), ex02=None, ex03=settings("off"))
    batch = ["ex01", "ex02", "ex03"]
    assert rows(tls_overview.tls_overview(variables, "ex01", batch)) == ["ex01"]
    assert rows(tls_overview.tls_overview(variables, "ex03", batch)) == ["ex03"]
    assert tls_overview.tls_overview(variables, "ex02", batch) == []


def test_where_all_are_through_one_speaks() -> None:
    variables = batch_of(ex01=settings("fine"), ex02=settings("off"))
    assert rows(tls_overview.tls_overview(variables, "ex01", ["ex01", "ex02"])) == ["ex02", "ex01"]
    assert rows(tls_overview.tls_overview(variables, "ex02", ["ex01", "ex02"])) == ["ex02"]


def test_steps_of_the_role() -> None:
    steps = {"_tls12_change": unchanged(), "_tls12_verify": verified(accepted=IN)}
    lines = tls_overview.tls_overview({"ex01": steps}, "ex01", ["ex01"])
    assert "verified" in lines[1]
    predicted = {"_tls12_change": changed("fine", "planned"), "_tls12_restart": None}
    assert "1 to write" in tls_overview.tls_overview({"ex01": predicted}, "ex01", ["ex01"], check_mode=True)[1]


def test_hosts_that_nobody_knows() -> None:
    assert tls_overview.tls_overview({}, "ex01", []) == []
    assert tls_overview.tls_overview({"ex01": None}, "ex01", ["ex01"]) == []


@pytest.mark.parametrize("rubbish", ["text", 5, [1], {"x": 1}, {"findings": 5, "protocols": {}}, {"changes": [5]}])
@pytest.mark.parametrize("name", ["_tls12_audit", "_tls12_change", "_tls12_verify", "_tls12_restart", "_tls12_undone"])
def test_results_of_other_tasks_under_our_names(name: str, rubbish: Any) -> None:
    """They are left out, or refused with an error of the filter."""
    try:
        lines = tls_overview.tls_overview({"ex01": {name: rubbish}}, "ex01", ["ex01"])
    except AnsibleFilterError:
        assert isinstance(rubbish, dict)
    else:
        assert lines == [] or isinstance(rubbish, dict)


@pytest.mark.parametrize(
    ("hostvars", "batch", "ended"),
    [(None, ["a"], []), ("text", ["a"], []), ({}, 5, []), ({}, None, []), ({}, [], 5), ({"a": 5}, ["a"], [])],
)
def test_overview_of_rubbish(hostvars: Any, batch: Any, ended: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="tls_overview takes hostvars, a host, and lists of hosts"):
        tls_overview.tls_overview(hostvars, "a", batch, ended)
