# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Whether something is a result of a run, and what is wrong where it is none. Reads our own schema only. Pure.

It knows the words that ``_data/result_schema.json`` uses, as no library for schemas comes with ansible-core.
"""

from __future__ import annotations

import functools
import json
import pathlib
import typing as t
from collections.abc import Mapping

from .._text import NAME, visible
from .result import SCHEMA, SCHEMA_VERSION

FILE = pathlib.Path(__file__).parent / "_data" / "result_schema.json"
# Of several mistakes, so many are told.
_MOST = 3
_TYPES: t.Mapping[str, t.Any] = {
    "object": t.Mapping,
    "array": (list, tuple),
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


@functools.cache
def schema() -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", json.loads(FILE.read_text(encoding="utf-8")))


def problems(found: t.Any) -> list[str]:
    """What keeps it from being a result, in sentences without an end; empty where it is one."""
    if not isinstance(found, Mapping) or found.get("schema") != SCHEMA:
        return [f"it is no result of a run: 'schema' is not {SCHEMA!r}"]
    version = found.get("schema_version")
    if version != SCHEMA_VERSION:
        told = visible(repr(version), NAME)
        return [f"its 'schema_version' is {told}, and this version of the collection reads {SCHEMA_VERSION}"]
    told_all = _mistakes(found, schema(), "")
    return [line for line, _number in zip(told_all, range(_MOST), strict=False)]


def _mistakes(value: t.Any, rule: t.Mapping[str, t.Any], place: str) -> t.Iterator[str]:
    if "$ref" in rule:
        yield from _mistakes(value, schema()["$defs"][rule["$ref"].rpartition("/")[2]], place)
        return
    where = f"'{visible(place, 2 * NAME)}'"
    allowed = rule["enum"] if "enum" in rule else [rule["const"]] if "const" in rule else None
    if allowed is not None and value not in allowed:
        yield f"{where} is {visible(repr(value), NAME)}, and must be one of {', '.join(map(str, allowed))}"
        return
    types = [rule["type"]] if isinstance(rule.get("type"), str) else rule.get("type")
    if types and not any(_is(value, name) for name in types):
        yield f"{where} is {visible(repr(value), NAME)}, and must be of the type {' or '.join(types)}"
        return
    if isinstance(value, Mapping):
        yield from _in_object(value, rule, place)
    elif isinstance(value, (list, tuple)) and "items" in rule:
        for number, item in enumerate(value):
            yield from _mistakes(item, rule["items"], f"{place}[{number}]")


def _in_object(value: t.Mapping[str, t.Any], rule: t.Mapping[str, t.Any], place: str) -> t.Iterator[str]:
    below = f"{place}." if place else ""
    for name in rule.get("required", ()):
        if name not in value:
            yield f"'{visible(below, 2 * NAME)}{name}' is missing"
    known, others = rule.get("properties", {}), rule.get("additionalProperties")
    for name, item in value.items():
        if found := known.get(name, others):
            yield from _mistakes(item, found, f"{below}{name}")


def _is(value: t.Any, name: str) -> bool:
    # to Python, True is an integer
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
