# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.exchange_tls.tls_summary."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean

from ..plugin_utils import _summary


def tls_summary(steps: t.Any, check_mode: t.Any = False) -> list[str]:
    """See tls_summary.yml."""
    try:
        made = {name: step for name, step in steps.items() if step}
        return _summary.summary(**made, check_mode=boolean(check_mode))
    except (AttributeError, KeyError, TypeError) as exc:
        raise AnsibleFilterError(
            "tls_summary takes a dictionary with the results of steps (audit, change, reboot, after, verdict): "
            f"{type(exc).__name__}: {exc}"
        ) from None


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tls_summary": tls_summary}
