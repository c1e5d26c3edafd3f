# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which a host can be reached or not: what a person is told, and what never shows."""

from __future__ import annotations

import base64
import stat
import typing as t

import pytest

from tests.lab.client import LabClient

from .fleet import ACCOUNTS, PASSWORD, assert_no_traceback, only, overriding
from .harness import Ansible
from .ways import CONNECTIONS, HTTPS, Case, Visit, assert_ends_as_said, described, visited

WRONG_PASSWORD = "Wrong'Pass&9%s"
USER = {"user": "labuser", "password": "User-Pass-1", "administrator": False}
# A host that says nothing must not hold the tests up.
IMPATIENT = {
    "ansible_winrm_operation_timeout_sec": 1,
    "ansible_winrm_read_timeout_sec": 2,
    "ansible_psrp_operation_timeout": 1,
    "ansible_psrp_read_timeout": 2,
    "ansible_psrp_connection_timeout": 2,
}


def answers(body: str, **when: t.Any) -> dict[str, t.Any]:
    return {"answer": {"body": body, "every": True, **when}}


def refuses(kind: str, **when: t.Any) -> dict[str, t.Any]:
    return {"fault": {"kind": kind, "every": True, **when}}


# A long line: every answer takes longer than it does in a local network.
FAR = {"delay": {"seconds": 0.035, "request": 1, "every": True}}

