# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several controllers at once at a fleet of DAGs, some of whose servers are faulty: are ever two members of one down?

Each controller has a slice of the servers as AWX cuts it, so that the members of a DAG belong to different ones, and
goes on after what fails; what could not be done is tried again in the next round, as people would. The DAGs are at
several sites, from which answers take longer. The lab's own log is the witness, and its registry and components.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
from typing import Any

import yaml

from tests.lab.client import HostClient, LabClient
from tests.lab.inventory import exchange_variables, write_inventory
from tests.lab.launch import running_lab

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT = 6 * 3600
# What an answer of a server takes, by site of its DAG, in seconds.
SITES = {"near": 0.0, "far": 0.03, "away": 0.12}
KEY = r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\{side}"
COMPLIANT = {"Enabled": 1, "DisabledByDefault": 0}
FAULTS: tuple[tuple[str, Any], ...] = (
    ("databases_stay", True),
    ("shutdown_returns", 5),
    ("fault", {"kind": "access_denied", "operation": "Win32_Service.StopService"}),
    ("copies", "FailedAndSuspended"),
)


def description(dags: int, members: int) -> dict[str, Any]:
    """A fleet of DAGs with a database on each server."""
    names = {f"dag{dag:03}": [f"d{dag:03}{'abcdef'[number]}" for number in range(members)] for dag in range(dags)}
    server = {
        "windows": "2019",
        "services": ["exchange"],
        "registry": ["stock"],
        "restart": {"shutdown_delay": 0.05, "down_for": 0.5},
        "exchange": {"build": "15.02.1544.011", "shell": {"http": None, "https": 8443, "auth": ["basic"]}},
    }
    return {
        "exchange_clock": 600,
        "accounts": [
            {"user": "labadmin", "password": "Lab-Pass-1"},
            {"user": "exadmin", "password": "Lab-Pass-2", "domain": "lab.test"},
        ],
        "hosts": {name: server for members in names.values() for name in members},
        "dags": {
            dag: {"members": members, "databases": {f"{name}-db": {"active": name} for name in members}}
            for dag, members in names.items()
        },
    }


def spoil(lab: LabClient, names: list[str], members: dict[str, list[str]]) -> None:
    """Makes servers faulty, each in one of several ways."""
    for number, name in enumerate(names):
        quirk, value = FAULTS[number % len(FAULTS)]
        if quirk == "databases_stay":
            value = [f"{name}-db"]
        elif quirk == "copies":
            value = {f"{other}-db": {"status": value} for other in members[name] if other != name}
        lab.host(name).set_quirk(quirk, value)


def at_sites(lab: LabClient, described: dict[str, Any]) -> None:
    """The DAGs in turn, each with all of its members."""
    for number, dag in enumerate(described["dags"].values()):
        seconds = list(SITES.values())[number % len(SITES)]
        for name in dag["members"] if seconds else ():
            lab.host(name).set_quirk("delay", {"seconds": seconds})


def controller(
    lab: LabClient, work: pathlib.Path, number: int, servers: list[str], forks: int, patience: int
) -> subprocess.Popen[bytes]:
    """One ansible-playbook on its servers."""
    folder = work / f"controller-{number}"
    folder.mkdir(exist_ok=True)
    play = {
        "name": "A slice",
        "hosts": ",".join(servers),
        "gather_facts": False,
        # each server goes through to its end, and what fails is told and left behind
        "strategy": "host_pinned",
        "tasks": [
            {
                "name": "One server",
                "block": [{"name": "Enforce", "ansible.builtin.import_role": {"name": "mailops.exchange_tls.tls12"}}],
                "rescue": [{"name": "Told", "ansible.builtin.debug": {"msg": "told: {{ ansible_failed_result.msg }}"}}],
            }
        ],
    }
    path = folder / "play.yml"
    path.write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
    variables = {
        "tls12_backup_dir": str(work / "backups"),
        "tls12_smtp_port": 2525,
        "tls12_endpoints": ["smtp://:2525"],
        "tls12_maintenance_timeout": patience,
    }
    log = (folder / "log.txt").open("ab")
    command = [
        "ansible-playbook",
        "-i",
        str(work / "hosts.yml"),
        "-f",
        str(forks),
        "-e",
        json.dumps(variables),
        str(path),
    ]
    return subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)


def write_hosts(lab: LabClient, work: pathlib.Path, members: dict[str, list[str]]) -> None:
    """Each server is asked about on another member of its DAG."""
    write_inventory(lab, work / "hosts.yml")
    described = yaml.safe_load((work / "hosts.yml").read_text(encoding="utf-8"))
    account = exchange_variables(lab, lab.hosts()[0], "basic")
    for name, variables in described["all"]["children"]["exchange"]["hosts"].items():
        other = next(item for item in members[name][members[name].index(name) - 1 :] if item != name)
        variables.update({**account, "exchange_server": lab.host(other).address})
    (work / "hosts.yml").write_text(yaml.safe_dump(described), encoding="utf-8")


