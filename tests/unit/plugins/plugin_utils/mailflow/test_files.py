# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms of files with logs: headers that are cut or say other columns, marks of the encoding."""

from __future__ import annotations

from pathlib import Path

from . import logs
from .test_reading import EVERY, NEW, OLD, PLAIN, WHOLE, result, told, write

DAY = [*logs.header(), *EVERY]
COLUMNS = f"#Fields: {logs.FIELDS}"


def test_a_header_that_is_cut_where_the_look_at_a_file_ends(tmp_path: Path) -> None:
    """As where the service was started again soon: what is left of the line says something else."""
    lines = logs.raw([*logs.header(), *OLD])
    again = logs.raw(logs.header())
    filler = logs.raw(["#Date: 2026-01-05T09:59:59.000Z"]) * 300
    for cut in range(20, 120, 7):
        missing = 8192 - len(lines) - again.index(b"#Fields") - cut
        path = tmp_path / f"{cut}.log"
        path.write_bytes(lines + (filler[: missing - 2] + b"\r\n") + again + logs.raw(NEW))
        assert [peer["peer"] for peer in result(path)["old_tls"]] == ["192.0.2.7"]


def test_lines_with_other_columns_are_not_taken_for_read(tmp_path: Path) -> None:
    other = [COLUMNS.replace("data,context", "data"), COLUMNS.replace(",event,", ",note,event,"), *NEW]
    long = ["#Date: 2026-01-05T09:59:59.000Z"] * 300
    write(tmp_path / "a.log", [*logs.header(), *OLD, *long, *other])
    found = result(tmp_path)
    assert ([peer["peer"] for peer in found["old_tls"]], found["complete"]) == (["192.0.2.7"], False)
    assert "columns" in found["other_files"][0]["reason"]
    # those of other logs were never looked for
    write(tmp_path / "a.log", [*logs.header(), *OLD, *long, "#Log-type: Message Tracking Log", "#Fields: a,b", "c,d"])
    assert result(tmp_path)["complete"]


def test_marks_of_the_encoding_are_no_part_of_a_line(tmp_path: Path) -> None:
    """Without a header, and where files were put together."""
    mark = "\ufeff"
    write(tmp_path / "RECV.log", [mark + PLAIN[0], *PLAIN[1:], mark + OLD[0], *OLD[1:], mark + logs.header()[0], *NEW])
    found = result(tmp_path)
    assert (told(found), found["damaged_lines"]) == (WHOLE, 0)
