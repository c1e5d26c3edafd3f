# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Results of handshakes: which endpoints accept a version, which did before, and how much of it is wanted. Pure."""

from __future__ import annotations

import typing as t

from .._errors import OptionError
from .._schannel.protocols import TLS12
from .._text import visible

# What is wanted of handshakes.
WHEN_REACHABLE, REQUIRED, NEVER = POLICIES = ("when_reachable", "required", "never")

Result = t.Mapping[str, t.Any]


def endpoints(found: Result | None) -> t.Sequence[Result]:
    """Those that were tried."""
    tried: t.Sequence[Result] = (found or {}).get("endpoints", ())
    return tried


def accepted(endpoint: Result, version: str = TLS12) -> bool | None:
    """Whether the endpoint was seen to accept the version; None where that is open."""
    answer: bool | None = (endpoint["versions"].get(version) or {}).get("accepted")
    return answer


def accepting(found: Result | None, version: str = TLS12) -> list[str]:
    return [str(item["endpoint"]) for item in endpoints(found) if accepted(item, version) is True]


def shown_ec(found: Result | None, version: str = TLS12) -> list[str]:
    """The endpoints that accepted the version and showed a certificate with an EC key."""
    return [
        str(item["endpoint"])
        for item in endpoints(found)
        if accepted(item, version) is True
        and str((item.get("certificate") or {}).get("key_type") or "").partition(" ")[0] == "EC"
    ]


def open_ones(found: Result | None, version: str = TLS12) -> list[str]:
    """The endpoints that have not told whether they accept the version."""
    return [str(item["endpoint"]) for item in endpoints(found) if accepted(item, version) is None]


def lost(before: Result | None, after: Result | None, version: str = TLS12) -> list[str]:
    """The endpoints that accepted the version and no longer do; one that cannot be tried now counts as lost."""
    has = accepting(after, version)
    return [endpoint for endpoint in accepting(before, version) if endpoint not in has]


def check_result(name: str, given: t.Any) -> None:
    """Raises :class:`OptionError` where an option is no result of handshakes."""
    try:
        for item in endpoints(given):
            item["endpoint"], accepted(item)
    except (AttributeError, KeyError, TypeError) as exc:
        raise OptionError(
            f"'{name}' is not a result of tls_handshake_info: {type(exc).__name__}: {visible(exc)}. Register one, and "
            "give it as it is."
        ) from None
