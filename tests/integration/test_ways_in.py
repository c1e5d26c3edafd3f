# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways in that need something besides the host: certificates of clients, CredSSP, proxies, what ends TLS on the way."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

import pytest

from tests.lab.certificates import client_path
from tests.lab.client import LabClient

from .between import EndOfTls, Proxy
from .fleet import ACCOUNTS, PASSWORD, assert_no_traceback
from .ways import CONNECTIONS, HTTPS, Case, Visit, assert_ends_as_said, described, visited

USER = {"user": "labuser", "password": "User-Pass-1", "administrator": False}
PROXY_LOGIN, PROXY_PASSWORD = "proxyuser", "Proxy-Pass-4"

BY_CERTIFICATE = {**HTTPS, "auth": ["certificate"]}
UNBOUND = {"ansible_winrm_send_cbt": False, "ansible_psrp_negotiate_send_cbt": False}
CBT_TOLD = ("HTTP 401", "channel binding", "CbtHardeningLevel")
ALWAYS = {"ansible_winrm_message_encryption": "always", "ansible_psrp_message_encryption": "always"}


def through(proxy: str) -> dict[str, str]:
    """Variables; the braces are filled in once the proxy listens."""
    return {f"ansible_{plugin}_proxy": f"http://{{{proxy}}}" for plugin in CONNECTIONS}


def with_certificate(file: str) -> dict[str, str]:
    names = ("winrm_cert_pem", "winrm_cert_key_pem", "psrp_certificate_pem", "psrp_certificate_key_pem")
    return {f"ansible_{name}": file for name in names}


CASES = {
    "always": Case("ok", variables=ALWAYS, way="NTLM over http, message_encryption: always"),
    "always-https": Case("ok", winrm=HTTPS, variables=ALWAYS, way="NTLM over https, message_encryption: always"),
    "elsewhere": Case(
        "ok",
        winrm={"http": 15985, "path": "/management"},
        way="NTLM over http, another port and path",
    ),
    # channel binding
    "unbound": Case(
        "unreachable",
        CBT_TOLD,
        winrm=HTTPS,
        variables=UNBOUND,
        way="NTLM over https, not bound, to a host that demands it (CbtHardeningLevel=Strict)",
    ),
    "unbound-may-be": Case(
        "ok",
        winrm={**HTTPS, "cbt": "None"},
        variables=UNBOUND,
        way="NTLM over https, not bound, to a host that does not care (CbtHardeningLevel=None)",
    ),
    "bound-to-another": Case(
        "unreachable",
        (*CBT_TOLD, "something on the way ends TLS"),
        winrm=HTTPS,
        variables={"ansible_host": "{end_of_tls}", "ansible_port": "{end_of_tls_port}"},
        way="NTLM over https, something on the way ends TLS with another certificate",
    ),
    # certificates of clients
    "certificate": Case(
        "ok",
        winrm={**BY_CERTIFICATE, "mapped": ["labadmin"]},
        way="Certificate of a client that is mapped to an account",
    ),
    "certificate-of-nobody": Case(
        "unreachable",
        ("HTTP 401", "no account", r"WSMan:\localhost\ClientCertificate"),
        winrm={**BY_CERTIFICATE, "mapped": ["labuser"]},
        way="Certificate of a client that is mapped to no account",
    ),
    "certificate-of-user": Case(
        "failed",
        ("Access is denied", "Administrators"),
        winrm={**BY_CERTIFICATE, "mapped": ["labuser"]},
        variables=with_certificate("{labuser}"),
        way="Certificate of a client that is mapped to an account that is no administrator",
    ),
    # CredSSP
    "credssp": Case("ok", winrm={"auth": ["credssp"]}, way="CredSSP over http, messages encrypted"),
    "credssp-https": Case("ok", winrm={**HTTPS, "auth": ["credssp"]}, way="CredSSP over https"),
    "credssp-wrong-password": Case(
        "unreachable",
        ("cannot log in with credssp", "check ansible_user and ansible_password"),
        winrm={"auth": ["credssp"]},
        variables={"ansible_password": "not-the-password"},
        way="CredSSP with a wrong password",
    ),
    "credssp-not-offered": Case(
        "unreachable",
        ("HTTP 401", "does not offer credssp authentication but Negotiate"),
        variables={"ansible_winrm_transport": "credssp", "ansible_psrp_auth": "credssp"},
    ),
    # proxies
    "proxy": Case("ok", variables=through("proxy"), way="NTLM over http, through a proxy"),
    "proxy-https": Case(
        "ok", winrm=HTTPS, variables=through("proxy"), way="NTLM over https, bound, through a proxy (CONNECT)"
    ),
    "proxy-certificate": Case(
        "ok",
        winrm={**BY_CERTIFICATE, "mapped": ["labadmin"]},
        variables=through("proxy"),
        way="Certificate of a client, through a proxy (CONNECT)",
    ),
    "proxy-login": Case(
        "ok",
        winrm=HTTPS,
        variables=through("proxy_login"),
        way="NTLM over https, through a proxy with a login of its own",
    ),
    "proxy-login-http": Case(
        "ok", variables=through("proxy_login"), way="NTLM over http, through a proxy with a login of its own"
    ),
    # the proxy of the environment is for this host alone
    "proxy-environment": Case(
        "ok", winrm=HTTPS, way="NTLM over https, through a proxy of the environment (https_proxy)"
    ),
    "proxy-refuses": Case(
        "unreachable",
        ("the proxy wants a login of its own (HTTP 407)",),
        winrm=HTTPS,
        variables=through("proxy_closed"),
        way="A proxy that wants a login of its own and gets none",
    ),
    "proxy-refuses-http": Case(
        "unreachable", ("the proxy wants a login of its own (HTTP 407)",), variables=through("proxy_closed")
    ),
    "proxy-down": Case(
        "unreachable",
        ("the proxy", "refused"),
        winrm=HTTPS,
        variables=through("nobody"),
        way="A proxy that is not there",
    ),
}
LAB = described(CASES, [*ACCOUNTS, USER])


