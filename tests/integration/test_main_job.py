# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job on four hosts, through both connection plugins: audit, predict, enforce, again, roll back."""

from __future__ import annotations

import pathlib
import re
import stat
import typing as t

import pytest

from tests.lab.client import LabClient

from .harness import NOTE_KEY, TLS12_CLIENT, TLS12_SERVER, Ansible, Run

HOST: dict[str, t.Any] = {
    "endpoints": [{"kind": "smtp", "port": 2525}, {"kind": "https", "port": 8443}],
    "restart": {"shutdown_delay": 0.1, "down_for": 0.5},
}
KINDS: dict[str, dict[str, t.Any]] = {
    "stock16": {"windows": "2016", "registry": ["stock"]},
    "stock19": {"windows": "2019", "registry": ["stock"]},
    "off": {"windows": "2016", "registry": ["stock", "tls12_off"]},
    "damaged": {"windows": "2012r2", "registry": ["stock", "damaged_fi"]},
}
LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": {
        f"{connection}-{kind}": {**description, **HOST}
        for connection in ("winrm", "psrp")
        for kind, description in KINDS.items()
    },
}
ENDPOINTS = ["smtp://:2525", "https://:8443"]
RIGHT = {
    "Enabled": {"type": "REG_DWORD", "data": 1},
    "DisabledByDefault": {"type": "REG_DWORD", "data": 0},
}

pytestmark = pytest.mark.smoke


@pytest.fixture(scope="module", params=["winrm", "psrp"])
def job(
    request: pytest.FixtureRequest, lab: LabClient, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, t.Any], dict[str, Run], Ansible]:
    """All runs of the job, in order, with the registries between them. The tests look at what came of it."""
    connection: str = request.param
    ansible = Ansible(lab, tmp_path_factory.mktemp(connection))
    hosts = f"{connection}-*"
    names = [f"{connection}-{kind}" for kind in KINDS]
    dumps: dict[str, t.Any] = {}
    runs: dict[str, Run] = {}

    # batches are the business of the tests of the role
    together = ("-e", "tls12_serial=4")

    def play(step: str, book: str, *arguments: str) -> None:
        runs[step] = ansible.playbook(
            book,
            "-l",
            hosts,
            *arguments,
            connection=connection,
            tls12_endpoints=ENDPOINTS,
            tls12_handshakes="required",
            limit=150,
        )
        dumps[step] = {name: (lab.host(name).dump(), len(lab.host(name).restarts())) for name in names}

    dumps["begin"] = {name: (lab.host(name).dump(), 0) for name in names}
    play("audit", "audit-tls12.yml")
    play("predict", "enforce-tls12.yml", "--check", "--diff")
    play("enforce", "enforce-tls12.yml", "--diff")
    play("again", "enforce-tls12.yml", *together)
    play("rollback", "rollback-tls12.yml", *together)
    play("rollback again", "rollback-tls12.yml", *together)
    return connection, dumps, runs, ansible


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_run_succeeds(job: t.Any) -> None:
    for step, run in job[2].items():
        assert run.rc == 0, f"{step}:\n{run.output}"


def test_audit_and_check_mode_change_nothing(job: t.Any) -> None:
    _connection, dumps, runs, ansible = job
    assert dumps["audit"] == dumps["begin"]
    assert dumps["predict"] == dumps["begin"]
    assert all(item.result["changed"] is False for item in runs["audit"].outcomes)
    backups = sorted(path.name for path in ansible.backups.iterdir())
    assert len([name for name in backups if name.endswith(".change.json")]) == len(KINDS), backups


def test_audit_judges(job: t.Any, kind: str) -> None:
    connection, _dumps, runs, _ansible = job
    result = runs["audit"].result("tls_settings_info", f"{connection}-{kind}")
    states = {side: result["protocols"]["TLS 1.2"][side]["state"] for side in ("Client", "Server")}
    effective = {side: result["protocols"]["TLS 1.2"][side]["effective"] for side in ("Client", "Server")}
    assert result["compliant"] is False
    assert result["restart_pending"] is False
    assert states == {
        "off": {"Client": "disabled", "Server": "disabled"},
        "damaged": {"Client": "not_configured", "Server": "enabled"},
    }.get(kind, {"Client": "not_configured", "Server": "not_configured"})
    assert set(effective.values()) == {"disabled" if kind == "off" else "enabled"}
    assert result["protocols"]["TLS 1.3"]["Client"]["effective"] == "unsupported"
    asked = [item["id"] for item in result["findings"] if item["expected"] is not None]
    assert len(asked) == len(set(asked)) == 8


