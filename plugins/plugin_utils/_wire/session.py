# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""A WS-Management session: requests in order over one login, renewed when the host has forgotten it."""

from __future__ import annotations

import contextlib
import datetime
import os
import pathlib
import stat
import threading
import time
import typing as t
import uuid

from .._errors import ConnectionLost, ExchangeTlsError, HostBusy, SecurityContextLost
from . import soap
from .overlap import Another, Overlap, Pace, Read
from .xml import Element

# What pywinrm and pypsrp ask for by default: no supported Windows refuses it.
MAX_ENVELOPE_SIZE = 153600

# How often a host that is too busy for a read is asked again, and the seconds in between.
_ASKED_AGAIN = 2
_PAUSE = 1.0
_LONGEST_PAUSE = 5.0

Trace = t.Callable[[str], None]


class Channel(t.Protocol):
    """One login to one host."""

    endpoint: str
    operation_timeout: int

    def post(self, message: bytes, doing: str) -> bytes:
        """Sends an envelope, returns the answer's bytes; SOAP faults and all other failures are raised."""

    def reconnect(self) -> None:
        """Forgets the login: the next message opens a new one."""

    def another(self) -> Another | None:
        """One more login of the same kind, which is made with its first message; None where there can be none."""

    def limit(self, seconds: float | None = None, left: float | None = None) -> None:
        """No message waits longer than ``seconds`` for a connection or for the next part of its answer, and ``left``
        seconds from now the time is over for all messages. None: as the connection has it, and without an end."""


class Session:
    """Sends :class:`soap.Request` objects and returns the bodies of the answers."""

    def __init__(
        self,
        channel: Channel,
        *,
        trace: Trace | None = None,
        wire_log: WireLog | None = None,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self.channel = channel
        self._trace = trace or (lambda message: None)
        self._wire_log = wire_log
        self._sleep = sleep
        self._patient = True
        self._pace = Pace()
        self._overlap: Overlap | None = None

    def limit(self, seconds: float | None = None, left: float | None = None) -> None:
        """For somebody who waits until a host is back, and does so in steps and up to a deadline of his own: see
        :meth:`Channel.limit`; a busy host is not waited for. Without limits all is as at first."""
        self._patient = seconds is None
        self.channel.limit(seconds, left)

    def call(self, request: soap.Request, *, doing: str, repeatable: bool) -> Element:
        """The body of the answer.

        ``repeatable`` says that carrying the request out twice does no harm (all reads). Then a broken connection is
        renewed once and the request sent again, and a host that is too busy is asked again after a pause. Otherwise
        the error is raised and the caller looks at the host before it decides. A request that the host provably could
        not read is always sent again.
        """
        if self._overlap is not None:
            if not repeatable:
                self._overlap.forget()
            elif (answer := self._overlap.take(request)) is not None:
                return answer
        return self._made(request, doing, repeatable)

    @contextlib.contextmanager
    def overlapping(self, logins: int) -> t.Iterator[None]:
        """Within it, reads that :meth:`ahead` is told of overlap where a round trip is long, over at most so many
        logins."""
        self._overlap = Overlap(
            lambda read: self._made(read.request, read.doing, True),
            self.channel.another,
            lambda login, read: self._exchange(read.request, read.doing, login),
            most=logins,
        )
        try:
            yield
        finally:
            self._overlap.close()
            self._overlap = None

    def ahead(self, reads: t.Iterable[Read]) -> None:
        """These will be asked for soon, and none of them depends on the answer to another."""
        if self._overlap is not None and self._pace.is_slow:
            self._overlap.fetch(reads)

    def _made(self, request: soap.Request, doing: str, repeatable: bool) -> Element:
        for _dummy in range(_ASKED_AGAIN if repeatable and self._patient else 0):
            try:
                return self._over_a_login(request, doing, repeatable)
            except HostBusy as exc:
                pause = min(_PAUSE if exc.retry_after is None else exc.retry_after, _LONGEST_PAUSE)
                self._trace(f"{exc}; asking again in {pause:.0f} seconds")
                self._sleep(pause)
        return self._over_a_login(request, doing, repeatable)

    def _over_a_login(self, request: soap.Request, doing: str, repeatable: bool) -> Element:
        try:
            return self._exchange(request, doing)
        except SecurityContextLost:
            self._trace(f"{doing}: login expired, logging in again")
        except ConnectionLost as exc:
            if not repeatable:
                # the next request must not ride on the broken login
                self.channel.reconnect()
                raise
            self._trace(f"{exc}; logging in again")
        self.channel.reconnect()
        try:
            return self._exchange(request, doing)
        except (ConnectionLost, SecurityContextLost):
            # as above
            self.channel.reconnect()
            raise

    def _exchange(self, request: soap.Request, doing: str, login: Another | None = None) -> Element:
        message_id = uuid.uuid4()
        message = soap.envelope(
            request,
            to=self.channel.endpoint,
            message_id=message_id,
            max_envelope_size=MAX_ENVELOPE_SIZE,
            timeout_seconds=self.channel.operation_timeout,
        )
        self._trace(doing)
        self._log("request", doing, message)
        try:
            with self._pace.exchange() if login is None else contextlib.nullcontext():
                answer = (login or self.channel).post(message, doing)
        except ExchangeTlsError as exc:
            self._log("error", doing, exc.answer or exc.message.encode())
            raise
        self._log("answer", doing, answer)
        return soap.open_answer(answer, message_id=message_id, doing=doing)

    def _log(self, direction: str, doing: str, content: bytes) -> None:
        if self._wire_log is None:
            return
        try:
            self._wire_log.write(direction, doing, content)
        except OSError as exc:
            # a full disk must not end a change in the middle
            self._trace(f"the wire log cannot be written: {exc.strerror}")


class WireLog:
    """The SOAP messages of a session in a file that a user can send in.

    Credentials travel in HTTP headers and never come here. One file a host, readable by its owner only; what somebody
    else has put there under its name is not written to.
    """

    def __init__(self, folder: str, host: str) -> None:
        self._lock = threading.Lock()
        self.path = pathlib.Path(folder) / f"{host.replace(os.sep, '_')}.wsman.log"
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            os.close(self._open())
        except (OSError, ValueError) as exc:
            reason = getattr(exc, "strerror", None) or exc
            raise ExchangeTlsError(
                f"Cannot write the wire log {os.fspath(self.path)!r}: {reason}. Choose another folder, or remove what "
                "is there."
            ) from None

    def write(self, direction: str, doing: str, content: bytes) -> None:
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        with self._lock, os.fdopen(self._open(), "ab") as file:
            file.write(f"### {now} {direction}: {doing}\n".encode("utf-8", "replace") + content + b"\n\n")

    def _open(self) -> int:
        # a pipe would make the opening wait
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = os.open(self.path, flags, 0o600)
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_uid != os.geteuid():
                raise OSError("it is a link, is no file, or belongs to another user")
            os.fchmod(file, 0o600)
        except OSError:
            os.close(file)
            raise
        return file
