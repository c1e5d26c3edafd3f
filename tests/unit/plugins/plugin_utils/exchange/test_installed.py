# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host tells of its Exchange."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    AccessDenied,
    RegistryAccessDenied,
    Unreachable,
    WsmanFault,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._exchange import installed
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._schannel.values import ABSENT, Type, Value, dword
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire.wmi import literal

from ..fakes import Call, FakeWindows, Trouble, registry_of, service

V15 = r"SOFTWARE\Microsoft\ExchangeServer\v15"
SETUP = rf"{V15}\Setup"
FOLDER = "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\"
FILE = rf"{FOLDER}bin\ExSetup.exe"
PARTS = {"MsiProductMajor": 15, "MsiProductMinor": 2, "MsiBuildMajor": 1748, "MsiBuildMinor": 10}
NODES = [{"Name": "EX01", "State": "0"}, {"Name": "EX02", "State": "2"}, {"Name": "EX03", "State": "-1"}]


def host(
    *roles: str, version: str | None = "15.02.1748.039", folder: str = FOLDER, cluster: str | None = None
) -> FakeWindows:
    """A Mailbox server unless other roles are given. ``version``: of ExSetup.exe, None for no such file."""
    setup = {**{name: dword(number) for name, number in PARTS.items()}, "MsiInstallPath": Value(Type.REG_SZ, folder)}
    keys: dict[str, dict[str, Value]] = {rf"{V15}\{role}": {} for role in roles or ("AdminTools", "MailboxRole")}
    windows = FakeWindows({SETUP: setup, **keys})
    windows.services = [service("MSExchangeIS"), service("MSExchangePop3", "Stopped", "Manual"), service("Spooler")]
    if version is not None:
        windows.instances["CIM_DataFile"] = [{"Name": rf"{folder.rstrip(chr(92))}\bin\ExSetup.exe", "Version": version}]
    if cluster is not None:
        windows.hive.make("Cluster")
        windows.hive.set("Cluster", "ClusterName", Value(Type.REG_SZ, cluster))
        windows.services.append(service("ClusSvc"))
        windows.instances["MSCluster_Node"] = NODES
    return windows


def read(windows: FakeWindows) -> installed.Exchange:
    found = installed.read(cast(Any, windows), registry_of(windows))
    assert found is not None
    return found


def failing(error: Exception, **about: str) -> Any:
    """Trouble with the calls that are about something."""

    def trouble(call: Call) -> Trouble | None:
        fits = all(getattr(call, name) == value for name, value in about.items())
        return Trouble(error) if fits else None

    return trouble


NETLOGON = r"SYSTEM\CurrentControlSet\Services\Netlogon\Parameters"


@pytest.mark.parametrize(
    ("values", "site"),
    [
        ({}, None),
        ({"DynamicSiteName": Value(Type.REG_SZ, "Oulu\0")}, "Oulu"),
        ({"DynamicSiteName": Value(Type.REG_SZ, "Oulu"), "SiteName": Value(Type.REG_SZ, "Turku")}, "Turku"),
        ({"DynamicSiteName": Value(Type.REG_SZ, "Oulu"), "SiteName": Value(Type.REG_SZ, " ")}, "Oulu"),
        ({"DynamicSiteName": dword(1)}, None),
    ],
)
def test_the_site(values: dict[str, Value], site: str | None) -> None:
    assert installed.site(registry_of(FakeWindows({NETLOGON: values}))) == site


def test_a_site_that_may_not_be_read() -> None:
    windows = FakeWindows({NETLOGON: {}})
    windows.trouble = failing(RegistryAccessDenied("no"))
    assert installed.site(registry_of(windows)) is None


def test_without_exchange_two_requests_say_so() -> None:
    windows = FakeWindows()
    assert installed.read(cast(Any, windows), registry_of(windows)) is None
    assert len(windows.calls) == 2


