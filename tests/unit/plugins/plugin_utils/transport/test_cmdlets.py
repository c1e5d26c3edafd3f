# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchange's cmdlets over pypsrp, against the lab: what comes back, what is repeated, and what is said of failures."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    AccessDenied,
    ExchangeTlsError,
    HostBusy,
    LoginRefused,
    UnexpectedAnswer,
    Unreachable,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import component_states, shell, view
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.endpoint import Endpoint, Login, endpoint
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.records import Record
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport import cmdlets
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport.cmdlets import (
    CmdletShell,
    login_of,
    open_shell,
)

from tests.lab import kdc as kdc_module
from tests.lab.client import HostClient, LabClient
from tests.lab.kdc import Kdc, running_kdc
from tests.lab.launch import running_lab

from . import connections

PASSWORD = "Lab-Pass-3"
SHELL: dict[str, Any] = {"http": 8080, "https": 8443, "auth": ["basic"], "shells_per_user": 2}
ACCOUNTS = [
    {"user": "labuser", "password": "Lab-Pass-2", "administrator": False},
    {"user": "domadmin", "password": PASSWORD, "domain": "lab.test"},
]
FAST = {"shutdown_delay": 0.05, "down_for": 0.2}
HUB = {"Identity": "ex02", "Component": "HubTransport", "Requester": "Maintenance"}


def description(**settings: Any) -> dict[str, Any]:
    exchange = {"build": "15.02.1544.011", "shell": {**SHELL, **settings}}
    return {
        "accounts": ACCOUNTS,
        "hosts": {
            "ex01": {"services": ["exchange"], "exchange": exchange, "restart": FAST},
            "ex02": {"services": ["exchange"], "exchange": {"build": "15.01.2507.066"}},
        },
    }


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    with running_lab(description(), tmp_path_factory.mktemp("lab"), max_lifetime=600) as client:
        yield client


@pytest.fixture
def ex01(lab: LabClient) -> Iterator[HostClient]:
    host = lab.host("ex01")
    yield host
    host.clear_quirks()
    host.exchange.forget_shells()
    lab.host("ex02").exchange.ask_for("HubTransport", "Maintenance", None)
    host.reset_log()


@pytest.fixture
def where(lab: LabClient, ex01: HostClient) -> Callable[..., Endpoint]:
    def made(**given: Any) -> Endpoint:
        options = {"exchange_auth": "basic", "exchange_port": 8443, "exchange_ca_cert": str(lab.ca_path), **given}
        return endpoint(ex01.address, Login("domadmin", PASSWORD), options)

    return made


@pytest.fixture
def exchange(where: Callable[..., Endpoint]) -> Iterator[CmdletShell]:
    with CmdletShell(where()) as made:
        yield made


def hub(exchange: CmdletShell) -> str:
    found = exchange.read("Get-ServerComponentState", Identity="ex02")
    return component_states.read(found, "ex02")["HubTransport"].state


