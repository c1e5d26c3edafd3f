# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying messages over the connection plugins: nothing is opened on the host, and every option counts."""

from __future__ import annotations

import base64
import contextlib
import sys
import threading
import time
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._errors import (
    AccessDenied,
    ExchangeTlsError,
    HostBusy,
    LoginRefused,
    OptionError,
    SecurityContextLost,
    Unreachable,
)
from ansible_collections.mailops.exchange_tls.plugins.plugin_utils._transport import channels

from ..wire.test_soap_faults import fault
from . import connections
from .connections import PASSWORD, Http, response


@pytest.fixture(name="http")
def _http(monkeypatch: pytest.MonkeyPatch) -> Http:
    return Http(monkeypatch)


@pytest.mark.parametrize("transport", ["ssh", "local", "", None])
def test_other_connections_are_refused(transport: str | None) -> None:
    class Connection:
        pass

    connection = Connection()
    if transport is not None:
        connection.transport = transport  # type: ignore[attr-defined]
    with pytest.raises(OptionError) as caught:
        channels.open_channel(connection)
    assert "'ansible.builtin.winrm'" in caught.value.message
    assert "'ansible.builtin.psrp'" in caught.value.message


# --- winrm -----------------------------------------------------------------------------------------------------------


def test_winrm_opens_no_shell(http: Http) -> None:
    connection = connections.winrm()
    channel = channels.open_channel(connection)
    assert http.sent == []
    assert connection.shell_id is None
    assert channel.endpoint == "http://ex01:5985/wsman"
    assert channel.operation_timeout == 20
    assert channel.post(b"<envelope/>", "reading") == b"<ok/>"
    (request,) = http.sent
    assert request.url == "http://ex01:5985/wsman"
    assert request.body == b"<envelope/>"
    assert request.headers["Content-Type"] == "application/soap+xml;charset=UTF-8"
    assert base64.b64decode(request.headers["Authorization"].split()[1]).decode() == f"admin:{PASSWORD}"
    connection.close()
    assert len(http.sent) == 1, "no shell was open, so none is deleted"


def test_winrm_options_count(http: Http) -> None:
    connection = connections.winrm(
        {"ansible_winrm_read_timeout_sec": 90, "ansible_winrm_operation_timeout_sec": 60},
        port=5986,
        path="/other",
        transport=["ssl"],
    )
    channel = channels.open_channel(connection)
    channel.post(b"<envelope/>", "reading")
    assert channel.endpoint == "https://ex01:5986/other"
    assert channel.operation_timeout == 60
    assert http.timeouts == [90]


def test_winrm_connection_timeout(http: Http) -> None:
    channel = channels.open_channel(connections.winrm(connection_timeout=7))
    channel.post(b"<envelope/>", "reading")
    assert (channel.operation_timeout, http.timeouts) == (7, [17])


def test_winrm_keeps_a_real_shell(http: Http) -> None:
    connection = connections.winrm()
    connection.shell_id = "11111111-2222-3333-4444-555555555555"
    channel = channels.open_channel(connection)
    channel.reconnect()
    channel.post(b"<envelope/>", "reading")
    assert connection.shell_id == "11111111-2222-3333-4444-555555555555"


def test_winrm_connection_that_is_open(http: Http) -> None:
    connection = connections.winrm()
    channels.open_channel(connection)
    protocol = connection.protocol
    channels.open_channel(connection)
    assert connection.protocol is protocol, "the next item of a loop uses the same login"


def test_winrm_reconnect(http: Http) -> None:
    connection = connections.winrm()
    channel = channels.open_channel(connection)
    channel.post(b"<envelope/>", "reading")
    before = connection.protocol
    channel.limit(5)
    channel.reconnect()
    channel.reconnect()
    channel.post(b"<envelope/>", "reading")
    assert connection.protocol is not before
    assert http.timeouts == [30, 5], "a limit outlives the login"
    channel.limit(6)
    channel.post(b"<envelope/>", "reading")
    assert http.timeouts[-1] == 6


