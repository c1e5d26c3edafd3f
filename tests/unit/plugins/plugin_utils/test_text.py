# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of a target on its way to a terminal."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._text import in_powershell, utc_text, visible
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("Access is denied.", "Access is denied."),
        ("Zugriff verweigert: ß, Ж, 設定", "Zugriff verweigert: ß, Ж, 設定"),
        ("\x1b[31mred", "<U+001B>[31mred"),
        ("\x9b31mred", "<U+009B>31mred"),
        ("abc\u202edef", "abc<U+202E>def"),
        ("TLS\u200b 1.2", "TLS<U+200B> 1.2"),
        ("two\r\nlines\tand a tab", "two lines and a tab"),
        ("\ud800", "<U+D800>"),
    ],
)
def test_visible(given_text: str, shown: str) -> None:
    assert visible(given_text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Default", "'Default'"),
        ("Joe's", "'Joe''s'"),
        ("a\u2019; b\u201b", "'a\u2019\u2019; b\u201b\u201b'"),
        ("a\nb\u202e", "'a b<U+202E>'"),
    ],
)
def test_a_text_of_powershell_is_one(text: str, shown: str) -> None:
    assert in_powershell(text) == shown


def test_long_text_is_cut_and_says_so() -> None:
    assert visible("x" * 1_500_000, 10) == "xxxxxxxxxx... (1499990 more characters)"


@given(st.text(), st.integers(0, 200))
def test_nothing_invisible_is_left(text: str, limit: int) -> None:
    shown = visible(text, limit)
    assert "\n" not in shown
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in shown)
    shown.encode()


def test_utc_text() -> None:
    east = datetime.timezone(datetime.timedelta(hours=2))
    assert utc_text(datetime.datetime(2026, 11, 20, 1, 0, 0, 999999, tzinfo=east)) == "2026-11-19T23:00:00Z"
