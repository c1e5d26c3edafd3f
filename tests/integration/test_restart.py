# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module reboot: what counts as a restart, what is waited for, and what a person is told when it does not come."""

from __future__ import annotations

import dataclasses
import datetime
import json
import threading
import typing as t

import pytest

from tests.lab.client import HostClient, LabClient
from tests.lab.inventory import host_variables

from .fleet import ACCOUNTS, FORKS, Dump, assert_no_traceback, only, overriding, protocols
from .harness import NOTE_KEY, Ansible, Outcome, Run

SHUTDOWN = "Win32_OperatingSystem.Win32Shutdown"
TRACKER = "Win32_OperatingSystem.Win32ShutdownTracker"
READ = "Win32_OperatingSystem.Get"
# Seconds after which a test of something that does not come is over.
SHORT = 5

IMPATIENT = {"ansible_winrm_operation_timeout_sec": 1, "ansible_winrm_read_timeout_sec": 2}
EXCHANGE = [
    {"name": "MSExchangeIS", "starts_after": 0.2},
    {"name": "MSExchangeTransport", "starts_after": 4},
    {"name": "MSExchangePop3", "start_mode": "Manual", "state": "Stopped"},
    {"name": "MSExchangeRPC", "start_mode": "Auto", "state": "Stopped"},
]


@dataclasses.dataclass(frozen=True)
class Case:
    """One host, what the task is told, how it ends, and how often the host was started again in the end."""

    outcome: str = "ok"
    says: tuple[str, ...] = ()
    options: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    host: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    quirks: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    variables: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    psrp: bool = False
    restarts: int = 1
    asked: bool = True


def refused(*words: str, **quirks: t.Any) -> Case:
    """Windows does not begin to restart, and the task says so."""
    return Case("failed", words, quirks=quirks, restarts=0, asked=False)


