# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes of real sockets: OpenSSL's own server, Python's, and servers that do what servers should not."""

from __future__ import annotations

import shutil
import socket
import ssl
import time
import typing as t

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _handshake
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake import _probe, _runner, _wire
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._words import Answer, Ending, TlsVersion

from .. import listening
from . import flights, servers
from .probing import (
    EVERY,
    S30,
    SHORT,
    V10,
    V11,
    V12,
    V13,
    accepted,
    answers,
    evidence,
    probe,
    reset_after_hello,
    serve,
    silent,
)

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl command")


# OpenSSL as the oracle


@needs_openssl
@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-tls1"], {V10}),
        (["-tls1_1"], {V11}),
        (["-tls1_2"], {V12}),
        (["-tls1_3"], {V13}),
        ([], {V10, V11, V12, V13}),
        (["-no_tls1_1", "-no_tls1_3"], {V10, V12}),
        (["-no_tls1", "-no_tls1_1", "-serverpref"], {V12, V13}),
    ],
)
def test_openssl_server(arguments: list[str], expected: set[TlsVersion], kind: str) -> None:
    with servers.openssl_server("-cipher", "DEFAULT:@SECLEVEL=0", *arguments, kind=kind) as port:
        found = probe(port, required=expected)
    assert found.verdict == "verified"
    assert accepted(found) == expected
    for version in expected:
        full = found.versions[version].probe.full
        assert full is not None
        assert full.completed, full.error


@needs_openssl
def test_openssl_server_that_cannot_sign_old_versions_refuses_them() -> None:
    """TLS 1.0 is "enabled" there, but its security level stops it."""
    with servers.openssl_server("-cipher", "DEFAULT:@SECLEVEL=2") as port:
        found = probe(port)
    assert accepted(found) == {V12, V13}
    # an alert that something went wrong: a refusal only because it stays
    assert (found.versions[V10].evidence, found.versions[V10].probe.tries) == ("alert internal_error", 3)


@needs_openssl
@pytest.mark.parametrize("groups", ["P-384", "P-521", "X448", "ffdhe2048", "ffdhe4096", "ffdhe6144", "ffdhe8192"])
def test_tls_1_3_with_another_group(groups: str) -> None:
    with servers.openssl_server("-tls1_3", "-groups", groups) as port:
        found = probe(port)
    assert accepted(found) == {V13}
    flight = found.versions[V13].probe.flight
    assert flight is not None
    assert flight.evidence == "HelloRetryRequest"


@needs_openssl
@pytest.mark.parametrize("cipher", ["AES128-SHA", "DHE-RSA-AES256-SHA", "ECDHE-RSA-AES128-SHA", "CAMELLIA256-SHA"])
def test_single_cipher_suites(cipher: str) -> None:
    with servers.openssl_server("-cipher", f"{cipher}:@SECLEVEL=0", "-no_tls1_3") as port:
        found = probe(port)
    assert accepted(found) == {V10, V11, V12}


@needs_openssl
def test_small_fragments() -> None:
    with servers.openssl_server(
        "-cipher", "DEFAULT:@SECLEVEL=0", "-split_send_frag", "64", "-max_send_frag", "512"
    ) as port:
        assert accepted(probe(port)) == {V10, V11, V12, V13}


@needs_openssl
def test_server_that_wants_a_client_certificate_accepts_the_version_all_the_same() -> None:
    with servers.openssl_server("-cipher", "DEFAULT:@SECLEVEL=0", "-tls1_2", "-Verify", "1") as port:
        found = probe(port, required=[V12])
    assert found.verdict == "verified"
    assert accepted(found) == {V12}
    flight, full = found.versions[V12].probe.flight, found.versions[V12].probe.full
    assert flight is not None
    assert flight.client_certificate_requested
    assert full is not None
    assert not full.completed


# Python's servers, holes and dialogues


