# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.exchange_tls.tls_lost."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..plugin_utils._judgement import handshakes


def tls_lost(before: t.Any, after: t.Any, version: str = "TLS 1.2") -> list[str]:
    """See tls_lost.yml."""
    try:
        return handshakes.lost(before, after, version)
    except (AttributeError, KeyError, TypeError) as exc:
        raise AnsibleFilterError(
            f"tls_lost takes two results of tls_handshake_info, or null: {type(exc).__name__}: {exc}"
        ) from None


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tls_lost": tls_lost}
