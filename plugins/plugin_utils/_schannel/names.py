# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Names of registry keys and values, compared as Windows compares them. Pure.

Windows maps each UTF-16 code unit to upper case by a table, without regard to language or neighbours. One unit becomes
one unit (sharp s stays, and so does what needs two units), and where the way back leads elsewhere (dotless i, long s,
digraphs in title case, the Kelvin sign) nothing is mapped: so it is in NTFS' table of Windows Vista.

Unproven: that the registry's table is that one; the final sigma, which NTFS maps and Wine does not; and letters that
got a capital after Unicode 3.2 (Georgian Mkhedruli, Cherokee). These are not folded. Names come from the host's own
listings: two names taken for one could do harm, one name taken for two hardly can.
"""

from __future__ import annotations

import functools
import typing as t
import unicodedata


@functools.lru_cache(maxsize=8192)
def fold(name: str) -> str:
    """The name by which Windows finds a key (or a path) or a value: names with the same one are the same name.

    In small letters, as people write what they look up.
    """
    return name.lower() if name.isascii() else "".join(map(_small, name))


def same(name: str, known: t.Iterable[str]) -> str | None:
    """The known name that Windows takes this one for."""
    return next((item for item in known if fold(item) == fold(name)), None)


def _small(character: str) -> str:
    small = character.lower()
    pair = len(small) == 1 and max(character, small) <= "\uffff" and _capital(small) == character
    known = pair and all(unicodedata.ucd_3_2_0.category(letter) != "Cn" for letter in (character, small))
    return small if known else character


def _capital(letters: str) -> str | None:
    """Unicode's simple mapping. Python has the full one, by which some letters become several; their title does not."""
    return next((capital for capital in (letters.upper(), letters.title()) if len(capital) == len(letters) == 1), None)
