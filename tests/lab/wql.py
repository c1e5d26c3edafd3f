# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of WQL that the lab answers: SELECT list FROM class WHERE conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<number>-?\d+(?:\.\d+)?)|"
    r"(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<symbol><>|!=|<=|>=|[=<>(),*]))"
)

Row = Mapping[str, Any]
Condition = Callable[[Row], bool]


class WqlError(ValueError):
    """The query is not one that the lab understands; on Windows an invalid query."""


@dataclass(frozen=True)
class Query:
    """columns: None for *. where: the condition on one instance (names in upper case)."""

    class_name: str
    columns: tuple[str, ...] | None
    where: Condition
    mentioned: tuple[str, ...]


def parse(text: str) -> Query:
    """Parses a query. Raises WqlError."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._position = 0
        self._mentioned: list[str] = []

    def query(self) -> Query:
        self._keyword("SELECT")
        columns: list[str] | None = None
        if not self._take("symbol", "*"):
            columns = [self._name()]
            while self._take("symbol", ","):
                columns.append(self._name())
        self._keyword("FROM")
        class_name = self._name()
        where: Condition = _always
        if self._is_keyword("WHERE"):
            self._position += 1
            where = self._or()
        if self._position != len(self._tokens):
            raise WqlError(f"unexpected {self._tokens[self._position][1]!r}")
        mentioned = (*(columns or ()), *self._mentioned)
        return Query(class_name, tuple(columns) if columns is not None else None, where, mentioned)

    def _or(self) -> Condition:
        terms = [self._and()]
        while self._is_keyword("OR"):
            self._position += 1
            terms.append(self._and())
        return terms[0] if len(terms) == 1 else lambda row: any(term(row) for term in terms)

    def _and(self) -> Condition:
        terms = [self._not()]
        while self._is_keyword("AND"):
            self._position += 1
            terms.append(self._not())
        return terms[0] if len(terms) == 1 else lambda row: all(term(row) for term in terms)

    def _not(self) -> Condition:
        if self._is_keyword("NOT"):
            self._position += 1
            inner = self._not()
            return lambda row: not inner(row)
        if self._take("symbol", "("):
            inner = self._or()
            if not self._take("symbol", ")"):
                raise WqlError("missing )")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        name = self._name()
        self._mentioned.append(name)
        key = name.upper()
        if self._is_keyword("IS"):
            self._position += 1
            negated = self._is_keyword("NOT")
            self._position += negated
            self._keyword("NULL")
            return lambda row: (row.get(key) is None) != negated
        if self._is_keyword("LIKE"):
            self._position += 1
            pattern = _like(str(self._literal()))
            return lambda row: isinstance(row.get(key), str) and bool(pattern.match(row[key]))
        kind, operator = self._next()
        if kind != "symbol" or operator not in _COMPARE:
            raise WqlError(f"unexpected {operator!r} after {name}")
        literal = self._literal()
        compare = _COMPARE[operator]
        return lambda row: _compared(row.get(key), literal, compare)

    def _literal(self) -> Any:
        kind, text = self._next()
        if kind == "string":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "word" and text.upper() in ("TRUE", "FALSE"):
            return text.upper() == "TRUE"
        if kind == "word" and text.upper() == "NULL":
            return None
        raise WqlError(f"{text!r} is not a literal")

    def _next(self) -> tuple[str, str]:
        if self._position >= len(self._tokens):
            raise WqlError("the query ends too early")
        self._position += 1
        return self._tokens[self._position - 1]

    def _name(self) -> str:
        kind, text = self._next()
        if kind != "word" or text.upper() in ("SELECT", "FROM", "WHERE", "AND", "OR", "NOT"):
            raise WqlError(f"{text!r} is not a name")
        return text

    def _is_keyword(self, word: str) -> bool:
        if self._position >= len(self._tokens):
            return False
        kind, text = self._tokens[self._position]
        return kind == "word" and text.upper() == word

    def _keyword(self, word: str) -> None:
        if not self._is_keyword(word):
            raise WqlError(f"{word} expected")
        self._position += 1

    def _take(self, kind: str, text: str) -> bool:
        if self._position < len(self._tokens) and self._tokens[self._position] == (kind, text):
            self._position += 1
            return True
        return False


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            raise WqlError(f"unexpected {text[position:].strip()[:10]!r}")
        tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
        position = match.end()
    return tokens


def _always(row: Row) -> bool:
    return True


def _like(pattern: str) -> re.Pattern[str]:
    wild = {"%": ".*", "_": "."}
    parts = [
        wild.get(part) or (part if len(part) > 1 else re.escape(part))
        for part in re.findall(r"\[[^\]]*\]|.", pattern, re.S)
    ]
    return re.compile("".join(parts) + r"\Z", re.I | re.S)


def _compared(value: Any, literal: Any, compare: Callable[[Any, Any], bool]) -> bool:
    if value is None or literal is None:
        return compare is _COMPARE["="] and value is literal
    if isinstance(value, bool) and isinstance(literal, str):
        literal = literal.upper() == "TRUE"
    elif isinstance(value, str):
        value, literal = value.upper(), str(literal).upper()
    elif isinstance(literal, str):
        try:
            literal = int(literal)
        except ValueError:
            return False
    return compare(value, literal)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: bool(left == right),
    "<>": lambda left, right: bool(left != right),
    "!=": lambda left, right: bool(left != right),
    "<": lambda left, right: bool(left < right),
    ">": lambda left, right: bool(left > right),
    "<=": lambda left, right: bool(left <= right),
    ">=": lambda left, right: bool(left >= right),
}
