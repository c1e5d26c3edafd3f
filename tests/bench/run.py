# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules and playbooks cost: HTTP requests, bytes, logins, controller CPU and wall time per host, on the lab.

Requests, bytes and logins are exact. Times are of a loopback without delays on whatever machine this is; each is shown
as a ratio to a task that does nothing, run in the same run, since a number of seconds says little elsewhere.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import importlib.metadata
import json
import os
import pathlib
import platform
import resource
import subprocess
import sys
import tempfile
import time
import typing as t

import yaml

from tests.lab.client import LabClient
from tests.lab.inventory import write_inventory
from tests.lab.launch import running_lab

ON, OFF = ("TLS 1.0", "TLS 1.1", "TLS 1.2"), ("SSL 2.0", "SSL 3.0", "TLS 1.3")
ALL = {**dict.fromkeys(ON, "enabled"), **dict.fromkeys(OFF, "disabled")}
# What an audit of all six protocols may cost after the login, by the state of the host.
BUDGET = {"stock": 20, "full": 45}
LIMIT = 600
# Of the playbooks: what they do besides handshakes, which meet no listener here.
# One login, so that what is counted does not depend on how busy this machine is.
VARIABLES = {"tls12_handshakes": "never", "tls12_logins": 1}
ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Case:
    """One task on every host of a state, or one of the playbooks; without both, the task that does nothing."""

    name: str
    state: str
    module: str | None = None
    options: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    book: str | None = None


CASES = (
    Case("nothing (floor)", "stock"),
    Case("audit, default, stock", "stock", "tls_settings_info"),
    Case("audit, all six, stock", "stock", "tls_settings_info", {"protocols": ALL}),
    Case("audit, all six, full", "full", "tls_settings_info", {"protocols": ALL}),
    Case("enforce, no change, full", "full", "tls_settings", {"protocols": ALL}),
    Case("audit-tls12.yml, stock", "stock", book="audit-tls12.yml"),
    Case("audit-tls12.yml, full", "full", book="audit-tls12.yml"),
    Case("enforce-tls12.yml, no change", "full", book="enforce-tls12.yml"),
)


@dataclasses.dataclass(frozen=True)
class Cost:
    """Of one run, per host; seconds are of the whole run."""

    requests: float
    logins: float
    http: float
    sent: float
    received: float
    cpu: float
    wall: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="*", default=[1, 50, 200])
    parser.add_argument("--forks", type=int, nargs="*", default=[5, 20, 50])
    parser.add_argument("--connection", choices=["winrm", "psrp"], default="winrm")
    parser.add_argument("--rounds", type=int, default=1, help="how often; the best of each task counts")
    parser.add_argument("--write", action="store_true", help="into the guide, with a picture by the number of hosts")
    wishes = parser.parse_args()
    if wishes.write and len(wishes.forks) != 1:
        parser.error("--write takes one number for --forks: the picture is by the number of hosts")
    over = False
    costs: list[dict[str, t.Any]] = []
    where = conditions(wishes.connection, wishes.forks[0], wishes.rounds)
    with tempfile.TemporaryDirectory(prefix="exchange-tls-bench-") as folder:
        work = pathlib.Path(folder)
        states = {"stock": ["stock"], "full": ["stock", "fully_configured", "dotnet_strong"]}
        most = max(wishes.hosts)
        hosts = {
            f"{state}{number:03}": {"windows": "2016", "registry": layers, "winrm": {"http": 5985, "auth": ["ntlm"]}}
            for state, layers in states.items()
            for number in range(most)
        }
        accounts = [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}]
        with running_lab({"accounts": accounts, "hosts": hosts}, work / "lab") as lab:
            inventory = write_inventory(lab, work / "hosts.yml", connection=wishes.connection)
            print(f"{wishes.connection} over NTLM with message encryption; requests, logins and KB are per host\n")
            columns = ("requests", "logins", "HTTP", "KB up", "KB down", "CPU ms/host", "x floor", "wall s", "x floor")
            print(
                f"{'task':28} {'hosts':>5} {'forks':>5} " + " ".join(f"{name:>{max(len(name), 7)}}" for name in columns)
            )
            for count in wishes.hosts:
                for forks in wishes.forks if count > 1 else wishes.forks[:1]:
                    floor: Cost | None = None
                    for case in CASES:
                        runs = (measure(lab, work, inventory, case, count, forks) for _dummy in range(wishes.rounds))
                        cost = best_of(list(runs))
                        floor = floor or cost
                        print(line(case, count, forks, cost, floor), flush=True)
                        costs.append({"task": case.name, "hosts": count, "cost": rounded(cost)})
                        over = over or cost.requests > BUDGET[case.state] or cost.logins > 1
    if over:
        print("\nA budget is exceeded: at most", BUDGET, "requests after the login, and one login")
    elif wishes.write:
        # they need a library that the tests on other versions of ansible-core have no use for
        importlib.import_module("tests.pages.performance").record({**where, "costs": costs})
        importlib.import_module("tests.pages.__main__").main([])
    return 1 if over else 0


