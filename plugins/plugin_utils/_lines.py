# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The last screen for filters: from what tasks have registered, with the errors of a filter."""

from __future__ import annotations

import typing as t

from ansible import context
from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean

from ._report.commands import Command
from ._report.screen import screen
from ._report.standing import REGISTERED, Steps

_NAMES = tuple(REGISTERED.values())


def lines(
    hosts: t.Mapping[str, t.Mapping[str, t.Any]],
    check_mode: t.Any,
    *,
    compare: bool = False,
    one_run: bool = False,
    play: t.Sequence[str] = (),
    later: t.Sequence[str] | None = None,
) -> list[str]:
    """The screen of these hosts; each has the results of its steps by name, see :meth:`Steps.of`. ``play``: all hosts
    of the play; ``later``: those that no batch has come to, None where that was not looked at."""
    try:
        made = {
            name: Steps.of(
                {step: steps[step] for step in _NAMES if steps.get(step)},
                check_mode=boolean(check_mode),
                one_run=one_run,
            )
            for name, steps in hosts.items()
        }
        return screen(made, command=Command.of(context.CLIARGS), compare=compare, every=play, later=later)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError) as exc:
        raise AnsibleFilterError(
            f"This is no result of the steps {', '.join(_NAMES)}: {type(exc).__name__}: {exc}"
        ) from None
