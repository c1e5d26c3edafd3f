# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The settings of a server at a glance: small enough for the result of a task that failed. Pure."""

from __future__ import annotations

import re
import typing as t

from .._judgement import verdicts
from .._policy.findings import VIOLATIONS
from .._schannel.protocols import SIDES, TLS12, generation
from .._text import NAME, visible

Result = t.Mapping[str, t.Any]
# Areas that are not named like a protocol, by the beginning of the ids of their findings.
_AREAS = {
    "dotnet_v4": ".NET 4",
    "dotnet_v2": ".NET 2",
    "winhttp": "WinHTTP",
    "renegotiation": "Renegotiation",
    "cipher_suites": "Cipher suites",
    "dh_min_key_length": "Diffie-Hellman keys",
}
SHOWN = ("TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")


_LEFT_OUT = "exchange.left_out"


def overview(settings: Result) -> dict[str, t.Any]:
    """``windows``: its version; ``protocols``: what each TLS version is in effect, for Client and Server; ``default``:
    the sides on which nobody has configured TLS 1.2; ``wanted``: those on which the policy asks for it and no waiver
    lets it off; ``dotnet``: whether .NET 4 is as the policy wants it, None where it asks for nothing; ``install``: the
    update that Exchange needs before settings can help, None where it needs none; ``left_out``: whether a run that was
    cut off has left the server out of service. ``wrong``,
    ``missing``, ``waived``, ``odd`` and ``updates`` (what is said of Exchange and updates, and counts against nobody):
    lines for people; ``counts``: findings by status, those that have a value to
    write."""
    host, protocols, findings = settings["host"], settings["protocols"], settings["findings"]
    asked = [item for item in findings if item["expected"] is not None]
    wrong = [item for item in asked if item["status"] == "noncompliant"]
    missing = [item for item in asked if item["status"] == "not_configured"]
    wished = [side for side in SIDES if verdicts.wanted(settings, side)]
    let_off = [side for side in wished if _is_let_off(findings, side)]
    return {
        "windows": generation(host["build"]) or str(host["build"]),
        "protocols": {name: {side: protocols[name][side]["effective"] for side in SIDES} for name in SHOWN},
        "default": [side for side in SIDES if protocols[TLS12][side]["state"] == "not_configured"],
        "wanted": [side for side in wished if side not in let_off],
        "dotnet": _dotnet(findings),
        "install": _install(settings),
        "wrong": _grouped(wrong),
        "missing": _grouped(missing),
        "waived": _waived(asked),
        "odd": [
            *_off_by_waiver(protocols[TLS12], let_off),
            *_expired(findings),
            *(visible(item["message"], 220) for item in findings if _is_odd(item)),
            *_beside_their_place(findings),
        ],
        "left_out": any(item["id"] == _LEFT_OUT for item in findings),
        "updates": [visible(item["message"], 220) for item in findings if _is_said(item) and item["id"] != _LEFT_OUT],
        "counts": {
            "wrong": len(wrong),
            "missing": len(missing),
            "unknown": sum(item["status"] == "unknown" for item in asked),
        },
    }


def _dotnet(findings: t.Iterable[Result]) -> bool | None:
    asked = [item["status"] for item in findings if item["id"].startswith("dotnet_v4.") and item["expected"]]
    return all(status in ("compliant", "not_applicable") for status in asked) if asked else None


def _install(settings: Result) -> str | None:
    too_old = [
        item
        for item in settings["findings"]
        if item["status"] in VIOLATIONS
        and str(item["id"]).startswith("exchange.")
        and str(item["id"]).endswith("_build")
    ]
    return str(settings["exchange"]["newest"] or "a version of Exchange that is supported") if too_old else None


def _is_let_off(findings: t.Iterable[Result], side: str) -> bool:
    """Whether a waiver accepts a value that turns TLS 1.2 off."""
    return any(item["status"] == "waived" and item["protocol"] == TLS12 and item["side"] == side for item in findings)


def _off_by_waiver(sides: Result, let_off: t.Iterable[str]) -> list[str]:
    off = [side for side in let_off if sides[side]["effective"] in ("disabled", "disabled_by_default")]
    return [f"TLS 1.2 {' and '.join(off)} is not on, and a waiver accepts that"] if off else []


