# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IIS logs with the fields crypt-*."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import iis_log, outcome, reading
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.laws import examples

HEADER = ["#Software: Microsoft Internet Information Services 10.0", "#Version: 1.0", "#Date: 2026-01-06 00:00:04"]
PLAIN = "#Fields: date time c-ip s-port cs-method"
CRYPT = "#Fields: date time c-ip s-port cs-method crypt-protocol crypt-cipher crypt-hash crypt-keyexchange OriginalIP"


def line(protocol: str, cipher: str = "6610", peer: str = "192.0.2.7", port: str = "443") -> str:
    return f"2026-01-05 23:59:27 {peer} {port} GET {protocol} {cipher} 800d ae06 -"


def test_versions_by_client(tmp_path: Path) -> None:
    lines = [
        *HEADER, PLAIN, "2026-01-05 10:00:00 192.0.2.9 443 GET", CRYPT, line("400"), line("40", "660E"), line("100"),
        line("-", "-", port="80"), line("400", peer="127.0.0.1"), "2026-01-05 damaged",
    ]  # fmt: skip
    (tmp_path / "u_ex260105.log").write_text("\r\n".join([*lines, ""]))
    found = outcome.as_result(reading.read([str(tmp_path)]))
    assert [(peer["peer"], peer["versions"]) for peer in found["old_tls"]] == [
        ("192.0.2.7", {"TLS 1.0": 1, "TLS 1.1": 1})
    ]
    assert (found["damaged_lines"], found["lines_without_tls_fields"], found["lines"]) == (1, 1, 12)
    assert {row["connector"]: row["ciphers"] for row in found["rows"] if row["peer"] == "192.0.2.7"} == {
        "IIS port 443": {"AES_256": 2, "AES_128": 1},
        "IIS port 80": {},
    }


OWN = "#Fields: date time s-ip c-ip s-port crypt-protocol crypt-cipher"


@pytest.mark.parametrize(
    ("own", "peer", "port", "is_inside"),
    [
        ("10.0.0.1", "10.0.0.1", "443", True),
        ("fe80::1%12", "fe80::1%12", "443", True),
        ("::1", "::1", "443", True),
        # the back end, to which the front ends of all servers hand on
        ("10.0.0.1", "10.0.0.2", "444", True),
        ("10.0.0.1", "10.0.0.2", "443", False),
        ("10.0.0.1", "192.0.2.7", "443", False),
        ("10.0.0.1", "10.0.0.11", "4443", False),
    ],
)
def test_the_server_itself_and_its_back_end_are_inside(
    tmp_path: Path, own: str, peer: str, port: str, is_inside: bool
) -> None:
    lines = [*HEADER, OWN, f"2026-01-05 23:59:27 {own} {peer} {port} 40 6610"]
    (tmp_path / "u_ex.log").write_text("\n".join([*lines, ""]))
    found = outcome.as_result(reading.read([str(tmp_path)]))
    assert [item["peer"] for item in found["old_tls"]] == ([] if is_inside else [peer])
    assert [item["peer"] for item in found["inside_old_tls"]] == ([peer] if is_inside else [])


def test_the_back_end_is_known_without_the_own_address(tmp_path: Path) -> None:
    lines = [*HEADER, CRYPT, line("40", port="444"), line("40", peer="192.0.2.8")]
    (tmp_path / "u_ex.log").write_text("\n".join([*lines, ""]))
    found = outcome.as_result(reading.read([str(tmp_path)]))
    assert [item["peer"] for item in found["old_tls"]] == ["192.0.2.8"]
    assert [item["peer"] for item in found["inside_old_tls"]] == ["192.0.2.7"]


def test_parts_know_the_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PART", 150)
    lines = [*HEADER, CRYPT, line("40"), line("40"), CRYPT.replace(" OriginalIP", ""), *[line("40")[:-2]] * 4]
    (tmp_path / "u_ex.log").write_text("\n".join([*lines, ""]))
    found = outcome.as_result(reading.read([str(tmp_path)], processes=1))
    assert [(peer["versions"], found["damaged_lines"]) for peer in found["old_tls"]] == [({"TLS 1.0": 6}, 0)]


