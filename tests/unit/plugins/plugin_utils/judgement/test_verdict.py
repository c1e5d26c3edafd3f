# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings and handshakes held against each other."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.verdicts import verdict
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import SIDES, protocol_key
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value, dword

from .. import policies
from ..fakes import FakeWindows

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


def outcome(settings: dict[str, Any], shaken: dict[str, Any] | None, **wishes: Any) -> tuple[str, Any, Any]:
    """The word, the problems and the notes."""
    found = verdict(settings, shaken, **wishes)
    assert found.verified is (found.word == "verified")
    assert found.as_result() == {
        "verified": found.verified,
        "word": found.word,
        "sentence": found.sentence,
        "incoming": list(found.incoming),
        "endpoints": dict(found.endpoints),
        "problems": list(found.problems),
        "notes": list(found.notes),
    }
    return found.word, found.problems, found.notes


def test_all_is_well() -> None:
    assert outcome(GOOD, PROOF) == ("verified", (), ())
    assert outcome(GOOD, PROOF, handshake_policy="required") == ("verified", (), ())
    found = verdict(GOOD, PROOF)
    assert found.incoming == ("smtp://ex01:25",)
    assert found.sentence == (
        "verified by handshake: incoming TLS 1.2 accepted by smtp://ex01:25; outgoing TLS 1.2 is on and in effect by "
        "the registry"
    )


@pytest.mark.parametrize(("shaken", "policy"), [(None, "when_reachable"), (None, "never"), (PROOF, "never")])
def test_right_but_not_proven(shaken: dict[str, Any] | None, policy: str) -> None:
    assert outcome(GOOD, shaken, handshake_policy=policy) == ("not_proven", (), ())
    found = verdict(GOOD, shaken, handshake_policy=policy)
    why = ": handshakes are switched off" if policy == "never" else " by handshake"
    assert (found.sentence, found.incoming) == (f"right in the registry, not proven{why}", ())


def test_one_of_two_endpoints_is_no_proof() -> None:
    both = {"endpoints": [*PROOF["endpoints"], {**UNREACHABLE["endpoints"][0], "endpoint": "https://ex01:443"}]}
    word, problems, notes = outcome(GOOD, both)
    assert (word, problems, len(notes)) == ("not_proven", (), 1)
    assert verdict(GOOD, both).sentence.endswith("everywhere: incoming TLS 1.2 accepted by smtp://ex01:25")


def test_findings_are_problems() -> None:
    found = verdict(settings(TLS_1_2=OFF), None)
    assert len(found.problems) == 4
    assert found.problems[0].startswith("[high] TLS 1.2 Client Enabled is REG_DWORD 0; it should be REG_DWORD 1")
    assert verdict(settings(TLS_1_2=OFF), None, judge_policy=False).problems == ()


def test_not_configured_is_a_problem_too() -> None:
    assert len(verdict(settings(), PROOF).problems) == 4


def test_endpoint_that_could_not_be_tried() -> None:
    words = "Not proven: smtp://ex01:25: connection refused"
    assert outcome(GOOD, UNREACHABLE) == ("not_proven", (), (words,))
    assert outcome(GOOD, UNREACHABLE, handshake_policy="required") == ("wrong", (words,), ())
    assert outcome(GOOD, UNREACHABLE, handshake_policy="never") == ("not_proven", (), ())


def test_an_endpoint_is_named_once() -> None:
    error = "smtp://ex01:25: it did not answer"
    assert outcome(GOOD, handshakes("inconclusive", error, TLS_1_2=None))[2] == (f"Not proven: {error}",)


def test_no_endpoints() -> None:
    assert outcome(GOOD, {"endpoints": []}) == ("not_proven", (), ())
    (problem,) = verdict(GOOD, {"endpoints": []}, handshake_policy="required").problems
    assert "no endpoint is named" in problem


# --- which side was asked for, and what it is ------------------------------------------------------------------------


def sides(client: str, server: str) -> dict[str, Any]:
    """A host that is right for a policy of these states of TLS 1.2."""
    states = {"enabled": ON, "disabled": OFF, "default": {}}
    wish = {side: state for side, state in zip(SIDES, (client, server), strict=True) if state != "unmanaged"}
    content = {protocol_key("TLS 1.2", side): states[state] for side, state in wish.items()}
    asked = {"TLS 1.0": "default", "TLS 1.2": wish}
    return policies.audited(FakeWindows(content), policies.policy(asked)).as_result()


@pytest.mark.parametrize("client", ["default", "unmanaged"])
def test_proof_of_the_server_side_only(client: str) -> None:
    """What the seed suffers from is the other side: outgoing mail."""
    found = verdict(sides(client, "enabled"), PROOF)
    assert (found.word, found.verified, found.problems) == ("incoming_only", False, ())
    assert "for incoming mail only: incoming TLS 1.2 accepted by smtp://ex01:25" in found.sentence
    assert "Send connector" in found.sentence


def test_no_handshake_proves_the_client_side() -> None:
    assert verdict(sides("enabled", "default"), PROOF).word == "not_proven"


