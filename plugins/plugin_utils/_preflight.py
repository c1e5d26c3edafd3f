# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What a later restart will be given, checked before the first write: times, services, and files with tasks."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible.errors import AnsibleError
from ansible.playbook.block import Block
from ansible.playbook.role.definition import RoleDefinition
from ansible.playbook.task import Task

from . import _mail_options, _maintenance
from ._errors import OptionError, all_problems
from ._exchange.wishes import NEVER
from ._files import candidates, existing, within
from ._schannel.values import unsendable
from ._text import NAME, visible

LONGEST_RESTART = 24 * 3600
_PARTS = ("block", "rescue", "always")
# Keywords with which a task may be passed over, or its failure.
_MAY_SKIP = frozenset({"when", "ignore_errors", "failed_when", "loop", "rescue", "tags"})
_INCLUDES = frozenset({("include", "tasks"), ("import", "tasks"), ("include", "role"), ("import", "role")})
# Files within files are looked into so far.
_DEEPEST = 5
_ROLE = os.path.join(os.path.dirname(__file__), *[os.pardir] * 2, "roles", "tls12", "tasks")
_OF_PLAYBOOKS = frozenset({"hosts", "import_playbook", "ansible.builtin.import_playbook"})

RESTART: dict[str, t.Any] = {
    "restart": {
        "type": "dict",
        "options": {
            "when": {"type": "str", "choices": ["if_pending", "never", "always"], "default": "if_pending"},
            "timeout": {"type": "int", "default": 1800},
            "services": {"type": "list", "elements": "str", "default": ["MSExchange*"]},
            "comment": {"type": "str"},
            "force": {"type": "bool", "default": True},
            "dag_check": {"type": "bool", "default": True},
            **_maintenance.AROUND,
            **_mail_options.AROUND,
            "before": {"type": "path"},
            "after": {"type": "path"},
        },
    }
}
TASK_FILES: dict[str, t.Any] = {
    "task_files": {"type": "dict", "options": {"before": {"type": "path"}, "after": {"type": "path"}}}
}

Options = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Places:
    """Where files with tasks are looked for, Ansible's loader, and the collections that short names of modules may come
    from."""

    loader: t.Any
    folders: t.Sequence[str] = ()
    collections: t.Sequence[str] = ()
    # of the files that have led to the tasks at hand, the innermost first
    beside: tuple[str, ...] = ()


def check_restart(restart: Options | None, places: Places, *, prefix: str = "restart.") -> None:
    """Raises :class:`OptionError` that names every problem, as far as it can be told without the host."""
    if restart is None:
        return
    all_problems(
        lambda: check_times_and_names(restart, prefix),
        lambda: _maintenance.check_around(restart, prefix),
        lambda: _mail_options.check_around(restart, prefix),
        lambda: _check_logs(restart["mail"], places, prefix),
        lambda: task_files(restart, places, prefix=prefix),
    )


def _check_logs(mail: Options | None, places: Places, prefix: str) -> None:
    """After a restart it is too late to refuse a folder."""
    if mail is None or mail["when"] == NEVER:
        return
    missing = existing(mail["send_logs"] or (), places.folders)[1]
    if missing:
        raise OptionError(f"'{prefix}mail.send_logs': there is no {', '.join(missing)} on the controller.")


def check_times_and_names(restart: Options, prefix: str) -> None:
    if found := unsendable(restart["comment"] or ""):
        raise OptionError(f"'{prefix}comment' holds {found}, which no message can carry. Leave it out.")
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


def task_files(given: Options | None, places: Places, *, prefix: str) -> dict[str, str | None]:
    """The files with tasks, ``before`` and ``after``, by their full paths. Each must hold a list of tasks that Ansible
    can parse."""
    found: dict[str, str | None] = {"before": None, "after": None}
    problems = []
    for name in found:
        wanted = (given or {}).get(name)
        if not wanted:
            continue
        try:
            found[name] = _task_file(str(wanted), places, f"'{prefix}{name}'")
        except OptionError as exc:
            problems.append(exc.message)
    if problems:
        raise OptionError(" ".join(problems))
    return found


