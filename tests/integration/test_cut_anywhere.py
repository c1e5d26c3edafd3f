# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change that is disturbed at any request of it: what is left, what is said, and how it is finished.

One request after the other of a run that writes everything is cut off, on a host of its own each, in every way that
makes a difference (by `make cuts`; otherwise at some requests in each way). Then the disturbance ends, and the same
playbook must finish the work, and the newest backup must bring back exactly what was there before the first run.

A host that is then exactly as the one that nothing disturbed (registry, note and backup), or that was not touched at
all, tells nothing new in the later runs; only some of these go on.
"""

from __future__ import annotations

import dataclasses
import json
import re
import time
import typing as t

import pytest

from tests.lab.client import HostClient, LabClient
from tests.lab.inventory import host_variables

from .cutting import ALL, MODES, Mode
from .fleet import ACCOUNTS, FORKS, Dump, assert_no_traceback, only, overriding, protocols, untruths
from .harness import NOTE_KEY, PROTOCOLS_KEY, Ansible, Run

# Keys that are there and keys that must be made, values that are there and values that are not.
POLICY = {"TLS 1.2": {"Client": "enabled"}, "TLS 1.0": {"Server": "disabled"}}
AFTER = {("TLS 1.2", "Client"): (1, 0), ("TLS 1.0", "Server"): (0, 1)}

WRITES = re.compile(r"StdRegProv\.(Set|Create|Delete)")

# Of the reads in a mode, which are alike, one in so many is disturbed; the modes take turns.
READS = 1 if ALL else 9
# Of the writes one in so many.
WRITTEN = 1 if ALL else 2

# More than the requests of a run; the tests check that.
POOL = 60

# Seconds that every answer takes on a long line: then reads overlap, over several logins.
FAR = 0.035

# Seconds for a run on a machine that does other things as well, and for the test that starts them all.
LIMIT = 150
pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * LIMIT)]

DELAY = {"seconds": FAR, "request": 1, "every": True}

# What a rollback is disturbed with.
BACK = ("died", "fault")

HOST: dict[str, t.Any] = {
    "windows": "2016",
    "registry": ["stock", "tls12_off"],
    "restart": {"shutdown_delay": 0.01, "down_for": 0.1},
}
# As the policy leaves HOST.
CHANGED: dict[str, t.Any] = {
    **HOST,
    "registry": [
        *HOST["registry"],
        {
            rf"HKLM\{PROTOCOLS_KEY}\{protocol}\{side}": {"Enabled": enabled, "DisabledByDefault": disabled}
            for (protocol, side), (enabled, disabled) in AFTER.items()
        },
    ],
}
LAB: dict[str, t.Any] = {
    "accounts": ACCOUNTS,
    "hosts": {
        "whole": HOST,
        "far-whole": HOST,
        **{f"{mode}-{n}": HOST for mode in MODES for n in range(1, POOL + 1)},
        **{f"back-{mode}-{n}": CHANGED for mode in BACK for n in range(1, POOL + 1)},
    },
}


@dataclasses.dataclass
class Case:
    """One host and its story."""

    host: HostClient
    mode: Mode
    request: int
    original: Dump
    disturbed: bool = True
    after_first: Dump = dataclasses.field(default_factory=dict)
    note_after_first: str | None = None
    after_second: Dump = dataclasses.field(default_factory=dict)
    note_after_second: str | None = None
    after_rollback: Dump = dataclasses.field(default_factory=dict)
    goes_on: bool = True

    @property
    def at_boot(self) -> Dump:
        return self.after_first if self.mode.restarted else self.original

    def differs_from_boot(self, dump: Dump) -> bool:
        """A key without values means nothing to Windows."""
        now, then = ({key: values for key, values in each.items() if values} for each in (dump, self.at_boot))
        return now != then


@dataclasses.dataclass(frozen=True)
class Story:
    """All hosts: disturbed, repeated without disturbance, rolled back."""

    cases: dict[str, Case]
    first: Run
    second: Run
    rollback: Run
    untruths: list[str]

    def every(self, *modes: str) -> list[tuple[Case, str]]:
        """The cases of these modes (of all), with their hosts' names."""
        return [
            (case, name)
            for name, case in self.cases.items()
            if not modes or name.removeprefix("back-").rpartition("-")[0] in modes
        ]

    def going_on(self) -> list[tuple[Case, str]]:
        """The cases that took part in the later runs."""
        return [(case, name) for case, name in self.every() if case.goes_on]

    def begun(self, name: str) -> t.Any:
        """How the first run ended on this host."""
        return only([item for item in self.first.outcomes if item.host == name])


