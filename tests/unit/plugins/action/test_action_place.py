# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a task is: on which host, in the role or by itself, and at what time."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest
from ansible import context
from ansible_collections.mailops.exchange_tls.plugins.action import (
    tls_handshake_info,
    tls_report,
    tls_rollback,
    tls_settings,
    tls_settings_info,
    wmi_reboot,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _action, _handshake, _typed

from tests.unit import _metadata

from ..plugin_utils.fakes import FakeWindows
from .actions import ROLE, Runner

# --- which host ------------------------------------------------------------------------------------------------------

EX02 = {"ansible_delegated_vars": {"ex02": {"ansible_host": "192.0.2.{{ n }}"}}, "ansible_host": "192.0.2.1"}


@pytest.fixture(name="asked")
def _asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts that handshakes are tried with."""
    asked: list[str] = []

    def probe(names: dict[_handshake.Endpoint, Any], *_others: Any) -> list[Any]:
        asked.extend(endpoint.host for endpoint in names)
        return []

    monkeypatch.setattr(_handshake, "probe_host", probe)
    return asked


@pytest.mark.parametrize(
    ("delegate_to", "more_vars", "address"),
    [
        (None, {}, "ex01"),
        (None, {"ansible_host": "192.0.2.1"}, "192.0.2.1"),
        (None, {"ansible_host": "192.0.2.{{ n }}"}, "192.0.2.7"),
        (None, {"ansible_host": ""}, "ex01"),
        ("ex02", EX02, "192.0.2.7"),
        ("ex02", {"ansible_host": "192.0.2.1"}, "ex02"),
        ("ex02", {"ansible_host": "192.0.2.1", "ansible_delegated_vars": {"ex02": {}}}, "ex02"),
        # to the controller, things are delegated out of habit
        ("localhost", EX02, "192.0.2.1"),
        ("127.0.0.1", EX02, "192.0.2.1"),
    ],
)
def test_handshakes_go_to_the_host_that_the_task_is_about(
    run: Runner, asked: list[str], delegate_to: str | None, more_vars: dict[str, Any], address: str
) -> None:
    run(tls_handshake_info, delegate_to=delegate_to, more_vars=more_vars, endpoints=["smtp"])
    assert asked == [address]
    asked.clear()
    run(tls_settings_info, delegate_to=delegate_to, more_vars=more_vars, prove={"endpoints": ["smtp"]})
    assert asked == [address]


def test_backups_bear_the_name_of_the_host_that_they_are_of(run: Runner, windows: FakeWindows) -> None:
    """In a loop over servers, on localhost: a later rollback of the server finds them."""
    delegated = run(tls_settings, host="localhost", delegate_to="ex02", more_vars=EX02)
    assert Path(delegated["backup"]).name.startswith("ex02.")
    assert run(tls_rollback, host="ex02", check_mode=True)["restored_from"] == delegated["backup"]
    assert "There is no backup of localhost" in run(tls_rollback, host="localhost")["msg"]


def test_lines_of_progress_name_the_host(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, bool]] = []
    monkeypatch.setattr(
        _action.display, "display", lambda message, stderr=False, **more: shown.append((message, stderr))
    )
    run(wmi_reboot, host="localhost", delegate_to="ex02", more_vars=EX02)
    assert shown
    assert all(message.startswith("ex02: ") and stderr for message, stderr in shown)


# --- in the role -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "role_file", "args", "words"),
    [
        (tls_settings, "change", {"restart": {"timeout": -1}}, "'tls12_reboot_timeout' is -1"),
        (tls_settings, "change", {"restart": {"when": "now"}}, "'tls12_reboot' is 'now', and must be one of"),
        (tls_settings, "change", {"restart": {"before": "no.yml"}}, "'tls12_before_reboot_tasks': there is no file"),
        (tls_settings, "change", {"prove": {"endpoints": "smpt"}}, "'tls12_endpoints': 'smpt'"),
        (tls_settings, "change", {"prove": {"server_name": "-"}}, "'tls12_server_name' is '-', which is no host name"),
        (tls_settings, "change", {"prove": {"timeout": 0}}, "'tls12_handshake_timeout' is 0"),
        (
            tls_settings,
            "change",
            {"prove": {"patience": "x"}},
            "'tls12_handshake_patience' is 'x', but it takes a whole",
        ),
        (tls_settings, "change", {"waivers": "known"}, "'tls12_waivers' is no list of mappings"),
        (tls_settings, "change", {"waivers": [{"match": "id"}]}, "'tls12_waivers.reason' is missing"),
        (tls_settings, "change", {"dotnet": {"v4": "odd"}}, "'tls12_dotnet.v4' is 'odd', and must be one of"),
        (
            tls_settings,
            "change",
            {"undo_on_failure": "x"},
            "'tls12_undo_on_failure' is 'x', but it takes true or false",
        ),
        (tls_settings, "change", {"dh_min_key_length": 7}, "'tls12_dh_min_key_length' is 7"),
        (tls_settings_info, "audit", {"fail_on_findings": "x"}, "'tls12_fail_on_findings' is 'x'"),
        (tls_rollback, "rollback", {"other_host": "x"}, "'tls12_other_host' is 'x'"),
        (wmi_reboot, "restart", {"timeout": 0}, "'tls12_reboot_timeout' is 0"),
        (wmi_reboot, "restart", {"force": "x"}, "'tls12_reboot_force' is 'x'"),
        (tls_settings, "change", {"restart": {"force": "x"}}, "'tls12_reboot_force' is 'x'"),
        (
            tls_settings,
            "change",
            {"restart": {"maintenance": {"no_progress_timeout": 0}}},
            "'tls12_maintenance_no_progress_timeout' is 0",
        ),
        (
            tls_settings,
            "change",
            {"restart": {"maintenance": {"wait_for_members": -1}}},
            "'tls12_wait_for_members' is -1",
        ),
        (wmi_reboot, "restart", {"services": [" "]}, "'tls12_reboot_services' holds ' '"),
        (wmi_reboot, "reboot", {"task_files": {"after": "no.yml"}}, "'tls12_after_reboot_tasks': there is no file"),
    ],
)
def test_messages_name_variables_in_the_role_and_options_elsewhere(
    run: Runner, windows: FakeWindows, module: types.ModuleType, role_file: str, args: dict[str, Any], words: str
) -> None:
    in_role, alone = run(module, role_file=role_file, **args), run(module, **args)
    assert words in in_role["msg"]
    assert "Bad options for" not in in_role["msg"]
    assert "tls12_" not in alone["msg"]
    assert windows.calls == []


def test_variables_that_nobody_reads(run: Runner, windows: FakeWindows) -> None:
    wrong = {"tls12_rebot": "never", "tls12_endpoint": ["smtp"], "other": 1, "_tls12_x": 1}
    result = run(tls_settings, role_file="change", more_vars=wrong, restart={"timeout": 0})
    assert (result["failed"], result["error"]["kind"]) == (True, "bad_option")
    assert "there is no variable 'tls12_rebot' (did you mean 'tls12_reboot'?)" in result["msg"]
    assert "there is no variable 'tls12_endpoint' (did you mean 'tls12_endpoints'?)" in result["msg"]
    assert "'tls12_reboot_timeout' is 0" in result["msg"], "all at once"
    assert windows.calls == []
    assert "failed" not in run(tls_settings, more_vars=wrong), "by itself a module does not care"


@pytest.mark.parametrize(
    ("typed", "gives"),
    [
        (["tls12_report_dir=my reports"], ["'tls12_report_dir'"]),
        (["tls12_symptom=421 4.4.2 SocketError", "a=1 tls12_pattern=b c d"], ["'a', 'tls12_pattern'"]),
        (["reports"], ["no variable"]),
        (["ansible_password=Lab secret", "x=y z"], ["'ansible_password'", "'x'"]),
        (["tls12_symptom=421 4.4.2 SocketError"], []),
        (['{"a": "b c"}', "@my file.yml", "a='b c'"], []),
        (["a='b c"], []),
    ],
)
def test_words_behind_a_blank_in_extra_variables(
    run: Runner, windows: FakeWindows, monkeypatch: pytest.MonkeyPatch, typed: list[str], gives: list[str]
) -> None:
    """``-e tls12_report_dir=my reports``: Ansible takes the first word, and keeps the others under another name."""
    monkeypatch.setattr(context, "CLIARGS", {"extra_vars": typed})
    result = run(tls_settings, role_file="change", more_vars={"_raw_params": "reports"})
    assert [f"'-e' gives {names}, and words behind a blank" in str(result.get("msg")) for names in gives] == [
        True for _names in gives
    ]
    assert result.get("failed", False) is bool(gives)
    assert "secret" not in str(result)
    assert not gives or windows.calls == []
    assert "failed" not in run(tls_settings, more_vars={"_raw_params": "reports"}), "by itself a module does not care"


def test_a_slip_of_a_short_name_that_was_typed(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_typed, "variables", lambda: {"symtom": "421"})
    result = run(tls_settings_info, role_file="why", more_vars={"symtom": "421"})
    assert "Bad variables: there is no variable 'symtom' (did you mean 'tls12_symptom'?)" in result["msg"]
    assert "failed" not in run(tls_settings_info, role_file="audit", more_vars={"symtom": "421"})


def test_a_variable_that_was_typed_without_its_prefix(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_typed, "variables", lambda: {"reboot": "never"})
    own = {"playbook_dir": str(_metadata.ROOT / "playbooks")}
    [warning] = run(tls_settings, role_file="change", more_vars=own)["warnings"]
    assert warning == "'reboot' is no variable of this collection, and 'tls12_reboot' is."
    # playbooks of their own may read it
    assert "warnings" not in run(tls_settings, role_file="change", more_vars={"playbook_dir": "/srv/mail"})


def test_variables_of_a_playbook_without_the_role(run: Runner) -> None:
    """As merge-reports.yml is."""
    own = {"playbook_dir": str(_metadata.ROOT / "playbooks"), "tls12_report_sinc": "reports/1"}
    assert (
        "there is no variable 'tls12_report_sinc' (did you mean 'tls12_report_since'?)"
        in (run(tls_report, more_vars=own, results=["reports"])["msg"])
    )
    assert "tls12_report_sinc" not in run(tls_report, more_vars={**own, "playbook_dir": "/srv"}, results=["x"])["msg"]


def test_peers_are_accepted_where_no_log_was_read(run: Runner) -> None:
    for role_file, prefix in (("change", "tls12_"), (None, "")):
        [warning] = run(tls_settings, role_file=role_file, accepted_peers=["192.0.2.7"])["warnings"]
        assert f"'{prefix}accepted_peers' does nothing without '{prefix}smtp_logs'" in warning
    logs = {"old_tls": [], "complete": True}
    assert "warnings" not in run(tls_settings, accepted_peers=["192.0.2.7"], smtp_logs=logs)
    assert "warnings" not in run(tls_settings, role_file="change")


def test_a_serial_that_no_play_reads(run: Runner) -> None:
    place = {
        "tls12_serial": 2,
        "ansible_play_batch": ["ex01"],
        "ansible_play_hosts": ["ex01", "ex02"],
        "ansible_play_hosts_all": ["ex01", "ex02"],
    }
    result = run(tls_settings, role_file="change", more_vars=place)
    assert "'tls12_serial' is 2, but this play takes 1 at a time" in result["msg"]
    assert "failed" not in run(tls_settings, role_file="change", more_vars={**place, "tls12_serial": 1})


def test_another_role(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ROLE, "_role_collection", "their.mail")
    result = run(tls_settings, role_file="change", more_vars={"tls12_rebot": 1}, restart={"timeout": 0})
    assert "'restart.timeout' is 0" in result["msg"]
    assert "tls12_rebot" not in result["msg"]


# --- when ------------------------------------------------------------------------------------------------------------


def test_a_slip_in_a_variable_of_the_cmdlets_is_refused_before_anything_is_sent(
    run: Runner, windows: FakeWindows
) -> None:
    """By every task of the role; a module by itself asks no cmdlets here."""
    variables = {"exchange_sever": "ex02", "exchange_servers": ["ex01"]}
    refused = run(tls_settings_info, role_file="audit", more_vars=variables)
    assert refused["failed"] is True
    assert "there is no variable 'exchange_sever' (did you mean 'exchange_server'?)." in refused["msg"]
    assert "exchange_servers" not in refused["msg"]
    assert windows.calls == []
    assert not run(tls_settings_info, more_vars=variables).get("failed")
