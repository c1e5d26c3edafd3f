# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking a server out of service and bringing it back: the order, the proof, and what comes of it wherever it ends."""

from __future__ import annotations

import re

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import leaving, returning, view
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.shell import CmdletDenied, CmdletError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.wishes import Wishes
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.work import (
    AnotherMember,
    MaintenanceFailed,
    NotReady,
)

from .living import World, refused
from .maintained import DAG, back, done, out


def test_the_order_out() -> None:
    world = World(DAG)
    world.servers["EX01"].mail, world.servers["EX01"].drains = 5, False
    work = out(world)
    assert done(world) == [
        "remembers",
        "Set-ServerComponentState HubTransport Maintenance Draining",
        "restarts transport",
        "Set-ServerComponentState UMCallRouter Maintenance Draining",
        "Set-MailboxServer True Blocked",
        "pauses its node",
        "Redirect-Message False EX01.example.com EX02.example.com",
        "Set-ServerComponentState ServerWideOffline Maintenance Inactive",
    ]
    assert not [item for item in world.databases if item.active == "EX01"]
    server = world.servers["EX01"]
    assert (server.mail, server.node, server.policy, server.move_now) == (0, "paused", "Blocked", True)
    assert work.steps


def test_the_order_back() -> None:
    world = World(DAG)
    was = world.servers["EX01"].shown()
    out(world)
    world.restart("EX01")
    world.log.clear()
    back(world)
    assert [step for step in done(world) if step != "remembers"] == [
        "Set-ServerComponentState ServerWideOffline Maintenance Active",
        "Set-ServerComponentState UMCallRouter Maintenance Active",
        "resumes its node",
        "Set-MailboxServer False",
        "Set-MailboxServer Unrestricted",
        "Set-ServerComponentState HubTransport Maintenance Active",
        "restarts transport",
        "forgets",
    ]
    assert world.servers["EX01"].shown() == was
    assert world.servers["EX01"].record is None


def test_databases_that_stay_elsewhere_are_named() -> None:
    world = World(DAG)
    (name,) = [item.name for item in world.databases if item.active == "EX01"]
    out(world)
    world.restart("EX01")
    (told,) = [item.message for item in back(world).remarks if item.id == "database.elsewhere"]
    assert told == (
        f"When it came back, databases that were active there before were elsewhere: {name}. "
        "This moves none back; where one still is: "
        f"Move-ActiveMailboxDatabase -Identity '{name}' -ActivateOnServer EX01"
    )
    # somebody, or Exchange itself, may have moved it back by then
    out(world := World(DAG))
    world.restart("EX01")
    database = next(item for item in world.databases if item.name == name)

    def move_back(server: str, what: str) -> None:
        if what.startswith("Set-ServerComponentState HubTransport"):
            database.active = "EX01"

    world.turn = move_back
    assert "database.elsewhere" not in {item.id for item in back(world).remarks}


def test_a_database_with_a_quote_in_its_name_can_be_moved_back() -> None:
    world = World(DAG)
    (database,) = [item for item in world.databases if item.active == "EX01"]
    database.name = "O'Brien"
    out(world)
    world.restart("EX01")
    (told,) = [item.message for item in back(world).remarks if item.id == "database.elsewhere"]
    assert "-Identity 'O''Brien' -ActivateOnServer" in told


def test_few_questions() -> None:
    """With some waiting. What the directory, and the members, can tell of all members is asked once."""
    counts = {}
    for members, mail in ((2, 5), (4, 0), (6, 0), (6, 5), (16, 5)):
        world = World(tuple(f"EX{number:02}" for number in range(1, members + 1)))
        world.servers["EX01"].mail, world.servers["EX01"].drains = mail, False
        gone = out(world).means.shell.round_trips
        world.restart("EX01")
        counts[members, mail] = gone // 3, back(world).means.shell.round_trips // 3
    assert max(trips for both in counts.values() for trips in both) <= 25, "also with mail that is to be redirected"
    assert counts[16, 5] == counts[6, 5], "whatever the size of the DAG"
    # a member that has no active database, whose waits are two questions to a transport that starts
    world = World(tuple(f"EX{number:02}" for number in range(1, 7)))
    next(item for item in world.databases if item.active == "EX06").active = "EX01"
    assert out(world, "EX06").means.shell.round_trips // 3 - 2 <= 25


