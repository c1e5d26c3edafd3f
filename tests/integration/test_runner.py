# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As AWX runs it: ansible-runner in a private data directory, credentials as a machine credential, answers as words.

AWX hands over ``-u USER --ask-pass`` and answers the prompt, puts survey answers into extra variables as strings, and
makes an audit of a job of type *Check*.
"""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import ansible_runner
import pytest

from tests.lab.client import LabClient
from tests.lab.inventory import host_variables

from .harness import ROOT, TLS12_CLIENT

pytestmark = pytest.mark.awx

LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": {
        name: {
            "windows": "2019",
            "registry": ["stock", "tls12_off"],
            "endpoints": [{"kind": "smtp", "port": 2525}],
            "restart": {"shutdown_delay": 0.1, "down_for": 0.3},
        }
        for name in ("ex01", "ex02")
    },
}
SURVEY = {
    "tls12_fail_on_findings": "false",
    "tls12_reboot": "if_pending",
    "tls12_endpoints": ["smtp://:2525"],
    "tls12_serial": "1",
}


def job(lab: LabClient, folder: pathlib.Path, *cmdline: str, **answers: t.Any) -> t.Any:
    """One job: its private data directory is made as AWX makes it."""
    hosts = {}
    for host in lab.hosts():
        variables = host_variables(lab, host)
        for secret in ("ansible_user", "ansible_password"):
            del variables[secret]
        hosts[host.name] = {**variables, "remote_tower_id": 1}
    inventory = {"exchange": {"hosts": list(hosts)}, "_meta": {"hostvars": hosts}}
    for name in ("inventory", "env"):
        (folder / name).mkdir()
    script = folder / "inventory" / "hosts"
    # no interpreter in the first line: a path with blanks could not stand there
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(inventory)}\nEND\n", encoding="utf-8")
    script.chmod(0o700)
    (folder / "project").symlink_to(ROOT)
    extra = {"awx_job_id": 7, "awx_job_launch_type": "manual", **SURVEY, **answers}
    return ansible_runner.run(
        private_data_dir=str(folder),
        playbook="playbooks/enforce-tls12.yml",
        cmdline=" ".join(["-u labadmin --ask-pass --forks=5", *cmdline]),
        extravars={**extra, "tls12_backup_dir": str(folder / "backups")},
        passwords={"SSH password:\\s*?$": "Lab-Pass-1"},
        envvars={
            name: os.environ[name] for name in ("ANSIBLE_CONFIG", "ANSIBLE_HOME", "ANSIBLE_COLLECTIONS_PATH", "PATH")
        }
        | ({"ANSIBLE_CALLBACKS_ENABLED": "mailops.exchange_tls.summary"} if "tls12_report_dir" in answers else {}),
        settings={"job_timeout": 100},
        quiet=True,
    )


def text_of(run: t.Any) -> str:
    with run.stdout as stream:
        return str(stream.read())


def results(run: t.Any, module: str) -> list[tuple[str, dict[str, t.Any]]]:
    """(host, result) of each task with the module."""
    return [
        (event["event_data"]["host"], event["event_data"]["res"])
        for event in run.events
        if event["event"] == "runner_on_ok"
        and event["event_data"].get("resolved_action", event["event_data"]["task_action"]).endswith(f".{module}")
    ]


def test_check_and_run(lab: LabClient, tmp_path: pathlib.Path) -> None:
    dumps = {host.name: host.dump() for host in lab.hosts()}
    (tmp_path / "check").mkdir()
    run = job(lab, tmp_path / "check", "--check", "--diff")
    output = text_of(run)
    assert run.status == "successful", output
    assert {host: result["changed"] for host, result in results(run, "tls_settings")} == {"ex01": True, "ex02": True}
    assert {host.name: host.dump() for host in lab.hosts()} == dumps
    assert not (tmp_path / "check" / "backups").exists()

    (tmp_path / "run").mkdir()
    run = job(lab, tmp_path / "run")
    output = text_of(run)
    assert run.status == "successful", output
    assert [len(host.restarts()) for host in lab.hosts()] == [1, 1]
    assert all(host.effective_protocols("smtp")[-1] == "TLS 1.2" for host in lab.hosts())
    assert len(list((tmp_path / "run" / "backups").iterdir())) == 2
    assert output.count("1 verified; not reached: none") == 2
    # progress is seen while the job runs
    assert any("restart requested" in event["stdout"] for event in run.events if event["event"] == "verbose")
    artifacts = tmp_path / "run" / "artifacts"
    assert not [path for path in artifacts.rglob("*") if path.is_file() and b"Lab-Pass-1" in path.read_bytes()]


def artifacts(run: t.Any) -> dict[str, t.Any]:
    """What AWX keeps of a job, and hands to later nodes of a workflow."""
    (end,) = [event["event_data"] for event in run.events if event["event"] == "playbook_on_stats"]
    return dict(end.get("artifact_data") or {}).get("exchange_tls") or {}


def test_a_workflow_is_told_of_all_batches(lab: LabClient, tmp_path: pathlib.Path) -> None:
    (tmp_path / "run").mkdir()
    run = job(lab, tmp_path / "run", tls12_report_dir=str(tmp_path / "reports"))
    assert run.status == "successful", text_of(run)
    told = artifacts(run)
    report = pathlib.Path(told.pop("report"))
    assert told == {
        "compliant": True,
        "counts": {"verified": 2},
        "servers": {"verified": ["ex01", "ex02"]},
        "restart_pending": [],
    }
    assert json.loads((report / "result.json").read_text(encoding="ascii"))["totals"]["compliant"] == 2


def test_a_workflow_is_told_who_failed_or_was_lost(lab: LabClient, tmp_path: pathlib.Path) -> None:
    lab.host("ex02").set_quirk("down")
    (tmp_path / "lost").mkdir()
    run = job(lab, tmp_path / "lost")
    assert run.status == "failed"
    # nothing of ours runs after a whole batch was lost
    assert artifacts(run)["servers"] == {"not touched": ["ex02"], "verified": ["ex01"]}
    (tmp_path / "together").mkdir()
    run = job(lab, tmp_path / "together", tls12_serial="2")
    assert artifacts(run)["servers"] == {"unreachable": ["ex02"], "verified": ["ex01"]}
    assert artifacts(run)["compliant"] is False
    lab.host("ex02").clear_quirks()

    lab.host("ex01").set_value(TLS12_CLIENT, "Enabled", 0)
    fault = {"kind": "access_denied", "operation": "*SetDWORDValue", "every": True}
    lab.host("ex01").set_quirk("fault", fault)
    (tmp_path / "failed").mkdir()
    run = job(lab, tmp_path / "failed")
    lab.host("ex01").clear_quirks()
    assert run.status == "failed"
    assert artifacts(run)["servers"] == {"broken": ["ex01"], "not touched": ["ex02"]}
