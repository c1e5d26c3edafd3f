# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.exchange_tls.mail_diagnosis."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ansible import context
from ansible.errors import AnsibleFilterError

from ..plugin_utils._mailflow import symptoms
from ..plugin_utils._report import diagnosis
from ..plugin_utils._report.commands import Command
from ..plugin_utils._report.diagnosis import Server
from ..plugin_utils._variables import of_host

# The names under which the role registers what it has read.
_SETTINGS = "_tls12_why"
_MAIL = "_tls12_mail"
_TYPED = re.compile(r"\s*tls12_symptom\s*=\s*(.*)", re.DOTALL)


def mail_diagnosis(hostvars: t.Any, hosts: t.Any, symptom: t.Any = None) -> list[str]:
    """See mail_diagnosis.yml."""
    try:
        if missing := [str(name) for name in hosts if name not in hostvars]:
            raise KeyError(", ".join(missing))
        known = {str(name): of_host(hostvars, name) for name in hosts}
        servers = {
            name: Server(variables[_SETTINGS], _mapping(variables.get(_MAIL)))
            for name, variables in known.items()
            if _mapping(variables.get(_SETTINGS)) is not None
        }
        text = _whole("" if symptom is None else str(symptom))
        found = symptoms.explain(text).as_result()
        return diagnosis.lines(found, servers, text=text, command=Command.of(_without_the_symptom()))
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as exc:
        raise AnsibleFilterError(
            f"mail_diagnosis takes hostvars, a list of hosts, and a text: {type(exc).__name__}: {exc}"
        ) from None


def _without_the_symptom() -> dict[str, t.Any]:
    """The command line: other playbooks need the text no more, and it says itself where it is wanted again."""
    given = context.CLIARGS.get("extra_vars") or ()
    return {**context.CLIARGS, "extra_vars": [item for item in given if not _TYPED.match(str(item))]}


def _mapping(value: t.Any) -> t.Mapping[str, t.Any] | None:
    """None for what was not registered, or was skipped."""
    return value if isinstance(value, Mapping) and not value.get("skipped") else None


def _whole(symptom: str) -> str:
    """The text as it was typed: of ``-e tls12_symptom=421 4.4.2 ...`` Ansible keeps what is before the first blank."""
    for item in map(str, context.CLIARGS.get("extra_vars") or ()):
        match = _TYPED.match(item)
        typed = match[1].strip().strip("\"'") if match else ""
        if symptom and typed.startswith(symptom.strip()):
            return typed
    return symptom


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"mail_diagnosis": mail_diagnosis}