@pytest.mark.parametrize(
    ("scheme", "script"),
    [
        ("tls", ()),
        ("smtp", servers.SMTP),
        ("lmtp", servers.LMTP),
        ("imap", servers.IMAP),
        ("pop3", servers.POP3),
    ],
)
def test_every_protocol(scheme: str, script: tuple[tuple[str, bytes], ...]) -> None:
    context = servers.server_context(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2)
    found = serve(servers.tls(context, *script), scheme, required=[V12])
    assert found.verdict == "verified"
    assert accepted(found) == {V10, V12}
    assert found.versions[V11].evidence == "server chose TLS 1.0"
    assert found.versions[V12].evidence == "full handshake"
    assert found.address == "127.0.0.1"
    assert found.certificate is not None
    assert found.certificate.chain_length == 2
    assert found.certificate.trusted is False


def test_ssl_3() -> None:
    flight = flights.old_flight(0x0300, servers.identity().der)

    def handler(connected: socket.socket) -> None:
        hello = servers.read_record(connected)
        if hello[1:3] == b"\x03\x00":
            connected.sendall(flight)
            servers.wait_for_close(connected)
        else:
            servers.reset(connected)

    found = serve(handler)
    assert found.verdict == "verified"
    assert accepted(found) == {S30}
    assert found.certificate is not None
    assert found.certificate.facts.subject == "CN=mail.example.com"


def test_reset_of_old_versions_as_schannel_does_it() -> None:
    context = servers.server_context(ssl.TLSVersion.TLSv1_2)

    def handler(connected: socket.socket) -> None:
        hello = connected.recv(4096, socket.MSG_PEEK)
        if hello[9:11] == b"\x03\x03":
            servers.tls(context)(connected)
        else:
            servers.reset(connected)

    found = serve(handler)
    assert found.verdict == "verified"
    assert accepted(found) == {V12}
    for version in (S30, V10, V11):
        assert found.versions[version].evidence == "reset"
        # each refusal makes the server log an error
        assert found.versions[version].probe.tries == 3


