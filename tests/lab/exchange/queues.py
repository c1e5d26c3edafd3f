# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One queue."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Queue:
    """name: behind the server's, such as 123, Submission or Shadow\\7."""

    name: str
    domain: str
    delivery_type: str
    messages: float = 0.0
    deferred: float = 0.0
    last_error: str = ""
    stuck: bool = False
    #: How often the next hop was tried in vain since it was last reached.
    retries: int = 0
    #: Mail comes and goes by itself: see mail_flow.
    flows: bool = False

    @property
    def stays(self) -> bool:
        """Neither shadow copies nor poison ever drain."""
        return self.name.startswith(("Shadow", "Poison"))

    @property
    def count(self) -> int:
        return math.ceil(self.messages)
