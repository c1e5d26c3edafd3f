# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to ways in says what the tests show."""

from __future__ import annotations

from tests.integration import ways_table


def test_the_table_is_what_the_tests_are() -> None:
    text = ways_table.GUIDE.read_text(encoding="utf-8")
    assert text == ways_table.written(text), "run python -m tests.integration.ways_table"


def test_every_row_is_about_both_plugins_and_no_way_is_there_twice() -> None:
    rows = list(ways_table.rows())
    assert len(rows) >= 45
    assert [row for row in rows if not all(row)] == []
    assert len({row[0] for row in rows}) == len(rows)
