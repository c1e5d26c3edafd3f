# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints, at the end of a run, a line for each Exchange server, what is wrong with it, and the next command."""

from __future__ import annotations

DOCUMENTATION = r"""
name: summary
type: aggregate
short_description: The last screen of a run, a line for each Exchange server
version_added: 0.1.0
author: mailops contributors (@mailops)
description:
  - After the recap, prints a table with a line for each server that the role P(mailops.exchange_tls.tls12#role) was run
    on, worst first.
  - Then, for each server that needs attention or was changed, what is wrong or missing, what was done, and the exact
    next command.
  - Last, how many servers stand how, and the names of those that could not be reached or that the run never came to.
  - With it the role prints no screens of its own, so that nothing is said twice.
requirements:
  - Enable it in C(ansible.cfg) with C(callbacks_enabled = mailops.exchange_tls.summary).
"""

import pathlib
import typing as t

from ansible import constants, context
from ansible.plugins.callback import CallbackBase

from ..plugin_utils._report import standing
from ..plugin_utils._report.commands import Command
from ..plugin_utils._report.screen import screen
from ..plugin_utils._report.standing import Steps

_OURS = "mailops.exchange_tls."
# Where our own tasks are.
_OURS_ON_DISK = pathlib.Path(__file__).resolve().parents[2] / "roles"
# Standard output then holds nothing but JSON.
_JSON = ("json", "ansible.posix.json", "jsonl", "ansible.posix.jsonl")


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "mailops.exchange_tls.summary"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._results: dict[str, dict[str, t.Any]] = {}
        self._errors: dict[str, str] = {}
        self._unreachable: set[str] = set()
        self._of_play: list[str] = []
        self._every: dict[str, None] = {}  # the servers of the plays that our role was run in
        self._touched: set[str] = set()  # those of them that some task was run for
        self._in_play: set[str] = set()  # the servers that a task of this play, or batch, was run for
        self._is_ours = False  # whether our role was run in it

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        # a play with serial starts once for each batch; the servers of all of them count
        self._end_play()
        self._of_play = _hosts_of(play)

    def _end_play(self) -> None:
        """What another play has done before, such as to look, is no work of our role."""
        if self._is_ours:
            self._touched |= self._in_play
        self._in_play, self._is_ours = set(), False

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._remember(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._remember(result, failed=True)
        if not ignore_errors:
            self._errors[_host(result)] = _told(result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._in_play.add(_host(result))

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._remember(result, unreachable=True)
        self._errors[_host(result)] = _said(_values(result))
        if _runs_ours(_task(result)):
            # also in a play that only looks: later plays leave it out
            self._every[_host(result)] = None
        self._unreachable.add(_host(result))

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        on_stderr = constants.DEFAULT_STDOUT_CALLBACK in _JSON
        if not self._results:
            if Command.of(context.CLIARGS).is_ours and not stats.processed:
                self._say("No task was run: nothing was read, and nothing was changed.", on_stderr)
            return
        self._end_play()
        ended = {host for host in self._every if stats.failures.get(host) or stats.dark.get(host)}
        hosts = {
            host: Steps.of(
                self._results.get(host, {}),
                check_mode=bool(context.CLIARGS.get("check")),
                error=self._errors.get(host) if host in ended else None,
                unreachable=host in self._unreachable and bool(stats.dark.get(host)),
            )
            for host in {*self._results, *ended}
        }
        untouched = [host for host in self._every if host not in hosts and host not in self._touched]
        for line in screen(hosts, command=Command.of(context.CLIARGS), untouched=untouched):
            self._say(line, on_stderr)

    def _say(self, line: str, on_stderr: bool) -> None:
        color = constants.COLOR_ERROR if line.startswith(("error:", "wrong:")) else None
        self._display.display(line, color=color, stderr=on_stderr)

    def _remember(self, result: t.Any, **how: bool) -> None:
        """Keeps the results that the role registers, by host and step."""
        self._in_play.add(_host(result))
        task = _task(result)
        step = standing.REGISTERED.get(str(getattr(task, "register", "") or ""))
        if step is None or not _runs_ours(task):
            return
        self._is_ours = True
        self._every.update(dict.fromkeys((*self._of_play, _host(result))))
        steps = self._results.setdefault(_host(result), {})
        if step in ("audit", "change"):
            # another run of the role in the same run of Ansible
            steps.clear()
        steps[step] = {**_values(result), **how}


def _runs_ours(task: t.Any) -> bool:
    """Whether a task runs a module of this collection, by whatever name."""
    return str(getattr(task, "resolved_action", None) or task.action).startswith(_OURS)


def _host(result: t.Any) -> str:
    # attributes without underscore since ansible-core 2.19
    return str((getattr(result, "host", None) or result._host).name)


def _task(result: t.Any) -> t.Any:
    return getattr(result, "task", None) or result._task


def _is_ours(task: t.Any) -> bool:
    """Whether it is written in this collection; hooks of the user's are tasks of the role as well."""
    path, _colon, _line = str(task.get_path() or "").rpartition(":")
    return pathlib.Path(path).resolve().is_relative_to(_OURS_ON_DISK)


def _told(result: t.Any) -> str:
    """What ended a server. Where that is a task of the user's, its name is said, and the end of what it said itself:
    their messages are often no more than "non-zero return code"."""
    values, task = _values(result), _task(result)
    told = _said(values)
    name = str(getattr(task, "name", None) or "")
    if not name or _is_ours(task):
        return told
    last = (str(values.get("stderr") or "").strip().splitlines() or [""])[-1]
    return f"{name}: {told}{f' ({last.strip()})' if last else ''}"


def _said(values: t.Mapping[str, t.Any]) -> str:
    """What a task says of itself; an argument that is missing shows as ``reason`` in some ansible-cores."""
    message = values.get("msg") or values.get("reason") or values.get("stderr") or "no message"
    return " | ".join(map(str, message)) if isinstance(message, list) else str(message)


def _values(result: t.Any) -> dict[str, t.Any]:
    found = getattr(result, "result", None)
    return dict(found if found is not None else result._result)


def _hosts_of(play: t.Any) -> list[str]:
    """The servers of all batches of a play."""
    inventory = getattr(play.get_variable_manager(), "_inventory", None)
    if inventory is None:
        return []
    return [str(host.name) for host in inventory.get_hosts(play.hosts, ignore_restrictions=True)]
