# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handshakes as a proof: their options, and waiting for endpoints that have accepted TLS 1.2 before."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _handshake, _options
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement import handshakes
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks import proving
from hypothesis import given
from hypothesis import strategies as st

PROVE: dict[str, Any] = {name: spec.get("default") for name, spec in _options.PROVE["prove"]["options"].items()}


def shaken(**accepted: bool | None) -> dict[str, Any]:
    """A result of tls_handshake_info: endpoint=accepted, for TLS 1.2."""
    return {
        "endpoints": [{"endpoint": name, "versions": {"TLS 1.2": {"accepted": it}}} for name, it in accepted.items()]
    }


# --- options ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wishes",
    [
        {},
        {"endpoints": []},
        {"endpoints": [], "handshakes": "never"},
        {"endpoints": ["smtp:2525"], "server_name": "mail.example.org", "timeout": 0.5, "patience": 0},
        {"timeout": 300, "patience": 3600},
    ],
)
def test_options(wishes: dict[str, Any]) -> None:
    proving.check({**PROVE, **wishes}, "ex01")
    proving.check(None, "ex01")


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"endpoints": ["smpt"]}, "smpt"),
        ({"endpoints": [""]}, "endpoint"),
        ({"endpoints": ["smtp:99999"]}, "99999"),
        ({"endpoints": ["smpt"], "handshakes": "never"}, "smpt"),
        ({"endpoints": [], "handshakes": "required"}, "'prove.endpoints' names none"),
        ({"server_name": "-"}, "server_name"),
        ({"timeout": 0}, "'prove.timeout' is 0, but it is seconds, more than 0 and at most 300."),
        ({"timeout": -1}, "'prove.timeout' is -1"),
        ({"timeout": 300.5}, "'prove.timeout' is 300.5"),
        ({"timeout": float("nan")}, "'prove.timeout' is nan"),
        ({"timeout": float("inf")}, "'prove.timeout' is inf"),
        ({"patience": -1}, "'prove.patience' is -1, but it is seconds, 0 or more and at most 3600."),
        ({"patience": 3601}, "'prove.patience' is 3601"),
    ],
)
def test_options_that_are_refused(wishes: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=re.escape(words)):
        proving.check({**PROVE, **wishes}, "ex01")


@pytest.mark.parametrize(
    "endpoint",
    ["smtp://ex02:2525", "https://EX02.contoso.com", "ex02.contoso.com:25", "smtp://ex02.contoso.com.", "imaps://ex03"],
)
def test_what_another_server_accepts_proves_nothing(endpoint: str) -> None:
    others = ["ex02.contoso.com", "ex03"]
    with pytest.raises(OptionError, match=r"another server of the inventory.*Leave the host out.*: \w+://:\d+\."):
        proving.check({**PROVE, "endpoints": ["smtp", endpoint]}, "ex01", others=lambda: others)
    proving.check({**PROVE, "endpoints": [endpoint]}, "ex01")


@pytest.mark.parametrize(
    "endpoint",
    ["smtp", "smtp://ex01:25", "https://mail.contoso.com", "smtp://ex0", "smtp://192.0.2.2", "tls://[::1]:25"],
)
def test_places_that_are_no_other_server(endpoint: str) -> None:
    proving.check({**PROVE, "endpoints": [endpoint]}, "ex01", others=lambda: ["ex02.contoso.com", "ex03"])


def test_all_problems_at_once() -> None:
    with pytest.raises(OptionError) as caught:
        proving.check({**PROVE, "endpoints": ["smpt"], "server_name": "-", "timeout": 0, "patience": -1}, "ex01")
    assert all(word in caught.value.message for word in ("smpt", "server_name", "prove.timeout", "prove.patience"))


@pytest.mark.parametrize("result", [None, {}, {"skipped": True}, shaken(smtp=True), {"endpoints": []}])
def test_results(result: Any) -> None:
    handshakes.check_result("accepted_before", result)


@pytest.mark.parametrize("rubbish", ["text", 5, {"endpoints": 5}, {"endpoints": ["smtp"]}, {"endpoints": [{}]}])
def test_what_is_no_result(rubbish: Any) -> None:
    with pytest.raises(OptionError, match="'accepted_before' is not a result of tls_handshake_info"):
        handshakes.check_result("accepted_before", rubbish)


# --- handshakes that are not tried -----------------------------------------------------------------------------------


def test_no_handshakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_handshake, "probe_host", lambda *args: pytest.fail("nothing is to be tried"))
    assert proving.handshakes(None, "ex01", "ex01") is None
    assert proving.handshakes({**PROVE, "handshakes": "never"}, "ex01", "ex01") is None
    found = proving.handshakes({**PROVE, "endpoints": []}, "ex01", "ex01")
    assert found is not None
    assert found["endpoints"] == []


