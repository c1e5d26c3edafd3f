# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""How a server is taken out of service: its mail, and other runs."""

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
  take_over:
    description:
      - Go on with a maintenance that another run has begun, even if that may still be at work. Of a run of another controller it is only
        known when it was seen last; it counts as at work for 15 minutes after that.
    type: bool
    default: false
"""
