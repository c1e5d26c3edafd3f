# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""mail_flow_proof: how mail goes since a restart, held against how it went before, and what proves that it leaves.

A look that fails is no failure of the server: it is made again while there is patience, and then said.
"""

from __future__ import annotations

import datetime
import time
import typing as t

from .._errors import ExchangeTlsError, OptionError
from .._exchange import installed
from .._judgement.mail_words import PROVEN
from .._judgement.outgoing import Key, Outgoing, outgoing, waiting
from .._mailflow import probe, send_logs
from .._mailflow.probe import Probe
from .._mailflow.send_logs import Logs, Seen
from .._progress import Progress
from .._text import NAME, visible
from .._windows.facts import read_operating_system
from .._windows.registry import Registry
from . import mail_flow
from .entries import nothing_to_take_out
from .task import Options, Result, Task

# Seconds between two looks, and for an answer to the mail of ours.
_BETWEEN, _DIALOGUE = 5.0, 15.0
# Logs whose last line is older than this at the restart are copies, in which nothing new will show.
_LIVE = datetime.timedelta(hours=1)
_TIME = "%Y-%m-%dT%H:%M:%S"


def moment_of(text: str) -> datetime.datetime:
    """An aware time, such as ``2026-01-05T07:57:37Z``. Raises :class:`OptionError`."""
    try:
        found = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        if found.tzinfo is not None:
            return found.astimezone(datetime.timezone.utc)
    except (OverflowError, ValueError):
        pass
    raise OptionError(
        f"'since' is {visible(repr(text), NAME)}, but it is a time with its zone, such as 2026-01-05T07:57:37Z: "
        "that of the restart."
    )


class _Looks:
    """Asks Exchange again and again. ``error``: why the last time it did not answer."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._name: str | None = None
        self.error: ExchangeTlsError | None = None

    def look(self) -> Result:
        self.error = None
        try:
            if self._name is None:
                session = self._task.open_session()
                name = read_operating_system(session).name
                nothing = nothing_to_take_out(name, installed.roles(Registry(session)))
                if nothing is not None:
                    return mail_flow.not_asked(nothing.message)
                self._name = name
            return mail_flow.look(self._task, self._name, datetime.datetime.now(datetime.timezone.utc))
        except ExchangeTlsError as exc:
            self.error = exc
            return mail_flow.not_asked(exc.message)


def prove(
    task: Task,
    options: Options,
    logs: Logs,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> Result:
    """The result of mail_flow_proof. Waits for as long as something may still show itself."""
    start = moment_of(options["since"])
    before: Result | None = options["before"] or None
    sent_mail = _send(task, options)
    looks, progress, begun = _Looks(task), Progress(task.say, options["patience"], clock), clock()
    left: frozenset[Key] = frozenset()
    while True:
        seen = looks.look()
        shown = _sent(logs, f"{start:{_TIME}}", sent_mail)
        notes = [*filter(None, [logs.note]), *(shown.unread if shown else ())]
        found = outgoing(
            before,
            seen if seen["asked"] else None,
            shown.connections if shown else None,
            sent_mail,
            left_before=left,
            notes=notes,
        )
        # what two looks show is sure
        still = waiting(before).keys() - (left & found.left)
        left = found.left
        seconds = options["patience"] - (clock() - begun)
        is_live = shown is not None and shown.newest >= f"{start - _LIVE:{_TIME}}"
        # one that could not be asked before the restart either will hardly be asked after it
        is_missed = looks.error is not None and (before is not None or options["fail_if_not_asked"])
        may_change = found.word != PROVEN and (is_live or is_missed or bool(found.waiting) or bool(still))
        if seconds <= 0 or not may_change:
            break
        progress.now(f"outgoing mail: {visible(found.sentence)}")
        sleep(min(_BETWEEN, seconds))
    if looks.error is not None and options["fail_if_not_asked"]:
        raise looks.error
    return _result(start, before, seen, found, sent_mail)


def _send(task: Task, options: Options) -> Probe | None:
    named = options["probe_mailbox"]
    if not named or task.check_mode:
        return None
    mailbox = probe.mailbox_of(named)
    return probe.send(task.address or task.host_name, options["smtp_port"], mailbox, task.host_name, _DIALOGUE)


def _sent(logs: Logs, since: str, sent_mail: Probe | None) -> Seen | None:
    if logs.folder is None:
        return None
    try:
        return send_logs.read(logs.folder, since, sent_mail.message if sent_mail else None)
    except ExchangeTlsError as exc:
        return Seen([], "", [exc.message])


def _result(
    start: datetime.datetime, before: Result | None, seen: Result, found: Outgoing, sent_mail: Probe | None
) -> Result:
    return {
        "changed": False,
        "since": f"{start:{_TIME}}Z",
        "why_not": seen["why_not"],
        "before": _flow(before),
        "after": _flow(seen),
        "outgoing": found.as_result(),
        "probe": {"message": sent_mail.message, "refused": sent_mail.refused} if sent_mail else None,
        "msg": f"Outgoing mail: {found.sentence}.",
    }


def _flow(mail: Result | None) -> Result | None:
    """How much mail there is, and how much of it waits for Exchange Online after an error that TLS may be the cause
    of."""
    if not mail or mail.get("queues") is None:
        return None
    return {
        "queued": sum(int(queue["messages"]) for queue in mail["queues"]),
        "waiting": sum(item.messages for item in waiting(mail).values()),
    }
