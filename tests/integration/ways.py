# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many hosts, each with a way in of its own, that are all asked once: what the tests of connections have in common."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import typing as t

from tests.lab.client import LabClient

from .fleet import FORKS, only, overriding
from .harness import Ansible, Run

CONNECTIONS = ("winrm", "psrp")
HTTPS: dict[str, t.Any] = {"http": None, "https": 5986}


@dataclasses.dataclass(frozen=True)
class Case:
    """One host: how it is, how it is reached, how the task ends, and what its message must say.

    way: what that shows about ways in, for the table in the documents; empty where it is about something else.
    """

    outcome: str
    says: tuple[str, ...] = ()
    winrm: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    quirks: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    variables: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    registry: tuple[str, ...] = ("stock",)
    way: str = ""


@dataclasses.dataclass(frozen=True)
class Visit:
    """All hosts asked once over one connection plugin."""

    run: Run
    operations: dict[str, list[str]]
    logins: dict[str, list[dict[str, t.Any]]]


def described(cases: t.Mapping[str, Case], accounts: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """The lab with a host for each case."""
    return {
        "accounts": [dict(account) for account in accounts],
        "hosts": {
            name: {
                "windows": "2016",
                "registry": list(case.registry),
                "winrm": dict(case.winrm),
                "quirks": dict(case.quirks),
            }
            for name, case in cases.items()
        },
    }


def visited(
    lab: LabClient,
    cases: t.Mapping[str, Case],
    folder: pathlib.Path,
    connection: str,
    env: t.Mapping[str, str] | None = None,
    **options: t.Any,
) -> Visit:
    """Asks all hosts. options: those of the task."""
    for host in lab.hosts():
        host.reset_log()
        for quirk, value in cases[host.name].quirks.items():
            host.set_quirk(quirk, value)  # its counters start again
    extra = overriding(folder, {name: case.variables for name, case in cases.items()})
    run = Ansible(lab, folder).task(
        "tls_settings_info", *extra, *FORKS, "-vvvvv", connection=connection, options=options, env=env
    )
    return Visit(
        run,
        {host.name: host.operations() for host in lab.hosts()},
        {host.name: host.logins() for host in lab.hosts()},
    )


def assert_ends_as_said(visit: Visit, name: str, case: Case) -> None:
    """The outcome of the task, and a message without any Python in it."""
    item = only(visit.run.of("tls_settings_info", name))
    message = str(item.result.get("msg", ""))
    assert item.outcome == case.outcome, message
    for word in case.says:
        assert word in message
    assert not re.search(r"[\"']\)|Error\(|object at 0x|HTTPConnectionPool|Max retries|urllib3|requests\.", message)
