# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos with a real KDC through both connection plugins: with a password, and with a ticket."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess
import typing as t

import pytest

from tests.lab import kdc as kdc_module
from tests.lab.client import LabClient
from tests.lab.kdc import Kdc, running_kdc
from tests.lab.launch import running_lab

from .fleet import assert_no_traceback, only
from .harness import Ansible
from .ways import CONNECTIONS

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
        },
        "ex02": {"windows": "2019", "winrm": {"http": None, "https": 5986, "auth": ["kerberos"]}},
    },
}


@dataclasses.dataclass(frozen=True)
class Login:
    """One way to log in: whether a person has asked for the ticket before, and how the task ends."""

    outcome: str
    way: str
    says: tuple[str, ...] = ()
    host: str = "ex01"
    kinit: bool = False
    variables: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)


# A ticket that is there, and no password from which one could be made.
OWN_TICKET = {"ansible_winrm_kinit_mode": "manual", "ansible_password": None}
CASES = {
    "password": Login("ok", "Kerberos over http, messages encrypted; the ticket made from the password"),
    "ticket": Login("ok", "Kerberos over http, a ticket of the user's (kinit)", kinit=True, variables=OWN_TICKET),
    "no-ticket": Login(
        "unreachable",
        "Kerberos without a ticket and without a password",
        ("there is no valid ticket; run kinit",),
        variables=OWN_TICKET,
    ),
    "https": Login("ok", "Kerberos over https, bound to the TLS connection, which the host demands", host="ex02"),
    "unbound": Login(
        "unreachable",
        "Kerberos over https, not bound, to a host that demands it (CbtHardeningLevel=Strict)",
        ("HTTP 401", "channel binding"),
        host="ex02",
        variables={"ansible_winrm_send_cbt": False, "ansible_psrp_negotiate_send_cbt": False},
    ),
    "wrong-password": Login(
        "unreachable",
        "Kerberos with a wrong password",
        ("the domain refused the password",),
        variables={"ansible_password": "not-the-password"},
    ),
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


def variables(lab: LabClient, connection: str, host: str = "ex01", **more: t.Any) -> dict[str, t.Any]:
    """What a user writes into the inventory for Kerberos, and the name of the host for its ticket."""
    fqdn = lab.host(host).fqdn
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


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_audit_change_and_restart(
    lab: LabClient, realm: Kdc, ansible: Ansible, tmp_path: pathlib.Path, connection: str
) -> None:
    env = {**realm.environment, "KRB5CCNAME": f"FILE:{tmp_path / 'ccache'}"}
    how: dict[str, t.Any] = {"connection": connection, "env": env, "options": {}}
    host_vars = variables(lab, connection)

    def task(module: str, **options: t.Any) -> dict[str, t.Any]:
        how["options"] = options
        return ansible.task(module, "-l", "ex01", "-e", extra(tmp_path, host_vars), **how).ok().result(module)

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


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("name", CASES)
def test_ways_to_log_in(
    lab: LabClient, realm: Kdc, ansible: Ansible, tmp_path: pathlib.Path, name: str, connection: str
) -> None:
    case = CASES[name]
    env = {**realm.environment, "KRB5CCNAME": f"FILE:{tmp_path / 'ccache'}"}
    if case.kinit:
        command = {"args": ["kinit", USER], "env": {"PATH": "/usr/bin:/bin", **env}}
        subprocess.run(**command, input=PASSWORD.encode(), timeout=20, check=True)
    lab.host(case.host).reset_log()
    host_vars = extra(tmp_path, variables(lab, connection, case.host, **case.variables))
    run = ansible.task("tls_settings_info", "-vvvvv", "-l", case.host, "-e", host_vars, connection=connection, env=env)
    item = only(run.of("tls_settings_info"))
    message = str(item.result.get("msg", ""))
    assert item.outcome == case.outcome, message
    for word in case.says:
        assert word in message
    assert_no_traceback(run)
    assert [secret for secret in (PASSWORD, "not-the-password") if secret in run.output] == []
    # pywinrm logs in before it has seen the certificate of the host to which it has to bind; then it tries again
    worked = [(login["mechanism"], login["ok"]) for login in lab.host(case.host).logins()[-1:]]
    assert (worked == [("kerberos", True)]) is (case.outcome == "ok")