def test_a_log_without_ciphers(tmp_path: Path) -> None:
    lines = [*HEADER, "#Fields: date time c-ip s-port crypt-protocol", "2026-01-05 23:59:27 192.0.2.7 443 40"]
    (tmp_path / "u_ex.log").write_text("\n".join([*lines, ""]))
    found = outcome.as_result(reading.read([str(tmp_path)]))
    assert [(item["peer"], item["versions"]) for item in found["old_tls"]] == [("192.0.2.7", {"TLS 1.0": 1})]
    assert not found["lines_without_tls_fields"]


def test_a_log_without_versions_says_nothing_of_peers(tmp_path: Path) -> None:
    """As IIS writes it by itself."""
    lines = [*HEADER, PLAIN, "2026-01-05 10:00:00 192.0.2.9 443 GET"]
    (tmp_path / "u_ex.log").write_text("\n".join([*lines, ""]))
    assert outcome.summary(outcome.as_result(reading.read([str(tmp_path)]))) == (
        "5 lines of 1 files, which show no session. 1 lines of IIS do not tell: their site does not log all of "
        "crypt-protocol, date and c-ip."
    )


@pytest.mark.parametrize(
    ("lines", "days", "damaged"),
    [
        # what Excel puts in quotes, as it has a comma
        ([*HEADER, CRYPT, f'"{line("40")[:-1]}(KHTML,+like+Gecko)"'], ["2026-01-05"], 0),
        ([*HEADER, CRYPT, f'"{line("40")[:-1]}""a,b"""'], ["2026-01-05"], 0),
        # the mark that Notepad puts first
        (["\ufeff" + HEADER[0], *HEADER[1:], CRYPT, line("40")], ["2026-01-05"], 0),
        (["\ufeff" + CRYPT, line("40")], ["2026-01-05"], 0),
        # the port need not be logged
        ([*HEADER, CRYPT.replace(" s-port", ""), line("40").replace(" 443", "")], ["2026-01-05"], 0),
        # the right number of fields, but no day
        ([*HEADER, CRYPT, line("40"), line("40").replace("2026-01-05", "x")], ["2026-01-05"], 1),
        ([*HEADER, CRYPT, line("40"), line("40").replace("2026-01-05", "05/01/2026")], ["2026-01-05"], 1),
    ],
)
def test_what_others_make_of_a_log(tmp_path: Path, lines: list[str], days: list[str], damaged: int) -> None:
    (tmp_path / "u_ex.log").write_bytes("\r\n".join([*lines, ""]).encode())
    found = outcome.as_result(reading.read([str(tmp_path)], since="2026-01-05"))
    assert [(item["peer"], item["last_day"]) for item in found["old_tls"]] == [("192.0.2.7", day) for day in days]
    assert (found["damaged_lines"], found["complete"]) == (damaged, True)


def test_a_log_without_its_header_lines_of_which_none_fits_is_not_read(tmp_path: Path) -> None:
    saved = line("40").replace(" ", "\t")
    (tmp_path / "u_ex.log").write_text("\n".join([*HEADER, CRYPT, saved, saved, ""]))
    found = outcome.as_result(reading.read([str(tmp_path)]))
    assert (found["complete"], found["damaged_lines"], found["old_tls"]) == (False, 2, [])
    assert "none of its lines" in found["other_files"][0]["reason"]
    (tmp_path / "u_ex.log").write_text("\n".join([*HEADER, CRYPT, line("40")[:30]]))
    begun = outcome.as_result(reading.read([str(tmp_path)]))
    assert (begun["complete"], begun["damaged_lines"]) == (True, 1), "the line may have been on its way"


@pytest.mark.parametrize(
    ("field", "version"),
    [
        (b"400", "TLS 1.2"),
        (b"100", "TLS 1.1"),
        (b"40", "TLS 1.0"),
        (b"10", "SSL 3.0"),
        (b"1000", "TLS 1.3"),
        (b"-", None),
        (b"x", "unknown"),
    ],
)
def test_numbers(field: bytes, version: str | None) -> None:
    assert iis_log.version_of(field) == version


def test_a_cipher_that_log_parser_took_for_a_number() -> None:
    assert [iis_log.cipher_of(field) for field in (b"660e", b"660.000000", b"6603", b"-", b"abc")] == [
        "AES_128",
        "AES_128",
        "3DES",
        "",
        "abc",
    ]


@examples(50)
@given(st.binary(max_size=300))
def test_any_bytes_are_taken(noise: bytes) -> None:
    scanner = iis_log.IisScanner(reading.Tally(""), "", CRYPT.encode())
    scanner.feed(noise + b"\n" + line("40").encode() + b"\n")
    assert scanner.lines >= 1
