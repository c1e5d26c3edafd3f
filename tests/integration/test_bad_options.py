# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options, files and connection variables that make no sense: each is named, with what was meant, before anything is
sent or written."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import typing as t

import pytest

from tests.lab.client import LabClient

from .fleet import ACCOUNTS, FORKS, assert_no_traceback, only, overriding, protocols
from .harness import NOTE_KEY, TLS12_CLIENT, Ansible, Outcome, Run


@dataclasses.dataclass(frozen=True)
class Case:
    """What a module is told, and what it must say to that. asks: it has to ask the host before it can know."""

    module: str
    options: t.Mapping[str, t.Any]
    says: tuple[str, ...]
    asks: bool = False


def policy(wanted: t.Any, *says: str) -> Case:
    return Case("tls_settings", {"baseline": "none", "protocols": wanted}, says)


ALLOWED = ("SSL 2.0, SSL 3.0, TLS 1.0, TLS 1.1, TLS 1.2, TLS 1.3",)
CASES = {
    # what is wanted
    "comma": policy({"TLS 1,2": "enabled"}, "unknown protocol 'TLS 1,2'", "did you mean 'TLS 1.2'?", *ALLOWED),
    "no-blank": policy({"TLS1.2": "enabled"}, "unknown protocol 'TLS1.2'", "did you mean 'TLS 1.2'?"),
    "number": policy({1.2: "enabled"}, "unknown protocol '1.2'", *ALLOWED),
    "not-invented": policy({"QUIC": "enabled"}, "unknown protocol 'QUIC'", *ALLOWED),
    "state": policy({"TLS 1.2": "enabeld"}, "unknown state of TLS 1.2 'enabeld'", "did you mean 'enabled'?"),
    "side": policy({"TLS 1.2": {"Klient": "enabled"}}, "unknown side of TLS 1.2 'Klient'", "did you mean 'Client'?"),
    "side-state": policy({"TLS 1.2": {"Client": "of"}}, "unknown state of TLS 1.2 'of'", "unmanaged"),
    "boolean": policy({"TLS 1.2": True}, "TLS 1.2", "instead of a boolean", "'enabled' or 'disabled'"),
    "boolean-off": policy({"TLS 1.0": False}, "TLS 1.0", "instead of a boolean"),
    "null": policy({"TLS 1.2": None}, "TLS 1.2", "unknown state"),
    "list": policy(["TLS 1.2"], "protocols", "a mapping"),
    "text": policy("TLS 1.2", "protocols", "no mapping"),
    "twice": policy({"TLS 1.2": "enabled", "tls 1.2": "enabled"}, "TLS 1.2 is named twice"),
    "empty": policy({}, "policy is empty", "{TLS 1.2: enabled}"),
    "empty-side": policy({"TLS 1.2": {}}, "policy is empty"),
    "unmanaged": policy({"TLS 1.2": "unmanaged"}, "policy is empty"),
    "off": policy({"TLS 1.2": "disabled"}, "TLS 1.2 cannot be disabled", "Exchange SMTP has no TLS 1.3"),
    "off-one-side": policy(
        {"TLS 1.3": "enabled", "TLS 1.2": {"Client": "Disabled"}}, "TLS 1.2 cannot be disabled on the Client side"
    ),
    "several": policy(
        {"TLS 1,1": "disabled", "TLS 1.0": "offf", "TLS 1.2": "disabled"},
        "'TLS 1.1'",
        "'offf'",
        "TLS 1.2 cannot be disabled",
    ),
    "info": Case("tls_settings_info", {"protocols": {"TLS 1,2": "enabled"}}, ("unknown protocol", "'TLS 1.2'")),
    # options that there are not, next to others that are wrong
    "unknown": Case(
        "tls_settings",
        {"protocol": {"TLS 1.2": "enabled"}},
        ("unknown option 'protocol'", "'protocols'?", "backup_dir"),
    ),
    "unknown-and-type": Case(
        "tls_settings", {"frobnicate": 1, "undo_on_failure": "maybe"}, ("frobnicate", "undo_on_failure", "maybe")
    ),
    "unknown-and-policy": Case(
        "tls_settings",
        {"frobnicate": 1, "protocols": {"TLS 1,2": "enabled"}},
        ("frobnicate", "did you mean 'TLS 1.2'?"),
    ),
    "type-and-policy": Case(
        "tls_settings",
        {"undo_on_failure": "maybe", "baseline": "none", "protocols": {}},
        ("undo_on_failure", "policy is empty"),
    ),
    "timeout": Case("wmi_reboot", {"timeout": -1}, ("'timeout'", "-1", "more than 0")),
    "timeout-and-unknown": Case("wmi_reboot", {"timeout": 0, "time": 3}, ("unknown option 'time'", "more than 0")),
    "timeout-text": Case("wmi_reboot", {"timeout": "soon", "wait": 3}, ("'timeout'", "a whole number", "'wait'")),
    # endpoints
    "endpoint": Case("tls_handshake_info", {"endpoints": ["smtp", "smpt"]}, ("smpt", "smtp, ")),
    "endpoint-port": Case("tls_handshake_info", {"endpoints": ["smtp://ex01:99999"]}, ("99999",)),
    "endpoint-timeout": Case("tls_handshake_info", {"timeout": -3, "endpoint": "smtp"}, ("timeout", "-3", "endpoint")),
    # files and folders on the controller
    "folder": Case("tls_settings", {"backup_dir": "{{ blocked }}"}, ("backup", "blocked", "Nothing was changed"), True),
    "wire-log": Case("tls_settings", {"wire_log": "{{ blocked }}"}, ("wire log", "blocked")),
    "no-backup": Case("tls_rollback", {"backup_dir": "{{ backups }}"}, ("no backup of no-backup", "backups")),
    "no-folder": Case("tls_rollback", {"backup_dir": "{{ blocked }}"}, ("no backup of no-folder", "blocked")),
    "no-file": Case("tls_rollback", {"backup": "/no/such/file.json"}, ("/no/such/file.json", "No such file")),
    "not-json": Case("tls_rollback", {"backup": "{{ files }}/not-json"}, ("not a backup of this collection",)),
    "cut-short": Case("tls_rollback", {"backup": "{{ files }}/cut-short"}, ("not a backup of this collection",)),
    "other-json": Case("tls_rollback", {"backup": "{{ files }}/other-json"}, ("not a backup of this collection",)),
    "list-json": Case(
        "tls_rollback", {"backup": "{{ files }}/list-json"}, ("not a backup of this collection", "no JSON object")
    ),
    "lacking": Case("tls_rollback", {"backup": "{{ files }}/lacking"}, ("not a backup", "it lacks 'missing_keys'")),
    "binary": Case("tls_rollback", {"backup": "{{ files }}/binary"}, ("binary", "not a text file")),
    "newer": Case("tls_rollback", {"backup": "{{ files }}/newer"}, ("version is 99", "reads versions up to 2")),
    "bad-value": Case("tls_rollback", {"backup": "{{ files }}/bad-value"}, ("4294967296", "REG_DWORD")),
    "bad-type": Case("tls_rollback", {"backup": "{{ files }}/bad-type"}, ("REG_DWRD",)),
    "other-host": Case(
        "tls_rollback",
        {"backup": "{{ files }}/whole"},
        ("made on DONOR", "this host is OTHER-HOST", "Nothing was changed", "other_host"),
        True,
    ),
}

