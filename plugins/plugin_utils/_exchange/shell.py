# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Exchange's cmdlets as two questions: read something, change something. Pure.

One cmdlet with named parameters, nothing else: Exchange's endpoint runs no script, and nothing here could make one.
"""

from __future__ import annotations

import re
import typing as t

from .._errors import ConnectionLost, ExchangeTlsError, OptionError, Unreachable
from .._text import NAME, visible
from .records import Record

#: What a parameter may be. A list holds texts; None is not "not given" but PowerShell's $null.
Value = str | int | bool | list[str] | None

_CMDLET = re.compile(r"[A-Z][A-Za-z]*-[A-Z][A-Za-z0-9]*")
_PARAMETER = re.compile(r"[A-Z][A-Za-z0-9]*")
# What the shell says itself: a caller who sets these would undo what makes errors visible.
_ERROR_ACTION = "ErrorAction"


class CmdletError(ExchangeTlsError):
    """A cmdlet reported an error, whether it ended by it or went on. ``details``: cmdlet, error_id, category."""

    kind = "cmdlet"


class CmdletNotFound(CmdletError):
    """The session has no such cmdlet (or parameter): another version of Exchange, or the account lacks the role."""

    kind = "cmdlet_not_found"


class CmdletDenied(CmdletError):
    """The account may run the cmdlet, but not on this object."""

    kind = "access_denied"


class SessionLost(Unreachable):
    """The server no longer knows the session, and has not run the cmdlet."""

    kind = "session_lost"


class SessionBroken(ConnectionLost):
    """The session ended while the cmdlet ran: it may have been carried out, or not."""

    kind = "session_lost"


class CmdletUnfinished(ConnectionLost):
    """The cmdlet went on for longer than it may: it may have been carried out, or will be, or not."""

    kind = "cmdlet_timeout"


class Shell(t.Protocol):
    """A session with Exchange. ``round_trips``: messages that were sent and answered so far."""

    round_trips: int

    def read(self, cmdlet: str, **parameters: Value) -> list[Record]:
        """What a cmdlet returns that changes nothing. It is asked again, once, in a new session if the first is lost.

        Raises :class:`CmdletError` for every error that the cmdlet reports, also where it goes on after it.
        """

    def read_each(self, cmdlet: str, names: t.Sequence[str], **parameters: Value) -> list[Record]:
        """What a cmdlet returns that changes nothing and to which the names of several objects are piped, in one
        question. It is asked once. Any error may be of one of the objects, or of the piping: ask for each by itself
        then, and for one of which nothing came.
        """

    def change(self, cmdlet: str, **parameters: Value) -> list[Record]:
        """What a cmdlet returns that changes something: with ErrorAction Stop, and never asked twice.

        :class:`CmdletError`: Exchange refused it. :class:`SessionLost`: it was surely not run. Any other error: it may
        have been. Read back what it was to change, then and always: that no error came is no proof.
        """

    def close(self) -> None:
        """Ends the session: a server allows one account only so many. Raises nothing."""


def checked(cmdlet: str, parameters: t.Mapping[str, t.Any]) -> None:
    """Raises :class:`OptionError` for what is no cmdlet, no parameter, or no value that can be sent as it is."""
    if not _CMDLET.fullmatch(cmdlet):
        raise OptionError(f"{visible(cmdlet, NAME)!r} is not the name of a cmdlet.")
    for name, value in parameters.items():
        if not _PARAMETER.fullmatch(name) or name == _ERROR_ACTION:
            raise OptionError(f"{cmdlet}: {visible(name, NAME)!r} is not a parameter that may be given.")
        if not _sendable(value):
            raise OptionError(f"{cmdlet}: {name} is {visible(repr(value), NAME)}, which cannot be sent.")


def _sendable(value: t.Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return value is None or isinstance(value, (str, int, bool))


def stopping(parameters: t.Mapping[str, Value]) -> dict[str, Value]:
    """The parameters of a cmdlet that changes something."""
    return {**parameters, _ERROR_ACTION: "Stop"}


# --- errors ----------------------------------------------------------------------------------------------------------

_NOT_FOUND = ("CommandNotFoundException", "CommandNotFound")
_NO_PARAMETER = ("NamedParameterNotFound",)
_DENIED = re.compile(
    r"write scopes?|access (is|was) denied|access to .{1,300} (is|was) denied|registry access is not allowed"
    r"|unauthori[sz]ed operation|insufficient (access )?(rights|permissions)|not authori[sz]ed"
)
_DENIED_MARKS = ("PermissionDenied", "UnauthorizedAccess", "SecurityException")


def failed(cmdlet: str, errors: t.Sequence[Record], server: str) -> CmdletError:
    """What the error records of a cmdlet mean; ``server`` is where it was run."""
    first = errors[0]
    said = _message(first)
    more = f" ({len(errors) - 1} more errors)" if len(errors) > 1 else ""
    error_id = _text(first, "FullyQualifiedErrorId") or None
    category = _text(first, "ErrorCategory_Message") or None
    details = {"cmdlet": cmdlet, "error_id": error_id, "category": category, "messages": [_message(e) for e in errors]}
    marks = f"{error_id} {category}"
    if any(word in marks for word in _NOT_FOUND):
        return CmdletNotFound(
            f"Exchange on {server} has no cmdlet {cmdlet} for this account. Exchange hides cmdlets from accounts whose "
            "role groups do not have them: the account needs membership in 'Organization Management' or 'Server "
            f"Management', or a role with this cmdlet. Exchange said: {said}",
            **details,
        )
    if any(word in marks for word in _NO_PARAMETER):
        return CmdletNotFound(
            f"{cmdlet} on {server} does not know a parameter that was given: another version of Exchange, or the "
            f"account's role does not have it. Exchange said: {said}",
            **details,
        )
    if any(word in marks for word in _DENIED_MARKS) or _DENIED.search(said.lower()):
        return CmdletDenied(
            f"{cmdlet} on {server}: the account may not do this. Check its role groups and their write scope. "
            f"Exchange said: {said}{more}",
            **details,
        )
    return CmdletError(f"{cmdlet} on {server} failed: {said}{more}", **details)


def _message(error: Record) -> str:
    """The sentence of an error record: its details, then its exception's, then what it is called."""
    for holder, name in ((error, "ErrorDetails_Message"), (_exception(error), "Message")):
        if holder is not None and (found := _text(holder, name)):
            return visible(found.strip())
    return visible(str(error).strip() or "an error without a message")


def _exception(error: Record) -> Record | None:
    found = error.get("Exception")
    return found if isinstance(found, Record) else None


def _text(record: Record, name: str) -> str:
    found = record.get(name)
    return str(found) if isinstance(found, (str, Record)) else ""
