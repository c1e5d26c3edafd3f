# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP protocol logs: from lines to sessions."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import dialogue, smtp_log, telling
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import session as seen
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow.session import Session
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow.tally import Tally
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.laws import examples

from . import logs

SEND = "Outbound to Office 365"


def read(lines: list[str], direction: str | None = None) -> list[dict[str, Any]]:
    return [session.as_result() for session in smtp_log.sessions_of(logs.raw(lines), direction)[0]]


def one(events: list[str], **options: Any) -> dict[str, Any]:
    (found,) = read(logs.session(events, **options))
    return found


def scanned(content: bytes) -> tuple[list[Session], smtp_log.Scanner]:
    """By the quick way."""
    found: list[Session] = []
    scanner = smtp_log.Scanner(lambda session, number: found.extend([session] * number))
    scanner.feed(content)
    scanner.finish()
    return found, scanner


def test_a_session_with_tls() -> None:
    found = one(logs.tls())
    assert found == {
        "direction": "receive",
        "connector": "EX01\\Default Frontend EX01",
        "session_id": "08DE000000000001",
        "day": "2026-01-05",
        "local": "10.0.0.1:25",
        "remote": "192.0.2.7:40001",
        "peer": "192.0.2.7",
        "peer_ip": "192.0.2.7",
        "inside": False,
        "complete_start": True,
        "starttls_offered": True,
        "starttls_used": True,
        "tls_version": "TLS 1.2",
        "tls_side": "server",
        "cipher": "AES_256",
        "cipher_bits": 256,
        "mac": "SHA_384",
        "key_exchange": "ECDH_EPHEM",
        "result": "tls_ok",
        "error": None,
        "message_seen": True,
        "end": "Local",
    }


