# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Carries a plan out: rights first, then the note, then the writes, each read back; undone where it fails."""

from __future__ import annotations

import dataclasses
import typing as t

from . import _pending
from ._errors import ExchangeTlsError, RegistryAccessDenied
from ._plan import Plan, Write
from ._registry import Registry, show
from ._snapshot import Snapshot, parents
from ._windows import Host


@dataclasses.dataclass
class Progress:
    """What became of a plan: the truth about a failed task as well."""

    plan: Plan
    written: list[Write] = dataclasses.field(default_factory=list)
    put_back: list[Write] = dataclasses.field(default_factory=list)
    made_keys: list[str] = dataclasses.field(default_factory=list)

    def as_result(self) -> dict[str, t.Any]:
        left = [write for write in self.written if write not in self.put_back]
        return {
            "changed": bool(left or self.made_keys),
            "changes": [{**write.as_result(), "status": self._status(write)} for write in self.plan.writes],
        }

    def _status(self, write: Write) -> str:
        if write in self.put_back:
            return "put_back"
        return "written" if write in self.written else "not_written"


def check_rights(registry: Registry, plan: Plan, snapshot: Snapshot) -> None:
    """Asks for every key that the plan touches whether the account may write it, before anything is written."""
    touched = [*(write.setting.key for write in plan.writes), *plan.old_keys, *plan.new_keys, _pending.KEY]
    asked: set[str] = set()
    for wanted in touched:
        for key in parents(wanted):
            # the nearest key that exists decides: new keys are made below it
            if snapshot.key_exists(key) is False:
                continue
            if key.lower() in asked:
                break
            asked.add(key.lower())
            granted = registry.may_write(key)
            if granted is None:
                continue
            if not granted:
                raise RegistryAccessDenied(
                    f"The account may not write {show(key)}; nothing was changed. Use a member of the host's "
                    f"Administrators "
                    "group, or look at the permissions of the key.",
                    key=key,
                )
            break


def apply(
    registry: Registry, plan: Plan, host: Host, note: _pending.Note | None, progress: Progress, *, undo: bool
) -> _pending.Note:
    """Makes the writes. ``progress`` is kept current, so that it tells the truth when an error is raised.

    The note is written before the first change and completed after the last: a run that is cut off in between leaves
    behind what the next run needs. With ``undo``, what was written is put back when a write fails.
    """
    begun = _pending.begun(note, host.last_boot, plan)
    _pending.write(registry, begun)
    try:
        for key in plan.new_keys:
            registry.create_key(key)
            progress.made_keys.append(key)
        for write in plan.writes:
            # counted before it is tried: an answer may be lost after Windows has carried the write out
            progress.written.append(write)
            _carry_out(registry, write)
        for key in plan.old_keys:
            registry.delete_key(key)
    except ExchangeTlsError as failure:
        if undo:
            _put_back(registry, progress, note, failure)
        raise
    finished = begun.finished()
    _pending.write(registry, finished)
    return finished


def _carry_out(registry: Registry, write: Write) -> None:
    if write.after.present:
        registry.set(write.setting.key, write.setting.name, write.after)
    else:
        registry.delete_value(write.setting.key, write.setting.name)


def _put_back(
    registry: Registry, progress: Progress, previous: _pending.Note | None, failure: ExchangeTlsError
) -> None:
    """Undoes the writes, newest first; adds to the failure what could and what could not be undone."""
    try:
        for write in reversed(progress.written):
            _carry_out(registry, write.inverse())
            progress.put_back.append(write)
        for key in reversed(list(progress.made_keys)):
            registry.delete_key(key)
            progress.made_keys.remove(key)
        if previous is None:
            _pending.clear(registry)
        else:
            _pending.write(registry, previous)
    except ExchangeTlsError as exc:
        left = ", ".join(
            show(write.setting.key, write.setting.name) for write in progress.written if write not in progress.put_back
        )
        failure.message += (
            f" Putting the old values back failed as well ({exc.message}) Still changed, or perhaps changed: "
            f"{left or 'empty keys'}. "
            "Run the same task again to finish, or roll back with the backup."
        )
    else:
        failure.message += " What had been written was put back." if progress.written else " Nothing had been written."
