# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""exchange_maintenance_info: what it is given, whom it asks, and what it makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.action import exchange_maintenance_info
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _action
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.endpoint import Endpoint, Login
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.shell import CmdletDenied
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport import cmdlets

from ..plugin_utils.exchange.organisation import Organisation, copy
from ..plugin_utils.fakes import FakeWindows
from .actions import Runner

V15 = r"SOFTWARE\Microsoft\ExchangeServer\v15"


class Exchange:
    """The organisation behind the shell, and where it was asked."""

    def __init__(self) -> None:
        self.organisation = Organisation("EX01", "EX02", dag={})
        self.organisation["EX01"].copies = [copy("DB01", "EX01", "Mounted")]
        self.organisation["EX02"].copies = [copy("DB01", "EX02")]
        self.asked: list[Endpoint] = []

    def open_shell(self, endpoint: Endpoint) -> Organisation:
        self.asked.append(endpoint)
        return self.organisation


@pytest.fixture
def exchange(windows: FakeWindows, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    windows.instances["MSCluster_Node"] = [{"Name": "EX01", "State": "0"}, {"Name": "EX02", "State": "0"}]
    for role in ("Setup", "MailboxRole", "AdminTools"):
        windows.hive.make(rf"{V15}\{role}")
    found = Exchange()
    monkeypatch.setattr(cmdlets, "open_shell", found.open_shell)
    monkeypatch.setattr(cmdlets, "login_of", lambda connection: Login("admin@LAB.TEST", "secret"))
    monkeypatch.setattr(_action, "check_plugin", lambda connection: "winrm")
    return found


def looked(run: Runner, host: str = "ex01.example.com", variables: dict[str, Any] | None = None, **how: Any) -> Any:
    return run(exchange_maintenance_info, host=host, more_vars=variables, **how)


def test_ready(run: Runner, exchange: Exchange) -> None:
    result = looked(run, variables={"exchange_server": "ex02.example.com"}, minimum_healthy_copies=1)
    assert not result.get("failed")
    assert (result["ready"], result["obstacles"], result["remarks"]) == (True, [], [])
    assert (result["changed"], result["entry"], result["in_maintenance"]) == (False, "ex02.example.com", False)
    assert result["round_trips"] == exchange.organisation.round_trips
    assert result["members"] == [{"server": "EX02", "available": True, "marks": []}]
    assert exchange.organisation.closed
    (asked,) = exchange.asked
    assert (asked.server, asked.user, asked.auth) == ("ex02.example.com", "admin@LAB.TEST", "kerberos")


def test_what_is_in_the_way(run: Runner, exchange: Exchange) -> None:
    result = looked(run)
    assert not result.get("failed")
    assert result["ready"] is False
    assert [item["id"] for item in result["obstacles"]] == ["database.copies"]
    assert [item["id"] for item in result["remarks"]] == ["shell.own"]
    failed = looked(run, fail_if_not_ready=True)
    assert failed["msg"].startswith("EX01 cannot be taken out of service now: DB01 is mounted here and has 1 copy")
    assert failed["error"] == {"kind": "not_ready", "obstacles": ["database.copies"]}
    assert failed["ready"] is False


@pytest.mark.parametrize(
    ("host", "variables", "server"),
    [
        ("ex01.example.com", {}, "ex01.example.com"),
        ("ex01", {"ansible_host": "ex01.example.com"}, "ex01.example.com"),
        ("ex01", {"ansible_host": "10.0.0.1"}, "EX01"),
        ("ex01.example.com", {"ansible_host": "10.0.0.1"}, "ex01.example.com"),
        ("ex01.dmz", {"ansible_host": "ex01.example.com"}, "ex01.example.com"),
        ("ex01", {"exchange_server": " "}, "EX01"),
        (
            "ex01",
            {"exchange_server": "ex02", "hostvars": {"ex02": {"ansible_host": "ex02.example.com"}}},
            "ex02.example.com",
        ),
    ],
)
def test_who_is_asked(run: Runner, exchange: Exchange, host: str, variables: dict[str, Any], server: str) -> None:
    looked(run, host, variables)
    assert [item.server for item in exchange.asked] == [server]


@pytest.mark.parametrize(
    ("variables", "options", "words"),
    [
        (
            {"exchange_auth": "basic", "exchange_scheme": "http"},
            {},
            "basic sends the password as it is, so it needs https",
        ),
        ({"exchange_auth": "ntlm"}, {}, "exchange_auth is 'ntlm', but it takes kerberos or basic"),
        ({"exchange_server": "10.0.0.9"}, {}, "10.0.0.9 is an address, and Kerberos knows servers by name only"),
        ({"exchange_sever": "ex02"}, {}, "there is no variable 'exchange_sever' (did you mean 'exchange_server'?)"),
        ({"exchange_port": "many"}, {"minimum_healthy_copies": -1}, "'minimum_healthy_copies' is -1"),
        ({}, {"minimum_healthy_copies": 2}, "there cannot be more than 1 elsewhere"),
    ],
)
def test_bad_input(
    run: Runner,
    exchange: Exchange,
    windows: FakeWindows,
    variables: dict[str, Any],
    options: dict[str, Any],
    words: str,
) -> None:
    result = looked(run, variables=variables, **options)
    assert result["failed"] is True
    assert result["error"]["kind"] == "bad_option"
    assert words in result["msg"]
    assert "secret" not in str(result)
    if variables:
        assert windows.calls == [], "nothing was sent"


@pytest.mark.parametrize(
    ("keys", "remark"),
    [
        ((), "server.no_exchange"),
        (("Setup", "AdminTools"), "server.no_exchange"),
        (("Setup", "EdgeTransportRole"), "server.edge"),
    ],
)
def test_a_server_that_exchange_need_not_be_told_of(
    run: Runner, exchange: Exchange, windows: FakeWindows, keys: tuple[str, ...], remark: str
) -> None:
    for key in [key for key in windows.hive.keys if key.startswith(V15.lower())]:
        windows.hive.drop(key)
    for key in keys:
        windows.hive.make(rf"{V15}\{key}")
    result = looked(run, fail_if_not_ready=True)
    assert (result["ready"], [item["id"] for item in result["remarks"]]) == (True, [remark])
    assert exchange.asked == []


def test_another_connection(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its options are not even looked at."""
    result = looked(run)
    assert result["error"]["kind"] == "bad_option"
    assert "The connection plugin 'ssh' cannot carry WS-Management" in result["msg"]


def test_exchange_2010(run: Runner, exchange: Exchange, windows: FakeWindows) -> None:
    windows.hive.drop(rf"{V15}\Setup")
    windows.hive.make(rf"{V15.replace('v15', 'v14')}\Setup")
    assert "Exchange 2010, which knows no component states" in looked(run)["msg"]


def test_no_rights(run: Runner, exchange: Exchange) -> None:
    exchange.organisation.errors["Get-MailboxDatabaseCopyStatus"] = CmdletDenied("The account may not do this.")
    result = looked(run)
    assert (result["failed"], result["error"]["kind"]) == (True, "access_denied")
    assert exchange.organisation.closed


def test_a_library_that_is_missing(run: Runner, exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_endpoint: Endpoint) -> Organisation:
        raise ExchangeTlsError("Exchange's cmdlets need the Python library pypsrp")

    monkeypatch.setattr(cmdlets, "open_shell", missing)
    assert "pypsrp" in looked(run)["msg"]
