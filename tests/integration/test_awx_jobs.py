# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every job template for AWX, as AWX prepares its jobs, run by ansible-runner against the lab."""

from __future__ import annotations

import json
import pathlib
import shutil
import typing as t

import pytest

from tests.awx import definitions, jobs
from tests.lab.client import HostClient, LabClient

from .harness import NOTE_KEY

HOST: dict[str, t.Any] = {
    "windows": "2019",
    "registry": ["stock", "tls12_off"],
    "endpoints": [{"kind": "smtp", "port": 2525}],
    "restart": {"shutdown_delay": 0.1, "down_for": 0.3},
}
LAB: dict[str, t.Any] = {
    "accounts": [{"user": jobs.USER, "password": jobs.PASSWORD, "administrator": True}],
    "hosts": dict.fromkeys(("ex01", "ex02", "ex03"), HOST),
}
ENDPOINTS = {"tls12_endpoints": "smtp://:2525"}


def launch(template: str, folder: pathlib.Path, **how: t.Any) -> jobs.Launch:
    """With a folder for backups that all jobs of a test have in common, as a mounted one."""
    asked = {question["variable"] for question in definitions.templates()[template]["survey_spec"]["spec"]}
    given = {name: answer for name, answer in ENDPOINTS.items() if name in asked}
    return jobs.Launch(
        template,
        answers={**given, **how.pop("answers", {})},
        extra_vars={"tls12_backup_dir": str(folder / "backups")},
        **how,
    )


def protocols(lab: LabClient) -> dict[str, t.Any]:
    return {host.name: host.dump() for host in lab.hosts()}


def offers_tls12(host: HostClient) -> bool:
    return "TLS 1.2" in host.effective_protocols("smtp")


# What every ansible-core is tried with.
SMOKE = "enforce"


@pytest.mark.parametrize(
    "template",
    [
        pytest.param(name, marks=[pytest.mark.smoke] if name == SMOKE else [])
        for name in definitions.templates()
        if not name.startswith(("harden", "rollback", "merge"))
    ],
)
def test_a_check_changes_nothing(lab: LabClient, tmp_path: pathlib.Path, template: str) -> None:
    """With a blank form, on a limit; the type check of a launch is heard."""
    before = protocols(lab)
    job = jobs.run(launch(template, tmp_path, job_type="check", limit="ex03"), lab, tmp_path / "job")
    assert job.status == "successful", jobs.text_of(job)
    assert set(job.stats["processed"]) == {"ex03"}
    assert protocols(lab) == before
    assert not (tmp_path / "backups").exists()


def test_the_reports_of_slices_become_one(
    lab: LabClient, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # that of the project, which counts in AWX: it enables the callback that writes reports
    monkeypatch.setenv("ANSIBLE_CONFIG", str(jobs.ROOT / "ansible.cfg"))
    reports = tmp_path / "reports"
    extra_vars = {"tls12_report_dir": str(reports)}
    for number in (1, 2):
        job = jobs.run(
            jobs.Launch("audit", slice_of=(number, 2), extra_vars=extra_vars), lab, tmp_path / f"slice{number}"
        )
        assert job.status == "successful", jobs.text_of(job)
    slices = sorted(path.name for path in reports.iterdir())
    assert len(slices) == 2
    merging = jobs.Launch("merge reports", answers={"tls12_reports": f"{reports}/*"}, extra_vars=extra_vars)
    job = jobs.run(merging, lab, tmp_path / "merged")
    assert job.status == "successful", jobs.text_of(job)
    (merged,) = [path for path in reports.iterdir() if path.name not in slices]
    told = json.loads((merged / "result.json").read_text(encoding="utf-8"))
    assert {item["name"] for item in told["servers"]} == {"ex01", "ex02", "ex03"}


@pytest.mark.awx
def test_a_job_that_is_cancelled_is_finished_by_another(lab: LabClient, tmp_path: pathlib.Path) -> None:
    """Each job has a folder of its own, which is gone with it; what is pending is noted on the server."""
    hook = tmp_path / "wait.yml"
    hook.write_text(
        "- name: Wait here\n  ansible.builtin.wait_for: {timeout: 60}\n  delegate_to: localhost\n", encoding="utf-8"
    )
    host = lab.host("ex01")
    cut = launch("enforce", tmp_path, limit="ex01")
    cut.extra_vars = {**cut.extra_vars, "tls12_before_reboot_tasks": str(hook)}
    first = jobs.run(
        cut, lab, tmp_path / "first", cancel_after=lambda event: event["event_data"].get("task") == "Wait here"
    )
    assert first.status == "canceled"
    assert host.registry(NOTE_KEY) is not None
    assert host.restarts() == []
    for place in ("first", "backups"):
        shutil.rmtree(tmp_path / place)
    second = jobs.run(launch("enforce", tmp_path, limit="ex01"), lab, tmp_path / "second")
    assert second.status == "successful", jobs.text_of(second)
    assert len(host.restarts()) == 1
    assert offers_tls12(host)
    assert "1 verified; not reached: none" in jobs.text_of(second)
    # the values that were there before are gone with the folder, and that is said
    third = jobs.run(launch("rollback", tmp_path, limit="ex01"), lab, tmp_path / "third")
    assert third.status == "failed"
    assert "no backup" in jobs.results(third, "tls_rollback")["ex01"]["msg"]
    # ansible-runner itself writes the environment of a job into the file "command"
    artifacts = [
        path for path in (tmp_path / "second" / "artifacts").rglob("*") if path.is_file() and path.name != "command"
    ]
    assert len(artifacts) > 5
    assert not [path for path in artifacts if jobs.PASSWORD.encode() in path.read_bytes()]
