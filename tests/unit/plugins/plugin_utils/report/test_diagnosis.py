# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why mail has stopped: a text and servers held against each other."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import symptoms
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report import diagnosis
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.commands import Command
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.diagnosis import Server
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.laws import examples

from .stories import failed, gone, settings, verified

DROPPED = "421 4.4.2 Connection dropped due to SocketError"
COMMAND = Command("playbooks/why-mail-stopped.yml", ("hosts.yml",), (f'{{"tls12_symptom": "{DROPPED}"}}',))
NOT_ASKED: dict[str, Any] = {"asked": False, "why_not": "there is no way there.", "findings": []}


def mail(
    *findings: tuple[str, str], logging: str = "Verbose", error: str = DROPPED, hop: str = "relay.example"
) -> dict[str, Any]:
    """A result of mail_flow_info, with findings by id and status; one of a queue is about the one that waits."""
    queue = {
        "identity": r"EX01\3",
        "messages": 40,
        "next_hop": hop,
        "last_error": error,
        "symptom": symptoms.explain(error).as_result(),
    }
    return {
        "asked": True,
        "queues": [queue],
        "send_connectors": [{"identity": "Joe's", "to_exchange_online": True, "logging": logging}],
        "logs": {"send": r"D:\Logs\Send"},
        "findings": [
            {"id": name, "status": status, "message": f"About {name}.", "about": r"EX01\3"} for name, status in findings
        ],
    }


def told(text: str = "", **servers: Server) -> list[str]:
    return diagnosis.lines(symptoms.explain(text).as_result(), servers, text=text, command=COMMAND)


def one(how: str, found: dict[str, Any] | None = None, text: str = DROPPED, **proof: Any) -> list[str]:
    return told(text, ex01=Server(verified(how, **proof), found or mail()))


FINE = {"smtp": True}
OFF = "TLS 1.2 is off on ex01"
DIFFERS = "TLS 1.2 is on where it was read; something else is not as wanted on ex01."
ON = "TLS 1.2 is on in the registry of every server that was read"
CONNECTOR = "Get-SendConnector (TlsCertificateName) and Get-ExchangeCertificate of that server"
STANDS = f"{OFF}: mail with Office 365 most likely stands still."


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (DROPPED, f"Most likely this is the cause: {OFF}."),
        ("TLS negotiation failed with error SocketError", f"Most likely this is the cause: {OFF}."),
        ("TLS negotiation failed with error NoCredentials", f"The text is one of a certificate. {STANDS}"),
        ("There is no valid SMTP certificate for the FQDN of x", f"The text is one of a certificate. {STANDS}"),
        (
            "421 TLSAuthLevel cannot be DomainValidation with out a valid TLS Domain.",
            f"The text is one of the settings of a connector. {STANDS}",
        ),
        ("451 5.7.3 STARTTLS is required to send mail", f"Most likely this is the cause: {OFF}."),
        ("452 4.3.1 Insufficient system resources", f"The text is no matter of TLS. {STANDS}"),
        ("Good morning", STANDS),
        ("", STANDS),
    ],
)
def test_tls12_is_off(text: str, answer: str) -> None:
    shown = one("off", text=text)
    assert f"answer:  {answer}" in shown
    assert shown[-1] == "next:    ansible-playbook -i hosts.yml playbooks/enforce-tls12.yml --check"
    assert any(line.startswith("text: ") for line in shown) == bool(text)


def test_one_side_is_off() -> None:
    assert "; off for Client (outgoing mail)" in one("client off")[3]
    assert "Server (incoming" not in one("client off")[3]


def _line(data: str, connector: str) -> str:
    return f"2026-01-05T09:00:00.000Z,{connector},08DE000000000001,3,10.0.0.1:25,192.0.2.1:25,{data}"


CUT = "*,,TLS negotiation failed with error SocketError"
SENT, TAKEN = _line(CUT, "To the cloud"), _line(CUT, r"EX01\Default")
QUEUE = f"[{{LED={DROPPED}}};{{MSG=}}]"


