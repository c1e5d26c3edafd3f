# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small fleet whose controllers are killed: what is run on it, and what must be true of it, as the lab knows it."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import time
from typing import Any

import yaml

from tests.integration.forked import ROOT
from tests.lab.client import HostClient, LabClient
from tests.lab.inventory import exchange_variables, write_inventory

NOTE_KEY = r"SOFTWARE\mailops.exchange_tls"
OLD, TLS12 = ["TLS 1.0", "TLS 1.1"], ["TLS 1.2"]
# What none of the fleet's DAGs may ever have gone through.
NEVER = ("two_members_down", "two_members_out", "no_quorum", "dismounted", "failover")
# Times are those of a fleet whose servers are quick; the lab's clock is quicker still.
PATIENCE = 60
# Where the line to some servers is just so long that their reads overlap, over several logins.
FAR, LOGINS = {"seconds": 0.032}, 10


class Violation(Exception):
    """Something that must be true is not."""


@dataclasses.dataclass(frozen=True)
class Job:
    """A playbook. accepted: the versions that the servers accept once it is done; None: as in the beginning."""

    playbook: str
    accepted: list[str] | None = None
    variables: dict[str, Any] = dataclasses.field(default_factory=dict)


# Servers go by name: the one of its own and a member together, then the other member.
_SIDE_BY_SIDE, _BY_DAG = {"tls12_serial": 2}, {"tls12_dags_at_once": 2}
_BACK = Job("rollback-tls12.yml", variables=_SIDE_BY_SIDE)
#: What a fleet does by turns, by its phase; by DAG and by server in turn, whichever comes first.
JOBS = {
    "enforce": (
        Job("enforce-tls12-by-dag.yml", [*OLD, *TLS12], _BY_DAG),
        _BACK,
        Job("enforce-tls12.yml", [*OLD, *TLS12], _SIDE_BY_SIDE),
        _BACK,
    ),
    "harden": (
        Job("harden-tls.yml", TLS12, _SIDE_BY_SIDE),
        _BACK,
        Job("harden-tls-by-dag.yml", TLS12, _BY_DAG),
        _BACK,
    ),
}
_REGISTRY = {"enforce": ["stock", "tls12_off"], "harden": ["stock", "tls12_enabled", "dotnet_strong"]}
MEMBERS, ALONE, ENTRY = ("ex01", "ex02"), "alone", "entry"
# Those that are together where servers go by name: the other member's turn is as short as ever.
_FAR_AWAY = (ALONE, MEMBERS[0])


def description(phase: str) -> dict[str, Any]:
    """A DAG of two and a server of its own, asked about on one that is only there for that."""
    server = {
        "windows": "2019",
        "services": ["exchange"],
        "registry": _REGISTRY[phase],
        "endpoints": [{"kind": "smtp", "port": 2525}],
        "restart": {"shutdown_delay": 0.05, "down_for": 0.3},
        "exchange": {"build": "15.02.1544.011", "queues": [{"domain": "contoso.com", "messages": 20}]},
    }
    # the sessions of a controller that was killed end with their idle time, which is longer than this takes
    shell = {"http": None, "https": 8443, "auth": ["basic"], "shells_per_user": 1000}
    entry = {"windows": "2019", "exchange": {"build": "15.02.1544.011", "shell": shell}}
    return {
        "exchange_clock": 600,
        "accounts": [
            {"user": "labadmin", "password": "Lab-Pass-1"},
            {"user": "exadmin", "password": "Lab-Pass-2", "domain": "lab.test"},
        ],
        "hosts": {**dict.fromkeys((*MEMBERS, ALONE), server), ENTRY: entry},
        "dags": {"DAG1": {"members": list(MEMBERS), "databases": {f"{name}-db": {"active": name} for name in MEMBERS}}},
    }


