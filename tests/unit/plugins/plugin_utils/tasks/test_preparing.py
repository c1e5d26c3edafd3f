# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers are taken out of service around a restart, which are restarted as they are, and which are refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import notes
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.work import NotReady
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks import preparing, recorded
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.preparing import NOTHING, Preparation
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.task import Task

from ..fakes import FakeWindows, service

ROOT = r"SOFTWARE\Microsoft\ExchangeServer"
RECORD = {notes.KEY: {recorded.NAME: Value(Type.REG_SZ, "{")}}


def windows(*keys: str, member: bool = False, record: bool = False) -> FakeWindows:
    """A host with these keys of Exchange's setup; its cluster has another node."""
    made = FakeWindows({**{rf"{ROOT}\{key}": {} for key in keys}, **(RECORD if record else {})})
    if member:
        made.services = [service("ClusSvc")]
        made.instances["MSCluster_Node"] = [{"Name": "EX01", "State": "0"}, {"Name": "EX02", "State": "0"}]
    return made


MAILBOX = (r"v15\Setup", r"v15\MailboxRole")
EDGE = (r"v15\Setup", r"v15\EdgeTransportRole")
TOOLS = (r"v15\Setup", r"v15\AdminTools")
OLD = (r"v14\Setup", r"v14\MailboxRole")


def silent(_computer: str, _others: Sequence[str]) -> Any:
    """Where cmdlets cannot be asked at all."""
    raise ExchangeTlsError("There is no pypsrp")


def prepared(host: FakeWindows, when: str) -> Preparation:
    wanted = {
        "when": when,
        "minimum_healthy_copies": None,
        "blocked_members": [],
        "redirect_to": None,
        "leave_mail": False,
        "take_over": False,
    }
    session = cast(Any, host)
    task = Task(lambda: session, silent, host_name="ex01")
    left = preparing.left_out(task, session, wanted)
    return preparing.prepare(task, session, wanted, "backups", "EX01", left)


@pytest.mark.parametrize("keys", [(), TOOLS, EDGE])
@pytest.mark.parametrize("when", ["auto", "never"])
def test_where_there_is_nothing_to_take_out(keys: tuple[str, ...], when: str) -> None:
    assert prepared(windows(*keys), when) == NOTHING


def test_an_edge_server_is_restarted_as_it_is_whatever_is_wanted_and_that_is_said() -> None:
    found = prepared(windows(*EDGE), "always")
    assert (found.due, found.required) == (False, False)
    assert "is an Edge server" in (found.notice or "")


@pytest.mark.parametrize("keys", [MAILBOX, OLD])
def test_a_server_in_no_dag_is_restarted_as_it_is(keys: tuple[str, ...]) -> None:
    found = prepared(windows(*keys), "auto")
    assert (found.due, found.required) == (False, False)
    assert (found.notice or "").startswith("EX01 is restarted without being taken out of service: ")


@pytest.mark.parametrize("obstacle", ["dag.bound", "mail.nowhere"])
def test_the_witness_of_a_dag_that_lacks_a_member_is_not_restarted(
    monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    """Drained or not, its restart takes a vote away."""

    def look(*_given: Any, **_wishes: Any) -> None:
        raise NotReady("no", obstacles=[{"id": obstacle, "message": "EX01 is away."}])

    monkeypatch.setattr(preparing, "_look", look)
    if obstacle == "dag.bound":
        with pytest.raises(preparing.Unprepared, match="EX01 cannot be taken out of service now: EX01 is away"):
            prepared(windows(*MAILBOX), "auto")
    else:
        assert "is restarted without" in (prepared(windows(*MAILBOX), "auto").notice or "")


@pytest.mark.parametrize(
    ("keys", "member", "when"),
    [(MAILBOX, True, "auto"), (MAILBOX, True, "always"), (MAILBOX, False, "always"), (OLD, True, "auto")],
)
def test_a_member_is_not_and_no_server_where_that_is_wanted(keys: tuple[str, ...], member: bool, when: str) -> None:
    with pytest.raises(preparing.Unprepared) as caught:
        prepared(windows(*keys, member=member), when)
    told = caught.value.message
    assert told.startswith("Refused, nothing was changed: EX01")
    assert (", a member of a DAG, cannot" in told) is member
    assert "sets 'restart.maintenance.when' to never." in told
    assert "no pypsrp. Mend that." in told or keys is OLD


@pytest.mark.parametrize("when", ["auto", "never"])
def test_what_was_left_out_is_known_or_said(when: str) -> None:
    """Also one whose record nobody can read."""
    found = prepared(windows(*MAILBOX, record=True), when)
    assert found.begun is (when == "auto")
    assert ("may still be out of service" in (found.notice or "")) is (when == "never")


def test_whoever_has_looked_need_not_look_again() -> None:
    host = windows(*MAILBOX)
    session = cast(Any, host)
    task = Task(lambda: session, silent, host_name="ex01")
    assert preparing.left_out(task, session, {"when": "auto"}, has_exchange=False) == NOTHING
    assert host.calls == []
    assert preparing.left_out(task, session, {"when": "auto"}, has_exchange=True) == NOTHING
    assert len(host.calls) == 1
