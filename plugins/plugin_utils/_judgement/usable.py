# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Which TLS versions a host can use, by its settings: protocols, cipher suites and what switches their parts. Pure.

Three-valued, and always with the reason. What nobody read is taken as Windows comes.
"""

from __future__ import annotations

import dataclasses
import enum
import typing as t

from .._policy.rules import suites_of
from .._policy.subjects import SUITES_LOCAL, SUITES_POLICY
from .._schannel import cipher_suites
from .._schannel.cipher_suites import Suite
from .._schannel.protocols import ENABLED, SCHANNEL_KEY, Effective, State, windows_name
from .._schannel.snapshot import Setting, Snapshot
from .._schannel.values import ABSENT, Type, Value

# What mail can be sent and received with, newest first. Exchange SMTP has no TLS 1.3.
MAIL_VERSIONS = ("TLS 1.2", "TLS 1.1", "TLS 1.0")
# TLS 1.2 makes its keys with this hash where a suite does not name a newer one (RFC 5246, 5).
_TLS12_HASH = "SHA256"


class Answer(enum.Enum):
    """Whether a version can be used."""

    YES = "usable"
    NO = "not usable"
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True)
class Judgement:
    """The answer and, unless it is YES, a reason that goes on a sentence: ``TLS 1.2 Client is disabled``."""

    answer: Answer
    reason: str = ""


def _switch(area: str, name: str) -> Setting:
    return Setting(rf"{SCHANNEL_KEY}\{area}\{name}", ENABLED)


def _switches(suite: Suite) -> dict[str, Setting]:
    """The switches that a suite hangs on, by what people see in the registry."""
    parts = (("Ciphers", suite.cipher), ("Hashes", suite.hash), ("KeyExchangeAlgorithms", suite.key_exchange))
    return {rf"{area}\{name}": _switch(area, name) for area, name in parts if name}


_PRF = _switch("Hashes", _TLS12_HASH)
SUITE_LISTS = (SUITES_POLICY, SUITES_LOCAL)
# What decides over the suites of TLS: where a change touches one of these, all must be known.
SWITCHES = tuple(
    dict.fromkeys(
        setting for suite in cipher_suites.SUITES.values() if suite.for_mail for setting in _switches(suite).values()
    )
)


def version(snapshot: Snapshot, protocol: str, side: str, build: int) -> Judgement:
    """Whether programs get a version on a side without asking for it in particular."""
    values = snapshot.side(protocol, side)
    effective = values.effective(protocol, side, build)
    if effective is Effective.UNKNOWN:
        why = (
            f"is left to a default of {windows_name(build)} that no source tells"
            if values.state is State.NOT_CONFIGURED
            else "has values whose meaning no source tells"
        )
        return Judgement(Answer.UNKNOWN, f"{protocol} {side} {why}")
    if effective is not Effective.ENABLED:
        return Judgement(Answer.NO, f"{protocol} {side} is {effective.value.replace('_', ' ')}")
    return suites(snapshot, protocol, build)


def suites(snapshot: Snapshot, protocol: str, build: int, certificate: str = cipher_suites.RSA) -> Judgement:
    """Whether a cipher suite is left for a version: one that this Windows knows, that goes with certificates of this
    kind and with the mail servers of today, and that no switch takes away."""
    names = suite_list(snapshot)
    if names == ():
        return Judgement(Answer.UNKNOWN, f"the list of cipher suites is there, but holds no name ({protocol})")
    fitting = [
        suite
        for name in (cipher_suites.SUITES if names is None else names)
        if cipher_suites.knows(build, name)
        and protocol in (suite := cipher_suites.SUITES[name]).protocols
        and suite.fits(certificate)
    ]
    if not fitting:
        return Judgement(
            Answer.NO,
            f"no name in the list of cipher suites is one for {protocol} that {windows_name(build)} knows, with AES, "
            f"and for {certificate} certificates",
        )
    off: dict[str, None] = {}
    doubts: dict[str, None] = {}
    for suite in fitting:
        states = {shown: _is_on(snapshot, setting) for shown, setting in _switches(suite).items()}
        if protocol == "TLS 1.2" and suite.hash == "SHA" and not _is_on(snapshot, _PRF):
            states[rf"Hashes\{_TLS12_HASH}"] = None
        if False in states.values():
            off.update(dict.fromkeys(shown for shown, state in states.items() if state is False))
        elif None in states.values():
            doubts.update(dict.fromkeys(shown for shown, state in states.items() if state is None))
        else:
            return Judgement(Answer.YES)
    if doubts:
        return Judgement(
            Answer.UNKNOWN,
            f"no source tells whether {protocol} has a cipher suite with AES while {_and(doubts)} is as set",
        )
    return Judgement(Answer.NO, f"without {_and(off)} no cipher suite with AES is left for {protocol}")


def suite_list(snapshot: Snapshot) -> tuple[str, ...] | None:
    """The names of the list that Windows takes, the policy's before the local one; None where none is set or read."""
    for setting in SUITE_LISTS:
        value = snapshot.values.get(setting, ABSENT)
        if value.present:
            return suites_of(value)
    return None


def unknown_names(snapshot: Snapshot, build: int) -> list[str]:
    """The names in the list that mean nothing to this Windows."""
    return [name for name in suite_list(snapshot) or () if not cipher_suites.knows(build, name)]


def _is_on(snapshot: Snapshot, setting: Setting) -> bool | None:
    """A switch is on unless it is 0; None where it has a type that no source explains."""
    value = snapshot.values.get(setting, ABSENT)
    return None if value.present and value.type is not Type.REG_DWORD else value.data != 0


def narrows(before: Snapshot, after: Snapshot) -> bool:
    """Whether a change may take cipher suites away: another list, or a switch that is not on afterwards."""

    def values(setting: Setting) -> tuple[Value, Value]:
        return before.values.get(setting, ABSENT), after.values.get(setting, ABSENT)

    changed = [setting for setting in (*SUITE_LISTS, *SWITCHES) if values(setting)[0] != values(setting)[1]]
    return any(setting in SUITE_LISTS or not _is_on(after, setting) for setting in changed)


def _and(names: t.Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
