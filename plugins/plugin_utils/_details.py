# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What a server that needs attention has wrong, in a few lines, and the command that comes next. Pure."""

from __future__ import annotations

import re
import typing as t

from . import _steps, _verdict
from ._command import Command
from ._steps import Steps
from ._text import NAME, visible
from ._verdict import SIDES

# Lines of one kind for a server; what is more is counted.
_MOST = 6
# Servers with the same lines that are named in a heading.
_MOST_NAMES = 8
_QUIET = (_steps.FINE, _steps.VERIFIED)
# Areas that are not named like a protocol, by the beginning of the ids of their findings.
_AREAS = {
    "dotnet_v4": ".NET 4",
    "dotnet_v2": ".NET 2",
    "winhttp": "WinHTTP",
    "renegotiation": "Renegotiation",
    "cipher_suites": "Cipher suites",
    "dh_min_key_length": "Diffie-Hellman keys",
}


def changed_lines(hosts: t.Mapping[str, Steps]) -> list[str]:
    """One line for each server where all is well by now and something was changed."""
    return [
        f"{visible(name, NAME)}  {text.removeprefix('changed:').strip()}"
        for name, steps in hosts.items()
        if steps.category in _QUIET
        for text in _changed(steps)
        if text.startswith(("changed:", "warning:"))
    ]


