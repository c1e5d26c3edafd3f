# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Facts about a Windows host that its TLS settings depend on: two requests."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from .._errors import RegistryError, UnexpectedAnswer
from .._text import utc_text
from .._wire import wmi
from .._wire.session import Session
from .registry import Registry

CURRENT_VERSION = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"

# Win32_OperatingSystem.ProductType
_ROLES = {1: "workstation", 2: "domain controller", 3: "server"}

# For rooms above that read times which were kept on a host.
as_utc = wmi.as_utc

# A margin of caution: nobody documents that two reads of LastBootUpTime agree to the second.
BOOT_JITTER = datetime.timedelta(seconds=2)
# Clocks are corrected by less, and nobody restarts a server so soon after a restart and a change.
_CORRECTION = datetime.timedelta(minutes=10)


@dataclasses.dataclass(frozen=True)
class Host:
    """What the host says about itself. Times are aware and in UTC."""

    computer_name: str
    os: str
    build: int
    ubr: int | None
    domain_role: str
    last_boot: datetime.datetime
    clock_offset: float  # seconds the host's clock is ahead of the controller's

    def as_result(self) -> dict[str, t.Any]:
        return {
            "computer_name": self.computer_name,
            "os": self.os,
            "build": self.build,
            "ubr": self.ubr,
            "domain_role": self.domain_role,
            "last_boot": utc_text(self.last_boot),
            "clock_offset": round(self.clock_offset, 1),
        }


@dataclasses.dataclass(frozen=True)
class OperatingSystem:
    """The part of the facts that one request brings."""

    name: str
    caption: str
    build: int
    role: str
    last_boot: datetime.datetime
    clock_offset: float
    uptime: datetime.timedelta | None = None  # both by the host's clock; None where it does not tell the time


def now_on(host: Host | OperatingSystem) -> datetime.datetime:
    """The time by the host's own clock, in UTC."""
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=host.clock_offset)


def today_on(host: Host | OperatingSystem) -> datetime.date:
    """The day by the host's own clock."""
    return now_on(host).date()


def read_operating_system(session: Session) -> OperatingSystem:
    """Win32_OperatingSystem: name, version, boot time, clock (one request)."""
    instance = wmi.get(session, "Win32_OperatingSystem")
    now = datetime.datetime.now(datetime.timezone.utc)
    build, last_boot, local = (
        instance.integer("BuildNumber"),
        instance.datetime("LastBootUpTime"),
        instance.datetime("LocalDateTime"),
    )
    if build is None or last_boot is None:
        raise UnexpectedAnswer("Win32_OperatingSystem says neither its build nor its boot time")
    return OperatingSystem(
        name=instance.string("CSName") or "",
        caption=instance.string("Caption") or "",
        build=build,
        role=_ROLES.get(instance.integer("ProductType") or 0, "unknown"),
        last_boot=last_boot.astimezone(datetime.timezone.utc),
        clock_offset=0.0 if local is None else (local - now).total_seconds(),
        uptime=None if local is None else local - last_boot,
    )


def read_host(session: Session, registry: Registry) -> Host:
    """All facts (two requests)."""
    system = read_operating_system(session)
    try:
        ubr = registry.get(CURRENT_VERSION, "UBR")
    except RegistryError:
        ubr = None  # for people only
    return Host(
        computer_name=system.name,
        os=system.caption,
        build=system.build,
        ubr=ubr.data if ubr is not None and isinstance(ubr.data, int) else None,
        domain_role=system.role,
        last_boot=system.last_boot,
        clock_offset=system.clock_offset,
    )


def booted_again(before: datetime.datetime, after: datetime.datetime) -> bool:
    """Whether two boot times belong to different starts of Windows."""
    return abs(after - before) > BOOT_JITTER


def restarted_within(before: OperatingSystem, after: OperatingSystem, seconds: float) -> bool:
    """Whether Windows was started between two looks that lie so many seconds apart.

    A clock that is set moves the boot time, on some hosts, but not the time that Windows has been up.
    """
    fresh = after.uptime is None or after.uptime <= datetime.timedelta(seconds=seconds) + BOOT_JITTER
    return fresh and booted_again(before.last_boot, after.last_boot)


@dataclasses.dataclass(frozen=True)
class Moment:
    """What a host said of its last start at some time, so that a later look tells whether it was restarted since.

    ``now``: its own clock then; unknown in notes of version 0.1. ``shutdown``: its ShutdownTime, which no clock that is
    set moves; None where it could not be read.
    """

    boot: datetime.datetime
    now: datetime.datetime | None = None
    shutdown: tuple[int, ...] | None = None


def restarted_since(then: Moment, today: Moment) -> tuple[bool, str | None]:
    """Whether Windows was restarted after ``then``, and why that is in doubt.

    A restart is a start later than that moment by the host's own clock, and another time of shutdown. Where the two
    disagree it counts as not made: one restart too many does no harm.
    """
    by_boot = today.boot - then.boot > _CORRECTION if then.now is None else today.boot > then.now
    by_shutdown = None if None in (then.shutdown, today.shutdown) else then.shutdown != today.shutdown
    if by_shutdown in (None, by_boot):
        return by_boot, None
    if by_boot:
        doubt = f"Windows says it was started {utc_text(today.boot)}, but its ShutdownTime is still the same"
        why = "its clock was set forward, or it lost its power"
    else:
        doubt = f"Windows says it was started {utc_text(today.boot)}, but its ShutdownTime is another one by now"
        why = "its clock was set back"
    return False, f"{doubt}: {why}. The restart counts as not made."
