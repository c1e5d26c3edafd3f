# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many examples a law is tried with. What has been tried with all of them on one Python needs fewer on another."""

from __future__ import annotations

import os

from hypothesis import settings

#: One of so many examples is tried: TEST_SHARE, 1 where it is not set.
SHARE = max(1, int(os.environ.get("TEST_SHARE") or 1))
_DEFAULT = 100
_LEAST = 10


def examples(number: int = _DEFAULT) -> settings:
    """A decorator; the examples are the same for everybody, and a slow machine is no reason to fail."""
    return settings(max_examples=max(_LEAST, number // SHARE), deadline=None, derandomize=True)
