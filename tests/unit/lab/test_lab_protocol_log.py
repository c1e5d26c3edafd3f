# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The protocol logs that the lab writes: their layout, how the collection reads them, and recordings beside them."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import smtp_log, symptoms

from tests.lab.exchange.protocol_log import RECEIVE, SEND, Ends, ProtocolLog
from tests.lab.exchange.sessions import DROPPED, LEFT, MAIL, REFUSED, Attempt, Dialogue, last_error
from tests.lab.suites import exchange_online
from tests.unit.recordings import entries

AT = 1767603604.0  # 2026-01-05T09:00:04Z
AGREED = ("TLS 1.2", exchange_online().suites[0])
TLS = Attempt(MAIL, tls=True, agreed=AGREED)
LOST = Attempt(DROPPED, tls=True)
ENDS = {
    SEND: Ends("To the cloud", "127.77.0.11:20001", "192.0.2.25:25"),
    RECEIVE: Ends(r"EX01\Default Frontend EX01", "127.77.0.11:25", "192.0.2.26:20002"),
}


def dialogue(at: float = AT, messages: int = 2) -> Dialogue:
    return Dialogue("ex01.lab.test", "mx.example.com", "127.77.0.11", "a@lab.test", "b@example.com", messages, at)


def written(folder: Path, direction: str, attempt: Attempt) -> bytes:
    ProtocolLog(folder, direction).write(ENDS[direction], attempt, dialogue())
    (path,) = folder.iterdir()
    return path.read_bytes()


@pytest.mark.parametrize("direction", [SEND, RECEIVE])
def test_the_layout(tmp_path: Path, direction: str) -> None:
    content = written(tmp_path, direction, TLS).decode()
    assert content.count("\n") == content.count("\r\n")
    lines = content.split("\r\n")
    assert lines[:3] == [
        "#Software: Microsoft Exchange Server",
        "#Version: 15.0.0.0",
        f"#Log-type: SMTP {direction} Protocol Log",
    ]
    assert re.fullmatch(r"#Date: 2026-01-05T09:00:04\.\d{3}Z", lines[3])
    rows = list(csv.reader(lines[5:-1]))
    assert {len(row) for row in rows} == {len(lines[4].partition(": ")[2].split(","))} == {9}
    assert [int(row[3]) for row in rows] == list(range(len(rows)))
    assert len({row[2] for row in rows}) == 1
    assert re.fullmatch(r"[0-9A-F]{16}", rows[0][2])
    assert rows == sorted(rows, key=lambda row: row[0])
    begins = [row[6] for row in rows].index("+")
    assert begins == (2 if direction == SEND else 0)
    assert {row[4] for row in rows[:begins]} <= {""}
    assert {row[4] for row in rows[begins:]} == {ENDS[direction].local}
    greeting = next(row for row in rows if row[7].startswith("220 "))
    assert greeting[6] == ("<" if direction == SEND else ">")
    assert rows[-1][6:] == ["-", "", "Local"]


def test_files_are_of_an_hour_and_of_one_start(tmp_path: Path) -> None:
    log = ProtocolLog(tmp_path, SEND)
    for at in (AT, AT + 60, AT + 3600):
        log.write(ENDS[SEND], TLS, dialogue(at))
    log.begin()
    log.write(ENDS[SEND], TLS, dialogue(AT + 3660))
    found = {path.name: path.read_text(encoding="utf-8") for path in sorted(tmp_path.iterdir())}
    assert list(found) == ["SEND2026010509-1.LOG", "SEND2026010510-1.LOG", "SEND2026010510-2.LOG"]
    assert [text.count(",+,") for text in found.values()] == [2, 1, 1]
    assert [text.count("#Fields") for text in found.values()] == [1, 1, 1]
    numbers = {line.split(",")[2] for text in found.values() for line in text.splitlines() if ",+," in line}
    assert len(numbers) == 4


@pytest.mark.parametrize("direction", [SEND, RECEIVE])
@pytest.mark.parametrize(
    ("attempt", "outcome", "error"),
    [
        (TLS, "tls_ok", None),
        (LOST, "tls_failed", "SocketError"),
        (Attempt(MAIL), "plain_mail", None),
        (Attempt(LEFT, offered=False), "no_message", None),
    ],
)
def test_how_the_collection_reads_them(
    tmp_path: Path, direction: str, attempt: Attempt, outcome: str, error: str | None
) -> None:
    (session,), damaged = smtp_log.sessions_of(written(tmp_path, direction, attempt))
    found = session.as_result()
    assert damaged == 0
    assert (found["direction"], found["result"], found["error"]) == (direction.lower(), outcome, error)
    assert found["tls_version"] == ("TLS 1.2" if attempt.agreed else None)
    assert found["complete_start"]
    assert found["starttls_offered"] is attempt.offered


@pytest.mark.parametrize("version", ["2013", "2016", "2019"])
def test_what_the_last_error_means(version: str) -> None:
    for ends, kind in ((DROPPED, "connection_dropped_socket_error"), (REFUSED, "starttls_required")):
        text = last_error(Attempt(ends, tls=True), version, "mx.example.com", "192.0.2.25", AT)
        found = symptoms.explain(text).as_result()
        assert found["kind"] == kind
        assert found["address"].startswith("192.0.2.25")


def shape(sentence: str) -> str:
    """Without the names of algorithms and the numbers."""
    return re.sub(r"(?<=with strength )\d+", "N", re.sub(r"CALG_\w+|SP_PROT_\w+", "X", sentence))


@pytest.mark.parametrize("entry", entries("protocol_logs.json"))
def test_recordings_have_the_same_shape(tmp_path: Path, entry: dict[str, Any]) -> None:
    recorded = entry["input"]["header"] or []
    if not any(line.startswith("#Version: 15") for line in recorded):
        return
    direction = SEND if any("Send" in line for line in recorded) else RECEIVE
    ours = written(tmp_path, direction, TLS).decode().split("\r\n")
    assert [re.sub("#Date: .*", "", line) for line in recorded] == [re.sub("#Date: .*", "", line) for line in ours[:5]]
    mine, theirs = (list(csv.reader(lines)) for lines in (ours[5:-1], entry["input"]["lines"]))
    assert {len(row) for row in theirs} <= {9}
    assert {row[6] for row in theirs} <= {row[6] for row in mine} | {"-"}
    sentences = {shape(row[8]) for row in theirs if row[8].startswith("TLS protocol ")}
    assert sentences <= {shape(row[8]) for row in mine}
    if direction == SEND:
        opening = [row[4:5] + row[6:] for row in theirs if row[4] == ""]
        assert [row for row in opening if row not in [own[4:5] + own[6:] for own in mine]] == []


@pytest.mark.parametrize("entry", entries("last_errors.json"))
def test_recorded_last_errors_have_the_same_parts(entry: dict[str, Any]) -> None:
    parts = re.compile(r"\{(\w+)=")
    own = set(parts.findall(last_error(LOST, "2016", "mx.example.com", "192.0.2.25", AT)))
    assert own == {"LRT", "LED", "FQDN", "IP"}
    assert own <= (set(parts.findall(entry["input"])) | own) <= own | {"MSG"}
