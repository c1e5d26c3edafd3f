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

from ._role import COLLECTION, PREFIX

BOOKS = ("enforce_tls12", "audit_tls12", "harden_tls", "rollback_tls12")
_OF_AUDITS = ("tls12_fail_on",)  # and tls12_fail_on_findings
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

    @property
    def ours(self) -> str:
        """The playbook of ours that was run; the first one to think of where it was another."""
        stem = re.sub(r"\.ya?ml$", "", self.book.rpartition("/")[2]).rpartition(".")[2].replace("-", "_")
        return stem if stem in BOOKS else BOOKS[0]

    @classmethod
    def of(cls, arguments: t.Mapping[str, t.Any]) -> Command:
        """From the command line as Ansible has parsed it (``ansible.context.CLIARGS``)."""
        given = [str(item) for item in arguments.get("extra_vars") or ()]
        extra = tuple(item for item in given if _may_be_repeated(item))
        flags = ["--ask-pass"] if arguments.get("ask_pass") else []
        flags += ["--ask-vault-pass"] if arguments.get("ask_vault_pass") else []
        for file in arguments.get("vault_password_files") or ():
            flags += ["--vault-password-file", str(file)]
        books = arguments.get("args") or ("",)
        inventories = arguments.get("inventory") or ()
        return cls(
            str(books[0]),
            tuple(str(item) for item in inventories),
            extra,
            len(extra) < len(given),
            tuple(flags),
            str(arguments.get("subset") or ""),
        )

    def run(self, book: str, hosts: t.Sequence[str], *more: str) -> str:
        """The command for one of our playbooks, limited to these hosts."""
        parts = ["ansible-playbook"]
        for inventory in self.inventories:
            parts += ["-i", inventory]
        parts += [self._named(book), *self.flags]
        for item in self.extra:
            if book != BOOKS[1] and any(name in item for name in _OF_AUDITS):
                continue
            # a wish of the next command overrides the same one of the last
            if not any(wish.split("=")[0] in item for wish in more):
                parts += ["-e", item]
        if set(hosts) != set(self.every):
            parts += ["-l", ",".join(hosts)]
        elif self.limit:
            parts += ["-l", self.limit]
        for item in more:
            parts += ["-e", item] if "=" in item and not item.startswith("-") else [item]
        shown = " ".join(shlex.quote(part) for part in parts)
        return f"{shown} (with your other -e)" if self.left_out else shown

    def _named(self, book: str) -> str:
        """The playbook beside the one that was run, spelt alike; by its full name where another one was run."""
        folder, slash, name = self.book.rpartition("/")
        stem = re.sub(r"\.ya?ml$", "", name)
        ending = name[len(stem) :]
        if stem.replace("-", "_") in BOOKS and ending:
            return f"{folder}{slash}{book.replace('_', '-') if '-' in stem else book}{ending}"
        return f"{COLLECTION}.{book}"


def _may_be_repeated(given: str) -> bool:
    if given.startswith("@"):
        return True
    if len(given) > _LONGEST_VALUE:
        return False
    if given.lstrip().startswith("{"):
        try:
            names = list(json.loads(given))
        except (ValueError, RecursionError):
            return False
    else:
        try:
            names = [part.partition("=")[0] for part in shlex.split(given)]
        except ValueError:
            return False
    return all(str(name).startswith(PREFIX) for name in names)
