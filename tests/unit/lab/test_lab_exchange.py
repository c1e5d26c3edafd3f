# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchange's endpoint in the lab, as plain pypsrp finds it: sessions, cmdlets, refusals, and what the servers do."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from tests.lab.client import HostClient, LabClient, LabError
from tests.lab.description import DescriptionError, load
from tests.lab.launch import running_lab

SHELL = {"http": 8080, "https": 8443, "auth": ["basic"], "shells_per_user": 3}
DESCRIPTION: dict[str, Any] = {
    "accounts": [
        {"user": "labadmin", "password": "Lab-Pass-1"},
        {"user": "labuser", "password": "Lab-Pass-2", "administrator": False},
        {"user": "domadmin", "password": "Lab-Pass-3", "domain": "lab.test"},
    ],
    "hosts": {
        "ex01": {
            "services": ["exchange"],
            "exchange": {"build": "15.02.1544.011", "shell": SHELL, "hidden": {"domadmin": ["Set-*"]}},
            "restart": {"shutdown_delay": 0.05, "down_for": 0.2},
        },
        "ex02": {
            "services": ["exchange"],
            "exchange": {"build": "15.01.2507.066", "cumulative": "15.1.2507.39", "cluster": {"name": "DAG1"}},
        },
        "fs01": {},
    },
}
UNKNOWN_SHELL, TIMED_OUT, DENIED = 2150858843, 2150858793, 5


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    state_dir = tmp_path_factory.mktemp("exchange")
    with running_lab(DESCRIPTION, state_dir, max_lifetime=600) as lab:
        yield lab
    assert (state_dir / "lab.log").read_text(encoding="utf-8") == "", "something in the lab raised an error"


@pytest.fixture
def ex01(domain: LabClient) -> Iterator[HostClient]:
    """The entry point, with all that a test changed in the organisation taken back."""
    yield domain.host("ex01")
    for host in (domain.host("ex01"), domain.host("ex02")):
        host.clear_quirks()
        for component in ("ServerWideOffline", "HubTransport", "ImapProxy"):
            for requester in ("Maintenance", "HealthApi"):
                host.exchange.ask_for(component, requester, None)
        host.exchange.forget_shells()
        host.reset_log()


def connect(lab: LabClient, host: HostClient, **options: Any) -> WSMan:
    given: dict[str, Any] = {"username": "labadmin", "password": "Lab-Pass-1", "auth": "basic", "path": "PowerShell"}
    given = {"port": host.port("exchange_https"), "cert_validation": str(lab.ca_path), **given, **options}
    return WSMan(host.address, connection_timeout=10, read_timeout=20, **given)


def opened(lab: LabClient, host: HostClient, **options: Any) -> RunspacePool:
    pool = RunspacePool(connect(lab, host, **options), configuration_name="Microsoft.Exchange")
    pool.open()
    return pool


@pytest.fixture
def pool(domain: LabClient, ex01: HostClient) -> Iterator[RunspacePool]:
    made = opened(domain, ex01)
    yield made
    with contextlib.suppress(WSManFaultError, requests.exceptions.ConnectionError):
        made.close()


def run(pool: RunspacePool, cmdlet: str, **parameters: Any) -> PowerShell:
    pipeline = PowerShell(pool)
    pipeline.add_cmdlet(cmdlet).add_parameters(parameters)
    pipeline.invoke()
    return pipeline


def piped(pool: RunspacePool, cmdlet: str, items: list[Any], **parameters: Any) -> PowerShell:
    pipeline = PowerShell(pool)
    pipeline.add_cmdlet(cmdlet).add_parameters(parameters)
    pipeline.invoke(items)
    return pipeline


def said(pipeline: PowerShell) -> str:
    return " ".join(str(error) for error in pipeline.streams.error)


def states(pool: RunspacePool, server: str) -> dict[str, str]:
    output = run(pool, "Get-ServerComponentState", Identity=server).output
    return {item.adapted_properties["Component"]: str(item.adapted_properties["State"]) for item in output}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"shel": {}}, "did you mean 'shell'"),
        ({"shell": {"auth": ["ntlm"]}}, "none of basic, kerberos"),
        ({"shell": {"http": 5985}}, "5985 is taken by ex01"),
        ({"shell": {"path": "PowerShell"}}, "must start with a slash"),
        ({"hidden": ["Set-*"]}, "a mapping is needed"),
        ({"send_connectors": [{"smart_hosts": []}]}, "'name' is missing"),
        ({"receive_connectors": [{"name": "In", "auth": ["TLS"]}]}, "none of None, Tls"),
        ({"certificates": [{"subject": "a", "days": -1}]}, "days"),
    ],
)
def test_descriptions_that_are_wrong(raw: dict[str, Any], words: str) -> None:
    with pytest.raises(DescriptionError, match=words):
        load(
            {
                "accounts": [{"user": "a", "password": "b"}],
                "hosts": {"ex01": {"exchange": {"build": "15.2.1.1", **raw}}},
            }
        )


