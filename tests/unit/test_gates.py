# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gate that cannot run says so; on a machine of ours it fails. Steps side by side, to their end and to a signal."""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from tests import conftest
from tests.gates import __main__ as gates
from tests.gates import _checkout, _tests
from tests.gates._run import GateFailed, GateSkipped, left_out, run, run_all

REASON = GateSkipped("there is no Python 3.99")


def test_elsewhere_it_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("CI", raising=False)
    left_out("matrix", REASON)
    assert capsys.readouterr().out == "SKIPPED: matrix because there is no Python 3.99\n"


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_target(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ci: str, code: int) -> None:
    def cannot(_arguments: object) -> None:
        raise REASON

    monkeypatch.setenv("CI", ci)
    monkeypatch.setitem(gates.TARGETS, "kerberos", cannot)
    assert gates.main("kerberos", ()) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "SKIPPED: kerberos because there is no Python 3.99"
    assert ("FAILED: kerberos: kerberos was left out" in lines[-1]) == bool(code)


def test_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(GateFailed, match=r"ansible-core 2\.99 was left out"):
        left_out("ansible-core 2.99", REASON)


def test_claims_wait_for_kerberos(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(_tests, "_JUNIT", tmp_path)
    with pytest.raises(GateSkipped, match="no results of `make kerberos`"):
        _tests.pages(["--results", "--check"])


def test_steps_side_by_side_and_what_fails_of_them() -> None:
    together = threading.Barrier(2, timeout=20)

    def fails(name: str) -> None:
        together.wait()
        raise GateFailed(name)

    with pytest.raises(GateFailed, match=r"^one; two$"):
        run_all(lambda: fails("one"), lambda: fails("two"), at_once=2)


@pytest.fixture
def heeds_interrupts() -> Iterator[None]:
    """As in a terminal: what a shell starts in the background ignores SIGINT, and so do these tests then."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_interrupts")
def test_a_signal_ends_what_runs_and_what_would_have_come() -> None:
    begun = threading.Barrier(2, timeout=20)
    came: list[int] = []

    def waits() -> None:
        begun.wait()
        run("a command", [sys.executable, "-c", "import time; time.sleep(60)"], limit=40)

    def interrupts() -> None:
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_all(waits, interrupts, at_once=2)
    with pytest.raises(KeyboardInterrupt):
        run_all(lambda: os.kill(os.getpid(), signal.SIGINT), lambda: came.append(1), lambda: came.append(2))
    assert 2 not in came


def test_the_next_stage_begins_after_one_that_failed() -> None:
    came: list[str] = []

    def fails() -> None:
        raise GateFailed("one")

    with pytest.raises(GateFailed, match=r"^one$"):
        _tests._one_after_the_other((fails, lambda: came.append("beside it")), (lambda: came.append("after it"),))
    assert came == ["beside it", "after it"]


def test_bytecode_is_kept_whatever_the_caller_would_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in _checkout.clean_environment()


def test_the_files_that_begin_first_are_there() -> None:
    tests = pathlib.Path(conftest.__file__).parent
    assert [name for name in conftest.LONGEST if not (tests / name).is_file()] == []
