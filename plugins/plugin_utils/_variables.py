# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Options that are looked up in variables, by name and without a template for each. Pure.

Every process that Ansible makes for a host compiles every template of its task anew. Twenty of them take longer than all
that the task asks the host.
"""

from __future__ import annotations

import typing as t

from ._errors import OptionError
from ._text import NAME, visible

OPTION = "from_variables"

# What a name stands for; raises LookupError where there is no such variable.
ValueOf = t.Callable[[str], t.Any]


class LeftOut(Exception):
    """The variable says ``omit``."""


def taken(names: t.Any, value_of: ValueOf) -> dict[str, t.Any]:
    """The options that ``names`` tell: each names a variable that maps options to the names of variables, and options
    within an option to a mapping of the same kind. Raises :class:`OptionError`."""
    found: dict[str, t.Any] = {}
    for name in [names] if isinstance(names, str) else names or ():
        found.update(_looked_up(_variable(name, value_of), str(name), value_of))
    return found


def _looked_up(where: t.Any, path: str, value_of: ValueOf) -> dict[str, t.Any]:
    if not isinstance(where, t.Mapping):
        raise OptionError(f"'{OPTION}': {path} is no mapping of options to the names of variables.")
    found: dict[str, t.Any] = {}
    for option, name in where.items():
        if isinstance(name, t.Mapping):
            found[str(option)] = _looked_up(name, f"{path}.{option}", value_of)
            continue
        try:
            found[str(option)] = _variable(name, value_of)
        except LeftOut:
            continue
    return found


def _variable(name: t.Any, value_of: ValueOf) -> t.Any:
    try:
        return value_of(name)
    except LookupError:
        told = visible(repr(name), NAME)
        raise OptionError(f"'{OPTION}': there is no variable {told}.") from None
