# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""The host's own connection plugin as a carrier of WS-Management messages.

Both plugins know how to log in; neither knows that we want no shell. winrm opens a WinRS shell and psrp a PowerShell
runspace in ``_connect()``. Here winrm is told that a shell is already open, and psrp's WSMan object is built from the
same options without its runspace. Nothing is started on the host.
"""

from __future__ import annotations

import http.client
import re
import ssl
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError

from . import _soap
from ._errors import (
    ConnectionLost,
    ExchangeTlsError,
    LoginRefused,
    OptionError,
    SecurityContextLost,
    Unreachable,
)

try:
    import requests
    from urllib3.exceptions import NewConnectionError
except ImportError as exc:  # pragma: no cover - both come with pywinrm and with pypsrp
    REQUESTS_ERROR: ImportError | None = exc
else:
    REQUESTS_ERROR = None

# A shell id that no host hands out; it keeps winrm's _connect() from opening a shell.
_NO_SHELL = "mailops.exchange_tls: no shell wanted"


class Channel(t.Protocol):
    """One login to one host."""

    endpoint: str
    operation_timeout: int

    def post(self, message: bytes, doing: str) -> bytes:
        """Sends an envelope, returns the answer's bytes; SOAP faults and all other failures are raised."""

    def reconnect(self) -> None:
        """Forgets the login: the next message opens a new one."""

    def limit(self, seconds: float) -> None:
        """No message waits longer than this for a connection or for its answer (for polling)."""


def open_channel(connection: t.Any) -> Channel:
    """A channel over the connection plugin of the task. Nothing is sent yet."""
    if REQUESTS_ERROR is not None:
        raise ExchangeTlsError(f"The Python library requests is missing on the controller: {REQUESTS_ERROR}")
    transport = str(getattr(connection, "transport", ""))
    if transport == "winrm":
        return WinrmChannel(connection)
    if transport == "psrp":
        return PsrpChannel(connection)
    raise OptionError(
        f"The connection plugin {transport!r} cannot carry WS-Management. Set ansible_connection to "
        "'ansible.builtin.winrm' (needs pywinrm) or 'ansible.builtin.psrp' (needs pypsrp) for this host."
    )


class WinrmChannel:
    """ansible.builtin.winrm: pywinrm's Protocol as the plugin sets it up, with kinit, extras and all."""

    def __init__(self, connection: t.Any) -> None:
        self._connection = connection
        self._limit: float | None = None
        self._transports: list[str] | None = None
        self._open()

    def _open(self) -> None:
        connection = self._connection
        if not connection.protocol:
            connection.shell_id = connection.shell_id or _NO_SHELL
            try:
                connection._connect()
            except AnsibleConnectionFailure as exc:
                raise Unreachable(self._scrub(f"Cannot log in over winrm: {exc}")) from None
            finally:
                # a real shell keeps its id, so that the plugin's close() deletes it
                if connection.shell_id == _NO_SHELL:
                    connection.shell_id = None
        if self._transports is None:
            self._transports = list(connection._winrm_transport)
        protocol = connection.protocol
        self.endpoint: str = protocol.transport.endpoint
        self.operation_timeout = int(protocol.operation_timeout_sec)
        if self._limit is not None:
            protocol.transport.read_timeout_sec = self._limit

    def post(self, message: bytes, doing: str) -> bytes:
        while True:
            try:
                if self._connection.protocol is None:
                    self._open()
                return _send(lambda: self._connection.protocol.transport.send_message(message), doing, self._scrub)
            except (LoginRefused, _AuthenticationFailed):
                # the plugin's own fallback (kerberos, then basic) happens when it opens its shell; we open none
                if not self._transports or len(self._transports) < 2:
                    raise
                self._transports = self._transports[1:]
                self._connection.set_option("transport", self._transports)
                self.reconnect()

    def reconnect(self) -> None:
        connection = self._connection
        if connection.protocol is not None:
            connection.protocol.transport.close_session()
        connection.protocol = None
        connection._connected = False

    def limit(self, seconds: float) -> None:
        self._limit = seconds
        if self._connection.protocol is not None:
            self._connection.protocol.transport.read_timeout_sec = seconds

    def _scrub(self, message: str) -> str:
        return _without_secret(message, self._connection.get_option("remote_password"))


