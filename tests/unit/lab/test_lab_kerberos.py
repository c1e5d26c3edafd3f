# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos with a real KDC: the stock libraries, tickets, and tickets for the wrong host."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pypsrp.exceptions import AuthenticationError

from tests.lab import kdc as kdc_module
from tests.lab.client import LabClient, LabError
from tests.lab.inventory import host_variables
from tests.lab.kdc import Kdc, KdcError, running_kdc
from tests.lab.launch import running_lab
from tests.unit.lab.test_lab_clients import psrp, psrp_read, winrm, winrm_read

DESCRIPTION: dict[str, Any] = {
    "accounts": [
        {"user": "labadmin", "password": "Lab-Pass-1"},
        {"user": "domadmin", "password": "Lab-Pass-3", "domain": "lab.test"},
        {"user": "domuser", "password": "Lab-Pass-4", "domain": "lab.test", "administrator": False},
    ],
    "hosts": {
        "ex01": {"winrm": {"https": 5986, "auth": ["kerberos", "ntlm"]}},
        "ex02": {"winrm": {"auth": ["kerberos"]}},
    },
}
USER = {"username": "domadmin@LAB.TEST", "password": "Lab-Pass-3"}


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kdc]:
    absent = [name for name in ("gssapi", "krb5", "kerberos") if importlib.util.find_spec(name) is None]
    reason = f"Python's {', '.join(absent)} is not installed" if absent else kdc_module.missing()
    if reason is not None and os.environ.get("CI") == "true":
        pytest.fail(f"nothing may be left out where CI=true, but {reason}")
    if reason is not None:
        pytest.skip(reason)
    with running_kdc(tmp_path_factory.mktemp("kdc"), DESCRIPTION) as kdc, pytest.MonkeyPatch.context() as patch:
        for name, value in kdc.environment.items():
            patch.setenv(name, value)
        yield kdc


@pytest.fixture(scope="module")
def domain(realm: Kdc, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    with running_lab(DESCRIPTION, tmp_path_factory.mktemp("lab"), environment=realm.environment) as lab:
        yield lab


@pytest.mark.kerberos
class TestWithRealm:
    @pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
    @pytest.mark.parametrize("service", ["HTTP", "host", "WSMAN"])
    def test_psrp(self, domain: LabClient, auth: str, service: str) -> None:
        host = domain.host("ex02")
        options: dict[str, Any] = {
            "auth": auth,
            "negotiate_service": service,
            "negotiate_hostname_override": host.fqdn,
            **USER,
        }
        with psrp(domain, host, **options) as wsman:
            assert psrp_read(wsman) == "1"
            assert psrp_read(wsman) == "1"
        assert host.logins()[-1]["mechanism"] == "kerberos"

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_winrm(self, domain: LabClient, realm: Kdc, scheme: str) -> None:
        host = domain.host("ex01")
        subprocess.run(["kinit", USER["username"]], input=USER["password"].encode(), timeout=20, check=True)
        protocol = winrm(
            domain, host, scheme, transport="kerberos", password=None, username=USER["username"],
            kerberos_hostname_override=host.fqdn,
        )  # fmt: skip
        assert winrm_read(protocol) == "1"
        assert host.logins()[-1]["user"] == USER["username"]

    def test_channel_binding(self, domain: LabClient) -> None:
        host = domain.host("ex01")
        with psrp(domain, host, ssl=True, auth="kerberos", negotiate_hostname_override=host.fqdn, **USER) as wsman:
            assert psrp_read(wsman) == "1"

    def test_without_channel_binding(self, domain: LabClient) -> None:
        host = domain.host("ex01")
        options: dict[str, Any] = {"auth": "kerberos", "negotiate_hostname_override": host.fqdn, **USER}
        options["negotiate_send_cbt"] = False
        with psrp(domain, host, ssl=True, **options) as wsman, pytest.raises(AuthenticationError):
            psrp_read(wsman)
        assert host.logins()[-1]["reason"] == "BadBindingsError: the client has sent no bindings"

    def test_ntlm_beside_it(self, domain: LabClient) -> None:
        assert winrm_read(winrm(domain, domain.host("ex01"))) == "1"

    def test_ntlm_where_only_kerberos_is_offered(self, domain: LabClient) -> None:
        with psrp(domain, domain.host("ex02"), auth="ntlm") as wsman, pytest.raises(AuthenticationError):
            psrp_read(wsman)

    def test_ticket_for_another_host(self, domain: LabClient) -> None:
        host = domain.host("ex02")
        options: dict[str, Any] = {"auth": "kerberos", "negotiate_hostname_override": domain.host("ex01").fqdn, **USER}
        with psrp(domain, host, **options) as wsman, pytest.raises(AuthenticationError):
            psrp_read(wsman)
        assert host.logins()[-1]["reason"] == "the ticket is for another host"

    def test_inventory(self, domain: LabClient) -> None:
        host = domain.host("ex02")
        variables = host_variables(domain, host)
        assert (variables["ansible_user"], variables["ansible_password"]) == ("domadmin@LAB.TEST", "Lab-Pass-3")
        assert variables["ansible_winrm_transport"] == "kerberos"
        assert variables["ansible_winrm_kerberos_hostname_override"] == "ex02.lab.test"
        assert host_variables(domain, host, "psrp")["ansible_psrp_negotiate_hostname_override"] == "ex02.lab.test"

    def test_environment_is_needed(self, realm: Kdc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("KRB5_KTNAME")
        with pytest.raises(LabError, match="KRB5_KTNAME"), running_lab(DESCRIPTION, tmp_path):
            pass


def test_without_a_domain(tmp_path: Path) -> None:
    description = {"accounts": DESCRIPTION["accounts"][:1], "hosts": {"a": None}}
    with pytest.raises(KdcError, match="one domain is needed"), running_kdc(tmp_path, description):
        pass


def test_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kdc_module, "_PATH", str(tmp_path))
    assert kdc_module.missing() == "no krb5kdc, kdb5_util, kadmin.local: install krb5-kdc and krb5-admin-server"
    with pytest.raises(KdcError, match="install krb5-kdc"), running_kdc(tmp_path / "kdc", DESCRIPTION):
        pass


def test_nothing_of_the_machine_is_used(tmp_path: Path) -> None:
    kdc = Kdc(tmp_path, "lab.test")
    assert all(str(tmp_path) in value for value in kdc.environment.values())
    assert os.environ.get("KRB5_CONFIG") != kdc.environment["KRB5_CONFIG"]
