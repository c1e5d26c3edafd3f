# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""One connection with one deadline, as far as the point where TLS begins."""

from __future__ import annotations

import collections.abc as c
import contextlib
import dataclasses
import errno
import os
import socket
import threading
import time
import typing as t

from ._dialogue import Conversation
from ._endpoint import Endpoint
from ._words import Answer, Ending, Talk

_CHUNK = 16 * 1024

# socket address families and addresses, as getaddrinfo gives them
Address = tuple[int, str]


class NoConnection(Exception):
    """There is nothing to say hello to; :attr:`talk` says why."""

    def __init__(self, talk: Talk, address: str | None = None) -> None:
        super().__init__(talk.evidence)
        self.talk = talk
        self.address = address


class Stopped(Exception):
    """The connection gives no more bytes, or takes none."""

    def __init__(self, how: Ending, *, heard: bool = False) -> None:
        super().__init__(how.value)
        self.how = how
        # the server had begun to answer; who asks for that fills it in
        self.heard = heard


@dataclasses.dataclass
class Target:
    """An endpoint with what the probes of it share: its addresses, asked for once, and the one that answers."""

    endpoint: Endpoint
    sni: str | None
    timeout: float
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)
    addresses: list[Address] | None = None
    unresolved: str | None = None
    resolved: threading.Event | None = None

    def resolve(self, deadline: float) -> list[Address]:
        """Raises :class:`NoConnection` where the name has no address, or none in time."""
        with self.lock:
            if self.resolved is None:
                self.resolved = threading.Event()
                # a name server that never answers cannot be interrupted, so somebody else waits for it
                threading.Thread(target=self._look_up, args=(self.resolved,), daemon=True).start()
        if not self.resolved.wait(max(deadline - time.monotonic(), 0)):
            raise NoConnection(Talk(Answer.TIMEOUT, f"no answer from the name service within {self.timeout:g} s"))
        with self.lock:
            if self.addresses is None:
                raise NoConnection(Talk(Answer.UNRESOLVED, str(self.unresolved)))
            return list(self.addresses)

    def _look_up(self, done: threading.Event) -> None:
        try:
            self.addresses = _lookup(self.endpoint.host)
        except (OSError, ValueError) as exc:
            self.unresolved = getattr(exc, "strerror", None) or str(exc)
        finally:
            done.set()

    def prefer(self, address: Address) -> None:
        """All probes of an endpoint should talk to the same machine."""
        with self.lock:
            if self.addresses:
                self.addresses = [address, *(other for other in self.addresses if other != address)]


class Wire:
    """A connected socket. Everything on it shares one deadline, which is a value of :func:`time.monotonic`."""

    def __init__(self, connected: socket.socket, address: str, deadline: float) -> None:
        self._socket = connected
        self._deadline = deadline
        self._pushed_back = b""
        self.address = address

    def send(self, data: bytes) -> None:
        with self._within_deadline():
            self._socket.sendall(data)

    def receive(self) -> bytes:
        """At least one byte; raises :class:`Stopped` at the end."""
        if self._pushed_back:
            data, self._pushed_back = self._pushed_back, b""
            return data
        with self._within_deadline():
            data = self._socket.recv(_CHUNK)
        if not data:
            raise Stopped(Ending.CLOSE)
        return data

    def push_back(self, data: bytes) -> None:
        self._pushed_back += data

    def own_name(self) -> str:
        """The address literal that a client without a name of its own says in EHLO (RFC 5321, 4.1.3)."""
        own = str(self._socket.getsockname()[0]).partition("%")[0]
        return f"[IPv6:{own}]" if ":" in own else f"[{own}]"

    def close(self) -> None:
        self._socket.close()

    @contextlib.contextmanager
    def _within_deadline(self) -> c.Iterator[None]:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Stopped(Ending.TIMEOUT)
        self._socket.settimeout(left)
        try:
            yield
        except TimeoutError:
            raise Stopped(Ending.TIMEOUT) from None
        except OSError as exc:
            # whatever else breaks a connection that stood is no answer either
            how = Ending.TIMEOUT if exc.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH) else Ending.RESET
            raise Stopped(how) from None


def connect(target: Target, deadline: float) -> Wire:
    """Connects and talks until TLS may begin. Raises :class:`NoConnection`."""
    wire = _connect(target, deadline)
    if target.endpoint.starttls is None:
        return wire
    try:
        conversation = Conversation(target.endpoint.starttls, wire.own_name())
        try:
            while not conversation.over:
                conversation.feed(wire.receive())
                if conversation.send:
                    wire.send(conversation.send)
                    conversation.send = b""
        except Stopped as exc:
            raise NoConnection(conversation.end(exc.how), wire.address) from None
        if conversation.talk is not None:
            raise NoConnection(conversation.talk, wire.address)
        wire.push_back(conversation.rest)
    except NoConnection:
        wire.close()
        raise
    return wire


def _connect(target: Target, deadline: float) -> Wire:
    addresses = target.resolve(deadline)
    failure = NoConnection(Talk(Answer.UNRESOLVED, "the name has no address"))
    for index, address in enumerate(addresses):
        # a dead first address (IPv6 that leads nowhere) must leave time for the next
        left = (deadline - time.monotonic()) / (len(addresses) - index)
        try:
            wire = Wire(_open(address, target.endpoint.port, left), address[1], deadline)
        except OSError as exc:
            failure = NoConnection(_why(exc, target.timeout), address[1])
        else:
            target.prefer(address)
            return wire
    raise failure


def _open(address: Address, port: int, seconds: float) -> socket.socket:
    if seconds <= 0:
        raise TimeoutError
    family, host = address
    # no name service is asked; connect would lose the scope of an address of IPv6 that is given to it as a text
    place = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0][4]
    connected = socket.socket(family, socket.SOCK_STREAM)
    try:
        connected.settimeout(seconds)
        connected.connect(place)
    except BaseException:
        connected.close()
        raise
    return connected


def _lookup(host: str) -> list[Address]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((int(family), _text_of(address)) for family, _type, _proto, _name, address in found))


def _text_of(address: tuple[t.Any, ...]) -> str:
    """With its scope, where it has one: without that, an address of IPv6 on a link leads nowhere."""
    if address[3:] and address[3]:
        return socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
    return str(address[0])


def _why(exc: OSError, timeout: float) -> Talk:
    if isinstance(exc, TimeoutError):
        return Talk(Answer.TIMEOUT, f"no connection within {timeout:g} s")
    if isinstance(exc, ConnectionRefusedError):
        return Talk(Answer.REFUSED, "connection refused")
    reason = exc.strerror or (os.strerror(exc.errno) if exc.errno else str(exc))
    if exc.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL):
        return Talk(Answer.LOCAL_ERROR, f"the controller cannot open a connection: {reason}")
    return Talk(Answer.UNREACHABLE, reason)
