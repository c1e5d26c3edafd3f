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

from . import last_errors, meanings, rules, smtp_log, words
from .dialogue import DATED, LINE
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
# In a line of a log: a reply that refuses, or what is told of one.
_REFUSAL = re.compile(r'^[",]*[45]\d\d[ -]|(?<![\d.])[45]\d\d [45]\.\d{1,3}\.\d{1,3}(?![\d.])')
# What a healthy line holds by the way, such as the offer of STARTTLS, is no error.
_NO_ERRORS = frozenset({"unknown", "tls_mentioned", "session_closed"})
# What tells more than that TLS was agreed on.
_TELLS_MORE = frozenset({meanings.YES, meanings.LIKELY, meanings.NO})
# What a session is where nothing of it is an error.
_SAY_NOTHING = _NO_ERRORS | {meanings.AGREED.kind, meanings.NO_TLS_TRIED.kind}
_NOBODY = (b"", b"")
# Lines of a log lose their ends in chats and on command lines.
_JOINED = re.compile(r"(?<=[ \t])(?=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z?,)")
# Where an error is no sign of a hop inside Exchange, although the session may be one.
_IMPLICIT = tuple(b":" + port for port in words.INSIDE_PORTS - words.INSIDE_OF_ERRORS)


@dataclasses.dataclass(frozen=True)
class Symptom:
    """``form``: ``ndr``, ``queue``, ``protocol_log``, ``text``, or ``none`` for no text. ``error``: the name of the
    error of a negotiation. ``connector``, ``direction``: of a line of a protocol log, else None. ``others``: what else
    the text has that means something else, the worst first."""

    form: str
    meaning: Meaning
    last_error: LastError
    error: str | None = None
    connector: str | None = None
    direction: str | None = None
    others: tuple[Meaning, ...] = ()

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
            "others": [{"kind": item.kind, "tls": item.tls, "meaning": item.meaning} for item in self.others],
        }


# A path from a root, or one word, with an ending that files with texts have. No address of the web.
_FILE = re.compile(
    r"@[^\s.]+|(?:@?(?!\w+://)[^\s,;]+|@?(?:[A-Z]:|~|\.{1,2})?[\\/][^\r\n,;:]+)"
    r"\.(?:txt|log|eml|msg|ya?ml|json|csv|html?|xml|pdf|docx?|rtf|png|jpe?g|zip)",
    re.IGNORECASE,
)


def looks_like_a_file(text: str) -> bool:
    """Whether a text is the name of a file, by its form alone: ``ndr.txt``, ``C:\\temp\\my ndr.txt``, ``@ndr.txt``."""
    return _FILE.fullmatch(text.strip().strip("\"'")) is not None


def explain(text: str) -> Symptom:
    """Any text gives an answer; no more than its first :data:`last_errors.LONGEST` characters are looked at."""
    text = _JOINED.sub("\n", text[: last_errors.LONGEST])
    errors = last_errors.read_all(text)
    if not errors[0].text:
        return Symptom(NO_FORM, meanings.NOTHING, errors[0])
    sessions = smtp_log.sessions_of(text.encode("utf-8", "replace"), None)[0]
    if sessions:
        return _of_sessions(text, sessions, errors[0])
    told = [(found, *_of_sentence(found.text, found.is_inside)) for found in errors]
    found, meaning, error = min(told, key=lambda item: _rank(item[1]))
    return Symptom(_form(text, found), meaning, found, error, others=_others(meaning, [item[1] for item in told]))


def _others(worst: Meaning, told: t.Iterable[Meaning]) -> tuple[Meaning, ...]:
    """Of several errors those that mean something else than the worst, each kind once."""
    known = {worst.kind: worst}
    for meaning in sorted(told, key=_rank):
        if meaning.kind not in _SAY_NOTHING:
            known.setdefault(meaning.kind, meaning)
    return tuple(meaning for kind, meaning in known.items() if kind != worst.kind)


def _rank(meaning: Meaning) -> tuple[bool, int]:
    """The worst first; what is no error, or says no more than that there was one, behind those that are none of TLS."""
    return meaning.kind in _SAY_NOTHING or meaning.tls == meanings.UNKNOWN, meanings.SURE.index(meaning.tls)