def test_what_an_uninstallation_leaves_is_no_exchange() -> None:
    windows = FakeWindows({rf"{V15}\MailboxRole": {}, rf"{V15}\Diagnostics": {}})
    assert installed.read(cast(Any, windows), registry_of(windows)) is None


def test_a_single_server() -> None:
    windows = host()
    found = read(windows)
    assert len(windows.calls) == 4
    assert found.as_result() == {
        "installed": True,
        "name": "Exchange 2019 CU15 Oct25SU",
        "version": "15.2.1748.39",
        "product": "Exchange 2019",
        "cumulative_update": "CU15",
        "security_update": "Oct25SU",
        "supported": True,
        "support_ends": "2025-10-14",
        "newest": "Exchange 2019 CU15 Feb26SU (15.2.1748.43)",
        "can_tls12": True,
        "can_end_old_tls": True,
        "newer_than_table": False,
        "table_date": "2026-04-02",
        "roles": ["Mailbox", "ManagementTools"],
        "dag": None,
        "services_stopped": [],
        "mail_stopped": [],
        "unread": {},
    }


def test_a_member_of_a_dag() -> None:
    windows = host(cluster="DAG1")
    found = read(windows)
    assert len(windows.calls) == 6
    assert found.dag is not None
    assert found.dag.as_result() == {"name": "DAG1", "nodes": {"EX01": "up", "EX02": "paused", "EX03": "unknown"}}


@pytest.mark.parametrize(
    ("state", "start_mode", "member"),
    [
        ("Stopped", "Disabled", False),  # the feature is there, and no cluster
        ("Stopped", "Auto", True),
        ("Running", "Auto", True),
        ("Running", "Disabled", True),
        ("Stopped", "Manual", True),
    ],
)
def test_the_cluster_service_tells_a_member(state: str, start_mode: str, member: bool) -> None:
    windows = host()
    windows.services.append(service("ClusSvc", state, start_mode))
    found = read(windows)
    assert (found.dag is not None) is member
    if found.dag:
        # the hive and the namespace are there while the service runs
        assert found.dag.as_result() == {"name": None, "nodes": {}}
        assert set(found.unread) == {"nodes"}


def test_a_cluster_that_may_not_be_read() -> None:
    windows = host(cluster="DAG1")
    windows.trouble = failing(RegistryAccessDenied("no"), key="Cluster")
    found = read(windows)
    assert found.dag is not None
    assert found.dag.name is None
    assert set(found.unread) == {"dag"}
    assert found.dag.nodes["EX02"] == "paused"


@pytest.mark.parametrize(
    ("keys", "roles", "server"),
    [
        (("AdminTools", "MailboxRole", "CafeRole", "UnifiedMessagingRole"), ("Mailbox", "ManagementTools"), True),
        (("admintools", "edgetransportrole"), ("Edge", "ManagementTools"), True),
        (("AdminTools",), ("ManagementTools",), False),
        (("AdminTools", "CafeRole"), ("Cafe", "ManagementTools"), True),  # 2013, alone
        (("Diagnostics",), (), True),  # nobody knows: better too careful
    ],
)
def test_roles(keys: tuple[str, ...], roles: tuple[str, ...], server: bool) -> None:
    found = read(host(*keys))
    assert (found.roles, found.is_server) == (roles, server)


def test_exchange_2010() -> None:
    v14 = r"SOFTWARE\Microsoft\ExchangeServer\v14"
    windows = FakeWindows(
        {
            rf"{v14}\Setup": {"MsiInstallPath": Value(Type.REG_SZ, r"D:\Exchange")},
            rf"{v14}\HubTransportRole": {},
        }
    )
    windows.instances["CIM_DataFile"] = [{"Name": r"d:\exchange\bin\exsetup.exe", "Version": "14.03.0361.001"}]
    found = read(windows)
    assert (found.version, found.roles) == ((14, 3, 361, 1), ("HubTransport",))


