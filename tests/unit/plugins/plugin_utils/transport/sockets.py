# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of HTTP on a real socket, and channels to it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport import channels

from ..listening import listener
from . import connections

PIECE = 0.1


class Server:
    """Answers each request with the next of its texts, whole or in small pieces."""

    def __init__(self, *answers: bytes, slow: bool = True, address: str = "127.0.0.1") -> None:
        self.answers, self.slow = list(answers), slow
        self.received: list[bytes] = []
        self.ended: list[float] = []
        self.accepted: list[socket.socket] = []
        self.ends_after: int | None = None
        self.listener = listener(address)
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _peer = self.listener.accept()
                self.accepted.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock, sock.makefile("rb") as file:
            while line := file.readline():
                length, request = 0, line
                while line.strip():
                    name, _colon, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                    line = file.readline()
                    request += line
                self.received.append(request + file.read(length))
                # the steps of a login are quick, it is the last answer that drags on
                quick = not self.slow or len(self.answers) > 1
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                self._send(sock, answer, quick)
                if len(self.received) == self.ends_after:
                    break
        self.ended.append(time.monotonic())

    def hang_up(self) -> None:
        """Ends the connection that was made last, with nothing said."""
        self.accepted[-1].shutdown(socket.SHUT_RDWR)

    @property
    def requests(self) -> int:
        return len(self.received)

    @staticmethod
    def _send(sock: socket.socket, answer: bytes, quick: bool) -> None:
        if quick:
            sock.sendall(answer)
            return
        for position in range(len(answer)):
            sock.sendall(answer[position : position + 1])
            time.sleep(PIECE)


@pytest.fixture(name="serve")
def serve_fixture(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    servers: list[Server] = []

    def serve(*answers: bytes, **how: Any) -> Server:
        servers.append(Server(*answers, **how))
        return servers[-1]

    yield serve
    for server in servers:
        server.listener.close()


def channel_to(server: Server, plugin: str, **options: Any) -> channels.Channel:
    where = {"remote_addr": "127.0.0.1", "port": server.port, **options}
    if plugin == "winrm":
        scheme = where.pop("scheme", "http")
        return channels.open_channel(connections.winrm(where.pop("extras", None), scheme=scheme, **where))
    where.pop("extras", None)
    if "transport" in where:
        where.update(auth=where.pop("transport")[0], message_encryption="auto")
    return channels.open_channel(connections.psrp(protocol=where.pop("scheme", "http"), **where))
