# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in the forms in which people have them: from event logs, other programs, consoles, and several at once."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import smtp_log, symptoms, tally, words
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow.meanings import (
    LIKELY,
    NO,
    PERHAPS,
    UNKNOWN,
    YES,
)

from . import logs

REFUSED_BEHIND = (
    "*,,outbound TLS authentication failed for the proxy session due to certificate validation error. "
    "ChainValidityStatus = {}."
)

DEMANDED = (
    '*,,"Drop connection because TLS configuration requires TLS before MailFrom command and could not achieve it, '
    'check connection authentication setting or remote capabilities"'
)
NOT_FOUND = (
    "Microsoft Exchange could not find a certificate that contains the domain name mail.example.com in the personal "
    "store on the local computer. Therefore, it is unable to support the STARTTLS SMTP verb for the connector Default "
    "with a FQDN parameter of mail.example.com."
)


@pytest.mark.parametrize(
    ("text", "kind", "tls"),
    [
        # Schannel's events, as Windows of several ages and languages writes them
        ("36888: The TLS protocol defined fatal error code is 40. The Windows SChannel error state is 1205.",
         "no_common_suite", YES),
        ("The TLS protocol defined fatal error code is 70.", "tls_version_refused", YES),
        ("The following fatal alert was received: 70.", "tls_version_refused", YES),
        ("The following fatal alert was generated: 40. The internal error state is 1205.", "no_common_suite", YES),
        ("The following fatal alert was received: 46.", "certificate_refused", YES),
        ("No supported cipher suites were found when initiating an SSL connection.", "no_common_suite", YES),
        ("Schwerwiegender Fehler beim TLS-Client. Der interne Fehlerstatus lautet 10013.", "no_credential", LIKELY),
        ("Creating a TLS client credential failed, internal error status is 10013", "no_credential", LIKELY),
        ("Winsock error code: 10013 while listening", "unknown", UNKNOWN),
        ("TLS 1.2 to 10.0.0.1:10013", "tls_mentioned", PERHAPS),
        ("The certificate received from the remote server was issued by an untrusted certificate authority.",
         "certificate_refused", YES),
        ("The certificate received from the remote server has either expired or is not yet valid.",
         "certificate_refused", YES),
        ("The certificate received from the remote server does not contain the expected name.",
         "certificate_refused", YES),
        # those of transport
        (NOT_FOUND, "own_certificate", YES),
        ("Microsoft Exchange could not load the certificate with thumbprint of 0011 from the store.",
         "own_certificate", YES),
        ("There is no valid SMTP Transport Layer Security (TLS) certificate for the FQDN of ex01.",
         "own_certificate", YES),
        ("There is no valid SMTP certificate for the FQDN of ex01.", "own_certificate", YES),
        ("The remote internal transport certificate expired.", "own_certificate", YES),
        ("451 5.7.3 Cannot load Internal Transport Certificate. Exchange Server authentication failed.",
         "own_certificate", YES),
        ("454 4.7.0 Temporary authentication failure because negotiated Tls cipher strength is too weak",
         "cipher_too_weak", YES),
        ("421 TLSAuthLevel cannot be DomainValidation with out a valid TLS Domain.",
         "connector_without_tls_domain", YES),
        ("554 5.7.3 Unable to initialize security subsystem", "starttls_refused", LIKELY),
        ("454 4.7.0 Cannot accept TLS as maximum TLS rate exceeded for server", "tls_rate_exceeded", NO),
        ("Drop connection because TLS configuration requires TLS before MailFrom command and could not achieve it",
         "starttls_not_offered", LIKELY),
        ("554 5.7.5 Cryptographic failure", "tls_failed", PERHAPS),
        ("451 4.7.0 Temporary server error. Please try again later. CPRX1", "proxy_failed", NO),
        ("550 4.3.2 QUEUE.TransportAgent; message deleted by transport agent", "removed_by_agent", NO),
        # Exchange Online
        ("550 5.7.51 TenantInboundAttribution; There is a partner connector configured that matched",
         "relay_denied", LIKELY),
        ("421 4.7.66 TLS 1.0 und 1.1 werden nicht unterstützt", "tls_version_refused", YES),
        ("550 5.7.67 TLS 1.0 et 1.1 : non", "tls_version_refused", YES),
        ("450 4.7.324 dnssec-invalid: it is", "dns", NO),
        ("450 4.4.317 Cannot connect [Message=RevocationOffline Expected Subject]", "certificate_refused", YES),
        ("451 4.4.0 SMTPSEND.SuspiciousRemoteServerError; remote server disconnected abruptly; retry will be delayed",
         "connection_dropped", PERHAPS),
        # nobody answers: before TLS, unless the text leaves that open
        ("Failed to connect. Winsock error code: 10060, Win32 error code: 10060", "no_answer", NO),
        ("421 4.2.1 Unable to connect -> SocketTimedout: Socket error code 10060", "no_answer", NO),
        ("421 4.2.1 Unable to connect", "unable_to_connect", PERHAPS),
        ("Winsock error code: 10060", "timed_out", PERHAPS),
        ("421 4.4.1 Connection timed out", "timed_out", PERHAPS),
        ("failed to connect to the DNS server: Winsock error code: 10060", "dns", NO),
        ("Attempted failover to connect elsewhere; STARTTLS sent; error code 10060", "timed_out", PERHAPS),
        ("TLS handshake begun. Client failed to connect again, Winsock error code: 10060", "timed_out", PERHAPS),
        # numbers and words that are of something else
        ("550 5.1.1 <u@x> User unknown; version=TLS1_2, cipher=TLS_ECDHE; X-Size: 10013", "recipient_unknown", NO),
        ("452 4.3.1 Insufficient system resources (TLS) id 1; ticket 10010", "back_pressure", NO),
        ("TLS 1.2 is on. Port 10010 is open.", "tls_mentioned", PERHAPS),
        ("Event 10010 DistributedCOM. Also we changed TLS settings.", "tls_mentioned", PERHAPS),
        ("We turned TLS off, 10013 messages wait", "tls_mentioned", PERHAPS),
        ("454 4.7.0 TLS not available due to local problem (pid 10013)", "starttls_refused", LIKELY),
        ("A fatal error 70: disk full, 452 4.3.1 Insufficient system resources", "back_pressure", NO),
        ("S/MIME SignatureFailure in message: 550 5.1.1 user unknown", "recipient_unknown", NO),
        ("450 4.4.317 Cannot connect [Message=PartialChain]", "certificate_refused", YES),
        ("550 5.7.51 blocked by policy", "unknown", UNKNOWN),
        ("554 5.7.67 message blocked", "unknown", UNKNOWN),
        ("554 5.7.5 Permanent error evaluating DMARC policy", "unknown", UNKNOWN),
        # programs of .NET
        ("The connection was closed: An unexpected error occurred on a send.", "connection_dropped", PERHAPS),
        ("The remote certificate is invalid according to the validation procedure.", "certificate_refused", YES),
        ("Authentication failed because the remote party has closed the transport stream.",
         "tls_handshake_cut", LIKELY),
        ("The request was aborted: Could not create SSL/TLS secure channel.", "tls_failed", LIKELY),
    ],
)  # fmt: skip
def test_texts(text: str, kind: str, tls: str) -> None:
    found = symptoms.explain(text).meaning
    assert (found.kind, found.tls) == (kind, tls)


