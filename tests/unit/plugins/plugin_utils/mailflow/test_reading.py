# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs in files and folders: joined in the order of time, whatever their names and wherever they are cut."""

from __future__ import annotations

import gzip
import io
import itertools
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import files, outcome, reading, tally
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.laws import examples

from . import logs

OLD = logs.session(logs.tls("TLS1_0"), number=1)
PLAIN = logs.session(logs.plain(), number=2, peer="192.0.2.8")
NEW = logs.session(logs.tls(), number=3, peer="192.0.2.9")
EVERY = logs.woven([OLD, PLAIN, NEW])


def write(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = logs.raw(lines)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def result(*paths: Path, **options: Any) -> dict[str, Any]:
    return outcome.as_result(reading.read(map(str, paths), **options))


def told(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (row["peer"], row["versions"], row["sessions"]) for row in sorted(found["rows"], key=lambda row: row["peer"])
    ]


WHOLE = [
    ("192.0.2.7", {"TLS 1.0": 1}, {"tls": 1}),
    ("192.0.2.8", {}, {"plain_mail": 1}),
    ("192.0.2.9", {"TLS 1.2": 1}, {"tls": 1}),
]


def test_a_file(tmp_path: Path) -> None:
    found = result(write(tmp_path / "RECV2026010509-1.LOG", [*logs.header(), *EVERY]))
    assert told(found) == WHOLE
    assert found["complete"]
    assert (found["files"], found["lines"], found["damaged_lines"]) == (1, len(EVERY) + 5, 0)
    (old,) = found["old_tls"]
    assert old == {
        "server": "",
        "direction": "receive",
        "peer": "192.0.2.7",
        "connectors": ["EX01\\Default Frontend EX01"],
        "versions": {"TLS 1.0": 1},
        "sessions": 1,
        "last_day": "2026-01-05",
        "newer_day": None,
    }
    assert [(item["peer"], item["mails"], item["fallback"]) for item in found["plain_text"]] == [
        ("192.0.2.8", {"offered": 1}, False)
    ]


@pytest.mark.parametrize(
    "names", [("a.log", "b.log"), ("b.log", "a.log"), ("RECV2026010509-1.LOG.gz", "RECV2026010509-0.LOG")]
)
@pytest.mark.parametrize("place", range(3, len(EVERY), 4))
def test_a_session_goes_on_in_another_file(tmp_path: Path, names: tuple[str, str], place: int) -> None:
    """Whatever the names say: the order is that of time."""
    later = [line.replace("T09:", "T10:") for line in EVERY[place:]]
    write(tmp_path / names[0], [*logs.header(), *EVERY[:place]])
    write(tmp_path / names[1], [*logs.header(), *later])
    assert told(result(tmp_path)) == WHOLE


@pytest.mark.parametrize(
    ("events", "mails"),
    [
        ([*logs.BEGIN, logs.OFFER, *logs.NO_SENDER, *logs.END], []),
        ([*logs.BEGIN, logs.OFFER, *logs.NO_RECIPIENT, *logs.END], []),
        ([*logs.BEGIN, *logs.OFFER_2010, *logs.NO_RECIPIENT, *logs.END], []),
        ([*logs.BEGIN, logs.OFFER, *logs.NO_SENDER, *logs.ENVELOPE, *logs.CHUNKS, *logs.END], [{"offered": 1}]),
        ([*logs.BEGIN, logs.OFFER, *logs.NO_CHUNKS, *logs.END], []),
        (logs.tls(), []),
    ],
)
def test_mail_that_was_refused_did_not_go_in_plain_text(
    tmp_path: Path, events: list[str], mails: list[dict[str, int]]
) -> None:
    """In one file, or wherever the next one begins."""
    lines = logs.session(events)
    for place in range(len(lines)):
        folder = tmp_path / str(place)
        write(folder / "a.log", [*logs.header(), *lines[: place or None]])
        if place:
            write(folder / "b.log", [*logs.header(), *[line.replace("T09:", "T10:") for line in lines[place:]]])
        found = result(folder)
        assert [item["mails"] for item in found["plain_text"]] == mails
        assert ("Plain text with" in outcome.summary(found)) == bool(mails)


@pytest.mark.parametrize(
    ("logins", "count"),
    [(["AUTH NTLM"], 0), (["AUTH LOGIN"], 1), (["AUTH NTLM", "AUTH LOGIN"], 1), (["AUTH LOGIN", "AUTH NTLM"], 1)],
)
def test_a_login_that_shows_no_password_shows_none_in_two_files(tmp_path: Path, logins: list[str], count: int) -> None:
    answers = [">,334 <authentication response>,"] * 2
    tried = [event for login in logins for event in (f"<,{login},", *answers, ">,535 5.7.3 Unsuccessful,")]
    lines = logs.session([*logs.BEGIN, logs.OFFER, *tried, *logs.END])
    for place in range(1, len(lines)):
        folder = tmp_path / str(place)
        write(folder / "a.log", [*logs.header(), *lines[:place]])
        write(folder / "b.log", [*logs.header(), *[line.replace("T09:", "T10:") for line in lines[place:]]])
        assert [item["logins"] for item in result(folder)["plain_text"]] == [1] * count


def test_old_tls_of_a_hop_is_that_of_its_servers(tmp_path: Path) -> None:
    """And not that of the client which the front end names."""
    told_on = "<,XPROXYFROM SID=08DE000000000001 IP=198.51.100.70 PORT=50100 DOMAIN=app SEQNUM=1,"
    events = [*logs.tls("TLS1_0")[:7], told_on, *logs.tls()[7:]]
    write(tmp_path / "RECV.LOG", [*logs.header(), *logs.session(events, peer="10.0.0.2", local="10.0.0.1:2525")])
    found = result(tmp_path)
    assert [item["peer"] for item in found["inside_old_tls"]] == ["10.0.0.2"]
    assert found["old_tls"] == []


def test_without_the_earlier_file_tls_is_unknown(tmp_path: Path) -> None:
    write(tmp_path / "RECV.LOG", [*logs.header(), *PLAIN[4:]])
    found = result(tmp_path)
    assert found["plain_text"] == []
    assert [row["sessions"] for row in found["rows"]] == [{"incomplete": 1}]


@examples(25)
@given(size=st.integers(200, 5000), repeated=st.booleans())
def test_parts_of_a_file_are_joined(tmp_path_factory: pytest.TempPathFactory, size: int, repeated: bool) -> None:
    """Wherever it is cut, also where a header within it says another direction."""
    lines = [*logs.header(), *EVERY]
    if repeated:
        other = logs.session(logs.tls("TLS1_1"), number=9, peer="192.0.2.6", port=25, connector="EX\\Out")
        lines = [*lines, *logs.header("Send"), *other]
    path = write(tmp_path_factory.mktemp("logs") / "a.log", lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "PART", size)
        found = result(path, processes=1)
    assert told(found) == ([("192.0.2.6", {"TLS 1.1": 1}, {"tls": 1})] if repeated else []) + WHOLE
    assert found["lines"] == len(lines)
    assert {row["direction"] for row in found["rows"]} == ({"receive", "send"} if repeated else {"receive"})


def test_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PART", 700)
    write(tmp_path / "a.log", [*logs.header(), *EVERY])
    assert told(result(tmp_path, processes=2)) == WHOLE


def test_where_no_process_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def __init__(self, *dummy: Any, **dummies: Any) -> None:
            pass

        def submit(self, *dummy: Any) -> None:
            raise AssertionError("daemonic processes are not allowed to have children")

        def shutdown(self, **dummies: Any) -> None:
            pass

    monkeypatch.setattr(reading.concurrent.futures, "ProcessPoolExecutor", Refusing)
    monkeypatch.setattr(reading, "PART", 700)
    write(tmp_path / "a.log", [*logs.header(), *EVERY])
    assert told(result(tmp_path, processes=2)) == WHOLE


def test_limits(tmp_path: Path) -> None:
    write(tmp_path / "a.log", [*logs.header(), *OLD])
    later = write(tmp_path / "b.log", [*logs.header(), *[line.replace("T09:", "T10:") for line in NEW]])
    found = result(tmp_path, limits=reading.Limits(size=10))
    assert found["stopped"] == {"file": str(later), "byte": 0, "limit": "bytes"}
    assert not found["complete"]
    assert [row["peer"] for row in found["rows"]] == ["192.0.2.7"]
    assert result(tmp_path, limits=reading.Limits(seconds=1e-9))["stopped"]["limit"] == "seconds"


def test_days_before_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "a.log", [*logs.header(), *OLD, *logs.session(logs.tls(), number=5, day="2026-01-06")])
    found = result(tmp_path, since="2026-01-06")
    assert (found["old_tls"], found["first_day"]) == ([], "2026-01-06")


