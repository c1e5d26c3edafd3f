# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the guard have in common: hosts before and after, and what the guard says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement import guards
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.guards import PhaseRefused
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import subjects
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import Policy
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    SIDES,
    VALUE_NAMES,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.audit import Audit

from ..policies import policy
from ..worlds import audit_of

HARDEN = policy(baseline="exchange_best_practice")
STIG = policy(baseline="stig_iis10")
DOTNET = {item.setting: dword(1) for item in subjects.dotnet("v4").states["strong"]}


def side(protocol: str, which: str, enabled: Value, by_default: Value) -> dict[Setting, Value]:
    return {
        Setting(protocol_key(protocol, which), name): value
        for name, value in zip(VALUE_NAMES, (enabled, by_default), strict=True)
    }


def on(protocol: str, *which: str) -> dict[Setting, Value]:
    return {s: v for name in which or SIDES for s, v in side(protocol, name, dword(1), dword(0)).items()}


def off(protocol: str, *which: str) -> dict[Setting, Value]:
    return {s: v for name in which or SIDES for s, v in side(protocol, name, dword(0), dword(1)).items()}


# The first phase is done, and nothing of the second
READY = {**on("TLS 1.2"), **DOTNET}
TLS12_CLIENT = Setting(protocol_key("TLS 1.2", "Client"), "Enabled")
ACCEPTED = {"endpoints": [{"endpoint": "smtp://ex01:25", "versions": {"TLS 1.2": {"accepted": True}}}]}
REFUSED = {
    "endpoints": [
        {"endpoint": "https://ex01:443", "versions": {"TLS 1.2": {"accepted": True}}},
        {"endpoint": "smtp://ex01:25", "versions": {"TLS 1.0": {"accepted": True}, "TLS 1.2": {"accepted": False}}},
    ]
}
NOT_TRIED = {"endpoints": [{"endpoint": "smtp://ex01:25", "versions": {"TLS 1.2": {"accepted": None}}}]}


def guard(
    values: Mapping[Setting, Value],
    wanted: Policy = HARDEN,
    build: int = 17763,
    waivers: list[dict[str, Any]] | None = None,
    **more: Any,
) -> str | None:
    found: Audit = audit_of(wanted, {**dict.fromkeys(DOTNET, ABSENT), **values}, build, waivers=waivers or ())
    after = found.snapshot.after({write.setting: write.after for write in found.plan().writes})
    return guards.check(
        found.snapshot, after, build, **{"waiting": frozenset(), "handshakes": None, "force": False, **more}
    )


def refusal(values: Mapping[Setting, Value], wanted: Policy = HARDEN, build: int = 17763, **more: Any) -> str:
    with pytest.raises(PhaseRefused) as caught:
        guard(values, wanted, build, **more)
    assert caught.value.as_result() == {"kind": "phase_refused"}
    return caught.value.message


AES = dict.fromkeys(("AES 128/128", "AES 256/256"), "disabled")
GCM = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
CBC = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"
ECDSA = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
LOCAL, POLICY = subjects.SUITES_LOCAL, subjects.SUITES_POLICY


def switch(area: str, name: str) -> Setting:
    return Setting(rf"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\{area}\{name}", "Enabled")
