# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos with a real KDC through both connection plugins: with a password, and with a ticket."""

from __future__ import annotations

import json
import pathlib
import subprocess
import typing as t

import pytest

from tests.lab import kdc as kdc_module
from tests.lab.client import LabClient
from tests.lab.kdc import Kdc, running_kdc
from tests.lab.launch import running_lab

from .harness import Ansible

pytestmark = pytest.mark.kerberos

USER, PASSWORD = "domadmin@LAB.TEST", "Lab-Pass-3"
DESCRIPTION: dict[str, t.Any] = {
    "accounts": [
        {"user": "labadmin", "password": "Lab-Pass-1", "administrator": True},
        {"user": "domadmin", "password": PASSWORD, "domain": "lab.test", "administrator": True},
    ],
    "hosts": {
        "ex01": {
            "windows": "2019",
            "registry": ["stock", "tls12_off"],
            "winrm": {"auth": ["kerberos"]},
            "restart": {"shutdown_delay": 0.1, "down_for": 0.3},
        }
    },
}


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Kdc]:
    assert kdc_module.missing() is None, "make kerberos asks for the KDC before it runs this"
    with running_kdc(tmp_path_factory.mktemp("kdc"), DESCRIPTION) as kdc:
        yield kdc


@pytest.fixture(scope="module")
def lab(realm: Kdc, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LabClient]:
    with running_lab(DESCRIPTION, tmp_path_factory.mktemp("lab"), environment=realm.environment) as client:
        yield client


def variables(lab: LabClient, connection: str, **more: t.Any) -> dict[str, t.Any]:
    """What a user writes into the inventory for Kerberos, and the name of the host for its ticket."""
    fqdn = lab.host("ex01").fqdn
    return {
        "winrm": {
            "ansible_winrm_transport": "kerberos",
            "ansible_winrm_kerberos_hostname_override": fqdn,
            "ansible_winrm_kinit_env_vars": ["KRB5_CONFIG"],
        },
        "psrp": {
            "ansible_psrp_auth": "kerberos",
            "ansible_psrp_negotiate_hostname_override": fqdn,
            "ansible_psrp_negotiate_service": "HTTP",
        },
    }[connection] | {"ansible_user": USER, "ansible_password": PASSWORD, **more}


def extra(folder: pathlib.Path, host_vars: t.Mapping[str, t.Any]) -> str:
    """The variables in a file: Ansible repeats what the command line holds when it is told to be verbose."""
    path = folder / "extra.json"
    path.write_text(json.dumps(dict(host_vars)), encoding="utf-8")
    return f"@{path}"


@pytest.mark.parametrize("connection", ["winrm", "psrp"])
def test_audit_change_and_restart(
    lab: LabClient, realm: Kdc, ansible: Ansible, tmp_path: pathlib.Path, connection: str
) -> None:
    env = {**realm.environment, "KRB5CCNAME": f"FILE:{tmp_path / 'ccache'}"}
    how: dict[str, t.Any] = {"connection": connection, "env": env, "options": {}}
    host_vars = variables(lab, connection)

    def task(module: str, **options: t.Any) -> dict[str, t.Any]:
        how["options"] = options
        return ansible.task(module, "-e", extra(tmp_path, host_vars), **how).ok().result(module)

    host = lab.host("ex01")
    host.reset_log()
    before = len(host.restarts())
    audited = task("tls_settings_info")
    assert {item["mechanism"] for item in host.logins()} == {"kerberos"}
    assert task("tls_settings")["changed"] is not audited["compliant"]
    assert task("wmi_reboot")["rebooted"] is True
    assert len(host.restarts()) == before + 1
    assert task("tls_settings_info")["compliant"] is True
    # at the end of a long line, with several logins side by side
    host.set_quirk("delay", {"seconds": 0.035, "request": 1, "every": True})
    for _dummy in range(3):
        host.reset_log()
        assert task("tls_settings_info", logins=10)["compliant"] is True
        if len(host.logins()) > 1:
            # a machine that is busy may not see that the line is long
            break
    host.clear_quirks()
    assert {(item["mechanism"], item["ok"]) for item in host.logins()} == {("kerberos", True)}
    assert 1 < len(host.logins()) <= 10


def test_a_ticket_of_the_users(lab: LabClient, realm: Kdc, ansible: Ansible, tmp_path: pathlib.Path) -> None:
    env = {**realm.environment, "KRB5CCNAME": f"FILE:{tmp_path / 'ccache'}"}
    subprocess.run(
        ["kinit", USER], input=PASSWORD.encode(), env={"PATH": "/usr/bin:/bin", **env}, timeout=20, check=True
    )
    host_vars = variables(lab, "winrm", ansible_winrm_kinit_mode="manual")
    ansible.task("tls_settings_info", "-e", extra(tmp_path, host_vars), env=env).ok()


def test_a_wrong_password_is_unreachable(lab: LabClient, realm: Kdc, ansible: Ansible, tmp_path: pathlib.Path) -> None:
    env = {**realm.environment, "KRB5CCNAME": f"FILE:{tmp_path / 'ccache'}"}
    for connection in ("winrm", "psrp"):
        host_vars = variables(lab, connection, ansible_password="not-the-password")
        run = ansible.task(
            "tls_settings_info", "-vvvvv", "-e", extra(tmp_path, host_vars), connection=connection, env=env
        )
        assert run.rc == 4, run.output
        assert "not-the-password" not in run.output
        assert "Traceback" not in run.output