class Fleet:
    """The servers of one lab, with a folder for the controllers."""

    entry = ENTRY
    servers = (*MEMBERS, ALONE)

    def __init__(self, lab: LabClient, work: pathlib.Path, phase: str, *, far: bool = False) -> None:
        self.lab, self.work, self.phase, self.far = lab, work, phase, far
        self.settings = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOST_KEY_CHECKING": "0"}
        self._hosts = work / "hosts.yml"
        write_inventory(lab, self._hosts)
        described = yaml.safe_load(self._hosts.read_text(encoding="utf-8"))
        group = described["all"]["children"]["exchange"]
        del group["hosts"][ENTRY]
        group["vars"] = exchange_variables(lab, lab.host(ENTRY), "basic")
        self._hosts.write_text(yaml.safe_dump(described), encoding="utf-8")
        lab.host(MEMBERS[0]).exchange.set_mailbox_server("IntrasiteOnly")
        lab.host(ALONE).exchange.ask_for("EwsProxy", "HealthApi", "Inactive")
        self._at_first = self._shown()
        for name in _FAR_AWAY:
            self.leave_alone(lab.host(name))

    def command(self, job: Job) -> list[str]:
        """What a controller runs."""
        variables = {
            "tls12_backup_dir": str(self.work / "backups"),
            "tls12_endpoints": ["smtp://:2525"],
            "tls12_handshakes": "required",
            "tls12_handshake_patience": PATIENCE,
            "tls12_smtp_port": 2525,
            "tls12_minimum_healthy_copies": 1,
            "tls12_maintenance_timeout": PATIENCE,
            "tls12_reboot_timeout": PATIENCE,
            "tls12_mail_flow": "never",
            "tls12_logins": LOGINS if self.far else 1,
            **job.variables,
        }
        playbook = ROOT / "playbooks" / job.playbook
        return ["ansible-playbook", "-i", str(self._hosts), "-e", json.dumps(variables), str(playbook)]

    def leave_alone(self, host: HostClient) -> None:
        """Nothing disturbs a host but its line."""
        host.clear_quirks()
        if self.far and host.name in _FAR_AWAY:
            host.set_quirk("delay", FAR)

    def wait_until_up(self, limit: float) -> None:
        """A restart that a killed controller has ordered is made."""
        deadline = time.monotonic() + limit
        while any(self.lab.host(name).status() != "up" for name in self.servers):
            if time.monotonic() > deadline:
                raise Violation("a server does not come back")
            time.sleep(0.05)

    def check_events(self) -> None:
        """Raises Violation for what has happened to the DAG, at whatever time."""
        bad = [event for event in self.lab.exchange_events() if event["kind"] in NEVER]
        if bad:
            raise Violation(f"the DAG went through {bad}")

    def check(self, job: Job) -> None:
        """Raises Violation unless all is as it should be after a run that has done its job."""
        wrong = []
        shown = self._shown()
        for name in self.servers:
            first, now = self._at_first[name], shown[name]
            if job.accepted is None:
                wrong += [f"{name}: {key} is {now[key]}, and was {first[key]}" for key in now if now[key] != first[key]]
                continue
            wrong += [f"{name}: {key} is {now[key]}" for key in _KEPT if now[key] != first[key]]
            if now["accepted"] != job.accepted:
                wrong.append(f"{name} accepts {now['accepted']} instead of {job.accepted}")
            if now["registry"] != shown[self.servers[0]]["registry"]:
                wrong.append(f"the registry of {name} is otherwise than that of {self.servers[0]}")
        wrong += [f"{name} is dismounted" for name, item in self.lab.databases().items() if not item["mounted"]]
        wrong += [f"a record was left: {path.name}" for path in self.work.glob("backups/*.maintenance.json")]
        if wrong:
            raise Violation(f"after {job.playbook}: " + "; ".join(wrong))

    def _shown(self) -> dict[str, dict[str, Any]]:
        nodes = next(iter(self.lab.dags().values()))["nodes"]
        return {name: {**_shown(self.lab.host(name)), "node": nodes.get(name.upper(), "none")} for name in self.servers}


# What a job may not change.
_KEPT = ("states", "mailbox_server", "note", "node")


def _shown(host: HostClient) -> dict[str, Any]:
    """Who has asked for Active has asked for nothing."""
    return {
        "states": {
            name: (item["state"], {who: word for who, word in item["local"].items() if word != "Active"})
            for name, item in host.exchange.component_states().items()
        },
        "mailbox_server": host.exchange.mailbox_server(),
        "note": host.registry(NOTE_KEY) or {},
        "accepted": host.effective_protocols("smtp"),
        "registry": host.dump(),
    }
