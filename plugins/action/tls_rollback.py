# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores the registry values of a host from a backup, exactly: absent values and keys become absent again."""

from __future__ import annotations

import os
import typing as t

from ..plugin_utils import _backup, _options
from ..plugin_utils._action import WindowsAction
from ..plugin_utils._audit import read_note, settle
from ..plugin_utils._change import Target, change
from ..plugin_utils._errors import OptionError
from ..plugin_utils._plan import restore
from ..plugin_utils._reader import Reader
from ..plugin_utils._registry import Registry, Type
from ..plugin_utils._windows import read_host

ARGUMENT_SPEC: dict[str, t.Any] = {
    "backup": {"type": "path"},
    **_options.BACKUP,
    "other_host": {"type": "bool", "default": False},
    **_options.WIRE_LOG,
}


class ActionModule(WindowsAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        path = options["backup"] or _backup.newest(options["backup_dir"], self.host_name)
        backup = _backup.load(path)
        session = self.open_session(options)
        registry = Registry(session)
        host = read_host(session, registry)
        if backup.computer_name.lower() != host.computer_name.lower() and not options["other_host"]:
            raise OptionError(
                f"The backup {path!r} was made on {backup.computer_name} but this host is {host.computer_name}. "
                "Nothing was changed. Choose the right file, or set 'other_host' if you mean it."
            )
        self.partial = {"host": host.as_result(), "restored_from": os.path.abspath(path)}
        reader = Reader(registry)
        note = read_note(registry)
        for setting, value in backup.values.items():
            reader.value(setting, value.type or Type.REG_DWORD)
        for key in backup.missing_keys:
            reader.contents(key)
        for key in backup.removed_keys:
            reader.subkeys(key)
        pending = settle(note, host.last_boot, reader)
        for failure in reader.failures.values():
            raise failure  # all of it must be known
        snapshot = reader.snapshot()
        plan = restore(backup.values, backup.missing_keys, backup.removed_keys, snapshot)
        outcome, _dummy = change(
            Target(registry, host, snapshot, pending, self.host_name),
            plan,
            purpose="rollback",
            backup_dir=options["backup_dir"],
            undo=options["undo_on_failure"],
            check_mode=self.check_mode,
            partial=self.partial,
        )
        return {**self.partial, **outcome}
