# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters mailops.exchange_tls.tls_merge_results and mailops.exchange_tls.tls_compare_results."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..plugin_utils._report import comparing, merging, schema


def tls_merge_results(results: t.Any) -> dict[str, t.Any]:
    """See tls_merge_results.yml."""
    if not isinstance(results, (list, tuple)) or not results:
        raise AnsibleFilterError("tls_merge_results takes a list of results of runs, one at least.")
    return merging.merge([_result("tls_merge_results", item) for item in results])


def tls_compare_results(earlier: t.Any, later: t.Any) -> dict[str, t.Any]:
    """See tls_compare_results.yml."""
    return comparing.compare(*(_result("tls_compare_results", item) for item in (earlier, later)))


def _result(name: str, found: t.Any) -> dict[str, t.Any]:
    if problems := schema.problems(found):
        raise AnsibleFilterError(f"{name} takes results of runs (result.json): {'; '.join(problems)}.")
    return t.cast("dict[str, t.Any]", found)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tls_merge_results": tls_merge_results, "tls_compare_results": tls_compare_results}
