# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The note of a pending restart."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _pending
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._audit import read_note, settle
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._pending import Note, NoteUnreadable
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._plan import Plan, Write
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._reader import Reader
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._registry import ABSENT, Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._snapshot import Setting
from hypothesis import given
from hypothesis import strategies as st

from .fakes import BOOT, FakeWindows, registry_of
from .test_registry import TEXT, VALUES

A, B, C = (Setting(r"SYSTEM\X", name) for name in "ABC")
LATER = BOOT + datetime.timedelta(hours=1)

SETTINGS = st.builds(Setting, TEXT, TEXT)
ANY_VALUES = st.one_of(VALUES, st.just(ABSENT), st.just(Value(Type.OTHER)))
MAPS = st.dictionaries(SETTINGS, ANY_VALUES, max_size=4)
NOTES = st.builds(
    Note,
    st.datetimes(timezones=st.just(datetime.timezone.utc)),
    MAPS,
    MAPS,
    st.lists(TEXT, max_size=3).map(tuple),
)


@given(NOTES)
def test_encoding_goes_both_ways(note: Note) -> None:
    assert Note.decode(note.encode()) == note
    assert note.encode().isascii()


@given(NOTES)
def test_through_the_registry(note: Note) -> None:
    windows = FakeWindows()
    registry = registry_of(windows)
    assert _pending.read(registry) is None
    _pending.write(registry, note, new=True)
    assert _pending.read(registry) == note
    assert windows.hive.get(_pending.KEY, _pending.NAME).type is Type.REG_SZ
    _pending.clear(registry)
    assert _pending.read(registry) is None
    assert windows.hive.keys == {"software": "SOFTWARE"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rubbish",
        "null",
        "[]",
        "5",
        '"text"',
        "{}",
        json.dumps({"boot": BOOT.isoformat()}),
        json.dumps({"boot": "yesterday", "at_boot": [], "unfinished": [], "unfinished_keys": []}),
        json.dumps({"boot": "2026-11-20T03:04:05", "at_boot": [], "unfinished": [], "unfinished_keys": []}),
        json.dumps({"boot": 5, "at_boot": [], "unfinished": [], "unfinished_keys": []}),
        json.dumps({"boot": BOOT.isoformat(), "at_boot": 5, "unfinished": [], "unfinished_keys": []}),
        json.dumps({"boot": BOOT.isoformat(), "at_boot": ["x"], "unfinished": [], "unfinished_keys": []}),
        json.dumps({"boot": BOOT.isoformat(), "at_boot": [[]], "unfinished": [], "unfinished_keys": []}),
        json.dumps(
            {"boot": BOOT.isoformat(), "at_boot": [{"key": 5, "value": "x"}], "unfinished": [], "unfinished_keys": []}
        ),
        json.dumps({"boot": BOOT.isoformat(), "at_boot": [{"key": "x"}], "unfinished": [], "unfinished_keys": []}),
        json.dumps(
            {
                "boot": BOOT.isoformat(),
                "at_boot": [{"key": "x", "value": "y", "present": True, "type": "REG_DWORD", "data": "1"}],
                "unfinished": [],
                "unfinished_keys": [],
            }
        ),
        json.dumps({"boot": BOOT.isoformat(), "at_boot": [], "unfinished": [], "unfinished_keys": None}),
        "[" * 100_000,
    ],
)
def test_rubbish(text: str) -> None:
    with pytest.raises(NoteUnreadable):
        Note.decode(text)


@pytest.mark.parametrize(
    "value", [dword(1), Value(Type.REG_MULTI_SZ, ("x",)), Value(Type.REG_BINARY, (1,)), Value(Type.OTHER)]
)
def test_note_of_another_type(value: Value) -> None:
    windows = FakeWindows({_pending.KEY: {_pending.NAME: value}})
    with pytest.raises(NoteUnreadable):
        _pending.read(registry_of(windows))


def test_unreadable_note_counts_as_pending() -> None:
    windows = FakeWindows({_pending.KEY: {_pending.NAME: Value(Type.REG_SZ, "rubbish")}})
    registry = registry_of(windows)
    pending = settle(read_note(registry), BOOT, Reader(registry))
    assert (pending.note, pending.restart_pending) == (None, True)
    assert pending.warning is not None
    assert r"HKLM\SOFTWARE\mailops.exchange_tls [RestartPending] cannot be read" in pending.warning


# --- pending or not --------------------------------------------------------------------------------------------------


def is_pending(note: Note, boot: datetime.datetime = BOOT, **now: Value) -> bool:
    return note.pending(boot, lambda setting: now.get(setting.name, ABSENT))


def test_pending_until_the_restart() -> None:
    note = Note(BOOT, {A: ABSENT})
    assert is_pending(note, A=dword(1))
    assert not is_pending(note, LATER, A=dword(1))
    assert is_pending(note, BOOT + datetime.timedelta(seconds=1), A=dword(1)), "the boot time may jitter"


