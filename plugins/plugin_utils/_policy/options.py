# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The options of a task become its policy: a baseline, and what the task asks for itself. It only reads files."""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing as t
from collections.abc import Mapping

from .._errors import OptionError
from .._schannel import cipher_suites
from .._schannel.protocols import PROTOCOLS, SIDES, TLS12, WHY_TLS12_STAYS
from .._schannel.snapshot import Setting
from .._text import NAME, visible
from . import baselines
from . import subjects as known_subjects
from .rules import Policy, Rule
from .subjects import UNMANAGED, Subject

# A subject and the state it should be in.
Wish = tuple[Subject, str]


def from_options(
    options: t.Mapping[str, t.Any], load: t.Callable[[str], baselines.Baseline] = baselines.load
) -> Policy:
    """The policy of the options in ``_options.POLICY``: what the task names overrides the baseline, which is one that
    was loaded, or what ``load`` takes.

    Raises :class:`OptionError` that names every problem.
    """
    problems: list[str] = []
    wishes = [*_wishes(options, problems)]
    for subject, state in wishes:
        if known_subjects.must_not_be(subject, state):
            problems.append(f"TLS 1.2 cannot be disabled on the {subject.side} side: {WHY_TLS12_STAYS}")
    suites = _suites(options["cipher_suites"] or (), problems)
    rules: dict[Setting, Rule] = {}
    baseline = options["baseline"]
    if baseline != baselines.NONE:
        try:
            found = baseline if isinstance(baseline, baselines.Baseline) else load(baseline)
            rules = {rule.setting: rule for rule in found.rules}
        except OptionError as exc:
            problems.append(exc.message.rstrip("."))
    if problems:
        raise OptionError("Bad policy: " + "; ".join(problems) + ".")
    for subject, state in wishes:
        _override(rules, subject, state)
    if not rules and not suites and options["strays"] != "remove":
        raise OptionError(
            "The policy is empty: nothing is asked for. Name a baseline, or at least one protocol and state, for "
            "example {TLS 1.2: enabled}."
        )
    return Policy(tuple(rules.values()), suites)


def with_suites(policy: Policy, policy_exists: bool) -> Policy:
    """The policy for a host where the cipher suites come from a policy, or do not."""
    if not policy.cipher_suites:
        return policy
    subject = known_subjects.cipher_suites(policy.cipher_suites, policy_exists)
    rules = {rule.setting: rule for rule in policy.rules}
    _override(rules, subject, "set")
    return dataclasses.replace(policy, rules=tuple(rules.values()))


def _override(rules: dict[Setting, Rule], subject: Subject, state: str) -> None:
    """The wish takes the place of what the baseline says of the same values; ``unmanaged`` only takes it away."""
    if state == UNMANAGED:
        for item in (item for items in subject.states.values() for item in items):
            rules.pop(item.setting, None)
        return
    for rule in _rules(subject, state):
        rules[rule.setting] = rule


def _rules(subject: Subject, state: str) -> t.Iterator[Rule]:
    for item in subject.states[state]:
        yield Rule(
            id=f"{subject.id}.{item.name}",
            title=f"{subject.title}: {state}",
            severity="high" if subject.protocol == TLS12 else "medium",
            setting=item.setting,
            desired=item.desired,
            source=subject.source,
            why=_WHY.get((subject.protocol or "", state), "The task asks for it."),
            protocol=subject.protocol,
            side=subject.side,
            state=state,
            applies=subject.applies,
        )


# RFC 3526 and RFC 7919 have groups of up to 8192 bits.
_LONGEST_DH_KEY = 16384
_WHY: dict[tuple[str | None, str], str] = {
    (TLS12, "enabled"): "Exchange Online refuses TLS 1.0 and 1.1; without TLS 1.2 mail flow with it stops.",
    **{
        (old, "disabled"): f"{old} has known weaknesses and no current mail system needs it."
        for old in ("SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1")
    },
}


def _wishes(options: t.Mapping[str, t.Any], problems: list[str]) -> t.Iterator[Wish]:
    yield from _protocols(options["protocols"] or {}, problems)
    dotnet = options["dotnet"] or {}
    for version, state in (("v4", dotnet.get("v4")), ("v2", dotnet.get("v2"))):
        if state is not None:
            yield known_subjects.dotnet(version), state
    if options["winhttp"] is not None:
        yield known_subjects.WINHTTP, options["winhttp"]
    if options["renegotiation"] is not None:
        yield known_subjects.RENEGOTIATION, options["renegotiation"]
    yield from _named(options["ciphers"], "cipher", known_subjects.CIPHERS, known_subjects.cipher, problems)
    yield from _named(options["hashes"], "hash", known_subjects.HASHES, known_subjects.hash_algorithm, problems)
    yield from _named(
        options["key_exchanges"], "key exchange", known_subjects.KEY_EXCHANGES, known_subjects.key_exchange, problems
    )
    bits = options["dh_min_key_length"]
    if bits:  # 0 stands for no wish
        if not 512 <= bits <= _LONGEST_DH_KEY or bits % 64:
            problems.append(
                f"'dh_min_key_length' is {bits}; it is a number of bits such as 2048, 512 to {_LONGEST_DH_KEY}, and a "
                "multiple of 64"
            )
        else:
            yield known_subjects.dh_min_key_length(bits), "set"


