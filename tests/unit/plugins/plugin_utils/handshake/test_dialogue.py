# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain-text dialogues up to STARTTLS."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._dialogue import (
    MAX_DIALOGUE,
    MAX_LINE,
    Conversation,
    Starttls,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._words import Answer, Ending
from hypothesis import given
from hypothesis import strategies as st

from . import servers

GOOD = {
    Starttls.SMTP: (servers.SMTP, [b"EHLO [192.0.2.1]\r\n", b"STARTTLS\r\n"]),
    Starttls.LMTP: (servers.LMTP, [b"LHLO [192.0.2.1]\r\n", b"STARTTLS\r\n"]),
    Starttls.IMAP: (servers.IMAP, [b"a1 CAPABILITY\r\n", b"a2 STARTTLS\r\n"]),
    Starttls.POP3: (servers.POP3, [b"CAPA\r\n", b"STLS\r\n"]),
}
EHLO = b"250-ex01 Hello\r\n250-SIZE 1\r\n250 STARTTLS\r\n"


def converse(protocol: Starttls, *replies: bytes) -> tuple[Conversation, list[bytes]]:
    conversation = Conversation(protocol, "[192.0.2.1]")
    sent = []
    for reply in replies:
        conversation.feed(reply)
        if conversation.send:
            sent.append(conversation.send)
            conversation.send = b""
    return conversation, sent


def outcome(protocol: Starttls, *replies: bytes) -> tuple[Answer, str]:
    conversation, _sent = converse(protocol, *replies)
    assert not conversation.ready
    assert conversation.talk is not None
    return conversation.talk.answer, conversation.talk.evidence


@pytest.mark.parametrize("protocol", Starttls)
def test_good_dialogue(protocol: Starttls) -> None:
    script, commands = GOOD[protocol]
    conversation, sent = converse(protocol, *(reply for _command, reply in script))
    assert conversation.ready
    assert sent == commands
    assert conversation.rest == b""


@given(st.sampled_from(Starttls), st.lists(st.integers(1, 60), max_size=12))
def test_pieces_of_the_network_do_not_matter(protocol: Starttls, sizes: list[int]) -> None:
    script, commands = GOOD[protocol]
    conversation = Conversation(protocol, "[192.0.2.1]")
    sent = b""
    for _command, reply in script:
        rest = reply
        for size in sizes:
            conversation.feed(rest[:size])
            rest = rest[size:]
        conversation.feed(rest)
        sent, conversation.send = sent + conversation.send, b""
    assert conversation.ready
    assert sent == b"".join(commands)


@pytest.mark.parametrize("protocol", Starttls)
def test_greetings_are_shown_so_that_no_terminal_obeys_them(protocol: Starttls) -> None:
    evil = "почта \u202e\u009b31m\x1b[2J\x07" + "x" * 5000
    _answer, evidence = outcome(protocol, f"554 {evil}\r\n".encode())
    assert evidence.isprintable()
    assert "почта <U+202E><U+009B>31m<U+001B>[2J<U+0007>x" in evidence
    assert "more characters)" in evidence
    assert len(evidence) < 400


def test_bytes_after_the_last_line_are_kept() -> None:
    conversation, _sent = converse(Starttls.SMTP, b"220 x\r\n", EHLO, b"220 go\r\ninjected")
    assert conversation.ready
    conversation.feed(b" more")
    assert conversation.rest == b"injected more"


# STARTTLS is not there, or refused


def test_smtp_without_starttls() -> None:
    replies = (b"220 x\r\n", b"250-STARTTLS is my name\r\n250-SIZE 1\r\n250 X-ANONYMOUSTLS\r\n")
    expected = "3 lines in the reply to EHLO, no STARTTLS"
    assert outcome(Starttls.SMTP, *replies) == (Answer.NO_STARTTLS, expected)


