# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's description says of Exchange's cmdlets: where they can be asked, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import description as base

AUTH_METHODS = ("basic", "kerberos")
#: The keys of a host's `exchange` that are read here.
KEYS = ("shell", "accounts", "hidden")


@dataclass(frozen=True)
class Shell:
    """The endpoint /PowerShell. http, https: ports, or None for no such listener."""

    http: int | None = 8080
    https: int | None = None
    auth: tuple[str, ...] = ("kerberos",)
    certificate: str = "good"
    path: str = "/PowerShell"
    max_envelope_kb: int = 500
    #: Most sessions of one account.
    shells_per_user: int = 18


def cmdlets(raw: Mapping[str, Any], where: str) -> dict[str, Any]:
    """These keys as fields of installed.Exchange. Raises DescriptionError."""
    hidden = base.mapping(raw.get("hidden") or {}, f"{where}.hidden", None)
    return {
        "shell": None if raw.get("shell") is None else _shell(raw["shell"], f"{where}.shell"),
        "accounts": tuple(base.items(raw, "accounts", where)) if "accounts" in raw else None,
        "hidden": {user: tuple(base.items(hidden, user, f"{where}.hidden")) for user in hidden},
    }


def _shell(raw: Any, where: str) -> Shell:
    shell = base.flat(Shell, raw, where)
    for method in shell.auth:
        base.one_of(method, AUTH_METHODS, f"{where}.auth")
    base.one_of(shell.certificate, base.CERTIFICATES, f"{where}.certificate")
    if not shell.path.startswith("/"):
        raise base.DescriptionError(f"{where}.path: {shell.path!r} must start with a slash")
    return shell
