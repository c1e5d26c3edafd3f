# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.exchange_tls.tls_artifact."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean

from ..plugin_utils import _given, _reporting
from ..plugin_utils._report import standing
from ..plugin_utils._report.artifact import artifact
from ..plugin_utils._report.standing import Steps
from ..plugin_utils._variables import of_host


def tls_artifact(
    hostvars: t.Any, play: t.Any = (), check_mode: t.Any = False, report_dir: t.Any = None
) -> dict[str, t.Any]:
    """See tls_artifact.yml."""
    try:
        found = {str(name): standing.registered(of_host(hostvars, name)) for name in {*hostvars, *play}}
        hosts = {name: Steps.of(made, check_mode=boolean(check_mode)) for name, made in found.items() if made}
        report = None if _given.is_blank(report_dir) else _reporting.place(str(report_dir))
        return artifact(hosts, [str(name) for name in play if str(name) not in hosts], report)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as exc:
        raise AnsibleFilterError(
            f"tls_artifact takes hostvars and a list of hosts: {type(exc).__name__}: {exc}"
        ) from None


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tls_artifact": tls_artifact}