@pytest.mark.parametrize(
    ("behind", "error", "kind"),
    [
        (" with error SocketError", "SocketError", "tls_handshake_cut"),
        (" with error 'SocketError'", "SocketError", "tls_handshake_cut"),
        (" with error code SocketError", "SocketError", "tls_handshake_cut"),
        (" with SocketError", "SocketError", "tls_handshake_cut"),
        (": SocketError", "SocketError", "tls_handshake_cut"),
        (" due to UnknownCredentials", "UnknownCredentials", "tls_certificate"),
        (" because of UnknownCredentials", "UnknownCredentials", "tls_certificate"),
        (" with error\n Unkn\n  ownCredentials", "UnknownCredentials", "tls_certificate"),
        (" with error SomethingNew", "SomethingNew", "tls_failed"),
        # what is no name
        (" with err...", "unknown", "tls_failed"),
        (" with error Unkn...", "unknown", "tls_failed"),
        (" because nobody knows", "unknown", "tls_failed"),
        (" with", "unknown", "tls_failed"),
        (" for ex01", "unknown", "tls_failed"),
        ("", "unknown", "tls_failed"),
    ],
)
def test_the_name_of_an_error_of_a_negotiation(behind: str, error: str, kind: str) -> None:
    found = symptoms.explain(f"TLS negotiation failed{behind}")
    assert (found.error, found.meaning.kind) == (error, kind)


