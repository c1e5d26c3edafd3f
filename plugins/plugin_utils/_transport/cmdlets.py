# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: not a public interface.
"""Exchange's cmdlets over PowerShell remoting: pypsrp's runspace pool on Exchange's own endpoint, and its errors.

A pool lives on one server and dies with it. Whatever ends here, the pool is closed: a server allows one account only
so many (18 by default in older versions).
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import time
import typing as t

from .._errors import ConnectionLost, ExchangeTlsError, UnexpectedAnswer
from .._exchange import shell
from .._exchange.endpoint import KERBEROS, Endpoint, Login
from .._exchange.records import Record
from . import cmdlet_errors
from .line import Line

with contextlib.suppress(ImportError):  # optional: open_shell() says what is missing
    from pypsrp.complex_objects import PSInvocationState
    from pypsrp.powershell import PowerShell, RunspacePool
    from pypsrp.shell import SignalCode
    from pypsrp.wsman import WSMan

    from .clixml import RecordSerializer, Said

_CONFIGURATION = "Microsoft.Exchange"
# Words for "as requests does it" where pywinrm takes a file of authorities.
_NO_FILE = ("legacy_requests", "none")
# The server answers within the operation's timeout, if only that it goes on; the way takes its time as well.
_ON_THE_WAY = 15
# An exchange as a whole, in the time for one packet: see channels.
_WHOLE = 2.0
# Seconds for a farewell to a server that may be gone.
_FAREWELL = 5


def open_shell(endpoint: Endpoint) -> shell.Shell:
    """A session with Exchange; nothing is sent before the first cmdlet. Raises where a library is missing."""
    absent = _absent(endpoint)
    if absent:
        package = "pypsrp[kerberos]" if endpoint.auth == KERBEROS else "pypsrp"
        raise ExchangeTlsError(
            f"Exchange's cmdlets need the Python library {package} on the controller ({', '.join(absent)} cannot be "
            f"found). Install it into the Python that runs Ansible: {sys.executable} -m pip install '{package}'"
        )
    return CmdletShell(endpoint)


def login_of(connection: t.Any) -> Login:
    """What the connection plugin of a host logs in with, and how it checks certificates. Nothing is sent."""
    user, password = (connection.get_option(name) for name in ("remote_user", "remote_password"))
    if connection.transport == "psrp":
        validation, authorities = connection.get_option("cert_validation"), connection.get_option("ca_cert")
    else:
        # options of pywinrm, which the plugin hands on as they are
        extras = connection.get_option("_extras") or {}
        validation = extras.get("ansible_winrm_server_cert_validation")
        authorities = extras.get("ansible_winrm_ca_trust_path")
    verify: bool | str = str(authorities) if authorities and authorities not in _NO_FILE else True
    return Login(
        None if user is None else str(user),
        None if password is None else str(password),
        False if validation == "ignore" else verify,
    )


def _absent(endpoint: Endpoint) -> list[str]:
    needed = ["pypsrp", *(("gssapi", "krb5") if endpoint.auth == KERBEROS else ())]
    return [name for name in needed if importlib.util.find_spec(name) is None]


class CmdletShell:
    """A :class:`shell.Shell` over pypsrp. ``sessions``: how many were opened."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.round_trips = 0
        self.sessions = 0
        self._endpoint = endpoint
        self._pool: t.Any = None
        self._left: list[t.Any] = []  # pools whose connection broke: the server may still have them

    def read(self, cmdlet: str, **parameters: shell.Value) -> list[Record]:
        shell.checked(cmdlet, parameters)
        try:
            return self._invoke(cmdlet, parameters)
        except (shell.SessionLost, shell.SessionBroken):
            return self._invoke(cmdlet, parameters)

    def read_each(self, cmdlet: str, names: t.Sequence[str], **parameters: shell.Value) -> list[Record]:
        shell.checked(cmdlet, parameters)
        return self._invoke(cmdlet, parameters, names)

    def change(self, cmdlet: str, **parameters: shell.Value) -> list[Record]:
        shell.checked(cmdlet, parameters)
        return self._invoke(cmdlet, shell.stopping(parameters))

    def close(self) -> None:
        left, self._left = self._left, []
        pool, self._pool = self._pool, None
        for item in (*left, pool):
            if item is not None:
                _farewell(item)

    def __enter__(self) -> CmdletShell:
        return self

    def __exit__(self, *dummy_exc_info: object) -> None:
        self.close()

    # --- one cmdlet ------------------------------------------------------------------------------------------------

    def _invoke(
        self, cmdlet: str, parameters: t.Mapping[str, shell.Value], piped: t.Sequence[str] = ()
    ) -> list[Record]:
        pool = self._opened()
        pipeline = PowerShell(pool)
        pipeline.add_cmdlet(cmdlet)
        pipeline.add_parameters(dict(parameters))
        try:
            with self._errors(cmdlet, shell.SessionLost):
                pipeline.begin_invoke(t.cast("t.Any", list(piped) or None))  # a list of objects as well
            with self._errors(cmdlet, shell.SessionBroken):
                self._await(cmdlet, pipeline)
        except (shell.SessionLost, ConnectionLost) as exc:
            self._abandon(known=isinstance(exc, ConnectionLost))
            raise
        finally:
            self._end(pipeline)
        errors = [_error_record(item) for item in pipeline.streams.error]
        if errors:
            raise shell.failed(cmdlet, errors, self._endpoint.server)
        if pipeline.state != PSInvocationState.COMPLETED:
            raise shell.CmdletError(f"{cmdlet} on {self._endpoint.server} failed without a reason.", cmdlet=cmdlet)
        return self._records(cmdlet, pipeline.output)

    def _await(self, cmdlet: str, pipeline: t.Any) -> None:
        """Until the pipeline has ended: the server says again and again that it goes on, and that has an end."""
        seconds = self._endpoint.cmdlet_timeout
        until = time.monotonic() + seconds
        while pipeline.state == PSInvocationState.RUNNING:
            if time.monotonic() > until:
                raise shell.CmdletUnfinished(
                    f"{cmdlet} on {self._endpoint.server} did not end within {seconds} seconds; it may have been "
                    "carried out all the same. Look at the server; exchange_cmdlet_timeout allows more time."
                )
            pipeline.poll_invoke()

    def _records(self, cmdlet: str, output: t.Sequence[t.Any]) -> list[Record]:
        found = [item for item in output if item is not None]
        for item in found:
            if not isinstance(item, Record):
                raise UnexpectedAnswer(
                    f"{cmdlet} on {self._endpoint.server} returned {item!r:.80}, which is no object."
                )
        return found

    def _end(self, pipeline: t.Any) -> None:
        """Frees what the server keeps of a pipeline, and stops it where it still runs."""
        if self._pool is None or pipeline.state == PSInvocationState.NOT_STARTED:
            return
        pool = pipeline.runspace_pool
        pool.pipelines.pop(pipeline.id, None)
        # whether it arrives or not, the cmdlet has ended with what is known of it
        with contextlib.suppress(Exception):
            pool.shell.signal(SignalCode.TERMINATE, command_id=pipeline._command_id or pipeline.id)

    # --- the pool --------------------------------------------------------------------------------------------------

    def _opened(self) -> t.Any:
        if self._pool is not None:
            return self._pool
        wsman = self._connection()
        pool = RunspacePool(wsman, configuration_name=_CONFIGURATION)
        pool._serializer = RecordSerializer()
        pool._fragmenter.serializer = pool._serializer
        try:
            with self._errors("Opening a session", shell.SessionBroken):
                pool.open()
        except BaseException:
            _farewell(pool)
            raise
        self.sessions += 1
        self._pool = pool
        return pool

    def _connection(self) -> t.Any:
        at = self._endpoint
        wsman = WSMan(
            at.server,
            port=at.port,
            ssl=at.secure,
            path=at.path,
            auth=at.auth,
            username=at.user,
            password=at.password,
            cert_validation=t.cast("bool", at.verify),  # a file of authorities as well
            operation_timeout=at.operation_timeout,
            connection_timeout=at.connection_timeout,
            read_timeout=at.operation_timeout + _ON_THE_WAY,
            negotiate_hostname_override=at.kerberos_host,
            negotiate_service=at.kerberos_service,
        )
        transport: t.Any = wsman.transport
        send, build, line = transport.send, transport._build_session, Line.of(transport)
        whole = _WHOLE * (at.operation_timeout + _ON_THE_WAY)

        def build_session() -> t.Any:
            session = build()
            line.watch(session, transport.endpoint)
            return session

        def counted(message: bytes, **_dummy: t.Any) -> bytes:
            # without pypsrp's own repeats: a server that is silent for that long is not there, and its pauses double
            with line.exchange(whole):
                answer = cmdlet_errors.safe(lambda: send(message))
            self.round_trips += 1
            return answer

        transport._build_session, transport.send = build_session, counted
        return wsman

    @contextlib.contextmanager
    def _errors(self, doing: str, lost: type[shell.SessionLost | shell.SessionBroken]) -> t.Iterator[None]:
        """Errors of the library in our words; ``lost`` is raised where the server does not know the session."""
        try:
            yield
        except ExchangeTlsError:
            raise
        except Exception as exc:
            raise cmdlet_errors.explained(exc, f"{doing} on {self._endpoint.server}", self._endpoint, lost) from None

    def _abandon(self, *, known: bool) -> None:
        """Gives the pool up; the server may still know it where only the connection broke."""
        pool, self._pool = self._pool, None
        if known:
            self._left.append(pool)
        elif pool is not None:
            pool.connection.close()


def _error_record(item: t.Any) -> Record:
    """A message of its own, or what the state of a failed pipeline holds."""
    return t.cast("Record", item.record if isinstance(item, Said) else item)


def _farewell(pool: t.Any) -> None:
    """Closes a pool and its connection, whatever state they are in."""
    transport: t.Any = pool.connection.transport
    transport.connection_timeout = min(transport.connection_timeout, _FAREWELL)
    transport.read_timeout = min(transport.read_timeout, _FAREWELL)
    with contextlib.suppress(Exception):
        # not pool.close(): it does nothing for a pool that is broken, and the server may still have the shell
        pool.shell.close()
    with contextlib.suppress(Exception):
        pool.connection.close()
