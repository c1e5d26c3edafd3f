# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters mailops.exchange_tls.tls_findings, tls_group and tls_text_table, for plays of people's own."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..plugin_utils._errors import OptionError
from ..plugin_utils._policy.expressions import Expression
from ..plugin_utils._report.text_table import table


def tls_findings(found: t.Any, matching: t.Any = None) -> list[dict[str, t.Any]]:
    """See tls_findings.yml."""
    try:
        expression = Expression(str(matching), "matching") if matching else None
        return [
            {"server": name, **item}
            for name, items in _by_server(found)
            for item in items
            if expression is None or expression.matches(item)
        ]
    except OptionError as exc:
        raise AnsibleFilterError(f"tls_findings: {exc.message}") from None
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise AnsibleFilterError(
            "tls_findings takes the result of a run, of tls_settings_info or of tls_settings, or a dictionary of these "
            f"by server: {type(exc).__name__}: {exc}"
        ) from None


def _by_server(found: t.Any) -> t.Iterator[tuple[str, t.Any]]:
    if "servers" in found and "schema" in found:
        for item in found["servers"]:
            yield str(item["name"]), item["findings"]
    elif "findings" in found:
        yield str((found.get("host") or {}).get("computer_name") or ""), found["findings"]
    else:
        for name, item in found.items():
            # a task that failed has none
            yield str(name), (item or {}).get("findings") or []


def tls_group(items: t.Any, by: t.Any) -> dict[str, list[t.Any]]:
    """See tls_group.yml."""
    try:
        groups: dict[str, list[t.Any]] = {}
        for item in items:
            value = item[by]
            groups.setdefault("" if value is None else str(value), []).append(item)
    except (KeyError, TypeError) as exc:
        raise AnsibleFilterError(
            f"tls_group takes a list of dictionaries and one of their keys: {type(exc).__name__}: {exc}"
        ) from None
    return groups


def tls_text_table(rows: t.Any, columns: t.Any) -> list[str]:
    """See tls_text_table.yml."""
    try:
        names = [str(name) for name in ([columns] if isinstance(columns, str) else columns)]
        return table(names, [[row.get(name) for name in names] for row in rows])
    except (AttributeError, TypeError) as exc:
        raise AnsibleFilterError(
            f"tls_text_table takes a list of dictionaries, and a list of their keys: {type(exc).__name__}: {exc}"
        ) from None


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tls_findings": tls_findings, "tls_group": tls_group, "tls_text_table": tls_text_table}
