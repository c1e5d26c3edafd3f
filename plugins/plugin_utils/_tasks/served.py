# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The server of a maintenance, as Windows shows it, and the record of how it was: there and on the controller."""

from __future__ import annotations

import contextlib
import datetime
import os
import pathlib

from .._change import backups, folders, notes, owners
from .._errors import ExchangeTlsError
from .._exchange import before as befores
from .._exchange.before import Before
from .._exchange.leaving import TRANSPORT
from .._exchange.shell import Shell
from .._exchange.wishes import Wishes
from .._exchange.work import Means, Work
from .._handshake.greeting import greets
from .._schannel.values import Type, Value
from .._text import utc_text
from .._windows import cluster, services
from .._windows.cluster import OwnNode
from .._windows.facts import now_on, read_operating_system
from .._windows.registry import Registry
from .._wire.session import Session
from .recorded import NAME
from .task import Task

# A run of another controller that was seen within this time is at work: longer than a restart takes.
AT_WORK = datetime.timedelta(minutes=15)
_EXCHANGE = ("MSExchange*",)


class ServedHost:
    """What :class:`_exchange.work.Host` asks of a host. ``port``: of SMTP. ``seconds``: for transport to stop, and to
    start."""

    def __init__(self, session: Session, computer: str, address: str, *, port: int = 25, seconds: float = 600) -> None:
        self.session, self.computer = session, computer
        self._address, self._port, self._seconds = address, port, seconds
        self.node: OwnNode | None = OwnNode(session, computer) if cluster.is_joined(session) else None

    def nodes(self) -> dict[str, str] | None:
        """The nodes of its cluster and their states, empty where it does not tell; None where it is in none."""
        return self.node.all() if self.node else None

    def running(self) -> tuple[str, ...]:
        found = services.find(self.session, _EXCHANGE).values()
        return tuple(sorted(item.name for item in found if item.start_mode == "Auto" and item.state == "Running"))

    def restart_transport(self) -> None:
        services.restart(self.session, TRANSPORT, self._seconds)

    def answers_on_port_25(self) -> bool:
        return greets(self._address, self._port)


def work_on(host: ServedHost, task: Task, shell: Shell, records: Records, wishes: Wishes, *, take_over: bool) -> Work:
    """The maintenance of a host, nothing of which is done yet. ``take_over``: also that of a run which may live."""
    return Work(
        host.computer,
        Means(
            shell=shell,
            memory=records,
            host=host,
            now=lambda: utc_text(_now(host)),
            by={**owners.run().as_json(), "worker": owners.worker()},
            at_work=lambda before: None if take_over else _at_work(host, before),
            say=task.say,
        ),
        wishes,
    )


def _now(host: ServedHost) -> datetime.datetime:
    """By the host's own clock (one request)."""
    return now_on(read_operating_system(host.session))


def _at_work(host: ServedHost, before: Before) -> str | None:
    """Of a run of another controller nothing is known but the last sign that it has given; it gives none while the
    server restarts. Of a run of this one that was killed, a worker may still do its task."""
    try:
        owner = owners.Owner.from_json(before.by)
        worker = owners.Owner.from_json({**before.by, **before.by.get("worker", {})})
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    seen = befores.moment_of(before.seen)
    if seen is None or owner == owners.run():
        return None
    lives = owner.lives()
    if lives is False and worker.lives():
        return str(worker)
    if lives is None and abs(_now(host) - seen) <= AT_WORK:
        until = utc_text(seen + AT_WORK)
        return (
            f"{owner}, last seen at {before.seen}; if it was cut off, run this again after {until} by the host's "
            "clock, or set 'take_over'"
        )
    return str(owner) if lives else None


class Records:
    """How the server was: the value ``Maintenance`` in the key of this collection, and a file beside the backups."""

    def __init__(self, registry: Registry, folder: str, host_name: str) -> None:
        self._registry, self._folder = registry, folder
        self._path = folders.absolute(folder) / f"{backups.lock_name(host_name)}.maintenance.json"
        self._is_kept = False

    def recall(self) -> Before | None:
        """Raises :class:`befores.RecordUnreadable`."""
        value = self._registry.get(notes.KEY, NAME, Type.REG_SZ)
        if value is None or not value.present:
            return None
        return befores.from_text(value.data if isinstance(value.data, str) else "")

    def recall_elsewhere(self) -> Before | None:
        try:
            return befores.from_text(folders.read_trusted(str(self._path)).decode("utf-8", "replace"))
        except ExchangeTlsError:
            # there is none, or one that others may have written: the server itself is asked first anyway
            return None

    def remember(self, before: Before) -> None:
        text = before.to_text()
        try:
            self._keep(text)
        except ExchangeTlsError:
            # nothing begins without both; later the host itself has it, and to go on is better than to stop half-way
            if not self._is_kept:
                raise
        if self._registry.value_types(notes.KEY) is None:
            self._registry.create_key(notes.KEY)
        self._registry.set(notes.KEY, NAME, Value(Type.REG_SZ, text))
        self._is_kept = True

    def _keep(self, text: str) -> None:
        directory = folders.absolute(self._folder)
        new = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            # made anew: in a folder that others may write to, a link could have been put there
            new.unlink(missing_ok=True)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
            new.replace(self._path)
        except (OSError, ValueError) as exc:
            raise folders.cannot_write(directory, exc) from None

    def forget(self) -> None:
        notes.remove(self._registry, NAME)
        with contextlib.suppress(OSError):
            self.file.unlink()

    @property
    def file(self) -> pathlib.Path:
        """Where it is on the controller."""
        return self._path