class PsrpChannel:
    """ansible.builtin.psrp: pypsrp's WSMan with the plugin's options, and no runspace."""

    def __init__(self, connection: t.Any) -> None:
        self._connection = connection
        self._limit: float | None = None
        self._wsman: t.Any = None
        self._open()

    def _open(self) -> None:
        try:
            from pypsrp.wsman import WSMan
        except ImportError as exc:
            raise ExchangeTlsError(
                f"The connection plugin psrp needs the Python library pypsrp on the controller: {exc}"
            ) from None
        connection = self._connection
        # the plugin's own translation of its options: the same on ansible-core 2.16 to 2.22
        connection._build_kwargs()
        try:
            self._wsman = WSMan(**connection._psrp_conn_kwargs)
        except Exception as exc:  # pypsrp raises ValueError and its own types for options that do not fit together
            raise OptionError(self._scrub(f"The psrp connection options do not fit together: {exc}")) from None
        self.endpoint: str = self._wsman.transport.endpoint
        self.operation_timeout = int(self._wsman.operation_timeout)
        if self._limit is not None:
            self.limit(self._limit)

    def post(self, message: bytes, doing: str) -> bytes:
        if self._wsman is None:
            self._open()
        return _send(lambda: self._wsman.transport.send(message), doing, self._scrub)

    def reconnect(self) -> None:
        if self._wsman is not None:
            # WSMan.close() only closes the HTTP session
            self._wsman.close()
        self._wsman = None

    def limit(self, seconds: float) -> None:
        self._limit = seconds
        if self._wsman is not None:
            self._wsman.transport.connection_timeout = seconds
            self._wsman.transport.read_timeout = seconds

    def _scrub(self, message: str) -> str:
        return _without_secret(message, self._connection.get_option("remote_password"))


_CHECK_ADDRESS = (
    "Check that the host is up, its address and port (ansible_host, ansible_port), and firewalls in between."
)


class _AuthenticationFailed(LoginRefused):
    """The login could not even be attempted (no ticket, no library)."""


