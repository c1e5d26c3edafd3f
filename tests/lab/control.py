# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control channel: JSON lines over a unix socket, for tests and for the command line."""

from __future__ import annotations

import contextlib
import json
import os
import socketserver
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .exchange import control as exchange_control
from .hosts import Host
from .lab import Lab, dump, effective_protocols, effective_suites, facts
from .quirks import QuirkError
from .registry import RegistryError, ValueFormatError, make_value, split_full

STATE_FILE = "lab.json"
_SOCKET_LIMIT = 100  # sun_path has 108 bytes


class ControlError(Exception):
    """A command that the lab refused; the message says why."""


class ControlServer:
    """Answers commands until stopped. on_stop is called when a client asks the lab to end."""

    def __init__(self, lab: Lab, on_stop: Callable[[], None]) -> None:
        self._lab = lab
        self._on_stop = on_stop
        self._short_dir: Path | None = None
        path = lab.state_dir / "control"
        if len(str(path)) > _SOCKET_LIMIT:
            self._short_dir = Path(tempfile.mkdtemp(prefix="lab-"))
            path = self._short_dir / "control"
        self._path = path
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    self.wfile.write(outer.answer(line))

        self._server = _Server(str(path), Handler)
        os.chmod(path, 0o600)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def write_state(self) -> None:
        """Writes lab.json, by which clients find the lab; its being there means that the lab is ready."""
        state = {"pid": os.getpid(), "socket": str(self._path)}
        temporary = self._lab.state_dir / (STATE_FILE + ".new")
        temporary.write_text(json.dumps(state), encoding="utf-8")
        temporary.replace(self._lab.state_dir / STATE_FILE)

    def close(self) -> None:
        """Stops answering and removes the files by which clients find the lab."""
        self._server.shutdown()
        self._server.server_close()
        for path in (self._lab.state_dir / STATE_FILE, self._path):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        if self._short_dir is not None:
            self._short_dir.rmdir()

    def answer(self, line: bytes) -> bytes:
        """One command as a JSON line, one answer as a JSON line."""
        try:
            command = json.loads(line)
            name = command.pop("command")
            result = self._run(name, command)
            answer: dict[str, Any] = {"ok": True, "result": result}
        except (ControlError, QuirkError, ValueFormatError, OSError) as exc:
            answer = {"ok": False, "error": str(exc)}
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as exc:
            answer = {"ok": False, "error": f"malformed command: {type(exc).__name__}: {exc}"}
        except RegistryError as exc:
            meaning = {2: "no such key or value", 5: "the key has subkeys", 161: "malformed path"}.get(exc.code, "")
            answer = {"ok": False, "error": f"Win32 error {exc.code} {meaning}".rstrip()}
        return json.dumps(answer).encode() + b"\n"

    def _run(self, name: str, arguments: dict[str, Any]) -> Any:
        if name == "stop":
            threading.Thread(target=self._on_stop, daemon=True).start()
            return None
        if name == "status":
            return {"pid": os.getpid(), "hosts": [facts(host) for host in self._lab.hosts.values()]}
        if name == "accounts":
            return [
                {"user": a.user, "password": a.password, "administrator": a.administrator, "domain": a.domain}
                for a in self._lab.description.accounts
            ]
        if name in exchange_control.OF_ALL:
            self._lab.organisation.advance()
            return exchange_control.OF_ALL[name](self._lab.organisation, **arguments)
        if name not in _HOST_COMMANDS and name not in exchange_control.COMMANDS:
            raise ControlError(f"unknown command {name!r}")
        host_name = arguments.pop("host")
        host = self._lab.hosts.get(host_name)
        if host is None:
            raise ControlError(f"unknown host {host_name!r} (known: {', '.join(self._lab.hosts)})")
        if name in exchange_control.COMMANDS:
            if host.description.exchange is None:
                raise ControlError(f"{host_name} has no Exchange")
            return exchange_control.COMMANDS[name](self._lab.organisation, host, **arguments)
        return _HOST_COMMANDS[name](host, **arguments)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


def _registry(host: Host, key: str) -> Any:
    with host.lock:
        found = host.registry.find(*split_full(key))
        return None if found is None else {name: value.as_json() for name, value in found.values.values()}


def _subkeys(host: Host, key: str) -> Any:
    with host.lock:
        found = host.registry.find(*split_full(key))
        return None if found is None else host.registry.sorted_subkeys(found)


def _set_value(host: Host, key: str, value: str, data: Any, type: str = "REG_DWORD") -> None:
    made = make_value(type, data)
    with host.lock:
        hive, path = split_full(key)
        host.registry.create(hive, path)
        host.registry.set(hive, path, value, made)


def _create_key(host: Host, key: str) -> None:
    with host.lock:
        host.registry.create(*split_full(key))


def _delete_value(host: Host, key: str, value: str) -> None:
    with host.lock:
        host.registry.delete_value(*split_full(key), value)


def _delete_key(host: Host, key: str) -> None:
    with host.lock:
        host.registry.delete(*split_full(key), tree=True)


def _restart(host: Host, delay: float = 0.0) -> None:
    code = host.begin_shutdown(power_off=False, delay=delay)
    if code:
        raise ControlError(f"the host refused to restart: Win32 error {code}")


_HOST_COMMANDS: dict[str, Callable[..., Any]] = {
    "facts": facts,
    "registry": _registry,
    "subkeys": _subkeys,
    "dump": dump,
    "set_value": _set_value,
    "create_key": _create_key,
    "delete_value": _delete_value,
    "delete_key": _delete_key,
    "quirks": lambda host: host.quirks.as_json(),
    "held": lambda host: host.quirks.held(),
    "set_quirk": Host.set_quirk,
    "clear_quirks": Host.clear_quirks,
    "requests": lambda host: host.log.requests(),
    "logins": lambda host: host.log.logins(),
    "counters": lambda host: host.log.counters(),
    "reset_log": lambda host: host.log.reset(),
    "restarts": lambda host: list(host.restarts),
    "boot_time": lambda host: host.booted_at,
    "step_clock": Host.step_clock,
    "effective_protocols": effective_protocols,
    "effective_suites": effective_suites,
    "restart": _restart,
}