def _task_file(wanted: str, places: Places, option: str) -> str:
    path = next(filter(os.path.isfile, candidates(wanted, places.folders)), None)
    if path is None:
        raise OptionError(f"{option}: there is no file {wanted!r}{within(wanted, places.folders)}.")
    try:
        tasks = places.loader.load_from_file(path)
    except (AnsibleError, UnicodeError) as exc:
        raise OptionError(f"{option}: {path!r} cannot be read: {_short(exc)}") from None
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise OptionError(f"{option}: {path!r} is no list of tasks. A playbook does not fit; write its tasks only.")
    if any(_OF_PLAYBOOKS & task.keys() for task in tasks):
        raise OptionError(f"{option}: {path!r} is a playbook, but a file with tasks is wanted: write its tasks only.")
    try:
        _parse(tasks, dataclasses.replace(places, beside=(os.path.dirname(os.path.abspath(path)), *places.beside)))
    except AnsibleError as exc:
        # where Ansible itself comes upon it, between the change and the restart, the whole run ends
        raise OptionError(f"{option}: {path!r} has a task that Ansible refuses: {_short(exc)}") from None
    return os.path.abspath(path)


def _parse(tasks: t.Any, places: Places, *, is_sure: bool = True, depth: int = 0) -> None:
    """Raises AnsibleError where a module, or a file or role that is included, is not there, or a task or block has a
    keyword that there is not. ``is_sure``: whether an error in the tasks ends the run, if they are run."""
    if not isinstance(tasks, list):
        raise AnsibleError(f"a block is no list of tasks: {visible(repr(tasks), NAME)}")
    for item in tasks:
        if not isinstance(item, dict):
            raise AnsibleError(f"this is no task: {visible(repr(item), NAME)}")
        runs = is_sure and not any(str(word) in _MAY_SKIP or str(word).startswith("with_") for word in item)
        if not Block.is_block(item):
            inherited = {"collections": list(places.collections)} if places.collections else {}
            task = Task.load({**inherited, **item}, loader=places.loader)
            _check_included(task, places, runs=runs, depth=depth)
            continue
        Block.load({**item, **{part: [] for part in _PARTS if part in item}}, loader=places.loader)
        for part in _PARTS:
            _parse(item.get(part) or [], places, is_sure=runs and part != "rescue", depth=depth)


def _check_included(task: Task, places: Places, *, runs: bool, depth: int) -> None:
    """What a task includes by a plain name. One that is included while the tasks run, and may be skipped, may be
    missing."""
    how, _dot, what = str(task.action).rpartition(".")[2].partition("_")
    wanted = task.args.get("_raw_params") or task.args.get("file" if what == "tasks" else "name")
    if (
        (how, what) not in _INCLUDES
        or not (runs or how == "import")
        or not isinstance(wanted, str)
        or "{{" in wanted
        or "{%" in wanted
    ):
        return
    if what == "role":
        known = list(task.collections or places.collections)
        RoleDefinition(loader=places.loader, collection_list=known).preprocess_data(wanted)
        return
    found = next(filter(os.path.isfile, _where_ansible_looks(wanted, places)), None)
    if found is None:
        raise AnsibleError(f"there is no file {visible(repr(wanted), NAME)} in {', '.join(places.beside)}")
    inner = places.loader.load_from_file(found)
    if inner and depth < _DEEPEST:
        beside = dataclasses.replace(places, beside=(os.path.dirname(found), *places.beside))
        _parse(inner, beside, is_sure=runs, depth=depth + 1)


def _where_ansible_looks(wanted: str, places: Places) -> t.Iterator[str]:
    """Beside the files that lead there, in the role that includes the first of them, and beside the playbook."""
    base = places.loader.get_basedir()
    yield from (os.path.join(folder, wanted) for folder in (*places.beside, _ROLE, base, os.path.join(base, "tasks")))


def _short(exc: Exception) -> str:
    return visible(" ".join(str(exc).split()), NAME * 3)
