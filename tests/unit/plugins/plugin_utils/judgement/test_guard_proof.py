# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What handshakes must prove before old TLS goes off, and what the guard says where they do not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.handshakes import (
    POLICIES,
    check_result,
    lost,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.proof import missing

from ..policies import policy
from .guarding import ACCEPTED, NOT_TRIED, READY, REFUSED, guard, off, refusal

# --- handshakes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("handshakes", [None, {}, {"skipped": True, "changed": False}, ACCEPTED, REFUSED, NOT_TRIED])
def test_results_of_handshakes(handshakes: dict[str, Any] | None) -> None:
    check_result("handshakes", handshakes)


@pytest.mark.parametrize(
    "handshakes",
    [
        {"endpoints": None},
        {"endpoints": 5},
        {"endpoints": ["smtp://ex01:25"]},
        {"endpoints": [{}]},
        {"endpoints": [{"endpoint": "x"}]},
        {"endpoints": [{"endpoint": "x", "versions": None}]},
        {"endpoints": [{"endpoint": "x", "versions": {"TLS 1.2": True}}]},
        {"endpoints": [{"versions": {"TLS 1.2": {"accepted": False}}}]},
    ],
)
def test_what_is_no_result_of_handshakes(handshakes: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=r"'handshakes' is not a result of tls_handshake_info: .*Register one"):
        check_result("handshakes", handshakes)


@pytest.mark.parametrize("policy", [None, *POLICIES])
def test_a_version_without_a_result_is_open(policy: str | None) -> None:
    found = {"endpoints": [{"endpoint": "smtp://x:25", "versions": {"TLS 1.2": None}}]}
    check_result("handshakes", found)
    told = [what for what, _cure in missing(found, policy)]
    assert len(told) == (policy is not None)


@pytest.mark.parametrize("nothing", [None, {}, "", [], False])
def test_nothing_is_lost_from_nothing(nothing: Any) -> None:
    assert lost(nothing, nothing) == []


def test_only_a_no_is_a_no() -> None:
    """What could not be tried is no proof that TLS 1.2 does not work; that it must be tried is another option."""
    assert guard(READY, handshakes=NOT_TRIED) is None
    assert guard(READY, handshakes={"endpoints": [{"endpoint": "x", "versions": {}}]}) is None


# --- what handshakes must prove --------------------------------------------------------------------------------------


def tried(**accepted: bool | None) -> dict[str, Any]:
    """A result of tls_handshake_info, by the names of endpoints."""
    return {
        "endpoints": [
            {
                "endpoint": f"smtp://{name}:25",
                "verdict": "verified" if answer is not None else "inconclusive",
                "error": None if answer is not None else f"smtp://{name}:25 cannot be reached.",
                "versions": {"TLS 1.2": {"accepted": answer, "evidence": "E"}},
            }
            for name, answer in accepted.items()
        ]
    }


NOTHING_TRIED = [None, {}, {"endpoints": []}, {"skipped": True, "changed": False}]
# What was seen, and under which policies it is enough.
PROVEN: list[tuple[dict[str, Any] | None, set[str | None]]] = [
    *((nothing, {None}) for nothing in NOTHING_TRIED),
    (tried(a=True), {None, "when_reachable", "required"}),
    (tried(a=True, b=True), {None, "when_reachable", "required"}),
    (tried(a=True, b=None), {None, "when_reachable"}),
    (tried(a=None, b=True), {None, "when_reachable"}),
    (tried(a=None), {None}),
    (tried(a=None, b=None), {None}),
    # a refusal counts, whatever was accepted elsewhere
    (tried(a=True, b=False), set()),
    (tried(a=False), set()),
    # no version at all was tried there
    ({"endpoints": [{"endpoint": "x", "verdict": "inconclusive", "error": "E", "versions": {}}]}, {None}),
]


@pytest.mark.parametrize("wanted", [None, "when_reachable", "required", "never"])
@pytest.mark.parametrize(("handshakes", "enough"), PROVEN)
def test_what_handshakes_must_prove(
    handshakes: dict[str, Any] | None, enough: set[str | None], wanted: str | None
) -> None:
    if wanted in enough:
        assert guard(READY, handshakes=handshakes, handshake_policy=wanted) is None
        return
    told = refusal(READY, handshakes=handshakes, handshake_policy=wanted)
    assert told.startswith("Refused, nothing was changed: TLS 1.0 Client, ")
    assert told.endswith("To do it all the same, at your own risk, set 'force' (tls12_force in the role).")
    warning = guard(READY, handshakes=handshakes, handshake_policy=wanted, force=True)
    assert warning is not None
    assert warning.startswith("FORCED: TLS 1.0 Client, ")


@pytest.mark.parametrize("wanted", [None, "when_reachable", "required", "never"])
def test_nothing_needs_proof_where_nothing_goes_off(wanted: str | None) -> None:
    done = {**READY, **off("TLS 1.0"), **off("TLS 1.1"), **off("SSL 3.0")}
    assert guard(done, handshake_policy=wanted) is None
    assert guard(READY, policy(baseline="exchange_tls12"), handshake_policy=wanted) is None


@pytest.mark.parametrize(
    ("handshakes", "wanted", "words"),
    [
        (None, "never", "although no handshake may be tried, so nothing shows that the server accepts TLS 1.2. Allow "),
        (tried(a=True), "never", "tls12_handshakes: required in the role"),
        (
            {"endpoints": []},
            "when_reachable",
            "although no endpoint was tried, so nothing shows that the server accepts",
        ),
        (
            tried(a=None, b=None),
            "when_reachable",
            "accepted by smtp://a:25 (cannot be reached), smtp://b:25 (cannot be reached). Name endpoints that the ",
        ),
        (tried(a=True, b=None), "required", "although nothing shows that TLS 1.2 is accepted by smtp://b:25 (cannot "),
        (
            tried(a=True, b=False),
            "required",
            "although smtp://b:25 does not accept TLS 1.2. Run enforce-tls12.yml first",
        ),
    ],
)
def test_what_is_not_proven_is_named(handshakes: dict[str, Any] | None, wanted: str, words: str) -> None:
    assert words in refusal(READY, handshakes=handshakes, handshake_policy=wanted)


def test_many_endpoints_and_hostile_words_stay_readable() -> None:
    many = tried(**{f"h{number}": None for number in range(50)})
    many["endpoints"][0]["error"] = "\x1b[2J" + "x" * 100_000
    told = refusal(READY, handshakes=many, handshake_policy="required")
    assert "and 45 more" in told
    assert "\x1b" not in told
    assert len(told) < 3000
