# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""pypsrp's serializer, with what comes back read by ours.

pypsrp 0.9.1 leaves a list whose type it does not know as XML text, so that a reference into it (the smart host of a
Send connector, the members of a DAG) loses the whole answer with a KeyError; jborean93/pypsrp#155 tells of the same.
"""

from __future__ import annotations

import typing as t

from .._exchange import clixml

try:
    from pypsrp import messages
    from pypsrp.serializer import Serializer

    # What a cmdlet says beside its objects. pypsrp wants properties in them that not every version of PowerShell sends.
    _SAID: tuple[type, ...] = (
        messages.ErrorRecordMessage,
        messages.WarningRecord,
        messages.VerboseRecord,
        messages.DebugRecord,
        messages.InformationRecord,
        messages.ProgressRecord,
    )
except ImportError:  # pypsrp is optional, and without it nothing here is ever made
    Serializer = object  # type: ignore[misc, assignment]
    _SAID = ()

# The error with which a pipeline or a pool ended, inside the message of its state.
_LAST_ERROR = "ExceptionAsErrorRecord"


class Said:
    """One message of those: ``record`` holds what it says."""

    def __init__(self, message_type: int, record: t.Any) -> None:
        # by which pypsrp finds the stream that it belongs to
        self.MESSAGE_TYPE = message_type
        self.record = record


class RecordSerializer(Serializer):
    """Output and errors become ``Record`` and plain Python; the protocol's own messages stay pypsrp's.

    It belongs to a pool **and** to the pool's fragmenter, which reads what comes.
    """

    def deserialize(self, element: t.Any, metadata: t.Any = None, clear: bool = True) -> t.Any:
        """Raises ``clixml.ClixmlError``. Text is parsed here: pypsrp would accept a document type."""
        if isinstance(element, (str, bytes)):
            if not element.strip():
                return None
            element = clixml.parse(element)
        if metadata is None or metadata.name == _LAST_ERROR:
            # one document has one reader, but an error inside a state refers to nothing outside of it
            return clixml.Reader().value(element)
        if metadata.object in _SAID:
            return Said(metadata.object.MESSAGE_TYPE, clixml.Reader().value(element))
        return super().deserialize(element, metadata, clear)
