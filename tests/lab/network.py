# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listening sockets: one selector thread accepts for all hosts, each connection gets a thread of its own.

A thread per connection lets a host that is slow on purpose block nobody else, and the thread's objects are the state
of the connection (NTLM lives in the connection).
"""

from __future__ import annotations

import contextlib
import queue
import resource
import selectors
import socket
import struct
import threading
from collections.abc import Callable

Serve = Callable[[socket.socket], None]

_BACKLOG = 1024
_CLAIM_PORT = 59850


def raise_file_limit() -> None:
    """Allows as many open files as the system lets us: a lab of 200 hosts has more than a thousand sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def listen(address: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError naming address and port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((address, port))
        sock.listen(_BACKLOG)
    except OSError as exc:
        sock.close()
        raise OSError(exc.errno, f"cannot listen on {address}:{port}: {exc.strerror}") from None
    sock.setblocking(False)
    return sock


def claim_subnet(first: int) -> tuple[int, socket.socket]:
    """The first of 127.<first>.0.0/16 ... that no other lab has claimed, and the socket that claims it."""
    for subnet in range(first, 255):
        try:
            return subnet, listen(f"127.{subnet}.255.254", _CLAIM_PORT)
        except OSError:
            continue
    raise OSError("no free loopback subnet: too many labs are running")


def reset(sock: socket.socket) -> None:
    """Makes the next close of the socket a TCP reset rather than an orderly end."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Acceptor:
    """Accepts on any number of listening sockets."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, name="acceptor", daemon=True)

    def start(self) -> None:
        """Starts accepting."""
        self._thread.start()

    def add(self, listener: socket.socket, serve: Serve) -> None:
        """Hands every connection of *listener* to *serve*, in a new thread; returns at once."""
        self._do(lambda: self._selector.register(listener, selectors.EVENT_READ, serve))

    def remove(self, listeners: list[socket.socket]) -> None:
        """Stops listening; returns when the ports are closed."""
        done = threading.Event()

        def close() -> None:
            for listener in listeners:
                with contextlib.suppress(KeyError, ValueError):
                    self._selector.unregister(listener)
                listener.close()
            done.set()

        self._do(close)
        if threading.current_thread() is not self._thread and self._thread.is_alive():
            done.wait(5)

    def _do(self, job: Callable[[], object]) -> None:
        self._jobs.put(lambda: (job(), None)[1])
        self._wake_write.send(b"x")

    def _run(self) -> None:
        while True:
            for key, _events in self._selector.select():
                if key.data is None:
                    with contextlib.suppress(BlockingIOError):
                        self._wake_read.recv(4096)
                    while not self._jobs.empty():
                        self._jobs.get()()
                    break  # sockets in this round may have been closed by a job
                self._accept(key.fileobj, key.data)  # type: ignore[arg-type]

    @staticmethod
    def _accept(listener: socket.socket, serve: Serve) -> None:
        while True:
            try:
                sock, _peer = listener.accept()
            except OSError:
                return
            sock.setblocking(True)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_guarded, args=(serve, sock), daemon=True).start()


def _guarded(serve: Serve, sock: socket.socket) -> None:
    try:
        serve(sock)
    except OSError:
        pass  # the peer went away, or a restart cut the connection
    finally:
        with contextlib.suppress(OSError):
            sock.close()
