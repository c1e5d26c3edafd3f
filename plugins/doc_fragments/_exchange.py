# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""How Exchange's cmdlets are asked."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
notes:
  - Exchange's cmdlets are asked over its own endpoint C(/PowerShell), which runs cmdlets with parameters and no script. That needs
    pypsrp on the controller, and an account with a role in Exchange, such as the role group C(View-Only Organization Management).
  - "Where and as whom is said by variables of the host: C(exchange_server) (the Exchange server that is asked, by its full name or as
    the inventory names it; where it is not set, another member of the DAG for a maintenance, and the host itself for everything else
    and in no DAG), C(exchange_auth) (V(kerberos), the default, over http with sealed messages, or V(basic) over https),
    C(exchange_user) (for Kerberos C(name@REALM)) and C(exchange_password) (those of the host's own connection where they are not set),
    C(exchange_scheme), C(exchange_port) (80 for http, 443 for https), C(exchange_path), C(exchange_cert_validation),
    C(exchange_ca_cert), C(exchange_kerberos_hostname_override), C(exchange_kerberos_service), C(exchange_operation_timeout) and
    C(exchange_connection_timeout) (30 seconds), and C(exchange_cmdlet_timeout) (600 seconds). The guide to maintenance describes each.
    One that is misspelt is refused."
requirements:
  - pypsrp 0.8.1 or newer, with the extra C(kerberos) for Kerberos
"""
