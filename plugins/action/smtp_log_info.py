# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""smtp_log_info: who still speaks old TLS, and mail in plain text. Documented in plugins/modules/smtp_log_info.yml."""

from __future__ import annotations

import datetime
import time
import typing as t

from ..plugin_utils import _files
from ..plugin_utils._action import ExchangeTlsAction
from ..plugin_utils._errors import OptionError, all_problems
from ..plugin_utils._mailflow import outcome, reading
from ..plugin_utils._options import FROM_VARIABLES
from ..plugin_utils._text import NAME, visible

ARGUMENT_SPEC: dict[str, t.Any] = {
    "paths": {"type": "list", "elements": "path", "required": True, "aliases": ["path"]},
    "since": {"type": "str"},
    "max_bytes": {"type": "int", "default": 0},
    "max_seconds": {"type": "float", "default": 0},
    **FROM_VARIABLES,
}
# Seconds between two lines of progress.
_PATIENCE = 10.0


class ActionModule(ExchangeTlsAction):
    """Runs on the controller alone: the connection of the host is not used."""

    ARGUMENT_SPEC = ARGUMENT_SPEC

    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        limits = reading.Limits(options["max_bytes"], options["max_seconds"])
        found = reading.read(self._paths(options["paths"]), options["since"] or "", limits, self._progress())
        if not found.files:
            others = "; ".join(f"{item['file']} {item['reason']}" for item in found.others[:3])
            raise OptionError(
                f"'paths': there are no SMTP protocol logs and no IIS logs in {', '.join(options['paths'])}."
                f"{f' Found: {others}.' if others else ''} Copy them from ...\\TransportRoles\\Logs of the servers."
            )
        result = outcome.as_result(found)
        return {"changed": False, **result, "msg": outcome.summary(result)}

    def check(self, options: dict[str, t.Any]) -> None:
        all_problems(
            lambda: self._paths(options["paths"]),
            lambda: _check_day(options["since"]),
            lambda: _check_limits(options),
        )

    def _paths(self, given: t.Sequence[str]) -> list[str]:
        """Where the files and folders are: relative ones count from the playbook, the inventory or the current
        folder."""
        if not any(path.strip() for path in given):
            raise OptionError("'paths' names no file and no folder.")
        found, missing = _files.existing(given, _files.folders(self.task_vars))
        if missing:
            raise OptionError(f"'paths': there is no {', '.join(missing)} on the controller.")
        return found

    def _progress(self) -> t.Callable[[int, int], None]:
        said = time.monotonic()

        def progress(done: int, total: int) -> None:
            nonlocal said
            if time.monotonic() - said >= _PATIENCE and done < total:
                said = time.monotonic()
                self.say(f"{done >> 20} of {total >> 20} MB of logs read")

        return progress


def _check_day(since: str | None) -> None:
    try:
        datetime.date.fromisoformat(since or "2026-01-01")
    except ValueError:
        raise OptionError(
            f"'since' is {visible(repr(since), NAME)}, but it is a day such as 2026-01-31: older lines are left out."
        ) from None


def _check_limits(options: dict[str, t.Any]) -> None:
    wrong = [name for name in ("max_bytes", "max_seconds") if not options[name] >= 0]
    if wrong:
        raise OptionError(f"'{wrong[0]}' is {options[wrong[0]]}, but it is 0 for no limit, or more.")
