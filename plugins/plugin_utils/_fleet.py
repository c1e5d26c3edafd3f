# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Hosts of one group held against each other: those that TLS clients meet alike, and the odd ones out. Pure."""

from __future__ import annotations

import typing as t

Result = t.Mapping[str, t.Any]


def compare(results: t.Mapping[str, Result]) -> dict[str, t.Any]:
    """Groups the hosts by effective settings. ``results``: those of tls_settings_info, by host.

    Returns ``consistent``, ``groups`` (largest first, each with ``hosts`` and ``settings``), and ``findings``: one
    for each
    setting that differs, naming the hosts that are in the minority. Hosts without a result are left out and named in
    ``unknown``.
    """
    known = {host: _settings(result) for host, result in results.items() if result and "protocols" in result}
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for host, settings in known.items():
        groups.setdefault(tuple(sorted(settings.items())), []).append(host)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[1]))
    return {
        "consistent": len(groups) <= 1,
        "groups": [{"hosts": sorted(hosts), "settings": dict(settings)} for settings, hosts in ordered],
        "findings": list(_findings(known)),
        "unknown": sorted(set(results) - set(known)),
    }


def _settings(result: Result) -> dict[str, str]:
    """What decides TLS on a host, in words: each protocol side in effect, and each other value that was read."""
    words = {
        f"{protocol} {side}": str(values["effective"])
        for protocol, sides in result["protocols"].items()
        for side, values in sides.items()
    }
    for finding in result["findings"]:
        if finding["protocol"] is None and finding["actual"] is not None and finding["status"] != "not_applicable":
            actual = finding["actual"]
            words[f"{finding['key']} [{finding['value']}]"] = str(actual["data"]) if actual["present"] else "absent"
    return words


def _findings(known: t.Mapping[str, t.Mapping[str, str]]) -> t.Iterator[dict[str, t.Any]]:
    for name in sorted({name for settings in known.values() for name in settings}):
        hosts_of: dict[str, list[str]] = {}
        for host, settings in known.items():
            hosts_of.setdefault(settings.get(name, "unknown"), []).append(host)
        if len(hosts_of) < 2:
            continue
        by_size = sorted(hosts_of.items(), key=lambda item: (-len(item[1]), item[0]))
        odd = {state: sorted(hosts) for state, hosts in by_size[1:]}
        differs = "; ".join(f"{state.replace('_', ' ')} on {', '.join(hosts)}" for state, hosts in odd.items())
        usual = by_size[0][0].replace("_", " ")
        yield {
            "id": "fleet.difference",
            "title": f"{name} differs between hosts of the group",
            "severity": "medium",
            "status": "noncompliant",
            "setting": name,
            "hosts": odd,
            "message": f"{name} is {usual} on {len(by_size[0][1])} of {len(known)} hosts, but {differs}.",
        }
