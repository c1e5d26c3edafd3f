# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The base of the action plugins: options in, result out, errors as users expect them."""

from __future__ import annotations

import abc
import difflib
import gc
import multiprocessing
import traceback
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from . import _files, _given, _patterns, _reporting, _role, _typed, _variables
from ._errors import ExchangeTlsError, OptionError, Unreachable, all_problems
from ._exchange.endpoint import OPTIONS, Endpoint, address_of, endpoint, is_address, misspelt, neighbour
from ._options import ROLE
from ._policy import baselines
from ._policy.options import from_options
from ._tasks.task import Task
from ._text import NAME, visible
from ._transport.channels import check_plugin, open_channel
from ._wire.session import Session, WireLog

if t.TYPE_CHECKING:
    from ._exchange.shell import Shell

display = Display()

# Ansible imports this once, before it makes a process for each host: they inherit what is read here.
baselines.load(_role.FIRST_BASELINE)

# Parts of a result that only a task that succeeds returns.
_BULKY = frozenset({"protocols", "healthchecker", "findings", "handshakes", "diff"})

# Names of the controller itself.
_CONTROLLER = frozenset({"localhost", "127.0.0.1", "::1"})
_BECOME = (
    "'become' is not used here: the task works with the rights of the account that logs in over WinRM. Log in with an "
    "administrator, and leave 'become' out."
)