def blocks(hosts: t.Mapping[str, Steps], command: Command) -> list[list[str]]:
    """One block of lines for each server that needs attention or was changed; servers with the same lines share one."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, steps in hosts.items():
        if steps.category not in _QUIET:
            groups.setdefault((*_lines(steps), steps.category), []).append(name)
    return [
        [_heading(names), *key[:-1], *_next(*next_step(hosts[names[0]], names, command))] for key, names in groups.items()
    ]


def _next(words: str, command: str | None) -> list[str]:
    """The words, and the command in a line of its own, to be copied."""
    if not words:
        return [f"next:     {command}"]
    return [f"next:     {words}", *([f"          {command}"] if command else [])]


def _heading(names: t.Sequence[str]) -> str:
    shown = ", ".join(visible(name, NAME) for name in names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES} more"


def _lines(steps: Steps) -> t.Iterator[str]:
    if (steps.failed_step or steps.error or steps.unreachable) and steps.failed_step != "verify":
        yield f"error:    {visible(steps.message)}"
    problems = (steps.verdict or {}).get("problems") or ()
    judged = steps.settings is not None and (steps.verdict or {}).get("word") != _verdict.RESTORED
    if judged:
        yield from _wrong(steps)
    if steps.change is not None:
        yield from _changed(steps)
    if steps.verdict is not None and not (steps.check_mode and steps.change):
        yield f"proof:    {visible(steps.verdict['sentence'])}"
        others = [item for item in problems if not item.startswith("[")][1:]
        yield from _some("          ", others)


# --- what is wrong ---------------------------------------------------------------------------------------------------


def _wrong(steps: Steps) -> t.Iterator[str]:
    asked = [item for item in steps.wrong if item["expected"] is not None]
    yield from _some("wrong:    ", _grouped(item for item in asked if item["status"] == "noncompliant"))
    yield from _some("missing:  ", _grouped(item for item in asked if item["status"] == "not_configured"))
    odd = [item for item in (steps.settings or {}).get("findings", ()) if _is_odd(item)]
    yield from _some("odd:      ", [visible(item["message"], 220) for item in odd], most=3)


def _is_odd(finding: t.Mapping[str, t.Any]) -> bool:
    """Something that people should see although the policy has no value for it: strays, wrong types, unknowns."""
    if finding["status"] == "unknown":
        return True
    if finding["expected"] is not None or finding["status"] in ("compliant", "waived"):
        return False
    if finding["id"].endswith((".half_configured", ".one_side", ".nonstandard", ".mismatch")):
        return False  # what is missing or wrong says so already
    return finding["status"] == "noncompliant" or finding["severity"] in ("high", "medium")


def _some(label: str, lines: t.Sequence[str], most: int = _MOST) -> t.Iterator[str]:
    for number, line in enumerate(lines[:most]):
        yield f"{label if number == 0 else ' ' * len(label)}{line}"
    if len(lines) > most:
        yield f"{' ' * len(label)}and {len(lines) - most} more (run with -v)"


def _grouped(findings: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """Findings by protocol or area: ``TLS 1.2 Client and Server: Enabled 0, want 1``."""
    values: dict[str, dict[str, list[str]]] = {}
    for item in findings:
        area, part = _place(item)
        said = f"{visible(item['value'] or '', NAME)} {_data(item['actual'])}, want {_data(item['expected'])}"
        texts = values.setdefault(area, {}).setdefault(part, [])
        if said not in texts:
            texts.append(said)
    lines = []
    for area, parts in values.items():
        same: dict[tuple[str, ...], list[str]] = {}
        for part, texts in parts.items():
            same.setdefault(tuple(texts), []).append(part)
        for texts, names in same.items():
            where = " and ".join(name for name in names if name)
            lines.append(f"{area}{f' {where}' if where else ''}: {_joined(texts)}")
    return lines


def _joined(texts: t.Sequence[str]) -> str:
    """Values that share what is there and what is wanted are named together."""
    same: dict[str, list[str]] = {}
    for text in texts:
        name, _blank, rest = text.partition(" ")
        same.setdefault(rest, []).append(name)
    return "; ".join(f"{', '.join(names)} {rest}" for rest, names in same.items())


def _place(finding: t.Mapping[str, t.Any]) -> tuple[str, str]:
    """The area that a finding is about, and the part of it."""
    if finding["protocol"]:
        return str(finding["protocol"]), str(finding["side"] or "")
    area = str(finding["id"]).partition(".")[0]
    bits = re.search(r"\.(64|32)\.", str(finding["id"]))
    return _AREAS.get(area) or str(finding["title"]).partition(": ")[0], f"{bits[1]} bit" if bits else ""


def _data(value: t.Mapping[str, t.Any] | None) -> str:
    if not value or not value.get("present"):
        return "absent"
    data = value.get("data")
    if value.get("type") == "REG_DWORD":
        return str(data)
    if value.get("type") == "OTHER":
        return "of a type that WMI cannot read"
    return visible(f"{value.get('type')} {data!r}", 60)


# --- what was done ---------------------------------------------------------------------------------------------------


def _changed(steps: Steps) -> t.Iterator[str]:
    change = steps.change or {}
    undone = steps.undone
    if steps.check_mode:
        if steps.planned:
            yield f"changed:  {_values(steps.planned)} would be written"
        return
    left = steps.left_changed
    if undone is not None and not left:
        yield f"changed:  nothing is left of it: {_values(len(change.get('changes') or ()))} written and restored"
    elif left:
        perhaps = any(item["status"] == "unknown" for item in left)
        verb = "restored from" if change.get("restored_from") else "written, backup"
        source = change.get("restored_from") or change.get("backup") or "none"
        yield f"changed:  {_values(len(left))} {'perhaps ' if perhaps else ''}{verb} {visible(source)}"
        if change.get("restored_from") and change.get("backup"):
            yield f"          the values before that are in {visible(change['backup'])}"
    elif change.get("changed"):
        yield f"changed:  registry keys, backup {visible(change.get('backup') or 'none')}"
    elif steps.category not in _QUIET:
        right = not steps.failed_step or steps.failed_step == "verify"
        yield f"changed:  nothing{', everything was right already' if right else ''}"
    if steps.rebooted is not None:
        yield f"restart:  done in {steps.rebooted:.0f} seconds"
    elif steps.restart_wanted and (left or steps.category not in _QUIET):
        yield "restart:  needed"
    for warning in change.get("warnings") or ():
        if str(warning).startswith("FORCED"):
            yield f"warning:  {visible(warning)}"


def _values(number: int) -> str:
    return f"{number} registry value{'' if number == 1 else 's'}"


# --- what comes next -------------------------------------------------------------------------------------------------

_NOTHING = "nothing to do"


def next_step(steps: Steps, names: t.Sequence[str], command: Command) -> tuple[str, str | None]:
    """What these servers need next, in words, and the command for it. A rollback is named only where this run changed
    something."""
    same = command.ours
    wanted = any(item["expected"] for item in steps.wrong)
    word = (steps.verdict or {}).get("word")
    if steps.unreachable:
        return "mend the connection, then", command.run(same, names)
    if steps.undone is not None:
        return "the old values are back. Find out what still needs old TLS, then", command.run("harden_tls", names)
    if _error_kind(steps) == "phase_refused":
        return "first", command.run("enforce_tls12", names)
    if steps.failed_step not in (None, "verify") or (steps.error and not steps.failed_step):
        return "mend what the message says, then go on where it stopped:", command.run(same, names)
    if steps.check_mode and steps.change is not None:
        if steps.planned or steps.restart_wanted:
            return "to do it:", command.run(same, names)
        return _NOTHING, None
    if word == _verdict.WRONG:
        return _after_a_failed_proof(steps, names, command)
    if steps.restart_wanted:
        return "restart it:", command.run("enforce_tls12", names, "tls12_reboot=if_pending")
    if word == _verdict.RESTORED:
        off = [side for side in SIDES if _effect(steps, side) != "enabled"]
        if off:
            gone = f"TLS 1.2 is not on for {' and '.join(off)}. To turn it on again:"
            return gone, command.run("enforce_tls12", names)
        return _NOTHING, None
    if word == _verdict.NOT_PROVEN:
        return "try TLS 1.2 from a machine that reaches the endpoints, or name others in tls12_endpoints", None
    if word == _verdict.INCOMING_ONLY:
        return _verdict.OUTGOING, None
    if steps.category == _steps.UNKNOWN or (word is None and wanted):
        return "", command.run("enforce_tls12", names, "--check")
    return _NOTHING, None


def _after_a_failed_proof(steps: Steps, names: t.Sequence[str], command: Command) -> tuple[str, str | None]:
    if steps.left_changed and (steps.change or {}).get("backup"):
        back = "look into what 'proof' says. Back to the values before this run:"
        return back, command.run("rollback_tls12", names)
    if steps.restart_wanted or any("not restarted" in item for item in (steps.verdict or {}).get("problems", ())):
        return "restart it:", command.run("enforce_tls12", names, "tls12_reboot=always")
    if any(item["expected"] for item in steps.wrong):
        return "", command.run("enforce_tls12", names, "--check")
    return "mend what 'proof' says, then", command.run(command.ours, names)


def _error_kind(steps: Steps) -> str | None:
    for _name, step in steps.made:
        if step.get("failed"):
            return (step.get("error") or {}).get("kind")
    return None


def _effect(steps: Steps, side: str) -> str:
    settings = steps.settings
    return str(settings["protocols"][_verdict.TLS12][side]["effective"]) if settings else "unknown"
