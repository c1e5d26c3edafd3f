# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What an error text that somebody has pasted means: of an NDR, a queue, a protocol log, in English or translated.
Pure.

LastError and NDRs mostly say no more than that a connection ended: the protocol log alone tells whether TLS was it.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from . import last_errors, meanings, smtp_log, words
from .last_errors import LastError
from .meanings import Meaning
from .session import Session

NDR, QUEUE, PROTOCOL_LOG, TEXT, NO_FORM = "ndr", "queue", "protocol_log", "text", "none"
_OF_NDR = re.compile(
    r"Diagnostic-Code:|Remote Server returned|Generating server|Delivery has failed|[#<]\s*[45]\d\d |\bNDR\b",
    re.IGNORECASE,
)
# Also of a line without its beginning, as people copy it.
_OF_LOG = re.compile(
    r"TLS negotiation failed|Security status |TLS protocol SP_PROT|(?:^|[,\s])[-+*<>],[^,]*,", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True)
class Symptom:
    """``form``: ``ndr``, ``queue``, ``protocol_log``, ``text``, or ``none`` for no text. ``error``: the name of the
    error of a negotiation. ``connector``, ``direction``: of a line of a protocol log, else None."""

    form: str
    meaning: Meaning
    last_error: LastError
    error: str | None = None
    connector: str | None = None
    direction: str | None = None

    def as_result(self) -> dict[str, t.Any]:
        """What README and filter promise."""
        return {
            "form": self.form,
            "text": self.last_error.text,
            "kind": self.meaning.kind,
            "tls": self.meaning.tls,
            "meaning": self.meaning.meaning,
            "read": self.meaning.read,
            "source": self.meaning.source,
            "codes": list(self.last_error.codes),
            "error": self.error,
            "host": self.last_error.host,
            "address": self.last_error.address,
            "time": self.last_error.time,
            "winsock": self.last_error.winsock,
            "connector": self.connector,
            "direction": self.direction,
        }


def explain(text: str) -> Symptom:
    """Any text gives an answer; no more than its first :data:`last_errors.LONGEST` characters are looked at."""
    text = text[: last_errors.LONGEST]
    found = last_errors.read(text)
    if not found.text:
        return Symptom(NO_FORM, meanings.NOTHING, found)
    sessions = smtp_log.sessions_of(text.encode("utf-8", "replace"), None)[0]
    if sessions:
        return _of_sessions(sessions, found)
    error = words.failed(found.text.encode("utf-8", "replace"))
    if error is not None:
        return Symptom(_form(text, found), _of_error(error), found, error)
    return Symptom(_form(text, found), _of_text(found), found)


def _form(text: str, found: LastError) -> str:
    if found.in_braces:
        return QUEUE
    if _OF_NDR.search(text):
        return NDR
    return PROTOCOL_LOG if _OF_LOG.search(text) else TEXT


def _of_sessions(sessions: t.Sequence[Session], found: LastError) -> Symptom:
    """The worst of the sessions of a protocol log."""
    told = [(session, _of_session(session, found)) for session in sessions]
    session, meaning = min(told, key=lambda item: meanings.SURE.index(item[1].tls))
    shown = session.as_result()
    return Symptom(PROTOCOL_LOG, meaning, found, session.error, shown["connector"], shown["direction"])


def _of_session(session: Session, found: LastError) -> Meaning:
    if session.error is not None:
        return _of_error(session.error)
    if session.tls is not None:
        return meanings.AGREED
    if session.outcome == "tls_failed":
        return meanings.NEGOTIATION["unknown"]
    by_text = _of_text(found)
    # what a healthy line holds by the way, such as the offer of STARTTLS, is no error
    if by_text.kind not in ("unknown", "tls_mentioned", "session_closed"):
        return by_text
    if session.is_plain:
        return meanings.PLAIN
    return meanings.NO_TLS_TRIED if session.outcome == "no_message" else by_text


def _of_error(name: str) -> Meaning:
    known = words.error_class(name)
    meaning = meanings.NEGOTIATION[known.kind]
    if known.recorded or known.kind == "unknown":
        return meaning
    return meaning._replace(tls=meanings.LIKELY, source="the name of the error alone: no log with it is known")


def _of_text(found: LastError) -> Meaning:
    codes = {*found.codes, *(code.rpartition(" ")[2] for code in found.codes)}
    for rule in meanings.RULES:
        if (not rule.codes or rule.codes & codes) and all(pattern.search(found.text) for pattern in rule.words):
            return rule.meaning
    return meanings.NOT_KNOWN
