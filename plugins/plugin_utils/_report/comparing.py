# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What has changed from one result to a later one. Pure."""

from __future__ import annotations

import typing as t

from .._policy.findings import VIOLATIONS, Status
from .._schannel.protocols import SIDES
from .._text import NAME, visible

Result = t.Mapping[str, t.Any]


def compare(earlier: Result, later: Result) -> dict[str, t.Any]:
    """``servers``: for each server where something changed its ``state``, findings that are ``new``, ``gone``, or
    ``waived`` since, and the ``protocols`` whose effect is another; ``appeared`` and ``disappeared``: names; ``same``:
    how many did not change; ``lines``: the same for people. A server that could not be read the second time has lost
    no finding."""
    before = {item["name"]: item for item in earlier["servers"]}
    after = {item["name"]: item for item in later["servers"]}
    servers, same = [], 0
    for name in sorted(before.keys() & after.keys()):
        found = _server(name, before[name], after[name])
        servers += [found] if found else []
        same += not found
    appeared, disappeared = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
    compared = {
        "from": {"id": earlier["run"]["id"], "ended": earlier["run"]["ended"]},
        "to": {"id": later["run"]["id"], "ended": later["run"]["ended"]},
        "servers": servers,
        "appeared": appeared,
        "disappeared": disappeared,
        "same": same,
    }
    return {**compared, "lines": list(_lines(compared))}


def _server(name: str, before: Result, after: Result) -> dict[str, t.Any] | None:
    old, new = _found(before, VIOLATIONS), _found(after, VIOLATIONS)
    # what a waiver accepts is there as before, and what nobody could look at may be
    waived, unknown = _found(after, (Status.WAIVED,)), _found(after, (Status.UNKNOWN,))
    kept = new.keys() | waived.keys() | unknown.keys()
    was_read = bool(after["findings"])
    found = {
        "state": {"from": before["state"], "to": after["state"]} if before["state"] != after["state"] else None,
        "new": [new[key] for key in new if key not in old] if before["findings"] else [],
        "gone": [old[key] for key in old if key not in kept] if was_read else [],
        "waived": [old[key] for key in old if key in waived],
        "protocols": _protocols(before, after),
    }
    return {"name": name, **found} if any(found.values()) else None


def _found(server: Result, statuses: t.Container[str]) -> dict[tuple[str, ...], dict[str, str]]:
    """The findings with one of these statuses, by what they are about."""
    return {
        (item["id"], str(item["key"]), str(item["value"])): {
            "id": item["id"],
            "severity": item["severity"],
            "message": item["message"],
        }
        for item in server["findings"]
        if item["status"] in statuses
    }


def _protocols(before: Result, after: Result) -> list[dict[str, str]]:
    old, new = _effects(before), _effects(after)
    return [
        {"protocol": protocol, "side": side, "from": old[protocol, side], "to": new[protocol, side]}
        for protocol, side in old
        if (protocol, side) in new and old[protocol, side] != new[protocol, side]
    ]


def _effects(server: Result) -> dict[tuple[str, str], str]:
    """As the run has left it; what check mode predicts has not happened."""
    predicted = bool(server["plan"])
    found = (server["before"] if predicted else server["after"] or server["before"]) or {}
    return {(name, side): sides[side]["effective"] for name, sides in found.items() for side in SIDES if side in sides}


def _lines(compared: Result) -> t.Iterator[str]:
    for item in compared["servers"]:
        name = visible(item["name"], NAME)
        if item["state"]:
            yield f"{name}: was {item['state']['from']}, is {item['state']['to']}"
        for change in item["protocols"]:
            words = (change[key].replace("_", " ") for key in ("from", "to"))
            yield f"{name}: {visible(change['protocol'], NAME)} {change['side']}: was {', is '.join(words)}"
        yield from (f"{name}: new: {visible(finding['message'])}" for finding in item["new"])
        yield from (f"{name}: gone: {visible(finding['message'])}" for finding in item["gone"])
        yield from (f"{name}: accepted by a waiver: {visible(finding['message'])}" for finding in item["waived"])
    for word in ("appeared", "disappeared"):
        if compared[word]:
            yield f"{word}: {', '.join(visible(name, NAME) for name in compared[word])}"
    yield f"{compared['same']} {'server' if compared['same'] == 1 else 'servers'} unchanged"