def test_progress(tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", [*logs.header(), *EVERY])
    said: list[tuple[int, int]] = []
    reading.read([str(path)], progress=lambda done, total: said.append((done, total)))
    assert said == [(path.stat().st_size, path.stat().st_size)]


def test_folders_are_servers(tmp_path: Path) -> None:
    write(tmp_path / "ex01" / "SmtpReceive" / "a.log", [*logs.header(), *OLD])
    write(tmp_path / "b.log", [*logs.header(), *OLD])
    assert sorted(peer["server"] for peer in result(tmp_path)["old_tls"]) == ["", "ex01"]
    assert [peer["sessions"] for peer in result(tmp_path / "b.log", tmp_path / "b.log")["old_tls"]] == [1]


def test_files_that_are_none(tmp_path: Path) -> None:
    write(tmp_path / "a.log", [*logs.header(), *OLD])
    (tmp_path / "b.txt").write_text("some notes\n")
    (tmp_path / "c.log").write_bytes("\n".join(logs.header()).encode("utf-16"))
    (tmp_path / "d.log").touch()
    (tmp_path / "e.log.gz").write_bytes(gzip.compress(logs.raw([*logs.header(), *NEW] * 99))[:400])
    write(tmp_path / "f.log", ["#Log-type: Message Tracking Log", "#Fields: a,b"])
    found = result(tmp_path)
    reasons = {Path(item["file"]).name: item["reason"] for item in found["other_files"]}
    assert set(reasons) == {"b.txt", "c.log", "d.log", "e.log.gz", "f.log"}
    assert "UTF-16" in reasons["c.log"]
    assert not found["complete"]
    assert len(found["old_tls"]) == 1


def quoted(lines: list[str]) -> list[str]:
    """As Export-Csv writes them."""
    return [",".join(f'"{field}"' for field in line.split(",", 8)) for line in lines]


COLUMNS = f"#Fields: {logs.FIELDS}"
ARCHIVE = io.BytesIO()
with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_STORED) as archive:
    archive.writestr("RECV.LOG", logs.raw([*logs.header(), *OLD]))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        # of which no line is one of a log any more
        (logs.raw(f"RECV.LOG:{line}" for line in OLD), "none of its"),
        (logs.raw(f"    {line}" for line in OLD), "none of its"),
        (
            logs.raw([*logs.header(), *(line.replace("2026-01-05T09:00:", "05.01.2026 09:00:") for line in OLD)]),
            "none of",
        ),
        (logs.raw([*logs.header(), *(line.replace("T", " ", 1) for line in OLD)]), "none of its"),
        (logs.raw(["#TYPE System.Management.Automation.PSCustomObject", *quoted([logs.FIELDS, *OLD])]), "none of its"),
        ("\r\n".join([*logs.header(), *OLD, ""]).encode("utf-16-le"), "none of its"),
        # or that is not taken for a log, although it names the columns of one
        (logs.raw(quoted([logs.FIELDS, *OLD])), "another program"),
        (logs.raw(line.replace(",", ";") for line in [*logs.header(), *OLD]), "another program"),
        (logs.raw(line.replace(",", "\t") for line in [*logs.header(), *OLD]), "another program"),
        (logs.raw(line.replace(",", ";") for line in [COLUMNS, *OLD]), "another program"),
        (
            b"#Software:,Microsoft,Internet\n#Fields:,date,time,c-ip,s-port,cs-method,crypt-protocol\n",
            "another program",
        ),
        (b"#Fields:\tdate\ttime\tc-ip\ts-port\tcs-method\tcrypt-protocol\n", "another program"),
        # an archive
        (ARCHIVE.getvalue(), "archive"),
        (b"7z\xbc\xaf\x27\x1c\0\4 and more\n", "archive"),
        (b"MSCF\0\0\0\0 and more\n", "archive"),
    ],
)
def test_a_log_that_something_else_has_saved_is_not_taken_for_read(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.log").write_bytes(content)
    found = result(tmp_path)
    (other,) = found["other_files"]
    assert other["reason"].startswith(files.CANNOT)
    assert reason in other["reason"]
    assert (found["complete"], found["rows"]) == (False, [])
    assert "No peer with" not in outcome.summary(found)


@pytest.mark.parametrize(
    "lines",
    [
        # what Excel makes of the header; nothing but a header; nothing of the days that count; a piece of a log
        [*(f"{line},,,,,,,," for line in logs.header()[:4]), COLUMNS, *OLD],
        logs.header(),
        [*logs.header(), *(line.replace("2026-01", "2025-01") for line in OLD), "damaged"],
        ["of a line,", OLD[0]],
        [*logs.header(), *[""] * 9, OLD[0], *["damaged"] * 9],
    ],
)
def test_a_log_that_tells_little_is_read_all_the_same(tmp_path: Path, lines: list[str]) -> None:
    write(tmp_path / "RECV.LOG", lines)
    (tmp_path / "readme.txt").write_text("the date-time of the connector\n")
    found = result(tmp_path, since="2026-01-01")
    assert found["complete"]
    assert [item["reason"] for item in found["other_files"]] == ["is no log"]


def test_where_nothing_was_seen_nothing_is_said_of_peers(tmp_path: Path) -> None:
    write(tmp_path / "RECV.LOG", logs.header())
    assert outcome.summary(result(tmp_path)) == "5 lines of 1 files, which show no session."


def test_a_path_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"there is no .*nowhere"):
        reading.read([str(tmp_path / "nowhere")])


