# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waves: servers that may be restarted side by side."""

from __future__ import annotations

import collections
import math

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.waves import UNKNOWN, dag_of, waves
from hypothesis import given
from hypothesis import strategies as st

dags = st.none() | st.sampled_from(["DAG1", "dag1", "DAG2", "DAG3", UNKNOWN])
fleets = st.lists(dags, max_size=20).map(lambda found: {f"ex{number:02}": dag for number, dag in enumerate(found)})
limits = st.integers(1, 6)


def of(dag: str | None, server: str) -> str:
    return f"server {server}" if dag is None else dag.casefold()


@given(fleets, limits)
def test_never_two_members_of_one_dag(fleet: dict[str, str | None], at_once: int) -> None:
    for wave in waves(fleet, at_once):
        assert 1 <= len(wave) <= at_once
        assert len({of(fleet[server], server) for server in wave}) == len(wave)


@given(fleets, limits)
def test_every_server_once(fleet: dict[str, str | None], at_once: int) -> None:
    found = [server for wave in waves(fleet, at_once) for server in wave]
    assert sorted(found) == sorted(fleet)


@given(fleets, limits)
def test_as_few_waves_as_can_be(fleet: dict[str, str | None], at_once: int) -> None:
    sizes = collections.Counter(of(dag, server) for server, dag in fleet.items())
    least = max(math.ceil(len(fleet) / at_once), *sizes.values(), 0)
    assert len(waves(fleet, at_once)) == least


@given(fleets)
def test_one_at_a_time(fleet: dict[str, str | None]) -> None:
    assert all(len(wave) == 1 for wave in waves(fleet, 1))


@given(fleets, limits, st.lists(st.none() | st.sampled_from(["Oulu", "oulu", "Turku"]), min_size=20, max_size=20))
def test_never_two_servers_of_one_site_that_are_in_no_dag(
    fleet: dict[str, str | None], at_once: int, places: list[str | None]
) -> None:
    sites = dict(zip(fleet, places, strict=False))
    found = waves(fleet, at_once, sites)
    assert sorted(server for wave in found for server in wave) == sorted(fleet)
    for wave in found:
        own = [site.casefold() for server in wave if fleet[server] is None and (site := sites[server]) is not None]
        assert len(set(own)) == len(own)
        assert len(wave) <= at_once


def test_an_order_that_people_expect() -> None:
    fleet = {"ex01": "DAG1", "ex02": "dag1", "ex03": "DAG2", "ex04": "DAG2", "ex05": None, "ex06": None}
    assert waves(fleet, 2) == [["ex01", "ex03"], ["ex02", "ex04"], ["ex05", "ex06"]]
    assert waves(fleet, 9) == [["ex01", "ex03", "ex05", "ex06"], ["ex02", "ex04"]]
    assert waves({}, 3) == []


@pytest.mark.parametrize(
    ("exchange", "dag"),
    [
        (None, None),
        ({"installed": False}, None),
        ({"installed": True, "dag": None}, None),
        ({"installed": True, "dag": {"name": "DAG1", "nodes": {}}}, "DAG1"),
        ({"installed": True, "dag": {"name": None, "nodes": {}}}, UNKNOWN),
    ],
)
def test_what_a_server_says_of_its_dag(exchange: dict[str, object] | None, dag: str | None) -> None:
    assert dag_of(exchange) == dag
