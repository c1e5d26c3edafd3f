# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the word 'verified' stands for, over all that settings and handshakes can be."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.handshakes import POLICIES
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.verdicts import verdict
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    SIDES,
    VALUE_NAMES,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.laws import examples

from ..policies import policy, waiver
from ..worlds import BUILDS, VALUES, audit_of

VERSIONS = ("TLS 1.0", "TLS 1.2", "TLS 1.3", "QUIC")
ON = dict(zip(VALUE_NAMES, VALUES[2:0:-1], strict=True))  # Enabled 1, DisabledByDefault 0
GOOD = {"TLS 1.2": True, "TLS 1.3": False}
NAMES = ("ex01", "ex02", "ex03")

answers = st.dictionaries(st.sampled_from(VERSIONS), st.sampled_from([True, False, None]))
side_values = st.fixed_dictionaries(dict.fromkeys(VALUE_NAMES, st.sampled_from(VALUES)))
# What may be other than where all is well, with what it then is.
ODD: dict[str, st.SearchStrategy[Any]] = {
    "asked of Client": st.sampled_from(["default", "unmanaged"]),
    "asked of Server": st.sampled_from(["default", "unmanaged"]),
    "Client": side_values,
    "Server": side_values,
    "build": st.sampled_from(BUILDS),
    "pending": st.just(True),
    "waived": st.just(True),
    "tried": st.none() | st.dictionaries(st.sampled_from(NAMES), st.just(GOOD) | answers),
    "handshake_policy": st.sampled_from(POLICIES),
    "judge_policy": st.just(False),
    "allow_pending": st.just(True),
    "lost": st.just(["smtp://ex09:25"]),
    "not_back": st.just(["K [V] is 1, and was absent"]),
}
WISHES = ("handshake_policy", "judge_policy", "allow_pending", "lost", "not_back")


@dataclasses.dataclass(frozen=True)
class Case:
    """A result of tls_settings_info, the states of TLS 1.2 that were asked for, and the rest of what is judged."""

    read: dict[str, Any]
    asked: dict[str, str]
    tried: dict[str, Any] | None
    wishes: dict[str, Any]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    odd = {name: draw(ODD[name]) for name in draw(st.lists(st.sampled_from(list(ODD)), max_size=4, unique=True))}
    asked = {side: odd.get(f"asked of {side}", "enabled") for side in SIDES}
    present = {
        Setting(protocol_key("TLS 1.2", side), name): value
        for side in SIDES
        for name, value in odd.get(side, ON if asked[side] == "enabled" else {}).items()
    }
    waivers = [waiver("protocol == 'TLS 1.2'")] if "waived" in odd else []
    wanted = policy({"TLS 1.2": asked, "TLS 1.0": "default"})
    found = audit_of(wanted, present, odd.get("build", 17763), waivers=waivers).as_result()
    tried = odd.get("tried", dict.fromkeys(NAMES[:2], GOOD))
    return Case(
        {**found, "restart_pending": "pending" in odd},
        asked,
        None if tried is None else {"endpoints": [endpoint(*item) for item in tried.items()]},
        {name: odd[name] for name in WISHES if name in odd},
    )


def endpoint(name: str, accepted: dict[str, bool | None]) -> dict[str, Any]:
    seen = {version: {"accepted": answer, "evidence": "server hello"} for version, answer in accepted.items()}
    return {"endpoint": f"smtp://{name}:25", "verdict": "any", "versions": seen, "error": f"smtp://{name}:25: refused"}


def endpoints(case: Case) -> list[dict[str, Any]]:
    """Those that were tried, and count."""
    never = case.wishes.get("handshake_policy") == "never"
    return [] if case.tried is None or never else list(case.tried["endpoints"])


@examples(400)
@given(cases())
def test_verified(case: Case) -> None:
    """It is said where all of it holds, and nowhere else."""
    result = verdict(case.read, case.tried, **case.wishes)
    read, tried = case.read, endpoints(case)
    holds = (
        set(case.asked.values()) == {"enabled"}
        and all(read["protocols"]["TLS 1.2"][side]["effective"] == "enabled" for side in SIDES)
        and all(item["status"] in ("compliant", "waived") for item in read["findings"] if item["expected"])
        and not read["restart_pending"]
        and "judge_policy" not in case.wishes
        and result.problems == ()
        and len(tried) > 0
        and all(item["versions"].get("TLS 1.2", {}).get("accepted") is True for item in tried)
    )
    assert result.verified is holds
    assert ("verified" in result.sentence) is holds, "and the words say it nowhere else"
    assert bool(result.problems) is (result.word == "wrong")


@examples(150)
@given(cases())
def test_incoming(case: Case) -> None:
    """The endpoints that were seen to accept TLS 1.2; without them nothing is proven."""
    result = verdict(case.read, case.tried, **case.wishes)
    seen = [item["endpoint"] for item in endpoints(case) if item["versions"].get("TLS 1.2", {}).get("accepted") is True]
    assert list(result.incoming) == seen
    assert list(result.endpoints) == [item["endpoint"] for item in endpoints(case)]
    assert all(name in result.sentence for name in seen) or result.word not in ("verified", "incoming_only", "restored")
    if result.word in ("verified", "incoming_only"):
        assert len(seen) == len(endpoints(case)) > 0
        assert case.asked["Server"] == "enabled"


@given(cases())
def test_names_do_not_matter(case: Case) -> None:
    def renamed(value: Any) -> Any:
        return json.loads(json.dumps(value).replace("ex0", "mail-").replace("EX0", "MAIL-"))

    before = verdict(case.read, case.tried, **case.wishes)
    after = verdict(renamed(case.read), renamed(case.tried), **renamed(case.wishes))
    assert after.as_result() == renamed(before.as_result())
