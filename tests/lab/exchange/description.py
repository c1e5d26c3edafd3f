# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's description says of Exchange."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import description as base

AUTH_METHODS = ("basic", "kerberos")
ROLES = ("Mailbox", "Edge")

#: The build of each version where the description names none.
BUILDS = {"2013": "15.0.1497.48", "2016": "15.1.2507.39", "2019": "15.2.1544.11", "SE": "15.2.2562.17"}


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


@dataclass(frozen=True)
class Exchange:
    """Exchange on one host. accounts: who has Exchange rights; None: all administrators."""

    version: str = "2019"
    build: str = BUILDS["2019"]
    roles: tuple[str, ...] = ("Mailbox",)
    shell: Shell | None = None
    accounts: tuple[str, ...] | None = None
    #: By account: the cmdlets (wildcards allowed) that its roles do not have, so that it does not see them.
    hidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        """The build as four numbers."""
        major, minor, build, revision = (int(part) for part in self.build.split("."))
        return major, minor, build, revision


def exchange(raw: Any, where: str) -> Exchange | None:
    """Reads the key `exchange` of a host. Raises DescriptionError."""
    if raw is None:
        return None
    known = base.mapping(raw, where, {"version", "build", "roles", "shell", "accounts", "hidden"})
    version = str(known.get("version", "2019")).upper()
    base.one_of(version, tuple(BUILDS), f"{where}.version")
    build = str(known.get("build") or BUILDS[version])
    if not re.fullmatch(r"\d+\.\d+\.\d+\.\d+", build):
        raise base.DescriptionError(f"{where}.build: {build!r} must be four numbers with dots between")
    roles = tuple(base.items(known, "roles", where)) or ("Mailbox",)
    for role in roles:
        base.one_of(role, ROLES, f"{where}.roles")
    hidden = base.mapping(known.get("hidden") or {}, f"{where}.hidden", None)
    return Exchange(
        version=version,
        build=build,
        roles=roles,
        shell=None if known.get("shell") is None else _shell(known["shell"], f"{where}.shell"),
        accounts=tuple(base.items(known, "accounts", where)) if "accounts" in known else None,
        hidden={user: tuple(base.items(hidden, user, f"{where}.hidden")) for user in hidden},
    )


def _shell(raw: Any, where: str) -> Shell:
    shell = base.flat(Shell, raw, where)
    for method in shell.auth:
        base.one_of(method, AUTH_METHODS, f"{where}.auth")
    base.one_of(shell.certificate, base.CERTIFICATES, f"{where}.certificate")
    if not shell.path.startswith("/"):
        raise base.DescriptionError(f"{where}.path: {shell.path!r} must start with a slash")
    return shell
