# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints, at the end of a run, a line for each Exchange server, what is wrong with it, and the next command."""

from __future__ import annotations

DOCUMENTATION = r"""
name: summary
type: aggregate
short_description: The last screen of a run, a line for each Exchange server
version_added: 1.0.0
author: mailops contributors (@mailops)
description:
  - After the recap, prints a table with a line for each server that the role P(mailops.exchange_tls.tls12#role) was run
    on, worst first.
  - Then, for each server that needs attention or was changed, what is wrong or missing, what was done, and the exact
    next command.
  - Last, how many servers stand how, and the names of those that could not be reached or that the run never came to.
  - With it the role prints no screens of its own, so that nothing is said twice.
  - Where the role's variable C(tls12_report_dir) names a folder, it writes a report of the whole run there, into a new
    folder of its own, also after failures and after C(^C). C(result.json) has everything, C(findings.csv) a row for
    each server and setting, C(report.html) is for people, and C(junit.xml) for pipelines.
requirements:
  - Enable it in C(ansible.cfg) with C(callbacks_enabled = mailops.exchange_tls.summary).
"""

import atexit
import dataclasses
import datetime
import os
import pathlib
import typing as t
from collections.abc import Mapping

from ansible import constants, context
from ansible.plugins.callback import CallbackBase

from ..plugin_utils import _ahead, _reporting, _run, _typed
from ..plugin_utils._errors import ExchangeTlsError
from ..plugin_utils._report import result as results
from ..plugin_utils._report import standing
from ..plugin_utils._report.commands import Command
from ..plugin_utils._report.details import LONGEST, wrapped
from ..plugin_utils._report.result import BESIDE, Run
from ..plugin_utils._report.screen import refusal, screen
from ..plugin_utils._report.standing import Steps
from ..plugin_utils._text import utc_text, visible

