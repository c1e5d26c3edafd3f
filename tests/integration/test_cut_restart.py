# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Old TLS off, or a backup restored, each with its restart: disturbed at requests from the first to the last.

The change itself is disturbed by test_cut_anywhere.py; here it is one sequence with its restart and the proof before
it. By `make cuts` every request is disturbed in every way, otherwise a few are.
"""

from __future__ import annotations

import time
import typing as t

import pytest

from tests.lab.client import HostClient, LabClient

from .cutting import ALL, MODES, Case, sampled
from .fleet import ACCOUNTS, FORKS, Dump, assert_no_traceback, protocols
from .harness import Ansible, Run

SERVER: dict[str, t.Any] = {
    "windows": "2016",
    "registry": ["stock", "tls12_enabled", "dotnet_strong"],
    "endpoints": [{"kind": "smtp", "port": 2525}],
    "restart": {"shutdown_delay": 0.01, "down_for": 0.2},
}
HARDEN, BACK = "harden", "back"
WAYS = ("before", "after", "dead", "died", "fault", "garbled") if ALL else ("after", "died", "fault")
# Of the requests of a run, one in so many is disturbed in each way.
STEP = 60
# More than the requests of a run; the tests check that.
MOST = 110
LAB: dict[str, t.Any] = {
    "accounts": ACCOUNTS,
    "hosts": dict.fromkeys(
        ["whole", *(f"s{number:04}" for number in range(2 * len(WAYS) * (MOST if ALL else MOST // STEP + 1)))], SERVER
    ),
}
LIMIT = 3600 if ALL else 150
pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * LIMIT)]

UNCHANGED, PARTLY, WRITTEN, DONE = "unchanged", "partly written", "written", "in effect"
#: How a run ends, and how the server is then; written and in effect are the whole change without, and with its restart.
ENDS = {
    ("ok", DONE),
    ("failed", UNCHANGED),
    ("failed", WRITTEN),
    ("failed", DONE),
    ("unreachable", UNCHANGED),
    ("unreachable", PARTLY),
    ("unreachable", WRITTEN),
    ("unreachable", DONE),
}
# The versions of a server before, and after.
_FROM, _TO = ["TLS 1.0", "TLS 1.1", "TLS 1.2"], ["TLS 1.2"]


def run(ansible: Ansible, direction: str, hosts: list[str]) -> Run:
    proof = {"endpoints": ["smtp://:2525"], "handshakes": "required", "patience": 20}
    harden = {"baseline": "exchange_best_practice", "prove": proof, "backup_dir": "{{ tls12_backup_dir }}"}
    change = {
        HARDEN: {"name": "Harden", "mailops.exchange_tls.tls_settings": harden},
        BACK: {"name": "Back", "mailops.exchange_tls.tls_rollback": {"backup_dir": "{{ tls12_backup_dir }}"}},
    }[direction]
    restart = {"only_if_pending": True, "timeout": 30, "services": []}
    tasks = [change, {"name": "Restart", "mailops.exchange_tls.wmi_reboot": restart}]
    play = {"name": direction, "hosts": ",".join(hosts), "gather_facts": False, "tasks": tasks}
    return ansible.playbook([play], *FORKS, limit=LIMIT)


def state(host: HostClient, before: Dump, after: Dump, accepted: list[str]) -> str:
    """Of the registry and of what is in effect, once a restart that was ordered is made."""
    while host.status() != "up":
        time.sleep(0.05)
    now = protocols(host)
    if now == after:
        return DONE if host.effective_protocols("smtp") == accepted else WRITTEN
    return UNCHANGED if now == before else PARTLY


@pytest.fixture(scope="module")
def ansible(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    return Ansible(lab, tmp_path_factory.mktemp("cut"))


@pytest.fixture(scope="module")
def registries(lab: LabClient) -> dict[str, Dump]:
    """What a direction leads to, as runs have shown that nothing disturbed; filled on the way."""
    return {BACK: protocols(lab.host("whole"))}


@pytest.fixture(scope="module")
def cases(lab: LabClient, ansible: Ansible, registries: dict[str, Dump]) -> list[Case]:
    """Disturbed once each, with what was left."""
    whole = lab.host("whole")
    free = iter(host for host in lab.hosts() if host.name != "whole")
    found: list[Case] = []
    for direction, accepted in ((HARDEN, _TO), (BACK, _FROM)):
        whole.reset_log()
        run(ansible, direction, ["whole"]).ok()
        requests = len(whole.requests())
        assert requests <= MOST
        assert whole.effective_protocols("smtp") == accepted
        registries.setdefault(direction, protocols(whole))
        found += [Case(next(free), direction, way, number) for way in WAYS for number in sampled(way, requests, STEP)]
    assert protocols(whole) == registries[BACK]
    run(ansible, HARDEN, [case.host.name for case in found if case.direction == BACK]).ok()
    for direction, accepted in ((HARDEN, _TO), (BACK, _FROM)):
        mine = [case for case in found if case.direction == direction]
        for case in mine:
            for quirk, value in MODES[case.way].quirks(case.request).items():
                case.host.set_quirk(quirk, value)
        disturbed = run(ansible, direction, [case.host.name for case in mine])
        assert_no_traceback(disturbed)
        before, after = (registries[BACK], registries[HARDEN])[:: 1 if direction == HARDEN else -1]
        for case in mine:
            case.host.clear_quirks()
            item = [item for item in disturbed.outcomes if item.host == case.host.name][-1]
            case.end, case.result = (item.outcome, state(case.host, before, after, accepted)), item.result
    return found


def test_the_ends_that_there_are(cases: list[Case]) -> None:
    assert not [str(case) for case in cases if case.end not in ENDS]
    assert {case.end[0] for case in cases} == {"ok", "failed", "unreachable"}


def test_the_next_run_finishes_it(
    lab: LabClient, ansible: Ansible, cases: list[Case], registries: dict[str, Dump]
) -> None:
    for direction, accepted in ((HARDEN, _TO), (BACK, _FROM)):
        mine = [case for case in cases if case.direction == direction]
        if direction == BACK:
            # a backup that is restored is not restored again: what was done is left out
            mine = [case for case in mine if case.end[1] != DONE]
        run(ansible, direction, [case.host.name for case in mine]).ok()
        wrong = [str(case) for case in mine if protocols(case.host) != registries[direction]]
        wrong += [str(case) for case in mine if case.host.effective_protocols("smtp") != accepted]
        assert not wrong


def test_the_newest_backup_restores_what_was_there(
    ansible: Ansible, cases: list[Case], registries: dict[str, Dump]
) -> None:
    mine = [case for case in cases if case.direction == HARDEN]
    run(ansible, BACK, [case.host.name for case in mine]).ok()
    assert not [str(case) for case in mine if protocols(case.host) != registries[BACK]]
    assert not [str(case) for case in mine if case.host.effective_protocols("smtp") != _FROM]
