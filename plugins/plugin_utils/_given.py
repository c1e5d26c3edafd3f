# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Options as people and surveys hand them over, brought into the form that an argument spec checks. Pure.

AWX knows text and numbers only: a blank stands for "not given", and a list or a mapping comes as JSON or YAML text.
ansible-core 2.19 and later read the text of a survey once more as YAML, so that a blank arrives as null and a date as
a date.
"""

from __future__ import annotations

import datetime
import re
import typing as t

import yaml

from ._text import NAME, visible

Spec = t.Mapping[str, t.Any]


class NotGiven(ValueError):
    """The value is not what the option takes; the text goes on after the name of the option."""


def options(values: t.Mapping[t.Any, t.Any], spec: Spec, path: str = "") -> tuple[dict[t.Any, t.Any], list[str]]:
    """What was given, and what is wrong with it. Blank options are left out, so that their defaults count."""
    found: dict[t.Any, t.Any] = {}
    problems: list[str] = []
    for name, value in values.items():
        if is_blank(value):
            continue
        try:
            found[name] = _value(value, spec.get(name) or {}, f"{path}{name}", problems)
        except NotGiven as exc:
            problems.append(f"'{path}{name}' {exc}")
    return found, problems


def is_blank(value: t.Any) -> bool:
    """Whether nothing was given: null, or a text of blanks."""
    return value is None or (isinstance(value, str) and not value.strip())


def _value(value: t.Any, spec: Spec, path: str, problems: list[str]) -> t.Any:
    kind = spec.get("type")
    if kind == "dict":
        value = _mapping(value)
        return _inner(value, spec, path, problems) if isinstance(value, t.Mapping) else value
    if kind == "list":
        value = _sequence(value)
        if spec.get("elements") != "dict" or not isinstance(value, t.Sequence) or isinstance(value, str):
            return value
        return [
            _inner(item, spec, f"{path}[{number}]", problems) if isinstance(item, t.Mapping) else item
            for number, item in enumerate(value, start=1)
        ]
    if isinstance(value, datetime.date):
        return value.isoformat()[:10]
    if isinstance(value, bool) and kind in ("int", "float"):
        # to Python a boolean is a number
        raise NotGiven(f"is {str(value).lower()}, but it is a number")
    return value.strip() if isinstance(value, str) and kind != "raw" else value


def _inner(value: t.Mapping[t.Any, t.Any], spec: Spec, path: str, problems: list[str]) -> t.Any:
    if not spec.get("options"):
        return value
    found, wrong = options(value, spec["options"], f"{path}.")
    problems += wrong
    return found


def _mapping(value: t.Any) -> t.Any:
    """A mapping, or text that is one in JSON or YAML; ``key=value`` is left to the argument spec."""
    if not isinstance(value, str) or ("=" in value and ":" not in value):
        return value
    loaded = _load(value)
    if loaded is None:
        return {}
    if not isinstance(loaded, t.Mapping):
        raise NotGiven("is text that is no mapping. Write JSON or YAML, such as {TLS 1.0: disabled}")
    return loaded


def _sequence(value: t.Any) -> t.Any:
    """A list, or text that is one: JSON, YAML, or one item a line; commas are left to the argument spec."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith(("[", "- ", "-\n", "---")):
        loaded = _load(text)
        if loaded is not None and not isinstance(loaded, list):
            raise NotGiven("is text that is no list. Write JSON or YAML, such as [smtp, https]")
        return loaded or []
    if "\n" in text:
        return [line.strip() for line in text.splitlines() if line.strip()]
    return text


def _load(text: str) -> t.Any:
    try:
        return yaml.safe_load(str(text))
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        why = getattr(exc, "problem", None) or type(exc).__name__
        raise NotGiven(f"is text that is neither JSON nor YAML{where}: {why}") from None


# How ansible-core ends the description of the type of an option within an option.
_FOUND_IN = re.compile(r" is of type .*? found in '(?P<above>[^']*)'\.? and we were", re.DOTALL)

# What ansible-core says of a value, and how people read it: the option by its path and in quotes, with what was given.
_SPOKEN = (
    (r"value of (?P<name>\S+) must be one of: (?P<more>.*), got: .*?(?: found in (?P<above>\S+))?\.?",
     "is {given}, and must be one of {more}"),
    (r"value of (?P<name>\S+) must be one or more of: (?P<more>.*)\. Got no match for: .*",
     "is {given}, and takes {more}"),
    (r"(?:argument|Elements value for option) '(?P<name>[^']*)' is of type .*? "
     r"and we were unable to convert to (?P<kind>\w+): .*", "is {given}, but it takes {kind}"),
    (r"missing required arguments: (?P<name>[^ ]+)(?: found in (?P<above>.*))?", "is missing"),
)  # fmt: skip
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "dict": "a mapping",
    "list": "a list",
    "str": "text",
}
# ansible-core says of elements what is wrong with them twice, once without their name.
_NAMELESS = "dictionary requested, could not parse JSON or key=value"


def explained(errors: t.Iterable[str], values: t.Mapping[t.Any, t.Any]) -> list[str]:
    """The errors of ansible-core's validation of ``values``, in words for people."""
    return [_explained(error, values) for error in errors if error != _NAMELESS]


def _explained(error: str, values: t.Mapping[t.Any, t.Any]) -> str:
    for pattern, sentence in _SPOKEN:
        match = re.fullmatch(pattern, error, re.DOTALL)
        if match:
            found = match.groupdict()
            inside = _FOUND_IN.search(error)
            above = inside["above"] if inside else found.get("above")
            path = [*(above or "").replace(" -> ", ".").split("."), found["name"]]
            names = [name for name in path if name]
            given = visible(repr(_at(values, names)), NAME)
            told = sentence.format(given=given, more=found.get("more"), kind=_KINDS.get(found.get("kind") or ""))
            return f"'{'.'.join(names)}' {told}"
    return error


def _at(values: t.Any, path: t.Sequence[str]) -> t.Any:
    for name in path:
        values = values.get(name) if isinstance(values, t.Mapping) else None
    return values
