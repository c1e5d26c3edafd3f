# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The last screen of a run: a line a server, worst first, then what is wrong and the next command. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .._judgement import mail_words, verdicts
from .._schannel.protocols import SIDES, TLS12
from .._text import NAME, visible
from . import fleet, standing
from .commands import SAME, Command
from .details import LONGEST, blocks, changed_lines, wrapped
from .standing import Steps

_HEADER = ("host", "Windows", "1.0", "1.1", "1.2 C/S", ".NET4", "restart", "verdict", "handshake")
# Differences between servers that are shown; the rest is counted.
_MOST_DIFFERENCES = 5
# What is said of Exchange and updates, and servers that are named with it.
_MOST_SAID, _MOST_NAMES = 8, 6
_LONGEST_SENTENCE = 400


def screen(
    hosts: t.Mapping[str, Steps],
    *,
    command: Command | None = None,
    untouched: t.Sequence[str] = (),
    compare: bool = True,
    every: t.Sequence[str] = (),
    later: t.Sequence[str] | None = None,
) -> list[str]:
    """The lines. ``hosts``: what was done, by server; ``untouched``: servers of the run that nobody came to;
    ``every``: all servers of the run, where ``hosts`` are some of them; ``later``: those of them that nobody
    has come to yet, None where that was not looked at."""
    command = dataclasses.replace(command or Command(), every=(*hosts, *untouched, *every))
    order = sorted(hosts, key=lambda name: (hosts[name].rank, name))
    lines = _table([_row(name, hosts[name]) for name in order])
    ordered = {name: hosts[name] for name in order}
    for block in blocks(ordered, command):
        lines += ["", *block]
    if changed := changed_lines(ordered):
        lines += ["", *changed]
    if compare and all(steps.audit is not None for steps in hosts.values()):
        lines += [*_differences(hosts), *_updates(hosts)]
    return [*lines, "", *_totals(hosts, _left(hosts, untouched, later, every)), *_outgoing(hosts)]


def refusal(message: str, command: Command, *, check_mode: bool, is_untouched: bool) -> list[str]:
    """The lines where the run was ended for all servers at once, before anything was done to any. ``is_untouched``:
    whether no other task has changed anything either, such as one of the user's."""
    return [
        *wrapped(f"error:    {visible(message, LONGEST)}", 10),
        *(["changed:  nothing, on no server"] if is_untouched else []),
        "next:     mend what the message says, then",
        f"          {command.run(SAME, (), *(['--check'] if check_mode else []))}",
    ]


# --- the table -------------------------------------------------------------------------------------------------------


def _row(name: str, steps: Steps) -> tuple[str, ...]:
    shown, glance = visible(name, NAME), steps.overview
    if glance is None:
        return (shown, "-", "-", "-", "-", "-", _restart(steps), steps.word, "-")
    protocols = glance["protocols"]
    return (
        shown,
        glance["windows"],
        _old(protocols["TLS 1.0"]),
        _old(protocols["TLS 1.1"]),
        tls12_word(glance),
        {True: "yes", False: "no", None: "-"}[glance["dotnet"]],
        _restart(steps),
        steps.word,
        _handshake(steps),
    )


def _table(rows: t.Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    table = [_HEADER, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEADER))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


_EFFECTS = {
    "enabled": "on",
    "disabled": "off",
    "disabled_by_default": "on request",
    "unsupported": "-",
    "unknown": "?",
}


def _old(sides: t.Mapping[str, str]) -> str:
    words = [_EFFECTS.get(sides[side], "?") for side in SIDES]
    return words[0] if words[0] == words[1] else "/".join(words)


def tls12_word(glance: t.Mapping[str, t.Any]) -> str:
    """TLS 1.2 as Client and as Server, at a glance."""
    words = []
    for side in SIDES:
        word = _EFFECTS.get(glance["protocols"][TLS12][side], "?")
        if word == "on" and side in glance["default"]:
            word = "default"
        words.append(word if word in ("on", "default", "?") else word.upper())
    return "default" if words == ["default", "default"] else "/".join(words)


def _restart(steps: Steps) -> str:
    if steps.rebooted is not None and not steps.restart_wanted:
        return f"done {steps.rebooted:.0f} s"
    if steps.failed_step == "reboot":
        return "FAILED"
    if steps.restart_wanted:
        return "would be made" if steps.check_mode else "pending"
    return "-"


def _handshake(steps: Steps) -> str:
    """What TLS 1.2 did on the endpoints that were tried: these are incoming connections."""
    accepted = steps.accepted
    if not accepted:
        return "-"
    if False in accepted:
        return "1.2 REFUSED"
    if all(accepted):
        return "1.2 in"
    return "1.2 in (some)" if True in accepted else "not proven"


# --- the rest --------------------------------------------------------------------------------------------------------


def _differences(hosts: t.Mapping[str, Steps]) -> list[str]:
    """Servers that differ from the others of the run, where all of them could be read."""
    found = {name: steps.settings for name, steps in hosts.items()}
    known = {name: settings for name, settings in found.items() if settings is not None}
    if len(known) < 2 or len(known) < len(found):
        return []
    differences = [visible(item["message"]) for item in fleet.compare(known)["findings"] if _matters(item, known)]
    if not differences:
        return []
    more = len(differences) - _MOST_DIFFERENCES
    shown = [part for line in differences[:_MOST_DIFFERENCES] for part in wrapped(f"  {line}", 4)]
    lines = ["", "The servers differ:", *shown]
    return [*lines, f"  and {more} more {'difference' if more == 1 else 'differences'}"] if more > 0 else lines


