# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Whether a restart is pending: a note on the target about what was written since Windows started.

Windows keeps no such flag for SCHANNEL. The note is one REG_SZ value, ``HKLM\\SOFTWARE\\mailops.exchange_tls``
[RestartPending], in JSON: when it was written by the host's own clock, what the host said of its last start then and,
for every setting written since that start, the value that was there when Windows started. A restart is pending while
Windows has not been started again and any of these settings differs from that value. Putting the old values back
therefore ends it without a restart.

While a run is at work the note names it (``owner``), so that two runs do not change one host at once.

What it cannot know: changes that others made (Group Policy, IIS Crypto, a person). The handshake after the restart is
the proof.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import typing as t

from .._errors import ExchangeTlsError, RegistryError
from .._schannel.names import fold
from .._schannel.snapshot import Setting
from .._schannel.values import Type, Value, dword
from .._text import utc_text
from .._windows.facts import Moment, as_utc
from .._windows.reader import FAILED
from .._windows.registry import Registry
from .owners import AnotherRun, Owner
from .plans import Plan

KEY = r"SOFTWARE\mailops.exchange_tls"
NAME = "RestartPending"
NOTE = Setting(KEY, NAME)

# A FILETIME that Windows writes when it shuts down.
SHUTDOWN_TIME = Setting(r"SYSTEM\CurrentControlSet\Control\Windows", "ShutdownTime")

# An unfinished note of another controller that is younger belongs to a run at work: longer than any change takes.
AT_WORK = datetime.timedelta(minutes=5)

# Characters of JSON. Bigger values are in the backup only; a bigger note would not fit into a message to every Windows.
_BIG_VALUE = 2_000
_BIG_NOTE = 100_000


class NoteUnreadable(ValueError):
    """The value is there but not as this collection writes it."""


@dataclasses.dataclass(frozen=True)
class Digest:
    """What a note keeps of a big value: enough to know it again."""

    type: Type
    length: int
    sha256: str

    def as_result(self) -> dict[str, t.Any]:
        return {"present": True, "type": self.type.value, "length": self.length, "sha256": self.sha256}


Old = Value | Digest


def short(value: Old) -> Old:
    """The value as a note keeps it."""
    if isinstance(value, Digest) or value.type is None or not isinstance(value.data, (str, tuple)):
        return value
    data = json.dumps(value.data)
    if len(data) <= _BIG_VALUE:
        return value
    return Digest(value.type, len(value.data), hashlib.sha256(data.encode()).hexdigest())


