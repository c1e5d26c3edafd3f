# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tls_settings_info, tls_settings and tls_rollback on hosts in every state."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from tests.lab.client import LabClient

from .harness import NOTE_KEY, PROTOCOLS_KEY, TLS12_CLIENT, TLS12_SERVER, Ansible, Run

STATES: dict[str, list[t.Any]] = {
    "stock": ["stock"],
    "off": ["stock", "tls12_off"],
    "right": ["stock", "tls12_enabled"],
    "half": ["stock", "half_configured"],
    "nonstandard": ["stock", "nonstandard"],
    "wrongtype": ["stock", "wrong_type"],
    "hardened": ["stock", "hardened"],
    "full": ["stock", "fully_configured"],
    "finnish": ["stock", "damaged_fi"],
    "norwegian": ["stock", "damaged_nb"],
    "danish": ["stock", "damaged_da"],
    "lithuanian": ["stock", "damaged_lt"],
    "ukrainian": ["stock", "damaged_uk"],
}
CONNECTIONS = ("winrm", "psrp")
LAB: dict[str, t.Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1", "administrator": True}],
    "hosts": {
        **{name: {"windows": "2016", "registry": layers} for name, layers in STATES.items()},
        "r2": {"windows": "2008r2", "registry": ["stock", {TLS12_SERVER: {"Enabled": 1}}]},
        "new": {"windows": "2025", "registry": ["stock"], "timezone": "-05:00", "clock_offset": 7200},
        "single": {"windows": "2019", "registry": ["stock"]},
        "sides": {"windows": "2019", "registry": ["stock", "hardened"]},
    },
}
ALREADY_RIGHT = {"right", "nonstandard", "hardened", "full", "norwegian"}


class Story(t.NamedTuple):
    """Four runs over all hosts in the states above, and the registry between them."""

    runs: dict[str, Run]
    dumps: dict[str, dict[str, t.Any]]
    ansible: Ansible