def measure(lab: LabClient, work: pathlib.Path, inventory: pathlib.Path, case: Case, count: int, forks: int) -> Cost:
    """Runs the task once on the first hosts of the state."""
    names = [f"{case.state}{number:03}" for number in range(count)]
    book = ROOT / "playbooks" / case.book if case.book else one_task(work / "bench.yml", case, names)
    for name in names:
        lab.host(name).reset_log()
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(
        [
            os.path.join(os.path.dirname(sys.executable), "ansible-playbook"),
            "-i",
            str(inventory),
            "-f",
            str(forks),
            "-e",
            json.dumps({**VARIABLES, "tls12_backup_dir": str(work), "tls12_hosts": names, "tls12_serial": count}),
            str(book),
        ],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=LIMIT,
        cwd=work,
        env={**os.environ, "ANSIBLE_CALLBACKS_ENABLED": "mailops.exchange_tls.summary"},
    )
    wall = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    counters = [lab.host(name).counters() for name in names]

    def per_host(key: str) -> float:
        return sum(item[key] for item in counters) / count

    return Cost(
        requests=per_host("soap_requests"),
        logins=per_host("logins"),
        http=per_host("http_requests"),
        sent=per_host("bytes_in") / 1024,
        received=per_host("bytes_out") / 1024,
        cpu=(after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime),
        wall=wall,
    )


def best_of(costs: t.Sequence[Cost]) -> Cost:
    """Other work on the machine makes times longer, never shorter; what is counted is the same every time."""
    return dataclasses.replace(costs[-1], cpu=min(cost.cpu for cost in costs), wall=min(cost.wall for cost in costs))


def conditions(connection: str, forks: int, rounds: int) -> dict[str, t.Any]:
    """What it is measured on. The load says whether other work is in the way."""
    versions = f"Python {platform.python_version()}, ansible-core {importlib.metadata.version('ansible-core')}"
    return {
        "on": f"{versions}, {connection}, {forks} forks, the best of {rounds}",
        "cores": os.cpu_count() or 1,
        "load": round(os.getloadavg()[0], 1),
    }


def rounded(cost: Cost) -> dict[str, float]:
    return {key: round(value, 2) for key, value in dataclasses.asdict(cost).items()}


def one_task(place: pathlib.Path, case: Case, names: t.Sequence[str]) -> pathlib.Path:
    """A playbook of one task."""
    task: dict[str, t.Any] = {"name": case.name}
    if case.module is None:
        task["ansible.builtin.set_fact"] = {"nothing": True}
    else:
        task[f"mailops.exchange_tls.{case.module}"] = {"logins": VARIABLES["tls12_logins"], **case.options}
    play = {"name": "Bench", "hosts": ":".join(names), "gather_facts": False, "tasks": [task]}
    place.write_text(yaml.safe_dump([play]), encoding="utf-8")
    return place


def line(case: Case, count: int, forks: int, cost: Cost, floor: Cost) -> str:
    return (
        f"{case.name:28} {count:5} {forks:5} {cost.requests:8.1f} {cost.logins:7.1f} {cost.http:7.1f} {cost.sent:7.1f} "
        f"{cost.received:7.1f} {cost.cpu / count * 1000:11.1f} {cost.cpu / floor.cpu:7.2f} "
        f"{cost.wall:7.2f} {cost.wall / floor.wall:7.2f}"
    )


if __name__ == "__main__":
    sys.exit(main())
