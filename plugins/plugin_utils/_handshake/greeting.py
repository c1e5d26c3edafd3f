# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Whether an SMTP server greets: a front end whose service runs may still refuse everybody (421)."""

from __future__ import annotations

import contextlib
import socket

_READY = b"220"
_FIRST = 512


def greets(address: str, port: int, timeout: float = 10.0) -> bool:
    """Whether the first line of a server there is that of one that takes mail (RFC 5321 4.2). Never raises."""
    try:
        with socket.create_connection((address, port), timeout) as connection:
            first = connection.recv(_FIRST)
            # so that the server does not wait for more; one that has gone has greeted all the same
            with contextlib.suppress(OSError):
                connection.sendall(b"QUIT\r\n")
    except (OSError, ValueError):
        return False
    return first.startswith(_READY)
