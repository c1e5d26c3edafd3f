# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugins that talk to a host, on a fake one: options in, result out, errors as users expect them."""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible_collections.mailops.exchange_tls.plugins.action import (
    tls_rollback,
    tls_settings,
    tls_settings_info,
    wmi_reboot,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _action
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import notes
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    AccessDenied,
    ConnectionLost,
    LoginRefused,
    Unreachable,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS_KEY,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value, dword

from tests.unit import _metadata

from ..plugin_utils.fakes import Call, FakeWindows, Trouble, service
from .actions import HARDEN, Runner, restarted

# --- reading and changing ---------------------------------------------------------------------------------------------


def test_info(run: Runner, windows: FakeWindows) -> None:
    image = windows.hive.image()
    result = run(tls_settings_info)
    assert not result.get("failed")
    assert set(result) == {
        "changed",
        "host",
        "protocols",
        "healthchecker",
        "findings",
        "compliant",
        "restart_pending",
        "overview",
        "exchange",
    }
    assert result["exchange"] == {"installed": False}
    assert (result["changed"], result["compliant"], result["restart_pending"]) == (False, False, False)
    assert result["protocols"]["TLS 1.0"]["Server"] == {
        "Enabled": {"present": True, "type": "REG_DWORD", "data": 0},
        "DisabledByDefault": {"present": False, "type": None, "data": None},
        "state": "disabled",
        "effective": "disabled",
    }
    assert windows.hive.image() == image


@pytest.mark.parametrize("become", [None, False, True])
def test_become_is_not_ignored_silently(run: Runner, windows: FakeWindows, become: bool | None) -> None:
    for result in (run(tls_settings_info, become=become), run(wmi_reboot, become=become, timeout=0)):
        assert any("'become' is not used" in warning for warning in result.get("warnings", [])) == bool(become)


@pytest.mark.parametrize("keyword", [None, True])
def test_become_of_the_inventory_is_not_either(run: Runner, keyword: bool | None) -> None:
    """ansible_become comes with the connection, and overrules the keyword."""
    for plugin in (None, object()):
        result = run(tls_settings_info, become=keyword, become_plugin=plugin)
        assert any("'become' is not used" in warning for warning in result.get("warnings", [])) == bool(plugin)


def test_check_mode_of_a_restart_looks_for_the_services(run: Runner, windows: FakeWindows) -> None:
    windows.services = [service("MSExchangeIS"), service("W3SVC", "Stopped")]
    result = run(wmi_reboot, check_mode=True, services=["MSExchange*", "w3svc"])
    assert (result["changed"], result["services"]) == (True, ["MSExchangeIS", "W3SVC"])
    for wanted in (["NoSuch"], ["NoSuch*"], [""], ["W3SVC", " "]):
        result = run(wmi_reboot, check_mode=True, services=wanted)
        assert result["failed"] is True
        assert result["error"]["kind"] == "bad_option"
    assert windows.writes == []


def deny(windows: FakeWindows, key: str, name: str | None) -> None:
    denied = Trouble(code=5)
    windows.trouble = lambda call: denied if (call.key, call.name) == (key, name) else None


@pytest.mark.parametrize("name", ["Enabled", "DisabledByDefault"])
def test_a_change_that_needs_what_cannot_be_read_is_refused_and_an_audit_is_not(
    run: Runner, windows: FakeWindows, name: str
) -> None:
    key = protocol_key("TLS 1.2", "Client")
    windows.hive.make(key)
    windows.hive.set(key, name, dword(0))
    deny(windows, key, name)
    audited = run(tls_settings_info)
    assert not audited.get("failed")
    assert audited["compliant"] is False
    (unknown,) = [item for item in audited["findings"] if item["status"] == "unknown"]
    assert unknown["id"] == f"tls_1_2.client.{name.lower()}"
    assert "access denied" in unknown["message"]
    assert unknown["would_write"] is None
    for check_mode in (True, False):
        result = run(tls_settings, check_mode=check_mode)
        assert result["failed"] is True
        assert "may not read" in result["msg"]
        assert "Administrators" in result["msg"]
    assert windows.writes == []


