# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parsers of what others write: nothing but documented errors, for seeds, what becomes of them, and any bytes."""

from __future__ import annotations

import ast
import contextlib
import itertools
import os
import signal
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import mutations
from tests.fuzz.targets import CORPUS, TARGETS, seeds
from tests.unit import _metadata
from tests.unit.laws import examples

UTILS = _metadata.PLUGINS / "plugin_utils"
LARGEST_CORPUS = 100_000

every_target = pytest.mark.parametrize("name", TARGETS)


def test_every_target_has_seeds_and_every_seed_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert [name for name in TARGETS if len(list(seeds(name))) < 2] == []
    assert sum(path.stat().st_size for name in TARGETS for path in seeds(name)) < LARGEST_CORPUS


@every_target
def test_seeds(name: str) -> None:
    for path in seeds(name):
        TARGETS[name](path.read_bytes())


@every_target
def test_any_bytes(name: str) -> None:
    target = TARGETS[name]
    contents = [path.read_bytes() for path in seeds(name)]

    @examples(60)
    @given(st.data())
    def law(data: st.DataObject) -> None:
        target(data.draw(mutations.bytes_for(contents)))

    law()


def test_an_error_that_is_not_documented_comes_through() -> None:
    """Else nothing here could fail."""
    target = TARGETS["backup"]._replace(errors=(KeyError,))
    with pytest.raises(Exception, match="not a backup"):
        target(b"[]")


# What makes something of bytes and texts: a function that calls one of these is a parser, or part of one.
READS = frozenset(
    {"b64decode", "compose", "findall", "finditer", "from_bytes", "fromhex", "fromisoformat", "fullmatch", "ip_address"}
    | {"load", "load_der_x509_certificate", "loads", "match", "parsedate_to_datetime", "Parse", "safe_load", "search"}
    | {"strptime", "unpack", "int", "float"}
)
# Those that no seed reaches, and why that is right.
ELSEWHERE: dict[str, tuple[str, ...]] = {
    "names of files in a folder that only its owner may write to, which are ours or are passed over": (
        "_change/backups._highest", "_change/backups._listed", "_change/backups._order", "_change/backups._place",
        "_change/backups._readable", "_change/backups.newer", "_change/backups.newest",
    ),
    "options that people write into variables; their own tests have what can be wrong with each": (
        "_exchange/endpoint._Reader.number", "_exchange/endpoint._contradictions", "_exchange/endpoint.is_address",
        "_mailflow/peers._matches", "_preflight._parse", "_report/commands._may_be_repeated",
        "_report/commands._variables", "_role.out_of_place",
    ),
    "what this collection has made itself: requests, results of its tasks, records that were read and checked before": (
        "_exchange/shell.checked", "_judgement/outgoing.waiting", "_report/diagnosis._addresses",
        "_report/overview._place", "_report/plain.plain", "_report/standing.Steps.rebooted", "_report/standing._boot",
        "_run._own_version", "_tasks/mail_proof._flow", "_tasks/mail_proof.moment_of",
    ),
    "they hand on what another function reads, which a target has": (
        "_action.WindowsAction.check_policy", "_tasks/reading._backup",
        "_tasks/rolling_back.roll_back",
    ),
    "they are for more sessions than a seed has; a law of their own holds them against looking line by line": (
        "_mailflow/telling.Lines._known", "_mailflow/telling._by_session",
    ),
    "one expression over the last bytes of a file, in the tests of send logs": ("_mailflow/files.last_time",),
    "what a library or the system has read already: a status, headers, an address, a number of the kernel": (
        "_handshake/_runner._Run.wait", "_handshake/_wire._lookup", "_transport/channels.PsrpChannel._open",
        "_transport/channels.WinrmChannel._adopt", "_transport/cmdlet_errors._of_fault",
        "_transport/cmdlet_errors._of_status",
        "_transport/explain._by_what_came", "_transport/explain._of_requests", "_transport/explain._of_status",
        "_transport/login.challenged", "_transport/login.login_failed", "_transport/login.login_refused",
        "_wire/overlap._waited",
    ),
}  # fmt: skip


def _parsers() -> dict[str, tuple[str, int]]:
    """Every function of plugin_utils that calls one of READS: by name, its file and first line."""
    found = {}
    for path in sorted(UTILS.rglob("*.py")):
        for owner, node in _functions(_metadata.parse(path), ""):
            if any(_called(call) in READS for call in ast.walk(node) if isinstance(call, ast.Call)):
                first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
                found[f"{path.relative_to(UTILS).with_suffix('')}.{owner}{node.name}"] = (str(path.resolve()), first)
    return found


