# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stock libraries against the lab: pywinrm and pypsrp, each way of logging in, and what the lab refuses."""

from __future__ import annotations

import ssl
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import xmltodict
from pypsrp.exceptions import AuthenticationError
from pypsrp.exceptions import WinRMTransportError as PsrpTransportError
from pypsrp.exceptions import WSManFaultError as PsrpFault
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from winrm.exceptions import InvalidCredentialsError, WinRMTransportError, WSManFaultError
from winrm.protocol import Protocol

from tests.lab.client import HostClient, LabClient
from tests.lab.launch import running_lab
from tests.unit.lab.wire import HKLM, OPENED, PROTOCOLS, STDREGPROV, Wire, envelope, input_element

KEY = rf"{PROTOCOLS}\SSL 2.0\Client"
ARGUMENTS = (("hDefKey", HKLM), ("sSubKeyName", KEY), ("sValueName", "DisabledByDefault"))
ACTION = f"{STDREGPROV}/GetDWORDValue"


def winrm(lab: LabClient, host: HostClient, scheme: str = "http", **options: Any) -> Protocol:
    options = {"transport": "ntlm", "username": "labadmin", "password": "Lab-Pass-1", **options}
    protocol = Protocol(
        endpoint=f"{scheme}://{host.address}:{host.port(f'winrm_{scheme}')}/wsman",
        ca_trust_path=options.pop("ca_trust_path", str(lab.ca_path)),
        read_timeout_sec=10,
        operation_timeout_sec=5,
        **options,
    )
    OPENED.append(protocol.transport.close_session)
    return protocol


def winrm_read(protocol: Protocol) -> str | None:
    request: dict[str, Any] = {"env:Envelope": protocol.build_wsman_header(ACTION, STDREGPROV)}
    arguments = {f"r:{name}": value for name, value in ARGUMENTS}
    request["env:Envelope"]["env:Body"] = {"r:GetDWORDValue_INPUT": {"@xmlns:r": STDREGPROV, **arguments}}
    root = ET.fromstring(protocol.send_message(xmltodict.unparse(request)))
    return root.findtext(f".//{{{STDREGPROV}}}uValue")


def psrp(lab: LabClient, host: HostClient, ssl: bool = False, **options: Any) -> WSMan:
    options = {"username": "labadmin", "password": "Lab-Pass-1", "auth": "negotiate", **options}
    return WSMan(
        host.address,
        port=host.port("winrm_https" if ssl else "winrm_http"),
        ssl=ssl,
        cert_validation=options.pop("cert_validation", str(lab.ca_path)),
        connection_timeout=10,
        read_timeout=10,
        **options,
    )


def psrp_read(wsman: WSMan) -> str | None:
    resource = ET.Element(f"{{{STDREGPROV}}}GetDWORDValue_INPUT")
    for name, value in ARGUMENTS:
        ET.SubElement(resource, f"{{{STDREGPROV}}}{name}").text = value
    return wsman.invoke(ACTION, STDREGPROV, resource).findtext(f".//{{{STDREGPROV}}}uValue")


