# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback that prints the last screen, fed with what the versions of ansible-core hand over."""

from __future__ import annotations

import atexit
import json
import pathlib
import types
from collections.abc import Mapping
from typing import Any

import pytest
from ansible.plugins.loader import callback_loader
from ansible_collections.mailops.exchange_tls.plugins.callback import summary

from ..plugin_utils.report.stories import IN, changed, failed, gone, restarted, settings, unchanged, verified

SETTINGS_INFO = "mailops.exchange_tls.tls_settings_info"
STEPS = {
    "audit": ("_tls12_audit", SETTINGS_INFO),
    "change": ("_tls12_change", "mailops.exchange_tls.tls_settings"),
    "reboot": ("_tls12_restart", "mailops.exchange_tls.wmi_reboot"),
    "undone": ("_tls12_undone", "mailops.exchange_tls.tls_rollback"),
    "verify": ("_tls12_verify", SETTINGS_INFO),
}


class Old:
    """A result as ansible-core up to 2.18 hands it over."""

    def __init__(self, host: str, task: Any, result: dict[str, Any]) -> None:
        self._host, self._task, self._result = types.SimpleNamespace(name=host), task, result


class New:
    """And from 2.19 on: reading a name with an underscore warns there."""

    def __init__(self, host: str, task: Any, result: dict[str, Any]) -> None:
        self.host, self.task, self.result = types.SimpleNamespace(name=host), task, result

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is deprecated")


class Run:
    """A run of Ansible, as far as a callback sees it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kind: type = New, **arguments: Any) -> None:
        self.callback, self.kind = summary.CallbackModule(), kind
        self.failures: dict[str, int] = {}
        self.dark: dict[str, int] = {}
        self.processed: dict[str, int] = {}
        self.lines: list[str] = []
        self.on_stderr: set[bool] = set()
        monkeypatch.setattr(self.callback._display, "display", self._display)
        monkeypatch.setattr(summary.context, "CLIARGS", {"args": ["enforce-tls12.yml"], **arguments})

    def _display(self, line: str, color: Any = None, stderr: bool = False) -> None:
        self.lines.append(line)
        self.on_stderr.add(stderr)

    def play(self, *hosts: str) -> None:
        inventory = types.SimpleNamespace(
            get_hosts=lambda pattern, ignore_restrictions: [types.SimpleNamespace(name=name) for name in pattern]
        )
        manager = types.SimpleNamespace(_inventory=inventory)
        self.callback.v2_playbook_on_play_start(
            types.SimpleNamespace(hosts=list(hosts), get_variable_manager=lambda: manager)
        )

    def task(
        self,
        host: str,
        result: Mapping[str, Any],
        register: str = "",
        action: str = "ansible.builtin.debug",
        of_task: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        names = {"register": register, "action": action.rpartition(".")[2], "resolved_action": action}
        task = types.SimpleNamespace(**names, **(of_task or {}))
        handed = self.kind(host, task, dict(result))
        self.processed[host] = 1
        if result.get("unreachable"):
            self.dark[host] = 1
            self.callback.v2_runner_on_unreachable(handed)
        elif result.get("failed"):
            if not more.get("ignore_errors"):
                self.failures[host] = 1
            self.callback.v2_runner_on_failed(handed, **more)
        else:
            self.callback.v2_runner_on_ok(handed)

    def step(self, host: str, name: str, result: Mapping[str, Any], **more: Any) -> None:
        self.task(host, result, *STEPS[name], **more)

    def learn(self, host: str, result: Mapping[str, Any], **keywords: Any) -> None:
        """A task of the role that is none of its steps."""
        path = pathlib.Path(summary.__file__).resolve().parents[2] / "roles" / "tls12" / "tasks" / "learn.yml"
        more = {"get_path": lambda: f"{path}:20", **keywords}
        self.task(host, result, "_tls12_exchange", "mailops.exchange_tls.exchange_info", of_task=more)

    def end(self) -> list[str]:
        self.callback.v2_playbook_on_stats(
            types.SimpleNamespace(processed=self.processed, failures=self.failures, dark=self.dark)
        )
        return self.lines

    def table(self) -> dict[str, str]:
        """The rows by host."""
        lines = self.end()
        return {line.split()[0]: line for line in lines[1 : lines.index("")]}


@pytest.fixture(name="run", params=[Old, New], ids=["old core", "new core"])
def _run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(monkeypatch, request.param)


def test_it_is_found() -> None:
    assert callback_loader.get("mailops.exchange_tls.summary") is not None


def test_who_was_only_brought_back_is_no_server_of_a_screen(run: Run) -> None:
    run.play("ex01")
    run.task("ex01", {"changed": True}, "_tls12_back", "mailops.exchange_tls.exchange_maintenance")
    assert run.end() == []


def test_a_run_of_several_batches(run: Run) -> None:
    every = ("ex01", "ex02", "ex03", "ex04")
    run.play(*every)
    run.step("ex01", "change", changed())
    run.step("ex01", "reboot", restarted())
    run.step("ex01", "verify", verified(accepted=IN))
    run.play(*every)
    run.step("ex02", "change", gone())
    table = run.table()
    assert list(table) == ["ex02", "ex01"]
    assert "verified" in table["ex01"]
    assert "UNREACHABLE" in table["ex02"]
    assert "1 unreachable, 1 verified; not reached: ex02; not touched: ex03, ex04" in run.lines
    assert "error:    connection refused" in run.lines
    assert "          ansible-playbook enforce-tls12.yml -l ex02" in run.lines
    assert run.on_stderr == {False}


def test_a_run_where_nothing_of_ours_ran(run: Run) -> None:
    run.play("web01")
    run.task("web01", {"changed": True})
    run.task("web02", failed())
    run.task("web03", gone())
    assert run.end() == []


def test_results_of_other_tasks_under_our_names(run: Run) -> None:
    run.play("ex01")
    for name, (register, _action) in STEPS.items():
        run.task("ex01", {"changes": [5], "protocols": 5, "findings": name}, register, "their.own.module")
        run.task("ex01", {"changes": "text"}, register, "ansible.builtin.command")
    assert run.end() == []
    run.step("ex01", "audit", settings("fine"))
    assert "as wanted" in run.table()["ex01"]


def test_our_tasks_under_other_names(run: Run) -> None:
    run.play("ex01")
    run.task("ex01", settings("off"), "mine", SETTINGS_INFO)
    run.task("ex01", settings("off"), "", SETTINGS_INFO)
    assert run.end() == []


def test_a_run_of_no_task_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as with a tag that no task has: without a word that looks as if all were well."""
    run = Run(monkeypatch)
    run.play("ex01")
    assert run.end() == ["No task was run: nothing was read, and nothing was changed."]
    theirs = Run(monkeypatch, args=["site.yml"])
    theirs.play("web01")
    assert theirs.end() == []


