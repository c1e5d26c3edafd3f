# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How mail goes before and after a restart: on the last screen, and in the result."""

from __future__ import annotations

import datetime
from typing import Any

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report import schema
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report.standing import Steps
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._text import utc_text

from ..fakes import BOOT
from .results import of
from .stories import IN, changed, restarted, told, verified
from .test_screen import shown

WAITING = {"next_hop": "contoso-example.mail.protection.outlook.com", "messages": 3, "last_error": "421 4.4.2 dropped"}
LOG = "the send log shows 2 connections since the restart, the last at 09:11:00 UTC to 192.0.2.9 by 'Out' with TLS 1.2"


def looked(word: str, sentence: str, since: datetime.datetime = BOOT, **more: Any) -> dict[str, Any]:
    """A result of mail_flow_proof."""
    known = {"word": word, "sentence": sentence, "by": [], "drained": [], "waiting": [], "begun": [], "notes": []}
    return {
        "since": utc_text(since),
        "before": {"queued": 43, "waiting": 40},
        "after": {"queued": 3, "waiting": 0},
        "outgoing": {**known, **more},
    }


def proven(**more: Any) -> dict[str, Any]:
    return looked("proven", LOG, by=["send_log"], **more)


def steps(mail: dict[str, Any] | None, **more: Any) -> Steps:
    return told(change=changed("off"), reboot=restarted(), verify=verified(accepted=IN), mail=mail, **more)


def last(hosts: Steps | dict[str, Steps]) -> list[str]:
    lines = shown(hosts)
    at = next(number for number, line in enumerate(lines) if line.startswith("verified:"))
    return " ".join(line.strip() for line in lines[at:]).replace(" outgoing:", "\noutgoing:").split("\n")


def test_what_proves_it_is_said() -> None:
    verdict, outgoing = last(steps(proven()))
    assert verdict.endswith("accepted by handshakes from here (incoming).")
    assert outgoing == f"outgoing: proven on ex01: {LOG}."


def test_several_servers_share_a_line_and_the_rest_is_named() -> None:
    verdict, outgoing = last({"ex01": steps(proven()), "ex02": steps(proven()), "ex03": steps(None)})
    assert "To prove outgoing also on ex03, send a mail" in verdict
    assert outgoing == "outgoing: proven on ex01, ex02: the send log."


def test_mail_that_waits_as_before_is_said() -> None:
    _verdict, outgoing = last(steps(looked("open", "not proven: 3 messages wait", waiting=[WAITING])))
    assert outgoing == "outgoing: ex01: not proven: 3 messages wait."


def test_what_was_named_in_vain_is_said() -> None:
    _verdict, outgoing = last(steps(looked("open", "not proven", notes=["The server did not take it: 550 no."])))
    assert outgoing == "outgoing: ex01: not proven; The server did not take it: 550 no."


def test_what_was_named_in_vain_is_said_where_something_else_proves_it_too() -> None:
    _verdict, outgoing, more = last(steps(proven(notes=["The server did not take it: 550 no."])))
    assert outgoing.startswith("outgoing: proven on ex01: the send log")
    assert more == "outgoing: ex01: The server did not take it: 550 no."


def test_where_no_handshake_could_be_made_mail_may_show_all_the_same() -> None:
    lines = shown(told(change=changed("off"), reboot=restarted(), verify=verified(accepted=None), mail=proven()))
    assert any(line.startswith("mail:     leaves: the send log shows 2 connections") for line in lines)


def test_mail_that_does_not_leave_comes_before_what_is_well() -> None:
    failing = steps(looked("failing", "since the restart 3 messages wait", begun=[WAITING], notes=["Look there."]))
    lines = shown({"ex01": steps(proven()), "ex02": failing})
    assert lines[1].split()[0] == "ex02"
    assert "mail FAILS" in lines[1]
    at = lines.index("mail:     does not leave: since the restart 3 messages wait")
    assert lines[at + 1] == "          Look there."
    assert lines[at + 2] == "next:     to see why:"
    assert lines[at + 3].endswith("why-mail-stopped.yml -l ex02"), "what others have said is for no command line"
    assert any("1 with mail that does not leave" in line for line in lines)


def test_a_look_from_before_another_restart_does_not_count() -> None:
    """What an earlier run in the same play has left."""
    assert steps(proven(since=BOOT - datetime.timedelta(hours=1))).outgoing is None
    assert steps({"failed": True, "msg": "no way"}).category == "failed"


def test_in_the_result() -> None:
    peer = {"peer": "192.0.2.7", "versions": {"TLS 1.0": 2}, "last_day": "2026-01-05"}
    with_peers = {**changed("off"), "old_tls_peers": [peer]}
    found = told(change=with_peers, reboot=restarted(), verify=verified(accepted=IN), mail=proven())
    whole = of({"ex01": found, "ex02": steps(None)})
    assert schema.problems(whole) == []
    first, second = sorted(whole["servers"], key=lambda item: item["name"])
    assert first["mail_flow"]["before"] == {
        "queued": 43, "waiting": 40,
        "senders": [{"peer": "192.0.2.7", "protocol": "TLS 1.0", "sessions": 2, "last": "2026-01-05"}],
    }  # fmt: skip
    assert first["mail_flow"]["after"] == {"queued": 3, "waiting": 0}
    assert first["proof"]["proved_by"] == {"incoming": ["smtp://ex01", "https://ex01"], "outgoing": ["send_log"]}
    assert second["mail_flow"] is None
    assert second["proof"]["proved_by"]["outgoing"] == []
