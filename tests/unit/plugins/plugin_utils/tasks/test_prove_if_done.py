# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change that finds nothing to do proves at once what another task would have to prove, and only then."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.standing import Steps
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import protocol_key
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks import proving, setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.task import Task

from ..fakes import FakeWindows, no_shell
from ..policies import options
from ..report import stories
from .test_proving import PROVE

WANTED = {"baseline": "none", "protocols": {"TLS 1.2": "enabled"}}
DONE: dict[str, dict[str, Value]] = {
    protocol_key("TLS 1.2", side): {"Enabled": dword(1), "DisabledByDefault": dword(0)} for side in ("Client", "Server")
}
RESTART = {
    "when": "if_pending",
    "timeout": 60,
    "services": [],
    "comment": None,
    "dag_check": False,
    "maintenance": None,
    "before": None,
    "after": None,
}


class Story:
    """Runs of tls_settings, and the handshakes that they tried."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.accepted: bool | None = True
        self.tried = 0
        self.folder = folder
        monkeypatch.setattr(proving, "handshakes", self.handshakes)

    def handshakes(self, *_how: Any) -> dict[str, Any]:
        self.tried += 1
        return stories.handshakes(smtp=self.accepted)

    def run(self, windows: FakeWindows, *, check_mode: bool = False, **more: Any) -> dict[str, Any]:
        given = {
            **options(**WANTED),
            **dict.fromkeys(("handshakes", "handshake_policy", "fail_on")),
            "logins": 1,
            "updates_within": None,
            "force": False,
            "backup_dir": str(self.folder),
            "undo_on_failure": True,
            "smtp_logs": None,
            "accepted_peers": [],
            "prove": {**PROVE, "endpoints": ["smtp"], "patience": 0},
            "prove_if_done": True,
            "restart": RESTART,
            **more,
        }
        task = Task(lambda: cast("Any", windows), no_shell, host_name="ex01", check_mode=check_mode)
        return setting.bring(task, given, {})


@pytest.fixture(name="story")
def _story(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Story:
    return Story(monkeypatch, tmp_path)


@pytest.mark.parametrize("check_mode", [False, True])
def test_nothing_to_do_is_proven_at_once(story: Story, check_mode: bool) -> None:
    result = story.run(FakeWindows(DONE), check_mode=check_mode)
    assert result["verdict"]["word"] == "verified"
    assert result["verdict"]["endpoints"] == {"smtp://ex01": True}
    assert (result["changed"], "failed" in result, "lost" in result) == (False, False, False)


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(("accepted", "how"), [(False, "when_reachable"), (None, "required")])
def test_what_is_not_proven_is_left_to_whoever_has_patience(
    story: Story, accepted: bool | None, how: str, check_mode: bool
) -> None:
    """And fails there: the others of a batch are restarted before."""
    story.accepted = accepted
    result = story.run(FakeWindows(DONE), check_mode=check_mode, prove={**PROVE, "handshakes": how, "patience": 60})
    assert "verdict" not in result
    assert "failed" not in result
    assert story.tried == 1


@pytest.mark.parametrize(
    ("content", "more"),
    [
        ({}, {}),
        ({**DONE, protocol_key("TLS 1.2", "Client"): {"Enabled": dword(0)}}, {}),
        (DONE, {"restart": {**RESTART, "when": "always"}}),
        (DONE, {"prove_if_done": False}),
    ],
    ids=["to write", "to mend", "to restart", "not asked"],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_where_something_is_to_be_done_first(
    story: Story, content: dict[str, dict[str, Value]], more: dict[str, Any], check_mode: bool
) -> None:
    result = story.run(FakeWindows(content), check_mode=check_mode, **more)
    assert "verdict" not in result
    assert story.tried == 0


@pytest.mark.parametrize("when", ["if_pending", "never"])
def test_a_restart_that_is_pending_comes_first(story: Story, when: str) -> None:
    windows = FakeWindows({})
    story.run(windows)
    again = story.run(windows, restart={**RESTART, "when": when})
    assert again["restart_pending"]
    assert again["changed"] is False
    assert "verdict" not in again


def test_what_fails_for_another_reason_is_not_proven(story: Story) -> None:
    result = story.run(FakeWindows(DONE), fail_on="length(@) > `0`")
    assert result["failed"]
    assert story.tried == 0


def test_it_needs_to_know_where() -> None:
    with pytest.raises(OptionError, match="'prove_if_done' needs 'prove'"):
        proving.check(None, "ex01", wanted="prove_if_done")
    proving.check(None, "ex01", wanted=False)
    proving.check(PROVE, "ex01", wanted="prove_if_done")


@pytest.mark.parametrize("accepted", [True, None])
def test_it_stands_like_two_steps(story: Story, accepted: bool | None) -> None:
    """What people see tells nothing of who has proven it."""
    story.accepted = accepted
    result = story.run(FakeWindows(DONE))
    plain = story.run(FakeWindows(DONE), prove_if_done=False)
    one = Steps.of({"change": result})
    two = Steps.of({"change": plain, "verify": result})
    for name in ("category", "word", "message", "failed_step", "verdict", "accepted", "restart_wanted", "left_changed"):
        assert getattr(one, name) == getattr(two, name), name
    assert [name for name, _result in one.made] == ["change", "verify"]