@pytest.mark.parametrize(
    ("events", "result", "error", "offered"),
    [
        (logs.plain(), "plain_mail", None, True),
        ([*logs.BEGIN, logs.BROKEN, *logs.MAIL, *logs.END], "plain_mail", None, False),
        ([*logs.BEGIN, *logs.OFFER_2010, *logs.MAIL, *logs.END], "plain_mail", None, True),
        ([*logs.BEGIN, logs.OFFER, *logs.ENVELOPE, *logs.CHUNKS, *logs.END], "plain_mail", None, True),
        # refused, so that no mail went, in the ways of 2013 and of 2010
        ([*logs.BEGIN, logs.OFFER, *logs.NO_SENDER, *logs.END], "no_message", None, True),
        ([*logs.BEGIN, logs.OFFER, *logs.NO_RECIPIENT, *logs.END], "no_message", None, True),
        ([*logs.BEGIN, *logs.OFFER_2010, *logs.NO_RECIPIENT, "<,RSET,", *logs.END], "no_message", None, True),
        ([*logs.BEGIN, logs.OFFER, *logs.NO_CHUNKS, *logs.END], "no_message", None, True),
        # nor where it was only asked whether there is such a recipient, or given up before
        ([*logs.BEGIN, logs.OFFER, *logs.ENVELOPE, logs.DATA[0], *logs.END], "no_message", None, True),
        ([*logs.BEGIN, logs.OFFER, *logs.ENVELOPE], "incomplete", None, True),
        ([*logs.BEGIN, logs.OFFER, *logs.ENVELOPE, "<,DATA,", ">,503 5.5.2 Need rcpt command,", *logs.END],
         "no_message", None, True),
        # one of several recipients, or of several mails
        ([*logs.BEGIN, logs.OFFER, *logs.NO_RECIPIENT, logs.ENVELOPE[2], *logs.DATA, *logs.END],
         "plain_mail", None, True),
        ([*logs.BEGIN, logs.OFFER, *logs.NO_SENDER, *logs.MAIL, *logs.NO_RECIPIENT, *logs.END],
         "plain_mail", None, True),
        ([*logs.BEGIN, logs.OFFER, *logs.MAIL, logs.ENVELOPE[0], ">,451 5.7.3 Must issue a STARTTLS command first,"],
         "plain_mail", None, True),
        (
            [*logs.BEGIN, logs.OFFER, logs.MAIL[0], ">,451 5.7.3 Must issue a STARTTLS command first,", "-,,Local"],
            "no_message",
            None,
            True,
        ),
        (
            [*logs.BEGIN, logs.OFFER, "<,STARTTLS,", "*,,TLS negotiation failed with error SocketError", "-,,Local"],
            "tls_failed",
            "SocketError",
            True,
        ),
        (
            [*logs.BEGIN, logs.OFFER, "<,STARTTLS,", "*,,Security status IllegalMessage", "-,,Local"],
            "tls_failed",
            "IllegalMessage",
            True,
        ),
        ([*logs.BEGIN, logs.OFFER, "<,starttls,", "-,,Remote(ConnectionReset)"], "tls_failed", "ended", True),
        (
            [*logs.BEGIN, logs.OFFER, "<,STARTTLS,", ">,454 4.7.0 TLS not available due to local problem,", *logs.END],
            "tls_failed",
            "refused",
            True,
        ),
        # a refusal of the command that names it
        *(
            ([*logs.BEGIN, logs.OFFER, "<,STARTTLS,", f">,{said},", *rest, *logs.END], "tls_failed", "refused", True)
            for said in (
                "502 5.5.1 STARTTLS command not implemented",
                "500 5.3.3 Unrecognized command 'STARTTLS'",
                '"500 5.5.1 Command unrecognized: ""STARTTLS"""',
                "454 4.7.0 STARTTLS not available",
            )
            for rest in ([], logs.MAIL)
        ),
        # and the demand for it, of who has not given it yet
        ([*logs.BEGIN, logs.OFFER, logs.MAIL[0], ">,503 5.5.1 STARTTLS required,", *logs.END],
         "no_message", None, True),
        # a probe of a load balancer
        (["+,,", logs.BEGIN[1], "-,,Remote(SocketError)"], "no_message", None, None),
        # a login that tells no password to who listens
        *(
            ([*logs.BEGIN, logs.OFFER, f"<,{login},", ">,334 <authentication response>,",
              ">,334 <authentication response>,", ">,235 2.7.0 Authentication successful,", *rest, *logs.END],
             result, None, True)
            for login in ("AUTH NTLM", "auth ntlm TlRMTVNTUAAB", "AUTH GSSAPI", "X-EXPS GSSAPI", "X-EXPS NTLM",
                          "AUTH CRAM-MD5")
            for rest, result in (([], "no_message"), (logs.MAIL, "plain_mail"))
        ),
        *(
            ([*logs.BEGIN, logs.OFFER, "<,AUTH NTLM,", ">,334 <authentication response>,",
              ">,535 5.7.3 Authentication unsuccessful,", f"<,{login},", ">,334 <authentication response>,", *logs.END],
             "plain_login", None, True)
            for login in ("AUTH LOGIN", "auth plain", "AUTH LOGIN YXBw", "X-EXPS LOGIN")
        ),
        (
            [*logs.BEGIN, logs.OFFER, "<,AUTH login,", ">,334 <authentication response>,", "-,,Remote"],
            "plain_login",
            None,
            True,
        ),
        (
            [
                "+,,",
                logs.BEGIN[1],
                "<,HELO app,",
                ">,250 mx.fabrikam.example Hello [192.0.2.7],",
                *logs.MAIL,
                *logs.END,
            ],
            "plain_mail",
            None,
            None,
        ),
        # cut off
        (logs.BEGIN, "incomplete", None, None),
    ],
)  # fmt: skip
def test_outcomes(events: list[str], result: str, error: str | None, offered: bool | None) -> None:
    for content in (logs.raw(logs.session(events)), logs.raw([*logs.header(), *logs.session(events)])):
        for sessions in (smtp_log.sessions_of(content)[0], scanned(content)[0]):
            (found,) = [session.as_result() for session in sessions]
            assert (found["result"], found["error"], found["starttls_offered"]) == (result, error, offered)


def test_where_the_beginning_is_missing_tls_is_unknown() -> None:
    found = one([*logs.MAIL, *logs.END], start=30)
    assert (found["result"], found["complete_start"], found["starttls_offered"]) == ("incomplete", False, None)


def test_a_login_that_fails_is_no_fault_of_tls() -> None:
    found = one([*logs.tls()[:7], "*,,Inbound AUTH LOGIN failed because of LogonDenied", "-,,Local"])
    assert (found["result"], found["error"]) == ("tls_ok", "LogonDenied")


