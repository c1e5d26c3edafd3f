# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a server whose old settings were restored, while the restart after that was or was not made."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.details import next_step
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.standing import Steps

FIRST, SECOND, THIRD = (f"2026-11-25T17:0{minute}:00Z" for minute in range(3))
CHANGE = {"changed": True, "backup": "/b", "host": {"last_boot": FIRST}, "restart_pending": True}
UNDONE = {"restored_from": "/b", "host": {"last_boot": SECOND}, "restart_pending": True}
VERDICT = {"word": "wrong", "sentence": "NO", "problems": ["lost"], "endpoints": {}}


def steps(boot_before: str, boot_after: str, seen: str, **verify: t.Any) -> Steps:
    reboot = {"rebooted": True, "elapsed": 2.0, "boot_before": boot_before, "boot_after": boot_after}
    proof = {"host": {"last_boot": seen}, "restart_pending": False, "verdict": VERDICT, **verify}
    return Steps.of({"change": CHANGE, "reboot": reboot, "undone": UNDONE, "verify": proof})


def test_a_proof_from_before_the_rollback_says_nothing_of_it() -> None:
    found = steps(FIRST, SECOND, SECOND)
    assert found.restart_wanted
    assert found.verify is None
    assert "restart it" in next_step(found).words


@pytest.mark.parametrize(
    "found", [steps(SECOND, THIRD, THIRD), steps(FIRST, SECOND, SECOND, restart_pending=True)], ids=["made", "not yet"]
)
def test_a_proof_after_the_rollback_counts(found: Steps) -> None:
    assert found.verify is not None
    assert found.restart_wanted is found.verify["restart_pending"]
