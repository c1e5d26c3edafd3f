# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Audits of hosts where something stands beside its place, cannot be read, or is there by the thousand."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import AnswerTooLarge
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.findings import Finding, Status
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS_KEY,
    SCHANNEL_KEY,
    SIDES,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Value, dword

from ..fakes import FakeWindows, Trouble
from ..policies import audited, policy

ON = {"Enabled": dword(1), "DisabledByDefault": dword(0)}
BOTH = {protocol_key("TLS 1.2", side): ON for side in SIDES}
V4 = r"SOFTWARE\Microsoft\.NETFramework\v4.0.30319"
V4_32 = r"SOFTWARE\Wow6432Node\Microsoft\.NETFramework\v4.0.30319"
STRONG = {"SystemDefaultTlsVersions": dword(1), "SchUseStrongCrypto": dword(1)}
DOTNET = policy(dotnet={"v4": "strong"})


def findings(
    content: dict[str, dict[str, Value]], wanted: Any = DOTNET, identity: str = "dotnet_beside", strays: str = "report"
) -> list[Finding]:
    found = audited(FakeWindows({PROTOCOLS_KEY: {}, **content}), wanted, strays=strays)
    return [item for item in found.findings if item.id == identity]


# --- beside .NET -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "right"),
    [
        (r"SOFTWARE\Microsoft.NETFramework\v4.0.30319", V4),
        (r"SOFTWARE\Wow6432Node\Microsoft.NETFramework\v4.0.30319", V4_32),
        (r"SOFTWARE\Microsoft .NETFramework\v4.0.30319", V4),
        (r"SOFTWARE\Microsoft.NET Framework\v4.0.30319", V4),
    ],
)
def test_a_key_that_lacks_a_backslash(key: str, right: str) -> None:
    (found,) = findings({key: STRONG, V4: {}, V4_32: {}})
    assert found.status is Status.NOT_APPLICABLE
    assert f"HKLM\\{key} holds [SystemDefaultTlsVersions], [SchUseStrongCrypto]" in found.message
    assert f"Probably meant: HKLM\\{right}." in found.message
    assert "does not remove it" in found.message


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SystemTlsVersions", "SystemDefaultTlsVersions"),
        ("SystemDefaultTlsVersion", "SystemDefaultTlsVersions"),
        ("SystemDefaultTlsVersions ", "SystemDefaultTlsVersions"),
        ("SchUseStrongCrypt", "SchUseStrongCrypto"),
        ("SchUseStrong Crypto", "SchUseStrongCrypto"),
    ],
)
@pytest.mark.parametrize("key", [V4, V4_32])
def test_a_misspelt_value(key: str, name: str, meant: str) -> None:
    (found,) = findings({V4: {}, V4_32: {}, key: {name: dword(1)}})
    assert f"Probably meant: [{meant}]." in found.message


@pytest.mark.parametrize(
    "name", ["SchSendAuxRecord", "AspNetEnforceViewStateMac", "InstallPath", "HWRPortReuseOnSocketBind"]
)
def test_other_values_of_the_right_key_are_nobodys_mistake(name: str) -> None:
    assert findings({V4: {name: dword(1)}, V4_32: {}}) == []


def test_where_all_is_as_it_should_be_nobody_looks() -> None:
    beside = r"SOFTWARE\Microsoft.NETFramework\v4.0.30319"
    assert findings({V4: STRONG, V4_32: STRONG, beside: STRONG}) == []
    windows = FakeWindows({V4: STRONG, V4_32: STRONG, beside: STRONG})
    audited(windows, DOTNET)
    assert not [call for call in windows.calls if call.key in ("SOFTWARE", V4) and call.method.startswith("Enum")]


def test_who_ignores_strays_is_not_told_and_who_removes_them_keeps_these() -> None:
    content = {r"SOFTWARE\Microsoft.NETFramework\v4.0.30319": STRONG, V4: {"SystemTlsVersions": dword(1)}}
    assert findings(content, strays="ignore") == []
    assert len(findings(content, strays="remove")) == 2
    plan = audited(FakeWindows(content), DOTNET, strays="remove").plan()
    assert not plan.old_keys
    assert all(write.after.present for write in plan.writes)


# --- ciphers and their like ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DES 56\u221556", "DES 56/56"),
        ("RC4 128\u2044128", "RC4 128/128"),
        ("AES 256\u29f8256", "AES 256/256"),
        ("DES 56", "DES 56/56"),
        ("Triple DES 168/168", "Triple DES 168"),
    ],
)
def test_names_of_ciphers_that_windows_does_not_know(name: str, meant: str) -> None:
    content = {rf"{SCHANNEL_KEY}\Ciphers\{name}": {"Enabled": dword(0)}}
    wanted = policy(ciphers={"NULL": "disabled"})
    (found,) = findings(content, wanted, "ciphers_unknown_name")
    assert f"Probably meant: {meant}." in found.message
    strange = [character for character in name if ord(character) > 126]
    assert all(f"U+{ord(character):04X}" in found.message for character in strange)
    assert findings(content, policy({"TLS 1.2": "enabled"}), "ciphers_unknown_name") == [], "nobody asked"


def test_names_that_windows_knows_are_right_in_any_case() -> None:
    content = {
        rf"{SCHANNEL_KEY}\Hashes\sha256": {},
        rf"{SCHANNEL_KEY}\Hashes\SHA 256": {},
        rf"{SCHANNEL_KEY}\KeyExchangeAlgorithms\ECDH": {},
    }
    wanted = policy(hashes={"MD5": "disabled"}, key_exchanges={"PKCS": "enabled"})
    (found,) = findings(content, wanted, "hashes_unknown_name")
    assert "Hashes\\SHA 256 " in found.message
    assert findings(content, wanted, "keyexchangealgorithms_unknown_name") == []


