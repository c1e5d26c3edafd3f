# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the mail flow of an Exchange server over Exchange's own endpoint. Changes nothing."""

from __future__ import annotations

import datetime
import typing as t

from ..plugin_utils import _options
from ..plugin_utils._action import WindowsAction
from ..plugin_utils._tasks import mail_flow

ARGUMENT_SPEC: dict[str, t.Any] = {
    "fail_if_not_asked": {"type": "bool", "default": True, "aliases": ["required"]},
    **_options.SHARED,
}


class ActionModule(WindowsAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC

    def check(self, options: dict[str, t.Any]) -> None:
        if options["fail_if_not_asked"]:
            self.endpoint()

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        return mail_flow.info(self.sequence(options), options, datetime.datetime.now(datetime.timezone.utc))
