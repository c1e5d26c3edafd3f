# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Loads what the role's audit needs beyond a plain tls_settings_info, before Ansible makes a process for each host.

Ansible compiles the modules of collections anew in every run. A single task imports this only where its options ask for
it; in a play of the role every host does, and inherits what its parent has imported. Parents have the callback, and the
filter that our playbooks find their hosts by.
"""

from __future__ import annotations

import types


def load() -> tuple[types.ModuleType, ...]:
    """The modules that are loaded by now."""
    from ._policy import expressions
    from ._tasks import proving

    return expressions, proving