@pytest.mark.parametrize(
    ("text", "how", "is_cause"),
    [
        (QUEUE, "client off", True),
        (QUEUE, "server off", False),
        (SENT, "client off", True),
        (SENT, "server off", False),
        (TAKEN, "client off", False),
        (TAKEN, "server off", True),
        (QUEUE, "off", True),
        (TAKEN, "off", True),
        # which side it is about, these do not say
        (DROPPED, "server off", True),
        (f"#{DROPPED} ##", "client off", True),
        (CUT, "client off", True),
    ],
)
def test_only_the_side_that_the_text_is_about_is_the_cause(text: str, how: str, is_cause: bool) -> None:
    shown = one(how, text=text)
    (answer,) = [line for line in shown if line.startswith("answer: ")]
    assert answer.startswith(f"answer:  Most likely this is the cause: {OFF}") is is_cause
    # what is off is shown all the same, and what to do about it
    assert any("; off for " in line for line in shown)
    assert shown[-1] == "next:    ansible-playbook -i hosts.yml playbooks/enforce-tls12.yml --check"
    if not is_cause:
        way = "incoming" if text == TAKEN else "outgoing"
        other = "outgoing" if text == TAKEN else "incoming"
        assert answer == f"answer:  The text is about {way} mail. TLS 1.2 is off for {other} mail alone, on ex01."


def test_a_hop_inside_exchange_has_another_cause() -> None:
    shown = one("off", text="[{LED=421 4.2.1 Unable to connect};{MSG=};{IP=10.0.0.2:2525}]")
    assert f"answer:  The text is no matter of TLS. {STANDS}" in shown


def test_a_hop_inside_exchange_that_was_dropped_may_be_tls() -> None:
    shown = one("off", text=f"[{{LED={DROPPED}}};{{MSG=}};{{IP=10.0.0.2:2525}}]")
    assert f"answer:  Most likely this is the cause: {OFF}." in shown


TO_EX02 = "[{{LED=454 4.7.0 TLS negotiation failed with error SocketError}};{{FQDN={}}};{{IP={}}}]"


@pytest.mark.parametrize(
    ("name", "fqdn", "address", "more", "is_meant"),
    [
        ("ex02", "ex02.example.com", "10.0.0.2:25", {}, True),
        ("EX02", "ex02.example.com", "10.0.0.2:25", {}, True),
        ("ex02.example.com", "EX02", "", {}, True),
        ("ex02.example.com", "EX02.example.com.", "", {}, True),
        ("two", "ex02.example.com", "", {"address": "ex02.example.com"}, True),
        ("two", "", "10.0.0.2:2525", {"address": "10.0.0.2"}, True),
        ("10.0.0.2", "", "10.0.0.2:25", {}, True),
        ("two", "", "[fd00::2]:25", {"address": "FD00:0::2"}, True),
        ("two", "", "fd00::2:25", {"address": "fd00::2"}, True),
        ("two", "", "10.0.0.2:25", {"mail": {"receive_connectors": [{"bindings": ["10.0.0.2:25"]}]}}, True),
        # somebody else, or nobody
        ("ex02.example.com", "ex02.example.org", "192.0.2.1:25", {}, False),
        ("ex02", "relay.example", "192.0.2.1:25", {"address": "10.0.0.2"}, False),
        ("ex02", "", "", {}, False),
        ("10.0.0.2", "10.example", "", {}, False),
        ("two", "", "0.0.0.0:25", {"mail": {"receive_connectors": [{"bindings": ["0.0.0.0:25", "[::]:25"]}]}}, False),
    ],
)
def test_what_goes_out_to_a_server_that_was_asked_comes_in_there(
    name: str, fqdn: str, address: str, more: dict[str, Any], is_meant: bool
) -> None:
    server = Server(verified("server off"), **more)
    if name != "ex02":
        server = Server({**server.settings, "host": {**server.settings["host"], "computer_name": None}}, **more)
    shown = told(TO_EX02.format(fqdn, address), **{name: server})
    cause = f"answer:  Most likely this is the cause: TLS 1.2 is off on {name}."
    assert (cause in shown) is is_meant
    other = f"answer:  The text is about outgoing mail. TLS 1.2 is off for incoming mail alone, on {name}."
    assert (other in shown) is not is_meant