@pytest.mark.parametrize("book", ["enforce-tls12-by-dag.yml", "mailops.exchange_tls.learn_dags", "harden_tls_by_dag"])
def test_so_do_playbooks_that_go_by_dag(monkeypatch: pytest.MonkeyPatch, book: str) -> None:
    run = Run(monkeypatch, args=[book])
    run.play("ex01")
    assert run.end() == ["No task was run: nothing was read, and nothing was changed."]


@pytest.mark.parametrize("refused", [None, "Nothing was begun: ex01 could not be asked."])
def test_a_server_whose_dag_could_not_be_learnt(monkeypatch: pytest.MonkeyPatch, refused: str | None) -> None:
    """Nothing was begun on any server, so that the next run is for all."""
    run = Run(monkeypatch, args=["enforce-tls12-by-dag.yml"])
    run.play("ex01", "ex02", "ex03")
    run.learn("ex01", failed())
    run.learn("ex02", gone())
    if refused:
        run.callback._refused = refused
    lines = run.end()
    told = [f"error:    {refused}", ""] if refused else []
    assert lines[: len(told)] == told
    assert [line.split()[:1] for line in lines[len(told) :][:3]] == [["host"], ["ex01"], ["ex02"]]
    assert {"error:    It did not work: access_denied.", "error:    connection refused"} <= set(lines)
    assert lines.count("          ansible-playbook enforce-tls12-by-dag.yml") == 2
    assert lines[-1] == "1 failed, 1 unreachable; not reached: ex02; not touched: ex03"


