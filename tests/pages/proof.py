# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was proven and how: claims and their tests (tests/data/proof.yml), and how many cases of them passed.

A test is named by its folder, file and function, ``role/test_it.py::test_that``; without a function, all of the file.
"""

from __future__ import annotations

import collections
import functools
import json
import pathlib
import typing as t
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import yaml

from .parts import DATA, ROOT, Part, list_table

CLAIMS = DATA / "proof.yml"
RESULTS = DATA / "proof.json"
# Where `make test` and `make kerberos` leave what came of each test.
JUNIT = ROOT / ".cache" / "junit"


@dataclass(frozen=True)
class Claim:
    """shown: how. tests: by name."""

    claim: str
    shown: str
    tests: tuple[str, ...]


def claims() -> list[Claim]:
    written = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    return [Claim(item["claim"], item["shown"], tuple(item["tests"])) for item in written]


def kept() -> dict[str, int]:
    """The cases that passed, by test, when somebody last looked."""
    found: dict[str, int] = json.loads(RESULTS.read_text(encoding="utf-8"))
    named = {test for claim in claims() for test in claim.tests}
    if missing := sorted(named - set(found)):
        raise SystemExit(f"no results yet of {', '.join(missing)}: make test, make kerberos, make pages ARGS=--results")
    return {test: found[test] for test in named}


def as_text(results: t.Mapping[str, int]) -> str:
    return json.dumps(results, indent=1, sort_keys=True) + "\n"


def results(junit: t.Iterable[pathlib.Path]) -> dict[str, int]:
    """The cases that passed, by test, from what pytest has written; ends the program where one did not, or none ran."""
    cases: dict[str, dict[str, str]] = collections.defaultdict(dict)
    for path in junit:
        for case in ET.parse(path).getroot().iter("testcase"):
            place, function = _place(case)
            outcome = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")
            for name in (place, f"{place}::{function}"):
                # a test that fails while it cleans up is there twice
                before = cases[name].get(case.attrib["name"], "passed")
                cases[name][case.attrib["name"]] = before if before != "passed" else outcome
    complaints = []
    passed = {}
    for claim in claims():
        for test in claim.tests:
            counts = collections.Counter(cases[test].values())
            passed[test] = counts["passed"]
            if counts["failure"] or counts["error"] or not counts["passed"]:
                came = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items())) or "did not run"
                complaints.append(f"{test}: {came}; so it is not shown that: {claim.claim}")
    if complaints:
        raise SystemExit("\n".join(complaints))
    return passed


def _place(case: ET.Element) -> tuple[str, str]:
    """The folder and file of a test as claims name it, and its function."""
    parts = case.attrib.get("classname", "").split(".")
    files = [number for number, part in enumerate(parts) if part.startswith("test_")]
    file = f"{parts[files[-1] - 1]}/{parts[files[-1]]}.py" if files else ""
    return file, case.attrib["name"].partition("[")[0]


def table(found: t.Mapping[str, int]) -> str:
    rows = [("claim", "how it was shown", "tests", "cases that passed")]
    for claim in claims():
        names = dict.fromkeys(test.rpartition("::")[2].rpartition("/")[2] for test in claim.tests)
        passed = str(sum(found[test] for test in claim.tests))
        rows.append((claim.claim, claim.shown, ", ".join(f"``{name}``" for name in names), passed))
    return list_table((28, 30, 32, 10), rows)


def part(found: t.Mapping[str, int]) -> Part:
    return Part("guide_proof", functools.partial(table, found))
