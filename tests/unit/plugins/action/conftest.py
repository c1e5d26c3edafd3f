# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake host, and the action plugins over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..plugin_utils.fakes import FakeWindows
from .actions import Runner, host, runner


@pytest.fixture
def windows() -> FakeWindows:
    """A host that restarts when it is told to."""
    return host()


@pytest.fixture
def run(windows: FakeWindows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    return runner(windows, tmp_path, monkeypatch)
