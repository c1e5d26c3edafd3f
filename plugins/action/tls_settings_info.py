# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and judges the TLS settings of a host. Changes nothing."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _options, _waivers
from ..plugin_utils._action import WindowsAction
from ..plugin_utils._audit import audit
from ..plugin_utils._errors import all_problems
from ..plugin_utils._policy import from_options

ARGUMENT_SPEC: dict[str, t.Any] = {**_options.POLICY, **_options.WIRE_LOG}


class ActionModule(WindowsAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC

    def check(self, options: dict[str, t.Any]) -> None:
        all_problems(lambda: from_options(options), lambda: _waivers.from_options(options))

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        policy = from_options(options)
        waivers, fail_on = _waivers.from_options(options)
        found = audit(self.open_session(options), policy, waivers, options["strays"])
        return {"changed": False, **found.as_result(), **_waivers.verdict(found.findings, fail_on)}
