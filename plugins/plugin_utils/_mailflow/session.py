# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""One SMTP session, as far as a piece of a log tells of it. Pure.

A session may begin in one file and end in another: what two pieces tell is joined with :meth:`Session.then`.
"""

from __future__ import annotations

import ipaddress
import typing as t

from .words import INSIDE_PORTS, RECEIVE, SEND, Tls, is_public

# What was seen of a session.
BEGAN = 0x1
ENDED = 0x2
OFFERED = 0x4
STARTTLS = 0x8
MAIL = 0x10
# mail that went out, or came in, before any TLS: the mail itself, and not only its sender and recipients
PLAIN_MAIL = 0x20
# a password was asked for without TLS
PLAIN_LOGIN = 0x40
# the other side was told, or told us, that it must use STARTTLS
REQUIRED = 0x80
# STARTTLS was answered with an error
REFUSED = 0x100
# the greeting for other Exchange servers, which stays where the certificate cannot be used
ANONYMOUS = 0x200
UNCONNECTED = 0x400
GREETED = 0x800
# a session that goes on behind the front end, whose log has the rest
PROXIED = 0x1000
# HELO, after which nothing is offered
OLD_GREETING = 0x2000
ATTEMPTED = 0x4000
# mail as PLAIN_MAIL, sent without waiting for leave (BDAT): it may have been refused all the same
CHUNKS = 0x8000
# what goes on behind STARTTLS, although no line tells of the negotiation
WENT_ON = 0x10000
# the login at hand shows no password to who listens (NTLM, GSSAPI)
HIDDEN_LOGIN = 0x20000
# the one at hand hands it over
OPEN_LOGIN = 0x40000
# STARTTLS was granted: what follows is TLS, also where no line tells of it, as it is damaged or was not written
GRANTED = 0x80000
# something was said; what was said first, of a session that began in an earlier piece, grants or refuses STARTTLS, if
# that was asked for there
SPOKEN = 0x100000
GRANTED_FIRST = 0x200000
REFUSED_FIRST = 0x400000
_LOGINS: t.Final = HIDDEN_LOGIN | OPEN_LOGIN
_OF_PLAIN_TEXT = PLAIN_MAIL | PLAIN_LOGIN | CHUNKS


class Session:
    """``day``: of its first line, ``YYYY-MM-DD``. ``peer``: remote address and port; ``client``: the address that a
    front
    end names for it (``XPROXY``). ``end``: the context of the last line. All as the bytes of the log."""

    __slots__ = (
        "client",
        "connector",
        "day",
        "direction",
        "end",
        "error",
        "flags",
        "id",
        "local",
        "login",
        "peer",
        "seek",
        "tls",
    )

    def __init__(
        self, direction: str | None, day: bytes, connector: bytes, session_id: bytes, local: bytes, peer: bytes
    ) -> None:
        self.direction = direction
        self.day = day
        self.connector = connector
        self.id = session_id
        self.local = local
        self.peer = peer
        self.flags = 0
        self.tls: Tls | None = None
        self.error: str | None = None
        self.login: str | None = None
        self.client: bytes | None = None
        self.end: bytes | None = None
        # from where on its lines in the block at hand have not been looked at
        self.seek = 0

    def then(self, later: Session) -> Session:
        """This, with what a later piece of the log tells of the same session."""
        told = later.flags
        # to a STARTTLS with which this piece ends
        answer = told if self.flags & STARTTLS and not self.flags & GRANTED else 0
        granted = GRANTED if self.flags & GRANTED or answer & GRANTED_FIRST else 0
        told |= granted | (REFUSED if answer & REFUSED_FIRST else 0)
        if self.tls is not None or granted:
            told &= ~_OF_PLAIN_TEXT
        if self.flags & HIDDEN_LOGIN and not told & OPEN_LOGIN:
            # of which the answers alone are in the later piece
            told &= ~PLAIN_LOGIN
        if told & STARTTLS:
            self.flags &= ~WENT_ON
        self.flags = (self.flags & ~_LOGINS if told & _LOGINS else self.flags) | told
        self.tls = later.tls or self.tls
        self.error = later.error or self.error
        self.login = later.login or self.login
        self.client = later.client or self.client
        self.local = self.local or later.local
        self.end = later.end
        return self

    @property
    def is_begun(self) -> bool:
        """Whether its beginning is in the log."""
        return bool(self.flags & (BEGAN | ATTEMPTED))

    @property
    def way(self) -> str:
        """``receive`` or ``send``. Where no header says it: a receive connector is ``SERVER\\Name``."""
        if self.direction:
            return self.direction
        is_receive = b"\\" in self.connector or b"CN=SMTP Receive Connectors" in self.connector
        return RECEIVE if is_receive else SEND

    @property
    def host(self) -> bytes:
        """The peer without its port: whom a front end names, else who is connected."""
        return self.client or address(self.peer)

    @property
    def is_inside(self) -> bool:
        """Whether this is a hop between services of Exchange itself."""
        if self.client is not None:
            return True
        own, dummy, own_port = self.local.rpartition(b":")
        other, dummy, other_port = self.peer.rpartition(b":")
        if (own == other != b"") or other in _LOOPBACK:
            return True
        # others have relays on these ports, and clients, as well
        port = other_port if self.way == SEND else own_port
        return port in INSIDE_PORTS and (not is_public(text(other)) or is_public(text(own)))

    @property
    def is_offered(self) -> bool | None:
        """Whether STARTTLS was offered; None where that was not seen."""
        if self.flags & OFFERED:
            return True
        greeted = self.flags & (GREETED | MAIL | REQUIRED | ANONYMOUS) and not self.flags & OLD_GREETING
        if self.flags & STARTTLS or self.tls or not self.flags & BEGAN or not greeted:
            return None
        return False

    @property
    def is_plain(self) -> bool:
        """Whether mail was surely handed over in plain text. Where the beginning was not seen, TLS is unknown."""
        surely = PLAIN_MAIL if self.flags & REQUIRED else PLAIN_MAIL | CHUNKS
        return bool(self.flags & surely and self.flags & BEGAN)

    @property
    def failure(self) -> str | None:
        """The error of a negotiation that failed, or of what this side refused behind it: a name of the log, or
        ``weak_cipher``; ``refused`` where STARTTLS was answered with an error, or ``ended`` where nothing more came
        after it but the end."""
        if self.error is not None:
            return self.error
        if self.tls is not None or not self.flags & STARTTLS:
            return None
        if self.flags & REFUSED:
            return "refused"
        return "ended" if self.flags & ENDED and not self.flags & (MAIL | WENT_ON) else None

    @property
    def outcome(self) -> str:
        """``unconnected``, ``tls_ok``, ``tls_failed``, ``plain_mail``, ``plain_login``, ``no_message``, or
        ``incomplete``
        where the log does not have enough of it."""
        flags = self.flags
        if self.failure is not None:
            return "tls_failed"
        if self.tls is not None:
            return "tls_ok"
        if self.is_plain:
            return "plain_mail"
        if flags & PLAIN_LOGIN and flags & BEGAN:
            return "plain_login"
        if flags & UNCONNECTED and not flags & BEGAN:
            return "unconnected"
        return "no_message" if flags & BEGAN and flags & ENDED and not flags & STARTTLS else "incomplete"

    def as_result(self) -> dict[str, t.Any]:
        """For people's own plays: what README and filter promise."""
        tls = self.tls or Tls("")
        host = self.host
        return {
            "direction": self.way,
            "connector": text(self.connector),
            "session_id": text(self.id),
            "day": text(self.day),
            "local": text(self.local),
            "remote": text(self.peer),
            "peer": text(host),
            "peer_ip": text(host) if is_ip(host) else None,
            "inside": self.is_inside,
            "complete_start": self.is_begun,
            "starttls_offered": self.is_offered,
            "starttls_used": self._used(),
            "tls_version": tls.version or None,
            "tls_side": tls.side,
            "cipher": tls.cipher,
            "cipher_bits": tls.bits,
            "mac": tls.mac,
            "key_exchange": tls.exchange,
            "result": self.outcome,
            "error": self.failure or self.login,
            "message_seen": True if self.flags & MAIL else False if self._is_whole() else None,
            "end": None if self.end is None else text(self.end),
        }

    def _used(self) -> bool | None:
        if self.flags & STARTTLS or self.tls or self.error:
            return True
        return False if self._is_whole() else None

    def _is_whole(self) -> bool:
        return bool(self.flags & BEGAN and self.flags & ENDED and not self.flags & PROXIED)


_LOOPBACK = frozenset({b"127.0.0.1", b"[::1]"})


def address(endpoint: bytes) -> bytes:
    """``192.0.2.1`` of ``192.0.2.1:25``, ``2001:db8::1`` of ``[2001:db8::1]:25``; what is no endpoint stays as it
    is."""
    host, colon, port = endpoint.rpartition(b":")
    is_open = b":" in host and not host.startswith(b"[") and b"%" not in host
    if not colon or not port.isdigit() or is_open:
        # without brackets, or a scope, the port of an IPv6 address cannot be told from its last part
        return endpoint.strip(b"[]")
    return host.strip(b"[]")


def is_ip(host: bytes) -> bool:
    try:
        ipaddress.ip_address(host.decode("ascii").partition("%")[0])
    except ValueError:
        return False
    return True


def text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
