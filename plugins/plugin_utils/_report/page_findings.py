# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Findings for a page: what is alike on several servers is said once, with its cure. Pure."""

from __future__ import annotations

import typing as t

from .._policy.findings import OPEN
from .values import shown

Result = t.Mapping[str, t.Any]

_SEVERITIES = ("high", "medium", "low", "info")
_WAIVED, _KNOW = "waived", "good to know"
_TONES = {"high": "bad", "medium": "warn", "low": "warn", "info": "note", _WAIVED: "note", _KNOW: "note"}
_STRAYS = ("stray.", "translated_page")


def groups(servers: t.Iterable[Result]) -> list[dict[str, t.Any]]:
    """By severity, worst first; in each, the finding that most servers have comes first."""
    found: dict[str, dict[tuple[str, ...], dict[str, t.Any]]] = {}
    for server in servers:
        for item in server["findings"]:
            if (kind := _kind(item)) is None:
                continue
            same = found.setdefault(kind, {})
            entry = same.setdefault((item["message"], item.get("waiver") or ""), {**_entry(item), "servers": []})
            entry["servers"].append(server["name"])
    order = [kind for kind in (*_SEVERITIES, _WAIVED, _KNOW) if kind in found]
    return [
        {
            "kind": kind,
            "tone": _TONES[kind],
            "findings": sorted(found[kind].values(), key=lambda item: (-len(item["servers"]), item["message"])),
        }
        for kind in order
    ]


def _kind(finding: Result) -> str | None:
    if is_stray(finding) and finding["status"] not in OPEN:
        return None
    if finding["status"] == "waived":
        return _WAIVED
    if finding["status"] in OPEN:
        return str(finding["severity"])
    return _KNOW if finding["status"] == "not_applicable" and finding["severity"] in ("high", "medium") else None


def _entry(finding: Result) -> dict[str, t.Any]:
    why = finding.get("why") or ""
    message = finding["message"]
    return {
        "title": finding["title"],
        "message": message,
        "why": "" if why in message else why,
        "key": finding["key"] or "",
        "cure": _cure(finding),
        "source": finding.get("source") or "",
        "waiver": finding.get("waiver") or "",
    }


def _cure(finding: Result) -> str:
    """What to do, where more than the message says can be said."""
    if finding["status"] == "waived":
        return ""
    if wanted := shown(finding.get("would_write")):
        return f"remove {finding['value']}" if wanted == "absent" else f"set {finding['value']} to {wanted}"
    return "remove it with tls12_strays=remove" if is_stray(finding) else ""


def is_stray(finding: Result) -> bool:
    return str(finding["id"]).startswith(_STRAYS)


def strays(servers: t.Iterable[Result]) -> list[dict[str, str]]:
    """Keys and values that Windows ignores, with what was probably meant."""
    return [
        {
            "server": server["name"],
            "key": item["key"] or "",
            "value": item["value"] or "",
            "message": item["message"],
        }
        for server in servers
        for item in server["findings"]
        if is_stray(item)
    ]
