# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Waivers and failure conditions: what is accepted of the findings, until when, and what makes a task fail. Pure."""

from __future__ import annotations

import dataclasses
import datetime
import re
import typing as t

from .._errors import OptionError, all_problems
from .findings import Finding, Status

if t.TYPE_CHECKING:
    from .expressions import Expression


@dataclasses.dataclass(frozen=True)
class Waiver:
    """Findings that are accepted, why, and until when (the day itself still counts)."""

    match: Expression
    reason: str
    expires: datetime.date | None

    def expired(self, today: datetime.date) -> bool:
        return self.expires is not None and today > self.expires


def parse(waivers: t.Iterable[t.Mapping[str, t.Any]]) -> tuple[Waiver, ...]:
    """The waivers of the option. Raises :class:`OptionError` that names every problem."""
    found: list[Waiver] = []
    problems: list[str] = []
    for number, given in enumerate(waivers, start=1):
        expires = match = None
        before = len(problems)
        if not str(given["reason"]).strip():
            problems.append(f"waiver {number}: it has no reason")
        try:
            expires = _date(given["expires"])
        except ValueError:
            problems.append(f"waiver {number}: 'expires' is {given['expires']!r}; write a date like 2026-12-31")
        try:
            match = _expression(given["match"], "waivers")
        except OptionError as exc:
            problems.append(f"waiver {number}: {exc.message.rstrip('.')}")
        if match is not None and len(problems) == before:
            found.append(Waiver(match, str(given["reason"]), expires))
    if problems:
        raise OptionError("Bad waivers: " + "; ".join(problems) + ".")
    return tuple(found)


def _expression(text: str, option: str) -> Expression:
    # JMESPath is loaded where somebody writes one
    from .expressions import Expression

    return Expression(text, option)


def _date(given: t.Any) -> datetime.date | None:
    """None for ever, which a blank stands for as well (the options are brought into form before)."""
    if given is None:
        return None
    # Python 3.11 and later know more forms
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(given), re.ASCII):
        raise ValueError(given)
    return datetime.date.fromisoformat(str(given))


def apply(findings: t.Iterable[Finding], waivers: t.Sequence[Waiver], today: datetime.date) -> tuple[Finding, ...]:
    """The findings with waivers applied. A waived finding no longer violates the policy and is not written."""
    return tuple(_waived(finding, waivers, today) for finding in findings)


def _waived(finding: Finding, waivers: t.Sequence[Waiver], today: datetime.date) -> Finding:
    if not finding.violates:
        return finding
    matching = [waiver for waiver in waivers if waiver.match.matches(finding.as_result())]
    for waiver in matching:
        if not waiver.expired(today):
            until = f" until {waiver.expires}" if waiver.expires else ""
            return dataclasses.replace(
                finding, status=Status.WAIVED, write=None, waiver=f"waived{until}: {waiver.reason}"
            )
    if matching:
        expired = matching[0]
        note = f"the waiver expired on {expired.expires}: {expired.reason}"
        return dataclasses.replace(finding, waiver=note, message=f"{finding.message} (But {note}.)")
    return finding


def failing(findings: t.Iterable[Finding], condition: Expression) -> list[Finding]:
    """The findings that the option ``fail_on`` matches."""
    return [finding for finding in findings if condition.matches(finding.as_result())]


def from_options(options: t.Mapping[str, t.Any]) -> tuple[tuple[Waiver, ...], Expression | None]:
    """The options ``waivers`` and ``fail_on``, checked before anything is touched."""
    waivers: tuple[Waiver, ...] = ()
    condition: Expression | None = None

    def read_waivers() -> None:
        nonlocal waivers
        waivers = parse(options["waivers"])

    def read_condition() -> None:
        nonlocal condition
        condition = _expression(options["fail_on"], "fail_on") if options["fail_on"] else None

    all_problems(read_waivers, read_condition)
    return waivers, condition


def failure(findings: t.Iterable[Finding], condition: Expression | None) -> dict[str, t.Any]:
    """The result keys that make a task fail where ``fail_on`` matches, with what matches; none where it does not."""
    matched = failing(findings, condition) if condition else []
    if not condition or not matched:
        return {}
    reasons = " | ".join(finding.message for finding in matched)
    return {
        "failed": True,
        "msg": f"{len(matched)} {'findings match' if len(matched) > 1 else 'finding matches'} fail_on "
        f"({condition.text}): {reasons}",
        "error": {"kind": "fail_on", "findings": [finding.id for finding in matched]},
        "findings": [finding.as_result() for finding in matched],
    }
