# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's own screen: who speaks for whom, and whom the next command is for."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.mailops.exchange_tls.plugins.filter.tls_overview import tls_overview

FAILED: dict[str, t.Any] = {"_tls12_audit": {"failed": True, "msg": "no", "error": {"kind": "x"}}}
UNDER_WAY: dict[str, t.Any] = {"_tls12_change": {"changed": False}}


@pytest.mark.parametrize(
    ("host", "batch", "ended", "shown"),
    [
        ("a", ["a", "b"], [], ["a", "b"]),
        ("b", ["a", "b"], [], ["b"]),
        # with run_once the first of a batch speaks, also where it has failed and is in the batch no more
        ("a", ["b"], ["a"], ["a", "b"]),
        ("a", [], ["a", "b"], ["a", "b"]),
        ("b", ["b"], ["a"], ["a", "b"]),
    ],
)
def test_who_speaks_for_whom(host: str, batch: list[str], ended: list[str], shown: list[str]) -> None:
    lines = tls_overview({"a": FAILED, "b": FAILED}, host, batch, ended)
    rows = lines[1 : lines.index("")]
    assert [row.split()[0] for row in rows] == shown


@pytest.mark.parametrize(("host", "ended"), [("a", []), ("b", ["b"])])
def test_where_others_are_under_way_each_speaks_for_itself(host: str, ended: list[str]) -> None:
    lines = tls_overview({"a": UNDER_WAY, "b": FAILED}, host, ["a"] if ended else ["a", "b"], ended)
    assert [row.split()[0] for row in lines[1 : lines.index("")]] == [host]


@pytest.mark.parametrize(("play", "limited"), [(["a"], False), (["a", "b"], True)])
def test_the_next_command_is_for_the_hosts_that_need_it(play: list[str], limited: bool) -> None:
    """A batch of one server is not the play."""
    lines = tls_overview({"a": FAILED}, "a", [], ["a"], play=play)
    assert ("-l a" in "\n".join(lines)) is limited


@pytest.mark.parametrize(
    ("batch", "ended", "done", "told"),
    [
        # the first has failed and is in the batch no more; the run may end here, and no other screen would name them
        ("", "a", "", "not touched yet: b, c, d"),
        ("b", "a", "", "not touched yet: c, d"),
        # the keyword order of a play makes batches in another order than that of the list of its hosts
        ("", "c", "d", "not touched yet: a, b"),
        ("", "a", "bcd", "not touched: none"),
        ("bcd", "a", "", "not touched: none"),
        # the run goes on
        ("a", "", "", "not touched: none of this batch"),
        ("d", "", "abc", "not touched: none of this batch"),
        ("abcd", "", "", "not touched: none"),
    ],
)
def test_those_whom_no_batch_has_come_to_are_named(batch: str, ended: str, done: str, told: str) -> None:
    hostvars = {name: FAILED if name in batch + ended + done else {} for name in "abcd"}
    lines = tls_overview(hostvars, (batch or ended)[0], [*batch], [*ended], play=[*"abcd"])
    assert lines[-1].endswith(f"; {told}")


def test_without_the_hosts_of_the_play_the_batch_is_all() -> None:
    assert tls_overview({"a": FAILED}, "a", ["a"])[-1].endswith("; not touched: none")
