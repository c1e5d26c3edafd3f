# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last screen of a run: what a tired person reads."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.commands import Command
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.screen import screen
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.standing import Steps

from .stories import BACKUP, IN, REFUSED, changed, changes, failed, gone, restarted, settings, told, unchanged, verified

COMMAND = Command(book="playbooks/enforce-tls12.yml", inventories=("hosts.yml",))
TYPED = "ansible-playbook -i hosts.yml playbooks"


def shown(hosts: dict[str, Steps] | Steps, untouched: Any = (), **command: Any) -> list[str]:
    every = hosts if isinstance(hosts, dict) else {"ex01": hosts}
    return screen(every, command=Command(**{**vars(COMMAND), **command}), untouched=untouched)


def block(steps: Steps, **command: Any) -> list[str]:
    """The lines on one server."""
    lines = shown(steps, **command)
    start = lines.index("ex01") + 1
    return lines[start : lines.index("", start)]


def cells(steps: Steps) -> dict[str, str]:
    """The columns of one server, by the words above them."""
    header, row, *_rest = shown(steps)
    names = ["host", "Windows", "1.0", "1.1", "1.2 C/S", ".NET4", "restart", "verdict", "handshake"]
    starts = [*(header.index(name) for name in names), None]
    return {name: row[starts[at] : starts[at + 1]].strip() for at, name in enumerate(names)}


# --- a fleet ---------------------------------------------------------------------------------------------------------

FLEET = {
    "ex05": told(audit=settings("fine")),
    "ex09": told(audit=settings("new", 14393)),
    "ex03": told(audit=settings("off")),
    "ex04": told(audit=gone()),
    "ex01": told(audit=settings("new")),
    "ex02": told(audit=settings("new")),
}


def test_an_audit_of_a_fleet() -> None:
    lines = shown(FLEET, untouched=["ex07", "ex06"], book="playbooks/audit-tls12.yml")
    assert lines[:7] == [
        "host  Windows  1.0  1.1  1.2 C/S  .NET4  restart  verdict      handshake",
        "ex03  2019     on   on   OFF/OFF  yes    -        4 wrong      -",
        "ex04  -        -    -    -        -      -        UNREACHABLE  -",
        "ex01  2019     on   on   default  no     -        8 to write   -",
        "ex02  2019     on   on   default  no     -        8 to write   -",
        "ex09  2016     on   on   default  no     -        8 to write   -",
        "ex05  2019     on   on   on/on    yes    -        as wanted    -",
    ]
    assert lines[7:] == [
        "",
        "ex03",
        "wrong:    TLS 1.2 Client and Server: Enabled 0, want 1; DisabledByDefault 1, want 0",
        f"next:     {TYPED}/enforce-tls12.yml -l ex03 --check",
        "",
        "ex04",
        "error:    connection refused",
        "next:     mend the connection, then",
        f"          {TYPED}/audit-tls12.yml -l ex04",
        "",
        "ex01, ex02, ex09",
        "missing:  TLS 1.2 Client and Server: Enabled absent, want 1; DisabledByDefault absent, want 0",
        "          .NET 4 64 bit and 32 bit: SystemDefaultTlsVersions, SchUseStrongCrypto absent, want 1",
        f"next:     {TYPED}/enforce-tls12.yml -l ex01,ex02,ex09 --check",
        "",
        "1 broken, 1 unreachable, 3 to write, 1 as wanted; not reached: ex04; not touched: ex06, ex07",
    ]


def test_nothing_was_read() -> None:
    assert shown({}) == ["", "no server was read; not reached: none; not touched: none"]
    assert shown({}, untouched=["ex01"])[-1] == "no server was read; not reached: none; not touched: ex01"


def test_a_fleet_where_all_is_well_is_a_table_and_a_line() -> None:
    lines = shown(dict.fromkeys(("ex01", "ex02"), told(audit=settings("fine"))))
    assert lines[3:] == ["", "2 as wanted; not reached: none; not touched: none"]


def test_servers_that_differ() -> None:
    lines = shown({"ex01": told(audit=settings("fine")), "ex02": told(audit=settings("old off"))})
    assert "The servers differ:" in lines
    alone = shown({"ex01": told(audit=settings("fine")), "ex02": told(audit=gone())})
    assert "The servers differ:" not in alone, "where one could not be read nobody knows"
    assert "The servers differ:" not in shown(dict.fromkeys(("ex01", "ex02"), told(audit=settings("fine"))))


