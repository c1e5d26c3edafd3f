# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The server's flight, read as it arrives.

The parser takes bytes in pieces of any size and says as soon as it knows what the server made of the hello. It reads
only what is sent in the clear, checks nothing cryptographic, and never raises, whatever it is fed. What no client could
go on from is no TLS: a version above the one that was offered, or a cipher suite that was not.
"""

from __future__ import annotations

from ._messages import Malformed, ServerHello, read_certificates, read_server_hello
from ._suites import RENEGOTIATION_SCSV, offered
from ._words import Answer, Ending, Flight, TlsVersion, printable

# More than 40 certificates and a few hundred CA names need; a server that talks on is not worth listening to.
MAX_FLIGHT_BYTES = 1024 * 1024
# 2^14 and what old versions let compression and encryption add (RFC 5246, 6.2.3)
_MAX_RECORD = 2**14 + 2048

_CHANGE_CIPHER_SPEC, _ALERT, _HANDSHAKE, _APPLICATION_DATA = 20, 21, 22, 23

_HELLO_REQUEST, _SERVER_HELLO, _CERTIFICATE, _SERVER_KEY_EXCHANGE = 0, 2, 11, 12
_CERTIFICATE_REQUEST, _SERVER_HELLO_DONE, _CERTIFICATE_STATUS, _SUPPLEMENTAL_DATA = 13, 14, 22, 23
_BETWEEN = (_CERTIFICATE, _SERVER_KEY_EXCHANGE, _CERTIFICATE_REQUEST, _CERTIFICATE_STATUS, _SUPPLEMENTAL_DATA)

_FATAL = 2
_CLOSE_NOTIFY = 0
# RFC 5246, 7.2; RFC 8446, 6; RFC 6066, 9; RFC 7301, 3.2
_ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}


# How a TLS server says that it will not speak this version. Other alerts say that something went wrong, and may pass.
_REFUSALS = ("protocol_version", "handshake_failure", "insufficient_security")


class FlightParser:
    """Feed it until it returns a :class:`Flight`; when the connection ends before, ask :meth:`end`."""

    def __init__(self, asked: TlsVersion) -> None:
        self._asked = asked
        self._records = bytearray()
        self._messages = bytearray()
        self._alerts = bytearray()
        self._head = b""
        self._size = 0
        self._warning: str | None = None
        self._hello: ServerHello | None = None
        self._chosen: TlsVersion | None = None
        self._client_certificate = False
        self._certificates: tuple[bytes, ...] = ()
        self._flight: Flight | None = None

    def feed(self, data: bytes) -> Flight | None:
        """The answer, or None where more must be read. After an answer more data changes nothing."""
        if self._flight is not None:
            return self._flight
        self._size += len(data)
        self._head = (self._head + data)[:64]
        self._records += data
        try:
            while self._flight is None and self._take_record():
                pass
            if self._flight is None and self._size > MAX_FLIGHT_BYTES:
                raise Malformed(f"more than {MAX_FLIGHT_BYTES} bytes and no end")
        except Malformed as exc:
            if self._hello is None:
                self._finish(Answer.NOT_TLS, f"{exc}: {printable(self._head)}")
            else:
                self._finish(Answer.INCOMPLETE, f"{self._so_far()}, then {exc}")
        return self._flight

    def end(self, how: Ending) -> Flight:
        """The answer of a server that has stopped sending."""
        if self._flight is not None:
            return self._flight
        inside = "mid-record, " if self._records else "mid-message, " if self._messages or self._alerts else ""
        answer, evidence = Answer.INCOMPLETE, f"{inside}{how.value}"
        if self._hello is not None:
            evidence = f"{self._so_far()}, then {evidence}"
        elif not inside and how is not Ending.TIMEOUT:
            answer = Answer.REJECTED
        elif not self._size:
            evidence = "no answer to the ClientHello"
        if how is Ending.TIMEOUT:
            answer = Answer.TIMEOUT
        if self._warning and self._hello is None:
            evidence = f"alert {self._warning} (warning), then {evidence}"
        return self._finish(answer, evidence)

    # records

    def _take_record(self) -> bool:
        data = self._records
        if data and data[0] not in (_CHANGE_CIPHER_SPEC, _ALERT, _HANDSHAKE, _APPLICATION_DATA):
            raise Malformed("no TLS record")
        if len(data) > 1 and data[1] != 3:
            raise Malformed("no TLS record")
        if len(data) < 5:
            return False
        length = int.from_bytes(data[3:5], "big")
        if data[2] > 4 or length > _MAX_RECORD:
            raise Malformed("no TLS record")
        if len(data) < 5 + length:
            return False
        kind, content = data[0], bytes(data[5 : 5 + length])
        del data[: 5 + length]
        if kind == _HANDSHAKE:
            self._messages += content
            while self._flight is None and self._take_message():
                pass
        elif kind == _ALERT:
            self._alerts += content
            while self._flight is None and len(self._alerts) >= 2:
                self._take_alert()
        else:
            self._take_opaque(kind, content)
        return True

    def _take_alert(self) -> None:
        level, description = self._alerts[0], self._alerts[1]
        del self._alerts[:2]
        name = _ALERTS.get(description, str(description))
        if level not in (1, _FATAL):
            raise Malformed("an alert without a level")
        # unrecognized_name and the like are only remarks
        if level != _FATAL and description != _CLOSE_NOTIFY:
            self._warning = name
        elif self._hello is None:
            self._finish(Answer.REJECTED, f"alert {name}", spelt_out=name in _REFUSALS)
        else:
            self._finish(Answer.INCOMPLETE, f"{self._so_far()}, then alert {name}")

    def _take_opaque(self, kind: int, content: bytes) -> None:
        """What follows a ServerHello of TLS 1.3: a ChangeCipherSpec for middleboxes, then encrypted messages."""
        if self._chosen is not TlsVersion.TLS_1_3 or self._messages:
            raise Malformed("an encrypted record where none can be")
        if kind == _APPLICATION_DATA:
            self._finish(Answer.ACCEPTED, "ServerHello and an encrypted record")
        elif content != b"\x01":
            raise Malformed("a ChangeCipherSpec that is none")

    # messages

    def _take_message(self) -> bool:
        data = self._messages
        if not data:
            return False
        kind = data[0]
        # checked before the length is believed
        if kind != _HELLO_REQUEST and (kind == _SERVER_HELLO) != (self._hello is None):
            raise Malformed(f"handshake message {kind} in the wrong place")
        if len(data) < 4:
            return False
        length = int.from_bytes(data[1:4], "big")
        if length > MAX_FLIGHT_BYTES:
            raise Malformed(f"a handshake message of {length} bytes")
        if len(data) < 4 + length:
            return False
        body = bytes(data[4 : 4 + length])
        del data[: 4 + length]
        if kind == _SERVER_HELLO:
            self._take_hello(read_server_hello(body))
        elif kind == _CERTIFICATE:
            self._certificates = read_certificates(body)
        elif kind == _CERTIFICATE_REQUEST:
            self._client_certificate = True
        elif kind == _SERVER_HELLO_DONE:
            self._take_done()
        elif kind not in (*_BETWEEN, _HELLO_REQUEST):
            raise Malformed(f"handshake message {kind} in the wrong place")
        return True

    def _take_hello(self, hello: ServerHello) -> None:
        chosen = TlsVersion.from_wire(hello.chosen)
        if chosen is None or chosen.wire > self._asked.wire:
            name = chosen.value if chosen else f"{hello.chosen:#06x}"
            raise Malformed(f"a ServerHello for {name}, which was not offered")
        if hello.cipher_suite == RENEGOTIATION_SCSV or hello.cipher_suite not in offered(self._asked):
            raise Malformed(f"a ServerHello with cipher suite {hello.cipher_suite:#06x}, which was not offered")
        if hello.compression:
            raise Malformed("a ServerHello with compression, which was not offered")
        self._hello, self._chosen = hello, chosen
        if hello.retry:
            self._finish(Answer.ACCEPTED, "HelloRetryRequest")

    def _take_done(self) -> None:
        if self._chosen is self._asked:
            self._finish(Answer.ACCEPTED, "ServerHello to ServerHelloDone")
        else:
            self._finish(Answer.REJECTED, self._so_far(), spelt_out=True)

    def _so_far(self) -> str:
        chosen = self._chosen or self._asked
        return f"ServerHello for {chosen.value}" if chosen is self._asked else f"server chose {chosen.value}"

    def _finish(self, answer: Answer, evidence: str, *, spelt_out: bool = False) -> Flight:
        hello = self._hello
        clear = hello is not None and self._chosen is not TlsVersion.TLS_1_3
        self._flight = Flight(
            answer,
            evidence,
            chosen=self._chosen,
            cipher_suite=hello.cipher_suite if hello else None,
            # TLS 1.3 has no such extension and asks for certificates where nobody else can read it
            extended_master_secret=hello.extended_master_secret if hello and clear else None,
            client_certificate_requested=self._client_certificate if clear and answer is Answer.ACCEPTED else None,
            certificates=self._certificates,
            heard=self._size > 0,
            spelt_out=spelt_out,
        )
        return self._flight
