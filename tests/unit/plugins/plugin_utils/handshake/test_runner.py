# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many probes at a time, what is left out, and that there is an end to it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
import typing as t

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _handshake
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake import _runner, _wire
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._report import EndpointReport
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._words import Answer

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


def several(count: int, handler: servers.Handler, **options: t.Any) -> tuple[list[EndpointReport], servers.Server]:
    """Several endpoints on one server, told apart by their protocol alone."""
    with servers.Server(handler) as server:
        texts = [
            f"{scheme}://127.0.0.1:{server.port}" for scheme in ("https", "imaps", "pop3s", "smtps", "tls")[:count]
        ]
        endpoints = _handshake.parse_endpoints(texts, "unused")
        timeout = options.pop("timeout", 5.0)
        required = options.pop("required", [V12])
        return _handshake.probe_host(dict.fromkeys(endpoints), EVERY, required, timeout), server


def test_five_sockets_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Barrier(5, timeout=3)
    lock = threading.Lock()
    now, counts = [0], []
    really_open, really_close = _wire._open, _wire.Wire.close

    def count(step: int) -> None:
        with lock:
            now[0] += step
            counts.append(now[0])

    def open_and_count(*args: t.Any) -> socket.socket:
        count(1)
        return really_open(*args)

    def close_and_count(wire: _wire.Wire) -> None:
        really_close(wire)
        count(-1)

    monkeypatch.setattr(_wire, "_open", open_and_count)
    monkeypatch.setattr(_wire.Wire, "close", close_and_count)

    def handler(connected: socket.socket) -> None:
        # nobody is answered before five are there; those who come again come one after the other
        with lock:
            served.append(1)
            first = len(served) <= 25
        if first:
            gate.wait()
        reset_after_hello(connected)

    served: list[int] = []
    reports, server = several(5, handler, required=[])
    assert all(evidence(found) == {"reset"} for found in reports)
    # five versions and two further hellos for each
    assert server.connections == 5 * 5 * 3
    assert max(counts[:50]) == 5
    assert max(counts[50:]) == 1
    assert counts[-1] == 0