# Variables of the connection, over winrm and over psrp.
CONNECTIONS: dict[str, dict[str, t.Any]] = {
    "port": {"ansible_port": "http"},
    "winrm-timeouts": {"ansible_winrm_operation_timeout_sec": 30, "ansible_winrm_read_timeout_sec": 20},
    "winrm-scheme": {"ansible_winrm_scheme": "gopher"},
    "winrm-transport": {"ansible_winrm_transport": "telepathy"},
    "winrm-extra": {"ansible_winrm_frobnicate": 1},
    "no-password": {"ansible_password": ""},
    "psrp-auth": {"ansible_connection": "psrp", "ansible_psrp_auth": "telepathy"},
    "psrp-encryption": {
        "ansible_connection": "psrp",
        "ansible_psrp_auth": "basic",
        "ansible_psrp_message_encryption": "always",
    },
    "psrp-envelope": {"ansible_connection": "psrp", "ansible_psrp_max_envelope_size": "much"},
}

HOST: dict[str, t.Any] = {"windows": "2016", "registry": ["stock", "tls12_off"]}
LAB: dict[str, t.Any] = {
    "accounts": ACCOUNTS,
    "hosts": dict.fromkeys(("donor", *CASES, *(f"connection-{name}" for name in CONNECTIONS)), HOST),
}


