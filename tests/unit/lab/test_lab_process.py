# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as a process: start and stop, command line, inventory, log, size."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.__main__ import main
from tests.lab.client import HostClient, LabClient, LabError
from tests.lab.inventory import host_variables, write_inventory
from tests.lab.launch import ROOT, running_lab, start_process
from tests.unit.lab.wire import HKLM, PROTOCOLS, Wire

ACCOUNTS = [{"user": "labadmin", "password": "Lab-Pass-1"}, {"user": "other", "password": "Lab-Pass-9"}]
SMALL: dict[str, Any] = {
    "accounts": ACCOUNTS,
    "hosts": {
        "ex01": {"restart": {"shutdown_delay": 0, "down_for": 0.1}, "endpoints": [{"kind": "smtp", "port": 2525}]},
        "ex02": {
            "winrm": {"http": None, "https": 5986, "auth": ["basic", "ntlm"]},
            "exchange": {"build": "15.01.2507.066", "mail_in": [{}]},
        },
    },
}


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def test_life_of_a_lab(tmp_path: Path) -> None:
    started = time.monotonic()
    with running_lab(SMALL, tmp_path) as lab:
        assert time.monotonic() - started < 5
        pid = lab.pid
        assert [host.name for host in lab.hosts()] == ["ex01", "ex02"]
        assert (tmp_path / "ca.pem").read_text().startswith("-----BEGIN CERTIFICATE")
        assert (tmp_path / "ntlm-users").stat().st_mode & 0o77 == 0
    assert gone(pid)
    assert not (tmp_path / "lab.json").exists()
    with pytest.raises(LabError, match="no running lab"):
        LabClient(tmp_path)


def test_two_labs_at_once(tmp_path: Path) -> None:
    with running_lab(SMALL, tmp_path / "a") as first, running_lab(SMALL, tmp_path / "b") as second:
        assert first.host("ex01").address != second.host("ex01").address