class ExchangeTlsAction(ActionBase):
    """Validates the options, runs :meth:`perform`, and turns errors into ``failed`` or ``unreachable``.

    A subclass sets ``ARGUMENT_SPEC`` (the same as its documentation; a test compares them) and writes ``perform``.
    """

    ARGUMENT_SPEC: t.ClassVar[dict[str, t.Any]] = {}
    # what only the role's own tasks may give: no public interface
    ROLE_SPEC: t.ClassVar[dict[str, t.Any]] = ROLE
    SPEC_RULES: t.ClassVar[dict[str, t.Any]] = {}
    # whether it may change its host
    WRITES: t.ClassVar[bool] = False
    # by whether it is a task of the role
    _validators: t.ClassVar[dict[bool, ArgumentSpecValidator]]
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def __init_subclass__(cls, **kwargs: t.Any) -> None:
        super().__init_subclass__(**kwargs)
        # once, and not in the process of each host
        cls._validators = {
            False: ArgumentSpecValidator(cls.ARGUMENT_SPEC, **cls.SPEC_RULES),
            True: ArgumentSpecValidator({**cls.ARGUMENT_SPEC, **cls.ROLE_SPEC}, **cls.SPEC_RULES),
        }

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        if multiprocessing.parent_process() is not None:
            # in the process of one host, which has inherited the results of all others: to look through them for
            # garbage, and to copy their memory by that, costs more than there is to gain
            gc.freeze()
        result = {**super().run(tmp, task_vars), **self._carried_out(task_vars or {})}
        warnings = [self._spoken(str(item)) for item in result.pop("warnings", None) or ()]
        # asked for by the keyword, or by ansible_become
        warnings += [_BECOME] if getattr(self._connection, "become", None) is not None else []
        if self.in_role and self.WRITES and "baseline" in self.ARGUMENT_SPEC and _role.may_pass_over(self.task_vars):
            warnings += _role.passed_over(self.task_vars, _typed.variables())
        if _files.is_own_playbook(self.task_vars):
            warnings += _role.without_prefix(_typed.variables())
        return {**result, "warnings": warnings} if warnings else result

    def _carried_out(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        self.task_vars: dict[str, t.Any] = task_vars
        self.partial: dict[str, t.Any] = {}
        try:
            return self.perform(self._options())
        except ExchangeTlsError as exc:
            return self._ended(exc.message, exc.as_result(), unreachable=isinstance(exc, Unreachable))
        except AnsibleError as exc:
            # options of the connection plugin that it refuses itself
            return self._ended(f"{str(exc).rstrip('.')}.{self._so_far()}", {"kind": "connection"})
        except Exception as exc:
            kind = type(exc).__name__
            display.vvv(traceback.format_exc(), host=self.host_name)
            message = f"{kind}: {visible(exc)}. This is a bug of mailops.exchange_tls; report it, with what -vvv shows."
            return self._ended(f"{message}{self._so_far()}", {"kind": "bug", "exception": kind})
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
            return {**self._ended(message, error), "timedout": {"period": self._task.timeout}}

    def _ended(self, message: str, error: dict[str, t.Any], *, unreachable: bool = False) -> dict[str, t.Any]:
        """The result of a task that did not do its work; what it has done is part of the truth about it."""
        state = "unreachable" if unreachable else "failed"
        message = self._spoken(message)
        done = self.shortened(self.partial)
        if not self._task.no_log:
            return {**done, state: True, "msg": message, "error": error}
        # ansible-core shows the msg of a failed task whatever no_log says; the rest it hides
        hidden = "The task failed, and no_log hides why. A registered result has it in error.message."
        return {**done, state: True, "msg": hidden, "error": {**error, "message": message}}

    def shortened(self, partial: dict[str, t.Any]) -> dict[str, t.Any]:
        """What a failed task returns of what it has read: a failure is to fit on a screen. ``-v`` shows the rest."""
        for finding in partial.get("findings", ()):
            if finding["status"] not in ("compliant", "not_applicable") and not self._task.no_log:
                display.v(visible(finding["message"]), host=self.host_name)
        return {name: value for name, value in partial.items() if name not in _BULKY}

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
        """A line of progress that is seen while the task runs, on the terminal and in AWX.

        On standard error: standard output belongs to the stdout callback, which may print JSON.
        """
        if not self._task.no_log:
            display.display(f"{self.host_name}: {message}", stderr=True)

    @property
    def host_name(self) -> str:
        """The host that the task is about, in the words of the inventory: with ``delegate_to``, the delegated one."""
        return str(self._delegated_to or self.task_vars.get("inventory_hostname", "host"))

    @property
    def host_vars(self) -> t.Mapping[str, t.Any]:
        """The variables of :attr:`host_name`."""
        delegated = self._delegated_to
        if delegated is None:
            return self.task_vars
        every = self.task_vars.get("ansible_delegated_vars") or {}
        return t.cast("t.Mapping[str, t.Any]", every.get(delegated) or {})

    @property
    def _delegated_to(self) -> str | None:
        """The name of another server that the task is delegated to. To the controller, things are delegated out of
        habit: the host stays what it is."""
        name = self._task.delegate_to
        if not name or name in _CONTROLLER:
            return None
        return str(name)

    @property
    def address(self) -> str:
        """Where the host is: its address in the inventory, else its name there."""
        given = self.host_vars.get("ansible_host")
        return str((given and self._templar.template(given)) or self.host_name)

    def other_servers(self) -> list[str]:
        """The names of other hosts of the inventory, as far as they are not names of this one as well."""
        own = {name.partition(".")[0].lower() for name in (self.host_name, self.address) if not is_address(name)}
        every = (self.task_vars.get("groups") or {}).get("all") or ()
        names = (str(name) for name in every if str(name) not in _CONTROLLER)
        return [name for name in names if not is_address(name) and name.partition(".")[0].lower() not in own]

    @property
    def in_role(self) -> bool:
        """Whether a task of the role runs this: then messages name the role's variables."""
        role = getattr(self._task, "_role", None)
        return bool(role) and str(getattr(role, "_role_collection", "")) == _role.COLLECTION

    def _spoken(self, message: str) -> str:
        if not self.in_role:
            return message
        return _role.named(message, self._task_file, hardens=_role.hardens(self.task_vars))

    @property
    def _task_file(self) -> str:
        """The name of the file that the task is in, without its ending."""
        return str(getattr(self._task, "get_path", lambda: "")() or "").rpartition("/")[2].partition(".")[0]

    def check(self, options: dict[str, t.Any]) -> None:
        """What the argument spec cannot say. Raises :class:`OptionError` that names every problem."""

    def _options(self) -> dict[str, t.Any]:
        """All options, checked and converted. Every problem is named, not only the first."""
        args = dict(self._task.args)
        args.update(_variables.taken(self._named_variables(args), self._value_of))
        args.pop(_variables.OPTION, None)
        given, problems = _given.options(args, self._spec)
        if self.in_role or _files.is_own_playbook(self.task_vars):
            problems += _role.misspelt(self.task_vars) + misspelt(self.task_vars)
            problems += _role.misspelt_alias(_typed.variables(), self._task_file) + _typed.cut(self.task_vars)
        if self.in_role:
            problems += _role.out_of_place(self.task_vars)
            writes = self.WRITES and not self.check_mode
            problems += _patterns.out_of_place(self.task_vars, self._templar.template, writes=writes)
        validated = self._validators[self.in_role].validate(given)
        withheld = {} if self.in_role else {name: option.get("default") for name, option in self.ROLE_SPEC.items()}
        options = {**withheld, **validated.validated_parameters}
        errors = [str(error) for error in validated.errors if not isinstance(error, UnsupportedError)]
        problems += _given.explained(errors, given)
        problems += [self._unknown(path) for path in sorted(validated.unsupported_parameters, key=str)]
        if not problems:
            self._check_all(options)
            return options
        try:
            self._check_all(options)
        except OptionError as exc:
            problems.append(exc.message.rstrip("."))
        except (TypeError, ValueError, AttributeError, LookupError):
            pass  # an option without its type, and that is told already
        whose = "Bad variables" if self.in_role else f"Bad options for {self._task.action}"
        raise OptionError(f"{whose}: {'; '.join(problems)}.")

    @property
    def _spec(self) -> dict[str, t.Any]:
        return {**self.ARGUMENT_SPEC, **self.ROLE_SPEC} if self.in_role else self.ARGUMENT_SPEC

    def _check_all(self, options: dict[str, t.Any]) -> None:
        callbacks = constants.config.get_config_value("CALLBACKS_ENABLED")
        all_problems(
            lambda: self.check(options),
            lambda: _reporting.check(options.get("report_dir"), callbacks),
        )

    def _named_variables(self, args: t.Mapping[str, t.Any]) -> t.Sequence[t.Any]:
        """The option that other options depend on."""
        name = _variables.OPTION
        given, problems = _given.options({name: args.get(name)}, self._spec)
        found = given.get(name, [])
        if not problems and not isinstance(found, (list, tuple)):
            problems = [f"'{name}' is {visible(repr(found), NAME)}, but it takes a list"]
        if problems:
            raise OptionError(f"Bad options for {self._task.action}: {problems[0]}.")
        return t.cast("t.Sequence[t.Any]", found)

    def _value_of(self, name: str, variables: t.Mapping[str, t.Any] | None = None) -> t.Any:
        """What a variable holds, with its templates resolved: one of the task, or of ``variables``."""
        try:
            value = self._templar.template((self.task_vars if variables is None else variables)[name])
        except AnsibleError as exc:
            # so it is told from ansible-core 2.19 on; before, there is a text that stands for it
            if type(exc).__name__ == "AnsibleValueOmittedError":
                return _variables.OMIT
            raise OptionError(f"'{name}': {visible(exc)}") from None
        return _variables.plain(value, self.task_vars.get("omit"))

    def _unknown(self, path: t.Any) -> str:
        """``path`` is a name, or a tuple of the names that lead to an option within options."""
        *above, name = map(str, path) if isinstance(path, tuple) else (str(path),)
        spec = self._spec
        for option in above:
            spec = spec[option]["options"]
        close = difflib.get_close_matches(name.lower(), spec, n=1)
        hint = f" (did you mean '{'.'.join((*above, close[0]))}'?)" if close else ""
        whose = f"options of '{'.'.join(above)}'" if above else "options"
        return f"unknown option '{'.'.join((*above, name))}'{hint}; the {whose} are {', '.join(sorted(spec))}"


class WindowsAction(ExchangeTlsAction):
    """An action that talks to the host: one session, opened when it is first wanted."""

    def check_policy(self, options: dict[str, t.Any]) -> None:
        """Raises :class:`OptionError`. The baseline is loaded here, and is with the options from then on."""
        read = _files.reader(self._loader, _files.folders(self.task_vars))

        def load(wanted: str) -> baselines.Baseline:
            options["baseline"] = found = baselines.load(wanted, read)
            return found

        from_options(options, load)

    def check_prove(self, options: dict[str, t.Any], wanted: str | bool = False) -> None:
        """Raises :class:`OptionError`. ``wanted``: an option that needs ``prove``, where that is given."""
        if options["prove"] is None and not wanted:
            return
        # what makes handshakes is loaded where they are wanted: _ahead.py
        from ._tasks import proving

        proving.check(options["prove"], self.address, others=self.other_servers, wanted=wanted)

    def sequence(self, options: dict[str, t.Any]) -> Task:
        """What the sequences of ``_tasks`` are given."""
        return Task(
            open_session=lambda: self.open_session(options),
            host_name=self.host_name,
            open_shell=self.open_shell,
            address=self.address,
            check_mode=self.check_mode,
            say=self.say,
            shortened=self.shortened,
            partial=self.partial,
        )

    def open_session(self, options: dict[str, t.Any]) -> Session:
        """A session over the task's connection. ``wire_log`` names a folder on the controller, or is None."""
        folder = options["wire_log"]
        return Session(
            open_channel(self._connection),
            trace=self._trace,
            wire_log=WireLog(folder, self.host_name) if folder else None,
        )

    def endpoint(self, computer: str = "", others: t.Sequence[str] = ()) -> Endpoint:
        """Where Exchange's cmdlets are asked, and as whom: by the variables ``exchange_*``; where they name no server,
        on the first of ``others``, names of computers of its domain, else on the host itself. ``computer``: the host's
        own name, where the inventory has only an address. Raises :class:`OptionError`."""
        # pypsrp takes a while, and most tasks ask no cmdlet
        from ._transport.cmdlets import login_of

        check_plugin(self._connection)
        # in the role, every task has said so
        if not self.in_role and (problems := misspelt(self.host_vars)):
            raise OptionError(f"Exchange's cmdlets cannot be asked: {'; '.join(problems)}.")
        found = {name: self._value_of(name, self.host_vars) for name in OPTIONS if name in self.host_vars}
        given = {
            name: value for name, value in found.items() if value is not _variables.OMIT and not _given.is_blank(value)
        }
        if "exchange_server" in given:
            given["exchange_server"] = address_of(str(given["exchange_server"]), self.task_vars.get("hostvars") or {})
        names = [name for name in (self.address, self.host_name) if not is_address(name)]
        own = next((name for name in names if "." in name), computer or next(iter(names), self.address))
        return endpoint(neighbour(own, others), login_of(self._connection), given)

    def open_shell(self, computer: str, others: t.Sequence[str]) -> tuple[str, Shell]:
        """A session with Exchange, and the server that is asked. Nothing is sent yet."""
        from ._transport.cmdlets import open_shell

        at = self.endpoint(computer, others)
        return at.server, open_shell(at)

    def _trace(self, message: str) -> None:
        # for every message, and mostly nobody listens
        if display.verbosity > 3 and not self._task.no_log:
            display.vvvv(f"WSMAN {message}", host=self.host_name)
