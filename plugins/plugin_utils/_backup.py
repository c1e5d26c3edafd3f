# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Backups on the controller: the values of a host before a run changed them."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import re
import tempfile
import typing as t

from ._errors import ExchangeTlsError, OptionError
from ._pending import Note
from ._registry import Type, Value
from ._snapshot import Setting
from ._windows import Host, utc_text

FORMAT = "mailops.exchange_tls.backup"
VERSION = 1


@dataclasses.dataclass(frozen=True)
class Backup:
    """``values``: every written setting as it was. ``missing_keys``: keys that did not exist, parents first.
    ``removed_keys``: keys that existed and were removed."""

    computer_name: str
    values: t.Mapping[Setting, Value]
    missing_keys: tuple[str, ...]
    removed_keys: tuple[str, ...]
    purpose: str  # change, rollback
    created: str
    inventory_hostname: str = ""

    def as_json(self) -> str:
        return json.dumps(
            {
                "format": FORMAT,
                "version": VERSION,
                "purpose": self.purpose,
                "created": self.created,
                "inventory_hostname": self.inventory_hostname,
                "computer_name": self.computer_name,
                "missing_keys": list(self.missing_keys),
                "removed_keys": list(self.removed_keys),
                "values": [
                    {"key": setting.key, "value": setting.name, **value.as_result()}
                    for setting, value in self.values.items()
                ],
            },
            indent=2,
        )


def backup_of(note: Note, host: Host, inventory_hostname: str, purpose: str) -> Backup:
    """The backup of what a run is about to change: as it was before the run, or before the one that was cut off."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return Backup(
        host.computer_name,
        note.unfinished,
        note.unfinished_keys,
        note.unfinished_removals,
        purpose,
        utc_text(now),
        inventory_hostname,
    )


def save(backup: Backup, folder: str) -> str:
    """Writes the file (mode 0600, complete or not at all) and returns its path."""
    stamp = re.sub(r"[-:]", "", backup.created)
    directory = _path(folder)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # two runs in one second must not share a name
        number = 0
        while True:
            suffix = f"-{number}" if number else ""
            target = directory / f"{_file_stem(backup.inventory_hostname)}.{stamp}{suffix}.{backup.purpose}.json"
            if not target.exists():
                break
            number += 1
        handle, temporary = tempfile.mkstemp(dir=directory, prefix=".backup-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(backup.as_json() + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, target)
        except BaseException:
            pathlib.Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as exc:
        raise ExchangeTlsError(
            f"Cannot write the backup in {folder!r} on the controller: {exc.strerror}. Nothing was changed on the "
            "host. Make the folder writable or set 'backup_dir'."
        ) from None
    return str(target.resolve())


def discard(path: str) -> None:
    """Removes a backup that nothing came of; one that cannot be removed stays, and does no harm."""
    with contextlib.suppress(OSError):
        pathlib.Path(path).unlink()


def load(path: str) -> Backup:
    """Reads a backup file; raises :class:`OptionError` with the reason where it is none."""
    try:
        text = _path(path).read_text(encoding="utf-8")
    except OSError as exc:
        raise OptionError(f"Cannot read the backup {path!r} on the controller: {exc.strerror}.") from None
    except UnicodeDecodeError:
        raise OptionError(f"The backup {path!r} is not a text file.") from None
    try:
        data = json.loads(text)
        if not isinstance(data, dict):
            raise TypeError("it is no JSON object")
        if data.get("format") != FORMAT:
            raise ValueError(f"its 'format' is not {FORMAT!r}")
        if data.get("version") != VERSION:
            raise ValueError(f"its version is {data.get('version')!r}; this collection reads version {VERSION}")
        values = {Setting(item["key"], item["value"]): Value.from_result(item) for item in data["values"]}
        for setting, value in values.items():
            if value.type is Type.OTHER:
                raise ValueError(f"{setting.key} [{setting.name}] has a type that cannot be written back")
        return Backup(
            computer_name=str(data["computer_name"]),
            values=values,
            missing_keys=tuple(str(key) for key in data["missing_keys"]),
            removed_keys=tuple(str(key) for key in data["removed_keys"]),
            purpose=str(data["purpose"]),
            created=str(data["created"]),
            inventory_hostname=str(data.get("inventory_hostname", "")),
        )
    except KeyError as exc:
        raise OptionError(f"The file {path!r} is not a backup of this collection: it lacks {exc}.") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as exc:
        raise OptionError(f"The file {path!r} is not a backup of this collection: {exc}.") from None


def newest(folder: str, inventory_hostname: str) -> str:
    """The newest backup that a change (not a rollback) of this host left in the folder.

    Raises :class:`OptionError` where there is none, and where the newest is damaged: an older one is no substitute.
    """
    # NAME.20261122T030405Z[-N].change.json; one host's name may be the beginning of another's
    name = re.compile(re.escape(_file_stem(inventory_hostname)) + r"\.(\d{8}T\d{6}Z)(?:-(\d+))?\.change\.json")
    matches = [match for path in _path(folder).glob("*") if (match := name.fullmatch(path.name))]
    for match in sorted(matches, key=lambda found: (found[1], int(found[2] or 0)), reverse=True):
        path = _path(folder) / match[0]
        # hosts whose names differ only in characters that no file name may have share their file names
        if load(str(path)).inventory_hostname == inventory_hostname:
            return str(path.resolve())
    raise OptionError(f"There is no backup of {inventory_hostname} in {folder!r} on the controller.")


def _path(name: str) -> pathlib.Path:
    return pathlib.Path(os.path.expanduser(name))


def _file_stem(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name) or "host"