_ahead.load()

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
        self._refused: str | None = None  # why the run was ended for all servers at once
        self._of_play: list[str] = []
        self._every: dict[str, None] = {}  # the servers of the plays that our role was run in
        self._touched: set[str] = set()  # those of them that some task was run for
        self._early: set[str] = set()  # servers that ended before the first step, such as where DAGs are learnt
        self._in_play: set[str] = set()  # the servers that a task of this play, or batch, was run for
        self._is_ours = False  # whether our role was run in it
        self._play: t.Any = None
        self._beside: dict[str, dict[str, dict[str, t.Any]]] = {}  # results of maintenance, by host and state
        self._given: dict[str, t.Any] = {}  # variables of the role, as they were given
        self._report_dir: str | None = None
        self._is_learnt = False  # whether the play was asked for them
        self._at_work: dict[str, str] = {}  # what a task of ours is doing, by host
        self._began = _now()
        self._id = _reporting.begin(self._began)
        self._pid = os.getpid()

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        # a play with serial starts once for each batch; the servers of all of them count
        self._end_play()
        self._play, self._is_learnt = play, False
        self._of_play = _hosts_of(play)

    def _end_play(self) -> None:
        """What another play has done before, such as to look, is no work of our role."""
        if self._is_ours:
            self._touched |= self._in_play
        self._in_play, self._is_ours = set(), False

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        if _runs_ours(task):
            self._at_work[str(host.name)] = str(getattr(task, "name", None) or task.action)
            self._learn(host, task)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._remember(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._remember(result, failed=True)
        if not ignore_errors:
            self._errors[_host(result)] = _told(result)
            task = _task(result)
            if getattr(task, "run_once", False) and _is_ours(task):
                self._refused = _said(_values(result))
            else:
                self._end_early(result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._in_play.add(_host(result))

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._remember(result, unreachable=True)
        self._errors[_host(result)] = _said(_values(result))
        if _runs_ours(_task(result)):
            # also in a play that only looks: later plays leave it out
            self._every[_host(result)] = None
        self._unreachable.add(_host(result))
        if not getattr(_task(result), "ignore_unreachable", False):
            self._end_early(result)

    def _end_early(self, result: t.Any) -> None:
        """A task of our role that is none of its steps has ended a server: nothing was begun there."""
        task = _task(result)
        register = _registered(task)
        if _runs_ours(task) and register not in standing.REGISTERED and register not in BESIDE and _is_ours(task):
            self._early.add(_host(result))
            self._every.update(dict.fromkeys((*self._of_play, _host(result))))

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        atexit.unregister(self._interrupted)
        on_stderr = constants.DEFAULT_STDOUT_CALLBACK in _JSON
        command = Command.of(context.CLIARGS)
        early = {host for host in self._early if stats.failures.get(host) or stats.dark.get(host)}
        if early and not self._results:
            self._say_early(early, command, stats, on_stderr)
            return
        if self._refused is not None and not self._results and stats.failures:
            untouched = not self._beside and not any(stats.changed.values())
            for line in refusal(self._refused, command, check_mode=_check_mode(), is_untouched=untouched):
                self._say(line, on_stderr)
            return
        if not self._results:
            if command.is_ours and not stats.processed:
                self._say("No task was run: nothing was read, and nothing was changed.", on_stderr)
            return
        self._end_play()
        ended = {host for host in self._every if stats.failures.get(host) or stats.dark.get(host)}
        hosts = self._hosts(ended, {host for host in self._unreachable if stats.dark.get(host)})
        for line in screen(hosts, command=command, untouched=self._untouched(hosts)):
            self._say(line, on_stderr)
        self._report(hosts, on_stderr)

    def _say_early(self, early: t.Collection[str], command: Command, stats: t.Any, on_stderr: bool) -> None:
        """The run has ended before anything was begun: each of these servers says why, and the next run is for all."""
        hosts = self._hosts(early, {host for host in early if stats.dark.get(host)})
        told = [*wrapped(f"error:    {visible(self._refused, LONGEST)}", 10), ""] if self._refused is not None else []
        again = dataclasses.replace(command, for_all=True)
        for line in [*told, *screen(hosts, command=again, untouched=self._untouched(hosts))]:
            self._say(line, on_stderr)

    def _hosts(self, ended: t.Collection[str], unreachable: t.Collection[str]) -> dict[str, Steps]:
        return {
            host: Steps.of(
                self._results.get(host, {}),
                check_mode=_check_mode(),
                error=self._errors.get(host) if host in ended else None,
                unreachable=host in unreachable,
            )
            for host in {*self._results, *ended}
        }

    def _untouched(self, hosts: t.Container[str]) -> list[str]:
        return [host for host in self._every if host not in hosts and host not in self._touched]

    def _interrupted(self) -> None:
        """Python ends, and Ansible has not said that the run has: somebody has stopped it. So may a worker."""
        if os.getpid() != self._pid:
            return
        self._end_play()
        for host, task in self._at_work.items():
            # it may have written something, and could no longer say so
            self._errors[host] = (
                f"The run was stopped while '{task}' was at work. Run it again: it finishes what was begun."
            )
        self._report(self._hosts(self._errors, self._unreachable), True, ended_by="interrupt")

    def _report(self, hosts: t.Mapping[str, Steps], on_stderr: bool, ended_by: str = "end") -> None:
        if self._report_dir is None:
            return
        run = Run(
            id=self._id,
            began=utc_text(self._began),
            ended=utc_text(_now()),
            ended_by=ended_by,
            playbook=Command.of(context.CLIARGS).book,
            check_mode=_check_mode(),
            versions=_run.versions(),
            variables=self._given,
        )
        # Ansible compiles what a collection imports anew in each run: only where somebody wants it
        from ..plugin_utils import _report_files

        try:
            whole = results.result(run, hosts, untouched=self._untouched(hosts), beside=self._beside)
            folder = _report_files.write(self._report_dir, self._id, whole)
        except ExchangeTlsError as exc:
            # where the folder was refused beforehand, every server has said so
            if not self._was_refused():
                self._say(f"error:    {exc.message}", on_stderr)
        except Exception as exc:
            # the run is over, and a callback that raises hides how it went
            self._say(f"error:    No report was written: {type(exc).__name__}: {visible(exc)}.", on_stderr)
        else:
            self._say(f"report:   {visible(folder / _report_files.HTML)}", on_stderr)

    def _was_refused(self) -> bool:
        """Whether nothing was done, as variables were wrong."""
        steps = [step for made in self._results.values() for step in made.values()]
        return all((step.get("error") or {}).get("kind") == "bad_option" for step in steps)

    def _say(self, line: str, on_stderr: bool) -> None:
        color = constants.COLOR_ERROR if line.startswith(("error:", "wrong:")) else None
        self._display.display(line, color=color, stderr=on_stderr)

    def _remember(self, result: t.Any, **how: bool) -> None:
        """Keeps the results that the role registers, by host and step."""
        self._in_play.add(_host(result))
        self._at_work.pop(_host(result), None)
        task = _task(result)
        register = _registered(task)
        step, beside = standing.REGISTERED.get(register), BESIDE.get(register)
        if (step is None and beside is None) or not _runs_ours(task):
            return
        if beside is not None:
            self._beside.setdefault(_host(result), {})[beside] = {**_values(result), **how}
        if step is None or (beside is not None and _host(result) not in self._results):
            return
        self._is_ours = True
        self._every.update(dict.fromkeys((*self._of_play, _host(result))))
        steps = self._results.setdefault(_host(result), {})
        if step in ("audit", "change"):
            # another run of the role in the same run of Ansible
            steps.clear()
            self._beside.pop(_host(result), None)
        steps[str(step)] = {**_values(result), **how}

    def _learn(self, host: t.Any, task: t.Any) -> None:
        """What the role was given. That is asked once a play: it takes as long as to start a task."""
        if self._is_learnt or _registered(task) not in standing.REGISTERED:
            return
        self._is_learnt = True
        try:
            given, folder = _run.variables(self._play, host, task)
        except Exception as exc:
            # the task that was run has said so of its own variables
            self._display.vvv(f"summary: variables of the role: {type(exc).__name__}: {visible(exc)}")
            return
        self._given.update(given)
        # where a value was cut at a blank, it may be the name of the folder
        if folder is not None and self._report_dir is None and not _typed.cut(_typed.variables()):
            self._report_dir = folder
            # after ^C Ansible tells no callback that the run is over
            atexit.register(self._interrupted)


def _check_mode() -> bool:
    return bool(context.CLIARGS.get("check"))


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _runs_ours(task: t.Any) -> bool:
    """Whether a task runs a module of this collection, by whatever name."""
    return str(getattr(task, "resolved_action", None) or task.action).startswith(_OURS)


def _registered(task: t.Any) -> str:
    """The name under which its result is registered. Since ansible-core 2.21 that is a mapping of names."""
    register = getattr(task, "register", None) or ""
    return str(next(iter(register), "") if isinstance(register, Mapping) else register)


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
