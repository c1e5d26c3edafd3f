# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Carries a plan out: rights first, then the note, then the writes, each read back; undone where it fails."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from .._errors import ExchangeTlsError, RegistryAccessDenied, Unreachable
from .._schannel.names import fold
from .._schannel.snapshot import Snapshot, parents
from .._schannel.values import ABSENT, Type, show
from .._windows.registry import Registry
from . import notes
from .owners import AnotherRun
from .plans import Plan, Write


@dataclasses.dataclass
class Progress:
    """What became of a plan: the truth about a failed task as well.

    It is kept true at every moment, whatever ends the task. ``trying``: the write whose outcome is not known, because
    it is under way, failed, or its answer was lost; ``undoing`` the same for one that is put back. ``made_keys`` and
    ``gone_keys`` count a key from the moment that the host was asked.
    """

    plan: Plan
    written: list[Write] = dataclasses.field(default_factory=list)
    trying: Write | None = None
    undoing: Write | None = None
    put_back: list[Write] = dataclasses.field(default_factory=list)
    made_keys: list[str] = dataclasses.field(default_factory=list)
    gone_keys: list[str] = dataclasses.field(default_factory=list)

    def as_result(self) -> dict[str, t.Any]:
        return {
            "changed": not self.is_untouched,
            "changes": [{**write.as_result(), "status": self._status(write)} for write in self.plan.writes],
        }

    @property
    def is_untouched(self) -> bool:
        return not (self.left or self.made_keys or self.gone_keys)

    @property
    def left(self) -> list[Write]:
        """The writes that are in the registry, or perhaps are."""
        tried = [*self.written, *([self.trying] if self.trying and self.trying not in self.written else [])]
        return [write for write in tried if write not in self.put_back]

    def _status(self, write: Write) -> str:
        if write in self.put_back:
            return "put_back"
        if write in (self.trying, self.undoing):
            return "unknown"
        return "written" if write in self.written else "not_written"


def check_rights(registry: Registry, plan: Plan, snapshot: Snapshot) -> None:
    """Asks for every key that the plan touches whether the account may write it, before anything is written."""
    # keys that go come first: they need one right more than keys that are only written to
    touched = [*plan.old_keys, *(write.setting.key for write in plan.writes), *plan.new_keys, notes.KEY]
    asked: set[str] = set()
    for wanted in touched:
        for key in parents(wanted):
            # the nearest key that exists decides: new keys are made below it
            if snapshot.key_exists(key) is False:
                continue
            if fold(key) in asked:
                break
            asked.add(fold(key))
            granted = registry.may_write(key, remove=key in plan.old_keys)
            if granted is None:
                continue
            if not granted:
                raise RegistryAccessDenied(
                    f"The account may not write {show(key)}; nothing was changed. Use a member of the host's "
                    "Administrators group, or look at the permissions of the key.",
                    key=key,
                )
            break


def apply(
    registry: Registry,
    plan: Plan,
    note: notes.Note,
    previous: notes.Note | None,
    progress: Progress,
    *,
    undo: bool,
    restart_pending: bool,
) -> None:
    """Makes the writes. ``progress`` is kept current, so that it tells the truth when an error is raised.

    The ``note`` is written before the first change, in place of the ``previous`` one, and completed after the last: a
    run that is cut off in between leaves behind what the next run needs. It goes where no restart is pending after the
    writes (``restart_pending``), as after a rollback. With ``undo``, what was written is put back when anything of this
    fails; not when the task is ended from outside, because that takes its time.
    """
    try:
        notes.claim(registry, note, previous)
        for key in plan.new_keys:
            progress.made_keys.append(key)
            registry.create_key(key)
        for write in plan.writes:
            progress.trying = write
            _carry_out(registry, write)
            progress.written.append(write)
            progress.trying = None
        for key in plan.old_keys:
            progress.gone_keys.append(key)
            registry.delete_key(key)
        notes.confirm(registry, note)
        if restart_pending:
            notes.write(registry, note.finished())
        else:
            notes.clear(registry)
    except AnotherRun as failure:
        # putting anything back would disturb that run, and the note is its
        if not progress.is_untouched:
            _add(failure, f"This run has written as well. {_changed(progress)}.")
        raise
    except ExchangeTlsError as failure:
        if not isinstance(failure, Unreachable):
            _find_out(registry, progress)
        if undo:
            _put_back(registry, progress, previous, failure)
        elif not progress.is_untouched:
            _add(failure, f"Nothing was put back, as 'undo_on_failure' asks. {_changed(progress)}.")
        raise


def _carry_out(registry: Registry, write: Write) -> None:
    if write.after.present:
        registry.set(write.setting.key, write.setting.name, write.after)
    else:
        registry.delete_value(write.setting.key, write.setting.name)


def _find_out(registry: Registry, progress: Progress) -> None:
    """Looks what became of the step that failed; it stays unknown where the host does not say."""
    write, made, gone = progress.trying, progress.made_keys, progress.gone_keys
    try:
        if write is not None:
            holds = registry.get(write.setting.key, write.setting.name, write.after.type or Type.REG_DWORD) or ABSENT
            if holds == write.after:
                progress.written.append(write)
            if holds in (write.before, write.after):
                progress.trying = None
        elif gone:
            if registry.subkeys(gone[-1]) is not None:
                gone.pop()
        elif made and not progress.written and registry.subkeys(made[-1]) is None:
            made.pop()
    except ExchangeTlsError:
        return


def _put_back(registry: Registry, progress: Progress, previous: notes.Note | None, failure: ExchangeTlsError) -> None:
    """Undoes the writes, newest first, as far as the host lets it; adds to the failure what became of that."""
    anything = not progress.is_untouched
    if isinstance(failure, Unreachable) and not anything:
        # all there can be is a note of what was never begun, and the next run takes that over
        _add(failure, "Nothing had been written.")
        return
    problem: ExchangeTlsError | None = None

    def attempt(step: t.Callable[[], object]) -> bool:
        nonlocal problem
        if isinstance(problem, Unreachable):
            return False
        try:
            step()
        except ExchangeTlsError as exc:
            problem = problem if problem and not isinstance(exc, Unreachable) else exc
            return False
        return True

    for key in reversed(list(progress.gone_keys)):
        if attempt(functools.partial(registry.create_key, key)):
            progress.gone_keys.remove(key)
    for write in reversed(progress.left):
        if isinstance(problem, Unreachable):
            break
        progress.undoing = write
        done = attempt(functools.partial(_carry_out, registry, write.inverse()))
        if done:
            progress.put_back.append(write)
        if done or not isinstance(problem, Unreachable):
            progress.undoing = None
    for key in reversed(list(progress.made_keys)):
        if attempt(functools.partial(registry.delete_key, key)):
            progress.made_keys.remove(key)
    if problem is not None:
        # the note stays: the next run needs it
        _add(
            failure,
            f"Putting the old values back failed as well: {problem.message.rstrip(' .')}. {_changed(progress)}. "
            "Run the same task again to finish, or roll back with the backup.",
        )
        return
    attempt(lambda: notes.clear(registry) if previous is None else notes.write(registry, previous, new=True))
    _add(failure, "What had been written was put back." if anything else "Nothing had been written.")


def _add(failure: ExchangeTlsError, sentence: str) -> None:
    failure.message = f"{failure.message.rstrip(' .')}. {sentence}"


def _changed(progress: Progress) -> str:
    """What is not as it was, for people."""
    places = [show(write.setting.key, write.setting.name) for write in progress.left]
    places += [show(key) for key in (*progress.made_keys, *progress.gone_keys)]
    return f"Still changed, or perhaps changed: {', '.join(places)}"