CASES = {
    # what a restart looks like
    "plain": Case(host={"restart": {"shutdown_delay": 0.3, "down_for": 4.0}}),
    "plain-psrp": Case(psrp=True),
    "cuts": Case(quirks={"shutdown_cuts_connection": True}),
    "cuts-psrp": Case(quirks={"shutdown_cuts_connection": True}, psrp=True),
    "slow": Case(quirks={"delay": {"operation": SHUTDOWN, "seconds": 4}}, variables=IMPATIENT),
    "unauthorized": Case(quirks={"unauthorized_after_restart": 3}),
    "unauthorized-psrp": Case(quirks={"unauthorized_after_restart": 3}, psrp=True),
    "starting": Case(
        quirks={"fault": {"kind": "http_503_html", "operation": READ, "nth": 2, "every": True, "count": 2}}
    ),
    "web-page": Case(quirks={"answer": {"body": "html", "operation": READ, "nth": 2, "every": True, "count": 2}}),
    "garbage": Case(quirks={"answer": {"body": "garbage", "operation": READ, "nth": 2}}),
    "denied-at-first": Case(quirks={"fault": {"kind": "wmi_access_denied", "operation": READ, "nth": 2}}),
    # clocks
    "east": Case(host={"timezone": "+05:30", "fraction_digits": 0}),
    "west": Case(host={"timezone": "-08:00", "fraction_digits": 3}),
    "utc": Case(host={"fraction_digits": 1}),
    "clock-wrong": Case(host={"clock_offset": 18000}),
    "jitter": Case(quirks={"boot_time_jitter": 1}),
    # services
    "mailbox": Case(options={"services": ["MSExchange*"]}, host={"services": EXCHANGE}),
    "named": Case(options={"services": ["msexchangetransport", "W32Time"]}, host={"services": EXCHANGE}),
    "brackets": Case(
        options={"services": ["Backup[1]*"]}, host={"services": [{"name": "Backup[1]"}, {"name": "Backup[1]Agent"}]}
    ),
    "no-exchange": Case(options={"services": ["MSExchange*"]}),
    "no-such-pattern": Case(
        "failed",
        ("no service that fits the pattern Nothing*", "nothing was restarted"),
        {"services": ["Nothing*"]},
        restarts=0,
        asked=False,
    ),
    "incomplete": Case(
        "failed",
        ("ended its list", "without saying that it is complete"),
        {"services": ["W32Time"]},
        host={"winrm": {"first_page_empty": True}},
        quirks={"list_ends_early": True},
        restarts=0,
        asked=False,
    ),
    "no-such-service": Case(
        "failed",
        ("no service named Exchange Transport, x' OR Name LIKE '%", "nothing was restarted", "sc query"),
        {"services": ["W32Time", "Exchange Transport", "x' OR Name LIKE '%"]},
        restarts=0,
        asked=False,
    ),
    "manual-service": Case(
        "failed",
        ("The host is back", "these services do not run: TermService (Stopped)", "event log"),
        {"services": ["TermService", "W32Time"], "timeout": SHORT},
    ),
    # comments
    "comment": Case(options={"comment": "TLS 1.2 für Exchange <Online>"}),
    "comment-refused": Case(
        options={"comment": "TLS 1.2"}, quirks={"fault": {"kind": "provider_cannot", "operation": TRACKER}}
    ),
    "comment-denied": Case(
        "failed",
        ("2150859012", "Administrators"),
        {"comment": "TLS 1.2"},
        quirks={"fault": {"kind": "wmi_access_denied", "operation": TRACKER}},
        restarts=0,
        asked=False,
    ),
    "gentle": Case(options={"force": "false"}),
    # somebody else restarts the host: what it answers, and then it does restart
    "in-progress": Case(quirks={"shutdown_returns": 1115}),
    "scheduled": Case(quirks={"shutdown_returns": 1190}),
    # refused
    "not-allowed": refused("5", "may not shut the host down", "Administrators", shutdown_returns=5),
    "no-privilege": refused("1314", "privilege", shutdown_returns=1314),
    "odd-code": refused("Win32Shutdown returned 87", shutdown_returns=87),
    "denied": refused("Access is denied", "Administrators", fault={"kind": "access_denied", "operation": SHUTDOWN}),
    # what never comes
    "no-restart": Case(
        "failed",
        ("has not come back within 5 seconds", "it answers and still runs since"),
        {"timeout": SHORT},
        quirks={"no_restart": True},
        restarts=0,
    ),
    "jitter-only": Case(
        "failed",
        ("has not come back", "it answers and still runs since"),
        {"timeout": SHORT},
        quirks={"no_restart": True, "boot_time_jitter": 1},
        restarts=0,
    ),
    "never-back": Case(
        "failed",
        ("has not come back within 5 seconds", "Last seen", "Connection refused", "console", "run the play again"),
        {"timeout": SHORT},
        quirks={"never_back": True},
    ),
    "silent": Case(
        "failed",
        ("has not come back within 5 seconds", "Last seen", "did not answer in time"),
        {"timeout": SHORT},
        quirks={"after-shutdown": {"blackhole": True}},
    ),
    "dripping": Case(
        "failed",
        ("has not come back within 5 seconds", "Last seen", "the answer was not complete within"),
        {"timeout": SHORT},
        quirks={"after-shutdown": {"drip": 0.3}},
    ),
    "unauthorized-for-ever": Case(
        "failed",
        ("has not come back within 5 seconds", "Last seen", "rejected the credentials"),
        {"timeout": SHORT},
        quirks={"unauthorized_after_restart": 600},
    ),
}

RESTART = {"shutdown_delay": 0.3, "down_for": 1.0}
STORIES = ("pending", "clean", "by-hand", "cut-off", "rubbish")
LAB: dict[str, t.Any] = {
    "accounts": ACCOUNTS,
    "hosts": {
        **{name: {"windows": "2019", "uptime": 86400, "restart": RESTART, **case.host} for name, case in CASES.items()},
        **{
            name: {"windows": "2016", "registry": ["stock", "tls12_off"], "restart": {**RESTART, "down_for": 0.5}}
            for name in STORIES
        },
    },
}


class Watcher(threading.Thread):
    """What happens to hosts once they were asked to restart: somebody else does it, or the network swallows all."""

    def __init__(self, restarting: list[HostClient], spoiled: list[tuple[HostClient, dict[str, t.Any]]]) -> None:
        super().__init__(daemon=True)
        self.restarting = restarting
        self.spoiled = spoiled
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.05) and (self.restarting or self.spoiled):
            for host in [host for host in self.restarting if SHUTDOWN in host.operations()]:
                self.restarting.remove(host)
                host.clear_quirks()
                host.restart(wait=False)
            for item in [item for item in self.spoiled if SHUTDOWN in item[0].operations()]:
                self.spoiled.remove(item)
                for quirk, value in item[1].items():
                    item[0].set_quirk(quirk, value)


