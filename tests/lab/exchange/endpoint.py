# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/PowerShell: the endpoint of Exchange, an application of IIS that speaks WS-Management and knows shells only."""

from __future__ import annotations

import base64
import binascii
import uuid
import xml.etree.ElementTree as ET
from typing import Any

from psrpcore import PSRPCoreError

from .. import faults
from .. import namespaces as ns
from ..auth import ConnectionSecurity, Outcome
from ..description import Account, Winrm
from ..faults import Cut, because
from ..hosts import Host
from ..service import Operation, Reply
from ..soap import Identify, Request
from .described import Shell
from .organisation import Organisation
from .pools import Pool

RESOURCE = "http://schemas.microsoft.com/powershell/Microsoft.Exchange"
_POWERSHELL = RESOURCE.rpartition("/")[0]
# Case and the slip of the pen in the second are Windows' own (MS-WSMV 2.2.4.38, MS-PSRP 3.1.4.4).
_ENDS = ("/shell/signal/terminate", "powershell/signal/ctrl_c", "powershell/signal/crtl_c")
# What an envelope needs around the fragments.
_OVERHEAD = 2048


class Security(ConnectionSecurity):
    """As IIS logs in: Kerberos without Negotiate before it, and Basic for accounts of the domain as well."""

    def offers(self) -> list[str]:
        """The WWW-Authenticate headers of a 401."""
        headers = ["Kerberos"] if "kerberos" in self._methods else []
        return headers + ([f'Basic realm="{self._fqdn}"'] if "basic" in self._methods else [])

    def authorize(self, header: str) -> Outcome:
        """Handles one Authorization header."""
        if header.partition(" ")[0].lower() == "negotiate":
            return self._reject("Negotiate is not offered")
        return super().authorize(header)

    def _basic(self, raw: bytes) -> Outcome:
        name, _dummy, password = raw.decode("utf-8", "replace").partition(":")
        self.user = name
        self._context = None
        self.account = self._book.check(name, password)
        return Outcome(account=self.account) if self.account else self._reject("wrong user name or password")

    def seal(self, message: bytes, charset: str = "UTF-8") -> tuple[str, bytes]:
        """Exchange writes a blank into the boundaries of its replies."""
        content_type, body = super().seal(message, charset)
        return content_type, body.replace(b"--Encrypted Boundary", b"-- Encrypted Boundary")


class Endpoint:
    """The service of the endpoint on every Exchange server of an organisation."""

    security: type[ConnectionSecurity] = Security
    answers_strangers = False

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation

    def settings(self, host: Host) -> Winrm:
        """The endpoint's settings as those of a listener."""
        shell = _shell(host)
        return Winrm(
            http=shell.http,
            https=shell.https,
            auth=shell.auth,
            certificate=shell.certificate,
            path=shell.path,
            max_envelope_kb=shell.max_envelope_kb,
        )

    def classify(self, host: Host, request: Request | Identify) -> Operation:
        """Exchange.Create, Exchange.Command ..."""
        if isinstance(request, Identify):
            return Operation("Exchange.Identify", {})
        return Operation(f"Exchange.{request.action.rpartition('/')[2]}", dict(request.selectors))

    def execute(self, host: Host, request: Request | Identify, account: Account | None) -> Reply:
        """For accounts with rights in Exchange."""
        if isinstance(request, Identify):
            raise faults.HttpReply(400)
        allowed = self._organisation.of(host).exchange.accounts
        if account is None or not (account.administrator if allowed is None else account.user in allowed):
            raise faults.SoapFault(faults.ACCESS_DENIED)
        if request.resource_uri != RESOURCE:
            raise because(faults.INVALID_URI, f"{request.resource_uri}: only {RESOURCE} is served here")
        try:
            return self._execute(host, request, account)
        except PSRPCoreError as exc:
            raise because(faults.SCHEMA_ERROR, f"PSRP: {exc}") from None

    def _execute(self, host: Host, request: Request, account: Account) -> Reply:
        if request.action == ns.CREATE:
            return Reply(f"{ns.CREATE}Response", self._create(host, request, account))
        pool = _pool(host, request, account)
        verb = request.action.removeprefix(f"{ns.SHELL}/")
        if request.action == ns.DELETE:
            with host.lock:
                host.state.pools.pop(pool.shell_id, None)
            return Reply(f"{ns.DELETE}Response", "")
        if verb == "Receive":
            return Reply(f"{request.action}Response", _receive(pool, request))
        if verb == "Command":
            return Reply(f"{request.action}Response", _command(host, pool, request))
        if verb == "Send":
            stream = _stream(request)
            pool.more(_command_id(stream.get("CommandId")), _decoded(stream.text))
            return Reply(f"{request.action}Response", "<rsp:SendResponse/>")
        if verb == "Signal":
            return Reply(f"{request.action}Response", _signal(pool, request))
        raise because(faults.ACTION_NOT_SUPPORTED, request.action)

    def _create(self, host: Host, request: Request, account: Account) -> str:
        element = request.only_body()
        if element.tag != f"{{{ns.SHELL}}}Shell" or request.selectors:
            raise because(faults.SCHEMA_ERROR, f"body element {element.tag}, expected rsp:Shell, and no selectors")
        if not request.options.get("protocolversion", "").startswith("2."):
            raise because(faults.SCHEMA_ERROR, "a runspace pool needs the option protocolversion")
        creation = element.findtext(f"{{{_POWERSHELL}}}creationXml")
        if not creation:
            raise because(faults.SCHEMA_ERROR, "a runspace pool needs creationXml")
        shell_id = _command_id(element.get("ShellId"))
        pool = Pool(shell_id, account.user, self._organisation, self._organisation.of(host))
        pool.open(_decoded(creation))
        with host.lock:
            of_user = [item for item in host.state.pools.values() if item.user == account.user]
            if len(of_user) >= _shell(host).shells_per_user:
                raise faults.SoapFault(faults.SHELL_QUOTA)
            host.state.pools[shell_id] = pool
        return (
            f"<x:ResourceCreated><a:Address>http://{host.description.fqdn}{_shell(host).path}</a:Address>"
            f"<a:ReferenceParameters><w:ResourceURI>{RESOURCE}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            f"</x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell_id}</rsp:ShellId>"
            f"<rsp:ResourceUri>{RESOURCE}</rsp:ResourceUri><rsp:Owner>{account.user}</rsp:Owner>"
            "<rsp:InputStreams>stdin pr</rsp:InputStreams><rsp:OutputStreams>stdout</rsp:OutputStreams></rsp:Shell>"
        )


