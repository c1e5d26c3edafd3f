# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Whether outgoing mail is proven to go with TLS 1.2 since a restart, and what says so. Pure.

No handshake from the controller meets the Client side. What does: connections to Exchange Online in the send log, mail
that waited for it and has left by a connector that demands TLS, and a mail of our own that is seen in the log. Mail to
others proves nothing and is blamed on nothing: a domain that is dead, or a server that is restarted in turn, is no
matter of ours.
"""

from __future__ import annotations

import dataclasses
import itertools
import typing as t

from .._mailflow import meanings, words
from .._mailflow.probe import Probe
from .._mailflow.sent import Connection
from .._text import NAME, visible
from .mail_words import BY_LOG, BY_PROBE, BY_QUEUE, FAILING, OPEN, PROVEN

Result = t.Mapping[str, t.Any]
Key = tuple[str, str, str]

# A last error that TLS may be the cause of.
_OF_TLS = frozenset({meanings.YES, meanings.LIKELY, meanings.PERHAPS})
_SUBMISSION = "submission"
# So many connections in a row have to fail, where others went well before.
_IN_A_ROW = 2
_LONGEST = 160


@dataclasses.dataclass(frozen=True)
class Waiting:
    """Mail to Exchange Online that waits after an error that TLS may be the cause of, by where it goes. ``error``: the
    last one."""

    next_hop: str
    messages: int
    error: str

    def as_result(self) -> dict[str, t.Any]:
        return {"next_hop": self.next_hop, "messages": self.messages, "last_error": self.error}


@dataclasses.dataclass(frozen=True)
class Outgoing:
    """``by``: what proves it, of the words of :mod:`mail_words`. ``drained``: mail that waited and has left;
    ``waiting``: what waits now; ``begun``: those of it that did not wait before. ``left``: the queues of ``drained``.
    ``notes``: what a person should know of what was named."""

    word: str
    sentence: str
    by: tuple[str, ...] = ()
    drained: tuple[Waiting, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    begun: tuple[Waiting, ...] = ()
    notes: tuple[str, ...] = ()
    left: frozenset[Key] = frozenset()

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
    *,
    left_before: t.Container[Key] = (),
    notes: t.Sequence[str] = (),
) -> Outgoing:
    """``before``, ``after``: results of mail_flow_info, None where Exchange was not asked. ``sent``: what the send log
    shows since the restart, None where there is none. ``probe``: the mail of ours, where one was sent. ``left_before``:
    the queues that an earlier look has found empty: one look may come while transport still loads them."""
    waited, waits = waiting(before), waiting(after)
    held = _holding(after)
    left = frozenset() if held is None else frozenset(waited.keys() - held)
    # what nobody has seen before may have waited all along
    begun = [waits[key] for key in waits.keys() - waited.keys()] if _holding(before) is not None else []
    drained = [waited[key] for key in left]
    sure = [waited[key] for key in left if key in left_before and _demands_tls(key, before)]
    by_connector = _of_log(sent, _to_cloud(after or before))
    proofs = {
        BY_PROBE: _by_probe(sent, probe),
        BY_LOG: _by_log([item for of_one in by_connector.values() for item in of_one]),
        BY_QUEUE: _by_queue(sure),
    }
    by = tuple(name for name, sentence in proofs.items() if sentence)
    told = [*notes, *_of_probe(probe, by)]
    if failure := _failing(by_connector, begun, _to_cloud(after)):
        word, sentence, by = FAILING, failure, ()
    elif by:
        word, sentence = PROVEN, "; ".join(proofs[name] for name in by)
    elif waits:
        as_before = " as before" if waits.keys() <= waited.keys() else ""
        word, sentence = OPEN, f"not proven: {_all(waits.values())}{as_before}"
    elif drained and all(_demands_tls(key, before) for key in left):
        word, sentence = OPEN, f"not proven: {_count(drained)} that waited for {_hops(drained)} left, by one look"
    elif drained:
        word, sentence = (
            OPEN,
            f"not proven: {_count(drained)} that waited for {_hops(drained)} left, perhaps in plain text",
        )
    else:
        word, sentence = OPEN, "not proven: nothing was seen to leave yet"
    return Outgoing(word, sentence, by, _ordered(drained), _ordered(waits.values()), _ordered(begun), tuple(told), left)


# --- queues ----------------------------------------------------------------------------------------------------------


def waiting(mail: Result | None) -> dict[Key, Waiting]:
    """The queues to Exchange Online, in a result of mail_flow_info, whose mail waits after an error that TLS may be the
    cause of."""
    found: dict[Key, Waiting] = {}
    for queue in (mail or {}).get("queues") or ():
        symptom = queue.get("symptom") or {}
        if queue.get("messages") and symptom.get("tls") in _OF_TLS and _connector_of(queue, mail) is not None:
            found[_key(queue)] = Waiting(str(queue["next_hop"]), int(queue["messages"]), str(symptom.get("text") or ""))
    return found


def _key(queue: Result) -> Key:
    """A queue gets another name when transport starts again, so it is known by where it leads."""
    names = queue["delivery_type"], queue["next_hop"], queue.get("connector") or ""
    return t.cast(Key, tuple(str(name).casefold() for name in names))


def _holding(mail: Result | None) -> set[Key] | None:
    """The queues that hold mail; None where they are not known, or where mail has yet to be put into its queue."""
    queues = (mail or {}).get("queues")
    if queues is None:
        return None
    holding = {_key(queue) for queue in queues if queue.get("messages")}
    return None if any(key[0] == _SUBMISSION for key in holding) else holding


def _connector_of(queue: Result, mail: Result | None) -> Result | None:
    """The connector that hands the queue's mail to Exchange Online; None for other queues."""
    guid, hop = str(queue.get("connector") or "").casefold(), str(queue["next_hop"]).strip("[]").casefold()
    for connector in (mail or {}).get("send_connectors") or ():
        hosts = {str(host).casefold() for host in connector["smart_hosts"]}
        if connector["hands_to_exchange_online"] and (
            guid == str(connector["guid"]).casefold() if guid else hop in hosts
        ):
            return t.cast(Result, connector)
    return None