def test_a_value_that_nobody_asks_about_does_not_stop_a_change(run: Runner, windows: FakeWindows) -> None:
    deny(windows, protocol_key("TLS 1.0", "Server"), "Enabled")
    result = run(tls_settings)
    assert result["changed"] is True
    assert [item["id"] for item in result["findings"] if item["status"] == "unknown"] == ["unreadable"]
    assert result["compliant"] is False, "nobody knows what it is"


def test_a_rollback_that_cannot_read_is_refused(run: Runner, windows: FakeWindows) -> None:
    backup = run(tls_settings)["backup"]
    image = windows.hive.image()
    deny(windows, protocol_key("TLS 1.2"), None)
    result = run(tls_rollback, backup=backup)
    assert result["failed"] is True
    assert windows.hive.image() == image


def test_info_with_a_note_that_cannot_be_read(run: Runner, windows: FakeWindows) -> None:
    windows.hive.make(notes.KEY)
    windows.hive.set(notes.KEY, notes.NAME, Value(Type.REG_SZ, "rubbish"))
    result = run(tls_settings_info)
    assert result["restart_pending"] is True
    assert "cannot be read" in result["warnings"][0]


def test_settings(run: Runner, windows: FakeWindows) -> None:
    predicted = run(tls_settings, check_mode=True)
    assert windows.writes == []
    result = run(tls_settings)
    assert (result["changed"], result["was_compliant"], result["compliant"]) == (True, False, True)
    assert (result["restart_required"], result["restart_pending"]) == (True, True)
    assert Path(result["backup"]).name.startswith("ex01.")
    different = {key for key in result if key != "host" and result[key] != predicted[key]}
    assert different == {"backup", "changes"}, "the changes differ in their status"
    assert result["host"]["computer_name"] == predicted["host"]["computer_name"]
    assert run(tls_settings)["changed"] is False


def test_settings_that_fail(run: Runner, windows: FakeWindows) -> None:
    windows.denied = {protocol_key("TLS 1.2").lower()}
    result = run(tls_settings, undo_on_failure="false")
    assert result["failed"] is True
    assert result["error"]["kind"] == "access_denied"
    assert result["changed"] is False
    assert result["host"]["computer_name"] == "EX01"
    assert_short(result)


def assert_short(result: dict[str, Any]) -> None:
    """A failure fits on a screen: how the host stands at a glance, and what was to be written."""
    assert result["overview"]["counts"]["missing"] > 0
    assert not {"protocols", "healthchecker", "findings", "handshakes"} & set(result)
    assert len(json.dumps(result)) < 5000


def test_a_failure_tells_what_was_tried(run: Runner, windows: FakeWindows) -> None:
    windows.trouble = lambda call: Trouble(Unreachable("gone")) if windows.count("SetDWORDValue") > 3 else None
    result = run(tls_settings)
    assert result["unreachable"] is True
    assert {item["status"] for item in result["changes"]} >= {"written", "not_written"}
    assert Path(result["backup"]).exists()


