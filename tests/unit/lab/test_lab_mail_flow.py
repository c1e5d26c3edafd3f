# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail between the lab's servers and Exchange Online: what goes, what waits, and when it is tried."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from tests.lab.client import HostClient
from tests.lab.description import DescriptionError, Endpoint, load
from tests.lab.endpoints import offer_of
from tests.lab.exchange import sessions
from tests.lab.exchange.components import Entry, States
from tests.lab.exchange.databases import Clock
from tests.lab.exchange.described import Outbound, ReceiveConnector, SendConnector
from tests.lab.exchange.mail_flow import MailFlow, Outgoing
from tests.lab.exchange.queues import Queue
from tests.lab.exchange.servers import Server
from tests.lab.hosts import Host
from tests.lab.launch import running_lab
from tests.lab.presets import LOCAL_LIST, registry_layer, windows_preset
from tests.lab.registry import Registry
from tests.lab.schannel import SCHANNEL, Settings, effective_settings

CLOUD = "contoso-com.mail.protection.outlook.com"
TLS12 = rf"{SCHANNEL}\Protocols\TLS 1.2"
ON, OFF = {"Enabled": 1, "DisabledByDefault": 0}, {"Enabled": 0, "DisabledByDefault": 1}
SEND = SendConnector("To the cloud", (CLOUD,), require_tls=True, logging="Verbose")
OPPORTUNISTIC = SendConnector("To the cloud", (CLOUD,))
FRONTEND = ReceiveConnector("In")


def settings(windows: str = "2016", **layers: Any) -> Settings:
    """In effect on a new host with these keys: Client, Server, suites (the whole list)."""
    preset, registry = windows_preset(windows), Registry()
    registry.apply(registry_layer("stock", preset))
    for side in ("Client", "Server"):
        if side in layers:
            registry.apply({rf"HKLM\{TLS12}\{side}": layers[side]})
    if "suites" in layers:
        registry.apply({rf"HKLM\{LOCAL_LIST}": {"Functions": {"type": "REG_MULTI_SZ", "data": layers["suites"]}}})
    return effective_settings(registry, preset)


def incoming(effective: Settings, connector: ReceiveConnector = FRONTEND, plain_text: bool = False) -> list[str]:
    offer = offer_of(Endpoint("smtp", 25), effective)
    return [attempt.ends for attempt in sessions.incoming(offer, bool(effective.protocols), connector, plain_text)]


