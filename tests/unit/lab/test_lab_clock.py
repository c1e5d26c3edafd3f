# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Witnesses of a restart: the clock, which can be stepped, and the time of the last shutdown in the registry."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.client import HostClient, LabClient
from tests.lab.launch import running_lab
from tests.unit.lab.test_lab_restart import shutdown, wait
from tests.unit.lab.wire import Wire

KEY = r"SYSTEM\CurrentControlSet\Control\Windows"
HOST = {
    "winrm": {"auth": ["basic"], "allow_unencrypted": True},
    "restart": {"shutdown_delay": 0.1, "down_for": 0.1},
}
HOSTS: dict[str, Any] = {
    "ahead": {**HOST, "clock_offset": 3600, "uptime": 500},
    "mute": {**HOST, "shutdown_time": False},
    "odd": {**HOST, "registry": ["stock", {KEY: {"ShutdownTime": {"type": "REG_SZ", "data": "noon"}}}]},
}


@pytest.fixture(scope="module")
def clocks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    description = {"accounts": [{"user": "labadmin", "password": "Lab-Pass-1"}], "hosts": HOSTS}
    with running_lab(description, tmp_path_factory.mktemp("clocks"), max_lifetime=120) as lab:
        yield lab


@pytest.fixture
def ahead(clocks: LabClient) -> Iterator[HostClient]:
    host = clocks.host("ahead")
    yield host
    host.clear_quirks()


def shutdown_time(host: HostClient) -> float:
    """Seconds since the epoch, as the host's clock had them."""
    values = host.registry(KEY)
    assert values is not None
    assert values["ShutdownTime"]["type"] == "REG_BINARY"
    data = bytes(values["ShutdownTime"]["data"])
    assert len(data) == 8
    start = datetime.datetime(1601, 1, 1, tzinfo=datetime.timezone.utc)
    return (start + datetime.timedelta(microseconds=int.from_bytes(data, "little") / 10)).timestamp()


def reading(host: HostClient) -> tuple[float, float]:
    """LocalDateTime and LastBootUpTime over the wire, in seconds since the epoch."""
    outputs = Wire(host).get("Win32_OperatingSystem").outputs
    now, booted = (outputs[name].rstrip("Z") for name in ("LocalDateTime", "LastBootUpTime"))
    form = "%Y-%m-%dT%H:%M:%S.%f"
    zone = datetime.timezone.utc
    return (
        datetime.datetime.strptime(now, form).replace(tzinfo=zone).timestamp(),
        datetime.datetime.strptime(booted, form).replace(tzinfo=zone).timestamp(),
    )


@pytest.mark.parametrize("seconds", [-5, 5, -86400, 0.25])
def test_a_step_moves_the_time_and_the_boot_time(ahead: HostClient, seconds: float) -> None:
    restarts, noted, (now, booted) = len(ahead.restarts()), shutdown_time(ahead), reading(ahead)
    ahead.step_clock(seconds)
    later, moved = reading(ahead)
    assert moved - booted == pytest.approx(seconds, abs=1e-5)
    assert seconds <= later - now < seconds + 2
    assert ahead.boot_time() == pytest.approx(moved, abs=1e-5)
    assert (len(ahead.restarts()), ahead.status(), shutdown_time(ahead)) == (restarts, "up", noted)
    ahead.step_clock(-seconds)
    assert reading(ahead)[1] == pytest.approx(booted, abs=1e-5)


def test_a_restart_after_a_step_is_by_the_new_clock(ahead: HostClient) -> None:
    offset = reading(ahead)[0] - time.time()
    ahead.step_clock(-600)
    ahead.restart()
    assert ahead.boot_time() - time.time() == pytest.approx(offset - 600, abs=2)
    assert shutdown_time(ahead) < ahead.boot_time()
    assert shutdown_time(ahead) == pytest.approx(ahead.boot_time(), abs=2)
    ahead.step_clock(600)


def test_a_shutdown_is_noted(ahead: HostClient) -> None:
    first = shutdown_time(ahead)
    assert first <= ahead.boot_time()
    before = time.time() + 3600
    ahead.restart()
    assert before <= shutdown_time(ahead) <= ahead.boot_time()
    second = shutdown_time(ahead)
    assert second > first
    assert shutdown(Wire(ahead), 6) == "0"
    wait(lambda: shutdown_time(ahead) > second)
    wait(lambda: ahead.status() == "up")


def test_power_loss_is_not_noted(ahead: HostClient) -> None:
    noted, booted = shutdown_time(ahead), ahead.boot_time()
    ahead.set_quirk("power_loss")
    ahead.restart()
    assert ahead.boot_time() > booted
    assert shutdown_time(ahead) == noted
    ahead.clear_quirks()
    ahead.restart()
    assert shutdown_time(ahead) > noted


def test_a_windows_that_notes_nothing(clocks: LabClient) -> None:
    mute = clocks.host("mute")
    assert mute.registry(KEY) is None
    mute.restart()
    assert mute.registry(KEY) is None


def test_a_description_may_put_something_else_there(clocks: LabClient) -> None:
    odd = clocks.host("odd")
    assert odd.registry(KEY) == {"ShutdownTime": {"type": "REG_SZ", "data": "noon"}}
    odd.restart()
    assert shutdown_time(odd) <= odd.boot_time()
