# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The findings of a result as CSV, one row a server and setting, safe for spreadsheets. Pure."""

from __future__ import annotations

import csv
import io
import typing as t

from .._text import visible
from .values import shown

COLUMNS = (
    "server", "state", "status", "severity", "id", "title", "protocol", "side", "key", "value", "actual", "expected",
    "would_write", "waiver", "message",
)  # fmt: skip
_LONGEST = 1000
# What a spreadsheet takes for the beginning of a formula; it passes over blanks before, and knows the wide forms too.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Spreadsheets take a file without it for one in their own old encoding.
_MARK = "\ufeff"


def as_csv(result: t.Mapping[str, t.Any]) -> str:
    """The file. A server without findings has one row, with what ended it; one that nobody came to as well."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows(result):
        writer.writerow([_safe(row.get(column)) for column in COLUMNS])
    return _MARK + file.getvalue()


def rows(result: t.Mapping[str, t.Any]) -> t.Iterator[dict[str, t.Any]]:
    for server in result["servers"]:
        head = {"server": server["name"], "state": server["state"]}
        for finding in server["findings"]:
            values = {name: shown(finding.get(name)) for name in ("actual", "expected", "would_write")}
            yield {**finding, **values, **head}
        if not server["findings"]:
            yield {**head, "message": server["error"] or server["verdict"]}
    for name in result["not_touched"]:
        yield {"server": name, "state": "not touched"}


def _safe(value: t.Any) -> str:
    text = visible("" if value is None else value, _LONGEST)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
