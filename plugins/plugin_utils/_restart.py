# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Restarts a host and waits until it is really back: one deadline, one proof (the boot time), every stage said."""

from __future__ import annotations

import dataclasses
import datetime
import re
import time
import typing as t

from . import _wmi
from ._errors import (
    AccessDenied,
    ConnectionLost,
    ExchangeTlsError,
    LoginRefused,
    OperationTimedOut,
    OptionError,
    UnexpectedAnswer,
    Unreachable,
    WsmanFault,
)
from ._windows import OperatingSystem, booted_again, read_operating_system, utc_text
from ._wsman import Session

# Win32Shutdown flags: 2 restarts, 4 ends programs that do not close by themselves (Win32_OperatingSystem).
_RESTART, _FORCE = 2, 4
# SHTDN_REASON_FLAG_PLANNED | MAJOR_APPLICATION | MINOR_MAINTENANCE (winreg.h): what the event log shows
_PLANNED_MAINTENANCE = 0x80040001

SHUTDOWN_IN_PROGRESS = 1115
SHUTDOWN_SCHEDULED = 1190

# What a host on its way down or up may answer, or not.
_ON_THE_WAY = (Unreachable, WsmanFault, UnexpectedAnswer)

# How long one question to a host that is on its way up may take, and the pause between two.
_POLL_TIMEOUT = 10.0
_POLL_PAUSE = 2.0
_LONGEST_PAUSE = 60.0
# How long a host may go on as if nothing had happened after a request that it did not answer.
_ASK_AGAIN = 60.0


@dataclasses.dataclass(frozen=True)
class _Service:
    name: str
    start_mode: str
    state: str


class RestartFailed(ExchangeTlsError):
    """The host did not come back as it should within the time."""

    kind = "restart_failed"


