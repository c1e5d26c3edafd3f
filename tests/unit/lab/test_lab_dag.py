# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DAGs in the lab: what their cmdlets and their cluster say, and what becomes of databases and mail in maintenance."""

from __future__ import annotations

import contextlib
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import Serializer
from pypsrp.wsman import WSMan

from tests.lab.client import HostClient, LabClient
from tests.lab.description import DescriptionError, load
from tests.lab.launch import running_lab
from tests.lab.quirks import QuirkError, Quirks
from tests.unit.lab.wire import WMI, Reply, Wire, envelope, input_element, values_of

PLAIN = {"auth": ["ntlm", "basic"], "allow_unencrypted": True}
SOON = [
    "exchange",
    *({"name": name, "starts_after": 0.02} for name in ("ClusSvc", "MSExchangeIS", "MSExchangeTransport")),
]
NAMES = ("ex01", "ex02", "ex03")
MEMBER: dict[str, Any] = {
    "winrm": PLAIN,
    "services": SOON,
    "exchange": {"build": "15.02.1544.011", "queues": [{"domain": "contoso.com", "messages": 40, "deferred": 10}]},
    "restart": {"shutdown_delay": 0.02, "down_for": 0.25},
}
DATABASES: dict[str, Any] = {
    "DB01": {"active": "ex01"},
    "DB02": {"copies": ["ex02", "ex01"]},
    "SINGLE": {"copies": ["ex01"]},
    "RDB": {"copies": ["ex01"], "recovery": True},
}
SMALL: dict[str, Any] = {
    "members": ["ex04", "ex05"],
    "witness_share": "InvalidConfiguration",
    "balances": 60,
    "databases": {"B1": {}},
}
DESCRIPTION: dict[str, Any] = {
    "accounts": [{"user": "labadmin", "password": "Lab-Pass-1"}],
    "exchange_clock": 200,
    "hosts": {
        "entry": {
            "exchange": {"build": "15.01.2507.066", "shell": {"http": None, "https": 8443, "auth": ["basic"]}},
        },
        **dict.fromkeys((*NAMES, "ex04", "ex05"), MEMBER),
    },
    "dags": {"DAG1": {"members": list(NAMES), "databases": DATABASES}, "DAG2": SMALL},
}
NODE, SERVICE = f"{WMI}/root/MSCluster/MSCluster_Node", f"{WMI}/root/cimv2/Win32_Service"


@pytest.fixture(scope="module")
def dag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    state_dir = tmp_path_factory.mktemp("dag")
    with running_lab(DESCRIPTION, state_dir, max_lifetime=600) as lab:
        yield lab
    assert (state_dir / "lab.log").read_text(encoding="utf-8") == "", "something in the lab raised an error"


@pytest.fixture
def lab(dag: LabClient) -> LabClient:
    """The lab with everything as it was described."""
    for name in NAMES:
        host = dag.host(name)
        host.clear_quirks()
        host.exchange.set_mailbox_server()
        for component in ("HubTransport", "ServerWideOffline"):
            host.exchange.ask_for(component, "Maintenance", None)
    until(lambda: set(dag.dags()["DAG1"]["nodes"].values()) == {"up"})
    for name, database in DATABASES.items():
        dag.activate(name, database.get("active") or database["copies"][0])
    dag.forget_exchange_events()
    return dag


class Lists(Serializer):  # type: ignore[misc]
    """As pypsrp's own, which leaves lists as text, and then does not find what it did not read."""

    def deserialize(self, element: Any, metadata: Any = None, clear: bool = True) -> Any:
        if isinstance(element, ET.Element) and element.tag == "LST":
            return [self.deserialize(item, clear=False) for item in element]
        return super().deserialize(element, metadata, clear)


def connected(lab: LabClient) -> RunspacePool:
    host = lab.host("entry")
    wsman = WSMan(
        host.address,
        port=host.port("exchange_https"),
        username="labadmin",
        password="Lab-Pass-1",
        auth="basic",
        path="PowerShell",
        cert_validation=str(lab.ca_path),
    )
    pool = RunspacePool(wsman, configuration_name="Microsoft.Exchange")
    pool.open()
    return pool


@pytest.fixture(scope="module")
def pool(dag: LabClient) -> Iterator[RunspacePool]:
    made = connected(dag)
    made.serializer = made._fragmenter.serializer = Lists()
    yield made
    made.close()


