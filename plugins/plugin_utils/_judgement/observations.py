# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What is odd about the SCHANNEL protocols of a host, whether the policy asks about them or not. Pure.

Each oddity is a finding of its own. It violates the policy only where the policy asks for every value concerned, so
that making the host compliant also ends it; otherwise it is there for people to see.
"""

from __future__ import annotations

import typing as t

from .._policy.findings import Finding, Status
from .._policy.rules import Policy
from .._policy.subjects import TLS_REGISTRY, word
from .._schannel.protocols import DISABLED_BY_DEFAULT, ENABLED, PROTOCOLS, SIDES, VALUE_NAMES, Effective, protocol_key
from .._schannel.snapshot import Setting, Snapshot, protocol_setting
from .._schannel.values import Type, Value, dword

_HEALTHCHECKER = "CSS-Exchange HealthChecker, TLS configuration check"


# Stock servers up to 2016 are reported to have this one value, and it does no harm: it is not called odd.
_SHIPPED = {protocol_setting("SSL 2.0", "Client", DISABLED_BY_DEFAULT): dword(1)}


# What Windows makes of a number that is neither 0 nor 1.
_ANY_NUMBER = {
    ENABLED: "Windows takes any number but 0 as on",
    DISABLED_BY_DEFAULT: "Windows takes any number but 0 as a wish to leave the version out of its default offer",
}


def observe(policy: Policy, judged: t.Iterable[Finding], snapshot: Snapshot, build: int) -> tuple[Finding, ...]:
    """The oddities, by protocol and side. ``judged``: what became of the rules of the policy, waivers applied."""
    return tuple(_all(policy, judged, snapshot, build))


def _all(policy: Policy, judged: t.Iterable[Finding], snapshot: Snapshot, build: int) -> t.Iterator[Finding]:
    # what is not asked of this host, or waived, is never written: nothing would end an oddity there
    managed = {item.setting for item in judged if item.status not in (Status.NOT_APPLICABLE, Status.WAIVED)}
    for protocol in PROTOCOLS:
        for side in SIDES:
            settings = [protocol_setting(protocol, side, name) for name in VALUE_NAMES]
            values = {setting: snapshot.value(setting) for setting in settings}
            for setting, value in values.items():
                yield from _odd_value(protocol, side, setting, value, setting in managed)
            present = [setting for setting in settings if values[setting].present]
            if len(present) == 1 and _SHIPPED.get(present[0]) != values[present[0]]:
                missing = settings[1 - settings.index(present[0])]
                yield _finding(
                    f"{word(protocol)}.{side.lower()}.half_configured",
                    f"{protocol} {side} is half configured",
                    "low",
                    f"{protocol} {side} has {present[0].name} but no {missing.name}: what the other one would be is "
                    "left to Windows.",
                    missing,
                    set(settings) <= managed,
                    protocol=protocol,
                    side=side,
                    source=TLS_REGISTRY,
                )
        yield from _between_sides(protocol, snapshot, build, managed, policy)


def _odd_value(protocol: str, side: str, setting: Setting, value: Value, managed: bool) -> t.Iterator[Finding]:
    where = f"{protocol} {side} {setting.name}"
    prefix = f"{word(protocol)}.{side.lower()}.{setting.name.lower()}"
    if value.problem is not None:
        return  # that is a finding of its own
    if value.present and value.type is not Type.REG_DWORD:
        yield _finding(
            f"{prefix}.wrong_type",
            f"{where} has the wrong type",
            "medium",
            f"{where} is {value}. Only a REG_DWORD is documented; what Windows makes of another type nobody says, so "
            "the state is unknown.",
            setting,
            managed,
            actual=value,
            protocol=protocol,
            side=side,
            source=TLS_REGISTRY,
        )
    elif value.present and value.data not in (0, 1):
        # the rules accept any number but 0 where 1 is asked for, so it need not be changed
        yield _finding(
            f"{prefix}.nonstandard",
            f"{where} is neither 0 nor 1",
            "low",
            f"{where} is {value}. {_ANY_NUMBER[setting.name]}, but 1 is the documented value, and some programs "
            "accept no other.",
            setting,
            False,
            actual=value,
            protocol=protocol,
            side=side,
            source=TLS_REGISTRY,
        )


def _between_sides(
    protocol: str, snapshot: Snapshot, build: int, managed: set[Setting], policy: Policy
) -> t.Iterator[Finding]:
    client, server = (snapshot.side(protocol, side) for side in SIDES)
    configured = [side for side in SIDES if _configured(protocol, side, snapshot)]
    settings = {protocol_setting(protocol, side, name) for side in SIDES for name in VALUE_NAMES}
    asked = {rule.side: rule.state for rule in policy.rules if rule.protocol == protocol}
    # a policy that sets the sides apart wants them to differ
    fixed_by_policy = settings <= managed and len(set(asked.values())) == 1
    if len(configured) == 1:
        other = SIDES[1 - SIDES.index(configured[0])]
        yield _finding(
            f"{word(protocol)}.one_side",
            f"{protocol} is configured on one side only",
            "low",
            f"{protocol} is configured for {configured[0]} but not for {other}: one of the two directions is "
            f"left to Windows.",
            protocol_setting(protocol, other, ENABLED),
            fixed_by_policy,
            protocol=protocol,
            source=_HEALTHCHECKER,
        )
    effects = [values.effective(protocol, side, build) for side, values in zip(SIDES, (client, server), strict=True)]
    decided = {Effective.ENABLED, Effective.DISABLED, Effective.DISABLED_BY_DEFAULT}
    if configured and effects[0] is not effects[1] and set(effects) <= decided:
        yield _finding(
            f"{word(protocol)}.mismatch",
            f"{protocol} differs between the sides",
            "medium",
            f"{protocol} is {effects[0].value.replace('_', ' ')} for Client and {effects[1].value.replace('_', ' ')} "
            "for Server: mail goes one way with it and not the other.",
            Setting(protocol_key(protocol), DISABLED_BY_DEFAULT),
            fixed_by_policy,
            protocol=protocol,
            source=_HEALTHCHECKER,
        )


def _configured(protocol: str, side: str, snapshot: Snapshot) -> bool:
    """Whether somebody has set something there; what Windows comes with does not count."""
    settings = (protocol_setting(protocol, side, name) for name in VALUE_NAMES)
    return any(
        snapshot.value(setting).present and snapshot.value(setting) != _SHIPPED.get(setting) for setting in settings
    )


def _finding(
    identity: str,
    title: str,
    severity: str,
    message: str,
    setting: Setting,
    violates: bool,
    **more: t.Any,
) -> Finding:
    return Finding(
        id=identity,
        title=title,
        severity=severity,
        status=Status.NONCOMPLIANT if violates else Status.NOT_APPLICABLE,
        message=message,
        why="Settings that are not plain are read differently by different programs and people.",
        setting=setting,
        **more,
    )
