# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""JMESPath expressions that are true or false of one finding, checked before anything is touched. Pure.

JMESPath itself finds out about unknown functions only when it comes by them, and takes a name that is none of a
finding's keys for null. Here both are mistakes, told when the expression is made.
"""

from __future__ import annotations

import typing as t

from .._errors import ExchangeTlsError, OptionError
from .._text import visible

try:
    import jmespath
    from jmespath.exceptions import JMESPathError, JMESPathTypeError
    from jmespath.functions import Functions
    from jmespath.visitor import TreeInterpreter
except ImportError as exc:  # pragma: no cover - it is in requirements.txt
    JMESPATH_ERROR: ImportError | None = exc
    Functions = TreeInterpreter = object
else:
    JMESPATH_ERROR = None

Node = t.Mapping[str, t.Any]
# What a name leads to: the keys below it, or None where that cannot be known.
Shape = t.Mapping[str, t.Any] | None

_TEXT: t.Mapping[str, t.Any] = {}  # no keys
_VALUE: t.Mapping[str, t.Any] = {"present": _TEXT, "type": _TEXT, "data": None}
_TEXTS = (
    "id", "title", "severity", "status", "protocol", "side", "key", "value", "message", "why", "source", "effective",
    "waiver",
)  # fmt: skip
_VALUES = ("expected", "actual", "would_write")
FINDING: t.Mapping[str, t.Any] = {**dict.fromkeys(_TEXTS, _TEXT), **dict.fromkeys(_VALUES, _VALUE)}

# Findings to try an expression on: what a registry value holds may be of several types, and much may be null.
_SAMPLES: tuple[dict[str, t.Any], ...] = (
    *(
        {
            **dict.fromkeys(_TEXTS, "text"),
            **{name: {"present": True, "type": "text", "data": data} for name in _VALUES},
        }
        for data in (1, "text", ["text"], [1])
    ),
    dict.fromkeys(FINDING),
)
_EXAMPLE = "protocol == 'TLS 1.0' && side == 'Client'"
# Every level costs up to four calls, and matching must do with what a task leaves of Python's stack.
_DEEPEST = 150
# What JMESPath for Python lets out where data does not fit an expression, besides its own errors.
_MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class _LenientFunctions(Functions):
    """Functions of what they do not fit, such as null, are null: they never match, and break nothing."""

    def call_function(self, function_name: str, resolved_args: t.Any) -> t.Any:
        try:
            return super().call_function(function_name, resolved_args)
        except (JMESPathTypeError, *_MISFITS):
            return None


class _Interpreter(TreeInterpreter):
    """What JMESPath for Python fails at is null: a text is neither more nor less than a number."""

    def visit_comparator(self, node: Node, value: t.Any) -> t.Any:
        try:
            return super().visit_comparator(node, value)
        except TypeError:
            return None

    def visit_slice(self, node: Node, value: t.Any) -> t.Any:
        try:
            return super().visit_slice(node, value)
        except ValueError:
            return None


class Expression:
    """A JMESPath expression that is true or false of one finding, such as ``protocol == 'TLS 1.0' && side ==
    'Client'``. ``option`` is where it comes from. Raises :class:`OptionError` where it makes no sense."""

    def __init__(self, text: str, option: str) -> None:
        if JMESPATH_ERROR is not None:
            raise ExchangeTlsError(
                f"The option {option!r} needs the Python library jmespath on the controller: {JMESPATH_ERROR}"
            )
        # a plain str: JMESPath's functions look at the exact type
        self.text = str(text)
        try:
            self._compiled = jmespath.compile(self.text)
            problems = _problems(self._compiled.parsed) or self._never_fits()
        except (JMESPathError, *_MISFITS) as exc:
            problems = [f"it is not valid JMESPath: {visible(exc)}"]
        except RecursionError:
            problems = ["it is nested too deeply"]
        if problems:
            raise OptionError(
                f"The expression {visible(repr(self.text))} in {option!r} is refused: {'; '.join(problems)}. "
                f"It is held against one finding at a time, for example: {_EXAMPLE}."
            )

    def _never_fits(self) -> list[str]:
        """Why a function in it fits no finding at all."""
        told = ""
        for sample in _SAMPLES:
            try:
                _Interpreter().visit(self._compiled.parsed, sample)
            except JMESPathTypeError as exc:
                told = told or str(exc)
            except _MISFITS:
                return []
            else:
                return []
        return [visible(told)]

    def matches(self, finding: t.Mapping[str, t.Any]) -> bool:
        interpreter = _Interpreter(jmespath.Options(custom_functions=_LenientFunctions()))
        return bool(interpreter.visit(self._compiled.parsed, dict(finding)))


def _too_deep(root: Node) -> bool:
    level = [root]
    for _dummy in range(_DEEPEST):
        level = [child for node in level for child in node["children"] if isinstance(child, dict)]
    return bool(level)


def _problems(root: Node) -> list[str]:
    """Unknown keys, unknown functions, and lists where there are none: what JMESPath would silently take as null."""
    if _too_deep(root):
        return ["it is nested too deeply"]
    problems: list[str] = []
    _walk(root, FINDING, problems)
    return list(dict.fromkeys(problems))


def _walk(node: Node, shape: Shape, problems: list[str]) -> Shape:
    """The shape of what the node leads to from this one."""
    kind, value = node["type"], node.get("value")
    children = [child for child in node["children"] if isinstance(child, dict)]
    if kind == "field":
        return _key(str(value), shape, problems)
    if kind in ("current", "identity"):
        return shape
    if kind in ("subexpression", "pipe"):
        for child in children:
            shape = _walk(child, shape, problems)
        return shape
    if kind in ("index_expression", "projection", "filter_projection", "flatten", "value_projection"):
        left = _walk(children[0], shape, problems)
        if left is not None and kind != "value_projection":
            problems.append("brackets are for lists, and there is none")
        for child in children[1:]:
            _walk(child, None, problems)
        return None
    if kind == "function_expression":
        _function(str(value), len(children), problems)
    for child in children:
        # a reference (&) is about the elements of a list
        _walk(child, None if kind == "expref" else shape, problems)
    # !actual.present is (!actual).present, and there is nothing below true and false
    return _TEXT if kind in ("not_expression", "comparator") else None


def _key(name: str, shape: Shape, problems: list[str]) -> Shape:
    if shape is None:
        return None
    if name not in shape:
        known = f"known are {', '.join(shape)}" if shape else "there is nothing below it"
        hint = "; texts are in single quotes" if shape is FINDING else ""
        problems.append(f"unknown key {name!r} ({known}{hint})")
        return None
    found: Shape = shape[name]
    return found


def _function(name: str, given: int, problems: list[str]) -> None:
    known = Functions.FUNCTION_TABLE.get(name)
    if known is None:
        problems.append(f"unknown function {name!r} (known are {', '.join(sorted(Functions.FUNCTION_TABLE))})")
        return
    signature = known["signature"]
    variadic = bool(signature and signature[-1].get("variadic"))
    if given < len(signature) or (given > len(signature) and not variadic):
        problems.append(f"the function {name!r} takes {len(signature)} arguments and not {given}")
