# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the faults of Exchange's endpoint mean, by their numbers and by their words."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import AccessDenied, HostBusy, WsmanFault
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import shell
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.endpoint import Login, endpoint
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport import cmdlet_errors

exceptions = pytest.importorskip("pypsrp.exceptions")
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
