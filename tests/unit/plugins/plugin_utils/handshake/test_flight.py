# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's flight: OpenSSL's own, ones written by hand, cut and damaged in every way."""

from __future__ import annotations

import dataclasses
import functools
import ssl
import time

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake import _flight
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._flight import FlightParser
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._hello import client_hello
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._words import (
    Answer,
    Ending,
    Flight,
    TlsVersion,
)
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.laws import examples

from . import flights, servers
from .test_hello import PYTHON, RANDOM, SHARE

OLD = [TlsVersion.SSL_3_0, TlsVersion.TLS_1_0, TlsVersion.TLS_1_1, TlsVersion.TLS_1_2]


@functools.cache
def real_flight(version: TlsVersion) -> bytes:
    """OpenSSL's, or for SSL 3.0 one by hand."""
    if version is TlsVersion.SSL_3_0:
        return flights.old_flight(0x0300, servers.identity().der)
    return servers.flight_of(servers.server_context(PYTHON[version]), client_hello(version, None, RANDOM, SHARE))


def parse(asked: TlsVersion, *pieces: bytes, end: Ending = Ending.CLOSE) -> Flight:
    parser = FlightParser(asked)
    for piece in pieces:
        parser.feed(piece)
    return parser.end(end)


def outline(asked: TlsVersion, *pieces: bytes, end: Ending = Ending.CLOSE) -> tuple[Answer, str]:
    found = parse(asked, *pieces, end=end)
    return found.answer, found.evidence


# accepted


@pytest.mark.parametrize("version", OLD)
def test_flight_up_to_tls_1_2(version: TlsVersion) -> None:
    found = FlightParser(version).feed(real_flight(version))
    assert found is not None
    assert found.answer is Answer.ACCEPTED
    assert found.evidence == "ServerHello to ServerHelloDone"
    assert found.chosen is version
    assert found.client_certificate_requested is False
    assert found.certificates[0] == servers.identity().der
    assert found.extended_master_secret is (version is not TlsVersion.SSL_3_0)


def test_flight_of_tls_1_3() -> None:
    found = FlightParser(TlsVersion.TLS_1_3).feed(real_flight(TlsVersion.TLS_1_3))
    assert found is not None
    assert found.answer is Answer.ACCEPTED
    assert found.evidence == "ServerHello and an encrypted record"
    assert found.cipher_suite in (0x1301, 0x1302, 0x1303)
    assert found.certificates == ()
    assert found.extended_master_secret is None
    assert found.client_certificate_requested is None


def test_hello_retry_request_is_acceptance() -> None:
    supported = flights.extension(43, b"\x03\x04") + flights.extension(51, b"\x00\x18")
    hello = flights.server_hello(0x0303, suite=0x1302, extensions=supported, random=flights.RETRY)
    assert outline(TlsVersion.TLS_1_3, flights.record(22, hello)) == (Answer.ACCEPTED, "HelloRetryRequest")


def test_request_for_a_client_certificate_is_seen() -> None:
    context = servers.server_context(ssl.TLSVersion.TLSv1_2, client_certificate=True)
    flight = servers.flight_of(context, client_hello(TlsVersion.TLS_1_2, None, RANDOM, SHARE))
    found = parse(TlsVersion.TLS_1_2, flight)
    assert found.answer is Answer.ACCEPTED
    assert found.client_certificate_requested is True


def test_server_without_extended_master_secret() -> None:
    found = parse(TlsVersion.TLS_1_2, flights.old_flight(0x0303))
    assert (found.answer, found.extended_master_secret) == (Answer.ACCEPTED, False)


def test_forty_certificates_in_several_records() -> None:
    chain = [servers.identity().der] * 40
    content = flights.server_hello(0x0302) + flights.certificate(*chain) + flights.CERTIFICATE_REQUEST + flights.DONE
    pieces = [flights.record(22, content[at : at + 16384], 0x0302) for at in range(0, len(content), 16384)]
    assert len(pieces) >= 2
    found = parse(TlsVersion.TLS_1_1, *pieces)
    assert found.answer is Answer.ACCEPTED
    assert len(found.certificates) == 40


@given(st.sampled_from(list(TlsVersion)), st.lists(st.integers(1, 700), min_size=1, max_size=60))
def test_pieces_of_the_network_do_not_matter(version: TlsVersion, sizes: list[int]) -> None:
    whole = real_flight(version)
    pieces, rest = [], whole
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    assert parse(version, *pieces, rest) == parse(version, whole)


