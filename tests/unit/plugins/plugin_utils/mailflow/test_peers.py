# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Peers of the logs: whom a change would cut off."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import OptionError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import peers


def peer(address: str = "192.0.2.7", direction: str = "receive", server: str = "", *versions: str) -> dict[str, Any]:
    return {
        "server": server,
        "direction": direction,
        "peer": address,
        "connectors": ["EX01\\Default Frontend EX01"],
        "versions": dict.fromkeys(versions or ("TLS 1.0",), 1),
        "sessions": 1,
        "last_day": "2026-01-05",
        "newer_day": None,
    }


GOING = ["TLS 1.0 Client", "TLS 1.0 Server", "TLS 1.1 Server"]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (["192.0.2.7"], True), (["192.0.2.0/24"], True), (["EX01\\default frontend *"], True), (["192.0.2.8"], False),
        ([], False), (["10.0.0.0/8", "relay"], False), ([" 192.0.2.7 "], True), (["2001:db8::/32"], False),
    ],
)  # fmt: skip
def test_peers_are_waived_by_address_network_or_connector(accepted: list[str], expected: bool) -> None:
    assert peers.is_accepted(peer(), accepted) is expected


@pytest.mark.parametrize(
    ("found", "going", "expected"),
    [
        (peer(), GOING, True),
        (peer("192.0.2.7", "send"), GOING, True),
        # the side that stays on
        (peer("192.0.2.7", "send", "", "TLS 1.1"), GOING, False),
        (peer("192.0.2.7", "receive", "", "TLS 1.1"), GOING, True),
        (peer(), [], False),
        (peer("192.0.2.7", "receive", "", "SSL 3.0"), GOING, False),
    ],
)
def test_only_what_is_turned_off_counts(found: dict[str, Any], going: list[str], expected: bool) -> None:
    assert peers.cut_off([found], going, []) == ([found] if expected else [])


@pytest.mark.parametrize(
    ("folder", "concerned"),
    [
        ("", True),
        ("ex01", True),
        ("EX01", True),
        ("ex01.contoso.example", True),
        ("SmtpReceive", True),
        ("ex02", False),
        ("EX02.contoso.example", False),
    ],
)
def test_a_folder_of_a_server_concerns_that_server(folder: str, concerned: bool) -> None:
    found = peers.of_server(
        {"old_tls": [peer("192.0.2.7", "receive", folder)]},
        "ex01.contoso.example",
        ["ex01.contoso.example", "ex02.contoso.example"],
    )
    assert bool(found) is concerned


@pytest.mark.parametrize(
    ("own", "other", "folder", "concerned"),
    [
        # a folder may have the whole name where the inventory has its first part
        ("ex01", "ex02", "EX02.contoso.example", False),
        ("ex01", "ex02", "EX01.contoso.example", True),
        ("ex01", "ex02", "ex03.contoso.example", True),
        # of two servers with one first part
        ("ex01.a.example", "ex01.b.example", "ex01.b.example", False),
        ("ex01.a.example", "ex01.b.example", "ex01.a.example", True),
        ("ex01.a.example", "ex01.b.example", "ex01", True),
        ("192.0.2.1", "192.0.2.2", "192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", "192.0.2.3", True),
    ],
)
def test_names_of_folders_and_servers(own: str, other: str, folder: str, concerned: bool) -> None:
    found = peers.of_server({"old_tls": [peer("192.0.2.7", "receive", folder)]}, own, [own, other])
    assert bool(found) is concerned


def test_the_sentence_has_the_next_command() -> None:
    assert peers.objection([]) is None
    what, cure = peers.objection([peer(), peer("192.0.2.9", "send")]) or ("", "")
    assert "192.0.2.7 (connects to us with TLS 1.0, last on 2026-01-05)" in what
    assert "192.0.2.9 (we connect to it with TLS 1.0" in what
    assert """-e '{"tls12_accepted_peers": ["192.0.2.7", "192.0.2.9"]}'""" in cure


@pytest.mark.parametrize("logs", [{}, {"old_tls": 5}, {"old_tls": [{"peer": "192.0.2.7"}]}, {"skipped": True}])
def test_what_is_no_result(logs: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="'smtp_logs' is no result"):
        peers.check_logs("smtp_logs", logs)
