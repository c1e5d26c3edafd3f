# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the real ansible-playbook against the lab and reads what came of it."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import sys
import typing as t

import yaml

from tests.lab.client import LabClient
from tests.lab.inventory import write_inventory

from . import forked

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
# A run that takes longer hangs.
LIMIT = 90

PROTOCOLS_KEY = r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols"
TLS12_CLIENT, TLS12_SERVER = (rf"{PROTOCOLS_KEY}\TLS 1.2\{side}" for side in ("Client", "Server"))
NOTE_KEY = r"SOFTWARE\mailops.exchange_tls"

SETTINGS = {
    "ANSIBLE_CONFIG": str(HERE / "ansible.cfg"),
    "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback"),
    "ANSIBLE_CALLBACKS_ENABLED": "record",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_HOST_KEY_CHECKING": "0",
}

# A lab that shares its processors with the tests is slow at times, and what is counted must not depend on that.
ONE_LOGIN = {"group/mailops.exchange_tls.policy": {"logins": 1}}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One task on one host."""

    outcome: str  # ok, failed, unreachable, skipped; begun
    host: str
    task: str
    action: str
    result: dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished ansible-playbook."""

    rc: int
    output: str
    outcomes: tuple[Outcome, ...]
    # for each worker that was forked
    begun: tuple[Outcome, ...] = ()

    def of(self, module: str, host: str | None = None) -> list[Outcome]:
        """The outcomes of a module of this collection, skipped ones left out."""
        return [
            item
            for item in self.outcomes
            if item.action.endswith(f".{module}") and host in (None, item.host) and item.outcome != "skipped"
        ]

    def result(self, module: str, host: str | None = None) -> dict[str, t.Any]:
        """The result of the last task with this module."""
        found = self.of(module, host)
        assert found, f"no task ran {module}:\n{self.output}"
        return found[-1].result

    def ok(self) -> Run:
        assert self.rc == 0, self.output
        return self


class Ansible:
    """ansible-playbook with an inventory of the lab, in a folder of its own."""

    def __init__(self, lab: LabClient, folder: pathlib.Path) -> None:
        self.lab = lab
        self.folder = folder
        self.backups = folder / "backups"
        self._number = 0

    def playbook(
        self,
        play: str | pathlib.Path | list[dict[str, t.Any]],
        *arguments: str,
        connection: str = "winrm",
        inventory: t.Mapping[str, t.Any] | None = None,
        env: t.Mapping[str, str] | None = None,
        limit: float = LIMIT,
        **variables: t.Any,
    ) -> Run:
        """Runs a playbook: a path below playbooks/, or plays as data. inventory adds variables for all hosts."""
        self._number += 1
        record = self.folder / f"results-{self._number}.jsonl"
        record.touch()
        hosts = self.folder / f"hosts-{self._number}.yml"
        write_inventory(self.lab, hosts, connection=connection)
        if inventory:
            extra = self.folder / f"hosts-{self._number}-more.yml"
            extra.write_text(yaml.safe_dump({"all": {"vars": dict(inventory)}}), encoding="utf-8")
        if isinstance(play, list):
            path = self.folder / f"play-{self._number}.yml"
            plays = [{"module_defaults": ONE_LOGIN, **item} for item in play]
            path.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
        else:
            path = ROOT / "playbooks" / play
        command = [os.path.join(os.path.dirname(sys.executable), "ansible-playbook"), "-i", str(hosts)]
        if inventory:
            command += ["-i", str(extra)]
        variables = {"tls12_backup_dir": str(self.backups), "tls12_logins": 1, **variables}
        output = self.folder / f"output-{self._number}.txt"
        code = forked.run(
            [*command, "-e", json.dumps(variables), *arguments, str(path)],
            self.folder,
            {**SETTINGS, **(env or {})},
            {"RECORD_RESULTS": str(record)},
            output,
            limit,
        )
        lines = [Outcome(**json.loads(line)) for line in record.read_text(encoding="utf-8").splitlines()]
        outcomes = tuple(line for line in lines if line.outcome != "begun")
        begun = tuple(line for line in lines if line.outcome == "begun")
        return Run(code, output.read_text(encoding="utf-8"), outcomes, begun)

    def task(
        self,
        module: str,
        *arguments: str,
        hosts: str = "all",
        task: t.Mapping[str, t.Any] | None = None,
        options: t.Mapping[str, t.Any] | None = None,
        **how: t.Any,
    ) -> Run:
        """Runs one module of the collection on hosts of the lab. task adds keywords of the task."""
        options = dict(options or {})
        if module in ("tls_settings", "tls_rollback"):
            options.setdefault("backup_dir", str(self.backups))
        if module in ("tls_settings", "tls_settings_info") and "baseline" not in options:
            # most tests are about how things are done, not about what is wanted: four values are enough for that
            options["baseline"] = "none"
            options.setdefault("protocols", {"TLS 1.2": "enabled"})
        play = {
            "name": "One task",
            "hosts": hosts,
            "gather_facts": False,
            "tasks": [{"name": module, f"mailops.exchange_tls.{module}": options, **(task or {})}],
        }
        return self.playbook([play], *arguments, **how)
