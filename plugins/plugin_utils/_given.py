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

import contextlib
import datetime
import json
import re
import typing as t
from collections.abc import Mapping

import yaml

from ._text import NAME, visible
from ._yaml import ShallowLoader

Spec = t.Mapping[str, t.Any]

# Every number of an option has fewer digits; Python refuses to show one of 4300.
_LONGEST_NUMBER = 40
_WHOLE = re.compile(r"[+-]?[0-9]+(_[0-9]+)*(\.0*)?", re.ASCII)
_LARGEST_NUMBER = 2**64
# Far deeper than any option; what Python itself refuses depends on its version.
_DEEPEST = 50
_NULL = "tag:yaml.org,2002:null"
# Of what is no text ansible-core makes one; from a list a folder with brackets in its name would come.
_TEXTS = ("str", "path")


class NotGiven(ValueError):
    """The value is not what the option takes; the text goes on after the name of the option."""


def options(values: t.Mapping[t.Any, t.Any], spec: Spec, path: str = "") -> tuple[dict[t.Any, t.Any], list[str]]:
    """What was given, and what is wrong with it. Blank options are left out, so that their defaults count."""
    found: dict[t.Any, t.Any] = {}
    problems: list[str] = []
    other_names = {alias: name for name, option in spec.items() for alias in option.get("aliases", ())}
    for given, value in values.items():
        if is_blank(value):
            continue
        name = other_names.get(given, given)
        try:
            made = _value(value, spec.get(name) or {}, f"{path}{given}", problems)
        except NotGiven as exc:
            problems.append(f"'{path}{given}' {exc}")
            continue
        if made is not None and name in found:
            problems.append(f"'{path}{name}' is given twice, also by its other name")
        elif made is not None:
            found[name] = made
    return found, problems


def is_blank(value: t.Any) -> bool:
    """Whether nothing was given: null, or a text of blanks."""
    return value is None or (isinstance(value, str) and not value.strip())


def _value(value: t.Any, spec: Spec, path: str, problems: list[str]) -> t.Any:
    """The value as the argument spec takes it; None stands for one that was not given."""
    kind = spec.get("type")
    if _is_deep(value):
        raise NotGiven("is nested too deeply")
    if _is_huge(value):
        raise NotGiven("holds a number that is too large")
    if kind == "dict":
        value = _mapping(value, spec)
        if value is None or isinstance(value, str):
            return value
        if not isinstance(value, Mapping):
            # ansible-core stumbles over the options within it
            raise NotGiven(f"is {visible(repr(value), NAME)}, but it takes {_KINDS['dict']}")
        return _inner(value, spec, path, problems)
    if kind == "list" and spec.get("elements") == "dict":
        items = _mappings(value)
        return items and [
            _inner(item, spec, f"{path}[{number}]", problems) for number, item in enumerate(items, start=1)
        ]
    if isinstance(value, datetime.date):
        return value.isoformat()[:10]
    if kind == "list":
        return _items(_sequence(value), spec)
    if kind in ("int", "float"):
        return _number(value, whole=kind == "int")
    if kind in _TEXTS and _is_nest(value) and not spec.get("choices"):
        raise NotGiven(f"is {visible(repr(value), NAME)}, but it takes {_KINDS['str']}")
    return value.strip() if isinstance(value, str) and kind != "raw" else value


def _is_huge(value: t.Any) -> bool:
    if isinstance(value, (int, float)):
        return abs(value) > _LARGEST_NUMBER
    if isinstance(value, Mapping):
        return any(_is_huge(item) for pair in value.items() for item in pair)
    return isinstance(value, (list, tuple)) and any(map(_is_huge, value))


def _inner(value: t.Mapping[t.Any, t.Any], spec: Spec, path: str, problems: list[str]) -> t.Any:
    if not spec.get("options"):
        return value
    for name in value:
        if not isinstance(name, str):
            # ansible-core joins the names, and YAML takes 4 for a number
            shown = visible(repr(name), NAME)
            raise NotGiven(f"has the option {shown}, whose name is no text; write it in quotes, as it is documented")
    found, wrong = options(value, spec["options"], f"{path}.")
    problems += wrong
    return found


def _number(value: t.Any, *, whole: bool) -> t.Any:
    if isinstance(value, bool):
        # to Python a boolean is a number
        raise NotGiven(f"is {str(value).lower()}, but it is a number")
    text = value.strip() if isinstance(value, str) else ""
    if len(text) > _LONGEST_NUMBER:
        raise NotGiven("is a text that is too long for a number")
    if not whole:
        return text or value
    # every ansible-core converts in its own way: 2.16 takes no "60.0", later ones write 1e999999 out, digit by digit
    if _WHOLE.fullmatch(text):
        return int(text.partition(".")[0])
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, float) or text:
        raise NotGiven(f"is {visible(repr(value), NAME)}, but it takes {_KINDS['int']}")
    return value


def _mapping(value: t.Any, spec: Spec) -> t.Any:
    """A mapping, or text that is one in JSON or YAML; ``key=value`` is left to the argument spec."""
    if not isinstance(value, str) or ("=" in value and ":" not in value):
        return value
    loaded = _load(value)
    if loaded is not None and not isinstance(loaded, Mapping):
        inner = next(iter(spec.get("options") or ()), None)
        example = f"{{{inner}: ...}}" if inner else "{TLS 1.0: disabled}"
        raise NotGiven(f"is text that is no mapping. Write JSON or YAML, such as {example}")
    return loaded


