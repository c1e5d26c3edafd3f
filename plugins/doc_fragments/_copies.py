# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What databases must have elsewhere before an Exchange server is taken out of service."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  minimum_healthy_copies:
    description:
      - How many copies that work each mounted database must have elsewhere, beside those that have their only copy here.
      - Two where it is left out, as Microsoft's own script wants it. A DAG of two members cannot have them; say V(1) for it.
    type: int
  blocked_members:
    description:
      - Members of the DAG that have the activation policy Blocked on purpose, as those of a site for disasters, by their names. They take
        nothing over, and are no reason to wait. Names of other servers may be among them. Any other member that is Blocked is taken for
        one that somebody has taken out.
    type: list
    elements: str
    default: []
"""
