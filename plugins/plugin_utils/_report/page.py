# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""A result as the parts of a page: what the template shows, in its order. Pure; knows no HTML."""

from __future__ import annotations

import typing as t

from . import standing
from .page_findings import groups, strays
from .page_matrix import columns, row
from .page_proof import endpoint_rows
from .page_servers import details, flows

Result = t.Mapping[str, t.Any]

_BAD, _WARN, _NOTE, _GOOD = "bad", "warn", "note", "good"
_TONES = {
    **dict.fromkeys((standing.BROKEN, standing.OUT, standing.FAILED, standing.UNREACHABLE, standing.MAIL_WAITS), _BAD),
    **dict.fromkeys((standing.RESTORED, standing.FINE, standing.VERIFIED), _GOOD),
    standing.ODD: _NOTE,
}
_MEANS = {
    standing.BROKEN: "TLS 1.2 is off where it is wanted: mail with Office 365 most likely stands still",
    standing.OUT: "a run that was cut off has left it out of service: no mail goes through it",
    standing.FAILED: "the run failed there, or a handshake contradicts the registry",
    standing.UNREACHABLE: "could not be reached",
    standing.UNKNOWN: "something could not be read, or nobody can tell what Windows makes of it",
    standing.WRONG: "a setting is there and wrong",
    standing.TOO_OLD: "Exchange needs an update before settings can help",
    standing.MAIL_WAITS: "TLS 1.2 is on, and mail does not leave since the restart",
    standing.PENDING: "written, and not in effect until Windows is restarted",
    standing.NOT_READ: "its settings were not read",
    standing.NOT_PROVEN: "right in the registry, and no handshake has shown it",
    standing.TO_WRITE: "settings are absent that are asked for",
    standing.ODD: "as wanted, with something that Windows ignores or a waiver accepts",
    standing.RESTORED: "the values of a backup are back",
    standing.FINE: "every setting that was asked for is there",
    standing.VERIFIED: "TLS 1.2 is on, in effect, and was accepted by handshakes (incoming)",
}


def tone(state: str) -> str:
    """``bad``, ``warn``, ``note`` or ``good``: a colour and a shape."""
    return _TONES.get(state, _WARN)


def view(result: Result) -> dict[str, t.Any]:
    """Everything that the template reads."""
    servers, run = result["servers"], result["run"]
    # a fragment of an address: names of servers may hold anything
    ids = {server["name"]: f"server-{number}" for number, server in enumerate(servers, 1)}
    shown = columns(servers)
    head = {
        name: {"name": name, "anchor": ids[name], "verdict": item["verdict"], "tone": tone(item["state"])}
        for name, item in zip(ids, servers, strict=True)
    }
    rows = [{**head[item["name"]], **row(item, shown, run["check_mode"])} for item in servers]
    return {
        **_headline(result),
        "run": run,
        "facts": _facts(run, result["servers"]),
        "variables": list(run["variables"].items()),
        "tiles": _tiles(result),
        "columns": shown,
        "rows": rows,
        "has_exchange": any(item["exchange"] for item in rows),
        **endpoint_rows(servers, head, run["check_mode"]),
        "groups": groups(servers),
        "strays": strays(servers),
        "flows": flows(servers),
        "not_reached": result["not_reached"],
        "not_touched": result["not_touched"],
        "details": [{**head[item["name"]], **details(item, run["check_mode"])} for item in servers],
    }


def _headline(result: Result) -> dict[str, t.Any]:
    total, states = result["totals"]["servers"], result["totals"]["states"]
    fine = sum(number for state, number in states.items() if tone(state) in (_GOOD, _NOTE))
    left = total - fine
    plural = "server" if total == 1 else "servers"
    if not total:
        return {"tone": _WARN, "headline": "No server was read."}
    if not left:
        proven = states.get(standing.VERIFIED) == total
        whole = "The server is" if total == 1 else f"All {total} servers are"
        return {
            "tone": _GOOD,
            "headline": f"{whole} {'verified: TLS 1.2 is on and in effect' if proven else 'as wanted'}.",
        }
    worst = _BAD if any(tone(state) == _BAD for state in states) else _WARN
    need = "needs" if left == 1 else "need"
    if total == 1:
        return {"tone": worst, "headline": "The server needs attention."}
    return {"tone": worst, "headline": f"{left} of {total} {plural} {need} attention."}


def _facts(run: Result, servers: t.Sequence[Result]) -> list[tuple[str, str]]:
    done = sum(_is_changed(item, run["check_mode"]) for item in servers)
    what = f"{done} server{' was' if done == 1 else 's were'} changed or restarted" if done else "nothing was changed"
    versions = run["versions"]
    found = [
        ("Playbook", run["playbook"] or "not known"),
        ("Done", f"check mode: {what}" if run["check_mode"] else what),
        ("Began", _moment(run["began"])),
        ("Ended", _moment(run["ended"]) + (", interrupted" if run["ended_by"] == "interrupt" else "")),
        ("Versions", ", ".join(f"{name} {versions[name]}" for name in versions)),
    ]
    merged = run["merged_from"]
    return [*found, ("Merged from", ", ".join(merged))] if merged else found


def _is_changed(server: Result, check_mode: bool) -> bool:
    if server["changes"] or server["changed"] or server["restart"]["made"]:
        return True
    # in check mode that is what would be done
    return not check_mode and any(step.get("changed") for step in (server.get("maintenance") or {}).values())


def _moment(text: str) -> str:
    return text.replace("T", " ").replace("Z", " UTC")


def _tiles(result: Result) -> list[dict[str, t.Any]]:
    states = result["totals"]["states"]
    tiles = [
        {"count": states[state], "label": state, "tone": tone(state), "means": _MEANS.get(state, "")}
        for state in sorted(states, key=standing.rank_of)
    ]
    if result["not_touched"]:
        means = "the run ended before it came to them"
        tiles.append({"count": len(result["not_touched"]), "label": "not touched", "tone": _WARN, "means": means})
    return tiles