@dataclasses.dataclass(frozen=True)
class Note:
    """What is known of the changes since ``boot``.

    ``at_boot``: the settings changed since then, with their values at that time. ``unfinished``: the settings a run was
    about to write, with their values before it, ``unfinished_keys`` the keys it was about to make, and
    ``unfinished_removals`` those it was about to remove; all are empty once the run has written all of them, so that a
    run that was cut off shows. ``owner``: that run. ``written`` and ``shutdown``: see :class:`Moment`.
    """

    boot: datetime.datetime
    at_boot: t.Mapping[Setting, Old]
    unfinished: t.Mapping[Setting, Old] = dataclasses.field(default_factory=dict)
    unfinished_keys: tuple[str, ...] = ()
    unfinished_removals: tuple[str, ...] = ()
    written: datetime.datetime | None = None
    shutdown: tuple[int, ...] | None = None
    owner: Owner | None = None

    @property
    def moment(self) -> Moment:
        return Moment(self.boot, self.written, self.shutdown)

    @property
    def is_unfinished(self) -> bool:
        return bool(self.unfinished or self.unfinished_keys or self.unfinished_removals)

    def waiting(self, current: t.Callable[[Setting], Value]) -> frozenset[Setting]:
        """The settings that are not as they were when Windows was started, unless it was started since."""
        return frozenset(setting for setting, old in self.at_boot.items() if not _is(old, current(setting)))

    def at(self, moment: Moment) -> Note:
        """The note as it is written at this moment."""
        return dataclasses.replace(self, boot=moment.boot, written=moment.now, shutdown=moment.shutdown)

    def finished(self) -> Note:
        return dataclasses.replace(self, unfinished={}, unfinished_keys=(), unfinished_removals=(), owner=None)

    def restarted(self, moment: Moment) -> Note:
        """After a restart, nothing differs from what was there when Windows started, and no run is at work."""
        return dataclasses.replace(self.at(moment), at_boot={}, owner=None)

    def encode(self) -> str:
        data: dict[str, t.Any] = {
            "boot": self.boot.isoformat(),
            "at_boot": _encode_values(self.at_boot),
            "unfinished": _encode_values(self.unfinished),
            "unfinished_keys": list(self.unfinished_keys),
            "unfinished_removals": list(self.unfinished_removals),
        }
        if self.written is not None:
            data["written"] = self.written.isoformat()
        if self.shutdown is not None:
            data["shutdown"] = bytes(self.shutdown).hex()
        if self.owner is not None:
            data["owner"] = self.owner.as_json()
        return json.dumps(data)

    @classmethod
    def decode(cls, text: str) -> Note:
        try:
            data = json.loads(text)
            written, owner, shutdown = data.get("written"), data.get("owner"), data.get("shutdown")
            return cls(
                _moment(data["boot"]),
                _decode_values(data["at_boot"]),
                _decode_values(data["unfinished"]),
                tuple(map(_text, data["unfinished_keys"])),
                tuple(map(_text, data["unfinished_removals"])),
                None if written is None else _moment(written),
                None if shutdown is None else tuple(bytes.fromhex(shutdown)),
                None if owner is None else Owner.from_json(owner),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as exc:
            raise NoteUnreadable(f"{type(exc).__name__}: {exc}") from None


# Stands in a note for a restart after which services did not run; no host has this value.
_SERVICES = Setting(KEY, "ServicesDidNotRun")


def without_services(moment: Moment) -> Note:
    """The note of a restart that did not bring the services back: it counts as still to be made."""
    return Note(moment.boot, {_SERVICES: dword(1)}).at(moment)


def begun(previous: Note | None, restarted: bool, boot: datetime.datetime, plan: Plan) -> Note:
    """The note for a plan that is about to be carried out, on top of an earlier one, after which Windows was
    ``restarted`` or not. What was there at boot, and what was there before a run that was cut off, is never
    overwritten. Raises :class:`ExchangeTlsError` where it would outgrow a message to the host."""
    same_boot = None if restarted else previous
    before = {write.setting: write.before for write in plan.writes}
    cut_off = previous.unfinished if previous else {}
    keys = dict.fromkeys([*(previous.unfinished_keys if previous else ()), *plan.new_keys])
    removals = dict.fromkeys([*(previous.unfinished_removals if previous else ()), *plan.old_keys])
    note = Note(
        same_boot.boot if same_boot else boot,
        {**before, **(same_boot.at_boot if same_boot else {})},
        {**before, **cut_off},
        tuple(keys),
        tuple(removals),
        shutdown=same_boot.shutdown if same_boot else None,
    )
    size = len(note.encode())
    if size > _BIG_NOTE:
        raise ExchangeTlsError(
            f"This is too much for one change: {len(plan.writes)} values, and the note on the host about them would "
            f"have {size} characters (at most {_BIG_NOTE}). Nothing was changed. Ask for less at once; where there are "
            "very many strays, remove them on the host."
        )
    return note


def _is(old: Old, value: Value) -> bool:
    return old == value or (isinstance(old, Digest) and old == short(value))


def _moment(text: str) -> datetime.datetime:
    return as_utc(datetime.datetime.fromisoformat(text))


def _encode_values(values: t.Mapping[Setting, Old]) -> list[dict[str, t.Any]]:
    return [
        {"key": setting.key, "value": setting.name, **short(value).as_result()} for setting, value in values.items()
    ]


def _decode_values(items: list[dict[str, t.Any]]) -> dict[Setting, Old]:
    return {Setting(_text(item["key"]), _text(item["value"])): _decode_value(item) for item in items}


def _text(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError("the name of a key or value is no text")
    return name


def _decode_value(item: dict[str, t.Any]) -> Old:
    if "sha256" in item:
        return Digest(Type(item["type"]), int(item["length"]), str(item["sha256"]))
    return Value.from_result(item)


def refuse_another(note: Note | None, now: datetime.datetime) -> None:
    """Raises :class:`AnotherRun` where the note belongs to a run that is at work, or may be.

    On the same controller it shows whether that run lives. Of another controller nothing is known: its run is given
    some minutes, by the host's own clock.
    """
    if note is None or not note.is_unfinished or note.owner is None or note.written is None:
        return
    lives = note.owner.lives()
    if lives is False or (lives is None and abs(now - note.written) > AT_WORK):
        return
    cure = f"If it was cut off, run this again after {utc_text(note.written + AT_WORK)} by the host's clock"
    raise AnotherRun(
        f"Another run seems to be at work on this host since {utc_text(note.written)} ({note.owner}); nothing was "
        f"changed. Wait until it has ended. {'Or end it' if lives else cure}, or set 'force' (tls12_force in the role)."
    )


def read(registry: Registry) -> Note | None:
    """The note on the host, None where there is none (one request). Raises :class:`NoteUnreadable`."""
    value = registry.get(KEY, NAME, Type.REG_SZ)
    if value is None or not value.present:
        return None
    if not isinstance(value.data, str):
        raise NoteUnreadable(f"it is a {value.type.value if value.type else 'nothing'}")
    return Note.decode(value.data)


def read_shutdown(registry: Registry) -> tuple[int, ...] | None:
    """When Windows was shut down last (one request); None where the host does not tell."""
    try:
        value = registry.get(SHUTDOWN_TIME.key, SHUTDOWN_TIME.name, Type.REG_BINARY)
    except FAILED:
        return None
    return t.cast("tuple[int, ...]", value.data) if value is not None and value.type is Type.REG_BINARY else None


def write(registry: Registry, note: Note, *, new: bool = False) -> None:
    """Writes the note and reads it back. ``new``: its key has to be made first.

    That a write to a missing key fails is no way to find that out: some versions return nothing
    (docs/reference/wsman.md 1.3).
    """
    if new:
        registry.create_key(KEY)
    registry.set(KEY, NAME, Value(Type.REG_SZ, note.encode()))


def claim(registry: Registry, note: Note, audited: Note | None) -> None:
    """Writes the note of a run before its first change. Raises :class:`AnotherRun` where the host's note is no longer
    the one that was ``audited``, or not the own one right after the writing."""
    if _read_any(registry) != audited:
        raise AnotherRun(
            "Another run has changed this host since it was read; nothing was changed by this one. Run it again."
        )
    try:
        write(registry, note, new=audited is None)
    except RegistryError:
        found = _read_any(registry)
        if found in (audited, note):
            raise
        raise _at_once(found) from None


def confirm(registry: Registry, note: Note) -> None:
    """Raises :class:`AnotherRun` where the note on the host is another run's (one request)."""
    found = _read_any(registry)
    if found is None or found.owner != note.owner:
        raise _at_once(found)


def _at_once(found: Note | None) -> AnotherRun:
    owner = f" ({found.owner})" if found and found.owner else ""
    return AnotherRun(
        f"Another run is changing this host at the same time{owner}. Wait until it has ended, then run this again: it "
        "finishes what is left."
    )


def _read_any(registry: Registry) -> Note | None:
    try:
        return read(registry)
    except NoteUnreadable:
        return None


def clear(registry: Registry) -> None:
    """Removes the note."""
    remove(registry, NAME)


def remove(registry: Registry, name: str) -> None:
    """Removes a value of the key, and the key unless something else is kept in it: nothing of ours is left behind."""
    others = [other for other in registry.value_types(KEY) or () if fold(other) != fold(name)]
    if others or registry.subkeys(KEY):
        registry.delete_value(KEY, name)
    else:
        registry.delete_key(KEY)