def _line(data: str, place: int = 0, peer: str = "192.0.2.1:25", local: str = "10.0.0.1:40001") -> str:
    return f"2026-01-05T09:00:00.000Z,To the cloud,08DE000000000001,{place},{local},{peer},{data}"


def _session(*events: str, peer: str = "192.0.2.1:25", local: str = "10.0.0.1:40001") -> str:
    return "\n".join(_line(data, place, peer, local) for place, data in enumerate(events))


NEW = ["+,,", ">,STARTTLS,", logs.agreed("TLS1_2", logs.CLIENT), ">,EHLO x,"]
FRONT_END = (
    "<,\"450 {} Proxy session setup failed on Frontend with '451 4.4.0 Primary target IP address responded with: "
    '""{}."" Attempted failover to alternate host, but that did not succeed. The last endpoint attempted was '
    "192.0.2.9:25'\","
)


@pytest.mark.parametrize("code", ["4.4.101", "4.7.0"])
@pytest.mark.parametrize(
    ("said", "kind", "tls"),
    [
        ("421 4.4.2 Connection dropped due to SocketError", "connection_dropped_socket_error", PERHAPS),
        ("451 4.4.0 Security status InvalidToken", "not_tls_answer", YES),
        ("421 4.4.1 Connection timed out", "timed_out", PERHAPS),
        ("421 4.2.1 Unable to connect", "unable_to_connect", PERHAPS),
        ("TLS negotiation failed with error UnknownCredentials", "tls_certificate", YES),
        ("452 4.3.1 Insufficient system resources", "back_pressure", NO),
    ],
)
def test_what_a_front_end_says_is_of_the_hop_behind_it(code: str, said: str, kind: str, tls: str) -> None:
    """That the hub agreed on TLS with the front end says nothing of whom the mail is for."""
    found = symptoms.explain(_session(*NEW, FRONT_END.format(code, said), peer="10.0.0.7:717")).meaning
    assert (found.kind, found.tls) == (kind, tls)


@pytest.mark.parametrize(
    ("events", "kind", "tls"),
    [
        ([*NEW, REFUSED_BEHIND.format("UntrustedRoot"), ">,QUIT,", "-,,Local"], "certificate_refused", YES),
        ([*NEW, REFUSED_BEHIND.format("Whatever"), ">,QUIT,", "-,,Local"], "certificate_refused", YES),
        ([*NEW, "*,,Tls cipher strength is too weak", ">,QUIT,", "-,,Local"], "cipher_too_weak", YES),
        (
            ["+,,", ">,EHLO x,", "<,250 y SIZE,",
             DEMANDED, ">,QUIT,", "-,,Local"],
            "starttls_not_offered", LIKELY,
        ),
        (["+,,", ">,X-ANONYMOUSTLS,", "<,220 2.0.0 SMTP server ready,", "-,,Remote(ConnectionReset)"],
         "tls_failed", YES),
        (["+,,", ">,STARTTLS,", "<,554 5.7.3 Unable to initialize security subsystem,", "-,,Local"],
         "tls_failed", YES),
        # it goes on, although no line tells of the negotiation
        (["+,,", ">,X-ANONYMOUSTLS,", "<,220 ready,", ">,EHLO x,", "<,250 y,", ">,QUIT,", "<,221 bye,", "-,,Local"],
         "unknown", UNKNOWN),
        # the session has an error of its own beside what a front end says of another hop
        (["*,,TLS negotiation failed with error UnknownCredentials",
          "<,450 4.4.101 Proxy session setup failed on Frontend,"], "tls_certificate", YES),
        # a healthy one
        (["+,,", ">,X-ANONYMOUSTLS,", logs.agreed("TLS1_2", logs.CLIENT), "-,,Local"], "tls_agreed", NO),
    ],
)  # fmt: skip
def test_sessions(events: list[str], kind: str, tls: str) -> None:
    found = symptoms.explain(_session(*events)).meaning
    assert (found.kind, found.tls) == (kind, tls)