def settings(undo: str) -> dict[str, t.Any]:
    return {
        "name": "Set",
        "mailops.exchange_tls.tls_settings": {
            "baseline": "none",
            "protocols": POLICY,
            # old TLS goes off in the same run here, which is not for people
            "force": True,
            "backup_dir": "{{ tls12_backup_dir }}",
            "undo_on_failure": undo,
            "logins": "{{ 10 if inventory_hostname.startswith('far') else 1 }}",
        },
    }


def back(**options: t.Any) -> dict[str, t.Any]:
    return {
        "name": "Back",
        "mailops.exchange_tls.tls_rollback": {"backup_dir": "{{ tls12_backup_dir }}", **options},
    }


def play(*tasks: dict[str, t.Any], hosts: list[str]) -> list[dict[str, t.Any]]:
    return [{"name": "Cut anywhere", "hosts": ":".join(hosts), "gather_facts": False, "tasks": list(tasks)}]


def disturbed(
    lab: LabClient, prefix: str, modes: t.Iterable[str], near: list[str], far: list[str] | None = None
) -> dict[str, Case]:
    """A host for every mode and every request it is about, ready to be disturbed there: of the writes and of the
    reads as many as are wanted. ``near`` and ``far`` are the requests of undisturbed runs."""
    cases = {}
    for number, name in enumerate(modes):
        mode = MODES[name]
        operations = (far or []) if mode.far else near
        assert len(operations) <= POOL
        first_of_writing = next(n for n, name in enumerate(operations, 1) if WRITES.match(name))
        for n, operation in enumerate(operations, 1):
            if (n < first_of_writing and mode.writing) or (n + number) % (
                WRITTEN if WRITES.match(operation) else READS
            ):
                continue
            host = lab.host(f"{prefix}{name}-{n}")
            cases[host.name] = Case(host, mode, n, protocols(host))
            for quirk, value in mode.quirks(n).items():
                host.set_quirk(quirk, value)
            if mode.far:
                host.set_quirk("delay", DELAY)
    return cases


def undisturbed(cases: t.Iterable[Case], first: Run) -> list[str]:
    """Ends the disturbance and looks at what the first run has left; returns what it said wrongly."""
    lies = []
    for case in cases:
        # at the end of a long line no two runs make the same number of reads
        case.disturbed = not case.mode.far or len(case.host.operations()) >= case.request
        case.host.clear_quirks()
        case.after_first = protocols(case.host)
        case.note_after_first = note_of(case.host)
        result = only([item for item in first.outcomes if item.host == case.host.name]).result
        lies += untruths(case.host, result)
    return lies


def note_of(host: HostClient) -> str | None:
    """The note of the collection; empty where there is but the key."""
    values = host.registry(NOTE_KEY)
    return None if values is None else str(values.get("RestartPending", {}).get("data", ""))


