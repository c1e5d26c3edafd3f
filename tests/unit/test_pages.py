# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What guides have from data is what the data make, and the data are those of tests."""

from __future__ import annotations

import importlib
import json
import pathlib
import re
import typing as t

import pytest

from tests.bench.run import CASES
from tests.gates._run import ROOT
from tests.integration import ways_table
from tests.pages import __main__ as pages
from tests.pages import proof, schema


def test_it_is_what_the_data_make() -> None:
    different = [path.name for path, text in pages.files().items() if path.read_text(encoding="utf-8") != text]
    assert different == [], "run make pages"


def test_what_differs_is_told_or_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    monkeypatch.setattr(pages, "files", lambda _results: {tmp_path / "guide.txt": "new"})
    assert pages.main(["--check"]) == 1
    assert capsys.readouterr().out == "differs: guide.txt\nRun: make pages\n"
    assert pages.main([]) == 0
    assert (tmp_path / "guide.txt").read_text() == "new"
    assert pages.main(["--check"]) == 0


# --- ways in ---------------------------------------------------------------------------------------------------------


def test_every_row_is_about_both_plugins_and_no_way_is_there_twice() -> None:
    rows = list(ways_table.rows())
    assert len(rows) >= 45
    assert [row for row in rows if not all(row)] == []
    assert len({row[0] for row in rows}) == len(rows)


# --- results ---------------------------------------------------------------------------------------------------------


def test_every_key_of_a_result_is_described() -> None:
    rows = list(schema.rows())
    assert len(rows) > 100
    assert [row for row in rows if not all(row)] == []


# --- costs -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def performance() -> t.Any:
    """Not every environment in which tests are looked for has what it draws with."""
    return importlib.import_module("tests.pages.performance")


def test_the_costs_are_those_of_the_tasks_that_are_measured(performance: t.Any) -> None:
    costs = performance.costs()
    assert list(costs) == [case.name for case in CASES]
    assert {tuple(by_hosts) for by_hosts in costs.values()} == {tuple(costs[performance.FLOOR])}
    assert len(costs[performance.FLOOR]) >= 3, "a picture by the number of servers takes some"
    assert set(performance.DRAWN) < set(costs)


def test_the_picture_is_the_same_every_time(performance: t.Any) -> None:
    first = performance.picture()
    performance.picture.cache_clear()
    assert performance.picture() == first
    assert not re.search(r"<dc:date>|Matplotlib v", first)
    assert all(f">{name}<" in first for name in performance.DRAWN.values())


# --- claims ----------------------------------------------------------------------------------------------------------


def _known() -> set[str]:
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        file = "/".join(path.parts[-2:])
        assert file not in found, f"claims cannot tell two files apart: {file}"
        functions = re.findall(r"^ *def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        found |= {file, *(f"{file}::{name}" for name in functions)}
    return found


def test_tests_of_claims_exist_and_their_results_are_kept() -> None:
    named = [test for claim in proof.claims() for test in claim.tests]
    assert len(named) >= 40
    assert sorted(set(named) - _known()) == []
    assert proof.kept() == json.loads(proof.RESULTS.read_text(encoding="utf-8"))
    assert min(proof.kept().values()) > 0


CASES_OF_A_RUN = """<testsuites><testsuite>
<testcase classname="tests.unit.plugins.role.test_it" name="test_that[1]"/>
<testcase classname="tests.unit.plugins.role.test_it" name="test_that[2]"/>
<testcase classname="tests.unit.plugins.role.test_it.TestMore" name="test_other">{outcome}</testcase>
</testsuite></testsuites>"""


def _results(monkeypatch: pytest.MonkeyPatch, folder: pathlib.Path, outcome: str, *tests: str) -> dict[str, int]:
    monkeypatch.setattr(proof, "claims", lambda: [proof.Claim("It does that", "by tests", tests)])
    (folder / "others.xml").write_text(CASES_OF_A_RUN.format(outcome=outcome))
    return proof.results(folder.glob("*.xml"))


def test_cases_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    counts = _results(monkeypatch, tmp_path, "<skipped/>", "role/test_it.py", "role/test_it.py::test_that")
    assert counts == {"role/test_it.py": 2, "role/test_it.py::test_that": 2}
    assert _results(monkeypatch, tmp_path, "", "role/test_it.py") == {"role/test_it.py": 3}


@pytest.mark.parametrize(
    ("outcome", "test", "said"),
    [
        ("<failure/>", "role/test_it.py", "1 failure, 2 passed"),
        ("<error/>", "role/test_it.py::test_other", "1 error"),
        ("<skipped/>", "role/test_it.py::test_other", "1 skipped"),
        ("", "role/test_it.py::test_gone", "did not run"),
    ],
)
def test_a_claim_that_was_not_shown_ends_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, outcome: str, test: str, said: str
) -> None:
    with pytest.raises(SystemExit, match=f"^{test}: {said}; so it is not shown that: It does that$"):
        _results(monkeypatch, tmp_path, outcome, test)
