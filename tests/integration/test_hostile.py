# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that says whatever harms: nothing of it is executed, obeyed by a terminal, or huge."""

from __future__ import annotations

import json
import os
import pathlib
import re
import tempfile
import typing as t

import pytest

from tests.awx import jobs
from tests.lab.client import LabClient
from tests.lab.inventory import exchange_variables

from .harness import PROTOCOLS_KEY, TLS12_SERVER, Ansible, Run

EXECUTED = pathlib.Path(tempfile.gettempdir()) / f"hostile-{os.getpid()}"
JINJA = f"{{{{ 7919**2 }}}}{{{{ lookup('pipe', 'touch {EXECUTED}') }}}}"
# no number of a process, a port or a time has as many digits
RESULT_OF_JINJA = "62710561"
# What XML can carry: C1 controls, bidi, a line separator. CLIXML carries an escape sequence besides.
MARKS = "\x9b2J\u202e\u2028\u200b"
TEXT = f"{JINJA}{MARKS}\n[ok] ex01\nignore this <script>alert(1)</script>"
WORSE = f"\x1b]0;owned\x07\x1b[2J\r{TEXT}"
REGISTRY: dict[str, t.Any] = {
    rf"HKLM\{TLS12_SERVER}": {"Enabled": {"type": "REG_SZ", "data": TEXT + "y" * 100_000}},
    rf"HKLM\{PROTOCOLS_KEY}\TLS 1,2 {JINJA[:60]}{MARKS}": {f"=Enabled {MARKS}": {"type": "REG_SZ", "data": TEXT}},
    rf"HKLM\{PROTOCOLS_KEY}\TLS 1.2\Klient{MARKS}": {"a " * 120: {"type": "REG_SZ", "data": WORSE[-40:]}},
}
CLOUD = "lab-test.mail.protection.outlook.com"
ACCOUNTS = [
    {"user": "labadmin", "password": "Lab-Pass-1", "administrator": True},
    {"user": "exadmin", "password": "Lab-Pass-3", "domain": "lab.test"},
]
HOST: dict[str, t.Any] = {
    "windows": "2019",
    "computer_name": f"EX{JINJA[:13]}",
    "registry": ["stock", REGISTRY],
    "services": ["exchange", {"name": f"MSExchange{MARKS}{JINJA}", "state": "Stopped"}],
    "endpoints": [{"kind": "smtp", "port": 2525}],
    "restart": {"shutdown_delay": 0.1, "down_for": 0.3},
}
MAIL: dict[str, t.Any] = {
    "windows": "2019",
    "services": ["exchange"],
    "exchange": {
        "build": "15.02.1544.011",
        "shell": {"http": None, "https": 8443, "auth": ["basic"]},
        "send_connectors": [{"name": f"'; Stop-Computer; '{MARKS}{JINJA}", "smart_hosts": [CLOUD], "cloud": True}],
        "receive_connectors": [{"name": f"In {MARKS}{JINJA}"}],
        "certificates": [{"subject": f"mail{MARKS}{JINJA[:13]}", "issuer": "Lab CA"}],
        "queues": [
            {
                "domain": CLOUD,
                "messages": 40,
                "delivery_type": "SmartHostConnectorDelivery",
                "last_error": f"[{{LED=421 4.4.2 {WORSE}{'z' * 1_000_000}}};{{FQDN={WORSE}}};{{IP=192.0.2.1}}]",
                "stuck": True,
            }
        ],
    },
}
LAB: dict[str, t.Any] = {"accounts": ACCOUNTS, "hosts": {"ex01": HOST, "ex02": MAIL, "ex03": HOST}}
CALLBACK = {"ANSIBLE_CALLBACKS_ENABLED": "record,mailops.exchange_tls.summary"}
# Whatever a terminal obeys or hides; line feeds and tabs are Ansible's own.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
LARGEST_OUTPUT, LARGEST_FILE, LARGEST_ARTIFACT = 60_000, 200_000, 1_000
# The result of an audit has a value as it is, with the protocols and in each finding about it.
LARGEST_EVENT = 400_000


def check(run: Run) -> None:
    """What people see."""
    assert not EXECUTED.exists()
    assert RESULT_OF_JINJA not in run.output
    found = OBEYED.search(run.output)
    assert found is None, repr(run.output[max(0, found.start() - 300) : found.start() + 20])
    assert len(run.output) < LARGEST_OUTPUT
    assert "Traceback" not in run.output
    assert not re.search(r"(?m)^\[ok\] ex01", run.output), "a line of a server looks like one of Ansible's"


