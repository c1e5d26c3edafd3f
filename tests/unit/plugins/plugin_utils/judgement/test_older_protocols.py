# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing older than TLS 1.2 stays on: what the second phase turns off, and what an audit says of the rest."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.findings import Finding, Status
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import Policy
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    SIDES,
    VALUE_NAMES,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.audit import Audit

from ..policies import policy, waiver
from ..worlds import audit_of
from .guarding import DOTNET, HARDEN, off, on, side

OLD = ("PCT 1.0", "Multi-Protocol Unified Hello", "SSL 2.0", "SSL 3.0")
HARDENED = {**DOTNET, **on("TLS 1.2"), **off("TLS 1.0"), **off("TLS 1.1")}
# Windows Server comes with this up to 2016
SHIPPED = {Setting(protocol_key("SSL 2.0", "Client"), "DisabledByDefault"): dword(1)}
Values = Mapping[Setting, Value]


def written(values: Values, build: int, wanted: Policy = HARDEN) -> dict[str, Values]:
    """What would be written of what is older than TLS 1.0, by protocol and side."""
    found: dict[str, dict[Setting, Value]] = {}
    writes = {write.setting: write.after for write in audit_of(wanted, values, build).plan().writes}
    for protocol in OLD:
        for which in SIDES:
            settings = [Setting(protocol_key(protocol, which), name) for name in VALUE_NAMES]
            concerned = {setting: writes[setting] for setting in settings if setting in writes}
            if concerned:
                found[f"{protocol} {which}"] = concerned
    return found


@pytest.mark.parametrize("build", [14393, 17763, 20348, 26100, 18363, 99999])
@pytest.mark.parametrize("values", [HARDENED, {**HARDENED, **SHIPPED}])
def test_a_stock_windows_of_today_is_asked_for_nothing(values: Values, build: int) -> None:
    assert written(values, build) == {}
    found = audit_of(HARDEN, values, build)
    assert not [item for item in found.findings if item.protocol in OLD and item.violates]


@pytest.mark.parametrize("build", [9200, 9600])
def test_ssl_3_is_on_by_default_up_to_2012_r2(build: int) -> None:
    assert written({**HARDENED, **SHIPPED}, build) == {f"SSL 3.0 {which}": off("SSL 3.0", which) for which in SIDES}


@pytest.mark.parametrize(
    ("values", "build", "places"),
    [
        (SHIPPED, 7601, {"SSL 2.0 Server", "SSL 3.0 Client", "SSL 3.0 Server"}),
        (SHIPPED, 9600, {"SSL 3.0 Client", "SSL 3.0 Server"}),
        # by hand, and what the default of that Windows adds
        ({**on("SSL 2.0"), **off("SSL 3.0")}, 9600, {"SSL 2.0 Client", "SSL 2.0 Server"}),
        ({**on("SSL 2.0", "Server"), **off("SSL 3.0")}, 9200, {"SSL 2.0 Server"}),
        (on("SSL 3.0", "Client"), 17763, {"SSL 3.0 Client"}),
        (side("SSL 3.0", "Server", dword(0xFFFFFFFF), ABSENT), 14393, {"SSL 3.0 Server"}),
        (on("Multi-Protocol Unified Hello", "Server"), 14393, {"Multi-Protocol Unified Hello Server"}),
        # whether that turns it on nobody says
        (side("SSL 3.0", "Server", ABSENT, dword(0)), 14393, {"SSL 3.0 Server"}),
        (side("SSL 3.0", "Server", Value(Type.REG_SZ, "0"), ABSENT), 17763, {"SSL 3.0 Server"}),
        # programs that ask for it still get what is on by default
        ({**side("SSL 3.0", "Client", ABSENT, dword(1)), **off("SSL 3.0", "Server")}, 9600, {"SSL 3.0 Client"}),
        # off by one value is off
        (side("SSL 3.0", "Server", dword(0), ABSENT), 17763, set()),
        (side("SSL 3.0", "Server", ABSENT, dword(1)), 17763, set()),
        (side("SSL 3.0", "Server", dword(0), dword(0)), 17763, set()),
        # this Windows has it not, whatever is written
        (on("SSL 2.0"), 14393, set()),
        (on("SSL 2.0"), 20348, set()),
    ],
)
def test_what_is_on_goes_off(values: Values, build: int, places: set[str]) -> None:
    there = {**HARDENED, **values}
    assert set(written(there, build)) == places
    found = audit_of(HARDEN, there, build)
    after: Audit = found.after(found.snapshot.after({write.setting: write.after for write in found.plan().writes}))
    assert after.compliant
    assert not after.plan()
    assert not [item for item in after.findings if item.id.endswith(".switched_on")]
    for place in places:
        protocol, _dummy, which = place.rpartition(" ")
        assert after.snapshot.side(protocol, which).effective(protocol, which, build).value == "disabled"


