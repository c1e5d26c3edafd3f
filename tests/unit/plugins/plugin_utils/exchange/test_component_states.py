# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Component states: both forms of their lists, who asked for what, and what is a default."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import UnexpectedAnswer
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import component_states as states
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.component_states import Component, Entry
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.records import Record, RecordError

from .samples import component, entry, words

EARLY = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.timezone.utc)
LATE = datetime.datetime(2026, 3, 2, 10, tzinfo=datetime.timezone.utc)


def read(*records: Record) -> states.Components:
    return states.read(records, "EX01")


def test_entries_as_objects() -> None:
    (found,) = read(component("HubTransport", "Active", entry("Functional", "Active"))).values()
    (said,) = found.local
    assert (said.requester, said.state, found.remote) == ("Functional", "Active", ())
    assert said.moment == datetime.datetime(2026, 3, 1, 10, 0, 0, 123456, datetime.timezone.utc)


def test_entries_as_texts_and_as_objects_without_properties() -> None:
    bare = '<Obj RefId="91"><ToString>Requestor:HealthApi; State:Inactive; Timestamp:27.03.2026 10:00</ToString></Obj>'
    items = words("Maintenance", "Draining") + words("Sidelined", "Inactive", "9/10/2026 10:00:00 AM") + bare
    (found,) = read(component("HubTransport", "Inactive", items)).values()
    assert [(item.requester, item.state) for item in found.local] == [
        ("Maintenance", "Draining"),
        ("Sidelined", "Inactive"),
        ("HealthApi", "Inactive"),
    ]
    # a time is read where day and month cannot be mixed up
    assert [item.moment is None for item in found.local] == [False, True, True]


def test_a_list_that_is_null_or_one_item_alone() -> None:
    record = component("HubTransport", "Active", None, None)
    assert read(record)["hubtransport"].by_default
    record.put("LocalStates", "Requestor:Maintenance; State:Inactive; Timestamp:")
    assert read(record)["HubTransport"].held_by == ("Maintenance",)


def test_names_have_no_case() -> None:
    found = read(component("HubTransport", "Inactive", entry("HealthApi", "Inactive"))).get("HUBTRANSPORT")
    assert found is not None
    assert found.asked("HealthAPI") == found.local[0]
    assert found.asked("Maintenance") is None
    assert list(read(component("HubTransport", "Active"))) == ["HubTransport"]
    with pytest.raises(KeyError):
        read(component("HubTransport", "Active"))["UMCallRouter"]


def test_inactive_that_nobody_asked_for_is_a_default() -> None:
    found = read(
        component("ForwardSyncDaemon", "Inactive"), component("ImapProxy", "Inactive", entry("HealthApi", "Inactive"))
    )
    assert [item.name for item in found.not_active] == ["ImapProxy"]
    assert found["ForwardSyncDaemon"].by_default
    assert not found["ForwardSyncDaemon"].is_held


def test_the_newest_word_counts() -> None:
    local, remote = Entry("Maintenance", "Active", LATE), Entry("maintenance", "Inactive", EARLY)
    assert Component("X", "Active", (local,), (remote,)).asked("MAINTENANCE") == local
    assert Component("X", "Active", (remote,), (local,)).asked("Maintenance") == local
    assert Component("X", "Active", (local,), (remote,)).held_by == ()
    assert Component("X", "Active", (local,), (remote,)).requesters == ("maintenance",)


def test_of_the_same_age_the_local_word_counts_and_of_unsure_ones_inactive() -> None:
    active, inactive = Entry("M", "Active", LATE), Entry("M", "Inactive", LATE)
    assert Component("X", "Active", (active,), (inactive,)).asked("M") == active
    assert Component("X", "Active", (inactive,), (active,)).asked("M") == inactive
    unsure = Entry("M", "Inactive")
    assert Component("X", "Active", (active,), (unsure,)).asked("M") == unsure


def test_who_holds_it() -> None:
    found = Component(
        "HubTransport",
        "Inactive",
        (Entry("Maintenance", "Draining", LATE), Entry("Functional", "Active", LATE)),
        (Entry("Sidelined", "Inactive", LATE),),
    )
    assert found.held_by == ("Sidelined", "Maintenance")
    assert found.is_held


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (component("X", "Sleeping"), "the component X has the state 'Sleeping'"),
        (component("X", "Active", "<S>nothing of the kind</S>"), "has the entry 'nothing of the kind'"),
        (component("X", "Active", words("M", "Asleep")), "has the state 'Asleep'"),
        (component("X", "Active", "<I32>1</I32>"), "has the entry 1"),
        (Record("x", ["T"], {"Component": "X", "State": "Active"}), "the component X has no LocalStates"),
        (Record("x", ["T"], {"Component": None}), "its Component is not set"),
    ],
)
def test_what_is_not_understood_is_said(record: Record, text: str) -> None:
    with pytest.raises(RecordError) as caught:
        read(record)
    assert text in caught.value.message


def test_a_state_that_is_not_known_is_no_error() -> None:
    """Nobody can say that such a component is in service, and for the others it is only told."""
    found = states.read([component("HubTransport", "Unknown"), component("EwsProxy", "unknown")], "EX01")
    assert [(item.state, item.is_held, item.held_by) for item in found.values()] == [("Unknown", True, ())] * 2


def test_no_component_is_no_answer() -> None:
    with pytest.raises(UnexpectedAnswer, match="for EX01 returned nothing"):
        states.read([], "EX01")
