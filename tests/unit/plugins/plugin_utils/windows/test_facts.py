# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about a host."""

from __future__ import annotations

import datetime
from typing import Any, cast

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import UnexpectedAnswer
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows import facts

from ..fakes import BOOT, UPTIME, FakeWindows, registry_of
from ..wire.test_wmi import Session

VERSION = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"


def read(windows: FakeWindows) -> facts.Host:
    return facts.read_host(cast(Any, windows), registry_of(windows))


def test_facts() -> None:
    windows = FakeWindows({VERSION: {"UBR": dword(5576)}})
    now = datetime.datetime.now(datetime.timezone.utc)
    host = read(windows)
    assert host.as_result() == {
        "computer_name": "EX01",
        "os": "Microsoft Windows Server 2019 Standard",
        "build": 17763,
        "ubr": 5576,
        "domain_role": "server",
        "last_boot": "2026-11-20T03:04:05Z",
        "clock_offset": pytest.approx((BOOT + UPTIME - now).total_seconds(), abs=5),
    }
    assert len(windows.calls) == 2
    assert host.last_boot == BOOT


@pytest.mark.parametrize(
    "content",
    [{}, {VERSION: {}}, {VERSION: {"UBR": Value(Type.REG_SZ, "5576")}}, {VERSION: {"UBR": Value(Type.OTHER)}}],
)
def test_no_update_revision(content: dict[str, dict[str, Value]]) -> None:
    assert read(FakeWindows(content)).ubr is None


def operating_system(content: str) -> facts.OperatingSystem:
    return facts.read_operating_system(cast(Any, Session(f"<X>{content}</X>")))


BUILD = "<BuildNumber>7601</BuildNumber>"


def test_times_of_another_zone() -> None:
    now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8)))
    ahead = (now + datetime.timedelta(seconds=90)).isoformat()
    found = operating_system(
        f"{BUILD}<LastBootUpTime><Datetime>2014-01-02T03:04:05.5+08:00</Datetime></LastBootUpTime>"
        f"<LocalDateTime><Datetime>{ahead}</Datetime></LocalDateTime>"
    )
    assert found.last_boot == datetime.datetime(2014, 1, 1, 19, 4, 5, 500000, tzinfo=datetime.timezone.utc)
    assert found.last_boot.utcoffset() == datetime.timedelta(0)
    assert found.clock_offset == pytest.approx(90, abs=5)


def test_no_clock() -> None:
    boot = "<LastBootUpTime><Datetime>2014-01-02T03:04:05Z</Datetime></LastBootUpTime>"
    assert operating_system(BUILD + boot).clock_offset == 0


@pytest.mark.parametrize(
    ("told", "role"),
    [("1", "workstation"), ("2", "domain controller"), ("3", "server"), ("4", "unknown"), ("", "unknown")],
)
def test_what_windows_is_set_up_as(told: str, role: str) -> None:
    boot = "<LastBootUpTime><Datetime>2014-01-02T03:04:05Z</Datetime></LastBootUpTime>"
    product = f"<ProductType>{told}</ProductType>" if told else ""
    assert operating_system(BUILD + boot + product).role == role


@pytest.mark.parametrize("content", ["", BUILD, "<LastBootUpTime>2014-01-02T03:04:05Z</LastBootUpTime>"])
def test_too_little(content: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="neither its build nor its boot time"):
        operating_system(content)


@pytest.mark.parametrize(
    ("seconds", "again"), [(0, False), (2, False), (-2, False), (2.1, True), (-3, True), (60, True)]
)
def test_boot_times_that_differ(seconds: float, again: bool) -> None:
    assert facts.booted_again(BOOT, BOOT + datetime.timedelta(seconds=seconds)) is again


@pytest.mark.parametrize(
    ("moved", "uptime", "again"),
    [
        (3600, 20, True),  # restarted
        (0, 1800, False),  # nothing happened yet
        (90, 1800, False),  # the clock was set forward, and the boot time moved with it
        (-90, 1800, False),
        (0, 20, False),  # the clock was set back, and the boot time did not move
        (-3600, 20, True),  # restarted, and the clock was set back
        (3600, None, True),  # the host does not tell its time
        (0, None, False),
    ],
)
def test_restart_within_a_minute(moved: int, uptime: int | None, again: bool) -> None:
    def system(boot: datetime.datetime, up: int | None) -> facts.OperatingSystem:
        since = None if up is None else datetime.timedelta(seconds=up)
        return facts.OperatingSystem("EX01", "Windows", 17763, "server", boot, 0.0, since)

    before, after = system(BOOT, 1750), system(BOOT + datetime.timedelta(seconds=moved), uptime)
    assert facts.restarted_within(before, after, 60) is again


def test_uptime_is_by_the_clock_of_the_host() -> None:
    boot = "<LastBootUpTime><Datetime>2014-01-02T03:04:05Z</Datetime></LastBootUpTime>"
    now = "<LocalDateTime><Datetime>2014-01-02T11:05:05+08:00</Datetime></LocalDateTime>"
    assert operating_system(BUILD + boot + now).uptime == datetime.timedelta(minutes=1)
    assert operating_system(BUILD + boot).uptime is None