# --- what an audit says whatever the policy --------------------------------------------------------------------------

TLS12 = policy(baseline="exchange_tls12")


def said(values: Values, build: int, wanted: Policy = TLS12, **more: object) -> dict[str, Finding]:
    known = {**dict.fromkeys(DOTNET, ABSENT), **values}
    waivers = [waiver("protocol == 'TLS 1.0'")] if more.get("waived") else []
    found = audit_of(wanted, known, build, waivers=waivers).findings
    return {item.id.removesuffix(".switched_on"): item for item in found if item.id.endswith(".switched_on")}


@pytest.mark.parametrize(
    ("values", "build", "severity"),
    [
        (on("SSL 2.0"), 9600, "high"),
        (on("SSL 3.0"), 9600, "high"),
        (on("SSL 3.0"), 17763, "high"),
        (on("TLS 1.0"), 17763, "medium"),
        (on("TLS 1.1"), 26100, "medium"),
        (on("Multi-Protocol Unified Hello"), 9600, "medium"),
        ({s: v for which in SIDES for s, v in side("SSL 3.0", which, ABSENT, dword(0)).items()}, 17763, "high"),
        ({s: v for which in SIDES for s, v in side("TLS 1.0", which, dword(5), ABSENT).items()}, 17763, "medium"),
    ],
)
def test_old_protocols_that_were_switched_on(values: Values, build: int, severity: str) -> None:
    found = said(values, build)
    assert {item.side for item in found.values()} == set(SIDES)
    for item in found.values():
        assert (item.severity, item.status) == (severity, Status.NOT_APPLICABLE)
        assert item.message.startswith(f"{item.protocol} {item.side} was switched on by hand: ")
        assert item.write is None
    # the same, where a policy turns it off
    protocol = next(iter(found.values())).protocol
    counting = said(values, build, policy({protocol: "disabled"}))
    assert {item.status for item in counting.values()} == {Status.NONCOMPLIANT}


@pytest.mark.parametrize(
    ("values", "build"),
    [
        ({}, 7601),
        ({}, 9600),
        (SHIPPED, 9600),
        (off("SSL 3.0"), 9600),
        (on("SSL 2.0"), 17763),
        (on("TLS 1.2"), 17763),
        (side("TLS 1.0", "Client", dword(1), dword(1)), 17763),
        # a default that is on is not switched on by this
        (side("TLS 1.1", "Client", ABSENT, dword(0)), 17763),
    ],
)
def test_nothing_was_switched_on(values: Values, build: int) -> None:
    assert said(values, build) == {}


def test_what_is_waived_is_not_told_twice() -> None:
    wanted = policy({"TLS 1.0": "disabled"})
    assert len(said(on("TLS 1.0"), 17763, wanted)) == 2
    assert said(on("TLS 1.0"), 17763, wanted, waived=True) == {}


def test_what_a_policy_wants_on_is_said_and_does_not_count() -> None:
    wanted = policy({"TLS 1.0": "enabled"})
    assert {item.status for item in said(on("TLS 1.0"), 17763, wanted).values()} == {Status.NOT_APPLICABLE}
    assert audit_of(wanted, on("TLS 1.0"), 17763).compliant


def test_names_of_suites_that_mean_nothing_here() -> None:
    wanted = policy(cipher_suites=["TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"])
    found = audit_of(wanted, {}, 17763)
    assert not [item for item in found.findings if item.id == "cipher_suites.unknown"], "nothing is set yet"
    after = found.after(found.snapshot.after({write.setting: write.after for write in found.plan().writes}))
    (item,) = [item for item in after.findings if item.id == "cipher_suites.unknown"]
    assert item.message.endswith("passes over them: TLS_AES_256_GCM_SHA384.")
    assert after.compliant
    assert not [item for item in audit_of(wanted, {}, 20348).findings if item.id == "cipher_suites.unknown"]
