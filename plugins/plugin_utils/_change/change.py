# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""A plan carried out on a host, or predicted in check mode: rights, backup, writes, and whether a restart is due."""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import RegistryError
from .._schannel.snapshot import Snapshot
from .._schannel.values import show, uncarried, unrestorable, unsendable
from .._windows.facts import Host, Moment, now_on
from .._windows.registry import Registry
from . import apply, backups, folders, notes
from .owners import AnotherRun, me
from .pending import Pending
from .plans import Plan


@dataclasses.dataclass(frozen=True)
class KnownHost:
    """The host that a plan is for, as it was read."""

    registry: Registry
    host: Host
    snapshot: Snapshot
    pending: Pending
    inventory_hostname: str


def change(
    target: KnownHost,
    plan: Plan,
    *,
    purpose: str,
    backup_dir: str,
    undo: bool,
    check_mode: bool,
    partial: dict[str, t.Any],
    force: bool = False,
) -> tuple[dict[str, t.Any], Snapshot]:
    """The result keys that tasks which change something have in common, and the snapshot after the change.

    In check mode the same result is predicted and nothing is written, neither on the host nor on the controller.
    ``partial`` is kept true for the case that anything ends the task: an error, a timeout, a signal. ``force``: also
    where another run seems to be at work.
    """
    backup: str | None = None
    if not plan:
        if not check_mode:
            _take_note_back(target, plan)
        restart_pending = target.pending.restart_pending
        after = target.snapshot
    else:
        after = target.snapshot.after({write.setting: write.after for write in plan.writes}, plan.old_keys)
        work = _Work(target, plan, backup_dir, purpose, undo, after, apply.Progress(plan))
        try:
            begun = work.prepare(force)
            restart_pending = bool(begun.waiting(after.value))
            if not check_mode:
                work.carry_out(begun, restart_pending)
        except BaseException:
            partial.update(work.so_far())
            raise
        backup = work.backup
        restart_pending = restart_pending or _unreadable(target.pending)
    result = {
        "changed": bool(plan),
        "changes": [{**write.as_result(), "status": "planned" if check_mode else "written"} for write in plan.writes],
        "backup": backup,
        "restart_required": restart_pending,
        "restart_pending": restart_pending,
        "diff": plan.diff() if plan else {"before": "", "after": ""},
    }
    partial.update(result)
    return result, after


@dataclasses.dataclass
class _Work:
    """A plan on its way to the host."""

    target: KnownHost
    plan: Plan
    folder: str
    purpose: str
    undo: bool
    after: Snapshot
    progress: apply.Progress
    backup: str | None = None

    def prepare(self, force: bool) -> notes.Note:
        """Finds out all that would end the work, before anything is written; the same in check mode, which must not
        promise what the real run may not do. Returns the note for the host."""
        target, pending = self.target, self.target.pending
        folders.check_folder(self.folder)
        if not force:
            notes.refuse_another(pending.note, now_on(target.host))
        _refuse_unreadable_values(self.plan)
        begun = notes.begun(pending.note, pending.restarted, target.host.last_boot, self.plan)
        self._backup_of(begun)
        apply.check_rights(target.registry, self.plan, target.snapshot)
        return begun

    def carry_out(self, begun: notes.Note, restart_pending: bool) -> None:
        target = self.target
        with folders.only_run(self.folder, backups.lock_name(target.inventory_hostname)):
            note = self._note(begun)
            self.backup = backups.save(self._backup_of(begun), self.folder)
            apply.apply(
                target.registry,
                self.plan,
                note,
                target.pending.note,
                self.progress,
                undo=self.undo,
                restart_pending=restart_pending,
            )

    def so_far(self) -> dict[str, t.Any]:
        """The result keys of a task that ends here."""
        if self.backup and self.progress.is_untouched:
            # all is as it was: a backup of this would only hide the one of the last real change
            backups.discard(self.backup)
            self.backup = None
        pending = self.target.pending.restart_pending or bool(self.progress.left)
        return {
            **self.progress.as_result(),
            "backup": self.backup,
            "restart_required": pending,
            "restart_pending": pending,
        }

    def _backup_of(self, begun: notes.Note) -> backups.Backup:
        target = self.target
        return backups.backup_of(
            begun, target.snapshot, self.after, target.host, target.inventory_hostname, self.purpose, self.folder
        )

    def _note(self, begun: notes.Note) -> notes.Note:
        """The note with its moment and its owner. On top of an earlier one of the same start, that start counts."""
        shutdown = begun.shutdown or notes.read_shutdown(self.target.registry)
        moment = Moment(begun.boot, now_on(self.target.host), shutdown)
        return dataclasses.replace(begun.at(moment), owner=me())


def _refuse_unreadable_values(plan: Plan) -> None:
    """What no backup can hold is not written over, and what no message can carry is not begun; also in check mode,
    which predicts what the real run does."""
    lost = [
        f"{show(write.setting.key, write.setting.name)} {reason}"
        for write in plan.writes
        if (reason := unrestorable(write.setting.name, write.before))
    ]
    if lost:
        raise RegistryError(
            f"{'; '.join(lost)}. So it cannot be saved and put back. Nothing was changed. Look at it on the host, "
            "delete it there or set it as it should be, and run the task again."
        )
    never = [
        f"{show(write.setting.key, write.setting.name)} {reason}"
        for write in plan.writes
        if (reason := uncarried(write.setting.name, write.after))
    ]
    never += [f"{show(key)} holds {found}" for key in (*plan.new_keys, *plan.old_keys) if (found := unsendable(key))]
    if never:
        raise RegistryError(
            f"Cannot be written over WS-Management: {'; '.join(never)}. Nothing was changed. Set it on the host itself."
        )


def _take_note_back(target: KnownHost, plan: Plan) -> None:
    """Takes back a note that has done its work: the restart was made, or a run that was cut off had written it all."""
    note = target.pending.note
    if note is None:
        return
    try:
        notes.refuse_another(note, now_on(target.host))
    except AnotherRun:
        return  # it has not done its work yet
    unfinished = set(note.unfinished) - plan.covers
    if not unfinished and not target.pending.restart_pending:
        notes.clear(target.registry)
    elif not unfinished and note.is_unfinished:
        notes.write(target.registry, note.finished())


def _unreadable(pending: Pending) -> bool:
    return pending.note is None and pending.restart_pending
