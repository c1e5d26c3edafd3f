# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong below WS-Management, as the libraries raise it, and what is said of it."""

from __future__ import annotations

import datetime
import email.utils
import errno
import http.client
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest
import requests
import urllib3.exceptions as u3
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    AccessDenied,
    ConnectionLost,
    ExchangeTlsError,
    HostBusy,
    LoginRefused,
    OperationTimedOut,
    OptionError,
    SecurityContextLost,
    Unreachable,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport import channels, explain
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport.line import Line, charset_of
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport.login import Login
from hypothesis import example, given
from hypothesis import strategies as st

from ..wire.test_soap_faults import fault, wsman_fault
from . import connections
from .connections import PASSWORD, Http, Reply, response

DOING = "reading HKLM\\X"


@pytest.fixture(name="http")
def _http(monkeypatch: pytest.MonkeyPatch) -> Http:
    return Http(monkeypatch)


@pytest.fixture(name="post", params=["winrm", "psrp"])
def _post(request: pytest.FixtureRequest, http: Http) -> Callable[[Reply], ExchangeTlsError]:
    """Sends a message that is answered so, and returns the error that comes of it."""
    connection = connections.winrm() if request.param == "winrm" else connections.psrp()
    channel = channels.open_channel(connection)

    def post(reply: Reply) -> ExchangeTlsError:
        http.replies = [reply]
        with pytest.raises(ExchangeTlsError) as caught:
            channel.post(b"<envelope/>", DOING)
        found = caught.value
        assert found.message.startswith(f"{DOING}") or isinstance(found, AccessDenied | OperationTimedOut)
        assert PASSWORD not in found.message
        assert " at 0x" not in found.message
        return found

    return post


def chained(outer: Exception, cause: Exception) -> Exception:
    outer.__cause__ = cause
    return outer


def max_retries(reason: Exception) -> u3.MaxRetryError:
    return u3.MaxRetryError(urllib3_pool(), "/wsman", reason)


def urllib3_pool() -> Any:
    return u3.ConnectTimeoutError  # only its text is used


def refused() -> Exception:
    cause = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    return requests.ConnectionError(max_retries(chained(u3.NewConnectionError(object(), str(cause)), cause)))  # type: ignore[arg-type]


def unresolved() -> Exception:
    cause = socket.gaierror(-2, "Name or service not known")
    return requests.ConnectionError(max_retries(chained(u3.NameResolutionError("ex01", object(), cause), cause)))  # type: ignore[arg-type]


def expired() -> Exception:
    words = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)"
    return requests.exceptions.SSLError(max_retries(u3.SSLError(ssl.SSLCertVerificationError(1, words))))


def no_tunnel(status: str) -> Exception:
    cause = OSError(f"Tunnel connection failed: {status}")
    return requests.exceptions.ProxyError(max_retries(u3.ProxyError("Unable to connect to proxy", cause)))


NOT_SENT = {
    "refused": (refused, "cannot connect to the host: Connection refused"),
    "no such name": (unresolved, "cannot connect to the host: Name or service not known"),
    "connect timeout": (
        lambda: requests.ConnectTimeout(max_retries(u3.ConnectTimeoutError(object(), "timed out"))),  # type: ignore[arg-type]
        "did not accept a connection in time",
    ),
    "certificate": (expired, "certificate has expired"),
    "proxy": (lambda: no_tunnel("403 Forbidden"), "the proxy failed: Tunnel connection failed: 403 Forbidden"),
    "login of a proxy": (lambda: no_tunnel("407 Auth"), "the proxy wants a login of its own (HTTP 407)"),
}


@pytest.mark.parametrize("case", NOT_SENT)
def test_surely_not_carried_out(post: Callable[[Reply], ExchangeTlsError], case: str) -> None:
    make, words = NOT_SENT[case]
    found = post(make())
    assert found.__class__ is Unreachable
    assert words in found.message


def test_certificate_says_where_to_look(post: Callable[[Reply], ExchangeTlsError]) -> None:
    assert "ansible_winrm_ca_trust_path or ansible_psrp_ca_cert" in post(expired()).message


def broken(cause: OSError) -> Exception:
    return requests.ConnectionError(u3.ProtocolError("Connection aborted.", cause))


PERHAPS = {
    "reset": (lambda: broken(ConnectionResetError(104, "Connection reset by peer")), "Connection reset by peer"),
    "broken pipe": (lambda: broken(BrokenPipeError(32, "Broken pipe")), "Broken pipe"),
    "closed": (
        lambda: requests.ConnectionError(
            u3.ProtocolError("Connection aborted.", ConnectionError("Remote end closed connection without response"))
        ),
        "Remote end closed connection",
    ),
    "read timeout": (
        lambda: requests.ReadTimeout(u3.ReadTimeoutError(object(), "/", "Read timed out.")),  # type: ignore[arg-type]
        "did not answer in time",
    ),
    "cut off": (
        lambda: requests.exceptions.ChunkedEncodingError(u3.IncompleteRead(5, 10)),
        "the connection broke before an answer came",
    ),
    # the end of a TLS connection while the answer is awaited, and a server that hangs up on the handshake, look alike
    "TLS ended": (
        lambda: requests.exceptions.SSLError(
            max_retries(u3.SSLError(ssl.SSLEOFError(8, "EOF occurred in violation of protocol (_ssl.c:2427)")))
        ),
        "EOF occurred in violation of protocol",
    ),
}


