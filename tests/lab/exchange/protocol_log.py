# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP protocol logs, as files in the layout of Exchange 2013 and newer."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .sessions import CLIENT, NOBODY, SERVER, Attempt, Dialogue

SEND, RECEIVE = "Send", "Receive"
#: Which end of a session writes the log.
_OURS = {SEND: CLIENT, RECEIVE: SERVER}
_NAMES = {SEND: "SEND", RECEIVE: "RECV"}
_RIGHTS = {SEND: "SendRoutingHeaders", RECEIVE: "SMTPSubmit SMTPAcceptAnySender AcceptRoutingHeaders"}
_FIELDS = "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context"
# Seconds from one line of a session to the next.
_STEP = 0.002
# Session ids are .NET's ticks: of 100 ns, since the year 1.
_TICKS, _YEAR_1_TO_1970 = 10_000_000, 62_135_596_800


@dataclass(frozen=True)
class Ends:
    """The connector of a session, and the addresses with ports."""

    connector: str
    local: str
    remote: str


class ProtocolLog:
    """The log of one direction in one folder. A file is for an hour; a service that starts begins another one."""

    def __init__(self, folder: Path, direction: str) -> None:
        self.folder = folder
        self._direction = direction
        self._path = folder
        self._hour = ""
        self._session = 0

    def begin(self) -> None:
        """The service starts."""
        self._hour, self._session = "", 0

    def write(self, ends: Ends, attempt: Attempt, dialogue: Dialogue) -> float:
        """Adds a session, and returns when it ended."""
        moment = dialogue.at
        self._session = self._session + 1 if self._session else int((moment + _YEAR_1_TO_1970) * _TICKS)
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\r\n")
        local = ""
        for sequence, (event, data, context) in enumerate(self._events(attempt, dialogue)):
            moment = dialogue.at + sequence * _STEP
            # there is no local end before the connection
            local = ends.local if event == "+" else local
            number = f"{self._session:016X}"
            rows.writerow([_stamp(moment), ends.connector, number, sequence, local, ends.remote, event, data, context])
        self._append(dialogue.at, moment, text.getvalue())
        return moment + _STEP

    def _events(self, attempt: Attempt, dialogue: Dialogue) -> Iterator[tuple[str, str, str]]:
        ours = _OURS[self._direction]
        rights = ("*", _RIGHTS[self._direction], "Set Session Permissions")
        if self._direction == SEND:
            yield from (rights, ("*", "", "attempting to connect"), ("+", "", ""))
        else:
            yield from (("+", "", ""), rights)
        for who, data, context in dialogue.said(attempt, ours):
            yield "*" if who == NOBODY else ">" if who == ours else "<", data, context
        yield "-", "", "Local"

    def _append(self, begun: float, ended: float, text: str) -> None:
        hour = _utc(begun).strftime("%Y%m%d%H")
        header = ""
        if hour != self._hour:
            self.folder.mkdir(parents=True, exist_ok=True)
            name = f"{_NAMES[self._direction]}{hour}-"
            self._hour = hour
            self._path = self.folder / f"{name}{len(list(self.folder.glob(f'{name}*'))) + 1}.LOG"
            lines = (
                "#Software: Microsoft Exchange Server",
                "#Version: 15.0.0.0",
                f"#Log-type: SMTP {self._direction} Protocol Log",
                f"#Date: {_stamp(ended)}",
                f"#Fields: {_FIELDS}",
            )
            header = "".join(f"{line}\r\n" for line in lines)
        with self._path.open("ab") as file:
            file.write((header + text).encode())


def _utc(moment: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)


def _stamp(moment: float) -> str:
    return _utc(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")
