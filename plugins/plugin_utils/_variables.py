# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Options that are looked up in variables, by name and without a template for each. Pure.

Every process that Ansible makes for a host compiles every template of its task anew. Twenty of them take longer than
all that the task asks the host.
"""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Mapping

from ._errors import OptionError
from ._text import NAME, visible

OPTION = "from_variables"

# Stands for what a variable says is to be left out, before ansible-core 2.19 also within what it holds.
OMIT: t.Final = object()

# What a name stands for; raises LookupError where there is no such variable.
ValueOf = t.Callable[[str], t.Any]


def taken(names: t.Iterable[t.Any], value_of: ValueOf) -> dict[str, t.Any]:
    """The options that ``names`` tell: each names a variable that maps options to the names of variables, and options
    within an option to a mapping of the same kind. Raises :class:`OptionError`."""
    found: dict[str, t.Any] = {}
    for name in names:
        found.update(_looked_up(_variable(name, value_of), visible(name, NAME), value_of))
    return found


def plain(value: t.Any, omit: t.Any) -> t.Any:
    """The value without what is ``omit`` in it, and without what Ansible notes on it, which takes long to copy. A text
    that a vault has encrypted is an object of its own before ansible-core 2.19."""
    if value is OMIT or (isinstance(value, str) and value == omit):
        return OMIT
    if isinstance(value, Mapping):
        inner = {name: plain(item, omit) for name, item in value.items()}
        return {name: item for name, item in inner.items() if item is not OMIT}
    if isinstance(value, (list, tuple)):
        return [item for item in (plain(item, omit) for item in value) if item is not OMIT]
    if isinstance(value, str) or type(value).__name__ == "AnsibleVaultEncryptedUnicode":
        return str(value)
    return +value if isinstance(value, int) and not isinstance(value, bool) else value


def of_host(hostvars: t.Any, name: t.Any) -> t.Mapping[str, t.Any]:
    """The variables of a host as they are, for what tasks have registered: that is no template.

    ``hostvars`` of Ansible wraps whatever is taken out of them, so that each value within is looked at for templates
    when it is read, and again each time: of 500 servers that takes longer than all else that is said of them.
    Raises TypeError for what is no host's.
    """
    found = getattr(hostvars, "raw_get", hostvars.get)(name) or {}
    if not isinstance(found, Mapping):
        raise TypeError(f"{visible(repr(found), NAME)} is no mapping")
    return found


def _looked_up(where: t.Any, path: str, value_of: ValueOf) -> dict[str, t.Any]:
    if not isinstance(where, Mapping):
        raise OptionError(f"'{OPTION}': {path} is no mapping of options to the names of variables.")
    found: dict[str, t.Any] = {}
    for option, name in where.items():
        if isinstance(name, Mapping):
            found[str(option)] = _looked_up(name, f"{path}.{option}", value_of)
            continue
        value = _variable(name, value_of)
        if value is not OMIT:
            found[str(option)] = value
    return found


def _variable(name: t.Any, value_of: ValueOf) -> t.Any:
    with contextlib.suppress(LookupError):
        if isinstance(name, str):
            return value_of(name)
    raise OptionError(f"'{OPTION}': there is no variable {visible(repr(name), NAME)}.")