class TestOrganisation:
    def test_any_entry_point_knows_all_servers(self, pool: RunspacePool) -> None:
        found = run(pool, "Get-ExchangeServer").output
        versions = {str(item): str(item.adapted_properties["AdminDisplayVersion"]) for item in found}
        assert versions == {"EX01": "Version 15.2 (Build 1544.11)", "EX02": "Version 15.1 (Build 2507.39)"}
        for name in ("ex02", "EX02.LAB.TEST", found[1].adapted_properties["DistinguishedName"]):
            assert [str(item) for item in run(pool, "Get-ExchangeServer", Identity=name).output] == ["EX02"]

    def test_a_healthy_server(self, pool: RunspacePool) -> None:
        found = states(pool, "ex01")
        assert len(found) == 34
        assert [name for name, state in found.items() if state != "Active"] == ["ForwardSyncDaemon", "ProvisioningRps"]
        assert set(states(pool, "ex02")) - set(found) == {"UMCallRouter"}
        health = run(pool, "Test-ServiceHealth").output
        assert [item.adapted_properties["RequiredServicesRunning"] for item in health] == [True] * 3

    def test_server_wide_offline_takes_all_but_two(self, pool: RunspacePool, ex01: HostClient) -> None:
        ask = {"Identity": "ex02", "Component": "ServerWideOffline", "Requester": "Maintenance", "State": "Inactive"}
        run(pool, "Set-ServerComponentState", **ask)
        found = states(pool, "ex02")
        assert [name for name, state in found.items() if state == "Active"] == ["Monitoring", "RecoveryActionsEnabled"]
        assert states(pool, "ex01")["HubTransport"] == "Active"
        # Functional never stopped asking for Active: each requester is undone by itself
        run(pool, "Set-ServerComponentState", **{**ask, "Requester": "Functional", "State": "Active"})
        assert states(pool, "ex02")["EwsProxy"] == "Inactive"
        run(pool, "Set-ServerComponentState", **{**ask, "State": "Active"})
        assert states(pool, "ex02")["EwsProxy"] == "Active"

    def test_draining_local_and_remote(self, pool: RunspacePool, domain: LabClient, ex01: HostClient) -> None:
        ask = {"Identity": "ex02", "Component": "HubTransport", "Requester": "Maintenance", "State": "Draining"}
        run(pool, "Set-ServerComponentState", **ask, LocalOnly=True)
        assert states(pool, "ex02")["HubTransport"] == "Draining"
        held = domain.host("ex02").exchange.component_states()["HubTransport"]
        assert held == {"state": "Draining", "local": {"Maintenance": "Draining"}, "remote": {}}
        run(pool, "Set-ServerComponentState", **{**ask, "State": "Active"}, RemoteOnly=True)
        assert states(pool, "ex02")["HubTransport"] == "Active"  # the newer word
        failed = run(pool, "Set-ServerComponentState", **{**ask, "Component": "EwsProxy"})
        assert "isn't valid for component 'EwsProxy'" in said(failed)

    def test_the_policy_of_a_mailbox_server(self, pool: RunspacePool, domain: LabClient) -> None:
        change = {"DatabaseCopyAutoActivationPolicy": "blocked", "DatabaseCopyActivationDisabledAndMoveNow": True}
        assert run(pool, "Set-MailboxServer", Identity="ex02", **change).streams.warning == []
        assert domain.host("ex02").exchange.mailbox_server() == {"activation_policy": "Blocked", "move_now": True}
        (again,) = run(pool, "Set-MailboxServer", Identity="ex02", **change).streams.warning
        assert "no settings of 'EX02' have been modified" in again.message
        (found,) = run(pool, "Get-MailboxServer", Identity="ex02").output
        assert str(found.adapted_properties["DatabaseCopyAutoActivationPolicy"]) == "Blocked"
        assert str(found.adapted_properties["DatabaseAvailabilityGroup"]) == "DAG1"
        back = {"DatabaseCopyAutoActivationPolicy": "Unrestricted", "DatabaseCopyActivationDisabledAndMoveNow": False}
        run(pool, "Set-MailboxServer", Identity="ex02", **back)

    def test_a_server_that_is_away_is_known_all_the_same(self, pool: RunspacePool, domain: LabClient) -> None:
        domain.host("ex02").set_quirk("down", True)
        assert "network path was not found" in said(run(pool, "Get-ServerComponentState", Identity="ex02"))
        assert len(run(pool, "Get-MailboxServer", Identity="ex02").output) == 1

    def test_messages_go_to_a_server_named_in_full(self, pool: RunspacePool, domain: LabClient) -> None:
        asked = said(run(pool, "Redirect-Message", Server="ex01", Target="EX02.lab.test"))
        assert "does not support user interaction" in asked
        short = said(run(pool, "Redirect-Message", Server="ex01", Target="EX02", Confirm=False))
        assert "the FQDN of another server is needed" in short
        run(pool, "Redirect-Message", Server="ex01", Target="EX02.lab.test", Confirm=False)
        assert domain.host("ex01").exchange.redirections() == ["EX02.lab.test"]

    def test_a_host_without_exchange(self, domain: LabClient) -> None:
        with pytest.raises(LabError, match="fs01 has no Exchange"):
            domain.host("fs01").exchange.component_states()


