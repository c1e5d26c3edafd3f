# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables exactly as AWX hands the answers of a survey over: ``!unsafe 'name': !unsafe 'text'`` in a file for ``-e``.

ansible-core up to 2.18 keeps the text. 2.19 and later read it once more as YAML: a blank arrives as null.
"""

from __future__ import annotations

import pathlib
import typing as t

import pytest
import yaml

from tests.lab.client import LabClient

from .harness import ROOT, Ansible

HOST: dict[str, t.Any] = {
    "windows": "2016",
    "registry": ["stock", "tls12_off"],
    "endpoints": [{"kind": "smtp", "port": 2525}],
    "restart": {"shutdown_delay": 0.1, "down_for": 0.3},
}
LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": dict.fromkeys(("blank", "text", "wrong"), HOST),
}
VARIABLES = list(yaml.safe_load((ROOT / "roles/tls12/defaults/main.yml").read_text(encoding="utf-8")))


def answers(folder: pathlib.Path, given: t.Mapping[str, str]) -> tuple[str, str]:
    """The arguments with the answers, in the form of AWX's env/extravars."""

    def quoted(text: str) -> str:
        return yaml.safe_dump(text, default_style="'", width=10_000).strip()

    path = folder / f"extravars-{len(list(folder.glob('extravars-*')))}"
    lines = [f"!unsafe {quoted(name)}: !unsafe {quoted(text)}" for name, text in given.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "-e", f"@{path}"


@pytest.mark.smoke
@pytest.mark.parametrize("text", ["", " "])
def test_blank_answers_are_no_answers(lab: LabClient, ansible: Ansible, tmp_path: pathlib.Path, text: str) -> None:
    """Every variable, those of the playbook included; only what the test cannot do without is given."""
    # the endpoints of the lab have other ports, so that a blank means handshakes that cannot be made
    blank = {name: text for name in (*VARIABLES, "tls12_hosts", "tls12_serial") if name != "tls12_backup_dir"}
    inventory = {"tls12_handshake_timeout": 1}
    hosts = ["-l", "blank", *answers(tmp_path, blank)]
    own_group = ["-i", f"{group(tmp_path)}"]
    for book in ("audit-tls12.yml", "enforce-tls12.yml"):
        run = ansible.playbook(book, *hosts, *own_group, "--check", inventory=inventory)
        assert run.rc == 0, run.output
    assert run.result("tls_settings", "blank")["changed"] is True
    assert lab.host("blank").restarts() == []


def group(folder: pathlib.Path) -> pathlib.Path:
    """The group that a blank answer for tls12_hosts stands for."""
    path = folder / "exchange.yml"
    path.write_text(yaml.safe_dump({"exchange": {"hosts": dict.fromkeys(LAB["hosts"])}}), encoding="utf-8")
    return path


@pytest.mark.smoke
def test_a_real_run_with_blanks_restarts_and_verifies(lab: LabClient, ansible: Ansible, tmp_path: pathlib.Path) -> None:
    """A blank hook is no hook, between the change and the restart too."""
    blank = {name: "" for name in VARIABLES if name not in ("tls12_backup_dir", "tls12_endpoints")}
    given = {**blank, "tls12_endpoints": "smtp://:2525"}
    run = ansible.playbook("enforce-tls12.yml", "-l", "blank", *answers(tmp_path, given)).ok()
    assert len(lab.host("blank").restarts()) == 1
    assert run.result("tls_settings_info", "blank")["verdict"]["word"] == "verified"


@pytest.mark.smoke
def test_lists_and_mappings_as_text(lab: LabClient, ansible: Ansible, tmp_path: pathlib.Path) -> None:
    given = {
        "tls12_endpoints": '["smtp://:2525"]',
        "tls12_protocols": '{"TLS 1.0": {"Server": "disabled"}}',
        "tls12_dotnet": "v2: strong\r\nv4: strong",
        "tls12_waivers": "- match: protocol == 'TLS 1.0'\r\n  reason: The scanner\r\n  expires: 2099-12-31",
        "tls12_reboot_services": "[]",
        "tls12_fail_on_findings": "false",
        "tls12_dh_min_key_length": "2048",
        "tls12_cipher_suites": "",
        "tls12_undo_on_failure": "yes",
        "tls12_handshake_patience": "5",
        "tls12_serial": "1",
    }
    run = ansible.playbook("enforce-tls12.yml", "--check", "-l", "text", *answers(tmp_path, given)).ok()
    findings = {item["id"]: item for item in run.result("tls_settings", "text")["findings"]}
    assert findings["tls_1_0.server.enabled"]["status"] == "waived"
    assert findings["dotnet_v2.64.schusestrongcrypto"]["expected"]["data"] == 1
    assert findings["dh_min_key_length.client"]["expected"]["data"] == 2048
    [endpoint] = run.result("tls_settings_info")["handshakes"]["endpoints"]
    assert endpoint["endpoint"].endswith(":2525")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"tls12_protocols": "TLS 1.2"}, ("'tls12_protocols'", "no mapping")),
        ({"tls12_protocols": '{"TLS 1.2":'}, ("'tls12_protocols'", "neither JSON nor YAML")),
        ({"tls12_waivers": "[{match: side}]"}, ("tls12_waivers", "reason")),
        ({"tls12_reboot_timeout": "soon"}, ("'tls12_reboot_timeout'", "a whole number")),
        ({"tls12_reboot_timeout": "0"}, ("'tls12_reboot_timeout' is 0",)),
        ({"tls12_reboot": "later"}, ("'tls12_reboot' is 'later'", "if_pending, never, always")),
        ({"tls12_endpoints": "smpt"}, ("did you mean 'smtp'?",)),
        ({"tls12_endpoints": '["smtp", ""]'}, ("blank",)),
        ({"tls12_reboot_services": "NoSuch"}, ("NoSuch",)),
        ({"tls12_before_reboot_tasks": "nosuch.yml"}, ("'tls12_before_reboot_tasks'", "nosuch.yml")),
        ({"tls12_rebot": "never"}, ("'tls12_rebot'", "did you mean 'tls12_reboot'?")),
        ({"tls12_handshake_timeout": "true"}, ("'tls12_handshake_timeout'", "a number")),
        ({"tls12_undo_on_failure": "perhaps"}, ("'tls12_undo_on_failure'", "true or false")),
    ],
)
def test_wrong_answers_change_nothing(
    lab: LabClient,
    ansible: Ansible,
    tmp_path: pathlib.Path,
    given: dict[str, str],
    words: tuple[str, ...],
) -> None:
    before = lab.host("wrong").dump()
    # every other one in check mode, which is to find the same
    mode = ("--check",) if len(words[0]) % 2 else ()
    run = ansible.playbook("enforce-tls12.yml", "-l", "wrong", *mode, *answers(tmp_path, given))
    assert run.rc == 2, run.output
    for word in words:
        assert word in run.output, run.output
    assert lab.host("wrong").dump() == before
    assert lab.host("wrong").restarts() == []
    assert not ansible.backups.exists()


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        ("exchnage", "no server of the inventory matches that. Did you mean 'exchange'?"),
        ("{{ groups.exchange }}", "no server of the inventory matches"),
        ("exchange:!exchange", "no server of the inventory matches"),
    ],
)
def test_a_pattern_that_matches_nothing_fails(
    lab: LabClient, ansible: Ansible, tmp_path: pathlib.Path, hosts: str, words: str
) -> None:
    for book in ("audit-tls12.yml", "enforce-tls12.yml", "harden-tls.yml", "rollback-tls12.yml"):
        run = ansible.playbook(book, *answers(tmp_path, {"tls12_hosts": hosts}))
        assert run.rc != 0, run.output
        assert words in run.output
        assert not run.outcomes