@pytest.mark.parametrize(
    ("events", "counted"),
    [
        ([*NEW, REFUSED_BEHIND.format("UntrustedRoot"), "-,,Local"], {("tls", "TLS 1.2"), ("failed", "UntrustedRoot")}),
        ([*NEW, "*,,Tls cipher strength is too weak", "-,,Local"], {("tls", "TLS 1.2"), ("failed", "weak_cipher")}),
        (
            [*NEW, "*,,inbound TLS authentication failed due to certificate validation error. X", "-,,Local"],
            {("tls", "TLS 1.2"), ("failed", "unknown")},
        ),
        ([*NEW, "*,,tls cipher strength is too weak", "-,,Local"], {("tls", "TLS 1.2"), ("failed", "weak_cipher")}),
        (["+,,", ">,X-ANONYMOUSTLS,", "<,220 2.0.0 ready,", "-,,Remote"], {("failed", "ended")}),
        (["+,,", ">,STARTTLS,", "<,220 2.0.0 ready,", ">,EHLO x,", "-,,Remote"], {("incomplete", "")}),
        (["+,,", ">,STARTTLS,", "<,554 5.7.3 Unable to,", "-,,Local"], {("failed", "refused")}),
        (
            ["+,,", ">,EHLO x,", "<,250 y SIZE,", "*,,Drop connection because TLS configuration requires TLS", "-,,"],
            {("starttls_required", ""), ("starttls_not_offered", "")},
        ),
    ],
)
def test_the_same_is_counted_in_a_log(events: list[str], counted: set[tuple[str, str]]) -> None:
    lines = _session(*events).encode() + b"\n"
    ((session,), damaged) = smtp_log.sessions_of(lines, "send")
    assert not damaged
    assert {(what.kind, what.name) for what in tally.facts(session)} == counted
    assert (session.as_result()["result"] == "tls_failed") == any(kind == "failed" for kind, _name in counted)
    # the quick way through a block has the same
    found: list[set[tuple[str, str]]] = []
    scanner = smtp_log.Scanner(lambda one, number: found.append({(w.kind, w.name) for w in tally.facts(one)}), "send")
    scanner.feed(lines)
    scanner.finish()
    assert found == [counted]


def test_log_lines_on_one_line() -> None:
    lines = [
        _line("*,CN=*.example.com,Certificate alternate names"),
        _line("*,,TLS negotiation failed with error NoCredentials"),
    ]
    found = symptoms.explain(" ".join(lines))
    assert (found.meaning.kind, found.error, found.connector) == ("tls_certificate", "NoCredentials", "To the cloud")


def _queue(error: str, host: str = "mx.example.com", address: str = "192.0.2.1:25") -> str:
    return f"[{{LED={error}}};{{MSG=}};{{FQDN={host}}};{{IP={address}}};{{LRT=1/5/2026 9:00:00 AM}}]"


