# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms of files with logs: copies, headers that are cut or say other columns, marks of the encoding."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import BinaryIO

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import files, reading

from . import logs
from .test_reading import EVERY, NEW, OLD, PLAIN, WHOLE, result, told, write

DAY = [*logs.header(), *EVERY]
COLUMNS = f"#Fields: {logs.FIELDS}"


@pytest.mark.parametrize(
    ("names", "parts", "left_out"),
    [
        (["a.log", "b.log"], [DAY, DAY], ["b.log"]),
        (["ex01/Hub/a.log", "ex01/old/a.log"], [DAY, DAY], ["old/a.log"]),
        (["a.log", "a.log.gz"], [DAY, DAY], ["a.log.gz"]),
        # of which the end is found at once
        (["a.gz", "b.log"], [DAY, DAY], ["a.gz"]),
        # as it was a day before
        (["monday/a.log", "monday/b/a.log", "monday/c/a.log"], [DAY[:-9], DAY, DAY[:-4]], ["monday/a.log", "c/a.log"]),
    ],
)
def test_a_copy_of_a_log_counts_once(
    tmp_path: Path, names: list[str], parts: list[list[str]], left_out: list[str]
) -> None:
    for name, part in zip(names, parts, strict=True):
        write(tmp_path / name, part)
    found = result(tmp_path)
    assert told(found) == WHOLE
    assert (found["complete"], found["files"]) == (True, 1)
    others = found["other_files"]
    assert all(other["file"].endswith(name) for other, name in zip(others, left_out, strict=True))
    assert all(other["reason"].startswith("is a copy of") for other in others)


def test_a_copy_with_other_ends_of_lines_counts_once(tmp_path: Path) -> None:
    """As programs that take it for a text leave it."""
    write(tmp_path / "a.log", DAY)
    (tmp_path / "b.log").write_bytes((tmp_path / "a.log").read_bytes().replace(b"\r\n", b"\n"))
    write(tmp_path / "c.log", DAY[:-4])
    found = result(tmp_path)
    assert told(found) == WHOLE
    assert found["files"] == 1
    assert {Path(other["file"]).name for other in found["other_files"]} == {"b.log", "c.log"}


@pytest.mark.parametrize("part", [1, 7, 1 << 16])
def test_copies_are_found_wherever_their_parts_end(tmp_path: Path, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_PART", part)
    test_a_copy_with_other_ends_of_lines_counts_once(tmp_path)


@pytest.mark.parametrize(
    "parts",
    [
        # of two servers; with other lines behind the same ones; of the same moment; cut in another place
        {"ex01/a.log": DAY, "ex02/a.log": DAY},
        {"a.log": [*DAY, NEW[0]], "b.log": [*DAY, OLD[0]]},
        {"a.log": [*logs.header(), OLD[0]], "b.log": [*logs.header(), NEW[0]]},
        {"a.log": DAY[:20], "b.log": [*logs.header(), *DAY[20:]]},
    ],
)
def test_what_only_begins_alike_is_no_copy(tmp_path: Path, parts: dict[str, list[str]]) -> None:
    for name, part in parts.items():
        write(tmp_path / name, part)
    found = result(tmp_path)
    assert (found["files"], found["other_files"]) == (2, [])


def test_many_logs_that_begin_alike_are_not_each_held_against_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        write(tmp_path / f"{number:02}.log", [*logs.header(), *OLD, *[NEW[0]] * number, PLAIN[0]])
    write(tmp_path / "copy.log", [*logs.header(), *OLD, *[NEW[0]] * 59, PLAIN[0], PLAIN[1]])
    opened: list[str] = []
    real = files._open

    def counted(source: files.Source) -> BinaryIO:
        opened.append(source.path)
        return real(source)

    monkeypatch.setattr(files, "_open", counted)
    sources, others = files.find([str(tmp_path)])
    assert len(opened) <= 2 * 60 * files.MOST_ALIKE
    assert (len(sources), [Path(other["file"]).name for other in others]) == (60, ["59.log"])


def test_a_log_whose_first_line_is_long_has_its_place_in_time(tmp_path: Path) -> None:
    """The first line has the time, also where the look at a file does not reach its end."""
    text = "x" * 9000
    write(tmp_path / "a.log", [*logs.header(), *PLAIN])
    write(tmp_path / "b.log", [*logs.header(), f'{OLD[0][: -len("+,,")]}<,"{text}",', *OLD[1:]])
    write(tmp_path / "c.log", [*logs.header(), f'{OLD[0][: -len("+,,")]}<,"{text}",', *OLD[1:]])
    sources, others = files.find([str(tmp_path)])
    assert all(source.first for source in sources)
    assert [Path(other["file"]).name for other in others] == ["c.log"]


def test_a_copy_that_cannot_be_read_to_its_end_is_told(tmp_path: Path) -> None:
    write(tmp_path / "a.log", DAY)
    (tmp_path / "b.log.gz").write_bytes(gzip.compress(logs.raw(DAY))[:-9])
    assert not result(tmp_path)["complete"]


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


def test_a_file_with_other_columns_in_many_parts_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PART", 1 << 12)
    other = [COLUMNS.replace(",event,", ",note,event,"), *NEW]
    long = ["#Date: 2026-01-05T09:59:59.000Z"] * 300
    write(tmp_path / "a.log", [*logs.header(), *OLD, *long, *(other + [*logs.header(), *PLAIN] * 20) * 3])
    found = result(tmp_path)
    assert (len(found["other_files"]), found["complete"]) == (1, False)


def test_marks_of_the_encoding_are_no_part_of_a_line(tmp_path: Path) -> None:
    """Without a header, and where files were put together."""
    mark = "\ufeff"
    write(tmp_path / "RECV.log", [mark + PLAIN[0], *PLAIN[1:], mark + OLD[0], *OLD[1:], mark + logs.header()[0], *NEW])
    found = result(tmp_path)
    assert (told(found), found["damaged_lines"]) == (WHOLE, 0)