CASES = {
    # what works
    "ntlm": Case("ok", way="NTLM over http, messages encrypted"),
    "basic": Case(
        "ok", winrm={"auth": ["basic"], "allow_unencrypted": True}, way="Basic over http, where the host allows it"
    ),
    "https-ntlm": Case(
        "ok", winrm=HTTPS, way="NTLM over https, bound to the TLS connection, which the host demands; CA file"
    ),
    "https-basic": Case("ok", winrm={**HTTPS, "auth": ["basic"]}, way="Basic over https, CA file"),
    "far": Case("ok", quirks=FAR),
    "far-https": Case("ok", winrm=HTTPS, quirks=FAR),
    "far-basic": Case("ok", winrm={"auth": ["basic"], "allow_unencrypted": True}, quirks=FAR),
    "far-full": Case("ok", quirks={**FAR, "fault": {"kind": "http_503_html", "request": 8, "every": True, "count": 2}}),
    # the host forgets a login, once, wherever that is
    "far-forgot": Case("ok", quirks={**FAR, "fault": {"kind": "http_400_empty", "request": 9}}),
    "far-lost": Case("ok", quirks={**FAR, "cut": {"request": 9}}),
    "unchecked": Case(
        "ok",
        winrm={**HTTPS, "certificate": "other_ca"},
        variables={"ansible_winrm_server_cert_validation": "ignore", "ansible_psrp_cert_validation": "ignore"},
        way="https, the certificate not checked",
    ),
    "other-path": Case("ok", winrm={"path": "/management"}),
    # the login is forgotten between two requests, as Windows does when it has heard nothing for a while
    "idle": Case("ok", quirks={"ntlm_idle": 1.2, "delay": {"seconds": 1.8, "request": 5}}),
    # busy for a moment: a read is asked again
    "429-once": Case("ok", quirks={"fault": {"kind": "http_429_empty", "request": 5}}),
    "503-twice": Case("ok", quirks={"fault": {"kind": "http_503_html", "request": 5, "every": True, "count": 2}}),
    "utf-16": Case("ok", quirks=answers("utf16")),
    "utf-16-basic": Case("ok", winrm={"auth": ["basic"], "allow_unencrypted": True}, quirks=answers("utf16")),
    "html-once": Case("ok", quirks={"answer": {"body": "html", "request": 5}}),
    # no way to the host
    "down": Case("unreachable", ("cannot connect", "refused", "ansible_port"), quirks={"down": True}),
    "wrong-port": Case("unreachable", ("cannot connect", "refused", "ansible_port"), variables={"ansible_port": 5999}),
    "blackhole": Case("unreachable", ("did not answer in time",), quirks={"blackhole": True}, variables=IMPATIENT),
    "silent": Case(
        "unreachable",
        ("did not answer in time",),
        quirks={"delay": {"seconds": 6, "request": 5, "every": True}},
        variables=IMPATIENT,
    ),
    "drip": Case(
        "unreachable", ("the answer was not complete within 4 seconds",), quirks={"drip": 0.2}, variables=IMPATIENT
    ),
    "closes": Case("unreachable", ("HTTP 401", "Connection: close", "proxy"), quirks={"closes_connection": True}),
    "cut": Case("unreachable", ("connection broke",), quirks={"cut": {"request": 5, "every": True}}),
    # something else is there
    "html": Case("unreachable", ("web page", "Welcome", "port and path"), quirks=answers("html")),
    "html-later": Case("unreachable", ("web page", "Welcome"), quirks=answers("html", request=5)),
    "404": Case("unreachable", ("HTTP 404", "port and path"), quirks=refuses("http_404_empty")),
    "404-later": Case("unreachable", ("HTTP 404",), quirks=refuses("http_404_empty", request=5)),
    "503": Case("unreachable", ("HTTP 503", "Service Unavailable"), quirks=refuses("http_503_html")),
    "503-later": Case("unreachable", ("HTTP 503",), quirks=refuses("http_503_html", request=5)),
    "500": Case("unreachable", ("HTTP 500", "unencrypted"), quirks=refuses("http_500_empty")),
    "400": Case("unreachable", ("HTTP 400", "login"), quirks=refuses("http_400_empty")),
    "wrong-path": Case(
        "unreachable",
        ("HTTP 404", "path"),
        variables={"ansible_winrm_path": "/elsewhere", "ansible_psrp_path": "elsewhere"},
    ),
    # TLS
    "expired": Case(
        "unreachable",
        ("TLS", "expired", "certificate"),
        winrm={**HTTPS, "certificate": "expired"},
        way="The certificate of the host has expired",
    ),
    "wrong-ca": Case(
        "unreachable",
        ("TLS", "ca_trust_path", "ca_cert"),
        winrm={**HTTPS, "certificate": "other_ca"},
        way="Another CA than that of the CA file",
    ),
    "wrong-name": Case(
        "unreachable",
        ("TLS", "certificate"),
        winrm={**HTTPS, "certificate": "wrong_name"},
        way="The certificate has another name than the host",
    ),
    "old-tls": Case("unreachable", ("TLS",), winrm=HTTPS, registry=("stock", "tls12_off")),
    "https-to-http": Case(
        "unreachable", ("TLS",), variables={"ansible_winrm_scheme": "https", "ansible_psrp_protocol": "https"}
    ),
    "http-to-https": Case(
        "unreachable",
        ("connection broke", "Port 5986 is usually WinRM over https", "ansible_winrm_scheme"),
        winrm=HTTPS,
        variables={"ansible_winrm_scheme": "http", "ansible_psrp_protocol": "http"},
    ),
    # the login
    "wrong-password": Case(
        "unreachable",
        ("HTTP 401", "user, password"),
        variables={"ansible_password": WRONG_PASSWORD},
        way="A wrong password, which is tried once",
    ),
    "cyrillic-basic": Case(
        "unreachable",
        ("user or password", "basic cannot carry", "NTLM or Kerberos"),
        variables={
            "ansible_user": "Админ",
            "ansible_winrm_transport": "basic",
            "ansible_psrp_auth": "basic",
            "ansible_psrp_message_encryption": "never",
        },
    ),
    "wrong-password-https": Case(
        "unreachable",
        ("HTTP 401", "user, password", "CbtHardeningLevel"),
        winrm=HTTPS,
        variables={"ansible_password": WRONG_PASSWORD},
    ),
    "wrong-user": Case("unreachable", ("HTTP 401", "user, password"), variables={"ansible_user": "nobody"}),
    "basic-not-offered": Case(
        "unreachable",
        ("HTTP 401", "authentication"),
        variables={
            "ansible_winrm_transport": "basic",
            "ansible_psrp_auth": "basic",
            "ansible_psrp_message_encryption": "never",
        },
    ),
    "basic-unencrypted": Case(
        "unreachable",
        ("unencrypted", "https"),
        winrm={"auth": ["basic"]},
        way="Basic over http, to a host that wants encryption",
    ),
    "ntlm-unencrypted": Case(
        "unreachable",
        ("unencrypted", "https"),
        variables={"ansible_winrm_message_encryption": "never", "ansible_psrp_message_encryption": "never"},
        way="NTLM over http, not encrypted, to a host that wants encryption",
    ),
    "no-administrator": Case(
        "failed",
        ("Access is denied", "code 5", "Administrators"),
        variables={"ansible_user": USER["user"], "ansible_password": USER["password"]},
        way="An account that is no administrator",
    ),
}
OTHER_PLUGINS = ("local", "ssh")

LAB = described(CASES, [*ACCOUNTS, USER])


@pytest.fixture(scope="module")
def visits(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Visit]:
    found = {}
    for connection in CONNECTIONS:
        folder = tmp_path_factory.mktemp(connection)
        logins = "{{ 10 if inventory_hostname.startswith('far') else 1 }}"
        found[connection] = visited(lab, CASES, folder, connection, wire_log=str(folder / "wire"), logins=logins)
    return found


