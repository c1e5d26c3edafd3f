# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is odd about the protocols of a host: each oddity is a finding of its own."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.findings import Finding, Status
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import Policy
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS,
    SIDES,
    VALUE_NAMES,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword

from ..policies import policy, waiver
from ..worlds import BUILDS, POLICIES, SPACE_OF_A_SIDE, audit_of

F = 0xFFFFFFFF
TEXT = Value(Type.REG_SZ, "1")
# nothing that the hosts here have is asked about
ELSEWHERE = policy(renegotiation="strict")
ON = policy({"TLS 1.2": "enabled"})


def place(protocol: str, side: str, name: str) -> Setting:
    return Setting(protocol_key(protocol, side), name)


def values(protocol: str = "TLS 1.2", **sides: tuple[Value, Value]) -> dict[Setting, Value]:
    """Client=(Enabled, DisabledByDefault)"""
    return {
        place(protocol, side, name): value
        for side, pair in sides.items()
        for name, value in zip(VALUE_NAMES, pair, strict=True)
    }


def oddities(found: Mapping[Setting, Value], wanted: Policy = ELSEWHERE, build: int = 17763) -> dict[str, Finding]:
    """The findings that are about no rule, by id."""
    return {item.id: item for item in audit_of(wanted, found, build).findings if item.expected is None}


BOTH = (dword(1), dword(0))
NONE = (ABSENT, ABSENT)


@pytest.mark.parametrize(
    ("client", "server", "ids"),
    [
        (NONE, NONE, set()),
        (BOTH, BOTH, set()),
        ((dword(0), dword(1)), (dword(0), dword(1)), set()),
        # neither 0 nor 1
        ((dword(F), dword(0)), BOTH, {"client.enabled.nonstandard"}),
        ((dword(0), dword(F)), (dword(0), dword(5)), {
            "client.disabledbydefault.nonstandard", "server.disabledbydefault.nonstandard",
        }),
        # another type, which is also an unknown state: nothing is said to differ
        ((TEXT, dword(0)), BOTH, {"client.enabled.wrong_type"}),
        ((dword(1), Value(Type.OTHER)), BOTH, {"client.disabledbydefault.wrong_type"}),
        ((Value(Type.REG_QWORD, 1), Value(Type.REG_BINARY, (0,))), BOTH, {
            "client.enabled.wrong_type", "client.disabledbydefault.wrong_type",
        }),
        # one of the two values
        ((dword(1), ABSENT), BOTH, {"client.half_configured"}),
        (BOTH, (ABSENT, dword(0)), {"server.half_configured"}),
        ((TEXT, ABSENT), BOTH, {"client.half_configured", "client.enabled.wrong_type"}),
        # one of the two sides
        (BOTH, NONE, {"one_side"}),
        (NONE, BOTH, {"one_side"}),
        (NONE, (ABSENT, dword(0)), {"one_side", "server.half_configured"}),
        # the sides differ
        ((dword(0), dword(1)), BOTH, {"mismatch"}),
        (BOTH, (dword(1), dword(1)), {"mismatch"}),
        ((dword(0), dword(1)), (dword(1), dword(1)), {"mismatch"}),
        ((dword(0), dword(1)), NONE, {"one_side", "mismatch"}),
        # the same by other values
        (BOTH, (dword(5), dword(0)), {"server.enabled.nonstandard"}),
        ((dword(0), dword(0)), (dword(0), dword(1)), set()),
    ],
)  # fmt: skip
def test_what_is_odd(client: tuple[Value, Value], server: tuple[Value, Value], ids: set[str]) -> None:
    found = oddities(values(Client=client, Server=server))
    assert set(found) == {f"tls_1_2.{name}" for name in ids}
    for item in found.values():
        assert item.status is Status.NOT_APPLICABLE
        assert item.protocol == "TLS 1.2"
        assert item.write is None
        assert item.message.startswith("TLS 1.2 ")


def test_nothing_is_odd_about_a_bare_host() -> None:
    for build in BUILDS:
        assert oddities({}, build=build) == {}


