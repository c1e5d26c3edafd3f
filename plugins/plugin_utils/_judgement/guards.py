# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The guard: nothing takes the last usable TLS version away, and old TLS goes off only after TLS 1.2 is on, in effect,
used by .NET, and proven where that is asked for. Pure."""

from __future__ import annotations

import typing as t

from .._errors import ExchangeTlsError
from .._policy.rules import Desired, Policy, Rule
from .._policy.subjects import TLS_REGISTRY, dotnet
from .._schannel import cipher_suites
from .._schannel.protocols import (
    OLD_PROTOCOLS,
    SIDES,
    TLS12,
    VALUE_NAMES,
    WHY_TLS12_STAYS,
    Effective,
    State,
    windows_name,
)
from .._schannel.snapshot import Setting, Snapshot, protocol_setting
from .._schannel.values import ABSENT, Type, Value
from .._text import NAME, visible
from . import proof, usable
from .handshakes import shown_ec
from .proof import FIRST_PHASE
from .usable import Answer

# How much of a protocol there is. DISABLED_BY_DEFAULT leaves it to programs that ask for it.
_RANK = {Effective.ENABLED: 2, Effective.DISABLED_BY_DEFAULT: 1, Effective.DISABLED: 0, Effective.UNSUPPORTED: 0}
_DOTNET = dotnet("v4").states["strong"]
# What .NET asks for without them.
_OF_OLD_DOTNET = ("TLS 1.0", "TLS 1.1")
# What the second phase builds on.
FOUNDATION = frozenset(
    (
        *(protocol_setting(TLS12, side, name) for side in SIDES for name in VALUE_NAMES),
        *(item.setting for item in _DOTNET),
    )
)
_SUITES_CURE = (
    "Leave at least one suite for TLS 1.2 with AES that this Windows knows and that fits the server's certificate, "
    "which is of the kind RSA unless you chose another."
)
_ECDSA_CURE = (
    "Leave a suite with ECDHE_ECDSA and AES for it as well, or give the service a certificate of the kind RSA."
)
# Endpoints that a message names.
_NAMED = 5
_ORDER = "Backups are put back in their turn: roll back the changes that were made after this one first, newest first."
_AND = "; and "
_FORCE = "To do it all the same, at your own risk, set 'force' (tls12_force in the role)."

# What is in the way of a change, and what to do about it.
Objection = tuple[str, str]


class PhaseRefused(ExchangeTlsError):
    """The change would cut the server off, or might; nothing was changed."""

    kind = "phase_refused"


# --- what must be read for it ----------------------------------------------------------------------------------------


def also_needed(policy: Policy) -> tuple[Rule, ...]:
    """What must be read besides the policy's own settings: .NET 4 where old TLS may go off, and all that decides over
    the cipher suites where the policy may take some away."""
    asked = {rule.setting for rule in policy.rules}
    found: list[Rule] = []
    if any(rule.protocol in OLD_PROTOCOLS and rule.state != "enabled" for rule in policy.rules):
        subject = dotnet("v4")
        found += (
            Rule(f"{subject.id}.{item.name}", subject.title, "high", item.setting, item.desired, subject.source, "")
            for item in _DOTNET
        )
    found += (
        Rule("cipher_suites", "Cipher suites", "high", setting, Desired(value), TLS_REGISTRY, "")
        for setting, value in _suites_needed(asked if not policy.cipher_suites else usable.SUITE_LISTS)
    )
    return tuple(rule for rule in found if rule.setting not in asked)


def rollback_needs(settings: t.Collection[Setting]) -> tuple[tuple[Setting, Type], ...]:
    """What :func:`check_rollback` must know of a host besides the protocols and the values that are put back."""
    return tuple((setting, value.type or Type.REG_DWORD) for setting, value in _suites_needed(settings))


def _suites_needed(touched: t.Iterable[Setting]) -> t.Iterator[tuple[Setting, Value]]:
    """The values that decide over cipher suites, each with one of its type, where some of them are touched."""
    values = {
        **dict.fromkeys(usable.SWITCHES, ABSENT),
        **dict(zip(usable.SUITE_LISTS, (Value(Type.REG_SZ, ""), Value(Type.REG_MULTI_SZ, ())), strict=True)),
    }
    if not values.keys().isdisjoint(touched):
        yield from values.items()


# --- changes ---------------------------------------------------------------------------------------------------------


def turned_off(before: Snapshot, after: Snapshot, build: int) -> list[str]:
    """The old protocols and sides that a change would turn off, or perhaps, as people call them."""
    return [
        f"{protocol} {side}"
        for protocol in OLD_PROTOCOLS
        for side in SIDES
        if _is_less(_effective(before, protocol, side, build), _effective(after, protocol, side, build))
    ]


def may_end(before: Snapshot, after: Snapshot, build: int) -> bool:
    """Whether something that works may end with a change, so that it is to be seen before and after."""
    return bool(turned_off(before, after, build)) or usable.narrows(before, after)


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
    handshake_policy: str | None = None,
    peers: Objection | None = None,
) -> str | None:
    """Raises :class:`PhaseRefused` where the change would turn TLS 1.2 off, would leave it no cipher suite, or would
    turn old TLS off before TLS 1.2 is proven.

    ``waiting``: the settings that are written and not in effect, None where that is not known. ``handshake_policy``:
    what ``handshakes`` must prove, see :func:`proof.missing`. ``peers``: who would be cut off, and what to do. Returns
    what there is to warn of; ``force`` overrules all but the first.
    """
    _keep_tls12(before, after, build)
    objections = [*_about_suites(before, after, build, handshakes)]
    going = turned_off(before, after, build)
    if going:
        missing = [*_missing(before, build, waiting), *proof.missing(handshakes, handshake_policy)]
        if missing:
            what, cure = missing[0]
            objections += [(f"{', '.join(going)} would be turned off although {what}", cure), *missing[1:]]
        objections += [peers] if peers else []
    return _refuse_or_warn(
        objections, [*_unknown_names(before, after, build)], force, "Mail may stop at the next restart."
    )


def _refuse_or_warn(objections: t.Sequence[Objection], warnings: t.Sequence[str], force: bool, risk: str) -> str | None:
    """Raises what is in the way, unless it is forced; returns what is left to say."""
    if objections and not force:
        reasons: dict[str, list[str]] = {}
        for what, cure in objections:
            reasons.setdefault(cure, []).append(what)
        # each with what helps against it
        told = " And ".join(f"{_AND.join(items)}. {cure}".rstrip() for cure, items in reasons.items())
        raise PhaseRefused(f"Refused, nothing was changed: {told} {_FORCE}")
    said = [*([f"FORCED: {_AND.join(what for what, _cure in objections)}. {risk}"] if objections else []), *warnings]
    return " ".join(said) or None


def _keep_tls12(before: Snapshot, after: Snapshot, build: int) -> None:
    for side in SIDES:
        states = [_effective(item, TLS12, side, build) for item in (before, after)]
        if _is_less(*states):
            unknown = states[1] is Effective.UNKNOWN
            what = f"leave TLS 1.2 {side} to a default that no source tells" if unknown else f"turn TLS 1.2 {side} off"
            raise PhaseRefused(f"This would {what} on this Windows; nothing was changed. {WHY_TLS12_STAYS}.")


def _about_suites(
    before: Snapshot, after: Snapshot, build: int, found: t.Mapping[str, t.Any] | None
) -> t.Iterator[Objection]:
    if not usable.narrows(before, after):
        return
    left = usable.suites(after, TLS12, build)
    if left.answer is not Answer.YES:
        yield f"TLS 1.2 could no longer be used, since {left.reason}", _SUITES_CURE
    # other servers have RSA certificates; this one may have shown another
    shown = shown_ec(found)
    left = usable.suites(after, TLS12, build, cipher_suites.ECDSA)
    if shown and left.answer is not Answer.YES:
        places = ", ".join(visible(name, NAME) for name in shown[:_NAMED])
        yield f"{places} showed an ECDSA certificate, and {left.reason}", _ECDSA_CURE


def _unknown_names(before: Snapshot, after: Snapshot, build: int) -> t.Iterator[str]:
    names = usable.suite_list(after)
    if names is None or names == usable.suite_list(before):
        return
    unknown = usable.unknown_names(after, build)
    if unknown:
        yield f"{windows_name(build)} does not know these cipher suites and passes over them: {', '.join(unknown)}."
    if not cipher_suites.tabled(build):
        yield (
            f"No page of Microsoft's says which cipher suites {windows_name(build)} knows; the names were only held "
            "against those of all versions."
        )


def _missing(before: Snapshot, build: int, waiting: t.Collection[Setting] | None) -> t.Iterator[Objection]:
    for side in SIDES:
        effective = _effective(before, TLS12, side, build)
        if effective is not Effective.ENABLED:
            yield f"TLS 1.2 {side} is {effective.value.replace('_', ' ')}", FIRST_PHASE
    suites = usable.suites(before, TLS12, build)
    if suites.answer is not Answer.YES:
        yield suites.reason, _SUITES_CURE
    # old TLS that waits to go off is no obstacle: a run that was cut off is finished by running it again
    if waiting is None or not FOUNDATION.isdisjoint(waiting):
        yield "a restart is pending, so that the settings are not in effect", FIRST_PHASE
    weak = [item for item in _DOTNET if not item.desired.accepts(before.values.get(item.setting, ABSENT))]
    if weak:
        names = ", ".join(dict.fromkeys(item.setting.name for item in weak))
        yield (
            f".NET 4 would go on with old TLS ({len(weak)} of {len(_DOTNET)} values are not 1: {names})",
            FIRST_PHASE,
        )


# --- rollbacks -------------------------------------------------------------------------------------------------------


def check_rollback(before: Snapshot, after: Snapshot, build: int, *, force: bool) -> str | None:
    """Raises :class:`PhaseRefused` where going back would leave a side without any version that mail can be sent and
    received with. Returns a warning where TLS 1.2 goes off, or where ``force`` has overruled.

    The snapshots hold all protocols, and what :func:`rollback_needs` names.
    """
    objections: list[Objection] = []
    warnings: list[str] = []
    lost: list[str] = []
    for side in SIDES:
        left, had = (_left(snapshot, side, build) for snapshot in (after, before))
        if left is Answer.YES:
            if _loses_tls12(before, after, side, build):
                lost.append(usable.version(after, TLS12, side, build).reason)
        elif had is left or had is Answer.NO:
            warnings.append(f"No TLS version is known to work on the {side} side, before this and after.")
        else:
            reasons = (usable.version(after, protocol, side, build).reason for protocol in usable.MAIL_VERSIONS)
            objections.append(
                (f"this would leave the {side} side without a TLS version for mail ({'; '.join(reasons)})", _ORDER)
            )
    if lost:
        warnings.insert(0, f"After this, {'; '.join(lost)}. Exchange Online refuses everything older than TLS 1.2.")
    warnings += _about_dotnet(before, after, build)
    return _refuse_or_warn(objections, warnings, force, "Mail stops at the next restart.")


def _about_dotnet(before: Snapshot, after: Snapshot, build: int) -> t.Iterator[str]:
    """Whether .NET goes back to asking for old TLS, which is off."""
    back = [
        item.setting.name
        for item in _DOTNET
        if item.desired.accepts(before.values.get(item.setting, ABSENT))
        and not item.desired.accepts(after.values.get(item.setting, ABSENT))
    ]
    is_off = {_effective(after, protocol, "Client", build) for protocol in _OF_OLD_DOTNET} == {Effective.DISABLED}
    if back and is_off:
        names = ", ".join(dict.fromkeys(back))
        yield (
            f"After this, .NET 4 goes on with old TLS, which is off: {names} of it are no longer 1. Exchange's own "
            "programs may no longer connect."
        )


def _left(snapshot: Snapshot, side: str, build: int) -> Answer:
    """Whether a side has a version for mail. Where no source tells the default of TLS 1.2 it is thought to be on, as
    with every Windows since Server 2012; of older versions nothing is thought."""
    answers = [usable.version(snapshot, protocol, side, build).answer for protocol in usable.MAIL_VERSIONS]
    by_default = (
        _effective(snapshot, TLS12, side, build) is Effective.UNKNOWN
        and snapshot.side(TLS12, side).state is State.NOT_CONFIGURED
        and usable.suites(snapshot, TLS12, build).answer is not Answer.NO
    )
    if Answer.YES in answers or by_default:
        return Answer.YES
    return Answer.UNKNOWN if Answer.UNKNOWN in answers else Answer.NO


def _loses_tls12(before: Snapshot, after: Snapshot, side: str, build: int) -> bool:
    then, now = (usable.version(snapshot, TLS12, side, build).answer for snapshot in (after, before))
    return now is not Answer.NO and then is not Answer.YES and then is not now
