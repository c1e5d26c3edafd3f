# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The next command of a run that was to change nothing changes nothing either, until people ask for it."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._command import ENFORCE, Command
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._details import blocks, next_step
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._overview import overview
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel import SIDES
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._steps import Steps

from .fakes import FakeWindows
from .policies import audited, policy

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


@pytest.mark.parametrize(
    ("effect", "dotnet", "pending", "again"),
    [
        ("enabled", True, False, True),
        ("disabled", True, False, False),
        ("enabled", False, False, False),
        ("enabled", True, True, False),
    ],
)
def test_the_first_phase_is_named_where_it_is_missing(effect: str, dotnet: bool, pending: bool, again: bool) -> None:
    """Who has been there is not sent there again because an endpoint cannot be reached."""
    glance = overview(audited(FakeWindows({}), policy(baseline="exchange_tls12")).as_result())
    glance = {**glance, "dotnet": dotnet, "protocols": {"TLS 1.2": dict.fromkeys(SIDES, effect)}}
    refused = {"failed": True, "error": {"kind": "phase_refused"}, "msg": "No.", "restart_pending": pending}
    step = next_step(Steps(change={**refused, "overview": glance}))
    assert (step.book, step.words.startswith("do what the message says")) == (
        (None, True) if again else (ENFORCE, False)
    )


def test_a_message_is_told_to_its_end() -> None:
    """What to do comes last."""
    told = f"{'It is wrong. ' * 70}Do this."
    (block,) = blocks({"ex01": Steps(change={"failed": True, "msg": told})}, TYPED)
    assert " ".join(line.strip() for line in block[1:]).startswith(f"error:    {told}")
