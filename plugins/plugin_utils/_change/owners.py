# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Which run a note on a host belongs to, and whether that run still lives."""

from __future__ import annotations

import dataclasses
import hashlib
import multiprocessing
import os
import pathlib
import secrets
import socket
import typing as t

from .._errors import ExchangeTlsError

_ROOT = pathlib.Path("/")


class AnotherRun(ExchangeTlsError):
    """Two runs at once on one host."""

    kind = "another_run"


@dataclasses.dataclass(frozen=True)
class Owner:
    """The process of a run. ``machine`` and ``start`` tell it from others of the same name or number."""

    controller: str
    machine: str
    boot: str
    namespace: str  # of process numbers: a container has its own
    pid: int
    start: str
    token: str

    def as_json(self) -> dict[str, t.Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: t.Mapping[str, t.Any]) -> Owner:
        """Raises KeyError, TypeError or ValueError."""
        texts = {field.name: str(data[field.name]) for field in dataclasses.fields(cls) if field.name != "pid"}
        return cls(pid=int(data["pid"]), **texts)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.controller}"

    def lives(self) -> bool | None:
        """Whether the process still runs; None where it belongs to another controller, and nobody here can tell.

        What this very process has left behind is over: it does one thing after the other.
        """
        here = me()
        if (self.controller, self.machine) != (here.controller, here.machine):
            return None
        if self.boot != here.boot:
            return False
        if self.namespace != here.namespace:
            return None
        if (self.pid, self.start) == (here.pid, here.start):
            return False
        start = _start(self.pid)
        # some systems hide the processes of other users
        return None if self.start and start == "" else start == self.start


def me() -> Owner:
    """This process, with a token of its own for each call."""
    return _process(os.getpid())


def run() -> Owner:
    """The process that has made this one for a task on a host: ansible-playbook, which lives as long as the run. It is
    the same for all tasks of a run."""
    return dataclasses.replace(_process(_maker() or os.getppid()), token="")


def worker() -> dict[str, t.Any]:
    """What tells this process from the others of its run: it lives on where the run alone is killed."""
    here = me()
    return {"pid": here.pid, "start": here.start}


def is_orphan() -> bool:
    """Whether the run of this process has ended without it."""
    return _maker() not in (None, os.getppid())


def _maker() -> int | None:
    """The process that has forked this one, also once that has ended and init is the parent; None where that is not
    known, as outside of a worker."""
    parent = multiprocessing.parent_process()
    return None if parent is None else parent.pid


def _process(pid: int) -> Owner:
    machine = _read("etc/machine-id")
    return Owner(
        controller=socket.gethostname(),
        machine=hashlib.sha256(machine.encode()).hexdigest()[:16] if machine else "",
        boot=_read("proc/sys/kernel/random/boot_id"),
        namespace=_link("proc/self/ns/pid"),
        pid=pid,
        start=_start(pid) or "",
        token=secrets.token_hex(8),
    )


def _start(pid: int) -> str | None:
    """When a process began, in the kernel's own count; empty where that is not told, None where it does not run."""
    stat = _read(f"proc/{pid}/stat")
    if stat:
        # the name of the program, in parentheses, may hold anything
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass  # it runs, and is somebody else's
    return ""


def _read(path: str) -> str:
    try:
        return (_ROOT / path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(_ROOT / path)
    except OSError:
        return ""
