# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints, at the end of a run, what happened to each host and what to do next."""

from __future__ import annotations

DOCUMENTATION = r"""
name: summary
type: aggregate
short_description: What happened to each Exchange server, at the end of the run
version_added: 0.1.0
author: mailops contributors (@mailops)
description:
  - After the recap, prints the lines that the role P(mailops.exchange_tls.tls12#role) leaves for each host.
  - For hosts that could not be finished, it prints the last error too, so that a long run need not be read through.
  - Hosts that need attention come first.
requirements:
  - Enable it in C(ansible.cfg) with C(callbacks_enabled = mailops.exchange_tls.summary).
"""

import typing as t

from ansible import constants
from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "mailops.exchange_tls.summary"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._errors: dict[str, str] = {}
        self._left: dict[str, str] = {}

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            self._remember(result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._remember(result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        lines_of = {
            host: data["tls12_summary"]
            for host, data in stats.custom.items()
            if "tls12_summary" in data and host != "_run"
        }
        troubled = {host for host in stats.processed if stats.failures.get(host) or stats.dark.get(host)}
        if not lines_of and not (troubled and self._errors):
            return
        self._display.banner("EXCHANGE TLS")
        for host in sorted({*lines_of, *troubled}, key=lambda name: (name not in troubled, name)):
            self._display.display(host, color=constants.COLOR_ERROR if host in troubled else constants.COLOR_OK)
            if host in troubled and host in self._errors:
                self._display.display(f"  error:    {self._errors[host]}", color=constants.COLOR_ERROR)
            if host in troubled and host in self._left:
                self._display.display(f"  changed:  {self._left[host]}", color=constants.COLOR_ERROR)
            for line in lines_of.get(host, ()):
                self._display.display(f"  {line}")
        finished = len(set(stats.processed) - troubled)
        self._display.display(f"\n{finished} of {len(stats.processed)} hosts without errors")

    def _remember(self, result: t.Any) -> None:
        # attributes without underscore since ansible-core 2.19
        host = getattr(result, "host", None) or result._host
        values = getattr(result, "result", None) or result._result
        message = values.get("msg", "no message")
        self._errors[host.name] = " | ".join(map(str, message)) if isinstance(message, list) else str(message)
        # an unreachable host makes no summary of its own: what was left changed must be told here
        left = [item for item in values.get("changes", ()) if item.get("status") in ("written", "unknown")]
        if values.get("unreachable") and left:
            names = ", ".join(f"{item['key']} [{item['value']}]" for item in left)
            self._left[host.name] = f"perhaps {names}; the values before are in {values.get('backup')}"
