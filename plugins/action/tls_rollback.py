# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores the registry values of a host from a backup, exactly: absent values and keys become absent again."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _options, _patterns, _preflight, _role
from ..plugin_utils._action import WindowsAction
from ..plugin_utils._change import backups, folders, rollback
from ..plugin_utils._change.change import Target, change
from ..plugin_utils._change.pending import pending_after, read_note
from ..plugin_utils._change.plans import restore
from ..plugin_utils._errors import ExchangeTlsError, OptionError, all_problems
from ..plugin_utils._judgement import guards
from ..plugin_utils._schannel.values import Type
from ..plugin_utils._tasks import proving
from ..plugin_utils._windows.facts import read_host
from ..plugin_utils._windows.reader import Reader
from ..plugin_utils._windows.registry import Registry

ARGUMENT_SPEC: dict[str, t.Any] = {
    "backup": {"type": "path"},
    **_options.BACKUP,
    "other_host": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    **proving.PROVE,
    **_preflight.RESTART,
    **_options.WIRE_LOG,
}


class RollbackRefused(ExchangeTlsError):
    """What the backup would restore is not safe to restore; 'force' overrules it."""

    kind = "rollback_refused"


class ActionModule(WindowsAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC

    def check(self, options: dict[str, t.Any]) -> None:
        all_problems(
            lambda: proving.check(options["prove"], self.address),
            lambda: _preflight.check_restart(options["restart"], self.places),
            lambda: self._check_backup(options),
        )

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        path = str(folders.absolute(options["backup"] or backups.newest(options["backup_dir"], self.host_name)))
        backup = backups.load(path)
        forced: list[str] = []
        self._object(rollback.objection_to_content(path, backup), options["force"], forced)
        files = self.task_files(options["restart"])
        session = self.open_session(options)
        registry = Registry(session)
        host = read_host(session, registry)
        if backup.computer_name.lower() != host.computer_name.lower() and not options["other_host"]:
            raise OptionError(
                f"The backup {path!r} was made on {backup.computer_name} but this host is {host.computer_name}. "
                "Nothing was changed. Choose the right file, or set 'other_host' if you mean it."
            )
        self.partial = {"host": host.as_result(), "restored_from": path, **files}
        # of the backups of another host nobody knows which are newer than its own
        same_host = backup.computer_name.lower() == host.computer_name.lower()
        newer: list[tuple[str, backups.Backup]] = []
        try:
            newer = backups.newer(path, backup, options["backup_dir"]) if same_host else []
        except OptionError as exc:
            self._object(
                f"Nobody can tell whether a newer change is rolled back. {exc.message}", options["force"], forced
            )
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
        _preflight.check_on_host(session, options["restart"], due=bool(plan) or pending.restart_pending)
        if plan:
            self._object(rollback.objection_to_order(path, backup, newer, snapshot), options["force"], forced)
            after = snapshot.after({write.setting: write.after for write in plan.writes}, plan.old_keys)
            warning = guards.check_rollback(snapshot, after, host.build, force=options["force"])
            forced += [warning] if warning else []
        outcome, _dummy = change(
            Target(registry, host, snapshot, pending, self.host_name),
            plan,
            purpose="rollback",
            backup_dir=options["backup_dir"],
            undo=options["undo_on_failure"],
            check_mode=self.check_mode,
            partial=self.partial,
            force=options["force"],
        )
        result = {**self.partial, **outcome, "msg": self._message(path, len(plan.writes), outcome["changed"])}
        warnings = [*([pending.warning] if pending.warning else []), *forced]
        return {**result, "warnings": warnings} if warnings else result

    def _check_backup(self, options: dict[str, t.Any]) -> None:
        problems = _role.one_for_many(self.task_vars, _patterns.typed()) if self.in_role else []
        if problems and not options["other_host"]:
            raise OptionError(f"{problems[0]}.")

    def _object(self, objection: str | None, force: bool, forced: list[str]) -> None:
        if objection and not force:
            raise RollbackRefused(f"Refused, nothing was changed: {objection}")
        if objection:
            forced.append(f"FORCED: {objection}")

    def _message(self, path: str, values: int, changed: bool) -> str:
        if not changed:
            return f"The values of {path} are there already; nothing was restored."
        done = "would be restored" if self.check_mode else "were restored"
        return f"{values} values {done} from {path}."
