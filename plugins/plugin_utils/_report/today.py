# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The settings before a change: a later reading with the changes taken back. Pure."""

from __future__ import annotations

import typing as t

from .._schannel.protocols import VALUE_NAMES, Side, protocol_key
from .._schannel.values import Value, show

Result = t.Mapping[str, t.Any]


# Changes that a reading after them shows: those that check mode has predicted, and those that were made.
PLANNED, WRITTEN = ("planned",), ("written",)


def today(predicted: Result, statuses: t.Collection[str] = PLANNED) -> dict[str, t.Any]:
    """The result of tls_settings in check mode, with the protocols and findings as they are now. ``statuses``: of the
    changes that are taken back."""
    planned = {
        (str(item["key"]).lower(), str(item["value"]).lower()): item["before"]
        for item in predicted.get("changes") or ()
        if item["status"] in statuses
    }
    build = predicted["host"]["build"]
    return {
        **predicted,
        "protocols": {
            protocol: {side: _side(protocol, side, shown, planned, build) for side, shown in sides.items()}
            for protocol, sides in predicted["protocols"].items()
        },
        "findings": [_finding(item, planned) for item in predicted["findings"]],
    }


def _side(
    protocol: str, side: str, shown: Result, planned: t.Mapping[tuple[str, str], Result], build: int
) -> dict[str, t.Any]:
    key = show(protocol_key(protocol, side)).lower()
    raw = {name: planned.get((key, name.lower()), shown[name]) for name in VALUE_NAMES}
    values = Side(*(Value.from_result(raw[name]) for name in VALUE_NAMES))
    return {**raw, "state": values.state.value, "effective": values.effective(protocol, side, build).value}


def _finding(finding: Result, planned: t.Mapping[tuple[str, str], Result]) -> Result:
    before = planned.get((str(finding["key"]).lower(), str(finding["value"] or "").lower()))
    if before is None or before == finding["actual"] or finding["expected"] is None:
        return finding
    return {**finding, "actual": before, "status": "noncompliant" if before["present"] else "not_configured"}
