# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session: what is sent again and what is not, and what is logged of it."""

from __future__ import annotations

import os
import re
import stat
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    AccessDenied,
    ConnectionLost,
    ExchangeTlsError,
    HostBusy,
    LoginRefused,
    OperationTimedOut,
    SecurityContextLost,
    UnexpectedAnswer,
    Unreachable,
    WsmanFault,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire import soap
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._wire.session import (
    MAX_ENVELOPE_SIZE,
    Session,
    WireLog,
)

REQUEST = soap.Request("urn:act", "urn:resource")


def header(message: bytes, name: str) -> str:
    # prefixes are not looked at: they depend on what else has been imported
    return ET.fromstring(message).findtext(f"{{*}}Header/{{*}}{name}", "")


def answer_to(message: bytes, body: str = "<ok/>") -> bytes:
    return (
        f'<s:Envelope xmlns:s="{soap.NS_SOAP}" xmlns:a="{soap.NS_ADDRESSING}"><s:Header>'
        f"<a:RelatesTo>{header(message, 'MessageID')}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


class Channel:
    """Answers well, except for the errors it is given; writes down what happens to it, in order."""

    endpoint = "http://ex01:5985/wsman"
    operation_timeout = 20

    def __init__(self, *errors: Exception | Callable[[bytes], bytes] | None) -> None:
        self.script = list(errors)
        self.events: list[str] = []
        self.messages: list[bytes] = []
        self.limits: list[tuple[float | None, float | None]] = []

    def post(self, message: bytes, doing: str) -> bytes:
        self.events.append("post")
        self.messages.append(message)
        step = (self.script or [None]).pop(0)
        if isinstance(step, Exception):
            raise step
        return step(message) if step else answer_to(message)

    def reconnect(self) -> None:
        self.events.append("reconnect")

    def limit(self, seconds: float | None = None, left: float | None = None) -> None:
        self.limits.append((seconds, left))


def call(channel: Channel, repeatable: bool = True, trace: list[str] | None = None) -> str:
    session = Session(channel, trace=None if trace is None else trace.append)
    body = session.call(REQUEST, doing="doing it", repeatable=repeatable)
    return body[0].tag


def test_one_request() -> None:
    channel = Channel()
    trace: list[str] = []
    assert call(channel, trace=trace) == "ok"
    assert channel.events == ["post"]
    assert trace == ["doing it"]
    (message,) = channel.messages
    assert header(message, "MaxEnvelopeSize") == str(MAX_ENVELOPE_SIZE)
    assert header(message, "OperationTimeout") == "PT20S"
    assert header(message, "To") == "http://ex01:5985/wsman"


def test_message_ids_differ() -> None:
    channel = Channel(SecurityContextLost("x"))
    call(channel)
    call(channel)
    ids = {header(message, "MessageID") for message in channel.messages}
    assert len(ids) == 3
    assert all(uuid.UUID(item.removeprefix("uuid:")) for item in ids)


@pytest.mark.parametrize("repeatable", [True, False])
def test_request_that_could_not_be_read_is_sent_again(repeatable: bool) -> None:
    channel = Channel(SecurityContextLost("forgotten"))
    trace: list[str] = []
    assert call(channel, repeatable, trace) == "ok"
    assert channel.events == ["post", "reconnect", "post"]
    assert trace == ["doing it", "doing it: login expired, logging in again", "doing it"]


def test_read_is_repeated() -> None:
    channel = Channel(ConnectionLost("it broke"))
    trace: list[str] = []
    assert call(channel, True, trace) == "ok"
    assert channel.events == ["post", "reconnect", "post"]
    assert trace[1] == "it broke; logging in again"


def test_write_is_not_repeated() -> None:
    channel = Channel(ConnectionLost("it broke"))
    with pytest.raises(ConnectionLost, match="it broke"):
        call(channel, False)
    assert channel.events == ["post", "reconnect"], "the next request gets a fresh login"


@pytest.mark.parametrize("first", [SecurityContextLost("one"), ConnectionLost("one")])
@pytest.mark.parametrize("second", [SecurityContextLost("two"), ConnectionLost("two"), LoginRefused("two")])
def test_second_failure_is_raised(first: Exception, second: Exception) -> None:
    channel = Channel(first, second)
    with pytest.raises(type(second), match="two"):
        call(channel)
    assert channel.events[:3] == ["post", "reconnect", "post"]
    assert "post" not in channel.events[3:]


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize(
    "error",
    [
        Unreachable("x"),
        LoginRefused("x"),
        UnexpectedAnswer("x"),
        WsmanFault("x"),
        AccessDenied("x"),
        OperationTimedOut("x"),
    ],
)
def test_other_failures_are_not_repeated(error: ExchangeTlsError, repeatable: bool) -> None:
    channel = Channel(error)
    with pytest.raises(type(error)):
        call(channel, repeatable)
    assert channel.events == ["post"]


class Pauses(list[float]):
    """Takes the place of sleeping."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def patient_call(channel: Channel, repeatable: bool = True) -> tuple[str | HostBusy, Pauses]:
    pauses = Pauses()
    session = Session(channel, sleep=pauses)
    try:
        return session.call(REQUEST, doing="doing it", repeatable=repeatable)[0].tag, pauses
    except HostBusy as exc:
        return exc, pauses


@pytest.mark.parametrize(
    ("told", "waited"), [([None], [1]), ([0], [0]), ([3.0, None], [3, 1]), ([3600.0], [5]), ([2.0, 2.0], [2, 2])]
)
def test_busy_host_is_asked_again(told: list[float | None], waited: list[float]) -> None:
    channel = Channel(*(HostBusy("HTTP 503", seconds) for seconds in told))
    assert patient_call(channel) == ("ok", waited)


def test_host_that_stays_busy() -> None:
    channel = Channel(*(HostBusy("HTTP 503") for _dummy in range(9)))
    error, pauses = patient_call(channel)
    assert isinstance(error, HostBusy)
    assert (len(channel.messages), pauses) == (3, [1, 1])


def test_busy_host_gets_no_write_again() -> None:
    channel = Channel(HostBusy("HTTP 429"))
    error, pauses = patient_call(channel, repeatable=False)
    assert isinstance(error, HostBusy)
    assert (channel.events, pauses) == (["post"], [])


def test_busy_host_while_somebody_polls() -> None:
    """He has a deadline and pauses of his own."""
    channel = Channel(HostBusy("HTTP 503"), HostBusy("HTTP 503"))
    pauses = Pauses()
    session = Session(channel, sleep=pauses)
    session.limit(10, 60)
    with pytest.raises(HostBusy):
        session.call(REQUEST, doing="doing it", repeatable=True)
    assert pauses == []
    session.limit()
    assert session.call(REQUEST, doing="doing it", repeatable=True)[0].tag == "ok"
    assert pauses == [1]
    assert channel.limits == [(10, 60), (None, None)]


def test_write_after_a_lost_context_that_breaks_is_not_repeated() -> None:
    channel = Channel(SecurityContextLost("x"), ConnectionLost("it broke"), None)
    with pytest.raises(ConnectionLost, match="it broke"):
        call(channel, False)
    assert channel.events.count("post") == 2
    assert channel.events[-1] == "reconnect", "the next request gets a fresh login"


def test_rubbish_is_refused() -> None:
    with pytest.raises(UnexpectedAnswer, match="doing it: the answer cannot be read"):
        call(Channel(lambda message: b"<s:Envelope"))


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize(
    ("other", "told"),
    [
        (b"<html><title>Welcome</title>", "a web page titled 'Welcome' came instead of an answer of WinRM"),
        (b'{"error": "sign in"}', "20 bytes that begin with '{.error.: .sign in.}' came instead"),
        (b"", "an empty answer came instead"),
        (b"SSH-2.0-x", "9 bytes that begin with 'SSH-2.0-x' came instead"),
        (b"<?xml version='1.0'?><Error/>", "29 bytes that begin with .* came instead"),
    ],
)
def test_what_is_no_answer_at_all(other: bytes, told: str, repeatable: bool) -> None:
    """Whether the host has carried the request out is not known: as if no answer had come."""
    channel = Channel(lambda message: other, lambda message: other)
    with pytest.raises(ConnectionLost, match=told):
        call(channel, repeatable)
    assert channel.events.count("post") == (2 if repeatable else 1)
    assert call(Channel(lambda message: other)) == "ok"


@pytest.mark.parametrize("repeatable", [True, False])
def test_a_connection_that_is_out_of_step_is_left(repeatable: bool) -> None:
    """Whatever would come over it next would be the answer to the request before."""
    channel = Channel(lambda message: answer_to(message).replace(b"uuid:", b"uuid:0"))
    if repeatable:
        assert call(channel) == "ok"
    else:
        with pytest.raises(ConnectionLost, match="doing it: the answer belongs to another request"):
            call(channel, False)
    assert channel.events[:2] == ["post", "reconnect"]


def test_web_page_is_no_answer_of_winrm() -> None:
    """A proxy's page in between: nobody knows whether the host has carried the request out."""
    page = b"<html><title>Sign in</title></html>"
    channel = Channel(lambda message: page)
    assert call(channel, True) == "ok", "a read is repeated"
    channel = Channel(lambda message: page)
    with pytest.raises(ConnectionLost, match="a web page titled 'Sign in' came instead"):
        call(channel, False)
    assert channel.events == ["post", "reconnect"]


# --- the wire log ----------------------------------------------------------------------------------------------------


def test_wire_log(tmp_path: Path) -> None:
    folder = tmp_path / "a b" / "logs"
    error = Unreachable("HTTP 503")
    error.answer = b"<html>busy</html>"
    channel = Channel(None, error, ConnectionLost("it broke"), None)
    session = Session(channel, wire_log=WireLog(str(folder), "ex01"))
    session.call(REQUEST, doing="first", repeatable=True)
    with pytest.raises(Unreachable):
        session.call(REQUEST, doing="second", repeatable=True)
    session.call(REQUEST, doing="third", repeatable=True)
    path = folder / "ex01.wsman.log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    text = path.read_text()
    heads = re.findall(r"^### \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 (.*)$", text, re.MULTILINE)
    assert heads == [
        "request: first",
        "answer: first",
        "request: second",
        "error: second",
        "request: third",
        "error: third",
        "request: third",
        "answer: third",
    ]
    for message in channel.messages:
        assert message.decode() in text
    assert "<html>busy</html>" in text
    assert "it broke" in text


def test_wire_log_goes_on(tmp_path: Path) -> None:
    for _dummy in range(2):
        Session(Channel(), wire_log=WireLog(str(tmp_path), "ex01")).call(REQUEST, doing="x", repeatable=True)
    assert (tmp_path / "ex01.wsman.log").read_text().count("### ") == 4


def test_wire_log_of_each_host(tmp_path: Path) -> None:
    for host in ("ex01", "../ex/02", "ex 03"):
        WireLog(str(tmp_path / "logs"), host).write("request", "x", b"y")
    assert sorted(item.name for item in (tmp_path / "logs").iterdir()) == [
        ".._ex_02.wsman.log",
        "ex 03.wsman.log",
        "ex01.wsman.log",
    ]
    assert [item.name for item in tmp_path.iterdir()] == ["logs"]


def test_wire_log_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExchangeTlsError, match=r"Cannot write the wire log '.*ex01.wsman.log': "):
        WireLog(str(tmp_path / "file"), "ex01")