class Kinit:
    """Takes the place of a login that ends when somebody lets it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, connection: Any) -> None:
        self.begun, self.go_on = 0, threading.Event()
        self.refused = False
        connect = connection._connect

        def slow() -> None:
            self.begun += 1
            assert self.go_on.wait(20)
            if self.refused:
                raise AnsibleConnectionFailure("kinit: Cannot contact any KDC for realm 'LAB.TEST'")
            connect()

        monkeypatch.setattr(connection, "_connect", slow)


def hanging(monkeypatch: pytest.MonkeyPatch) -> tuple[channels.Channel, Kinit]:
    """A channel that somebody polls with, whose next login hangs."""
    connection = connections.winrm()
    channel = channels.open_channel(connection)
    channel.post(b"<envelope/>", "reading")
    kinit = Kinit(monkeypatch, connection)
    channel.reconnect()
    channel.limit(0.1, 5)
    return channel, kinit


def test_a_login_that_hangs_does_not_hang_who_polls(monkeypatch: pytest.MonkeyPatch, http: Http) -> None:
    """kinit waits as long as it likes for a domain controller, which may restart as well."""
    channel, kinit = hanging(monkeypatch)
    for _dummy in range(3):
        begun = time.monotonic()
        with pytest.raises(Unreachable, match=r"basic has not logged in within .* kinit hangs") as caught:
            channel.post(b"<envelope/>", "reading")
        assert caught.value.__class__ is Unreachable
        assert time.monotonic() - begun < 2
        channel.reconnect()
    assert (kinit.begun, len(http.sent)) == (1, 1), "there is one at a time"
    kinit.go_on.set()
    time.sleep(0.3)
    channel.reconnect()
    assert channel.post(b"<envelope/>", "reading") == b"<ok/>", "what it came to in the end is of use"
    assert kinit.begun == 1


def test_a_login_that_fails_after_it_hung(monkeypatch: pytest.MonkeyPatch, http: Http) -> None:
    channel, kinit = hanging(monkeypatch)
    kinit.refused = True
    with pytest.raises(Unreachable, match="has not logged in"):
        channel.post(b"<envelope/>", "reading")
    kinit.go_on.set()
    with pytest.raises(LoginRefused, match="no domain controller can be asked"):
        channel.post(b"<envelope/>", "reading")
    kinit.refused = False
    assert channel.post(b"<envelope/>", "reading") == b"<ok/>"
    assert kinit.begun == 2


def test_a_login_that_hangs_beyond_the_time_for_all(monkeypatch: pytest.MonkeyPatch, http: Http) -> None:
    channel, kinit = hanging(monkeypatch)
    channel.limit(left=0.2)
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="has not logged in"):
        channel.post(b"<envelope/>", "reading")
    with pytest.raises(Unreachable, match="the time for it is over"):
        channel.post(b"<envelope/>", "reading")
    assert time.monotonic() - begun < 2
    kinit.go_on.set()
    channel.limit()
    assert channel.post(b"<envelope/>", "reading") == b"<ok/>", "without limits it is waited for"


def test_winrm_login_that_cannot_begin(http: Http) -> None:
    connection = connections.winrm(remote_password=None)
    with pytest.raises(Unreachable, match="auth method basic requires a password"):
        channels.open_channel(connection)
    assert connection.shell_id is None


def test_winrm_transport_that_pywinrm_lacks(http: Http) -> None:
    connection = connections.winrm(transport=["carrier-pigeon"])
    with pytest.raises(AnsibleError, match="does not support transport"):
        channels.open_channel(connection)
    assert connection.shell_id is None


def test_winrm_failed_connect_says_no_secret(monkeypatch: pytest.MonkeyPatch, http: Http) -> None:
    connection = connections.winrm()

    def fail() -> None:
        raise AnsibleConnectionFailure(f"kinit said: bad password {PASSWORD}")

    monkeypatch.setattr(connection, "_connect", fail)
    with pytest.raises(Unreachable, match="kinit said: bad password") as caught:
        channels.open_channel(connection)
    assert PASSWORD not in str(caught.value)
    assert connection.shell_id is None


def passwords(http: Http) -> int:
    """How often the password went over the line as it is."""
    return sum("Basic " in str(request.headers.get("Authorization", "")) for request in http.sent)


def test_winrm_transports_are_tried_in_turn(http: Http) -> None:
    connection = connections.winrm(transport=["plaintext", "basic", "ssl"])
    http.replies = [response(401), response(401), response(200, b"<fine/>")]
    channel = channels.open_channel(connection)
    assert channel.post(b"<envelope/>", "reading") == b"<fine/>"
    assert [request.body for request in http.sent] == [b"<envelope/>"] * 3
    channel.reconnect()
    channel.post(b"<envelope/>", "reading")
    assert len(http.sent) == 4, "what worked is kept"
    assert connection.get_option("transport") == ["ssl"]


def test_winrm_last_transport_fails(http: Http) -> None:
    http.otherwise = lambda: response(401)
    channel = channels.open_channel(connections.winrm(transport=["plaintext", "basic"]))
    with pytest.raises(LoginRefused, match=r"rejected the credentials.* Before: plaintext: "):
        channel.post(b"<envelope/>", "reading")
    assert len(http.sent) == 2


@pytest.mark.parametrize(
    "first", [response(200, b"<fine/>"), response(500, fault("s:Sender", "w:AccessDenied", "No."))]
)
@pytest.mark.parametrize("plugin", ["winrm", "psrp"])
def test_transport_that_worked_is_never_left(http: Http, first: Any, plugin: str) -> None:
    """A host that comes up refuses everybody for a while."""
    transports = ["basic", "ntlm", "ssl"]
    connection = connections.winrm(transport=transports) if plugin == "winrm" else connections.psrp()
    channel = channels.open_channel(connection)
    http.replies = [first, *(response(401) for _dummy in range(5))]
    with contextlib.suppress(AccessDenied):
        channel.post(b"<envelope/>", "reading")
    for _dummy in range(5):
        channel.reconnect()
        with pytest.raises(LoginRefused):
            channel.post(b"<envelope/>", "reading")
    channel.reconnect()
    assert channel.post(b"<envelope/>", "reading") == b"<ok/>"
    assert (len(http.sent), passwords(http)) == (7, 7)


@pytest.mark.parametrize("first", ["ntlm", "kerberos", "credssp", "certificate"])
@pytest.mark.parametrize("second", [["plaintext"], ["basic"], ["ssl"], ["basic", "plaintext"]])
def test_password_never_goes_out_in_the_clear_by_itself(http: Http, first: str, second: list[str]) -> None:
    """ansible-core 2.16 chooses kerberos and plaintext where the user has chosen nothing."""
    http.otherwise = lambda: response(401, content_type=None, WWW_Authenticate="Negotiate, Basic realm='WSMAN'")
    connection = connections.winrm(transport=[first, *second], kerberos_mode="manual")
    with pytest.raises((LoginRefused, AnsibleError)) as caught:
        channels.open_channel(connection).post(b"<envelope/>", "reading")
    assert passwords(http) == 0
    if isinstance(caught.value, LoginRefused):
        assert f"{second[0]} was not tried, since it sends the password in the clear over http" in str(caught.value)


@pytest.mark.parametrize("transports", [["basic"], ["plaintext", "ntlm"], ["basic", "plaintext"]])
def test_password_goes_out_in_the_clear_where_the_user_wants_it(http: Http, transports: list[str]) -> None:
    channel = channels.open_channel(connections.winrm(transport=transports))
    assert channel.post(b"<envelope/>", "reading") == b"<ok/>"
    assert passwords(http) == 1


def test_basic_is_tried_where_tls_hides_it(http: Http) -> None:
    channel = channels.open_channel(connections.winrm(transport=["ntlm", "ssl"], scheme="https", port=5986))
    http.replies = [response(401, content_type=None, WWW_Authenticate="Basic realm='WSMAN'")]
    assert channel.post(b"<envelope/>", "reading") == b"<ok/>"
    assert passwords(http) == 1


def test_kerberos_without_its_library_falls_back_to_what_is_as_safe(http: Http) -> None:
    http.replies = [response(401, content_type=None, WWW_Authenticate="Negotiate")]
    channel = channels.open_channel(connections.winrm(transport=["kerberos", "ntlm"], kerberos_mode="manual"))
    with pytest.raises(ExchangeTlsError):
        channel.post(b"<envelope/>", "reading")
    assert passwords(http) == 0
    assert any("Negotiate " in str(request.headers.get("Authorization", "")) for request in http.sent)


def test_winrm_connection_that_works_already_is_not_left(http: Http) -> None:
    connection = connections.winrm(transport=["basic", "ntlm"])
    channels.open_channel(connection).post(b"<envelope/>", "reading")
    http.replies = [response(401)]
    with pytest.raises(LoginRefused):
        channels.open_channel(connection).post(b"<envelope/>", "reading")
    assert len(http.sent) == 2


@pytest.mark.parametrize("status", [400, 503])
def test_winrm_other_failures_try_no_other_transport(http: Http, status: int) -> None:
    http.otherwise = lambda: response(status)
    channel = channels.open_channel(connections.winrm(transport=["plaintext", "basic"]))
    with pytest.raises((SecurityContextLost, HostBusy)):
        channel.post(b"<envelope/>", "reading")
    assert len(http.sent) == 1


@pytest.mark.parametrize(("plugin", "package", "module"), [("winrm", "pywinrm", "winrm"), ("psrp", "pypsrp", "pypsrp")])
def test_library_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, plugin: str, package: str, module: str
) -> None:
    connection = connections.winrm() if plugin == "winrm" else connections.psrp()
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ExchangeTlsError, match=f"needs the Python library {package} .*-m pip install {package}"):
        channels.open_channel(connection)


# --- psrp ------------------------------------------------------------------------------------------------------------


def test_psrp_opens_no_runspace(http: Http) -> None:
    connection = connections.psrp()
    channel = channels.open_channel(connection)
    assert http.sent == []
    assert connection.runspace is None
    assert channel.endpoint == "http://ex01:5985/wsman"
    assert channel.operation_timeout == 20
    assert channel.post(b"<envelope/>", "reading") == b"<ok/>"
    (request,) = http.sent
    assert request.body == b"<envelope/>"
    assert http.timeouts == [(30, 30)]


def test_psrp_options_count(monkeypatch: pytest.MonkeyPatch, http: Http) -> None:
    seen: dict[str, Any] = {}
    import pypsrp.wsman

    real = pypsrp.wsman.WSMan

    def wsman(**kwargs: Any) -> Any:
        seen.update(kwargs)
        return real(**kwargs)

    monkeypatch.setattr(pypsrp.wsman, "WSMan", wsman)
    connection = connections.psrp(
        port=5986,
        protocol="https",
        path="other",
        cert_validation="validate",
        ca_cert="/etc/ca.pem",
        connection_timeout=11,
        read_timeout=60,
        operation_timeout=50,
        proxy="http://proxy:3128",
        message_encryption="auto",
    )
    channel = channels.open_channel(connection)
    channel.post(b"<envelope/>", "reading")
    assert channel.endpoint == "https://ex01:5986/other"
    assert channel.operation_timeout == 50
    assert http.timeouts == [(11, 60)]
    assert {
        key: seen[key] for key in ("server", "port", "username", "password", "ssl", "proxy", "cert_validation")
    } == {
        "server": "ex01",
        "port": 5986,
        "username": "admin",
        "password": PASSWORD,
        "ssl": True,
        "proxy": "http://proxy:3128",
        "cert_validation": "/etc/ca.pem",
    }


def test_psrp_options_that_do_not_fit(http: Http) -> None:
    with pytest.raises(
        OptionError, match="options do not fit together: Cannot use message encryption with auth 'basic'"
    ):
        channels.open_channel(connections.psrp(message_encryption="always"))


def test_psrp_reconnect(http: Http) -> None:
    channel = channels.open_channel(connections.psrp())
    channel.post(b"<envelope/>", "reading")
    channel.limit(5)
    channel.reconnect()
    channel.reconnect()
    channel.post(b"<envelope/>", "reading")
    channel.limit(6)
    channel.post(b"<envelope/>", "reading")
    assert http.timeouts == [(30, 30), (5, 5), (6, 6)]


def test_psrp_401(http: Http) -> None:
    http.otherwise = lambda: response(401)
    with pytest.raises(LoginRefused, match="rejected the credentials"):
        channels.open_channel(connections.psrp()).post(b"<envelope/>", "reading")
