# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether outgoing mail is proven since a restart: what counts as proof, what as a failure, and what as neither."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._judgement.outgoing import outgoing, waiting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow.probe import Probe
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow.sent import Connection
from hypothesis import given
from hypothesis import strategies as st

CLOUD, GUID = "contoso-example.mail.protection.outlook.com", "0292c782-0000-4d8b-ae0e-000000000001"
DROPPED: Mapping[str, str] = types.MappingProxyType(
    {"tls": "perhaps", "text": "421 4.4.2 Connection dropped due to SocketError"}
)
AWAY = {"tls": "no", "text": "421 4.4.0 Primary target IP address responded with PRX4"}
CONNECTOR: dict[str, Any] = {
    "identity": "To Office 365",
    "guid": GUID,
    "to_exchange_online": True,
    "require_tls": True,
    "ignore_starttls": False,
    "smart_hosts": [CLOUD],
    "hands_to_exchange_online": True,
    "front_end": False,
}
OTHER: dict[str, Any] = {
    **CONNECTOR, "identity": "To a partner", "guid": "1", "smart_hosts": ["mx.partner.example"],
    "to_exchange_online": False, "hands_to_exchange_online": False,
}  # fmt: skip
LEFT = ("smarthostconnectordelivery", CLOUD, GUID)


def queue(
    messages: int, symptom: Mapping[str, str] | None = DROPPED, hop: str = CLOUD, name: str = "3", **more: Any
) -> dict[str, Any]:
    return {
        "identity": f"EX01\\{name}", "delivery_type": "SmartHostConnectorDelivery", "next_hop": hop,
        "messages": messages, "connector": GUID, "symptom": symptom, **more,
    }  # fmt: skip


def mail(*queues: dict[str, Any], **connector: Any) -> dict[str, Any]:
    return {"queues": list(queues), "send_connectors": [{**CONNECTOR, **connector}, OTHER]}


def sent(time: str = "10", version: str | None = "TLS 1.2", failure: str | None = None, **more: Any) -> Connection:
    return Connection(
        f"2026-01-05T09:{time}:00.000Z", more.pop("by", "To Office 365"), "192.0.2.9", version, failure, **more
    )


# --- the send log ----------------------------------------------------------------------------------------------------


def test_connections_to_exchange_online_are_proof() -> None:
    found = outgoing(None, mail(), [sent("10"), sent("11")])
    assert (found.word, found.by) == ("proven", ("send_log",))
    assert found.sentence == (
        "the send log shows 2 connections since the restart, the last at 09:11:00 UTC to 192.0.2.9 by 'To Office 365' "
        "with TLS 1.2"
    )


@pytest.mark.parametrize(
    "connection",
    [
        sent(version="TLS 1.0"),
        sent(version="unknown"),
        sent(version=None),
        sent(inside=True),
        sent(by="To a partner"),
    ],
)
def test_others_are_none(connection: Connection) -> None:
    assert outgoing(None, mail(), [connection]).word == "open"


@pytest.mark.parametrize("after", [None, {"queues": None, "send_connectors": None}, mail(to_exchange_online=False)])
def test_where_connectors_are_not_known_any_other_server_is_proof_and_none_a_failure(after: Any) -> None:
    """The Client side of Windows is one for all that it connects to; who fails may be anybody."""
    assert outgoing(None, after, [sent(by="Whatever")]).word == "proven"
    assert outgoing(None, after, [sent("10"), sent("11", None, "UnknownCredentials", by="Else")]).word == "proven"
    assert outgoing(None, after, [sent("11", None, "SocketError", by="Else")]).word == "open"


def test_nobody_knows_the_name_under_which_a_front_end_logs() -> None:
    shown = [sent("10", by="Outbound Proxy Frontend EX01"), sent("11", None, "SocketError")]
    assert outgoing(None, mail(front_end=True), shown).word == "proven"


