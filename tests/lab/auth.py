# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication of one HTTP connection: Basic, NTLM, Kerberos, CredSSP and certificates of clients, with message
encryption and channel binding."""

from __future__ import annotations

import base64
import binascii
import re
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import spnego
from spnego.channel_bindings import GssChannelBindings

from .description import Account

SPNEGO_ENCRYPTED = "application/HTTP-SPNEGO-session-encrypted"
KERBEROS_ENCRYPTED = "application/HTTP-Kerberos-session-encrypted"
CREDSSP_ENCRYPTED = "application/HTTP-CredSSP-session-encrypted"
#: What comes with each message, and is not the login of a connection.
EACH_MESSAGE = ("basic", "certificate")
# What a client says that logs in with the certificate that it gave in the handshake.
_BY_CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_BOUNDARY = "Encrypted Boundary"
# CredSSP seals with TLS, whose records hold no more.
_RECORD = 16384
# GSS_C_CHANNEL_BOUND_FLAG
_BOUND = 2048
_SIGNATURE = b"NTLMSSP\x00"
_PART = re.compile(
    rb"--Encrypted Boundary\r\n\s*Content-Type: (?P<mime>[^\r\n]+)\r\n"
    rb"\s*OriginalContent: type=application/soap\+xml;\s*charset=(?P<charset>UTF-8|UTF-16);"
    rb"Length=(?P<length>\d+)\r\n--Encrypted Boundary\r\n\s*Content-Type: application/octet-stream\r\n"
)


class SealError(Exception):
    """A sealed message that this connection cannot open."""


@dataclass(frozen=True)
class Outcome:
    """What became of an Authorization header."""

    account: Account | None = None
    token: str | None = None
    rejected: str | None = None


@dataclass(frozen=True)
class Handshake:
    """What is known of a connection from its TLS handshake; nothing over http.

    binding: the data to which logins must be bound. user: to whom the client's certificate is mapped.
    """

    binding: bytes | None = None
    user: str | None = None


class AccountBook:
    """All accounts of the lab, under all names by which Windows knows them."""

    def __init__(self, accounts: Sequence[Account], computer_names: Sequence[str]) -> None:
        self._accounts = tuple(accounts)
        self._computers = tuple(dict.fromkeys(name.upper() for name in computer_names))

    def write_ntlm_file(self, path: Path) -> None:
        """Writes the file of names and passwords that pyspnego reads; domains must match literally there."""
        lines = []
        for account in self._accounts:
            domains = ["", "."]
            domains += _domain_forms(account.domain) if account.domain else list(self._computers)
            lines += [f"{domain}:{account.user}:{account.password}" for domain in domains]
            if account.domain:
                lines.append(f":{account.user}@{account.domain}:{account.password}")
        path.touch(mode=0o600)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def find(self, name: str) -> Account | None:
        """The account meant by user, DOMAIN\\user, .\\user, COMPUTER\\user or user@domain."""
        domain, dummy, user = name.rpartition("\\")
        if not domain and "@" in user:
            user, dummy, domain = user.partition("@")
        for account in self._accounts:
            if account.user.upper() == user.upper() and self._domain_fits(account, domain.upper()):
                return account
        return None

    def _domain_fits(self, account: Account, domain: str) -> bool:
        if domain in ("", "."):
            return True
        if account.domain:
            return domain in (form.upper() for form in _domain_forms(account.domain))
        return domain in self._computers

    def check(self, name: str, password: str) -> Account | None:
        """The account if the password is right."""
        account = self.find(name)
        return account if account is not None and account.password == password else None


def _domain_forms(domain: str) -> list[str]:
    return list(dict.fromkeys((domain, domain.partition(".")[0])))


class ConnectionSecurity:
    """The security context of one HTTP connection."""

    def __init__(
        self, book: AccountBook, methods: Sequence[str], fqdn: str, handshake: Handshake, idle: float | None
    ) -> None:
        self._book = book
        # The service name of a ticket is not encrypted: a GeneralString of this very host must be in the token.
        self._ticket_host = bytes([0x1B, len(fqdn)]) + fqdn.encode()
        self._ticket = b""
        self._fqdn = fqdn
        self._methods = tuple(methods)
        self._handshake = handshake
        self._bindings = GssChannelBindings(application_data=handshake.binding) if handshake.binding else None
        self.idle = idle
        self._context: Any = None
        self._mime = SPNEGO_ENCRYPTED
        self._last_use = time.monotonic()
        self.account: Account | None = None
        self.mechanism = ""
        self.user: str | None = None
        self.forgotten = False

    @property
    def encrypts(self) -> bool:
        """True if messages of this connection may be sealed."""
        return self._context is not None and self.account is not None

    def offers(self) -> list[str]:
        """The WWW-Authenticate headers of a 401."""
        headers = []
        if "ntlm" in self._methods or "kerberos" in self._methods:
            headers.append("Negotiate")
        if "kerberos" in self._methods:
            headers.append("Kerberos")
        if "credssp" in self._methods:
            headers.append("CredSSP")
        if "basic" in self._methods:
            headers.append('Basic realm="WSMAN"')
        return headers

    def expire(self) -> None:
        """Forgets a context that was idle for too long, as Windows does after some minutes."""
        now = time.monotonic()
        if self._context is not None and self.idle is not None and now - self._last_use > self.idle:
            self.forget()
            self.forgotten = True
        self._last_use = now

    def forget(self) -> None:
        """Back to an unauthenticated connection."""
        self._context = None
        self.account = None

    def authorize(self, header: str) -> Outcome:
        """Handles one Authorization header. A token in the outcome is to be sent back."""
        if header == _BY_CERTIFICATE and "certificate" in self._methods:
            return self._certificate()
        scheme, dummy, data = header.partition(" ")
        try:
            raw = base64.b64decode(data.strip(), validate=True)
        except binascii.Error:
            return self._reject("malformed token")
        self.mechanism = scheme.lower()
        if self.mechanism == "basic" and "basic" in self._methods:
            return self._basic(raw)
        if self.mechanism in ("negotiate", "kerberos") and {"ntlm", "kerberos"} & set(self._methods):
            return self._negotiate(scheme, raw)
        if self.mechanism == "credssp" and "credssp" in self._methods:
            return self._negotiate(scheme, raw)
        return self._reject(f"{scheme} is not offered")

    def _reject(self, reason: str) -> Outcome:
        self.forget()
        return Outcome(rejected=reason)

    def _basic(self, raw: bytes) -> Outcome:
        name, dummy, password = raw.decode("utf-8", "replace").partition(":")
        self.user = name
        self._context = None
        self.account = self._book.check(name, password)
        if self.account is not None and self.account.domain:
            return self._reject("Basic is for local accounts only")
        return Outcome(account=self.account) if self.account else self._reject("wrong user name or password")

    def _certificate(self) -> Outcome:
        self.mechanism, self.user = "certificate", self._handshake.user
        self.account = self._book.find(self.user) if self.user else None
        return Outcome(account=self.account) if self.account else self._reject("no account is mapped to a certificate")

    def _negotiate(self, scheme: str, raw: bytes) -> Outcome:
        starts = self._context is None or self._context.complete or raw[:12] == _SIGNATURE + b"\x01\x00\x00\x00"
        if starts:
            self.forget()
            chosen = self._choose(scheme, raw)
            if chosen is None:
                return self._reject("this mechanism is not offered")
            self._mime = {"kerberos": KERBEROS_ENCRYPTED, "credssp": CREDSSP_ENCRYPTED}.get(
                scheme.lower(), SPNEGO_ENCRYPTED
            )
            self._ticket = b""
            self._context = spnego.server(
                protocol=chosen, channel_bindings=self._bindings, options=spnego.NegotiateOptions.wrapping_winrm
            )
        self._ticket += raw
        try:
            reply = self._context.step(raw)
        except Exception as exc:
            return self._reject(f"{type(exc).__name__}: {exc}")
        token = f"{scheme} {base64.b64encode(reply).decode()}" if reply else None
        if not self._context.complete:
            return Outcome(token=token)
        mechanism = "credssp" if scheme.lower() == "credssp" else str(self._context.negotiated_protocol or "")
        if mechanism not in self._methods:
            return self._reject(f"{mechanism} is not offered")
        if mechanism == "kerberos" and self._ticket_host not in self._ticket:
            return self._reject("the ticket is for another host")
        if mechanism == "kerberos" and self._bindings and not self._is_bound():
            return self._reject("BadBindingsError: the client has sent no bindings")
        self.mechanism = mechanism
        self.user = str(self._context.client_principal)
        self.account = self._book.find(self.user)
        if self.account is None:
            return self._reject("no such account")
        return Outcome(account=self.account, token=token)

    def _is_bound(self) -> bool:
        """Kerberos compares bindings only where both sides have some, and tells by a flag whether it did."""
        context = self._context
        while not hasattr(context, "actual_flags"):
            context = context._context
        return bool(int(context.actual_flags) & _BOUND)

    def _choose(self, scheme: str, raw: bytes) -> str | None:
        if raw.startswith(_SIGNATURE):
            return "ntlm" if "ntlm" in self._methods and scheme.lower() == "negotiate" else None
        if scheme.lower() == "credssp":
            return "credssp"
        if scheme.lower() == "kerberos":
            return "kerberos" if "kerberos" in self._methods else None
        return "negotiate" if "kerberos" in self._methods or "ntlm" in self._methods else None

    # -- message encryption ----------------------------------------------------------------------------------------

    def unseal(self, content_type: str, body: bytes) -> bytes:
        """The plain message of a multipart/encrypted body. Raises SealError."""
        if not self.encrypts:
            raise SealError("no security context on this connection")
        several = self._mime == CREDSSP_ENCRYPTED and content_type.startswith("multipart/x-multi-encrypted")
        kind = "x-multi-encrypted" if several else "encrypted"
        expected = f'multipart/{kind};protocol="{self._mime}";boundary="{_BOUNDARY}"'
        if content_type.replace(" ", "") != expected.replace(" ", ""):
            raise SealError(f"content type {content_type}")
        end = b"--Encrypted Boundary--\r\n"
        heads = list(_PART.finditer(body))
        if not heads or heads[0].start() or not body.endswith(end) or (len(heads) > 1) is not several:
            raise SealError("the parts of the message are not those of MS-WSMV 2.2.9.1")
        ends = [head.start() for head in heads[1:]] + [len(body) - len(end)]
        return b"".join(self._open(head, body[head.end() : stop]) for head, stop in zip(heads, ends, strict=True))

    def _open(self, head: re.Match[bytes], sealed: bytes) -> bytes:
        if head["mime"].decode() != self._mime:
            raise SealError(f"a part is {head['mime'].decode('latin-1')}")
        if len(sealed) < 4:
            raise SealError("no signature")
        (length,) = struct.unpack("<I", sealed[:4])
        try:
            plain: bytes = self._context.unwrap_winrm(sealed[4 : 4 + length], sealed[4 + length :])
        except Exception as exc:
            raise SealError(f"{type(exc).__name__}: {exc}") from None
        if len(plain) != int(head["length"]):
            raise SealError("Length does not fit the message")
        return plain

    def seal(self, message: bytes, charset: str = "UTF-8") -> tuple[str, bytes]:
        """Content type and body of a sealed reply."""
        size = _RECORD if self._mime == CREDSSP_ENCRYPTED else len(message)
        pieces = [message[at : at + size] for at in range(0, len(message), size)]
        kind = "x-multi-encrypted" if len(pieces) > 1 else "encrypted"
        content_type = f'multipart/{kind};protocol="{self._mime}";boundary="{_BOUNDARY}"'
        body = b"".join(self._sealed(piece, charset) for piece in pieces)
        return content_type, body + f"--{_BOUNDARY}--\r\n".encode()

    def _sealed(self, piece: bytes, charset: str) -> bytes:
        wrapped = self._context.wrap_winrm(piece)
        head = (
            f"--{_BOUNDARY}\r\n\tContent-Type: {self._mime}\r\n\tOriginalContent: type=application/soap+xml;"
            f"charset={charset};Length={len(piece) + wrapped.padding_length}\r\n--{_BOUNDARY}\r\n"
            "\tContent-Type: application/octet-stream\r\n"
        )
        sealed: bytes = struct.pack("<I", len(wrapped.header)) + wrapped.header + wrapped.data
        return head.encode() + sealed
