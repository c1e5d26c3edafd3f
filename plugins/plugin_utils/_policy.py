# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What is wanted: options become rules, one for each registry value. Pure."""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing as t

from ._errors import OptionError
from ._registry import ABSENT, Value, dword
from ._schannel import DISABLED_BY_DEFAULT, ENABLED, PROTOCOLS, SIDES, protocol_key
from ._snapshot import Setting

UNMANAGED = "unmanaged"

MICROSOFT = "Microsoft, Exchange Server TLS configuration best practices"


@dataclasses.dataclass(frozen=True)
class Desired:
    """What one value should be, and what else counts as right."""

    value: Value
    # Windows reads any number but 0 as "on"; 1 is what is written (domain.md 4.2)
    any_nonzero: bool = False

    def accepts(self, actual: Value) -> bool:
        if self.any_nonzero and actual.type is self.value.type:
            return bool(actual.data)
        return actual == self.value


# What each state means in the registry (Microsoft's TLS registry settings; Exchange TLS best practices 2025).
STATES: dict[str, dict[str, Desired]] = {
    "enabled": {ENABLED: Desired(dword(1), any_nonzero=True), DISABLED_BY_DEFAULT: Desired(dword(0))},
    "disabled": {ENABLED: Desired(dword(0)), DISABLED_BY_DEFAULT: Desired(dword(1), any_nonzero=True)},
    "default": {ENABLED: Desired(ABSENT), DISABLED_BY_DEFAULT: Desired(ABSENT)},
}


@dataclasses.dataclass(frozen=True)
class Rule:
    """One setting that is asked for."""

    id: str  # stable: people keep it in waivers and reports
    title: str
    severity: str  # high, medium, low
    setting: Setting
    desired: Desired
    source: str
    why: str
    protocol: str | None = None
    side: str | None = None
    state: str | None = None


@dataclasses.dataclass(frozen=True)
class Policy:
    """The rules of a task."""

    rules: tuple[Rule, ...]

    @property
    def protocols(self) -> frozenset[str]:
        """The protocols that some rule is about."""
        return frozenset(rule.protocol for rule in self.rules if rule.protocol)


def from_options(protocols: t.Mapping[t.Any, t.Any]) -> Policy:
    """The policy of the ``protocols`` option: ``{TLS 1.2: enabled}`` or ``{TLS 1.2: {Client: enabled, Server:
    enabled}}``.

    Raises :class:`OptionError` that names every problem.
    """
    problems: list[str] = []
    rules: list[Rule] = []
    named: set[str] = set()
    for name, wish in protocols.items():
        protocol = _choice(name, PROTOCOLS, "protocol", problems)
        if protocol is None:
            continue
        if protocol in named:
            problems.append(f"{protocol} is named twice")
        named.add(protocol)
        for side, state in _sides(protocol, wish, problems):
            if protocol == "TLS 1.2" and state == "disabled":
                problems.append(
                    f"TLS 1.2 cannot be disabled on the {side} side: Exchange SMTP has no TLS 1.3, so nothing "
                    f"would be left "
                    "to send and receive mail with"
                )
            elif state != UNMANAGED:
                rules.extend(_protocol_rules(protocol, side, state))
    if problems:
        raise OptionError("Bad policy in 'protocols': " + "; ".join(problems) + ".")
    if not rules:
        raise OptionError(
            "The policy is empty: 'protocols' asks for nothing. Name at least one protocol and state, for "
            "example {TLS 1.2: enabled}."
        )
    return Policy(tuple(rules))


def _sides(protocol: str, wish: t.Any, problems: list[str]) -> list[tuple[str, str]]:
    if isinstance(wish, t.Mapping):
        found: list[tuple[str, str]] = []
        for name, value in wish.items():
            side = _choice(name, SIDES, f"side of {protocol}", problems)
            state = _state(protocol, value, problems)
            if side and side in (earlier for earlier, _dummy in found):
                problems.append(f"the {side} side of {protocol} is named twice")
            if side and state:
                found.append((side, state))
        return found
    state = _state(protocol, wish, problems)
    return [(side, state) for side in SIDES] if state else []


def _state(protocol: str, wish: t.Any, problems: list[str]) -> str | None:
    if isinstance(wish, bool):
        # YAML turns on, off, yes and no into booleans
        problems.append(f"{protocol}: write 'enabled' or 'disabled' instead of a boolean")
        return None
    return _choice(wish, (*STATES, UNMANAGED), f"state of {protocol}", problems)


def _choice(given: t.Any, allowed: t.Sequence[str], what: str, problems: list[str]) -> str | None:
    """The allowed word that was meant, by exact or case-blind match; anything else is a problem with a suggestion."""
    word = str(given)
    for item in allowed:
        if item.lower() == word.lower():
            return item
    folded = {_fold(item): item for item in allowed}
    close = difflib.get_close_matches(_fold(word), folded, n=1)
    hint = f" (did you mean '{folded[close[0]]}'?)" if close else ""
    problems.append(f"unknown {what} '{word}'{hint}; allowed: {', '.join(allowed)}")
    return None


def _fold(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


def _protocol_rules(protocol: str, side: str, state: str) -> t.Iterator[Rule]:
    for name, desired in STATES[state].items():
        yield Rule(
            id=f"{re.sub(r'[ .]', '_', protocol.lower())}.{side.lower()}.{name.lower()}",
            title=f"{protocol} {state} ({side}): {name}",
            severity="high" if protocol == "TLS 1.2" else "medium",
            setting=Setting(protocol_key(protocol, side), name),
            desired=desired,
            source=MICROSOFT,
            why=_WHY.get((protocol, state), f"The policy asks for {protocol} {state}."),
            protocol=protocol,
            side=side,
            state=state,
        )


_WHY = {
    ("TLS 1.2", "enabled"): "Exchange Online refuses TLS 1.0 and 1.1; without TLS 1.2 mail flow with it stops.",
    **{
        (old, "disabled"): f"{old} has known weaknesses and no current mail system needs it."
        for old in ("SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1")
    },
}
