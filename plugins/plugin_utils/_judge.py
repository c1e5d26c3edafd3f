# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Holds a snapshot against a policy: findings. Pure."""

from __future__ import annotations

import dataclasses
import enum
import typing as t

from ._policy import Policy, Rule
from ._registry import Type, Value, show
from ._schannel import PROTOCOLS, SIDES, VALUE_NAMES, Effective, generation, os_default
from ._snapshot import Snapshot


class Status(enum.Enum):
    """How a setting stands against the policy."""

    COMPLIANT = "compliant"
    NONCOMPLIANT = "noncompliant"
    NOT_CONFIGURED = "not_configured"  # absent, although a value is asked for
    NOT_APPLICABLE = "not_applicable"  # this Windows does not have what the rule is about


# What makes a host as a whole not compliant.
VIOLATIONS = frozenset({Status.NONCOMPLIANT, Status.NOT_CONFIGURED})

# What each state asks Windows to do, for telling "right by default" from "wrong".
_WANTED_EFFECT = {
    "enabled": frozenset({Effective.ENABLED}),
    "disabled": frozenset({Effective.DISABLED, Effective.UNSUPPORTED}),
}


@dataclasses.dataclass(frozen=True)
class Finding:
    """One setting held against one rule."""

    rule: Rule
    actual: Value
    effective: Effective | None
    status: Status
    severity: str
    message: str

    @property
    def violates(self) -> bool:
        return self.status in VIOLATIONS

    def as_result(self) -> dict[str, t.Any]:
        rule = self.rule
        return {
            "id": rule.id,
            "title": rule.title,
            "severity": self.severity,
            "status": self.status.value,
            "protocol": rule.protocol,
            "side": rule.side,
            "key": show(rule.setting.key),
            "value": rule.setting.name,
            "expected": rule.desired.value.as_result(),
            "actual": self.actual.as_result(),
            "effective": self.effective.value if self.effective else None,
            "message": self.message,
            "source": rule.source,
        }


def judge(policy: Policy, snapshot: Snapshot, build: int) -> tuple[Finding, ...]:
    """One finding for each rule, in the order of the policy."""
    return tuple(_judge_rule(rule, snapshot, build) for rule in policy.rules)


def compliant(findings: t.Iterable[Finding]) -> bool:
    return not any(finding.violates for finding in findings)


def protocols_result(snapshot: Snapshot, build: int) -> dict[str, t.Any]:
    """The ``protocols`` part of the results: raw values, state and effective state of every side."""
    return {protocol: {side: _side_result(snapshot, protocol, side, build) for side in SIDES} for protocol in PROTOCOLS}


def _side_result(snapshot: Snapshot, protocol: str, side: str, build: int) -> dict[str, t.Any]:
    values = snapshot.side(protocol, side)
    raw = dict(zip(VALUE_NAMES, (values.enabled, values.disabled_by_default), strict=False))
    return {
        **{name: value.as_result() for name, value in raw.items()},
        "state": values.state.value,
        "effective": values.effective(protocol, side, build).value,
    }


def _judge_rule(rule: Rule, snapshot: Snapshot, build: int) -> Finding:
    actual = snapshot.value(rule.setting)
    effective = default = None
    if rule.protocol and rule.side:
        effective = snapshot.side(rule.protocol, rule.side).effective(rule.protocol, rule.side, build)
        default = os_default(rule.protocol, rule.side, build)
    where = (
        f"{rule.protocol} {rule.side} {rule.setting.name}"
        if rule.protocol
        else show(rule.setting.key, rule.setting.name)
    )
    windows = f"Windows Server {generation(build)}" if generation(build) else f"Windows build {build}"

    def finding(status: Status, message: str, severity: str = rule.severity) -> Finding:
        return Finding(rule, actual, effective, status, severity, f"{where} {message}")

    if default is Effective.UNSUPPORTED and (rule.state == "enabled" or not actual.present):
        return finding(Status.NOT_APPLICABLE, f"does not matter: {windows} does not have {rule.protocol}.", "info")
    if rule.desired.accepts(actual):
        if actual == rule.desired.value:
            return finding(Status.COMPLIANT, f"is {actual}, as it should be.", "info")
        return finding(
            Status.COMPLIANT,
            f"is {actual}: Windows takes any number but 0 as on, but {rule.desired.value} is the documented value "
            "and some programs accept no other.",
            "low",
        )
    should = f"it should be {rule.desired.value}"
    if not actual.present:
        if rule.state and effective in _WANTED_EFFECT.get(rule.state, ()):
            return finding(
                Status.NOT_CONFIGURED,
                f"is not set; {windows} does the right thing by default or by the other value, but {should} so that "
                "nothing is left to a default.",
                "low",
            )
        return finding(Status.NOT_CONFIGURED, f"is not set; {should}. {rule.why}")
    if rule.desired.value.present and actual.type is not rule.desired.value.type and actual.type is not Type.OTHER:
        return finding(
            Status.NONCOMPLIANT,
            f"is {actual}, a value of the wrong type; {should}. What Windows makes of another type is not documented.",
        )
    return finding(Status.NONCOMPLIANT, f"is {actual}; {should}. {rule.why}")