class TestReading:
    def test_objects(self, exchange: CmdletShell) -> None:
        first, second = exchange.read("Get-ExchangeServer")
        assert [str(first), str(second)] == ["EX01", "EX02"]
        assert first.text("AdminDisplayVersion") == "Version 15.2 (Build 1544.11)"
        assert first.names("NetworkAddress") == ["netbios:EX01", "ncacn_ip_tcp:EX01.lab.test"]
        assert (first.text("ServerRole"), first.get("ServerRole").number) == ("Mailbox", 2)
        assert first.get("Id") is first.get("Identity")
        (mailbox,) = exchange.read("Get-MailboxServer", Identity="EX02.lab.test")
        assert mailbox.text_or_none("DatabaseAvailabilityGroup") is None
        assert mailbox.flag("DatabaseCopyActivationDisabledAndMoveNow") is False
        (role, *_others) = exchange.read("Test-ServiceHealth", Server="ex01")
        assert "MSExchangeIS" in role.names("ServicesRunning")
        assert role.names("ServicesNotRunning") == []

    @pytest.mark.parametrize("as_text", [False, True])
    def test_component_states_in_both_forms(self, exchange: CmdletShell, lab: LabClient, as_text: bool) -> None:
        host = lab.host("ex02")
        host.set_quirk("requesters_as_text", as_text)
        host.exchange.ask_for("HubTransport", "Maintenance", "Inactive")
        found = component_states.read(exchange.read("Get-ServerComponentState", Identity="ex02"), "ex02")
        host.set_quirk("requesters_as_text", False)
        assert len(found) == 35
        assert found["HubTransport"].held_by == ("Maintenance",)
        assert [item.name for item in found.not_active] == ["HubTransport"]

    def test_what_it_costs(self, exchange: CmdletShell, ex01: HostClient) -> None:
        exchange.read("Get-ExchangeServer")
        assert exchange.round_trips == 5  # the session and its messages; the cmdlet, its output, its end
        exchange.read("Get-ServerComponentState", Identity="ex01")
        assert exchange.round_trips == 8 == len(ex01.requests())

    def test_of_several_at_once(self, exchange: CmdletShell, lab: LabClient, ex01: HostClient) -> None:
        lab.host("ex02").exchange.ask_for("HubTransport", "Maintenance", "Draining")
        exchange.read("Get-ExchangeServer")
        before = exchange.round_trips
        found = view.components_at_once(exchange, ("EX01", "ex02.lab.test"))
        assert {name: item["HubTransport"].state for name, item in found.items()} == {
            "EX01": "Active",
            "ex02.lab.test": "Draining",
        }
        assert exchange.round_trips - before == 4, "the cmdlet, the names, the output, the end"
        assert ex01.exchange.cmdlets()[-1]["parameters"] == {"piped": ["EX01", "ex02.lab.test"]}

    @pytest.mark.parametrize("effect", ["takes_no_input", "error", "dies", "lost", "http_400_empty", "http_503_html"])
    def test_of_several_at_once_where_that_fails(self, exchange: CmdletShell, ex01: HostClient, effect: str) -> None:
        with pytest.raises(shell.CmdletError, match="object 'ex09' couldn't be found"):
            exchange.read_each("Get-ServerComponentState", ["ex01", "ex09"])
        if effect.startswith("http"):
            # of IIS, for the message that only names which are piped need
            ex01.set_quirk("fault", {"kind": effect, "operation": "Exchange.Send", "count": 1})
        else:
            ex01.set_quirk("cmdlet", {"effect": effect, "operation": "Get-ServerComponentState", "count": 1})
        found = view.components_at_once(exchange, ("ex01", "ex02"))
        assert set(found) == (set() if effect != "lost" else {"ex01", "ex02"})
        assert len(view.components(exchange, "ex02", "EX02")) == 35, "of each by itself"

    def test_nothing_is_sent_before_the_first_cmdlet_and_all_is_closed(
        self, where: Callable[..., Endpoint], ex01: HostClient
    ) -> None:
        made = open_shell(where())
        made.close()
        assert ex01.counters()["http_requests"] == 0
        made.read("Get-ExchangeServer")
        assert ex01.exchange.shells() == 1
        made.close()
        assert ex01.exchange.shells() == 0
        made.close()

    def test_after_an_error_the_session_goes_on(self, exchange: CmdletShell) -> None:
        for dummy in range(3):
            with pytest.raises(shell.CmdletError, match="object 'ex09' couldn't be found"):
                exchange.read("Get-ExchangeServer", Identity="ex09")
        assert len(exchange.read("Get-ExchangeServer")) == 2
        assert exchange.sessions == 1


class TestChanging:
    def test_a_change_is_read_back(self, exchange: CmdletShell, ex01: HostClient) -> None:
        assert exchange.change("Set-ServerComponentState", **HUB, State="Draining") == []
        assert hub(exchange) == "Draining"
        assert ex01.exchange.cmdlets()[0]["parameters"] == {**HUB, "State": "Draining", "ErrorAction": "Stop"}

    def test_a_warning_is_no_error(self, exchange: CmdletShell) -> None:
        exchange.change("Set-MailboxServer", Identity="ex02", DatabaseCopyActivationDisabledAndMoveNow=False)

    def test_nobody_can_confirm(self, exchange: CmdletShell) -> None:
        with pytest.raises(shell.CmdletError, match="does not support user interaction"):
            exchange.change("Redirect-Message", Server="ex02", Target="EX01.lab.test")
        exchange.change("Redirect-Message", Server="ex02", Target="EX01.lab.test", Confirm=False)

    @pytest.mark.parametrize(
        ("effect", "kind", "words"),
        [
            ("error", shell.CmdletError, "isn't available"),
            ("denied", shell.CmdletDenied, "the account may not do this. Check its role groups"),
        ],
    )
    @pytest.mark.parametrize("changes", [False, True])
    def test_errors_that_do_not_end_a_cmdlet_are_errors(
        self, exchange: CmdletShell, ex01: HostClient, effect: str, kind: type[Exception], words: str, changes: bool
    ) -> None:
        ex01.set_quirk("cmdlet", {"effect": effect})
        ask = exchange.change if changes else exchange.read
        with pytest.raises(kind, match=words):
            ask("Set-MailboxServer", Identity="ex02", DatabaseCopyAutoActivationPolicy="Blocked")


