# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes of a server of the tests, and what is asked about the result."""

from __future__ import annotations

import collections.abc as c
import socket
import typing as t

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _handshake
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._report import EndpointReport
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._words import Answer, TlsVersion

from . import servers

S30, V10, V11, V12, V13 = TlsVersion
EVERY = list(TlsVersion)
SHORT = 0.4


def probe(
    port: int,
    scheme: str = "https",
    versions: c.Collection[TlsVersion] = tuple(EVERY),
    required: c.Collection[TlsVersion] = (),
    *,
    timeout: float = 5,
    sni: str | None = servers.NAME,
    address: str = "127.0.0.1",
) -> EndpointReport:
    endpoints = _handshake.parse_endpoints([f"{scheme}://:{port}"], address)
    return _handshake.probe_host(dict.fromkeys(endpoints, sni), versions, required, timeout)[0]


def serve(handler: servers.Handler, scheme: str = "https", **options: t.Any) -> EndpointReport:
    with servers.Server(handler) as server:
        return probe(server.port, scheme, **options)


def answers(found: EndpointReport) -> list[Answer]:
    return [version.answer for version in found.versions.values()]


def evidence(found: EndpointReport) -> set[str]:
    return {version.evidence for version in found.versions.values() if version.answer is not Answer.SKIPPED}


def accepted(found: EndpointReport) -> set[TlsVersion]:
    return {version for version, item in found.versions.items() if item.accepted}


def reset_after_hello(connected: socket.socket) -> None:
    servers.read_record(connected)
    servers.reset(connected)


def silent(connected: socket.socket) -> None:
    servers.wait_for_close(connected)
