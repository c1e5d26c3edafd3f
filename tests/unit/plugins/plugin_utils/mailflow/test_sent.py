# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections of a send log since a moment: what is found of them, in whichever file and folder it is."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import files, send_logs, sent
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.laws import examples

from . import logs

CLOUD = "To Office 365"
MESSAGE = "<1@here>"
CUT = [*logs.BEGIN, logs.OFFER, "<,STARTTLS,", '*,,"TLS negotiation failed with error SocketError"', "-,,Local"]
NAMED = [
    f'*,08DE;2026-01-05T09:00:00.000Z;1,"sending message with RecordId 1 and InternetMessageId {MESSAGE}"',
    f'<,"250 2.6.0 {MESSAGE} [InternalId=1, Hostname=mx.fabrikam.example] 4000 bytes in 0.1, 31.2 KB/sec Queued mail",',
]


def events(version: str = "TLS1_2", *more: str) -> list[str]:
    side = [logs.agreed(version, logs.CLIENT)]
    return [*logs.BEGIN, logs.OFFER, "<,STARTTLS,", ">,220 ready,", *side, *more, *logs.MAIL, *logs.END]


def at(minute: int, what: list[str], number: int, connector: str = CLOUD, peer: str = "192.0.2.9") -> list[str]:
    lines = logs.session(
        what, number=number, connector=connector, peer=peer, port=25, local=f"10.0.0.1:{4000 + number}"
    )
    return [line.replace("T09:00:", f"T09:{minute:02}:", 1) for line in lines]


def log(*sessions: list[str]) -> bytes:
    return logs.raw([*logs.header("Send"), *(line for lines in sessions for line in lines)])


def test_each_connection_is_told_with_how_it_ended() -> None:
    found = sent.connections(
        log(at(1, CUT, 1), at(2, events("TLS1_0"), 2), at(3, events("TLS1_2", *NAMED), 3), at(4, logs.plain(), 4)),
        MESSAGE,
    )
    assert [(item.time[11:16], item.version, item.failure, item.is_proof, item.has_message) for item in found] == [
        ("09:01", None, "SocketError", False, False),
        ("09:02", "TLS 1.0", None, False, False),
        ("09:03", "TLS 1.2", None, True, True),
        ("09:04", None, None, False, False),
    ]
    assert {(item.connector, item.peer, item.inside) for item in found} == {(CLOUD, "192.0.2.9", False)}


def test_a_hop_to_a_service_of_exchange_is_inside() -> None:
    lines = logs.session(events(), connector=CLOUD, peer="10.0.0.2", port=2525, local="10.0.0.1:4000")
    (found,) = sent.connections(logs.raw(lines))
    assert found.inside


def test_what_was_received_is_no_connection_of_ours() -> None:
    lines = logs.session(logs.tls())
    assert sent.connections(logs.raw([*logs.header("Receive"), *lines])) == []


@examples(100)
@given(st.binary(max_size=400))
def test_any_bytes_are_taken(junk: bytes) -> None:
    sent.connections(junk, MESSAGE)