def test_many_servers_are_quick_and_many_equal_ones_share_a_block() -> None:
    names = [f"ex{number:03}" for number in range(500)]
    stories = [told(audit=settings(how)) for how in ("fine", "new", "off", "wrong")]
    hosts = {name: stories[number % 4] for number, name in enumerate(names)}
    began = time.process_time()
    lines = shown(hosts, untouched=[f"zz{number:03}" for number in range(500)])
    assert time.process_time() - began < 5
    assert len(lines) < 600
    assert sum("and 117 more" in line for line in lines) == 3
    text = "\n".join(lines)
    assert all(name in text for name in names)
    assert all(f"zz{number:03}" in text for number in range(500))


@pytest.mark.parametrize("name", ["ex\u202e01", "ex\x1b[31m01", "ex01\nex02", "\x9b1m", "x" * 1000])
def test_names_that_a_terminal_would_obey(name: str) -> None:
    lines = shown({name: told(audit=gone()), "ex09": told(audit=settings("off"))}, untouched=[name + "2"])
    assert all(line.isprintable() for line in lines)
    assert all(len(line) < 400 for line in lines if "ansible-playbook" not in line)


def test_text_of_a_target_is_visible_and_short() -> None:
    hostile = "\u202e\x1b[2J" + "x" * 100_000
    lines = shown(
        {"ex01": told(audit={**failed(), "msg": hostile}), "ex02": told(error=hostile, audit=settings("off"))}
    )
    assert all(line.isprintable() for line in lines)
    assert sum(map(len, lines)) < 5000


# --- the columns -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (told(audit=settings("client off")), {"1.2 C/S": "OFF/on", "verdict": "2 wrong"}),
        (told(audit=settings("old off")), {"1.0": "off", "1.1": "off", "1.2 C/S": "on/on"}),
        (told(audit=settings("new", 26100)), {"Windows": "2025", "1.0": "?", "1.2 C/S": "default"}),
        (told(audit=settings("new", 6002)), {"Windows": "2008 SP2"}),
        (told(audit=settings("fine", 99999)), {"Windows": "99999"}),
        (told(change=changed(), reboot=restarted()), {"restart": "done 61 s", "handshake": "-"}),
        (told(change=changed(), reboot=restarted(0)), {"restart": "done 0 s"}),
        (told(change=changed()), {"restart": "pending", "verdict": "2 written"}),
        (told(change=changed(), reboot=failed("restart_refused")), {"restart": "FAILED", "verdict": "FAILED"}),
        (told(change=unchanged(), verify=verified(accepted=IN)), {"restart": "-", "handshake": "1.2 in"}),
        (told(change=unchanged(), verify=verified(accepted=REFUSED)), {"handshake": "1.2 REFUSED"}),
        (told(change=unchanged(), verify=verified(accepted={"smtp": None})), {"handshake": "not proven"}),
        (told(change=unchanged(), verify=verified(accepted={"a": None, "b": True})), {"handshake": "1.2 in (some)"}),
        (
            told(check_mode=True, change=changed("fine", "planned"), reboot={"rebooted": False, "changed": True}),
            {"restart": "would be made", "verdict": "1 to write"},
        ),
    ],
)
def test_columns(steps: Steps, expected: dict[str, str]) -> None:
    assert {name: cells(steps)[name] for name in expected} == expected


# --- what is said of one server --------------------------------------------------------------------------------------

DONE = [f"changed:  2 registry values written, backup {BACKUP}", "restart:  done in 61 seconds"]
BACK = f"          {TYPED}/rollback-tls12.yml"


def test_a_server_that_was_changed_and_is_well() -> None:
    lines = shown(told(change=changed(), reboot=restarted(), verify=verified(accepted=IN)))
    assert lines[2:5] == ["", f"ex01  2 registry values written, backup {BACKUP}", ""]
    assert lines[5] == "1 verified; not reached: none; not touched: none"
    assert lines[6].startswith(
        "verified: TLS 1.2 is on, in effect, and was accepted by handshakes from here (incoming)."
    )


def test_verified_is_explained_only_where_it_is_said() -> None:
    for steps in (told(audit=settings("fine")), told(change=unchanged(), verify=verified())):
        assert not any(line.startswith("verified:") for line in shown(steps))


