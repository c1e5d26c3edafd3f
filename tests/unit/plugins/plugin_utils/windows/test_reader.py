# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading in as few requests as there can be, and what is known from what was read."""

from __future__ import annotations

from collections import Counter

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    AccessDenied,
    OperationTimedOut,
    UnexpectedAnswer,
    Unreachable,
    WsmanFault,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.names import fold
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS,
    PROTOCOLS_KEY,
    SIDES,
    VALUE_NAMES,
    Side,
    State,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import (
    Setting,
    Snapshot,
    key_exists,
    parents,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.reader import Reader
from hypothesis import given
from hypothesis import strategies as st

from ..fakes import FakeWindows, Trouble, registry_of

STOCK: dict[str, dict[str, Value]] = {PROTOCOLS_KEY: {}}
FULL = {
    protocol_key(protocol, side): {name: dword(1) for name in VALUE_NAMES} for protocol in PROTOCOLS for side in SIDES
}
ENABLED = Setting(protocol_key("TLS 1.2", "Client"), "Enabled")


def read(content: dict[str, dict[str, Value]], *closely: str) -> tuple[FakeWindows, Snapshot]:
    windows = FakeWindows(content)
    reader = Reader(registry_of(windows))
    reader.protocols(lambda _snapshot: closely)
    return windows, reader.snapshot()


def test_stock_host_is_one_request() -> None:
    windows, snapshot = read(STOCK)
    assert [call.method for call in windows.calls] == ["EnumKey"]
    assert set(snapshot.values) == {
        Setting(protocol_key(protocol, side), name) for protocol in PROTOCOLS for side in SIDES for name in VALUE_NAMES
    }
    assert set(snapshot.values.values()) == {ABSENT}


def test_no_schannel_at_all_is_one_request() -> None:
    windows, snapshot = read({})
    assert len(windows.calls) == 1
    assert snapshot.key_exists(PROTOCOLS_KEY) is False
    assert snapshot.key_exists(protocol_key("TLS 1.2", "Client")) is False


def test_fully_configured_host() -> None:
    windows, snapshot = read(FULL)
    # the protocols, the sides of each, both values of each side
    assert len(windows.calls) == 1 + 10 + 40
    assert set(snapshot.values.values()) == {dword(1)}


@pytest.mark.parametrize(
    ("values", "gets"),
    [({}, 0), ({"Enabled": dword(1)}, 1), ({"Enabled": Value(Type.REG_SZ, "1"), "DisabledByDefault": dword(0)}, 2)],
)
def test_what_a_listing_tells_is_not_asked_for(values: dict[str, Value], gets: int) -> None:
    key = protocol_key("TLS 1.2", "Server")
    windows, snapshot = read({key: {**values, "увімкнено": dword(1)}}, key)
    assert set(snapshot.listed[fold(key)]) == {*values, "увімкнено"}
    assert len(windows.calls) == 1 + 1 + 1 + gets
    assert snapshot.side("TLS 1.2", "Server") == Side(*(values.get(name, ABSENT) for name in VALUE_NAMES))


# --- what cannot be read ---------------------------------------------------------------------------------------------

REFUSALS = {
    "no right": Trouble(code=5),
    "a fault": Trouble(AccessDenied("access denied")),
    "a code": Trouble(code=0x80041001),
    "a damaged answer": Trouble(UnexpectedAnswer("the answer holds no OUTPUT")),
}


@pytest.mark.parametrize("trouble", REFUSALS.values(), ids=REFUSALS)
def test_a_value_that_cannot_be_read_is_unknown_and_ends_nothing(trouble: Trouble) -> None:
    windows = FakeWindows(FULL)
    windows.trouble = lambda call: trouble if (call.key, call.name) == (ENABLED.key, "Enabled") else None
    reader = Reader(registry_of(windows))
    reader.protocols()
    snapshot = reader.snapshot()
    assert snapshot.value(ENABLED).problem
    assert snapshot.value(ENABLED).as_result() == {"present": None, "type": None, "data": None}
    assert snapshot.side("TLS 1.2", "Client").state is State.UNKNOWN
    assert snapshot.side("TLS 1.2", "Server").state is not State.UNKNOWN
    count = len(windows.calls)
    reader.value(ENABLED)
    assert len(windows.calls) == count, "it is not asked for again"


@pytest.mark.parametrize("trouble", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("method", ["EnumKey", "EnumValues"])
def test_a_key_that_cannot_be_listed_ends_nothing(method: str, trouble: Trouble) -> None:
    key = protocol_key("TLS 1.2")
    windows = FakeWindows(FULL)
    windows.trouble = lambda call: trouble if (call.key, call.method) == (key, method) else None
    reader = Reader(registry_of(windows))
    reader.protocols()
    reader.contents(key)
    snapshot = reader.snapshot()
    assert set(snapshot.unlisted) == {fold(key)}
    assert snapshot.side("TLS 1.2", "Client") == Side(dword(1), dword(1)), "what is below can be read all the same"


@pytest.mark.parametrize("error", [Unreachable("gone"), OperationTimedOut("slow"), WsmanFault("too many shells")])
def test_a_host_that_cannot_be_talked_to_is_something_else(error: Exception) -> None:
    windows = FakeWindows(FULL)
    windows.trouble = lambda call: Trouble(error) if call.name == "Enabled" else None
    with pytest.raises(type(error)):
        Reader(registry_of(windows)).protocols()


def test_host_as_windows_server_2016_comes() -> None:
    windows, snapshot = read({protocol_key("SSL 2.0", "Client"): {"DisabledByDefault": dword(1)}})
    assert [(call.method, call.key.removeprefix(PROTOCOLS_KEY)) for call in windows.calls] == [
        ("EnumKey", ""),
        ("EnumKey", r"\SSL 2.0"),
        ("GetDWORDValue", r"\SSL 2.0\Client"),
        ("GetDWORDValue", r"\SSL 2.0\Client"),
    ]
    assert snapshot.side("SSL 2.0", "Client").disabled_by_default == dword(1)


CONTENT = st.dictionaries(
    st.sampled_from([protocol_key(protocol, side) for protocol in PROTOCOLS for side in SIDES]),
    st.dictionaries(
        st.sampled_from([*VALUE_NAMES, "Other"]),
        st.sampled_from([dword(0), dword(1), Value(Type.REG_SZ, "1"), Value(Type.OTHER)]),
    ),
)


SIDE_KEYS = [protocol_key(protocol, side) for protocol in PROTOCOLS for side in SIDES]


@given(CONTENT, st.sets(st.sampled_from(SIDE_KEYS)))
def test_what_is_read_is_what_is_there(content: dict[str, dict[str, Value]], closely: set[str]) -> None:
    windows, snapshot = read(content, *sorted(closely))
    for setting, value in snapshot.values.items():
        assert value == windows.hive.get(setting.key, setting.name)
    for key, exists in snapshot.keys.items():
        assert exists is (key in windows.hive.keys)
    for key, listed in snapshot.subkeys.items():
        assert list(listed) == windows.hive.below(key)
    for key, types in snapshot.listed.items():
        assert dict(types) == {name: value.type for name, value in windows.hive.values_of(key).items()}
    for call in windows.calls[1:]:
        assert call.key.rpartition("\\")[0].lower() in windows.hive.keys, "nothing is asked below a missing key"


@given(CONTENT)
def test_nothing_is_read_twice(content: dict[str, dict[str, Value]]) -> None:
    windows = FakeWindows(content)
    reader = Reader(registry_of(windows))
    for _dummy in range(2):
        reader.protocols(lambda _snapshot: SIDE_KEYS)
        for setting in list(reader.snapshot().values):
            reader.value(Setting(setting.key.upper(), setting.name.lower()))
    asked = Counter((call.method, call.key.lower(), (call.name or "").lower()) for call in windows.calls)
    assert set(asked.values()) <= {1}


def test_case_does_not_matter() -> None:
    key = protocol_key("TLS 1.2", "Client").upper()
    _windows, snapshot = read({key: {"ENABLED": dword(1), "disabledbydefault": dword(0)}})
    assert snapshot.value(ENABLED) == dword(1)
    assert snapshot.side("TLS 1.2", "Client").disabled_by_default == dword(0)
    assert snapshot.key_exists(protocol_key("tls 1.2", "client")) is True


def test_similar_names_are_other_names() -> None:
    content = {
        rf"{PROTOCOLS_KEY}\{name}\Client": {"Enabled": dword(1)}
        for name in ("TLS 1,2", "TLS1.2", "TLS 1.2 ", "TLS  1.2")
    }
    _windows, snapshot = read(content)
    assert snapshot.value(ENABLED) == ABSENT
    assert snapshot.key_exists(protocol_key("TLS 1.2")) is False


def test_single_values() -> None:
    windows = FakeWindows({r"SOFTWARE\A": {"Text": Value(Type.REG_SZ, "x")}})
    reader = Reader(registry_of(windows))
    assert reader.value(Setting(r"SOFTWARE\A", "Text"), Type.REG_SZ) == Value(Type.REG_SZ, "x")
    assert reader.value(Setting(r"SOFTWARE\a", "TEXT")) == Value(Type.REG_SZ, "x")
    assert reader.value(Setting(r"SOFTWARE\B\C", "x")) == ABSENT
    assert reader.value(Setting(r"SOFTWARE\B\C", "y")) == ABSENT
    assert len(windows.calls) == 2, "the second value of a missing key costs nothing"
    snapshot = reader.snapshot()
    assert snapshot.key_exists(r"SOFTWARE\a") is True
    assert snapshot.key_exists("software") is True
    assert snapshot.key_exists(r"SOFTWARE\B\C") is False
    assert snapshot.key_exists(r"SOFTWARE\B\C\D") is False
    assert snapshot.key_exists(r"SOFTWARE\B") is None
    with pytest.raises(KeyError):
        snapshot.value(Setting(r"SOFTWARE\A", "Unread"))


def test_snapshots_do_not_change() -> None:
    windows = FakeWindows({r"SOFTWARE\A": {"x": dword(1)}})
    reader = Reader(registry_of(windows))
    before = reader.snapshot()
    reader.value(Setting(r"SOFTWARE\A", "x"))
    assert before.values == {}


def test_after() -> None:
    _windows, snapshot = read(STOCK)
    after = snapshot.after({ENABLED: dword(1), Setting(protocol_key("TLS 1.0", "Client"), "Enabled"): ABSENT})
    assert after.value(ENABLED) == dword(1)
    assert after.key_exists(ENABLED.key) is True
    assert after.key_exists(protocol_key("TLS 1.2")) is True
    assert after.key_exists(protocol_key("TLS 1.0")) is False
    assert snapshot.value(ENABLED) == ABSENT


def test_parents() -> None:
    assert parents(r"a\b\c") == (r"a\b\c", r"a\b", "a")
    assert parents("a") == ("a",)


@pytest.mark.parametrize(
    ("keys", "subkeys", "expected"),
    [
        ({}, {}, None),
        ({"a": True}, {}, None),
        ({"a": False}, {}, False),
        ({r"a\b": False}, {}, False),
        ({r"a\b\c": True}, {}, True),
        ({r"a\b": True}, {}, None),
        ({}, {"a": ()}, False),
        ({}, {"a": ("B",)}, None),
        ({"a": True}, {"a": ("x",)}, False),
        ({}, {r"a\b": ("x",)}, False),
        ({}, {r"a\b": ("C",), "a": ("b",)}, None),
    ],
)
def test_what_follows_about_keys(
    keys: dict[str, bool], subkeys: dict[str, tuple[str, ...]], expected: bool | None
) -> None:
    assert key_exists(r"A\B\C", keys, subkeys) is expected


@given(st.text("aA\\ "), st.text("aA "))
def test_settings_are_equal_without_regard_to_case(key: str, name: str) -> None:
    one, other = Setting(key.upper(), name.upper()), Setting(key.lower(), name.lower())
    assert one == other
    assert hash(one) == hash(other)
    assert one != Setting(key + "x", name)
    assert one != (key, name)