@dataclasses.dataclass(frozen=True)
class Ended:
    """How the task ended on one host, and what the host knows of it."""

    item: Outcome
    boot_before: float
    boot_after: float
    restarts: list[dict[str, t.Any]]
    requests: list[dict[str, t.Any]]


@pytest.fixture(scope="module")
def ended(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, dict[str, Ended]]:
    """All hosts of CASES restarted in one run."""
    ansible = Ansible(lab, tmp_path_factory.mktemp("restart"))
    hosts = {name: lab.host(name) for name in CASES}
    variables = {}
    for name, case in CASES.items():
        for quirk, value in case.quirks.items():
            if quirk != "after-shutdown":
                hosts[name].set_quirk(quirk, value)
        variables[name] = {
            **(host_variables(lab, hosts[name], connection="psrp") if case.psrp else {}),
            **case.variables,
            "options": {"timeout": 30, "services": [], **case.options},
        }
    before = {name: host.boot_time() for name, host in hosts.items()}
    for host in hosts.values():
        host.reset_log()
    spoiled = [
        (hosts[name], case.quirks["after-shutdown"]) for name, case in CASES.items() if "after-shutdown" in case.quirks
    ]
    watcher = Watcher([hosts["in-progress"], hosts["scheduled"]], spoiled)
    watcher.start()
    play: list[dict[str, t.Any]] = [
        {
            "name": "Restart",
            "hosts": ":".join(CASES),
            "gather_facts": False,
            "tasks": [{"name": "Restart", "mailops.exchange_tls.wmi_reboot": "{{ options }}"}],
        }
    ]
    extra = overriding(ansible.folder, variables)
    run = ansible.playbook(play, *extra, "-f", str(len(CASES)))
    watcher.over.set()
    watcher.join(5)
    assert not watcher.is_alive()
    found = {}
    for name, host in hosts.items():
        found[name] = Ended(
            only(run.of("wmi_reboot", name)), before[name], host.boot_time(), host.restarts(), host.requests()
        )
    return run, found


@pytest.mark.parametrize("name", CASES)
def test_how_the_restart_ends(ended: tuple[Run, dict[str, Ended]], name: str) -> None:
    case, end = CASES[name], ended[1][name]
    result = end.item.result
    message = result["msg"]
    assert end.item.outcome == case.outcome, message
    for word in case.says:
        assert word in message
    assert len(end.restarts) == case.restarts
    assert result["changed"] is case.asked, message
    assert abs(seconds_of(result["boot_before"]) - end.boot_before) <= 2
    if case.outcome == "ok":
        assert result["rebooted"] is True
        assert result["restart_pending"] is False
        assert abs(seconds_of(result["boot_after"]) - end.boot_after) <= 2
        assert 0 < result["elapsed"] < 30
    else:
        # services that do not start are a failure after a restart that was none
        assert result["rebooted"] is message.startswith("The host is back")
        assert ".." not in message
        assert ".)" not in message


def seconds_of(text: str) -> float:
    assert text.endswith("Z"), text
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_no_output_holds_a_traceback(ended: tuple[Run, dict[str, Ended]]) -> None:
    assert_no_traceback(ended[0])


def test_one_deadline_for_everything(ended: tuple[Run, dict[str, Ended]]) -> None:
    """A host that answers nothing does not get the time of every single question on top."""
    for name in ("silent", "dripping", "no-restart", "never-back"):
        assert SHORT <= ended[1][name].item.result["elapsed"] <= SHORT + 6, name


def test_services_are_waited_for(ended: tuple[Run, dict[str, Ended]]) -> None:
    """Automatic ones that ran before; by name also any other. In the spelling of the host."""
    mailbox = ended[1]["mailbox"].item.result
    assert mailbox["services"] == ["MSExchangeIS", "MSExchangeTransport"]
    assert mailbox["elapsed"] >= 4
    assert ended[1]["named"].item.result["services"] == ["MSExchangeTransport", "W32Time"]
    assert ended[1]["named"].item.result["elapsed"] >= 4
    assert ended[1]["brackets"].item.result["services"] == ["Backup[1]", "Backup[1]Agent"]
    assert ended[1]["no-exchange"].item.result["services"] == []


