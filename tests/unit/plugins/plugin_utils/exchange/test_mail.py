# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connectors, certificates and queues of a server, and what is said of them."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import (
    certificates,
    clixml,
    connectors,
    mail,
    mail_findings,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.certificates import Certificate
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.mail_findings import MailFinding
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.records import Enum, Record
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.shell import (
    CmdletDenied,
    CmdletNotFound,
    SessionBroken,
    Value,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.laws import examples

from . import samples
from .organisation import queue

CLOUD = "example-com.mail.protection.outlook.com"
GUID = "0292c782-9804-4d8b-ae0e-000000000001"
NOW = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
YEAR = datetime.timedelta(days=365)
MINE = Certificate("AA", "CN=mail.example.com", "CN=CA 1,O=Trust", (), NOW - YEAR, NOW + YEAR, False)
NAME = "<I>CN=CA 1, O=Trust<S>CN=mail.example.com"


def send(**more: Any) -> Record:
    properties = {
        "Identity": Record("To the cloud"),
        "Guid": GUID,
        "Enabled": True,
        "AddressSpaces": [Record("SMTP:*;1")],
        "SmartHosts": [Record(CLOUD)],
        "RequireTLS": True,
        "IgnoreSTARTTLS": False,
        "TlsCertificateName": None,
        "TlsDomain": "",
        "TlsAuthLevel": None,
        "CloudServicesMailEnabled": True,
        "ProtocolLoggingLevel": Enum("Verbose", 1),
        "FrontendProxyEnabled": False,
        "SourceTransportServers": [Record("EX01")],
        **more,
    }
    return Record("To the cloud", ("SmtpSendConnectorConfig",), properties)


def receive(**more: Any) -> Record:
    properties = {
        "Identity": Record(r"EX01\Default Frontend EX01"),
        "Enabled": True,
        "TransportRole": Enum("FrontendTransport", 16384),
        "Bindings": ["[::]:25", "0.0.0.0:25"],
        "AuthMechanism": Enum("Tls, Integrated", 3),
        "RequireTLS": False,
        "TlsCertificateName": None,
        "Fqdn": "EX01.example.com",
        "ProtocolLoggingLevel": Enum("Verbose", 1),
        **more,
    }
    return Record(None, ("ReceiveConnector",), properties)


class Told:
    """Stands where a shell stands, with what each cmdlet returns, or raises."""

    round_trips = 0

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {
            "Get-Queue": [],
            "Get-SendConnector": [send()],
            "Get-ReceiveConnector": [receive()],
            "Get-ExchangeCertificate": [Record(None, (), {"RawData": b"\x30"})],
            "Get-TransportService": [Record(None, (), {"SendProtocolLogPath": Record(r"D:\Send")})],
            **{f"Get-{name}": answer for name, answer in answers.items()},
        }

    def read(self, cmdlet: str, **_parameters: Value) -> list[Record]:
        answer = self.answers[cmdlet]
        if isinstance(answer, Exception):
            raise answer
        found: list[Record] = answer
        return found

    def change(self, cmdlet: str, **_parameters: Value) -> list[Record]:
        raise AssertionError(f"{cmdlet} changes something")

    def close(self) -> None:
        """Nothing is open."""


def found(held: list[Certificate] | None = None, **answers: Any) -> list[MailFinding]:
    view = mail.look(Told(**answers), "EX01.example.com")
    return list(mail_findings.findings(view, [MINE] if held is None else held, "EX01.example.com", NOW))


def ids(items: list[MailFinding]) -> list[str]:
    return [item.id for item in items]


def test_nothing_is_wrong() -> None:
    assert found(SendConnector=[send(TlsCertificateName=Record(NAME))]) == []


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"RequireTLS": False}, ["connector.send_opportunistic"]),
        ({"ProtocolLoggingLevel": Enum("None", 0)}, ["connector.send_not_logged"]),
        ({"IgnoreSTARTTLS": True, "RequireTLS": False}, ["connector.send_ignores_tls"]),
        ({"TlsCertificateName": Record(NAME.replace("mail", "other"))}, ["certificate.not_found"]),
        # of others, or not in use, or not to Exchange Online
        ({"RequireTLS": False, "SourceTransportServers": [Record("EX02")]}, []),
        ({"RequireTLS": False, "Enabled": False}, []),
        ({"RequireTLS": False, "CloudServicesMailEnabled": False, "SmartHosts": [Record("relay.example")]}, []),
        (
            {
                "RequireTLS": False,
                "CloudServicesMailEnabled": None,
                "SmartHosts": [],
                "AddressSpaces": [Record("smtp:example.mail.onmicrosoft.com;1")],
            },
            ["connector.send_opportunistic"],
        ),
        *(
            (
                {
                    "RequireTLS": False,
                    "CloudServicesMailEnabled": False,
                    "SmartHosts": [],
                    "AddressSpaces": [Record(space)],
                },
                expected,
            )
            for space, expected in (
                ("contoso.mail.onmicrosoft.com;1", ["connector.send_opportunistic"]),
                ("contoso.mail.onmicrosoft.com", ["connector.send_opportunistic"]),
                ("SMTP:contoso.mail.onmicrosoft.com", ["connector.send_opportunistic"]),
                ("*.mail.onmicrosoft.com;10", ["connector.send_opportunistic"]),
                ("contoso.mail.onmicrosoft.com.example;1", []),
                ("*;1", []),
            )
        ),
    ],
)
def test_send_connectors(properties: dict[str, Any], expected: list[str]) -> None:
    assert ids(found(SendConnector=[send(**properties)])) == expected


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"AuthMechanism": Enum("Integrated", 2)}, ["connector.receive_no_tls"]),
        ({"AuthMechanism": Enum("BasicAuthRequireTLS", 8)}, ["connector.receive_no_tls"]),
        ({"ProtocolLoggingLevel": Enum("None", 0)}, ["connector.receive_not_logged"]),
        ({"ProtocolLoggingLevel": Enum("None", 0), "Bindings": ["0.0.0.0:2525"]}, []),
        ({"AuthMechanism": Enum("None", 0), "Enabled": False}, []),
    ],
)
def test_receive_connectors(properties: dict[str, Any], expected: list[str]) -> None:
    assert ids(found(ReceiveConnector=[receive(**properties)])) == expected


