# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of IPv6, with a scope as well: in the URL of the library, and in the call that opens the connection."""

from __future__ import annotations

import dataclasses
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import Unreachable
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport import channels

from .. import listening
from .connections import psrp, winrm
from .sockets import Server, channel_to, serve_fixture

__all__ = ["serve_fixture"]

PLUGINS = {"winrm": winrm, "psrp": psrp}
SCHEMES = {"winrm": "scheme", "psrp": "protocol"}


@dataclasses.dataclass(frozen=True)
class Address:
    """An address, and what it is in the table of ways in."""

    address: str
    way: str
    outcome: str = "arrives"


CASES = {
    "ipv6": Address("2001:db8::25", "IPv6 address"),
    "ipv6-scope": Address("fe80::25%eth0", "IPv6 address with a scope"),
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("connection", PLUGINS)
@pytest.mark.parametrize("name", CASES)
def test_an_ipv6_address_arrives(monkeypatch: pytest.MonkeyPatch, name: str, connection: str, scheme: str) -> None:
    address = CASES[name].address
    asked: list[tuple[Any, ...]] = []

    def getaddrinfo(*args: Any, **dummy: Any) -> Any:
        asked.append(args[:2])
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    channel = channels.open_channel(PLUGINS[connection](remote_addr=address, **{SCHEMES[connection]: scheme}))
    assert channel.endpoint == f"{scheme}://[{address}]:5985/wsman"
    with pytest.raises(Unreachable, match="cannot connect to the host: Name or service not known"):
        channel.post(b"<envelope/>", "reading")
    assert set(asked) == {(address, 5985)}


@pytest.mark.parametrize("connection", PLUGINS)
@pytest.mark.parametrize("name", CASES)
def test_the_host_is_not_told_the_scope(
    monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Server], name: str, connection: str
) -> None:
    """Neither by the library, whose first message it is, nor after that."""
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<o/>", slow=False)
    here = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *dummy, **more: here)
    channel = channel_to(server, connection, remote_addr=CASES[name].address)
    for _dummy in range(2):
        assert channel.post(b"<envelope/>", "reading") == b"<o/>"
    address = CASES[name].address.partition("%")[0]
    hosts = [re.findall(rb"(?im)^host: *(.*?)\r$", request) for request in server.received]
    assert hosts == [[f"[{address}]:{server.port}".encode()]] * 2


@pytest.mark.parametrize("connection", PLUGINS)
@pytest.mark.parametrize("kind", listening.IPV6)
def test_a_real_socket_of_ipv6_answers(serve: Callable[..., Server], kind: str, connection: str) -> None:
    address = listening.own_ipv6(kind)
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<o/>", slow=False, address=address)
    channel = channel_to(server, connection, remote_addr=address)
    for _dummy in range(2):
        assert channel.post(b"<envelope/>", "reading") == b"<o/>"
    (peer,) = {connected.getsockname()[0] for connected in server.accepted}
    assert peer == address.partition("%")[0]
