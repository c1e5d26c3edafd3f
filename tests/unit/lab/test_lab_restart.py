# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts: what is refused, what is cut, what comes back, and what a restart brings into effect."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable

import pytest

from tests.lab.client import HostClient
from tests.unit.lab.wire import OPERATING_SYSTEM, PROTOCOLS, Wire

SERVER = rf"{PROTOCOLS}\TLS 1.2\Server"


def shutdown(wire: Wire, flags: int) -> str:
    reply = wire.invoke("Win32Shutdown", ("Flags", str(flags)), ("Reserved", "0"), uri=OPERATING_SYSTEM)
    return str(reply.outputs["ReturnValue"])


def wait(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def back(plain: HostClient) -> None:
    wait(lambda: plain.status() == "up")


@pytest.fixture(autouse=True)
def clean(plain: HostClient) -> None:
    if plain.registry(rf"{PROTOCOLS}\TLS 1.2") is not None:
        plain.delete_key(rf"{PROTOCOLS}\TLS 1.2")


def test_whole_course(wire: Wire, plain: HostClient) -> None:
    booted, restarts = plain.boot_time(), len(plain.restarts())
    plain.set_value(SERVER, "Enabled", 0)
    assert plain.effective_protocols() == ["TLS 1.0", "TLS 1.1", "TLS 1.2"]  # a restart has to come first
    other = Wire(plain)
    assert other.get("Win32_OperatingSystem").status == 200
    assert shutdown(wire, 6) == "0"
    assert shutdown(wire, 6) == "1115"
    assert plain.status() == "stopping"
    wait(lambda: plain.status() == "down")
    for port in (plain.port(), plain.port("https")):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((plain.address, port), timeout=2)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        other.connection.sock.recv(1) or other.get("Win32_OperatingSystem")
    assert (plain.effective_protocols(), plain.effective_suites()) == ([], [])
    back(plain)
    assert plain.effective_protocols() == ["TLS 1.0", "TLS 1.1"]
    assert plain.boot_time() > booted
    (restart,) = plain.restarts()[restarts:]
    assert restart["requested_at"] < restart["down_at"] < restart["up_at"]
    assert Wire(plain).get("Win32_OperatingSystem").status == 200
    plain.delete_value(SERVER, "Enabled")
    plain.restart()
    assert plain.effective_protocols() == ["TLS 1.0", "TLS 1.1", "TLS 1.2"]


def test_boot_time_over_the_wire(wire: Wire, plain: HostClient) -> None:
    before = wire.get("Win32_OperatingSystem").outputs["LastBootUpTime"]
    assert wire.get("Win32_OperatingSystem").outputs["LastBootUpTime"] == before
    plain.restart()
    assert Wire(plain).get("Win32_OperatingSystem").outputs["LastBootUpTime"] > before


@pytest.mark.parametrize(("flags", "code"), [(0, "0"), (4, "0"), (3, "87"), (7, "87"), (-1, "87")])
def test_flags_that_do_not_restart(wire: Wire, plain: HostClient, flags: int, code: str) -> None:
    restarts = len(plain.restarts())
    assert shutdown(wire, flags) == code
    time.sleep(0.2)
    assert (plain.status(), len(plain.restarts())) == ("up", restarts)


def test_tracker(wire: Wire, plain: HostClient) -> None:
    restarts = len(plain.restarts())
    arguments = [("Timeout", "0"), ("Comment", "TLS"), ("ReasonCode", "2147614724"), ("Flags", "2")]
    reply = wire.invoke("Win32ShutdownTracker", *arguments, uri=OPERATING_SYSTEM)
    assert reply.outputs == {"ReturnValue": "0"}
    wait(lambda: len(plain.restarts()) > restarts)
    back(plain)


def test_scheduled(wire: Wire, plain: HostClient) -> None:
    restarts = len(plain.restarts())
    arguments = [("Timeout", "1"), ("Comment", ""), ("ReasonCode", "0"), ("Flags", "6")]
    assert wire.invoke("Win32ShutdownTracker", *arguments, uri=OPERATING_SYSTEM).outputs == {"ReturnValue": "0"}
    assert wire.invoke("Win32ShutdownTracker", *arguments, uri=OPERATING_SYSTEM).outputs == {"ReturnValue": "1190"}
    assert (shutdown(wire, 6), plain.status()) == ("1190", "up")
    wait(lambda: len(plain.restarts()) > restarts)
    back(plain)


def test_services_come_back_one_by_one(wire: Wire, plain: HostClient) -> None:
    def states(client: Wire) -> set[str]:
        reply = client.enumerate("SELECT State FROM Win32_Service WHERE Name = 'MSExchangeTransport'")
        return {element.text or "" for element in reply.content.iter("State")}

    wait(lambda: states(wire) == {"Running"})  # a test before this one may have restarted the host
    plain.restart()
    client = Wire(plain)
    seen: list[set[str]] = []
    deadline = time.monotonic() + 5
    while not seen or (seen[-1] != {"Running"} and time.monotonic() < deadline):
        now = states(client)
        if not seen or seen[-1] != now:
            seen.append(now)
    assert seen == [{"Stopped"}, {"Start Pending"}, {"Running"}]
    reply = client.enumerate("SELECT State FROM Win32_Service WHERE Name = 'MSExchangeImap4'")
    assert [element.text for element in reply.content.iter("State")] == ["Stopped"]


class TestQuirks:
    def test_refusals(self, wire: Wire, plain: HostClient) -> None:
        for code in (5, 1190, 1115):
            plain.set_quirk("shutdown_returns", code)
            assert shutdown(wire, 6) == str(code)
        assert plain.status() == "up"

    def test_nothing_happens(self, wire: Wire, plain: HostClient) -> None:
        plain.set_quirk("no_restart")
        booted = plain.boot_time()
        assert shutdown(wire, 6) == "0"
        time.sleep(0.3)
        assert (plain.status(), plain.boot_time()) == ("up", booted)

    def test_reply_is_lost(self, wire: Wire, plain: HostClient) -> None:
        plain.set_quirk("shutdown_cuts_connection")
        restarts = len(plain.restarts())
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            shutdown(wire, 6)
        wait(lambda: len(plain.restarts()) > restarts)
        back(plain)

    def test_never_back(self, wire: Wire, plain: HostClient) -> None:
        plain.set_quirk("never_back")
        shutdown(wire, 6)
        wait(lambda: plain.status() == "down")
        time.sleep(0.7)
        assert plain.status() == "down"
        booted = plain.boot_time()
        plain.clear_quirks()
        back(plain)
        assert plain.boot_time() > booted
        assert Wire(plain).get("Win32_OperatingSystem").status == 200

    def test_other_quirks_do_not_end_a_restart_early(self, plain: HostClient) -> None:
        plain.restart(wait=False)
        wait(lambda: plain.status() == "down")
        plain.set_quirk("void_return")
        plain.clear_quirks()
        assert plain.status() == "down"
        back(plain)

    def test_down_during_a_restart(self, plain: HostClient) -> None:
        booted = plain.boot_time()
        plain.restart(wait=False)
        wait(lambda: plain.status() == "down")
        plain.set_quirk("down")
        wait(lambda: plain.boot_time() > booted)
        assert plain.status() == "down"
        plain.clear_quirks()
        assert plain.status() == "up"

    def test_stale_settings(self, plain: HostClient) -> None:
        plain.set_value(SERVER, "Enabled", 0)
        plain.set_quirk("stale_settings")
        plain.restart()
        assert "TLS 1.2" in plain.effective_protocols()
        plain.clear_quirks()
        plain.restart()
        assert "TLS 1.2" not in plain.effective_protocols()

    def test_a_program_that_needs_old_tls(self, plain: HostClient) -> None:
        plain.set_quirk("tls12_needs_old")
        plain.restart()
        assert "TLS 1.2" in plain.effective_protocols()
        for version in ("TLS 1.0", "TLS 1.1"):
            plain.set_value(rf"{PROTOCOLS}\{version}\Server", "Enabled", 0)
        plain.restart()
        assert plain.effective_protocols() == []
        for version in ("TLS 1.0", "TLS 1.1"):
            plain.delete_key(rf"{PROTOCOLS}\{version}")
        plain.clear_quirks()
        plain.restart()
        assert "TLS 1.2" in plain.effective_protocols()

    def test_policy_writes_back(self, plain: HostClient) -> None:
        plain.set_value(SERVER, "Enabled", 1)
        plain.set_quirk("registry_reverted_at_restart", {rf"HKLM\{SERVER}": {"Enabled": 0}})
        plain.restart()
        assert plain.registry(SERVER) == {"Enabled": {"type": "REG_DWORD", "data": 0}}
        assert "TLS 1.2" not in plain.effective_protocols()

    def test_unauthorized_after_restart(self, plain: HostClient) -> None:
        plain.set_quirk("unauthorized_after_restart", 0.4)
        plain.restart()
        assert Wire(plain).get("Win32_OperatingSystem").status == 401
        wait(lambda: Wire(plain).get("Win32_OperatingSystem").status == 200)

    def test_boot_time_jitter(self, wire: Wire, plain: HostClient) -> None:
        plain.set_quirk("boot_time_jitter", 0.5)
        seen = {wire.get("Win32_OperatingSystem").outputs["LastBootUpTime"] for _attempt in range(6)}
        assert len(seen) == 3

    def test_down_and_up(self, wire: Wire, plain: HostClient) -> None:
        booted = plain.boot_time()
        plain.set_quirk("down")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((plain.address, plain.port()), timeout=2)
        plain.set_quirk("down", False)
        assert Wire(plain).get("Win32_OperatingSystem").status == 200
        assert plain.boot_time() == booted

    def test_blackhole(self, plain: HostClient) -> None:
        plain.set_quirk("blackhole")
        with socket.create_connection((plain.address, plain.port()), timeout=2) as sock:
            sock.sendall(b"POST /wsman HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
            sock.settimeout(0.3)
            with pytest.raises(TimeoutError):
                sock.recv(1)


def test_power_off_is_for_good(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.lab.launch import running_lab

    description = {
        "accounts": [{"user": "labadmin", "password": "Lab-Pass-1"}],
        "hosts": {"a": {"winrm": {"auth": ["basic"], "allow_unencrypted": True}, "restart": {"down_for": 0.1}}},
    }
    with running_lab(description, tmp_path_factory.mktemp("off"), max_lifetime=60) as lab:
        host = lab.host("a")
        assert shutdown(Wire(host), 8) == "0"
        wait(lambda: host.status() == "off")
        time.sleep(0.4)
        assert host.status() == "off"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host.address, host.port()), timeout=2)