def test_a_server_whose_dag_could_not_be_learnt_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check goes on with the others."""
    run = Run(monkeypatch, args=["enforce-tls12-by-dag.yml"], check=True)
    run.play("ex01", "ex02")
    run.learn("ex01", failed())
    run.learn("ex02", {"exchange": {}})
    run.play("ex02")
    run.step("ex02", "change", unchanged())
    table = run.table()
    assert "FAILED" in table["ex01"]
    assert "          ansible-playbook enforce-tls12-by-dag.yml -l ex01 --check" in run.lines
    assert run.lines[-1] == "1 failed, 1 as wanted; not reached: none; not touched: none"


def test_a_server_that_is_answered_for_by_other_words(run: Run) -> None:
    """As where people ask why mail has stopped: the answer says that nobody could ask it, and the play fails there."""
    run.play("ex01")
    run.learn("ex01", gone(), ignore_unreachable=True)
    run.dark.clear()
    run.task("ex01", failed())
    assert run.end() == []


def test_a_server_that_could_be_asked_in_the_end(run: Run) -> None:
    run.play("ex01")
    run.learn("ex01", failed())
    run.failures.clear()
    assert run.end() == []


@pytest.mark.parametrize("how", ["failed", "unreachable"])
def test_what_ended_a_server_is_told_in_other_keys_too(run: Run, how: str) -> None:
    run.play("ex01", "ex02")
    run.task("ex01", {how: True, "reason": "Could not find a file."})
    run.step("ex02", "audit", settings("fine"))
    run.end()
    assert "error:    Could not find a file." in run.lines


def test_hosts_of_other_plays(run: Run) -> None:
    """Servers that are none of ours are in no table, whatever became of them."""
    run.play("web01", "web02", "web03")
    run.task("web01", failed())
    run.task("web02", gone())
    run.play("ex01", "ex02")
    run.step("ex01", "audit", settings("fine"))
    run.play("db01", "db02")
    run.task("db01", failed())
    table = run.table()
    assert list(table) == ["ex01"]
    assert run.lines[-1].endswith("not reached: none; not touched: ex02")


def test_a_server_that_ended_before_our_first_step(run: Run) -> None:
    run.play("ex01", "ex02")
    run.task("ex01", {**failed(), "msg": ["a hook", "of theirs"]})
    run.step("ex02", "audit", settings("fine"))
    assert "FAILED" in run.table()["ex01"]
    assert "error:    a hook | of theirs" in run.lines


def test_a_hook_that_fails_between_our_steps(run: Run) -> None:
    run.play("ex01")
    run.step("ex01", "change", changed())
    run.task("ex01", {"failed": True})
    assert "FAILED" in run.table()["ex01"]
    assert "error:    no message" in run.lines


def test_errors_that_are_ignored_or_rescued(run: Run) -> None:
    run.play("ex01")
    run.task("ex01", failed(), ignore_errors=True)
    run.task("ex01", failed())
    del run.failures["ex01"]
    run.step("ex01", "audit", settings("fine"))
    assert "as wanted" in run.table()["ex01"]
    assert not any(line.startswith("error:") for line in run.lines)


def test_a_host_that_could_be_reached_again(run: Run) -> None:
    run.play("ex01")
    run.step("ex01", "audit", gone())
    run.dark.clear()
    run.step("ex01", "audit", settings("fine"))
    assert "as wanted" in run.table()["ex01"]


def test_the_second_phase_after_the_first_in_one_run(run: Run) -> None:
    run.play("ex01")
    for name, result in (("change", changed()), ("reboot", restarted()), ("verify", verified(accepted=IN))):
        run.step("ex01", name, result)
    run.step("ex01", "change", failed("phase_refused"))
    table = run.table()
    assert "FAILED" in table["ex01"]
    assert "done" not in table["ex01"], "the restart was of the first"


def test_a_change_that_was_undone(run: Run) -> None:
    run.play("ex01")
    run.step("ex01", "change", changed())
    run.step("ex01", "reboot", restarted())
    run.step("ex01", "verify", verified(accepted={"smtp": False}))
    run.failures.clear()
    run.step("ex01", "undone", changed())
    run.step("ex01", "reboot", restarted())
    run.step("ex01", "verify", verified(accepted=IN, judge_policy=False))
    run.task("ex01", {**failed(), "msg": "After the change endpoints no longer accepted TLS 1.2."})
    assert "FAILED, undone" in run.table()["ex01"]
    assert any(line.startswith("next:     the old values are back") for line in run.lines)


def test_a_run_that_starts_in_the_middle(run: Run) -> None:
    """With --start-at-task, or tags."""
    run.play("ex01", "ex02", "ex03")
    run.step("ex01", "verify", verified(accepted=IN))
    run.step("ex02", "reboot", restarted())
    run.step("ex03", "reboot", failed("restart_refused"))
    table = run.table()
    assert "verified" in table["ex01"]
    assert "not read" in table["ex02"]
    assert "FAILED" in table["ex03"]


def test_results_that_no_log_hides(run: Run) -> None:
    hidden = {
        "censored": "the output has been hidden due to the fact that 'no_log: true' was specified for this result"
    }
    run.play("ex01")
    for name in ("audit", "change", "reboot", "verify"):
        run.step("ex01", name, hidden)
    assert "not read" in run.table()["ex01"]


def test_skipped_and_looped_results(run: Run) -> None:
    run.play("ex01", "ex02")
    run.step("ex01", "change", unchanged())
    run.step("ex01", "reboot", {"skipped": True})
    run.step("ex02", "change", {"results": [changed(), changed()], "changed": True})
    table = run.table()
    assert "as wanted" in table["ex01"]
    assert "not read" in table["ex02"]


def test_check_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(monkeypatch, check=True)
    run.play("ex01")
    run.step("ex01", "change", changed("fine", "planned", "planned"))
    assert "2 to write" in run.table()["ex01"]


def test_the_next_command_is_made_from_the_one_that_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(
        monkeypatch,
        args=["playbooks/audit-tls12.yml"],
        inventory=["/etc/hosts.yml"],
        extra_vars=["tls12_hosts=mail", "ansible_password=Geh3im"],
        subset="ex0*",
    )
    run.play("ex01", "ex02")
    run.step("ex01", "audit", settings("off"))
    run.step("ex02", "audit", settings("fine"))
    expected = "ansible-playbook -i /etc/hosts.yml playbooks/enforce-tls12.yml -e tls12_hosts=mail -l ex01 --check"
    assert f"next:     {expected}  # with your other -e" in run.end()
    assert not any("Geh3im" in line for line in run.lines)


@pytest.mark.parametrize("stdout", ["json", "ansible.posix.json", "ansible.posix.jsonl"])
def test_json_on_standard_output_stays_json(monkeypatch: pytest.MonkeyPatch, stdout: str) -> None:
    run = Run(monkeypatch)
    monkeypatch.setattr(summary.constants, "DEFAULT_STDOUT_CALLBACK", stdout)
    run.play("ex01")
    run.step("ex01", "audit", settings("fine"))
    run.end()
    assert run.on_stderr == {True}


def test_a_play_without_an_inventory(run: Run) -> None:
    run.callback.v2_playbook_on_play_start(types.SimpleNamespace(hosts="all", get_variable_manager=lambda: None))
    run.step("ex01", "audit", settings("fine"))
    assert list(run.table()) == ["ex01"]


def test_names_of_results_since_core_2_21(run: Run) -> None:
    """There, one task may register its result under several names."""
    run.play("ex01")
    register: Any = {"_tls12_audit": "_task.result"}
    run.task("ex01", settings("fine"), register, SETTINGS_INFO)
    assert "as wanted" in run.table()["ex01"]


def test_a_run_that_is_stopped_while_a_task_is_at_work(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """It may have written something: such a server is not one that nobody came to."""
    monkeypatch.setattr(summary._run, "variables", lambda *_about: ({"tls12_serial": 1}, str(tmp_path)))
    run.play("ex01", "ex02", "ex03")
    register, action = STEPS["change"]
    task = types.SimpleNamespace(register=register, action=action, resolved_action=action, name="Write")
    for host in ("ex01", "ex02"):
        run.callback.v2_runner_on_start(types.SimpleNamespace(name=host), task)
    run.step("ex01", "change", changed())
    atexit.unregister(run.callback._interrupted)
    run.callback._interrupted()
    (folder,) = tmp_path.iterdir()
    result = json.loads((folder / "result.json").read_text(encoding="ascii"))
    assert result["run"]["ended_by"] == "interrupt"
    assert {item["name"]: item["state"] for item in result["servers"]} == {
        "ex01": "waiting for a restart",
        "ex02": "failed",
    }
    assert "stopped while 'Write' was at work" in result["servers"][0]["error"]
    assert result["not_touched"] == ["ex03"]
    assert result["run"]["variables"] == {"tls12_serial": 1}
