# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Values as they come from tasks, made fit for files: of JSON's types, of our own length, without a secret. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

# A text of a registry value may have a megabyte; a report of 500 servers is to be opened.
LONGEST = 4000
_DEEPEST = 40
VAULTED = "(from a vault)"


def plain(value: t.Any, longest: int = LONGEST, depth: int = _DEEPEST) -> t.Any:
    """A copy in the types of JSON. Texts are cut after ``longest`` characters, which they say, and what comes from a
    vault is not repeated. Control characters stay: whoever writes a file escapes them in its own way."""
    if value is None or isinstance(value, (bool, float)):
        return value
    # what Ansible keeps encrypted shows its text as soon as it is asked for it
    if hasattr(value, "_ciphertext"):
        return VAULTED
    if isinstance(value, int):
        return int(value)
    if depth == 0:
        return "(too deep)"
    if isinstance(value, Mapping):
        return {cut(str(name), longest): plain(item, longest, depth - 1) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, longest, depth - 1) for item in value]
    return cut(str(value), longest)


def cut(text: str, longest: int = LONGEST) -> str:
    more = len(text) - longest
    return text if more <= 0 else f"{text[:longest]}... ({more} more characters)"
