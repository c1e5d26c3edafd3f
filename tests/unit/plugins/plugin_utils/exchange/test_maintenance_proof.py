# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""That no error came is no proof: what was told and had no effect, and what is not there again, is found and said."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import HostBusy
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import leaving, queues
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.component_states import (
    HUB_TRANSPORT,
    Components,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.wishes import Wishes
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.work import (
    AnotherMember,
    MaintenanceFailed,
    NotAsBefore,
    NotReady,
)

from .living import Cut, Database, World, refused
from .maintained import DAG, back, done, out


def waiting(world: World, name: str = "EX01") -> list[str]:
    """What was done with the server, without what is not to do with Exchange."""
    return [step for step in done(world, name) if step.startswith(("Set-", "pauses", "resumes"))]


# --- out -------------------------------------------------------------------------------------------------------------


def test_a_mark_that_is_not_there_is_none() -> None:
    """Before anything else is done: the mark is what keeps two members from being out together."""
    world = World(DAG)
    world.mute = lambda told: told.endswith("HubTransport Maintenance Draining")
    with pytest.raises(MaintenanceFailed, match="HubTransport of EX01 was told to drain; no error came, and it has no"):
        out(world)
    assert waiting(world) == ["Set-ServerComponentState HubTransport Maintenance Draining"]


@pytest.mark.parametrize(
    ("silent", "said"),
    [
        ("UMCallRouter Maintenance Draining", "has not asked for Draining of UMCallRouter"),
        ("ServerWideOffline Maintenance Inactive", "has not asked for Inactive of ServerWideOffline"),
        ("pause", "its cluster node to pause came to no end"),
    ],
)
def test_what_was_told_without_effect_is_found_and_taken_back(silent: str, said: str) -> None:
    world = World(DAG)
    was = world.servers["EX01"].shown()
    world.mute = lambda told: told.endswith(silent)
    with pytest.raises(MaintenanceFailed) as caught:
        out(world)
    assert said in caught.value.message
    assert "EX01 is back in service, as it was." in caught.value.message
    assert (world.servers["EX01"].shown(), world.servers["EX01"].record) == (was, None)


def test_a_node_that_may_not_join_its_cluster_says_so() -> None:
    world = World(DAG)
    world.servers["EX01"].node = "quarantined"
    with pytest.raises(MaintenanceFailed) as caught:
        out(world, stalled=60)
    assert ": it is quarantined (once it is mended why EX01 left the cluster again and again: " in caught.value.message
    assert "Start-ClusterNode EX01 -ClearQuarantine). Get-ClusterNode EX01 shows why." in caught.value.message


def test_a_policy_that_was_not_set_is_found() -> None:
    """Where no database is there, nothing that leaves shows it."""
    world = World(DAG)
    world.databases = []
    world.mute = lambda told: told.startswith("Set-MailboxServer")
    with pytest.raises(MaintenanceFailed, match="the activation policy is Unrestricted, MoveNow False"):
        out(world)


@pytest.mark.parametrize("state", ["Dismounting", "Dismounted"])
def test_a_database_in_mid_move_is_waited_for(state: str) -> None:
    """It would be down, and nobody would say so."""
    world = World(DAG)
    world.databases = [Database("DB1", "EX01", DAG, stays=True)]

    def turn(_server: str, what: str) -> None:
        if what.startswith("after Set-MailboxServer"):
            world.databases[0].state = state

    world.turn = turn
    with pytest.raises(MaintenanceFailed, match=r"databases to leave came to no end, .*: DB1") as caught:
        out(world, stalled=60)
    assert caught.value.details["back"] is True


def test_a_database_that_was_dismounted_before_is_left_alone() -> None:
    world = World(DAG)
    world.databases = [Database("DB1", "EX01", DAG, stays=True, state="Dismounted")]
    out(world, stalled=60)


def test_databases_that_stay_elsewhere_are_named() -> None:
    world = World(DAG)
    world.servers["EX01"].mail, world.servers["EX01"].drains = 5, False
    world.error = lambda _server, cmdlet: refused() if cmdlet == "Redirect-Message" else None
    with pytest.raises(MaintenanceFailed) as caught:
        out(world)
    assert world.databases[0].active != "EX01"
    assert caught.value.message.endswith("Active on other members now, and left there: DB-EX01.")


def test_what_is_not_as_promised_is_a_warning() -> None:
    world = World(DAG)
    world.error = lambda _server, cmdlet: refused("no right") if cmdlet == "pause" else None
    work = out(world, pause_node="if_allowed")
    assert [item.message for item in work.remarks if item.warns] == ["The cluster node was not paused: no right"]
    assert not [item for item in out(World(DAG)).remarks if item.warns]


@pytest.mark.parametrize("leads", [True, False])
def test_another_primary_active_manager_is_waited_for(*, leads: bool) -> None:
    """It moves with the restart at the latest, which is no reason to stay, and is said."""
    world = World(DAG)
    for name in DAG[1:]:
        world.servers[name].node = "paused"

    def turn(_server: str, what: str) -> None:
        if what == "sleeps" and leads and world.time > 30:
            world.servers["EX02"].node = "up"

    world.turn = turn
    found = [item for item in out(world, stalled=60).remarks if item.warns]
    assert [item.id for item in found] == ([] if leads else ["dag.manager"])
    assert world.time > 30
    if not leads:
        assert "another Primary Active Manager came to no end" in found[0].message
        assert found[0].message.endswith("It moves when the server restarts.")


def test_transport_that_would_not_start_again_is_not_stopped() -> None:
    """Disabled or to be started by hand, as a setup that has failed leaves it; nothing is changed."""
    world = World(DAG)
    world.servers["EX01"].by_hand.add("MSExchangeTransport")
    with pytest.raises(NotReady, match="MSExchangeTransport of EX01 does not start by itself"):
        out(world)
    assert done(world) == []


def test_a_maintenance_by_hand_is_theirs_who_began_it() -> None:
    """As StartDagServerMaintenance.ps1 leaves a server: without any component marked."""
    world = World(DAG)
    world.servers["EX01"].policy, world.servers["EX01"].node = "Blocked", "paused"
    was = world.servers["EX01"].shown()
    with pytest.raises(NotReady, match=r"Blocked and its cluster node is paused.*StopDagServerMaintenance"):
        out(world)
    assert (world.servers["EX01"].shown(), world.log) == (was, [])


def test_a_server_without_the_components_that_count_is_left_alone() -> None:
    """As one of 2013 that has no hub: there is nothing to mark it by."""
    work = World(DAG).work("EX01")
    seen = leaving.plan(work)
    bare = Components("EX01", [item for name, item in seen.components.items() if name != HUB_TRANSPORT])
    (found,) = leaving._marked(dataclasses.replace(seen, components=bare), None)
    assert found.id == "server.components"
    assert "does not list HubTransport" in found.message
    assert found.message.endswith("do that by hand.")


def test_mail_that_has_no_way_to_go_is_not_waited_for() -> None:
    found = [
        queues.Queue(r"EX01\Unreachable", "Unreachable", "Unreachable Domain", "Ready", 3),
        queues.Queue(r"EX01\7", "SmtpDeliveryToMailbox", "db01", "Ready", 2),
    ]
    assert [item.goes for item in found] == [0, 2]
    assert queues.waiting(found) == 2


# --- back ------------------------------------------------------------------------------------------------------------


def _serves_not(world: World, how: str) -> None:
    server = world.servers["EX01"]
    if how == "banner":
        server.silent = True
    elif how == "transport":
        world.turn = lambda _server, _what: setattr(server, "quiet", 5)
    else:
        world.mute = lambda told: told.endswith(how)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("resume", "its cluster node to be resumed"),
        ("ServerWideOffline Maintenance Active", "ServerWideOffline is Inactive"),
        ("Set-MailboxServer Unrestricted", "its activation policy is Blocked"),
        ("Set-MailboxServer False", "its activation policy is Unrestricted, MoveNow True"),
        ("banner", "no banner"),
        ("transport", "transport does not list its queues"),
    ],
)
def test_what_is_not_there_again_keeps_it_from_being_called_back(how: str, said: str) -> None:
    world = World(DAG)
    out(world)
    world.restart("EX01")
    _serves_not(world, how)
    with pytest.raises(MaintenanceFailed) as caught:
        back(world, stalled=30)
    assert said in caught.value.message
    assert world.servers["EX01"].record is not None, "the next run goes on from it"
    world.mute, world.turn = (lambda _told: False), (lambda _server, _what: None)
    world.servers["EX01"].silent, world.servers["EX01"].quiet = False, 0
    back(world)
    assert world.servers["EX01"].record is None
    assert not world.servers["EX01"].is_out