@pytest.mark.parametrize("state", ["default", "unmanaged"])
def test_tls_12_that_nobody_asked_for(state: str) -> None:
    found = verdict(sides(state, state), PROOF)
    assert (found.word, found.verified) == ("not_asked", False)
    assert "TLS 1.2 was not asked for" in found.sentence


def waived(values: dict[str, Value]) -> dict[str, Any]:
    content = {protocol_key("TLS 1.2", side): values for side in SIDES}
    every = policies.waiver("protocol == 'TLS 1.2'")
    return policies.audited(FakeWindows(content), policies.policy({"TLS 1.2": "enabled"}), [every]).as_result()


@pytest.mark.parametrize(
    ("values", "effect"), [(OFF, "disabled"), ({"DisabledByDefault": dword(1)}, "disabled by default")]
)
def test_tls_12_that_is_off_with_a_waiver(values: dict[str, Value], effect: str) -> None:
    """Nothing fails, as was asked; and nothing is called right or proven."""
    found = verdict(waived(values), None)
    assert (found.word, found.problems) == ("not_proven", ())
    assert found.sentence == f"not proven: TLS 1.2 Client is {effect}, TLS 1.2 Server is {effect}"
    assert not verdict(waived(OFF), PROOF).verified


def test_tls_12_of_windows_itself_with_a_waiver() -> None:
    assert verdict(waived({}), PROOF).verified, "it is on and in effect"


def test_a_stray_that_stays_does_not_change_what_is_proven() -> None:
    """Windows does not read it; that it cannot be removed is told elsewhere."""
    stray = {protocol_key("TLS 1.2", side): ON for side in SIDES}
    stray[protocol_key("TLS1.2", "Server")] = {"Enabled": Value(Type.OTHER)}
    found = policies.audited(FakeWindows(stray), policies.policy({"TLS 1.2": "enabled"}), strays="remove").as_result()
    assert "unknown" in {item["status"] for item in found["findings"]}
    assert verdict(found, PROOF).verified


def test_setting_that_nobody_can_tell() -> None:
    unknown = [{**item, "status": "unknown"} for item in GOOD["findings"] if item["value"] == "Enabled"]
    assert verdict({**GOOD, "findings": [*GOOD["findings"], *unknown]}, PROOF).word == "unknown"


def test_state_that_nobody_can_tell() -> None:
    odd = {"Enabled": Value(Type.REG_SZ, "1"), "DisabledByDefault": dword(0)}
    found = verdict(waived(odd), PROOF)
    assert (found.word, found.verified, found.problems) == ("unknown", False, ())
    assert found.sentence.startswith("unknown: ")


# --- after a rollback ------------------------------------------------------------------------------------------------


def test_values_that_are_back() -> None:
    """Whatever the policy says of them; the words say what TLS 1.2 is now, and call nothing verified."""
    for values, word in ((OFF, "disabled"), (ON, "enabled"), ({}, "enabled")):
        found = verdict(settings(TLS_1_2=values), None, judge_policy=False)
        assert (found.word, found.problems) == ("restored", ())
        assert found.sentence == f"the values of the backup are back; TLS 1.2 is Client {word}, Server {word}"
    found = verdict(GOOD, PROOF, judge_policy=False)
    assert not found.verified
    assert found.sentence.endswith("; incoming TLS 1.2 accepted by smtp://ex01:25")


def test_values_that_are_not_back() -> None:
    found = verdict(GOOD, None, judge_policy=False, not_back=["K [V] is 1, and was absent"])
    assert (found.word, found.problems) == ("wrong", ("Not restored: K [V] is 1, and was absent.",))


def test_endpoints_that_are_lost() -> None:
    found = verdict(GOOD, PROOF, lost=["smtp://a:25", "https://a:443"])
    assert (found.word, found.incoming) == ("wrong", ("smtp://ex01:25",))
    assert found.problems == ("TLS 1.2 was accepted before and no longer is by smtp://a:25, https://a:443.",)
    assert found.sentence == f"NO: {found.problems[0]}"


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
    assert outcome(waiting, PROOF) == ("wrong", (WAITS,), ())
    assert outcome(waiting, PROOF, allow_pending=True) == ("pending", (), (WAITS,))
    assert outcome(waiting, UNREACHABLE, allow_pending=True, handshake_policy="required")[:2] == ("pending", ())


def test_handshakes_of_the_time_before_the_restart() -> None:
    waiting = settings(pending=True, TLS_1_2=ON)
    assert len(verdict(waiting, OLD).problems) == 2
    found = verdict(waiting, OLD, allow_pending=True)
    assert found.problems == ()
    assert len(found.notes) == 2
    assert len(verdict(GOOD, OLD, allow_pending=True).problems) == 1, "nothing is pending, so it is wrong"


def test_a_sentence_tells_the_first_problem_and_counts_the_rest() -> None:
    found = verdict(settings(pending=True, TLS_1_2=ON), OLD)
    assert found.sentence == f"NO: {WAITS} (and 1 more)"


def test_policy_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="when_reachable, required, never, not 'always'"):
        verdict(GOOD, None, handshake_policy="always")
