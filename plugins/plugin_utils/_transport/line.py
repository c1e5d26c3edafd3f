# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The HTTP below a library's session: what came over it, and an end to every exchange.

The timeouts of requests count from one packet to the next, so that a host that sends a byte now and then is never too
late. Here a whole exchange (connecting, logging in, sending, the last byte of the answer) has an end: then its sockets
are shut down. All answers are seen, also those in the middle of a login that the libraries keep to themselves.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
import typing as t
import weakref

from .._wire import xml
from . import direct
from .prepared import prepare_once


class TooLate(Exception):
    """The time of an exchange was over before it was sent."""


class Line:
    """Everything that goes over the session of one transport of a library, one exchange after the other."""

    _known: t.ClassVar[weakref.WeakKeyDictionary[t.Any, Line]] = weakref.WeakKeyDictionary()

    @classmethod
    def of(cls, transport: t.Any) -> Line:
        """The line of a transport, which the items of a loop share."""
        return cls._known.setdefault(transport, cls())

    def __init__(self) -> None:
        self.over = False  # the time of this exchange ran out
        self.came: list[t.Any] = []  # the responses of this exchange
        self._lock = threading.Lock()
        self._connections: weakref.WeakSet[t.Any] = weakref.WeakSet()
        self._ends: float | None = None  # when the exchange is over
        self._timer: threading.Timer | None = None
        self._looks = 0.0  # when the timer looks
        self._newest: t.Any = None  # the connection to the host that was made last
        self._logged_in: t.Any = None  # the same, once the host has answered a message over it

    @contextlib.contextmanager
    def exchange(self, seconds: float) -> t.Iterator[None]:
        """The time for one message and its answer."""
        with self._lock:
            self.over, self.came = False, []
            self._ends = time.monotonic() + seconds
            self._watch_until(self._ends)
        try:
            yield
        finally:
            with self._lock:
                self._ends = None

    def _watch_until(self, moment: float) -> None:
        """One timer for all exchanges: it finds the next one when the time of the first is over. A thread for each
        would be started and woken in every request."""
        if self._timer is not None:
            if self._looks <= moment:
                return
            self._timer.cancel()
        self._looks = moment
        self._timer = threading.Timer(moment - time.monotonic(), self._look)
        self._timer.daemon = True
        self._timer.start()

    def _look(self) -> None:
        with self._lock:
            if self._timer is not threading.current_thread():
                return  # another one took over
            self._timer = None
            if self._ends is None:
                return
            if time.monotonic() < self._ends:
                self._watch_until(self._ends)
                return
            self.over = True
            for connection in list(self._connections):
                # not the method of a TLS socket, which takes the keys away from whoever reads
                with contextlib.suppress(OSError, TypeError):
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    # --- what came -------------------------------------------------------------------------------------------------

    @property
    def last(self) -> t.Any | None:
        return self.came[-1] if self.came else None

    @property
    def sent(self) -> bool:
        """Whether a request with a message was answered; logins often begin with an empty one."""
        return any(response.request is not None and response.request.body for response in self.came)

    # --- how it is seen --------------------------------------------------------------------------------------------

    def watch(self, session: t.Any, url: str) -> None:
        """Takes part in all that a requests session does from now on.

        What requests finds out for every message, such as proxies of the environment, it finds out once.
        """
        others = {prefix: adapter for prefix, adapter in session.adapters.items() if not isinstance(adapter, _Adapter)}
        if others:
            prepare_once(session, url)
            session.send = self._shortened(session, session.send)
            self._logged_in = None
        for prefix, adapter in others.items():
            session.adapters[prefix] = _Adapter(adapter, self)

    def _shortened(self, session: t.Any, send: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        """The sending of a session, which is direct over a connection that is logged in."""

        def shortened(request: t.Any, **kwargs: t.Any) -> t.Any:
            connection = self._logged_in
            if connection is not None and isinstance(request.body, bytes) and direct.is_open(connection):
                response = direct.exchange(session, connection, request, kwargs.get("timeout"))
                # a message that brings its login with it (basic) is not sent again: each try counts
                if response.status_code != 401 or "Authorization" in request.headers:
                    self.answered(response, session.get_adapter(request.url))
                    return direct.hooked(session, response, kwargs)
                # the host has not looked at the message; a login begins with a connection of its own
                connection.close()
            response = send(request, **kwargs)
            # the answer came over the connection that was made last, unless the host has sent somebody elsewhere
            elsewhere = any(item.is_redirect for item in response.history)
            self._logged_in = self._newest if response.ok and not elsewhere else None
            return response

        return shortened

    def answered(self, response: t.Any, adapter: t.Any) -> None:
        """Keeps a response, whose sender a login may want to use."""
        response.connection = adapter
        self.came.append(response)

    def tap(self, manager: t.Any, *, to_proxy: bool = False) -> t.Any:
        """A urllib3 pool manager whose connections end with the exchange. Pools are made by what it has for a scheme
        (pypsrp hooks itself in there as well)."""

        def tapped(make: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
            def pool(*args: t.Any, **kwargs: t.Any) -> t.Any:
                made = make(*args, **kwargs)
                new = made.ConnectionCls
                made.ConnectionCls = lambda *args, **kwargs: self._limited(new(*args, **kwargs), to_proxy)
                return made

            return pool

        pools = {scheme: tapped(make) for scheme, make in manager.pool_classes_by_scheme.items()}
        manager.pool_classes_by_scheme = pools
        return manager

    def _limited(self, connection: t.Any, to_proxy: bool) -> t.Any:
        # requests leaves the scope of an address as it is in a URL (psf/requests#6735), and no interface has that name
        connection.host = _ESCAPED_SCOPE.sub(r"\1%", connection.host)
        if "%" in connection.host:
            connection.putheader = _without_scope(connection.putheader)
        connect = connection.connect

        def limited() -> None:
            self._go_on()
            self._newest, self._logged_in = None if to_proxy else connection, None
            with self._lock:
                self._connections.add(connection)
            connect()
            try:
                self._go_on()
            except TooLate:
                connection.close()
                raise

        connection.connect = limited
        return connection

    def _go_on(self) -> None:
        if self.over:
            raise TooLate


def _without_scope(putheader: t.Callable[..., None]) -> t.Callable[..., None]:
    """The scope of an address says something here only (RFC 4007, 6); http.client of Python 3.10 tells it the host."""

    def put(name: str, *values: t.Any) -> None:
        if name.lower() == "host":
            told = (value.decode("ascii") if isinstance(value, bytes) else value for value in values)
            values = tuple(re.sub(r"%[^]]*", "", value) for value in told)
        putheader(name, *values)

    return put


class _Adapter:
    """Stands before an adapter of requests, also for the steps of a login (which go through ``connection``)."""

    def __init__(self, adapter: t.Any, line: Line) -> None:
        self._adapter = adapter
        self._line = line
        make = adapter.proxy_manager_for
        known: dict[str, t.Any] = {}

        def proxy_manager_for(proxy: str, **kwargs: t.Any) -> t.Any:
            if proxy not in known:
                known[proxy] = line.tap(make(proxy, **kwargs), to_proxy=True)
            return known[proxy]

        adapter.proxy_manager_for = proxy_manager_for
        line.tap(adapter.poolmanager)

    def send(self, request: t.Any, **kwargs: t.Any) -> t.Any:
        response = self._adapter.send(request, **kwargs)
        self._line.answered(response, self)
        return response

    def close(self) -> None:
        self._adapter.close()


def body_of(response: t.Any) -> bytes:
    """What a response holds, as UTF-8; nothing where it broke off."""
    try:
        content = bytes(response.content or b"")
    except Exception:  # whatever requests and urllib3 say of an answer that breaks off
        return b""
    return xml.as_utf8(content, charset_of(response))


_ESCAPED_SCOPE = re.compile(r"(?<=:)([^%]*)%25(?=.)")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)


def charset_of(response: t.Any) -> str | None:
    """The encoding that the headers of an answer name; in a sealed one they are those of its part."""
    told = str(response.headers.get("Content-Type") or "")
    if told.lower().startswith("multipart/"):
        told = next(iter(re.findall(r"OriginalContent:[^\r\n]*", response.content[:1000].decode("latin-1"))), "")
    found = _CHARSET.search(told)
    return found[1] if found else None


def closes(response: t.Any) -> bool:
    """Whether the connection ends with this answer."""
    words = str(response.headers.get("Connection") or "").lower()
    return "close" in words or (getattr(response.raw, "version", 11) == 10 and "keep-alive" not in words)
