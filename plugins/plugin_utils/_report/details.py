# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What a server that needs attention has wrong, in a few lines, and the command that comes next. Pure."""

from __future__ import annotations

import dataclasses
import textwrap
import typing as t

from .._judgement import mail_words, verdicts
from .._role import FIRST_BASELINE
from .._schannel.protocols import SIDES, TLS12
from .._text import NAME, visible
from . import standing
from .commands import AUDIT, CORRECT, ENFORCE, HARDEN, ROLLBACK, SAME, WHY, Command, variable
from .standing import Steps

# Lines of one kind for a server; what is more is counted.
_MOST = 6
# Servers with the same lines that are named in a heading.
_MOST_NAMES = 8
_WIDTH = 120
# A message is cut after so many characters; what to do is at its end.
LONGEST = 1200
_QUIET = (standing.FINE, standing.VERIFIED)
# Kinds of errors that are told by the lines on settings and proof.
_SAID_ELSEWHERE = ("findings", "not_proven")
# How warnings begin that are for the last screen. After a rollback the table shows what check mode must foretell.
_FORCED, _FORETOLD, _LEFT = "FORCED", "After this", "Left as it is"


def changed_lines(hosts: t.Mapping[str, Steps]) -> list[str]:
    """One line for each server where all is well by now and something was changed."""
    return [
        f"{visible(name, NAME)}  {visible(text.removeprefix('changed:').strip())}"
        for name, steps in hosts.items()
        if steps.category in _QUIET
        for text in _changed(steps)
        if text.startswith(("changed:", "warning:", "service:"))
    ]


def blocks(hosts: t.Mapping[str, Steps], command: Command) -> list[list[str]]:
    """Lines for each server that needs attention or has something waived; servers with the same lines share them."""
    groups: dict[tuple[tuple[str, ...], Next | None], list[str]] = {}
    for name, steps in hosts.items():
        quiet = steps.category in _QUIET
        told = _waived(steps) if quiet else _lines(steps)
        lines = tuple(part for line in told for part in wrapped(visible(line, LONGEST), 10))
        if lines or not quiet:
            step = None if quiet else _cautious(next_step(steps), steps.check_mode)
            groups.setdefault((lines, step), []).append(name)
    return [
        [_heading(names), *lines, *(_next(step, names, command) if step else ())]
        for (lines, step), names in groups.items()
    ]