# --- since a moment --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("minute", [0, 1, 30, 58, 59])
def test_only_what_began_since_counts(tmp_path: Path, minute: int, packed: bool) -> None:
    """Found by halves in a file of many blocks, and by reading in a packed one."""
    # half a megabyte, so that a search by halves has something to search in
    text = log(*(at(number // 10, events(), number) for number in range(600)))
    name = tmp_path / ("SEND2026010509-1.LOG.gz" if packed else "SEND2026010509-1.LOG")
    name.write_bytes(gzip.compress(text, 1) if packed else text)
    found, newest, unread = send_logs.read(str(tmp_path), f"2026-01-05T09:{minute:02}:00")
    assert unread == []
    assert newest[:16] == "2026-01-05T09:00" if packed else newest[:16] == "2026-01-05T09:59"
    assert [item.time[14:16] for item in found] == [f"{number // 10:02}" for number in range(minute * 10, 600)]


@examples(60)
@given(st.lists(st.integers(0, 59), min_size=1, max_size=60).map(sorted), st.integers(0, 60), st.booleans())
def test_the_search_by_halves_finds_what_reading_finds(minutes: list[int], wanted: int, has_header: bool) -> None:
    """Whatever the lengths of the lines, and without a header too."""
    lines = [f"2026-01-05T09:{minute:02}:00.000Z,{'x' * (minute * 37 % 4000)}\r\n".encode() for minute in minutes]
    head = b"#Fields: date-time,connector-id\r\n" if has_header else b""
    moment = f"2026-01-05T09:{wanted:02}".encode()
    with tempfile.NamedTemporaryFile() as file:
        file.write(head + b"".join(lines))
        file.flush()
        size = len(head) + sum(map(len, lines))
        source = files.Source(file.name, "", files.SMTP, size, None, b"", False)
        assert files.since(source, moment, 1 << 20) == b"".join(line for line in lines if line[:16] >= moment)


def test_several_files_and_others_beside_them(tmp_path: Path) -> None:
    (tmp_path / "SEND1.LOG").write_bytes(log(at(1, events(), 1)).removesuffix(b"\r\n"))
    (tmp_path / "SEND2.LOG").write_bytes(log(at(2, events(), 2)))
    (tmp_path / "RECV1.LOG").write_bytes(logs.raw([*logs.header("Receive"), *logs.session(logs.tls(), number=3)]))
    (tmp_path / "readme.txt").write_text("Nothing.", encoding="ascii")
    (tmp_path / "SEND3.LOG.gz").write_bytes(b"\x1f\x8b nothing that can be unpacked")
    found, newest, unread = send_logs.read(str(tmp_path), "2026-01-05T09:00:00")
    assert newest[:16] == "2026-01-05T09:02"
    assert [item.time[14:16] for item in found] == ["01", "02"]
    assert len(unread) == 1
    assert "SEND3.LOG.gz" in unread[0]


# --- whose logs they are ---------------------------------------------------------------------------------------------


def test_of_much_that_was_logged_the_newest_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look reads it again; the last connections must be the last."""
    (tmp_path / "SEND1.LOG").write_bytes(log(*(at(number, events(), number) for number in range(20))))
    (tmp_path / "SEND2.LOG").write_bytes(log(*(at(20 + number, events(), 20 + number) for number in range(20))))
    monkeypatch.setattr(send_logs, "_MOST", 30_000)
    found = [int(item.time[14:16]) for item in send_logs.read(str(tmp_path), "2026-01-05T09:05:00").connections]
    assert found[-1] == 39
    assert found == list(range(found[0], 40))
    assert 5 < found[0] < 39


@pytest.mark.parametrize(
    ("lines", "taken"),
    [
        (NAMED[1:], True),
        ([NAMED[0], "<,250 2.1.0 Sender OK,", "<,250 2.1.5 Recipient OK,", "<,250 2.0.0 OK,"], True),
        ([NAMED[0], "<,250 2.1.0 Sender OK,", "<,250 2.1.5 Recipient OK,"], False),
        ([NAMED[0], f'<,"550 5.7.1 {MESSAGE} not wanted",', "<,250 2.0.0 OK,"], False),
        (["<,250 2.6.0 <another@here> Queued mail for delivery,"], False),
    ],
)
def test_a_message_was_taken_where_a_reply_says_so(lines: list[str], taken: bool) -> None:
    """Whether the sender names it or the reply; what is said of another message counts for nothing."""
    (found,) = sent.connections(log(at(3, events("TLS1_2", *lines), 3)), MESSAGE)
    assert found.has_message is taken


def test_what_is_no_time_is_not_taken_for_one() -> None:
    raw = log(at(3, events(), 3)).replace(b"T09:03:", b"T08:00\x1b[31m")
    assert all("\x1b" not in item.time for item in sent.connections(raw))


def test_a_service_that_was_started_again_writes_another_header(tmp_path: Path) -> None:
    lines = [log(*(at(minute, events(), minute) for minute in range(begin, begin + 15))) for begin in (0, 15, 30, 45)]
    (tmp_path / "SEND1.LOG").write_bytes(b"".join(lines))
    for minute in range(60):
        found = send_logs.read(str(tmp_path), f"2026-01-05T09:{minute:02}:00").connections
        assert [int(item.time[14:16]) for item in found] == list(range(minute, 60))


def test_the_folder_of_a_server(tmp_path: Path) -> None:
    for name in ("ex01", "EX02.example.com", "other"):
        (tmp_path / name).mkdir()
    given = [str(tmp_path)]
    assert send_logs.of_server(given, ("EX01.example.com", "10.0.0.1"), is_alone=False).folder == str(tmp_path / "ex01")
    assert send_logs.of_server(given, ("ex02",), is_alone=True).folder == str(tmp_path / "EX02.example.com")
    missing = send_logs.of_server(given, ("ex03",), is_alone=False)
    assert missing.folder is None
    assert missing.note == f"there is no folder ex03 with its send logs in {tmp_path}"
    assert send_logs.of_server(given, ("ex03",), is_alone=True).folder == str(tmp_path)
    assert send_logs.of_server([str(tmp_path / "file.log")], ("ex01",), is_alone=True) == (None, None)
    assert send_logs.of_server([], ("ex01",), is_alone=True) == (None, None)


def test_a_first_name_that_two_servers_have_is_nobodys(tmp_path: Path) -> None:
    for name in ("ex01.contoso.example", "ex01.fabrikam.example"):
        (tmp_path / name).mkdir()
    given = [str(tmp_path)]
    exact = send_logs.of_server(given, ("ex01.fabrikam.example",), is_alone=False)
    assert exact.folder == str(tmp_path / "ex01.fabrikam.example")
    assert send_logs.of_server(given, ("ex01",), is_alone=False).folder is None


def test_a_path_of_the_server_itself(tmp_path: Path) -> None:
    own = tmp_path / "ex05" / "SmtpSend"
    own.mkdir(parents=True)
    assert send_logs.of_server([str(own)], ("ex05.example.com",), is_alone=False).folder == str(own)
    assert send_logs.of_server([str(own)], ("ex06",), is_alone=False).folder is None
