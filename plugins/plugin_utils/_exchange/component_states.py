# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The component states of a server: what Get-ServerComponentState says, and who asked for what. Pure.

Each requester (Maintenance, Functional, HealthApi, Sidelined, Deployment) has a say of its own, and Inactive wins. What
they said is kept twice, in the server's registry and in the directory, which may differ: the newer word counts.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import re
import typing as t

from .._errors import UnexpectedAnswer
from .._text import NAME, visible
from . import clixml
from .records import ABSENT, Record, RecordError, shown

ACTIVE, INACTIVE, DRAINING = "Active", "Inactive", "Draining"
# Nobody can say of such a component that it serves: docs/reference/exchange.md 3.
UNKNOWN = "Unknown"
_STATES = (ACTIVE, INACTIVE, DRAINING, UNKNOWN)
SERVER_WIDE_OFFLINE = "ServerWideOffline"
HUB_TRANSPORT = "HubTransport"
UM_CALL_ROUTER = "UMCallRouter"  # up to 2016
#: What ServerWideOffline leaves alone.
APART = frozenset({"monitoring", "recoveryactionsenabled"})

_CMDLET = "Get-ServerComponentState"
# "Requestor:Functional; State:Active; Timestamp:9/28/2021 5:20:23 PM"
_PART = re.compile(r"\s*([A-Za-z]+)\s*:\s*(.*?)\s*", re.DOTALL)
# The culture of the server decides how it writes a time; a name of ours would only guess at day and month.
_AMERICAN = "%m/%d/%Y %I:%M:%S %p"
_OLD = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)


@dataclasses.dataclass(frozen=True)
class Entry:
    """What one requester asked for. ``moment`` is None where it came in a form whose day and month are unsure."""

    requester: str
    state: str
    moment: datetime.datetime | None = None

    def is_by(self, requester: str) -> bool:
        """Names of requesters have no case: HealthApi is recorded, HealthAPI is documented."""
        return self.requester.casefold() == requester.casefold()


@dataclasses.dataclass(frozen=True)
class Component:
    """One component of a server. ``state``: what is in effect now."""

    name: str
    state: str
    local: tuple[Entry, ...] = ()
    remote: tuple[Entry, ...] = ()

    @property
    def by_default(self) -> bool:
        """Nobody asked for anything: Inactive then is how this component comes (ForwardSyncDaemon, ProvisioningRps)."""
        return not self.local and not self.remote

    @property
    def requesters(self) -> tuple[str, ...]:
        """Everybody who asked for something, in order of first mention, as they are first spelled."""
        found: dict[str, str] = {}
        for entry in (*self.remote, *self.local):
            found.setdefault(entry.requester.casefold(), entry.requester)
        return tuple(found.values())

    def asked(self, requester: str) -> Entry | None:
        """The newest word of a requester, local or remote; None where it asked for nothing.

        Of two of the same age, or whose age is unsure, the local one counts, and Inactive before it.
        """
        own = [entry for entry in (*self.local, *self.remote) if entry.is_by(requester)]
        if not own:
            return None
        if any(entry.moment is None for entry in own):
            return max(own, key=lambda entry: entry.state == INACTIVE)
        return max(own, key=lambda entry: entry.moment or _OLD)

    @property
    def held_by(self) -> tuple[str, ...]:
        """Who keeps it from being Active, by each requester's newest word."""
        words = {name: self.asked(name) for name in self.requesters}
        return tuple(name for name, entry in words.items() if entry is not None and entry.state != ACTIVE)

    @property
    def is_held(self) -> bool:
        """Not Active, and somebody asked for that; or not known to be."""
        return self.state != ACTIVE and (not self.by_default or self.state == UNKNOWN)

    @property
    def is_marked(self) -> bool:
        """Not Active, or about to be: the server's own registry has a word for that already, whatever the directory
        says, which may be late."""
        return self.is_held or any(entry.state != ACTIVE for entry in self.local)


class Components(collections.abc.Mapping[str, Component]):
    """The components of one server by name, whose case does not matter, in the order of the cmdlet."""

    def __init__(self, server: str, components: t.Iterable[Component]) -> None:
        self.server = server
        self._by_name = {component.name.casefold(): component for component in components}

    def __getitem__(self, name: str) -> Component:
        try:
            return self._by_name[name.casefold()]
        except KeyError:
            raise KeyError(name) from None

    def __iter__(self) -> t.Iterator[str]:
        return (component.name for component in self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def not_active(self) -> tuple[Component, ...]:
        """All that is not Active because somebody asked for it."""
        return tuple(component for component in self.values() if component.is_held)


def read(records: t.Sequence[Record], server: str) -> Components:
    """The answer to Get-ServerComponentState for one server. Raises :class:`UnexpectedAnswer`.

    No component at all is no answer: every Exchange since 2013 has more than thirty.
    """
    if not records:
        raise UnexpectedAnswer(f"{_CMDLET} for {visible(server, NAME)} returned nothing.")
    return Components(server, [_component(record) for record in records])


def _component(record: Record) -> Component:
    name = record.text("Component")
    return Component(
        name=name,
        state=_state(record.text("State"), name),
        local=_entries(record, "LocalStates", name),
        remote=_entries(record, "RemoteStates", name),
    )


def _entries(record: Record, side: str, component: str) -> tuple[Entry, ...]:
    """A list of objects or of texts; a list of one may come as the one alone, and one that was never set as null."""
    value = record.get(side)
    if value is ABSENT:
        raise RecordError(f"{_CMDLET}: the component {visible(component, NAME)} has no {side}.", property=side)
    items = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(_entry(item, component) for item in items)


def _entry(item: t.Any, component: str) -> Entry:
    if isinstance(item, Record) and "Requester" in item:
        when = item.get("Timestamp")
        return Entry(
            item.text("Requester"),
            _state(item.text("State"), component),
            _aware(when) if isinstance(when, datetime.datetime) else _written(when),
        )
    # an object without properties, which is how a session of little depth sends it, still says what it is
    parts = dict(_parts(str(item))) if isinstance(item, (str, Record)) else {}
    requester = parts.get("requestor") or parts.get("requester")
    if not requester or "state" not in parts:
        raise RecordError(f"{_CMDLET}: the component {visible(component, NAME)} has the entry {shown(item)}.")
    return Entry(requester, _state(parts["state"], component), _written(parts.get("timestamp")))


def _parts(text: str) -> t.Iterator[tuple[str, str]]:
    for part in text.split(";"):
        match = _PART.fullmatch(part)
        if match:
            yield match[1].casefold(), match[2]


def _state(text: str, component: str) -> str:
    found = next((state for state in _STATES if state.casefold() == text.strip().casefold()), None)
    if found is None:
        raise RecordError(f"{_CMDLET}: the component {visible(component, NAME)} has the state {visible(text, NAME)!r}.")
    return found


def _written(text: t.Any) -> datetime.datetime | None:
    """A time that came as text: ISO is sure; of others only one whose day cannot be a month."""
    if not isinstance(text, str):
        return None
    try:
        return _aware(clixml.moment(text.strip()))
    except ValueError:
        pass
    try:
        found = datetime.datetime.strptime(text.strip(), _AMERICAN)  # noqa: DTZ007 - the zone is added below
    except ValueError:
        return None
    return _aware(found) if found.day > 12 or found.day == found.month else None


def _aware(moment: datetime.datetime) -> datetime.datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.timezone.utc)
