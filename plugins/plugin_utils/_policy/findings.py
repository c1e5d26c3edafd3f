# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What an audit finds: one thing each, for people and for programs."""

from __future__ import annotations

import dataclasses
import enum
import typing as t

from .._schannel.protocols import Effective
from .._schannel.snapshot import Setting
from .._schannel.values import Value, full_path


class Status(str, enum.Enum):
    """How something stands against the policy; in results, its word."""

    COMPLIANT = "compliant"
    NONCOMPLIANT = "noncompliant"
    NOT_CONFIGURED = "not_configured"  # absent, although a value is asked for
    UNKNOWN = "unknown"  # it cannot be told, and the message says why
    NOT_APPLICABLE = "not_applicable"  # the policy does not ask about it, or this server does not have it
    WAIVED = "waived"  # it violates the policy, and a waiver that has not expired says that this is accepted

    def __str__(self) -> str:
        # of itself, Python 3.10 and later ones say something else
        return str(self.value)


VIOLATIONS = frozenset({Status.NONCOMPLIANT, Status.NOT_CONFIGURED})
# What makes a host as a whole not compliant: what nobody could look at is no proof.
OPEN = VIOLATIONS | {Status.UNKNOWN}


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing held against the policy.

    ``expected`` is what the policy asks for, ``write`` what would be written (None for nothing), ``setting`` the value
    it is about (its name is empty where it is about a key).
    """

    id: str
    title: str
    severity: str  # high, medium, low; info where nothing is wrong
    status: Status
    message: str
    why: str
    source: str
    setting: Setting
    protocol: str | None = None
    side: str | None = None
    expected: Value | None = None
    actual: Value | None = None
    effective: Effective | None = None
    write: Value | None = None
    waiver: str | None = None

    @property
    def violates(self) -> bool:
        return self.status in VIOLATIONS

    def as_result(self) -> dict[str, t.Any]:
        def shown(value: Value | None) -> dict[str, t.Any] | None:
            return None if value is None else value.as_result()

        return {
            "id": self.id,
            "title": self.title,
            "severity": self.severity,
            "status": self.status.value,
            "protocol": self.protocol,
            "side": self.side,
            "key": full_path(self.setting.key),
            "value": self.setting.name or None,
            "expected": shown(self.expected),
            "actual": shown(self.actual),
            "effective": self.effective.value if self.effective else None,
            "message": self.message,
            "why": self.why,
            "source": self.source,
            "would_write": shown(self.write),
            "waiver": self.waiver,
        }


def compliant(findings: t.Iterable[Finding]) -> bool:
    return not any(finding.status in OPEN for finding in findings)
