# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the last screen says of a task of the user's that failed."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.callback import summary

ROLE = Path(summary.__file__).resolve().parents[2] / "roles" / "tls12" / "tasks"


def told(path: str, **result: Any) -> str:
    task = types.SimpleNamespace(name="Drain it", get_path=lambda: f"{path}:7")
    return summary._told(types.SimpleNamespace(task=task, result=result))


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"msg": "Error executing command."}, "Drain it: Error executing command."),
        (
            {"msg": "non-zero return code", "stderr": "a\nno such queue \n"},
            "Drain it: non-zero return code (no such queue)",
        ),
        ({"msg": ["one", "two"]}, "Drain it: one | two"),
        ({}, "Drain it: no message"),
    ],
)
def test_a_hook_that_fails_is_named(tmp_path: Path, result: dict[str, Any], words: str) -> None:
    assert told(str(tmp_path / "drain.yml"), **result) == words


def test_our_own_tasks_speak_for_themselves() -> None:
    assert told(str(ROLE / "restart.yml"), msg="Not restarted.") == "Not restarted."
