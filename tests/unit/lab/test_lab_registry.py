# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""StdRegProv over the wire: return codes, types, names and rights as on Windows."""

from __future__ import annotations

import contextlib

import pytest

from tests.lab.client import HostClient, LabError
from tests.unit.lab.wire import HKLM, PROTOCOLS, STDREGPROV, Wire

WRONG_TYPE = str(0x80041005)
KEY = r"SOFTWARE\Lab Test"

TYPES = [
    ("DWORD", "uValue", "REG_DWORD", 4294967295, "4294967295"),
    ("QWORD", "uValue", "REG_QWORD", 18446744073709551615, "18446744073709551615"),
    ("String", "sValue", "REG_SZ", "a < b & c", "a < b & c"),
    ("ExpandedString", "sValue", "REG_EXPAND_SZ", r"%SystemRoot%\x", r"C:\Windows\x"),
    ("MultiString", "sValue", "REG_MULTI_SZ", ["one", "two", ""], ["one", "two", ""]),
    ("Binary", "uValue", "REG_BINARY", [0, 127, 255], ["0", "127", "255"]),
]


@pytest.fixture(autouse=True)
def empty_key(plain: HostClient) -> None:
    with contextlib.suppress(LabError):  # the first test finds none
        plain.delete_key(KEY)
    plain.create_key(KEY)


@pytest.mark.parametrize(("word", "output", "kind", "data", "text"), TYPES, ids=[item[0] for item in TYPES])
def test_each_type_is_read_and_written(
    wire: Wire, plain: HostClient, word: str, output: str, kind: str, data: object, text: object
) -> None:
    plain.set_value(KEY, "v", data, kind)
    assert wire.registry(f"Get{word}Value", KEY, ("sValueName", "V")) == {output: text, "ReturnValue": "0"}
    written = data if isinstance(data, list) else [data]
    arguments = [("sValueName", "w"), *((output, str(item)) for item in written)]
    assert wire.registry(f"Set{word}Value", KEY, *arguments) == {"ReturnValue": "0"}
    assert plain.registry(KEY) == {"v": {"type": kind, "data": data}, "w": {"type": kind, "data": data}}


@pytest.mark.parametrize(("word", "output", "kind", "data", "text"), TYPES, ids=[item[0] for item in TYPES])
def test_what_is_missing_or_of_another_type(
    wire: Wire, plain: HostClient, word: str, output: str, kind: str, data: object, text: object
) -> None:
    array = isinstance(data, list)
    missing_value = "2" if word == "MultiString" else "1"
    plain.set_value(KEY, "other", "1" if kind != "REG_SZ" else 1, "REG_SZ" if kind != "REG_SZ" else "REG_DWORD")
    for key, name, code in (
        (KEY, "absent", missing_value),
        (rf"{KEY}\absent", "v", "2"),
        (KEY, "other", WRONG_TYPE),
    ):
        expected = {"ReturnValue": code} if array else {output: None, "ReturnValue": code}
        assert wire.registry(f"Get{word}Value", key, ("sValueName", name)) == expected


def test_a_failed_get_may_leave_the_value_out(wire: Wire, plain: HostClient) -> None:
    plain.set_quirk("failed_get", "absent")
    assert wire.registry("GetDWORDValue", KEY, ("sValueName", "absent")) == {"ReturnValue": "1"}


def test_set_does_not_make_the_key(wire: Wire, plain: HostClient) -> None:
    key = rf"{KEY}\deep\down"
    assert wire.registry("SetDWORDValue", key, ("sValueName", "v"), ("uValue", "1")) == {"ReturnValue": "2"}
    assert plain.registry(key) is None
    assert wire.registry("CreateKey", key) == {"ReturnValue": "0"}
    assert wire.registry("CreateKey", key.upper()) == {"ReturnValue": "0"}
    assert plain.subkeys(rf"{KEY}\DEEP") == ["down"]
    assert wire.registry("SetDWORDValue", key, ("sValueName", "v"), ("uValue", "1")) == {"ReturnValue": "0"}
    assert plain.registry(key) == {"v": {"type": "REG_DWORD", "data": 1}}


