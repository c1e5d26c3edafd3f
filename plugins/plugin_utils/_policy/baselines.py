# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Baselines: policies in YAML files, those of this collection and those of users. A mistake is told with its line.

What a file and its rules hold is in the guide on baselines (docs/docsite/rst/guide_baselines.rst).
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import io
import os
import pathlib
import re
import typing as t

import yaml

from .._errors import OptionError
from .._schannel.names import fold
from .._schannel.protocols import PROTOCOLS, PROTOCOLS_KEY, SIDES, WHY_TLS12_STAYS
from .._schannel.snapshot import Setting
from .._schannel.values import Type, Value, show
from .._text import NAME, visible
from .._yaml import ShallowLoader
from . import subjects as known_subjects
from .rules import SEVERITIES, Applies, Desired, Match, Rule

# Patterns stand in modules: Ansible forks its workers after these are imported, and compiling takes long.
_IDENTITY = re.compile(r"[a-z0-9_.]+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# The loader of libyaml, where PyYAML has it, for our own files: its messages say less, and it recurses in C.
_QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(ShallowLoader):
    # more than a list in a mapping in a list in a mapping
    deepest = 20


FOLDER = pathlib.Path(__file__).parent / "_baselines_data"
NONE = "none"
_LARGEST = 10**9


@dataclasses.dataclass(frozen=True)
class Baseline:
    """A policy with a name."""

    id: str
    title: str
    rules: tuple[Rule, ...]


class _Bad(Exception):
    """A mistake in the file, with the line it is on."""

    def __init__(self, place: yaml.Node | int, reason: str) -> None:
        line = place if isinstance(place, int) else place.start_mark.line + 1
        super().__init__(f"line {line}: {reason}")


@functools.cache
def names() -> tuple[str, ...]:
    """The baselines that come with the collection."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yml")))


def read(path: str) -> bytes:
    """What is in a file. Raises OSError, and ValueError for what can be no path."""
    return pathlib.Path(os.path.expanduser(path)).read_bytes()


def load(wanted: str, read_own: t.Callable[[str], bytes] = read) -> Baseline:
    """A baseline by name, or from a file where the word looks like a path, which ``read_own`` reads. Raises
    :class:`OptionError`."""
    is_path = "/" in wanted or wanted.endswith((".yml", ".yaml"))
    if not is_path and wanted not in names():
        raise OptionError(
            f"'baseline': there is no baseline named {wanted!r}; there are {', '.join(names())} and {NONE}. A file "
            "of your own is named by its path, with a slash or with .yml at the end."
        )
    try:
        text = (read_own(wanted) if is_path else read(str(FOLDER / f"{wanted}.yml"))).decode("utf-8")
    except OSError as exc:
        raise OptionError(f"Cannot read the baseline {wanted!r} on the controller: {exc.strerror}.") from None
    except ValueError as exc:
        reason = "it is not UTF-8 text" if isinstance(exc, UnicodeDecodeError) else "no file can have this name"
        raise OptionError(f"Cannot read the baseline {wanted!r} on the controller: {reason}.") from None
    try:
        # lines as in a text file, whoever has written it
        return parse(io.StringIO(text, newline=None).getvalue(), _Loader if is_path else _QUICK)
    except _Bad as exc:
        raise OptionError(f"The baseline {wanted!r} is refused: {exc}.") from None


@functools.lru_cache(maxsize=16)
def parse(text: str, loader: t.Any = _Loader) -> Baseline:
    """The baseline that a file's text holds."""
    try:
        root = yaml.compose(text, Loader=loader)
    except yaml.reader.ReaderError as exc:
        line = text.count("\n", 0, exc.position) + 1
        raise _Bad(line, f"the character {chr(exc.character)!r} is not allowed in YAML") from None
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        raise _Bad(mark.line + 1 if mark else 1, f"it is not YAML: {exc.problem or exc.context}") from None
    except RecursionError:
        raise _Bad(1, "it is nested too deeply") from None
    except (ValueError, OverflowError) as exc:
        # of a number in an escape or a directive, which PyYAML takes for granted
        raise _Bad(1, f"it is not YAML: {visible(exc, NAME)}") from None
    if root is None:
        raise _Bad(1, "it is empty")
    top = _mapping(root, {"id", "title", "rules"}, set())
    listed = top["rules"]
    if not isinstance(listed, yaml.SequenceNode) or not listed.value:
        raise _Bad(listed, "'rules' must be a list with at least one rule")
    rules: list[Rule] = []
    ids: dict[str, int] = {}
    asked: dict[Setting, str] = {}
    for node in listed.value:
        for rule in _rules(node):
            if rule.id in ids:
                raise _Bad(node, f"the id of a rule is its own; {rule.id} is in line {ids[rule.id]} already")
            if rule.setting in asked:
                place = show(rule.setting.key, rule.setting.name)
                raise _Bad(node, f"{rule.id} asks for {place}, for which {asked[rule.setting]} asks already")
            ids[rule.id] = node.start_mark.line + 1
            asked[rule.setting] = rule.id
            rules.append(rule)
    return Baseline(_text(top["id"]), _text(top["title"]), tuple(rules))


# --- one rule --------------------------------------------------------------------------------------------------------

ALWAYS = {"id", "title", "severity", "why", "source", "version", "date"}
SUBJECTS = {"protocol", "dotnet", "winhttp", "renegotiation", "cipher", "hash", "key_exchange", "registry"}
OPTIONAL = {"state", "side", "exact", "windows", "exchange", "only_where_on"}


def _rules(node: yaml.Node) -> t.Iterator[Rule]:
    given = _mapping(node, ALWAYS, SUBJECTS | OPTIONAL)
    about = [name for name in given if name in SUBJECTS]
    if len(about) != 1:
        raise _Bad(
            node, f"a rule is about exactly one of {', '.join(sorted(SUBJECTS))}; this one has {about or 'none'}"
        )
    identity = _text(given["id"])
    if not _IDENTITY.fullmatch(identity):
        raise _Bad(given["id"], "'id' is made of small letters, digits, dots and underscores")
    severity = _one_of(given["severity"], SEVERITIES)
    version = _text(given["version"])
    date = _date(given["date"])
    common = {
        "title": _text(given["title"]),
        "severity": severity,
        "why": _text(given["why"]),
        "source": f"{_text(given['source'])} ({version}, {date})",
    }
    limits = _applies(given)
    if about == ["registry"]:
        for unwanted in ("state", "side", "exact", "only_where_on"):
            if unwanted in given:
                raise _Bad(given[unwanted], f"{unwanted!r} does not go with 'registry'; use 'match' in it")
        setting, desired = _registry(given["registry"])
        yield Rule(id=identity, setting=setting, desired=desired, applies=limits, only_where_on=False, **common)
        return
    if "state" not in given:
        raise _Bad(node, "'state' is missing")
    subjects = _about(about[0], given)
    exact = "exact" in given and _boolean(given["exact"])
    only_where_on = "only_where_on" in given and _boolean(given["only_where_on"])
    if only_where_on and (about != ["protocol"] or _text(given["state"]) != "disabled"):
        raise _Bad(given["only_where_on"], "'only_where_on' goes with 'protocol' and 'state: disabled' only")
    for part, subject in subjects:
        state = _one_of(given["state"], tuple(subject.states))
        if known_subjects.must_not_be(subject, state):
            raise _Bad(given["state"], f"TLS 1.2 cannot be disabled: {WHY_TLS12_STAYS}")
        for item in subject.states[state]:
            yield Rule(
                id=".".join(filter(None, (identity, part, item.name))),
                setting=item.setting,
                desired=dataclasses.replace(item.desired, match=Match.EXACT) if exact else item.desired,
                protocol=subject.protocol,
                side=subject.side,
                state=state,
                applies=_narrower(subject.applies, limits),
                only_where_on=only_where_on,
                **common,
            )


def _about(kind: str, given: t.Mapping[str, yaml.Node]) -> list[tuple[str, known_subjects.Subject]]:
    """The subjects of a rule, each with its part of the rule ids."""
    node = given[kind]
    if kind == "protocol":
        protocol = _one_of(node, PROTOCOLS)
        sides = (_one_of(given["side"], SIDES),) if "side" in given else SIDES
        return [(side.lower(), known_subjects.protocol_side(protocol, side)) for side in sides]
    if "side" in given:
        raise _Bad(given["side"], "'side' goes with 'protocol' only")
    if kind == "dotnet":
        return [("", known_subjects.dotnet(_one_of(node, tuple(known_subjects.DOTNET_VERSIONS))))]
    if kind in ("winhttp", "renegotiation"):
        if not _boolean(node):
            raise _Bad(node, f"{kind!r} is true, or is left out")
        return [("", known_subjects.WINHTTP if kind == "winhttp" else known_subjects.RENEGOTIATION)]
    choices, make = {
        "cipher": (known_subjects.CIPHERS, known_subjects.cipher),
        "hash": (known_subjects.HASHES, known_subjects.hash_algorithm),
        "key_exchange": (known_subjects.KEY_EXCHANGES, known_subjects.key_exchange),
    }[kind]
    return [("", make(_one_of(node, choices)))]


def _registry(node: yaml.Node) -> tuple[Setting, Desired]:
    given = _mapping(node, {"key", "value", "type", "data"}, {"match"})
    key = _name(given["key"])
    if re.match(r"(?i)HK|\\", key) or "/" in key.partition("\\")[0]:
        raise _Bad(given["key"], "'key' is written below HKEY_LOCAL_MACHINE, such as SOFTWARE\\Contoso")
    if "" in (part.strip() for part in key.split("\\")):
        raise _Bad(given["key"], "'key' has a backslash too many")
    if f"{fold(key)}\\".startswith(f"{fold(PROTOCOLS_KEY)}\\"):
        raise _Bad(given["key"], "what is below SCHANNEL\\Protocols is asked for with 'protocol' and 'state'")
    kind = Type(_one_of(given["type"], tuple(item.value for item in Type if item is not Type.OTHER)))
    try:
        value = Value.from_result({"present": True, "type": kind.value, "data": _data(given["data"])})
    except ValueError as exc:
        raise _Bad(given["data"], str(exc)) from None
    matches = tuple(item.value for item in Match if item is not Match.SUITES)
    match = Match(_one_of(given["match"], matches)) if "match" in given else Match.EXACT
    if match is not Match.EXACT:
        if kind not in (Type.REG_DWORD, Type.REG_QWORD):
            raise _Bad(given["match"], f"{match.value!r} goes with numbers only")
        if value.data == 0:
            raise _Bad(given["match"], f"every number is right with {match.value!r} and 0")
    return Setting(key, _name(given["value"])), Desired(value, match)


def _data(node: yaml.Node) -> t.Any:
    """A scalar, or a list of scalars: nothing in which aliases could multiply."""
    items = node.value if isinstance(node, yaml.SequenceNode) else [node]
    if not all(isinstance(item, yaml.ScalarNode) for item in items):
        raise _Bad(node, "a number, a text, or a list of these is expected here")
    try:
        found = [yaml.SafeLoader("").construct_object(item) for item in items]
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, OverflowError) as exc:
        # PyYAML takes for granted that what a tag stands on is of its kind
        reason = exc.problem if isinstance(exc, yaml.MarkedYAMLError) else visible(exc, NAME)
        raise _Bad(node, f"it cannot be read as a value: {reason}") from None
    return found if isinstance(node, yaml.SequenceNode) else found[0]


