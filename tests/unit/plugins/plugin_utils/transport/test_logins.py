# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins that fail: what came over the line decides what is said, and with what cure."""

from __future__ import annotations

import http.client as http_client
import pathlib
from typing import Any

import pytest
import requests
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    ConnectionLost,
    ExchangeTlsError,
    LoginRefused,
    SecurityContextLost,
    Unreachable,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport import channels
from requests_credssp.exceptions import NTStatusException

from . import connections
from .connections import PASSWORD, Http, Reply, response

# the second message of NTLM, as a host without a domain sends it
CHALLENGE = (
    "TlRMTVNTUAACAAAADAAMADgAAAA1goriASNFZ4mrze8AAAAAAAAAACQAJABEAAAABgBwFwAAAA9TAGUAcgB2AGUAcgACAAwARABvAG0AYQBpAG4A"
    "AQAMAFMAZQByAHYAZQByAAAAAAA="
)
PAGE = b"<!DOCTYPE html><html><head><title>Sign in to the network</title></head></html>"


@pytest.fixture(name="http")
def _http(monkeypatch: pytest.MonkeyPatch) -> Http:
    return Http(monkeypatch)


@pytest.fixture(name="plugin", params=["winrm", "psrp"])
def _plugin(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def refused(offers: str = "Negotiate, Basic realm='WSMAN'", **headers: str) -> Reply:
    return response(401, content_type=None, WWW_Authenticate=offers, **headers)


def challenge(**headers: str) -> Reply:
    return refused(f"Negotiate {CHALLENGE}", **headers)


def failure(http: Http, plugin: str, how: str, *replies: Reply, **options: Any) -> ExchangeTlsError:
    http.replies = list(replies)
    if plugin == "winrm":
        options.setdefault("scheme", options.pop("protocol", "http"))
        connection = connections.winrm(transport=[how], kerberos_mode="manual", **options)
    else:
        encryption = "never" if how == "basic" else "auto"
        connection = connections.psrp(auth=how, **{"message_encryption": encryption, "protocol": "http", **options})
    with pytest.raises(ExchangeTlsError) as caught:
        channels.open_channel(connection).post(b"<envelope/>", "reading")
    assert PASSWORD not in caught.value.message
    assert not http.replies, "not all of it was asked for"
    return caught.value


def test_an_empty_password(http: Http, plugin: str) -> None:
    """Somebody has pressed Enter too early."""
    error = failure(http, plugin, "basic", refused(), remote_password="")
    assert error.__class__ is LoginRefused
    assert error.message.endswith("(HTTP 401): the password is empty. Set ansible_password, or what it is read from.")


def test_an_empty_password_where_a_ticket_would_do(http: Http) -> None:
    error = failure(http, "psrp", "negotiate", refused(), refused(), remote_password="")
    assert error.__class__ is LoginRefused
    assert "The password is empty: unless a ticket is meant, set ansible_password" in error.message
    assert "password is empty" not in failure(http, "psrp", "negotiate", refused(), refused()).message


def test_web_page_in_place_of_a_login(http: Http, plugin: str) -> None:
    """A portal or a proxy, before anything was sent that could be carried out."""
    error = failure(http, plugin, "ntlm", response(200, PAGE, "text/html"))
    assert error.__class__ is Unreachable
    assert "a web page titled 'Sign in to the network' came instead of an answer of WinRM" in error.message
    assert "proxy" in error.message
    assert error.answer == PAGE


@pytest.mark.parametrize("body", [PAGE, b"", b"hello"])
def test_something_else_in_the_middle_of_a_login(http: Http, plugin: str, body: bytes) -> None:
    error = failure(http, plugin, "ntlm", refused(), response(200, body, "text/html"))
    assert error.__class__ is Unreachable
    assert "came instead of an answer of WinRM" in error.message


def test_something_without_a_type_after_the_login(http: Http) -> None:
    """Then the message was sent, and perhaps carried out. (pypsrp returns it, and the session sees what it is.)"""
    error = failure(http, "winrm", "ntlm", refused(), challenge(), response(200, b"", None), response(200, PAGE, None))
    assert error.__class__ is ConnectionLost
    assert "Sign in to the network" in error.message


PART = b"--Encrypted Boundary\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=7\r\n"
DATA = b"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
END = b"--Encrypted Boundary--\r\n"


@pytest.mark.parametrize(
    "content",
    [
        b"--Encrypted Boundary\r\nrubbish",
        PART + DATA + END,
        PART + DATA + b"\x10\x00\x00\x00" + b"s" * 16 + b"sealed!" + END,
        PART.replace(b"7", b"many") + DATA + END,
        PART,
    ],
)
def test_sealed_answer_that_is_damaged(http: Http, plugin: str, content: bytes) -> None:
    seal = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
    error = failure(http, plugin, "ntlm", refused(), challenge(), response(200), response(200, content, seal))
    assert error.__class__ is ConnectionLost, "what follows would not open either"
    assert "its sealed content cannot be opened" in error.message
    assert "wire_log" in error.message


def test_proxy_that_wants_a_login(http: Http, plugin: str) -> None:
    error = failure(http, plugin, "ntlm", response(407, PAGE, "text/html"))
    assert error.__class__ is Unreachable
    assert "proxy wants a login of its own (HTTP 407)" in error.message


def test_page_of_a_proxy_with_an_error(http: Http, plugin: str) -> None:
    error = failure(http, plugin, "ntlm", refused(), response(502, PAGE, "text/html"))
    assert error.__class__ is Unreachable
    assert "HTTP 502, a web page titled 'Sign in to the network'" in error.message


def test_wrong_password(http: Http, plugin: str) -> None:
    error = failure(http, plugin, "ntlm", refused(), challenge(), refused())
    assert error.__class__ is LoginRefused
    assert "rejected the credentials (HTTP 401). Check user, password" in error.message
    assert "channel" not in error.message


def test_wrong_password_for_credssp(http: Http, plugin: str) -> None:
    """Windows ends the login with no word at all."""
    error = failure(http, plugin, "credssp", refused("CredSSP"), refused("CredSSP"))
    assert error.__class__ is LoginRefused
    assert "rejected the credentials (HTTP 401). Check user, password" in error.message


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0x8009030C, "check ansible_user and ansible_password"),
        (0xC000006D, "check ansible_user and ansible_password"),
        (0xC0000071, "the password has expired"),
        (0xC0000072, "locked or disabled"),
        (0xC0000234, "locked or disabled"),
        (0xC00000BB, "the login failed on the controller: NTStatusException"),
    ],
)
def test_how_a_host_ends_credssp(http: Http, plugin: str, status: int, words: str) -> None:
    error = failure(http, plugin, "basic", NTStatusException(status))
    assert error.__class__ is LoginRefused
    assert words in error.message
    assert f"0x{status:x}" in error.message, "to search the web for"


