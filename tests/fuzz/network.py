# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets: what comes from a host, from Exchange and from whatever listens on a port."""

from __future__ import annotations

import contextlib
import http.client
import io
import types
from typing import Any

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import ExchangeTlsError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import (
    builds,
    certificates,
    clixml,
    component_states,
    copies,
    groups,
    installed,
    mail,
    mail_findings,
    readiness,
    shell,
    view,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.certificates import Certificate
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.records import Record
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._certificate import read_certificate
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._dialogue import Conversation, Starttls
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._flight import FlightParser
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._handshake._words import Ending, TlsVersion
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.strays.names import (
    is_foreign,
    may_be_a_word,
    recognize,
    side_of,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel import cipher_suites, names, values
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._text import utc_text
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport import cmdlet_errors, explain
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport.answer import TooMuch, decoded, receive
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport.line import body_of
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows import cluster, facts, services, updates
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._windows.registry import Registry
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire import soap, wmi, xml

from . import given

_KEY, _NAME = r"SYSTEM\Fuzz", "Enabled"


def read_xml(data: bytes) -> None:
    root = xml.parse(data)
    for item in root.iter():
        xml.local_name(item), xml.text(item), xml.is_nil(item)
    list(xml.descendants(root, "Body"))


def http_answer(data: bytes) -> None:
    """A whole answer; and a body with the headers that tell its encoding and when to come again: one line each, before
    a blank one."""
    with contextlib.suppress(http.client.HTTPException, TooMuch):
        decoded(receive(io.BytesIO(data)))
    head, dummy, body = data.partition(b"\n\n")
    kind, dummy, retry_after = head.decode("latin-1").partition("\n")
    document = body_of(types.SimpleNamespace(content=body, headers={"Content-Type": kind}))
    soap.describe(document), soap.instead(document), soap.is_web_page(document)
    with given.refusals():
        cmdlet_errors.safe(lambda: body)
    for status in (400, 404, 500, 502, 503):
        explain.of_status(status, document, "asking", retry_after)


def soap_answer(data: bytes) -> None:
    soap.open_answer(data, message_id=given.ID, doing="asking")


def wmi_objects(data: bytes) -> None:
    with given.refusals():
        _every_question(wmi.get(given.session(data), "Win32_Thing"))
    with given.refusals():
        for item in wmi.query(given.session(data), "SELECT * FROM Win32_Thing"):
            _every_question(item)
    wmi.invoke(given.session(data), "Win32_Thing", "Do", {}, doing="doing", repeatable=True)


def _every_question(item: wmi.Instance) -> None:
    for name in item:
        item.string(name), item.strings(name)
        for ask in (item.integer, item.integers, item.boolean, item.datetime):
            with given.refusals():
                ask(name)


def wmi_datetime(data: bytes) -> None:
    text = given.text(data)
    updates.parse_day(text, given.NOW.date())
    moment = wmi.parse_datetime(text)
    utc_text(moment)
    for later in (given.NOW, moment):
        facts.booted_again(moment, later)
        facts.restarted_since(facts.Moment(moment, later), facts.Moment(later, moment))


def windows(data: bytes) -> None:
    """All that is read of a host in one go."""
    with given.refusals():
        system = facts.read_operating_system(given.session(data))
        facts.now_on(system), facts.today_on(system)
        facts.restarted_within(system, system, 60)
    registry = Registry(given.session(data))
    with given.refusals():
        facts.read_host(given.session(data), registry).as_result()
    with given.refusals():
        services.find(given.session(data), ["MSExchange*"])
    with given.refusals():
        cluster.read(given.session(data), Registry(given.session(data))).not_up("EX01")
    with given.refusals():
        found = updates.read(given.session(data), Registry(given.session(data)), given.NOW.date(), ccm=True)
        found.as_result(given.NOW.date())
    with given.refusals():
        exchange = installed.read(given.session(data), Registry(given.session(data)))
        if exchange is not None:
            exchange.as_result()
    installed.site(Registry(given.session(data)))


def registry_values(data: bytes) -> None:
    for kind in Type:
        with given.refusals():
            value = Registry(given.session(data)).get(_KEY, _NAME, kind)
            if value is not None:
                str(value), value.as_result(), values.unrestorable(_NAME, value)
                assert values.unrestorable(_NAME, value) or Value.from_result(value.as_result()) == value
    with given.refusals():
        Registry(given.session(data)).value_types(_KEY)
    Registry(given.session(data)).subkeys(_KEY)


def registry_names(data: bytes) -> None:
    """A name of a key or a value that somebody has made up."""
    text = given.text(data)
    recognize(text), side_of(text), is_foreign(text), may_be_a_word(text)
    names.fold(text), values.show(text, text), values.unsendable(text), cipher_suites.nearest(text[:200])


def read_clixml(data: bytes) -> None:
    found = clixml.read(data)
    for item in found if isinstance(found, list) else [found]:
        if isinstance(item, Record):
            str(item), repr(item)
            for name in item:
                for ask in (item.text_or_none, item.integer_or_none, item.flag_or_none, item.moment_or_none):
                    with given.refusals():
                        ask(name)
                for ask_more in (item.names_or_none, item.items, item.record, item.text):
                    with given.refusals():
                        ask_more(name)


def cmdlets(data: bytes) -> None:
    """What the cmdlets return, as it is judged."""
    for record in given.records(data.partition(given.BETWEEN)[0]):
        for read in (copies.of_record, groups.of_record):
            with given.refusals():
                read(record).as_result()
        shell.failed("Get-Queue", [record, record], "EX01").as_result()
    with given.refusals():
        seen = mail.look(given.shell(data), "EX01")
        held = [_of(item.der) for item in seen.certificates or ()]
        for finding in mail_findings.findings(seen, held, "EX01", given.NOW):
            finding.as_result()
    seen_too = view.look(given.shell(data), "EX01")
    readiness.obstacles(seen_too, None), readiness.remarks(seen_too)


def _of(der: bytes) -> Certificate:
    facts_of = read_certificate(der)
    return Certificate(
        facts_of.thumbprint, facts_of.subject, facts_of.issuer, facts_of.sans, facts_of.not_before, facts_of.not_after
    )


def components(data: bytes) -> None:
    """Entries that come as texts: state in the first line."""
    state, *entries = given.text(data).split("\n")
    said: Any = entries if len(entries) != 1 else entries[0]
    record = Record(None, (), {"Component": "HubTransport", "State": state, "LocalStates": said, "RemoteStates": said})
    found = component_states.read([record], "EX01")
    list(found.not_active)
    for component in found.values():
        component.asked("Maintenance"), component.is_held


def versions_and_names(data: bytes) -> None:
    text = given.text(data)
    version = builds.parse(text)
    if version is not None:
        found = builds.identify(version)
        assert found.name
        repr((found.newest, found.supported, found.has_tls12, found.does_without_old_tls))
    held = [Certificate(None, subject=text, issuer=text)]
    certificates.named(text, held), certificates.named(f"<I>{text}<S>{text}", held)


def tls_flight(data: bytes) -> None:
    """In one piece, byte by byte at its beginning, and cut off in each way."""
    for version in TlsVersion:
        parser = FlightParser(version)
        whole = parser.feed(data) or parser.end(Ending.CLOSE)
        pieces = FlightParser(version)
        for at in range(min(len(data), 64)):
            pieces.feed(data[at : at + 1])
        pieces.feed(data[64:])
        assert pieces.end(Ending.CLOSE).answer is whole.answer
        for ending in Ending:
            cut_off = FlightParser(version)
            cut_off.feed(data[: len(data) // 2])
            cut_off.end(ending)


def tls_certificate(data: bytes) -> None:
    found = read_certificate(data)
    found.days_left(given.NOW), found.matches("mail.example.com")


def starttls(data: bytes) -> None:
    for protocol in Starttls:
        talk = Conversation(protocol, "[192.0.2.1]")
        for piece in (data[:10], data[10:100], data[100:]):
            talk.feed(piece)
        if not talk.ready:
            talk.end(Ending.RESET)
        assert talk.over


ERRORS = (ExchangeTlsError,)