def _named(
    wishes: t.Mapping[t.Any, t.Any] | None,
    what: str,
    allowed: t.Sequence[str],
    subject_of: t.Callable[[str], Subject],
    problems: list[str],
) -> t.Iterator[Wish]:
    """The wishes of an option whose keys are names in the registry."""
    named: set[str] = set()
    for given, wish in (wishes or {}).items():
        name = _choice(given, allowed, what, problems)
        if name is None:
            continue
        _once(name, named, name, problems)
        subject = subject_of(name)
        state = _state(name, wish, subject, problems)
        if state:
            yield subject, state


def _protocols(protocols: t.Mapping[t.Any, t.Any], problems: list[str]) -> t.Iterator[Wish]:
    named: set[str] = set()
    for given, wish in protocols.items():
        protocol = _choice(given, PROTOCOLS, "protocol", problems)
        if protocol is None:
            continue
        _once(protocol, named, protocol, problems)
        yield from _sides(protocol, wish, problems)


def _sides(protocol: str, wish: t.Any, problems: list[str]) -> t.Iterator[Wish]:
    if not isinstance(wish, Mapping):
        subjects = [known_subjects.protocol_side(protocol, side) for side in SIDES]
        state = _state(protocol, wish, subjects[0], problems)
        if state:
            yield from ((subject, state) for subject in subjects)
        return
    seen: set[str] = set()
    for name, value in wish.items():
        side = _choice(name, SIDES, f"side of {protocol}", problems)
        if side:
            _once(side, seen, f"the {side} side of {protocol}", problems)
        subject = known_subjects.protocol_side(protocol, side or SIDES[0])
        state = _state(protocol, value, subject, problems)
        if side and state:
            yield subject, state


def _once(name: str, seen: set[str], shown: str, problems: list[str]) -> None:
    """Names that differ in case only are two keys in YAML, and one here."""
    if name in seen:
        problems.append(f"{shown} is named twice")
    seen.add(name)


def _suites(given: t.Iterable[t.Any], problems: list[str]) -> tuple[str, ...]:
    """The cipher suites by the names that Windows has for them. With a list in which it knows no suite for TLS 1.2,
    every TLS 1.2 handshake fails."""
    found: dict[str, None] = {}
    known = True
    for item in given:
        name = str(item).upper()
        if name not in cipher_suites.SUITES:
            known = False
            problems.append(_no_suite(str(item)))
        elif name in found:
            problems.append(f"'cipher_suites' names {name} twice")
        else:
            found[name] = None
    if found and known and not any(TLS12 in cipher_suites.SUITES[name].protocols for name in found):
        problems.append("'cipher_suites' has none for TLS 1.2, which Exchange SMTP needs")
    return tuple(found)


def _no_suite(name: str) -> str:
    meant = cipher_suites.nearest(name)
    hint = f" (did you mean {meant}?)" if meant else ", such as TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    return f"'cipher_suites': {visible(repr(name), NAME)} is not the name of a cipher suite in Windows{hint}"


def _state(name: str, wish: t.Any, subject: Subject, problems: list[str]) -> str | None:
    if isinstance(wish, bool):
        # YAML turns on, off, yes and no into booleans
        problems.append(f"{name}: write 'enabled' or 'disabled' instead of a boolean")
        return None
    return _choice(wish, (*subject.states, UNMANAGED), f"state of {name}", problems)


def _choice(given: t.Any, allowed: t.Sequence[str], what: str, problems: list[str]) -> str | None:
    """The allowed word that was meant, by exact or case-blind match; anything else is a problem with a suggestion."""
    word = str(given)
    for item in allowed:
        if item.lower() == word.lower():
            return item
    folded = {_fold(item): item for item in allowed}
    close = difflib.get_close_matches(_fold(word), folded, n=1)
    hint = f" (did you mean '{folded[close[0]]}'?)" if close else ""
    problems.append(f"unknown {what} '{visible(word, NAME)}'{hint}; allowed: {', '.join(allowed)}")
    return None


def _fold(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())
