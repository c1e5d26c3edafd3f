# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tls12_hosts in a place that a play does not read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible import context
from ansible.errors import AnsibleError, AnsibleFilterError
from ansible_collections.mailops.exchange_tls.plugins.filter.tls_hosts import tls_hosts
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils import _patterns, _typed

GROUPS = {"all": ["ex01", "ex02", "web"], "exchange": ["ex01", "ex02"], "ungrouped": []}


def problems(given: Any, play: list[str], host: str = "ex01", *, writes: bool = False) -> list[str]:
    variables = {"groups": GROUPS, "ansible_play_hosts_all": play, "inventory_hostname": host}
    named = variables if given is ... else {**variables, "tls12_hosts": given}
    return _patterns.out_of_place(named, _template, writes=writes)


def _template(given: Any) -> Any:
    return {"{{ site }}": "exchange", "{{ none }}": " ", "{{ list }}": ["ex01", "ex02"]}.get(str(given), given)


@pytest.mark.parametrize(
    "given",
    [
        ...,
        None,
        "",
        " ",
        "null",
        " ~ ",
        "exchange",
        "ex01,ex02",
        ["ex02", "ex01"],
        "all:!web",
        "{{ site }}",
        "{{ none }}",
        "{{ list }}",
    ],
)
def test_what_the_play_runs_on(given: Any) -> None:
    assert problems(given, ["ex01", "ex02"]) == []


@pytest.mark.parametrize("given", ["web", "all", "ex01", "nowhere", "{{ x }}", "exchange:!ex02", "[]"])
def test_what_it_does_not_run_on(given: str) -> None:
    (problem,) = problems(given, ["ex01", "ex02"])
    assert problem.startswith(f"'tls12_hosts' is {given}, but this play runs on other hosts")
    assert problems(given, ["ex01", "ex02"], host="ex02") == [], "the first says it for all"
    assert problems(given, ["ex01", "ex02"], host="ex02", writes=True) == [problem], "but each keeps its own values"


def test_a_limit_leaves_hosts_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "CLIARGS", {"subset": "ex01"})
    assert problems("exchange", ["ex01"]) == []
    assert problems("web", ["ex01"])


def test_a_play_takes_a_part_of_what_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with ``hosts: "{{ tls12_hosts }}:&site"``, which reads the variable."""
    assert problems("exchange", ["ex01"]), "from the inventory nobody reads it"
    monkeypatch.setattr(_typed, "load_extra_vars", lambda loader: {"tls12_hosts": "exchange"})
    assert problems("exchange", ["ex01"]) == []
    assert problems("exchange", ["ex01", "web"], host="ex01")


@pytest.mark.parametrize(
    "pattern",
    ["exchange:!", "exchange:&", f"ex01[0:{'9' * 5000}]", "~ex0[", "ex0[1:", "~(ex", "all:!~(", r"~\UFFFFFFFF"],
)
def test_what_ansible_core_itself_cannot_read(pattern: str) -> None:
    with pytest.raises(AnsibleError):
        [_patterns.matching(part, GROUPS) for part in _patterns.parts(pattern)]
    with pytest.raises(AnsibleFilterError, match="is no pattern of hosts: ") as caught:
        tls_hosts(pattern, GROUPS)
    assert len(str(caught.value)) < 700
