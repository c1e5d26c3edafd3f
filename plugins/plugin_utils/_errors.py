# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What can go wrong, as exceptions whose text is a sentence for the person who runs the playbook."""

from __future__ import annotations

import typing as t


class ExchangeTlsError(Exception):
    """A failure with a message that says what was wrong, where, and what to do.

    ``details`` goes into the task result under ``error`` for programs to read; it never holds a secret.
    """

    kind: t.ClassVar[str] = "error"

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        # what the host answered, for the wire log
        self.answer: bytes | None = None

    def as_result(self) -> dict[str, t.Any]:
        return {"kind": self.kind, **{name: value for name, value in self.details.items() if value is not None}}


class OptionError(ExchangeTlsError):
    """The task was given something that makes no sense; nothing was sent to the host."""

    kind = "bad_option"


def all_problems(*checks: t.Callable[[], object]) -> None:
    """Runs every check and raises one :class:`OptionError` with what all of them say."""
    problems = []
    for check in checks:
        try:
            check()
        except OptionError as exc:
            problems.append(exc.message)
    if problems:
        raise OptionError(" ".join(problems))


class Unreachable(ExchangeTlsError):
    """The host could not be talked to: no route, refused, TLS failure, login refused, silence."""

    kind = "unreachable"


class HostBusy(Unreachable):
    """HTTP 429 or 503: not now. ``retry_after``: the seconds that the host asks to wait, None where it says nothing."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LoginRefused(Unreachable):
    """The login failed, at the host (HTTP 401) or before it (no ticket). The host has surely not looked at the
    message: it checks the login first."""

    kind = "login_refused"


class ConnectionLost(Unreachable):
    """A request was sent and no answer came: it may have been carried out, or not."""

    kind = "connection_lost"


class SecurityContextLost(Unreachable):
    """The host no longer knows our NTLM/Kerberos session; it could not read the request, so nothing was done."""

    kind = "security_context_lost"


class UnexpectedAnswer(ExchangeTlsError):
    """The host answered something that is not the WS-Management message that was asked for."""

    kind = "unexpected_answer"


class IncompleteAnswer(UnexpectedAnswer):
    """The host ended a list without saying that it is complete: what is missing in it may exist all the same."""

    kind = "incomplete_answer"


class WsmanFault(ExchangeTlsError):
    """A SOAP fault. ``details``: code, subcode, wsman_code, wmi_code, provider, action."""

    kind = "fault"


class AccessDenied(WsmanFault):
    """The account may not do this."""

    kind = "access_denied"


class OperationTimedOut(WsmanFault):
    """The host gave up on the operation; it may have been carried out, or not."""

    kind = "operation_timeout"


class AnswerTooLarge(WsmanFault):
    """What was asked for does not fit into an answer."""

    kind = "answer_too_large"


class RegistryError(ExchangeTlsError):
    """StdRegProv answered with a return code that means failure."""

    kind = "registry"


class RegistryAccessDenied(RegistryError):
    """The account may not read or write this key."""

    kind = "access_denied"
