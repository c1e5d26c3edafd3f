# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP side of WS-Management: one handler per connection, which is also where NTLM keeps its state."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Protocol

from . import answers, faults, network, schannel, service, soap, tls
from .auth import EACH_MESSAGE, AccountBook, ConnectionSecurity, Handshake, SealError
from .certificates import Issued, user_of
from .description import Account, Winrm
from .faults import Cut
from .hosts import Host
from .quirks import Strike
from .soap import EnvelopeError, Identify, Request

_IDLE_SECONDS = 120.0
_BODY_LIMIT = 8 * 1024 * 1024
_SOAP_TYPES = ("application/soap+xml;charset=utf-8", "application/soap+xml;charset=utf-16")


class Service(Protocol):
    """What is served at an address that speaks WS-Management."""

    #: How those who connect log in.
    security: type[ConnectionSecurity]
    #: Whether wsmid:Identify is answered without a log-in.
    answers_strangers: bool

    def settings(self, host: Host) -> Winrm:
        """The listeners' settings."""

    def classify(self, host: Host, request: Request | Identify) -> service.Operation:
        """What a request asks for."""

    def execute(self, host: Host, request: Request | Identify, account: Account | None) -> service.Reply:
        """Runs it for somebody. Raises SoapFault, HttpReply or Cut."""


class Windows:
    """The WS-Management service of Windows itself."""

    security = ConnectionSecurity
    answers_strangers = True

    def settings(self, host: Host) -> Winrm:
        """See Service."""
        return host.description.winrm

    def classify(self, host: Host, request: Request | Identify) -> service.Operation:
        """See Service."""
        return service.classify(host, request)

    def execute(self, host: Host, request: Request | Identify, account: Account | None) -> service.Reply:
        """For administrators only."""
        if account is None or not account.administrator:
            raise faults.SoapFault(faults.ACCESS_DENIED)
        return service.execute(host, request)


WINDOWS = Windows()


@dataclass(frozen=True)
class Listener:
    """One listener of a host. certificate: None for http."""

    host: Host
    book: AccountBook
    certificate: Issued | None = None
    service: Service = WINDOWS
    #: The authority of those clients who log in with a certificate.
    clients: Path | None = None

    def serve(self, sock: socket.socket) -> None:
        """Serves one connection until either side ends it."""
        sock.settimeout(_IDLE_SECONDS)
        if self.certificate is None:
            _Handler(sock, self)
            return
        winrm = self.service.settings(self.host)
        settings = self.host.effective if winrm.https_follows_schannel else schannel.everything()
        offer = settings.offer("rsa", {"SSL 2.0"})
        clients = self.clients if "certificate" in winrm.auth else None
        secured = tls.accept(sock, self.certificate.path, offer, self.host.log, clients)
        if secured is not None:
            try:
                _Handler(secured, self)
            finally:
                secured.close()


