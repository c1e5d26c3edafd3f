# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Baselines: policies in YAML files, those of this collection and those of users. A mistake is told with its line.

A file holds ``id``, ``title`` and ``rules``. A rule holds ``id``, ``title``, ``severity``, ``why``, ``source``,
``version``, ``date`` (when it was last held against its source), what it is about (one of ``protocol``, ``dotnet``,
``winhttp``, ``renegotiation``, ``cipher``, ``hash``, ``key_exchange``, ``registry``) and ``state``; optional are
``side``, ``exact``, ``windows`` and ``exchange``.
"""

from __future__ import annotations

import dataclasses
import datetime
import pathlib
import re
import typing as t

import yaml

from . import _subjects
from ._errors import OptionError
from ._registry import Type, Value
from ._rules import EVERYWHERE, SEVERITIES, Applies, Desired, Match, Rule
from ._schannel import PROTOCOLS, SIDES
from ._snapshot import Setting

FOLDER = pathlib.Path(__file__).parent / "_baselines_data"
NONE = "none"


@dataclasses.dataclass(frozen=True)
class Baseline:
    """A policy with a name."""

    id: str
    title: str
    rules: tuple[Rule, ...]


class _Bad(Exception):
    """A mistake in the file, with the line it is on."""

    def __init__(self, node: yaml.Node, reason: str) -> None:
        super().__init__(f"line {node.start_mark.line + 1}: {reason}")


def names() -> list[str]:
    """The baselines that come with the collection."""
    return sorted(path.stem for path in FOLDER.glob("*.yml"))


def load(wanted: str) -> Baseline:
    """A baseline by name, or from a file where the word looks like a path. Raises :class:`OptionError`."""
    is_path = "/" in wanted or wanted.endswith((".yml", ".yaml"))
    if not is_path and wanted not in names():
        raise OptionError(
            f"There is no baseline named {wanted!r}; there are {', '.join(names())} and {NONE}. A file of your own is "
            "named by its path, with a slash or with .yml at the end."
        )
    path = pathlib.Path(wanted).expanduser() if is_path else FOLDER / f"{wanted}.yml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8 text"
        raise OptionError(f"Cannot read the baseline {str(path)!r} on the controller: {reason}.") from None
    try:
        return parse(text)
    except (_Bad, yaml.YAMLError) as exc:
        raise OptionError(f"The baseline {str(path)!r} is refused: {exc}") from None


def parse(text: str) -> Baseline:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        raise yaml.YAMLError("it is empty")
    top = _mapping(root, {"id", "title", "rules"}, set())
    listed = top["rules"]
    if not isinstance(listed, yaml.SequenceNode) or not listed.value:
        raise _Bad(listed, "'rules' must be a list with at least one rule")
    rules: list[Rule] = []
    seen: dict[t.Any, str] = {}
    for node in listed.value:
        for rule in _rules(node):
            for mark in (rule.id, rule.setting):
                if mark in seen:
                    raise _Bad(node, f"{rule.id} asks for something that {seen[mark]} asks for already")
                seen[mark] = rule.id
            rules.append(rule)
    return Baseline(_text(top["id"]), _text(top["title"]), tuple(rules))


# --- one rule
# -----------------------------------------------------------------------------------------------------------

_ALWAYS = {"id", "title", "severity", "why", "source", "version", "date"}
_SUBJECTS = {"protocol", "dotnet", "winhttp", "renegotiation", "cipher", "hash", "key_exchange", "registry"}
_OPTIONAL = {"state", "side", "exact", "windows", "exchange"}


def _rules(node: yaml.Node) -> t.Iterator[Rule]:
    given = _mapping(node, _ALWAYS, _SUBJECTS | _OPTIONAL)
    about = [name for name in given if name in _SUBJECTS]
    if len(about) != 1:
        raise _Bad(
            node, f"a rule is about exactly one of {', '.join(sorted(_SUBJECTS))}; this one has {about or 'none'}"
        )
    identity = _text(given["id"])
    if not re.fullmatch(r"[a-z0-9_.]+", identity):
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
        for unwanted in ("state", "side", "exact"):
            if unwanted in given:
                raise _Bad(given[unwanted], f"{unwanted!r} does not go with 'registry'; use 'match' in it")
        setting, desired = _registry(given["registry"])
        yield Rule(id=identity, setting=setting, desired=desired, applies=limits, **common)
        return
    if "state" not in given:
        raise _Bad(node, "'state' is missing")
    subjects = _about(about[0], given)
    exact = "exact" in given and _boolean(given["exact"])
    for part, subject in subjects:
        state = _one_of(given["state"], tuple(subject.states))
        for item in subject.states[state]:
            yield Rule(
                id=".".join(filter(None, (identity, part, item.name))),
                setting=item.setting,
                desired=dataclasses.replace(item.desired, match=Match.EXACT) if exact else item.desired,
                protocol=subject.protocol,
                side=subject.side,
                state=state,
                applies=_narrower(subject.applies, limits),
                **common,
            )


def _about(kind: str, given: t.Mapping[str, yaml.Node]) -> list[tuple[str, _subjects.Subject]]:
    """The subjects of a rule, each with its part of the rule ids."""
    node = given[kind]
    if kind == "protocol":
        protocol = _one_of(node, PROTOCOLS)
        sides = (_one_of(given["side"], SIDES),) if "side" in given else SIDES
        return [(side.lower(), _subjects.protocol_side(protocol, side)) for side in sides]
    if "side" in given:
        raise _Bad(given["side"], "'side' goes with 'protocol' only")
    if kind == "dotnet":
        return [("", _subjects.dotnet(_one_of(node, tuple(_subjects.DOTNET_VERSIONS))))]
    if kind in ("winhttp", "renegotiation"):
        if not _boolean(node):
            raise _Bad(node, f"{kind!r} is true, or is left out")
        return [("", _subjects.WINHTTP if kind == "winhttp" else _subjects.RENEGOTIATION)]
    choices, make = {
        "cipher": (_subjects.CIPHERS, _subjects.cipher),
        "hash": (_subjects.HASHES, _subjects.hash_algorithm),
        "key_exchange": (_subjects.KEY_EXCHANGES, _subjects.key_exchange),
    }[kind]
    return [("", make(_one_of(node, choices)))]


def _registry(node: yaml.Node) -> tuple[Setting, Desired]:
    given = _mapping(node, {"key", "value", "type", "data"}, {"match"})
    key = _text(given["key"])
    if re.match(r"(?i)HK|\\", key) or "/" in key.partition("\\")[0]:
        raise _Bad(given["key"], "'key' is written below HKEY_LOCAL_MACHINE, such as SOFTWARE\\Contoso")
    kind = Type(_one_of(given["type"], tuple(item.value for item in Type if item is not Type.OTHER)))
    data = t.cast(t.Any, yaml.SafeLoader)("").construct_object(given["data"], deep=True)
    try:
        value = Value.from_result({"present": True, "type": kind.value, "data": data})
    except ValueError as exc:
        raise _Bad(given["data"], str(exc)) from None
    matches = tuple(item.value for item in Match if item is not Match.SUITES)
    match = Match(_one_of(given["match"], matches)) if "match" in given else Match.EXACT
    if match is not Match.EXACT and kind not in (Type.REG_DWORD, Type.REG_QWORD):
        raise _Bad(given["match"], f"{match.value!r} goes with numbers only")
    return Setting(key, _text(given["value"])), Desired(value, match)


def _applies(given: t.Mapping[str, yaml.Node]) -> Applies:
    limits = EVERYWHERE
    if "windows" in given:
        builds = _mapping(given["windows"], set(), {"min_build", "max_build"})
        limits = Applies(
            min_build=_integer(builds["min_build"]) if "min_build" in builds else None,
            max_build=_integer(builds["max_build"]) if "max_build" in builds else None,
        )
    if "exchange" in given:
        least = _text(_mapping(given["exchange"], {"min"}, set())["min"])
        if not re.fullmatch(r"\d+(\.\d+){3}", least):
            raise _Bad(given["exchange"], "'min' is a version of four numbers, such as 15.2.1748.10")
        limits = dataclasses.replace(limits, exchange=tuple(map(int, least.split("."))))
    return limits


def _narrower(one: Applies, other: Applies) -> Applies:
    return Applies(
        min_build=max((item for item in (one.min_build, other.min_build) if item is not None), default=None),
        max_build=min((item for item in (one.max_build, other.max_build) if item is not None), default=None),
        exchange=other.exchange or one.exchange,
    )


# --- nodes
# --------------------------------------------------------------------------------------------------------------


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
    if not isinstance(node, yaml.ScalarNode) or not node.value.isdecimal():
        raise _Bad(node, "a whole number is expected here")
    return int(node.value)


def _date(node: yaml.Node) -> str:
    text = _text(node)
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise _Bad(node, f"{text!r} is no date; write it like 2026-11-22") from None
