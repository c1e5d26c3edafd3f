# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The option that says what is wanted."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  protocols:
    description:
      - What is wanted, by protocol version. A key is one of V(SSL 2.0), V(SSL 3.0), V(TLS 1.0), V(TLS 1.1), V(TLS 1.2) and V(TLS 1.3).
      - V(enabled) asks for C(Enabled=1) and C(DisabledByDefault=0), V(disabled) for C(Enabled=0) and C(DisabledByDefault=1),
        both as REG_DWORD. V(default) asks that neither value is there, so that Windows decides. V(unmanaged) asks for nothing.
      - A state stands for both sides. To set them apart, give a dictionary with the keys V(Client) (what the server offers
        when it connects to others) and V(Server) (what it accepts).
      - Any number but 0 in a value that should be 1 is accepted and left as it is, since Windows reads it as on; the finding says so.
      - Protocols that are not named are read and reported, and never judged or changed.
      - TLS 1.2 cannot be disabled, since Exchange SMTP has no TLS 1.3.
    type: dict
    default:
      TLS 1.2: enabled
"""
