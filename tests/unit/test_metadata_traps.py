# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known to go wrong with maintenance: each number is there, and the tests that show it are."""

from __future__ import annotations

import re

from tests.gates._run import ROOT

PAGE = ROOT / "docs" / "exchange_maintenance.md"
MOST = 54


def _rows() -> list[list[str]]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| \d+ \|", line)]


def _tests() -> set[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return {name for path in files for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))}


def test_every_number_is_there_once() -> None:
    assert [row[0] for row in _rows()] == [str(number) for number in range(1, MOST + 1)]


def test_what_is_handled_is_shown_by_tests_that_exist() -> None:
    known = _tests()
    for number, _trap, here, shown in _rows():
        named = re.findall(r"`(test_\w+)`", shown)
        assert named or re.search(r"\bnot (handled|used)\b", here, re.IGNORECASE), number
        assert set(named) <= known, (number, set(named) - known)
