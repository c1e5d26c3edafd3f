# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the registry through StdRegProv, with every return code and shape of answer of docs/reference/wsman.md."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    ConnectionLost,
    RegistryAccessDenied,
    RegistryError,
    UnexpectedAnswer,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import (
    ABSENT,
    Type,
    Value,
    dword,
    show,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.registry import Registry
from hypothesis import given
from hypothesis import strategies as st

from ..fakes import FakeWindows, Trouble, registry_of
from ..wire.test_wmi import Session

KEY = r"SYSTEM\Test Key, with/odd (names)"

TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xD7FF))
VALUES = st.one_of(
    st.builds(Value, st.just(Type.REG_DWORD), st.integers(0, 2**32 - 1)),
    st.builds(Value, st.just(Type.REG_QWORD), st.integers(0, 2**64 - 1)),
    st.builds(Value, st.just(Type.REG_SZ), TEXT),
    st.builds(Value, st.just(Type.REG_EXPAND_SZ), TEXT),
    st.builds(Value, st.just(Type.REG_MULTI_SZ), st.lists(TEXT).map(tuple)),
    st.builds(Value, st.just(Type.REG_BINARY), st.lists(st.integers(0, 255)).map(tuple)),
)


def host(**values: Value) -> tuple[FakeWindows, Registry]:
    windows = FakeWindows({KEY: values})
    return windows, registry_of(windows)


def scripted(*answers: str) -> Registry:
    """A registry at the end of a session that gives these bodies."""
    return Registry(cast(Any, Session(*answers)))


def output(method: str, content: str) -> str:
    return f"<p:{method}_OUTPUT>{content}</p:{method}_OUTPUT>"


# --- values ----------------------------------------------------------------------------------------------------------


@given(VALUES)
def test_reading_what_is_asked_for(value: Value) -> None:
    windows, registry = host(Name=value)
    assert value.type is not None
    assert registry.get(KEY, "nAmE", value.type) == value
    assert len(windows.calls) == 1


@given(VALUES, st.sampled_from([kind for kind in Type if kind is not Type.OTHER]))
def test_reading_as_another_type(value: Value, kind: Type) -> None:
    windows, registry = host(Name=value, Other=dword(1))
    assert registry.get(KEY, "NAME", kind) == value
    assert len(windows.calls) == (1 if kind is value.type else 3)


@given(VALUES, st.sampled_from([kind for kind in Type if kind is not Type.OTHER]))
def test_a_lone_default_value_of_any_type_is_read_as_what_it_is(value: Value, kind: Type) -> None:
    windows, registry = host(**{"": value})
    windows.hide_lone_defaults = True
    assert registry.get(KEY, "", kind) == value
    assert len(windows.calls) <= 7


@pytest.mark.parametrize("kind", list(Type))
def test_a_lone_default_value_without_a_method_is_not_absent(kind: Type) -> None:
    windows, registry = host(**{"": Value(Type.OTHER)})
    windows.hide_lone_defaults = True
    assert registry.get(KEY, "", kind) == Value(Type.OTHER)


def test_a_lone_default_value_that_has_gone_meanwhile_is_absent() -> None:
    windows, registry = host(**{"": dword(1)})
    windows.hide_lone_defaults = True

    def vanish(call: Any) -> None:
        if call.method == "EnumValues":
            windows.hive.values.clear()

    windows.trouble = vanish
    assert registry.get(KEY, "", Type.REG_SZ) == ABSENT


def test_types_without_a_method() -> None:
    _windows, registry = host(Name=Value(Type.OTHER))
    assert registry.get(KEY, "Name") == Value(Type.OTHER)


def test_type_without_a_method_that_has_gone() -> None:
    """What is expected to be of such a type is looked for, not taken on trust."""
    _windows, registry = host(Name=dword(1))
    assert registry.get(KEY, "Name", Type.OTHER) == dword(1)
    assert registry.get(KEY, "Missing", Type.OTHER) == ABSENT
    assert registry.get(r"SYSTEM\Missing", "Name", Type.OTHER) is None


@pytest.mark.parametrize("kind", [kind for kind in Type if kind is not Type.OTHER])
def test_missing_value(kind: Type) -> None:
    _windows, registry = host()
    assert registry.get(KEY, "Name", kind) == ABSENT


