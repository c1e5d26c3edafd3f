# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the TLS settings of a host what a policy asks for, with as few writes as possible."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _options
from ..plugin_utils._action import WindowsAction
from ..plugin_utils._audit import audit
from ..plugin_utils._change import Target, change
from ..plugin_utils._plan import plan
from ..plugin_utils._policy import from_options
from ..plugin_utils._registry import Registry

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_options.PROTOCOLS,
    **_options.BACKUP,
    "undo_on_failure": {"type": "bool", "default": True},
    **_options.WIRE_LOG,
}


class ActionModule(WindowsAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC

    def check(self, options: dict[str, t.Any]) -> None:
        from_options(options["protocols"])

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        policy = from_options(options["protocols"])
        session = self.open_session(options)
        before = audit(session, policy)
        self.partial = before.as_result()
        outcome, after = change(
            Target(Registry(session), before.host, before.snapshot, before.pending, self.host_name),
            plan(before.findings, before.snapshot),
            purpose="change",
            backup_dir=options["backup_dir"],
            undo=options["undo_on_failure"],
            check_mode=self.check_mode,
            partial=self.partial,
        )
        return {**before.judged_again(policy, after).as_result(), "was_compliant": before.compliant, **outcome}
