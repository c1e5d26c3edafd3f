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


@pytest.mark.parametrize(
    ("file", "once", "failures", "is_refused"),
    [
        (ROLE / "learn.yml", True, 1, True),
        (ROLE / "learn.yml", True, 0, False),  # rescued
        (ROLE / "change.yml", False, 1, False),
        (Path("/etc/hooks/drain.yml"), True, 1, False),
    ],
)
def test_what_ends_the_run_for_all_is_told_once(
    monkeypatch: pytest.MonkeyPatch, file: Path, once: bool, failures: int, is_refused: bool
) -> None:
    callback, lines = summary.CallbackModule(), list[str]()
    monkeypatch.setattr(callback._display, "display", lambda line, **how: lines.append(line))
    arguments = {"args": ["harden-tls.yml"], "inventory": ["hosts.yml"], "subset": "dag1"}
    monkeypatch.setattr(summary.context, "CLIARGS", arguments)
    task = types.SimpleNamespace(
        name="Begin nothing", action="fail", register=None, run_once=once, get_path=lambda: f"{file}:7"
    )
    result = {"failed": True, "msg": "Nothing was begun: ex02 is away."}
    handed = types.SimpleNamespace(task=task, result=result, host=types.SimpleNamespace(name="ex01"))
    callback.v2_runner_on_failed(handed)
    failed = {"ex01": failures} if failures else {}
    callback.v2_playbook_on_stats(types.SimpleNamespace(processed={"ex01": 1}, failures=failed, dark={}, changed={}))
    assert lines == is_refused * [
        "error:    Nothing was begun: ex02 is away.",
        "changed:  nothing, on no server",
        "next:     mend what the message says, then",
        "          ansible-playbook -i hosts.yml harden-tls.yml -l dag1",
    ]


@pytest.mark.parametrize(
    ("check", "before", "told"),
    [
        # after a run that was to change nothing comes one that changes nothing
        (True, None, ["changed:  nothing, on no server", "next:     mend what the message says, then", "--check"]),
        # what the user's own tasks have done is not known
        (False, "changed", ["next:     mend what the message says, then", "harden-tls.yml"]),
        # out of service is no setting, and no nothing either
        (False, "_tls12_out", ["next:     mend what the message says, then", "harden-tls.yml"]),
    ],
)
def test_a_refusal_promises_no_more_than_is_known(
    monkeypatch: pytest.MonkeyPatch, check: bool, before: str | None, told: list[str]
) -> None:
    callback, lines = summary.CallbackModule(), list[str]()
    monkeypatch.setattr(callback._display, "display", lambda line, **how: lines.append(line))
    monkeypatch.setattr(summary.context, "CLIARGS", {"args": ["harden-tls.yml"], "check": check})
    host = types.SimpleNamespace(name="ex01")

    def task(register: str | None, **more: Any) -> Any:
        action = "mailops.exchange_tls.exchange_maintenance"
        path = f"{ROLE / 'learn.yml'}:7"
        return types.SimpleNamespace(name="x", action=action, register=register, get_path=lambda: path, **more)

    if before == "_tls12_out":
        callback.v2_runner_on_ok(types.SimpleNamespace(task=task(before), result={"changed": True}, host=host))
    result = {"failed": True, "msg": "Nothing was begun: ex02 is away."}
    callback.v2_runner_on_failed(types.SimpleNamespace(task=task(None, run_once=True), result=result, host=host))
    changed = {"ex01": 1} if before == "changed" else {}
    stats = types.SimpleNamespace(processed={"ex01": 1}, failures={"ex01": 1}, dark={}, changed=changed)
    callback.v2_playbook_on_stats(stats)
    assert lines[1:-1] == told[:-1]
    assert lines[-1].endswith(told[-1])


def test_our_own_tasks_speak_for_themselves() -> None:
    assert told(str(ROLE / "restart.yml"), msg="Not restarted.") == "Not restarted."