@pytest.mark.parametrize("kind", [kind for kind in Type if kind is not Type.OTHER])
def test_missing_key(kind: Type) -> None:
    _windows, registry = host()
    # GetMultiStringValue returns 2 for both, so it tells nothing of the key
    expected = ABSENT if kind is Type.REG_MULTI_SZ else None
    assert registry.get(r"SYSTEM\Missing", "Name", kind) == expected


def test_default_value() -> None:
    windows, registry = host(**{"": Value(Type.REG_SZ, "x"), "Name": dword(2)})
    assert registry.get(KEY, "", Type.REG_SZ) == Value(Type.REG_SZ, "x")
    assert windows.calls[0].name == ""
    assert registry.value_types(KEY) == {"": Type.REG_SZ, "Name": Type.REG_DWORD}


def test_deleted_between_two_requests() -> None:
    windows, registry = host(Name=Value(Type.REG_SZ, "x"))

    def vanish(call: Any) -> None:
        if call.method == "EnumValues":
            windows.hive.values.clear()

    windows.trouble = vanish
    assert registry.get(KEY, "Name") == ABSENT


def test_host_that_contradicts_itself() -> None:
    windows, registry = host(Name=dword(1))
    windows.trouble = lambda call: Trouble(code=0x80041005) if call.method == "GetDWORDValue" else None
    with pytest.raises(RegistryError, match=r"lists it as REG_DWORD but refuses to read it so"):
        registry.get(KEY, "Name")


@pytest.mark.parametrize(
    ("method", "kind", "content", "expected"),
    [
        ("GetDWORDValue", Type.REG_DWORD, "<p:uValue>-1</p:uValue><p:ReturnValue>0</p:ReturnValue>", 2**32 - 1),
        ("GetDWORDValue", Type.REG_DWORD, "<uValue>1</uValue><ReturnValue>0</ReturnValue>", 1),
        ("GetQWORDValue", Type.REG_QWORD, "<p:uValue>18446744073709551615</p:uValue>", 2**64 - 1),
        ("GetStringValue", Type.REG_SZ, "<p:sValue/><p:ReturnValue>0</p:ReturnValue>", ""),
        ("GetStringValue", Type.REG_SZ, '<p:sValue xsi:nil="true"/><p:ReturnValue>0</p:ReturnValue>', ""),
        ("GetStringValue", Type.REG_SZ, "<p:sValue> a b </p:sValue><p:ReturnValue>0</p:ReturnValue>", " a b "),
        ("GetMultiStringValue", Type.REG_MULTI_SZ, "<p:ReturnValue>0</p:ReturnValue>", ()),
        ("GetMultiStringValue", Type.REG_MULTI_SZ, '<p:sValue xsi:nil="true"/><p:ReturnValue>0</p:ReturnValue>', ()),
        ("GetMultiStringValue", Type.REG_MULTI_SZ, "<p:sValue/><p:ReturnValue>0</p:ReturnValue>", ("",)),
        ("GetBinaryValue", Type.REG_BINARY, "<p:ReturnValue>0</p:ReturnValue>", ()),
        ("GetBinaryValue", Type.REG_BINARY, '<p:uValue xsi:nil="true"/><p:ReturnValue>0</p:ReturnValue>', ()),
        ("GetBinaryValue", Type.REG_BINARY, "<p:uValue>7</p:uValue><p:ReturnValue>0</p:ReturnValue>", (7,)),
    ],
)
def test_shapes_of_answers(method: str, kind: Type, content: str, expected: Any) -> None:
    assert scripted(output(method, content)).get(KEY, "Name", kind) == Value(kind, expected)


@pytest.mark.parametrize("content", ['<p:uValue xsi:nil="true"/>', "", "<p:uValue>rubbish</p:uValue>"])
@pytest.mark.parametrize("code", ["1", "2"])
def test_data_of_a_failure_does_not_count(content: str, code: str) -> None:
    registry = scripted(output("GetDWORDValue", f"{content}<p:ReturnValue>{code}</p:ReturnValue>"))
    assert registry.get(KEY, "Name") == (ABSENT if code == "1" else None)


