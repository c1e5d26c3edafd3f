# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings of real servers, which are not part of this project: EXCHANGE_TLS_RECORDINGS names a folder with them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "exchange"
FOLDER = Path(os.environ.get("EXCHANGE_TLS_RECORDINGS") or _BESIDE)


def entries(name: str) -> list[Any]:
    """The entries of a file there as parameters of a test, which is skipped where there is none."""
    file = FOLDER / name
    if not file.is_file():
        reason = f"EXCHANGE_TLS_RECORDINGS names no folder with {name}"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason))]
    return [pytest.param(entry, id=entry["id"]) for entry in json.loads(file.read_text(encoding="utf-8"))]
