# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of backups: checked before the first write, and trusted only where nobody else can write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import folders
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change.owners import AnotherRun
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError, OptionError

NOBODY = 65534


def refused(folder: str) -> str:
    with pytest.raises(ExchangeTlsError) as caught:
        folders.check_folder(folder)
    assert "Nothing was changed on the host" in caught.value.message
    assert "'backup_dir' (tls12_backup_dir in the role)" in caught.value.message
    return caught.value.message


def test_a_folder_that_is_fine_is_not_made(tmp_path: Path) -> None:
    folders.check_folder(str(tmp_path / "not yet" / "there"))
    folders.check_folder(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name in ("file", "file/below", "file/below/that"):
        assert "is no folder" in refused(str(tmp_path / name))


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    """Nothing can be made in its place, whatever check mode finds above it."""
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("link", "link/below"):
        assert f"'{tmp_path}/link' is a link that leads nowhere" in refused(str(tmp_path / name))


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    assert "too long" in refused(str(tmp_path / ("x" * 300)))


def test_no_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    assert f"no right to write in '{tmp_path}'" in refused(str(tmp_path / "backups"))


@pytest.mark.parametrize(
    ("blocks", "files", "free", "enough"), [(0, 9, 9, False), (9, 9, 0, False), (9, 0, 0, True), (9999, 9, 9, True)]
)
def test_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks: int, files: int, free: int, enough: bool
) -> None:
    """Some file systems do not count files."""
    found = SimpleNamespace(f_bavail=blocks, f_frsize=2**20, f_files=files, f_favail=free)
    monkeypatch.setattr(os, "statvfs", lambda path: found)
    if enough:
        folders.check_folder(str(tmp_path))
    else:
        assert "no space is left" in refused(str(tmp_path))


def test_a_folder_that_is_open_to_all(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    assert f"chmod o-w {tmp_path}" in refused(str(tmp_path))
    for mode in (0o1777, 0o770, 0o700):
        tmp_path.chmod(mode)
        folders.check_folder(str(tmp_path))


@pytest.mark.parametrize("name", ["a\0b", "", "  "])
def test_what_is_no_path(name: str) -> None:
    for use in (folders.check_folder, folders.read_trusted):
        with pytest.raises(OptionError, match="is no path on the controller"):
            use(name)


# --- trust -----------------------------------------------------------------------------------------------------------


@pytest.fixture(name="backup")
def _backup(tmp_path: Path) -> Path:
    path = tmp_path / "backup.json"
    path.write_text("content")
    path.chmod(0o600)
    return path


def distrusted(path: Path) -> str:
    with pytest.raises(OptionError, match="nothing was changed") as caught:
        folders.read_trusted(str(path))
    assert f"install -m 600 {path} FOLDER" in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o644])
def test_what_only_its_owner_may_write_is_read(backup: Path, mode: int) -> None:
    backup.chmod(mode)
    assert folders.read_trusted(str(backup)) == b"content"


@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602])
def test_what_others_may_write_is_not_read(backup: Path, mode: int) -> None:
    backup.chmod(mode)
    assert f"others may write it (mode {mode:04o}; chmod 600" in distrusted(backup)


def test_folder_in_which_others_may_replace_it(backup: Path) -> None:
    backup.parent.chmod(0o777)
    assert "everybody may replace files in its folder" in distrusted(backup)
    backup.parent.chmod(0o1777)
    assert folders.read_trusted(str(backup)) == b"content"


def stat_of(uid: int) -> os.stat_result:
    return os.stat_result((0o100600, 0, 0, 1, uid, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("user", "owner", "folder", "fine"),
    [
        (1000, 1000, 1000, True),
        (1000, 0, 0, True),
        (1000, 1001, 1001, False),
        (1000, 1001, 1000, False),
        (0, 0, 0, True),
        (0, 1000, 1000, True),  # the backups of a user, in that user's folder
        (0, 1000, 0, False),  # put into the folder of root
        (0, 1001, 1000, False),
    ],
)
def test_owners(backup: Path, monkeypatch: pytest.MonkeyPatch, user: int, owner: int, folder: int, fine: bool) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(Path, "stat", lambda self, **more: stat_of(folder))
    why = folders.distrust(backup, stat_of(owner))
    assert (why is None) is fine
    assert fine or "it belongs to" in str(why)


def test_pipes_and_links(tmp_path: Path, backup: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OptionError, match="Not a file"):
        folders.read_trusted(str(tmp_path / "pipe"))
    target = tmp_path / "open"
    target.mkdir()
    target.chmod(0o777)
    (target / "it.json").write_text("x")
    (target / "it.json").chmod(0o600)
    (tmp_path / "link").symlink_to(target / "it.json")
    assert "everybody may replace files" in distrusted(tmp_path / "link")


# --- one run a host --------------------------------------------------------------------------------------------------

TRY = """
import sys
sys.path[:0] = {paths!r}
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import folders
try:
    with folders.only_run({folder!r}, {stem!r}):
        print("got it")
except folders.AnotherRun as exc:
    print(exc.message)
"""


def attempt(folder: Path, stem: str) -> str:
    """Another process tries to get the lock."""
    code = TRY.format(paths=sys.path, folder=str(folder), stem=stem)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with folders.only_run(str(tmp_path / "new"), "ex01"):
        assert "Another run is changing this host" in attempt(tmp_path / "new", "ex01")
        assert "got it" in attempt(tmp_path / "new", "ex02")
        with pytest.raises(AnotherRun), folders.only_run(str(tmp_path / "new"), "ex01"):
            pass
    assert "got it" in attempt(tmp_path / "new", "ex01")
    assert list((tmp_path / "new").iterdir()) == [], "nothing is left behind"


def test_a_lock_whose_file_was_removed_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last owner removes it between the opening and the locking."""
    flock, path = folders.fcntl.flock, tmp_path / ".ex01.lock"
    taken: list[int] = []

    def slow(handle: int, operation: int) -> None:
        if not taken:
            path.unlink()
        taken.append(handle)
        flock(handle, operation)

    monkeypatch.setattr(folders.fcntl, "flock", slow)
    with folders.only_run(str(tmp_path), "ex01"):
        assert len(taken) == 2
        assert "Another run" in attempt(tmp_path, "ex01")


def test_no_locks_on_this_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(handle: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(folders.fcntl, "flock", unsupported)
    with folders.only_run(str(tmp_path), "ex01"):
        pass
