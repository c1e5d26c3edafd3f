# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers for the tests: OpenSSL's, Python's, and ones that behave badly. Each is on a port of its own,
of 127.0.0.1 where no other address is asked for."""

from __future__ import annotations

import collections
import collections.abc as c
import contextlib
import dataclasses
import datetime
import functools
import ipaddress
import pathlib
import random
import re
import select
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from ..listening import listener

Handler = c.Callable[[socket.socket], None]

NAME = "mail.example.com"


@dataclasses.dataclass(frozen=True)
class Identity:
    """A certificate with its key, and the CA that signed it, as PEM files."""

    certificate: str
    key: str
    ca: str
    der: bytes


def identity(kind: str = "rsa") -> Identity:
    """``rsa`` or ``ec``; made once, valid for thirty days."""
    return _identity(kind)


@functools.cache
def _identity(kind: str) -> Identity:
    folder = pathlib.Path(_folder().name)
    now = datetime.datetime.now(datetime.timezone.utc)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example CA")])
    ca = _certificate(ca_name, ca_name, ca_key.public_key(), now, x509.BasicConstraints(ca=True, path_length=None))
    if kind == "rsa":
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = rsa.generate_private_key(65537, 2048)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    san = x509.SubjectAlternativeName(
        [x509.DNSName(NAME), x509.DNSName("*.example.net"), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]
    )
    own = _certificate(name, ca_name, key.public_key(), now, san).sign(ca_key, hashes.SHA256())
    files = {part: folder / f"{kind}-{part}.pem" for part in ("certificate", "key", "ca")}
    ca_pem = ca.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    files["ca"].write_bytes(ca_pem)
    files["certificate"].write_bytes(own.public_bytes(serialization.Encoding.PEM) + ca_pem)
    files["key"].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    der = own.public_bytes(serialization.Encoding.DER)
    return Identity(str(files["certificate"]), str(files["key"]), str(files["ca"]), der)


def certificate_with(unit: str = "", names: c.Sequence[str] = ()) -> bytes:
    """The DER of a self-signed certificate with these names."""
    key = ec.generate_private_key(ec.SECP256R1())
    # longer than the standard allows, as only a hostile server would send it
    attribute = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit or NAME, _validate=False)
    subject = x509.Name([attribute])
    now = datetime.datetime.now(datetime.timezone.utc)
    san = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    signed = _certificate(subject, subject, key.public_key(), now, san).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: object, now: datetime.datetime, extension: x509.ExtensionType
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)  # type: ignore[arg-type]
        .serial_number(0xABCDEF)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30, hours=1))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    )


def server_context(*versions: ssl.TLSVersion, kind: str = "rsa", client_certificate: bool = False) -> ssl.SSLContext:
    """A context that accepts exactly these versions, old ones too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = identity(kind)
    context.load_cert_chain(own.certificate, own.key)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    off = {
        ssl.TLSVersion.TLSv1: ssl.OP_NO_TLSv1,
        ssl.TLSVersion.TLSv1_1: ssl.OP_NO_TLSv1_1,
        ssl.TLSVersion.TLSv1_2: ssl.OP_NO_TLSv1_2,
        ssl.TLSVersion.TLSv1_3: ssl.OP_NO_TLSv1_3,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        for version, option in off.items():
            if version not in versions:
                context.options |= option
    if client_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(own.ca)
    return context


def flight_of(context: ssl.SSLContext, hello: bytes) -> bytes:
    """What Python's own TLS server answers to a ClientHello, without a network."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(hello)
    with contextlib.suppress(ssl.SSLError):
        server.do_handshake()
    return outgoing.read()


class Server:
    """Runs a handler for each connection, in a thread, and counts the connections."""

    def __init__(self, handler: Handler, address: str = "127.0.0.1") -> None:
        self._handler = handler
        self._listener = listener(address, backlog=64)
        self.connections = 0
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._listener.setblocking(False)
        with contextlib.suppress(OSError):
            while True:
                # whoever was not accepted in time was connected all the same
                self._listener.accept()[0].close()
                self.connections += 1
        # wakes the thread that waits in accept
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connected = self._listener.accept()[0]
                self.connections += 1
                threading.Thread(target=self._serve, args=(connected,), daemon=True).start()

    def _serve(self, connected: socket.socket) -> None:
        connected.settimeout(10)
        with connected, contextlib.suppress(OSError):
            self._handler(connected)


def read_record(connected: socket.socket) -> bytes:
    """One TLS record, which is where a ClientHello ends."""
    record = b""
    while len(record) < 5 or len(record) < 5 + int.from_bytes(record[3:5], "big"):
        data = connected.recv(4096)
        if not data:
            raise ConnectionError
        record += data
    return record


def wait_for_close(connected: socket.socket) -> None:
    while connected.recv(4096):
        pass


def reset(connected: socket.socket) -> None:
    """Closes with RST, as Schannel does."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connected.close()


def unreliable(handler: Handler, share: float, seed: int) -> Handler:
    """As this handler, but a share of the connections is reset after the ClientHello, by chance: for each kind of
    ClientHello by the number of the connection, so that the same are lost whichever comes first of several at once."""
    seen: collections.Counter[bytes] = collections.Counter()
    lock = threading.Lock()

    def served(connected: socket.socket) -> None:
        # lengths and the version, but nothing that is random
        kind = connected.recv(11, socket.MSG_PEEK | socket.MSG_WAITALL)
        with lock:
            seen[kind] += 1
            chance = random.Random(f"{seed} {kind.hex()} {seen[kind]}")
        if chance.random() < share:
            read_record(connected)
            reset(connected)
        else:
            handler(connected)

    return served


def one_at_a_time(handler: Handler, turned_away: Handler) -> Handler:
    """A server that turns a client away while it has another connection."""
    busy = threading.Lock()

    def served(connected: socket.socket) -> None:
        if not busy.acquire(blocking=False):
            turned_away(connected)
            return
        try:
            handler(connected)
            # the next client that comes in this moment is still one too many
            time.sleep(0.01)
        finally:
            busy.release()

    return served


def schannel(context: ssl.SSLContext, *versions: int) -> Handler:
    """Resets every hello whose version is none of these, without an alert, as Windows does."""

    def handler(connected: socket.socket) -> None:
        hello = connected.recv(4096, socket.MSG_PEEK)
        # TLS 1.3 is offered in an extension only
        offered = 0x0304 if b"\x00\x2b\x00\x03\x02\x03\x04" in hello else int.from_bytes(hello[9:11], "big")
        if offered in versions:
            tls(context)(connected)
        else:
            read_record(connected)
            reset(connected)

    return handler


def answers(flight: bytes, piece: int = 1 << 20, pause: float = 0.0) -> Handler:
    """Reads the hello, then sends these bytes in pieces."""

    def handler(connected: socket.socket) -> None:
        read_record(connected)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(flight), piece):
            connected.sendall(flight[start : start + piece])
            time.sleep(pause)
        wait_for_close(connected)

    return handler


