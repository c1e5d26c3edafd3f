# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What a server has sent since a moment, by its send logs: the connections that it has made, and how. Pure.

The times of a log are those of the server's own clock in UTC, as the time of its last start is.
"""

from __future__ import annotations

import typing as t

from . import smtp_log
from .session import Session, text
from .words import OLD, SEND, UNKNOWN


class Connection(t.NamedTuple):
    """``time``: of its first line, as the log has it. ``peer``: the address of the other side. ``version``: of TLS,
    None where none was agreed on. ``failure``: the error of a negotiation that failed. ``inside``: between services of
    Exchange. ``has_message``: whether the message that was looked for went by it."""

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
    told = [_connection(session, lines, message) for session in found if session.is_begun and session.way == SEND]
    return sorted(told, key=lambda item: item.time)


def _connection(session: Session, lines: bytes, message: str | None) -> Connection:
    of_session = list(_lines_with(lines, b"," + session.id + b","))
    return Connection(
        time=text(of_session[0].partition(b",")[0]) if of_session else text(session.day),
        connector=text(session.connector),
        peer=text(session.host),
        version=session.tls.version if session.tls else None,
        failure=session.failure,
        inside=session.is_inside,
        has_message=message is not None and any(message.encode() in line for line in of_session),
    )


def _lines_with(lines: bytes, needle: bytes) -> t.Iterator[bytes]:
    at = lines.find(needle)
    while at >= 0:
        end = lines.find(b"\n", at)
        end = end if end >= 0 else len(lines)
        yield lines[lines.rfind(b"\n", 0, at) + 1 : end]
        at = lines.find(needle, end)
