# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What happened to a host in a run, in a few lines for people. Pure."""

from __future__ import annotations

import typing as t

from ._schannel import generation

Result = t.Mapping[str, t.Any]


def summary(
    *,
    audit: Result | None = None,
    change: Result | None = None,
    reboot: Result | None = None,
    after: Result | None = None,
    verdict: Result | None = None,
    check_mode: bool = False,
) -> list[str]:
    """Lines like ``before: ...``, from the results of the steps that were made; a step that was not made is None."""
    if reboot and reboot.get("skipped"):
        reboot = None
    steps = [step for step in (audit, change, after) if step and "host" in step]
    lines = []
    if steps:
        host = steps[0]["host"]
        name = generation(host["build"])
        windows = f"Windows Server {name}" if name else host["os"]
        lines.append(f"host:     {host['computer_name']}, {windows} (build {host['build']}.{host['ubr'] or 0})")
    if audit:
        lines.append(f"before:   {_state(audit)}")
        lines += _found(audit)
    if change:
        lines.append(f"changed:  {_changes(change, check_mode)}")
    if reboot or (change and change.get("restart_required")):
        lines.append(f"restart:  {_restart(reboot, check_mode)}")
    if after and not check_mode:
        lines.append(f"after:    {_state(after)}")
    if verdict:
        lines.append(f"verified: {_verified(verdict, check_mode)}")
    lines.append(f"next:     {_next(audit, change, reboot, after, verdict, check_mode)}")
    return lines


def _state(settings: Result) -> str:
    """Each protocol that the policy names, with both sides."""
    if _failed(settings):
        return f"FAILED: {settings.get('msg', '')}"
    # findings about oddities expect nothing
    asked = [item["protocol"] for item in settings["findings"] if item["protocol"] and item["expected"]]
    named = list(dict.fromkeys(asked))
    parts = []
    for protocol in named:
        sides = settings["protocols"][protocol]
        words = [f"{side} {_side(sides[side])}" for side in ("Client", "Server")]
        parts.append(f"{protocol} {', '.join(words)}")
    state = "; ".join(parts) or "nothing was asked for"
    return state + (" (restart pending)" if settings["restart_pending"] else "")


def _found(audit: Result) -> t.Iterator[str]:
    """How far the host is from what is wanted, and what somebody has written to the wrong place."""
    findings = audit.get("findings", ())
    asked = [item for item in findings if item.get("expected") is not None and item["status"] != "not_applicable"]
    wrong = [item for item in asked if item["status"] in ("noncompliant", "not_configured")]
    waived = [item for item in asked if item["status"] == "waived"]
    if wrong or waived:
        more = f", {len(waived)} waived" if waived else ""
        yield f"findings: {len(wrong)} of {len(asked)} settings are not as wanted{more}"
    for item in findings:
        if item.get("id") == "translated_page":
            yield f"notice:   {item['message']}"


def _side(side: Result) -> str:
    if side["state"] == "not_configured":
        return f"not configured ({side['effective'].replace('_', ' ')} by default)"
    if side["state"] != side["effective"] and side["effective"] != "unknown":
        return f"{side['state'].replace('_', ' ')} ({side['effective'].replace('_', ' ')} in effect)"
    return str(side["state"]).replace("_", " ")


def _failed(step: Result | None) -> bool:
    return bool(step and (step.get("failed") or step.get("unreachable")))


def _changes(change: Result, check_mode: bool) -> str:
    changes = change.get("changes", [])
    if _failed(change):
        left = [item for item in changes if item["status"] in ("written", "unknown")]
        return (f"FAILED, {len(left)} of {len(changes)} values left changed: " if changes else "FAILED: ") + str(
            change.get("msg", "")
        )
    if not changes:
        return "nothing, everything was right already" if not change.get("changed") else "registry keys"
    values = f"{len(changes)} registry value{'s' if len(changes) > 1 else ''}"
    if check_mode:
        return f"{values} would be written"
    return f"{values} written, backup in {change['backup']}"


def _restart(reboot: Result | None, check_mode: bool) -> str:
    if not reboot:
        return "needed" if not check_mode else "would be needed"
    if _failed(reboot):
        return f"FAILED: {reboot.get('msg', '')}"
    if check_mode:
        return "would be made" if reboot["changed"] else "not needed"
    return f"done in {reboot['elapsed']:.0f} seconds" if reboot["rebooted"] else "not needed"


def _verified(verdict: Result, check_mode: bool) -> str:
    if check_mode:
        return "not yet: handshakes in check mode show today's state"
    if verdict["verified"]:
        return "yes, by handshake"
    details = [*verdict["problems"], *verdict["notes"]]
    return ("NO: " if verdict["problems"] else "registry yes, handshake not proven: ") + (
        " | ".join(details) or "no handshake was tried"
    )


def _next(
    audit: Result | None,
    change: Result | None,
    reboot: Result | None,
    after: Result | None,
    verdict: Result | None,
    check_mode: bool,
) -> str:
    if any(_failed(step) for step in (audit, change, reboot, after)):
        return "mend what the message says, then run the play again: it goes on where it stopped"
    pending = change.get("restart_required") if change else audit and audit["restart_pending"]
    restart = bool(pending) and not (reboot and reboot.get("rebooted"))
    if check_mode and change:
        return "run without --check to make the changes" if change.get("changed") or restart else "nothing to do"
    if restart:
        return "restart the host, then run the audit playbook"
    if verdict and verdict["problems"]:
        return "read what 'verified' says; rollback-tls12.yml leads back to the settings before"
    if verdict and not verdict["verified"]:
        return "try TLS 1.2 from outside once, for example with a mail to and from Office 365"
    if change and after and not after["compliant"]:
        return "this is not what the policy asks for; enforce-tls12.yml leads there again"
    if not change and audit and not audit["compliant"]:
        return "run enforce-tls12.yml, with --check first"
    return "nothing to do"
