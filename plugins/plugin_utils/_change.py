# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""A plan carried out on a host, or predicted in check mode: rights, backup, writes, and whether a restart is due."""

from __future__ import annotations

import dataclasses
import typing as t

from . import _apply, _backup, _pending
from ._audit import Pending
from ._errors import ExchangeTlsError, RegistryError
from ._plan import Plan
from ._registry import Registry
from ._snapshot import Snapshot
from ._values import show, uncarried, unrestorable, unsendable
from ._windows import Host


@dataclasses.dataclass(frozen=True)
class Target:
    """The host that a plan is for, as it was read."""

    registry: Registry
    host: Host
    snapshot: Snapshot
    pending: Pending
    inventory_hostname: str


def change(
    target: Target,
    plan: Plan,
    *,
    purpose: str,
    backup_dir: str,
    undo: bool,
    check_mode: bool,
    partial: dict[str, t.Any],
) -> tuple[dict[str, t.Any], Snapshot]:
    """The result keys that tasks which change something have in common, and the snapshot after the change.

    In check mode the same result is predicted and nothing is written, neither on the host nor on the controller.
    ``partial`` is kept true for the case that an error ends the task.
    """
    progress = _apply.Progress(plan)
    last_boot = target.host.last_boot
    note = target.pending.note
    backup: str | None = None
    if not plan:
        if not check_mode:
            _settle_note(target, plan)
        restart_pending = target.pending.restart_pending
        after = target.snapshot
    else:
        after = target.snapshot.after({write.setting: write.after for write in plan.writes}, plan.old_keys)
        begun = _pending.begun(note, last_boot, plan)
        written_pending = begun.pending(last_boot, after.value)
        try:
            # both only look, and in check mode too: it must not promise what the real run may not do
            _refuse_unreadable_values(plan)
            _apply.check_rights(target.registry, plan, target.snapshot)
            if not check_mode:
                backup = _backup.save(
                    _backup.backup_of(begun, target.host, target.inventory_hostname, purpose),
                    backup_dir,
                )
                _apply.apply(
                    target.registry, plan, target.host, note, progress, undo=undo, restart_pending=written_pending
                )
        except ExchangeTlsError:
            if backup and not progress.left and not progress.made_keys and not progress.gone_keys:
                # all is as it was: a backup of this would only hide the one of the last real change
                _backup.discard(backup)
                backup = None
            pending = target.pending.restart_pending or bool(progress.left)
            partial.update(progress.as_result(), backup=backup, restart_required=pending, restart_pending=pending)
            raise
        restart_pending = written_pending or _unreadable(target.pending)
    result = {
        "changed": bool(plan),
        "changes": [{**write.as_result(), "status": "planned" if check_mode else "written"} for write in plan.writes],
        "backup": backup,
        "restart_required": restart_pending,
        "restart_pending": restart_pending,
        "diff": plan.diff() if plan else {"before": "", "after": ""},
    }
    return result, after


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


def _settle_note(target: Target, plan: Plan) -> None:
    """Takes back a note that has done its work: the restart was made, or a run that was cut off had written it all."""
    note = target.pending.note
    if note is None:
        return
    unfinished = set(note.unfinished) - plan.covers
    if not unfinished and not target.pending.restart_pending:
        _pending.clear(target.registry)
    elif not unfinished and note.unfinished:
        _pending.write(target.registry, note.finished())


def _unreadable(pending: Pending) -> bool:
    return pending.note is None and pending.restart_pending
