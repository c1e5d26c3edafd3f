# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups on the controller."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _backup
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._backup import Backup
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError, OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._pending import Note
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._registry import ABSENT, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows import Host
from hypothesis import given
from hypothesis import strategies as st

from .fakes import BOOT
from .test_registry import TEXT, VALUES

A = Setting(r"SYSTEM\X", "Enabled")


def backup(host: str = "ex01", created: str = "2026-11-22T03:04:05Z", purpose: str = "change", **more: Any) -> Backup:
    return Backup("EX01", {A: dword(1)}, (r"SYSTEM\Y",), (r"SYSTEM\Z",), purpose, created, host, **more)


@given(
    st.builds(
        Backup,
        TEXT,
        st.dictionaries(st.builds(Setting, TEXT, TEXT), st.one_of(VALUES, st.just(ABSENT)), max_size=4),
        st.lists(TEXT, max_size=3).map(tuple),
        st.lists(TEXT, max_size=3).map(tuple),
        st.sampled_from(["change", "rollback"]),
        st.just("2026-11-22T03:04:05Z"),
        TEXT.filter(lambda name: len(name.encode()) < 100),
    )
)
def test_there_and_back(tmp_path_factory: pytest.TempPathFactory, saved: Backup) -> None:
    folder = tmp_path_factory.mktemp("backup")
    path = _backup.save(saved, str(folder))
    assert _backup.load(path) == dataclasses.replace(saved, number=1)
    assert Path(path).parent == folder.resolve()


def test_file(tmp_path: Path) -> None:
    folder = tmp_path / "not yet there" / "backups"
    path = Path(_backup.save(backup(), str(folder)))
    assert path == folder / "ex01.20261122T030405Z.change.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert os.listdir(folder) == [path.name], "no temporary file is left"
    data = json.loads(path.read_text())
    assert data["format"] == "mailops.exchange_tls.backup"
    assert data["version"] == 1
    assert data["values"] == [{"key": r"SYSTEM\X", "value": "Enabled", "present": True, "type": "REG_DWORD", "data": 1}]


def test_two_in_one_second(tmp_path: Path) -> None:
    paths = [_backup.save(backup(), str(tmp_path)) for _dummy in range(3)]
    assert len(set(paths)) == 3
    assert _backup.newest(str(tmp_path), "ex01") == paths[2]


def test_newest(tmp_path: Path) -> None:
    for created in ("2026-11-22T03:04:05Z", "2026-11-23T01:00:00Z", "2026-09-30T23:59:59Z"):
        _backup.save(backup(created=created), str(tmp_path))
    _backup.save(backup(created="2026-12-01T00:00:00Z", purpose="rollback"), str(tmp_path))
    _backup.save(backup("ex02", created="2026-12-01T00:00:00Z"), str(tmp_path))
    assert Path(_backup.newest(str(tmp_path), "ex01")).name == "ex01.20261123T010000Z.change.json"


def test_newest_after_ten_in_one_second(tmp_path: Path) -> None:
    paths = [_backup.save(backup(), str(tmp_path)) for _dummy in range(12)]
    assert _backup.newest(str(tmp_path), "ex01") == paths[-1]


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("ex01", ["ex01.contoso.com", "ex01.change", "ex01.20261122T030405Z", "ex0", "ex011"]),
        ("ex 01", ["ex_01", "ex/01", "ex:01"]),
        ("ex*", ["ex01", "exx"]),
        ("[ab]", ["a", "b"]),
        ("..", ["."]),
        ("/etc/passwd", ["_etc_passwd"]),
        ("mail-ä", ["mail-o"]),
    ],
)
def test_only_backups_of_the_very_host(tmp_path: Path, name: str, others: list[str]) -> None:
    for other in others:
        _backup.save(backup(other, created="2026-12-01T00:00:00Z"), str(tmp_path))
    with pytest.raises(OptionError, match="There is no backup of"):
        _backup.newest(str(tmp_path), name)
    mine = _backup.save(backup(name), str(tmp_path))
    assert Path(mine).parent == tmp_path
    assert _backup.newest(str(tmp_path), name) == mine


def test_other_files_do_not_matter(tmp_path: Path) -> None:
    for name in ("ex01.change.json", "ex01.x-y.change.json", "ex01.20261122T030405Z.change.json.bak", "notes.txt"):
        (tmp_path / name).write_text("rubbish")
    with pytest.raises(OptionError, match="There is no backup of ex01"):
        _backup.newest(str(tmp_path), "ex01")
    mine = _backup.save(backup(), str(tmp_path))
    assert _backup.newest(str(tmp_path), "ex01") == mine


