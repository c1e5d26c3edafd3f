# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a server may be taken out of service: what is in the way, and what is only good to know."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError, UnexpectedAnswer
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import (
    copies,
    leaving_mail,
    queues,
    readiness,
    view,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.records import Enum, Record
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.shell import CmdletDenied, CmdletError

from .organisation import Organisation, component, copy, queue


def dag(count: int = 3, **group: Any) -> Organisation:
    """A DAG whose members each have a copy of DB01, which is mounted on EX01."""
    names = [f"EX0{number}" for number in range(1, count + 1)]
    found = Organisation(*names, dag=group)
    for name in names:
        found[name].copies = [copy("DB01", name, "Mounted" if name == "EX01" else "Healthy")]
    return found


def obstacles(shell: Organisation, minimum: int | None = None) -> dict[str, str]:
    found = readiness.obstacles(view.look(shell, "EX01"), minimum)
    return {item.id: item.message for item in found}


def remarks(shell: Organisation) -> dict[str, str]:
    return {item.id: item.message for item in readiness.remarks(view.look(shell, "EX01"))}


# --- nothing in the way ----------------------------------------------------------------------------------------------


def test_a_dag_that_is_whole() -> None:
    shell = dag()
    seen = view.look(shell, "EX01")
    assert readiness.obstacles(seen, None) == ()
    assert remarks(shell) == {}
    assert seen.server.as_result() == {
        "name": "EX01",
        "fqdn": "EX01.example.com",
        "version": "Version 15.1 (Build 2507.6)",
        "edition": "Enterprise",
        "roles": ["Mailbox"],
        "site": "Here",
        "dag": "DAG1",
        "policy": "Unrestricted",
        "move_now": False,
    }
    assert seen.group is not None
    assert seen.group.as_result()["operational"] == ["EX01", "EX02", "EX03"]
    assert ("Get-DatabaseAvailabilityGroup", {"Identity": "DAG1", "Status": True}) in shell.asked, "blank without it"


def test_a_server_in_no_dag() -> None:
    shell = Organisation("EX01", "EX02")
    shell["EX01"].copies = [copy("DB01", "EX01", "Mounted")]
    assert obstacles(shell) == {}
    assert remarks(shell) == {"database.alone": "DB01 has its only copy here and goes down with EX01."}
    assert not [cmdlet for cmdlet, _given in shell.asked if "AvailabilityGroup" in cmdlet], "it is in none"


def test_a_server_without_mailboxes() -> None:
    shell = Organisation("EX01")
    shell["EX01"].role = "ClientAccess"
    seen = view.look(shell, "EX01")
    assert (seen.server.dag, seen.server.policy, seen.copies) == (None, None, ())
    shell["EX01"].no_queues = "The front end keeps no mail"
    assert obstacles(shell) == {}, "nobody asks for queues where there are none"


def test_names_have_no_case() -> None:
    shell = dag(OperationalServers=[Record("ex01.example.com"), Record("ex02"), Record("Ex03")])
    shell["EX02"].copies = [copy("db01", "ex02")]
    assert obstacles(shell) == {}


# --- the DAG ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "wanted"),
    [
        ({"WitnessShareInUse": Enum("InvalidConfiguration", 3)}, "dag.witness"),
        ({"OperationalServers": [Record("EX01"), Record("EX02")]}, "dag.member"),
        ({"OperationalServers": None}, "dag.operational"),
        ({"OperationalServers": []}, "dag.operational"),
        ({"WitnessShareInUse": None}, "dag.witness"),
    ],
)
def test_a_dag_that_is_not_whole(group: dict[str, Any], wanted: str) -> None:
    found = obstacles(dag(**group))
    assert set(found) == {wanted}


def test_a_property_that_is_not_there_is_not_healthy() -> None:
    shell = dag()
    whole = shell._group

    def without(status: bool) -> Record:
        found = whole(status)
        return Record("DAG1", (), {name: found.get(name) for name in found if name != "OperationalServers"})

    shell._group = without  # type: ignore[method-assign]
    assert set(obstacles(shell)) == {"dag.operational"}


