# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""One look at a host: its facts, its settings, whether a restart is pending, and how it stands against a policy."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import typing as t

from .._change.notes import NOTE
from .._change.pending import Pending, pending_after, read_note
from .._change.plans import Plan, plan
from .._errors import ExchangeTlsError
from .._exchange import findings as exchange_findings
from .._exchange import installed
from .._exchange.findings import Seen
from .._judgement import cautions, guards, healthchecker, judge, noticed, observations, unread
from .._judgement.strays import find
from .._judgement.strays import findings as stray_findings
from .._policy import waiving
from .._policy.findings import Finding, Status, compliant
from .._policy.options import with_suites
from .._policy.rules import ExchangeVersion, Policy, Rule
from .._policy.subjects import DOTNET_VERSIONS, SUITES_POLICY, dotnet
from .._policy.waiving import Waiver
from .._report.overview import overview
from .._schannel.names import fold
from .._schannel.protocols import PROTOCOLS, PROTOCOLS_KEY, SIDES, TLS12, protocol_key
from .._schannel.snapshot import Setting, Snapshot
from .._schannel.values import Type
from .._windows.facts import Host, read_host
from .._windows.reader import Reader
from .._windows.registry import Registry
from .._wire.session import Session
from .exchange import exchange_of, exchange_result

_OLD_TLS = ("TLS 1.0", "TLS 1.1")
# Rounds of reading until the strays are known; they are at most three levels deep.
_STRAY_ROUNDS = 6
# What looks like the key of .NET shows in a listing first.
_ROUNDS_BESIDE = 2


@dataclasses.dataclass(frozen=True)
class Scope:
    """What is looked at besides the settings, and how. ``strays``: report, remove, ignore; ``exchange``: whether
    Exchange and the updates are; ``updates_within``: the days within which there is to be an update, None for no limit;
    ``logins``: at most so many."""

    strays: str = stray_findings.REPORT
    exchange: bool = True
    updates_within: int | None = None
    logins: int = 1

    @classmethod
    def from_options(cls, options: t.Mapping[str, t.Any]) -> Scope:
        return cls(
            options["strays"], options["exchange"] != "ignore", options["updates_within"] or None, options["logins"]
        )


@dataclasses.dataclass(frozen=True)
class Audit:
    """The state of one host, held against a policy. ``seen``: its Exchange; None without, or where nobody looked.
    ``version``: that of its Exchange, where it was asked for."""

    host: Host
    seen: Seen | None
    version: ExchangeVersion | None
    policy: Policy
    waivers: tuple[Waiver, ...]
    scope: Scope
    snapshot: Snapshot
    pending: Pending
    failures: t.Mapping[Setting | str, ExchangeTlsError] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def findings(self) -> tuple[Finding, ...]:
        build = self.host.build
        today = datetime.datetime.now(datetime.timezone.utc).date()
        judged = waiving.apply(judge.judge(self.policy, self.snapshot, build, self.version), self.waivers, today)
        odd = (
            *self._of_exchange(judged),
            *observations.observe(self.policy, judged, self.snapshot, build),
            *cautions.cautions(self.policy, judged, self.snapshot, build),
            *stray_findings.stray_findings(self.snapshot, self.scope.strays),
            *(noticed.notice(self.policy, self.snapshot) if self.scope.strays != stray_findings.IGNORE else ()),
            *unread.unread_findings(self.snapshot, judged),
        )
        return (*judged, *waiving.apply(odd, self.waivers, today))

    def _of_exchange(self, judged: t.Iterable[Finding]) -> tuple[Finding, ...]:
        if self.seen is None or not self.scope.exchange:
            return ()
        # what is waived, or does not apply, nobody asks of this Exchange
        asked = [
            rule
            for rule, item in zip(self.policy.rules, judged, strict=True)
            if item.status not in (Status.WAIVED, Status.NOT_APPLICABLE)
        ]
        return exchange_findings.findings(
            self.seen,
            wants_tls12=any(rule.protocol == TLS12 and rule.state == "enabled" for rule in asked),
            # no Exchange has needed SSL
            ends_old_tls=any(rule.protocol in _OLD_TLS and rule.state == "disabled" for rule in asked),
            updates_within=self.scope.updates_within,
        )

    @property
    def compliant(self) -> bool:
        return compliant(self.findings)

    def refuse_blind_change(self) -> None:
        """Raises what was raised where something could not be read that a change must know: a listing, or a value that
        the policy asks about or that the guard looks at."""
        needed = {rule.setting for rule in (*self.policy.rules, *guards.also_needed(self.policy))}
        # values first: they say more
        for place, failure in sorted(self.failures.items(), key=lambda item: isinstance(item[0], str)):
            if isinstance(place, str) or place in needed or place in guards.FOUNDATION:
                raise failure

    def plan(self) -> Plan:
        """What would make the host compliant."""
        return plan(self.findings, self.snapshot, stray_findings.to_remove(self.snapshot, self.findings))

    def _healthchecker_view(self) -> dict[str, t.Any]:
        """What CSS-Exchange HealthChecker says of the same registry, and why where that differs from ``effective``."""
        view: dict[str, t.Any] = {}
        for protocol in PROTOCOLS:
            client, server = (self.snapshot.side(protocol, side) for side in SIDES)
            verdict = healthchecker.verdict(protocol, client, server)
            if verdict is not None:
                difference = healthchecker.differs(protocol, client, server, self.host.build)
                view[protocol] = {"verdict": verdict, "differs": difference.message if difference else None}
        for version, key in DOTNET_VERSIONS.items():
            found = self._dotnet(version)
            if found is not None:
                differs = " ".join(item.sentence for item in healthchecker.dotnet_differs(key, *found)) or None
                verdict_of = healthchecker.dotnet_verdict(*found).as_result()
                view[f".NET {version}"] = {"verdict": verdict_of, "differs": differs}
        return view

    def _dotnet(self, version: str) -> tuple[healthchecker.DotNet, healthchecker.DotNet] | None:
        """The values of a .NET version, 64 and 32 bits; None where the policy does not ask for them."""
        values = [self.snapshot.values.get(item.setting) for item in dotnet(version).states["strong"]]
        read = [value for value in values if value is not None]
        if len(read) < len(values):
            return None
        return healthchecker.DotNet(read[0], read[1]), healthchecker.DotNet(read[2], read[3])

    def after(self, snapshot: Snapshot) -> Audit:
        """The same host after a change."""
        return dataclasses.replace(self, snapshot=snapshot)

    def as_result(self) -> dict[str, t.Any]:
        result = {
            "host": self.host.as_result(),
            "protocols": judge.protocols_result(self.snapshot, self.host.build),
            "healthchecker": self._healthchecker_view(),
            "findings": [finding.as_result() for finding in self.findings],
            "compliant": self.compliant,
            "restart_pending": self.pending.restart_pending,
        }
        if self.scope.exchange:
            result["exchange"] = exchange_result(self.seen)
        result["overview"] = overview(result)
        if self.pending.warning:
            result["warnings"] = [self.pending.warning]
        return result


