# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services that a restart waits for: which ones names and patterns stand for, and what is said of the others."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import IncompleteAnswer, OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.restart import RestartFailed
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.services import services_to_wait_for

from ..fakes import Call, FakeWindows, Trouble, service
from .test_restart import NEW_BOOT, ON_THE_WAY, Machine


def test_services() -> None:
    machine = Machine(services_after=50)
    machine.windows.services = [
        service("MSExchangeIS"),
        service("MSExchangeTransport"),
        service("MSExchangePop3", "Stopped"),
        service("MSExchangeImap4", "Running", "Manual"),
        service("W3SVC", "Stopped", "Manual"),
        service("Other"),
    ]
    outcome = machine.restart(services=("msexchange*", "w3svc"))
    assert outcome.services == ("MSExchangeIS", "MSExchangeTransport", "W3SVC")
    assert outcome.elapsed >= 110
    assert machine.said[-1] == "waiting for MSExchangeIS and 2 more services (0 of at most 539 seconds)"


@pytest.mark.parametrize("services", [[], [service("MSExchangeIS", "Stopped")]])
def test_default_without_services(services: list[dict[str, str]]) -> None:
    machine = Machine()
    machine.windows.services = services
    assert machine.restart(services=("MSExchange*",)).services == ()
    assert "no automatic service runs that MSExchange* stands for; waiting for none" in machine.said


@pytest.mark.parametrize("wanted", [("MSExchnage*",), ("W3SVC", "Nothing*", "W3*"), ("[W]3*",), ("W?SVC*",)])
def test_pattern_that_fits_nothing(wanted: tuple[str, ...]) -> None:
    machine = Machine()
    machine.windows.services = [service("W3SVC")]
    odd = next(name for name in wanted if not name.startswith("W3"))
    with pytest.raises(OptionError) as caught:
        machine.restart(services=wanted)
    assert f"no service that fits the pattern {odd}; nothing was restarted" in caught.value.message
    assert machine.requests == []


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_blank_name(blank: str) -> None:
    machine = Machine()
    with pytest.raises(OptionError, match="'services' holds a blank name"):
        machine.restart(services=("W3SVC", blank))
    assert machine.windows.calls[1:] == []


SPECIAL = [
    "Backup[1]",
    "100%",
    "a_b",
    "MSSQL$SQLEXPRESS",
    "O'Brien",
    "back\\slash",
    "^caret",
    "Dienst für Ä",
    "a[^b]-c",
]


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize("many", [False, True])
def test_names_that_mean_something_to_wql(name: str, many: bool) -> None:
    windows = FakeWindows()
    windows.services = [service(name), service(f"{name}Agent"), service("Other")]
    more = [f"{name}{'*' * count}" for count in range(2, 30)] if many else []
    found = services_to_wait_for(cast(Any, windows), [f" {name}* ", *more])
    assert found == tuple(sorted([name, f"{name}Agent"]))


def test_names_without_regard_to_case() -> None:
    windows = FakeWindows()
    windows.services = [service("MSExchangeIS"), service("W3SVC", "Stopped", "Manual")]
    assert services_to_wait_for(cast(Any, windows), ["msexchangeis", "w3svc", "MSEXCHANGE*"]) == (
        "MSExchangeIS",
        "W3SVC",
    )
    assert services_to_wait_for(cast(Any, FakeWindows()), []) == ()


def test_thousands_of_services_take_no_time() -> None:
    windows = FakeWindows()
    windows.services = [service(f"Service{number}") for number in range(4000)]
    names = [f"Service{number}" for number in range(4000)]
    started = time.process_time()
    assert len(services_to_wait_for(cast(Any, windows), [*names, "Serv*"])) == 4000
    assert time.process_time() - started < 2
    (call,) = windows.calls
    assert str(call.arguments["Filter"]) == "['SELECT * FROM Win32_Service']", "Windows refuses long conditions"


def test_waiting_asks_as_it_was_told() -> None:
    """Not for each service by its name: the question would grow too long for Windows."""
    machine = Machine()
    machine.windows.services = [service(f"MSExchange{number}") for number in range(500)]
    outcome = machine.restart(services=("MSExchange*", "MSExchange7"))
    assert len(outcome.services) == 500
    questions = {str(call.arguments["Filter"]) for call in machine.windows.calls if call.method == "Enumerate"}
    assert len(questions) == 1
    assert len(questions.pop()) < 150


