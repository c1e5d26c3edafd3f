# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The full handshake with Python's ssl: what it adds, and that its failure takes nothing away."""

from __future__ import annotations

import shutil
import socket
import ssl
import sys

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake import _full
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._words import (
    Answer,
    Ending,
    FullHandshake,
)

from . import flights, servers
from .probing import SHORT, V10, V12, V13, accepted, answers, probe, reset_after_hello, serve, silent

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl command")


def test_full_handshake_knows_a_trusted_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(context: ssl.SSLContext, *_args: object) -> None:
        context.load_verify_locations(servers.identity().ca)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", load)
    with servers.Server(servers.tls(servers.server_context(ssl.TLSVersion.TLSv1_2))) as server:
        found = probe(server.port, versions=[V12], required=[V12])
    assert found.certificate is not None
    assert found.certificate.trusted is True
    assert found.certificate.trust_error is None
    # one connection for the hello and one for the handshake
    assert server.connections == 2


@needs_openssl
def test_trust_is_told_with_cipher_suites_that_python_does_not_offer_by_itself() -> None:
    with servers.openssl_server("-tls1_2", "-cipher", "AES128-SHA") as port:
        found = probe(port, versions=[V12], required=[V12])
    assert found.versions[V12].evidence == "full handshake"
    assert found.certificate is not None
    assert found.certificate.trusted is False


def test_server_that_resets_the_stricter_attempt() -> None:
    context = servers.server_context(ssl.TLSVersion.TLSv1_2)
    attempts = []

    def handler(connected: socket.socket) -> None:
        if b"\x00\x23\x00\x00" in connected.recv(4096, socket.MSG_PEEK):
            attempts.append(1)
            if len(attempts) == 1:
                connected.recv(4096)
                servers.reset(connected)
                return
        servers.tls(context)(connected)

    found = serve(handler, versions=[V12], required=[V12])
    assert found.versions[V12].evidence == "full handshake"
    assert found.certificate is not None
    assert found.certificate.trusted is None


def test_server_without_secure_renegotiation_is_spoken_to() -> None:
    """OpenSSL refuses these by itself; this one then has no more to say."""
    handler = servers.answers(flights.old_flight(0x0303, servers.identity().der))
    found = serve(handler, versions=[V12], required=[V12], timeout=SHORT)
    full = FullHandshake(completed=False, error="no answer in time", stopped=Ending.TIMEOUT, heard=True)
    assert found.versions[V12].probe.full == full


def test_full_handshake_of_tls_1_3_shows_the_certificate() -> None:
    found = serve(servers.tls(servers.server_context(ssl.TLSVersion.TLSv1_3)), versions=[V13], required=[V13])
    assert found.certificate is not None
    assert found.certificate.facts.subject == "CN=mail.example.com"
    assert found.certificate.seen_in is V13
    # older Pythons show only the server's own
    assert found.certificate.chain_length == (2 if sys.version_info >= (3, 13) else None)


