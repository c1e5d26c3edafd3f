# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TLS listeners of Exchange: SMTP with STARTTLS, HTTPS, IMAPS, POP3S, SMTPS.

Their versions and cipher suites are those in effect since the last restart. Exchange's SMTP has no TLS 1.3 whatever
Windows allows.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from . import tls
from .description import Endpoint
from .hosts import Host
from .schannel import Settings
from .suites import Offer

_SMTP = ("smtp", "smtp587", "smtps")
_STARTTLS = ("smtp", "smtp587")
_SECONDS = 30.0
_LINE_LIMIT = 4096


@dataclass(frozen=True)
class TlsEndpoint:
    """One listener."""

    host: Host
    endpoint: Endpoint
    certificate: Path

    def offer(self) -> Offer:
        """What it can negotiate now."""
        return offer_of(self.endpoint, self.host.effective)

    def offers_starttls(self) -> bool:
        """True as long as a version is on: that no cipher suite is left shows only in the handshake."""
        return not set(self.host.effective.protocols) <= unserved(self.endpoint.kind)

    def serve(self, sock: socket.socket) -> None:
        """Serves one connection."""
        sock.settimeout(_SECONDS)
        if self.endpoint.kind in _STARTTLS:
            _SmtpDialog(self, sock).run()
            return
        secured = tls.accept(sock, self.certificate, self.offer(), self.host.log)
        if secured is None:
            return
        with secured:
            secured.settimeout(_SECONDS)
            if self.endpoint.kind == "smtps":
                _SmtpDialog(self, secured, secured=True).run()
            elif self.endpoint.kind == "https":
                _serve_https(secured)
            else:
                _serve_mailbox(secured, self.endpoint.kind)


def unserved(kind: str) -> set[str]:
    """The protocols that an endpoint of this kind never speaks."""
    return {"SSL 2.0", "TLS 1.3"} if kind in _SMTP else {"SSL 2.0"}


def offer_of(endpoint: Endpoint, effective: Settings) -> Offer:
    """What an endpoint can negotiate where these settings are in effect."""
    return effective.offer(endpoint.key, unserved(endpoint.kind))


class _Lines:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = b""

    def read(self) -> str | None:
        while b"\n" not in self._buffer:
            if len(self._buffer) > _LINE_LIMIT:
                return None
            data = self.sock.recv(4096)
            if not data:
                return None
            self._buffer += data
        line, dummy, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("latin-1")

    def write(self, text: str) -> None:
        self.sock.sendall(text.encode() + b"\r\n")


