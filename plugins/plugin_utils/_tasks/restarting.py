# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""reboot: whether a restart is due, the restart, and what becomes of the note about it."""

from __future__ import annotations

import contextlib
import time
import typing as t

from .._change import notes, owners
from .._change.pending import Pending, pending_after, read_note
from .._errors import ExchangeTlsError
from .._text import utc_text
from .._windows.cluster import Wait, check_others
from .._windows.facts import Moment, now_on, read_operating_system
from .._windows.reader import Reader
from .._windows.registry import Registry
from .._windows.restart import HowToRestart, Restarter, RestartFailed
from .._windows.services import services_to_wait_for
from .._wire.session import Session
from .preparing import NOTHING, Preparation, left_out, prepare
from .recorded import has_record
from .task import Options, Result, Task

# Members that have just been restarted are waited for so many seconds before anything is written.
_PATIENCE = 60.0


def check_on_host(
    task: Task,
    session: Session,
    restart: Options | None,
    folder: str,
    own: str,
    *,
    due: bool,
    has_exchange: bool | None = None,
) -> Preparation:
    """Where a restart is ``due``, or wanted always: raises :class:`OptionError` if its services are not there,
    :class:`MemberDown` if another member of the host's cluster is not up, and :class:`Unprepared` where the server
    cannot be taken out of service as it must. ``own``: the name of the computer; ``folder``: of backups;
    ``has_exchange``: None where nobody has looked. What a run that was cut off has left is in ``task.partial`` before
    anything of that."""
    if restart is None:
        return NOTHING
    left = left_out(task, session, restart["maintenance"], has_exchange=has_exchange)
    task.partial["maintenance"] = left.as_result()
    if not (restart["when"] == "always" or (due and restart["when"] == "if_pending")):
        return left
    services_to_wait_for(session, tuple(restart["services"]))
    if restart["dag_check"]:
        wait = Wait(0.0 if task.check_mode else _PATIENCE, task.say)
        check_others(session, Registry(session), own, wait, "Refused, nothing was changed")
    prepared = prepare(task, session, restart["maintenance"], folder, own, left)
    task.partial["maintenance"] = prepared.as_result()
    return prepared


def restart(task: Task, options: Options, files: Result) -> Result:
    """The result of reboot. ``files``: the result key with the files of tasks around a restart."""
    session = task.open_session()
    registry = Registry(session)
    system = read_operating_system(session)
    pending = pending_after(read_note(registry), system.last_boot, Reader(registry))
    result: dict[str, t.Any] = {
        "rebooted": False,
        "restart_pending": pending.restart_pending,
        "boot_before": utc_text(system.last_boot),
        "boot_after": utc_text(system.last_boot),
        "elapsed": 0.0,
        "services": [],
        **files,
    }
    due = pending.restart_pending or not options["only_if_pending"]
    if task.check_mode and options["maintenance"] is not None:
        # what surrounds a restart is a task of its own
        folder = options["backup_dir"]
        left = left_out(task, session, options["maintenance"])
        result["maintenance"] = left.as_result()
        task.so_far({**result, "changed": False})
        if due:
            prepared = prepare(task, session, options["maintenance"], folder, system.name, left)
            result["maintenance"] = prepared.as_result()
            result["warnings"] = [*filter(None, (prepared.notice,))]
    if not due:
        return {**result, "changed": False, "msg": "No restart is pending; nothing was restarted."}
    task.so_far({**result, "changed": False})
    was_out: list[bool] = []
    if options["dag_check"]:
        wait = Wait(0.0 if task.check_mode else options["timeout"], task.say, _noting(registry, was_out))
        check_others(session, registry, system.name, wait)
    if task.check_mode:
        services = services_to_wait_for(session, options["services"])
        return {**result, "changed": True, "services": list(services), "msg": "The host would be restarted."}
    if owners.is_orphan():
        # others were waited for, for minutes: another run may have taken the server back into service by now
        raise owners.AnotherRun("The run of this task has ended without it; nothing was restarted.")
    if any(was_out) and not has_record(registry):
        raise owners.AnotherRun(
            "While other members of its DAG were waited for, another run has brought the server back into service; "
            "nothing was restarted. Run this again: it restarts the server if that is still due."
        )
    wishes = HowToRestart(
        timeout=options["timeout"],
        services=tuple(options["services"]),
        comment=options["comment"],
        force=options["force"],
    )
    restarter = Restarter(session, task.say)
    try:
        outcome = restarter.run(wishes, system)
    except RestartFailed as exc:
        if restarter.boot_after is not None and not (pending.note and pending.note.is_unfinished):
            # the next run must not take the host for done: it restarts it once more and waits again
            # (where even this fails, the first error is the one to tell)
            with contextlib.suppress(ExchangeTlsError):
                notes.write(registry, notes.without_services(_moment(session)), new=True)
        if restarter.boot_after is not None and _is_out(registry):
            message = f"{exc.message} It stays out of service until then, as it was taken out before."
            raise RestartFailed(message, **exc.details) from None
        raise
    finally:
        task.so_far({**result, "changed": restarter.asked, "elapsed": round(restarter.elapsed, 1)})
        if restarter.boot_after is not None:
            task.partial.update(rebooted=True, boot_after=utc_text(restarter.boot_after))
    result = {
        **result,
        "changed": True,
        "rebooted": True,
        "boot_after": utc_text(outcome.boot_after),
        "elapsed": round(outcome.elapsed, 1),
        "services": list(outcome.services),
    }
    result.update(restart_pending=False, msg=f"Restarted in {outcome.elapsed:.0f} seconds.")
    task.so_far(result)
    try:
        _end_note(pending, session, registry)
    except ExchangeTlsError as exc:
        # the host is back with its services and is to go on; the next run finds that it was restarted
        result["warnings"] = [f"The note of the pending restart could not be removed: {exc.message}"]
    return result


def _noting(registry: Registry, was_out: list[bool]) -> t.Callable[[float], None]:
    """Waits, and notes whether the server is out of service when that begins: nobody shows then that this run lives."""

    def sleep(seconds: float) -> None:
        if not was_out:
            was_out.append(_is_out(registry))
        time.sleep(seconds)

    return sleep


def _is_out(registry: Registry) -> bool:
    """Whether a maintenance has a record there; False where that cannot be read."""
    with contextlib.suppress(ExchangeTlsError):
        return has_record(registry)
    return False


def _end_note(pending: Pending, session: Session, registry: Registry) -> None:
    if pending.note is not None and pending.note.is_unfinished:
        # the run that was cut off is still to be finished: what was there before it must not be forgotten
        notes.write(registry, pending.note.restarted(_moment(session)))
    elif pending.note is not None or pending.restart_pending:
        notes.clear(registry)


def _moment(session: Session) -> Moment:
    """The host as it is now, after the restart (two requests)."""
    system = read_operating_system(session)
    return Moment(system.last_boot, now_on(system), notes.read_shutdown(Registry(session)))
