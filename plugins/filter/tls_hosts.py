# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter mailops.exchange_tls.tls_hosts."""

from __future__ import annotations

import difflib
import re
import typing as t

from ansible import context
from ansible.errors import AnsibleError, AnsibleFilterError

from ..plugin_utils import _ahead, _patterns
from ..plugin_utils._text import NAME, visible

# in every playbook, before there is a process for each host
_ahead.load()


def tls_hosts(pattern: t.Any, groups: t.Any, default: str = "exchange") -> str:
    """See tls_hosts.yml."""
    try:
        text = _patterns.text_of(pattern, default)
    except ValueError as exc:
        raise AnsibleFilterError(f"{exc}.") from None
    if not re.search(r"[\w*]", text):
        # to Ansible these are all hosts
        raise AnsibleFilterError(f"'tls12_hosts' is {visible(repr(text), NAME)}, which names no server.")
    try:
        missed = _unmatched(text, groups)
    except (AttributeError, TypeError) as exc:
        raise AnsibleFilterError(f"tls_hosts takes a pattern and the groups of the inventory: {exc}") from None
    except AnsibleError as exc:
        raise AnsibleFilterError(
            f"'tls12_hosts' is {visible(repr(text), NAME)}, which is no pattern of hosts: {exc}"
        ) from None
    if missed is not None and not context.CLIARGS.get("syntax"):
        raise AnsibleFilterError(_nothing(text, missed, groups, text == default))
    return text


def _unmatched(pattern: str, groups: t.Mapping[str, t.Sequence[str]]) -> str | None:
    """The part of a pattern that matches no host, or the whole where its parts leave none."""
    # Ansible would only warn of a name that matches nothing, also of one that is to be left out
    return next((part for part in (*_patterns.parts(pattern), pattern) if not _patterns.matching(part, groups)), None)


def _nothing(pattern: str, missed: str, groups: t.Mapping[str, t.Sequence[str]], is_default: bool) -> str:
    every = {str(name) for names in groups.values() for name in names}
    if not every:
        return "The inventory has no hosts: name one with -i, and the Exchange servers in it in a group 'exchange'."
    empty = missed in groups and not groups[missed]
    # what has no servers either is no better name
    known = {*(str(group) for group, names in groups.items() if names), *every} - {"ungrouped"}
    folded = {name.casefold(): name for name in sorted(known)}
    close = difflib.get_close_matches(missed.casefold(), folded, n=1)
    hint = f" Did you mean '{folded[close[0]]}'?" if close else f" The groups are {', '.join(sorted(groups))}."
    if empty:
        hint = f" The group {visible(repr(missed), NAME)} is there, and has no servers."
    if is_default:
        return (
            f"The inventory has no servers in a group '{pattern}'.{hint} Put the Exchange servers there, or name "
            "another group with -e tls12_hosts=GROUP."
        )
    what = "that" if missed == pattern else visible(repr(missed), NAME)
    return f"'tls12_hosts' is {visible(repr(pattern), NAME)}, and no server of the inventory matches {what}.{hint}"


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tls_hosts": tls_hosts}
