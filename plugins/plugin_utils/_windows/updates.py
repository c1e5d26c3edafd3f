# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The updates of a Windows, and what of it waits for a restart: up to six requests.

None of these marks shows that SCHANNEL settings wait for one: see the note of this collection for that.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import typing as t

from .._schannel.values import Type
from .._wire import wmi
from .._wire.session import Session
from .registry import Registry
from .unread import Unread

_CURRENT = r"SOFTWARE\Microsoft\Windows\CurrentVersion"
# Keys that are there only while a restart is due.
_KEYS = {
    "component_based_servicing": rf"{_CURRENT}\Component Based Servicing\RebootPending",
    "windows_update": rf"{_CURRENT}\WindowsUpdate\Auto Update\RebootRequired",
}
# Values that say so unless they are absent, empty or 0.
_VALUES = {
    "file_renames": (
        r"SYSTEM\CurrentControlSet\Control\Session Manager", "PendingFileRenameOperations", Type.REG_MULTI_SZ,
    ),
    "update_exe": (r"SOFTWARE\Microsoft\Updates\UpdateExeVolatile", "Flags", Type.REG_DWORD),
}  # fmt: skip
_CCM = "configuration_manager"
# The service of Configuration Manager's client; without it nobody is asked.
CCM_SERVICE = "CcmExec"
_CCM_SDK = f"{wmi.ROOT}/root/ccm/ClientSDK"
SOURCES = (*_KEYS, *_VALUES, _CCM)


@dataclasses.dataclass(frozen=True)
class Updates:
    """``ids``: those that Windows lists, such as ``KB5062557``; None where it could not be asked. ``last_installed``:
    the day of the newest, None where no day can be told. ``waits``: by source whether it waits for a restart, None
    where that could not be read. ``unread``: what could not be, and why."""

    ids: frozenset[str] | None
    last_installed: datetime.date | None
    waits: t.Mapping[str, bool | None]
    unread: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    def as_result(self, today: datetime.date) -> dict[str, t.Any]:
        return {
            "last_installed": None if self.last_installed is None else self.last_installed.isoformat(),
            "days": self.days(today),
            "restart_waits": dict(self.waits),
        }

    def days(self, today: datetime.date) -> int | None:
        """The days since the last update."""
        # the day is by the clock on its wall, which may be a day ahead
        return None if self.last_installed is None else max(0, (today - self.last_installed).days)


def read(session: Session, registry: Registry, today: datetime.date, *, ccm: bool) -> Updates:
    """``today``: by the host's clock. ``ccm``: whether the host has Configuration Manager's client."""
    registry.ahead(subkeys=_KEYS.values(), values=_VALUES.values())
    unread = Unread()
    listed = unread.tried("updates", wmi.query, session, "SELECT * FROM Win32_QuickFixEngineering")
    waits: dict[str, bool | None] = {
        **{name: unread.tried(name, _exists, registry, key) for name, key in _KEYS.items()},
        **{name: unread.tried(name, _says_so, registry, *place) for name, place in _VALUES.items()},
        _CCM: unread.tried(_CCM, _ccm_waits, session) if ccm else False,
    }
    days = [day for item in listed or () if (day := parse_day(item.string("InstalledOn"), today)) is not None]
    return Updates(
        None if listed is None else frozenset((item.string("HotFixID") or "").upper() for item in listed),
        max(days, default=None),
        waits,
        unread,
    )


def _exists(registry: Registry, key: str) -> bool:
    return registry.subkeys(key) is not None


def _says_so(registry: Registry, key: str, name: str, kind: Type) -> bool:
    value = registry.get(key, name, kind)
    if value is None or not value.present:
        return False
    # the list holds empty texts besides paths
    return any(value.data) if isinstance(value.data, tuple) else bool(value.data)


def _ccm_waits(session: Session) -> bool:
    output = wmi.invoke(
        session,
        "CCM_ClientUtilities",
        "DetermineIfRebootPending",
        {},
        namespace=_CCM_SDK,
        doing="asking Configuration Manager whether a restart is due",
        repeatable=True,
    )
    return bool(output.boolean("RebootPending") or output.boolean("IsHardRebootPending"))


_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)
_ISO = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)", re.ASCII)
_TICKS = re.compile(r"(?:0x)?([0-9a-f]{15,16})", re.IGNORECASE | re.ASCII)


def parse_day(text: str | None, today: datetime.date) -> datetime.date | None:
    """InstalledOn, which is text in WMI and whose form nobody guarantees: ``10/15/2025``, ``20251015`` (of a CIM
    datetime as well), or the number of a FILETIME in hexadecimal digits. None for anything else."""
    found = _day(text, today)
    # where the host's zone is ahead of UTC, it is tomorrow already; what is later than that is of another calendar
    return None if found is None or found > today + datetime.timedelta(days=1) else found


def _day(text: str | None, today: datetime.date) -> datetime.date | None:
    text = (text or "").strip()
    try:
        if match := _DAY.match(text):
            return _month_first(int(match[1]), int(match[2]), int(match[3]), today)
        if match := _ISO.match(text):
            return datetime.date(*map(int, match.groups()))
        if match := _TICKS.fullmatch(text):
            start = datetime.datetime(1601, 1, 1, tzinfo=datetime.timezone.utc)
            return (start + datetime.timedelta(microseconds=int(match[1], 16) // 10)).date()
    except (ValueError, OverflowError):
        return None
    return None


def _month_first(month: int, day: int, year: int, today: datetime.date) -> datetime.date:
    """Wherever the host is, unless that is no date, or one to come."""
    tomorrow = today + datetime.timedelta(days=1)  # where the host's zone is ahead of UTC, it is that already
    if month <= 12 and (day > 12 or datetime.date(year, month, day) <= tomorrow):
        return datetime.date(year, month, day)
    return datetime.date(year, day, month)