def test_connections_that_fail_in_a_row_are_a_failure() -> None:
    found = outgoing(None, mail(), [sent("10"), sent("11", None, "SocketError"), sent("12", None, "SocketError")])
    assert (found.word, found.by) == ("failing", ())
    assert found.sentence == (
        "the last 2 connections of the send log by 'To Office 365', at 09:12:00 UTC to 192.0.2.9, "
        "failed with SocketError"
    )
    assert outgoing(None, mail(), [sent("11", None, "SocketError")]).sentence.startswith("the last connection of the")
    assert outgoing(None, mail(), [sent("10", None, "SocketError"), sent("11")]).word == "proven"


@pytest.mark.parametrize("failure", ["SocketError", "ended", "refused"])
def test_one_of_many_is_none(failure: str) -> None:
    """The other side may have hung up, or been busy."""
    assert outgoing(None, mail(), [sent("10"), sent("11"), sent("12", None, failure)]).word == "proven"
    assert outgoing(None, mail(), [sent("10"), sent("11", None, "ended"), sent("12", None, "ended")]).word == "proven"


# --- queues ----------------------------------------------------------------------------------------------------------


def left(before: Any, after: Any) -> Any:
    """Two looks that show the same."""
    return outgoing(before, after, left_before=outgoing(before, after).left)


def test_mail_that_has_left_by_a_connector_that_demands_tls_is_proof() -> None:
    found = left(mail(queue(40)), mail(queue(0, None, name="7")))
    assert (found.word, found.by) == ("proven", ("queue",))
    assert found.sentence == f"40 messages that waited for {CLOUD} left by a connector that demands TLS"
    assert [item.messages for item in found.drained] == [40]
    assert left(mail(queue(40)), mail()).word == "proven", "an empty queue goes away after a while"


def test_one_look_may_come_before_the_queues_are_loaded() -> None:
    found = outgoing(mail(queue(40)), mail())
    assert (found.word, found.left) == ("open", {LEFT})
    assert found.sentence == f"not proven: 40 messages that waited for {CLOUD} left, by one look"
    submission = queue(5, None, "Submission", delivery_type="Submission", connector=None)
    assert left(mail(queue(5)), mail(submission)).drained == ()


@pytest.mark.parametrize(
    "connector",
    [{"require_tls": False}, {"require_tls": None}, {"ignore_starttls": True}],
)
def test_otherwise_it_may_have_left_in_plain_text(connector: dict[str, Any]) -> None:
    found = left(mail(queue(1), **connector), mail(**connector))
    assert found.word == "open"
    assert found.sentence == f"not proven: 1 message that waited for {CLOUD} left, perhaps in plain text"


def test_mail_that_waits_as_before() -> None:
    found = outgoing(mail(queue(40)), mail(queue(42, name="9")))
    assert (found.word, found.begun, found.drained) == ("open", (), ())
    assert found.sentence == (
        f"not proven: 42 messages wait for {CLOUD}: 421 4.4.2 Connection dropped due to SocketError as before"
    )


def test_mail_that_has_begun_to_wait_is_a_failure() -> None:
    found = outgoing(mail(), mail(queue(1)))
    assert found.word == "failing"
    assert found.sentence.startswith(f"since the restart 1 message waits for {CLOUD}: 421 4.4.2")
    assert outgoing(mail(), mail(queue(1)), [sent()]).word == "proven", "a connection that is seen says more"


@pytest.mark.parametrize("before", [None, {}, {"asked": False}, {"queues": None, "send_connectors": [CONNECTOR]}])
def test_what_nobody_has_seen_before_may_have_waited_all_along(before: Any) -> None:
    found = outgoing(before, mail(queue(1)))
    assert (found.word, found.begun) == ("open", ())
    assert found.sentence == f"not proven: 1 message waits for {CLOUD}: 421 4.4.2 Connection dropped due to SocketError"


@pytest.mark.parametrize(
    "other",
    [
        queue(5, AWAY),
        queue(2, None, "db01"),
        queue(1, hop="dead.example", connector="1"),
        queue(1, hop="dead.example", connector=None),
        queue(9, hop="ex02", delivery_type="ShadowRedundancy", connector=None),
        queue(3, hop="site", delivery_type="SmtpRelayToMailboxDeliveryGroup", connector=None),
    ],
)
def test_mail_to_others_and_errors_of_the_moment_are_blamed_on_nothing(other: dict[str, Any]) -> None:
    """While servers are restarted in turn, a front end does not reach its transport."""
    found = outgoing(mail(), mail(other))
    assert (found.word, found.waiting, found.begun) == ("open", (), ())
    assert left(mail(other), mail()).word == "open"


