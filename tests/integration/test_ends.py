# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change and what disturbs it from outside: a timeout, another run, a clock that is set, a loss of power, junk."""

from __future__ import annotations

import concurrent.futures
import pathlib
import time
import typing as t

import pytest

from tests.lab.client import HostClient, LabClient

from .fleet import ACCOUNTS, assert_no_traceback, only, protocols, untruths
from .harness import NOTE_KEY, TLS12_SERVER, Ansible

HOST: dict[str, t.Any] = {
    "windows": "2016",
    "registry": ["stock", "tls12_off"],
    "restart": {"shutdown_delay": 0.01, "down_for": 0.1},
}
NAMES = ("slow", "twice", "stepped", "dark", "junk")
# Boot times that lie closer together than the jitter are taken for one.
LONGER: dict[str, t.Any] = {**HOST, "restart": {"shutdown_delay": 0.01, "down_for": 3}}
LAB: dict[str, t.Any] = {"accounts": ACCOUNTS, "hosts": {**dict.fromkeys(NAMES, HOST), "dark": LONGER}}


@pytest.mark.parametrize("undo", [True, False])
def test_timeout_of_the_task(lab: LabClient, ansible: Ansible, undo: bool) -> None:
    """The keyword ends the task in the middle of a write. Nothing is put back, which would take more time."""
    host = lab.host("slow")
    original = protocols(host)
    writes = {"operation": "StdRegProv.SetDWORDValue"}
    host.set_quirk("delay", {**writes, "seconds": 30, "nth": 3})
    began = time.monotonic()
    run = ansible.task("tls_settings", hosts="slow", task={"timeout": 8}, options={"undo_on_failure": undo})
    assert time.monotonic() - began < 25
    host.clear_quirks()
    assert_no_traceback(run)
    item = only(run.of("tls_settings"))
    result = item.result
    assert (item.outcome, result["changed"]) == ("failed", True)
    assert (result["error"]["kind"], result["timedout"]) == ("timeout", {"period": 8})
    assert "within its timeout of 8 seconds" in result["msg"]
    assert str(result["backup"]) in result["msg"]
    assert [item["status"] for item in result["changes"]] == ["written", "written", "unknown", "not_written"]
    assert not untruths(host, result)
    # and it is finished by running it again, at once
    assert ansible.task("tls_settings", hosts="slow").ok().result("tls_settings")["compliant"]
    ansible.task("tls_rollback", hosts="slow").ok()
    assert protocols(host) == original


def test_two_runs_at_once(lab: LabClient, ansible: Ansible, tmp_path: pathlib.Path) -> None:
    """With folders of backups of their own, as two people on one controller have them: one does the work."""
    host = lab.host("twice")
    host.set_quirk("delay", {"operation": "StdRegProv.SetDWORDValue", "seconds": 10, "nth": 2})

    def change(number: int) -> t.Any:
        folder = tmp_path / str(number)
        folder.mkdir()
        time.sleep(number * 4)
        one = Ansible(lab, folder)
        return only(one.task("tls_settings", hosts="twice").of("tls_settings"))

    with concurrent.futures.ThreadPoolExecutor() as pool:
        first, second = pool.map(change, range(2))
    assert first.outcome == "ok", first
    assert second.outcome == "failed", second
    assert second.result["error"]["kind"] == "another_run"
    assert "nothing was changed" in second.result["msg"]
    assert (second.result["changed"], second.result["backup"]) == (False, None)


def is_pending(ansible: Ansible, host: HostClient) -> tuple[bool, str]:
    result = ansible.task("tls_settings_info", hosts=host.name).ok().result("tls_settings_info")
    return result["restart_pending"], " ".join(map(str, result.get("warnings", [])))


def test_a_clock_that_is_set_is_no_restart(lab: LabClient, ansible: Ansible) -> None:
    host = lab.host("stepped")
    ansible.task("tls_settings", hosts="stepped").ok()
    for seconds in (-5, 5, 60, -3600):
        host.step_clock(seconds)
        assert is_pending(ansible, host) == (True, ""), seconds
    host.step_clock(30 * 86400)
    pending, warning = is_pending(ansible, host)
    assert pending
    assert "its clock was set forward" in warning
    # changes on top of it change nothing about that
    more = {"baseline": "none", "protocols": {"TLS 1.1": {"Server": "enabled"}}}
    assert ansible.task("tls_settings", hosts="stepped", options=more).ok().result("tls_settings")["restart_pending"]
    assert is_pending(ansible, host)[0]
    host.restart()
    assert is_pending(ansible, host) == (False, "")
    run = ansible.task("wmi_reboot", hosts="stepped", options={"only_if_pending": True}).ok()
    assert run.result("wmi_reboot")["rebooted"] is False


def test_a_loss_of_power_counts_as_no_restart(lab: LabClient, ansible: Ansible) -> None:
    """One witness only: one restart too many does no harm."""
    host = lab.host("dark")
    ansible.task("tls_settings", hosts="dark").ok()
    host.set_quirk("power_loss", True)
    host.restart()
    host.clear_quirks()
    pending, warning = is_pending(ansible, host)
    assert pending
    assert "it lost its power" in warning
    run = ansible.task("wmi_reboot", hosts="dark", options={"only_if_pending": True}).ok()
    assert run.result("wmi_reboot")["rebooted"]
    assert is_pending(ansible, host) == (False, "")
    assert host.registry(NOTE_KEY) is None


def test_junk_is_mended_and_comes_back(lab: LabClient, ansible: Ansible) -> None:
    host = lab.host("junk")
    host.set_value(TLS12_SERVER, "Enabled", "x" * 100_000, "REG_SZ")
    original = protocols(host)
    assert ansible.task("tls_settings", hosts="junk").ok().result("tls_settings")["compliant"]
    ansible.task("tls_rollback", hosts="junk").ok()
    assert protocols(host) == original
