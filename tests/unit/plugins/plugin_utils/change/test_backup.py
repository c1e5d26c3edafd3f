# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups on the controller."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import backups
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change.backups import Backup
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change.notes import Note
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError, OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting, Snapshot
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.facts import Host
from hypothesis import given
from hypothesis import strategies as st

from ..fakes import BOOT
from ..windows.test_registry import TEXT, VALUES

A = Setting(r"SYSTEM\X", "Enabled")
AFTER = {A: dword(0)}


def backup(host: str = "ex01", created: str = "2026-11-22T03:04:05Z", purpose: str = "change", **more: Any) -> Backup:
    more = {"after": AFTER, **more}
    return Backup("EX01", {A: dword(1)}, (r"SYSTEM\Y",), (r"SYSTEM\Z",), purpose, created, host, **more)


def of_version_1(folder: Path, saved: Backup, again: str = "") -> str:
    """A file as version 0.1 of the collection wrote it."""
    data = {**json.loads(saved.as_json()), "version": 1}
    del data["number"]
    for item in data["values"]:
        del item["after"]
    stamp = re.sub(r"[-:]", "", saved.created)
    path = folder / f"{saved.inventory_hostname}.{stamp}{again}.{saved.purpose}.json"
    path.write_text(json.dumps(data))
    path.chmod(0o600)
    return str(path)


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
    saved = dataclasses.replace(saved, after=dict.fromkeys(saved.values, dword(7)))
    path = backups.save(saved, str(folder))
    assert backups.load(path) == dataclasses.replace(saved, number=1)
    assert Path(path).parent == folder.resolve()


def test_file(tmp_path: Path) -> None:
    folder = tmp_path / "not yet there" / "backups"
    path = Path(backups.save(backup(), str(folder)))
    assert path == folder / "ex01.0001.20261122T030405Z.change.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert os.listdir(folder) == [path.name], "no temporary file is left"
    data = json.loads(path.read_text())
    assert data["format"] == "mailops.exchange_tls.backup"
    assert (data["version"], data["number"]) == (2, 1)
    (value,) = data["values"]
    assert value.pop("after") == {"present": True, "type": "REG_DWORD", "data": 0}
    assert value == {"key": r"SYSTEM\X", "value": "Enabled", "present": True, "type": "REG_DWORD", "data": 1}


def test_two_in_one_second(tmp_path: Path) -> None:
    paths = [backups.save(backup(), str(tmp_path)) for _dummy in range(3)]
    assert len(set(paths)) == 3
    assert backups.newest(str(tmp_path), "ex01") == paths[2]


def test_newest_whatever_the_clocks_say(tmp_path: Path) -> None:
    """The clock of a controller was 30 days ahead, or another one shares the folder."""
    for created in ("2026-11-22T03:04:05Z", "2026-12-23T01:00:00Z", "2026-09-30T23:59:59Z"):
        backups.save(backup(created=created), str(tmp_path))
    backups.save(backup(created="2026-12-01T00:00:00Z", purpose="rollback"), str(tmp_path))
    backups.save(backup("ex02", created="2026-12-01T00:00:00Z"), str(tmp_path))
    assert Path(backups.newest(str(tmp_path), "ex01")).name == "ex01.0003.20260930T235959Z.change.json"
    assert backups.load(backups.save(backup(), str(tmp_path))).number == 5, "those of rollbacks count as well"


def test_files_of_version_1(tmp_path: Path) -> None:
    paths = [
        of_version_1(tmp_path, backup(created=created), again)
        for created, again in (
            ("2026-11-22T03:04:05Z", ""),
            ("2026-12-22T03:04:05Z", ""),
            ("2026-12-22T03:04:05Z", "-2"),
            ("2026-12-22T03:04:05Z", "-10"),
        )
    ]
    loaded = backups.load(paths[0])
    assert (loaded.after, loaded.number, loaded.values) == (None, 0, {A: dword(1)})
    assert backups.newest(str(tmp_path), "ex01") == paths[3]
    assert [name for name, _other in backups.newer(paths[0], loaded, str(tmp_path))] == paths[:0:-1]
    mine = backups.save(backup(created="2026-01-01T00:00:00Z"), str(tmp_path))
    assert backups.newest(str(tmp_path), "ex01") == mine, "all of version 1 are older"
    assert [name for name, _other in backups.newer(paths[3], backups.load(paths[3]), str(tmp_path))] == [mine]


