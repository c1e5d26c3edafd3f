# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strays are read no more than needed, and removed without harm."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.strays.find import (
    VALUES,
    Kind,
    Reason,
    Stray,
    keys_to_read,
    overlooked,
    removal,
    strays,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.strays.names import WINDOWS_PROTOCOLS
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.strays.tree import KEYS, SIDES_AT_MOST
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.names import fold
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS_KEY,
    SIDES,
    VALUE_NAMES,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting, Snapshot
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value, dword
from hypothesis import given
from hypothesis import strategies as st

from .stray_machine import ON, Machine, windows_own, windows_reads

# --- reading ---------------------------------------------------------------------------------------------------------


def test_before_anything_is_read_the_protocols_are_wanted() -> None:
    wanted = keys_to_read(Snapshot({}, {}))
    assert (wanted.subkeys, wanted.listed, wanted.values) == ((PROTOCOLS_KEY,), (), ())
    wanted = keys_to_read(Snapshot({}, {PROTOCOLS_KEY.lower(): True}))
    assert (wanted.subkeys, wanted.listed, wanted.values) == ((PROTOCOLS_KEY,), (PROTOCOLS_KEY,), ())


def test_a_host_without_any_key_costs_a_look_at_the_values_of_protocols() -> None:
    snapshot, requests = Machine().read()
    assert (strays(snapshot), requests) == ((), 2)


def test_the_cost_of_one_stray_key() -> None:
    clean = {"TLS 1.2\\Client": ON, "TLS 1.2\\Server": ON}
    # its keys, its values, and its default value, which no listing shows
    assert Machine({**clean, "TLS 1,2": {}}).read()[1] == Machine(clean).read()[1] + 3


@pytest.mark.parametrize("protocol", ["TLS 1.2", "TLS 1.0", "DTLS 1.2"])
@pytest.mark.parametrize("right", [{}, {"Enabled": dword(1)}, {"DisabledByDefault": dword(0)}, ON])
def test_what_is_found_does_not_depend_on_the_right_values_beside_it(protocol: str, right: Mapping[str, Value]) -> None:
    side = f"{protocol}\\Server"
    machine = Machine({side: {**right, "увімкнено": dword(1), "": dword(3)}, f"{side}\\Enabled": {"": dword(1)}})
    snapshot, _requests = machine.read()
    found = strays(snapshot)
    assert {(stray.key[len(PROTOCOLS_KEY) + 1 :], stray.name) for stray in found} == {
        (side, "увімкнено"),
        (side, ""),
        (f"{side}\\Enabled", None),
    }
    assert not removal(found, snapshot).refused


def test_beyond_a_number_of_sides_only_those_of_tls_1_2_are_looked_into() -> None:
    right = {f"{protocol}\\{side}": ON for protocol in WINDOWS_PROTOCOLS[1:] for side in SIDES}
    strange = {f"{path}\\Enabled": {"": dword(1)} for path in right}
    few = dict(list(right.items())[:SIDES_AT_MOST])
    assert len(strays(Machine({**few, **{path: strange[path] for path in strange if path[:-8] in few}}).read()[0])) == 7
    snapshot, _requests = Machine({**right, **strange}).read()
    assert {stray.key[len(PROTOCOLS_KEY) + 1 :] for stray in strays(snapshot)} == {
        "TLS 1.2\\Client\\Enabled",
        "TLS 1.2\\Server\\Enabled",
    }
    assert len(overlooked(snapshot)[1]) == len(right) - 2


def test_thousands_of_stray_keys_cost_hundreds_of_requests() -> None:
    machine = Machine({f"junk {number:04}\\Client": ON for number in range(1500)})
    snapshot, requests = machine.read()
    found = strays(snapshot)
    assert requests < 600
    assert len(found) == KEYS
    keys, _sides = overlooked(snapshot)
    assert len(keys) == 1500 - KEYS + KEYS  # and the client's key in each of those looked into
    plan = removal(found, snapshot)
    # what is in them was not looked into
    assert not plan.keys
    assert len(plan.refused) == KEYS


def test_thousands_of_values_cost_hundreds_of_requests() -> None:
    machine = Machine({"TLS 1.2\\Client": {**ON, **{f"x{number}": dword(1) for number in range(5000)}}})
    snapshot, requests = machine.read()
    assert requests < 300
    plan = removal(strays(snapshot), snapshot)
    assert len(plan.values) == VALUES
    assert len(plan.refused) == 5000 - VALUES
    assert {item.reason.rpartition("] ")[2] for item in plan.refused} == {"was not read, so it cannot be backed up."}