def _demands_tls(key: Key, mail: Result | None) -> bool:
    """Whether what goes by a queue goes with TLS, or not at all. Exchange Online takes nothing older than TLS 1.2."""
    connector = _connector_of({"connector": key[2], "next_hop": key[1]}, mail)
    return connector is not None and bool(connector["require_tls"]) and not connector["ignore_starttls"]


def _by_queue(drained: t.Sequence[Waiting]) -> str:
    return f"{_count(drained)} that waited for {_hops(drained)} left by a connector that demands TLS" if drained else ""


# --- what the log shows ----------------------------------------------------------------------------------------------


def _to_cloud(mail: Result | None) -> frozenset[str] | None:
    """The names of the connectors to Exchange Online; None where there are none, or where that is not known: nobody has
    seen under which name a front end logs what it sends for one."""
    found = [item for item in (mail or {}).get("send_connectors") or () if item["to_exchange_online"]]
    if not found or any(item["front_end"] for item in found):
        return None
    return frozenset(str(item["identity"]).casefold() for item in found)


def _of_log(sent: t.Sequence[Connection] | None, cloud: frozenset[str] | None) -> dict[str, list[Connection]]:
    """The connections that tell, by connector: those to Exchange Online, where its connectors are known; else all to
    others, as the Client side of Windows is one for all."""
    found: dict[str, list[Connection]] = {}
    for item in sent or ():
        name = item.connector.casefold()
        if not item.inside and (item.version or item.failure) and (cloud is None or name in cloud):
            found.setdefault(name, []).append(item)
    return found


def _by_log(shown: t.Sequence[Connection]) -> str:
    good = sorted((item for item in shown if item.is_proof), key=lambda item: item.time)
    if not good:
        return ""
    last = good[-1]
    count = f"{len(good)} connection{'' if len(good) == 1 else 's'}"
    return (
        f"the send log shows {count} since the restart, the last at {last.time[11:19]} UTC to "
        f"{visible(last.peer, NAME)} by '{visible(last.connector, NAME)}' with {last.version}"
    )


def _failing(
    by_connector: t.Mapping[str, t.Sequence[Connection]], begun: t.Sequence[Waiting], cloud: frozenset[str] | None
) -> str:
    """What shows that mail to Exchange Online does not leave. Where its connectors are not known, nothing does."""
    for shown in by_connector.values() if cloud else ():
        bad = list(itertools.takewhile(_has_failed, reversed(shown)))
        if bad and len(bad) >= min(_IN_A_ROW, len(shown)):
            last = bad[0]
            count = "connection" if len(bad) == 1 else f"{len(bad)} connections"
            return (
                f"the last {count} of the send log by "
                f"'{visible(last.connector, NAME)}', at {last.time[11:19]} UTC to {visible(last.peer, NAME)}, "
                f"failed with {visible(last.failure or '', NAME)}"
            )
    if begun and not any(item.is_proof for shown in by_connector.values() for item in shown):
        return f"since the restart {_all(begun)}"
    return ""


def _has_failed(item: Connection) -> bool:
    """With an error that has a name: the other side may also just have hung up."""
    return item.failure is not None and words.error_class(item.failure).kind != words.UNKNOWN


# --- the mail of ours ------------------------------------------------------------------------------------------------


def _by_probe(sent: t.Sequence[Connection] | None, probe: Probe | None) -> str:
    if probe is None or probe.refused is not None:
        return ""
    way = next((item for item in sent or () if item.has_message and item.is_proof and not item.inside), None)
    if way is None:
        return ""
    return f"a mail of ours was taken at {way.time[11:19]} UTC by {visible(way.peer, NAME)} with {way.version}"


def _of_probe(probe: Probe | None, by: t.Collection[str]) -> t.Iterator[str]:
    if probe is None or BY_PROBE in by:
        return
    if probe.refused is None:
        yield f"The mail of ours {probe.message} was taken by the server, and no send log shows how it left."
    elif probe.of_mailbox:
        yield (
            f"The server did not take the mail of ours: {probe.refused}. Name an address in 'probe_mailbox' that it "
            "takes mail for, best a mailbox in Exchange Online of a domain that both share."
        )
    else:
        yield f"The mail of ours could not be handed to the server: {probe.refused}."


# --- words -----------------------------------------------------------------------------------------------------------


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