@given(st.sampled_from(OLD), st.lists(st.integers(0, 300), min_size=1, max_size=30), st.integers(1, 5000))
def test_fragments_of_records_do_not_matter(version: TlsVersion, sizes: list[int], last: int) -> None:
    content, rest = b"", real_flight(version)
    while rest:
        length = int.from_bytes(rest[3:5], "big")
        content, rest = content + rest[5 : 5 + length], rest[5 + length :]
    again = b""
    for size in sizes:
        again += flights.record(22, content[:size])
        content = content[size:]
    for at in range(0, len(content), last):
        again += flights.record(22, content[at : at + last])
    assert parse(version, again) == parse(version, real_flight(version))


# rejected


@pytest.mark.parametrize(
    ("description", "name"), [(70, "protocol_version"), (40, "handshake_failure"), (80, "internal_error"), (233, "233")]
)
def test_fatal_alert(description: int, name: str) -> None:
    assert outline(TlsVersion.TLS_1_0, flights.alert(2, description)) == (Answer.REJECTED, f"alert {name}")


def test_close_notify_is_a_refusal_though_only_a_warning() -> None:
    assert outline(TlsVersion.TLS_1_0, flights.alert(1, 0)) == (Answer.REJECTED, "alert close_notify")


def test_alert_in_two_records() -> None:
    pieces = (flights.record(21, b"\x02"), flights.record(21, b"\x46"))
    assert outline(TlsVersion.TLS_1_0, *pieces) == (Answer.REJECTED, "alert protocol_version")


def test_warning_is_only_a_remark() -> None:
    warning = flights.alert(1, 112)
    assert outline(TlsVersion.TLS_1_2, warning, real_flight(TlsVersion.TLS_1_2))[0] is Answer.ACCEPTED
    expected = (Answer.REJECTED, "alert unrecognized_name (warning), then reset")
    assert outline(TlsVersion.TLS_1_2, warning, end=Ending.RESET) == expected


def test_close_and_reset() -> None:
    assert outline(TlsVersion.TLS_1_0, end=Ending.CLOSE) == (Answer.REJECTED, "close")
    assert outline(TlsVersion.TLS_1_0, end=Ending.RESET) == (Answer.REJECTED, "reset")


@pytest.mark.parametrize("version", [TlsVersion.TLS_1_1, TlsVersion.TLS_1_2])
def test_server_that_chooses_an_older_version(version: TlsVersion) -> None:
    flight = servers.flight_of(servers.server_context(ssl.TLSVersion.TLSv1), client_hello(version, None, RANDOM, SHARE))
    found = parse(version, flight)
    assert (found.answer, found.evidence) == (Answer.REJECTED, "server chose TLS 1.0")
    assert found.chosen is TlsVersion.TLS_1_0


@pytest.mark.parametrize("end", [Ending.CLOSE, Ending.RESET, Ending.TIMEOUT])
def test_choice_of_an_older_version_that_goes_no_further_is_no_answer(end: Ending) -> None:
    hello = flights.record(22, flights.server_hello(0x0301))
    found = parse(TlsVersion.TLS_1_2, hello, end=end)
    assert found.answer is (Answer.TIMEOUT if end is Ending.TIMEOUT else Answer.INCOMPLETE)
    assert found.evidence == f"server chose TLS 1.0, then {end.value}"
    assert not found.spelt_out


@pytest.mark.parametrize(
    ("description", "spelt_out"), [(70, True), (40, True), (71, True), (80, False), (112, False), (90, False)]
)
def test_only_an_alert_about_the_version_counts_at_once(description: int, spelt_out: bool) -> None:
    assert parse(TlsVersion.TLS_1_0, flights.alert(2, description)).spelt_out is spelt_out


# no answer to this hello, though it looks like one


@pytest.mark.parametrize(
    ("asked", "sent"), [(asked, sent) for asked in OLD for sent in (*OLD, 0x0304, 0x0305) if sent not in (asked,)]
)
def test_version_above_the_offer_is_no_tls(asked: TlsVersion, sent: TlsVersion | int) -> None:
    number = sent.wire if isinstance(sent, TlsVersion) else sent
    found = parse(asked, flights.record(22, flights.server_hello(number) + flights.certificate(b"x") + flights.DONE))
    if number > asked.wire:
        assert found.answer is Answer.NOT_TLS
        assert "which was not offered" in found.evidence
    else:
        assert (found.answer, found.spelt_out) == (Answer.REJECTED, True)


@pytest.mark.parametrize("chosen", [b"\x7f\x1c", b"\x03\x05", b"\x03\x04"])
@pytest.mark.parametrize("asked", OLD)
def test_version_above_the_offer_in_the_extension_is_no_tls(asked: TlsVersion, chosen: bytes) -> None:
    hello = flights.server_hello(asked.wire, extensions=flights.extension(43, chosen))
    assert parse(asked, flights.record(22, hello + flights.DONE)).answer is Answer.NOT_TLS


