# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The components of several servers in one question: what counts of the answer, and what is asked again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    ConnectionLost,
    HostBusy,
    LoginRefused,
    UnexpectedAnswer,
    Unreachable,
    WsmanFault,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import leaving, shell, view
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.records import Record
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.work import MaintenanceFailed

from .living import Server, Shell, World
from .maintained import DAG, out
from .organisation import component

NAMES = ("EX1.example.com", "EX10", "EX2")
SWO, HUB = "ServerWideOffline", "HubTransport"


class Asked:
    """A shell that answers a question for several with what it was given."""

    def __init__(self, answer: list[Record] | Exception) -> None:
        self.answer = answer

    def read_each(self, _cmdlet: str, _names: Sequence[str]) -> list[Record]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def of(server: Any, *names: str, state: str = "Active") -> list[Record]:
    found = [component(name, state) for name in names or (SWO, HUB, "EwsProxy")]
    for record in found:
        record.put("ServerFqdn", server)
    return found


def told(answer: list[Record] | Exception) -> dict[str, str]:
    found = view.components_at_once(cast(Any, Asked(answer)), NAMES)
    return {name: item[HUB].state for name, item in found.items()}


ONE, TEN, TWO = of("EX1.example.com"), of("EX10.example.com", state="Draining"), of("EX2.example.com")
ALL = [("EX1.example.com", "Active"), ("EX10", "Draining"), ("EX2", "Active")]
WITHOUT = component(HUB)

