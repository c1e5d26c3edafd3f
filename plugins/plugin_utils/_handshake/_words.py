# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The words of a handshake: protocol versions, answers, and what one probe found."""

from __future__ import annotations

import dataclasses
import enum


class TlsVersion(enum.Enum):
    """A protocol version that can be probed. The value is the field's name for it."""

    SSL_3_0 = "SSL 3.0"
    TLS_1_0 = "TLS 1.0"
    TLS_1_1 = "TLS 1.1"
    TLS_1_2 = "TLS 1.2"
    TLS_1_3 = "TLS 1.3"

    @property
    def wire(self) -> int:
        """The two bytes of ProtocolVersion as a number."""
        return _WIRE[self]

    @classmethod
    def from_wire(cls, number: int) -> TlsVersion | None:
        return next((version for version, wire in _WIRE.items() if wire == number), None)


_WIRE = {version: 0x0300 + minor for minor, version in enumerate(TlsVersion)}


class Answer(enum.Enum):
    """What came of one probe of one version."""

    # The server agreed to the version and sent its whole flight, or completed the handshake.
    ACCEPTED = "accepted"
    # It turned the version down: an alert, another version, or the connection closed or reset.
    REJECTED = "rejected"
    # It agreed to the version, then broke off before the end of its flight, or before the end of a full handshake that
    # the controller could have completed. Neither yes nor no.
    INCOMPLETE = "incomplete"
    # It broke off without a word, but not often enough to tell a refusal from a lost connection.
    UNSTEADY = "unsteady"
    # Everything below says nothing about versions.
    TIMEOUT = "timeout"
    NOT_TLS = "not_tls"
    NO_STARTTLS = "no_starttls"
    STARTTLS_REFUSED = "starttls_refused"
    CLOSED_EARLY = "closed_early"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNRESOLVED = "unresolved"
    LOCAL_ERROR = "local_error"
    SKIPPED = "skipped"


class Ending(enum.Enum):
    """How a connection stopped giving bytes. The value is the evidence word."""

    CLOSE = "close"
    RESET = "reset"
    TIMEOUT = "timeout"


class Grade(enum.Enum):
    """How far an accepted handshake went."""

    # The same flight, of a server that chose the version when a newer one was offered.
    SERVER_HELLO = "server_hello"
    # ServerHello to ServerHelloDone; ServerHello and an encrypted record, or HelloRetryRequest, in TLS 1.3.
    SERVER_FLIGHT = "server_flight"
    # Through both Finished messages, with Python's ssl.
    FULL_HANDSHAKE = "full_handshake"


@dataclasses.dataclass(frozen=True)
class Flight:
    """What a server answered to one ClientHello. All but the first two fields are None or empty where not seen."""

    answer: Answer
    # for people: an alert's name, the version the server chose, or the first bytes of what was no TLS
    evidence: str
    chosen: TlsVersion | None = None
    cipher_suite: int | None = None
    extended_master_secret: bool | None = None
    client_certificate_requested: bool | None = None
    # DER, as sent, the server's own first; TLS 1.3 encrypts them
    certificates: tuple[bytes, ...] = ()
    # the server sent something, be it an alert, be it garbage
    heard: bool = False
    # a refusal in TLS's own words, which no lost connection looks like: it counts at once
    spelt_out: bool = False


@dataclasses.dataclass(frozen=True)
class Talk:
    """Why a plain-text dialogue or a connection did not get as far as the ClientHello."""

    answer: Answer
    evidence: str


@dataclasses.dataclass(frozen=True)
class FullHandshake:
    """An attempt to complete a handshake with Python's ssl."""

    completed: bool
    cipher_suite: str | None = None
    # does the chain validate against the controller's trust store; None: could not be told
    trusted: bool | None = None
    trust_error: str | None = None
    certificates: tuple[bytes, ...] = ()
    # certificates holds all that the server sent, not only its own
    whole_chain: bool = False
    error: str | None = None
    # how the connection ended, where that is what kept it from completion
    stopped: Ending | None = None
    # the server had answered before
    heard: bool = False
    # what the server sent was wrong, whatever the controller may want
    faulty: bool = False

    @property
    def broken_off(self) -> bool:
        """The server began it and did not go on, or not rightly, which no setting of the controller explains."""
        return self.faulty or (self.stopped is not None and self.heard)


@dataclasses.dataclass(frozen=True)
class Probe:
    """All that was found out about one version on one endpoint."""

    version: TlsVersion
    answer: Answer
    evidence: str
    flight: Flight | None = None
    full: FullHandshake | None = None
    # the address that was connected to
    address: str | None = None
    # it failed before the ClientHello: the other versions would fare no better
    whole_endpoint: bool = False
    # the hellos that this rests on
    tries: int = 1


def printable(data: bytes | bytearray, limit: int = 40) -> str:
    """Foreign bytes in quotes, safe for a terminal: the first ``limit`` of them."""
    return repr(bytes(data[:limit]))[1:]
