# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which lines of a block are of a session, where not all are looked at."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import smtp_log

from . import logs
from .test_smtp_log import read, scanned


@pytest.mark.parametrize("back", [[], logs.header()])
def test_what_is_below_other_columns_is_of_no_session(back: list[str]) -> None:
    session = logs.session([*logs.BEGIN, logs.OFFER, "*,,TLS negotiation failed with error SocketError", *logs.END])
    lines = [*logs.header(), *session[:4], "#Fields: date-time,x", session[4], *back, *session[5:]]
    found = [item.as_result() for item in scanned(logs.raw(lines))[0]]
    assert found == read(lines)
    assert [item["error"] for item in found] == [None]


@pytest.mark.parametrize("events", [logs.plain(), logs.tls(), [*logs.plain()[:-3], logs.agreed(), *logs.END]])
def test_a_session_that_is_idle_while_the_next_piece_begins(events: list[str]) -> None:
    """The first lines of a piece, which are all looked at, are of others."""
    lines = logs.session(events)
    (whole,) = smtp_log.sessions_of(logs.raw(lines))[0]
    for cut in range(3, len(lines)):
        earlier, later = (smtp_log.Scanner(lambda _session, _number: None, is_first=False) for _piece in range(2))
        earlier.feed(logs.raw(lines[:cut]))
        later.feed(logs.raw(logs.session(logs.plain(), number=2)), every_line=True)
        later.feed(logs.raw([*logs.session(logs.plain(), number=3), *lines[cut:]]))
        (begun,), ((_key, ended),) = earlier.open.values(), later.begun_before
        found = begun.then(ended)
        assert (found.outcome, found.tls) == (whole.outcome, whole.tls), cut
