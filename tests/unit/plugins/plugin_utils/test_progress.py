# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see of a wait."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._progress import Progress


def test_news_and_a_line_a_minute() -> None:
    said: list[str] = []
    time = [100.0]
    progress = Progress(said.append, 600, lambda: time[0])
    for seconds, text in ((0, "A"), (5, "A"), (7, "B"), (60, "B"), (67, "B"), (70, "A")):
        time[0] = 100.0 + seconds
        progress.now(text)
    assert said == [
        "A (0 of at most 600 seconds)",
        "B (7 of at most 600 seconds)",
        "B (67 of at most 600 seconds)",
        "A (70 of at most 600 seconds)",
    ]


def test_one_line_a_wait_in_a_job_of_awx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWX_PRIVATE_DATA_DIR", "/runner")
    said: list[str] = []
    for phase in ("goes down", "comes back"):
        time = [0.0]
        progress = Progress(said.append, 600, lambda time=time: time[0])  # type: ignore[misc]
        for text in (phase, phase, f"still {phase}"):
            progress.now(text)
            time[0] += 100
    assert said == ["goes down (0 of at most 600 seconds)", "comes back (0 of at most 600 seconds)"]
