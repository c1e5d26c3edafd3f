# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.exchange_tls.tls_summary."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleFilterError

from ..plugin_utils._lines import lines


def tls_summary(steps: t.Any, check_mode: t.Any = False) -> list[str]:
    """See tls_summary.yml."""
    try:
        made = {name: step for name, step in steps.items() if step}
        if "after" in made:
            # the names of the steps before version 1.0.0
            made["verify"] = {**made.pop("after"), "verdict": made.pop("verdict", None)}
    except (AttributeError, TypeError, ValueError) as exc:
        raise AnsibleFilterError(f"tls_summary takes a dictionary with the results of steps: {exc}") from None
    host = next((step["host"]["computer_name"] for step in made.values() if _has_name(step)), "the host")
    return lines({str(host): made}, check_mode, one_run=True)


def _has_name(step: t.Any) -> bool:
    return isinstance(step, Mapping) and isinstance(step.get("host"), Mapping) and "computer_name" in step["host"]


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tls_summary": tls_summary}
