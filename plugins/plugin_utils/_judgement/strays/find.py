# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Keys and values below SCHANNEL\\Protocols that Windows ignores: which, what to read of them, what to delete. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._schannel.names import fold, same
from ..._schannel.protocols import PROTOCOLS_KEY, SIDES, VALUE_NAMES
from ..._schannel.snapshot import Setting, Snapshot
from ..._schannel.values import ABSENT, Type, Value, full_path, show, unrestorable
from .names import WINDOWS_PROTOCOLS, Reason, is_foreign
from .tree import DEPTH, Node, looked_into, strays_in, tree, value_types
from .types import Held, Kind, Meant, Stray, below, visible_name

__all__ = [
    "Followed",
    "Held",
    "Kind",
    "Meant",
    "Reason",
    "Refusal",
    "Removal",
    "Stray",
    "Wanted",
    "below",
    "keys_to_read",
    "looked_into",
    "misplaced",
    "overlooked",
    "removal",
    "strays",
]


# Values in places where Windows does not look that are read, each a request; they are named and not read beyond.
VALUES = 200


def strays(snapshot: Snapshot) -> tuple[Stray, ...]:
    """Every stray that the listings of the snapshot show: parents before children, a key's values before its subkeys.

    What has not been listed is not judged; :func:`keys_to_read` says what is missing.
    """
    root = tree(snapshot)
    return tuple(strays_in(root, snapshot))


# --- reading ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What must be read next: keys to list the subkeys of, keys to list the values of, and values with their types.

    A default value (name ``""``) whose type no listing shows is named with REG_SZ, its usual type; it may be another.
    """

    subkeys: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    values: tuple[tuple[Setting, Type], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.subkeys or self.listed or self.values)


def keys_to_read(snapshot: Snapshot) -> Wanted:
    """What is still to be read to judge and back up the strays. Ask again after each round, until nothing is wanted
    (four rounds at most).

    All that is in stray keys and in the keys of :func:`looked_into`, up to a number of keys and values. The protocols
    are listed with what else is read of them, as their sides show which keys these are.
    """
    wanted = _ToRead(snapshot)
    root = tree(snapshot)
    for node in _by_level(root):
        if node.closely:
            wanted.everything_in(node)
        elif node.real and node.level < 2:
            wanted.subkeys(node.key)
    for stray in strays_in(root, snapshot):
        for held in stray.holds:
            # to see whether the right key lacks it
            for setting in held.meant.settings if held.meant else ():
                wanted.value(setting, Type.REG_DWORD)
    return wanted.result()


def overlooked(snapshot: Snapshot) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Stray keys beyond the number of those that are looked into, and sides of Windows' own that are not looked into;
    the former with nothing that is in them."""
    nodes = tuple(node for node in _by_level(tree(snapshot)) if not node.closely)
    sides = tuple(node.key for node in nodes if node.real and node.level == 2)
    return tuple(node.key for node in nodes if not node.real), sides


def _by_level(root: Node) -> list[Node]:
    return sorted(root.walk(), key=lambda node: node.level)


