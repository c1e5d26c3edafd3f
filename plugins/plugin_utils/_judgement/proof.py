# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What handshakes prove of TLS 1.2 before old TLS goes off, and what they leave unproven. Pure."""

from __future__ import annotations

import typing as t

from .._schannel.protocols import TLS12
from .._text import NAME, visible
from .handshakes import NEVER, REQUIRED, WHEN_REACHABLE, accepted, endpoints

# What the second phase builds on is missing.
FIRST_PHASE = "Run enforce-tls12.yml first (it writes, restarts and verifies TLS 1.2), then try again."
_UNPROVEN_CURE = (
    "Name endpoints that the controller can reach (tls12_endpoints in the role, such as smtp://:25), and see that they "
    "accept TLS 1.2."
)
_NEVER_CURE = "Allow handshakes (tls12_handshakes: required in the role)."
# Endpoints that a message names; a run of many servers has one message for each.
_NAMED = 5

# What is not proven, and what to do about it.
Gap = tuple[str, str]


def missing(found: t.Mapping[str, t.Any] | None, policy: str | None) -> t.Iterator[Gap]:
    """What the handshakes leave to be wished for.

    ``policy``: ``when_reachable`` wants TLS 1.2 seen accepted at one endpoint at least, ``required`` at all of them and
    at least one; with ``never`` nothing can be proven. With None only a refusal that was seen counts. A refusal counts
    always.
    """
    seen = [(item, accepted(item)) for item in endpoints(found)]
    for endpoint, answer in seen:
        if answer is False:
            yield f"{visible(endpoint['endpoint'], NAME)} does not accept TLS 1.2", FIRST_PHASE
    answers = [answer for _endpoint, answer in seen]
    if policy == NEVER:
        yield "no handshake may be tried, so nothing shows that the server accepts TLS 1.2", _NEVER_CURE
    elif policy is not None and not seen:
        yield "no endpoint was tried, so nothing shows that the server accepts TLS 1.2", _UNPROVEN_CURE
    elif policy == REQUIRED or (policy == WHEN_REACHABLE and True not in answers):
        untold = [_untold(endpoint) for endpoint, answer in seen if answer not in (True, False)]
        if untold:
            yield f"nothing shows that TLS 1.2 is accepted by {_listed(untold)}", _UNPROVEN_CURE


def _untold(endpoint: t.Mapping[str, t.Any]) -> str:
    name = visible(endpoint["endpoint"], NAME)
    why = visible(endpoint.get("error") or (endpoint["versions"].get(TLS12) or {}).get("evidence") or "").rstrip(".")
    # the sentences of tls_handshake_info begin with the endpoint
    why = why.removeprefix(name).lstrip(": ")
    return f"{name} ({why})" if why else name


def _listed(items: t.Sequence[str]) -> str:
    more = len(items) - _NAMED
    return ", ".join(items[:_NAMED]) + (f" and {more} more" if more > 0 else "")