@pytest.mark.parametrize("witness", [Enum("Primary", 1), Enum("Alternate", 2), Enum("None", 0)])
def test_a_witness_that_is_used_otherwise(witness: Any) -> None:
    """With an odd number of members there is none in use."""
    assert obstacles(dag(WitnessShareInUse=witness)) == {}


@pytest.mark.parametrize(("count", "wanted"), [(1, set()), (2, {"dag.witness"}), (3, set()), (4, set())])
def test_two_members_without_a_witness(count: int, wanted: set[str]) -> None:
    """One of two has no majority by itself; three of four have."""
    shell = dag(count, WitnessShareInUse=Enum("None", 0))
    assert set(obstacles(shell, min(count - 1, 1))) == wanted


MARKS: dict[str, dict[str, Any]] = {
    "offline": {
        "components": {"ServerWideOffline": component("ServerWideOffline", "Inactive", Maintenance="Inactive")}
    },
    "draining": {"components": {"HubTransport": component("HubTransport", "Draining", Maintenance="Draining")}},
    "by another": {
        "components": {"ServerWideOffline": component("ServerWideOffline", "Inactive", Functional="Inactive")}
    },
    "blocked": {"policy": "Blocked"},
    "moving": {"move_now": True},
    "away": {"away": "The remote registry couldn't be opened"},
}


@pytest.mark.parametrize("mark", MARKS)
def test_another_member_that_somebody_has_marked(mark: str) -> None:
    """Two members are never away together, whoever has taken the other one out, and whatever for."""
    shell = dag(4)
    for name, value in MARKS[mark].items():
        setattr(shell["EX02"], name, value)
    found = obstacles(shell)
    assert found["dag.marked"].startswith("EX02, another member of the DAG, ")
    assert set(found) == {"dag.marked"}, "two other copies are still there"


def test_a_member_that_is_blocked_on_purpose() -> None:
    """It is no reason to wait for anything, and takes nothing over."""
    shell = dag(4)
    shell["EX02"].policy = "Blocked"
    seen = view.look(shell, "EX01")
    (found,) = readiness.obstacles(seen, None)
    assert (found.id, found.stays) == ("dag.marked", True)
    assert "Where it is to be so, name it in 'blocked_members'; else open it: Set-MailboxServer EX02 " in found.message
    for name in ("EX02", "ex02", "ex02.example.com"):
        assert readiness.obstacles(seen, None, [name]) == ()
    (found,) = readiness.obstacles(seen, 3, ["EX02"])
    assert found.id == "database.copies"
    assert "EX02 takes none now" in found.message
    assert leaving_mail.able(seen) == ["EX03", "EX04"]
    # one of another DAG of the same run
    assert readiness.obstacles(seen, None, ["EX02", "EX11"]) == ()


def test_the_only_copy_elsewhere_that_is_not_on_one_that_is_blocked() -> None:
    shell = dag(3)
    shell["EX02"].policy = "Blocked"
    (found,) = readiness.obstacles(view.look(shell, "EX01"), None, ["EX02"])
    assert found.message.endswith("say so with 'minimum_healthy_copies' 1.")
    assert readiness.obstacles(view.look(shell, "EX01"), 1, ["EX02"]) == ()


def test_one_that_is_blocked_and_marked_is_an_obstacle_all_the_same() -> None:
    shell = dag(4)
    for name, value in {**MARKS["draining"], **MARKS["blocked"]}.items():
        setattr(shell["EX02"], name, value)
    (found,) = readiness.obstacles(view.look(shell, "EX01"), None, ["EX02"])
    assert (found.id, found.stays) == ("dag.marked", False)


@pytest.mark.parametrize(("site", "able"), [("Here", True), ("There", False)])
def test_a_member_that_takes_over_within_its_site_only(site: str, able: bool) -> None:
    shell = dag(3)
    shell["EX02"].policy, shell["EX02"].site = "IntrasiteOnly", site
    assert set(obstacles(shell)) == (set() if able else {"database.copies"})


def test_its_own_marks_are_no_obstacle() -> None:
    shell = dag()
    for name, value in {**MARKS["offline"], **MARKS["blocked"]}.items():
        setattr(shell["EX01"], name, value)
    assert obstacles(shell) == {}
    assert set(remarks(shell)) == {"server.out", "server.blocked"}
    assert readiness.in_maintenance(view.look(shell, "EX01").components)