def test_a_send_log_begins_before_there_is_a_connection() -> None:
    begun = ["*,SendRoutingHeaders,Set Session Permissions", "*,,attempting to connect"]
    events = [*begun, "+,,", "<,220 mx ready,", ">,EHLO ex01,", logs.OFFER.replace(">", "<"), ">,STARTTLS,"]
    lines = logs.session([*events, logs.agreed("TLS1_0", "CLIENT"), "-,,Local"], connector=SEND, port=25)
    lines[:2] = [line.replace(",10.0.0.1:25,", ",,") for line in lines[:2]]
    (found,) = read(lines)
    assert (found["direction"], found["tls_version"], found["tls_side"], found["inside"]) == (
        "send",
        "TLS 1.0",
        "client",
        False,
    )
    assert found["complete_start"]
    assert read(lines[:2])[0]["result"] == "incomplete"


def test_no_connection() -> None:
    events = ["*,,attempting to connect", '*,,"Failed to connect. Winsock error code: 10061, Win32 error code: 10061"']
    assert one(events, connector=SEND, port=2525, local="")["result"] == "unconnected"


@pytest.mark.parametrize(
    ("options", "inside"),
    [
        ({"local": "10.0.0.1:2525"}, True),
        ({"local": "10.0.0.1:465"}, True),
        ({"local": "10.0.0.1:587"}, False),
        ({"local": "10.0.0.1:25", "peer": "10.0.0.1"}, True),
        ({"local": "127.0.0.1:25", "peer": "127.0.0.1"}, True),
        ({"local": "[2001:db8::1]:25", "peer": "[2001:db8::2]"}, False),
        ({"local": "10.0.0.1:40000", "connector": "Intra-Organization SMTP Send Connector", "port": 2525}, True),
        ({"local": "10.0.0.1:40000", "connector": "Mailbox transport", "port": 475}, True),
        ({"local": "10.0.0.1:717", "connector": "To Internet", "port": 25}, False),
        # who comes from the Internet to such a port is a client, unless the own address is one of it as well
        ({"local": "10.0.0.1:2525", "peer": "43.228.184.5"}, False),
        ({"local": "[fe80::1%5]:2525", "peer": "[2606:4700::5]"}, False),
        ({"local": "43.228.184.4:2525", "peer": "43.228.184.5"}, True),
    ],
)
def test_hops_inside(options: dict[str, Any], inside: bool) -> None:
    assert one(logs.tls(), **options)["inside"] is inside


def test_a_front_end_names_the_client() -> None:
    found = one([*logs.BEGIN, "<,XPROXY SID=08DE00 IP=198.51.100.70 PORT=50100 DOMAIN=app CAPABILITIES=0,", *logs.MAIL])
    assert (found["peer"], found["inside"]) == ("198.51.100.70", True)


@pytest.mark.parametrize("connector", ["Relay für Scanner", "EX\\Default ", "組織 SMTP", '"Relay, old ""A"""'])
def test_names_of_connectors(connector: str) -> None:
    content = logs.raw(logs.session(logs.tls(), connector=connector))
    shown = connector[1:-1].replace('""', '"') if connector.startswith('"') else connector
    for sessions in (smtp_log.sessions_of(content)[0], scanned(content)[0]):
        assert [(session.as_result()["connector"], session.outcome) for session in sessions] == [(shown, "tls_ok")]


def test_headers_that_change_within_a_file() -> None:
    send = logs.session([*logs.BEGIN, logs.OFFER], number=2, connector="X\\send", port=25)
    lines = [
        *logs.header(),
        *logs.session(logs.tls()),
        *logs.header("Send"),
        *send,
        "#Log-type: Message Tracking Log",
        *logs.plain(),
    ]
    for content in (logs.raw(lines), b"\xef\xbb\xbf" + logs.raw(lines, "\n")):
        found, scanner = scanned(content)
        assert [session.way for session in found] == ["receive", "send"]
        assert scanner.bare == 11
        assert scanner.lines == len(lines)


def test_what_looks_like_an_event_is_part_of_a_text() -> None:
    events = [*logs.BEGIN[:2], '<,"EHLO a,+,,b,-,,c",', logs.OFFER, *logs.MAIL, *logs.END]
    for sessions in (
        smtp_log.sessions_of(logs.raw(logs.session(events)))[0],
        scanned(logs.raw(logs.session(events)))[0],
    ):
        assert [session.outcome for session in sessions] == ["plain_mail"]