def _mappings(value: t.Any) -> t.Sequence[t.Mapping[t.Any, t.Any]] | None:
    """A list of mappings, or text that is one in JSON or YAML; a mapping alone is one of them."""
    loaded = _load(value) if isinstance(value, str) else value
    if loaded is None:
        return None
    items = [loaded] if isinstance(loaded, Mapping) else loaded
    if not isinstance(items, (list, tuple)):
        raise NotGiven("is no list of mappings. Write JSON or YAML, such as [{match: ..., reason: ...}]")
    for number, item in enumerate(items, start=1):
        if not isinstance(item, Mapping):
            raise NotGiven(f"takes mappings, but number {number} of its list is {visible(repr(item), NAME)}")
    return items


def _sequence(value: t.Any) -> t.Any:
    """A list, or text that is one: JSON, YAML, or items that are parted by commas or lines."""
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith(("[", "- ", "-\n", "-\r", "---")):
        items = [item.strip() for item in re.split(r"[,\r\n]", value) if item.strip()]
        if not items:
            raise NotGiven("is text that names nothing")
        return None if items in (["~"], ["null"]) else items
    loaded = _load(value)
    if loaded is not None and not isinstance(loaded, list):
        raise NotGiven("is text that is no list. Write JSON or YAML, such as [smtp, https]")
    return loaded


def _items(value: t.Any, spec: Spec) -> t.Any:
    """The list as it is, where no list or mapping stands in the place of a text."""
    if spec.get("elements") in _TEXTS and isinstance(value, (list, tuple)):
        for number, item in enumerate(value, start=1):
            if _is_nest(item):
                raise NotGiven(f"takes text, but number {number} of its list is {visible(repr(item), NAME)}")
    return value


class _Loader(ShallowLoader):
    """What is no list, mapping or null stays the text that it is. There are no aliases: with them a short text could
    be a list without end."""

    deepest = _DEEPEST
    yaml_implicit_resolvers: t.ClassVar[dict[str, t.Any]] = {
        first: [item for item in resolvers if item[0] == _NULL]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: t.Any, index: t.Any) -> t.Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem="an alias is not taken here", problem_mark=mark)
        return super().compose_node(parent, index)


def _load(text: str) -> t.Any:
    try:
        loaded = _parsed(text)
        if _is_deep(loaded):
            raise RecursionError
        return loaded
    except RecursionError:
        why = ": it is nested too deeply"
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        why = f"{f' in line {mark.line + 1}' if mark else ''}: {exc.problem or exc.context}"
    except yaml.reader.ReaderError as exc:
        why = f": the character U+{exc.character:04X} is not allowed"
    except (ValueError, LookupError, AttributeError, OverflowError) as exc:
        # PyYAML takes for granted that what a tag or an escape stands on is of its kind
        why = f": {exc}"
    raise NotGiven(f"is text that is neither JSON nor YAML{visible(why, NAME * 2)}")


def _parsed(text: str) -> t.Any:
    with contextlib.suppress(ValueError):
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    # the loader makes less than the safe one
    return yaml.load(str(text), Loader=_Loader)  # noqa: S506


def _is_nest(value: t.Any) -> bool:
    return isinstance(value, (Mapping, list, tuple))


def _is_deep(value: t.Any) -> bool:
    """Whether the value is nested deeper than any option; level by level, so that depth costs no stack."""
    level = [value]
    for dummy in range(_DEEPEST):
        inner = [item.values() if isinstance(item, Mapping) else item for item in level if _is_nest(item)]
        level = [item for items in inner for item in items]
        if not level:
            return False
    return True


# How ansible-core ends the description of the type of an option within an option.
_FOUND_IN = re.compile(r" is of type .*? found in '(?P<above>[^']*)'\.? and we were", re.DOTALL)

# What ansible-core says of a value, and how people read it: the option by its path and in quotes, with what was given.
_SPOKEN = (
    (r"value of (?P<name>\S+) must be one of: (?P<more>.*), got: .*?(?: found in (?P<above>\S+(?: -> \S+)*))?\.?",
     "is {given}, and must be one of {more}"),
    (r"value of (?P<name>\S+) must be one or more of: (?P<more>.*)\. Got no match for: .*",
     "is {given}, and takes {more}"),
    (r"(?:argument|Elements value for option) '(?P<name>[^']*)' is of type .*? convert to (?P<kind>\w+): .*",
     "is {given}, but it takes {kind}"),
    (r"missing required arguments: (?P<name>[^ ]+(?:, [^ ]+)*)(?: found in (?P<above>.*))?", "{is_} missing"),
)  # fmt: skip
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "dict": "a mapping",
    "list": "a list",
    "str": "text",
}


def explained(errors: t.Iterable[str], values: t.Mapping[t.Any, t.Any]) -> list[str]:
    """The errors of ansible-core's validation of ``values``, in words for people."""
    return [_explained(error, values) for error in errors]


def _explained(error: str, values: t.Mapping[t.Any, t.Any]) -> str:
    for pattern, sentence in _SPOKEN:
        match = re.fullmatch(pattern, error, re.DOTALL)
        if match:
            found = match.groupdict()
            inside = _FOUND_IN.search(error)
            above = inside["above"] if inside else found.get("above")
            options = (found["name"] or "").split(", ")
            paths = [
                [name for name in (*(above or "").replace(" -> ", ".").split("."), item) if name] for item in options
            ]
            told = sentence.format(
                given=visible(repr(_at(values, paths[0])), NAME),
                more=found.get("more"),
                kind=_KINDS.get(found.get("kind") or ""),
                is_="is" if len(options) == 1 else "are",
            )
            named = " and ".join(repr(".".join(names)) for names in paths)
            return f"{named} {told}"
    return visible(error)


def _at(values: t.Any, path: t.Sequence[str]) -> t.Any:
    for name in path:
        values = values.get(name) if isinstance(values, Mapping) else None
    return values
