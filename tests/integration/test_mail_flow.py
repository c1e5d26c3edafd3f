# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mail_flow_info over the lab's endpoint, and why-mail-stopped.yml on top of it."""

from __future__ import annotations

import typing as t

import pytest

from tests.lab.client import LabClient
from tests.lab.inventory import exchange_variables
from tests.unit import _metadata

from .harness import Ansible, Run

CLOUD = "lab-test.mail.protection.outlook.com"
DROPPED = "421 4.4.2 Connection dropped due to SocketError"
SHELL = {"http": None, "https": 8443, "auth": ["basic"]}
CONNECTOR = {"name": "To the cloud", "smart_hosts": [CLOUD], "cloud": True}
WELL = {**CONNECTOR, "name": "To the cloud, logged", "logging": "Verbose", "require_tls": True}
SERVER = {"windows": "2019", "services": ["exchange"], "endpoints": [{"kind": "smtp", "port": 2525}]}
FINE: list[t.Any] = ["stock", "tls12_enabled", "dotnet_strong"]
LAB: dict[str, t.Any] = {
    "accounts": [
        {"user": "labadmin", "password": "Lab-Pass-1"},
        {"user": "exadmin", "password": "Lab-Pass-3", "domain": "lab.test"},
    ],
    "hosts": {
        "well": {
            **SERVER,
            "registry": FINE,
            "exchange": {
                "build": "15.02.1544.011",
                "shell": SHELL,
                "send_connectors": [WELL],
                "receive_connectors": [{"name": "In", "logging": "Verbose"}],
            },
        },
        "off": {
            **SERVER,
            "registry": ["stock", "tls12_off"],
            "exchange": {
                "build": "15.02.1544.011",
                "send_connectors": [{**CONNECTOR, "certificate": "<I>CN=Lab CA<S>CN=mail.lab.test"}],
                "certificates": [{"subject": "mail.lab.test", "issuer": "Old CA"}, {"subject": "off"}],
                "queues": [
                    {
                        "domain": CLOUD,
                        "messages": 40,
                        "deferred": 40,
                        "delivery_type": "SmartHostConnectorDelivery",
                        "last_error": f"[{{LED={DROPPED}}};{{MSG=}};{{FQDN={CLOUD}}};{{IP=192.0.2.1}};{{LRT=}}]",
                        "stuck": True,
                    }
                ],
            },
        },
        "edge": {"windows": "2019", "exchange": {"build": "15.02.1544.011", "roles": ["Edge"]}},
        "plain": {"windows": "2019"},
    },
}


@pytest.fixture(autouse=True)
def clear(lab: LabClient) -> t.Iterator[None]:
    yield
    for host in lab.hosts():
        host.clear_quirks()
        host.reset_log()


def look(lab: LabClient, ansible: Ansible, hosts: str = "off", **how: t.Any) -> Run:
    variables = {**exchange_variables(lab, lab.host("well"), "basic"), **how.pop("more", {})}
    return ansible.task("mail_flow_info", hosts=hosts, inventory=variables, **how)


def ids(run: Run, host: str) -> list[str]:
    return [item["id"] for item in run.result("mail_flow_info", host)["findings"]]


@pytest.mark.parametrize("connection", ["winrm", "psrp"])
def test_a_queue_that_waits(lab: LabClient, ansible: Ansible, connection: str) -> None:
    run = look(lab, ansible, connection=connection).ok()
    result = run.result("mail_flow_info")
    assert _metadata.undocumented("mail_flow_info", result) == []
    assert ids(run, "off") == [
        "certificate.not_found", "mail.queue", "connector.send_opportunistic", "connector.send_not_logged",
    ]  # fmt: skip
    missing, waiting, *_others = [item["message"] for item in result["findings"]]
    assert "is not on this server. One with the same subject is there, of another issuer: CN=Old CA." in missing
    assert "40 messages" in waiting
    assert r"protocol log of connector 'To the cloud' in C:\Program Files\Microsoft\Exchange Server" in waiting
    (queue,) = [item for item in result["queues"] if item["last_error"]]
    assert (queue["symptom"]["tls"], queue["symptom"]["host"]) == ("perhaps", CLOUD)
    assert queue["connector"] == next(
        item["guid"] for item in result["send_connectors"] if item["identity"] == "To the cloud"
    )
    assert {item["subject"] for item in result["certificates"]} == {"CN=mail.lab.test", "CN=off"}
    assert {item["services"] for item in result["certificates"]} == {None}
    assert [item["role"] for item in result["receive_connectors"]].count("FrontendTransport") == 3
    asked = [item["cmdlet"] for item in lab.host("well").exchange.cmdlets()]
    assert not [name for name in asked if not name.startswith("Get-")]
    assert lab.host("well").exchange.shells() == 0, "sessions are few: none is left open"
    assert "Lab-Pass-3" not in run.output


def test_all_is_well(lab: LabClient, ansible: Ansible) -> None:
    run = look(lab, ansible, hosts="well").ok()
    assert ids(run, "well") == []