@pytest.mark.parametrize("serial", ["2.5", "-1", "many", "101%", "[1, x]"])
def test_a_serial_that_makes_no_sense_fails(ansible: Ansible, tmp_path: pathlib.Path, serial: str) -> None:
    run = ansible.playbook("enforce-tls12.yml", *answers(tmp_path, {"tls12_serial": serial}))
    assert run.rc != 0
    assert "how many servers at a time" in run.output
    assert "Traceback" not in run.output
    assert not run.outcomes


def test_a_serial_in_the_inventory_is_refused(lab: LabClient, ansible: Ansible) -> None:
    """Ansible does not read it there, and three at a time must not silently become one."""
    before = lab.host("wrong").dump()
    run = ansible.playbook("enforce-tls12.yml", inventory={"tls12_serial": 3})
    assert run.rc == 2
    assert "Give it with -e tls12_serial=3" in run.output
    assert lab.host("wrong").dump() == before


def test_hosts_in_the_inventory_are_refused(lab: LabClient, ansible: Ansible, tmp_path: pathlib.Path) -> None:
    """The play would run on the group exchange, whatever the variable says."""
    own_group = ["-i", f"{group(tmp_path)}"]
    run = ansible.playbook("audit-tls12.yml", *own_group, inventory={"tls12_hosts": "text"})
    assert run.rc == 2
    assert "'tls12_hosts' is text, but this play runs on other hosts" in run.output
    ansible.playbook("audit-tls12.yml", *own_group, "-l", "text,blank", tls12_hosts="text:blank").ok()
    # what -e gives may be made of other variables
    ansible.playbook("audit-tls12.yml", *own_group, tls12_hosts="{{ site }}", site="text:blank").ok()
