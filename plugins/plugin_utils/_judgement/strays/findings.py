# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Strays as findings: what Windows ignores below Protocols, what was meant, and what could be removed. Pure."""

from __future__ import annotations

import typing as t

from ..._policy.findings import Finding, Status
from ..._policy.subjects import TLS_REGISTRY
from ..._schannel.protocols import PROTOCOLS_KEY
from ..._schannel.snapshot import Setting, Snapshot
from ..._schannel.values import ABSENT
from . import find

REPORT, REMOVE, IGNORE = "report", "remove", "ignore"
# Strays that have a finding each. What is beyond is counted, and stays.
NAMED = 200
_EXAMPLES = 3

_TRANSLATED_PAGE = "Microsoft, Issues related to TLS deprecation, machine-translated"
_WHY = "Windows opens fixed names only. What stands elsewhere has no effect, whatever it says."


def stray_findings(snapshot: Snapshot, mode: str) -> tuple[Finding, ...]:
    """One finding for each stray, one for each place that holds what was meant for another, and what was not looked
    into.

    They violate the policy only where the task is to remove them and they can be put back.
    """
    if mode == IGNORE:
        return ()
    found = find.strays(snapshot)
    named = found[:NAMED]
    refused = {(item.stray.key, item.stray.name): item.reason for item in find.removal(named, snapshot).refused}
    return (
        *(_finding(stray, mode, refused.get((stray.key, stray.name)), snapshot) for stray in named),
        *(_misplaced(item) for item in find.misplaced(named, snapshot)),
        *_overlooked(found[NAMED:], mode, snapshot),
    )


def to_remove(snapshot: Snapshot, findings: t.Iterable[Finding]) -> tuple[tuple[Setting, ...], tuple[str, ...]]:
    """The values and keys to delete for the stray findings that violate the policy (one that is waived stays)."""
    violating = {(item.setting.key, item.setting.name) for item in findings if item.violates and _is_stray(item)}
    chosen = [stray for stray in find.strays(snapshot) if (stray.key, stray.name or "") in violating]
    removal = find.removal(chosen, snapshot)
    return removal.values, removal.keys


def _is_stray(finding: Finding) -> bool:
    return finding.id.startswith("stray.")


def _finding(stray: find.Stray, mode: str, refused: str | None, snapshot: Snapshot) -> Finding:
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


def _misplaced(followed: find.Followed) -> Finding:
    return Finding(
        id="translated_page" if followed.translated else "stray.misplaced",
        title="Settings in a place where Windows does not look",
        severity="high",
        status=Status.NOT_APPLICABLE,
        message=followed.sentence,
        why=_WHY,
        source=_TRANSLATED_PAGE if followed.translated else TLS_REGISTRY,
        setting=Setting(followed.source, ""),
    )


def _overlooked(more: t.Sequence[find.Stray], mode: str, snapshot: Snapshot) -> t.Iterator[Finding]:
    keys, sides = find.overlooked(snapshot)
    stays = " It is not removed; delete it on the host." if mode == REMOVE else ""
    for places, what in (
        (keys, "more {keys} that Windows ignores {were} not looked into"),
        ([stray.key for stray in more], "more {strays} that Windows ignores {have} no finding of {its} own"),
    ):
        if places:
            one = len(places) == 1
            said = what.format(
                keys="key" if one else "keys",
                strays="key or value" if one else "keys and values",
                were="was" if one else "were",
                have="has" if one else "have",
                its="its" if one else "their",
            )
            names = ", ".join(dict.fromkeys(find.below(key) for key in places[:_EXAMPLES]))
            # what a task to remove strays leaves is not as wanted, and nobody knows what it is
            yield _note(f"{len(places)} {said}, such as {names}.{stays}", mode == REMOVE)
    if sides:
        yield _note(
            f"{len(sides)} sides of other protocols than TLS 1.2 were not looked into for names that Windows ignores, "
            "as there are so many. Nothing in them is removed.",
            False,
        )


def _note(message: str, is_open: bool) -> Finding:
    return Finding(
        id="stray.not_looked_into",
        title="More than is looked into",
        severity="low",
        status=Status.UNKNOWN if is_open else Status.NOT_APPLICABLE,
        message=message,
        why=_WHY,
        source=TLS_REGISTRY,
        setting=Setting(PROTOCOLS_KEY, ""),
    )