def told(work: pathlib.Path) -> tuple[collections.Counter[str], set[str]]:
    """What the runs said of the servers that failed, without the servers' names, and how often; and of which."""
    said = "".join(log.read_text() for log in work.glob("controller-*/log.txt"))
    found = re.findall(r'^\w+: \[(\w+)\] => \{\s*"msg": "told: (.*)"', said, re.MULTILINE)
    messages = (re.sub(r"\bd\d{3}[a-f]\b", "SERVER", message, flags=re.IGNORECASE) for _name, message in found)
    return collections.Counter(messages), {name for name, _message in found}


def _turned(servers: list[str], by: float) -> list[str]:
    """Begun elsewhere, so that controllers meet at a DAG by chance and not always."""
    first = round(len(servers) * by)
    return servers[first:] + servers[:first]


def left(lab: LabClient, names: list[str]) -> list[str]:
    """The servers where TLS 1.2 is not what it shall be, or not in effect for want of a restart."""
    return [name for name in names if not _is_compliant(lab.host(name))]


def _is_compliant(host: HostClient) -> bool:
    for side in ("Client", "Server"):
        values = host.registry(KEY.format(side=side)) or {}
        if {name: values.get(name, {}).get("data") for name in COMPLIANT} != COMPLIANT:
            return False
    return bool(host.restarts())


def out_of_service(lab: LabClient, names: list[str]) -> list[str]:
    """The servers that a run has left in maintenance, wholly or in part."""
    hosts = {name: lab.host(name) for name in names}
    return [
        name
        for name, host in hosts.items()
        if host.exchange.mailbox_server() != {"activation_policy": "Unrestricted", "move_now": False}
        or any("Maintenance" in item["local"] for item in host.exchange.component_states().values() if _is_off(item))
    ]


def _is_off(component: dict[str, Any]) -> bool:
    return bool(component["local"].get("Maintenance", "Active") != "Active")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dags", type=int, default=125)
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--controllers", type=int, default=3)
    parser.add_argument("--faulty", type=float, default=2.0, help="percent of the servers")
    parser.add_argument("--forks", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--patience", type=int, default=120, help="seconds of each wait: what a faulty server costs")
    given = parser.parse_args()
    described = description(given.dags, given.members)
    members = {name: item["members"] for item in described["dags"].values() for name in item["members"]}
    names = list(members)
    faulty = sorted(random.Random(1).sample(names, round(len(names) * given.faulty / 100)))
    started = time.monotonic()
    os.environ["PATH"] = os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)))
    with tempfile.TemporaryDirectory(prefix="exchange-tls-fleet-") as folder:
        work = pathlib.Path(folder)
        with running_lab(described, work / "lab", max_lifetime=LIMIT) as lab:
            write_hosts(lab, work, members)
            at_sites(lab, described)
            spoil(lab, faulty, members)
            todo, running = names, time.monotonic()
            print(f"the lab runs after {running - started:.0f} s", flush=True)
            for number in range(1, given.rounds + 1):
                before = todo
                slices = [
                    _turned(todo[n :: given.controllers], n / given.controllers) for n in range(given.controllers)
                ]
                runs = [
                    controller(lab, work, n, part, given.forks, given.patience) for n, part in enumerate(slices) if part
                ]
                for run in runs:
                    run.wait(LIMIT)
                todo = left(lab, names)
                progress = len(before) - len(todo)
                print(f"round {number}: {len(todo)} servers left, {time.monotonic() - started:.0f} s", flush=True)
                if set(todo) <= set(faulty) or not progress:
                    break
            counted = collections.Counter(event["kind"] for event in lab.exchange_events())
            reported, named = told(work)
            out = out_of_service(lab, names)
    print(
        f"{len(names)} servers in {given.dags} DAGs at {len(SITES)} sites, {given.controllers} controllers, "
        f"{len(faulty)} faulty: {', '.join(faulty) or 'none'}"
    )
    print(f"events of the DAGs: {dict(counted)}; left out of service: {out or 'none'}")
    print(f"failures told: {reported.total()}")
    for message, count in reported.most_common(10):
        print(f"{count:5} x {message}")
    silent = [name for name in todo if name not in named]
    print(f"not compliant and in effect: {', '.join(todo) or 'none'}; of these not told: {', '.join(silent) or 'none'}")
    wrong = counted["two_members_down"] + counted["no_quorum"] + counted["dismounted"]
    return 1 if wrong or not set(todo) <= set(faulty) or out or silent else 0


if __name__ == "__main__":
    sys.exit(main())
