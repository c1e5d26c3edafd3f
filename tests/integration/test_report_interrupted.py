# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that somebody stops with ^C leaves a report of what it had done by then."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import typing as t

import yaml

from tests.lab.client import LabClient
from tests.lab.inventory import write_inventory

LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": {name: {"windows": "2019", "registry": ["stock", "tls12_off"]} for name in ("ex01", "ex02")},
}
LIMIT = 60


def test_a_report_after_an_interrupt(lab: LabClient, tmp_path: pathlib.Path) -> None:
    role = {"name": "mailops.exchange_tls.tls12", "tasks_from": "audit", "rolespec_validate": False}
    # a line on which nothing is ever said
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(LIMIT)
    wait = {"host": "127.0.0.1", "port": listener.getsockname()[1], "search_regex": "never", "timeout": LIMIT}
    play = {
        "name": "Look, and be stopped",
        "hosts": "all",
        "gather_facts": False,
        "serial": 1,
        "tasks": [
            {"name": "Audit", "ansible.builtin.import_role": role},
            {"name": "Stop here", "ansible.builtin.wait_for": wait, "delegate_to": "localhost"},
        ],
    }
    book, output = tmp_path / "play.yml", tmp_path / "output.txt"
    book.write_text(yaml.safe_dump([play]), encoding="utf-8")
    hosts = write_inventory(lab, tmp_path / "hosts.yml")
    with output.open("wb") as file:
        process = subprocess.Popen(
            [
                os.path.join(os.path.dirname(sys.executable), "ansible-playbook"),
                *("-i", str(hosts), "-e", f"tls12_report_dir={tmp_path / 'reports'}", str(book)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd=tmp_path,
            env={**os.environ, "ANSIBLE_CALLBACKS_ENABLED": "mailops.exchange_tls.summary"},
            start_new_session=True,
        )
    try:
        # Ansible forgets a worker that is just being forked, and waits for it to its end: so not before that
        with listener, listener.accept()[0]:
            # a terminal sends it to all processes of the run
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=LIMIT)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    told = output.read_text(encoding="utf-8")
    assert "PLAY RECAP" not in told
    (folder,) = (tmp_path / "reports").iterdir()
    assert told.count(f"report:   {folder}/report.html") == 1
    result = json.loads((folder / "result.json").read_text(encoding="ascii"))
    assert result["run"]["ended_by"] == "interrupt"
    assert [item["name"] for item in result["servers"]] == ["ex01"]
    assert result["not_touched"] == ["ex02"]
