# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchanges over real sockets: none outlives its time, however slowly the other side goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    ConnectionLost,
    ExchangeTlsError,
    Unreachable,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport import channels

from .sockets import Server, channel_to, serve_fixture

__all__ = ["serve_fixture"]

#: The seconds between packets that are allowed; an exchange has twice as many.
PACKET = 0.3


def failure(channel: channels.Channel) -> tuple[ExchangeTlsError, float]:
    started = time.monotonic()
    with pytest.raises(ExchangeTlsError) as caught:
        channel.post(b"<envelope/>", "reading")
    return caught.value, time.monotonic() - started


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n"
NEGOTIATE = b"HTTP/1.1 401 \r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n"
SLOW = {
    "status line": b"HTTP/1.1 200 " + b"O" * 500,
    "headers": HEAD.replace(b"OK", b"") + b"X-More: 1\r\n" * 50,
    "body": HEAD + b"Content-Length: 5000\r\n\r\n" + b"x" * 5000,
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100,
    "until the end": HEAD + b"Connection: close\r\n\r\n" + b"x" * 500,
    "refusal": b"HTTP/1.1 401 \r\nContent-Length: 500\r\n\r\n" + b"x" * 500,
}


@pytest.mark.parametrize("plugin", ["winrm", "psrp"])
@pytest.mark.parametrize("case", SLOW)
def test_a_byte_now_and_then_holds_nobody_up(serve: Callable[..., Server], plugin: str, case: str) -> None:
    server = serve(SLOW[case])
    channel = channel_to(server, plugin)
    channel.limit(PACKET)
    error, took = failure(channel)
    assert error.__class__ is ConnectionLost, "perhaps it was carried out"
    assert "the answer was not complete within 1 seconds" in error.message
    assert 2 * PACKET <= took < 2 * PACKET + 2


@pytest.mark.parametrize("plugin", ["winrm", "psrp"])
@pytest.mark.parametrize("answers", [[SLOW["body"]], [NEGOTIATE, SLOW["headers"]]])
def test_no_step_of_a_login_holds_anybody_up(serve: Callable[..., Server], plugin: str, answers: list[bytes]) -> None:
    channel = channel_to(serve(*answers), plugin, transport=["ntlm"])
    channel.limit(PACKET)
    error, took = failure(channel)
    assert isinstance(error, ConnectionLost)
    assert took < 2 * PACKET + 2


def test_slow_proxy_holds_nobody_up(serve: Callable[..., Server]) -> None:
    proxy = serve(SLOW["headers"])
    for scheme in ("http", "https"):
        extras = {"ansible_winrm_proxy": f"http://127.0.0.1:{proxy.port}"}
        how: dict[str, Any] = {"extras": extras, "scheme": scheme, "transport": ["ssl"], "remote_addr": "ex01.invalid"}
        channel = channel_to(proxy, "winrm", **how)
        channel.limit(PACKET)
        error, took = failure(channel)
        assert isinstance(error, Unreachable)
        assert took < 2 * PACKET + 2


@pytest.mark.parametrize("plugin", ["winrm", "psrp"])
def test_slow_tls_holds_nobody_up(serve: Callable[..., Server], plugin: str) -> None:
    channel = channel_to(serve(b"x" * 500), plugin, scheme="https")
    channel.limit(PACKET)
    error, took = failure(channel)
    assert isinstance(error, Unreachable)
    assert took < 2 * PACKET + 2


@pytest.mark.parametrize("plugin", ["winrm", "psrp"])
def test_what_is_only_slow_arrives(serve: Callable[..., Server], plugin: str) -> None:
    """And a new exchange has all its time, on the same connection."""
    server = serve(b"HTTP/1.1 200 \r\nContent-Length: 4\r\n\r\n<o/>", slow=False)
    channel = channel_to(server, plugin)
    channel.limit(0.6)
    for _dummy in range(4):
        assert channel.post(b"<envelope/>", "reading") == b"<o/>"
        time.sleep(0.4)
    assert (server.requests, server.ended) == (4, [])


@pytest.mark.parametrize("plugin", ["winrm", "psrp"])
def test_after_the_end_the_next_message_is_sent_anew(serve: Callable[..., Server], plugin: str) -> None:
    server = serve(SLOW["body"])
    channel = channel_to(server, plugin)
    channel.limit(PACKET)
    failure(channel)
    server.slow, server.answers = False, [b"HTTP/1.1 200 \r\nContent-Length: 4\r\n\r\n<o/>"]
    channel.reconnect()
    assert channel.post(b"<envelope/>", "reading") == b"<o/>"


@pytest.mark.parametrize("plugin", ["winrm", "psrp"])
def test_the_time_for_all_messages(serve: Callable[..., Server], plugin: str) -> None:
    server = serve(SLOW["body"])
    channel = channel_to(server, plugin)
    channel.limit(left=0.5)
    error, took = failure(channel)
    assert isinstance(error, ConnectionLost)
    assert took < 2.5
    before = server.requests
    error, took = failure(channel)
    assert error.__class__ is Unreachable
    assert "not sent" in error.message
    assert took < 0.1
    assert server.requests == before
    channel.limit()
    channel.reconnect()
    server.slow, server.answers = False, [b"HTTP/1.1 200 \r\nContent-Length: 4\r\n\r\n<o/>"]
    assert channel.post(b"<envelope/>", "reading") == b"<o/>", "without limits as before"


@pytest.mark.parametrize("plugin", ["winrm", "psrp"])
def test_a_short_time_after_a_long_one(serve: Callable[..., Server], plugin: str) -> None:
    server = serve(b"HTTP/1.1 200 \r\nContent-Length: 4\r\n\r\n<o/>", SLOW["body"])
    channel = channel_to(server, plugin)
    assert channel.post(b"<envelope/>", "reading") == b"<o/>", "with a minute for it"
    channel.limit(PACKET)
    error, took = failure(channel)
    assert isinstance(error, ConnectionLost)
    assert took < 2 * PACKET + 2
    channel.reconnect()
    error, took = failure(channel)
    assert isinstance(error, ConnectionLost)
    assert took < 2 * PACKET + 2