def test_newer(tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    first, second = (backups.save(backup(), str(here)) for _dummy in range(2))
    backups.save(backup(purpose="rollback"), str(here))
    backups.save(backup("ex02"), str(here))
    backups.save(dataclasses.replace(backup(), computer_name="OTHER"), str(here))
    third = backups.save(backup(), str(here))

    def newer(path: str) -> list[str]:
        return [name for name, _other in backups.newer(path, backups.load(path), str(here))]

    assert newer(first) == [third, second]
    assert newer(third) == []
    elsewhere.mkdir(mode=0o700)
    copy = elsewhere / "copy.json"
    copy.write_bytes(Path(first).read_bytes())
    copy.chmod(0o600)
    assert newer(str(copy)) == [third, second], "the folder of backups counts as well"


def test_damaged_files_that_are_older_or_newer(tmp_path: Path) -> None:
    older, this, later = (backups.save(backup(), str(tmp_path)) for _dummy in range(3))
    Path(older).write_text("damaged")
    assert [name for name, _other in backups.newer(this, backups.load(this), str(tmp_path))] == [later]
    Path(later).write_text("damaged")
    with pytest.raises(OptionError, match="is not a backup"):
        backups.newer(this, backups.load(this), str(tmp_path))


def test_many_at_once_never_overwrite_each_other(tmp_path: Path) -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend(backups.save(backup(), str(tmp_path)) for _dummy in range(10)))
        for _dummy in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == len(list(tmp_path.iterdir())) == 60
    numbers = [backups.load(path).number for path in made]
    assert len(set(numbers)) == 60
    assert all(Path(path).name.startswith(f"ex01.{number:04d}.") for path, number in zip(made, numbers, strict=True))


def test_a_number_that_somebody_holds_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".ex01.0001.part").write_text("")
    assert Path(backups.save(backup(), str(tmp_path))).name.startswith("ex01.0002.")


def test_newest_after_ten_in_one_second(tmp_path: Path) -> None:
    paths = [backups.save(backup(), str(tmp_path)) for _dummy in range(12)]
    assert backups.newest(str(tmp_path), "ex01") == paths[-1]


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("ex01", ["ex01.contoso.com", "ex01.change", "ex01.20261122T030405Z", "ex01.0009", "ex0", "ex011"]),
        ("ex01.2019", ["ex01"]),
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
        backups.save(backup(other, created="2026-12-01T00:00:00Z"), str(tmp_path))
    with pytest.raises(OptionError, match="There is no backup of"):
        backups.newest(str(tmp_path), name)
    mine = backups.save(backup(name), str(tmp_path))
    assert Path(mine).parent == tmp_path
    assert [found for found, _other in backups.newer(mine, backups.load(mine), str(tmp_path))] == []
    assert backups.newest(str(tmp_path), name) == mine


def test_other_files_do_not_matter(tmp_path: Path) -> None:
    for name in ("ex01.change.json", "ex01.x-y.change.json", "ex01.20261122T030405Z.change.json.bak", "notes.txt"):
        (tmp_path / name).write_text("rubbish")
    with pytest.raises(OptionError, match="There is no backup of ex01"):
        backups.newest(str(tmp_path), "ex01")
    mine = backups.save(backup(), str(tmp_path))
    assert backups.newest(str(tmp_path), "ex01") == mine


def test_newest_is_never_passed_over_for_an_older_one(tmp_path: Path) -> None:
    backups.save(backup(), str(tmp_path))
    newer = Path(backups.save(backup(created="2026-12-01T00:00:00Z"), str(tmp_path)))
    newer.write_text(newer.read_text()[:-40])
    with pytest.raises(OptionError, match="is not a backup of this collection"):
        backups.load(backups.newest(str(tmp_path), "ex01"))


def no_backup(folder: str) -> str:
    with pytest.raises(OptionError, match="There is no backup of ex01") as caught:
        backups.newest(folder, "ex01")
    assert "'backup_dir' (tls12_backup_dir in the role)" in caught.value.message
    return caught.value.message


def test_why_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"in '{tmp_path}/missing' on the controller: the folder does not exist" in no_backup("missing")
    (tmp_path / "file").write_text("")
    assert "that is no folder" in no_backup("file")
    (tmp_path / "empty").mkdir()
    assert "it holds no backups at all" in no_backup("empty")
    backups.save(backup("ex03"), "others")
    backups.save(backup("ex02"), "others")
    assert "it holds backups of ex02, ex03 only" in no_backup("others")
    for number in range(10, 20):
        backups.save(backup(f"ex{number}"), "others")
    assert "ex15 and 4 more only" in no_backup("others")