class _ToRead:
    """Collects what is wanted and not known yet, each once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._subkeys: list[str] = []
        self._listed: list[str] = []
        self._values: dict[Setting, Type] = {}
        self._seen = 0

    def result(self) -> Wanted:
        return Wanted(tuple(self._subkeys), tuple(self._listed), tuple(self._values.items()))

    def everything_in(self, node: Node) -> None:
        self.subkeys(node.key)
        self.listing(node.key)
        self.default(node.key)
        for name, kind in self.snapshot.listed.get(fold(node.key), {}).items():
            if not (node.real and node.level == 2 and same(name, VALUE_NAMES)):
                self._seen += 1
                if self._seen <= VALUES:
                    self.value(Setting(node.key, name), kind)

    def subkeys(self, key: str) -> None:
        if fold(key) not in self.snapshot.subkeys and fold(key) not in self.snapshot.unlisted:
            self._subkeys.append(key)

    def listing(self, key: str) -> None:
        if fold(key) not in self.snapshot.listed and fold(key) not in self.snapshot.unlisted:
            self._listed.append(key)

    def default(self, key: str) -> None:
        """Windows leaves a default value out of a listing where it is the only one (docs/reference/wsman.md 1.4)."""
        if self.snapshot.listed.get(fold(key)) == {}:
            self.value(Setting(key, ""), Type.REG_SZ)

    def value(self, setting: Setting, kind: Type) -> None:
        known = setting in self.snapshot.values or self.snapshot.key_exists(setting.key) is False
        if not known and kind is not Type.OTHER:  # WMI has no method for those
            self._values.setdefault(setting, kind)


# --- what was meant -------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Followed:
    """Values that stand in a place where Windows does not look and are missing where it does.

    ``source``: the key that holds them. ``targets``: the right key, or the ones that it may be. ``values``: the names
    that were meant. ``translated``: a name is a translation of the right one, as translated pages have it.
    """

    source: str
    targets: tuple[str, ...]
    values: tuple[str, ...]
    translated: bool
    sentence: str

    def as_result(self) -> dict[str, t.Any]:
        return {
            "key": full_path(self.source),
            "meant_for": [full_path(key) for key in self.targets],
            "values": list(self.values),
            "message": self.sentence,
        }


def misplaced(found: t.Iterable[Stray], snapshot: Snapshot) -> tuple[Followed, ...]:
    """Where a stray holds the values that the right key lacks: one for each source and target, with the sentence."""
    groups: dict[tuple[str, tuple[str, ...]], list[tuple[Held, bool]]] = {}
    everything = tuple(found)
    reasons = {fold(stray.key): stray.reason for stray in everything if stray.name is None}
    for stray in everything:
        for held in stray.holds:
            lacking = tuple(
                setting.key for setting in (held.meant.settings if held.meant else ()) if _lacks(setting, snapshot)
            )
            if lacking:
                path = [key for key in reasons if f"{fold(held.setting.key)}\\".startswith(f"{key}\\")]
                words = [(held.setting.name, held.reason)]
                words += [(key.rpartition("\\")[2], reasons[key]) for key in path]
                translated = any(reason is Reason.TRANSLATION and is_foreign(name) for name, reason in words)
                groups.setdefault((held.setting.key, lacking), []).append((held, translated))
    return tuple(_followed(source, targets, items) for (source, targets), items in groups.items())


def _lacks(setting: Setting, snapshot: Snapshot) -> bool:
    value = snapshot.values.get(setting)
    return snapshot.key_exists(setting.key) is False if value is None else not value.present


def _followed(source: str, targets: tuple[str, ...], items: t.Sequence[tuple[Held, bool]]) -> Followed:
    meant = [held.meant.value for held, _translated in items if held.meant and held.meant.value]
    values = tuple(name for name in VALUE_NAMES if name in meant)
    translated = any(changed for _held, changed in items)
    places = " or ".join(below(key) for key in targets)
    names = " and ".join(f"[{visible_name(held.setting.name)}]" for held, _translated in items)
    renamed = any(not same(held.setting.name, VALUE_NAMES) for held, _translated in items)
    here = [fold(key) for key in targets] == [fold(source)]
    if translated:
        sentence = _translated(source, places, names, values, renamed=renamed, here=here)
    else:
        were = "were" if len(items) > 1 else "was"
        right = " and ".join(f"[{name}]" for name in values)
        goal = right if here else f"{places} {right}" if renamed else places
        sentence = f"{below(source)} {names} {were} probably meant for {goal}. Windows does not look there."
    return Followed(source, targets, values, translated, sentence)


def _translated(source: str, places: str, names: str, values: tuple[str, ...], *, renamed: bool, here: bool) -> str:
    both = len(values) == len(VALUE_NAMES)
    which, verb = ("the values", "are") if both else (f"the value {values[0]}", "is")
    start = f"Someone followed a translated page: {which} meant for {places} {verb}"
    if here:
        return f"{start} named {names}, which Windows does not look for."
    where = f"{below(source)} as {names}" if renamed else below(source)
    return f"{start} in {where}, where Windows does not look."


# --- removal ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A stray that must stay, and why."""

    stray: Stray
    reason: str

    def as_result(self) -> dict[str, t.Any]:
        return {"key": full_path(self.stray.key), "value": self.stray.name, "message": self.reason}