def test_imap_without_starttls() -> None:
    replies = (b"* OK x\r\n", b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\na1 OK done\r\n")
    assert outcome(Starttls.IMAP, *replies)[0] is Answer.NO_STARTTLS


def test_pop3_without_stls() -> None:
    replies = (b"+OK x\r\n", b"+OK\r\nTOP\r\n.\r\n")
    expected = (Answer.NO_STARTTLS, "1 line in the reply to CAPA, no STLS")
    assert outcome(Starttls.POP3, *replies) == expected


def test_pop3_without_capa_is_asked_straight_away() -> None:
    conversation, sent = converse(Starttls.POP3, b"+OK\r\n", b"-ERR unknown\r\n", b"+OK go\r\n")
    assert conversation.ready
    assert sent == [b"CAPA\r\n", b"STLS\r\n"]


@pytest.mark.parametrize(
    ("protocol", "replies", "line"),
    [
        (Starttls.SMTP, (b"421 4.3.2 Service not available\r\n",), "421 4.3.2 Service not available"),
        (Starttls.SMTP, (b"554-no\r\n554 go away\r\n",), "554 go away"),
        (
            Starttls.SMTP,
            (b"220 x\r\n", b"451 5.7.3 Must issue a STARTTLS command first\r\n"),
            "451 5.7.3 Must issue a STARTTLS command first",
        ),
        (Starttls.SMTP, (b"220 x\r\n", EHLO, b"454 4.7.0 TLS not available\r\n"), "454 4.7.0 TLS not available"),
        (Starttls.LMTP, (b"220 x\r\n", b"502 what?\r\n"), "502 what?"),
        (Starttls.IMAP, (b"* BYE too many\r\n",), "* BYE too many"),
        (Starttls.IMAP, (b"* PREAUTH you\r\n",), "* PREAUTH you"),
        (Starttls.IMAP, (b"* OK\r\n", b"a1 BAD what\r\n"), "a1 BAD what"),
        (Starttls.IMAP, (b"* OK\r\n", b"* CAPABILITY STARTTLS\r\na1 OK\r\n", b"a2 NO\r\n"), "a2 NO"),
        (Starttls.IMAP, (b"* OK\r\n", b"* BYE\r\n"), "* BYE"),
        (Starttls.POP3, (b"-ERR busy\r\n",), "-ERR busy"),
        (Starttls.POP3, (b"+OK\r\n", b"+OK\r\nSTLS\r\n.\r\n", b"-ERR no key\r\n"), "-ERR no key"),
    ],
)
def test_starttls_refused_keeps_the_line(protocol: Starttls, replies: tuple[bytes, ...], line: str) -> None:
    assert outcome(protocol, *replies) == (Answer.STARTTLS_REFUSED, line)


# other servers


@pytest.mark.parametrize("protocol", Starttls)
@pytest.mark.parametrize(
    "data", [b"SSH-2.0-OpenSSH_9.2p1\r\n", b"HTTP/1.1 400 Bad Request\r\n", b"\x15\x03\x01\x00\x02\x02\x28\n", b"\n"]
)
def test_no_mail_server(protocol: Starttls, data: bytes) -> None:
    answer, evidence = outcome(protocol, data)
    assert answer is Answer.NOT_TLS
    assert evidence.isprintable()


@pytest.mark.parametrize(
    ("protocol", "replies"),
    [
        (Starttls.SMTP, (b"220 x\r\n", b"250-a\r\n354 b\r\n")),
        (Starttls.IMAP, (b"* OK\r\n", b"a7 OK\r\n")),
        (Starttls.POP3, (b"+OK\r\n", b"hello\r\n")),
    ],
)
def test_replies_that_are_none(protocol: Starttls, replies: tuple[bytes, ...]) -> None:
    assert outcome(protocol, *replies)[0] is Answer.NOT_TLS


@pytest.mark.parametrize("protocol", Starttls)
def test_endless_line(protocol: Starttls) -> None:
    assert outcome(protocol, b"2" * (MAX_LINE + 1))[0] is Answer.NOT_TLS


@pytest.mark.parametrize(
    ("protocol", "greeting", "line"),
    [
        (Starttls.SMTP, b"", b"220-go on\r\n"),
        (Starttls.SMTP, b"220 x\r\n", b"250-more\r\n"),
        (Starttls.IMAP, b"* OK\r\n", b"* and\r\n"),
        (Starttls.POP3, b"+OK\r\n", b"+OK\r\n"),
    ],
)
def test_endless_reply(protocol: Starttls, greeting: bytes, line: bytes) -> None:
    conversation = Conversation(protocol, "me")
    conversation.feed(greeting)
    for _dummy in range(MAX_DIALOGUE // len(line) + 1):
        conversation.feed(line)
    assert conversation.talk is not None
    assert conversation.talk.answer is Answer.NOT_TLS
    assert conversation.talk.evidence.startswith("endless")


# the server stops


def test_closed_early_says_where() -> None:
    conversation, _sent = converse(Starttls.SMTP)
    assert conversation.end(Ending.RESET).evidence == "reset instead of greeting"
    conversation, _sent = converse(Starttls.SMTP, b"220 x\r\n")
    talk = conversation.end(Ending.CLOSE)
    assert (talk.answer, talk.evidence) == (Answer.CLOSED_EARLY, "close instead of reply to EHLO after '220 x'")
    conversation, _sent = converse(Starttls.IMAP, b"* OK\r\n", b"* CAPABILITY STARTTLS\r\na1 OK\r\n")
    assert conversation.end(Ending.CLOSE).evidence == "close instead of reply to STARTTLS after 'a1 OK'"


def test_timeout_says_what_was_waited_for() -> None:
    conversation, _sent = converse(Starttls.SMTP, b"220-x\r\n")
    talk = conversation.end(Ending.TIMEOUT)
    assert (talk.answer, talk.evidence) == (Answer.TIMEOUT, "no greeting")
    conversation, _sent = converse(Starttls.POP3, b"+OK\r\n")
    assert conversation.end(Ending.TIMEOUT).evidence == "no reply to CAPA"


@given(
    st.sampled_from(Starttls),
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from([line for script, _sent in GOOD.values() for _command, line in script]),
            st.sampled_from([b"\r\n", b"250-", b"220 ", b"* ", b"a1 OK", b"+OK", b"."]),
        ),
        max_size=12,
    ),
    st.sampled_from(Ending),
)
def test_nothing_makes_it_raise(protocol: Starttls, pieces: list[bytes], end: Ending) -> None:
    conversation, _sent = converse(protocol, *pieces)
    if not conversation.ready:
        talk = conversation.end(end)
        assert talk.evidence.isprintable()
        assert talk.answer not in (Answer.ACCEPTED, Answer.REJECTED)
        assert conversation.end(Ending.RESET) == talk
