# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""What all modules that talk to a Windows host have in common."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  wire_log:
    description:
      - A folder on the controller. Every WS-Management message of the task is appended to C(HOSTNAME.wsman.log) in it,
        readable by its owner only.
      - Credentials are never in these messages, but names and registry values of the host are.
      - Meant for reports of problems; leave it unset otherwise.
    type: path
  report_dir:
    description:
      - The folder on the controller that a report of the whole run is to be written to, see
        P(mailops.exchange_tls.summary#callback), which takes it from the variable C(tls12_report_dir) of the role
        P(mailops.exchange_tls.tls12#role).
      - The task fails before it does anything else where that folder cannot be written, or the callback is not enabled.
    type: path
    version_added: 0.2.0
  from_variables:
    description:
      - Names of variables that say where other options are found. Each of them maps options to the names of the variables that
        hold their values, and an option with options within it to a mapping of the same kind. Such an option counts for more
        than what the task gives itself.
      - A task whose options are twenty templates takes twice as long as one that looks the same values up like this, since
        Ansible compiles every template anew for every host.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
notes:
  - Works over the connection plugins P(ansible.builtin.winrm#connection) and P(ansible.builtin.psrp#connection) with all of
    their options, and over no other. Nothing is copied to the host and no PowerShell or shell is started there.
  - A message and its whole answer have twice the read timeout of the connection, from connecting to the last byte.
  - The account must be a member of the host's Administrators group.
"""
