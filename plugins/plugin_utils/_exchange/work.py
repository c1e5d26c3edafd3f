# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What taking a server out of service and bringing it back are done with, and the small steps that both are made of."""

from __future__ import annotations

import dataclasses
import datetime
import time
import typing as t

from .._errors import ExchangeTlsError, HostBusy
from .._progress import Progress
from .._windows.cluster import PAUSED, QUARANTINED, UP, cleared
from . import before as befores
from . import view
from .before import REQUESTER, Before
from .component_states import Component, Components
from .copies import Copy, of_record
from .readiness import Remark
from .shell import Shell
from .wishes import Wishes

# Seconds between two looks: little at first, as most things are done at once.
POLL = 5.0
_FIRST = 0.5
_NAMED = 5
# Seconds between two signs of life; and how long after a record the mark of its maintenance is set.
_SIGN = 60.0
_MARKED_WITHIN = datetime.timedelta(hours=2)

_JOINED = frozenset({UP, PAUSED})


class NotReady(ExchangeTlsError):
    """Something is in the way; nothing was changed."""

    kind = "not_ready"


class AtWork(ExchangeTlsError):
    """Another run has this server in maintenance."""

    kind = "another_run"


class AnotherMember(ExchangeTlsError):
    """Another member of the DAG is out of service, or on its way."""

    kind = "another_member"


class MaintenanceFailed(ExchangeTlsError):
    """A step did not come to its end. ``steps``: what was changed before; ``back``: whether it serves again."""

    kind = "maintenance_failed"


class NotAsBefore(MaintenanceFailed):
    """It serves again, and not all is as it was; nothing of the maintenance is left to be ended."""


class Node(t.Protocol):
    """The cluster node of the server."""

    def state(self) -> str | None:
        """``up``, ``paused`` and so on; None where the cluster does not tell."""

    def pause(self) -> None:
        """It takes no group over; those it has leave it."""

    def resume(self) -> None:
        """It takes groups over again; none is moved to it."""


class Host(t.Protocol):
    """The server itself, as Windows shows it."""

    @property
    def node(self) -> Node | None:
        """None where it is in no cluster."""

    def running(self) -> tuple[str, ...]:
        """The names of Exchange's services that run."""

    def restart_transport(self) -> None:
        """Stops transport and starts it."""

    def answers_on_port_25(self) -> bool:
        """Whether an SMTP server greets there."""


class Memory(t.Protocol):
    """Where it is kept how the server was."""

    def recall(self) -> Before | None:
        """What the server itself keeps; None for nothing."""

    def recall_elsewhere(self) -> Before | None:
        """What is kept in another place; it may be of a maintenance that somebody else has ended since."""

    def remember(self, before: Before) -> None:
        """Keeps it; raises where it cannot be kept."""

    def forget(self) -> None:
        """No error where there is nothing."""


@dataclasses.dataclass(frozen=True)
class Means:
    """``now``: the time for people. ``by``: which run this is. ``at_work``: the run that a record is of, for people,
    where it is another one and lives; None where it has ended, or where nobody can tell. ``say``: a line of progress.
    ``sleep`` and ``clock`` are there for tests."""

    shell: Shell
    memory: Memory
    host: Host
    now: t.Callable[[], str]
    by: t.Mapping[str, t.Any]
    at_work: t.Callable[[Before], str | None] = lambda _before: None
    say: t.Callable[[str], None] = lambda _line: None
    sleep: t.Callable[[float], None] = time.sleep
    clock: t.Callable[[], float] = time.monotonic