def test_the_worst_of_several_queues() -> None:
    dns = _queue("451 4.4.0 DNS query failed", "one.example")
    cut = _queue("451 4.4.397 Error -> 451 4.4.0 TLS negotiation failed with error SocketError", "two.example")
    for text in (f"LastError : {dns}\n\nLastError : {cut}", f"{cut}\n{dns}", f"{dns} {cut}"):
        found = symptoms.explain(text)
        assert (found.form, found.meaning.kind, found.error) == ("queue", "tls_handshake_cut", "SocketError")
        assert (found.last_error.host, found.last_error.codes) == ("two.example", ("451 4.4.397", "451 4.4.0"))
        assert [other.kind for other in found.others] == ["dns"], "the rest is told as well"


def test_what_means_the_same_is_told_once() -> None:
    cut = "451 4.4.397 Error -> 451 4.4.0 TLS negotiation failed with error SocketError"
    errors = [cut, cut, "", "451 4.4.0 DNS query failed", "452 4.3.1 Insufficient system resources", "hello"]
    found = symptoms.explain("\n".join(_queue(error, f"{place}.example") for place, error in enumerate(errors)))
    assert (found.meaning.kind, [other.kind for other in found.others]) == (
        "tls_handshake_cut",
        ["dns", "back_pressure"],
    )


def test_the_worst_of_several_without_braces() -> None:
    found = symptoms.explain(
        "LastError : 451 4.4.0 DNS query failed\nLastError: 454 4.7.5 Certificate validation failure"
    )
    assert (found.meaning.kind, found.last_error.codes) == ("certificate_refused", ("454 4.7.5",))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("451 4.4.0 DNS query failed", "dns"),
        ("452 4.3.1 Insufficient system resources", "back_pressure"),
        ("421 4.2.1 Unable to connect: Winsock error code: 10061", "connection_refused"),
        ("454 4.7.5 Certificate validation failure", "certificate_refused"),
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "RunspaceId : 7a\nStatus : Retry\nMessageCount : 3\nLastError : {}\nRetryCount : 4",
        "#550 4.4.7 QUEUE.Expired; message expired ## LastError={}",
        "We enabled TLS 1.2 last week. LastError : {}",
        "LastError :\nLastError : {}",
        "LastError : {}\n\nLastError :",
        "LastError : [{{LED={}}};{{MSG=}}]\nLastError : 550 4.4.7 QUEUE.Expired",
    ],
)
def test_what_stands_around_an_error_is_no_other_error(text: str, error: str, kind: str) -> None:
    found = symptoms.explain(text.format(error))
    assert found.meaning.kind == kind
    assert error[:9] in found.last_error.codes


def test_each_queue_keeps_what_is_its_own() -> None:
    first = "[{MSG=};{FQDN=one};{IP=192.0.2.1}]"
    second = "[{MSG=};{LED=451 4.4.0 DNS query failed};{FQDN=two};{IP=192.0.2.2}]"
    third = "[{MSG=};{LED=454 4.7.5 Certificate validation failure};{FQDN=three};{IP=192.0.2.3}]"
    found = symptoms.explain(f"{first} {second} {third}")
    assert (found.meaning.kind, found.last_error.host) == ("certificate_refused", "three")
    tried = "[{LED=451 4.4.0 DNS query failed. The last endpoint attempted was 10.0.0.5:2525};{MSG=};{FQDN=two};{IP=}]"
    found = symptoms.explain(f"[{{LED=421 4.4.1 Connection timed out}};{{MSG=}};{{FQDN=one}};{{IP=}}] {tried}")
    assert (found.meaning.kind, found.last_error.host, found.last_error.address) == ("timed_out", "one", None)


def test_queues_without_an_error_are_no_error() -> None:
    found = symptoms.explain("[{MSG=};{FQDN=one}] [{MSG=};{FQDN=two}]")
    assert (found.meaning.kind, found.last_error.host) == ("unknown", None)


def test_one_in_braces_and_one_without() -> None:
    braces = "[{LED=451 4.4.0 DNS query failed};{MSG=};{FQDN=one}]"
    found = symptoms.explain(f"LastError : {braces}\nLastError : 454 4.7.5 Certificate validation failure")
    assert (found.meaning.kind, found.last_error.host) == ("certificate_refused", None)


