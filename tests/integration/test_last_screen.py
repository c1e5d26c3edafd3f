# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last screen of a run: worst first, nothing twice, who was not reached and not touched, and the next command."""

from __future__ import annotations

import re
import shlex
import subprocess
import typing as t

import pytest

from tests.lab.client import LabClient

from .harness import PROTOCOLS_KEY, ROOT, Ansible, Run

ENDPOINT: list[dict[str, t.Any]] = [{"kind": "smtp", "port": 2525}]
HOST: dict[str, t.Any] = {
    "windows": "2016",
    "registry": ["stock"],
    "endpoints": ENDPOINT,
    "restart": {"shutdown_delay": 0.1, "down_for": 0.3},
}
WRONG_TYPE = {rf"HKLM\{PROTOCOLS_KEY}\TLS 1.2\Client": {"Enabled": {"type": "REG_SZ", "data": "1"}}}
LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": {
        **{f"ex{number:02}": HOST for number in range(1, 13)},
        "ex05": {**HOST, "registry": ["stock", "tls12_enabled", "dotnet_strong"]},
        "ex08": {**HOST, "registry": ["stock", "tls12_off"]},
        "ex09": {**HOST, "registry": ["stock", WRONG_TYPE]},
    },
}
CALLBACK = {"ANSIBLE_CALLBACKS_ENABLED": "record,mailops.exchange_tls.summary"}


def play(ansible: Ansible, book: str, *arguments: str, **how: t.Any) -> Run:
    return ansible.playbook(book, *arguments, env=CALLBACK, **{"tls12_endpoints": ["smtp://:2525"], **how})


def screen(run: Run) -> str:
    """What comes after the recap."""
    assert run.output.count("PLAY RECAP") == 1
    return re.split(r"(?m)^ex\d\d +: ok=.*\n(?!ex\d\d +: ok=)", run.output)[-1]


def test_an_audit_shows_the_worst_first(lab: LabClient, ansible: Ansible) -> None:
    lab.host("ex03").set_quirk("down")
    run = play(ansible, "audit-tls12.yml")
    lab.host("ex03").clear_quirks()
    shown = screen(run)
    rows = [line.split() for line in shown.splitlines() if re.match(r"ex\d\d +\S+ +(on|off|-|\?) ", line)]
    assert [row[0] for row in rows[:3]] == ["ex08", "ex03", "ex09"], shown
    assert rows[0][4] == "OFF/OFF"
    assert "UNREACHABLE" in rows[1]
    assert rows[2][4].startswith("?/")
    assert rows[-1][0] == "ex05"
    assert len(rows) == 12
    assert "not reached: ex03; not touched: none" in shown
    assert "wrong:    TLS 1.2 Client and Server: Enabled 0, want 1; DisabledByDefault 1, want 0" in shown
    # those that are alike share their lines
    assert re.search(r"(?m)^ex01, ex02, ex04, ex06, ex07, ex10, ex11(, ex12| and 1 more)$", shown), shown
    assert len(shown.splitlines()) < 60


def test_those_that_were_not_touched_are_named(lab: LabClient, ansible: Ansible) -> None:
    lab.host("ex03").set_quirk("down")
    lab.host("ex04").reset_log()
    run = play(ansible, "enforce-tls12.yml")
    lab.host("ex03").clear_quirks()
    assert run.rc != 0
    shown = screen(run)
    untouched = ", ".join(f"ex{number:02}" for number in range(4, 13))
    assert f"not reached: ex03; not touched: {untouched}" in shown
    assert "rollback" not in shown
    assert lab.host("ex04").operations() == []
    # said once: the role prints no screen of its own
    assert run.output.count("not touched:") == 1
    assert not run.of("debug")


def test_a_failed_write_fits_on_a_screen(lab: LabClient, ansible: Ansible) -> None:
    host = lab.host("ex06")
    host.set_quirk("fault", {"kind": "access_denied", "operation": "*SetDWORDValue", "every": True})
    run = play(ansible, "enforce-tls12.yml", "-l", "ex06,ex07")
    host.clear_quirks()
    assert run.rc == 2
    fatal = next(line for line in run.output.splitlines() if line.startswith("fatal:"))
    assert len(fatal) < 6000
    shown = screen(run)
    assert "changed:  nothing\n" in shown
    assert "rollback" not in shown
    assert "not touched: ex07" in shown
    assert len(shown.splitlines()) < 20


