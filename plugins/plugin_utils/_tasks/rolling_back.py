# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""tls_rollback: a backup held against the host, against newer ones and against the guard, and restored."""

from __future__ import annotations

from .._change import backups, folders, rollback
from .._change.change import KnownHost, change
from .._change.pending import pending_after, read_note
from .._change.plans import restore
from .._errors import ExchangeTlsError, OptionError
from .._judgement import guards
from .._schannel.values import Type
from .._windows.facts import read_host
from .._windows.reader import Reader
from .._windows.registry import Registry
from . import restarting
from .task import Options, Result, Task


class RollbackRefused(ExchangeTlsError):
    """What the backup would restore is not safe to restore; 'force' overrules it."""

    kind = "rollback_refused"


def roll_back(task: Task, options: Options, files: Result) -> Result:
    """The result of tls_rollback. ``files``: the result key with the files of tasks around a restart."""
    path = str(folders.absolute(options["backup"] or backups.newest(options["backup_dir"], task.host_name)))
    backup = backups.load(path)
    forced: list[str] = []
    _object(rollback.objection_to_content(path, backup), options["force"], forced)
    session = task.open_session()
    registry = Registry(session)
    host = read_host(session, registry)
    if backup.computer_name.lower() != host.computer_name.lower() and not options["other_host"]:
        raise OptionError(
            f"The backup {path!r} was made on {backup.computer_name} but this host is {host.computer_name}. "
            "Nothing was changed. Choose the right file, or set 'other_host' if you mean it."
        )
    task.so_far({"host": host.as_result(), "restored_from": path, **files})
    # of the backups of another host nobody knows which are newer than its own
    same_host = backup.computer_name.lower() == host.computer_name.lower()
    newer: list[tuple[str, backups.Backup]] = []
    try:
        newer = backups.newer(path, backup, options["backup_dir"]) if same_host else []
    except OptionError as exc:
        _object(f"Nobody can tell whether a newer change is rolled back. {exc.message}", options["force"], forced)
    reader = Reader(registry)
    note = read_note(registry)
    for values in (backup.values, *(other.values for _name, other in newer)):
        for setting, value in values.items():
            reader.value(setting, value.type or Type.REG_DWORD)
    for key in backup.missing_keys:
        reader.contents(key)
    for key in backup.removed_keys:
        reader.subkeys(key)
    reader.protocols()
    for setting, kind in guards.rollback_needs(backup.values):
        reader.value(setting, kind)
    pending = pending_after(note, host.last_boot, reader)
    for failure in reader.failures.values():
        raise failure  # all of it must be known
    snapshot = reader.snapshot()
    plan = restore(backup.values, backup.missing_keys, backup.removed_keys, snapshot)
    due = bool(plan) or pending.restart_pending
    folder = options["backup_dir"]
    prepared = restarting.check_on_host(task, session, options["restart"], folder, host.computer_name, due=due)
    if plan:
        _object(rollback.objection_to_order(path, backup, newer, snapshot), options["force"], forced)
        after = snapshot.after({write.setting: write.after for write in plan.writes}, plan.old_keys)
        warning = guards.check_rollback(snapshot, after, host.build, force=options["force"])
        forced += [warning] if warning else []
    outcome, _dummy = change(
        KnownHost(registry, host, snapshot, pending, task.host_name),
        plan,
        purpose="rollback",
        backup_dir=options["backup_dir"],
        undo=options["undo_on_failure"],
        check_mode=task.check_mode,
        partial=task.partial,
        force=options["force"],
    )
    result = {**task.partial, **outcome, "msg": _message(task, path, len(plan.writes), outcome["changed"])}
    warnings = [*filter(None, (pending.warning, prepared.notice)), *forced]
    return {**result, "warnings": warnings} if warnings else result


def _object(objection: str | None, force: bool, forced: list[str]) -> None:
    if objection and not force:
        raise RollbackRefused(f"Refused, nothing was changed: {objection}")
    if objection:
        forced.append(f"FORCED: {objection}")


def _message(task: Task, path: str, values: int, changed: bool) -> str:
    if not changed:
        return f"The values of {path} are there already; nothing was restored."
    done = "would be restored" if task.check_mode else "were restored"
    return f"{values} values {done} from {path}."
