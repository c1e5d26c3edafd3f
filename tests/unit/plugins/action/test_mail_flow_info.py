# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mail_flow_info: where Exchange cannot be asked, and when that is a failure."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.action import mail_flow_info
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _action
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError, Unreachable
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.endpoint import Endpoint, Login
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport import cmdlets

from ..plugin_utils.exchange.organisation import Organisation
from ..plugin_utils.fakes import FakeWindows
from .actions import Runner

V15 = r"SOFTWARE\Microsoft\ExchangeServer\v15"


@pytest.fixture
def exchange(windows: FakeWindows, monkeypatch: pytest.MonkeyPatch) -> dict[str, ExchangeTlsError]:
    """A server with Exchange; its key ``error``, where there is one, is what opening a session with Exchange raises."""
    for role in ("Setup", "MailboxRole", "AdminTools"):
        windows.hive.make(rf"{V15}\{role}")
    raised: dict[str, ExchangeTlsError] = {}

    def open_shell(_endpoint: Endpoint) -> Organisation:
        if "error" in raised:
            raise raised["error"]
        return Organisation("EX01")

    monkeypatch.setattr(cmdlets, "open_shell", open_shell)
    monkeypatch.setattr(cmdlets, "login_of", lambda connection: Login("admin@LAB.TEST", "secret"))
    monkeypatch.setattr(_action, "check_plugin", lambda connection: "winrm")
    return raised


def looked(run: Runner, variables: dict[str, Any] | None = None, **options: Any) -> Any:
    return run(mail_flow_info, host="ex01.example.com", more_vars=variables, **options)


@pytest.mark.parametrize(
    ("error", "variables", "words"),
    [
        (ExchangeTlsError("Exchange's cmdlets need the Python library pypsrp."), {}, "pypsrp"),
        (None, {"exchange_server": "10.0.0.9"}, "Kerberos knows servers by name only"),
        (None, {"exchange_auth": "ntlm"}, "exchange_auth is 'ntlm'"),
    ],
)
def test_exchange_that_cannot_be_asked(
    run: Runner,
    exchange: dict[str, ExchangeTlsError],
    error: ExchangeTlsError | None,
    variables: dict[str, Any],
    words: str,
) -> None:
    if error is not None:
        exchange["error"] = error
    assert words in looked(run, variables)["msg"]
    result = looked(run, variables, required=False)
    assert not result.get("failed")
    assert (result["asked"], result["changed"], result["findings"]) == (False, False, [])
    assert words in result["why_not"]


def test_exchange_2010(run: Runner, exchange: dict[str, ExchangeTlsError], windows: FakeWindows) -> None:
    windows.hive.drop(rf"{V15}\Setup")
    windows.hive.make(rf"{V15.replace('v15', 'v14')}\Setup")
    assert looked(run)["failed"] is True
    assert "2010" in looked(run, required=False)["why_not"]


def test_a_host_that_is_away_is_unreachable(
    run: Runner, exchange: dict[str, ExchangeTlsError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is another thing than an Exchange that cannot be asked."""

    def away(_self: Any, _options: Any) -> Any:
        raise Unreachable("There is no way to the host.")

    monkeypatch.setattr(_action.WindowsAction, "open_session", away)
    assert looked(run, required=False)["unreachable"] is True