def test_the_name_reaches_the_server() -> None:
    names: set[str | None] = set()
    context = servers.server_context(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    context.sni_callback = lambda _connection, name, _context: names.add(name)
    serve(servers.tls(context), versions=[V12, V13], required=[V12])
    assert names == {servers.NAME}
    names.clear()
    serve(servers.tls(context), versions=[V12], required=[V12], sni=None)
    assert names == {None}


def test_forty_certificates() -> None:
    content = flights.server_hello(0x0303) + flights.certificate(*[servers.identity().der] * 40) + flights.DONE
    records = b"".join(flights.record(22, content[at : at + 16384]) for at in range(0, len(content), 16384))
    found = serve(servers.answers(records), versions=[V12])
    assert accepted(found) == {V12}
    assert found.certificate is not None
    assert found.certificate.chain_length == 40


@pytest.mark.parametrize("piece", [1, 64])
def test_flight_in_small_pieces(piece: int) -> None:
    flight = flights.old_flight(0x0303, servers.identity().der)
    found = serve(servers.answers(flight, piece=piece, pause=0.0002), versions=[V12])
    assert accepted(found) == {V12}


# odd servers (none of them may ever look as if TLS 1.0 were off)


def close_at_once(connected: socket.socket) -> None:
    connected.close()


def close_after_hello(connected: socket.socket) -> None:
    servers.read_record(connected)


HTTP_400 = servers.answers(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
SSH = servers.says(("", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"))
HALF = servers.answers(flights.old_flight(0x0303)[:20])
PLAIN = servers.says(
    ("", b"220 ex01\r\n"), ("EHLO", b"250-ex01\r\n250-SIZE 1\r\n250-PIPELINING\r\n250-DSN\r\n250 8BITMIME\r\n")
)
MUST_ISSUE = servers.says(("", b"220 ex01\r\n"), ("EHLO", b"451 5.7.3 Must issue a STARTTLS command first\r\n"))
NOT_AVAILABLE = servers.says(
    ("", b"220 ex01\r\n"), ("EHLO", b"250-ex01\r\n250 STARTTLS\r\n"), ("STARTTLS", b"454 4.7.0 TLS not available\r\n")
)


@pytest.mark.parametrize(
    ("handler", "scheme", "tried", "answer", "said"),
    [
        (close_at_once, "https", 5, Answer.REJECTED, ("close", "reset")),
        (reset_after_hello, "https", 5, Answer.REJECTED, ("reset",)),
        (close_after_hello, "https", 5, Answer.REJECTED, ("close",)),
        (silent, "https", 1, Answer.TIMEOUT, ("no answer to the ClientHello",)),
        (HALF, "https", 5, Answer.TIMEOUT, ("mid-record, timeout",)),
        (HTTP_400, "https", 5, Answer.NOT_TLS, ("no TLS record: 'HTTP/1.1 400 Bad Request",)),
        (SSH, "https", 5, Answer.NOT_TLS, (r"no TLS record: 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'",)),
        (SSH, "smtp", 1, Answer.NOT_TLS, ("no SMTP reply: 'SSH-2.0-OpenSSH_9.2p1 Debian-2'",)),
        (PLAIN, "smtp", 1, Answer.NO_STARTTLS, ("5 lines in the reply to EHLO, no STARTTLS",)),
        (MUST_ISSUE, "smtp", 1, Answer.STARTTLS_REFUSED, ("451 5.7.3 Must issue a STARTTLS command first",)),
        (NOT_AVAILABLE, "smtp", 1, Answer.STARTTLS_REFUSED, ("454 4.7.0 TLS not available",)),
        (servers.says(("", b"421 4.3.2 busy\r\n")), "smtp", 1, Answer.STARTTLS_REFUSED, ("421 4.3.2 busy",)),
        (close_at_once, "smtp", 1, Answer.CLOSED_EARLY, ("close instead of greeting", "reset instead of greeting")),
        (
            servers.says(("", b"220 x\r\n"), ("EHLO", b"")),
            "smtp",
            1,
            Answer.CLOSED_EARLY,
            ("close instead of reply to EHLO",),
        ),
        (silent, "smtp", 1, Answer.TIMEOUT, ("no greeting",)),
    ],
)
def test_odd_servers(handler: servers.Handler, scheme: str, tried: int, answer: Answer, said: tuple[str, ...]) -> None:
    found = serve(handler, scheme, timeout=SHORT)
    assert found.verdict == "inconclusive"
    # silence, and what comes before the ClientHello, is the same for all versions
    assert answers(found).count(answer) == tried
    assert answers(found).count(Answer.SKIPPED) == 5 - tried
    assert {version.accepted for version in found.versions.values()} == {None}
    assert all(item.startswith(said) for item in evidence(found)), evidence(found)
    assert found.error is not None
    assert found.endpoint.name in found.error


def test_plain_text_after_starttls_is_no_answer_to_the_hello() -> None:
    script = (*servers.SMTP[:2], ("STARTTLS", b"220 go\r\n250 injected\r\n"))
    found = serve(servers.tls(servers.server_context(ssl.TLSVersion.TLSv1_2), *script), "smtp")
    assert set(answers(found)) == {Answer.NOT_TLS}
    assert evidence(found) == {r"no TLS record: '250 injected\r\n'"}


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = probe(port)
    assert found.verdict == "inconclusive"
    assert answers(found) == [Answer.SKIPPED, Answer.SKIPPED, Answer.SKIPPED, Answer.REFUSED, Answer.SKIPPED]
    assert found.versions[V10].evidence == "not tried after connection refused"
    assert found.error is not None
    assert "nothing listens" in found.error


def test_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def lookup(host: str) -> t.NoReturn:
        calls.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(_wire, "_lookup", lookup)
    endpoints = _handshake.parse_endpoints(["https://nobody.invalid"], "unused")
    found = _handshake.probe_host(dict.fromkeys(endpoints), EVERY, [], 2)[0]
    assert Answer.UNRESOLVED in answers(found)
    assert found.error is not None
    assert "cannot resolve the name (Name or service not known)" in found.error
    # asked once, not once for each version
    assert calls == ["nobody.invalid"]


def test_no_route(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_route(*_args: object) -> t.NoReturn:
        raise OSError(113, "No route to host")

    monkeypatch.setattr(_wire, "_open", no_route)
    found = probe(9)
    assert Answer.UNREACHABLE in answers(found)
    assert found.error is not None
    assert "No route to host" in found.error


def test_first_address_that_leads_nowhere_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    real_open = _wire._open

    def swallow(address: tuple[int, str], port: int, seconds: float) -> socket.socket:
        if address[1] == "127.0.0.2":
            time.sleep(seconds)
            raise TimeoutError
        return real_open(address, port, seconds)

    monkeypatch.setattr(_wire, "_lookup", lambda _host: [(socket.AF_INET, "127.0.0.2"), (socket.AF_INET, "127.0.0.1")])
    monkeypatch.setattr(_wire, "_open", swallow)
    found = serve(servers.tls(servers.server_context(ssl.TLSVersion.TLSv1_2)), timeout=1)
    assert found.verdict == "verified"


def test_what_a_server_said_before_it_closed_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        address = "127.0.0.1"

        def send(self, _data: bytes) -> t.NoReturn:
            raise _wire.Stopped(Ending.RESET)

        def receive(self) -> bytes:
            return flights.alert(2, 70)

        def close(self) -> None:
            pass

    monkeypatch.setattr(_probe, "connect", lambda *_args: Closed())
    assert evidence(probe(9)) == {"alert protocol_version"}


@pytest.mark.parametrize("kind", listening.IPV6)
@pytest.mark.parametrize(("scheme", "script"), [("https", ()), ("smtp", servers.SMTP)])
def test_a_real_socket_of_ipv6(kind: str, scheme: str, script: tuple[tuple[str, bytes], ...]) -> None:
    address = listening.own_ipv6(kind)
    with servers.Server(servers.tls(servers.server_context(ssl.TLSVersion.TLSv1_2), *script), address) as server:
        found = probe(server.port, scheme, address=address)
    assert found.verdict == "verified", found
    assert accepted(found) == {V12}
    # with its scope, without which it leads nowhere
    assert found.address == address


@pytest.mark.parametrize(
    ("address", "name"), [("192.0.2.7", "[192.0.2.7]"), ("2001:db8::7%eth0", "[IPv6:2001:db8::7]")]
)
def test_client_calls_itself_by_its_address(address: str, name: str) -> None:
    class Connected:
        def getsockname(self) -> tuple[str, int]:
            return address, 1

    assert _wire.Wire(Connected(), "unused", 0.0).own_name() == name  # type: ignore[arg-type]


def test_out_of_sockets_is_the_controllers_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_args: object) -> t.NoReturn:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(_wire, "_open", exhausted)
    found = probe(9)
    assert Answer.LOCAL_ERROR in answers(found)
    assert found.error is not None
    assert "controller" in found.error


def test_next_address_is_tried_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    real_open = _wire._open

    def open_and_note(address: tuple[int, str], port: int, seconds: float) -> socket.socket:
        tried.append(address[1])
        return real_open(address, port, seconds)

    monkeypatch.setattr(_wire, "_lookup", lambda _host: [(socket.AF_INET, "127.0.0.2"), (socket.AF_INET, "127.0.0.1")])
    monkeypatch.setattr(_wire, "_open", open_and_note)
    monkeypatch.setattr(_runner, "MAX_SOCKETS", 1)
    found = serve(servers.tls(servers.server_context(ssl.TLSVersion.TLSv1_2)))
    assert accepted(found) == {V12}
    assert found.address == "127.0.0.1"
    assert tried == ["127.0.0.2", *["127.0.0.1"] * 5]
