# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pasted texts mean, and how sure that is."""

from __future__ import annotations

import re

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import (
    last_errors,
    meanings,
    rules,
    symptoms,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow.meanings import (
    LIKELY,
    NO,
    PERHAPS,
    UNKNOWN,
    YES,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.laws import examples

from . import logs

SERVERS = "451 5.7.3 Cannot achieve Exchange Server authentication"
DROP = "421 4.4.2 Connection dropped due to SocketError"
DROPPED = "connection_dropped_socket_error"


@pytest.mark.parametrize(
    ("text", "form", "kind", "tls"),
    [
        # the three that people look for, and what becomes of them on the way
        ("421 4.4.2 Connection dropped due to SocketError", "text", DROPPED, PERHAPS),
        ("#421 4.4.2 Connection dropped due to SocketError ##", "ndr", DROPPED, PERHAPS),
        ("[{LED=421 4.4.2 Connection dropped due to SocketError};{LRT=}]", "queue", DROPPED, PERHAPS),
        ("421 4.4.2 Yhteys katosi, syynä SocketError", "text", DROPPED, PERHAPS),
        ("«421 4.4.2» Perdu: socketError", "text", DROPPED, PERHAPS),
        ("421 4.4.2 انقطع", "text", "connection_dropped", PERHAPS),
        ("421 4.4 2 connection dropped due to socket error", "text", DROPPED, PERHAPS),
        ("TLS negotiation failed with error SocketError", "protocol_log", "tls_handshake_cut", YES),
        ("Fehler der TLS-Aushandlung: SocketError", "text", "tls_failed", LIKELY),
        ("TLS 协商失败 错误 SocketError", "text", "tls_failed", LIKELY),
        ("Vyjednávání TLS: chyba UnknownCredentials", "text", "tls_certificate", LIKELY),
        ("NoCredentials: échec de la négociation TLS", "text", "tls_certificate", LIKELY),
        ("TLS 協商失敗 UnknownCredentialsです", "text", "tls_certificate", LIKELY),
        ("Fetching over TLS: NoCredentialsError: Unable to locate credentials", "text", "tls_mentioned", PERHAPS),
        ("530 5.7.0 Must issue a start TLS command first", "text", "starttls_required", LIKELY),
        ("451 5.7.3 Must issue a STARTTLS command first", "text", "starttls_required", LIKELY),
        ("530 5.7.0 Must issue a STARTTLS command first", "text", "starttls_required", LIKELY),
        ("451 5.7.3 Ensin on annettava StartTLS-komento", "text", "starttls_required", LIKELY),
        ('"451" 5.7.3 pirma StartTLS komanda', "text", "starttls_required", LIKELY),
        ("451 5.7.3 Utfärda kommandot START TLS först", "text", "starttls_required", LIKELY),
        # without the word, the code alone is no more than that
        ('"451" 5.7.3 pirma komanda', "text", "starttls_required", PERHAPS),
        (f"{SERVERS}.", "text", "authentication", NO),
        (f'451 4.4.0 Primary target IP address responded with: "{SERVERS}."', "text", "authentication", NO),
        (f"[{{LED=451 4.4.395 Target responded with error. -> {SERVERS}}};{{MSG=}}]", "queue", "authentication", NO),
        # certificates
        ("TLS negotiation failed with error UnknownCredentials", "protocol_log", "tls_certificate", YES),
        ("TLS negotiation failed with error UntrustedRoot", "protocol_log", "tls_certificate", LIKELY),
        ("Security status InvalidToken", "protocol_log", "not_tls_answer", YES),
        ("TLS negotiation failed with error Whatever", "protocol_log", "tls_failed", YES),
        ("454 4.7.5 The certificate in TlsCertificateName was not found", "text", "certificate_not_found", YES),
        ("454 4.7.5 Certificate validation failure, Reason:UntrustedRoot", "text", "certificate_refused", YES),
        ("451 5.7.3 STARTTLS is required to send mail", "text", "starttls_not_offered", LIKELY),
        ("450 4.4.317 Cannot connect to remote server [Message=UntrustedRoot]", "text", "certificate_refused", YES),
        ("450 4.4.317 Cannot connect [Message=SubjectMismatch]", "text", "certificate_refused", YES),
        ("450 4.7.320 Certificate validation failed [Message=X]", "text", "certificate_refused", YES),
        ("550 5.7.322 certificate-expired: it is", "text", "certificate_refused", YES),
        ("454 4.7.0 No appropriate TLS channel: CertificateExpired", "text", "certificate_refused", YES),
        ("SSL alert number 48: unknown ca", "text", "certificate_refused", YES),
        ("The TLS protocol defined fatal alert code is 46.", "text", "certificate_refused", YES),
        ("550 5.7.64 TenantAttribution; Relay Access Denied", "text", "relay_denied", LIKELY),
        # versions and cipher suites, as others write them
        ("421 4.7.66 TLS version 1.0 is not supported any more", "text", "tls_version_refused", YES),
        ("alert protocol version", "text", "tls_version_refused", YES),
        ("421 TLS 1.0 is no longer accepted here", "text", "tls_version_refused", YES),
        ("connected with TLS protocol version 1.2", "text", "tls_mentioned", PERHAPS),
        ("Cannot start TLS: handshake failure", "text", "tls_failed", YES),
        ("SSL_connect error: sslv3 alert handshake failure", "text", "no_common_suite", YES),
        ("The TLS protocol defined fatal alert code is 70.", "text", "tls_version_refused", YES),
        ("SSL routines: unsupported protocol", "text", "tls_version_refused", YES),
        ("SSL routines: no shared cipher", "text", "no_common_suite", YES),
        ("Schannel: alert code is 40", "text", "no_common_suite", YES),
        ("a request was received, but none of the cipher suites are supported", "text", "no_common_suite", YES),
        ("The internal error state is 10013.", "text", "no_credential", LIKELY),
        ("403 4.7.0 TLS handshake failed.", "text", "tls_failed", YES),
        # STARTTLS
        ("TLS is required, but was not offered by host ex01", "text", "starttls_not_offered", LIKELY),
        ("450 4.7.321 starttls-not-supported", "text", "starttls_not_offered", LIKELY),
        ("server does not support STARTTLS", "text", "starttls_not_offered", LIKELY),
        ("454 4.7.0 TLS not available due to local problem", "text", "starttls_refused", LIKELY),
        # what does not tell
        ("450 4.4.318 Closed abruptly (SuspiciousRemoteServerError)", "text", "connection_dropped", PERHAPS),
        ("Winsock error code: 10054, Win32 error code: 10054", "text", "connection_dropped", PERHAPS),
        ("450 4.4.317 Cannot connect to remote server [Message=X]", "text", "unable_to_connect", PERHAPS),
        ("#550 4.4.7 QUEUE.Expired; message expired ##", "ndr", "expired", UNKNOWN),
        ('451 4.4.0 Target responded with: "421 4.4.1 Connection timed out."', "text", "timed_out", PERHAPS),
        ('451 4.4.0 Target responded with: "421 4.2.1 Unable to connect."', "text", "unable_to_connect", PERHAPS),
        ("421 4.4.2 Connection dropped due to TimedOut", "text", "connection_dropped", PERHAPS),
        ("We have turned TLS on, and mail fails", "text", "tls_mentioned", PERHAPS),
        # what is surely something else
        ("451 4.7.0 Temporary server error. Please try again later. PRX4", "text", "proxy_failed", NO),
        ("421 4.2.1 Unable to connect to 10.0.0.5:2525, Winsock error code: 10061", "text", "own_transport_down", NO),
        ("421 4.2.1 Unable to connect: Socket error code 10061", "text", "connection_refused", NO),
        ("421 4.2.1 Unable to connect -> SocketError: Winsock error code: 10051", "text", "network_unreachable", NO),
        ("450 4.7.230 The version of Exchange is out of date", "text", "exchange_outdated", NO),
        ("4.4.0 DNS query failed with error ErrorRetry", "text", "dns", NO),
        ("No connection: Windows error 10061", "text", "connection_refused", NO),
        ("Winsock-Fehlercode: 10061", "text", "connection_refused", NO),
        ("System.Net.Sockets.SocketException (10061): refused", "text", "connection_refused", NO),
        ("WSAECONNREFUSED 10061", "text", "connection_refused", NO),
        ("10061 No connection could be made because the target machine actively refused it", "text",
         "connection_refused", NO),
        ("connect to 10.0.0.1 refused (10061)", "text", "connection_refused", NO),
        ("Winsock error code is 10061", "text", "connection_refused", NO),
        ("Winsock-felkod: 10061", "text", "connection_refused", NO),
        ("Winsock hata kodu: 10061", "text", "connection_refused", NO),
        ("Winsock エラー コード: 10061", "text", "connection_refused", NO),
        ("Winsock 错误代码: 10061", "text", "connection_refused", NO),
        ("Winsock 错误代码10061", "text", "connection_refused", NO),
        ("Winsock 오류 코드: 10061", "text", "connection_refused", NO),
        ("421 4.4.1 Connection timed out 10061 failure", "text", "connection_refused", NO),
        ("550 5.4.4 SMTPSEND.DNS.NonExistentDomain; nonexistent domain", "text", "dns", NO),
        ("550 5.4.310 DNS domain contoso.example does not exist [Message=InfoDomainNonexistent]", "text", "dns", NO),
        ("421 4.4.2 Message submission rate for this client has exceeded the configured limit", "text",
         "submission_throttled", NO),
        # numbers that are no errors
        ("Mail to 10061 users: 550 5.2.3 RESOLVER.RST.RecipSizeLimit", "text", "recipient_restricted", NO),
        ("Mail to 10061 users: 550 5.2.3 Message too large", "text", "unknown", UNKNOWN),
        ("Mail to 10051 users: 421 4.4.2 Connection dropped due to SocketError", "text", DROPPED, PERHAPS),
        ("Case 10054 and 10060: Good morning", "text", "unknown", UNKNOWN),
        ("Case 10061 of ex01:2525", "text", "unknown", UNKNOWN),
        ("421 4.4.1 Connection timed out to 10.0.0.1:10061", "text", "timed_out", PERHAPS),
        ("421 4.4.1 Connection timed out after 10061 ms", "text", "timed_out", PERHAPS),
        ("Mail to 10061 users was refused", "text", "unknown", UNKNOWN),
        ("452 4.3.1 Insufficient system resources", "text", "back_pressure", NO),
        ("432 4.3.2 STOREDRV.Deliver; limit exceeded", "text", "store_throttled", NO),
        ("421 4.3.2 Service not active", "text", "not_in_service", NO),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound", "text", "recipient_unknown", NO),
        ("550 5.2.2 mailbox full", "text", "mailbox_full", NO),
        ("451 4.7.500 Server busy. Please try again later", "text", "sender_refused", NO),
        ("550 5.7.606 Access denied, banned sending IP", "text", "sender_refused", NO),
        ("530 5.7.57 Client was not authenticated", "text", "authentication", NO),
        ("550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", "text", "recipient_restricted", NO),
        ("535 5.7.3 Authentication unsuccessful", "text", "authentication", NO),
        ("-,,Remote(SocketError)", "protocol_log", "session_closed", UNKNOWN),
        ("Good morning", "text", "unknown", UNKNOWN),
        ("  \n", "none", "none", UNKNOWN),
    ],
)  # fmt: skip
def test_texts(text: str, form: str, kind: str, tls: str) -> None:
    found = symptoms.explain(text)
    assert (found.form, found.meaning.kind, found.meaning.tls) == (form, kind, tls)


def _line(data: str, place: int = 0, connector: str = "To the cloud") -> str:
    return f"2026-01-05T09:00:00.000Z,{connector},08DE000000000001,{place},10.0.0.1:40001,192.0.2.1:25,{data}"


SENT = [">,MAIL FROM:<a@b> SIZE=512,", "<,250 2.1.0 Sender OK,"]
NEW, OLD, SSL3 = (
    ["+,,", ">,STARTTLS,", logs.agreed(version, logs.CLIENT), ">,EHLO x,"] for version in ("TLS1_2", "TLS1_0", "SSL3")
)


@pytest.mark.parametrize(
    ("lines", "kind", "tls"),
    [
        (["*,,TLS negotiation failed with error SocketError"], "tls_handshake_cut", YES),
        (["*,,TLS negotiation failed with error NoCredentials"], "tls_certificate", YES),
        (["+,,", "<,STARTTLS,", logs.agreed("TLS1_2", logs.CLIENT), "-,,Remote"], "tls_agreed", NO),
        (["+,,", ">,EHLO x,", "<,250 y SIZE,", "-,,Remote(SocketError)"], "no_tls_tried", NO),
        (["+,,", ">,EHLO x,", ">,MAIL FROM:<a@b>,", ">,DATA,", "<,354 go,", "-,,Local"], "plain_mail", PERHAPS),
        (["+,,", ">,EHLO x,", ">,MAIL FROM:<a@b>,", "<,550 5.7.606 no,", "-,,Local"], "sender_refused", NO),
        (["+,,", "<,451 5.7.3 Must issue a STARTTLS command first,"], "starttls_required", LIKELY),
        (["+,,", ">,STARTTLS,", "<,220 2.0.0 ready,", "-,,Remote"], "tls_failed", YES),
        (["<,250 y SIZE STARTTLS,"], "tls_mentioned", PERHAPS),
        # what was said after TLS was agreed on
        ([*NEW, "<,550 5.7.64 TenantAttribution; Relay Access Denied,", "-,,Local"], "relay_denied", LIKELY),
        ([*NEW, '<,"454 4.7.5 Certificate validation failure, Reason:UntrustedRoot",'], "certificate_refused", YES),
        ([*NEW, "<,452 4.3.1 Insufficient system resources,"], "back_pressure", NO),
        ([*NEW, "*,,Acked with status Retry and response 550 5.7.64 Relay Access Denied"], "relay_denied", LIKELY),
        ([*OLD, "<,421 4.7.66 TLS 1.0 and 1.1 are not supported,", "-,,Remote"], "tls_version_refused", YES),
        ([*SSL3, "<,421 4.7.66 SSL 3.0 is not supported,", "-,,Remote"], "tls_version_refused", YES),
        ([*OLD, "-,,Remote(SocketError)"], "old_tls_agreed", PERHAPS),
        ([*SSL3, "-,,Local"], "old_tls_agreed", PERHAPS),
        ([*OLD, "<,550 5.1.10 RESOLVER.ADR.RecipientNotFound,"], "recipient_unknown", NO),
        # of a version that is not known
        ([logs.agreed("TLS9_9", logs.CLIENT), "-,,Local"], "tls_agreed", NO),
        (["+,,", ">,STARTTLS,", logs.agreed("FOO", logs.CLIENT), *SENT, "-,,Local"], "tls_agreed", NO),
        ([logs.agreed("FOO", logs.CLIENT), "<,599 never heard of,"], "unknown", UNKNOWN),
        ([logs.agreed("FOO", logs.CLIENT), "<,421 4.4.2 Connection dropped,"], "connection_dropped", PERHAPS),
        # what tells less than that TLS was agreed on
        ([*NEW, "<,421 4.4.2 Connection dropped due to SocketError,"], "tls_agreed", NO),
        ([*NEW, "*,,Client certificate chain validation status: 'UntrustedRoot'", "-,,Local"], "tls_agreed", NO),
        ([*NEW, ">,MAIL FROM:<a@b> SIZE=512,", "-,,Remote(SocketError)"], "tls_agreed", NO),
    ],
)
def test_lines_of_a_protocol_log(lines: list[str], kind: str, tls: str) -> None:
    found = symptoms.explain("\n".join(_line(data, place) for place, data in enumerate(lines)))
    assert (found.form, found.meaning.kind, found.meaning.tls) == ("protocol_log", kind, tls)
    assert (found.connector, found.direction) == ("To the cloud", "send")


def test_the_worst_session_of_several_counts() -> None:
    well = [_line(logs.agreed("TLS1_2", logs.CLIENT)).replace("08DE", "08DF")]
    bad = [_line("*,,TLS negotiation failed with error NoCredentials", connector="Bad one")]
    for lines in (well + bad, bad + well):
        found = symptoms.explain("\n".join(lines))
        assert (found.meaning.kind, found.connector, found.error) == ("tls_certificate", "Bad one", "NoCredentials")
        assert found.others == (), "a session that is well is no other error"


def test_other_sessions_are_told_besides() -> None:
    bad = [_line("*,,TLS negotiation failed with error NoCredentials", connector="Bad one")]
    cut = [_line("*,,TLS negotiation failed with error SocketError").replace("08DE", "08DF")]
    found = symptoms.explain("\n".join([*bad, *cut, "452 4.3.1 Insufficient system resources"]))
    assert found.as_result()["others"][0] == {
        "kind": "tls_certificate" if found.meaning.kind == "tls_handshake_cut" else "tls_handshake_cut",
        "tls": "yes",
        "meaning": found.others[0].meaning,
    }
    assert found.others[-1].kind == "back_pressure"


def _queue(error: str, address: str) -> str:
    return f"[{{LED={error}}};{{MSG=}};{{FQDN=ex02.example.com}};{{IP={address}}};{{LRT=1/5/2026 9:00:00 AM}}]"


TIMED_OUT = '451 4.4.0 Primary target IP address responded with: "421 4.4.1 Connection timed out."'
PROXY = "450 4.4.101 Proxy session setup failed on Frontend with '"


@pytest.mark.parametrize(
    ("error", "address", "kind", "tls"),
    [
        (TIMED_OUT, "10.0.0.2:475", "own_transport_down", NO),
        (f"451 4.4.397 Error communicating with target host. -> {DROP}", "10.0.0.2:2525", DROPPED, PERHAPS),
        ("421 4.4.2 Connection dropped due to TimedOut", "[fd00::2]:475", "connection_dropped", PERHAPS),
        ("421 4.2.1 Unable to connect -> Socket error code 10061", "10.0.0.2:2525", "own_transport_down", NO),
        ("421 4.2.1 Unable to connect", "fd00::2:717", "own_transport_down", NO),
        ("Socket error code 10060", "10.0.0.2:475", "own_transport_down", NO),
        ("The connection timed out", "10.0.0.2:475", "own_transport_down", NO),
        # two servers of Exchange that have no TLS version in common end so as well
        ("Socket error code 10053", "10.0.0.2:475", "connection_dropped", PERHAPS),
        ("Socket error code 10054", "10.0.0.2:2525", "connection_dropped", PERHAPS),
        ("421 4.2.1 Unable to connect -> Socket error code 10054", "10.0.0.2:2525", "connection_dropped", PERHAPS),
        ("SocketError", "10.0.0.2:2525", DROPPED, PERHAPS),
        # a smart host with TLS from the first byte
        (DROP, "192.0.2.1:465", DROPPED, PERHAPS),
        (TIMED_OUT, "192.0.2.1:465", "timed_out", PERHAPS),
        ("421 4.2.1 Unable to connect -> Socket error code 10061", "192.0.2.1:465", "connection_refused", NO),
        # other errors of such a hop stay what they are
        ("TLS negotiation failed with error SocketError", "10.0.0.2:2525", "tls_handshake_cut", YES),
        ("452 4.3.1 Insufficient system resources", "10.0.0.2:2525", "back_pressure", NO),
        ("421 4.3.2 Service not active", "10.0.0.2:475", "not_in_service", NO),
        # and those of hops to others
        (TIMED_OUT, "192.0.2.1:25", "timed_out", PERHAPS),
        (TIMED_OUT, "192.0.2.1", "timed_out", PERHAPS),
        (TIMED_OUT, "2001:db8:1:2:3:4:5:475", "timed_out", PERHAPS),
        (DROP, "192.0.2.1:25", DROPPED, PERHAPS),
        ("421 4.2.1 Unable to connect -> Socket error code 10061", "192.0.2.1:25", "connection_refused", NO),
        # a front end that sends for the hub is not whom it was tried with in the end
        (f"{PROXY}{TIMED_OUT} The last endpoint attempted was 192.0.2.1:25'", "10.0.0.2:717", "timed_out", PERHAPS),
        (f"{PROXY}{DROP}'", "10.0.0.2:717", DROPPED, PERHAPS),
        (f"{TIMED_OUT} The last endpoint attempted was 10.0.0.2:475'", "", "own_transport_down", NO),
    ],
)
def test_hops_inside_exchange(error: str, address: str, kind: str, tls: str) -> None:
    found = symptoms.explain(_queue(error, address))
    assert (found.form, found.meaning.kind, found.meaning.tls) == ("queue", kind, tls)


@pytest.mark.parametrize(("port", "kind"), [("465", "timed_out"), ("2525", "own_transport_down")])
def test_a_session_with_a_smart_host_on_465_is_not_taken_for_a_hop_inside(port: str, kind: str) -> None:
    line = _line('<,"421 4.4.1 Connection timed out",').replace("192.0.2.1:25", f"192.0.2.1:{port}")
    assert symptoms.explain(line).meaning.kind == kind


def test_what_one_session_says_is_not_said_of_another() -> None:
    refused = [_line("<,550 5.7.64 TenantAttribution; Relay Access Denied,", connector="Bad one")]
    well = [_line(data, place).replace("08DE", "08DF") for place, data in enumerate([*NEW, "-,,Local"])]
    for lines in (well + refused, refused + well):
        found = symptoms.explain("\n".join(lines))
        assert (found.meaning.kind, found.connector) == ("relay_denied", "Bad one")


def test_a_session_that_was_refused_counts_before_one_that_went_well() -> None:
    refused = [_line(data, place, "Bad one") for place, data in enumerate([*NEW[:2], "<,599 never heard of,"])]
    well = [_line(data, place).replace("08DE", "08DF") for place, data in enumerate([*NEW, "-,,Local"])]
    for lines in (well + refused, refused + well):
        assert symptoms.explain("\n".join(lines)).connector == "Bad one"


@pytest.mark.parametrize(
    ("text", "kind", "error"),
    [
        ("454 4.7.5 Certificate validation failure", "certificate_refused", None),
        ("TLS negotiation failed with error SocketError", "tls_handshake_cut", "SocketError"),
        (DROP, DROPPED, None),
        ("452 4.3.1 Insufficient system resources", "back_pressure", None),
    ],
)
def test_what_no_session_says_is_said_of_none(text: str, kind: str, error: str | None) -> None:
    well = [_line(data, place) for place, data in enumerate([*NEW, "-,,Local"])]
    for lines in ([*well, text], [text, *well]):
        found = symptoms.explain("\n".join(lines))
        assert (found.form, found.meaning.kind, found.error) == ("protocol_log", kind, error)
        assert (found.connector, found.direction) == (None, None)


@pytest.mark.parametrize("text", ["Good morning", "We have turned TLS on", "452 4.3.1 Insufficient system resources"])
def test_a_session_with_an_error_of_its_own_counts_before_what_tells_less(text: str) -> None:
    found = symptoms.explain("\n".join([text, _line(f"<,{DROP},")]))
    assert (found.meaning.kind, found.connector, found.direction) == (DROPPED, "To the cloud", "send")


def test_the_last_error_alone_is_never_sure() -> None:
    """Documented certificate faults show as nothing but a connection that ended."""
    for rule in rules.RULES:
        # between servers of Exchange the codes of who does not answer are told from those of who hangs up
        if rule.codes & ({"4.4.2"} if rule.inside else {"4.4.1", "4.4.2", "4.2.1"}):
            assert rule.meaning.tls == PERHAPS
            assert rule.meaning.read is not None


def test_a_code_alone_is_not_on_the_page_of_microsoft() -> None:
    words, code = symptoms.explain("451 5.7.3 StartTLS"), symptoms.explain("451 5.7.3")
    assert "1.1 disablement" in words.meaning.source
    assert "1.1 disablement" not in code.meaning.source


def test_every_meaning_can_be_explained() -> None:
    for meaning in (*(rule.meaning for rule in rules.RULES), *meanings.NEGOTIATION.values()):
        assert meaning.tls in meanings.SURE
        assert meaning.meaning.endswith((".", "?"))


NOTHING_IN_BRACES = re.compile(r"\{\s*LED\s*=[\s\[\]};]*(?:\Z|\{)", re.IGNORECASE)
PIECES = st.sampled_from(
    ["421 4.4.2 ", "451 5.7.3 ", "SocketError", "TLS ", "STARTTLS", "{LED=", "};", "required ", ":2525 ", "10061", "\n",
     "2026-01-05T09:00:00.000Z,C,1,0,a:1,b:25,", "*,,", '"', ",", "TLS negotiation failed with error ", "x" * 130]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join)))
