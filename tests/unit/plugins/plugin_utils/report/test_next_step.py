# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The next command of a run that was to change nothing changes nothing either, until people ask for it."""

from __future__ import annotations

import dataclasses
import json
import shlex

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.commands import ENFORCE, Command
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.details import blocks, next_step
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.overview import overview
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.standing import Steps
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import SIDES

from ..fakes import FakeWindows
from ..policies import audited, policy
from .stories import changed, failed, restarted, settings, told, verified

OFF = settings("off")["overview"]
TYPED = Command("enforce-tls12.yml", ("hosts.yml",))


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    "ended",
    [
        Steps(change={"failed": True, "msg": "Access denied.", "error": {"kind": "access_denied"}}),
        Steps(change={"unreachable": True, "msg": "Connection refused"}, unreachable=True),
        Steps(change={}, error="The hook failed."),
        Steps(error="The variable is not set."),
    ],
)
def test_what_failed_in_check_mode_is_checked_again(ended: Steps, check_mode: bool) -> None:
    (block,) = blocks({"ex01": dataclasses.replace(ended, check_mode=check_mode)}, TYPED)
    assert block[-1].strip() == f"ansible-playbook -i hosts.yml enforce-tls12.yml -l ex01{' --check' * check_mode}"


def test_what_check_mode_has_predicted_is_done() -> None:
    (block,) = blocks({"ex01": Steps(change={"changes": [{"status": "planned"}]}, check_mode=True)}, TYPED)
    assert block[-1].strip() == "ansible-playbook -i hosts.yml enforce-tls12.yml -l ex01"


@pytest.mark.parametrize(
    ("effect", "dotnet", "pending", "again"),
    [
        ("enabled", True, False, True),
        ("disabled", True, False, False),
        ("enabled", False, False, False),
        ("enabled", True, True, False),
    ],
)
def test_the_first_phase_is_named_where_it_is_missing(effect: str, dotnet: bool, pending: bool, again: bool) -> None:
    """Who has been there is not sent there again because an endpoint cannot be reached."""
    glance = overview(audited(FakeWindows({}), policy(baseline="exchange_tls12")).as_result())
    glance = {**glance, "dotnet": dotnet, "protocols": {"TLS 1.2": dict.fromkeys(SIDES, effect)}}
    refused = {"failed": True, "error": {"kind": "phase_refused"}, "msg": "No.", "restart_pending": pending}
    step = next_step(Steps(change={**refused, "overview": glance}))
    assert (step.book, step.words.startswith("do what the message says")) == (
        (None, True) if again else (ENFORCE, False)
    )


def test_a_message_is_told_to_its_end() -> None:
    """What to do comes last."""
    told = f"{'It is wrong. ' * 70}Do this."
    (block,) = blocks({"ex01": Steps(change={"failed": True, "msg": told})}, TYPED)
    assert " ".join(line.strip() for line in block[1:]).startswith(f"error:    {told}")


# --- back, also after a way back -------------------------------------------------------------------------------------


@pytest.mark.parametrize("backup", ["/b/ex01.0002.rollback.json", "/my backups/ex01.0002.rollback.json"])
def test_after_a_rollback_the_way_back_is_its_own_backup(backup: str) -> None:
    """The newest change is the one that was just restored."""
    typed = Command("rollback-tls12.yml", ("hosts.yml",), extra=("tls12_backup=/b/ex01.0001.change.json",))
    steps = told(
        change=changed(restored_from="/b/ex01.0001.change.json", backup=backup),
        reboot=restarted(),
        verify=failed("not_proven", verdict={**verified("off")["verdict"], "notes": []}, overview=OFF),
    )
    command = block_of(steps, typed)[-1]
    words = shlex.split(command)
    assert words[:4] == ["ansible-playbook", "-i", "hosts.yml", "rollback-tls12.yml"]
    (given,) = (words[number + 1] for number, word in enumerate(words) if word == "-e")
    assert load_options_vars_of(given) == {"tls12_backup": backup}


def test_what_check_mode_foretells_of_a_rollback() -> None:
    warnings = ["After this, TLS 1.2 is off on the Client side.", "the clock"]
    foretold = told(check_mode=True, change=changed("fine", "planned", warnings=warnings))
    assert "warning:  After this, TLS 1.2 is off on the Client side." in block_of(foretold)
    assert not any("clock" in line for line in block_of(foretold))
    done = told(change=changed("fine", warnings=warnings))
    assert not any(line.startswith("warning:") for line in block_of(done)), "by then the table shows it"


