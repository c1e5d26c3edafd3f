# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""A mail of our own that goes through a server, to see how it leaves: its text, and the dialogue that hands it over.

The server gets it on its SMTP port, as it gets mail of others. It holds no secret, so that any certificate will do: a
stock Exchange has one that it has signed itself.
"""

from __future__ import annotations

import email.message
import email.utils
import smtplib
import socket
import ssl
import typing as t

from .._text import visible

_LONGEST = 300


class Probe(t.NamedTuple):
    """``message``: its Message-ID, in angle brackets. ``refused``: why the server did not take it; None where it did.
    ``of_mailbox``: whether it refused the mailbox."""

    message: str
    refused: str | None = None
    of_mailbox: bool = False


def mailbox_of(named: str) -> str:
    """The address for what somebody names: a mailbox, or a host, whose postmaster every host that takes mail has
    (RFC 5321, 4.5.1). Mail to a host without MX records goes to the host itself (5.1)."""
    return named if "@" in named else f"postmaster@{named}"


def letter(mailbox: str, server: str, controller: str) -> email.message.EmailMessage:
    """The mail, from nobody, so that nobody gets a report of it. ``server``: through which it goes."""
    mail = email.message.EmailMessage()
    mail["From"] = f"TLS 1.2 check <{mailbox}>"
    mail["To"] = mailbox
    mail["Subject"] = f"TLS 1.2 check of {server}"
    mail["Date"] = email.utils.formatdate()
    mail["Message-ID"] = email.utils.make_msgid("tls12", controller)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"Sent through {server}, to see in its protocol log how it leaves. Nobody has to do anything.\n")
    return mail


def send(address: str, port: int, mailbox: str, server: str, timeout: float) -> Probe:
    """Hands the mail to the server at that address. Never raises for what the server does."""
    controller = socket.gethostname().encode("ascii", "ignore").decode() or "localhost"
    mail = letter(mailbox, server, controller)
    message = str(mail["Message-ID"])
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with smtplib.SMTP(address, port, local_hostname=controller, timeout=timeout) as dialogue:
            dialogue.ehlo()
            if dialogue.has_extn("starttls"):
                dialogue.starttls(context=context)
                dialogue.ehlo()
            dialogue.send_message(mail, from_addr="", to_addrs=[mailbox])
    except smtplib.SMTPRecipientsRefused as exc:
        code, said = exc.recipients.get(mailbox, (0, b""))
        return Probe(message, _refused(code, said), of_mailbox=True)
    except smtplib.SMTPResponseException as exc:
        return Probe(message, _refused(exc.smtp_code, exc.smtp_error))
    except (OSError, ValueError, smtplib.SMTPException) as exc:
        return Probe(message, visible(str(exc) or type(exc).__name__, _LONGEST))
    return Probe(message)


def _refused(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return visible(f"{code} {' '.join(text.split())}".strip(), _LONGEST)