def test_too_many_peers_keep_their_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tally, "MOST_NAMED", 2)
    sessions = [logs.session(logs.tls("TLS1_0"), number=number, peer=f"192.0.2.{number}") for number in range(1, 6)]
    found = result(write(tmp_path / "a.log", [*logs.header(), *logs.woven(sessions)]))
    assert sum(peer["sessions"] for peer in found["old_tls"]) == 5
    assert [peer["sessions"] for peer in found["old_tls"] if peer["peer"] == "(other peers)"] == [3]
    assert found["sessions_without_name"] == 3


def test_of_equal_places_and_kinds_there_is_one_object(tmp_path: Path) -> None:
    """Which is sent from one process to another once."""
    sessions = [logs.session(events, number=number) for number, events in enumerate([logs.tls("TLS1_0"), logs.plain()])]
    sessions.append(logs.session(logs.tls("TLS1_0"), number=9, peer="192.0.2.9"))
    counts = reading.read([str(write(tmp_path / "a.log", [*logs.header(), *logs.woven(sessions)]))]).tally.counts
    assert len({id(place) for place, dummy in counts}) == 2
    assert len({id(what) for dummy, what in counts}) == 2


GREETED = ["+,,", "<,220 mx ready,", ">,EHLO ex01,"]
CUT = [*GREETED, logs.OFFER.replace(">", "<", 1), ">,STARTTLS,", "*,,TLS negotiation failed with error SocketError"]
BARE = [">,MAIL FROM:<ann@contoso.example>,", ">,DATA,", "<,354 go,", "-,,Local"]
FELL_BACK = [*GREETED, logs.OFFER.replace(">", "<", 1), *BARE]
NO_OFFER = [*GREETED, "<,250  mx SIZE 37748736,", *BARE]
OLD_GREETING = ["+,,", "<,220 mx ready,", ">,HELO ex01,", "<,250 mx,", *BARE]
OTHER = "192.0.2.8"


