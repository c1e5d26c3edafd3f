# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cmdlet is: a name, parameters with types, and a function that yields objects. And how PowerShell binds one.

@cmdlet("Get-Something", Parameter("Identity"), changes=False)
def get_something(call: Call) -> Iterator[Any]:
    yield an object, or Problem("...") for an error after which it goes on; raise Terminating(...) to end
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from .organisation import Organisation
from .servers import Server

TEXT, TEXTS, INTEGER, FLAG, SWITCH = "text", "texts", "integer", "flag", "switch"

_NET = {
    TEXT: "System.String",
    TEXTS: "Microsoft.Exchange.Data.MultiValuedProperty`1[System.String]",
    INTEGER: "System.Int32",
    FLAG: "System.Boolean",
    SWITCH: "System.Management.Automation.SwitchParameter",
}
_ERROR_ACTIONS = ("SilentlyContinue", "Stop", "Continue", "Inquire", "Ignore")


@dataclass(frozen=True)
class Problem:
    """One error record, as far as anything here is known of it. error_id is put before the cmdlet's class."""

    message: str
    error_id: str = "Failed"
    category: str = "NotSpecified"
    exception: str = "System.InvalidOperationException"
    target: str | None = None


@dataclass(frozen=True)
class Warning_:  # noqa: N801 - Warning is Python's
    """A line on the warning stream."""

    message: str


class Terminating(Exception):
    """Ends the pipeline as failed."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True)
class Parameter:
    """One parameter. choices: the texts of an enumeration, which have no case. piped: it takes texts that are piped."""

    name: str
    kind: str = TEXT
    mandatory: bool = False
    choices: Sequence[str] = ()
    piped: bool = False


_COMMON = (Parameter("ErrorAction", choices=_ERROR_ACTIONS), Parameter("DomainController"))
_CHANGING = (Parameter("Confirm", SWITCH),)


@dataclass(frozen=True)
class Cmdlet:
    """An entry of the table."""

    name: str
    parameters: tuple[Parameter, ...]
    run: Callable[[Call], Iterator[Any]]
    #: It asks whoever runs it, unless Confirm is false; and nobody can answer.
    asks: bool = False

    def without_input(self) -> Cmdlet:
        """The same, to which nothing can be piped."""
        return replace(self, parameters=tuple(replace(item, piped=False) for item in self.parameters))

    def parameter(self, name: str) -> Parameter | None:
        return next((item for item in self.parameters if item.name.casefold() == name.casefold()), None)


@dataclass
class Call:
    """One running cmdlet."""

    organisation: Organisation
    #: The server on which the session is.
    here: Server
    cmdlet: Cmdlet
    arguments: dict[str, Any] = field(default_factory=dict)
    #: Wildcards of the cmdlets that the account does not see.
    hidden: Sequence[str] = ()

    def get(self, name: str, default: Any = None) -> Any:
        return self.arguments.get(name, default)

    def server(self, parameter: str = "Identity") -> Server | Problem:
        """The server that a parameter names, or the error for none."""
        text = self.arguments[parameter]
        found = self.organisation.find(text)
        return found if found is not None else self.no_such(text)

    def no_such(self, text: str) -> Problem:
        """The error for an object that is not in the directory."""
        return Problem(
            f"The operation couldn't be performed because object '{text}' couldn't be found on "
            f"'DC01.{self.here.domain}'.",
            "[FailureCategory=Cmdlet-ManagementObjectNotFoundException] 7B1E31A8",
            exception="Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException",
            target=text,
        )


def away(server: Server) -> Problem:
    """The error for a server that does not answer."""
    return Problem(
        f"The remote registry of server '{server.fqdn}' couldn't be opened. The network path was not found.",
        "[FailureCategory=Cmdlet-ServerNotReachable] 3D9A0C11",
        "ResourceUnavailable",
        "System.IO.IOException",
        server.name,
    )


_NOT_BOUND = Problem(
    "The input object cannot be bound to any parameters for the command either because the command does not take "
    "pipeline input or the input and its properties do not match any of the parameters that take pipeline input.",
    "InputObjectNotBound",
    "InvalidArgument",
    "System.Management.Automation.ParameterBindingException",
)
CMDLETS: dict[str, Cmdlet] = {}


def cmdlet(name: str, *parameters: Parameter, changes: bool, asks: bool = False) -> Callable[[Any], Any]:
    """Enters a function into the table."""

    def enter(run: Callable[[Call], Iterator[Any]]) -> Callable[[Call], Iterator[Any]]:
        everything = (*parameters, *_COMMON, *(_CHANGING if changes else ()))
        CMDLETS[name.casefold()] = Cmdlet(name, everything, run, asks)
        return run

    return enter


def find(name: str, hidden: Sequence[str] = ()) -> Cmdlet:
    """The cmdlet of that name; one that the account's roles do not have is not there. Raises Terminating."""
    found = CMDLETS.get(name.casefold())
    if found is None or is_like(found.name, hidden):
        raise Terminating(
            Problem(
                f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable "
                "program. Check the spelling of the name, or if a path was included, verify that the path is correct "
                "and try again.",
                "CommandNotFoundException",
                "ObjectNotFound",
                "System.Management.Automation.CommandNotFoundException",
                name,
            )
        )
    return found


