# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the faults of Exchange's endpoint mean, by their numbers and by their words, and what libraries raise."""

from __future__ import annotations

import ssl

import pytest
import requests
import urllib3
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    AccessDenied,
    HostBusy,
    LoginRefused,
    OptionError,
    UnexpectedAnswer,
    Unreachable,
    WsmanFault,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import shell
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.endpoint import Endpoint, Login, endpoint
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport import cmdlet_errors

exceptions = pytest.importorskip("pypsrp.exceptions")
PASSWORD = "Lab-Pass-3"
ENDPOINT = endpoint("ex01.example.com", Login("ann", "Lab-Pass-1"), {})


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        # who waits gets what is wanted: a server that was taken out would stay so otherwise
        *((code, "?", HostBusy) for code in (2150859173, 2150859174, 2150859175, 2150859176, 2150859179, 2150859236)),
        (1, "The load quota of 600 requests per 1 seconds has been exceeded.", HostBusy),
        (None, "You have exceeded the maximum number of connections allowed : 3", HostBusy),
        (None, "The user x isn't assigned to any management roles.", AccessDenied),
        (5, "Access is denied.", AccessDenied),
        (None, "Something else", WsmanFault),
    ],
)
def test_faults(code: int | None, said: str, kind: type[Exception]) -> None:
    fault = exceptions.WSManFaultError(code, "machine", said, None, None, None)
    assert type(cmdlet_errors.explained(fault, "Asking", ENDPOINT, shell.SessionLost)) is kind


def refused_by_urllib3() -> Exception:
    pool = urllib3.HTTPConnectionPool("ex01")
    reason = urllib3.exceptions.NewConnectionError(pool, "Connection refused")
    return requests.exceptions.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/", reason))


@pytest.mark.parametrize(
    ("exc", "kind", "words"),
    [
        (requests.exceptions.ConnectTimeout("slow"), Unreachable, "no connection within 30 seconds. Check that this"),
        (requests.exceptions.ReadTimeout("slow"), shell.SessionBroken, "did not answer in time"),
        (requests.exceptions.ProxyError("no way"), Unreachable, "the proxy failed: no way"),
        (
            requests.exceptions.SSLError(ssl.SSLEOFError(8, "EOF")),
            shell.SessionBroken,
            "the TLS connection failed: EOF",
        ),
        (requests.exceptions.SSLError("unknown CA"), Unreachable, "exchange_ca_cert"),
        (requests.exceptions.InvalidURL(f"a:{PASSWORD}@b"), OptionError, "cannot be used: a:********@b"),
        (requests.exceptions.ConnectionError("reset"), shell.SessionBroken, "the connection broke before"),
        (requests.exceptions.ChunkedEncodingError("half"), shell.SessionBroken, "broke before an answer came: half"),
        (
            requests.exceptions.ChunkedEncodingError(urllib3.exceptions.IncompleteRead(20, 1404)),
            shell.SessionBroken,
            "the connection broke before an answer came: IncompleteRead(20 bytes read, 1404 more expected).",
        ),
        (requests.exceptions.TooManyRedirects("30"), Unreachable, "again and again. Check exchange_server"),
        (exceptions.WinRMError("the related id does not match"), shell.SessionBroken, "belongs to another message"),
        (refused_by_urllib3(), Unreachable, "cannot connect"),
        (ValueError("Server responded with the auth protocol 'X'"), LoginRefused, "the server's own full name"),
        (exceptions.InvalidPSRPOperation("Broken"), shell.SessionBroken, "the session broke: Broken"),
        (exceptions.WinRMTransportError("http", 403, "<p>No</p>"), LoginRefused, "HTTP 403"),
        (exceptions.WinRMTransportError("http", 502, ""), HostBusy, "HTTP 502; Exchange's endpoint does not work"),
        (
            exceptions.WSManFaultError("w:AccessDenied", "", "No.", None, None, None),
            AccessDenied,
            "RemotePowerShellEnabled",
        ),
        (exceptions.WSManFaultError(1, "", "Odd.", None, None, None), WsmanFault, "Get-X on EX01: Odd."),
        (KeyError("RefId"), UnexpectedAnswer, "cannot be read: KeyError: 'RefId'"),
    ],
)
def test_what_the_libraries_raise(exc: Exception, kind: type[Exception], words: str) -> None:
    at = Endpoint("ex01.lab.test", 80, "http", "kerberos", user="a@LAB.TEST", password=PASSWORD)
    found = cmdlet_errors.explained(exc, "Get-X on EX01", at, shell.SessionBroken)
    assert found.__class__ is kind
    assert words in found.message
    assert found.message.startswith("Get-X on EX01: ")
