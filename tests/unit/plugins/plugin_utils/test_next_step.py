# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The next command of a run that was to change nothing changes nothing either, until people ask for it."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._command import Command
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._details import blocks
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._steps import Steps

TYPED = Command("enforce-tls12.yml", ("hosts.yml",))


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    "ended",
    [
        Steps(change={"failed": True, "msg": "Access denied.", "error": {"kind": "access_denied"}}),
        Steps(change={"unreachable": True, "msg": "Connection refused"}, unreachable=True),
        Steps(change={}, error="The hook failed."),
        Steps(error="The variable is not set."),
    ],
)
def test_what_failed_in_check_mode_is_checked_again(ended: Steps, check_mode: bool) -> None:
    (block,) = blocks({"ex01": dataclasses.replace(ended, check_mode=check_mode)}, TYPED)
    assert block[-1].strip() == f"ansible-playbook -i hosts.yml enforce-tls12.yml -l ex01{' --check' * check_mode}"


def test_what_check_mode_has_predicted_is_done() -> None:
    (block,) = blocks({"ex01": Steps(change={"changes": [{"status": "planned"}]}, check_mode=True)}, TYPED)
    assert block[-1].strip() == "ansible-playbook -i hosts.yml enforce-tls12.yml -l ex01"
