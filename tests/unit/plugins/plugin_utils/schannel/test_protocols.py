# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What SCHANNEL settings mean, held against tables that were written from docs/reference and not from the code."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel import protocols
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import Effective, Side, State
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword

F = 0xFFFFFFFF
TEXT = Value(Type.REG_SZ, "1")
QWORD = Value(Type.REG_QWORD, 1)
OTHER = Value(Type.OTHER)

# All that a value can be, by the letters of the tables: absent, zero, one, all bits, another number, other types
KINDS = {
    "-": [ABSENT],
    "0": [dword(0)],
    "1": [dword(1), dword(5), dword(F)],
    "?": [TEXT, QWORD, OTHER, Value(Type.REG_BINARY, (1, 0, 0, 0)), Value(Type.REG_MULTI_SZ, ("1",))],
}

# Enabled, DisabledByDefault -> state (docs/reference/schannel.md 2.1, 2.2, 2.3)
STATES = {
    ("-", "-"): "not_configured",
    ("-", "0"): "enabled",
    ("-", "1"): "disabled_by_default",
    ("-", "?"): "unknown",
    ("0", "-"): "disabled",
    ("0", "0"): "disabled",
    ("0", "1"): "disabled",
    ("0", "?"): "disabled",
    ("1", "-"): "enabled",
    ("1", "0"): "enabled",
    ("1", "1"): "disabled_by_default",
    ("1", "?"): "unknown",
    ("?", "-"): "unknown",
    ("?", "0"): "unknown",
    ("?", "1"): "unknown",
    ("?", "?"): "unknown",
}

# Names below Protocols (docs/reference/schannel.md 1.1), oldest first; its table of defaults has not the first
KNOWN = [
    "Multi-Protocol Unified Hello",
    "PCT 1.0",
    "SSL 2.0",
    "SSL 3.0",
    "TLS 1.0",
    "TLS 1.1",
    "TLS 1.2",
    "TLS 1.3",
    "DTLS 1.0",
    "DTLS 1.2",
]
TABLED = ["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3", "DTLS 1.0", "DTLS 1.2"]

# What Windows does with nothing configured (2.4, and the page that it names). Columns: PCT 1.0; SSL 2.0 client, server;
# SSL 3.0; TLS 1.0, 1.1, 1.2, 1.3; DTLS 1.0, 1.2
DEFAULTS = """
     6002  no  off on   on   on  off off  no   no  no
     6003  no  off on   on   on  off off  no   no  no
     7600  no  off on   on   on  off off  no   on  no
     7601  no  off on   on   on  off off  no   on  no
     9200  no  off off  on   on  on  on   no   on  no
     9600  no  off off  on   on  on  on   no   on  no
    10240  no  off off  on   on  on  on   no   on  no
    10586  no  off off  on   on  on  on   no   on  no
    14393  no  no  no   off  on  on  on   no   on  on
    15063  no  no  no   off  on  on  on   no   on  on
    16299  no  no  no   off  on  on  on   no   on  on
    17134  no  no  no   off  on  on  on   no   on  on
    17763  no  no  no   off  on  on  on   no   on  on
    18362  no  no  no   off  on  on  on   no   on  on
    18363  no  no  no   off  on  on  on   no   on  on
    19041  no  no  no   off  on  on  on   no   on  on
    19042  no  no  no   off  on  on  on   no   on  on
    19043  no  no  no   off  on  on  on   no   on  on
    20348  no  no  no   off  on  on  on   on   on  on
    22000  no  no  no   off  on  on  on   on   on  on
    26100  no  no  no   off  ?   ?   on   on   ?   on
    99999  ?   ?   ?    ?    ?   ?   ?    ?    ?   ?
"""
WORDS = {"on": "enabled", "off": "disabled", "no": "unsupported", "?": "unknown"}
BUILDS = {int(line.split()[0]): line.split()[1:] for line in DEFAULTS.strip().splitlines()}
SPACE = list(itertools.product(BUILDS, protocols.PROTOCOLS, protocols.SIDES))


def by_default(build: int, protocol: str, side: str) -> str:
    cells = BUILDS[build]
    if protocol == "PCT 1.0":
        return WORDS[cells[0]]
    if protocol == "SSL 2.0":
        return WORDS[cells[1 + protocols.SIDES.index(side)]]
    return WORDS[cells[3 + TABLED.index(protocol)]] if protocol in TABLED else "unknown"