@pytest.mark.parametrize("content", ["<p:ReturnValue>0</p:ReturnValue>", ""])
def test_success_without_data(content: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=r"reports success but sends no data"):
        scripted(output("GetDWORDValue", content)).get(KEY, "Name")


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (Type.REG_DWORD, 2**32),
        (Type.REG_DWORD, -(2**31) - 1),
        (Type.REG_DWORD, 10**40),
        (Type.REG_QWORD, 2**64),
        (Type.REG_QWORD, -(2**63) - 1),
    ],
)
def test_number_that_its_type_cannot_hold(kind: Type, number: int) -> None:
    """It is not some other number, and above all not 0."""
    method = {Type.REG_DWORD: "GetDWORDValue", Type.REG_QWORD: "GetQWORDValue"}[kind]
    content = f"<p:uValue>{number}</p:uValue><p:ReturnValue>0</p:ReturnValue>"
    with pytest.raises(UnexpectedAnswer, match=f"the host sends a number that no {kind.value} can hold"):
        scripted(output(method, content)).get(KEY, "Name", kind)


def test_access_denied() -> None:
    windows, registry = host(Name=dword(1))
    windows.trouble = lambda call: Trouble(code=5)
    for read in (lambda: registry.get(KEY, "Name"), lambda: registry.subkeys(KEY), lambda: registry.value_types(KEY)):
        with pytest.raises(RegistryAccessDenied, match="Administrators") as caught:
            read()
        assert caught.value.details["return_code"] == 5
        assert KEY in caught.value.message
        assert caught.value.as_result()["kind"] == "access_denied"


@pytest.mark.parametrize("code", [3, 87, 1005, 0x80041001])
def test_other_codes(code: int) -> None:
    windows, registry = host(Name=dword(1))
    windows.trouble = lambda call: Trouble(code=code)
    with pytest.raises(RegistryError, match=rf"StdRegProv returned {code} \(0x{code:08x}\)"):
        registry.get(KEY, "Name")


def test_reads_may_be_repeated_and_say_what_they_do() -> None:
    windows, registry = host(Name=dword(1))
    windows.trouble = lambda call: Trouble(ConnectionLost("it broke"))
    with pytest.raises(ConnectionLost):
        registry.get(KEY, "Name")
    assert windows.calls[0].repeatable


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x1f", "\ufffe", "\uffff", "\ud800"])
def test_what_no_message_can_carry_is_not_sent(character: str) -> None:
    windows, registry = host()
    code = f"U\\+{ord(character):04X}"
    for attempt in (
        lambda: registry.get(f"{KEY}{character}", "Name"),
        lambda: registry.get(KEY, character),
        lambda: registry.set(KEY, "Name", Value(Type.REG_SZ, f"a{character}")),
        lambda: registry.set(KEY, "Name", Value(Type.REG_MULTI_SZ, ("a", character))),
    ):
        with pytest.raises(RegistryError, match=code):
            attempt()
    assert windows.calls == []


# --- what people see -------------------------------------------------------------------------------------------------


def test_names_and_data_are_visible_and_short_for_people() -> None:
    evil = "\u202eevil\x9b\n" + "x" * 5000
    for text in (
        show(rf"SOFTWARE\{evil}", evil),
        str(Value(Type.REG_SZ, evil)),
        str(Value(Type.REG_MULTI_SZ, (evil,))),
    ):
        assert text.isprintable()
        assert len(text) < 1200
        assert "more characters)" in text
    assert len(str(Value(Type.REG_BINARY, (0,) * 5000))) < 600
    assert Value(Type.REG_SZ, evil).as_result()["data"] == evil
    assert show(r"SOFTWARE\A", "B") == r"HKLM\SOFTWARE\A [B]"


# --- listings --------------------------------------------------------------------------------------------------------


def test_subkeys() -> None:
    windows = FakeWindows({rf"{KEY}\{name}": {} for name in ("TLS 1.2", "TLS 1,2", "TLS 1.2 ", "DES 56/56")})
    registry = registry_of(windows)
    assert registry.subkeys(KEY) == ("DES 56/56", "TLS 1,2", "TLS 1.2", "TLS 1.2 ")
    assert registry.subkeys(rf"{KEY}\TLS 1.2".upper()) == ()
    assert registry.subkeys(rf"{KEY}\Missing") is None


@pytest.mark.parametrize(
    "names", ["", '<p:sNames xsi:nil="true"/>', '<p:sNames xsi:nil="true"/><p:Types xsi:nil="true"/>']
)
def test_no_more_items_is_an_empty_list(names: str) -> None:
    """ERROR_NO_MORE_ITEMS: some answer so to an enumeration that finds nothing."""
    assert scripted(output("EnumKey", f"{names}<p:ReturnValue>259</p:ReturnValue>")).subkeys(KEY) == ()
    assert scripted(output("EnumValues", f"{names}<p:ReturnValue>259</p:ReturnValue>")).value_types(KEY) == {}


