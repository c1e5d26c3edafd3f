# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Files that users name on the controller: where a relative path counts from, and what is in them, out of a vault too.

Where to, such as backups and reports, counts from the current folder alone, as there may be nothing there yet.
"""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError
from ansible.parsing.vault import is_encrypted

from ._errors import OptionError
from ._text import NAME, visible

_PLAYBOOKS = os.path.join(os.path.dirname(__file__), *[os.pardir] * 2, "playbooks")


def folders(variables: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Where a relative path of the user may count from: the playbook, the inventory, the current folder."""
    named = (variables.get("playbook_dir"), variables.get("inventory_dir"), os.getcwd())
    return tuple(dict.fromkeys(str(folder) for folder in named if folder))


def is_own_playbook(variables: t.Mapping[str, t.Any]) -> bool:
    """Whether the playbook that runs is one of this collection."""
    try:
        return os.path.samefile(str(variables["playbook_dir"]), _PLAYBOOKS)
    except (KeyError, OSError, ValueError):
        return False


def existing(given: t.Iterable[str], places: t.Sequence[str]) -> tuple[list[str], list[str]]:
    """The files and folders that there are of those that were given, and how the others are called for people.
    ``places``: where relative paths count from, see :func:`folders`; blanks are none."""
    found, missing = [], []
    for path in filter(str.strip, given):
        exists = next(filter(os.path.exists, candidates(path, places)), None)
        if exists is None:
            missing.append(visible(repr(path), NAME))
        else:
            found.append(exists)
    return found, missing


def is_file(text: str, places: t.Sequence[str]) -> bool:
    """Whether a text of any kind is the path of a file that there is."""
    return bool(text.strip()) and any(map(os.path.isfile, candidates(text.strip(), places)))


def candidates(path: str, places: t.Sequence[str]) -> list[str]:
    """The paths that a path may mean, the first that there is being the one."""
    path = os.path.expanduser(path)
    return [path] if os.path.isabs(path) else [os.path.join(place, path) for place in places]


def within(path: str, places: t.Sequence[str]) -> str:
    """The end of a sentence: where a path was looked for that was not found; nothing where it says that itself."""
    return "" if os.path.isabs(os.path.expanduser(path)) else f" in {', '.join(places)}"


def reader(loader: t.Any, places: t.Sequence[str]) -> t.Callable[[str], bytes]:
    """Reads the file that a path means, as it is before somebody encrypts it with ansible-vault. ``loader``: Ansible's,
    which has the passwords. The reader raises OSError, and OptionError for a vault that does not open."""

    def read(path: str) -> bytes:
        every = candidates(path, places)
        found = next(filter(os.path.isfile, every), every[-1])
        try:
            with open(found, "rb") as file:
                content = file.read()
        except FileNotFoundError as exc:
            raise FileNotFoundError(exc.errno, f"{exc.strerror}{within(path, places)}") from None
        if not is_encrypted(content):
            return content
        try:
            # by what has been read: a pipe is empty now, and the loader would read another path where this one has a $
            return bytes(loader._vault.decrypt(content))
        except AnsibleError as exc:
            raise OptionError(
                f"{visible(repr(found), NAME)} is in a vault that does not open: {visible(exc)}"
            ) from None

    return read