def test_names_that_cannot_be_piped_are_asked_one_by_one() -> None:
    """As many questions as there are members, and the same seen."""
    world = World(DAG)
    seen = view.look(world.work("EX01").means.shell, "EX01")
    for piped in ("refused", "reversed"):
        world.piped = piped
        work = world.work("EX01")
        assert view.look(work.means.shell, "EX01") == seen
        asked = work.means.shell.asked  # type: ignore[attr-defined]
        assert asked.count("Get-ServerComponentState") == (1 + len(DAG) if piped == "refused" else 1)


def test_members_are_looked_at_again_where_the_own_mark_was_not_seen_before() -> None:
    """Who looked first, and was marked after that, has not seen who was marked in between."""
    for piped, again in (("in order", 0), ("reversed", len(DAG))):
        world = World(DAG)
        world.piped = piped
        work = world.work("EX01")
        seen = leaving.plan(work)
        asked = work.means.shell.asked  # type: ignore[attr-defined]
        asked.clear()
        leaving.leave(work, seen)
        behind = asked[asked.index("Set-ServerComponentState") + 1 : asked.index("Set-MailboxServer")]
        assert behind.count("Get-ServerComponentState") == 1 + again


def test_in_a_large_organisation_copies_are_asked_of_each_member() -> None:
    """There the copies of all are those of many others."""
    groups = [tuple(f"{letter}{number}" for number in range(6)) for letter in "ABC"]
    trips, seen = [], []
    for world in (World(*groups[:2]), World(*groups)):
        shell = world.work("A0").means.shell
        seen.append(view.look(shell, "A0"))
        trips.append(shell.round_trips // 3)
    assert seen[0] == seen[1]
    assert trips[1] - trips[0] == 5


def test_a_server_that_the_directory_cannot_show() -> None:
    """It is of another DAG: each member is asked about by itself."""
    world = World(("EX01", "EX02", "EX03"), ("EX11", "EX12"))
    world.corrupt = "EX11 is corrupt and in an inconsistent state"
    world.servers["EX03"].policy = "IntrasiteOnly"
    found = view.look(out(world).means.shell, "EX02").members
    assert [(item.name, item.policy) for item in found] == [("EX01", "Blocked"), ("EX03", "IntrasiteOnly")]


@pytest.mark.parametrize(
    ("policy", "node"),
    # both at once are somebody's maintenance
    [(policy, "up") for policy in ("Unrestricted", "IntrasiteOnly", "Blocked")]
    + [(policy, "paused") for policy in ("Unrestricted", "IntrasiteOnly")],
)
def test_what_was_there_before_comes_back(policy: str, node: str) -> None:
    """And what others have said stays: each requester is undone by itself."""
    world = World(DAG)
    server = world.servers["EX01"]
    server.policy, server.node = policy, node
    server.words["EwsProxy"] = {"HealthApi": "Inactive"}
    server.words["ServerWideOffline"] = {"Functional": "Active"}
    world.databases[0].sick["EX02"] = "Suspended"
    was = server.shown()
    out(world)
    world.restart("EX01")
    back(world)
    assert server.shown() == was


def test_what_will_be_is_what_is_then() -> None:
    world = World(DAG)
    was = World(DAG)
    work = world.work("EX01")
    now, then = leaving.now_and_then(work, leaving.plan(work))
    assert now == {
        "HubTransport": None,
        "UMCallRouter": None,
        "ServerWideOffline": None,
        "activation_policy": "Unrestricted",
        "move_now": False,
        "cluster_node": "up",
    }
    assert world.servers["EX01"].shown() == was.servers["EX01"].shown()
    out(world)
    work = world.work("EX01")
    assert leaving.now_and_then(work, leaving.plan(work))[0] == then
    before = work.before
    assert before is not None
    assert returning.now_and_then(work, before, returning.answer(work, before))[1] == {
        **now,
        "HubTransport": "Active",
        "UMCallRouter": "Active",
        "ServerWideOffline": "Active",
    }


def test_a_second_time_changes_nothing() -> None:
    world = World(DAG)
    out(world)
    record = world.servers["EX01"].record
    again = world.work("EX01")
    now, then = leaving.now_and_then(again, leaving.plan(again))
    assert now == then
    world.restart("EX01")
    back(world)
    world.log.clear()
    assert back(world).steps == []
    assert done(world) == []
    assert record is not None


def test_components_that_a_version_does_not_have_are_not_set() -> None:
    world = World(DAG, version="2019")
    was = world.servers["EX01"].shown()
    out(world)
    back(world)
    assert world.servers["EX01"].shown() == was


def test_a_server_in_no_dag() -> None:
    world = World(alone=("EX09",))
    world.servers["EX09"].mail = 25
    out(world, "EX09", leave_mail=True)
    assert done(world, "EX09") == [
        "remembers",
        "Set-ServerComponentState HubTransport Maintenance Draining",
        "restarts transport",
        "Set-ServerComponentState UMCallRouter Maintenance Draining",
        "Set-ServerComponentState ServerWideOffline Maintenance Inactive",
    ]
    back(world, "EX09")
    assert world.servers["EX09"].shown() == World(alone=("EX09",)).servers["EX09"].shown()


def test_mail_that_has_nowhere_to_go_needs_a_word() -> None:
    world = World(alone=("EX09",))
    world.servers["EX09"].mail = 5
    with pytest.raises(NotReady, match="redirect_to"):
        out(world, "EX09")
    assert done(world, "EX09") == []


def test_mail_is_sent_where_it_is_told_or_to_one_that_takes_it() -> None:
    world = World(DAG)
    world.servers["EX01"].mail, world.servers["EX01"].drains = 5, False
    world.servers["EX02"].words["HubTransport"] = {"Functional": "Inactive"}
    with pytest.raises(NotReady, match="EX02"):
        out(world)
    with pytest.raises(OptionError, match="takes no mail now"):
        out(world, redirect_to="ex02")
    with pytest.raises(OptionError, match="the server itself"):
        out(world, redirect_to="ex01")
    with pytest.raises(OptionError, match="ex77"):
        out(world, redirect_to="ex77")
    world.servers["EX02"].words.clear()
    out(world, redirect_to="ex03")
    assert "Redirect-Message False EX01.example.com EX03.example.com" in done(world)


def test_a_server_of_no_dag_may_take_the_mail_unless_it_is_blocked() -> None:
    world = World(DAG, alone=("EX09",))
    world.servers["EX01"].mail, world.servers["EX01"].drains = 5, False
    world.servers["EX09"].policy = "Blocked"
    with pytest.raises(OptionError, match="takes no mail now: it has the activation policy Blocked"):
        out(world, redirect_to="ex09")
    assert done(world) == []
    world.servers["EX09"].policy = "Unrestricted"
    out(world, redirect_to="ex09")
    assert "Redirect-Message False EX01.example.com EX09.example.com" in done(world)


def test_what_somebody_else_has_begun_is_theirs() -> None:
    world = World(DAG)
    world.servers["EX01"].words["HubTransport"] = {"Maintenance": "Draining"}
    with pytest.raises(NotReady, match="whoever began that"):
        out(world)
    assert done(world) == []
    assert back(world).steps == []


# --- what does not work ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cmdlet", ["Set-ServerComponentState", "Set-MailboxServer", "Redirect-Message", "transport", "pause"]
)
def test_whatever_fails_it_goes_back(cmdlet: str) -> None:
    world = World(DAG)
    world.servers["EX01"].mail, world.servers["EX01"].drains = 5, False
    was = world.servers["EX01"].shown()
    failed: list[str] = []

    def error(_server: str, what: str) -> Exception | None:
        if what == cmdlet and not failed:
            failed.append(what)
            return refused("it does not work.")
        return None

    world.error = error
    with pytest.raises(MaintenanceFailed, match=r"it does not work.* is back in service") as info:
        out(world)
    assert info.value.details["back"] is True
    assert world.servers["EX01"].shown() == was
    assert world.servers["EX01"].record is None