# --- what to do about it ---------------------------------------------------------------------------------------------

GONE = Record("EX09")
_OUT = "take it out of the DAG: Remove-DatabaseAvailabilityGroupServer DAG1 -MailboxServer {} -ConfigurationOnly."
_BY_HAND = (
    "Whoever began that is to end it: a run that was cut off there by running it for EX02, or by hand, as with {}."
)
CURES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "witness unknown": ({"WitnessShareInUse": None}, {}, "Get-DatabaseAvailabilityGroup DAG1 -Status says why."),
    "witness broken": (
        {"WitnessShareInUse": Enum("InvalidConfiguration", 3)},
        {},
        "Set-DatabaseAvailabilityGroup DAG1 sets it up again, and says what is wrong with it.",
    ),
    "operational unknown": ({"OperationalServers": None}, {}, "Get-DatabaseAvailabilityGroup DAG1 -Status says why."),
    "not operational": (
        {"OperationalServers": [Record("EX01"), Record("EX03"), Record("EX04")]},
        {},
        f"Bring it back; if it is gone for good, {_OUT.format('EX02')}",
    ),
    "offline": (
        {},
        MARKS["offline"],
        _BY_HAND.format(
            "Set-ServerComponentState EX02 -Component ServerWideOffline -State Active -Requester Maintenance"
        ),
    ),
    "by another": (
        {},
        MARKS["by another"],
        _BY_HAND.format(
            "Set-ServerComponentState EX02 -Component ServerWideOffline -State Active -Requester Functional"
        ),
    ),
    "moving": (
        {},
        MARKS["moving"],
        _BY_HAND.format("Set-MailboxServer EX02 -DatabaseCopyActivationDisabledAndMoveNow $false"),
    ),
    "nobody says so": (
        {},
        {"components": {"HubTransport": component("HubTransport", "Unknown")}},
        "Whoever began that is to end it: a run that was cut off there by running it for EX02.",
    ),
    "away": ({}, MARKS["away"], "Get-ServerComponentState EX02 has to answer."),
}


@pytest.mark.parametrize("name", CURES)
def test_what_is_in_the_way_says_what_to_do(name: str) -> None:
    group, machine, cure = CURES[name]
    shell = dag(4, **group)
    for part, value in machine.items():
        setattr(shell["EX02"], part, value)
    (told,) = obstacles(shell).values()
    assert told.endswith(cure)


@pytest.mark.parametrize("is_operational", [False, True])
def test_a_member_that_exchange_has_no_more(is_operational: bool) -> None:
    """A server that was lost, whose object is gone and which is still in the list: nobody waits for it."""
    names = ["EX01", "EX02", "EX03", "EX04", *(["EX09"] if is_operational else [])]
    servers = [*(Record(name) for name in names[:4]), GONE]
    shell = dag(4, Servers=servers, OperationalServers=[Record(name) for name in names])
    (found,) = readiness.obstacles(view.look(shell, "EX01"), None)
    assert (found.id, found.stays) == ("dag.marked", True)
    assert found.message == (
        "EX09, another member of the DAG, does not answer (Exchange knows no server of that name). If it is gone for "
        f"good, {_OUT.format('EX09')}"
    )


def test_fewer_copies_than_are_wanted() -> None:
    assert obstacles(dag(3), 2) == {}
    shell = dag(4)
    shell["EX04"].copies = []
    assert obstacles(shell, 3)["database.copies"].endswith(
        "of 3 wanted. It has no more of them: 'minimum_healthy_copies' may be 2 then."
    )


