# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugins over a fake host: restarts, and the guard through the task."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.action import (
    tls_settings,
    tls_settings_info,
    wmi_reboot,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import notes
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import Unreachable
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS_KEY,
    SCHANNEL_KEY,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows import cluster

from ..plugin_utils.fakes import Call, FakeWindows, Trouble, registry_of, service
from .actions import LATER, Runner, restarted

# --- restarts ---------------------------------------------------------------------------------------------------------


def test_restart(run: Runner, windows: FakeWindows) -> None:
    run(tls_settings)
    result = run(wmi_reboot, only_if_pending=True)
    assert result["rebooted"] is True
    assert (result["changed"], result["restart_pending"]) == (True, False)
    assert (result["boot_before"], result["boot_after"]) == ("2026-11-20T03:04:05Z", "2026-11-20T08:04:05Z")
    assert result["services"] == []
    assert notes.KEY.lower() not in windows.hive.keys, "the note has done its work"
    again = run(wmi_reboot, only_if_pending="true")
    assert (again["changed"], again["rebooted"]) == (False, False)
    assert windows.count("Win32Shutdown") == 1


def test_restart_that_somebody_else_has_made(run: Runner, windows: FakeWindows) -> None:
    """Between the look at the host and the task: the task looks again."""
    run(tls_settings)
    assert run(wmi_reboot, check_mode=True, only_if_pending=True)["changed"] is True
    restarted(windows)
    result = run(wmi_reboot, only_if_pending=True)
    assert (result["rebooted"], result["changed"], result["restart_pending"]) == (False, False, False)
    assert windows.count("Win32Shutdown") == 0


def test_restart_in_check_mode(run: Runner, windows: FakeWindows) -> None:
    assert run(wmi_reboot, check_mode=True)["changed"] is True
    assert run(wmi_reboot, check_mode=True, only_if_pending=True)["changed"] is False
    run(tls_settings)
    result = run(wmi_reboot, check_mode=True, only_if_pending=True)
    assert (result["changed"], result["restart_pending"], result["rebooted"]) == (True, True, False)
    assert windows.count("Win32Shutdown") == 0


def test_restart_after_a_run_that_was_cut_off(run: Runner, windows: FakeWindows) -> None:
    """What was there before that run is still to be known by the next one."""
    restart = windows.trouble
    # the note is written, and nothing else
    windows.trouble = lambda call: Trouble(Unreachable("gone")) if len(windows.writes) > 2 else None
    result = run(tls_settings)
    assert result["unreachable"] is True
    windows.trouble = restart
    assert run(wmi_reboot)["rebooted"] is True
    note = notes.read(registry_of(windows))
    assert note is not None
    assert note.unfinished
    assert note.boot == LATER
    assert note.owner is None, "whoever was at work is not any more"
    assert note.written is not None
    assert note.written - LATER == pytest.approx(windows.uptime, abs=datetime.timedelta(seconds=9))
    assert run(tls_settings)["compliant"]


def test_restart_whose_services_fail(run: Runner, windows: FakeWindows) -> None:
    windows.services = [service("W3SVC", "Stopped")]
    result = run(wmi_reboot, services=["W3SVC"], timeout=1)
    assert result["failed"] is True
    assert (result["rebooted"], result["boot_after"]) == (True, "2026-11-20T08:04:05Z")
    # the next run must not take the host for done
    assert run(tls_settings_info)["restart_pending"] is True


@pytest.mark.parametrize("is_out", [True, False])
def test_one_that_was_taken_out_stays_out_after_such_a_restart(run: Runner, windows: FakeWindows, is_out: bool) -> None:
    if is_out:
        windows.hive.make(notes.KEY)
        windows.hive.set(notes.KEY, "Maintenance", Value(Type.REG_SZ, "{}"))
    windows.services = [service("W3SVC", "Stopped")]
    message = run(wmi_reboot, services=["W3SVC"], timeout=1)["msg"]
    assert message.endswith(" It stays out of service until then, as it was taken out before.") is is_out


@pytest.mark.parametrize("brought_back", [True, False])
def test_one_that_another_run_brings_back_meanwhile_is_not_restarted(
    run: Runner, windows: FakeWindows, monkeypatch: pytest.MonkeyPatch, *, brought_back: bool
) -> None:
    """While others are waited for, for as long as a restart may take, no sign of this run is seen elsewhere."""
    monkeypatch.setattr(cluster, "_PAUSE", 0.01)
    restart, looks = windows.trouble, []
    windows.hive.make(notes.KEY)
    windows.hive.set(notes.KEY, "Maintenance", Value(Type.REG_SZ, "{}"))
    windows.services = [service("ClusSvc")]

    def trouble(call: Call) -> Trouble | None:
        if call.of == "MSCluster_Node":
            looks.append(call)
            state = "1" if len(looks) < 3 else "0"
            windows.instances["MSCluster_Node"] = [{"Name": "EX01", "State": "0"}, {"Name": "EX02", "State": state}]
            if len(looks) == 3 and brought_back:
                del windows.hive.keys[notes.KEY.lower()]
        return restart(call) if restart else None

    windows.trouble = trouble
    result = run(wmi_reboot, timeout=30)
    assert result.get("rebooted", False) is not brought_back
    assert windows.count("Win32Shutdown") == int(not brought_back)
    if brought_back:
        assert result["error"]["kind"] == "another_run"
        assert "has brought the server back into service; nothing was restarted." in result["msg"]


def test_restart_that_is_refused(run: Runner, windows: FakeWindows) -> None:
    windows.shutdown_code = 5
    windows.trouble = lambda call: None
    result = run(wmi_reboot)
    assert result["failed"] is True
    assert result["changed"] is False
    assert result["error"] == {"kind": "restart_refused", "return_code": 5}


@pytest.mark.parametrize("timeout", [0, -5])
def test_restart_without_time(run: Runner, windows: FakeWindows, timeout: int) -> None:
    assert "timeout" in run(wmi_reboot, timeout=timeout)["msg"]
    assert windows.calls == []


# --- the guard, through the task -------------------------------------------------------------------------------------


AES_128 = rf"{SCHANNEL_KEY}\Ciphers\AES 128/128"


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"cipher_suites": ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]}, "for RSA certificates"),
        ({"ciphers": {"AES 256/256": "disabled"}}, r"without Ciphers\AES 256/256 and Ciphers\AES 128/128"),
        ({"protocols": {"TLS 1.1": "disabled"}, "handshake_policy": "required"}, "no endpoint was tried"),
        ({"protocols": {"TLS 1.1": "disabled"}, "handshake_policy": "never"}, "no handshake may be tried"),
    ],
)
def test_the_guard_reads_what_it_needs(
    run: Runner, windows: FakeWindows, args: dict[str, Any], words: str, check_mode: bool
) -> None:
    windows.hive = FakeWindows({PROTOCOLS_KEY: {}, AES_128: {"Enabled": dword(0)}}).hive
    before = windows.hive.image()
    result = run(tls_settings, check_mode=check_mode, **{"baseline": "none", **args})
    assert result["error"] == {"kind": "phase_refused"}
    assert words in result["msg"]
    assert windows.hive.image() == before
    forced = run(tls_settings, check_mode=check_mode, force=True, **{"baseline": "none", **args})
    assert any(words in text for text in forced["warnings"])
    assert forced["changed"] is True


def test_a_policy_of_proofs_that_makes_no_sense(run: Runner) -> None:
    result = run(tls_settings, handshake_policy="sometimes")
    assert "handshake_policy" in result["msg"]
    assert "when_reachable, required, never" in result["msg"]