def test_services_that_were_read_too_slowly() -> None:
    machine = Machine()
    machine.windows.services = [service("W3SVC")]
    real = machine.trouble

    def trouble(call: Call) -> Trouble | None:
        machine.now += 45 if call.method == "Enumerate" else 0
        return real(call)

    machine.windows.trouble = trouble
    with pytest.raises(RestartFailed, match="longer than 40 seconds; nothing was restarted"):
        machine.restart(services=("W3SVC",), timeout=40)
    assert machine.requests == []


def test_incomplete_list_is_no_proof_that_a_service_is_missing() -> None:
    machine = Machine()
    machine.windows.trouble = lambda call: (
        Trouble(IncompleteAnswer("the list ended early")) if call.method == "Enumerate" else None
    )
    with pytest.raises(IncompleteAnswer, match="ended early"):
        machine.restart(services=("W3SVC",))
    assert machine.requests == []


def test_many_services_that_do_not_start() -> None:
    machine = Machine(services_after=10_000)
    machine.windows.services = [service(f"Service{number:04}") for number in range(400)]
    with pytest.raises(RestartFailed) as caught:
        machine.restart(services=("*",), timeout=90)
    assert "Service0000 (Start Pending)" in caught.value.message
    assert "and 380 more" in caught.value.message
    assert len(caught.value.message) < 1500


@pytest.mark.parametrize("wanted", [("Missing",), ("W3SVC", "missing", "Gone")])
def test_service_that_does_not_exist(wanted: tuple[str, ...]) -> None:
    machine = Machine()
    machine.windows.services = [service("W3SVC")]
    with pytest.raises(OptionError, match=r"no service named .*nothing was restarted"):
        machine.restart(services=wanted)
    assert machine.requests == []


def test_service_names_are_not_patterns() -> None:
    machine = Machine()
    machine.windows.services = [service("My_Service"), service("MyXService"), service("My_Other")]
    outcome = machine.restart(services=("My_*",))
    assert outcome.services == ("My_Other", "My_Service"), "an underscore is itself, not any character"


def test_services_that_do_not_start() -> None:
    machine = Machine(services_after=10_000)
    machine.windows.services = [service("MSExchangeIS"), service("W3SVC")]
    with pytest.raises(RestartFailed) as caught:
        machine.restart(services=("*",), timeout=300)
    assert machine.restarter.boot_after == NEW_BOOT, "the restart itself is no failure"
    assert "after 300 seconds these services do not run: MSExchangeIS (Start Pending), W3SVC" in caught.value.message


def test_service_that_is_gone_after_the_restart() -> None:
    machine = Machine()
    machine.windows.services = [service("W3SVC")]
    real = machine.trouble

    def trouble(call: Call) -> Trouble | None:
        if machine.windows.last_boot == NEW_BOOT:
            machine.windows.services.clear()
        return real(call)

    machine.windows.trouble = trouble
    with pytest.raises(RestartFailed, match=r"W3SVC \(missing\)"):
        machine.restart(services=("W3SVC",), timeout=120)


@pytest.mark.parametrize("error", ON_THE_WAY)
def test_host_that_stutters_while_services_start(error: Exception) -> None:
    machine = Machine(services_after=20)
    machine.windows.services = [service("W3SVC")]
    real = machine.trouble

    def trouble(call: Call) -> Trouble | None:
        found = real(call)
        back = machine.windows.last_boot == NEW_BOOT
        return Trouble(error) if back and call.method == "Enumerate" and call.number % 2 else found

    machine.windows.trouble = trouble
    assert machine.restart(services=("W3SVC",)).services == ("W3SVC",)


@pytest.mark.parametrize("name", ["O'Brien", "back\\slash"])
def test_names_are_quoted(name: str) -> None:
    machine = Machine()
    with pytest.raises(OptionError):
        machine.restart(services=(name,))
    (call,) = (call for call in machine.windows.calls if call.method == "Enumerate")
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    assert f"Name='{quoted}'" in str(call.arguments["Filter"][0])
