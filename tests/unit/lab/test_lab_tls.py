# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS listeners: versions by registry and Windows defaults, refusals as Schannel gives them, STARTTLS."""

from __future__ import annotations

import itertools
import smtplib
import socket
import ssl
from typing import Any

import pytest

from tests.lab import schannel, tls
from tests.lab.client import HostClient, LabClient
from tests.lab.endpoints import unserved
from tests.lab.presets import layer_names, registry_layer, windows_preset
from tests.lab.registry import Registry
from tests.unit.lab.handshakes import VERSIONS, client_context, client_hello, first_record, negotiated
from tests.unit.lab.wire import PROTOCOLS


def accepts(host: HostClient, kind: str, version: str) -> bool:
    try:
        return negotiated(host, kind, version) is not None
    except AssertionError:  # no STARTTLS
        return False


def configure(host: HostClient, **enabled: int | None) -> None:
    """Sets Enabled on the server side (None: no key) and restarts: TLS10=0 ..."""
    for name, value in enabled.items():
        protocol = f"{name[:3]} {name[3]}.{name[4]}"
        if host.registry(rf"{PROTOCOLS}\{protocol}") is not None:
            host.delete_key(rf"{PROTOCOLS}\{protocol}")
        if value is not None:
            host.set_value(rf"{PROTOCOLS}\{protocol}\Server", "Enabled", value)
    host.restart()


@pytest.fixture
def stock(plain: HostClient) -> Any:
    yield plain
    configure(plain, SSL30=None, TLS10=None, TLS11=None, TLS12=None, TLS13=None)


@pytest.mark.parametrize("kind", ["smtp", "smtp587", "smtps", "https", "imaps", "pop3s"])
def test_defaults_on_the_wire(plain: HostClient, kind: str) -> None:
    offered = {version for version in VERSIONS if accepts(plain, kind, version)}
    assert offered == {"TLS 1.0", "TLS 1.1", "TLS 1.2"} == set(plain.effective_protocols(kind))


def test_exchange_smtp_has_no_tls13(lab: LabClient) -> None:
    late = lab.host("late")
    assert accepts(late, "https", "TLS 1.3")
    assert not accepts(late, "smtp", "TLS 1.3")
    assert accepts(late, "smtp", "TLS 1.2")
    assert late.effective_protocols("smtp") == ["TLS 1.0", "TLS 1.1", "TLS 1.2"]
    assert late.effective_protocols("https") == ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]


def test_windows_2008_r2(lab: LabClient) -> None:
    old = lab.host("old")
    assert old.effective_protocols() == ["SSL 3.0", "TLS 1.0"]
    assert [version for version in VERSIONS if accepts(old, "https", version)] == ["TLS 1.0"]


@pytest.mark.parametrize("state", list(itertools.product((0, 1), repeat=3)))
def test_every_subset_with_holes(stock: HostClient, state: tuple[int, int, int]) -> None:
    configure(stock, TLS10=state[0], TLS11=state[1], TLS12=state[2])
    expected = [version for version, on in zip(("TLS 1.0", "TLS 1.1", "TLS 1.2"), state, strict=True) if on]
    for kind in ("https", "smtp"):
        assert [version for version in VERSIONS if accepts(stock, kind, version)] == expected


def test_nothing_in_common_is_a_reset_and_no_starttls(stock: HostClient) -> None:
    configure(stock, TLS10=0, TLS11=0, TLS12=0)
    with (
        socket.create_connection((stock.address, stock.port("https")), timeout=5) as raw,
        pytest.raises(ConnectionError),
    ):
        client_context("TLS 1.2").wrap_socket(raw)
    with smtplib.SMTP(stock.address, stock.port("smtp"), timeout=5) as smtp:
        smtp.ehlo()
        assert not smtp.has_extn("starttls")
        assert smtp.docmd("STARTTLS")[0] == 500
    assert stock.counters()["tls_refused"] == 1


def test_reset_rather_than_alert(plain: HostClient) -> None:
    with socket.create_connection((plain.address, plain.port("https")), timeout=5) as raw:
        raw.sendall(client_hello(0x0303, [0x0304]))
        with pytest.raises(ConnectionResetError):
            raw.recv(1)


def test_garbage_is_a_reset(plain: HostClient) -> None:
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x02\x01\x00", b"\x80\x2e\x01\x00\x02", bytes(300)):
        with socket.create_connection((plain.address, plain.port("https")), timeout=5) as raw:
            raw.sendall(data)
            with pytest.raises(ConnectionResetError):
                raw.recv(1)