@pytest.mark.parametrize(
    ("wish", "expected"),
    [(None, ["mail.example.org", None]), ("other.example.org", ["other.example.org", "other.example.org"])],
)
def test_names_that_servers_are_asked_for(
    wish: str | None, expected: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the inventory, but none for an address; or the one that was given."""
    asked: dict[Any, Any] = {}

    def probe(names: dict[Any, Any], versions: Any, required: Any, timeout: float) -> list[Any]:
        asked.update(names)
        assert {item.value for item in versions} >= {"TLS 1.0", "TLS 1.2", "TLS 1.3"}
        assert [item.value for item in required] == ["TLS 1.2"]
        assert timeout == 10
        return []

    monkeypatch.setattr(_handshake, "probe_host", probe)
    for host in ("mail.example.org", "192.0.2.1"):
        proving.handshakes({**PROVE, "endpoints": ["smtp"], "server_name": wish}, host, host)
    assert list(asked.values()) == expected


# --- waiting ---------------------------------------------------------------------------------------------------------


class Time:
    """A clock that goes on while somebody waits or tries."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, Any] | None], lasts: float = 1) -> None:
        self.now, self.answers, self.tries, self.lasts = 1000.0, answers, 0, lasts
        self.said: list[str] = []
        monkeypatch.setattr(proving, "handshakes", self.handshakes)

    def handshakes(self, prove: Any, address: str, host_name: str) -> dict[str, Any] | None:
        self.now += self.lasts
        self.tries += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def settled(self, before: Any, patience: int = 60) -> tuple[Any, list[str]]:
        wishes = {**PROVE, "patience": patience}
        return proving.settled(
            wishes, before, "ex01", "ex01", self.said.append, sleep=self.sleep, clock=lambda: self.now
        )


GONE = shaken(smtp=None, https=True)
BOTH = shaken(smtp=True, https=True)


def test_an_endpoint_that_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time(monkeypatch, [GONE, GONE, BOTH])
    assert time.settled(BOTH) == (BOTH, [])
    assert time.tries == 3
    assert time.said == ["waiting up to 59 seconds for TLS 1.2 on smtp"], "once"


def test_an_endpoint_that_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time(monkeypatch, [GONE])
    assert time.settled(BOTH) == (GONE, ["smtp"])
    assert 60 <= time.now - 1000 <= 61, "patience, and the try that was begun within it"


def test_nobody_waits_for_what_was_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for before in (None, {}, shaken(https=True), shaken(smtp=False, https=True), GONE):
        time = Time(monkeypatch, [GONE])
        assert time.settled(before) == (GONE, [])
        assert time.tries == 1
        assert time.said == []


def test_without_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time(monkeypatch, [GONE, BOTH])
    assert time.settled(BOTH, patience=0) == (GONE, ["smtp"])
    assert time.tries == 1


def test_where_nothing_may_be_tried_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Time(monkeypatch, [None]).settled(BOTH) == (None, [])


results = st.none() | st.dictionaries(
    st.sampled_from(["smtp", "https", "imaps"]), st.sampled_from([True, False, None])
).map(lambda found: shaken(**found))


@given(results, results)
def test_lost(before: Any, after: Any) -> None:
    """What was accepted and is not; so nothing is lost from a result to itself, or to one that has more."""
    lost = handshakes.lost(before, after)
    assert set(lost) == set(handshakes.accepting(before)) - set(handshakes.accepting(after))
    assert handshakes.lost(after, after) == []


@pytest.mark.parametrize(("policy", "tries"), [("required", 3), ("when_reachable", 1)])
def test_endpoints_that_bind_late_are_waited_for_where_they_are_required(
    monkeypatch: pytest.MonkeyPatch, policy: str, tries: int
) -> None:
    answers = iter([None, None, True])
    calls = []

    def try_once(*_arguments: Any) -> dict[str, Any]:
        calls.append(1)
        return {"endpoints": [{"endpoint": "smtp://ex01", "versions": {"TLS 1.2": {"accepted": next(answers)}}}]}

    monkeypatch.setattr(proving, "handshakes", try_once)
    now = [0.0]
    prove = {"handshakes": policy, "patience": 60}
    said: list[str] = []
    found, gone = proving.settled(
        prove,
        None,
        "ex01",
        "ex01",
        said.append,
        sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
        clock=lambda: now[0],
    )
    assert said == ["waiting up to 60 seconds for TLS 1.2 on smtp://ex01"] * (tries > 1)
    assert len(calls) == tries
    assert gone == []
    assert found is not None
