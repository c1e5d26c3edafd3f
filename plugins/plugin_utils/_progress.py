# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What people see of a wait: what for, for how long, and how long it may take."""

from __future__ import annotations

import os
import time
import typing as t

# Seconds after which it is said again that a wait goes on.
_AGAIN = 60.0
# AWX sets it for its jobs, and keeps each line of them as an event: there, one for each wait is enough.
_OF_AWX = "AWX_PRIVATE_DATA_DIR"


class Progress:
    """One wait of ``longest`` seconds at most. ``say``: takes a line."""

    def __init__(self, say: t.Callable[[str], None], longest: float, clock: t.Callable[[], float] = time.monotonic):
        self._say, self._longest, self._clock = say, longest, clock
        self._begun = clock()
        self._last, self._said = "", self._begun
        self._is_brief = _OF_AWX in os.environ

    def now(self, text: str) -> None:
        """Says it where it is news, or where nothing was said for a while; in a job of AWX the first time only."""
        at = self._clock()
        if self._last and (self._is_brief or (text == self._last and at - self._said < _AGAIN)):
            return
        self._last, self._said = text, at
        self._say(f"{text} ({at - self._begun:.0f} of at most {self._longest:.0f} seconds)")
