# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugins where things go wrong: what ends a task, two runs at once, rollbacks that are refused."""

from __future__ import annotations

import dataclasses
import datetime
import json
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible_collections.mailops.exchange_tls.plugins.action import tls_rollback, tls_settings, wmi_reboot
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _action
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import notes, owners
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import Unreachable
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import protocol_key
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value, dword

from ..plugin_utils.change.runs import settings
from ..plugin_utils.fakes import BOOT, Call, FakeWindows, Trouble, registry_of
from .actions import HARDEN, Runner, restarted

# --- rollbacks that are refused --------------------------------------------------------------------------------------


def test_rollback_beneath_a_newer_change(run: Runner, windows: FakeWindows) -> None:
    """Enforce, harden, and then back to before enforce would leave a server without any TLS version."""
    first = run(tls_settings)["backup"]
    restarted(windows)
    second = run(tls_settings, **HARDEN)["backup"]
    image = windows.hive.image()
    for check_mode in (True, False):
        result = run(tls_rollback, backup=first, check_mode=check_mode)
        assert (result["failed"], result["error"]["kind"]) == (True, "rollback_refused")
        assert second in result["msg"]
        assert result["restored_from"] == first
    assert windows.hive.image() == image
    assert run(tls_rollback)["restored_from"] == second
    result = run(tls_rollback, backup=first)
    assert (result["changed"], result["msg"]) == (True, f"{len(result['changes'])} values were restored from {first}.")


def test_rollback_beneath_a_newer_change_by_force(run: Runner, windows: FakeWindows) -> None:
    first = run(tls_settings)["backup"]
    restarted(windows)
    second = run(tls_settings, **HARDEN)["backup"]
    result = run(tls_rollback, backup=first, force="yes")
    assert result["changed"] is True
    warning, dotnet = result["warnings"]
    assert warning.startswith("FORCED: ")
    assert second in warning
    assert "NET 4 goes on with old TLS, which is off" in dotnet


def test_rollback_beneath_a_change_that_nobody_can_read(run: Runner, windows: FakeWindows) -> None:
    first = run(tls_settings)["backup"]
    restarted(windows)
    Path(run(tls_settings, **HARDEN)["backup"]).write_text("damaged")
    result = run(tls_rollback, backup=first)
    assert result["error"]["kind"] == "rollback_refused"
    assert "whether a newer change is rolled back" in result["msg"]
    assert "whether a newer change is rolled back" in run(tls_rollback, backup=first, force=True)["warnings"][0]


def test_rollback_of_what_others_have_changed_since(run: Runner, windows: FakeWindows) -> None:
    run(tls_settings)
    windows.hive.set(protocol_key("TLS 1.2", "Server"), "Enabled", dword(7))
    result = run(tls_rollback)
    assert result["error"]["kind"] == "rollback_refused"
    assert r"TLS 1.2\Server [Enabled]" in result["msg"]
    assert run(tls_rollback, force=True)["changed"] is True


def test_rollback_of_a_file_that_is_not_ours(run: Runner, windows: FakeWindows) -> None:
    path = Path(run(tls_settings)["backup"])
    data = json.loads(path.read_text())
    data["values"][0].update(key=r"SOFTWARE\Microsoft\Windows\CurrentVersion\Run", value="evil")
    path.write_text(json.dumps(data))
    windows.calls.clear()
    result = run(tls_rollback)
    assert result["error"]["kind"] == "rollback_refused"
    assert r"CurrentVersion\Run [evil]" in result["msg"]
    path.chmod(0o666)
    assert "others may write it" in run(tls_rollback, force=True)["msg"]
    assert windows.calls == [], "the host is not asked"


@pytest.mark.parametrize("option", ["backup", "backup_dir"])
def test_rollback_from_what_is_no_path(run: Runner, option: str) -> None:
    result = run(tls_rollback, **{option: "a\0b"})
    assert (result["failed"], result["error"]["kind"]) == (True, "bad_option")


# --- what ends a task ----------------------------------------------------------------------------------------------


class OfAnsible(BaseException):
    """As the exception of the task keyword 'timeout' in every ansible-core: no Exception, and of no public name."""


ENDS: dict[str, Callable[[], BaseException]] = {
    "timeout": OfAnsible,
    "bug": lambda: KeyError("x"),
    "of ansible": lambda: AnsibleError("it broke"),
    "interrupt": KeyboardInterrupt,
    "exit": lambda: SystemExit(1),
}