def in_effect(build: int, protocol: str, side: str, enabled: str, off_by_default: str) -> str:
    """The oracle: what Windows does with the values, where docs/reference/schannel.md says it."""
    default = by_default(build, protocol, side)
    state = STATES[enabled, off_by_default]
    if default == "unsupported" or state == "not_configured":
        return default
    if state != "enabled":
        return state
    if build in (6002, 6003, 7600, 7601) and protocol in ("TLS 1.1", "TLS 1.2"):
        # 2008 offers these only once DisabledByDefault=0 is written
        return "enabled" if off_by_default == "0" else "disabled_by_default"
    if enabled == "1":
        return "enabled"
    # only DisabledByDefault=0: it takes nothing out of the offer, and puts nothing in that is off anyway
    return "enabled" if default == "enabled" else "unknown"


@pytest.mark.parametrize(("enabled", "off_by_default"), STATES)
def test_states(enabled: str, off_by_default: str) -> None:
    for one, other in itertools.product(KINDS[enabled], KINDS[off_by_default]):
        assert Side(one, other).state.value == STATES[enabled, off_by_default], f"Enabled {one}, by default {other}"


@pytest.mark.parametrize("build", BUILDS)
def test_defaults(build: int) -> None:
    for protocol, side in itertools.product(protocols.PROTOCOLS, protocols.SIDES):
        found = protocols.os_default(protocol, side, build)
        assert found.value == by_default(build, protocol, side), f"{protocol} {side}"


@pytest.mark.parametrize("build", BUILDS)
def test_in_effect(build: int) -> None:
    for protocol, side in itertools.product(protocols.PROTOCOLS, protocols.SIDES):
        for enabled, off_by_default in STATES:
            expected = in_effect(build, protocol, side, enabled, off_by_default)
            for one, other in itertools.product(KINDS[enabled], KINDS[off_by_default]):
                found = Side(one, other).effective(protocol, side, build)
                assert found.value == expected, f"{protocol} {side}, Enabled {one}, DisabledByDefault {other}"


@pytest.mark.parametrize("build", [6002, 6003, 7600, 7601])
@pytest.mark.parametrize("protocol", ["TLS 1.1", "TLS 1.2"])
@pytest.mark.parametrize("side", protocols.SIDES)
def test_2008_needs_both_values(build: int, protocol: str, side: str) -> None:
    def effective(enabled: Value, off_by_default: Value) -> Effective:
        return Side(enabled, off_by_default).effective(protocol, side, build)

    assert effective(dword(1), ABSENT) is Effective.DISABLED_BY_DEFAULT
    assert effective(ABSENT, dword(0)) is Effective.ENABLED
    assert effective(dword(1), dword(0)) is Effective.ENABLED
    assert effective(dword(F), dword(0)) is Effective.ENABLED
    assert effective(dword(0), dword(0)) is Effective.DISABLED
    assert effective(ABSENT, ABSENT) is Effective.DISABLED


def test_another_type_is_never_proof() -> None:
    for build, protocol, side in SPACE:
        for value in KINDS["?"]:
            for other in (ABSENT, dword(0), dword(1)):
                assert Side(value, other).effective(protocol, side, build) in (Effective.UNKNOWN, Effective.UNSUPPORTED)


def test_protocols() -> None:
    assert list(protocols.PROTOCOLS) == KNOWN
    # what the second phase is about: all but TLS 1.2, TLS 1.3 and the DTLS that goes with TLS 1.2
    assert set(KNOWN) - set(protocols.OLD_PROTOCOLS) == {"TLS 1.2", "TLS 1.3", "DTLS 1.2"}
    assert set(protocols.OLD_PROTOCOLS) <= set(KNOWN)


def test_unknown_protocol_and_generation() -> None:
    assert protocols.os_default("Multi-Protocol Unified Hello", "Client", 17763) is Effective.UNKNOWN
    assert protocols.os_default("TLS 1.4", "Client", 17763) is Effective.UNKNOWN
    assert protocols.generation(17763) == "2019"
    assert protocols.generation(7601) == "2008 R2"
    assert protocols.generation(19045) is None
    assert protocols.generation(19042) is None


def test_names() -> None:
    base = r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols"
    assert protocols.protocol_key("TLS 1.2") == rf"{base}\TLS 1.2"
    assert protocols.protocol_key("TLS 1.2", "Client") == rf"{base}\TLS 1.2\Client"
    assert {state.value for state in State} == {
        "enabled",
        "disabled",
        "disabled_by_default",
        "not_configured",
        "unknown",
    }
