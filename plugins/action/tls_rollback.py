# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores the registry values of a host from a backup, exactly: absent values and keys become absent again."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _options, _preflight, _role, _typed
from ..plugin_utils._errors import OptionError, all_problems
from ..plugin_utils._restart_action import RestartAction
from ..plugin_utils._tasks import rolling_back

ARGUMENT_SPEC: dict[str, t.Any] = {
    "backup": {"type": "path"},
    **_options.BACKUP,
    "other_host": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    **_options.PROVE,
    **_preflight.RESTART,
    **_options.SHARED,
}


class ActionModule(RestartAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC
    WRITES = True

    def check(self, options: dict[str, t.Any]) -> None:
        all_problems(
            lambda: self.check_prove(options),
            lambda: _preflight.check_restart(options["restart"], self.places),
            lambda: self._check_backup(options),
        )

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        return rolling_back.roll_back(self.sequence(options), options, self.task_files(options["restart"]))

    def _check_backup(self, options: dict[str, t.Any]) -> None:
        problems = _role.one_for_many(self.task_vars, _typed.variables()) if self.in_role else []
        if problems and not options["other_host"]:
            raise OptionError(f"{problems[0]}.")
