# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What was typed with ``-e``, and what Ansible makes of it: a value without quotes ends at its first blank."""

from __future__ import annotations

import json
import re
import typing as t

from ansible import context
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.splitter import parse_kv
from ansible.utils.vars import load_extra_vars

from ._text import NAME, visible

# The pasted text of an error, which is taken whole; under its short name as well.
_SYMPTOM = re.compile(r"\s*((?:tls12_)?symptom)\s*=\s*(.*)", re.DOTALL)
_SYMPTOMS = frozenset({"symptom", "tls12_symptom"})
# Under this name Ansible keeps the words that belong to no variable.
_WORDS = "_raw_params"
# Files, JSON and YAML.
_OTHER_FORMS = tuple("@[{")


def variables() -> t.Mapping[str, t.Any]:
    """Those that were given, as Ansible reads them."""
    return t.cast("t.Mapping[str, t.Any]", load_extra_vars(DataLoader()))


def _items() -> list[str]:
    return [str(item) for item in context.CLIARGS.get("extra_vars") or ()]


def cut(known: t.Container[str]) -> list[str]:
    """One sentence for each ``-e`` with words that nobody reads. They may be a part of a secret, and are not told.
    ``known``: the variables of the task, which show whether there are any."""
    return [sentence for item in _items() if (sentence := _cut(item))] if _WORDS in known else []


def _cut(item: str) -> str | None:
    if item.lstrip().startswith(_OTHER_FORMS) or _SYMPTOM.match(item):
        return None
    try:
        found = parse_kv(item)
    except (AnsibleError, ValueError):
        return None
    if _WORDS not in found:
        return None
    names = ", ".join(f"'{visible(name, NAME)}'" for name in found if name != _WORDS) or "no variable"
    return (
        f"'-e' gives {names}, and words behind a blank that belong to no variable: a value with a blank needs quotes "
        "of its own, as in -e 'tls12_report_dir=\"my reports\"'"
    )


def whole_symptom(symptom: str) -> str:
    """The text as it was typed: of ``-e tls12_symptom=421 4.4.2 ...`` Ansible keeps what is before the first blank."""
    for item in _items():
        match = _SYMPTOM.match(item)
        typed = match[2].strip().strip("\"'") if match else ""
        # Ansible takes a backslash and a letter, as in C:\\temp, for a sign that a text cannot show
        if match and symptom and (typed.startswith(symptom.strip()) or _kept(item, match[1]) == symptom):
            return typed
    return symptom


def _kept(item: str, name: str) -> str | None:
    """What Ansible keeps of a value that was typed."""
    try:
        found = parse_kv(item).get(name)
    except (AnsibleError, ValueError):
        return None
    return None if found is None else str(found)


def without_symptom() -> dict[str, t.Any]:
    """The command line: other playbooks need the text no more, and it says itself where it is wanted again."""
    return {**context.CLIARGS, "extra_vars": [item for item in _items() if not _is_symptom(item)]}


def _is_symptom(item: str) -> bool:
    """Whether a ``-e`` gives the text and nothing else, as it is or in JSON."""
    if _SYMPTOM.match(item):
        return True
    try:
        found = json.loads(item)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and bool(found) and found.keys() <= _SYMPTOMS