def test_newest_is_never_passed_over_for_an_older_one(tmp_path: Path) -> None:
    _backup.save(backup(), str(tmp_path))
    newer = Path(_backup.save(backup(created="2026-12-01T00:00:00Z"), str(tmp_path)))
    newer.write_text(newer.read_text()[:-40])
    with pytest.raises(OptionError, match="is not a backup of this collection"):
        _backup.load(_backup.newest(str(tmp_path), "ex01"))


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="There is no backup of ex01"):
        _backup.newest(str(tmp_path / "missing"), "ex01")


def good() -> dict[str, Any]:
    return dict(json.loads(backup().as_json()))


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in good().items() if key != name}


DAMAGED = {
    "empty": ("", "Expecting value"),
    "no JSON": ("{", "Expecting property name"),
    "a list": ("[]", "is not a backup"),
    "null": ("null", "is not a backup"),
    "another format": (json.dumps({"format": "x"}), "its 'format' is not 'mailops.exchange_tls.backup'"),
    "another version": (json.dumps({**good(), "version": 2}), "its version is 2; this collection reads version 1"),
    "no values": (json.dumps(without("values")), "values"),
    "no name": (json.dumps(without("computer_name")), "computer_name"),
    "no keys": (json.dumps(without("missing_keys")), "missing_keys"),
    "no removed keys": (json.dumps(without("removed_keys")), "removed_keys"),
    "values are text": (json.dumps({**good(), "values": "x"}), "is not a backup"),
    "value without a key": (json.dumps({**good(), "values": [{"value": "x"}]}), "key"),
    "key is a number": (json.dumps({**good(), "values": [{"key": 5, "value": "x"}]}), "is not a backup"),
    "keys are a number": (json.dumps({**good(), "missing_keys": 5}), "is not a backup"),
    "bad data": (
        json.dumps(
            {**good(), "values": [{"key": "k", "value": "v", "present": True, "type": "REG_DWORD", "data": "1"}]}
        ),
        "'1' is not a REG_DWORD",
    ),
    "bad type": (
        json.dumps({**good(), "values": [{"key": "k", "value": "v", "present": True, "type": "REG_X", "data": 1}]}),
        "REG_X",
    ),
    "type without a method": (
        json.dumps({**good(), "values": [{"key": "k", "value": "v", "present": True, "type": "OTHER", "data": None}]}),
        r"k [v] has a type that cannot be written back",
    ),
    "lists without end": ("[" * 100_000, "is not a backup"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files(tmp_path: Path, case: str) -> None:
    text, words = DAMAGED[case]
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(OptionError) as caught:
        _backup.load(str(path))
    assert str(path) in caught.value.message
    assert words in caught.value.message


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"Cannot read the backup .*: No such file"):
        _backup.load(str(tmp_path / "missing.json"))
    with pytest.raises(OptionError, match=r"Cannot read the backup .*: Is a directory"):
        _backup.load(str(tmp_path))
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OptionError, match="is not a text file"):
        _backup.load(str(tmp_path / "binary.json"))


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExchangeTlsError) as caught:
        _backup.save(backup(), str(tmp_path / "file" / "backups"))
    assert "Cannot write the backup in" in caught.value.message
    assert "Nothing was changed on the host" in caught.value.message
    assert "'backup_dir'" in caught.value.message


def test_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExchangeTlsError, match="No space left on device"):
        _backup.save(backup(), str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_home_of_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ~name that nobody has is a name like any other."""
    monkeypatch.chdir(tmp_path)
    folder = "~nobody-of-this-name/x"
    with pytest.raises(OptionError):
        _backup.newest(folder, "ex01")
    path = _backup.save(backup(), folder)
    assert path == _backup.newest(folder, "ex01")
    assert _backup.load(f"{folder}/{Path(path).name}") == backup()


def test_contents() -> None:
    host = Host("EX01", "Windows", 17763, 1, "member server", BOOT, 0.0)
    # what was there before a run that was cut off, which the note knows
    note = Note(BOOT, {A: dword(0)}, {A: ABSENT}, ("k",), ("gone",))
    made = _backup.backup_of(note, host, "ex01", "change")
    assert (made.values, made.missing_keys, made.removed_keys) == ({A: ABSENT}, ("k",), ("gone",))
    assert (made.computer_name, made.inventory_hostname, made.purpose) == ("EX01", "ex01", "change")
    assert made.created.endswith("Z")