class TestLosingIt:
    def test_a_lost_session_is_replaced_for_a_read(self, exchange: CmdletShell, ex01: HostClient) -> None:
        exchange.read("Get-ExchangeServer")
        ex01.exchange.forget_shells()
        assert len(exchange.read("Get-ExchangeServer")) == 2
        assert exchange.sessions == 2

    def test_once(self, exchange: CmdletShell, ex01: HostClient) -> None:
        ex01.set_quirk("cmdlet", {"effect": "dies"})
        with pytest.raises(shell.SessionBroken, match=r"Get-ExchangeServer on .*: the connection broke"):
            exchange.read("Get-ExchangeServer")
        assert len(ex01.exchange.cmdlets()) == 2
        ex01.set_quirk("cmdlet", {"effect": "dies", "count": 1})
        assert len(exchange.read("Get-ExchangeServer")) == 2

    def test_not_for_a_change(self, exchange: CmdletShell, ex01: HostClient) -> None:
        ex01.set_quirk("cmdlet", {"effect": "lost", "count": 1})
        exchange.read("Get-ExchangeServer")
        with pytest.raises(shell.SessionLost, match="does not know the session any more"):
            exchange.change("Set-ServerComponentState", **HUB, State="Draining")
        assert [item["cmdlet"] for item in ex01.exchange.cmdlets()] == ["Get-ExchangeServer"]
        ex01.set_quirk("cmdlet", {"effect": "dies"})
        with pytest.raises(shell.SessionBroken):
            exchange.change("Set-ServerComponentState", **HUB, State="Draining")
        assert [item["cmdlet"] for item in ex01.exchange.cmdlets()][1:] == ["Set-ServerComponentState"]

    def test_over_a_restart_of_the_server(self, exchange: CmdletShell, ex01: HostClient) -> None:
        exchange.change("Set-ServerComponentState", **HUB, State="Draining")
        ex01.restart()
        assert hub(exchange) == "Draining"

    def test_broken_connections_leave_no_session_behind(self, exchange: CmdletShell, ex01: HostClient) -> None:
        ex01.set_quirk("cut", {"operation": "Exchange.Receive", "nth": 2, "when": "before"})
        assert len(exchange.read("Get-ExchangeServer")) == 2
        assert ex01.exchange.shells() == 2
        exchange.close()
        assert ex01.exchange.shells() == 0

    def test_a_slow_cmdlet_is_waited_for_and_one_without_end_is_not(
        self, where: Callable[..., Endpoint], ex01: HostClient
    ) -> None:
        ex01.set_quirk("cmdlet", {"effect": "slow", "seconds": 1.2})
        with CmdletShell(where(exchange_operation_timeout=1)) as patient:
            assert len(patient.read("Get-ExchangeServer")) == 2
        ex01.set_quirk("cmdlet", {"effect": "slow", "seconds": 4})
        hasty = CmdletShell(where(exchange_operation_timeout=1, exchange_cmdlet_timeout=1))
        with hasty, pytest.raises(shell.CmdletUnfinished, match="did not end within 1 seconds"):
            hasty.read("Get-ExchangeServer")
        assert hasty.sessions == 1

    def test_an_answer_that_comes_byte_by_byte_has_an_end(
        self, where: Callable[..., Endpoint], ex01: HostClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cmdlets, "_ON_THE_WAY", 0.1)
        monkeypatch.setattr(cmdlets, "_WHOLE", 0.5)
        ex01.set_quirk("drip", 0.05)
        with CmdletShell(where(exchange_operation_timeout=1)) as made, pytest.raises(Unreachable):
            made.change("Set-MailboxServer", Identity="ex02")