# --- databases -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"Status": Enum("FailedAndSuspended", 4), "CopyQueueLength": 124661}, "EX02 is FailedAndSuspended"),
        ({"Status": Enum("DisconnectedAndHealthy", 9)}, "EX02 is DisconnectedAndHealthy"),
        ({"CopyQueueLength": 11}, "EX02 has 11 logs to copy"),
        ({"ReplayQueueLength": 51}, "EX02 has 51 logs to replay"),
        ({"CopyQueueLength": None}, "EX02 has an unknown number of logs to copy"),
        ({"ContentIndexState": Enum("Failed", 3)}, "EX02 has an index that is Failed"),
        ({"ContentIndexState": None}, "EX02 has an index that is unknown"),
        ({"ActivationSuspended": True}, "EX02 may not be activated"),
    ],
)
def test_a_copy_that_could_not_take_over(wrong: dict[str, Any], why: str) -> None:
    shell = dag(2)
    shell["EX02"].copies = [copy("DB01", "EX02", **wrong)]
    assert obstacles(shell, 1) == {
        "database.copies": f"DB01 is mounted here and has 0 copies elsewhere that could take over, of 1 wanted: {why}. "
        "Get-MailboxDatabaseCopyStatus -Server EX02 shows more."
    }
    assert obstacles(shell, 0) == {}, "on the operator's word"


@pytest.mark.parametrize("index", ["Healthy", "HealthyAndUpgrading", "NotApplicable"])
def test_an_index_that_is_fine(index: str) -> None:
    assert copies.of_record(copy("DB01", "EX02", ContentIndexState=Enum(index, 1))).wrong() is None


def test_a_database_without_an_index() -> None:
    off = {"ContentIndexState": Enum("Disabled", 5)}
    shell = dag(2)
    shell["EX02"].copies = [copy("DB01", "EX02", **off)]
    assert "an index that is Disabled" in obstacles(shell, 1)["database.copies"], "the mounted one has one"
    shell["EX01"].copies = [copy("DB01", "EX01", "Mounted", **off)]
    assert obstacles(shell, 1) == {}


def test_two_copies_are_wanted_unless_somebody_says_one() -> None:
    message = obstacles(dag(2))["database.copies"]
    assert "has 1 copy elsewhere that could take over, of 2 wanted." in message
    assert message.endswith("say so with 'minimum_healthy_copies' 1.")
    assert obstacles(dag(2), 1) == {}
    with pytest.raises(OptionError) as caught:
        obstacles(dag(2), 2)
    assert caught.value.message == (
        "'minimum_healthy_copies' is 2, but DAG1 has 2 members: there cannot be more than 1 elsewhere."
    )


def test_a_copy_on_a_member_that_takes_none() -> None:
    shell = dag(3)
    shell["EX03"].policy = "Blocked"
    assert "EX03 takes none now" in obstacles(shell)["database.copies"]
    assert set(obstacles(shell)) == {"dag.marked", "database.copies"}


@pytest.mark.parametrize(
    ("most", "wanted"),
    [
        ((None, None), ""),
        ((2, None), ""),
        ((1, None), "1 database"),
        ((3, 0), "1 database"),
        ((1, 0), "3 databases"),  # EX02 has one already
        ((2, 1), "1 database"),
        ((2, 2), ""),  # DB01 makes room for DB02 on EX02
        ((20, 20), ""),
    ],
)
def test_members_that_are_full_take_none(most: tuple[int | None, int | None], wanted: str) -> None:
    """All three have copies on both others, but DB02, which has one on EX02 alone."""
    shell = dag(3)
    shell["EX01"].copies = [copy(f"DB0{number}", "EX01", "Mounted") for number in (1, 2, 3)]
    shell["EX02"].copies = [
        copy("DB09", "EX02", "Mounted"),
        *(copy(f"DB0{number}", "EX02") for number in (1, 2, 3)),
    ]
    shell["EX03"].copies = [copy(f"DB0{number}", "EX03") for number in (1, 3)]
    shell["EX02"].most_active, shell["EX03"].most_active = most
    found = obstacles(shell, 1)
    assert set(found) == ({"database.room"} if wanted else set())
    assert found.get("database.room", "").startswith(wanted)
    assert obstacles(shell, 0) == {}, "on the operator's word"


def test_databases_that_nobody_moves() -> None:
    shell = dag()
    shell["EX01"].copies += [
        copy("SINGLE", "EX01", "Mounted"),
        copy("RECOVERY", "EX01", "Dismounted", ActiveCopy=True),
        copy("DB02", "EX01", "Suspended"),
    ]
    shell["EX02"].copies.append(copy("DB02", "EX02", "Mounted"))
    assert obstacles(shell) == {}
    assert remarks(shell) == {
        "database.alone": "SINGLE has its only copy here and goes down with EX01.",
        "database.dismounted": "RECOVERY is Dismounted here, and is left alone.",
        "database.copy": "The copy of DB02 here is Suspended.",
    }