def test_a_failure_shows_the_rest_with_v(run: Runner, windows: FakeWindows, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(_action.display, "v", lambda message, **more: shown.append(message))
    windows.denied = {protocol_key("TLS 1.2").lower()}
    assert run(tls_settings)["failed"] is True
    assert any(line.startswith("TLS 1.2 Client Enabled is not set") for line in shown)
    shown.clear()
    assert run(tls_settings, no_log=True)["failed"] is True
    assert shown == []


def test_rollback(run: Runner, windows: FakeWindows) -> None:
    image = windows.hive.image()
    backup = run(tls_settings)["backup"]
    predicted = run(tls_rollback, check_mode=True)
    assert (predicted["changed"], predicted["backup"]) == (True, None)
    result = run(tls_rollback)
    assert result["changed"] is True
    assert result["restored_from"] == backup
    assert Path(result["backup"]).name.endswith(".rollback.json")
    assert result["restart_required"] is False
    assert windows.hive.image() == image
    again = run(tls_rollback)
    assert (again["changed"], again["restored_from"]) == (False, backup)
    assert again["msg"] == f"The values of {backup} are there already; nothing was restored."
    assert predicted["restored_from"] == backup
    assert predicted["msg"].endswith(f"would be restored from {backup}.")


def test_rollback_of_one_of_two_changes(run: Runner, windows: FakeWindows) -> None:
    """The note of both changes tells more than the backup of the second."""
    run(tls_settings)
    assert run(tls_settings, protocols={"TLS 1.1": "enabled"})["changed"] is True
    for check_mode in (True, False):
        result = run(tls_rollback, check_mode=check_mode)
        assert "failed" not in result
        assert result["restart_required"] is True


def test_rollback_to_another_computer(run: Runner, windows: FakeWindows) -> None:
    run(tls_settings)
    windows.name = "EX02"
    windows.calls.clear()
    result = run(tls_rollback)
    assert result["failed"] is True
    assert "was made on EX01 but this host is EX02" in result["msg"]
    assert windows.writes == []
    assert run(tls_rollback, other_host="yes")["changed"] is True


def test_rollback_without_a_backup(run: Runner, windows: FakeWindows) -> None:
    result = run(tls_rollback)
    assert "There is no backup of ex01" in result["msg"]
    assert windows.calls == [], "the host is not asked"


# --- the second phase, waivers and conditions ------------------------------------------------------------------------

NO_TLS12 = {"endpoints": [{"endpoint": "smtp://ex01:25", "versions": {"TLS 1.2": {"accepted": False}}}]}


@pytest.mark.parametrize("check_mode", [False, True])
def test_second_phase_before_the_first(run: Runner, windows: FakeWindows, tmp_path: Path, check_mode: bool) -> None:
    result = run(tls_settings, check_mode=check_mode, **HARDEN)
    assert result["failed"] is True
    assert result["error"]["kind"] == "phase_refused"
    assert result["msg"].startswith("Refused, nothing was changed: ")
    assert ".NET 4 would go on with old TLS" in result["msg"]
    assert (result["changed"], result["backup"]) == (False, None)
    assert_short(result)
    assert windows.writes == []
    assert not (tmp_path / "backups").exists()


def test_first_phase_then_second(run: Runner, windows: FakeWindows) -> None:
    assert run(tls_settings)["changed"] is True
    refused = run(tls_settings, **HARDEN)
    assert "a restart is pending" in refused["msg"]
    restarted(windows)
    assert "smtp://ex01:25 does not accept TLS 1.2" in run(tls_settings, handshakes=NO_TLS12, **HARDEN)["msg"]
    result = run(tls_settings, **HARDEN)
    assert (result["changed"], result["compliant"], result["restart_required"]) == (True, True, True)
    assert "warnings" not in result
    assert run(tls_settings, **HARDEN)["changed"] is False


def test_second_phase_by_force(run: Runner, windows: FakeWindows) -> None:
    result = run(tls_settings, force="yes", **HARDEN)
    assert (result["changed"], result["compliant"]) == (True, True)
    (warning,) = result["warnings"]
    assert warning.startswith("FORCED: ")


def test_second_phase_that_is_cut_off_anywhere(run: Runner, windows: FakeWindows) -> None:
    """It is finished by running it again, although a restart is pending by then."""
    run(tls_settings)
    restarted(windows)
    ready, windows.trouble = windows.hive.image(), lambda call: None
    windows.calls.clear()
    run(tls_settings, **HARDEN)
    done = windows.hive.image()[1]
    numbers = [call.number for call in windows.calls if call.writes]
    assert len(numbers) > 20

    def gone_after(last: int) -> Callable[[Call], Trouble | None]:
        return lambda call: Trouble(Unreachable("gone")) if call.number > last else None

    for number in numbers:
        windows.hive.keys = {key: key for key in ready[0]}
        windows.hive.values = {place: (place[1], value) for place, value in ready[1].items()}
        windows.calls.clear()
        windows.trouble = gone_after(number)
        assert run(tls_settings, **HARDEN).get("unreachable", number == numbers[-1])
        windows.trouble = lambda call: None
        result = run(tls_settings, **HARDEN)
        assert result.get("failed") is None, result.get("msg")
        assert result["compliant"] is True
        note = (notes.KEY.lower(), notes.NAME.lower())
        assert {**windows.hive.image()[1], note: None} == {**done, note: None}


def test_waivers_and_conditions(run: Runner, windows: FakeWindows) -> None:
    scanner = {"match": "protocol == 'TLS 1.2' && side == 'Server'", "reason": "it is known"}
    result = run(tls_settings, waivers=[scanner], fail_on="status == 'waived'")
    assert result["failed"] is True
    assert result["error"]["kind"] == "fail_on"
    # it has done its work all the same, and says so
    assert (result["changed"], result["compliant"]) == (True, True)
    assert Path(result["backup"]).exists()
    assert {item["status"] for item in result["changes"]} == {"written"}
    assert not [item for item in result["changes"] if "TLS 1.2\\Server" in item["key"]]
    assert run(tls_settings_info, waivers=[scanner])["compliant"] is True
    assert "failed" not in run(
        tls_settings_info, waivers=[scanner], fail_on="severity == 'high' && !waiver && would_write"
    )


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("module", [tls_settings_info, tls_settings])
def test_a_condition_that_fails_a_task_returns_what_matches(
    run: Runner, windows: FakeWindows, module: types.ModuleType, check_mode: bool
) -> None:
    """Those findings alone, and nothing else that fills a screen; also where a change was made."""
    # two findings of one name, of which one is meant
    for name in ("TLS 1,2", "TLS 1;1"):
        windows.hive.make(f"{PROTOCOLS_KEY}\\{name}")
    result = run(module, check_mode=check_mode, fail_on="contains(message, '1;1')")
    assert result["error"]["kind"] == "fail_on"
    assert len(result["findings"]) == 1
    assert "1;1" in result["findings"][0]["message"]
    assert _action._BULKY & result.keys() == {"findings"}
    assert "overview" in result
    assert result["changed"] is (module is tls_settings)


@pytest.mark.parametrize("module", [tls_settings_info, tls_settings])
def test_bad_conditions_cost_no_login(run: Runner, windows: FakeWindows, module: types.ModuleType) -> None:
    result = run(
        module,
        baseline="exchange_tls14",
        waivers=[{"match": "side == Client", "reason": "r", "expires": "never"}],
        fail_on="low(severity)",
    )
    for words in ("'exchange_tls14'", "unknown key 'Client'", "'expires' is 'never'", "unknown function 'low'"):
        assert words in result["msg"]
    assert windows.calls == []


def test_bad_handshakes_cost_no_login(run: Runner, windows: FakeWindows) -> None:
    result = run(tls_settings, handshakes={"endpoints": [{"endpoint": "x"}]})
    assert "'handshakes' is not a result of tls_handshake_info" in result["msg"]
    assert windows.calls == []


@pytest.mark.parametrize("check_mode", [True, False])
def test_results_are_as_documented(run: Runner, windows: FakeWindows, check_mode: bool) -> None:
    run(tls_settings, baseline="exchange_best_practice", force=True)
    for module, options in (
        (tls_settings_info, {"expect_backup": None}),
        (tls_settings, {"protocols": {"TLS 1.3": "enabled"}}),
        (tls_rollback, {"force": True}),
        (wmi_reboot, {"services": []}),
    ):
        name = module.__name__.rpartition(".")[2]
        result = run(module, check_mode=check_mode, **options)
        assert not result.get("failed"), result["msg"]
        assert _metadata.undocumented(name, result) == []
        assert _metadata.missing(name, result) == []


# --- options and errors -----------------------------------------------------------------------------------------------


def test_all_wrong_options_at_once(run: Runner, windows: FakeWindows) -> None:
    result = run(tls_settings, protocls={}, undo_on_failure="perhaps", wire_logs="x")
    assert result["failed"] is True
    assert result["error"]["kind"] == "bad_option"
    for word in ("protocls", "did you mean 'protocols'", "perhaps", "wire_logs"):
        assert word in result["msg"]
    assert windows.calls == []


@pytest.mark.parametrize("module", [tls_settings_info, tls_settings])
def test_bad_policy_costs_no_login(run: Runner, windows: FakeWindows, module: types.ModuleType) -> None:
    result = run(module, protocols={"TLS 1,2": "enabled"})
    assert "did you mean 'TLS 1.2'" in result["msg"]
    assert windows.calls == []


@pytest.mark.parametrize(
    ("error", "state", "kind"),
    [
        (Unreachable("no route"), "unreachable", "unreachable"),
        (LoginRefused("HTTP 401"), "unreachable", "login_refused"),
        (ConnectionLost("it broke"), "unreachable", "connection_lost"),
        (AccessDenied("no", wsman_code=5), "failed", "access_denied"),
    ],
)
@pytest.mark.parametrize("module", [tls_settings_info, tls_settings, wmi_reboot])
def test_unreachable_or_failed(
    run: Runner, windows: FakeWindows, module: types.ModuleType, error: Any, state: str, kind: str
) -> None:
    windows.trouble = lambda call: Trouble(error)
    result = run(module)
    assert result[state] is True
    assert {"failed", "unreachable"} - set(result) == {"failed", "unreachable"} - {state}
    assert result["msg"] == error.message
    assert result["error"]["kind"] == kind


def test_error_of_the_connection_plugin(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Any, options: Any) -> Any:
        raise AnsibleError("winrm or requests is not installed")

    monkeypatch.setattr(_action.WindowsAction, "open_session", fail)
    result = run(tls_settings_info)
    assert result["failed"] is True
    assert "not installed" in result["msg"]
    hidden = run(tls_settings_info, no_log=True)
    assert "not installed" not in hidden["msg"]
    assert "not installed" in hidden["error"]["message"]


def test_other_connections(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    result = run(tls_settings_info)
    assert result["failed"] is True
    assert "'ssh' cannot carry WS-Management" in result["msg"]


@pytest.mark.parametrize("no_log", [False, True])
def test_progress_and_trace(run: Runner, monkeypatch: pytest.MonkeyPatch, no_log: bool) -> None:
    shown: list[str] = []
    monkeypatch.setattr(_action.display, "display", lambda message, **more: shown.append(message))
    assert run(wmi_reboot, no_log=no_log)["rebooted"] is True
    assert bool(shown) is not no_log
    assert all(message.startswith("ex01: ") for message in shown)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"dotnet": {"v3": "strong"}}, "unknown option 'dotnet.v3'; the options of 'dotnet' are v2, v4."),
        (
            {"dotnet": {"V4": "strong"}},
            "unknown option 'dotnet.V4' (did you mean 'dotnet.v4'?); the options of 'dotnet' are v2, v4.",
        ),
        (
            {"waivers": [{"match": "id", "reason": "R", "expire": "2030-01-01"}]},
            "unknown option 'waivers.expire' (did you mean 'waivers.expires'?); the options of 'waivers' are expires, ",
        ),
        ({"waivers": [{"match": "id", "reason": "R", "zzz": 1}]}, "unknown option 'waivers.zzz'; the options of 'waiv"),
        (
            {"dotnets": {"v4": "strong"}},
            "unknown option 'dotnets' (did you mean 'dotnet'?); the options are accepted",
        ),
        ({"dotnet": {4: "strong"}}, "'dotnet' has the option 4, whose name is no text; write it in quotes"),
        ({"waivers": [{1: 2}]}, "'waivers' has the option 1, whose name is no text"),
    ],
)
def test_unknown_options(run: Runner, args: dict[str, Any], words: str) -> None:
    result = run(tls_settings, **args)
    assert result["failed"] is True
    assert result["error"]["kind"] == "bad_option"
    assert words in result["msg"]