def test_endpoints_and_versions_do_not_get_mixed_up() -> None:
    context = servers.server_context(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    reports, _server = several(5, servers.tls(context))
    assert [found.endpoint.scheme for found in reports] == ["https", "imaps", "pop3s", "smtps", "tls"]
    assert all(accepted(found) == {V12, V13} for found in reports)
    assert all(list(found.versions) == EVERY for found in reports)


def test_silent_endpoints_cost_one_timeout_together() -> None:
    start = time.monotonic()
    reports, server = several(5, silent, timeout=SHORT)
    assert time.monotonic() - start < 2 * SHORT
    assert {found.verdict for found in reports} == {"inconclusive"}
    assert server.connections == 5


def test_a_version_that_is_swallowed_does_not_hide_the_others() -> None:
    """Some firewalls drop old hellos without a word."""
    context = servers.server_context(ssl.TLSVersion.TLSv1_2)

    def handler(connected: socket.socket) -> None:
        hello = connected.recv(4096, socket.MSG_PEEK)
        if hello[9:11] == b"\x03\x00":
            connected.recv(4096)
            silent(connected)
        servers.tls(context)(connected)

    found = serve(handler, timeout=SHORT)
    assert found.verdict == "inconclusive"
    assert found.versions[V12].accepted is True
    assert found.versions[V10].accepted is None
    assert found.versions[S30].answer is Answer.TIMEOUT


def test_dripping_server_does_not_outlast_its_timeout() -> None:
    flight = flights.old_flight(0x0303, *[servers.identity().der] * 3)
    start = time.monotonic()
    found = serve(servers.answers(flight, piece=1, pause=0.05), versions=[V12], timeout=SHORT)
    assert time.monotonic() - start < 2 * SHORT
    assert answers(found) == [Answer.TIMEOUT]


def test_dripping_greeting_does_not_outlast_its_timeout() -> None:
    def handler(connected: socket.socket) -> None:
        while True:
            connected.sendall(b"220-still here\r\n")
            time.sleep(0.05)

    start = time.monotonic()
    found = serve(handler, "smtp", versions=[V12], timeout=SHORT)
    assert time.monotonic() - start < 2 * SHORT
    assert evidence(found) == {"no greeting"}


def test_a_name_server_that_never_answers_costs_one_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(_wire, "_lookup", lambda _host: [(socket.AF_INET, str(never.wait(20)))])
    start = time.monotonic()
    endpoints = _handshake.parse_endpoints(["https://slow.example"], "unused")
    found = _handshake.probe_host(dict.fromkeys(endpoints), EVERY, [V12], SHORT)[0]
    never.set()
    assert time.monotonic() - start < 2 * SHORT
    assert set(answers(found)) == {Answer.TIMEOUT, Answer.SKIPPED}
    assert evidence(found) == {"no answer from the name service within 0.4 s"}


def test_the_whole_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every answer takes nearly all of its time."""
    monkeypatch.setattr(_runner, "time_limit", lambda _endpoints, timeout: 2.5 * timeout)

    def late(connected: socket.socket) -> None:
        servers.read_record(connected)
        time.sleep(0.9 * SHORT)
        servers.reset(connected)

    start = time.monotonic()
    found = serve(late, timeout=SHORT)
    assert time.monotonic() - start < 3.5 * SHORT
    assert found.verdict == "inconclusive"


def test_time_limit_is_the_documented_one() -> None:
    assert _runner.time_limit(2, 10) == 150


def test_a_bug_in_a_probe_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> t.NoReturn:
        raise RuntimeError("a bug")

    monkeypatch.setattr(_runner, "say_hello", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        probe(9)


def test_interruption_begins_nothing_new(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(Exception):
        pass

    wait_for = threading.Condition.wait_for

    def interrupt(condition: threading.Condition, *args: t.Any, **options: t.Any) -> bool:
        if threading.current_thread() is threading.main_thread():
            time.sleep(SHORT / 2)
            raise Interrupted
        return wait_for(condition, *args, **options)

    monkeypatch.setattr(threading.Condition, "wait_for", interrupt)

    def late(connected: socket.socket) -> None:
        time.sleep(SHORT)
        reset_after_hello(connected)

    with servers.Server(late) as server:
        with pytest.raises(Interrupted):
            probe(server.port)
        time.sleep(2 * SHORT)
        assert server.connections == 1


# what the network does to connections


@pytest.mark.parametrize("share", [0.1, 0.3])
@pytest.mark.parametrize("handler", ["schannel", "openssl"])
def test_lost_connections_do_not_look_like_a_version_that_is_off(
    share: float, handler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_runner, "PAUSE", 0)
    context = servers.server_context(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2)
    kind = servers.schannel(context, 0x0301, 0x0302, 0x0303) if handler == "schannel" else servers.tls(context)
    with servers.Server(servers.unreliable(kind, share, 1)) as server:
        for _dummy in range(15):
            found = probe(server.port, required=[V12])
            assert not {version for version in (V10, V11, V12) if found.versions[version].accepted is False}
            assert not accepted(found) & {S30, V13}


@pytest.mark.parametrize("scheme", ["smtp", "https"])
def test_server_that_allows_one_connection_at_a_time(scheme: str) -> None:
    script = servers.SMTP if scheme == "smtp" else ()
    context = servers.server_context(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2)
    busy = servers.says(("", b"421 4.7.0 Too many concurrent connections from your address\r\n"))
    handler = servers.one_at_a_time(servers.tls(context, *script), busy if scheme == "smtp" else servers.reset)
    found = serve(handler, scheme, required=[V12])
    assert found.verdict == "verified", found.error
    assert accepted(found) == {V10, V12}


def test_endpoints_of_one_host_that_allows_one_connection_at_a_time() -> None:
    context = servers.server_context(ssl.TLSVersion.TLSv1_2)
    # on a busy machine the server may notice too late that a connection is gone: then it is inconclusive, never false
    for _attempt in range(3):
        handler = servers.one_at_a_time(servers.schannel(context, 0x0303), servers.reset)
        reports, _server = several(2, handler)
        assert all(accepted(found) <= {V12} for found in reports)
        if [found.verdict for found in reports] == ["verified", "verified"]:
            break
    assert [found.verdict for found in reports] == ["verified", "verified"], [found.error for found in reports]
    assert all(accepted(found) == {V12} for found in reports)
    assert all(found.versions[V12].evidence == "full handshake" for found in reports)


@pytest.mark.parametrize("scheme", ["https", "smtp"])
def test_server_of_single_bytes_does_not_outlast_its_timeout(scheme: str) -> None:
    """A byte every now and then keeps a connection alive, but not beyond the timeout of the exchange."""
    data = flights.old_flight(0x0303, servers.identity().der) if scheme == "https" else b"220-" * 1000

    def handler(connected: socket.socket) -> None:
        if scheme == "https":
            servers.read_record(connected)
        for byte in data:
            connected.sendall(bytes([byte]))
            time.sleep(SHORT / 3)

    start = time.monotonic()
    found = serve(handler, scheme, required=[V12], timeout=SHORT)
    # the scout, then the other versions together where something was heard
    assert time.monotonic() - start < 3 * SHORT
    assert found.verdict == "inconclusive"
    assert found.error is not None
