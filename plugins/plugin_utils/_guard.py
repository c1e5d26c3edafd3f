# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The guard between the two phases: old TLS goes off only after TLS 1.2 is on, in effect, and used by .NET. Pure."""

from __future__ import annotations

import typing as t

from ._errors import ExchangeTlsError, OptionError
from ._registry import ABSENT
from ._rules import Policy, Rule
from ._schannel import OLD_PROTOCOLS, SIDES, VALUE_NAMES, Effective, protocol_key
from ._snapshot import Setting, Snapshot
from ._subjects import dotnet

TLS12 = "TLS 1.2"
# How much of a protocol there is. DISABLED_BY_DEFAULT leaves it to programs that ask for it.
_RANK = {Effective.ENABLED: 2, Effective.DISABLED_BY_DEFAULT: 1, Effective.DISABLED: 0, Effective.UNSUPPORTED: 0}
_DOTNET = dotnet("v4").states["strong"]
# What the second phase builds on.
FOUNDATION = frozenset(
    (
        *(Setting(protocol_key(TLS12, side), name) for side in SIDES for name in VALUE_NAMES),
        *(item.setting for item in _DOTNET),
    )
)


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
        for item in _DOTNET
        if item.setting not in asked
    )


def turned_off(before: Snapshot, after: Snapshot, build: int) -> list[str]:
    """The old protocols and sides that a change would turn off, or perhaps, as people call them."""
    return [
        f"{protocol} {side}"
        for protocol in OLD_PROTOCOLS
        for side in SIDES
        if _is_less(_effective(before, protocol, side, build), _effective(after, protocol, side, build))
    ]


def _effective(snapshot: Snapshot, protocol: str, side: str, build: int) -> Effective:
    return snapshot.side(protocol, side).effective(protocol, side, build)


def _is_less(before: Effective, after: Effective) -> bool:
    """Whether there is less of a protocol than before; where one of the two is not known, whether there may be."""
    return _RANK.get(before, 2) > _RANK.get(after, 0) and before is not after


def check(
    before: Snapshot,
    after: Snapshot,
    build: int,
    *,
    waiting: t.Collection[Setting] | None,
    handshakes: t.Mapping[str, t.Any] | None,
    force: bool,
) -> str | None:
    """Raises :class:`PhaseRefused` where the change would turn TLS 1.2 off, or old TLS before TLS 1.2 is proven.

    ``waiting``: the settings that are written and not in effect, None where that is not known. Returns a warning where
    ``force`` has overruled the second; nothing overrules the first.
    """
    for side in SIDES:
        states = [_effective(item, TLS12, side, build) for item in (before, after)]
        if _is_less(*states):
            unknown = states[1] is Effective.UNKNOWN
            what = f"leave TLS 1.2 {side} to a default that no source tells" if unknown else f"turn TLS 1.2 {side} off"
            raise PhaseRefused(
                f"This would {what} on this Windows; nothing was changed. Exchange SMTP has no TLS 1.3, so nothing "
                "would be left to send and receive mail with."
            )
    going = turned_off(before, after, build)
    missing = list(_missing(before, build, waiting, handshakes)) if going else []
    if not missing:
        return None
    reason = f"{', '.join(going)} would be turned off although " + "; and ".join(missing)
    if force:
        return f"FORCED: {reason}. Mail may stop at the next restart."
    raise PhaseRefused(
        f"Refused, nothing was changed: {reason}. Run enforce-tls12.yml first (it writes, restarts and verifies "
        "TLS 1.2), then try again. 'force' overrules this at your own risk."
    )


def check_handshakes(handshakes: t.Mapping[str, t.Any] | None) -> None:
    """Raises :class:`OptionError` where they are no result of tls_handshake_info."""
    try:
        list(_refusing(handshakes))
    except (AttributeError, KeyError, TypeError) as exc:
        raise OptionError(
            f"'handshakes' is not a result of tls_handshake_info: {type(exc).__name__}: {exc}. Register one, and give "
            "it as it is."
        ) from None


def _refusing(handshakes: t.Mapping[str, t.Any] | None) -> t.Iterator[str]:
    """The endpoints that were seen to refuse TLS 1.2; none where it could not be tried."""
    for endpoint in (handshakes or {}).get("endpoints", ()):
        if endpoint["versions"].get(TLS12, {}).get("accepted") is False:
            yield str(endpoint["endpoint"])


def _missing(
    before: Snapshot,
    build: int,
    waiting: t.Collection[Setting] | None,
    handshakes: t.Mapping[str, t.Any] | None,
) -> t.Iterator[str]:
    for side in SIDES:
        effective = _effective(before, TLS12, side, build)
        if effective is not Effective.ENABLED:
            yield f"TLS 1.2 {side} is {effective.value.replace('_', ' ')}"
    # old TLS that waits to go off is no obstacle: a run that was cut off is finished by running it again
    if waiting is None or not FOUNDATION.isdisjoint(waiting):
        yield "a restart is pending, so that the settings are not in effect"
    weak = [item for item in _DOTNET if not item.desired.accepts(before.values.get(item.setting, ABSENT))]
    if weak:
        names = ", ".join(dict.fromkeys(item.setting.name for item in weak))
        yield f".NET 4 would go on with old TLS ({len(weak)} of {len(_DOTNET)} values are not 1: {names})"
    for endpoint in _refusing(handshakes):
        yield f"{endpoint} does not accept TLS 1.2"