@pytest.mark.parametrize(
    "space", ["smtp:a.mail.onmicrosoft.com;1", "a.mail.onmicrosoft.com;1", "a.mail.onmicrosoft.com"]
)
def test_address_spaces_that_exchange_online_takes(space: str) -> None:
    connector = connectors.send_connector(send(SmartHosts=[], AddressSpaces=[Record(space)]))
    assert connector.hands_to_exchange_online


def test_a_connector_as_it_comes_over_the_wire() -> None:
    """Also an old one, which does not have all properties."""
    record: Any = clixml.read(samples.REFERENCE_INTO_A_LIST)
    record.put("Identity", "To the cloud")
    connector = connectors.send_connector(record)
    assert (connector.smart_hosts, connector.address_spaces) == (("relay.example",), ())
    assert (connector.require_tls, connector.logs, connector.guid) == (None, None, None)


@pytest.mark.parametrize(
    ("error", "status", "severity", "words"),
    [
        (
            "TLS negotiation failed with error SocketError",
            "noncompliant",
            "high",
            r"of connector 'To the cloud' in D:\Send",
        ),
        ("451 5.7.3 STARTTLS is required to send mail", "unknown", "high", "did not offer STARTTLS"),
        ("421 4.4.2 Connection dropped due to SocketError", "unknown", "medium", r"D:\Send"),
        ("452 4.3.1 Insufficient system resources", "not_applicable", "low", "no matter of TLS"),
    ],
)
def test_queues(error: str, status: str, severity: str, words: str) -> None:
    waiting = queue("3", 2, NextHopDomain=CLOUD, NextHopConnector=GUID.upper(), LastError=f"[{{LED={error}}};{{LRT=}}]")
    (finding,) = found(Queue=[waiting, queue("4", 0, LastError=error), queue("5", 3, LastError=None)])
    assert (finding.id, finding.status.value, finding.severity, finding.about) == (
        "mail.queue", status, severity, r"EX01\3",
    )  # fmt: skip
    assert f"2 messages to {CLOUD}: {error}" in finding.message
    assert words in finding.message