class TestWinrm:
    @pytest.mark.parametrize("user", ["labadmin", "LABADMIN", r"EX01\labadmin", r".\labadmin"])
    def test_ntlm_with_message_encryption(self, lab: LabClient, ex01: HostClient, user: str) -> None:
        protocol = winrm(lab, ex01, username=user)
        assert winrm_read(protocol) == "1"
        assert winrm_read(protocol) == "1"
        (login,) = ex01.logins()
        assert (login["mechanism"], login["ok"]) == ("ntlm", True)
        # 401, 401, an empty 200, and then one for each call
        assert ex01.counters()["http_requests"] == 5
        assert [request["connection"] for request in ex01.requests()] == [login["connection"]] * 2

    @pytest.mark.parametrize("user", ["domadmin", r"lab.test\domadmin", r"LAB\domadmin", "domadmin@lab.test"])
    def test_domain_accounts(self, lab: LabClient, ex01: HostClient, user: str) -> None:
        assert winrm_read(winrm(lab, ex01, username=user, password="Lab-Pass-3")) == "1"

    @pytest.mark.parametrize("transport", ["ntlm", "basic", "ssl"])
    def test_https(self, lab: LabClient, ex01: HostClient, transport: str) -> None:
        assert winrm_read(winrm(lab, ex01, "https", transport=transport)) == "1"
        assert ex01.counters()["http_requests"] == (3 if transport == "ntlm" else 1)

    def test_wrong_authority(self, lab: LabClient, ex01: HostClient, tmp_path: Path) -> None:
        with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            winrm_read(winrm(lab, ex01, "https", ca_trust_path=None))

    def test_https_without_channel_binding(self, lab: LabClient, ex01: HostClient) -> None:
        with pytest.raises(InvalidCredentialsError):
            winrm_read(winrm(lab, ex01, "https", send_cbt=False))
        assert next(login["reason"] for login in ex01.logins()).startswith("BadBindingsError")

    @pytest.mark.parametrize(
        ("user", "password"),
        [
            ("labadmin", "wrong"),
            ("nobody", "Lab-Pass-1"),
            (r"OTHER\labadmin", "Lab-Pass-1"),
            ("labuser@lab.test", "Lab-Pass-2"),
        ],
    )
    def test_wrong_credentials(self, lab: LabClient, ex01: HostClient, user: str, password: str) -> None:
        with pytest.raises(InvalidCredentialsError):
            winrm_read(winrm(lab, ex01, username=user, password=password))
        assert [login["ok"] for login in ex01.logins()] == [False]
        assert ex01.requests() == []

    def test_unencrypted_ntlm_is_refused(self, lab: LabClient, ex01: HostClient) -> None:
        with pytest.raises(WinRMTransportError) as caught:
            winrm_read(winrm(lab, ex01, message_encryption="never"))
        assert (caught.value.code, caught.value.response_text) == (500, "")

    def test_unencrypted_basic_is_refused(self, lab: LabClient, ex01: HostClient) -> None:
        with pytest.raises(WinRMTransportError) as caught:
            winrm_read(winrm(lab, ex01, transport="plaintext"))
        assert (caught.value.code, caught.value.response_text) == (500, "")

    def test_not_an_administrator(self, lab: LabClient, ex01: HostClient) -> None:
        with pytest.raises(WSManFaultError) as caught:
            winrm_read(winrm(lab, ex01, username="labuser", password="Lab-Pass-2"))
        assert (caught.value.wsman_fault_code, caught.value.fault_subcode) == (5, "w:AccessDenied")

    def test_shell_as_the_connection_plugin_opens_it(self, lab: LabClient, ex01: HostClient) -> None:
        protocol = winrm(lab, ex01)
        shell = protocol.open_shell(codepage=65001)
        with pytest.raises(WSManFaultError) as caught:
            protocol.run_command(shell, "powershell.exe")
        assert caught.value.wsman_fault_code == 2147942405
        protocol.close_shell(shell)
        with pytest.raises(WSManFaultError) as caught:
            protocol.run_command(shell, "powershell.exe")
        assert caught.value.wsman_fault_code == 2150858843
        assert [name.partition(".")[2] for name in [r["operation"] for r in ex01.requests()]] == [
            "Create",
            "Command",
            "Delete",
            "Command",
        ]

    def test_fault_inside_a_sealed_reply(self, lab: LabClient, ex01: HostClient) -> None:
        ex01.set_quirk("fault", {"kind": "shell_quota"})
        with pytest.raises(WSManFaultError) as caught:
            winrm_read(winrm(lab, ex01))
        assert caught.value.wmierror_code == 2150859173


class TestPsrp:
    @pytest.mark.parametrize("auth", ["negotiate", "ntlm"])
    def test_message_encryption(self, lab: LabClient, ex01: HostClient, auth: str) -> None:
        with psrp(lab, ex01, auth=auth) as wsman:
            assert psrp_read(wsman) == "1"
            assert psrp_read(wsman) == "1"
        assert ex01.counters()["http_requests"] == 5
        assert len(ex01.logins()) == 1

    @pytest.mark.parametrize("options", [{}, {"auth": "basic"}, {"auth": "ntlm", "encryption": "always"}])
    def test_https(self, lab: LabClient, ex01: HostClient, options: dict[str, str]) -> None:
        with psrp(lab, ex01, ssl=True, **options) as wsman:
            assert psrp_read(wsman) == "1"

    def test_channel_binding_is_checked(self, lab: LabClient, ex01: HostClient) -> None:
        with psrp(lab, ex01, ssl=True, negotiate_send_cbt=False) as wsman, pytest.raises(AuthenticationError):
            psrp_read(wsman)

    def test_runspace_pool_opens_and_runs_nothing(self, lab: LabClient, ex01: HostClient) -> None:
        with psrp(lab, ex01) as wsman, RunspacePool(wsman) as pool:
            shell = PowerShell(pool).add_script("Get-Date")
            with pytest.raises(PsrpFault) as caught:
                shell.invoke()
        assert caught.value.code == 2147942405
        assert ex01.operations() == ["Shell.Create", "Shell.Receive", "Shell.Command", "Shell.Delete"]

    def test_wrong_password(self, lab: LabClient, ex01: HostClient) -> None:
        with psrp(lab, ex01, password="wrong") as wsman, pytest.raises(AuthenticationError):
            psrp_read(wsman)

    def test_fault(self, lab: LabClient, ex01: HostClient) -> None:
        with psrp(lab, ex01, username="labuser", password="Lab-Pass-2") as wsman, pytest.raises(PsrpFault) as caught:
            psrp_read(wsman)
        assert caught.value.code == 5

    def test_idle_context_is_forgotten(self, lab: LabClient, ex01: HostClient) -> None:
        ex01.set_quirk("ntlm_idle", 0.1)
        with psrp(lab, ex01) as wsman:
            assert psrp_read(wsman) == "1"
            import time

            time.sleep(0.2)
            with pytest.raises(PsrpTransportError) as caught:
                psrp_read(wsman)
        assert (caught.value.code, caught.value.response_text) == (400, "")

    def test_restart_leaves_a_stale_context(self, lab: LabClient, ex01: HostClient) -> None:
        with psrp(lab, ex01, reconnection_retries=0) as wsman:
            assert psrp_read(wsman) == "1"
            ex01.restart()
            for _attempt in range(2):
                with pytest.raises((PsrpTransportError, requests.exceptions.ConnectionError)) as caught:
                    psrp_read(wsman)
        # the library logs in again but resends a body sealed with the old keys
        assert getattr(caught.value, "code", 400) == 400
        with psrp(lab, ex01) as wsman:
            assert psrp_read(wsman) == "1"


