# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What a server that needs attention has wrong, in a few lines, and the command that comes next. Pure."""

from __future__ import annotations

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
        [_heading(names), *key[:-1], *_next(*next_step(hosts[names[0]], names, command))]
        for key, names in groups.items()
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
    if (steps.failed_step or steps.error or steps.unreachable) and not _said_elsewhere(steps):
        yield f"error:    {visible(steps.message)}"
    problems = (steps.verdict or {}).get("problems") or ()
    if steps.overview is not None and (steps.verdict or {}).get("word") != _verdict.RESTORED:
        yield from _wrong(steps.overview)
    if steps.change is not None:
        yield from _changed(steps)
    if steps.verdict is not None and not (steps.check_mode and steps.change):
        yield f"proof:    {visible(steps.verdict['sentence'])}"
        others = [item for item in problems if not item.startswith("[")][1:]
        yield from _some("          ", others)


def _said_elsewhere(steps: Steps) -> bool:
    """Whether the lines that follow tell what the error tells."""
    return steps.failed_step == "verify" or _error_kind(steps) == "findings"


# --- what is wrong ---------------------------------------------------------------------------------------------------


def _wrong(glance: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    yield from _some("wrong:    ", glance["wrong"])
    yield from _some("missing:  ", glance["missing"])
    yield from _some("odd:      ", glance["odd"], most=3)


def _some(label: str, lines: t.Sequence[str], most: int = _MOST) -> t.Iterator[str]:
    for number, line in enumerate(lines[:most]):
        yield f"{label if number == 0 else ' ' * len(label)}{line}"
    if len(lines) > most:
        yield f"{' ' * len(label)}and {len(lines) - most} more (run with -v)"


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
        right = steps.failed_step in (None, "verify") and not steps.error
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
    wanted = bool(steps.to_write)
    word = (steps.verdict or {}).get("word")
    if steps.unreachable:
        return "mend the connection, then", command.run(same, names)
    if steps.undone is not None:
        return "the old values are back. Find out what still needs old TLS, then", command.run("harden_tls", names)
    if _error_kind(steps) == "phase_refused":
        return "first run", command.run("enforce_tls12", names)
    if _error_kind(steps) == "bad_option":
        return "give it as the message says, and run the same command again", None
    if _error_kind(steps) == "findings":
        return "", command.run("enforce_tls12", names, "--check")
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
    if steps.to_write:
        return "", command.run("enforce_tls12", names, "--check")
    return "mend what 'proof' says, then", command.run(command.ours, names)


def _error_kind(steps: Steps) -> str | None:
    for _name, step in steps.made:
        if step.get("failed"):
            return (step.get("error") or {}).get("kind")
    return None


def _effect(steps: Steps, side: str) -> str:
    return str(steps.overview["protocols"][_verdict.TLS12][side]) if steps.overview else "unknown"