def _updates(hosts: t.Mapping[str, Steps]) -> list[str]:
    """What is said of Exchange and of updates, each once, for the most servers first."""
    said: dict[str, list[str]] = {}
    for name, steps in hosts.items():
        for line in (steps.overview or {}).get("updates", ()):
            said.setdefault(visible(line), []).append(visible(name, NAME))
    order = sorted(said, key=lambda line: (-len(said[line]), line))
    shown = [
        part for line in order[:_MOST_SAID] for part in wrapped(f"  {line} ({_some_names(said[line], len(hosts))})", 4)
    ]
    more = len(order) - _MOST_SAID
    tail = [f"  and {more} more {'line' if more == 1 else 'lines'} (run with -v)"] if more > 0 else []
    return ["", "Exchange and updates:", *shown, *tail] if shown else []


def _some_names(names: t.Sequence[str], of: int) -> str:
    if len(names) == of > 1:
        return f"all {of} servers"
    rest = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{', '.join(names[:_MOST_NAMES])}{rest}"


def _matters(difference: t.Mapping[str, t.Any], known: t.Mapping[str, t.Any]) -> bool:
    """Whether clients meet something else. A protocol that nobody offers, and one that Windows does not have, are the
    same to them; DTLS is no way for mail, and of new versions the older Windows have none."""
    protocol, _blank, side = str(difference["setting"]).rpartition(" ")
    if protocol.startswith("DTLS"):
        return False
    effects = {
        settings["protocols"][protocol][side]["effective"]
        for settings in known.values()
        if side in settings["protocols"].get(protocol, {})
    }
    nobody = effects <= {"disabled", "disabled_by_default", "unsupported"}
    return not effects or not (nobody or effects == {"enabled", "unsupported"})


def _totals(hosts: t.Mapping[str, Steps], left: str) -> list[str]:
    counts: dict[str, int] = {}
    for name in sorted(hosts, key=lambda item: hosts[item].rank):
        counts[hosts[name].category] = counts.get(hosts[name].category, 0) + 1
    parts = [f"{number} {category}" for category, number in counts.items()]
    missed = [name for name, steps in hosts.items() if steps.unreachable]
    total = ", ".join(parts) or "no server was read"
    return wrapped(f"{total}; not reached: {_names(missed)}; {left}", 2)


def _left(
    hosts: t.Collection[str], untouched: t.Sequence[str], later: t.Sequence[str] | None, every: t.Collection[str]
) -> str:
    if later:
        return f"not touched yet: {_names(later)}"
    is_part = later is None and not {*every} <= {*hosts}
    return f"not touched: {_names(untouched)}{' of this batch' if is_part else ''}"


def _outgoing(hosts: t.Mapping[str, Steps]) -> list[str]:
    """Handshakes from here meet incoming connections only; what leaves is proven by other things, or not yet."""
    verified = {name: steps for name, steps in hosts.items() if steps.category == standing.VERIFIED}
    if not verified:
        return []
    incoming = "TLS 1.2 is on, in effect, and was accepted by handshakes from here (incoming)"
    shown = {name: steps for name, steps in verified.items() if (steps.outgoing or {}).get("word") == mail_words.PROVEN}
    still = {name: steps for name, steps in verified.items() if _is_told(steps.outgoing or {})}
    left = sorted(verified.keys() - shown.keys())
    also = f" also on {_names(left)}" if shown else ""
    more = f" To prove outgoing{also}, {verdicts.OUTGOING}." if left else ""
    return [
        *wrapped(f"verified: {incoming}.{more}", 10),
        *(
            line
            for sentence, names in _said(shown).items()
            for line in wrapped(f"outgoing: proven on {_some_names(names, len(hosts))}: {sentence}.", 10)
        ),
        *(
            line
            for name in sorted(still)
            for line in wrapped(f"outgoing: {visible(name, NAME)}: {_in_vain(still[name])}.", 10)
        ),
    ]


def _is_told(outgoing: t.Mapping[str, t.Any]) -> bool:
    """Whether there is more to say: what was named in vain, or mail of which nothing is proven."""
    is_open = outgoing.get("word") != mail_words.PROVEN
    return bool(outgoing.get("notes") or (is_open and (outgoing.get("waiting") or outgoing.get("drained"))))


def _in_vain(steps: Steps) -> str:
    """Why nothing is proven, and what came of that which was named for a proof."""
    outgoing = steps.outgoing or {}
    notes = [str(note) for note in outgoing.get("notes") or ()][:2]
    why = [] if outgoing.get("word") == mail_words.PROVEN else [str(outgoing.get("sentence"))]
    return visible("; ".join(item.rstrip(".") for item in (*why, *notes)), _LONGEST_SENTENCE)


def _said(shown: t.Mapping[str, Steps]) -> dict[str, list[str]]:
    """What proves outgoing mail: in full for a server, by its kind for several."""
    said: dict[str, list[str]] = {}
    for name, steps in shown.items():
        by = "; ".join(mail_words.SPOKEN.get(kind, kind) for kind in (steps.outgoing or {}).get("by") or ())
        said.setdefault(by if len(shown) > 1 else _sentence(steps), []).append(visible(name, NAME))
    return said


def _sentence(steps: Steps) -> str:
    return visible((steps.outgoing or {}).get("sentence"), _LONGEST_SENTENCE)


def _names(names: t.Sequence[str]) -> str:
    return ", ".join(visible(name, NAME) for name in sorted(names)) or "none"
