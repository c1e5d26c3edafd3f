# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service is stopped and started by Win32_Service, and seen to run."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows import services

from ..fakes import Call, FakeWindows, Trouble, service

NAME = "MSExchangeTransport"
STATES = {"StopService": "Stopped", "StartService": "Running"}


class Manager:
    """What the service manager answers: ``codes`` by method, one after the other, the last one for good. ``slow``: so
    many looks go by until a service has the new state."""

    def __init__(self, state: str = "Running", *, slow: int = 0, **codes: list[int]) -> None:
        self.windows = FakeWindows()
        self.windows.services = [service(NAME, state)]
        self.windows.instances["Win32_Service"] = [{"Name": NAME}]
        self.windows.trouble = self._asked
        self._codes, self._slow, self._coming, self.time = codes, slow, ("", 0), 0.0

    def _asked(self, call: Call) -> Trouble | None:
        if call.method in STATES:
            codes = self._codes.get(call.method, [0])
            code = codes.pop(0) if len(codes) > 1 else codes[0]
            if code == 0 and self._coming[0] != STATES[call.method]:
                self._coming = (STATES[call.method], self._slow)
            return Trouble(code=code)
        state, looks = self._coming
        if call.of == "Win32_Service" and state:
            self._coming = (state, looks - 1)
            if looks <= 0:
                self.windows.services = [service(NAME, state)]
        return None

    def restart(self, seconds: float = 60) -> None:
        services.restart(cast(Any, self.windows), NAME, seconds, sleep=self._sleep, clock=lambda: self.time)

    def _sleep(self, seconds: float) -> None:
        self.time += seconds

    @property
    def told(self) -> list[str]:
        return [call.method for call in self.windows.calls if call.method in STATES]

    @property
    def state(self) -> str:
        return self.windows.services[0]["State"]


def test_stopped_and_started() -> None:
    manager = Manager()
    manager.restart()
    assert manager.told == ["StopService", "StartService"]
    assert manager.state == "Running"


def test_one_that_is_not_there() -> None:
    manager = Manager()
    manager.windows.services = [service("Spooler")]
    manager.restart()
    assert manager.told == []


def test_one_that_was_stopped_is_started() -> None:
    manager = Manager("Stopped", StopService=[6])
    manager.restart()
    assert manager.state == "Running"


def test_one_that_is_slow_or_busy_is_waited_for() -> None:
    manager = Manager(slow=3, StopService=[5, 5, 0])
    manager.restart()
    assert manager.state == "Running"
    assert manager.time > 0


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ({"StopService": [2]}, "does not stop: the account may not do that (2)"),
        ({"StopService": [3]}, "does not stop: other services that run depend on it (3)"),
        ({"StartService": [14]}, "does not start: it is disabled (14)"),
        ({"StartService": [7]}, "does not start: it did not answer in time (7)"),
        ({"StartService": [21]}, "does not start: see Win32_Service (21)"),
    ],
)
def test_refusals(codes: dict[str, list[int]], told: str) -> None:
    with pytest.raises(services.ServiceFailed) as caught:
        Manager(**codes).restart()
    assert caught.value.message == f"The service {NAME} {told}."


@pytest.mark.parametrize("state", ["Running", "Stopped"])
def test_one_that_is_disabled_is_not_stopped(state: str) -> None:
    """It would not start again: as after a setup that has failed."""
    manager = Manager(state)
    manager.windows.services = [service(NAME, state, "Disabled")]
    with pytest.raises(services.ServiceFailed, match=f"is disabled, and {state.lower()} now"):
        manager.restart()
    assert (manager.told, manager.state) == ([], state)


def test_one_that_comes_to_no_end() -> None:
    manager = Manager(slow=10_000)
    with pytest.raises(services.ServiceFailed, match="was told to stop, and is Running after 60 seconds"):
        manager.restart()
    assert 60 <= manager.time < 70