def test_who_sends_and_who_receives_may_both_be_the_cause() -> None:
    text = TO_EX02.format("ex02.example.com", "")
    hows = {"ex01": "client off", "ex02": "server off", "ex03": "server off"}
    servers = {name: Server({**verified(how), "host": {**verified(how)["host"], "computer_name": name.upper()}})
               for name, how in hows.items()}  # fmt: skip
    assert "answer:  Most likely this is the cause: TLS 1.2 is off on ex01, ex02." in told(text, **servers)
    servers["ex02"] = Server(verified("client off"))
    del servers["ex01"]
    shown = told(text, **servers)
    assert "answer:  The text is about mail to ex02. TLS 1.2 is off for other mail alone, on ex02, ex03." in shown


def test_servers_on_which_the_other_side_is_off_are_no_cause() -> None:
    shown = told(QUEUE, ex01=Server(verified("server off")), ex02=Server(verified("client off")))
    assert "answer:  Most likely this is the cause: TLS 1.2 is off on ex02." in shown
    assert any(line.startswith("ex01: ") and "off for Server (incoming mail)" in line for line in shown)


@pytest.mark.parametrize(
    ("how", "found", "proof", "answer", "last"),
    [
        ("fine", mail(), {}, "TLS 1.2 is on in the registry of every server", "next:    copy D:\\Logs\\Send"),
        ("fine", NOT_ASKED, {}, "TLS 1.2 is on in the registry of every", "next:    copy %ExchangeInstallPath%"),
        ("fine", mail(), {"accepted": {"smtp": False}}, "TLS 1.2 is on in the registry of ex01, and refused",
         "enforce-tls12.yml -e tls12_reboot=always --check"),
        ("fine", mail(), {"pending": True}, "What was written is not in effect yet: ex01", "enforce-tls12.yml --check"),
        ("fine", mail(("certificate.not_found", "noncompliant")), {}, "A certificate or a connector is at fault",
         "Get-ExchangeCertificate -Server ex01"),
        ("fine", mail(("mail.queue", "unknown")), {}, "TLS 1.2 is on where it was read, and mail waits on ex01",
         "copy D:\\Logs\\Send of ex01 to logs/ex01"),
        ("fine", mail(("mail.queue", "not_applicable")), {}, "TLS 1.2 is on in the registry of every", "copy D:"),
        ("wrong", mail(), {}, DIFFERS, "enforce-tls12.yml --check"),
        ("off", mail(("mail.queue", "noncompliant")), {}, "Most likely this is the cause: TLS 1.2 is off", "--check"),
    ],
)  # fmt: skip
def test_causes(how: str, found: dict[str, Any], proof: dict[str, Any], answer: str, last: str) -> None:
    shown = one(how, found, **{"accepted": FINE, **proof})
    (line,) = [line for line in shown if line.startswith("answer: ")]
    assert line.startswith(f"answer:  {answer}")
    assert last in shown[-1]


def test_a_log_that_nobody_writes_is_turned_on_first() -> None:
    shown = one("fine", mail(("mail.queue", "unknown"), logging="None"), accepted=FINE)
    assert shown[-2] == (
        "first:   in the Exchange Management Shell: Set-SendConnector 'Joe''s' -ProtocolLoggingLevel Verbose"
    )


FRONT_END = r"%ExchangeInstallPath%TransportRoles\Logs\FrontEnd\ProtocolLog"


def _with_relay(**more: Any) -> dict[str, Any]:
    """Mail waits for a partner, by a connector of its own."""
    found = mail(("mail.queue", "unknown"))
    found["queues"][0]["connector"] = "G2"
    relay = {"identity": "Partner", "to_exchange_online": False, "guid": "g2", "logging": "Verbose", **more}
    return {**found, "send_connectors": [*found["send_connectors"], relay]}


def test_the_log_of_the_connector_by_which_mail_waits() -> None:
    shown = one("fine", _with_relay(logging="None"), accepted=FINE)
    assert shown[-2].endswith("Set-SendConnector 'Partner' -ProtocolLoggingLevel Verbose")
    assert "copy D:\\Logs\\Send of ex01 " in shown[-1]
    shown = one("fine", _with_relay(logging="None", identity="Joe\u2019s"), accepted=FINE)
    assert "Set-SendConnector 'Joe\u2019\u2019s' " in shown[-2]
    shown = one("fine", _with_relay(front_end=True), accepted=FINE)
    assert f"copy {FRONT_END}\\SmtpSend of ex01 " in shown[-1]
    assert not shown[-2].startswith("first:")


