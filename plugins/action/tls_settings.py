# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the TLS settings of a host what a policy asks for, with as few writes as possible."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _options, _preflight
from ..plugin_utils._errors import all_problems
from ..plugin_utils._judgement import handshakes
from ..plugin_utils._mailflow import peers
from ..plugin_utils._policy import waiving
from ..plugin_utils._restart_action import RestartAction
from ..plugin_utils._tasks import setting

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_options.POLICY,
    **_options.READING,
    **_options.BACKUP,
    "force": {"type": "bool", "default": False},
    "handshakes": {"type": "dict"},
    **_options.PROVE,
    **_preflight.RESTART,
    "handshake_policy": {"type": "str", "choices": list(handshakes.POLICIES)},
    "smtp_logs": {"type": "dict"},
    "accepted_peers": {"type": "list", "elements": "str", "default": []},
    **_options.SHARED,
}
# Where nothing is to be written and no restart is due: prove at once what a task of tls_settings_info would prove, but
# for its patience. The result then has a verdict; where it has none, something is to be done first, or is not proven.
ROLE_SPEC: dict[str, t.Any] = {**_options.ROLE, "prove_if_done": {"type": "bool", "default": False}}

_NO_LOGS = "'accepted_peers' does nothing without 'smtp_logs': no log was read, so that nobody looked for peers."


class ActionModule(RestartAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC
    ROLE_SPEC = ROLE_SPEC
    WRITES = True

    def check(self, options: dict[str, t.Any]) -> None:
        all_problems(
            lambda: self.check_policy(options),
            lambda: waiving.from_options(options),
            lambda: _options.check_reading(options),
            lambda: handshakes.check_result("handshakes", options["handshakes"]),
            lambda: self.check_prove(options, options["prove_if_done"] and "prove_if_done"),
            lambda: _preflight.check_restart(options["restart"], self.places),
            lambda: peers.check_logs("smtp_logs", options["smtp_logs"]),
        )

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        if (logs := options["smtp_logs"]) is not None:
            servers = (self.task_vars.get("groups") or {}).get("all") or ()
            options = {**options, "smtp_logs": {**logs, "old_tls": peers.of_server(logs, self.host_name, servers)}}
        result = setting.bring(self.sequence(options), options, self.task_files(options["restart"]))
        if logs is None and options["accepted_peers"]:
            return {**result, "warnings": [*result.get("warnings", []), _NO_LOGS]}
        return result