def run(pool: RunspacePool, cmdlet: str, **parameters: Any) -> list[dict[str, Any]]:
    """The objects as mappings; nothing on the stream of errors."""
    pipeline = PowerShell(pool)
    pipeline.add_cmdlet(cmdlet).add_parameters(parameters)
    pipeline.invoke()
    assert [str(error) for error in pipeline.streams.error] == []
    return [item.adapted_properties for item in pipeline.output]


def said(pool: RunspacePool, cmdlet: str, **parameters: Any) -> str:
    """What is on the stream of errors."""
    pipeline = PowerShell(pool)
    pipeline.add_cmdlet(cmdlet).add_parameters(parameters)
    pipeline.invoke()
    assert not (pipeline.output and pipeline.streams.error)
    return " ".join(str(error) for error in pipeline.streams.error)


def statuses(pool: RunspacePool, identity: str) -> dict[str, str]:
    return {item["Name"]: str(item["Status"]) for item in run(pool, "Get-MailboxDatabaseCopyStatus", Identity=identity)}


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def on(host: HostClient, uri: str, name: str, method: str, *arguments: tuple[str, str | None]) -> Reply:
    wire = Wire(host)
    with contextlib.closing(wire):
        selected = f'<w:SelectorSet><w:Selector Name="Name">{name}</w:Selector></w:SelectorSet>'
        return wire.post(envelope(uri, f"{uri}/{method}", input_element(uri, method, arguments), extra=selected))


def nodes(host: HostClient) -> dict[str, str]:
    wire = Wire(host)
    with contextlib.closing(wire):
        reply = wire.enumerate("SELECT Name,State FROM MSCluster_Node", uri=f"{WMI}/root/MSCluster/*")
    fragments = [element for element in reply.content.iter() if element.tag.endswith("}XmlFragment")]
    return {found["Name"]: found["State"] for found in map(values_of, fragments)}


def kinds(lab: LabClient) -> list[tuple[str, str | None]]:
    return [(event["kind"], event["database"]) for event in lab.exchange_events()]


def described(**dag: Any) -> dict[str, Any]:
    exchange = {"exchange": {"build": "15.2.1.1"}}
    hosts = {"ex01": exchange, "ex02": exchange, "fs01": {}}
    return {
        "accounts": DESCRIPTION["accounts"],
        "hosts": hosts,
        "dags": {"DAG1": {"members": ["ex01", "ex02"], **dag}},
    }


class TestDescriptions:
    def test_members_get_a_cluster(self) -> None:
        first, _second, other = load(described()).hosts
        assert first.exchange is not None
        assert first.exchange.cluster is not None
        assert (first.exchange.cluster.name, list(first.exchange.cluster.nodes)) == ("DAG1", ["EX01", "EX02"])
        assert [service.name for service in first.services][-1] == "ClusSvc"
        assert "ClusSvc" not in [service.name for service in other.services]

    @pytest.mark.parametrize(
        ("raw", "words"),
        [
            (described(members=["ex01", "ex09"]), r"dags.DAG1.members: 'ex09' is none of"),
            (described(members=["ex01", "fs01"]), "fs01 is no mailbox server"),
            (described(members=["ex01", "ex01"]), "different hosts"),
            (described(membres=[]), "did you mean 'members'"),
            (described(members=["ex01"], databases={"D": {"copies": ["ex02"]}}), r"D.copies: 'ex02' is none of ex01"),
            (described(databases={"D": {"active": "ex02", "copies": ["ex01"]}}), "ex02 has no copy of it"),
            (described(databases={"D": {"recovery": True}}), "only one of a recovery database"),
            (described(witness_share="Lost"), "none of None, Primary"),
            ({**described(), "exchange_clock": 0}, "more than 0"),
            ({**described(), "dags": {"A": {"members": ["ex01"]}, "B": {"members": ["ex01"]}}}, "a member of A"),
        ],
    )
    def test_mistakes_are_explained(self, raw: dict[str, Any], words: str) -> None:
        with pytest.raises(DescriptionError, match=words):
            load(raw)

    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("copies", {"DB01": {"status": "Ill"}}, "none of Unknown"),
            ("copies", {"DB01": {"queue": 1}}, "unknown key 'queue'"),
            ("copies", ["DB01"], "a mapping"),
            ("copies", {"DB01": {"copy_queue": "many"}}, "of another kind"),
            ("databases_stay", True, "a list of names"),
            ("nodes", {"EX01": "gone"}, "a mapping of names"),
        ],
    )
    def test_wrong_quirks_are_refused(self, name: str, value: Any, words: str) -> None:
        with pytest.raises(QuirkError, match=words):
            Quirks({name: value})


