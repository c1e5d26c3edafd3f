# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a run: of all its batches, whatever became of them, and the same form from every playbook."""

from __future__ import annotations

import csv
import io
import json
import pathlib
import re
import typing as t
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report import schema

from tests.lab.client import LabClient

from .harness import PROTOCOLS_KEY, Ansible, Run

ENDPOINT: list[dict[str, t.Any]] = [{"kind": "smtp", "port": 2525}]
HOST: dict[str, t.Any] = {
    "windows": "2016",
    "registry": ["stock", "tls12_off"],
    "endpoints": ENDPOINT,
    "restart": {"shutdown_delay": 0.1, "down_for": 0.3},
}
HOSTILE = "TLS 1,2 <script>\u202e\x9b31m"
STRAY = {rf"HKLM\{PROTOCOLS_KEY}\{HOSTILE}": {"=Enabled": {"type": "REG_SZ", "data": "<b>" + "x" * 100_000}}}
LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": {**{f"ex{number:02}": HOST for number in range(1, 7)}, "ex06": {**HOST, "registry": ["stock", STRAY]}},
}
CALLBACK = {"ANSIBLE_CALLBACKS_ENABLED": "record,mailops.exchange_tls.summary"}
FILES = ["findings.csv", "junit.xml", "report.html", "result.json"]


def play(ansible: Ansible, book: str, *arguments: str, **how: t.Any) -> Run:
    given = {"tls12_endpoints": ["smtp://:2525"], "tls12_report_dir": str(ansible.folder / "reports"), **how}
    return ansible.playbook(book, *arguments, env=CALLBACK, **given)


def report_of(run: Run) -> pathlib.Path:
    """The folder that the last screen names."""
    (path,) = re.findall(r"(?m)^report:   (.*)/report\.html$", run.output)
    return pathlib.Path(path)


def result_of(run: Run) -> dict[str, t.Any]:
    """The result, and it has the form that is promised."""
    found = json.loads((report_of(run) / "result.json").read_text(encoding="ascii"))
    assert schema.problems(found) == []
    return t.cast("dict[str, t.Any]", found)