@pytest.mark.parametrize(
    ("role", "found", "folder"),
    [
        ("FrontendTransport", {"receive": r"D:\Logs\Receive"}, rf"{FRONT_END}\SmtpReceive"),
        ("HubTransport", {"receive": r"D:\Logs\Receive"}, r"D:\Logs\Receive"),
        ("HubTransport", {}, r"%ExchangeInstallPath%TransportRoles\Logs\Hub\ProtocolLog\SmtpReceive"),
        # the one that mail of others comes in by
        (None, {}, rf"{FRONT_END}\SmtpReceive"),
    ],
)
def test_a_line_of_a_receive_log_is_looked_up_in_that_log(role: str | None, found: dict[str, str], folder: str) -> None:
    connectors = [{"identity": r"ex01\default", "role": role}] if role else []
    told_by = {**mail(logging="None"), "receive_connectors": connectors, "logs": {"send": r"D:\Logs\Send", **found}}
    shown = one("fine", told_by, text=TAKEN, accepted=FINE)
    assert f"copy {folder} of ex01 " in shown[-1]
    assert not any("Set-SendConnector" in line for line in shown)


def test_the_folder_is_that_of_the_server_it_is_named_with() -> None:
    shown = told(DROPPED, ex01=Server(verified("fine", FINE), NOT_ASKED), ex02=Server(verified("fine", FINE), mail()))
    assert "copy D:\\Logs\\Send of ex02 to logs/ex02 " in shown[-1]


def test_what_is_said_of_a_server() -> None:
    (line,) = [
        line for line in one("fine", mail(("mail.queue", "unknown")), accepted=FINE) if line.startswith("ex01: ")
    ]
    assert line == (
        "ex01: TLS 1.2 on/on (Client/Server), handshake accepted; 40 messages wait for relay.example: " + DROPPED
    )
    (line,) = [line for line in one("fine", NOT_ASKED, accepted=None) if line.startswith("ex01: ")]
    assert line == (
        "ex01: TLS 1.2 on/on (Client/Server), handshake not tried; "
        "queues and connectors not seen: there is no way there"
    )


@pytest.mark.parametrize(
    "error",
    [
        f"451 4.4.397 Error communicating with target host. -> {DROPPED}",
        f'451 4.4.0 Primary target IP address responded with: "{DROPPED}." Attempted failover' + " to others" * 20,
    ],
)
def test_the_error_of_a_queue_is_not_cut_where_it_tells(error: str) -> None:
    hop = "contoso-mail-onmicrosoft-com.mail.protection.outlook.com"
    shown = "\n".join(one("fine", mail(("mail.queue", "unknown"), error=error, hop=hop), accepted=FINE))
    assert f"40 messages wait for {hop}: 451 4.4." in shown
    assert DROPPED in shown


def test_servers_that_could_not_be_read() -> None:
    shown = told(DROPPED, ex01=Server(gone()), ex02=Server(failed()), ex03=Server(verified("fine", FINE), mail()))
    assert "answer:  Of the servers that could be read none shows a cause; ex01, ex02 could not be read." in shown
    assert "ex01: UNREACHABLE: connection refused" in shown
    assert "ex02: not read: It did not work: access_denied." in shown
    again = f"""why-mail-stopped.yml -l ex01,ex02 -e '{{"tls12_symptom": "{DROPPED}"}}'"""
    assert shown[-1].endswith(again)
    alone = told(DROPPED, ex01=Server(gone()))
    assert "answer:  No server could be read, so that nothing is known of them." in alone


def test_a_waiver_does_not_turn_tls_on() -> None:
    waived = settings("off", waived=True)
    assert f"answer:  {STANDS}" in told("", ex01=Server(waived, mail()))


def test_what_else_was_pasted_is_told_in_a_line() -> None:
    queues = [f"[{{LED={error}}};{{MSG=}}]" for error in (DROPPED, "451 4.4.0 DNS query failed", "452 4.3.1 Full")]
    shown = told("\n".join(queues), ex01=Server(verified("fine", FINE), mail()))
    assert shown[1].startswith("means: ")
    assert shown[2].startswith("besides: ")
    assert shown[2].endswith("(no matter of TLS), and 1 more")
    servers = {f"ex{number}": Server({**gone(), "msg": f"reason {number}"}) for number in range(20)}
    assert len(told("\n".join(queues), **servers)) <= 10