@pytest.mark.parametrize(
    ("events", "options", "fallback"),
    [
        # another address of the same receiver is tried next
        (FELL_BACK, {"peer": OTHER}, True),
        (FELL_BACK, {}, True),
        (NO_OFFER, {}, True),
        (FELL_BACK, {"peer": OTHER, "connector": "Partner"}, False),
        (FELL_BACK, {"peer": OTHER, "day": "2026-01-06"}, False),
        # somebody who has no STARTTLS at all has nothing to fall back from
        (NO_OFFER, {"peer": OTHER}, False),
        # nor is it known of who was not asked
        (OLD_GREETING, {"peer": OTHER}, False),
        (OLD_GREETING, {}, True),
    ],
)
def test_what_is_sent_falls_back_with_another_address(
    tmp_path: Path, events: list[str], options: dict[str, Any], fallback: bool
) -> None:
    to_cloud = {"connector": "To the cloud", "port": 25, "local": "10.0.0.1:40000"}
    lines = [
        *logs.session([*CUT, "-,,Local"], number=1, **to_cloud),
        *logs.session(events, number=2, **{**to_cloud, **options}),
    ]
    found = result(write(tmp_path / "a.log", [*logs.header("Send"), *lines]))
    assert [item["fallback"] for item in found["plain_text"]] == [fallback]
    assert any(row["fallback"] for row in found["rows"]) == fallback


