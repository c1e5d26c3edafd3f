# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What is to be said of the Exchange and of the updates of a host, as findings. Pure.

Only what the keys cannot help with counts against a host: an Exchange that cannot do what the policy asks for, and
updates older than the user's own limit. The rest is for people.
"""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from .._errors import ExchangeTlsError
from .._policy.findings import OPEN, Finding, Status
from .._schannel.protocols import windows_name
from .._schannel.snapshot import Setting
from .._text import NAME, visible
from .._windows.facts import CURRENT_VERSION
from .._windows.updates import Updates
from . import builds
from .builds import Build, Product, Version
from .installed import SETUP, UPDATES, Exchange

_TLS_GUIDANCE = "Microsoft, Exchange Server TLS guidance"
_BUILDS = "Microsoft, Exchange Server build numbers and release dates"
_LIFECYCLE = "Microsoft, product lifecycle"
_KB_3161949 = "Microsoft, Exchange Server TLS guidance, part 1"

TLS12_BUILD = "exchange.tls12_build"
OLD_TLS_BUILD = "exchange.old_tls_build"
# Windows builds that need these updates before their programs can do TLS 1.2 (docs/reference/exchange.md 1.3).
_PREREQUISITES = {
    7601: ("KB3161949",),
    9200: ("KB3161949", "KB2973337"),
    9600: ("KB3161949", "KB2973337"),
}
# Marks that an update sets; file renames are left behind by all kinds of programs.
_OF_UPDATES = frozenset({"component_based_servicing", "windows_update", "configuration_manager"})
_WORDS = {
    "component_based_servicing": "component servicing",
    "windows_update": "Windows Update",
    "file_renames": "files to be renamed",
    "update_exe": "an update package",
    "configuration_manager": "Configuration Manager",
}
_EXCHANGE = Setting(SETUP, "")
_WINDOWS = Setting(CURRENT_VERSION, "")


class ExchangeTooOld(ExchangeTlsError):
    """This Exchange cannot do what the settings would ask of it; nothing was changed."""

    kind = "exchange_too_old"


@dataclasses.dataclass(frozen=True)
class Seen:
    """Exchange and the updates of its Windows. ``today``: by the host's clock; ``windows``: its build."""

    exchange: Exchange
    updates: Updates
    windows: int
    today: datetime.date
    #: Whether a maintenance that was cut off has left the server out of service.
    left_out: bool = False

    def as_result(self) -> dict[str, t.Any]:
        return {**self.exchange.as_result(), "updates": self.updates.as_result(self.today)}


def findings(seen: Seen, *, wants_tls12: bool, ends_old_tls: bool, updates_within: int | None) -> tuple[Finding, ...]:
    """``wants_tls12``, ``ends_old_tls``: what the policy asks for; ``updates_within``: the days within which a host is
    to have had an update, None for no limit."""
    if not seen.exchange.is_server:
        return ()
    asked = {TLS12_BUILD: wants_tls12, OLD_TLS_BUILD: ends_old_tls}
    found = (*_exchange(seen, asked), *_windows(seen, updates_within))
    return tuple(sorted(found, key=lambda item: item.status not in OPEN))


def _exchange(seen: Seen, asked: t.Mapping[str, bool]) -> t.Iterator[Finding]:
    if seen.left_out:
        yield _finding(
            "exchange.left_out",
            "A maintenance that was cut off",
            Status.NOT_APPLICABLE,
            "A run that was cut off has left this server out of service. Run enforce-tls12.yml for it: that ends it.",
        )
    build = seen.exchange.build
    if build is None:
        reason = seen.exchange.unread.get("installed") or seen.exchange.unread.get("version") or ""
        yield _finding(
            "exchange.version",
            "The version of Exchange",
            Status.UNKNOWN,
            f"The version of Exchange cannot be read, so whether it can do TLS 1.2 is not known: {reason}",
        )
        return
    too_old = tuple(_too_old(build, asked))
    yield from too_old
    yield from _support(build, seen.today)
    if not too_old:
        yield from _not_current(build, seen.exchange.unread.get(UPDATES))
    stopped, of_mail = seen.exchange.stopped, seen.exchange.mail_stopped
    if stopped:
        yield _finding(
            "exchange.services",
            "Services of Exchange that do not run",
            Status.NOT_APPLICABLE,
            f"{_counted(len(stopped), 'service')} of Exchange that should run {'does' if len(stopped) == 1 else 'do'} "
            f"not: {_listed(stopped)}.{f' Mail needs {_listed(of_mail)}.' if of_mail else ''}",
        )


def _too_old(build: Build, asked: t.Mapping[str, bool]) -> t.Iterator[Finding]:
    product = build.product
    minimum = {
        TLS12_BUILD: (product.tls12 if product else None, build.has_tls12),
        OLD_TLS_BUILD: (product.old_tls_off if product else None, build.does_without_old_tls),
    }
    words = {
        TLS12_BUILD: ("An Exchange that can do TLS 1.2", "cannot do TLS 1.2 in all its parts, whatever is set"),
        OLD_TLS_BUILD: ("An Exchange that needs no old TLS", "still needs TLS 1.0 and 1.1"),
    }
    for name, (version, is_able) in minimum.items():
        if is_able or not asked[name]:
            continue
        title, cannot = words[name]
        yield _finding(
            name,
            title,
            Status.NONCOMPLIANT,
            f"This is {build.name}, which {cannot}. {_cure(product, version, build)}",
            severity="high",
            source=_TLS_GUIDANCE,
            why="Mail would go on failing, or stop, with every setting right.",
        )


