# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client side of the control channel: what tests look at and change behind the back of the network."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

from .exchange.client import ExchangeClient

STATE_FILE = "lab.json"


class LabError(Exception):
    """The lab is not there, or refused a command; the message says why."""


class LabClient:
    """A running lab, found by its state directory. Thread-safe."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = Path(state_dir)
        try:
            state = json.loads((self.state_dir / STATE_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as exc:
            raise LabError(f"no running lab in {self.state_dir}: {exc}") from None
        self.pid: int = state["pid"]
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(30)
        try:
            self._socket.connect(state["socket"])
        except OSError as exc:
            self._socket.close()
            raise LabError(f"the lab of {self.state_dir} (process {self.pid}) does not answer: {exc}") from None
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> LabClient:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the control channel; the lab goes on."""
        self._file.close()
        self._socket.close()

    def call(self, command: str, **arguments: Any) -> Any:
        """Sends one command. Raises LabError."""
        with self._lock:
            try:
                self._socket.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
                line = self._file.readline()
            except OSError as exc:
                raise LabError(f"the lab does not answer: {exc}") from None
        if not line:
            raise LabError("the lab has ended")
        answer = json.loads(line)
        if not answer["ok"]:
            raise LabError(answer["error"])
        return answer["result"]

    def host(self, name: str) -> HostClient:
        """One host. Raises LabError if there is none of that name."""
        return HostClient(self, self.call("facts", host=name))

    def hosts(self) -> list[HostClient]:
        """All hosts in the order of the description."""
        return [HostClient(self, item) for item in self.call("status")["hosts"]]

    def accounts(self) -> list[dict[str, Any]]:
        """The accounts: user, password, administrator, domain."""
        result: list[dict[str, Any]] = self.call("accounts")
        return result

    # -- Exchange, as one organisation -----------------------------------------------------------------------------

    def databases(self) -> dict[str, dict[str, Any]]:
        """{database: {dag, active, mounted, copies: {server: status}}}"""
        result: dict[str, dict[str, Any]] = self.call("exchange_databases")
        return result

    def dags(self) -> dict[str, dict[str, Any]]:
        """{DAG: {nodes: {server: state}, primary_active_manager, quorum}}"""
        result: dict[str, dict[str, Any]] = self.call("exchange_dags")
        return result

    def exchange_events(self, *kinds: str) -> list[dict[str, Any]]:
        """What happened to DAGs: at, kind, dag, database, server (where it is active now) ...; of these kinds only.

        Kinds: failover, dismounted, mounted, moved, no_quorum, two_members_down.
        """
        return [event for event in self.call("exchange_events") if not kinds or event["kind"] in kinds]

    def forget_exchange_events(self) -> None:
        """Forgets them."""
        self.call("exchange_forget_events")

    def activate(self, database: str, server: str) -> None:
        """Mounts a database elsewhere, without an event; all its copies are healthy then."""
        self.call("exchange_activate", database=database, server=server)

    def smtp_logs(self) -> Path:
        """The folder with the protocol logs of the hosts, each in a folder of its name, written up to this moment."""
        return Path(self.call("exchange_smtp_logs"))

    @property
    def ca_path(self) -> Path:
        """The certificate authority that clients should trust."""
        return self.state_dir / "ca.pem"

    def stop(self) -> None:
        """Ends the lab; returns when it no longer answers."""
        self.call("stop")
        deadline = time.monotonic() + 10
        while (self.state_dir / STATE_FILE).exists() and time.monotonic() < deadline:
            time.sleep(0.02)


