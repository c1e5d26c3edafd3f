# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The words of what is known of mail that leaves. Pure data, apart from how they are found: every run loads these."""

from __future__ import annotations

import typing as t

PROVEN = "proven"
FAILING = "failing"
OPEN = "open"

# What proves it, the strongest first.
BY_PROBE = "probe"
BY_LOG = "send_log"
BY_QUEUE = "queue"
# How each is called in a sentence.
SPOKEN: t.Final = {BY_PROBE: "a mail of ours in the send log", BY_LOG: "the send log", BY_QUEUE: "mail that has left"}
