# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What is wanted of one registry value: the value, what else counts as right, and where it applies. Pure."""

from __future__ import annotations

import dataclasses
import enum
import typing as t

from .._schannel.snapshot import Setting
from .._schannel.values import Type, Value

SEVERITIES = ("high", "medium", "low")


class Match(enum.Enum):
    """What counts as right besides the very value."""

    EXACT = "exact"
    # Windows reads any number but 0 as "on"; 1 is what is written (docs/reference/schannel.md 2.2)
    NONZERO = "nonzero"
    AT_LEAST = "at_least"
    HAS_BITS = "has_bits"
    # a list of cipher suites, in whichever of its two forms (docs/reference/schannel.md 6.2)
    SUITES = "suites"


@dataclasses.dataclass(frozen=True)
class Desired:
    """What one value should be; ABSENT asks that it is not there."""

    value: Value
    match: Match = Match.EXACT

    def accepts(self, actual: Value) -> bool:
        if actual == self.value:
            return True
        if self.match is Match.SUITES:
            return actual.present and suites_of(actual) == suites_of(self.value)
        if self.match is Match.EXACT or actual.type is not self.value.type:
            return False
        have, want = actual.data, self.value.data
        if not isinstance(have, int) or not isinstance(want, int):
            return False
        if self.match is Match.NONZERO:
            return have != 0
        if self.match is Match.AT_LEAST:
            return have >= want
        return have & want == want

    def to_write(self, actual: Value) -> Value:
        """What to write over the actual value: bits that are set already stay set."""
        if self.match is Match.HAS_BITS and actual.type is self.value.type:
            return Value(self.value.type, t.cast(int, actual.data) | t.cast(int, self.value.data))
        return self.value


def suites_of(value: Value) -> tuple[str, ...]:
    """The cipher suites of a comma-separated text, of a list, or of a list that holds one such text."""
    parts = value.data if isinstance(value.data, tuple) else (value.data,)
    joined = ",".join(part for part in parts if isinstance(part, str))
    return tuple(name.strip().upper() for name in joined.split(",") if name.strip())


# A version of Exchange such as (15, 2, 1748, 10).
ExchangeVersion = tuple[int, ...]
# Stands for the version of an Exchange that is there and does not tell it.
UNREAD_VERSION: t.Final[ExchangeVersion] = ()


@dataclasses.dataclass(frozen=True)
class Applies:
    """Where a rule applies. ``exchange``: the first version that is concerned; None is no condition."""

    min_build: int | None = None
    max_build: int | None = None
    exchange: ExchangeVersion | None = None

    @property
    def needs_exchange(self) -> bool:
        return self.exchange is not None

    def is_open(self, exchange: ExchangeVersion | None) -> bool:
        """Whether nobody can tell if a host is concerned."""
        return self.needs_exchange and exchange == UNREAD_VERSION

    def reason_not(self, build: int, exchange: ExchangeVersion | None) -> str | None:
        """Why a host is not concerned; None where it is, or may be."""
        if self.min_build is not None and build < self.min_build:
            return f"it is for Windows build {self.min_build} and later"
        if self.max_build is not None and build > self.max_build:
            return f"Windows after build {self.max_build} does not use it"
        if self.is_open(exchange):
            return None
        if self.exchange is not None and (exchange is None or exchange < self.exchange):
            wanted = ".".join(map(str, self.exchange))
            found = "no Exchange was found" if exchange is None else f"this is {'.'.join(map(str, exchange))}"
            return f"it is for Exchange {wanted} and later, and {found}"
        return None


EVERYWHERE = Applies()


@dataclasses.dataclass(frozen=True)
class Rule:
    """One setting that is asked for. ``only_where_on``: on the sides only where the protocol is on, or may be."""

    id: str  # stable: people keep it in waivers and reports
    title: str
    severity: str
    setting: Setting
    desired: Desired
    source: str
    why: str
    protocol: str | None = None
    side: str | None = None
    state: str | None = None
    applies: Applies = EVERYWHERE
    only_where_on: bool = False

    @property
    def kind(self) -> Type:
        """The type to read the value as first."""
        return self.desired.value.type or Type.REG_DWORD


@dataclasses.dataclass(frozen=True)
class Policy:
    """The rules of a task, one for each setting. ``cipher_suites``: the order asked for, whose place depends on the
    host."""

    rules: tuple[Rule, ...]
    cipher_suites: tuple[str, ...] = ()

    @property
    def protocols(self) -> frozenset[str]:
        """The protocols that some rule is about."""
        return frozenset(rule.protocol for rule in self.rules if rule.protocol)

    @property
    def needs_exchange(self) -> bool:
        return any(rule.applies.needs_exchange for rule in self.rules)