@pytest.fixture(scope="module")
def ansible(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    return Ansible(lab, tmp_path_factory.mktemp("cut"))


@pytest.fixture(scope="module")
def both_plugins(lab: LabClient, ansible: Ansible) -> tuple[str, ...]:
    """Arguments of a run in which every other host is reached over psrp."""
    hosts = {host.name: host for host in lab.hosts() if host.name[-1] in "13579"}
    variables = {name: host_variables(lab, host, connection="psrp") for name, host in hosts.items()}
    return (*overriding(ansible.folder, variables), *FORKS)


@pytest.fixture(scope="module")
def operations(lab: LabClient, ansible: Ansible) -> list[str]:
    """The requests of a run that nothing disturbs."""
    ansible.playbook(play(settings("yes"), hosts=["whole"])).ok()
    return lab.host("whole").operations()


@pytest.fixture(scope="module")
def far_operations(lab: LabClient, ansible: Ansible) -> list[str]:
    """The same at the end of a long line: in no order, and some that are found not to be needed."""
    lab.host("far-whole").set_quirk("delay", DELAY)
    ansible.playbook(play(settings("yes"), hosts=["far-whole"])).ok()
    return lab.host("far-whole").operations()


def state(host: HostClient, ansible: Ansible) -> dict[str, t.Any]:
    """All that a later run can see of a host: registry, note and backups, without names and times."""
    note = note_of(host)
    backups = [json.loads(path.read_text(encoding="utf-8")) for path in ansible.backups.glob(f"{host.name}.*")]
    return {
        "registry": protocols(host),
        "note": note and {**json.loads(note), "boot": None, "written": None, "shutdown": None, "owner": None},
        "backups": [(backup["values"], backup["missing_keys"]) for backup in backups],
    }


@pytest.fixture(scope="module")
def story(
    lab: LabClient,
    ansible: Ansible,
    operations: list[str],
    far_operations: list[str],
    both_plugins: tuple[str, ...],
) -> Story:
    assert len(far_operations) >= len(operations)
    cases = disturbed(lab, "", MODES, operations, far_operations)
    left = [name for name, case in cases.items() if not case.mode.undo]
    undone = [name for name in cases if name not in left]
    plays = play(settings("yes"), hosts=undone) + play(settings("no"), hosts=left)
    first = ansible.playbook(plays, *both_plugins, limit=LIMIT)
    lies = undisturbed(cases.values(), first)
    whole = state(lab.host("whole"), ansible)
    for number, case in enumerate(cases.values()):
        untouched = {"registry": case.original, "note": None, "backups": []}
        case.goes_on = number % 8 == 0 or state(case.host, ansible) not in (whole, untouched)
    going_on = [name for name, case in cases.items() if case.goes_on]
    restarted = [case.host for case in cases.values() if case.mode.restarted]
    for host in restarted:
        host.restart(wait=False)
    while not all(host.restarts() and host.restarts()[-1]["up_at"] for host in restarted):
        time.sleep(0.05)
    second = ansible.playbook(play(settings("yes"), hosts=going_on), *both_plugins, limit=LIMIT)
    for case in cases.values():
        case.after_second = protocols(case.host)
        case.note_after_second = note_of(case.host)
    look = {
        "name": "Look",
        "mailops.exchange_tls.tls_settings_info": {"baseline": "none", "protocols": POLICY},
        "when": "'restarted' in inventory_hostname",
    }
    rollback = ansible.playbook(play(back(), look, hosts=going_on), *both_plugins, limit=LIMIT)
    for case in cases.values():
        case.after_rollback = protocols(case.host)
    return Story(cases, first, second, rollback, lies)


@pytest.fixture(scope="module")
def back_story(
    lab: LabClient, ansible: Ansible, operations: list[str], both_plugins: tuple[str, ...], story: Story
) -> Story:
    """The same for a rollback: disturbed, and repeated. All hosts use the backup of one."""
    del story  # the same machine has to do both, one after the other
    whole = lab.host("whole")
    whole.reset_log()
    ansible.playbook(play(back(), hosts=["whole"])).ok()
    cases = disturbed(lab, "back-", BACK, whole.operations())
    backup = str(only(sorted(ansible.backups.glob("whole.*.change.json"))))
    plays = play(back(backup=backup, other_host="yes"), hosts=list(cases))
    first = ansible.playbook(plays, *both_plugins, limit=LIMIT)
    lies = undisturbed(cases.values(), first)
    second = ansible.playbook(plays, *both_plugins, limit=LIMIT)
    for case in cases.values():
        case.after_rollback = protocols(case.host)
    return Story(cases, first, second, second, lies)


def wanted(dump: Dump) -> bool:
    """Whether the registry is as the policy asks."""
    for (protocol, side), (enabled, disabled) in AFTER.items():
        key = next((values for key, values in dump.items() if key.endswith(rf"\{protocol}\{side}")), {})
        found = {name: (value["type"], value["data"]) for name, value in key.items()}
        if found != {"Enabled": ("REG_DWORD", enabled), "DisabledByDefault": ("REG_DWORD", disabled)}:
            return False
    return True


def test_the_first_run_ends_in_plain_words(story: Story) -> None:
    assert_no_traceback(story.first)
    for case, name in story.every():
        item = story.begun(name)
        if item.outcome == "ok":
            assert wanted(case.after_first), name
            assert {change["status"] for change in item.result["changes"]} == {"written"}
        else:
            assert len(item.result["msg"]) > 30, (name, item)


@pytest.mark.parametrize("which", ["story", "back_story"])
def test_what_the_first_run_says_is_what_the_registry_holds(which: str, request: pytest.FixtureRequest) -> None:
    story: Story = request.getfixturevalue(which)
    assert not story.untruths, "\n".join(story.untruths)


def test_at_most_one_write_is_unknown_and_only_where_nobody_can_be_asked(story: Story) -> None:
    unknown = {}
    for _case, name in story.every():
        statuses = [change["status"] for change in story.begun(name).result.get("changes", [])]
        unknown[name] = statuses.count("unknown")
    assert set(unknown.values()) == {0, 1}
    assert {name.rpartition("-")[0] for name, count in unknown.items() if count} <= {
        "dead", "died", "restarted", "fardead",
    }  # fmt: skip


@pytest.mark.parametrize("which", ["story", "back_story"])
def test_no_change_is_hidden(which: str, request: pytest.FixtureRequest) -> None:
    """A run that left something behind says so, and its backup is there."""
    story: Story = request.getfixturevalue(which)
    hidden = []
    for case, name in story.every():
        result = story.begun(name).result
        if case.after_first != case.original and not (result.get("changed") and result.get("backup")):
            hidden.append(f"{name}: {result.get('changed')} {result.get('backup')} {result['msg']}")
    assert not hidden, "\n".join(hidden)


@pytest.mark.parametrize("mode", ["before", "after", "far", "farafter"])
def test_a_connection_that_is_lost_once_is_survived(story: Story, mode: str) -> None:
    begun = {name: story.begun(name) for _case, name in story.every(mode)}
    failed = {name: item.result["msg"] for name, item in begun.items() if item.outcome != "ok"}
    assert begun
    assert not failed


@pytest.mark.parametrize("mode", ["dead", "died", "restarted", "fardead"])
def test_a_host_that_is_gone_is_unreachable(story: Story, mode: str) -> None:
    outcomes = {name: story.begun(name).outcome for case, name in story.every(mode) if case.disturbed}
    assert outcomes
    assert set(outcomes.values()) == {"unreachable"}, outcomes


@pytest.mark.parametrize(("which", "mode"), [("story", "fault"), ("story", "garbled"), ("back_story", "fault")])
def test_what_fails_is_put_back_exactly(which: str, mode: str, request: pytest.FixtureRequest) -> None:
    """Values, keys and the note: as if the run had never been."""
    story: Story = request.getfixturevalue(which)
    failed = [(case, name) for case, name in story.every(mode) if story.begun(name).outcome != "ok"]
    assert failed
    for case, name in failed:
        assert case.after_first == case.original, name
        assert case.note_after_first is None, name
        assert story.begun(name).result.get("changed", False) is False, name


def test_the_second_run_finishes(story: Story) -> None:
    assert_no_traceback(story.second)
    story.second.ok()
    for case, name in story.going_on():
        result = only(story.second.of("tls_settings", name)).result
        assert result["compliant"], name
        assert wanted(case.after_second), name
        assert {change["status"] for change in result["changes"]} <= {"written"}, name


def test_after_the_second_run_nothing_counts_as_unfinished(story: Story) -> None:
    """Otherwise the backup of a later change would hold what this one has changed, and undo it too."""
    unfinished = [
        name
        for case, name in story.going_on()
        if case.note_after_second is not None and json.loads(case.note_after_second)["unfinished"]
    ]
    assert not unfinished


def test_a_restart_is_pending_where_something_differs_from_the_last_boot(story: Story) -> None:
    wrong = []
    for case, name in story.going_on():
        result = only(story.second.of("tls_settings", name)).result
        expected = case.differs_from_boot(case.after_second)
        if (result["restart_pending"], result["restart_required"]) != (expected, expected):
            wrong.append(f"{name}: {result['restart_pending']}, but it should be {expected}")
    assert not wrong, "\n".join(wrong)


def test_the_newest_backup_restores_what_was_there_before_the_first_run(story: Story) -> None:
    assert_no_traceback(story.rollback)
    story.rollback.ok()
    wrong = [name for case, name in story.going_on() if case.after_rollback != case.original]
    assert not wrong


def test_after_the_rollback_a_restart_is_pending_only_where_windows_was_started_in_between(story: Story) -> None:
    wrong = [
        f"{name}: {item.task} says {item.result['restart_pending']}"
        for case, name in story.going_on()
        for item in story.rollback.outcomes
        if item.host == name
        and item.outcome != "skipped"
        and item.result["restart_pending"] != case.differs_from_boot(case.original)
    ]
    assert not wrong, "\n".join(wrong)


def test_a_rollback_that_was_disturbed_is_finished_by_the_next(lab: LabClient, back_story: Story) -> None:
    assert_no_traceback(back_story.first)
    assert_no_traceback(back_story.rollback)
    back_story.rollback.ok()
    original = protocols(lab.host("whole"))
    wrong = [name for case, name in back_story.every() if case.after_rollback != original]
    assert not wrong
    assert {back_story.begun(name).outcome for _case, name in back_story.every("died")} == {"unreachable"}