def test_an_audit_a_change_and_their_reports(lab: LabClient, ansible: Ansible) -> None:
    for book in ("audit-tls12.yml", "enforce-tls12.yml"):
        given = {"tls12_endpoints": ["smtp://:2525"], "tls12_report_dir": str(ansible.folder / book)}
        run = ansible.playbook(book, "-l", "ex01", env=CALLBACK, **given)
        check(run)
        (folder,) = (ansible.folder / book).iterdir()
        for path in folder.iterdir():
            text = path.read_text(encoding="utf-8")
            found = OBEYED.search(text.replace("\r\n", "\n"))
            assert found is None, (path.name, repr(text[max(0, found.start() - 200) : found.start() + 20]))
            assert RESULT_OF_JINJA not in text
            assert "<script>alert" not in text or path.name in ("result.json", "findings.csv")
            assert len(text) < LARGEST_FILE, path.name
        (server,) = json.loads((folder / "result.json").read_text(encoding="ascii"))["servers"]
        assert any(MARKS in item["message"] or "U+202E" in item["message"] for item in server["findings"])
    assert run.of("tls_settings")
    assert lab.host("ex01").registry(TLS12_SERVER)["Enabled"] == {"type": "REG_DWORD", "data": 1}


def test_mail_flow(lab: LabClient, ansible: Ansible) -> None:
    variables = exchange_variables(lab, lab.host("ex02"), "basic")
    run = ansible.task("mail_flow_info", hosts="ex02", inventory=variables).ok()
    check(run)
    result = run.result("mail_flow_info")
    told = "\n".join(item["message"] for item in result["findings"])
    assert not OBEYED.search(told)
    assert "<U+001B>" in told
    assert "Set-SendConnector '''; Stop-Computer; ''" in told, "a command that people copy has one name in it"
    assert len(json.dumps(result)) < LARGEST_FILE
    why = ansible.playbook("why-mail-stopped.yml", "-l", "ex02", inventory=variables, env=CALLBACK)
    check(why)


def told(value: t.Any, name: str = "") -> t.Iterator[tuple[str, str]]:
    """Each text of an event with the names that lead to it; those of mappings as well."""
    if isinstance(value, str):
        yield name, value
    for key, item in value.items() if isinstance(value, dict) else ():
        yield f"{name}.", key
        yield from told(item, f"{name}.{key}")
    for item in value if isinstance(value, list) else ():
        yield from told(item, f"{name}[]")


def test_jobs_of_awx(lab: LabClient, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backups, reports = ({f"tls12_{name}_dir": str(tmp_path / name)} for name in ("backup", "report"))
    for launch in (
        jobs.Launch("audit", limit="ex03", extra_vars=backups),
        jobs.Launch("enforce", {"tls12_endpoints": "smtp://:2525"}, limit="ex03", extra_vars={**backups, **reports}),
    ):
        folder = tmp_path / launch.template
        job = jobs.run(launch, lab, folder)
        assert job.status == "successful", jobs.text_of(job)
        check(Run(job.rc, jobs.text_of(job), ()))
        faithful = set()
        for event in job.events:
            for name, text in told(event):
                assert RESULT_OF_JINJA not in text or not name.startswith((".event_data.res", ".stdout")), (name, text)
                if OBEYED.search(text.replace("\r\n", "\n")):
                    faithful.add(name)
        # programs get keys and data as they are; in JSON, which no terminal obeys
        assert faithful, "nothing hostile has arrived"
        assert not [name for name in faithful if not re.fullmatch(r"\.event_data\.res\..*\.(key|data)", name)], faithful
        for path in (folder / "artifacts").rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert content.isascii(), path
                assert not OBEYED.search(content.decode().replace("\r\n", "\n")), path
                assert len(content) < LARGEST_EVENT, path
        (end,) = [event["event_data"] for event in job.events if event["event"] == "playbook_on_stats"]
        artifact = end["artifact_data"]["exchange_tls"]
        assert [name for names in artifact["servers"].values() for name in names] == ["ex03"]
        assert len(json.dumps(artifact)) < LARGEST_ARTIFACT
        # the next one with the callback that sums up and writes reports, as the project has it
        monkeypatch.setenv("ANSIBLE_CONFIG", str(jobs.ROOT / "ansible.cfg"))
    assert lab.host("ex03").registry(TLS12_SERVER)["Enabled"] == {"type": "REG_DWORD", "data": 1}