def says(*script: tuple[str, bytes]) -> Handler:
    """A plain-text dialogue: (command expected, reply), the first command "" for the greeting. Then closes."""

    def handler(connected: socket.socket) -> None:
        talk(connected, *script)

    return handler


def talk(connected: socket.socket, *script: tuple[str, bytes]) -> None:
    for command, reply in script:
        if command:
            line = b""
            while not line.endswith(b"\r\n"):
                data = connected.recv(1)
                if not data:
                    return
                line += data
            assert line.split()[0] == command.encode() or line.split()[1:2] == [command.encode()]
        connected.sendall(reply)


def tls(context: ssl.SSLContext, *script: tuple[str, bytes]) -> Handler:
    """A TLS server, after a dialogue where there is one. Refuses as Schannel does, with a reset."""

    def handler(connected: socket.socket) -> None:
        talk(connected, *script)
        try:
            with context.wrap_socket(connected, server_side=True) as secured:
                wait_for_close(secured)
        except ssl.SSLError:
            reset(connected)

    return handler


SMTP = (
    ("", b"220-ex01.example.com Microsoft ESMTP MAIL Service\r\n220 ready\r\n"),
    ("EHLO", b"250-ex01.example.com Hello [127.0.0.1]\r\n250-SIZE 37748736\r\n250-starttls\r\n250 8BITMIME\r\n"),
    ("STARTTLS", b"220 2.0.0 SMTP server ready\r\n"),
)
LMTP = (("", b"220 lmtp ready\r\n"), ("LHLO", b"250-me\r\n250 STARTTLS\r\n"), ("STARTTLS", b"220 go\r\n"))
IMAP = (
    ("", b"* OK The Microsoft Exchange IMAP4 service is ready.\r\n"),
    ("CAPABILITY", b"* CAPABILITY IMAP4 IMAP4rev1 LOGINDISABLED STARTTLS UIDPLUS\r\na1 OK CAPABILITY completed.\r\n"),
    ("STARTTLS", b"a2 OK Begin TLS negotiation now.\r\n"),
)
POP3 = (
    ("", b"+OK The Microsoft Exchange POP3 service is ready.\r\n"),
    ("CAPA", b"+OK\r\nTOP\r\nUIDL\r\nSTLS\r\n.\r\n"),
    ("STLS", b"+OK Begin TLS negotiation.\r\n"),
)


@contextlib.contextmanager
def openssl_server(*arguments: str, kind: str = "rsa") -> c.Iterator[int]:
    """`openssl s_server` with these arguments; gives its port. It ends itself after 60 connections at the latest."""
    own = identity(kind)
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "60", "-www"]
    command += ["-cert", own.certificate, "-key", own.key, *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
    )
    assert process.stdout is not None
    try:
        output = b""
        while not (match := re.search(rb"ACCEPT \S+:(\d+)\s", output)):
            readable = select.select([process.stdout], [], [], 10)[0]
            data = process.stdout.read(4096) if readable else b""
            if not data:
                raise RuntimeError(f"s_server does not start: {command} {output!r}")
            output += data
        yield int(match[1])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