class TestRefusals:
    @pytest.mark.parametrize(
        ("given", "kind", "words"),
        [
            (
                {"exchange_user": "nobody", "exchange_password": "x"},
                LoginRefused,
                "refused the login as nobody with basic",
            ),
            (
                {"exchange_user": "labuser", "exchange_password": "Lab-Pass-2"},
                AccessDenied,
                "may not use Exchange's remote PowerShell",
            ),
            ({"exchange_port": 8444}, Unreachable, "cannot connect: .*any other Exchange server"),
            ({"exchange_path": "owa"}, Unreachable, "HTTP 404.*exchange_path"),
            ({"exchange_ca_cert": None}, Unreachable, "exchange_ca_cert or exchange_cert_validation"),
        ],
    )
    def test_logins_and_addresses(
        self, where: Callable[..., Endpoint], given: dict[str, Any], kind: type[Exception], words: str
    ) -> None:
        with CmdletShell(where(**given)) as made, pytest.raises(kind, match=words) as caught:
            made.read("Get-ExchangeServer")
        assert PASSWORD not in str(caught.value)
        assert "Opening a session on " in str(caught.value)

    @pytest.mark.parametrize(
        ("kind", "error", "words"),
        [
            ("shell_quota", HostBusy, "too many sessions or requests on this server"),
            ("http_503_html", HostBusy, "HTTP 503, with the words .*Service Unavailable"),
            ("http_500_empty", Unreachable, "refuses unencrypted messages"),
            ("bad_header", ExchangeTlsError, "invalid SOAP headers"),
        ],
    )
    def test_faults(
        self, exchange: CmdletShell, ex01: HostClient, kind: str, error: type[Exception], words: str
    ) -> None:
        ex01.set_quirk("fault", {"kind": kind})
        with pytest.raises(error, match=words):
            exchange.read("Get-ExchangeServer")

    @pytest.mark.parametrize("body", ["garbage", "html", "empty"])
    def test_what_is_no_answer_at_all(self, exchange: CmdletShell, ex01: HostClient, body: str) -> None:
        """As if the session had broken: a read is made again in a new one, whatever else is perhaps carried out."""
        ex01.set_quirk("answer", {"body": body, "request": 1})
        assert exchange.read("Get-ExchangeServer")
        ex01.set_quirk("answer", {"body": body, "operation": "Exchange.Receive"})
        with pytest.raises(shell.SessionBroken, match=r"which is no answer of it\. Check exchange_server") as caught:
            exchange.change("Set-ServerComponentState", **HUB, State="Draining")
        told = {"garbage": "1024 bytes", "html": "a web page titled 'Welcome'", "empty": "nothing"}
        assert told[body] in str(caught.value)

    @pytest.mark.parametrize("body", ["entity_expansion", "truncated"])
    def test_answers_that_are_damaged(self, exchange: CmdletShell, ex01: HostClient, body: str) -> None:
        ex01.set_quirk("answer", {"body": body})
        with pytest.raises(UnexpectedAnswer):
            exchange.read("Get-ExchangeServer")

    def test_an_answer_in_mid_pipeline_that_is_none(self, exchange: CmdletShell, ex01: HostClient) -> None:
        ex01.set_quirk("answer", {"body": "truncated", "operation": "Exchange.Receive", "nth": 2})
        with pytest.raises(UnexpectedAnswer):
            exchange.change("Set-ServerComponentState", **HUB, State="Draining")
        assert hub(exchange) == "Draining"

    def test_too_many_sessions_of_its_own(self, where: Callable[..., Endpoint], ex01: HostClient) -> None:
        with CmdletShell(where()) as one, CmdletShell(where()) as two, CmdletShell(where()) as three:
            one.read("Get-ExchangeServer")
            two.read("Get-ExchangeServer")
            with pytest.raises(HostBusy, match="spread them over several servers with exchange_server"):
                three.read("Get-ExchangeServer")
            one.close()
            three.read("Get-ExchangeServer")

    def test_what_is_no_cmdlet_is_not_sent(self, exchange: CmdletShell, ex01: HostClient) -> None:
        for ask in (exchange.read, exchange.change):
            with pytest.raises(ExchangeTlsError, match="is not the name of a cmdlet"):
                ask("Get-Queue; Remove-Item")
        assert ex01.counters()["http_requests"] == 0

    def test_hidden_and_unknown_cmdlets(self, exchange: CmdletShell) -> None:
        with pytest.raises(shell.CmdletNotFound, match="Organization Management"):
            exchange.read("Get-HybridConfiguration")
        with pytest.raises(shell.CmdletNotFound, match="does not know a parameter"):
            exchange.read("Get-ExchangeServer", Everything=True)


@pytest.mark.parametrize(
    ("auth", "absent", "package"), [("basic", "pypsrp", "pypsrp'"), ("kerberos", "krb5", "pypsrp[kerberos]'")]
)
def test_what_to_install_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, auth: str, absent: str, package: str
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        cmdlets.importlib.util, "find_spec", lambda name: None if name == absent else found(name) or "something"
    )
    with pytest.raises(ExchangeTlsError) as caught:
        open_shell(endpoint("ex01.lab.test", Login("a", "b"), {"exchange_auth": auth}))
    assert absent in caught.value.message
    assert f"-m pip install '{package}" in caught.value.message


