# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Strays as findings: what Windows ignores below Protocols, what was meant, and what could be removed. Pure."""

from __future__ import annotations

import typing as t

from . import _strays
from ._findings import Finding, Status
from ._registry import ABSENT
from ._snapshot import Setting, Snapshot
from ._subjects import TLS_REGISTRY

REPORT, REMOVE, IGNORE = "report", "remove", "ignore"

_WHY = "Windows opens fixed names only. What stands elsewhere has no effect, whatever it says."


def stray_findings(snapshot: Snapshot, mode: str) -> tuple[Finding, ...]:
    """One finding for each stray, and one for each place that a translated page has led somebody to.

    They violate the policy only where the task is to remove them and they can be put back.
    """
    if mode == IGNORE:
        return ()
    found = _strays.strays(snapshot)
    refused = {(item.stray.key, item.stray.name): item.reason for item in _strays.removal(found, snapshot).refused}
    return (
        *(_finding(stray, mode, refused.get((stray.key, stray.name)), snapshot) for stray in found),
        *(_followed(item) for item in _strays.followed_translated_page(found, snapshot)),
    )


def to_remove(snapshot: Snapshot, findings: t.Iterable[Finding]) -> tuple[tuple[Setting, ...], tuple[str, ...]]:
    """The values and keys to delete for the stray findings that violate the policy (one that is waived stays)."""
    violating = {(item.setting.key, item.setting.name) for item in findings if item.violates and _is_stray(item)}
    chosen = [stray for stray in _strays.strays(snapshot) if (stray.key, stray.name or "") in violating]
    removal = _strays.removal(chosen, snapshot)
    return removal.values, removal.keys


def _is_stray(finding: Finding) -> bool:
    return finding.id.startswith("stray.")


def _finding(stray: _strays.Stray, mode: str, refused: str | None, snapshot: Snapshot) -> Finding:
    setting = Setting(stray.key, stray.name or "")
    status, message = Status.NOT_APPLICABLE, stray.message
    if mode == REMOVE:
        status = Status.NONCOMPLIANT if refused is None else Status.UNKNOWN
        message = message if refused is None else f"{message} It cannot be removed: {refused}"
    return Finding(
        id=f"stray.{stray.kind.value}",
        title="Something that Windows ignores",
        severity="low",
        status=status,
        message=message,
        why=_WHY,
        source=TLS_REGISTRY,
        setting=setting,
        protocol=stray.meant.protocol if stray.meant else None,
        actual=snapshot.values.get(setting, ABSENT) if stray.name is not None else None,
    )


def _followed(followed: _strays.Followed) -> Finding:
    return Finding(
        id="translated_page",
        title="Settings in a place where Windows does not look",
        severity="high",
        status=Status.NOT_APPLICABLE,
        message=followed.sentence,
        why=_WHY,
        source="Microsoft, Issues related to TLS deprecation, machine-translated",
        setting=Setting(followed.source, ""),
    )