def _send(send: t.Callable[[], bytes], doing: str, scrub: t.Callable[[str], str]) -> bytes:
    """Runs a library's send and says in our words what went wrong.

    The distinction that matters: was the request surely not carried out (:class:`Unreachable`), or perhaps
    (:class:`ConnectionLost`)?
    """
    try:
        return send()
    except requests.exceptions.SSLError as exc:
        # an end without a reason may also come while the host answers
        cut_off = any(isinstance(item, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) for item in _chain(exc))
        kind = ConnectionLost if cut_off else Unreachable
        raise kind(
            scrub(
                f"{doing}: the TLS connection to the host failed: {_reason(exc)}. Check that the port speaks https, "
                "the WinRM certificate, and the CA settings of the connection (ansible_winrm_ca_trust_path or "
                "ansible_psrp_ca_cert)."
            )
        ) from None
    except requests.exceptions.ProxyError as exc:
        raise Unreachable(scrub(f"{doing}: the proxy failed: {_reason(exc)}")) from None
    except requests.exceptions.ConnectTimeout:
        raise Unreachable(f"{doing}: the host did not accept a connection in time. {_CHECK_ADDRESS}") from None
    except requests.exceptions.Timeout:
        raise ConnectionLost(
            f"{doing}: the host accepted the request but did not answer in time. It hangs or is overloaded, something "
            "in between swallows the answer, or the timeouts of the connection are too short."
        ) from None
    except requests.exceptions.RequestException as exc:
        if isinstance(exc, ValueError):
            # requests says so of URLs that make no sense
            raise OptionError(
                scrub(f"{doing}: the address of the host or of the proxy cannot be used: {_reason(exc)}")
            ) from None
        if any(isinstance(item, NewConnectionError) for item in _chain(exc)):
            raise Unreachable(scrub(f"{doing}: cannot connect to the host: {_reason(exc)}. {_CHECK_ADDRESS}")) from None
        hint = ". Look whether the host restarts, and what is between it and the controller"
        if exc.request is not None and str(exc.request.url).startswith("https:"):
            hint += (
                "; a host whose TLS versions or cipher suites do not suit the controller ends connections like this too"
            )
        raise ConnectionLost(
            scrub(f"{doing}: the connection broke before an answer came: {_reason(exc)}{hint}.")
        ) from None
    except (AnsibleError, ExchangeTlsError):
        raise
    except (UnicodeError, LookupError) as exc:
        # the libraries take the shape of an answer for granted
        error = _soap.unreadable(scrub(f"its text is not in the encoding that it should have ({exc})"), doing)
        error.answer = exc.object if isinstance(exc, UnicodeDecodeError) else None
        raise error from None
    except Exception as exc:
        name = type(exc).__name__
        # pywinrm: InvalidCredentialsError, pypsrp: AuthenticationError; both: WinRMTransportError(protocol, code, text)
        if name in ("InvalidCredentialsError", "AuthenticationError"):
            raise LoginRefused(
                f"{doing}: the host rejected the credentials (HTTP 401). Check user, password and the allowed "
                "authentication (ansible_winrm_transport or ansible_psrp_auth); basic works for local accounts only."
            ) from None
        if name == "WinRMTransportError":
            body = str(getattr(exc, "response_text", ""))
            answered = _http_error(int(getattr(exc, "code", 0)), body, doing)
            answered.answer = body.encode()
            raise answered from None
        raise _AuthenticationFailed(scrub(f"{doing}: the login failed on the controller: {name}: {exc}")) from None


def _http_error(status: int, body: str, doing: str) -> ExchangeTlsError:
    document = body.encode()
    fault = _soap.find_fault(document, doing)
    if fault is not None:
        return fault
    empty = not document.strip()
    if status == 400 and empty:
        return SecurityContextLost(
            f"{doing}: the host no longer knows our login (HTTP 400). If this stays, use https or Kerberos."
        )
    if status == 500 and empty:
        return Unreachable(
            f"{doing}: the host refuses unencrypted messages (HTTP 500 without content). Use NTLM or Kerberos with "
            "message encryption, or https."
        )
    if status == 404:
        return Unreachable(
            f"{doing}: nothing serves WS-Management there (HTTP 404). Check port and path, and that the WinRM "
            "listener is bound to this address."
        )
    what = "" if empty else f", {_soap.describe(document)}"
    return Unreachable(
        f"{doing}: HTTP {status}{what}; this is not a working WinRM service (a proxy, or still starting?)"
    )


def _chain(exc: BaseException) -> t.Iterator[BaseException]:
    """The exception, what it wraps (urllib3 puts it into args and ``reason``) and what caused it."""
    seen: list[BaseException] = []
    todo: list[t.Any] = [exc]
    while todo:
        item = todo.pop()
        if isinstance(item, BaseException) and item not in seen:
            seen.append(item)
            todo += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]
    return iter(seen)


def _reason(exc: BaseException) -> str:
    """The innermost sentence of nested library errors, without addresses of Python objects."""
    told = [
        # a host that closes the connection is an OSError without a number
        str(item) if isinstance(item, http.client.HTTPException) else str(item.strerror)
        for item in _chain(exc)
        if isinstance(item, http.client.HTTPException) or (isinstance(item, OSError) and item.strerror)
    ]
    message = told[-1] if told else str(exc)
    return re.sub(r"<[^<>]* at 0x[0-9a-f]+>(: )?", "", message)


def _without_secret(message: str, secret: t.Any) -> str:
    if isinstance(secret, str) and secret:
        # as it is, and as Python shows it inside other values
        for form in (secret, repr(secret)[1:-1]):
            message = message.replace(form, "********")
    return re.sub(r"//[^/@\s]+@", "//********@", message)