def test_a_fleet_fits_on_a_screen() -> None:
    servers = {f"ex{number:03}": Server(verified("fine", FINE), mail()) for number in range(500)}
    servers["off01"] = Server(verified("off"), NOT_ASKED)
    shown = told(DROPPED, **servers)
    assert len(shown) <= 6
    assert shown[3].startswith("off01: ")
    assert shown[4].startswith("ex000, ex001, ex002, ex003, ex004, ex005 and 494 more: ")
    waits = {
        f"ex{number}": Server(
            verified("fine", FINE), mail(("mail.queue", "unknown"), logging="None", error=f"421 4.4.2 {number}")
        )
        for number in range(9)
    }
    assert len(told(DROPPED, **waits)) == 10
    many = {f"ex{number}": Server({**gone(), "msg": f"reason {number}"}) for number in range(20)}
    shown = told(DROPPED, **many)
    assert len(shown) == 9
    assert shown[-2].startswith("16 more servers with less: ")


@given(
    st.text(max_size=300),
    st.dictionaries(st.sampled_from(["ex01", "ex02", "ex03"]), st.sampled_from(["off", "fine", "new"])),
)
@examples(40)
def test_any_text_and_any_servers_have_an_answer(text: str, hosts: dict[str, str]) -> None:
    shown = told(text, **{name: Server(verified(how, FINE), mail()) for name, how in hosts.items()})
    assert len([line for line in shown if line.startswith("answer: ")]) == 1
    assert len(shown) <= 10
    assert not any("\n" in line or "\x1b" in line for line in shown)


def test_variables_that_were_refused_are_all_there_is_to_say() -> None:
    """No server was asked: the way to them is as good as before."""
    refused = {"failed": True, "error": {"kind": "bad_option"}, "msg": "Bad variables: there is no variable 'x'."}
    shown = told(DROPPED, ex01=Server(refused), ex02=Server(refused))
    assert shown == [
        "error:   Bad variables: there is no variable 'x'.",
        "next:    give it as the message says, and run the same command again",
    ]
    assert "mend the way to them" in told("", ex01=Server(gone()))[-1]


def test_the_text_goes_into_the_command_that_reads_it_again() -> None:
    assert f'"tls12_symptom": "{DROPPED}"' in told(DROPPED, ex01=Server(gone()))[-1]


def _left_out() -> dict[str, Any]:
    settings = verified("fine")
    left = {"id": "exchange.left_out", "status": "not_applicable", "expected": None, "message": "It is out."}
    return {**settings, "findings": [*settings["findings"], {**settings["findings"][0], **left}]}


def test_a_server_that_was_left_out_of_service_is_the_answer() -> None:
    shown = told(DROPPED, ex01=Server(verified("fine"), mail()), ex02=Server(_left_out(), mail()))
    (answer,) = [line for line in shown if line.startswith("answer: ")]
    assert (
        answer == "answer:  Out of service: ex02. A run that was cut off has left it so, and no mail goes through it."
    )
    (line,) = [line for line in shown if line.startswith("ex02: ")]
    assert "out of service, as a run that was cut off has left it" in line
    assert shown[-1].startswith("next:    ansible-playbook")
    assert "enforce-tls12.yml -l ex02" in shown[-1]
    assert "--check" not in shown[-1]


def test_services_that_mail_needs_and_that_do_not_run() -> None:
    read = verified("fine", accepted=FINE)
    said = "2 services of Exchange that should run do not: MSExchangeTransport, W3SVC. Mail needs MSExchangeTransport."
    like = {"status": "not_applicable", "severity": "medium", "expected": None, "protocol": None, "side": None}
    found = [
        {**read["findings"][0], **like, "id": f"exchange.{name}", "message": message}
        for name, message in (("support_ended", "Support for Exchange 2019 has ended."), ("services", said))
    ]
    stopped = {
        **read,
        "exchange": {"mail_stopped": ["MSExchangeTransport"]},
        "findings": [*read["findings"], *found],
    }
    shown = told(DROPPED, ex01=Server(stopped), ex02=Server(read, mail()))
    assert shown[2] == "answer:  Services that mail needs do not run on ex01."
    assert "; mail needs MSExchangeTransport, which does not run; Support" in shown[3]
    assert f"; {said.removesuffix('.')}; " in f"{shown[3]}; "
    assert shown[-1].startswith("next:    in PowerShell on ex01: Start-Service MSExchangeTransport; where a setup")
    # what an update has to say of others is no cause
    assert "answer:  Services" not in str(told("", ex01=Server({**stopped, "exchange": {"mail_stopped": []}})))


