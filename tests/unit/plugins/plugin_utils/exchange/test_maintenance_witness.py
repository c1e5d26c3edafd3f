# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A witness share on an Exchange server: it has a vote in the quorum of a DAG, and restarts as others do."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import view
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.work import (
    AnotherMember,
    MaintenanceFailed,
    NotReady,
)

from .interleaved import Interleaved
from .living import World
from .maintained import back, out

DAG, WITNESS = ("EX01", "EX02"), "EX09"


def world_of(*groups: tuple[str, ...], alone: tuple[str, ...] = (WITNESS,)) -> World:
    """The first DAG has its witness on EX09."""
    world = World(*(groups or (DAG,)), alone=alone)
    world.witnesses["DAG-EX01"] = f"{WITNESS.lower()}.example.com"
    return world


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("EX01", WITNESS, "EX01, a member of DAG-EX01, whose witness it is, has ServerWideOffline Inactive"),
        (WITNESS, "EX02", "EX09, the witness of DAG-EX01, has ServerWideOffline Inactive"),
    ],
)
def test_neither_goes_while_the_other_is_away(first: str, second: str, said: str) -> None:
    world = world_of()
    out(world, first)
    with pytest.raises(NotReady, match=said) as caught:
        out(world, second)
    assert [item["id"] for item in caught.value.details["obstacles"]].count("dag.bound") == 1
    world.restart(first)
    back(world, first)
    out(world, second)


def test_a_witness_that_is_marked_in_between_is_waited_for() -> None:
    world = world_of()

    def turn(server: str, what: str) -> None:
        if (server, what) == ("EX01", "after Set-ServerComponentState HubTransport Maintenance Draining"):
            world.servers[WITNESS].words["HubTransport"] = {"Maintenance": "Draining"}

    world.turn = turn
    with pytest.raises(AnotherMember, match="EX09, the witness of DAG-EX01, has HubTransport"):
        out(world, "EX01", others=30.0)


def test_a_member_of_another_dag_may_be_the_witness() -> None:
    world = world_of(DAG, ("EX08", WITNESS), alone=())
    out(world, "EX08")
    out(world, "EX01")
    with pytest.raises(NotReady) as caught:
        out(world, WITNESS)
    assert {item["id"] for item in caught.value.details["obstacles"]} >= {"dag.bound", "dag.marked"}


@pytest.mark.parametrize("witness", ["fs01.example.com", "EX02.example.com", " ", None, 7, ["EX09"]])
def test_where_the_witness_is_no_other_exchange_server(witness: object) -> None:
    """Or where Exchange names it in a form that nobody has seen."""
    world = world_of()
    world.witnesses["DAG-EX01"] = witness  # type: ignore[assignment]
    assert view.look(world.work("EX01").means.shell, "EX01").bound == ()
    assert view.look(world.work(WITNESS).means.shell, WITNESS).bound == ()


def test_one_that_is_not_needed_is_of_no_interest() -> None:
    """As of a DAG whose number of members is odd."""
    world = world_of()
    world.share = "None"
    assert view.look(world.work("EX01").means.shell, "EX01").bound == ()
    assert view.look(world.work(WITNESS).means.shell, WITNESS).bound == ()


@pytest.mark.parametrize("seed", range(60))
def test_whatever_the_order_of_steps(seed: int) -> None:
    world = world_of()
    together: list[set[str]] = []

    def job(name: str) -> Callable[[], None]:
        def run() -> None:
            try:
                out(world, name, others=3600.0, stalled=3600.0, longest=7200.0)
            except (NotReady, AnotherMember, MaintenanceFailed):
                return
            away = {item for item in (*DAG, WITNESS) if world.servers[item].state("ServerWideOffline") == "Inactive"}
            together.append(away)
            world.restart(name)
            back(world, name)

        return run

    Interleaved(world, random.Random(seed).choice).run(job("EX02"), job(WITNESS))
    assert together, "one of them goes"
    assert all(len(away) == 1 for away in together)
