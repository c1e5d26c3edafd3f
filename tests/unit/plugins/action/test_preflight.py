# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a later restart will be given, checked before the first write."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible_collections.mailops.exchange_tls.plugins.action import tls_rollback, tls_settings, wmi_reboot
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _files, _given, _preflight
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._preflight import Places
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks import restarting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.task import Task
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.cluster import MemberDown

from ..plugin_utils.fakes import FakeWindows, no_shell, service
from .actions import Runner

TASKS = "- name: Drain\n  ansible.builtin.debug: {msg: x}\n"
RESTART: dict[str, Any] = {
    "when": "if_pending",
    "timeout": 1800,
    "services": [],
    "dag_check": False,
    "maintenance": None,
    "mail": None,
    "comment": None,
    "before": None,
    "after": None,
}


def files(before: str | None, *places: Path, after: str | None = None) -> dict[str, str | None]:
    given = {"before": before, "after": after}
    return _preflight.task_files(given, Places(DataLoader(), [str(place) for place in places]), prefix="restart.")


def refused(before: str, *places: Path) -> str:
    with pytest.raises(OptionError) as caught:
        files(before, *places)
    assert len(caught.value.message) < 900
    return caught.value.message


# --- files with tasks ------------------------------------------------------------------------------------------------


def test_a_file_is_looked_for_beside_the_playbook_the_inventory_and_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [tmp_path / name for name in ("playbooks", "inventory", "here")]
    for place in places:
        place.mkdir()
    monkeypatch.chdir(places[2])
    found = _files.folders({"playbook_dir": str(places[0]), "inventory_dir": str(places[1])})
    assert found == tuple(map(str, places))
    for place in reversed(places):
        (place / "drain.yml").write_text(TASKS)
        assert files("drain.yml", *places)["before"] == str(place / "drain.yml"), "the first one counts"
    assert files(str(places[2] / "drain.yml"))["before"] == str(places[2] / "drain.yml")


def test_folders_that_are_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _files.folders({"inventory_dir": None}) == (str(tmp_path),)
    assert _files.folders({"playbook_dir": str(tmp_path), "inventory_dir": str(tmp_path)}) == (str(tmp_path),)


def test_no_files() -> None:
    nothing = {"before": None, "after": None}
    assert _preflight.task_files(None, Places(DataLoader()), prefix="") == nothing
    assert files(None) == files("") == nothing


@pytest.mark.parametrize("text", ["[]", "---\n[]\n", "- debug:\n", "- block:\n    - debug:\n  when: false\n"])
def test_files_with_tasks(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yml").write_text(text)
    assert files("x.yml", tmp_path)["before"] == str(tmp_path / "x.yml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"- hosts: all\n  tasks: []\n", "is a playbook, but a file with tasks is wanted"),
        (b"- import_playbook: x.yml\n", "is a playbook, but a file with tasks is wanted"),
        (b"- ansible.builtin.import_playbook: x.yml\n", "is a playbook"),
        (b"hosts: all\n", "is no list of tasks"),
        (b"", "is no list of tasks"),
        (b"- x\n", "is no list of tasks"),
        (b"- name: x\n  debug: {\n", "cannot be read"),
        (b"- name: \xff\n", "cannot be read"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n3333\n", "cannot be read"),
    ],
)
def test_files_that_hold_no_tasks(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "x.yml").write_bytes(content)
    message = refused("x.yml", tmp_path)
    assert message.startswith("'restart.before': ")
    assert str(tmp_path / "x.yml") in message
    assert words in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- ansible.builtin.comand: foo\n", "comand"),
        ("- debug: {msg: x}\n  whn: true\n", "whn"),
        ("- debug: {msg: x}\n  ansible.builtin.ping:\n", "ping"),
        ("- name: nothing\n", "no module"),
        ("- {}\n", "no module"),
        ("- block:\n    - debug:\n    - rescue:\n        - nowhere.at.all:\n", "nowhere.at.all"),
        ("- block:\n    - debug:\n  always:\n    - debug: {msg: x}\n      wehn: true\n", "wehn"),
        ("- block: []\n  regster: x\n", "regster"),
        ("- block: 5\n", "a block is no list of tasks: 5"),
        ("- block:\n    - x\n", "this is no task: 'x'"),
        ("- include_tasks: nowhere.yml\n", "there is no file 'nowhere.yml' in "),
        ("- ansible.builtin.include_tasks: {file: nowhere.yml}\n", "there is no file 'nowhere.yml' in "),
        ("- import_tasks: nowhere.yml\n  when: false\n", "there is no file 'nowhere.yml' in "),
        ("- block:\n    - block: []\n      always:\n        - include_tasks: in/no.yml\n", "no file 'in/no.yml' in "),
        ("- include_role: {name: nowhere}\n", "role 'nowhere' was not found"),
        ("- ansible.builtin.import_role: {name: nowhere}\n  when: false\n", "role 'nowhere' was not found"),
        ("- include_tasks: within.yml\n", "there is no file 'nowhere.yml' in "),
        ("- include_tasks: bad.yml\n", "nosuch"),
    ],
)
def test_tasks_that_ansible_refuses(tmp_path: Path, text: str, words: str) -> None:
    """It would end the whole run, between the change and the restart."""
    (tmp_path / "within.yml").write_text("- include_tasks: nowhere.yml\n")
    (tmp_path / "bad.yml").write_text("- nosuch:\n")
    (tmp_path / "x.yml").write_text(text)
    message = refused("x.yml", tmp_path)
    assert f"{str(tmp_path / 'x.yml')!r} has a task that Ansible refuses: " in message
    assert words in message


