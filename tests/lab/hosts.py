# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated host: its registry, clock, settings in effect, connections, and life between restarts."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from .description import HostDescription, Service
from .log import HostLog
from .network import Acceptor, listen, reset
from .presets import registry_layer
from .quirks import Quirks
from .registry import Registry, Value
from .schannel import Rules, Settings, effective_settings

UP, STOPPING, DOWN, OFF = "up", "stopping", "down", "off"

ERROR_SHUTDOWN_IN_PROGRESS = 1115
ERROR_SHUTDOWN_IS_SCHEDULED = 1190

#: Where Windows notes, in its last moments, when it shut down: [ShutdownTime], a FILETIME.
SHUTDOWN_KEY = r"SYSTEM\CurrentControlSet\Control\Windows"
_SECONDS_1601_TO_1970 = 11644473600


@dataclass
class Enumeration:
    """What is left of an enumeration: rendered items, and the class for the log."""

    class_name: str
    items: list[str]


@dataclass
class State:
    """What a restart throws away."""

    enumerations: dict[str, Enumeration] = field(default_factory=dict)
    shells: dict[str, str] = field(default_factory=dict)  # id: resource URI
    pools: dict[str, Any] = field(default_factory=dict)  # of Exchange's endpoint, by the id of the shell


class ClusterView(Protocol):
    """The cluster as its members see it."""

    def nodes(self) -> dict[str, str]:
        """States by name, see installed.NODE_STATES."""

    def pause(self, node: str, drain: bool) -> bool:
        """Takes a node out; False where it is not up."""

    def resume(self, node: str) -> bool:
        """Takes it back; False where it was not paused."""


