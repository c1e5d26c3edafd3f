# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for results of runs, as plays call them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.mailops.exchange_tls.plugins.filter.tls_artifact import tls_artifact
from ansible_collections.mailops.exchange_tls.plugins.filter.tls_findings import tls_findings, tls_group, tls_text_table
from ansible_collections.mailops.exchange_tls.plugins.filter.tls_merge_results import (
    tls_compare_results,
    tls_merge_results,
)

from ..plugin_utils.report.results import fleet, of
from ..plugin_utils.report.stories import changed, gone, restarted, settings, verified


def test_findings_of_a_run_and_of_tasks_that_match() -> None:
    of_run = of(fleet(12))
    high = tls_findings(of_run, "severity == 'high' && status != 'compliant'")
    assert high
    assert {item["severity"] for item in high} == {"high"}
    assert {item["server"] for item in high} <= {item["name"] for item in of_run["servers"]}
    of_tasks = tls_findings({"ex01": settings("off"), "ex02": {"failed": True}, "ex03": None})
    assert {item["server"] for item in of_tasks} == {"ex01"}
    assert tls_findings(settings("off"), "status == 'noncompliant'")[0]["server"] == "EX01"
    assert tls_findings(settings("fine"), "status == 'noncompliant'") == []


@pytest.mark.parametrize("found", [5, "text", ["list"], {"ex01": 5}, {"findings": 5}])
def test_what_has_no_findings_is_refused(found: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="tls_findings takes"):
        tls_findings(found)


def test_a_mistake_in_an_expression_is_told() -> None:
    with pytest.raises(AnsibleFilterError, match="severty"):
        tls_findings(settings("off"), "severty == 'high'")


def test_groups_and_a_table() -> None:
    rows = [{"a": "x", "b": 1}, {"a": None, "b": 22}, {"a": "x", "b": "\x1b[31m"}]
    assert {key: len(value) for key, value in tls_group(rows, "a").items()} == {"x": 2, "": 1}
    assert tls_text_table(rows, ["a", "b", "c"]) == [
        "a  b             c",
        "-  ------------  -",
        "x  1",
        "   22",
        "x  <U+001B>[31m",
    ]
    with pytest.raises(AnsibleFilterError, match="one of their keys"):
        tls_group(rows, "z")
    with pytest.raises(AnsibleFilterError, match="list of their keys"):
        tls_text_table(5, ["a"])


def test_results_of_runs_only() -> None:
    with pytest.raises(AnsibleFilterError, match="one at least"):
        tls_merge_results([])
    with pytest.raises(AnsibleFilterError, match="'schema' is not"):
        tls_merge_results([{"servers": []}])
    with pytest.raises(AnsibleFilterError, match="schema_version"):
        tls_compare_results({**of(fleet(1)), "schema_version": 9}, of(fleet(1)))
    assert tls_merge_results([of(fleet(2))])["totals"]["servers"] == 2


def test_the_artifact_of_all_batches() -> None:
    hostvars = {
        "ex01": {
            "_tls12_change": changed(),
            "_tls12_restart": restarted(),
            "_tls12_verify": verified(accepted={"smtp": True}),
        },
        "ex02": {"_tls12_change": gone()},
        "ex03": {},
        "web01": {},
    }
    told = tls_artifact(hostvars, ["ex01", "ex02", "ex03"], check_mode="false")
    assert told == {
        "compliant": False,
        "counts": {"verified": 1, "unreachable": 1, "not touched": 1},
        "servers": {"verified": ["ex01"], "unreachable": ["ex02"], "not touched": ["ex03"]},
        "restart_pending": [],
        "report": None,
    }
    assert tls_artifact({}, [])["compliant"] is False, "nothing was looked at"
    with pytest.raises(AnsibleFilterError, match="tls_artifact takes"):
        tls_artifact(5, ["ex01"])
