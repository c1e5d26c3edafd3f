# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Reads of which one may fail while all others work: what could not be read, and why."""

from __future__ import annotations

import typing as t

from .._errors import RegistryError, UnexpectedAnswer, WsmanFault

# What may happen to one read. A host that cannot be talked to is something else.
FAILED = (RegistryError, WsmanFault, UnexpectedAnswer)

_T = t.TypeVar("_T")


class Unread(dict[str, str]):
    """What could not be read, by name, with the reason for people."""

    def tried(self, name: str, look: t.Callable[..., _T], *given: t.Any) -> _T | None:
        """What a read returns; None where it fails, which is kept under its name."""
        try:
            return look(*given)
        except FAILED as exc:
            self[name] = exc.message
            return None
