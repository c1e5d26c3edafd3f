# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes and rollbacks that nothing disturbs: what is written, predicted, refused and taken back."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import backups, notes
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import protocol_key
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value, dword

from ..fakes import Trouble, registry_of
from .runs import Run, fresh, roll_back, settings, without_times


def test_real_run(tmp_path: Path) -> None:
    windows = fresh()
    result = Run(windows, tmp_path)()
    assert result["changed"]
    assert result["compliant"]
    assert result["restart_required"]
    assert result["restart_pending"]
    assert {item["status"] for item in result["changes"]} == {"written"}
    for item in result["changes"]:
        assert windows.hive.get(item["key"].removeprefix("HKLM\\"), item["value"]).as_result() == item["after"]
    saved = backups.load(result["backup"])
    assert [value.as_result() for value in saved.values.values()] == [item["before"] for item in result["changes"]]
    assert protocol_key("TLS 1.2") in saved.missing_keys
    note = notes.read(registry_of(windows))
    assert note is not None
    assert note.unfinished == {}
    assert note.at_boot == saved.values


def test_check_mode_predicts_the_real_run(tmp_path: Path) -> None:
    windows = fresh()
    image = windows.hive.image()
    predicted = Run(windows, tmp_path)(check_mode=True)
    assert windows.hive.image() == image
    assert windows.writes == []
    assert list(tmp_path.iterdir()) == []
    real = Run(windows, tmp_path)()
    assert predicted.pop("backup") is None
    assert real.pop("backup")
    assert {item.pop("status") for item in predicted["changes"]} == {"planned"}
    assert {item.pop("status") for item in real["changes"]} == {"written"}
    assert without_times(predicted) == without_times(real)


@pytest.mark.parametrize("check_mode", [False, True])
def test_second_run_changes_nothing(tmp_path: Path, check_mode: bool) -> None:
    windows = fresh()
    Run(windows, tmp_path)()
    image, files = windows.hive.image(), len(list(tmp_path.iterdir()))
    windows.calls.clear()
    result = Run(windows, tmp_path)(check_mode=check_mode)
    assert (result["changed"], result["changes"], result["backup"]) == (False, [], None)
    assert result["diff"] == {"before": "", "after": ""}
    assert result["restart_pending"]
    assert windows.hive.image() == image
    assert windows.writes == []
    assert len(list(tmp_path.iterdir())) == files


def test_order(tmp_path: Path) -> None:
    windows = fresh()
    Run(windows, tmp_path)()
    methods = [call.method for call in windows.calls]
    first_write = next(number for number, call in enumerate(windows.calls) if call.writes)
    assert "CheckAccess" not in methods[first_write:], "rights are asked for before anything is written"
    assert windows.calls[first_write].key == notes.KEY
    last = [call for call in windows.calls if call.writes][-1]
    assert (last.key, last.name) == (notes.KEY, notes.NAME)


def test_no_rights(tmp_path: Path) -> None:
    windows = fresh()
    windows.denied = {protocol_key("TLS 1.0", "Server").lower()}
    image = windows.hive.image()
    run = Run(windows, tmp_path)
    with pytest.raises(ExchangeTlsError, match="nothing was changed"):
        run()
    assert windows.writes == []
    assert windows.hive.image() == image
    assert list(tmp_path.iterdir()) == []
    assert run.partial["changed"] is False
    assert {item["status"] for item in run.partial["changes"]} == {"not_written"}
    assert run.partial["backup"] is None


def test_no_backup_no_change(tmp_path: Path) -> None:
    windows = fresh()
    (tmp_path / "file").write_text("")
    run = Run(windows, tmp_path / "file")
    with pytest.raises(ExchangeTlsError, match="Nothing was changed on the host"):
        run()
    assert windows.writes == []
    assert run.partial["changed"] is False


@pytest.mark.parametrize("check_mode", [False, True])
def test_value_that_could_not_be_restored(tmp_path: Path, check_mode: bool) -> None:
    """A value that WMI cannot read can be in no backup, so it is not written over."""
    windows = fresh()
    windows.hive.set(protocol_key("TLS 1.0", "Server"), "Enabled", Value(Type.OTHER))
    run = Run(windows, tmp_path)
    with pytest.raises(ExchangeTlsError, match=r"TLS 1\.0\\Server \[Enabled\].*cannot be saved") as caught:
        run(check_mode=check_mode)
    assert "Nothing was changed" in caught.value.message
    assert run.partial["changed"] is False
    assert {item["status"] for item in run.partial["changes"]} == {"not_written"}
    assert windows.writes == []


# --- back and forth --------------------------------------------------------------------------------------------------


