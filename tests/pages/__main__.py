# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what guides have from data: python -m tests.pages, which `make pages` calls.

The ways in come from the cases of tests, the claims from tests/data/proof.yml and what came of their tests, the costs
from what `make bench` has written, what is in a result from its schema.
"""

from __future__ import annotations

import argparse
import importlib
import pathlib
import sys

from . import proof
from .parts import ROOT


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make pages", description=__doc__)
    parser.add_argument(
        "--results", action="store_true", help="of `make test` and `make kerberos`: what came of the tests of claims"
    )
    parser.add_argument("--check", action="store_true", help="write nothing, and fail where something would be written")
    wishes = parser.parse_args(arguments)
    importlib.import_module("tests.conftest")  # it makes the checkout a collection
    results = proof.results(proof.JUNIT.glob("*.xml")) if wishes.results else None
    different = {path: text for path, text in files(results).items() if _text(path) != text}
    for path, text in different.items():
        print(f"{'differs' if wishes.check else 'written'}: {path.relative_to(ROOT)}")
        if not wishes.check:
            path.write_text(text, encoding="utf-8")
    if different and wishes.check:
        print(f"Run: make pages{' ARGS=--results' if wishes.results else ''}")
    return 1 if different and wishes.check else 0


def files(results: dict[str, int] | None = None) -> dict[pathlib.Path, str]:
    """Every file that is written, as it should be. results: those of tests, in the place of those that are kept."""
    # after tests.conftest, and with a library that not every environment has
    performance, ways_table, schema = map(
        importlib.import_module, ("tests.pages.performance", "tests.integration.ways_table", "tests.pages.schema")
    )
    found = proof.kept() if results is None else results
    parts = [ways_table.PART, performance.PART, schema.PART, proof.part(found)]
    return {
        **{part.path: part.page() for part in parts},
        performance.PICTURE: performance.picture(),
        proof.RESULTS: proof.as_text(found),
    }


def _text(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
