# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings in words, plans and diffs: the cases that people meet."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._change import plans
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.findings import Finding, compliant
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS_KEY,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._tasks.audit import Audit

from .. import policies
from ..fakes import FakeWindows

CLIENT = protocol_key("TLS 1.2", "Client")


def audited(protocols: dict[str, Any], build: int = 17763, **values: Value) -> Audit:
    """A host whose TLS 1.2 Client side (only) has these values."""
    windows = FakeWindows({CLIENT: values} if values else {PROTOCOLS_KEY: {}}, build=build)
    return policies.audited(windows, policies.policy(protocols))


def finding(name: str, protocols: dict[str, Any], build: int = 17763, **values: Value) -> Finding:
    found = audited(protocols, build, **values)
    (item,) = (item for item in found.findings if item.id == f"tls_1_2.client.{name.lower()}")
    assert (item.protocol, item.side, item.setting) == ("TLS 1.2", "Client", Setting(CLIENT, name))
    return item


ON = {"TLS 1.2": "enabled"}


@pytest.mark.parametrize(
    ("value", "status", "severity", "words"),
    [
        (dword(1), "compliant", "info", "is REG_DWORD 1, as it should be."),
        (dword(0xFFFFFFFF), "compliant", "info", "is REG_DWORD 4294967295 (0xffffffff), as it should be, which is as"),
        (dword(0), "noncompliant", "high", "is REG_DWORD 0; it should be REG_DWORD 1. Exchange Online refuses"),
        (Value(Type.REG_SZ, "1"), "noncompliant", "high", "is REG_SZ '1', a value of the wrong type; it should be"),
        (Value(Type.REG_QWORD, 1), "noncompliant", "high", "is REG_QWORD 1, a value of the wrong type"),
        (Value(Type.OTHER), "noncompliant", "high", "is of a type that WMI cannot read"),
    ],
)
def test_enabled(value: Value, status: str, severity: str, words: str) -> None:
    item = finding("Enabled", ON, Enabled=value)
    assert (item.status.value, item.severity) == (status, severity)
    assert item.message.startswith("TLS 1.2 Client Enabled ")
    assert words in item.message
    assert item.violates is (status != "compliant")
    assert item.write == (None if status == "compliant" else dword(1))


def test_a_number_that_is_neither_0_nor_1_is_told() -> None:
    """It is right, and a finding of its own says what is odd about it."""
    found = audited(ON, Enabled=dword(0xFFFFFFFF))
    (item,) = (item for item in found.findings if item.id == "tls_1_2.client.enabled.nonstandard")
    assert (item.severity, item.violates) == ("low", False)
    assert "is REG_DWORD 4294967295 (0xffffffff). Windows takes any number but 0 as on" in item.message


def test_absent_but_right_by_default() -> None:
    item = finding("Enabled", ON, build=17763)
    assert (item.status.value, item.severity) == ("not_configured", "low")
    assert "Windows Server 2019 does the right thing by default" in item.message


def test_absent_and_wrong_by_default() -> None:
    item = finding("Enabled", ON, build=7601)
    assert (item.status.value, item.severity) == ("not_configured", "high")
    assert "is not set; it should be REG_DWORD 1. Exchange Online refuses" in item.message


def test_absent_and_nobody_knows_the_default() -> None:
    found = audited({"TLS 1.2": "enabled", "TLS 1.1": "disabled"}, 26100)
    items = [item for item in found.findings if item.protocol == "TLS 1.1"]
    assert {(item.status.value, item.severity) for item in items} == {("not_configured", "medium")}
    assert {item.effective.value for item in items if item.effective} == {"unknown"}


def test_protocol_that_this_windows_does_not_have() -> None:
    for state in ("enabled", "disabled"):
        found = audited({"TLS 1.2": "enabled", "TLS 1.3": state}, 17763)
        items = [item for item in found.findings if item.protocol == "TLS 1.3"]
        assert {item.status.value for item in items} == {"not_applicable"}
        assert {item.severity for item in items} == {"info"}
        assert "does not matter: Windows Server 2019 does not have TLS 1.3" in items[0].message
        assert compliant(items)


