# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing to the registry: read back, never blindly repeated, and refusals in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    ConnectionLost,
    ExchangeTlsError,
    OperationTimedOut,
    RegistryAccessDenied,
    RegistryError,
    Unreachable,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.registry import Registry
from hypothesis import given

from ..fakes import Call, FakeWindows, Trouble, names, registry_of
from .test_registry import VALUES

KEY = r"SYSTEM\Key"
LOST = (ConnectionLost("the answer was lost"), OperationTimedOut("too slow"))


def host(**values: Value) -> tuple[FakeWindows, Registry]:
    windows = FakeWindows({KEY: values})
    return windows, registry_of(windows)


def lose(error: Exception, *, executed: bool, times: int = 1) -> Callable[[Call], Trouble | None]:
    """The first ``times`` writes get no answer."""
    count = 0

    def trouble(call: Call) -> Trouble | None:
        nonlocal count
        if call.writes and count < times:
            count += 1
            return Trouble(error, executed=executed)
        return None

    return trouble


@given(VALUES, VALUES)
def test_setting_any_value_over_any_other(before: Value, after: Value) -> None:
    windows, registry = host(Name=before)
    registry.set(KEY, "NAME", after)
    assert windows.hive.get(KEY, "Name") == after
    assert len(windows.calls) == 2, "written and read back"
    assert [call.repeatable for call in windows.calls] == [False, True]


@pytest.mark.parametrize("value", [ABSENT, Value(Type.OTHER)])
def test_values_that_cannot_be_written(value: Value) -> None:
    windows, registry = host()
    with pytest.raises(RegistryError, match="cannot be written"):
        registry.set(KEY, "Name", value)
    assert windows.calls == []


def test_setting_in_a_missing_key() -> None:
    _windows, registry = host()
    with pytest.raises(RegistryError, match=r"Cannot write HKLM\\SYSTEM\\Missing \[Name\].*it does not exist"):
        registry.set(r"SYSTEM\Missing", "Name", dword(1))


def test_value_that_another_program_changes() -> None:
    windows, registry = host()

    def other_program(call: Call) -> None:
        if call.method.startswith("Get"):
            windows.hive.set(KEY, "Name", dword(0))

    windows.trouble = other_program
    with pytest.raises(RegistryError, match="written as REG_DWORD 1, but reading it back shows something else"):
        registry.set(KEY, "Name", dword(1))


def test_value_that_another_program_removes() -> None:
    windows, registry = host()
    windows.trouble = lambda call: windows.hive.drop(KEY) if call.method.startswith("Get") else None  # type: ignore[func-returns-value]
    with pytest.raises(RegistryError, match="reading it back shows something else"):
        registry.set(KEY, "Name", dword(1))


# --- answers that are lost -------------------------------------------------------------------------------------------

CHANGES: dict[str, Callable[[Registry], None]] = {
    "SetDWORDValue": lambda registry: registry.set(KEY, "Name", dword(1)),
    "CreateKey": lambda registry: registry.create_key(rf"{KEY}\New"),
    "DeleteValue": lambda registry: registry.delete_value(KEY, "Old"),
    "DeleteKey": lambda registry: registry.delete_key(rf"{KEY}\Empty"),
}


def changed(windows: FakeWindows) -> dict[str, bool]:
    hive = windows.hive
    return {
        "SetDWORDValue": hive.get(KEY, "Name") == dword(1),
        "CreateKey": rf"{KEY}\New".lower() in hive.keys,
        "DeleteValue": not hive.get(KEY, "Old").present,
        "DeleteKey": rf"{KEY}\Empty".lower() not in hive.keys,
    }


def full_host() -> tuple[FakeWindows, Registry]:
    windows = FakeWindows({KEY: {"Old": dword(5)}, rf"{KEY}\Empty": {}})
    return windows, registry_of(windows)


@pytest.mark.parametrize("method", CHANGES)
def test_done_and_repeated_is_the_same(method: str) -> None:
    windows, registry = full_host()
    CHANGES[method](registry)
    assert changed(windows)[method]
    image = windows.hive.image()
    CHANGES[method](registry)
    assert windows.hive.image() == image