def requests_of_a_change(run: Runner, windows: FakeWindows, **args: Any) -> list[int]:
    run(tls_settings, **args)
    numbers = [call.number for call in windows.calls if call.number >= windows.writes[0].number]
    run(tls_rollback)
    windows.calls.clear()
    return numbers


@pytest.mark.parametrize("executed", [False, True])
@pytest.mark.parametrize("how", ENDS)
def test_whatever_ends_a_task_it_tells_what_was_written(
    run: Runner, windows: FakeWindows, monkeypatch: pytest.MonkeyPatch, how: str, executed: bool
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(_action.display, "display", lambda message, **more: shown.append(message))
    windows.trouble = lambda call: None
    written = 0
    policy = {"baseline": "none", "protocols": {"TLS 1.0": "enabled"}}
    numbers = requests_of_a_change(run, windows, **policy)
    keys, values = dict(windows.hive.keys), dict(windows.hive.values)
    original = settings(windows)
    for number in numbers:
        windows.hive.keys, windows.hive.values = dict(keys), dict(values)
        windows.calls.clear()
        shown.clear()
        windows.trouble = lambda call, last=number: (
            Trouble(ENDS[how](), executed=executed) if call.number == last else None
        )
        result: dict[str, Any] = {}
        try:
            result = run(tls_settings, limit=7, **policy)
        except (KeyboardInterrupt, SystemExit):
            assert how in ("interrupt", "exit")
        assert [call.number for call in windows.calls] == list(range(1, number + 1)), "nothing is undone"
        changed = settings(windows) != original
        written += changed
        if how in ("interrupt", "exit"):
            text = " ".join(shown)
            assert not changed or "The values before are in /" in text
        else:
            assert result["failed"] is True
            assert result.get("changed", False) or not changed
            for item in result.get("changes", []):
                actual = windows.hive.get(item["key"].removeprefix("HKLM\\"), item["value"]).as_result()
                assert actual in {"written": [item["after"]], "not_written": [item["before"]]}.get(
                    item["status"], [item["before"], item["after"]]
                ), item
            if changed:
                assert Path(result["backup"]).exists()
                assert str(result["backup"]) in result["msg"]
    assert written > 5


def test_a_bug_says_so(run: Runner, windows: FakeWindows) -> None:
    windows.trouble = lambda call: Trouble(KeyError("x"))
    result = run(tls_settings)
    assert result["error"] == {"kind": "bug", "exception": "KeyError"}
    assert "This is a bug of mailops.exchange_tls" in result["msg"]
    hidden = run(tls_settings, no_log=True)
    assert "KeyError" not in hidden["msg"]
    assert "KeyError" in hidden["error"]["message"]


def test_a_restart_that_is_ended_over_its_note_was_made(run: Runner, windows: FakeWindows) -> None:
    run(tls_settings)
    restart = windows.trouble
    windows.trouble = lambda call: Trouble(OfAnsible()) if call.method == "DeleteKey" else restart and restart(call)
    result = run(wmi_reboot, limit=7)
    assert result["timedout"] == {"period": 7}
    assert (result["rebooted"], result["restart_pending"]) == (True, False)


def test_a_worker_whose_run_was_killed_restarts_nothing(
    run: Runner, windows: FakeWindows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has waited for other members, and the next run may have taken the server back into service meanwhile."""
    run(tls_settings)
    with monkeypatch.context() as patched:
        patched.setattr(owners, "is_orphan", lambda: True)
        result = run(wmi_reboot)
    assert result["error"]["kind"] == "another_run"
    assert windows.count("Win32Shutdown") == 0
    assert run(wmi_reboot)["rebooted"] is True


def test_a_timeout_says_so(run: Runner, windows: FakeWindows) -> None:
    windows.trouble = lambda call: Trouble(OfAnsible())
    result = run(tls_settings, limit=7)
    assert result["msg"] == "The task did not end within its timeout of 7 seconds."
    assert result["timedout"] == {"period": 7}
    assert result["error"]["kind"] == "timeout"
    with pytest.raises(OfAnsible):
        run(tls_settings)


# --- two runs at once --------------------------------------------------------------------------------------------


def test_a_host_that_another_run_is_changing(run: Runner, windows: FakeWindows) -> None:
    """The note of a run that is cut off looks as if it were at work, if it is of another controller."""
    windows.trouble = lambda call: Trouble(Unreachable("gone")) if call.number > 27 else None
    assert run(tls_settings)["unreachable"] is True
    windows.trouble = lambda call: None
    note = notes.read(registry_of(windows))
    assert note is not None
    assert note.owner is not None
    elsewhere = dataclasses.replace(note, owner=dataclasses.replace(note.owner, controller="other"))
    notes.write(registry_of(windows), elsewhere)
    image = windows.hive.image()
    for check_mode in (True, False):
        for module in (tls_settings, tls_rollback):
            result = run(module, check_mode=check_mode)
            assert result["error"]["kind"] == "another_run"
            assert "on other); nothing was changed" in result["msg"]
            assert result["changed"] is False
    assert windows.hive.image() == image
    windows.uptime += datetime.timedelta(minutes=6)
    assert run(tls_settings, check_mode=True)["changed"] is True
    windows.uptime -= datetime.timedelta(minutes=6)
    assert run(tls_settings, force=True)["compliant"] is True


def test_nothing_to_do_while_another_run_is_at_work(run: Runner, windows: FakeWindows) -> None:
    """It has written all of it and is about to finish its note."""
    run(tls_settings)
    note = notes.read(registry_of(windows))
    assert note is not None
    theirs = dataclasses.replace(
        note, unfinished=note.at_boot, owner=dataclasses.replace(owners.me(), controller="other")
    )
    notes.write(registry_of(windows), theirs)
    assert run(tls_settings)["changed"] is False
    assert notes.read(registry_of(windows)) == theirs


def test_a_host_that_another_run_changes_in_between(run: Runner, windows: FakeWindows, tmp_path: Path) -> None:
    def between(call: Call) -> None:
        if call.method == "CheckAccess" and notes.KEY.lower() not in windows.hive.keys:
            windows.trouble = lambda call: None
            notes.write(registry_of(windows), notes.Note(BOOT, {}), new=True)

    windows.trouble = between
    result = run(tls_settings)
    assert result["error"]["kind"] == "another_run"
    assert (result["changed"], result["backup"]) == (False, None)
    assert not list((tmp_path / "backups").glob("*.json"))
    assert run(tls_settings)["compliant"] is True


def test_two_runs_that_write_at_once(run: Runner, windows: FakeWindows) -> None:
    """The first sees it at its end at the latest, tells what it has written, and leaves the note to the other."""
    other = notes.Note(BOOT, {}, owner=dataclasses.replace(owners.me(), controller="other"))

    def over(call: Call) -> None:
        if call.method == "SetDWORDValue":
            windows.hive.set(notes.KEY, notes.NAME, Value(Type.REG_SZ, other.encode()))

    windows.trouble = over
    result = run(tls_settings)
    assert result["error"]["kind"] == "another_run"
    assert "on other)" in result["msg"]
    assert {item["status"] for item in result["changes"]} == {"written"}
    assert Path(result["backup"]).exists()
    assert notes.read(registry_of(windows)) == other


# --- junk and the folder of backups ------------------------------------------------------------------------------

JUNK = Value(Type.REG_SZ, "x" * 100_000)


def test_junk_in_a_value_is_mended_and_comes_back(run: Runner, windows: FakeWindows) -> None:
    windows.hive.set(protocol_key("TLS 1.0", "Server"), "Enabled", JUNK)
    original = windows.hive.image()
    policy = {"baseline": "none", "protocols": {"TLS 1.0": "enabled"}}
    windows.trouble = lambda call: None
    for number in requests_of_a_change(run, windows, **policy):
        windows.calls.clear()
        windows.trouble = lambda call, last=number: Trouble(Unreachable("gone")) if call.number > last else None
        run(tls_settings, **policy)
        windows.trouble = lambda call: None
        assert run(tls_settings, **policy)["compliant"] is True
        assert max(len(str(call.arguments)) for call in windows.writes if call.key == notes.KEY) < 5_000
        run(tls_rollback)
        assert windows.hive.image() == original


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("module", [tls_settings, tls_rollback])
def test_folder_of_backups_that_cannot_be_written(
    run: Runner, windows: FakeWindows, tmp_path: Path, check_mode: bool, module: types.ModuleType
) -> None:
    more = {"backup": run(tls_settings)["backup"]} if module is tls_rollback else {}
    (tmp_path / "file").write_text("")
    windows.calls.clear()
    result = run(module, check_mode=check_mode, backup_dir=str(tmp_path / "file" / "backups"), **more)
    assert result["failed"] is True
    assert "'backup_dir' (tls12_backup_dir in the role)" in result["msg"]
    assert result["changed"] is False
    assert windows.writes == []
    assert "CheckAccess" not in [call.method for call in windows.calls], "it is found out first"
