# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""How the meaning of an error text is found: by its codes, and by words that no translation changes, such as names of
errors, of commands, of properties. Pure data, the most special rules first.

The facts are in docs/reference/mail.md 1.1 to 1.4.
"""

from __future__ import annotations

import re
import typing as t

from .last_errors import COUNTED, codes, winsock
from .meanings import (
    KB_4051498,
    LIKELY,
    NEGOTIATION,
    NO,
    NOT_KNOWN,
    PERHAPS,
    READ_RECEIVE,
    READ_SEND,
    SEED,
    UNKNOWN,
    YES,
    Meaning,
)

_NDRS = "Microsoft, Non-delivery reports in Exchange Online"
_DANE = "Microsoft, How SMTP DNS-based Authentication of Named Entities works"
_ALERTS = "RFC 8446, 6.2, and RFC 5246, 7.2.2"
_WORDS = "the words of the error alone"
_PORT = "the port of the hop alone"
_REPORTS = "reports of others, and no page of Microsoft"


class Rule(t.NamedTuple):
    """``codes``: one of them must be in the text, as a whole or from its enhanced part on; none for any text.
    ``words``: each of them must be found in it. ``inside``: whether it is for hops inside Exchange alone."""

    meaning: Meaning
    codes: frozenset[str]
    words: tuple[re.Pattern[str], ...]
    inside: bool = False


def _rule(
    kind: str,
    tls: str,
    codes: str,
    words: str | None,
    meaning: str,
    read: str | None = None,
    *,
    inside: bool = False,
    **more: str,
) -> Rule:
    patterns = (re.compile(words, re.IGNORECASE),) if words else ()
    return Rule(Meaning(kind, tls, meaning, read, **more), frozenset(filter(None, codes.split(","))), patterns, inside)


# What several rules say.
_WITHOUT_TLS = (
    "A connector that demands TLS was spoken to without it: the sender has no TLS version that the receiver takes, or "
    "it does not use TLS at all."
)
_REFUSED = "Nobody listens there, or a firewall refuses. That comes before any TLS."
_NO_NAME = "The name of the receiver could not be looked up. That comes before any TLS."
_DROPPED = (
    "The connection was dropped. So it shows where Exchange Online refuses TLS 1.0 and 1.1, and so it shows for other "
    "causes as well."
)
_ENDED = "The connection was dropped. A handshake that hangs shows so too: of itself the text does not tell."
_OWN_TRANSPORT = (
    "A hop between services of Exchange itself failed: the transport service of one of its servers did not run, or not "
    "answer, as during its restart. That is no matter of TLS."
)
_OWN_DROPPED = (
    "A connection between two Exchange servers, or two services of one, was dropped. A transport service that restarts "
    "shows so, and so do two servers that have no TLS version in common: the text does not tell which it is."
)
_READ_BOTH = "the TLS settings of both servers, and " + READ_SEND
# A translation keeps the name of the error, and nothing else.
_NAMED = r"(?<![A-Za-z])TLS.{{0,120}}\b(?:{0})(?![A-Za-z])|\b(?:{0})(?![A-Za-z]).{{0,120}}(?<![A-Za-z])TLS"

_NOT_TRUSTED = "A certificate was refused. The code does not say whose: the words behind it do."
_OLD_TLS = "One side has no TLS version that the other takes."
_NOT_OFFERED = (
    "The sender demands TLS, and the receiver did not offer STARTTLS: its certificate cannot be used (named and "
    "removed, or its chain is broken), TLS is off, or a device between them hides the offer."
)
# Numbers of alerts, as Schannel writes them into the event log.
_ALERT = r"\b(?:alert|TLS protocol defined fatal error)(?: code)?(?: is| was (?:received|generated))?:? (?:{})\b"

# Of Schannel's event 36871: what a translation leaves of it is the number, and the name of the protocol.
_NO_CREDENTIAL = r"(?<![\w.:])(?:10010|10013)(?![\d:]|\.\d)"
_TLS = r"(?<![A-Za-z])(?:TLS|SSL|Schannel)(?![A-Za-z])"
_NOTHING_TO_BEGIN_WITH = (
    "Windows could not make what a TLS connection begins with: mostly no version that the program asks for is on."
)
_READ_DOTNET = "the TLS settings of the server, Client and Server, and those of .NET"
# That the text speaks of a handshake says that somebody had answered.
_CONNECT = r"\b(?:(?:unable|fail|fails|failed|failure) to connect|SocketTimedout)\b"
_BEFORE_TLS = r"^(?!.*\b(?:STARTTLS|handshake)\b)"
_TIMED_OUT = winsock(10060)

RULES: t.Final = (
    _rule(
        "certificate_not_found", YES, "4.7.5", "TlsCertificateName",
        "The certificate that the Send connector names (TlsCertificateName) is not on the server that sends.",
        "Get-SendConnector (TlsCertificateName) and Get-ExchangeCertificate of that server",
    ),
    _rule(
        "certificate_refused", YES, "4.7.5", None,
        _NOT_TRUSTED, READ_SEND,
    ),
    _rule(
        "certificate_refused", YES, "4.7.320,5.7.320", None,
        "Exchange Online demands a certificate of the server, and refuses the one that it shows: another name, "
        "expired, or without trust.",
        "the certificate of the Receive connector (TlsCertificateName)",
        source="Microsoft, Exchange Challenge Accepted, 2017-04-14",
    ),
    _rule(
        "certificate_refused", YES, "4.7.322,5.7.322,4.7.323,5.7.323,4.7.325,5.7.325", None,
        _NOT_TRUSTED, READ_SEND, source=_DANE,
    ),
    _rule(
        "certificate_refused", YES, "",
        r"\b(?:UntrustedRoot|Cert(?:ificate)?(?:Expired|Unknown|Revoked|Untrusted|WrongUsage|NameMismatch)|SubjectMismatch"
        r"|Revocation(?:Offline|Failure)|UntrustedTestRoot)\b"
        r"|(?:\[Message=|ChainValidityStatus\s?=\s?)(?:PartialChain|SignatureFailure|EmptyCertificate|WrongUsage)\b"
        r"|certificate (?:has expired|validation (?:fail|error)|verify failed|is invalid according to)"
        r"|certificate received from the remote (?:server|client)\b.{0,60}"
        r"\b(?:untrusted|expired|not contain|not validated|revoked)\b|\bunknown[ _]ca\b|\bbad[ _]certificate\b"
        "|" + _ALERT.format("4[2-68]"),
        _NOT_TRUSTED, READ_SEND, source=_WORDS,
    ),
    _rule(
        "relay_denied", LIKELY, "5.7.51", r"TenantInboundAttribution|\bpartner connector\b",
        "Exchange Online takes mail of this sender by a partner's connector alone, and that wants another certificate, "
        "or another address.",
        "the certificate of the Send connector (TlsCertificateName), and the inbound connector of Exchange Online",
        source="Microsoft, TenantInboundAttribution",
    ),
    _rule(
        "relay_denied", LIKELY, "5.7.64", None,
        "Exchange Online does not take the sender for one of yours: the certificate that it shows is not the one that "
        "the inbound connector names, or comes without its chain, or the address has changed.",
        "the certificate of the Send connector (TlsCertificateName), and the inbound connector of Exchange Online",
        source="Microsoft, KB 3212877 and KB 4051495",
    ),
    _rule(
        "own_certificate", YES, "",
        r"could not find a certificate that contains the domain name|could not load the certificate with thumbprint"
        r"|no valid SMTP (?:Transport Layer Security \(TLS\) )?certificate\b"
        r"|cannot load (?:the )?internal transport certificate|internal transport certificate (?:has )?expired",
        "A certificate of an Exchange server is missing, cannot be loaded, or has expired. A connector that needs it "
        "does not offer STARTTLS.",
        "Get-ExchangeCertificate of that server: names, dates, Services, and whether it has its private key",
        source=_WORDS,
    ),
    Rule(NEGOTIATION["cipher"], frozenset(), (re.compile(r"\bcipher strength is too weak\b", re.IGNORECASE),)),
    _rule(
        "connector_without_tls_domain", YES, "", r"\bTLSAuthLevel cannot be DomainValidation\b",
        "A Send connector is to check the name of the other side (DomainValidation), and does not say which name that "
        "is.", "Get-SendConnector (TlsAuthLevel, TlsDomain)", source=_WORDS,
    ),
    _rule(
        "tls_version_refused", YES, "4.7.66,5.7.66,5.7.67", _TLS,
        _OLD_TLS, "the TLS settings of both servers", source="Microsoft, Enable opt in to the SMTP AUTH endpoint",
    ),
    _rule(
        "tls_version_refused", YES, "",
        r"\bunsupported protocol\b|\balert protocol version\b|\bprotocol_version\b|\bunsupported TLS\b"
        r"|\b(?:TLS|SSL) ?(?:protocol )?(?:version|v?(?:1[._][01]|[23](?:[._]0)?)\b).{0,40}"
        r"(?:not|no longer) (?:supported|accepted|allowed)"
        "|" + _ALERT.format("70"),
        _OLD_TLS, "the TLS settings of both servers", source=_ALERTS,
    ),
    _rule(
        "no_common_suite", YES, "",
        r"\bno shared cipher\b|\bno supported cipher suites were found\b|\bnone of the cipher suites\b"
        r"|\bno ciphers? (?:suites? )?(?:available|in common)\b"
        r"|\bdo not possess a common algorithm\b|\b0x80090331\b|\balert handshake failure\b|" + _ALERT.format("40"),
        "The two sides have no TLS version or no cipher suite in common.",
        "the TLS settings and the cipher suites of both servers", source=_ALERTS,
    ),
    _rule(
        "no_credential", LIKELY, "",
        rf"\binternal error stat(?:e|us) is {_NO_CREDENTIAL}",
        _NOTHING_TO_BEGIN_WITH, _READ_DOTNET, source=_REPORTS,
    ),
    _rule(
        "exchange_outdated", NO, "4.7.230,5.7.230", None,
        "Exchange Online throttles or blocks this Exchange for its old build. That is no matter of TLS: update it.",
    ),
    _rule(
        "starttls_not_offered", LIKELY, "5.7.3", "STARTTLS.{0,40}required|required.{0,40}STARTTLS",
        _NOT_OFFERED, READ_RECEIVE,
    ),
    _rule(
        "starttls_not_offered", LIKELY, "", r"\bTLS configuration requires TLS\b.{0,60}\bcould not achieve\b",
        _NOT_OFFERED, READ_RECEIVE, source=_WORDS,
    ),
    _rule(
        "starttls_not_offered", LIKELY, "4.7.321,5.7.321", None,
        _NOT_OFFERED, READ_RECEIVE, source=_DANE,
    ),
    _rule(
        "starttls_not_offered", LIKELY, "",
        r"\bTLS is required,? but was not offered|\b(?:START)?TLS (?:was |is )?not (?:offered|advertised|supported)\b"
        r"|\bnot (?:offer|advertise|support) (?:START)?TLS\b",
        _NOT_OFFERED, READ_RECEIVE, source=_WORDS,
    ),
    _rule(
        "starttls_refused", LIKELY, "",
        r"\b454\b.{0,20}\bTLS (?:is )?(?:currently )?not available\b|\bunable to initialize security subsystem\b",
        "The receiver has STARTTLS and cannot do it at this time: its certificate or its key cannot be used.",
        READ_RECEIVE, source="RFC 3207, 4",
    ),
    _rule(
        "tls_rate_exceeded", NO, "", r"\bmaximum TLS rate exceeded\b",
        "The receiver takes no more new TLS connections for now. The TLS settings are no matter of that.",
        source=_WORDS,
    ),
    _rule(
        "tls_handshake_cut", LIKELY, "", r"\bremote party has closed the transport stream\b",
        "The other side has ended a TLS handshake of a program of .NET: mostly they have no TLS version in common.",
        _READ_DOTNET, source=_WORDS,
    ),
    _rule(
        "tls_failed", LIKELY, "", r"\bcould not create SSL/TLS secure channel\b",
        "A program of .NET could not agree on TLS: no version or no cipher suite in common, or a certificate.",
        _READ_DOTNET, source=_WORDS,
    ),
    _rule(
        "authentication", NO, "5.7.57,5.7.139", None,
        "A login was refused. That is no matter of TLS.", source=_NDRS,
    ),
    _rule(
        "authentication", NO, "",
        r"535 5\.7\.3|LogonDenied|Temporary authentication failure|authentication unsuccessful",
        "A login was refused. That is no matter of TLS.",
    ),
    _rule(
        "authentication", NO, "5.7.3", "Exchange Server authentication",
        "Two Exchange servers did not log in to each other: the Receive connector that answers does not take logins of "
        "Exchange servers, or a device between them hides that it does.",
        "the Receive connectors of the receiver: AuthMechanism (ExchangeServer) and RemoteIPRanges",
        source="Microsoft, KB 979175",
    ),
    # a translation has kept the name of the command
    _rule(
        "starttls_required", LIKELY, "451 5.7.3", "START ?TLS",
        _WITHOUT_TLS, "the TLS settings of both servers, and " + READ_RECEIVE, source=SEED,
    ),
    _rule(
        "starttls_required", LIKELY, "", "Must issue a START ?TLS command first",
        _WITHOUT_TLS, "the TLS settings of both servers, and " + READ_RECEIVE, source=SEED,
    ),
    _rule(
        "starttls_required", PERHAPS, "451 5.7.3", None,
        "A login or TLS was missing: by this code alone nobody can tell which.",
        "the words behind the code, and " + READ_RECEIVE, source="the code of the error alone",
    ),
    _rule(
        "submission_throttled", NO, "", r"\bsubmission rate\b.{0,60}\bexceeded\b",
        "The sender has sent more messages in a minute than the receiver takes of it. That is no matter of TLS.",
        source="Microsoft, Message rate limits and throttling",
    ),
    _rule(
        "proxy_failed", NO, "", r"\bC?PRX\d",
        "The front end of this Exchange does not reach its own transport service. While servers are restarted in turn "
        "this passes; otherwise look at that service and at the DNS servers of the network adapters.",
    ),
    _rule(
        "own_transport_down", NO, "", winsock(10051, 10060, 10061, 10065) + "|ConnectionRefused",
        _OWN_TRANSPORT, inside=True, source=_PORT,
    ),
    # these speak TLS to each other: so a negotiation ends that one of them cannot take
    _rule(
        "connection_dropped_socket_error", PERHAPS, "4.4.2", "socket ?error",
        _OWN_DROPPED, _READ_BOTH, inside=True, source=_PORT,
    ),
    _rule(
        "connection_dropped", PERHAPS, "4.4.2", None,
        _OWN_DROPPED, _READ_BOTH, inside=True, source=_PORT,
    ),
    _rule(
        "connection_dropped", PERHAPS, "", winsock(10053, 10054),
        _OWN_DROPPED, _READ_BOTH, inside=True, source=_PORT,
    ),
    _rule(
        "own_transport_down", NO, "4.2.1,4.4.1", None,
        _OWN_TRANSPORT, inside=True, source=_PORT,
    ),
    _rule(
        "connection_dropped_socket_error", PERHAPS, "", r"\bsocket ?error\b",
        _OWN_DROPPED, _READ_BOTH, inside=True, source=_PORT,
    ),
    _rule(
        "own_transport_down", NO, "", r"\btimed ?out\b",
        _OWN_TRANSPORT, inside=True, source=_PORT,
    ),
    _rule(
        "connection_refused", NO, "4.4.316", None,
        _REFUSED,
    ),
    _rule(
        "connection_refused", NO, "", winsock(10061) + "|ConnectionRefused",
        _REFUSED,
    ),
    _rule(
        "network_unreachable", NO, "", winsock(10051, 10065),
        "There is no route to the receiver, often for an IPv6 address. That comes before any TLS.",
    ),
    _rule(
        "dns", NO, "",
        r"\bDNS (?:query|server)|\b(?:InfoDomainNonexistent|ErrorRetry)\b",
        _NO_NAME,
    ),
    _rule(
        "dns", NO, "4.7.324,5.7.324", "dnssec",
        "The records of the receiver in the DNS are not signed as its policy demands (DNSSEC). That comes before any "
        "TLS.", source=_DANE,
    ),
    _rule(
        "dns", NO, "", r"\bDNS domain\b|\bSMTPSEND\.DNS\b|\bNonExistentDomain\b",
        _NO_NAME, source=_WORDS,
    ),
    _rule(
        "no_answer", NO, "", rf"{_BEFORE_TLS}.*?(?:{_CONNECT}.{{0,120}}{_TIMED_OUT}|{_TIMED_OUT}.{{0,120}}{_CONNECT})",
        "Nobody has answered there: a firewall, a route, or a wrong address. That comes before any TLS.",
        source=_WORDS,
    ),
    _rule(
        "removed_by_agent", NO, "", r"\bQUEUE\.TransportAgent\b|\bintercepted\b.{0,80}\bTRJCT",
        "A transport agent or a rule of the server has taken the message. That is no matter of TLS.", source=_WORDS,
    ),
    _rule(
        "back_pressure", NO, "4.3.1", None,
        "A server is short of disk or memory and takes no mail. That is no matter of TLS.",
    ),
    _rule(
        "not_in_service", NO, "421 4.3.2", r"\bservice not (?:active|available)\b",
        "Transport of that server is out of service, in maintenance, or starting. That is no matter of TLS.",
        source=_WORDS,
    ),
    _rule(
        "store_throttled", NO, "4.3.2", None,
        "A server takes no more mail for now. That is no matter of TLS.",
    ),
    _rule(
        "recipient_restricted", NO, "", r"RESOLVER\.RST",
        "The recipient does not take mail from this sender. That is no matter of TLS.",
    ),
    _rule(
        "recipient_unknown", NO, "5.1.1,5.1.10", None,
        "There is no such recipient. That is no matter of TLS.", source=_NDRS,
    ),
    _rule(
        "mailbox_full", NO, "5.2.2", None,
        "The mailbox of the recipient is full. That is no matter of TLS.", source=_NDRS,
    ),
    _rule(
        "sender_refused", NO, "", r"(?<![\d.])[45]\d\d [45]\.7\.[56]\d\d(?![\d.])",
        "Exchange Online takes no mail, or not so much, from this address for now. That is no matter of TLS.",
        source=_NDRS,
    ),
    _rule(
        "session_closed", UNKNOWN, "", r"\b(?:Remote|Local)\(SocketError\)",
        "A session was closed. With no STARTTLS before it in the same session it is the probe of a load balancer.",
        READ_RECEIVE,
    ),
    _rule(
        "connection_dropped_socket_error", PERHAPS, "4.4.2", "socket ?error",
        _DROPPED,
        "the TLS settings of the server, and " + READ_SEND, source=SEED,
    ),
    _rule(
        "connection_dropped", PERHAPS, "4.4.2", None,
        _ENDED, READ_SEND,
    ),
    _rule(
        "timed_out", PERHAPS, "4.4.1", None,
        "The connection timed out. Certificate faults show so too: of itself the text rules TLS neither in nor out.",
        READ_SEND, source=KB_4051498,
    ),
    _rule(
        "unable_to_connect", PERHAPS, "4.2.1,4.4.315,5.4.315,4.4.317,5.4.317", None,
        "No connection came about. Certificate faults show so too: of itself the text rules TLS neither in nor out.",
        READ_SEND,
    ),
    _rule(
        "connection_dropped", PERHAPS, "4.4.318,5.4.318", None,
        _ENDED, READ_SEND, source=_REPORTS,
    ),
    _rule(
        "connection_dropped", PERHAPS, "",
        winsock(10053, 10054) + r"|\bforcibly closed\b|\blost connection\b|\bclosed abruptly\b"
        r"|\bdisconnected abruptly\b|\bSuspiciousRemoteServerError\b"
        r"|\bunexpected error occurred on a (?:send|receive)\b",
        _ENDED, READ_SEND, source=_WORDS,
    ),
    _rule(
        "timed_out", PERHAPS, "", winsock(10060),
        "The connection timed out: before TLS, or in it. Of itself the text rules TLS neither in nor out.",
        READ_SEND, source=_WORDS,
    ),
    _rule(
        NEGOTIATION["certificate"].kind, LIKELY, "", _NAMED.format("UnknownCredentials|NoCredentials"),
        NEGOTIATION["certificate"].meaning, NEGOTIATION["certificate"].read, source=KB_4051498,
    ),
    _rule(
        "tls_failed", LIKELY, "", _NAMED.format("SocketError|InvalidToken|IllegalMessage|ConnectionAborted"),
        "By its name this is the error of a TLS negotiation.",
        "the TLS settings of the server, and " + READ_SEND, source=SEED,
    ),
    _rule(
        "tls_failed", YES, "",
        r"\bTLS handshake fail|\b(?:TLS|SSL).{0,40}handshake[ _]failure\b"
        r"|\bTLS negotiation fail|\bCannot start TLS\b|\bestablish appropriate TLS channel\b",
        "A TLS negotiation failed, and the text does not say why.", READ_SEND, source=_WORDS,
    ),
    _rule(
        "tls_failed", PERHAPS, "5.7.5", r"\bcryptographic failure\b",
        "Something of encryption failed: of itself the text does not say whether of the connection or of the message.",
        READ_SEND, source="RFC 3463, 3.8",
    ),
    _rule(
        "expired", UNKNOWN, "4.4.7,5.4.7,5.4.300", None,
        "Mail has waited too long. Why it waited is in the words behind, or in the last error of the queue.",
        "the last error of the queue (Get-Queue), and " + READ_SEND, source=_NDRS,
    ),
    _rule(
        "connection_dropped_socket_error", PERHAPS, "", "socket ?error",
        _DROPPED,
        "the TLS settings of the server, and " + READ_SEND, source=SEED,
    ),
    # of an event in a language that is not known here
    _rule(
        "no_credential", LIKELY, "", rf"{_TLS}[^\d]{{1,200}}(?<!port )(?<!pid ){_NO_CREDENTIAL}{COUNTED}",
        _NOTHING_TO_BEGIN_WITH, _READ_DOTNET, source=_REPORTS,
    ),
    _rule(
        "tls_mentioned", PERHAPS, "", r"\bSTARTTLS\b|(?<![A-Za-z])TLS(?![A-Za-z])",
        "The text speaks of TLS, with no error that is known here.",
        READ_SEND,
    ),
)  # fmt: skip


def meaning_of(text: str, is_inside: bool) -> Meaning:
    """``is_inside``: whether it is of a hop between services of Exchange itself."""
    whole = codes(text)
    known = {*whole, *(code.rpartition(" ")[2] for code in whole)}
    for rule in RULES:
        if rule.inside and not is_inside:
            continue
        if (not rule.codes or rule.codes & known) and all(pattern.search(text) for pattern in rule.words):
            return rule.meaning
    return NOT_KNOWN
