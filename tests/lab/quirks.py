# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quirks: what an experiment makes a host do wrong, set in the description or at run time."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from . import faults
from .installed import CONTENT_INDEX_STATES, COPY_STATES, NODE_STATES
from .namespaces import WMI_ERROR
from .registry import Registry, ValueFormatError, fold, split_full

ANSWERS = ("html", "truncated", "oversized", "entity_expansion", "garbage", "empty", "utf16")

_FLAGS = {
    "down", "blackhole", "never_back", "stale_settings", "no_restart", "shutdown_cuts_connection", "void_return",
    "protected_key_fault", "tls12_needs_old", "power_loss", "closes_connection", "list_ends_early",
    "requesters_as_text", "get_queue_fails",
}  # fmt: skip
_NUMBERS = {"shutdown_returns", "unauthorized_after_restart", "ntlm_idle", "boot_time_jitter", "drip"}
_CHOICES = {
    "failed_get": ("nil", "absent"),
    "wrong_type": ("default", "number"),
    "suite_curves": ("strict", "any"),
    "suite_list_type": ("strict", "any"),
    "unknown_suites": ("nothing", "default"),
}
_TRIGGERED: dict[str, dict[str, tuple[str, ...] | type]] = {
    "fault": {"kind": tuple(sorted(faults.KINDS)), "encoding": tuple(WMI_ERROR)},
    "cut": {"when": ("before", "after"), "how": ("fin", "reset")},
    "answer": {"body": ANSWERS},
    "delay": {"seconds": float},
    "hold": {"when": ("before", "after")},
    "cmdlet": {"effect": ("error", "denied", "dies", "lost", "slow", "takes_no_input"), "seconds": float},
}
_NEEDED: dict[str, set[str]] = {
    "fault": {"kind"},
    "cut": set(),
    "answer": {"body"},
    "delay": {"seconds"},
    "hold": set(),
    "cmdlet": {"effect"},
}
_OF_REQUESTS = ("fault", "cut", "answer", "delay", "hold")
_LISTS = {"databases_stay", "queues_stay", "stuck_queues"}
_OF_COPIES: dict[str, type] = {
    "status": str,
    "copy_queue": int,
    "replay_queue": int,
    "content_index": str,
    "comment": str,
}
_SETTINGS = {"registry_reverted_at_restart", "silent_write_loss", "nodes", "copies", *_LISTS}
NAMES = frozenset(_FLAGS | _NUMBERS | set(_CHOICES) | set(_TRIGGERED) | _SETTINGS)


class QuirkError(ValueError):
    """No such quirk, or a value it cannot have."""


@dataclass
class Trigger:
    """When a quirk strikes: counts the authenticated SOAP requests since the quirk was set.

    request: the n-th of all. operation (wildcards allowed) and nth: the n-th of those that match, each where nth is
    not given. every: from the first hit on, each one. count: at most that many hits.
    """

    operation: str | None = None
    nth: int | None = None
    request: int | None = None
    every: bool = False
    count: int | None = None
    seen: int = 0
    matched: int = 0
    hits: int = 0

    def fires(self, operation: str) -> bool:
        """Counts one request; True if the quirk strikes it."""
        self.seen += 1
        matches = self.operation is None or fnmatchcase(operation, self.operation)
        self.matched += matches
        position, wanted = (self.seen, self.request) if self.request is not None else (self.matched, self.nth)
        if not matches or (self.count is not None and self.hits >= self.count):
            return False
        if wanted is not None and position != wanted and not (self.every and position > wanted):
            return False
        self.hits += 1
        return True


@dataclass(frozen=True)
class Strike:
    """What happens to one request."""

    delay: float = 0.0
    cut_before: str | None = None
    cut_after: str | None = None
    fault: faults.SoapFault | faults.HttpReply | None = None
    answer: str | None = None
    hold: str | None = None


@dataclass
class _Entry:
    value: Any
    triggers: list[tuple[Trigger, dict[str, Any]]] = field(default_factory=list)


