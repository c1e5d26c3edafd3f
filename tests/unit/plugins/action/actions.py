# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs action plugins as the task executor does, over a fake host."""

from __future__ import annotations

import datetime
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _action
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS_KEY,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import dword

from ..plugin_utils.fakes import BOOT, JUST_STARTED, Call, FakeWindows

LATER = BOOT + datetime.timedelta(hours=5)
HARDEN = {"baseline": "exchange_best_practice"}
Runner = Callable[..., dict[str, Any]]
# Our role, as a task knows the one that it belongs to.
ROLE = types.SimpleNamespace(_role_collection="mailops.exchange_tls")


def host() -> FakeWindows:
    """A host that restarts when it is told to."""
    windows = FakeWindows({PROTOCOLS_KEY: {}, protocol_key("TLS 1.0", "Server"): {"Enabled": dword(0)}})

    def restart(call: Call) -> None:
        if call.method.startswith("Win32Shutdown"):
            windows.last_boot, windows.uptime = LATER, JUST_STARTED

    windows.trouble = restart
    return windows


def restarted(windows: FakeWindows) -> None:
    windows.last_boot += datetime.timedelta(days=1)


def runner(windows: FakeWindows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Runs a plugin; ``limit`` is the task keyword timeout, ``role_file`` the task file of our role that it is in."""
    monkeypatch.setattr(_action.WindowsAction, "open_session", lambda self, options: windows)

    def run(
        module: types.ModuleType,
        *,
        check_mode: bool = False,
        no_log: bool = False,
        host: str = "ex01",
        limit: int = 0,
        become: bool | None = None,
        become_plugin: object = ...,
        delegate_to: str | None = None,
        role_file: str | None = None,
        more_vars: dict[str, Any] | None = None,
        **args: Any,
    ) -> dict[str, Any]:
        if "backup_dir" in module.ARGUMENT_SPEC:
            args.setdefault("backup_dir", str(tmp_path / "backups"))
        task = types.SimpleNamespace(
            args=args,
            action=module.__name__.rpartition(".")[2],
            check_mode=check_mode,
            no_log=no_log,
            timeout=limit,
            delegate_to=delegate_to,
            become=become,
            async_val=0,
            collections=[],
            _role=ROLE if role_file else None,
            get_path=lambda: f"/roles/tls12/tasks/{role_file}.yml:9",
        )
        plugin = module.ActionModule(
            task=task,
            connection=types.SimpleNamespace(
                _shell=types.SimpleNamespace(tmpdir=None),
                transport="ssh",
                # ansible-core gives one to the connection where the keyword or ansible_become asks for it
                become=(object() if become else None) if become_plugin is ... else become_plugin,
            ),
            play_context=types.SimpleNamespace(check_mode=check_mode),
            loader=DataLoader(),
            templar=types.SimpleNamespace(template=lambda text: text.replace("{{ n }}", "7")),
            shared_loader_obj=None,
        )
        result: dict[str, Any] = plugin.run(task_vars={"inventory_hostname": host, **(more_vars or {})})
        return result

    return run