def test_a_refused_policy_is_not_asked_for_again() -> None:
    """The first phase is named with its own baseline, or the same refusal would come of it for ever."""
    typed = Command(
        "enforce-tls12.yml", ("hosts.yml",), extra=("tls12_baseline=exchange_best_practice tls12_reboot=never",)
    )
    refused = told(change=failed("phase_refused"))
    assert block_of(refused, typed)[-1].strip() == (
        "ansible-playbook -i hosts.yml enforce-tls12.yml -e tls12_reboot=never -l ex01 -e tls12_baseline=exchange_tls12"
    )
    wishes = json.dumps({"tls12_protocols": {"TLS 1.0": "disabled"}, "tls12_endpoints": ["smtp"]})
    command = block_of(refused, Command("harden-tls.yml", ("hosts.yml",), extra=(wishes,)))[-1]
    assert "tls12_protocols" not in command
    assert "tls12_endpoints" in command


def test_the_first_phase_is_only_checked_where_the_second_was() -> None:
    refused = told(check_mode=True, change=failed("phase_refused"))
    assert block_of(refused, Command("harden-tls.yml", ("hosts.yml",)))[-1].strip() == (
        "ansible-playbook -i hosts.yml enforce-tls12.yml -l ex01 -e tls12_baseline=exchange_tls12 --check"
    )


def test_a_restart_is_made_also_after_an_audit_in_check_mode() -> None:
    """AWX has no other name for an audit than a check."""
    pending = told(check_mode=True, audit={**settings("fine"), "restart_pending": True})
    (command,) = (line.strip() for line in block_of(pending) if "tls12_reboot" in line)
    assert command == "ansible-playbook -i hosts.yml enforce-tls12.yml -l ex01 -e tls12_reboot=if_pending"


def test_the_restart_after_a_rollback_writes_nothing_again() -> None:
    backup = "/b/ex01.0001.change.json"
    typed = Command("rollback-tls12.yml", ("hosts.yml",), extra=("tls12_reboot=never",))
    steps = told(
        change=changed("new", restored_from=backup, restart_pending=True),
        verify=verified(pending=True, allow_pending=True),
    )
    assert [line.strip() for line in block_of(steps, typed)[-2:]] == [
        "next:     restart it:",
        f"ansible-playbook -i hosts.yml rollback-tls12.yml -l ex01 -e tls12_backup={backup} -e tls12_reboot=if_pending",
    ]


def test_a_restart_that_would_write_as_well_is_looked_at_first() -> None:
    """Somebody may have rolled back just now."""
    pending = told(audit={**settings("new"), "restart_pending": True})
    assert [line.strip() for line in block_of(pending)[-2:]] == [
        "next:     a restart is pending, and not all is as wanted. To see what would be done:",
        "ansible-playbook -i hosts.yml enforce-tls12.yml -l ex01 --check",
    ]


def test_of_the_way_back_only_what_it_says_itself_is_told() -> None:
    """Every task of a run may have warnings of the command line."""
    inactive, elsewhere, failed = "Pop is Inactive.", "Back without databases: DB1.", "The copy of DB2 was Failed."
    back = {
        "changed": True,
        "remarks": [
            {"id": "server.component", "message": inactive, "warns": True},
            {"id": "database.elsewhere", "message": elsewhere, "warns": False},
            {"id": "database.copy", "message": failed, "warns": False},
        ],
        "warnings": [f"EX01: {inactive}", "'reboot' is no variable of this collection, and 'tls12_reboot' is."],
    }
    block = block_of(dataclasses.replace(told(change=changed("new"), verify=verified(pending=True)), back=back))
    shown = [line for line in block if line.startswith("service:")]
    assert shown == [f"service:  {inactive}", f"service:  {elsewhere}"]


# --- what is waived --------------------------------------------------------------------------------------------------


def test_what_is_waived_is_told_where_all_is_well() -> None:
    steps = told(audit=settings("new", waived=True))
    assert steps.category == "as wanted"
    first, *others = blocks({"ex01": steps, "ex02": steps}, TYPED)
    assert first[0] == "ex01, ex02"
    assert first[1].startswith("waived:   TLS 1.2 Client and Server: Enabled absent, want 1; Disabled")
    assert others == []
    assert not any(line.startswith("next:") for line in first)


def test_a_waiver_that_keeps_tls_12_off_is_seen() -> None:
    for steps in (
        told(audit=settings("off", waived=True)),
        told(check_mode=True, change={**settings("off", waived=True), "changes": []}),
    ):
        assert (steps.category, steps.word) == ("with oddities", "with oddities")
        assert "odd:      TLS 1.2 Client and Server is not on, and a waiver accepts that" in block_of(steps)


def block_of(steps: Steps, typed: Command = TYPED) -> list[str]:
    (found,) = blocks({"ex01": steps}, typed)
    return found


def load_options_vars_of(given: str) -> dict[str, str]:
    """As Ansible reads what goes with -e."""
    return dict(json.loads(given) if given.startswith("{") else [part.split("=", 1) for part in shlex.split(given)])