def test_ssl3_flight(lab: LabClient, stock: HostClient) -> None:
    hello = client_hello(0x0300)
    with socket.create_connection((stock.address, stock.port("https")), timeout=5) as raw:
        raw.sendall(hello)
        with pytest.raises(ConnectionResetError):
            raw.recv(1)  # 2019 has it off
    old = lab.host("old")
    data = first_record(old, "https", hello)
    assert data[:3] == b"\x16\x03\x00"
    kinds, position = [], 5
    while position < len(data):
        kinds.append(data[position])
        position += 4 + int.from_bytes(data[position + 1 : position + 4], "big")
    assert (kinds, position) == ([2, 11, 14], len(data))
    assert data[9:11] == b"\x03\x00"
    configure(stock, SSL30=1)
    assert stock.effective_protocols()[0] == "SSL 3.0"


@pytest.mark.parametrize(
    ("record", "versions"),
    [
        (client_hello(0x0303), {0x0300, 0x0301, 0x0302, 0x0303}),
        (client_hello(0x0301), {0x0300, 0x0301}),
        (client_hello(0x0300), {0x0300}),
        (client_hello(0x0303, [0x0304, 0x0303]), {0x0303, 0x0304}),
        (client_hello(0x0303, [0x7A7A, 0x0304]), {0x7A7A, 0x0304}),
        (client_hello(0x0303)[:20], set()),
        (b"", set()),
        (b"\x15\x03\x01\x00\x02\x01\x00", set()),
    ],
)
def test_versions_of_a_hello(record: bytes, versions: set[int]) -> None:
    assert tls.parse_hello(record).versions == versions


def test_smtp_dialogue(lab: LabClient, plain: HostClient) -> None:
    context = ssl.create_default_context(cafile=str(lab.ca_path))
    with smtplib.SMTP(plain.address, plain.port("smtp587"), timeout=5) as smtp:
        smtp._host = plain.fqdn  # type: ignore[attr-defined]  # the name that the certificate is held against
        smtp.ehlo()
        assert smtp.docmd("MAIL", "FROM:<a@lab.test>") == (451, b"5.7.3 Must issue a STARTTLS command first")
        assert smtp.starttls(context=context)[0] == 220
        smtp.ehlo()
        assert not smtp.has_extn("starttls")
        assert smtp.docmd("MAIL", "FROM:<a@lab.test>")[0] == 530
        assert smtp.docmd("NOOP")[0] == 250
        assert smtp.docmd("HELO", "x")[0] == 250
        assert smtp.docmd("JUMP")[0] == 500