def test_a_gateway_before_the_cloud_is_not_the_cloud() -> None:
    gateway = {"hands_to_exchange_online": False, "smart_hosts": ["gateway.example"]}
    assert left(mail(queue(4), **gateway), mail(**gateway)).word == "open"


def test_a_queue_without_the_name_of_its_connector_is_known_by_its_next_hop() -> None:
    assert left(mail(queue(4, connector=None)), mail()).by == ("queue",)


def test_mail_that_waits_for_another_reason_now_has_not_left() -> None:
    found = outgoing(mail(queue(40)), mail(queue(40, AWAY)))
    assert (found.word, found.drained) == ("open", ())


def test_queues_that_cannot_be_read_have_not_drained() -> None:
    assert outgoing(mail(queue(40)), {"queues": None, "send_connectors": [CONNECTOR]}).drained == ()
    assert outgoing(mail(queue(40)), None).drained == ()


# --- the mail of ours ------------------------------------------------------------------------------------------------


def test_the_mail_of_ours_is_the_strongest_proof() -> None:
    found = outgoing(None, mail(), [sent("10"), sent("11", has_message=True)], Probe("<1@here>"))
    assert found.by == ("probe", "send_log")
    assert found.sentence.startswith("a mail of ours was taken at 09:11:00 UTC by 192.0.2.9 with TLS 1.2; the send log")


def test_the_mail_of_ours_that_is_not_seen_or_not_taken() -> None:
    assert outgoing(None, mail(), [], Probe("<1@here>")).notes == (
        "The mail of ours <1@here> was taken by the server, and no send log shows how it left.",
    )
    (note,) = outgoing(None, mail(), None, Probe("<1@here>", "550 5.7.54 Unable to relay", of_mailbox=True)).notes
    assert note.startswith("The server did not take the mail of ours: 550 5.7.54 Unable to relay. Name an address in")
    (note,) = outgoing(None, mail(), None, Probe("<1@here>", "Connection refused")).notes
    assert note == "The mail of ours could not be handed to the server: Connection refused."
    inside = outgoing(None, mail(), [sent(has_message=True, inside=True)], Probe("<1@here>"))
    assert inside.word == "open"


# --- laws ------------------------------------------------------------------------------------------------------------

QUEUES = st.builds(
    queue, st.integers(0, 9), st.sampled_from([None, DROPPED, AWAY]), st.sampled_from([CLOUD, "mx.example"])
)
MAILS = st.one_of(
    st.none(), st.builds(mail, QUEUES), st.builds(mail), st.just({"queues": None, "send_connectors": None})
)
SENT = st.builds(
    Connection,
    st.integers(10, 59).map(lambda minute: f"2026-01-05T09:{minute}:00.000Z"),
    st.sampled_from(["To Office 365", "To a partner"]),
    st.just("192.0.2.9"),
    st.sampled_from([None, "TLS 1.0", "TLS 1.2", "TLS 1.3"]),
    st.sampled_from([None, "SocketError"]),
    st.booleans(),
    st.booleans(),
)
LOGS = st.one_of(st.none(), st.lists(SENT, max_size=4).map(lambda found: sorted(found, key=lambda item: item.time)))


@given(MAILS, MAILS, LOGS, st.sampled_from([None, Probe("<1@here>"), Probe("<1@here>", "550 no")]))
def test_proven_means_that_something_proves_it(before: Any, after: Any, log: Any, probe: Probe | None) -> None:
    found = outgoing(before, after, log, probe, left_before=outgoing(before, after).left)
    assert (found.word == "proven") == bool(found.by)
    assert set(found.begun) <= set(found.waiting)
    assert not set(found.drained) & set(found.waiting)
    assert {item.next_hop for item in found.drained} <= {item.next_hop for item in waiting(before).values()}
    if found.word == "proven" and "queue" not in found.by:
        assert any(item.is_proof and not item.inside for item in log)
    assert found.sentence
    assert found.sentence == found.sentence.rstrip(". ")
