# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Whether outgoing mail is proven to go with TLS 1.2 since a restart, and what says so. Pure.

No handshake from the controller meets the Client side. What does: connections to Exchange Online in the send log, mail
that waited and has left by a connector that demands TLS, and a mail of our own that is seen in the log.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._mailflow import meanings
from .._mailflow.probe import Probe
from .._mailflow.sent import Connection
from .._text import NAME, visible
from .mail_words import BY_LOG, BY_PROBE, BY_QUEUE, FAILING, OPEN, PROVEN

Result = t.Mapping[str, t.Any]

# A last error that TLS may be the cause of.
_OF_TLS = frozenset({meanings.YES, meanings.LIKELY, meanings.PERHAPS})
_LONGEST = 160


@dataclasses.dataclass(frozen=True)
class Waiting:
    """Mail that waits after an error that TLS may be the cause of, by where it goes. ``error``: the last one."""

    next_hop: str
    messages: int
    error: str
    connector: str | None

    def as_result(self) -> dict[str, t.Any]:
        return {"next_hop": self.next_hop, "messages": self.messages, "last_error": self.error}


@dataclasses.dataclass(frozen=True)
class Outgoing:
    """``by``: what proves it, of the words above. ``drained``: mail that waited and has left; ``waiting``: what waits
    now; ``begun``: those of it that did not wait before. ``notes``: what a person should know."""

    word: str
    sentence: str
    by: tuple[str, ...] = ()
    drained: tuple[Waiting, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    begun: tuple[Waiting, ...] = ()
    notes: tuple[str, ...] = ()

    def as_result(self) -> dict[str, t.Any]:
        return {
            "word": self.word,
            "sentence": self.sentence,
            "by": list(self.by),
            "drained": [item.as_result() for item in self.drained],
            "waiting": [item.as_result() for item in self.waiting],
            "begun": [item.as_result() for item in self.begun],
            "notes": list(self.notes),
        }


def outgoing(
    before: Result | None,
    after: Result | None,
    sent: t.Sequence[Connection] | None = None,
    probe: Probe | None = None,
    notes: t.Sequence[str] = (),
) -> Outgoing:
    """``before``, ``after``: results of mail_flow_info, None where Exchange was not asked. ``sent``: what the send log
    shows since the restart, None where there is none. ``probe``: the mail of ours, where one was sent."""
    waited, waits = waiting(before), waiting(after)
    held = _holding(after)
    drained = [] if held is None else [waited[key] for key in waited.keys() - held]
    begun = [waits[key] for key in waits.keys() - waited.keys()]
    shown = _of_log(sent, _to_cloud(after))
    proofs = {
        BY_PROBE: _by_probe(sent, probe),
        BY_LOG: _by_log(shown),
        BY_QUEUE: _by_queue(drained, after),
    }
    by = tuple(name for name, sentence in proofs.items() if sentence)
    told = [*notes, *_of_probe(probe, by), *_plain(drained, by)]
    if failure := _failing(shown, begun):
        word, sentence, by = FAILING, failure, ()
    elif by:
        word, sentence = PROVEN, "; ".join(proofs[name] for name in by)
    elif waits:
        word, sentence = OPEN, f"not proven: {_all(waits.values())} as before"
    else:
        word, sentence = OPEN, "not proven: nothing was seen to leave yet"
    return Outgoing(word, sentence, by, _ordered(drained), _ordered(waits.values()), _ordered(begun), tuple(told))


def waiting(mail: Result | None) -> dict[tuple[str, str], Waiting]:
    """The queues of a result of mail_flow_info whose mail waits after an error that TLS may be the cause of."""
    found: dict[tuple[str, str], Waiting] = {}
    for queue in (mail or {}).get("queues") or ():
        symptom = queue.get("symptom") or {}
        if queue.get("messages") and symptom.get("tls") in _OF_TLS:
            found[_key(queue)] = Waiting(
                str(queue["next_hop"]), int(queue["messages"]), str(symptom.get("text") or ""), queue.get("connector")
            )
    return found


def _key(queue: Result) -> tuple[str, str]:
    """A queue gets another name when transport starts again, so it is known by where it leads."""
    return str(queue["delivery_type"]).casefold(), str(queue["next_hop"]).casefold()


def _holding(mail: Result | None) -> set[tuple[str, str]] | None:
    """The queues that hold mail; None where they could not be read."""
    queues = (mail or {}).get("queues")
    return None if queues is None else {_key(queue) for queue in queues if queue.get("messages")}


# --- what the log shows ----------------------------------------------------------------------------------------------


def _to_cloud(mail: Result | None) -> frozenset[str] | None:
    """The names of the connectors to Exchange Online; None where they are not known."""
    connectors = (mail or {}).get("send_connectors")
    if connectors is None:
        return None
    return frozenset(str(item["identity"]).casefold() for item in connectors if item["to_exchange_online"])


def _of_log(sent: t.Sequence[Connection] | None, cloud: frozenset[str] | None) -> list[Connection]:
    """The connections that tell: those to Exchange Online, where its connectors are known; else all to others."""
    outside = [item for item in sent or () if not item.inside and (item.version or item.failure)]
    return [item for item in outside if not cloud or item.connector.casefold() in cloud]


def _by_log(shown: t.Sequence[Connection]) -> str:
    good = [item for item in shown if item.is_proof]
    if not good:
        return ""
    last = good[-1]
    count = f"{len(good)} connection{'' if len(good) == 1 else 's'}"
    return (
        f"the send log shows {count} since the restart, the last at {last.time[11:19]} UTC to "
        f"{visible(last.peer, NAME)} by '{visible(last.connector, NAME)}' with {last.version}"
    )


def _failing(shown: t.Sequence[Connection], begun: t.Sequence[Waiting]) -> str:
    if shown and shown[-1].failure is not None:
        last = shown[-1]
        return (
            f"the last connection of the send log, at {last.time[11:19]} UTC to {visible(last.peer, NAME)} by "
            f"'{visible(last.connector, NAME)}', failed with {visible(last.failure or '', NAME)}"
        )
    if begun and not any(item.is_proof for item in shown):
        return f"since the restart {_all(begun)}"
    return ""


# --- what queues and the mail of ours show ---------------------------------------------------------------------------


def _demands_tls(item: Waiting, after: Result | None) -> bool:
    """Whether it went by a connector to Exchange Online that sends nothing in plain text."""
    for connector in (after or {}).get("send_connectors") or ():
        by_guid = item.connector is not None and str(connector["guid"]).casefold() == item.connector.casefold()
        if by_guid and connector["to_exchange_online"]:
            return bool(connector["require_tls"]) and not connector["ignore_starttls"]
    return False


def _by_queue(drained: t.Sequence[Waiting], after: Result | None) -> str:
    left = [item for item in drained if _demands_tls(item, after)]
    if not left:
        return ""
    return f"{_count(left)} that waited for {_hops(left)} left by a connector that demands TLS"


def _plain(drained: t.Sequence[Waiting], by: t.Collection[str]) -> t.Iterator[str]:
    if drained and not by:
        yield (
            f"{_count(drained)} that waited for {_hops(drained)} left, perhaps in plain text: no connector to Exchange "
            "Online that demands TLS had it."
        )


def _by_probe(sent: t.Sequence[Connection] | None, probe: Probe | None) -> str:
    if probe is None or probe.refused is not None:
        return ""
    way = next((item for item in sent or () if item.has_message and item.is_proof and not item.inside), None)
    return (
        f"the mail of ours left at {way.time[11:19]} UTC to {visible(way.peer, NAME)} with {way.version}" if way else ""
    )


def _of_probe(probe: Probe | None, by: t.Collection[str]) -> t.Iterator[str]:
    if probe is None or BY_PROBE in by:
        return
    if probe.refused is not None:
        yield (
            f"The server did not take the mail of ours: {probe.refused}. Name a mailbox in 'probe_mailbox' that the "
            "server takes mail for, one in Exchange Online of a domain that both share."
        )
    else:
        yield f"The mail of ours {probe.message} was taken by the server, and no send log shows how it left."


def _count(items: t.Iterable[Waiting]) -> str:
    number = sum(item.messages for item in items)
    return f"{number} message{'' if number == 1 else 's'}"


def _hops(items: t.Iterable[Waiting]) -> str:
    return ", ".join(dict.fromkeys(visible(item.next_hop, NAME) for item in _ordered(items)))


def _all(items: t.Iterable[Waiting]) -> str:
    items = _ordered(items)
    verb = "waits" if sum(item.messages for item in items) == 1 else "wait"
    return f"{_count(items)} {verb} for {_hops(items)}: {visible(items[0].error.removesuffix('.'), _LONGEST)}"


def _ordered(items: t.Iterable[Waiting]) -> tuple[Waiting, ...]:
    return tuple(sorted(items, key=lambda item: (-item.messages, item.next_hop)))