class TestWhatGoes:
    def test_the_client_side_decides_what_is_sent_and_the_server_side_what_comes(self) -> None:
        for side, sent, came in (("Client", "dropped", "mail"), ("Server", "mail", "dropped")):
            effective = settings(**{side: OFF})
            (attempt,) = sessions.outgoing(effective, SEND, plain_text=False)
            assert (attempt.ends, incoming(effective)) == (sent, [came]), side

    @pytest.mark.parametrize(
        ("effective", "ends"),
        [
            (settings(), "mail"),
            (settings("2012r2"), "mail"),
            (settings("2008r2"), "dropped"),
            (settings("2008r2", Client=ON), "mail"),
            (settings(Client={"DisabledByDefault": 1}), "dropped"),
            (settings(Client={"Enabled": {"type": "REG_SZ", "data": "0"}}), "mail"),
            (settings(suites=["TLS_RSA_WITH_AES_256_CBC_SHA"]), "dropped"),
            (settings("2022", Client=OFF), "dropped"),  # TLS 1.3 is on, which SMTP does not have
        ],
    )
    def test_what_is_in_effect(self, effective: Settings, ends: str) -> None:
        (attempt,) = sessions.outgoing(effective, SEND, plain_text=True)
        assert attempt.ends == ends
        assert (attempt.agreed is not None) is (ends == "mail")

    def test_the_suite_is_the_first_of_exchange_online_that_is_left(self) -> None:
        name = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"
        (attempt,) = sessions.outgoing(settings(suites=["TLS_RSA_WITH_AES_256_CBC_SHA", name]), SEND, False)
        assert attempt.agreed is not None
        assert "CALG_AES_128 with strength 128 bits, MAC hash algorithm CALG_SHA_256 with strength 256" in (
            sessions.negotiated(*attempt.agreed, "client")
        )

    @pytest.mark.parametrize(
        ("connector", "plain_text", "ends"),
        [
            (SEND, False, ["dropped"]),
            (SEND, True, ["dropped"]),
            (OPPORTUNISTIC, False, ["dropped", "refused"]),
            (OPPORTUNISTIC, True, ["dropped", "mail"]),
            (SendConnector("x", ignore_starttls=True), False, ["refused"]),
            (SendConnector("x", ignore_starttls=True), True, ["mail"]),
        ],
    )
    def test_who_does_not_insist_tries_in_plain_text(
        self, connector: SendConnector, plain_text: bool, ends: list[str]
    ) -> None:
        assert [item.ends for item in sessions.outgoing(settings(Client=OFF), connector, plain_text)] == ends

    def test_what_comes_in_plain_text(self) -> None:
        off = settings(Server=OFF)
        assert incoming(off, plain_text=True) == ["dropped", "mail"]
        assert incoming(off, ReceiveConnector("In", require_tls=True), plain_text=True) == ["dropped", "refused"]
        silent = ReceiveConnector("In", auth=("Integrated",))
        assert incoming(settings(), silent) == ["left"], "STARTTLS is not offered"
        assert incoming(settings(), silent, plain_text=True) == ["mail"]

    @pytest.mark.parametrize(
        ("version", "begins"),
        [
            ("2013", '451 4.4.0 Primary target IP address responded with: "{}."'),
            ("2016", "[{{LRT=1/5/2026 9:00:04 PM}};{{LED=451 4.4.397 Error communicating with target host. -> {}}};"),
        ],
    )
    def test_the_last_error(self, version: str, begins: str) -> None:
        dropped = sessions.outgoing(settings(Client=OFF), SEND, plain_text=False)[-1]
        text = sessions.last_error(dropped, version, CLOUD, "192.0.2.25", 1767646804)
        assert text.startswith(begins.format("421 4.4.2 Connection dropped due to SocketError"))
        assert "192.0.2.25" in text
        refused = sessions.outgoing(settings(Client=OFF), OPPORTUNISTIC, plain_text=False)[-1]
        text = sessions.last_error(refused, version, CLOUD, "192.0.2.25", 1767646804)
        assert "451 5.7.3 Must issue a STARTTLS command first" in text
        assert "4.4.397" not in text


class TestWhen:
    def flow(self, waiting: float, arriving: float) -> Outgoing:
        return Outgoing(Outbound(CLOUD, waiting, arriving), SEND, Queue("4", CLOUD, "x", waiting))

    def test_tries_that_fail_come_as_exchange_spaces_them(self) -> None:
        flow = self.flow(2, 0)
        times = [at for at, dummy in flow.run(0, 4000, works=False, comes=True)]
        assert times == [0, 60, 120, 180, 240, 540, 840, 1140, 1440, 1740, 2040, 2640, 3240, 3840]
        assert (flow.queue.messages, flow.queue.deferred, flow.queue.retries) == (2, 2, 14)

    @pytest.mark.parametrize("looks", [7, 600])
    def test_how_often_one_looks_makes_no_difference(self, looks: int) -> None:
        seldom, often = (self.story(number) for number in (1, looks))
        assert [count for dummy, count in often] == [count for dummy, count in seldom]
        assert [at for at, dummy in often] == pytest.approx([at for at, dummy in seldom])
        assert sum(count for dummy, count in seldom) == 60, "all that waited and came"
        assert max(count for dummy, count in seldom) == 20, "no more in one session"

    def story(self, looks: int) -> list[tuple[float, int]]:
        """Half an hour in which it fails, and one in which it works; each looked at so often."""
        flow, found = self.flow(30, 0.5), []
        for works in (False, True):
            for number in range(looks):
                since, until = (1800 * (works + share / looks) for share in (number, number + 1))
                found += list(flow.run(since, until, works=works, comes=True))
        assert (flow.queue.messages, flow.queue.deferred, flow.queue.retries) == (0, 0, 0)
        return found

    def test_what_waits_grows_and_a_start_begins_anew(self) -> None:
        flow = self.flow(0, 2)
        assert [at for at, dummy in flow.run(0, 80, works=False, comes=True)] == [30], "nothing waits before"
        assert flow.queue.messages == flow.queue.deferred == 2
        flow.begin(200)
        assert (flow.queue.retries, flow.queue.deferred, flow.queue.last_error) == (0, 0, "")
        assert list(flow.run(80, 199, works=True, comes=False)) == []
        assert list(flow.run(199, 210, works=True, comes=False)) == [(200, 2)]

    def test_nothing_new_comes_while_it_drains(self) -> None:
        flow = self.flow(45, 60)
        assert list(flow.run(0, 1000, works=True, comes=False)) == [(0, 20), (20, 20), (40, 5)]
        assert flow.queue.messages == 0


