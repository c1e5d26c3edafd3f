# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook without the time that it takes to import Ansible: a process that has imported it forks for each run.

What runs is the program's own entry point, in a process of its own, with its own folder and environment. What Ansible
reads from the environment while it is imported (ansible.constants) is the same for all runs of one such process.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import tempfile
import typing as t

ROOT = pathlib.Path(__file__).parent.parent.parent
# What every run needs sooner or later; a library that is missing on one ansible-core is missed there by the run.
_NEEDED = (
    "ansible.cli.playbook", "ansible.executor.playbook_executor", "ansible.plugins.callback.default",
    "ansible.plugins.connection.psrp", "ansible.plugins.connection.winrm", "ansible.plugins.filter.core",
    "ansible.plugins.inventory.script", "ansible.plugins.inventory.yaml", "ansible.plugins.strategy.linear",
    "ansible.plugins.test.core", "ansible.template", "ansible.utils.collection_loader._collection_meta", "jmespath",
    "pypsrp.powershell", "requests_ntlm",
)  # fmt: skip
_COLLECTION = "mailops.exchange_tls"
_ACTIONS = ROOT / "plugins" / "action"
_BACKLOG = 16


def run(
    arguments: t.Sequence[str],
    folder: pathlib.Path,
    settings: t.Mapping[str, str],
    env: t.Mapping[str, str],
    output: pathlib.Path,
    limit: float,
) -> int:
    """Runs ansible-playbook with stdout and stderr in a file; returns its exit code. Raises TimeoutExpired.

    settings: variables of the environment that many runs have in common; env: those that this one has besides.
    """
    with begin(arguments, folder, settings, env, output) as started:
        return started.wait(limit)


@contextlib.contextmanager
def begin(
    arguments: t.Sequence[str],
    folder: pathlib.Path,
    settings: t.Mapping[str, str],
    env: t.Mapping[str, str],
    output: pathlib.Path,
) -> t.Iterator[Started]:
    """The same, for whoever does something while it runs."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(_server(tuple(sorted(settings.items()))))
        request = {"arguments": list(arguments), "folder": str(folder), "env": dict(env), "output": str(output)}
        line.sendall(json.dumps(request).encode() + b"\n")
        told = line.makefile()
        yield Started(int(told.readline()), line, told, output)


class Started:
    """An ansible-playbook that was started."""

    def __init__(self, pid: int, line: socket.socket, told: t.TextIO, output: pathlib.Path) -> None:
        self.pid = pid
        self._line, self._told, self._output = line, told, output

    def wait(self, limit: float) -> int:
        """The exit code, once it and all that it has started have ended. Raises TimeoutExpired, and kills it."""
        self._line.settimeout(limit)
        try:
            code = self._told.readline()
        except TimeoutError:
            self.kill()
            raise subprocess.TimeoutExpired("ansible-playbook", limit, self._output.read_bytes()) from None
        # one that was killed cannot tell
        return int(code) if code else -signal.SIGKILL

    def has_ended(self) -> bool:
        """Whether wait would not have to wait."""
        return bool(select.select([self._line], [], [], 0)[0])

    def kill(self, *, alone: bool = False) -> list[int]:
        """Kills it with its workers, each of which has a session of its own; or alone, so that they go on, and are
        returned."""
        with contextlib.suppress(ProcessLookupError):
            # so that it starts no other
            os.kill(self.pid, signal.SIGSTOP)
            workers = _below(self.pid)
            for pid in (self.pid, *(() if alone else workers)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return workers if alone else []
        return []


def live(pid: int) -> bool:
    """Whether a process is at work. One that has ended may not be reaped where its parent was killed."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def _below(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    children: dict[int, list[int]] = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # the name of the program, in parentheses, may hold anything
            children.setdefault(int(path.read_text().rpartition(")")[2].split()[1]), []).append(int(path.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found[1:]


@functools.lru_cache
def _server(settings: tuple[tuple[str, str], ...]) -> str:
    """The socket of the process that forks for these settings; it ends with this one."""
    folder = tempfile.TemporaryDirectory(prefix="forked")
    path = os.path.join(folder.name, "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(_BACKLOG)
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(listener.fileno())],
            # not where a user's ansible.cfg may be
            cwd=folder.name,
            pass_fds=[listener.fileno()],
            env={**os.environ, **dict(settings), "PYTHONPATH": str(ROOT)},
        )

    def end() -> None:
        process.kill()
        process.wait()
        folder.cleanup()

    atexit.register(end)
    return path


def _import() -> None:
    for name in _NEEDED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    loader = importlib.import_module("ansible.plugins.loader")
    finder = importlib.import_module("ansible.utils.collection_loader._collection_finder")
    loader.init_plugin_loader()
    for name in ("ansible.builtin", *(f"{_COLLECTION}.plugins.action.{path.stem}" for path in _ACTIONS.glob("*.py"))):
        importlib.import_module(f"ansible_collections.{name}")
    # every run sets it up for itself
    finder._AnsibleCollectionFinder._remove()


def _serve(listener: socket.socket) -> None:
    _import()
    # what all runs have in common is not searched for garbage, and so not copied, in each of them and of their workers
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        line, _address = listener.accept()
        if os.fork() == 0:
            listener.close()
            _become(line)
        line.close()


def _become(line: socket.socket) -> t.NoReturn:
    """Turns this process into the run; the exit code is told to whoever asked, and to nobody else."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    request = json.loads(line.makefile().readline())
    line.sendall(f"{os.getpid()}\n".encode())
    os.chdir(request["folder"])
    os.environ.update(request["env"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for source, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    sys.argv = request["arguments"]
    code: t.Any = 1
    try:
        sys.exit(importlib.import_module("ansible.cli.playbook").main(sys.argv))
    except SystemExit as exc:
        code = exc.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        line.sendall(f"{code or 0}\n".encode())
        os._exit(0)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
