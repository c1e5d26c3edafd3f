# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Registry values as they are written in results, in words. Pure."""

from __future__ import annotations

import typing as t

from .._text import visible

_LONGEST = 200


def shown(value: t.Mapping[str, t.Any] | None) -> str:
    """``1`` for a REG_DWORD, ``absent``, or the type with the data; empty where there is nothing to say."""
    if not value:
        return ""
    if value.get("present") is None:
        return "not read"
    if not value["present"]:
        return "absent"
    kind, data = value.get("type"), value.get("data")
    return str(data) if kind == "REG_DWORD" else visible(f"{kind} {data!r}", _LONGEST)
