# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Options that several modules share; their documentation is in plugins/doc_fragments."""

from __future__ import annotations

import typing as t

from ._errors import OptionError
from ._judgement.handshakes import POLICIES, WHEN_REACHABLE
from ._role import FIRST_BASELINE
from ._wire.overlap import MOST

POLICY: dict[str, t.Any] = {
    "baseline": {"type": "str", "default": FIRST_BASELINE},
    "protocols": {"type": "dict", "default": {}},
    "dotnet": {
        "type": "dict",
        "options": {
            "v4": {"type": "str", "choices": ["strong", "default", "unmanaged"]},
            "v2": {"type": "str", "choices": ["strong", "default", "unmanaged"]},
        },
    },
    "winhttp": {"type": "str", "choices": ["tls12", "tls12_only", "default", "unmanaged"]},
    "renegotiation": {"type": "str", "choices": ["strict", "default", "unmanaged"]},
    "ciphers": {"type": "dict", "default": {}},
    "hashes": {"type": "dict", "default": {}},
    "key_exchanges": {"type": "dict", "default": {}},
    "dh_min_key_length": {"type": "int"},
    "cipher_suites": {"type": "list", "elements": "str", "default": []},
    "strays": {"type": "str", "choices": ["report", "remove", "ignore"], "default": "report"},
    "exchange": {"type": "str", "choices": ["report", "ignore"], "default": "report"},
    "waivers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "match": {"type": "str", "required": True},
            "reason": {"type": "str", "required": True},
            "expires": {"type": "str"},
        },
    },
    "fail_on": {"type": "str"},
}

FROM_VARIABLES: dict[str, t.Any] = {"from_variables": {"type": "list", "elements": "str", "default": []}}

# What every module that talks to a host has.
SHARED: dict[str, t.Any] = {"wire_log": {"type": "path"}, **FROM_VARIABLES}

# What every module has in tasks of the role: the folder that the callback will write a report to, which is checked
# before anything else is done.
ROLE: dict[str, t.Any] = {"report_dir": {"type": "path"}}

_MOST_DAYS = 3650
# How a host is read.
READING: dict[str, t.Any] = {"logins": {"type": "int", "default": MOST}, "updates_within": {"type": "int"}}

# How a host is proven by handshakes; _tasks/proving.py checks it.
PROVE: dict[str, t.Any] = {
    "prove": {
        "type": "dict",
        "options": {
            "endpoints": {"type": "list", "elements": "raw", "default": ["smtp", "https"]},
            "server_name": {"type": "str"},
            "timeout": {"type": "float", "default": 10},
            "handshakes": {"type": "str", "choices": list(POLICIES), "default": WHEN_REACHABLE},
            "patience": {"type": "int", "default": 120},
        },
    }
}

BACKUP: dict[str, t.Any] = {
    "backup_dir": {"type": "path", "default": "exchange_tls_backups"},
    "undo_on_failure": {"type": "bool", "default": True},
}


def check_reading(options: t.Mapping[str, t.Any]) -> None:
    """Raises :class:`OptionError` for what the argument spec cannot say."""
    if not 1 <= options["logins"] <= MOST:
        raise OptionError(f"'logins' is {options['logins']}, but it is a number from 1 to {MOST}.")
    days = options["updates_within"]
    if days is not None and not 0 <= days <= _MOST_DAYS:
        raise OptionError(
            f"'updates_within' is {days}, but it is a number of days up to {_MOST_DAYS}, or 0 for no limit."
        )
