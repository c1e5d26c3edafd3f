# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What an error of mail flow means, and how sure that is of TLS: those that no rule for texts finds. Pure data.

The facts are in docs/reference/mail.md 1.1, 1.2, 1.3.
"""

from __future__ import annotations

import typing as t

YES, LIKELY, PERHAPS, NO, UNKNOWN = "yes", "likely", "perhaps", "no", "unknown"
#: How sure it is that TLS is the cause, the surest first.
SURE: t.Final = (YES, LIKELY, PERHAPS, UNKNOWN, NO)

SEED = "Microsoft, Mail flow errors caused by TLS 1.0 and TLS 1.1 disablement"
KB_4051498 = "Microsoft, KB 4051498"
_RECORDED = "recorded texts of queues"
#: In what tells more, where that is a log.
LOG = "the protocol log"
READ_SEND = f"{LOG} of the Send connector, lines '*' behind STARTTLS"
READ_RECEIVE = f"{LOG} of the Receive connector, lines '>' behind EHLO: is there a STARTTLS?"


class Meaning(t.NamedTuple):
    """``kind`` stays the same in later releases. ``tls``: whether TLS is the cause, one of :data:`SURE`. ``meaning``:
    a sentence; ``read``: what tells more, None for nothing; ``source``: where the meaning is from."""

    kind: str
    tls: str
    meaning: str
    read: str | None = None
    source: str = _RECORDED


NOTHING: t.Final = Meaning("none", UNKNOWN, "There is no text of an error.")
NOT_KNOWN: t.Final = Meaning("unknown", UNKNOWN, "No error of mail flow that is known here.", READ_SEND)
AGREED: t.Final = Meaning("tls_agreed", NO, "TLS was agreed on in this session; what failed is something else.")
OLD_AGREED: t.Final = Meaning(
    "old_tls_agreed",
    PERHAPS,
    "TLS older than 1.2 was agreed on in this session. Exchange Online takes none of these, others may refuse it.",
    "the TLS settings of both servers",
    SEED,
)
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
        "the TLS settings of the server, and " + READ_SEND,
        SEED,
    ),
    "certificate": Meaning(
        "tls_certificate",
        YES,
        "A certificate is the fault, not a TLS version: not bound to SMTP, without its private key, or not trusted.",
        "which certificate the connector names (TlsCertificateName), and what services it has",
        KB_4051498,
    ),
    "not_tls": Meaning(
        "not_tls_answer",
        YES,
        "STARTTLS was answered with something that is not TLS, as devices do that look into mail.",
        READ_SEND,
    ),
    "cipher": Meaning(
        "cipher_too_weak",
        YES,
        "TLS was agreed on, with a cipher that one side takes for too weak.",
        "the cipher suites of both servers",
        "the words of the error alone",
    ),
    "unknown": Meaning("tls_failed", YES, "A TLS negotiation failed, with an error that is not known here.", READ_SEND),
}
