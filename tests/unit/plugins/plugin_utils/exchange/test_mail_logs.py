# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which log tells why mail waits, and whether it is written."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.records import Enum, Record
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.shell import CmdletNotFound

from .organisation import queue
from .test_mail import GUID, found, send

OTHER = GUID.replace("01", "09")
TURNS_ON = "-ProtocolLoggingLevel Verbose turns it on."


@pytest.mark.parametrize(
    ("connector", "waiting", "level", "words"),
    [
        ({}, {}, None, r"of connector 'Joe's relay' in D:\Send, which is written."),
        (
            {"ProtocolLoggingLevel": Enum("None", 0)},
            {},
            None,
            rf"in D:\Send, which is not written; Set-SendConnector 'Joe''s relay' {TURNS_ON}",
        ),
        ({"ProtocolLoggingLevel": None}, {}, None, r"in D:\Send; whether it is written Exchange does not tell."),
        # the connector of a front end is another one
        ({"FrontendProxyEnabled": True}, {}, None, r"SmtpSend; whether it is written Exchange does not tell."),
        # no connector that is known
        (
            {"Guid": GUID},
            {"DeliveryType": Enum("DnsConnectorDelivery", 1)},
            "Verbose",
            r"log in D:\Send; whether it is written Exchange does not tell.",
        ),
        # between servers
        ({}, {"NextHopConnector": None}, "Verbose", r"the protocol log in D:\Send, which is written."),
        (
            {},
            {"NextHopConnector": None},
            "None",
            f"which is not written; Set-TransportService 'EX01.example.com' -IntraOrgConnector{TURNS_ON[1:]}",
        ),
        ({}, {"NextHopConnector": None}, None, "whether it is written Exchange does not tell."),
        (
            {},
            {"NextHopConnector": None, "DeliveryType": Enum("DnsConnectorDelivery", 1)},
            "None",
            "whether it is written Exchange does not tell.",
        ),
    ],
)
def test_whether_the_log_that_tells_is_written(
    connector: dict[str, Any], waiting: dict[str, Any], level: str | None, words: str
) -> None:
    """Of any connector, and not of those to Exchange Online alone."""
    relay = {"CloudServicesMailEnabled": False, "SmartHosts": [Record("relay.example")], "Guid": OTHER}
    error = "421 4.4.2 Connection dropped due to SocketError"
    more = {"NextHopDomain": "hub", "NextHopConnector": OTHER, "LastError": error, **waiting}
    folders = {"SendProtocolLogPath": r"D:\Send", "IntraOrgConnectorProtocolLoggingLevel": level and Enum(level, 0)}
    (finding,) = found(
        Queue=[queue("3", 1, "SmtpRelayWithinAdSite", **more)],
        SendConnector=[send(**{**relay, "Identity": Record("Joe's relay"), **connector})],
        TransportService=[Record(None, (), folders)],
    )
    assert finding.message.endswith(words)


def test_the_cmdlet_for_logs_between_servers_had_another_name() -> None:
    error = "421 4.4.2 Connection dropped due to SocketError"
    (finding,) = found(
        Queue=[queue("3", 1, "SmtpRelayWithinAdSite", LastError=error)],
        TransportService=CmdletNotFound("no such cmdlet"),
        TransportServer=[Record(None, (), {"IntraOrgConnectorProtocolLoggingLevel": Enum("None", 0)})],
    )
    assert "; Set-TransportServer 'EX01.example.com' -IntraOrg" in finding.message


@pytest.mark.parametrize("error", ["", " ", "[{LED=};{MSG=};{FQDN=};{IP=};{LRT=}]"])
def test_mail_that_waits_without_an_error_is_on_its_way(error: str) -> None:
    assert found(Queue=[queue("3", 1, LastError=error)]) == []


def test_what_is_in_no_log_is_looked_for_elsewhere() -> None:
    error = "454 4.7.5 The certificate specified in TlsCertificateName of the SendConnector could not be found."
    (finding,) = found(Queue=[queue("3", 1, NextHopConnector=GUID, LastError=error)])
    assert "What tells: Get-SendConnector (TlsCertificateName) and Get-ExchangeCertificate" in finding.message
    assert "protocol log" not in finding.message