class _SmtpDialog:
    """As much of a Receive connector as a TLS client needs."""

    def __init__(self, owner: TlsEndpoint, sock: socket.socket, secured: bool = False) -> None:
        self.owner = owner
        self.sock = sock
        self.lines = _Lines(sock)
        self.secured = secured
        # how far a mail has come: the command that may be next
        self.mail = "MAIL"

    def run(self) -> None:
        fqdn = self.owner.host.description.fqdn
        self.lines.write(f"220 {fqdn} Microsoft ESMTP MAIL Service ready at {formatdate(self.owner.host.now())}")
        while (line := self.lines.read()) is not None:
            verb = line.partition(" ")[0].upper()
            if verb == "QUIT":
                self.lines.write("221 2.0.0 Service closing transmission channel")
                return
            if verb == "STARTTLS" and self._offers_starttls():
                self.lines.write("220 2.0.0 SMTP server ready")
                if not self._secure():
                    return
                self.mail = "MAIL"
            elif verb == "DATA" and self.mail == "DATA":
                self.lines.write("354 Start mail input; end with <CRLF>.<CRLF>")
                self._take()
            else:
                self.lines.write(self._reply(verb, line, fqdn))

    def _offers_starttls(self) -> bool:
        return not self.secured and self.owner.offers_starttls()

    def _secure(self) -> bool:
        owner = self.owner
        secured = tls.accept(self.sock, owner.certificate, owner.offer(), owner.host.log)
        if secured is None:
            return False
        secured.settimeout(_SECONDS)
        self.sock, self.lines, self.secured = secured, _Lines(secured), True
        return True

    def _reply(self, verb: str, line: str, fqdn: str) -> str:
        if verb == "EHLO":
            extensions = [
                "SIZE 37748736",
                "PIPELINING",
                "DSN",
                "ENHANCEDSTATUSCODES",
                "8BITMIME",
                "BINARYMIME",
                "CHUNKING",
            ]
            if self._offers_starttls():
                extensions.insert(4, "STARTTLS")
            lines = [f"{fqdn} Hello [127.0.0.1]", *extensions]
            return "\r\n".join(f"250{' ' if n == len(lines) - 1 else '-'}{text}" for n, text in enumerate(lines))
        if verb == "HELO":
            return f"250 {fqdn} Hello [127.0.0.1]"
        if verb == "MAIL" and self.owner.endpoint.require_tls and not self.secured:
            return "451 5.7.3 Must issue a STARTTLS command first"
        if verb == "MAIL" and self.owner.host.relay is None:
            return "530 5.7.57 Client not authenticated to send mail"
        if verb in ("MAIL", "RCPT", "DATA"):
            return self._envelope(verb)
        if verb in ("NOOP", "RSET"):
            self.mail = "MAIL" if verb == "RSET" else self.mail
            return "250 2.0.0 OK"
        return "500 5.3.3 Unrecognized command" if verb else "500 5.3.3 Unrecognized command ''"

    def _envelope(self, verb: str) -> str:
        """Whoever comes may send to whomever he wants, as with a connector that relays."""
        if verb != self.mail and not (verb == "RCPT" and self.mail == "DATA"):
            return "503 5.5.2 Bad sequence of commands"
        self.mail = "RCPT" if verb == "MAIL" else "DATA"
        return "250 2.1.0 Sender OK" if verb == "MAIL" else "250 2.1.5 Recipient OK"

    def _take(self) -> None:
        """The mail itself, of which the Message-ID counts."""
        name, is_head = "", True
        while (line := self.lines.read()) not in (None, "."):
            is_head = is_head and line != ""
            field, _colon, value = (line or "").partition(":")
            if is_head and field.casefold() == "message-id":
                name = value.strip()
        host = self.owner.host
        if line is not None and host.relay is not None:
            host.relay(name)
            self.lines.write(f"250 2.6.0 {name} [Hostname={host.description.fqdn}] Queued mail for delivery")
        self.mail = "MAIL"


def _serve_https(sock: socket.socket) -> None:
    lines = _Lines(sock)
    while (line := lines.read()) is not None:
        if line == "":
            body = b"<html><head><title>Outlook</title></head></html>"
            head = (
                "HTTP/1.1 200 OK\r\nServer: Microsoft-IIS/10.0\r\nContent-Type: text/html\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            )
            sock.sendall(head.encode() + body)
            return


def _serve_mailbox(sock: socket.socket, kind: str) -> None:
    lines = _Lines(sock)
    imap = kind == "imaps"
    service = "IMAP4" if imap else "POP3"
    lines.write(f"{'* OK' if imap else '+OK'} The Microsoft Exchange {service} service is ready.")
    while (line := lines.read()) is not None:
        tag, dummy, command = line.partition(" ")
        verb = (command if imap else tag).upper()
        if imap and verb.startswith("LOGOUT"):
            lines.write(f"* BYE Microsoft Exchange Server IMAP4 server signing off.\r\n{tag} OK LOGOUT completed.")
            return
        if imap and verb.startswith("CAPABILITY"):
            lines.write(f"* CAPABILITY IMAP4 IMAP4rev1 AUTH=NTLM IDLE UIDPLUS\r\n{tag} OK CAPABILITY completed.")
        elif verb == "QUIT" and not imap:
            lines.write("+OK Microsoft Exchange Server POP3 server signing off.")
            return
        elif verb == "CAPA" and not imap:
            lines.write("+OK\r\nTOP\r\nUIDL\r\nSASL NTLM\r\n.")
        else:
            lines.write(f"{tag} BAD Command Error." if imap else "-ERR Protocol error.")
