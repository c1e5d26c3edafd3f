# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The guard between the two phases: old TLS goes off only after TLS 1.2 is on, in effect, and used by .NET. Pure."""

from __future__ import annotations

import datetime
import typing as t

from ._errors import ExchangeTlsError
from ._pending import Note
from ._registry import ABSENT
from ._rules import Policy, Rule
from ._schannel import OLD_PROTOCOLS, SIDES, VALUE_NAMES, Effective, protocol_key
from ._snapshot import Setting, Snapshot
from ._subjects import dotnet
from ._windows import booted_again

OFF = (Effective.DISABLED, Effective.DISABLED_BY_DEFAULT, Effective.UNSUPPORTED)
_STRONG = "strong"


class PhaseRefused(ExchangeTlsError):
    """Turning old TLS off would cut the server off; nothing was changed."""

    kind = "phase_refused"


def also_needed(policy: Policy) -> tuple[Rule, ...]:
    """What must be read besides the policy's own settings, to judge whether old TLS may go off: .NET 4."""
    if not any(rule.protocol in OLD_PROTOCOLS and rule.state != "enabled" for rule in policy.rules):
        return ()
    subject = dotnet("v4")
    asked = {rule.setting for rule in policy.rules}
    return tuple(
        Rule(f"{subject.id}.{item.name}", subject.title, "high", item.setting, item.desired, subject.source, "")
        for item in subject.states[_STRONG]
        if item.setting not in asked
    )


def turned_off(before: Snapshot, after: Snapshot, build: int) -> list[str]:
    """The old protocols and sides that a change would turn off, as people call them."""
    return [
        f"{protocol} {side}"
        for protocol in OLD_PROTOCOLS
        for side in SIDES
        if _goes_off(*(item.side(protocol, side).effective(protocol, side, build) for item in (before, after)))
    ]


def _goes_off(before: Effective, after: Effective) -> bool:
    """A version that is only out of the default offer is still there for programs that ask for it."""
    if after is Effective.DISABLED:
        return before not in (Effective.DISABLED, Effective.UNSUPPORTED)
    return before not in OFF and after in OFF


def in_effect(snapshot: Snapshot, note: Note | None, unreadable: bool, last_boot: datetime.datetime) -> bool:
    """Whether what TLS 1.2 and .NET 4 need is as it was when Windows started. Other changes may wait for a restart."""
    if unreadable:
        return False
    if note is None or booted_again(note.boot, last_boot):
        return True
    needed = {Setting(protocol_key("TLS 1.2", side), name) for side in SIDES for name in VALUE_NAMES}
    needed |= {item.setting for item in dotnet("v4").states[_STRONG]}
    return all(snapshot.values.get(setting, was) == was for setting, was in note.at_boot.items() if setting in needed)


def check(
    before: Snapshot,
    after: Snapshot,
    build: int,
    *,
    in_effect: bool,
    handshakes: t.Mapping[str, t.Any] | None,
    force: bool,
) -> str | None:
    """Raises :class:`PhaseRefused` where the change would turn TLS 1.2 off, or old TLS before TLS 1.2 is proven.

    Returns a warning where ``force`` has overruled the second; nothing overrules the first.
    """
    for side in SIDES:
        states = [item.side("TLS 1.2", side).effective("TLS 1.2", side, build) for item in (before, after)]
        if states[0] not in OFF and states[1] in OFF:
            raise PhaseRefused(
                f"This would turn TLS 1.2 {side} off on this Windows; nothing was changed. Exchange SMTP has no TLS "
                "1.3, so nothing would be left to send and receive mail with."
            )
    going = turned_off(before, after, build)
    missing = list(_missing(before, build, in_effect, handshakes)) if going else []
    if not missing:
        return None
    reason = f"{', '.join(going)} would be turned off although " + "; and ".join(missing)
    if force:
        return f"FORCED: {reason}. Mail may stop at the next restart."
    raise PhaseRefused(
        f"Refused, nothing was changed: {reason}. Run enforce-tls12.yml first (it writes, restarts and verifies TLS "
        "1.2), then try again. 'force' overrules this at your own risk."
    )


def _missing(
    before: Snapshot, build: int, in_effect: bool, handshakes: t.Mapping[str, t.Any] | None
) -> t.Iterator[str]:
    for side in SIDES:
        effective = before.side("TLS 1.2", side).effective("TLS 1.2", side, build)
        if effective is not Effective.ENABLED:
            yield f"TLS 1.2 {side} is {effective.value.replace('_', ' ')}"
    if not in_effect:
        yield "a restart is pending, so that the settings are not in effect"
    items = dotnet("v4").states[_STRONG]
    weak = [item for item in items if not item.desired.accepts(before.values.get(item.setting, ABSENT))]
    if weak:
        names = ", ".join(dict.fromkeys(item.setting.name for item in weak))
        yield f".NET 4 would go on with old TLS ({len(weak)} of {len(items)} values are not 1: {names})"
    for endpoint in (handshakes or {}).get("endpoints", ()):
        if endpoint["versions"].get("TLS 1.2", {}).get("accepted") is False:
            yield f"{endpoint['endpoint']} does not accept TLS 1.2"
