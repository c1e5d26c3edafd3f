# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Whether a host has the record of a maintenance. Every audit asks that, and needs nothing else of a maintenance."""

from __future__ import annotations

from .._change import notes
from .._schannel.values import Type
from .._windows.registry import Registry

#: The value in the key of this collection.
NAME = "Maintenance"


def has_record(registry: Registry) -> bool:
    """Whether a maintenance has a record on the host, readable or not (one request)."""
    value = registry.get(notes.KEY, NAME, Type.REG_SZ)
    return value is not None and value.present
