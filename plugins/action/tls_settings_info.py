# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and judges the TLS settings of a host, and proves them by handshakes. Changes nothing."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _options
from ..plugin_utils._action import WindowsAction
from ..plugin_utils._change import backups
from ..plugin_utils._errors import OptionError, all_problems
from ..plugin_utils._judgement import handshakes, verdicts
from ..plugin_utils._policy import waiving
from ..plugin_utils._policy.findings import VIOLATIONS
from ..plugin_utils._policy.options import from_options
from ..plugin_utils._schannel.values import Type, show
from ..plugin_utils._tasks import proving
from ..plugin_utils._tasks.audit import audit
from ..plugin_utils._windows.reader import Reader
from ..plugin_utils._windows.registry import Registry
from ..plugin_utils._wire.session import Session

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_options.POLICY,
    "fail_on_findings": {"type": "bool", "default": False},
    **proving.PROVE,
    "known": {"type": "dict"},
    "accepted_before": {"type": "dict"},
    "expect_backup": {"type": "path"},
    "allow_pending": {"type": "bool", "default": False},
    **_options.WIRE_LOG,
}
# What a result of tls_settings says of the settings themselves.
_KNOWN = ("host", "protocols", "healthchecker", "findings", "compliant", "restart_pending", "overview")


class ActionModule(WindowsAction):
    ARGUMENT_SPEC = ARGUMENT_SPEC

    def check(self, options: dict[str, t.Any]) -> None:
        all_problems(
            lambda: from_options(options),
            lambda: waiving.from_options(options),
            lambda: proving.check(options["prove"], self.address),
            lambda: _check_known(options["known"], options["fail_on"]),
            lambda: handshakes.check_result("accepted_before", options["accepted_before"]),
        )

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        waivers, fail_on = waiving.from_options(options)
        backup = backups.load(options["expect_backup"]) if options["expect_backup"] else None
        not_back: list[str] = []
        failing: dict[str, t.Any] = {}
        if options["known"] and backup is None:
            result = {"changed": False, **{name: options["known"][name] for name in _KNOWN if name in options["known"]}}
        else:
            session = self.open_session(options)
            found = audit(session, from_options(options), waivers, options["strays"])
            result = {"changed": False, **found.as_result()}
            failing = waiving.verdict(found.findings, fail_on)
            self.partial = result
            not_back = [] if backup is None else _not_back(backup, session)
        if options["prove"]:
            self.partial = result
            result.update(self._proven(options, result, not_back))
        if options["fail_on_findings"] and not result["compliant"] and not failing:
            return {**self.shortened(result), **_violations(result["findings"])}
        if failing:
            matched = set(failing["error"]["findings"])
            failing["findings"] = [item for item in result["findings"] if item["id"] in matched]
        return {**(self.shortened(result) if failing or result.get("failed") else result), **failing}

    def _proven(self, options: dict[str, t.Any], settings: dict[str, t.Any], not_back: list[str]) -> dict[str, t.Any]:
        prove = options["prove"]
        tried, lost = proving.settled(prove, options["accepted_before"], self.address, self.host_name, self.say)
        verdict = verdicts.verdict(
            settings,
            tried,
            handshake_policy=prove["handshakes"],
            judge_policy=not options["expect_backup"],
            allow_pending=options["allow_pending"],
            lost=lost,
            not_back=not_back,
        )
        proven: dict[str, t.Any] = {"handshakes": tried, "lost": lost, "verdict": verdict.as_result()}
        if verdict.problems and not self.check_mode:
            error = {"kind": "not_proven", "problems": len(verdict.problems)}
            proven.update(failed=True, msg=_joined(verdict.problems), error=error)
        return proven


def _check_known(known: t.Any, fail_on: str | None) -> None:
    if known and fail_on:
        raise OptionError("'fail_on' goes with reading; with 'known' nothing is read. Give it to the task that did.")
    missing = [name for name in _KNOWN if name not in (known or {})]
    if known and missing:
        raise OptionError(f"'known' is no result of tls_settings: it lacks {', '.join(missing)}.")


def _not_back(backup: backups.Backup, session: Session) -> list[str]:
    """The values and keys that are not as the backup has them."""
    registry = Registry(session)
    reader = Reader(registry)
    found = []
    for setting, value in backup.values.items():
        actual = reader.value(setting, value.type or Type.REG_DWORD)
        if actual != value:
            found.append(f"{show(setting.key, setting.name)} is {actual}, and was {value}")
    found += [f"{show(key)} is missing" for key in backup.removed_keys if registry.subkeys(key) is None]
    return found


def _violations(findings: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    wrong = [item for item in findings if item["status"] in VIOLATIONS]
    return {
        "failed": True,
        "msg": f"Not as wanted: {_joined([item['message'] for item in wrong])}",
        "error": {"kind": "findings", "findings": [item["id"] for item in wrong]},
    }


def _joined(sentences: t.Sequence[str], most: int = 3) -> str:
    """The first of many sentences; the rest is in the result."""
    more = len(sentences) - most
    return " ".join(sentences[:most]) + (f" And {more} more." if more > 0 else "")