@pytest.fixture(scope="module")
def run(lab: LabClient, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Everything in one run of ansible-playbook, a play for each module."""
    ansible = Ansible(lab, tmp_path_factory.mktemp("bad"))
    ansible.task("tls_settings", hosts="donor").ok()
    (backup,) = ansible.backups.iterdir()
    spoil(ansible.folder, backup)
    for host in lab.hosts():
        host.reset_log()
    variables: dict[str, t.Any] = {name: {"options": dict(case.options)} for name, case in CASES.items()}
    variables |= {f"connection-{name}": {**given, "options": {}} for name, given in CONNECTIONS.items()}
    modules = {name: case.module for name, case in CASES.items()}
    modules |= {f"connection-{name}": "tls_settings_info" for name in CONNECTIONS}
    plays = [
        {
            "name": module,
            "hosts": ":".join(name for name, wanted in modules.items() if wanted == module),
            "gather_facts": False,
            # a play that loses all of its hosts ends the run
            "ignore_unreachable": True,
            "tasks": [{"name": module, f"mailops.exchange_tls.{module}": "{{ options }}", "ignore_errors": True}],
        }
        for module in sorted(set(modules.values()))
    ]
    return ansible.playbook(
        plays,
        *overriding(ansible.folder, variables),
        *FORKS,
        env={"ANSIBLE_INJECT_FACT_VARS": "0"},
        blocked=str(ansible.folder / "a-file" / "blocked"),
        backups=str(ansible.backups),
        files=str(ansible.folder / "files"),
    )


def spoil(folder: pathlib.Path, backup: pathlib.Path) -> None:
    """Files that are not what they should be, made of a backup that is whole."""
    (folder / "a-file").write_text("in the way of a folder", encoding="utf-8")
    files = folder / "files"
    files.mkdir()
    whole = backup.read_text(encoding="utf-8")
    data = json.loads(whole)
    assert data["computer_name"] == "DONOR"
    first, *more = data["values"]
    assert first["type"] == "REG_DWORD"
    for name, text in {
        "whole": whole,
        "not-json": "Windows Registry Editor Version 5.00\n",
        "cut-short": whole[: len(whole) // 2],
        "other-json": '{"hosts": []}',
        "list-json": "[1, 2]",
        "lacking": json.dumps({name: value for name, value in data.items() if name != "missing_keys"}),
        "newer": json.dumps({**data, "version": 99}),
        "bad-value": json.dumps({**data, "values": [{**first, "data": 2**32}, *more]}),
        "bad-type": json.dumps({**data, "values": [{**first, "type": "REG_DWRD"}, *more]}),
    }.items():
        (files / name).write_text(text, encoding="utf-8")
    (files / "binary").write_bytes(b"\x80\x81\xfe\xff")
    for path in files.iterdir():
        path.chmod(0o600)


def outcome(run: Run, name: str) -> Outcome:
    return only([item for item in run.outcomes if item.host == name])


def test_no_output_holds_a_traceback(run: Run) -> None:
    assert_no_traceback(run)


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_named_before_anything_happens(lab: LabClient, run: Run, name: str) -> None:
    case, item, host = CASES[name], outcome(run, name), lab.host(name)
    message = item.result["msg"]
    assert item.outcome == "failed", message
    for word in case.says:
        assert word in message
    assert item.result.get("changed", False) is False
    if case.asks:
        assert not [operation for operation in host.operations() if ".Set" in operation or ".Create" in operation]
    else:
        assert host.counters()["connections"] == 0
    assert host.registry(TLS12_CLIENT) == {
        "Enabled": {"type": "REG_DWORD", "data": 0},
        "DisabledByDefault": {"type": "REG_DWORD", "data": 1},
    }
    assert host.registry(NOTE_KEY) is None


@pytest.mark.parametrize("name", CONNECTIONS)
def test_connection_variables_that_make_no_sense(run: Run, name: str) -> None:
    item = outcome(run, f"connection-{name}")
    if name == "winrm-extra":
        # the plugin itself only warns
        assert item.outcome == "ok", item.result
        return
    message = item.result["msg"]
    assert item.outcome in ("failed", "unreachable"), message
    assert len(message) > 40
    for word in name.split("-")[-1:]:
        assert word.rstrip("s") in message.lower(), message


def test_the_donor_is_whole(lab: LabClient, run: Run) -> None:
    del run
    assert protocols(lab.host("donor"))
