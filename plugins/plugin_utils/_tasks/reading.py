# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""tls_settings_info: reads and judges a host, or takes what is known of it, and proves it by handshakes."""

from __future__ import annotations

import typing as t

from .._errors import OptionError
from .._policy import waiving
from .._policy.findings import VIOLATIONS
from .._policy.options import from_options
from .._schannel.values import Type, show
from .._text import joined
from .._windows.reader import Reader
from .._windows.registry import Registry
from .._wire.session import Session
from .audit import Scope, audit
from .task import Options, Result, Task

if t.TYPE_CHECKING:
    from .._change.backups import Backup

# What a result of tls_settings says of the settings themselves.
_KNOWN = ("host", "protocols", "healthchecker", "findings", "compliant", "restart_pending", "overview")
# What it says besides, where it was asked to.
_MORE = ("exchange",)


def check_known(known: t.Any, fail_on: str | None) -> None:
    """Raises :class:`OptionError` where ``known`` is no result of tls_settings, or is not to be read for it."""
    if known and fail_on:
        raise OptionError("'fail_on' goes with reading; with 'known' nothing is read. Give it to the task that did.")
    missing = [name for name in _KNOWN if name not in (known or {})]
    if known and missing:
        raise OptionError(f"'known' is no result of tls_settings: it lacks {', '.join(missing)}.")


def read(task: Task, options: Options) -> Result:
    """The result of tls_settings_info."""
    waivers, fail_on = waiving.from_options(options)
    backup = _backup(options["expect_backup"]) if options["expect_backup"] else None
    not_back: list[str] = []
    failing: dict[str, t.Any] = {}
    if options["known"] and backup is None:
        result = {
            "changed": False,
            **{name: options["known"][name] for name in (*_KNOWN, *_MORE) if name in options["known"]},
        }
    else:
        session = task.open_session()
        found = audit(session, from_options(options), waivers, Scope.from_options(options))
        result = {"changed": False, **found.as_result()}
        failing = waiving.failure(found.findings, fail_on)
        task.so_far(result)
        not_back = [] if backup is None else _not_back(backup, session)
    if options["prove"]:
        task.so_far(result)
        result.update(_proven(task, options, result, not_back))
    if options["fail_on_findings"] and not result["compliant"] and not failing:
        return {**task.shortened(result), **_violations(result["findings"])}
    return {**(task.shortened(result) if failing or result.get("failed") else result), **failing}


def _backup(path: str) -> Backup:
    # as with handshakes below: Ansible compiles what it imports in every run, and few want this
    from .._change import backups

    return backups.load(path)


def _proven(task: Task, options: Options, settings: Result, not_back: list[str]) -> Result:
    from . import proving

    found, failure = proving.proven(
        task,
        options["prove"],
        settings,
        accepted_before=options["accepted_before"],
        allow_pending=options["allow_pending"],
        not_back=not_back if options["expect_backup"] else None,
    )
    # what is only predicted is not there to be proven
    return found if task.check_mode else {**found, **failure}


def _not_back(backup: Backup, session: Session) -> list[str]:
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
        "msg": f"Not as wanted: {joined([item['message'] for item in wrong])}",
        "error": {"kind": "findings", "findings": [item["id"] for item in wrong]},
    }
