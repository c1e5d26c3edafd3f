# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account that may look, and not change: said before anything is written, not in the middle of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.records import Record
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.shell import CmdletDenied, CmdletNotFound
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.work import NotReady

from .living import Shell, World
from .maintained import DAG, done, out

SET = ("Set-ServerComponentState", "Set-MailboxServer")


@pytest.mark.parametrize(
    ("hidden", "mail", "said"),
    [
        (SET, 0, "Exchange has no Set-ServerComponentState and no Set-MailboxServer for it"),
        (("set-mailboxserver",), 0, "Exchange has no Set-MailboxServer for it"),
        (("Redirect-Message",), 5, "Exchange has no Redirect-Message for it"),
    ],
)
def test_what_the_account_may_not_do_is_in_the_way(hidden: tuple[str, ...], mail: int, said: str) -> None:
    world = World(DAG)
    world.servers["EX01"].mail, world.servers["EX01"].drains = mail, False
    world.hidden = hidden
    with pytest.raises(NotReady) as caught:
        out(world)
    (obstacle,) = caught.value.details["obstacles"]
    assert obstacle["id"] == "account.cmdlets"
    assert said in obstacle["message"]
    assert "'Server Management'" in obstacle["message"]
    assert done(world) == []


@pytest.mark.parametrize(
    ("group", "hidden", "mail"),
    [
        (DAG, ("Redirect-Message",), 0),  # no mail waits
        (DAG, ("Test-ServiceHealth", "Set-MailboxServerX"), 0),
        ((), ("Set-MailboxServer", "Redirect-Message"), 5),  # in no DAG, and nowhere to send mail to
    ],
)
def test_what_is_not_needed_is_not_missed(group: tuple[str, ...], hidden: tuple[str, ...], mail: int) -> None:
    world = World(group) if group else World(alone=("EX01",))
    world.servers["EX01"].mail = mail
    world.hidden = hidden
    out(world, leave_mail=True)


def _fails(error: Exception) -> Any:
    def ask(_shell: Shell, Name: Any) -> list[Record]:  # noqa: N803
        raise error

    return ask


def _tells(*names: Any) -> Any:
    return lambda _shell, Name: [Record(None, (), {"Name": name} if name else {}) for name in names]  # noqa: N803


@pytest.mark.parametrize(
    "answer",
    [
        _fails(CmdletNotFound("Exchange has no cmdlet Get-Command for this account.")),
        _fails(CmdletDenied("no")),
        _tells(),
        _tells(None, 7),
        # it does not know what has just been asked
        _tells("Get-Queue"),
    ],
)
def test_where_nobody_can_tell_what_is_missing_it_is_tried(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shell, "_get_command", answer)
    out(world := World(DAG))
    assert world.servers["EX01"].is_out
