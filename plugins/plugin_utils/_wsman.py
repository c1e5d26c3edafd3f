# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""A WS-Management session: requests in order over one login, renewed when the host has forgotten it."""

from __future__ import annotations

import datetime
import os
import pathlib
import typing as t
import uuid

from . import _soap
from ._channels import Channel
from ._errors import ConnectionLost, ExchangeTlsError, SecurityContextLost
from ._xml import Element

# What pywinrm and pypsrp ask for by default: no supported Windows refuses it.
MAX_ENVELOPE_SIZE = 153600

Trace = t.Callable[[str], None]


class Session:
    """Sends :class:`_soap.Request` objects and returns the bodies of the answers."""

    def __init__(self, channel: Channel, *, trace: Trace | None = None, wire_log: WireLog | None = None) -> None:
        self.channel = channel
        self._trace = trace or (lambda message: None)
        self._wire_log = wire_log

    def call(self, request: _soap.Request, *, doing: str, repeatable: bool) -> Element:
        """The body of the answer.

        ``repeatable`` says that carrying the request out twice does no harm (all reads). Then a broken connection is
        renewed once and the request sent again. Otherwise :class:`ConnectionLost` is raised and the caller looks at
        the host before it decides. A request that the host provably could not read is always sent again.
        """
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

    def _exchange(self, request: _soap.Request, doing: str) -> Element:
        message_id = uuid.uuid4()
        message = _soap.envelope(
            request,
            to=self.channel.endpoint,
            message_id=message_id,
            max_envelope_size=MAX_ENVELOPE_SIZE,
            timeout_seconds=self.channel.operation_timeout,
        )
        self._trace(doing)
        self._log("request", doing, message)
        try:
            answer = self.channel.post(message, doing)
        except ExchangeTlsError as exc:
            self._log("error", doing, exc.answer or exc.message.encode())
            raise
        self._log("answer", doing, answer)
        if _soap.is_web_page(answer):
            # of a proxy, or of another server: whether the host has carried the request out is not known
            raise ConnectionLost(
                f"{doing}: {_soap.describe(answer)} came instead of an answer of WinRM. Check the address of the host, "
                "port and path, and what proxy is in between."
            )
        return _soap.open_answer(answer, message_id=message_id, doing=doing)

    def _log(self, direction: str, doing: str, content: bytes) -> None:
        if self._wire_log is not None:
            self._wire_log.write(direction, doing, content)


class WireLog:
    """The SOAP messages of a session in a file that a user can send in.

    Credentials travel in HTTP headers and never come here. One file a host, readable by its owner only.
    """

    def __init__(self, folder: str, host: str) -> None:
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            self.path = pathlib.Path(folder) / f"{host.replace(os.sep, '_')}.wsman.log"
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as exc:
            raise ExchangeTlsError(f"Cannot write the wire log in {folder!r}: {exc.strerror}") from None

    def write(self, direction: str, doing: str, content: bytes) -> None:
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        os.write(self._file, f"### {now} {direction}: {doing}\n".encode() + content + b"\n\n")
