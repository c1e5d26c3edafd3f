# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/awx/configure.yml with the real modules of awx.awx, against a stub of AWX that refuses what AWX refuses."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

from tests.awx import definitions, stub

pytestmark = [
    pytest.mark.awx,
    pytest.mark.slow,
    pytest.mark.skipif(
        not any(pathlib.Path(place, "ansible_collections", "awx", "awx").is_dir() for place in sys.path),
        reason="awx.awx is not installed; make awx does that",
    ),
]
# Each module is a process of its own.
LIMIT = 180


def configure(awx: stub.Awx, folder: pathlib.Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """configure.yml as somebody runs it who has said what has to be said in a file."""
    given = folder / "ours.yml"
    account = {"EXCHANGE_USER": "awx_tls_user", "EXCHANGE_PASSWORD": "awx_tls_password"}
    values = {name: value for name, value in definitions.GIVEN.items() if name not in account.values()}
    given.write_text(json.dumps(values), encoding="utf-8")
    variables = {name: definitions.GIVEN[variable] for name, variable in account.items()}
    login = {"CONTROLLER_HOST": awx.url, "CONTROLLER_OAUTH_TOKEN": stub.TOKEN}
    return subprocess.run(
        ["ansible-playbook", definitions.CONFIGURE, "-e", f"@{given}", *arguments],
        cwd=folder,
        env={**os.environ, **login, **variables, **env},
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=LIMIT,
        check=False,
    )


def changed(output: str) -> set[str]:
    """The names of the tasks that report a change."""
    tasks = output.split("TASK [")[1:]
    return {text.partition("]")[0] for text in tasks if "changed:" in text}


@pytest.mark.timeout(2 * LIMIT)
def test_twice(tmp_path: pathlib.Path) -> None:
    """All of it is made, as it is defined; the second run reports a change for the nodes of workflows only."""
    with stub.running() as awx:
        first = configure(awx, tmp_path)
        assert first.returncode == 0, first.stdout + first.stderr
        check_what_is_there(awx)
        calls = len(awx.changes)
        second = configure(awx, tmp_path)
        assert second.returncode == 0, second.stdout + second.stderr
        assert changed(second.stdout) == {"Workflows"}
        again = [(method, path) for method, path, _body in awx.changes[calls:]]
        assert {method for method, _path in again} <= {"PATCH"}
        check_what_is_there(awx)
    for run in (first, second):
        assert definitions.GIVEN["awx_tls_password"] not in run.stdout + run.stderr


def check_what_is_there(awx: stub.Awx) -> None:
    defined = definitions.definitions()
    for template in defined["controller_templates"]:
        item = awx.of("job_templates", template["name"])
        assert awx.surveys[item["id"]] == template["survey_spec"]
        assert json.loads(item["extra_vars"]) == template["extra_vars"]
        for field in ("job_type", "playbook", "ask_job_type_on_launch", "ask_limit_on_launch", "job_slice_count"):
            assert item[field] == template[field]
        for relation in ("credentials", "instance_groups", "notification_templates_error"):
            assert awx.names("job_templates", item, relation) == template[relation]
    (credential,) = [item for item in awx.items["credentials"] if item["name"] == "Exchange TLS account"]
    assert awx.secrets[credential["id"]]["password"] == definitions.GIVEN["awx_tls_password"]
    (kind,) = awx.items["credential_types"]
    assert kind["injectors"] == {"env": {"EXCHANGE_USER": "{{ username }}", "EXCHANGE_PASSWORD": "{{ password }}"}}
    (inventory,) = awx.items["inventories"]
    assert json.loads(inventory["variables"]) == defined["controller_inventories"][0]["variables"]
    (group,) = awx.items["groups"]
    assert sorted(awx.names("groups", group, "hosts")) == definitions.GIVEN["awx_tls_servers"]
    check_nodes(awx, defined["controller_workflows"][0])


def check_nodes(awx: stub.Awx, workflow: dict[str, t.Any]) -> None:
    nodes = {item["identifier"]: item for item in awx.items["workflow_job_template_nodes"]}
    assert set(nodes) == {node["identifier"] for node in workflow["workflow_nodes"]}
    for node in workflow["workflow_nodes"]:
        item = nodes[node["identifier"]]
        for field in ("job_type", "extra_data"):
            assert item.get(field) == node.get(field)
        for relation in ("success_nodes", "failure_nodes", "always_nodes"):
            others = [other["identifier"] for other in node.get("related", {}).get(relation, [])]
            assert awx.names("workflow_job_template_nodes", item, relation) == others


@pytest.mark.parametrize(
    ("arguments", "env", "words"),
    [
        (("-e", "awx_tls_project_url="), {}, "awx_tls_project_url: give the address"),
        (("-e", "awx_tls_image="), {}, "awx_tls_image: give the image"),
        (("-e", "awx_tls_backup_dir=backups"), {}, "awx_tls_backup_dir: give an absolute path"),
        (("-e", "awx_tls_report_dir=reports"), {}, "awx_tls_report_dir, awx_tls_smtp_logs: give absolute paths"),
        ((), {"EXCHANGE_PASSWORD": ""}, "put EXCHANGE_USER and EXCHANGE_PASSWORD into the environment"),
        ((), {"CONTROLLER_HOST": ""}, "CONTROLLER_HOST: put the address of AWX"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_made(
    tmp_path: pathlib.Path, arguments: tuple[str, ...], env: dict[str, str], words: str
) -> None:
    with stub.running() as awx:
        run = configure(awx, tmp_path, *arguments, **env)
        assert run.returncode == 2
        assert words in run.stdout + run.stderr
        assert awx.changes == []
