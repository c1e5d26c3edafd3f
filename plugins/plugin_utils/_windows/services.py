# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The services of a host, by names and by patterns with ``*``."""

from __future__ import annotations

import dataclasses
import re
import time
import typing as t

from .._errors import ExchangeTlsError, OptionError
from .._text import NAME, visible
from .._wire import wmi
from .._wire.session import Session

# Stands for no service on a host without Exchange, and that is no mistake.
_DEFAULT = "msexchange*"
# Windows refuses queries that are too complex; beyond this all services are read.
_MOST_CONDITIONS = 20


@dataclasses.dataclass(frozen=True)
class Service:
    """What Win32_Service says of one."""

    name: str
    start_mode: str
    state: str

    def as_result(self) -> dict[str, str]:
        return {"start_mode": self.start_mode, "state": self.state}


class _Wanted:
    """Names and patterns, as one question that takes the same time for any number of them."""

    def __init__(self, wanted: t.Iterable[str]) -> None:
        self.terms = tuple(term.strip() for term in wanted)
        self.patterns = tuple(term for term in self.terms if "*" in term)
        self.names = {term.lower(): term for term in self.terms if "*" not in term}
        self._expressions = {pattern: _expression(pattern) for pattern in self.patterns}

    def is_meant(self, service: str) -> bool:
        return service.lower() in self.names or any(item.fullmatch(service) for item in self._expressions.values())

    def without_service(self, services: t.Collection[str]) -> list[str]:
        """The patterns that none of these services fits."""
        return [
            pattern for pattern, expression in self._expressions.items() if not any(map(expression.fullmatch, services))
        ]


def services_to_wait_for(session: Session, wanted: t.Sequence[str]) -> tuple[str, ...]:
    """The services behind names and patterns (one request, none for no names).

    A pattern stands for automatic services that run now: one that an administrator has stopped is not expected to run
    after a restart. A name must exist, and a pattern other than the default must fit some service; otherwise
    :class:`OptionError` is raised.
    """
    if not all(term.strip() for term in wanted):
        raise OptionError("'services' holds a blank name. Leave it out; an empty list waits for no service.")
    asked = _Wanted(wanted)
    found = find(session, wanted)
    problems = []
    unknown = [name for folded, name in asked.names.items() if folded not in found]
    if unknown:
        problems.append(f"The host has no service named {_listed(unknown)}")
    names = [service.name for service in found.values()]
    idle = [pattern for pattern in asked.without_service(names) if pattern.lower() != _DEFAULT]
    if idle:
        problems.append(f"The host has no service that fits the pattern {_listed(idle)}")
    if problems:
        raise OptionError(
            f"{'. '.join(problems)}; nothing was restarted. 'services' takes service names (as 'sc query' shows "
            "them), not display names, and patterns of them with *."
        )
    return tuple(
        sorted(
            service.name
            for folded, service in found.items()
            if folded in asked.names or (service.start_mode == "Auto" and service.state == "Running")
        )
    )


class ServiceFailed(ExchangeTlsError):
    """A service did not stop or start as it was told."""

    kind = "service_failed"


# Win32_Service.StopService and StartService: done, and not needed.
_DONE = 0
_NOT_RUNNING, _RUNS_ALREADY = 6, 10
_BUSY = 5  # it is stopping or starting just now
_REFUSED = {
    2: "the account may not do that",
    3: "other services that run depend on it",
    7: "it did not answer in time",
    14: "it is disabled",
}
# Seconds between two looks: little at first.
_FIRST_PAUSE, _PAUSE = 0.5, 4.0


def restart(
    session: Session,
    name: str,
    seconds: float,
    *,
    sleep: t.Callable[[float], None] = time.sleep,
    clock: t.Callable[[], float] = time.monotonic,
) -> None:
    """Stops a service and starts it, and sees that it runs, so many seconds for each. No error where there is no such
    service, and one that is disabled is not stopped. Raises :class:`ServiceFailed`."""
    is_there = find(session, [name]).get(name.lower())
    if is_there is None:
        return
    if is_there.start_mode == "Disabled":
        # it would stop, and could not be started again
        raise ServiceFailed(
            f"The service {name} is not restarted: it is disabled, and {is_there.state.lower()} now. Set how it starts "
            f"(sc config {name} start= auto) first."
        )
    steps = (("stop", "StopService", "Stopped", _NOT_RUNNING), ("start", "StartService", "Running", _RUNS_ALREADY))
    for verb, method, wanted, enough in steps:
        ends, pause = clock() + seconds, _FIRST_PAUSE
        while True:
            code = _tell(session, name, verb, method)
            if code not in (_DONE, enough, _BUSY):
                raise ServiceFailed(
                    f"The service {name} does not {verb}: {_REFUSED.get(code, 'see Win32_Service')} ({code})."
                )
            found = find(session, [name]).get(name.lower())
            if found is not None and found.state == wanted:
                break
            if clock() >= ends:
                state = found.state if found else "gone"
                raise ServiceFailed(
                    f"The service {name} was told to {verb}, and is {state} after {seconds:.0f} seconds."
                )
            sleep(pause)
            pause = min(_PAUSE, 2 * pause)


def _tell(session: Session, name: str, verb: str, method: str) -> int:
    output = wmi.invoke(
        session,
        "Win32_Service",
        method,
        {},
        selectors={"Name": name},
        doing=f"telling the service {name} to {verb}",
        # told twice, it says that it does so already
        repeatable=True,
    )
    return output.integer("ReturnValue") or _DONE


def find(session: Session, wanted: t.Sequence[str]) -> dict[str, Service]:
    """The services that names and patterns stand for, by lower-case name (one request, none for no names)."""
    asked = _Wanted(wanted)
    if not asked.terms:
        return {}
    wql = f"SELECT * FROM Win32_Service{_condition(asked)}"  # noqa: S608 - WQL, read-only, quoted
    services = [
        Service(item.string("Name") or "", item.string("StartMode") or "", item.string("State") or "")
        for item in wmi.query(session, wql)
    ]
    return {service.name.lower(): service for service in services if asked.is_meant(service.name)}


def _condition(asked: _Wanted) -> str:
    """Finds all that is meant, and perhaps more."""
    if len(asked.terms) > _MOST_CONDITIONS:
        return ""
    # what LIKE might take for one of its own signs is any text to it
    likes = [re.sub("[^A-Za-z0-9 .$-]+", "%", pattern) for pattern in asked.patterns]
    terms = [f"Name={wmi.literal(name)}" for name in asked.names.values()] + [f"Name LIKE '{like}'" for like in likes]
    return f" WHERE {' OR '.join(terms)}"


def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, re.split(r"\*+", pattern))), re.IGNORECASE | re.DOTALL)


def _listed(names: t.Iterable[str]) -> str:
    return visible(", ".join(names), 4 * NAME)
