# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The base of the action plugins that may restart their host, surrounded by tasks of the user's."""

from __future__ import annotations

import typing as t

from . import _files, _preflight
from ._action import WindowsAction


class RestartAction(WindowsAction):
    @property
    def places(self) -> _preflight.Places:
        return _preflight.Places(self._loader, _files.folders(self.task_vars), self._task.collections or ())

    def task_files(self, given: t.Mapping[str, t.Any] | None, prefix: str = "restart.") -> dict[str, t.Any]:
        """The result key with the files of tasks that a restart is surrounded by; none where none was asked for."""
        if given is None:
            return {}
        return {"task_files": _preflight.task_files(given, self.places, prefix=prefix)}
