# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a maintenance on a server and on the controller, and whose it is."""

from __future__ import annotations

import dataclasses
import datetime
import os
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import notes, owners
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.before import Before, RecordUnreadable
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.endpoint import neighbour
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.wishes import Wishes
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks import recorded, served
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.task import Task
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._text import utc_text

from ..fakes import BOOT, UPTIME, FakeWindows, no_shell, registry_of

NOW = BOOT + UPTIME


def before(by: dict[str, Any], seen: datetime.datetime = NOW) -> Before:
    return Before("EX01", "ex01.example.com", utc_text(seen), utc_text(seen), by, {"HubTransport": None})


def records(windows: FakeWindows, folder: Path) -> served.Records:
    return served.Records(registry_of(windows), str(folder), "ex01")


def test_it_is_kept_twice_and_removed_twice(tmp_path: Path) -> None:
    windows = FakeWindows()
    kept, known = records(windows, tmp_path / "new"), before({"run": 1})
    assert (kept.recall(), kept.recall_elsewhere()) == (None, None)
    kept.remember(known)
    assert (kept.recall(), kept.recall_elsewhere()) == (known, known)
    assert recorded.has_record(registry_of(windows))
    assert kept.file.stat().st_mode & 0o777 == 0o600
    kept.forget()
    assert (kept.recall(), kept.recall_elsewhere()) == (None, None)
    assert registry_of(windows).value_types(notes.KEY) is None, "nothing of ours is left behind"


def test_a_folder_that_is_lost_meanwhile_ends_nothing(tmp_path: Path) -> None:
    """Nothing begins without it; later the host itself has the record."""
    windows, folder = FakeWindows(), tmp_path / "backups"
    folder.touch()
    kept = records(windows, folder)
    with pytest.raises(ExchangeTlsError, match="Nothing was changed"):
        kept.remember(before({"run": 1}))
    assert kept.recall() is None
    folder.unlink()
    kept.remember(before({"run": 1}))
    kept.file.unlink()
    folder.rmdir()
    folder.touch()
    kept.remember(before({"run": 2}))
    assert kept.recall() == before({"run": 2})


def test_a_link_in_the_way_is_not_written_through(tmp_path: Path) -> None:
    """In a folder that a group shares, others may have put one there under the name that is written first."""
    kept, theirs = records(FakeWindows(), tmp_path), tmp_path / "theirs"
    theirs.write_text("important")
    (tmp_path / f".{kept.file.name}.{os.getpid()}").symlink_to(theirs)
    kept.remember(before({"run": 1}))
    assert theirs.read_text() == "important"
    assert not kept.file.is_symlink()
    assert kept.recall_elsewhere() == before({"run": 1})


def test_what_else_is_in_the_key_stays(tmp_path: Path) -> None:
    windows = FakeWindows({notes.KEY: {"Theirs": Value(Type.REG_SZ, "x")}})
    kept = records(windows, tmp_path)
    kept.remember(before({}))
    kept.forget()
    assert set(registry_of(windows).value_types(notes.KEY) or ()) == {"Theirs"}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 2}', '{"version": 1, "server": 1}'])
def test_one_that_cannot_be_read_is_said(tmp_path: Path, text: str) -> None:
    windows = FakeWindows({notes.KEY: {recorded.NAME: Value(Type.REG_SZ, text)}})
    with pytest.raises(RecordUnreadable, match="Bring it back by hand"):
        records(windows, tmp_path).recall()


ELSEWHERE = dataclasses.replace(owners.run(), controller="other", machine="other")
ENDED = dataclasses.replace(owners.run(), pid=2**22 + 1, start="1")


@pytest.mark.parametrize(
    ("owner", "minutes", "take_over", "lives"),
    [
        (owners.run(), 0, False, False),
        (ENDED, 0, False, False),
        (ELSEWHERE, 1, False, True),
        (ELSEWHERE, 14, False, True),
        (ELSEWHERE, 16, False, False),
        (ELSEWHERE, 1, True, False),
    ],
)
def test_whose_it_is(tmp_path: Path, owner: owners.Owner, minutes: int, take_over: bool, lives: bool) -> None:
    """Of another controller's run only its last sign is known, by the host's clock."""
    windows = cast("Any", FakeWindows())
    task = Task(lambda: windows, no_shell, host_name="ex01")
    host = served.ServedHost(windows, "EX01", "ex01")
    work = served.work_on(host, task, cast("Any", None), records(windows, tmp_path), Wishes(), take_over=take_over)
    other = work.means.at_work(before(owner.as_json(), NOW - datetime.timedelta(minutes=minutes)))
    assert (other is not None) is lives
    if lives:
        assert "or set 'take_over'" in (other or "")


def test_a_worker_may_outlive_its_run(tmp_path: Path) -> None:
    """ansible-playbook was killed and its worker was not: until that has ended, nobody takes the server over."""
    windows = cast("Any", FakeWindows())
    task = Task(lambda: windows, no_shell, host_name="ex01")
    host = served.ServedHost(windows, "EX01", "ex01")
    work = served.work_on(host, task, cast("Any", None), records(windows, tmp_path), Wishes(), take_over=False)
    assert work.means.by["worker"]["pid"] == os.getpid()
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        start = str(owners._start(process.pid))
        left = before({**ENDED.as_json(), "worker": {"pid": process.pid, "start": start}})
        assert work.means.at_work(left) == f"process {process.pid} on {ENDED.controller}"
        process.kill()
    assert work.means.at_work(left) is None


@pytest.mark.parametrize(
    ("own", "others", "asked"),
    [
        ("ex01.example.com", ("EX02", "EX03"), "EX02.example.com"),
        ("ex01.example.com", (), "ex01.example.com"),
        ("ex01", ("EX02",), "EX02"),
        ("10.1.2.3", ("EX02",), "EX02"),
        ("ex01.example.com", ("ex02.other.com",), "ex02.other.com"),
    ],
)
def test_another_member_is_asked_by_its_full_name(own: str, others: tuple[str, ...], asked: str) -> None:
    assert neighbour(own, others) == asked
