# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Whether a restart is pending: the note of a host held against its start and its present values."""

from __future__ import annotations

import dataclasses
import datetime

from .._schannel.snapshot import Setting
from .._schannel.values import Type, show
from .._windows.facts import Moment, restarted_since
from .._windows.reader import FAILED, Reader
from .._windows.registry import Registry
from . import notes


@dataclasses.dataclass(frozen=True)
class Pending:
    """The note on the host as it was read, and what it says today.

    ``waiting``: the settings that are written and not in effect; None where the note cannot be read. ``restarted``:
    Windows was started after the note was written.
    """

    note: notes.Note | None
    restart_pending: bool
    warning: str | None = None
    waiting: frozenset[Setting] | None = frozenset()
    restarted: bool = False


def read_note(registry: Registry) -> notes.Note | notes.NoteUnreadable | None:
    """The note, or why it cannot be read."""
    try:
        return notes.read(registry)
    except notes.NoteUnreadable as exc:
        return exc
    except FAILED as exc:
        return notes.NoteUnreadable(exc.message.rstrip(". "))


def pending_after(
    note: notes.Note | notes.NoteUnreadable | None, last_boot: datetime.datetime, reader: Reader
) -> Pending:
    """Holds the note against the present values; reads those of them that nobody has read yet."""
    if isinstance(note, notes.NoteUnreadable):
        # the safe side: one restart too many, after which the note is gone
        return Pending(
            None,
            True,
            f"{show(notes.KEY, notes.NAME)} cannot be read ({note}); a restart is taken as pending. "
            "A restart by the reboot module, or deleting the key, settles it.",
            waiting=None,
        )
    if note is None:
        return Pending(None, False)
    shutdown = notes.read_shutdown(reader.registry) if note.shutdown is not None else None
    restarted, doubt = restarted_since(note.moment, Moment(last_boot, shutdown=shutdown))
    # all of them: a change may put one back, and then it depends on the others
    for setting, was in {**({} if restarted else note.at_boot), **note.unfinished}.items():
        reader.value(setting, was.type or Type.REG_DWORD)
    waiting = frozenset() if restarted else note.waiting(reader.value)
    return Pending(note, bool(waiting), doubt if waiting else None, waiting, restarted)
