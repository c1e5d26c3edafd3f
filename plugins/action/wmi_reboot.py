# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts a host through WMI and waits until it is back, with its services."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _maintenance, _options, _preflight
from ..plugin_utils._errors import all_problems
from ..plugin_utils._restart_action import RestartAction
from ..plugin_utils._tasks import restarting

ARGUMENT_SPEC: dict[str, t.Any] = {
    "timeout": {"type": "int", "default": 1800},
    "only_if_pending": {"type": "bool", "default": False},
    "services": {"type": "list", "elements": "str", "default": ["MSExchange*"]},
    "comment": {"type": "str"},
    "force": {"type": "bool", "default": True},
    "dag_check": {"type": "bool", "default": True},
    **_options.SHARED,
}
# In check mode it is looked at whether the server could be taken out of service around the restart, and what files with
# tasks are run before and after it. By itself the module does neither.
ROLE_SPEC: dict[str, t.Any] = {
    **_maintenance.AROUND,
    "backup_dir": _options.BACKUP["backup_dir"],
    **_preflight.TASK_FILES,
    **_options.ROLE,
}


class ActionModule(RestartAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC
    ROLE_SPEC = ROLE_SPEC
    WRITES = True

    def check(self, options: dict[str, t.Any]) -> None:
        all_problems(
            lambda: _preflight.check_times_and_names(options, ""),
            lambda: _maintenance.check_around(options, ""),
            lambda: self.task_files(options["task_files"], "task_files."),
        )

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        files = self.task_files(options["task_files"], "task_files.")
        return restarting.restart(self.sequence(options), options, files)
