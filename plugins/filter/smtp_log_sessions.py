# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.exchange_tls.smtp_log_sessions."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..plugin_utils._mailflow.smtp_log import sessions_of
from ..plugin_utils._mailflow.words import RECEIVE, SEND


def smtp_log_sessions(lines: t.Any, direction: t.Any = None) -> list[dict[str, t.Any]]:
    """See smtp_log_sessions.yml."""
    if isinstance(lines, (list, tuple)) and all(isinstance(line, str) for line in lines):
        lines = "\n".join(lines)
    if not isinstance(lines, (str, bytes)):
        raise AnsibleFilterError(
            "smtp_log_sessions takes the text of an SMTP protocol log, or a list of its lines, and not "
            f"{type(lines).__name__}."
        )
    if direction not in (None, "", RECEIVE, SEND):
        raise AnsibleFilterError(f"smtp_log_sessions: 'direction' is {direction!r}, but must be {RECEIVE} or {SEND}.")
    raw = lines.encode("utf-8", "surrogateescape") if isinstance(lines, str) else lines
    return [session.as_result() for session in sessions_of(raw, direction or None)[0]]


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"smtp_log_sessions": smtp_log_sessions}
