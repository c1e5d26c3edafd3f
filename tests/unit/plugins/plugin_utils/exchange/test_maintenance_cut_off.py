# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A maintenance that was cut off anywhere, and what is left of it: whose it is, what counts, and how it is finished."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import leaving, returning
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.work import (
    AnotherMember,
    AtWork,
    MaintenanceFailed,
    NotReady,
)

from .living import Cut, World, refused
from .maintained import DAG, back, done, out


def _cut_points(run: Any, version: str) -> int:
    world = World(DAG, version=version)
    world.servers["EX01"].mail = 5
    steps: list[str] = []
    world.turn = lambda _name, what: steps.append(what)
    run(world)
    return len(steps)


def _cut_after(steps: int) -> Callable[[str, str], None]:
    """What ends the run after so many steps."""
    left = [steps]

    def turn(_name: str, _what: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Cut

    return turn


def _in_and_out(world: World) -> None:
    out(world)
    world.restart("EX01")
    back(world)


@pytest.mark.parametrize("version", ["2016", "2019"])
@pytest.mark.parametrize("finish", [True, False])
def test_cut_anywhere(finish: bool, version: str) -> None:
    """Killed before or after any step, on the way out or back: the next run ends in service as it was."""
    for policy in ("Unrestricted", "IntrasiteOnly"):
        for point in range(_cut_points(_in_and_out, version)):
            world = World(DAG, version=version)
            server = world.servers["EX01"]
            server.mail, server.policy = 5, policy
            was = server.shown()
            world.turn = _cut_after(point)
            with pytest.raises(Cut):
                _in_and_out(world)
            world.turn = lambda _name, _what: None
            server.down = False
            if finish:
                _in_and_out(world)
            else:
                back(world)
            assert server.shown() == was, (policy, point)
            assert server.record is None


def test_a_record_that_was_left_over_is_no_reason_to_change_anything() -> None:
    """Somebody has mended the server by hand since, and keeps it closed for a reason of theirs."""
    world = World(DAG)
    server = world.servers["EX01"]
    out(world)
    record = server.record
    back(world)
    server.record, server.policy = record, "Blocked"
    work = back(world)
    assert (server.policy, server.record, work.steps) == ("Blocked", None, [])
    server.record = record
    out(world)
    back(world)
    assert server.policy == "Blocked"


@pytest.mark.parametrize(
    ("at", "counts"), [("2026-11-20T00:05:00Z", True), ("2026-10-20T00:05:00Z", False), ("x", False)]
)
def test_a_file_counts_only_for_the_maintenance_that_it_is_of(at: str, counts: bool) -> None:
    """The marks of these servers are of 2026-11-20T00:00:00Z."""
    world = World(DAG)
    server = world.servers["EX01"]
    was = server.shown()
    out(world)
    assert server.record is not None
    server.file, server.record = server.record.replace('"at": "0.0"', f'"at": "{at}"'), None
    if counts:
        assert "server.record" in {item.id for item in back(world).remarks}
        assert server.shown() == was
        return
    with pytest.raises(NotReady, match="whoever began that"):
        out(world)
    assert back(world).steps == []


def test_a_file_of_a_maintenance_that_never_began_is_removed() -> None:
    """The run was cut off between the file and the record on the server; somebody's own maintenance may come soon."""
    world = World(DAG)
    server = world.servers["EX01"]
    out(world)
    kept = server.record
    back(world)
    server.file = kept
    work = back(world)
    assert (server.file, work.steps, work.remarks) == (None, [], [])


def test_a_run_goes_on_only_while_all_is_well() -> None:
    """It was cut off, and meanwhile the other copies have broken."""
    world = World(DAG)
    out(world)
    was = World(DAG).servers["EX01"].shown()
    for database in world.databases:
        database.active = "EX02"
        database.sick = {"EX03": "FailedAndSuspended"}
    world.servers["EX03"].words["HubTransport"] = {"Maintenance": "Draining"}
    with pytest.raises((NotReady, AnotherMember), match="EX01 is back in service"):
        out(world)
    assert world.servers["EX01"].shown() == was


def test_another_run_takes_it_over_only_when_this_one_is_not_seen_any_more() -> None:
    """Of a run of another controller nobody knows whether it lives."""
    world = World(DAG)
    world.far = True
    first = world.work("EX01", by="first")
    leaving.leave(first, leaving.plan(first))
    second = world.work("EX01", by="second")
    with pytest.raises(AtWork, match="first"):
        leaving.plan(second)
    world.time += 1000
    leaving.leave(second, leaving.plan(second))
    with pytest.raises(AtWork, match="second"):
        returning.come_back(first)
    assert world.servers["EX01"].is_out


def test_transport_that_was_not_restarted_on_the_way_back_is() -> None:
    world = World(DAG)
    out(world)
    fails = [True]
    world.error = lambda _server, what: refused("it hangs.") if what == "transport" and fails else None
    with pytest.raises(ExchangeTlsError, match="it hangs"):
        back(world)
    fails.clear()
    world.log.clear()
    back(world)
    assert "restarts transport" in done(world)
    assert world.servers["EX01"].record is None


def test_what_others_hold_does_not_keep_it_from_coming_back() -> None:
    world = World(DAG)
    world.servers["EX01"].words["ServerWideOffline"] = {"Functional": "Inactive"}
    was = world.servers["EX01"].shown()
    out(world)
    back(world, stalled=30.0)
    assert world.servers["EX01"].shown() == was


def test_a_database_of_its_own_must_be_mounted_again() -> None:
    world = World(DAG)
    world.databases[0].copies = ("EX01",)
    out(world)
    world.databases[0].active = ""
    with pytest.raises(MaintenanceFailed, match="DB-EX01 is not mounted"):
        back(world, stalled=30.0)
