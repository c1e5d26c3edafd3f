# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No rollback takes a side its last usable version."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement import guards
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.guards import PhaseRefused
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import SIDES
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword

from ..worlds import audit_of
from .guarding import AES, DOTNET, HARDEN, LOCAL, POLICY, READY, off, on, side, switch

# --- rollbacks -------------------------------------------------------------------------------------------------------


def rollback(
    before: Mapping[Setting, Value], back: Mapping[Setting, Value], build: int = 17763, *, force: bool = False
) -> str | None:
    snapshot = audit_of(HARDEN, before, build).snapshot
    return guards.check_rollback(snapshot, snapshot.after(back), build, force=force)


GONE = dict.fromkeys(on("TLS 1.2"), ABSENT)
HARDENED = {**READY, **off("TLS 1.0"), **off("TLS 1.1")}


@pytest.mark.parametrize(
    ("before", "back", "build", "sides"),
    [
        # an older backup across a newer change
        (HARDENED, off("TLS 1.2"), 17763, ("Client", "Server")),
        (HARDENED, off("TLS 1.2", "Server"), 17763, ("Server",)),
        (HARDENED, side("TLS 1.2", "Client", dword(1), dword(1)), 17763, ("Client",)),
        (HARDENED, side("TLS 1.2", "Client", ABSENT, dword(1)), 17763, ("Client",)),
        (HARDENED, GONE, 7601, ("Client", "Server")),
        # TLS 1.3 is on by default there, and is nothing for SMTP
        (HARDENED, off("TLS 1.2"), 20348, ("Client", "Server")),
        (HARDENED, off("TLS 1.2"), 26100, ("Client", "Server")),
        (HARDENED, off("TLS 1.2"), 99999, ("Client", "Server")),
        # whether these have old TLS on no source tells, and TLS 1.2 was turned off by hand
        (READY, off("TLS 1.2"), 26100, ("Client", "Server")),
        (READY, off("TLS 1.2", "Server"), 99999, ("Server",)),
        (READY, {**GONE, LOCAL: Value(Type.REG_MULTI_SZ, ("BOGUS",))}, 26100, ("Client", "Server")),
        (READY, {**GONE, LOCAL: Value(Type.REG_MULTI_SZ, ("BOGUS",))}, 99999, ("Client", "Server")),
        # what another type does nobody knows
        (HARDENED, side("TLS 1.2", "Server", Value(Type.REG_SZ, "1"), dword(0)), 17763, ("Server",)),
        (READY, {**off("TLS 1.0"), **off("TLS 1.1"), **off("TLS 1.2")}, 14393, ("Client", "Server")),
        # the suites are gone, and with them all versions
        (READY, dict.fromkeys([switch("Ciphers", name) for name in AES], dword(0)), 17763, ("Client", "Server")),
        (READY, {LOCAL: Value(Type.REG_MULTI_SZ, ("TLS_ECDHE_RSA_WITH_AES_256_GCM",))}, 17763, ("Client", "Server")),
    ],
)
def test_a_rollback_leaves_a_version(
    before: dict[Setting, Value], back: dict[Setting, Value], build: int, sides: tuple[str, ...]
) -> None:
    with pytest.raises(PhaseRefused) as caught:
        rollback(before, back, build)
    told = caught.value.message
    assert told.startswith("Refused, nothing was changed: this would leave the ")
    assert "roll back the changes that were made after this one first" in told
    assert "set 'force' (tls12_force in the role)" in told
    for which in SIDES:
        assert (f"this would leave the {which} side without a TLS version for mail (" in told) is (which in sides)
    warning = rollback(before, back, build, force=True)
    assert warning is not None
    assert warning.startswith("FORCED: this would leave the ")
    assert "Mail stops at the next restart." in warning


def test_a_refused_rollback_says_why() -> None:
    with pytest.raises(
        PhaseRefused, match=r"TLS 1\.2 Server is disabled; TLS 1\.1 Server is disabled; TLS 1\.0 Server is"
    ):
        rollback(HARDENED, off("TLS 1.2", "Server"))


@pytest.mark.parametrize(
    ("before", "back", "build"),
    [
        (READY, off("TLS 1.2"), 17763),
        (READY, GONE, 7601),
        (READY, GONE, 99999),
        (READY, side("TLS 1.2", "Client", Value(Type.REG_SZ, "1"), dword(0)), 14393),
    ],
)
def test_a_rollback_that_turns_tls_12_off_is_loud(
    before: dict[Setting, Value], back: dict[Setting, Value], build: int
) -> None:
    warning = rollback(before, back, build)
    assert warning is not None
    assert warning.startswith("After this, TLS 1.2 Client ")
    assert "Exchange Online refuses everything older than TLS 1.2." in warning


@pytest.mark.parametrize(
    "back", [dict.fromkeys(DOTNET, ABSENT), {next(iter(DOTNET)): dword(0)}, {**GONE, **dict.fromkeys(DOTNET, ABSENT)}]
)
def test_a_rollback_that_leaves_dotnet_with_old_tls_alone_is_loud(back: dict[Setting, Value]) -> None:
    warning = rollback(HARDENED, back)
    assert warning is not None
    assert warning.startswith("After this, .NET 4 goes on with old TLS, which is off: SystemDefaultTlsVersions")


@pytest.mark.parametrize(
    ("before", "back", "build"),
    [
        (READY, GONE, 17763),
        (HARDENED, dict.fromkeys((*on("TLS 1.0"), *on("TLS 1.1")), ABSENT), 17763),
        (READY, dict.fromkeys(DOTNET, ABSENT), 17763),
        ({**HARDENED, **on("TLS 1.0", "Client")}, dict.fromkeys(DOTNET, ABSENT), 17763),
        ({**HARDENED, **dict.fromkeys(DOTNET, dword(0))}, dict.fromkeys(DOTNET, ABSENT), 17763),
        (READY, GONE, 26100),
        # from bad to good
        ({**HARDENED, **off("TLS 1.2")}, on("TLS 1.2"), 17763),
        ({**HARDENED, **off("TLS 1.2")}, GONE, 17763),
    ],
)
def test_rollbacks_that_are_well(before: dict[Setting, Value], back: dict[Setting, Value], build: int) -> None:
    assert rollback(before, back, build) is None
    assert rollback(before, back, build, force=True) is None


def test_a_host_that_is_cut_off_may_go_back_to_something_better() -> None:
    dead = {**READY, **off("TLS 1.0"), **off("TLS 1.1"), **off("TLS 1.2")}
    warning = rollback(dead, on("TLS 1.0", "Server"))
    assert warning == "No TLS version is known to work on the Client side, before this and after."


def test_what_a_rollback_must_know() -> None:
    assert guards.rollback_needs(on("TLS 1.2")) == ()
    assert guards.rollback_needs([switch("Ciphers", "RC4 128/128")]) == ()
    needs = dict(guards.rollback_needs([switch("ciphers", "aes 256/256")]))
    assert needs[LOCAL] is Type.REG_MULTI_SZ
    assert needs[POLICY] is Type.REG_SZ
    assert needs[switch("Hashes", "SHA384")] is Type.REG_DWORD
    assert dict(guards.rollback_needs([LOCAL])) == needs