def test_a_deep_state_directory(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    with running_lab(SMALL, deep) as lab:
        assert lab.host("ex01").status() == "up"


def test_it_ends_by_itself(tmp_path: Path) -> None:
    process = start_process(SMALL, tmp_path, max_lifetime=0.5)
    assert process.wait(5) == 0


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, os; sys.path.insert(0, sys.argv[2])\n"
        "from tests.lab.launch import start_process\n"
        "process = start_process(pathlib.Path(sys.argv[1]) / 'in.yml', pathlib.Path(sys.argv[1]), follow=True)\n"
        "print(process.pid, flush=True)\n"
        "os._exit(9)\n"
    )
    (tmp_path / "in.yml").write_text(yaml.safe_dump(SMALL), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), str(ROOT)], capture_output=True, timeout=30, check=False
    )
    assert done.returncode == 9, done.stderr
    assert gone(int(done.stdout))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"windows": "95"}, "unknown windows version"),
        ({"address": "127.9.9.9", "winrm": {"http": 59999}}, "cannot listen"),
    ],
)
def test_why_it_did_not_start(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    import socket

    with socket.socket() as busy:
        busy.bind(("127.9.9.9", 59999))
        busy.listen()
        with pytest.raises(LabError, match=words):
            start_process({"accounts": ACCOUNTS, "hosts": {"a": change}}, tmp_path)


class TestCommandLine:
    @pytest.fixture
    def run(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
        state = ["--state-dir", str(tmp_path / "state")]

        def call(*arguments: str, code: int = 0) -> str:
            assert main([*arguments, *state]) == code, capsys.readouterr().err
            captured = capsys.readouterr()
            return captured.out if code == 0 else captured.err

        yield call
        main(["stop", *state])

    def test_all_commands(self, run: Any, tmp_path: Path) -> None:
        (tmp_path / "lab.yml").write_text(yaml.safe_dump(SMALL), encoding="utf-8")
        inventory = run("start", str(tmp_path / "lab.yml"), "--max-lifetime", "60").strip()
        assert yaml.safe_load(Path(inventory).read_text())["all"]["children"]["exchange"]["hosts"]["ex01"]
        assert "running already" in run("start", str(tmp_path / "lab.yml"), code=1)
        assert yaml.safe_load(run("status"))["ex01"]["status"] == "up"
        key = rf"{PROTOCOLS}\TLS 1.2\Server"
        run("set", "ex01", key, "Enabled", "0")
        run("set", "ex01", r"SOFTWARE\x", "m", "a,b", "--type", "REG_MULTI_SZ")
        assert "Enabled  REG_DWORD  0" in run("show", "ex01", key)
        assert 'm  REG_MULTI_SZ  ["a", "b"]' in run("show", "ex01", r"SOFTWARE\x")
        assert "SCHANNEL" in run("show", "ex01")
        assert "has no key" in run("show", "ex01", r"SOFTWARE\none", code=1)
        assert "accepts TLS 1.0, TLS 1.1\n" in run("restart", "ex01")
        run("delete", "ex01", key, "Enabled")
        assert "Enabled" not in run("show", "ex01", key)
        run("delete", "ex01", key)
        assert "has no key" in run("show", "ex01", key, code=1)
        assert "error 2" in run("delete", "ex01", key, "Enabled", code=1)
        assert yaml.safe_load(run("quirk", "ex01", "delay", '{"seconds": 1}')) == {"delay": {"seconds": 1}}
        assert yaml.safe_load(run("quirk", "ex01", "void_return")) == {"delay": {"seconds": 1}, "void_return": True}
        assert yaml.safe_load(run("quirk", "ex01", "clear")) == {}
        assert "unknown quirk" in run("quirk", "ex01", "nonsense", code=1)
        assert "soap_requests: 0" in run("log", "ex01")
        assert "ex01 has no Exchange" in run("mail", "ex01", code=1)
        mail = yaml.safe_load(run("mail", "ex02"))
        assert (mail["Submission"]["messages"], Path(mail["protocol logs"]).name) == (0, "ex02")
        with LabClient(tmp_path / "state") as lab:
            booted = lab.host("ex01").boot_time()
            run("clock", "ex01", "-5")
            run("clock", "ex01", "2")
            assert lab.host("ex01").boot_time() == pytest.approx(booted - 3)
        path = run("inventory", "--connection", "psrp", "--output", str(tmp_path / "psrp.yml")).strip()
        assert yaml.safe_load(Path(path).read_text())["all"]["children"]["exchange"]["hosts"]["ex02"][
            "ansible_psrp_ca_cert"
        ]
        assert "unknown host 'ex09'" in run("log", "ex09", code=1)
        run("stop")
        assert "no running lab" in run("status", code=1)


class TestInventory:
    def test_winrm(self, lab: LabClient, ex01: HostClient) -> None:
        variables = host_variables(lab, ex01)
        assert variables == {
            "ansible_connection": "winrm",
            "ansible_host": ex01.address,
            "ansible_port": 5985,
            "ansible_user": "labadmin",
            "ansible_password": "Lab-Pass-1",
            "ansible_winrm_scheme": "http",
            "ansible_winrm_transport": "ntlm",
            "ansible_winrm_path": "/wsman",
            "ansible_winrm_message_encryption": "auto",
            "lab_endpoints": [],
        }

    def test_psrp_over_https(self, lab: LabClient, ex01: HostClient) -> None:
        variables = host_variables(lab, ex01, "psrp", scheme="https", user=r"EX01\labuser")
        assert variables["ansible_port"] == 5986
        assert (variables["ansible_psrp_protocol"], variables["ansible_psrp_auth"]) == ("https", "negotiate")
        assert variables["ansible_psrp_ca_cert"] == str(lab.ca_path)
        assert variables["ansible_password"] == "Lab-Pass-2"

    def test_file_is_private(self, lab: LabClient, plain: HostClient, tmp_path: Path) -> None:
        path = write_inventory(lab, tmp_path / "inventory.yml", transport="basic")
        assert path.stat().st_mode & 0o77 == 0
        hosts = yaml.safe_load(path.read_text())["all"]["children"]["exchange"]["hosts"]
        assert hosts["plain"]["ansible_winrm_message_encryption"] == "never"
        assert f"smtp://{plain.address}:2525" in hosts["plain"]["lab_endpoints"]

    def test_mistakes(self, lab: LabClient, ex01: HostClient) -> None:
        for options in ({"connection": "ssh"}, {"user": "nobody"}):
            with pytest.raises(LabError):
                host_variables(lab, ex01, **options)
        with pytest.raises(LabError, match="no gopher listener"):
            ex01.port("gopher")


def test_log_and_counters(wire: Wire, plain: HostClient) -> None:
    arguments = (("hDefKey", HKLM), ("sSubKeyName", "SOFTWARE"), ("sValueName", "x"))
    wire.invoke("GetDWORDValue", *arguments)
    wire.invoke("SetBinaryValue", *arguments, ("uValue", "1"), ("uValue", "2"), To=None)
    wire.get("Win32_OperatingSystem")
    first, second, third = plain.requests()
    assert (first["n"], first["operation"]) == (1, "StdRegProv.GetDWORDValue")
    assert first["arguments"] == dict(arguments)
    assert (first["http_status"], first["fault"], first["user"]) == (200, None, "labadmin")
    assert (second["operation"], second["http_status"], second["fault"]) == ("Invalid", 500, 2150858769)
    assert (third["n"], third["operation"], third["connection"]) == (
        3,
        "Win32_OperatingSystem.Get",
        first["connection"],
    )
    counters = plain.counters()
    assert (counters["soap_requests"], counters["http_requests"], counters["logins"]) == (3, 3, 1)
    assert counters["bytes_out"] == sum(record["bytes_out"] for record in plain.requests()) > 2000
    assert counters["connections"] == 1
    plain.reset_log()
    assert (plain.requests(), plain.logins(), plain.counters()["connections"]) == ([], [], 0)


def test_dump_for_comparisons(plain: HostClient) -> None:
    before = plain.dump()
    plain.set_value(rf"{PROTOCOLS}\TLS 1.1\Client", "Enabled", 1)
    after = plain.dump()
    plain.delete_key(rf"{PROTOCOLS}\TLS 1.1")
    assert set(after) - set(before) == {rf"HKLM\{PROTOCOLS}\TLS 1.1", rf"HKLM\{PROTOCOLS}\TLS 1.1\Client"}
    assert plain.dump() == before
    assert any(".NETFramework" in key for key in before)


def test_control_channel_explains(lab: LabClient, plain: HostClient) -> None:
    for command, arguments, words in (
        ("jump", {}, "unknown command"),
        ("registry", {"host": "plain"}, "malformed"),
        ("registry", {}, "malformed"),
        ("set_value", {"host": "plain", "key": "x", "value": "y", "data": -1}, "does not fit"),
        ("delete_value", {"host": "plain", "key": "x", "value": "y"}, "error 2"),
    ):
        with pytest.raises(LabError, match=words):
            lab.call(command, **arguments)
    assert plain.registry(r"SOFTWARE\none") is None
    assert plain.subkeys(r"SOFTWARE\none") is None


@pytest.mark.slow
def test_two_hundred_hosts(tmp_path: Path) -> None:
    endpoints = [{"kind": "smtp", "port": 2525}, {"kind": "https", "port": 8443}, {"kind": "imaps", "port": 9993}]
    winrm = {"https": 5986, "auth": ["basic"], "allow_unencrypted": True}
    hosts = {f"ex{n:03}": {"winrm": winrm, "endpoints": endpoints} for n in range(200)}
    started = time.monotonic()
    with running_lab({"accounts": ACCOUNTS, "hosts": hosts}, tmp_path, max_lifetime=120) as lab:
        assert time.monotonic() - started < 15
        clients = lab.hosts()
        assert len({client.address for client in clients}) == 200

        def ask(client: HostClient) -> int:
            wire = Wire(client)
            status = wire.get("Win32_OperatingSystem").status
            wire.close()
            return status

        with ThreadPoolExecutor(20) as pool:
            assert set(pool.map(ask, clients)) == {200}