class Quirks:
    """The quirks of one host. Thread-safe."""

    def __init__(self, initial: Mapping[str, Any] | None = None) -> None:
        self._lock = threading.Condition()
        self._entries: dict[str, _Entry] = {}
        self._held: list[str] = []
        for name, value in (initial or {}).items():
            self.set(name, value)

    def set(self, name: str, value: Any) -> None:
        """Sets or, with null or false, clears a quirk; its counters start again. Raises QuirkError."""
        if name not in NAMES:
            near = difflib.get_close_matches(name, NAMES, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(NAMES))}"
            raise QuirkError(f"unknown quirk {name!r} ({hint})")
        entry = None if value is None or value is False else _entry(name, value)
        with self._lock:
            if entry is None:
                self._entries.pop(name, None)
            else:
                self._entries[name] = entry
            self._lock.notify_all()

    def clear(self) -> None:
        """Forgets all quirks."""
        with self._lock:
            self._entries.clear()
            self._lock.notify_all()

    def as_json(self) -> dict[str, Any]:
        """The quirks as they were given."""
        with self._lock:
            return {name: entry.value for name, entry in self._entries.items()}

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a quirk, or the default."""
        with self._lock:
            entry = self._entries.get(name)
            return default if entry is None else entry.value

    def strike(self, operation: str) -> Strike:
        """What happens to this request; to be asked exactly once per authenticated SOAP request."""
        with self._lock:
            hits = dict(self._fired(_OF_REQUESTS, operation))
        cut = hits.get("cut")
        how = when = None
        if cut is not None:
            how, when = cut.get("how", "fin"), cut.get("when", "before")
        fault = hits.get("fault")
        return Strike(
            delay=float(hits["delay"]["seconds"]) if "delay" in hits else 0.0,
            cut_before=how if when == "before" else None,
            cut_after=how if when == "after" else None,
            fault=faults.ordered(fault["kind"], fault.get("encoding")) if fault else None,
            answer=hits["answer"]["body"] if "answer" in hits else None,
            hold=hits["hold"].get("when", "before") if "hold" in hits else None,
        )

    def hold(self, operation: str) -> None:
        """Waits until the quirk of that name is taken back."""
        with self._lock:
            given = self._entries.get("hold")
            self._held.append(operation)
            self._lock.wait_for(lambda: given is None or self._entries.get("hold") is not given)
            self._held.remove(operation)

    def held(self) -> list[str]:
        """The operations of the requests that wait at this moment."""
        with self._lock:
            return list(self._held)

    def strike_cmdlet(self, cmdlet: str) -> dict[str, Any]:
        """What happens to this Exchange cmdlet ("effect" and what belongs to it); to be asked once for each."""
        with self._lock:
            return dict(self._fired(("cmdlet",), cmdlet)).get("cmdlet", {})

    def _fired(self, names: Iterable[str], operation: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for name in names:
            for trigger, options in self._entries[name].triggers if name in self._entries else ():
                if trigger.fires(operation):
                    yield name, options

    # -- what the registry provider asks ---------------------------------------------------------------------------

    def failed_get_is_absent(self) -> bool:
        """See stdregprov.RegistryQuirks."""
        return bool(self.get("failed_get") == "absent")

    def void_return(self) -> bool:
        """See stdregprov.RegistryQuirks."""
        return bool(self.get("void_return"))

    def protected_key_fault(self) -> bool:
        """See stdregprov.RegistryQuirks."""
        return bool(self.get("protected_key_fault"))

    def loses(self, hive: str, key: str, value: str) -> bool:
        """See stdregprov.RegistryQuirks."""
        for item in _as_list(self.get("silent_write_loss") or []):
            lost_hive, lost_key = split_full(item["key"])
            if (lost_hive, fold(lost_key), fold(item["value"])) == (hive, fold(key), fold(value)):
                return True
        return False


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _entry(name: str, value: Any) -> _Entry:
    if name in _FLAGS:
        if value is not True:
            raise QuirkError(f"{name}: true or false is needed, not {value!r}")
    elif name in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise QuirkError(f"{name}: a number is needed, not {value!r}")
    elif name in _CHOICES:
        if value not in _CHOICES[name]:
            raise QuirkError(f"{name}: {value!r} is none of {', '.join(_CHOICES[name])}")
    elif name in _TRIGGERED:
        return _Entry(value, [_trigger(name, item) for item in _as_list(value)])
    elif name == "silent_write_loss":
        for item in _as_list(value):
            if not isinstance(item, Mapping) or set(item) != {"key", "value"}:
                raise QuirkError(f"{name}: a mapping with key and value is needed, not {item!r}")
    elif name == "nodes":
        if not isinstance(value, Mapping) or not set(value.values()) <= set(NODE_STATES):
            raise QuirkError(f"{name}: a mapping of names to {', '.join(NODE_STATES)} is needed, not {value!r}")
    elif name in _LISTS:
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            raise QuirkError(f"{name}: a list of names is needed, not {value!r}")
    elif name == "copies":
        _check_copies(value)
    else:
        _check_layer(name, value)
    return _Entry(value)


def _check_copies(value: Any) -> None:
    if not isinstance(value, Mapping) or not all(isinstance(item, Mapping) for item in value.values()):
        raise QuirkError(f"copies: a mapping {{database: {{status: ...}}}} is needed, not {value!r}")
    for database, item in value.items():
        for key, one in item.items():
            if key not in _OF_COPIES:
                raise QuirkError(f"copies.{database}: unknown key {key!r} (known: {', '.join(_OF_COPIES)})")
            if isinstance(one, bool) or not isinstance(one, _OF_COPIES[key]):
                raise QuirkError(f"copies.{database}.{key}: {one!r} is of another kind")
        if item.get("status", "Healthy") not in COPY_STATES:
            raise QuirkError(f"copies.{database}.status: {item['status']!r} is none of {', '.join(COPY_STATES)}")
        if item.get("content_index", "Healthy") not in CONTENT_INDEX_STATES:
            raise QuirkError(f"copies.{database}.content_index: none of {', '.join(CONTENT_INDEX_STATES)}")


def _check_layer(name: str, value: Any) -> None:
    try:
        Registry().apply(value)
    except (ValueFormatError, AttributeError, TypeError) as exc:
        raise QuirkError(f"{name}: a mapping {{key: {{value name: data}}}} is needed: {exc}") from None


def _trigger(name: str, item: Any) -> tuple[Trigger, dict[str, Any]]:
    if not isinstance(item, Mapping):
        raise QuirkError(f"{name}: a mapping is needed, not {item!r}")
    given = {key: value for key, value in item.items() if key != "match"}
    match = item.get("match") or {}
    given.update(match)
    when = {key: given.pop(key) for key in ("operation", "nth", "request", "every", "count") if key in given}
    allowed = _TRIGGERED[name]
    for key, value in given.items():
        if key not in allowed:
            raise QuirkError(f"{name}: unknown key {key!r} (known: {', '.join(allowed)}, operation, nth, request, ...)")
        kind = allowed[key]
        if isinstance(kind, tuple) and value not in kind:
            raise QuirkError(f"{name}.{key}: {value!r} is none of {', '.join(kind)}")
        if kind is float and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise QuirkError(f"{name}.{key}: a number is needed, not {value!r}")
    missing = _NEEDED[name] - set(given)
    if missing:
        raise QuirkError(f"{name}: {', '.join(sorted(missing))} missing")
    for key in ("nth", "request", "count"):
        if key in when and (isinstance(when[key], bool) or not isinstance(when[key], int) or when[key] < 1):
            raise QuirkError(f"{name}.{key}: a number from 1 is needed, not {when[key]!r}")
    return Trigger(**when), given
