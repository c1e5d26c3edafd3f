# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Restarts a host and waits until it is really back: one deadline, one proof (the boot time), every stage said."""

from __future__ import annotations

import dataclasses
import datetime
import time
import typing as t

from .._errors import (
    AccessDenied,
    ConnectionLost,
    ExchangeTlsError,
    LoginRefused,
    OperationTimedOut,
    UnexpectedAnswer,
    Unreachable,
    WsmanFault,
)
from .._progress import Progress
from .._text import NAME, utc_text, visible
from .._wire import wmi
from .._wire.session import Session
from . import services as windows_services
from .facts import OperatingSystem, booted_again, read_operating_system, restarted_within
from .services import services_to_wait_for

# Win32Shutdown flags: 2 restarts, 4 ends programs that do not close by themselves (Win32_OperatingSystem).
_RESTART, _FORCE = 2, 4
# SHTDN_REASON_FLAG_PLANNED | MAJOR_APPLICATION | MINOR_MAINTENANCE (winreg.h): what the event log shows
_PLANNED_MAINTENANCE = 0x80040001

SHUTDOWN_IN_PROGRESS = 1115
SHUTDOWN_SCHEDULED = 1190
_REFUSED = {
    5: "the account may not shut the host down; use a member of its Administrators group",
    1314: "the account lacks the privilege to shut the host down from the network",
}

# What a host on its way down or up may answer, or not.
_ON_THE_WAY = (Unreachable, WsmanFault, UnexpectedAnswer)

# How long one question to a host that is on its way up may take, and the pause between two.
_POLL_TIMEOUT = 10.0
_POLL_PAUSE = 2.0
_LONGEST_PAUSE = 60.0
# What the last look at the host may take beyond the deadline, so that one that has just come back is seen.
_GRACE = 3.0
# So many services are named in a message.
_NAMED = 20
# How long a host may go on as if nothing had happened after a request that it did not answer.
_ASK_AGAIN = 60.0
# How long before the request the host may have been looked at.
_LOOKED_BEFORE = 60.0


class RestartFailed(ExchangeTlsError):
    """The host did not come back as it should within the time."""

    kind = "restart_failed"


class RestartRefused(RestartFailed):
    """Windows does not restart for this account; nothing has happened to the host."""

    kind = "restart_refused"


