# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What speaks against a rollback: settings that are not this collection's, and changes since. Pure."""

from __future__ import annotations

import typing as t

from .._policy.subjects import DEFAULT, DOTNET_VERSIONS, RENEGOTIATION, SUITES_LOCAL, SUITES_POLICY, WINHTTP, dotnet
from .._schannel.protocols import SCHANNEL_KEY
from .._schannel.snapshot import Setting, Snapshot, parents
from .._schannel.values import Value, show
from .._text import NAME, visible
from .backups import Backup

FORCE = "'force' (tls12_force in the role)"

_OUTSIDE_SCHANNEL = frozenset(
    (
        *(item.setting for version in DOTNET_VERSIONS for item in dotnet(version).states[DEFAULT]),
        *(item.setting for subject in (WINHTTP, RENEGOTIATION) for item in subject.states[DEFAULT]),
        SUITES_POLICY,
        SUITES_LOCAL,
    )
)
_KEYS = frozenset(key for setting in _OUTSIDE_SCHANNEL for key in parents(setting.key.lower()))

_SHOWN = 5


def is_ours(key: str, name: str | None = None) -> bool:
    """Whether a policy can be about this value, or this key (strays are below SCHANNEL)."""
    if any(path == SCHANNEL_KEY.lower() for path in parents(key.lower())):
        return True
    return key.lower() in _KEYS if name is None else Setting(key, name) in _OUTSIDE_SCHANNEL


def foreign(backup: Backup) -> list[str]:
    """The values and keys in the file that no subject covers."""
    values = [show(setting.key, setting.name) for setting in backup.values if not is_ours(setting.key, setting.name)]
    keys = [show(key) for key in (*backup.missing_keys, *backup.removed_keys) if not is_ours(key)]
    return [*values, *keys]


def objection_to_content(path: str, backup: Backup) -> str | None:
    found = foreign(backup)
    if not found:
        return None
    return (
        f"The backup {path!r} holds what no subject of this collection covers: {listed(found)}. If it comes from a "
        f"baseline of your own, set {FORCE}; otherwise do not use it."
    )


def objection_to_order(
    path: str, backup: Backup, newer: t.Sequence[tuple[str, Backup]], snapshot: Snapshot
) -> str | None:
    """Why restoring would mix two states of the host: newer changes are in place, or something else was written.

    What a change that was cut off has left, written or not, is fine.
    """
    for name, other in newer:
        if _in_place(other, snapshot):
            return (
                f"A newer change of this host is not rolled back: {name!r}. Restoring {path!r} beneath it could leave "
                f"what neither of them wanted. Roll that one back first, or set {FORCE}."
            )
    if backup.after is None:
        return None
    changed = [
        show(setting.key, setting.name)
        for setting, value in backup.values.items()
        if snapshot.value(setting) not in (value, backup.after[setting])
    ]
    if not changed:
        return None
    return (
        f"Since the change that {path!r} belongs to, others have written {listed(changed)}, and restoring it would "
        f"undo that as well. Look at what is there; set {FORCE} to restore the backup all the same."
    )


def _in_place(change: Backup, snapshot: Snapshot) -> bool:
    """Whether the host holds something that this change wrote; of version 1 nobody knows what it wrote."""

    def is_there(setting: Setting, was: Value) -> bool:
        now = snapshot.value(setting)
        return now != was and (change.after is None or now == change.after[setting])

    return any(is_there(setting, was) for setting, was in change.values.items())


def listed(places: t.Sequence[str]) -> str:
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return ", ".join(visible(place, 2 * NAME) for place in places[:_SHOWN]) + more