class TestBasic:
    def test_not_offered(self, tmp_path: Path) -> None:
        description = {"accounts": [{"user": "labadmin", "password": "Lab-Pass-1"}], "hosts": {"a": {}}}
        with running_lab(description, tmp_path, max_lifetime=60) as lab:
            wire = Wire(lab.host("a"))
            reply = wire.post(envelope(STDREGPROV, ACTION, input_element(STDREGPROV, "GetDWORDValue", ARGUMENTS)))
            assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, "Negotiate")

    def test_without_credentials(self, wire: Wire) -> None:
        wire.authorization = None
        reply = wire.post(envelope(STDREGPROV, ACTION, ""))
        assert (reply.status, reply.body) == (401, b"")

    def test_domain_accounts_cannot_use_basic(self, plain: HostClient) -> None:
        wire = Wire(plain, "domadmin", "Lab-Pass-3")
        assert wire.post(envelope(STDREGPROV, ACTION, "")).status == 401

    @pytest.mark.parametrize("header", ["Basic !!!", "Negotiate AAAA", "Kerberos AAAA", "Digest x", "Basic"])
    def test_nonsense(self, wire: Wire, header: str) -> None:
        wire.authorization = header
        assert wire.post(envelope(STDREGPROV, ACTION, "")).status == 401

    def test_sealed_nonsense(self, wire: Wire) -> None:
        kind = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
        assert (wire.post(b"nonsense", kind).status, wire.post(b"nonsense", kind).body) == (400, b"")


@pytest.fixture(scope="class")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    hosts: dict[str, Any] = {
        kind.replace("_", ""): {"winrm": {"http": None, "https": 5986, "certificate": kind}}
        for kind in ("good", "expired", "wrong_name", "other_ca")
    }
    hosts["bare"] = {"registry": ["stock", "tls12_off"], "winrm": {"http": None, "https": 5986}}
    description = {"accounts": [{"user": "labadmin", "password": "Lab-Pass-1"}], "hosts": hosts}
    with running_lab(description, tmp_path_factory.mktemp("certificates"), max_lifetime=120) as lab:
        yield lab


class TestCertificates:
    @pytest.mark.parametrize(
        ("name", "words"),
        [("expired", "expired"), ("wrongname", "doesn't match|mismatch"), ("otherca", "unable to get local issuer")],
    )
    def test_wrong_ones_are_refused_by_clients(self, certificates: LabClient, name: str, words: str) -> None:
        with pytest.raises(requests.exceptions.SSLError, match=words):
            winrm_read(winrm(certificates, certificates.host(name), "https"))

    def test_right_one_and_validation_off(self, certificates: LabClient) -> None:
        assert winrm_read(winrm(certificates, certificates.host("good"), "https")) == "1"
        for name in ("expired", "wrongname", "otherca"):
            protocol = winrm(certificates, certificates.host(name), "https", server_cert_validation="ignore")
            assert winrm_read(protocol) == "1"

    def test_strict_verification_of_newer_pythons(self, certificates: LabClient) -> None:
        import socket

        host = certificates.host("good")
        context = ssl.create_default_context(cafile=str(certificates.ca_path))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        with (
            socket.create_connection((host.address, host.port()), timeout=5) as raw,
            context.wrap_socket(raw, server_hostname=host.fqdn) as secured,
        ):
            assert secured.version() == "TLSv1.2"

    def test_winrm_over_https_needs_schannel_too(self, certificates: LabClient) -> None:
        with pytest.raises(requests.exceptions.ConnectionError):
            winrm_read(winrm(certificates, certificates.host("bare"), "https"))
