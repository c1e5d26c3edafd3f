# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what Exchange a host has, and whether it and its Windows are current. Changes nothing."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _options
from ..plugin_utils._action import WindowsAction
from ..plugin_utils._tasks import exchange

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_options.READING,
    "fail_on_findings": {"type": "bool", "default": False},
    "site": {"type": "str"},
    **_options.SHARED,
}


class ActionModule(WindowsAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC

    def check(self, options: dict[str, t.Any]) -> None:
        _options.check_reading(options)

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        return exchange.read(self.sequence(options), options)