def test_it_takes_databases_over_only_when_its_copies_are_healthy() -> None:
    """What moves by itself would find copies that are not."""
    world = World(DAG)
    out(world)
    world.restart("EX01")
    world.databases[1].sick["EX01"] = "Resynchronizing"
    opened: list[bool] = []

    def turn(_server: str, what: str) -> None:
        if what == "sleeps" and world.time > 60:
            world.databases[1].sick.pop("EX01", None)
        if what == "Set-MailboxServer Unrestricted":
            opened.append("EX01" in world.databases[1].sick)

    world.turn = turn
    back(world, stalled=120)
    assert opened == [False]


def test_copies_that_are_not_healthy_again_are_a_failure_of_a_server_that_serves() -> None:
    """It is open for what is healthy; and no run goes on to the next member."""
    world = World(DAG)
    was = world.servers["EX01"].shown()
    out(world)
    world.restart("EX01")
    world.databases[1].sick["EX01"] = "FailedAndSuspended"
    with pytest.raises(NotAsBefore, match="in service, but databases are not as they were: DB-EX02 is FailedAnd"):
        back(world, stalled=30)
    assert (world.servers["EX01"].shown(), world.servers["EX01"].record) == (was, None)
    # nothing is left to be ended
    assert back(world).steps == []


@pytest.mark.parametrize("group", [DAG, ("EX01",), ()])
def test_a_database_that_does_not_mount_by_itself_keeps_nobody_out(group: tuple[str, ...]) -> None:
    """As with MountAtStartup off, or a recovery database: who serves the others serves."""
    world = World(group) if group else World(alone=("EX01",))
    world.databases.append(Database("RDB1", "EX01", ("EX01",)))
    was = world.servers["EX01"].shown()
    gone = out(world, minimum_healthy_copies=min(1, max(0, len(group) - 1)))
    assert not [item for item in gone.remarks if item.warns], "nor is another Primary Active Manager waited for"
    world.restart("EX01")
    world.databases[-1].state = "Dismounted"
    with pytest.raises(NotAsBefore, match=r"not as they were: RDB1 is not mounted.*Mount-Database mounts"):
        back(world, stalled=30)
    assert (world.servers["EX01"].shown(), world.servers["EX01"].record) == (was, None)


