# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which server cmdlets are asked, and that it is not the one that restarts."""

from __future__ import annotations

import types
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks import entries

TASK: Any = types.SimpleNamespace(address="192.0.2.1", host_name="ex01")
SERVER = types.SimpleNamespace(name="MAILBOX-SERVER-", fqdn="mailbox-server-01.example.com")


def view(group: str | None = "DAG1") -> Any:
    member = types.SimpleNamespace(name="MAILBOX-SERVER2")
    return types.SimpleNamespace(server=SERVER, group=group, members=(member,))


@pytest.mark.parametrize(
    "entry", ["192.0.2.1", "EX01", "mailbox-server-01", "Mailbox-Server-01.example.com", "mailbox-server-"]
)
def test_a_member_is_not_asked_about_on_itself(entry: str) -> None:
    """By whatever name it is called: NetBIOS has 15 letters."""
    with pytest.raises(
        OptionError, match=r"on MAILBOX-SERVER- itself, whose restart ends the session.* MAILBOX-SERVER2"
    ):
        entries.refuse_own_entry(TASK, entry, view())
    entries.refuse_own_entry(TASK, entry, view(group=None))


@pytest.mark.parametrize(
    ("state", "how"),
    [
        ("down", ""),
        ("joining", ""),
        ("paused", " (if a run was cut off at EX02, run this for it: it finishes that)"),
        (
            "quarantined",
            " (once it is mended why EX02 left the cluster again and again: Start-ClusterNode EX02 -ClearQuarantine)",
        ),
    ],
)
def test_what_the_cluster_says_of_another_member(state: str, how: str) -> None:
    (found,) = entries.of_cluster({"EX01": "paused", "EX02": state, "EX03": "up"}, "ex01")
    assert (found.id, found.message) == (
        "dag.node",
        f"EX02, another member of its DAG, is {state} in the cluster. Bring it back first{how}.",
    )


def test_a_cluster_that_does_not_tell() -> None:
    (found,) = entries.of_cluster({}, "EX01")
    assert found.message.endswith("whether the other members are up: Get-ClusterNode on EX01 has to.")
    assert list(entries.of_cluster(None, "EX01")) == []


@pytest.mark.parametrize("entry", ["mailbox-server2", "mailbox-server-011.example.com", "192.0.2.10"])
def test_another_one_may_be_asked(entry: str) -> None:
    entries.refuse_own_entry(TASK, entry, view())