@dataclasses.dataclass(frozen=True)
class Wishes:
    """How to restart. ``services``: names and patterns (with ``*``) of services to wait for."""

    timeout: float  # seconds for everything: going down, coming back, services
    services: tuple[str, ...] = ()
    comment: str | None = None
    force: bool = True


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Times are aware and in UTC; ``elapsed`` in seconds."""

    boot_before: datetime.datetime
    boot_after: datetime.datetime
    elapsed: float
    services: tuple[str, ...]


class Restarter:
    """One restart of one host. ``say`` gets a sentence at each stage; ``sleep`` and ``clock`` are there for tests.

    ``asked``: the host was told to restart and did not refuse, so that it may restart whatever happens next.
    ``boot_after``: when it was back, also where waiting for its services fails.
    """

    def __init__(
        self,
        session: Session,
        say: t.Callable[[str], None],
        sleep: t.Callable[[float], None] = time.sleep,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._say = say
        self._sleep = sleep
        self._clock = clock
        self._started = clock()
        self.asked = False
        self.boot_after: datetime.datetime | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the restart was wanted."""
        return self._clock() - self._started

    def run(self, wishes: Wishes, before: OperatingSystem | None = None) -> Outcome:
        """Restarts and waits. Raises :class:`RestartFailed` when the deadline passes, with what was seen last."""
        self._started = self._clock()
        deadline = self._started + wishes.timeout
        system = before or read_operating_system(self._session)
        services = self._services_to_wait_for(wishes.services)
        answered = self._ask(wishes)
        self.asked = True
        self._say(
            f"restart requested, last boot was {utc_text(system.last_boot)}; waiting for the host to go down "
            f"and come back"
        )
        self.boot_after = boot_after = self._wait_for_boot(system.last_boot, deadline, wishes, answered)
        self._say(f"is back, booted {utc_text(boot_after)}")
        self._wait_for_services(services, deadline, wishes.timeout)
        return Outcome(system.last_boot, boot_after, self.elapsed, services)

    # --- before ----------------------------------------------------------------------------------------------------

    def _services_to_wait_for(self, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """The services behind names and patterns. A pattern stands for automatic services that run now: one that an
        administrator has stopped is not expected to run afterwards. A name must exist."""
        found = self._services(wanted)
        named = {name.lower() for name in wanted if not _is_pattern(name)}
        unknown = [name for name in wanted if name.lower() in named and name.lower() not in found]
        if unknown:
            raise OptionError(
                f"The host has no service named {', '.join(unknown)}; nothing was restarted. 'services' takes service "
                "names (as 'sc query' shows them), not display names."
            )
        return tuple(
            sorted(
                service.name
                for folded, service in found.items()
                if folded in named or (service.start_mode == "Auto" and service.state == "Running")
            )
        )

    def _ask(self, wishes: Wishes) -> bool:
        """Requests the restart; False where no answer came, so that nobody knows whether the host has heard it."""
        try:
            code = self._shutdown(wishes)
        except (ConnectionLost, OperationTimedOut) as exc:
            # a forced restart may cut its own answer off; whether it happened is seen from the boot time
            self._say(
                f"the restart request was not answered ({exc.message.rstrip('.')}); watching whether the host restarts"
            )
            return False
        if code == SHUTDOWN_IN_PROGRESS:
            self._say("a shutdown is already in progress; waiting for it")
        elif code == SHUTDOWN_SCHEDULED:
            self._say("a shutdown is already scheduled; waiting for it ('shutdown /a' on the host would cancel it)")
        elif code != 0:
            cure = {
                5: "the account may not shut the host down; use a member of its Administrators group",
                1314: "the account lacks the privilege to shut the host down from the network",
            }.get(code, "see the Win32 error codes")
            raise RestartFailed(f"Windows refused to restart: Win32Shutdown returned {code}: {cure}.", return_code=code)
        return True

    def _shutdown(self, wishes: Wishes) -> int:
        flags = _RESTART + (_FORCE if wishes.force else 0)
        if wishes.comment:
            arguments: dict[str, _wmi.CimInput] = {
                "Timeout": 0,
                "Comment": wishes.comment,
                "ReasonCode": _PLANNED_MAINTENANCE,
                "Flags": flags,
            }
            try:
                return self._invoke("Win32ShutdownTracker", arguments)
            except AccessDenied:
                raise
            except WsmanFault as exc:
                if isinstance(exc, OperationTimedOut):
                    raise
                # not proven to work on every Windows over WS-Management; the plain call is
                self._say(f"the restart with a comment was refused ({exc.message.rstrip('.')}); restarting without")
        return self._invoke("Win32Shutdown", {"Flags": flags, "Reserved": 0})

    def _invoke(self, method: str, arguments: t.Mapping[str, _wmi.CimInput]) -> int:
        output = _wmi.invoke(
            self._session,
            "Win32_OperatingSystem",
            method,
            arguments,
            doing=f"requesting the restart ({method})",
            repeatable=False,
        )
        return output.integer("ReturnValue") or 0

    # --- after -----------------------------------------------------------------------------------------------------

    def _wait_for_boot(
        self, before: datetime.datetime, deadline: float, wishes: Wishes, answered: bool
    ) -> datetime.datetime:
        """Ports prove nothing: only another boot time does. Everything else on the way is tolerated.

        A request that was not answered, and after which the host just goes on, is made once more.
        """
        timeout = wishes.timeout
        ask_again = None if answered else self._clock() + _ASK_AGAIN
        seen = "nothing yet"
        refused = 0
        went_down = False
        while True:
            # a login from before the restart is dead; a fresh one each time costs little at this pace
            self._session.channel.reconnect()
            self._limit(deadline)
            try:
                last_boot = read_operating_system(self._session).last_boot
            except _ON_THE_WAY as exc:
                seen = exc.message
                refused = refused + 1 if isinstance(exc, LoginRefused) else 0
                if not went_down:
                    went_down = True
                    self._say("is going down")
            else:
                if booted_again(before, last_boot):
                    return last_boot
                seen = f"it answers and still runs since {utc_text(before)}"
                if ask_again is not None and not went_down and self._clock() >= ask_again:
                    ask_again = None
                    self._say("has not gone down; requesting the restart once more")
                    self._ask(wishes)
            self._pause(
                deadline,
                f"The host was told to restart but has not come back within {timeout:.0f} seconds. Last seen: "
                f"{seen.rstrip('.')}. Look at its console; when it is up again, run the play again: it goes on where "
                "it stopped.",
                # a password that is wrong by now must not lock the account out
                min(_POLL_PAUSE * 2**refused, _LONGEST_PAUSE),
            )

    def _wait_for_services(self, names: tuple[str, ...], deadline: float, timeout: float) -> None:
        if not names:
            return
        more = {0: "", 1: " and 1 more service"}.get(len(names) - 1, f" and {len(names) - 1} more services")
        self._say(f"waiting for {names[0]}{more}")
        while True:
            self._limit(deadline)
            try:
                found = self._services(names)
            except _ON_THE_WAY as exc:
                self._session.channel.reconnect()
                waiting = [f"(no answer: {exc.message.rstrip('.')})"]
            else:
                states = {name: found[name.lower()].state if name.lower() in found else "missing" for name in names}
                waiting = [f"{name} ({state})" for name, state in states.items() if state != "Running"]
            if not waiting:
                return
            self._pause(
                deadline,
                f"The host is back, but after {timeout:.0f} seconds these services do not run: {', '.join(waiting)}. "
                "Start them or look at the event log; then run the play again: it restarts the host once more.",
            )

    def _services(self, names: t.Sequence[str]) -> dict[str, _Service]:
        """The services that names and patterns stand for, by lower-case name (one request, none for no names)."""
        if not names:
            return {}
        where = " OR ".join(
            f"Name LIKE '{_quoted(name).replace('*', '%')}'" if _is_pattern(name) else f"Name='{_quoted(name)}'"
            for name in names
        )
        wql = f"SELECT * FROM Win32_Service WHERE {where}"  # noqa: S608 - WQL, read-only, quoted
        services = [
            _Service(item.string("Name") or "", item.string("StartMode") or "", item.string("State") or "")
            for item in _wmi.query(self._session, wql)
        ]
        # LIKE has wildcards of its own (_ for any character), which are not meant
        return {service.name.lower(): service for service in services if _is_meant(service.name, names)}

    def _limit(self, deadline: float) -> None:
        """No question outlives the deadline by much; a lost one is asked twice."""
        self._session.channel.limit(min(_POLL_TIMEOUT, max(1.0, (deadline - self._clock()) / 2)))

    def _pause(self, deadline: float, failure: str, pause: float = _POLL_PAUSE) -> None:
        left = deadline - self._clock()
        if left <= 0:
            raise RestartFailed(failure)
        self._sleep(min(pause, left))


def _is_pattern(name: str) -> bool:
    return "*" in name


def _is_meant(service: str, names: t.Iterable[str]) -> bool:
    expressions = (".*".join(map(re.escape, name.split("*"))) for name in names)
    return any(re.fullmatch(expression, service, re.IGNORECASE) for expression in expressions)


def _quoted(name: str) -> str:
    """A name inside a WQL string literal."""
    return name.replace("\\", "\\\\").replace("'", "\\'")
