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
