# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Results of several runs put together: slices of one fleet, or one run after the other. Pure."""

from __future__ import annotations

import typing as t

from . import standing
from .result import whole

Result = t.Mapping[str, t.Any]


def merge(results: t.Sequence[Result]) -> dict[str, t.Any]:
    """One result of all. What is known of a server comes from the run that ended last; one that a run has not touched
    is named so where no other run did. Raises ValueError where there is nothing to merge."""
    if not results:
        raise ValueError("there is no result to merge")
    order = sorted(results, key=lambda item: (item["run"]["ended"], item["run"]["id"]))
    servers = {item["name"]: item for found in order for item in found["servers"]}
    untouched = {name for found in order for name in found["not_touched"]} - servers.keys()
    ranked = sorted(servers.values(), key=lambda item: (standing.rank_of(item["state"]), item["name"]))
    return whole(_run([item["run"] for item in order]), ranked, sorted(untouched))


def _run(runs: t.Sequence[Result]) -> dict[str, t.Any]:
    last = runs[-1]
    if len(runs) == 1:
        return dict(last)
    return {
        "id": last["id"],
        "began": min(item["began"] for item in runs),
        "ended": last["ended"],
        "ended_by": "interrupt" if any(item["ended_by"] == "interrupt" for item in runs) else "end",
        "playbook": ", ".join(dict.fromkeys(item["playbook"] for item in runs)),
        "check_mode": all(item["check_mode"] for item in runs),
        "versions": last["versions"],
        # what all runs were given alike
        "variables": {
            name: value
            for name, value in last["variables"].items()
            if all(item["variables"].get(name) == value for item in runs)
        },
        "merged_from": list(dict.fromkeys(name for item in runs for name in (item["merged_from"] or [item["id"]]))),
    }
