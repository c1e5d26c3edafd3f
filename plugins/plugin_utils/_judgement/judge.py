# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Holds a snapshot against the rules of a policy. Pure."""

from __future__ import annotations

import typing as t

from .._policy.findings import Finding, Status
from .._policy.rules import ExchangeVersion, Policy, Rule
from .._schannel.protocols import PROTOCOLS, SIDES, VALUE_NAMES, Effective, State, os_default, windows_name
from .._schannel.snapshot import Snapshot
from .._schannel.values import ABSENT, Type, show

# What each state asks Windows to do, for telling "right by default" from "wrong".
_WANTED_EFFECT = {
    "enabled": frozenset({Effective.ENABLED}),
    "disabled": frozenset({Effective.DISABLED, Effective.UNSUPPORTED}),
}


def judge(
    policy: Policy, snapshot: Snapshot, build: int, exchange: ExchangeVersion | None = None
) -> tuple[Finding, ...]:
    """One finding for each rule, in the order of the policy."""
    return tuple(_judge_rule(rule, snapshot, build, exchange) for rule in policy.rules)


def may_be_on(snapshot: Snapshot, protocol: str, side: str, build: int) -> bool:
    """Whether Windows has a protocol on by its own default, or somebody has set what may turn it on."""
    values = snapshot.side(protocol, side)
    if os_default(protocol, side, build) is Effective.ENABLED:
        return values.effective(protocol, side, build) is not Effective.DISABLED
    return values.effective(protocol, side, build) is not Effective.UNSUPPORTED and values.state in (
        State.ENABLED,
        State.UNKNOWN,
    )


def protocols_result(snapshot: Snapshot, build: int) -> dict[str, t.Any]:
    """The ``protocols`` part of the results: raw values, state and effective state of every side."""
    return {protocol: {side: _side_result(snapshot, protocol, side, build) for side in SIDES} for protocol in PROTOCOLS}


def _side_result(snapshot: Snapshot, protocol: str, side: str, build: int) -> dict[str, t.Any]:
    values = snapshot.side(protocol, side)
    raw = dict(zip(VALUE_NAMES, (values.enabled, values.disabled_by_default), strict=True))
    return {
        **{name: value.as_result() for name, value in raw.items()},
        "state": values.state.value,
        "effective": values.effective(protocol, side, build).value,
    }


def _judge_rule(rule: Rule, snapshot: Snapshot, build: int, exchange: ExchangeVersion | None) -> Finding:
    not_here = rule.applies.reason_not(build, exchange)
    # nobody reads what does not apply
    actual = ABSENT if not_here else snapshot.value(rule.setting)
    effective = default = None
    if rule.protocol and rule.side:
        # the protocols are always read, whatever applies
        effective = snapshot.side(rule.protocol, rule.side).effective(rule.protocol, rule.side, build)
        default = os_default(rule.protocol, rule.side, build)
    where = show(rule.setting.key, rule.setting.name)
    if rule.protocol:
        where = f"{rule.protocol} {rule.side} {rule.setting.name}"
    windows = windows_name(build)

    def finding(status: Status, message: str, severity: str = rule.severity) -> Finding:
        wrong = status in (Status.NONCOMPLIANT, Status.NOT_CONFIGURED)
        return Finding(
            id=rule.id,
            title=rule.title,
            severity=severity,
            status=status,
            message=f"{where} {message}",
            why=rule.why,
            source=rule.source,
            setting=rule.setting,
            protocol=rule.protocol,
            side=rule.side,
            expected=rule.desired.value,
            actual=actual,
            effective=effective,
            write=rule.desired.to_write(actual) if wrong else None,
        )

    if not_here:
        return finding(Status.NOT_APPLICABLE, f"does not matter: {not_here}.", "info")
    # nothing is made for what Windows does not have; a value that is there and says the contrary is put right
    if default is Effective.UNSUPPORTED and (rule.state == "enabled" or not actual.present):
        return finding(Status.NOT_APPLICABLE, f"does not matter: {windows} does not have {rule.protocol}.", "info")
    should = f"it should be {rule.desired.value}"
    if rule.applies.is_open(exchange) and not rule.desired.accepts(actual):
        return finding(
            Status.UNKNOWN,
            f"is {actual}. Whether it should be {rule.desired.value} depends on the version of Exchange, which cannot "
            "be read.",
        )
    if actual.problem is not None:
        return finding(Status.UNKNOWN, f"is {actual}. Whether it is right cannot be told; {should}.")
    if rule.desired.accepts(actual):
        exactly = "" if actual == rule.desired.value else f", which is as good as {rule.desired.value}"
        return finding(Status.COMPLIANT, f"is {actual}, as it should be{exactly}.", "info")
    if rule.only_where_on and rule.protocol and rule.side and not may_be_on(snapshot, rule.protocol, rule.side, build):
        return finding(Status.NOT_APPLICABLE, f"does not matter: {rule.protocol} {rule.side} is not on.", "info")
    if not actual.present:
        if rule.state and effective in _WANTED_EFFECT.get(rule.state, ()):
            return finding(
                Status.NOT_CONFIGURED,
                f"is not set; {windows} does the right thing by default or by the other value, but {should} so that "
                "nothing is left to a default.",
                "low",
            )
        return finding(Status.NOT_CONFIGURED, f"is not set; {should}. {rule.why}")
    wanted_type = rule.desired.value.type
    if wanted_type is not None and actual.type is not wanted_type and actual.type is not Type.OTHER:
        return finding(
            Status.NONCOMPLIANT,
            f"is {actual}, a value of the wrong type; {should}. What Windows makes of another type is not documented.",
        )
    return finding(Status.NONCOMPLIANT, f"is {actual}; {should}. {rule.why}")