def _shell(host: Host) -> Shell:
    exchange = host.description.exchange
    assert exchange is not None
    assert exchange.shell is not None
    return exchange.shell


def _pool(host: Host, request: Request, account: Account) -> Pool:
    """The pool that is meant, which belongs to whoever made it."""
    shell_id = request.selectors.get("ShellId", "").upper()
    with host.lock:
        pool = host.state.pools.get(shell_id)
    if set(request.selectors) != {"ShellId"} or not isinstance(pool, Pool) or pool.user != account.user:
        raise because(faults.SHELL_NOT_FOUND, f"ShellId {shell_id or 'missing'}")
    return pool


def _command(host: Host, pool: Pool, request: Request) -> str:
    if pool.lost:
        with host.lock:
            host.state.pools.pop(pool.shell_id, None)
        raise because(faults.SHELL_NOT_FOUND, f"ShellId {pool.shell_id}")
    element = request.only_body()
    command_id = _command_id(element.get("CommandId"))
    arguments = element.findall(f"{{{ns.SHELL}}}Arguments")
    if element.tag != f"{{{ns.SHELL}}}CommandLine" or len(arguments) != 1:
        raise because(faults.SCHEMA_ERROR, "a pipeline is a rsp:CommandLine with one rsp:Arguments")
    pool.begin(command_id, _decoded(arguments[0].text))
    return f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"


def _receive(pool: Pool, request: Request) -> str:
    """What there is, or what comes within the operation's timeout."""
    desired = request.only_body().find(f"{{{ns.SHELL}}}DesiredStream")
    if desired is None or (desired.text or "").strip() != "stdout":
        raise because(faults.SCHEMA_ERROR, "rsp:Receive needs a rsp:DesiredStream of stdout")
    given = desired.get("CommandId")
    command_id = None if given is None else _command_id(given)
    if command_id is not None and not pool.knows(command_id):
        raise because(faults.UNEXPECTED_SELECTORS, f"CommandId {command_id} is not known")
    size = (request.max_envelope_size - _OVERHEAD) // 4 * 3
    taken = pool.take(command_id, request.operation_timeout, size)
    if pool.dead:
        raise Cut
    if taken is None:
        raise faults.SoapFault(faults.TIMED_OUT)
    data, done = taken
    attribute = "" if command_id is None else f' CommandId="{command_id}"'
    state = f'<rsp:CommandState{attribute} State="{ns.SHELL}/CommandState/Done"/>' if done else ""
    stream = base64.b64encode(data).decode()
    return (
        f'<rsp:ReceiveResponse><rsp:Stream Name="stdout"{attribute}>{stream}</rsp:Stream>{state}</rsp:ReceiveResponse>'
    )


def _signal(pool: Pool, request: Request) -> str:
    element = request.only_body()
    code = element.findtext(f"{{{ns.SHELL}}}Code") or ""
    if not code.lower().endswith(_ENDS):
        raise because(faults.SCHEMA_ERROR, f"signal {code!r}")
    pool.end(_command_id(element.get("CommandId")))
    return "<rsp:SignalResponse/>"


def _stream(request: Request) -> ET.Element:
    stream = request.only_body().find(f"{{{ns.SHELL}}}Stream")
    if stream is None or stream.get("Name") != "stdin":
        raise because(faults.SCHEMA_ERROR, "rsp:Send needs a rsp:Stream named stdin: nobody answers prompts")
    return stream


def _command_id(text: Any) -> str:
    try:
        return str(uuid.UUID(str(text))).upper()
    except ValueError:
        raise because(faults.SCHEMA_ERROR, f"{text!r} is not a uuid") from None


def _decoded(text: str | None) -> bytes:
    try:
        return base64.b64decode((text or "").strip(), validate=True)
    except binascii.Error:
        raise because(faults.SCHEMA_ERROR, "fragments that are no base64") from None