@pytest.fixture(name="connection", params=CONNECTIONS)
def _connection(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def visit(visits: dict[str, Visit], connection: str) -> Visit:
    return visits[connection]


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("name", CASES)
def test_how_the_task_ends_and_what_it_says(visit: Visit, name: str) -> None:
    assert_ends_as_said(visit, name, CASES[name])


def test_the_return_code_is_that_of_unreachable_hosts(visit: Visit) -> None:
    assert visit.run.rc == 4


def test_no_output_holds_a_traceback(visit: Visit) -> None:
    assert_no_traceback(visit.run)


def test_no_output_holds_a_password_even_at_the_highest_verbosity(visit: Visit) -> None:
    assert "WSMAN" in visit.run.output
    assert secrets_in(visit.run.output) == []


def secrets_in(text: str) -> list[str]:
    secrets = [
        PASSWORD,
        WRONG_PASSWORD,
        str(USER["password"]),
        *(base64.b64encode(f"labadmin:{word}".encode()).decode() for word in (PASSWORD, WRONG_PASSWORD)),
    ]
    return [secret for secret in secrets if secret in text]


def test_the_wire_log_holds_the_exchange_and_no_secret(
    visit: Visit, connection: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = next(tmp_path_factory.getbasetemp().glob(f"{connection}*/wire"))
    files = {path.name.removesuffix(".wsman.log"): path for path in folder.iterdir()}
    assert set(files) == set(CASES)
    for name, path in files.items():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        assert secrets_in(text) == []
        assert "Win32_OperatingSystem" in text
        if CASES[name].outcome == "ok":
            for operation in ("EnumKey_INPUT", "EnumKey_OUTPUT", "LastBootUpTime"):
                assert operation in text
        else:
            assert " error: " in text or " answer: " in text
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_one_login_serves_the_whole_task(visit: Visit) -> None:
    for name, case in CASES.items():
        if case.outcome == "ok":
            logins = visit.logins[name]
            # a login that the host forgot, or that a broken answer put in doubt, is made again once
            expected = {2} if name in ("idle", "html-once") else {1}
            if name.startswith("far"):
                # a machine that is busy may not see that the line is long; the first is renewed
                expected = set(range(1, 12))
            assert len(logins) in expected, (name, len(logins))
            assert all(login["ok"] for login in logins)


def test_a_host_that_is_far_away_is_read_over_a_few_logins(lab: LabClient, ansible: Ansible, connection: str) -> None:
    host = lab.host("far")
    for _dummy in range(3):
        host.reset_log()
        result = ansible.task("tls_settings_info", "-l", "far", connection=connection, options={"logins": 10}).ok()
        logins = host.logins()
        if len(logins) > 1:
            break
    assert 1 < len(logins) <= 10
    assert all(login["ok"] for login in logins)
    assert result.result("tls_settings_info")["protocols"]
    host.reset_log()
    ansible.task("tls_settings_info", "-l", "far", connection=connection, options={"logins": 1}).ok()
    assert len(host.logins()) == 1


def test_a_host_that_is_far_away_looks_the_same(visit: Visit) -> None:
    for part in ("protocols", "findings", "compliant", "restart_pending"):
        near = only(visit.run.of("tls_settings_info", "ntlm")).result[part]
        for name in ("far", "far-https", "far-basic", "far-full", "far-forgot", "far-lost"):
            assert only(visit.run.of("tls_settings_info", name)).result[part] == near, name


def test_nothing_is_started_on_the_host(visit: Visit) -> None:
    """Neither a WinRS shell nor a PowerShell runspace: what the stock plugins open in _connect()."""
    for name, operations in visit.operations.items():
        started = [operation for operation in operations if operation.startswith("Shell") or "Process" in operation]
        assert started == [], name
    assert visit.operations["ntlm"][0] == "Win32_OperatingSystem.Get"


def test_wrong_credentials_are_tried_once_and_do_not_lock_the_account(visit: Visit) -> None:
    assert len(visit.logins["wrong-password"]) == 1


def test_other_connection_plugins_are_named_with_the_two_that_work(lab: LabClient, ansible: Ansible) -> None:
    extra = overriding(
        ansible.folder, {"ntlm": {"ansible_connection": "local"}, "basic": {"ansible_connection": "ssh"}}
    )
    run = ansible.task("tls_settings_info", *extra, "-l", "ntlm,basic")
    assert_no_traceback(run)
    assert run.rc == 2
    for host, plugin in (("ntlm", "local"), ("basic", "ssh")):
        item = only(run.of("tls_settings_info", host))
        assert item.outcome == "failed"
        for word in (plugin, "ansible.builtin.winrm", "ansible.builtin.psrp", "ansible_connection"):
            assert word in item.result["msg"]


def test_no_log_shows_nothing(lab: LabClient, ansible: Ansible, connection: str) -> None:
    extra = overriding(ansible.folder, {name: CASES[name].variables for name in ("no-administrator", "wrong-password")})
    run = ansible.task(
        "tls_settings_info",
        *extra,
        "-vvvvv",
        "-l",
        "ntlm,no-administrator,wrong-password",
        connection=connection,
        task={"no_log": True},
    )
    assert {item.host: item.outcome for item in run.of("tls_settings_info")} == {
        "ntlm": "ok",
        "no-administrator": "failed",
        "wrong-password": "unreachable",
    }
    assert "censored" in run.output
    for word in ("WSMAN", "LastBootUpTime", "SCHANNEL", "Access is denied", "HTTP 401", "DisabledByDefault"):
        assert word not in run.output
    assert secrets_in(run.output) == []
