# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Patterns of hosts, resolved as Ansible resolves them."""

from __future__ import annotations

import re
import typing as t

from ansible import context
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager, split_host_pattern
from ansible.parsing.dataloader import DataLoader

from . import _given, _typed
from ._text import NAME, visible

Groups = t.Mapping[str, t.Sequence[str]]


# The full names of a thousand servers; ansible-core is slow at what is longer.
_LONGEST = 100_000
# In the place of a pattern where the text of an answer is the null of YAML.
_NONE = "\0"


def text_of(given: t.Any, default: str) -> str:
    """The pattern behind an answer: a blank is the default, a list is joined. Raises ValueError with the reason."""
    found, problems = _given.options({"tls12_hosts": given}, {"tls12_hosts": {"type": "list", "elements": "str"}})
    if problems:
        raise ValueError(problems[0])
    wanted = found.get("tls12_hosts", default)
    pattern = ":".join(str(part).strip() for part in (wanted if isinstance(wanted, (list, tuple)) else [wanted]))
    if len(pattern) > _LONGEST:
        raise ValueError(
            f"'tls12_hosts' has {len(pattern)} characters; a pattern has {_LONGEST} at most. Name a group."
        )
    return pattern


def parts(pattern: str) -> list[str]:
    """The names of a pattern, those to be left out included. Raises AnsibleError where ansible-core would read another
    pattern than what is written."""
    if pattern.count("[") != pattern.count("]"):
        raise AnsibleError("its square brackets are not closed")
    for part in split_host_pattern(pattern):
        if (text := part.lstrip("!&")).startswith("~"):
            try:
                re.compile(text[1:])
            except (re.error, OverflowError, RecursionError) as exc:
                raise AnsibleError(f"{visible(text, NAME)} is no regular expression: {exc}") from None
    return [part.lstrip("!&") for part in split_host_pattern(pattern)]


def matching(pattern: str, groups: Groups) -> list[str]:
    """The hosts of a pattern; limits do not count here. Raises AnsibleError where it is none."""
    if not pattern.strip():
        raise AnsibleError("a part of it is empty")
    inventory = InventoryManager(loader=DataLoader(), parse=False)
    for group, names in groups.items():
        inventory.add_group(str(group))
        for name in names:
            inventory.add_host(str(name), group=str(group))
    try:
        return [str(host.name) for host in inventory.get_hosts(pattern=pattern)]
    except (IndexError, ValueError) as exc:
        # what ansible-core makes of a lone '!', and of an index that is too long
        raise AnsibleError(f"{visible(pattern, NAME)} cannot be read: {visible(exc, NAME)}") from None


def out_of_place(
    variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any], *, writes: bool = False
) -> list[str]:
    """What is wrong where ``tls12_hosts`` comes from a place that a play does not read, such as the inventory: the play
    runs on other hosts than it says. ``writes``: whether the task may change its host."""
    given, groups = variables.get("tls12_hosts"), variables.get("groups")
    order = [str(name) for name in variables.get("ansible_play_hosts_all") or ()]
    # the first host of the play looks for all of them; but a batch goes on beside it, and would be written to
    looks = writes or variables.get("inventory_hostname") in order[:1]
    if _given.is_blank(given) or not groups or not looks:
        return []
    play = set(order)
    try:
        given = template(given)
        if _given.is_blank(given):
            return []
        if (pattern := text_of(given, _NONE)) == _NONE:
            return []
        # what nearly everybody names; a pattern of 500 hosts takes a while
        wanted = set(groups[pattern] if pattern in groups else matching(pattern, groups))
    except (AnsibleError, ValueError):
        wanted = set()
    # a play may take a part of what -e names: 'hosts: "{{ tls12_hosts }}:&site"'
    narrowed = bool(context.CLIARGS.get("subset")) or "tls12_hosts" in _typed.variables()
    if play == wanted or (narrowed and play and play <= wanted):
        return []
    sentence = "Ansible does not read it from the inventory. Give it with -e, or take it out"
    return [f"'tls12_hosts' is {given}, but this play runs on other hosts: {sentence}"]