class Host:
    """One host. Everything that touches registry or state holds the lock."""

    def __init__(self, description: HostDescription, acceptor: Acceptor) -> None:
        self.description = description
        self.lock = threading.RLock()
        self.log = HostLog()
        self.quirks = Quirks(description.quirks)
        self._clock_offset = description.clock_offset
        self._booted = time.time() - description.uptime  # by a true clock
        self.registry = Registry()
        self._note_shutdown(self.booted_at - description.restart.down_for / 2)
        for layer in description.registry:
            named = registry_layer(layer, description.windows) if isinstance(layer, str) else layer
            self.registry.apply(named)
        if description.exchange:
            self.registry.apply(description.exchange.registry())
            if any(item.name == "ClusSvc" and item.state == "Running" for item in description.services):
                self.registry.apply(description.exchange.hive())
        for protection in description.protected_keys:
            self.registry.protect(protection)
        #: Told whenever the host, or one of its services, has come or gone; the lock is held.
        self.watchers: list[Callable[[], None]] = []
        #: Where a mail that its SMTP has taken goes on, told by its Message-ID; None: it takes none.
        self.relay: Callable[[str], None] | None = None
        #: What the host knows of the cluster it is a member of.
        self.cluster: ClusterView | None = None
        self._status = DOWN
        self._services = {item.name: item for item in reversed(description.services)}  # of two, the first counts
        self._ordered: dict[str, tuple[bool, float]] = {}  # services told to run or to stop, and when
        self.state = State()
        self.back_at: float | None = None
        self.restarts: list[dict[str, Any]] = []
        self.effective = self._effective()
        self.services: list[tuple[int, Callable[[socket.socket], None]]] = []
        self._acceptor = acceptor
        self._listeners: list[socket.socket] = []
        self._connections: set[socket.socket] = set()
        self._connection_numbers = itertools.count(1)
        self._boot_reads = 0
        self._away = bool(self.quirks.get("down"))  # kept away by the quirk "down"
        self._lost: float | None = None  # kept away by "never_back": when its kernel started
        self._scheduled = False

    @property
    def status(self) -> str:
        return self._status

    @status.setter
    def status(self, status: str) -> None:
        self._status = status
        self._tell()

    def _tell(self) -> None:
        for watcher in self.watchers:
            watcher()

    # -- time ------------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """The host's own clock, in seconds since the epoch."""
        return time.time() + self._clock_offset

    @property
    def booted_at(self) -> float:
        """When its kernel started, by its own clock: Windows reckons back from now, so that a step moves this too."""
        return self._booted + self._clock_offset

    def step_clock(self, seconds: float) -> None:
        """Sets its clock forward, or back; nothing restarts."""
        with self.lock:
            self._clock_offset += float(seconds)

    def _note_shutdown(self, moment: float) -> None:
        if self.description.shutdown_time:
            ticks = round((moment + _SECONDS_1601_TO_1970) * 10_000_000)
            self.registry.create("HKLM", SHUTDOWN_KEY)
            noted = Value("REG_BINARY", ticks.to_bytes(8, "little"))
            self.registry.set("HKLM", SHUTDOWN_KEY, "ShutdownTime", noted)

    def boot_time(self) -> float:
        """LastBootUpTime by the host's clock; the quirk boot_time_jitter moves it from read to read."""
        jitter = float(self.quirks.get("boot_time_jitter") or 0)
        self._boot_reads += 1
        return self.booted_at + jitter * (0, 1, -1)[self._boot_reads % 3]

    # -- listeners and connections ---------------------------------------------------------------------------------

    def add_service(self, port: int, serve: Callable[[socket.socket], None]) -> None:
        """A port on which connections are handed to *serve* whenever the host is up."""
        self.services.append((port, serve))

    def open(self) -> None:
        """Listens on all ports. Raises OSError if one is taken."""
        opened: list[tuple[socket.socket, Callable[[socket.socket], None]]] = []
        try:
            for port, serve in self.services:
                opened.append((listen(self.description.address, port), serve))
        except OSError:
            for listener, _serve in opened:
                listener.close()
            raise
        with self.lock:
            self._listeners = [listener for listener, _serve in opened]
            self.status = UP
        for listener, serve in opened:
            self._acceptor.add(listener, self._tracked(serve))

    def close(self) -> None:
        """Closes all ports and cuts all connections."""
        with self.lock:
            listeners, self._listeners = self._listeners, []
            connections = list(self._connections)
        self._acceptor.remove(listeners)
        for sock in connections:
            reset(sock)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _tracked(self, serve: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
        def run(sock: socket.socket) -> None:
            with self.connection(sock):
                if self.quirks.get("blackhole"):
                    self._swallow(sock)
                else:
                    serve(sock)

        return run

    def _swallow(self, sock: socket.socket) -> None:
        sock.settimeout(0.5)
        while self.quirks.get("blackhole") and self.status == UP:
            with contextlib.suppress(TimeoutError):
                if not sock.recv(65536):
                    return

    @contextmanager
    def connection(self, sock: socket.socket) -> Iterator[None]:
        """Keeps the socket where a restart finds it; a connection accepted while going down is cut at once."""
        with self.lock:
            if self.status not in (UP, STOPPING):
                reset(sock)
                raise OSError("host is down")
            self._connections.add(sock)
        self.log.count(connections=1)
        try:
            yield
        finally:
            with self.lock:
                self._connections.discard(sock)

    def next_connection(self) -> int:
        """A number for a new WS-Management connection."""
        return next(self._connection_numbers)

    # -- quirks that act at once -----------------------------------------------------------------------------------

    def set_quirk(self, name: str, value: Any) -> None:
        """Sets a quirk; "down" takes effect on the listeners at once."""
        self.quirks.set(name, value)
        self._obey()

    def clear_quirks(self) -> None:
        """Forgets all quirks, and comes back where "down" or "never_back" kept the host away."""
        self.quirks.clear()
        self._obey()

    def _obey(self) -> None:
        """Goes away or comes back as the quirks say; a restart under way is left alone."""
        with self.lock:
            down, away, lost = self.quirks.get("down"), self._away, self._lost
            if down and self.status == UP:
                self.status, self._away = DOWN, True
            elif away and not down:
                self._away = False
            elif lost is not None and not self.quirks.get("never_back"):
                self._lost = None
            else:
                return
        if down and not away:
            self.close()
        elif away:
            self.open()
        elif lost is not None:
            self._boot(lost)

    # -- restart ---------------------------------------------------------------------------------------------------

    def begin_shutdown(self, power_off: bool, delay: float | None = None, timeout: float = 0.0) -> int:
        """Starts going down; the Win32 code says whether it was accepted.

        timeout: seconds for which the shutdown is only scheduled. delay: from then until connections die.
        """
        ordered = self.quirks.get("shutdown_returns")
        if ordered is not None:
            return int(ordered)
        with self.lock:
            if self._scheduled:
                return ERROR_SHUTDOWN_IS_SCHEDULED
            if self.status != UP:
                return ERROR_SHUTDOWN_IN_PROGRESS
            if self.quirks.get("no_restart"):
                return 0
            self._scheduled = timeout > 0
            self.status = UP if self._scheduled else STOPPING
        wait = self.description.restart.shutdown_delay if delay is None else delay
        threading.Thread(target=self._shutdown, args=(power_off, wait, timeout), daemon=True).start()
        return 0

    def _shutdown(self, power_off: bool, delay: float, timeout: float) -> None:
        requested = time.time()
        if timeout:
            time.sleep(timeout)
            with self.lock:
                self._scheduled, self.status = False, STOPPING
        time.sleep(delay)
        with self.lock:
            self.status = OFF if power_off else DOWN
            if not self.quirks.get("power_loss"):
                self._note_shutdown(self.now())
            self.restarts.append(
                {"requested_at": requested, "down_at": time.time(), "up_at": None, "power_off": power_off}
            )
        self.close()
        if power_off:
            return
        down_for = self.description.restart.down_for
        time.sleep(down_for / 2)
        kernel_started = time.time()
        time.sleep(down_for / 2)
        with self.lock:
            if self.quirks.get("never_back"):
                self._lost = kernel_started
                return
        self._boot(kernel_started)

    def _boot(self, kernel_started: float) -> None:
        with self.lock:
            self.state = State()
            self._ordered.clear()
            self._booted = kernel_started
            reverted = self.quirks.get("registry_reverted_at_restart")
            if reverted:
                self.registry.apply(reverted)
            if not self.quirks.get("stale_settings"):
                self.effective = self._effective()
            self.back_at = time.monotonic()
            self.restarts[-1]["up_at"] = time.time()
            self._away = bool(self.quirks.get("down"))
            if self._away:
                return
        self.open()

    def _effective(self) -> Settings:
        rules = Rules(
            wrong_type_is_number=self.quirks.get("wrong_type") == "number",
            any_curve=self.quirks.get("suite_curves") == "any",
            unknown_list_is_default=self.quirks.get("unknown_suites") == "default",
            any_list_type=self.quirks.get("suite_list_type") == "any",
        )
        settings = effective_settings(self.registry, self.description.windows, rules)
        if self.quirks.get("tls12_needs_old") and not {"TLS 1.0", "TLS 1.1"} & set(settings.protocols):
            # a server program that speaks TLS 1.2 only as long as older versions are on
            return replace(settings, protocols=tuple(name for name in settings.protocols if name != "TLS 1.2"))
        return settings

    # -- questions -------------------------------------------------------------------------------------------------

    def domain_is_starting(self) -> bool:
        """True while the quirk unauthorized_after_restart refuses all credentials."""
        seconds = self.quirks.get("unauthorized_after_restart")
        if seconds is None or self.back_at is None:
            return False
        return time.monotonic() - self.back_at < float(seconds)

    def service_state(self, name: str) -> str:
        """Running, Stopped or Start Pending: after a restart automatic services take their time. Stop Pending too."""
        service = self._service(name)
        if service.name in self._ordered:
            runs, ordered_at = self._ordered[service.name]
            if time.monotonic() - ordered_at >= service.starts_after / 2:
                return "Running" if runs else "Stopped"
            return "Start Pending" if runs else "Stop Pending"
        if self.back_at is None:
            return service.state
        if service.start_mode != "Auto":
            return "Stopped"
        elapsed = time.monotonic() - self.back_at
        if elapsed >= service.starts_after:
            return "Running"
        return "Start Pending" if elapsed >= service.starts_after / 2 else "Stopped"

    def has_service(self, name: str) -> bool:
        return name in self._services

    def service_started(self, name: str) -> float | None:
        """When a service that runs was started since the lab began, by time.monotonic."""
        service = self._service(name)
        if service.name in self._ordered:
            return self._ordered[service.name][1] + service.starts_after / 2
        return None if self.back_at is None else self.back_at + service.starts_after

    def service_will_run(self, name: str) -> bool:
        """Whether it runs, or will by itself as things are."""
        service = self._service(name)
        if service.name in self._ordered:
            return self._ordered[service.name][0]
        return service.state == "Running" if self.back_at is None else service.start_mode == "Auto"

    def order_service(self, name: str, runs: bool) -> int:
        """Starts or stops a service; the code of Win32_Service: 5 it changes just now, 6 stopped, 10 runs, 14 off."""
        service = self._service(name)
        state = self.service_state(name)
        if state in ("Start Pending", "Stop Pending"):
            return 5
        if runs and service.start_mode == "Disabled":
            return 14
        if runs is (state == "Running"):
            return 10 if runs else 6
        self._ordered[service.name] = (runs, time.monotonic())
        self._tell()
        return 0

    def _service(self, name: str) -> Service:
        return self._services[name]

    def new_enumeration(self, class_name: str, items: list[str]) -> str:
        """Keeps the items for Pull, and returns the context."""
        context = f"uuid:{str(uuid.uuid4()).upper()}"
        with self.lock:
            self.state.enumerations[context] = Enumeration(class_name, items)
        return context