def test_services_that_mail_needs_are_the_answer_however_many_stand_still() -> None:
    """What is said of them all is cut, and the one that counts may come last."""
    read = verified("fine", accepted=FINE)
    said = f"19 services of Exchange that should run do not: {', '.join(f'MSExchangeA{n:02}' for n in range(18))}, Z."
    like = {"status": "not_applicable", "severity": "medium", "expected": None, "protocol": None, "side": None}
    found = {**read["findings"][0], **like, "id": "exchange.services", "message": said}
    needed = ["MSExchangeSubmission", "MSExchangeTransport"]
    stopped = {**read, "exchange": {"mail_stopped": needed}, "findings": [*read["findings"], found]}
    shown = told(DROPPED, ex01=Server(stopped, mail()))
    assert "answer:  Services that mail needs do not run on ex01." in shown
    assert "; mail needs MSExchangeSubmission, MSExchangeTransport, which do not run; 19 services" in shown[3]


def test_ten_lines_are_enough_for_all_at_once() -> None:
    """Several errors, servers that each show something else, one that was left out, and logs that nobody writes."""
    text = "\n".join(f"[{{LED={error}}};{{MSG=}}]" for error in (DROPPED, "451 4.4.0 DNS query failed"))
    waits = {
        f"ex{number}": Server(
            verified("fine", FINE), mail(("mail.queue", "unknown"), logging="None", error=f"421 4.4.2 {number}")
        )
        for number in range(9)
    }
    off = Server(verified("client off"), mail(("mail.queue", "unknown"), logging="None", error="421 4.4.2"))
    for more in ({}, {"out": Server(_left_out(), mail())}, {"out": Server(_left_out(), mail()), "off": off}):
        shown = told(text, **waits, **more)
        assert len(shown) <= 10, shown
        assert [line for line in shown if line.startswith(("first:", "next:"))]


def test_where_it_is_off_on_another_both_are_told() -> None:
    """That one is out does not explain what the text is about; and the other one waits for it."""
    shown = told(DROPPED, ex01=Server(verified("off"), mail()), ex02=Server(_left_out(), mail()))
    assert f"answer:  Most likely this is the cause: {OFF}. Out of service besides: ex02." in shown
    first, then = shown[-2:]
    assert (first[:6], then[:5]) == ("first:", "next:")
    assert "enforce-tls12.yml -l ex02" in first
    assert "enforce-tls12.yml -l ex01 --check" in then


@pytest.mark.parametrize(
    ("text", "answer", "has_logs"),
    [
        (
            "454 4.7.5 The certificate specified in TlsCertificateName of the SendConnector could not be found",
            f"The text is one of a certificate, and {ON}: look at {CONNECTOR}.",
            True,
        ),
        (
            "451 4.4.0 DNS query failed",
            f"The text is no matter of TLS, and {ON}.",
            False,
        ),
    ],
)
def test_what_is_known_of_the_text_is_answered_where_the_servers_show_nothing(
    text: str, answer: str, has_logs: bool
) -> None:
    shown = one("fine", text=text)
    assert f"answer:  {answer}" in shown
    assert any("copy " in line for line in shown) is has_logs


def test_a_pasted_queue_without_an_error_says_so() -> None:
    pasted = "[{LRT=};{LED=};{FQDN=};{IP=}]"
    lines = one("off", text=pasted)
    assert [line for line in lines if line.startswith(("text:", "means:"))] == [
        f"text:    {pasted}",
        "means:   There is no text of an error.",
    ]
    assert not [line for line in one("off", text=" ") if line.startswith(("text:", "means:"))]