def _cure(product: Product | None, minimum: Version | None, build: Build) -> str:
    if product is None or minimum is None:
        return "Move its mailboxes to a version that is supported."
    newest = f"; install the newest, {build.newest}" if build.newest else ""
    return f"{product.first_from(minimum)} and later ones can{newest}."


def _support(build: Build, today: datetime.date) -> t.Iterator[Finding]:
    if build.product and today > build.product.support_ends:
        yield _finding(
            "exchange.support_ended",
            "An Exchange that is supported",
            Status.NOT_APPLICABLE,
            f"Support for {build.product.name} ended on {build.product.support_ends.isoformat()}.",
            source=_LIFECYCLE,
        )


def _not_current(build: Build, no_updates: str | None) -> t.Iterator[Finding]:
    """``no_updates``: why the updates of its cumulative update are not known, where they are not."""
    table = f"as of {builds.table().date.isoformat()}"
    if build.newest:
        # what is no longer supported gets no more than its last update, which is still better than none
        yield _finding(
            "exchange.not_current",
            "An Exchange with the latest updates",
            Status.NOT_APPLICABLE,
            f"This is {build.name}{f', its updates not known ({visible(no_updates, NAME)})' if no_updates else ''}; "
            f"the newest {'for it ' if build.supported else ''}is {build.newest}, {table}.",
            source=_BUILDS,
        )
    elif build.newer_than_table:
        yield _finding(
            "exchange.newer",
            "An Exchange that is newer than the table",
            Status.NOT_APPLICABLE,
            f"This is {build.name}, newer than the table of builds that comes with this collection ({table}).",
            severity="info",
            source=_BUILDS,
        )


def _windows(seen: Seen, updates_within: int | None) -> t.Iterator[Finding]:
    updates = seen.updates
    wanted = _PREREQUISITES.get(seen.windows, ())
    missing = [name for name in wanted if updates.ids is not None and name not in updates.ids]
    if missing:
        yield _finding(
            "windows.prerequisites",
            "Updates of Windows that TLS 1.2 needs",
            Status.NOT_APPLICABLE,
            f"{windows_name(seen.windows)} needs {' and '.join(missing)} for TLS 1.2, and does not list "
            f"{'it' if len(missing) == 1 else 'them'}. A rollup that came later may hold the same.",
            setting=_WINDOWS,
            source=_KB_3161949,
        )
    days = updates.days(seen.today)
    if updates_within is not None and (days is None or days > updates_within):
        last = (
            "Windows does not tell when its last update was installed"
            if updates.last_installed is None or days is None
            else f"The last update of Windows was installed on {updates.last_installed.isoformat()}, "
            f"{_counted(days, 'day')} ago"
        )
        yield _finding(
            "windows.updates",
            "Windows with recent updates",
            Status.UNKNOWN if days is None else Status.NONCOMPLIANT,
            f"{last}; wanted is one within {_counted(updates_within, 'day')}.",
            setting=_WINDOWS,
            source="the option 'updates_within'",
        )
    waiting = [name for name, waits in updates.waits.items() if waits]
    if waiting:
        yield _finding(
            "windows.restart_waits",
            "No restart that Windows itself waits for",
            Status.NOT_APPLICABLE,
            f"Windows waits for a restart of its own: {', '.join(_WORDS[name] for name in waiting)}. The next restart "
            "makes it, and may take longer.",
            severity="medium" if _OF_UPDATES & set(waiting) else "low",
            setting=_WINDOWS,
        )


def _finding(
    name: str,
    title: str,
    status: Status,
    message: str,
    *,
    severity: str = "medium",
    setting: Setting = _EXCHANGE,
    source: str = "the host",
    why: str = "Microsoft asks for the latest updates of Windows and Exchange beside the settings.",
) -> Finding:
    return Finding(name, title, severity, status, message, why, source, setting)


def _listed(names: t.Iterable[str]) -> str:
    return ", ".join(names)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def in_the_way(found: t.Iterable[Finding], *, enforces: bool, ends_old_tls: bool, force: bool) -> str | None:
    """Raises :class:`ExchangeTooOld` for a change that this Exchange could not live with, unless a waiver accepts
    that; ``force`` makes it a warning. ``enforces``: whether the change is to bring TLS 1.2; ``ends_old_tls``: whether
    it turns old TLS off. One that does neither is no matter of the build."""
    wanted = {TLS12_BUILD} if enforces or ends_old_tls else set()
    wanted |= {OLD_TLS_BUILD} if ends_old_tls else set()
    objections = [item for item in found if item.id in wanted and item.violates]
    if not objections:
        return None
    reasons = " ".join(item.message for item in objections)
    if force:
        return f"FORCED: {reasons}"
    # not in quotes, which are for options
    names = " and ".join(item.id for item in objections)
    raise ExchangeTooOld(
        f"Refused, nothing was changed: {reasons} To write the settings all the same, accept the finding {names} by an "
        "entry in 'waivers', with your reason, or set 'force'.",
        findings=[item.id for item in objections],
    )
