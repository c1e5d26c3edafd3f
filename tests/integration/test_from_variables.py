# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that tasks look up in variables: what Ansible does with templates holds for them too."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import typing as t

import pytest

from tests.lab.client import LabClient

from .harness import Ansible, Run

LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": {"ex01": {"windows": "2016", "registry": ["stock"]}},
}
MAPPING = {"protocols": "my_protocols", "baseline": "my_baseline", "strays": "my_strays"}
VALUES: dict[str, t.Any] = {"my_protocols": {}, "my_baseline": "none", "my_strays": "report", "wish": "disabled"}


def read(ansible: Ansible, options: dict[str, t.Any] | None = None, *arguments: str, **variables: t.Any) -> Run:
    task = {
        "name": "Read",
        "mailops.exchange_tls.tls_settings_info": {"from_variables": ["mapping"], **(options or {})},
    }
    play = {"name": "Read", "hosts": "all", "gather_facts": False, "tasks": [task]}
    return ansible.playbook([{**play, "vars": {"mapping": MAPPING, **VALUES, **variables}}], *arguments)


def asked(run: Run) -> set[tuple[str, str]]:
    found = run.ok().result("tls_settings_info")["findings"]
    return {(item["protocol"], item["side"]) for item in found if item["expected"]}


@pytest.mark.parametrize(
    "protocols",
    [
        {"SSL 3.0": "disabled"},
        {"SSL 3.0": "{{ wish }}"},
        "{{ {'SSL 3.0': wish} }}",
        "{{ other }}",
        '{"SSL 3.0": "disabled"}',
        {"SSL 3.0": {"Client": "{{ wish }}", "Server": "{{ wish }}"}},
    ],
    ids=["plain", "within", "made", "another", "text", "deep"],
)
def test_a_template_in_a_variable(ansible: Ansible, protocols: t.Any) -> None:
    run = read(ansible, my_protocols=protocols, other={"SSL 3.0": "{{ wish }}"})
    assert asked(run) == {("SSL 3.0", "Client"), ("SSL 3.0", "Server")}


def test_what_is_omitted_is_not_given(ansible: Ansible) -> None:
    assert ("TLS 1.2", "Client") in asked(read(ansible, my_baseline="{{ omit }}"))
    assert ("TLS 1.2", "Client") in asked(read(ansible, my_baseline="{{ nothing | default(omit) }}"))
    within = {"SSL 3.0": "disabled", "SSL 2.0": "{{ nothing | default(omit) }}"}
    assert asked(read(ansible, my_protocols=within)) == {("SSL 3.0", "Client"), ("SSL 3.0", "Server")}


def test_null_counts_for_more_than_the_task_as_well(ansible: Ansible) -> None:
    """And stands for the default, as everywhere."""
    assert ("TLS 1.2", "Client") in asked(read(ansible, {"baseline": "no_such_baseline"}, my_baseline=None))


class Vault:
    """ansible-vault, and its password in a file."""

    def __init__(self, folder: pathlib.Path) -> None:
        secret = folder / "password"
        secret.write_text("Vault-Pass-1\n", encoding="utf-8")
        self.flags = ("--vault-password-file", str(secret))

    def run(self, command: str, *arguments: str) -> str:
        tool = pathlib.Path(sys.executable).with_name("ansible-vault")
        done = [str(tool), command, *self.flags, *arguments]
        return subprocess.run(done, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def vault(tmp_path: pathlib.Path) -> Vault:
    return Vault(tmp_path)


def test_a_text_from_a_vault(ansible: Ansible, tmp_path: pathlib.Path, vault: Vault) -> None:
    variables = tmp_path / "vault.yml"
    made = vault.run("encrypt_string", '{"SSL 3.0": "disabled"}', "--name", "my_protocols")
    variables.write_text(made, encoding="utf-8")
    run = read(ansible, None, *vault.flags, "-e", f"@{variables}")
    assert asked(run) == {("SSL 3.0", "Client"), ("SSL 3.0", "Server")}


OURS = """\
id: ours
title: What our policy asks for
rules:
  - {id: ssl_3, title: SSL 3.0 is off, severity: high, why: It is old., source: Policy 17, version: "1",
     date: 2026-01-31, protocol: SSL 3.0, state: disabled}
"""


def test_a_baseline_from_a_vault(ansible: Ansible, vault: Vault) -> None:
    own = ansible.folder / "ours.yml"
    own.write_text(OURS, encoding="utf-8")
    vault.run("encrypt", str(own))
    run = read(ansible, None, *vault.flags, my_baseline="ours.yml")
    assert asked(run) == {("SSL 3.0", "Client"), ("SSL 3.0", "Server")}
    refused = read(ansible, None, my_baseline="ours.yml").result("tls_settings_info")["msg"]
    assert "ours.yml' is in a vault that does not open: " in refused


def test_a_variable_counts_for_more_than_the_task(ansible: Ansible) -> None:
    wanted = {"SSL 2.0": "disabled"}
    run = read(ansible, {"baseline": "exchange_tls12"}, my_protocols=wanted)
    assert asked(run) == {("SSL 2.0", "Client"), ("SSL 2.0", "Server")}
    run = read(ansible, {"baseline": "exchange_tls12"}, my_protocols=wanted, mapping={"protocols": "my_protocols"})
    assert ("TLS 1.2", "Client") in asked(run)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"mapping": {"protocols": "no_such"}}, ("'from_variables': there is no variable 'no_such'",)),
        ({"options": {"from_variables": 5}}, ("'from_variables'", "list")),
        ({"options": {"from_variables": [["mapping"]]}}, ("'from_variables' takes text, but number 1 of its list",)),
        ({"mapping": {"strays": ["my_strays"]}}, ("'from_variables': there is no variable ['my_strays']",)),
        ({"mapping": "text"}, ("'from_variables': mapping is no mapping",)),
        ({"mapping": {"protcols": "my_protocols"}}, ("'protcols'", "did you mean 'protocols'")),
        ({"my_protocols": "{{ nowhere }}"}, ("my_protocols", "nowhere")),
        ({"my_protocols": "{{ wish | no_such_filter }}"}, ("my_protocols", "no_such_filter")),
        ({"my_strays": "perhaps"}, ("'strays' is 'perhaps'",)),
    ],
)
def test_what_cannot_be_looked_up(
    lab: LabClient, ansible: Ansible, variables: dict[str, t.Any], words: tuple[str, ...]
) -> None:
    lab.host("ex01").reset_log()
    options = variables.pop("options", None)
    run = read(ansible, options, **variables)
    assert run.rc == 2
    message = run.of("tls_settings_info")[-1].result["msg"]
    for word in words:
        assert word in message
    assert "bug" not in message
    assert lab.host("ex01").operations() == []


def test_the_role_looks_into_what_its_variables_hold(ansible: Ansible) -> None:
    run = ansible.playbook("audit-tls12.yml", tls12_protocols={"SSL 2.0": "{{ wish }}"}, wish="disabled")
    assert ("SSL 2.0", "Server") in asked(run)
    run = ansible.playbook("audit-tls12.yml", tls12_protocols="{{ nowhere }}")
    assert run.rc == 2
    assert "tls12_protocols" in run.output
    assert "nowhere" in run.output
