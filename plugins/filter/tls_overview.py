# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.exchange_tls.tls_overview."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ..plugin_utils import _lines
from ..plugin_utils._report import standing
from ..plugin_utils._variables import of_host

# The steps after which nothing more is to come.
_LAST = ("audit", "verify")


def tls_overview(
    hostvars: t.Any, host: t.Any, batch: t.Any, ended: t.Any = (), check_mode: t.Any = False, play: t.Any = ()
) -> list[str]:
    """See tls_overview.yml."""
    try:
        every = [str(name) for name in dict.fromkeys((*batch, *ended))] or [str(host)]
        found = {name: standing.registered(of_host(hostvars, name)) for name in every}
        of_play = [str(name) for name in play]
        # to look into the variables of all hosts with every batch takes long; where none has failed, the run goes on
        others = set(of_play) - {*every, str(host)} if ended else set()
        later = [name for name in others if not standing.registered(of_host(hostvars, name))]
    except (AttributeError, KeyError, TypeError) as exc:
        raise AnsibleFilterError(
            f"tls_overview takes hostvars, a host, and lists of hosts: {type(exc).__name__}: {exc}"
        ) from None
    # In the free strategy, which knows no run_once, each host comes here by itself: one of them speaks for all if all
    # are through, and else each for itself. With run_once a host that has failed comes for all where it is the first.
    through = all(name in ended or any(step in steps for step in _LAST) for name, steps in found.items())
    if str(host) not in (every[0], *map(str, ended)) or not through:
        found = {str(host): standing.registered(of_host(hostvars, host))}
    made = {name: steps for name, steps in found.items() if steps}
    how: dict[str, t.Any] = {"play": of_play, "later": later if ended else None}
    return _lines.lines(made, check_mode, compare=True, **how) if made else []


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tls_overview": tls_overview}