@pytest.mark.parametrize(
    "task",
    [
        "tls_settings_info:",
        "mailops.exchange_tls.tls_settings_info:",
        "ansible.builtin.include_tasks: '{{ which }}.yml'",
        "ansible.builtin.include_tasks: other.yml\n  when: false",
        "ansible.builtin.include_role: {name: drain}\n  when: false",
        "ansible.builtin.include_role: {name: '{{ which }}'}",
        "ansible.builtin.import_tasks: there.yml",
        "include_tasks: {file: in/there.yml}",
        "ansible.builtin.import_role: {name: mailops.exchange_tls.tls12}",
        "import_role: {name: tls12}\n  collections: [mailops.exchange_tls]",
        "ansible.builtin.include_tasks: restart.yml",
        "block: [{include_tasks: nowhere.yml}]\n  rescue: []",
        "include_tasks: nowhere.yml\n  ignore_errors: true",
        "include_tasks: nowhere.yml\n  with_items: []",
        "action: ping",
        "action: '{{ which }}'",
        "local_action: ping",
        "shell: echo {{ x }}",
        "with_items: [1]\n  debug:",
    ],
)
def test_tasks_that_ansible_takes(tmp_path: Path, task: str) -> None:
    (tmp_path / "in").mkdir()
    for name in ("there.yml", "in/there.yml"):
        (tmp_path / name).write_text("- debug:\n- include_tasks: beside.yml\n")
    (tmp_path / "in" / "beside.yml").write_text("")
    (tmp_path / "beside.yml").write_text("- import_tasks: x.yml\n")
    (tmp_path / "x.yml").write_text(f"- {task}\n")
    places = Places(DataLoader(), [str(tmp_path)], ["mailops.exchange_tls"])
    found = _preflight.task_files({"before": "x.yml"}, places, prefix="")
    assert found["before"] == str(tmp_path / "x.yml")


@pytest.mark.parametrize("name", ["nowhere.yml", ".", "a\0b", "x" * 300])
def test_files_that_there_are_not(tmp_path: Path, name: str) -> None:
    message = refused(name, tmp_path, tmp_path / "other")
    assert "'restart.before': there is no file" in message
    assert "/other" in message, "it says where it has looked"


def test_both_files_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"'restart\.before': .* 'restart\.after': "):
        files("a.yml", tmp_path, after="b.yml")


# --- times and services ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [1, 1800, 86400])
def test_times(timeout: int) -> None:
    _preflight.check_restart({**RESTART, "timeout": timeout}, Places(DataLoader()))


@pytest.mark.parametrize("timeout", [0, -1, 86401])
def test_times_that_are_none(timeout: int) -> None:
    with pytest.raises(OptionError, match=rf"'restart\.timeout' is {timeout}, but it is seconds, more than 0"):
        _preflight.check_restart({**RESTART, "timeout": timeout}, Places(DataLoader()))


@pytest.mark.parametrize("name", ["", " ", "*", " * "])
def test_services_that_are_none(name: str) -> None:
    with pytest.raises(OptionError, match=r"'restart\.services' holds '.*', which names no service"):
        _preflight.check_restart({**RESTART, "services": ["W3SVC", name]}, Places(DataLoader()))


@pytest.mark.parametrize("comment", ["a\x0bb", "\x00", "\udcff", "\uffff"])
def test_a_comment_that_no_message_can_carry(comment: str) -> None:
    with pytest.raises(OptionError, match=r"'restart\.comment' holds U\+[0-9A-F]{4}, which no message can carry"):
        _preflight.check_restart({**RESTART, "comment": comment}, Places(DataLoader()))
    _preflight.check_restart({**RESTART, "comment": "TLS 1.2 für \U0001f512\r\n"}, Places(DataLoader()))


def test_all_that_is_wrong_at_once(tmp_path: Path) -> None:
    with pytest.raises(OptionError) as caught:
        _preflight.check_restart(
            {**RESTART, "timeout": -1, "before": "a", "after": "b"}, Places(DataLoader(), [str(tmp_path)])
        )
    assert all(f"'restart.{name}'" in caught.value.message for name in ("timeout", "before", "after"))


