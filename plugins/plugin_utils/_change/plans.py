# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The writes that would make a host compliant, and how people see them. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .._policy.findings import Finding
from .._schannel.names import fold
from .._schannel.snapshot import Setting, Snapshot, parents
from .._schannel.values import ABSENT, Value, full_path, show
from .._text import NAME, visible


@dataclasses.dataclass(frozen=True)
class Write:
    """One registry value that is set (or removed, where ``after`` is absent)."""

    setting: Setting
    before: Value
    after: Value

    def as_result(self) -> dict[str, t.Any]:
        return {
            "key": full_path(self.setting.key),
            "value": self.setting.name,
            "before": self.before.as_result(),
            "after": self.after.as_result(),
        }

    def inverse(self) -> Write:
        return Write(self.setting, self.after, self.before)


@dataclasses.dataclass(frozen=True)
class Plan:
    """Writes in the order they are made, the keys that must be made first, and the keys that are removed last.

    ``covers``: all settings that were held against what is wanted, written or not.
    """

    writes: tuple[Write, ...] = ()
    new_keys: tuple[str, ...] = ()  # parents before children
    old_keys: tuple[str, ...] = ()  # children before parents
    covers: frozenset[Setting] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.writes or self.new_keys or self.old_keys)

    def diff(self) -> dict[str, str]:
        """Before and after, grouped by key, one line for each registry value, for ``--diff``."""
        made, gone = ({fold(key) for key in keys} for keys in (self.new_keys, self.old_keys))
        return {
            "before_header": "registry",
            "after_header": "registry",
            "before": self._lines(lambda write: write.before, made),
            "after": self._lines(lambda write: write.after, gone),
        }

    def _lines(self, pick: t.Callable[[Write], Value], missing: set[str]) -> str:
        values: dict[str, list[str]] = {}
        spelling: dict[str, str] = {}
        for key in (*self.new_keys, *self.old_keys, *(write.setting.key for write in self.writes)):
            spelling.setdefault(fold(key), key)
            values.setdefault(fold(key), [])
        for write in sorted(self.writes, key=lambda item: fold(item.setting.name)):
            name = visible(write.setting.name or "(default)", NAME)
            values[fold(write.setting.key)].append(f"    {name} = {pick(write)}\n")
        return "".join(
            f"{show(spelling[key])}{' (missing)' if key in missing else ''}\n{''.join(values[key])}"
            for key in sorted(values)
        )


def plan(
    findings: t.Iterable[Finding],
    snapshot: Snapshot,
    strays: tuple[tuple[Setting, ...], tuple[str, ...]] = ((), ()),
) -> Plan:
    """As few writes as possible: only what violates the policy. Nothing is planned where all is well.

    ``strays``: values to delete, and keys to delete after them, children before parents.
    """
    judged = tuple(findings)
    values, old_keys = strays
    writes = (
        *(
            Write(finding.setting, finding.actual or ABSENT, finding.write)
            for finding in judged
            if finding.violates and finding.write is not None
        ),
        *(Write(setting, snapshot.value(setting), ABSENT) for setting in values),
    )
    covers = frozenset((*(item.setting for item in judged if item.expected is not None), *values))
    wanted = [write.setting.key for write in writes if write.after.present]
    return Plan(writes, _missing_keys(wanted, snapshot), old_keys, covers)


def restore(
    values: t.Mapping[Setting, Value],
    missing_keys: t.Sequence[str],
    removed_keys: t.Sequence[str],
    snapshot: Snapshot,
) -> Plan:
    """The plan that brings these settings and ``removed_keys`` back, and removes the keys that were not there
    (``missing_keys``, parents
    first). A key that holds anything else by now stays: it is not ours to delete."""
    writes = tuple(
        Write(setting, snapshot.value(setting), value)
        for setting, value in values.items()
        if snapshot.value(setting) != value
    )
    going = {write.setting for write in writes if not write.after.present}
    old_keys: list[str] = []
    for key in sorted(missing_keys, key=lambda name: name.count("\\"), reverse=True):
        folded = fold(key)
        if folded in snapshot.unlisted or not snapshot.key_exists(key):
            continue
        below = {f"{folded}\\{fold(name)}" for name in snapshot.subkeys[folded]}
        # a default value that is alone is in no listing
        left = {Setting(key, name) for name in (*snapshot.listed[folded], "") if name or _has_default(key, snapshot)}
        if below <= {fold(old) for old in old_keys} and left <= going:
            old_keys.append(key)
    wanted = [*removed_keys, *(write.setting.key for write in writes if write.after.present)]
    return Plan(writes, _missing_keys(wanted, snapshot), tuple(old_keys), frozenset(values))


def _has_default(key: str, snapshot: Snapshot) -> bool:
    return "" in snapshot.listed[fold(key)] or snapshot.values.get(Setting(key, ""), ABSENT).present


def _missing_keys(wanted: t.Iterable[str], snapshot: Snapshot) -> tuple[str, ...]:
    """The keys to make for these to exist: parents first, each once. A key nobody looked at is taken as present."""
    missing: dict[str, str] = {}
    for leaf in wanted:
        for key in reversed(parents(leaf)):
            if snapshot.key_exists(key) is False:
                missing.setdefault(fold(key), key)
    return tuple(missing.values())