@pytest.mark.parametrize(
    "error", ["421 4.4.2 x {MSG=400 4.4.7 see}", "451 4.4.0 SocketError {IP=x} {IP=y} more", "a [{LED=b};{MSG=c"]
)
def test_braces_within_an_error_begin_no_other_queue(error: str) -> None:
    found = symptoms.explain(f"[{{LED={error}}};{{MSG=}};{{FQDN=mx.example}};{{LRT=}}]")
    assert found.last_error.host == "mx.example"


def test_a_console_breaks_hosts_and_addresses() -> None:
    found = symptoms.explain(
        _queue("421 4.4.2 Dropped", "contoso-com.mail.prote\n  ction.outlook.com", "104.\n 47.1.36")
    )
    assert (found.last_error.host, found.last_error.address) == (
        "contoso-com.mail.protection.outlook.com", "104.47.1.36",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("43.228.184.5:2525", "connection_refused"),
        ("[2606:4700::1]:2525", "connection_refused"),
        ("10.0.0.5:2525", "own_transport_down"),
        ("[fe80::1%3]:2525", "own_transport_down"),
        # of a name nobody can say whose it is, nor of what is none
        ("ex02.example.com:475", "connection_refused"),
        ("smtp.relay.example:2525", "connection_refused"),
        ("100.64.0.5:2525", "own_transport_down"),
        ("[::ffff:8.8.8.8]:2525", "connection_refused"),
        ("10.0.0.5:25250", "connection_refused"),
    ],
)
def test_a_relay_of_others_may_listen_on_ports_of_exchange(address: str, kind: str) -> None:
    text = f"421 4.2.1 Unable to connect to {address}: Winsock error code: 10061"
    assert symptoms.explain(text).meaning.kind == kind
    tried = f"451 4.4.0 Winsock error code: 10061. The last endpoint attempted was {address}"
    assert symptoms.explain(tried).meaning.kind == kind


@pytest.mark.parametrize(
    ("peer", "local", "inside"),
    [
        ("43.228.184.5:2525", "10.0.0.1:40001", False),
        ("43.228.184.5:465", "10.0.0.1:40001", False),
        # an organisation that uses public addresses inside
        ("43.228.184.5:2525", "43.228.184.4:40001", True),
        ("10.0.0.5:2525", "10.0.0.1:40001", True),
        ("10.0.0.5:2525", "", True),
    ],
)
def test_sessions_with_a_relay_of_others(peer: str, local: str, inside: bool) -> None:
    ((session,), _damaged) = smtp_log.sessions_of(_session("+,,", "-,,Remote", peer=peer, local=local).encode(), "send")
    assert session.is_inside is inside


@pytest.mark.parametrize(
    "text",
    ["at line:475", "queued:2525 retry", "09:12:475", "(pid:717)", "last endpoint attempted was smtp.x.example:2525"],
)
def test_what_looks_like_a_port_is_no_hop_inside(text: str) -> None:
    assert symptoms.explain(f"421 4.4.1 Connection timed out {text}").meaning.kind == "timed_out"


def test_a_scope_without_brackets() -> None:
    lines = _session("+,,", "-,,Remote", peer="fe80::7c3a:4b2%13:51234").encode()
    ((session,), _damaged) = smtp_log.sessions_of(lines, "receive")
    assert session.host == b"fe80::7c3a:4b2%13"


def test_a_receive_connector_by_its_name_of_the_directory() -> None:
    name = '"CN=Default Frontend EX01,CN=SMTP Receive Connectors,CN=Protocols,CN=EX01"'
    line = _line("+,,").replace("To the cloud", name)
    ((session,), _damaged) = smtp_log.sessions_of(line.encode())
    assert session.way == "receive"


@pytest.mark.parametrize(
    ("error", "kind"),
    [("PartialChain", "certificate"), ("SubjectMismatch", "certificate"), ("weak_cipher", "cipher"), ("X", "unknown")],
)
def test_what_is_refused_behind_a_handshake_has_a_class(error: str, kind: str) -> None:
    assert words.error_class(error).kind == kind
