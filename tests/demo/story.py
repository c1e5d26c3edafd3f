# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the mail of a server of the lab: its sessions with Office 365 by its send log, and what waits now."""

from __future__ import annotations

import csv
import itertools
import pathlib
import time
from dataclasses import dataclass
from typing import Any

from tests.lab.client import HostClient

PATIENCE = 15.0
_TOLD = ("TLS negotiation failed with error ", "TLS protocol SP_PROT_")


@dataclass
class Event:
    """A session, or a restart. messages: how many went."""

    at: str
    what: str = ""
    messages: int = 0


def _queue(host: HostClient) -> dict[str, Any]:
    (queue,) = [item for item in host.exchange.queues().values() if "outlook.com" in item["domain"]]
    return queue


def tell(host: HostClient, logs: pathlib.Path) -> None:
    """Prints it, with what happened several times one after the other as one line."""
    restarted = Event(time.strftime("%H:%M:%S", time.gmtime(host.boot_time())), "restarted")
    events = sorted([*sessions(logs / host.name), restarted], key=lambda event: event.at)
    for what, same in itertools.groupby(events, key=lambda event: event.what):
        found = list(same)
        times = f", {len(found)} times" if len(found) > 1 else ""
        messages = sum(event.messages for event in found)
        print(f"   {found[0].at}  {what}{times}{f', {messages} messages sent' if messages else ''}")
    deadline = time.monotonic() + PATIENCE
    while (queue := _queue(host))["messages"] and time.monotonic() < deadline:
        # the last message may just be on its way
        time.sleep(0.1)
    print(f"   now       {queue['messages']} messages wait for {queue['domain']}", flush=True)
    if queue["messages"]:
        raise SystemExit(f"demo: the queue has not drained: {queue}")


def sessions(folder: pathlib.Path) -> list[Event]:
    """In the order in which they began, each with the sentence that its log has on TLS."""
    found: dict[str, Event] = {}
    for file in sorted(folder.glob("Hub/ProtocolLog/SmtpSend/*.LOG")):
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        for stamp, dummy_connector, number, *dummy, data, context in csv.reader(lines):
            event = found.setdefault(number, Event(stamp[11:19]))
            event.messages += data.startswith("BDAT ")
            if context.startswith(_TOLD):
                event.what = context.partition(" using bulk ")[0]
    return list(found.values())
