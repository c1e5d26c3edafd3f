# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings as they are today where check mode has predicted a change, through the tasks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.action import tls_rollback, tls_settings, tls_settings_info
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.standing import Steps
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.today import today
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import protocol_key

from ..plugin_utils.fakes import FakeWindows, Trouble
from .actions import HARDEN, Runner


def round_tripped(result: Any) -> Any:
    """As it comes out of a registered variable."""
    return json.loads(json.dumps(result))


@pytest.mark.parametrize("args", [{}, {"force": True, **HARDEN}, {"protocols": {"TLS 1.0": "default"}}])
def test_today_through_the_tasks(run: Runner, args: dict[str, Any]) -> None:
    info = {name: value for name, value in args.items() if name != "force"}
    before = run(tls_settings_info, **info)
    predicted = run(tls_settings, check_mode=True, **args)
    assert predicted["changes"]
    verified = run(tls_settings_info, check_mode=True, role_file="shake", known=predicted, allow_pending=True, **info)
    shown = Steps.of({"change": predicted, "verify": verified}, check_mode=True)
    assert shown.overview == before["overview"]
    # a real run is shown as it ends
    changed = run(tls_settings, **args)
    assert Steps.of({"change": changed}).overview == changed["overview"] == run(tls_settings_info, **info)["overview"]


def test_today_knows_no_more_of_what_could_not_be_read(run: Runner, windows: FakeWindows) -> None:
    key = protocol_key("TLS 1.0", "Server")
    windows.trouble = lambda call: Trouble(code=5) if (call.key, call.name) == (key, "Enabled") else None
    predicted = round_tripped(run(tls_settings, check_mode=True))
    assert predicted["changes"]
    assert predicted["protocols"]["TLS 1.0"]["Server"]["effective"] == "unknown"
    assert today(predicted)["protocols"]["TLS 1.0"] == predicted["protocols"]["TLS 1.0"]


def test_today_before_a_rollback_that_is_predicted(run: Runner) -> None:
    """Nothing is wrong with what is still there."""
    run(tls_settings)
    predicted = run(tls_rollback, check_mode=True)
    verified = run(tls_settings_info, check_mode=True, allow_pending=True, expect_backup=predicted["restored_from"])
    shown = Steps.of({"change": predicted, "verify": verified}, check_mode=True)
    assert shown.overview == verified["overview"]
    assert shown.overview["wrong"] == shown.overview["missing"] == []
