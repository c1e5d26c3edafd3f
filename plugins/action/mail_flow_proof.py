# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves that mail leaves an Exchange server since a restart. Documented in plugins/modules/mail_flow_proof.yml."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _files, _mail_options, _options
from ..plugin_utils._action import WindowsAction
from ..plugin_utils._errors import OptionError, all_problems
from ..plugin_utils._mailflow import send_logs
from ..plugin_utils._maintenance import PORTS
from ..plugin_utils._tasks import mail_proof

ARGUMENT_SPEC: dict[str, t.Any] = {
    "since": {"type": "str", "required": True},
    "before": {"type": "dict"},
    **_mail_options.PROOF,
    "smtp_port": {"type": "int", "default": 25},
    "fail_if_not_asked": {"type": "bool", "default": False, "aliases": ["required"]},
    **_options.SHARED,
}


class ActionModule(WindowsAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC

    def check(self, options: dict[str, t.Any]) -> None:
        all_problems(
            lambda: mail_proof.moment_of(options["since"]),
            lambda: _mail_options.check(options),
            lambda: _check_port(options["smtp_port"]),
        )
        if options["fail_if_not_asked"]:
            self.endpoint()

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        result = mail_proof.prove(self.sequence(options), options, self._logs(options["send_logs"]))
        notes = result["outgoing"]["notes"]
        return {**result, "outgoing": {**result["outgoing"], "notes": [self._spoken(note) for note in notes]}}

    def _logs(self, given: t.Sequence[str] | None) -> send_logs.Logs:
        others = set((self.task_vars.get("groups") or {}).get("all") or ()) - {self.host_name, "localhost"}
        paths, missing = _files.existing(given or (), _files.folders(self.task_vars))
        logs = send_logs.of_server(paths, (self.host_name, self.address), is_alone=not others)
        if logs.folder is None and missing:
            return send_logs.Logs(None, f"there is no {', '.join(missing)} on the controller")
        return logs


def _check_port(port: int) -> None:
    if not 1 <= port <= PORTS:
        raise OptionError(f"'smtp_port' is {port}, but it is a port, from 1 to {PORTS}.")