def test_who_connects_to_us_falls_back_alone(tmp_path: Path) -> None:
    lines = [
        *logs.session([*logs.BEGIN, logs.OFFER, "<,STARTTLS,", CUT[-1], "-,,Local"], number=1),
        *logs.session(logs.plain(), number=2, peer=OTHER),
        *logs.session(logs.plain(), number=3),
    ]
    found = result(write(tmp_path / "a.log", [*logs.header(), *lines]))
    assert {item["peer"]: item["fallback"] for item in found["plain_text"]} == {"192.0.2.7": True, OTHER: False}


def test_a_certificate_that_cannot_be_used(tmp_path: Path) -> None:
    """Exchange stops offering STARTTLS and logs no error; only the greeting for other servers stays."""
    sessions = [
        logs.session([*logs.BEGIN, logs.BROKEN, *logs.MAIL, *logs.END], number=1),
        logs.session(
            [
                *logs.BEGIN,
                logs.OFFER,
                "<,STARTTLS,",
                "*,,TLS negotiation failed with error UnknownCredentials",
                "-,,Local",
            ],
            number=2,
        ),
    ]
    (failed,) = result(write(tmp_path / "a.log", [*logs.header(), *logs.woven(sessions)]))["failures"]
    assert failed["errors"] == [{"error": "UnknownCredentials", "count": 1, "fault": "certificate", "recorded": True}]
    assert (failed["starttls_not_offered"], failed["starttls_withdrawn"]) == (1, 1)


@examples(50)
@given(content=st.binary(max_size=300), start=st.integers(0, 300), cut=st.integers(0, 300))
def test_every_line_is_in_one_part(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, start: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "a"
    path.write_bytes(content)
    source = files.Source(str(path), "", files.SMTP, len(content), None, b"", False)
    places = sorted({0, min(start, len(content)), min(cut, len(content)), len(content)})
    parts = [b"".join(files.blocks(source, begin, end)) for begin, end in itertools.pairwise(places)]
    assert b"".join(parts) == content
