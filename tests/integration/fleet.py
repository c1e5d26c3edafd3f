# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many hosts in one run, each with its own misfortune: what the tests of faults have in common."""

from __future__ import annotations

import pathlib
import typing as t

import yaml

from tests.lab.client import HostClient

from .harness import PROTOCOLS_KEY, Outcome, Run

ACCOUNTS: list[dict[str, t.Any]] = [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}]
PASSWORD = "Lab-Pass-1"
# Hosts at once. More does not help on two cores, and a host that answers nothing must not hold the others up.
FORKS = ("-f", "12")
ABSENT: dict[str, t.Any] = {"present": False, "type": None, "data": None}

# What a registry value may hold by the status of its change.
HOLDS = {
    "written": ("after",),
    "put_back": ("before",),
    "not_written": ("before",),
    "unknown": ("before", "after"),
}

Dump = dict[str, dict[str, t.Any]]


def overriding(folder: pathlib.Path, hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> tuple[str, str]:
    """Arguments that lay variables of single hosts over the inventory."""
    path = folder / f"host-variables-{len(list(folder.glob('host-variables-*')))}.yml"
    path.write_text(
        yaml.safe_dump({"all": {"hosts": {name: dict(variables) for name, variables in hosts.items()}}}),
        encoding="utf-8",
    )
    return "-i", str(path)


def only(outcomes: t.Sequence[Outcome]) -> Outcome:
    """The one outcome that there must be."""
    assert len(outcomes) == 1, outcomes
    return outcomes[0]


def assert_no_traceback(run: Run) -> None:
    """Nothing a person sees is a Python traceback, and no action plugin ended by an exception of Python's."""
    for mark in ("Traceback (most recent call last)", "Unexpected failure during", "An exception occurred"):
        assert mark not in run.output, run.output


def actual(host: HostClient, key: str, name: str) -> dict[str, t.Any]:
    """A value as the lab's registry holds it, in the shape of results."""
    for listed, value in (host.registry(key) or {}).items():
        if listed.lower() == name.lower():
            return {"present": True, **value}
    return ABSENT


def untruths(host: HostClient, result: t.Mapping[str, t.Any]) -> list[str]:
    """What ``changes`` of a result says that the registry does not bear out."""
    found = []
    for change in result.get("changes", []):
        holds = actual(host, change["key"], change["value"])
        status = change["status"]
        if holds not in [change[side] for side in HOLDS[status]]:
            found.append(f"{host.name}: {change['key']} [{change['value']}] is said to be {status} but holds {holds}")
    return found


def protocols(host: HostClient) -> Dump:
    """All keys and values of SCHANNEL's protocols."""
    return host.dump(rf"HKLM\{PROTOCOLS_KEY}")