# --- what cannot be read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [5, 87, 0x80041001])
def test_one_key_that_cannot_be_read_is_told_once_for_each_value_and_ends_nothing(code: int) -> None:
    windows = FakeWindows({**BOTH, protocol_key("TLS 1.0", "Client"): ON})
    key = protocol_key("TLS 1.0", "Client")
    windows.trouble = lambda call: Trouble(code=code) if call.key == key else None
    found = audited(windows, policy({"TLS 1.2": "enabled"}))
    told = [item for item in found.findings if item.status is Status.UNKNOWN]
    assert [(item.id, item.setting.key, item.setting.name) for item in told] == [
        ("unreadable", key, "Enabled"),
        ("unreadable", key, "DisabledByDefault"),
    ]
    assert all("returned" in item.message or "access denied" in item.message for item in told)
    assert not found.compliant
    assert found.as_result()["protocols"]["TLS 1.0"]["Client"]["state"] == "unknown"


@pytest.mark.parametrize("method", ["GetDWORDValue", "EnumValues", "EnumKey"])
def test_what_does_not_fit_into_an_answer_is_one_unknown_and_ends_nothing(method: str) -> None:
    stray = rf"{PROTOCOLS_KEY}\TLS 1,2"
    key = protocol_key("TLS 1.0", "Client") if method == "GetDWORDValue" else stray
    windows = FakeWindows({**BOTH, protocol_key("TLS 1.0", "Client"): ON, stray: {}})
    too_large = AnswerTooLarge(f"reading {key} failed: larger than an answer may be")
    windows.trouble = lambda call: Trouble(too_large) if (call.method, call.key) == (method, key) else None
    found = audited(windows, policy({"TLS 1.2": "enabled"}))
    told = [item for item in found.findings if item.status is Status.UNKNOWN]
    assert told
    assert all(item.id == "unreadable" and "larger than an answer may be" in item.message for item in told)
    assert found.as_result()["protocols"]["TLS 1.2"]["Client"]["state"] == "enabled"


def test_a_listing_that_fails_is_told() -> None:
    windows = FakeWindows(BOTH)
    windows.trouble = lambda call: Trouble(code=5) if call.method == "EnumKey" and call.key == PROTOCOLS_KEY else None
    found = audited(windows, policy({"TLS 1.2": "enabled"}))
    (told,) = [item for item in found.findings if item.status is Status.UNKNOWN]
    assert "cannot be listed" in told.message
    assert not found.compliant
    assert found.as_result()["protocols"]["TLS 1.2"]["Client"]["state"] == "enabled", "what is below is read"


# --- strays ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wanted", "strays"), [({"TLS 1.2": "enabled"}, "report"), ({"TLS 1.2": "enabled"}, "remove")])
def test_thousands_of_strays_are_counted_and_named_in_part(wanted: dict[str, str], strays: str) -> None:
    windows = FakeWindows({**BOTH, **{rf"{PROTOCOLS_KEY}\junk {number:04}": {} for number in range(1500)}})
    found = audited(windows, policy(wanted), strays=strays)
    assert len(windows.calls) < 400
    (rest,) = [item for item in found.findings if item.id == "stray.not_looked_into"]
    assert rest.message.startswith("1400 more keys that Windows ignores were not looked into, such as junk 0100, ")
    assert len(found.findings) < 120
    assert found.compliant is (strays == "report")
    assert len(found.plan().old_keys) == (100 if strays == "remove" else 0)


def test_what_was_reported_before_a_value_was_written_is_reported_after_it_and_that_is_removed() -> None:
    key = protocol_key("TLS 1.1", "Client")
    wanted = policy({"TLS 1.1": {"Client": "enabled"}})
    before = FakeWindows(
        {key: {"DisabledByDefault": dword(0), "увімкнено": dword(1)}, rf"{key}\Enabled": {"": dword(1)}}
    )
    after = FakeWindows({key: {**ON, "увімкнено": dword(1)}, rf"{key}\Enabled": {"": dword(1)}})

    def strays(windows: FakeWindows, mode: str) -> set[tuple[str, str]]:
        found = audited(windows, wanted, strays=mode).findings
        return {(item.setting.key, item.setting.name) for item in found if item.id.startswith("stray.u")}

    def in_stray(windows: FakeWindows) -> set[str]:
        found = audited(windows, wanted, strays="remove")
        return {write.setting.name for write in found.plan().writes if not write.after.present}

    assert strays(before, "report") == strays(after, "report") == strays(before, "remove") == strays(after, "remove")
    assert in_stray(before) == in_stray(after) == {"увімкнено", ""}


def test_a_policy_may_be_to_remove_strays_and_nothing_else() -> None:
    windows = FakeWindows({rf"{PROTOCOLS_KEY}\TLS 1,2": {}})
    found = audited(windows, policy(strays="remove"), strays="remove")
    assert found.plan().old_keys == (rf"{PROTOCOLS_KEY}\TLS 1,2",)
    assert not found.compliant


@pytest.mark.parametrize("protocol", ["PCT 1.0", "DTLS 1.2", "TLS 1.3"])
def test_nothing_is_made_for_protocols_that_this_windows_does_not_have(protocol: str) -> None:
    for state in ("disabled", "enabled", "default"):
        found = audited(FakeWindows({PROTOCOLS_KEY: {}}, build=9600), policy({protocol: state}))
        assert not found.plan()
        assert found.compliant
