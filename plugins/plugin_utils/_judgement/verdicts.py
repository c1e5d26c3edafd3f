# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Settings and handshakes held against each other: what was proven, by what, and for which side. Pure.

A handshake from the controller meets the Server side: incoming mail. What the host offers when it connects to others,
the Client side, shows in no handshake that anybody but Office 365 could try; the registry in effect stands for it, and
the words say so.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._policy.findings import VIOLATIONS
from .._schannel.protocols import SIDES, TLS12
from .handshakes import NEVER, POLICIES, REQUIRED, WHEN_REACHABLE, accepted

Result = t.Mapping[str, t.Any]

# The words of a verdict, worst first. Only VERIFIED is proof.
WRONG = "wrong"  # a problem: the run fails
PENDING = "pending"  # written, not in effect, and that was asked for
UNKNOWN = "unknown"  # nobody can tell what Windows makes of the values
NOT_PROVEN = "not_proven"  # right in the registry, and no handshake has said so
INCOMING_ONLY = "incoming_only"  # proven for the Server side; the Client side is not asked about
NOT_ASKED = "not_asked"  # as asked, and TLS 1.2 was not asked for
RESTORED = "restored"  # the old values are back
VERIFIED = "verified"

# How the ids of findings begin that are about Exchange and updates, not about settings.
BESIDE = ("exchange.", "windows.")
# An Exchange that cannot do TLS 1.2 in all its parts is not proven to by one that can.
_TOO_OLD = "exchange.tls12_build"

OUTGOING = "send a mail to Office 365 and look for TLS 1.2 in the protocol log of the Send connector"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """``problems`` are reasons to fail, ``notes`` what a person should know, ``sentence`` is for people.

    ``word``: one of the words above. ``endpoints``: whether each that was tried accepts TLS 1.2, None where that
    is open.
    """

    word: str
    sentence: str
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    endpoints: t.Mapping[str, bool | None] = dataclasses.field(default_factory=dict)

    @property
    def incoming(self) -> tuple[str, ...]:
        """The endpoints that were seen to accept TLS 1.2."""
        return tuple(name for name, answer in self.endpoints.items() if answer)

    @property
    def verified(self) -> bool:
        return self.word == VERIFIED

    def as_result(self) -> dict[str, t.Any]:
        return {
            "verified": self.verified,
            "word": self.word,
            "sentence": self.sentence,
            "incoming": list(self.incoming),
            "endpoints": dict(self.endpoints),
            "problems": list(self.problems),
            "notes": list(self.notes),
        }


def verdict(
    settings: Result,
    handshakes: Result | None,
    *,
    handshake_policy: str = WHEN_REACHABLE,
    judge_policy: bool = True,
    allow_pending: bool = False,
    lost: t.Sequence[str] = (),
    not_back: t.Sequence[str] = (),
) -> Verdict:
    """The verdict on the results of tls_settings_info and tls_handshake_info.

    ``judge_policy=False`` leaves the findings out (after a rollback). With ``allow_pending`` a pending restart is a
    note, and so are handshakes that differ from the settings: they show the time before the restart. ``lost``:
    endpoints that accepted TLS 1.2 before and no longer do. ``not_back``: values that a rollback should have restored.
    """
    if handshake_policy not in POLICIES:
        raise ValueError(f"handshakes must be one of {', '.join(POLICIES)}, not {handshake_policy!r}")
    pending = bool(settings["restart_pending"])
    tried = () if handshakes is None or handshake_policy == NEVER else tuple(handshakes["endpoints"])
    excused = pending and allow_pending
    problems: list[str] = []
    notes: list[str] = []

    if judge_policy:
        wrong = [item for item in settings["findings"] if item["status"] in VIOLATIONS]
        problems += [_finding(item) for item in wrong if not _is_beside(item)]
        notes += [str(item["message"]) for item in wrong if _is_beside(item)]
    problems += [f"Not restored: {item}." for item in not_back]
    if lost:
        problems.append(f"TLS 1.2 was accepted before and no longer is by {', '.join(lost)}.")
    if pending:
        sentence = "A restart is pending: the settings are written but not in effect."
        (notes if allow_pending else problems).append(sentence)
    unproven = [_unproven(item) for item in tried if accepted(item) is None]
    (problems if handshake_policy == REQUIRED and not excused else notes).extend(unproven)
    if handshake_policy == REQUIRED and not tried:
        problems.append("Handshakes are required, but no endpoint is named to try them on ('prove.endpoints').")
    (notes if excused else problems).extend(line for item in tried for line in _contradictions(item, settings))
    notes.extend(line for item in tried for line in _asked_for(item, settings))

    endpoints = {str(item["endpoint"]): accepted(item) for item in tried}
    incoming = [name for name, answer in endpoints.items() if answer]
    word = WRONG if problems else _word(settings, endpoints, pending, judge_policy)
    sentence = _sentence(word, settings, incoming, problems, handshake_policy)
    return Verdict(word, sentence, tuple(problems), tuple(notes), endpoints)