class StillClock(Clock):
    """Stands where it is put."""

    moment = 0.0

    def now(self) -> float:
        return self.moment


class TestOfAServer:
    """One server with its registry, without a network."""

    @pytest.fixture
    def server(self) -> Server:
        found = load(described()).hosts[0]
        assert found.exchange is not None
        return Server(Host(found, cast(Any, None)), found.exchange, States("2016", 0))

    def flow(self, server: Server, logs: Path) -> tuple[MailFlow, Queue, StillClock]:
        queue, clock = Queue("4", CLOUD, "x", 12, flows=True), StillClock()
        (given,) = server.exchange.mail_out
        return MailFlow(server, clock, [Outgoing(given, SEND, queue)], logs), queue, clock

    def test_a_state_counts_until_the_next_look(self, server: Server, tmp_path: Path) -> None:
        flow, queue, clock = self.flow(server, tmp_path)
        flow.advance(0.0, set())
        clock.moment = 60
        flow.advance(0.0, set())
        assert (queue.messages, queue.retries) == (18, 2)
        assert queue.last_error.startswith("[{LRT=")
        server.host.effective = settings()  # a restart; transport is back at 500
        clock.moment = 100
        flow.advance(None, set())
        clock.moment = 400
        flow.advance(500.0, set())
        assert (queue.messages, queue.last_error) == (22, ""), "nothing came while it was away"
        clock.moment = 499
        flow.advance(500.0, set())
        assert queue.messages == 22
        clock.moment = 501
        flow.advance(500.0, set())
        assert queue.messages == 2
        clock.moment = 530
        flow.advance(500.0, set())
        assert (queue.messages, queue.deferred) == (0, 0)
        assert [path.name[:4] for path in sorted(tmp_path.rglob("SmtpSend/*"))] == ["SEND", "SEND"]

    @pytest.mark.parametrize(
        ("component", "state", "left"),
        [("HubTransport", "Inactive", 12), ("HubTransport", "Draining", 0), ("ServerWideOffline", "Inactive", 12)],
    )
    def test_component_states(self, server: Server, tmp_path: Path, component: str, state: str, left: int) -> None:
        flow, queue, clock = self.flow(server, tmp_path)
        server.host.effective = settings()
        server.states.find(component).local.say(Entry("Maintenance", state, 1e12))
        flow.advance(0.0, set())
        clock.moment = 3600
        flow.advance(0.0, set())
        assert queue.messages == left
        assert bool(list(tmp_path.rglob("SmtpSend/*"))) is (left == 0)

    def test_logs_have_the_time_of_the_host(self, server: Server, tmp_path: Path) -> None:
        flow, dummy, clock = self.flow(server, tmp_path)
        server.host.step_clock(-86400 * 365)
        flow.advance(0.0, set())
        clock.moment = 1
        flow.advance(0.0, set())
        (path,) = tmp_path.rglob("SmtpSend/*")
        year = time.gmtime(time.time() - 86400 * 365).tm_year
        assert path.name.startswith(f"SEND{year}")
        assert f"\n{year}-" in path.read_text(encoding="utf-8")

    def test_a_queue_that_is_stuck(self, server: Server, tmp_path: Path) -> None:
        flow, queue, clock = self.flow(server, tmp_path)
        server.host.effective = settings()
        flow.advance(0.0, {"4"})
        clock.moment = 600
        flow.advance(0.0, {"4"})
        assert queue.messages == 12


