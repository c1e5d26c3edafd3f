# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and judges the TLS settings of a host, and proves them by handshakes. Changes nothing."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _options
from ..plugin_utils._action import WindowsAction
from ..plugin_utils._errors import all_problems
from ..plugin_utils._judgement import handshakes
from ..plugin_utils._policy import waiving
from ..plugin_utils._tasks import reading

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_options.POLICY,
    **_options.READING,
    "fail_on_findings": {"type": "bool", "default": False},
    **_options.PROVE,
    "accepted_before": {"type": "dict"},
    "expect_backup": {"type": "path"},
    "allow_pending": {"type": "bool", "default": False},
    **_options.SHARED,
}
# The result of a task with tls_settings on this host that was made just now: it is judged as it is, and the host is not
# asked again.
ROLE_SPEC: dict[str, t.Any] = {**_options.ROLE, "known": {"type": "dict"}}


class ActionModule(WindowsAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC
    ROLE_SPEC = ROLE_SPEC

    def check(self, options: dict[str, t.Any]) -> None:
        all_problems(
            lambda: self.check_policy(options),
            lambda: waiving.from_options(options),
            lambda: _options.check_reading(options),
            lambda: self.check_prove(options),
            lambda: reading.check_known(options["known"], options["fail_on"]),
            lambda: handshakes.check_result("accepted_before", options["accepted_before"]),
        )

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        return reading.read(self.sequence(options), options)
