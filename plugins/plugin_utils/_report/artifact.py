# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What a workflow needs to know of a run to decide how it goes on: small, whatever the number of servers. Pure."""

from __future__ import annotations

import typing as t

from . import standing
from .plain import cut
from .standing import Steps

_GOOD = frozenset({standing.FINE, standing.VERIFIED, standing.ODD, standing.RESTORED})
_NOT_TOUCHED = "not touched"
_LONGEST_NAME = 255


def artifact(hosts: t.Mapping[str, Steps], untouched: t.Iterable[str], report: str | None) -> dict[str, t.Any]:
    """``compliant``: whether every server of the run was reached and is as wanted; ``counts`` and ``servers``: numbers
    and names by state; ``restart_pending``: names; ``report``: the folder of the report, None without one."""
    states = {name: steps.category for name, steps in hosts.items()}
    states.update(dict.fromkeys(untouched, _NOT_TOUCHED))
    names: dict[str, list[str]] = {}
    for name, state in sorted(states.items()):
        names.setdefault(state, []).append(cut(name, _LONGEST_NAME))
    return {
        "compliant": bool(states) and _GOOD.issuperset(names),
        "counts": {state: len(found) for state, found in names.items()},
        "servers": names,
        "restart_pending": sorted(
            cut(name, _LONGEST_NAME) for name, steps in hosts.items() if steps.restart_wanted and not steps.check_mode
        ),
        "report": report,
    }