@pytest.fixture(scope="module", params=CONNECTIONS)
def story(request: pytest.FixtureRequest, lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Audit, check, write, write again, roll back: after it the hosts are as they were."""
    ansible = Ansible(lab, tmp_path_factory.mktemp(request.param))
    found = Story({}, {"begin": _dump(lab)}, ansible)
    steps = [
        ("audit", "tls_settings_info", ()),
        ("check", "tls_settings", ("--check", "--diff")),
        ("write", "tls_settings", ("--diff",)),
        ("again", "tls_settings", ()),
    ]
    for step, module, arguments in steps:
        found.runs[step] = ansible.task(
            module,
            "-f",
            "10",
            *arguments,
            hosts=":".join(STATES),
            connection=request.param,
            limit=120,
        ).ok()
        found.dumps[step] = _dump(lab)
    changed = [name for name in STATES if name not in ALREADY_RIGHT]
    found.runs["rollback"] = ansible.task(
        "tls_rollback", "-f", "10", "--diff", hosts=":".join(changed), connection=request.param
    ).ok()
    found.dumps["rollback"] = _dump(lab)
    return found


def _dump(lab: LabClient) -> dict[str, t.Any]:
    return {name: lab.host(name).dump() for name in STATES}


@pytest.fixture(params=STATES)
def state(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_reading_changes_nothing(story: Story) -> None:
    assert story.dumps["audit"] == story.dumps["begin"]
    assert story.dumps["check"] == story.dumps["begin"]


def test_check_mode_predicts(story: Story, state: str) -> None:
    predicted = dict(story.runs["check"].result("tls_settings", state))
    real = dict(story.runs["write"].result("tls_settings", state))
    for result in (predicted, real):
        result.pop("backup")
        # between two readings of two clocks a busy controller takes its time
        result["host"] = {**result["host"], "clock_offset": 0}
        result["changes"] = [{**change, "status": ""} for change in result["changes"]]
    assert predicted == real
    assert real["changed"] is (state not in ALREADY_RIGHT)


def test_only_what_violates_is_written(story: Story, state: str) -> None:
    before, after = story.dumps["begin"][state], story.dumps["write"][state]
    result = story.runs["write"].result("tls_settings", state)
    written = {(item["key"].lower(), item["value"]) for item in result["changes"]}
    differs = {
        (key.lower() if key.lower().startswith("hklm") else f"hklm\\{key.lower()}", name)
        for key in {*before, *after}
        for name in {*before.get(key, {}), *after.get(key, {})}
        if before.get(key, {}).get(name) != after.get(key, {}).get(name)
    }
    assert differs == written
    assert result["compliant"] is True
    assert (result["backup"] is None) is (state in ALREADY_RIGHT)


def test_again_changes_nothing(story: Story) -> None:
    assert story.dumps["again"] == story.dumps["write"]
    for item in story.runs["again"].of("tls_settings"):
        assert item.result["changed"] is False
        assert item.result["restart_required"] is (item.host not in ALREADY_RIGHT)


def test_rollback_restores_every_key(story: Story, state: str) -> None:
    assert story.dumps["rollback"][state] == story.dumps["begin"][state]
    if state not in ALREADY_RIGHT:
        result = story.runs["rollback"].result("tls_rollback", state)
        # what is there again is what Windows was started with
        assert result["restart_pending"] is False


def test_states(story: Story) -> None:
    def side(name: str, which: str) -> tuple[str, str]:
        found = story.runs["audit"].result("tls_settings_info", name)["protocols"]["TLS 1.2"][which]
        return found["state"], found["effective"]

    assert side("stock", "Client") == ("not_configured", "enabled")
    assert side("off", "Server") == ("disabled", "disabled")
    assert side("half", "Client") == ("enabled", "enabled")
    assert side("half", "Server") == ("not_configured", "enabled")
    assert side("nonstandard", "Server") == ("enabled", "enabled")
    assert side("wrongtype", "Client") == ("unknown", "unknown")
    assert side("lithuanian", "Client") == ("not_configured", "enabled")


def test_nonstandard_is_on_and_said(story: Story) -> None:
    result = story.runs["audit"].result("tls_settings_info", "nonstandard")
    asked = [item for item in result["findings"] if item["expected"] is not None]
    assert {item["status"] for item in asked} == {"compliant"}
    odd = [item for item in result["findings"] if item["id"].endswith(".nonstandard")]
    assert [(item["side"], item["severity"]) for item in odd] == [("Client", "low"), ("Server", "low")]
    assert all("4294967295 (0xffffffff)" in item["message"] for item in odd)


def test_wrong_types_keep_their_raw_value(story: Story) -> None:
    result = story.runs["audit"].result("tls_settings_info", "wrongtype")
    client, server = (result["protocols"]["TLS 1.2"][name] for name in ("Client", "Server"))
    assert client["Enabled"] == {"present": True, "type": "REG_SZ", "data": "1"}
    assert server["Enabled"] == {"present": True, "type": "REG_QWORD", "data": 1}
    asked = [item for item in result["findings"] if item["expected"] is not None and item["value"] == "Enabled"]
    assert len(asked) == 2
    assert all("wrong type" in item["message"] for item in asked)
    assert len([item for item in result["findings"] if item["id"].endswith(".wrong_type")]) == 3


def test_diff_shows_each_value(story: Story) -> None:
    lines = story.runs["write"].output.splitlines()
    assert "-    Enabled = REG_DWORD 0" in lines
    assert "+    Enabled = REG_DWORD 1" in lines
    assert "-    Enabled = REG_SZ '1'" in lines


def test_backup_file(story: Story) -> None:
    path = pathlib.Path(story.runs["write"].result("tls_settings", "off")["backup"])
    data = json.loads(path.read_text(encoding="utf-8"))
    assert data["computer_name"] == "OFF"
    assert data["missing_keys"] == []
    assert {(item["key"], item["value"]): item["data"] for item in data["values"]} == {
        (TLS12_CLIENT, "Enabled"): 0,
        (TLS12_CLIENT, "DisabledByDefault"): 1,
        (TLS12_SERVER, "Enabled"): 0,
        (TLS12_SERVER, "DisabledByDefault"): 1,
    }


def test_facts_and_defaults_by_build(ansible: Ansible) -> None:
    run = ansible.task("tls_settings_info", hosts="r2:new").ok()
    r2, new = run.result("tls_settings_info", "r2"), run.result("tls_settings_info", "new")
    # Enabled=1 alone does not put TLS 1.2 into the default offer of 2008 R2
    assert r2["protocols"]["TLS 1.2"]["Server"]["effective"] == "disabled_by_default"
    assert r2["protocols"]["TLS 1.2"]["Client"]["effective"] == "disabled"
    assert new["protocols"]["TLS 1.0"]["Server"]["effective"] == "unknown"
    assert new["protocols"]["TLS 1.3"]["Server"]["effective"] == "enabled"
    assert new["host"]["build"] == 26100
    assert new["host"]["domain_role"]
    # two hours ahead, whatever its time zone
    assert 7190 < new["host"]["clock_offset"] < 7210


def test_sides_apart_and_old_protocols(lab: LabClient, ansible: Ansible) -> None:
    protocols = {"TLS 1.1": {"Server": "enabled", "Client": "unmanaged"}, "TLS 1.0": "default", "TLS 1.2": "enabled"}
    run = ansible.task("tls_settings", hosts="sides", options={"baseline": "none", "protocols": protocols}).ok()
    host = lab.host("sides")
    assert {
        item["value"]: item["after"]["data"]
        for item in run.result("tls_settings")["changes"]
        if "TLS 1.1" in item["key"]
    }
    assert host.registry(rf"{PROTOCOLS_KEY}\TLS 1.1\Server") == {
        "Enabled": {"type": "REG_DWORD", "data": 1},
        "DisabledByDefault": {"type": "REG_DWORD", "data": 0},
    }
    assert host.registry(rf"{PROTOCOLS_KEY}\TLS 1.1\Client") == {
        "Enabled": {"type": "REG_DWORD", "data": 0},
        "DisabledByDefault": {"type": "REG_DWORD", "data": 1},
    }
    assert host.registry(rf"{PROTOCOLS_KEY}\TLS 1.0\Client") == {}


def test_pending_follows_boot_and_values(lab: LabClient, ansible: Ansible) -> None:
    """Written: pending. Put back by hand: not pending. Written again and restarted by hand: not pending."""
    host = lab.host("single")

    def pending() -> bool:
        return bool(
            ansible.task("tls_settings_info", hosts="single").ok().result("tls_settings_info")["restart_pending"]
        )

    assert ansible.task("tls_settings", hosts="single").ok().result("tls_settings")["restart_required"] is True
    assert pending() is True
    host.delete_key(rf"{PROTOCOLS_KEY}\TLS 1.2")
    assert pending() is False
    ansible.task("tls_settings", hosts="single").ok()
    assert pending() is True
    host.restart()
    assert pending() is False
    assert host.registry(NOTE_KEY) is not None
    run = ansible.task("tls_settings", hosts="single").ok()
    assert run.result("tls_settings")["changed"] is False
    assert host.registry(NOTE_KEY) is None


def test_an_unreadable_note_counts_as_pending(lab: LabClient, ansible: Ansible) -> None:
    host = lab.host("full")
    host.set_value(NOTE_KEY, "RestartPending", "rubbish", "REG_SZ")
    run = ansible.task("tls_settings_info", hosts="full").ok()
    assert run.result("tls_settings_info")["restart_pending"] is True
    assert "cannot be read" in run.output
    host.delete_key(NOTE_KEY)