@pytest.mark.parametrize("port", ["475", "2525"])
def test_a_hop_inside_exchange_that_does_not_answer_is_no_matter_of_tls(port: str) -> None:
    error = f"[{{LED=421 4.4.1 Connection timed out}};{{MSG=}};{{IP=10.0.0.2:{port}}}]"
    (finding,) = found(Queue=[queue("3", 2, LastError=error)])
    assert (finding.id, finding.status.value, finding.severity) == ("mail.queue", "not_applicable", "low")
    assert "between services of Exchange" in finding.message


def test_mail_without_a_route_is_in_no_protocol_log() -> None:
    error = "A matching connector cannot be found to route the external recipient"
    (finding,) = found(Queue=[queue("Unreachable", 2, "Unreachable", LastError=error)])
    assert "protocol log" not in finding.message
    assert finding.message.endswith("It has no route, and waits until that changes.")


def test_shadow_copies_and_poison_are_no_mail_that_waits() -> None:
    shadow = queue(r"Shadow\7", 2, "ShadowRedundancy", LastError="421 4.4.2 Connection dropped due to SocketError")
    assert found(Queue=[shadow]) == []


def test_a_front_end_logs_what_it_sends_for_the_hub() -> None:
    error = "421 4.4.2 Connection dropped due to SocketError"
    waiting = queue("3", 1, NextHopDomain=f"[{CLOUD.upper()}]", NextHopConnector=str("0" * 8), LastError=error)
    waiting.put("NextHopConnector", "00000000-0000-0000-0000-000000000000")
    (finding,) = found(Queue=[waiting], SendConnector=[send(FrontendProxyEnabled=True)])
    assert r"of connector 'To the cloud' in %ExchangeInstallPath%TransportRoles\Logs\FrontEnd" in finding.message


def test_what_cannot_be_read() -> None:
    items = found(
        Queue=CmdletDenied("not for you"),
        ReceiveConnector=[Record(None, (), {})],
        ExchangeCertificate=[Record(None, (), {"RawData": None})],
        TransportService=CmdletNotFound("no such cmdlet"),
        TransportServer=[Record(None, (), {"SendProtocolLogPath": 7})],
    )
    assert ids(items) == ["mail.unread"] * 3
    assert {item.about for item in items} == {"Get-Queue", "Get-ReceiveConnector", "Get-ExchangeCertificate"}


def test_a_session_that_breaks_ends_it() -> None:
    with pytest.raises(SessionBroken):
        mail.look(Told(SendConnector=SessionBroken("gone")), "EX01.example.com")


def test_services_of_a_certificate_are_told_where_exchange_tells_them() -> None:
    records = [
        Record(None, (), {"RawData": b"0", "Services": Enum("IIS, SMTP", 24)}),
        Record(None, (), {"RawData": b"0"}),
    ]
    told, untold = mail.look(Told(ExchangeCertificate=records), "EX01").certificates or ()
    assert (told.services, untold.services) == (("IIS", "SMTP"), None)


# --- certificates ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "expected", "words"),
    [
        ([MINE], [], ""),
        ([], ["certificate.not_found"], "which is not on this server."),
        ([Certificate("BB", MINE.subject, "CN=CA 2")], ["certificate.not_found"], "of another issuer: CN=CA 2."),
        ([Certificate("BB", note="unreadable")], ["certificate.not_found"], "was not found among those of this server"),
        (
            [Certificate("BB", MINE.subject, MINE.issuer, (), NOW - 2 * YEAR, NOW - YEAR)],
            ["certificate.dates"],
            "expired",
        ),
        (
            [Certificate("BB", MINE.subject, MINE.issuer, (), NOW + YEAR, NOW + 2 * YEAR)],
            ["certificate.dates"],
            "from 2027",
        ),
        # the newest of that name counts
        ([Certificate("BB", MINE.subject, MINE.issuer, (), NOW - 2 * YEAR, NOW - YEAR), MINE], [], ""),
    ],
)
def test_the_certificate_of_a_connector(held: list[Certificate], expected: list[str], words: str) -> None:
    for answers in ({"SendConnector": [send(TlsCertificateName=Record(NAME))]},
                    {"ReceiveConnector": [receive(TlsCertificateName=Record(NAME))]}):  # fmt: skip
        items = found(held, **answers)
        assert ids(items) == expected
        assert words in "".join(item.message for item in items)


