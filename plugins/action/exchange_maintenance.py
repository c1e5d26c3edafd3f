# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes an Exchange server out of service, and brings it back to exactly what was there before."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _maintenance, _options
from ..plugin_utils._action import WindowsAction
from ..plugin_utils._change.folders import check_folder
from ..plugin_utils._errors import all_problems
from ..plugin_utils._tasks import maintaining

ARGUMENT_SPEC: dict[str, t.Any] = {
    "state": {"type": "str", "choices": [maintaining.STARTED, maintaining.STOPPED], "required": True},
    **_maintenance.WISHES,
    "activation_policy": {"type": "str", "choices": ["Unrestricted", "IntrasiteOnly", "Blocked"]},
    "backup_dir": _options.BACKUP["backup_dir"],
    **_options.SHARED,
}


class ActionModule(WindowsAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC
    WRITES = True

    def check(self, options: dict[str, t.Any]) -> None:
        all_problems(
            lambda: _maintenance.check(options, ""),
            self.endpoint,
            lambda: check_folder(options["backup_dir"]),
        )

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        return maintaining.maintain(self.sequence(options), options)
