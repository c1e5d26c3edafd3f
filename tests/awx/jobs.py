# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX 24.6.1 makes of a launch, up to the private data directory that ansible-runner is given, and the run itself.

Answers are in ``env/extravars`` as ``!unsafe``, the template's own variables and AWX's are plain; the account is in the
environment, as the credential type puts it there; a slice is every nth host.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shlex
import typing as t

import ansible_runner
import yaml

from tests.lab.client import LabClient
from tests.lab.inventory import host_variables

from . import definitions, rules

ROOT = definitions.ROOT
# What a run needs to know of the machine it is on; an execution environment has that in its image.
_OF_THE_MACHINE = ("ANSIBLE_CONFIG", "ANSIBLE_HOME", "ANSIBLE_COLLECTIONS_PATH", "PATH")
USER, PASSWORD = "labadmin", "Lab-Pass-1"


@dataclasses.dataclass
class Launch:
    """A launch of a job template. extra_vars: variables instead of, or besides, those of the template."""

    template: str
    answers: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    job_type: str | None = None
    limit: str = ""
    slice_of: tuple[int, int] = (1, 1)
    extra_vars: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    inventory_vars: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)

    @property
    def definition(self) -> dict[str, t.Any]:
        return definitions.templates()[self.template]

    def is_check(self) -> bool:
        """A job type is heard only where the template asks for it."""
        asked = self.job_type if self.definition["ask_job_type_on_launch"] else None
        return (asked or self.definition["job_type"]) == "check"

    def arriving(self) -> dict[str, t.Any]:
        """The answers that arrive: those given, and defaults; a question without either leaves nothing."""
        survey = self.definition["survey_spec"]
        if problems := rules.answer_problems(survey, self.answers):
            raise ValueError("; ".join(problems))
        defaults = {item["variable"]: item["default"] for item in survey["spec"] if item.get("default")}
        return {**defaults, **self.answers}


def prepare(launch: Launch, lab: LabClient, folder: pathlib.Path) -> pathlib.Path:
    """The private data directory of a job."""
    for name in ("inventory", "env"):
        (folder / name).mkdir(parents=True)
    (folder / "project").symlink_to(ROOT)
    script = folder / "inventory" / "hosts"
    # no interpreter in the first line: a path with blanks could not stand there
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(_inventory(launch, lab))}\nEND\n", encoding="utf-8")
    script.chmod(0o700)
    definition = launch.definition
    words = [
        *(["--check"] if launch.is_check() else []),
        *("-u", "root"),
        *(["--diff"] if definition.get("diff_mode") else []),
        "--forks=5",
        *(["-l", launch.limit] if launch.limit and definition["ask_limit_on_launch"] else []),
    ]
    plain = {**definition["extra_vars"], **launch.extra_vars, "awx_job_id": 7}
    unsafe = {**launch.arriving(), "awx_job_launch_type": "manual", "awx_job_template_name": definition["name"]}
    (folder / "env" / "cmdline").write_text(shlex.join(words), encoding="utf-8")
    (folder / "env" / "extravars").write_text(_extravars(plain, unsafe), encoding="utf-8")
    machine = {name: os.environ[name] for name in _OF_THE_MACHINE}
    (folder / "env" / "envvars").write_text(json.dumps({**machine, **_account()}), encoding="utf-8")
    # how often it is asked whether a job is cancelled; AWX takes five seconds
    settings = {"job_timeout": 250, "pexpect_timeout": 1}
    (folder / "env" / "settings").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def run(
    launch: Launch,
    lab: LabClient,
    folder: pathlib.Path,
    *,
    cancel_after: t.Callable[[dict[str, t.Any]], bool] | None = None,
) -> t.Any:
    """Runs a job to its end, or until an event for which cancel_after says so: then as AWX cancels it."""
    prepare(launch, lab, folder)
    cancelled: list[bool] = []

    def event_handler(event: dict[str, t.Any]) -> bool:
        if cancel_after is not None and cancel_after(event):
            cancelled.append(True)
        return True

    return ansible_runner.run(
        private_data_dir=str(folder),
        playbook=launch.definition["playbook"],
        event_handler=event_handler,
        cancel_callback=lambda: bool(cancelled),
        quiet=True,
    )


def _inventory(launch: Launch, lab: LabClient) -> dict[str, t.Any]:
    """As AWX's inventory script tells it; the account is in the variables of the inventory, as it is defined."""
    number, count = launch.slice_of
    chosen = list(lab.hosts())[number - 1 :: count]
    (defined,) = definitions.definitions()["controller_inventories"]
    account = {name: defined["variables"][name] for name in ("ansible_user", "ansible_password")}
    hosts = {
        host.name: {
            **host_variables(lab, host),
            **account,
            "remote_tower_id": host_number,
            "remote_tower_enabled": "true",
        }
        for host_number, host in enumerate(chosen, 1)
    }
    return {
        "all": {"vars": dict(launch.inventory_vars)},
        "exchange": {"hosts": list(hosts)},
        "_meta": {"hostvars": hosts},
    }


def _account() -> dict[str, str]:
    """The environment that the credential gives a job."""
    (kind,) = definitions.definitions()["controller_credential_types"]
    values = {"{{ username }}": USER, "{{ password }}": PASSWORD}
    return {name: values[template] for name, template in kind["injectors"]["env"].items()}


def _extravars(plain: t.Mapping[str, t.Any], unsafe: t.Mapping[str, t.Any]) -> str:
    def quoted(text: str) -> str:
        return str(yaml.safe_dump(text, default_style="'", width=10_000)).strip()

    lines = [f"{name}: {json.dumps(value)}" for name, value in plain.items()]
    for name, value in unsafe.items():
        shown = f"!unsafe {quoted(value)}" if isinstance(value, str) else json.dumps(value)
        lines.append(f"!unsafe {quoted(name)}: {shown}")
    return "\n".join(lines) + "\n"


def text_of(job: t.Any) -> str:
    """All that a job has printed."""
    with job.stdout as stream:
        return str(stream.read())


def results(job: t.Any, module: str) -> dict[str, dict[str, t.Any]]:
    """The last result of a module on each host."""
    found = {}
    for event in job.events:
        data = event["event_data"]
        action = str(data.get("resolved_action") or data.get("task_action") or "")
        if event["event"] in ("runner_on_ok", "runner_on_failed") and action.endswith(f".{module}"):
            found[data["host"]] = data["res"]
    return found
