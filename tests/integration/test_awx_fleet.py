# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Longer stories of AWX: each template that changes something, slices through DAGs, a maintenance in two jobs."""

from __future__ import annotations

import concurrent.futures
import pathlib
import shutil
import typing as t

import pytest

from tests.awx import jobs
from tests.lab.client import HostClient, LabClient
from tests.lab.inventory import exchange_variables

from .harness import NOTE_KEY

SERVER: dict[str, t.Any] = {
    "windows": "2019",
    "services": ["exchange"],
    "registry": ["stock"],
    "endpoints": [{"kind": "smtp", "port": 2525}],
    "restart": {"shutdown_delay": 0.05, "down_for": 0.3},
    "exchange": {
        "build": "15.02.1544.011",
        "shell": {"http": None, "https": 8443, "auth": ["basic"]},
        "queues": [{"domain": "contoso.com", "messages": 30}],
    },
}
PLAIN = {key: SERVER[key] for key in ("windows", "registry", "endpoints", "restart")}
# Neighbours are in different slices of two.
PAIRS = {"one": ("ex01", "ex02"), "two": ("ex03", "ex04")}
PARTNERS = {name: pair[1 - number] for pair in PAIRS.values() for number, name in enumerate(pair)}
LAB: dict[str, t.Any] = {
    "exchange_clock": 600,
    "accounts": [
        {"user": jobs.USER, "password": jobs.PASSWORD},
        {"user": "exadmin", "password": "Lab-Pass-3", "domain": "lab.test"},
    ],
    "hosts": {
        **dict.fromkeys((*PARTNERS, "ex05"), SERVER),
        **dict.fromkeys(("plain1", "plain2"), PLAIN),
    },
    "dags": {
        f"DAG-{name}": {
            "members": list(pair),
            "databases": {f"{name}-1": {"active": pair[0]}, f"{name}-2": {"active": pair[1]}},
        }
        for name, pair in PAIRS.items()
    },
}

pytestmark = [pytest.mark.awx, pytest.mark.slow, pytest.mark.timeout(300)]


def launch(lab: LabClient, folder: pathlib.Path, template: str, **how: t.Any) -> jobs.Launch:
    """Each member is asked about on its partner; backups go where all jobs of a test find them."""
    variables = exchange_variables(lab, lab.host("ex01"), "basic")
    addresses = {host.name: lab.host(PARTNERS.get(host.name, host.name)).address for host in lab.hosts()}
    variables["exchange_server"] = f"{{{{ {addresses} [inventory_hostname] }}}}"
    answers = {"tls12_minimum_healthy_copies": 1, "tls12_endpoints": "smtp://:2525", **how.pop("answers", {})}
    extra = {"tls12_backup_dir": str(folder / "backups"), "tls12_smtp_port": 2525, **how.pop("extra_vars", {})}
    return jobs.Launch(template, answers=answers, extra_vars=extra, inventory_vars=variables, **how)


def shown(host: HostClient) -> dict[str, t.Any]:
    """What a maintenance may change."""
    states = {name: item["state"] for name, item in host.exchange.component_states().items()}
    return {"states": states, **host.exchange.mailbox_server()}


def succeeded(job: t.Any) -> str:
    text = jobs.text_of(job)
    assert job.status == "successful", text
    return text


def test_each_template_that_changes_something(lab: LabClient, tmp_path: pathlib.Path) -> None:
    """Onto TLS 1.2, in waves and one by one; old TLS off; and back, in jobs that share nothing but the backups."""
    story = (
        ("enforce by DAG", "check", 0),
        ("enforce by DAG", "run", 1),
        ("enforce", "run", 1),
        ("harden by DAG", "check", 1),
        ("harden by DAG", "run", 2),
        ("harden", "run", 2),
        ("rollback", "check", 2),
        ("rollback", "run", 3),
        ("rollback", "run", 3),
    )
    hosts = [lab.host(name) for name in ("plain1", "plain2")]
    for number, (template, job_type, restarts) in enumerate(story):
        job = jobs.run(
            launch(lab, tmp_path, template, job_type=job_type, limit="plain1,plain2"), lab, tmp_path / f"job{number}"
        )
        succeeded(job)
        assert [len(host.restarts()) for host in hosts] == [restarts] * 2, (number, template)
        shutil.rmtree(tmp_path / f"job{number}")
    assert all("TLS 1.0" in host.effective_protocols("smtp") for host in hosts)


def test_slices_never_take_two_members_of_a_dag(lab: LabClient, tmp_path: pathlib.Path) -> None:
    """As AWX cuts them, and at once: marks keep them apart, or a slice refuses, and a later job finishes the rest."""
    members = [lab.host(name) for name in PARTNERS]
    was = [shown(host) for host in members]
    lab.forget_exchange_events()

    def one(number: int) -> t.Any:
        sliced = launch(lab, tmp_path, "enforce", limit="ex0?", slice_of=(number, 2))
        return jobs.run(sliced, lab, tmp_path / f"slice{number}")

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first, second = pool.map(one, (1, 2))
    assert {*first.stats["processed"]} <= {"ex01", "ex03", "ex05"}
    assert {*second.stats["processed"]} <= {"ex02", "ex04"}
    assert {event["kind"] for event in lab.exchange_events()} <= {"moved"}, (
        "never were two out, and no database was lost"
    )
    succeeded(jobs.run(launch(lab, tmp_path, "enforce by DAG", limit="ex0?"), lab, tmp_path / "whole"))
    assert {event["kind"] for event in lab.exchange_events()} <= {"moved"}
    assert [shown(host) for host in members] == was
    assert [len(host.restarts()) for host in members] == [1] * 4


def test_a_maintenance_in_two_jobs(lab: LabClient, tmp_path: pathlib.Path) -> None:
    """Cancelled while the server is out: another container brings it back, though the first one's folder is gone."""
    host = lab.host("ex01")
    was = shown(host)
    before = len(host.restarts())
    host.set_quirk("no_restart", True)
    first = jobs.run(
        launch(lab, tmp_path, "enforce", limit="ex01", answers={"tls12_reboot": "always"}),
        lab,
        tmp_path / "first",
        cancel_after=lambda event: "restart requested" in event.get("stdout", ""),
    )
    assert first.status == "canceled"
    assert shown(host) != was
    host.clear_quirks()
    for place in ("first", "backups"):
        shutil.rmtree(tmp_path / place, ignore_errors=True)
    audit = succeeded(jobs.run(jobs.Launch("audit", limit="ex01"), lab, tmp_path / "audit"))
    assert "service: out of service: a run that was cut off has left it so" in " ".join(audit.split())
    answers = {"tls12_reboot": "always", "tls12_take_over": "true"}
    succeeded(jobs.run(launch(lab, tmp_path, "enforce", limit="ex01", answers=answers), lab, tmp_path / "second"))
    assert shown(host) == was
    assert len(host.restarts()) == before + 1
    assert host.registry(NOTE_KEY) is None
