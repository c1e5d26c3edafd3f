# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What result.json holds, as a table for the guide on reports, from its JSON Schema."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from plugins.plugin_utils._report.schema import schema

from .parts import Part, list_table

# What is described once, and named where it comes again.
ONCE: t.Final = ("value", "finding", "change", "protocols", "endpoints", "flow")
_WIDTHS = (34, 14, 52)


def rows() -> Iterator[tuple[str, str, str]]:
    """Each key with its type and what it is: first of the whole, then of what comes in several places."""
    yield from _below(schema(), "")
    for name in ONCE:
        definition = schema()["$defs"][name]
        yield f"*{name}*", _type(definition), definition.get("description", "")
        yield from _below(definition, name)


def _below(rule: dict[str, t.Any], place: str) -> Iterator[tuple[str, str, str]]:
    for name, item in rule.get("properties", {}).items():
        yield from _row(item, f"{place}.{name}" if place else name)
    for key, sign in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(rule.get(key), dict):
            yield from _below(_resolved(rule[key])[1], f"{place}{sign}")


def _row(rule: dict[str, t.Any], place: str) -> Iterator[tuple[str, str, str]]:
    name, item = _resolved(rule)
    what = rule.get("description") or item.get("description", "")
    of = _resolved(item["items"])[0] if isinstance(item.get("items"), dict) else None
    told = name if name in ONCE else of if of in ONCE else None
    if told is None:
        yield f"``{place}``", _type(item), what
        yield from _below(item, place)
    else:
        yield f"``{place}``", f"*{told}*" if told == name else f"list of *{told}*", what


def _resolved(rule: dict[str, t.Any]) -> tuple[str | None, dict[str, t.Any]]:
    """The name of what a rule refers to, if it does, and the rule that holds."""
    if "$ref" not in rule:
        return None, rule
    name = rule["$ref"].rpartition("/")[2]
    return name, schema()["$defs"][name]


def _type(rule: dict[str, t.Any]) -> str:
    if "const" in rule:
        return f"``{rule['const']}``"
    if "enum" in rule:
        return ", ".join(f"``{word}``" if word is not None else "null" for word in rule["enum"])
    types = [rule["type"]] if isinstance(rule.get("type"), str) else rule.get("type", ["anything"])
    return " or ".join(f"list of {_type(_resolved(rule['items'])[1])}" if kind == "array" else kind for kind in types)


def table() -> str:
    return list_table(_WIDTHS, [("key", "type", "what"), *rows()])


PART = Part("guide_reports", table)
