# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""mail_flow_proof: how mail goes since a restart, held against how it went before, and what proves that it leaves."""

from __future__ import annotations

import datetime
import time
import typing as t

from .._errors import ExchangeTlsError, OptionError
from .._judgement.mail_words import FAILING, PROVEN
from .._judgement.outgoing import Outgoing, outgoing, waiting
from .._mailflow import probe, send_logs
from .._mailflow.probe import Probe
from .._mailflow.send_logs import Logs
from .._mailflow.sent import Connection
from .._progress import Progress
from . import mail_flow
from .task import Options, Result, Task

# Seconds between two looks, and for the dialogue of the mail of ours.
_BETWEEN, _DIALOGUE = 5.0, 30.0


def moment_of(text: str) -> datetime.datetime:
    """An aware time, such as ``2026-01-05T07:57:37Z``. Raises :class:`OptionError`."""
    try:
        found = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise OptionError(
            f"'since' is {text!r}, but it is a time with its zone, such as 2026-01-05T07:57:37Z: that of the restart."
        )
    return found.astimezone(datetime.timezone.utc)


def prove(
    task: Task,
    options: Options,
    logs: Logs,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> Result:
    """The result of mail_flow_proof. Waits for as long as something may still show itself."""
    since = f"{moment_of(options['since']):%Y-%m-%dT%H:%M:%S}"
    before: Result | None = options["before"] or None
    sent_mail = _send(task, options)
    progress = Progress(task.say, options["patience"], clock)
    begun = clock()
    while True:
        seen = _look(task, options)
        after = seen if seen["asked"] else None
        sent, unread = _sent(logs, since, sent_mail)
        notes = [*filter(None, (logs.note, seen["why_not"])), *unread]
        found = outgoing(before, after, sent, sent_mail, notes)
        left = options["patience"] - (clock() - begun)
        if left <= 0 or not _may_change(found, logs, sent_mail, before):
            return _result(since, before, after, found, sent_mail)
        progress.now(f"outgoing mail: {found.sentence}")
        sleep(min(_BETWEEN, left))


def _may_change(found: Outgoing, logs: Logs, sent_mail: Probe | None, before: Result | None) -> bool:
    """Whether waiting may show more: what is proven stays so once nothing waits any more."""
    if found.word == FAILING or found.waiting:
        return True
    if found.word == PROVEN:
        return False
    is_under_way = sent_mail is not None and sent_mail.refused is None and logs.folder is not None
    return logs.folder is not None or is_under_way or bool(waiting(before))


def _look(task: Task, options: Options) -> Result:
    return mail_flow.info(task, options, datetime.datetime.now(datetime.timezone.utc))


def _send(task: Task, options: Options) -> Probe | None:
    mailbox = options["probe_mailbox"]
    if not mailbox or task.check_mode:
        return None
    return probe.send(task.address or task.host_name, options["smtp_port"], mailbox, task.host_name, _DIALOGUE)


def _sent(logs: Logs, since: str, sent_mail: Probe | None) -> tuple[list[Connection] | None, list[str]]:
    if logs.folder is None:
        return None, []
    try:
        return send_logs.read(logs.folder, since, sent_mail.message if sent_mail else None)
    except ExchangeTlsError as exc:
        return None, [exc.message]


def _result(
    since: str, before: Result | None, after: Result | None, found: Outgoing, sent_mail: Probe | None
) -> Result:
    return {
        "changed": False,
        "since": f"{since}Z",
        "before": _flow(before),
        "after": _flow(after),
        "outgoing": found.as_result(),
        "probe": sent_mail._asdict() if sent_mail else None,
        "msg": f"Outgoing mail: {found.sentence}.",
    }


def _flow(mail: Result | None) -> Result | None:
    """How much mail there is, and how much of it waits after an error that TLS may be the cause of."""
    if not mail or mail.get("queues") is None:
        return None
    return {
        "queued": sum(int(queue["messages"]) for queue in mail["queues"]),
        "waiting": sum(item.messages for item in waiting(mail).values()),
    }