def test_one_that_mounts_late_is_waited_for() -> None:
    world = World(alone=("EX01",))
    world.databases.append(Database("RDB1", "EX01", ("EX01",)))
    out(world)
    world.restart("EX01")
    world.databases[-1].state = "Mounting"
    assert not [item for item in back(world).remarks if item.warns]


def test_own_copies_that_were_suspended_before_are_not_waited_for() -> None:
    world = World(DAG)
    world.databases[1].sick["EX01"] = "Suspended"
    out(world)
    world.restart("EX01")
    work = back(world, stalled=30)
    assert [item.message for item in work.remarks if item.id == "database.copy"] == [
        "The copy of DB-EX02 was Suspended before, and is left so."
    ]


def test_the_next_member_finds_copies_that_have_caught_up() -> None:
    """What was written while the first one was away has come by then: the run does not end at the second one."""
    world = World(DAG[:2])
    out(world)
    world.restart("EX01")
    for database in world.databases:
        database.logs["EX01"] = 5000
    work = back(world)
    assert not [item for item in work.remarks if item.warns]
    out(world, "EX02")


@pytest.mark.parametrize("lags", [True, False])
def test_a_copy_that_does_not_catch_up_is_told_and_one_that_lags_is_not_waited_for(*, lags: bool) -> None:
    world = World(DAG)
    database = world.databases[1]
    database.follows = False
    if lags:
        database.logs["EX01"] = 3000
    out(world)
    world.restart("EX01")
    database.logs["EX01"] = 4000
    begun = world.time
    found = [item for item in back(world, stalled=300).remarks if item.warns]
    assert [item.id for item in found] == ([] if lags else ["database.behind"])
    assert (world.time - begun >= 300) is not lags
    if not lags:
        assert "DB-EX02 has 4000 logs to copy. Until then they cannot take over." in found[0].message