@pytest.mark.parametrize("content", ["", '<p:sNames xsi:nil="true"/>'])
@pytest.mark.parametrize("code", ["<p:ReturnValue>0</p:ReturnValue>", ""])
def test_empty_listings(content: str, code: str) -> None:
    """A null array is left out, or nil; a void answer is success."""
    assert scripted(output("EnumKey", content + code)).subkeys(KEY) == ()
    types = content.replace("sNames", "Types")
    assert scripted(output("EnumValues", content + types + code)).value_types(KEY) == {}


def test_value_types() -> None:
    values = {kind.value: Value(kind, {"REG_MULTI_SZ": (), "REG_BINARY": ()}.get(kind.value, 0)) for kind in Type}
    _windows, registry = host(**values)
    assert registry.value_types(KEY) == {kind.value: kind for kind in Type}
    assert registry.value_types(r"SYSTEM\Missing") is None


def test_value_types_that_do_not_match() -> None:
    content = "<p:sNames>a</p:sNames><p:sNames>b</p:sNames><p:Types>4</p:Types><p:ReturnValue>0</p:ReturnValue>"
    with pytest.raises(UnexpectedAnswer, match="2 names came with 1 types"):
        scripted(output("EnumValues", content)).value_types(KEY)


def test_default_value_in_a_listing() -> None:
    for name in ("<p:sNames/>", "<p:sNames></p:sNames>", '<p:sNames xsi:nil="true"/>'):
        content = (
            f"{name}<p:sNames>b</p:sNames><p:Types>1</p:Types><p:Types>4</p:Types><p:ReturnValue>0</p:ReturnValue>"
        )
        assert scripted(output("EnumValues", content)).value_types(KEY) == {"": Type.REG_SZ, "b": Type.REG_DWORD}


# --- values as results -----------------------------------------------------------------------------------------------


@given(VALUES)
def test_results_go_both_ways(value: Value) -> None:
    assert value.present
    assert Value.from_result(value.as_result()) == value
    assert str(value).startswith(str(value.as_result()["type"]))


@pytest.mark.parametrize("value", [ABSENT, Value(Type.OTHER)])
def test_values_without_data(value: Value) -> None:
    assert Value.from_result(value.as_result()) == value
    assert str(value) in ("absent", "of a type that WMI cannot read")


@pytest.mark.parametrize(
    "given",
    [
        {"present": True},
        {"present": True, "type": "REG_NONSENSE", "data": 1},
        {"present": True, "type": "REG_DWORD", "data": None},
        {"present": True, "type": "REG_DWORD", "data": "1"},
        {"present": True, "type": "REG_DWORD", "data": True},
        {"present": True, "type": "REG_DWORD", "data": -1},
        {"present": True, "type": "REG_DWORD", "data": 2**32},
        {"present": True, "type": "REG_DWORD", "data": 1.0},
        {"present": True, "type": "REG_QWORD", "data": 2**64},
        {"present": True, "type": "REG_SZ", "data": 1},
        {"present": True, "type": "REG_MULTI_SZ", "data": "abc"},
        {"present": True, "type": "REG_MULTI_SZ", "data": [1]},
        {"present": True, "type": "REG_BINARY", "data": ["a"]},
        {"present": True, "type": "REG_BINARY", "data": [256]},
        {"present": True, "type": "REG_BINARY", "data": [-1]},
        {"present": True, "type": "REG_BINARY", "data": [True]},
    ],
)
def test_results_that_make_no_sense(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is not a"):
        Value.from_result(given)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (dword(0), "REG_DWORD 0"),
        (dword(1), "REG_DWORD 1"),
        (dword(0xFFFFFFFF), "REG_DWORD 4294967295 (0xffffffff)"),
        (Value(Type.REG_SZ, "1"), "REG_SZ '1'"),
        (Value(Type.REG_BINARY, (1, 255)), "REG_BINARY 01 ff"),
        (Value(Type.REG_MULTI_SZ, ("a", "b")), "REG_MULTI_SZ ('a', 'b')"),
    ],
)
def test_shown(value: Value, shown: str) -> None:
    assert str(value) == shown


def test_places_are_shown_as_people_write_them() -> None:
    assert show(r"SYSTEM\X") == r"HKLM\SYSTEM\X"
    assert show(r"SYSTEM\X", "Enabled") == r"HKLM\SYSTEM\X [Enabled]"
