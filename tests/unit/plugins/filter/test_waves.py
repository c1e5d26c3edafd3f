# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters behind the playbooks that go by DAG."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.mailops.exchange_tls.plugins.filter.tls_waves import tls_wave_groups, tls_waves

NOWHERE: dict[str, Any] = {"installed": False}


def member(name: str | None) -> dict[str, Any]:
    return {"installed": True, "dag": {"name": name, "nodes": {}}}


def hostvars(**exchange: dict[str, Any]) -> dict[str, Any]:
    return {name: {"_tls12_exchange": {"exchange": found}} for name, found in exchange.items()}


FLEET = hostvars(ex01=member("DAG1"), ex02=member("dag1"), ex03=member("DAG2"), ex04=NOWHERE, ex05=member(None))


def test_waves() -> None:
    found = tls_waves(FLEET, ["ex01", "ex02", "ex03", "ex04", "ex05"], "3")
    assert found == [
        {
            "group": "tls12_wave_001",
            "servers": ["ex01", "ex03", "ex04"],
            "away": [],
            "shown": "1. ex01 (DAG1), ex03 (DAG2), ex04 (in no DAG)",
        },
        {
            "group": "tls12_wave_002",
            "servers": ["ex02", "ex05"],
            "away": [],
            "shown": "2. ex02 (dag1), ex05 (in a DAG whose name cannot be read)",
        },
    ]


def test_members_that_are_away() -> None:
    """As the other members see them; how a server sees itself does not matter."""
    dag = {"installed": True, "dag": {"name": "DAG1", "nodes": {"EX01": "paused", "EX02": "down", "EX03": "up"}}}
    seen = {"ex01": {"_tls12_exchange": {"exchange": dag, "host": {"computer_name": "EX01"}}}}
    (wave,) = tls_waves(seen, ["ex01"])
    assert wave["away"] == ["EX02, a member of DAG1, is down"]
    assert wave["shown"] == "1. ex01 (DAG1; EX02, a member of DAG1, is down)"


def test_what_was_left_out_of_service_comes_first_and_is_not_away() -> None:
    """Otherwise the run that would bring it back would wait for it."""
    nodes = {"EX01": "up", "EX02": "paused"}
    dag: dict[str, Any] = {"installed": True, "dag": {"name": "DAG1", "nodes": nodes}}
    seen = {
        name: {"_tls12_exchange": {"exchange": {**dag, "left_out": name == "ex02"}, "host": {"computer_name": name}}}
        for name in ("ex01", "ex02")
    }
    assert [(wave["servers"], wave["away"]) for wave in tls_waves(seen, ["ex01", "ex02"])] == [
        (["ex02"], []),
        (["ex01"], []),
    ]


def test_servers_in_no_dag_go_one_after_the_other_in_each_site() -> None:
    """One that has no site goes by itself."""
    sites = {"ex01": "Oulu", "ex02": "OULU", "ex03": "Turku", "edge": "turku", "ex04": None}
    seen = hostvars(**{name: {"installed": True, "dag": None, "site": site} for name, site in sites.items()})
    names = list(seen)
    assert [wave["servers"] for wave in tls_waves(seen, names, 5)] == [names]
    by_site = tls_waves(seen, names, 5, "yes")
    assert [wave["servers"] for wave in by_site] == [["ex01", "ex03", "ex04"], ["ex02", "edge"]]
    assert by_site[1]["shown"] == "2. ex02 (in no DAG, site OULU), edge (in no DAG, site turku)"
    for blank in ("", None, " ", "false"):
        assert len(tls_waves(seen, names, 5, blank)) == 1
    with pytest.raises(AnsibleFilterError, match="'tls12_one_per_site' is 'some'; it is true or false"):
        tls_waves(seen, names, 5, "some")


def test_a_server_under_two_names_is_not_worked_on_twice_at_a_time() -> None:
    """Two names of one server in the inventory are two hosts to Ansible. In a DAG they count as members anyway."""
    names = {"ex04": "EX04", "ex04.example.com": "ex04", "192.0.2.4": "EX04", "ex05": "EX05"}
    seen = {
        name: {"_tls12_exchange": {"exchange": {"installed": True, "dag": None}, "host": {"computer_name": computer}}}
        for name, computer in names.items()
    }
    assert [wave["servers"] for wave in tls_waves(seen, list(names), 9)] == [
        ["ex04", "ex05"],
        ["ex04.example.com"],
        ["192.0.2.4"],
    ]


@pytest.mark.parametrize("at_once", ["", None, " ", 1, "1"])
def test_one_at_a_time_unless_somebody_says_more(at_once: Any) -> None:
    assert [wave["servers"] for wave in tls_waves(FLEET, ["ex01", "ex03"], at_once)] == [["ex01"], ["ex03"]]


@pytest.mark.parametrize("at_once", ["many", "0", -1, True, "25%", [2], 1.5])
def test_how_many_is_a_number(at_once: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="it is how many DAGs at a time: a number"):
        tls_waves(FLEET, ["ex01"], at_once)


@pytest.mark.parametrize("result", [{}, {"_tls12_exchange": {"failed": True}}, {"_tls12_exchange": None}])
def test_a_server_that_was_not_asked(result: dict[str, Any]) -> None:
    with pytest.raises(AnsibleFilterError, match="ex09 has no result of exchange_info"):
        tls_waves({"ex09": result}, ["ex09"])


def test_groups_of_waves() -> None:
    groups = {"all": ["ex01"], "tls12_wave_010": ["ex01"], "tls12_wave_002": ["ex02"], "exchange": ["ex01"]}
    assert tls_wave_groups(groups) == ["tls12_wave_002", "tls12_wave_010"]
    assert tls_wave_groups({}) == []
