# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The base of the action plugins: options in, result out, errors as users expect them."""

from __future__ import annotations

import abc
import difflib
import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ._channels import open_channel
from ._errors import ExchangeTlsError, OptionError, Unreachable
from ._wsman import Session, WireLog

display = Display()

_BECOME = (
    "'become' is not used here: the task works with the rights of the account that logs in over WinRM. Log in with an "
    "administrator, and leave 'become' out."
)


class ExchangeTlsAction(ActionBase):
    """Validates the options, runs :meth:`perform`, and turns errors into ``failed`` or ``unreachable``.

    A subclass sets ``ARGUMENT_SPEC`` (the same as its documentation; a test compares them) and writes ``perform``.
    """

    ARGUMENT_SPEC: t.ClassVar[dict[str, t.Any]] = {}
    SPEC_RULES: t.ClassVar[dict[str, t.Any]] = {}
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        self.task_vars: dict[str, t.Any] = task_vars or {}
        self.partial: dict[str, t.Any] = {}
        try:
            result.update(self.perform(self._options()))
        except ExchangeTlsError as exc:
            # what was already done is part of the truth about a failed task
            result.update(self.partial)
            result["unreachable" if isinstance(exc, Unreachable) else "failed"] = True
            result["msg"] = exc.message
            result["error"] = exc.as_result()
            if self._task.no_log:
                # ansible-core shows the msg of a failed task whatever no_log says; the rest it hides
                result["msg"] = "The task failed, and no_log hides why. A registered result has it in error.message."
                result["error"]["message"] = exc.message
        except AnsibleError as exc:
            # options of the connection plugin that it refuses itself
            result.update(self.partial)
            result.update(failed=True, msg=str(exc))
        if self._task.become:
            result["warnings"] = [*result.get("warnings", []), _BECOME]
        return result

    @abc.abstractmethod
    def perform(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        """Does the work; returns the result keys. What it puts into ``self.partial`` survives an error."""

    @property
    def check_mode(self) -> bool:
        return bool(self._task.check_mode)

    def say(self, message: str) -> None:
        """A line of progress that is seen while the task runs, on the terminal and in AWX."""
        if not self._task.no_log:
            display.display(f"{self.host_name}: {message}")

    @property
    def host_name(self) -> str:
        return str(self.task_vars.get("inventory_hostname", "host"))

    def check(self, options: dict[str, t.Any]) -> None:
        """What the argument spec cannot say. Raises :class:`OptionError` that names every problem."""

    def _options(self) -> dict[str, t.Any]:
        """All options, checked and converted. Every problem is named, not only the first."""
        validated = ArgumentSpecValidator(self.ARGUMENT_SPEC, **self.SPEC_RULES).validate(dict(self._task.args))
        options = dict(validated.validated_parameters)
        problems = [str(error) for error in validated.errors if not isinstance(error, UnsupportedError)]
        problems += [self._unknown(str(name)) for name in sorted(validated.unsupported_parameters, key=str)]
        if not problems:
            self.check(options)
            return options
        try:
            self.check(options)
        except OptionError as exc:
            problems.append(exc.message.rstrip("."))
        except (TypeError, ValueError, AttributeError, LookupError):
            pass  # an option without its type, and that is told already
        raise OptionError(f"Bad options for {self._task.action}: {'; '.join(problems)}.")

    def _unknown(self, name: str) -> str:
        close = difflib.get_close_matches(name, self.ARGUMENT_SPEC, n=1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        return f"unknown option '{name}'{hint}; the options are {', '.join(sorted(self.ARGUMENT_SPEC))}"


class WindowsAction(ExchangeTlsAction):
    """An action that talks to the host: one session, opened when it is first wanted."""

    def open_session(self, options: dict[str, t.Any]) -> Session:
        """A session over the task's connection. ``wire_log`` names a folder on the controller, or is None."""
        folder = options["wire_log"]
        return Session(
            open_channel(self._connection),
            trace=self._trace,
            wire_log=WireLog(folder, self.host_name) if folder else None,
        )

    def _trace(self, message: str) -> None:
        if not self._task.no_log:
            display.vvvv(f"WSMAN {message}", host=self.host_name)
