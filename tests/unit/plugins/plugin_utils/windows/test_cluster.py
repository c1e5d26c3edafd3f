# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the other members of a cluster are up, before one is restarted."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import AccessDenied, Unreachable
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows import cluster
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.cluster import MemberDown, Wait

from ..fakes import FakeWindows, Trouble, registry_of, service


def member(**states: int) -> FakeWindows:
    windows = FakeWindows({"Cluster": {"ClusterName": Value(Type.REG_SZ, "DAG1")}})
    windows.services = [service("ClusSvc")]
    windows.instances["MSCluster_Node"] = [{"Name": name, "State": str(state)} for name, state in states.items()]
    return windows


class Clock:
    """Time passes only while somebody sleeps; then things happen."""

    def __init__(self, windows: FakeWindows, then: dict[str, int], after: int = 3) -> None:
        self.now, self.left, self.windows, self.then = 0.0, after, windows, then
        self.said: list[str] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.left -= 1
        if self.left == 0:
            self.windows.instances["MSCluster_Node"] = member(**self.then).instances["MSCluster_Node"]

    def wait(self, seconds: float) -> Wait:
        return Wait(seconds, self.said.append, self.sleep, lambda: self.now)


def check(windows: FakeWindows, wait: Wait | None = None) -> None:
    cluster.check_others(cast(Any, windows), registry_of(windows), "EX01", wait or Wait())


def test_a_server_in_no_cluster_costs_a_request() -> None:
    windows = FakeWindows()
    check(windows)
    assert len(windows.calls) == 1


def test_a_member_among_others_that_are_up() -> None:
    windows = member(EX01=0, EX02=0, EX03=0)
    check(windows)
    assert len(windows.calls) == 3


def test_how_it_is_itself_does_not_matter() -> None:
    """It may be paused already, by a hook."""
    check(member(ex01=2, EX02=0))


@pytest.mark.parametrize(
    ("state", "word"), [(1, "down"), (2, "paused"), (3, "joining"), (-1, "unknown"), (7, "unknown")]
)
def test_another_one_is_not_up(state: int, word: str) -> None:
    with pytest.raises(MemberDown) as caught:
        check(member(EX01=0, EX02=state, EX03=0))
    assert caught.value.message.startswith(
        f"Not restarted: of its DAG DAG1, EX02 is {word}. Two members away at a time"
    )
    cut_off = " (if a run was cut off at EX02, run this for it: it finishes that)" if word == "paused" else ""
    assert caught.value.message.endswith(
        f"Bring it back first{cut_off}; or, where that is as it should be, set 'dag_check' to false."
    )
    assert caught.value.as_result() == {"kind": "member_down", "members": {"EX02": word}}


@pytest.mark.parametrize(
    ("state", "flags", "word"),
    [(1, "2", "quarantined"), (1, "18", "quarantined"), (1, "0", "down"), (1, "16", "down"), (2, "2", "paused")],
)
def test_a_node_that_may_not_join(state: int, flags: str, word: str) -> None:
    """Windows 2016 and later keep a node out for two hours that has left its cluster again and again."""
    windows = member(EX01=0, EX02=state)
    windows.instances["MSCluster_Node"][1]["StatusInformation"] = flags
    with pytest.raises(MemberDown) as caught:
        check(windows)
    cure = "once it is mended why EX02 left the cluster again and again: Start-ClusterNode EX02 -ClearQuarantine"
    assert f"EX02 is {word}. Two members" in caught.value.message
    assert (f"Bring it back first ({cure}); or" in caught.value.message) is (word == "quarantined")


def test_one_that_comes_back_is_waited_for() -> None:
    windows = member(EX01=0, EX02=1)
    clock = Clock(windows, {"EX01": 0, "EX02": 0})
    check(windows, clock.wait(60))
    assert clock.now == 15
    assert clock.said == ["waiting for other members of its DAG: EX02 is down (0 of at most 60 seconds)"]


def test_one_that_is_paused_is_not_waited_for() -> None:
    windows = member(EX01=0, EX02=2, EX03=3)
    clock = Clock(windows, {"EX01": 0, "EX02": 0})
    with pytest.raises(MemberDown):
        check(windows, clock.wait(60))
    assert clock.now == 0


def test_the_wait_has_an_end() -> None:
    windows = member(EX01=0, EX02=1)
    clock = Clock(windows, {"EX01": 0, "EX02": 0}, after=99)
    with pytest.raises(MemberDown):
        check(windows, clock.wait(30))
    assert clock.now == 30


def test_a_cluster_that_does_not_tell() -> None:
    """Nobody knows whether two would be away: people have to say so."""
    windows = member(EX01=0, EX02=1)
    windows.trouble = lambda call: Trouble(AccessDenied("no right.")) if call.of == "MSCluster_Node" else None
    clock = Clock(windows, {"EX01": 0, "EX02": 0}, after=99)
    with pytest.raises(MemberDown) as caught:
        check(windows, clock.wait(1800))
    assert caught.value.message == (
        "Not restarted: whether the other members of its DAG are up, its cluster does not tell: no right. See for "
        "yourself that they are; then set 'dag_check' to false."
    )
    assert clock.now == 60
    with pytest.raises(MemberDown, match="it lists no members"):
        check(member())


def test_a_cluster_whose_service_is_still_starting() -> None:
    windows = member()
    clock = Clock(windows, {"EX01": 0, "EX02": 0})
    check(windows, clock.wait(1800))
    assert clock.now == 15


def test_a_host_that_is_gone() -> None:
    windows = member(EX01=0, EX02=1)
    windows.trouble = lambda call: Trouble(Unreachable("gone")) if call.number == 3 else None
    with pytest.raises(Unreachable):
        check(windows)