EXPIRED = Certificate("EE", "CN=old.example.com", "CN=CA 1,O=Trust", ("old.example.com",), NOW - 2 * YEAR, NOW - YEAR)
NEWER = Certificate("FF", "CN=other", "CN=CA 2", ("OLD.example.com", "a.example.com"), NOW - YEAR, NOW + YEAR)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ([MINE, EXPIRED], ["certificate.expired"]),
        ([dataclasses.replace(EXPIRED, services=("IIS", "SMTP"))], ["certificate.expired"]),
        # of other services, not in use yet, or not to be read
        ([dataclasses.replace(EXPIRED, services=("IIS",))], []),
        ([dataclasses.replace(EXPIRED, not_before=NOW + YEAR, not_after=NOW + 2 * YEAR)], []),
        ([Certificate("EE", note="unreadable")], []),
        # renewed since
        ([EXPIRED, dataclasses.replace(EXPIRED, thumbprint="FF", not_after=NOW + YEAR)], []),
        ([EXPIRED, dataclasses.replace(NEWER, services=("IIS", "SMTP"))], []),
        # but for other services
        ([EXPIRED, dataclasses.replace(NEWER, services=("IIS",))], ["certificate.expired"]),
        ([EXPIRED, NEWER], []),
        ([EXPIRED, dataclasses.replace(NEWER, not_after=NOW - YEAR)], ["certificate.expired"] * 2),
        ([dataclasses.replace(EXPIRED, names=()), NEWER], ["certificate.expired"]),
    ],
)
def test_a_certificate_that_has_expired_and_that_no_connector_names(
    held: list[Certificate], expected: list[str]
) -> None:
    items = found(held)
    assert ids(items) == expected
    assert {(item.status.value, item.severity) for item in items} <= {("unknown", "low")}
    for item in items:
        assert "No connector of this server names it" in item.message
        assert "has expired on 2025-03-01" in item.message
    assert {item.about for item in items} <= {item.thumbprint for item in held} - {MINE.thumbprint}


def test_a_certificate_that_a_connector_names_is_told_of_once() -> None:
    named = Record("<I>CN=CA 1, O=Trust<S>CN=old.example.com")
    assert ids(found([EXPIRED], SendConnector=[send(TlsCertificateName=named)])) == ["certificate.dates"]
    # as long as it is not known which certificates are named, none is one that is not
    assert ids(found([EXPIRED], ReceiveConnector=CmdletDenied("no"))) == ["mail.unread"]


ROOT = Certificate("R", "CN=Root,O=Trust", "O=Trust, CN=Root", self_signed=True)
MIDDLE = Certificate("M", "CN=CA 1,O=Trust", "CN=Root,O=Trust", self_signed=False)


@pytest.mark.parametrize(
    ("certificate", "others", "chain"),
    [
        (ROOT, [], "self_signed"),
        (MINE, [MIDDLE, ROOT], "complete"),
        (MINE, [ROOT, MIDDLE, EXPIRED], "complete"),
        (MINE, [], "not_held"),
        (MINE, [MIDDLE], "not_held"),
        (MINE, [ROOT], "not_held"),
        # in a circle
        (MINE, [MIDDLE, Certificate("C", "CN=Root,O=Trust", "CN=CA 1,O=Trust", self_signed=False)], "not_held"),
        (Certificate("U", note="unreadable"), [ROOT], None),
        (Certificate("U", "nonsense", "nonsense"), [Certificate("V", "more", "of it", self_signed=True)], "not_held"),
    ],
)
def test_chains(certificate: Certificate, others: list[Certificate], chain: str | None) -> None:
    assert certificates.chain(certificate, [certificate, *others]) == chain


def test_certificates_that_could_not_be_read_are_not_missing() -> None:
    items = found(ExchangeCertificate=CmdletDenied("no"), SendConnector=[send(TlsCertificateName=Record(NAME))])
    view = mail.look(Told(SendConnector=[send(TlsCertificateName=Record(NAME))]), "EX01")
    assert mail_findings.findings(view, None, "EX01", NOW) == ()
    assert "mail.unread" in ids(items)


