# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Settings and handshakes held against each other: is the host where it should be, and is that proven? Pure."""

from __future__ import annotations

import dataclasses
import typing as t

HANDSHAKES = ("when_reachable", "required", "never")

Result = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """``problems`` are reasons to fail, ``notes`` what a person should know.

    ``verified``: nothing is wrong, nothing waits for a restart, and every endpoint was seen to accept what it should.
    """

    verified: bool
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def verdict(
    settings: Result,
    handshakes: Result | None,
    *,
    handshake_policy: str = "when_reachable",
    judge_policy: bool = True,
    allow_pending: bool = False,
) -> Verdict:
    """The verdict on the results of tls_settings_info and tls_handshake_info.

    ``judge_policy=False`` leaves the findings out (after a rollback). With ``allow_pending`` a pending restart is a
    note, and so are handshakes that differ from the settings: they show the time before the restart.
    """
    if handshake_policy not in HANDSHAKES:
        raise ValueError(f"handshakes must be one of {', '.join(HANDSHAKES)}, not {handshake_policy!r}")
    problems: list[str] = []
    notes: list[str] = []
    pending = bool(settings["restart_pending"])
    if judge_policy:
        problems += [
            _finding(item) for item in settings["findings"] if item["status"] in ("noncompliant", "not_configured")
        ]
    if pending:
        sentence = "A restart is pending: the settings are written but not in effect."
        (notes if allow_pending else problems).append(sentence)
    proven = False
    if handshakes is not None and handshake_policy != "never":
        endpoints = handshakes["endpoints"]
        open_questions = [item for item in endpoints if item["verdict"] != "verified"]
        unproven = [f"Not proven: {item['endpoint']}: {item['error']}" for item in open_questions]
        (problems if handshake_policy == "required" else notes).extend(unproven)
        contradictions = [line for item in endpoints for line in _contradictions(item, settings)]
        (notes if pending and allow_pending else problems).extend(contradictions)
        notes.extend(line for item in endpoints for line in _asked_for(item, settings))
        proven = bool(endpoints) and not open_questions and not contradictions
        if handshake_policy == "required" and not endpoints:
            problems.append("Handshakes are required, but no endpoint is named to try them on.")
    return Verdict(proven and not problems and not pending, tuple(problems), tuple(notes))


def _finding(finding: Result) -> str:
    return f"[{finding['severity']}] {finding['message']}"


def _contradictions(endpoint: Result, settings: Result) -> t.Iterator[str]:
    """What a handshake shows that the settings rule out, or the other way round.

    An accepted version that is off in the registry is always a contradiction. A refused one only where the policy asks
    for it: programs may offer less than Windows does (Exchange SMTP has no TLS 1.3).
    """
    wanted = {
        item["protocol"]
        for item in settings["findings"]
        if item["side"] == "Server"
        and item["value"] == "Enabled"
        and (item["expected"] or {}).get("data")
        and item["status"] != "not_applicable"
    }
    for version, seen, effective in _seen(endpoint, settings):
        evidence = f"{endpoint['endpoint']} ({seen['evidence']})"
        if seen["accepted"] is True and effective in ("disabled", "unsupported"):
            yield (
                f"{version} is {effective} in the registry but was accepted by {evidence}. Either the host was not "
                "restarted since, or something else answers there, such as a load balancer."
            )
        elif seen["accepted"] is False and effective == "enabled" and version in wanted and version != "TLS 1.3":
            yield (
                f"{version} is enabled in the registry but was refused by {evidence}. Either the host was not "
                "restarted since, or its cipher suites or the service's own settings rule it out."
            )


def _asked_for(endpoint: Result, settings: Result) -> t.Iterator[str]:
    """Versions that are accepted because a program asks Windows for them, which DisabledByDefault allows."""
    for version, seen, effective in _seen(endpoint, settings):
        if seen["accepted"] is True and effective == "disabled_by_default":
            yield (
                f"{version} is only disabled by default in the registry and was accepted by {endpoint['endpoint']}: "
                "the program there asks for it. Enabled=0 would refuse it."
            )


def _seen(endpoint: Result, settings: Result) -> t.Iterator[tuple[str, Result, str]]:
    """Version, what the handshake showed, and what Windows makes of the Server side."""
    for version, seen in endpoint["versions"].items():
        server = settings["protocols"].get(version, {}).get("Server")
        if server is not None:
            yield version, seen, server["effective"]