@examples()
def test_any_text_gives_an_answer(text: str) -> None:
    result = symptoms.explain(text).as_result()
    assert result["meaning"]
    assert result["tls"] in meanings.SURE
    # nothing is a blank, or braces around one
    is_nothing = not text.strip() or NOTHING_IN_BRACES.search(text[: last_errors.LONGEST]) is not None
    assert result["kind"] != "none" or is_nothing
    assert result["kind"] == "none" or text.strip()


@pytest.mark.parametrize(
    "piece",
    [
        " ",
        "TLS ",
        "SocketError ",
        "STARTTLS required ",
        ":2525 10061 ",
        "timed out ",
        "Winsock 10060 ",
        "*,",
        "{LED=",
        "«",
        "\ud800",
    ],
)
def test_a_long_text_is_cut(piece: str) -> None:
    whole = piece * 100_000
    assert symptoms.explain(whole) == symptoms.explain(whole[:20_000])


@pytest.mark.parametrize(
    "text",
    [
        "ndr.txt", " ndr.TXT ", '"ndr.txt"', "@ndr.txt", "@ndr", "logs/ndr.eml", r"C:\temp\ndr.txt",
        r"C:\Users\Ann Example\my ndr.msg", r"\\files\mail\last ndr.log", "~/ndr.html", "/tmp/ndr.json", "../ndr.yml",
        "SocketError.txt", "421_4.4.2.log",
    ],
)  # fmt: skip
def test_names_of_files(text: str) -> None:
    assert symptoms.looks_like_a_file(text)


@pytest.mark.parametrize(
    "text",
    [
        "/PowerShell failed: see x.log", "@contoso.com",
        "", "421", "SocketError", "mail.example.com", "ann@example.com", "ann@example.com rejected", "4.4.2", "#5.7.1",
        "421 4.4.2 Connection dropped due to SocketError", "see ndr.txt", "https://example.com/why.html",
        "550 5.7.1 Blocked, see https://example.com/lookup.html", "550 5.7.1 see http://example.com/a.htm",
        "2026-01-05T10:00:00.000Z,To the cloud,08DE,1,192.0.2.1:5,198.51.100.2:25,*,,a/b.txt",
        "TLS negotiation failed with error SocketError", "/ 421 4.4.2 Connection dropped", "one.txt\ntwo.txt",
        "[{LED=421 4.4.2 Connection dropped due to SocketError};{MSG=};{FQDN=mx.example.com};{IP=192.0.2.1}]",
        "Remote Server returned '550 5.1.1 RESOLVER.ADR.RecipNotFound; not found'", "C:", "554.html page was returned",
    ],
)  # fmt: skip
def test_texts_that_name_no_file(text: str) -> None:
    assert not symptoms.looks_like_a_file(text)
