# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Text that a target sent, made fit for terminals and logs: visible, on one line, and short; and how times are
written. Pure."""

from __future__ import annotations

import collections.abc as c
import datetime
import re

# Long enough for every sentence of Windows, short enough for a screen.
MESSAGE = 500
NAME = 120

# C0 and C1 controls, line and paragraph separators, bidi and zero-width marks, lone surrogates, private use, tags:
# what a terminal obeys or hides instead of showing it.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\ue000-\uf8ff"
    "\U000e0000-\U000e0fff]"
)

_BREAKS = re.compile(r"[\r\n\t]+")
# Each of them begins and ends a text of PowerShell.
_QUOTES = re.compile("(['\u2018-\u201b])")


def visible(text: object, limit: int = MESSAGE) -> str:
    """The text with everything invisible shown as ``<U+202E>``, cut after ``limit`` characters of the original.

    What was cut is said: ``... (1499500 more characters)``. Line breaks and tabs become blanks.
    """
    whole = str(text)
    shown = _BREAKS.sub(" ", whole[:limit])
    shown = _INVISIBLE.sub(lambda match: f"<U+{ord(match[0]):04X}>", shown)
    return shown if len(whole) <= limit else f"{shown}... ({len(whole) - limit} more characters)"


def in_powershell(text: object) -> str:
    """A text for people to paste as a parameter, visible, and quoted as PowerShell takes it for one."""
    return "'" + _QUOTES.sub(r"\1\1", visible(text)) + "'"


def utc_text(moment: datetime.datetime) -> str:
    """A time in results: ``2026-11-20T03:04:05Z``."""
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def joined(sentences: c.Sequence[str], most: int = 3) -> str:
    """The first of many sentences; the rest is in the result."""
    more = len(sentences) - most
    return " ".join(sentences[:most]) + (f" And {more} more." if more > 0 else "")
