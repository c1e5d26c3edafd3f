# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Wrong names beside .NET and in the lists of ciphers, hashes and key exchanges: pointed out, never removed. Pure.

Pages of Microsoft print ``HKLM\\SOFTWARE\\Microsoft.NETFramework`` with a backslash missing, and a script of Microsoft
wrote ``SystemTlsVersions``; what PowerShell makes of ``DES 56/56`` is a key in a key.
"""

from __future__ import annotations

import difflib
import re
import typing as t
import unicodedata

from .._policy.findings import Finding, Status
from .._policy.rules import Policy, Rule
from .._policy.subjects import BEST_PRACTICES, CIPHERS, DOTNET_VERSIONS, HASHES, KB_245030, KEY_EXCHANGES
from .._schannel.names import fold, same
from .._schannel.protocols import SCHANNEL_KEY
from .._schannel.snapshot import Setting, Snapshot
from .._schannel.values import show
from .strays.types import visible_name

_VIEWS = ("SOFTWARE", r"SOFTWARE\Wow6432Node")
_NAMES = ("SystemDefaultTlsVersions", "SchUseStrongCrypto")
_AREAS = {"Ciphers": CIPHERS, "Hashes": HASHES, "KeyExchangeAlgorithms": KEY_EXCHANGES}
_STAYS = "It is only pointed out; this collection does not remove it."
# How like a name has to be to one of the right ones to be taken for it (1 is the same).
_ALIKE = 0.75


def _dotnet_key(view: str, version: str) -> str:
    return rf"{view}\Microsoft\.NETFramework\{version}"


def is_dotnet(rule: Rule) -> bool:
    return _dotnet_of(rule) is not None


def _dotnet_of(rule: Rule) -> tuple[str, str] | None:
    """The view and the version of .NET that a rule is about."""
    for view in _VIEWS:
        for version in DOTNET_VERSIONS.values():
            if fold(rule.setting.key) == fold(_dotnet_key(view, version)):
                return view, version
    return None


# --- what has to be read for it --------------------------------------------------------------------------------------


def keys_beside(policy: Policy, snapshot: Snapshot) -> tuple[list[str], list[str]]:
    """Keys whose names below them, and keys whose values, are to be listed: what is beside a .NET value that is not as
    it should be, and the areas that the policy asks about. As far as is known yet: what is listed may lead to more."""
    wanting = _wanting(policy, snapshot)
    views = list(dict.fromkeys(view for view, _version in wanting))
    alike = [
        rf"{view}\{name}\{version}"
        for view, version in wanting
        for name in snapshot.subkeys.get(fold(view), ())
        if _is_like_dotnet(name)
    ]
    return [*views, *_asked_areas(policy)], alike


def _wanting(policy: Policy, snapshot: Snapshot) -> list[tuple[str, str]]:
    found = [
        place
        for rule in policy.rules
        if (place := _dotnet_of(rule))
        and rule.setting in snapshot.values
        and not rule.desired.accepts(snapshot.value(rule.setting))
    ]
    return list(dict.fromkeys(found))


def _asked_areas(policy: Policy) -> dict[str, tuple[str, ...]]:
    keys = [fold(rule.setting.key) for rule in policy.rules]
    areas = {rf"{SCHANNEL_KEY}\{area}": names for area, names in _AREAS.items()}
    return {key: names for key, names in areas.items() if any(item.startswith(f"{fold(key)}\\") for item in keys)}


# --- judging ---------------------------------------------------------------------------------------------------------


def notice(policy: Policy, snapshot: Snapshot) -> tuple[Finding, ...]:
    """What has a wrong name, and what was probably meant, as far as it was read."""
    return (*_beside_dotnet(policy, snapshot), *_in_areas(policy, snapshot))


def _beside_dotnet(policy: Policy, snapshot: Snapshot) -> t.Iterator[Finding]:
    for view, version in _wanting(policy, snapshot):
        right = _dotnet_key(view, version)
        for name in snapshot.subkeys.get(fold(view), ()):
            key = rf"{view}\{name}\{version}"
            values = snapshot.listed.get(fold(key)) if _is_like_dotnet(name) else None
            if values:
                held = ", ".join(f"[{visible_name(value)}]" for value in list(values)[:5])
                yield _finding(
                    "dotnet_beside",
                    Setting(key, ""),
                    f"{show(key)} holds {held}, but .NET does not look there. Probably meant: {show(right)}. {_STAYS}",
                    BEST_PRACTICES,
                )
        for name in snapshot.listed.get(fold(right), {}):
            meant = None if same(name, _NAMES) else _nearest(name, _NAMES)
            if meant:
                yield _finding(
                    "dotnet_beside",
                    Setting(right, name),
                    f"{show(right)} [{visible_name(name)}] is a value that .NET does not look for. Probably meant: "
                    f"[{meant}]. {_STAYS}",
                    BEST_PRACTICES,
                )


def _in_areas(policy: Policy, snapshot: Snapshot) -> t.Iterator[Finding]:
    for key, names in _asked_areas(policy).items():
        area = key.rpartition("\\")[2]
        for name in snapshot.subkeys.get(fold(key), ()):
            if same(name, names):
                continue
            meant = _nearest(name, names)
            guess = f"Probably meant: {meant}" if meant else "What was meant is not clear"
            yield _finding(
                f"{area.lower()}_unknown_name",
                Setting(rf"{key}\{name}", ""),
                f"{area}\\{visible_name(name)}{_strange(name)} is no name that Microsoft documents there. {guess}. "
                f"{_STAYS}",
                KB_245030,
            )


def _finding(identity: str, setting: Setting, message: str, source: str) -> Finding:
    return Finding(
        id=identity,
        title="A name that Windows does not look for",
        severity="low",
        status=Status.NOT_APPLICABLE,
        message=message,
        why="Windows opens fixed names only. What stands elsewhere has no effect, whatever it says.",
        source=source,
        setting=setting,
    )


def _is_like_dotnet(name: str) -> bool:
    return difflib.SequenceMatcher(None, _letters(name), "microsoftnetframework").ratio() > 0.9


def _nearest(name: str, names: t.Sequence[str]) -> str | None:
    """The one of these names that looks most like it; the beginning of one, up to its slash, counts as well."""
    plain = {_letters(item): item for item in names}
    for item in names:
        plain.setdefault(_letters(item.partition("/")[0]), item)
    close = difflib.get_close_matches(_letters(name), plain, n=1, cutoff=_ALIKE)
    return plain[close[0]] if close else None


def _letters(name: str) -> str:
    """Letters and digits alone, of whatever width."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name)).casefold()


def _strange(name: str) -> str:
    """Characters that look like others, by number: three look like a slash."""
    codes = ", ".join(f"U+{ord(character):04X}" for character in dict.fromkeys(name) if ord(character) > 126)
    return f" (with {codes})" if codes else ""