def _functions(tree: ast.AST, owner: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield owner, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{owner}{node.name}.")


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def test_no_parser_is_forgotten() -> None:
    """Each is reached by the seeds, so that their mutations reach it too; or there is a reason."""
    parsers = _parsers()
    assert len(parsers) > 80
    reached = {(os.path.realpath(code.co_filename), code.co_firstlineno) for code in _run_by_seeds()}
    missed = {name for name, place in parsers.items() if place not in reached}
    explained = {name for names in ELSEWHERE.values() for name in names}
    assert missed - explained == set(), "a target should reach it, or ELSEWHERE should say why not"
    assert explained - missed == set(), "it is reached by now, or is gone"


def _run_by_seeds() -> set[CodeType]:
    _forget()
    found: set[CodeType] = set()

    def note(frame: FrameType, event: str, dummy: Any) -> None:
        if event == "call":
            found.add(frame.f_code)

    _profiled(note, lambda: [TARGETS[name](path.read_bytes()) for name in TARGETS for path in seeds(name)])
    return found


def _profiled(profile: Callable[[FrameType, str, Any], None], work: Callable[[], object]) -> None:
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)


def _forget() -> None:
    """What is remembered from before is not done again."""
    for name, module in list(sys.modules.items()):
        if ".plugin_utils." in name:
            for item in vars(module).values():
                if callable(clear := getattr(item, "cache_clear", None)):
                    clear()


# --- time and memory -------------------------------------------------------------------------------------------------

MEGABYTE = 1 << 20
#: What is repeated until it is long: one character, what nests, and what makes a parser look back or ahead.
PIECES: tuple[bytes, ...] = (
    b"a", b"\n", b"[", b"\xff", b'{"a":', b"<a>", b"- ", b"a,", b"a ", b"x,*,", b"{LED=", b"250-a\r\n", b'CN="', b"(",
)  # fmt: skip
NESTS: tuple[bytes, ...] = (b"a", b"[", b'{"a":', b"<a>")
READ_XML = ("xml", "http_answer", "soap_answer", "wmi", "windows", "registry", "clixml", "cmdlets")
BOMB = (CORPUS / "xml" / "bomb").read_bytes()
MANY_ATTRIBUTES = b"<a " + b" ".join(b'a%d="1"' % number for number in range(5_000)) + b"/>"
# Twice the input is twice the work, and something to begin with; what grows with the square would be four times that.
_SHORT, _LONG = 2_000, 4_000
_MOST_GROWTH, _TO_BEGIN_WITH = 2.6, 3_000
# Times the input: objects of Python for small pieces of it take some ten times their bytes each.
_MOST_MEMORY = 150
# What is made once: tables, a template, a lexer.
_TO_BEGIN_WITH_MEMORY = 4 << 20
# Seconds of this process alone, not of the clock: they end what no call shows, as in a regular expression. The work
# itself takes a hundredth.
_PROCESSOR = 60.0


class _TooSlow(BaseException):
    """No parser catches it."""


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    def late(dummy_number: int, dummy_frame: FrameType | None) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, _PROCESSOR)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _long(piece: bytes, size: int) -> bytes:
    return (piece * (size // len(piece) + 1))[:size]


def _calls(target: Callable[[bytes], None], data: bytes) -> int:
    """How often anything was called: Python's functions and those in C."""
    _forget()
    count = itertools.count()

    def note(dummy_frame: FrameType, event: str, dummy: Any) -> None:
        if event in ("call", "c_call"):
            next(count)

    _profiled(note, lambda: target(data))
    return next(count)


@every_target
def test_twice_as_long_is_twice_the_work(name: str) -> None:
    grown = {}
    for piece in PIECES:
        with _bounded():
            once, twice = (_calls(TARGETS[name], _long(piece, size)) for size in (_SHORT, _LONG))
        if twice > _MOST_GROWTH * once + _TO_BEGIN_WITH:
            grown[piece] = (once, twice)
    assert grown == {}


@every_target
def test_a_megabyte_of_one_character(name: str) -> None:
    for character in (b"a", b" "):
        with _bounded():
            TARGETS[name](character * MEGABYTE)


@every_target
def test_memory(name: str) -> None:
    for data in (*(_long(piece, 2 * _LONG) for piece in NESTS), *((MANY_ATTRIBUTES, BOMB) if name in READ_XML else ())):
        _forget()
        tracemalloc.start()
        try:
            with _bounded():
                TARGETS[name](data)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert most < _MOST_MEMORY * max(len(data), _LONG) + _TO_BEGIN_WITH_MEMORY, data[:20]