def test_right_keys_that_nobody_read_are_read_to_see_whether_they_lack_the_values() -> None:
    machine = Machine({"DTLS 1.2\\Client": ON, "DTLS 1,2\\Client": ON})
    snapshot = machine.audit()
    unread = {setting: value for setting, value in snapshot.values.items() if "DTLS" not in setting.key}
    key = f"{PROTOCOLS_KEY}\\DTLS 1,2"
    listed = {key.lower(): {}, f"{key}\\Client".lower(): machine.listing(f"{key}\\Client")}
    subkeys = {**snapshot.subkeys, key.lower(): ("Client",), f"{key}\\Client".lower(): ()}
    wanted = keys_to_read(dataclasses.replace(snapshot, values=unread, listed=listed, subkeys=subkeys))
    right = {Setting(f"{PROTOCOLS_KEY}\\DTLS 1.2\\Client", name) for name in VALUE_NAMES}
    assert right <= {setting for setting, _kind in wanted.values}


# --- removal ---------------------------------------------------------------------------------------------------------


NAME = st.one_of(
    st.sampled_from([*WINDOWS_PROTOCOLS, *SIDES, *VALUE_NAMES, "TLS 1,2", "TLS 1.2 ", "Klient", " Server", "Disabled"]),
    st.text(st.characters(exclude_characters="\\", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8),
)
VALUE = st.one_of(
    st.integers(0, 2).map(dword),
    st.just(Value(Type.REG_SZ, "x")),
    st.just(Value(Type.OTHER)),
    st.just(dword(2**32 - 1)),
)
CONTENT = st.dictionaries(
    st.lists(NAME, max_size=5).map("\\".join),
    st.dictionaries(st.one_of(NAME, st.just("")), VALUE, max_size=3),
    max_size=8,
)


@given(CONTENT)
def test_removal_touches_nothing_that_windows_looks_at_and_ends(content: Mapping[str, Mapping[str, Value]]) -> None:
    machine = Machine(content)
    snapshot, _requests = machine.read()
    found = strays(snapshot)
    before = {key: dict(values) for key, values in machine.values.items() if windows_own(key)}
    plan = removal(found, snapshot)
    assert not any(windows_own(key) for key in plan.keys)
    assert not any(windows_reads(setting) for setting in plan.values)
    # all that goes was read, so that it can be put back
    assert all(snapshot.values[setting] == machine.value(setting) for setting in plan.values)
    assert all(snapshot.values[setting].type is not Type.OTHER for setting in plan.values)
    machine.delete(plan.values, plan.keys)
    for key, values in before.items():
        kept = {name: value for name, value in values.items() if windows_reads(Setting(key, name))}
        assert kept.items() <= machine.values[key].items()
    left = {(stray.kind, stray.key, stray.name) for stray in strays(machine.read()[0])}
    refused = {(item.stray.kind, item.stray.key, item.stray.name) for item in plan.refused}
    assert left <= refused
    # a key stays only if it holds something that could not be backed up
    for item in plan.refused:
        assert item.reason
        assert fold(item.stray.key) in machine.keys


@given(CONTENT)
def test_every_ignored_value_is_held_by_exactly_one_stray(content: Mapping[str, Mapping[str, Value]]) -> None:
    machine = Machine(content)
    snapshot, _requests = machine.read()
    held = [item.setting for stray in strays(snapshot) for item in stray.holds]
    assert len(held) == len(set(held))
    base = PROTOCOLS_KEY.count("\\")
    ignored = {
        Setting(key, name)
        for key, values in machine.values.items()
        for name in values
        if key.count("\\") <= base + 3 and not windows_reads(Setting(key, name))
    }
    assert set(held) == ignored


def test_children_go_before_parents_and_values_before_keys() -> None:
    machine = Machine({"TLS 1,2\\Klient\\Enabled": {"": dword(1)}, "TLS 1,2\\Server": ON})
    snapshot, _requests = machine.read()
    plan = removal(strays(snapshot), snapshot)
    base = f"{PROTOCOLS_KEY}\\TLS 1,2"
    assert plan.keys == (f"{base}\\Klient\\Enabled", f"{base}\\Klient", f"{base}\\Server", base)
    assert set(plan.values) == {
        Setting(f"{base}\\Klient\\Enabled", ""),
        Setting(f"{base}\\Server", "Enabled"),
        Setting(f"{base}\\Server", "DisabledByDefault"),
    }


def test_what_was_not_read_is_refused() -> None:
    machine = Machine({"TLS 1,2": {"Enabled": dword(1)}})
    snapshot = machine.audit()
    found = strays(snapshot)
    key = f"{PROTOCOLS_KEY}\\TLS 1,2"

    def reasons(known: Snapshot) -> list[str]:
        plan = removal(found, known)
        assert not plan.keys
        assert not plan.values
        return [item.reason for item in plan.refused]

    assert reasons(snapshot) == [f"HKLM\\{key} may hold keys: they were not listed, so they cannot be backed up."]
    listed_keys = dataclasses.replace(snapshot, subkeys={**snapshot.subkeys, key.lower(): ()})
    assert reasons(listed_keys) == [f"HKLM\\{key} may hold values: they were not listed, so they cannot be backed up."]
    listed = dataclasses.replace(listed_keys, listed={key.lower(): {"Enabled": Type.REG_DWORD}})
    assert reasons(listed) == [f"HKLM\\{key} [Enabled] was not read, so it cannot be backed up."]
    empty = dataclasses.replace(listed_keys, listed={key.lower(): {}})
    assert reasons(empty) == [f"HKLM\\{key} may hold a default value: it was not read, so it cannot be backed up."]


@pytest.mark.parametrize("path", ["TLS 1,2", "TLS 1,2\\Client"])
def test_a_value_that_cannot_be_written_back_keeps_its_key_and_those_above(path: str) -> None:
    machine = Machine({path: {"x": Value(Type.OTHER)}, "TLS 1,2\\Klient": ON})
    snapshot, _requests = machine.read()
    plan = removal(strays(snapshot), snapshot)
    assert plan.keys == (f"{PROTOCOLS_KEY}\\TLS 1,2\\Klient",)
    assert [item.reason for item in plan.refused] == [
        (
            f"HKLM\\{PROTOCOLS_KEY}\\{path} [x] is of a type that WMI can neither read nor write, so it cannot "
            "be put back as it is."
        )
    ]
    assert plan.refused[0].as_result() == {
        "key": f"HKLM\\{PROTOCOLS_KEY}\\TLS 1,2",
        "value": None,
        "message": plan.refused[0].reason,
    }


def test_keys_deeper_than_the_reading_goes_are_refused() -> None:
    machine = Machine({"a\\b\\c\\d": {}})
    snapshot, _requests = machine.read()
    plan = removal(strays(snapshot), snapshot)
    assert not plan.keys
    assert {item.reason for item in plan.refused} == {
        f"HKLM\\{PROTOCOLS_KEY}\\a\\b\\c\\d is more than 3 levels below Protocols, deeper than keys are read."
    }


@pytest.mark.parametrize("path", ["", "TLS 1.2", "tls 1.2\\CLIENT", "Multi-Protocol Unified Hello\\Server"])
def test_windows_own_keys_are_refused_whoever_calls_them_strays(path: str) -> None:
    machine = Machine({path: {}})
    key = "\\".join(filter(None, (PROTOCOLS_KEY, path)))
    plan = removal([Stray(Kind.UNKNOWN_SIDE, key, None, None, Reason.UNRECOGNIZED)], machine.read()[0])
    assert not plan.keys
    assert [item.reason for item in plan.refused] == [f"HKLM\\{key} is a key that Windows looks at."]


def test_windows_own_values_are_refused_whoever_calls_them_strays() -> None:
    key = f"{PROTOCOLS_KEY}\\TLS 1.2\\Client"
    machine = Machine({"TLS 1.2\\Client": ON})
    plan = removal([Stray(Kind.UNKNOWN_VALUE, key, "ENABLED", None, Reason.UNRECOGNIZED)], machine.audit())
    assert not plan.values
    assert [item.reason for item in plan.refused] == [f"HKLM\\{key} [ENABLED] is a value that Windows reads."]


def test_keys_elsewhere_are_refused() -> None:
    stray = Stray(Kind.UNKNOWN_PROTOCOL, r"SOFTWARE\Foo", None, None, Reason.UNRECOGNIZED)
    plan = removal([stray], Snapshot({}, {}, {r"software\foo": ()}, {r"software\foo": {}}))
    assert not plan.keys
    assert len(plan.refused) == 1
