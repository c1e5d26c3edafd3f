# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Hosts of one group held against each other: those that TLS clients meet alike, and the odd ones out. Pure."""

from __future__ import annotations

import typing as t

from .._schannel.values import Value

Result = t.Mapping[str, t.Any]
# What a host has that the rule does not concern; it differs from nothing.
_NOT_CONCERNED = "not applicable"


def compare(results: t.Mapping[str, Result]) -> dict[str, t.Any]:
    """Groups the hosts by effective settings. ``results``: those of tls_settings_info, by host.

    Returns ``consistent``, ``groups`` (largest first, each with ``hosts`` and the ``settings`` that they share), and
    ``findings``: one for each setting that differs, naming the hosts that are in the minority. Hosts without a result
    are left out and named in ``unknown``.
    """
    known = {host: _settings(result) for host, result in results.items() if result and "protocols" in result}
    findings = list(_findings(known))
    differing = [finding["setting"] for finding in findings]
    groups: dict[tuple[str, ...], list[str]] = {}
    for host in sorted(known):
        groups.setdefault(tuple(known[host].get(name, _NOT_CONCERNED) for name in differing), []).append(host)
    return {
        "consistent": not findings,
        "groups": [
            {"hosts": hosts, "settings": _shared([known[host] for host in hosts])}
            for hosts in sorted(groups.values(), key=lambda item: (-len(item), item))
        ],
        "findings": findings,
        "unknown": sorted(set(results) - set(known)),
    }


def _shared(settings: t.Sequence[t.Mapping[str, str]]) -> dict[str, str]:
    first = settings[0]
    return {name: word for name, word in first.items() if all(item.get(name) == word for item in settings)}


def _settings(result: Result) -> dict[str, str]:
    """What decides TLS on a host, in words: each protocol side in effect, and each other value that was read."""
    words = {
        f"{protocol} {side}": str(values["effective"])
        for protocol, sides in result["protocols"].items()
        for side, values in sides.items()
    }
    for finding in result["findings"]:
        if finding["protocol"] is None and finding["expected"] is not None:
            concerned = finding["status"] != "not_applicable"
            word = str(Value.from_result(finding["actual"])) if concerned else _NOT_CONCERNED
            words[f"{finding['key']} [{finding['value']}]"] = word
    return words


def _findings(known: t.Mapping[str, t.Mapping[str, str]]) -> t.Iterator[dict[str, t.Any]]:
    for name in sorted({name for settings in known.values() for name in settings}):
        hosts_of: dict[str, list[str]] = {}
        for host, settings in known.items():
            if settings.get(name, _NOT_CONCERNED) != _NOT_CONCERNED:
                hosts_of.setdefault(settings[name], []).append(host)
        if len(hosts_of) < 2:
            continue
        by_size = sorted(hosts_of.items(), key=lambda item: (-len(item[1]), item[0]))
        odd = {state: sorted(hosts) for state, hosts in by_size[1:]}
        differs = "; ".join(f"{_spoken(state)} on {', '.join(hosts)}" for state, hosts in odd.items())
        usual, hosts = by_size[0]
        concerned = sum(map(len, hosts_of.values()))
        yield {
            "id": "fleet.difference",
            "title": f"{name} differs between hosts of the group",
            "severity": "medium",
            "status": "noncompliant",
            "setting": name,
            "hosts": odd,
            "message": f"{name} is {_spoken(usual)} on {len(hosts)} of {concerned} hosts, but {differs}.",
        }


def _spoken(state: str) -> str:
    return state if state.startswith("REG_") else state.replace("_", " ")