def test_deleting(wire: Wire, plain: HostClient) -> None:
    plain.set_value(rf"{KEY}\sub", "v", 1)
    assert wire.registry("DeleteKey", KEY) == {"ReturnValue": "5"}  # it has a subkey
    assert wire.registry("DeleteValue", rf"{KEY}\sub", ("sValueName", "V")) == {"ReturnValue": "0"}
    assert wire.registry("DeleteValue", rf"{KEY}\sub", ("sValueName", "V")) == {"ReturnValue": "2"}
    assert wire.registry("DeleteValue", rf"{KEY}\none", ("sValueName", "V")) == {"ReturnValue": "2"}
    assert wire.registry("DeleteKey", rf"{KEY}\SUB") == {"ReturnValue": "0"}
    assert wire.registry("DeleteKey", rf"{KEY}\sub") == {"ReturnValue": "2"}
    assert plain.subkeys(KEY) == []


def test_enumerating(wire: Wire, plain: HostClient) -> None:
    assert wire.registry("EnumKey", KEY) == {"ReturnValue": "0"}  # empty arrays are not there at all
    assert wire.registry("EnumValues", KEY) == {"ReturnValue": "0"}
    assert wire.registry("EnumKey", rf"{KEY}\none") == {"ReturnValue": "2"}
    for name in ("b", "A", "TLS 1,2", "DES 56/56", "TLS 1.2 "):
        plain.create_key(rf"{KEY}\{name}")
    assert wire.registry("EnumKey", KEY)["sNames"] == ["A", "b", "DES 56/56", "TLS 1,2", "TLS 1.2 "]
    plain.set_value(KEY, "", 1)
    assert wire.registry("EnumValues", KEY) == {"ReturnValue": "0"}  # a default value alone is hidden
    plain.set_value(KEY, "n", [1], "REG_NONE")
    plain.set_value(KEY, "s", "x", "REG_SZ")
    outputs = wire.registry("EnumValues", KEY)
    assert outputs == {"sNames": ["", "n", "s"], "Types": ["4", "0", "1"], "ReturnValue": "0"}
    assert wire.registry("GetDWORDValue", KEY, ("sValueName", ""))["uValue"] == "1"
    nil = wire.invoke("GetDWORDValue", ("hDefKey", HKLM), ("sSubKeyName", KEY), ("sValueName", None))
    assert nil.outputs["uValue"] == "1"


def test_order_of_outputs(wire: Wire, plain: HostClient) -> None:
    plain.set_value(KEY, "a", 1)
    plain.set_value(KEY, "b", 1)
    content = wire.invoke("EnumValues", ("hDefKey", HKLM), ("sSubKeyName", KEY)).content
    assert content.tag == f"{{{STDREGPROV}}}EnumValues_OUTPUT"
    assert [child.tag for child in content] == [
        f"{{{STDREGPROV}}}{name}" for name in ("sNames", "sNames", "Types", "Types", "ReturnValue")
    ]


def test_names_keep_case_and_ignore_it(wire: Wire, plain: HostClient) -> None:
    plain.set_value(KEY, "Enabled", 1)
    assert (
        wire.registry("SetDWORDValue", KEY.swapcase(), ("sValueName", "ENABLED"), ("uValue", "7"))["ReturnValue"] == "0"
    )
    assert plain.registry(KEY) == {"Enabled": {"type": "REG_DWORD", "data": 7}}
    plain.set_value(KEY, "увімкнено", 1)
    assert wire.registry("GetDWORDValue", KEY, ("sValueName", "увімкнено".upper()))["uValue"] == "1"


def test_blanks_commas_and_slashes_count(wire: Wire, plain: HostClient) -> None:
    for name in (" TLS 1.2", "TLS 1.2 ", "TLS 1,2", "TLS 1.2/Client"):
        assert wire.registry("CreateKey", rf"{KEY}\{name}") == {"ReturnValue": "0"}
    assert plain.subkeys(KEY) == [" TLS 1.2", "TLS 1,2", "TLS 1.2 ", "TLS 1.2/Client"]
    assert plain.registry(rf"{KEY}\TLS 1.2") is None


@pytest.mark.parametrize("path", [rf"\{KEY}", rf"{KEY}\ ".rstrip(), KEY.replace("\\", "\\\\")])
def test_malformed_paths(wire: Wire, path: str) -> None:
    assert wire.registry("EnumKey", path) == {"ReturnValue": "161"}


def test_only_the_current_control_set(wire: Wire) -> None:
    assert wire.registry("EnumKey", PROTOCOLS)["ReturnValue"] == "0"
    assert wire.registry("EnumKey", PROTOCOLS.replace("CurrentControlSet", "ControlSet001"))["ReturnValue"] == "2"


