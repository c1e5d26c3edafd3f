# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs in the shapes that Exchange writes, made up here."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

FIELDS = "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context"
SERVER, CLIENT = "SERVER", "CLIENT"
OFFER = (
    ">,250  mx.fabrikam.example Hello [192.0.2.7] SIZE 37748736 PIPELINING STARTTLS X-ANONYMOUSTLS AUTH NTLM 8BITMIME,"
)
BROKEN = ">,250  mx.fabrikam.example Hello [192.0.2.7] SIZE 37748736 PIPELINING X-ANONYMOUSTLS AUTH NTLM 8BITMIME,"
OFFER_2010 = [
    f">,250{part},"
    for part in (
        "-mx.fabrikam.example Hello [192.0.2.7]",
        "-SIZE",
        "-PIPELINING",
        "-STARTTLS",
        "-AUTH NTLM",
        " 8BITMIME",
    )
]
ENVELOPE = [
    "<,MAIL FROM:<ann@contoso.example> SIZE=512,",
    ">,250 2.1.0 Sender OK,",
    "<,RCPT TO:<bob@fabrikam.example>,",
]
TAKEN = '>,"250 2.6.0 <1@contoso.example> [InternalId=1, Hostname=EX01] Queued mail for delivery",'
DATA = [">,250 2.1.5 Recipient OK,", "<,DATA,", ">,354 Start mail input; end with <CRLF>.<CRLF>,", TAKEN]
CHUNKS = [">,250 2.1.5 Recipient OK,", "<,BDAT 500,", ">,250 2.6.0 CHUNK received OK,", "<,BDAT 12 LAST,", TAKEN]
MAIL = [*ENVELOPE, *DATA]
# Sent without waiting for leave, and refused.
NO_CHUNKS = [*ENVELOPE, "<,BDAT 1200 LAST,", ">,530 5.7.0 Must issue a STARTTLS command first,"]
# Neither of them goes any further.
NO_SENDER = [ENVELOPE[0], ">,550 5.7.1 blocked,"]
NO_RECIPIENT = [*ENVELOPE, ">,550 5.7.1 Unable to relay,"]
BEGIN = [
    "+,,",
    '>,"220 mx.fabrikam.example Microsoft ESMTP MAIL Service ready at Mon, 5 Jan 2026 09:00:00 +0000",',
    "<,EHLO app,",
]
END = ["<,QUIT,", ">,221 2.0.0 Service closing transmission channel,", "-,,Local"]


def header(kind: str = "Receive", version: str = "15.0.0.0") -> list[str]:
    return [
        "#Software: Microsoft Exchange Server",
        f"#Version: {version}",
        f"#Log-type: SMTP {kind} Protocol Log",
        "#Date: 2026-01-05T09:59:59.000Z",
        f"#Fields: {FIELDS}",
    ]


def agreed(version: str = "TLS1_2", side: str = SERVER, joint: str = "_") -> str:
    return (
        f'*,,"TLS protocol SP_PROT{joint}{version}_{side} negotiation succeeded using bulk encryption algorithm '
        "CALG_AES_256 with strength 256 bits, MAC hash algorithm CALG_SHA_384 with strength 0 bits and key exchange "
        'algorithm CALG_ECDH_EPHEM with strength 255 bits"'
    )


def tls(version: str = "TLS1_2") -> list[str]:
    """The events of a session with mail over TLS."""
    return [*BEGIN, OFFER, "<,STARTTLS,", ">,220 2.0.0 SMTP server ready,", agreed(version), *MAIL, *END]


def plain() -> list[str]:
    return [*BEGIN, OFFER, *MAIL, *END]


def session(
    events: Sequence[str],
    *,
    number: int = 1,
    peer: str = "192.0.2.7",
    connector: str = "EX01\\Default Frontend EX01",
    local: str = "10.0.0.1:25",
    day: str = "2026-01-05",
    port: int | None = None,
    start: int = 0,
) -> list[str]:
    """The lines of one session. ``port``: of the peer; else one of its own."""
    remote = f"{peer}:{40000 + number if port is None else port}"
    return [
        f"{day}T09:00:{place % 60:02}.000Z,{connector},08DE000000{number:06X},{place},{local},{remote},{event}"
        for place, event in enumerate(events, start)
    ]


def woven(sessions: Iterable[list[str]]) -> list[str]:
    """Sessions that go on side by side."""
    return [line for lines in itertools.zip_longest(*sessions) for line in lines if line is not None]


def raw(lines: Iterable[str], end: str = "\r\n") -> bytes:
    return "".join(f"{line}{end}" for line in lines).encode()