def test_failure_of_the_controllers_openssl_is_never_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a system policy allows no TLS 1.2 handshake with this server."""
    monkeypatch.setattr(_full, "_WIDE", "PSK-AES128-CBC-SHA:@SECLEVEL=0")
    handler = servers.tls(servers.server_context(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2))
    found = serve(handler, versions=[V10], required=[V10])
    assert found.verdict == "verified"
    assert found.versions[V10].accepted is True
    assert found.versions[V10].probe.full == FullHandshake(completed=False, error="no ciphers available")


def test_version_that_the_controllers_openssl_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(_full._SSL_VERSIONS, V12)
    found = serve(servers.tls(servers.server_context(ssl.TLSVersion.TLSv1_2)), versions=[V12], required=[V12])
    assert found.versions[V12].accepted is True
    full = found.versions[V12].probe.full
    assert full is not None
    assert full.error is not None
    assert "cannot offer TLS 1.2" in full.error


def test_server_that_dislikes_our_hello_but_completes_a_handshake() -> None:
    context = servers.server_context(ssl.TLSVersion.TLSv1_2)

    def handler(connected: socket.socket) -> None:
        hello = connected.recv(4096, socket.MSG_PEEK)
        # our hellos have no session ticket extension, OpenSSL's have one
        if b"\x00\x23\x00\x00" in hello:
            servers.tls(context)(connected)
        else:
            servers.reset(connected)

    found = serve(handler, versions=[V12], required=[V12])
    assert found.verdict == "verified"
    assert found.versions[V12].accepted is True
    assert found.versions[V12].evidence == "full handshake, though the first ClientHello was answered with: reset"


def test_a_server_that_refuses_a_required_version_is_asked_for_a_full_handshake_once() -> None:
    with servers.Server(reset_after_hello) as server:
        found = probe(server.port, versions=[V12], required=[V12])
    assert answers(found) == [Answer.REJECTED]
    assert server.connections == 4


@pytest.mark.parametrize("end", ["close", "reset", "no answer", "wrong version number"])
def test_server_that_never_finishes_a_handshake_has_not_accepted(end: str) -> None:
    """It sends one flight of TLS 1.2, whatever it is asked for, and leaves the rest."""
    hello = flights.server_hello(0x0303, extensions=flights.extension(0xFF01, b"\x00"))
    rest = flights.certificate(servers.identity().der) + flights.DONE
    # one record of another version than the first is what OpenSSL calls a wrong version number
    flight = flights.record(22, hello, 0x0303) + flights.record(22, rest, 0x0301 if "wrong" in end else 0x0303)

    def handler(connected: socket.socket) -> None:
        servers.read_record(connected)
        connected.sendall(flight)
        if end == "no answer":
            silent(connected)
        servers.read_record(connected)
        if end == "reset":
            servers.reset(connected)

    found = serve(handler, versions=[V12], required=[V12], timeout=SHORT)
    assert found.verdict == "inconclusive"
    assert answers(found) == [Answer.INCOMPLETE]
    assert found.versions[V12].accepted is None
    assert end in found.versions[V12].evidence
    assert found.error is not None
    assert "certificate and private key" in found.error


def test_lost_full_handshake_is_made_again() -> None:
    context = servers.server_context(ssl.TLSVersion.TLSv1_2)
    attempts: list[int] = []

    def handler(connected: socket.socket) -> None:
        if b"\x00\x23\x00\x00" in connected.recv(4096, socket.MSG_PEEK):
            attempts.append(1)
            if len(attempts) <= 2:
                servers.read_record(connected)
                servers.reset(connected)
                return
        servers.tls(context)(connected)

    found = serve(handler, versions=[V12], required=[V12])
    assert found.versions[V12].evidence == "full handshake"
    assert len(attempts) > 2


def test_certificate_of_a_server_with_tls_1_3_alone_is_shown_though_nobody_requires_it() -> None:
    found = serve(servers.tls(servers.server_context(ssl.TLSVersion.TLSv1_3)), required=[V12])
    assert accepted(found) == {V13}
    assert found.certificate is not None
    assert found.certificate.facts.subject == "CN=mail.example.com"
    assert found.certificate.seen_in is V13


def test_full_handshake_that_hangs_is_no_refusal() -> None:
    context = servers.server_context(ssl.TLSVersion.TLSv1_2)

    def handler(connected: socket.socket) -> None:
        if b"\x00\x23\x00\x00" in connected.recv(4096, socket.MSG_PEEK):
            silent(connected)
        servers.tls(context)(connected)

    found = serve(handler, versions=[V12], required=[V12], timeout=SHORT)
    assert found.verdict == "verified"
    full = FullHandshake(completed=False, error="no answer in time", stopped=Ending.TIMEOUT)
    assert found.versions[V12].probe.full == full


def test_required_versions_are_tried_even_where_versions_leaves_them_out() -> None:
    handler = servers.tls(servers.server_context(ssl.TLSVersion.TLSv1_2))
    found = serve(handler, versions=[V10], required=[V12])
    # and so TLS 1.0 is proven off
    assert {version: item.accepted for version, item in found.versions.items()} == {V10: False, V12: True}
