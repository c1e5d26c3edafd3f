# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many examples a law is tried with: `make test` takes some, always the same; `make fuzz` many, always others."""

from __future__ import annotations

import os

from hypothesis import settings

#: Of the examples that a law names, in percent: TEST_EXAMPLES, 100 where it is not set.
PERCENT = int(os.environ.get("TEST_EXAMPLES") or 100)
_ALL = 100
_DEFAULT = 100
_LEAST = 10


def examples(number: int = _DEFAULT) -> settings:
    """A decorator; up to all of them the examples are everybody's, and a slow machine is no reason to fail."""
    tried = max(_LEAST, number * PERCENT // _ALL)
    return settings(max_examples=tried, deadline=None, derandomize=PERCENT <= _ALL)