class TestReading:
    def test_a_group_that_pypsrp_cannot_read(self, lab: LabClient, pool: RunspacePool) -> None:
        with connected(lab) as plain, pytest.raises(KeyError):
            run(plain, "Get-DatabaseAvailabilityGroup", Identity="dag1")
        (found,) = run(pool, "Get-DatabaseAvailabilityGroup", Identity="dag1", Status=True)
        assert [str(item) for item in found["Servers"].property_sets[0]] == ["EX01", "EX02", "EX03"]
        assert [str(item) for item in found["OperationalServers"].property_sets[0]] == ["EX01", "EX02", "EX03"]
        assert (str(found["PrimaryActiveManager"]), found["WitnessServer"]) == ("EX01", "fs01.lab.test")
        bare, _other = run(pool, "Get-DatabaseAvailabilityGroup")
        assert [bare[name] for name in ("PrimaryActiveManager", "OperationalServers", "WitnessShareInUse")] == [
            None
        ] * 3
        assert "couldn't be found" in said(pool, "Get-DatabaseAvailabilityGroup", Identity="DAG9")

    def test_copies(self, lab: LabClient, pool: RunspacePool) -> None:
        assert statuses(pool, "*") == {
            "DB01\\EX01": "Mounted", "DB01\\EX02": "Healthy", "DB01\\EX03": "Healthy",
            "DB02\\EX02": "Mounted", "DB02\\EX01": "Healthy", "SINGLE\\EX01": "Mounted", "RDB\\EX01": "Dismounted",
            "B1\\EX04": "Mounted", "B1\\EX05": "Healthy",
        }  # fmt: skip
        (copy,) = run(pool, "Get-MailboxDatabaseCopyStatus", Identity="db01\\ex02")
        assert (copy["MailboxServer"], copy["ActiveDatabaseCopy"], copy["ActiveCopy"]) == ("EX02", "ex01", False)
        assert (str(copy["ContentIndexState"]), copy["CopyQueueLength"]) == ("NotApplicable", 0)
        assert copy["Status"]._xml.count("<I32>6</I32>") == 1
        assert "<U32>" in copy["ActionInitiator"]._xml
        (recovery,) = run(pool, "Get-MailboxDatabaseCopyStatus", Identity="RDB")
        assert recovery["ActiveCopy"] is True
        on_one = run(pool, "Get-MailboxDatabaseCopyStatus", Server="ex02")
        assert [item["Name"] for item in on_one] == ["DB01\\EX02", "DB02\\EX02"]
        assert "'DB09' couldn't be found" in said(pool, "Get-MailboxDatabaseCopyStatus", Identity="DB09")

    def test_a_copy_that_is_broken(self, lab: LabClient, pool: RunspacePool) -> None:
        broken = {"DB01": {"status": "FailedAndSuspended", "copy_queue": 124661}}
        lab.host("ex02").set_quirk("copies", broken)
        (copy,) = run(pool, "Get-MailboxDatabaseCopyStatus", Identity="DB01\\EX02")
        assert (str(copy["Status"]), copy["CopyQueueLength"]) == ("FailedAndSuspended", 124661)
        words = said(pool, "Move-ActiveMailboxDatabase", Identity="DB01", ActivateOnServer="ex02", Confirm=False)
        assert "isn't suitable for activation: it is in the state FailedAndSuspended" in words
        run(pool, "Move-ActiveMailboxDatabase", Identity="DB01", Confirm=False)
        assert lab.databases()["DB01"]["active"] == "EX03"

    def test_a_server_that_is_down(self, lab: LabClient, pool: RunspacePool) -> None:
        lab.host("ex03").set_quirk("down")
        assert statuses(pool, "DB01")["DB01\\EX03"] == "ServiceDown"
        assert "network path was not found" in said(pool, "Get-MailboxDatabaseCopyStatus", Server="ex03")
        assert "RPC server is unavailable" in said(pool, "Get-Queue", Server="ex03")
        assert nodes(lab.host("ex01")) == {"EX01": "0", "EX02": "0", "EX03": "1"}
        assert kinds(lab) == []

    def test_queues(self, lab: LabClient, pool: RunspacePool) -> None:
        found = {str(item["Identity"]): item for item in run(pool, "Get-Queue", Server="ex01")}
        assert list(found) == ["EX01\\Submission", "EX01\\4", "EX01\\Shadow\\1", "EX01\\Shadow\\2"]
        queue = found["EX01\\4"]
        assert (queue["NextHopDomain"], queue["MessageCount"], str(queue["Status"])) == ("contoso.com", 40, "Ready")
        assert queue["DeferredMessageCountsPerPriority"] == [0, 10, 0, 0]
        assert str(found["EX01\\Shadow\\1"]["DeliveryType"]) == "ShadowRedundancy"
        assert len(run(pool, "Get-Queue", Identity="EX01\\Shadow\\2")) == 1
        lab.host("ex01").exchange.add_queue("Poison Message", 1)
        assert "EX01\\Poison" in [str(item["Identity"]) for item in run(pool, "Get-Queue", Server="ex01")]
        lab.host("ex01").set_quirk("get_queue_fails")
        assert "has failed with an error" in said(pool, "Get-Queue", Server="ex01")


