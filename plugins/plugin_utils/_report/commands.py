# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The command that a person types next, made from the one that was typed. Pure.

What may hold a secret is never repeated: of ``-e`` only files and the role's own variables.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import typing as t

from .._role import COLLECTION, PREFIX, VARIABLES, WANTED
from .._text import visible

ENFORCE, AUDIT, HARDEN, ROLLBACK, WHY = (
    "enforce_tls12", "audit_tls12", "harden_tls", "rollback_tls12", "why_mail_stopped",
)  # fmt: skip
# Those that go by DAG; what comes after one of them goes by DAG as well.
_BY_DAG = {ENFORCE: "enforce_tls12_by_dag", HARDEN: "harden_tls_by_dag"}
BOOKS = (ENFORCE, AUDIT, HARDEN, ROLLBACK, WHY, *_BY_DAG.values(), "learn_dags")
SAME = ""  # the playbook that was run
# Wishes that another playbook is not given with the rest: they are for the one that was run.
_OF_ITS_BOOK = frozenset(
    (
        "tls12_fail_on", "tls12_fail_on_findings", "tls12_force", "tls12_backup", "tls12_other_host", "tls12_symptom",
        "tls12_accepted_peers",
    )
)  # fmt: skip
# What is wanted of the settings; a baseline that the next command names takes the place of all of it.
_BASELINE = "tls12_baseline"
_WANTED = frozenset(f"{PREFIX}{name}" for name in WANTED)
# What there is to do where a variable was refused.
CORRECT = "give it as the message says, and run the same command again"
# Longer ones are not repeated: a command is to be read.
_LONGEST_VALUE = 200


@dataclasses.dataclass(frozen=True)
class Command:
    """How ansible-playbook was called. ``book``: the path or name of the playbook, as it was typed."""

    book: str = ""
    inventories: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()  # what is repeated of -e
    left_out: bool = False  # whether -e held more than is repeated
    flags: tuple[str, ...] = ()
    limit: str = ""
    every: tuple[str, ...] = ()  # all hosts of the run: a limit to these is none
    for_all: bool = False  # whether the next run is for all of them, whichever of them it is about

    @classmethod
    def of(cls, arguments: t.Mapping[str, t.Any]) -> Command:
        """From the command line as Ansible has parsed it (``ansible.context.CLIARGS``)."""
        given = [str(item) for item in arguments.get("extra_vars") or ()]
        extra = tuple(item for item in given if _may_be_repeated(item))
        flags = ["--ask-pass"] if arguments.get("ask_pass") else []
        flags += ["--ask-vault-pass"] if arguments.get("ask_vault_pass") else []
        for file in arguments.get("vault_password_files") or ():
            flags += ["--vault-password-file", str(file)]
        for identity in arguments.get("vault_ids") or ():
            flags += ["--vault-id", str(identity)]
        if arguments.get("remote_user"):
            flags += ["-u", str(arguments["remote_user"])]
        books = [str(item) for item in arguments.get("args") or ()]
        return cls(
            next((book for book in books if _stem(book) in BOOKS), books[0] if books else ""),
            tuple(str(item) for item in arguments.get("inventory") or ()),
            extra,
            len(extra) < len(given),
            tuple(flags),
            str(arguments.get("subset") or ""),
        )

    def run(self, book: str, hosts: t.Sequence[str], *more: str) -> str:
        """The command for a playbook, limited to these hosts. ``more``: flags, and what goes with ``-e``."""
        # one server needs no waves
        if _stem(self.book) in _BY_DAG.values() and len(hosts) > 1:
            book = _BY_DAG.get(book, book)
        parts = ["ansible-playbook"]
        for inventory in self.inventories:
            parts += ["-i", inventory]
        parts += [self._named(book), *self.flags]
        # what comes next overrides the same wish of the last command
        dropped = {name for item in more if not item.startswith("-") for name in _variables(item)}
        dropped |= _OF_ITS_BOOK if self._is_another(book) else set()
        dropped |= _WANTED if _BASELINE in dropped else set()
        for item in self.extra:
            if kept := _without(item, dropped):
                parts += ["-e", kept]
        if not self.for_all and set(hosts) != set(self.every):
            parts += ["-l", _limit(hosts)]
        elif self.limit:
            parts += ["-l", self.limit]
        for item in more:
            parts += [item] if item.startswith("-") else ["-e", item]
        shown = " ".join(shlex.quote(part) for part in parts)
        shown = visible(shown, len(shown))
        return f"{shown}  # with your other -e" if self.left_out else shown

    @property
    def is_ours(self) -> bool:
        return _stem(self.book) in BOOKS

    def _is_another(self, book: str) -> bool:
        return book not in (SAME, _stem(self.book))

    def _named(self, book: str) -> str:
        """The playbook beside the one that was run, spelt alike; by its full name where another one was run."""
        if self.book and not self._is_another(book):
            return self.book
        book = book or ENFORCE
        folder, slash, name = self.book.rpartition("/")
        stem, dot, ending = name.rpartition(".")
        if _stem(name) in BOOKS and ending in ("yml", "yaml"):
            return f"{folder}{slash}{book.replace('_', '-') if '-' in stem else book}{dot}{ending}"
        return f"{COLLECTION}.{book}"


def _limit(hosts: t.Sequence[str]) -> str:
    """Ansible takes one name with a blank for several patterns, unless there is a comma behind it."""
    names = ",".join(hosts)
    return f"{names}," if len(hosts) == 1 and len(names.split()) > 1 else names


def variable(name: str, value: str) -> str:
    """What goes with ``-e``, as a person would type it; in JSON where the value has blanks or quotes."""
    return f"{name}={value}" if value == shlex.quote(value) else json.dumps({name: value})


def _stem(book: str) -> str:
    """The name of a playbook without its folder, collection and ending, with underscores."""
    return re.sub(r"\.ya?ml$", "", book.rpartition("/")[2]).removeprefix(f"{COLLECTION}.").replace("-", "_")


def _may_be_repeated(given: str) -> bool:
    if given.startswith("@"):
        return True
    found = _variables(given)
    # quotes and backslashes mean less to Ansible than to a shell: what might be a name counts as one
    names = [*found, *([] if _is_json(given) else re.findall(r"([^\s='\"\\]+)=", given))]
    return len(given) <= _LONGEST_VALUE and bool(found) and VARIABLES.issuperset(names)


def _is_json(given: str) -> bool:
    return given.lstrip().startswith("{")


def _variables(given: str) -> dict[str, t.Any]:
    """What one -e sets; nothing where that cannot be told."""
    try:
        if _is_json(given):
            return dict(json.loads(given))
        return dict(part.split("=", 1) for part in shlex.split(given))
    except (ValueError, RecursionError):
        return {}


def _without(given: str, names: t.Collection[str]) -> str:
    """One -e without these variables; empty where nothing is left."""
    found = {} if given.startswith("@") else _variables(given)
    if found.keys().isdisjoint(names):
        return given
    kept = {name: value for name, value in found.items() if name not in names}
    if all(isinstance(value, str) and value == shlex.quote(value) for value in kept.values()):
        return " ".join(f"{name}={value}" for name, value in kept.items())
    return json.dumps(kept)
