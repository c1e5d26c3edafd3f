# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin smtp_log_info and the filter smtp_log_sessions: options in, result out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.mailops.exchange_tls.plugins.action import smtp_log_info
from ansible_collections.mailops.exchange_tls.plugins.filter.smtp_log_sessions import smtp_log_sessions

from ..plugin_utils.fakes import FakeWindows
from ..plugin_utils.mailflow import logs
from .actions import Runner, runner

LINES = [*logs.header(), *logs.session(logs.tls("TLS1_0"))]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    return runner(FakeWindows({}), tmp_path, monkeypatch)


def test_a_folder(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "RECV.LOG").write_bytes(logs.raw(LINES))
    found = run(smtp_log_info, path=str(tmp_path / "logs"))
    assert [peer["peer"] for peer in found["old_tls"]] == ["192.0.2.7"]
    assert not found["changed"]
    assert (
        "1 peers with TLS older than 1.2: 192.0.2.7 (connects to us with TLS 1.0, last on 2026-01-05)." in found["msg"]
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"paths": "nowhere"}, "there is no 'nowhere'"),
        ({"paths": []}, "names no file"),
        ({"paths": ".", "since": "yesterday"}, "'since' is 'yesterday'"),
        ({"paths": ".", "max_bytes": -1}, "'max_bytes' is -1"),
        ({"paths": ".", "max_seconds": "nan"}, "'max_seconds' is nan"),
    ],
)
def test_what_is_refused(run: Runner, options: dict[str, Any], words: str) -> None:
    found = run(smtp_log_info, **options)
    assert found["failed"]
    assert words in found["msg"]


def test_a_folder_without_logs(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "notes.txt").write_text("notes")
    found = run(smtp_log_info, path=str(tmp_path / "logs"))
    assert found["failed"]
    assert "no SMTP protocol logs" in found["msg"]
    assert "notes.txt is no log" in found["msg"]


def test_negotiations_that_failed_are_no_failure_of_the_task(run: Runner, tmp_path: Path) -> None:
    lost = ["*,,TLS negotiation failed with error SocketError", "-,,Local"]
    lines = [*logs.header(), *logs.session([*logs.tls()[:6], *lost])]
    (tmp_path / "SEND.LOG").write_bytes(logs.raw(lines))
    found = run(smtp_log_info, path=str(tmp_path / "SEND.LOG"))
    assert "failed" not in found
    assert [item["error"] for item in found["failures"][0]["errors"]] == ["SocketError"]


def test_sessions() -> None:
    for given in (LINES, "\n".join(LINES)):
        assert [item["tls_version"] for item in smtp_log_sessions(given)] == ["TLS 1.0"]
    assert smtp_log_sessions(LINES[5:], "send")[0]["direction"] == "send"


@pytest.mark.parametrize(("given", "direction"), [(5, None), ([5], None), ("", "sideways")])
def test_what_the_filter_refuses(given: Any, direction: str | None) -> None:
    with pytest.raises(AnsibleFilterError, match="smtp_log_sessions"):
        smtp_log_sessions(given, direction)
