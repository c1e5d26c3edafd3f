# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job on four simulated Exchange servers and on a DAG of two, step by step. Leaves nothing running.

With the collection of this checkout, or with one that is installed.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time
from typing import Any

import yaml

from tests.lab.client import LabClient
from tests.lab.inventory import exchange_variables, write_inventory
from tests.lab.launch import running_lab

from . import story

ROOT = pathlib.Path(__file__).parents[2]
LAB = pathlib.Path(__file__).with_name("lab.yml")
DAG = pathlib.Path(__file__).with_name("dag.yml")
LIMIT = 180
SYMPTOM = "421 4.4.2 Connection dropped due to SocketError"


@dataclasses.dataclass(frozen=True)
class Collection:
    """place: where it is. env: what Ansible is told, so that it finds this one and no other."""

    place: pathlib.Path
    env: dict[str, str]

    def play(self, hosts: pathlib.Path, book: str, *arguments: str, shows_ok: bool = False) -> None:
        """Runs one playbook as a user would, its output shown as it comes; shows_ok: lines of "ok" tell more."""
        command = ["-i", str(hosts), *arguments, f"playbooks/{book}"]
        print(f"$ ansible-playbook {shlex.join(command)}", flush=True)
        finished = subprocess.run(
            [os.path.join(os.path.dirname(sys.executable), "ansible-playbook"), *command],
            cwd=self.place,
            env={**self.env, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_DISPLAY_OK_HOSTS": str(shows_ok)},
            stdin=subprocess.DEVNULL,
            timeout=LIMIT,
            check=False,
        )
        if finished.returncode != 0:
            raise SystemExit(f"demo: {book} ended with {finished.returncode}")


def collection(installed: pathlib.Path | None) -> Collection:
    """This checkout, or what is installed in a folder that has ansible_collections."""
    if installed is None:
        return Collection(ROOT, dict(os.environ))
    # without the path on which Python finds the checkout
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    place = installed.resolve() / "ansible_collections" / "mailops" / "exchange_tls"
    return Collection(place, {**env, "ANSIBLE_COLLECTIONS_PATH": str(installed.resolve())})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--collections",
        type=pathlib.Path,
        metavar="FOLDER",
        help="where the collection is installed; else the checkout",
    )
    ours = collection(parser.parse_args().collections)
    started = time.monotonic()
    reports = pathlib.Path(tempfile.mkdtemp(prefix="exchange-tls-reports-"))
    with tempfile.TemporaryDirectory(prefix="exchange-tls-demo-") as folder:
        work = pathlib.Path(folder)
        say("Starting four simulated Exchange servers on 127.0.0.0/8")
        with running_lab(LAB, work / "lab", max_lifetime=600) as lab:
            show(lab)
            demo(ours, lab, work, reports)
        say("Starting a simulated DAG of two")
        with running_lab(DAG, work / "dag", max_lifetime=600) as lab:
            demo_of_a_dag(ours, lab, work)
        seconds = time.monotonic() - started
        (page,) = reports.glob("*/report.html")
        print(f"The report of step 4 stays, for a browser: {page}", flush=True)
        say(f"Done in {seconds:.0f} seconds. The simulated servers are stopped, nothing is left running.")
    return 0


def demo(ours: Collection, lab: LabClient, work: pathlib.Path, reports: pathlib.Path) -> None:
    entry = exchange_variables(lab, lab.host("ex01"), "basic")
    logs = lab.smtp_logs()
    hosts = inventory(lab, work, "hosts", {**entry, "tls12_maintenance": "never", "tls12_smtp_logs": str(logs)})
    before = lab.host("ex03").dump()

    say("1. Mail to Office 365 has stopped, and a queue shows an error: what does it mean, and which server is it?")
    ours.play(hosts, "why-mail-stopped.yml", "-e", f"tls12_symptom='{SYMPTOM}'", shows_ok=True)
    say("2. Audit: what is configured, what Windows makes of it, and what is missing. Nothing is changed")
    ours.play(hosts, "audit-tls12.yml")
    say("3. Check mode: what would be changed, and that a restart would follow. Nothing is changed")
    ours.play(hosts, "enforce-tls12.yml", "--check", "-l", "ex03")
    say("4. Enforce: change, restart, verify by handshake, see mail leave; one server first, then the others")
    ours.play(hosts, "enforce-tls12.yml", "-e", "tls12_serial=[1,3]", "-e", f'tls12_report_dir="{reports}"')
    say("5. The queue of ex03 to Office 365 has drained, as its protocol log tells")
    story.tell(lab.host("ex03"), logs)
    say("6. Enforce again: nothing is left to do, and nothing is done")
    ours.play(hosts, "enforce-tls12.yml", "-l", "ex03")
    say("7. Roll ex03 back: the old values exactly, restarted")
    ours.play(hosts, "rollback-tls12.yml", "-l", "ex03")
    if lab.host("ex03").dump() != before:
        raise SystemExit("demo: the registry of ex03 is not what it was before")
    print("The registry of ex03 is what it was before, key for key.")


def demo_of_a_dag(ours: Collection, lab: LabClient, work: pathlib.Path) -> None:
    """Each member is asked about on the other one, as the one that restarts ends its sessions."""
    entries = {"mbx1": lab.host("mbx2").address, "mbx2": lab.host("mbx1").address}
    hosts = inventory(
        lab,
        work,
        "dag",
        {
            **exchange_variables(lab, lab.host("mbx1"), "basic"),
            "exchange_server": f"{{{{ {entries}[inventory_hostname] }}}}",
            "tls12_minimum_healthy_copies": 1,
            "tls12_smtp_port": 2525,
        },
    )
    say("8. A DAG: one member at a time goes out of service, restarts, and comes back as it was")
    ours.play(hosts, "enforce-tls12-by-dag.yml")
    events = lab.exchange_events()
    lost = [event for event in events if event["kind"] != "moved"]
    if lost:
        raise SystemExit(f"demo: databases noticed the restarts: {lost}")
    moves = ", ".join(f"{event['database']} to {event['server']}" for event in events)
    print(
        f"The log of the DAG: {len(events)} moves before a restart ({moves}); no database failed over, none was down."
    )


def inventory(lab: LabClient, work: pathlib.Path, name: str, more: dict[str, Any]) -> pathlib.Path:
    """The inventory of the lab, with variables of the role: the lab's ports are not those of Exchange."""
    path = work / f"{name}.yml"
    write_inventory(lab, path)
    described = yaml.safe_load(path.read_text(encoding="utf-8"))
    variables = {
        "tls12_endpoints": ["smtp://:2525", "https://:8443"],
        "tls12_backup_dir": str(work / "backups"),
        **more,
    }
    described["all"]["vars"] = {**described["all"].get("vars", {}), **variables}
    path.write_text(yaml.safe_dump(described, sort_keys=False), encoding="utf-8")
    return path


def show(lab: LabClient) -> None:
    """What TLS clients get from each server at this moment."""
    for host in lab.hosts():
        accepted = ", ".join(host.effective_protocols("smtp")) or "nothing"
        print(f"   {host.name}  {host.windows['caption'].strip():45}  SMTP accepts {accepted}", flush=True)


def say(text: str) -> None:
    print(f"\n=== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