@dataclasses.dataclass(frozen=True)
class HowToRestart:
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

    def run(self, wishes: HowToRestart, before: OperatingSystem | None = None) -> Outcome:
        """Restarts and waits. Raises :class:`RestartFailed` when the deadline passes, with what was seen last."""
        self._started = self._clock()
        deadline = self._started + wishes.timeout
        # until it is asked to restart, the host may take the time that its connection gives it
        self._session.limit(left=wishes.timeout)
        try:
            return self._run(wishes, before, deadline)
        finally:
            self._session.limit()

    def _run(self, wishes: HowToRestart, before: OperatingSystem | None, deadline: float) -> Outcome:
        system = before or read_operating_system(self._session)
        services = services_to_wait_for(self._session, wishes.services)
        if wishes.services and not services:
            self._say(f"no automatic service runs that {', '.join(wishes.services)} stands for; waiting for none")
        if self._clock() >= deadline:
            raise RestartFailed(
                f"Looking for its services took the host longer than {wishes.timeout:.0f} seconds; nothing was "
                "restarted. Raise 'timeout', or try again when the host is less busy."
            )
        answered = self._ask_first(wishes)
        self._say(
            f"restart requested, last boot was {utc_text(system.last_boot)}; waiting for the host to go down "
            f"and come back"
        )
        self.boot_after = boot_after = self._wait_for_boot(system, deadline, wishes, answered)
        self._say(f"is back, booted {utc_text(boot_after)}")
        self._wait_for_services(services, wishes, deadline)
        return Outcome(system.last_boot, boot_after, self.elapsed, services)

    # --- before ----------------------------------------------------------------------------------------------------

    def _ask_first(self, wishes: HowToRestart) -> bool:
        """As :meth:`_ask`. Whatever ends it, a host that has perhaps heard it counts as asked."""
        self.asked = True
        try:
            return self._ask(wishes)
        except (RestartRefused, Unreachable, WsmanFault):
            self.asked = False
            raise

    def _ask(self, wishes: HowToRestart) -> bool:
        """Requests the restart; False where no answer came, so that nobody knows whether the host has heard it."""
        try:
            code = self._shutdown(wishes)
        except AccessDenied as exc:
            raise RestartRefused(f"Windows refused to restart: {exc.message}", **exc.details) from None
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
            cure = _REFUSED.get(code, "see the Win32 error codes")
            raise RestartRefused(
                f"Windows refused to restart: Win32Shutdown returned {code}: {cure}.", return_code=code
            )
        return True

    def _shutdown(self, wishes: HowToRestart) -> int:
        flags = _RESTART + (_FORCE if wishes.force else 0)
        if wishes.comment:
            arguments: dict[str, wmi.CimInput] = {
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

    def _invoke(self, method: str, arguments: t.Mapping[str, wmi.CimInput]) -> int:
        output = wmi.invoke(
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
        self, before: OperatingSystem, deadline: float, wishes: HowToRestart, answered: bool
    ) -> datetime.datetime:
        """Ports prove nothing: only another boot time does, of a Windows that has not been up since before the request;
        a clock that is set moves the boot time alone. Everything else on the way is tolerated.

        A request that was not answered, and after which the host just goes on, is made once more.
        """
        timeout = wishes.timeout
        ask_again = None if answered else self._clock() + _ASK_AGAIN
        seen = "nothing yet"
        refused = 0
        went_down = False
        progress = Progress(self._say, deadline - self._clock(), self._clock)
        while True:
            # a login from before the restart is dead; a fresh one each time costs little at this pace
            self._session.channel.reconnect()
            self._limit(deadline)
            try:
                system = read_operating_system(self._session)
            except _ON_THE_WAY as exc:
                seen = exc.message
                refused += isinstance(exc, LoginRefused)
                went_down = True
                progress.now("is going down")
            else:
                # where it was seen to go down, how long it has been up does not count: clocks are set at the start
                again = booted_again(before.last_boot, system.last_boot)
                if (again and went_down) or restarted_within(before, system, self.elapsed + _LOOKED_BEFORE):
                    return system.last_boot
                seen = f"it answers and still runs since {utc_text(before.last_boot)}"
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

    def _wait_for_services(self, names: tuple[str, ...], wishes: HowToRestart, deadline: float) -> None:
        if not names:
            return
        more = {0: "", 1: " and 1 more service"}.get(len(names) - 1, f" and {len(names) - 1} more services")
        progress = Progress(self._say, deadline - self._clock(), self._clock)
        while True:
            progress.now(f"waiting for {visible(names[0], NAME)}{more}")
            self._limit(deadline)
            try:
                found = windows_services.find(self._session, wishes.services)
            except _ON_THE_WAY as exc:
                self._session.channel.reconnect()
                waiting = [f"(no answer: {exc.message.rstrip('.')})"]
            else:
                states = {name: found[name.lower()].state if name.lower() in found else "missing" for name in names}
                waiting = [visible(f"{name} ({state})", NAME) for name, state in states.items() if state != "Running"]
            if not waiting:
                return
            self._pause(
                deadline,
                f"The host is back, but after {wishes.timeout:.0f} seconds these services do not run: "
                f"{_some(waiting)}. Start them or look at the event log; then run the play again: it restarts the "
                "host once more.",
            )

    def _limit(self, deadline: float) -> None:
        """No question outlives the deadline by much; a lost one is asked twice."""
        left = max(0.0, deadline - self._clock())
        self._session.limit(min(_POLL_TIMEOUT, max(1.0, left / 2)), left + _GRACE)

    def _pause(self, deadline: float, failure: str, pause: float = _POLL_PAUSE) -> None:
        left = deadline - self._clock()
        if left <= 0:
            raise RestartFailed(failure)
        self._sleep(min(pause, left))


def _some(items: list[str]) -> str:
    more = len(items) - _NAMED
    return ", ".join(items[:_NAMED]) + (f" and {more} more" if more > 0 else "")
