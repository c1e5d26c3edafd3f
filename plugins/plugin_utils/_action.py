# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The base of the action plugins: options in, result out, errors as users expect them."""

from __future__ import annotations

import abc
import difflib
import traceback
import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ._channels import open_channel
from ._errors import ExchangeTlsError, OptionError, Unreachable
from ._text import NAME, visible
from ._wsman import Session, WireLog

display = Display()


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
            return {**result, **self._ended(exc.message, exc.as_result(), unreachable=isinstance(exc, Unreachable))}
        except AnsibleError as exc:
            # options of the connection plugin that it refuses itself
            result.update(self.partial)
            result.update(failed=True, msg=str(exc))
        except Exception as exc:
            kind = type(exc).__name__
            display.vvv(traceback.format_exc(), host=self.host_name)
            message = f"{kind}: {visible(exc)}. This is a bug of mailops.exchange_tls; report it, with what -vvv shows."
            return {**result, **self._ended(f"{message}{self._so_far()}", {"kind": "bug", "exception": kind})}
        except (KeyboardInterrupt, SystemExit):
            if self._so_far():
                display.display(f"{self.host_name}: the run was ended.{self._so_far()}", stderr=True)
            raise
        except BaseException as exc:
            # the task keyword 'timeout', whose exception has another name and place in each ansible-core
            if not self._task.timeout:
                raise
            message = f"The task did not end within its timeout of {self._task.timeout} seconds.{self._so_far()}"
            error = {"kind": "timeout", "exception": type(exc).__name__}
            result["timedout"] = {"period": self._task.timeout}
            return {**result, **self._ended(message, error)}
        return result

    def _ended(self, message: str, error: dict[str, t.Any], *, unreachable: bool = False) -> dict[str, t.Any]:
        """The result of a task that did not do its work; what it has done is part of the truth about it."""
        state = "unreachable" if unreachable else "failed"
        if not self._task.no_log:
            return {**self.partial, state: True, "msg": message, "error": error}
        # ansible-core shows the msg of a failed task whatever no_log says; the rest it hides
        hidden = "The task failed, and no_log hides why. A registered result has it in error.message."
        return {**self.partial, state: True, "msg": hidden, "error": {**error, "message": message}}

    def _so_far(self) -> str:
        """What people must know of a change that was ended before it could say so itself; empty where it was none."""
        if not self.partial.get("changed"):
            return ""
        places = [
            f"{item['key']} [{item['value']}]"
            for item in self.partial.get("changes", ())
            if item["status"] in ("written", "unknown")
        ]
        backup = self.partial.get("backup")
        return (
            (
                f" Still changed, or perhaps changed: {', '.join(visible(place, NAME * 2) for place in places)}."
                if places
                else ""
            )
            + (f" The values before are in {backup}." if backup else "")
            + " Run the same task again to finish."
        )

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
