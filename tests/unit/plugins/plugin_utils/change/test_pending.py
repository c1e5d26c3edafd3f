# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The note of a pending restart."""

from __future__ import annotations

import dataclasses
import datetime
import json
import subprocess
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import notes, owners
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change.notes import (
    SHUTDOWN_TIME,
    Note,
    NoteUnreadable,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change.owners import AnotherRun, Owner, me
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change.pending import pending_after, read_note
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change.plans import Plan, Write
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.facts import Moment
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.reader import Reader
from hypothesis import given
from hypothesis import strategies as st

from ..fakes import BOOT, UPTIME, Call, FakeWindows, Trouble, registry_of
from ..windows.test_registry import TEXT, VALUES

A, B, C = (Setting(r"SYSTEM\X", name) for name in "ABC")
NOW = BOOT + UPTIME
LATER = BOOT + datetime.timedelta(hours=1)

SETTINGS = st.builds(Setting, TEXT, TEXT)
ANY_VALUES = st.one_of(VALUES, st.just(ABSENT), st.just(Value(Type.OTHER)))
MAPS = st.dictionaries(SETTINGS, ANY_VALUES, max_size=4)
# What a Windows can have; others are unreadable.
MOMENTS = st.datetimes(
    datetime.datetime(1601, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
    datetime.datetime(8999, 12, 30),  # noqa: DTZ001 - as above
    timezones=st.just(datetime.timezone.utc),
)
NOTES = st.builds(
    Note,
    MOMENTS,
    MAPS,
    MAPS,
    st.lists(TEXT, max_size=3).map(tuple),
    st.lists(TEXT, max_size=3).map(tuple),
    st.none() | MOMENTS,
    st.none() | st.binary(max_size=8).map(tuple),
    st.none() | st.builds(Owner, TEXT, TEXT, TEXT, TEXT, st.integers(), TEXT, TEXT),
)


@given(NOTES)
def test_encoding_goes_both_ways(note: Note) -> None:
    assert Note.decode(note.encode()) == note
    assert note.encode().isascii()


@given(NOTES)
def test_through_the_registry(note: Note) -> None:
    windows = FakeWindows()
    registry = registry_of(windows)
    assert notes.read(registry) is None
    notes.write(registry, note, new=True)
    assert notes.read(registry) == note
    assert windows.hive.get(notes.KEY, notes.NAME).type is Type.REG_SZ
    notes.clear(registry)
    assert notes.read(registry) is None
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
    windows = FakeWindows({notes.KEY: {notes.NAME: value}})
    with pytest.raises(NoteUnreadable):
        notes.read(registry_of(windows))


def test_unreadable_note_counts_as_pending() -> None:
    windows = FakeWindows({notes.KEY: {notes.NAME: Value(Type.REG_SZ, "rubbish")}})
    registry = registry_of(windows)
    pending = pending_after(read_note(registry), BOOT, Reader(registry))
    assert (pending.note, pending.restart_pending) == (None, True)
    assert pending.warning is not None
    assert r"HKLM\SOFTWARE\mailops.exchange_tls [RestartPending] cannot be read" in pending.warning


# --- pending or not --------------------------------------------------------------------------------------------------


def is_pending(note: Note, **now: Value) -> bool:
    return bool(note.waiting(lambda setting: now.get(setting.name, ABSENT)))


def test_pending_until_it_is_put_back() -> None:
    note = Note(BOOT, {A: dword(0), B: ABSENT})
    assert is_pending(note, A=dword(0), B=dword(1))
    assert is_pending(note, A=Value(Type.REG_QWORD, 0))
    assert not is_pending(note, A=dword(0))


def test_nothing_is_not_pending() -> None:
    assert not is_pending(Note(BOOT, {}))


def test_finished_and_restarted() -> None:
    note = Note(BOOT, {A: ABSENT}, {B: dword(1)}, ("k",), (), NOW, (1,), me())
    assert note.finished() == Note(BOOT, {A: ABSENT}, written=NOW, shutdown=(1,))
    later = Moment(LATER, LATER + UPTIME, (2,))
    assert note.restarted(later) == Note(LATER, {}, {B: dword(1)}, ("k",), (), LATER + UPTIME, (2,))


# --- a new run on top of an old note ---------------------------------------------------------------------------------


def plan(*writes: tuple[Setting, Value, Value], keys: tuple[str, ...] = ()) -> Plan:
    return Plan(tuple(Write(*write) for write in writes), keys)


def test_first_note() -> None:
    note = notes.begun(None, False, BOOT, plan((A, ABSENT, dword(1)), keys=("k",)))
    assert note == Note(BOOT, {A: ABSENT}, {A: ABSENT}, ("k",))


def test_what_was_there_at_boot_stays() -> None:
    first = notes.begun(None, False, BOOT, plan((A, ABSENT, dword(1)))).finished()
    second = notes.begun(first, False, BOOT, plan((A, dword(1), dword(0)), (B, ABSENT, dword(1))))
    assert second.at_boot == {A: ABSENT, B: ABSENT}
    assert second.unfinished == {A: dword(1), B: ABSENT}, "the backup of a run holds what was there before that run"


def test_run_that_was_cut_off() -> None:
    first = notes.begun(None, False, BOOT, plan((A, ABSENT, dword(1)), (B, dword(0), dword(1)), keys=("k", "l")))
    second = notes.begun(first, False, BOOT, plan((B, dword(0), dword(1)), keys=("l", "m")))
    assert second.unfinished == {A: ABSENT, B: dword(0)}
    assert second.unfinished_keys == ("k", "l", "m")
    assert second.at_boot == {A: ABSENT, B: dword(0)}


def test_after_a_restart_all_begins_anew() -> None:
    first = notes.begun(None, False, BOOT, plan((A, ABSENT, dword(1)))).finished()
    second = notes.begun(first, True, LATER, plan((B, ABSENT, dword(1))))
    assert second == Note(LATER, {B: ABSENT}, {B: ABSENT})


def test_cut_off_before_a_restart() -> None:
    first = notes.begun(None, False, BOOT, plan((A, ABSENT, dword(1)), keys=("k",)))
    second = notes.begun(first, True, LATER, plan((B, ABSENT, dword(1))))
    assert second == Note(LATER, {B: ABSENT}, {A: ABSENT, B: ABSENT}, ("k",))


def test_shutdown_of_the_first_note_stays_as_long_as_its_start() -> None:
    first = dataclasses.replace(notes.begun(None, False, BOOT, plan((A, ABSENT, dword(1)))), shutdown=(1,))
    assert notes.begun(first, False, BOOT, plan((B, ABSENT, dword(1)))).shutdown == (1,)
    assert notes.begun(first, True, LATER, plan((B, ABSENT, dword(1)))).shutdown is None


# --- big values ------------------------------------------------------------------------------------------------------

JUNK = Value(Type.REG_SZ, "x" * 100_000)


def test_big_values_are_not_in_the_note() -> None:
    note = notes.begun(None, False, BOOT, plan((A, JUNK, dword(1)), (B, dword(0), dword(1))))
    assert len(note.encode()) < 2_000
    back = Note.decode(note.encode())
    assert back.unfinished[B] == dword(0)
    assert back.at_boot[A] == notes.short(JUNK)
    assert Note.decode(back.encode()) == back
    for other in (ABSENT, dword(1), Value(Type.REG_SZ, "y" * 100_000), Value(Type.REG_EXPAND_SZ, JUNK.data)):
        assert is_pending(back, A=other, B=dword(0))
    assert not is_pending(back, A=JUNK, B=dword(0))


@pytest.mark.parametrize(
    "value", [Value(Type.REG_MULTI_SZ, ("\u20ac" * 900,) * 3), Value(Type.REG_BINARY, tuple(range(256)) * 9)]
)
def test_big_values_of_every_type(value: Value) -> None:
    assert isinstance(notes.short(value), notes.Digest)


def test_too_much_for_one_note() -> None:
    many = [(Setting(r"SYSTEM\X", f"stray {number}"), dword(1), ABSENT) for number in range(1500)]
    with pytest.raises(ExchangeTlsError, match=r"too much for one change: 1500 values.*Nothing was changed"):
        notes.begun(None, False, BOOT, plan(*many))


# --- two runs at once ------------------------------------------------------------------------------------------------


def unfinished(owner: Owner | None, written: datetime.datetime | None = NOW) -> Note:
    return Note(BOOT, {A: ABSENT}, {A: ABSENT}, written=written, owner=owner)


ELSEWHERE = dataclasses.replace(me(), controller="other", pid=7)
MINUTES = datetime.timedelta(minutes=1)


def test_a_run_of_another_controller_gets_some_minutes() -> None:
    for age in (0 * MINUTES, 4 * MINUTES, -4 * MINUTES):
        with pytest.raises(AnotherRun, match=r"since 2026-11-20T03:34:05Z \(process 7 on other\).*after .*03:39:05Z"):
            notes.refuse_another(unfinished(ELSEWHERE), NOW + age)
    for age in (6 * MINUTES, -6 * MINUTES):
        notes.refuse_another(unfinished(ELSEWHERE), NOW + age)


def test_a_run_of_this_controller_is_at_work_as_long_as_it_lives() -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        alive = dataclasses.replace(me(), pid=process.pid, start=str(owners._start(process.pid)))
        with pytest.raises(AnotherRun, match="Or end it, or set 'force'"):
            notes.refuse_another(unfinished(alive), NOW + 60 * MINUTES)
        process.kill()
        process.wait()
    notes.refuse_another(unfinished(alive), NOW)


@pytest.mark.parametrize(
    "note", [None, unfinished(None), unfinished(ELSEWHERE, None), unfinished(ELSEWHERE).finished(), unfinished(me())]
)
def test_nobody_else_is_at_work(note: Note | None) -> None:
    notes.refuse_another(note, NOW)


def test_claiming() -> None:
    windows = FakeWindows()
    registry = registry_of(windows)
    mine, other = unfinished(me()), unfinished(ELSEWHERE)
    notes.claim(registry, mine, None)
    notes.confirm(registry, mine)
    with pytest.raises(AnotherRun, match="since it was read; nothing was changed"):
        notes.claim(registry, other, None)
    notes.confirm(registry, mine)
    notes.claim(registry, other, mine)
    with pytest.raises(AnotherRun, match=r"at the same time \(process 7 on other\)"):
        notes.confirm(registry, mine)


def test_another_run_writes_its_note_over_the_new_one() -> None:
    windows = FakeWindows()
    other = Value(Type.REG_SZ, unfinished(ELSEWHERE).encode())

    def overwrite(call: Call) -> None:
        if call.method == "GetStringValue" and windows.count("SetStringValue"):
            windows.hive.set(notes.KEY, notes.NAME, other)

    windows.trouble = overwrite
    with pytest.raises(AnotherRun, match="at the same time"):
        notes.claim(registry_of(windows), unfinished(me()), None)
    assert windows.hive.get(notes.KEY, notes.NAME) == other, "it is theirs"


# --- against the present values --------------------------------------------------------------------------------------


def settled(note: Note, boot: datetime.datetime = BOOT, **now: Value) -> tuple[Any, FakeWindows, Reader]:
    windows = FakeWindows({A.key: now})
    reader = Reader(registry_of(windows))
    return pending_after(note, boot, reader), windows, reader


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
    note = Note.decode(notes.without_services(Moment(BOOT, NOW)).encode())
    assert settled(note)[0].restart_pending
    assert not settled(note, LATER)[0].restart_pending


# --- restarts and clocks ---------------------------------------------------------------------------------------------

FIRST, SECOND = (1, 2, 3, 4, 5, 6, 7, 8), (2, 2, 3, 4, 5, 6, 7, 8)


@pytest.mark.parametrize(
    ("moved", "shutdown", "pending", "doubt"),
    [
        pytest.param(0, FIRST, True, None, id="nothing happened"),
        pytest.param(5, FIRST, True, None, id="the clock was corrected forward"),
        pytest.param(-5, FIRST, True, None, id="the clock was corrected back"),
        pytest.param(60, FIRST, True, None, id="a minute forward"),
        pytest.param(-3600, FIRST, True, None, id="an hour back"),
        pytest.param(3600 * 8, SECOND, False, None, id="restarted"),
        pytest.param(3600 * 8, FIRST, True, "its clock was set forward", id="hours forward, or a loss of power"),
        pytest.param(-3600, SECOND, True, "its clock was set back", id="restarted, and the clock was set back"),
        pytest.param(3600 * 8, None, False, None, id="restarted, and no second witness"),
        pytest.param(5, None, True, None, id="corrected, and no second witness"),
    ],
)
def test_two_witnesses_of_a_restart(moved: int, shutdown: Any, pending: bool, doubt: str | None) -> None:
    note = Note(BOOT, {A: ABSENT}, written=NOW, shutdown=FIRST)
    windows = FakeWindows({A.key: {"A": dword(1)}})
    if shutdown:
        windows.hive.make(SHUTDOWN_TIME.key)
        windows.hive.set(SHUTDOWN_TIME.key, SHUTDOWN_TIME.name, Value(Type.REG_BINARY, shutdown))
    found = pending_after(note, BOOT + datetime.timedelta(seconds=moved), Reader(registry_of(windows)))
    assert found.restart_pending is pending
    assert found.restarted is not pending
    assert (doubt or "") in (found.warning or "")
    assert bool(found.warning) is bool(doubt)


@pytest.mark.parametrize(
    ("moved", "pending"), [(0, True), (5, True), (-5, True), (300, True), (-86400, True), (3600, False)]
)
def test_notes_of_version_0_1(moved: int, pending: bool) -> None:
    """They know the boot time only: what may be a correction of the clock counts as no restart."""
    windows = FakeWindows({A.key: {"A": dword(1)}})
    found = pending_after(
        Note(BOOT, {A: ABSENT}), BOOT + datetime.timedelta(seconds=moved), Reader(registry_of(windows))
    )
    assert found.restart_pending is pending
    assert windows.count("GetBinaryValue") == 0


def test_a_time_of_shutdown_that_may_not_be_read_is_no_witness() -> None:
    windows = FakeWindows({A.key: {"A": dword(1)}, SHUTDOWN_TIME.key: {}})
    windows.trouble = lambda call: Trouble(code=5) if call.name == SHUTDOWN_TIME.name else None
    note = Note(BOOT, {A: ABSENT}, written=NOW, shutdown=FIRST)
    reader = Reader(registry_of(windows))
    assert not pending_after(note, LATER, reader).restart_pending
    assert reader.failures == {}, "it is none of the settings"