def test_back_to_the_beginning(tmp_path: Path) -> None:
    windows = fresh()
    image = windows.hive.image()
    result = Run(windows, tmp_path)()
    outcome = roll_back(windows, result["backup"], tmp_path)
    assert outcome["changed"]
    assert outcome["restart_pending"] is False, "all is as it was when Windows started"
    assert windows.hive.image() == image, "and no note is left behind"
    assert roll_back(windows, result["backup"], tmp_path)["changed"] is False


def test_back_by_one_of_two_changes(tmp_path: Path) -> None:
    """The note of both changes tells more than the backup of the second."""
    windows = fresh()
    Run(windows, tmp_path, {"TLS 1.2": "enabled"})()
    between = settings(windows)
    second = Run(windows, tmp_path, {"TLS 1.0": "disabled"})()
    outcome = roll_back(windows, second["backup"], tmp_path)
    assert settings(windows) == between
    assert outcome["restart_pending"] is True, "TLS 1.2 still waits for its restart"


def test_back_after_a_restart(tmp_path: Path) -> None:
    windows = fresh()
    original = settings(windows)
    result = Run(windows, tmp_path)()
    windows.last_boot += datetime.timedelta(hours=1)
    assert Run(windows, tmp_path)()["restart_pending"] is False
    assert windows.hive.image() == (settings(windows)[0], settings(windows)[1]), "the note has done its work"
    outcome = roll_back(windows, result["backup"], tmp_path)
    assert settings(windows) == original
    assert outcome["restart_pending"] is True


# --- what cannot be put back -----------------------------------------------------------------------------------------

ENABLED = (protocol_key("TLS 1.0", "Server"), "Enabled")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (Value(Type.REG_EXPAND_SZ, "C:\\Windows"), "is a REG_EXPAND_SZ, which WMI only reads expanded"),
        (Value(Type.REG_SZ, "a\x01"), "holds U\\+0001, which no message can carry"),
        (Value(Type.REG_MULTI_SZ, ("a", "\ufffe")), "holds U\\+FFFE, which no message can carry"),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_what_cannot_be_put_back_is_not_written_over(
    tmp_path: Path, value: Value, reason: str, check_mode: bool
) -> None:
    windows = fresh()
    windows.hive.set(*ENABLED, value)
    image = windows.hive.image()
    with pytest.raises(ExchangeTlsError, match=reason) as caught:
        Run(windows, tmp_path)(check_mode=check_mode)
    assert "Nothing was changed" in caught.value.message
    assert windows.writes == []
    assert windows.hive.image() == image


@pytest.mark.parametrize("text", ["one\r\ntwo", "\t", "a\rb", "\n", " ", "\u202e", "\U0001f600"])
def test_odd_texts_are_put_back_exactly(tmp_path: Path, text: str) -> None:
    windows = fresh()
    windows.hive.set(*ENABLED, Value(Type.REG_SZ, text))
    before = settings(windows)
    result = Run(windows, tmp_path)()
    assert windows.hive.get(*ENABLED) == dword(0)
    roll_back(windows, result["backup"], tmp_path)
    assert settings(windows) == before


@pytest.mark.parametrize(
    "value",
    [Value(Type.REG_SZ, "x"), dword(1), Value(Type.REG_BINARY, (1,)), Value(Type.OTHER), Value(Type.REG_MULTI_SZ)],
)
def test_a_default_value_that_somebody_put_into_a_key_we_made_keeps_it(tmp_path: Path, value: Value) -> None:
    windows = fresh()
    windows.hide_lone_defaults = True
    result = Run(windows, tmp_path)()
    key = protocol_key("TLS 1.2")
    windows.hive.set(key, "", value)
    roll_back(windows, result["backup"], tmp_path)
    assert windows.hive.get(key, "") == value
    assert windows.hive.below(key) == [], "what is ours goes all the same"


# --- a key that others use as well -----------------------------------------------------------------------------------


@pytest.mark.parametrize("theirs", ["key", "value"])
def test_the_key_of_the_note_stays_where_others_keep_something_in_it(tmp_path: Path, theirs: str) -> None:
    windows = fresh()
    if theirs == "key":
        windows.hive.make(rf"{notes.KEY}\Theirs")
    else:
        windows.hive.make(notes.KEY)
        windows.hive.set(notes.KEY, "Theirs", dword(1))
    before = windows.hive.image()
    result = Run(windows, tmp_path)()
    assert notes.read(registry_of(windows)) is not None
    roll_back(windows, result["backup"], tmp_path)
    assert windows.hive.image() == before


# --- what cannot be read ---------------------------------------------------------------------------------------------


def test_a_note_that_may_not_be_read_counts_as_a_pending_restart(tmp_path: Path) -> None:
    windows = fresh()
    windows.trouble = lambda call: Trouble(code=5) if call.key == notes.KEY and call.method.startswith("Get") else None
    result = Run(windows, tmp_path)(check_mode=True)
    assert result["restart_pending"]
    assert "access denied" in result["warnings"][0]