def servers(result: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    return {item["name"]: item for item in result["servers"]}


def test_a_folder_whose_name_was_cut_at_a_blank(ansible: Ansible) -> None:
    """Nothing is written to the folder that Ansible makes of it."""
    run = ansible.playbook(
        "audit-tls12.yml", "-l", "ex01", "-e", f"tls12_report_dir={ansible.folder}/my reports", env=CALLBACK
    )
    assert run.rc == 2
    assert "'-e' gives 'tls12_report_dir', and words behind a blank" in run.output
    assert not (ansible.folder / "my").exists()


def test_all_batches_of_a_run_and_who_was_lost(lab: LabClient, ansible: Ansible) -> None:
    lab.host("ex03").set_quirk("down")
    run = play(ansible, "enforce-tls12.yml", "-l", "ex01,ex02,ex03,ex04,ex05", tls12_serial=2)
    lab.host("ex03").clear_quirks()
    assert run.rc != 0
    result = result_of(run)
    # written on ex04 before ex03 was lost, and not restarted
    assert list(servers(result)) == ["ex04", "ex03", "ex01", "ex02"], "the worst first"
    assert result["not_reached"] == ["ex03"]
    assert result["not_touched"] == ["ex05"]
    one = servers(result)["ex01"]
    assert (one["state"], one["compliant"], one["restart"]["made"]) == ("verified", True, True)
    assert one["before"]["TLS 1.2"]["Client"]["effective"] == "disabled"
    assert one["after"]["TLS 1.2"]["Client"]["effective"] == "enabled"
    assert {item["status"] for item in one["changes"]} == {"written"}
    assert one["handshakes"]["after"][0]["versions"]["TLS 1.2"]["accepted"] is True
    assert result["run"]["playbook"].endswith("enforce-tls12.yml")
    assert result["run"]["variables"]["tls12_serial"] == 2

    folder = report_of(run)
    assert folder.parent == ansible.folder / "reports"
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    rows = list(csv.DictReader(io.StringIO((folder / "findings.csv").read_text(encoding="utf-8-sig"))))
    assert {row["server"] for row in rows} == {"ex01", "ex02", "ex03", "ex04", "ex05"}
    suites = ET.fromstring((folder / "junit.xml").read_text(encoding="utf-8"))
    assert [suite.get("name") for suite in suites] == ["ex04", "ex03", "ex01", "ex02", "ex05"]
    assert int(suites.get("errors") or 0) == 2
    assert "Lab-Pass-1" not in "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())


def test_one_form_from_every_playbook_and_nothing_is_overwritten(lab: LabClient, ansible: Ansible) -> None:
    host = lab.host("ex05")
    dump = host.dump()
    predicted = result_of(play(ansible, "enforce-tls12.yml", "-l", "ex05", "--check"))
    assert host.dump() == dump
    first = servers(predicted)["ex05"]
    assert predicted["run"]["check_mode"] is True
    assert (first["changed"], first["changes"], first["compliant"]) == (False, [], False)
    assert first["before"]["TLS 1.2"]["Server"]["effective"] == "disabled"
    assert first["after"]["TLS 1.2"]["Server"]["effective"] == "enabled"

    audited = servers(result_of(play(ansible, "audit-tls12.yml", "-l", "ex05")))["ex05"]
    assert (audited["state"], audited["after"], audited["plan"]) == ("broken", None, [])
    done = servers(result_of(play(ansible, "enforce-tls12.yml", "-l", "ex05")))["ex05"]
    plan = [(item["key"], item["value"], item["after"]) for item in first["plan"]]
    assert plan
    assert plan == [(item["key"], item["value"], item["after"]) for item in done["changes"]]
    again = servers(result_of(play(ansible, "enforce-tls12.yml", "-l", "ex05")))["ex05"]
    assert (again["state"], again["changed"], again["after"]) == ("verified", False, None)
    hardened = servers(result_of(play(ansible, "harden-tls.yml", "-l", "ex05")))["ex05"]
    assert hardened["before"]["TLS 1.0"]["Server"]["effective"] == "enabled"
    assert hardened["after"]["TLS 1.0"]["Server"]["effective"] == "disabled"
    back = servers(result_of(play(ansible, "rollback-tls12.yml", "-l", "ex05")))["ex05"]
    assert back["state"] == "restored"
    assert back["restored_from"]
    assert back["before"]["TLS 1.0"]["Server"]["effective"] == "disabled"
    assert back["after"]["TLS 1.0"]["Server"]["effective"] == "enabled"
    assert len(list((ansible.folder / "reports").iterdir())) == 6


def test_a_server_that_fails_is_in_it(lab: LabClient, ansible: Ansible) -> None:
    host = lab.host("ex06")
    host.set_quirk("fault", {"kind": "access_denied", "operation": "*SetDWORDValue", "every": True})
    run = play(ansible, "enforce-tls12.yml", "-l", "ex06,ex01")
    host.clear_quirks()
    assert run.rc == 2
    result = result_of(run)
    assert servers(result)["ex06"]["state"] == "failed"
    assert servers(result)["ex06"]["error"]


def test_what_a_server_sends_is_harmless(lab: LabClient, ansible: Ansible) -> None:
    run = play(ansible, "audit-tls12.yml", "-l", "ex06")
    folder = report_of(run)
    strays = [item for item in servers(result_of(run))["ex06"]["findings"] if item["id"].startswith("stray.")]
    assert strays
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    for name in FILES:
        text = (folder / name).read_text(encoding="utf-8")
        assert not set("\u202e\x9b") & set(text), name
        assert len(text) < 200_000, name


@pytest.mark.parametrize("cause", ["no callback", "no folder"])
def test_it_is_refused_before_anything_is_done(lab: LabClient, ansible: Ansible, cause: str) -> None:
    lab.host("ex02").reset_log()
    (ansible.folder / "a-file").touch()
    if cause == "no callback":
        run = ansible.playbook("enforce-tls12.yml", "-l", "ex02", tls12_report_dir=str(ansible.folder / "reports-2"))
        said = "'tls12_report_dir' is set, and nobody would write the report"
    else:
        run = play(ansible, "enforce-tls12.yml", "-l", "ex02", tls12_report_dir=str(ansible.folder / "a-file"))
        said = "is no folder"
        assert "could not be written" not in run.output, "it is said once that there is no report"
    assert run.rc == 2
    assert said in re.sub(r"\s+", " ", run.output)
    assert lab.host("ex02").operations() == []
    assert not (ansible.folder / "reports-2").exists()


def test_reports_are_merged_and_compared(lab: LabClient, ansible: Ansible) -> None:
    """Two slices of a fleet, and what has changed since."""
    audit = play(ansible, "audit-tls12.yml", "-l", "ex01,ex06")
    assert audit.output.count("Sum up at the end of the run") == 1, "once for a batch, and not for each server"
    before = report_of(audit)
    lab.host("ex06").set_value(rf"{PROTOCOLS_KEY}\TLS 1.2\Server", "Enabled", 0)
    slices = [report_of(play(ansible, "audit-tls12.yml", "-l", name)) for name in ("ex02", "ex06")]
    given = {
        "tls12_reports": [str(path) for path in slices],
        "tls12_report_since": str(before),
        "tls12_report_dir": str(ansible.folder / "merged"),
    }
    told = ansible.playbook("merge-reports.yml", **given).ok().result("tls_report", "localhost")
    assert told["totals"]["servers"] == 2
    assert (told["comparison"]["appeared"], told["comparison"]["disappeared"]) == (["ex02"], ["ex01"])
    (changed,) = told["comparison"]["servers"]
    assert (changed["name"], changed["state"]["to"]) == ("ex06", "broken")
    folder = pathlib.Path(told["report"])
    assert sorted(path.name for path in folder.iterdir()) == FILES
    result = json.loads((folder / "result.json").read_text(encoding="ascii"))
    assert schema.problems(result) == []
    assert sorted(result["run"]["merged_from"]) == sorted(path.name for path in slices)
    checked = ansible.playbook("merge-reports.yml", "--check", **given).ok()
    assert checked.result("tls_report", "localhost")["report"] is None
    assert len(list((ansible.folder / "merged").iterdir())) == 1
    # the folder that reports were written to stands for all in it
    again = ansible.playbook("merge-reports.yml", tls12_reports=str(before.parent)).ok()
    assert {str(path) for path in (before, *slices)} <= {
        str(pathlib.Path(name).parent) for name in again.result("tls_report", "localhost")["merged_from"]
    }


@pytest.mark.parametrize(
    ("reports", "said"),
    [([], "'results' (tls12_reports in the playbook) is empty"), (["/nowhere/*"], "there is no file")],
)
def test_what_cannot_be_merged_is_told(ansible: Ansible, reports: list[str], said: str) -> None:
    run = ansible.playbook("merge-reports.yml", tls12_reports=reports)
    assert run.rc == 2
    assert said in run.result("tls_report", "localhost")["msg"]
