# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which lines of a block are of a session, where not all are looked at."""

from __future__ import annotations

import pytest

from . import logs
from .test_smtp_log import read, scanned


@pytest.mark.parametrize("back", [[], logs.header()])
def test_what_is_below_other_columns_is_of_no_session(back: list[str]) -> None:
    session = logs.session([*logs.BEGIN, logs.OFFER, "*,,TLS negotiation failed with error SocketError", *logs.END])
    lines = [*logs.header(), *session[:4], "#Fields: date-time,x", session[4], *back, *session[5:]]
    found = [item.as_result() for item in scanned(logs.raw(lines))[0]]
    assert found == read(lines)
    assert [item["error"] for item in found] == [None]