@pytest.mark.parametrize(
    ("connection", "verify"),
    [
        (connections.winrm, True),
        (lambda: connections.winrm({"ansible_winrm_server_cert_validation": "ignore"}), False),
        (lambda: connections.winrm({"ansible_winrm_ca_trust_path": "/ca.pem"}), "/ca.pem"),
        (lambda: connections.winrm({"ansible_winrm_ca_trust_path": "legacy_requests"}), True),
        (connections.psrp, True),
        (lambda: connections.psrp(cert_validation="ignore", ca_cert="/ca.pem"), False),
        (lambda: connections.psrp(ca_cert="/ca.pem"), "/ca.pem"),
    ],
)
def test_the_login_of_the_host(connection: Callable[[], Any], verify: bool | str) -> None:
    assert login_of(connection()) == Login("admin", connections.PASSWORD, verify)


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kdc]:
    absent = [name for name in ("gssapi", "krb5") if importlib.util.find_spec(name) is None]
    reason = f"Python's {', '.join(absent)} is not installed" if absent else kdc_module.missing()
    if reason is not None and os.environ.get("CI") == "true":
        pytest.fail(f"nothing may be left out where CI=true, but {reason}")
    if reason is not None:
        pytest.skip(reason)
    with running_kdc(tmp_path_factory.mktemp("kdc"), description()) as kdc, pytest.MonkeyPatch.context() as patch:
        for name, value in kdc.environment.items():
            patch.setenv(name, value)
        yield kdc


@pytest.fixture(scope="module")
def domain(realm: Kdc, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    told = description(auth=["kerberos"])
    with running_lab(told, tmp_path_factory.mktemp("domain"), environment=realm.environment) as lab:
        yield lab


@pytest.mark.kerberos
class TestKerberos:
    def where(self, host: HostClient, login: Login, **given: Any) -> Endpoint:
        options = {"exchange_port": 8080, "exchange_kerberos_hostname_override": host.fqdn, **given}
        return endpoint(host.address, login, options)

    def test_sealed_over_http(self, domain: LabClient) -> None:
        host = domain.host("ex01")
        with CmdletShell(self.where(host, Login("domadmin@LAB.TEST", PASSWORD))) as exchange:
            assert len(exchange.read("Get-ServerComponentState", Identity="ex02")) == 35
            exchange.change("Set-ServerComponentState", **HUB, State="Draining")
            assert hub(exchange) == "Draining"
        assert {login["mechanism"] for login in host.logins()} == {"kerberos"}
        assert host.exchange.shells() == 0

    def test_over_https_and_with_a_ticket(self, domain: LabClient, realm: Kdc) -> None:
        host = domain.host("ex01")
        ticket(realm)
        given = {"exchange_scheme": "https", "exchange_port": 8443, "exchange_ca_cert": str(domain.ca_path)}
        with CmdletShell(self.where(host, Login(), **given)) as exchange:
            assert len(exchange.read("Get-ExchangeServer")) == 2

    @pytest.mark.parametrize(
        ("login", "given", "words"),
        [
            (Login("domadmin@LAB.TEST", "wrong"), {}, "exchange_user and exchange_password"),
            (Login("nobody@LAB.TEST", "x"), {}, "check exchange_user"),
            (
                Login("domadmin@LAB.TEST", PASSWORD),
                {"exchange_kerberos_hostname_override": "nowhere.lab.test"},
                "knows no service of this name",
            ),
        ],
    )
    def test_refused(self, domain: LabClient, login: Login, given: dict[str, Any], words: str) -> None:
        exchange = CmdletShell(self.where(domain.host("ex01"), login, **given))
        with exchange, pytest.raises(LoginRefused, match=words) as caught:
            exchange.read("Get-ExchangeServer")
        assert PASSWORD not in str(caught.value)


def ticket(realm: Kdc) -> None:
    """A ticket in the cache of the realm, as kinit leaves it."""
    subprocess.run(
        ["kinit", "domadmin@LAB.TEST"],
        input=PASSWORD,
        text=True,
        check=True,
        capture_output=True,
        env={**os.environ, **realm.environment},
        timeout=30,
    )


def test_records_are_ours(exchange: CmdletShell) -> None:
    assert all(isinstance(item, Record) for item in exchange.read("Get-ExchangeServer"))


def test_no_library_of_the_lab_is_used() -> None:
    source = Path(cmdlets.__file__).parent
    assert not any("psrpcore" in path.read_text(encoding="utf-8") for path in source.glob("*.py"))