@pytest.mark.parametrize("suite", [0x1301, 0x0000, 0x00FF, 0xFFFF])
def test_suite_that_was_not_offered_is_no_tls(suite: int) -> None:
    hello = flights.server_hello(0x0303, suite=suite)
    found = parse(TlsVersion.TLS_1_2, flights.record(22, hello + flights.DONE))
    assert (found.answer, found.chosen) == (Answer.NOT_TLS, None)
    assert f"cipher suite {suite:#06x}, which was not offered" in found.evidence


def test_compression_that_was_not_offered_is_no_tls() -> None:
    hello = bytearray(flights.server_hello(0x0303))
    hello[-1] = 1
    assert parse(TlsVersion.TLS_1_2, flights.record(22, bytes(hello) + flights.DONE)).answer is Answer.NOT_TLS


def test_canned_flight_of_tls_1_2_is_no_answer_to_another_hello() -> None:
    canned = flights.old_flight(0x0303, servers.identity().der)
    answers = {version: parse(version, canned).answer for version in TlsVersion}
    assert answers.pop(TlsVersion.TLS_1_2) is Answer.ACCEPTED
    assert set(answers.values()) == {Answer.NOT_TLS}


# certificates without measure


def in_records(content: bytes) -> list[bytes]:
    return [flights.record(22, content[at : at + 16384]) for at in range(0, len(content), 16384)]


@pytest.mark.parametrize(
    ("chain", "reason"),
    [([b""], "an empty certificate"), ([b""] * 300_000, "an empty certificate"), ([b"x"] * 101, "more than 100 cert")],
)
def test_chain_that_no_server_has(chain: list[bytes], reason: str) -> None:
    content = flights.server_hello(0x0303) + flights.certificate(*chain) + flights.DONE
    pieces = in_records(content)
    before = time.process_time()
    found = parse(TlsVersion.TLS_1_2, *pieces)
    assert time.process_time() - before < 1
    assert found.answer is Answer.INCOMPLETE
    assert reason in found.evidence


@pytest.mark.parametrize("filler", [b"\x00\x00\x00\x00", b"\x16\x00\x00\x00", b"\x0b\x00\x00\x03\x00\x00\x00"])
def test_a_million_bytes_of_small_messages_are_read_in_no_time(filler: bytes) -> None:
    content = flights.server_hello(0x0303) + filler * (1_000_000 // len(filler)) + flights.DONE
    pieces = in_records(content)
    before = time.process_time()
    assert parse(TlsVersion.TLS_1_2, *pieces).answer is Answer.ACCEPTED
    assert time.process_time() - before < 2


# neither yes nor no


def test_silence() -> None:
    expected = (Answer.TIMEOUT, "no answer to the ClientHello")
    assert outline(TlsVersion.TLS_1_2, end=Ending.TIMEOUT) == expected


def test_half_a_record() -> None:
    half = real_flight(TlsVersion.TLS_1_2)[:30]
    assert outline(TlsVersion.TLS_1_2, half, end=Ending.TIMEOUT) == (Answer.TIMEOUT, "mid-record, timeout")
    assert outline(TlsVersion.TLS_1_2, half, end=Ending.RESET) == (Answer.INCOMPLETE, "mid-record, reset")


def test_broken_off_after_the_server_hello() -> None:
    hello = flights.record(22, flights.server_hello(0x0302))
    said = "ServerHello for TLS 1.1"
    expected = (Answer.INCOMPLETE, f"{said}, then alert internal_error")
    assert outline(TlsVersion.TLS_1_1, hello, flights.alert(2, 80)) == expected
    assert outline(TlsVersion.TLS_1_1, hello) == (Answer.INCOMPLETE, f"{said}, then close")
    assert outline(TlsVersion.TLS_1_1, hello, end=Ending.TIMEOUT) == (Answer.TIMEOUT, f"{said}, then timeout")
    assert outline(TlsVersion.TLS_1_1, hello, b"garbage") == (Answer.INCOMPLETE, f"{said}, then no TLS record")
    done_alone = flights.record(20, b"\x01")
    assert outline(TlsVersion.TLS_1_1, hello, done_alone)[0] is Answer.INCOMPLETE


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        b"220 ex01 ESMTP\r\n",
        b"\x80\x2e\x01\x03\x01",
        b"\x16\x02\x00\x00\x01\x00",
        b"\x16\x03\x09\x00\x01\x00",
        b"\x16\x03\x01\xff\xff\x00",
        flights.record(23, b"data"),
        flights.record(20, b"\x01"),
        flights.record(21, b"\x09\x28"),
        flights.record(22, flights.DONE),
        flights.record(22, flights.message(2, b"\x03\x03")),
        flights.record(22, flights.server_hello(0x0403)),
        flights.record(22, flights.server_hello(0x0303, session=bytes(33))),
        flights.record(22, flights.server_hello(0x0303, extensions=b"\x00")),
        flights.record(22, b"\x02\xff\xff\xff"),
    ],
)
def test_no_tls(data: bytes) -> None:
    found = parse(TlsVersion.TLS_1_2, data)
    assert found.answer is Answer.NOT_TLS
    # the first forty bytes are the evidence, and safe to print
    assert repr(data[:40])[1:] in found.evidence
    assert found.evidence.isprintable()