# --- mail ------------------------------------------------------------------------------------------------------------


def test_mail_that_waits() -> None:
    shell = dag()
    shell["EX01"].queues = [
        queue("1", 3),
        queue("Submission", 1, "Undefined"),
        queue("Shadow\\7", 40, "ShadowRedundancy"),
        queue("Poison", 2, "Undefined", NextHopDomain="Poison Message"),
    ]
    assert remarks(shell) == {"mail.waiting": "4 messages wait on EX01 and would be sent on first."}
    assert obstacles(shell) == {}


def test_no_queues_are_not_empty_ones() -> None:
    shell = dag()
    shell["EX01"].no_queues = "The Microsoft Exchange Transport service isn't started"
    assert obstacles(shell) == {
        "mail.unknown": "Whether mail waits on EX01 is not known: The Microsoft Exchange Transport service isn't "
        "started. "
        "Get-Queue -Server EX01 has to answer, as it does once MSExchangeTransport has run for some minutes."
    }


@pytest.mark.parametrize(
    ("given", "deferred"),
    [
        ({}, None),
        ({"DeferredMessageCount": 2}, 2),
        ({"DeferredMessageCount": 0, "DeferredMessageCountsPerPriority": [0, 1, 0, 0]}, 1),
        ({"DeferredMessageCount": 5, "DeferredMessageCountsPerPriority": None}, 5),
    ],
)
def test_deferred_messages(given: dict[str, Any], deferred: int | None) -> None:
    assert queues.of_record(queue("1", 9, **given)).deferred == deferred


# --- components ------------------------------------------------------------------------------------------------------


def test_what_others_have_marked_is_theirs() -> None:
    shell = dag()
    shell["EX01"].components = {
        "EwsProxy": component("EwsProxy", "Inactive", HealthApi="Inactive"),
        "Monitoring": component("Monitoring", "Inactive", Functional="Inactive"),
    }
    assert remarks(shell) == {
        "server.component": "EwsProxy is Inactive by HealthApi, and stays so.",
        "server.unmonitored": "Managed Availability repairs nothing on EX01: its components are Inactive.",
    }


def test_the_primary_active_manager() -> None:
    assert set(remarks(dag(PrimaryActiveManager=Record("ex01")))) == {"dag.manager"}


# --- errors ----------------------------------------------------------------------------------------------------------


def test_a_server_that_exchange_does_not_know() -> None:
    with pytest.raises(OptionError, match="Exchange knows no server or DAG 'EX09'"):
        view.look(dag(), "EX09")


def test_a_dag_that_exchange_does_not_know() -> None:
    """The server's own property names it, as after a DAG was removed by force."""
    shell = dag()
    shell.errors["Get-DatabaseAvailabilityGroup"] = CmdletError("object 'DAG1' couldn't be found")
    with pytest.raises(OptionError, match="Exchange knows no server or DAG 'DAG1'"):
        view.look(shell, "EX01")


@pytest.mark.parametrize("cmdlet", ["Get-ExchangeServer", "Get-MailboxServer", "Get-DatabaseAvailabilityGroup"])
def test_no_rights_are_no_obstacle_but_an_error(cmdlet: str) -> None:
    shell = dag()
    shell.errors[cmdlet] = CmdletDenied("no right")
    with pytest.raises(CmdletDenied):
        view.look(shell, "EX01")


def test_its_own_copies_must_be_seen() -> None:
    shell = dag()
    shell.errors["Get-MailboxDatabaseCopyStatus"] = CmdletError("no")
    with pytest.raises(CmdletError):
        view.look(shell, "EX01")


def test_an_answer_without_an_object_is_none() -> None:
    shell = dag()
    shell.read = lambda cmdlet, **given: []  # type: ignore[method-assign]
    with pytest.raises(UnexpectedAnswer):
        view.look(shell, "EX01")
