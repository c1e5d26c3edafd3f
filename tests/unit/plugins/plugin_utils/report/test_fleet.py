# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of one group: who is alike, and who is the odd one out."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy import subjects
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._policy.rules import Policy
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._report import fleet
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.protocols import (
    PROTOCOLS,
    SIDES,
    VALUE_NAMES,
    protocol_key,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.snapshot import Setting
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import (
    ABSENT,
    Type,
    Value,
    dword,
    unreadable,
)
from hypothesis import given
from hypothesis import strategies as st

from ..policies import policy
from ..worlds import BUILDS, VALUES, audit_of

DEFAULT = policy(baseline="exchange_tls12")
STRONG = Setting(r"SOFTWARE\Microsoft\.NETFramework\v4.0.30319", "SchUseStrongCrypto")
STRONG_NAME = r"HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319 [SchUseStrongCrypto]"


def result(values: dict[Setting, Value] | None = None, build: int = 17763, wanted: Policy = DEFAULT) -> dict[str, Any]:
    """The result of tls_settings_info of a host."""
    return audit_of(wanted, values or {}, build).as_result()


def off(protocol: str) -> dict[Setting, Value]:
    return {
        Setting(protocol_key(protocol, side), name): value
        for side in SIDES
        for name, value in zip(VALUE_NAMES, (dword(0), dword(1)), strict=True)
    }


def test_hosts_that_are_alike() -> None:
    found = fleet.compare({"b": result(), "a": result()})
    assert found["consistent"] is True
    assert (found["findings"], found["unknown"]) == ([], [])
    (group,) = found["groups"]
    assert group["hosts"] == ["a", "b"]
    assert group["settings"]["TLS 1.2 Client"] == "enabled"
    assert group["settings"][STRONG_NAME] == "absent"
    assert len(group["settings"]) == len(PROTOCOLS) * 2 + 4


def test_what_could_not_be_read_is_not_absent() -> None:
    found = fleet.compare({"a": result({STRONG: dword(1)}), "b": result({STRONG: unreadable("code 5")})})
    assert found["findings"][0]["hosts"] == {"not known: it could not be read": ["b"]}


def test_the_odd_ones_out() -> None:
    found = fleet.compare(
        {"a": result(), "b": result(off("TLS 1.0")), "c": result(), "d": result({**off("TLS 1.0"), STRONG: dword(1)})}
    )
    assert found["consistent"] is False
    assert [group["hosts"] for group in found["groups"]] == [["a", "c"], ["b"], ["d"]]
    assert [item["setting"] for item in found["findings"]] == [STRONG_NAME, "TLS 1.0 Client", "TLS 1.0 Server"]
    net, client, _server = found["findings"]
    assert client == {
        "id": "fleet.difference",
        "title": "TLS 1.0 Client differs between hosts of the group",
        "severity": "medium",
        "status": "noncompliant",
        "setting": "TLS 1.0 Client",
        "hosts": {"enabled": ["a", "c"]},
        "message": "TLS 1.0 Client is disabled on 2 of 4 hosts, but enabled on a, c.",
    }
    assert net["message"] == f"{STRONG_NAME} is absent on 3 of 4 hosts, but REG_DWORD 1 on d."
    assert net["hosts"] == {"REG_DWORD 1": ["d"]}


def test_several_states() -> None:
    by_default = {Setting(protocol_key("TLS 1.0", side), "DisabledByDefault"): dword(1) for side in SIDES}
    found = fleet.compare(
        {**{f"h{n}": result() for n in range(3)}, "x": result(off("TLS 1.0")), "y": result(by_default)}
    )
    assert found["findings"][0]["message"] == (
        "TLS 1.0 Client is enabled on 3 of 5 hosts, but disabled on x; disabled by default on y."
    )
    assert found["findings"][0]["hosts"] == {"disabled": ["x"], "disabled_by_default": ["y"]}


def test_what_clients_meet_is_compared_and_not_how_it_is_written() -> None:
    """On by default, on by value and on by another number are the same."""
    on = {Setting(protocol_key("TLS 1.2", side), "Enabled"): dword(0xFFFFFFFF) for side in SIDES}
    assert fleet.compare({"a": result(), "b": result(on)})["consistent"] is True


def test_a_value_of_another_type_is_another_value() -> None:
    found = fleet.compare({"a": result({STRONG: dword(1)}), "b": result({STRONG: Value(Type.REG_SZ, "1")})})
    (finding,) = found["findings"]
    assert finding["message"] == f"{STRONG_NAME} is REG_DWORD 1 on 1 of 2 hosts, but REG_SZ '1' on b."
    for value in (Value(Type.OTHER), Value(Type.REG_MULTI_SZ, ("a",)), Value(Type.REG_BINARY, (1,)), ABSENT):
        assert fleet.compare({"a": result({STRONG: dword(1)}), "b": result({STRONG: value})})["consistent"] is False


def test_windows_versions() -> None:
    """TLS 1.3 differs for clients. What concerns one version only differs from nothing."""
    wanted = policy({"TLS 1.2": "enabled"}, winhttp="tls12")
    (place, other) = (item.setting for item in subjects.WINHTTP.states["tls12"])
    right = {place: dword(0x800), other: dword(0x800)}
    found = fleet.compare({"old": result(right, 9200, wanted), "new": result({}, 9600, wanted)})
    assert found["consistent"] is True
    (group,) = found["groups"]
    assert group["hosts"] == ["new", "old"]
    assert not [name for name in group["settings"] if "WinHttp" in name], "only what they share"
    found = fleet.compare({"old": result({}, 17763), "new": result({}, 20348), "newest": result({}, 26100)})
    differing = {item["setting"] for item in found["findings"]}
    assert {"TLS 1.3 Client", "TLS 1.3 Server", "TLS 1.0 Client"} <= differing
    three = {"a": result(right, 9200, wanted), "b": result({}, 9200, wanted), "c": result({}, 9600, wanted)}
    found = fleet.compare(three)
    assert {item["message"].partition(" is ")[2] for item in found["findings"]} == {
        "REG_DWORD 2048 (0x800) on 1 of 2 hosts, but absent on b."
    }


def test_hosts_without_a_result() -> None:
    found = fleet.compare(
        {"a": result(), "b": {}, "c": {"failed": True, "msg": "x"}, "d": {"unreachable": True}, "e": {"skipped": True}}
    )
    assert found["unknown"] == ["b", "c", "d", "e"]
    assert found["consistent"] is True
    assert found["groups"][0]["hosts"] == ["a"]


@pytest.mark.parametrize("results", [{}, {"a": None}, {"a": {}}])
def test_nothing_to_compare(results: dict[str, Any]) -> None:
    found = fleet.compare(results)
    assert (found["consistent"], found["groups"], found["findings"]) == (True, [], [])
    assert found["unknown"] == sorted(results)


PLACES = [Setting(protocol_key("TLS 1.0", side), name) for side in SIDES for name in VALUE_NAMES] + [STRONG]
HOSTS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.tuples(st.dictionaries(st.sampled_from(PLACES), st.sampled_from(VALUES)), st.sampled_from(BUILDS)),
)


@given(HOSTS)
def test_every_fleet(hosts: dict[str, tuple[dict[Setting, Value], int]]) -> None:
    results = {name: result(values, build) for name, (values, build) in hosts.items()}
    found = fleet.compare(results)
    assert found["consistent"] is not bool(found["findings"])
    assert found["consistent"] is (len(found["groups"]) <= 1)
    assert sorted(host for group in found["groups"] for host in group["hosts"]) == sorted(hosts)
    sizes = [len(group["hosts"]) for group in found["groups"]]
    assert sizes == sorted(sizes, reverse=True)
    for finding in found["findings"]:
        odd = [host for names in finding["hosts"].values() for host in names]
        assert 0 < len(odd) < len(hosts)
        assert len(odd) == len(set(odd))
        assert all(host in finding["message"] for host in odd)
    # the order in which hosts come does not matter
    assert fleet.compare(dict(reversed(results.items()))) == found