def test_certificate_that_goes_with_no_account(http: Http, plugin: str, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "client.pem"
    file.touch()
    secure: dict[str, Any] = {"protocol": "https", "port": 5986}
    if plugin == "winrm":
        secure["extras"] = dict.fromkeys(("ansible_winrm_cert_pem", "ansible_winrm_cert_key_pem"), str(file))
    else:
        secure.update(dict.fromkeys(("certificate_pem", "certificate_key_pem"), str(file)))
    error = failure(http, plugin, "certificate", refused("Negotiate"), **secure)
    assert error.__class__ is LoginRefused
    assert "no account of it goes with the certificate of the client" in error.message
    assert "password and" not in error.message


@pytest.mark.parametrize("close", [{"Connection": "close"}, {"Connection": "Keep-Alive, Close"}])
def test_connection_that_is_closed_in_the_login(http: Http, plugin: str, close: dict[str, str]) -> None:
    error = failure(http, plugin, "ntlm", refused(**close), challenge(**close), refused(**close))
    assert error.__class__ is LoginRefused
    assert "closes the connection in the middle of the login (Connection: close)" in error.message
    assert "no_proxy" in error.message


def test_old_http_closes_as_well(http: Http, plugin: str) -> None:
    answers = [refused(), challenge(), refused()]
    for answer in answers:
        answer.raw.version = 10  # type: ignore[union-attr]
    assert "in the middle of the login" in failure(http, plugin, "ntlm", *answers).message


def test_connection_that_is_closed_before_the_login_begins(http: Http, plugin: str) -> None:
    error = failure(http, plugin, "ntlm", refused(Connection="close"), challenge(), refused())
    assert "Check user, password" in error.message


def test_channel_binding(http: Http, plugin: str) -> None:
    """Nothing tells it from a wrong password, but over https it may be the reason."""
    error = failure(http, plugin, "ntlm", refused(), challenge(), refused(), protocol="https", port=5986)
    assert error.__class__ is LoginRefused
    assert "Check user, password" in error.message
    assert "CbtHardeningLevel" in error.message


@pytest.mark.parametrize(
    ("how", "offers", "names"),
    [
        ("basic", "Negotiate", "not offer basic authentication but Negotiate"),
        ("basic", "Negotiate, Kerberos, CredSSP", "but Negotiate, Kerberos, CredSSP"),
        ("ntlm", 'Basic realm="WSMAN"', "not offer ntlm authentication but Basic"),
    ],
)
def test_what_the_host_does_not_offer(http: Http, plugin: str, how: str, offers: str, names: str) -> None:
    error = failure(http, plugin, how, refused(offers))
    assert error.__class__ is LoginRefused
    assert names in error.message
    assert "ansible_winrm_transport or ansible_psrp_auth" in error.message


def test_login_without_a_challenge(http: Http, plugin: str) -> None:
    error = failure(http, plugin, "ntlm", refused(), response(401, b"", None))
    assert error.__class__ is LoginRefused
    assert "HTTP 401" in error.message


@pytest.mark.parametrize("token", ["AAAAAQ==", "aGVsbG8gd29ybGQ=", "oQMwAQA="])
@pytest.mark.parametrize("how", ["ntlm", "credssp"])
def test_challenge_that_is_none(http: Http, plugin: str, how: str, token: str) -> None:
    """Whatever a library raises when it reads what something on the way has made of it."""
    scheme = {"ntlm": "Negotiate", "credssp": "CredSSP"}[how]
    error = failure(http, plugin, how, refused(scheme), refused(f"{scheme} {token}"))
    assert error.__class__ is LoginRefused
    assert "HTTP 401" in error.message
    assert "on the controller" not in error.message
    if how == "ntlm":
        assert "its part of the login cannot be read" in error.message
        assert "no_proxy" in error.message


@pytest.mark.parametrize("where", [{"remote_user": "Админ"}, {"remote_password": "пароль"}, {"remote_user": "管理"}])
def test_characters_that_basic_cannot_carry(http: Http, plugin: str, where: dict[str, str]) -> None:
    error = failure(http, plugin, "basic", **where)
    assert isinstance(error, Unreachable)
    assert "user or password hold characters that basic cannot carry. Use NTLM or Kerberos" in error.message
    assert http.sent == []
    assert not any(word in error.message for word in where.values())


def test_characters_that_basic_may_garble(http: Http, plugin: str) -> None:
    error = failure(http, plugin, "basic", refused(), remote_user="Jörg")
    assert "HTTP 401" in error.message
    assert "letters beyond ASCII: use NTLM or Kerberos" in error.message


# What is easily wrong with a name or a password and not seen: how they are written, and what is said of it.
WRITTEN = {
    "blank": ({"remote_user": "admin "}, "user begins or ends with a blank or a line break"),
    "line": ({"remote_password": f"{PASSWORD}\n"}, "password begins or ends with a blank or a line break"),
}


@pytest.mark.parametrize("how", ["basic", "ntlm"])
@pytest.mark.parametrize("case", WRITTEN)
def test_what_nobody_sees_in_a_password(http: Http, plugin: str, how: str, case: str) -> None:
    options, words = WRITTEN[case]
    replies = [refused()] if how == "basic" else [refused(), challenge(), refused()]
    assert words in failure(http, plugin, how, *replies, **options).message
    assert words not in failure(http, plugin, how, *replies).message


def test_no_user_at_all(http: Http) -> None:
    """pywinrm says so itself, and so does pypsrp where it is no basic."""
    assert "The user is empty: set ansible_user" in failure(http, "psrp", "basic", refused(), remote_user="").message


def test_a_colon_ends_the_user_of_basic(http: Http, plugin: str) -> None:
    error = failure(http, plugin, "basic", refused(), remote_user="ad:min")
    assert "The user of basic ends at its first colon: use NTLM or Kerberos" in error.message
    assert "colon" not in failure(http, plugin, "basic", refused()).message
    assert "colon" not in failure(http, plugin, "ntlm", refused(), refused(), remote_user="ad:min").message


def test_nobody_has_a_ticket_for_ntlm(http: Http) -> None:
    error = failure(http, "psrp", "ntlm", refused(), remote_user="", remote_password="")
    assert error.__class__ is LoginRefused
    assert "no user or password is given; set ansible_user and ansible_password" in error.message
    assert "kinit" not in error.message


KERBEROS = {
    "Preauthentication failed": "the domain refused the password",
    "kinit: Preauthentication failed while getting initial credentials": "the domain refused the password",
    "kinit: Password incorrect while getting initial credentials": "the domain refused the password",
    "Decrypt integrity check failed": "the domain refused the password",
    "kinit: Client 'x@LAB.TEST' not found in Kerberos database while getting initial credentials": "not know this user",
    "Server HTTP/10.0.0.5@LAB.TEST not found in Kerberos database": "use the host's DNS name",
    "kinit: Cannot contact any KDC for realm 'LAB.TEST' while getting initial credentials": "port 88",
    'kinit: Cannot find KDC for realm "LAB.TEST" while getting initial credentials': "/etc/krb5.conf",
    "Clock skew too great": "more than five minutes",
    "Clients credentials have been revoked": "locked or disabled",
    "Password has expired": "the password has expired",
    "No Kerberos credentials available (default cache: FILE:/tmp/krb5cc_0)": "run kinit",
    "Kerberos auth failure when calling kinit cmd 'kinit': No such file or directory": "krb5-user",
}


class KerberosExchangeError(requests.RequestException):
    """As pywinrm raises it while it logs in."""


def test_pywinrm_without_a_ticket(http: Http) -> None:
    """Whoever reads that a connection broke looks for the reason in the network."""
    said = (("No credentials were supplied", 458752), ("Can't find client principal a@B in cache collection", -176532))
    gss = KerberosExchangeError(f"authGSSClientInit() failed: {said}")
    error = failure(http, "winrm", "basic", gss)
    assert error.__class__ is LoginRefused
    assert "there is no valid ticket; run kinit" in error.message
    assert error.message.endswith(
        "It was said: authGSSClientInit() failed: No credentials were supplied. Can't find client principal a@B in "
        "cache collection."
    )


class Krb5Error(Exception):
    """As the library krb5 raises it, between two steps of the login."""


@pytest.mark.parametrize("said", KERBEROS)
def test_what_kerberos_says(monkeypatch: pytest.MonkeyPatch, http: Http, plugin: str, said: str) -> None:
    if plugin == "psrp":
        import spnego

        def client(*_args: Any, **_more: Any) -> Any:
            raise Krb5Error(said)

        monkeypatch.setattr(spnego, "client", client)
        error = failure(http, plugin, "kerberos", refused())
    else:
        connection = connections.winrm(transport=["kerberos"])
        monkeypatch.setattr(connection, "_connect", lambda: throw(AnsibleConnectionFailure(f"kinit: {said}")))
        with pytest.raises(ExchangeTlsError) as caught:
            channels.open_channel(connection)
        error = caught.value
    assert error.__class__ is LoginRefused, "tried less and less while a host starts"
    assert KERBEROS[said] in error.message
    assert said in error.message, "to search the web for"
    assert "Krb5Error" not in error.message
    assert "HTTP 401" not in error.message, "the host has not said so"


# What pywinrm says of the options of a connection, before anything is sent.
OPTIONS = {
    "ntlm: auth method ntlm requires a username": "no user is given; set ansible_user",
    "basic: auth method basic requires a username": "no user is given; set ansible_user",
    "ntlm: auth method ntlm requires a password": "no password is given; set ansible_password",
    "ntlm: read_timeout_sec must exceed operation_timeout_sec, and both must be non-zero": (
        "raise ansible_winrm_read_timeout_sec above ansible_winrm_operation_timeout_sec"
    ),
    "certificate: cert_pem file not found (/no.pem)": "there is no such file of a certificate or key",
    "Could not find the TLS certificate file, invalid path: /no.pem": "there is no such file of a certificate or key",
    "Could not find a suitable TLS CA certificate bundle, invalid path: /no.pem": (
        "there is no such file of CAs; look at ansible_winrm_ca_trust_path or ansible_psrp_ca_cert"
    ),
    "Invalid timeout (30, -5). Pass a (connect, read) timeout tuple": "the timeouts of the connection must be above 0",
}


@pytest.mark.parametrize("said", OPTIONS)
def test_options_of_the_connection_that_do_not_do(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    connection = connections.winrm(transport=["ntlm"])
    monkeypatch.setattr(connection, "_connect", lambda: throw(AnsibleConnectionFailure(said)))
    with pytest.raises(LoginRefused) as caught:
        channels.open_channel(connection)
    assert f": {OPTIONS[said]}" in caught.value.message
    assert said in caught.value.message
    assert "AnsibleConnectionFailure" not in caught.value.message


def throw(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("port", "scheme", "hint"),
    [(5986, "http", "to https"), (5985, "https", "to http"), (5985, "http", None), (5986, "https", None)],
)
def test_scheme_that_does_not_fit_the_port(http: Http, plugin: str, port: int, scheme: str, hint: str | None) -> None:
    from .test_channel_errors import broken, expired

    for reply in (broken(ConnectionResetError(104, "Connection reset by peer")), expired(), response(400)):
        error = failure(http, plugin, "basic", reply, port=port, protocol=scheme)
        assert (hint is not None) == (f"Port {port} is usually WinRM over" in error.message)
        if hint:
            assert f"set ansible_winrm_scheme or ansible_psrp_protocol {hint}" in error.message


def moved(where: str, status: int = 302) -> Reply:
    return response(status, b"", None, Location=where)


@pytest.mark.parametrize("how", ["basic", "ntlm"])
def test_host_that_sends_people_elsewhere(http: Http, plugin: str, how: str) -> None:
    """A portal: what is wrong there is not what is wrong with the host."""
    from .test_channel_errors import refused as no_connection

    error = failure(http, plugin, how, moved("http://portal.example:81/login?a=b"), no_connection())
    assert error.__class__ is Unreachable
    assert "cannot connect to the host" in error.message
    assert "had sent the message on to 'http://portal.example:81/login?a=b' (HTTP 302)" in error.message
    assert "portal" in error.message


def test_host_that_sends_people_in_a_circle(http: Http, plugin: str) -> None:
    http.otherwise = lambda: moved("/wsman", 307)
    error = failure(http, plugin, "basic")
    assert error.__class__ is Unreachable, "the next time would be no better"
    assert "sends the message on again and again. It had sent the message on to '/wsman' (HTTP 307)" in error.message
    assert ".." not in error.message


@pytest.mark.parametrize("close", [{"Connection": "close"}, {}])
def test_connection_that_is_closed_after_the_login(http: Http, plugin: str, close: dict[str, str]) -> None:
    """A proxy that keeps a connection for one answer: the host has never heard of who comes over the next one."""
    replies = [refused(), challenge(), response(200, b"", None, **close), response(400, b"", None)]
    error = failure(http, plugin, "ntlm", *replies)
    assert error.__class__ is SecurityContextLost
    assert ("closes the connection after an answer (Connection: close)" in error.message) == bool(close)


@pytest.mark.parametrize("line", ["\x15\x03\x01\x00\x02\x02F", "\x15\x03\x03\x00\x02\x02("])
def test_http_to_a_port_that_speaks_tls(http: Http, plugin: str, line: str) -> None:
    from .test_channel_errors import broken

    error = failure(http, plugin, "basic", broken(http_client.BadStatusLine(line)), port=8443)
    assert "the port speaks TLS: set ansible_winrm_scheme or ansible_psrp_protocol to https" in error.message
    assert "<U+0015>" not in error.message
