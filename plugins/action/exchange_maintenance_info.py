# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says whether an Exchange server can be taken out of service now. Changes nothing."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _options
from ..plugin_utils._action import WindowsAction
from ..plugin_utils._errors import OptionError, all_problems
from ..plugin_utils._tasks import maintaining

ARGUMENT_SPEC: dict[str, t.Any] = {
    "minimum_healthy_copies": {"type": "int"},
    "fail_if_not_ready": {"type": "bool", "default": False},
    **_options.SHARED,
}


class ActionModule(WindowsAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC

    def check(self, options: dict[str, t.Any]) -> None:
        all_problems(lambda: _copies(options["minimum_healthy_copies"]), self.endpoint)

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        return maintaining.info(self.sequence(options), options)


def _copies(minimum: int | None) -> None:
    if minimum is not None and minimum < 0:
        raise OptionError(f"'minimum_healthy_copies' is {minimum}, but it is a number of copies, 0 or more.")