def test_force_is_told_even_where_all_is_well() -> None:
    forced = changed(warnings=["FORCED: no handshake was seen", "something else"])
    lines = shown(told(change=forced, reboot=restarted(), verify=verified(accepted=IN)))
    assert "ex01  warning:  FORCED: no handshake was seen" in lines
    assert not any("something else" in line for line in lines)


def test_a_proof_that_failed() -> None:
    lost = told(change=changed(), reboot=restarted(), verify=verified(accepted=REFUSED, lost=["smtp://ex01"]))
    assert block(lost) == [
        *DONE,
        "proof:    NO: TLS 1.2 was accepted before and no longer is by smtp://ex01.",
        (
            "          TLS 1.2 is enabled in the registry but was refused by smtp://ex01 (server hello). "
            "Either the host was not"
        ),
        "          restarted since, or its cipher suites or the service's own settings rule it out.",
        "next:     look into what 'proof' says. Back to the values before this run:",
        BACK,
    ]


def test_every_problem_is_told_once_also_with_findings() -> None:
    """Findings are listed as wrong; a restart that is pending is not lost among them."""
    steps = told(change=unchanged("off"), verify=verified("off", accepted=REFUSED, pending=True))
    lines = block(steps)
    assert "proof:    NO: A restart is pending: the settings are written but not in effect." in lines
    assert sum("Enabled 0, want 1" in line for line in lines) == 1
    only = block(told(change=unchanged("off"), verify=verified("off")))
    assert "proof:    NO: the settings are not as wanted" in only


def test_a_proof_that_failed_where_nothing_was_changed() -> None:
    """An older backup is of an older change: this run has nothing to roll back."""
    for change in (unchanged(), {**changed(), "changes": changes("restored"), "backup": BACKUP}):
        lines = block(told(change=change, verify=verified(accepted=REFUSED)))
        assert not any("rollback" in line for line in lines)


def test_a_proof_that_could_not_be_made() -> None:
    """Its error is told, although the step is the one that proves."""
    for verify, words in (
        (failed("access_denied"), "error:    It did not work: access_denied."),
        (gone(), "error:    connection refused"),
        ({**verified(accepted=IN), **failed("fail_on")}, "error:    It did not work: fail_on."),
    ):
        assert words in block(told(change=changed(), reboot=restarted(), verify=verify))


def test_a_change_that_was_undone() -> None:
    proof = verified(accepted=IN, judge_policy=False)
    steps = told(error="TLS 1.2 was lost.", change=changed(), undone=changed(), reboot=restarted(), verify=proof)
    assert block(steps, book="harden-tls.yml") == [
        "error:    TLS 1.2 was lost.",
        "changed:  nothing is left of it; what was written is restored",
        "restart:  done in 61 seconds",
        (
            "proof:    the values of the backup are back; TLS 1.2 is Client enabled, Server enabled; "
            "incoming TLS 1.2 accepted by"
        ),
        "          smtp://ex01, https://ex01",
        "next:     the old values are back. Find out what still needs old TLS, then",
        "          ansible-playbook -i hosts.yml harden-tls.yml",
    ]


def test_a_change_that_was_undone_without_its_restart() -> None:
    for reboot in (failed("restart_failed"), None):
        lines = block(told(error="x", change=changed(), undone=changed(), reboot=reboot))
        assert "restart:  needed" in lines
        assert lines[-1] == f"          {TYPED}/enforce-tls12.yml -e tls12_reboot=if_pending"


def test_a_change_that_could_not_be_undone() -> None:
    lines = block(told(change=changed(), reboot=restarted(), undone=failed("access_denied")))
    assert lines[:3] == ["error:    It did not work: access_denied.", *DONE]
    assert lines[-2:] == ["next:     mend what the message says. Back to the values before this run:", BACK]
    assert not any("values are back" in line for line in lines)