def test_what_one_cmdlet_refuses_hides_nothing(lab: LabClient, ansible: Ansible) -> None:
    lab.host("off").set_quirk("get_queue_fails")
    lab.host("well").set_quirk("cmdlet", {"effect": "denied", "operation": "Get-*Connector"})
    run = look(lab, ansible).ok()
    result = run.result("mail_flow_info")
    assert set(result["unread"]) == {"Get-Queue", "Get-SendConnector", "Get-ReceiveConnector"}
    assert (result["queues"], result["send_connectors"]) == (None, None)
    assert len(result["certificates"]) == 2
    assert ids(run, "off") == ["mail.unread"] * 3


def test_servers_that_are_not_asked(lab: LabClient, ansible: Ansible) -> None:
    run = look(lab, ansible, hosts="edge:plain").ok()
    assert "Edge server" in run.result("mail_flow_info", "edge")["why_not"]
    assert "has no Exchange" in run.result("mail_flow_info", "plain")["why_not"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"exchange_password": "wrong"}, "exadmin"),
        ({"exchange_port": 9}, "cannot connect"),
        ({"exchange_auth": "ntlm"}, "exchange_auth is 'ntlm'"),
    ],
)
def test_no_endpoint(lab: LabClient, ansible: Ansible, more: dict[str, t.Any], words: str) -> None:
    run = look(lab, ansible, more=more)
    assert run.rc
    assert words in run.result("mail_flow_info")["msg"]
    assert not run.result("mail_flow_info").get("unreachable")
    run = look(lab, ansible, more=more, options={"required": False}).ok()
    result = run.result("mail_flow_info")
    assert (result["asked"], result["findings"]) == (False, [])
    assert words in result["why_not"]


# --- why-mail-stopped.yml --------------------------------------------------------------------------------------------


def why(lab: LabClient, ansible: Ansible, limit: str, *arguments: str, more: t.Any = None, **variables: t.Any) -> Run:
    inventory = {**exchange_variables(lab, lab.host("well"), "basic"), **(more or {})}
    given = {"tls12_endpoints": ["smtp://:2525"], "tls12_handshake_patience": 1, **variables}
    return ansible.playbook("why-mail-stopped.yml", "-l", limit, *arguments, inventory=inventory, **given)


def answer(run: Run) -> list[str]:
    (found,) = [item.result["msg"] for item in run.outcomes if item.task == "Why mail has stopped"]
    assert len(found) <= 10, found
    return list(found)


def test_tls12_is_off_and_mail_waits(lab: LabClient, ansible: Ansible) -> None:
    before = lab.host("off").dump()
    for arguments in ((), ("--check",)):
        found = answer(why(lab, ansible, "off,well", *arguments, tls12_symptom=DROPPED).ok())
        text, means, told, first, second, last = found
        assert text == f"text:    {DROPPED}"
        assert "perhaps TLS: the text alone does not tell" in means
        assert told == "answer:  Most likely this is the cause: TLS 1.2 is off on off."
        assert first.startswith(
            "off: TLS 1.2 OFF/OFF (Client/Server), handshake refused; off for Client (outgoing mail)"
        )
        assert "names the certificate" in first
        assert "40 messages wait for lab-test.mail.protection.outlook.com: " in first
        assert second.startswith("well: TLS 1.2 on/on (Client/Server), handshake accepted")
        assert last.startswith("next:    ansible-playbook -i ")
        assert "-l off --check" in last
        assert "/enforce-tls12.yml" in last
        assert "tls12_symptom" not in last
    assert lab.host("off").dump() == before


def test_all_is_well_on_the_servers(lab: LabClient, ansible: Ansible) -> None:
    found = answer(why(lab, ansible, "well", "-e", f"tls12_symptom={DROPPED}").ok())
    assert answer(why(lab, ansible, "well", "-e", f"symptom='{DROPPED}'").ok())[:2] == found[:2], "by its short name"
    assert found[0] == f"text:    {DROPPED}", "what Ansible cuts at the first blank is taken whole"
    assert found[2].startswith("answer:  TLS 1.2 is on in the registry of every server that was read.")
    assert found[-1].endswith("ansible localhost -m mailops.exchange_tls.smtp_log_info -a paths=logs")
    assert r"ProtocolLog\SmtpSend of well to logs/well" in found[-1]
    assert answer(why(lab, ansible, "well", tls12_symptom=None).ok())[0].startswith("answer:")


def test_no_endpoint_and_servers_that_are_away(lab: LabClient, ansible: Ansible) -> None:
    lab.host("plain").set_quirk("down")
    run = why(lab, ansible, "off,plain,edge", more={"exchange_port": 9}, tls12_symptom="PRX4")
    assert run.rc == 2, "a server that could not be read is a failure in the end"
    found = answer(run)
    assert "no matter of TLS" in found[1]
    assert found[2].startswith("answer:  The text is no matter of TLS. TLS 1.2 is off on off")
    assert "queues and connectors not seen: " in found[3]
    assert any(line.startswith("plain: UNREACHABLE: ") for line in found)
    assert "Traceback" not in run.output


@pytest.mark.parametrize("name", ["tls12_symptoms", "symtom"])
def test_a_misspelt_variable(lab: LabClient, ansible: Ansible, name: str) -> None:
    run = why(lab, ansible, "well", **{name: "421"})
    assert run.rc
    error, step = answer(run)
    assert error.startswith(f"error:   Bad variables: there is no variable '{name}' (did you mean 'tls12_symptom'")
    assert step == "next:    give it as the message says, and run the same command again"