def test_wire_log_of_a_name_that_is_none(tmp_path: Path) -> None:
    for folder, host in (("a\0b", "ex01"), (str(tmp_path), "ex\0")):
        with pytest.raises(ExchangeTlsError, match=r"Cannot write the wire log .*null (?:byte|character)"):
            WireLog(folder, host)


def test_wire_log_of_others_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("keep")
    path = tmp_path / "ex01.wsman.log"
    for spoil in (
        lambda: path.symlink_to(tmp_path / "elsewhere"),
        lambda: path.hardlink_to(tmp_path / "elsewhere"),
        lambda: path.symlink_to(tmp_path / "nowhere"),
        lambda: os.mkfifo(path),
        path.mkdir,
    ):
        spoil()
        with pytest.raises(ExchangeTlsError, match=r"Cannot write the wire log '.*'"):
            WireLog(str(tmp_path), "ex01")
        assert not (tmp_path / "nowhere").exists()
        assert (tmp_path / "elsewhere").read_text() == "keep"
        path.rmdir() if path.is_dir() else path.unlink()


def test_wire_log_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ex01.wsman.log").write_text("keep")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ExchangeTlsError, match="belongs to another user"):
        WireLog(str(tmp_path), "ex01")
    assert (tmp_path / "ex01.wsman.log").read_text() == "keep"


def test_wire_log_that_is_put_elsewhere_in_between(tmp_path: Path) -> None:
    channel = Channel()
    trace: list[str] = []
    session = Session(channel, trace=trace.append, wire_log=WireLog(str(tmp_path), "ex01"))
    path = tmp_path / "ex01.wsman.log"
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    assert session.call(REQUEST, doing="x", repeatable=True)[0].tag == "ok", "the task goes on"
    assert not (tmp_path / "elsewhere").exists()
    assert any("the wire log cannot be written" in message for message in trace)


def test_wire_log_gets_its_mode_and_holds_nothing_open(tmp_path: Path) -> None:
    path = tmp_path / "ex01.wsman.log"
    path.write_text("")
    path.chmod(0o666)
    before = os.listdir("/proc/self/fd")
    log = WireLog(str(tmp_path), "ex01")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    log.write("request", "x", b"y")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir("/proc/self/fd") == before
