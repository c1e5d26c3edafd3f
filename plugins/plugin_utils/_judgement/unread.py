# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What could not be read, as findings: a host of which something is not known is not called compliant. Pure."""

from __future__ import annotations

import typing as t

from .._policy.findings import Finding, Status
from .._schannel.names import fold
from .._schannel.snapshot import Setting, Snapshot
from .._schannel.values import Value, show

_WHY = "What cannot be read may be anything: nothing is concluded from it, and nothing is written over it."


def unread_findings(snapshot: Snapshot, judged: t.Iterable[Finding]) -> tuple[Finding, ...]:
    """One for each value that could not be read and has no finding of its own yet, and one for each key that could not
    be listed, unless a value of it says the same."""
    known = {finding.setting for finding in judged}
    values = {setting: value for setting, value in snapshot.values.items() if value.problem is not None}
    keys = {fold(setting.key) for setting in values}
    return (
        *(_finding(setting, value, value.problem) for setting, value in values.items() if setting not in known),
        *(_finding(Setting(key, ""), None, reason) for key, reason in snapshot.unlisted.items() if key not in keys),
    )


def _finding(setting: Setting, value: Value | None, problem: str | None) -> Finding:
    where = show(setting.key, setting.name or "(default)" if value else None)
    return Finding(
        id="unreadable",
        title="Something that cannot be read",
        severity="medium",
        status=Status.UNKNOWN,
        message=f"{where} cannot be {'read' if value else 'listed'}, so what is there is not known: {problem}",
        why=_WHY,
        source="the host",
        setting=setting,
        actual=value,
    )