def listeners(
    host: Host,
    book: AccountBook,
    issue: Callable[[str], Issued],
    clients: Path,
    service: Service = WINDOWS,
) -> dict[int, Listener]:
    """The listeners of a service of a host by port."""
    settings = service.settings(host)
    result = {}
    if settings.http:
        result[settings.http] = Listener(host, book, None, service)
    if settings.https:
        result[settings.https] = Listener(host, book, issue(settings.certificate), service, clients)
    return result


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Microsoft-HTTPAPI/2.0"
    sys_version = ""
    timeout = _IDLE_SECONDS

    def __init__(self, sock: socket.socket, listener: Listener) -> None:
        self.host = listener.host
        self.service = listener.service
        self.settings = listener.service.settings(self.host)
        self.secure = listener.certificate is not None
        self.number = self.host.next_connection()
        idle = self.host.quirks.get("ntlm_idle")
        handshake = Handshake()
        if listener.certificate is not None and isinstance(sock, ssl.SSLSocket):
            binding = listener.certificate.channel_binding if self.settings.cbt == "Strict" else None
            user = user_of(sock.getpeercert(binary_form=True))
            handshake = Handshake(binding, user if user in self.settings.mapped else None)
        self.security = listener.service.security(
            listener.book,
            self.settings.auth,
            self.host.description.fqdn,
            handshake,
            float(idle) if idle else None,
        )
        self.logged = False
        self.retry_after: str | None = None
        self.body_in = b""
        super().__init__(sock, sock.getpeername(), self)  # type: ignore[arg-type]  # no server object: threads are ours

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing goes to stderr."""

    def handle(self) -> None:
        try:
            super().handle()
        except (Cut, ConnectionError, ssl.SSLError, TimeoutError):
            self.close_connection = True

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            self.close_connection = True

    def do_GET(self) -> None:
        """WS-Management knows POST only."""
        self._send(405, b"")

    do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815

    # -- one HTTP request ------------------------------------------------------------------------------------------

    def do_POST(self) -> None:
        """One request: body, path, authentication, encryption, SOAP."""
        self.host.log.count(http_requests=1)
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _BODY_LIMIT:
            self.close_connection = True
            self._send(411 if not length.isdigit() else 413, b"")
            return
        self.body_in = self.rfile.read(int(length))
        if len(self.body_in) < int(length):
            raise Cut
        self.host.log.count(bytes_in=len(self.body_in))
        if self.path.partition("?")[0].rstrip("/").lower() != self.settings.path.rstrip("/").lower():
            self._send(404, b"")
            return
        idle = self.host.quirks.get("ntlm_idle")
        self.security.idle = float(idle) if idle else None
        self.security.expire()
        if self._unauthenticated_identify():
            return
        token = self._authenticate()
        if token is not None:
            self._authenticated(token)

    def _unauthenticated_identify(self) -> bool:
        if not self.service.answers_strangers or self.headers.get("WSMANIDENTIFY", "").lower() != "unauthenticated":
            return False
        try:
            request = soap.parse_request(self.body_in)
        except faults.SoapFault:
            self._send(400, b"")
            return True
        if not isinstance(request, Identify):
            self._send(401, b"", challenges=self.security.offers())
            return True
        reply = service.execute(self.host, request)
        self._send(200, soap.envelope(reply.action, reply.body, None), "application/soap+xml;charset=UTF-8")
        return True

    def _authenticate(self) -> str | None:
        """Empty text or the token to send along if the request may go on; None if it has been answered."""
        header = self.headers.get("Authorization")
        if header is None:
            if self.security.account is not None and self.security.mechanism not in EACH_MESSAGE:
                return ""
            if self.security.forgotten and self._is_sealed():
                self._send(400, b"")  # Windows has thrown the security context away
                return None
            self._challenge()
            return None
        outcome = self.security.authorize(header)
        if outcome.rejected is None and outcome.account is None:
            self._challenge([outcome.token or ""])
            return None
        rejected = outcome.rejected
        if rejected is None and self.host.domain_is_starting():
            rejected = "no domain controller could be reached yet"
            self.security.forget()
        self._log_login(rejected)
        if rejected is not None:
            self._challenge()
            return None
        self.security.forgotten = False
        return outcome.token or ""

    def _log_login(self, rejected: str | None) -> None:
        if rejected is None and self.security.mechanism in EACH_MESSAGE:
            if self.logged:
                return
            self.logged = True
        security = self.security
        self.host.log.add_login(self.number, security.mechanism, security.user, rejected is None, rejected)

    def _is_sealed(self) -> bool:
        return self.headers.get("Content-Type", "").lower().startswith("multipart/")

    def _challenge(self, challenges: list[str] | None = None) -> None:
        self._send(401, b"", challenges=self.security.offers() if challenges is None else challenges)

    def _authenticated(self, token: str) -> None:
        extra = [token] if token else []
        if not self.body_in:
            self._send(200, b"", challenges=extra)  # clients set up their security context with an empty request
            return
        plain, sealed = self.body_in, self._is_sealed()
        if sealed:
            try:
                plain = self.security.unseal(self.headers.get("Content-Type", ""), self.body_in)
            except SealError:
                self._send(400, b"", challenges=extra)
                return
        elif not self.secure and not self.settings.allow_unencrypted:
            self._send(500, b"", challenges=extra)
            return
        elif self.headers.get("Content-Type", "").replace(" ", "").lower() not in _SOAP_TYPES:
            self._send(415, b"", challenges=extra)
            return
        self._soap(plain, sealed, extra)

    # -- one SOAP request ------------------------------------------------------------------------------------------

    def _soap(self, plain: bytes, sealed: bool, challenges: list[str]) -> None:
        started = time.time()
        request: Request | Identify | None = None
        failure: faults.SoapFault | None = None
        operation = service.Operation("Invalid", {})
        try:
            request = self._read(plain)
            operation = self.service.classify(self.host, request)
        except faults.SoapFault as exc:
            failure = exc
        message_id = _message_id(request, failure)
        strike = self.host.quirks.strike(operation.name)
        sent: tuple[int, int, int | None] | None = None
        self.host.log.begin_request()
        try:
            status, body, content_type, fault = self._answer(request, failure, strike, operation, message_id)
            if strike.hold == "after":
                self.host.quirks.hold(operation.name)
            size = self._send(status, body, content_type, challenges, sealed=sealed and bool(body))
            sent = status, size, fault
        finally:
            status_or_none, size, fault = sent or (None, 0, None)
            self.host.log.add_request(
                connection=self.number,
                operation=operation.name,
                arguments=operation.arguments,
                user=self.security.user or "",
                http_status=status_or_none,
                fault=fault,
                bytes_in=len(self.body_in),
                bytes_out=size,
                at=started,
                duration=time.time() - started,
            )

    def _read(self, plain: bytes) -> Request | Identify:
        limit = self.settings.max_envelope_kb * 1024
        if len(plain) > limit:
            raise faults.because(faults.ENCODING_LIMIT, f"{len(plain)} bytes, at most {limit}")
        request = soap.parse_request(plain)
        if isinstance(request, Request) and len(plain) > request.max_envelope_size:
            raise EnvelopeError(faults.ENCODING_LIMIT, request.message_id)
        return request

    def _answer(
        self,
        request: Request | Identify | None,
        failure: faults.SoapFault | None,
        strike: Strike,
        operation: service.Operation,
        message_id: str | None,
    ) -> tuple[int, bytes, str | None, int | None]:
        """Status, body, content type and fault number; cuts the connection where a quirk says so."""
        soap_type = "application/soap+xml;charset=UTF-8"
        if strike.delay:
            time.sleep(strike.delay)
        if strike.hold == "before":
            self.host.quirks.hold(operation.name)
        if strike.cut_before:
            self._cut(strike.cut_before)
        try:
            if strike.fault is not None:
                raise strike.fault
            if failure is not None or request is None:
                raise failure or faults.because(faults.INVALID_XML, "no request")
            reply = self.service.execute(self.host, request, self.security.account)
            body = self._fitting(request, soap.envelope(reply.action, reply.body, message_id))
        except faults.HttpReply as exc:
            self.retry_after = exc.retry_after
            return exc.status, exc.body, exc.content_type, None
        except faults.SoapFault as exc:
            body = soap.fault_envelope(exc.fault, message_id, self.host.description.fqdn)
            return 500, body, soap_type, exc.fault.number
        if service.is_shutdown(operation) and self.host.quirks.get("shutdown_cuts_connection"):
            raise Cut
        if strike.cut_after:
            self._cut(strike.cut_after)
        if strike.answer:
            body, content_type = answers.distort(strike.answer, body)
            return 200, body, content_type or soap_type, None
        return 200, body, soap_type, None

    @staticmethod
    def _fitting(request: Request | Identify, body: bytes) -> bytes:
        if isinstance(request, Request) and len(body) > request.max_envelope_size:
            raise faults.because(faults.RESPONSE_TOO_LARGE, f"{len(body)} bytes")
        return body

    def _cut(self, how: str) -> None:
        if how == "reset":
            network.reset(self.connection)
        raise Cut

    def _send(
        self,
        status: int,
        body: bytes,
        content_type: str | None = None,
        challenges: list[str] | None = None,
        sealed: bool = False,
    ) -> int:
        """Writes one reply and returns the size of its body."""
        if sealed and content_type is not None and content_type.startswith("application/soap+xml"):
            content_type, body = self.security.seal(body, content_type.partition("charset=")[2])
        self.send_response(status)
        if content_type is not None:
            self.send_header("Content-Type", content_type)
        for challenge in challenges or ():
            self.send_header("WWW-Authenticate", challenge)
        if self.retry_after is not None:
            self.send_header("Retry-After", self.retry_after)
            self.retry_after = None
        if self.host.quirks.get("closes_connection"):
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        drip = self.host.quirks.get("drip")
        for piece in [body] if drip is None else (body[at : at + 1] for at in range(len(body))):
            self.wfile.write(piece)
            time.sleep(drip or 0)
        self.host.log.count(bytes_out=len(body))
        return len(body)


def _message_id(request: Request | Identify | None, failure: faults.SoapFault | None) -> str | None:
    if isinstance(request, Request):
        return request.message_id
    return failure.message_id if isinstance(failure, EnvelopeError) else None
