# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What people wish of a maintenance. Pure, and of no other module: every task that checks options knows these words."""

from __future__ import annotations

import dataclasses

ALWAYS, IF_ALLOWED, NEVER = "always", "if_allowed", "never"


@dataclasses.dataclass(frozen=True)
class Wishes:
    """Times in seconds: ``longest`` for each wait as a whole, ``stalled`` without any progress, ``others`` for another
    member that is out. ``minimum_healthy_copies``: None for two. ``blocked_members``: the names of those that are
    Blocked on purpose. ``redirect_to``: the full name of the server that is
    to take the mail, None for a member that can. ``leave_mail``: go on where mail has nowhere to go, or does not go.
    ``pause_node``: ``always``, ``if_allowed`` or ``never``."""

    minimum_healthy_copies: int | None = None
    blocked_members: tuple[str, ...] = ()
    longest: float = 1800.0
    stalled: float = 300.0
    others: float = 1800.0
    redirect_to: str | None = None
    leave_mail: bool = False
    pause_node: str = ALWAYS
