# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.exchange_tls.mail_symptom."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..plugin_utils._mailflow import symptoms


def mail_symptom(text: t.Any) -> dict[str, t.Any]:
    """See mail_symptom.yml."""
    if text is not None and not isinstance(text, str):
        raise AnsibleFilterError(f"mail_symptom takes the text of an error, and not {type(text).__name__}.")
    return symptoms.explain(str(text or "")).as_result()


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"mail_symptom": mail_symptom}
