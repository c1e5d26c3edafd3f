# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""How a server was before it was taken out of service: what is put back exactly, whoever comes back to it. Pure.

It is written before the first change and removed after the last, and never written anew while it is there: a second run
must not take the marks of the first one for how things were.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import typing as t

from .._errors import ExchangeTlsError
from .._windows.facts import as_utc
from .component_states import (
    ACTIVE,
    HUB_TRANSPORT,
    SERVER_WIDE_OFFLINE,
    UM_CALL_ROUTER,
    UNKNOWN,
    Component,
    Components,
)
from .readiness import BLOCKED
from .view import View

#: Who marks. What other requesters have said is theirs.
REQUESTER = "Maintenance"
#: What is marked, and given back. The call router is there up to 2016.
COMPONENTS = (HUB_TRANSPORT, UM_CALL_ROUTER, SERVER_WIDE_OFFLINE)
_VERSION = 1
_LISTS = ("services", "alone", "inactive", "copies", "mounted", "dismounted", "unable")
_MAY_BE_NULL = ("inactive", "copies")


class RecordUnreadable(ExchangeTlsError):
    """The record of how a server was before is there and cannot be read."""

    kind = "record_unreadable"


@dataclasses.dataclass(frozen=True)
class Before:
    """``at``: when; ``seen``: the last sign of the run that has it out; both by the host's clock. ``by``: that run, as
    whoever wrote it knows it again. ``words``: what the requester Maintenance had asked of each component that the
    server has, None for nothing. ``policy`` and ``move_now``: None for a server without mailboxes; ``directory``: the
    domain controller that told them, None where Exchange does not say. ``node``: the state of its cluster node, None
    for none. ``services``: those of Exchange that ran. ``banner``: whether port 25 answered. ``queues``: whether
    transport told its queues. ``alone``: databases that were mounted there and have no copy elsewhere. ``not_healthy``:
    databases whose copy there was not healthy, with its state: suspended ones stay so. ``owed``: whether transport is
    still to be restarted so that it takes mail again. ``inactive``: other components that were not Active on somebody's
    word; ``copies``: all databases with a copy there; both None where it was not looked at. ``mounted``: databases
    that were mounted there and have a copy elsewhere; ``dismounted``: those that were active there, and not mounted.
    ``unable``: those whose copy there could not take over, as one that lags on purpose."""

    server: str
    fqdn: str
    at: str
    seen: str
    by: t.Mapping[str, t.Any]
    words: t.Mapping[str, str | None]
    policy: str | None = None
    move_now: bool | None = None
    directory: str | None = None
    node: str | None = None
    services: tuple[str, ...] = ()
    banner: bool = False
    queues: bool = False
    alone: tuple[str, ...] = ()
    owed: bool = False
    inactive: tuple[str, ...] | None = None
    copies: tuple[str, ...] | None = None
    mounted: tuple[str, ...] = ()
    dismounted: tuple[str, ...] = ()
    unable: tuple[str, ...] = ()
    not_healthy: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    def word(self, component: str) -> str:
        """What the requester Maintenance is to say of a component again. An entry cannot be removed; Active is what
        having asked for nothing means."""
        return self.words.get(component) or ACTIVE

    def differs(self, component: Component) -> bool:
        """Whether the requester Maintenance says something else of a component than before."""
        entry = component.asked(REQUESTER)
        return entry is not None and entry.state != self.word(component.name)

    def left_in(self, components: Components) -> tuple[str, ...]:
        """The components that still have the word of this maintenance."""
        return tuple(name for name in COMPONENTS if name in components and self.differs(components[name]))

    def to_text(self) -> str:
        return json.dumps({"version": _VERSION, **dataclasses.asdict(self)}, sort_keys=True)

    def as_result(self) -> dict[str, t.Any]:
        lists = {name: list(value) for name in _LISTS if (value := getattr(self, name)) is not None}
        return {**dataclasses.asdict(self), **lists}


def words(components: Components) -> dict[str, str | None]:
    """What the requester Maintenance has asked of each component that it marks."""
    found: dict[str, str | None] = {}
    for name in COMPONENTS:
        component = components.get(name)
        if component is not None:
            entry = component.asked(REQUESTER)
            found[component.name] = None if entry is None else entry.state
    return found


def marked(components: Components) -> tuple[str, ...]:
    """The components that are held by the requester Maintenance, each with its state."""
    return tuple(f"{name} is {state}" for name, state in words(components).items() if state not in (None, ACTIVE))


