# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host was asked: SOAP requests, log-ins and counters, so that tests can count cost and order."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

_SETTLE_SECONDS = 0.2


@dataclass(frozen=True)
class RequestRecord:
    """One authenticated SOAP request. bytes: HTTP bodies as they were on the wire; duration in seconds."""

    n: int
    connection: int
    operation: str
    arguments: dict[str, Any]
    user: str
    http_status: int | None
    fault: int | None
    bytes_in: int
    bytes_out: int
    at: float
    duration: float


@dataclass(frozen=True)
class LoginRecord:
    """One attempt to log in: a whole handshake, or for Basic the first request of a connection."""

    n: int
    connection: int
    mechanism: str
    user: str | None
    ok: bool
    reason: str | None
    at: float


@dataclass(frozen=True)
class CmdletRecord:
    """One Exchange cmdlet that was asked for on this host, with its parameters; error: what it failed with."""

    n: int
    cmdlet: str
    parameters: dict[str, Any]
    user: str
    shell: str
    objects: int
    error: str | None
    at: float


class HostLog:
    """The log of one host. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._open = 0
        self._requests: list[RequestRecord] = []
        self._logins: list[LoginRecord] = []
        self._cmdlets: list[CmdletRecord] = []
        self._counters = _zero()

    def reset(self) -> None:
        """Forgets everything and counts from 1 again."""
        with self._lock:
            self._requests.clear()
            self._logins.clear()
            self._cmdlets.clear()
            self._counters = _zero()

    def begin_request(self) -> None:
        """Says that a request is being answered, and that add_request will follow."""
        with self._lock:
            self._open += 1

    def add_request(self, **values: Any) -> None:
        """Adds one SOAP request; n is given here."""
        with self._lock:
            self._requests.append(RequestRecord(n=len(self._requests) + 1, **values))
            self._counters["soap_requests"] += 1
            self._open -= 1
            self._lock.notify_all()

    def _settle(self) -> None:
        """Waits a moment for requests whose answer is out but not in the log yet; the lock is held."""
        self._lock.wait_for(lambda: self._open == 0, timeout=_SETTLE_SECONDS)

    def add_login(self, connection: int, mechanism: str, user: str | None, ok: bool, reason: str | None) -> None:
        """Adds one attempt to log in."""
        with self._lock:
            record = LoginRecord(len(self._logins) + 1, connection, mechanism, user, ok, reason, time.time())
            self._logins.append(record)
            self._counters["logins" if ok else "failed_logins"] += 1

    def add_cmdlet(self, **values: Any) -> None:
        """Adds one Exchange cmdlet; n is given here."""
        with self._lock:
            self._cmdlets.append(CmdletRecord(n=len(self._cmdlets) + 1, **values))

    def cmdlets(self) -> list[dict[str, Any]]:
        """All Exchange cmdlets in the order in which they ended."""
        with self._lock:
            return [asdict(record) for record in self._cmdlets]

    def count(self, **increments: int) -> None:
        """Adds to counters: http_requests, connections, bytes_in, bytes_out, tls_connections, tls_refused."""
        with self._lock:
            for name, increment in increments.items():
                self._counters[name] += increment

    def requests(self) -> list[dict[str, Any]]:
        """All SOAP requests in the order of their replies."""
        with self._lock:
            self._settle()
            return [asdict(record) for record in self._requests]

    def logins(self) -> list[dict[str, Any]]:
        """All attempts to log in."""
        with self._lock:
            return [asdict(record) for record in self._logins]

    def counters(self) -> dict[str, int]:
        """Sums since the last reset."""
        with self._lock:
            self._settle()
            return dict(self._counters)


def _zero() -> dict[str, int]:
    names = (
        "http_requests", "soap_requests", "logins", "failed_logins", "connections", "bytes_in", "bytes_out",
        "tls_connections", "tls_refused",
    )  # fmt: skip
    return dict.fromkeys(names, 0)