def _is_beside(finding: Result) -> bool:
    """Whether it is about Exchange and updates: no setting, and no handshake, can help with that."""
    return str(finding["id"]).startswith(BESIDE)


def wanted(settings: Result, side: str, protocol: str = TLS12) -> bool:
    """Whether the policy asks that this side has the protocol on."""
    return any(
        item["protocol"] == protocol
        and item["side"] == side
        and item["value"] == "Enabled"
        and (item["expected"] or {}).get("data")
        and item["status"] != "not_applicable"
        for item in settings["findings"]
    )


def _word(settings: Result, endpoints: t.Mapping[str, bool | None], pending: bool, judge_policy: bool) -> str:
    if pending:
        return PENDING
    if not judge_policy:
        return RESTORED
    asked = [side for side in SIDES if wanted(settings, side)]
    if not asked:
        return NOT_ASKED
    effects = {_effect(settings, side) for side in asked}
    if "unknown" in effects or any(
        item["status"] == "unknown" and item["expected"] is not None for item in settings["findings"]
    ):
        return UNKNOWN
    if any(item["id"] == _TOO_OLD and item["status"] in VIOLATIONS for item in settings["findings"]):
        return NOT_PROVEN
    if effects != {"enabled"} or not endpoints or not all(endpoints.values()) or "Server" not in asked:
        return NOT_PROVEN
    return VERIFIED if "Client" in asked else INCOMING_ONLY


def _sentence(
    word: str, settings: Result, incoming: t.Sequence[str], problems: t.Sequence[str], handshake_policy: str
) -> str:
    accepted = f"incoming TLS 1.2 accepted by {', '.join(incoming)}" if incoming else ""
    if word == WRONG:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return f"NO: {problems[0]}{more}"
    if word == PENDING:
        return "not yet: a restart is pending, and handshakes show the time before it"
    if word == VERIFIED:
        return f"verified by handshake: {accepted}; outgoing TLS 1.2 is on and in effect by the registry"
    if word == INCOMING_ONLY:
        outgoing = _spoken(_effect(settings, "Client"))
        return f"for incoming mail only: {accepted}. Outgoing is {outgoing}; to prove it, {OUTGOING}"
    if word == RESTORED:
        state = ", ".join(f"{side} {_spoken(_effect(settings, side))}" for side in SIDES)
        return f"the values of the backup are back; TLS 1.2 is {state}" + (f"; {accepted}" if accepted else "")
    if word == UNKNOWN:
        return "unknown: no source tells what Windows makes of the values that are there"
    if word == NOT_ASKED:
        return "as asked; TLS 1.2 was not asked for, so nothing is said about it"
    off = [side for side in SIDES if wanted(settings, side) and _effect(settings, side) != "enabled"]
    if off:
        return "not proven: " + ", ".join(f"TLS 1.2 {side} is {_spoken(_effect(settings, side))}" for side in off)
    if handshake_policy == NEVER:
        return "right in the registry, not proven: handshakes are switched off"
    return f"right in the registry, not proven by handshake{f' everywhere: {accepted}' if accepted else ''}"


def _effect(settings: Result, side: str) -> t.Any:
    return settings["protocols"][TLS12][side]["effective"]


def _spoken(effective: t.Any) -> str:
    return str(effective or "unknown").replace("_", " ")


def _finding(finding: Result) -> str:
    return f"[{finding['severity']}] {finding['message']}"


def _unproven(endpoint: Result) -> str:
    error = str(endpoint.get("error") or "TLS 1.2 was not tried")
    # the endpoint names itself in most of its errors
    name = str(endpoint["endpoint"])
    return f"Not proven: {error if error.startswith(name) else f'{name}: {error}'}"


def _contradictions(endpoint: Result, settings: Result) -> t.Iterator[str]:
    """What a handshake shows that the settings rule out, or the other way round.

    An accepted version that is off in the registry is always a contradiction. A refused one only where the policy asks
    for it: programs may offer less than Windows does (Exchange SMTP has no TLS 1.3).
    """
    for version, seen, effective in _seen(endpoint, settings):
        evidence = f"{endpoint['endpoint']} ({seen['evidence']})"
        if seen["accepted"] is True and effective in ("disabled", "unsupported"):
            yield (
                f"{version} is {effective} in the registry but was accepted by {evidence}. Either the host was not "
                "restarted since, or something else answers there, such as a load balancer."
            )
        elif (
            seen["accepted"] is False
            and effective == "enabled"
            and version != "TLS 1.3"
            and wanted(settings, "Server", version)
        ):
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