def test_damaged_lines_are_counted_and_skipped() -> None:
    good = logs.session(logs.tls())
    damaged = [
        "Date/Time,Outbound,SessionID,SequenceNumber,LocalEndpoint,RemoteEndpoint,<,220 ready,",
        "TLS negotiation failed with error SocketError",
        "2026-01-05T09:00:00.000Z,EX01\\Default,08DE,+,,",
        "\x00\x00",
    ]
    content = logs.raw([*good[:3], *damaged, *good[3:]])
    for sessions, count in ((found := scanned(content))[0], found[1].damaged), smtp_log.sessions_of(content):
        assert [session.outcome for session in sessions] == ["tls_ok"]
        assert count == len(damaged)


def test_sessions_of_one_name_are_told_apart_by_their_peers() -> None:
    lines = logs.woven([logs.session(logs.tls("TLS1_0"), number=1), logs.session(logs.plain(), number=1, port=9)])
    found, dummy = scanned(logs.raw(lines))
    assert {session.outcome for session in found} == {"tls_ok", "plain_mail"}


def test_a_port_that_is_used_again_is_another_session() -> None:
    content = logs.raw([*logs.session(logs.plain()[:-1]), *logs.session(logs.tls())])
    assert [session.outcome for session in scanned(content)[0]] == ["plain_mail", "tls_ok"]


def test_too_many_open_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_log, "MOST_OPEN", 3)
    begun = [logs.session(["+,,"], number=number) for number in range(5)]
    found, scanner = scanned(logs.raw(logs.woven(begun)))
    assert (len(found), scanner.unfollowed) == (5, 2)


SAID = st.sampled_from(
    [
        "STARTTLS", "mail FROM:<>", "helo a", "EHLO a", "XPROXY SID=1 IP=192.0.2.1", "334 a", "250-STARTTLS",
        "250 2.1.0 Ok", "354 go", "BDAT 9", "bdat 0 LAST", "250  mx X-ANONYMOUSTLS", "220 mx", "221 2.0.0 STARTTLS",
        "451 5.7.3 STARTTLS", "454 TLS", "AUTH NTLM", "auth login", "x-exps gssapi", "",
    ]
)  # fmt: skip


@given(said=SAID | st.text('245 .XPR-"', max_size=6), quote=st.sampled_from(["", '"']))
def test_what_is_left_out_tells_nothing(said: str, quote: str) -> None:
    rest = f"{quote}{said}{quote},".encode()
    session = Session("receive", b"2026-01-05", b"EX\\a", b"08DE", b"10.0.0.1:25", b"192.0.2.7:40000")
    session.flags = seen.STARTTLS
    dialogue.tell(session, b"<", rest)
    tells = session.flags & ~seen.SPOKEN != seen.STARTTLS or session.client is not None
    assert not tells or telling.TELLING.match(b"0,10.0.0.1:25,192.0.2.7:40000,<," + rest)


NOTED = st.sampled_from(
    [
        logs.agreed()[4:-1], "tls Negotiation failed with error SocketError", "security status IllegalMessage",
        "Inbound AUTH LOGIN failed because of LogonDenied", "outbound auth failed with LogonDenied",
        "Attempting to connect", "Failed to connect. Winsock error code: 10061",
        "proxy session was successfully set up", "Set Session Permissions", "Sending certificate", "",
    ]
)  # fmt: skip


@given(
    data=st.sampled_from(["", "SMTPSubmit", '"a, b"', '"a ""b"", c"', '"']) | st.text('a,"T', max_size=6),
    noted=NOTED,
    quote=st.sampled_from(["", '"']),
    is_data=st.booleans(),
)
def test_what_is_left_out_of_what_exchange_notes_tells_nothing(
    data: str, noted: str, quote: str, is_data: bool
) -> None:
    rest = (f"{quote}{noted}{quote}," if is_data else f"{data},{quote}{noted}{quote}").encode()
    session = Session("receive", b"2026-01-05", b"EX\\a", b"08DE", b"10.0.0.1:25", b"192.0.2.7:40000")
    dialogue.tell(session, b"*", rest)
    tells = session.flags or session.tls or session.error or session.login
    assert not tells or telling.TELLING.match(b"0,10.0.0.1:25,192.0.2.7:40000,*," + rest)