def test_that_it_could_not_go_back_is_said() -> None:
    world = World(DAG)
    world.error = lambda _server, what: CmdletDenied("no rights.") if what == "Set-MailboxServer" else None
    with pytest.raises(MaintenanceFailed) as info:
        out(world)
    assert info.value.details["back"] is True, "what was not changed need not be changed back"

    def later(_server: str, what: str) -> Exception | None:
        return CmdletDenied("no rights.") if world.servers["EX01"].move_now and what.startswith("Set-") else None

    world.error = later
    with pytest.raises(MaintenanceFailed, match="could not be brought back") as info:
        out(world)
    assert info.value.details["back"] is False
    assert world.servers["EX01"].record is not None
    world.error = lambda _server, _what: None
    was = World(DAG).servers["EX01"].shown()
    back(world)
    assert world.servers["EX01"].shown() == was


def test_waits_have_an_end() -> None:
    world = World(DAG)
    world.databases[0].stays = True
    with pytest.raises(MaintenanceFailed) as caught:
        out(world, stalled=60.0)
    assert re.search(
        r"^Waiting for databases to leave came to no end, \d+ seconds without any progress \('no_progress_timeout'\): "
        r"DB-EX01\. Get-MailboxDatabaseCopyStatus -Server EX01 shows why\. EX01 is back in service, as it was\.",
        caught.value.message,
    )
    world.databases[0].stays = False
    server = world.servers["EX01"]
    server.mail, server.drains, server.stuck = 50, False, True
    with pytest.raises(MaintenanceFailed, match=r"Waiting for mail to go came to no end.*50 in"):
        out(world, stalled=60.0)
    assert out(world, stalled=60.0, leave_mail=True).remarks[-1].id == "mail.left"