def test_endless_flight() -> None:
    parser = FlightParser(TlsVersion.TLS_1_2)
    filler = flights.record(22, b"") * 1000
    fed = 0
    while (found := parser.feed(filler)) is None:
        fed += len(filler)
        assert fed <= _flight.MAX_FLIGHT_BYTES
    assert found.answer is Answer.NOT_TLS


# laws


@given(st.sampled_from(OLD), st.integers(0, 5000), st.sampled_from([Ending.CLOSE, Ending.RESET]))
def test_part_of_a_flight_is_neither_yes_nor_no(version: TlsVersion, length: int, end: Ending) -> None:
    whole = real_flight(version)
    part = whole[: min(length, len(whole) - 1)]
    expected = Answer.INCOMPLETE if part else Answer.REJECTED
    assert parse(version, part, end=end).answer is expected


def damaged() -> st.SearchStrategy[tuple[TlsVersion, bytes]]:
    @st.composite
    def build(draw: st.DrawFn) -> tuple[TlsVersion, bytes]:
        version = draw(st.sampled_from(list(TlsVersion)))
        data = bytearray(real_flight(draw(st.sampled_from(list(TlsVersion)))))
        for _dummy in range(draw(st.integers(1, 8))):
            at = draw(st.one_of(st.integers(0, 90), st.integers(0, max(len(data) - 1, 0))))
            what = draw(st.integers(0, 3))
            if what == 0:
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            elif what == 1:
                del data[at : at + draw(st.integers(1, 40))]
            elif what == 2:
                data[at:at] = draw(st.binary(max_size=40))
            else:
                data[at : at + 4] = draw(st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x16\x03\x01\x00"]))
        return version, bytes(data)

    return build()


@examples(1500)
@given(
    st.one_of(damaged(), st.tuples(st.sampled_from(list(TlsVersion)), st.binary(max_size=300))),
    st.sampled_from(Ending),
    st.integers(1, 400),
)
@example((TlsVersion.TLS_1_2, b""), Ending.CLOSE, 1)
def test_nothing_makes_it_raise(case: tuple[TlsVersion, bytes], end: Ending, piece: int) -> None:
    asked, data = case
    found = parse(asked, *(data[at : at + piece] for at in range(0, len(data), piece)), end=end)
    assert found.evidence
    assert found.evidence.isprintable()
    # whatever it says, it says for good
    parser = FlightParser(asked)
    first = parser.feed(data) or parser.end(end)
    assert parser.feed(b"more") == first == parser.end(Ending.TIMEOUT)
    if found.answer is Answer.ACCEPTED:
        assert found.chosen is asked
    if found.chosen is not None:
        assert found.chosen.wire <= asked.wire
    if found.spelt_out:
        assert found.answer is Answer.REJECTED
    if end is Ending.TIMEOUT and not data:
        assert found.answer is Answer.TIMEOUT


@given(st.sampled_from(list(TlsVersion)), st.sampled_from(list(TlsVersion)))
def test_only_the_version_that_was_asked_for_is_accepted(asked: TlsVersion, sent: TlsVersion) -> None:
    answer = parse(asked, real_flight(sent)).answer
    if asked is sent:
        assert answer is Answer.ACCEPTED
    else:
        # OpenSSL chooses suites for TLS 1.2 that older hellos and that of TLS 1.3 do not offer
        assert answer in (Answer.REJECTED, Answer.NOT_TLS)
        assert answer is Answer.NOT_TLS or asked.wire > sent.wire


def test_flight_is_a_value() -> None:
    found = parse(TlsVersion.TLS_1_2, real_flight(TlsVersion.TLS_1_2))
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.answer = Answer.REJECTED  # type: ignore[misc]
