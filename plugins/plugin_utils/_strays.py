# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Keys and values below SCHANNEL\\Protocols that Windows ignores: which, what to read of them, what to delete. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ._registry import Type, show
from ._schannel import PROTOCOLS_KEY, SIDES, VALUE_NAMES
from ._snapshot import Setting, Snapshot
from ._stray_names import WINDOWS_PROTOCOLS, Reason, same
from ._stray_tree import DEPTH, Held, Kind, Meant, Node, Stray, below, strays_in, tree, value_types

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
    "followed_translated_page",
    "keys_to_read",
    "removal",
    "strays",
]


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


def keys_to_read(snapshot: Snapshot, *, thorough: bool = False) -> Wanted:
    """What is still to be read to judge and back up the strays. Ask again after each round, until nothing is wanted
    (four rounds at most).

    Nothing on a host where all names are right, all subkeys of the protocols are listed and every side that is there
    has both values. A key of Windows' own that lacks something is looked into: it may be there under another name.
    ``thorough`` lists the values of every key of Windows' own: one request for each that is there.
    """
    wanted = _Wishes(snapshot)
    root = tree(snapshot)
    for node in root.walk():
        if node.real:
            _wish_real(node, wanted, thorough)
        else:
            wanted.everything_in(node)
    for stray in strays_in(root, snapshot):
        for held in stray.holds:
            # to see whether the right key lacks it
            for setting in held.meant.settings if held.meant else ():
                wanted.value(setting, Type.REG_DWORD)
    return wanted.result()


def _wish_real(node: Node, wanted: _Wishes, thorough: bool) -> None:
    snapshot = wanted.snapshot
    if node.level < 2:
        wanted.subkeys(node.key)
    # how much of what Windows reads there is missing, as far as it is known
    if node.level == 2:
        values = [snapshot.values.get(Setting(node.key, name)) for name in VALUE_NAMES]
        missing = sum(value is not None and not value.present for value in values)
        if missing == len(VALUE_NAMES) or (missing and thorough):
            wanted.subkeys(node.key)
    else:
        hollow = (
            node.level == 1 and node.key.lower() in snapshot.subkeys and not any(child.real for child in node.children)
        )
        missing = len(VALUE_NAMES) if hollow else 0
    if missing or thorough:
        wanted.listing(node.key)
    if missing == len(VALUE_NAMES):
        wanted.default(node.key)
    for name, kind in snapshot.listed.get(node.key.lower(), {}).items():
        if not (node.level == 2 and same(name, VALUE_NAMES)):
            wanted.value(Setting(node.key, name), kind)