def test_slow_is_no_standstill() -> None:
    world = World(alone=("EX09",))
    world.servers["EX09"].mail = 500
    world.servers["EX01"] = world.servers["EX09"]
    work = out(world, "EX09", stalled=30.0, leave_mail=True)
    assert world.servers["EX09"].mail == 0
    assert "mail.left" not in {item.id for item in work.remarks}


def test_a_database_with_its_only_copy_there_is_not_waited_for() -> None:
    world = World(DAG)
    world.databases[0].copies = ("EX01",)
    out(world, stalled=30.0)
    assert world.databases[0].active == "EX01"


@pytest.mark.parametrize(("wish", "paused"), [("if_allowed", False), ("never", False)])
def test_a_node_that_may_not_be_paused(wish: str, paused: bool) -> None:
    world = World(DAG)
    world.error = lambda _server, what: refused("access denied.") if what == "pause" else None
    work = out(world, pause_node=wish)
    assert (world.servers["EX01"].node == "paused") is paused
    assert ("node.not_paused" in {item.id for item in work.remarks}) is (wish == "if_allowed")


def test_a_service_that_does_not_start_keeps_it_from_being_called_back() -> None:
    world = World(DAG)
    out(world)
    world.restart("EX01")
    world.servers["EX01"].stopped.add("MSExchangeFrontEndTransport")
    with pytest.raises(MaintenanceFailed, match="MSExchangeFrontEndTransport does not run"):
        back(world, stalled=30.0)
    assert world.servers["EX01"].record is not None, "the next run looks again"
    world.servers["EX01"].stopped.clear()
    back(world)
    assert world.servers["EX01"].record is None


