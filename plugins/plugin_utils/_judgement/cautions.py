# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What people should know of a host although the policy does not ask: old protocols that somebody has switched on, and
cipher suites whose names mean nothing to this Windows. Pure."""

from __future__ import annotations

import typing as t

from .._policy.findings import VIOLATIONS, Finding, Status
from .._policy.rules import Policy
from .._policy.subjects import TLS_REGISTRY, word
from .._schannel.protocols import (
    ENABLED,
    OLD_PROTOCOLS,
    SIDES,
    VALUE_NAMES,
    Effective,
    Side,
    State,
    os_default,
    windows_name,
)
from .._schannel.snapshot import Setting, Snapshot, protocol_setting
from .._schannel.values import ABSENT
from . import usable

# What nobody has any use for; the others may still be waiting for the second phase.
_WORST = ("PCT 1.0", "SSL 2.0", "SSL 3.0")


def cautions(policy: Policy, judged: t.Iterable[Finding], snapshot: Snapshot, build: int) -> tuple[Finding, ...]:
    """``judged``: what became of the rules of the policy, waivers applied."""
    status = {item.setting: item.status for item in judged}
    return (*_switched_on(status, snapshot, build), *_unknown_suites(policy, snapshot, build))


def _switched_on(status: t.Mapping[Setting, Status], snapshot: Snapshot, build: int) -> t.Iterator[Finding]:
    for protocol in OLD_PROTOCOLS:
        for side in SIDES:
            values = snapshot.side(protocol, side)
            of_rules = {status.get(protocol_setting(protocol, side, name)) for name in VALUE_NAMES}
            # what is waived is told already, with the reason why it stays
            if not _by_hand(values, protocol, side, build) or Status.WAIVED in of_rules:
                continue
            yield Finding(
                id=f"{word(protocol)}.{side.lower()}.switched_on",
                title=f"{protocol} ({side}) was switched on by hand",
                severity="high" if protocol in _WORST else "medium",
                # it counts against the host only where the same policy ends it
                status=Status.NOT_APPLICABLE if VIOLATIONS.isdisjoint(of_rules) else Status.NONCOMPLIANT,
                message=f"{protocol} {side} was switched on by hand: {_shown(snapshot, protocol, side)}. "
                "No current mail system needs it.",
                why="It has known weaknesses, and a default of Windows did not bring it back.",
                source=TLS_REGISTRY,
                setting=protocol_setting(protocol, side, ENABLED),
                protocol=protocol,
                side=side,
                actual=values.enabled,
                effective=values.effective(protocol, side, build),
            )


def _by_hand(values: Side, protocol: str, side: str, build: int) -> bool:
    """Whether it is on, or may be, by what is set. DisabledByDefault=0 alone adds nothing to a default that is on."""
    default = os_default(protocol, side, build)
    if default is Effective.UNSUPPORTED or values.state is not State.ENABLED:
        return False
    return values.enabled.present or default is not Effective.ENABLED


def _shown(snapshot: Snapshot, protocol: str, side: str) -> str:
    values = ((name, snapshot.value(protocol_setting(protocol, side, name))) for name in VALUE_NAMES)
    return ", ".join(f"{name} is {value}" for name, value in values if value.present)


def _unknown_suites(policy: Policy, snapshot: Snapshot, build: int) -> t.Iterator[Finding]:
    places = [rule.setting for rule in policy.rules if rule.setting in usable.SUITE_LISTS]
    unknown = usable.unknown_names(snapshot, build) if places else []
    if unknown:
        yield Finding(
            id="cipher_suites.unknown",
            title="Cipher suites that this Windows does not know",
            severity="low",
            status=Status.NOT_APPLICABLE,
            message=f"{windows_name(build)} does not know these names in its list of cipher suites and passes over "
            f"them: {', '.join(unknown)}.",
            why="A name that means nothing gives no protection; where no name means anything, no handshake succeeds.",
            source="Microsoft, Cipher Suites in TLS/SSL (Schannel SSP)",
            setting=places[0],
            actual=snapshot.values.get(places[0], ABSENT),
        )