@pytest.mark.parametrize("case", PERHAPS)
def test_perhaps_carried_out(post: Callable[[Reply], ExchangeTlsError], case: str) -> None:
    make, words = PERHAPS[case]
    found = post(make())
    assert found.__class__ is ConnectionLost
    assert words in found.message


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.InvalidURL("Failed to parse: http://bad host:5985/wsman"),
        requests.exceptions.InvalidProxyURL("Please check proxy URL. It is malformed and could be missing the host."),
        requests.exceptions.MissingSchema("Invalid URL"),
    ],
)
def test_address_that_makes_no_sense(post: Callable[[Reply], ExchangeTlsError], error: Exception) -> None:
    found = post(error)
    assert found.__class__ is OptionError
    assert str(error).rstrip(".") in found.message


HTTP_ERRORS = {
    "401": (response(401, "<html>"), LoginRefused, "rejected the credentials (HTTP 401)"),
    "400 empty": (response(400), SecurityContextLost, "no longer knows our login"),
    "400 html": (response(400, "<html><title>Bad Request</title>"), Unreachable, "a web page titled 'Bad Request'"),
    "404 empty": (response(404), Unreachable, "nothing serves WS-Management there"),
    "404 html": (response(404, "<html><title>Not Found</title>"), Unreachable, "Check port and path"),
    "500 empty": (response(500), Unreachable, "refuses unencrypted messages"),
    "500 blank": (response(500, " \r\n"), Unreachable, "refuses unencrypted messages"),
    "500 html": (response(500, "<html>"), Unreachable, "HTTP 500, a web page; this is not a working WinRM service"),
    "503 empty": (response(503), HostBusy, "HTTP 503; this is not a working WinRM service"),
    "503 html": (response(503, "<html><title>Busy</title>"), HostBusy, "HTTP 503, a web page titled 'Busy'"),
    # what a gateway says of a message that it has handed on
    "502 html": (response(502, "<html><title>Bad Gateway</title>"), ConnectionLost, "HTTP 502, a web page titled"),
    "504 empty": (response(504), ConnectionLost, "HTTP 504; a proxy or a balancer got no answer from the host"),
    "524 text": (response(524, "timeout"), ConnectionLost, "HTTP 524"),
    "511 html": (response(511, "<html><title>Sign in</title>"), Unreachable, "HTTP 511, a web page titled 'Sign in'"),
    "500 fault": (
        response(500, fault("s:Sender", "w:AccessDenied", "Access is denied.", wsman_fault(5))),
        AccessDenied,
        "Administrators",
    ),
    "500 timed out": (response(500, fault("s:Receiver", "w:TimedOut", "Slow.")), OperationTimedOut, "Slow"),
    "400 fault": (response(400, fault("s:Sender", "w:AccessDenied", "No.")), AccessDenied, "Administrators"),
    "500 entity expansion": (response(500, "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), Unreachable, "HTTP 500"),
}


@pytest.mark.parametrize("case", HTTP_ERRORS)
def test_http_errors(post: Callable[[Reply], ExchangeTlsError], case: str) -> None:
    reply, kind, words = HTTP_ERRORS[case]
    found = post(reply)
    assert found.__class__ is kind
    assert words in found.message
    if case != "401":
        assert found.answer == reply.content


def test_page_in_another_encoding(post: Callable[[Reply], ExchangeTlsError]) -> None:
    """Not a failed login: the request was answered, and perhaps carried out."""
    page = "<html><title>Störung</title>".encode("latin-1")
    found = post(response(503, page, "text/html; charset=iso-8859-1"))
    assert found.__class__ is HostBusy
    assert "a web page titled 'Störung'" in found.message


@pytest.mark.parametrize("error", [KeyError("content-type"), AttributeError("'NoneType' object has no attribute 'x'")])
def test_library_that_fails_before_anything_came(post: Callable[[Reply], ExchangeTlsError], error: Exception) -> None:
    found = post(error)
    assert found.__class__ is LoginRefused
    assert "the login failed on the controller" in found.message


def test_login_that_fails_on_the_controller(post: Callable[[Reply], ExchangeTlsError]) -> None:
    class SpnegoError(Exception):
        pass

    found = post(SpnegoError(f"something odd about {PASSWORD}"))
    assert isinstance(found, LoginRefused)
    assert "SpnegoError: something odd about ********" in found.message


@given(
    st.text("abcdefXYZ0123456789'\"\\ %&/:@#üß€", min_size=8),
    st.sampled_from(["{}", "user:{}@host", "{!r}", "http://admin:{}@proxy:3128/", "('x', {!r})", "{} and {}"]),
    st.sampled_from(
        [ValueError, requests.ConnectionError, requests.exceptions.SSLError, requests.exceptions.ProxyError]
    ),
)
@example('it\'s "both" \\', "{!r}", ValueError)
def test_no_secret_in_any_message(password: str, place: str, kind: type[Exception]) -> None:
    text = place.format(password, password)

    def send() -> bytes:
        raise kind(text) if kind is not ValueError else type("OddError", (Exception,), {})(text)

    with pytest.raises(ExchangeTlsError) as caught:
        explain.answer(send, DOING, Line(), lambda: Login("basic", "http://ex01:5985/wsman", "admin", password), 5)
    assert password not in caught.value.message
    assert repr(password)[1:-1] not in caught.value.message
    assert "****" in caught.value.message


def test_no_secret_to_hide() -> None:
    assert Login("basic", "http://ex01:5985/wsman").without_secret("plain words") == "plain words"
    assert "hidden" not in repr(Login("basic", "", "admin", "hidden"))


SOAP = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>Größe</s:Body></s:Envelope>"


@pytest.mark.parametrize("plugin", ["winrm", "psrp"])
@pytest.mark.parametrize(
    ("encoding", "kind"),
    [
        ("utf-16-le", "application/soap+xml;charset=UTF-16"),
        ("utf-16-be", 'application/soap+xml; action="x"; charset="utf-16"'),
        ("latin-1", "application/soap+xml;charset=iso-8859-1"),
        ("utf-8", "application/soap+xml"),
    ],
)
def test_encoding_is_that_of_the_header(http: Http, plugin: str, encoding: str, kind: str) -> None:
    connection = connections.winrm() if plugin == "winrm" else connections.psrp()
    http.replies = [response(200, SOAP.encode(encoding), kind)]
    assert channels.open_channel(connection).post(b"<envelope/>", DOING) == SOAP.encode()


@pytest.mark.parametrize(
    ("kind", "content", "charset"),
    [
        ("text/xml", b"", None),
        (None, b"", None),
        ("text/xml; charset=", b"", None),
        ("text/xml; Charset = 'UTF-16'", b"", "UTF-16"),
        ("multipart/encrypted;boundary=x", b"x\r\n\tOriginalContent: type=a;charset=UTF-16;Length=5\r\n", "UTF-16"),
        ("multipart/encrypted;boundary=x", b"", None),
    ],
)
def test_where_the_encoding_is_named(kind: str | None, content: bytes, charset: str | None) -> None:
    assert charset_of(response(200, content, kind)) == charset


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16"])
def test_fault_in_another_encoding(post: Callable[[Reply], ExchangeTlsError], encoding: str) -> None:
    document = fault("s:Sender", "w:AccessDenied", "Zugriff verweigert für Ö.").decode().encode(encoding)
    found = post(response(500, document, "application/soap+xml;charset=UTF-16"))
    assert found.__class__ is AccessDenied
    assert "Zugriff verweigert für Ö" in found.message


# Stands for a moment in an hour from when the test begins.
SOON = "in an hour"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("told", "least", "most"),
    [
        ("7", 7, 7),
        (" 0 ", 0, 0),
        (SOON, 3500, 3600),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0, 0),
        ("soon", None, None),
        ("-1", None, None),
        ("Wed, 21 Oct 20429496729626 07:28:00 GMT", None, None),
        ("Wed, 21 Oct 2042 07:28:00 +9999999999", None, None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 1e10, 1e12),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0, 0),
        pytest.param("9" * 5000, None, None, id="many digits"),
        ("", None, None),
    ],
)
def test_when_a_busy_host_wants_to_be_asked_again(
    post: Callable[[Reply], ExchangeTlsError], status: int, told: str, least: float | None, most: float | None
) -> None:
    if told == SOON:
        hour = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        told = email.utils.format_datetime(hour, usegmt=True)
    found = post(response(status, Retry_After=told))
    assert isinstance(found, HostBusy)
    assert f"HTTP {status}" in found.message
    assert found.as_result()["kind"] == "unreachable"
    if least is None or most is None:
        assert found.retry_after is None
    else:
        assert found.retry_after is not None
        assert least <= found.retry_after <= most


def test_what_the_line_says_is_visible_and_short(post: Callable[[Reply], ExchangeTlsError]) -> None:
    found = post(
        requests.ConnectionError(u3.ProtocolError("x", http.client.BadStatusLine("\u202e\x1b[31m" + "y" * 9000)))
    )
    assert "<U+202E><U+001B>[31m" in found.message
    assert len(found.message) < 1000