def test_value_that_should_not_be_there() -> None:
    item = finding("Enabled", {"TLS 1.2": "default"}, Enabled=dword(1))
    assert item.status.value == "noncompliant"
    assert "is REG_DWORD 1; it should be absent" in item.message


def test_result_of_a_finding() -> None:
    assert finding("Enabled", ON, Enabled=dword(0)).as_result() == {
        "id": "tls_1_2.client.enabled",
        "title": "TLS 1.2 (Client): enabled",
        "severity": "high",
        "status": "noncompliant",
        "protocol": "TLS 1.2",
        "side": "Client",
        "key": rf"HKLM\{CLIENT}",
        "value": "Enabled",
        "expected": {"present": True, "type": "REG_DWORD", "data": 1},
        "actual": {"present": True, "type": "REG_DWORD", "data": 0},
        "effective": "disabled",
        "message": "TLS 1.2 Client Enabled is REG_DWORD 0; it should be REG_DWORD 1. Exchange Online refuses TLS 1.0 "
        "and 1.1; without TLS 1.2 mail flow with it stops.",
        "why": "Exchange Online refuses TLS 1.0 and 1.1; without TLS 1.2 mail flow with it stops.",
        "source": "Microsoft, Exchange Server TLS configuration best practices",
        "would_write": {"present": True, "type": "REG_DWORD", "data": 1},
        "waiver": None,
    }


def test_plan_of_a_stock_host() -> None:
    found = audited(ON)
    plan = found.plan()
    base = protocol_key("TLS 1.2")
    assert plan.new_keys == (base, rf"{base}\Client", rf"{base}\Server"), "parents first, each once"
    assert [write.as_result() for write in plan.writes][:2] == [
        {
            "key": rf"HKLM\{base}\Client",
            "value": name,
            "before": {"present": False, "type": None, "data": None},
            "after": {"present": True, "type": "REG_DWORD", "data": data},
        }
        for name, data in (("Enabled", 1), ("DisabledByDefault", 0))
    ]
    assert plan.old_keys == ()
    assert plan.diff() == {
        "before_header": "registry",
        "after_header": "registry",
        "before": (
            f"HKLM\\{base} (missing)\n"
            f"HKLM\\{base}\\Client (missing)\n    DisabledByDefault = absent\n    Enabled = absent\n"
            f"HKLM\\{base}\\Server (missing)\n    DisabledByDefault = absent\n    Enabled = absent\n"
        ),
        "after": (
            f"HKLM\\{base}\n"
            f"HKLM\\{base}\\Client\n    DisabledByDefault = REG_DWORD 0\n    Enabled = REG_DWORD 1\n"
            f"HKLM\\{base}\\Server\n    DisabledByDefault = REG_DWORD 0\n    Enabled = REG_DWORD 1\n"
        ),
    }


def test_plan_touches_only_what_is_wrong() -> None:
    options = {"TLS 1.2": {"Client": "enabled"}}
    found = audited(options, Enabled=dword(0xFFFFFFFF), DisabledByDefault=dword(1))
    plan = found.plan()
    assert [(write.setting, write.before, write.after) for write in plan.writes] == [
        (Setting(CLIENT, "DisabledByDefault"), dword(1), dword(0))
    ]
    assert plan.new_keys == ()


def test_no_plan() -> None:
    found = audited({"TLS 1.2": {"Client": "enabled"}}, Enabled=dword(1), DisabledByDefault=dword(0))
    plan = found.plan()
    assert not plan
    assert found.compliant
    assert plan.diff()["before"] == plan.diff()["after"] == ""


def test_inverse() -> None:
    write = plans.Write(Setting("a", "b"), dword(1), dword(0))
    assert write.inverse() == plans.Write(Setting("a", "b"), dword(0), dword(1))
    assert write.inverse().inverse() == write
