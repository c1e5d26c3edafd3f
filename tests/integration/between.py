# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between a controller and its hosts: a proxy, and something that ends TLS."""

from __future__ import annotations

import abc
import base64
import contextlib
import pathlib
import select
import socket
import ssl
import threading
import typing as t
import urllib.parse

_IDLE_SECONDS = 60.0
Address = tuple[str, int]
Self = t.TypeVar("Self", bound="_Between")


class _Between(abc.ABC):
    """Listens until the block ends; each connection has a thread."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self: Self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *dummy: object) -> None:
        # closing alone would not wake the thread that accepts
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._begin, args=self._listener.accept()[:1], daemon=True).start()

    def _begin(self, client: socket.socket) -> None:
        client.settimeout(_IDLE_SECONDS)
        with contextlib.suppress(OSError), client:
            self._serve(client)

    @abc.abstractmethod
    def _serve(self, client: socket.socket) -> None:
        """Has one connection to its end."""


class Proxy(_Between):
    """A proxy of HTTP/1.1: CONNECT, and whole URLs for http. login: user:password that it wants."""

    def __init__(self, login: str | None = None) -> None:
        super().__init__()
        self._login = login and f"proxy-authorization: basic {base64.b64encode(login.encode()).decode()}".lower()
        #: Method and target of each request.
        self.asked: list[tuple[str, str]] = []

    @property
    def hosts(self) -> set[str]:
        """Whom it was asked for."""
        targets = [target if "//" in target else f"//{target}" for _method, target in self.asked]
        return {urllib.parse.urlsplit(target).hostname or "" for target in targets}

    def _serve(self, client: socket.socket) -> None:
        with client.makefile("rb") as file, contextlib.ExitStack() as stack:
            host: socket.socket | None = None
            while head := list(iter(lambda: file.readline().decode("latin-1").rstrip("\r\n"), "")):
                method, target, version = head[0].split()
                fields = {
                    name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in head[1:])
                }
                body = file.read(int(fields.get("content-length", 0)))
                if self._login and self._login not in (line.lower() for line in head):
                    client.sendall(
                        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=proxy\r\n"
                        b"Content-Length: 0\r\n\r\n"
                    )
                    continue
                self.asked.append((method, target))
                url = urllib.parse.urlsplit(f"//{target}" if method == "CONNECT" else target)
                if host is None:
                    assert url.hostname
                    host = stack.enter_context(socket.create_connection((url.hostname, url.port or 80), _IDLE_SECONDS))
                    if method == "CONNECT":
                        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                        _join(client, host)
                        return
                    threading.Thread(target=_carry, args=(host, client), daemon=True).start()
                rest = [line for line in head[1:] if not line.lower().startswith("proxy-")]
                start = f"{method} {url.path or '/'} {version}"
                host.sendall("\r\n".join([start, *rest, "", ""]).encode("latin-1") + body)


class EndOfTls(_Between):
    """Ends TLS with a certificate of its own, and speaks TLS to the host: what channel binding finds out."""

    def __init__(self, address: str, certificate: pathlib.Path, host: Address) -> None:
        super().__init__(address)
        self._host = host
        self._here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._here.load_cert_chain(certificate)
        self._there = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._there.check_hostname = False
        self._there.verify_mode = ssl.CERT_NONE

    def _serve(self, client: socket.socket) -> None:
        with (
            self._here.wrap_socket(client, server_side=True) as near,
            self._there.wrap_socket(socket.create_connection(self._host, _IDLE_SECONDS)) as far,
        ):
            _join(near, far)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


def _join(one: socket.socket, other: socket.socket) -> None:
    """Carries both ways in one thread, as two may not share a TLS connection, until either side ends."""
    ends = {one: other, other: one}
    while True:
        waiting = [end for end in ends if isinstance(end, ssl.SSLSocket) and end.pending()]
        for end in waiting or select.select(list(ends), [], [], _IDLE_SECONDS)[0]:
            data = end.recv(65536)
            if not data:
                return
            ends[end].sendall(data)