def described(clock: float = 60, **exchange: Any) -> dict[str, Any]:
    connector = {"name": "To the cloud", "smart_hosts": [CLOUD], "require_tls": True, "logging": "Verbose"}
    return {
        "accounts": [{"user": "labadmin", "password": "Lab-Pass-1"}],
        "exchange_clock": clock,
        "hosts": {
            "ex01": {
                "registry": ["stock", "tls12_off"],
                "services": ["exchange"],
                "restart": {"shutdown_delay": 0.05, "down_for": 0.1},
                "exchange": {
                    "build": "15.01.2507.066",
                    "send_connectors": [connector],
                    "mail_out": [{"to": CLOUD, "waiting": 12, "arriving": 6}],
                    "mail_in": [{}],
                    **exchange,
                },
            }
        },
    }


@pytest.mark.parametrize(
    ("exchange", "words"),
    [
        ({"mail_out": [{}]}, r"mail_out\[0\]: 'to' is missing"),
        ({"mail_out": [{"to": "x.example"}]}, rf"x.example is a smart host of no Send connector here \({CLOUD}\)"),
        ({"mail_out": [{"to": CLOUD}] * 2}, r"mail_out\[1\].to: there is a queue to"),
        ({"queues": [{"domain": CLOUD.upper()}]}, r"mail_out\[0\].to: there is a queue to"),
        ({"mail_out": [{"to": CLOUD, "address": "cloud"}]}, r"mail_out\[0\].address: 'cloud'"),
        ({"mail_out": [{"to": CLOUD, "arriving": -1}]}, r"mail_out\[0\].arriving"),
        ({"mail_out": [{"to": CLOUD, "wating": 1}]}, "did you mean 'waiting'"),
        ({"send_connectors": [{"name": "x", "smart_hosts": [CLOUD], "enabled": False}]}, r"connector here \(none\)"),
        ({"mail_in": [{"connector": "In"}]}, "'In' is none of Default, Client Proxy, Default Frontend"),
        ({"receive_connectors": [{"name": "In"}]}, "'Default Frontend' is none of In"),
        ({"roles": ["ManagementTools"]}, "no mail flows"),
    ],
)
def test_mistakes_are_explained(exchange: dict[str, Any], words: str) -> None:
    with pytest.raises(DescriptionError, match=words):
        load(described(**exchange))


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def cloud(host: HostClient) -> dict[str, Any]:
    return next(queue for queue in host.exchange.queues().values() if queue["domain"] == CLOUD)


def test_symptom_cause_and_cure(tmp_path: Path) -> None:
    with running_lab(described(clock=1200), tmp_path / "lab", max_lifetime=120) as lab:
        host = lab.host("ex01")
        queue = cloud(host)
        assert queue["status"] == "Retry"
        assert queue["deferred"] == queue["messages"] >= 12
        assert "421 4.4.2 Connection dropped due to SocketError" in queue["last_error"]
        for side in ("Client", "Server"):
            for name, number in ON.items():
                host.set_value(rf"{TLS12}\{side}", name, number)
        before = cloud(host)["messages"]
        until(lambda: cloud(host)["messages"] > before)
        assert cloud(host)["status"] == "Retry", "without a restart nothing changes"
        host.restart()
        empty = {"domain": CLOUD, "messages": 0, "deferred": 0, "status": "Ready", "last_error": ""}
        until(lambda: cloud(host) == empty)
        logs = lab.smtp_logs()
        for folder, token in (("Hub/ProtocolLog/SmtpSend", "CLIENT"), ("FrontEnd/ProtocolLog/SmtpReceive", "SERVER")):
            text = "".join(file.read_text(encoding="utf-8") for file in sorted((logs / "ex01" / folder).iterdir()))
            failing, agreed, working = text.partition(f"TLS protocol SP_PROT_TLS1_2_{token}")
            assert "TLS negotiation failed with error SocketError" in failing
            assert agreed
            assert "SocketError" not in working
    assert (tmp_path / "lab" / "lab.log").read_text(encoding="utf-8") == "", "something in the lab raised an error"
