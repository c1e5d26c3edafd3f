# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets: logs, and texts that people paste from them."""

from __future__ import annotations

import collections
import contextlib
from typing import Any

from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow import (
    files,
    last_errors,
    outcome,
    reading,
    sent,
    smtp_log,
    symptoms,
    words,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow.iis_log import IisScanner
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow.session import Session
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._mailflow.tally import Tally

from . import given


def smtp_sessions(data: bytes) -> None:
    """Line by line, and the quick way, whose counts are those of the first where no line is damaged. It does not see a
    session of which there are only lines that tell nothing, and of one whose beginning is nowhere not what is before
    its first mark."""
    found, damaged = smtp_log.sessions_of(data)
    thorough = [item.as_result() for item in found]
    quick: list[dict[str, Any]] = []

    def sink(session: Session, number: int) -> None:
        quick.extend([session.as_result()] * number)

    scanner = smtp_log.Scanner(sink)
    scanner.feed(data)
    scanner.finish()
    if not damaged and not scanner.damaged and data.isascii() and b'"' not in data:
        assert _outcomes(quick) == _outcomes(thorough)


def _outcomes(sessions: list[dict[str, Any]]) -> collections.Counter[tuple[Any, ...]]:
    told = (item for item in sessions if item["complete_start"] or item["end"] is not None or item["tls_version"])
    return collections.Counter(
        (item["tls_version"], *((item["result"], item["error"]) if item["complete_start"] else ())) for item in told
    )


def iis_log(data: bytes) -> None:
    tally = Tally("EX01")
    scanner = IisScanner(tally, "EX01")
    scanner.feed(data)
    scanner.feed(data)


def log_file(data: bytes) -> None:
    """A file as it lies in a folder, packed or not, of a kind that is to be found out."""
    path = given.file(data, "log")
    found = reading.read([path], processes=1)
    if found.files:
        outcome.summary(outcome.as_result(found))
    for source in files.find([path])[0]:
        with contextlib.suppress(*files.UNREADABLE):
            files.since(source, b"2026-01-05T07:57:37", 1 << 20)


def last_error(data: bytes) -> None:
    last_errors.read(given.text(data))


def symptom(data: bytes) -> None:
    symptoms.explain(given.text(data)).as_result()
    symptoms.looks_like_a_file(given.text(data))


def log_words(data: bytes) -> None:
    words.agreed(data), words.failed(data), words.refused_login(data), words.refused_behind(data)
    words.error_class(given.text(data)), words.version_of_token(given.text(data)), words.is_public(given.text(data))


def sent_mail(data: bytes) -> None:
    for item in sent.connections(data, "<1@example.com>"):
        assert isinstance(item.is_proof, bool)
