# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says whether an Exchange server can be taken out of service now. Changes nothing."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _maintenance, _options
from ..plugin_utils._action import WindowsAction
from ..plugin_utils._errors import all_problems
from ..plugin_utils._tasks import ready

ARGUMENT_SPEC: dict[str, t.Any] = {
    "minimum_healthy_copies": _maintenance.READINESS["minimum_healthy_copies"],
    "blocked_members": _maintenance.READINESS["blocked_members"],
    "fail_if_not_ready": {"type": "bool", "default": False},
    **_options.SHARED,
}


class ActionModule(WindowsAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC

    def check(self, options: dict[str, t.Any]) -> None:
        all_problems(lambda: _maintenance.check_copies(options["minimum_healthy_copies"]), self.endpoint)

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        return ready.info(self.sequence(options), options)
