# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings and handshakes held against each other."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._registry import Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel import SIDES, protocol_key
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._verdict import Verdict, verdict

from . import policies
from .fakes import FakeWindows

ON = {"Enabled": dword(1), "DisabledByDefault": dword(0)}
OFF = {"Enabled": dword(0), "DisabledByDefault": dword(1)}


def settings(
    options: dict[str, str] | None = None, build: int = 17763, pending: bool = False, **protocols: dict[str, Value]
) -> dict[str, Any]:
    """The result of tls_settings_info; protocols as TLS_1_2=ON, for both sides."""
    content = {
        protocol_key(f"{name[:3]} {name[4:].replace('_', '.')}", side): values
        for name, values in protocols.items()
        for side in SIDES
    }
    found = policies.audited(
        FakeWindows(content, build=build), policies.policy(options or {"TLS 1.2": "enabled"})
    ).as_result()
    return {**found, "restart_pending": pending}


def handshakes(verdict: str = "verified", error: str | None = None, **versions: bool | None) -> dict[str, Any]:
    """The result of tls_handshake_info for one endpoint; versions as TLS_1_2=True."""
    seen = {
        f"{name[:3]} {name[4:].replace('_', '.')}": {"accepted": accepted, "evidence": "server hello"}
        for name, accepted in versions.items()
    }
    return {"endpoints": [{"endpoint": "smtp://ex01:25", "verdict": verdict, "versions": seen, "error": error}]}


GOOD = settings(TLS_1_2=ON)
PROOF = handshakes(TLS_1_2=True, TLS_1_0=True)
UNREACHABLE = handshakes("inconclusive", "connection refused", TLS_1_2=None)


def test_all_is_well() -> None:
    assert verdict(GOOD, PROOF) == Verdict(True, (), ())
    assert verdict(GOOD, PROOF, handshake_policy="required") == Verdict(True, (), ())


@pytest.mark.parametrize(("shaken", "policy"), [(None, "when_reachable"), (None, "never"), (PROOF, "never")])
def test_right_but_not_proven(shaken: dict[str, Any] | None, policy: str) -> None:
    assert verdict(GOOD, shaken, handshake_policy=policy) == Verdict(False, (), ())


def test_findings_are_problems() -> None:
    found = verdict(settings(TLS_1_2=OFF), None)
    assert len(found.problems) == 4
    assert found.problems[0].startswith("[high] TLS 1.2 Client Enabled is REG_DWORD 0; it should be REG_DWORD 1")
    assert verdict(settings(TLS_1_2=OFF), None, judge_policy=False).problems == ()


def test_not_configured_is_a_problem_too() -> None:
    assert len(verdict(settings(), PROOF).problems) == 4


def test_endpoint_that_could_not_be_tried() -> None:
    words = "Not proven: smtp://ex01:25: connection refused"
    assert verdict(GOOD, UNREACHABLE) == Verdict(False, (), (words,))
    assert verdict(GOOD, UNREACHABLE, handshake_policy="required") == Verdict(False, (words,), ())
    assert verdict(GOOD, UNREACHABLE, handshake_policy="never") == Verdict(False, (), ())


def test_no_endpoints() -> None:
    assert verdict(GOOD, {"endpoints": []}) == Verdict(False, (), ())
    (problem,) = verdict(GOOD, {"endpoints": []}, handshake_policy="required").problems
    assert "no endpoint is named" in problem


def test_version_that_is_off_and_accepted() -> None:
    both = settings({"TLS 1.2": "enabled", "TLS 1.0": "disabled"}, TLS_1_2=ON, TLS_1_0=OFF)
    for policy in ("when_reachable", "required"):
        found = verdict(both, PROOF, handshake_policy=policy)
        assert not found.verified
        (problem,) = found.problems
        assert problem.startswith(
            "TLS 1.0 is disabled in the registry but was accepted by smtp://ex01:25 (server hello)"
        )


def test_version_that_is_on_and_refused() -> None:
    (problem,) = verdict(GOOD, handshakes(TLS_1_2=False)).problems
    assert problem.startswith("TLS 1.2 is enabled in the registry but was refused by smtp://ex01:25 (server hello)")


def test_version_that_nobody_asked_for_may_be_refused() -> None:
    assert verdict(GOOD, handshakes(TLS_1_2=True, TLS_1_0=False)).verified
    unwanted = settings({"TLS 1.2": "enabled", "TLS 1.0": "disabled"}, TLS_1_2=ON)
    (*findings, last) = verdict(unwanted, handshakes(TLS_1_2=True, TLS_1_0=False)).problems
    assert len(findings) == 3
    assert "refused" not in last, "that TLS 1.0 is refused is what the policy wants"


def test_tls_13_may_be_refused() -> None:
    both = settings({"TLS 1.2": "enabled", "TLS 1.3": "enabled"}, 20348, TLS_1_2=ON, TLS_1_3=ON)
    assert verdict(both, handshakes(TLS_1_2=True, TLS_1_3=False)).verified


def test_version_that_is_only_out_of_the_default_offer() -> None:
    """DisabledByDefault leaves a version to programs that ask for it: that it is accepted contradicts nothing."""
    found = verdict(
        settings(TLS_1_2=ON, TLS_1_1={"DisabledByDefault": dword(1)}), handshakes(TLS_1_2=True, TLS_1_1=True)
    )
    assert found.problems == ()
    (note,) = found.notes
    assert "TLS 1.1 is only disabled by default in the registry and was accepted by smtp://ex01:25" in note


def test_what_nobody_knows_contradicts_nothing() -> None:
    unknown = settings(build=26100, TLS_1_2=ON)
    for accepted in (True, False, None):
        assert verdict(unknown, handshakes(TLS_1_2=True, TLS_1_0=accepted, QUI_1=accepted)).verified


# --- a restart that is pending ----------------------------------------------------------------------------------------

OLD = handshakes(TLS_1_2=False)
WAITS = "A restart is pending: the settings are written but not in effect."


def test_pending() -> None:
    waiting = settings(pending=True, TLS_1_2=ON)
    assert verdict(waiting, PROOF) == Verdict(False, (WAITS,), ())
    assert verdict(waiting, PROOF, allow_pending=True) == Verdict(False, (), (WAITS,))


def test_handshakes_of_the_time_before_the_restart() -> None:
    waiting = settings(pending=True, TLS_1_2=ON)
    assert len(verdict(waiting, OLD).problems) == 2
    found = verdict(waiting, OLD, allow_pending=True)
    assert found.problems == ()
    assert len(found.notes) == 2
    assert len(verdict(GOOD, OLD, allow_pending=True).problems) == 1, "nothing is pending, so it is wrong"


def test_policy_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="when_reachable, required, never, not 'always'"):
        verdict(GOOD, None, handshake_policy="always")