PERMISSIONS = "*,SMTPSubmit SMTPAcceptAnySender AcceptRoutingHeaders,Set Session Permissions"
# Lines that are none, or of nobody.
DAMAGE = st.sampled_from(
    [
        "",
        "Date/Time,Outbound,08DE000000000001,3,10.0.0.1:25,192.0.2.1:40001,-,,Local",
        "x,EX01\\a,08DE000000000001,3,10.0.0.1:2525,192.0.2.1:40001,<,MAIL FROM:<>,",
        f"x,EX01\\a,08DE000000000001,3,10.0.0.1:2525,192.0.2.1:40001,{logs.agreed()}",
        "2026-01-05T09:00:00.000Z,EX01\\a,08DE000000000001,3,10.0.0.1:25",
    ]
)

EVENTS = st.sampled_from(
    [
        logs.tls(),
        logs.tls("TLS1_0"),
        logs.plain(),
        [*logs.BEGIN, logs.OFFER, *logs.NO_SENDER, *logs.ENVELOPE, *logs.CHUNKS, *logs.END],
        [*logs.BEGIN, logs.OFFER, *logs.NO_RECIPIENT, *logs.END],
        logs.BEGIN,
        ["+,,", logs.BEGIN[1], "-,,Remote"],
        [*logs.BEGIN, *logs.OFFER_2010, *logs.END],
        [*logs.tls()[:6], "*,,TLS negotiation failed with error SocketError", *logs.tls()[6:]],
        [*logs.BEGIN, logs.OFFER, "<,STARTTLS,", "*,,Security status IllegalMessage", "-,,Local"],
        [*logs.BEGIN, logs.OFFER, "<,STARTTLS,", ">,454 4.7.0 TLS not available due to local problem,", *logs.END],
        [*logs.BEGIN, logs.OFFER, logs.MAIL[0], ">,451 5.7.3 Must issue a STARTTLS command first,", "-,,Local"],
        [*logs.tls()[:6], "<,EHLO app,", *logs.tls()[7:]],
        [*logs.BEGIN, logs.OFFER, "<,AUTH NTLM,", ">,334 <authentication response>,", *logs.MAIL, *logs.END],
        [*logs.BEGIN, logs.OFFER, "<,AUTH LOGIN,", ">,334 <authentication response>,", *logs.END],
        [*logs.BEGIN, "<,XPROXY SID=08DE00 IP=198.51.100.70 PORT=50100 DOMAIN=app CAPABILITIES=0,", *logs.tls()[4:]],
        # of one name: begun again, agreed twice, ended twice, and ended before
        [*logs.tls()[:-1], *logs.tls()],
        [*logs.tls(), *logs.tls("TLS1_1")],
        [*logs.tls()[:-1], logs.agreed("TLS1_1"), "-,,Local", "-,,Local"],
        [logs.agreed(), "-,,Local", *logs.plain()],
        ["*,,TLS negotiation failed with error SocketError", *logs.plain()],
        ["*,,Security status InvalidToken", "*,,Security status IllegalMessage", *logs.plain()],
        [*logs.BEGIN, *logs.tls()[:-1], "<,XPROXY SID=08DE00 IP=198.51.100.74,", *logs.tls()],
        # permissions are told of in every session, and an attempt before a connection
        ["+,,", PERMISSIONS, *logs.tls()[1:]],
        [PERMISSIONS, "*,,attempting to connect", *logs.tls()],
        [PERMISSIONS, "*,,attempting to connect", '*,,"Failed to connect. Winsock error code: 10061"'],
        # hops, also after TLS, and with commas
        [*logs.tls()[:-1], "<,XSESSIONPARAMS MAILBOXGUID=1 IP=198.51.100.71,", "-,,Local"],
        [*logs.tls()[:-1], '<,"XPROXY SID=08DE00 IP=198.51.100.72 PORT=1 CAPABILITIES=0,1",', "-,,Local"],
        [*logs.tls()[:7], "<,xproxy SID=08DE00 IP=198.51.100.73,", "-,,Local"],
        # told in the context, behind data with commas
        [*logs.BEGIN, "<,STARTTLS,", '*,"a, ""b"", c",TLS negotiation failed with error SocketError', "-,,Local"],
        [*logs.tls()[:7], '*,"a, b",Inbound AUTH LOGIN failed because of LogonDenied', "-,,Local"],
        # what looks like lines of this or another session, within a text
        *(
            [
                *logs.tls()[:2],
                f'<,"EHLO a,08DE000000{number:06X},1,10.0.0.1:25,192.0.2.{number % 3}:{40000 + number},{b}"',
                *c,
            ]
            for number in (0, 1, 2)
            for b in ("-,,b", "+,,b", "<,MAIL FROM:<>", "*,,TLS negotiation failed with error Forged")
            for c in (logs.tls()[2:], logs.plain()[2:])
        ),
    ]
)