class TestNoLanguage:
    def test_scripts_and_pipelines(self, pool: RunspacePool) -> None:
        for script in ("Get-ExchangeServer", "1", "$x = 1"):
            pipeline = PowerShell(pool)
            pipeline.add_script(script).invoke()
            assert "The syntax is not supported by this runspace" in said(pipeline)
            assert pipeline.state == PSInvocationState.FAILED
        pipeline = PowerShell(pool)
        pipeline.add_cmdlet("Get-ExchangeServer").add_cmdlet("Get-MailboxServer").invoke()
        assert "no-language mode" in said(pipeline)

    @pytest.mark.parametrize(
        ("cmdlet", "parameters", "words"),
        [
            ("Get-Process", {}, "'Get-Process' is not recognized as the name of a cmdlet"),
            ("Get-ExchangeServer", {"Idntity": "x"}, "matches parameter name 'Idntity'"),
            ("Get-ExchangeServer", {"Identity": 5}, 'Cannot convert value "5" to type "System.String"'),
            ("Get-ExchangeServer", {"Identity": None}, "'Identity' because it is null"),
            ("Get-ExchangeServer", {"Identity": ""}, "'Identity' because it is an empty string"),
            ("Get-ExchangeServer", {"Confirm": False}, "matches parameter name 'Confirm'"),
            ("Get-ServerComponentState", {}, "missing mandatory parameters: Identity"),
            (
                "Set-MailboxServer",
                {"Identity": "ex01", "DatabaseCopyActivationDisabledAndMoveNow": "true"},
                'Cannot convert value "true" to type "System.Boolean"',
            ),
            (
                "Set-MailboxServer",
                {"Identity": "ex01", "DatabaseCopyAutoActivationPolicy": "Open"},
                "The possible enumeration values are",
            ),
            ("Get-ServerComponentState", {"Identity": "ex01", "Component": "UMCallRouter"}, "isn't a valid component"),
        ],
    )
    def test_refused(self, pool: RunspacePool, cmdlet: str, parameters: dict[str, Any], words: str) -> None:
        pipeline = run(pool, cmdlet, **parameters)
        assert words in said(pipeline)
        assert pipeline.had_errors
        assert pipeline.output == []

    def test_names_that_are_piped(self, pool: RunspacePool, ex01: HostClient) -> None:
        pipeline = piped(pool, "Get-ServerComponentState", ["ex01", "ex09", "EX02.lab.test"], Component="HubTransport")
        assert [item.adapted_properties["ServerFqdn"] for item in pipeline.output] == ["EX01.lab.test", "EX02.lab.test"]
        assert "object 'ex09' couldn't be found" in said(pipeline)
        assert not pipeline.had_errors
        (logged,) = ex01.exchange.cmdlets()
        assert logged["parameters"] == {"Component": "HubTransport", "piped": ["ex01", "ex09", "EX02.lab.test"]}

    def test_what_cannot_be_piped(self, pool: RunspacePool, ex01: HostClient) -> None:
        (server,) = run(pool, "Get-ExchangeServer", Identity="ex01").output
        for cmdlet, items, parameters in (
            ("Get-ServerComponentState", [server], {}),
            ("Get-ServerComponentState", ["ex02"], {"Identity": "ex01"}),
            ("Get-MailboxServer", ["ex01"], {}),
        ):
            pipeline = piped(pool, cmdlet, items, **parameters)
            assert "cannot be bound to any parameters" in said(pipeline)
            assert pipeline.output == []
        ex01.set_quirk("cmdlet", {"operation": "Get-ServerComponentState", "effect": "takes_no_input"})
        pipeline = piped(pool, "Get-ServerComponentState", ["ex01", "ex02"])
        assert len(pipeline.streams.error) == 2
        assert len(run(pool, "Get-ServerComponentState", Identity="ex01").output) == 34

    def test_positions(self, pool: RunspacePool) -> None:
        pipeline = PowerShell(pool)
        pipeline.add_cmdlet("Get-ExchangeServer").add_argument("ex01").invoke()
        assert "positional parameter" in said(pipeline)

    def test_an_error_that_does_not_end_it_looks_like_success(self, pool: RunspacePool) -> None:
        quiet = run(pool, "Get-ExchangeServer", Identity="ex09")
        assert not quiet.had_errors
        assert "object 'ex09' couldn't be found" in said(quiet)
        assert run(pool, "Get-ExchangeServer", Identity="ex09", ErrorAction="Stop").had_errors

    def test_cmdlets_that_an_account_does_not_see(self, domain: LabClient, ex01: HostClient) -> None:
        with opened(domain, ex01, username="domadmin", password="Lab-Pass-3") as pool:
            assert "not recognized" in said(run(pool, "Set-MailboxServer", Identity="ex01"))
            assert len(run(pool, "Get-MailboxServer").output) == 2
            asked = run(pool, "Get-Command", Name=["Set-MailboxServer*", "get-mailboxs*"])
            assert [str(item) for item in asked.output] == ["Get-MailboxServer"]
            assert not said(asked)
            assert "'Set-MailboxServer' is not recognized" in said(run(pool, "Get-Command", Name=["Set-MailboxServer"]))