@pytest.mark.parametrize("error", LOST)
@pytest.mark.parametrize("method", CHANGES)
def test_lost_answer_of_a_write_that_was_carried_out(method: str, error: Exception) -> None:
    windows, registry = full_host()
    windows.trouble = lose(error, executed=True)
    CHANGES[method](registry)
    assert changed(windows)[method]
    assert windows.count(method) == 1, "looked, and not repeated"


@pytest.mark.parametrize("error", LOST)
@pytest.mark.parametrize("method", CHANGES)
def test_lost_write(method: str, error: Exception) -> None:
    windows, registry = full_host()
    windows.trouble = lose(error, executed=False)
    CHANGES[method](registry)
    assert changed(windows)[method]
    sequence = list(names(windows.calls))
    first, second = (number for number, item in enumerate(sequence) if item == method)
    assert not windows.calls[first + 1].writes, "looked before it was sent again"
    assert second > first + 1


@pytest.mark.parametrize("error", LOST)
@pytest.mark.parametrize("method", CHANGES)
def test_write_that_is_lost_twice(method: str, error: Exception) -> None:
    windows, registry = full_host()
    windows.trouble = lose(error, executed=False, times=2)
    with pytest.raises(type(error)):
        CHANGES[method](registry)
    assert windows.count(method) == 2
    assert not changed(windows)[method]


@pytest.mark.parametrize("method", CHANGES)
def test_second_lost_answer_of_a_write_that_was_carried_out(method: str) -> None:
    windows, registry = full_host()
    losses = iter([Trouble(LOST[0]), Trouble(LOST[0], executed=True)])
    windows.trouble = lambda call: next(losses, None) if call.writes else None
    CHANGES[method](registry)
    assert changed(windows)[method]


@pytest.mark.parametrize("method", CHANGES)
def test_host_that_is_gone_after_a_lost_answer(method: str) -> None:
    windows, registry = full_host()
    lost = lose(LOST[0], executed=False)
    windows.trouble = lambda call: lost(call) if call.writes else Trouble(Unreachable("no route"))
    with pytest.raises(Unreachable, match="no route"):
        CHANGES[method](registry)
    assert windows.count(method) == 1


# --- rights ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", CHANGES)
def test_access_denied(method: str) -> None:
    windows, registry = full_host()
    windows.denied = {KEY.lower()}
    with pytest.raises(RegistryAccessDenied, match=r"The account may not (write|change) HKLM") as caught:
        CHANGES[method](registry)
    assert "Administrators" in caught.value.message
    assert windows.count(method) == 1
    assert not changed(windows)[method]


def test_rights() -> None:
    windows, registry = full_host()
    assert registry.may_write(KEY) is True
    assert windows.calls[-1].arguments["uRequired"] == ["6"], "set values, and make keys"
    windows.denied = {KEY.lower()}
    assert registry.may_write(KEY) is False
    assert registry.may_write(r"SYSTEM\Missing") is None
    windows.trouble = lambda call: Trouble(code=5)
    assert registry.may_write(KEY) is False
    windows.trouble = lambda call: Trouble(code=1722)
    with pytest.raises(RegistryError, match="Cannot check HKLM"):
        registry.may_write(KEY)


# --- removing --------------------------------------------------------------------------------------------------------


def test_key_with_keys_below_stays() -> None:
    windows, registry = full_host()
    with pytest.raises(ExchangeTlsError):
        registry.delete_key(KEY)
    assert KEY.lower() in windows.hive.keys


def test_removing_what_is_not_there() -> None:
    windows, registry = full_host()
    image = windows.hive.image()
    registry.delete_value(KEY, "Missing")
    registry.delete_value(r"SYSTEM\Missing", "Missing")
    registry.delete_key(r"SYSTEM\Missing")
    assert windows.hive.image() == image


@pytest.mark.parametrize("code", [1, 2])
def test_both_codes_of_a_missing_value_are_fine(code: int) -> None:
    windows, registry = full_host()
    windows.trouble = lambda call: Trouble(code=code)
    registry.delete_value(KEY, "Missing")


def test_creating_makes_parents() -> None:
    windows, registry = full_host()
    registry.create_key(r"SOFTWARE\A\B\C")
    assert {r"software\a", r"software\a\b", r"software\a\b\c"} <= set(windows.hive.keys)