def inactive(components: Components) -> tuple[str, ...]:
    """The components that are not Active on somebody else's word: nothing is done about them, but people should know
    which of them are so only since. Of those that are marked here, the word of others alone counts."""
    marked = {name.casefold() for name in COMPONENTS}
    return tuple(item.name for item in components.not_active if item.name.casefold() not in marked or _is_theirs(item))


def _is_theirs(component: Component) -> bool:
    others = [name for name in component.held_by if name.casefold() != REQUESTER.casefold()]
    return bool(others) or component.state == UNKNOWN


def marked_at(components: Components) -> tuple[bool, datetime.datetime | None]:
    """Whether the server has the mark of a maintenance, which is set first and given back last, and since when; None
    where that is unsure."""
    hub = components.get(HUB_TRANSPORT)
    entry = None if hub is None else hub.asked(REQUESTER)
    if entry is None or entry.state == ACTIVE:
        return False, None
    return True, entry.moment


def shown(
    said: t.Mapping[str, str | None], policy: str | None, move_now: bool | None, node: str | None
) -> dict[str, t.Any]:
    """For the diff: what of a server a maintenance changes."""
    activation = {} if policy is None else {"activation_policy": policy, "move_now": move_now}
    return {**said, **activation, **({} if node is None else {"cluster_node": node})}


def of(
    seen: View,
    *,
    at: str,
    by: t.Mapping[str, t.Any],
    node: str | None,
    services: t.Iterable[str] = (),
    banner: bool = False,
) -> Before:
    """How a server is now."""
    return Before(
        server=seen.server.name,
        fqdn=seen.server.fqdn,
        at=at,
        seen=at,
        by=by,
        words=words(seen.components),
        policy=seen.server.policy,
        move_now=seen.server.move_now,
        directory=seen.server.directory,
        node=node,
        services=tuple(services),
        banner=banner,
        queues=bool(seen.queues),
        inactive=inactive(seen.components),
        alone=tuple(item.database for item in seen.copies if item.is_mounted and not seen.elsewhere(item)),
        copies=tuple(item.database for item in seen.copies),
        mounted=tuple(item.database for item in seen.copies if item.is_mounted and seen.elsewhere(item)),
        dismounted=tuple(item.database for item in seen.copies if item.is_left_alone),
        unable=tuple(item.database for item in seen.copies if not item.active and item.wrong(item) is not None),
        not_healthy={item.database: item.status for item in seen.copies if not item.is_fine},
    )


def sends_away(policy: str | None, move_now: bool | None) -> bool:
    """Whether databases leave a server and none comes: Blocked alone moves nothing, and MoveNow alone lets them come
    back."""
    return (policy or "").casefold() == BLOCKED.casefold() and bool(move_now)


def moment_of(text: str) -> datetime.datetime | None:
    """A time of a record; None for what is none. A server is brought back all the same."""
    try:
        return as_utc(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")))
    except (ValueError, OverflowError):
        return None


def _check(found: Before) -> None:
    """Raises TypeError for a field that is of another kind than what is written."""
    texts = (found.server, found.fqdn, found.at, found.seen)
    may_be_null = (found.policy, found.directory, found.node, *found.words.values())
    lists = [getattr(found, name) or () for name in _LISTS]
    names = (*(name for some in lists for name in some), *found.words)
    names = (*names, *found.not_healthy, *found.not_healthy.values())
    flags = (found.banner, found.queues, found.owed, *(() if found.move_now is None else (found.move_now,)))
    of_kind = (
        all(isinstance(item, str) for item in (*texts, *names))
        and all(item is None or isinstance(item, str) for item in may_be_null)
        and all(isinstance(item, bool) for item in flags)
    )
    if not of_kind or not isinstance(found.by, dict):
        raise TypeError("a field is of another kind")


def _texts(given: t.Any, name: str) -> tuple[t.Any, ...] | None:
    return None if given is None and name in _MAY_BE_NULL else tuple(given)


def from_text(text: str) -> Before:
    """Raises :class:`RecordUnreadable`."""
    try:
        given = json.loads(text)
        if given.pop("version") != _VERSION:
            raise ValueError("another version")
        lists = {name: _texts(given[name], name) for name in _LISTS if name in given}
        found = Before(**{**given, **lists})
        _check(found)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as exc:
        raise RecordUnreadable(
            f"What the server was like before its maintenance cannot be read ({type(exc).__name__}). Bring it back by "
            r"hand, then remove the value Maintenance of HKLM\SOFTWARE\mailops.exchange_tls."
        ) from None
    return found