def audit(session: Session, policy: Policy, waivers: tuple[Waiver, ...], scope: Scope) -> Audit:
    """Reads what the policy and the result need, in one session. Changes nothing."""
    with session.overlapping(scope.logins):
        return _audit(session, policy, waivers, scope)


def _audit(session: Session, policy: Policy, waivers: tuple[Waiver, ...], scope: Scope) -> Audit:
    registry = Registry(session)
    reader = Reader(registry)
    host = read_host(session, registry)
    # the third answer: by it the session knows whether the line is a long one
    reader.subkeys(PROTOCOLS_KEY)
    wants_exchange = scope.exchange or policy.needs_exchange
    reader.ahead(
        [*map(protocol_key, PROTOCOLS), *(installed.KEYS if wants_exchange else ())],
        values=[(NOTE, Type.REG_SZ), *([installed.VALUE] if wants_exchange else ())],
    )
    pending_note = read_note(registry)
    seen = exchange_of(session, registry, host) if scope.exchange else None
    exchange = seen.exchange.version_for_rules if seen else None
    if policy.needs_exchange and not scope.exchange:
        exchange = installed.version(session, registry)
    looking = scope.strays != stray_findings.IGNORE

    def asked() -> t.Iterator[Rule]:
        every = (*policy.rules, *guards.also_needed(policy))
        return (rule for rule in every if not rule.applies.reason_not(host.build, exchange))

    others = [rule for rule in asked() if not _is_protocol(rule)]
    reader.protocols(
        find.looked_into if looking else lambda snapshot: (),
        [(rule.setting, rule.kind) for rule in others],
        [rule.setting.key for rule in others if looking and noticed.is_dotnet(rule)],
    )
    if policy.cipher_suites:
        policy = with_suites(policy, reader.value(SUITES_POLICY, Type.REG_SZ).present)
    for rule in asked():
        value = reader.value(rule.setting, rule.kind)
        if looking and noticed.is_dotnet(rule) and not rule.desired.accepts(value):
            # before its neighbour, which then costs nothing where it is missing as well
            reader.list_values(rule.setting.key)
        if rule.desired.value.present:
            # what would have to be made must be known, so that going back removes it
            reader.locate(rule.setting.key)
    if looking:
        _read_beside(reader, policy)
        # what is to be removed must all be known at once: a second run finds no more
        _read_strays(reader)
    pending = pending_after(pending_note, host.last_boot, reader)
    return Audit(host, seen, exchange, policy, waivers, scope, reader.snapshot(), pending, reader.failures)


def _is_protocol(rule: Rule) -> bool:
    """Whether its value is among those that are read of every protocol anyway."""
    return fold(rule.setting.key).startswith(f"{fold(PROTOCOLS_KEY)}\\")


def _read_beside(reader: Reader, policy: Policy) -> None:
    for _dummy in range(_ROUNDS_BESIDE):
        subkeys, listed = noticed.keys_beside(policy, reader.snapshot())
        reader.ahead(subkeys, listed)
        for key in subkeys:
            reader.subkeys(key)
        for key in listed:
            reader.list_values(key)


def _read_strays(reader: Reader) -> None:
    """Looks into what has wrong names, and for it beside what has the right ones."""
    for _dummy in range(_STRAY_ROUNDS):
        wanted = find.keys_to_read(reader.snapshot())
        if not wanted:
            return
        reader.ahead(wanted.subkeys, wanted.listed, wanted.values)
        for key in wanted.subkeys:
            reader.subkeys(key)
        for key in wanted.listed:
            reader.list_values(key)
        for setting, kind in wanted.values:
            reader.value(setting, kind)
