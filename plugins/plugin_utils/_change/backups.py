# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Backups on the controller: the values of a host before a run changed them, and those it wrote.

Their order needs no clock: each has a number, one more than the highest of its host in the folder. Files of version 1
have none; they are older than all others, and ordered by their times.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import errno
import functools
import hashlib
import itertools
import json
import os
import pathlib
import re
import typing as t

from .._errors import ExchangeTlsError, OptionError
from .._schannel.snapshot import Setting, Snapshot
from .._schannel.values import ABSENT, Type, Value, show
from .._text import utc_text
from .._windows.facts import Host
from . import folders
from .notes import Note, short

FORMAT = "mailops.exchange_tls.backup"
VERSION = 2

CHANGE, ROLLBACK = "change", "rollback"

# HOST.NUMBER.TIME.PURPOSE.json; in version 1 HOST.TIME[-N].PURPOSE.json
_NAME = (
    r"(?P<stem>{stem})\.(?:(?P<number>\d{{4,}})\.)?(?P<time>\d{{8}}T\d{{6}}Z)(?:-(?P<again>\d+))?"
    r"\.(?P<purpose>change|rollback)\.json"
)

Order = tuple[int, str, int]


@dataclasses.dataclass(frozen=True)
class Backup:
    """``values``: every written setting as it was. ``after``: as the run was to leave it; None in version 1.
    ``missing_keys``: keys that did not exist, parents first. ``removed_keys``: keys that existed and were removed.
    ``number``: its place in the order of the host's backups; 0 in version 1."""

    computer_name: str
    values: t.Mapping[Setting, Value]
    missing_keys: tuple[str, ...]
    removed_keys: tuple[str, ...]
    purpose: str  # change, rollback
    created: str
    inventory_hostname: str = ""
    after: t.Mapping[Setting, Value] | None = None
    number: int = 0

    def as_json(self) -> str:
        after = self.after or {}
        return json.dumps(
            {
                "format": FORMAT,
                "version": VERSION,
                "number": self.number,
                "purpose": self.purpose,
                "created": self.created,
                "inventory_hostname": self.inventory_hostname,
                "computer_name": self.computer_name,
                "missing_keys": list(self.missing_keys),
                "removed_keys": list(self.removed_keys),
                "values": [
                    {
                        "key": setting.key,
                        "value": setting.name,
                        **value.as_result(),
                        "after": after.get(setting, ABSENT).as_result(),
                    }
                    for setting, value in self.values.items()
                ],
            },
            indent=2,
        )

    @classmethod
    def from_json(cls, text: str) -> Backup:
        """Raises KeyError, ValueError or TypeError with the reason."""
        data = json.loads(text)
        if not isinstance(data, dict):
            raise TypeError("it is no JSON object")
        if data.get("format") != FORMAT:
            raise ValueError(f"its 'format' is not {FORMAT!r}")
        if isinstance(data.get("version"), bool) or data.get("version") not in (1, VERSION):
            raise ValueError(f"its version is {data.get('version')!r}; this collection reads versions up to {VERSION}")
        numbered = data["version"] != 1
        if not isinstance(data["values"], list) or not all(isinstance(item, dict) for item in data["values"]):
            raise TypeError("'values' is no list of mappings")
        values = {_setting(item): _writable(item, item) for item in data["values"]}
        after = {_setting(item): _writable(item, item["after"]) for item in data["values"]} if numbered else None
        return cls(
            computer_name=str(data["computer_name"]),
            values=values,
            missing_keys=_texts(data, "missing_keys"),
            removed_keys=_texts(data, "removed_keys"),
            purpose=str(data["purpose"]),
            created=str(data["created"]),
            inventory_hostname=str(data.get("inventory_hostname", "")),
            after=after,
            number=int(data["number"]) if numbered else 0,
        )