def test_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(OptionError) as caught:
        backups.newest(str(tmp_path), "ex01")
    assert f"Cannot read the folder of backups '{tmp_path}'" in caught.value.message
    assert "Permission denied" in caught.value.message


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
    "another version": (
        json.dumps({**good(), "version": 3}),
        "its version is 3; this collection reads versions up to 2",
    ),
    "no values": (json.dumps(without("values")), "values"),
    "no name": (json.dumps(without("computer_name")), "computer_name"),
    "no keys": (json.dumps(without("missing_keys")), "missing_keys"),
    "no removed keys": (json.dumps(without("removed_keys")), "removed_keys"),
    "values are text": (json.dumps({**good(), "values": "x"}), "is not a backup"),
    "no number": (json.dumps(without("number")), "number"),
    "no after": (json.dumps({**good(), "values": [{"key": "k", "value": "v", "present": False}]}), "after"),
    "after of a wrong type": (
        json.dumps({**good(), "values": [{"key": "k", "value": "v", "present": False, "after": 5}]}),
        "is not a backup",
    ),
    "value without a key": (json.dumps({**good(), "values": [{"value": "x"}]}), "key"),
    "key is a number": (json.dumps({**good(), "values": [{"key": 5, "value": "x"}]}), "is not a backup"),
    "keys are a text": (json.dumps({**good(), "missing_keys": "SOFTWARE"}), "'missing_keys' is no list of texts"),
    "keys are a mapping": (json.dumps({**good(), "removed_keys": {"k": 1}}), "'removed_keys' is no list of texts"),
    "a key is nothing": (json.dumps({**good(), "removed_keys": ["k", None]}), "'removed_keys' is no list of texts"),
    "values are a mapping": (json.dumps({**good(), "values": {"key": "k"}}), "'values' is no list of mappings"),
    "true as version": (json.dumps({**good(), "version": True}), "its version is True"),
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
    "could not be read": (
        json.dumps({**good(), "values": [{"key": "k", "value": "v", "present": None, "type": None, "data": None}]}),
        r"k [v] has a type that cannot be written back",
    ),
    "a number without end": (json.dumps({**good(), "number": float("inf")}), "infinity"),
    "lists without end": ("[" * 100_000, "is not a backup"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files(tmp_path: Path, case: str) -> None:
    text, words = DAMAGED[case]
    path = tmp_path / "file.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(OptionError) as caught:
        backups.load(str(path))
    assert str(path) in caught.value.message
    assert words in caught.value.message


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"Cannot read the backup .*: No such file"):
        backups.load(str(tmp_path / "missing.json"))
    with pytest.raises(OptionError, match=r"Cannot read the backup .*: Is a directory"):
        backups.load(str(tmp_path))
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "binary.json").chmod(0o600)
    with pytest.raises(OptionError, match="is not a text file"):
        backups.load(str(tmp_path / "binary.json"))


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExchangeTlsError) as caught:
        backups.save(backup(), str(tmp_path / "file" / "backups"))
    assert "Cannot write the backup in" in caught.value.message
    assert "Nothing was changed on the host" in caught.value.message
    assert "'backup_dir'" in caught.value.message


def test_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExchangeTlsError, match="No space left on device"):
        backups.save(backup(), str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_home_of_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ~name that nobody has is a name like any other."""
    monkeypatch.chdir(tmp_path)
    folder = "~nobody-of-this-name/x"
    with pytest.raises(OptionError):
        backups.newest(folder, "ex01")
    path = backups.save(backup(), folder)
    assert path == backups.newest(folder, "ex01")
    assert backups.load(f"{folder}/{Path(path).name}") == backup(number=1)


HOST = Host("EX01", "Windows", 17763, 1, "server", BOOT, 0.0)
JUNK = Value(Type.REG_SZ, "x" * 100_000)


def test_contents(tmp_path: Path) -> None:
    # what was there before a run that was cut off, which the note knows
    note = Note(BOOT, {A: dword(0)}, {A: ABSENT}, ("k",), ("gone",))
    now, after = Snapshot({A: dword(2)}, {}), Snapshot({A: dword(1)}, {})
    made = backups.backup_of(note, now, after, HOST, "ex01", "change", str(tmp_path))
    assert (made.values, made.missing_keys, made.removed_keys) == ({A: ABSENT}, ("k",), ("gone",))
    assert made.after == {A: dword(1)}
    assert (made.computer_name, made.inventory_hostname, made.purpose) == ("EX01", "ex01", "change")
    assert made.created.endswith("Z")


def test_big_value_of_a_run_that_was_cut_off(tmp_path: Path) -> None:
    """The note knows it by its digest only. It is on the host still, or in the backup of that run."""
    note = Note.decode(Note(BOOT, {}, {A: JUNK}).encode())

    def made(now: Value) -> Backup:
        snapshot = Snapshot({A: now}, {})
        return backups.backup_of(note, snapshot, snapshot, HOST, "ex01", "change", str(tmp_path))

    assert made(JUNK).values == {A: JUNK}
    with pytest.raises(ExchangeTlsError, match=r"only in the backup of the run that was cut off.*tls12_backup_dir"):
        made(dword(1))
    backups.save(dataclasses.replace(backup(), values={A: JUNK}), str(tmp_path))
    for purpose in ("change", "rollback"):
        other = Path(backups.save(backup(purpose=purpose), str(tmp_path)))
    other.write_text("damaged")
    assert made(dword(1)).values == {A: JUNK}
