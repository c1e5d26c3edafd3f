# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pypsrp's serializer with our reader in it: the answers that pypsrp loses, and the protocol's own messages."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.clixml import ClixmlError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange.records import Record
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport.clixml import RecordSerializer
from pypsrp.messages import Message, MessageType
from pypsrp.serializer import Serializer

from tests.unit.recordings import entries

from ..exchange import samples
from ..exchange.test_clixml import same

ERROR_STATE = """
<Obj RefId="0"><MS><I32 N="PipelineState">5</I32><Obj N="ExceptionAsErrorRecord" RefId="1"><TN RefId="0">
<T>System.Management.Automation.ErrorRecord</T><T>System.Object</T></TN><ToString>It ended.</ToString>
<MS><S N="FullyQualifiedErrorId">X</S></MS></Obj></MS></Obj>
"""
# Without what pypsrp calls mandatory in an error record.
BARE_ERROR = (
    '<Obj RefId="0"><TN RefId="0"><T>System.Management.Automation.ErrorRecord</T></TN><ToString>Bad.</ToString></Obj>'
)


def unpacked(kind: int, text: str) -> Any:
    """A message of the server, as the fragmenter reads it."""
    head = (1).to_bytes(4, "little") + kind.to_bytes(4, "little") + bytes(32)
    return Message.unpack(head + text.encode(), RecordSerializer()).data


def test_pypsrp_itself_loses_a_reference_into_a_list() -> None:
    with pytest.raises(KeyError):
        Serializer().deserialize(samples.REFERENCE_INTO_A_LIST.strip())


def test_ours_does_not() -> None:
    found = unpacked(MessageType.PIPELINE_OUTPUT, samples.REFERENCE_INTO_A_LIST).data
    assert found.text("SourceIPAddress") == "0.0.0.0"


def test_one_document_knows_nothing_of_the_one_before() -> None:
    serializer = RecordSerializer()
    serializer.deserialize(samples.REFERENCE_INTO_A_LIST)
    with pytest.raises(ClixmlError):
        serializer.deserialize('<Ref RefId="3"/>')


@pytest.mark.parametrize("text", ["", " "])
def test_no_output_at_all(text: str) -> None:
    assert unpacked(MessageType.PIPELINE_OUTPUT, text).data is None


def test_errors_are_records() -> None:
    assert str(unpacked(MessageType.ERROR_RECORD, BARE_ERROR).record) == "Bad."
    state = unpacked(MessageType.PIPELINE_STATE, ERROR_STATE)
    assert state.state == 5
    assert isinstance(state.error_record, Record)
    assert state.error_record.text("FullyQualifiedErrorId") == "X"


@pytest.mark.parametrize("kind", [MessageType.WARNING_RECORD, MessageType.PROGRESS_RECORD, MessageType.VERBOSE_RECORD])
def test_what_is_said_besides_needs_no_certain_form(kind: int) -> None:
    said = unpacked(kind, '<Obj RefId="0"><MS><S N="InformationalRecord_Message">Mind.</S></MS></Obj>')
    assert said.record.text("InformationalRecord_Message") == "Mind."
    assert kind == said.MESSAGE_TYPE


def test_messages_of_the_protocol_stay_as_they_are() -> None:
    said = unpacked(
        MessageType.SESSION_CAPABILITY,
        '<Obj RefId="0"><MS><Version N="protocolversion">2.3</Version><Version N="PSVersion">2.0</Version>'
        '<Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>',
    )
    assert said.protocol_version == "2.3"


def test_a_document_type_is_refused() -> None:
    with pytest.raises(ClixmlError, match="document type"):
        unpacked(MessageType.PIPELINE_OUTPUT, '<!DOCTYPE a [<!ENTITY x "y">]><S>&x;</S>')


@pytest.mark.parametrize("item", entries("objects.json"))
def test_every_recorded_object_comes_out_right(item: dict[str, Any]) -> None:
    """On the wire each object is a message of its own; here one message holds them all, for what they share."""
    text = item["input"].partition(">")[2].rpartition("</Objs>")[0]
    listed = unpacked(MessageType.PIPELINE_OUTPUT, f'<Obj RefId="all"><LST>{text}</LST></Obj>').data
    wanted = item["expected"]["objects"]
    assert len(listed) == len(wanted)
    for record, want in zip(listed, wanted, strict=True):
        values = {**want.get("props", {}), **want.get("members", {})}
        assert [name for name, value in values.items() if not same(record.get(name), value)] == []