def backup_of(
    note: Note, snapshot: Snapshot, after: Snapshot, host: Host, inventory_hostname: str, purpose: str, folder: str
) -> Backup:
    """The backup of what a run is about to change: as it was before the run, or before the one that was cut off.

    A note keeps no big values; they are those on the host still, or in the backup of the run that was cut off.
    Raises :class:`ExchangeTlsError` where one is in neither.
    """
    earlier = functools.cache(lambda: list(_readable(_all(folders.absolute(folder), inventory_hostname))))
    values: dict[Setting, Value] = {}
    for setting, old in note.unfinished.items():
        candidates = itertools.chain(
            [old, snapshot.value(setting)], (backup.values.get(setting, ABSENT) for backup in earlier())
        )
        found = next((value for value in candidates if isinstance(value, Value) and short(value) == short(old)), None)
        if found is None:
            raise ExchangeTlsError(
                f"{show(setting.key, setting.name)}: its old value is only in the backup of the run that was cut off, "
                f"and that is not in {str(folders.absolute(folder))!r}. Nothing was changed. Set {folders.BACKUP_DIR} "
                "to the folder of that run."
            )
        values[setting] = found
    return Backup(
        host.computer_name,
        values,
        note.unfinished_keys,
        note.unfinished_removals,
        purpose,
        utc_text(datetime.datetime.now(datetime.timezone.utc)),
        inventory_hostname,
        {setting: after.value(setting) for setting in values},
    )


def _texts(data: t.Mapping[str, t.Any], name: str) -> tuple[str, ...]:
    found = data[name]
    # a text would be taken for a list of its letters
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise TypeError(f"'{name}' is no list of texts")
    return tuple(found)


def _setting(item: t.Mapping[str, t.Any]) -> Setting:
    if not isinstance(item["key"], str) or not isinstance(item["value"], str):
        raise TypeError("the name of a key or value is no text")
    return Setting(item["key"], item["value"])


def _writable(item: t.Mapping[str, t.Any], state: t.Mapping[str, t.Any]) -> Value:
    value = Value.from_result(state)
    if value.type is Type.OTHER:
        raise ValueError(f"{item['key']} [{item['value']}] has a type that cannot be written back")
    return value


