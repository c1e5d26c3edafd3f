# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to disturb a run at one of its requests that make a difference."""

from __future__ import annotations

import dataclasses
import typing as t

from tests.lab.client import HostClient
from tests.unit import laws

# Whether every request is disturbed in every way, or a sample of them.
ALL = laws.PERCENT >= 100


@dataclasses.dataclass(frozen=True)
class Mode:
    """A way to be disturbed at request n. writing: only from the first request on that writes."""

    quirks: t.Callable[[int], dict[str, t.Any]]
    writing: bool = False
    undo: bool = True
    restarted: bool = False  # by hand, after the disturbed run
    far: bool = False  # at the end of a long line


def _cut(n: int, when: str) -> dict[str, t.Any]:
    return {"request": n, "when": when, "how": "reset" if n % 2 else "fin"}


MODES = {
    # the connection is lost once, before or after the host has carried the request out
    "before": Mode(lambda n: {"cut": _cut(n, "before")}),
    "after": Mode(lambda n: {"cut": _cut(n, "after")}, writing=True),
    # the host is gone for good
    "dead": Mode(lambda n: {"cut": {**_cut(n, "before"), "every": True}}),
    "died": Mode(
        lambda n: {"cut": [_cut(n, "after"), {**_cut(n + 1, "before"), "every": True}]}, writing=True, undo=False
    ),
    "restarted": Mode(
        lambda n: {"cut": [_cut(n, "after"), {**_cut(n + 1, "before"), "every": True}]}, writing=True, restarted=True
    ),
    # the host refuses one request
    "fault": Mode(lambda n: {"fault": {"kind": "provider_cannot", "request": n}}, writing=True),
    "left": Mode(lambda n: {"fault": {"kind": "provider_cannot", "request": n}}, writing=True, undo=False),
    # the host carries one request out and its answer cannot be read
    "garbled": Mode(lambda n: {"answer": {"body": "truncated", "request": n}}, writing=True),
    # the same, where reads overlap
    "far": Mode(lambda n: {"cut": _cut(n, "before")}, far=True),
    "farafter": Mode(lambda n: {"cut": _cut(n, "after")}, far=True),
    "fardead": Mode(lambda n: {"cut": {**_cut(n, "before"), "every": True}}, far=True),
}


@dataclasses.dataclass
class Case:
    """One server and its story. ``end``: how the task ended that was disturbed, and how the server was then."""

    host: HostClient
    direction: str
    way: str
    request: int
    end: tuple[str, str] = ("", "")
    result: dict[str, t.Any] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.direction}, {self.way} at request {self.request}: {self.end} {self.result.get('msg')}"


def sampled(mode: str, requests: int, step: int) -> list[int]:
    """The requests of a run, from 1, that are disturbed in this way: all, or one in so many, others in each way."""
    if ALL:
        return list(range(1, requests + 1))
    first = 1 + list(MODES).index(mode) * step // len(MODES)
    return list(range(first, requests + 1, step))