class TestCluster:
    def test_a_node_that_is_paused_stays_so(self, lab: LabClient) -> None:
        ex01, ex02 = lab.host("ex01"), lab.host("ex02")
        assert on(ex01, NODE, "EX02", "Pause", ("DrainType", "1"), ("TargetNode", None)).outputs == {}
        assert on(ex01, NODE, "EX02", "Pause", ("DrainType", "1")).fault[0] == 2150859010
        ex02.restart()
        until(lambda: lab.dags()["DAG1"]["nodes"]["EX02"] == "paused")
        assert nodes(ex01)["EX02"] == "2"
        assert on(ex02, NODE, "ex02", "Resume", ("FailbackType", "0")).outputs == {}
        assert nodes(ex01)["EX02"] == "0"
        assert on(ex01, NODE, "EX09", "Pause", ("DrainType", "1")).fault[0] == 2150858752

    def test_the_leader_leaves_a_node_that_is_drained(self, lab: LabClient) -> None:
        leader = lab.dags()["DAG1"]["primary_active_manager"]
        on(lab.host("ex01"), NODE, leader, "Pause", ("DrainType", "1"))
        assert lab.dags()["DAG1"]["primary_active_manager"] != leader
        on(lab.host("ex01"), NODE, leader, "Resume", ("FailbackType", "0"))

    def test_what_the_cluster_is_made_to_say(self, lab: LabClient) -> None:
        lab.host("ex01").set_quirk("nodes", {"EX02": "joining", "EX09": "unknown"})
        assert nodes(lab.host("ex01")) == {"EX01": "0", "EX02": "3", "EX03": "0", "EX09": "-1"}
        assert nodes(lab.host("ex02"))["EX02"] == "0"


