# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets that listen on an address of this machine, of IPv6 as well."""

from __future__ import annotations

import ipaddress
import pathlib
import socket
import typing as t

import pytest

IPV6 = ("loopback", "with a scope")


def listener(address: str, **how: t.Any) -> socket.socket:
    """On a free port. Python would lose the scope of an address that is given to it as a text alone."""
    family, *_more, place = socket.getaddrinfo(address, 0, type=socket.SOCK_STREAM)[0]
    return socket.create_server(place, family=family, **how)


def own_ipv6(kind: str) -> str:
    """An address of this machine; skips the test where there is none. That of the loopback has no scope by name."""
    for address in ["::1"] if kind == "loopback" else _link_local():
        try:
            listener(address).close()
        except OSError:
            continue
        return address
    pytest.skip(f"this machine has no address of IPv6: {kind}")


def _link_local() -> list[str]:
    try:
        lines = pathlib.Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    found = [(ipaddress.IPv6Address(bytes.fromhex(line.split()[0])), line.split()[-1]) for line in lines]
    return [f"{address}%{interface}" for address, interface in found if address.is_link_local]
