# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Peers that old TLS is all they were seen with: which of them a change would cut off, and which are accepted. Pure."""

from __future__ import annotations

import fnmatch
import ipaddress
import json
import typing as t
from collections.abc import Mapping

from .._errors import OptionError
from .words import RECEIVE

# A peer of the result of smtp_log_info, and the whole of it.
Peer = t.Mapping[str, t.Any]
Logs = t.Mapping[str, t.Any]


def check_logs(option: str, logs: object) -> None:
    """Raises :class:`OptionError` where an option is no result of smtp_log_info."""
    if logs is None:
        return
    peers = logs.get("old_tls") if isinstance(logs, Mapping) else None
    wanted = {"server", "direction", "peer", "connectors", "versions", "last_day"}
    if not isinstance(peers, (list, tuple)) or not all(
        isinstance(peer, Mapping) and wanted <= set(peer) for peer in peers
    ):
        raise OptionError(
            f"'{option}' is no result of mailops.exchange_tls.smtp_log_info: register that task, and give it here."
        )


def of_server(logs: Logs, name: str, others: t.Iterable[str]) -> list[Peer]:
    """The peers in the logs that concern a server: those of the folder with its name, and those of no server's folder.
    ``others``: the names of all servers of the inventory."""
    own = names(name)
    strangers = {other for each in others for other in names(each)} - own

    def is_stranger(folder: str) -> bool:
        return folder.casefold() in strangers or bool(names(folder) & strangers and not names(folder) & own)

    return [peer for peer in logs["old_tls"] if not is_stranger(str(peer["server"]))]


def names(name: str) -> set[str]:
    """A name and, of one with a domain, its first part."""
    folded = str(name).casefold()
    return {folded, folded.partition(".")[0]} if not folded.replace(".", "").isdigit() else {folded}


def cut_off(peers: t.Iterable[Peer], going: t.Collection[str], accepted: t.Iterable[str]) -> list[Peer]:
    """The peers that what is ``going`` (such as ``TLS 1.0 Server``) would cut off, without those that are accepted."""
    accepted = tuple(accepted)
    return [
        peer
        for peer in peers
        if any(f"{version} {_SIDES[peer['direction'] == RECEIVE]}" in going for version in peer["versions"])
        and not is_accepted(peer, accepted)
    ]


_SIDES: t.Final = {True: "Server", False: "Client"}


def is_accepted(peer: t.Mapping[str, t.Any], accepted: t.Iterable[str]) -> bool:
    """Whether a peer of :func:`old_peers` is waived: by its address, by a network that holds it, or by a pattern of the
    names of all its connectors."""
    return any(_matches(peer, entry) for entry in accepted)


def _matches(peer: t.Mapping[str, t.Any], entry: str) -> bool:
    folded = entry.strip().casefold()
    try:
        return ipaddress.ip_address(peer["peer"]) in ipaddress.ip_network(folded, strict=False)
    except ValueError:
        pass
    names = [str(name).casefold() for name in peer["connectors"]]
    by_connector = bool(names) and all(fnmatch.fnmatchcase(name, folded) for name in names)
    return folded == str(peer["peer"]).casefold() or by_connector


def told(peer: t.Mapping[str, t.Any]) -> str:
    """A peer for people: ``192.0.2.7 (sends to us with TLS 1.0, last on 2026-01-05)``."""
    way = "connects to us" if peer["direction"] == RECEIVE else "we connect to it"
    versions = ", ".join(sorted(peer["versions"]))
    return f"{peer['peer']} ({way} with {versions}, last on {peer['last_day']})"


FEW = 10


def listed(peers: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """Peers of :func:`old_peers` for people."""
    rest = f", and {len(peers) - FEW} more" if len(peers) > FEW else ""
    return ", ".join(told(peer) for peer in peers[:FEW]) + rest


def objection(peers: t.Sequence[Peer]) -> tuple[str, str] | None:
    """What is in the way of turning old TLS off, and what to do; None where nobody would be cut off."""
    if not peers:
        return None
    names = list(dict.fromkeys(str(peer["peer"]) for peer in peers))
    waiver = json.dumps({"tls12_accepted_peers": names[:FEW]})
    what = f"the protocol logs show {len(names)} that would be cut off: {listed(peers)}"
    cure = (
        "Bring them onto TLS 1.2, and read logs from after that day ('smtp_logs_since'); or accept that with "
        f"'accepted_peers': run the same command again with -e '{waiver}'."
    )
    return what, cure
