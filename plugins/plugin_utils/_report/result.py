# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The result of a run: what every file of a report is made from. Its form is in ``_data/result_schema.json``. Pure."""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Mapping

from .._schannel.protocols import SIDES, TLS12
from . import standing
from .plain import cut, plain
from .standing import Steps
from .today import WRITTEN, today

Result = t.Mapping[str, t.Any]

SCHEMA = "mailops.exchange_tls.result"
# It grows where something is taken away or changes its meaning; what is new in a place of its own leaves it as it is.
SCHEMA_VERSION = 1

# The names under which the role registers what it does besides its steps.
BESIDE = {"_tls12_out": "started", "_tls12_back": "stopped"}
_LONGEST_MESSAGE = 2000


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of ansible-playbook. Times are UTC, in ISO 8601. ``playbook``: as it was typed; ``ended_by``: ``end``, or
    ``interrupt`` where somebody stopped it; ``variables``: those of the role that differ from its defaults, as they
    were given."""

    id: str
    began: str
    ended: str
    playbook: str = ""
    check_mode: bool = False
    ended_by: str = "end"
    versions: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    variables: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)

    def as_result(self) -> dict[str, t.Any]:
        return {
            "id": self.id,
            "began": self.began,
            "ended": self.ended,
            "ended_by": self.ended_by,
            "playbook": cut(self.playbook),
            "check_mode": self.check_mode,
            "versions": plain(self.versions),
            "variables": plain(self.variables),
            "merged_from": [],
        }


def result(
    run: Run,
    hosts: t.Mapping[str, Steps],
    *,
    untouched: t.Iterable[str] = (),
    beside: t.Mapping[str, t.Mapping[str, Result]] | None = None,
) -> dict[str, t.Any]:
    """The result. ``hosts``: what was done, by server; ``untouched``: servers of the run that nobody came to;
    ``beside``: results of maintenance by server and state, see :data:`BESIDE`."""
    order = sorted(hosts, key=lambda name: (hosts[name].rank, name))
    servers = [server(name, hosts[name], (beside or {}).get(name) or {}) for name in order]
    return whole(run.as_result(), servers, sorted(untouched))


def whole(run: Result, servers: t.Sequence[Result], untouched: t.Sequence[str]) -> dict[str, t.Any]:
    """The parts put together, with the totals. The servers are in the order of the report, the worst first."""
    states: dict[str, int] = {}
    for item in servers:
        states[item["state"]] = states.get(item["state"], 0) + 1
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "run": dict(run),
        "totals": {
            "servers": len(servers) + len(untouched),
            "compliant": sum(item["compliant"] is True for item in servers),
            "changed": sum(bool(item["changed"]) for item in servers),
            "states": states,
        },
        "servers": list(servers),
        "not_reached": [item["name"] for item in servers if item["state"] == standing.UNREACHABLE],
        "not_touched": [cut(name) for name in untouched],
    }


def server(name: str, steps: Steps, beside: t.Mapping[str, Result]) -> dict[str, t.Any]:
    """What is known of one server, and what was done to it."""
    newest = _newest(steps)
    change = steps.change or {}
    base = _read(steps.change) or _read(steps.verify) or _read(steps.audit)
    changes = [*(change.get("changes") or ())]
    return {
        "name": cut(name),
        "state": steps.category,
        "verdict": steps.word,
        "proof": plain(_proof(steps)),
        "compliant": _compliant(steps),
        "error": cut(steps.message, _LONGEST_MESSAGE) or None,
        "error_kind": _error_kind(steps),
        "facts": {"windows": plain(_of(steps, "host")), "exchange": plain(_of(steps, "exchange"))},
        "glance": plain(steps.overview),
        "findings": plain((steps.settings or {}).get("findings") or []),
        "before": _protocols(today({**base, "changes": changes}, ("planned", *WRITTEN)) if base else steps.overview),
        "after": _protocols(newest) if changes or steps.undone is not None or steps.rebooted is not None else None,
        "changed": bool(steps.left_changed) or bool(change.get("changed") and not changes and not steps.check_mode),
        "plan": plain([item for item in changes if item.get("status") == "planned"]),
        "changes": plain([item for item in changes if item.get("status") != "planned"]),
        "undone": steps.undone is not None and not steps.undone.get("failed") and not steps.undone.get("unreachable"),
        "backup": plain(change.get("backup")),
        "restored_from": plain(change.get("restored_from")),
        "restart": _restart(steps),
        "maintenance": _maintenance(beside),
        "handshakes": {
            # a change that found nothing to do has made the proof itself
            "before": None if "verdict" in change else plain((change.get("handshakes") or {}).get("endpoints")),
            "after": plain(_endpoints(steps)),
        },
        "mail_flow": plain(_mail_flow(steps)),
    }


def _mail_flow(steps: Steps) -> dict[str, t.Any] | None:
    """How much mail there was before the restart and is now, whether it leaves, and who speaks old TLS."""
    mail = steps.mail or {}
    peers = [
        {"peer": peer["peer"], "protocol": version, "sessions": number, "last": peer["last_day"]}
        for peer in (steps.change or {}).get("old_tls_peers") or ()
        for version, number in peer["versions"].items()
    ]
    if not mail and not peers:
        return None
    before = {**(mail.get("before") or {}), "senders": peers}
    return {"before": before, "after": mail.get("after"), "outgoing": mail.get("outgoing")}


def _read(step: Result | None) -> Result | None:
    """A step that has read the settings whole."""
    return step if step and "protocols" in step and "findings" in step else None


def _newest(steps: Steps) -> Result | None:
    """The last reading, whole or at a glance; in check mode, with what is predicted."""
    if steps.check_mode and (read := _read(steps.change)):
        return read
    for step in (steps.verify, steps.undone, steps.change, steps.audit):
        if found := step and (_read(step) or step.get("overview")):
            return t.cast("Result", found)
    return None


def _protocols(reading: Result | None) -> dict[str, t.Any] | None:
    """What is in effect, by protocol and side, with the raw values where they are known."""
    if reading is None or "protocols" not in reading:
        return None
    return {
        str(protocol): {
            side: plain(sides[side]) if isinstance(sides[side], Mapping) else {"effective": str(sides[side])}
            for side in SIDES
        }
        for protocol, sides in reading["protocols"].items()
    }


def _of(steps: Steps, key: str) -> t.Any:
    return next((step[key] for _name, step in reversed(steps.made) if step.get(key)), None)


def _proof(steps: Steps) -> dict[str, t.Any] | None:
    if steps.verdict is None:
        return None
    kept = ("word", "sentence", "verified", "problems", "notes", "endpoints")
    return {**{name: steps.verdict.get(name) for name in kept}, "proved_by": _proved_by(steps)}


def _proved_by(steps: Steps) -> dict[str, list[str]]:
    """What proves each side: endpoints that accepted a handshake, and what mail was seen to leave by."""
    verdict, mail = steps.verdict or {}, steps.outgoing or {}
    accepted = [str(name) for name, answer in (verdict.get("endpoints") or {}).items() if answer]
    return {"incoming": accepted, "outgoing": list(mail.get("by") or ())}


def _endpoints(steps: Steps) -> list[t.Any] | None:
    """The handshakes of the proof. A proof that failed tells of TLS 1.2 alone."""
    if found := (steps.verify or {}).get("handshakes"):
        return t.cast("list[t.Any]", found["endpoints"])
    answers = (steps.verdict or {}).get("endpoints") or {}
    return [{"endpoint": name, "versions": {TLS12: {"accepted": answers[name]}}} for name in answers] or None


def _compliant(steps: Steps) -> bool | None:
    """As it is now; None where that is not known. In check mode that is before what is predicted."""
    if steps.check_mode and steps.change and "was_compliant" in steps.change:
        return bool(steps.change["was_compliant"])
    found = next((step["compliant"] for _name, step in reversed(steps.made) if "compliant" in step), None)
    return None if found is None or steps.unreachable else bool(found)


def _error_kind(steps: Steps) -> str | None:
    failed = next((step for _name, step in steps.made if step.get("failed") or step.get("unreachable")), None)
    kind = ((failed or {}).get("error") or {}).get("kind")
    return cut(str(kind)) if kind else None


def _restart(steps: Steps) -> dict[str, t.Any]:
    reboot = steps.reboot or {}
    return {
        "pending": steps.restart_wanted,
        "made": steps.rebooted is not None,
        "seconds": steps.rebooted,
        "boot_before": plain(reboot.get("boot_before")),
        "boot_after": plain(reboot.get("boot_after")),
        "services": plain(reboot.get("services") or []),
    }


def _maintenance(beside: t.Mapping[str, Result]) -> dict[str, t.Any] | None:
    """How the server was taken out of service, and brought back; None where that was not needed."""
    kept = ("msg", "steps", "remarks", "failed", "changed", "error")
    found = {state: plain({key: step[key] for key in kept if key in step}) for state, step in beside.items() if step}
    return found or None