def test_a_cmdlet_that_the_account_lacks_ends_it_before_anything_is_changed() -> None:
    world = World(DAG)
    world.error = lambda _server, what: CmdletDenied("no rights.") if what == "Get-Queue" else None
    with pytest.raises((CmdletError, NotReady)):
        out(world)
    assert done(world) == []


# --- two members -----------------------------------------------------------------------------------------------------


def test_another_that_is_out_is_waited_for_without_a_mark() -> None:
    world = World(DAG)
    out(world, "EX02")
    with pytest.raises(NotReady, match="EX02"):
        leaving.ready(world.work("EX01", Wishes(minimum_healthy_copies=1, others=60.0)), lambda: ())
    assert world.time >= 60
    assert done(world) == []

    def turn(name: str, what: str) -> None:
        if (name, what) == ("EX01", "sleeps"):
            world.turn = lambda _name, _what: None
            back(world, "EX02")

    world.turn = turn
    work = world.work("EX01", Wishes(minimum_healthy_copies=1))
    leaving.leave(work, leaving.ready(work, lambda: ()))
    assert world.servers["EX01"].is_out


def test_what_does_not_pass_is_not_waited_for() -> None:
    world = World(DAG)
    world.databases[0].sick = dict.fromkeys(("EX02", "EX03"), "FailedAndSuspended")
    with pytest.raises(NotReady):
        leaving.ready(world.work("EX01"), lambda: ())
    assert world.time == 0


def test_one_that_is_marked_in_between_goes_first_or_comes_back() -> None:
    world = World(DAG)
    was = world.servers["EX02"].shown()

    def turn(name: str, what: str) -> None:
        if name == "EX02" and what.startswith("after remembering"):
            world.servers["EX01"].words["HubTransport"] = {"Maintenance": "Draining"}

    world.turn = turn
    with pytest.raises(
        AnotherMember, match=r"EX01.*; 'wait_for_members' allows for a longer wait\. EX02 is back in service"
    ):
        out(world, "EX02", others=30.0)
    assert world.servers["EX02"].shown() == was
    assert "restarts transport" not in done(world, "EX02")


def test_what_others_have_switched_off_meanwhile_is_theirs_and_told() -> None:
    world = World(DAG)
    server = world.servers["EX01"]
    server.words["EwsProxy"] = {"HealthApi": "Inactive"}
    out(world)
    world.restart("EX01")
    server.words["Monitoring"] = {"Functional": "Inactive"}
    work = back(world)
    assert [item.message for item in work.remarks if item.id == "server.component"] == [
        "Monitoring is Inactive, and was not before (by Functional)."
    ]
    assert server.words["Monitoring"] == {"Functional": "Inactive"}


@pytest.mark.parametrize("component", ["ServerWideOffline", "HubTransport"])
@pytest.mark.parametrize("before", [True, False])
def test_a_server_that_others_keep_out_is_not_said_to_serve(component: str, *, before: bool) -> None:
    """As a setup that failed leaves it (Functional), or a colleague who works on it at the same time."""
    world = World(DAG)
    words = world.servers["EX01"].words.setdefault(component, {})
    if before:
        words["Functional"] = "Inactive"
    out(world)
    world.restart("EX01")
    words["Functional"] = "Inactive"
    found = [item for item in back(world).remarks if item.warns]
    since = "as before" if before else "and was not before"
    assert [(item.id, item.message) for item in found] == [
        ("server.held", f"{component} is Inactive, {since} (by Functional): until they end that, it does not serve.")
    ]


def test_why_nothing_greets_is_said_where_others_keep_it_out() -> None:
    world = World(DAG)
    out(world)
    world.servers["EX01"].words["ServerWideOffline"]["Functional"] = "Inactive"
    world.servers["EX01"].silent = True
    work = world.work("EX01", Wishes(stalled=30.0))
    work.remember(work.remembered(returning.components_now(work)))
    with pytest.raises(MaintenanceFailed, match="port 25"):
        returning.come_back(work)
    assert "server.held" in {item.id for item in work.remarks}
