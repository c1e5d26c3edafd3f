# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters, through Jinja and by hand."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible.plugins.loader import filter_loader
from ansible_collections.mailops.exchange_tls.plugins.filter import tls_summary, tls_verdict

SETTINGS: dict[str, Any] = {"restart_pending": False, "findings": [], "protocols": {}}
WAITING: dict[str, Any] = {**SETTINGS, "restart_pending": True}
BAD: dict[str, Any] = {
    **SETTINGS,
    "findings": [
        {
            "status": "noncompliant",
            "severity": "high",
            "message": "It is wrong.",
            "side": "Client",
            "protocol": "TLS 1.2",
        }
    ],
}


@pytest.mark.parametrize("name", ["tls_verdict", "tls_summary"])
def test_filters_are_found(name: str) -> None:
    assert filter_loader.get(f"mailops.exchange_tls.{name}") is not None


def test_verdict() -> None:
    assert tls_verdict.tls_verdict(SETTINGS) == {"verified": False, "problems": [], "notes": []}
    assert tls_verdict.tls_verdict(BAD)["problems"] == ["[high] It is wrong."]
    assert tls_verdict.tls_verdict(BAD, None, judge_policy=False)["problems"] == []


@pytest.mark.parametrize(
    ("word", "value"), [("false", False), ("False", False), ("no", False), ("true", True), ("yes", True)]
)
def test_booleans_that_are_words(word: str, value: bool) -> None:
    """As they come from -e and from AWX surveys."""
    assert bool(tls_verdict.tls_verdict(BAD, judge_policy=word)["problems"]) is value
    assert bool(tls_verdict.tls_verdict(WAITING, allow_pending=word)["problems"]) is not value
    change = {"changed": True, "changes": [{"status": "planned"}], "backup": None, "restart_required": True}
    assert ("would be written" in tls_summary.tls_summary({"change": change}, check_mode=word)[0]) is value


@pytest.mark.parametrize(
    ("settings", "handshakes", "wishes"),
    [
        ("text", None, {}),
        ([], None, {}),
        (5, None, {}),
        (SETTINGS, "text", {}),
        (SETTINGS, {"skipped": True}, {}),
        (SETTINGS, None, {"handshake_policy": "always"}),
        (SETTINGS, None, {"unknown": 1}),
        (SETTINGS, None, {"judge_policy": "perhaps"}),
        ({**SETTINGS, "protocols": "x"}, {"endpoints": [{"verdict": "verified", "versions": {"TLS 1.2": {}}}]}, {}),
    ],
)
def test_verdict_on_rubbish(settings: Any, handshakes: Any, wishes: dict[str, Any]) -> None:
    with pytest.raises(AnsibleFilterError, match="tls_verdict takes the result of tls_settings_info"):
        tls_verdict.tls_verdict(settings, handshakes, **wishes)


@pytest.mark.parametrize("settings", [None, {}, {"failed": True, "msg": "x"}, {"skipped": True}])
def test_no_verdict_on_a_step_that_brought_nothing(settings: Any) -> None:
    assert tls_verdict.tls_verdict(settings, {"endpoints": []}) is None


def test_summary() -> None:
    assert tls_summary.tls_summary({"audit": None, "change": {}}) == ["next:     nothing to do"]
    assert tls_summary.tls_summary({}) == ["next:     nothing to do"]


@pytest.mark.parametrize("steps", [None, "text", [], {"unknown": {"x": 1}}, {"audit": {"x": 1}}, {"audit": "text"}])
def test_summary_of_rubbish(steps: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="tls_summary takes a dictionary with the results of steps"):
        tls_summary.tls_summary(steps)