def test_every_stage_is_said_aloud(ended: tuple[Run, dict[str, Ended]]) -> None:
    output = ended[0].output
    for line in (
        "plain: restart requested",
        "plain: is going down",
        "plain: is back",
        "mailbox: waiting for MSExchangeIS and 1 more service",
        "in-progress: a shutdown is already in progress",
        "scheduled: a shutdown is already scheduled",
        "cuts: the restart request was not answered",
        "no-exchange: no automatic service runs that MSExchange* stands for",
        "comment-refused: the restart with a comment was refused",
    ):
        assert line in output


def requested(end: Ended) -> list[tuple[str, dict[str, t.Any]]]:
    return [(item["operation"], item["arguments"]) for item in end.requests if item["operation"] in (SHUTDOWN, TRACKER)]


def test_the_request_that_windows_gets(ended: tuple[Run, dict[str, Ended]]) -> None:
    ends = ended[1]
    assert requested(ends["plain"]) == [(SHUTDOWN, {"Flags": "6", "Reserved": "0"})]
    assert requested(ends["gentle"]) == [(SHUTDOWN, {"Flags": "2", "Reserved": "0"})]
    (operation, arguments), *more = requested(ends["comment"])
    assert more == []
    assert operation == TRACKER
    assert arguments["Comment"] == "TLS 1.2 für Exchange <Online>"
    assert arguments["Flags"] == "6"
    # SHTDN_REASON_FLAG_PLANNED
    assert int(arguments["ReasonCode"]) & 0x80000000
    assert [operation for operation, _arguments in requested(ends["comment-refused"])] == [TRACKER, SHUTDOWN]


def test_a_restart_is_requested_once(ended: tuple[Run, dict[str, Ended]]) -> None:
    """Also where the answer was lost: the second would come when the host is up again."""
    for name, end in ended[1].items():
        if name not in ("comment-refused", "no-such-service", "no-such-pattern", "incomplete"):
            assert len(requested(end)) == 1, name


# --- what is pending ------------------------------------------------------------------------------------------------


def reboot(ansible: Ansible, hosts: str, *arguments: str, **options: t.Any) -> Run:
    options = {"timeout": 30, "services": [], "only_if_pending": "true", **options}
    return ansible.task("wmi_reboot", *arguments, hosts=hosts, options=options)


def note(lab: LabClient, name: str) -> dict[str, t.Any] | None:
    values = lab.host(name).registry(NOTE_KEY)
    if values is None:
        return None
    found: dict[str, t.Any] = json.loads(values["RestartPending"]["data"])
    return found


@dataclasses.dataclass(frozen=True)
class Stories:
    """The hosts of STORIES after a change: one cut off, one started again by hand, one with a note nobody can read."""

    ansible: Ansible
    original: Dump


