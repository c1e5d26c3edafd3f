# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What one line of an SMTP protocol log tells of its session. Pure.

Exchange 2007 and 2010 write a reply of several lines as several events, and a certificate as one event for each
attribute; later ones write one event for the whole. Both are read alike.
"""

from __future__ import annotations

import re
import typing as t

from . import session as seen
from . import words
from .session import Session

# A field in quotes, which ends at the first one that is not doubled, so that no text is gone through twice.
QUOTED: t.Final = rb'"[^"\n]*"(?:"[^"\n]*")*'
_FIELD = QUOTED + rb'|[^,"\n]*'
# Time, connector, session, number, local, remote, event, and the rest (data and context).
LINE = re.compile(rb"([^,\n]*),(" + _FIELD + rb'),([^,"\n]+),(\d+),([^,"\n]*),([^,"\n]*),([-+*<>]),([^\r\n]*)')

DATED: t.Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d")

# Behind ``<`` or ``>``.
_GREETING = re.compile(rb"250[ -](?!\d\.\d)")
# The other one is how Exchange servers ask each other.
_STARTTLS = re.compile(rb"(?:STARTTLS|X-ANONYMOUSTLS)\b", re.IGNORECASE)
_OLD_GREETING = re.compile(rb"HELO\b", re.IGNORECASE)
_GRANTED: t.Final = b"220"
# What nobody says, or answers, to whom a handshake has failed.
_GOES_ON = re.compile(rb"(?:EHLO|QUIT|221)\b", re.IGNORECASE)
_MAIL = re.compile(rb"MAIL +FROM\b", re.IGNORECASE)
# The mail itself: what follows is no line of the log. A recipient that is refused leaves nothing to send.
_HANDED_OVER = re.compile(rb"(354\b)|(BDAT +\d)", re.IGNORECASE)
_HANDED_FLAGS: t.Final = {1: seen.PLAIN_MAIL, 2: seen.CHUNKS}
# Of all mechanisms of a login, these hand over the password itself.
_LOGIN = re.compile(rb"(?:AUTH|X-EXPS) +(LOGIN\b|PLAIN\b)?", re.IGNORECASE)
_LOGIN_BEGUN = re.compile(rb"334\b")
_REFUSAL = re.compile(rb"[45]\d\d[ -]")
# To STARTTLS: not now, or not at all (RFC 3207, 4; RFC 5321, 4.2.2), or what Exchange says that cannot begin it.
_NO_TLS: t.Final = (b"454", b"50", b"554 5.7.3")
# Hops between services of Exchange, which name the client that they act for.
_INSIDE = re.compile(rb"(?:XPROXY\w*|XSESSIONPARAMS)\b(?:[^\r\n]*?\bIP=([0-9A-Fa-f.:]+))?", re.IGNORECASE)

# Behind ``*``, in the data or in the context.
_TOLD = re.compile(
    rb"(?:(?:" + _FIELD + rb'),)?"?(?:'
    rb"(TLS (?:protocol|negotiation|cipher strength)|Security status|(?:In|Out)bound TLS auth)|((?:In|Out)bound auth)"
    rb"|(attempting to connect)|(Failed to connect)|(Proxy session was successfully)"
    rb"|(Drop connection because TLS configuration requires))",
    re.IGNORECASE,
)
_TOLD_FLAGS: t.Final = {3: seen.ATTEMPTED, 4: seen.UNCONNECTED, 5: seen.PROXIED, 6: seen.REQUIRED}


def tell(session: Session, event: bytes, rest: bytes) -> None:
    """Notes what a line tells. ``rest``: its data and context, as they are in the log."""
    if event == b"-":
        session.flags |= seen.ENDED
        session.end = rest.partition(b",")[2] or rest
    elif event == b"*":
        if match := _TOLD.match(rest):
            _told(session, t.cast(int, match.lastindex), rest[match.start(t.cast(int, match.lastindex)) :])
    elif event == b"+":
        session.flags |= seen.BEGAN
    else:
        _said(session, rest.removeprefix(b'"'))
        session.flags |= seen.SPOKEN


def event_of(block: bytes, line: int) -> int:
    """Where the event of the line stands; -1 where it is none of a log."""
    columns = LINE.match(block, line) if DATED.match(block, line) else None
    return -1 if columns is None else columns.start(7)


def is_event(block: bytes, line: int, at: int) -> bool:
    """Whether the event of the line stands there, and not something that looks like one, within a text."""
    head = block[line:at]
    if head.count(b",") == 6 and b'"' not in head:
        return DATED.match(head) is not None
    return event_of(block, line) == at


def rest_of(block: bytes, start: int) -> bytes:
    """From ``start`` to the end of the line."""
    return block[start : block.find(b"\n", start)].rstrip(b"\r")


def _told(session: Session, kind: int, text: bytes) -> None:
    if kind in _TOLD_FLAGS:
        session.flags |= _TOLD_FLAGS[kind]
    elif kind == 2:
        session.login = words.refused_login(text) or session.login
    elif (tls := words.agreed(text)) is not None:
        session.tls = tls
    else:
        session.error = words.failed(text) or words.refused_behind(text) or session.error


def _said(session: Session, said: bytes) -> None:
    if _GREETING.match(said):
        if session.tls is None:
            session.flags |= _offer(said.upper())
    elif _MAIL.match(said):
        session.flags |= seen.MAIL
    elif match := _INSIDE.match(said):
        session.client = match[1] or session.client or seen.address(session.peer)
    elif session.tls is not None:
        return
    elif _STARTTLS.match(said):
        session.flags = session.flags & ~seen.WENT_ON | seen.STARTTLS
    elif said.startswith(_GRANTED):
        session.flags |= _answered(session.flags, seen.GRANTED, seen.GRANTED_FIRST)
    elif _GOES_ON.match(said) and _is_behind_starttls(session.flags):
        session.flags |= seen.WENT_ON
    elif match := _HANDED_OVER.match(said):
        session.flags |= 0 if session.flags & seen.GRANTED else _HANDED_FLAGS[t.cast(int, match.lastindex)]
    elif _OLD_GREETING.match(said):
        session.flags |= seen.OLD_GREETING
    elif match := _LOGIN.match(said):
        session.flags &= ~(seen.HIDDEN_LOGIN | seen.OPEN_LOGIN)
        session.flags |= seen.OPEN_LOGIN if match[1] else seen.HIDDEN_LOGIN
    elif _LOGIN_BEGUN.match(said):
        session.flags |= 0 if session.flags & (seen.HIDDEN_LOGIN | seen.GRANTED) else seen.PLAIN_LOGIN
    elif _REFUSAL.match(said):
        session.flags |= _refused(session.flags, said)


def _refused(known: int, said: bytes) -> int:
    is_named = b"STARTTLS" in said.upper()
    is_of_tls = b"TLS" in said and not is_named
    # what refuses the command may name it
    if is_of_tls or (said.startswith(_NO_TLS) and not known & seen.GRANTED):
        answer = _answered(known, seen.REFUSED, seen.REFUSED_FIRST)
        if answer:
            return answer
    return seen.REQUIRED if is_named and not known & seen.GRANTED else 0


def _is_behind_starttls(known: int) -> bool:
    """Or may be, where that was asked for in an earlier piece."""
    return bool(known & (seen.STARTTLS | seen.GRANTED_FIRST)) or not known & (seen.BEGAN | seen.SPOKEN)


def _answered(known: int, answer: int, answer_first: int) -> int:
    """What a reply is to STARTTLS, if that was asked for, here or perhaps in an earlier piece."""
    if known & seen.STARTTLS:
        return answer
    return 0 if known & (seen.BEGAN | seen.SPOKEN) else answer_first


def _offer(said: bytes) -> int:
    if b"STARTTLS" in said:
        return seen.OFFERED
    return seen.ANONYMOUS | seen.GREETED if b"X-ANONYMOUSTLS" in said else seen.GREETED