@pytest.mark.parametrize("folder", [FOLDER, FOLDER.rstrip("\\"), "D:\\Exchange & Co's\\"])
def test_where_the_file_is(folder: str) -> None:
    assert read(host(folder=folder)).version == (15, 2, 1748, 39)


def test_a_file_that_only_a_query_finds() -> None:
    windows = host()
    windows.trouble = failing(WsmanFault("no such selector"), of="CIM_DataFile", method="Get")
    assert read(windows).version == (15, 2, 1748, 39)
    assert literal("D:\\it's") == r"'D:\\it\'s'"


@pytest.mark.parametrize("version", [None, "", "unknown"])
def test_without_the_file_the_setup_tells_the_cumulative_update(version: str | None) -> None:
    found = read(host(version=version))
    assert found.version == (15, 2, 1748, 10)
    # that it has none of the updates that came for it, nobody can say
    assert set(found.unread) == {"security_update"}


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("value", [ABSENT, Value(Type.REG_SZ, "15")])
def test_nothing_tells_the_version(name: str, value: Value) -> None:
    windows = host(version=None)
    windows.hive.set(SETUP, name, value)
    found = read(windows)
    assert (found.version, found.build) == (None, None)
    assert set(found.unread) == {"version"}
    assert found.as_result()["name"] is None


def test_no_rights_to_look_for_it() -> None:
    windows = FakeWindows()
    windows.trouble = failing(RegistryAccessDenied("no"), key=V15)
    found = read(windows)
    assert (found.version, found.is_server, found.unread) == (None, True, {"installed": "no"})


def test_services_that_cannot_be_listed() -> None:
    windows = host(cluster="DAG1")
    windows.trouble = failing(AccessDenied("no"), of="Win32_Service")
    found = read(windows)
    assert (found.services, found.dag, found.unread) == ({}, None, {"services": "no"})


def test_services_that_should_run() -> None:
    windows = host()
    windows.services += [
        service("MSExchangeTransport", "Stopped"),
        service("W3SVC", "Start Pending"),
        service("CcmExec"),
    ]
    found = read(windows)
    assert found.stopped == ["MSExchangeTransport", "W3SVC"]
    assert found.has_ccm
    assert set(found.services) == {"msexchangeis", "msexchangepop3", "msexchangetransport", "w3svc"}


@pytest.mark.parametrize(
    ("name", "state", "start_mode", "stopped", "of_mail"),
    [
        ("MSExchangeTransport", "Stopped", "Disabled", True, True),  # as a setup that failed leaves it
        ("MSExchangeTransport", "Running", "Disabled", False, False),
        ("msexchangefrontendtransport", "Start Pending", "Auto", True, True),
        ("MSExchangeTransport", "Paused", "Auto", True, True),
        ("MSExchangeTransport", "Stopped", "Manual", False, False),
        ("MSExchangePop3", "Stopped", "Disabled", False, False),  # nobody uses it there
        ("MSExchangeHM", "Stopped", "Auto", True, False),
        ("MSExchangeTransportLogSearch", "Stopped", "Auto", True, False),
        ("ClusSvc", "Stopped", "Auto", True, False),  # of a member of a DAG
        ("ClusSvc", "Stopped", "Disabled", False, False),  # of none
        ("CcmExec", "Stopped", "Auto", False, False),
    ],
)
def test_services_that_mail_needs(name: str, state: str, start_mode: str, stopped: bool, of_mail: bool) -> None:
    windows = host()
    windows.services.append(service(name, state, start_mode))
    found = read(windows)
    assert (found.stopped, found.mail_stopped) == ([name] if stopped else [], [name] if of_mail else [])


@pytest.mark.parametrize("number", range(1, 7))
def test_a_host_that_is_gone(number: int) -> None:
    windows = host(cluster="DAG1")
    windows.trouble = failing(Unreachable("gone"), number=cast(Any, number))
    with pytest.raises(Unreachable):
        read(windows)