@pytest.mark.parametrize("build", BUILDS)
def test_what_windows_comes_with_is_not_odd(build: int) -> None:
    """SSL 2.0 Client DisabledByDefault=1 is there on every Windows Server 2008 to 2016."""
    shipped = {place("SSL 2.0", "Client", "DisabledByDefault"): dword(1)}
    assert oddities(shipped, build=build) == {}
    assert set(oddities({place("SSL 2.0", "Client", "DisabledByDefault"): dword(0)}, build=build)) >= {
        "ssl_2_0.client.half_configured",
        "ssl_2_0.one_side",
    }
    # what somebody has set besides is
    assert "ssl_2_0.one_side" in oddities({**shipped, **values("SSL 2.0", Server=(dword(0), dword(1)))}, build=build)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_is_looked_at(protocol: str) -> None:
    word = protocol.lower().replace(" ", "_").replace(".", "_").replace("-", "_")
    found = oddities(values(protocol, Client=(TEXT, ABSENT)))
    assert set(found) == {
        f"{word}.client.enabled.wrong_type",
        f"{word}.client.half_configured",
        f"{word}.one_side",
    }


# --- in words --------------------------------------------------------------------------------------------------------


def test_words() -> None:
    found = oddities(values(Client=(dword(F), ABSENT), Server=(ABSENT, TEXT)))
    told = {name.removeprefix("tls_1_2."): item.message for name, item in found.items()}
    assert told["client.enabled.nonstandard"] == (
        "TLS 1.2 Client Enabled is REG_DWORD 4294967295 (0xffffffff). Windows takes any number but 0 as on, but 1 is "
        "the documented value, and some programs accept no other."
    )
    by_default = oddities(values(Client=(dword(0), dword(2))))["tls_1_2.client.disabledbydefault.nonstandard"]
    assert "as on" not in by_default.message
    assert "0 as a wish to leave the version out of its default offer, but 1 is" in by_default.message
    assert told["client.half_configured"] == (
        "TLS 1.2 Client has Enabled but no DisabledByDefault: what the other one would be is left to Windows."
    )
    assert (
        "TLS 1.2 Server DisabledByDefault is REG_SZ '1'. Only a REG_DWORD is documented"
        in (told["server.disabledbydefault.wrong_type"])
    )
    one_side = oddities(values(Server=BOTH))["tls_1_2.one_side"]
    assert one_side.message.startswith("TLS 1.2 is configured for Server but not for Client: ")
    assert one_side.setting == place("TLS 1.2", "Client", "Enabled")
    mismatch = oddities(values(Client=BOTH, Server=(dword(1), dword(1))))["tls_1_2.mismatch"]
    assert "TLS 1.2 is enabled for Client and disabled by default for Server" in mismatch.message
    assert mismatch.setting.key == protocol_key("TLS 1.2")


def test_places() -> None:
    found = oddities(values(Client=(dword(1), ABSENT), Server=(TEXT, dword(0))))
    half = found["tls_1_2.client.half_configured"]
    assert (half.side, half.setting) == ("Client", place("TLS 1.2", "Client", "DisabledByDefault"))
    wrong = found["tls_1_2.server.enabled.wrong_type"]
    assert (wrong.side, wrong.setting, wrong.actual) == ("Server", place("TLS 1.2", "Server", "Enabled"), TEXT)
    assert {item.severity for item in found.values()} <= {"low", "medium"}
    assert all(item.source and item.why for item in found.values())


# --- against a policy ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (values(Client=(TEXT, dword(0)), Server=BOTH), "client.enabled.wrong_type"),
        (values(Client=(dword(1), ABSENT), Server=BOTH), "client.half_configured"),
        (values(Client=BOTH), "one_side"),
        (values(Client=BOTH, Server=(dword(0), dword(1))), "mismatch"),
    ],
)
def test_what_the_policy_asks_for_makes_it_wrong(found: dict[Setting, Value], name: str) -> None:
    assert oddities(found, ON)[f"tls_1_2.{name}"].status is Status.NONCOMPLIANT
    # not where it asks for a part of it only
    for wanted in (policy({"TLS 1.2": {"Server": "enabled"}}), policy({"TLS 1.1": "enabled"})):
        if "client" in name or wanted.protocols == {"TLS 1.1"} or name in ("one_side", "mismatch"):
            assert oddities(found, wanted)[f"tls_1_2.{name}"].status is Status.NOT_APPLICABLE


def test_a_number_that_counts_as_right_is_never_wrong() -> None:
    found = oddities(values(Client=(dword(F), dword(0)), Server=(dword(5), dword(0))), ON)
    assert {item.status for item in found.values()} == {Status.NOT_APPLICABLE}
    assert len(found) == 2


def test_sides_that_the_policy_sets_apart_may_differ() -> None:
    apart = policy({"TLS 1.0": {"Client": "disabled", "Server": "enabled"}})
    found = values("TLS 1.0", Client=(dword(0), dword(1)), Server=BOTH)
    assert oddities(found, apart)["tls_1_0.mismatch"].status is Status.NOT_APPLICABLE
    one = values("TLS 1.0", Client=(dword(0), dword(1)))
    assert oddities(one, apart)["tls_1_0.one_side"].status is Status.NOT_APPLICABLE
    same = policy({"TLS 1.0": "disabled"})
    assert oddities(found, same)["tls_1_0.mismatch"].status is Status.NONCOMPLIANT


