# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchange as part of an audit: what is looked at, and what an unknown version leaves open."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.findings import Status
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import dword

from ..exchange.test_installed import host
from ..fakes import FakeWindows
from ..policies import audited, policy

SERVER_2022 = 20348


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("15.02.1748.010", Status.NOT_CONFIGURED),
        ("15.02.1544.039", Status.NOT_APPLICABLE),
        (None, Status.UNKNOWN),
    ],
)
def test_a_rule_for_a_version(version: str | None, status: Status) -> None:
    windows = host(version=version)
    windows.build = SERVER_2022
    if version is None:
        windows.hive.set(r"SOFTWARE\Microsoft\ExchangeServer\v15\Setup", "MsiBuildMajor", dword(0))
        windows.hive.drop(r"SOFTWARE\Microsoft\ExchangeServer\v15\Setup")
        windows.hive.make(r"SOFTWARE\Microsoft\ExchangeServer\v15\Setup")
    found = audited(windows, policy(baseline="exchange_tls13"))
    statuses = {item.status for item in found.findings if item.protocol == "TLS 1.3" and item.expected is not None}
    assert statuses == {status}
    if status is Status.UNKNOWN:
        assert not found.compliant
        assert not [write for write in found.plan().writes if "TLS 1.3" in write.setting.key]


@pytest.mark.parametrize("data", [0, 1])
def test_what_is_right_either_way_is_right(data: int) -> None:
    """TLS 1.3 is on already: whatever the version is, nothing is to be written."""
    windows = host(version=None)
    windows.build = SERVER_2022
    setup = r"SOFTWARE\Microsoft\ExchangeServer\v15\Setup"
    windows.hive.drop(setup)
    windows.hive.make(setup)
    key = r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.3\Server"
    windows.hive.make(key)
    windows.hive.set(key, "Enabled", dword(data))
    (item,) = [
        item
        for item in audited(windows, policy(baseline="exchange_tls13")).findings
        if item.setting.key.endswith(r"TLS 1.3\Server") and item.setting.name == "Enabled" and item.expected is not None
    ]
    assert item.status is (Status.COMPLIANT if data else Status.UNKNOWN)


def test_management_tools_are_no_exchange_to_a_rule() -> None:
    windows = host("AdminTools")
    windows.build = SERVER_2022
    found = audited(windows, policy(baseline="exchange_tls13"))
    statuses = {item.status for item in found.findings if item.protocol == "TLS 1.3" and item.expected is not None}
    assert statuses == {Status.NOT_APPLICABLE}


@pytest.mark.parametrize(
    ("baseline", "exchange", "looked"),
    [("exchange_tls12", False, False), ("exchange_tls13", False, True), ("exchange_tls12", True, True)],
)
def test_when_exchange_is_looked_for(baseline: str, exchange: bool, looked: bool) -> None:
    """A rule that asks for a version is enough."""
    windows = FakeWindows(build=SERVER_2022)
    found = audited(windows, policy(baseline=baseline), exchange=exchange)
    assert any("ExchangeServer" in call.key for call in windows.calls) is looked
    assert ("exchange" in found.as_result()) is exchange


def test_the_result_of_an_audit() -> None:
    found = audited(host(cluster="DAG1"), policy({"TLS 1.2": "enabled"}), exchange=True).as_result()
    assert found["exchange"]["name"] == "Exchange 2019 CU15 Oct25SU"
    assert found["exchange"]["dag"]["name"] == "DAG1"
    assert found["exchange"]["updates"]["days"] is None
    assert "services" not in found["exchange"], "an audit of many servers keeps what is small"
    assert found["overview"]["install"] is None
