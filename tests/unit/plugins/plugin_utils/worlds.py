# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that laws are about: policies of every kind, every generation of Windows, every kind of registry value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change.pending import Pending
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.findings import Seen
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.installed import Exchange
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import baselines, options, subjects, waiving
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import Policy
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS,
    SIDES,
    VALUE_NAMES,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting, Snapshot
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.audit import Audit, Scope
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.facts import Host
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.updates import Updates

from .fakes import BOOT
from .policies import policy

# Every build of the table (docs/reference/schannel.md 3), and one that it does not name.
BUILDS = (6002, 6003, 7600, 7601, 9200, 9600, 14393, 17763, 20348, 26100, 99999)
# Before CU15 of Exchange 2019, from it on, and no Exchange at all.
EXCHANGES = (None, (15, 1, 2507, 6), (15, 2, 1748, 10), (15, 2, 2562, 17))
# What a value of a side can be: missing, 0, 1, all bits, another number, another type.
VALUES = (ABSENT, dword(0), dword(1), dword(0xFFFFFFFF), dword(5), Value(Type.REG_SZ, "1"))
SPACE_OF_A_SIDE = tuple((enabled, by_default) for enabled in VALUES for by_default in VALUES)
OTHER_VALUES = (
    *VALUES,
    dword(0x80),
    dword(0xA80),
    dword(2048),
    Value(Type.REG_QWORD, 1),
    Value(Type.REG_SZ, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    Value(Type.REG_MULTI_SZ, ("TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_AES_256_GCM_SHA384")),
    Value(Type.REG_BINARY, (1, 0, 0, 0)),
)

SIDE_SETTINGS = tuple(
    Setting(protocol_key(protocol, side), name) for protocol in PROTOCOLS for side in SIDES for name in VALUE_NAMES
)

_OWN = r"""
id: own
title: A baseline of a user's own, with everything that a rule can be
rules:
  - {id: tls12, title: T, severity: high, why: W, source: S, version: "1", date: 2026-01-01,
     protocol: TLS 1.2, state: enabled, exact: true}
  - {id: tls11, title: T, severity: low, why: W, source: S, version: "1", date: 2026-01-01,
     protocol: TLS 1.1, side: Client, state: disabled}
  - {id: tls13, title: T, severity: low, why: W, source: S, version: "1", date: 2026-01-01,
     protocol: TLS 1.3, state: disabled, windows: {min_build: 14393, max_build: 20348}}
  - {id: net, title: T, severity: medium, why: W, source: S, version: "1", date: 2026-01-01,
     dotnet: v2, state: default}
  - {id: http, title: T, severity: medium, why: W, source: S, version: "1", date: 2026-01-01,
     winhttp: true, state: tls12_only, exact: true}
  - {id: reneg, title: T, severity: medium, why: W, source: S, version: "1", date: 2026-01-01,
     renegotiation: true, state: strict, exchange: {min: 15.2.1748.10}}
  - {id: rc4, title: T, severity: medium, why: W, source: S, version: "1", date: 2026-01-01,
     cipher: RC4 128/128, state: disabled}
  - {id: sha, title: T, severity: medium, why: W, source: S, version: "1", date: 2026-01-01,
     hash: SHA256, state: enabled}
  - {id: ecdh, title: T, severity: medium, why: W, source: S, version: "1", date: 2026-01-01,
     key_exchange: ECDH, state: default}
  - {id: bits, title: T, severity: medium, why: W, source: S, version: "1", date: 2026-01-01,
     registry: {key: 'SOFTWARE\Contoso\New\Deep', value: Bits, type: REG_DWORD, data: 0xA0, match: has_bits}}
  - {id: least, title: T, severity: medium, why: W, source: S, version: "1", date: 2026-01-01,
     registry: {key: 'SOFTWARE\Contoso\New', value: Least, type: REG_QWORD, data: 7, match: at_least}}
  - {id: list, title: T, severity: medium, why: W, source: S, version: "1", date: 2026-01-01,
     registry: {key: 'SOFTWARE\Contoso\Lists\One', value: Names, type: REG_MULTI_SZ, data: [a, b]}}
"""

SUITES = ["TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]


def _all(state: str) -> dict[str, str]:
    return {name: "enabled" if name == "TLS 1.2" and state == "disabled" else state for name in PROTOCOLS}


def _areas(state: str) -> dict[str, Any]:
    return {
        "ciphers": dict.fromkeys(subjects.CIPHERS, state),
        "hashes": dict.fromkeys(subjects.HASHES, state),
        "key_exchanges": dict.fromkeys(subjects.KEY_EXCHANGES, state),
    }


POLICIES: Mapping[str, Policy] = {
    **{name: policy(baseline=name) for name in baselines.names()},
    "own": Policy(baselines.parse(_OWN).rules),
    "all enabled": policy(_all("enabled"), **_areas("enabled"), dotnet={"v4": "strong", "v2": "strong"}),
    "all disabled": policy(_all("disabled"), **_areas("disabled"), winhttp="tls12", renegotiation="strict"),
    "all default": policy(
        _all("default"),
        **_areas("default"),
        dotnet={"v4": "default", "v2": "default"},
        winhttp="default",
        renegotiation="default",
    ),
    "sides apart": policy(
        {
            "TLS 1.0": {"Server": "enabled", "Client": "disabled"},
            "TLS 1.1": {"Client": "default", "Server": "disabled"},
            "TLS 1.3": {"Server": "disabled"},
            "SSL 2.0": {"Client": "disabled"},
        },
        baseline="exchange_best_practice",
        dh_min_key_length=2048,
    ),
    "suites": policy({"TLS 1.2": "enabled"}, cipher_suites=SUITES, winhttp="tls12_only"),
}


def places_of(wanted: Policy) -> list[Setting]:
    """What the policy may be about; the cipher suites are in one of two places."""
    suites = [subjects.SUITES_POLICY, subjects.SUITES_LOCAL] if wanted.cipher_suites else []
    return [*(rule.setting for rule in wanted.rules), *suites]


def on_host(wanted: Policy, values: Mapping[Setting, Value]) -> Policy:
    """The policy for a host with these values."""
    return options.with_suites(wanted, values.get(subjects.SUITES_POLICY, ABSENT).present)


def audit_of(
    wanted: Policy,
    values: Mapping[Setting, Value],
    build: int,
    exchange: tuple[int, ...] | None = None,
    waivers: Sequence[dict[str, Any]] = (),
) -> Audit:
    """The audit of a host with these values and nothing else, as if all that the policy is about had been read."""
    known = {**dict.fromkeys((*SIDE_SETTINGS, *places_of(wanted)), ABSENT), **values}
    host = Host("EX01", "Windows", build, None, "server", BOOT, 0.0)
    policy = on_host(wanted, values)
    updates = Updates(frozenset(), None, {})
    seen = None if exchange is None else Seen(Exchange(exchange, ("Mailbox",)), updates, build, BOOT.date())
    scope = Scope(strays="ignore", exchange=False)
    return Audit(host, seen, exchange, policy, waiving.parse(waivers), scope, Snapshot(known, {}), Pending(None, False))
