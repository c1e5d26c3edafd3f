# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.exchange_tls.tls_hosts."""

from __future__ import annotations

import difflib
import re
import typing as t

from ansible.errors import AnsibleError, AnsibleFilterError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

from ..plugin_utils import _given


def tls_hosts(pattern: t.Any, groups: t.Any, default: str = "exchange") -> str:
    """See tls_hosts.yml."""
    given, problems = _given.options({"tls12_hosts": pattern}, {"tls12_hosts": {"type": "list", "elements": "str"}})
    if problems:
        raise AnsibleFilterError(f"{problems[0]}.")
    wanted = given.get("tls12_hosts", default)
    text = ":".join(str(part).strip() for part in (wanted if isinstance(wanted, (list, tuple)) else [wanted]))
    if not re.search(r"[\w*]", text):
        # to Ansible these are all hosts
        raise AnsibleFilterError(f"'tls12_hosts' is {text!r}, which names no server.")
    try:
        found = _matching(text, groups)
    except (AttributeError, TypeError) as exc:
        raise AnsibleFilterError(f"tls_hosts takes a pattern and the groups of the inventory: {exc}") from None
    except AnsibleError as exc:
        raise AnsibleFilterError(f"'tls12_hosts' is {text!r}, which is no pattern of hosts: {exc}") from None
    if not found:
        raise AnsibleFilterError(_nothing(text, groups, text == default))
    return text


def _matching(pattern: str, groups: t.Mapping[str, t.Sequence[str]]) -> list[t.Any]:
    """The hosts of a pattern; limits do not count here."""
    inventory = InventoryManager(loader=DataLoader(), parse=False)
    for group, names in groups.items():
        inventory.add_group(str(group))
        for name in names:
            inventory.add_host(str(name), group=str(group))
    # one name after the other: a name that matches nothing would only be warned of
    return list(inventory.get_hosts(pattern=pattern))


def _nothing(pattern: str, groups: t.Mapping[str, t.Sequence[str]], is_default: bool) -> str:
    every = {str(name) for names in groups.values() for name in names}
    if not every:
        return "The inventory has no hosts: name one with -i, and the Exchange servers in it in a group 'exchange'."
    known = sorted({*map(str, groups), *every} - {"ungrouped"})
    close = difflib.get_close_matches(pattern, known, n=1)
    hint = f" Did you mean '{close[0]}'?" if close else f" The groups are {', '.join(sorted(map(str, groups)))}."
    if is_default:
        return (
            f"The inventory has no servers in a group '{pattern}'.{hint} Put the Exchange servers there, or name "
            "another group with -e tls12_hosts=GROUP."
        )
    return f"'tls12_hosts' is {pattern!r}, and no server of the inventory matches that.{hint}"


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tls_hosts": tls_hosts}
