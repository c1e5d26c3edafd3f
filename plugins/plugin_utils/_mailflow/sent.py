# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What a server has sent since a moment, by its send logs: the connections that it has made, and how. Pure.

The times of a log are those of the server's own clock in UTC, as the time of its last start is.
"""

from __future__ import annotations

import re
import typing as t

from . import smtp_log
from .dialogue import LINE
from .session import text
from .words import OLD, SEND, UNKNOWN

_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?")
# The reply to a message that was sent: not that to its sender and recipients (2.1), and not a refusal.
_TAKEN = re.compile(rb'"?250[ -]2\.[056]\.')
_ANSWERED = re.compile(rb'"?(?:250[ -]2\.[056]\.|[45]\d\d[ -])')


class Connection(t.NamedTuple):
    """``time``: of its first line, as the log has it. ``peer``: the address of the other side. ``version``: of TLS,
    None where none was agreed on. ``failure``: why it failed, or was refused behind it. ``inside``: between services of
    Exchange. ``has_message``: whether the message that was looked for was taken by the other side."""

    time: str
    connector: str
    peer: str
    version: str | None
    failure: str | None
    inside: bool = False
    has_message: bool = False

    @property
    def is_proof(self) -> bool:
        """Whether it shows that this server connects with a TLS version that Exchange Online takes."""
        return self.failure is None and self.version is not None and self.version not in (*OLD, UNKNOWN)


def connections(lines: bytes, message: str | None = None) -> list[Connection]:
    """Those that begin in a piece of a send log, in their order. Any bytes are taken. ``message``: the Message-ID that
    is looked for, in angle brackets."""
    found, dummy = smtp_log.sessions_of(lines, SEND)
    times, holders = _by_session(lines, message.encode() if message else None)
    told = [
        Connection(
            time=text(times.get(session.id, session.day)),
            connector=text(session.connector),
            peer=text(session.host),
            version=session.tls.version if session.tls else None,
            failure=session.failure,
            inside=session.is_inside,
            has_message=session.id in holders,
        )
        for session in found
        if session.is_begun and session.way == SEND
    ]
    return sorted(told, key=lambda item: item.time)


def _by_session(lines: bytes, message: bytes | None) -> tuple[dict[bytes, bytes], set[bytes]]:
    """The time of the first line of each session, and the sessions in which the other side took the message."""
    times: dict[bytes, bytes] = {}
    named: set[bytes] = set()
    taken: set[bytes] = set()
    for line in lines.split(b"\n"):
        # from the beginning of each line only: from every place of a long one that is none it would take hours
        match = LINE.match(line)
        if match is None:
            continue
        session, event, rest = match[3], match[7], match[8]
        if _TIME.fullmatch(match[1]):
            times.setdefault(session, match[1])
        # the sender may name it before it is sent, or the other side in its reply: docs/reference/mail.md 2.4
        if message is not None and message in rest:
            named.add(session)
        if session in named and event == b"<":
            if _TAKEN.match(rest):
                taken.add(session)
            if _ANSWERED.match(rest):
                named.discard(session)
    return times, taken
