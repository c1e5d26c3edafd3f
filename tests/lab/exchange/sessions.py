# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions with Exchange Online: how they end where these settings are in effect, and what is said in them. Pure.

It takes TLS 1.2 alone. A client hello without it is dropped, and Exchange calls that SocketError, on either side. Who
does not insist on TLS tries once more in plain text. See docs/reference/mail.md 1.6.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import format_datetime

from ..schannel import Settings
from ..suites import Offer, Suite, exchange_online
from .described import ReceiveConnector, SendConnector

#: How a session ends: mail goes; the handshake failed; plain text was refused; it was left for want of STARTTLS.
MAIL, DROPPED, REFUSED, LEFT = "mail", "dropped", "refused", "left"
SERVER, CLIENT, NOBODY = "server", "client", "nobody"

#: SMTP of Exchange never has it.
_WITHOUT = frozenset({"SSL 2.0", "TLS 1.3"})
_ERRORS = {
    DROPPED: ("421 4.4.2", "Connection dropped due to SocketError"),
    REFUSED: ("451 5.7.3", "Must issue a STARTTLS command first"),
}
_CIPHERS = {"AES 128/128": ("CALG_AES_128", 128), "AES 256/256": ("CALG_AES_256", 256)}
_HASHES = {"SHA": ("CALG_SHA1", 160), "SHA256": ("CALG_SHA_256", 256), "SHA384": ("CALG_SHA_384", 384)}
_EXTENSIONS = "SIZE 37748736 PIPELINING DSN ENHANCEDSTATUSCODES{} 8BITMIME BINARYMIME CHUNKING"


@dataclass(frozen=True)
class Attempt:
    """One session. offered: the server offers STARTTLS. tls: the client says it. agreed: version and suite."""

    ends: str
    tls: bool = False
    offered: bool = True
    agreed: tuple[str, Suite] | None = None


def outgoing(settings: Settings, connector: SendConnector, plain_text: bool) -> tuple[Attempt, ...]:
    """The sessions in which mail is sent; how the last one ends is how the try ends."""
    tried: tuple[Attempt, ...] = ()
    if not connector.ignore_starttls:
        ours = set(settings.client) - _WITHOUT
        agreed = exchange_online().select(ours, {suite.number for suite in settings.suites if not suite.on_request})
        if agreed is not None:
            return (Attempt(MAIL, tls=True, agreed=agreed),)
        tried = (Attempt(DROPPED, tls=True),)
        if connector.require_tls:
            return tried
    return (*tried, Attempt(MAIL if plain_text else REFUSED))


def incoming(offer: Offer, offered: bool, connector: ReceiveConnector, plain_text: bool) -> tuple[Attempt, ...]:
    """The sessions in which mail comes. offer: of the listener. offered: whether it has STARTTLS at all."""
    offered = offered and "Tls" in connector.auth
    theirs = exchange_online()
    agreed = offer.select(theirs.protocols, {suite.number for suite in theirs.suites}) if offered else None
    if agreed is not None:
        return (Attempt(MAIL, tls=True, agreed=agreed),)
    tried = (Attempt(DROPPED, tls=True),) if offered else ()
    if not plain_text:
        return tried or (Attempt(LEFT, offered=False),)
    return (*tried, Attempt(REFUSED if connector.require_tls else MAIL, offered=offered))


def last_error(attempt: Attempt, version: str, host: str, address: str, at: float) -> str:
    """What a queue says after a try that ended like that, in the form of this version of Exchange."""
    code, words = _ERRORS[attempt.ends]
    if version == "2013":
        return (
            f'451 4.4.0 Primary target IP address responded with: "{code} {words}." Attempted failover to alternate '
            "host, but that did not succeed. Either there are no alternate hosts, or delivery failed to all alternate "
            f"hosts. The last endpoint attempted was {address}:25."
        )
    lost = "451 4.4.397 Error communicating with target host. -> " if attempt.ends == DROPPED else ""
    moment = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    time = f"{moment.month}/{moment.day}/{moment.year} {moment.hour % 12 or 12}:{moment:%M:%S %p}"
    return f"[{{LRT={time}}};{{LED={lost}{code} {words}}};{{FQDN={host}}};{{IP={address}}}]"


@dataclass(frozen=True)
class Dialogue:
    """Who speaks with whom, and how many messages there are. names: the Message-IDs of the first of them, where they
    are known. at: seconds since the epoch."""

    client: str
    server: str
    client_address: str
    sender: str
    receiver: str
    messages: int
    at: float
    names: Sequence[str] = ()

    def said(self, attempt: Attempt, ours: str) -> Iterator[tuple[str, str, str]]:
        """Who says what, with the context that a log has beside it. ours: which of both writes the log."""
        moment = format_datetime(datetime.datetime.fromtimestamp(self.at, datetime.timezone.utc))
        yield SERVER, f"220 {self.server} Microsoft ESMTP MAIL Service ready at {moment}", ""
        yield from self._hello(attempt.offered)
        if attempt.tls:
            yield CLIENT, "STARTTLS", ""
            yield SERVER, "220 2.0.0 SMTP server ready", ""
            if attempt.agreed is None:
                yield NOBODY, "", "TLS negotiation failed with error SocketError"
                return
            yield NOBODY, "", negotiated(*attempt.agreed, ours)
            yield from self._hello(False)
        if attempt.ends == REFUSED:
            yield CLIENT, f"MAIL FROM:<{self.sender}>", ""
            yield SERVER, " ".join(_ERRORS[REFUSED]), ""
        for number in range(self.messages if attempt.ends == MAIL else 0):
            size = 4000 + 100 * number
            yield CLIENT, f"MAIL FROM:<{self.sender}> SIZE={size}", ""
            yield CLIENT, f"RCPT TO:<{self.receiver}>", ""
            yield SERVER, "250 2.1.0 Sender OK", ""
            yield SERVER, "250 2.1.5 Recipient OK", ""
            yield CLIENT, f"BDAT {size} LAST", ""
            made = f"<{int(self.at * 1000):x}.{number}@{self.client}>"
            name = self.names[number] if number < len(self.names) else made
            yield (
                SERVER,
                f"250 2.6.0 {name} [Hostname={self.server}] {size} bytes in 0.100, Queued mail for delivery",
                "",
            )
        yield CLIENT, "QUIT", ""
        yield SERVER, "221 2.0.0 Service closing transmission channel", ""

    def _hello(self, offered: bool) -> Iterator[tuple[str, str, str]]:
        yield CLIENT, f"EHLO {self.client}", ""
        extensions = _EXTENSIONS.format(" STARTTLS" if offered else "")
        yield SERVER, f"250  {self.server} Hello [{self.client_address}] {extensions}", ""


def negotiated(protocol: str, suite: Suite, ours: str) -> str:
    """The sentence that tells the version, as Schannel names things."""
    cipher, bits = _CIPHERS[suite.cipher or ""]
    hash_name, hash_bits = _HASHES[suite.hash]
    token = f"SP_PROT_{protocol.replace(' ', '').replace('.', '_')}_{ours.upper()}"
    return (
        f"TLS protocol {token} negotiation succeeded using bulk encryption algorithm {cipher} with strength {bits} "
        f"bits, MAC hash algorithm {hash_name} with strength {0 if '_GCM_' in suite.name else hash_bits} bits and key "
        "exchange algorithm CALG_ECDH_EPHEM with strength 256 bits"
    )