@pytest.fixture(scope="module")
def stories(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> Stories:
    ansible = Ansible(lab, tmp_path_factory.mktemp("stories"))
    original = protocols(lab.host("pending"))
    lab.host("cut-off").set_quirk("cut", {"operation": "StdRegProv.SetDWORDValue", "nth": 3, "every": True})
    run = ansible.task("tls_settings", *FORKS, hosts="pending:by-hand:cut-off", options={"undo_on_failure": "false"})
    assert {item.host: item.outcome for item in run.of("tls_settings")} == {
        "pending": "ok",
        "by-hand": "ok",
        "cut-off": "unreachable",
    }
    lab.host("cut-off").clear_quirks()
    lab.host("rubbish").set_value(NOTE_KEY, "RestartPending", "not a note", "REG_SZ")
    lab.host("by-hand").restart()
    return Stories(ansible, original)


@pytest.fixture(scope="module")
def restarted(lab: LabClient, stories: Stories) -> dict[str, Run]:
    """Check mode, then the real run, then once more, on all of them."""
    hosts = ":".join(STORIES)
    looked = stories.ansible.task("tls_settings_info", *FORKS, hosts=hosts)
    before = {name: len(lab.host(name).restarts()) for name in STORIES}
    checked = reboot(stories.ansible, hosts, *FORKS, "--check")
    assert {name: len(lab.host(name).restarts()) for name in STORIES} == before
    real = reboot(stories.ansible, hosts, *FORKS)
    again = reboot(stories.ansible, hosts, *FORKS)
    return {"looked": looked, "checked": checked, "real": real, "again": again}


PENDING = {"pending": True, "clean": False, "by-hand": False, "cut-off": True, "rubbish": True}


@pytest.mark.parametrize("name", STORIES)
def test_only_if_pending(lab: LabClient, restarted: dict[str, Run], name: str) -> None:
    pending = PENDING[name]
    assert restarted["looked"].result("tls_settings_info", name)["restart_pending"] is pending
    for run in ("checked", "real"):
        result = restarted[run].result("wmi_reboot", name)
        assert result["changed"] is pending, run
        assert result["rebooted"] is (pending and run == "real"), run
        assert result["restart_pending"] is (pending and run == "checked"), run
    assert restarted["again"].result("wmi_reboot", name)["changed"] is False
    assert len(lab.host(name).restarts()) == (1 if pending or name == "by-hand" else 0)


def test_an_unreadable_note_is_said(restarted: dict[str, Run]) -> None:
    warnings = restarted["looked"].result("tls_settings_info", "rubbish")["warnings"]
    assert any("RestartPending" in str(warning) for warning in warnings)


@pytest.mark.parametrize("name", ["pending", "clean", "rubbish"])
def test_nothing_is_left_behind_after_the_restart(lab: LabClient, restarted: dict[str, Run], name: str) -> None:
    assert restarted["real"].rc == 0
    assert lab.host(name).registry(NOTE_KEY) is None


def test_after_a_restart_by_hand_the_next_change_takes_the_note_away(
    lab: LabClient, stories: Stories, restarted: dict[str, Run]
) -> None:
    del restarted
    assert note(lab, "by-hand") is not None
    stories.ansible.task("tls_settings", "--check", hosts="by-hand").ok()
    assert note(lab, "by-hand") is not None
    run = stories.ansible.task("tls_settings", hosts="by-hand").ok()
    assert run.result("tls_settings", "by-hand")["changed"] is False
    assert lab.host("by-hand").registry(NOTE_KEY) is None


def test_a_change_that_was_cut_off_can_be_finished_and_undone_over_a_restart(
    lab: LabClient, stories: Stories, restarted: dict[str, Run]
) -> None:
    del restarted
    host = lab.host("cut-off")
    left = note(lab, "cut-off")
    assert left is not None
    assert left["at_boot"] == []
    assert len(left["unfinished"]) == 4
    assert protocols(host) != stories.original
    stories.ansible.task("tls_settings", hosts="cut-off").ok()
    finished = note(lab, "cut-off")
    assert finished is not None
    assert finished["unfinished"] == []
    stories.ansible.task("tls_rollback", hosts="cut-off").ok()
    assert protocols(host) == stories.original


def test_other_words_for_false(lab: LabClient, stories: Stories, restarted: dict[str, Run]) -> None:
    """Answers of an AWX survey are text."""
    del restarted
    run = reboot(stories.ansible, "clean", only_if_pending="false", force="false").ok()
    assert run.result("wmi_reboot", "clean")["rebooted"] is True
    assert len(lab.host("clean").restarts()) == 1


@pytest.mark.parametrize("timeout", ["0", "-5"])
def test_a_timeout_that_makes_no_sense(lab: LabClient, stories: Stories, timeout: str) -> None:
    before = lab.host("rubbish").counters()["http_requests"]
    run = reboot(stories.ansible, "rubbish", timeout=timeout)
    item = only(run.of("wmi_reboot", "rubbish"))
    assert item.outcome == "failed"
    assert "timeout" in item.result["msg"]
    assert timeout in item.result["msg"]
    assert lab.host("rubbish").counters()["http_requests"] == before


def test_its_old_name_still_works_and_says_so(lab: LabClient, ansible: Ansible) -> None:
    """Defaults of the group, too: the whole is an older playbook of somebody."""
    play = {
        "name": "Restart",
        "hosts": "clean",
        "gather_facts": False,
        "module_defaults": {"group/mailops.exchange_tls.exchange_tls": {"wire_log": None, "timeout": -1}},
        "tasks": [{"name": "Restart", "mailops.exchange_tls.reboot": {"only_if_pending": True}}],
    }
    run = ansible.playbook([play])
    (item,) = run.outcomes
    assert "'timeout' is -1" in item.result["msg"]
    assert "It is called mailops.exchange_tls.wmi_reboot now." in " ".join(run.output.split())
