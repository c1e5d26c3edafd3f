# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What the logs tell, for people and for tasks: the peers that old TLS is all they speak, and mail in plain text.
Pure."""

from __future__ import annotations

import itertools
import typing as t

from . import tally, words
from .peers import FEW, listed
from .reading import Found
from .tally import Place, What
from .words import OLD, SEND

Result = dict[str, t.Any]
# Rows of a result, those first that people must look into.
MOST_ROWS = 1000
_OTHERS = "(other peers)"
# What shows that mail went unencrypted although TLS was tried.
_FALLBACK = frozenset({tally.FAILED, tally.REQUIRED, tally.CHAIN})


class Row(t.NamedTuple):
    place: Place
    counts: dict[What, int]


def as_result(found: Found, most_rows: int = MOST_ROWS) -> Result:
    """The result of smtp_log_info, of what :func:`reading.read` has found."""
    rows = _rows(found.tally.counts)
    outside = [row for row in rows if not row.place.inside]
    failing = _failing(rows)
    shown = sorted(rows, key=lambda row: not _matters(row))[:most_rows]
    days = [row.place.day for row in rows]
    return {
        "complete": found.stopped is None and not found.unread,
        "stopped": found.stopped,
        "files": found.files,
        "servers": sorted(found.servers),
        "bytes": found.size,
        "lines": found.lines,
        "damaged_lines": found.damaged,
        "lines_without_tls_fields": found.without_tls_fields,
        "other_files": found.others[:MOST_ROWS],
        "sessions_not_followed": found.unfollowed,
        "sessions_without_name": found.tally.unnamed,
        "first_day": _text(min(days)) if days else None,
        "last_day": _text(max(days)) if days else None,
        "old_tls": old_peers(outside),
        "inside_old_tls": old_peers([row for row in rows if row.place.inside]),
        "plain_text": _plain(outside, failing),
        # not "failed", which would be a failure of the task
        "failures": _failed(outside),
        "rows": [_row(row, failing) for row in shown],
        "rows_left_out": max(0, len(rows) - most_rows),
    }


def _rows(counts: tally.Counts) -> list[Row]:
    rows: dict[Place, dict[What, int]] = {}
    for (place, what), number in counts.items():
        rows.setdefault(place, {})[what] = number
    return [Row(place, rows[place]) for place in sorted(rows)]


def _matters(row: Row) -> bool:
    return any(what.kind not in tally.ORDINARY and (what.kind != tally.TLS or what.name in OLD) for what in row.counts)


def _row(row: Row, failing: t.Container[Place]) -> Result:
    place, kinds = row.place, dict[str, int]()
    for what, number in row.counts.items():
        kinds[what.kind] = kinds.get(what.kind, 0) + number
    return {
        **_where(place),
        "connector": _text(place.connector),
        "day": _text(place.day),
        "inside": place.inside,
        "sessions": kinds,
        "versions": _sums(row.counts, tally.TLS),
        "ciphers": _sums(row.counts, tally.TLS, by_detail=True),
        "errors": _sums(row.counts, tally.FAILED),
        "fallback": _is_fallback(row, failing),
    }


def _failing(rows: t.Iterable[Row]) -> set[Place]:
    """Where TLS was tried and failed; for what we send also with whatever address by the same connector."""
    places = {row.place for row in rows if any(what.kind in _FALLBACK for what in row.counts)}
    return places | {_by_connector(place) for place in places if place.direction == SEND}


def _is_fallback(row: Row, failing: t.Container[Place]) -> bool:
    plain = {what.name for what in row.counts if what.kind == tally.PLAIN_MAIL}
    if not plain or row.place in failing:
        return bool(plain)
    # a receiver has several addresses, of which the next one is tried; a connector has many receivers, and who is not
    # known to have STARTTLS is none that TLS failed with
    return row.place.direction == SEND and tally.OFFER in plain and _by_connector(row.place) in failing


def _by_connector(place: Place) -> Place:
    return place._replace(peer=tally.UNNAMED)


def old_peers(rows: t.Iterable[Row]) -> list[Result]:
    """Who has spoken TLS older than 1.2, by server, direction and peer, with the last day of each and of newer TLS."""
    found: dict[tuple[str, str, bytes], Result] = {}
    for row in rows:
        place = row.place
        old = {name: number for name, number in _sums(row.counts, tally.TLS).items() if name in OLD}
        key = (place.server, place.direction, place.peer)
        if not old and key not in found:
            continue
        item = found.setdefault(
            key,
            {**_where(place), "connectors": [], "versions": {}, "sessions": 0, "last_day": "", "newer_day": None},
        )
        day, connector = _text(place.day), _text(place.connector)
        if old:
            if connector not in item["connectors"]:
                item["connectors"].append(connector)
            for name, number in old.items():
                item["versions"][name] = item["versions"].get(name, 0) + number
                item["sessions"] += number
            item["last_day"] = max(item["last_day"], day)
        if any(what.kind == tally.TLS and what.name not in (*OLD, words.UNKNOWN) for what in row.counts):
            item["newer_day"] = max(item["newer_day"] or "", day)
    return sorted(found.values(), key=lambda item: (-item["sessions"], item["peer"], item["direction"]))


def _plain(rows: t.Iterable[Row], failing: t.Container[Place]) -> list[Result]:
    """Whose mail went in plain text, or whose passwords."""
    found = (row for row in rows if any(what.kind in (tally.PLAIN_MAIL, tally.PLAIN_LOGIN) for what in row.counts))
    return [
        {
            **_where(row.place),
            "connector": _text(row.place.connector),
            "day": _text(row.place.day),
            "mails": _sums(row.counts, tally.PLAIN_MAIL),
            "logins": row.counts.get(What(tally.PLAIN_LOGIN), 0),
            "fallback": _is_fallback(row, failing),
        }
        for row in itertools.islice(found, MOST_ROWS)
    ]


def _failed(rows: t.Iterable[Row]) -> list[Result]:
    """Negotiations that failed, and STARTTLS that was wanted and not there."""
    found = []
    for row in rows:
        errors = [
            {
                "error": name,
                "count": number,
                "fault": words.error_class(name).kind,
                "recorded": words.error_class(name).recorded,
            }
            for name, number in _sums(row.counts, tally.FAILED).items()
        ]
        withdrawn, required = row.counts.get(What(tally.CHAIN), 0), row.counts.get(What(tally.REQUIRED), 0)
        not_offered = row.counts.get(What(tally.NOT_OFFERED), 0)
        if errors or withdrawn or required or not_offered:
            found.append(
                {
                    **_where(row.place),
                    "connector": _text(row.place.connector),
                    "day": _text(row.place.day),
                    "errors": errors,
                    "starttls_required": required,
                    "starttls_not_offered": not_offered + withdrawn,
                    "starttls_withdrawn": withdrawn,
                }
            )
    return found[:MOST_ROWS]


def _where(place: Place) -> Result:
    peer = _text(place.peer) if place.peer != tally.UNNAMED else _OTHERS
    return {"server": place.server, "direction": place.direction, "peer": peer}


def _sums(counts: t.Mapping[What, int], kind: str, *, by_detail: bool = False) -> dict[str, int]:
    found: dict[str, int] = {}
    for what in sorted(what for what in counts if what.kind == kind):
        name = (what.detail or words.UNKNOWN) if by_detail else what.name
        found[name] = found.get(name, 0) + counts[what]
    return found


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _looked_at(result: Result) -> str:
    looked_at = f"{result['lines']} lines of {result['files']} files"
    if result["first_day"] is None:
        return f"{looked_at}, which show no session."
    return f"{looked_at}, from {result['first_day']} to {result['last_day']}."


def summary(result: Result) -> str:
    """The result in a few sentences."""
    old, plain = result["old_tls"], result["plain_text"]
    stopped = result["stopped"]
    names = sorted({item["peer"] for item in plain})
    parts = [
        _looked_at(result),
        f"{len(old)} peers with TLS older than 1.2: {listed(old)}." if old else "",
        # what shows no session at all shows nothing of peers
        "No peer with TLS older than 1.2." if not old and result["first_day"] else "",
        f"{result['lines_without_tls_fields']} lines of IIS do not tell: their site does not log all of "
        "crypt-protocol, date and c-ip."
        if result["lines_without_tls_fields"]
        else "",
        f"Plain text with {len(names)} peers: {', '.join(names[:FEW])}{', ...' if len(names) > FEW else ''}."
        if plain
        else "",
        f"Stopped in {stopped['file']} at byte {stopped['byte']}, by the limit of {stopped['limit']}."
        if stopped
        else "",
        "" if result["complete"] or stopped else "Not all files could be read, see other_files.",
        f"{result['damaged_lines']} damaged lines were skipped." if result["damaged_lines"] else "",
    ]
    return " ".join(filter(None, parts))