@dataclasses.dataclass(frozen=True)
class Ways:
    """The visits by connection plugin, and whom the proxies were asked for then."""

    visits: dict[str, Visit]
    asked: dict[str, dict[str, set[str]]]


@pytest.fixture(scope="module")
def ways(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Ways]:
    other, strict = lab.host("always-https"), lab.host("bound-to-another")
    certificate = lab.state_dir / f"{other.fqdn}-good-rsa.pem"
    found = Ways({}, {})
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(Proxy())
        closed = stack.enter_context(Proxy(f"{PROXY_LOGIN}:{PROXY_PASSWORD}"))
        common = stack.enter_context(Proxy())
        env = {
            "https_proxy": f"http://127.0.0.1:{common.port}",
            "no_proxy": ",".join(host.address for host in lab.hosts() if host.name != "proxy-environment"),
        }
        proxies = {"proxy": proxy, "proxy_login": closed, "proxy-environment": common}
        end = stack.enter_context(EndOfTls(other.address, certificate, (strict.address, strict.port("winrm_https"))))
        places = {
            "proxy": f"127.0.0.1:{proxy.port}",
            "proxy_closed": f"127.0.0.1:{closed.port}",
            "proxy_login": f"{PROXY_LOGIN}:{PROXY_PASSWORD}@127.0.0.1:{closed.port}",
            # discard, where nobody listens
            "nobody": "127.0.0.1:9",
            "end_of_tls": other.address,
            "end_of_tls_port": str(end.port),
            "labuser": str(client_path(lab.state_dir, "labuser")),
        }
        cases = {
            name: dataclasses.replace(case, variables=filled(case.variables, places)) for name, case in CASES.items()
        }
        for connection in CONNECTIONS:
            for item in proxies.values():
                item.asked.clear()
            found.visits[connection] = visited(
                lab, cases, tmp_path_factory.mktemp(connection), connection, env, logins=1
            )
            found.asked[connection] = {name: item.hosts for name, item in proxies.items()}
        yield found


def filled(variables: t.Mapping[str, t.Any], places: t.Mapping[str, str]) -> dict[str, t.Any]:
    return {name: value.format(**places) if isinstance(value, str) else value for name, value in variables.items()}


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("name", CASES)
def test_how_the_task_ends_and_what_it_says(ways: Ways, name: str, connection: str) -> None:
    assert_ends_as_said(ways.visits[connection], name, CASES[name])


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_the_proxy_carries_what_was_to_go_through_it_and_nothing_else(
    lab: LabClient, ways: Ways, connection: str
) -> None:
    expected = {
        proxy: {lab.host(name).address for name, case in CASES.items() if case.variables == through(proxy)}
        for proxy in ("proxy", "proxy_login")
    }
    expected["proxy-environment"] = {lab.host("proxy-environment").address}
    assert ways.asked[connection] == expected


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_how_each_host_was_logged_in_to(ways: Ways, connection: str) -> None:
    logins = ways.visits[connection].logins
    for name, case in CASES.items():
        if case.outcome == "ok":
            (mechanism,) = case.winrm.get("auth", ["ntlm"])
            assert [(login["mechanism"], login["ok"]) for login in logins[name]] == [(mechanism, True)], name
    assert [login["reason"].partition(":")[0] for login in logins["unbound"]] == ["BadBindingsError"]
    assert [login["reason"].partition(":")[0] for login in logins["bound-to-another"]] == ["BadBindingsError"]
    assert logins["proxy-refuses"] == logins["proxy-refuses-http"] == []


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_no_output_holds_a_traceback_or_a_secret(ways: Ways, connection: str) -> None:
    run = ways.visits[connection].run
    assert_no_traceback(run)
    assert run.rc == 4
    secrets = (PASSWORD, PROXY_PASSWORD, str(USER["password"]), "not-the-password", "PRIVATE KEY")
    assert [secret for secret in secrets if secret in run.output] == []
