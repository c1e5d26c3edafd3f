# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail of ours: what a server is told, and what becomes of it whatever the server does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import probe

MAILBOX = "ann@contoso.example"
OK = {
    "EHLO": "250 here",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    ".": "250 2.6.0 queued",
    "QUIT": "221 bye",
}


@contextlib.contextmanager
def server(answers: dict[str, str], greeting: str = "220 here") -> Iterator[tuple[int, list[str]]]:
    """A server for one connection: its port, and the lines that it was sent."""
    heard: list[str] = []

    def serve() -> None:
        connection, _address = listener.accept()
        with connection, connection.makefile("rwb") as line:
            line.write(f"{greeting}\r\n".encode())
            line.flush()
            is_text = False
            for raw in line:
                text = raw.decode().rstrip("\r\n")
                heard.append(text)
                if is_text and text != ".":
                    continue
                word = text.split(" ")[0].split(":")[0].upper() or "."
                answer = answers.get(word, "502 what?")
                is_text = word == "DATA" and answer.startswith("354")
                line.write(f"{answer}\r\n".encode())
                line.flush()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], heard
        thread.join(20)


def test_it_is_handed_over_from_nobody() -> None:
    with server(OK) as (port, heard):
        found = probe.send("127.0.0.1", port, MAILBOX, "ex01", 10)
    assert found.refused is None
    assert heard[1].upper().startswith("MAIL FROM:<>")
    assert f"RCPT TO:<{MAILBOX}>" in {line.replace("rcpt", "RCPT").replace("to:", "TO:") for line in heard}
    assert f"Message-ID: {found.message}" in heard
    assert "Subject: TLS 1.2 check of ex01" in heard
    assert "Auto-Submitted: auto-generated" in heard


@pytest.mark.parametrize(
    ("more", "greeting", "said"),
    [
        ({"RCPT": "550 5.7.54 SMTP; Unable to relay"}, "220 here", "550 5.7.54 SMTP; Unable to relay"),
        ({".": "451 4.7.0 Temporary server error"}, "220 here", "451 4.7.0 Temporary server error"),
        ({}, "421 4.3.2 Service not active", "421 4.3.2 Service not active"),
        ({"MAIL": "530 5.7.1 \x1b[31mNot authenticated"}, "220 here", "530 5.7.1 <U+001B>[31mNot authenticated"),
    ],
)
def test_what_the_server_says_instead(more: dict[str, str], greeting: str, said: str) -> None:
    with server({**OK, **more}, greeting) as (port, _heard):
        found = probe.send("127.0.0.1", port, MAILBOX, "ex01", 10)
    assert found.refused == said


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "refused" in str(probe.send("127.0.0.1", port, MAILBOX, "ex01", 10).refused)
