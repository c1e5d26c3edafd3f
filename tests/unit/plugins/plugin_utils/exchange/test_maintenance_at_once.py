# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several controllers at one DAG: in whatever order their steps happen, never are two members down at once."""

from __future__ import annotations

import random

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import leaving, returning
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.shell import CmdletError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.wishes import Wishes
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.work import AtWork, NotReady
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.laws import examples

from .interleaved import Interleaved
from .living import World, refused

WISHES = Wishes(minimum_healthy_copies=1, longest=3600, stalled=120, others=3600)


class Controller:
    """Takes servers out, restarts them and brings them back, one after the other; ends at the first that fails."""

    def __init__(self, world: World, names: list[str], *, patient: bool = True) -> None:
        self.world, self.names, self.patient = world, names, patient
        self.run = f"run {id(self)}"
        self.done: list[str] = []
        self.failed: dict[str, str] = {}

    def __call__(self) -> None:
        if not self.world.far:
            self.world.at_work.add(self.run)
        try:
            for name in self.names:
                self._one(name)
                self.done.append(name)
        except ExchangeTlsError as exc:
            self.failed[name] = exc.message
        finally:
            self.world.at_work.discard(self.run)

    def _one(self, name: str) -> None:
        for _attempt in range(200):
            work = self.world.work(name, WISHES, by=self.run)
            try:
                leaving.leave(work, leaving.plan(work))
                break
            except (NotReady, AtWork, CmdletError):
                # not ready, by another run, or restarting by another run
                if not self.patient:
                    raise
                work.means.sleep(60)
        else:
            raise ExchangeTlsError("was never ready")
        self.world.restart(name)
        back = self.world.work(name, WISHES, by=self.run)
        before = back.remembered(back.components(name))
        assert before is not None, "somebody else has brought it back"
        back.remember(before)
        returning.come_back(back)


def together(world: World, seed: int, *controllers: Controller) -> None:
    Interleaved(world, random.Random(seed).choice).run(*controllers)


@examples(30)
@given(st.integers(0, 2**32), st.integers(2, 4), st.sampled_from(["in order", "reversed", "refused"]))
def test_two_controllers_at_one_dag(seed: int, size: int, piped: str) -> None:
    group = tuple(f"EX0{number}" for number in range(1, size + 1))
    world = World(group)
    world.piped = piped
    was = {name: server.shown() for name, server in world.servers.items()}
    one, other = Controller(world, list(group)), Controller(world, list(reversed(group)))
    together(world, seed, one, other)
    assert world.two_out == []
    assert {name: server.shown() for name, server in world.servers.items()} == was
    assert (one.failed, other.failed) == ({}, {}), "both wait for each other, and come to their end"


@examples(30)
@given(st.integers(0, 2**32))
def test_controllers_that_know_nothing_of_each_other(seed: int) -> None:
    """Three of them, at the same servers in the same order: what one has begun is no other's."""
    world = World(("EX01", "EX02"))
    world.far = True
    was = {name: server.shown() for name, server in world.servers.items()}
    controllers = [Controller(world, ["EX01", "EX02"]) for _number in range(3)]
    together(world, seed, *controllers)
    assert world.two_out == []
    assert world.in_service == []
    assert {name: server.shown() for name, server in world.servers.items()} == was


@examples(30)
@given(st.integers(0, 2**32))
def test_without_patience_one_of_them_goes(seed: int) -> None:
    """Nobody keeps anybody from going for ever."""
    world = World(("EX01", "EX02"))
    one, other = Controller(world, ["EX01"], patient=False), Controller(world, ["EX02"], patient=False)
    together(world, seed, one, other)
    assert world.two_out == []
    assert one.done or other.done


@examples(30)
@given(st.integers(0, 2**32))
def test_steps_that_fail(seed: int) -> None:
    world = World(("EX01", "EX02", "EX03"))
    chance = random.Random(seed + 1)
    world.error = lambda _server, _what: refused("it fails.") if chance.random() < 0.02 else None
    controllers = [Controller(world, ["EX01", "EX02"]), Controller(world, ["EX03", "EX02"])]
    together(world, seed, *controllers)
    assert world.two_out == []
    for controller in controllers:
        assert set(controller.done) | set(controller.failed) or not controller.names


@pytest.mark.parametrize(("dags", "seed"), [(25, 0), (125, 1)])
def test_a_fleet(dags: int, seed: int) -> None:
    """Three controllers at once, where two of a hundred servers are faulty: all that did not fail is done."""
    groups = [tuple(f"EX{group:03}{letter}" for letter in "ABCD") for group in range(dags)]
    world = World(*groups)
    chance = random.Random(seed + 1)
    broken = set(chance.sample(sorted(world.servers), dags * 4 // 50))
    world.error = lambda server, what: (
        refused("it fails.") if server in broken and what.startswith("Set-Mail") else None
    )
    names = sorted(world.servers)
    controllers = [Controller(world, [name]) for name in chance.sample(names, len(names))]

    def slice_of(number: int) -> None:
        for controller in controllers[number::3]:
            controller()

    Interleaved(world, random.Random(seed).choice).run(*(lambda n=n: slice_of(n) for n in range(3)))  # type: ignore[misc]
    assert world.two_out == []
    assert {name for item in controllers for name in item.failed} == broken
    assert {name for item in controllers for name in item.done} == set(names) - broken