@pytest.mark.parametrize("given_back", [(HUB_TRANSPORT,), (HUB_TRANSPORT, "UMCallRouter")])
def test_a_mark_that_somebody_took_back_does_not_end_the_maintenance(given_back: tuple[str, ...]) -> None:
    """Whatever still has a word of it is given back, and the policy with it."""
    world = World(DAG)
    world.servers["EX01"].policy = "IntrasiteOnly"
    was = world.servers["EX01"].shown()
    out(world)
    world.restart("EX01")
    for name in given_back:
        world.servers["EX01"].words[name]["Maintenance"] = "Active"
    back(world)
    assert (world.servers["EX01"].shown(), world.servers["EX01"].record) == (was, None)


def test_nor_does_it_for_a_run_that_goes_on() -> None:
    world = World(DAG)
    was = world.servers["EX01"].shown()
    out(world)
    world.servers["EX01"].words[HUB_TRANSPORT]["Maintenance"] = "Active"
    out(world)
    assert world.servers["EX01"].state(HUB_TRANSPORT) != "Active"
    world.restart("EX01")
    back(world)
    assert world.servers["EX01"].shown() == was


def test_a_run_shows_that_it_is_alive_while_it_waits() -> None:
    """Else another controller would take the server over after a while."""
    world = World(DAG)
    world.databases[0].stays = True
    with pytest.raises(MaintenanceFailed):
        out(world, stalled=400)
    assert done(world).count("remembers") > 5


def test_after_a_wait_for_another_member_everything_is_looked_at_again() -> None:
    """It may have come back to less than it was."""
    world = World(DAG)
    work = world.work("EX01", Wishes(minimum_healthy_copies=2, others=600))
    seen = leaving.plan(work)
    world.servers["EX02"].words["ServerWideOffline"] = {"Maintenance": "Inactive"}

    def turn(_server: str, what: str) -> None:
        if what == "sleeps" and world.time > 30:
            world.servers["EX02"].words.clear()
            world.databases[0].sick["EX02"] = "Failed"

    world.turn = turn
    with pytest.raises(NotReady, match="EX02 is Failed"):
        leaving.leave(work, seen)


def test_others_that_come_back_must_take_mail_again() -> None:
    world = World(DAG)
    work = world.work("EX01", Wishes(minimum_healthy_copies=1, others=600, stalled=60))
    seen = leaving.plan(work)
    world.servers["EX02"].words["ServerWideOffline"] = {"Maintenance": "Inactive"}

    def turn(_server: str, what: str) -> None:
        if what == "sleeps" and world.time > 30:
            world.servers["EX02"].words.clear()
            world.servers["EX02"].quiet = 1_000_000

    world.turn = turn
    with pytest.raises(MaintenanceFailed, match="transport of EX02 to answer came to no end"):
        leaving.leave(work, seen)