def test_check_mode_predicts_the_real_run(job: t.Any, kind: str) -> None:
    connection, _dumps, runs, _ansible = job
    host = f"{connection}-{kind}"
    predicted = runs["predict"].result("tls_settings", host)
    real = runs["enforce"].result("tls_settings", host)
    # when it ended is no part of what was found
    ignored = {"backup", "changes", "invocation"}
    told, done = (
        # the offset is measured, on whatever else the machine does
        {key: result[key] for key in result if key not in ignored} | {"host": {**result["host"], "clock_offset": 0}}
        for result in (predicted, real)
    )
    assert told == done
    assert predicted["changed"] is True
    assert predicted["backup"] is None
    assert [{**item, "status": ""} for item in predicted["changes"]] == [
        {**item, "status": ""} for item in real["changes"]
    ]
    assert {item["status"] for item in predicted["changes"]} == {"planned"}
    restart = runs["predict"].of("wmi_reboot", host)
    assert restart[-1].result["changed"] is True
    assert restart[-1].result["rebooted"] is False


def test_enforce_writes_restarts_and_verifies(job: t.Any, kind: str, lab: LabClient) -> None:
    connection, dumps, runs, _ansible = job
    host = f"{connection}-{kind}"
    dump, restarts = dumps["enforce"][host]
    folded = {key.lower(): values for key, values in dump.items()}
    for key in (TLS12_CLIENT, TLS12_SERVER):
        values = next(found for name, found in folded.items() if name.endswith(key.lower()))
        assert values == RIGHT
    assert restarts == 1
    result = runs["enforce"].result("tls_settings", host)
    assert result["compliant"] is True
    assert result["was_compliant"] is False
    assert result["restart_required"] is True
    assert len(result["changes"]) == (7 if kind == "damaged" else 8)
    restart = runs["enforce"].result("wmi_reboot", host)
    assert restart["rebooted"] is True
    assert restart["boot_after"] > restart["boot_before"]
    after = runs["enforce"].result("tls_settings_info", host)
    assert after["compliant"] is True
    assert after["restart_pending"] is False
    assert after["handshakes"]["versions"]["TLS 1.2"] == "accepted"
    assert after["verdict"]["word"] == "verified"
    assert lab.host(host).registry(NOTE_KEY) is None


def test_strays_are_left_alone(job: t.Any) -> None:
    connection, dumps, _runs, _ansible = job
    for step in ("enforce", "rollback"):
        keys = dumps[step][f"{connection}-damaged"][0]
        assert [key for key in keys if key.endswith("TLS 1,2")]
        assert [key for key in keys if key.endswith("Asiakas")]


def test_a_second_run_changes_nothing(job: t.Any) -> None:
    _connection, dumps, runs, _ansible = job
    assert dumps["again"] == dumps["enforce"]
    assert all(item.result.get("changed") is not True for item in runs["again"].outcomes), runs["again"].output


def test_rollback_is_exact(job: t.Any, kind: str) -> None:
    connection, dumps, runs, _ansible = job
    host = f"{connection}-{kind}"
    assert dumps["rollback"][host][0] == dumps["begin"][host][0]
    assert dumps["rollback"][host][1] == 2
    assert runs["rollback"].result("wmi_reboot", host)["rebooted"] is True


def test_a_second_rollback_changes_nothing(job: t.Any) -> None:
    _connection, dumps, runs, _ansible = job
    assert dumps["rollback again"] == dumps["rollback"]
    assert all(item.result.get("changed") is not True for item in runs["rollback again"].outcomes)


def test_backups_are_private(job: t.Any) -> None:
    ansible: Ansible = job[3]
    assert stat.S_IMODE(ansible.backups.stat().st_mode) == 0o700
    for path in ansible.backups.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_the_summary_tells_the_story(job: t.Any) -> None:
    _connection, _dumps, runs, _ansible = job
    audit = runs["audit"].output
    # worst first: the server whose mail has stopped
    assert re.search(r"1\.2 C/S +.NET4.*\n *.*-off +2016 +on +on +OFF/OFF", audit), audit
    assert "wrong:    TLS 1.2 Client and Server: Enabled 0, want 1; DisabledByDefault 1, want 0" in audit
    assert "--check" in audit
    assert "enforce-tls12.yml" in audit
    assert "8 registry values would be written" in runs["predict"].output
    # the values of today, and not those that are predicted
    assert "OFF/OFF" in runs["predict"].output
    assert runs["enforce"].output.count("1 verified; not reached: none") == len(KINDS)
    assert "OFF/OFF" not in runs["enforce"].output
    assert runs["again"].output.count("  verified  1.2 in") == len(KINDS)
    back = runs["rollback"].output
    assert back.count("registry values restored from") == len(KINDS)
    assert "verified" not in back
    assert "next:     TLS 1.2 is not on for Client and Server. To turn it on again:" in back


def test_no_secret_anywhere(job: t.Any) -> None:
    _connection, _dumps, runs, ansible = job
    for run in runs.values():
        assert "Lab-Pass-1" not in run.output
    for path in pathlib.Path(ansible.folder).rglob("*.json*"):
        assert "Lab-Pass-1" not in path.read_text(encoding="utf-8")