class HostClient:
    """One host of a running lab."""

    def __init__(self, lab: LabClient, facts: dict[str, Any]) -> None:
        self._lab = lab
        self._facts = facts
        self.name: str = facts["name"]
        self.address: str = facts["address"]
        self.fqdn: str = facts["fqdn"]
        self.windows: dict[str, Any] = facts["windows"]
        self.winrm: dict[str, Any] = facts["winrm"]
        self.ports: dict[str, int] = facts["ports"]
        self.endpoints: list[dict[str, Any]] = facts["endpoints"]
        self.exchange = ExchangeClient(self._call)

    def _call(self, command: str, **arguments: Any) -> Any:
        return self._lab.call(command, host=self.name, **arguments)

    def port(self, kind: str | None = None) -> int:
        """The port of a listener: "winrm_http", "winrm_https", or the kind of an endpoint ("smtp", "https" ...).

        Where not given, WinRM's http, or its https if there is no http.
        """
        if kind is None:
            kind = "winrm_http" if "winrm_http" in self.ports else "winrm_https"
        if kind not in self.ports:
            raise LabError(f"{self.name} has no {kind} listener (it has: {', '.join(self.ports)})")
        return self.ports[kind]

    # -- registry --------------------------------------------------------------------------------------------------

    def registry(self, key: str) -> dict[str, dict[str, Any]] | None:
        """{value name: {type, data}} of a key, or None where there is no such key. Hive HKLM unless given."""
        result: dict[str, dict[str, Any]] | None = self._call("registry", key=key)
        return result

    def subkeys(self, key: str) -> list[str] | None:
        """Names of the subkeys, or None where there is no such key."""
        result: list[str] | None = self._call("subkeys", key=key)
        return result

    def dump(self, key: str | None = None) -> dict[str, dict[str, Any]]:
        """{key: {value name: {type, data}}} of all that decides TLS, or of the tree below *key*."""
        result: dict[str, dict[str, Any]] = self._call("dump", path=key)
        return result

    def set_value(self, key: str, value: str, data: Any, type: str = "REG_DWORD") -> None:
        """Sets a value, making the key where needed; rights do not matter here."""
        self._call("set_value", key=key, value=value, data=data, type=type)

    def create_key(self, key: str) -> None:
        """Makes a key and its parents."""
        self._call("create_key", key=key)

    def delete_value(self, key: str, value: str) -> None:
        """Deletes a value."""
        self._call("delete_value", key=key, value=value)

    def delete_key(self, key: str) -> None:
        """Deletes a key with all below it."""
        self._call("delete_key", key=key)

    # -- quirks ----------------------------------------------------------------------------------------------------

    def set_quirk(self, name: str, value: Any = True) -> None:
        """Sets a quirk, or takes it back with None or False."""
        self._call("set_quirk", name=name, value=value)

    def quirks(self) -> dict[str, Any]:
        """The quirks that are set."""
        result: dict[str, Any] = self._call("quirks")
        return result

    def held(self) -> list[str]:
        """The operations of the requests that the quirk `hold` holds at this moment."""
        result: list[str] = self._call("held")
        return result

    def clear_quirks(self) -> None:
        """Takes all quirks back."""
        self._call("clear_quirks")

    # -- what happened ---------------------------------------------------------------------------------------------

    def requests(self) -> list[dict[str, Any]]:
        """The authenticated SOAP requests since the last reset_log: see log.RequestRecord."""
        result: list[dict[str, Any]] = self._call("requests")
        return result

    def operations(self) -> list[str]:
        """The names of these requests' operations."""
        return [str(request["operation"]) for request in self.requests()]

    def logins(self) -> list[dict[str, Any]]:
        """Attempts to log in: see log.LoginRecord."""
        result: list[dict[str, Any]] = self._call("logins")
        return result

    def counters(self) -> dict[str, int]:
        """http_requests, soap_requests, logins, failed_logins, connections, bytes_in, bytes_out, tls_*."""
        result: dict[str, int] = self._call("counters")
        return result

    def reset_log(self) -> None:
        """Forgets requests, log-ins and counters."""
        self._call("reset_log")

    # -- life ------------------------------------------------------------------------------------------------------

    def status(self) -> str:
        """up, stopping, down or off."""
        return str(self._call("facts")["status"])

    def restart(self, wait: bool = True, timeout: float = 30.0) -> None:
        """Restarts the host as if from its console; with *wait*, returns when it is back."""
        before = len(self.restarts())
        self._call("restart")
        deadline = time.monotonic() + timeout
        while wait:
            restarts = self.restarts()
            if len(restarts) > before and restarts[-1]["up_at"] is not None and self.status() == "up":
                return
            if time.monotonic() > deadline:
                raise LabError(f"{self.name} did not come back within {timeout} s")
            time.sleep(0.02)

    def restarts(self) -> list[dict[str, Any]]:
        """Restarts since the lab began: requested_at, down_at, up_at (None while away), power_off."""
        result: list[dict[str, Any]] = self._call("restarts")
        return result

    def boot_time(self) -> float:
        """LastBootUpTime by the host's clock, in seconds since the epoch."""
        return float(self._call("boot_time"))

    def step_clock(self, seconds: float) -> None:
        """Sets the host's clock forward, or back; LocalDateTime and LastBootUpTime move, nothing restarts."""
        self._call("step_clock", seconds=seconds)

    def effective_protocols(self, kind: str = "https") -> list[str]:
        """The versions that can be negotiated with the listener of that kind, oldest first; none while it is away.

        A version counts only where a cipher suite is left for it that fits the certificate.
        """
        result: list[str] = self._call("effective_protocols", kind=kind)
        return result

    def effective_suites(self, kind: str = "https") -> list[str]:
        """The cipher suites that can be negotiated with it, by standard name (no curve), in its order."""
        result: list[str] = self._call("effective_suites", kind=kind)
        return result
