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

import abc
import copy
import dataclasses
import importlib
import sys
import threading
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure

from .._errors import ExchangeTlsError, LoginRefused, OptionError, Unreachable, WsmanFault
from .._wire.overlap import Another
from .._wire.session import Channel
from . import explain
from .line import Line
from .login import Login, login_failed

# A shell id that no host hands out; it keeps winrm's _connect() from opening a shell.
_NO_SHELL = "mailops.exchange_tls: no shell wanted"
# A whole exchange (connecting, the steps of a login, the last byte) in timeouts of the connection, which count from
# one packet to the next.
_WHOLE = 2.0
# What sends the password as it is where TLS does not hide it.
_IN_THE_CLEAR = ("basic", "plaintext", "ssl")
_LIBRARIES = {"winrm": ("winrm", "pywinrm"), "psrp": ("pypsrp", "pypsrp")}


def check_plugin(connection: t.Any) -> str:
    """The name of the connection plugin of the task. Raises :class:`OptionError` for one that does not fit."""
    plugin = str(getattr(connection, "transport", ""))
    if plugin not in _LIBRARIES:
        raise OptionError(
            f"The connection plugin {plugin!r} cannot carry WS-Management. Set ansible_connection to "
            "'ansible.builtin.winrm' (needs pywinrm) or 'ansible.builtin.psrp' (needs pypsrp) for this host."
        )
    return plugin


def open_channel(connection: t.Any) -> Channel:
    """A channel over the connection plugin of the task. Nothing is sent yet."""
    plugin = check_plugin(connection)
    module, package = _LIBRARIES[plugin]
    try:
        importlib.import_module(module)
    except ImportError as exc:
        raise ExchangeTlsError(
            f"The connection plugin {plugin} needs the Python library {package} on the controller ({exc}). Install it "
            f"into the Python that runs Ansible: {sys.executable} -m pip install {package}"
        ) from None
    return WinrmChannel(connection) if plugin == "winrm" else PsrpChannel(connection)


class _Carrier(abc.ABC):
    """What both channels share: one line, its limits, and errors in our words."""

    endpoint: str
    operation_timeout: int

    def __init__(self, connection: t.Any) -> None:
        self._connection = connection
        self._line = Line()
        # attributes of the library's transport, with what the connection has for them
        self._timeouts: dict[str, float] = {}
        self._longest: float | None = None
        self._until: float | None = None
        self._open()

    @abc.abstractmethod
    def _open(self) -> None:
        """Makes a login ready where there is none."""

    @abc.abstractmethod
    def _carry(self, message: bytes) -> bytes:
        """The library's own sending."""

    @property
    @abc.abstractmethod
    def _how(self) -> str:
        """The library's name for the way to log in."""

    @property
    @abc.abstractmethod
    def _transport(self) -> t.Any | None:
        """The library's transport, None where no login is ready."""

    def post(self, message: bytes, doing: str) -> bytes:
        left = None if self._until is None else self._until - time.monotonic()
        if left is not None and left <= 0:
            raise Unreachable(f"{doing}: not sent, the time for it is over")
        self._open()
        whole = self._whole if self._until is None else max(0.0, min(self._whole, self._until - time.monotonic()))
        return explain.answer(lambda: self._carry(message), doing, self._line, lambda: self._login, whole)

    @property
    def _whole(self) -> float:
        """The seconds of an exchange."""
        return _WHOLE * max(self._within(seconds) for seconds in self._timeouts.values())

    def limit(self, seconds: float | None = None, left: float | None = None) -> None:
        self._longest = seconds
        self._until = None if left is None else time.monotonic() + left
        self._keep_limits()

    def _keep_limits(self) -> None:
        if self._transport is not None:
            for name, seconds in self._timeouts.items():
                setattr(self._transport, name, self._within(seconds))

    def _within(self, seconds: float) -> float:
        return seconds if self._longest is None else min(seconds, self._longest)

    @property
    def _login(self) -> Login:
        user, password = (self._connection.get_option(name) for name in ("remote_user", "remote_password"))
        endpoint = getattr(self, "endpoint", "")
        return Login(self._how, endpoint, *("" if item is None else str(item) for item in (user, password)))


