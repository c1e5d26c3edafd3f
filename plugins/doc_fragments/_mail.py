# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""How outgoing mail is proven."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  send_logs:
    description:
      - Folders on the controller that have the SMTP protocol logs of servers, kept up to date by you, such as a mounted share. A relative
        path counts from the playbook, the inventory or the current folder.
      - A sub-folder with the name of the host, with or without its domain, has those of this host, and so has a folder below one of that name.
        Others count where the inventory has no other host. Files among the paths are passed over.
    type: list
    elements: path
  probe_mailbox:
    description:
      - Send a mail to this address through the server, and look for it in the send log. Best a mailbox in Exchange Online of a domain
        that both share, for which the server takes mail from anybody. It comes from nobody, so that nobody gets a report of it.
      - A host, such as V(mail.example.com), stands for C(postmaster) there, which every host that takes mail has (RFC 5321, 4.5.1).
    type: str
  patience:
    description:
      - Seconds to wait for mail that waits to leave, and for a connection in a send log that is kept up to date. Where there is neither, nothing
        is waited for.
    type: int
    default: 120
"""
