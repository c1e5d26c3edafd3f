# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which run a note belongs to, and whether that run still lives."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import owners
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change.owners import Owner, me

PARENT = dataclasses.replace(me(), pid=os.getppid(), start=str(owners._start(os.getppid())))


def test_there_and_back() -> None:
    owner = me()
    assert Owner.from_json(owner.as_json()) == owner
    assert me().token != owner.token, "each change has its own"
    assert str(owner) == f"process {os.getpid()} on {owner.controller}"


@pytest.mark.parametrize(
    ("changes", "lives"),
    [
        ({}, True),
        ({"start": "1"}, False),  # the number was given to another process
        ({"pid": 2**22 + 5}, False),
        ({"boot": "before"}, False),  # the controller was restarted
        ({"namespace": "pid:[1]"}, None),  # another container
        ({"controller": "other"}, None),
        ({"machine": "other"}, None),
    ],
)
def test_lives(changes: dict[str, Any], lives: bool | None) -> None:
    assert dataclasses.replace(PARENT, **changes).lives() is lives


def test_what_this_process_left_behind_is_over() -> None:
    """A worker that repeats a task, or goes on to the next item of a loop, is not at work on the first one."""
    assert me().lives() is False


def test_a_process_that_was_killed_and_not_yet_waited_for() -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        owner = dataclasses.replace(me(), pid=process.pid, start=str(owners._start(process.pid)))
        assert owner.lives() is True
        process.kill()
        while owners._read(f"proc/{process.pid}/stat").rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.01)
        assert owner.lives() is False


def test_a_program_with_an_odd_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "proc" / "7").mkdir(parents=True)
    numbers = " ".join(str(number) for number in range(4, 53))
    (tmp_path / "proc" / "7" / "stat").write_text(f"7 (a ) Z (b) S {numbers}")
    monkeypatch.setattr(owners, "_ROOT", tmp_path)
    assert owners._start(7) == "22"


def test_processes_of_others_are_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lives, or another one has its number by now: it is given some minutes."""
    here = me()
    monkeypatch.setattr(owners, "me", lambda: here)
    monkeypatch.setattr(owners, "_ROOT", tmp_path)
    assert PARENT.lives() is None


def test_without_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel tells nothing, a number that is in use counts as alive."""
    monkeypatch.setattr(owners, "_ROOT", tmp_path)
    owner = me()
    assert (owner.machine, owner.boot, owner.namespace, owner.start) == ("", "", "", "")
    assert dataclasses.replace(owner, pid=os.getppid()).lives() is True
    assert dataclasses.replace(owner, pid=2**22 + 5).lives() is False


def _in_a_worker(killed: bool) -> tuple[Owner, Owner, bool]:
    """The run as a process sees it that was forked for a task, the process that forked it, and whether it is an orphan;
    killed: once that process has ended."""
    context = multiprocessing.get_context("fork")
    told, tell = context.Pipe(duplex=False)
    go, let_go = context.Pipe(duplex=False)

    def work() -> None:
        go.recv()
        while killed and not owners.is_orphan():
            time.sleep(0.01)
        tell.send((owners.run(), owners.is_orphan()))

    def begin() -> None:
        context.Process(target=work).start()
        tell.send(dataclasses.replace(me(), token=""))
        if killed:
            os._exit(0)

    run = context.Process(target=begin)
    run.start()
    maker = told.recv()
    if killed:
        run.join()
    let_go.send("go")
    found, is_orphan = told.recv()
    run.join()
    return found, maker, is_orphan


def test_the_run_of_a_worker() -> None:
    found, maker, is_orphan = _in_a_worker(killed=False)
    assert (found, is_orphan) == (maker, False)


def test_a_worker_whose_run_was_killed_does_not_take_init_for_it() -> None:
    """Init lives for ever, and so would the note."""
    found, maker, is_orphan = _in_a_worker(killed=True)
    assert (found.pid, is_orphan) == (maker.pid, True)
    assert found.lives() is False


def test_outside_of_a_worker_nobody_is_an_orphan() -> None:
    assert (owners.run().pid, owners.is_orphan()) == (os.getppid(), False)
