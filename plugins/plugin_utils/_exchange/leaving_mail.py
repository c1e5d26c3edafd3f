# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The mail of a server that is taken out of service: whether it has somewhere to go, and that it goes."""

from __future__ import annotations

import typing as t

from .._errors import OptionError
from . import queues, readiness, view
from .endpoint import is_same_server
from .readiness import Remark
from .shell import CmdletDenied, CmdletError, CmdletNotFound
from .view import View
from .work import MaintenanceFailed, Work


def leave(work: Work, seen: View) -> None:
    if not _has_queues(seen):
        return
    found: list[queues.Queue] = []

    def unseen() -> list[str]:
        waiting = _waiting(work, seen)
        found[:] = waiting or []
        return ["it does not yet"] if waiting is None else []

    try:
        shown = f"Get-Queue -Server {seen.server.name}"
        work.until_empty("transport to list its queues", unseen, shown)
        if any(item.goes for item in found):
            _redirect(work, seen)
            work.until_empty("mail to go", lambda: _left(work, seen), shown)
    except MaintenanceFailed as exc:
        if not work.wishes.leave_mail:
            raise
        told = f"{exc.message} It was left, as 'leave_mail' allows, and goes later."
        work.remarks.append(Remark("mail.left", told, warns=True))
    rests = sum(item.messages - item.goes for item in found)
    if rests:
        work.remarks.append(
            Remark("mail.rests", f"{rests} messages wait there for their next try, or for a way to go, and stay.")
        )


def is_sent_on(work: Work, seen: View) -> bool:
    """Whether mail waits that would be sent to another server."""
    return any(item.goes for item in seen.queues or ()) and bool(work.wishes.redirect_to or able(seen))


def _has_queues(seen: View) -> bool:
    return bool(view.WITH_QUEUES & set(seen.server.roles))


def _waiting(work: Work, seen: View) -> list[queues.Queue] | None:
    """The queues with something in them; None where transport does not tell, which is no empty queue."""
    try:
        found = [queues.of_record(item) for item in work.means.shell.read("Get-Queue", Server=seen.server.fqdn)]
    except (CmdletNotFound, CmdletDenied):
        raise
    except CmdletError:
        return None
    return [item for item in found if item.drains and item.messages]


def _left(work: Work, seen: View) -> list[str]:
    found = _waiting(work, seen)
    if found is None:
        return ["transport does not list its queues"]
    return [f"{item.goes} in {item.identity}" for item in found if item.goes]


def _redirect(work: Work, seen: View) -> None:
    target = _target(work, seen)
    if target is None:
        if not work.wishes.leave_mail:
            raise MaintenanceFailed("No other server can take the mail that waits. Set 'redirect_to', or 'leave_mail'.")
        return
    work.change(f"mail is sent to {target}", "Redirect-Message", Server=seen.server.fqdn, Target=target, Confirm=False)


def _target(work: Work, seen: View) -> str | None:
    """The full name of a server that can take mail: the one that was named, a member of the site, any member."""
    if work.wishes.redirect_to:
        return _named_target(work, seen)
    known = view.where(work.means.shell, *able(seen))
    same_site = [fqdn for fqdn, site in known if site == seen.server.site]
    return next(iter((*same_site, *(fqdn for fqdn, _site in known))), None)


def in_the_way(work: Work, seen: View) -> t.Iterator[Remark]:
    waiting = queues.waiting(seen.queues or ())
    if work.wishes.redirect_to:
        _named_target(work, seen)
    elif waiting and not work.wishes.leave_mail and not able(seen):
        yield Remark(
            "mail.nowhere",
            f"{waiting} messages wait on {seen.server.name}, and there is no other member that could take them: name a "
            "server with 'redirect_to', or set 'leave_mail'.",
        )


def _named_target(work: Work, seen: View) -> str:
    """The full name of the server that was named. Raises :class:`OptionError` where it can take no mail."""
    wanted = work.wishes.redirect_to or ""
    ((fqdn, _site),) = view.where(work.means.shell, wanted)
    if is_same_server(fqdn, seen.server.fqdn):
        raise OptionError(f"'redirect_to' is {wanted}, which is the server itself.")
    if found := _marks_of(work, seen, fqdn):
        raise OptionError(f"'redirect_to' is {wanted}, which takes no mail now: it {' and '.join(found)}.")
    return fqdn


def _marks_of(work: Work, seen: View, fqdn: str) -> list[str]:
    """Why a server takes no mail now: a member was looked at already."""
    for member in seen.members:
        if is_same_server(member.name, fqdn):
            return readiness.marks(member)
    components, why = view.components_of(work.means.shell, fqdn)
    if components is None:
        return readiness.component_marks(components, why)
    policy, move_now = view.activation(work.means.shell, fqdn)
    return [*readiness.component_marks(components, why), *readiness.activation_marks(policy, move_now)]


def able(seen: View) -> list[str]:
    return [member.name for member in seen.members if not readiness.marks(member)]
