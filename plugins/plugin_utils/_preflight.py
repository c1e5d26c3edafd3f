# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What a later restart will be given, checked before the first write: times, services, and files with tasks."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError

from ._errors import OptionError, all_problems
from ._services import services_to_wait_for
from ._wsman import Session

LONGEST_RESTART = 24 * 3600
_OF_PLAYBOOKS = frozenset({"hosts", "import_playbook", "ansible.builtin.import_playbook"})

RESTART: dict[str, t.Any] = {
    "restart": {
        "type": "dict",
        "options": {
            "when": {"type": "str", "choices": ["if_pending", "never", "always"], "default": "if_pending"},
            "timeout": {"type": "int", "default": 1800},
            "services": {"type": "list", "elements": "str", "default": ["MSExchange*"]},
            "before": {"type": "path"},
            "after": {"type": "path"},
        },
    }
}
TASK_FILES: dict[str, t.Any] = {
    "task_files": {"type": "dict", "options": {"before": {"type": "path"}, "after": {"type": "path"}}}
}

Options = t.Mapping[str, t.Any]
Folders = t.Sequence[str]


def folders(variables: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Where a relative path of the user may count from: the playbook, the inventory, the current folder."""
    named = (variables.get("playbook_dir"), variables.get("inventory_dir"), os.getcwd())
    return tuple(dict.fromkeys(str(folder) for folder in named if folder))


def check_restart(restart: Options | None, loader: t.Any, places: Folders, *, prefix: str = "restart.") -> None:
    """Raises :class:`OptionError` that names every problem, as far as it can be told without the host."""
    if restart is None:
        return
    all_problems(
        lambda: check_times_and_names(restart, prefix),
        lambda: task_files(restart, loader, places, prefix=prefix),
    )


def check_on_host(session: Session, restart: Options | None, *, due: bool) -> None:
    """Raises :class:`OptionError` where a restart is ``due``, or wanted always, and its services are not there."""
    if restart is not None and (restart["when"] == "always" or (due and restart["when"] == "if_pending")):
        services_to_wait_for(session, tuple(restart["services"]))


def check_times_and_names(restart: Options, prefix: str) -> None:
    if not 0 < restart["timeout"] <= LONGEST_RESTART:
        raise OptionError(
            f"'{prefix}timeout' is {restart['timeout']}, but it is seconds, more than 0 and at most {LONGEST_RESTART}."
        )
    blank = [name for name in restart["services"] if not str(name).strip(" *")]
    if blank:
        raise OptionError(
            f"'{prefix}services' holds {blank[0]!r}, which names no service. It takes service names such as W3SVC and "
            "patterns such as MSExchange*; an empty list waits for none."
        )


def task_files(given: Options | None, loader: t.Any, places: Folders, *, prefix: str) -> dict[str, str | None]:
    """The files with tasks, ``before`` and ``after``, by their full paths. Each must hold a list of tasks."""
    found: dict[str, str | None] = {"before": None, "after": None}
    problems = []
    for name in found:
        wanted = (given or {}).get(name)
        if not wanted:
            continue
        try:
            found[name] = _task_file(str(wanted), loader, places, f"'{prefix}{name}'")
        except OptionError as exc:
            problems.append(exc.message)
    if problems:
        raise OptionError(" ".join(problems))
    return found


def _task_file(wanted: str, loader: t.Any, places: Folders, option: str) -> str:
    candidates = [wanted] if os.path.isabs(wanted) else [os.path.join(place, wanted) for place in places]
    path = next((candidate for candidate in candidates if os.path.isfile(candidate)), None)
    if path is None:
        where = "" if os.path.isabs(wanted) else f" in {', '.join(places)}"
        raise OptionError(f"{option}: there is no file {wanted!r}{where}.")
    try:
        tasks = loader.load_from_file(path)
    except (AnsibleError, UnicodeError) as exc:
        raise OptionError(f"{option}: {path!r} cannot be read: {' '.join(str(exc).split())[:300]}") from None
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise OptionError(f"{option}: {path!r} is no list of tasks. A playbook does not fit; write its tasks only.")
    if any(_OF_PLAYBOOKS & task.keys() for task in tasks):
        raise OptionError(f"{option}: {path!r} is a playbook, but a file with tasks is wanted: write its tasks only.")
    return os.path.abspath(path)
