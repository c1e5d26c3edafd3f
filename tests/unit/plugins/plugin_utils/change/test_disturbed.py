# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that are disturbed at every single request: what is told is true, and what was written is put back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    ConnectionLost,
    ExchangeTlsError,
    OperationTimedOut,
    UnexpectedAnswer,
    Unreachable,
    WsmanFault,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import protocol_key
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value

from ..fakes import Call, FakeWindows, Trouble
from .runs import Run, fresh, roll_back, settings

ERRORS: dict[str, Callable[[], Trouble]] = {
    "access denied": lambda: Trouble(code=5),
    "another code": lambda: Trouble(code=1005),
    "a fault": lambda: Trouble(WsmanFault("a fault")),
    "rubbish, not carried out": lambda: Trouble(UnexpectedAnswer("rubbish")),
    "rubbish, carried out": lambda: Trouble(UnexpectedAnswer("rubbish"), executed=True),
    "no WinRM for a moment": lambda: Trouble(Unreachable("HTTP 503")),
}
LOST: dict[str, Callable[[], Trouble]] = {
    "answer lost": lambda: Trouble(ConnectionLost("it broke"), executed=True),
    "request lost": lambda: Trouble(ConnectionLost("it broke")),
    "too slow, carried out": lambda: Trouble(OperationTimedOut("slow"), executed=True),
    "too slow, not carried out": lambda: Trouble(OperationTimedOut("slow")),
}


def writes_of_a_run() -> list[int]:
    """The numbers of the requests of an undisturbed run that change something."""
    windows = fresh()
    with tempfile.TemporaryDirectory() as folder:
        Run(windows, Path(folder))()
    return [call.number for call in windows.calls if call.writes]


WRITES = writes_of_a_run()


def assert_truth(windows: FakeWindows, result: dict[str, Any]) -> None:
    """Every status is what the registry shows."""
    left = False
    for item in result["changes"]:
        actual = windows.hive.get(item["key"].removeprefix("HKLM\\"), item["value"]).as_result()
        if item["status"] == "written":
            assert actual == item["after"], item
            left = True
        elif item["status"] == "unknown":
            assert actual in (item["before"], item["after"]), item
            left = True
        else:
            assert item["status"] in ("put_back", "not_written")
            assert actual == item["before"], item
    assert result["changed"] or not left


@pytest.mark.parametrize("number", WRITES)
@pytest.mark.parametrize("case", ERRORS)
def test_one_failure_is_put_back(tmp_path: Path, case: str, number: int) -> None:
    windows = fresh()
    image = windows.hive.image()
    windows.trouble = lambda call: ERRORS[case]() if call.number == number else None
    run = Run(windows, tmp_path)
    with pytest.raises(ExchangeTlsError) as caught:
        run()
    assert_truth(windows, run.partial)
    nothing = "Nothing had been written" in caught.value.message
    assert nothing or "What had been written was put back" in caught.value.message
    assert run.partial["changed"] is False
    assert {item["status"] for item in run.partial["changes"]} <= {"put_back", "not_written"}
    assert settings(windows) == (image[0], image[1])
    # and the run can be finished
    windows.trouble = lambda call: None
    assert run()["compliant"]


@pytest.mark.parametrize("number", WRITES)
@pytest.mark.parametrize("case", LOST)
def test_one_lost_answer_is_no_failure(tmp_path: Path, case: str, number: int) -> None:
    windows, undisturbed = fresh(), fresh()
    windows.trouble = lambda call: LOST[case]() if call.number == number else None
    result = Run(windows, tmp_path)()
    Run(undisturbed, tmp_path)()
    assert result["compliant"]
    assert windows.hive.image()[0] == undisturbed.hive.image()[0]
    assert settings(windows) == settings(undisturbed)


@pytest.mark.parametrize("executed", [False, True])
@pytest.mark.parametrize("undo", [False, True])
@pytest.mark.parametrize("number", WRITES)
def test_host_that_is_gone(tmp_path: Path, number: int, undo: bool, executed: bool) -> None:
    windows = fresh()
    original = settings(windows)

    def gone(call: Call) -> Trouble | None:
        if call.number < number:
            return None
        return Trouble(
            ConnectionLost("it broke") if call.number == number else Unreachable("gone"),
            executed=executed and call.number == number,
        )

    windows.trouble = gone
    run = Run(windows, tmp_path, undo=undo)
    with pytest.raises(Unreachable):
        run()
    windows.trouble = lambda call: None
    assert_truth(windows, run.partial)
    first = run.partial["backup"]
    # a change of which nothing is left leaves no backup behind
    assert (first is None) is not run.partial["changed"]
    # the same run again finishes; its backup, or the first where nothing was left to do, leads back to the beginning
    result = run()
    assert result["compliant"]
    roll_back(windows, result["backup"] or first, tmp_path)
    assert settings(windows) == original


@pytest.mark.parametrize("number", WRITES)
@pytest.mark.parametrize("case", ERRORS)
def test_without_undo(tmp_path: Path, case: str, number: int) -> None:
    windows = fresh()
    windows.trouble = lambda call: ERRORS[case]() if call.number == number else None
    original = settings(windows)
    run = Run(windows, tmp_path, undo=False)
    with pytest.raises(ExchangeTlsError):
        run()
    assert_truth(windows, run.partial)
    if case != "no WinRM for a moment":  # then nobody knows
        assert run.partial["changed"] is (settings(windows) != original)
    assert "put_back" not in {item["status"] for item in run.partial["changes"]}
    windows.trouble = lambda call: None
    assert run()["compliant"]


def test_undoing_that_fails_half_way(tmp_path: Path) -> None:
    """One value can be neither written nor put back; the others are put back all the same."""
    windows = fresh()
    stuck = Setting(protocol_key("TLS 1.0", "Server"), "DisabledByDefault")

    def trouble(call: Call) -> Trouble | None:
        if not call.method.startswith("Set") or Setting(call.key, call.name or "") != stuck:
            return None
        # written, although the host says no; and never again
        return Trouble(code=1005, executed=windows.hive.get(stuck.key, stuck.name) == Value(Type.REG_SZ, "1"))

    windows.trouble = trouble
    run = Run(windows, tmp_path)
    with pytest.raises(ExchangeTlsError) as caught:
        run()
    assert "Putting the old values back failed as well" in caught.value.message
    assert r"TLS 1.0\Server [DisabledByDefault]" in caught.value.message
    assert_truth(windows, run.partial)
    assert run.partial["changed"] is True
    left = [item for item in run.partial["changes"] if item["status"] not in ("put_back", "not_written")]
    assert [item["value"] for item in left] == ["DisabledByDefault"]
