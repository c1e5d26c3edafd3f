# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Laws of the last screen, over all that may have been done to servers."""

from __future__ import annotations

import itertools
import random
import re

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.commands import ROLLBACK, Command
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.details import next_step
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.screen import screen
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.standing import Steps
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.laws import examples

from .stories import any_steps

COMMAND = Command(book="playbooks/enforce-tls12.yml", inventories=("hosts.yml",))
NAMES = [f"ex{number:02}" for number in range(1, 10)]
fleets = st.lists(any_steps(), min_size=1, max_size=5).map(lambda found: dict(zip(NAMES, found, strict=False)))


def blocks_of(lines: list[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for line in lines:
        if line:
            found[-1].append(line)
        else:
            found.append([])
    return [block for block in found if block]


@examples(80)
@given(fleets)
def test_every_server_is_in_the_table_once_worst_first(hosts: dict[str, Steps]) -> None:
    table, *_others = blocks_of(screen(hosts, command=COMMAND))
    listed = [line.split()[0] for line in table[1:]]
    assert sorted(listed) == sorted(hosts)
    ranks = [hosts[name].rank for name in listed]
    assert ranks == sorted(ranks)
    words = (
        "broken",
        "failed",
        "unreachable",
        "unknown",
        "wrong",
        "waiting",
        "not proven",
        "to write",
        "with",
        "restored",
    )
    order = [
        next((at for at, word in enumerate(words) if hosts[name].category.startswith(word)), 99) for name in listed
    ]
    assert order == sorted(order)


@examples(80)
@given(fleets, st.lists(st.sampled_from(["zz1", "zz2", "zz3"]), unique=True))
def test_totals(hosts: dict[str, Steps], untouched: list[str]) -> None:
    lines = screen(hosts, command=COMMAND, untouched=untouched)
    text = " ".join(line.strip() for line in lines[len(lines) - lines[::-1].index("") :])
    counts, reached, touched = text.split("; ")[:3]
    assert sum(int(part.split()[0]) for part in counts.split(", ")) == len(hosts)
    missed = [name for name in hosts if hosts[name].unreachable]
    assert reached == f"not reached: {', '.join(sorted(missed)) or 'none'}"
    assert touched.split(" verified: ")[0] == f"not touched: {', '.join(sorted(untouched)) or 'none'}"


@examples(150)
@given(any_steps())
def test_a_rollback_is_named_only_where_something_is_left_to_roll_back(steps: Steps) -> None:
    if next_step(steps).book == ROLLBACK:
        assert steps.left_changed
        assert (steps.change or {}).get("backup")
    text = "\n".join(screen({"ex01": steps}, command=COMMAND))
    assert ("rollback-tls12" in text) is (next_step(steps).book == ROLLBACK)


@examples(150)
@given(any_steps())
def test_well_is_said_only_where_all_is_well(steps: Steps) -> None:
    failing = bool(steps.failed_step or steps.error or steps.undone)
    if steps.category in ("verified", "as wanted", "restored"):
        assert not failing
        assert not steps.unreachable
    if steps.category == "verified" or steps.word == "verified":
        assert steps.verify is not None
        assert steps.verify["verdict"]["verified"] is True
    if failing:
        assert steps.category in ("broken", "failed", "unreachable")
        assert steps.word.startswith(("FAILED", "UNREACHABLE"))
    if next_step(steps).words == "nothing to do":
        assert not failing
        assert not steps.restart_wanted or steps.category not in ("broken", "failed", "unreachable")


@examples(150)
@given(any_steps())
def test_what_failed_is_told(steps: Steps) -> None:
    text = " ".join(line.strip() for line in screen({"ex01": steps}, command=COMMAND))
    step = next((dict(steps.made)[name] for name in [steps.failed_step] if name), None)
    if step is not None:
        kind = step["error"]["kind"]
        assert step["msg"] in text or kind in ("findings", "not_proven"), "these are told by the lines on settings"
    elif steps.error:
        assert steps.error in text
    for problem in (steps.verdict or {}).get("problems", ()):
        if not problem.startswith("[") and not (steps.check_mode and steps.change):
            assert problem in text


@examples(80)
@given(fleets)
def test_lines_are_short_plain_and_said_once(hosts: dict[str, Steps]) -> None:
    lines = screen(hosts, command=COMMAND)
    for line in lines:
        assert line.isprintable()
        assert len(line) <= 120 or "ansible-playbook" in line
        assert line == line.rstrip()
    for block in blocks_of(lines)[1:]:
        said = [re.sub(r"^(\w+:)? +", "", line) for line in block]
        assert len(said) == len(set(said)), block
    assert lines[0] != ""
    assert all(first or second for first, second in itertools.pairwise(lines)), "no two blank lines"


@examples(80)
@given(fleets, st.randoms(use_true_random=False))
def test_the_order_of_servers_does_not_matter(hosts: dict[str, Steps], shuffler: random.Random) -> None:
    items = list(hosts.items())
    shuffler.shuffle(items)
    assert screen(dict(items), command=COMMAND) == screen(hosts, command=COMMAND)


@examples(80)
@given(any_steps())
def test_equal_servers_share_a_block(steps: Steps) -> None:
    one, many = screen({"ex01": steps}, command=COMMAND), screen(dict.fromkeys(NAMES, steps), command=COMMAND)
    assert len(many) - len(one) <= len(NAMES) - 1 + (len(NAMES) if steps.category in ("verified", "as wanted") else 2)
