# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.exchange_tls.tls_fleet."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..plugin_utils._report import fleet


def tls_fleet(results: t.Any) -> dict[str, t.Any]:
    """See tls_fleet.yml."""
    try:
        return fleet.compare(results)
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise AnsibleFilterError(
            f"tls_fleet takes a dictionary of results of tls_settings_info by host: {type(exc).__name__}: {exc}"
        ) from None


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tls_fleet": tls_fleet}