class _Wishes:
    """Collects what is wanted and not known yet, each once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._subkeys: list[str] = []
        self._listed: list[str] = []
        self._values: dict[Setting, Type] = {}

    def result(self) -> Wanted:
        return Wanted(tuple(self._subkeys), tuple(self._listed), tuple(self._values.items()))

    def everything_in(self, node: Node) -> None:
        self.subkeys(node.key)
        self.listing(node.key)
        self.default(node.key)
        for name, kind in self.snapshot.listed.get(node.key.lower(), {}).items():
            self.value(Setting(node.key, name), kind)

    def subkeys(self, key: str) -> None:
        if key.lower() not in self.snapshot.subkeys:
            self._subkeys.append(key)

    def listing(self, key: str) -> None:
        if key.lower() not in self.snapshot.listed:
            self._listed.append(key)

    def default(self, key: str) -> None:
        """Windows leaves a default value out of a listing where it is the only one (wsman.md 1.4)."""
        if self.snapshot.listed.get(key.lower()) == {}:
            self.value(Setting(key, ""), Type.REG_SZ)

    def value(self, setting: Setting, kind: Type) -> None:
        known = setting in self.snapshot.values or self.snapshot.key_exists(setting.key) is False
        if not known and kind is not Type.OTHER:  # WMI has no method for those
            self._values.setdefault(setting, kind)


# --- the translated page ---------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Followed:
    """Values that stand in a place where Windows does not look and are missing where it does.

    ``source``: the key that holds them. ``targets``: the right key, or the ones that it may be. ``values``: the names
    that were meant. ``translated``: names were changed, as translated pages do; otherwise only the place is wrong.
    """

    source: str
    targets: tuple[str, ...]
    values: tuple[str, ...]
    translated: bool
    sentence: str

    def as_result(self) -> dict[str, t.Any]:
        return {
            "key": show(self.source),
            "meant_for": [show(key) for key in self.targets],
            "values": list(self.values),
            "message": self.sentence,
        }


_NOT_TRANSLATED = frozenset({Reason.PLACE, Reason.PART, Reason.UNRECOGNIZED})


def followed_translated_page(found: t.Iterable[Stray], snapshot: Snapshot) -> tuple[Followed, ...]:
    """Where a stray holds the values that the right key lacks: one for each source and target, with the sentence."""
    groups: dict[tuple[str, tuple[str, ...]], list[tuple[Held, bool]]] = {}
    everything = tuple(found)
    reasons = {stray.key.lower(): stray.reason for stray in everything if stray.name is None}
    for stray in everything:
        for held in stray.holds:
            lacking = tuple(
                setting.key for setting in (held.meant.settings if held.meant else ()) if _lacks(setting, snapshot)
            )
            if lacking:
                path = {reasons[key] for key in reasons if f"{held.setting.key.lower()}\\".startswith(f"{key}\\")}
                changed = not {held.reason, *path} <= _NOT_TRANSLATED
                groups.setdefault((held.setting.key, lacking), []).append((held, changed))
    return tuple(_followed(source, targets, items) for (source, targets), items in groups.items())


def _lacks(setting: Setting, snapshot: Snapshot) -> bool:
    value = snapshot.values.get(setting)
    return snapshot.key_exists(setting.key) is False if value is None else not value.present


def _followed(source: str, targets: tuple[str, ...], items: t.Sequence[tuple[Held, bool]]) -> Followed:
    meant = [held.meant.value for held, _changed in items if held.meant and held.meant.value]
    values = tuple(name for name in VALUE_NAMES if name in meant)
    translated = any(changed for _held, changed in items)
    both = len(values) == len(VALUE_NAMES)
    which, verb = ("the values", "are") if both else (f"the value {values[0]}", "is")
    places = " or ".join(below(key) for key in targets)
    names = " and ".join(f"[{held.setting.name or '(default)'}]" for held, _changed in items)
    renamed = any(not same(held.setting.name, VALUE_NAMES) for held, _changed in items)
    start = "Someone followed a translated page" if translated else "Someone wrote to the wrong place"
    if [key.lower() for key in targets] == [source.lower()]:
        sentence = f"{start}: {which} meant for {places} {verb} named {names}, which Windows does not look for."
    else:
        where = f"{below(source)} as {names}" if renamed else below(source)
        sentence = f"{start}: {which} meant for {places} {verb} in {where}, where Windows does not look."
    return Followed(source, targets, values, translated, sentence)


# --- removal ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A stray that must stay, and why."""

    stray: Stray
    reason: str

    def as_result(self) -> dict[str, t.Any]:
        return {"key": show(self.stray.key), "value": self.stray.name, "message": self.reason}


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
            keys.setdefault(key.lower(), key)
    order = sorted(keys.values(), key=lambda key: (-key.count("\\"), key.lower()))
    return Removal(tuple(values), tuple(order), tuple(refused))


class _Refused(Exception):
    """The reason, as a sentence."""


def _subtree(key: str, snapshot: Snapshot) -> tuple[list[str], list[Setting]]:
    """A key with all below it, and all values in them."""
    folded = key.lower()
    if _is_windows_own(key) or not folded.startswith(f"{PROTOCOLS_KEY.lower()}\\"):
        raise _Refused(f"{show(key)} is a key that Windows looks at.")
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
    if value_types(key, snapshot).get(name) is Type.REG_EXPAND_SZ:
        raise _Refused(f"{where} is a REG_EXPAND_SZ, which WMI only reads expanded, so it cannot be put back as it is.")
    if value_types(key, snapshot).get(name) is Type.OTHER:
        raise _Refused(f"{where} is of a type that WMI can neither read nor write back.")
    value = snapshot.values.get(setting)
    if value is None or not value.present or value.type is Type.OTHER:
        raise _Refused(f"{where} was not read, so it cannot be backed up.")
    return setting


def _is_windows_own(key: str) -> bool:
    """Protocols itself, a protocol that Windows knows, or a side of one."""
    base = PROTOCOLS_KEY.lower()
    if key.lower() == base:
        return True
    parts = key[len(base) + 1 :].split("\\") if key.lower().startswith(f"{base}\\") else []
    if not parts or not same(parts[0], WINDOWS_PROTOCOLS):
        return False
    return len(parts) == 1 or (len(parts) == 2 and same(parts[1], SIDES) is not None)
