# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""TLS handshakes from the controller: which protocol versions does a server really accept?

:func:`probe_host` does all of it. The parts: :mod:`._endpoint` (what to try), :mod:`._dialogue` (up to STARTTLS),
:mod:`._hello` and :mod:`._flight` (our own ClientHello and the answer to it), :mod:`._full` (a complete handshake),
:mod:`._runner` (threads and deadlines), :mod:`._report` (the verdict).
"""

from __future__ import annotations

import collections.abc as c

from ._certificate import CertificateFacts, read_certificate
from ._endpoint import Endpoint, own_server_name, parse_endpoints, parse_server_name
from ._report import INCONCLUSIVE, VERIFIED, EndpointReport, as_result, overview, report
from ._runner import run_probes
from ._wire import Target
from ._words import TlsVersion

__all__ = [
    "INCONCLUSIVE",
    "VERIFIED",
    "CertificateFacts",
    "Endpoint",
    "EndpointReport",
    "TlsVersion",
    "as_result",
    "overview",
    "own_server_name",
    "parse_endpoints",
    "parse_server_name",
    "probe_host",
    "read_certificate",
]


def probe_host(
    endpoints: c.Mapping[Endpoint, str | None],
    versions: c.Collection[TlsVersion],
    required: c.Collection[TlsVersion],
    timeout: float,
) -> list[EndpointReport]:
    """Tries each version on each endpoint and judges what came back.

    ``endpoints`` maps each endpoint to its name for SNI, or None for no SNI. Versions in ``required`` are tried even
    where ``versions`` leaves them out, and with a full handshake as well. ``timeout``: seconds for one connection.
    What servers and networks do is never an exception: it is in the reports.
    """
    targets = [Target(endpoint, sni, timeout) for endpoint, sni in endpoints.items()]
    found = run_probes(targets, versions, required, timeout)
    return [report(target.endpoint, target.sni, probes, timeout) for target, probes in zip(targets, found, strict=True)]
