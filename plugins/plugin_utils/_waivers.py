# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Waivers and failure conditions: JMESPath expressions over findings. Pure."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from ._errors import ExchangeTlsError, OptionError
from ._findings import Finding, Status

try:
    import jmespath
    from jmespath.exceptions import JMESPathError
except ImportError as exc:  # pragma: no cover - it is in requirements.txt
    JMESPATH_ERROR: ImportError | None = exc
else:
    JMESPATH_ERROR = None


class Expression:
    """A JMESPath expression that is true or false of one finding, such as ``protocol == 'TLS 1.0' && side ==
    'Client'``."""

    def __init__(self, text: str, option: str) -> None:
        if JMESPATH_ERROR is not None:
            raise ExchangeTlsError(
                f"The option {option!r} needs the Python library jmespath on the controller: {JMESPATH_ERROR}"
            )
        # a plain str: JMESPath's functions look at the exact type
        self.text = str(text)
        self._option = option
        try:
            self._compiled = jmespath.compile(self.text)
            # unknown functions and wrong arguments show only when it is used
            self.matches(_SAMPLE)
            self.matches(_BARE)
        except JMESPathError as exc:
            raise OptionError(
                f"The expression {self.text!r} in {option!r} is not valid JMESPath: {exc}. It is held against "
                f"one finding at "
                "a time, for example: protocol == 'TLS 1.0' && side == 'Client'."
            ) from None

    def matches(self, finding: t.Mapping[str, t.Any]) -> bool:
        try:
            return bool(self._compiled.search(dict(finding)))
        except JMESPathError as exc:
            raise OptionError(f"The expression {self.text!r} in {self._option!r} fails: {exc}.") from None


# The shape of a finding, to try expressions on before anything is touched.
_TEXTS = (
    "id", "title", "severity", "status", "protocol", "side", "key", "value", "message", "why", "source", "effective",
    "waiver",
)  # fmt: skip
_SAMPLE: dict[str, t.Any] = {
    **dict.fromkeys(_TEXTS, "text"),
    **{name: {"present": True, "type": "REG_DWORD", "data": 1} for name in ("expected", "actual", "would_write")},
}
# A finding about a key: it has no protocol, no side and no values.
_BARE: dict[str, t.Any] = {
    **_SAMPLE,
    **dict.fromkeys(("protocol", "side", "value", "effective", "waiver", "expected", "actual", "would_write")),
}


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
        try:
            expires = datetime.date.fromisoformat(str(given["expires"])) if given["expires"] else None
            if not str(given["reason"]).strip():
                raise OptionError("it has no reason")
            found.append(Waiver(Expression(given["match"], "waivers"), str(given["reason"]), expires))
        except ValueError:
            problems.append(f"waiver {number}: 'expires' is {given['expires']!r}; write a date like 2026-12-31")
        except OptionError as exc:
            problems.append(f"waiver {number}: {exc.message.rstrip('.')}")
    if problems:
        raise OptionError("Bad waivers: " + "; ".join(problems) + ".")
    return tuple(found)


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
    waivers = parse(options["waivers"])
    return waivers, Expression(options["fail_on"], "fail_on") if options["fail_on"] else None


def verdict(findings: t.Iterable[Finding], condition: Expression | None) -> dict[str, t.Any]:
    """The result keys that make a task fail where ``fail_on`` matches; none where it does not."""
    matched = failing(findings, condition) if condition else []
    if not condition or not matched:
        return {}
    reasons = " | ".join(finding.message for finding in matched)
    return {
        "failed": True,
        "msg": f"{len(matched)} findings match fail_on ({condition.text}): {reasons}",
        "error": {"kind": "fail_on", "findings": [finding.id for finding in matched]},
    }