def is_like(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name fits one of some wildcards; neither has a case."""
    return any(fnmatchcase(name.casefold(), pattern.casefold()) for pattern in patterns)


def stops_at_errors(given: Sequence[tuple[str | None, Any]]) -> bool:
    """Whether the first error is the last."""
    return any(str(name).casefold() == "erroraction" and str(value).casefold() == "stop" for name, value in given)


def bind_each(
    cmdlet: Cmdlet, given: Sequence[tuple[str | None, Any]], piped: Sequence[Any] | None
) -> list[dict[str, Any] | Problem]:
    """The arguments of each run: one for each object that is piped, or its error; one where nothing can be."""
    if piped is None:
        return [bind(cmdlet, given)]
    takes = next((item.name for item in cmdlet.parameters if item.piped), None)
    named = {str(name).casefold() for name, _value in given}
    if takes is None or takes.casefold() in named:
        return [_NOT_BOUND for _item in piped]
    # what an earlier cmdlet returned is no text any more, and fits no parameter
    return [bind(cmdlet, [*given, (takes, item)]) if isinstance(item, str) else _NOT_BOUND for item in piped]


def bind(cmdlet: Cmdlet, given: Sequence[tuple[str | None, Any]]) -> dict[str, Any]:
    """Arguments by the parameters' own names. No abbreviations, no positions, no conversions. Raises Terminating."""
    bound: dict[str, Any] = {}
    for name, value in given:
        if name is None:
            raise _binding(f"A positional parameter cannot be found that accepts argument '{value}'.", "Positional")
        parameter = cmdlet.parameter(str(name))
        if parameter is None:
            text = f"A parameter cannot be found that matches parameter name '{name}'."
            raise _binding(text, "NamedParameterNotFound")
        if parameter.name in bound:
            text = f"Cannot bind parameter because parameter '{parameter.name}' is specified more than once."
            raise _binding(text, "ParameterAlreadyBound")
        bound[parameter.name] = _converted(parameter, value)
    missing = [item.name for item in cmdlet.parameters if item.mandatory and item.name not in bound]
    if missing:
        names = " ".join(missing)
        text = f"Cannot process command because of one or more missing mandatory parameters: {names}."
        raise _binding(text, "MissingMandatoryParameter")
    if cmdlet.asks and bound.get("Confirm") is not False:
        raise Terminating(
            Problem(
                "A command that prompts the user failed because the host program or the command type does not support "
                "user interaction. The host was attempting to request confirmation with the following message: Are you "
                "sure you want to perform this action?",
                "HostFunctionNotImplemented",
                "NotImplemented",
                "System.Management.Automation.Host.HostException",
            )
        )
    return bound


def _converted(parameter: Parameter, value: Any) -> Any:
    if parameter.kind == SWITCH and value is None:
        return True
    fits = {
        TEXT: isinstance(value, str),
        TEXTS: isinstance(value, list) and all(isinstance(item, str) for item in value),
        INTEGER: isinstance(value, int) and not isinstance(value, bool),
        FLAG: isinstance(value, bool),
        SWITCH: isinstance(value, bool),
    }[parameter.kind]
    if value is None or value == "":
        what = "null" if value is None else "an empty string"
        text = f"Cannot bind argument to parameter '{parameter.name}' because it is {what}."
        raise _binding(text, "ParameterArgumentValidationErrorNullNotAllowed", "InvalidData")
    if not fits:
        net = _NET[parameter.kind]
        text = f'Cannot bind parameter \'{parameter.name}\'. Cannot convert value "{value}" to type "{net}".'
        raise _binding(text, "CannotConvertArgumentNoMessage")
    if not parameter.choices:
        return [str(item) for item in value] if isinstance(value, list) else _plain(value)
    found = next((choice for choice in parameter.choices if choice.casefold() == str(value).casefold()), None)
    if found is None:
        text = (
            f"Cannot bind parameter '{parameter.name}'. Cannot convert value \"{value}\" due to enumeration values "
            f'that are not valid. The possible enumeration values are "{",".join(parameter.choices)}".'
        )
        raise _binding(text, "CannotConvertArgumentNoMessage")
    return found


def _plain(value: Any) -> Any:
    """Python's own type for one of the library's."""
    if isinstance(value, bool):
        return value
    return str(value) if isinstance(value, str) else int(value)


def _binding(text: str, error_id: str, category: str = "InvalidArgument") -> Terminating:
    return Terminating(Problem(text, error_id, category, "System.Management.Automation.ParameterBindingException"))
