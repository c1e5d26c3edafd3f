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
        readable by its owner only. A relative path counts from the directory that C(ansible-playbook) runs in.
      - Credentials are never in these messages, but names and registry values of the host are.
      - Meant for reports of problems; leave it unset otherwise.
    type: path
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
    version_added: 1.0.0
attributes:
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller
    support: full
    details: All of it runs on the controller, and speaks to the host itself.
  action_group:
    description: Use C(group/mailops.exchange_tls.exchange_tls) in C(module_defaults) to set defaults for all modules that talk to a host.
    support: full
    membership:
      - mailops.exchange_tls.exchange_tls
  async:
    description: Supports being used with the C(async) keyword
    support: none
  become:
    description: Is usable alongside become keywords
    support: none
    details: The task works with the rights of the account that logs in, and says so where C(become) is set.
  delegation:
    description: Can be used in conjunction with delegate_to and related keywords
    support: full
    details: The task is about the delegated host, with the connection of that one.
requirements:
  - pywinrm 0.4.3 or newer for the connection C(winrm), or pypsrp 0.8.1 or newer for the connection C(psrp)
notes:
  - Works over the connection plugins P(ansible.builtin.winrm#connection) and P(ansible.builtin.psrp#connection) with all of
    their options, and over no other. Nothing is copied to the host and no PowerShell or shell is started there.
  - A message and its whole answer have twice the read timeout of the connection, from connecting to the last byte.
  - The account must be a member of the host's Administrators group.
"""
