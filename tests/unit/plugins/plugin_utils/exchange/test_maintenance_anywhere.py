# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A maintenance that is disturbed at every single exchange of it, in every way that makes a difference.

What may have become of the server then is one table: it is as it was, out, or on its way with a record of how it was.
What the run says of it is true, and the next run finishes it, whichever way that goes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    ConnectionLost,
    ExchangeTlsError,
    Unreachable,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.shell import CmdletError

from .living import Cut, World
from .maintained import DAG, back, out

# No exchange with anybody: time passes there, or Windows starts.
_NONE = ("sleeps", "is down")


@dataclasses.dataclass(frozen=True)
class Way:
    """What comes instead of an answer. goes_on: so do all later exchanges fail."""

    error: Callable[[], BaseException]
    goes_on: bool = False


WAYS = {
    "killed": Way(Cut),
    "refused": Way(lambda: CmdletError("the directory is away")),
    "answer lost": Way(lambda: ConnectionLost("the connection broke")),
    "gone": Way(lambda: Unreachable("nobody answers"), goes_on=True),
}

OUT = "out of service"
BACK = "back in service"
AS_IT_WAS, ON_ITS_WAY, IS_OUT, RECORD = "as it was", "on its way", "out", "as it was, with a record"

DONE, FAILED, TAKEN_BACK, LEFT = "done", "failed", "failed, in service again", "failed, not brought back"
_BACK_FAILED = {(FAILED, IS_OUT), (FAILED, ON_ITS_WAY), (FAILED, RECORD), (FAILED, AS_IT_WAS)}

#: By direction and way: how the run ends, and how the server is then. No other end occurs.
ENDS = {
    (OUT, "killed"): {("killed", AS_IT_WAS), ("killed", RECORD), ("killed", ON_ITS_WAY), ("killed", IS_OUT)},
    (OUT, "refused"): {(FAILED, AS_IT_WAS), (FAILED, RECORD), (TAKEN_BACK, AS_IT_WAS), (DONE, IS_OUT)},
    (OUT, "answer lost"): {(FAILED, AS_IT_WAS), (FAILED, RECORD), (TAKEN_BACK, AS_IT_WAS), (DONE, IS_OUT)},
    (OUT, "gone"): {
        (FAILED, AS_IT_WAS),
        (FAILED, RECORD),
        (LEFT, RECORD),
        (LEFT, ON_ITS_WAY),
        (LEFT, IS_OUT),
    },
    (BACK, "killed"): {("killed", IS_OUT), ("killed", ON_ITS_WAY), ("killed", RECORD), ("killed", AS_IT_WAS)},
    (BACK, "refused"): _BACK_FAILED | {(DONE, AS_IT_WAS)},
    (BACK, "answer lost"): _BACK_FAILED | {(DONE, AS_IT_WAS)},
    (BACK, "gone"): _BACK_FAILED,
}


def disturb(world: World, way: Way, at: int) -> Callable[[], bool]:
    """Something goes wrong at that exchange. Returns what tells whether it has."""
    count = [0]

    def turn(_name: str, what: str) -> None:
        if what in _NONE:
            return
        count[0] += 1
        if count[0] == at or (way.goes_on and count[0] > at):
            raise way.error()

    world.turn = turn
    return lambda: count[0] >= at


def made(direction: str) -> World:
    """A world in which the run of that direction is about to begin."""
    world = World(DAG)
    world.servers["EX01"].mail = 5
    world.servers["EX01"].policy = "IntrasiteOnly"
    if direction == BACK:
        out(world)
        world.restart("EX01")
    return world


def ended(world: World, direction: str) -> str:
    """How a run ends, in the words of its error."""
    try:
        (out if direction == OUT else back)(world)
    except Cut:
        return "killed"
    except ExchangeTlsError as exc:
        told = exc.details.get("back")
        return FAILED if told is None else TAKEN_BACK if told else LEFT
    return DONE


def state(world: World, was: object) -> str:
    server = world.servers["EX01"]
    if server.shown() == was:
        return AS_IT_WAS if server.record is None else RECORD
    assert server.record is not None, "nobody could bring it back"
    return IS_OUT if server.state("ServerWideOffline") == "Inactive" else ON_ITS_WAY


def each(direction: str, way: Way) -> Iterator[tuple[int, World, str]]:
    """The world after each exchange of a run was disturbed, and how the run has ended."""
    at = 0
    while True:
        at += 1
        world = made(direction)
        happened = disturb(world, way, at)
        how = ended(world, direction)
        if not happened():
            return
        world.turn = lambda _name, _what: None
        yield at, world, how


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("direction", [OUT, BACK])
def test_the_ends_that_there_are(direction: str, way: str) -> None:
    was = made(OUT).servers["EX01"].shown()
    found: dict[tuple[str, str], int] = {}
    for at, world, how in each(direction, WAYS[way]):
        found.setdefault((how, state(world, was)), at)
        for finish in (OUT, BACK):
            _finished(world if finish == BACK else _again(direction, way, at), finish, was)
    assert set(found) == ENDS[direction, way], found


def _again(direction: str, way: str, at: int) -> World:
    world = made(direction)
    disturb(world, WAYS[way], at)
    ended(world, direction)
    world.turn = lambda _name, _what: None
    return world


def _finished(world: World, finish: str, was: object) -> None:
    """The next run takes it out, and one after the restart brings it back; or the next brings it back at once."""
    server = world.servers["EX01"]
    server.down = False
    if finish == OUT:
        out(world)
        assert server.is_out
        world.restart("EX01")
    back(world)
    assert server.shown() == was
    assert server.record is None