def test_other_hives(wire: Wire) -> None:
    found = wire.invoke("EnumKey", ("hDefKey", "2147483649"), ("sSubKeyName", "SOFTWARE")).outputs
    assert found == {"ReturnValue": "2"}
    assert wire.invoke("EnumKey", ("hDefKey", "2147483649"), ("sSubKeyName", "")).outputs == {"ReturnValue": "0"}


class TestProtectedKeys:
    def test_write_protected(self, wire: Wire, plain: HostClient) -> None:
        key = r"SOFTWARE\Guarded"
        before = plain.dump(key)
        assert wire.registry("GetDWORDValue", key, ("sValueName", "Level"))["uValue"] == "3"
        denied = {"ReturnValue": "5"}
        assert wire.registry("SetDWORDValue", key, ("sValueName", "Level"), ("uValue", "1")) == denied
        assert wire.registry("DeleteValue", key, ("sValueName", "Level")) == denied
        assert wire.registry("CreateKey", rf"{key}\sub") == denied
        assert wire.registry("DeleteKey", key) == denied
        assert wire.registry("CheckAccess", key, ("uRequired", "2")) == {"bGranted": "false", "ReturnValue": "5"}
        assert wire.registry("CheckAccess", key, ("uRequired", "1")) == {"bGranted": "true", "ReturnValue": "0"}
        assert plain.dump(key) == before

    def test_read_protected(self, wire: Wire) -> None:
        key = r"SOFTWARE\secret"
        assert wire.registry("GetDWORDValue", key, ("sValueName", "Level")) == {"uValue": None, "ReturnValue": "5"}
        assert wire.registry("EnumValues", key) == {"ReturnValue": "5"}
        assert wire.registry("CheckAccess", key, ("uRequired", "1"))["ReturnValue"] == "5"

    def test_missing_key(self, wire: Wire) -> None:
        expected = {"bGranted": None, "ReturnValue": "2"}
        assert wire.registry("CheckAccess", r"SOFTWARE\Nothing", ("uRequired", "2")) == expected

    def test_as_a_fault(self, wire: Wire, plain: HostClient) -> None:
        plain.set_quirk("protected_key_fault")
        arguments = (("hDefKey", HKLM), ("sSubKeyName", r"SOFTWARE\Guarded"), ("sValueName", "v"), ("uValue", "1"))
        assert wire.invoke("SetDWORDValue", *arguments).fault[0] == 2150859012
        assert wire.registry("CheckAccess", r"SOFTWARE\Guarded", ("uRequired", "2"))["ReturnValue"] == "5"


def test_quirk_void_return(wire: Wire, plain: HostClient) -> None:
    plain.set_quirk("void_return")
    assert wire.registry("SetDWORDValue", KEY, ("sValueName", "v"), ("uValue", "1")) == {}
    assert wire.registry("CreateKey", rf"{KEY}\x") == {}
    assert wire.registry("DeleteKey", rf"{KEY}\x") == {}
    assert wire.registry("GetDWORDValue", KEY, ("sValueName", "v")) == {"uValue": "1", "ReturnValue": "0"}


def test_quirk_silent_write_loss(wire: Wire, plain: HostClient) -> None:
    plain.set_quirk("silent_write_loss", {"key": rf"HKLM\{KEY.upper()}", "value": "ENABLED"})
    assert wire.registry("SetDWORDValue", KEY, ("sValueName", "Enabled"), ("uValue", "1")) == {"ReturnValue": "0"}
    assert wire.registry("SetDWORDValue", KEY, ("sValueName", "Other"), ("uValue", "1")) == {"ReturnValue": "0"}
    assert plain.registry(KEY) == {"Other": {"type": "REG_DWORD", "data": 1}}


def test_text_that_xml_cannot_hold(wire: Wire, plain: HostClient) -> None:
    plain.set_value(KEY, "v", "bell \x07", "REG_SZ")
    arguments = (("hDefKey", HKLM), ("sSubKeyName", KEY), ("sValueName", "v"))
    assert wire.invoke("GetStringValue", *arguments).fault[0] == 2150859018


def test_empty_arrays(wire: Wire, plain: HostClient) -> None:
    assert wire.registry("SetMultiStringValue", KEY, ("sValueName", "m")) == {"ReturnValue": "0"}
    assert wire.registry("SetBinaryValue", KEY, ("sValueName", "b")) == {"ReturnValue": "0"}
    assert plain.registry(KEY) == {
        "m": {"type": "REG_MULTI_SZ", "data": []},
        "b": {"type": "REG_BINARY", "data": []},
    }
    assert wire.registry("GetMultiStringValue", KEY, ("sValueName", "m")) == {"ReturnValue": "0"}