def test_what_the_other_listeners_say(plain: HostClient) -> None:
    def talk(kind: str, text: bytes) -> bytes:
        with (
            socket.create_connection((plain.address, plain.port(kind)), timeout=5) as raw,
            client_context("TLS 1.2").wrap_socket(raw) as secured,
        ):
            secured.sendall(text)
            data = b""
            while chunk := secured.recv(4096):
                data += chunk
            return data

    assert talk("https", b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\nServer: Microsoft-IIS")
    imap = talk("imaps", b"a CAPABILITY\r\nb NOPE\r\nc LOGOUT\r\n")
    assert imap.startswith(b"* OK The Microsoft Exchange IMAP4 service is ready.")
    assert b"b BAD" in imap
    assert imap.endswith(b"c OK LOGOUT completed.\r\n")
    pop = talk("pop3s", b"CAPA\r\nNOPE\r\nQUIT\r\n")
    assert pop.startswith(b"+OK The Microsoft Exchange POP3 service is ready.")
    assert b"-ERR" in pop
    assert talk("smtps", b"QUIT\r\n").startswith(b"220 ")


class TestEffectiveSettings:
    """The pure rule."""

    @staticmethod
    def effective(windows: str, values: dict[str, Any], protocol: str = "TLS 1.2", lenient: bool = False) -> bool:
        registry = Registry()
        registry.apply({rf"HKLM\{PROTOCOLS}\{protocol}\Server": values})
        return protocol in schannel.effective_protocols(
            registry, windows_preset(windows), schannel.Rules(wrong_type_is_number=lenient)
        )

    @pytest.mark.parametrize(
        ("enabled", "hidden", "on_2016", "on_2008r2"),
        [
            (None, None, True, False),
            (None, 0, True, True),
            (None, 1, False, False),
            (0, None, False, False),
            (0, 0, False, False),
            (0, 1, False, False),
            (1, None, True, False),
            (1, 0, True, True),
            (1, 1, False, False),
            (0xFFFFFFFF, 0, True, True),
            (0xFFFFFFFF, None, True, False),
            (2, 0xFFFFFFFF, False, False),
        ],
    )
    def test_numbers(self, enabled: int | None, hidden: int | None, on_2016: bool, on_2008r2: bool) -> None:
        pairs = {"Enabled": enabled, "DisabledByDefault": hidden}
        values = {name: value for name, value in pairs.items() if value is not None}
        assert self.effective("2016", values) is on_2016
        assert self.effective("2008r2", values) is on_2008r2

    @pytest.mark.parametrize("kind", ["REG_SZ", "REG_QWORD", "REG_BINARY"])
    def test_wrong_types_count_as_absent(self, kind: str) -> None:
        data: Any = {"REG_SZ": "0", "REG_QWORD": 0, "REG_BINARY": [0, 0, 0, 0]}[kind]
        values = {"Enabled": {"type": kind, "data": data}}
        assert self.effective("2016", values)
        assert not self.effective("2016", values, lenient=True)

    def test_text_that_is_no_number(self) -> None:
        values = {"Enabled": {"type": "REG_SZ", "data": "no"}}
        assert self.effective("2016", values, lenient=True)

    def test_default_off_needs_enabled(self) -> None:
        assert not self.effective("2016", {}, "SSL 3.0")
        assert self.effective("2016", {"Enabled": 1}, "SSL 3.0")
        assert not self.effective("2016", {"Enabled": 1}, "TLS 1.3")  # not supported there

    def test_names_that_windows_ignores(self) -> None:
        registry = Registry()
        registry.apply({rf"HKLM\{PROTOCOLS}\TLS 1,2\Server": {"Enabled": 0}})
        registry.apply({rf"HKLM\{PROTOCOLS}\TLS 1.2\server ": {"Enabled": 0}})
        registry.apply({rf"HKLM\{PROTOCOLS}\TLS 1.2\Client": {"Enabled": 0}})
        assert "TLS 1.2" in schannel.effective_protocols(registry, windows_preset("2016"))
        registry.apply({rf"HKLM\{PROTOCOLS}\tls 1.2\SERVER": {"ENABLED": 0}})
        assert "TLS 1.2" not in schannel.effective_protocols(registry, windows_preset("2016"))

    @pytest.mark.parametrize(
        ("windows", "expected"),
        [
            ("2008r2", ["SSL 2.0", "SSL 3.0", "TLS 1.0"]),
            ("2012", ["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2"]),
            ("2012r2", ["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2"]),
            ("2016", ["TLS 1.0", "TLS 1.1", "TLS 1.2"]),
            ("2019", ["TLS 1.0", "TLS 1.1", "TLS 1.2"]),
            ("2022", ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]),
            ("2025", ["TLS 1.2", "TLS 1.3"]),
        ],
    )
    def test_stock(self, windows: str, expected: list[str]) -> None:
        preset = windows_preset(windows)
        registry = Registry()
        registry.apply(registry_layer("stock", preset))
        assert list(schannel.effective_protocols(registry, preset)) == expected

    @pytest.mark.parametrize(
        ("layer", "tls12"),
        [
            ("tls12_off", False),
            ("tls12_enabled", True),
            ("hardened", True),
            ("half_configured", True),
            ("damaged_fi", True),
            ("damaged_nb", True),
            ("wrong_type", True),
        ],
    )
    def test_layers(self, layer: str, tls12: bool) -> None:
        assert layer in layer_names()
        registry = Registry()
        registry.apply(registry_layer(layer, windows_preset("2016")))
        assert ("TLS 1.2" in schannel.effective_protocols(registry, windows_preset("2016"))) is tls12

    def test_no_endpoint_serves_ssl2(self) -> None:
        assert unserved("https") == {"SSL 2.0"}
        assert unserved("smtp") == {"SSL 2.0", "TLS 1.3"}


def test_quirk_wrong_type(stock: HostClient) -> None:
    stock.set_value(rf"{PROTOCOLS}\TLS 1.2\Server", "Enabled", "0", "REG_SZ")
    stock.restart()
    assert "TLS 1.2" in stock.effective_protocols()
    stock.set_quirk("wrong_type", "number")
    stock.restart()
    assert "TLS 1.2" not in stock.effective_protocols()