def test_pending_until_it_is_put_back() -> None:
    note = Note(BOOT, {A: dword(0), B: ABSENT})
    assert is_pending(note, A=dword(0), B=dword(1))
    assert is_pending(note, A=Value(Type.REG_QWORD, 0))
    assert not is_pending(note, A=dword(0))


def test_nothing_is_not_pending() -> None:
    assert not is_pending(Note(BOOT, {}))


def test_finished_and_restarted() -> None:
    note = Note(BOOT, {A: ABSENT}, {B: dword(1)}, ("k",))
    assert note.finished() == Note(BOOT, {A: ABSENT})
    assert note.restarted(LATER) == Note(LATER, {}, {B: dword(1)}, ("k",))


# --- a new run on top of an old note ---------------------------------------------------------------------------------


def plan(*writes: tuple[Setting, Value, Value], keys: tuple[str, ...] = ()) -> Plan:
    return Plan(tuple(Write(*write) for write in writes), keys)


def test_first_note() -> None:
    note = _pending.begun(None, BOOT, plan((A, ABSENT, dword(1)), keys=("k",)))
    assert note == Note(BOOT, {A: ABSENT}, {A: ABSENT}, ("k",))


def test_what_was_there_at_boot_stays() -> None:
    first = _pending.begun(None, BOOT, plan((A, ABSENT, dword(1)))).finished()
    second = _pending.begun(first, BOOT, plan((A, dword(1), dword(0)), (B, ABSENT, dword(1))))
    assert second.at_boot == {A: ABSENT, B: ABSENT}
    assert second.unfinished == {A: dword(1), B: ABSENT}, "the backup of a run holds what was there before that run"


def test_run_that_was_cut_off() -> None:
    first = _pending.begun(None, BOOT, plan((A, ABSENT, dword(1)), (B, dword(0), dword(1)), keys=("k", "l")))
    second = _pending.begun(first, BOOT, plan((B, dword(0), dword(1)), keys=("l", "m")))
    assert second.unfinished == {A: ABSENT, B: dword(0)}
    assert second.unfinished_keys == ("k", "l", "m")
    assert second.at_boot == {A: ABSENT, B: dword(0)}


def test_after_a_restart_all_begins_anew() -> None:
    first = _pending.begun(None, BOOT, plan((A, ABSENT, dword(1)))).finished()
    second = _pending.begun(first, LATER, plan((B, ABSENT, dword(1))))
    assert second == Note(LATER, {B: ABSENT}, {B: ABSENT})


def test_cut_off_before_a_restart() -> None:
    first = _pending.begun(None, BOOT, plan((A, ABSENT, dword(1)), keys=("k",)))
    second = _pending.begun(first, LATER, plan((B, ABSENT, dword(1))))
    assert second == Note(LATER, {B: ABSENT}, {A: ABSENT, B: ABSENT}, ("k",))


# --- against the present values --------------------------------------------------------------------------------------


def settled(note: Note, boot: datetime.datetime = BOOT, **now: Value) -> tuple[Any, FakeWindows, Reader]:
    windows = FakeWindows({A.key: now})
    reader = Reader(registry_of(windows))
    return settle(note, boot, reader), windows, reader


def test_settling_reads_what_it_needs() -> None:
    pending, windows, _reader = settled(Note(BOOT, {A: ABSENT, B: Value(Type.REG_SZ, "x")}), B=Value(Type.REG_SZ, "x"))
    assert not pending.restart_pending
    assert [call.method for call in windows.calls] == ["GetDWORDValue", "GetStringValue"]


def test_settling_after_a_restart_reads_nothing() -> None:
    pending, windows, _reader = settled(Note(BOOT, {A: ABSENT}), LATER, A=dword(1))
    assert not pending.restart_pending
    assert windows.calls == []


def test_settling_reads_all_of_the_note() -> None:
    """A change may put one setting back: then the others decide, and must have been read."""
    pending, _windows, reader = settled(Note(BOOT, {A: ABSENT, B: dword(0), C: dword(3)}), A=dword(1), B=dword(2))
    assert pending.restart_pending
    values = reader.snapshot().values
    assert (values[A], values[B], values[C]) == (dword(1), dword(2), ABSENT)


def test_value_of_a_type_without_a_method() -> None:
    pending, _windows, _reader = settled(Note(BOOT, {A: Value(Type.OTHER)}), A=dword(1))
    assert pending.restart_pending
    pending, _windows, _reader = settled(Note(BOOT, {A: Value(Type.OTHER)}), A=Value(Type.OTHER))
    assert not pending.restart_pending


def test_a_restart_without_its_services_stays_pending_until_the_next() -> None:
    note = _pending.Note.decode(_pending.without_services(BOOT).encode())
    assert note.pending(BOOT, lambda setting: ABSENT)
    assert not note.pending(BOOT + datetime.timedelta(hours=1), lambda setting: ABSENT)
