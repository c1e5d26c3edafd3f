# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Options that say how a server is taken out of service; their documentation is in plugins/doc_fragments."""

from __future__ import annotations

import typing as t

from ._errors import OptionError, all_problems
from ._exchange.wishes import ALWAYS, IF_ALLOWED, NEVER

AUTO = "auto"
LONGEST = 24 * 3600
PORTS = 65535

# What can be known before: whether it may be taken out at all.
READINESS: dict[str, t.Any] = {
    "minimum_healthy_copies": {"type": "int"},
    "blocked_members": {"type": "list", "elements": "str", "default": []},
    "redirect_to": {"type": "str"},
    "leave_mail": {"type": "bool", "default": False},
    "take_over": {"type": "bool", "default": False},
}
# What is not looked at before, but checked.
LATER: dict[str, t.Any] = {
    "timeout": {"type": "int", "default": 1800},
    "pause_node": {"type": "str", "choices": [ALWAYS, IF_ALLOWED, NEVER], "default": ALWAYS},
    "smtp_port": {"type": "int", "default": 25},
    "no_progress_timeout": {"type": "int", "default": 600},
}
# Of a restart: whether it is surrounded by a maintenance.
AROUND: dict[str, t.Any] = {
    "maintenance": {
        "type": "dict",
        "options": {
            "when": {"type": "str", "choices": [AUTO, ALWAYS, NEVER], "default": AUTO},
            **READINESS,
            **LATER,
            # all others of the batch wait with it
            "wait_for_members": {"type": "int", "default": 60},
        },
    }
}
WISHES: dict[str, t.Any] = {
    **READINESS,
    **LATER,
    "wait_for_members": {"type": "int", "default": 1800},
}


def check(options: t.Mapping[str, t.Any], prefix: str) -> None:
    """Raises :class:`OptionError` that names every problem. ``prefix``: where the options are, for people."""
    all_problems(
        lambda: check_copies(options["minimum_healthy_copies"], prefix),
        *(
            lambda name=name, least=least: _within(options, prefix, name, least, LONGEST, "seconds")
            for name, least in (("timeout", 1), ("no_progress_timeout", 1), ("wait_for_members", 0))
        ),
        lambda: _within(options, prefix, "smtp_port", 1, PORTS, "a port"),
    )


def check_around(options: t.Mapping[str, t.Any], prefix: str) -> None:
    """Raises :class:`OptionError`."""
    given = options["maintenance"]
    if given is not None:
        check(given, f"{prefix}maintenance.")


def check_copies(minimum: int | None, prefix: str = "") -> None:
    """Raises :class:`OptionError`."""
    if minimum is not None and minimum < 0:
        raise OptionError(f"'{prefix}minimum_healthy_copies' is {minimum}, but it is a number of copies, 0 or more.")


def _within(options: t.Mapping[str, t.Any], prefix: str, name: str, least: int, most: int, what: str) -> None:
    if name in options and not least <= options[name] <= most:
        raise OptionError(f"'{prefix}{name}' is {options[name]}, but it is {what}, from {least} to {most}.")
