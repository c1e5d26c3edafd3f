# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tls12_hosts in a place that a play does not read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible import context
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _patterns

GROUPS = {"all": ["ex01", "ex02", "web"], "exchange": ["ex01", "ex02"], "ungrouped": []}


def problems(given: Any, play: list[str], host: str = "ex01") -> list[str]:
    variables = {"groups": GROUPS, "ansible_play_hosts_all": play, "inventory_hostname": host}
    return _patterns.out_of_place(variables if given is ... else {**variables, "tls12_hosts": given})


@pytest.mark.parametrize("given", [..., None, "", " ", "exchange", "ex01,ex02", ["ex02", "ex01"], "all:!web"])
def test_what_the_play_runs_on(given: Any) -> None:
    assert problems(given, ["ex01", "ex02"]) == []


@pytest.mark.parametrize("given", ["web", "all", "ex01", "nowhere", "{{ x }}", "exchange:!ex02"])
def test_what_it_does_not_run_on(given: str) -> None:
    (problem,) = problems(given, ["ex01", "ex02"])
    assert problem.startswith(f"'tls12_hosts' is {given}, but this play runs on other hosts")
    assert problems(given, ["ex01", "ex02"], host="ex02") == [], "the first says it for all"


def test_a_limit_leaves_hosts_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "CLIARGS", {"subset": "ex01"})
    assert problems("exchange", ["ex01"]) == []
    assert problems("web", ["ex01"])