ANSWERS: dict[str, tuple[list[Record], list[tuple[str, str]]]] = {
    "in order": ([*ONE, *TEN, *TWO], ALL),
    "in another order": ([*TWO, *TEN, *ONE], ALL[::-1]),
    "in other letters": ([*of("ex1.EXAMPLE.com"), *of("eX10.example.com", state="Draining"), *of("ex2")], ALL),
    "short names": ([*of("EX1"), *of("EX10", state="Draining"), *of("EX2")], ALL),
    "somebody is missing": ([*ONE, *TWO], [ALL[0], ALL[2]]),
    "nobody": ([], []),
    "a stranger": ([*of("EX3.example.com"), *ONE], [ALL[0]]),
    "of another namespace": ([*of("EX1.corp.example.net"), *TEN], [ALL[1]]),
    "nobody says who it is": ([*of(None), *TEN, *of(Record("EX2"))], [ALL[1]]),
    "of whom the end is not known": ([*ONE[:1], WITHOUT, *TWO], [ALL[2]]),
    "of which a part is not known": ([ONE[0], WITHOUT, ONE[2], *TWO], []),
    "without what tells": ([*of("EX1", SWO, "EwsProxy"), *of("EX10", HUB), *TWO], [ALL[2]]),
    "mixed": ([ONE[0], *TEN, *ONE[1:], *TWO], []),
    "somebody twice": ([*ONE, *TEN, *ONE], []),
    "what is no state": ([*ONE, *of("EX10", SWO, HUB, state="Perhaps")], []),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_counts(name: str) -> None:
    """Whoever is not in it is asked by itself: nothing is taken for an answer that is none."""
    answer, wanted = ANSWERS[name]
    assert list(told(answer).items()) == wanted


FAILURES = (
    shell.CmdletError("cannot be bound"),
    shell.CmdletNotFound("no such parameter"),
    shell.CmdletDenied("not of that server"),
    shell.SessionLost("not known any more"),
    shell.SessionBroken("the connection broke"),
    shell.CmdletUnfinished("did not end"),
    ConnectionLost("no answer"),
    HostBusy("HTTP 503"),
    Unreachable("HTTP 400"),
    WsmanFault("the pipe is being closed"),
    UnexpectedAnswer("no object"),
)


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_whatever_fails_is_asked_one_by_one(error: Exception) -> None:
    assert told(error) == {}


def test_a_login_that_is_refused_is_not_tried_again() -> None:
    with pytest.raises(LoginRefused):
        told(LoginRefused("HTTP 401"))


def test_a_member_that_hangs_does_not_answer() -> None:
    """Not the server that was asked: no question to another member fails for that."""
    world = World(DAG)
    asked: list[str] = []

    def error(_server: str, cmdlet: str) -> Exception | None:
        asked.append(cmdlet)
        # the one for all, and that for EX02, which comes after EX01 itself
        hangs = cmdlet == "Get-ServerComponentState" and asked.count(cmdlet) in (1, 3)
        return shell.CmdletUnfinished("It did not end within 600 seconds.") if hangs else None

    world.error = error
    seen = view.look(world.work("EX01").means.shell, "EX01")
    assert {item.name: item.why for item in seen.members} == {
        "EX02": "It did not end within 600 seconds.",
        "EX03": None,
    }


def test_a_mark_that_only_the_directory_has_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are told by the server itself, and by a domain controller that may be late."""
    whole = Shell._get_servercomponentstate

    def without(self: Shell, Identity: Any) -> list[Record]:  # noqa: N803
        found = whole(self, Identity)
        for record in found:
            record.put("LocalStates", [])
        return found

    monkeypatch.setattr(Shell, "_get_servercomponentstate", without)
    world = World(DAG)
    with pytest.raises(MaintenanceFailed, match=r"was told to drain; no error came, and it has no effect\. .* back in"):
        out(world)
    assert world.servers["EX01"].shown() == Server("EX01").shown()


def test_the_own_look_comes_before_those_at_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an answer in which parts of two servers are mixed nothing counts: the mark that it shows may have come after
    the look at the other one, which has looked in between."""
    world = World(("EX01", "EX02"))
    late: list[str] = []

    def mixed(self: Shell, cmdlet: str, names: Sequence[str]) -> list[Record]:
        self._counted(cmdlet)
        own, *others = [self._named(cmdlet)(Identity=name) for name in names]
        if late:
            # meanwhile the own mark comes into effect, and the other one is set
            world.mute = lambda _told: False
            world.servers["EX01"].words[HUB] = {"Maintenance": "Draining"}
            world.servers["EX02"].words[HUB] = {"Maintenance": "Draining"}
        return [own[0], *(record for other in others for record in other), *self._named(cmdlet)(Identity=names[0])[1:]]

    monkeypatch.setattr(Shell, "read_each", mixed)
    work = world.work("EX01")
    seen = leaving.plan(work)
    late.append("now")
    world.mute = lambda told: told.startswith("Set-ServerComponentState HubTransport")
    found = leaving._mark_and_look(work, seen.components, "EX01.example.com", ["EX02"])
    assert found == {"EX02": ["has HubTransport Draining (by Maintenance)"]}


def test_a_wait_for_another_member_outlasts_a_busy_server() -> None:
    """Whoever is busy tells later, here as in all other waits."""
    world = World(DAG)
    asked: list[str] = []

    def turn(name: str, what: str) -> None:
        if name == "EX02" and what.startswith("after remembering"):
            world.servers["EX01"].words["HubTransport"] = {"Maintenance": "Draining"}
        if len(asked) >= 12:
            world.servers["EX01"].words.pop("HubTransport", None)

    def error(_server: str, cmdlet: str) -> Exception | None:
        is_waiting = bool(world.servers["EX01"].words.get("HubTransport"))
        if not is_waiting or world.time == 0 or cmdlet != "Get-ServerComponentState":
            return None
        asked.append(cmdlet)
        return HostBusy("HTTP 503.") if len(asked) > 6 else None

    world.turn, world.error = turn, error
    out(world, "EX02", others=600.0)
    assert len(asked) >= 12
    assert world.servers["EX02"].state("ServerWideOffline") == "Inactive"


def test_who_comes_first_keeps_its_mark_while_a_server_is_busy() -> None:
    """Both have just been marked; the other one takes its own back after some looks, of which one is not answered."""
    world = World(DAG)
    looks: list[float] = []

    def turn(name: str, what: str) -> None:
        if what.startswith("after remembering"):
            world.servers["EX02"].words["HubTransport"] = {"Maintenance": "Draining"}
        if len(looks) >= 8:
            world.servers["EX02"].words.pop("HubTransport", None)

    def error(_server: str, cmdlet: str) -> Exception | None:
        if world.time == 0 or cmdlet != "Get-ServerComponentState" or len(looks) >= 8:
            return None
        looks.append(world.time)
        return HostBusy("HTTP 503.") if 2 < len(looks) < 6 else None

    world.turn, world.error = turn, error
    out(world, "EX01", others=600.0)
    assert world.servers["EX01"].state("ServerWideOffline") == "Inactive"
    marks = [what for name, what in world.log if name == "EX01" and "HubTransport" in what]
    assert len(marks) == 1, "it was never taken back"
