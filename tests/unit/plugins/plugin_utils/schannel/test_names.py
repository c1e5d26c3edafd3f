# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that Windows takes for one, and names that only look as if it did."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.names import fold, same
from hypothesis import given
from hypothesis import strategies as st

# By code point: the letters that look alike here are what this is about.
ONE_NAME = [
    ("TLS 1.2", "tls 1.2"),
    ("\u00e4\u00f6", "\u00c4\u00d6"),
    ("\u0439", "\u0419"),  # Cyrillic short i
    ("\u03c3", "\u03a3"),  # sigma
    ("\u00ff", "\u0178"),  # y with diaeresis: the capital is in another block
    ("\u01c6", "\u01c4"),  # dz with caron, small and capital
    ("\u1f80", "\u1f88"),  # alpha with psili and ypogegrammeni: the full mapping makes two letters of it
    ("\uff41", "\uff21"),  # full width a
    ("\u217b", "\u216b"),  # Roman numeral twelve
]
TWO_NAMES = [
    ("\u00df", "ss"),
    ("\u00df", "SS"),
    ("\u00df", "\u1e9e"),  # sharp s and its capital
    ("\u01c5", "\u01c4"),  # Dz in title case
    ("\u01c5", "\u01c6"),
    ("\u01f2", "\u01f1"),
    ("\U00010400", "\U00010428"),  # Deseret: two units each
    ("\U0001e900", "\U0001e922"),  # Adlam
    ("\u0131", "I"),  # dotless i
    ("\u0131", "i"),
    ("\u0130", "i"),  # I with dot
    ("\u0130", "i\u0307"),
    ("\u017f", "S"),  # long s
    ("\u212a", "k"),  # Kelvin sign
    ("\u212b", "\u00e5"),  # Angstrom sign
    ("\u00b5", "\u03bc"),  # micro sign
    ("\ufb01", "FI"),  # ligature
    ("\u10d0", "\u1c90"),  # Georgian: its capitals are younger than the tables that are known
    ("\u13f8", "\u13f0"),  # Cherokee likewise
    ("TLS 1.2", "TLS 1.2 "),
    ("TLS 1.2", "TLS\u00a01.2"),
]


@pytest.mark.parametrize(("one", "other"), ONE_NAME)
def test_one_name(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    assert same(f"x{one}", ("y", f"X{other}")) == f"X{other}"


@pytest.mark.parametrize(("one", "other"), TWO_NAMES)
def test_two_names(one: str, other: str) -> None:
    assert fold(one) != fold(other)
    assert same(one, (other,)) is None


@given(st.text())
def test_folding_is_by_letter_and_ends(name: str) -> None:
    assert fold(name) == "".join(map(fold, name))
    assert fold(fold(name)) == fold(name)
    assert len(fold(name)) == len(name)


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_letters(name: str) -> None:
    assert fold(name) == name.lower()