@dataclasses.dataclass(frozen=True)
class Removal:
    """The values to delete (those in the keys that go included, to be backed up), then the keys, children first."""

    values: tuple[Setting, ...] = ()
    keys: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()


def removal(found: t.Iterable[Stray], snapshot: Snapshot) -> Removal:
    """What to delete so that these strays are gone. Nothing that Windows looks at, and nothing that cannot be put back:
    a stray is refused where the subkeys, values and types in it have not all been read."""
    values: dict[Setting, None] = {}
    keys: dict[str, str] = {}
    refused: list[Refusal] = []
    for stray in found:
        try:
            doomed, settings = (
                ([], [_restorable(stray.key, stray.name, snapshot)])
                if stray.name is not None
                else (_subtree(stray.key, snapshot))
            )
        except _Refused as exc:
            refused.append(Refusal(stray, str(exc)))
            continue
        values.update(dict.fromkeys(settings))
        for key in doomed:
            keys.setdefault(fold(key), key)
    order = sorted(keys.values(), key=lambda key: (-key.count("\\"), fold(key)))
    return Removal(tuple(values), tuple(order), tuple(refused))


class _Refused(Exception):
    """The reason, as a sentence."""


def _subtree(key: str, snapshot: Snapshot) -> tuple[list[str], list[Setting]]:
    """A key with all below it, and all values in them."""
    folded = fold(key)
    if _is_windows_own(key) or not folded.startswith(f"{fold(PROTOCOLS_KEY)}\\"):
        raise _Refused(f"{show(key)} is a key that Windows looks at.")
    if folded in snapshot.unlisted:
        raise _Refused(f"{show(key)} could not be listed ({snapshot.unlisted[folded].rstrip('. ')}).")
    if folded not in snapshot.subkeys and key.count("\\") > PROTOCOLS_KEY.count("\\") + DEPTH:
        raise _Refused(f"{show(key)} is more than {DEPTH} levels below Protocols, deeper than keys are read.")
    if folded not in snapshot.subkeys:
        raise _Refused(f"{show(key)} may hold keys: they were not listed, so they cannot be backed up.")
    if folded not in snapshot.listed:
        raise _Refused(f"{show(key)} may hold values: they were not listed, so they cannot be backed up.")
    settings = [_restorable(key, name, snapshot) for name in value_types(key, snapshot)]
    if not snapshot.listed[folded] and Setting(key, "") not in snapshot.values:
        raise _Refused(f"{show(key)} may hold a default value: it was not read, so it cannot be backed up.")
    keys = [key]
    for name in snapshot.subkeys[folded]:
        more_keys, more_settings = _subtree(f"{key}\\{name}", snapshot)
        keys += more_keys
        settings += more_settings
    return keys, settings


def _restorable(key: str, name: str, snapshot: Snapshot) -> Setting:
    """The setting, if it is not Windows' own and its value can be put back."""
    setting = Setting(key, name)
    where = show(key, name or "(default)")
    if _is_windows_own(key) and key.count("\\") == PROTOCOLS_KEY.count("\\") + 2 and same(name, VALUE_NAMES):
        raise _Refused(f"{where} is a value that Windows reads.")
    kind = value_types(key, snapshot).get(name)
    # what is listed as such is not read
    value = Value(kind) if kind in (Type.REG_EXPAND_SZ, Type.OTHER) else snapshot.values.get(setting, ABSENT)
    if reason := unrestorable(name, snapshot.values.get(setting, value)):
        raise _Refused(f"{where} {reason}, so it cannot be put back as it is.")
    if not value.present:
        raise _Refused(f"{where} was not read, so it cannot be backed up.")
    return setting


def _is_windows_own(key: str) -> bool:
    """Protocols itself, a protocol that Windows knows, or a side of one."""
    base = fold(PROTOCOLS_KEY)
    if fold(key) == base:
        return True
    parts = key[len(base) + 1 :].split("\\") if fold(key).startswith(f"{base}\\") else []
    if not parts or not same(parts[0], WINDOWS_PROTOCOLS):
        return False
    return len(parts) == 1 or (len(parts) == 2 and same(parts[1], SIDES) is not None)
