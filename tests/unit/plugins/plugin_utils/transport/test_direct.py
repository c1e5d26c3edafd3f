# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a login messages go without requests and urllib3: the host sees no difference, and neither does the caller."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest
import requests
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    AccessDenied,
    ConnectionLost,
    ExchangeTlsError,
    HostBusy,
    LoginRefused,
    UnexpectedAnswer,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport.answer import MOST_CONTENT

from .sockets import Server, channel_to, serve_fixture

__all__ = ["serve_fixture"]

MESSAGE = b"<envelope/>"
REFUSED = b"HTTP/1.1 401 \r\nWWW-Authenticate: Basic realm='WSMAN'\r\nContent-Length: 0\r\n\r\n"
FAULT = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value>'
    b"<s:Subcode><s:Value>w:AccessDenied</s:Value></s:Subcode></s:Code></s:Fault></s:Body></s:Envelope>"
)
both = pytest.mark.parametrize("plugin", ["winrm", "psrp"])


def answer(content: bytes = b"<o/>", status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/soap+xml", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + content


@pytest.fixture(name="by_library")
def _by_library(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages that went through requests."""
    found: list[str] = []
    send = requests.adapters.HTTPAdapter.send

    def counted(adapter: Any, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        found.append(str(request.url))
        return send(adapter, request, **more)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", counted)
    return found


def headers(request: bytes) -> set[bytes]:
    return set(request.partition(b"\r\n\r\n")[0].lower().split(b"\r\n"))


@both
def test_the_host_sees_no_difference(serve: Callable[..., Server], plugin: str, by_library: list[str]) -> None:
    server = serve(answer(), slow=False)
    channel = channel_to(server, plugin)
    for _dummy in range(3):
        assert channel.post(MESSAGE, "reading") == b"<o/>"
    assert len(by_library) == 1
    first, *later = server.received
    assert len(server.accepted) == 1, "one connection"
    for request in later:
        assert headers(request) == headers(first)
        assert request.endswith(b"\r\n\r\n" + MESSAGE)


@both
@pytest.mark.parametrize(
    "later",
    [
        b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\n<o\r\n2\r\n/>\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(),
        answer(gzip.compress(b"<o/>"), "200 OK", "Content-Encoding: gzip"),
    ],
    ids=["chunks", "continue", "gzip"],
)
def test_forms_of_an_answer(serve: Callable[..., Server], plugin: str, later: bytes, by_library: list[str]) -> None:
    server = serve(answer(), later, slow=False)
    channel = channel_to(server, plugin)
    assert [channel.post(MESSAGE, "reading") for _dummy in range(3)] == [b"<o/>"] * 3
    assert (len(by_library), len(server.accepted)) == (1, 1)


@both
@pytest.mark.parametrize("said", [True, False], ids=["said", "unsaid"])
def test_a_connection_that_ends(serve: Callable[..., Server], plugin: str, said: bool) -> None:
    last = answer(b"<o/>", "200 OK", "Connection: close") if said else answer()
    server = serve(answer(), last, answer(), slow=False)
    channel = channel_to(server, plugin)
    for _dummy in range(2):
        channel.post(MESSAGE, "reading")
    if not said:
        server.hang_up()
    assert channel.post(MESSAGE, "reading") == b"<o/>"
    assert channel.post(MESSAGE, "reading") == b"<o/>"
    assert len(server.accepted) == 2
    assert len(server.received) == 4, "nothing was sent twice"


@both
def test_a_password_that_is_refused_is_sent_once(serve: Callable[..., Server], plugin: str) -> None:
    """Accounts are locked after some tries."""
    server = serve(answer(), REFUSED, slow=False)
    channel = channel_to(server, plugin)
    channel.post(MESSAGE, "reading")
    with pytest.raises(LoginRefused, match="rejected the credentials"):
        channel.post(MESSAGE, "reading")
    assert server.requests == 2


@both
def test_all_logins_that_a_host_offers_are_known(serve: Callable[..., Server], plugin: str) -> None:
    """Each is in a line of its own."""
    refused = REFUSED.replace(b"Content-", b"WWW-Authenticate: Negotiate\r\nContent-")
    server = serve(answer(), refused, slow=False)
    channel = channel_to(server, plugin)
    channel.post(MESSAGE, "reading")
    with pytest.raises(LoginRefused, match="Check user, password"):
        channel.post(MESSAGE, "reading")


def test_a_login_that_is_no_longer_known_is_made_again(serve: Callable[..., Server], by_library: list[str]) -> None:
    """One that belongs to the connection: here the host wants none of the first."""
    server = serve(answer(), REFUSED, answer(), slow=False)
    extras = {"ansible_winrm_message_encryption": "never"}
    channel = channel_to(server, "winrm", transport=["ntlm"], extras=extras)
    assert [channel.post(MESSAGE, "reading") for _dummy in range(3)] == [b"<o/>"] * 3
    assert (len(by_library), len(server.accepted), server.requests) == (2, 2, 4)


@both
@pytest.mark.parametrize("status", [307, 308])
def test_nobody_follows_a_host_elsewhere_with_a_password(
    serve: Callable[..., Server], plugin: str, status: int
) -> None:
    other = serve(answer(), slow=False)
    moved = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{other.port}/x\r\nContent-Length: 0\r\n\r\n"
    server = serve(moved.encode(), slow=False)
    channel = channel_to(server, plugin)
    for _dummy in range(3):
        assert channel.post(MESSAGE, "reading") == b"<o/>"
    assert server.requests == 3, "each message goes to the host first"
    assert other.requests == 3
    assert not any(line.startswith(b"authorization:") for request in other.received for line in headers(request))


@both
def test_too_large_an_answer_is_told_as_that(serve: Callable[..., Server], plugin: str) -> None:
    """And not as a connection that broke, which would be tried again."""
    packed = gzip.compress(bytes(MOST_CONTENT + 1), mtime=0)
    server = serve(answer(), answer(packed, "200 OK", "Content-Encoding: gzip"), slow=False)
    channel = channel_to(server, plugin)
    channel.post(MESSAGE, "reading")
    with pytest.raises(UnexpectedAnswer, match="reading: the answer cannot be read: the answer is larger than"):
        channel.post(MESSAGE, "reading")
    assert server.requests == 2


@both
@pytest.mark.parametrize(
    ("later", "kind"),
    [
        (answer(FAULT, "500 "), AccessDenied),
        (answer(b"", "503 ", "Retry-After: 1"), HostBusy),
        (answer()[:-2], ConnectionLost),
        (b"HTTP/1.1 200 OK\r\nContent-Le", ConnectionLost),
        (b"SSH-2.0-OpenSSH\r\n", ConnectionLost),
        (b"", ConnectionLost),
        (answer(b"<o/>", "302 Found", "Location: http://127.0.0.1:9/"), None),
    ],
    ids=["fault", "busy", "content", "headers", "other", "nothing", "redirect"],
)
def test_errors_are_the_same(
    serve: Callable[..., Server], plugin: str, later: bytes, kind: type[ExchangeTlsError] | None
) -> None:
    server = serve(answer(), later, slow=False)
    server.ends_after = 2
    channel = channel_to(server, plugin)
    channel.post(MESSAGE, "reading")
    if kind is None:
        assert channel.post(MESSAGE, "reading") == b"<o/>", "nobody is followed elsewhere with a password"
        return
    with pytest.raises(ExchangeTlsError) as caught:
        channel.post(MESSAGE, "reading")
    assert caught.value.__class__ is kind
    assert not isinstance(caught.value, UnexpectedAnswer)


@both
def test_silence(serve: Callable[..., Server], plugin: str) -> None:
    server = serve(answer(), b"HTTP/1.1 200 OK\r\n" + b"x" * 50, slow=True)
    channel = channel_to(server, plugin)
    channel.post(MESSAGE, "reading")
    channel.limit(0.05)
    with pytest.raises(ConnectionLost):
        channel.post(MESSAGE, "reading")


@both
def test_a_cookie(serve: Callable[..., Server], plugin: str) -> None:
    """A balancer in between finds the same server by it."""
    server = serve(answer(), answer(b"<o/>", "200 OK", "Set-Cookie: node=7"), answer(), slow=False)
    channel = channel_to(server, plugin)
    for _dummy in range(3):
        channel.post(MESSAGE, "reading")
    assert [b"cookie: node=7" in headers(request) for request in server.received] == [False, False, True]


@both
@pytest.mark.parametrize("more", ["Set-Cookie: a=b", "Content-Encoding: identity"])
def test_a_length_that_makes_no_sense_is_passed_over(serve: Callable[..., Server], plugin: str, more: str) -> None:
    later = f"HTTP/1.1 200 OK\r\n{more}\r\nX y: z\r\n: z\r\nContent-Length: 4, 5\r\n\r\n<o/>"
    server = serve(answer(), later.encode(), slow=False)
    server.ends_after = 2
    channel = channel_to(server, plugin)
    assert [channel.post(MESSAGE, "reading") for _dummy in range(2)] == [b"<o/>"] * 2


def test_a_proxy_is_the_business_of_the_library(serve: Callable[..., Server], by_library: list[str]) -> None:
    proxy = serve(answer(), slow=False)
    extras = {"ansible_winrm_proxy": f"http://127.0.0.1:{proxy.port}"}
    channel = channel_to(proxy, "winrm", extras=extras, remote_addr="ex01.invalid")
    for _dummy in range(2):
        assert channel.post(MESSAGE, "reading") == b"<o/>"
    assert len(by_library) == 2
    assert all(request.startswith(b"POST http://ex01.invalid:") for request in proxy.received)
