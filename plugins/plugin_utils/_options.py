# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Options that several modules share; their documentation is in plugins/doc_fragments."""

from __future__ import annotations

import typing as t

PROTOCOLS: dict[str, t.Any] = {"protocols": {"type": "dict", "default": {"TLS 1.2": "enabled"}}}

WIRE_LOG: dict[str, t.Any] = {"wire_log": {"type": "path"}}

BACKUP: dict[str, t.Any] = {"backup_dir": {"type": "path", "default": "exchange_tls_backups"}}
