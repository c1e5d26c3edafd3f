# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.exchange_tls.tls_verdict."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean

from ..plugin_utils._judgement import verdicts


def tls_verdict(settings: t.Any, handshakes: t.Any = None, **wishes: t.Any) -> dict[str, t.Any] | None:
    """See tls_verdict.yml."""
    # ansible-core 2.16 evaluates variables of a template that it does not need in the end
    if settings is None or (isinstance(settings, Mapping) and "findings" not in settings):
        return None
    try:
        # from -e and from surveys booleans come as words
        flags: dict[str, t.Any] = {
            name: boolean(wishes[name]) for name in ("judge_policy", "allow_pending") if name in wishes
        }
        found = verdicts.verdict(settings, handshakes, **{**wishes, **flags})
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise AnsibleFilterError(
            "tls_verdict takes the result of tls_settings_info, then that of tls_handshake_info or null, then the "
            f"options handshake_policy, judge_policy and allow_pending: {type(exc).__name__}: {exc}"
        ) from None
    return found.as_result()


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tls_verdict": tls_verdict}