def _applies(given: t.Mapping[str, yaml.Node]) -> Applies:
    builds: dict[str, int] = {}
    least: tuple[int, ...] | None = None
    if "windows" in given:
        limits = _mapping(given["windows"], set(), {"min_build", "max_build"})
        builds = {name: _integer(node) for name, node in limits.items()}
        if builds.get("min_build", 0) > builds.get("max_build", _LARGEST):
            raise _Bad(given["windows"], "'min_build' is above 'max_build'")
    if "exchange" in given:
        version = _text(_mapping(given["exchange"], {"min"}, set())["min"])
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9}){3}", version, re.ASCII):
            raise _Bad(given["exchange"], "'min' is a version of four numbers, such as 15.2.1748.10")
        least = tuple(map(int, version.split(".")))
    return Applies(builds.get("min_build"), builds.get("max_build"), least)


def _narrower(one: Applies, other: Applies) -> Applies:
    return Applies(
        min_build=max((item for item in (one.min_build, other.min_build) if item is not None), default=None),
        max_build=min((item for item in (one.max_build, other.max_build) if item is not None), default=None),
        exchange=other.exchange or one.exchange,
    )


# --- nodes -----------------------------------------------------------------------------------------------------------


def _mapping(node: yaml.Node, required: set[str], optional: set[str]) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _Bad(node, "a mapping is expected here")
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = _text(key)
        if name not in required | optional:
            raise _Bad(key, f"unknown key {name!r}; known are {', '.join(sorted(required | optional))}")
        if name in found:
            raise _Bad(key, f"{name!r} is given twice")
        found[name] = value
    missing = sorted(required - set(found))
    if missing:
        raise _Bad(node, f"missing: {', '.join(missing)}")
    return found


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
        raise _Bad(node, "a text is expected here")
    return " ".join(node.value.split())


def _name(node: yaml.Node) -> str:
    """A name in the registry, in which blanks count."""
    text = _text(node)
    if node.value != text:
        raise _Bad(
            node, f"{node.value!r} has blanks at an end, or more than one between words; Windows takes them as they are"
        )
    return text


def _one_of(node: yaml.Node, allowed: t.Sequence[str]) -> str:
    found = _text(node)
    if found not in allowed:
        raise _Bad(node, f"{found!r} is none of {', '.join(allowed)}")
    return found


def _boolean(node: yaml.Node) -> bool:
    if not isinstance(node, yaml.ScalarNode) or node.value.lower() not in ("true", "false"):
        raise _Bad(node, "true or false is expected here")
    return bool(node.value.lower() == "true")


def _integer(node: yaml.Node) -> int:
    if not isinstance(node, yaml.ScalarNode) or not re.fullmatch(r"\d{1,9}", node.value, re.ASCII):
        raise _Bad(node, "a whole number is expected here")
    return int(node.value)


def _date(node: yaml.Node) -> str:
    text = _text(node)
    try:
        # Python 3.11 and later know more forms
        if not _DATE.fullmatch(text):
            raise ValueError(text)
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise _Bad(node, f"{text!r} is no date; write it like 2026-11-22") from None
