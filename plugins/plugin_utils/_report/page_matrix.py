# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The matrix of a page: servers by protocol and side, as it was and as it is. Pure."""

from __future__ import annotations

import typing as t

from .._policy.findings import VIOLATIONS
from .._schannel.protocols import SIDES, TLS12
from .overview import SHOWN

Result = t.Mapping[str, t.Any]

ON = "enabled"
# By what Windows makes of a side: the word for people.
WORDS = {
    ON: "on",
    "disabled": "off",
    "disabled_by_default": "on request",
    "unsupported": "not in this Windows",
    "unknown": "not known",
}
# The shapes of the template.
_SHAPES = {ON: "on", "disabled": "off", "disabled_by_default": "half", "unsupported": "none"}
# The shape for .NET 4, by whether it is as the policy wants it.
_DOTNET = {True: "good", False: "warn", None: ""}


def columns(servers: t.Iterable[Result]) -> list[str]:
    """The protocols that are shown: TLS 1.0 to 1.3, and older ones where a server has one on or changed."""
    used: set[str] = set()
    for server in servers:
        before, after = server["before"] or {}, server["after"] or {}
        for name, sides in before.items():
            if name not in SHOWN and not name.startswith("DTLS"):
                effects = {sides[side]["effective"] for side in SIDES if side in sides}
                if ON in effects or (name in after and _effects(after[name]) != _effects(sides)):
                    used.add(name)
    return [*sorted(used), *SHOWN]


def _effects(sides: Result) -> list[str]:
    return [sides[side]["effective"] for side in SIDES if side in sides]


def row(server: Result, shown: t.Sequence[str], check_mode: bool) -> dict[str, t.Any]:
    """The cells of a server."""
    glance, restart = server["glance"] or {}, server["restart"]
    exchange = server["facts"]["exchange"] or {}
    marks = [_mark(server, name, side, check_mode) for name in shown for side in SIDES]
    made = f"done, {restart['seconds'] or 0:.0f} s" if restart["made"] else ""
    pending = "would be made" if check_mode else "pending"
    return {
        "windows": glance.get("windows") or "",
        "exchange": exchange.get("name") or ("none" if exchange.get("installed") is False else ""),
        "marks": marks,
        "dotnet": _DOTNET[glance.get("dotnet")],
        "restart": ", ".join(part for part in (made, pending if restart["pending"] else "") if part),
        "state": server["state"],
    }


def _mark(server: Result, protocol: str, side: str, check_mode: bool) -> dict[str, str]:
    """``shape`` and ``tone`` as it is; ``was``: the shape before, empty where that is the same; ``words``: all of it,
    for those who do not see shapes."""
    old, new = (_effect(server[when], protocol, side) for when in ("before", "after"))
    now = new or old
    if not now:
        return {"shape": "", "tone": "", "was": "", "words": "not read", "protocol": protocol, "side": side}
    changed = bool(old and new and old != new)
    verb = "would be" if check_mode else "now"
    words = f"{word(old)}, {verb} {word(now)}" if changed else word(now)
    return {
        "shape": _SHAPES.get(now, "unknown"),
        "tone": _tone(server, protocol, side, now, predicted=check_mode and changed),
        "was": _SHAPES.get(old, "unknown") if changed else "",
        "words": words,
        "protocol": protocol,
        "side": side,
    }


def _effect(protocols: Result | None, protocol: str, side: str) -> str:
    return str(((protocols or {}).get(protocol) or {}).get(side, {}).get("effective") or "")


def word(effect: str) -> str:
    return WORDS.get(effect, "not known")


def _tone(server: Result, protocol: str, side: str, effect: str, *, predicted: bool) -> str:
    if predicted:
        return "good"
    about = [
        item["status"]
        for item in server["findings"]
        if item["protocol"] == protocol and item["side"] == side and item["expected"] is not None
    ]
    off = effect in ("disabled", "disabled_by_default")
    if protocol == TLS12 and off and (server["glance"] is None or side in server["glance"]["wanted"]):
        return "bad"
    # absent where Windows has it on all the same is to be written, and no fault
    if any(status in VIOLATIONS for status in about) and not (protocol == TLS12 and effect == ON):
        return "warn"
    if effect == "unknown":
        return "warn"
    return "good" if "compliant" in about or (protocol == TLS12 and effect == ON) else "plain"