LET_IT_BE_TRIED = "let TLS 1.2 be tried (tls12_handshakes) on endpoints that this machine reaches (tls12_endpoints)"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (
            told(change=failed("phase_refused")),
            [
                "next:     first this, then the same command again:",
                f"          {TYPED}/enforce-tls12.yml -e tls12_baseline=exchange_tls12",
            ],
        ),
        (
            told(change=failed("bad_option")),
            ["next:     give it as the message says, and run the same command again"],
        ),
        (
            told(change=failed("access_denied")),
            [
                "next:     mend what the message says, then go on where it stopped:",
                f"          {TYPED}/enforce-tls12.yml",
            ],
        ),
        (
            told(error="my hook failed", change=changed()),
            [
                "next:     mend what the message says, then go on where it stopped:",
                f"          {TYPED}/enforce-tls12.yml",
            ],
        ),
        (
            told(change=changed(), verify=verified(pending=True, allow_pending=True)),
            ["next:     restart it:", f"          {TYPED}/enforce-tls12.yml -e tls12_reboot=if_pending"],
        ),
        (
            told(change=unchanged(), verify=verified(handshake_policy="never")),
            [
                "proof:    right in the registry, not proven: handshakes are switched off",
                f"next:     {LET_IT_BE_TRIED}",
            ],
        ),
        (
            told(change=unchanged(), verify=verified(accepted={"smtp": None})),
            [
                "proof:    right in the registry, not proven by handshake",
                "          smtp://ex01: connection refused",
                "next:     try TLS 1.2 from a machine that reaches the endpoints, or name others in tls12_endpoints",
            ],
        ),
        (
            told(change=changed(), reboot=restarted(), verify=verified("off", judge_policy=False)),
            [
                "next:     TLS 1.2 is not on for Client and Server. To turn it on again:",
                f"          {TYPED}/enforce-tls12.yml",
            ],
        ),
        (
            told(change=changed(), reboot=restarted(), verify=verified("fine", judge_policy=False)),
            ["next:     nothing to do"],
        ),
        (
            told(check_mode=True, change=changed("fine", "planned")),
            ["next:     to do it:", f"          {TYPED}/enforce-tls12.yml"],
        ),
        (
            told(audit=failed("findings", overview=settings("off")["overview"])),
            [f"next:     {TYPED}/enforce-tls12.yml --check"],
        ),
        (told(audit=settings("wrong")), [f"next:     {TYPED}/enforce-tls12.yml --check"]),
    ],
)
def test_what_comes_next(steps: Steps, expected: list[str]) -> None:
    assert block(steps)[-len(expected) :] == expected
    assert sum(line.startswith("next:") for line in block(steps)) == 1


def test_an_audit_that_finds_a_restart_pending_is_not_mixed_with_others() -> None:
    """The same lines, but another next step."""
    waiting = told(audit={**settings("new"), "restart_pending": True})
    lines = shown({"ex01": waiting, "ex02": told(audit=settings("new"))})
    assert "ex01" in lines
    assert "ex02" in lines


def test_a_rollback_names_the_file_it_restored_and_its_own_backup() -> None:
    back = {"changed": True, "restored_from": "/b/old.json", "changes": changes("written"), "backup": BACKUP}
    steps = told(change=back, reboot=restarted(), verify=verified("off", judge_policy=False))
    lines = block(steps, book="rollback-tls12.yml")
    assert lines[:2] == [
        "changed:  1 registry value restored from /b/old.json",
        f"          the values before that are in {BACKUP}",
    ]
    assert not any("want" in line for line in lines), "the policy is not asked about"


def test_a_change_that_was_cut_off() -> None:
    cut = {**gone(), "changed": True, "backup": BACKUP, "changes": changes("written", "unknown", "not_written")}
    assert f"changed:  2 registry values perhaps written, backup {BACKUP}" in block(told(change=cut))
    assert "changed:  nothing" in block(told(change=failed()))
    keys = {**unchanged(), "changed": True, "backup": BACKUP}
    assert f"changed:  registry keys, backup {BACKUP}" in block(told(change=keys, verify=verified()))


def test_a_restart_without_a_look_at_the_settings() -> None:
    """As with the entry point reboot of the role."""
    steps = told(change={"rebooted": False, "restart_pending": True}, reboot=restarted())
    assert block(steps) == [
        "restart:  done in 61 seconds",
        "next:     to see how it stands:",
        f"          {TYPED}/audit-tls12.yml",
    ]


def test_long_lists_are_counted() -> None:
    glance = {**settings("off")["overview"], "wrong": [f"area {number}" for number in range(20)]}
    lines = block(told(audit=failed(overview=glance)))
    assert sum("area" in line for line in lines) == 6
    assert "          and 14 more (run with -v)" in lines
