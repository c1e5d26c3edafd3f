# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""One server of a page by itself: what was done to it, and the raw values. Pure."""

from __future__ import annotations

import typing as t

from .._schannel.protocols import SIDES, VALUE_NAMES
from .page_matrix import word
from .values import shown

Result = t.Mapping[str, t.Any]

_STATUS = {
    "planned": "would be written",
    "written": "written",
    "not_written": "not written",
    "put_back": "put back",
    "unknown": "perhaps written",
}
_STATES = {"started": "Taken out of service", "stopped": "Brought back into service"}


def details(server: Result, check_mode: bool) -> dict[str, t.Any]:
    """What the fold of a server shows."""
    proof = server.get("proof") or {}
    problems = [item for item in proof.get("problems") or () if not item.startswith("[")]
    changes = [*server["plan"], *server["changes"]]
    return {
        "error": server["error"] or "",
        "proof": [proof["sentence"], *problems] if proof.get("sentence") else problems,
        "facts": _facts(server),
        "changes": [
            {
                "key": _short(item["key"]),
                "value": item["value"],
                "before": shown(item["before"]),
                "after": shown(item["after"]),
                "status": _STATUS.get(item["status"], item["status"]),
            }
            for item in changes
        ],
        "undone": server["undone"],
        "maintenance": [
            {"what": _STATES.get(state, state), "said": step.get("msg") or "", "steps": step.get("steps") or []}
            for state, step in (server.get("maintenance") or {}).items()
        ],
        "raw": _raw(server, check_mode),
    }


def _facts(server: Result) -> list[tuple[str, str]]:
    windows, exchange = server["facts"]["windows"] or {}, server["facts"]["exchange"] or {}
    restart = server["restart"]
    build = ".".join(str(windows[name]) for name in ("build", "ubr") if windows.get(name) is not None)
    dag = exchange.get("dag") or {}
    found = (
        ("Computer", windows.get("computer_name")),
        ("Windows", f"{windows.get('os')} (build {build})" if build else None),
        ("Exchange", exchange.get("name")),
        ("Newest build", exchange.get("newest")),
        ("DAG", dag.get("name")),
        ("Started", windows.get("last_boot")),
        ("Restarted", restart["boot_after"] if restart["made"] else None),
        ("Values before in", server["backup"]),
        ("Restored from", server.get("restored_from")),
    )
    return [(label, str(value)) for label, value in found if value]


def _short(key: str) -> str:
    r"""The end of a key: ``...\TLS 1.2\Client``."""
    parts = key.split("\\")
    bits = ["Wow6432Node"] if "wow6432node" in key.lower() else []
    return "\\".join(["…", *bits, *parts[-2:]]) if len(parts) > 3 else key


def _raw(server: Result, check_mode: bool) -> list[dict[str, t.Any]]:
    """The protocol sides that somebody has configured, each value as it is; in check mode, before what is predicted."""
    protocols = (server["before"] if check_mode else server["after"] or server["before"]) or {}
    found = []
    for name, sides in protocols.items():
        for side in SIDES:
            values = [shown((sides.get(side) or {}).get(value)) for value in VALUE_NAMES]
            if any(value not in ("", "absent") for value in values):
                effect = word(sides[side]["effective"])
                found.append({"protocol": name, "side": side, "values": values, "effective": effect})
    return found


def flows(servers: t.Iterable[Result]) -> list[dict[str, t.Any]]:
    """How much mail waits before and after, whether it leaves, and who speaks old TLS; nothing where that is not
    known."""
    found = []
    for server in servers:
        flow = server.get("mail_flow")
        if not flow:
            continue
        before, after = flow.get("before") or {}, flow.get("after") or {}
        found.append(
            {
                "server": server["name"],
                "before": _queued(before),
                "after": _queued(after),
                "word": (flow.get("outgoing") or {}).get("word") or "",
                "outgoing": _told(flow.get("outgoing") or {}),
                "senders": list(before.get("senders") or ()),
            }
        )
    return found


def _queued(flow: Result) -> str:
    if flow.get("queued") is None:
        return "not known"
    waiting = f", {flow['waiting']} after an error" if flow.get("waiting") else ""
    return f"{flow['queued']}{waiting}"


def _told(outgoing: Result) -> str:
    notes = [str(note).rstrip(".") for note in outgoing.get("notes") or ()]
    return "; ".join([str(outgoing.get("sentence") or "not looked at"), *notes])