@pytest.mark.parametrize("cause", ["tls_off_elsewhere"])
def test_nobody_is_sent_to_a_rollback_of_an_older_change(lab: LabClient, ansible: Ansible, cause: str) -> None:
    """A policy has written values and nobody restarted: the run that finds that out has changed nothing."""
    host = lab.host("ex10")
    play(ansible, "enforce-tls12.yml", "-l", "ex10").ok()
    for side in ("Client", "Server"):
        host.set_value(rf"{PROTOCOLS_KEY}\TLS 1.1\{side}", "Enabled", 0)
    run = play(ansible, "enforce-tls12.yml", "-l", "ex10")
    assert run.rc == 2
    shown = screen(run)
    assert "TLS 1.1 is disabled in the registry but was accepted" in shown
    assert "changed:  nothing, everything was right already" in shown
    assert "rollback" not in shown
    assert "-e tls12_reboot=always" in shown


def test_the_next_command_works(lab: LabClient, ansible: Ansible) -> None:
    """It is copied from the screen and run as it stands, in the folder where the first one was run."""
    run = play(ansible, "audit-tls12.yml", "-l", "ex11")
    command = next(line for line in screen(run).splitlines() if "ansible-playbook" in line)
    words = shlex.split(command.partition("ansible-playbook ")[2])
    assert "--check" in words
    done = subprocess.run(
        ["ansible-playbook", *words], cwd=ansible.folder, capture_output=True, text=True, check=False, timeout=90
    )
    assert done.returncode == 0, done.stdout
    assert "8 registry values would be written" in done.stdout


def test_a_batch_ends_before_the_restart_where_one_failed(lab: LabClient, ansible: Ansible) -> None:
    lab.host("ex01").set_quirk("fault", {"kind": "access_denied", "operation": "*SetDWORDValue", "every": True})
    before = len(lab.host("ex02").restarts())
    lab.host("ex02").set_value(rf"{PROTOCOLS_KEY}\TLS 1.2\Server", "Enabled", 0)
    for side in ("Client", "Server"):
        lab.host("ex01").set_value(rf"{PROTOCOLS_KEY}\TLS 1.2\{side}", "Enabled", 0)
    run = play(ansible, "enforce-tls12.yml", "-l", "ex01,ex02,ex12", tls12_serial=2)
    lab.host("ex01").clear_quirks()
    assert run.rc == 2
    assert len(lab.host("ex02").restarts()) == before
    assert "Not restarted: ex01 failed or could not be reached." in run.output
    assert "not touched: ex12" in screen(run)


def test_progress_is_not_on_standard_output(lab: LabClient, ansible: Ansible, tmp_path: t.Any) -> None:
    """A stdout callback that prints JSON has standard output for itself."""
    run = play(ansible, "audit-tls12.yml", "-l", "ex12")
    hosts = next(iter(sorted(ansible.folder.glob("hosts-*.yml"))))
    assert run.rc == 0
    done = subprocess.run(
        ["ansible", "-i", str(hosts), "ex12", "-m", "mailops.exchange_tls.wmi_reboot", "-a", "timeout=60"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "restart requested" in done.stderr
    assert "restart requested" not in done.stdout


@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
@pytest.mark.parametrize("serial", [0, 2])
def test_entry_points_in_every_strategy(ansible: Ansible, strategy: str, serial: int) -> None:
    """The role in a play of one's own; without the callback it prints its screens itself, each server once at least."""
    role = {"name": "mailops.exchange_tls.tls12", "tasks_from": "audit"}
    task = {"name": "Audit", "ansible.builtin.include_role": role}
    book: dict[str, t.Any] = {
        "name": "Audit",
        "hosts": "ex04,ex05,ex07",
        "gather_facts": False,
        "strategy": strategy,
        "tasks": [task],
    }
    if serial:
        book["serial"] = serial
    run = ansible.playbook([book], "-f", "3").ok()
    assert {item.host for item in run.of("tls_settings_info")} == {"ex04", "ex05", "ex07"}
    assert "has no attribute" not in run.output
    lines = [line for item in run.outcomes if item.action.endswith("debug") for line in item.result.get("msg", [])]
    for host in ("ex04", "ex05", "ex07"):
        assert any(line.startswith(f"{host} ") for line in lines), run.output


def test_start_at_a_later_task(ansible: Ansible) -> None:
    run = play(ansible, "enforce-tls12.yml", "-l", "ex05", "--start-at-task", "Restart, and prove")
    assert "Traceback" not in run.output
    assert "tls_overview" not in run.output
    assert not run.of("tls_settings")
    assert run.of("tls_settings_info"), run.output
