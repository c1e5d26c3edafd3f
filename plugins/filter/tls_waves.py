# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters mailops.exchange_tls.tls_waves and mailops.exchange_tls.tls_wave_groups."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean

from ..plugin_utils import _given, _role
from ..plugin_utils._exchange import waves
from ..plugin_utils._text import NAME, visible
from ..plugin_utils._variables import of_host

_GROUP = _role.WAVES
_REGISTERED = "_tls12_exchange"


def tls_waves(
    hostvars: t.Any, servers: t.Any, at_once: t.Any = 1, one_per_site: t.Any = False
) -> list[dict[str, t.Any]]:
    """See tls_waves.yml."""
    most, by_site = _at_once(at_once), _one_per_site(one_per_site)
    found: dict[str, t.Any] = {}
    computers: dict[str, str] = {}
    for name in servers:
        result = of_host(hostvars, name).get(_REGISTERED) or {}
        if not isinstance(result.get("exchange"), Mapping):
            raise AnsibleFilterError(
                f"tls_waves: the server {visible(name, NAME)} has no result of exchange_info in '{_REGISTERED}'."
            )
        found[str(name)] = result["exchange"]
        computers[str(name)] = str((result.get("host") or {}).get("computer_name") or name)
    left_out = {name for name, exchange in found.items() if exchange.get("left_out")}
    out = [computers[name] for name in left_out]
    away = {name: waves.away(exchange, computers[name], out) for name, exchange in found.items()}
    # what was left out of service comes back first: the others wait for it
    order = sorted(found, key=lambda name: name not in left_out)
    dags = {name: waves.dag_of(found[name]) for name in order}
    sites = {name: found[name].get("site") or None if by_site else None for name in order}
    return [
        {
            "group": f"{_GROUP}{number:03}",
            "servers": wave,
            "away": list(dict.fromkeys(line for name in wave for line in away[name])),
            "shown": f"{number}. {', '.join(_shown(name, found[name], sites[name], away[name]) for name in wave)}",
        }
        for number, wave in enumerate(waves.waves(dags, most, sites, computers), 1)
    ]


def _shown(name: str, exchange: t.Mapping[str, t.Any], site: str | None, away: t.Sequence[str]) -> str:
    about = "; ".join(visible(line, NAME * 3) for line in (waves.cluster_of(exchange, site), *away))
    return f"{visible(name, NAME)} ({about})"


def _one_per_site(given: t.Any) -> bool:
    try:
        return not _given.is_blank(given) and bool(boolean(given))
    except TypeError:
        raise AnsibleFilterError(
            f"'tls12_one_per_site' is {visible(repr(given), NAME)}; it is true or false."
        ) from None


def _at_once(given: t.Any) -> int:
    spec = {"tls12_dags_at_once": {"type": "int"}}
    found, problems = _given.options({"tls12_dags_at_once": given}, spec)
    number = found.get("tls12_dags_at_once", 1)
    if problems or isinstance(number, bool) or not re.fullmatch(r"[1-9]\d{0,5}", str(number), re.ASCII):
        raise AnsibleFilterError(
            f"'tls12_dags_at_once' is {visible(repr(given), NAME)}; it is how many DAGs at a time: a number, 1 or more."
        )
    return int(number)


def tls_wave_groups(groups: t.Any) -> list[str]:
    """See tls_wave_groups.yml."""
    return sorted(str(name) for name in groups if str(name).startswith(_GROUP))


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tls_waves": tls_waves, "tls_wave_groups": tls_wave_groups}
