# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The plain-text dialogues before STARTTLS, without I/O: RFC 3207 (SMTP), 2033 (LMTP), 2595 and 3501 (IMAP, POP3).

A script is a generator: it yields what to send and is handed the server's next line. :class:`Conversation` cuts the
bytes of the network into lines and drives the script.
"""

from __future__ import annotations

import collections.abc as c
import enum
import re

from .._text import visible
from ._words import Answer, Ending, Talk

MAX_LINE = 8192
MAX_DIALOGUE = 64 * 1024

Script = c.Generator[str, bytes, None]


class Starttls(enum.Enum):
    """A protocol that begins in plain text."""

    SMTP = "SMTP"
    LMTP = "LMTP"
    IMAP = "IMAP"
    POP3 = "POP3"


class _Failed(Exception):
    def __init__(self, answer: Answer, evidence: str) -> None:
        super().__init__(evidence)
        self.talk = Talk(answer, evidence)


class Conversation:
    """One dialogue, from the greeting to the line after which TLS begins.

    ``send`` holds what is to be sent next and is emptied by the caller. ``ready`` turns true where TLS may begin,
    ``talk`` holds the reason where it will not. Bytes that came after the last line are in ``rest``: they are the
    server's answer to a ClientHello it has not seen, so no TLS.
    """

    def __init__(self, protocol: Starttls, own_name: str) -> None:
        """``own_name`` is what the client calls itself in EHLO: a name, or an address in brackets."""
        self.send = b""
        self.ready = False
        self.talk: Talk | None = None
        self.rest = b""
        self._stage = "greeting"
        self._size = 0
        self._buffer = bytearray()
        self._last_line = b""
        self._script = _script(protocol, own_name)
        next(self._script)

    @property
    def over(self) -> bool:
        return self.ready or self.talk is not None

    def feed(self, data: bytes) -> None:
        """Takes bytes in pieces of any size; never raises."""
        if self.over:
            self.rest += data if self.ready else b""
            return
        self._size += len(data)
        self._buffer += data
        while not self.over and (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[: end + 1]).rstrip(b"\r\n")
            del self._buffer[: end + 1]
            self._take(line)
        if self.ready:
            self.rest = bytes(self._buffer)
        elif self.talk is None and (len(self._buffer) > MAX_LINE or self._size > MAX_DIALOGUE):
            self.talk = Talk(Answer.NOT_TLS, f"endless {self._stage}: '{_shown(self._last_line or self._buffer)}'")

    def end(self, how: Ending) -> Talk:
        """The reason, where the server stops talking instead."""
        if self.talk is None:
            if how is Ending.TIMEOUT:
                self.talk = Talk(Answer.TIMEOUT, f"no {self._stage}")
            else:
                last = f" after '{_shown(self._last_line, 200)}'" if self._last_line else ""
                self.talk = Talk(Answer.CLOSED_EARLY, f"{how.value} instead of {self._stage}{last}")
        return self.talk

    def _take(self, line: bytes) -> None:
        self._last_line = line
        try:
            command = self._script.send(line)
        except StopIteration:
            self.ready = True
        except _Failed as exc:
            self.talk = exc.talk
        else:
            if command:
                words = command.split(" ")
                # IMAP puts a tag before the command
                self._stage = f"reply to {words[1] if words[0] in ('a1', 'a2') else words[0]}"
                self.send += command.encode("ascii") + b"\r\n"


def _script(protocol: Starttls, own_name: str) -> Script:
    if protocol is Starttls.SMTP:
        return _smtp(f"EHLO {own_name}")
    if protocol is Starttls.LMTP:
        return _smtp(f"LHLO {own_name}")
    return _imap() if protocol is Starttls.IMAP else _pop3()


def _shown(line: bytes | bytearray, limit: int = 40) -> str:
    return visible(line.decode("utf-8", "backslashreplace"), limit)


def _refused(line: bytes) -> _Failed:
    return _Failed(Answer.STARTTLS_REFUSED, _shown(line, 200))


def _count(lines: list[bytes]) -> str:
    return "1 line" if len(lines) == 1 else f"{len(lines)} lines"


# SMTP and LMTP


def _smtp(hello: str) -> Script:
    code, lines = yield from _smtp_reply("")
    if code != 220:
        raise _refused(lines[-1])
    code, lines = yield from _smtp_reply(hello)
    if code != 250:
        raise _refused(lines[-1])
    # the first line names the server, each other line one extension
    if not any(line[4:].split(b" ")[0].strip().upper() == b"STARTTLS" for line in lines[1:]):
        word = hello.split(" ")[0]
        raise _Failed(Answer.NO_STARTTLS, f"{_count(lines)} in the reply to {word}, no STARTTLS")
    code, lines = yield from _smtp_reply("STARTTLS")
    if code != 220:
        raise _refused(lines[-1])


def _smtp_reply(command: str) -> c.Generator[str, bytes, tuple[int, list[bytes]]]:
    """Sends a command ("" for the greeting); returns the code and all lines of the reply."""
    lines: list[bytes] = []
    while True:
        line = yield command
        command = ""
        match = re.match(rb"([2-5][0-9][0-9])([ -]|$)", line)
        if match is None or (lines and lines[0][:3] != match[1]):
            raise _Failed(Answer.NOT_TLS, f"no SMTP reply: '{_shown(line)}'")
        lines.append(line)
        if match[2] != b"-":
            return int(match[1]), lines


# IMAP


def _imap() -> Script:
    greeting = yield ""
    if not greeting.upper().startswith(b"* OK"):
        if greeting.upper().startswith((b"* BYE", b"* PREAUTH")):
            raise _refused(greeting)
        raise _Failed(Answer.NOT_TLS, f"no IMAP greeting: '{_shown(greeting)}'")
    lines = yield from _imap_command("a1 CAPABILITY")
    capabilities = [line.upper().split() for line in lines if line.upper().startswith(b"* CAPABILITY")]
    if not any(b"STARTTLS" in words for words in capabilities):
        raise _Failed(Answer.NO_STARTTLS, f"{_count(lines)} in the reply to CAPABILITY, no STARTTLS")
    yield from _imap_command("a2 STARTTLS")


def _imap_command(command: str) -> c.Generator[str, bytes, list[bytes]]:
    """Returns the untagged lines of a command that was answered with OK."""
    tag = command.split(" ")[0].encode()
    lines: list[bytes] = []
    while True:
        line = yield command
        command = ""
        if line.startswith(b"* BYE"):
            raise _refused(line)
        if line.startswith((b"* ", b"+ ")):
            lines.append(line)
        elif line.split(b" ")[0] == tag:
            if line.split(b" ")[1:2] != [b"OK"]:
                raise _refused(line)
            return lines
        else:
            raise _Failed(Answer.NOT_TLS, f"no IMAP reply: '{_shown(line)}'")


# POP3


def _pop3() -> Script:
    greeting = yield ""
    if not _pop3_ok(greeting):
        raise _refused(greeting)
    # CAPA is younger than POP3 (RFC 2449): a server without it is asked straight away
    if _pop3_ok((yield "CAPA")):
        capabilities = []
        while (line := (yield "")) != b".":
            capabilities.append(line.strip().upper())
        if b"STLS" not in capabilities:
            raise _Failed(Answer.NO_STARTTLS, f"{_count(capabilities)} in the reply to CAPA, no STLS")
    reply = yield "STLS"
    if not _pop3_ok(reply):
        raise _refused(reply)


def _pop3_ok(line: bytes) -> bool:
    status = line.split(b" ")[0].upper()
    if status not in (b"+OK", b"-ERR"):
        raise _Failed(Answer.NOT_TLS, f"no POP3 reply: '{_shown(line)}'")
    return status == b"+OK"
