# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A maintenance over the wire that is disturbed at requests to Windows and at messages to Exchange's endpoint alike.

Each case has a server of its own, which is asked about on itself, so that one count has both. By `make cuts`
every request is disturbed in every way, otherwise a few are; test_maintenance_anywhere.py has all in one process.
"""

from __future__ import annotations

import typing as t

import pytest

from tests.lab.client import HostClient, LabClient
from tests.lab.inventory import exchange_variables

from .cutting import ALL, MODES, Case, sampled
from .fleet import FORKS, assert_no_traceback, only
from .harness import NOTE_KEY, Ansible, Run

SHELL = {"http": None, "https": 8443, "auth": ["basic"], "shells_per_user": 100}
SERVER: dict[str, t.Any] = {
    "windows": "2019",
    "services": ["exchange"],
    "registry": ["stock"],
    "endpoints": [{"kind": "smtp", "port": 2525}],
    "exchange": {"build": "15.02.1544.011", "shell": SHELL},
}
OUT, BACK = "started", "stopped"
WAYS = ("before", "after", "dead", "died", "fault", "garbled") if ALL else ("after", "died", "fault", "garbled")
# Of the requests of a run, one in so many is disturbed in each way.
STEP = 60
# More than the requests of a run; the tests check that.
MOST = 75
LAB: dict[str, t.Any] = {
    "exchange_clock": 600,
    "accounts": [
        {"user": "labadmin", "password": "Lab-Pass-1"},
        {"user": "exadmin", "password": "Lab-Pass-3", "domain": "lab.test"},
    ],
    "hosts": dict.fromkeys(
        ["whole", *(f"s{number:04}" for number in range(2 * len(WAYS) * (MOST if ALL else MOST // STEP + 1)))], SERVER
    ),
}
LIMIT = 3600 if ALL else 150
pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * LIMIT)]

AS_IT_WAS, ON_ITS_WAY, IS_OUT, RECORD = "as it was", "on its way", "out", "as it was, with a record"
_ANY = {("failed", AS_IT_WAS), ("failed", RECORD), ("unreachable", AS_IT_WAS), ("unreachable", RECORD)}
_BEGUN = {(outcome, state) for outcome in ("failed", "unreachable") for state in (ON_ITS_WAY, IS_OUT)}
#: By direction: how the task ends, and how the server is then. No other end occurs.
ENDS = {
    OUT: _ANY | _BEGUN | {("ok", IS_OUT)},
    BACK: _ANY | _BEGUN | {("ok", AS_IT_WAS)},
}


def shown(host: HostClient) -> dict[str, t.Any]:
    """What a maintenance may change. Who has asked for Active has asked for nothing."""
    states = {
        name: {who: word for who, word in item["local"].items() if word != "Active"}
        for name, item in host.exchange.component_states().items()
    }
    return {"states": states, **host.exchange.mailbox_server()}


def state(host: HostClient, was: dict[str, t.Any]) -> str:
    has_record = "Maintenance" in (host.registry(NOTE_KEY) or {})
    if shown(host) == was:
        return RECORD if has_record else AS_IT_WAS
    assert has_record, f"nobody could bring {host.name} back"
    is_out = host.exchange.component_states()["ServerWideOffline"]["state"] == "Inactive"
    return IS_OUT if is_out else ON_ITS_WAY


def run(ansible: Ansible, direction: str, hosts: list[str]) -> Run:
    options = {
        "state": direction,
        "smtp_port": 2525,
        "minimum_healthy_copies": 1,
        "no_progress_timeout": 3,
        "timeout": 30,
        "backup_dir": str(ansible.backups),
    }
    asked = exchange_variables(ansible.lab, ansible.lab.host("whole"), "basic")
    asked["exchange_server"] = "{{ ansible_host }}"
    return ansible.task(
        "exchange_maintenance", *FORKS, hosts=",".join(hosts), options=options, inventory=asked, limit=LIMIT
    )


@pytest.fixture(scope="module")
def ansible(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    return Ansible(lab, tmp_path_factory.mktemp("cut"))


@pytest.fixture(scope="module")
def cases(lab: LabClient, ansible: Ansible) -> list[Case]:
    """Disturbed once each, with what was left."""
    whole = lab.host("whole")
    was = shown(whole)
    free = iter(host for host in lab.hosts() if host.name != "whole")
    found: list[Case] = []
    for direction in (OUT, BACK):
        whole.reset_log()
        run(ansible, direction, ["whole"]).ok()
        requests = len(whole.requests())
        assert requests <= MOST
        found += [Case(next(free), direction, way, number) for way in WAYS for number in sampled(way, requests, STEP)]
    assert shown(whole) == was
    run(ansible, OUT, [case.host.name for case in found if case.direction == BACK]).ok()
    for direction in (OUT, BACK):
        mine = [case for case in found if case.direction == direction]
        for case in mine:
            for quirk, value in MODES[case.way].quirks(case.request).items():
                case.host.set_quirk(quirk, value)
        disturbed = run(ansible, direction, [case.host.name for case in mine])
        assert_no_traceback(disturbed)
        for case in mine:
            case.host.clear_quirks()
            item = only(disturbed.of("exchange_maintenance", case.host.name))
            case.end, case.result = (item.outcome, state(case.host, was)), item.result
    return found


def test_the_ends_that_there_are(cases: list[Case]) -> None:
    assert not [str(case) for case in cases if case.end not in ENDS[case.direction]]
    assert {case.end for case in cases} >= {("ok", IS_OUT), ("ok", AS_IT_WAS)}
    assert {case.end[0] for case in cases} >= {"ok", "failed"}


def test_what_is_said_of_the_server_is_true(cases: list[Case]) -> None:
    said = [(case, case.result.get("error", {}).get("back")) for case in cases]
    assert not [str(case) for case, back in said if back is True and case.end[1] != AS_IT_WAS]
    assert not [str(case) for case, _back in said if case.end[0] != "ok" and len(case.result["msg"]) < 30]
    hidden = [case for case, _back in said if case.end[1] in (ON_ITS_WAY, IS_OUT) and case.direction == OUT]
    assert not [str(case) for case in hidden if not case.result["changed"] or not case.result["steps"]]


def test_the_next_run_brings_every_server_back(lab: LabClient, ansible: Ansible, cases: list[Case]) -> None:
    run(ansible, BACK, [case.host.name for case in cases]).ok()
    was = shown(lab.host("whole"))
    assert not [str(case) for case in cases if state(case.host, was) != AS_IT_WAS]
    assert not list(ansible.backups.glob("*.maintenance.json"))
