# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.exchange_tls.mail_diagnosis."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleFilterError

from ..plugin_utils import _files, _typed
from ..plugin_utils._mailflow import symptoms
from ..plugin_utils._report import diagnosis
from ..plugin_utils._report.commands import Command
from ..plugin_utils._report.diagnosis import Server
from ..plugin_utils._variables import of_host

# The names under which the role registers what it has read.
_SETTINGS = "_tls12_why"
_MAIL = "_tls12_mail"


def mail_diagnosis(hostvars: t.Any, hosts: t.Any, symptom: t.Any = None) -> list[str]:
    """See mail_diagnosis.yml."""
    try:
        if missing := [str(name) for name in hosts if name not in hostvars]:
            raise KeyError(", ".join(missing))
        known = {str(name): of_host(hostvars, name) for name in hosts}
        servers = {
            name: Server(variables[_SETTINGS], _mapping(variables.get(_MAIL)), _text(variables.get("ansible_host")))
            for name, variables in known.items()
            if _mapping(variables.get(_SETTINGS)) is not None
        }
        text = _typed.whole_symptom("" if symptom is None else str(symptom))
        places = _files.folders(next(iter(known.values()), {}))
        file = text.strip() if symptoms.looks_like_a_file(text) or _files.is_file(text, places) else ""
        text = "" if file else text
        found = symptoms.explain(text).as_result()
        return diagnosis.lines(found, servers, text=text, file=file, command=Command.of(_typed.without_symptom()))
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as exc:
        raise AnsibleFilterError(
            f"mail_diagnosis takes hostvars, a list of hosts, and a text: {type(exc).__name__}: {exc}"
        ) from None


def _mapping(value: t.Any) -> t.Mapping[str, t.Any] | None:
    """None for what was not registered, or was skipped."""
    return value if isinstance(value, Mapping) and not value.get("skipped") else None


def _text(value: t.Any) -> str | None:
    return str(value) if isinstance(value, str) else None


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"mail_diagnosis": mail_diagnosis}