class TestMoves:
    def test_blocked_moves_nothing_and_move_now_all_that_can(self, lab: LabClient, pool: RunspacePool) -> None:
        run(pool, "Set-MailboxServer", Identity="ex01", DatabaseCopyAutoActivationPolicy="Blocked")
        time.sleep(0.05)  # ten simulated seconds
        assert kinds(lab) == []
        lab.activate("DB02", "ex01")
        lab.host("ex03").exchange.set_mailbox_server(activation_policy="Blocked")
        run(pool, "Set-MailboxServer", Identity="ex01", DatabaseCopyActivationDisabledAndMoveNow=True)
        until(lambda: len(lab.exchange_events("moved")) == 2)
        found = lab.databases()
        assert {name: item["active"] for name, item in found.items()} == {
            "DB01": "EX02", "DB02": "EX02", "SINGLE": "EX01", "RDB": "EX01", "B1": "EX04",
        }  # fmt: skip
        first, second = (event["at"] for event in lab.exchange_events("moved"))
        assert second > first
        assert found["DB02"]["copies"]["EX01"] in ("Initializing", "Resynchronizing")
        until(lambda: lab.databases()["DB02"]["copies"]["EX01"] == "Healthy")
        copy = run(pool, "Get-MailboxDatabaseCopyStatus", Identity="DB02\\EX01")[0]
        assert (str(copy["AutoActivationPolicy"]), copy["ActivationDisabledAndMoveNow"]) == ("Blocked", True)

    def test_a_database_that_does_not_move(self, lab: LabClient, pool: RunspacePool) -> None:
        lab.host("ex01").set_quirk("databases_stay", ["DB01"])
        lab.host("ex01").exchange.set_mailbox_server(move_now=True)
        time.sleep(0.05)  # ten simulated seconds
        assert lab.databases()["DB01"]["active"] == "EX01"
        assert "couldn't be dismounted" in said(pool, "Move-ActiveMailboxDatabase", Identity="DB01", Confirm=False)

    def test_moves_by_hand(self, lab: LabClient, pool: RunspacePool) -> None:
        assert "user interaction" in said(pool, "Move-ActiveMailboxDatabase", Identity="DB01")
        moved = run(pool, "Move-ActiveMailboxDatabase", Server="ex01", ActivateOnServer="ex02", Confirm=False)
        assert [(item["Identity"], item["ActiveServerAtEnd"]) for item in moved] == [("DB01", "ex02")]
        words = said(pool, "Move-ActiveMailboxDatabase", Identity="DB02", ActivateOnServer="ex03", Confirm=False)
        assert "no copy of database 'DB02' on server 'EX03'" in words
        assert "recovery" in said(pool, "Move-ActiveMailboxDatabase", Identity="RDB", Confirm=False)

    def test_copies_that_are_suspended(self, lab: LabClient, pool: RunspacePool) -> None:
        assert "user interaction" in said(pool, "Suspend-MailboxDatabaseCopy", Identity="DB01\\EX02")
        given = {"Identity": "DB01\\EX02", "SuspendComment": "disk", "Confirm": False}
        run(pool, "Suspend-MailboxDatabaseCopy", ActivationOnly=True, **given)
        (copy,) = run(pool, "Get-MailboxDatabaseCopyStatus", Identity="DB01\\EX02")
        assert (str(copy["Status"]), copy["ActivationSuspended"], copy["SuspendComment"]) == ("Healthy", True, "disk")
        assert str(copy["ActionInitiator"]) == "Administrator"
        run(pool, "Suspend-MailboxDatabaseCopy", **given)
        assert statuses(pool, "DB01\\EX02") == {"DB01\\EX02": "Suspended"}
        run(pool, "Move-ActiveMailboxDatabase", Identity="DB01", Confirm=False)
        assert lab.databases()["DB01"]["active"] == "EX03"
        run(pool, "Resume-MailboxDatabaseCopy", Identity="DB01\\EX02")
        until(lambda: statuses(pool, "DB01\\EX02") == {"DB01\\EX02": "Healthy"})
        assert "is active" in said(pool, "Suspend-MailboxDatabaseCopy", Identity="DB01\\EX03", Confirm=False)
        assert "use Database\\Server" in said(pool, "Resume-MailboxDatabaseCopy", Identity="DB01")


class TestFailures:
    def test_a_restart_with_databases_on_it(self, lab: LabClient) -> None:
        lab.host("ex02").exchange.set_mailbox_server(activation_policy="Blocked")
        leader = lab.dags()["DAG1"]["primary_active_manager"]
        lab.host("ex01").restart()
        assert set(kinds(lab)) >= {("failover", "DB01"), ("dismounted", "SINGLE")}
        assert lab.exchange_events("two_members_down", "no_quorum") == []
        assert lab.databases()["DB01"]["active"] == "EX03"
        until(lambda: lab.databases()["SINGLE"]["mounted"])
        assert kinds(lab)[-1] == ("mounted", "SINGLE")
        assert "RDB" not in [database for _kind, database in kinds(lab)]
        assert leader != "EX01" or lab.dags()["DAG1"]["primary_active_manager"] != leader

    def test_two_members_out_of_service_at_a_time(self, lab: LabClient) -> None:
        """Neither is down: one is paused, as the other is offline as a whole."""
        exchange = lab.host("ex01").exchange
        exchange.ask_for("ServerWideOffline", "Maintenance", "Inactive")
        lab.host("ex02").exchange.ask_for("HubTransport", "Maintenance", "Draining")
        assert lab.exchange_events("two_members_out") == []
        lab.host("ex02").exchange.ask_for("ServerWideOffline", "Maintenance", "Inactive")
        (event,) = lab.exchange_events("two_members_out")
        assert event["servers"] == ["EX01", "EX02"]
        assert lab.exchange_events("two_members_down") == []
        for name in ("ex01", "ex02"):
            for component in ("ServerWideOffline", "HubTransport"):
                lab.host(name).exchange.ask_for(component, "Maintenance", None)

    def test_two_members_at_a_time(self, lab: LabClient) -> None:
        lab.host("ex03").restart(wait=False)
        until(lambda: lab.dags()["DAG1"]["nodes"]["EX03"] == "down")
        lab.host("ex02").restart()
        (event,) = lab.exchange_events("two_members_down")
        assert event["servers"] == ["EX02", "EX03"]
        assert len(lab.exchange_events("no_quorum")) == 1
        assert {event["database"] for event in lab.exchange_events("dismounted")} == {"DB01", "DB02", "SINGLE"}


