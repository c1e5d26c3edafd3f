# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Where the mail of a server goes that is taken out of service."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  redirect_to:
    description:
      - The Exchange server that takes the mail that waits. A member of the DAG that takes mail now where it is left out, one of the
        same site first.
    type: str
  leave_mail:
    description:
      - Go on where mail has nowhere to go, or does not go in time. It stays in the queues of the server, which keeps them over a
        restart, and goes when it is back.
    type: bool
    default: false
"""