class TestSessions:
    def test_what_was_asked_is_kept(self, pool: RunspacePool, ex01: HostClient) -> None:
        run(pool, "Get-ExchangeServer", Identity="ex02", Status=True)
        run(pool, "Get-ExchangeServer", Identity="ex09")
        first, second = ex01.exchange.cmdlets()
        assert (first["cmdlet"], first["parameters"]) == ("Get-ExchangeServer", {"Identity": "ex02", "Status": True})
        assert (first["objects"], first["error"], first["user"]) == (1, None, "labadmin")
        assert "couldn't be found" in second["error"]
        # one pipeline: the command, its output in one piece, its end
        assert ex01.operations()[:4] == ["Exchange.Create", "Exchange.Receive", "Exchange.Command", "Exchange.Receive"]

    def test_a_query_string_and_letters_of_the_path_do_not_matter(self, domain: LabClient, ex01: HostClient) -> None:
        opened(domain, ex01, path="powershell/?serializationLevel=Full").close()
        with pytest.raises(WinRMTransportError, match="404"):
            opened(domain, ex01, path="wsman")

    def test_only_its_own_configuration_is_served(self, domain: LabClient, ex01: HostClient) -> None:
        with pytest.raises(WSManFaultError, match=r"only .*Microsoft\.Exchange is served"):
            RunspacePool(connect(domain, ex01)).open()

    def test_logins(self, domain: LabClient, ex01: HostClient) -> None:
        for options in ({"password": "wrong"}, {"auth": "ntlm"}, {"auth": "negotiate"}):
            with pytest.raises(AuthenticationError):
                opened(domain, ex01, **options)
        with pytest.raises(WSManFaultError) as denied:
            opened(domain, ex01, username="labuser", password="Lab-Pass-2")
        assert denied.value.code == DENIED
        with pytest.raises(WinRMTransportError) as plain:
            opened(domain, ex01, port=ex01.port("exchange_http"), ssl=False, encryption="never")
        assert (plain.value.code, plain.value.response_text) == (500, "")
        answer = requests.post(f"https://{ex01.address}:8443/PowerShell", verify=str(domain.ca_path), timeout=5)
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="ex01.lab.test"'

    def test_one_account_has_so_many(self, domain: LabClient, ex01: HostClient) -> None:
        pools = [opened(domain, ex01) for _dummy in range(3)]
        with pytest.raises(WSManFaultError) as refused:
            opened(domain, ex01)
        # as MSFT_WmiError, of which pypsrp keeps the subcode only
        assert refused.value.code == "w:QuotaLimit"
        opened(domain, ex01, username="domadmin", password="Lab-Pass-3").close()
        pools[0].close()
        opened(domain, ex01).close()
        assert ex01.exchange.shells() == 2

    def test_a_session_belongs_to_its_account(self, pool: RunspacePool, domain: LabClient, ex01: HostClient) -> None:
        other = RunspacePool(connect(domain, ex01, username="domadmin", password="Lab-Pass-3"))
        other.shell.resource_uri = pool.shell.resource_uri
        other.shell._selector_set = pool.shell._selector_set
        with pytest.raises(WSManFaultError) as refused:
            other.shell.receive()
        assert refused.value.code == UNKNOWN_SHELL

    def test_a_restart_ends_all(self, pool: RunspacePool, ex01: HostClient) -> None:
        ex01.exchange.ask_for("HubTransport", "Maintenance", "Inactive")
        ex01.restart()
        with pytest.raises(WSManFaultError) as lost:
            run(pool, "Get-ExchangeServer")
        assert lost.value.code == UNKNOWN_SHELL
        assert ex01.exchange.component_states()["HubTransport"]["state"] == "Inactive"

    def test_silence_is_told_again_and_again(self, domain: LabClient, ex01: HostClient) -> None:
        ex01.set_quirk("cmdlet", {"effect": "slow", "seconds": 1.5})
        with opened(domain, ex01, operation_timeout=1) as pool:
            assert len(run(pool, "Get-ExchangeServer").output) == 2
        faults = [request["fault"] for request in ex01.requests() if request["operation"] == "Exchange.Receive"]
        assert TIMED_OUT in faults

    def test_large_messages_go_in_pieces(self, domain: LabClient, ex01: HostClient) -> None:
        with opened(domain, ex01, max_envelope_size=65536) as pool:
            found = run(pool, "Get-ExchangeServer", Identity="x" * 200_000)
            assert "couldn't be found" in said(found)
            assert ex01.operations().count("Exchange.Send") >= 3
            before = len(ex01.operations())
            assert len(states(pool, "ex02")) == 35
            assert ex01.operations()[before:].count("Exchange.Receive") > 1

    def test_fragments_that_are_none(self, pool: RunspacePool) -> None:
        for data in ("?", base64.b64encode(b"no fragment at all, but long enough").decode()):
            with pytest.raises(WSManFaultError):
                pool.shell.command("", arguments=[data], command_id="5D4FC5BA-5E41-4AD6-9C5D-37C09C2B5D3F")