def test_a_node_that_goes_down_again_is_not_up() -> None:
    world = World(DAG)
    out(world)
    world.restart("EX01")
    world.turn = lambda _server, what: setattr(world.servers["EX01"], "node", "down") if "transport" in what else None
    with pytest.raises(MaintenanceFailed, match="its cluster node is not up"):
        back(world, stalled=30)


def test_the_domain_controller_that_was_told_is_asked() -> None:
    """Others learn late: by them nothing would ever be proven."""
    world = World(DAG)
    world.controller = "DC01.example.com"
    was = world.servers["EX01"].shown()
    out(world, stalled=60)
    world.restart("EX01")
    back(world, stalled=60)
    assert world.servers["EX01"].shown() == was


def _killed_after(world: World, step: str, name: str = "EX01") -> None:
    def turn(_server: str, what: str) -> None:
        if what.startswith(step):
            raise Cut

    world.turn = turn
    with pytest.raises(Cut):
        out(world, name)
    world.turn = lambda _server, _what: None


@pytest.mark.parametrize("version", ["2016", "2019"])
@pytest.mark.parametrize("step", ["after Set-MailboxServer", "after pausing its node"])
def test_a_second_run_that_gives_way_gives_all_back(step: str, version: str) -> None:
    """What it has found of the first one as well: where there is no call router, its mark was the only word."""
    world = World(DAG, version=version)
    was = world.servers["EX02"].shown()

    _killed_after(world, step, "EX02")

    def other(name: str, what: str) -> None:
        if name == "EX02" and what.startswith("after remembering"):
            world.servers["EX01"].words["HubTransport"] = {"Maintenance": "Draining"}

    world.turn = other
    with pytest.raises(AnotherMember):
        out(world, "EX02", others=30.0)
    assert (world.servers["EX02"].shown(), world.servers["EX02"].record) == (was, None)


@pytest.mark.parametrize("version", ["2016", "2019"])
@pytest.mark.parametrize("step", ["after Set-MailboxServer", "after pausing its node"])
def test_a_policy_and_a_node_are_signs_of_a_maintenance(step: str, version: str) -> None:
    world = World(DAG, version=version)
    was = world.servers["EX01"].shown()
    _killed_after(world, step)
    for words in world.servers["EX01"].words.values():
        words["Maintenance"] = "Active"
    back(world)
    assert (world.servers["EX01"].shown(), world.servers["EX01"].record) == (was, None)


def test_copies_may_be_away_for_a_moment_when_transport_starts() -> None:
    world = World(DAG)
    out(world)
    world.restart("EX01")

    def turn(_server: str, what: str) -> None:
        sick = world.databases[1].sick
        if what == "restarts transport":
            sick["EX01"] = "DisconnectedAndHealthy"
        elif what == "sleeps" and world.time > 60:
            sick.pop("EX01", None)

    world.turn = turn
    assert "warns=True" not in str(back(world, stalled=120).remarks)


def test_a_copy_that_was_made_meanwhile_is_not_waited_for() -> None:
    world = World(DAG)
    out(world)
    world.restart("EX01")
    world.databases.append(Database("NEW", "EX02", ("EX01", "EX02"), sick={"EX01": "Seeding"}))
    back(world, stalled=30)


@pytest.mark.parametrize("cmdlet", ["Get-ServerComponentState", "Get-MailboxServer", "Get-Queue"])
def test_an_endpoint_over_its_quota_is_asked_again(cmdlet: str) -> None:
    """A server that has been restarted would stay out of service otherwise."""
    world = World(DAG)
    was = world.servers["EX01"].shown()
    out(world)
    world.restart("EX01")
    busy = [3]

    def error(_server: str, asked: str) -> Exception | None:
        if asked != cmdlet or not busy[0]:
            return None
        busy[0] -= 1
        return HostBusy("The load quota is exceeded.")

    world.error = error
    back(world)
    assert (world.servers["EX01"].shown(), world.servers["EX01"].record, busy) == (was, None, [0])
