# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a server greets as one that takes mail."""

from __future__ import annotations

import socket
import threading

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake.greeting import greets


@pytest.mark.parametrize(
    ("said", "takes_mail"),
    [
        (b"220 ex01.example.com Microsoft ESMTP MAIL Service ready\r\n", True),
        (b"220-ex01.example.com\r\n220 ready\r\n", True),
        (b"421 4.3.2 Service not available\r\n", False),
        (b"", False),
    ],
)
def test_the_first_line_decides(said: bytes, takes_mail: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        assert greets("127.0.0.1", listener.getsockname()[1], timeout=5) is takes_mail
        thread.join()


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert greets("127.0.0.1", port, timeout=2) is False
    assert greets("no such name.invalid", 25, timeout=2) is False