@pytest.mark.parametrize(
    ("name", "subject", "issuer"),
    [
        ("<I>CN=R3, O=Let's Encrypt, C=US<S>CN=mail.example.com", "CN=mail.example.com", "C=US,O=Let's Encrypt,CN=R3"),
        ('<I>CN=A, O="Trust, Inc."<S>CN=M, S=Oulu', "ST=Oulu,CN=m", r"O=Trust\, Inc.,CN=A"),
        ("<I>E=a@b.c, CN=A<S>CN=M", "CN=M", "CN=A,1.2.840.113549.1.9.1=a@b.c"),
        # extended validation
        (
            "<I>CN=A<S>CN=M, PostalCode=98052, SERIALNUMBER=6, OID.1.3.6.1.4.1.311.60.2.1.3=FI, OID.2.5.4.15=Private",
            "2.5.4.15=Private,1.3.6.1.4.1.311.60.2.1.3=FI,2.5.4.5=6,2.5.4.17=98052,CN=M",
            "CN=A",
        ),
        # a seal of an organisation, and a person
        ("<I>CN=A<S>oid.2.5.4.97=VATFI-1, CN=M", "2.5.4.97=VATFI-1,CN=M", "CN=A"),
        (
            "<I>CN=A<S>SN=Lee, G=Ann, I=A, T=Dr, Description=d",
            "2.5.4.4=Lee,2.5.4.42=Ann,2.5.4.43=A,2.5.4.12=Dr,2.5.4.13=d",
            "CN=A",
        ),
        ("<I>CN=A<S>OID.0.9.2342.19200300.100.1.1=ann, POBox=1, Phone=2", "UID=ann,2.5.4.18=1,2.5.4.20=2", "CN=A"),
        # in quotes a backslash is one
        ('<I>CN=A<S>CN=M, O="B;\\ ""C"""', r"CN=M,O=B\;\\ \"C\"", "CN=A"),
    ],
)
def test_names_in_the_ways_of_windows_and_of_others(name: str, subject: str, issuer: str) -> None:
    held = [Certificate("AA", subject, issuer)]
    assert certificates.named(name, held).certificate == held[0]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "CN=mail.example.com",
        "<I><S>",
        "<I>CN=A<S>OID.1.2.3=x",
        "<I>CN=A<S>X21Address=x",
        "<I>CN=A<S>nonsense",
        "<I>CN=A<S>CN=B+OU=C",
    ],
)
def test_a_name_that_cannot_be_read_is_not_surely_missing(name: str) -> None:
    assert certificates.named(name, [MINE]) == certificates.Match(None, sure=False)


@given(st.text(max_size=200), st.text(max_size=60), st.text(max_size=60))
@examples()
def test_any_name_gives_an_answer(name: str, subject: str, issuer: str) -> None:
    held = [Certificate("AA", subject, issuer)]
    match = certificates.named(name, held)
    assert match.certificate in (None, held[0])


def test_no_bytes_are_no_certificate() -> None:
    view = mail.look(Told(ExchangeCertificate=[Record(None, (), {"RawData": b""})]), "EX01")
    assert view.certificates is None
    assert "without its RawData" in view.unread["Get-ExchangeCertificate"]


@pytest.mark.parametrize(
    ("host", "is_cloud"),
    [
        ("x.mail.protection.outlook.com", True), ("x.mail.protection.office365.us.", True), ("X.MX.Microsoft", True),
        ("x.mail.onmicrosoft.us", True), ("smtp.office365.com", True), ("smtp-legacy.office365.com", True),
        ("xsmtp.office365.com", False), ("www.office365.com", False),
        ("mail.protection.outlook.com.example", False), ("xmx.microsoft", False),
    ],
)  # fmt: skip
def test_the_names_of_exchange_online(host: str, is_cloud: bool) -> None:
    found = connectors.send_connector(send(SmartHosts=[Record(host)], CloudServicesMailEnabled=False))
    assert found.hands_to_exchange_online is is_cloud