def _waived(asked: t.Iterable[Result]) -> list[str]:
    """What is accepted as it is, with the reason."""
    by_waiver: dict[str, list[Result]] = {}
    for item in asked:
        if item["status"] == "waived":
            by_waiver.setdefault(str(item["waiver"]), []).append(item)
    return [
        f"{line} ({visible(waiver.removeprefix('waived').lstrip(': '), 120)})"
        for waiver, items in by_waiver.items()
        for line in _grouped(items)
    ]


def _expired(findings: t.Iterable[Result]) -> list[str]:
    """The waivers that no longer count, each once."""
    told = (item.get("waiver") for item in findings if item["status"] in VIOLATIONS and item.get("waiver"))
    return list(dict.fromkeys(visible(text, 220) for text in told))


def _is_odd(finding: t.Mapping[str, t.Any]) -> bool:
    """Something that people should see although the policy has no value for it: strays, wrong types, unknowns."""
    if finding["status"] == "unknown":
        return True
    if finding["expected"] is not None or finding["status"] in ("compliant", "waived") or _is_said(finding):
        return False
    if finding["id"].endswith((".half_configured", ".one_side", ".nonstandard", ".mismatch")):
        return False  # what is missing or wrong says so already
    return finding["status"] == "noncompliant" or finding["severity"] in ("high", "medium")


def _is_ignored(finding: Result) -> bool:
    """Something with a name that Windows does not look for, and that does no harm where it is."""
    identity = str(finding["id"])
    is_such = identity.startswith(("stray.", "dotnet_beside")) or identity.endswith("_unknown_name")
    return is_such and finding["status"] == "not_applicable" and not _is_odd(finding)


# Of what Windows ignores, those that a last screen names.
_NAMED = 5


def _beside_their_place(findings: t.Sequence[Result]) -> list[str]:
    """What Windows ignores and what nothing worse is said of: a line each for the first, and the number of the rest."""
    told = [f"{item['key']}\\".lower() for item in findings if _is_odd(item)]
    lines = [
        visible(item["message"], 220)
        for item in findings
        if _is_ignored(item) and not any(place.startswith(f"{item['key']}\\".lower()) for place in told)
    ]
    more = len(lines) - _NAMED
    what = "key or value" if more == 1 else "keys and values"
    return [*lines[:_NAMED], *([f"{more} more {what} that Windows ignores"] if more > 0 else [])]


def _is_said(finding: t.Mapping[str, t.Any]) -> bool:
    """Something about Exchange or updates that is no violation."""
    is_about = str(finding["id"]).startswith(verdicts.BESIDE)
    return is_about and finding["status"] == "not_applicable" and finding["severity"] == "medium"


def _grouped(findings: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """Findings by protocol or area: ``TLS 1.2 Client and Server: Enabled 0, want 1``."""
    values: dict[str, dict[str, dict[str, list[str]]]] = {}
    for item in findings:
        area, part = _place(item)
        said = f"{_data(item['actual'])}, want {_data(item['expected'])}"
        names = values.setdefault(area, {}).setdefault(part, {}).setdefault(said, [])
        name = visible(item["value"] or "", NAME)
        if name not in names:
            names.append(name)
    lines = []
    for area, parts in values.items():
        same: dict[str, list[str]] = {}
        for part, saying in parts.items():
            # values that share what is there and what is wanted are named together
            text = "; ".join(f"{', '.join(names)} {said}" for said, names in saying.items())
            same.setdefault(text, []).append(part)
        for text, sharing in same.items():
            where = " and ".join(part for part in sharing if part)
            lines.append(f"{area}{f' {where}' if where else ''}: {text}")
    return lines


def _place(finding: t.Mapping[str, t.Any]) -> tuple[str, str]:
    """The area that a finding is about, and the part of it."""
    if finding["protocol"]:
        return str(finding["protocol"]), str(finding["side"] or "")
    area = str(finding["id"]).partition(".")[0]
    bits = re.search(r"\.(64|32)\.", str(finding["id"]))
    return _AREAS.get(area) or str(finding["title"]).partition(": ")[0], f"{bits[1]} bit" if bits else ""


def _data(value: t.Mapping[str, t.Any] | None) -> str:
    if not value or not value.get("present"):
        return "absent"
    data = value.get("data")
    if value.get("type") == "REG_DWORD":
        return str(data)
    if value.get("type") == "OTHER":
        return "of a type that WMI cannot read"
    return visible(f"{value.get('type')} {data!r}", 60)
