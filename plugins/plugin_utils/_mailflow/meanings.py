# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What each error of mail flow means, and how sure that is of TLS. Pure data, the most special ones first.

An error is known by its codes and by words that no translation changes: names of errors, of commands, of properties.
The facts are in docs/reference/mail.md 1.1, 1.2, 1.3, 1.4.
"""

from __future__ import annotations

import re
import typing as t

YES, LIKELY, PERHAPS, NO, UNKNOWN = "yes", "likely", "perhaps", "no", "unknown"
#: How sure it is that TLS is the cause, the surest first.
SURE: t.Final = (YES, LIKELY, PERHAPS, UNKNOWN, NO)

_SEED = "Microsoft, Mail flow errors caused by TLS 1.0 and TLS 1.1 disablement"
_KB_4051498 = "Microsoft, KB 4051498"
_RECORDED = "recorded texts of queues"
_READ_SEND = "the protocol log of the Send connector, lines '*' behind STARTTLS"
_READ_RECEIVE = "the protocol log of the Receive connector, lines '>' behind EHLO: is there a STARTTLS?"


class Meaning(t.NamedTuple):
    """``kind`` stays the same in later releases. ``tls``: whether TLS is the cause, one of :data:`SURE`. ``meaning``:
    a sentence; ``read``: what tells more, None for nothing; ``source``: where the meaning is from."""

    kind: str
    tls: str
    meaning: str
    read: str | None = None
    source: str = _RECORDED


class Rule(t.NamedTuple):
    """``codes``: one of them must be in the text, as a whole or from its enhanced part on; none for any text.
    ``words``: each of them must be found in it."""

    meaning: Meaning
    codes: frozenset[str]
    words: tuple[re.Pattern[str], ...]


def _rule(
    kind: str, tls: str, codes: str, words: str | None, meaning: str, read: str | None = None, **more: str
) -> Rule:
    patterns = (re.compile(words, re.IGNORECASE),) if words else ()
    return Rule(Meaning(kind, tls, meaning, read, **more), frozenset(filter(None, codes.split(","))), patterns)


NOTHING: t.Final = Meaning("none", UNKNOWN, "There is no text.")
NOT_KNOWN: t.Final = Meaning("unknown", UNKNOWN, "No error of mail flow that is known here.", _READ_SEND)
AGREED: t.Final = Meaning("tls_agreed", NO, "TLS was agreed on in this session; what failed is something else.")
PLAIN: t.Final = Meaning(
    "plain_mail", PERHAPS, "Mail went in plain text in this session: where TLS fails, both sides may fall back to that."
)
NO_TLS_TRIED: t.Final = Meaning("no_tls_tried", NO, "TLS was not tried in this session, and nothing was refused.")

#: By the kind of an error of a negotiation, see words.error_class.
NEGOTIATION: t.Final = {
    "version": Meaning(
        "tls_handshake_cut",
        YES,
        "The TLS handshake was cut: the two sides have no TLS version in common, or a device between them cut it.",
        "the TLS settings of the server, and " + _READ_SEND,
        _SEED,
    ),
    "certificate": Meaning(
        "tls_certificate",
        YES,
        "A certificate is the fault, not a TLS version: not bound to SMTP, without its private key, or not trusted.",
        "which certificate the connector names (TlsCertificateName), and what services it has",
        _KB_4051498,
    ),
    "not_tls": Meaning(
        "not_tls_answer",
        YES,
        "STARTTLS was answered with something that is not TLS, as devices do that look into mail.",
        _READ_SEND,
    ),
    "unknown": Meaning(
        "tls_failed", YES, "A TLS negotiation failed, with an error that is not known here.", _READ_SEND
    ),
}

# What several rules say.
_WITHOUT_TLS = (
    "A connector that demands TLS was spoken to without it: the sender has no TLS version that the receiver takes, or "
    "it does not use TLS at all."
)
_REFUSED = "Nobody listens there, or a firewall refuses. That comes before any TLS."
_DROPPED = (
    "The connection was dropped. So it shows where Exchange Online refuses TLS 1.0 and 1.1, and so it shows for other "
    "causes as well."
)
_TLS_ERRORS = "SocketError|UnknownCredentials|NoCredentials|InvalidToken|IllegalMessage|ConnectionAborted"

RULES: t.Final = (
    _rule(
        "certificate_not_found", YES, "4.7.5", "TlsCertificateName",
        "The certificate that the Send connector names (TlsCertificateName) is not on the server that sends.",
        "Get-SendConnector (TlsCertificateName) and Get-ExchangeCertificate of that server",
    ),
    _rule(
        "certificate_refused", YES, "4.7.5", None,
        "A certificate was refused. The code does not say whose: the words behind it do.",
        _READ_SEND,
    ),
    _rule(
        "exchange_outdated", NO, "4.7.230,5.7.230", None,
        "Exchange Online throttles or blocks this Exchange for its old build. That is no matter of TLS: update it.",
    ),
    _rule(
        "starttls_not_offered", LIKELY, "5.7.3", "STARTTLS.{0,40}required|required.{0,40}STARTTLS",
        "The sender demands TLS, and the receiver did not offer STARTTLS: its certificate cannot be used (named and "
        "removed, or its chain is broken), TLS is off, or a device between them hides the offer.",
        _READ_RECEIVE,
    ),
    _rule(
        "authentication", NO, "",
        r"535 5\.7\.3|LogonDenied|Temporary authentication failure|authentication unsuccessful",
        "A login was refused. That is no matter of TLS.",
    ),
    _rule(
        "starttls_required", LIKELY, "451 5.7.3", None,
        _WITHOUT_TLS, "the TLS settings of both servers, and " + _READ_RECEIVE, source=_SEED,
    ),
    _rule(
        "starttls_required", LIKELY, "", "Must issue a STARTTLS command first",
        _WITHOUT_TLS, "the TLS settings of both servers, and " + _READ_RECEIVE, source=_SEED,
    ),
    _rule(
        "proxy_failed", NO, "", r"\bPRX\d",
        "The front end of this Exchange does not reach its own transport service. While servers are restarted in turn "
        "this passes; otherwise look at that service and at the DNS servers of the network adapters.",
    ),
    _rule(
        "own_transport_down", NO, "", r":2525\b.{0,200}10061|10061.{0,200}:2525\b",
        "The transport service of an Exchange server did not run, as during its restart. That is no matter of TLS.",
    ),
    _rule(
        "connection_refused", NO, "4.4.316", None,
        _REFUSED,
    ),
    _rule(
        "connection_refused", NO, "", "(?<![0-9.:])10061(?![0-9])|ConnectionRefused",
        _REFUSED,
    ),
    _rule(
        "network_unreachable", NO, "", "(?<![0-9.:])(?:10051|10065)(?![0-9])",
        "There is no route to the receiver, often for an IPv6 address. That comes before any TLS.",
    ),
    _rule(
        "dns", NO, "", r"\bDNS (?:query|server)|\bInfoDomainNonexistent|\bErrorRetry\b",
        "The name of the receiver could not be looked up. That comes before any TLS.",
    ),
    _rule(
        "back_pressure", NO, "4.3.1", None,
        "A server is short of disk or memory and takes no mail. That is no matter of TLS.",
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
        "session_closed", UNKNOWN, "", r"\b(?:Remote|Local)\(SocketError\)",
        "A session was closed. With no STARTTLS before it in the same session it is the probe of a load balancer.",
        _READ_RECEIVE,
    ),
    _rule(
        "connection_dropped_socket_error", PERHAPS, "4.4.2", "socket ?error",
        _DROPPED,
        "the TLS settings of the server, and " + _READ_SEND, source=_SEED,
    ),
    _rule(
        "connection_dropped", PERHAPS, "4.4.2", None,
        "The connection was dropped. A handshake that hangs shows so too: of itself the text does not tell.",
        _READ_SEND,
    ),
    _rule(
        "timed_out", PERHAPS, "4.4.1", None,
        "The connection timed out. Certificate faults show so too: of itself the text rules TLS neither in nor out.",
        _READ_SEND, source=_KB_4051498,
    ),
    _rule(
        "unable_to_connect", PERHAPS, "4.2.1,4.4.315", None,
        "No connection came about. Certificate faults show so too: of itself the text rules TLS neither in nor out.",
        _READ_SEND,
    ),
    # a translation has kept the name of the error, and nothing else
    _rule(
        "tls_failed", LIKELY, "",
        rf"(?<![A-Za-z])TLS.{{0,120}}\b(?:{_TLS_ERRORS})|\b(?:{_TLS_ERRORS}).{{0,120}}(?<![A-Za-z])TLS",
        "By its name this is the error of a TLS negotiation.",
        "the TLS settings of the server, and " + _READ_SEND, source=_SEED,
    ),
    _rule(
        "connection_dropped_socket_error", PERHAPS, "", "socket ?error",
        _DROPPED,
        "the TLS settings of the server, and " + _READ_SEND, source=_SEED,
    ),
    _rule(
        "tls_mentioned", PERHAPS, "", r"\bSTARTTLS\b|(?<![A-Za-z])TLS(?![A-Za-z])",
        "The text speaks of TLS, with no error that is known here.",
        _READ_SEND,
    ),
)  # fmt: skip
