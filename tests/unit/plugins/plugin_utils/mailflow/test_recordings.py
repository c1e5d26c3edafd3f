# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded sessions, where somebody has some at hand: lines (``input``) and how they are read (``expected``)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import iis_log, smtp_log, symptoms, words
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow.tally import TLS, Tally

from tests.unit.recordings import entries

# What is called otherwise there.
NAMES = {"tls_role": "tls_side", "kx": "key_exchange"}
RESULTS = {"plaintext_auth_attempt": "plain_login"}
COMPARED = (
    "direction", "connector", "session_id", "local", "remote", "peer_ip", "complete_start", "starttls_offered",
    "tls_version", "tls_role", "cipher", "cipher_bits", "mac", "kx", "result", "end",
)  # fmt: skip
# Classes of queue texts that have another name here.
KINDS = {
    "timeout_ambiguous": "timed_out",
    "unable_to_connect_ambiguous": "unable_to_connect",
    "connection_dropped_ambiguous": "connection_dropped",
    "connection_dropped_ambiguous_seed": "connection_dropped_socket_error",
    "certificate_local_missing": "certificate_not_found",
    "throttling_store": "store_throttled",
    "throttling_outdated_exchange": "exchange_outdated",
    "tls_version_or_handshake": "tls_handshake_cut",
    "proxy_error_local": "proxy_failed",
    "recipient_restriction": "recipient_restricted",
}
FIELDS = {"LRT": "time", "IP": "address", "FQDN": "host", "winsock": "winsock", "tls_error": "error"}


def _comparable(name: str, value: Any) -> Any:
    if name == "tls_version" and value:
        return value if " " in value else f"TLS {value}"
    return RESULTS.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("entry", entries("protocol_logs.json"))
def test_sessions(entry: dict[str, Any]) -> None:
    header = entry["input"]["header"] or []
    content = "\r\n".join([*header, *entry["input"]["lines"]]).encode()
    found, damaged = smtp_log.sessions_of(content)
    expected = entry["expected"]
    assert len(found) == len(expected["sessions"])
    assert damaged == expected.get("skipped_lines", damaged)
    for session, wanted in zip([session.as_result() for session in found], expected["sessions"], strict=True):
        ours = {name: _comparable(name, session[NAMES.get(name, name)]) for name in COMPARED if name in wanted}
        assert ours == {name: _comparable(name, wanted[name]) for name in ours}
        # what was not seen of a session that is not whole is unknown here
        assert session["message_seen"] in (wanted["message_seen"], None)
        assert session["starttls_used"] in (wanted["starttls_used"], None)
        if wanted["result"] == "tls_failed":
            assert session["error"] == wanted["error"]
            assert words.error_class(session["error"]).kind == wanted["fault_class"]


@pytest.mark.parametrize("entry", entries("last_errors.json"))
def test_last_errors(entry: dict[str, Any]) -> None:
    expected = entry["expected"]
    found = symptoms.explain(entry["input"]).as_result()
    assert found["kind"] == KINDS.get(expected["class"], expected["class"])
    assert found["codes"] == expected["codes"]
    assert {name: found[FIELDS[name]] or "" for name in expected.get("fields", {})} == expected.get("fields", {})


@pytest.mark.parametrize("entry", entries("iis.json"))
def test_iis(entry: dict[str, Any]) -> None:
    expected = entry["expected"]
    if entry["kind"] != "mapping":
        tally = Tally("")
        scanner = iis_log.IisScanner(tally, "")
        scanner.feed("\r\n".join(entry["input"]).encode())
        versions = {what.name for dummy, what in tally.counts if what.kind == TLS}
        assert versions == ({f"TLS {expected['tls']}"} if expected.get("tls") else set())
        assert scanner.damaged == 0
        return
    for field, version in expected["crypt-protocol"].items():
        assert iis_log.version_of(field.encode()) == (version if " " in version else f"TLS {version}")
    for field, cipher in expected["crypt-cipher"].items():
        assert iis_log.cipher_of(field.encode()) == cipher.split()[0]
