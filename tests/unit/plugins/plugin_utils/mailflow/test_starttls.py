# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows STARTTLS, in one piece of a log or in two."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import smtp_log, tally

from . import logs

GRANTED = ["<,STARTTLS,", ">,220 2.0.0 SMTP server ready,"]
CHANGES = [
    *(
        ["<,STARTTLS,", f">,{said},", *rest]
        for said in (
            "454 4.7.0 TLS not available due to temporary reason",
            "502 5.5.1 STARTTLS command not implemented",
            "421 4.7.0 TLS processing failed",
        )
        for rest in ([], logs.MAIL, [logs.MAIL[0], ">,530 5.7.0 Must issue a STARTTLS command first,"])
    ),
    ["<,STARTTLS,", ">,454 4.7.0 TLS not available,", *GRANTED, logs.agreed("TLS1_0"), *logs.MAIL],
    [*GRANTED, "*,,TLS negotiation failed with error SocketError"],
    [*GRANTED, "*,,Sending certificate"],
    [*GRANTED, "*,,Sending certificate", "<,EHLO app,", *logs.MAIL],
    [*GRANTED, "<,EHLO app,", "<,AUTH LOGIN,", ">,334 <authentication response>,", ">,504 5.7.4 Unrecognized,"],
    [*GRANTED, logs.agreed(), *GRANTED[:1], ">,503 5.5.2 Only one STARTTLS command can be issued,", *logs.MAIL],
    [logs.MAIL[0], ">,451 5.7.3 Must issue a STARTTLS command first,"],
]


@pytest.mark.parametrize(
    "events",
    [
        logs.MAIL,
        [*logs.ENVELOPE, *logs.CHUNKS],
        ["<,AUTH LOGIN,", ">,334 <authentication response>,", ">,235 2.7.0 Authentication successful,"],
        ["<,AUTH LOGIN,", ">,504 5.7.4 Unrecognized authentication type,"],
        ["<,STARTTLS,", ">,503 5.5.2 Only one STARTTLS command can be issued per session,"],
    ],
)
def test_behind_what_was_granted_is_tls_also_where_no_line_says_so(events: list[str]) -> None:
    """And a refusal there is none of STARTTLS."""
    begun = [*logs.BEGIN, logs.OFFER, *GRANTED, "*,,Sending certificate", "<,EHLO app,"]
    (session,), _ = smtp_log.sessions_of(logs.raw(logs.session([*begun, *events, *logs.END])))
    assert tally.facts(session) == [tally.What(tally.INCOMPLETE)]


@pytest.mark.parametrize("events", CHANGES)
@pytest.mark.parametrize("ends", [logs.END, logs.END[-1:]])
def test_of_a_session_two_pieces_tell_what_the_whole_does(events: list[str], ends: list[str]) -> None:
    """Wherever it is cut, also between STARTTLS and its answer."""
    lines = logs.session([*logs.BEGIN, logs.OFFER, *events, *ends])
    (whole,), _ = smtp_log.sessions_of(logs.raw(lines))
    for place in range(1, len(lines)):
        (first,), (later,) = (smtp_log.sessions_of(logs.raw(part))[0] for part in (lines[:place], lines[place:]))
        joined = first.then(later)
        assert (tally.facts(joined), joined.outcome) == (tally.facts(whole), whole.outcome), lines[place]
