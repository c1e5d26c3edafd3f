# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The option that says how a later task restarts the host."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  restart:
    description:
      - How a later task restarts the host. It is checked before anything is written, also in check mode, so that a mistake is not
        found when the change is made and the server is out of service. This task itself restarts nothing.
      - Windows does not tell beforehand whether the account may restart it.
    type: dict
    version_added: 1.0.0
    suboptions:
      when:
        description: When it is restarted. With V(never) services are not looked for.
        type: str
        choices: [if_pending, never, always]
        default: if_pending
      timeout:
        description: As O(mailops.exchange_tls.wmi_reboot#module:timeout).
        type: int
        default: 1800
      comment:
        description: As O(mailops.exchange_tls.wmi_reboot#module:comment).
        type: str
      force:
        description: As O(mailops.exchange_tls.wmi_reboot#module:force).
        type: bool
        default: true
      services:
        description: As O(mailops.exchange_tls.wmi_reboot#module:services).
        type: list
        elements: str
        default: ["MSExchange*"]
      dag_check:
        description: As O(mailops.exchange_tls.wmi_reboot#module:dag_check). It waits for a minute here, and in check mode not at all.
        type: bool
        default: true
      maintenance:
        description:
          - Whether the server is taken out of service around the restart, by later tasks with
            M(mailops.exchange_tls.exchange_maintenance). Where a restart is due, this task looks whether that is possible.
        type: dict
        suboptions:
          when:
            description:
              - With V(auto), an Exchange server is taken out. A member of a DAG that cannot be is refused, and a server outside of any
                DAG is restarted as it is, which a warning says. With V(always), that one is refused as well.
              - With V(never), nothing is looked at.
            type: str
            choices: [auto, always, never]
            default: auto
          minimum_healthy_copies:
            description: As O(mailops.exchange_tls.exchange_maintenance#module:minimum_healthy_copies).
            type: int
          blocked_members:
            description: As O(mailops.exchange_tls.exchange_maintenance#module:blocked_members).
            type: list
            elements: str
            default: []
          redirect_to:
            description: As O(mailops.exchange_tls.exchange_maintenance#module:redirect_to).
            type: str
          leave_mail:
            description:
              - As O(mailops.exchange_tls.exchange_maintenance#module:leave_mail). With V(auto), mail is left on a server outside of any
                DAG in any case.
            type: bool
            default: false
          take_over:
            description: As O(mailops.exchange_tls.exchange_maintenance#module:take_over).
            type: bool
            default: false
          pause_node:
            description: As O(mailops.exchange_tls.exchange_maintenance#module:pause_node). Checked here, and read later.
            type: str
            choices: [always, if_allowed, never]
            default: always
          timeout:
            description: As O(mailops.exchange_tls.exchange_maintenance#module:timeout). Checked here, and read later.
            type: int
            default: 1800
          smtp_port:
            description: As O(mailops.exchange_tls.exchange_maintenance#module:smtp_port). Checked here, and read later.
            type: int
            default: 25
          no_progress_timeout:
            description: As O(mailops.exchange_tls.exchange_maintenance#module:no_progress_timeout). Checked here, and read later.
            type: int
            default: 600
          wait_for_members:
            description:
              - As O(mailops.exchange_tls.exchange_maintenance#module:wait_for_members), for a minute since other servers wait with
                it. Checked here, and read later.
            type: int
            default: 60
      mail:
        description:
          - Whether later tasks see how mail goes before and after the restart, with M(mailops.exchange_tls.mail_flow_info) and
            M(mailops.exchange_tls.mail_flow_proof). Checked here, and read later.
        type: dict
        suboptions:
          when:
            description: With V(auto) on servers with Exchange, as far as its cmdlets can be asked. With V(always) they must be.
            type: str
            choices: [auto, always, never]
            default: auto
          send_logs:
            description: As O(mailops.exchange_tls.mail_flow_proof#module:send_logs).
            type: list
            elements: path
          probe_mailbox:
            description: As O(mailops.exchange_tls.mail_flow_proof#module:probe_mailbox).
            type: str
          patience:
            description: As O(mailops.exchange_tls.mail_flow_proof#module:patience).
            type: int
            default: 120
      before:
        description:
          - A file with a list of tasks that are run before the restart. A relative path is looked for beside the playbook, beside
            the inventory and in the current folder.
        type: path
      after:
        description: A file with a list of tasks that are run after the restart, looked for in the same places.
        type: path
"""
