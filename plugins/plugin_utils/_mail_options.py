# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Options that say how outgoing mail is proven after a restart; their documentation is in plugins/doc_fragments."""

from __future__ import annotations

import os
import re
import typing as t

from ._errors import OptionError, all_problems
from ._maintenance import AUTO, LONGEST
from ._text import NAME, visible

ALWAYS, NEVER = "always", "never"
PROOF: dict[str, t.Any] = {
    "send_logs": {"type": "list", "elements": "path"},
    "probe_mailbox": {"type": "str"},
    "patience": {"type": "int", "default": 120},
}
# Of a restart: whether it is seen how mail goes before and after it.
AROUND: dict[str, t.Any] = {
    "mail": {
        "type": "dict",
        "options": {"when": {"type": "str", "choices": [AUTO, ALWAYS, NEVER], "default": AUTO}, **PROOF},
    }
}
Options = t.Mapping[str, t.Any]

# Without quotes and blanks: it goes into a dialogue as it is.
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,255}$)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


def check(options: Options, prefix: str = "") -> None:
    """Raises :class:`OptionError` that names every problem, but for paths: after a restart it is too late for that."""
    all_problems(
        lambda: _check_patience(options["patience"], prefix),
        lambda: _check_mailbox(options["probe_mailbox"], prefix),
    )


def check_around(restart: Options, folders: t.Sequence[str], prefix: str) -> None:
    """Raises :class:`OptionError`, also for a path that there is not. ``folders``: where relative paths count from."""
    given = restart["mail"]
    if given is None or given["when"] == NEVER:
        return
    all_problems(
        lambda: check(given, f"{prefix}mail."),
        lambda: _check_paths(given["send_logs"], folders, f"{prefix}mail."),
    )


def found(given: t.Sequence[str] | None, folders: t.Sequence[str]) -> tuple[list[str], list[str]]:
    """The paths that there are, and how those are called that there are not."""
    there, missing = [], []
    for path in filter(str.strip, given or ()):
        candidates = [path] if os.path.isabs(path) else [os.path.join(folder, path) for folder in folders]
        exists = next((candidate for candidate in candidates if os.path.exists(candidate)), None)
        if exists is None:
            missing.append(visible(repr(path), NAME))
        else:
            there.append(exists)
    return there, missing


def _check_paths(given: t.Sequence[str] | None, folders: t.Sequence[str], prefix: str) -> None:
    missing = found(given, folders)[1]
    if missing:
        raise OptionError(f"'{prefix}send_logs': there is no {', '.join(missing)} on the controller.")


def _check_patience(patience: int, prefix: str) -> None:
    if not 0 <= patience <= LONGEST:
        raise OptionError(f"'{prefix}patience' is {patience}, but it is seconds, from 0 to {LONGEST}.")


def _check_mailbox(given: str | None, prefix: str) -> None:
    if given and not _MAILBOX.fullmatch(given):
        raise OptionError(
            f"'{prefix}probe_mailbox' is {visible(repr(given), NAME)}, but it is one address such as ann@example.com."
        )