@pytest.mark.parametrize(
    ("wanted", "found", "build"),
    [
        # Windows Server 2019 has no TLS 1.3, so nothing would be written there
        (policy({"TLS 1.3": "enabled"}), values("TLS 1.3", Client=(TEXT, ABSENT)), 17763),
        (policy({"SSL 2.0": "disabled"}), values("SSL 2.0", Server=(ABSENT, dword(1))), 17763),
        # TLS 1.3 is for Exchange 2019 CU15 and later, and there is none here
        (POLICIES["exchange_tls13"], values("TLS 1.3", Client=(TEXT, ABSENT)), 20348),
    ],
)
def test_what_does_not_apply_is_not_wrong(wanted: Policy, found: dict[Setting, Value], build: int) -> None:
    odd = oddities(found, wanted, build)
    assert odd
    assert {item.status for item in odd.values() if item.protocol != "TLS 1.2"} == {Status.NOT_APPLICABLE}


def test_what_applies_by_exchange_is_wrong() -> None:
    found = values("TLS 1.3", Client=(TEXT, dword(0)), Server=BOTH)
    audit = audit_of(POLICIES["exchange_tls13"], found, 20348, (15, 2, 1748, 10))
    (item,) = (item for item in audit.findings if item.id == "tls_1_3.client.enabled.wrong_type")
    assert item.status is Status.NONCOMPLIANT


def test_what_is_waived_is_not_wrong_between_the_sides() -> None:
    found = values("TLS 1.0", Client=(dword(0), dword(1)), Server=BOTH)
    wanted = policy({"TLS 1.0": "disabled"})
    audit = audit_of(wanted, found, 17763, waivers=[waiver("side == 'Server'")])
    (item,) = (item for item in audit.findings if item.id == "tls_1_0.mismatch")
    assert item.status is Status.NOT_APPLICABLE
    assert audit.compliant


def test_default_is_right_where_nothing_is_there() -> None:
    wanted = policy({"TLS 1.1": "default"})
    assert oddities({}, wanted) == {}
    assert oddities(values("TLS 1.1", Client=(dword(1), ABSENT)), wanted)["tls_1_1.one_side"].violates


# --- over the whole space --------------------------------------------------------------------------------------------


def expected_ids(client: tuple[Value, Value], server: tuple[Value, Value]) -> set[str]:
    """Written from the description and not from the code; without what depends on the defaults of Windows."""
    ids = set()
    for side, pair in zip(("client", "server"), (client, server), strict=True):
        for name, value in zip(("enabled", "disabledbydefault"), pair, strict=True):
            if value.present and value.type is not Type.REG_DWORD:
                ids.add(f"{side}.{name}.wrong_type")
            elif value.present and value.data not in (0, 1):
                ids.add(f"{side}.{name}.nonstandard")
        if sum(value.present for value in pair) == 1:
            ids.add(f"{side}.half_configured")
    if any(value.present for value in client) is not any(value.present for value in server):
        ids.add("one_side")
    return ids


def test_every_point() -> None:
    for client, server in itertools.product(SPACE_OF_A_SIDE, repeat=2):
        found = oddities(values("TLS 1.1", Client=client, Server=server))
        others = {"mismatch", "client.switched_on", "server.switched_on"}
        assert {name.removeprefix("tls_1_1.") for name in found} - others == expected_ids(client, server)


def test_mismatch_is_about_what_windows_does() -> None:
    """2008 R2 has TLS 1.1 off by default, so one side that is on differs there, and not on 2019, which has it on. What
    is not known differs from nothing."""
    on_one = values("TLS 1.1", Client=BOTH)
    assert "tls_1_1.mismatch" in oddities(on_one, build=7601)
    assert "tls_1_1.mismatch" not in oddities(on_one, build=17763)
    assert "tls_1_1.mismatch" not in oddities(on_one, build=26100)
    off_one = values("TLS 1.1", Client=(dword(0), dword(1)))
    assert "tls_1_1.mismatch" in oddities(off_one, build=17763)
    assert "tls_1_1.mismatch" not in oddities(off_one, build=7601)
    for side in SIDES:
        unknown = values("TLS 1.1", **{side: (TEXT, dword(0)), SIDES[1 - SIDES.index(side)]: (dword(0), dword(1))})
        assert "tls_1_1.mismatch" not in oddities(unknown)