def save(backup: Backup, folder: str) -> str:
    """Writes the file (mode 0600, complete or not at all) under the next number and returns its path.

    The number is claimed by making a file that nobody else can make as well: two runs never share one, whatever their
    clocks say, and nothing is overwritten.
    """
    directory = folders.absolute(folder)
    stem = _file_stem(backup.inventory_hostname)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, claim, handle = _claim(directory, stem)
        stamp = re.sub(r"[-:]", "", backup.created)
        target = directory / f"{stem}.{number:04d}.{stamp}.{backup.purpose}.json"
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(dataclasses.replace(backup, number=number).as_json() + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            why = folders.distrust(claim, claim.stat())
            if why:
                raise OSError(errno.EPERM, f"a rollback could not trust the file: {why}")
            os.replace(claim, target)
        except BaseException:
            claim.unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as exc:
        raise folders.cannot_write(directory, exc) from None
    return str(target.resolve())


def _claim(directory: pathlib.Path, stem: str) -> tuple[int, pathlib.Path, int]:
    """The next free number, and the file that holds it as long as its backup is not complete."""
    number = _highest(directory, stem) + 1
    while True:
        claim = directory / f".{stem}.{number:04d}.part"
        try:
            handle = os.open(claim, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            number += 1
            continue
        # a backup of that number may have been completed between the two looks
        taken = _highest(directory, stem)
        if taken < number:
            return number, claim, handle
        os.close(handle)
        claim.unlink()
        number = taken + 1


def _highest(directory: pathlib.Path, stem: str) -> int:
    return max((int(match["number"] or 0) for match in _listed(directory, stem)), default=0)


def discard(path: str) -> None:
    """Removes a backup that nothing came of; one that cannot be removed stays, and does no harm."""
    with contextlib.suppress(OSError):
        pathlib.Path(path).unlink()


def load(path: str) -> Backup:
    """Reads a backup file; raises :class:`OptionError` with the reason where it is none, or may be anybody's."""
    try:
        return Backup.from_json(folders.read_trusted(path).decode("utf-8"))
    except UnicodeDecodeError:
        raise OptionError(f"The backup {path!r} is not a text file.") from None
    except KeyError as exc:
        raise OptionError(f"The file {path!r} is not a backup of this collection: it lacks {exc}.") from None
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError) as exc:
        raise OptionError(f"The file {path!r} is not a backup of this collection: {exc}.") from None


def newest(folder: str, inventory_hostname: str) -> str:
    """The newest backup that a change (not a rollback) of this host left in the folder.

    Raises :class:`OptionError` where there is none, and where the newest is damaged: an older one is no substitute.
    """
    directory = folders.absolute(folder)
    for path in _all(directory, inventory_hostname, CHANGE):
        # hosts whose names differ only in characters that no file name may have share their file names
        if load(str(path)).inventory_hostname == inventory_hostname:
            return str(path.resolve())
    raise OptionError(
        f"There is no backup of {inventory_hostname} in {str(directory)!r} on the controller: "
        f"{_what_is_in(directory)}. Set {folders.BACKUP_DIR} to the folder that the change used, or 'backup' "
        "(tls12_backup in the role) to the file."
    )


def newer(path: str, backup: Backup, folder: str) -> list[tuple[str, Backup]]:
    """The changes of the same host that came after this backup, newest first, from its folder and from ``folder``.

    Raises :class:`OptionError` where one of them cannot be read.
    """
    this = folders.absolute(path)
    order = _order(this.name, backup)
    found: dict[str, Backup] = {}
    for directory in dict.fromkeys((this.resolve().parent, folders.absolute(folder).resolve())):
        for name in _all(directory, backup.inventory_hostname, CHANGE, after=order):
            other = load(str(name))
            if (other.inventory_hostname, other.computer_name.lower()) == (
                backup.inventory_hostname,
                backup.computer_name.lower(),
            ):
                found[str(name)] = other
    return sorted(found.items(), key=lambda item: _order(pathlib.Path(item[0]).name, item[1]), reverse=True)


def _all(
    directory: pathlib.Path, inventory_hostname: str, *purposes: str, after: Order = (-1, "", 0)
) -> list[pathlib.Path]:
    """The files that are the host's by their names, newest first."""
    matches = _listed(directory, _file_stem(inventory_hostname))
    wanted = [match for match in matches if match["purpose"] in (purposes or (CHANGE, ROLLBACK))]
    return [directory / match[0] for match in sorted(wanted, key=_place, reverse=True) if _place(match) > after]


def _readable(paths: t.Iterable[pathlib.Path]) -> t.Iterator[Backup]:
    for path in paths:
        with contextlib.suppress(OptionError):
            yield load(str(path))


def _order(name: str, backup: Backup) -> Order:
    match = re.fullmatch(_NAME.format(stem=".+?"), name)
    again = int(match["again"] or 0) if match else 0
    return backup.number, re.sub(r"[-:]", "", backup.created), again


def _place(match: re.Match[str]) -> Order:
    return int(match["number"] or 0), match["time"], int(match["again"] or 0)


def _listed(directory: pathlib.Path, stem: str | None = None) -> list[re.Match[str]]:
    """The names of backups in the folder, of all hosts or of one; :class:`OptionError` where it is unreadable."""
    try:
        names = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as exc:
        raise OptionError(
            f"Cannot read the folder of backups {str(directory)!r} on the controller: {exc.strerror}. Make it readable "
            f"or set {folders.BACKUP_DIR}."
        ) from None
    # one host's name may be the beginning of another's
    pattern = re.compile(_NAME.format(stem=".+?" if stem is None else re.escape(stem)))
    return [match for name in names if (match := pattern.fullmatch(name))]


_SHOWN = 8


def _what_is_in(directory: pathlib.Path) -> str:
    if not directory.is_dir():
        return "that is no folder" if directory.exists() else "the folder does not exist"
    hosts = sorted({match["stem"] for match in _listed(directory)})
    more = f" and {len(hosts) - _SHOWN} more" if len(hosts) > _SHOWN else ""
    return f"it holds backups of {', '.join(hosts[:_SHOWN])}{more} only" if hosts else "it holds no backups at all"


def _file_stem(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name) or "host"


def lock_name(inventory_hostname: str) -> str:
    """What the lock of a host is called in the folder: hosts that share their file names do not share it."""
    digest = hashlib.sha256(inventory_hostname.encode("utf-8", "replace")).hexdigest()
    return f"{_file_stem(inventory_hostname)}-{digest[:8]}"
