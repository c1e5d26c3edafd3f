# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of a guide that a program writes, between two comments that say so."""

from __future__ import annotations

import pathlib
import typing as t
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
BEGIN, END = (f".. {word} of what make pages writes\n" for word in ("Begin", "End"))


@dataclass(frozen=True)
class Part:
    """guide: its name. make: returns the part as reStructuredText."""

    guide: str
    make: t.Callable[[], str]

    @property
    def path(self) -> pathlib.Path:
        return ROOT / "docs" / "docsite" / "rst" / f"{self.guide}.rst"

    def page(self) -> str:
        """The guide as it is, with this part as it should be."""
        before, begin, rest = self.path.read_text(encoding="utf-8").partition(BEGIN)
        _old, end, after = rest.partition(END)
        if not (begin and end):
            raise SystemExit(f"{self.path} has no place for what is written: {BEGIN!r}, {END!r}")
        return f"{before}{BEGIN}\n{self.make()}{END}{after}"


def list_table(widths: t.Sequence[int], rows: t.Iterable[t.Sequence[str]]) -> str:
    """A table as reStructuredText; the first row is its head."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, widths))}", ""]
    for row in rows:
        lines += [f"   {' ' if number else '*'} - {cell}" for number, cell in enumerate(row)]
    return "\n".join([*lines, "", ""])