def wrapped(line: str, indent: int) -> list[str]:
    """The line in parts that fit on a screen; what cannot be broken, such as a path, stays whole."""
    return textwrap.wrap(line, _WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def _next(step: Next, names: t.Sequence[str], command: Command) -> t.Iterator[str]:
    """The words, and the command in a line of its own, to be copied."""
    typed = [command.run(step.book, names, *step.more)] if step.book is not None else []
    first, *rest = [*([step.words] if step.words else []), *typed]
    yield from wrapped(f"next:     {first}", 10) if step.words else [f"next:     {first}"]
    yield from (f"          {line}" for line in rest)


def _heading(names: t.Sequence[str]) -> str:
    shown = ", ".join(visible(name, NAME) for name in names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES} more"


def _lines(steps: Steps) -> t.Iterator[str]:
    if (steps.failed_step or steps.error or steps.unreachable) and _error_kind(steps) not in _SAID_ELSEWHERE:
        yield f"error:    {steps.message}"
    if steps.is_out and not steps.brings_back:
        yield "service:  out of service: a run that was cut off has left it so, and no mail goes through it"
    if steps.overview is not None and (steps.verdict or {}).get("word") != verdicts.RESTORED:
        yield from _wrong(steps.overview)
    yield from _waived(steps)
    if steps.change is not None:
        yield from _changed(steps)
    if steps.verdict is not None and not (steps.check_mode and steps.change and not steps.failed_step):
        yield from _proof(steps.verdict)
    yield from _mail(steps)


def _mail(steps: Steps) -> t.Iterator[str]:
    if steps.category == standing.MAIL_WAITS:
        yield f"mail:     does not leave: {(steps.outgoing or {}).get('sentence')}"
        for note in (steps.outgoing or {}).get("notes") or ():
            yield f"          {note}"
    elif (steps.outgoing or {}).get("word") == mail_words.PROVEN:
        yield f"mail:     leaves: {(steps.outgoing or {}).get('sentence')}"


def _proof(verdict: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    if verdict["word"] != verdicts.WRONG:
        why = verdict["notes"] if verdict["word"] == verdicts.NOT_PROVEN else ()
        yield from _some("proof:    ", [verdict["sentence"], *(note.removeprefix("Not proven: ") for note in why)])
        return
    # findings, which begin with their severity, are listed already
    problems = [item for item in verdict["problems"] if not item.startswith("[")]
    first, *others = problems or ["the settings are not as wanted"]
    yield from _some("proof:    ", [f"NO: {first}", *others])


# --- what is wrong ---------------------------------------------------------------------------------------------------


def _wrong(glance: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    yield from _some("wrong:    ", glance["wrong"])
    yield from _some("missing:  ", glance["missing"])
    yield from _some("odd:      ", glance["odd"], most=3)


def _waived(steps: Steps) -> t.Iterator[str]:
    yield from _some("waived:   ", (steps.overview or {}).get("waived", ()))


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
        if steps.brings_back:
            yield "service:  would be brought back; a run that was cut off has left it out of service"
        yield from _warnings(change, _FORCED, _FORETOLD, *_left(steps))
        return
    left = steps.left_changed
    if undone is not None and not left:
        yield "changed:  nothing is left of it; what was written is restored"
    elif left:
        perhaps = any(item["status"] == "unknown" for item in left)
        verb = "restored from" if change.get("restored_from") else "written, backup"
        source = change.get("restored_from") or change.get("backup") or "none"
        yield f"changed:  {_values(len(left))} {'perhaps ' if perhaps else ''}{verb} {source}"
        if change.get("restored_from") and change.get("backup"):
            yield f"          the values before that are in {change['backup']}"
    elif change.get("changed"):
        yield f"changed:  registry keys, backup {change.get('backup') or 'none'}"
    elif steps.category not in (*_QUIET, standing.NOT_READ):
        ended = steps.failed_step not in (None, "verify") or (steps.error and not steps.failed_step)
        right = steps.overview is not None and not ended
        yield f"changed:  nothing{', everything was right already' if right else ''}"
    if steps.brings_back and (not steps.failed_step or (steps.back or {}).get("changed")):
        yield "service:  brought back; a run that was cut off had left it out of service"
    yield from _serves(steps)
    if steps.rebooted is not None:
        yield f"restart:  done in {steps.rebooted:.0f} seconds"
    if steps.restart_wanted and (left or steps.category not in _QUIET):
        yield "restart:  needed"
    yield from _warnings(change, _FORCED, *_left(steps))


def _serves(steps: Steps) -> t.Iterator[str]:
    """What is not as it was before a maintenance, although the server serves again."""
    for remark in (steps.back or {}).get("remarks") or ():
        if remark.get("id") == "database.elsewhere" or remark.get("warns"):
            yield f"service:  {remark.get('message')}"


def _left(steps: Steps) -> tuple[str, ...]:
    """How a warning begins that is for the last screen, unless that is said already."""
    return () if steps.is_out else (_LEFT,)


def _warnings(change: t.Mapping[str, t.Any], *beginnings: str) -> t.Iterator[str]:
    for warning in change.get("warnings") or ():
        if str(warning).startswith(beginnings):
            yield f"warning:  {warning}"


def _values(number: int) -> str:
    return f"{number} registry value{'' if number == 1 else 's'}"


# --- what comes next -------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Next:
    """What a server needs next: words, and one of our playbooks with what it is to be given besides.

    ``book``: the name of the playbook; empty for the one that was run, None where there is nothing to run.
    """

    words: str = ""
    book: str | None = None
    more: tuple[str, ...] = ()
    really: bool = False  # also after a run in check mode it is to be done


def _cautious(step: Next, check_mode: bool) -> Next:
    """After a run that was to change nothing comes one that changes nothing, until people ask for it."""
    writes = step.book is not None and not step.really and "--check" not in step.more
    return dataclasses.replace(step, more=(*step.more, "--check")) if check_mode and writes else step


_LOOK_FIRST = Next(book=ENFORCE, more=("--check",))
_RESTART = Next("restart it:", ENFORCE, ("tls12_reboot=if_pending",), really=True)


def next_step(steps: Steps) -> Next:
    """What comes next. A rollback is named only where this run has left something changed."""
    word = (steps.verdict or {}).get("word")
    if steps.unreachable:
        return Next("mend the connection, then", SAME)
    if steps.category == standing.OUT:
        return _back_into_service(steps)
    if steps.undone is not None:
        return _after_going_back(steps)
    if _error_kind(steps) == "phase_refused" and _is_enforced(steps):
        return Next("do what the message says, then run the same command again")
    if (kind := _error_kind(steps)) == "findings" and steps.install:
        return _update(steps)
    if kind in _AFTER_ERRORS:
        return _AFTER_ERRORS[str(kind)]
    if kind != "not_proven" and (steps.failed_step or steps.error):
        return Next("mend what the message says, then go on where it stopped:", SAME)
    if steps.check_mode and steps.change is not None and not steps.failed_step:
        return Next("to do it:", SAME, really=True) if steps.planned or steps.restart_wanted else _NOTHING
    if steps.install and not (steps.left_changed or steps.restart_wanted):
        return _update(steps)
    if word == verdicts.WRONG:
        return _after_a_failed_proof(steps)
    if steps.restart_wanted:
        return _restart(steps)
    if steps.category == standing.MAIL_WAITS:
        # without the text: what another server has said is for nobody's command line
        return Next("to see why:", WHY, really=True)
    if word == verdicts.RESTORED:
        off = [side for side in SIDES if _effect(steps, side) != "enabled"]
        return Next(f"TLS 1.2 is not on for {' and '.join(off)}. To turn it on again:", ENFORCE) if off else _NOTHING
    if word == verdicts.NOT_PROVEN:
        return _after_no_proof(steps)
    if word == verdicts.INCOMING_ONLY:
        return Next(verdicts.OUTGOING)
    if steps.category == standing.NOT_READ:
        return Next("to see how it stands:", AUDIT)
    if steps.category == standing.UNKNOWN or (word is None and steps.to_write):
        return _LOOK_FIRST
    return _NOTHING


def _back_into_service(steps: Steps) -> Next:
    if steps.brings_back:
        return Next("to do it:", SAME, really=True)
    # a change that has not done it was told not to
    more = () if steps.change is None else (variable("tls12_maintenance", "auto"),)
    return Next("to end that:", ENFORCE, more, really=True)


_NOTHING = Next("nothing to do")
_AFTER_ERRORS = {
    "phase_refused": Next(
        "first this, then the same command again:", ENFORCE, (variable("tls12_baseline", FIRST_BASELINE),)
    ),
    "bad_option": Next(CORRECT),
    "findings": _LOOK_FIRST,
    "exchange_too_old": Next("install the update of Exchange, then", SAME),
}


def _restart(steps: Steps) -> Next:
    """The restart that is waited for, and nothing besides."""
    restored = (steps.change or {}).get("restored_from")
    if restored:
        # the first phase would write again what was just taken back
        return dataclasses.replace(
            _RESTART, book=ROLLBACK, more=(variable("tls12_backup", str(restored)), *_RESTART.more)
        )
    if steps.to_write:
        return dataclasses.replace(
            _LOOK_FIRST, words="a restart is pending, and not all is as wanted. To see what would be done:"
        )
    return _RESTART


def _update(steps: Steps) -> Next:
    return Next(f"install {steps.install}, then", SAME)


def _after_no_proof(steps: Steps) -> Next:
    if any(_effect(steps, side) != "enabled" for side in SIDES):
        return Next("take TLS 1.2 out of tls12_waivers, then", SAME)
    if not (steps.verdict or {}).get("endpoints"):
        return Next("let TLS 1.2 be tried (tls12_handshakes) on endpoints that this machine reaches (tls12_endpoints)")
    return Next("try TLS 1.2 from a machine that reaches the endpoints, or name others in tls12_endpoints")


def _after_going_back(steps: Steps) -> Next:
    if _can_go_back(steps):
        return Next("mend what the message says. Back to the values before this run:", ROLLBACK, _back(steps))
    if steps.left_changed:
        return Next("mend what the message says, then", SAME)
    if steps.restart_wanted:
        return dataclasses.replace(
            _RESTART, words="the old values are back. Mend what the message says, and restart it:"
        )
    return Next("the old values are back. Find out what still needs old TLS, then", HARDEN)


def _can_go_back(steps: Steps) -> bool:
    """Whether this run has left something changed, and the newest backup is the one of this run."""
    return bool(steps.left_changed and (steps.change or {}).get("backup"))


def _back(steps: Steps) -> tuple[str, ...]:
    """Without a file the newest change is rolled back: after a rollback that is the one that was just restored."""
    change = steps.change or {}
    return (variable("tls12_backup", str(change["backup"])),) if change.get("restored_from") else ()


def _after_a_failed_proof(steps: Steps) -> Next:
    if _can_go_back(steps):
        return Next("look into what 'proof' says. Back to the values before this run:", ROLLBACK, _back(steps))
    if steps.restart_wanted or any("not restarted" in item for item in (steps.verdict or {}).get("problems", ())):
        return Next("restart it:", ENFORCE, ("tls12_reboot=always",), really=True)
    if steps.to_write:
        return _LOOK_FIRST
    return Next("mend what 'proof' says, then", SAME)


def _is_enforced(steps: Steps) -> bool:
    """Whether all that enforce-tls12.yml could do is done, so that something else is in the way."""
    glance = steps.overview
    return glance is not None and not steps.off and glance["dotnet"] is not False and not steps.restart_wanted


def _error_kind(steps: Steps) -> str | None:
    for _name, step in steps.made:
        if step.get("failed"):
            return (step.get("error") or {}).get("kind")
    return None


def _effect(steps: Steps, side: str) -> str:
    return str(steps.overview["protocols"][TLS12][side]) if steps.overview else "unknown"