def check_on_host(windows: FakeWindows, restart: Any, *, due: bool, check_mode: bool = True) -> None:
    task = Task(lambda: cast(Any, windows), no_shell, host_name="ex01", check_mode=check_mode)
    restarting.check_on_host(task, cast(Any, windows), restart, "backups", "EX01", due=due)


@pytest.mark.parametrize(
    ("restart", "due", "is_asked"),
    [
        (None, True, False),
        ({**RESTART, "services": ["NoSuch"]}, True, True),
        ({**RESTART, "services": ["NoSuch"], "when": "always"}, True, True),
        ({**RESTART, "services": ["NoSuch"], "when": "always"}, False, True),
        ({**RESTART, "services": ["NoSuch"]}, False, False),
        ({**RESTART, "services": ["NoSuch"], "when": "never"}, True, False),
    ],
)
def test_services_are_looked_for_where_a_restart_is_due(restart: Any, due: bool, is_asked: bool) -> None:
    windows = FakeWindows()
    windows.services = [service("W3SVC")]
    if is_asked:
        with pytest.raises(OptionError, match="NoSuch"):
            check_on_host(windows, restart, due=due)
    else:
        check_on_host(windows, restart, due=due)
        assert windows.calls == []


@pytest.mark.parametrize("when", ["if_pending", "always", "never"])
@pytest.mark.parametrize("dag_check", [True, False])
def test_other_members_are_looked_at_where_a_restart_is_due(when: str, dag_check: bool) -> None:
    windows = FakeWindows()
    windows.services = [service("ClusSvc")]
    windows.instances["MSCluster_Node"] = [{"Name": "ex01", "State": "2"}, {"Name": "EX02", "State": "1"}]
    restart = {**RESTART, "services": [], "when": when, "dag_check": dag_check}
    if dag_check and when != "never":
        with pytest.raises(MemberDown, match="EX02 is down"):
            check_on_host(windows, restart, due=True)
        windows.instances["MSCluster_Node"][1]["State"] = "0"
    check_on_host(windows, restart, due=True)


# --- through the tasks: nothing is written, and check mode says the same ---------------------------------------------


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("restart", "words"),
    [
        ({"services": ["NoSuch"]}, "NoSuch"),
        ({"services": [""]}, "names no service"),
        ({"timeout": "-1"}, "'restart.timeout' is -1"),
        ({"before": "nowhere.yml"}, "there is no file 'nowhere.yml'"),
        ({"when": "now"}, "'restart.when' is 'now', and must be one of if_pending, never, always"),
    ],
)
def test_nothing_is_written(
    run: Runner, windows: FakeWindows, check_mode: bool, restart: dict[str, Any], words: str
) -> None:
    result = run(tls_settings, check_mode=check_mode, restart=restart)
    assert result["failed"] is True
    assert words in result["msg"]
    assert windows.writes == []


def test_services_are_named_by_their_variable_in_the_role(run: Runner) -> None:
    for role_file in ("change", "restart", "rollback"):
        result = run(tls_settings, role_file=role_file, restart={"services": ["NoSuch"]})
        assert "'tls12_reboot_services' takes service names" in result["msg"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_rollback_is_checked_as_well(run: Runner, windows: FakeWindows, check_mode: bool) -> None:
    run(tls_settings)
    windows.calls.clear()
    result = run(tls_rollback, check_mode=check_mode, restart={"services": ["NoSuch"], "after": "nowhere.yml"})
    assert "'restart.after': there is no file" in result["msg"]
    assert "NoSuch" in run(tls_rollback, check_mode=check_mode, restart={"services": ["NoSuch"]})["msg"]
    assert windows.writes == []


def test_the_files_are_handed_on_by_their_full_paths(run: Runner, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drain.yml").write_text(TASKS)
    expected = {"before": str(tmp_path / "drain.yml"), "after": None}
    wish = {"before": "drain.yml", "after": " "}
    assert run(tls_settings, check_mode=True, restart=wish)["task_files"] == expected
    assert run(wmi_reboot, check_mode=True, role_file="reboot", task_files=wish)["task_files"] == expected
    assert run(tls_settings, restart={**wish, "services": []})["task_files"] == expected
    assert run(tls_rollback, restart=wish)["task_files"] == expected
    assert "task_files" not in run(tls_settings, check_mode=True)
    assert os.path.isabs(expected["before"] or "")


def test_a_wrong_word_deep_inside_is_named_in_full() -> None:
    spec = {"restart": {"type": "dict", "options": dict(_preflight.RESTART["restart"]["options"])}}
    given = {"restart": {"maintenance": {"when": "yes"}}}
    errors = ArgumentSpecValidator(spec).validate(given).errors
    assert _given.explained([str(error) for error in errors], given) == [
        "'restart.maintenance.when' is 'yes', and must be one of auto, always, never"
    ]