class TestASmallGroup:
    def test_databases_go_back_by_themselves(self, lab: LabClient) -> None:
        lab.activate("B1", "ex05")
        until(lambda: lab.databases()["B1"]["active"] == "EX04")
        (event,) = lab.exchange_events("moved")
        assert (event["dag"], event["source"], event["server"]) == ("DAG2", "EX05", "EX04")

    def test_without_a_witness_one_of_two_is_no_quorum(self, lab: LabClient, pool: RunspacePool) -> None:
        lab.host("ex05").set_quirk("down")
        assert kinds(lab) == [("no_quorum", None), ("dismounted", "B1")]
        (found,) = run(pool, "Get-DatabaseAvailabilityGroup", Identity="DAG2", Status=True)
        assert (found["PrimaryActiveManager"], str(found["WitnessShareInUse"])) == (None, "InvalidConfiguration")
        lab.host("ex05").clear_quirks()
        until(lambda: lab.databases()["B1"]["mounted"])


class TestMail:
    def drained(self, lab: LabClient, pool: RunspacePool) -> HostClient:
        ex01 = lab.host("ex01")
        for name, queue in ex01.exchange.queues().items():
            assert name.startswith(("Shadow", "Poison")) or queue["domain"] in ("Submission", "contoso.com")
        ex01.exchange.add_queue("fabrikam.com", 30)
        ask = {"Component": "HubTransport", "Requester": "Maintenance", "State": "Draining"}
        run(pool, "Set-ServerComponentState", Identity="ex01", **ask)
        return ex01

    def test_draining_needs_a_restart_of_the_service(self, lab: LabClient, pool: RunspacePool) -> None:
        ex01 = self.drained(lab, pool)
        last = list(ex01.exchange.queues())[-1]
        ex01.set_quirk("stuck_queues", [last])
        kept = ex01.exchange.add_queue("tailspin.example", 7)
        ex01.set_quirk("queues_stay", ["tailspin.example"])
        time.sleep(0.05)  # ten simulated seconds
        assert ex01.exchange.queues()["4"]["messages"] == 40
        assert on(ex01, SERVICE, "MSExchangeTransport", "StopService").outputs == {"ReturnValue": "0"}
        until(lambda: on(ex01, SERVICE, "MSExchangeTransport", "StopService").outputs == {"ReturnValue": "6"})
        assert on(ex01, SERVICE, "MSExchangeTransport", "StartService").outputs == {"ReturnValue": "0"}
        until(lambda: on(ex01, SERVICE, "MSExchangeTransport", "StartService").outputs == {"ReturnValue": "10"})
        assert "isn't ready yet" in said(pool, "Get-Queue", Server="ex01")
        until(lambda: ex01.exchange.queues()["4"]["messages"] == 10)  # those that are deferred stay
        left = {name: ex01.exchange.queues()[name] for name in (last, kept)}
        assert {name: (queue["messages"], queue["status"]) for name, queue in left.items()} == {
            last: (30, "Retry"),
            kept: (7, "Ready"),
        }
        until(lambda: not said(pool, "Get-Queue", Server="ex01"))
        shadows = [name for name, queue in ex01.exchange.queues().items() if name.startswith("Shadow")]
        assert [ex01.exchange.queues()[name]["messages"] for name in shadows] == [2, 2]

    def test_redirected_messages(self, lab: LabClient, pool: RunspacePool) -> None:
        ex02, ex03 = lab.host("ex02"), lab.host("ex03")
        ex03.exchange.ask_for("HubTransport", "Maintenance", "Draining")
        run(pool, "Redirect-Message", Server="ex02", Target="ex03.lab.test", Confirm=False)
        assert ex02.exchange.queues()["4"]["messages"] == 40  # the target takes none
        ex03.exchange.ask_for("HubTransport", "Maintenance", None)
        run(pool, "Redirect-Message", Server="ex02", Target="ex03.lab.test", Confirm=False)
        assert (ex02.exchange.queues()["4"]["messages"], ex03.exchange.queues()["4"]["messages"]) == (10, 70)

    def test_methods_of_services_are_those_of_one(self, lab: LabClient) -> None:
        wire = Wire(lab.host("ex02"))
        with contextlib.closing(wire):
            assert wire.invoke("StopService", uri=SERVICE).fault[0] == 2150859002
        assert on(lab.host("ex02"), SERVICE, "RemoteRegistry", "StartService").outputs == {"ReturnValue": "14"}
