# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The option that says how TLS 1.2 is proven."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  prove:
    description:
      - How TLS 1.2 is proven, by handshakes from the controller. They meet incoming connections, the server side.
      - Checked before the host is asked. Without it no handshake is made.
    type: dict
    version_added: 1.0.0
    suboptions:
      endpoints:
        description:
          - Where handshakes are tried, as the option O(mailops.exchange_tls.tls_handshake_info#module:endpoints) takes them.
            An empty list proves nothing.
        type: list
        elements: raw
        default: [smtp, https]
      server_name:
        description:
          - The name that is asked for (SNI); see O(mailops.exchange_tls.tls_handshake_info#module:server_name).
        type: str
      timeout:
        description:
          - Seconds for one connection; see O(mailops.exchange_tls.tls_handshake_info#module:timeout).
        type: float
        default: 10
      handshakes:
        description:
          - With V(required), TLS 1.2 must be seen accepted at every endpoint. With V(when_reachable), an endpoint that cannot
            be tried is only told; before old TLS goes off, one at least must accept. With V(never), none is tried.
        type: str
        choices: [when_reachable, required, never]
        default: when_reachable
      patience:
        description:
          - Seconds to wait for endpoints that accepted TLS 1.2 before the change to do so again, and with V(required) for every
            endpoint to answer. Services bind their ports some time after they run.
        type: int
        default: 120
"""
