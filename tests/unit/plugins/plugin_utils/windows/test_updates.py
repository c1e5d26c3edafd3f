# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The updates of a Windows, and what of it waits for a restart."""

from __future__ import annotations

import datetime
from typing import Any, cast

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import AccessDenied, Unreachable
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows import updates

from ..fakes import Call, FakeWindows, Trouble, registry_of

TODAY = datetime.date(2026, 11, 26)
CBS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"
UPDATE = r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired"
MANAGER = r"SYSTEM\CurrentControlSet\Control\Session Manager"
PACKAGE = r"SOFTWARE\Microsoft\Updates\UpdateExeVolatile"


def read(windows: FakeWindows, ccm: bool = False) -> updates.Updates:
    return updates.read(cast(Any, windows), registry_of(windows), TODAY, ccm=ccm)


def hotfix(name: str, day: str) -> dict[str, str]:
    return {"HotFixID": name, "InstalledOn": day}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("10/15/2025", "2025-10-15"),
        ("3/4/2024", "2024-03-04"),
        ("10/15/2025 12:00:00 AM", "2025-10-15"),
        ("15/10/2025", "2025-10-15"),  # no fifteenth month
        ("15.10.2025", "2025-10-15"),
        ("12/11/2026", "2026-11-12"),  # the other one is still to come
        ("20251015", "2025-10-15"),
        ("20251015000000.000000+000", "2025-10-15"),
        ("2025-10-15T00:00:00Z", "2025-10-15"),
        ("01d9a1f5c3e20000", "2023-06-18"),  # a FILETIME
        ("11/27/2026", "2026-11-27"),  # in its zone it is tomorrow already
        ("12/1/2026", "2026-01-12"),
        # a day to come is of another calendar, or of a wrong clock
        ("10/15/2568", None),
        ("1/13/2027", None),
        ("25/12/2026", None),
        ("20270101", None),
        ("", None),
        (None, None),
        ("13/13/2025", None),
        ("2/30/2025", None),
        ("a while ago", None),
        ("99999999", None),
        ("ffffffffffffffff", None),
    ],
)
def test_days(text: str | None, day: str | None) -> None:
    found = updates.parse_day(text, TODAY)
    assert (None if found is None else found.isoformat()) == day


def test_an_update_of_a_day_that_has_just_begun() -> None:
    windows = FakeWindows()
    windows.instances["Win32_QuickFixEngineering"] = [hotfix("KB1", "11/27/2026")]
    assert read(windows).days(TODAY) == 0


def test_nothing_known() -> None:
    windows = FakeWindows()
    found = read(windows)
    assert (found.ids, found.last_installed, found.unread) == (frozenset(), None, {})
    assert dict(found.waits) == dict.fromkeys(updates.SOURCES, False)
    assert found.as_result(TODAY)["days"] is None
    assert len(windows.calls) == 5


def test_the_newest_update_counts() -> None:
    windows = FakeWindows()
    listed = [hotfix("KB1", "3/4/2024"), hotfix("KB3", "9/1/2026"), hotfix("kb2", "10/15/2025"), hotfix("KB4", "")]
    windows.instances["Win32_QuickFixEngineering"] = listed
    found = read(windows)
    assert found.ids == {"KB1", "KB2", "KB3", "KB4"}
    assert found.as_result(TODAY) == {
        "last_installed": "2026-09-01",
        "days": 86,
        "restart_waits": dict.fromkeys(updates.SOURCES, False),
    }


@pytest.mark.parametrize(
    ("content", "waiting"),
    [
        ({CBS: {}}, {"component_based_servicing"}),
        ({UPDATE: {"x": dword(1)}}, {"windows_update"}),
        ({CBS.rpartition("\\")[0]: {}}, set()),
        ({MANAGER: {"PendingFileRenameOperations": Value(Type.REG_MULTI_SZ, (r"\??\C:\x", ""))}}, {"file_renames"}),
        ({MANAGER: {"PendingFileRenameOperations": Value(Type.REG_MULTI_SZ, ("", ""))}}, set()),
        ({MANAGER: {"PendingFileRenameOperations": Value(Type.REG_MULTI_SZ, ())}}, set()),
        ({PACKAGE: {"Flags": dword(0)}}, set()),
        ({PACKAGE: {}}, set()),
        ({PACKAGE: {"Flags": dword(2)}}, {"update_exe"}),
        ({CBS: {}, UPDATE: {}}, {"component_based_servicing", "windows_update"}),
    ],
)
def test_what_waits(content: dict[str, dict[str, Value]], waiting: set[str]) -> None:
    found = read(FakeWindows(content))
    assert {name for name, waits in found.waits.items() if waits} == waiting


@pytest.mark.parametrize("due", ["true", "false"])
def test_configuration_manager(due: str) -> None:
    windows = FakeWindows()
    windows.instances["CCM_ClientUtilities"] = [{"RebootPending": due, "IsHardRebootPending": "false"}]
    assert read(windows, ccm=True).waits["configuration_manager"] is (due == "true")
    assert len(windows.calls) == 6


def test_one_that_cannot_be_read_does_not_hide_the_others() -> None:
    windows = FakeWindows({CBS: {}})
    refused = AccessDenied("no")
    windows.trouble = lambda call: (
        Trouble(refused) if call.of == "Win32_QuickFixEngineering" or call.key == UPDATE else None
    )
    found = read(windows, ccm=True)
    assert found.ids is None
    assert dict(found.waits) == {
        "component_based_servicing": True,
        "windows_update": None,
        "file_renames": False,
        "update_exe": False,
        "configuration_manager": None,
    }
    assert set(found.unread) == {"updates", "windows_update", "configuration_manager"}


@pytest.mark.parametrize("number", range(1, 6))
def test_a_host_that_is_gone_is_no_matter_of_updates(number: int) -> None:
    windows = FakeWindows()

    def gone(call: Call) -> Trouble | None:
        return Trouble(Unreachable("gone")) if call.number == number else None

    windows.trouble = gone
    with pytest.raises(Unreachable):
        read(windows)