class TestQuirks:
    def test_an_error_and_a_denial(self, pool: RunspacePool, ex01: HostClient) -> None:
        ex01.set_quirk(
            "cmdlet", [{"effect": "error", "operation": "Get-*", "nth": 1}, {"effect": "denied", "request": 2}]
        )
        assert "Active Directory server isn't available" in said(run(pool, "Get-ExchangeServer"))
        assert "write scope" in said(run(pool, "Set-MailboxServer", Identity="ex01"))
        assert len(run(pool, "Get-ExchangeServer").output) == 2

    def test_the_endpoint_dies_in_mid_pipeline(self, pool: RunspacePool, ex01: HostClient) -> None:
        ex01.set_quirk("cmdlet", {"effect": "dies", "count": 1})
        with pytest.raises(requests.exceptions.ConnectionError):
            run(pool, "Get-ExchangeServer")
        with pytest.raises(WSManFaultError) as lost:
            run(pool, "Get-ExchangeServer")
        assert lost.value.code == UNKNOWN_SHELL

    def test_a_session_is_lost_between_two_cmdlets(self, pool: RunspacePool, ex01: HostClient) -> None:
        ex01.set_quirk("cmdlet", {"effect": "lost", "count": 1})
        assert len(run(pool, "Get-ExchangeServer").output) == 2
        with pytest.raises(WSManFaultError) as lost:
            run(pool, "Get-ExchangeServer")
        assert lost.value.code == UNKNOWN_SHELL

    def test_requesters_as_text(self, pool: RunspacePool, ex01: HostClient) -> None:
        ex01.set_quirk("requesters_as_text")
        (found,) = run(pool, "Get-ServerComponentState", Identity="ex01", Component="Monitoring").output
        assert (
            "<S>Requestor:Functional; State:Active; Timestamp:"
            in found.adapted_properties["LocalStates"].property_sets[0]
        )