@dataclasses.dataclass
class Work:
    """One server, and what was done with it. ``steps``: what was changed, in its order. ``remarks``: what people should
    know. ``obstacles``: what is in the way. ``is_stale``: whether there is a record that counts for nothing.
    ``last_copies``: what :meth:`copies` has told last. All are true at any time."""

    name: str
    means: Means
    wishes: Wishes
    before: Before | None = None
    steps: list[str] = dataclasses.field(default_factory=list)
    remarks: list[Remark] = dataclasses.field(default_factory=list)
    obstacles: tuple[Remark, ...] = ()
    is_stale: bool = False
    last_copies: tuple[Copy, ...] = ()
    _seen: float = 0.0

    def remembered(self, components: Components) -> Before | None:
        """How the server was, None where it is not in maintenance by this collection, which ``components`` show.

        A record of which nothing is left is of a maintenance that never began, or that somebody has ended; it counts
        only while transport still has to be restarted. One that the server itself does not have counts only where the
        mark is of its time: it may be of another maintenance. Raises :class:`AtWork`.
        """
        found = self.means.memory.recall()
        if found is not None and (other := self.means.at_work(found)):
            raise _at_work(found, other)
        is_marked, since = befores.marked_at(components)
        if found is not None:
            if is_marked or found.owed or self.is_left(found, components):
                self.before = found
            else:
                self.is_stale = True
                told = f"The record of a maintenance of {found.at} was left over; nothing of it was in effect any more."
                self.remarks.append(Remark("server.record", told))
            return self.before
        elsewhere = self.means.memory.recall_elsewhere()
        if elsewhere is not None and is_marked and _is_of_its_time(elsewhere, since):
            told = f"The server has no record of its maintenance any more; the one of {elsewhere.at} counts."
            self.remarks.append(Remark("server.record", told))
            self.before = elsewhere
        elif elsewhere is not None and not is_marked:
            # of a run that was cut off before it began: a later mark is not of that
            self.is_stale = True
        return self.before

    def is_left(self, before: Before, components: Components) -> bool:
        """Whether anything of a maintenance is still there: a word, a policy that sends databases away, a paused node.
        The last two are asked about only where no component tells."""
        if before.left_in(components):
            return True
        can_tell = before.policy is not None and not befores.sends_away(before.policy, before.move_now)
        if can_tell and befores.sends_away(*view.activation(self.means.shell, before.fqdn, before.directory)):
            return True
        node = self.means.host.node
        return node is not None and before.node != PAUSED and node.state() == PAUSED

    def remember(self, before: Before) -> None:
        """Keeps it, as this run's. Raises :class:`AtWork` where another run has done so at the same time."""
        mine = dataclasses.replace(before, by=self.means.by, seen=self.means.now())
        self._seen = self.means.clock()
        self.means.memory.remember(mine)
        self.before = mine
        self.still_ours()

    def still_ours(self) -> None:
        """Raises :class:`AtWork` where another run has taken the server over, or has brought it back."""
        found = self.means.memory.recall()
        if found is None:
            raise AtWork(f"{self.name} was brought back into service by another run meanwhile; this one has ended.")
        if found.by != self.means.by:
            raise _at_work(found, self.means.at_work(found) or "at this moment")

    def _show_life(self) -> None:
        """Lets other controllers see that this run is at work."""
        if self.before is not None and self.before.by == self.means.by and self.means.clock() - self._seen >= _SIGN:
            self.still_ours()
            self.remember(self.before)

    def change(self, what: str, cmdlet: str, **parameters: t.Any) -> None:
        """A cmdlet that changes something. Counted before it is known to have been carried out."""
        self.steps.append(what)
        self.means.say(what)
        self.means.shell.change(cmdlet, **parameters)

    def word(self, component: Component, state: str, fqdn: str) -> None:
        """Lets the requester Maintenance ask for a state, unless it does; whatever others have asked for stays."""
        entry = component.asked(REQUESTER)
        if entry is None or entry.state != state:
            self.mark(component, state, fqdn)

    def mark(self, component: Component, state: str, fqdn: str) -> None:
        """As :meth:`word`, also where it seems to have asked for that already."""
        self.change(
            f"{component.name} is {state} for {REQUESTER}",
            "Set-ServerComponentState",
            Identity=fqdn,
            Component=component.name,
            State=state,
            Requester=REQUESTER,
        )

    def restart_transport(self, why: str) -> None:
        what = f"transport was restarted, {why}"
        self.steps.append(what)
        self.means.say(f"restarts transport, {why}")
        self.means.host.restart_transport()

    def components(self, fqdn: str) -> Components:
        return view.components(self.means.shell, fqdn, self.name)

    def copies(self, server: str) -> list[Copy]:
        found = self.means.shell.read("Get-MailboxDatabaseCopyStatus", Server=server)
        self.last_copies = tuple(map(of_record, found))
        return list(self.last_copies)

    def joined(self) -> str | None:
        """The state of the cluster node, up or paused, once it has joined its cluster; None for a server without one.
        After a restart that takes a while, in which it is neither."""
        node = self.means.host.node
        if node is None:
            return None
        seen: list[str | None] = []

        def away() -> list[str]:
            seen[:] = [node.state()]
            if seen[0] == QUARANTINED:
                return [f"it is {QUARANTINED} ({cleared(self.name)})"]
            return [] if seen[0] in _JOINED else [seen[0] or "the cluster does not tell"]

        self.until_empty("its cluster node to join", away, f"Get-ClusterNode {self.name}")
        return seen[0]

    def until_empty(self, what: str, left: t.Callable[[], t.Sequence[str]], shown: str = "") -> None:
        """Waits until nothing is ``left``, as long as there is progress. Raises :class:`MaintenanceFailed`.

        ``left``: what is still to go; that it looks otherwise than before is progress. A host that is busy tells later.
        ``shown``: the command that shows why it does not go.
        """
        begun = since = self.means.clock()
        pause = _FIRST
        progress = Progress(self.means.say, self.wishes.longest, self.means.clock)
        last: t.Sequence[str] | None = None
        while found := _told(left):
            now = self.means.clock()
            if found != last:
                last, since = found, now
            progress.now(f"waits for {what}: {listed(found)}")
            if now - since >= self.wishes.stalled or now - begun >= self.wishes.longest:
                is_stalled = now - since >= self.wishes.stalled
                why = "without any progress ('no_progress_timeout')" if is_stalled else "in all ('timeout')"
                waited = now - (since if is_stalled else begun)
                more = f" {shown} shows why." if shown else ""
                raise MaintenanceFailed(
                    f"Waiting for {what} came to no end, {waited:.0f} seconds {why}: {listed(found)}.{more}",
                    left=list(found),
                )
            self.pause(pause)
            pause = min(POLL, 2 * pause)

    def pause(self, seconds: float) -> None:
        """Waits, and is seen to."""
        self._show_life()
        self.means.sleep(seconds)


def _told(left: t.Callable[[], t.Sequence[str]]) -> t.Sequence[str]:
    try:
        return left()
    except HostBusy as exc:
        return [exc.message.rstrip(".")]


def listed(items: t.Sequence[str]) -> str:
    """The first few."""
    more = len(items) - _NAMED
    return ", ".join(items[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _is_of_its_time(before: Before, since: datetime.datetime | None) -> bool:
    """Whether a mark was set soon after a record was written. Both clocks are the host's, or of its domain."""
    at = befores.moment_of(before.at)
    return at is not None and since is not None and abs(since - at) <= _MARKED_WITHIN


def _at_work(before: Before, other: str) -> AtWork:
    return AtWork(
        f"{before.server} is in maintenance by another run since {before.at} ({other}). Wait until that has ended."
    )
