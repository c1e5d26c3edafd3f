# Copyright (c) 2026, mailops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shells, as far as the stock connection plugins open and close them: nothing ever runs in one.

The cmd shell is what winrm opens, the PowerShell one (a runspace pool) is what psrp opens.
"""

from __future__ import annotations

import base64
import struct
import uuid
from xml.sax.saxutils import escape

from . import faults
from . import namespaces as ns
from .faults import because
from .hosts import Host
from .soap import Request

CMD = f"{ns.SHELL}/cmd"
POWERSHELL = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"

_SESSION_CAPABILITY = 0x00010002
_RUNSPACEPOOL_STATE = 0x00021005
_APPLICATION_PRIVATE_DATA = 0x00021009
_TO_CLIENT = 1
_WHOLE = 3  # a fragment that is both the start and the end of its message

_CAPABILITY = (
    '<Obj RefId="0"><MS><Version N="protocolversion">2.3</Version><Version N="PSVersion">2.0</Version>'
    '<Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>'
)
_PRIVATE_DATA = (
    '<Obj RefId="0"><MS><Obj N="ApplicationPrivateData" RefId="1"><TN RefId="0">'
    "<T>System.Management.Automation.PSPrimitiveDictionary</T><T>System.Collections.Hashtable</T><T>System.Object</T>"
    "</TN><DCT /></Obj></MS></Obj>"
)
_OPENED = '<Obj RefId="0"><MS><I32 N="RunspaceState">2</I32></MS></Obj>'


def handle(host: Host, request: Request) -> tuple[str, str]:
    """Action and body of the reply to a request for a shell. Raises SoapFault."""
    if request.resource_uri not in (CMD, POWERSHELL):
        raise because(faults.INVALID_URI, f"{request.resource_uri}: no such shell")
    if request.action == ns.CREATE:
        return f"{ns.CREATE}Response", _create(host, request)
    shell_id = request.selectors.get("ShellId", "").upper()
    with host.lock:
        if set(request.selectors) != {"ShellId"} or host.state.shells.get(shell_id) != request.resource_uri:
            raise because(faults.SHELL_NOT_FOUND, f"ShellId {shell_id or 'missing'}")
        if request.action == ns.DELETE:
            del host.state.shells[shell_id]
            return f"{ns.DELETE}Response", ""
    if request.action == f"{ns.SHELL}/Receive" and request.resource_uri == POWERSHELL:
        return f"{ns.SHELL}/ReceiveResponse", _pool_opened(uuid.UUID(shell_id))
    if request.action == f"{ns.SHELL}/Command":
        raise because(faults.ACCESS_DENIED_SHELL, "the lab runs no commands")
    raise because(faults.ACTION_NOT_SUPPORTED, request.action)


def _create(host: Host, request: Request) -> str:
    element = request.only_body()
    if element.tag != f"{{{ns.SHELL}}}Shell" or request.selectors:
        raise because(faults.SCHEMA_ERROR, f"body element {element.tag}, expected rsp:Shell, and no selectors")
    shell_id = str(uuid.uuid4()).upper()
    if request.resource_uri == POWERSHELL:
        shell_id = _pool_id(element.get("ShellId"), element.findtext(f"{{{POWERSHELL.rpartition('/')[0]}}}creationXml"))
    with host.lock:
        host.state.shells[shell_id] = request.resource_uri
    streams = {
        name: escape(element.findtext(f"{{{ns.SHELL}}}{name}") or "") for name in ("InputStreams", "OutputStreams")
    }
    to = f"http://{host.description.fqdn}:{host.description.winrm.http or 5985}{host.description.winrm.path}"
    uri = request.resource_uri
    return (
        f"<x:ResourceCreated><a:Address>{to}</a:Address><a:ReferenceParameters><w:ResourceURI>{uri}</w:ResourceURI>"
        f'<w:SelectorSet><w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
        f"</x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell_id}</rsp:ShellId><rsp:ResourceUri>{uri}</rsp:ResourceUri>"
        f"<rsp:InputStreams>{streams['InputStreams']}</rsp:InputStreams>"
        f"<rsp:OutputStreams>{streams['OutputStreams']}</rsp:OutputStreams></rsp:Shell>"
    )


def _pool_id(text: str | None, creation: str | None) -> str:
    if not creation:
        raise because(faults.SCHEMA_ERROR, "a runspace pool needs creationXml")
    try:
        return str(uuid.UUID(text or "")).upper()
    except ValueError:
        raise because(faults.SCHEMA_ERROR, f"ShellId {text!r} is not a uuid") from None


def _pool_opened(pool: uuid.UUID) -> str:
    """The messages with which a runspace pool reports that it is open (MS-PSRP 2.2)."""
    messages = (
        (_SESSION_CAPABILITY, _CAPABILITY),
        (_APPLICATION_PRIVATE_DATA, _PRIVATE_DATA),
        (_RUNSPACEPOOL_STATE, _OPENED),
    )
    fragments = b""
    for number, (kind, text) in enumerate(messages, 1):
        message = struct.pack("<II", _TO_CLIENT, kind) + pool.bytes_le + bytes(16) + b"\xef\xbb\xbf" + text.encode()
        fragments += struct.pack(">QQBI", number, 0, _WHOLE, len(message)) + message
    stream = base64.b64encode(fragments).decode()
    return f'<rsp:ReceiveResponse><rsp:Stream Name="stdout">{stream}</rsp:Stream></rsp:ReceiveResponse>'