@examples(150)
@given(
    st.lists(EVENTS, min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 99), DAMAGE), max_size=3),
    st.sampled_from(["EX01\\Default Frontend EX01", "To Internet", '"Relay, old ""A"""', '"Relay"']),
    st.integers(1, 100),
    st.sampled_from([0, 0.5, 2]),
    st.sampled_from([None, "receive", "send"]),
    st.booleans(),
)
def test_the_quick_way_counts_what_the_thorough_one_does(
    sessions: list[list[str]],
    damage: list[tuple[int, str]],
    connector: str,
    size: int,
    times: float,
    direction: str | None,
    thorough_first: bool,
) -> None:
    """Wherever the log is cut into blocks, and however many times it is looked through."""
    lines = logs.woven(
        [
            logs.session(
                events,
                number=number,
                peer=f"192.0.2.{number % 3}",
                local=f"10.0.0.1:{2525 if number % 2 else 25}",
                connector=connector,
            )
            for number, events in enumerate(sessions)
        ]
    )
    for place, line in damage:
        lines.insert(place, line)
    quick, thorough = Tally(""), Tally("")
    scanner = smtp_log.Scanner(quick.add, direction)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telling, "_MOST_TIMES", times)
        for begin in range(0, len(lines), size):
            scanner.feed(logs.raw(lines[begin : begin + size]), every_line=thorough_first and not begin)
    scanner.finish()
    assert scanner.lines == len(lines)
    for session in smtp_log.sessions_of(logs.raw(lines), direction)[0]:
        thorough.add(session)
    assert quick.counts == thorough.counts


def test_a_line_that_is_none_tells_nothing_of_a_session() -> None:
    lines = logs.session(logs.plain())
    none = lines[0].replace("2026-01-05T", "").replace("+,,", logs.agreed())
    found, scanner = scanned(logs.raw([*lines[:4], none, *lines[4:]]))
    assert [session.outcome for session in found] == ["plain_mail"]
    assert scanner.damaged == 1


@pytest.mark.parametrize("text", [",-,", ",+,,", ',*,"', ',*,""', ",*,,TLS", ",08DE000000000001,1,,192.0.2.7:40001,<,"])
@pytest.mark.parametrize("most_times", [0, 6])
def test_a_long_line_with_what_looks_like_events_is_gone_through_once(
    text: str, most_times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "_MOST_TIMES", most_times)
    long = text * (200_000 // len(text))
    lines = logs.session([*logs.plain()[:3], f'<,"EHLO {long}",', f"*,{long},", f'*,,"{long}"', *logs.plain()[3:]])
    begun = time.process_time()
    found, dummy = scanned(logs.raw(lines))
    assert time.process_time() - begun < 5
    assert len(found) == 1


def test_sessions_that_are_alike_are_counted_as_one() -> None:
    """Permissions are told of in every one; they make none of them a special one."""
    events = ["+,,", PERMISSIONS, *logs.tls()[1:]]
    numbers: list[int] = []
    scanner = smtp_log.Scanner(lambda session, number: numbers.append(number), "receive")
    scanner.feed(logs.raw(logs.woven(logs.session(events, number=number) for number in range(3))))
    scanner.finish()
    assert numbers == [3]


@examples(200)
@given(st.binary(max_size=400) | st.text(',"+-*<>\r\n#20TLS:1', max_size=400).map(str.encode), st.integers(0, 2000))
def test_any_bytes_are_taken(noise: bytes, place: int) -> None:
    good = logs.raw(logs.session(logs.tls()))
    for content in (noise, good[:place] + noise + good[place:]):
        for sessions in (smtp_log.sessions_of(content)[0], scanned(content)[0]):
            assert all(session.as_result()["day"] for session in sessions)