def _form(text: str, found: LastError) -> str:
    if found.in_braces:
        return QUEUE
    if _OF_NDR.search(text):
        return NDR
    return PROTOCOL_LOG if _OF_LOG.search(text) else TEXT


def _of_sessions(text: str, sessions: t.Sequence[Session], found: LastError) -> Symptom:
    """The worst of the sessions of a protocol log, or of what stands beside them and belongs to none."""
    said = _by_session(text)
    told = [(session, *_of_session(session, said.get((session.id, session.peer), []))) for session in sessions]
    session, meaning, error = min(told, key=lambda item: _rank(item[1]))
    meanings_told = [item[1] for item in told]
    beside, name = _of_sentence(" ".join(said.get(_NOBODY, [])), found.is_inside)
    if beside.kind not in _NO_ERRORS and (
        meaning.kind in _SAY_NOTHING or meanings.SURE.index(beside.tls) < meanings.SURE.index(meaning.tls)
    ):
        return Symptom(PROTOCOL_LOG, beside, found, name, others=_others(beside, meanings_told))
    shown = session.as_result()
    others = _others(meaning, [*meanings_told, beside])
    return Symptom(PROTOCOL_LOG, meaning, found, error, shown["connector"], shown["direction"], others)


def _by_session(text: str) -> dict[tuple[bytes, bytes], list[str]]:
    """The data and contexts of the lines of each session, by its id and its peer; lines of no log are nobody's."""
    found: dict[tuple[bytes, bytes], list[str]] = {}
    for line in text.encode("utf-8", "replace").split(b"\n"):
        match = LINE.match(line) if DATED.match(line) else None
        key, said = (_NOBODY, line) if match is None else ((match[3], match[6]), match[8])
        found.setdefault(key, []).append(said.decode("utf-8", "replace"))
    return found


def _of_session(session: Session, said: t.Sequence[str]) -> tuple[Meaning, str | None]:
    """With the name of the error of a negotiation. ``said``: the lines of that session."""
    behind = [line for line in said if last_errors.is_of_front_end(line)]
    if behind and session.failure is None:
        # the hop that failed is another one than that of the session
        return _of_sentence(" ".join(behind), is_inside=False)
    is_inside = session.is_inside and not session.peer.endswith(_IMPLICIT)
    if session.error is not None:
        found, name = _of_sentence(" ".join(said), is_inside)
        return (
            (found, name or session.error) if found.tls == meanings.YES else (_of_error(session.error), session.error)
        )
    if session.outcome == "tls_failed":
        return meanings.NEGOTIATION["unknown"], None
    if session.tls is not None:
        # also what is told of certificates by the way, which were taken
        said = [line for line in said if _REFUSAL.search(line)]
    by_text, name = _of_sentence(" ".join(said), is_inside)
    meaning = _beside(session, by_text, bool(said))
    return meaning, name if meaning is by_text else None


def _beside(session: Session, by_text: Meaning, is_refused: bool) -> Meaning:
    """What counts of a session and what its lines say. ``is_refused``: whether anything was refused behind TLS."""
    tls = session.tls
    if tls is not None and tls.version not in (*words.OLD, words.UNKNOWN):
        return by_text if by_text.tls in _TELLS_MORE else meanings.AGREED
    if by_text.kind not in _NO_ERRORS:
        return by_text
    if tls is not None:
        if tls.version in words.OLD:
            return meanings.OLD_AGREED
        # a version that is not known is one that was agreed on, as long as nothing was refused behind it
        return by_text if is_refused else meanings.AGREED
    if session.is_plain:
        return meanings.PLAIN
    return meanings.NO_TLS_TRIED if session.outcome == "no_message" else by_text


def _of_sentence(text: str, is_inside: bool) -> tuple[Meaning, str | None]:
    """Of any words; with the name of the error of a negotiation, if they have one. ``is_inside``: whether they are of
    a hop between services of Exchange itself."""
    error = words.failed(text.encode("utf-8", "replace"))
    return (rules.meaning_of(text, is_inside) if error is None else _of_error(error)), error


def _of_error(name: str) -> Meaning:
    known = words.error_class(name)
    meaning = meanings.NEGOTIATION[known.kind]
    if known.recorded or known.kind == "unknown":
        return meaning
    return meaning._replace(tls=meanings.LIKELY, source="the name of the error alone: no log with it is known")
