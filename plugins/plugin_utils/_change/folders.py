# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The folder of backups on the controller: whether it can be written, whom its files belong to, one run a host."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pathlib
import pwd
import stat
import typing as t

from .._errors import ExchangeTlsError, OptionError
from .owners import AnotherRun

# What an option of the modules is called, for people who use the role as well.
BACKUP_DIR = "'backup_dir' (tls12_backup_dir in the role)"

# A backup is some kilobytes.
_ENOUGH = 1024 * 1024


def absolute(name: str) -> pathlib.Path:
    """The path as the operating system sees it. Raises :class:`OptionError` for what can be none."""
    if "\0" in name or not name.strip():
        raise OptionError(f"{name!r} is no path on the controller: give a name without NUL that is not empty.")
    return pathlib.Path(os.path.abspath(os.path.expanduser(name)))


def check_folder(name: str) -> None:
    """Finds out whether a backup could be written there, and trusted later. Makes nothing.

    Raises :class:`ExchangeTlsError`; nothing was changed by then.
    """
    folder = absolute(name)
    try:
        look_into(folder)
    except (OSError, ValueError) as exc:
        raise cannot_write(folder, exc) from None


def look_into(folder: pathlib.Path) -> None:
    """Whether files could be written there, and only by this user. Makes nothing. Raises OSError with the reason."""
    nearest = next(path for path in (folder, *folder.parents) if path.exists() or path.is_symlink())
    if not nearest.exists():
        raise OSError(errno.ENOENT, f"{str(nearest)!r} is a link that leads nowhere")
    info = nearest.stat()
    space = os.statvfs(nearest)
    if not stat.S_ISDIR(info.st_mode):
        raise OSError(errno.ENOTDIR, f"{str(nearest)!r} is no folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, f"no right to write in {str(nearest)!r}")
    if space.f_bavail * space.f_frsize < _ENOUGH or (space.f_files and not space.f_favail):
        raise OSError(errno.ENOSPC, f"no space is left in {str(nearest)!r}")
    if nearest == folder and _open_to_all(info):
        raise OSError(errno.EPERM, f"everybody may replace files in it; chmod o-w {folder}")


def cannot_write(folder: pathlib.Path, exc: OSError | ValueError) -> ExchangeTlsError:
    reason = (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
    return ExchangeTlsError(
        f"Cannot write the backup in {str(folder)!r} on the controller: {reason.rstrip('.')}. Nothing was changed on "
        f"the host. Make the folder writable or set {BACKUP_DIR}."
    )


def read_trusted(name: str) -> bytes:
    """The content of a backup that nobody else can have written. Raises :class:`OptionError`."""
    path = absolute(name)
    try:
        # a pipe must not hold the run up
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as stream:
            info = os.fstat(handle)
            if not stat.S_ISREG(info.st_mode):
                raise OSError(errno.EISDIR, "Is a directory" if stat.S_ISDIR(info.st_mode) else "Not a file")
            why = distrust(path, info)
            if why:
                copy = f"copy it where only you may write (install -m 600 {path} FOLDER) and name the copy as 'backup'"
                raise OptionError(
                    f"The backup {str(path)!r} is not used, nothing was changed: {why}. Look through it, then {copy} "
                    "(tls12_backup in the role)."
                )
            return stream.read()
    except (OSError, ValueError) as exc:
        reason = (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
        raise OptionError(f"Cannot read the backup {str(path)!r} on the controller: {reason}.") from None


def distrust(path: pathlib.Path, info: os.stat_result) -> str | None:
    """Why somebody else may have written the file; a rollback writes to the host whatever it says."""
    folder = path.resolve().parent
    around, user = folder.stat(), os.geteuid()
    if info.st_mode & 0o022:
        return f"others may write it (mode {stat.S_IMODE(info.st_mode):04o}; chmod 600 would end that)"
    # root may use the backups of a user in that user's folder, and everybody those of root
    fine = {user, 0, around.st_uid} if user == 0 else {user, 0}
    if info.st_uid not in fine:
        return f"it belongs to {_user(info.st_uid)}, and this run to {_user(user)}"
    if _open_to_all(around):
        return f"everybody may replace files in its folder (chmod o-w {folder} would end that)"
    return None


def _open_to_all(info: os.stat_result) -> bool:
    return bool(info.st_mode & stat.S_IWOTH) and not info.st_mode & stat.S_ISVTX


def _user(uid: int) -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return f"user {uid}"


@contextlib.contextmanager
def only_run(name: str, stem: str) -> t.Iterator[None]:
    """Holds others off that use the same folder, for as long as this process changes the host.

    Raises :class:`AnotherRun`. Where the file system has no locks, the note on the host has to do.
    """
    folder = absolute(name)
    path = folder / f".{stem}.lock"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = _locked(path)
    except BlockingIOError:
        raise AnotherRun(
            "Another run is changing this host at this moment, with the same folder of backups; nothing was changed. "
            "Wait until it has ended, then run this again."
        ) from None
    except (OSError, ValueError) as exc:
        raise cannot_write(folder, exc) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(handle)


def _locked(path: pathlib.Path) -> int:
    """The open and locked file; a lock on one that its last owner has removed meanwhile is worth nothing."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise
        except OSError:
            return handle
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        os.close(handle)
