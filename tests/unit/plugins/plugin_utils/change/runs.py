# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of tls_settings and tls_rollback on a fake host, without their joint to Ansible."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import notes
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change.change import KnownHost, change
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import Policy
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS_KEY,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks import rolling_back
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.task import Task

from ..fakes import FakeWindows, no_shell, registry_of
from ..policies import audited, policy

OPTIONS = {"TLS 1.2": "enabled", "TLS 1.0": "disabled", "SSL 3.0": "default"}
CONTENT: dict[str, dict[str, Value]] = {
    PROTOCOLS_KEY: {},
    protocol_key("TLS 1.0", "Server"): {"Enabled": dword(0xFFFFFFFF), "DisabledByDefault": Value(Type.REG_SZ, "1")},
    protocol_key("SSL 3.0", "Client"): {"Enabled": dword(0)},
}


@dataclasses.dataclass
class Run:
    """A run of tls_settings without its joint to Ansible."""

    windows: FakeWindows
    folder: Path
    protocols: dict[str, str] = dataclasses.field(default_factory=lambda: dict(OPTIONS))
    wanted: Policy | None = None  # instead of the protocols
    undo: bool = True
    force: bool = False
    partial: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __call__(self, *, check_mode: bool = False) -> dict[str, Any]:
        registry = registry_of(self.windows)
        before = audited(self.windows, self.wanted or policy(self.protocols))
        self.partial = before.as_result()
        outcome, after = change(
            KnownHost(registry, before.host, before.snapshot, before.pending, "ex01"),
            before.plan(),
            purpose="change",
            backup_dir=str(self.folder),
            undo=self.undo,
            check_mode=check_mode,
            partial=self.partial,
            force=self.force,
        )
        return {**before.after(after).as_result(), **outcome}


def without_times(result: dict[str, Any]) -> dict[str, Any]:
    # the clock goes on between two runs
    return {**result, "host": {**result["host"], "clock_offset": 0}}


def fresh() -> FakeWindows:
    return FakeWindows(CONTENT)


def settings(windows: FakeWindows) -> Any:
    keys, values = windows.hive.image()
    note = notes.KEY.lower()
    return keys - {note}, {place: value for place, value in values.items() if place[0] != note}


def roll_back(windows: FakeWindows, path: str, folder: Path) -> dict[str, Any]:
    """A run of tls_rollback; whatever was in its way is overruled."""
    task = Task(lambda: cast("Any", windows), no_shell, host_name="ex01")
    options = {
        **dict.fromkeys(("prove", "restart"), None),
        "backup": path,
        "backup_dir": str(folder),
        "other_host": False,
        "undo_on_failure": True,
        "force": True,
    }
    return rolling_back.roll_back(task, options, {})