@dataclasses.dataclass(frozen=True)
class _Twin:
    """One more login of the kind that a channel has. It is made once, with its first message, and not renewed."""

    carry: t.Callable[[bytes], bytes]
    end: t.Callable[[], None]
    line: Line
    login: Login
    seconds: float

    def post(self, message: bytes, doing: str) -> bytes:
        return explain.answer(lambda: self.carry(message), doing, self.line, lambda: self.login, self.seconds)

    def reconnect(self) -> None:
        self.end()


class _Making:
    """A login that is made while somebody waits for it, though not for ever: kinit takes all the time it likes."""

    def __init__(self, make: t.Callable[[], None]) -> None:
        self._make = make
        self.error: BaseException | None = None  # for whoever waits
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._make()
        except BaseException as exc:
            self.error = exc

    def has_ended(self, seconds: float | None) -> bool:
        """Waits so long, or until it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()


class WinrmChannel(_Carrier):
    """ansible.builtin.winrm: pywinrm's Protocol as the plugin sets it up, with kinit, extras and all.

    Of several transports the next one is tried only until one has worked, only after a login that was refused (then
    the host has not looked at the message), and never one that gives the password away.
    """

    def __init__(self, connection: t.Any) -> None:
        self._transports: list[str] = []
        self._left_out: list[str] = []
        self._refusals: list[str] = []
        self._proven = False
        self._adopted: t.Any = None
        self._making: _Making | None = None
        super().__init__(connection)

    def post(self, message: bytes, doing: str) -> bytes:
        while True:
            try:
                answer = super().post(message, doing)
            except LoginRefused as exc:
                self._next_transport(exc)
            except WsmanFault:
                self._proven = True
                raise
            else:
                self._proven = True
                return answer

    def reconnect(self) -> None:
        connection = self._connection
        if self._making is not None:
            return  # nothing has been sent over what comes of it
        if connection.protocol is not None:
            connection.protocol.transport.close_session()
        connection.protocol = None
        connection._connected = False

    def _open(self) -> None:
        if not self._transports:
            self._choose_transports()
        while self._making is not None or self._connection.protocol is None:
            try:
                self._connect()
            except LoginRefused as exc:
                self._next_transport(exc)
        if self._connection.protocol is not self._adopted:
            self._adopt(self._connection.protocol)

    def _adopt(self, protocol: t.Any) -> None:
        self._adopted = protocol
        self.endpoint = protocol.transport.endpoint
        self.operation_timeout = int(protocol.operation_timeout_sec)
        self._timeouts = {"read_timeout_sec": float(protocol.transport.read_timeout_sec)}
        self._line = Line.of(protocol.transport)
        _watch(protocol.transport, self._line)
        self._keep_limits()

    def _choose_transports(self) -> None:
        connection = self._connection
        if connection.protocol is not None:
            # it works already: another item of a loop, or a task of another collection
            self._transports, self._proven = [connection.protocol.transport.auth_method], True
            return
        # the plugin's own choice, which it makes again when it connects
        connection._build_winrm_kwargs()
        transports = list(connection._winrm_transport)
        if str(connection._winrm_scheme).lower() == "http" and transports[0] not in _IN_THE_CLEAR:
            self._left_out = [name for name in transports if name in _IN_THE_CLEAR]
        self._transports = [name for name in transports if name not in self._left_out]

    def _connect(self) -> None:
        """Makes a login, or waits for the one that is being made; not longer than the limits that are set."""
        if self._making is None:
            if self._until is None and self._longest is None:
                self._make()
                return
            self._making = _Making(self._make)
        limits = [] if self._longest is None else [_WHOLE * self._longest]
        if self._until is not None:
            limits.append(max(0.0, self._until - time.monotonic()))
        if not self._making.has_ended(min(limits, default=None)):
            raise Unreachable(
                f"Logging in over winrm: {self._how} has not logged in within {min(limits):.0f} seconds: kinit hangs, "
                "or waits for a domain controller. Check /etc/krb5.conf, DNS and the way to port 88."
            )
        making, self._making = self._making, None
        if making.error is not None:
            raise making.error

    def _make(self) -> None:
        connection = self._connection
        # one at a time: the plugin would go on to the next one where the libraries of the first are missing
        connection.set_option("transport", self._transports[:1])
        connection.shell_id = connection.shell_id or _NO_SHELL
        try:
            connection._connect()
        except AnsibleConnectionFailure as exc:
            raise login_failed(exc, "Logging in over winrm", self._login) from None
        finally:
            # a real shell keeps its id, so that the plugin's close() deletes it
            if connection.shell_id == _NO_SHELL:
                connection.shell_id = None

    def _next_transport(self, refusal: LoginRefused) -> None:
        """Goes on to the next transport, or raises the error with what all of them said."""
        if self._proven or len(self._transports) < 2:
            message = refusal.message
            if self._refusals:
                message += f" Before: {' '.join(self._refusals)}"
            if self._left_out and not self._proven:
                message += (
                    f" {self._left_out[0]} was not tried, since it sends the password in the clear over http; where "
                    f"that is wanted, set ansible_winrm_transport to {self._left_out[0]} alone."
                )
            raise LoginRefused(message) from None
        self._refusals.append(f"{self._transports.pop(0)}: {refusal.message}")
        self.reconnect()

    def another(self) -> Another:
        transport = copy.copy(self._adopted.transport)
        transport.session = transport.encryption = None
        # the method of the class, since this one watches the other login
        del transport.setup_encryption
        line = Line.of(transport)
        _watch(transport, line)
        return _Twin(
            lambda message: _send(transport, line, message), transport.close_session, line, self._login, self._whole
        )

    def _carry(self, message: bytes) -> bytes:
        return _send(self._connection.protocol.transport, self._line, message)

    @property
    def _transport(self) -> t.Any | None:
        protocol = self._connection.protocol
        return None if protocol is None else protocol.transport

    @property
    def _how(self) -> str:
        return self._transports[0] if self._transports else "winrm"


def _watch(transport: t.Any, line: Line) -> None:
    """pywinrm logs in while it builds its session; the line must be there before."""
    set_up = transport.setup_encryption

    def setup_encryption(*args: t.Any) -> None:
        line.watch(transport.session, transport.endpoint)
        set_up(*args)

    transport.setup_encryption = setup_encryption


def _send(transport: t.Any, line: Line, message: bytes) -> bytes:
    if not transport.session:
        # since pywinrm 0.5 it does so whenever it is asked, and returns the session
        transport.build_session()
    line.watch(transport.session, transport.endpoint)
    return bytes(transport.send_message(message))


class PsrpChannel(_Carrier):
    """ansible.builtin.psrp: pypsrp's WSMan with the plugin's options, and no runspace."""

    def __init__(self, connection: t.Any) -> None:
        self._wsman: t.Any = None
        super().__init__(connection)

    def reconnect(self) -> None:
        if self._wsman is not None:
            # WSMan.close() only closes the HTTP session
            self._wsman.close()
        self._wsman = None

    def another(self) -> Another:
        wsman, line = self._made()
        # whoever has another login wants no second try, nor a pause before it
        wsman.transport.reconnection_retries = 0
        return _Twin(lambda message: bytes(wsman.transport.send(message)), wsman.close, line, self._login, self._whole)

    def _open(self) -> None:
        if self._wsman is not None:
            return
        self._wsman, self._line = self._made()
        transport = self._wsman.transport
        self.endpoint = transport.endpoint
        self.operation_timeout = int(self._wsman.operation_timeout)
        self._timeouts = {name: getattr(transport, name) for name in ("connection_timeout", "read_timeout")}
        if self._longest is not None:
            # whoever sets limits repeats himself, and the pauses of pypsrp are outside of all limits
            transport.reconnection_retries = 0
        self._keep_limits()

    def _made(self) -> tuple[t.Any, Line]:
        """pypsrp's object and its line."""
        from pypsrp.wsman import WSMan

        connection = self._connection
        # the plugin's own translation of its options: the same on ansible-core 2.16 to 2.22
        connection._build_kwargs()
        try:
            wsman = WSMan(**connection._psrp_conn_kwargs)
        except Exception as exc:  # pypsrp raises ValueError and its own types for options that do not fit together
            reason = self._login.told(exc)
            raise OptionError(f"The psrp connection options do not fit together: {reason}") from None
        transport: t.Any = wsman.transport
        line = Line.of(transport)
        build = transport._build_session

        def build_session() -> t.Any:
            session = build()
            line.watch(session, transport.endpoint)
            return session

        transport._build_session = build_session
        return wsman, line

    def _carry(self, message: bytes) -> bytes:
        return bytes(self._wsman.transport.send(message))

    @property
    def _transport(self) -> t.Any | None:
        return None if self._wsman is None else self._wsman.transport

    @property
    def _how(self) -> str:
        return str(self._connection.get_option("auth") or "psrp")
