# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""How a host is read."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  logins:
    description:
      - How many logins to the host a task may use at most. With several, reads overlap where an answer takes 30 milliseconds and
        more; elsewhere there is only one. What is written goes over one login, one value after the other.
      - From 1 to 10. WinRM of Windows Server 2012 R2 bears 300 connections, and 1500 operations of a user, unless somebody has
        set less.
    type: int
    default: 10
    version_added: 1.0.0
  updates_within:
    description:
      - The days within which Windows is to have had an update, on servers with Exchange. An older one is a finding that counts.
      - V(0) is no limit, as if it were left out. The age is only shown then.
    type: int
    version_added: 1.0.0
"""
